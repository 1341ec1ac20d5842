#include "base/os.h"
#include "tests/support/suite.h"

#include <signal.h>

static int told;

static void note(bp_misuse what, const void *object, void *user) {
    ck_assert_int_eq(what, BP_MISUSE_CAPACITY);
    ck_assert_ptr_eq(object, &told);
    *(int *)user += 1;
}

START_TEST(the_callback_is_told_what_and_where) {
    bp_misuse_set(note, &told);
    bpi_misuse(BP_MISUSE_CAPACITY, &told);
    bpi_misuse(BP_MISUSE_CAPACITY, &told);
    ck_assert_int_eq(told, 2);
    ck_assert_uint_eq(bp_misuse_count(), 2);
}
END_TEST

START_TEST(without_a_callback_debug_builds_stop_and_others_count) {
    bp_misuse_set(note, &told);
    bp_misuse_set(NULL, NULL);
    bpi_misuse(BP_MISUSE_DOUBLE_RELEASE, &told); /* a debug build ends here, as the suite expects */
    ck_assert_int_eq(told, 0);
    ck_assert_uint_eq(bp_misuse_count(), 1);
}
END_TEST

BPT_SUITE(base_misuse) {
    BPT_TEST(the_callback_is_told_what_and_where);
#ifdef BPI_DEBUG
    tcase_add_test_raise_signal(tcase, without_a_callback_debug_builds_stop_and_others_count, SIGABRT);
#else
    BPT_TEST(without_a_callback_debug_builds_stop_and_others_count);
#endif
}
