/* Diagnostics as text: places, carets, colours, and nothing that a terminal takes for a command. */
#include "tests/unit/codegen/diags.h"

#include <stdlib.h>

START_TEST(places_come_with_line_column_and_range) {
    cg_diags diags = bpt_diags_over("one\n  two: three\n");
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
    cg_diags diags = bpt_diags_over("one\n");
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
    cg_diags diags = bpt_diags_over("\té: größe x\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){5, 12}, "here");
    ck_assert_str_eq(cg_diags_print(&diags), "c.yaml:1:5: error[E0206]: here\n"
                                             "    1 | \té: größe x\n"
                                             "      | \t   ^~~~~\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(a_range_ends_with_its_line) {
    cg_diags diags = bpt_diags_over("a: [1,\r\n 2]\r\n");
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

START_TEST(long_lines_and_long_lists_are_cut) {
    enum { LENGTH = 100000, REPORTS = 20000 };
    char *text = malloc(LENGTH + 1);
    memset(text, 'x', LENGTH);
    text[LENGTH] = '\0';
    cg_diags diags = bpt_diags_over(text);
    for (int i = 0; i < REPORTS; i++) cg_report(&diags, CG_E_RANGE, (cg_span){50000, 100000}, "wide");
    const char *said = cg_diags_print(&diags);
    ck_assert_uint_lt(strlen(said), CG_DIAGS_PRINTED * 500);
    ck_assert_ptr_nonnull(strstr(said, "c.yaml: and 19900 more\n"));
    free(text);
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(no_byte_of_a_contract_reaches_the_terminal_as_a_command) {
    cg_diags diags = bpt_diags_over("a: \x1b[31m\x7f\xff\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){0, 1}, "here");
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "    1 | a: ?[31m??\n"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(no_byte_of_a_message_is_a_command_either) {
    cg_diags diags = bpt_diags_over("a\n");
    char wide[2000];
    cg_report(&diags, CG_E_NAME, (cg_span){0, 1}, "'%s'",
              "\x1b[31m\n\x7f\xc2\x9b"
              "2J\xe2\x80\xae\xff"
              "ö");
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), ": '?[31m???2J??ö'\n"));
    memset(wide, 'x', sizeof wide);
    memcpy(wide + 1022, "ö", 3); /* the room for a message ends in its middle */
    cg_report(&diags, CG_E_NAME, (cg_span){0, 1}, "%s", wide);
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "xx?\n"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(characters_that_turn_the_writing_are_not_shown) {
    cg_diags diags = bpt_diags_over("a: \xe2\x80\xae"
                                    "x\xe2\x81\xa6\xc2\x9by\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){6, 7}, "here");
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "    1 | a: ?x??y\n      |     ^\n"));
    cg_arena_free_take(&diags.arena);
}
END_TEST

START_TEST(colors_are_around_words_never_in_them) {
    cg_diags diags = bpt_diags_over("abc\n");
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

BPT_SUITE(codegen_diag_print) {
    BPT_TEST(places_come_with_line_column_and_range);
    BPT_TEST(a_place_may_be_in_another_file);
    BPT_TEST(columns_count_characters_and_tabs_stay_tabs);
    BPT_TEST(a_range_ends_with_its_line);
    BPT_TEST(long_lines_and_long_lists_are_cut);
    BPT_TEST(no_byte_of_a_contract_reaches_the_terminal_as_a_command);
    BPT_TEST(no_byte_of_a_message_is_a_command_either);
    BPT_TEST(characters_that_turn_the_writing_are_not_shown);
    BPT_TEST(colors_are_around_words_never_in_them);
}
