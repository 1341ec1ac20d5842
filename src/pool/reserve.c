#include "pool/pool_internal.h"

/* Names the class whose free slabs stay, and gives back those of the one that was named before: releases into it that
 * came earlier left them there, and later ones see the new name. */
static void want(bpi_sized *pool, bpi_class *of) {
    bpi_class *before = BPI_LOAD(&pool->wanted);
    if (before == of) return;
    BPI_STORE(&pool->wanted, of);
    if (before == NULL) return;
    bpi_lock_enter(&before->lock);
    (void)bpi_depot_shrink(before, 0);
    bpi_class_leave_unserved(before);
}

bp_err bpi_sized_grant(bp_pool *pool, uint64_t size, bp_buf **out) {
    bpi_sized *sized = bpi_sized_of(pool);
    bp_err err = BP_MORE;
    while (err == BP_MORE) { /* again when the class was removed meanwhile */
        bpi_class *of = bpi_class_of_size(sized, size);
        want(sized, of);
        err = of == NULL ? bpi_sized_grant_exact(sized, size, out) : bpi_class_grant(of, (uint32_t)size, out);
    }
    return err;
}

bp_err bpi_sized_force(bp_pool *pool, uint64_t size, bp_buf **out) {
    return bpi_exact_force(&bpi_sized_of(pool)->budget, pool, size, out);
}

void bpi_sized_press(bp_pool *pool) {
    bpi_sized *sized = bpi_sized_of(pool);
    BPI_STORE(&sized->is_tight, 1);
    (void)bpi_sized_recall_registered(sized);
}

bp_err bpi_sized_reserve(bp_pool *pool, bp_reservation *reservation) {
    bpi_sized *sized = bpi_sized_of(pool);
    const bp_err err = bp_pool_acquire(pool, reservation->size, &reservation->buf);
    return err == BP_ERR_LIMIT ? bpi_queue_wait(&sized->queue, reservation) : err;
}

bool bpi_sized_cancel(bp_pool *pool, bp_reservation *reservation) {
    return bpi_queue_cancel(&bpi_sized_of(pool)->queue, reservation);
}
