#define _GNU_SOURCE
#include "tests/support/suite_runner.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

extern char **environ;

/* What a suite's process leaves in memory that it shares with the runner. */
typedef struct {
    bpt_tally tally;
    off_t listing_at; /* where in its output Check's list of failed tests begins */
    bool is_done;
} report;

typedef struct {
    pid_t pid; /* 0 in a place that is free */
    int suite_ix;
    int output; /* a file in memory: a pipe would wait for processes that a test left behind */
    double began;
} running;

typedef struct {
    const bpt_suite *suites;
    const bpt_run_how *how;
    report *reports; /* one per suite */
    running *places; /* how->jobs of them */
    FILE *failed;    /* what is told behind all suites */
    int ended_count;
    bpt_tally total;
} run;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

int bpt_job_count(const char *text) {
    const long asked = text == NULL ? 0 : strtol(text, NULL, 10);
    if (asked > 0 && asked < CPU_SETSIZE) return (int)asked;
    cpu_set_t usable;
    if (RUNNING_ON_VALGRIND || sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;
    return CPU_COUNT(&usable);
}

void bpt_add_suite(SRunner *runner, const char *name, bpt_fill_fn *fill) {
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, 60);
    fill(tcase);
    suite_add_tcase(suite, tcase);
    srunner_add_suite(runner, suite);
}

/* ---- in the suite's process ---------------------------------------------------------------------------------------
 */

/* A group of its own, because Check passes SIGTERM on to all of the group. SIGTERM, because Check then ends the test
 * and the processes that it began. */
static void end_with_runner(pid_t runner) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != runner) _exit(EXIT_FAILURE);
}

static void end_with_suite(void) { prctl(PR_SET_PDEATHSIG, SIGKILL); }

static bpt_tally tally_of(SRunner *runner) {
    bpt_tally tally = {.checks = srunner_ntests_run(runner)};
    const int failed = srunner_ntests_failed(runner);
    TestResult **const results = srunner_failures(runner);
    for (int i = 0; i < failed; i++) {
        if (tr_rtype(results[i]) == CK_ERROR)
            tally.errors++;
        else
            tally.failures++;
    }
    free(results);
    return tally;
}

static bpt_fill_fn *fill_of_suite; /* Check's constructors take no argument */

static void fill_to_end_with_suite(TCase *tcase) {
    tcase_add_checked_fixture(tcase, end_with_suite, NULL);
    fill_of_suite(tcase);
}

static void run_suite(const bpt_suite *suite, report *said) {
    SRunner *runner = srunner_create(NULL);
    fill_of_suite = suite->fill;
    bpt_add_suite(runner, suite->name, fill_to_end_with_suite);
    srunner_run_all(runner, CK_SILENT);
    fflush(stdout);
    said->listing_at = lseek(STDOUT_FILENO, 0, SEEK_CUR);
    srunner_print(runner, CK_ENV);
    fflush(stdout);
    said->tally = tally_of(runner);
    srunner_free(runner);
    said->is_done = true;
}

_Noreturn static void be_suite(const run *all, const running *place, pid_t runner) {
    end_with_runner(runner);
    dup2(place->output, STDOUT_FILENO);
    dup2(place->output, STDERR_FILENO);
    close(place->output);
    for (int i = 0; i < all->how->jobs; i++)
        if (all->places[i].pid != 0) close(all->places[i].output);
    run_suite(&all->suites[place->suite_ix], &all->reports[place->suite_ix]);
    exit(EXIT_SUCCESS);
}

/* ---- in the runner ------------------------------------------------------------------------------------------------
 */

static void start(run *all, running *place, int suite_ix) {
    *place = (running){.suite_ix = suite_ix, .output = memfd_create("suite", MFD_CLOEXEC), .began = now()};
    const pid_t runner = getpid();
    fflush(NULL);
    const pid_t pid = place->output < 0 ? -1 : fork();
    if (pid < 0) {
        perror("a suite's process");
        exit(2);
    }
    if (pid == 0) be_suite(all, place, runner);
    place->pid = pid;
}

/* Copies the output from one place up to another, or to its end when that comes first. */
static void copy_output(int output, off_t from, off_t to, FILE *out) {
    char block[4096];
    while (from < to) {
        const size_t wanted = to - from < (off_t)sizeof block ? (size_t)(to - from) : sizeof block;
        const ssize_t got = pread(output, block, wanted, from);
        if (got <= 0) return;
        fwrite(block, 1, (size_t)got, out);
        from += got;
    }
}

/* Check's list without its first line, which counts this suite alone. */
static void copy_listing(int output, off_t from, FILE *out) {
    const off_t end = lseek(output, 0, SEEK_END);
    char c = '\0';
    while (from < end && c != '\n' && pread(output, &c, 1, from) == 1) from++;
    copy_output(output, from, end, out);
}

static void tell_how_again(const run *all, const char *suite, FILE *out) {
    static const char *const mine[] = {"BPT_ONLY=", "BPT_JOBS=", "BPT_TIMES="};
    fprintf(out, "again: BPT_ONLY=%s ", suite);
    for (char **variable = environ; *variable != NULL; variable++) {
        bool is_other = strncmp(*variable, "BPT_", 4) == 0;
        for (size_t i = 0; i < sizeof mine / sizeof mine[0]; i++)
            if (strncmp(*variable, mine[i], strlen(mine[i])) == 0) is_other = false;
        if (is_other) fprintf(out, "%s ", *variable);
    }
    fprintf(out, "%s\n", all->how->program);
}

/* A suite that did not report, or whose process did not end well, is one check more, and that an error. */
static void judge_process(run *all, const running *place, int status) {
    const char *const name = all->suites[place->suite_ix].name;
    report *const said = &all->reports[place->suite_ix];
    if (said->is_done && WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    if (WIFSIGNALED(status))
        fprintf(all->failed, "%s: the suite's process was ended by signal %d", name, WTERMSIG(status));
    else
        fprintf(all->failed, "%s: the suite's process ended with status %d", name, WEXITSTATUS(status));
    fprintf(all->failed, said->is_done ? ", after its tests\n" : ", its other tests are not counted\n");
    said->tally.checks++;
    said->tally.errors++;
}

static void tell_suite(const run *all, const running *place, const struct rusage *used) {
    FILE *const out = all->how->out;
    const report *const said = &all->reports[place->suite_ix];
    if (all->how->has_times)
        fprintf(out, "%7.2f s, %7.2f s of a processor: ", now() - place->began,
                seconds(used->ru_utime) + seconds(used->ru_stime));
    fprintf(out, "%s\n", all->suites[place->suite_ix].name);
    copy_output(place->output, 0, said->is_done ? said->listing_at : lseek(place->output, 0, SEEK_END), out);
}

static void end(run *all, running *place, int status, const struct rusage *used) {
    const report *const said = &all->reports[place->suite_ix];
    tell_suite(all, place, used);
    if (said->is_done) copy_listing(place->output, said->listing_at, all->failed);
    judge_process(all, place, status);
    if (said->tally.failures + said->tally.errors > 0)
        tell_how_again(all, all->suites[place->suite_ix].name, all->failed);
    all->total.checks += said->tally.checks;
    all->total.failures += said->tally.failures;
    all->total.errors += said->tally.errors;
    close(place->output);
    place->pid = 0;
    all->ended_count++;
    fflush(all->how->out);
}

static running *place_of(const run *all, pid_t pid) {
    for (int i = 0; i < all->how->jobs; i++)
        if (all->places[i].pid == pid) return &all->places[i];
    return NULL;
}

/* Waits until a suite ended; false when none runs. */
static bool end_one(run *all) {
    for (;;) {
        int status;
        struct rusage used;
        const pid_t pid = wait4(-1, &status, 0, &used);
        if (pid < 0 && errno == EINTR) continue;
        if (pid < 0) return false;
        running *const place = place_of(all, pid);
        if (place == NULL) continue;
        end(all, place, status, &used);
        return true;
    }
}

static void *shared_zeros(size_t size) {
    void *const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) return memory;
    perror("memory for reports");
    exit(2);
}

/* As Check has it. */
static int percent_passed(const bpt_tally *tally) {
    const int failed = tally->failures + tally->errors;
    if (failed == 0) return 100;
    return tally->checks == 0 ? 0 : (int)((float)(tally->checks - failed) / (float)tally->checks * 100);
}

static void tell_total(const run *all, const char *failed) {
    const bpt_tally *const total = &all->total;
    fprintf(all->how->out, "%s%d%%: Checks: %d, Failures: %d, Errors: %d\n", failed, percent_passed(total),
            total->checks, total->failures, total->errors);
    fflush(all->how->out);
}

bpt_tally bpt_run_suites(const bpt_suite *suites, int count, const bpt_run_how *how) {
    const size_t reports_size = (size_t)count * sizeof(report);
    char *failed = NULL;
    size_t failed_length;
    run all = {.suites = suites, .how = how, .reports = shared_zeros(reports_size)};
    all.places = calloc((size_t)how->jobs, sizeof *all.places);
    all.failed = open_memstream(&failed, &failed_length);
    if (all.places == NULL || all.failed == NULL) abort();
    signal(SIGCHLD, SIG_DFL); /* whoever began us may have it ignored, and then no child is ever waited for */
    for (int i = 0; i < count; i++) {
        while (place_of(&all, 0) == NULL && end_one(&all)) continue;
        start(&all, place_of(&all, 0), i);
    }
    while (end_one(&all)) continue;
    if (all.ended_count != count) fprintf(all.failed, "%d suites did not end\n", count - all.ended_count);
    all.total.errors += count - all.ended_count;
    fclose(all.failed);
    tell_total(&all, failed);
    free(failed);
    free(all.places);
    munmap(all.reports, reports_size);
    return all.total;
}
