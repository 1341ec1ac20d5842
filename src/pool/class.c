#include "pool/pool_internal.h"

/* ---- making and freeing ---- */

/* Buffers that begin at multiples of a page share few sets of every cache: their first lines push each other out. One
 * line more between large ones spreads them over all sets (0002, Measured). */
static uint32_t spacing_of(uint32_t stride) {
    const bool is_even = stride % (2 * BPI_CACHE_LINE) == 0;
    return stride >= BPI_COLOURED_MIN && is_even ? stride + BPI_CACHE_LINE : stride;
}

/* Buffers that fill an empty magazine: a quarter of what rests, within bounds. */
static uint32_t depth_of(uint32_t stride, uint64_t rest_bytes) {
    if (stride > BPI_MAGAZINE_STRIDE_MAX) return 0;
    const uint64_t depth = rest_bytes / 4 / stride;
    const uint32_t least = BPI_DEPTH_BYTES / stride < BPI_DEPTH_MIN ? BPI_DEPTH_BYTES / stride : BPI_DEPTH_MIN;
    if (depth < least) return least;
    return depth > BPI_DEPTH_MAX ? BPI_DEPTH_MAX : (uint32_t)depth;
}

static bool size_is_valid(const bpi_sized *pool, uint32_t size) {
    return size != 0 && size % 16 == 0 && size <= pool->budget.accounts[BPI_COMMITTED].limit / 4;
}

static void class_init(bpi_class *of, bpi_sized *pool, const bp_class *config) {
    const uint64_t two = UINT64_C(2) * config->size;
    bpi_lock_init(&of->lock);
    of->pool = pool;
    of->stride = config->size;
    of->cell = config->size;
    of->spacing = spacing_of(config->size);
    of->depth = depth_of(config->size, pool->rest_bytes);
    of->idle_bytes = config->idle_bytes;
    of->rest_bytes = pool->rest_bytes < two ? two : pool->rest_bytes;
    of->keep_count = bpi_class_rest_count(of);
    if (of->depth != 0 && pool->has_magazines) of->entry = bpi_offset_take();
}

bp_err bpi_class_new(bpi_sized *pool, const bp_class *config, bpi_class **out) {
    *out = NULL;
    if (!size_is_valid(pool, config->size)) return BP_ERR_ARGUMENT;
    bpi_class *of = bpi_os.alloc(sizeof *of);
    if (of == NULL) return BP_ERR_NO_MEMORY;
    class_init(of, pool, config);
    bp_err err = pool->is_hardened && !bpi_hardened_init(of) ? BP_ERR_NO_MEMORY : BP_OK;
    /* With small classes four of them fit where not even one slab does: such a class could never serve anything. */
    if (bpi_slab_least_bytes(of) > pool->budget.accounts[BPI_COMMITTED].limit) err = BP_ERR_ARGUMENT;
    if (err != BP_OK) {
        bpi_class_free(of);
        return err;
    }
    *out = of;
    return BP_OK;
}

/* A thread that ends may be about to leave the lock: it is taken once more. */
void bpi_class_free(bpi_class *of) {
    bpi_lock_enter(&of->lock);
    while (of->entries != NULL) bpi_entry_detach(of->entries);
    bpi_offset_give(of->entry);
    bpi_lock_leave(&of->lock);
    bpi_lock_fini(&of->lock);
    bpi_os.free(of->quarantine.slots);
    bpi_os.free(of);
}

bp_err bpi_classes_serve(bpi_sized *pool, uint64_t served) {
    bpi_sized_map *map = bpi_map_get(pool, served);
    if (map == NULL) return BP_ERR_NO_MEMORY;
    bpi_map_publish(pool, map);
    return BP_OK;
}

/* ---- classes that come and go; registry held ---- */

/* The index of the class of exactly this size, or class_count when the pool never had one. */
static uint32_t ix_of(const bpi_sized *pool, uint32_t size) {
    uint32_t ix = 0;
    while (ix < pool->class_count && pool->classes[ix]->stride != size) ix++;
    return ix;
}

static bool serves(const bpi_sized *pool, uint32_t ix) {
    return ix < pool->class_count && (pool->map->served >> ix & 1) != 0;
}

/* The class is not counted before it serves, so that a failure leaves nothing of it. */
static bp_err add_new(bpi_sized *pool, uint32_t ix, const bp_class *config) {
    if (ix == BP_CLASS_MAX) return BP_ERR_ARGUMENT;
    bp_err err = bpi_class_new(pool, config, &pool->classes[ix]);
    if (err != BP_OK) return err;
    bpi_sized_map *map = bpi_map_get(pool, pool->map->served | UINT64_C(1) << ix);
    if (map == NULL) {
        bpi_class_free(pool->classes[ix]);
        return BP_ERR_NO_MEMORY;
    }
    BPI_STORE_RELEASE(&pool->class_count, ix + 1);
    bpi_map_publish(pool, map);
    return BP_OK;
}

static bp_err add_again(bpi_sized *pool, uint32_t ix, const bp_class *config) {
    bpi_class *of = pool->classes[ix];
    bpi_sized_map *map = bpi_map_get(pool, pool->map->served | UINT64_C(1) << ix);
    if (map == NULL) return BP_ERR_NO_MEMORY;
    bpi_lock_enter(&of->lock);
    of->is_removed = false;
    of->idle_bytes = config->idle_bytes;
    bpi_lock_leave(&of->lock);
    bpi_map_publish(pool, map);
    return BP_OK;
}

/* Who looks the size up again because it finds the class removed sees the new map: it is published before. */
static bp_err remove_one(bpi_sized *pool, uint32_t ix) {
    bpi_class *of = pool->classes[ix];
    const bp_err err = bpi_classes_serve(pool, pool->map->served & ~(UINT64_C(1) << ix));
    if (err != BP_OK) return err;
    bpi_lock_enter(&of->lock);
    of->is_removed = true;
    bpi_lock_leave(&of->lock);
    bpi_seal_class(of);
    bpi_lock_enter(&of->lock);
    (void)bpi_depot_shrink(of, 0);
    bpi_class_leave_unserved(of);
    return BP_OK;
}

bp_err bpi_sized_class_add(bp_pool *pool, const bp_class *config) {
    bpi_sized *sized = bpi_sized_of(pool);
    bpi_lock_enter(&bpi_registry);
    const uint32_t ix = ix_of(sized, config->size);
    bp_err err = BP_ERR_ARGUMENT;
    if (BPI_LOAD_ACQUIRE(&pool->is_closed) != 0) {
        err = BP_ERR_CLOSED;
    } else if (!serves(sized, ix)) {
        err = ix == sized->class_count ? add_new(sized, ix, config) : add_again(sized, ix, config);
    }
    bpi_lock_leave(&bpi_registry);
    bpi_queue_poke(&sized->queue);
    return err;
}

bp_err bpi_sized_class_remove(bp_pool *pool, uint32_t size) {
    bpi_sized *sized = bpi_sized_of(pool);
    bpi_lock_enter(&bpi_registry);
    const uint32_t ix = ix_of(sized, size);
    bp_err err = BP_ERR_ARGUMENT;
    if (BPI_LOAD_ACQUIRE(&pool->is_closed) != 0) {
        err = BP_ERR_CLOSED;
    } else if (serves(sized, ix)) {
        err = remove_one(sized, ix);
    }
    bpi_lock_leave(&bpi_registry);
    bpi_queue_poke(&sized->queue);
    return err;
}
