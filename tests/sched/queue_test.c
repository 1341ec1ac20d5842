/* Reservations: who releases meets who waits, cancels, closes or ends. A reservation ends once, in its turn, and nobody
 * waits while there is what he waits for. */
#include "tests/sched/world.h"
#include "tests/support/suite.h"

enum { ROOM_FOR_TWO = 16 * 1024, WISH_MAX = 2, HEAP_SIZE = 1000, HEAP_BYTES = HEAP_SIZE + sizeof(bp_buf) };

static bp_buf *both[2];
static bp_reservation wishes[WISH_MAX];
static struct {
    int ended[WISH_MAX]; /* how often on_done ran, or a cancel or an immediate answer took its place */
    int order[WISH_MAX]; /* the wishes, as they were told */
    int told;
    int is_in_callback, is_keeping;
    uint64_t size; /* of every wish */
    bool can_block;
} seen;

static void begin(void) {
    memset(both, 0, sizeof both);
    memset(wishes, 0, sizeof wishes);
    memset(&seen, 0, sizeof seen);
    seen.size = BPT_SIZE;
    bpt_pool_make(ROOM_FOR_TWO);
}

static void begin_keeping(void) {
    begin();
    seen.is_keeping = 1;
}

/* A wish needs what both buffers take. */
static void begin_large(void) {
    begin();
    seen.size = ROOM_FOR_TWO / 2 + 1;
}

static void begin_heap(void) {
    begin_keeping();
    bp_pool_release_take(&bpt_pool);
    const bp_err err = bp_heap_pool_new(2 * HEAP_BYTES, &bpt_pool);
    if (err != BP_OK) bpt_wrong("no pool: %s", bp_err_name(err));
}

/* What comes back would rest in quarantine. */
static void begin_hardened(void) {
    begin_keeping();
    bp_pool_release_take(&bpt_pool);
    bpt_pool_make_as((bp_pool_config){.memory_limit = 24 * 1024, .is_hardened = true});
}

/* Without its class a wish is for a larger buffer. */
static void begin_with_larger(void) {
    static const bp_class classes[] = {{.size = BPT_STRIDE}, {.size = 2 * BPT_STRIDE}};
    begin();
    bp_pool_release_take(&bpt_pool);
    bpt_pool_make_as((bp_pool_config){.classes = classes, .class_count = 2, .memory_limit = ROOM_FOR_TWO});
}

/* There is room for what is asked for, and not for a slab. */
static void begin_with_a_rest(void) {
    begin();
    bp_pool_release_take(&bpt_pool);
    bpt_pool_make(ROOM_FOR_TWO + 2 * BPT_STRIDE);
}

/* Besides, the pool forces so many buffers, which are one large one that somebody has. */
static void begin_forcing(bool is_heap, uint64_t count) {
    const bp_pool_config config = {.memory_limit = is_heap ? 2 * HEAP_BYTES : ROOM_FOR_TWO,
                                   .forced_limit = count * HEAP_BYTES};
    begin_keeping();
    bp_pool_release_take(&bpt_pool);
    if (is_heap) {
        bpt_holds(bp_pool_factory_heap(&config, NULL, &bpt_pool) == BP_OK);
    } else {
        bpt_pool_make_as(config);
    }
    seen.can_block = true;
}

static void begin_forcing_one(void) { begin_forcing(true, 1); }
static void begin_forcing_two(void) { begin_forcing(true, 2); }
static void begin_forcing_sized(void) { begin_forcing(false, 1); }

/* ---- wishes ---- */

static void end_wish(int ix) {
    if (++seen.ended[ix] != 1) bpt_wrong("reservation %d ends a second time", ix);
}

static void give_back(int ix) {
    bpt_holds(wishes[ix].err == BP_OK ? wishes[ix].buf != NULL : wishes[ix].buf == NULL);
    bp_buf_release_take(&wishes[ix].buf);
}

/* The two operations on is_in_callback are where another callback could come between. */
static void on_done(bp_reservation *wish) {
    const int ix = (int)(wish - wishes);
    if (BPI_LOAD(&seen.is_in_callback) != 0) bpt_wrong("two callbacks run at the same time");
    BPI_STORE(&seen.is_in_callback, 1);
    end_wish(ix);
    seen.order[seen.told++] = ix;
    if (seen.is_keeping == 0) give_back(ix);
    BPI_STORE(&seen.is_in_callback, 0);
}

static bp_err reserve(int ix) {
    wishes[ix] = (bp_reservation){.size = seen.size, .can_block = seen.can_block, .on_done = on_done};
    const bp_err err = bp_pool_reserve(bpt_pool, &wishes[ix]);
    if (err == BP_PENDING) return err;
    end_wish(ix);
    bpt_holds(err == BP_OK || err == BP_ERR_CLOSED);
    bpt_holds((err == BP_OK) == (wishes[ix].buf != NULL));
    if (seen.is_keeping == 0) bp_buf_release_take(&wishes[ix].buf);
    return err;
}

static void cancel(int ix) {
    if (!bp_pool_cancel(bpt_pool, &wishes[ix])) return;
    end_wish(ix);
    bpt_holds(wishes[ix].buf == NULL);
}

static void take_both(void) {
    both[0] = bpt_take();
    both[1] = bpt_take();
}

/* ---- bodies: the first thread has everything that there is ---- */

static void give_one(void) {
    take_both();
    bpt_window_open();
    bpt_give(&both[0]);
    bpt_window_close();
    bpt_holds(seen.ended[0] == 1); /* with the other one still out */
    bpt_give(&both[1]);
}

static void give_both(void) {
    take_both();
    bpt_window_open();
    bpt_give(&both[0]);
    bpt_give(&both[1]);
    bpt_window_close();
}

static void hold_both(void) {
    take_both();
    bpt_window_open();
    bpt_window_close();
    bpt_holds(seen.ended[0] == 1);
    bpt_give(&both[0]);
    bpt_give(&both[1]);
}

/* It goes back inside the window though the thread that took it is another. */
static void give_first(void) {
    bpt_window_open();
    bpt_give(&both[0]);
    bpt_window_close();
}

static void give_second(void) {
    take_both();
    (void)reserve(0);
    (void)reserve(1);
    bpt_window_open();
    bpt_give(&both[1]);
    bpt_window_close();
    for (int i = 0; i < WISH_MAX; i++) bp_buf_release_take(&wishes[i].buf);
}

static void wish_and_give_second(void) {
    take_both();
    bpt_holds(reserve(0) == BP_PENDING);
    bpt_window_open();
    bpt_give(&both[1]);
    bpt_window_close();
    bpt_holds(seen.ended[0] == 1); /* and not only when the other thread ends */
}

static void use_hoard(void) {
    take_both();
    bpt_give(&both[0]);
    bpt_give(&both[1]);
    bpt_window_open();
    both[0] = bpt_take_or(BP_ERR_LIMIT);
    bpt_give(&both[0]);
    bpt_window_close();
    bpt_holds(seen.ended[0] == 1);
}

/* The forced one comes back; the other stays out. */
static void give_forced(void) {
    bp_pool_stats stats;
    bp_pool_stats_read(bpt_pool, &stats);
    bp_reservation forced = {.size = stats.forced_limit - sizeof(bp_buf), .can_block = true, .on_done = on_done};
    take_both();
    bpt_holds(bp_pool_reserve(bpt_pool, &forced) == BP_OK);
    bpt_holds(reserve(0) == BP_PENDING);
    bpt_window_open();
    bp_buf_release(forced.buf);
    bpt_window_close();
    bpt_holds(seen.ended[0] == 1 && wishes[0].buf != NULL);
    bpt_holds(stats.forced_limit < 2 * HEAP_BYTES || seen.ended[1] == 1);
    bp_buf_release_take(&wishes[0].buf);
    bpt_holds(seen.ended[1] == 1);
    bp_buf_release_take(&wishes[1].buf);
    bpt_give(&both[0]);
    bpt_give(&both[1]);
}

static void end_with_hoard(void) {
    take_both();
    bpt_give(&both[0]);
    bpt_give(&both[1]);
    bpt_window_open();
}

static void wish_first(void) {
    bpt_window_open();
    (void)reserve(0);
    bpt_window_close();
    bp_buf_release_take(&wishes[0].buf);
}

static void wish_second(void) {
    bpt_window_open();
    (void)reserve(1);
    bpt_window_close();
}

static void wish_and_cancel(void) {
    bpt_window_open();
    if (reserve(0) == BP_PENDING) cancel(0);
    bpt_window_close();
}

static void cancel_first(void) {
    bpt_holds(reserve(0) == BP_PENDING);
    bpt_window_open();
    cancel(0);
    bpt_window_close();
}

static void close_pool(void) {
    bpt_window_open();
    bp_pool_close(bpt_pool);
    bpt_window_close();
}

static void remove_class(void) {
    bpt_window_open();
    bpt_holds(bp_pool_class_remove(bpt_pool, BPT_STRIDE) == BP_OK);
    bpt_window_close();
}

static void end_pool(void) {
    bpt_window_open();
    bp_pool_release_take(&bpt_pool);
    bpt_window_close();
}

static void trim(void) {
    bpt_window_open();
    (void)bp_pool_trim(bpt_pool, false);
    bpt_window_close();
}

static void wait_for_ever(void) {
    bp_buf *buf = NULL;
    bpt_window_open();
    bpt_holds(bp_pool_acquire_wait(bpt_pool, BPT_SIZE, UINT32_MAX, &buf) == BP_OK);
    bp_buf_release(buf);
    bpt_window_close();
}

static void wait_a_while(void) {
    bp_buf *buf = NULL;
    bpt_window_open();
    const bp_err err = bp_pool_acquire_wait(bpt_pool, BPT_SIZE, 10, &buf);
    bpt_holds(err == BP_OK ? buf != NULL : err == BP_ERR_TIMEOUT && buf == NULL);
    bp_buf_release(buf);
    bpt_window_close();
}

/* ---- ends ---- */

static void first_has_ended(void) {
    bpt_holds(seen.ended[0] == 1);
    bpt_pool_over();
}

static void both_have_ended(void) {
    bpt_holds(seen.ended[0] == 1 && seen.ended[1] == 1);
    bpt_pool_over();
}

static void both_were_told_in_turn(void) {
    bpt_holds(seen.told == 2 && seen.order[0] == 0 && seen.order[1] == 1);
    both_have_ended();
}

static void nothing_is_left(void) {
    bpt_holds(seen.ended[0] == 1);
    bpt_holds(bpt_live_blocks() == 0);
}

static const bpt_scenario scenarios[] = {
    {"release-and-first-waiter", begin_keeping, {give_one, wish_first}, first_has_ended, true, 1300},
    {"hoarder-and-first-waiter", begin, {use_hoard, wish_first}, first_has_ended, true, 1100},
    {"thread-end-and-first-waiter", begin, {end_with_hoard, wish_first}, first_has_ended, false, 1000},
    {"two-waiters-and-release", begin, {give_both, wish_first, wish_second}, both_have_ended, true, 1700},
    {"grant-and-cancel", begin, {give_both, wish_and_cancel}, first_has_ended, true, 1900},
    {"grant-cancel-and-close", begin, {give_both, cancel_first, close_pool}, first_has_ended, true, 880},
    {"cancel-and-close", begin, {hold_both, cancel_first, close_pool}, first_has_ended, false, 560},
    {"wish-and-close", begin, {hold_both, wish_first, close_pool}, first_has_ended, true, 1000},
    {"grant-and-close", begin, {give_both, wish_first, close_pool}, first_has_ended, true, 1300},
    {"two-releasers", begin_keeping, {give_second, give_first}, both_were_told_in_turn, true, 1600},
    {"two-releasers-and-more", begin, {give_second, give_first}, both_were_told_in_turn, true, 3000},
    {"two-releasers-and-trim", begin, {give_second, give_first, trim}, both_were_told_in_turn, true, 1400},
    {"large-waiter", begin_large, {wish_and_give_second, give_first}, first_has_ended, false, 3000},
    {"waiter-and-pool-end", begin, {give_second, end_pool, give_first}, nothing_is_left, true, 1400},
    {"wait-for-ever", begin, {give_both, wait_for_ever}, bpt_pool_over, true, 2300},
    {"wait-a-while", begin, {give_both, wait_a_while}, bpt_pool_over, true, 3800},
    {"hardened-release-and-first-waiter", begin_hardened, {give_one, wish_first}, first_has_ended, true, 1000},
    {"remove-and-waiter", begin_with_larger, {give_both, wish_first, remove_class}, first_has_ended, true, 1400},
    {"remove-last-and-waiter", begin_with_a_rest, {hold_both, wish_first, remove_class}, first_has_ended, true, 1000},
    {"heap-release-and-first-waiter", begin_heap, {give_one, wish_first}, first_has_ended, false, 290},
    {"heap-two-releasers", begin_heap, {give_second, give_first}, both_were_told_in_turn, false, 4800},
    {"forced-in-turn", begin_forcing_one, {give_forced, wish_second}, both_have_ended, false, 2200},
    {"sized-forced-in-turn", begin_forcing_sized, {give_forced, wish_second}, both_have_ended, true, 1000},
    {"forced-both", begin_forcing_two, {give_forced, wish_second}, both_have_ended, false, 3500},
};
enum { SCENARIO_COUNT = sizeof scenarios / sizeof scenarios[0] };

START_TEST(a_reservation_ends_once_and_in_its_turn) { bpt_all_right(&scenarios[_i]); }
END_TEST

BPT_SUITE(sched_queue) {
    BPT_TIMEOUT(600);
    BPT_LOOP_TEST(a_reservation_ends_once_and_in_its_turn, 0, SCENARIO_COUNT);
}
