/* Reservations: a ticket that need not wait beside an acquire, and what a release costs while so many wait.
 *
 * Who waits wants the whole pool, so that nothing that comes free is enough; slabs go back to the system as they become
 * free, which is most of what these releases cost. */
#include "variants.h"

enum { WAITERS_MAX = 10000, HELD = 4096, SIZE = 1024, LIMIT = 64 << 20 };

static bp_reservation waiters[WAITERS_MAX];

static void on_done(bp_reservation *reservation) { reservation->user = NULL; }

static double run_acquire(const bench_row *row) {
    bp_pool *pool = variant_pool(INLINE);
    uint64_t count = 0;
    const meter m = meter_start();
    while (meter_goes_on(&m)) {
        for (int i = 0; i < 4096; i++, count++) {
            void *p = get(INLINE, pool, 0, row->size);
            touch(INLINE, p, row->size);
            put(INLINE, 0, p);
        }
    }
    return meter_ns_per(&m, count);
}

static double run_ticket(const bench_row *row) {
    bp_pool *pool = variant_pool(INLINE);
    uint64_t count = 0;
    const meter m = meter_start();
    while (meter_goes_on(&m)) {
        for (int i = 0; i < 4096; i++, count++) {
            bp_reservation ticket = {.size = row->size, .on_done = on_done};
            if (bp_pool_reserve(pool, &ticket) != BP_OK) bench_fail("a ticket was not granted");
            touch(INLINE, ticket.buf, row->size);
            bp_buf_release(ticket.buf);
        }
    }
    return meter_ns_per(&m, count);
}

static bp_pool *limited_pool(void) {
    static bp_pool *pool;
    const bp_pool_config config = {.classes = variant_classes,
                                   .class_count = VARIANT_CLASS_COUNT,
                                   .memory_limit = LIMIT};
    if (pool == NULL && bp_pool_new(&config, &pool) != BP_OK) bench_fail("no pool");
    return pool;
}

/* Processor time of the releases of one round. */
static uint64_t release_round(bp_pool *pool, uint32_t waiting) {
    static bp_buf *held[HELD];
    bp_buf *last = get(INLINE, pool, 0, SIZE);
    for (int i = 0; i < HELD; i++) held[i] = get(INLINE, pool, 0, SIZE);
    for (uint32_t i = 0; i < waiting; i++) {
        waiters[i] = (bp_reservation){.size = LIMIT - SIZE, .on_done = on_done};
        if (bp_pool_reserve(pool, &waiters[i]) != BP_PENDING) bench_fail("a reservation does not wait");
    }
    const uint64_t before = bench_cpu_ns();
    for (int i = 0; i < HELD; i++) bp_buf_release(held[i]);
    const uint64_t spent = bench_cpu_ns() - before;
    for (uint32_t i = 0; i < waiting; i++) {
        if (!bp_pool_cancel(pool, &waiters[i])) bench_fail("a reservation was lost");
    }
    bp_buf_release(last);
    return spent;
}

static double run_release(const bench_row *row) {
    bp_pool *pool = limited_pool();
    uint64_t spent = 0, count = 0;
    const meter m = meter_start();
    for (; count == 0 || meter_goes_on(&m); count += HELD) spent += release_round(pool, row->size);
    return (double)spent / (double)count;
}

static const bench_row rows[] = {
    {"pool waiting", "128 B: acquire + release", "ns", NULL, run_acquire, 128, INLINE, false},
    {"pool waiting", "128 B: reserve + claim + release", "ns", "128 B: acquire + release", run_ticket, 128, INLINE,
     false},
    {"pool waiting", "release, 1 waits", "ns", NULL, run_release, 1, INLINE, false},
    {"pool waiting", "release, 1,000 wait", "ns", "release, 1 waits", run_release, 1000, INLINE, false},
    {"pool waiting", "release, 10,000 wait", "ns", "release, 1 waits", run_release, 10000, INLINE, false},
};

const bench_table bench_waiting_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
