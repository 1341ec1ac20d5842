/* What grows with the number of classes or of live buffers, beside unchecked lists, whose cost grows by the caches
 * alone.
 *
 * classes: 1024 live buffers, each operation frees one and takes one of any class. live: so many buffers of 64 bytes,
 * freed and taken in random order. */
#include "variants.h"

enum { CLASSES_MAX = BP_CLASS_MAX, LIVE_MAX = 1000000, STEP = 64 };

static void *live[LIVE_MAX];
static uint8_t live_class[LIVE_MAX];
static node *step_lists[CLASSES_MAX];

/* One pool per number of classes: sizes 64, 128, 192, … */
static bp_pool *pool_with(uint32_t class_count) {
    static bp_pool *pools[CLASSES_MAX + 1];
    bp_class classes[CLASSES_MAX];
    if (pools[class_count] != NULL) return pools[class_count];
    for (uint32_t i = 0; i < class_count; i++) classes[i] = (bp_class){(i + 1) * STEP, 0};
    const bp_pool_config config = {.classes = classes, .class_count = class_count};
    if (bp_pool_new(&config, &pools[class_count]) != BP_OK) bench_fail("no pool");
    return pools[class_count];
}

ALWAYS_INLINE void *step_get(int variant, bp_pool *pool, uint32_t class_ix) {
    if (variant == INLINE) return get(INLINE, pool, class_ix, (class_ix + 1) * STEP);
    node *n = step_lists[class_ix];
    if (n == NULL) return malloc((class_ix + 1) * STEP);
    step_lists[class_ix] = n->next;
    return n;
}

ALWAYS_INLINE void step_put(int variant, uint32_t class_ix, void *p) {
    if (variant == INLINE) {
        put(INLINE, class_ix, p);
    } else {
        ((node *)p)->next = step_lists[class_ix];
        step_lists[class_ix] = p;
    }
}

ALWAYS_INLINE double churn(int variant, uint32_t class_count, uint32_t live_count) {
    bp_pool *pool = variant == INLINE ? pool_with(class_count) : NULL;
    uint32_t random = 2463534242u;
    uint64_t count = 0;
    for (uint32_t i = 0; i < live_count; i++) {
        live_class[i] = (uint8_t)(i % class_count);
        live[i] = step_get(variant, pool, live_class[i]);
        touch(variant, live[i], STEP);
    }
    const meter m = meter_start();
    while (meter_goes_on(&m)) {
        for (int i = 0; i < 4096; i++, count++) {
            random ^= random << 13, random ^= random >> 17, random ^= random << 5;
            const uint32_t ix = (uint32_t)((uint64_t)random * live_count >> 32);
            step_put(variant, live_class[ix], live[ix]);
            live_class[ix] = (uint8_t)(((random & 0xFFFF) * class_count) >> 16);
            live[ix] = step_get(variant, pool, live_class[ix]);
            touch(variant, live[ix], STEP);
        }
    }
    const double ns = meter_ns_per(&m, count);
    for (uint32_t i = 0; i < live_count; i++) step_put(variant, live_class[i], live[i]);
    return ns;
}

static double run_classes(const bench_row *row) {
    return row->variant == INLINE ? churn(INLINE, row->size, 1024) : churn(LIST, row->size, 1024);
}

static double run_live(const bench_row *row) {
    return row->variant == INLINE ? churn(INLINE, 1, row->size) : churn(LIST, 1, row->size);
}

#define GROWTH_OF(label, function, number)                                                                            \
    {"pool growth", label ": unchecked lists", "ns", NULL, function, number, LIST, false},                            \
    {"pool growth", label ": bufpool", "ns", label ": unchecked lists", function, number, INLINE, false}

static const bench_row rows[] = {
    GROWTH_OF("1 class", run_classes, 1),       GROWTH_OF("4 classes", run_classes, 4),
    GROWTH_OF("16 classes", run_classes, 16),   GROWTH_OF("64 classes", run_classes, 64),
    GROWTH_OF("1,000 live", run_live, 1000),    GROWTH_OF("10,000 live", run_live, 10000),
    GROWTH_OF("100,000 live", run_live, 100000), GROWTH_OF("1,000,000 live", run_live, 1000000),
};

const bench_table bench_growth_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
