#define _POSIX_C_SOURCE 200809L
#include "codegen/outputs.h"
#include "tests/support/suite.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char directory[64];

static void make_directory(void) {
    strcpy(directory, "/tmp/bufpoolc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    ck_assert_int_eq(system(command), 0);
}

static void path_of(char out[256], const char *name) { snprintf(out, 256, "%s/%s", directory, name); }

static cg_outputs two_outputs(const char *first, const char *second) {
    cg_outputs outputs = {.arena = cg_arena_new()};
    cg_outputs_add(&outputs, "a.h", first, strlen(first));
    cg_outputs_add(&outputs, "b.h", second, strlen(second));
    return outputs;
}

static void check_content(const char *name, const char *expected) {
    char path[256], text[256] = "";
    path_of(path, name);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    ck_assert_str_eq(text, expected);
}

static int entry_count(void) {
    DIR *open = opendir(directory);
    int count = 0;
    while (readdir(open) != NULL) count++;
    closedir(open);
    return count - 2;
}

START_TEST(files_are_written_and_then_fresh) {
    cg_outputs outputs = two_outputs("one\n", "two\n");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    check_content("a.h", "one\n");
    check_content("b.h", "two\n");
    ck_assert_int_eq(entry_count(), 2);
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_OK);
    cg_arena_free_take(&outputs.arena);
}
END_TEST

START_TEST(what_is_the_same_is_not_touched) {
    cg_outputs outputs = two_outputs("one\n", "two\n");
    char a[256], b[256];
    struct stat before_a, before_b, after_a, after_b;
    path_of(a, "a.h");
    path_of(b, "b.h");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    stat(a, &before_a);
    stat(b, &before_b);
    outputs.items[1].text = "new\n";
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    stat(a, &after_a);
    stat(b, &after_b);
    ck_assert(before_a.st_ino == after_a.st_ino);
    ck_assert(before_b.st_ino != after_b.st_ino); /* another file took its name: never half of each */
    check_content("b.h", "new\n");
    cg_arena_free_take(&outputs.arena);
}
END_TEST

START_TEST(stale_missing_and_longer_files_are_told) {
    cg_outputs outputs = two_outputs("one\ntwo\n", "x");
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    outputs.items[0] = (cg_output){.name = "a.h", .text = "one\n2wo\n", .length = 8};
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    outputs.items[0] = (cg_output){.name = "a.h", .text = "one\n", .length = 4};
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    outputs.items[0] = (cg_output){.name = "a.h", .text = "one\ntwo\nthree\n", .length = 14};
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    check_content("a.h", "one\ntwo\n");
    cg_arena_free_take(&outputs.arena);
}
END_TEST

START_TEST(when_one_cannot_be_written_none_is_touched) {
    cg_outputs outputs = two_outputs("one\n", "two\n");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    outputs.items[0] = (cg_output){.name = "a.h", .text = "changed\n", .length = 8};
    outputs.items[1] = (cg_output){.name = "missing/b.h", .text = "two\n", .length = 4};
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_FAILED);
    check_content("a.h", "one\n");
    ck_assert_int_eq(entry_count(), 2); /* no temporary file is left */
    cg_arena_free_take(&outputs.arena);
}
END_TEST

START_TEST(a_directory_is_made_when_its_parent_is_there) {
    char below[256], deeper[256];
    path_of(below, "new");
    path_of(deeper, "none/new");
    cg_outputs outputs = {.arena = cg_arena_new()};
    ck_assert_int_eq(cg_outputs_write(&outputs, deeper), CG_FAILED);
    ck_assert_int_eq(cg_outputs_write(&outputs, below), CG_OK);
    ck_assert_int_eq(rmdir(below), 0);
    cg_arena_free_take(&outputs.arena);
}
END_TEST

START_TEST(a_file_keeps_its_permissions) {
    char a[256];
    struct stat status;
    cg_outputs outputs = two_outputs("one\n", "two\n");
    umask(027);
    path_of(a, "a.h");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    ck_assert_int_eq(stat(a, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
    ck_assert_int_eq(chmod(a, 0604), 0);
    outputs.items[0].text = "new\n";
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    ck_assert_int_eq(stat(a, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0604);
    cg_arena_free_take(&outputs.arena);
}
END_TEST

START_TEST(a_target_that_is_no_regular_file_stays_what_it_is) {
    char pipe_path[256], text[64] = "";
    struct stat status;
    path_of(pipe_path, "pipe");
    ck_assert_int_eq(mkfifo(pipe_path, 0600), 0);
    const int reader = open(pipe_path, O_RDONLY | O_NONBLOCK);
    cg_outputs outputs = {.arena = cg_arena_new()};
    ck_assert_int_eq(cg_outputs_write_file(&outputs, pipe_path, "through\n", 8), CG_OK);
    ck_assert_int_eq(read(reader, text, sizeof text), 8);
    ck_assert_str_eq(text, "through\n");
    ck_assert_int_eq(stat(pipe_path, &status), 0);
    ck_assert(S_ISFIFO(status.st_mode));
    ck_assert_int_eq(cg_outputs_write_file(&outputs, "/dev/full", "x", 1), CG_FAILED);
    ck_assert_int_eq(cg_outputs_write_file(&outputs, directory, "x", 1), CG_FAILED);
    ck_assert_int_eq(entry_count(), 1);
    close(reader);
    cg_arena_free_take(&outputs.arena);
}
END_TEST

static void make_file(const char *name, const char *text, time_t changed) {
    char path[256];
    const struct timespec times[2] = {{.tv_sec = changed}, {.tv_sec = changed}};
    path_of(path, name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_there(const char *name) {
    char path[256];
    path_of(path, name);
    return access(path, F_OK) == 0;
}

START_TEST(temporaries_of_dead_runs_are_removed_and_nothing_else) {
    const pid_t dead = fork();
    if (dead == 0) _exit(0);
    ck_assert_int_eq(waitpid(dead, NULL, 0), dead);
    const time_t old = time(NULL) - 3600;
    char orphan[64], fresh[64], alive[64], foreign[64];
    snprintf(orphan, sizeof orphan, "a.h.%ld.0.tmp", (long)dead);
    snprintf(fresh, sizeof fresh, "a.h.%ld.1.tmp", (long)dead);
    snprintf(alive, sizeof alive, "a.h.%ld.0.tmp", (long)getpid());
    snprintf(foreign, sizeof foreign, "other.h.%ld.0.tmp", (long)dead);
    static const char *const named_alike[] = {"a.h.tmp", "a.h.0.0.tmp", "a.h.-1.0.tmp", "a.h.1x.0.tmp", "a.h.5.tmp"};
    make_file(orphan, "half", old);
    make_file(fresh, "half", old + 3599);
    make_file(alive, "half", old);
    make_file(foreign, "half", old);
    for (size_t i = 0; i < 5; i++) make_file(named_alike[i], "the user's", old);
    cg_outputs outputs = two_outputs("one\n", "two\n");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    ck_assert(!is_there(orphan));
    ck_assert(is_there(fresh) && is_there(alive) && is_there(foreign));
    for (size_t i = 0; i < 5; i++) ck_assert(is_there(named_alike[i]));
    check_content("a.h", "one\n"); /* although its first temporary's name was taken */
    cg_arena_free_take(&outputs.arena);
}
END_TEST

START_TEST(what_is_not_written_any_more_is_a_stray) {
    cg_outputs outputs = two_outputs("one\n", "two\n");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    make_file("short", "/* by", 0);
    make_file("other", "/* by c.yaml, */", 0);
    ck_assert_int_eq(cg_outputs_check_strays(&outputs, directory, "/* by us,"), CG_OK);
    make_file("old.h", "/* by us, once */", 0);
    ck_assert_int_eq(cg_outputs_check_strays(&outputs, directory, "/* by us,"), CG_WRONG);
    cg_outputs_add(&outputs, "old.h", "", 0);
    ck_assert_int_eq(cg_outputs_check_strays(&outputs, directory, "/* by us,"), CG_OK);
    cg_arena_free_take(&outputs.arena);
}
END_TEST

static void write_until_memory_runs_out(void *user) {
    cg_outputs *outputs = user;
    ck_assert_int_eq(cg_outputs_write(outputs, directory), CG_OK);
}

START_TEST(without_memory_no_temporary_is_left) {
    bool is_done = false;
    for (long allocations = 0; !is_done; allocations++) {
        cg_outputs outputs = two_outputs("one\n", "two\n");
        cg_arena_fail_after(outputs.arena, allocations);
        is_done = cg_arena_attempt(outputs.arena, write_until_memory_runs_out, &outputs);
        cg_arena_free_take(&outputs.arena);
        ck_assert_int_eq(entry_count(), is_done ? 2 : 0);
    }
}
END_TEST

START_TEST(paths_have_a_directory_and_a_name) {
    static const struct {
        const char *path, *directory, *name;
    } cases[] = {{"a.h", ".", "a.h"}, {"x/a.h", "x", "a.h"}, {"/a.h", "/", "a.h"}, {"/x/y/a.h", "/x/y", "a.h"}};
    cg_arena *arena = cg_arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_str_eq(cg_path_directory(arena, cases[i].path), cases[i].directory);
        ck_assert_str_eq(cg_path_name(cases[i].path), cases[i].name);
    }
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_outputs) {
    tcase_add_checked_fixture(tcase, make_directory, remove_directory);
    BPT_TEST(files_are_written_and_then_fresh);
    BPT_TEST(what_is_the_same_is_not_touched);
    BPT_TEST(stale_missing_and_longer_files_are_told);
    BPT_TEST(when_one_cannot_be_written_none_is_touched);
    BPT_TEST(a_directory_is_made_when_its_parent_is_there);
    BPT_TEST(a_file_keeps_its_permissions);
    BPT_TEST(a_target_that_is_no_regular_file_stays_what_it_is);
    BPT_TEST(temporaries_of_dead_runs_are_removed_and_nothing_else);
    BPT_TEST(what_is_not_written_any_more_is_a_stray);
    BPT_TEST(without_memory_no_temporary_is_left);
    BPT_TEST(paths_have_a_directory_and_a_name);
}
