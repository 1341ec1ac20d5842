#include "codegen/diag.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static cg_diags diags_over(const char *text) {
    cg_diags diags = {.arena = cg_arena_new()};
    diags.source = cg_source_of(diags.arena, "c.yaml", text, strlen(text));
    return diags;
}

START_TEST(places_come_with_line_column_and_range) {
    cg_diags diags = diags_over("one\n  two: three\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){11, 16}, "not %s", "this");
    cg_note(&diags, (cg_span){0, 3}, "but this");
    ck_assert_str_eq(cg_diags_print(&diags), "c.yaml:2:8: error[E0206]: not this\n"
                                             "    2 |   two: three\n"
                                             "      |        ^~~~~\n"
                                             "c.yaml:1:1: note: but this\n"
                                             "    1 | one\n"
                                             "      | ^~~\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(a_place_may_be_in_another_file) {
    cg_diags diags = diags_over("one\n");
    const cg_source *const contract = diags.source;
    const cg_source *const lock = cg_source_of(diags.arena, "a.lock", "first\nsecond\n", 13);
    cg_report(&diags, CG_E_RANGE, (cg_span){0, 3}, "not this");
    cg_note_in(&diags, lock, (cg_span){6, 12}, "but this");
    diags.source = lock;
    cg_report(&diags, CG_E_NAME, (cg_span){0, 5}, "nor this");
    diags.source = contract;
    ck_assert_str_eq(cg_diags_print(&diags), "a.lock:1:1: error[E0301]: nor this\n"
                                             "    1 | first\n"
                                             "      | ^~~~~\n"
                                             "c.yaml:1:1: error[E0206]: not this\n"
                                             "    1 | one\n"
                                             "      | ^~~\n"
                                             "a.lock:2:1: note: but this\n"
                                             "    2 | second\n"
                                             "      | ^~~~~~\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(columns_count_characters_and_tabs_stay_tabs) {
    cg_diags diags = diags_over("\té: größe x\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){5, 12}, "here");
    ck_assert_str_eq(cg_diags_print(&diags), "c.yaml:1:5: error[E0206]: here\n"
                                             "    1 | \té: größe x\n"
                                             "      | \t   ^~~~~\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(a_range_ends_with_its_line) {
    cg_diags diags = diags_over("a: [1,\r\n 2]\r\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){3, 11}, "here");
    cg_report(&diags, CG_E_RANGE, (cg_span){13, 14}, "at the end");
    ck_assert_str_eq(cg_diags_print(&diags), "c.yaml:1:4: error[E0206]: here\n"
                                             "    1 | a: [1,\n"
                                             "      |    ^~~\n"
                                             "c.yaml:3:1: error[E0206]: at the end\n"
                                             "    3 | \n"
                                             "      | ^\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(order_is_that_of_the_file_then_of_finding) {
    cg_diags diags = diags_over("abcdef");
    cg_report(&diags, CG_E_RANGE, (cg_span){4, 5}, "third");
    cg_report(&diags, CG_W_ID_OUTSIDE, (cg_span){1, 2}, "first");
    cg_report(&diags, CG_E_NAME, (cg_span){1, 2}, "second");
    const char *said = cg_diags_print(&diags);
    const char *first = strstr(said, "warning[W0309]: first"), *second = strstr(said, "error[E0301]: second");
    ck_assert(first != NULL && second != NULL && first < second && second < strstr(said, "third"));
    ck_assert_uint_eq(diags.error_count, 2);
    ck_assert_uint_eq(diags.warning_count, 1);
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(werror_makes_warnings_errors) {
    cg_diags diags = diags_over("abc");
    diags.is_warning_error = true;
    cg_report(&diags, CG_W_ID_OUTSIDE, (cg_span){0, 1}, "careful");
    ck_assert_uint_eq(diags.error_count, 1);
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "error[W0309]: careful"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(long_lines_and_long_lists_are_cut) {
    enum { LENGTH = 100000, REPORTS = 20000 };
    char *text = malloc(LENGTH + 1);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    cg_diags diags = diags_over(text);
    for (int i = 0; i < REPORTS; i++) cg_report(&diags, CG_E_RANGE, (cg_span){50000, 100000}, "wide");
    const char *said = cg_diags_print(&diags);
    ck_assert_uint_lt(strlen(said), CG_DIAGS_PRINTED * 500);
    ck_assert_ptr_nonnull(strstr(said, "c.yaml: and 19900 more\n"));
    free(text);
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(no_byte_of_a_contract_reaches_the_terminal_as_a_command) {
    cg_diags diags = diags_over("a: \x1b[31m\x7f\xff\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){0, 1}, "here");
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "    1 | a: ?[31m??\n"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(edit_distance_counts_swaps_as_one) {
    static const struct {
        const char *left, *right;
        size_t distance;
    } cases[] = {{"", "", 0},      {"abc", "", 3},           {"domain", "domian", 1},     {"Level", "level", 0},
                 {"u8", "u16", 2}, {"kitten", "sitting", 3}, {"not_zreo", "not_zero", 1}, {"max", "maximum", 4}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_uint_eq(cg_edit_distance(cases[i].left, cases[i].right, 99), cases[i].distance);
        ck_assert_uint_eq(cg_edit_distance(cases[i].right, cases[i].left, 99), cases[i].distance);
    }
    ck_assert_uint_eq(cg_edit_distance("kitten", "sitting", 2), 2);
}
END_TEST

START_TEST(no_byte_of_a_message_is_a_command_either) {
    cg_diags diags = diags_over("a\n");
    char wide[2000];
    cg_report(&diags, CG_E_NAME, (cg_span){0, 1}, "'%s'", "\x1b[31m\n\x7f\xc2\x9b" "2J\xe2\x80\xae\xff" "ö");
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), ": '?[31m???2J??ö'\n"));
    memset(wide, 'x', sizeof wide);
    memcpy(wide + 1022, "ö", 3); /* the room for a message ends in its middle */
    cg_report(&diags, CG_E_NAME, (cg_span){0, 1}, "%s", wide);
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "xx?\n"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(characters_that_turn_the_writing_are_not_shown) {
    cg_diags diags = diags_over("a: \xe2\x80\xae" "x\xe2\x81\xa6\xc2\x9by\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){6, 7}, "here");
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "    1 | a: ?x??y\n      |     ^\n"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(a_suggestion_ends_the_message) {
    cg_diags diags = diags_over("domian: 1\n");
    cg_guess guess = cg_guess_of("domian");
    cg_report(&diags, CG_E_UNKNOWN_KEY, (cg_span){0, 6}, "unknown key");
    cg_suggest(&diags, &guess);
    ck_assert_ptr_null(strstr(cg_diags_print(&diags), "mean"));
    cg_guess_offer(&guess, "domain");
    cg_suggest(&diags, &guess);
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "error[E0201]: unknown key; did you mean 'domain'?\n"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(what_is_only_counted_takes_no_note_and_no_suggestion) {
    cg_diags diags = diags_over("abc");
    cg_guess guess = cg_guess_of("abd");
    cg_guess_offer(&guess, "abc");
    for (int i = 0; i < 20000; i++) cg_report(&diags, CG_E_RANGE, (cg_span){0, 1}, "one of many");
    cg_note(&diags, (cg_span){0, 1}, "a note");
    cg_suggest(&diags, &guess);
    ck_assert_ptr_null(diags.items[diags.count - 1]->suggestion);
    ck_assert_ptr_null(diags.items[diags.count - 1]->last_note);
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(colors_are_around_words_never_in_them) {
    cg_diags diags = diags_over("abc\n");
    diags.is_colored = true;
    cg_report(&diags, CG_W_ID_OUTSIDE, (cg_span){1, 3}, "odd");
    cg_note(&diags, (cg_span){0, 1}, "first");
    ck_assert_str_eq(cg_diags_print(&diags),
                     "\x1b[1mc.yaml:1:2:\x1b[0m \x1b[1;35mwarning[W0309]:\x1b[0m \x1b[1modd\x1b[0m\n"
                     "    1 | abc\n"
                     "      |  \x1b[1;32m^~\x1b[0m\n"
                     "\x1b[1mc.yaml:1:1:\x1b[0m \x1b[1;36mnote:\x1b[0m \x1b[1mfirst\x1b[0m\n"
                     "    1 | abc\n"
                     "      | \x1b[1;32m^\x1b[0m\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(json_has_everything_that_the_text_has) {
    cg_diags diags = diags_over("one: \"x\n  y\"\ntwo\n");
    cg_guess guess = cg_guess_of("tow");
    cg_guess_offer(&guess, "two");
    ck_assert_str_eq(cg_diags_json(&diags, "c.yaml"),
                     "{\"file\":\"c.yaml\",\"errors\":0,\"warnings\":0,\"diagnostics\":[]}\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){13, 16}, "say \"two\"");
    cg_suggest(&diags, &guess);
    cg_note(&diags, (cg_span){0, 3}, "like here");
    cg_note(&diags, (cg_span){4, 4}, "and here");
    cg_report(&diags, CG_W_ID_OUTSIDE, (cg_span){5, 12}, "over a line's end");
    ck_assert_str_eq(
        cg_diags_json(&diags, "c.yaml"),
        "{\"file\":\"c.yaml\",\"errors\":1,\"warnings\":1,\"diagnostics\":[\n"
        "  {\"number\":\"W0309\",\"severity\":\"warning\",\"title\":\"a tlv_type lies outside of all ranges\","
        "\"message\":\"over a line's end\",\"file\":\"c.yaml\",\"start\":{\"line\":1,\"column\":6},"
        "\"end\":{\"line\":2,\"column\":5},\"suggestion\":null,\"notes\":[]},\n"
        "  {\"number\":\"E0206\",\"severity\":\"error\",\"title\":\"a number is out of range\","
        "\"message\":\"say \\\"two\\\"\",\"file\":\"c.yaml\",\"start\":{\"line\":3,\"column\":1},"
        "\"end\":{\"line\":3,\"column\":4},\"suggestion\":\"two\",\"notes\":["
        "{\"message\":\"like here\",\"file\":\"c.yaml\",\"start\":{\"line\":1,\"column\":1},"
        "\"end\":{\"line\":1,\"column\":4}},"
        "{\"message\":\"and here\",\"file\":\"c.yaml\",\"start\":{\"line\":1,\"column\":5},"
        "\"end\":{\"line\":1,\"column\":5}}]}]}\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

static const char *guess(cg_arena *arena, const char *word) {
    static const char *const candidates[] = {"description", "domain", "type", "typical", "u8"};
    cg_guess g = cg_guess_of(word);
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) cg_guess_offer(&g, candidates[i]);
    return cg_guess_text(&g, arena);
}

START_TEST(a_near_word_is_offered_a_far_one_is_not) {
    cg_arena *arena = cg_arena_new();
    ck_assert_str_eq(guess(arena, "domian"), "; did you mean 'domain'?");
    ck_assert_str_eq(guess(arena, "descripton"), "; did you mean 'description'?");
    ck_assert_str_eq(guess(arena, "Type"), "; did you mean 'type'?");
    ck_assert_str_eq(guess(arena, "u9"), "; did you mean 'u8'?");
    ck_assert_str_eq(guess(arena, "colour"), "");
    ck_assert_str_eq(guess(arena, "x"), "");
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_diag) {
    BPT_TEST(places_come_with_line_column_and_range);
    BPT_TEST(a_place_may_be_in_another_file);
    BPT_TEST(columns_count_characters_and_tabs_stay_tabs);
    BPT_TEST(a_range_ends_with_its_line);
    BPT_TEST(order_is_that_of_the_file_then_of_finding);
    BPT_TEST(werror_makes_warnings_errors);
    BPT_TEST(long_lines_and_long_lists_are_cut);
    BPT_TEST(no_byte_of_a_contract_reaches_the_terminal_as_a_command);
    BPT_TEST(no_byte_of_a_message_is_a_command_either);
    BPT_TEST(characters_that_turn_the_writing_are_not_shown);
    BPT_TEST(a_suggestion_ends_the_message);
    BPT_TEST(what_is_only_counted_takes_no_note_and_no_suggestion);
    BPT_TEST(colors_are_around_words_never_in_them);
    BPT_TEST(json_has_everything_that_the_text_has);
    BPT_TEST(edit_distance_counts_swaps_as_one);
    BPT_TEST(a_near_word_is_offered_a_far_one_is_not);
}
