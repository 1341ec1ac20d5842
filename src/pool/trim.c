#include "pool/pool_internal.h"

uint64_t bpi_sized_recall_registered(bpi_sized *pool) {
    uint64_t given = 0;
    bpi_seal(pool);
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        bpi_lock_enter(&pool->classes[i]->lock);
        given += bpi_depot_shrink(pool->classes[i], 0);
        bpi_class_leave_unserved(pool->classes[i]);
    }
    return given;
}

uint64_t bpi_sized_recall(bpi_sized *pool) {
    bpi_lock_enter(&bpi_registry);
    const uint64_t given = bpi_sized_recall_registered(pool);
    bpi_lock_leave(&bpi_registry);
    bpi_queue_poke(&pool->queue);
    return given;
}

static uint64_t trim_to_idle(bpi_class *of) {
    const uint64_t two = UINT64_C(2) * of->stride;
    bpi_lock_enter(&of->lock);
    const uint64_t given = bpi_depot_shrink(of, of->idle_bytes < two ? two : of->idle_bytes);
    bpi_class_leave(of);
    return given;
}

uint64_t bpi_sized_trim(bp_pool *pool, bool keep_idle) {
    bpi_sized *sized = bpi_sized_of(pool);
    if (!keep_idle) return bpi_sized_recall(sized);
    uint64_t given = 0;
    for (uint32_t i = 0; i < bpi_class_count(sized); i++) given += trim_to_idle(sized->classes[i]);
    return given;
}

/* From here on every buffer that is out of the depot keeps the pool by itself, and none goes to a magazine any more. */
void bpi_sized_close(bp_pool *pool) {
    bpi_sized *sized = bpi_sized_of(pool);
    bpi_lock_enter(&bpi_registry);
    BPI_STORE_RELEASE(&pool->map, &bpi_empty_map);
    for (uint32_t i = 0; i < bpi_class_count(sized); i++) {
        bpi_class *of = sized->classes[i];
        bpi_lock_enter(&of->lock);
        of->is_closed = true;
        bpi_pool_add_lives(pool, of->out);
        bpi_class_leave_unserved(of);
    }
    (void)bpi_sized_recall_registered(sized);
    bpi_lock_leave(&bpi_registry);
    bpi_queue_close(&sized->queue);
}
