#include "pool/pool_internal.h"

typedef struct heap_pool {
    bp_pool head;
    bpi_budget budget;
    bpi_queue queue;
} heap_pool;

static heap_pool *heap_of(bp_pool *pool) { return (heap_pool *)(void *)pool; }

static bp_err heap_grant(bp_pool *pool, uint64_t size, bp_buf **out) {
    if (BPI_LOAD_ACQUIRE(&pool->is_closed) != 0) return BP_ERR_CLOSED;
    return bpi_exact_new(&heap_of(pool)->budget, pool, size, out);
}

static bp_err heap_force(bp_pool *pool, uint64_t size, bp_buf **out) {
    return bpi_exact_force(&heap_of(pool)->budget, pool, size, out);
}

/* A charge that was undone may have made somebody wait. */
static bp_err heap_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    heap_pool *heap = heap_of(pool);
    *out = NULL;
    if (bpi_exact_stride(&heap->budget, size) == 0) return BP_ERR_ARGUMENT;
    if (bpi_queue_is_waiting(&heap->queue)) return BP_ERR_LIMIT;
    const bp_err err = bpi_exact_new(&heap->budget, pool, size, out);
    if (err == BP_ERR_NO_MEMORY) bpi_queue_poke(&heap->queue);
    return err;
}

static bp_err heap_reserve(bp_pool *pool, bp_reservation *reservation) {
    heap_pool *heap = heap_of(pool);
    const bp_err err = heap_acquire(pool, reservation->size, &reservation->buf);
    return err == BP_ERR_LIMIT ? bpi_queue_wait(&heap->queue, reservation) : err;
}

static bool heap_cancel(bp_pool *pool, bp_reservation *reservation) {
    return bpi_queue_cancel(&heap_of(pool)->queue, reservation);
}

static void heap_release(bp_pool *pool, bp_buf *buf) {
    (void)bpi_exact_free(&heap_of(pool)->budget, buf);
    bpi_queue_poke(&heap_of(pool)->queue);
}

static void heap_close(bp_pool *pool) { bpi_queue_close(&heap_of(pool)->queue); }

static void heap_free(bp_pool *pool) {
    bpi_queue_fini(&heap_of(pool)->queue);
    bpi_os.free(pool);
}

static uint64_t heap_stride(const bp_pool *pool, uint64_t size) {
    return bpi_exact_stride(&((const heap_pool *)(const void *)pool)->budget, size);
}

/* An atomic counter costs as much as half a malloc, so that what is known otherwise has none: every committed byte is a
 * buffer's, and what keeps the pool is its buffers, its queue and, as one more, its references. */
static void heap_stats(bp_pool *pool, bp_pool_stats *out) {
    bpi_budget_stats(&heap_of(pool)->budget, out);
    const uint64_t others = bpi_queue_stats(&heap_of(pool)->queue, out) + (BPI_LOAD(&pool->references) != 0);
    out->name = "heap";
    out->exact_bytes = out->committed_bytes;
    out->exact_in_use = bpi_less(BPI_LOAD(&pool->lives), others + out->forced_in_use);
}

bool bpi_heap_is_valid(bp_pool *pool) {
    heap_pool *heap = heap_of(pool);
    const bpi_account *committed = &heap->budget.accounts[BPI_COMMITTED];
    const bp_reservation *head = heap->queue.waiters.head;
    if (head != NULL && sizeof(bp_buf) + head->size <= committed->limit - committed->used) return false;
    return bpi_queue_is_valid(&heap->queue) && bpi_budget_is_valid(&heap->budget);
}

const bp_pool_table bpi_heap_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = heap_acquire,
    .release = heap_release,
    .free = heap_free,
    .close = heap_close,
    .stride = heap_stride,
    .stats = heap_stats,
    .reserve = heap_reserve,
    .cancel = heap_cancel,
};

bp_err bpi_heap_pool_new(const bp_pool_config *config, uint64_t limit, bp_pool **out) {
    *out = NULL;
    heap_pool *pool = bpi_os.alloc(sizeof *pool);
    if (pool == NULL) return BP_ERR_NO_MEMORY;
    bpi_budget_init(&pool->budget, limit, config->forced_limit);
    bpi_queue_init(&pool->queue, &pool->head, heap_grant, heap_force, NULL);
    pool->queue.now_ms = config->now_ms;
    pool->queue.now_user = config->now_user;
    const bp_err err = bp_pool_init(&pool->head, &bpi_heap_table);
    if (err != BP_OK) {
        bpi_os.free(pool);
        return err;
    }
    *out = &pool->head;
    return BP_OK;
}

bp_err bp_heap_pool_new(uint64_t memory_limit, bp_pool **out) {
    const bp_pool_config config = {.memory_limit = memory_limit};
    return bpi_heap_pool_new(&config, memory_limit, out);
}
