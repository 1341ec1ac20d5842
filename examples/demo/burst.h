/* burst.h: a market burst that never ends: random walks of prices over a few instruments, always the same one. */
#ifndef BUFPOOL_DEMO_BURST_H
#define BUFPOOL_DEMO_BURST_H

#include "demo.h"

/* The next message of the burst, ready to be sent, and what the walk remembers. */
typedef struct demo_burst {
    uint64_t random, step;
    uint64_t price[DEMO_INSTRUMENT_COUNT], sequence[DEMO_INSTRUMENT_COUNT];
    const uint8_t *file; /* content of snapshots */
    uint32_t file_length;
    int kind; /* DEMO_…: which member of next is the message */
    union {
        market_instrument_meta instrument_meta;
        market_pool_state_update pool_state_update;
        market_order_book order_book;
        market_arbitrage_signal arbitrage_signal;
        market_log_line log_line;
        market_snapshot snapshot;
    } next;
} demo_burst;

/* Starts the burst; file is sent as a snapshot now and then and belongs to the caller. */
void demo_burst_init(demo_burst *burst, const uint8_t *file, uint32_t file_length);

/* Sends the next message; only when it was queued the burst goes on to the one after. */
bp_err demo_burst_send(demo_burst *burst, bp_conn *conn);

#endif
