#include "pool/pool_internal.h"
#include "base/wipe.h"

#include <string.h>

/* A slot that the implementer's version of the table has, or NULL. */
#define SLOT(pool, slot)                                                                                               \
    ((pool)->table->table_bytes >= offsetof(bp_pool_table, slot) + sizeof((pool)->table->slot) ? (pool)->table->slot   \
                                                                                               : NULL)

/* ---- life ---- */

bp_err bp_pool_init(bp_pool *pool, const bp_pool_table *table) {
    if (table->table_bytes < offsetof(bp_pool_table, close) || table->acquire == NULL || table->release == NULL ||
        table->free == NULL) {
        return BP_ERR_ARGUMENT;
    }
    memset(pool, 0, sizeof *pool);
    pool->table = table;
    pool->lives = 1;
    pool->references = 1;
    pool->map = &bpi_empty_map;
    return BP_OK;
}

void bpi_pool_add_lives(bp_pool *pool, uint64_t count) {
    (void)BPI_FETCH_ADD(&pool->lives, count, __ATOMIC_RELAXED);
}

void bpi_pool_drop_lives(bp_pool *pool, uint64_t count) {
    if (count == 0) return;
    if (BPI_SUB_FETCH(&pool->lives, count, __ATOMIC_ACQ_REL) == 0) pool->table->free(pool);
}

bp_pool *bp_pool_retain(bp_pool *pool) {
    (void)BPI_FETCH_ADD(&pool->references, 1, __ATOMIC_RELAXED);
    return pool;
}

void bp_pool_release_take(bp_pool **pool) {
    bp_pool *taken = *pool;
    *pool = NULL;
    if (taken == NULL || BPI_SUB_FETCH(&taken->references, 1, __ATOMIC_ACQ_REL) != 0) return;
    bp_pool_close(taken);
    bpi_pool_drop_lives(taken, 1);
}

/* Whoever sees is_closed also sees the empty map: once an acquire was refused, none is served inline. The lock keeps
 * class_add and class_remove from publishing another map behind. */
static bool begin_to_close(bp_pool *pool) {
    bpi_lock_enter(&bpi_registry);
    BPI_STORE_RELEASE(&pool->map, &bpi_empty_map);
    const bool is_first = BPI_EXCHANGE(&pool->is_closed, 1, __ATOMIC_ACQ_REL) == 0;
    bpi_lock_leave(&bpi_registry);
    return is_first;
}

void bp_pool_close(bp_pool *pool) {
    if (begin_to_close(pool) && SLOT(pool, close) != NULL) pool->table->close(pool);
}

/* ---- dispatch ---- */

uint64_t bp_pool_trim(bp_pool *pool, bool keep_idle) {
    return SLOT(pool, trim) == NULL ? 0 : pool->table->trim(pool, keep_idle);
}

uint64_t bp_pool_stride(const bp_pool *pool, uint64_t size) {
    if (size == 0) return 0;
    if (SLOT(pool, stride) != NULL) return pool->table->stride(pool, size);
    return size <= UINT32_MAX ? size : 0; /* more than a capacity can say */
}

bp_err bp_pool_class_add(bp_pool *pool, const bp_class *added) {
    return SLOT(pool, class_add) == NULL ? BP_ERR_ARGUMENT : pool->table->class_add(pool, added);
}

bp_err bp_pool_class_remove(bp_pool *pool, uint32_t size) {
    return SLOT(pool, class_remove) == NULL ? BP_ERR_ARGUMENT : pool->table->class_remove(pool, size);
}

void bp_pool_stats_read(bp_pool *pool, bp_pool_stats *out) {
    memset(out, 0, sizeof *out);
    out->name = "";
    if (SLOT(pool, stats) != NULL) pool->table->stats(pool, out);
}

bp_err bp_pool_class_stats_read(bp_pool *pool, uint32_t class_ix, bp_class_stats *out) {
    memset(out, 0, sizeof *out);
    return SLOT(pool, class_stats) == NULL ? BP_ERR_ARGUMENT : pool->table->class_stats(pool, class_ix, out);
}

/* A claim in entry 0 says that the pool's map names nothing for that size: it may be a user's own pool. */
bp_err bpi_acquire_slow(bp_pool *pool, uint64_t size, bpi_entry *claimed, bp_buf **out) {
    *out = NULL;
    if (claimed != bpi_entry_at(0)) return bpi_sized_acquire(bpi_sized_of(pool), size, claimed, out);
    if (size == 0) return BP_ERR_ARGUMENT;
    if (BPI_LOAD_ACQUIRE(&pool->is_closed) != 0) return BP_ERR_CLOSED;
    return pool->table->acquire(pool, size, out);
}

/* Whoever waits may be told before this returns: from BP_PENDING on the reservation is not ours to write. */
bp_err bp_pool_reserve(bp_pool *pool, bp_reservation *reservation) {
    bp_err err;
    if (reservation->size == 0 || reservation->on_done == NULL || reservation->detail.queue != NULL) {
        return BP_ERR_ARGUMENT;
    }
    reservation->buf = NULL;
    if (BPI_LOAD_ACQUIRE(&pool->is_closed) != 0) {
        err = BP_ERR_CLOSED;
    } else if (SLOT(pool, reserve) == NULL) {
        err = pool->table->acquire(pool, reservation->size, &reservation->buf);
    } else {
        err = pool->table->reserve(pool, reservation);
    }
    if (err != BP_PENDING) reservation->err = err;
    return err;
}

bool bp_pool_cancel(bp_pool *pool, bp_reservation *reservation) {
    return SLOT(pool, cancel) != NULL && pool->table->cancel(pool, reservation);
}

/* The last reference to a buffer that is not from a slab. */
static void release_counted(bp_buf *buf) {
    bp_pool *pool = buf->pool;
    pool->table->release(pool, buf);
    bpi_pool_drop_lives(pool, 1);
}

/* Nobody else holds the buffer any more. */
static void wipe(bp_buf *buf) {
    bpi_wipe(buf->data, buf->capacity);
    if ((BPI_LOAD(&buf->state) & BPI_BUF_COUNTED) == 0) bpi_sized_count_wiped(buf);
}

/* Gives up one reference. True: it was the last, and nobody else holds the buffer. */
static bool drop_reference(bp_buf *buf) {
    const uint32_t state = BPI_LOAD_ACQUIRE(&buf->state), references = state & BPI_BUF_REFS;
    if ((state & BPI_BUF_HARDENED) != 0) return bpi_hardened_drop(buf);
    if (references == 1) return true;
    if (references == 0) bpi_misuse(BP_MISUSE_DOUBLE_RELEASE, buf);
    if (references == 0 || references > BPI_BUF_REFS_MAX) return false;
    return (BPI_SUB_FETCH(&buf->state, 1, __ATOMIC_ACQ_REL) & BPI_BUF_REFS) == 0;
}

void bpi_release_slow(bp_buf *buf) {
    if (!drop_reference(buf)) return;
    const uint32_t state = BPI_LOAD(&buf->state);
    if ((state & BPI_BUF_SENSITIVE) != 0) wipe(buf);
    if ((state & BPI_BUF_COUNTED) != 0) {
        BPI_STORE(&buf->state, state & ~(BPI_BUF_REFS | BPI_BUF_SENSITIVE));
        release_counted(buf);
    } else {
        bpi_sized_release(buf);
    }
}

/* ---- buffers ---- */

void bp_buf_init(bp_buf *buf, bp_pool *pool, uint8_t *data, uint32_t capacity) {
    memset(buf, 0, sizeof *buf);
    buf->data = data;
    buf->pool = pool;
    bpi_buf_hand_out(buf, capacity, BPI_BUF_COUNTED | 1);
    bpi_pool_add_lives(pool, 1);
}

void bp_buf_set_sensitive(bp_buf *buf) {
    if ((BPI_LOAD_ACQUIRE(&buf->state) & BPI_BUF_REFS) == 0) {
        bpi_misuse(BP_MISUSE_RETAIN_FREE, buf);
        return;
    }
    (void)BPI_FETCH_OR(&buf->state, BPI_BUF_SENSITIVE, __ATOMIC_RELAXED);
}

void bpi_buf_length_misused(const bp_buf *buf) { bpi_misuse(BP_MISUSE_CAPACITY, buf); }

void bpi_buf_retain_slow(bp_buf *buf) {
    const uint32_t stuck = BPI_BUF_REFS_MAX + (BPI_BUF_REFS - BPI_BUF_REFS_MAX) / 2;
    uint32_t state = BPI_LOAD(&buf->state), next = 0;
    if ((state & BPI_BUF_HARDENED) != 0 && !bpi_hardened_is_genuine(buf)) return;
    do {
        if ((state & BPI_BUF_REFS) == 0) {
            bpi_misuse(BP_MISUSE_RETAIN_FREE, buf);
            return;
        }
        next = (state & BPI_BUF_REFS) < BPI_BUF_REFS_MAX ? state + 1 : (state & ~BPI_BUF_REFS) | stuck;
    } while (!BPI_CAS_WEAK(&buf->state, &state, next, __ATOMIC_RELAXED));
    if ((next & BPI_BUF_REFS) == stuck) bpi_misuse(BP_MISUSE_REFERENCES, buf);
}

bp_err bp_pool_acquire_plain(bp_pool *pool, uint64_t size, bp_buf **out) { return bp_pool_acquire(pool, size, out); }

void bp_buf_release_plain(bp_buf *buf) { bp_buf_release(buf); }

bp_buf *bp_buf_retain_plain(bp_buf *buf) { return bp_buf_retain(buf); }
