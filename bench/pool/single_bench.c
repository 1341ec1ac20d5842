/* One thread: acquire + release beside an unchecked thread-local list (the limit), general allocators and a pool with
 * mutexes. Every row touches the first and the last 8 bytes of each buffer.
 *
 * pair: one buffer at once.  burst: 64 taken, then given back in order.  mix: 1024 live slots of 16 to 4096 bytes.
 * sealed: the same pair in a pool that is nearly at its limit, where no thread has a stock of its own. */
#include "variants.h"

enum { BURST = 64 };

ALWAYS_INLINE double pair(int variant, uint32_t size) {
    bp_pool *pool = variant_pool(variant);
    const uint32_t class_ix = class_of(size);
    uint64_t count = 0;
    const meter m = meter_start();
    while (meter_goes_on(&m)) {
        for (int i = 0; i < 4096; i++, count++) {
            void *p = get(variant, pool, class_ix, size);
            touch(variant, p, size);
            put(variant, class_ix, p);
        }
    }
    return meter_ns_per(&m, count);
}

ALWAYS_INLINE double burst(int variant, uint32_t size) {
    bp_pool *pool = variant_pool(variant);
    void *taken[BURST];
    const uint32_t class_ix = class_of(size);
    uint64_t count = 0;
    const meter m = meter_start();
    while (meter_goes_on(&m)) {
        for (int i = 0; i < 16; i++, count += BURST) {
            for (int k = 0; k < BURST; k++) {
                taken[k] = get(variant, pool, class_ix, size);
                touch(variant, taken[k], size);
            }
            for (int k = 0; k < BURST; k++) put(variant, class_ix, taken[k]);
        }
    }
    return meter_ns_per(&m, count);
}

ALWAYS_INLINE double mix(int variant, uint32_t most) {
    static mix_slots slots;
    return mix_run(variant, variant_pool(variant), most, &slots);
}

DEFINE_RUN(pair)
DEFINE_RUN(burst)
DEFINE_RUN(mix)

/* ---- a pool near its limit ---- */

enum { SEALED_LIMIT = 1 << 20, SEALED_SIZE = 128 };

/* Takes all there is and gives an eighth of that less than what opens the threads' stocks again. */
static bp_pool *sealed_pool(void) {
    static bp_buf *held[SEALED_LIMIT / SEALED_SIZE];
    static bp_pool *pool;
    const bp_pool_config config = {.classes = variant_classes, .class_count = 2, .memory_limit = SEALED_LIMIT};
    uint32_t count = 0;
    if (pool != NULL) return pool;
    if (bp_pool_new(&config, &pool) != BP_OK) bench_fail("no pool");
    while (bp_pool_acquire(pool, SEALED_SIZE, &held[count]) == BP_OK) count++;
    for (uint32_t i = 0; i < 16; i++) bp_buf_release(held[--count]);
    return pool;
}

static double run_sealed(const bench_row *row) {
    bp_pool *pool = sealed_pool();
    uint64_t count = 0;
    const meter m = meter_start();
    while (meter_goes_on(&m)) {
        for (int i = 0; i < 1024; i++, count++) {
            void *p = get(INLINE, pool, 1, row->size);
            touch(INLINE, p, row->size);
            put(INLINE, 1, p);
        }
    }
    return meter_ns_per(&m, count);
}

#define ROWS_OF(group, label, function, bytes)                                                                        \
    {group, label ": unchecked list", "ns", NULL, function, bytes, LIST, false},                                      \
    {group, label ": bufpool", "ns", label ": unchecked list", function, bytes, INLINE, false},                       \
    {group, label ": bufpool, class known", "ns", label ": unchecked list", function, bytes, CLASS, false},           \
    {group, label ": bufpool, plain call", "ns", label ": unchecked list", function, bytes, PLAIN, false},            \
    {group, label ": mutexes", "ns", label ": bufpool", function, bytes, MUTEX, false},                               \
    {group, label ": malloc", "ns", label ": bufpool", function, bytes, MALLOC, true}

static const bench_row rows[] = {
    ROWS_OF("pool pair", "pair 64", run_pair, 64),
    ROWS_OF("pool pair", "pair 128", run_pair, 128),
    ROWS_OF("pool pair", "pair 256", run_pair, 256),
    ROWS_OF("pool pair", "pair 1024", run_pair, 1024),
    ROWS_OF("pool pair", "pair 4096", run_pair, 4096),
    ROWS_OF("pool pair", "pair 65536", run_pair, 65536),
    {"pool pair", "pair 128: heap pool", "ns", "pair 128: bufpool", run_pair, 128, HEAP, false},
    {"pool pair", "pair 128: bufpool, sealed", "ns", "pair 128: bufpool", run_sealed, SEALED_SIZE, INLINE, false},
    ROWS_OF("pool burst", "burst 128", run_burst, 128),
    ROWS_OF("pool burst", "burst 1024", run_burst, 1024),
    ROWS_OF("pool burst", "burst 4096", run_burst, 4096),
    ROWS_OF("pool burst", "burst 65536", run_burst, 65536),
    ROWS_OF("pool mix", "mix", run_mix, 4080),
};

const bench_table bench_single_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
