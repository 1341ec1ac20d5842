/* tests/support/suite.h: how a test file makes itself known to the runner.
 *
 *     START_TEST(first_acquire_is_from_a_slab) { ... } END_TEST
 *     BPT_SUITE(pool_size_class) { BPT_TEST(first_acquire_is_from_a_slab); BPT_LOOP_TEST(each_class, 0, 4); }
 *
 * Every suite has one test case. BPT_ONLY=pool_,frame_reader in the environment runs the suites that begin so;
 * BPT_SLOW=20 tells tests that run many messages to run that many times fewer;
 * BPT_JOBS=1 runs one suite at a time, BPT_TIMES=1 tells how long each took. */
#ifndef BUFPOOL_TESTS_SUITE_H
#define BUFPOOL_TESTS_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

/* count divided by BPT_SLOW, where that is set. */
static inline unsigned long bpt_scaled(unsigned long count) {
    const char *slow = getenv("BPT_SLOW");
    const unsigned long divisor = slow == NULL ? 1 : strtoul(slow, NULL, 10);
    return divisor == 0 ? count : count / divisor;
}

typedef void bpt_fill_fn(TCase *tcase);

/* Registers a suite; called before main. */
void bpt_register(const char *name, bpt_fill_fn *fill, bool is_long);

#define BPT_SUITE(name) BPT_REGISTERED_SUITE(name, 0)
/* A suite that takes several seconds: it begins before the others, so that none waits for it at the end. */
#define BPT_LONG_SUITE(name) BPT_REGISTERED_SUITE(name, 1)
#define BPT_REGISTERED_SUITE(name, is_long)                                                                           \
    static void bpt_fill_##name(TCase *tcase);                                                                        \
    __attribute__((constructor)) static void bpt_register_##name(void) {                                              \
        bpt_register(#name, bpt_fill_##name, is_long);                                                                \
    }                                                                                                                 \
    static void bpt_fill_##name(TCase *tcase)

#define BPT_TEST(test) tcase_add_test(tcase, test)
#define BPT_LOOP_TEST(test, first, end) tcase_add_loop_test(tcase, test, first, end)
#define BPT_TIMEOUT(seconds) tcase_set_timeout(tcase, seconds)
/* A call that must succeed. */
#define bpt_ok(call) ck_assert_str_eq(bp_err_name(call), "BP_OK")
/* A call that must end as given. */
#define bpt_err(call, expected) ck_assert_str_eq(bp_err_name(call), bp_err_name(expected))

/* An assertion for inner loops: Check's own cost a system call and allocations each, even when they hold. */
#define bpt_must(condition)                                                                                           \
    do {                                                                                                              \
        if (!(condition)) ck_abort_msg("does not hold: %s", #condition);                                              \
    } while (0)

#endif
