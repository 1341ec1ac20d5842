#define _POSIX_C_SOURCE 200809L
#include "codegen/outputs.h"
#include "tests/support/suite.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];

static void make_directory(void) {
    strcpy(directory, "/tmp/bufpoolc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void path_of(char out[256], const char *name) { snprintf(out, 256, "%s/%s", directory, name); }

static void remove_file(const char *name) {
    char path[256];
    path_of(path, name);
    remove(path);
}

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
    make_directory();
    cg_outputs outputs = two_outputs("one\n", "two\n");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    check_content("a.h", "one\n");
    check_content("b.h", "two\n");
    ck_assert_int_eq(entry_count(), 2);
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_OK);
    cg_arena_free_take(&outputs.arena);
    remove_file("a.h");
    remove_file("b.h");
    rmdir(directory);
}
END_TEST

START_TEST(what_is_the_same_is_not_touched) {
    make_directory();
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
    remove_file("a.h");
    remove_file("b.h");
    rmdir(directory);
}
END_TEST

START_TEST(stale_missing_and_longer_files_are_told) {
    make_directory();
    cg_outputs outputs = two_outputs("one\ntwo\n", "x");
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    outputs.items[0] = (cg_output){"a.h", "one\n2wo\n", 8};
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    outputs.items[0] = (cg_output){"a.h", "one\n", 4};
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    outputs.items[0] = (cg_output){"a.h", "one\ntwo\nthree\n", 14};
    ck_assert_int_eq(cg_outputs_check(&outputs, directory), CG_WRONG);
    check_content("a.h", "one\ntwo\n");
    cg_arena_free_take(&outputs.arena);
    remove_file("a.h");
    remove_file("b.h");
    rmdir(directory);
}
END_TEST

START_TEST(when_one_cannot_be_written_none_is_touched) {
    make_directory();
    cg_outputs outputs = two_outputs("one\n", "two\n");
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_OK);
    outputs.items[0] = (cg_output){"a.h", "changed\n", 8};
    outputs.items[1] = (cg_output){"missing/b.h", "two\n", 4};
    ck_assert_int_eq(cg_outputs_write(&outputs, directory), CG_FAILED);
    check_content("a.h", "one\n");
    ck_assert_int_eq(entry_count(), 2); /* no temporary file is left */
    cg_arena_free_take(&outputs.arena);
    remove_file("a.h");
    remove_file("b.h");
    rmdir(directory);
}
END_TEST

START_TEST(a_directory_is_made_when_its_parent_is_there) {
    make_directory();
    char below[256], deeper[256];
    path_of(below, "new");
    path_of(deeper, "none/new");
    cg_outputs outputs = {.arena = cg_arena_new()};
    ck_assert_int_eq(cg_outputs_write(&outputs, deeper), CG_FAILED);
    ck_assert_int_eq(cg_outputs_write(&outputs, below), CG_OK);
    ck_assert_int_eq(rmdir(below), 0);
    rmdir(directory);
    cg_arena_free_take(&outputs.arena);
}
END_TEST

BPT_SUITE(codegen_outputs) {
    BPT_TEST(files_are_written_and_then_fresh);
    BPT_TEST(what_is_the_same_is_not_touched);
    BPT_TEST(stale_missing_and_longer_files_are_told);
    BPT_TEST(when_one_cannot_be_written_none_is_touched);
    BPT_TEST(a_directory_is_made_when_its_parent_is_there);
}
