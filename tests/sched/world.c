#include "tests/sched/world.h"

bp_pool *bpt_pool;

void bpt_pool_make_as(bp_pool_config config) {
    static const bp_class one = {.size = BPT_STRIDE};
    if (config.classes == NULL) config.classes = &one;
    if (config.class_count == 0) config.class_count = 1;
    config.rest_bytes = 1;
    const bp_err err = bp_pool_new(&config, &bpt_pool);
    if (err != BP_OK) bpt_wrong("no pool: %s", bp_err_name(err));
}

void bpt_pool_make(uint64_t limit) { bpt_pool_make_as((bp_pool_config){.memory_limit = limit}); }

/* The first byte says whether somebody holds the buffer. It is neither zero, as pages begin, nor a filling of hardened
 * pools. */
enum { HELD = 1 };

bp_buf *bpt_take_or(bp_err otherwise) {
    bp_buf *buf = NULL;
    const bp_err err = bp_pool_acquire(bpt_pool, BPT_SIZE, &buf);
    if (err != BP_OK) {
        if (err != otherwise || buf != NULL) bpt_wrong("acquire answers %s", bp_err_name(err));
        return NULL;
    }
    if (bp_buf_data(buf)[0] == HELD) bpt_wrong("a buffer is handed out that somebody holds");
    bp_buf_data(buf)[0] = HELD;
    return buf;
}

bp_buf *bpt_take(void) { return bpt_take_or(BP_OK); }

void bpt_give(bp_buf **buf) {
    if (*buf == NULL) return;
    if (bp_buf_data(*buf)[0] != HELD) bpt_wrong("somebody else gave the buffer back");
    bp_buf_data(*buf)[0] = 0;
    bp_buf_release_take(buf);
}

void bpt_warm(void) {
    bp_buf *buf = bpt_take();
    bpt_give(&buf);
}

static uint64_t stock_of(const bp_buf *buf) { return bpi_entry_stock(bpi_own_entry(bpi_buf_head(buf)->entry)); }

void bpt_empty(bp_buf *rest[BPT_REST_MAX]) {
    uint32_t count = 0;
    memset(rest, 0, BPT_REST_MAX * sizeof rest[0]);
    do {
        bpt_holds(count < BPT_REST_MAX);
        rest[count++] = bpt_take();
    } while (stock_of(rest[0]) != 0);
}

void bpt_fill(bp_buf *rest[BPT_REST_MAX]) {
    bp_buf *stock[16 * BPT_REST_MAX];
    bpt_empty(rest);
    const uint32_t room = bpi_slot_count(bpi_own_entry(bpi_buf_head(rest[0])->entry)->owner);
    uint32_t count = 0;
    bpt_holds(room < 12 * BPT_REST_MAX);
    while (count < room || stock_of(rest[0]) != 0) stock[count++] = bpt_take();
    while (stock_of(rest[0]) < room) bpt_give(&stock[--count]);
    uint32_t at = BPT_REST_MAX;
    while (count > 0) rest[--at] = stock[--count];
}

void bpt_give_all(bp_buf *bufs[BPT_REST_MAX]) {
    for (int i = 0; i < BPT_REST_MAX; i++) bpt_give(&bufs[i]);
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

/* Within wide bounds some scenarios have millions: there so many on each memory are enough. */
enum { DAY_TREE_MAX = 4 * 1024 * 1024, FULL_TREE_MAX = 32 * 1024 };

/* With a third thread a preemption has twice as many places to go to, and there are half as many again of them. PSO has
 * all orders of TSO: there one preemption less is enough by day. */
static bpt_bounds bounds_of(bpt_memory memory, const bpt_scenario *scenario) {
    static const uint32_t preemptions[] = {[BPT_STRONG] = 2, [BPT_TSO] = 1, [BPT_PSO] = 1};
    const bool has_two = scenario->bodies[2] == NULL;
    bpt_bounds bounds = {.memory = memory, .random_count = is_full() ? 5000 : 500};
    bounds.tree_max = is_full() ? FULL_TREE_MAX : DAY_TREE_MAX;
    bounds.preemptions = preemptions[memory] + (has_two && memory != BPT_PSO) + is_full() - scenario->is_long;
    bounds.holds = memory != BPT_STRONG;
    bounds.weakened = getenv("BPT_WEAKENED");
    return bounds;
}

/* BPT_SCENARIO in the environment runs the scenarios that begin so. */
static bool is_wanted(const bpt_scenario *scenario) {
    const char *only = getenv("BPT_SCENARIO");
    return only == NULL || strncmp(scenario->name, only, strlen(only)) == 0;
}

static const char *const memories[] = {"strong", "TSO", "PSO"};

static uint64_t explore(bpt_memory memory, const bpt_scenario *scenario) {
    const bpt_bounds bounds = bounds_of(memory, scenario);
    const bpt_report report = bpt_explore(scenario, bounds);
    if (report.is_found) ck_abort_msg("%s\n  replay with SCHEDULE=%s", report.what, report.schedule);
    if (report.is_cut && !is_full()) ck_abort_msg("%s: too many schedules by day", scenario->name);
    printf("  %s, %s: %llu schedules, %s with %u preemptions and %u stores held back\n", scenario->name,
           memories[memory], (unsigned long long)report.schedules, report.is_cut ? "many" : "all", bounds.preemptions,
           bounds.holds);
    return report.schedules;
}

void bpt_right_on(bpt_memory memory, const bpt_scenario *scenario, uint64_t least) {
    if (!is_wanted(scenario)) return;
    const uint64_t schedules = explore(memory, scenario);
    if (getenv("SCHEDULE") == NULL) ck_assert_uint_ge(schedules, least);
}

void bpt_all_right(const bpt_scenario *scenario) {
    uint64_t schedules = 0;
    if (!is_wanted(scenario)) return;
    for (bpt_memory memory = BPT_STRONG; memory <= BPT_PSO; memory++) schedules += explore(memory, scenario);
    if (getenv("SCHEDULE") == NULL) ck_assert_uint_ge(schedules, scenario->least);
}

void bpt_wrong_on(bpt_memory memory, const bpt_scenario *scenario) {
    if (!is_wanted(scenario)) return;
    const bpt_report report = bpt_explore(scenario, bounds_of(memory, scenario));
    ck_assert_msg(report.is_found, "%s: nothing goes wrong in %llu schedules", scenario->name,
                  (unsigned long long)report.schedules);
    printf("  %s, as it should: %s\n    in %s\n", scenario->name, report.what, report.schedule);
}
