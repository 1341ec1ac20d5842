#include "pool/pool_internal.h"

/* The pool of every wrapped buffer has no memory of its own: it gives none, and its first reference is never given
 * back, so that it is never freed. */

static bp_err wrap_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    (void)pool, (void)size;
    *out = NULL;
    return BP_ERR_ARGUMENT;
}

/* Nothing of the wrap is touched after the call: it may be freed there, or hold another buffer by then. */
static void wrap_release(bp_pool *pool, bp_buf *buf) {
    bp_wrap *wrap = (bp_wrap *)(void *)buf;
    (void)pool;
    if (wrap->on_release != NULL) wrap->on_release(wrap, buf->data, wrap->user);
}

static void wrap_free(bp_pool *pool) { (void)pool; }

static uint64_t wrap_stride(const bp_pool *pool, uint64_t size) {
    (void)pool, (void)size;
    return 0;
}

static void wrap_stats(bp_pool *pool, bp_pool_stats *out) {
    out->name = "wrapped";
    out->exact_in_use = BPI_LOAD(&pool->lives) - 1;
}

static const bp_pool_table wrap_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = wrap_acquire,
    .release = wrap_release,
    .free = wrap_free,
    .stride = wrap_stride,
    .stats = wrap_stats,
};

static bp_pool wrap_pool = {
    .table = &wrap_table,
    .map = &bpi_empty_map,
    .references = 1,
    .lives = 1,
};

bp_buf *bp_buf_wrap(bp_wrap *wrap, uint8_t *data, uint32_t length, bp_wrap_fn *on_release, void *user) {
    bp_buf_init(&wrap->buf, &wrap_pool, data, length);
    bp_buf_set_length(&wrap->buf, length);
    wrap->on_release = on_release;
    wrap->user = user;
    return &wrap->buf;
}
