/* A million random operations on a pool and on a plain model of it: what is out, with which contents, and what the
 * statistics and the system must therefore say, after every step. A sequence that fails is shrunk and printed with its
 * seed; SEED=n repeats it. */
#define _GNU_SOURCE
#include "tests/support/pool_ops.h"
#include "tests/support/pool_support.h"
#include "tests/support/shrink.h"
#include "tests/support/suite.h"

#include <string.h>

enum { OPERATIONS = 1000000 };

static bpt_op *random_ops(uint64_t seed, size_t count) {
    bpt_op *ops = malloc(count * sizeof *ops);
    ck_assert_ptr_nonnull(ops);
    bpt_ops_random(seed, ops, count);
    return ops;
}

/* What is after the step that failed has no part in it. */
static size_t shrink(bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome) {
    const size_t come = outcome->step + 1 < count ? outcome->step + 1 : count;
    return bpt_ops_shrink(ops, come, defect, outcome);
}

START_TEST(a_million_random_operations_agree_with_a_plain_model) {
    const uint64_t seed = bpt_seed(0x5EED + (uint64_t)_i);
    size_t count = bpt_scaled(OPERATIONS);
    bpt_op *ops = random_ops(seed, count);
    bpt_ops_outcome outcome;
    if (!bpt_ops_run_apart(ops, count, BPT_DEFECT_NONE, &outcome)) {
        fprintf(stderr, "SEED=%llu fails at step %zu: %s\n", (unsigned long long)seed, outcome.step, outcome.what);
        count = shrink(ops, count, BPT_DEFECT_NONE, &outcome);
        fprintf(stderr, "shrunk to %zu operations, fails at %zu: %s\n", count, outcome.step, outcome.what);
        bpt_ops_print(stderr, ops, count);
        ck_abort_msg("SEED=%llu: %s", (unsigned long long)seed, outcome.what);
    }
    free(ops);
}
END_TEST

/* ---- the shrinking itself ---- */

/* Fails when a 7 comes somewhere after a 3. */
static bool has_7_after_3(const void *items, size_t count, void *user) {
    const int *numbers = items;
    bool has_3 = false;
    ++*(unsigned *)user;
    for (size_t i = 0; i < count; i++) {
        if (has_3 && numbers[i] == 7) return true;
        has_3 |= numbers[i] == 3;
    }
    return false;
}

START_TEST(only_what_matters_is_left) {
    int numbers[1000];
    unsigned tries = 0;
    for (int i = 0; i < 1000; i++) numbers[i] = i % 100;
    ck_assert_uint_eq(bpt_shrink(numbers, sizeof *numbers, 1000, has_7_after_3, &tries, SIZE_MAX), 2);
    ck_assert_int_eq(numbers[0], 3);
    ck_assert_int_eq(numbers[1], 7);
    ck_assert_uint_le(tries, 100);
}
END_TEST

/* Fails when there are as many 1 as -1, and a 5. */
static bool is_balanced(const void *items, size_t count, void *user) {
    const int *numbers = items;
    int sum = 0;
    bool has_5 = false;
    (void)user;
    for (size_t i = 0; i < count; i++) {
        sum += numbers[i] == 5 ? 0 : numbers[i];
        has_5 |= numbers[i] == 5;
    }
    return has_5 && sum == 0;
}

START_TEST(what_goes_only_together_is_left_out_together) {
    int numbers[] = {1, 1, 1, 5, 1, -1, 1, -1, -1, -1, -1};
    ck_assert_uint_eq(bpt_shrink(numbers, sizeof *numbers, 11, is_balanced, NULL, SIZE_MAX), 1);
    ck_assert_int_eq(numbers[0], 5);
}
END_TEST

START_TEST(shrinking_ends_when_its_budget_does) {
    int numbers[1000] = {[400] = 3, [900] = 7};
    unsigned tries = 0;
    const size_t left = bpt_shrink(numbers, sizeof *numbers, 1000, has_7_after_3, &tries, 1400);
    ck_assert_uint_gt(left, 2);
    ck_assert(has_7_after_3(numbers, left, &tries));
}
END_TEST

static bool has(const bpt_op *ops, size_t count, bpt_op_kind kind) {
    for (size_t i = 0; i < count; i++) {
        if (ops[i].kind == kind) return true;
    }
    return false;
}

START_TEST(a_wrong_count_is_shrunk_to_the_three_operations_that_it_takes) {
    enum { COUNT = 20000 };
    bpt_op *ops = random_ops(11, COUNT);
    bpt_ops_outcome outcome;
    ck_assert(!bpt_ops_run_apart(ops, COUNT, BPT_DEFECT_WRONG_COUNT, &outcome));
    ck_assert_str_eq(outcome.what, "stats.wiped == expected->wiped");
    const size_t count = shrink(ops, COUNT, BPT_DEFECT_WRONG_COUNT, &outcome);
    ck_assert_str_eq(outcome.what, "stats.wiped == expected->wiped");
    ck_assert_uint_eq(count, 3); /* acquire, mark and retain; the end releases */
    ck_assert_uint_eq(outcome.step, 3);
    ck_assert_uint_eq(ops[0].value, 1);
    ck_assert(has(ops, count, BPT_OP_SET_SENSITIVE));
    free(ops);
}
END_TEST

START_TEST(a_crash_is_shrunk_to_the_one_operation_that_it_takes) {
    enum { COUNT = 20000 };
    bpt_op *ops = random_ops(12, COUNT);
    bpt_ops_outcome outcome;
    ck_assert(!bpt_ops_run_apart(ops, COUNT, BPT_DEFECT_CRASH, &outcome));
    const size_t count = shrink(ops, COUNT, BPT_DEFECT_CRASH, &outcome);
    ck_assert_str_eq(outcome.what, "the process died of signal 6");
    ck_assert_uint_eq(count, 1); /* acquire; the end releases */
    ck_assert_uint_ne(ops[0].thread, 0);
    ck_assert(ops[0].value > 128 || ops[0].kind == BPT_OP_ACQUIRE_CLASS);
    free(ops);
}
END_TEST

START_TEST(what_failed_is_printed_so_that_it_can_be_repeated) {
    const bpt_op op = {BPT_OP_ACQUIRE_CLASS, .thread = 2, .slot = 7, .class_ix = 3, .value = 500};
    char text[200] = "";
    FILE *to = fmemopen(text, sizeof text, "w");
    ck_assert_ptr_nonnull(to);
    bpt_ops_print(to, &op, 1);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_str_eq(text, "    {BPT_OP_ACQUIRE_CLASS, .thread = 2, .slot = 7, .class_ix = 3, .value = 500},\n");
}
END_TEST

BPT_LONG_SUITE(pool_property) {
    BPT_TIMEOUT(300);
    BPT_LOOP_TEST(a_million_random_operations_agree_with_a_plain_model, 0, 3);
    BPT_TEST(only_what_matters_is_left);
    BPT_TEST(what_goes_only_together_is_left_out_together);
    BPT_TEST(shrinking_ends_when_its_budget_does);
    BPT_TEST(a_wrong_count_is_shrunk_to_the_three_operations_that_it_takes);
    BPT_TEST(a_crash_is_shrunk_to_the_one_operation_that_it_takes);
    BPT_TEST(what_failed_is_printed_so_that_it_can_be_repeated);
}
