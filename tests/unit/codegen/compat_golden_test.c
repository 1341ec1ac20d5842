#define _POSIX_C_SOURCE 200809L
/* Every pair of contracts of tests/compat against what compat must say about it, in the file of the same name that ends
 * in .txt. BPT_UPDATE=1 writes those files anew, to be read before they are kept. */
#include "codegen/compat.h"
#include "tests/unit/codegen/compile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { CASES_MAX = 512, NUMBERS = 1000, TEXT_MAX = 1 << 16 };

static const char directory[] = "tests/compat";
static char *names[CASES_MAX];
static size_t name_count;

static int by_name(const void *left, const void *right) { return strcmp(*(char *const *)left, *(char *const *)right); }

static void list_cases(void) {
    static const char ending[] = ".old.yaml";
    DIR *open = opendir(directory);
    ck_assert_msg(open != NULL, "the tests are run from the root of the source tree");
    for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        const size_t length = strlen(entry->d_name), end = sizeof ending - 1;
        if (length <= end || strcmp(entry->d_name + length - end, ending) != 0) continue;
        ck_assert_uint_lt(name_count, CASES_MAX);
        names[name_count++] = strndup(entry->d_name, length - end);
    }
    closedir(open);
    ck_assert_uint_gt(name_count, 0);
    qsort(names, name_count, sizeof names[0], by_name);
}

static void free_cases(void) {
    for (size_t i = 0; i < name_count; i++) free(names[i]);
    name_count = 0;
}

static char *read_all(cg_arena *arena, const char *name, const char *ending) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s%s", directory, name, ending);
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    char *text = cg_arena_alloc(arena, TEXT_MAX);
    text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
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

static const cg_model *compile(cg_arena *arena, const char *name, const char *side, const cg_source **source) {
    cg_diags diags = {.arena = arena};
    const char *text = read_all(arena, name, cg_arena_format(arena, ".%s.yaml", side));
    ck_assert_msg(text != NULL, "%s.%s.yaml is missing", name, side);
    *source = cg_source_of(arena, cg_arena_format(arena, "%s.yaml", side), text, strlen(text));
    const cg_model *model = cg_compile(arena, *source, NULL, &diags);
    ck_assert_msg(model != NULL, "%s: %s", name, cg_diags_print(&diags));
    return model;
}

static void check_case(const char *name) {
    cg_arena *arena = cg_arena_new();
    cg_text said = {.arena = arena};
    cg_compat_sources sources = {.is_colored = false};
    const cg_model *before = compile(arena, name, "old", &sources.before);
    const cg_model *now = compile(arena, name, "new", &sources.now);
    cg_compat_text(&said, cg_compat_make(arena, before, now), &sources, CG_LEVEL_FORWARD);
    if (getenv("BPT_UPDATE") != NULL) write_expected(name, cg_text_end(&said));
    const char *expected = read_all(arena, name, ".txt");
    ck_assert_msg(expected != NULL, "%s.txt is missing; compat says:\n%s", name, cg_text_end(&said));
    ck_assert_msg(strcmp(expected, cg_text_end(&said)) == 0, "%s: expected\n%s\nbut compat says\n%s", name, expected,
                  cg_text_end(&said));
    cg_arena_free_take(&arena);
}

START_TEST(each_pair_is_judged_in_the_expected_words) {
    list_cases();
    for (size_t i = 0; i < name_count; i++) check_case(names[i]);
    free_cases();
}
END_TEST

/* Adds the levels that the text's lines say are broken by each number. */
static void mark_numbers(const char *text, unsigned seen[NUMBERS], bool shown[NUMBERS]) {
    for (const char *at = text; (at = strstr(at, "[C")) != NULL; at++) {
        const unsigned long number = strtoul(at + 2, NULL, 10);
        if (number >= NUMBERS || at[6] != ']') continue;
        shown[number] = true;
        for (unsigned level = 0; level < CG_LEVEL_COUNT; level++) {
            const char *name = cg_level_name((cg_level)level);
            const char *line = at;
            while (line > text && line[-1] != ' ' && line[-1] != '\n') line--;
            for (; line > text && line[-1] != ':'; line--) {
                if (strncmp(line, name, strlen(name)) == 0) seen[number] |= 1u << level;
            }
        }
    }
}

START_TEST(each_verdict_and_each_level_that_it_breaks_has_a_pair) {
    unsigned seen[NUMBERS] = {0};
    bool shown[NUMBERS] = {false};
    cg_arena *arena = cg_arena_new();
    list_cases();
    for (size_t i = 0; i < name_count; i++) {
        const char *text = read_all(arena, names[i], ".txt");
        if (text != NULL) mark_numbers(text, seen, shown);
    }
    for (size_t i = 0; i < CG_VERDICT_COUNT; i++) {
        const cg_verdict_kind *kind = &cg_verdict_kinds[i];
        ck_assert_msg(shown[kind->number], "no pair in %s shows C%04u", directory, kind->number);
        ck_assert_msg(seen[kind->number] == (kind->levels & CG_BREAKS_ALL), "C%04u breaks %#x, but pairs show %#x",
                      kind->number, kind->levels, seen[kind->number]);
    }
    free_cases();
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_compat_golden) {
    BPT_TEST(each_pair_is_judged_in_the_expected_words);
    BPT_TEST(each_verdict_and_each_level_that_it_breaks_has_a_pair);
}
