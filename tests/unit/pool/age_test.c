/* Memory that goes back because nobody used it for long. The clock is the test's. */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>

enum { IDLE_MS = 1000, COUNT = 400, BUSY_IX = 3, BUSY_SIZE = 4096 };

typedef struct fake_clock {
    uint64_t now, reads; /* atomic */
} fake_clock;

static uint64_t read_clock(void *user) {
    fake_clock *self = user;
    (void)BPI_FETCH_ADD(&self->reads, 1, __ATOMIC_RELAXED);
    return BPI_LOAD(&self->now);
}

static void pass(fake_clock *self, uint64_t ms) { (void)BPI_FETCH_ADD(&self->now, ms, __ATOMIC_RELAXED); }

static bp_pool *aging_pool(const bp_class *classes, uint32_t count, fake_clock *now) {
    const bp_pool_config config = {.classes = classes, .class_count = count, .rest_bytes = 16 << 20,
                                   .now_ms = now == NULL ? NULL : read_clock, .now_user = now, .idle_ms = IDLE_MS};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

static bp_pool *pool_without_budgets(fake_clock *now) {
    static const bp_class classes[] = {{.size = 64}, {.size = 128}, {.size = 1024}, {.size = BUSY_SIZE},
                                       {.size = BPT_LARGEST_CLASS}};
    return aging_pool(classes, BPT_CLASS_COUNT, now);
}

/* Takes count buffers and gives them back. */
static void use(bp_pool *pool, uint64_t size, int count) {
    static __thread bp_buf *bufs[8 * COUNT];
    for (int i = 0; i < count; i++) bufs[i] = bpt_acquire(pool, size);
    for (int i = 0; i < count; i++) bp_buf_release(bufs[i]);
}

/* More than a magazine holds, so that some calls take the lock. */
static void work(bp_pool *pool) { use(pool, BUSY_SIZE, 4 * COUNT); }

/* Work that goes on for ms, and never rests. */
static void work_for(bp_pool *pool, fake_clock *now, uint64_t ms) {
    for (uint64_t passed = 0; passed < ms; passed += IDLE_MS / 10) {
        work(pool);
        pass(now, IDLE_MS / 10);
    }
    work(pool);
}

static uint64_t committed(bp_pool *pool, uint32_t class_ix) { return bpt_class_stats(pool, class_ix).committed_bytes; }

/* The smallest slab of the class with two buffers in it, as automatic trim never takes the last two. */
static uint64_t two_buffers(bp_pool *pool, uint32_t class_ix) {
    const bpi_class *of = bpi_sized_of(pool)->classes[class_ix];
    return of->depth == 0 ? 2 * bpi_slab_least_bytes(of) : 2 * (uint64_t)BPI_SLAB_FIRST_BYTES;
}

START_TEST(busy_on_one_class_another_ones_memory_goes_back_after_two_periods) {
    fake_clock now = {.now = 5000};
    bp_pool *pool = pool_without_budgets(&now);
    use(pool, 1000, 8 * COUNT);
    use(pool, BPT_LARGEST_CLASS, 20);
    work(pool);
    const uint64_t small = committed(pool, 2), large = committed(pool, 4), busy = committed(pool, BUSY_IX);
    ck_assert_uint_ge(small, 8 * COUNT * 1024);
    ck_assert_uint_ge(large, 20 * BPT_LARGEST_CLASS);
    work_for(pool, &now, IDLE_MS - IDLE_MS / 10);
    ck_assert_uint_eq(committed(pool, 2), small); /* not yet */
    ck_assert_uint_eq(committed(pool, 4), large);
    work_for(pool, &now, IDLE_MS + IDLE_MS / 10);
    ck_assert_uint_le(committed(pool, 2), two_buffers(pool, 2));
    ck_assert_uint_eq(committed(pool, 4), two_buffers(pool, 4));
    ck_assert_uint_gt(committed(pool, BUSY_IX), busy / 2); /* what is used stays */
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(what_was_used_within_the_period_stays) {
    fake_clock now = {0};
    bp_pool *pool = pool_without_budgets(&now);
    uint64_t before = 0, misses = 0;
    for (int period = 0; period < 10; period++) {
        use(pool, 1000, 8 * COUNT);
        work_for(pool, &now, IDLE_MS);
        if (period == 4) { /* what the class had beyond that is gone by now */
            before = committed(pool, 2);
            misses = bpt_class_stats(pool, 2).misses;
        }
    }
    ck_assert_uint_ge(before, 8 * COUNT * 1024);
    ck_assert_uint_eq(committed(pool, 2), before);
    ck_assert_uint_eq(bpt_class_stats(pool, 2).misses, misses);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(what_a_lower_load_does_not_need_goes) {
    fake_clock now = {0};
    bp_pool *pool = pool_without_budgets(&now);
    use(pool, 1000, 8 * COUNT);
    for (int period = 0; period < 5; period++) {
        use(pool, 1000, 2 * COUNT);
        ck_assert(bpi_pool_is_valid(pool));
        work_for(pool, &now, IDLE_MS);
    }
    ck_assert_uint_ge(committed(pool, 2), 2 * COUNT * 1024);
    ck_assert_uint_lt(committed(pool, 2), 4 * COUNT * 1024);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_idle_budget_stays) {
    const bp_class classes[] = {{.size = 1024, .idle_bytes = 1000 * 1024}, {.size = BUSY_SIZE}};
    fake_clock now = {0};
    bp_pool *pool = aging_pool(classes, 2, &now);
    use(pool, 1000, 8 * COUNT);
    work_for(pool, &now, 5 * IDLE_MS);
    ck_assert_uint_ge(bpt_class_stats(pool, 0).idle, 1000);
    ck_assert_uint_lt(bpt_class_stats(pool, 0).idle, 2000);
    bpt_pool_end_take(&pool);
}
END_TEST

typedef struct hoarder {
    bp_pool *pool;
    pthread_barrier_t has_stock, end;
} hoarder;

static void *hoard(void *argument) {
    hoarder *self = argument;
    use(self->pool, 100, COUNT);
    (void)pthread_barrier_wait(&self->has_stock);
    (void)pthread_barrier_wait(&self->end);
    use(self->pool, 100, COUNT); /* and goes on where it was */
    return NULL;
}

START_TEST(what_rests_with_an_idle_thread_goes_back_too) {
    fake_clock now = {0};
    hoarder self = {.pool = pool_without_budgets(&now)};
    pthread_t thread;
    ck_assert_int_eq(pthread_barrier_init(&self.has_stock, NULL, 2), 0);
    ck_assert_int_eq(pthread_barrier_init(&self.end, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, hoard, &self), 0);
    (void)pthread_barrier_wait(&self.has_stock);
    const uint64_t before = committed(self.pool, 1);
    ck_assert_uint_gt(before, two_buffers(self.pool, 1));
    work_for(self.pool, &now, 2 * IDLE_MS);
    ck_assert_uint_le(committed(self.pool, 1), two_buffers(self.pool, 1));
    (void)pthread_barrier_wait(&self.end);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(bpi_pool_is_valid(self.pool));
    bpt_pool_end_take(&self.pool);
}
END_TEST

START_TEST(without_a_clock_or_a_period_nothing_goes_by_its_age) {
    fake_clock now = {0};
    bp_pool *pool = pool_without_budgets(NULL);
    if (_i == 1) {
        const bp_pool_config config = {.classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .now_ms = read_clock,
                                       .now_user = &now, .rest_bytes = 16 << 20};
        bp_pool_release_take(&pool);
        bpt_ok(bp_pool_new(&config, &pool));
    }
    use(pool, 1000, 8 * COUNT);
    work(pool);
    const uint64_t before = bpt_stats(pool).committed_bytes;
    now.reads = 0;
    work_for(pool, &now, 10 * IDLE_MS);
    ck_assert_uint_ge(bpt_class_stats(pool, 2).idle, 8 * COUNT);
    ck_assert_uint_eq(now.reads, 0);
    ck_assert_uint_ge(bpt_stats(pool).committed_bytes, before);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_slow_call_reads_the_clock_once_and_an_inline_one_never) {
    fake_clock now = {0};
    bp_pool *pool = pool_without_budgets(&now);
    work(pool);
    const uint64_t slow = bpt_class_stats(pool, BUSY_IX).slow;
    now.reads = 0;
    use(pool, BUSY_SIZE, 2);
    ck_assert_uint_le(now.reads, bpi_sized_of(pool)->is_watched ? 4 : 1);
    now.reads = 0;
    bp_buf *buf = bpt_acquire(pool, BPT_LARGEST_CLASS);
    ck_assert_uint_eq(now.reads, 1);
    pass(&now, 3 * IDLE_MS); /* also one that finds it time */
    bp_buf_release(buf);
    ck_assert_uint_eq(now.reads, 2);
    ck_assert_uint_ge(bpt_class_stats(pool, BUSY_IX).slow, slow);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_clock_that_goes_back_takes_nothing) {
    fake_clock now = {.now = 100 * IDLE_MS};
    bp_pool *pool = pool_without_budgets(&now);
    use(pool, 1000, 8 * COUNT);
    const uint64_t before = committed(pool, 2);
    for (int i = 0; i < 10; i++) {
        now.now -= 5 * IDLE_MS;
        work(pool);
    }
    ck_assert_uint_eq(committed(pool, 2), before);
    bpt_pool_end_take(&pool);
}
END_TEST

/* The claim stands while its own thread seals every magazine. */
START_TEST(a_look_in_the_middle_of_an_acquire_loses_nothing) {
    fake_clock now = {0};
    bp_pool *pool = pool_without_budgets(&now);
    bp_buf *held = bpt_acquire(pool, 100), *out = NULL;
    bpi_entry *entry = bpi_own_entry(bpi_buf_head(held)->entry);
    bp_buf *claimed = ((bp_buf **)entry->top)[-1];
    bpi_entry_set_top(entry, entry->top - (intptr_t)sizeof(bp_buf *));
    pass(&now, 3 * IDLE_MS);
    bpt_ok(bpi_acquire_slow(pool, 100, entry, &out));
    ck_assert_ptr_eq(out, claimed);
    ck_assert_uint_eq(bpt_class_stats(pool, 1).in_use, 2);
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(out);
    bp_buf_release(held);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- against threads at work ---- */

typedef struct worker {
    bp_pool *pool;
    fake_clock *now;
    uint64_t seed;
} worker;

static void *work_at_random(void *argument) {
    worker *self = argument;
    bp_buf *held[128] = {0};
    for (unsigned long i = 0; i < bpt_scaled(60000); i++) {
        const uint32_t at = bpt_random(&self->seed) % 128;
        if (held[at] != NULL) {
            bpt_must(bp_buf_data(held[at])[0] == at);
            bp_buf_release_take(&held[at]);
            continue;
        }
        held[at] = bpt_acquire(self->pool, 1 + bpt_random(&self->seed) % 5000);
        bp_buf_data(held[at])[0] = (uint8_t)at;
        pass(self->now, IDLE_MS / 50);
    }
    for (int i = 0; i < 128; i++) bp_buf_release(held[i]);
    return NULL;
}

START_TEST(aging_under_load_loses_no_buffer) {
    fake_clock now = {0};
    bp_pool *pool = pool_without_budgets(&now);
    pthread_t threads[4];
    worker workers[4];
    for (uint64_t i = 0; i < 4; i++) {
        workers[i] = (worker){.pool = pool, .now = &now, .seed = bpt_seed(9) + i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work_at_random, &workers[i]), 0);
    }
    for (int i = 0; i < 4; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_gt(bpi_sized_of(pool)->aged_ms, 10 * IDLE_MS);
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 0);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_LONG_SUITE(pool_age) {
    BPT_TEST(busy_on_one_class_another_ones_memory_goes_back_after_two_periods);
    BPT_TEST(what_was_used_within_the_period_stays);
    BPT_TEST(what_a_lower_load_does_not_need_goes);
    BPT_TEST(the_idle_budget_stays);
    BPT_TEST(what_rests_with_an_idle_thread_goes_back_too);
    BPT_LOOP_TEST(without_a_clock_or_a_period_nothing_goes_by_its_age, 0, 2);
    BPT_TEST(a_slow_call_reads_the_clock_once_and_an_inline_one_never);
    BPT_TEST(a_clock_that_goes_back_takes_nothing);
    BPT_TEST(a_look_in_the_middle_of_an_acquire_loses_nothing);
    BPT_TEST(aging_under_load_loses_no_buffer);
}
