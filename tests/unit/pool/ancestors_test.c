/* What went wrong in the pool that this one descends from: one test for each, so that none of it comes back. */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/os_meter.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "tests/support/wish.h"

#include <pthread.h>
#include <time.h>

enum { LIMIT = 4 * BPT_LARGEST_CLASS, LARGE = 3 * BPT_LARGEST_CLASS, MANY = 10000 };

static bp_pool *forcing_pool(uint64_t limit, uint64_t forced_limit) {
    const bp_pool_config config = {.classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = limit,
                                   .forced_limit = forced_limit};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

/* Takes buffers until the pool refuses; returns how many. */
static uint32_t fill(bp_pool *pool, uint64_t size, bp_buf **bufs, uint32_t most) {
    uint32_t count = 0;
    while (count < most && bp_pool_acquire(pool, size, &bufs[count]) == BP_OK) count++;
    return count;
}

static void release_all(bp_buf **bufs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) bp_buf_release_take(&bufs[i]);
}

/* ---- 1: new small requests overtook a large one that waited ---- */

typedef struct flood {
    bp_pool *pool;
    uint64_t seed, taken;
} flood;

static void *ask_for_small_ones(void *argument) {
    flood *self = argument;
    for (unsigned long i = 0; i < bpt_scaled(25000); i++) {
        bp_buf *buf = NULL;
        self->taken += bp_pool_acquire(self->pool, 1 + bpt_random(&self->seed) % 5000, &buf) == BP_OK;
        bp_buf_release(buf);
    }
    return NULL;
}

START_TEST(a01_small_requests_never_overtake_a_large_waiter) {
    enum { THREADS = 4, HELD = 512 };
    bp_pool *pool = bpt_pool_new(LIMIT);
    static bp_buf *held[HELD];
    pthread_t threads[THREADS];
    flood floods[THREADS];
    bpt_wish large = {0}, small = {0};
    const uint32_t count = fill(pool, 1000, held, HELD);
    bpt_wish_waits(pool, &large, LIMIT - 1000);
    for (int i = 0; i < THREADS; i++) {
        floods[i] = (flood){.pool = pool, .seed = bpt_seed(5) + (uint64_t)i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_for_small_ones, &floods[i]), 0);
    }
    release_all(held, count - 1); /* there is room for them all the time, and not for the large one */
    bpt_wish_waits(pool, &small, 1);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_uint_eq(floods[i].taken, 0);
    }
    ck_assert_uint_eq(large.told + small.told, 0);
    bp_buf_release(held[count - 1]);
    bpt_wish_is_granted(&large);
    ck_assert_uint_eq(small.told, 0);
    bpt_wish_release(&large);
    bpt_wish_is_granted(&small);
    bpt_wish_release(&small);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 2: a forced ticket that nobody claimed was not counted back ---- */

START_TEST(a02_a_forced_grant_that_is_never_used_is_undone) {
    enum { FORCED = 4 };
    bp_pool *pool = forcing_pool(LIMIT, FORCED * (LARGE + sizeof(bp_buf)));
    bp_buf *held = bpt_acquire(pool, LIMIT - 100000);
    const uint64_t committed = bpt_stats(pool).committed_bytes;
    for (int turn = 0; turn < 100; turn++) {
        bpt_wish wishes[FORCED] = {0};
        for (int i = 0; i < FORCED; i++) {
            wishes[i].reservation.can_block = true;
            bpt_ok(bpt_wish_for(pool, &wishes[i], LARGE));
            ck_assert(bpi_pool_is_valid(pool));
        }
        ck_assert_uint_eq(bpt_stats(pool).forced_in_use, FORCED);
        for (int i = 0; i < FORCED; i++) bpt_wish_release(&wishes[i]);
        ck_assert(bpi_pool_is_valid(pool));
        ck_assert_uint_eq(bpt_stats(pool).forced_bytes, 0);
        ck_assert_uint_eq(bpt_stats(pool).committed_bytes, committed);
    }
    bp_buf_release(held);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 3: the limit counted bytes that were asked for, not bytes that were held ---- */

START_TEST(a03_the_limit_counts_what_is_held_from_the_system) {
    static bp_buf *held[100000];
    const uint64_t sizes[] = {1, 65, 129, 1025, 4097, BPT_LARGEST_CLASS + 1};
    bpt_os_meter();
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bp_pool *pool = bpt_pool_new(LIMIT);
        const uint32_t count = fill(pool, sizes[i], held, sizeof held / sizeof held[0]);
        ck_assert_uint_gt(count, 0);
        ck_assert_uint_eq(bpt_os_meter_bytes(), bpt_stats(pool).committed_bytes);
        ck_assert_uint_le(bpt_os_meter_peak(), LIMIT);
        release_all(held, count);
        bpt_pool_end_take(&pool);
        ck_assert_uint_eq(bpt_os_meter_bytes(), 0);
    }
}
END_TEST

/* ---- 4: a few live bytes pinned sixteen times as many ---- */

/* What is left of the memory is taken in small buffers, of which one in four hundred lives on. */
START_TEST(a04_what_lives_pins_little_where_memory_is_short) {
    enum { SIZE = 100, EVERY = 400, LEFT = BPT_LARGEST_CLASS };
    static bp_buf *small[MANY];
    bp_pool *pool = bpt_pool_new(16 * LIMIT);
    bp_buf *large = bpt_acquire(pool, 16 * LIMIT - 4 * LEFT), *held[4];
    const uint32_t held_count = fill(pool, BPT_LARGEST_CLASS, held, 4);
    ck_assert_uint_eq(held_count, 3); /* the limit was reached */
    release_all(held, held_count);
    const uint32_t count = fill(pool, SIZE, small, MANY);
    uint32_t live = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (i % EVERY == 0) live++;
        if (i % EVERY != 0) bp_buf_release_take(&small[i]);
    }
    (void)bp_pool_trim(pool, false);
    const bp_class_stats stats = bpt_class_stats(pool, 1);
    ck_assert_uint_ge(live, 10);
    ck_assert_uint_eq(stats.in_use, live); /* what pins, and what is pinned with it */
    ck_assert_uint_eq(stats.committed_bytes, (stats.in_use + stats.idle) * stats.size + stats.slack_bytes);
    ck_assert_uint_le(stats.committed_bytes, live * bpi_slab_least_bytes(bpi_sized_of(pool)->classes[1]));
    release_all(small, count);
    bp_buf_release(large);
    (void)bp_pool_trim(pool, false);
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, 0); /* and nothing stays when nothing lives */
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 5: a ticket that two threads claimed was two buffers ---- */

static void *claim(void *buf) { return bp_buf_data(buf); }

START_TEST(a05_whoever_claims_a_grant_gets_the_same_bytes) {
    enum { THREADS = 4 };
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *held = bpt_acquire(pool, LARGE);
    pthread_t threads[THREADS];
    bpt_wish wish = {0};
    bpt_wish_waits(pool, &wish, BPT_LARGEST_CLASS);
    bp_buf_release(held);
    bpt_wish_is_granted(&wish);
    ck_assert_uint_eq(bpt_stats(pool).total.acquires, 1);
    uint8_t *data = bp_buf_data(wish.reservation.buf);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, claim, wish.reservation.buf), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        void *claimed = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &claimed), 0);
        ck_assert_ptr_eq(claimed, data);
    }
    ck_assert_uint_eq(bp_buf_capacity(wish.reservation.buf), BPT_LARGEST_CLASS);
    bpt_wish_release(&wish);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 6: impossible sizes ended the process ---- */

START_TEST(a06_impossible_sizes_are_ordinary_errors) {
    const uint64_t sizes[] = {0, LIMIT, LIMIT + 1, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
    bp_pool *pool = forcing_pool(LIMIT, UINT64_MAX);
    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        bp_buf *buf = NULL;
        bpt_wish wish = {.reservation = {.can_block = true}};
        bpt_err(bp_pool_acquire(pool, sizes[i], &buf), BP_ERR_ARGUMENT);
        bpt_err(bpt_wish_for(pool, &wish, sizes[i]), BP_ERR_ARGUMENT);
        bpt_err(bp_pool_acquire_wait(pool, sizes[i], UINT32_MAX, &buf), BP_ERR_ARGUMENT);
        ck_assert_ptr_null(buf);
        ck_assert_uint_eq(bp_pool_stride(pool, sizes[i]), 0);
    }
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 7: a ticket that outlived the pool ended the process ---- */

START_TEST(a07_tickets_and_buffers_outlive_their_pool) {
    bpt_os_watch();
    bp_pool *pool = forcing_pool(LIMIT, LIMIT);
    bp_buf *held = bpt_acquire(pool, LARGE), *small = bpt_acquire(pool, 100);
    bpt_wish granted = {0}, forced = {.reservation = {.can_block = true}}, waiting = {0};
    bpt_ok(bpt_wish_for(pool, &granted, 1000));
    bpt_ok(bpt_wish_for(pool, &forced, LARGE));
    bpt_wish_waits(pool, &waiting, LARGE);
    bp_pool_release_take(&pool);
    bpt_wish_failed(&waiting, BP_ERR_CLOSED);
    bp_buf_data(forced.reservation.buf)[LARGE - 1] = 1;
    bpt_wish_release(&forced);
    bpt_wish_release(&granted);
    bp_buf_release(small);
    ck_assert_int_gt(bpt_os_live(), 0);
    bp_buf_release(held); /* the last of them frees the pool */
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

/* ---- 8: a release with ten thousand who wait took a thousand times as long; who was cancelled stayed ---- */

static uint64_t cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Nanoseconds of releases and cancels while so many wait, and nothing that comes free is enough for the first. Each of
 * these releases asks for the first who waits: the heap pool's do. */
static uint64_t cost_with(uint32_t waiting) {
    enum { HELD = 500, CANCELLED = 10 };
    static bpt_wish wishes[MANY];
    static bp_buf *held[HELD];
    bp_pool *pool = NULL;
    bpt_ok(bp_heap_pool_new(LIMIT, &pool));
    bp_buf *large = bpt_acquire(pool, LARGE);
    ck_assert_uint_eq(fill(pool, 100, held, HELD), HELD);
    for (uint32_t i = 0; i < waiting; i++) bpt_wish_waits(pool, &wishes[i], LARGE);
    const uint64_t before = cpu_ns();
    release_all(held, HELD);
    for (uint32_t i = 1; i <= CANCELLED; i++) bpt_must(bp_pool_cancel(pool, &wishes[waiting - i].reservation));
    const uint64_t cost = cpu_ns() - before;
    ck_assert_uint_eq(bpt_stats(pool).waiting, waiting - CANCELLED);
    for (uint32_t i = waiting - CANCELLED; i > 0; i--) ck_assert(bp_pool_cancel(pool, &wishes[i - 1].reservation));
    bp_buf_release(large);
    bpt_pool_end_take(&pool);
    return cost;
}

START_TEST(a08_ten_thousand_who_wait_cost_a_release_nothing) {
    uint64_t few = UINT64_MAX, many = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        const uint64_t few_now = cost_with(11), many_now = cost_with(MANY);
        if (few_now < few) few = few_now;
        if (many_now < many) many = many_now;
    }
    ck_assert_uint_lt(many, 20 * few);
}
END_TEST

/* ---- 9: futures completed under the pool's lock, and within each other ---- */

typedef struct busybody {
    bp_reservation reservation;
    bp_pool *pool;
    bpt_wish wish;
    uint32_t told, depth_seen;
    uint32_t *depth;
} busybody;

/* Everything that takes a lock of the pool. */
static void do_everything(bp_reservation *reservation) {
    busybody *self = reservation->user;
    bp_buf *buf = NULL;
    self->told++;
    self->depth_seen = ++*self->depth;
    (void)bpt_stats(self->pool);
    (void)bp_pool_trim(self->pool, true);
    (void)bp_pool_trim(self->pool, false);
    bp_buf_release_take(&reservation->buf);
    bp_buf_release(bp_pool_acquire(self->pool, 100, &buf) == BP_OK ? buf : NULL);
    if (bpt_wish_for(self->pool, &self->wish, LARGE) == BP_PENDING) {
        ck_assert(bp_pool_cancel(self->pool, &self->wish.reservation));
    }
    bpt_wish_release(&self->wish);
    --*self->depth;
}

START_TEST(a09_callbacks_run_without_locks_and_not_within_each_other) {
    enum { CALLERS = 50 };
    static busybody callers[CALLERS];
    uint32_t depth = 0;
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *held = bpt_acquire(pool, LARGE);
    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (busybody){.reservation = {.size = LARGE, .on_done = do_everything, .user = &callers[i]},
                                .pool = pool,
                                .depth = &depth};
        bpt_err(bp_pool_reserve(pool, &callers[i].reservation), BP_PENDING);
    }
    bp_buf_release(held);
    for (int i = 0; i < CALLERS; i++) {
        ck_assert_uint_eq(callers[i].told, 1);
        ck_assert_uint_eq(callers[i].depth_seen, 1);
    }
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 10: three mallocs and three frees for every ticket ---- */

START_TEST(a10_a_ticket_allocates_nothing_on_a_hit) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(LIMIT);
    bp_buf *held = bpt_acquire(pool, BPT_LARGEST_CLASS);
    for (int i = 0; i < BPT_CLASS_COUNT; i++) bp_buf_release(bpt_acquire(pool, bpt_classes[i].size));
    bpt_os_fail(UINT64_MAX, false);
    for (int turn = 0; turn < 1000; turn++) {
        bpt_wish wish = {0};
        bpt_ok(bpt_wish_for(pool, &wish, bpt_classes[turn % BPT_CLASS_COUNT].size));
        bpt_wish_release(&wish);
    }
    ck_assert_uint_eq(bpt_os_calls(), 0);
    bp_buf_release(held);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 11: memory went back only when nothing was in use ---- */

static uint64_t read_clock(void *now) { return *(uint64_t *)now; }

START_TEST(a11_memory_goes_back_by_age_while_the_pool_is_busy) {
    enum { BUSY = 2000, ONCE = 2000, IDLE_MS = 100 };
    static bp_buf *bufs[BUSY];
    uint64_t now = 1;
    const bp_class sizes[] = {{.size = 128}, {.size = 4096}};
    const bp_pool_config config = {.classes = sizes, .class_count = 2, .memory_limit = 64 << 20, .rest_bytes = 16 << 20,
                                   .idle_ms = IDLE_MS, .now_ms = read_clock, .now_user = &now};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    release_all(bufs, fill(pool, 4096, bufs, ONCE));
    bp_buf *busy = bpt_acquire(pool, 100); /* at no time is nothing in use */
    const uint64_t before = bpt_class_stats(pool, 1).committed_bytes;
    for (; now < 4 * IDLE_MS; now += IDLE_MS / 4) release_all(bufs, fill(pool, 100, bufs, BUSY));
    ck_assert_uint_lt(bpt_class_stats(pool, 1).committed_bytes, before / 20);
    bp_buf_release(busy);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- 12: who held one part and waited for the next one was stuck ---- */

/* A reader keeps part 1, which its consumer has not read yet, and needs part 2. Instead of holding the pool's memory
 * it moves the part into memory that is bounded elsewhere. */
START_TEST(a12_a_holder_that_must_wait_gives_its_buffer_back) {
    bp_pool *pool = bpt_pool_new(LIMIT), *aside = NULL;
    bp_buf *part = bpt_acquire(pool, LARGE);
    bpt_wish next = {0};
    bpt_ok(bp_heap_pool_new(LIMIT, &aside));
    bp_buf_data(part)[9] = 99;
    bp_buf_set_length(part, 10);
    bpt_wish_waits(pool, &next, LARGE); /* and nobody else will ever release anything */
    bpt_ok(bp_buf_copy_out(&part, aside));
    bpt_wish_is_granted(&next);
    ck_assert_ptr_eq(bp_buf_pool(part), aside);
    ck_assert_uint_eq(bp_buf_length(part), 10);
    ck_assert_uint_eq(bp_buf_data(part)[9], 99);
    bp_buf_release(part);
    bpt_wish_release(&next);
    bpt_pool_end_take(&pool);
    bpt_pool_end_take(&aside);
}
END_TEST

BPT_SUITE(pool_ancestors) {
    BPT_TIMEOUT(30);
    BPT_TEST(a01_small_requests_never_overtake_a_large_waiter);
    BPT_TEST(a02_a_forced_grant_that_is_never_used_is_undone);
    BPT_TEST(a03_the_limit_counts_what_is_held_from_the_system);
    BPT_TEST(a04_what_lives_pins_little_where_memory_is_short);
    BPT_TEST(a05_whoever_claims_a_grant_gets_the_same_bytes);
    BPT_TEST(a06_impossible_sizes_are_ordinary_errors);
    BPT_TEST(a07_tickets_and_buffers_outlive_their_pool);
    BPT_TEST(a08_ten_thousand_who_wait_cost_a_release_nothing);
    BPT_TEST(a09_callbacks_run_without_locks_and_not_within_each_other);
    BPT_TEST(a10_a_ticket_allocates_nothing_on_a_hit);
    BPT_TEST(a11_memory_goes_back_by_age_while_the_pool_is_busy);
    BPT_TEST(a12_a_holder_that_must_wait_gives_its_buffer_back);
}
