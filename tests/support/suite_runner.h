/* tests/support/suite_runner.h: suites, each in a process of its own, several of them at once.
 *
 * Check runs every test of a suite in a child of the suite's process. What suites and their tests print is collected
 * and printed whole when the suite ends. A suite whose process ends before it reported is an error that is counted and
 * told, so that no check is missing silently. When the runner ends, so do the suites and their tests. */
#ifndef BUFPOOL_TESTS_SUITE_RUNNER_H
#define BUFPOOL_TESTS_SUITE_RUNNER_H

#include "tests/support/suite.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    const char *name;
    bpt_fill_fn *fill;
    bool is_long; /* begins before those that are not, so that it is not what all others' processors wait for */
} bpt_suite;

typedef struct {
    int checks;
    int failures;
    int errors;
} bpt_tally;

typedef struct {
    FILE *out;
    const char *program; /* how the runner was called, for the line that runs a failed suite again */
    int jobs;            /* suites at once, at least 1 */
    bool has_times;      /* tell the seconds and the processor's seconds of each suite */
} bpt_run_how;

/* Runs the suites in the order given and prints what they print, what failed and how to run it again, and last the line
 * that Check would print of all of them. */
bpt_tally bpt_run_suites(const bpt_suite *suites, int count, const bpt_run_how *how);

/* A Check suite of what fill adds; the runner owns it. */
void bpt_add_suite(SRunner *runner, const char *name, bpt_fill_fn *fill);

/* The jobs that text, which may be NULL, asks for, or else the processors that this process may use, but one under
 * Valgrind. */
int bpt_job_count(const char *text);

#endif
