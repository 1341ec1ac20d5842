/* Pool rows: acquire + release beside an unchecked thread-local list (the limit) and malloc. Every row touches the
 * first and the last 8 bytes of each buffer.
 *
 * pair: one buffer at once.  burst: 64 taken, then given back in order.  mix: 1024 live slots of mixed sizes. */
#include "bench.h"
#include "bufpool/pool.h"

#include <stdlib.h>
#include <string.h>

enum { LIST, INLINE, CLASS, PLAIN, MALLOC, HEAP };
enum { BURST = 64, SLOTS = 1024 };

static const bp_class classes[] = {{64, 65536},    {128, 65536},   {256, 65536},   {512, 65536},   {1024, 65536},
                                   {2048, 65536},  {4096, 65536},  {8192, 65536},  {16384, 65536}, {32768, 65536},
                                   {65536, 262144}};
enum { CLASS_COUNT = sizeof classes / sizeof classes[0] };

static uint32_t class_of(uint32_t size) {
    return size <= 64 ? 0 : (uint32_t)(32 - __builtin_clz(size - 1)) - 6;
}

/* ---- the limit: lists without any check ---- */

typedef struct node {
    struct node *next;
} node;
static _Thread_local node *lists[CLASS_COUNT];

static inline void *list_get(uint32_t class_ix) {
    node *n = lists[class_ix];
    if (n == NULL) return malloc(classes[class_ix].size);
    lists[class_ix] = n->next;
    return n;
}

static inline void list_put(uint32_t class_ix, void *p) {
    node *n = p;
    n->next = lists[class_ix];
    lists[class_ix] = n;
}

/* ---- one interface over all of them, resolved when compiled ---- */

static bp_pool *pool_of(int variant) {
    static bp_pool *pool, *heap;
    const bp_pool_config config = {.name = "bench", .classes = classes, .class_count = CLASS_COUNT,
                                   .memory_limit = 1u << 30};
    if (pool == NULL && (bp_pool_new(&config, &pool) != BP_OK || bp_heap_pool_new(0, &heap) != BP_OK)) {
        bench_fail("no pool");
    }
    return variant == HEAP ? heap : pool;
}

static inline __attribute__((always_inline)) void *get(int variant, bp_pool *pool, uint32_t class_ix, uint32_t size) {
    bp_buf *buf = NULL;
    bp_err err = BP_OK;
    if (variant == LIST) return list_get(class_ix);
    if (variant == MALLOC) return malloc(size);
    if (variant == INLINE) err = bp_pool_acquire(pool, size, &buf);
    else if (variant == CLASS) err = bp_pool_acquire_class(pool, class_ix, size, &buf);
    else err = bp_pool_acquire_plain(pool, size, &buf);
    if (err != BP_OK) bench_fail(bp_err_text(err));
    return buf;
}

static inline __attribute__((always_inline)) void put(int variant, uint32_t class_ix, void *p) {
    if (variant == LIST) list_put(class_ix, p);
    else if (variant == MALLOC) free(p);
    else if (variant == INLINE || variant == CLASS) bp_buf_release(p);
    else bp_buf_release_plain(p);
}

static inline __attribute__((always_inline)) void touch(int variant, void *p, uint32_t size) {
    uint8_t *data = variant == LIST || variant == MALLOC ? p : bp_buf_data(p);
    const uint64_t value = (uint64_t)(uintptr_t)p;
    memcpy(data, &value, 8);
    memcpy(data + size - 8, &value, 8);
    bench_touch(data);
}

static inline __attribute__((always_inline)) double pair(int variant, uint32_t size) {
    bp_pool *pool = pool_of(variant);
    const uint32_t class_ix = class_of(size);
    const uint64_t count = bench_is_quick ? 1000000 : 4000000;
    const uint64_t start = bench_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        void *p = get(variant, pool, class_ix, size);
        touch(variant, p, size);
        put(variant, class_ix, p);
    }
    return (double)(bench_now_ns() - start) / (double)count;
}

static inline __attribute__((always_inline)) double burst(int variant, uint32_t size) {
    bp_pool *pool = pool_of(variant);
    void *taken[BURST];
    const uint32_t class_ix = class_of(size);
    const uint64_t count = bench_is_quick ? 8000 : 32000;
    const uint64_t start = bench_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        for (int k = 0; k < BURST; k++) {
            taken[k] = get(variant, pool, class_ix, size);
            touch(variant, taken[k], size);
        }
        for (int k = 0; k < BURST; k++) put(variant, class_ix, taken[k]);
    }
    return (double)(bench_now_ns() - start) / (double)(count * BURST);
}

typedef struct slot {
    void *p;
    uint32_t class_ix;
} slot;

static inline __attribute__((always_inline)) double mix(int variant, uint32_t most) {
    static slot slots[SLOTS];
    bp_pool *pool = pool_of(variant);
    const uint64_t count = bench_is_quick ? 1000000 : 4000000;
    uint32_t random = 2463534242u;
    const uint64_t start = bench_now_ns();
    for (uint64_t i = 0; i < count; i++) {
        random ^= random << 13, random ^= random >> 17, random ^= random << 5;
        slot *s = &slots[random % SLOTS];
        const uint32_t size = 16 + (random >> 12) % (most >> ((random >> 10) & 7)); /* small ones oftener */
        if (s->p != NULL) put(variant, s->class_ix, s->p);
        s->class_ix = class_of(size);
        s->p = get(variant, pool, s->class_ix, size);
        touch(variant, s->p, size);
    }
    const uint64_t end = bench_now_ns();
    for (int i = 0; i < SLOTS; i++) {
        if (slots[i].p != NULL) put(variant, slots[i].class_ix, slots[i].p);
        slots[i].p = NULL;
    }
    return (double)(end - start) / (double)count;
}

/* One call per variant, so that each loop is compiled for itself. */
#define DEFINE_RUN(kind)                                                                                              \
    static double run_##kind(const bench_row *row) {                                                                  \
        switch (row->variant) {                                                                                       \
        case LIST: return kind(LIST, row->size);                                                                      \
        case INLINE: return kind(INLINE, row->size);                                                                  \
        case CLASS: return kind(CLASS, row->size);                                                                    \
        case PLAIN: return kind(PLAIN, row->size);                                                                    \
        case MALLOC: return kind(MALLOC, row->size);                                                                  \
        default: return kind(HEAP, row->size);                                                                        \
        }                                                                                                             \
    }
DEFINE_RUN(pair)
DEFINE_RUN(burst)
DEFINE_RUN(mix)

#define FIVE(label, function, bytes)                                                                                  \
    {"pool", label ": unchecked list", "ns", NULL, function, bytes, LIST},                                            \
    {"pool", label ": bufpool", "ns", label ": unchecked list", function, bytes, INLINE},                             \
    {"pool", label ": bufpool, class known", "ns", label ": unchecked list", function, bytes, CLASS},                 \
    {"pool", label ": bufpool, plain call", "ns", label ": unchecked list", function, bytes, PLAIN},                  \
    {"pool", label ": malloc", "ns", label ": bufpool", function, bytes, MALLOC}

static const bench_row rows[] = {
    FIVE("pair 128", run_pair, 128),     FIVE("pair 4096", run_pair, 4096), FIVE("burst 128", run_burst, 128),
    FIVE("burst 4096", run_burst, 4096), FIVE("mix", run_mix, 2048),
    {"pool", "pair 128: heap pool", "ns", "pair 128: malloc", run_pair, 128, HEAP},
};

const bench_table bench_pool_rows = {rows, sizeof rows / sizeof rows[0]};
