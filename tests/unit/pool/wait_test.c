#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>

enum { LIMIT = 4 * BPT_LARGEST_CLASS, LARGE = 3 * BPT_LARGEST_CLASS };

typedef struct waiter {
    bp_pool *pool;
    uint64_t size;
    uint32_t timeout_ms;
    bp_err err;
    bp_buf *buf;
} waiter;

static void *wait_for_it(void *argument) {
    waiter *self = argument;
    self->err = bp_pool_acquire_wait(self->pool, self->size, self->timeout_ms, &self->buf);
    return NULL;
}

static void until_waiting(bp_pool *pool, uint64_t count) {
    while (bpt_stats(pool).waiting != count) (void)sched_yield();
}

START_TEST(there_is_no_wait_where_there_is_memory) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire_wait(pool, 100, 0, &buf));
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(pool).waits, 0);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_thread_waits_until_there_is_memory) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *held = bpt_acquire(pool, LARGE);
    waiter self = {.pool = pool, .size = LARGE, .timeout_ms = UINT32_MAX};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_it, &self), 0);
    until_waiting(pool, 1);
    bp_buf_release(held);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    bpt_ok(self.err);
    ck_assert_uint_eq(bp_buf_capacity(self.buf), LARGE);
    bp_buf_release(self.buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_wait_ends_after_its_time) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *held = bpt_acquire(pool, LARGE), *out = (bp_buf *)1;
    bpt_err(bp_pool_acquire_wait(pool, LARGE, (uint32_t)_i * 5, &out), BP_ERR_TIMEOUT);
    ck_assert_ptr_null(out);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.waiting, 0);
    ck_assert_uint_eq(stats.waits_cancelled, 1);
    bp_buf_release(held);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(close_ends_every_wait) {
    enum { THREADS = 3 };
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *held = bpt_acquire(pool, LARGE);
    waiter waiters[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        waiters[i] = (waiter){.pool = pool, .size = LARGE, .timeout_ms = UINT32_MAX};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_it, &waiters[i]), 0);
    }
    until_waiting(pool, THREADS);
    bp_pool_close(pool);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        bpt_err(waiters[i].err, BP_ERR_CLOSED);
        ck_assert_ptr_null(waiters[i].buf);
    }
    bp_buf_release(held);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_thread_that_may_not_wait_is_refused) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *out = (bp_buf *)1;
    bp_thread_forbid_wait(true);
    bp_thread_forbid_wait(true);
    bpt_err(bp_pool_acquire_wait(pool, 100, UINT32_MAX, &out), BP_ERR_WOULD_BLOCK);
    ck_assert_ptr_null(out);
    bp_thread_forbid_wait(false);
    bpt_err(bp_pool_acquire_wait(pool, 100, UINT32_MAX, &out), BP_ERR_WOULD_BLOCK);
    bp_thread_forbid_wait(false);
    bpt_ok(bp_pool_acquire_wait(pool, 100, UINT32_MAX, &out));
    bp_buf_release(out);
    bp_thread_forbid_wait(false); /* one too many is none */
    bp_thread_forbid_wait(true);
    bpt_err(bp_pool_acquire_wait(pool, 100, UINT32_MAX, &out), BP_ERR_WOULD_BLOCK);
    bp_thread_forbid_wait(false);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- timeouts against grants ---- */

/* A pool whose every reservation is granted while its owner tries to cancel it, which is too late by then. */
typedef struct late_pool {
    bp_pool head;
    bp_reservation *waiting;
    bp_buf *buf;
    pthread_t granter;
} late_pool;

static late_pool *late_of(bp_pool *pool) { return (late_pool *)(void *)pool; }

static bp_err late_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    (void)size;
    bp_buf_init(late_of(pool)->buf, pool, NULL, 1);
    *out = late_of(pool)->buf;
    return BP_OK;
}

static bp_err late_reserve(bp_pool *pool, bp_reservation *reservation) {
    late_of(pool)->waiting = reservation;
    return BP_PENDING;
}

static void *grant_late(void *argument) {
    late_pool *self = argument;
    for (int i = 0; i < 1000; i++) (void)sched_yield();
    self->waiting->err = late_acquire(&self->head, 1, &self->waiting->buf);
    self->waiting->on_done(self->waiting);
    return NULL;
}

static bool late_cancel(bp_pool *pool, bp_reservation *reservation) {
    (void)reservation;
    ck_assert_int_eq(pthread_create(&late_of(pool)->granter, NULL, grant_late, pool), 0);
    return false;
}

static void late_release(bp_pool *pool, bp_buf *buf) { (void)pool, (void)buf; }
static void late_free(bp_pool *pool) { (void)pool; }

START_TEST(a_grant_that_comes_with_the_timeout_is_not_lost) {
    static const bp_pool_table table = {.table_bytes = sizeof table,
                                        .acquire = late_acquire,
                                        .release = late_release,
                                        .free = late_free,
                                        .reserve = late_reserve,
                                        .cancel = late_cancel};
    bp_buf granted, *out = NULL;
    late_pool pool = {.buf = &granted};
    bp_pool *head = &pool.head;
    bpt_ok(bp_pool_init(head, &table));
    bpt_ok(bp_pool_acquire_wait(head, 1, 0, &out));
    ck_assert_ptr_eq(out, &granted);
    ck_assert_int_eq(pthread_join(pool.granter, NULL), 0);
    bp_buf_release(out);
    bp_pool_release_take(&head);
}
END_TEST

typedef struct racer {
    bp_pool *pool;
    uint64_t seed, granted, timed_out;
} racer;

static void *wait_shortly(void *argument) {
    racer *self = argument;
    for (unsigned long i = 0; i < bpt_scaled(1000); i++) {
        bp_buf *buf = NULL;
        const bp_err err = bp_pool_acquire_wait(self->pool, LARGE, bpt_random(&self->seed) % 2, &buf);
        if (err == BP_OK) self->granted++;
        if (err == BP_ERR_TIMEOUT) self->timed_out++;
        bpt_must((err == BP_OK) == (buf != NULL) && (err == BP_OK || err == BP_ERR_TIMEOUT));
        bp_buf_release(buf);
    }
    return NULL;
}

START_TEST(every_wait_ends_once_though_its_time_is_over) {
    enum { THREADS = 4 };
    bp_pool *pool = bpt_pool_new(LIMIT);
    racer racers[THREADS];
    pthread_t threads[THREADS];
    uint64_t granted = 0, timed_out = 0;
    for (int i = 0; i < THREADS; i++) {
        racers[i] = (racer){.pool = pool, .seed = bpt_seed(3) + (uint64_t)i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_shortly, &racers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        granted += racers[i].granted;
        timed_out += racers[i].timed_out;
    }
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.waits_cancelled, timed_out);
    ck_assert_uint_eq(stats.waits, stats.waits_granted + timed_out);
    ck_assert_uint_ge(stats.exact_acquires, granted); /* a buffer that came too late was given back unseen */
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_wait) {
    BPT_TEST(there_is_no_wait_where_there_is_memory);
    BPT_TEST(a_thread_waits_until_there_is_memory);
    BPT_LOOP_TEST(a_wait_ends_after_its_time, 0, 2);
    BPT_TEST(close_ends_every_wait);
    BPT_TEST(a_thread_that_may_not_wait_is_refused);
    BPT_TEST(a_grant_that_comes_with_the_timeout_is_not_lost);
    BPT_TEST(every_wait_ends_once_though_its_time_is_over);
}
