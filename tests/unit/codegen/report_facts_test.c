#include "codegen/report_facts.h"
#include "tests/unit/codegen/compile.h"

#include <math.h>
#include <stdio.h>

static bpt_compiled with_pool(const char *pool) {
    char text[1024];
    snprintf(text, sizeof text,
             "pool: {%s}\nmessages:\n"
             "  A: {tlv_type: 1, rate: 100, hold: 15ms, fields: {a: \"[u8; 40]\"}}\n"
             "  B: {tlv_type: 2, rate: 1000, hold: 1us, fields: {a: \"[u8; 65]\"}}\n"
             "  C: {tlv_type: 3, rate: 20, hold: 1s, reserve: 5, fields: {a: \"[u8; 67]\"}}\n"
             "  D: {tlv_type: 4, fields: {a: \"[u8; 73]\"}}\n",
             pool);
    return bpt_compile_good(text);
}

START_TEST(over_counts_from_the_class_below) {
    bpt_compiled c = with_pool("");
    static const uint32_t over[] = {0, 1, 8, 9}, to_next[] = {24, 63, 56, 55};
    static const bool is_just[] = {false, true, true, false};
    for (size_t i = 0; i < 4; i++) {
        const cg_message *m = c.model->by_type[i];
        ck_assert_uint_eq(cg_report_over(c.model, m), over[i]);
        ck_assert_uint_eq(cg_report_to_next(m), to_next[i]);
        ck_assert(cg_report_is_just_over(c.model, m) == is_just[i]);
    }
    bpt_compiled_free(&c);
    c = with_pool("classes: [48, 64, 96]");
    ck_assert_uint_eq(cg_report_over(c.model, c.model->by_type[0]), 0);
    bpt_compiled_free(&c);
}
END_TEST

/* 1.5, 0.001 and 20 on average; the last three share a class. */
START_TEST(buffers_are_rate_times_hold) {
    bpt_compiled c = with_pool("idle_bytes_per_class: 100");
    static const uint64_t buffers[] = {2, 1, 20, 0};
    for (size_t i = 0; i < 4; i++) ck_assert_uint_eq(cg_report_buffers(c.model->by_type[i]), buffers[i]);
    ck_assert_uint_eq(cg_report_class_buffers(&c.model->classes[0]), 2);
    ck_assert_uint_eq(cg_report_class_buffers(&c.model->classes[1]), 21);
    ck_assert_uint_eq(cg_report_idle_bytes(&c.model->classes[0]), 128);
    ck_assert_uint_eq(cg_report_idle_bytes(&c.model->classes[1]), 256);
    bpt_compiled_free(&c);
}
END_TEST

static const cg_plan *plan_of(const cg_plan *plans, size_t count, const char *strategy) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(plans[i].strategy, strategy) == 0) return &plans[i];
    }
    ck_abort_msg("no plan %s", strategy);
    return NULL;
}

static void check_plan(const cg_plan *plans, size_t count, const char *strategy, size_t classes, double all,
                       bool is_own) {
    const double used = 100 * 40 + 1000 * 65 + 20 * 72 + 73;
    const cg_plan *plan = plan_of(plans, count, strategy);
    ck_assert_uint_eq(plan->class_count, classes);
    ck_assert(fabs(plan->waste - (1 - used / all)) < 1e-12);
    ck_assert(plan->is_current == is_own);
}

START_TEST(plans_are_compared_by_weight) {
    static const char *const pools[] = {"", "classes: [48, 96]", "classes: auto:2"};
    static const char *const own[] = {"pow2", "list", "auto:2"};
    for (size_t i = 0; i < 3; i++) {
        bpt_compiled c = with_pool(pools[i]);
        size_t count = 0;
        const cg_plan *plans = cg_report_plans(c.arena, c.model, &count);
        ck_assert_uint_eq(count, i == 1 ? 4 : 3);
        check_plan(plans, count, "pow2", 2, 100 * 64 + 1021 * 128, i == 0);
        check_plan(plans, count, "auto:1", 1, 1121 * 80, false);
        check_plan(plans, count, "auto:2", 2, 100 * 48 + 1021 * 80, i == 2);
        if (i == 1) check_plan(plans, count, "list", 2, 100 * 48 + 1021 * 96, true);
        ck_assert(plan_of(plans, count, own[i])->is_current);
        bpt_compiled_free(&c);
    }
}
END_TEST

BPT_SUITE(codegen_report_facts) {
    BPT_TEST(over_counts_from_the_class_below);
    BPT_TEST(buffers_are_rate_times_hold);
    BPT_TEST(plans_are_compared_by_weight);
}
