#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

enum { LIMIT = 4 * BPT_LARGEST_CLASS, MANY = 200000 };
static bp_buf *bufs[MANY];

START_TEST(a_budget_charges_up_to_its_limit) {
    bpi_budget budget = {0};
    bp_pool_stats stats = {0};
    bpi_budget_init(&budget, 1000, 10);
    ck_assert(bpi_budget_charge(&budget, BPI_COMMITTED, 400));
    ck_assert(bpi_budget_charge(&budget, BPI_COMMITTED, 600));
    ck_assert(!bpi_budget_charge(&budget, BPI_COMMITTED, 1));
    bpi_budget_uncharge(&budget, BPI_COMMITTED, 125);
    ck_assert(bpi_budget_has_room(&budget));
    ck_assert(bpi_budget_charge(&budget, BPI_COMMITTED, 1));
    ck_assert(!bpi_budget_has_room(&budget));
    ck_assert(!bpi_budget_charge(&budget, BPI_COMMITTED, UINT64_MAX));
    bpi_budget_stats(&budget, &stats);
    ck_assert_uint_eq(stats.committed_bytes, 876);
    ck_assert_uint_eq(stats.committed_peak_bytes, 1000);
    ck_assert_uint_eq(stats.memory_limit, 1000);
}
END_TEST

START_TEST(no_limit_reads_as_zero) {
    bpi_budget budget = {0};
    bp_pool_stats stats = {0};
    bpi_budget_init(&budget, 0, 0);
    ck_assert(bpi_budget_charge(&budget, BPI_COMMITTED, UINT64_MAX));
    bpi_budget_stats(&budget, &stats);
    ck_assert_uint_eq(stats.memory_limit, 0);
}
END_TEST

/* Takes buffers of size until the pool refuses; returns how many. */
static uint32_t fill(bp_pool *pool, uint64_t size) {
    for (uint32_t i = 0; i < MANY; i++) {
        const bp_err err = bp_pool_acquire(pool, size, &bufs[i]);
        if (err == BP_OK) continue;
        bpt_err(err, BP_ERR_LIMIT);
        ck_assert_ptr_null(bufs[i]);
        return i;
    }
    ck_abort_msg("the limit was never reached");
    return 0;
}

static void release_all(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) bp_buf_release(bufs[i]);
}

START_TEST(the_limit_is_reached_and_never_passed) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    const uint64_t size = _i == BPT_CLASS_COUNT ? BPT_LARGEST_CLASS + 100 : bpt_classes[_i].size;
    const uint32_t count = fill(pool, size);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_le(stats.committed_peak_bytes, LIMIT);
    ck_assert_uint_lt(LIMIT - stats.committed_bytes, size + 3 * bpi_os_page_size()); /* not room for one more */
    ck_assert(bpi_pool_is_valid(pool));
    bp_buf_release(bufs[0]);
    bpt_ok(bp_pool_acquire(pool, size, &bufs[0]));
    release_all(count);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(what_rests_in_other_classes_makes_room) {
    bp_pool *pool = bpt_pool_new(LIMIT);
    for (uint32_t i = 0; i < BPT_CLASS_COUNT; i++) {
        const uint32_t count = fill(pool, bpt_classes[i].size);
        ck_assert_uint_gt(count, 2);
        release_all(count);
    }
    const uint32_t exact_count = fill(pool, 3 * BPT_LARGEST_CLASS); /* an exact allocation pushes them out as well */
    ck_assert_uint_eq(exact_count, 1);
    release_all(exact_count);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

typedef struct hoarder {
    bp_pool *pool;
    pthread_barrier_t filled, done;
} hoarder;

static void *hoard(void *argument) {
    hoarder *self = argument;
    static bp_buf *held[256];
    for (int i = 0; i < 256; i++) held[i] = bpt_acquire(self->pool, 2000);
    for (int i = 0; i < 256; i++) bp_buf_release(held[i]);
    (void)pthread_barrier_wait(&self->filled);
    (void)pthread_barrier_wait(&self->done); /* asleep with a full magazine */
    return NULL;
}

START_TEST(what_a_sleeping_thread_hoards_makes_room) {
    hoarder self = {.pool = bpt_pool_new(LIMIT + (1 << 20))};
    pthread_t thread;
    ck_assert_int_eq(pthread_barrier_init(&self.filled, NULL, 2), 0);
    ck_assert_int_eq(pthread_barrier_init(&self.done, NULL, 2), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, hoard, &self), 0);
    (void)pthread_barrier_wait(&self.filled);
    const uint32_t count = fill(self.pool, BPT_LARGEST_CLASS);
    ck_assert_uint_eq(bpt_class_stats(self.pool, 3).committed_bytes, 0);
    ck_assert_uint_eq(count, (LIMIT + (1 << 20)) / (BPT_LARGEST_CLASS + bpi_os_page_size()));
    release_all(count);
    (void)pthread_barrier_wait(&self.done);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    bpt_pool_end_take(&self.pool);
}
END_TEST

/* ---- many threads at the limit ---- */

enum { LOAD_THREADS = 6, LOAD_STEPS = 20000, LOAD_SLOTS = 128, FORCED_LIMIT = LIMIT / 2 };

typedef struct load {
    bp_pool *pool;
    bp_buf **exchange; /* LOAD_SLOTS of all threads: where buffers go to be released by another one */
    uint64_t seed;
    uint64_t refused, taken, forced, unwanted; /* unwanted: reservations that were cancelled */
} load;

static uint64_t random_size(uint64_t *state) {
    const uint32_t kind = bpt_random(state) % 100;
    if (kind < 90) return 1 + bpt_random(state) % 4096;
    if (kind < 98) return 1 + bpt_random(state) % BPT_LARGEST_CLASS;
    return BPT_LARGEST_CLASS + bpt_random(state) % 100000;
}

/* The first and the last byte are as many as the capacity says, whoever releases it. */
static void mark(bp_buf *buf) {
    const uint32_t capacity = bp_buf_capacity(buf);
    bp_buf_data(buf)[0] = bp_buf_data(buf)[capacity - 1] = (uint8_t)(capacity * 7 + 1);
}

static void release_marked(bp_buf *buf) {
    if (buf == NULL) return;
    const uint32_t capacity = bp_buf_capacity(buf);
    const uint8_t expected = (uint8_t)(capacity * 7 + 1);
    bpt_must(bp_buf_data(buf)[0] == expected && bp_buf_data(buf)[capacity - 1] == expected);
    bp_buf_release(buf);
}

static void tell(bp_reservation *reservation) {
    uint32_t *is_told = reservation->user;
    BPI_STORE_RELEASE(is_told, 1);
}

/* Asks as one who can block others, and does not wait. */
static bp_err reserve_forcibly(load *self, uint64_t size, bp_buf **out) {
    uint32_t is_told = 0;
    bp_reservation wish = {.size = size, .can_block = true, .on_done = tell, .user = &is_told};
    bp_err err = bp_pool_reserve(self->pool, &wish);
    if (err == BP_PENDING && bp_pool_cancel(self->pool, &wish)) {
        self->unwanted++;
        return BP_ERR_LIMIT;
    }
    while (err == BP_PENDING && BPI_LOAD_ACQUIRE(&is_told) == 0) (void)sched_yield();
    if (err == BP_PENDING) err = wish.err;
    *out = wish.buf;
    self->forced += err == BP_OK && (BPI_LOAD(&wish.buf->state) & BPI_BUF_FORCED) != 0;
    return err;
}

static bp_err take_somehow(load *self, bp_buf **out) {
    const uint64_t size = random_size(&self->seed);
    const uint32_t how = bpt_random(&self->seed) % 256;
    if (how == 0) return reserve_forcibly(self, size, out);
    if (how > 1) return bp_pool_acquire(self->pool, size, out);
    const bp_err err = bp_pool_acquire_wait(self->pool, size, 1, out);
    self->unwanted += err == BP_ERR_TIMEOUT;
    return err == BP_ERR_TIMEOUT ? BP_ERR_LIMIT : err;
}

static void take_one(load *self, bp_buf **out) {
    const bp_err err = take_somehow(self, out);
    if (err != BP_OK) {
        bpt_must(err == BP_ERR_LIMIT);
        self->refused++;
        return;
    }
    self->taken++;
    mark(*out);
}

/* By itself, with another reference, or handed to whoever comes next. */
static void give_one(load *self, bp_buf **buf) {
    bp_buf *given = *buf;
    *buf = NULL;
    switch (bpt_random(&self->seed) % 4) {
    case 0:
        bp_buf_release(bp_buf_retain(given));
        break;
    case 1:
        given = BPI_EXCHANGE(&self->exchange[bpt_random(&self->seed) % LOAD_SLOTS], given, __ATOMIC_ACQ_REL);
        break;
    }
    release_marked(given);
}

static void *random_load(void *argument) {
    load *self = argument;
    bp_buf *held[LOAD_SLOTS] = {0};
    for (int i = 0; i < LOAD_STEPS; i++) {
        bp_buf **one = &held[bpt_random(&self->seed) % LOAD_SLOTS];
        if (*one == NULL) {
            take_one(self, one);
        } else {
            give_one(self, one);
        }
    }
    for (int i = 0; i < LOAD_SLOTS; i++) release_marked(held[i]);
    return NULL;
}

static void run_load(bp_pool *pool, bp_buf **exchange, load *total) {
    static load loads[LOAD_THREADS];
    pthread_t threads[LOAD_THREADS];
    for (int i = 0; i < LOAD_THREADS; i++) {
        loads[i] = (load){.pool = pool, .exchange = exchange, .seed = bpt_seed(42) + (uint64_t)i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, random_load, &loads[i]), 0);
    }
    for (int i = 0; i < LOAD_THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        total->taken += loads[i].taken;
        total->refused += loads[i].refused;
        total->forced += loads[i].forced;
        total->unwanted += loads[i].unwanted;
    }
    for (int i = 0; i < LOAD_SLOTS; i++) release_marked(exchange[i]);
}

/* What was granted between a timeout and its cancel went back unseen. */
START_TEST(random_load_of_many_threads_stays_within_the_limit) {
    const bp_pool_config config = {.classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = 2 * LIMIT,
                                   .forced_limit = FORCED_LIMIT};
    static bp_buf *exchange[LOAD_SLOTS];
    load total = {0};
    bp_pool *pool = NULL;
    bpt_ok((_i == 0 ? bp_pool_factory_sized : bp_pool_factory_heap)(&config, NULL, &pool));
    run_load(pool, exchange, &total);
    const bp_pool_stats stats = bpt_stats(pool);
    const uint64_t given = stats.total.acquires + stats.exact_acquires + stats.forced_grants;
    ck_assert_uint_gt(total.refused, 0);
    ck_assert_uint_gt(total.forced, 0);
    ck_assert_uint_le(stats.committed_peak_bytes, 2 * LIMIT);
    ck_assert_uint_le(stats.forced_peak_bytes, FORCED_LIMIT);
    ck_assert_uint_ge(given, total.taken);
    ck_assert_uint_le(given, total.taken + total.unwanted);
    ck_assert_uint_eq(stats.waiting, 0);
    ck_assert_uint_eq(stats.total.in_use + stats.exact_in_use + stats.forced_in_use, 0);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- a container's share ---- */

static uint64_t container_bytes;
static uint64_t fake_container(void) { return container_bytes; }

static uint64_t limit_in_container(uint64_t memory_limit, uint32_t percent) {
    const bp_pool_config config = {.classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .memory_limit = memory_limit,
                                   .container_percent = percent};
    bp_pool *pools[2] = {NULL, NULL};
    bpt_ok(bp_pool_factory_sized(&config, NULL, &pools[0]));
    bpt_ok(bp_pool_factory_heap(&config, NULL, &pools[1]));
    const uint64_t limit = bpt_stats(pools[0]).memory_limit;
    ck_assert_uint_eq(bpt_stats(pools[1]).memory_limit, limit);
    for (int i = 0; i < 2; i++) bp_pool_release_take(&pools[i]);
    return limit;
}

START_TEST(a_part_of_the_container_is_the_limit) {
    bpi_os.container_memory = fake_container;
    container_bytes = UINT64_C(100) << 30;
    ck_assert_uint_eq(bp_container_memory(), container_bytes);
    ck_assert_uint_eq(limit_in_container(0, 50), UINT64_C(50) << 30);
    ck_assert_uint_eq(limit_in_container(LIMIT, 50), LIMIT);
    ck_assert_uint_eq(limit_in_container(UINT64_C(60) << 30, 50), UINT64_C(50) << 30);
    ck_assert_uint_eq(limit_in_container(0, 100), UINT64_C(100) << 30);
    ck_assert_uint_eq(limit_in_container(0, 0), 0); /* does not ask */
    container_bytes = UINT64_MAX - 1;
    ck_assert_uint_eq(limit_in_container(0, 100), UINT64_MAX - 1);
    container_bytes = 100000099;
    ck_assert_uint_eq(limit_in_container(0, 33), 33000032);
    container_bytes = 0; /* nothing is known */
    ck_assert_uint_eq(limit_in_container(0, 50), 0);
    ck_assert_uint_eq(limit_in_container(LIMIT, 50), LIMIT);
}
END_TEST

START_TEST(a_container_that_is_too_small_is_refused) {
    const uint64_t too_small[] = {2 * LIMIT - 2, 1};
    bp_pool_config config = {.classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .container_percent = 50};
    bp_pool *pool = (bp_pool *)1;
    bpi_os.container_memory = fake_container;
    for (size_t i = 0; i < 2; i++) {
        container_bytes = too_small[i]; /* of the second nothing is left, which must not mean no limit */
        bpt_err(bp_pool_new(&config, &pool), BP_ERR_ARGUMENT);
        ck_assert_ptr_null(pool);
    }
    container_bytes = 2 * LIMIT;
    bpt_ok(bp_pool_new(&config, &pool));
    bp_pool_release_take(&pool);
    config.container_percent = 101;
    bpt_err(bp_pool_new(&config, &pool), BP_ERR_ARGUMENT);
    bpt_err(bp_pool_factory_heap(&config, NULL, &pool), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(pool);
}
END_TEST

BPT_SUITE(pool_limit) {
    BPT_TEST(a_budget_charges_up_to_its_limit);
    BPT_TEST(no_limit_reads_as_zero);
    BPT_LOOP_TEST(the_limit_is_reached_and_never_passed, 0, BPT_CLASS_COUNT + 1);
    BPT_TEST(what_rests_in_other_classes_makes_room);
    BPT_TEST(what_a_sleeping_thread_hoards_makes_room);
    BPT_LOOP_TEST(random_load_of_many_threads_stays_within_the_limit, 0, 2);
    BPT_TEST(a_part_of_the_container_is_the_limit);
    BPT_TEST(a_container_that_is_too_small_is_refused);
}
