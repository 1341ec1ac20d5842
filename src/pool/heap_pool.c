#include "pool/pool_internal.h"

typedef struct heap_pool {
    bp_pool head;
    bpi_budget budget;
} heap_pool;

static heap_pool *heap_of(bp_pool *pool) { return (heap_pool *)(void *)pool; }

static bp_err heap_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    return bpi_exact_new(&heap_of(pool)->budget, pool, size, out);
}

static void heap_release(bp_pool *pool, bp_buf *buf) { bpi_exact_free(&heap_of(pool)->budget, buf); }

static void heap_free(bp_pool *pool) { bpi_os.free(pool); }

static void heap_stats(bp_pool *pool, bp_pool_stats *out) {
    bpi_budget_stats(&heap_of(pool)->budget, out);
    out->name = "heap";
}

static const bp_pool_table heap_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = heap_acquire,
    .release = heap_release,
    .free = heap_free,
    .stats = heap_stats,
};

bp_err bp_heap_pool_new(uint64_t memory_limit, bp_pool **out) {
    *out = NULL;
    heap_pool *pool = bpi_os.alloc(sizeof *pool);
    if (pool == NULL) return BP_ERR_NO_MEMORY;
    bpi_budget_init(&pool->budget, memory_limit);
    const bp_err err = bp_pool_init(&pool->head, &heap_table);
    if (err != BP_OK) {
        bpi_os.free(pool);
        return err;
    }
    *out = &pool->head;
    return BP_OK;
}
