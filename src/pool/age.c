#include "pool/pool_internal.h"

/* One thread in each period finds it over. While anybody waits nothing rests. */
static bool is_due(bpi_sized *pool) {
    if (pool->idle_ms == 0 || bpi_queue_is_waiting(&pool->queue)) return false;
    const uint64_t now = pool->queue.now_ms(pool->queue.now_user);
    uint64_t last = BPI_LOAD(&pool->aged_ms);
    return now > last && now - last >= pool->idle_ms && BPI_CAS_WEAK(&pool->aged_ms, &last, now, __ATOMIC_RELAXED);
}

/* Sealed after the look, so that what rests with idle threads has rested in the depot all the time at the next one. */
void bpi_age_look(bpi_sized *pool) {
    if (!is_due(pool)) return;
    bpi_lock_enter(&bpi_registry);
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        bpi_lock_enter(&pool->classes[i]->lock);
        bpi_depot_age(pool->classes[i]);
        bpi_class_leave_unserved(pool->classes[i]);
    }
    bpi_seal(pool);
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        bpi_lock_enter(&pool->classes[i]->lock);
        pool->classes[i]->aged_count = pool->classes[i]->depot_count;
        bpi_class_leave_unserved(pool->classes[i]);
    }
    bpi_lock_leave(&bpi_registry);
    bpi_queue_poke(&pool->queue);
}
