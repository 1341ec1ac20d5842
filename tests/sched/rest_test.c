/* Memory that rests: what goes back by its age, and what a hardened pool has in quarantine. */
#include "tests/sched/world.h"
#include "tests/support/suite.h"

enum { IDLE_MS = 100, MANY = 40 };

static bp_buf *held[BPT_THREAD_MAX];
static uint64_t now_ms;
static int misused; /* how often */

static uint64_t read_clock(void *user) {
    (void)user;
    return now_ms;
}

/* ---- ageing ---- */

/* What rests is looked at in the window, by the first call that leaves the inline path. */
static void begin_aging(void) {
    memset(held, 0, sizeof held);
    now_ms = 1;
    bpt_pool_make_as((bp_pool_config){.now_ms = read_clock, .idle_ms = IDLE_MS});
}

static void let_it_be_time(void) { now_ms = 1 + IDLE_MS; }

/* The first call of a thread takes the lock, and looks at the clock. */
static void look(void) {
    const int self = bpt_current_thread();
    let_it_be_time();
    bpt_window_open();
    held[self] = bpt_take();
    bpt_window_close();
    bpt_give(&held[self]);
}

static void pop(void) {
    bpt_warm();
    bpt_window_open();
    held[0] = bpt_take();
    bpt_window_close();
    bpt_give(&held[0]);
}

static void push(void) {
    bpt_warm();
    held[0] = bpt_take();
    bpt_window_open();
    bpt_give(&held[0]);
    bpt_window_close();
}

static void trim(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, false);
    bpt_window_close();
}

static void end_thread(void) {
    bpt_warm();
    bpt_window_open();
}

static uint64_t committed(void) {
    bp_pool_stats stats;
    bp_pool_stats_read(bpt_pool, &stats);
    return stats.committed_bytes;
}

/* Has been used in the period that ends now, so that one look takes it from the thread and leaves it to the pool. */
static void rest_with_many(void) {
    bp_buf *many[MANY];
    for (int i = 0; i < MANY; i++) many[i] = bpt_take();
    for (int i = 0; i < MANY; i++) bpt_give(&many[i]);
    const uint64_t before = committed();
    bpt_window_open();
    bpt_window_close();
    bpt_holds(committed() >= before);
}

static const bpt_scenario ages[] = {
    {"age-and-pop", begin_aging, {pop, look}, bpt_pool_over, false, 1300},
    {"age-and-push", begin_aging, {push, look}, bpt_pool_over, false, 1900},
    {"age-and-trim", begin_aging, {push, look, trim}, bpt_pool_over, true, 1100},
    {"age-and-thread-end", begin_aging, {end_thread, look}, bpt_pool_over, false, 1000},
    {"age-by-two", begin_aging, {rest_with_many, look, look}, bpt_pool_over, true, 1200},
};
enum { AGE_COUNT = sizeof ages / sizeof ages[0] };

START_TEST(what_nobody_used_goes_back_while_others_work) { bpt_all_right(&ages[_i]); }
END_TEST

/* ---- hardened pools ---- */

static void begin_hardened(void) {
    memset(held, 0, sizeof held);
    bpt_pool_make_as((bp_pool_config){.is_hardened = true});
}

static void use(void) {
    const int self = bpt_current_thread();
    bpt_window_open();
    held[self] = bpt_take();
    bpt_give(&held[self]);
    bpt_window_close();
}

static void use_until_closed(void) {
    const int self = bpt_current_thread();
    bpt_window_open();
    held[self] = bpt_take_or(BP_ERR_CLOSED);
    bpt_give(&held[self]);
    bpt_window_close();
}

/* It holds no reference to the pool: the buffer keeps it. */
static void give_last(void) {
    const int self = bpt_current_thread();
    held[self] = bpt_take();
    bpt_window_open();
    bpt_give(&held[self]);
    bpt_window_close();
}

static void close_pool(void) {
    bpt_window_open();
    bp_pool_close(bpt_pool);
    bpt_window_close();
}

static void end_pool(void) {
    bpt_window_open();
    bp_pool_release_take(&bpt_pool);
    bpt_window_close();
}

static void nothing_is_left(void) { bpt_holds(bpt_live_blocks() == 0); }

static void remove_class(void) {
    bpt_window_open();
    bpt_holds(bp_pool_class_remove(bpt_pool, BPT_STRIDE) == BP_OK);
    bpt_window_close();
}

static void nothing_is_committed(void) {
    bpt_holds(committed() == 0);
    bpt_pool_over();
}

/* ---- one reference, released by two ---- */

static void count_misuse(bp_misuse what, const void *object, void *user) {
    (void)user;
    if (what != BP_MISUSE_DOUBLE_RELEASE || object != held[0]) bpt_wrong("misuse %d of %p", (int)what, object);
    misused++;
}

static void begin_misused(void) {
    begin_hardened();
    misused = 0;
    bp_misuse_set(count_misuse, NULL);
}

/* Another buffer of the slab keeps the descriptor where it is. */
static void take_and_release(void) {
    held[0] = bpt_take();
    bp_buf *other = bpt_take();
    bpt_window_open();
    bp_buf_release(held[0]);
    bpt_window_close();
    bpt_give(&other);
}

static void release_too(void) {
    bpt_window_open();
    bp_buf_release(held[0]);
    bpt_window_close();
}

static void one_was_told(void) {
    bpt_holds(misused == 1);
    bpt_pool_over();
}

static const bpt_scenario hardened[] = {
    {"hardened-use-and-use", begin_hardened, {use, use}, bpt_pool_over, false, 3800},
    {"hardened-release-and-trim", begin_hardened, {give_last, trim}, bpt_pool_over, false, 100},
    {"hardened-release-trim-and-use", begin_hardened, {give_last, trim, use}, bpt_pool_over, true, 660},
    {"hardened-use-and-close", begin_hardened, {use_until_closed, close_pool}, bpt_pool_over, false, 570},
    {"hardened-last-release-and-end", begin_hardened, {give_last, end_pool}, nothing_is_left, false, 340},
    {"hardened-release-and-remove", begin_hardened, {give_last, remove_class}, nothing_is_committed, false, 120},
    {"hardened-released-twice", begin_misused, {take_and_release, release_too}, one_was_told, false, 900},
};
enum { HARDENED_COUNT = sizeof hardened / sizeof hardened[0] };

START_TEST(what_is_in_quarantine_is_lost_to_nobody) { bpt_all_right(&hardened[_i]); }
END_TEST

BPT_SUITE(sched_rest) {
    BPT_TIMEOUT(600);
    BPT_LOOP_TEST(what_nobody_used_goes_back_while_others_work, 0, AGE_COUNT);
    BPT_LOOP_TEST(what_is_in_quarantine_is_lost_to_nobody, 0, HARDENED_COUNT);
}
