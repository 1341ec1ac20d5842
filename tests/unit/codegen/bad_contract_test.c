#define _POSIX_C_SOURCE 200809L
/* Every contract of tests/bad and tests/contracts, with the lock of the same name when there is one, against what
 * bufpoolc must say about it, in the file of the same name that ends in .txt; none, when it says nothing.
 * BPT_UPDATE=1 writes those files anew, to be read before they are kept. */
#include "tests/unit/codegen/compile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { CASES_MAX = 512, NUMBERS = 1000 };

static const char *directory;
static char *names[CASES_MAX];
static size_t name_count;

static int by_name(const void *left, const void *right) { return strcmp(*(char *const *)left, *(char *const *)right); }

static void list_cases(const char *where) {
    directory = where;
    DIR *open = opendir(directory);
    ck_assert_msg(open != NULL, "the tests are run from the root of the source tree");
    name_count = 0;
    for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        const size_t length = strlen(entry->d_name);
        if (length < 6 || strcmp(entry->d_name + length - 5, ".yaml") != 0) continue;
        ck_assert_uint_lt(name_count, CASES_MAX);
        names[name_count++] = strndup(entry->d_name, length - 5);
    }
    closedir(open);
    ck_assert_uint_gt(name_count, 0);
    qsort(names, name_count, sizeof names[0], by_name);
}

static void free_cases(void) {
    for (size_t i = 0; i < name_count; i++) free(names[i]);
}

static char *read_all(const char *name, const char *ending, size_t *length) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    char *text = calloc(1, 1 << 20);
    *length = fread(text, 1, (1 << 20) - 1, file);
    fclose(file);
    return text;
}

static void write_expected(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s.txt", directory, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/* Nothing is published when there is no lock. */
static const cg_lock *read_lock(cg_diags *diags, const char *name) {
    char path[300];
    size_t length = 0;
    char *text = read_all(name, ".lock", &length);
    snprintf(path, sizeof path, "%s.lock", name);
    const cg_source *source = text == NULL ? NULL : cg_source_of(diags->arena, path, text, length);
    free(text);
    return source == NULL ? NULL : cg_lock_read(diags->arena, source, diags);
}

/* Compiles the text as name.yaml and compares what is said with name.txt. */
static void check_text(const char *name, const char *text, size_t length, bool is_good) {
    size_t expected_length = 0;
    cg_diags diags = {.arena = cg_arena_new()};
    char path[300];
    snprintf(path, sizeof path, "%s.yaml", name);
    const cg_lock *lock = read_lock(&diags, name);
    const cg_source *source = cg_source_of(diags.arena, path, text, length);
    const cg_model *model = cg_compile_locked(diags.arena, source, lock, NULL, &diags);
    const char *said = cg_diags_print(&diags);
    if (getenv("BPT_UPDATE") != NULL && said[0] != '\0') write_expected(name, said);
    char *expected = read_all(name, ".txt", &expected_length);
    ck_assert_msg(strcmp(expected == NULL ? "" : expected, said) == 0, "%s: expected\n%s\nbut bufpoolc says\n%s", name,
                  expected == NULL ? "(no file)" : expected, said);
    ck_assert_msg((model != NULL) == is_good, "%s: this %s compile", name, is_good ? "must" : "must not");
    free(expected);
    cg_arena_free_take(&diags.arena);
}

static void check_case(const char *name, bool is_good) {
    size_t length = 0;
    char *text = read_all(name, ".yaml", &length);
    check_text(name, text, length, is_good);
    free(text);
}

START_TEST(each_is_refused_in_the_expected_words) {
    list_cases("tests/bad");
    for (size_t i = 0; i < name_count; i++) check_case(names[i], names[i][0] == 'w'); /* warnings alone */
    free_cases();
}
END_TEST

/* Contracts of the tests' own compile; those of other dialects say what is ignored. */
START_TEST(good_ones_compile_with_the_expected_warnings) {
    list_cases("tests/contracts");
    for (size_t i = 0; i < name_count; i++) check_case(names[i], true);
    free_cases();
}
END_TEST

/* What no file of reasonable size can show. */
static const char large[] = "e0108-too-large";

START_TEST(a_text_that_is_too_large_is_refused_in_the_expected_words) {
    enum { WIDE = CG_SCALAR_MAX + 1 };
    char *text = calloc(1, WIDE + 200);
    const size_t start = (size_t)sprintf(text, "messages:\n  Ping:\n    tlv_type: 1\n    description: ");
    memset(text + start, 'x', WIDE);
    strcpy(text + start + WIDE, "\n    fields: {number: u64}\n");
    directory = "tests/bad";
    check_text(large, text, strlen(text), false);
    free(text);
}
END_TEST

static void mark_numbers(const char *text, bool seen[NUMBERS]) {
    for (const char *at = text; (at = strstr(at, "[")) != NULL; at++) {
        if ((at[1] != 'E' && at[1] != 'W') || strlen(at) < 7 || at[6] != ']') continue;
        const long number = strtol(at + 2, NULL, 10);
        if (number > 0 && number < NUMBERS) seen[number] = true;
    }
}

START_TEST(each_number_has_a_case) {
    static const unsigned numbers[] = {
#define CG_DIAG(name, number, severity, title) number,
#include "codegen/diag.def"
#undef CG_DIAG
    };
    bool seen[NUMBERS] = {false};
    list_cases("tests/bad");
    names[name_count++] = strdup(large);
    for (size_t i = 0; i < name_count; i++) {
        size_t length = 0;
        char *text = read_all(names[i], ".txt", &length);
        if (text != NULL) mark_numbers(text, seen);
        free(text);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        ck_assert_msg(seen[numbers[i]], "no case in %s shows %u", directory, numbers[i]);
    }
    free_cases();
}
END_TEST

BPT_SUITE(codegen_bad_contract) {
    BPT_TEST(each_is_refused_in_the_expected_words);
    BPT_TEST(a_text_that_is_too_large_is_refused_in_the_expected_words);
    BPT_TEST(good_ones_compile_with_the_expected_warnings);
    BPT_TEST(each_number_has_a_case);
}
