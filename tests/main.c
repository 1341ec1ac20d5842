/* Runs every suite that the linked test files registered. Each test runs in a process of its own unless CK_FORK=no. */
#include "tests/support/suite_runner.h"

#include <string.h>

enum { SUITE_MAX = 512 };

static bpt_suite suites[SUITE_MAX];
static int suite_count;

void bpt_register(const char *name, bpt_fill_fn *fill, bool is_long) {
    if (suite_count == SUITE_MAX) abort();
    suites[suite_count++] = (bpt_suite){.name = name, .fill = fill, .is_long = is_long};
}

static int long_first_then_by_name(const void *a, const void *b) {
    const bpt_suite *const left = a;
    const bpt_suite *const right = b;
    if (left->is_long != right->is_long) return left->is_long ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Whether only, a list of beginnings with commas between them, names the suite. */
static bool is_wanted(const char *only, const char *name) {
    while (only != NULL && *only != '\0') {
        const size_t length = strcspn(only, ",");
        if (length > 0 && strncmp(only, name, length) == 0) return true;
        only += length + (only[length] == ',');
    }
    return only == NULL;
}

static void keep_wanted(const char *only) {
    int kept = 0;
    for (int i = 0; i < suite_count; i++)
        if (is_wanted(only, suites[i].name)) suites[kept++] = suites[i];
    suite_count = kept;
}

/* A debugger follows one process, and what Check logs into a file is of one runner. */
static bool is_in_one_process(void) {
    static const char *const logs[] = {"CK_LOG_FILE_NAME", "CK_XML_LOG_FILE_NAME", "CK_TAP_LOG_FILE_NAME"};
    for (size_t i = 0; i < sizeof logs / sizeof logs[0]; i++)
        if (getenv(logs[i]) != NULL) return true;
    const char *const fork = getenv("CK_FORK");
    return fork != NULL && strcmp(fork, "no") == 0;
}

static int run_in_one_process(void) {
    SRunner *const runner = srunner_create(NULL);
    for (int i = 0; i < suite_count; i++) bpt_add_suite(runner, suites[i].name, suites[i].fill);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed;
}

static int run_in_processes(const char *program) {
    const bpt_run_how how = {.out = stdout,
                             .program = program,
                             .jobs = bpt_job_count(getenv("BPT_JOBS")),
                             .has_times = getenv("BPT_TIMES") != NULL};
    const bpt_tally total = bpt_run_suites(suites, suite_count, &how);
    return total.failures + total.errors;
}

int main(int argc, char **argv) {
    const char *const only = getenv("BPT_ONLY");
    keep_wanted(only);
    if (suite_count == 0) {
        fprintf(stderr, "no suite named %s\n", only == NULL ? "at all" : only);
        return 2;
    }
    qsort(suites, (size_t)suite_count, sizeof suites[0], long_first_then_by_name);
    const char *const program = argc > 0 ? argv[0] : "bufpool-tests";
    const int failed = is_in_one_process() ? run_in_one_process() : run_in_processes(program);
    return failed == 0 ? 0 : 1;
}
