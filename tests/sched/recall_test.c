/* A thread's magazine is recalled while the thread is inside its inline path: the table of 0002. */
#include "tests/sched/world.h"
#include "tests/support/suite.h"

static bp_buf *held[BPT_THREAD_MAX];

static void begin(void) {
    memset(held, 0, sizeof held);
    bpt_pool_make(0);
}

static void trim(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, false);
    bpt_window_close();
}

static void trim_twice(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, false);
    (void)bp_pool_trim(bpt_pool, false);
    bpt_window_close();
}

static void pop(void) {
    bpt_warm();
    bpt_window_open();
    held[0] = bpt_take();
    bpt_window_close();
    bpt_give(&held[0]);
}

/* The magazine is empty: the pop asks the depot. */
static void pop_of_nothing(void) {
    bp_buf *all[BPT_REST_MAX];
    bpt_empty(all);
    bpt_window_open();
    held[0] = bpt_take();
    bpt_window_close();
    bpt_give_all(all);
    bpt_give(&held[0]);
}

static void push(void) {
    bpt_warm();
    held[0] = bpt_take();
    bpt_window_open();
    bpt_give(&held[0]);
    bpt_window_close();
}

/* The magazine is full: the push empties its older half. */
static void push_on_top(void) {
    bp_buf *rest[BPT_REST_MAX];
    bpt_fill(rest);
    bpt_window_open();
    bpt_give(&rest[0]);
    bpt_window_close();
    bpt_give_all(rest);
}

static void push_and_pop(void) {
    bpt_warm();
    held[0] = bpt_take();
    bpt_window_open();
    bpt_give(&held[0]);
    held[0] = bpt_take();
    bpt_window_close();
    bpt_give(&held[0]);
}

static const bpt_scenario scenarios[] = {
    {"recall-pop", begin, {pop, trim}, bpt_pool_over, false, 1300},
    {"recall-pop-of-nothing", begin, {pop_of_nothing, trim}, bpt_pool_over, false, 2700},
    {"recall-push", begin, {push, trim}, bpt_pool_over, false, 1600},
    {"recall-push-on-top", begin, {push_on_top, trim}, bpt_pool_over, false, 1200},
    {"recall-push-and-pop", begin, {push_and_pop, trim}, bpt_pool_over, false, 3100},
    {"recall-twice", begin, {push_and_pop, trim_twice}, bpt_pool_over, false, 6600},
    {"recall-by-two", begin, {push, trim, trim}, bpt_pool_over, false, 5700},
};
enum { SCENARIO_COUNT = sizeof scenarios / sizeof scenarios[0] };

START_TEST(an_owner_is_recalled) { bpt_all_right(&scenarios[_i]); }
END_TEST

/* ---- the barrier ---- */

static void begin_lying(void) {
    begin();
    bpt_barrier_set(BPT_BARRIER_LIES);
}

static void begin_without(void) {
    begin();
    bpt_barrier_set(BPT_BARRIER_MISSING);
}

static const bpt_scenario lies[] = {
    {"lie-pop", begin_lying, {pop, trim}, bpt_pool_over, false, 520},
    {"lie-push", begin_lying, {push, trim}, bpt_pool_over, false, 820},
    {"lie-push-and-pop", begin_lying, {push_and_pop, trim}, bpt_pool_over, false, 1400},
};
enum { LIE_COUNT = sizeof lies / sizeof lies[0] };

START_TEST(a_barrier_that_does_nothing_is_found_out) {
    bpt_wrong_on(BPT_TSO, &lies[_i]);
    bpt_wrong_on(BPT_PSO, &lies[_i]);
    bpt_right_on(BPT_STRONG, &lies[_i], 500); /* it is about the order of stores and nothing else */
}
END_TEST

static const bpt_scenario missing[] = {
    {"missing-pop", begin_without, {pop, trim}, bpt_pool_over, false, 190},
    {"missing-push", begin_without, {push, trim}, bpt_pool_over, false, 550},
    {"missing-push-and-pop", begin_without, {push_and_pop, trim}, bpt_pool_over, false, 710},
};

START_TEST(a_barrier_that_fails_later_loses_nothing) { bpt_all_right(&missing[_i]); }
END_TEST

BPT_SUITE(sched_recall) {
    BPT_TIMEOUT(600);
    BPT_LOOP_TEST(an_owner_is_recalled, 0, SCENARIO_COUNT);
    BPT_LOOP_TEST(a_barrier_that_does_nothing_is_found_out, 0, LIE_COUNT);
    BPT_LOOP_TEST(a_barrier_that_fails_later_loses_nothing, 0, LIE_COUNT);
}
