#include "tests/sched/world.h"

bp_pool *bpt_pool;

void bpt_pool_make(uint64_t limit) {
    static const bp_class one = {.size = BPT_STRIDE};
    const bp_pool_config config = {.classes = &one, .class_count = 1, .memory_limit = limit, .rest_bytes = 1};
    const bp_err err = bp_pool_new(&config, &bpt_pool);
    if (err != BP_OK) bpt_wrong("no pool: %s", bp_err_name(err));
}

/* The first byte says whether somebody holds the buffer; a slab's pages begin as zero. */
bp_buf *bpt_take_or(bp_err otherwise) {
    bp_buf *buf = NULL;
    const bp_err err = bp_pool_acquire(bpt_pool, BPT_SIZE, &buf);
    if (err != BP_OK) {
        if (err != otherwise || buf != NULL) bpt_wrong("acquire answers %s", bp_err_name(err));
        return NULL;
    }
    if (bp_buf_data(buf)[0] != 0) bpt_wrong("a buffer is handed out that somebody holds");
    bp_buf_data(buf)[0] = 1;
    return buf;
}

bp_buf *bpt_take(void) { return bpt_take_or(BP_OK); }

void bpt_give(bp_buf **buf) {
    if (*buf == NULL) return;
    if (bp_buf_data(*buf)[0] != 1) bpt_wrong("somebody else gave the buffer back");
    bp_buf_data(*buf)[0] = 0;
    bp_buf_release_take(buf);
}

void bpt_warm(void) {
    bp_buf *buf = bpt_take();
    bpt_give(&buf);
}

/* Three times as many as move at once: the last one taken empties the magazine. */
void bpt_fill(bp_buf *rest[BPT_DEPTH]) {
    bp_buf *stock[2 * BPT_DEPTH];
    for (int i = 0; i < BPT_DEPTH; i++) rest[i] = bpt_take();
    for (int i = 0; i < 2 * BPT_DEPTH; i++) stock[i] = bpt_take();
    for (int i = 0; i < 2 * BPT_DEPTH; i++) bpt_give(&stock[i]);
    bpt_holds(bpi_entry_stock(bpi_own_entry(rest[0]->entry)) == 2 * BPT_DEPTH);
}

void bpt_give_all(bp_buf *bufs[BPT_DEPTH]) {
    for (int i = 0; i < BPT_DEPTH; i++) bpt_give(&bufs[i]);
}

void bpt_pool_quiet(void) {
    bp_pool_stats stats;
    bpt_holds(bpi_pool_is_valid(bpt_pool));
    (void)bp_pool_trim(bpt_pool, false);
    bp_pool_stats_read(bpt_pool, &stats);
    bpt_holds(stats.total.in_use == 0);
    bpt_holds(stats.total.acquires == stats.total.releases);
    bpt_holds(stats.exact_in_use == 0 && stats.exact_bytes == 0);
    bpt_holds(stats.committed_bytes == 0);
    bpt_holds(bpi_pool_is_valid(bpt_pool));
}

void bpt_pool_over(void) {
    bpt_pool_quiet();
    bp_pool_release_take(&bpt_pool);
    bpt_holds(bpt_live_blocks() == 0);
}

/* ---- exploring ---- */

static bool is_full(void) {
    const char *given = getenv("BPT_SCHED");
    return given != NULL && strcmp(given, "full") == 0;
}

/* With a third thread a preemption has twice as many places to go to, and there are half as many again of them. PSO has
 * all orders of TSO: there one preemption less is enough by day. */
static bpt_bounds bounds_of(bpt_memory memory, const bpt_scenario *scenario) {
    static const uint32_t preemptions[] = {[BPT_STRONG] = 2, [BPT_TSO] = 1, [BPT_PSO] = 1};
    const bool has_two = scenario->bodies[2] == NULL;
    bpt_bounds bounds = {.memory = memory, .random_count = 500};
    bounds.preemptions = preemptions[memory] + (has_two && memory != BPT_PSO);
    bounds.holds = memory != BPT_STRONG;
    if (is_full()) {
        bounds.random_count = 5000;
        bounds.preemptions += 1;
    }
    return bounds;
}

static const char *const memories[] = {"strong", "TSO", "PSO"};

static uint64_t explore(bpt_memory memory, const bpt_scenario *scenario) {
    const bpt_bounds bounds = bounds_of(memory, scenario);
    const bpt_report report = bpt_explore(scenario, bounds);
    if (report.is_found) ck_abort_msg("%s\n  replay with SCHEDULE=%s", report.what, report.schedule);
    printf("  %s, %s: %llu schedules, all with %u preemptions and %u stores held back\n", scenario->name, memories[memory],
           (unsigned long long)report.schedules, bounds.preemptions, bounds.holds);
    return report.schedules;
}

void bpt_right_on(bpt_memory memory, const bpt_scenario *scenario, uint64_t least) {
    const uint64_t schedules = explore(memory, scenario);
    if (getenv("SCHEDULE") == NULL) ck_assert_uint_ge(schedules, least);
}

void bpt_all_right(const bpt_scenario *scenario, uint64_t least) {
    uint64_t schedules = 0;
    for (bpt_memory memory = BPT_STRONG; memory <= BPT_PSO; memory++) schedules += explore(memory, scenario);
    if (getenv("SCHEDULE") == NULL) ck_assert_uint_ge(schedules, least);
}

void bpt_wrong_on(bpt_memory memory, const bpt_scenario *scenario) {
    const bpt_report report = bpt_explore(scenario, bounds_of(memory, scenario));
    ck_assert_msg(report.is_found, "%s: nothing goes wrong in %llu schedules", scenario->name,
                  (unsigned long long)report.schedules);
    printf("  %s, as it should: %s\n    in %s\n", scenario->name, report.what, report.schedule);
}
