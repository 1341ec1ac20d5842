#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <string.h>

enum { LENGTH = 90, ROOM = 1000, TYPE = 4711 };

static void fill(bp_buf *buf) {
    for (uint32_t i = 0; i < LENGTH; i++) bp_buf_data(buf)[i] = (uint8_t)(i * 7 + 1);
    bp_buf_set_length(buf, LENGTH);
    bp_buf_set_type(buf, TYPE);
}

static bool is_filled(const bp_buf *buf) {
    for (uint32_t i = 0; i < LENGTH; i++) {
        if (bp_buf_data(buf)[i] != (uint8_t)(i * 7 + 1)) return false;
    }
    return bp_buf_length(buf) == LENGTH && bp_buf_type(buf) == TYPE;
}

static void count_release(bp_wrap *wrap, uint8_t *data, void *user) {
    (void)wrap, (void)data;
    ++*(unsigned *)user;
}

/* A buffer of each kind that there is: pooled, exact, of the heap pool, wrapped. */
enum { POOLED, EXACT, HEAP, WRAPPED, KIND_COUNT };
static bp_wrap wrap;
static uint8_t wrapped_bytes[ROOM];
static unsigned wrap_released;

static bp_buf *buf_of_kind(int kind, bp_pool *pool, bp_pool *heap) {
    if (kind == WRAPPED) return bp_buf_wrap(&wrap, wrapped_bytes, ROOM, count_release, &wrap_released);
    return bpt_acquire(kind == HEAP ? heap : pool, kind == EXACT ? BPT_LARGEST_CLASS + 1 : ROOM);
}

/* How many buffers of the two pools and of the wrap are held. */
static uint64_t held(bp_pool *pool, bp_pool *heap) {
    const bp_pool_stats stats = bpt_stats(pool);
    return stats.total.in_use + stats.exact_in_use + bpt_stats(heap).exact_in_use;
}

START_TEST(the_contents_of_every_kind_move) {
    bp_pool *pool = bpt_pool_new(0), *heap = NULL, *to = bpt_pool_new(0);
    bpt_ok(bp_heap_pool_new(0, &heap));
    bp_buf *buf = buf_of_kind(_i, pool, heap);
    fill(buf);
    bpt_ok(bp_buf_copy_out(&buf, to));
    ck_assert_ptr_eq(bp_buf_pool(buf), to);
    ck_assert(is_filled(buf));
    ck_assert_uint_eq(bp_buf_capacity(buf), LENGTH);
    ck_assert(!bp_buf_is_sensitive(buf));
    ck_assert_uint_eq(held(pool, heap), 0);
    ck_assert_uint_eq(wrap_released, _i == WRAPPED);
    ck_assert_uint_eq(bpt_stats(to).total.in_use, 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&to);
    bpt_pool_end_take(&heap);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(into_a_heap_pool_or_the_same_pool) {
    bp_pool *pool = bpt_pool_new(0), *heap = NULL;
    bpt_ok(bp_heap_pool_new(0, &heap));
    bp_buf *buf = bpt_acquire(pool, ROOM), *old = buf;
    fill(buf);
    bpt_ok(bp_buf_copy_out(&buf, pool));
    ck_assert(is_filled(buf) && buf != old);
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1);
    bpt_ok(bp_buf_copy_out(&buf, heap));
    ck_assert(is_filled(buf));
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 0);
    bp_buf_release(buf);
    bpt_pool_end_take(&heap);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(nothing_can_be_moved) {
    bp_pool *pool = bpt_pool_new(0);
    bp_buf *buf = bp_buf_wrap(&wrap, NULL, 0, NULL, NULL);
    bp_buf_set_type(buf, TYPE);
    bpt_ok(bp_buf_copy_out(&buf, pool));
    ck_assert_uint_eq(bp_buf_length(buf), 0);
    ck_assert_uint_eq(bp_buf_capacity(buf), 1);
    ck_assert_uint_eq(bp_buf_type(buf), TYPE);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_shared_buffer_stays_with_the_others) {
    bp_pool *pool = bpt_pool_new(0), *to = bpt_pool_new(0);
    bp_buf *shared = bpt_acquire(pool, ROOM);
    fill(shared);
    bp_buf *mine = bp_buf_retain(shared);
    bpt_ok(bp_buf_copy_out(&mine, to));
    ck_assert(mine != shared && is_filled(mine) && is_filled(shared));
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1);
    bp_buf_data(mine)[0] = 99; /* sole owner of its own bytes again */
    ck_assert(is_filled(shared));
    bp_buf_release(shared);
    bp_buf_release(mine);
    bpt_pool_end_take(&to);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_secret_stays_one_and_is_wiped_in_both_places) {
    bp_pool *pool = bpt_pool_new(0), *to = bpt_pool_new(0);
    bp_buf *buf = bpt_acquire(pool, ROOM);
    fill(buf);
    bp_buf_set_sensitive(buf);
    bpt_ok(bp_buf_copy_out(&buf, to));
    ck_assert(bp_buf_is_sensitive(buf) && is_filled(buf));
    ck_assert_uint_eq(bpt_stats(pool).total.wiped, 1);
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(to).total.wiped, 1);
    bpt_pool_end_take(&to);
    bpt_pool_end_take(&pool);
}
END_TEST

/* A pool that is closed, one whose limit is reached, one that never gives that many, a system without memory. */
START_TEST(a_failure_changes_nothing) {
    const bp_err expected[] = {BP_ERR_CLOSED, BP_ERR_LIMIT, BP_ERR_ARGUMENT, BP_ERR_NO_MEMORY};
    const uint64_t limits[] = {0, 2 * LENGTH, LENGTH, 0};
    bp_pool *pool = NULL, *to = NULL;
    bpt_os_watch();
    pool = bpt_pool_new(0);
    bpt_ok(bp_heap_pool_new(limits[_i], &to));
    bp_buf *buf = bpt_acquire(pool, ROOM), *old = buf, *in_the_way = bpt_acquire(to, 50);
    fill(buf);
    bp_buf_retain(buf);
    if (_i == 0) bp_pool_close(to);
    if (_i == 3) bpt_os_fail(0, true);
    bpt_err(bp_buf_copy_out(&buf, to), expected[_i]);
    bpt_os_fail(UINT64_MAX, false);
    ck_assert_ptr_eq(buf, old);
    ck_assert(is_filled(buf));
    ck_assert_uint_eq(bpt_stats(to).exact_in_use, 1);
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1); /* both references are still there */
    bp_buf_release(buf);
    bp_buf_release(in_the_way);
    bpt_pool_end_take(&to);
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* What it is for: holders who keep little of large buffers do not stand in the way of who needs them. */
START_TEST(holders_that_keep_copies_leave_the_pool_to_others) {
    enum { LIMIT = 4 * BPT_LARGEST_CLASS, MANY = 100 };
    bp_pool *pool = bpt_pool_new(LIMIT), *keep = NULL;
    bp_buf *kept[MANY];
    bpt_ok(bp_heap_pool_new(MANY * (LENGTH + sizeof(bp_buf)), &keep));
    for (int i = 0; i < MANY; i++) {
        kept[i] = bpt_acquire(pool, BPT_LARGEST_CLASS);
        fill(kept[i]);
        bpt_ok(bp_buf_copy_out(&kept[i], keep));
    }
    bp_buf *one_more = bpt_acquire(pool, BPT_LARGEST_CLASS);
    fill(one_more);
    bpt_err(bp_buf_copy_out(&one_more, keep), BP_ERR_LIMIT); /* bounded by the other pool's limit */
    bp_buf_release(one_more);
    for (int i = 0; i < MANY; i++) {
        ck_assert(is_filled(kept[i]));
        bp_buf_release(kept[i]);
    }
    bpt_pool_end_take(&keep);
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_copy_out) {
    BPT_LOOP_TEST(the_contents_of_every_kind_move, 0, KIND_COUNT);
    BPT_TEST(into_a_heap_pool_or_the_same_pool);
    BPT_TEST(nothing_can_be_moved);
    BPT_TEST(a_shared_buffer_stays_with_the_others);
    BPT_TEST(a_secret_stays_one_and_is_wiped_in_both_places);
    BPT_LOOP_TEST(a_failure_changes_nothing, 0, 4);
    BPT_TEST(holders_that_keep_copies_leave_the_pool_to_others);
}
