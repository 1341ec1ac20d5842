/* Classes that come and go while others use them. What a removed class had goes back, with its last buffer at the
 * latest, and nobody is served by it any more. */
#include "tests/sched/world.h"
#include "tests/support/suite.h"

enum { LARGE_STRIDE = 2 * BPT_STRIDE };

static bp_buf *held[BPT_THREAD_MAX];
static bool is_removed; /* its removal succeeded, and nobody added it again */

static void begin(void) {
    static const bp_class classes[] = {{.size = BPT_STRIDE}, {.size = LARGE_STRIDE}};
    memset(held, 0, sizeof held);
    is_removed = false;
    bpt_pool_make_as((bp_pool_config){.classes = classes, .class_count = 2});
}

/* Once everything was given back, and before threads end, which gives back what they have. */
static void nothing_of_it_is_left(void) {
    bp_class_stats stats;
    bpt_holds(bp_pool_class_stats_read(bpt_pool, 0, &stats) == BP_OK);
    bpt_holds(!is_removed || stats.committed_bytes == 0);
}

/* ---- bodies ---- */

static void remove_class(void) {
    bpt_window_open();
    is_removed = bp_pool_class_remove(bpt_pool, BPT_STRIDE) == BP_OK;
    bp_buf *after = bpt_take();
    bpt_holds(bpi_buf_slab(after)->owner->stride == LARGE_STRIDE || !is_removed);
    bpt_give(&after);
    bpt_window_close();
}

static void remove_unless_closed(void) {
    bpt_window_open();
    const bp_err err = bp_pool_class_remove(bpt_pool, BPT_STRIDE);
    bpt_holds(err == BP_OK || err == BP_ERR_CLOSED);
    is_removed = err == BP_OK;
    if (err == BP_ERR_CLOSED) bpt_holds(bpt_take_or(BP_ERR_CLOSED) == NULL);
    bpt_window_close();
}

static void remove_and_add(void) {
    static const bp_class again = {.size = BPT_STRIDE};
    bpt_window_open();
    bpt_holds(bp_pool_class_remove(bpt_pool, BPT_STRIDE) == BP_OK);
    bpt_holds(bp_pool_class_add(bpt_pool, &again) == BP_OK);
    bpt_window_close();
}

/* A class that was removed before; one of two who do so at the same time succeeds. */
static void add_class(void) {
    static const bp_class again = {.size = BPT_STRIDE};
    bpt_window_open();
    const bp_err err = bp_pool_class_add(bpt_pool, &again);
    if (err == BP_OK) {
        bpt_holds(is_removed);
        is_removed = false;
    } else {
        bpt_holds(err == BP_ERR_CLOSED || (err == BP_ERR_ARGUMENT && !is_removed));
    }
    bpt_window_close();
}

static void close_pool(void) {
    bpt_window_open();
    bp_pool_close(bpt_pool);
    bpt_holds(bpt_take_or(BP_ERR_CLOSED) == NULL);
    bpt_window_close();
}

static void take_and_give(void) {
    const int self = bpt_current_thread();
    bpt_warm();
    bpt_window_open();
    held[self] = bpt_take();
    bpt_give(&held[self]);
    bpt_window_close();
    nothing_of_it_is_left();
}

/* Its magazine is not open yet. */
static void take_first_and_give(void) {
    const int self = bpt_current_thread();
    bpt_window_open();
    held[self] = bpt_take();
    bpt_give(&held[self]);
    bpt_window_close();
    nothing_of_it_is_left();
}

static void give(void) {
    const int self = bpt_current_thread();
    held[self] = bpt_take();
    bpt_window_open();
    bpt_give(&held[self]);
    bpt_window_close();
    nothing_of_it_is_left();
}

/* By the index that its code knows. */
static void take_by_index(void) {
    bp_buf *buf = NULL;
    bpt_warm();
    bpt_window_open();
    bpt_holds(bp_pool_acquire_class(bpt_pool, 0, BPT_SIZE, &buf) == BP_OK);
    bp_buf_release(buf);
    bpt_window_close();
    nothing_of_it_is_left();
}

static void trim(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, false);
    bpt_window_close();
}

static void begin_removed(void) {
    begin();
    bpt_holds(bp_pool_class_remove(bpt_pool, BPT_STRIDE) == BP_OK);
    is_removed = true;
}

static const bpt_scenario scenarios[] = {
    {"remove-and-use", begin, {take_and_give, remove_class}, bpt_pool_over, true, 910},
    {"remove-and-first-use", begin, {take_first_and_give, remove_class}, bpt_pool_over, true, 3900},
    {"remove-and-give", begin, {give, remove_class}, bpt_pool_over, true, 360},
    {"remove-and-index", begin, {take_by_index, remove_class}, bpt_pool_over, true, 930},
    {"remove-and-trim", begin, {give, remove_class, trim}, bpt_pool_over, true, 1100},
    {"remove-add-and-use", begin, {take_and_give, remove_and_add}, bpt_pool_over, true, 860},
    {"remove-and-close", begin, {remove_unless_closed, close_pool}, bpt_pool_over, false, 530},
    {"add-and-use", begin_removed, {take_and_give, add_class}, bpt_pool_over, false, 110},
    {"add-and-add", begin_removed, {add_class, add_class}, bpt_pool_over, false, 120},
    {"add-and-close", begin_removed, {add_class, close_pool}, bpt_pool_over, false, 370},
};
enum { SCENARIO_COUNT = sizeof scenarios / sizeof scenarios[0] };

START_TEST(classes_come_and_go_while_others_use_them) { bpt_all_right(&scenarios[_i]); }
END_TEST

BPT_SUITE(sched_change) {
    BPT_TIMEOUT(600);
    BPT_LOOP_TEST(classes_come_and_go_while_others_use_them, 0, SCENARIO_COUNT);
}
