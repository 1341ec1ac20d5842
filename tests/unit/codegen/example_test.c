/* Values that keep rules, and values beside bounds. */
#include "codegen/example.h"

#include "tests/unit/codegen/compile.h"

#include <float.h>
#include <stdio.h>

/* A contract with the one field f. */
static bpt_compiled compile_field(const char *field) {
    char text[512];
    snprintf(text, sizeof text,
             "enums:\n  Colour: {type: u8, values: {red: 1, green: 2, blue: 4}}\n"
             "  Level: {type: i8, open: true, values: {low: -1, high: 3}}\n"
             "  Full: {type: u8, values: {zero: 0}}\n"
             "messages: {T: {tlv_type: 1, fields: {f: %s}}}",
             field);
    return bpt_compile_good(text);
}

START_TEST(a_step_goes_one_up_or_down) {
    static const struct {
        cg_kind kind;
        const char *from, *up, *down; /* "" where the kind ends */
    } cases[] = {{CG_I8, "-5", "-4", "-6"},
                 {CG_I8, "-1", "0", "-2"},
                 {CG_I8, "0", "1", "-1"},
                 {CG_I8, "1", "2", "0"},
                 {CG_I8, "127", "", "126"},
                 {CG_I8, "-128", "-127", ""},
                 {CG_U8, "0", "1", ""},
                 {CG_U8, "255", "", "254"},
                 {CG_BOOL, "1", "", "0"},
                 {CG_U128, "18446744073709551615", "18446744073709551616", "18446744073709551614"},
                 {CG_U128, "18446744073709551616", "18446744073709551617", "18446744073709551615"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int is_up = 0; is_up < 2; is_up++) {
            cg_number number;
            char text[CG_NUMBER_TEXT_MAX];
            ck_assert_int_eq(cg_number_parse(cases[i].from, &number), CG_NUMBER_OK);
            const bool has_next = cg_kind_step(cases[i].kind, &number, is_up);
            cg_number_print(&number, text);
            ck_assert_str_eq(has_next ? text : "", is_up ? cases[i].up : cases[i].down);
            ck_assert(number.is_negative == (text[0] == '-'));
        }
    }
}
END_TEST

/* The least and the most of a number, as "-5 5". */
static void check_numbers(const char *field, const char *expected) {
    bpt_compiled c = compile_field(field);
    const cg_field *const f = bpt_field(bpt_message(&c, "T"), "f");
    const cg_number least = cg_example_number(f, false), most = cg_example_number(f, true);
    char text[2][CG_NUMBER_TEXT_MAX], both[2 * CG_NUMBER_TEXT_MAX];
    cg_number_print(&least, text[0]);
    cg_number_print(&most, text[1]);
    snprintf(both, sizeof both, "%s %s", text[0], text[1]);
    ck_assert_str_eq(both, expected);
    ck_assert(cg_example_exists(f));
    bpt_compiled_free(&c);
}

START_TEST(least_and_most_keep_every_rule) {
    check_numbers("{type: u8}", "0 255");
    check_numbers("{type: i16, validation: [{min: -5}, {max: 5}, {not_zero: true}]}", "-5 5");
    check_numbers("{type: i64, validation: [{min: 0}, {not_zero: true}]}", "1 9223372036854775807");
    check_numbers("{type: i64, validation: [{max: 0}, {not_zero: true}]}", "-9223372036854775808 -1");
    check_numbers("{type: u128, validation: [{not_zero: true}]}", "1 340282366920938463463374607431768211455");
    check_numbers("{type: u16, validation: [{one_of: [9, 0, 5]}, {not_zero: true}, {max: 8}]}", "5 5");
    check_numbers("{type: Colour, validation: [{one_of: [blue, green]}]}", "2 4");
    check_numbers("{type: Level, validation: [{not_zero: true}]}", "-128 127");
    check_numbers("bool", "0 1");
}
END_TEST

START_TEST(floating_ends_are_finite_and_of_the_width) {
    bpt_compiled c = compile_field("{type: f32, validation: [{min: 0}, {not_zero: true}]}");
    const cg_field *const f = bpt_field(bpt_message(&c, "T"), "f");
    ck_assert(cg_example_number(f, true).real == (double)FLT_MAX);
    ck_assert(cg_example_number(f, false).real > 0 && cg_example_number(f, false).real < (double)FLT_MIN);
    bpt_compiled_free(&c);
    /* 0.7 is no f32: the nearest one below must count as reaching it, in the program and here. */
    c = compile_field("{type: f32, validation: [{min: 0.7}], default: 0.7}");
    ck_assert(cg_example_number(bpt_field(bpt_message(&c, "T"), "f"), false).real == (double)0.7f);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(ranges_have_no_holes) {
    static const struct {
        const char *field;
        bool is_range;
    } cases[] = {{"u8", true},
                 {"{type: u8, validation: [{not_zero: true}]}", true},
                 {"{type: i8, validation: [{not_zero: true}]}", false},
                 {"{type: i8, validation: [{one_of: [1, 2]}]}", false},
                 {"Colour", false},
                 {"Level", true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bpt_compiled c = compile_field(cases[i].field);
        const cg_field *const f = bpt_field(bpt_message(&c, "T"), "f");
        ck_assert_msg(cg_example_is_range(f) == cases[i].is_range, "%s", cases[i].field);
        bpt_compiled_free(&c);
    }
}
END_TEST

static void check_wording(const char *field, bool is_most, const char *head, uint32_t length) {
    bpt_compiled c = compile_field(field);
    const cg_wording wording = cg_example_wording(bpt_field(bpt_message(&c, "T"), "f"), is_most);
    ck_assert_str_eq(wording.head, head);
    ck_assert_uint_eq(wording.head_length, strlen(head));
    ck_assert_uint_eq(wording.length, length);
    bpt_compiled_free(&c);
}

START_TEST(text_begins_as_it_must_and_is_as_long) {
    static const char prefixed[] = "{type: \"FixedStr<12>\", validation: [{max_length: 9}, {min_length: 2}, {prefix: "
                                   "\"a-b\"}, {not_empty: true}]}";
    static const char chosen[] =
        "{type: \"FixedStr<12>\", validation: [{one_of: [sideways, up, down]}, {max_length: 7}]}";
    check_wording(prefixed, false, "a-b", 3);
    check_wording(prefixed, true, "a-b", 9);
    check_wording(chosen, false, "up", 2);
    check_wording(chosen, true, "down", 4);
    check_wording("bytes<5>", false, "", 0);
    check_wording("bytes<5>", true, "", 5);
}
END_TEST

/* Whether the trials have this number, with this outcome. */
static bool has_number(const cg_trials *trials, const char *text, cg_outcome outcome) {
    char have[CG_NUMBER_TEXT_MAX];
    for (size_t i = 0; i < trials->count; i++) {
        cg_number_print(&trials->items[i].number, have);
        if (strcmp(have, text) == 0) return trials->items[i].outcome == outcome;
    }
    return false;
}

START_TEST(every_bound_is_tried_from_both_sides) {
    bpt_compiled c = compile_field("{type: i16, validation: [{min: -5}, {max: 500}, {not_zero: true}]}");
    const cg_trials trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    static const char *const kept[] = {"-5", "-4", "499", "500"}, *const broken[] = {"-32768", "-6", "0", "501",
                                                                                     "32767"};
    for (size_t i = 0; i < 4; i++) ck_assert_msg(has_number(&trials, kept[i], CG_OUTCOME_ACCEPTED), "%s", kept[i]);
    for (size_t i = 0; i < 5; i++) ck_assert_msg(has_number(&trials, broken[i], CG_OUTCOME_BROKEN), "%s", broken[i]);
    ck_assert_uint_eq(trials.count, 9);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(enums_are_tried_with_a_value_that_they_lack) {
    bpt_compiled c = compile_field("{type: Colour, validation: [{one_of: [red, blue]}]}");
    cg_trials trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    ck_assert(has_number(&trials, "1", CG_OUTCOME_ACCEPTED) && has_number(&trials, "2", CG_OUTCOME_BROKEN));
    ck_assert(has_number(&trials, "0", CG_OUTCOME_MALFORMED) && has_number(&trials, "255", CG_OUTCOME_MALFORMED));
    bpt_compiled_free(&c);
    c = compile_field("Level");
    trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    ck_assert(has_number(&trials, "-128", CG_OUTCOME_ACCEPTED) && has_number(&trials, "127", CG_OUTCOME_ACCEPTED));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(an_enum_that_has_every_number_lacks_none) {
    cg_enum_value values[256];
    cg_enum full = {.base = CG_U8, .values = values, .value_count = 256};
    cg_number unknown;
    for (unsigned i = 0; i < 256; i++) values[i] = (cg_enum_value){.value = cg_number_of(255 - i)};
    ck_assert(!cg_example_unknown(&full, &unknown));
    full.value_count = 255; /* 0 is gone */
    ck_assert(cg_example_unknown(&full, &unknown));
    ck_assert_uint_eq(cg_number_u64(&unknown), 0);
}
END_TEST

/* Counts and lengths: the outcome of that many; -1 when it is not tried. */
static int outcome_of(const cg_trials *trials, uint32_t length) {
    for (size_t i = 0; i < trials->count; i++) {
        if (cg_number_u64(&trials->items[i].number) == length) return (int)trials->items[i].outcome;
    }
    return -1;
}

START_TEST(lengths_are_tried_around_bounds_and_capacity) {
    bpt_compiled c = compile_field("{type: \"FixedVec<u16, 9>\", validation: [{min_length: 3}, {max_length: 6}]}");
    cg_trials trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    static const struct {
        uint32_t length;
        int outcome;
    } cases[] = {{0, CG_OUTCOME_BROKEN}, {2, CG_OUTCOME_BROKEN}, {3, CG_OUTCOME_ACCEPTED}, {6, CG_OUTCOME_ACCEPTED},
                 {7, CG_OUTCOME_BROKEN}, {9, CG_OUTCOME_BROKEN}, {10, CG_OUTCOME_BOUND},   {11, -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_int_eq(outcome_of(&trials, cases[i].length), cases[i].outcome);
    bpt_compiled_free(&c);
    /* A count of one byte cannot say 256. */
    c = compile_field("{type: \"FixedStr<255>\", wire: inline}");
    trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    ck_assert_int_eq(outcome_of(&trials, 255), CG_OUTCOME_ACCEPTED);
    ck_assert_int_eq(outcome_of(&trials, 256), -1);
    bpt_compiled_free(&c);
}
END_TEST

/* The outcome of exactly that text; -1 when it is not tried. */
static int outcome_of_text(const cg_trials *trials, const char *text) {
    for (size_t i = 0; i < trials->count; i++) {
        const cg_wording *const wording = &trials->items[i].wording;
        if (wording->length != strlen(text) || wording->head_length != wording->length) continue;
        if (memcmp(wording->head, text, wording->length) == 0) return (int)trials->items[i].outcome;
    }
    return -1;
}

START_TEST(text_is_tried_against_each_rule) {
    bpt_compiled c = compile_field("{type: \"FixedStr<9>\", validation: [{prefix: \"ab\"}, {no_0x_prefix: true}]}");
    cg_trials trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    ck_assert_int_eq(outcome_of_text(&trials, "?b"), CG_OUTCOME_BROKEN);
    ck_assert_int_eq(outcome_of_text(&trials, "0x"), CG_OUTCOME_BROKEN);
    ck_assert_int_eq(outcome_of_text(&trials, "\xFF"), CG_OUTCOME_BROKEN);
    ck_assert_int_eq(outcome_of(&trials, 2), CG_OUTCOME_ACCEPTED);
    bpt_compiled_free(&c);
    c = compile_field("{type: \"FixedStr<9>\", validation: [{one_of: [up, down]}]}");
    trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    ck_assert_int_eq(outcome_of_text(&trials, "up"), CG_OUTCOME_ACCEPTED);
    ck_assert_int_eq(outcome_of_text(&trials, "down"), CG_OUTCOME_ACCEPTED);
    ck_assert_int_eq(outcome_of(&trials, 9), CG_OUTCOME_BROKEN);
    bpt_compiled_free(&c);
    c = compile_field("bytes<9>"); /* any bytes */
    trials = cg_example_trials(c.arena, bpt_field(bpt_message(&c, "T"), "f"));
    ck_assert_int_eq(outcome_of_text(&trials, "\xFF"), -1);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_example) {
    BPT_TEST(a_step_goes_one_up_or_down);
    BPT_TEST(least_and_most_keep_every_rule);
    BPT_TEST(floating_ends_are_finite_and_of_the_width);
    BPT_TEST(ranges_have_no_holes);
    BPT_TEST(every_bound_is_tried_from_both_sides);
    BPT_TEST(enums_are_tried_with_a_value_that_they_lack);
    BPT_TEST(an_enum_that_has_every_number_lacks_none);
    BPT_TEST(lengths_are_tried_around_bounds_and_capacity);
    BPT_TEST(text_begins_as_it_must_and_is_as_long);
    BPT_TEST(text_is_tried_against_each_rule);
}
