#include "pool/pool_internal.h"

typedef struct heap_pool {
    bp_pool head;
    bpi_budget budget;
} heap_pool;

static heap_pool *heap_of(bp_pool *pool) { return (heap_pool *)(void *)pool; }

static bp_err heap_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    return bpi_exact_new(&heap_of(pool)->budget, pool, size, out);
}

static void heap_release(bp_pool *pool, bp_buf *buf) { (void)bpi_exact_free(&heap_of(pool)->budget, buf); }

static void heap_free(bp_pool *pool) { bpi_os.free(pool); }

static uint64_t heap_stride(const bp_pool *pool, uint64_t size) {
    return bpi_exact_stride(&((const heap_pool *)(const void *)pool)->budget, size);
}

/* An atomic counter costs as much as half a malloc, so that what is known otherwise has none: every committed byte is a
 * buffer's, and what keeps the pool is its buffers and, as one more, its references. */
static void heap_stats(bp_pool *pool, bp_pool_stats *out) {
    bpi_budget_stats(&heap_of(pool)->budget, out);
    out->name = "heap";
    out->exact_bytes = out->committed_bytes;
    out->exact_in_use = BPI_LOAD(&pool->lives) - (BPI_LOAD(&pool->references) != 0);
}

static const bp_pool_table heap_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = heap_acquire,
    .release = heap_release,
    .free = heap_free,
    .stride = heap_stride,
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
