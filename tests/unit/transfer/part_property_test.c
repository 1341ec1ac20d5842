#define _GNU_SOURCE
/* Transfers, each with a plan and the parts of its window, on a pool that has memory for a few of all of them: begun,
 * answered, lost and cancelled at random, with buffers released in any order, here or on another thread. No part is
 * lost, none is told twice, and each that was dropped comes back. SEED=n repeats what one thread did. */
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "transfer/part.h"
#include "transfer/plan.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { TRANSFERS = 6, WINDOW_MAX = 5, HELD_MAX = 64, SIZE = 4096, LIMIT = 11 * SIZE, STEPS = 200000 };

typedef struct world world;
typedef struct transfer transfer;

/* A place in a window. */
typedef struct place {
    bpi_part part;   /* first: a part of a place is a place */
    bool is_awaited; /* it will be told */
} place;

struct transfer {
    world *of;
    bpi_plan plan;
    place places[WINDOW_MAX];
    bool is_over; /* gone once all its places are idle */
};

/* Buffers that are out, and a thread that gives them back where there is one. */
typedef struct keeper {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t has_some;
    bp_buf *bufs[HELD_MAX];
    uint32_t count;
    uint64_t seed;
    bool is_over;
} keeper;

struct world {
    uv_loop_t loop;
    bpi_mailbox mailbox;
    bp_pool *pool;
    bool is_threaded, is_closed;
    uint64_t seed, begun_with;
    keeper held;
    transfer transfers[TRANSFERS];
    uint64_t waits, grants, comebacks, cancels, drops, finished, fails;
};

/* As bpt_must, and says how to see it again. */
#define MUST(w, condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) ck_abort_msg("SEED=%llu: %s", (unsigned long long)(w)->begun_with, #condition);              \
    } while (0)

static uint32_t below(world *w, uint32_t count) { return bpt_random(&w->seed) % count; }

/* ---- buffers that are out ---- */

static bp_buf *pick(keeper *held, uint64_t *seed) {
    if (held->count == 0) return NULL;
    const uint32_t at = bpt_random(seed) % held->count;
    bp_buf *picked = held->bufs[at];
    held->bufs[at] = held->bufs[--held->count];
    return picked;
}

/* With no more room, another one goes. */
static void hold(world *w, bp_buf *buf) {
    keeper *held = &w->held;
    pthread_mutex_lock(&held->lock);
    bp_buf *other = held->count == HELD_MAX ? pick(held, &w->seed) : NULL;
    held->bufs[held->count++] = buf;
    pthread_cond_signal(&held->has_some);
    pthread_mutex_unlock(&held->lock);
    bp_buf_release(other);
}

static void release_one(world *w) {
    pthread_mutex_lock(&w->held.lock);
    bp_buf *buf = pick(&w->held, &w->seed);
    pthread_mutex_unlock(&w->held.lock);
    bp_buf_release(buf);
}

static void *release_on(void *argument) {
    keeper *held = argument;
    pthread_mutex_lock(&held->lock);
    while (!held->is_over || held->count != 0) {
        while (!held->is_over && held->count == 0) pthread_cond_wait(&held->has_some, &held->lock);
        bp_buf *buf = pick(held, &held->seed);
        pthread_mutex_unlock(&held->lock);
        bp_buf_release(buf);
        pthread_mutex_lock(&held->lock);
    }
    pthread_mutex_unlock(&held->lock);
    return NULL;
}

static void end_thread(keeper *held) {
    pthread_mutex_lock(&held->lock);
    held->is_over = true;
    pthread_cond_signal(&held->has_some);
    pthread_mutex_unlock(&held->lock);
    ck_assert_int_eq(pthread_join(held->thread, NULL), 0);
}

/* ---- transfers ---- */

static uint64_t some_size(world *w) { return below(w, 8) == 0 ? 0 : below(w, 40 * SIZE); }

static void on_ready(bpi_part *part, bp_err err);

static void renew(world *w, transfer *t) {
    const uint32_t window = 1 + below(w, WINDOW_MAX);
    *t = (transfer){.of = w};
    bpi_plan_init(&t->plan, some_size(w), SIZE, window);
    for (uint32_t i = 0; i < window; i++) {
        bpi_part_init(&t->places[i].part, t, on_ready);
        t->places[i].part.can_block = below(w, 4) == 0;
    }
}

static place *place_of(transfer *t, uint64_t number) { return &t->places[number % t->plan.window]; }

/* What a part's memory is for now: nothing, where it is dropped. */
static bool is_wanted(const place *p) {
    return p->part.state == BPI_PART_RESERVING || p->part.state == BPI_PART_READY;
}

static void on_ready(bpi_part *part, bp_err err) {
    place *p = (place *)part;
    transfer *t = part->owner;
    world *w = t->of;
    MUST(w, p->is_awaited);
    p->is_awaited = false;
    if (err == BP_OK) {
        w->grants++;
        MUST(w, part->state == BPI_PART_READY && bp_buf_capacity(part->buf) == SIZE);
        return;
    }
    MUST(w, part->state == BPI_PART_IDLE && part->buf == NULL);
    if (err == BP_ERR_CANCELLED) {
        w->comebacks++;
        return;
    }
    MUST(w, err == BP_ERR_CLOSED && w->is_closed);
    MUST(w, bpi_plan_undo(&t->plan, part->number));
    w->fails++;
}

/* Begins the next part, if its place is free: a part that was dropped may still have it. */
static bool pump(world *w, transfer *t) {
    const uint64_t number = bpi_plan_next(&t->plan);
    if (t->is_over || number == BP_PART_NONE) return false;
    place *p = place_of(t, number);
    if (p->part.state != BPI_PART_IDLE) {
        MUST(w, p->part.state == BPI_PART_DROPPED);
        return false;
    }
    p->part.number = number;
    MUST(w, bpi_plan_begin(&t->plan, number));
    const bp_err err = bpi_part_prepare(&p->part, w->pool, &w->mailbox, SIZE);
    p->is_awaited = err == BP_PENDING;
    w->waits += p->is_awaited;
    if (err == BP_OK || err == BP_PENDING) return true;
    MUST(w, err == BP_ERR_CLOSED && w->is_closed);
    MUST(w, bpi_plan_undo(&t->plan, number));
    return false;
}

/* The part's bytes moved; its buffer may be with somebody for a while. */
static bool answer(world *w, transfer *t, uint32_t from) {
    for (uint32_t i = 0; i < t->plan.window; i++) {
        place *p = &t->places[(from + i) % t->plan.window];
        if (p->part.state != BPI_PART_READY) continue;
        MUST(w, place_of(t, p->part.number) == p);
        bp_buf *buf = bpi_part_take(&p->part);
        bp_buf_data(buf)[0] = bp_buf_data(buf)[SIZE - 1] = 1;
        hold(w, buf);
        MUST(w, bpi_plan_finish(&t->plan, p->part.number));
        return true;
    }
    return false;
}

static void drop_all(world *w, transfer *t) {
    for (uint32_t i = 0; i < t->plan.window; i++) {
        place *p = &t->places[i];
        const bool is_awaited = p->is_awaited, is_idle = bpi_part_drop(&p->part);
        MUST(w, is_idle || is_awaited);
        MUST(w, is_idle == (p->part.state == BPI_PART_IDLE));
        if (is_idle) p->is_awaited = false;
        w->drops += is_awaited && is_idle;
    }
    bpi_plan_lost(&t->plan);
}

static void renew_if_over(world *w, transfer *t) {
    if (!t->is_over && !bpi_plan_is_done(&t->plan)) return;
    for (uint32_t i = 0; i < t->plan.window; i++) {
        if (t->places[i].part.state != BPI_PART_IDLE) return;
    }
    w->cancels += t->is_over;
    w->finished += !t->is_over;
    renew(w, t);
}

/* ---- what holds after every step ---- */

static void count_states(const world *w, uint32_t counts[4]) {
    memset(counts, 0, 4 * sizeof *counts);
    for (int i = 0; i < TRANSFERS; i++) {
        for (uint32_t k = 0; k < w->transfers[i].plan.window; k++) counts[w->transfers[i].places[k].part.state]++;
    }
}

static uint64_t in_use(const world *w) {
    const bp_pool_stats stats = bpt_stats(w->pool);
    return stats.total.in_use + stats.exact_in_use + stats.forced_in_use;
}

static void check_transfer(world *w, const transfer *t) {
    uint32_t wanted = 0;
    for (uint32_t i = 0; i < t->plan.window; i++) {
        const place *p = &t->places[i];
        MUST(w, (p->part.buf != NULL) == (p->part.state == BPI_PART_READY));
        MUST(w, p->is_awaited == (p->part.state == BPI_PART_RESERVING || p->part.state == BPI_PART_DROPPED));
        wanted += is_wanted(p);
    }
    MUST(w, wanted == bpi_plan_under_way(&t->plan));
}

static void check(world *w) {
    uint32_t counts[4];
    for (int i = 0; i < TRANSFERS; i++) check_transfer(w, &w->transfers[i]);
    count_states(w, counts);
    const uint32_t expected = counts[BPI_PART_RESERVING] + counts[BPI_PART_DROPPED];
    MUST(w, w->mailbox.expected_count == expected);
    if (w->is_threaded) return;
    const uint64_t out = in_use(w), known = counts[BPI_PART_READY] + w->held.count;
    MUST(w, known <= out && out <= known + expected);
}

/* ---- the run ---- */

static void acquire_one(world *w) {
    bp_buf *buf = NULL;
    if (bp_pool_acquire(w->pool, SIZE, &buf) == BP_OK) hold(w, buf);
}

static void step(world *w) {
    transfer *t = &w->transfers[below(w, TRANSFERS)];
    const uint32_t what = below(w, 100);
    if (what < 40) {
        (void)pump(w, t);
    } else if (what < 60) {
        (void)answer(w, t, below(w, WINDOW_MAX));
    } else if (what < 80) {
        release_one(w);
    } else if (what < 86) {
        acquire_one(w);
    } else if (what < 89) {
        drop_all(w, t); /* the connection is lost */
    } else if (what < 90) {
        drop_all(w, t);
        t->is_over = true;
    } else {
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
    renew_if_over(w, t);
    check(w);
}

/* Everything that can be done without waiting. */
static bool move_on(world *w) {
    bool has_moved = false;
    for (int i = 0; i < TRANSFERS; i++) {
        while (pump(w, &w->transfers[i]) || answer(w, &w->transfers[i], 0)) has_moved = true;
    }
    while (!w->is_threaded && w->held.count != 0) release_one(w);
    return has_moved;
}

/* With nobody cancelling, all of them come to their end. */
static void bring_to_end(world *w) {
    bool is_over = false;
    for (uint32_t rounds = 0; !is_over; rounds++) {
        const bool has_moved = move_on(w);
        check(w);
        is_over = w->mailbox.expected_count == 0;
        for (int i = 0; i < TRANSFERS; i++) {
            transfer *t = &w->transfers[i];
            is_over &= t->is_over || bpi_plan_is_done(&t->plan);
        }
        MUST(w, is_over || has_moved || w->mailbox.expected_count != 0);
        MUST(w, rounds < 10000);
        if (w->mailbox.expected_count != 0) uv_run(&w->loop, UV_RUN_ONCE);
    }
}

/* Whoever waits is told so, and nobody gets anything any more. */
static void close_pool(world *w) {
    for (int i = 0; i < HELD_MAX; i++) acquire_one(w);
    for (int i = 0; i < TRANSFERS; i++) {
        while (pump(w, &w->transfers[i])) {}
    }
    w->is_closed = true;
    bp_pool_close(w->pool);
    drop_all(w, &w->transfers[0]);
    ck_assert_int_eq(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    check(w);
    for (int i = 0; i < TRANSFERS; i++) {
        while (answer(w, &w->transfers[i], 0)) {}
        (void)pump(w, &w->transfers[i]);
        MUST(w, bpi_plan_under_way(&w->transfers[i].plan) == 0);
    }
}

static void start(world *w, bp_pool_factory *factory, bool is_threaded, uint64_t seed) {
    const bp_class class = {SIZE, SIZE};
    const bp_pool_config config = {
        .classes = &class, .class_count = 1, .memory_limit = LIMIT, .forced_limit = 2 * SIZE};
    *w = (world){.is_threaded = is_threaded, .seed = seed, .begun_with = seed, .held = {.seed = seed + 1000}};
    bpt_ok(factory(&config, NULL, &w->pool));
    ck_assert_int_eq(uv_loop_init(&w->loop), 0);
    ck_assert_int_eq(bpi_mailbox_start(&w->mailbox, &w->loop), 0);
    ck_assert_int_eq(pthread_mutex_init(&w->held.lock, NULL), 0);
    ck_assert_int_eq(pthread_cond_init(&w->held.has_some, NULL), 0);
    if (is_threaded) ck_assert_int_eq(pthread_create(&w->held.thread, NULL, release_on, &w->held), 0);
    for (int i = 0; i < TRANSFERS; i++) renew(w, &w->transfers[i]);
}

static void end(world *w) {
    if (w->is_threaded) end_thread(&w->held);
    while (w->held.count != 0) release_one(w);
    ck_assert_uint_eq(in_use(w), 0);
    ck_assert_uint_eq(w->mailbox.expected_count, 0);
    ck_assert_ptr_null(w->mailbox.first);
    uv_close((uv_handle_t *)&w->mailbox.async, NULL);
    ck_assert_int_eq(uv_run(&w->loop, UV_RUN_DEFAULT), 0);
    bpi_mailbox_fini(&w->mailbox);
    ck_assert_int_eq(uv_loop_close(&w->loop), 0);
    pthread_cond_destroy(&w->held.has_some);
    pthread_mutex_destroy(&w->held.lock);
    bpt_pool_end_take(&w->pool);
}

/* Nothing of it was tried in vain; with another thread, that is not ours to say. */
static void check_met(const world *w, uint64_t steps) {
    ck_assert_uint_ge(w->waits, steps / 50);
    ck_assert_uint_ge(w->grants, steps / 50);
    ck_assert_uint_ge(w->comebacks, steps / 1000);
    ck_assert_uint_ge(w->drops, steps / 1000);
    ck_assert_uint_ge(w->cancels, steps / 1000);
    ck_assert_uint_ge(w->finished, steps / 1000);
    if (w->is_closed) ck_assert_uint_ge(w->fails, 1);
}

/* _i: the size-class pool or the heap's; buffers released here or by another thread; pool closed at the end or not. */
START_TEST(parts_of_many_transfers_are_told_once_and_come_back) {
    static world w;
    const bool is_threaded = _i / 2 % 2 != 0, is_closed = _i / 4 != 0;
    const unsigned long steps = bpt_scaled(STEPS);
    start(&w, _i % 2 == 0 ? bp_pool_factory_sized : bp_pool_factory_heap, is_threaded, bpt_seed(77 + (uint64_t)_i));
    for (unsigned long i = 0; i < steps; i++) step(&w);
    if (is_closed)
        close_pool(&w);
    else
        bring_to_end(&w);
    end(&w);
    if (!is_threaded) check_met(&w, steps);
}
END_TEST

BPT_SUITE(transfer_part_property) {
    BPT_TIMEOUT(300);
    BPT_LOOP_TEST(parts_of_many_transfers_are_told_once_and_come_back, 0, 8);
}
