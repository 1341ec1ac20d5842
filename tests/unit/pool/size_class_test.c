#include "pool/pool_internal.h"
#include "base/poison.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <string.h>

/* ---- making ---- */

START_TEST(a_new_pool_has_committed_nothing) {
    bp_pool *pool = bpt_pool_new(0);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.committed_bytes, 0);
    ck_assert_uint_eq(stats.total.idle, 0);
    ck_assert_uint_eq(stats.class_count, BPT_CLASS_COUNT);
    ck_assert_str_eq(stats.name, "test");
    bpt_pool_end_take(&pool);
}
END_TEST

static void refused(const bp_class *classes, uint32_t count, uint64_t limit) {
    const bp_pool_config config = {.classes = classes, .class_count = count, .memory_limit = limit};
    bp_pool *pool = (bp_pool *)1;
    bpt_err(bp_pool_new(&config, &pool), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(pool);
}

START_TEST(an_impossible_configuration_is_refused) {
    static bp_class many[BP_CLASS_MAX + 1];
    for (uint32_t i = 0; i <= BP_CLASS_MAX; i++) many[i].size = (i + 1) * 16;
    refused(NULL, 1, 0);
    refused(many, 0, 0);
    refused(many, BP_CLASS_MAX + 1, 0);
    refused((const bp_class[]){{100, 0}}, 1, 0);
    refused((const bp_class[]){{0, 0}}, 1, 0);
    refused((const bp_class[]){{64, 0}, {64, 0}}, 2, 0);
    refused((const bp_class[]){{128, 0}, {64, 0}}, 2, 0);
    refused((const bp_class[]){{64, 0}, {65536, 0}}, 2, 4 * 65536 - 1);
}
END_TEST

START_TEST(a_limit_that_is_accepted_serves_the_largest_class) {
    const bp_class large[] = {{64, 0}, {65536, 0}}, small[] = {{16, 0}, {64, 0}};
    const uint64_t slab = 2 * bpi_os_page_size(); /* a page of buffers, a page of what describes them */
    refused(small, 2, slab - 1);
    const bp_pool_config configs[] = {{.classes = large, .class_count = 2, .memory_limit = 4 * 65536},
                                      {.classes = small, .class_count = 2, .memory_limit = slab}};
    for (size_t i = 0; i < 2; i++) {
        bp_pool *pool = NULL;
        bpt_ok(bp_pool_new(&configs[i], &pool));
        bp_buf_release(bpt_acquire(pool, configs[i].classes[1].size));
        bpt_pool_end_take(&pool);
    }
}
END_TEST

START_TEST(as_many_classes_as_may_be_are_served) {
    static bp_class many[BP_CLASS_MAX];
    for (uint32_t i = 0; i < BP_CLASS_MAX; i++) many[i].size = (i + 1) * 48;
    const bp_pool_config config = {.classes = many, .class_count = BP_CLASS_MAX, .memory_limit = 1 << 20};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    for (uint32_t i = 0; i < BP_CLASS_MAX; i++) {
        bp_buf *buf = bpt_acquire(pool, many[i].size);
        ck_assert_uint_eq(bpt_class_stats(pool, i).in_use, 1);
        bp_buf_release(buf);
    }
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- choice ---- */

static uint32_t class_in_use(bp_pool *pool) {
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        if (bpt_class_stats(pool, i).in_use == 1) return i;
    }
    return BPT_CLASS_COUNT;
}

static uint32_t smallest_class(uint64_t size) {
    uint32_t ix = 0;
    while (ix < BPT_CLASS_COUNT && bpt_classes[ix].size < size) ix++;
    return ix;
}

static void check_choice(bp_pool *pool, uint64_t size) {
    const uint32_t ix = smallest_class(size);
    ck_assert_uint_eq(bp_pool_stride(pool, size), ix == BPT_CLASS_COUNT ? size : bpt_classes[ix].size);
    bp_buf *buf = bpt_acquire(pool, size);
    ck_assert_uint_eq(class_in_use(pool), ix);
    ck_assert_uint_eq(bp_buf_capacity(buf), size);
    memset(bp_buf_data(buf), 0x5A, (size_t)size);
    bp_buf_release(buf);
}

START_TEST(the_smallest_class_that_holds_the_size_is_chosen) {
    bp_pool *pool = bpt_pool_new(0);
    for (int turn = 0; turn < 2; turn++) { /* the second time from the magazine */
        for (uint64_t size = 1; size <= 1200; size++) check_choice(pool, size);
        for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
            for (uint64_t size = bpt_classes[i].size - 20; size <= bpt_classes[i].size + 20; size++) {
                check_choice(pool, size);
            }
        }
    }
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(size_zero_is_refused) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = (bp_buf *)1;
    bpt_err(bp_pool_acquire(pool, 0, &buf), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(buf);
    bpt_err(bp_pool_acquire_class(pool, 0, 0, &buf), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(bp_pool_stride(pool, 0), 0);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_known_class_gives_the_same_as_its_size) {
    bp_pool *pool = bpt_pool_new(0);
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        for (int turn = 0; turn < 3; turn++) {
            bp_buf *buf = NULL;
            bpt_ok(bp_pool_acquire_class(pool, i, bpt_classes[i].size, &buf));
            ck_assert_uint_eq(class_in_use(pool), i);
            ck_assert_uint_eq(bp_buf_capacity(buf), bpt_classes[i].size);
            bp_buf_release(buf);
        }
    }
    bpt_pool_end_take(&pool);
}
END_TEST

/* As with a constant that was generated for another schema: every index with sizes that fit and that do not. */
START_TEST(a_class_index_of_another_pool_is_safe) {
    bp_pool *pool = bpt_pool_new(0);
    const uint32_t sizes[] = {1, 64, 65, 128, 1000, 1025, 4096, 4097, BPT_LARGEST_CLASS, BPT_LARGEST_CLASS + 1};
    for (uint32_t ix = 0; ix < 3 * BP_CLASS_MAX; ix++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            bp_buf *buf = NULL;
            bpt_ok(bp_pool_acquire_class(pool, ix, sizes[i], &buf));
            memset(bp_buf_data(buf), 0x5A, sizes[i]);
            ck_assert_uint_eq(bp_buf_capacity(buf), sizes[i]);
            bp_buf_release(buf);
            ck_assert(bpi_pool_is_valid(pool));
        }
    }
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_larger_class_may_be_asked_for_on_a_new_thread_first) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire_class(pool, 2, 10, &buf)); /* 10 bytes would fit into class 0 */
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(buf);
    bpt_ok(bp_pool_acquire_class(pool, 2, 10, &buf));
    ck_assert_uint_eq(class_in_use(pool), bpi_sized_of(pool)->is_watched ? 0 : 2);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- reuse ---- */

START_TEST(a_released_buffer_is_given_again_in_its_class_only) {
    bp_pool *pool = bpt_pool_new(0);
    for (uint32_t i = 0; i + 1 < BPT_CLASS_COUNT; i++) {
        bp_buf *first = bpt_acquire(pool, bpt_classes[i].size);
        bp_buf_release(first);
        bp_buf *other = bpt_acquire(pool, bpt_classes[i + 1].size);
        ck_assert_ptr_ne(other, first);
        bp_buf *second = bpt_acquire(pool, bpt_classes[i].size - 1);
        ck_assert_ptr_eq(second, first);
        bp_buf_release(second);
        bp_buf_release(other);
    }
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(buffers_that_are_out_do_not_overlap) {
    enum { COUNT = 700 };
    static bp_buf *bufs[COUNT];
    bp_pool *pool = bpt_pool_new(0);
    const uint64_t size = (uint64_t)_i;
    for (uint32_t i = 0; i < COUNT; i++) {
        bufs[i] = bpt_acquire(pool, size);
        memset(bp_buf_data(bufs[i]), (int)(i % 251), (size_t)size);
        bp_buf_set_length(bufs[i], (uint32_t)size);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        ck_assert_uint_eq(bp_buf_length(bufs[i]), size);
        for (uint64_t at = 0; at < size; at++) ck_assert(bp_buf_data(bufs[i])[at] == i % 251);
        bp_buf_release(bufs[i]);
    }
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_warm_pool_hits_and_asks_nothing_of_the_system) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    for (int i = 0; i < 10; i++) bp_buf_release(bpt_acquire(pool, 200));
    bpt_os_fail(UINT64_MAX, false);
    for (int i = 0; i < 100000; i++) bp_buf_release(bpt_acquire(pool, 200));
    ck_assert_uint_eq(bpt_os_calls(), 0);
    const bp_class_stats stats = bpt_class_stats(pool, 2);
    ck_assert_uint_eq(stats.misses, 1);
    ck_assert_uint_eq(stats.slow, 1);
    ck_assert_uint_eq(stats.acquires, 100010);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- closing ---- */

START_TEST(a_closed_pool_refuses_and_takes_back) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *small = bpt_acquire(pool, 100);
    bp_buf *large = bpt_acquire(pool, BPT_LARGEST_CLASS);
    bp_buf *exact = bpt_acquire(pool, BPT_LARGEST_CLASS + 1);
    bp_pool_close(pool);
    bp_pool_close(pool);
    bp_buf *refused_buf = (bp_buf *)1;
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        bpt_err(bp_pool_acquire(pool, bpt_classes[i].size, &refused_buf), BP_ERR_CLOSED);
        ck_assert_ptr_null(refused_buf);
        bpt_err(bp_pool_acquire_class(pool, i, 10, &refused_buf), BP_ERR_CLOSED);
    }
    bpt_err(bp_pool_acquire(pool, BPT_LARGEST_CLASS + 1, &refused_buf), BP_ERR_CLOSED);
    memset(bp_buf_data(small), 1, 100);
    bp_buf_release(small);
    bp_buf_release(large);
    bp_buf_release(exact);
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(buffers_outlive_the_last_reference) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *bufs[] = {bpt_acquire(pool, 100), bpt_acquire(pool, 100), bpt_acquire(pool, BPT_LARGEST_CLASS),
                      bpt_acquire(pool, BPT_LARGEST_CLASS + 1)};
    bp_pool_release_take(&pool);
    ck_assert_ptr_null(pool);
    for (size_t i = 0; i < sizeof bufs / sizeof bufs[0]; i++) {
        ck_assert_int_gt(bpt_os_live(), 0);
        memset(bp_buf_data(bufs[i]), 7, bp_buf_capacity(bufs[i]));
        bp_buf_release(bufs[i]);
    }
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(every_reference_keeps_the_pool_open) {
    bp_pool *pool = bpt_pool_new(0);
    bp_pool *second = bp_pool_retain(pool);
    bp_pool_release_take(&second);
    bp_buf_release(bpt_acquire(pool, 100));
    bpt_pool_end_take(&pool);
}
END_TEST

#ifdef BPI_HAS_ASAN
START_TEST(bytes_past_the_size_and_of_free_buffers_are_poisoned) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, 104);
    bp_buf *keeps_the_slab = bpt_acquire(pool, 104);
    const uint8_t *data = bp_buf_data(buf);
    ck_assert(!__asan_address_is_poisoned(data));
    ck_assert(!__asan_address_is_poisoned(data + 103));
    ck_assert(__asan_address_is_poisoned(data + 104));
    ck_assert(__asan_address_is_poisoned(data + 127));
    bp_buf_release(buf);
    ck_assert(__asan_address_is_poisoned(data));
    bp_buf_release(keeps_the_slab);
    bpt_pool_end_take(&pool);
}
END_TEST
#endif

BPT_SUITE(pool_size_class) {
    BPT_TEST(a_new_pool_has_committed_nothing);
    BPT_TEST(an_impossible_configuration_is_refused);
    BPT_TEST(a_limit_that_is_accepted_serves_the_largest_class);
    BPT_TEST(as_many_classes_as_may_be_are_served);
    BPT_TEST(the_smallest_class_that_holds_the_size_is_chosen);
    BPT_TEST(size_zero_is_refused);
    BPT_TEST(a_known_class_gives_the_same_as_its_size);
    BPT_TEST(a_class_index_of_another_pool_is_safe);
    BPT_TEST(a_larger_class_may_be_asked_for_on_a_new_thread_first);
    BPT_TEST(a_released_buffer_is_given_again_in_its_class_only);
    BPT_LOOP_TEST(buffers_that_are_out_do_not_overlap, 63, 66);
    BPT_TEST(a_warm_pool_hits_and_asks_nothing_of_the_system);
    BPT_TEST(a_closed_pool_refuses_and_takes_back);
    BPT_TEST(buffers_outlive_the_last_reference);
    BPT_TEST(every_reference_keeps_the_pool_open);
#ifdef BPI_HAS_ASAN
    BPT_TEST(bytes_past_the_size_and_of_free_buffers_are_poisoned);
#endif
}
