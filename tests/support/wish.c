#include "tests/support/wish.h"
#include "tests/support/suite.h"

static uint64_t callbacks;

static void on_done(bp_reservation *reservation) {
    bpt_wish *wish = reservation->user;
    wish->told++;
    wish->order = __atomic_add_fetch(&callbacks, 1, __ATOMIC_RELAXED);
}

bp_err bpt_wish_for(bp_pool *pool, bpt_wish *wish, uint64_t size) {
    const bool can_block = wish->reservation.can_block;
    *wish = (bpt_wish){.reservation = {.size = size, .can_block = can_block, .on_done = on_done, .user = wish}};
    return bp_pool_reserve(pool, &wish->reservation);
}

void bpt_wish_waits(bp_pool *pool, bpt_wish *wish, uint64_t size) {
    bpt_err(bpt_wish_for(pool, wish, size), BP_PENDING);
    ck_assert_uint_eq(wish->told, 0);
}

void bpt_wish_is_granted(const bpt_wish *wish) {
    ck_assert_uint_eq(wish->told, 1);
    bpt_ok(wish->reservation.err);
    ck_assert_ptr_nonnull(wish->reservation.buf);
    ck_assert_uint_eq(bp_buf_capacity(wish->reservation.buf), wish->reservation.size);
}

void bpt_wish_failed(const bpt_wish *wish, bp_err err) {
    ck_assert_uint_eq(wish->told, 1);
    bpt_err(wish->reservation.err, err);
    ck_assert_ptr_null(wish->reservation.buf);
}

void bpt_wish_release(bpt_wish *wish) { bp_buf_release_take(&wish->reservation.buf); }
