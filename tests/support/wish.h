/* tests/support/wish.h: reservations that remember what became of them. */
#ifndef BUFPOOL_TESTS_WISH_H
#define BUFPOOL_TESTS_WISH_H

#include "bufpool/pool.h"

/* One request, and how it ended. */
typedef struct bpt_wish {
    bp_reservation reservation;
    uint32_t told;  /* how often on_done ran */
    uint64_t order; /* the how-manieth callback of the process it was, from 1 */
} bpt_wish;

/* Asks for size bytes; returns what bp_pool_reserve did. */
bp_err bpt_wish_for(bp_pool *pool, bpt_wish *wish, uint64_t size);
/* The same, and fails the test unless it has to wait. */
void bpt_wish_waits(bp_pool *pool, bpt_wish *wish, uint64_t size);
/* Fails the test unless the wish was told once, as granted with size bytes, or as err. */
void bpt_wish_is_granted(const bpt_wish *wish);
void bpt_wish_failed(const bpt_wish *wish, bp_err err);
/* Gives the buffer back. */
void bpt_wish_release(bpt_wish *wish);

#endif
