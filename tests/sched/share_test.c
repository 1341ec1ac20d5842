/* Buffers that go from thread to thread: through the depot, through the limit, and with several holders. */
#include "tests/sched/world.h"
#include "tests/support/suite.h"

enum { PATTERN = 0xA5, ROOM_FOR_TWO = 16 * 1024 };

static bp_buf *held[BPT_THREAD_MAX];
static bp_buf *shared;
static const uint8_t *shared_data;

static void begin(void) {
    memset(held, 0, sizeof held);
    bpt_pool_make(0);
}

/* ---- exchange with the depot ---- */

static void refill(void) {
    bpt_window_open();
    held[bpt_current_thread()] = bpt_take();
    bpt_window_close();
    bpt_give(&held[bpt_current_thread()]);
}

static void flush(void) {
    bp_buf *rest[BPT_REST_MAX];
    bpt_fill(rest);
    bpt_window_open();
    bpt_give(&rest[0]);
    rest[0] = bpt_take();
    bpt_window_close();
    bpt_give_all(rest);
}

static void trim_to_idle(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, true);
    bpt_window_close();
}

/* ---- a limit that leaves room for two buffers ---- */

static void begin_tight(void) {
    memset(held, 0, sizeof held);
    bpt_pool_make(ROOM_FOR_TWO);
}

/* Two of two rest in this thread's magazine. */
static void hoard(void) {
    bp_buf *both[2] = {bpt_take(), bpt_take()};
    bpt_give(&both[0]);
    bpt_give(&both[1]);
}

static void hoard_asleep(void) {
    hoard();
    bpt_window_open();
    bpt_window_close();
}

static void hoard_and_use(void) {
    hoard();
    bpt_window_open();
    held[0] = bpt_take_or(BP_ERR_LIMIT);
    bpt_give(&held[0]);
    bpt_window_close();
}

static void want_both(void) {
    bpt_window_open();
    bp_buf *both[2] = {bpt_take(), bpt_take()};
    bpt_give(&both[0]);
    bpt_give(&both[1]);
    bpt_window_close();
}

static void want_one(void) {
    const int self = bpt_current_thread();
    bpt_window_open();
    held[self] = bpt_take_or(BP_ERR_LIMIT);
    bpt_give(&held[self]);
    bpt_window_close();
}

/* Exact allocations and slabs share the limit. */
static void want_exact(void) {
    bp_buf *exact = NULL;
    bpt_window_open();
    const bp_err err = bp_pool_acquire(bpt_pool, 9000, &exact);
    bpt_holds(err == BP_OK ? exact != NULL : err == BP_ERR_LIMIT && exact == NULL);
    bp_buf_release(exact);
    bpt_window_close();
}

/* Nobody holds anything, so that it is there, whoever else takes back what rests. */
static void want_exact_surely(void) {
    bp_buf *exact = NULL;
    bpt_window_open();
    bpt_holds(bp_pool_acquire(bpt_pool, 9000, &exact) == BP_OK);
    bp_buf_release(exact);
    bpt_window_close();
}

static void trim(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, false);
    bpt_window_close();
}

/* ---- statistics, read while others work ---- */

static void read_statistics(void) {
    bp_pool_stats stats;
    bpt_window_open();
    bp_pool_stats_read(bpt_pool, &stats);
    bpt_holds(stats.total.in_use <= BPT_PER_SLAB && stats.total.idle <= BPT_PER_SLAB);
    bpt_holds(stats.total.releases <= stats.total.acquires);
    bpt_window_close();
}

static void use(void) {
    bpt_warm();
    bpt_window_open();
    held[0] = bpt_take();
    bpt_give(&held[0]);
    bpt_window_close();
}

static const bpt_scenario depot_scenarios[] = {
    {"refill-and-flush", begin, {flush, refill}, bpt_pool_over, false, 37},
    {"refill-and-refill", begin, {refill, refill}, bpt_pool_over, false, 23000},
    {"flush-and-trim-to-idle", begin, {flush, trim_to_idle}, bpt_pool_over, false, 37},
    {"limit-hoarder-asleep", begin_tight, {hoard_asleep, want_both}, bpt_pool_over, false, 14},
    {"limit-hoarder-at-work", begin_tight, {hoard_and_use, want_one}, bpt_pool_over, false, 11000},
    {"limit-and-exact", begin_tight, {hoard_and_use, want_exact}, bpt_pool_over, false, 5600},
    {"limit-exact-and-trim", begin_tight, {hoard_asleep, want_exact_surely, trim}, bpt_pool_over, false, 2300},
    {"statistics", begin, {use, read_statistics}, bpt_pool_over, false, 310},
};
enum { DEPOT_COUNT = sizeof depot_scenarios / sizeof depot_scenarios[0] };

START_TEST(buffers_go_through_the_depot) { bpt_all_right(&depot_scenarios[_i]); }
END_TEST

/* ---- one buffer, several holders ---- */

/* Its slab stays for as long as another buffer of it is held, so that its bytes can be looked at in the end. */
static void lend(void) {
    held[0] = bpt_take();
    shared = bpt_take();
    bp_buf_data(shared)[0] = 0;
    shared_data = bp_buf_data(shared);
    memset(bp_buf_data(shared) + 1, PATTERN, BPT_SIZE - 1);
    (void)bp_buf_retain(shared);
}

static void lend_and_release(void) {
    lend();
    bpt_window_open();
    bp_buf_release(shared);
    bpt_window_close();
    bpt_give(&held[0]);
}

static void release_shared(void) {
    bpt_warm();
    bpt_window_open();
    bp_buf_release(shared);
    bpt_window_close();
}

static void lend_retain_and_release(void) {
    lend();
    bpt_window_open();
    bp_buf_release(bp_buf_retain(shared));
    bp_buf_release(shared);
    bpt_window_close();
    bpt_give(&held[0]);
}

static void retain_and_release_shared(void) {
    bpt_window_open();
    bp_buf_release(bp_buf_retain(shared));
    bp_buf_release(shared);
    bpt_window_close();
}

static void lend_mark_and_release(void) {
    lend();
    bpt_window_open();
    bp_buf_set_sensitive(shared);
    bp_buf_release(shared);
    bpt_window_close();
    for (uint32_t i = 0; i < BPT_SIZE; i++) bpt_holds(shared_data[i] == 0);
    bpt_give(&held[0]);
}

static void take_one(void) {
    bpt_warm();
    bpt_window_open();
    held[2] = bpt_take();
    bpt_window_close();
    bpt_give(&held[2]);
}

static const bpt_scenario share_scenarios[] = {
    {"share-release", begin, {lend_and_release, release_shared}, bpt_pool_over, false, 150},
    {"share-retain", begin, {lend_retain_and_release, retain_and_release_shared}, bpt_pool_over, false, 910},
    {"share-sensitive", begin, {lend_mark_and_release, release_shared}, bpt_pool_over, false, 330},
    {"share-and-trim", begin, {lend_and_release, release_shared, trim_to_idle}, bpt_pool_over, false, 520},
    {"share-and-take", begin, {lend_and_release, release_shared, take_one}, bpt_pool_over, false, 390},
};
enum { SHARE_COUNT = sizeof share_scenarios / sizeof share_scenarios[0] };

START_TEST(the_last_of_several_holders_gives_back) { bpt_all_right(&share_scenarios[_i]); }
END_TEST

BPT_SUITE(sched_share) {
    BPT_TIMEOUT(600);
    BPT_LOOP_TEST(buffers_go_through_the_depot, 0, DEPOT_COUNT);
    BPT_LOOP_TEST(the_last_of_several_holders_gives_back, 0, SHARE_COUNT);
}
