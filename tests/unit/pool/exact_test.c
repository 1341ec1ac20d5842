#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <string.h>

START_TEST(an_exact_buffer_is_counted_and_never_kept) {
    bp_pool *pool = bpt_pool_new(0);
    const uint32_t size = BPT_LARGEST_CLASS + 1;
    bp_buf *buf = bpt_acquire(pool, size);
    memset(bp_buf_data(buf), 1, size);
    ck_assert_uint_eq(bp_buf_capacity(buf), size);
    bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.exact_in_use, 1);
    ck_assert_uint_eq(stats.exact_acquires, 1);
    ck_assert_uint_eq(stats.exact_bytes, size + sizeof(bp_buf));
    ck_assert_uint_eq(stats.committed_bytes, stats.exact_bytes);
    ck_assert_uint_eq(stats.total.acquires, 0);
    bp_buf_retain(buf);
    bp_buf_release(buf);
    bp_buf_release(buf);
    stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.exact_in_use, 0);
    ck_assert_uint_eq(stats.committed_bytes, 0);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(sizes_that_can_never_be_given_are_refused) {
    const bp_pool_config config = {.classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = 4 * BPT_LARGEST_CLASS,
                                   .exact_size_limit = _i == 0 ? 2 * BPT_LARGEST_CLASS : 0};
    const uint64_t most = _i == 0 ? 2 * BPT_LARGEST_CLASS : 4 * BPT_LARGEST_CLASS - sizeof(bp_buf);
    bp_pool *pool = NULL;
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    bp_buf_release(bpt_acquire(pool, most));
    ck_assert_uint_eq(bp_pool_stride(pool, most), most);
    const uint64_t beyond[] = {most + 1, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
    for (int i = 0; i < 3; i++) {
        bpt_err(bp_pool_acquire(pool, beyond[i], &buf), BP_ERR_ARGUMENT);
        ck_assert_ptr_null(buf);
        ck_assert_uint_eq(bp_pool_stride(pool, beyond[i]), 0);
    }
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_exact) {
    BPT_TEST(an_exact_buffer_is_counted_and_never_kept);
    BPT_LOOP_TEST(sizes_that_can_never_be_given_are_refused, 0, 2);
}
