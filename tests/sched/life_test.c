/* Ends: of a pool, of a thread, of a buffer's last reference, all at the same time. What was freed cannot be touched,
 * and what was not freed is counted. */
#include "tests/sched/world.h"
#include "tests/support/suite.h"

static bp_buf *held[BPT_THREAD_MAX];
static bp_pool *references[BPT_THREAD_MAX]; /* one of each thread's own, in scenarios where the pool ends */

static void begin(void) {
    memset(held, 0, sizeof held);
    bpt_pool_make(0);
}

static void begin_with(int count) {
    begin();
    references[0] = bpt_pool;
    for (int i = 1; i < count; i++) references[i] = bp_pool_retain(bpt_pool);
}

static void begin_with_one(void) { begin_with(1); }
static void begin_with_two(void) { begin_with(2); }

static void nothing_is_left(void) { bpt_holds(bpt_live_blocks() == 0); }

/* ---- bodies ---- */

/* The pool's last reference goes. */
static void end_pool(void) {
    bpt_window_open();
    bp_pool_release_take(&references[0]);
    bpt_window_close();
}

/* Holds a buffer and no reference: the buffer is what keeps the pool. */
static void give_last(void) {
    const int self = bpt_current_thread();
    held[self] = bpt_take();
    bpt_window_open();
    bpt_give(&held[self]);
    bpt_window_close();
}

static void give_last_and_end(void) {
    const int self = bpt_current_thread();
    held[self] = bpt_take();
    bpt_window_open();
    bpt_give(&held[self]);
}

/* Two references, each with its thread; a closed pool answers so. */
static void use_and_end(void) {
    const int self = bpt_current_thread();
    bpt_warm();
    bpt_window_open();
    held[self] = bpt_take_or(BP_ERR_CLOSED);
    bp_pool_release_take(&references[self]);
    bpt_give(&held[self]);
    bpt_window_close();
}

static void close_pool(void) {
    bpt_window_open();
    bp_pool_close(bpt_pool);
    bpt_window_close();
}

static void use(void) {
    const int self = bpt_current_thread();
    bpt_warm();
    bpt_window_open();
    held[self] = bpt_take_or(BP_ERR_CLOSED);
    bpt_give(&held[self]);
    bpt_window_close();
}

/* An acquire that no magazine serves may be refused while the pool is being closed; then every other one is refused
 * too, though this thread's magazine has buffers. */
static void use_after_refusal(void) {
    bp_buf *buf;
    bpt_warm();
    bpt_window_open();
    const bp_err err = bp_pool_acquire(bpt_pool, BPT_STRIDE + 1, &buf);
    if (err == BP_ERR_CLOSED) {
        bpt_holds(bpt_take_or(BP_ERR_CLOSED) == NULL);
    } else {
        bpt_holds(err == BP_OK);
    }
    bpt_window_close();
    bp_buf_release(buf);
}

static void end_thread(void) {
    bpt_warm();
    bpt_window_open();
}

static void trim(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, false);
    bpt_window_close();
}

/* Takes a buffer for another thread, and ends while that one gives it back. */
static void lend_and_end(void) {
    held[0] = bpt_take();
    bpt_window_open();
}

static void give_anothers(void) {
    bpt_warm();
    bpt_window_open();
    bpt_give(&held[0]);
    bpt_window_close();
}

/* ---- a pool that takes over the place of one that ended ---- */

static void end_pool_and_make_another(void) {
    bpt_window_open();
    bp_pool_release_take(&references[0]);
    bpt_pool_make(0);
    held[1] = bpt_take();
    bpt_give(&held[1]);
    bpt_window_close();
}

/* In the old pool, then in whichever is there. */
static void give_and_use_another(void) {
    held[0] = bpt_take();
    bpt_window_open();
    bpt_give(&held[0]);
    bpt_window_close();
    bpt_warm();
}

static const bpt_scenario scenarios[] = {
    {"last-release-and-end", begin_with_one, {give_last, end_pool}, nothing_is_left, false, 3000},
    {"two-last-releases-and-end", begin_with_one, {give_last, end_pool, give_last}, nothing_is_left, false, 8400},
    {"thread-end-and-pool-end", begin_with_one, {end_thread, end_pool}, nothing_is_left, false, 1500},
    {"last-release-and-two-ends", begin_with_one, {give_last_and_end, end_pool}, nothing_is_left, false, 4400},
    {"two-references", begin_with_two, {use_and_end, use_and_end}, nothing_is_left, false, 12000},
    {"close-and-use", begin, {use, close_pool}, bpt_pool_over, false, 2400},
    {"close-and-refusal", begin, {use_after_refusal, close_pool}, bpt_pool_over, false, 360},
    {"close-and-close", begin, {use, close_pool, close_pool}, bpt_pool_over, false, 5800},
    {"thread-end-and-trim", begin, {end_thread, trim}, bpt_pool_over, false, 990},
    {"thread-end-and-thread-end", begin, {end_thread, end_thread}, bpt_pool_over, false, 87},
    {"thread-end-and-foreign-release", begin, {lend_and_end, give_anothers}, bpt_pool_over, false, 9},
    {"foreign-release-and-trim", begin, {lend_and_end, give_anothers, trim}, bpt_pool_over, false, 7000},
    {"offset-reuse", begin_with_one, {give_and_use_another, end_pool_and_make_another}, bpt_pool_over, false, 3900},
};
enum { SCENARIO_COUNT = sizeof scenarios / sizeof scenarios[0] };

START_TEST(things_end_at_the_same_time) { bpt_all_right(&scenarios[_i]); }
END_TEST

BPT_SUITE(sched_life) {
    BPT_TIMEOUT(600);
    BPT_LOOP_TEST(things_end_at_the_same_time, 0, SCENARIO_COUNT);
}
