#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

enum { COUNT = 1000 };
static bp_buf *bufs[COUNT];

static bpi_class *class_of(bp_pool *pool, uint32_t ix) { return bpi_sized_of(pool)->classes[ix]; }

START_TEST(the_first_slab_is_small) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf_release(bpt_acquire(pool, 100));
    const bp_class_stats stats = bpt_class_stats(pool, 1);
    ck_assert_uint_gt(stats.committed_bytes, 0);
    ck_assert_uint_le(stats.committed_bytes, 2 * BPI_SLAB_FIRST_BYTES);
    ck_assert_uint_eq(stats.committed_bytes, bpt_stats(pool).committed_bytes);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(slabs_grow_with_their_class) {
    bp_pool *pool = bpt_pool_new(0);
    static bp_buf *many[20000];
    for (int i = 0; i < 20000; i++) many[i] = bpt_acquire(pool, 1000);
    const bp_class_stats stats = bpt_class_stats(pool, 2);
    ck_assert_uint_lt(stats.misses, 120); /* 20 MB in slabs of 16 KiB would be 1250 */
    ck_assert(bpi_pool_is_valid(pool));
    for (int i = 0; i < 20000; i++) bp_buf_release(many[i]);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

static void take_and_give(bp_pool *pool) {
    static bp_buf *many[20000];
    for (int i = 0; i < 20000; i++) many[i] = bpt_acquire(pool, 1000);
    for (int i = 0; i < 20000; i++) bp_buf_release(many[i]);
}

/* 20 MB, once. */
START_TEST(what_was_needed_once_goes_back_by_itself) {
    bp_pool *pool = bpt_pool_new(0);
    take_and_give(pool);
    ck_assert_uint_lt(bpt_stats(pool).committed_bytes, 1 << 20);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(what_is_needed_again_is_kept) {
    bp_pool *pool = bpt_pool_new(0);
    for (int i = 0; i < 3; i++) take_and_give(pool);
    const uint64_t misses = bpt_class_stats(pool, 2).misses;
    for (int i = 0; i < 10; i++) take_and_give(pool);
    ck_assert_uint_le(bpt_class_stats(pool, 2).misses, misses + 4);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_large_stride_has_slabs_of_one_buffer) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *first = bpt_acquire(pool, BPT_LARGEST_CLASS);
    const uint64_t one = bpt_class_stats(pool, 4).committed_bytes;
    ck_assert_uint_le(one, BPT_LARGEST_CLASS + bpi_os_page_size());
    bp_buf *second = bpt_acquire(pool, BPT_LARGEST_CLASS);
    ck_assert_uint_eq(bpt_class_stats(pool, 4).committed_bytes, 2 * one);
    bp_buf_release(first);
    bp_buf_release(second);
    bpt_pool_end_take(&pool);
}
END_TEST

/* However they came back: in address order they are several times cheaper to hand to another thread. */
START_TEST(the_depot_gives_in_address_order) {
    bpt_os_set_barrier(false); /* nothing but the depot */
    bp_pool *pool = bpt_pool_new(0);
    for (int i = 0; i < COUNT; i++) bufs[i] = bpt_acquire(pool, 1000);
    uint64_t state = 1;
    for (int i = COUNT - 1; i > 0; i--) {
        const uint32_t other = bpt_random(&state) % (uint32_t)(i + 1);
        bp_buf *swapped = bufs[i];
        bufs[i] = bufs[other];
        bufs[other] = swapped;
    }
    for (int i = 0; i < COUNT; i++) bp_buf_release(bufs[i]);
    const size_t spacing = class_of(pool, 2)->spacing;
    int rising = 0;
    for (int i = 0; i < COUNT; i++) {
        bufs[i] = bpt_acquire(pool, 1000);
        if (i > 0 && bp_buf_data(bufs[i]) == bp_buf_data(bufs[i - 1]) + spacing) rising++;
    }
    ck_assert_int_gt(rising, COUNT * 9 / 10);
    for (int i = 0; i < COUNT; i++) bp_buf_release(bufs[i]);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(what_is_freed_behind_the_cursor_comes_last) {
    bpt_os_set_barrier(false);
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *first = bpt_acquire(pool, 100);
    const uint64_t count = bpt_class_stats(pool, 1).idle + 1;
    ck_assert_uint_gt(count, 64); /* so that the cursor moves past the first word */
    for (uint64_t i = 1; i < 64; i++) bufs[i] = bpt_acquire(pool, 100);
    bufs[64] = bpt_acquire(pool, 100);
    bp_buf_release(first);
    for (uint64_t i = 65; i < count; i++) {
        bufs[i] = bpt_acquire(pool, 100);
        ck_assert_ptr_ne(bufs[i], first);
    }
    ck_assert_ptr_eq(bpt_acquire(pool, 100), first);
    bp_buf_release(first);
    for (uint64_t i = 1; i < count; i++) bp_buf_release(bufs[i]);
    bpt_pool_end_take(&pool);
}
END_TEST

static void acquire_and_release(bp_pool *pool, uint64_t size) {
    bp_buf *buf;
    bpt_must(bp_pool_acquire(pool, size, &buf) == BP_OK);
    bp_buf_release(buf);
}

START_TEST(what_a_long_time_did_not_need_is_given_back) {
    bpt_os_set_barrier(false);
    bp_pool *pool = bpt_pool_new(0);
    for (int i = 0; i < COUNT; i++) bufs[i] = bpt_acquire(pool, 4096);
    for (int i = 0; i < COUNT; i++) bp_buf_release(bufs[i]);
    const uint64_t peak = bpt_stats(pool).committed_bytes, trimmed = bpt_stats(pool).trimmed_bytes;
    ck_assert_uint_gt(bpt_stats(pool).committed_peak_bytes, COUNT * 4096);
    for (int i = 0; i < 2000 * COUNT; i++) acquire_and_release(pool, 4096);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_lt(stats.committed_bytes, BPI_REST_BYTES + BPI_SLAB_LAST_BYTES + BPI_SLAB_LAST_BYTES / 2);
    ck_assert_uint_ge(bpt_class_stats(pool, 3).idle * 4096, BPI_REST_BYTES);
    ck_assert_uint_eq(stats.trimmed_bytes, trimmed + peak - stats.committed_bytes);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_load_in_bursts_keeps_its_slabs) {
    bp_pool *pool = bpt_pool_new(0);
    uint64_t misses = 0;
    for (int turn = 0; turn < 200; turn++) {
        for (int i = 0; i < COUNT; i++) bufs[i] = bpt_acquire(pool, 4096);
        for (int i = 0; i < COUNT; i++) bp_buf_release(bufs[i]);
        if (turn == 100) misses = bpt_class_stats(pool, 3).misses;
    }
    ck_assert_uint_eq(bpt_class_stats(pool, 3).misses, misses);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_check_finds_a_broken_depot) {
    bpt_os_set_barrier(false);
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, 100);
    bpi_class *of = class_of(pool, 1);
    bpi_slab *slab = bpi_buf_slab(buf);
    ck_assert(bpi_pool_is_valid(pool));
    of->depot_count++;
    ck_assert(!bpi_pool_is_valid(pool));
    of->depot_count--;
    slab->free_count--;
    ck_assert(!bpi_pool_is_valid(pool));
    slab->free_count++;
    of->out++;
    ck_assert(!bpi_pool_is_valid(pool));
    of->out--;
    of->slab_bytes++;
    ck_assert(!bpi_pool_is_valid(pool));
    of->slab_bytes--;
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* A thread that ends may put nothing into a closed class, and then nothing of its own keeps the pool that it would
 * serve. */
START_TEST(who_puts_nothing_back_serves_nobody) {
    bp_pool *pool = bpt_pool_new(0);
    bpi_class *of = class_of(pool, 1);
    bp_buf *buf = bpt_acquire(pool, 100);
    BPI_STORE(&bpi_sized_of(pool)->wanted, of);
    bpi_lock_enter(&of->lock);
    bpi_depot_put(of, &buf, 0);
    ck_assert(!of->has_freed);
    bpi_lock_leave(&of->lock);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* Tight, or somebody waits: a slab is as small as one can be, and full of buffers for all that. */
START_TEST(slabs_are_small_where_memory_is_short) {
    bp_pool *pool = bpt_pool_new(0);
    bpi_sized *sized = bpi_sized_of(pool);
    sized->budget.accounts[BPI_COMMITTED].limit = UINT64_C(1) << 40;
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        bpi_class *of = class_of(pool, i);
        const uint64_t before = of->buf_count, least = bpi_slab_least_bytes(of);
        if (_i == 0) BPI_STORE(&sized->queue.waiting, 1);
        if (_i == 1) BPI_STORE(&sized->is_tight, 1);
        if (_i == 1) BPI_STORE(&sized->budget.accounts[BPI_COMMITTED].used, UINT64_C(15) << 36);
        bpt_ok(bpi_depot_grow(of));
        ck_assert_uint_eq(of->head->mapped_bytes, least);
        ck_assert_uint_eq(of->buf_count - before, of->stride > 4096 ? 1 : 4096 / of->stride);
    }
    BPI_STORE(&sized->queue.waiting, 0);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(slabs_grow_again_when_there_is_room) {
    bp_pool *pool = bpt_pool_new(0);
    bpi_sized_of(pool)->is_tight = 1; /* since the limit was reached once, but nobody holds anything any more */
    bpt_ok(bpi_depot_grow(class_of(pool, 1)));
    ck_assert_uint_gt(class_of(pool, 1)->slab_bytes, BPI_SLAB_FIRST_BYTES);
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_slab) {
    BPT_TEST(the_first_slab_is_small);
    BPT_TEST(slabs_grow_with_their_class);
    BPT_TEST(what_was_needed_once_goes_back_by_itself);
    BPT_TEST(what_is_needed_again_is_kept);
    BPT_TEST(a_large_stride_has_slabs_of_one_buffer);
    BPT_TEST(the_depot_gives_in_address_order);
    BPT_TEST(what_is_freed_behind_the_cursor_comes_last);
    BPT_TEST(what_a_long_time_did_not_need_is_given_back);
    BPT_TEST(a_load_in_bursts_keeps_its_slabs);
    BPT_TEST(a_check_finds_a_broken_depot);
    BPT_TEST(who_puts_nothing_back_serves_nobody);
    BPT_LOOP_TEST(slabs_are_small_where_memory_is_short, 0, 2);
    BPT_TEST(slabs_grow_again_when_there_is_room);
}
