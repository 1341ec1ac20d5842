/* Classes that come and go while a pool lives. */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <string.h>

enum { THREADS = 4, COUNT = 300 };
static bp_buf *bufs[COUNT];

static void add(bp_pool *pool, uint32_t size) {
    const bp_class added = {.size = size};
    bpt_ok(bp_pool_class_add(pool, &added));
    ck_assert(bpi_pool_is_valid(pool));
}

static void remove_class(bp_pool *pool, uint32_t size) {
    bpt_ok(bp_pool_class_remove(pool, size));
    ck_assert(bpi_pool_is_valid(pool));
}

static bp_err try_add(bp_pool *pool, uint32_t size) {
    const bp_class added = {.size = size};
    return bp_pool_class_add(pool, &added);
}

/* ---- adding ---- */

START_TEST(an_added_class_serves_its_sizes) {
    bp_pool *pool = bpt_pool_new(0);
    ck_assert_uint_eq(bp_pool_stride(pool, 500), 1024);
    add(pool, 512);
    ck_assert_uint_eq(bpt_stats(pool).class_count, BPT_CLASS_COUNT + 1);
    ck_assert_uint_eq(bp_pool_stride(pool, 500), 512);
    ck_assert_uint_eq(bp_pool_stride(pool, 513), 1024);
    bp_buf_release(bpt_acquire(pool, 500));
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire_class(pool, BPT_CLASS_COUNT, 512, &buf));
    memset(bp_buf_data(buf), 1, 512);
    ck_assert_uint_eq(bpt_class_stats(pool, BPT_CLASS_COUNT).acquires, 2);
    ck_assert_uint_eq(bpt_class_stats(pool, BPT_CLASS_COUNT).size, 512);
    ck_assert_uint_eq(bpt_class_stats(pool, BPT_CLASS_COUNT).slow, 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_class_above_all_others_takes_what_was_exact) {
    bp_pool *pool = bpt_pool_new(0);
    add(pool, 2 * BPT_LARGEST_CLASS);
    bp_buf *buf = bpt_acquire(pool, 2 * BPT_LARGEST_CLASS - 7);
    ck_assert_uint_eq(bpt_stats(pool).exact_acquires, 0);
    ck_assert_uint_eq(bpt_class_stats(pool, BPT_CLASS_COUNT).in_use, 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(what_cannot_be_added_or_removed_is_refused) {
    bp_pool *pool = bpt_pool_new(4 * BPT_LARGEST_CLASS + 3);
    const uint32_t bad[] = {0,          8, 100, 64, 4096, BPT_LARGEST_CLASS, BPT_LARGEST_CLASS + 16,
                            UINT32_MAX, UINT32_MAX - 15};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) bpt_err(try_add(pool, bad[i]), BP_ERR_ARGUMENT);
    const uint32_t unknown[] = {0, 63, 65, 80, UINT32_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        bpt_err(bp_pool_class_remove(pool, unknown[i]), BP_ERR_ARGUMENT);
    }
    remove_class(pool, 64);
    bpt_err(bp_pool_class_remove(pool, 64), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(bpt_stats(pool).class_count, BPT_CLASS_COUNT);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_class_that_no_slab_of_the_limit_holds_is_refused) {
    const bp_class small = {.size = 16};
    const uint64_t least = 2 * bpi_os_page_size();
    const bp_pool_config config = {.classes = &small, .class_count = 1, .memory_limit = least};
    bp_pool *pool = NULL;
    bpt_os_watch();
    bpt_ok(bp_pool_new(&config, &pool));
    bpt_err(try_add(pool, (uint32_t)least / 4 + 16), BP_ERR_ARGUMENT);
    add(pool, (uint32_t)least / 4);
    bp_buf_release(bpt_acquire(pool, least / 4));
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(a_pool_knows_so_many_sizes_in_its_life) {
    bp_pool *pool = bpt_pool_new(0);
    uint32_t size = 8192;
    for (uint32_t i = BPT_CLASS_COUNT; i < BP_CLASS_MAX; i++, size += 16) add(pool, size);
    bpt_err(try_add(pool, size), BP_ERR_ARGUMENT);
    remove_class(pool, 8192);
    bpt_err(try_add(pool, size), BP_ERR_ARGUMENT);
    add(pool, 8192);
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire_class(pool, BP_CLASS_MAX - 1, size - 16, &buf));
    ck_assert_uint_eq(bpt_class_stats(pool, BP_CLASS_MAX - 1).in_use, 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_closed_pool_and_a_heap_pool_change_no_classes) {
    bp_pool *pool = bpt_pool_new(0), *heap = NULL;
    bpt_ok(bp_heap_pool_new(0, &heap));
    bpt_err(try_add(heap, 64), BP_ERR_ARGUMENT);
    bpt_err(bp_pool_class_remove(heap, 64), BP_ERR_ARGUMENT);
    bp_pool_close(pool);
    bpt_err(try_add(pool, 512), BP_ERR_CLOSED);
    bpt_err(bp_pool_class_remove(pool, 64), BP_ERR_CLOSED);
    bpt_err(bp_pool_class_remove(pool, 65), BP_ERR_CLOSED);
    bpt_pool_end_take(&pool);
    bp_pool_release_take(&heap);
}
END_TEST

/* ---- removing ---- */

START_TEST(a_removed_class_serves_nobody) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf_release(bpt_acquire(pool, 100));
    remove_class(pool, 128);
    ck_assert_uint_eq(bp_pool_stride(pool, 100), 1024);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).committed_bytes, 0);
    bp_buf *by_size = bpt_acquire(pool, 100), *by_class = NULL;
    bpt_ok(bp_pool_acquire_class(pool, 1, 100, &by_class));
    ck_assert_uint_eq(bpt_class_stats(pool, 1).acquires, 1);
    ck_assert_uint_eq(bpt_class_stats(pool, 2).acquires, 2);
    bp_buf *refused = NULL; /* nor those who wait and looked before */
    bpt_err(bpi_class_grant(bpi_sized_of(pool)->classes[1], 100, &refused), BP_MORE);
    ck_assert_ptr_null(refused);
    bp_buf_release(by_size);
    bp_buf_release(by_class);
    ck_assert_uint_eq(bpt_stats(pool).class_count, BPT_CLASS_COUNT);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(buffers_of_a_removed_class_are_good_until_they_come_back) {
    bp_pool *pool = bpt_pool_new(0);
    for (uint32_t i = 0; i < COUNT; i++) {
        bufs[i] = bpt_acquire(pool, 1000);
        memset(bp_buf_data(bufs[i]), (int)(i % 251), 1000);
    }
    remove_class(pool, 1024);
    uint64_t committed = bpt_class_stats(pool, 2).committed_bytes;
    ck_assert_uint_ge(committed, COUNT * 1024);
    for (uint32_t i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(bp_buf_data(bufs[i])[999], i % 251);
        ck_assert_uint_eq(bp_buf_data(bp_buf_retain(bufs[i]))[0], i % 251);
        bp_buf_release(bufs[i]);
        bp_buf_release(bufs[i]);
        const bp_class_stats stats = bpt_class_stats(pool, 2);
        ck_assert_uint_eq(stats.in_use, COUNT - 1 - i);
        ck_assert_uint_le(stats.committed_bytes, committed);
        committed = stats.committed_bytes;
        ck_assert(bpi_pool_is_valid(pool));
    }
    ck_assert_uint_eq(committed, 0); /* the last one of a slab took it along, without a trim */
    ck_assert_uint_eq(bpt_class_stats(pool, 2).acquires, COUNT);
    ck_assert_uint_eq(bpt_class_stats(pool, 2).releases, COUNT);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_last_buffer_of_a_removed_class_frees_a_closed_pool) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *first = bpt_acquire(pool, 100), *second = bpt_acquire(pool, 100);
    remove_class(pool, 128);
    add(pool, 256);
    bp_buf_release(first);
    bp_pool_release_take(&pool);
    memset(bp_buf_data(second), 1, 100);
    ck_assert_int_gt(bpt_os_live(), 0);
    bp_buf_release(second);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

typedef struct idler {
    bp_pool *pool;
    pthread_barrier_t warm, changed;
} idler;

static void *idle(void *argument) {
    idler *self = argument;
    bp_buf_release(bpt_acquire(self->pool, 100));
    (void)pthread_barrier_wait(&self->warm);
    (void)pthread_barrier_wait(&self->changed);
    bp_buf *buf = bpt_acquire(self->pool, 100);
    ck_assert_uint_eq(bp_buf_capacity(buf), 100);
    bp_buf_release(buf);
    return NULL;
}

START_TEST(what_rests_with_idle_threads_goes_with_the_class) {
    idler self = {.pool = bpt_pool_new(0)};
    pthread_t thread;
    ck_assert_int_eq(pthread_barrier_init(&self.warm, NULL, 2), 0);
    ck_assert_int_eq(pthread_barrier_init(&self.changed, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, idle, &self), 0);
    (void)pthread_barrier_wait(&self.warm);
    ck_assert_uint_gt(bpt_stats(self.pool).committed_bytes, 0);
    remove_class(self.pool, 128);
    ck_assert_uint_eq(bpt_stats(self.pool).committed_bytes, 0);
    (void)pthread_barrier_wait(&self.changed);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(bpt_class_stats(self.pool, 1).acquires, 1);
    ck_assert_uint_eq(bpt_class_stats(self.pool, 2).acquires, 1);
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
}
END_TEST

START_TEST(what_rests_in_quarantine_goes_with_the_class) {
    const bp_pool_config config = {.classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .is_hardened = true};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    for (int i = 0; i < COUNT; i++) bp_buf_release(bpt_acquire(pool, 100));
    bp_buf *held = bpt_acquire(pool, 100);
    ck_assert_uint_gt(bpi_sized_of(pool)->classes[1]->quarantine.count, 0);
    remove_class(pool, 128);
    ck_assert_uint_eq(bpi_sized_of(pool)->classes[1]->quarantine.count, 0);
    bp_buf_release(held);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).committed_bytes, 0);
    add(pool, 512);
    bp_buf_release(bpt_acquire(pool, 500));
    ck_assert_uint_eq(bpt_class_stats(pool, BPT_CLASS_COUNT).acquires, 1);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(without_classes_everything_is_exact) {
    bp_pool *pool = bpt_pool_new(0);
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) remove_class(pool, bpt_classes[i].size);
    bp_buf *buf = bpt_acquire(pool, 100);
    ck_assert_uint_eq(bpt_stats(pool).exact_in_use, 1);
    ck_assert_uint_eq(bp_pool_stride(pool, 100), 100);
    bp_buf_release(buf);
    add(pool, 64);
    bp_buf_release(bpt_acquire(pool, 10));
    ck_assert_uint_eq(bpt_class_stats(pool, 0).acquires, 1);
    bpt_pool_end_take(&pool);
}
END_TEST

static void note_done(bp_reservation *reservation) { ++*(int *)reservation->user; }

/* It waits for 64 bytes while the limit is full of other buffers, and its class goes away. */
START_TEST(a_waiter_whose_class_is_removed_gets_the_next_one) {
    bp_pool *pool = bpt_pool_new(4 * BPT_LARGEST_CLASS);
    int done = 0;
    bp_reservation waiter = {.size = 64, .on_done = note_done, .user = &done};
    uint32_t count = 0;
    while (bp_pool_acquire(pool, 4096, &bufs[count]) == BP_OK) count++;
    bpt_err(bp_pool_reserve(pool, &waiter), BP_PENDING);
    remove_class(pool, 64);
    ck_assert_int_eq(done, 0);
    while (count > 0) bp_buf_release(bufs[--count]);
    ck_assert_int_eq(done, 1);
    bpt_ok(waiter.err);
    ck_assert_uint_eq(bpt_class_stats(pool, 0).acquires, 0);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).in_use, 1);
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(waiter.buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* Nothing else gives so many bytes exactly. */
START_TEST(a_waiter_whose_size_is_served_no_more_is_told_so) {
    const bp_class classes[] = {{.size = 64}, {.size = 4096}};
    const bp_pool_config config = {.classes = classes, .class_count = 2, .memory_limit = 65536, .exact_size_limit = 64};
    bp_pool *pool = NULL;
    int done = 0;
    bp_reservation waiter = {.size = 4096, .on_done = note_done, .user = &done};
    uint32_t count = 0;
    bpt_ok(bp_pool_new(&config, &pool));
    while (bp_pool_acquire(pool, 4096, &bufs[count]) == BP_OK) count++;
    bpt_err(bp_pool_reserve(pool, &waiter), BP_PENDING);
    remove_class(pool, 4096);
    ck_assert_int_eq(done, 1);
    bpt_err(waiter.err, BP_ERR_ARGUMENT);
    ck_assert_ptr_null(waiter.buf);
    while (count > 0) bp_buf_release(bufs[--count]);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_class_that_is_added_serves_who_waits_at_once) {
    bp_pool *pool = bpt_pool_new(4 * BPT_LARGEST_CLASS);
    int done = 0;
    bp_reservation waiter = {.size = 20000, .on_done = note_done, .user = &done};
    uint32_t count = 0;
    while (bp_pool_acquire(pool, 4096, &bufs[count]) == BP_OK) count++;
    bpt_err(bp_pool_reserve(pool, &waiter), BP_PENDING);
    for (int i = 0; i < 20; i++) bp_buf_release(bufs[--count]); /* not enough for a buffer of the largest class */
    ck_assert_int_eq(done, 0);
    add(pool, 32768);
    ck_assert_int_eq(done, 1);
    ck_assert_uint_eq(bpt_class_stats(pool, BPT_CLASS_COUNT).in_use, 1);
    while (count > 0) bp_buf_release(bufs[--count]);
    bp_buf_release(waiter.buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- coming back ---- */

START_TEST(a_class_that_comes_back_goes_on_where_it_was) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *held = bpt_acquire(pool, 100);
    remove_class(pool, 128);
    const bp_class again = {.size = 128, .idle_bytes = 4096};
    bpt_ok(bp_pool_class_add(pool, &again));
    ck_assert_uint_eq(bpi_sized_of(pool)->classes[1]->idle_bytes, 4096);
    ck_assert_uint_eq(bpt_stats(pool).class_count, BPT_CLASS_COUNT);
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire_class(pool, 1, 128, &buf));
    ck_assert_uint_eq(bpt_class_stats(pool, 1).in_use, 2);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).acquires, 2);
    bp_buf_release(held);
    bp_buf_release(buf);
    ck_assert(bpi_pool_is_valid(pool));
    for (int turn = 0; turn < 100; turn++) { /* its maps are there by now */
        bpt_os_fail(turn == 0 ? UINT64_MAX : 0, false);
        bpt_ok(bp_pool_class_remove(pool, 128));
        bpt_ok(bp_pool_class_add(pool, &again));
    }
    ck_assert_uint_eq(bpt_os_calls(), 0);
    bpt_os_fail(UINT64_MAX, false);
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(a_change_without_memory_changes_nothing) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    const bp_class added = {.size = 512};
    const uint16_t offset = bpi_offset_take(); /* the next one that is free */
    bpi_offset_give(offset);
    for (uint64_t call = 0; call < 2; call++) {
        bpt_os_fail(call, false);
        bpt_err(bp_pool_class_add(pool, &added), BP_ERR_NO_MEMORY);
        bpt_os_fail(0, true);
        bpt_err(bp_pool_class_remove(pool, 128), BP_ERR_NO_MEMORY);
        bpt_os_fail(UINT64_MAX, false);
        ck_assert_uint_eq(bpt_stats(pool).class_count, BPT_CLASS_COUNT);
        ck_assert_uint_eq(bp_pool_stride(pool, 500), 1024);
        ck_assert_uint_eq(bp_pool_stride(pool, 100), 128);
        ck_assert(bpi_pool_is_valid(pool));
    }
    const uint16_t same = bpi_offset_take();
    ck_assert_uint_eq(same, offset);
    bpi_offset_give(same);
    bpt_ok(bp_pool_class_add(pool, &added));
    bpt_ok(bp_pool_class_remove(pool, 512));
    bpt_os_fail(0, true);
    bpt_ok(bp_pool_class_add(pool, &added)); /* nothing new is needed for what was there */
    bpt_os_fail(UINT64_MAX, false);
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* ---- against an operation that is under way ---- */

START_TEST(a_pop_under_way_that_was_seen_keeps_its_buffer) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *held = bpt_acquire(pool, 100), *out = NULL;
    bpi_entry *entry = bpi_own_entry(bpi_buf_head(held)->entry);
    bp_buf *claimed = ((bp_buf **)entry->top)[-1];
    bpi_entry_set_top(entry, entry->top - (intptr_t)sizeof(bp_buf *));
    bpt_ok(bp_pool_class_remove(pool, 128));
    bpt_ok(bpi_acquire_slow(pool, 100, entry, &out));
    ck_assert_ptr_eq(out, claimed);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).in_use, 2);
    bp_buf_release(out);
    bp_buf_release(held);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).committed_bytes, 0);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_pop_under_way_that_came_too_late_gets_another_class) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *held = bpt_acquire(pool, 100), *out = NULL;
    bpi_entry *entry = bpi_own_entry(bpi_buf_head(held)->entry);
    bpt_ok(bp_pool_class_remove(pool, 128));
    if (_i == 1) bpt_ok(bp_pool_class_remove(pool, 1024));
    bp_buf *popped = NULL;
    ck_assert(!bpi_entry_pop(entry, &popped));
    bpt_ok(bpi_acquire_slow(pool, 100, entry, &out));
    ck_assert_uint_eq(bpt_class_stats(pool, 2 + (uint32_t)_i).in_use, 1);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).in_use, 1);
    bp_buf_release(out);
    bp_buf_release(held);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

static void *trim_all(void *pool) {
    (void)bp_pool_trim(pool, false);
    return NULL;
}

/* Who looked before a smaller class was added claims in the larger one, and must settle there. */
START_TEST(a_pop_under_way_in_a_larger_class_is_settled_there) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *held = bpt_acquire(pool, 500), *out = NULL;
    bpi_entry *entry = bpi_own_entry(bpi_buf_head(held)->entry);
    bpi_entry_set_top(entry, entry->top - (intptr_t)sizeof(bp_buf *));
    bpt_ok(bp_pool_class_add(pool, &(bp_class){.size = 512}));
    bpt_on_thread(trim_all, pool);
    bpt_ok(bpi_acquire_slow(pool, 500, entry, &out));
    ck_assert_uint_eq(bpt_class_stats(pool, 2).in_use, 2);
    bp_buf_release(out);
    bp_buf_release(held);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- against threads at work ---- */

typedef struct worker {
    bp_pool *pool;
    uint64_t seed, turns;
    bool *is_over;
} worker;

static void take(worker *self, bp_buf **held, uint32_t at) {
    const uint32_t size = 1 + bpt_random(&self->seed) % 2000;
    bp_err err = BP_OK;
    if (bpt_random(&self->seed) % 2 == 0) {
        err = bp_pool_acquire(self->pool, size, held);
    } else {
        err = bp_pool_acquire_class(self->pool, bpt_random(&self->seed) % 8, size, held);
    }
    bpt_must(err == BP_OK);
    memset(bp_buf_data(*held), (int)at, size);
}

static void *work(void *argument) {
    worker *self = argument;
    bp_buf *held[64] = {0};
    for (uint64_t i = 0; i < self->turns; i++) {
        const uint32_t at = bpt_random(&self->seed) % 64;
        if (held[at] == NULL) {
            take(self, &held[at], at);
            continue;
        }
        bpt_must(bp_buf_data(held[at])[0] == at && bp_buf_data(held[at])[bp_buf_capacity(held[at]) - 1] == at);
        bp_buf_release_take(&held[at]);
    }
    for (int i = 0; i < 64; i++) bp_buf_release(held[i]);
    return NULL;
}

/* Until the others are done, however seldom it had its turn on a busy machine. */
static void *change(void *argument) {
    static const uint32_t sizes[] = {64, 128, 512, 1024, 1536, 2048, 4096};
    worker *self = argument;
    while (!BPI_LOAD_ACQUIRE(self->is_over) || self->turns <= 10) {
        const uint32_t size = sizes[bpt_random(&self->seed) % (sizeof sizes / sizeof sizes[0])];
        const bp_err err = bpt_random(&self->seed) % 2 == 0 ? try_add(self->pool, size)
                                                             : bp_pool_class_remove(self->pool, size);
        bpt_must(err == BP_OK || err == BP_ERR_ARGUMENT);
        self->turns += err == BP_OK;
    }
    return NULL;
}

START_TEST(changing_classes_all_the_time_loses_no_buffer) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    bool is_over = false;
    pthread_t threads[THREADS], changer;
    worker workers[THREADS], changes = {.pool = pool, .seed = bpt_seed(3), .is_over = &is_over};
    ck_assert_int_eq(pthread_create(&changer, NULL, change, &changes), 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.pool = pool, .seed = bpt_seed(7) + (uint64_t)i, .turns = bpt_scaled(60000)};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    BPI_STORE_RELEASE(&is_over, true);
    ck_assert_int_eq(pthread_join(changer, NULL), 0);
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 0);
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

BPT_SUITE(pool_class) {
    BPT_TEST(an_added_class_serves_its_sizes);
    BPT_TEST(a_class_above_all_others_takes_what_was_exact);
    BPT_TEST(what_cannot_be_added_or_removed_is_refused);
    BPT_TEST(a_class_that_no_slab_of_the_limit_holds_is_refused);
    BPT_TEST(a_pool_knows_so_many_sizes_in_its_life);
    BPT_TEST(a_closed_pool_and_a_heap_pool_change_no_classes);
    BPT_TEST(a_removed_class_serves_nobody);
    BPT_TEST(buffers_of_a_removed_class_are_good_until_they_come_back);
    BPT_TEST(the_last_buffer_of_a_removed_class_frees_a_closed_pool);
    BPT_TEST(what_rests_with_idle_threads_goes_with_the_class);
    BPT_TEST(what_rests_in_quarantine_goes_with_the_class);
    BPT_TEST(without_classes_everything_is_exact);
    BPT_TEST(a_waiter_whose_class_is_removed_gets_the_next_one);
    BPT_TEST(a_waiter_whose_size_is_served_no_more_is_told_so);
    BPT_TEST(a_class_that_is_added_serves_who_waits_at_once);
    BPT_TEST(a_class_that_comes_back_goes_on_where_it_was);
    BPT_TEST(a_change_without_memory_changes_nothing);
    BPT_TEST(a_pop_under_way_that_was_seen_keeps_its_buffer);
    BPT_LOOP_TEST(a_pop_under_way_that_came_too_late_gets_another_class, 0, 2);
    BPT_TEST(a_pop_under_way_in_a_larger_class_is_settled_there);
    BPT_TEST(changing_classes_all_the_time_loses_no_buffer);
}
