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

/* The calling thread is not inside an operation on its own magazines, so that their slots can go as well, and no
 * barrier is needed. The caller recalls afterwards, which gives back what this put into the depots, and serves. */
static void detach_own(bpi_sized *pool) {
    bpi_lock_enter(&bpi_registry);
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        bpi_class *of = pool->classes[i];
        bpi_entry *entry = bpi_entry_at(of->entry);
        bpi_lock_enter(&of->lock);
        if (entry->owner == of) bpi_entry_detach(entry);
        bpi_class_leave_unserved(of);
    }
    bpi_lock_leave(&bpi_registry);
}

static uint64_t trim_to_idle(bpi_class *of) {
    bpi_lock_enter(&of->lock);
    const uint64_t given = bpi_depot_shrink(of, bpi_class_idle_bytes(of));
    bpi_class_leave(of);
    return given;
}

uint64_t bpi_sized_trim(bp_pool *pool, bool keep_idle) {
    bpi_sized *sized = bpi_sized_of(pool);
    uint64_t given = 0;
    if (!keep_idle) {
        detach_own(sized);
        return bpi_sized_recall(sized);
    }
    for (uint32_t i = 0; i < bpi_class_count(sized); i++) given += trim_to_idle(sized->classes[i]);
    return given;
}

/* From here on every buffer that is out of the depot keeps the pool by itself, and none goes to a magazine any more. */
void bpi_sized_close(bp_pool *pool) {
    bpi_sized *sized = bpi_sized_of(pool);
    bpi_lock_enter(&bpi_registry);
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
