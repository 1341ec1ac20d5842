/* tests/support/dry_pool.h: a pool that refuses chosen acquires, as one at its limit does, and grants them when it is
 * told to. For one thread. */
#ifndef BUFPOOL_TESTS_DRY_POOL_H
#define BUFPOOL_TESTS_DRY_POOL_H

#include "bufpool/pool.h"

/* An empty pool from which nothing is refused; bp_pool_release_take ends it. */
bp_pool *bpt_dry_pool(void);

/* From now on acquires are counted anew, and the first one, number `at`, is refused, and then every one that comes
 * `every` later (0: no other). Who is refused reserves; while anybody waits, everybody is refused, and that is not
 * counted. */
void bpt_dry_pool_refuse(bp_pool *pool, uint64_t at, uint64_t every);

/* Acquires that were counted, reservations that wait, and those that had to. */
uint64_t bpt_dry_pool_acquires(bp_pool *pool);
uint64_t bpt_dry_pool_waiting(bp_pool *pool);
uint64_t bpt_dry_pool_waits(bp_pool *pool);

/* Grants the reservation that has waited longest, if any. */
void bpt_dry_pool_grant(bp_pool *pool);

#endif
