#define _GNU_SOURCE
#include "tests/support/pool_ops.h"
#include "tests/support/shrink.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Operations that are tried in all while a sequence is shrunk: about a minute. */
enum { BUDGET = 20 * 1000 * 1000 };

/* ---- in a child ---- */

/* What is printed by sanitizers and aborts of candidates would bury what was found. */
static void be_silent(void) {
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) (void)dup2(nowhere, STDERR_FILENO);
}

static void describe_end(int status, bpt_ops_outcome *outcome) {
    if (WIFSIGNALED(status)) {
        (void)snprintf(outcome->what, sizeof outcome->what, "the process died of signal %d", WTERMSIG(status));
    } else if (outcome->what[0] == '\0') {
        (void)snprintf(outcome->what, sizeof outcome->what, "the process ended with %d", WEXITSTATUS(status));
    }
}

static bool run_apart(const bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome, bool is_silent) {
    bpt_ops_outcome *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status = 0;
    if (shared == MAP_FAILED) abort();
    const pid_t child = fork();
    if (child < 0) abort();
    if (child == 0) {
        if (is_silent) be_silent();
        _exit(bpt_ops_run(ops, count, defect, shared) ? 0 : 1);
    }
    if (waitpid(child, &status, 0) != child) abort();
    *outcome = *shared;
    (void)munmap(shared, sizeof *shared);
    if (status == 0) return true;
    describe_end(status, outcome);
    return false;
}

bool bpt_ops_run_apart(const bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome) {
    return run_apart(ops, count, defect, outcome, false);
}

/* ---- shorter and simpler ---- */

static bool fails(const void *items, size_t count, void *user) {
    bpt_ops_outcome outcome;
    return !run_apart(items, count, *(const bpt_defect *)user, &outcome, true);
}

/* Keeps op as it is made simpler if that fails as well. */
static void try_as(bpt_op *ops, size_t count, bpt_op *op, bpt_op simpler, bpt_defect defect) {
    const bpt_op before = *op;
    if (memcmp(&before, &simpler, sizeof before) == 0) return;
    *op = simpler;
    if (!fails(ops, count, &defect)) *op = before;
}

static void simplify(bpt_op *ops, size_t count, bpt_defect defect) {
    for (size_t i = 0; i < count; i++) {
        static const uint32_t values[] = {0, 1, 64};
        bpt_op simpler = ops[i];
        simpler.class_ix = 0;
        try_as(ops, count, &ops[i], simpler, defect);
        simpler = ops[i];
        simpler.thread = 0;
        try_as(ops, count, &ops[i], simpler, defect);
        for (size_t v = 0; v < sizeof values / sizeof *values && ops[i].value > values[v]; v++) {
            simpler = ops[i];
            simpler.value = values[v];
            try_as(ops, count, &ops[i], simpler, defect);
        }
    }
}

/* Simpler operations may do with fewer of them: a thread that does nothing need not be replaced. */
size_t bpt_ops_shrink(bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome) {
    count = bpt_shrink(ops, sizeof *ops, count, fails, &defect, BUDGET);
    if (count <= 100) {
        simplify(ops, count, defect);
        count = bpt_shrink(ops, sizeof *ops, count, fails, &defect, BUDGET);
    }
    (void)run_apart(ops, count, defect, outcome, false);
    return count;
}
