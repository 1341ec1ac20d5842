/* The runner of suites, on made-up suites whose tests fail, print, or end more than themselves. */
#define _GNU_SOURCE
#include "tests/support/suite_runner.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SUITES = 6, TESTS = 4, LINES = 3 };

/* What the tests of made-up suites leave, as each runs in a process of its own. */
static struct {
    int runs[SUITES][TESTS];
    int lines_printed;
} * seen;
static int held[2]; /* a pipe into which those of a suite that never ends write that they are there */

static void setup(void) {
    unsetenv("CK_FORK");
    unsetenv("CK_RUN_SUITE");
    unsetenv("CK_RUN_CASE");
    unsetenv("CK_VERBOSITY");
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(seen, MAP_FAILED);
}

static void teardown(void) { munmap(seen, sizeof *seen); }

/* ---- made-up suites -----------------------------------------------------------------------------------------------
 */

static void count_run(int suite, int test) { __atomic_add_fetch(&seen->runs[suite][test], 1, __ATOMIC_SEQ_CST); }

#define COUNTING_SUITE(ix)                                                                                             \
    START_TEST(counts_##ix) { count_run(ix, _i); }                                                                     \
    END_TEST                                                                                                           \
    static void fill_##ix(TCase *tcase) { BPT_LOOP_TEST(counts_##ix, 0, TESTS); }
COUNTING_SUITE(0)
COUNTING_SUITE(1)
COUNTING_SUITE(2)
COUNTING_SUITE(3)
COUNTING_SUITE(4)
COUNTING_SUITE(5)

static const bpt_suite counting[SUITES] = {{"made_0", fill_0, false}, {"made_1", fill_1, false},
                                           {"made_2", fill_2, false}, {"made_3", fill_3, false},
                                           {"made_4", fill_4, false}, {"made_5", fill_5, false}};

START_TEST(fails) { ck_abort_msg("on purpose"); }
END_TEST
START_TEST(crashes) { raise(SIGABRT); }
END_TEST
static void fill_failing(TCase *tcase) {
    BPT_TEST(fails);
    BPT_TEST(crashes);
    BPT_LOOP_TEST(counts_0, 0, TESTS);
}

static void fill_killed(TCase *tcase) {
    (void)tcase;
    raise(SIGKILL);
}
static void fill_gone(TCase *tcase) {
    (void)tcase;
    printf("said before it went\n");
    fflush(stdout);
    _exit(EXIT_SUCCESS);
}

static pid_t suite_of_bad_end;
static void end_badly(void) {
    if (getpid() == suite_of_bad_end) _exit(7);
}
static void fill_ends_badly(TCase *tcase) {
    suite_of_bad_end = getpid();
    atexit(end_badly);
    BPT_TEST(counts_0);
}

/* Two suites print in turns, so that neither has printed all before the other began. */
static void print_in_turns(const char *line, int first) {
    for (int i = 0; i < LINES; i++) {
        while (__atomic_load_n(&seen->lines_printed, __ATOMIC_SEQ_CST) != 2 * i + first) sched_yield();
        fprintf(i % 2 == 0 ? stdout : stderr, "%s\n", line);
        fflush(stdout);
        __atomic_add_fetch(&seen->lines_printed, 1, __ATOMIC_SEQ_CST);
    }
}
START_TEST(prints_left) { print_in_turns("left", 0); }
END_TEST
START_TEST(prints_right) { print_in_turns("right", 1); }
END_TEST
static void fill_left(TCase *tcase) { BPT_TEST(prints_left); }
static void fill_right(TCase *tcase) { BPT_TEST(prints_right); }

START_TEST(stays) {
    signal(SIGTERM, SIG_IGN);
    signal(SIGALRM, SIG_DFL);
    alarm(20); /* nobody is left behind when what is tested is broken */
    ck_assert_int_eq(write(held[1], "x", 1), 1);
    for (;;) pause();
}
END_TEST
/* Check ends the group of the test that it began last, which for the first it may not know yet. */
static void fill_stays(TCase *tcase) {
    BPT_LOOP_TEST(counts_0, 0, TESTS);
    BPT_TEST(stays);
}

/* ---- runs of them -------------------------------------------------------------------------------------------------
 */

/* Runs the suites; what was printed is the caller's to free. */
static bpt_tally run(const bpt_suite *suites, int count, int jobs, char **printed) {
    size_t length;
    bpt_run_how how = {.out = open_memstream(printed, &length), .program = "made-up-tests", .jobs = jobs};
    ck_assert_ptr_nonnull(how.out);
    const bpt_tally tally = bpt_run_suites(suites, count, &how);
    fclose(how.out);
    return tally;
}

static void must_be(bpt_tally tally, int checks, int failures, int errors) {
    ck_assert_int_eq(tally.checks, checks);
    ck_assert_int_eq(tally.failures, failures);
    ck_assert_int_eq(tally.errors, errors);
}

static void must_print(const char *printed, const char *text) {
    if (strstr(printed, text) == NULL) ck_abort_msg("\"%s\" is not in:\n%s", text, printed);
}

static void must_end_with(const char *printed, const char *end) {
    const size_t length = strlen(printed);
    ck_assert_uint_ge(length, strlen(end));
    ck_assert_str_eq(printed + length - strlen(end), end);
}

START_TEST(every_test_runs_once) {
    static const int jobs[] = {1, 2, 4, 2 * SUITES};
    char *printed;
    must_be(run(counting, SUITES, jobs[_i], &printed), SUITES * TESTS, 0, 0);
    must_end_with(printed, "\n100%: Checks: 24, Failures: 0, Errors: 0\n");
    for (int i = 0; i < SUITES; i++) {
        must_print(printed, counting[i].name);
        for (int j = 0; j < TESTS; j++) ck_assert_int_eq(seen->runs[i][j], 1);
    }
    free(printed);
}
END_TEST

START_TEST(what_failed_is_listed_with_what_runs_it_again) {
    const bpt_suite suites[] = {{"made_failing", fill_failing, false}, {"made_1", fill_1, false}};
    char *printed;
    setenv("BPT_SEED", "7", 1);
    must_be(run(suites, 2, _i, &printed), 2 + 2 * TESTS, 1, 1);
    must_print(printed, "F:made_failing:fails:0: on purpose\n");
    must_print(printed, "E:made_failing:crashes:0: ");
    must_print(printed, "again: BPT_ONLY=made_failing ");
    must_print(printed, "BPT_SEED=7 ");
    ck_assert_ptr_null(strstr(printed, "again: BPT_ONLY=made_1"));
    must_end_with(printed, " made-up-tests\n80%: Checks: 10, Failures: 1, Errors: 1\n");
    free(printed);
}
END_TEST

START_TEST(a_suite_that_does_not_report_is_an_error) {
    const bpt_suite suites[] = {{"made_0", fill_0, false},
                                {"made_killed", fill_killed, false},
                                {"made_gone", fill_gone, false},
                                {"made_ends_badly", fill_ends_badly, false},
                                {"made_1", fill_1, false}};
    char *printed;
    must_be(run(suites, 5, _i, &printed), 2 * TESTS + 1 + 3, 0, 3);
    must_print(printed, "made_killed: the suite's process was ended by signal 9, its other tests are not counted\n");
    must_print(printed, "made_gone: the suite's process ended with status 0, its other tests are not counted\n");
    must_print(printed, "said before it went\n");
    must_print(printed, "made_ends_badly: the suite's process ended with status 7, after its tests\n");
    must_print(printed, "again: BPT_ONLY=made_killed ");
    must_print(printed, "again: BPT_ONLY=made_gone ");
    must_print(printed, "again: BPT_ONLY=made_ends_badly ");
    free(printed);
}
END_TEST

START_TEST(suites_are_waited_for_where_ended_children_are_ignored) {
    char *printed;
    signal(SIGCHLD, SIG_IGN);
    must_be(run(counting, SUITES, 2, &printed), SUITES * TESTS, 0, 0);
    free(printed);
}
END_TEST

START_TEST(what_suites_print_at_once_is_printed_one_after_the_other) {
    const bpt_suite suites[] = {{"made_left", fill_left, false}, {"made_right", fill_right, false}};
    char *printed;
    must_be(run(suites, 2, 2, &printed), 2, 0, 0);
    must_print(printed, "made_left\nleft\nleft\nleft\n");
    must_print(printed, "made_right\nright\nright\nright\n");
    free(printed);
}
END_TEST

/* Whoever is left behind becomes the test's own child, and is waited for. */
START_TEST(suites_end_with_the_runner) {
    static const int signals[] = {SIGINT, SIGTERM, SIGKILL};
    const bpt_suite suites[] = {{"made_stays", fill_stays, false}, {"made_stays_too", fill_stays, false}};
    ck_assert_int_eq(pipe(held), 0);
    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    const pid_t runner = fork();
    if (runner == 0) {
        char *printed;
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        run(suites, 2, 2, &printed);
        _exit(EXIT_SUCCESS);
    }
    char there;
    for (int i = 0; i < 2; i++) ck_assert_int_eq(read(held[0], &there, 1), 1);
    ck_assert_int_eq(kill(runner, signals[_i]), 0);
    int status;
    ck_assert_int_eq(waitpid(runner, &status, 0), runner);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == signals[_i]);
    while (waitpid(-1, &status, 0) > 0) ck_assert(WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM);
    close(held[0]);
    close(held[1]);
}
END_TEST

START_TEST(jobs_are_those_asked_for_or_the_processors) {
    cpu_set_t usable;
    ck_assert_int_eq(bpt_job_count("3"), 3);
    const int usual = bpt_job_count(NULL);
    ck_assert_int_ge(usual, 1);
    ck_assert_int_eq(bpt_job_count("0"), usual);
    ck_assert_int_eq(bpt_job_count("-2"), usual);
    ck_assert_int_eq(bpt_job_count("many"), usual);
    ck_assert_int_eq(sched_getaffinity(0, sizeof usable, &usable), 0);
    ck_assert_int_le(usual, CPU_COUNT(&usable));
    for (size_t cpu = 0; CPU_COUNT(&usable) > 1; cpu++) CPU_CLR(cpu, &usable);
    ck_assert_int_eq(sched_setaffinity(0, sizeof usable, &usable), 0);
    ck_assert_int_eq(bpt_job_count(NULL), 1);
}
END_TEST

BPT_SUITE(support_suite_runner) {
    tcase_add_checked_fixture(tcase, setup, teardown);
    BPT_LOOP_TEST(every_test_runs_once, 0, 4);
    BPT_LOOP_TEST(what_failed_is_listed_with_what_runs_it_again, 1, 3);
    BPT_LOOP_TEST(a_suite_that_does_not_report_is_an_error, 1, 5);
    BPT_TEST(suites_are_waited_for_where_ended_children_are_ignored);
    BPT_TEST(what_suites_print_at_once_is_printed_one_after_the_other);
    BPT_LOOP_TEST(suites_end_with_the_runner, 0, 3);
    BPT_TEST(jobs_are_those_asked_for_or_the_processors);
}
