#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

START_TEST(every_acquire_and_release_is_counted) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *bufs[50];
    for (int i = 0; i < 50; i++) bufs[i] = bpt_acquire(pool, 100);
    for (int i = 0; i < 20; i++) bp_buf_release(bufs[i]);
    const bp_class_stats stats = bpt_class_stats(pool, 1);
    ck_assert_uint_eq(stats.size, 128);
    ck_assert_uint_eq(stats.acquires, 50);
    ck_assert_uint_eq(stats.releases, 20);
    ck_assert_uint_eq(stats.in_use, 30);
    ck_assert_uint_ge(stats.high_water, 50);
    ck_assert_uint_gt(stats.idle, 0);
    ck_assert_uint_eq(stats.misses, 1);
    for (int i = 20; i < 50; i++) bp_buf_release(bufs[i]);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(totals_are_the_sum_of_the_classes) {
    bp_pool *pool = bpt_pool_new(1 << 30);
    bp_buf *bufs[BPT_CLASS_COUNT];
    bp_class_stats sum = {0};
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        for (uint32_t turn = 0; turn < i + 2; turn++) bp_buf_release(bpt_acquire(pool, bpt_classes[i].size));
        bufs[i] = bpt_acquire(pool, bpt_classes[i].size);
    }
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        const bp_class_stats one = bpt_class_stats(pool, i);
        ck_assert_uint_eq(one.acquires, i + 3);
#define BP_CLASS_STAT(name, unit, kind, merge, text) sum.name += one.name;
#include "bufpool/stats.def"
    }
    const bp_pool_stats stats = bpt_stats(pool);
#define BP_CLASS_STAT(name, unit, kind, merge, text) ck_assert_uint_eq(stats.total.name, sum.name);
#include "bufpool/stats.def"
    ck_assert_uint_eq(stats.total.size, 0);
    ck_assert_uint_eq(stats.memory_limit, 1 << 30);
    ck_assert_uint_eq(stats.total.committed_bytes, stats.committed_bytes);
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) bp_buf_release(bufs[i]);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_class_that_is_not_there_is_refused) {
    bp_pool *pool = bpt_pool_new(0);
    bp_class_stats stats = {.acquires = 5};
    bpt_err(bp_pool_class_stats_read(pool, BPT_CLASS_COUNT, &stats), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(stats.acquires, 0);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_hit_rate_of_a_warm_pool_is_high) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *bufs[100];
    for (int turn = 0; turn < 100; turn++) {
        for (int i = 0; i < 100; i++) bufs[i] = bpt_acquire(pool, (uint64_t)(i * 10 + 1));
        for (int i = 0; i < 100; i++) bp_buf_release(bufs[i]);
    }
    const bp_class_stats total = bpt_stats(pool).total;
    ck_assert_uint_eq(total.acquires, 10000);
    ck_assert_uint_lt(total.misses * 100, total.acquires); /* above 99 % */
    ck_assert_uint_le(total.misses, total.slow);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_peak_stays) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, BPT_LARGEST_CLASS);
    const uint64_t committed = bpt_stats(pool).committed_bytes;
    bp_buf_release(buf);
    (void)bp_pool_trim(pool, false);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.committed_peak_bytes, committed);
    ck_assert_uint_eq(stats.trimmed_bytes, committed);
    ck_assert_uint_eq(stats.total.high_water, 1);
    bpt_pool_end_take(&pool);
}
END_TEST

/* Slabs of many small buffers and of one large one: a descriptor is 32 bytes, ends of pages come with it. */
START_TEST(slack_is_what_is_committed_and_no_buffers) {
    bp_pool *pool = bpt_pool_new(0);
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        bp_buf *buf = bpt_acquire(pool, bpt_classes[i].size);
        const bp_class_stats one = bpt_class_stats(pool, i);
        const uint64_t buf_count = one.idle + one.in_use;
        ck_assert_uint_eq(one.slack_bytes + buf_count * one.size, one.committed_bytes);
        ck_assert_uint_ge(one.slack_bytes, buf_count * sizeof(bp_buf));
        bp_buf_release(buf);
    }
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_stats) {
    BPT_TEST(every_acquire_and_release_is_counted);
    BPT_TEST(totals_are_the_sum_of_the_classes);
    BPT_TEST(a_class_that_is_not_there_is_refused);
    BPT_TEST(the_hit_rate_of_a_warm_pool_is_high);
    BPT_TEST(the_peak_stays);
    BPT_TEST(slack_is_what_is_committed_and_no_buffers);
}
