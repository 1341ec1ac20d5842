/* The hand-over between an owner inside its inline path and a thread that recalls its magazine, step by step: each test
 * stops the owner at one point, lets the recall happen, and lets the owner go on. */
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

enum { SIZE = 100, CLASS_IX = 1 };
static const intptr_t SLOT = (intptr_t)sizeof(bp_buf *);

static void *trim_all(void *pool) {
    (void)bp_pool_trim(pool, false);
    return NULL;
}

static bpi_entry *entry_of(const bp_buf *buf) { return bpi_own_entry(bpi_buf_head(buf)->entry); }

/* A pool whose class has this thread's open magazine, and one buffer of it. */
static bp_pool *warm_pool(bp_buf **buf) {
    bp_pool *pool = bpt_pool_new(0);
    *buf = bpt_acquire(pool, SIZE);
    ck_assert_uint_gt(bpi_entry_stock(entry_of(*buf)), 1);
    return pool;
}

START_TEST(a_pop_that_the_recall_saw_keeps_its_buffer) {
    bp_buf *held = NULL, *out = NULL;
    bp_pool *pool = warm_pool(&held);
    bpi_entry *entry = entry_of(held);
    bp_buf *claimed = ((bp_buf **)entry->top)[-1];
    bpi_entry_set_top(entry, entry->top - SLOT);
    bpt_on_thread(trim_all, pool);
    ck_assert_int_eq(entry->hi, 0);
    ck_assert_int_lt(entry->top, entry->lo);
    bpt_ok(bpi_acquire_slow(pool, SIZE, entry, &out));
    ck_assert_ptr_eq(out, claimed);
    ck_assert_uint_eq(bpt_class_stats(pool, CLASS_IX).in_use, 2);
    ck_assert_uint_eq(bpt_class_stats(pool, CLASS_IX).slow, 2); /* it took the lock, if only to settle */
    bp_buf_release(out);
    bp_buf_release(held);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_pop_that_came_after_the_recall_gets_another_buffer) {
    bp_buf *held = NULL, *out = NULL;
    bp_pool *pool = warm_pool(&held);
    bpi_entry *entry = entry_of(held);
    bpt_on_thread(trim_all, pool);
    const uint64_t idle = bpt_class_stats(pool, CLASS_IX).idle;
    bp_buf *popped = NULL;
    ck_assert(!bpi_entry_pop(entry, &popped));
    bpt_ok(bpi_acquire_slow(pool, SIZE, entry, &out));
    ck_assert_ptr_ne(out, held);
    ck_assert_uint_eq(bpt_class_stats(pool, CLASS_IX).idle, idle - 1);
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(out);
    bp_buf_release(held);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_pop_from_an_empty_magazine_gets_nothing_from_a_recall) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *held = bpt_acquire(pool, SIZE), *out = NULL;
    bpi_entry *entry = entry_of(held);
    const uint64_t stock = bpi_entry_stock(entry);
    bp_buf *all[2 * BPI_DEPTH_MAX];
    for (uint64_t i = 0; i < stock; i++) all[i] = bpt_acquire(pool, SIZE);
    bp_buf *popped = NULL;
    ck_assert(!bpi_entry_pop(entry, &popped)); /* top is below the first slot now */
    bpt_on_thread(trim_all, pool);
    bpt_ok(bpi_acquire_slow(pool, SIZE, entry, &out));
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_uint_eq(bpt_class_stats(pool, CLASS_IX).in_use, stock + 2);
    bp_buf_release(out);
    bp_buf_release(held);
    for (uint64_t i = 0; i < stock; i++) bp_buf_release(all[i]);
    bpt_pool_end_take(&pool);
}
END_TEST

/* The owner has passed the test for room, then the recall happens, then the owner stores the buffer. */
START_TEST(a_push_that_the_recall_did_not_see_goes_to_the_depot) {
    bp_buf *held = NULL;
    bp_pool *pool = warm_pool(&held);
    bpi_entry *entry = entry_of(held);
    const intptr_t top = entry->top;
    bpt_on_thread(trim_all, pool);
    held->state &= ~BPI_BUF_REFS;
    *(bp_buf **)top = held;
    bpi_entry_set_top(entry, top + SLOT);
    ck_assert_uint_eq(bpt_class_stats(pool, CLASS_IX).in_use, 1);
    bpi_release_recalled(entry, held);
    ck_assert_uint_eq(bpt_class_stats(pool, CLASS_IX).in_use, 0);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_push_that_the_recall_saw_is_over) {
    bp_buf *held = NULL;
    bp_pool *pool = warm_pool(&held);
    bpi_entry *entry = entry_of(held);
    ck_assert_int_eq(bpi_entry_push(entry, held, held->state & ~BPI_BUF_REFS), BPI_PUSHED);
    bpt_on_thread(trim_all, pool);
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, 0);
    bpi_release_recalled(entry, held);
    ck_assert_uint_eq(bpt_class_stats(pool, CLASS_IX).in_use, 0);
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(bpt_acquire(pool, SIZE));
    bpt_pool_end_take(&pool);
}
END_TEST

static void *release_pool(void *pool) {
    bp_pool *last = pool;
    bp_pool_release_take(&last);
    return NULL;
}

/* The recall that saw the push belonged to the pool's end, and the pool is gone before the owner goes on. */
START_TEST(a_push_that_outlives_its_pool_touches_nothing) {
    bp_buf *held = NULL;
    bpt_os_watch();
    bp_pool *pool = warm_pool(&held);
    bpi_entry *entry = entry_of(held);
    ck_assert_int_eq(bpi_entry_push(entry, held, held->state & ~BPI_BUF_REFS), BPI_PUSHED);
    bpt_on_thread(release_pool, pool);
    ck_assert_int_eq(bpt_os_live(), 0);
    bpi_release_recalled(entry, held);
    pool = bpt_pool_new(0); /* takes over the entry */
    bp_buf_release(bpt_acquire(pool, SIZE));
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(an_owner_opens_its_magazine_again) {
    bp_buf *held = NULL;
    bp_pool *pool = warm_pool(&held);
    for (int turn = 0; turn < 3; turn++) {
        bpt_on_thread(trim_all, pool);
        ck_assert_int_eq(entry_of(held)->hi, 0);
        bp_buf_release(held);
        ck_assert_int_ne(bpi_own_entry(bpi_buf_head(held)->entry)->hi, 0);
        ck_assert_uint_eq(bpi_entry_stock(entry_of(held)), 1);
        held = bpt_acquire(pool, SIZE);
    }
    bp_buf_release(held);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_full_magazine_keeps_what_came_last) {
    enum { COUNT = 4 * BPI_DEPTH_MAX + 1 };
    static bp_buf *bufs[COUNT];
    bp_pool *pool = bpt_pool_new(0);
    for (int i = 0; i < COUNT; i++) bufs[i] = bpt_acquire(pool, SIZE);
    bpi_entry *entry = entry_of(bufs[0]);
    while (bpi_entry_stock(entry) > 0) {
        bp_buf *popped = NULL;
        ck_assert(bpi_entry_pop(entry, &popped));
        bpi_lock_enter(&entry->owner->lock);
        bpi_depot_put(entry->owner, &popped, 1);
        entry->acquires--;
        bpi_lock_leave(&entry->owner->lock);
    }
    for (int i = 0; i < COUNT; i++) bp_buf_release(bufs[i]);
    ck_assert_uint_eq(bpi_entry_stock(entry), 2 * BPI_DEPTH_MAX + 1);
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_ptr_eq(bpt_acquire(pool, SIZE), bufs[COUNT - 1]);
    bp_buf_release(bufs[COUNT - 1]);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(without_a_barrier_there_are_no_magazines) {
    bpt_os_set_barrier(false);
    bp_pool *pool = bpt_pool_new(0);
    for (int i = 0; i < 100; i++) bp_buf_release(bpt_acquire(pool, SIZE));
    const bp_class_stats stats = bpt_class_stats(pool, CLASS_IX);
    ck_assert_uint_eq(stats.acquires, 100);
    ck_assert_uint_eq(stats.slow, 100);
    ck_assert_uint_eq(stats.misses, 1);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

/* The barrier worked when the pool was made and is gone at the recall: owners give their stock back themselves. */
START_TEST(a_barrier_that_fails_later_loses_nothing) {
    bp_buf *held = NULL, *out = NULL;
    bp_pool *pool = warm_pool(&held);
    bpi_entry *entry = entry_of(held);
    bp_buf *claimed = ((bp_buf **)entry->top)[-1];
    if (_i == 1) bpi_entry_set_top(entry, entry->top - SLOT);
    const intptr_t top = entry->top;
    bpt_os_set_barrier(false);
    bpt_on_thread(trim_all, pool);
    ck_assert_int_eq(entry->hi, 0);
    if (_i == 1) {
        bpt_ok(bpi_acquire_slow(pool, SIZE, entry, &out));
        ck_assert_ptr_eq(out, claimed);
        bp_buf_release(out);
        bp_buf_release(held);
    } else if (_i == 2) {
        held->state &= ~BPI_BUF_REFS;
        *(bp_buf **)top = held;
        bpi_entry_set_top(entry, top + SLOT);
        bpi_release_recalled(entry, held);
    } else {
        bp_buf_release(held);
    }
    ck_assert(bpi_pool_is_valid(pool));
    bpt_os_set_barrier(true);
    bpt_pool_end_take(&pool);
}
END_TEST

/* The stock comes back in an acquire that is refused, and must not keep the pool for ever. */
START_TEST(a_refused_acquire_gives_the_stock_of_a_closed_pool_back) {
    bp_buf *held = NULL, *out = NULL;
    bpt_os_watch();
    bp_pool *pool = warm_pool(&held);
    bpi_entry *entry = entry_of(held);
    bpt_os_set_barrier(false);
    bp_pool_close(pool);
    ck_assert_uint_gt(bpi_entry_stock(entry), 0);
    bpt_err(bpi_sized_acquire(bpi_sized_of(pool), SIZE, NULL, &out), BP_ERR_CLOSED);
    ck_assert_uint_eq(bpi_entry_stock(entry), 0);
    bp_buf_release(held);
    ck_assert(bpi_pool_is_valid(pool));
    bp_pool_release_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(a_pool_ends_though_the_barrier_fails) {
    bp_buf *held = NULL;
    bpt_os_watch();
    bp_pool *pool = warm_pool(&held);
    bpt_os_set_barrier(false);
    bp_pool_release_take(&pool);
    bp_buf_release(held);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

BPT_SUITE(pool_magazine) {
    BPT_TEST(a_pop_that_the_recall_saw_keeps_its_buffer);
    BPT_TEST(a_pop_that_came_after_the_recall_gets_another_buffer);
    BPT_TEST(a_pop_from_an_empty_magazine_gets_nothing_from_a_recall);
    BPT_TEST(a_push_that_the_recall_did_not_see_goes_to_the_depot);
    BPT_TEST(a_push_that_the_recall_saw_is_over);
    BPT_TEST(a_push_that_outlives_its_pool_touches_nothing);
    BPT_TEST(an_owner_opens_its_magazine_again);
    BPT_TEST(a_full_magazine_keeps_what_came_last);
    BPT_TEST(without_a_barrier_there_are_no_magazines);
    BPT_LOOP_TEST(a_barrier_that_fails_later_loses_nothing, 0, 3);
    BPT_TEST(a_refused_acquire_gives_the_stock_of_a_closed_pool_back);
    BPT_TEST(a_pool_ends_though_the_barrier_fails);
}
