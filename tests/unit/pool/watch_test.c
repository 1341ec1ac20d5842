/* What AddressSanitizer and Valgrind are told: exactly the bytes that somebody asked for and holds may be touched. Run
 * by neither of them, there is nothing to tell. */
#define _GNU_SOURCE
#include "base/poison.h"
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(BPI_HAS_ASAN)
static bool may_touch(const uint8_t *at) { return __asan_address_is_poisoned(at) == 0; }
static uint32_t error_count(void) { return 0; } /* the first one ends the process */
#elif defined(BPI_HAS_VALGRIND)
static bool may_touch(const uint8_t *at) {
    uint8_t bits;
    return VALGRIND_GET_VBITS(at, &bits, 1) != 3; /* 3: not addressable */
}
static uint32_t error_count(void) { return (uint32_t)VALGRIND_COUNT_ERRORS; }
#else
static bool may_touch(const uint8_t *at) { return at != NULL; }
static uint32_t error_count(void) { return 0; }
#endif

static bp_pool *pool_new(bool is_hardened) {
    const bp_pool_config config = {.classes = bpt_classes, .class_count = BPT_CLASS_COUNT, .is_hardened = is_hardened};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

static bool may_touch_exactly(const uint8_t *data, uint32_t size, uint32_t stride) {
    for (uint32_t i = 0; i < stride; i++) {
        if (may_touch(data + i) != (i < size)) return false;
    }
    return true;
}

START_TEST(exactly_what_was_asked_for_may_be_touched) {
    const uint32_t sizes[] = {1, 7, 8, 63, 64, 65, 128, 1000, 1024, 4095};
    bp_pool *pool = pool_new(_i == 1);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            const uint32_t stride = (uint32_t)bp_pool_stride(pool, sizes[i]);
            bp_buf *buf = bpt_acquire(pool, sizes[i]);
            uint8_t *data = bp_buf_data(buf);
            bpt_must(may_touch_exactly(data, sizes[i], stride));
            memset(data, 0x5A, sizes[i]);
            bp_buf_retain(buf);
            bp_buf_release(buf);
            bpt_must(may_touch_exactly(data, sizes[i], stride));
            bp_buf_release(buf);
            bpt_must(may_touch_exactly(data, 0, stride));
        }
    }
    bpt_pool_end_take(&pool);
}
END_TEST

static void *release_it(void *buf) {
    bp_buf_release(buf);
    return NULL;
}

START_TEST(what_another_thread_released_may_not_be_touched) {
    bp_pool *pool = pool_new(_i == 1);
    bp_buf *keeps_the_slab = bpt_acquire(pool, 100), *buf = bpt_acquire(pool, 100);
    const uint8_t *data = bp_buf_data(buf);
    bpt_on_thread(release_it, buf);
    ck_assert(may_touch_exactly(data, 0, 128));
    bp_buf_release(keeps_the_slab);
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_pages_of_a_hardened_buffer_may_not_be_touched_around_it) {
    bp_pool *pool = pool_new(true);
    bp_buf *buf = bpt_acquire(pool, 1000);
    const uint8_t *data = bp_buf_data(buf);
    for (ptrdiff_t before = 1; before <= 3072; before++) bpt_must(!may_touch(data - before));
    bp_buf_release(buf);
    bpt_pool_end_take(&pool);
}
END_TEST

/* ---- what is not allowed is reported ---- */

typedef void misdeed(bp_pool *pool);

static void write_past_the_size(bp_pool *pool) {
    bp_buf *buf = bpt_acquire(pool, 100);
    *(volatile uint8_t *)(bp_buf_data(buf) + 100) = 1;
}

static void write_after_release(bp_pool *pool) {
    bp_buf *keeps_the_slab = bpt_acquire(pool, 100), *buf = bpt_acquire(pool, 100);
    uint8_t *data = bp_buf_data(buf);
    bp_buf_release(buf);
    *(volatile uint8_t *)data = 1;
    (void)keeps_the_slab;
}

static void read_after_release(bp_pool *pool) {
    bp_buf *keeps_the_slab = bpt_acquire(pool, 100), *buf = bpt_acquire(pool, 100);
    uint8_t *data = bp_buf_data(buf);
    data[99] = 1;
    bp_buf_release(buf);
    (void)*(volatile uint8_t *)(data + 99);
    (void)keeps_the_slab;
}

static void do_nothing(bp_pool *pool) { (void)pool; }

/* In a child: AddressSanitizer ends it, and Valgrind counts. */
static bool is_reported(misdeed *commit, bp_pool *pool) {
    uint32_t *errors = mmap(NULL, sizeof *errors, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    ck_assert(errors != MAP_FAILED);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        const uint32_t before = error_count();
        (void)close(STDERR_FILENO);
        commit(pool);
        *errors = error_count() - before;
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    const bool is_told = *errors == 1 || (WIFEXITED(status) && WEXITSTATUS(status) != 0 && *errors == 0);
    (void)munmap(errors, sizeof *errors);
    return is_told;
}

START_TEST(touching_anything_else_is_reported) {
    misdeed *const misdeeds[] = {write_past_the_size, write_after_release, read_after_release};
    bp_pool *pool = pool_new(false);
    ck_assert(!is_reported(do_nothing, pool));
    ck_assert(is_reported(misdeeds[_i], pool));
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(a_pool_that_nobody_watches_serves_inline) {
    bp_pool *pool = pool_new(false), *hardened = pool_new(true);
    ck_assert_ptr_ne(pool->map, &bpi_empty_map);
    ck_assert_ptr_eq(hardened->map, &bpi_empty_map);
    bpt_pool_end_take(&pool);
    bpt_pool_end_take(&hardened);
}
END_TEST

BPT_SUITE(pool_watch) {
    if (BPI_IS_WATCHED()) {
        BPT_LOOP_TEST(exactly_what_was_asked_for_may_be_touched, 0, 2);
        BPT_LOOP_TEST(what_another_thread_released_may_not_be_touched, 0, 2);
        BPT_TEST(the_pages_of_a_hardened_buffer_may_not_be_touched_around_it);
        BPT_LOOP_TEST(touching_anything_else_is_reported, 0, 3);
    } else {
        BPT_TEST(a_pool_that_nobody_watches_serves_inline);
    }
}
