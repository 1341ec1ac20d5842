#define _GNU_SOURCE
#include "tests/support/hogs.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "transfer/part.h"

#include <pthread.h>

enum { LIMIT = 4 * BPT_LARGEST_CLASS, LARGE = BPT_LARGEST_CLASS };

/* A loop that has nothing but a mailbox, and a pool of which others have taken everything, where a test needs that. */
typedef struct rig {
    uv_loop_t loop;
    bpi_mailbox mailbox;
    bp_pool *pool;
} rig;

static bpt_hogs hogs;

/* A part, and what it was told. */
typedef struct tale {
    bpi_part part; /* first: a part of a tale is a tale */
    rig *of;
    unsigned told;
    bp_err err;
    void (*then)(struct tale *tale); /* what it does when it is told; NULL: nothing */
    struct tale *other;
} tale;

static void start_with(rig *r, bp_pool *pool) {
    r->mailbox = (bpi_mailbox){0};
    ck_assert_int_eq(uv_loop_init(&r->loop), 0);
    ck_assert_int_eq(bpi_mailbox_start(&r->mailbox, &r->loop), 0);
    r->pool = pool;
}

static void start(rig *r) { start_with(r, bpt_pool_new(LIMIT)); }

static void start_full(rig *r) {
    start(r);
    bpt_hogs_fill(&hogs, r->pool);
}

/* Everything that is to be told is, and the loop waits for nothing more. */
static void settle(rig *r) { ck_assert_int_eq(uv_run(&r->loop, UV_RUN_DEFAULT), 0); }

static void end(rig *r) {
    ck_assert_uint_eq(r->mailbox.expected_count, 0);
    ck_assert_int_eq(uv_run(&r->loop, UV_RUN_NOWAIT), 0);
    ck_assert_ptr_null(r->mailbox.first);
    uv_close((uv_handle_t *)&r->mailbox.async, NULL);
    settle(r);
    bpi_mailbox_fini(&r->mailbox);
    ck_assert_int_eq(uv_loop_close(&r->loop), 0);
    bpt_hogs_free(&hogs);
    bpt_pool_end_take(&r->pool);
}

static void note(bpi_part *part, bp_err err) {
    tale *t = (tale *)part;
    t->told++;
    t->err = err;
    if (t->then != NULL) t->then(t);
}

static void init(tale *t, rig *r) {
    *t = (tale){.of = r};
    bpi_part_init(&t->part, r, note);
}

static bp_err prepare(tale *t) { return bpi_part_prepare(&t->part, t->of->pool, &t->of->mailbox, LARGE); }

static void init_waiting(tale *t, rig *r) {
    init(t, r);
    bpt_err(prepare(t), BP_PENDING);
    ck_assert_int_eq(t->part.state, BPI_PART_RESERVING);
}

static void check_idle(const tale *t, unsigned told, bp_err err) {
    ck_assert_int_eq(t->part.state, BPI_PART_IDLE);
    ck_assert_ptr_null(t->part.buf);
    ck_assert_uint_eq(t->told, told);
    if (told != 0) bpt_err(t->err, err);
}

/* Takes it, writes all of it, and gives it back. */
static void check_ready(tale *t, unsigned told) {
    ck_assert_int_eq(t->part.state, BPI_PART_READY);
    ck_assert_uint_eq(t->told, told);
    if (told != 0) bpt_ok(t->err);
    bp_buf *buf = bpi_part_take(&t->part);
    ck_assert_uint_eq(bp_buf_capacity(buf), LARGE);
    bp_buf_data(buf)[LARGE - 1] = 1;
    bp_buf_release(buf);
    check_idle(t, told, BP_OK);
}

/* ---- getting memory ---- */

START_TEST(where_there_is_memory_a_part_is_ready_at_once) {
    rig r;
    tale t;
    start(&r);
    init(&t, &r);
    check_idle(&t, 0, BP_OK);
    bpt_ok(prepare(&t));
    settle(&r);
    check_ready(&t, 0);
    bpt_ok(prepare(&t)); /* and once more */
    check_ready(&t, 0);
    end(&r);
}
END_TEST

START_TEST(a_part_that_needs_no_pool_is_ready_without_a_buffer) {
    tale t;
    init(&t, NULL);
    t.part.is_pooled = false;
    bpt_ok(bpi_part_prepare(&t.part, NULL, NULL, LARGE));
    ck_assert_int_eq(t.part.state, BPI_PART_READY);
    ck_assert_ptr_null(bpi_part_take(&t.part));
    check_idle(&t, 0, BP_OK);
    bpt_ok(bpi_part_prepare(&t.part, NULL, NULL, LARGE));
    ck_assert(bpi_part_drop(&t.part));
    check_idle(&t, 0, BP_OK);
}
END_TEST

static void *free_hogs(void *unused) {
    bpt_hogs_free(&hogs);
    return unused;
}

START_TEST(a_grant_on_another_thread_is_told_on_the_loops) {
    rig r;
    tale t;
    start_full(&r);
    init_waiting(&t, &r);
    ck_assert_int_ne(uv_run(&r.loop, UV_RUN_NOWAIT), 0); /* the loop has something to run for */
    bpt_on_thread(free_hogs, NULL);
    ck_assert_uint_eq(t.told, 0);
    ck_assert_int_eq(t.part.state, BPI_PART_RESERVING);
    settle(&r);
    check_ready(&t, 1);
    end(&r);
}
END_TEST

START_TEST(many_wait_and_each_is_told_once) {
    enum { COUNT = 100 };
    static tale tales[COUNT];
    rig r;
    start_full(&r);
    for (int i = 0; i < COUNT; i++) init_waiting(&tales[i], &r);
    bpt_on_thread(free_hogs, NULL);
    for (int left = COUNT; left > 0;) {
        ck_assert_int_eq(uv_run(&r.loop, UV_RUN_ONCE) != 0, r.mailbox.expected_count != 0);
        for (int i = 0; i < COUNT; i++) { /* as few as there is memory for at once */
            if (tales[i].part.state != BPI_PART_READY) continue;
            check_ready(&tales[i], 1);
            left--;
        }
    }
    end(&r);
}
END_TEST

START_TEST(what_is_too_large_for_the_pool_is_a_limit) {
    rig r;
    tale t;
    start(&r);
    init(&t, &r);
    bpt_err(bpi_part_prepare(&t.part, r.pool, &r.mailbox, 2 * LIMIT), BP_ERR_LIMIT);
    bpt_err(bpi_part_prepare(&t.part, r.pool, &r.mailbox, UINT64_MAX), BP_ERR_LIMIT);
    check_idle(&t, 0, BP_OK);
    end(&r);
}
END_TEST

START_TEST(who_can_block_is_granted_beyond_the_limit) {
    const bp_pool_config config = {
        .classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .memory_limit = LIMIT, .forced_limit = 2 * LARGE};
    bp_pool *pool = NULL;
    tale first, second, third;
    rig r;
    bpt_ok(bp_pool_new(&config, &pool));
    start_with(&r, pool);
    bpt_hogs_fill(&hogs, pool);
    init_waiting(&first, &r); /* cannot block, and waits */
    init(&second, &r);
    second.part.can_block = true;
    bpt_ok(prepare(&second));
    ck_assert_uint_ge(bpt_stats(pool).forced_in_use, 1);
    init(&third, &r);
    third.part.can_block = true;
    bp_err err = prepare(&third); /* as far as forced_limit goes */
    while (err == BP_OK) {
        hogs.bufs[hogs.count++] = bpi_part_take(&third.part);
        err = prepare(&third);
    }
    bpt_err(err, BP_PENDING);
    check_ready(&second, 0); /* gives back what was forced, and the third is told on the loop */
    uv_run(&r.loop, UV_RUN_ONCE);
    ck_assert_uint_eq(first.told, 0);
    check_ready(&third, 1);
    bpt_hogs_free(&hogs);
    settle(&r);
    check_ready(&first, 1);
    end(&r);
}
END_TEST

/* ---- pools of one's own ---- */

typedef struct own_pool {
    bp_pool head; /* first: a bp_pool is an own_pool */
    bp_reservation *waiting;
} own_pool;

static own_pool own;

static bp_err own_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    (void)pool, (void)size, (void)out;
    return BP_ERR_LIMIT;
}

static void own_release(bp_pool *pool, bp_buf *buf) { (void)pool, (void)buf; }

static void own_free(bp_pool *pool) { (void)pool; }

static bp_err own_reserve(bp_pool *pool, bp_reservation *reservation) {
    (void)pool;
    own.waiting = reservation;
    return BP_PENDING;
}

static bool own_cancel(bp_pool *pool, bp_reservation *one) { return pool != NULL && own.waiting == one; }

static const bp_pool_table cannot_wait = {
    .table_bytes = sizeof(bp_pool_table), .acquire = own_acquire, .release = own_release, .free = own_free};

static const bp_pool_table can_wait = {.table_bytes = sizeof(bp_pool_table),
                                       .acquire = own_acquire,
                                       .release = own_release,
                                       .free = own_free,
                                       .reserve = own_reserve,
                                       .cancel = own_cancel};

static void start_own(rig *r, const bp_pool_table *table) {
    own = (own_pool){0};
    bpt_ok(bp_pool_init(&own.head, table));
    start_with(r, &own.head);
}

START_TEST(a_pool_is_told_for_whom_it_is) {
    rig r;
    tale t;
    start_own(&r, &can_wait);
    init(&t, &r);
    t.part.can_block = true;
    bpt_err(prepare(&t), BP_PENDING);
    ck_assert_ptr_nonnull(own.waiting);
    ck_assert_ptr_eq(own.waiting->owner, &r);
    ck_assert_uint_eq(own.waiting->size, LARGE);
    ck_assert(own.waiting->can_block);
    ck_assert(bpi_part_drop(&t.part));
    t.part.can_block = false;
    bpt_err(prepare(&t), BP_PENDING);
    ck_assert(!own.waiting->can_block);
    ck_assert(bpi_part_drop(&t.part));
    check_idle(&t, 0, BP_OK);
    end(&r);
}
END_TEST

START_TEST(a_pool_that_cannot_wait_says_that_there_is_none) {
    rig r;
    tale t;
    start_own(&r, &cannot_wait);
    init(&t, &r);
    bpt_err(prepare(&t), BP_ERR_LIMIT);
    check_idle(&t, 0, BP_OK);
    end(&r);
}
END_TEST

/* What is in buf beside an error is nobody's. */
START_TEST(a_failed_grant_of_a_careless_pool_has_no_buffer) {
    rig r;
    tale t;
    start_own(&r, &can_wait);
    for (int is_dropped = 0; is_dropped < 2; is_dropped++) {
        init_waiting(&t, &r);
        own.waiting->err = BP_ERR_NO_MEMORY;
        own.waiting->buf = (bp_buf *)16;
        own.waiting->on_done(own.waiting);
        own.waiting = NULL;
        if (is_dropped) ck_assert(!bpi_part_drop(&t.part));
        settle(&r);
        check_idle(&t, 1, is_dropped ? BP_ERR_CANCELLED : BP_ERR_NO_MEMORY);
    }
    end(&r);
}
END_TEST

/* ---- dropping ---- */

START_TEST(an_idle_or_ready_part_is_dropped_at_once) {
    rig r;
    tale t;
    start(&r);
    init(&t, &r);
    ck_assert(bpi_part_drop(&t.part));
    bpt_ok(prepare(&t));
    ck_assert(bpi_part_drop(&t.part));
    ck_assert_uint_eq(bpt_stats(r.pool).total.in_use, 0);
    ck_assert(bpi_part_drop(&t.part));
    check_idle(&t, 0, BP_OK);
    end(&r);
}
END_TEST

START_TEST(a_waiting_part_that_is_dropped_hears_nothing) {
    rig r;
    tale t, behind;
    start_full(&r);
    init_waiting(&t, &r);
    init_waiting(&behind, &r);
    ck_assert(bpi_part_drop(&t.part));
    ck_assert_uint_eq(r.mailbox.expected_count, 1);
    bpt_hogs_free(&hogs);
    settle(&r);
    check_idle(&t, 0, BP_OK);
    check_ready(&behind, 1);
    end(&r);
}
END_TEST

START_TEST(a_part_that_is_dropped_behind_its_grant_comes_back_by_letter) {
    rig r;
    tale t;
    start_full(&r);
    init_waiting(&t, &r);
    bpt_hogs_free(&hogs); /* granted, and the letter is not opened */
    ck_assert_uint_eq(bpt_stats(r.pool).total.in_use, 1);
    ck_assert(!bpi_part_drop(&t.part));
    ck_assert(!bpi_part_drop(&t.part));
    ck_assert_int_eq(t.part.state, BPI_PART_DROPPED);
    ck_assert_uint_eq(t.told, 0);
    settle(&r);
    check_idle(&t, 1, BP_ERR_CANCELLED);
    ck_assert_uint_eq(bpt_stats(r.pool).total.in_use, 0);
    t.told = 0;
    bpt_ok(prepare(&t));
    check_ready(&t, 0);
    end(&r);
}
END_TEST

/* Another thread, which gives the pool's last buffer back in each round. */
typedef struct rival {
    pthread_barrier_t gate;
    bp_buf *held; /* NULL: there is no next round */
} rival;

static void *release_in_rounds(void *argument) {
    rival *other = argument;
    for (;;) {
        pthread_barrier_wait(&other->gate);
        bp_buf *held = other->held;
        if (held == NULL) return NULL;
        bp_buf_release(held);
        pthread_barrier_wait(&other->gate);
    }
}

/* Whichever is first: it is back once, and so is the buffer. */
START_TEST(a_drop_may_meet_the_grant) {
    const unsigned long rounds = bpt_scaled(3000);
    static rival other;
    pthread_t thread;
    rig r;
    tale t;
    start(&r);
    ck_assert_int_eq(pthread_barrier_init(&other.gate, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, release_in_rounds, &other), 0);
    for (unsigned long i = 0; i < rounds; i++) {
        init(&t, &r);
        bpt_must(bp_pool_acquire(r.pool, 3 * LARGE, &other.held) == BP_OK);
        bpt_must(prepare(&t) == BP_PENDING);
        pthread_barrier_wait(&other.gate);
        const bool is_idle = bpi_part_drop(&t.part);
        bpt_must(t.told == 0 && (t.part.state == BPI_PART_IDLE) == is_idle);
        bpt_must(uv_run(&r.loop, UV_RUN_DEFAULT) == 0);
        bpt_must(t.told == (is_idle ? 0 : 1) && t.part.state == BPI_PART_IDLE && t.part.buf == NULL);
        bpt_must(is_idle || t.err == BP_ERR_CANCELLED);
        pthread_barrier_wait(&other.gate);
    }
    other.held = NULL;
    pthread_barrier_wait(&other.gate);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    pthread_barrier_destroy(&other.gate);
    end(&r);
}
END_TEST

/* ---- failing ---- */

START_TEST(a_pool_that_is_closed_fails_who_waits) {
    rig r;
    tale waits, dropped;
    start_full(&r);
    init_waiting(&waits, &r);
    init_waiting(&dropped, &r);
    bp_pool_close(r.pool);
    ck_assert(!bpi_part_drop(&dropped.part));
    settle(&r);
    check_idle(&waits, 1, BP_ERR_CLOSED);
    check_idle(&dropped, 1, BP_ERR_CANCELLED);
    bpt_err(prepare(&waits), BP_ERR_CLOSED);
    check_idle(&waits, 1, BP_ERR_CLOSED);
    end(&r);
}
END_TEST

START_TEST(a_system_without_memory_fails_one_part) {
    rig r;
    tale first, second;
    bpt_os_watch();
    start(&r);
    init(&first, &r);
    bpt_os_fail(0, true);
    bpt_err(prepare(&first), BP_ERR_NO_MEMORY);
    bpt_os_fail(UINT64_MAX, false);
    check_idle(&first, 0, BP_OK);
    bp_buf *held = bpt_acquire(r.pool, 3 * LARGE); /* an exact allocation: each grant is a mapping */
    init_waiting(&first, &r);
    init_waiting(&second, &r);
    bpt_os_fail(0, false);
    bp_buf_release(held);
    settle(&r);
    check_idle(&first, 1, BP_ERR_NO_MEMORY);
    check_ready(&second, 1);
    end(&r);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* _i: an exact allocation; nothing; the same class, which is there again before the letter is opened. */
START_TEST(a_part_whose_class_is_removed_waits_for_what_there_is_instead) {
    const bp_pool_config config = {.classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = LIMIT,
                                   .exact_size_limit = _i == 0 ? 0 : LARGE / 2};
    bp_pool *pool = NULL;
    rig r;
    tale t;
    bpt_ok(bp_pool_new(&config, &pool));
    start_with(&r, pool);
    bpt_hogs_fill(&hogs, pool);
    init_waiting(&t, &r);
    bpt_ok(bp_pool_class_remove(pool, LARGE));
    if (_i == 2) bpt_ok(bp_pool_class_add(pool, &bpt_classes[BPT_CLASS_COUNT - 1]));
    uv_run(&r.loop, UV_RUN_NOWAIT);
    if (_i != 1) {
        ck_assert(t.part.state == BPI_PART_RESERVING && t.told == 0);
        bpt_hogs_free(&hogs);
        settle(&r);
        check_ready(&t, 1);
    } else {
        check_idle(&t, 1, BP_ERR_LIMIT);
    }
    end(&r);
}
END_TEST

/* ---- what on_ready may do ---- */

static unsigned freed;

static void free_owner(tale *t) {
    (void)bpi_part_drop(&t->part);
    freed++;
    free(t);
}

/* _i: granted, dropped, failed. */
START_TEST(on_ready_may_free_its_owner) {
    rig r;
    tale *t = malloc(sizeof *t);
    ck_assert_ptr_nonnull(t);
    start_full(&r);
    init_waiting(t, &r);
    t->then = free_owner;
    freed = 0;
    if (_i == 2) bp_pool_close(r.pool);
    bpt_hogs_free(&hogs);
    if (_i == 1) ck_assert(!bpi_part_drop(&t->part));
    settle(&r);
    ck_assert_uint_eq(freed, 1);
    end(&r);
}
END_TEST

/* The bytes moved: the next ones. */
static void prepare_again(tale *t) {
    if (t->err == BP_OK) bp_buf_release(bpi_part_take(&t->part));
    if (t->told == 1) bpt_hogs_fill(&hogs, t->of->pool);
    if (t->told < 3) bpt_err(prepare(t), t->told == 1 ? BP_PENDING : BP_OK);
}

START_TEST(on_ready_may_prepare_its_part_again) {
    rig r;
    tale t;
    start_full(&r);
    init_waiting(&t, &r);
    t.then = prepare_again;
    bpt_hogs_free(&hogs);
    uv_run(&r.loop, UV_RUN_NOWAIT);
    ck_assert(t.part.state == BPI_PART_RESERVING && t.told == 1);
    bpt_hogs_free(&hogs);
    settle(&r);
    check_ready(&t, 2);
    end(&r);
}
END_TEST

static void prepare_dropped_again(tale *t) {
    if (t->err == BP_ERR_CANCELLED) bpt_ok(prepare(t));
}

START_TEST(a_dropped_part_may_be_prepared_again_once_it_is_told) {
    rig r;
    tale t;
    start_full(&r);
    init_waiting(&t, &r);
    t.then = prepare_dropped_again;
    bpt_hogs_free(&hogs);
    ck_assert(!bpi_part_drop(&t.part));
    settle(&r);
    ck_assert(t.part.state == BPI_PART_READY && t.told == 1);
    ck_assert(bpi_part_drop(&t.part));
    end(&r);
}
END_TEST

/* A transfer ends for what one of its parts is told. */
static void drop_other(tale *t) {
    t->other->told += bpi_part_drop(&t->other->part) ? 100 : 0;
}

START_TEST(on_ready_may_drop_other_parts) {
    rig r;
    tale first, granted, third, waiting;
    bp_buf *held[3];
    start(&r);
    for (int i = 0; i < 3; i++) held[i] = bpt_acquire(r.pool, LARGE);
    init_waiting(&first, &r);
    init_waiting(&granted, &r);
    init_waiting(&third, &r);
    init_waiting(&waiting, &r);
    first.then = third.then = drop_other;
    first.other = &granted; /* its letter is there, too */
    third.other = &waiting; /* its wish is the pool's */
    bp_buf_release(held[0]);
    bp_buf_release(held[1]);
    settle(&r);
    check_ready(&first, 1);
    check_idle(&granted, 1, BP_ERR_CANCELLED);
    check_ready(&third, 1); /* what the dropped one gave back */
    check_idle(&waiting, 100, BP_OK);
    bp_buf_release(held[2]);
    end(&r);
}
END_TEST

BPT_SUITE(transfer_part) {
    BPT_TEST(where_there_is_memory_a_part_is_ready_at_once);
    BPT_TEST(a_part_that_needs_no_pool_is_ready_without_a_buffer);
    BPT_TEST(a_grant_on_another_thread_is_told_on_the_loops);
    BPT_TEST(many_wait_and_each_is_told_once);
    BPT_TEST(what_is_too_large_for_the_pool_is_a_limit);
    BPT_TEST(who_can_block_is_granted_beyond_the_limit);
    BPT_TEST(a_pool_is_told_for_whom_it_is);
    BPT_TEST(a_pool_that_cannot_wait_says_that_there_is_none);
    BPT_TEST(a_failed_grant_of_a_careless_pool_has_no_buffer);
    BPT_TEST(an_idle_or_ready_part_is_dropped_at_once);
    BPT_TEST(a_waiting_part_that_is_dropped_hears_nothing);
    BPT_TEST(a_part_that_is_dropped_behind_its_grant_comes_back_by_letter);
    BPT_TEST(a_drop_may_meet_the_grant);
    BPT_TEST(a_pool_that_is_closed_fails_who_waits);
    BPT_TEST(a_system_without_memory_fails_one_part);
    BPT_LOOP_TEST(a_part_whose_class_is_removed_waits_for_what_there_is_instead, 0, 3);
    BPT_LOOP_TEST(on_ready_may_free_its_owner, 0, 3);
    BPT_TEST(on_ready_may_prepare_its_part_again);
    BPT_TEST(a_dropped_part_may_be_prepared_again_once_it_is_told);
    BPT_TEST(on_ready_may_drop_other_parts);
}
