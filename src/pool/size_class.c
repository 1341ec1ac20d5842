#include "pool/pool_internal.h"
#include "base/poison.h"

#include <string.h>

/* ---- classes ---- */

bpi_class *bpi_class_of_size(const bpi_sized *pool, uint64_t size) {
    return bpi_map_find(BPI_LOAD_ACQUIRE(&pool->map), size);
}

void bpi_class_leave_unserved(bpi_class *of) {
    bp_pool *pool = &of->pool->head;
    const uint64_t late = of->late;
    of->late = 0;
    of->has_freed = false;
    bpi_lock_leave(&of->lock);
    bpi_pool_drop_lives(pool, late);
}

/* Whether somebody waits is looked at before the lock goes: the first one who waits visits every class, so that it
 * either finds what came free here or is seen. */
void bpi_class_leave(bpi_class *of) {
    bpi_sized *pool = of->pool;
    const bool serves = of->has_freed && bpi_queue_is_waiting(&pool->queue);
    if (serves) bpi_pool_add_lives(&pool->head, 1); /* a buffer that came back keeps it no more */
    bpi_class_leave_unserved(of);
    if (!serves) return;
    bpi_queue_serve(&pool->queue);
    bpi_pool_drop_lives(&pool->head, 1);
}

/* ---- acquire ---- */

/* Which class a pop was tried in: not the one of the size where a larger one was asked for by its index, or where the
 * classes changed meanwhile. A class keeps its entry. */
static bpi_class *class_of_claim(const bpi_sized *pool, const bpi_entry *claimed, uint64_t size) {
    const ptrdiff_t offset = (const char *)claimed - bpi_thread_block;
    bpi_class *of = bpi_class_of_size(pool, size);
    if (of != NULL && of->entry == offset) return of;
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        if (pool->classes[i]->entry == offset) return pool->classes[i];
    }
    return of;
}

/* From the owner's magazine, filled if need be, or from the depot: NULL when the depot is empty too. */
static bp_buf *take_from(bpi_class *of, bpi_entry *entry) {
    bp_buf *buf = NULL;
    if (entry != NULL && bpi_entry_open(entry, of)) {
        if (bpi_entry_stock(entry) == 0) bpi_entry_refill(entry);
        if (!bpi_entry_pop(entry, &buf)) (void)bpi_entry_settle(entry, true);
    } else if (bpi_depot_take(of, &buf, 1) == 1) {
        of->acquires++;
    }
    return buf;
}

/* From what there is, or from a new slab. */
static bp_err take_or_grow(bpi_class *of, bpi_entry *entry, bp_buf **out) {
    *out = take_from(of, entry);
    if (*out == NULL) {
        const bp_err err = bpi_depot_grow(of);
        if (err != BP_OK) return err;
        of->misses++;
        *out = take_from(of, entry);
    }
    return BP_OK;
}

/* One attempt, under the class's lock. Nobody overtakes those who wait. BP_MORE: the class was removed, and another one
 * may serve the size. */
static bp_err try_acquire(bpi_class *of, bpi_entry *entry, bp_buf **out) {
    if (of->is_closed) return BP_ERR_CLOSED;
    if (of->is_removed) return BP_MORE;
    if (bpi_queue_is_waiting(&of->pool->queue)) return BP_ERR_LIMIT;
    bpi_depot_look(of);
    return take_or_grow(of, entry, out);
}

static bp_err acquire_locked(bpi_class *of, bpi_entry *entry, bool is_claimed, bp_buf **out) {
    bpi_lock_enter(&of->lock);
    *out = entry == NULL ? NULL : bpi_entry_settle(entry, is_claimed);
    const bp_err err = *out != NULL ? BP_OK : try_acquire(of, entry, out);
    if (err == BP_OK) of->slow++;
    bpi_class_leave(of);
    return err;
}

static void hand_out(bpi_sized *pool, bp_buf *buf, uint32_t size) {
    if (pool->is_hardened) bpi_hardened_hand_out(bpi_buf_slab(buf)->owner, buf, size);
    if (pool->is_watched) BPI_UNPOISON(buf->data, size);
    bpi_buf_hand_out(buf, size, 1 | bpi_buf_flags(pool));
}

/* A watched pool has nothing inline, but the same magazines. */
static bool pop_watched(bpi_sized *pool, bpi_entry *entry, bool *is_claimed, bp_buf **out) {
    if (!pool->is_watched || entry == NULL || *is_claimed || BPI_LOAD(&pool->head.is_closed) != 0) return false;
    *is_claimed = !bpi_entry_pop(entry, out);
    return !*is_claimed;
}

/* Takes what nobody uses away from everybody when there is no memory left, and tries once more. */
static bp_err acquire_recalling(bpi_class *of, bpi_entry *entry, bool is_claimed, bp_buf **out) {
    const bp_err err = acquire_locked(of, entry, is_claimed, out);
    if (err != BP_ERR_LIMIT && err != BP_ERR_NO_MEMORY) return err;
    if (bpi_queue_is_waiting(&of->pool->queue)) return err;
    BPI_STORE(&of->pool->is_tight, 1);
    (void)bpi_sized_recall(of->pool);
    return acquire_locked(of, entry, false, out);
}

static bp_err new_exact(bpi_sized *pool, uint64_t size, bp_buf **out) {
    const bp_err err = bpi_exact_new(&pool->budget, &pool->head, size, out);
    if (err != BP_OK) return err;
    (void)BPI_FETCH_ADD(&pool->budget.exact_in_use, 1, __ATOMIC_RELAXED);
    (void)BPI_FETCH_ADD(&pool->budget.exact_bytes, sizeof(bp_buf) + size, __ATOMIC_RELAXED);
    return BP_OK;
}

static bool is_never_given(const bpi_sized *pool, uint64_t size) {
    if (pool->exact_size_limit != 0 && size > pool->exact_size_limit) return true;
    return bpi_exact_stride(&pool->budget, size) == 0;
}

/* The recall also serves those whom a charge that was undone made wait. Where it finds nothing, somebody else may just
 * have taken back what there was. */
static bp_err acquire_exact(bpi_sized *pool, uint64_t size, bp_buf **out) {
    if (is_never_given(pool, size)) return BP_ERR_ARGUMENT;
    if (bpi_queue_is_waiting(&pool->queue)) return BP_ERR_LIMIT;
    const bp_err err = new_exact(pool, size, out);
    if (err != BP_ERR_LIMIT && err != BP_ERR_NO_MEMORY) return err;
    (void)bpi_sized_recall(pool);
    if (bpi_queue_is_waiting(&pool->queue)) return err;
    const bp_err again = new_exact(pool, size, out);
    if (again != BP_OK) bpi_queue_poke(&pool->queue);
    return again;
}

static bp_err acquire_in(bpi_class *of, uint64_t size, const bpi_entry *claimed, bp_buf **out) {
    bpi_entry *entry = bpi_own_entry(of->entry);
    bool is_claimed = claimed != NULL && claimed == entry;
    bp_buf *buf = NULL;
    bp_err err = BP_OK;
    if (!pop_watched(of->pool, entry, &is_claimed, &buf)) err = acquire_recalling(of, entry, is_claimed, &buf);
    if (err == BP_OK) hand_out(of->pool, buf, (uint32_t)size);
    *out = buf;
    return err;
}

static bp_err acquire_any(bpi_sized *pool, uint64_t size, const bpi_entry *claimed, bp_buf **out) {
    bpi_class *of = claimed == NULL ? bpi_class_of_size(pool, size) : class_of_claim(pool, claimed, size);
    while (of != NULL) {
        const bp_err err = acquire_in(of, size, claimed, out);
        if (err != BP_MORE) return err;
        claimed = NULL;
        of = bpi_class_of_size(pool, size);
    }
    return acquire_exact(pool, size, out);
}

/* The claim must be settled before the look, which may call those who wait, who may call the pool. */
bp_err bpi_sized_acquire(bpi_sized *pool, uint64_t size, bpi_entry *claimed, bp_buf **out) {
    const bp_err err = acquire_any(pool, size, claimed, out);
    bpi_age_look(pool);
    return err;
}

/* ---- for those who wait: no recall, no magazine, and the queue is not in their way ---- */

bp_err bpi_class_grant(bpi_class *of, uint32_t size, bp_buf **out) {
    bp_err err = BP_MORE;
    bpi_lock_enter(&of->lock);
    if (!of->is_removed) err = of->is_closed ? BP_ERR_CLOSED : take_or_grow(of, NULL, out);
    if (err == BP_OK) of->slow++;
    bpi_class_leave_unserved(of);
    if (err == BP_OK) hand_out(of->pool, *out, size);
    return err;
}

bp_err bpi_sized_grant_exact(bpi_sized *pool, uint64_t size, bp_buf **out) {
    if (BPI_LOAD_ACQUIRE(&pool->head.is_closed) != 0) return BP_ERR_CLOSED;
    return is_never_given(pool, size) ? BP_ERR_ARGUMENT : new_exact(pool, size, out);
}

/* ---- release ---- */

static void release_locked(bpi_class *of, bpi_entry *entry, bp_buf *buf) {
    bpi_lock_enter(&of->lock);
    bpi_depot_look(of);
    if (entry != NULL) (void)bpi_entry_settle(entry, false);
    if (entry != NULL && bpi_entry_open(entry, of)) {
        if (bpi_entry_stock(entry) == bpi_slot_count(of)) bpi_entry_flush(entry);
        (void)bpi_entry_push(entry, buf, BPI_LOAD(&buf->state));
    } else {
        bpi_depot_put(of, &buf, 1);
    }
    bpi_class_leave(of);
}

void bpi_sized_count_wiped(const bp_buf *buf) {
    (void)BPI_FETCH_ADD(&bpi_buf_slab(buf)->owner->wiped, 1, __ATOMIC_RELAXED);
}

void bpi_sized_release(bp_buf *buf) {
    bpi_class *of = bpi_buf_slab(buf)->owner;
    const uint32_t free_state = BPI_LOAD(&buf->state) & ~BPI_BUF_REFS;
    bpi_entry *entry = bpi_own_entry(of->entry);
    bpi_age_look(of->pool);
    if (of->pool->is_hardened) {
        bpi_hardened_rest(of, buf);
        return;
    }
    if (of->pool->is_watched) BPI_POISON(buf->data, of->stride);
    if (of->pool->is_watched && entry != NULL) {
        const bpi_push outcome = bpi_entry_push(entry, buf, free_state);
        if (outcome == BPI_PUSH_RECALLED) bpi_release_recalled(entry, buf);
        if (outcome != BPI_PUSH_FULL) return;
    }
    BPI_STORE(&buf->state, free_state);
    release_locked(of, entry, buf);
}

/* The registry is taken, not the class's lock: if buf was drained, nothing of ours keeps the pool any more. */
void bpi_release_recalled(bpi_entry *entry, bp_buf *buf) {
    bpi_lock_enter(&bpi_registry);
    const intptr_t top = BPI_LOAD(&entry->top);
    const bool has_owner = BPI_LOAD(&entry->owner) != NULL;
    const bool is_taken = !has_owner || entry->seal_top == top;
    if (has_owner && entry->seal_top != 0) {
        BPI_STORE(&entry->top, (intptr_t)entry->slots->slot); /* no claim from here on is at seal_top, which L guards */
    } else if (has_owner) {
        BPI_STORE(&entry->top, top - (intptr_t)sizeof(bp_buf *)); /* nobody took the stock: only ours leaves it */
    }
    bpi_lock_leave(&bpi_registry);
    if (!is_taken) release_locked(bpi_buf_slab(buf)->owner, entry, buf);
}

/* ---- making and freeing ---- */

/* Only exact allocations come back this way. */
static void sized_release(bp_pool *pool, bp_buf *buf) {
    bpi_budget *budget = &bpi_sized_of(pool)->budget;
    const uint64_t bytes = bpi_exact_free(budget, buf);
    if (bytes != 0) (void)BPI_FETCH_SUB(&budget->exact_in_use, 1, __ATOMIC_RELAXED);
    (void)BPI_FETCH_SUB(&budget->exact_bytes, bytes, __ATOMIC_RELAXED);
    bpi_queue_poke(&bpi_sized_of(pool)->queue);
}

static bp_err sized_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    return bpi_sized_acquire(bpi_sized_of(pool), size, NULL, out);
}

static uint64_t sized_stride(const bp_pool *pool, uint64_t size) {
    const bpi_sized *sized = (const bpi_sized *)(const void *)pool;
    const bpi_class *of = bpi_class_of_size(sized, size);
    if (of != NULL) return of->stride;
    if (sized->exact_size_limit != 0 && size > sized->exact_size_limit) return 0;
    return bpi_exact_stride(&sized->budget, size);
}

/* Nothing is out any more, and every entry was sealed when the pool was closed. */
static void sized_free(bp_pool *pool) {
    bpi_sized *sized = bpi_sized_of(pool);
    bpi_lock_enter(&bpi_registry);
    for (uint32_t i = 0; i < sized->class_count; i++) bpi_class_free(sized->classes[i]);
    bpi_lock_leave(&bpi_registry);
    bpi_queue_fini(&sized->queue);
    bpi_maps_free(sized);
    bpi_os.free(sized->name);
    bpi_os.free(sized);
}

const bp_pool_table bpi_sized_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = sized_acquire,
    .release = sized_release,
    .free = sized_free,
    .close = bpi_sized_close,
    .trim = bpi_sized_trim,
    .stride = sized_stride,
    .stats = bpi_sized_stats,
    .class_stats = bpi_sized_class_stats,
    .reserve = bpi_sized_reserve,
    .cancel = bpi_sized_cancel,
    .class_add = bpi_sized_class_add,
    .class_remove = bpi_sized_class_remove,
};

static bool config_is_valid(const bp_pool_config *config) {
    if (config->classes == NULL || config->class_count == 0 || config->class_count > BP_CLASS_MAX) return false;
    for (uint32_t i = 1; i < config->class_count; i++) {
        if (config->classes[i].size <= config->classes[i - 1].size) return false;
    }
    return true;
}

static char *copy_name(const char *name) {
    const size_t size = strlen(name) + 1;
    char *copy = bpi_os.alloc(size);
    if (copy != NULL) memcpy(copy, name, size);
    return copy;
}

static bp_err make_classes(bpi_sized *pool, const bp_pool_config *config) {
    bp_err err = BP_OK;
    bpi_lock_enter(&bpi_registry);
    for (uint32_t i = 0; i < config->class_count && err == BP_OK; i++) {
        err = bpi_class_new(pool, &config->classes[i], &pool->classes[i]);
        if (err == BP_OK) pool->class_count = i + 1;
    }
    if (err == BP_OK) err = bpi_classes_serve(pool, UINT64_MAX >> (64 - config->class_count));
    bpi_lock_leave(&bpi_registry);
    return err;
}

static void configure(bpi_sized *pool, const bp_pool_config *config, uint64_t limit) {
    bpi_budget_init(&pool->budget, limit, config->forced_limit);
    bpi_queue_init(&pool->queue, &pool->head, bpi_sized_grant, bpi_sized_force, bpi_sized_press);
    pool->queue.now_ms = config->now_ms;
    pool->queue.now_user = config->now_user;
    pool->idle_ms = config->now_ms == NULL ? 0 : config->idle_ms;
    if (pool->idle_ms != 0) pool->aged_ms = config->now_ms(config->now_user);
    pool->is_watched = BPI_IS_WATCHED();
    pool->is_hardened = config->is_hardened;
    if (pool->is_hardened) bpi_misuse_be_strict();
    pool->has_magazines = !pool->is_hardened && bpi_os.barrier();
    pool->rest_bytes = config->rest_bytes == 0 ? BPI_REST_BYTES : config->rest_bytes;
    pool->exact_size_limit = config->exact_size_limit;
}

bp_err bp_pool_new(const bp_pool_config *config, bp_pool **out) {
    uint64_t limit = 0;
    *out = NULL;
    if (!config_is_valid(config) || bpi_limit_of(config, &limit) != BP_OK) return BP_ERR_ARGUMENT;
    bpi_sized *pool = bpi_os.alloc(sizeof *pool);
    if (pool == NULL) return BP_ERR_NO_MEMORY;
    bp_err err = bp_pool_init(&pool->head, &bpi_sized_table);
    configure(pool, config, limit);
    pool->name = copy_name(config->name == NULL ? "pool" : config->name);
    if (err == BP_OK) err = pool->name == NULL ? BP_ERR_NO_MEMORY : make_classes(pool, config);
    if (err != BP_OK) {
        sized_free(&pool->head);
        return err;
    }
    *out = &pool->head;
    return BP_OK;
}
