/* tests/sched/sched.h: every order in which a few threads can meet in the pool, and what must hold in each.
 *
 * A scenario has a body per virtual thread. The bodies run one after the other, without interruption, up to
 * bpt_window_open; from there to bpt_window_close (or to the end of the thread, if a body returns before) the explorer
 * decides at every atomic operation, lock and barrier who goes on; what follows runs one after the other again. end
 * looks at what is left.
 *
 * A schedule is the list of decisions that differ from "the same thread goes on": "name/tso/12t1.30h0.41f0" is, in
 * scenario name with the TSO memory, at decision 12 to thread 1, at 30 thread 0's store is held back, at 41 it becomes
 * visible. SCHEDULE=that in the environment replays it and prints each step.
 *
 * Memory
 *   STRONG  a store is visible at once (sequential consistency)
 *   TSO     stores that are not sequentially consistent may wait in their thread's queue, while its later loads go on;
 *           read-modify-writes, locks and the process-wide barrier empty it: what an x86 does
 *   PSO     besides, relaxed stores overtake stores to other places, and only release operations wait for those before
 *           them: what the language allows of stores, but not what it allows of loads
 *
 * Bounds: preemptions are switches from a thread that could have gone on, holds are stores held back. All schedules
 * within them are run, those with few decisions first, up to a number that wide bounds set; then random ones beyond.
 * Decisions are only offered where an operation may conflict: its place is used by two threads and written by one.
 *
 * BPT_SCHED=full widens the bounds, BPT_SCENARIO=recall-pop runs what begins so, BPT_WEAKENED='STORE_RELEASE
 * &entry->top' has all operations of that name (as a replay prints them) be relaxed. */
#ifndef BUFPOOL_TESTS_SCHED_H
#define BUFPOOL_TESTS_SCHED_H

#include "pool/pool_internal.h"

enum { BPT_THREAD_MAX = 4 };

typedef enum bpt_memory { BPT_STRONG, BPT_TSO, BPT_PSO } bpt_memory;

typedef struct bpt_scenario {
    const char *name;
    void (*begin)(void);
    void (*bodies[BPT_THREAD_MAX])(void);
    void (*end)(void);
    bool is_long;   /* so many steps that one preemption less is enough by day */
    uint32_t least; /* schedules by day, on all memories together: about half of what there are, to notice when the
                       threads do not meet any more */
} bpt_scenario;

typedef struct bpt_bounds {
    bpt_memory memory;
    uint32_t preemptions, holds;
    uint32_t tree_max; /* run no more than so many of those within the bounds, those with few decisions first */
    uint32_t random_count;
    const char *weakened; /* key of operations that are relaxed instead; NULL: none */
} bpt_bounds;

typedef struct bpt_report {
    uint64_t schedules; /* distinct ones, those within the bounds and the random ones beyond */
    bool is_cut;        /* there were more than tree_max */
    bool is_found;      /* something went wrong: what, and in which schedule */
    char what[200];
    char schedule[1000];
} bpt_report;

/* Stops at the first schedule in which something goes wrong. */
bpt_report bpt_explore(const bpt_scenario *scenario, bpt_bounds bounds);

/* ---- for the bodies ---- */
void bpt_window_open(void);
void bpt_window_close(void);
/* The number of the virtual thread that runs; -1: the scenario begins or ends. */
int bpt_current_thread(void);
/* This schedule is wrong. */
_Noreturn void bpt_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define bpt_holds(condition)                                                                                           \
    do {                                                                                                               \
        if (!(condition)) bpt_wrong("line %d: does not hold: %s", __LINE__, #condition);                               \
    } while (0)
/* Blocks of memory that the room has from the system and did not give back. */
uint64_t bpt_live_blocks(void);
/* What bpi_os.barrier does: its work, nothing though it says so, or nothing and says so. Back to work with each
 * schedule. */
typedef enum bpt_barrier { BPT_BARRIER_WORKS, BPT_BARRIER_LIES, BPT_BARRIER_MISSING } bpt_barrier;
void bpt_barrier_set(bpt_barrier barrier);

#endif
