/* Every allocation and every mapping of a run made to fail, once and from then on. */
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "tests/support/wish.h"

static bool is_ordinary(bp_err err) { return err == BP_OK || err == BP_ERR_NO_MEMORY || err == BP_ERR_LIMIT; }

/* Several classes, slabs that grow, an exact allocation: everything that asks the system. Returns whether all went
 * well. */
static bool run_on(bp_pool *pool) {
    enum { COUNT = 60 };
    bp_buf *bufs[COUNT] = {0};
    bool is_well = true;
    for (uint32_t i = 0; i < COUNT; i++) {
        const uint64_t size = i == 7 ? BPT_LARGEST_CLASS + 1 : bpt_classes[i % BPT_CLASS_COUNT].size;
        const bp_pool_stats before = bpt_stats(pool);
        const bp_err err = bp_pool_acquire(pool, size, &bufs[i]);
        ck_assert(is_ordinary(err));
        if (err == BP_OK) continue;
        is_well = false;
        ck_assert_ptr_null(bufs[i]);
        const bp_pool_stats after = bpt_stats(pool);
        ck_assert_uint_eq(after.total.in_use, before.total.in_use);
        ck_assert_uint_le(after.committed_bytes, before.committed_bytes); /* what rested may be given back */
        ck_assert(bpi_pool_is_valid(pool));
    }
    for (uint32_t i = 0; i < COUNT; i++) bp_buf_release(bufs[i]);
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 0);
    return is_well;
}

static bool run(bool is_hardened) {
    const bp_pool_config config = {
        .classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .is_hardened = is_hardened};
    bp_pool *pool = (bp_pool *)1;
    const bp_err err = bp_pool_new(&config, &pool);
    if (err != BP_OK) {
        bpt_err(err, BP_ERR_NO_MEMORY);
        ck_assert_ptr_null(pool);
        return false;
    }
    const bool is_well = run_on(pool);
    bpt_pool_end_take(&pool);
    return is_well;
}

static void *run_on_thread(void *is_hardened) {
    (void)run(*(bool *)is_hardened);
    return NULL;
}

START_TEST(every_failure_is_an_ordinary_error) {
    bool is_hardened = _i >= 2;
    bpt_os_watch();
    bpt_on_thread(run_on_thread, &is_hardened);
    const uint64_t calls = bpt_os_calls();
    ck_assert_uint_gt(calls, 15);
    for (uint64_t call = 0; call < calls; call++) {
        bpt_os_fail(call, _i % 2 == 1);
        bpt_on_thread(run_on_thread, &is_hardened);
        ck_assert_int_eq(bpt_os_live(), 0);
    }
}
END_TEST

/* ---- the same for those who wait ---- */

enum { LIMIT = 4 * BPT_LARGEST_CLASS, LARGE = 3 * BPT_LARGEST_CLASS, WISHES = 6 };

static bp_err ask(bp_pool *pool, bpt_wish *wish, uint64_t size) {
    const bp_err err = bpt_wish_for(pool, wish, size);
    ck_assert(err == BP_PENDING || is_ordinary(err));
    ck_assert_int_eq(err == BP_OK, wish->reservation.buf != NULL);
    ck_assert(bpi_pool_is_valid(pool));
    return err;
}

/* Told once if it had to wait: that it has a buffer, which went back since, or of an ordinary error. */
static void check_wish(const bpt_wish *wish, bp_err asked, bool was_cancelled) {
    const bool is_told = asked == BP_PENDING && !was_cancelled;
    ck_assert_uint_eq(wish->told, is_told);
    if (is_told) ck_assert(is_ordinary(wish->reservation.err) || wish->reservation.err == BP_ERR_CLOSED);
}

/* Waits, forces, cancels, is granted classes and exact buffers, and closes while one still waits. */
static void wait_on(bp_pool *pool) {
    static const uint64_t sizes[WISHES] = {LARGE, LARGE, 100, 4096, BPT_LARGEST_CLASS, LARGE};
    bpt_wish wishes[WISHES] = {0};
    bp_err asked[WISHES];
    bool was_cancelled[WISHES] = {false};
    bp_buf *held[2] = {0};
    (void)!bp_pool_acquire(pool, LARGE, &held[0]);
    (void)!bp_pool_acquire(pool, 1000, &held[1]);
    wishes[1].reservation.can_block = true;
    for (int i = 0; i < WISHES; i++) asked[i] = ask(pool, &wishes[i], sizes[i]);
    was_cancelled[3] = bp_pool_cancel(pool, &wishes[3].reservation);
    bp_buf_release(held[0]);
    ck_assert(bpi_pool_is_valid(pool));
    for (int i = 0; i < WISHES - 1; i++) bpt_wish_release(&wishes[i]);
    ck_assert(bpi_pool_is_valid(pool));
    bp_pool_close(pool);
    for (int i = 0; i < WISHES; i++) {
        check_wish(&wishes[i], asked[i], was_cancelled[i]);
        bpt_wish_release(&wishes[i]);
    }
    bp_buf_release(held[1]);
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_uint_eq(bpt_stats(pool).forced_bytes, 0);
}

static void *wait_on_thread(void *unused) {
    const bp_pool_config config = {.classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = LIMIT,
                                   .forced_limit = LIMIT};
    bp_pool *pool = NULL;
    if (bp_pool_new(&config, &pool) != BP_OK) return unused;
    wait_on(pool);
    bpt_pool_end_take(&pool);
    return unused;
}

START_TEST(every_failure_while_others_wait_is_an_ordinary_error) {
    bpt_os_watch();
    bpt_on_thread(wait_on_thread, NULL);
    const uint64_t calls = bpt_os_calls();
    ck_assert_uint_gt(calls, 15);
    for (uint64_t call = 0; call < calls; call++) {
        bpt_os_fail(call, _i == 1);
        bpt_on_thread(wait_on_thread, NULL);
        ck_assert_int_eq(bpt_os_live(), 0);
    }
}
END_TEST

/* The grant of the first who waits fails in the system: it is told so, and the next one is served. */
START_TEST(a_failing_grant_ends_one_wait) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *held = bpt_acquire(pool, LARGE);
    bpt_wish wishes[2] = {0};
    bpt_wish_waits(pool, &wishes[0], BPT_LARGEST_CLASS);
    bpt_wish_waits(pool, &wishes[1], LARGE);
    bpt_os_fail(0, false);
    bp_buf_release(held);
    bpt_wish_failed(&wishes[0], BP_ERR_NO_MEMORY);
    bpt_wish_is_granted(&wishes[1]);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_wish_release(&wishes[1]);
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(a_failure_that_passes_is_forgotten) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    bpt_os_fail(0, true);
    ck_assert(!run_on(pool));
    bpt_os_fail(UINT64_MAX, false);
    ck_assert(run_on(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_heap_pool_without_memory_fails_in_order) {
    bp_pool *pool = (bp_pool *)1;
    bp_buf *buf = (bp_buf *)1;
    bpt_os_watch();
    bpt_os_fail(0, true);
    bpt_err(bp_heap_pool_new(0, &pool), BP_ERR_NO_MEMORY);
    ck_assert_ptr_null(pool);
    bpt_os_fail(1, false);
    bpt_ok(bp_heap_pool_new(0, &pool));
    bpt_err(bp_pool_acquire(pool, 100, &buf), BP_ERR_NO_MEMORY);
    ck_assert_ptr_null(buf);
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, 0);
    bp_buf_release(bpt_acquire(pool, 100));
    bp_pool_release_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

BPT_SUITE(pool_fault) {
    BPT_LOOP_TEST(every_failure_is_an_ordinary_error, 0, 4);
    BPT_LOOP_TEST(every_failure_while_others_wait_is_an_ordinary_error, 0, 2);
    BPT_TEST(a_failing_grant_ends_one_wait);
    BPT_TEST(a_failure_that_passes_is_forgotten);
    BPT_TEST(a_heap_pool_without_memory_fails_in_order);
}
