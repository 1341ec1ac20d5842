#include "pool/pool_internal.h"

void bpi_sized_enter_all(bpi_sized *pool) {
    bpi_lock_enter(&bpi_registry);
    for (uint32_t i = 0; i < pool->class_count; i++) bpi_lock_enter(&pool->classes[i].lock);
}

void bpi_sized_leave_all(bpi_sized *pool) {
    uint64_t late = 0;
    for (uint32_t i = 0; i < pool->class_count; i++) {
        late += pool->classes[i].late;
        pool->classes[i].late = 0;
    }
    for (uint32_t i = pool->class_count; i-- > 0;) bpi_lock_leave(&pool->classes[i].lock);
    bpi_lock_leave(&bpi_registry);
    bpi_pool_drop_lives(&pool->head, late);
}

static uint64_t recall_locked(bpi_sized *pool) {
    uint64_t given = 0;
    bpi_seal(pool);
    for (uint32_t i = 0; i < pool->class_count; i++) given += bpi_depot_shrink(&pool->classes[i], 0);
    return given;
}

uint64_t bpi_sized_recall(bpi_sized *pool) {
    bpi_sized_enter_all(pool);
    const uint64_t given = recall_locked(pool);
    bpi_sized_leave_all(pool);
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
    for (uint32_t i = 0; i < sized->class_count; i++) given += trim_to_idle(&sized->classes[i]);
    return given;
}

/* From here on every buffer that is out keeps the pool by itself, and what comes back goes to the depot. */
void bpi_sized_close(bp_pool *pool) {
    bpi_sized *sized = bpi_sized_of(pool);
    bpi_sized_enter_all(sized);
    bpi_pool_end_inline(pool);
    (void)recall_locked(sized);
    for (uint32_t i = 0; i < sized->class_count; i++) {
        sized->classes[i].is_closed = true;
        bpi_pool_add_lives(pool, sized->classes[i].out);
    }
    bpi_sized_leave_all(sized);
}
