/* variants.h: the pool and what it is measured beside, behind one pair of functions resolved when compiled.
 *
 *   LIST     unchecked thread-local lists, one per class: the limit that no checked pool can pass
 *   MALLOC   malloc of the size that is needed; which allocator that is depends on the process
 *   MUTEX    the plain pool that many programs have: one mutex for the budget, one for the list, zeroed on return
 *   others   this library, four ways */
#ifndef BUFPOOL_BENCH_POOL_VARIANTS_H
#define BUFPOOL_BENCH_POOL_VARIANTS_H

#include "bench.h"
#include "bufpool/pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LIST, INLINE, CLASS, PLAIN, HEAP, MALLOC, MUTEX };

/* Powers of two from 64 on, as `classes: pow2` of a contract gives them. */
enum { VARIANT_CLASS_COUNT = 11 };
extern const bp_class variant_classes[VARIANT_CLASS_COUNT];

/* No branch: one that depends on a size that nobody can predict costs more than what is measured. */
static inline uint32_t class_of(uint32_t size) { return 26 - (uint32_t)__builtin_clz((size - 1) | 63); }

/* The process's pool for a variant; INLINE, CLASS and PLAIN share one. NULL for those that are none. */
bp_pool *variant_pool(int variant);

typedef struct node {
    struct node *next;
} node;
extern __thread node *variant_lists[VARIANT_CLASS_COUNT];

void *mutex_get(uint32_t class_ix);
void mutex_put(uint32_t class_ix, void *p);

#define ALWAYS_INLINE static inline __attribute__((always_inline))

ALWAYS_INLINE void *list_get(uint32_t class_ix) {
    node *n = variant_lists[class_ix];
    if (n == NULL) return malloc(variant_classes[class_ix].size);
    variant_lists[class_ix] = n->next;
    return n;
}

ALWAYS_INLINE void list_put(uint32_t class_ix, void *p) {
    node *n = p;
    n->next = variant_lists[class_ix];
    variant_lists[class_ix] = n;
}

ALWAYS_INLINE void *get(int variant, bp_pool *pool, uint32_t class_ix, uint32_t size) {
    bp_buf *buf = NULL;
    bp_err err = BP_OK;
    if (variant == LIST) return list_get(class_ix);
    if (variant == MALLOC) return malloc(size);
    if (variant == MUTEX) return mutex_get(class_ix);
    if (variant == CLASS) err = bp_pool_acquire_class(pool, class_ix, size, &buf);
    else if (variant == PLAIN) err = bp_pool_acquire_plain(pool, size, &buf);
    else err = bp_pool_acquire(pool, size, &buf);
    if (err != BP_OK) bench_fail(bp_err_text(err));
    return buf;
}

ALWAYS_INLINE void put(int variant, uint32_t class_ix, void *p) {
    if (variant == LIST) list_put(class_ix, p);
    else if (variant == MALLOC) free(p);
    else if (variant == MUTEX) mutex_put(class_ix, p);
    else if (variant == PLAIN) bp_buf_release_plain(p);
    else bp_buf_release(p);
}

ALWAYS_INLINE uint8_t *data_of(int variant, void *p) {
    return variant == LIST || variant == MALLOC || variant == MUTEX ? p : bp_buf_data(p);
}

/* Writes the first and the last 8 bytes. */
ALWAYS_INLINE void touch(int variant, void *p, uint32_t size) {
    uint8_t *data = data_of(variant, p);
    const uint64_t value = (uint64_t)(uintptr_t)p;
    memcpy(data, &value, 8);
    memcpy(data + size - 8, &value, 8);
    bench_touch(data);
}

static inline uint64_t row_ns(void) { return bench_is_quick ? 4000000 : 20000000; }

/* A row runs for a while by the clock; its figure is the processor time that its thread had meanwhile. */
typedef struct meter {
    uint64_t end_ns, cpu_ns;
} meter;

static inline meter meter_start(void) {
    return (meter){bench_now_ns() + row_ns(), bench_cpu_ns()};
}

static inline bool meter_goes_on(const meter *m) { return bench_now_ns() < m->end_ns; }

static inline double meter_ns_per(const meter *m, uint64_t count) {
    return (double)(bench_cpu_ns() - m->cpu_ns) / (double)count;
}

/* ---- the mix: live buffers of many sizes, freed and taken in random order ---- */

enum { MIX_SLOTS = 1024 };
typedef struct mix_slots {
    struct {
        void *p;
        uint32_t class_ix;
    } slot[MIX_SLOTS];
    uint64_t count; /* operations of the last run */
} mix_slots;

/* Nanoseconds per free + take. The slots begin and end empty. Sizes from 16 to 16 + most, small ones oftener. */
ALWAYS_INLINE double mix_run(int variant, bp_pool *pool, uint32_t most, mix_slots *slots) {
    uint32_t random = 2463534242u;
    uint64_t count = 0;
    const meter m = meter_start();
    while (meter_goes_on(&m)) {
        for (int i = 0; i < 4096; i++, count++) {
            random ^= random << 13, random ^= random >> 17, random ^= random << 5;
            const uint32_t ix = random % MIX_SLOTS;
            const uint32_t size = 16 + (random >> 12) % (most >> ((random >> 10) & 7));
            if (slots->slot[ix].p != NULL) put(variant, slots->slot[ix].class_ix, slots->slot[ix].p);
            slots->slot[ix].class_ix = class_of(size);
            slots->slot[ix].p = get(variant, pool, slots->slot[ix].class_ix, size);
            touch(variant, slots->slot[ix].p, size);
        }
    }
    const double ns = meter_ns_per(&m, count);
    slots->count = count;
    for (int i = 0; i < MIX_SLOTS; i++) {
        if (slots->slot[i].p != NULL) put(variant, slots->slot[i].class_ix, slots->slot[i].p);
        slots->slot[i].p = NULL;
    }
    return ns;
}

/* One call per variant, so that each loop is compiled for itself. */
#define DEFINE_RUN(kind)                                                                                              \
    static double run_##kind(const bench_row *row) {                                                                  \
        switch (row->variant) {                                                                                       \
        case LIST: return kind(LIST, row->size);                                                                      \
        case INLINE: return kind(INLINE, row->size);                                                                  \
        case CLASS: return kind(CLASS, row->size);                                                                    \
        case PLAIN: return kind(PLAIN, row->size);                                                                    \
        case HEAP: return kind(HEAP, row->size);                                                                      \
        case MALLOC: return kind(MALLOC, row->size);                                                                  \
        default: return kind(MUTEX, row->size);                                                                       \
        }                                                                                                             \
    }

#endif
