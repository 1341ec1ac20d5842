#include "variants.h"

const bp_class variant_classes[VARIANT_CLASS_COUNT] = {
    {64, 65536},   {128, 65536},  {256, 65536},   {512, 65536},   {1024, 65536},   {2048, 65536},
    {4096, 65536}, {8192, 65536}, {16384, 65536}, {32768, 65536}, {65536, 262144},
};

__thread node *variant_lists[VARIANT_CLASS_COUNT];

bp_pool *variant_pool(int variant) {
    static bp_pool *pool, *heap;
    const bp_pool_config config = {.name = "bench", .classes = variant_classes, .class_count = VARIANT_CLASS_COUNT,
                                   .memory_limit = 1u << 30};
    if (pool == NULL && (bp_pool_new(&config, &pool) != BP_OK || bp_heap_pool_new(0, &heap) != BP_OK)) {
        bench_fail("no pool");
    }
    if (variant == HEAP) return heap;
    return variant == INLINE || variant == CLASS || variant == PLAIN ? pool : NULL;
}

/* ---- the pool with two mutexes ---- */

static pthread_mutex_t budget_lock = PTHREAD_MUTEX_INITIALIZER, list_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t budget_used;
static node *mutex_lists[VARIANT_CLASS_COUNT];

void *mutex_get(uint32_t class_ix) {
    const uint32_t size = variant_classes[class_ix].size;
    pthread_mutex_lock(&budget_lock);
    const bool has_room = budget_used + size <= UINT64_C(1) << 30;
    if (has_room) budget_used += size;
    pthread_mutex_unlock(&budget_lock);
    if (!has_room) bench_fail("the pool with mutexes is at its limit");
    pthread_mutex_lock(&list_lock);
    node *n = mutex_lists[class_ix];
    if (n != NULL) mutex_lists[class_ix] = n->next;
    pthread_mutex_unlock(&list_lock);
    return n != NULL ? n : calloc(1, size);
}

void mutex_put(uint32_t class_ix, void *p) {
    const uint32_t size = variant_classes[class_ix].size;
    node *n = memset(p, 0, size);
    pthread_mutex_lock(&list_lock);
    n->next = mutex_lists[class_ix];
    mutex_lists[class_ix] = n;
    pthread_mutex_unlock(&list_lock);
    pthread_mutex_lock(&budget_lock);
    budget_used -= size;
    pthread_mutex_unlock(&budget_lock);
}
