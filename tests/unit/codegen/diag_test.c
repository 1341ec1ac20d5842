/* What is reported: its order, what counts, and what is suggested. */
#include "tests/unit/codegen/diags.h"

START_TEST(order_is_that_of_the_file_then_of_finding) {
    cg_diags diags = bpt_diags_over("abcdef");
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
    cg_diags diags = bpt_diags_over("abc");
    diags.is_warning_error = true;
    cg_report(&diags, CG_W_ID_OUTSIDE, (cg_span){0, 1}, "careful");
    ck_assert_uint_eq(diags.error_count, 1);
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&diags), "error[W0309]: careful"));
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

START_TEST(a_suggestion_ends_the_message) {
    cg_diags diags = bpt_diags_over("domian: 1\n");
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
    cg_diags diags = bpt_diags_over("abc");
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
    BPT_TEST(order_is_that_of_the_file_then_of_finding);
    BPT_TEST(werror_makes_warnings_errors);
    BPT_TEST(a_suggestion_ends_the_message);
    BPT_TEST(what_is_only_counted_takes_no_note_and_no_suggestion);
    BPT_TEST(edit_distance_counts_swaps_as_one);
    BPT_TEST(a_near_word_is_offered_a_far_one_is_not);
}
