#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>

enum { COUNT = 100 };

typedef struct job {
    bp_pool *pool;
    bp_buf *bufs[COUNT];
    int failures;
} job;

static void *take_some(void *argument) {
    job *self = argument;
    for (int i = 0; i < COUNT; i++) self->bufs[i] = bpt_acquire(self->pool, 100);
    return NULL;
}

static void *release_some(void *argument) {
    job *self = argument;
    for (int i = 0; i < COUNT; i++) bp_buf_release_take(&self->bufs[i]);
    return NULL;
}

START_TEST(a_thread_that_ends_leaves_its_stock_and_its_counts) {
    job self = {.pool = bpt_pool_new(0)};
    bpt_on_thread(take_some, &self);
    bp_class_stats stats = bpt_class_stats(self.pool, 1);
    ck_assert_uint_eq(stats.acquires, COUNT);
    ck_assert_uint_eq(stats.in_use, COUNT);
    ck_assert(bpi_pool_is_valid(self.pool));
    ck_assert_ptr_null(bpi_sized_of(self.pool)->classes[1]->entries);
    bpt_on_thread(release_some, &self);
    stats = bpt_class_stats(self.pool, 1);
    ck_assert_uint_eq(stats.in_use, 0);
    ck_assert_uint_eq(stats.releases, COUNT);
    ck_assert_uint_eq(stats.idle, bpi_sized_of(self.pool)->classes[1]->depot_count);
    bpt_pool_end_take(&self.pool);
}
END_TEST

START_TEST(a_thread_leaves_no_memory_behind) {
    bpt_os_watch();
    job self = {.pool = bpt_pool_new(0)};
    const int64_t before = bpt_os_live();
    bpt_on_thread(take_some, &self);
    bpt_on_thread(release_some, &self);
    (void)bp_pool_trim(self.pool, false);
    ck_assert_int_eq(bpt_os_live(), before);
    bpt_pool_end_take(&self.pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* Others' first acquires have left the shared block's tops below zero. */
START_TEST(a_threads_first_call_may_be_a_release) {
    job self = {.pool = bpt_pool_new(0)};
    bpt_on_thread(take_some, &self);
    (void)take_some(&self);
    bpt_on_thread(release_some, &self);
    ck_assert_uint_eq(bpt_class_stats(self.pool, 1).in_use, COUNT);
    ck_assert(bpi_pool_is_valid(self.pool));
}
END_TEST

START_TEST(a_buffer_may_be_released_on_another_thread) {
    job self = {.pool = bpt_pool_new(0)};
    for (int turn = 0; turn < 50; turn++) {
        (void)take_some(&self);
        bpt_on_thread(release_some, &self);
    }
    const bp_class_stats stats = bpt_class_stats(self.pool, 1);
    ck_assert_uint_eq(stats.in_use, 0);
    ck_assert_uint_eq(stats.acquires, 50 * COUNT);
    ck_assert_uint_lt(stats.misses, 5);
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
}
END_TEST

/* ---- after the thread's block is gone ---- */

static pthread_key_t late_key;
static int late_round;

/* The system calls destructors in at least four rounds; the thread's block is taken down in the first. */
static void late_destructor(void *argument) {
    static __thread int round;
    if (round++ < late_round) {
        (void)pthread_setspecific(late_key, argument);
        return;
    }
    job *self = argument;
    (void)release_some(self);
    bp_buf_release(bpt_acquire(self->pool, 100));
}

static void *take_and_end(void *argument) {
    (void)pthread_setspecific(late_key, argument);
    return take_some(argument);
}

START_TEST(a_late_destructor_may_use_the_pool) {
    bpt_os_watch();
    late_round = _i;
    job self = {.pool = bpt_pool_new(0)};
    bp_buf_release(bpt_acquire(self.pool, 4096)); /* the library's key is the older one, so its round ends first */
    ck_assert_int_eq(pthread_key_create(&late_key, late_destructor), 0);
    bpt_on_thread(take_and_end, &self);
    const bp_class_stats stats = bpt_class_stats(self.pool, 1);
    ck_assert_uint_eq(stats.acquires, COUNT + 1);
    ck_assert_uint_eq(stats.in_use, 0);
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* ---- pools come and go ---- */

START_TEST(more_pools_than_entries_are_served) {
    enum { POOLS = BPI_BLOCK_ENTRIES / (BPT_CLASS_COUNT - 1) + 10 };
    static bp_pool *pools[POOLS];
    for (int turn = 0; turn < 2; turn++) { /* the second time with the offsets of the first */
        for (int i = 0; i < POOLS; i++) pools[i] = bpt_pool_new(0);
        ck_assert_uint_ne(bpi_sized_of(pools[0])->classes[0]->entry, 0);
        ck_assert_uint_eq(bpi_sized_of(pools[POOLS - 1])->classes[0]->entry, 0);
        for (int i = 0; i < POOLS; i++) {
            bp_buf *buf = NULL;
            bp_buf_release(bpt_acquire(pools[i], 100));
            bpt_ok(bp_pool_acquire_class(pools[i], 3, 100, &buf));
            bp_buf_release(buf);
            ck_assert_uint_eq(bpt_stats(pools[i]).total.acquires, 2);
            ck_assert(bpi_pool_is_valid(pools[i]));
        }
        for (int i = 0; i < POOLS; i++) bpt_pool_end_take(&pools[i]);
    }
}
END_TEST

typedef struct visitor {
    bp_pool *pool;
    pthread_barrier_t step;
} visitor;

static void *visit(void *argument) {
    visitor *self = argument;
    for (int turn = 0; turn < 20; turn++) {
        (void)pthread_barrier_wait(&self->step);
        bp_buf_release(bpt_acquire(self->pool, 100));
        (void)pthread_barrier_wait(&self->step);
    }
    return NULL;
}

/* The other thread lives on while pools that it used end and new ones take over its entries. */
START_TEST(a_new_pool_may_take_over_the_entries_of_an_old_one) {
    visitor self = {0};
    pthread_t thread;
    ck_assert_int_eq(pthread_barrier_init(&self.step, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, visit, &self), 0);
    for (int turn = 0; turn < 20; turn++) {
        self.pool = bpt_pool_new(0);
        bp_buf_release(bpt_acquire(self.pool, 100));
        (void)pthread_barrier_wait(&self.step);
        (void)pthread_barrier_wait(&self.step);
        ck_assert_uint_eq(bpt_class_stats(self.pool, 1).acquires, 2);
        ck_assert(bpi_pool_is_valid(self.pool));
        bpt_pool_end_take(&self.pool);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

/* ---- two threads, one queue ---- */

enum { RING = 256, MESSAGES = 100000 };

typedef struct queue {
    bp_pool *pool;
    bp_buf *ring[RING];
    uint32_t head, tail;
} queue;

static void *consume(void *argument) {
    queue *self = argument;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        while (__atomic_load_n(&self->head, __ATOMIC_ACQUIRE) == i) (void)sched_yield();
        bp_buf *buf = self->ring[i % RING];
        ck_assert_uint_eq(bp_buf_data(buf)[3], i % 256);
        ck_assert_uint_eq(bp_buf_length(buf), i % 100);
        bp_buf_release(buf);
        __atomic_store_n(&self->tail, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

START_TEST(a_consumer_feeds_its_producer) {
    queue self = {.pool = bpt_pool_new(0)};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, consume, &self), 0);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        while (i - __atomic_load_n(&self.tail, __ATOMIC_ACQUIRE) == RING) (void)sched_yield();
        bp_buf *buf = bpt_acquire(self.pool, 100);
        bp_buf_data(buf)[3] = (uint8_t)(i % 256);
        bp_buf_set_length(buf, i % 100);
        self.ring[i % RING] = buf;
        __atomic_store_n(&self.head, i + 1, __ATOMIC_RELEASE);
    }
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    const bp_class_stats stats = bpt_class_stats(self.pool, 1);
    ck_assert_uint_eq(stats.acquires, MESSAGES);
    ck_assert_uint_lt(stats.misses, MESSAGES / 100);
    ck_assert_uint_lt(stats.slow, MESSAGES / 50); /* one lock per magazine, not per buffer */
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
}
END_TEST

static void *release_one(void *buf) {
    for (int i = 0; i < 1000; i++) bp_buf_release(buf);
    return NULL;
}

START_TEST(owners_on_several_threads_share_one_buffer) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, 100);
    pthread_t threads[4];
    for (int i = 0; i < 4000; i++) bp_buf_retain(buf);
    for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, release_one, buf), 0);
    for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_thread) {
    BPT_TEST(a_thread_that_ends_leaves_its_stock_and_its_counts);
    BPT_TEST(a_thread_leaves_no_memory_behind);
    BPT_TEST(a_threads_first_call_may_be_a_release);
    BPT_TEST(a_buffer_may_be_released_on_another_thread);
#ifdef BPI_HAS_TSAN
    BPT_LOOP_TEST(a_late_destructor_may_use_the_pool, 0, 2); /* ThreadSanitizer itself ends in the last round */
#else
    BPT_LOOP_TEST(a_late_destructor_may_use_the_pool, 0, 4);
#endif
    BPT_TEST(more_pools_than_entries_are_served);
    BPT_TEST(a_new_pool_may_take_over_the_entries_of_an_old_one);
    BPT_TEST(a_consumer_feeds_its_producer);
    BPT_TEST(owners_on_several_threads_share_one_buffer);
}
