/* Many threads that all want more than there is: reservations, cancels, timeouts, forced grants, plain acquires and
 * trims at the same time. Every reservation ends once, the order of the grants holds, and nothing is left behind. */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>

enum { THREADS = 6, WISHES = 32, MIB = 1 << 20, LIMIT = 4 * BPT_LARGEST_CLASS };

typedef enum wish_state { IDLE, WAITS, TOLD } wish_state;

struct worker;

/* state is WAITS before the reservation is made, and written by whoever ends it. */
typedef struct wish {
    bp_reservation reservation;
    struct worker *owner;
    uint32_t state; /* atomic */
    uint64_t asked; /* the how-manieth of its thread it is */
} wish;

typedef struct worker {
    bp_pool *pool;
    wish wishes[WISHES];
    uint64_t seed, asked;
    uint64_t last_told[2]; /* of those that cannot block, and can; written by callbacks alone: they run one at a time */
    uint64_t granted_at_once, told, failed, cancelled;
    uint64_t *callbacks; /* of all threads: not atomic, for the same reason */
} worker;

/* Whoever asked first on one thread is told first, cancelled ones aside; who can block may be forced before others. */
static void on_done(bp_reservation *reservation) {
    wish *self = reservation->user;
    worker *owner = self->owner;
    uint64_t *last_told = &owner->last_told[reservation->can_block];
    bpt_must(self->asked > *last_told);
    *last_told = self->asked;
    ++*owner->callbacks;
    owner->told++;
    owner->failed += reservation->err != BP_OK;
    bpt_must(__atomic_exchange_n(&self->state, TOLD, __ATOMIC_ACQ_REL) == WAITS);
}

static uint64_t random_size(uint64_t *state) {
    const uint32_t kind = bpt_random(state) % 100;
    if (kind < 60) return 1 + bpt_random(state) % 4096;
    if (kind < 90) return 1 + bpt_random(state) % BPT_LARGEST_CLASS;
    return 1 + bpt_random(state) % (LIMIT - 100);
}

static void ask(worker *self, wish *one) {
    one->owner = self;
    one->asked = ++self->asked;
    one->reservation = (bp_reservation){.size = random_size(&self->seed),
                                        .can_block = bpt_random(&self->seed) % 16 == 0,
                                        .on_done = on_done,
                                        .user = one};
    __atomic_store_n(&one->state, WAITS, __ATOMIC_RELEASE);
    const bp_err err = bp_pool_reserve(self->pool, &one->reservation);
    if (err == BP_PENDING) return;
    bpt_must(err == BP_OK || err == BP_ERR_CLOSED);
    self->granted_at_once++;
    __atomic_store_n(&one->state, err == BP_OK ? TOLD : IDLE, __ATOMIC_RELEASE);
}

static void use_up(wish *one) {
    bp_buf *buf = one->reservation.buf;
    bpt_must((buf != NULL) == (one->reservation.err == BP_OK));
    if (buf != NULL) {
        bpt_must(bp_buf_capacity(buf) == one->reservation.size);
        bp_buf_data(buf)[0] = 1;
        bp_buf_data(buf)[one->reservation.size - 1] = 1;
    }
    bp_buf_release_take(&one->reservation.buf);
    __atomic_store_n(&one->state, IDLE, __ATOMIC_RELEASE);
}

/* A cancel that fails says that the callback ran, runs or is about to. */
static void cancel(worker *self, wish *one) {
    if (!bp_pool_cancel(self->pool, &one->reservation)) return;
    bpt_must(__atomic_exchange_n(&one->state, IDLE, __ATOMIC_ACQ_REL) == WAITS);
    self->cancelled++;
}

static void step(worker *self) {
    const uint32_t what = bpt_random(&self->seed) % 100;
    wish *one = &self->wishes[bpt_random(&self->seed) % WISHES];
    const uint32_t state = __atomic_load_n(&one->state, __ATOMIC_ACQUIRE);
    bp_buf *buf = NULL;
    if (what < 5) {
        const bp_err err = bp_pool_acquire(self->pool, random_size(&self->seed), &buf);
        bpt_must(err == BP_OK || err == BP_ERR_LIMIT || err == BP_ERR_CLOSED);
        bp_buf_release(buf);
    } else if (what == 5) {
        (void)bp_pool_trim(self->pool, bpt_random(&self->seed) % 2 == 0);
    } else if (state == IDLE) {
        ask(self, one);
    } else if (state == TOLD) {
        use_up(one);
    } else if (what < 30) {
        cancel(self, one);
    }
}

static void finish(worker *self) {
    for (int i = 0; i < WISHES; i++) {
        wish *one = &self->wishes[i];
        if (__atomic_load_n(&one->state, __ATOMIC_ACQUIRE) == WAITS) cancel(self, one);
        while (__atomic_load_n(&one->state, __ATOMIC_ACQUIRE) == WAITS) (void)sched_yield();
        if (__atomic_load_n(&one->state, __ATOMIC_ACQUIRE) == TOLD) use_up(one);
    }
}

static void *work(void *argument) {
    worker *self = argument;
    for (unsigned long i = 0; i < bpt_scaled(40000); i++) step(self);
    finish(self);
    return NULL;
}

/* Holds nothing else while it waits, so that it is served for certain; or gives up early. */
static void *wait_blocked(void *argument) {
    worker *self = argument;
    for (unsigned long i = 0; i < bpt_scaled(2000); i++) {
        bp_buf *buf = NULL;
        const uint32_t timeout_ms = bpt_random(&self->seed) % 4 == 0 ? UINT32_MAX : bpt_random(&self->seed) % 3;
        const bp_err err = bp_pool_acquire_wait(self->pool, random_size(&self->seed), timeout_ms, &buf);
        bpt_must(err == BP_OK || err == BP_ERR_TIMEOUT || err == BP_ERR_CLOSED);
        bpt_must(err != BP_ERR_TIMEOUT || timeout_ms != UINT32_MAX);
        bp_buf_release(buf);
    }
    return NULL;
}

static bp_pool *small_pool(void) {
    const bp_pool_config config = {.classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = LIMIT,
                                   .forced_limit = LIMIT / 2};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

static worker workers[THREADS + 1];

static void start(pthread_t *threads, bp_pool *pool, uint64_t *callbacks, uint64_t seed) {
    for (int i = 0; i <= THREADS; i++) {
        workers[i] = (worker){.pool = pool, .seed = seed + (uint64_t)i, .callbacks = callbacks};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, i == THREADS ? wait_blocked : work, &workers[i]), 0);
    }
}

static void join(pthread_t *threads) {
    for (int i = 0; i <= THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
}

START_TEST(every_reservation_ends_once_and_in_its_turn) {
    pthread_t threads[THREADS + 1];
    uint64_t callbacks = 0, told = 0, cancelled = 0;
    bp_pool *pool = small_pool();
    start(threads, pool, &callbacks, bpt_seed(1));
    join(threads);
    for (int i = 0; i < THREADS; i++) {
        told += workers[i].told;
        cancelled += workers[i].cancelled;
        ck_assert_uint_eq(workers[i].failed, 0);
        ck_assert_uint_eq(workers[i].asked, workers[i].told + workers[i].granted_at_once + workers[i].cancelled);
    }
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(callbacks, told);
    ck_assert_uint_gt(told, 0);
    ck_assert_uint_gt(cancelled, 0);
    ck_assert_uint_ge(stats.waits_granted, told);
    ck_assert_uint_ge(stats.waits_cancelled, cancelled);
    ck_assert_uint_eq(stats.waits, stats.waits_granted + stats.waits_cancelled);
    ck_assert_uint_gt(stats.forced_grants, 0);
    ck_assert_uint_le(stats.forced_peak_bytes, LIMIT / 2);
    ck_assert_uint_le(stats.committed_peak_bytes, LIMIT);
    ck_assert_uint_eq(stats.forced_bytes, 0);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(closing_ends_every_reservation_once) {
    bpt_os_watch();
    for (unsigned long turn = 0; turn < 4; turn++) {
        pthread_t threads[THREADS + 1];
        uint64_t callbacks = 0;
        bp_pool *pool = small_pool();
        start(threads, pool, &callbacks, bpt_seed(100) + turn * 10);
        while (bpt_stats(pool).waits < bpt_scaled(2000)) (void)sched_yield();
        bp_pool_close(pool);
        join(threads);
        for (int i = 0; i < THREADS; i++) {
            ck_assert_uint_eq(workers[i].asked,
                              workers[i].told + workers[i].granted_at_once + workers[i].cancelled);
        }
        ck_assert_uint_eq(bpt_stats(pool).waiting, 0);
        ck_assert(bpi_pool_is_valid(pool));
        bp_pool_release_take(&pool);
        ck_assert_int_eq(bpt_os_live(), 0);
    }
}
END_TEST

BPT_SUITE(pool_waiting) {
    BPT_TIMEOUT(60);
    BPT_TEST(every_reservation_ends_once_and_in_its_turn);
    BPT_TEST(closing_ends_every_reservation_once);
}
