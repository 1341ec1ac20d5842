#include "tests/support/dry_pool.h"

#include "tests/support/suite.h"

#include <stdlib.h>

typedef struct dry_pool {
    bp_pool head; /* first: a bp_pool is a dry_pool */
    uint64_t acquires, next_refused, every, in_use, waiting, waits;
    bp_reservation *first, **last;
} dry_pool;

/* A buffer with its bytes behind it. */
typedef struct dry_buf {
    _Alignas(16) bp_buf buf;
    _Alignas(16) uint8_t data[];
} dry_buf;

static dry_pool *of(bp_pool *pool) { return (dry_pool *)(void *)pool; }

static bp_buf *give(bp_pool *pool, uint64_t size) {
    dry_buf *made = aligned_alloc(16, (sizeof *made + size + 15) / 16 * 16);
    bpt_must(made != NULL);
    bp_buf_init(&made->buf, pool, made->data, (uint32_t)size);
    of(pool)->in_use++;
    return &made->buf;
}

static bool is_refused(dry_pool *pool) {
    if (pool->waiting != 0) return true;
    if (pool->acquires++ != pool->next_refused) return false;
    pool->next_refused = pool->every == 0 ? UINT64_MAX : pool->acquires + pool->every;
    return true;
}

static bp_err dry_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    if (size > UINT32_MAX) return BP_ERR_ARGUMENT;
    if (is_refused(of(pool))) return BP_ERR_LIMIT;
    *out = give(pool, size);
    return BP_OK;
}

static void dry_release(bp_pool *pool, bp_buf *buf) {
    of(pool)->in_use--;
    free(buf);
}

static void dry_free(bp_pool *pool) { free(pool); }

static void dry_stats(bp_pool *pool, bp_pool_stats *out) {
    out->name = "dry";
    out->exact_in_use = of(pool)->in_use;
}

static bp_err dry_reserve(bp_pool *pool, bp_reservation *reservation) {
    dry_pool *p = of(pool);
    reservation->detail.next = NULL;
    *p->last = reservation;
    p->last = &reservation->detail.next;
    p->waiting++;
    p->waits++;
    return BP_PENDING;
}

static void take_out(dry_pool *pool, bp_reservation **at) {
    bp_reservation *taken = *at;
    *at = taken->detail.next;
    if (pool->last == &taken->detail.next) pool->last = at;
    pool->waiting--;
}

static bool dry_cancel(bp_pool *pool, bp_reservation *reservation) {
    bp_reservation **at = &of(pool)->first;
    while (*at != NULL && *at != reservation) at = &(*at)->detail.next;
    if (*at == NULL) return false;
    take_out(of(pool), at);
    return true;
}

static const bp_pool_table table = {.table_bytes = sizeof(bp_pool_table),
                                    .acquire = dry_acquire,
                                    .release = dry_release,
                                    .free = dry_free,
                                    .stats = dry_stats,
                                    .reserve = dry_reserve,
                                    .cancel = dry_cancel};

bp_pool *bpt_dry_pool(void) {
    dry_pool *pool = calloc(1, sizeof *pool);
    bpt_must(pool != NULL);
    bpt_must(bp_pool_init(&pool->head, &table) == BP_OK);
    pool->last = &pool->first;
    pool->next_refused = UINT64_MAX;
    return &pool->head;
}

void bpt_dry_pool_refuse(bp_pool *pool, uint64_t at, uint64_t every) {
    dry_pool *p = of(pool);
    p->acquires = p->waits = 0;
    p->next_refused = at;
    p->every = every;
}

uint64_t bpt_dry_pool_acquires(bp_pool *pool) { return of(pool)->acquires; }

uint64_t bpt_dry_pool_waiting(bp_pool *pool) { return of(pool)->waiting; }

uint64_t bpt_dry_pool_waits(bp_pool *pool) { return of(pool)->waits; }

void bpt_dry_pool_grant(bp_pool *pool) {
    dry_pool *p = of(pool);
    bp_reservation *granted = p->first;
    if (granted == NULL) return;
    take_out(p, &p->first);
    granted->buf = give(pool, granted->size);
    granted->err = BP_OK;
    granted->on_done(granted);
}
