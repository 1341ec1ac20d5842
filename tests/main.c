/* Runs every suite that the linked test files registered. Each test runs in a process of its own unless CK_FORK=no. */
#include "tests/support/suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUITE_MAX = 256 };

static struct {
    const char *name;
    bpt_fill_fn *fill;
} suites[SUITE_MAX];
static int suite_count;

void bpt_register(const char *name, bpt_fill_fn *fill) {
    if (suite_count == SUITE_MAX) abort();
    suites[suite_count].name = name;
    suites[suite_count].fill = fill;
    suite_count++;
}

static int by_name(const void *a, const void *b) {
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
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

int main(void) {
    const char *only = getenv("BPT_ONLY");
    SRunner *runner = srunner_create(NULL);
    int added = 0;
    qsort(suites, (size_t)suite_count, sizeof suites[0], by_name);
    for (int i = 0; i < suite_count; i++) {
        if (!is_wanted(only, suites[i].name)) continue;
        Suite *suite = suite_create(suites[i].name);
        TCase *tcase = tcase_create(suites[i].name);
        tcase_set_timeout(tcase, 60);
        suites[i].fill(tcase);
        suite_add_tcase(suite, tcase);
        srunner_add_suite(runner, suite);
        added++;
    }
    if (added == 0) {
        fprintf(stderr, "no suite named %s\n", only == NULL ? "at all" : only);
        return 2;
    }
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
