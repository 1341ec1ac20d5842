#define _GNU_SOURCE
#include "tests/support/descriptors.h"

#include "tests/support/suite.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

int bpt_descriptor_count(void) {
    int count = 0;
    DIR *const open = opendir("/proc/self/fd");
    if (open == NULL) return 0;
    while (readdir(open) != NULL) count++;
    closedir(open);
    return count - 3; /* ".", ".." and the folder's own */
}

enum { ROOM = 64 /* free descriptors that a lower limit leaves: fewer to take than up to the usual one */ };

static int taken[ROOM];
static int taken_count;
static struct rlimit usual;

void bpt_descriptors_take(int left) {
    const int lowest = dup(STDERR_FILENO);
    ck_assert_int_ge(lowest, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &usual), 0);
    const struct rlimit lower = {.rlim_cur = (rlim_t)lowest + ROOM, .rlim_max = usual.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &lower), 0);
    taken_count = 0;
    for (int fd = lowest; fd >= 0; fd = dup(STDERR_FILENO)) taken[taken_count++] = fd;
    while (left-- > 0) ck_assert_int_eq(close(taken[--taken_count]), 0);
}

void bpt_descriptors_give(void) {
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &usual), 0);
    while (taken_count > 0) ck_assert_int_eq(close(taken[--taken_count]), 0);
}
