#include "tests/support/pool_support.h"
#include "tests/support/suite.h"
#include "pool/pool_internal.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

const bp_class bpt_classes[BPT_CLASS_COUNT] = {
    {64, 65536}, {128, 65536}, {1024, 65536}, {4096, 65536}, {BPT_LARGEST_CLASS, 0},
};

bp_pool *bpt_pool_new(uint64_t limit) {
    const bp_pool_config config = {.name = "test",
                                   .classes = bpt_classes,
                                   .class_count = BPT_CLASS_COUNT,
                                   .memory_limit = limit};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

void bpt_pool_end_take(bp_pool **pool) {
    (void)bp_pool_trim(*pool, false);
    const bp_pool_stats stats = bpt_stats(*pool);
    ck_assert_uint_eq(stats.total.in_use, 0);
    ck_assert_uint_eq(stats.total.acquires, stats.total.releases);
    ck_assert_uint_eq(stats.exact_in_use, 0);
    ck_assert_uint_eq(stats.committed_bytes, 0);
    bp_pool_release_take(pool);
}

bp_buf *bpt_acquire(bp_pool *pool, uint64_t size) {
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire(pool, size, &buf));
    ck_assert_ptr_nonnull(buf);
    return buf;
}

bp_class_stats bpt_class_stats(bp_pool *pool, uint32_t class_ix) {
    bp_class_stats stats;
    bpt_ok(bp_pool_class_stats_read(pool, class_ix, &stats));
    return stats;
}

bp_pool_stats bpt_stats(bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    return stats;
}

void bpt_on_thread(void *(*call)(void *), void *argument) {
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, call, argument), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled" (2016). */
uint32_t bpt_random(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

uint64_t bpt_seed(uint64_t otherwise) {
    const char *given = getenv("SEED");
    return given == NULL ? otherwise : strtoull(given, NULL, 10);
}

/* ---- a system that runs out of memory ---- */

static uint64_t calls, failing_call;
static bool is_failing_on;
static int64_t live;

static bool fails_now(void) {
    const uint64_t call = __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    return is_failing_on ? call >= failing_call : call == failing_call;
}

static void *count_given(void *memory) {
    if (memory != NULL) __atomic_fetch_add(&live, 1, __ATOMIC_RELAXED);
    return memory;
}

static void *watched_alloc(size_t size) { return fails_now() ? NULL : count_given(bpi_os_system.alloc(size)); }

static void *watched_alloc_raw(size_t size) { return fails_now() ? NULL : count_given(bpi_os_system.alloc_raw(size)); }

static void *watched_map(size_t size) { return fails_now() ? NULL : count_given(bpi_os_system.map(size)); }

static bool watched_protect(void *memory, size_t size) {
    return !fails_now() && bpi_os_system.protect(memory, size);
}

static void watched_free(void *memory) {
    if (memory != NULL) __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
    bpi_os_system.free(memory);
}

static void watched_unmap(void *memory, size_t size) {
    __atomic_fetch_sub(&live, 1, __ATOMIC_RELAXED);
    bpi_os_system.unmap(memory, size);
}

static bool no_barrier(void) { return false; }

void bpt_os_watch(void) {
    ck_assert_ptr_nonnull(bpi_own_entry(sizeof(bpi_entry))); /* the calling thread's block is not counted */
    bpi_os.alloc = watched_alloc;
    bpi_os.alloc_raw = watched_alloc_raw;
    bpi_os.map = watched_map;
    bpi_os.protect = watched_protect;
    bpi_os.free = watched_free;
    bpi_os.unmap = watched_unmap;
    bpt_os_fail(UINT64_MAX, false);
    live = 0;
}

void bpt_os_fail(uint64_t call, bool with_all_later) {
    calls = 0;
    failing_call = call;
    is_failing_on = with_all_later;
}

uint64_t bpt_os_calls(void) { return __atomic_load_n(&calls, __ATOMIC_RELAXED); }

int64_t bpt_os_live(void) { return __atomic_load_n(&live, __ATOMIC_RELAXED); }

void bpt_os_set_barrier(bool is_there) { bpi_os.barrier = is_there ? bpi_os_system.barrier : no_barrier; }
