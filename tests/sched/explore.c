#include "tests/sched/internal.h"

#include <signal.h>
#include <stdarg.h>

/* A schedule is the path from the root of a tree to a node: each node adds one decision that is not the first option.
 * The nodes are run in the order in which they were found, so few decisions come before many. */
typedef struct node {
    uint32_t parent, step;
    bpt_option taken;
    uint16_t preemptions, holds; /* of the whole path */
} node;

enum { DEPTH_MAX = 256, STEP_MAX = 100000 };

typedef struct decision {
    uint32_t step;
    bpt_option taken;
} decision;

static struct {
    node *nodes;
    uint32_t node_count, node; /* the node whose schedule runs */
    decision path[DEPTH_MAX];
    uint32_t depth, next; /* next: the first decision of the path that is still to come */
    uint32_t step;
    uint32_t preemptions, holds; /* taken so far */
    bpt_bounds bounds;
    uint64_t random; /* state of the generator, 0 while all schedules within the bounds are run */
    uint32_t run;    /* the number of the random schedule, from 1 */
    bool is_replaying, is_cut;
    char what[200];
    jmp_buf wrong;
} explorer;

/* ---- decisions ---- */

static bool is_same(bpt_option a, bpt_option b) { return a.action == b.action && a.thread == b.thread; }

static void take(bpt_option option) {
    explorer.preemptions += option.preemptions;
    explorer.holds += option.holds;
}

static bpt_option follow(const bpt_option *options, uint32_t count) {
    const bpt_option wanted = explorer.path[explorer.next++].taken;
    for (uint32_t i = 0; i < count; i++) {
        if (is_same(options[i], wanted)) return options[i];
    }
    bpt_wrong("the schedule does not fit: nobody can do %c%d at %u", wanted.action, wanted.thread, explorer.step - 1);
}

/* A schedule that goes the path of this one up to here and then another way. */
static void note_for_later(bpt_option option) {
    const uint32_t preemptions = explorer.preemptions + option.preemptions;
    const uint32_t holds = explorer.holds + option.holds;
    if (preemptions > explorer.bounds.preemptions || holds > explorer.bounds.holds) return;
    if (explorer.node_count == explorer.bounds.tree_max) {
        explorer.is_cut = true;
        return;
    }
    explorer.nodes[explorer.node_count++] =
        (node){explorer.node, explorer.step - 1, option, (uint16_t)preemptions, (uint16_t)holds};
}

/* xorshift64*, as everywhere in the tests. */
static uint32_t next_random(void) {
    explorer.random ^= explorer.random >> 12;
    explorer.random ^= explorer.random << 25;
    explorer.random ^= explorer.random >> 27;
    return (uint32_t)(explorer.random * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}

static bpt_option take_any(const bpt_option *options, uint32_t count) {
    if (count == 1 || next_random() % 8 != 0 || explorer.depth == DEPTH_MAX) return options[0];
    const bpt_option taken = options[1 + next_random() % (count - 1)];
    explorer.path[explorer.depth++] = (decision){explorer.step - 1, taken};
    explorer.next = explorer.depth;
    return taken;
}

void bpt_count_step(void) {
    if (++explorer.step > STEP_MAX) bpt_wrong("no end after %d steps", STEP_MAX);
}

bpt_option bpt_decide(const bpt_option *options, uint32_t count) {
    bpt_option taken = options[0];
    bpt_count_step();
    if (explorer.next < explorer.depth && explorer.path[explorer.next].step == explorer.step - 1) {
        taken = follow(options, count);
    } else if (explorer.random != 0) {
        taken = take_any(options, count);
    } else if (explorer.next == explorer.depth && !explorer.is_replaying) {
        for (uint32_t i = 1; i < count; i++) note_for_later(options[i]);
    }
    take(taken);
    return taken;
}

/* ---- what goes wrong ---- */

_Noreturn void bpt_wrong(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(explorer.what, sizeof explorer.what, format, arguments);
    va_end(arguments);
    longjmp(explorer.wrong, 1);
}

static void catch_fault(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    sigset_t faults;
    (void)sigemptyset(&faults);
    (void)sigaddset(&faults, SIGSEGV);
    (void)sigprocmask(SIG_UNBLOCK, &faults, NULL);
    bpt_wrong("memory at %p was touched that was given back, or never given", info->si_addr);
}

static void catch_faults(void) {
    static _Alignas(16) char stack[64 * 1024];
    const stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
    action.sa_sigaction = catch_fault;
    if (sigaltstack(&alternative, NULL) != 0 || sigaction(SIGSEGV, &action, NULL) != 0) abort();
}

bool bpt_is_tracing(void) { return explorer.is_replaying; }

void bpt_trace(const char *format, ...) {
    if (!explorer.is_replaying || !bpt_is_open()) return;
    va_list arguments;
    va_start(arguments, format);
    printf("%6u  %*s%d  ", explorer.step, 4 * (bpt_current_thread() + 1), "", bpt_current_thread());
    (void)vprintf(format, arguments);
    printf("\n");
    (void)fflush(stdout);
    va_end(arguments);
}

/* ---- one schedule ---- */

static void find_path(uint32_t ix) {
    explorer.node = ix;
    explorer.depth = 0;
    for (uint32_t at = ix; at != 0; at = explorer.nodes[at].parent) explorer.depth++;
    if (explorer.depth > DEPTH_MAX) abort();
    uint32_t place = explorer.depth;
    for (uint32_t at = ix; at != 0; at = explorer.nodes[at].parent) {
        explorer.path[--place] = (decision){explorer.nodes[at].step, explorer.nodes[at].taken};
    }
}

/* False: something went wrong. */
static bool run(const bpt_scenario *scenario) {
    explorer.next = 0;
    explorer.step = 0;
    explorer.preemptions = 0;
    explorer.holds = 0;
    bpt_memory_reset(explorer.bounds.memory, explorer.bounds.weakened);
    bpt_threads_reset();
    bpt_system_reset();
    if (setjmp(explorer.wrong) != 0) return false;
    scenario->begin();
    bpt_threads_run(scenario);
    scenario->end();
    return true;
}

static const char *const memory_names[] = {"strong", "tso", "pso"};

static void describe(const bpt_scenario *scenario, bpt_report *report) {
    size_t at = 0;
    const size_t size = sizeof report->schedule;
    report->is_found = true;
    memcpy(report->what, explorer.what, sizeof report->what);
    at += (size_t)snprintf(report->schedule, size, "%s/%s/", scenario->name, memory_names[explorer.bounds.memory]);
    for (uint32_t i = 0; i < explorer.depth && at < size; i++) {
        const decision *one = &explorer.path[i];
        at += (size_t)snprintf(report->schedule + at, size - at, "%s%u%c%d", i == 0 ? "" : ".", one->step,
                               one->taken.action, one->taken.thread);
    }
}

/* ---- all schedules within the bounds, and random ones ---- */

/* Whether this set of decisions is new; only for random schedules, as those of the tree differ by construction. */
static bool is_first_of_its_kind(void) {
    static uint64_t seen[1 << 20];
    uint64_t hash = 1;
    for (uint32_t i = 0; i < explorer.depth; i++) {
        const decision *one = &explorer.path[i];
        hash ^= (uint64_t)one->step << 16 | (uint64_t)(uint8_t)one->taken.action << 8 | one->taken.thread;
        hash *= UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    if (explorer.run == 1) memset(seen, 0, sizeof seen);
    for (uint32_t ix = (uint32_t)(hash >> 44);; ix = (ix + 1) % (1 << 20)) {
        if (seen[ix] == hash) return false;
        if (seen[ix] != 0) continue;
        seen[ix] = hash;
        return true;
    }
}

static bool run_tree(const bpt_scenario *scenario, bpt_report *report) {
    explorer.node_count = 1;
    explorer.random = 0;
    explorer.is_cut = false;
    for (uint32_t ix = 0; ix < explorer.node_count && !bpt_places_changed(); ix++) {
        find_path(ix);
        if (!run(scenario)) return false;
        report->schedules++;
    }
    return true;
}

static bool run_random(const bpt_scenario *scenario, bpt_report *report) {
    const bpt_bounds *bounds = &explorer.bounds;
    for (explorer.run = 1; explorer.run <= bounds->random_count && !bpt_places_changed(); explorer.run++) {
        explorer.random = UINT64_C(0x9E3779B97F4A7C15) * explorer.run;
        explorer.depth = 0;
        if (!run(scenario)) return false;
        const bool is_beyond = explorer.preemptions > bounds->preemptions || explorer.holds > bounds->holds;
        report->schedules += is_beyond && is_first_of_its_kind();
    }
    return true;
}

/* A place that turns out to be shared late had no decisions in the schedules before: they are run again. */
static bool run_all(const bpt_scenario *scenario, bpt_report *report) {
    bpt_places_forget();
    do {
        bpt_places_accept();
        report->schedules = 0;
        if (!run_tree(scenario, report) || !run_random(scenario, report)) return false;
    } while (bpt_places_changed());
    return true;
}

/* ---- replay ---- */

/* The decisions of SCHEDULE, if it is of this scenario on this memory. */
static bool read_schedule(const bpt_scenario *scenario) {
    char prefix[200];
    const char *given = getenv("SCHEDULE");
    const size_t length =
        (size_t)snprintf(prefix, sizeof prefix, "%s/%s/", scenario->name, memory_names[explorer.bounds.memory]);
    if (given == NULL || strncmp(given, prefix, length) != 0) return false;
    const char *rest = given + length;
    explorer.depth = 0;
    while (*rest != '\0' && explorer.depth < DEPTH_MAX) {
        unsigned step = 0, thread = 0;
        char action = 0;
        int used = 0;
        if (sscanf(rest, "%u%c%u%n", &step, &action, &thread, &used) != 3) break;
        explorer.path[explorer.depth++] = (decision){step, {.action = action, .thread = (uint8_t)thread}};
        rest += used + (rest[used] == '.');
    }
    return true;
}

bpt_report bpt_explore(const bpt_scenario *scenario, bpt_bounds bounds) {
    bpt_report report = {0};
    catch_faults();
    node *nodes = realloc(explorer.nodes, bounds.tree_max * sizeof(node));
    if (nodes == NULL) abort();
    explorer.nodes = nodes;
    explorer.bounds = bounds;
    explorer.random = 0;
    explorer.is_replaying = read_schedule(scenario);
    const bool is_right = explorer.is_replaying ? run(scenario) : run_all(scenario, &report);
    if (!is_right) describe(scenario, &report);
    report.is_cut = explorer.is_cut;
    return report;
}
