#define _GNU_SOURCE
#include "base/container.h"
#include "bufpool/pool.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A tree of control groups in a directory of its own: root, root/a, root/a/b; what lies beside root is not ours. */
static char place[] = "/tmp/bufpool-container-XXXXXX";
static char root[sizeof place + 5];
static const char *const groups[] = {"/a/b", "/a", ""};

static const char *path_of(const char *group, const char *file) {
    static char path[200];
    (void)snprintf(path, sizeof path, "%s%s/%s", root, group, file);
    return path;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

static void make_tree(void) {
    ck_assert_ptr_nonnull(mkdtemp(place));
    (void)snprintf(root, sizeof root, "%s/tree", place);
    ck_assert_int_eq(mkdir(root, 0700), 0);
    ck_assert_int_eq(mkdir(path_of("/a", ""), 0700), 0);
    ck_assert_int_eq(mkdir(path_of("/a/b", ""), 0700), 0);
}

static void remove_tree(void) {
    (void)unlink(path_of("", "self"));
    for (size_t i = 0; i < 3; i++) {
        (void)unlink(path_of(groups[i], "memory.max"));
        (void)rmdir(path_of(groups[i], ""));
    }
    char beside[sizeof place + 12];
    (void)snprintf(beside, sizeof beside, "%s/memory.max", place);
    (void)unlink(beside);
    (void)rmdir(place);
}

/* NULL: no such file. */
static void set_limit(const char *group, const char *text) {
    (void)unlink(path_of(group, "memory.max"));
    if (text != NULL) write_file(path_of(group, "memory.max"), text);
}

static uint64_t read_as(const char *membership) {
    char file[200];
    (void)snprintf(file, sizeof file, "%s/self", root);
    write_file(file, membership);
    return bpi_container_read(file, root);
}

START_TEST(the_least_limit_from_the_group_up_to_the_root_counts) {
    set_limit("/a/b", "3000\n");
    set_limit("/a", "2000\n");
    set_limit("", "5000\n");
    ck_assert_uint_eq(read_as("0::/a/b\n"), 2000);
    ck_assert_uint_eq(read_as("0::/a\n"), 2000);
    ck_assert_uint_eq(read_as("0::/\n"), 5000);
    set_limit("/a/b", "1000\n");
    ck_assert_uint_eq(read_as("0::/a/b\n"), 1000);
    ck_assert_uint_eq(read_as("0::/a\n"), 2000);
    set_limit("", "1\n");
    ck_assert_uint_eq(read_as("0::/a/b\n"), 1);
}
END_TEST

START_TEST(max_is_no_limit) {
    set_limit("/a/b", "max\n");
    set_limit("/a", "max\n");
    set_limit("", NULL); /* as the system's own root has none */
    ck_assert_uint_eq(read_as("0::/a/b\n"), 0);
    set_limit("/a", "4096\n");
    ck_assert_uint_eq(read_as("0::/a/b\n"), 4096);
}
END_TEST

START_TEST(only_the_line_of_version_2_says_which_group) {
    set_limit("/a", "2000\n");
    set_limit("", "5000\n");
    ck_assert_uint_eq(read_as("12:memory:/a/b\n1:name=systemd:/a/b\n0::/a\n"), 2000);
    ck_assert_uint_eq(read_as("0::/a\n1:memory:/\n"), 2000);
    ck_assert_uint_eq(read_as("0::/a"), 2000);
    ck_assert_uint_eq(read_as("0::/a/\n"), 2000);
    ck_assert_uint_eq(read_as("10::/a\n"), 0);
    ck_assert_uint_eq(read_as("4:memory:/a\n"), 0);
}
END_TEST

START_TEST(a_group_that_is_not_in_the_tree_leaves_those_above_it) {
    set_limit("/a", "2000\n");
    set_limit("", "5000\n");
    ck_assert_uint_eq(read_as("0::/a/gone/deeper\n"), 2000);
    ck_assert_uint_eq(read_as("0::/gone\n"), 5000);
    set_limit("/..", "7\n"); /* outside of our namespace: not to be looked up from here */
    ck_assert_uint_eq(read_as("0::/../a\n"), 5000);
    ck_assert_uint_eq(read_as("0::/..\n"), 5000);
    ck_assert_uint_eq(read_as("0::/x/../a\n"), 5000);
    set_limit("/a/b", "100\n");
    ck_assert_uint_eq(read_as("0::/a/bc\n"), 2000); /* /a/b is no part of its path */
}
END_TEST

START_TEST(what_makes_no_sense_is_no_limit) {
    static const char *const texts[] = {"", "\n", "-1\n", "+5\n", "12 34\n", "12x\n", "0x10\n", " 7\n", "1\n2\n",
                                        "18446744073709551616\n", "99999999999999999999999\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        set_limit("/a", texts[i]);
        ck_assert_uint_eq(read_as("0::/a\n"), 0);
    }
    set_limit("/a", "18446744073709551615\n");
    ck_assert_uint_eq(read_as("0::/a\n"), UINT64_MAX);
    set_limit("/a", "77"); /* no newline */
    ck_assert_uint_eq(read_as("0::/a\n"), 77);
    static const char *const memberships[] = {"", "\n", "0\n", "0:", "0::", "0::a\n", "garbage", "\n\n\n::/a"};
    for (size_t i = 0; i < sizeof memberships / sizeof memberships[0]; i++) {
        ck_assert_uint_eq(read_as(memberships[i]), 0);
    }
}
END_TEST

START_TEST(missing_files_are_no_limit) {
    set_limit("/a", "2000\n");
    ck_assert_uint_eq(bpi_container_read(path_of("", "nothing"), root), 0);
    write_file(path_of("", "self"), "0::/a\n");
    ck_assert_uint_eq(bpi_container_read(path_of("", "self"), "/nowhere"), 0);
    ck_assert_uint_eq(bpi_container_read(root, root), 0); /* a directory */
}
END_TEST

START_TEST(a_path_too_long_is_no_limit_but_the_root_is) {
    static char line[9000];
    set_limit("", "5000\n");
    memset(line, 'x', sizeof line - 1);
    memcpy(line, "0::/", 4);
    ck_assert_uint_eq(read_as(line), 5000);
    static char longer[20000]; /* more than is looked at: nothing in it is believed */
    memset(longer, 'x', sizeof longer - 1);
    memcpy(longer, "0::/a\n", 6);
    ck_assert_uint_eq(read_as(longer), 0);
}
END_TEST

START_TEST(this_systems_own_files_can_be_read) {
    const uint64_t memory = bp_container_memory();
    ck_assert_uint_eq(memory, bpi_container_read("/proc/self/cgroup", "/sys/fs/cgroup"));
    ck_assert(memory == 0 || memory > 1 << 20); /* we run */
}
END_TEST

BPT_SUITE(base_container) {
    tcase_add_checked_fixture(tcase, make_tree, remove_tree);
    BPT_TEST(the_least_limit_from_the_group_up_to_the_root_counts);
    BPT_TEST(max_is_no_limit);
    BPT_TEST(only_the_line_of_version_2_says_which_group);
    BPT_TEST(a_group_that_is_not_in_the_tree_leaves_those_above_it);
    BPT_TEST(what_makes_no_sense_is_no_limit);
    BPT_TEST(missing_files_are_no_limit);
    BPT_TEST(a_path_too_long_is_no_limit_but_the_root_is);
    BPT_TEST(this_systems_own_files_can_be_read);
}
