/* What a reservation does on the pools that the library ships: each test runs on both, unless it is about classes. */
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "tests/support/wish.h"

#include <pthread.h>

enum { SIZED, HEAP, KIND_COUNT };
enum { LIMIT = 4 * BPT_LARGEST_CLASS + 64 * 1024, BIG = 200 * 1024, SMALL = 1000 };

static bp_pool *pool_of(int kind) {
    bp_pool *pool = NULL;
    if (kind == SIZED) return bpt_pool_new(LIMIT);
    bpt_ok(bp_heap_pool_new(LIMIT, &pool));
    return pool;
}

/* Nothing is out, nobody waits: the pool ends without a trace. */
static void end_take(bp_pool **pool) {
    ck_assert(bpi_pool_is_valid(*pool));
    const bp_pool_stats stats = bpt_stats(*pool);
    ck_assert_uint_eq(stats.waiting, 0);
    ck_assert_uint_eq(stats.waits, stats.waits_granted + stats.waits_failed + stats.waits_cancelled);
    ck_assert_uint_eq(stats.forced_bytes, 0);
    ck_assert_uint_eq(stats.forced_in_use, 0);
    bpt_pool_end_take(pool);
}

/* Takes big buffers until there is room for none; returns how many. */
static uint32_t fill(bp_pool *pool, bp_buf **bufs) {
    uint32_t count = 0;
    while (bp_pool_acquire(pool, BIG, &bufs[count]) == BP_OK) count++;
    ck_assert_uint_ge(count, 3);
    return count;
}

static void release_all(bp_buf **bufs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) bp_buf_release_take(&bufs[i]);
}

START_TEST(with_memory_a_reservation_is_an_acquire) {
    bp_pool *pool = pool_of(_i);
    bpt_wish wish = {0};
    bpt_ok(bpt_wish_for(pool, &wish, SMALL));
    ck_assert_uint_eq(wish.told, 0);
    bpt_ok(wish.reservation.err);
    ck_assert_uint_eq(bp_buf_capacity(wish.reservation.buf), SMALL);
    ck_assert(!bp_pool_cancel(pool, &wish.reservation));
    ck_assert_uint_eq(bpt_stats(pool).waits, 0);
    bpt_wish_release(&wish);
    end_take(&pool);
}
END_TEST

START_TEST(without_memory_it_waits_for_a_release) {
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    bpt_wish wish = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_wish_waits(pool, &wish, BIG);
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_uint_eq(bpt_stats(pool).waiting, 1);
    bp_buf_release(bufs[0]);
    bpt_wish_is_granted(&wish);
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_uint_eq(bpt_stats(pool).waiting, 0);
    ck_assert_uint_eq(bpt_stats(pool).waits_granted, 1);
    release_all(bufs + 1, count - 1);
    bpt_wish_release(&wish);
    end_take(&pool);
}
END_TEST

START_TEST(the_first_to_come_is_the_first_to_be_granted) {
    enum { WISHES = 20 };
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    bpt_wish wishes[WISHES] = {0};
    const uint32_t count = fill(pool, bufs);
    for (int i = 0; i < WISHES; i++) bpt_wish_waits(pool, &wishes[i], i % 2 == 0 ? BIG : BPT_LARGEST_CLASS);
    release_all(bufs, count);
    for (int i = 0; i < WISHES; i++) {
        bpt_wish_is_granted(&wishes[i]);
        if (i > 0) ck_assert_uint_eq(wishes[i].order, wishes[i - 1].order + 1);
        ck_assert(bpi_pool_is_valid(pool));
        bpt_wish_release(&wishes[i]);
    }
    end_take(&pool);
}
END_TEST

START_TEST(nobody_overtakes_who_waits) {
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8], *small = bpt_acquire(pool, SMALL), *out = NULL;
    bpt_wish big = {0}, tiny = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_wish_waits(pool, &big, 4 * BPT_LARGEST_CLASS); /* exact; needs everything back */
    bp_buf_release(small);
    bpt_err(bp_pool_acquire(pool, SMALL, &out), BP_ERR_LIMIT);
    ck_assert_ptr_null(out);
    bpt_err(bp_pool_acquire_class(pool, 2, SMALL, &out), BP_ERR_LIMIT);
    bpt_err(bp_pool_acquire(pool, BPT_LARGEST_CLASS + 1, &out), BP_ERR_LIMIT);
    bpt_wish_waits(pool, &tiny, 1);
    release_all(bufs, count - 1);
    ck_assert_uint_eq(big.told, 0);
    bpt_err(bp_pool_acquire(pool, BPT_LARGEST_CLASS + 1, &out), BP_ERR_LIMIT); /* for which there is room by now */
    bpt_err(bp_pool_acquire(pool, SMALL, &out), BP_ERR_LIMIT);
    bp_buf_release(bufs[count - 1]);
    bpt_wish_is_granted(&big);
    bpt_wish_is_granted(&tiny);
    ck_assert_uint_eq(tiny.order, big.order + 1);
    bpt_wish_release(&big);
    bpt_wish_release(&tiny);
    bp_buf_release(bpt_acquire(pool, SMALL));
    end_take(&pool);
}
END_TEST

START_TEST(what_can_never_be_given_is_refused_at_once) {
    bp_pool *pool = pool_of(_i);
    bpt_wish wish = {0};
    bpt_err(bpt_wish_for(pool, &wish, 0), BP_ERR_ARGUMENT);
    bpt_err(bpt_wish_for(pool, &wish, LIMIT), BP_ERR_ARGUMENT);
    bpt_err(bpt_wish_for(pool, &wish, UINT64_MAX), BP_ERR_ARGUMENT);
    wish.reservation = (bp_reservation){.size = SMALL};
    bpt_err(bp_pool_reserve(pool, &wish.reservation), BP_ERR_ARGUMENT);
    bp_pool_close(pool);
    bpt_err(bpt_wish_for(pool, &wish, SMALL), BP_ERR_CLOSED);
    end_take(&pool);
}
END_TEST

START_TEST(a_waiting_reservation_cannot_be_made_twice) {
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    bpt_wish wish = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_wish_waits(pool, &wish, BIG);
    bpt_err(bp_pool_reserve(pool, &wish.reservation), BP_ERR_ARGUMENT);
    ck_assert(bpi_pool_is_valid(pool));
    release_all(bufs, count);
    bpt_wish_is_granted(&wish);
    bpt_wish_release(&wish);
    bpt_ok(bp_pool_reserve(pool, &wish.reservation)); /* and once it is over, again */
    bpt_wish_release(&wish);
    end_take(&pool);
}
END_TEST

START_TEST(another_pool_cannot_cancel_it) {
    bp_pool *pool = pool_of(_i), *others[2] = {pool_of(SIZED), pool_of(HEAP)};
    bp_buf *bufs[8];
    bpt_wish wish = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_wish_waits(pool, &wish, BIG);
    for (int i = 0; i < 2; i++) {
        ck_assert(!bp_pool_cancel(others[i], &wish.reservation));
        bpt_err(bp_pool_reserve(others[i], &wish.reservation), BP_ERR_ARGUMENT);
        end_take(&others[i]);
    }
    release_all(bufs, count);
    bpt_wish_is_granted(&wish);
    bpt_wish_release(&wish);
    end_take(&pool);
}
END_TEST

START_TEST(a_cancelled_reservation_is_never_told) {
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    bpt_wish wishes[3] = {0};
    const uint32_t count = fill(pool, bufs);
    for (int i = 0; i < 3; i++) bpt_wish_waits(pool, &wishes[i], BIG);
    ck_assert(bp_pool_cancel(pool, &wishes[1].reservation));
    ck_assert(!bp_pool_cancel(pool, &wishes[1].reservation));
    ck_assert(bpi_pool_is_valid(pool));
    release_all(bufs, count);
    bpt_wish_is_granted(&wishes[0]);
    bpt_wish_is_granted(&wishes[2]);
    ck_assert_uint_eq(wishes[1].told, 0);
    ck_assert(!bp_pool_cancel(pool, &wishes[0].reservation));
    ck_assert_uint_eq(bpt_stats(pool).waits_cancelled, 1);
    bpt_wish_release(&wishes[0]);
    bpt_wish_release(&wishes[2]);
    end_take(&pool);
}
END_TEST

START_TEST(who_stood_behind_a_cancelled_head_is_served) {
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    bpt_wish big = {0}, small = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_wish_waits(pool, &big, 3 * BPT_LARGEST_CLASS);
    bpt_wish_waits(pool, &small, SMALL);
    ck_assert(bp_pool_cancel(pool, &big.reservation));
    bpt_wish_is_granted(&small); /* there was room for it all the time */
    release_all(bufs, count);
    bpt_wish_release(&small);
    end_take(&pool);
}
END_TEST

START_TEST(close_tells_everybody_who_waits) {
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    bpt_wish wishes[3] = {0};
    const uint32_t count = fill(pool, bufs);
    for (int i = 0; i < 3; i++) bpt_wish_waits(pool, &wishes[i], BIG);
    bp_pool_close(pool);
    for (int i = 0; i < 3; i++) {
        bpt_wish_failed(&wishes[i], BP_ERR_CLOSED);
        if (i > 0) ck_assert_uint_eq(wishes[i].order, wishes[i - 1].order + 1);
    }
    ck_assert_uint_eq(bpt_stats(pool).waits_failed, 3);
    release_all(bufs, count);
    end_take(&pool);
}
END_TEST

START_TEST(the_last_reference_ends_every_wait) {
    bpt_os_watch();
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    bpt_wish wish = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_wish_waits(pool, &wish, BIG);
    bp_pool_release_take(&pool);
    bpt_wish_failed(&wish, BP_ERR_CLOSED);
    release_all(bufs, count);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(an_impossible_size_is_refused_while_others_wait) {
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8], *out = NULL;
    bpt_wish wish = {0}, never = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_wish_waits(pool, &wish, BIG);
    bpt_err(bp_pool_acquire(pool, LIMIT, &out), BP_ERR_ARGUMENT);
    bpt_err(bpt_wish_for(pool, &never, LIMIT), BP_ERR_ARGUMENT);
    release_all(bufs, count);
    bpt_wish_is_granted(&wish);
    bpt_wish_release(&wish);
    end_take(&pool);
}
END_TEST

/* ---- callbacks ---- */

typedef struct relay {
    bp_reservation reservation;
    bp_pool *pool;
    struct relay *next; /* who is told next, when this one gives its buffer back */
    bool is_inside, was_nested;
    bool *is_any_inside;
    uint32_t told;
    bp_err wait_err;
} relay;

/* Gives its buffer back at once: the next one is granted while this one is still being told. */
static void pass_on(bp_reservation *reservation) {
    relay *self = reservation->user;
    bp_buf *buf = NULL;
    self->was_nested = *self->is_any_inside;
    *self->is_any_inside = true;
    self->told++;
    bp_buf_release_take(&reservation->buf);
    self->wait_err = bp_pool_acquire_wait(self->pool, 1, 0, &buf);
    *self->is_any_inside = false;
}

START_TEST(a_grant_within_a_callback_is_told_after_it) {
    enum { RELAYS = 1000 };
    static relay relays[RELAYS];
    bool is_any_inside = false;
    bp_pool *pool = pool_of(_i);
    bp_buf *bufs[8];
    const uint32_t count = fill(pool, bufs);
    for (int i = 0; i < RELAYS; i++) {
        relays[i] = (relay){.reservation = {.size = 3 * BPT_LARGEST_CLASS, .on_done = pass_on, .user = &relays[i]},
                            .pool = pool,
                            .is_any_inside = &is_any_inside};
        bpt_err(bp_pool_reserve(pool, &relays[i].reservation), BP_PENDING);
    }
    release_all(bufs, count);
    for (int i = 0; i < RELAYS; i++) {
        ck_assert_uint_eq(relays[i].told, 1);
        ck_assert(!relays[i].was_nested);
        bpt_err(relays[i].wait_err, BP_ERR_WOULD_BLOCK);
    }
    end_take(&pool);
}
END_TEST

static void end_pool(bp_reservation *reservation) {
    relay *self = reservation->user;
    self->told++;
    bp_buf_release_take(&reservation->buf);
    bp_pool_release_take(&self->pool);
}

START_TEST(a_callback_may_end_the_pool) {
    bpt_os_watch();
    relay self = {.reservation = {.size = BIG, .on_done = end_pool, .user = &self}, .pool = pool_of(_i)};
    bp_buf *bufs[8];
    const uint32_t count = fill(self.pool, bufs);
    bpt_err(bp_pool_reserve(self.pool, &self.reservation), BP_PENDING);
    release_all(bufs, count);
    ck_assert_uint_eq(self.told, 1);
    ck_assert_ptr_null(self.pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* ---- forced grants ---- */

static bp_pool *forcing_pool(int kind, uint64_t forced_limit) {
    const bp_pool_config config = {.classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = LIMIT,
                                   .forced_limit = forced_limit};
    bp_pool *pool = NULL;
    bpt_ok((kind == SIZED ? bp_pool_factory_sized : bp_pool_factory_heap)(&config, NULL, &pool));
    return pool;
}

START_TEST(who_can_block_is_granted_outside_of_the_limit) {
    bp_pool *pool = forcing_pool(_i, BIG + sizeof(bp_buf));
    bp_buf *bufs[8];
    bpt_wish forced = {.reservation = {.can_block = true}}, more = {.reservation = {.can_block = true}};
    const uint32_t count = fill(pool, bufs);
    const bp_pool_stats before = bpt_stats(pool);
    bpt_ok(bpt_wish_for(pool, &forced, BIG));
    ck_assert_uint_eq(bp_buf_capacity(forced.reservation.buf), BIG);
    bpt_wish_waits(pool, &more, BIG); /* that limit is reached as well */
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.committed_bytes, before.committed_bytes);
    ck_assert_uint_eq(stats.exact_in_use, before.exact_in_use);
    ck_assert_uint_eq(stats.forced_bytes, BIG + sizeof(bp_buf));
    ck_assert_uint_eq(stats.forced_in_use, 1);
    ck_assert_uint_eq(stats.forced_limit, BIG + sizeof(bp_buf));
    ck_assert(bpi_pool_is_valid(pool));
    bpt_wish_release(&forced);
    bpt_wish_is_granted(&more); /* what comes free there is for those who can block */
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, before.committed_bytes);
    release_all(bufs, count);
    bpt_wish_release(&more);
    const bp_pool_stats after = bpt_stats(pool);
    ck_assert_uint_eq(after.forced_peak_bytes, BIG + sizeof(bp_buf));
    ck_assert_uint_eq(after.forced_grants, 2);
    end_take(&pool);
}
END_TEST

/* In the order among themselves, and not in front of anybody: those before them wait for other memory. */
START_TEST(who_can_block_and_waits_is_forced_when_that_comes_free) {
    bp_pool *pool = forcing_pool(_i, 2 * (BIG + sizeof(bp_buf)));
    bp_buf *bufs[8];
    bpt_wish forced[2] = {{.reservation = {.can_block = true}}, {.reservation = {.can_block = true}}};
    bpt_wish first = {0}, second = {.reservation = {.can_block = true}}, third = second, last = {0};
    const uint32_t count = fill(pool, bufs);
    bpt_ok(bpt_wish_for(pool, &forced[0], BIG));
    bpt_ok(bpt_wish_for(pool, &forced[1], BIG));
    bpt_wish_waits(pool, &first, BIG);
    bpt_wish_waits(pool, &second, 2 * BIG);
    bpt_wish_waits(pool, &third, SMALL);
    bpt_wish_waits(pool, &last, SMALL);
    bpt_wish_release(&forced[0]);
    ck_assert_uint_eq(second.told + third.told, 0); /* too little for the one, and not the other's turn */
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert(bp_pool_cancel(pool, &second.reservation));
    bpt_wish_is_granted(&third);
    bpt_wish_release(&forced[1]);
    ck_assert_uint_eq(first.told + last.told, 0);
    release_all(bufs, count);
    bpt_wish_is_granted(&first);
    bpt_wish_is_granted(&last);
    bpt_wish_release(&first);
    bpt_wish_release(&third);
    bpt_wish_release(&last);
    end_take(&pool);
}
END_TEST

/* Nor does one of those who can block overtake another: the second would fit. */
START_TEST(what_is_forced_is_given_in_turn) {
    bp_pool *pool = forcing_pool(_i, BIG + SMALL + 2 * sizeof(bp_buf));
    bp_buf *bufs[8];
    bpt_wish forced = {.reservation = {.can_block = true}}, first = forced, second = forced;
    const uint32_t count = fill(pool, bufs);
    bpt_ok(bpt_wish_for(pool, &forced, BIG));
    bpt_wish_waits(pool, &first, BIG);
    bpt_wish_waits(pool, &second, SMALL);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_wish_release(&forced);
    bpt_wish_is_granted(&first);
    bpt_wish_is_granted(&second);
    ck_assert_uint_eq(second.order, first.order + 1);
    release_all(bufs, count);
    bpt_wish_release(&first);
    bpt_wish_release(&second);
    end_take(&pool);
}
END_TEST

START_TEST(behind_a_head_that_was_forced_the_next_is_looked_at) {
    bp_pool *pool = forcing_pool(_i, BIG + sizeof(bp_buf));
    bp_buf *bufs[8], *small;
    bpt_wish forced = {.reservation = {.can_block = true}}, head = forced, next = {0};
    uint32_t count = fill(pool, bufs);
    bpt_ok(bpt_wish_for(pool, &forced, BIG));
    bpt_wish_waits(pool, &head, BIG);
    bpt_wish_waits(pool, &next, SMALL);
    bpt_err(bp_pool_acquire(pool, SMALL, &small), BP_ERR_LIMIT);
    bpt_wish_release(&forced); /* there was room for SMALL all the time */
    bpt_wish_is_granted(&head);
    bpt_wish_is_granted(&next);
    release_all(bufs, count);
    bpt_wish_release(&head);
    bpt_wish_release(&next);
    end_take(&pool);
}
END_TEST

START_TEST(with_memory_nothing_is_forced) {
    bp_pool *pool = forcing_pool(_i, LIMIT);
    bpt_wish wish = {.reservation = {.can_block = true}};
    bpt_ok(bpt_wish_for(pool, &wish, BIG));
    ck_assert_uint_eq(bpt_stats(pool).forced_grants, 0);
    bpt_wish_release(&wish);
    end_take(&pool);
}
END_TEST

/* ---- pools that cannot wait ---- */

typedef struct plain_pool {
    bp_pool head;
    bp_err answer;
} plain_pool;

static bp_err plain_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    (void)size;
    *out = NULL;
    return ((plain_pool *)(void *)pool)->answer;
}
static void plain_release(bp_pool *pool, bp_buf *buf) { (void)pool, (void)buf; }
static void plain_free(bp_pool *pool) { (void)pool; }

START_TEST(a_pool_that_cannot_wait_answers_as_its_acquire) {
    const bp_pool_table table = {.table_bytes = offsetof(bp_pool_table, reserve),
                                 .acquire = plain_acquire,
                                 .release = plain_release,
                                 .free = plain_free};
    plain_pool pool = {.answer = BP_ERR_LIMIT};
    bp_buf *buf = NULL;
    bpt_wish wish = {0};
    bpt_ok(bp_pool_init(&pool.head, &table));
    bpt_err(bpt_wish_for(&pool.head, &wish, 10), BP_ERR_LIMIT);
    bpt_err(wish.reservation.err, BP_ERR_LIMIT);
    ck_assert(!bp_pool_cancel(&pool.head, &wish.reservation));
    bpt_err(bp_pool_acquire_wait(&pool.head, 10, UINT32_MAX, &buf), BP_ERR_LIMIT);
    bp_pool *head = &pool.head;
    bp_pool_release_take(&head);
}
END_TEST

BPT_SUITE(pool_reserve) {
    BPT_LOOP_TEST(with_memory_a_reservation_is_an_acquire, 0, KIND_COUNT);
    BPT_LOOP_TEST(without_memory_it_waits_for_a_release, 0, KIND_COUNT);
    BPT_LOOP_TEST(the_first_to_come_is_the_first_to_be_granted, 0, KIND_COUNT);
    BPT_LOOP_TEST(nobody_overtakes_who_waits, 0, KIND_COUNT);
    BPT_LOOP_TEST(what_can_never_be_given_is_refused_at_once, 0, KIND_COUNT);
    BPT_LOOP_TEST(a_waiting_reservation_cannot_be_made_twice, 0, KIND_COUNT);
    BPT_LOOP_TEST(another_pool_cannot_cancel_it, 0, KIND_COUNT);
    BPT_LOOP_TEST(a_cancelled_reservation_is_never_told, 0, KIND_COUNT);
    BPT_LOOP_TEST(who_stood_behind_a_cancelled_head_is_served, 0, KIND_COUNT);
    BPT_LOOP_TEST(close_tells_everybody_who_waits, 0, KIND_COUNT);
    BPT_LOOP_TEST(the_last_reference_ends_every_wait, 0, KIND_COUNT);
    BPT_LOOP_TEST(a_grant_within_a_callback_is_told_after_it, 0, KIND_COUNT);
    BPT_LOOP_TEST(a_callback_may_end_the_pool, 0, KIND_COUNT);
    BPT_LOOP_TEST(who_can_block_is_granted_outside_of_the_limit, 0, KIND_COUNT);
    BPT_LOOP_TEST(who_can_block_and_waits_is_forced_when_that_comes_free, 0, KIND_COUNT);
    BPT_LOOP_TEST(what_is_forced_is_given_in_turn, 0, KIND_COUNT);
    BPT_LOOP_TEST(behind_a_head_that_was_forced_the_next_is_looked_at, 0, KIND_COUNT);
    BPT_LOOP_TEST(with_memory_nothing_is_forced, 0, KIND_COUNT);
    BPT_LOOP_TEST(an_impossible_size_is_refused_while_others_wait, 0, KIND_COUNT);
    BPT_TEST(a_pool_that_cannot_wait_answers_as_its_acquire);
}
