#define _GNU_SOURCE
#include "market.h"
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "tests/support/wish.h"

#include <malloc.h>
#include <pthread.h>

enum { THREADS = 4, COUNT = 500 };

static void warm(bp_pool *pool, uint64_t size) {
    static __thread bp_buf *bufs[COUNT];
    for (int i = 0; i < COUNT; i++) bufs[i] = bpt_acquire(pool, size);
    for (int i = 0; i < COUNT; i++) bp_buf_release(bufs[i]);
}

START_TEST(a_full_trim_gives_everything_back) {
    bp_pool *pool = bpt_pool_new(0);
    for (uint32_t i = 0; i < BPT_CLASS_COUNT - 1; i++) warm(pool, bpt_classes[i].size);
    const uint64_t committed = bpt_stats(pool).committed_bytes;
    ck_assert_uint_eq(bp_pool_trim(pool, false), committed);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.committed_bytes, 0);
    ck_assert_uint_eq(stats.total.idle, 0);
    ck_assert_uint_ge(stats.trimmed_bytes, committed);
    ck_assert_uint_eq(bp_pool_trim(pool, false), 0);
    bp_buf_release(bpt_acquire(pool, 100));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_trim_to_idle_leaves_the_budget) {
    const bp_class one = {.size = 4096, .idle_bytes = COUNT * 4096 / 2};
    const bp_pool_config config = {.classes = &one, .class_count = 1};
    bp_pool *pool = NULL;
    bpt_os_set_barrier(false); /* everything rests in the depot */
    bpt_ok(bp_pool_new(&config, &pool));
    warm(pool, 4096);
    ck_assert_uint_gt(bp_pool_trim(pool, true), 0);
    const bp_class_stats stats = bpt_class_stats(pool, 0);
    ck_assert_uint_ge(stats.idle * 4096, one.idle_bytes);
    ck_assert_uint_lt(stats.idle * 4096, COUNT * 4096);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_trim_to_idle_leaves_two_buffers_at_least) {
    bp_pool *pool = NULL;
    bp_buf *bufs[4];
    const bp_pool_config config = {.classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .rest_bytes = 16 << 20};
    bpt_ok(bp_pool_new(&config, &pool));
    for (int i = 0; i < 4; i++) bufs[i] = bpt_acquire(pool, BPT_LARGEST_CLASS);
    for (int i = 0; i < 4; i++) bp_buf_release(bufs[i]);
    ck_assert_uint_gt(bp_pool_trim(pool, true), 0);
    ck_assert_uint_eq(bpt_class_stats(pool, 4).idle, 2);
    bpt_pool_end_take(&pool);
}
END_TEST

/* Of slabs of many sizes a few buffers stay, and those are not in the largest one. */
START_TEST(a_trim_to_idle_keeps_a_small_slab) {
    bp_pool *pool = NULL;
    const bp_class one = {.size = 1024};
    const bp_pool_config config = {.classes = &one, .class_count = 1, .rest_bytes = 16 << 20};
    bpt_os_set_barrier(false);
    bpt_ok(bp_pool_new(&config, &pool));
    bp_buf *held[4 * COUNT];
    for (int i = 0; i < 4 * COUNT; i++) held[i] = bpt_acquire(pool, 1024);
    for (int i = 0; i < 4 * COUNT; i++) bp_buf_release(held[i]);
    ck_assert_uint_gt(bpt_stats(pool).committed_bytes, 4 * COUNT * 1024);
    ck_assert_uint_gt(bp_pool_trim(pool, true), 0);
    ck_assert_uint_ge(bpt_class_stats(pool, 0).idle, 2);
    ck_assert_uint_le(bpt_stats(pool).committed_bytes, 2 * BPI_SLAB_FIRST_BYTES);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_buffer_in_use_survives_every_trim) {
    bp_pool *pool = bpt_pool_new(0);
    warm(pool, 100);
    bp_buf *buf = bpt_acquire(pool, 100);
    bp_buf_data(buf)[99] = 77;
    (void)bp_pool_trim(pool, false);
    const bp_class_stats stats = bpt_class_stats(pool, 1);
    ck_assert_uint_eq(stats.in_use, 1);
    ck_assert_uint_gt(stats.committed_bytes, 0);
    ck_assert_uint_eq(bp_buf_data(buf)[99], 77);
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- what the process keeps ---- */

static int64_t alive; /* bytes, as the allocator and the kernel give them out */

static void *counted_alloc(size_t size) {
    void *memory = bpi_os_system.alloc(size);
    alive += (int64_t)malloc_usable_size(memory) + (int64_t)sizeof(size_t);
    return memory;
}

static void counted_free(void *memory) {
    if (memory != NULL) alive -= (int64_t)malloc_usable_size(memory) + (int64_t)sizeof(size_t);
    bpi_os_system.free(memory);
}

static void *counted_map(size_t size) {
    alive += (int64_t)size;
    return bpi_os_system.map(size);
}

static void counted_unmap(void *memory, size_t size) {
    alive -= (int64_t)size;
    bpi_os_system.unmap(memory, size);
}

START_TEST(after_a_full_trim_the_process_keeps_16_kib_at_the_most) {
    bp_pool *pool = NULL;
    ck_assert_ptr_nonnull(bpi_own_entry(sizeof(bpi_entry))); /* this thread's block: of it, one page is touched */
    alive = (int64_t)bpi_os_page_size();
    bpi_os.alloc = counted_alloc;
    bpi_os.free = counted_free;
    bpi_os.map = counted_map;
    bpi_os.unmap = counted_unmap;
    bpt_ok(bp_pool_new(&market_pool_config, &pool));
    ck_assert_int_lt(alive, 10 * 1024);
    for (uint32_t i = 0; i < market_pool_config.class_count; i++) warm(pool, market_pool_config.classes[i].size);
    ck_assert_int_gt(alive, 1 << 20);
    (void)bp_pool_trim(pool, false);
    ck_assert_int_lt(alive, 16 * 1024);
    warm(pool, 64);
    bp_pool_release_take(&pool);
    ck_assert_int_eq(alive, (int64_t)bpi_os_page_size());
}
END_TEST

typedef struct idler {
    bp_pool *pool;
    pthread_barrier_t warm, trimmed, end;
} idler;

static void *idle(void *argument) {
    idler *self = argument;
    for (uint32_t i = 0; i < BPT_CLASS_COUNT - 1; i++) warm(self->pool, bpt_classes[i].size);
    (void)pthread_barrier_wait(&self->warm);
    (void)pthread_barrier_wait(&self->trimmed);
    warm(self->pool, 100); /* and goes on where it was */
    (void)pthread_barrier_wait(&self->end);
    return NULL;
}

START_TEST(a_full_trim_reaches_the_magazines_of_idle_threads) {
    idler self = {.pool = bpt_pool_new(0)};
    pthread_t threads[THREADS];
    ck_assert_int_eq(pthread_barrier_init(&self.warm, NULL, THREADS + 1), 0);
    ck_assert_int_eq(pthread_barrier_init(&self.trimmed, NULL, THREADS + 1), 0);
    ck_assert_int_eq(pthread_barrier_init(&self.end, NULL, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, idle, &self), 0);
    (void)pthread_barrier_wait(&self.warm);
    ck_assert_uint_gt(bpt_stats(self.pool).committed_bytes, 0);
    (void)bp_pool_trim(self.pool, false);
    ck_assert_uint_eq(bpt_stats(self.pool).committed_bytes, 0);
    (void)pthread_barrier_wait(&self.trimmed);
    (void)pthread_barrier_wait(&self.end);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
}
END_TEST

/* ---- trimming and closing against threads at work ---- */

typedef struct worker {
    bp_pool *pool;
    uint64_t seed, turns;
    bool *is_over;
} worker;

static void *work(void *argument) {
    worker *self = argument;
    bp_buf *held[64] = {0};
    for (uint64_t i = 0; i < self->turns; i++) {
        const uint32_t at = bpt_random(&self->seed) % 64;
        if (held[at] != NULL) {
            ck_assert_uint_eq(bp_buf_data(held[at])[0], at);
            bp_buf_release_take(&held[at]);
        } else {
            const bp_err err = bp_pool_acquire(self->pool, 1 + bpt_random(&self->seed) % 2000, &held[at]);
            if (err == BP_OK) bp_buf_data(held[at])[0] = (uint8_t)at;
            if (err != BP_OK) bpt_err(err, BP_ERR_CLOSED);
        }
    }
    for (int i = 0; i < 64; i++) bp_buf_release(held[i]);
    return NULL;
}

static void *trim_on(void *argument) {
    worker *self = argument;
    while (!__atomic_load_n(self->is_over, __ATOMIC_ACQUIRE)) {
        (void)bp_pool_trim(self->pool, self->turns++ % 8 == 0);
        ck_assert_uint_le(bpt_class_stats(self->pool, 1).in_use, THREADS * 64); /* while owners settle */
    }
    return NULL;
}

START_TEST(trimming_all_the_time_loses_no_buffer) {
    bp_pool *pool = bpt_pool_new(0);
    bool is_over = false;
    pthread_t threads[THREADS], trimmer;
    worker workers[THREADS], trim_worker = {.pool = pool, .is_over = &is_over};
    ck_assert_int_eq(pthread_create(&trimmer, NULL, trim_on, &trim_worker), 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.pool = pool, .seed = bpt_seed(7) + (uint64_t)i, .turns = 50000};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    __atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
    ck_assert_int_eq(pthread_join(trimmer, NULL), 0);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

static void *work_on_own_reference(void *argument) {
    worker *self = argument;
    (void)work(self);
    bp_pool_release_take(&self->pool);
    return NULL;
}

START_TEST(closing_under_load_frees_the_pool_with_its_last_buffer) {
    bpt_os_watch();
    for (int turn = 0; turn < 20; turn++) {
        bp_pool *pool = bpt_pool_new(0);
        pthread_t threads[THREADS];
        worker workers[THREADS];
        for (int i = 0; i < THREADS; i++) {
            workers[i] = (worker){.pool = bp_pool_retain(pool), .seed = (uint64_t)(turn * 10 + i + 1), .turns = 3000};
            ck_assert_int_eq(pthread_create(&threads[i], NULL, work_on_own_reference, &workers[i]), 0);
        }
        bp_pool_close(pool);
        bp_pool_release_take(&pool);
        for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_int_eq(bpt_os_live(), 0);
    }
}
END_TEST

START_TEST(a_full_trim_needs_no_barrier_for_its_own_thread) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf_release(bpt_acquire(pool, 100));
    const uint64_t committed = bpt_stats(pool).committed_bytes;
    bpt_os_set_barrier(false);
    ck_assert_uint_eq(bp_pool_trim(pool, false), committed);
    bpt_os_set_barrier(true);
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, 0);
    bpt_pool_end_take(&pool);
}
END_TEST

/* The barrier failed when it began to wait, so that this thread's stock, which its own trim gives back, was not taken.
 */
START_TEST(what_a_full_trim_takes_from_its_own_thread_serves_who_waits) {
    enum { LIMIT = 4 * BPT_LARGEST_CLASS };
    bp_pool *pool = bpt_pool_new(LIMIT);
    bpt_wish wish = {0};
    bp_buf_release(bpt_acquire(pool, 100));
    bpt_os_set_barrier(false);
    bpt_wish_waits(pool, &wish, LIMIT - sizeof(bp_buf));
    (void)bp_pool_trim(pool, false);
    bpt_os_set_barrier(true);
    bpt_wish_is_granted(&wish);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_wish_release(&wish);
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_trim) {
    BPT_TEST(a_full_trim_gives_everything_back);
    BPT_TEST(a_trim_to_idle_leaves_the_budget);
    BPT_TEST(a_trim_to_idle_leaves_two_buffers_at_least);
    BPT_TEST(a_trim_to_idle_keeps_a_small_slab);
    BPT_TEST(a_buffer_in_use_survives_every_trim);
    BPT_TEST(after_a_full_trim_the_process_keeps_16_kib_at_the_most);
    BPT_TEST(a_full_trim_reaches_the_magazines_of_idle_threads);
    BPT_TEST(a_full_trim_needs_no_barrier_for_its_own_thread);
    BPT_TEST(what_a_full_trim_takes_from_its_own_thread_serves_who_waits);
    BPT_TEST(trimming_all_the_time_loses_no_buffer);
    BPT_TEST(closing_under_load_frees_the_pool_with_its_last_buffer);
}
