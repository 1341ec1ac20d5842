/* The queue alone, on a pool that has nothing but a number of units and gives one descriptor per grant. */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "tests/support/wish.h"

#include <pthread.h>

typedef struct unit_pool {
    bp_pool head;
    bpi_queue queue;
    uint64_t units, grants; /* free; how often a buffer was asked for */
    bp_err error;           /* what the next grant answers instead, unless it is BP_OK */
    bool is_freed;
} unit_pool;

static unit_pool *units_of(bp_pool *pool) { return (unit_pool *)(void *)pool; }

static bp_err unit_grant(bp_pool *pool, uint64_t size, bp_buf **out) {
    unit_pool *self = units_of(pool);
    const bp_err err = self->error;
    self->grants++;
    self->error = BP_OK;
    if (err != BP_OK) return err;
    if (size > self->units) return BP_ERR_LIMIT;
    self->units -= size;
    *out = calloc(1, sizeof(bp_buf));
    ck_assert_ptr_nonnull(*out);
    bp_buf_init(*out, pool, NULL, (uint32_t)size);
    return BP_OK;
}

static bp_err unit_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    (void)pool, (void)size;
    *out = NULL;
    return BP_ERR_LIMIT;
}

static bp_err unit_reserve(bp_pool *pool, bp_reservation *one) { return bpi_queue_wait(&units_of(pool)->queue, one); }
static bool unit_cancel(bp_pool *pool, bp_reservation *one) { return bpi_queue_cancel(&units_of(pool)->queue, one); }
static void unit_close(bp_pool *pool) { bpi_queue_close(&units_of(pool)->queue); }
static void unit_free(bp_pool *pool) { units_of(pool)->is_freed = true; }

static void give(unit_pool *pool, uint64_t units) {
    bpi_lock_enter(&pool->queue.lock);
    pool->units += units;
    bpi_lock_leave(&pool->queue.lock);
    bpi_queue_poke(&pool->queue);
}

static void unit_release(bp_pool *pool, bp_buf *buf) {
    const uint32_t units = bp_buf_capacity(buf);
    free(buf);
    give(units_of(pool), units);
}

static const bp_pool_table unit_table = {.table_bytes = sizeof unit_table,
                                         .acquire = unit_acquire,
                                         .release = unit_release,
                                         .free = unit_free,
                                         .close = unit_close,
                                         .reserve = unit_reserve,
                                         .cancel = unit_cancel};

static void start(unit_pool *pool, uint64_t units) {
    *pool = (unit_pool){.units = units};
    bpt_ok(bp_pool_init(&pool->head, &unit_table));
    bpi_queue_init(&pool->queue, &pool->head, unit_grant, NULL, NULL);
}

static void end(unit_pool *pool) {
    bp_pool *head = &pool->head;
    ck_assert(bpi_queue_is_valid(&pool->queue));
    bp_pool_release_take(&head);
    ck_assert(pool->is_freed); /* nobody kept a life of it */
    bpi_queue_fini(&pool->queue);
}

START_TEST(what_there_is_is_granted_at_once) {
    unit_pool pool;
    bpt_wish wish = {0};
    start(&pool, 5);
    bpt_ok(bpt_wish_for(&pool.head, &wish, 5));
    ck_assert_uint_eq(wish.told, 0);
    ck_assert_uint_eq(pool.queue.waits, 0);
    ck_assert(!bp_pool_cancel(&pool.head, &wish.reservation));
    bpt_wish_release(&wish);
    end(&pool);
}
END_TEST

START_TEST(an_error_of_the_first_grant_is_answered_at_once) {
    unit_pool pool;
    bpt_wish wish = {0};
    start(&pool, 5);
    pool.error = BP_ERR_NO_MEMORY;
    bpt_err(bpt_wish_for(&pool.head, &wish, 5), BP_ERR_NO_MEMORY);
    ck_assert_uint_eq(wish.told, 0);
    ck_assert(!bpi_queue_is_waiting(&pool.queue));
    end(&pool);
}
END_TEST

START_TEST(an_error_ends_one_wait_and_not_the_next) {
    unit_pool pool;
    bpt_wish wishes[2] = {0};
    start(&pool, 0);
    bpt_wish_waits(&pool.head, &wishes[0], 1);
    bpt_wish_waits(&pool.head, &wishes[1], 1);
    pool.error = BP_ERR_NO_MEMORY;
    give(&pool, 1);
    bpt_wish_failed(&wishes[0], BP_ERR_NO_MEMORY);
    bpt_wish_is_granted(&wishes[1]);
    bpt_wish_release(&wishes[1]);
    end(&pool);
}
END_TEST

/* However many wait, only the first of them is tried. */
START_TEST(a_release_costs_the_same_with_ten_thousand_who_wait) {
    enum { WISHES = 10000 };
    static bpt_wish wishes[WISHES];
    unit_pool pool;
    start(&pool, 0);
    for (int i = 0; i < WISHES; i++) bpt_wish_waits(&pool.head, &wishes[i], 2);
    ck_assert_uint_eq(pool.grants, 1);
    give(&pool, 1);
    ck_assert_uint_eq(pool.grants, 2);
    give(&pool, 1);
    ck_assert_uint_eq(pool.grants, 4); /* the first has it, the second is tried */
    bpt_wish_is_granted(&wishes[0]);
    for (int i = WISHES - 1; i > 0; i--) ck_assert(bp_pool_cancel(&pool.head, &wishes[i].reservation));
    ck_assert_uint_le(pool.grants, 5);
    bpt_wish_release(&wishes[0]);
    end(&pool);
}
END_TEST

/* The first, one between others, the last, the only one. */
START_TEST(any_place_in_the_queue_can_be_left) {
    enum { WISHES = 5 };
    unit_pool pool;
    bpt_wish wishes[WISHES] = {0};
    const int count = _i == WISHES ? 1 : WISHES, leaving = _i == WISHES ? 0 : _i;
    start(&pool, 0);
    for (int i = 0; i < count; i++) bpt_wish_waits(&pool.head, &wishes[i], 1);
    ck_assert(bp_pool_cancel(&pool.head, &wishes[leaving].reservation));
    ck_assert(bpi_queue_is_valid(&pool.queue));
    bpt_wish_waits(&pool.head, &wishes[leaving], 1); /* and comes back, behind all others */
    give(&pool, WISHES);
    for (int i = 0; i < count; i++) {
        bpt_wish_is_granted(&wishes[i]);
        ck_assert_uint_le(wishes[i].order, wishes[leaving].order);
    }
    for (int i = 0; i < count; i++) bpt_wish_release(&wishes[i]);
    end(&pool);
}
END_TEST

/* ---- callbacks while others are told ---- */

typedef struct caller {
    bp_reservation reservation;
    unit_pool *pool;
    bp_reservation *next;
    bool was_cancelled, was_told;
    pthread_barrier_t *step;
} caller;

static void cancel_next(bp_reservation *reservation) {
    caller *self = reservation->user;
    self->was_told = true;
    self->was_cancelled = bp_pool_cancel(&self->pool->head, self->next);
    bp_buf_release_take(&reservation->buf);
}

START_TEST(who_is_granted_and_not_told_yet_can_be_cancelled) {
    unit_pool pool;
    bpt_wish next = {0}, last = {0};
    caller self = {.reservation = {.size = 1, .on_done = cancel_next, .user = &self},
                   .pool = &pool,
                   .next = &next.reservation};
    start(&pool, 0);
    bpt_err(bp_pool_reserve(&pool.head, &self.reservation), BP_PENDING);
    bpt_wish_waits(&pool.head, &next, 1);
    bpt_wish_waits(&pool.head, &last, 3);
    give(&pool, 3); /* two are granted, and the third needs what both give back */
    ck_assert(self.was_cancelled);
    ck_assert_uint_eq(next.told, 0);
    ck_assert_ptr_null(next.reservation.buf);
    bpt_wish_is_granted(&last);
    ck_assert_uint_eq(pool.queue.granted, 2);
    ck_assert_uint_eq(pool.queue.cancelled, 1);
    bpt_wish_release(&last);
    end(&pool);
}
END_TEST

static void close_here(bp_reservation *reservation) {
    caller *self = reservation->user;
    self->was_told = true;
    bp_pool_close(&self->pool->head);
    bp_buf_release_take(&reservation->buf);
}

START_TEST(a_callback_may_close_the_pool) {
    unit_pool pool;
    bpt_wish next = {0};
    caller self = {.reservation = {.size = 1, .on_done = close_here, .user = &self}, .pool = &pool};
    start(&pool, 0);
    bpt_err(bp_pool_reserve(&pool.head, &self.reservation), BP_PENDING);
    bpt_wish_waits(&pool.head, &next, 1);
    give(&pool, 1);
    ck_assert(self.was_told);
    bpt_wish_failed(&next, BP_ERR_CLOSED);
    end(&pool);
}
END_TEST

static void stay_inside(bp_reservation *reservation) {
    caller *self = reservation->user;
    self->was_told = true;
    (void)pthread_barrier_wait(self->step); /* inside */
    (void)pthread_barrier_wait(self->step); /* the others have been granted */
}

static void *give_one(void *pool) {
    give(pool, 1);
    return NULL;
}

/* The second thread that frees memory neither waits for the callback nor tells anybody itself. */
START_TEST(two_who_release_tell_in_the_order_of_the_grants) {
    enum { WISHES = 3 };
    unit_pool pool;
    pthread_t thread;
    pthread_barrier_t step;
    bpt_wish wishes[WISHES] = {0};
    caller self = {.reservation = {.size = 1, .on_done = stay_inside, .user = &self}, .pool = &pool, .step = &step};
    start(&pool, 0);
    ck_assert_int_eq(pthread_barrier_init(&step, NULL, 2), 0);
    bpt_err(bp_pool_reserve(&pool.head, &self.reservation), BP_PENDING);
    for (int i = 0; i < WISHES; i++) bpt_wish_waits(&pool.head, &wishes[i], 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, give_one, &pool), 0);
    (void)pthread_barrier_wait(&step);
    give(&pool, WISHES);
    for (int i = 0; i < WISHES; i++) ck_assert_uint_eq(wishes[i].told, 0);
    ck_assert_uint_eq(pool.queue.ready_count, WISHES);
    (void)pthread_barrier_wait(&step);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    for (int i = 0; i < WISHES; i++) {
        bpt_wish_is_granted(&wishes[i]);
        if (i > 0) ck_assert_uint_eq(wishes[i].order, wishes[i - 1].order + 1);
        bpt_wish_release(&wishes[i]);
    }
    bp_buf_release_take(&self.reservation.buf);
    end(&pool);
}
END_TEST

/* ---- time ---- */

static uint64_t read_clock(void *user) { return *(uint64_t *)user; }

START_TEST(the_oldest_and_the_longest_wait_are_known) {
    uint64_t now = 1000;
    unit_pool pool;
    bpt_wish wishes[2] = {0};
    bp_pool_stats stats = {0};
    start(&pool, 0);
    pool.queue.now_ms = read_clock;
    pool.queue.now_user = &now;
    bpt_wish_waits(&pool.head, &wishes[0], 1);
    now = 1030;
    bpt_wish_waits(&pool.head, &wishes[1], 1);
    now = 1100;
    ck_assert_uint_eq(bpi_queue_stats(&pool.queue, &stats), 2);
    ck_assert_uint_eq(stats.waiting, 2);
    ck_assert_uint_eq(stats.oldest_wait_ms, 100);
    ck_assert_uint_eq(stats.longest_wait_ms, 0);
    give(&pool, 1);
    now = 1101;
    (void)bpi_queue_stats(&pool.queue, &stats);
    ck_assert_uint_eq(stats.oldest_wait_ms, 71);
    ck_assert_uint_eq(stats.longest_wait_ms, 100);
    now = 20; /* a clock that falls is the user's mistake, and no wait of ages */
    give(&pool, 1);
    (void)bpi_queue_stats(&pool.queue, &stats);
    ck_assert_uint_eq(stats.oldest_wait_ms, 0);
    ck_assert_uint_eq(stats.longest_wait_ms, 100);
    for (int i = 0; i < 2; i++) bpt_wish_release(&wishes[i]);
    end(&pool);
}
END_TEST

/* ---- random steps beside a plain list ---- */

enum { SLOTS = 24, STEPS = 20000 };

typedef struct row {
    int order[SLOTS]; /* slots in the order in which they wait */
    int count;
} row;

static void line_remove(row *line, int slot) {
    int at = 0;
    while (line->order[at] != slot) at++;
    line->count--;
    for (; at < line->count; at++) line->order[at] = line->order[at + 1];
}

/* What a strictly fair pool would grant now. */
static void line_serve(row *line, bpt_wish *wishes, uint64_t *units) {
    while (line->count > 0 && wishes[line->order[0]].reservation.size <= *units) {
        const int slot = line->order[0];
        *units -= wishes[slot].reservation.size;
        bpt_wish_is_granted(&wishes[slot]);
        line_remove(line, slot);
    }
    for (int i = 0; i < line->count; i++) ck_assert_uint_eq(wishes[line->order[i]].told, 0);
}

static bool is_in(const row *line, int slot) {
    for (int i = 0; i < line->count; i++) {
        if (line->order[i] == slot) return true;
    }
    return false;
}

static void random_step(unit_pool *pool, row *model, bpt_wish *wishes, uint64_t *units, uint64_t *state) {
    const int slot = (int)(bpt_random(state) % SLOTS);
    bpt_wish *wish = &wishes[slot];
    if (is_in(model, slot)) {
        if (bpt_random(state) % 4 != 0) return;
        line_remove(model, slot);
        ck_assert(bp_pool_cancel(&pool->head, &wish->reservation));
        line_serve(model, wishes, units);
    } else if (wish->reservation.buf != NULL) {
        *units += wish->reservation.size;
        bpt_wish_release(wish);
        line_serve(model, wishes, units);
    } else {
        const uint64_t size = 1 + bpt_random(state) % 10;
        const bool is_free = model->count == 0 && size <= *units;
        bpt_err(bpt_wish_for(&pool->head, wish, size), is_free ? BP_OK : BP_PENDING);
        if (is_free) *units -= size;
        if (!is_free) model->order[model->count++] = slot;
    }
}

START_TEST(random_steps_agree_with_a_plain_list) {
    unit_pool pool;
    bpt_wish wishes[SLOTS] = {0};
    row model = {.count = 0};
    uint64_t units = 20, state = bpt_seed(77);
    start(&pool, units);
    for (int i = 0; i < STEPS; i++) {
        random_step(&pool, &model, wishes, &units, &state);
        ck_assert_uint_eq(pool.units, units);
        ck_assert_uint_eq(pool.queue.waiting, (uint64_t)model.count);
        ck_assert(bpi_queue_is_valid(&pool.queue));
    }
    bp_pool_close(&pool.head);
    for (int i = 0; i < model.count; i++) bpt_wish_failed(&wishes[model.order[i]], BP_ERR_CLOSED);
    for (int i = 0; i < SLOTS; i++) bpt_wish_release(&wishes[i]);
    end(&pool);
}
END_TEST

BPT_SUITE(pool_queue) {
    BPT_TEST(what_there_is_is_granted_at_once);
    BPT_TEST(an_error_of_the_first_grant_is_answered_at_once);
    BPT_TEST(an_error_ends_one_wait_and_not_the_next);
    BPT_TEST(a_release_costs_the_same_with_ten_thousand_who_wait);
    BPT_LOOP_TEST(any_place_in_the_queue_can_be_left, 0, 6);
    BPT_TEST(who_is_granted_and_not_told_yet_can_be_cancelled);
    BPT_TEST(a_callback_may_close_the_pool);
    BPT_TEST(two_who_release_tell_in_the_order_of_the_grants);
    BPT_TEST(the_oldest_and_the_longest_wait_are_known);
    BPT_TEST(random_steps_agree_with_a_plain_list);
}
