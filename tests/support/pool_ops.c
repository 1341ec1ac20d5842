#include "tests/support/pool_ops.h"
#include "pool/pool_internal.h"
#include "tests/support/pool_ops_model.h"

#include <string.h>

/* ---- the crew: one thread at a time has the turn ---- */

static void wait_for(sem_t *what) {
    while (sem_wait(what) != 0) {}
}

static uint32_t thread_of(const bpt_op *op) { return op->thread % BPT_OP_THREADS; }

static bool is_over(const ops_run *run) { return run->at == run->count || run->outcome->what[0] != '\0'; }

static bool do_one(ops_run *run) {
    bpt_op op = run->ops[run->at];
    op.kind %= BPT_OP_KINDS;
    op.thread %= BPT_OP_THREADS;
    run->outcome->step = run->at;
    if (!bpt_ops_step(run, &op) || run->outcome->what[0] != '\0' || !bpt_ops_agree(run)) return false;
    if (run->at % BPT_OPS_WALK == 0) HOLDS(run, bpi_pool_is_valid(run->pool));
    run->at++;
    return true;
}

/* Takes turns until the sequence is over; who finds that it is tells all others. */
static void work(ops_run *run, uint32_t me) {
    for (;;) {
        wait_for(&run->turns[me]);
        if (run->is_leaving[me]) return;
        while (!is_over(run) && thread_of(&run->ops[run->at]) == me && do_one(run)) {}
        if (is_over(run)) break;
        (void)sem_post(&run->turns[thread_of(&run->ops[run->at])]);
    }
    for (uint32_t other = 0; other < BPT_OP_THREADS; other++) (void)sem_post(&run->turns[other]);
}

typedef struct place {
    ops_run *run;
    uint32_t thread;
} place;

static void *work_on_thread(void *argument) {
    const place at = *(const place *)argument;
    (void)bpi_own_entry(sizeof(bpi_entry)); /* a block from the start, so that all runs have as many */
    (void)sem_post(&at.run->ready);
    work(at.run, at.thread);
    return NULL;
}

static bool start(ops_run *run, uint32_t thread) {
    place at = {run, thread};
    run->is_leaving[thread] = false;
    HOLDS(run, pthread_create(&run->threads[thread], NULL, work_on_thread, &at) == 0);
    wait_for(&run->ready);
    run->crew_count++;
    return true;
}

bool bpt_ops_replace_thread(ops_run *run, uint32_t thread) {
    if (thread == 0) return true; /* the caller's */
    run->is_leaving[thread] = true;
    (void)sem_post(&run->turns[thread]);
    HOLDS(run, pthread_join(run->threads[thread], NULL) == 0);
    run->crew_count--;
    return start(run, thread);
}

static bool start_all(ops_run *run) {
    for (uint32_t thread = 1; thread < BPT_OP_THREADS; thread++) {
        if (!start(run, thread)) return false;
    }
    return true;
}

/* ---- a run ---- */

static void ignore_misuse(bp_misuse what, const void *object, void *user) { (void)what, (void)object, (void)user; }

static void init(ops_run *run) {
    for (uint32_t thread = 0; thread < BPT_OP_THREADS; thread++) (void)sem_init(&run->turns[thread], 0, 0);
    (void)sem_init(&run->ready, 0, 0);
    bp_misuse_set(ignore_misuse, NULL);
    bpt_ops_count_system();
    run->misuse_count = bp_misuse_count();
}

static void work_all(ops_run *run) {
    (void)sem_post(&run->turns[run->count == 0 ? 0 : thread_of(&run->ops[0])]);
    work(run, 0);
    for (uint32_t thread = 1; thread < BPT_OP_THREADS; thread++) (void)pthread_join(run->threads[thread], NULL);
    run->crew_count = 0;
}

/* The threads ended, so that everything that they held is in the depots. */
static bool end(ops_run *run) {
    run->outcome->step = run->count;
    if (!bpt_ops_agree(run) || !bpt_ops_end(run)) return false;
    HOLDS(run, bpt_ops_mapped() == 0);
    HOLDS(run, bpt_ops_blocks() == 0);
    return true;
}

bool bpt_ops_run(const bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome) {
    static ops_run run;
    memset(&run, 0, sizeof run);
    run.ops = ops;
    run.count = count;
    run.defect = defect;
    run.outcome = outcome;
    memset(outcome, 0, sizeof *outcome);
    init(&run);
    if (!bpt_ops_new_pool(&run, 0) || !start_all(&run)) return false;
    work_all(&run);
    return outcome->what[0] == '\0' && end(&run);
}
