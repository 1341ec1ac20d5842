#include "codegen/explain.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

/* Numbers that no small contract shows: the file must be broken, huge or long, or there must be two. */
static bool is_without_example(unsigned number) {
    return number == 101 || number == 108 || number == 601 || number == 608 || number / 100 == 7 || number == 901;
}

START_TEST(every_number_is_explained) {
    for (size_t i = 0; i < CG_DIAG_COUNT; i++) {
        const unsigned number = cg_diag_kinds[i].number;
        const cg_explanation *explanation = &cg_explanations[i];
        ck_assert_msg(explanation->why != NULL, "codegen/explain.def has no row for %04u: %s", number,
                      cg_diag_kinds[i].title);
        ck_assert_msg(strlen(explanation->why) > 30 && strlen(explanation->mend) > 10, "%04u", number);
        ck_assert_msg((explanation->wrong[0] == '\0') == is_without_example(number), "%04u: is there an example?",
                      number);
        ck_assert_msg((explanation->wrong[0] == '\0') == (explanation->right[0] == '\0'), "%04u", number);
    }
}
END_TEST

/* How many diagnostics of that kind there are. */
static size_t count_of(const cg_diags *diags, size_t id) {
    size_t count = 0;
    for (size_t i = 0; i < diags->count; i++) count += diags->items[i]->id == id;
    return count;
}

/* What is called wrong is told under that number and no other; what is called right compiles without a word. */
START_TEST(every_example_is_what_it_says) {
    for (size_t i = 0; i < CG_DIAG_COUNT; i++) {
        if (cg_explanations[i].why == NULL || cg_explanations[i].wrong[0] == '\0') continue;
        bpt_compiled wrong = bpt_compile(cg_explanations[i].wrong), right = bpt_compile_good(cg_explanations[i].right);
        const size_t count = count_of(&wrong.diags, i);
        ck_assert_msg(count != 0 && count == wrong.diags.count, "%04u: bufpoolc says otherwise\n%s\n%s",
                      cg_diag_kinds[i].number, cg_explanations[i].wrong, cg_diags_print(&wrong.diags));
        ck_assert_msg(right.diags.count == 0, "%04u\n%s", cg_diag_kinds[i].number, cg_diags_print(&right.diags));
        bpt_compiled_free(&wrong);
        bpt_compiled_free(&right);
    }
}
END_TEST

START_TEST(numbers_are_found_as_people_write_them) {
    static const struct {
        const char *number;
        cg_diag_id id;
    } cases[] = {{"E0402", CG_E_TYPE_UNKNOWN}, {"e0402", CG_E_TYPE_UNKNOWN}, {"e402", CG_E_TYPE_UNKNOWN},
                 {"402", CG_E_TYPE_UNKNOWN},   {"W0309", CG_W_ID_OUTSIDE},   {"w309", CG_W_ID_OUTSIDE},
                 {"309", CG_W_ID_OUTSIDE},     {"E0309", CG_DIAG_COUNT},     {"W0402", CG_DIAG_COUNT},
                 {"", CG_DIAG_COUNT},          {"E", CG_DIAG_COUNT},         {"E0999", CG_DIAG_COUNT},
                 {"E00402", CG_DIAG_COUNT},    {"E04o2", CG_DIAG_COUNT},     {"-402", CG_DIAG_COUNT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(cg_diag_find(cases[i].number) == cases[i].id, "%s", cases[i].number);
    }
}
END_TEST

START_TEST(an_explanation_has_title_words_and_example) {
    cg_text text = {.arena = cg_arena_new()};
    cg_explain(&text, CG_E_BOOL);
    ck_assert_str_eq(cg_text_end(&text),
                     "E0204: booleans are true and false\n\n"
                     "`yes`, `on`, `1` and `True` are booleans to some readers of YAML and texts to\n"
                     "others. Here only `true` and `false` are.\n\n"
                     "Write `true` or `false`, without quotes or with.\n\n"
                     "wrong:\n"
                     "    messages:\n"
                     "      Ping: {tlv_type: 1, log_payload: no, fields: {number: u64}}\n\n"
                     "right:\n"
                     "    messages:\n"
                     "      Ping: {tlv_type: 1, log_payload: false, fields: {number: u64}}\n");
    cg_arena_free_take(&text.arena);
}
END_TEST

START_TEST(no_line_is_wider_than_a_terminal) {
    cg_text text = {.arena = cg_arena_new()};
    for (size_t i = 0; i < CG_DIAG_COUNT; i++) {
        text.length = 0;
        cg_explain(&text, (cg_diag_id)i);
        const char *example = strstr(cg_text_end(&text), "\nwrong:");
        for (const char *line = text.data; *line != '\0' && line != example;) {
            const size_t length = strcspn(line, "\n");
            ck_assert_msg(length <= 80, "%.*s", (int)length, line);
            line += length + (line + length != example);
        }
    }
    cg_arena_free_take(&text.arena);
}
END_TEST

START_TEST(the_list_has_every_number_in_order) {
    cg_text text = {.arena = cg_arena_new()};
    cg_explain_all(&text);
    const char *at = cg_text_end(&text);
    for (size_t i = 0; i < CG_DIAG_COUNT; i++, at = strchr(at, '\n') + 1) {
        char start[128];
        snprintf(start, sizeof start, "%c%04u: %s\n", cg_diag_kinds[i].is_warning ? 'W' : 'E', cg_diag_kinds[i].number,
                 cg_diag_kinds[i].title);
        ck_assert_msg(strncmp(at, start, strlen(start)) == 0, "%s", start);
        ck_assert(i == 0 || cg_diag_kinds[i - 1].number < cg_diag_kinds[i].number);
    }
    cg_arena_free_take(&text.arena);
}
END_TEST

BPT_SUITE(codegen_explain) {
    BPT_TEST(every_number_is_explained);
    BPT_TEST(every_example_is_what_it_says);
    BPT_TEST(numbers_are_found_as_people_write_them);
    BPT_TEST(an_explanation_has_title_words_and_example);
    BPT_TEST(no_line_is_wider_than_a_terminal);
    BPT_TEST(the_list_has_every_number_in_order);
}
