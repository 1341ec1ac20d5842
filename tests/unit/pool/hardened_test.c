/* Hardened pools: what their holders do wrong is told, and what they do right works as with others. */
#define _GNU_SOURCE
#include "base/poison.h"
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bp_pool *hardened_new(uint64_t limit) {
    const bp_pool_config config = {
        .classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .memory_limit = limit, .is_hardened = true};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

enum { KINDS = 16 };
static uint32_t seen[KINDS];
static const void *misused;

static void note(bp_misuse what, const void *object, void *user) {
    (void)user;
    (void)BPI_FETCH_ADD(&seen[what], 1, __ATOMIC_RELAXED);
    BPI_STORE(&misused, object);
}

static uint32_t seen_in_all(void) {
    uint32_t all = 0;
    for (uint32_t i = 0; i < KINDS; i++) all += seen[i];
    return all;
}

/* Writes where nobody may, unseen by AddressSanitizer: what it would stop is what is tested here. */
__attribute__((no_sanitize("address"))) static void scribble(uint8_t *at) { *(volatile uint8_t *)at ^= 0x10; }

/* ---- what works as with others ---- */

START_TEST(what_is_right_works_as_with_others) {
    bp_pool *pool = hardened_new(0);
    bp_buf *bufs[BPT_CLASS_COUNT + 1];
    bp_misuse_set(note, NULL);
    for (uint32_t i = 0; i <= BPT_CLASS_COUNT; i++) {
        const uint32_t size = i == BPT_CLASS_COUNT ? BPT_LARGEST_CLASS + 1 : bpt_classes[i].size - i;
        bufs[i] = bpt_acquire(pool, size);
        ck_assert_uint_eq((uintptr_t)bp_buf_data(bufs[i]) % 16, 0);
        ck_assert_uint_eq(bp_buf_capacity(bufs[i]), size);
        memset(bp_buf_data(bufs[i]), 0x5A, size);
        ck_assert_ptr_eq(bp_buf_retain(bufs[i]), bufs[i]);
    }
    for (uint32_t i = 0; i <= BPT_CLASS_COUNT; i++) {
        bp_buf_release(bufs[i]);
        ck_assert_int_eq(bp_buf_data(bufs[i])[0], 0x5A);
        bp_buf_release(bufs[i]);
    }
    ck_assert(bpi_pool_is_valid(pool));
    ck_assert_uint_eq(bpt_stats(pool).total.acquires, BPT_CLASS_COUNT);
    bpt_pool_end_take(&pool);
    ck_assert_uint_eq(seen_in_all(), 0);
}
END_TEST

START_TEST(a_limit_finds_what_rests_in_quarantine) {
    bp_pool *pool = hardened_new(4 * BPT_LARGEST_CLASS);
    for (uint32_t i = 0; i < 2000; i++) {
        const uint32_t ix = i % BPT_CLASS_COUNT;
        bp_buf_release(bpt_acquire(pool, bpt_classes[ix].size)); /* never BP_ERR_LIMIT: nothing is out */
    }
    bpt_pool_end_take(&pool);
}
END_TEST

static void grant(bp_reservation *reservation) { *(bool *)reservation->user = true; }

START_TEST(who_waits_gets_what_would_rest_in_quarantine) {
    bp_pool *pool = hardened_new(4 * BPT_LARGEST_CLASS);
    bp_buf *held[4];
    uint32_t count = 0;
    bool is_granted = false;
    while (bp_pool_acquire(pool, BPT_LARGEST_CLASS, &held[count]) == BP_OK) count++;
    bp_reservation one = {.size = BPT_LARGEST_CLASS, .on_done = grant, .user = &is_granted};
    bpt_err(bp_pool_reserve(pool, &one), BP_PENDING);
    bp_buf_release(held[0]);
    ck_assert(is_granted);
    bp_buf_release(one.buf);
    while (count-- > 1) bp_buf_release(held[count]);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_sensitive_buffer_is_wiped_before_it_rests) {
    bp_pool *pool = hardened_new(0);
    bp_buf *buf = bpt_acquire(pool, 1024);
    memset(bp_buf_data(buf), 0x5A, 1024);
    bp_buf_set_sensitive(buf);
    bp_buf_release(buf);
    ck_assert_uint_eq(bpt_stats(pool).total.wiped, 1);
    bpt_pool_end_take(&pool);
}
END_TEST

enum { THREADS = 4, ROUNDS = 4000, SHARED = 16 };

typedef struct exchange {
    bp_pool *pool;
    bp_buf *places[SHARED]; /* atomic: buffers that one thread leaves and another takes */
} exchange;

static void *work(void *argument) {
    exchange *shared = argument;
    uint64_t state = 77 + (uint64_t)(uintptr_t)&state;
    for (uint32_t i = 0; i < bpt_scaled(ROUNDS); i++) {
        bp_buf *buf = bpt_acquire(shared->pool, 1 + bpt_random(&state) % 4096);
        memset(bp_buf_data(buf), (int)i, bp_buf_capacity(buf));
        bp_buf_release(bp_buf_retain(buf));
        buf = BPI_EXCHANGE(&shared->places[bpt_random(&state) % SHARED], buf, __ATOMIC_ACQ_REL);
        bp_buf_release(buf);
    }
    return NULL;
}

START_TEST(threads_that_do_right_are_not_accused) {
    static exchange shared;
    pthread_t threads[THREADS];
    shared.pool = hardened_new(0);
    bp_misuse_set(note, NULL);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &shared), 0);
    for (int i = 0; i < THREADS; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < SHARED; i++) bp_buf_release(shared.places[i]);
    ck_assert(bpi_pool_is_valid(shared.pool));
    bpt_pool_end_take(&shared.pool);
    ck_assert_uint_eq(seen_in_all(), 0);
}
END_TEST

/* ---- references ---- */

/* The depot alone would hand the same buffer out again at once: the first slab of a class holds two. */
START_TEST(a_buffer_rests_before_it_is_handed_out_again) {
    enum { RESTING = 256 }; /* of the class of 64 bytes, with 256 KiB of rest_bytes */
    bp_pool *pool = hardened_new(0);
    const bp_buf *last[RESTING] = {0};
    for (uint32_t i = 0; i < 4 * RESTING; i++) {
        bp_buf *buf = bpt_acquire(pool, 64);
        for (uint32_t other = 0; other < RESTING; other++) ck_assert_ptr_ne(buf, last[other]);
        last[i % RESTING] = buf;
        bp_buf_release(buf);
    }
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_stale_release_is_told_while_the_buffer_rests) {
    bp_pool *pool = hardened_new(0);
    bp_misuse_set(note, NULL);
    bp_buf *stale = bpt_acquire(pool, 100);
    bp_buf_release(stale);
    for (int i = 0; i < 200; i++) bp_buf_release(bpt_acquire(pool, 100));
    bp_buf_release(stale);
    ck_assert_uint_eq(seen[BP_MISUSE_DOUBLE_RELEASE], 1);
    ck_assert_ptr_eq(misused, stale);
    bp_buf_retain(stale);
    ck_assert_uint_eq(seen[BP_MISUSE_RETAIN_FREE], 1);
    ck_assert_uint_eq(seen_in_all(), 2);
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

enum { RACES = 20000, RACERS_MAX = 3 };

/* Atomic: threads spin on them, since who is woken comes too late to race. */
typedef struct race {
    bp_buf *buf;
    uint32_t round, done;
} race;

static void spin_until(const uint32_t *counter, uint32_t value) {
    for (uint32_t i = 1; BPI_LOAD_ACQUIRE(counter) != value; i++) {
        if (i % 1000 == 0) (void)sched_yield(); /* the others may have no core */
    }
}

static void *release_in_each_round(void *argument) {
    race *r = argument;
    for (uint32_t i = 1; i <= bpt_scaled(RACES); i++) {
        spin_until(&r->round, i);
        bp_buf_release(BPI_LOAD(&r->buf));
        (void)BPI_FETCH_ADD(&r->done, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* One release more than references, all at once; one of them is the test's own thread's. */
START_TEST(of_releases_that_race_one_too_many_is_told) {
    static race r;
    const uint32_t references = (uint32_t)_i;
    pthread_t threads[RACERS_MAX];
    bp_pool *pool = hardened_new(0);
    bp_misuse_set(note, NULL);
    for (uint32_t i = 0; i < references; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, release_in_each_round, &r), 0);
    }
    for (uint32_t i = 1; i <= bpt_scaled(RACES); i++) {
        bp_buf *buf = bpt_acquire(pool, 128);
        for (uint32_t more = 1; more < references; more++) bp_buf_retain(buf);
        BPI_STORE(&r.buf, buf);
        BPI_STORE_RELEASE(&r.round, i);
        bp_buf_release(buf);
        spin_until(&r.done, i * references);
        bpt_must(seen[BP_MISUSE_DOUBLE_RELEASE] == i);
    }
    for (uint32_t i = 0; i < references; i++) ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ck_assert_uint_eq(seen_in_all(), bpt_scaled(RACES));
    ck_assert(bpi_pool_is_valid(pool));
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- bytes ---- */

START_TEST(a_write_after_release_is_told_when_the_buffer_goes_out_again) {
    bp_pool *pool = hardened_new(0);
    bp_misuse_set(note, NULL);
    bp_buf *stale = bpt_acquire(pool, 1000);
    const uint32_t at[] = {0, 500, 999, 1023};
    uint8_t *data = bp_buf_data(stale);
    bp_buf_release(stale);
    scribble(data + at[_i]);
    bp_buf *buf = NULL;
    for (int i = 0; buf != stale; i++) {
        ck_assert_int_lt(i, 2000);
        ck_assert_uint_eq(seen_in_all(), 0);
        buf = bpt_acquire(pool, 1000);
        if (buf != stale) bp_buf_release(buf);
    }
    ck_assert_uint_eq(seen[BP_MISUSE_WRITE_FREE], 1);
    ck_assert_ptr_eq(misused, stale);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
    ck_assert_uint_eq(seen_in_all(), 1);
}
END_TEST

START_TEST(a_write_after_release_is_told_when_the_memory_goes_back) {
    bp_pool *pool = hardened_new(0);
    bp_misuse_set(note, NULL);
    bp_buf *stale = bpt_acquire(pool, 1000);
    uint8_t *data = bp_buf_data(stale);
    bp_buf_release(stale);
    scribble(data + 7);
    (void)bp_pool_trim(pool, false);
    ck_assert_uint_eq(seen[BP_MISUSE_WRITE_FREE], 1);
    ck_assert_ptr_eq(misused, stale);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_write_around_a_buffer_is_told_when_it_comes_back) {
    const uint32_t size = 1000;
    const ptrdiff_t at[] = {-1, -16, size, size + 1, 1023}; /* of the class of 1,024 */
    bp_pool *pool = hardened_new(0);
    bp_misuse_set(note, NULL);
    bp_buf *buf = bpt_acquire(pool, size);
    memset(bp_buf_data(buf), 0, size);
    scribble(bp_buf_data(buf) + at[_i]);
    bp_buf_release(bp_buf_retain(buf));
    ck_assert_uint_eq(seen_in_all(), 0); /* it is not back yet */
    bp_buf_release(buf);
    ck_assert_uint_eq(seen[BP_MISUSE_OVERRUN], 1);
    ck_assert_ptr_eq(misused, buf);
    bpt_pool_end_take(&pool);
    ck_assert_uint_eq(seen_in_all(), 1);
}
END_TEST

/* In a child, which dies of it; under AddressSanitizer its handler ends the process in order. */
static int status_of_write(uint8_t *at) {
    int status = 0;
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        (void)close(STDERR_FILENO);
        scribble(at);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(a_write_past_the_class_ends_the_process) {
    bp_pool *pool = hardened_new(0);
    bp_buf *buf = bpt_acquire(pool, bpt_classes[_i].size);
    uint8_t *end = bp_buf_data(buf) + bpt_classes[_i].size;
    ck_assert_int_eq(status_of_write(end - 1), 0);
    const int status = status_of_write(end);
    ck_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGSEGV : WEXITSTATUS(status) != 0);
    ck_assert_int_ne(status_of_write(end + 4095), 0);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- descriptors ---- */

START_TEST(a_copied_descriptor_is_foreign) {
    static _Alignas(BPI_DESC_PAGE) bpi_desc_page page;
    bp_pool *pool = hardened_new(0);
    bp_misuse_set(note, NULL);
    bp_buf *buf = bpt_acquire(pool, 100);
    page.bufs[3] = *buf;
    bp_buf_release(&page.bufs[3]);
    ck_assert_uint_eq(seen[BP_MISUSE_FOREIGN], 1);
    ck_assert_ptr_eq(misused, &page.bufs[3]);
    bp_buf_retain(&page.bufs[3]);
    ck_assert_uint_eq(seen[BP_MISUSE_FOREIGN], 2);
    ck_assert_uint_eq(bpt_stats(pool).total.in_use, 1);
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
    ck_assert_uint_eq(seen_in_all(), 2);
}
END_TEST

START_TEST(a_written_descriptor_is_foreign_until_it_is_right_again) {
    bp_pool *pool = hardened_new(0), *other = hardened_new(0);
    bp_misuse_set(note, NULL);
    bp_buf *buf = bpt_acquire(pool, 100);
    const bp_buf before = *buf;
    if (_i == 0) buf->data += 16;
    if (_i == 1) buf->pool = other;
    bp_buf_release(buf);
    ck_assert_uint_eq(seen[BP_MISUSE_FOREIGN], 1);
    *buf = before;
    bp_buf_release(buf);
    ck_assert_uint_eq(seen_in_all(), 1);
    bpt_pool_end_take(&pool);
    bpt_pool_end_take(&other);
}
END_TEST

/* ---- who is told ---- */

START_TEST(without_a_callback_every_build_stops) {
    bp_pool *pool = hardened_new(0);
    bp_buf *buf = bpt_acquire(pool, 100);
    bp_buf_release(buf);
    (void)close(STDERR_FILENO);
    bp_buf_release(buf); /* ends here, as the suite expects */
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_slab_that_cannot_be_guarded_is_no_memory) {
    bpt_os_watch();
    bp_pool *pool = hardened_new(0);
    bp_buf *buf = (bp_buf *)16;
    const int64_t live = bpt_os_live();
    bpt_os_fail(1, true); /* the mapping is there, the protection is not */
    bpt_err(bp_pool_acquire(pool, 100, &buf), BP_ERR_NO_MEMORY);
    ck_assert_ptr_null(buf);
    ck_assert_int_eq(bpt_os_live(), live);
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, 0);
    bpt_os_fail(UINT64_MAX, false);
    bp_buf_release(bpt_acquire(pool, 100));
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

BPT_SUITE(pool_hardened) {
    BPT_TEST(what_is_right_works_as_with_others);
    BPT_TEST(a_limit_finds_what_rests_in_quarantine);
    BPT_TEST(who_waits_gets_what_would_rest_in_quarantine);
    BPT_TEST(a_sensitive_buffer_is_wiped_before_it_rests);
    BPT_TEST(threads_that_do_right_are_not_accused);
    BPT_TEST(a_buffer_rests_before_it_is_handed_out_again);
    BPT_TEST(a_stale_release_is_told_while_the_buffer_rests);
    BPT_LOOP_TEST(of_releases_that_race_one_too_many_is_told, 1, 3);
    BPT_LOOP_TEST(a_write_after_release_is_told_when_the_buffer_goes_out_again, 0, 4);
    BPT_TEST(a_write_after_release_is_told_when_the_memory_goes_back);
    BPT_LOOP_TEST(a_write_around_a_buffer_is_told_when_it_comes_back, 0, 5);
    BPT_LOOP_TEST(a_write_past_the_class_ends_the_process, 0, BPT_CLASS_COUNT);
    BPT_TEST(a_copied_descriptor_is_foreign);
    BPT_LOOP_TEST(a_written_descriptor_is_foreign_until_it_is_right_again, 0, 2);
    tcase_add_test_raise_signal(tcase, without_a_callback_every_build_stops, SIGABRT);
    BPT_TEST(a_slab_that_cannot_be_guarded_is_no_memory);
}
