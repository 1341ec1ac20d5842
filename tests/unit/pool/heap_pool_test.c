#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <string.h>

START_TEST(every_buffer_comes_from_malloc_and_goes_back) {
    bp_pool *pool = NULL;
    bpt_os_watch();
    bpt_ok(bp_heap_pool_new(0, &pool));
    for (uint64_t size = 1; size < 100000; size = size * 3 + 1) {
        const int64_t live = bpt_os_live();
        bp_buf *buf = bpt_acquire(pool, size);
        memset(bp_buf_data(buf), 1, (size_t)size);
        ck_assert_uint_eq((uintptr_t)bp_buf_data(buf) % 16, 0);
        ck_assert_uint_eq(bp_buf_capacity(buf), size);
        ck_assert_uint_eq(bp_pool_stride(pool, size), size);
        ck_assert_int_eq(bpt_os_live(), live + 1);
        bp_buf_release(buf);
        ck_assert_int_eq(bpt_os_live(), live);
    }
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(the_heap_pool_has_a_limit) {
    bp_pool *pool = NULL;
    bp_buf *first = NULL, *second = NULL;
    bpt_ok(bp_heap_pool_new(1000, &pool));
    bpt_err(bp_pool_acquire(pool, 1000, &first), BP_ERR_ARGUMENT);
    bpt_ok(bp_pool_acquire_class(pool, 2, 500, &first));
    bpt_err(bp_pool_acquire(pool, 500, &second), BP_ERR_LIMIT);
    ck_assert_ptr_null(second);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.exact_in_use, 1);
    ck_assert_uint_eq(stats.class_count, 0);
    ck_assert_uint_eq(stats.committed_bytes, 500 + sizeof(bp_buf));
    ck_assert_uint_eq(stats.memory_limit, 1000);
    bp_buf_release(first);
    bpt_ok(bp_pool_acquire(pool, 500, &second));
    bp_buf_release(second);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(sizes_that_are_never_given_have_no_stride) {
    bp_pool *pool = NULL, *limited = NULL;
    bp_buf *buf = NULL;
    bpt_ok(bp_heap_pool_new(0, &pool));
    bpt_ok(bp_heap_pool_new(1000, &limited));
    ck_assert_uint_eq(bp_pool_stride(pool, UINT32_MAX), UINT32_MAX);
    ck_assert_uint_eq(bp_pool_stride(limited, 1000 - sizeof(bp_buf)), 1000 - sizeof(bp_buf));
    ck_assert_uint_eq(bp_pool_stride(limited, 1001 - sizeof(bp_buf)), 0);
    for (uint64_t size = UINT64_C(1) << 32; size != 0; size <<= 1) {
        ck_assert_uint_eq(bp_pool_stride(pool, size), 0);
        bpt_err(bp_pool_acquire(pool, size, &buf), BP_ERR_ARGUMENT);
        bpt_err(bp_pool_acquire(pool, UINT64_MAX - size, &buf), BP_ERR_ARGUMENT);
    }
    bpt_pool_end_take(&pool);
    bpt_pool_end_take(&limited);
}
END_TEST

START_TEST(what_is_in_use_is_counted_with_and_without_references) {
    bp_pool *pool = NULL;
    bpt_ok(bp_heap_pool_new(0, &pool));
    bp_buf *first = bpt_acquire(pool, 100), *second = bpt_acquire(pool, 50);
    ck_assert_uint_eq(bpt_stats(pool).exact_in_use, 2);
    ck_assert_uint_eq(bpt_stats(pool).exact_bytes, 150 + 2 * sizeof(bp_buf));
    bp_pool_release_take(&pool);
    ck_assert_uint_eq(bpt_stats(bp_buf_pool(first)).exact_in_use, 2);
    bp_buf_release(second);
    ck_assert_uint_eq(bpt_stats(bp_buf_pool(first)).exact_in_use, 1);
    ck_assert_uint_eq(bpt_stats(bp_buf_pool(first)).exact_acquires, 2);
    bp_buf_release(first);
}
END_TEST

static void *release_elsewhere(void *buf) {
    bp_buf_release(buf);
    return NULL;
}

START_TEST(a_heap_buffer_outlives_its_pools_last_reference) {
    bp_pool *pool = NULL;
    bpt_os_watch();
    bpt_ok(bp_heap_pool_new(0, &pool));
    bp_buf *buf = bpt_acquire(pool, 100);
    bp_pool *again = pool;
    bp_pool_release_take(&again);
    memset(bp_buf_data(buf), 1, 100);
    bpt_on_thread(release_elsewhere, buf);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

BPT_SUITE(pool_heap_pool) {
    BPT_TEST(every_buffer_comes_from_malloc_and_goes_back);
    BPT_TEST(the_heap_pool_has_a_limit);
    BPT_TEST(sizes_that_are_never_given_have_no_stride);
    BPT_TEST(what_is_in_use_is_counted_with_and_without_references);
    BPT_TEST(a_heap_buffer_outlives_its_pools_last_reference);
}
