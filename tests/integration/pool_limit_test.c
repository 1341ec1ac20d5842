/* The limit as the system sees it, under the load of many threads: plain acquires, reservations and exact allocations,
 * and one who waits for half of the pool. */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "tests/support/os_meter.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "tests/support/wish.h"

#include <pthread.h>

enum { THREADS = 8, HELD = 256, MIB = 1 << 20, LIMIT = 64 * MIB, KEPT = 16 * 1024 };

static const bp_class classes[] = {{64, 65536},     {256, 65536},     {1024, 65536},    {4096, 65536},
                                   {65536, 262144}, {262144, 524288}, {8 * MIB, 0}};

typedef struct load {
    bp_pool *pool;
    uint64_t seed, refused, taken, turns;
    bool *is_over;
    pthread_barrier_t *step;
} load;

static bp_pool *limited_pool(void) {
    const bp_pool_config config = {.classes = classes,
                                   .class_count = sizeof classes / sizeof classes[0],
                                   .memory_limit = LIMIT};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

static uint64_t random_size(uint64_t *state) {
    const uint32_t kind = bpt_random(state) % 1000;
    if (kind < 800) return 1 + bpt_random(state) % 4096;
    if (kind < 970) return 1 + bpt_random(state) % 262144;
    if (kind < 990) return 1 + bpt_random(state) % (8 * MIB);
    return 8 * MIB + 1 + bpt_random(state) % MIB;
}

static void mark(bp_buf *buf, uint8_t value) {
    bp_buf_data(buf)[0] = value;
    bp_buf_data(buf)[bp_buf_capacity(buf) - 1] = value;
}

static void release_marked(bp_buf **buf, uint8_t value) {
    bpt_must(bp_buf_data(*buf)[0] == value && bp_buf_data(*buf)[bp_buf_capacity(*buf) - 1] == value);
    bp_buf_release_take(buf);
}

static void random_turn(load *self, bp_buf **held) {
    const uint32_t at = bpt_random(&self->seed) % HELD;
    const uint8_t value = (uint8_t)(at * 7 + 1);
    if (held[at] != NULL) {
        release_marked(&held[at], value);
        return;
    }
    const bp_err err = bp_pool_acquire(self->pool, random_size(&self->seed), &held[at]);
    bpt_must(err == BP_OK || err == BP_ERR_LIMIT);
    self->taken += err == BP_OK;
    self->refused += err == BP_ERR_LIMIT;
    if (err == BP_OK) mark(held[at], value);
}

/* Until the test says so; then gives everything back, and stays until what is left was read. */
static void *random_load(void *argument) {
    load *self = argument;
    bp_buf *held[HELD] = {0};
    bpt_os_meter_thread();
    (void)pthread_barrier_wait(self->step);
    while (!__atomic_load_n(self->is_over, __ATOMIC_ACQUIRE)) {
        random_turn(self, held);
        (void)__atomic_add_fetch(&self->turns, 1, __ATOMIC_RELAXED);
    }
    for (uint32_t i = 0; i < HELD; i++) {
        if (held[i] != NULL) release_marked(&held[i], (uint8_t)(i * 7 + 1));
    }
    (void)pthread_barrier_wait(self->step);
    (void)pthread_barrier_wait(self->step);
    return NULL;
}

static uint64_t turns_of(const load *loads) {
    uint64_t turns = 0;
    for (int i = 0; i < THREADS; i++) turns += __atomic_load_n(&loads[i].turns, __ATOMIC_RELAXED);
    return turns;
}

static void let_them_turn(const load *loads) {
    const uint64_t before = turns_of(loads);
    while (turns_of(loads) < before + bpt_scaled(20000)) (void)sched_yield();
}

/* Half of the pool, while all others take what they can get: again and again. */
static void wait_among(const load *loads, bp_pool *pool) {
    for (int i = 0; i < 10; i++) {
        bp_buf *buf = NULL;
        let_them_turn(loads);
        bpt_ok(bp_pool_acquire_wait(pool, 32 * MIB, UINT32_MAX, &buf));
        mark(buf, 99);
        let_them_turn(loads);
        release_marked(&buf, 99);
    }
}

START_TEST(the_limit_holds_and_a_large_waiter_is_served) {
    bool is_over = false;
    load loads[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t step;
    uint64_t refused = 0;
    bpt_os_meter();
    bp_pool *pool = limited_pool();
    ck_assert_int_eq(pthread_barrier_init(&step, NULL, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++) {
        loads[i] = (load){.pool = pool, .seed = bpt_seed(11) + (uint64_t)i, .is_over = &is_over, .step = &step};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, random_load, &loads[i]), 0);
    }
    (void)pthread_barrier_wait(&step);
    wait_among(loads, pool);
    __atomic_store_n(&is_over, true, __ATOMIC_RELEASE);
    (void)pthread_barrier_wait(&step);
    (void)bp_pool_trim(pool, false);
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.committed_bytes, 0);
    ck_assert_uint_eq(bpt_os_meter_bytes(), 0);
    ck_assert_uint_gt(bpt_os_meter_peak(), LIMIT / 2);
    ck_assert_uint_le(bpt_os_meter_peak(), LIMIT);
    ck_assert_uint_le(stats.committed_peak_bytes, LIMIT);
    ck_assert(bpi_pool_is_valid(pool));
    (void)pthread_barrier_wait(&step);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        refused += loads[i].refused;
    }
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_gt(bpt_stats(pool).waits, 0);
    ck_assert_uint_le(bpt_os_meter_bookkeeping(), KEPT);
    bpt_pool_end_take(&pool);
    ck_assert_uint_eq(bpt_os_meter_bookkeeping(), 0);
}
END_TEST

BPT_SUITE(pool_limit_under_load) {
    BPT_TIMEOUT(60);
    BPT_TEST(the_limit_holds_and_a_large_waiter_is_served);
}
