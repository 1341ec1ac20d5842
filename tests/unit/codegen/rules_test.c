#include "tests/unit/codegen/compile.h"

#include <stdio.h>

START_TEST(rules_and_defaults_are_read_for_their_type) {
    bpt_compiled c = bpt_compile_good("schema: {version: 2}\nenums: {E: {type: i8, values: {low: -3, high: "
                                      "4}}}\nmessages: {T: {tlv_type: 1, fields: {"
                                      "a: {type: i8, default: -4, validation: [{min: -5, max: 5}, {not_zero: true}]},"
                                      "b: {type: f32, validation: [{min: 0.0}, {max: 1}]}, c: {type: E, since: 2, "
                                      "default: high, validation: [{one_of: [low, high]}]},"
                                      "d: {type: \"FixedStr<8>\", default: 0y, validation: [{prefix: \"0\"}, "
                                      "{no_0x_prefix: true}, {not_empty: false}]},"
                                      "e: {type: bool, default: true}}}}");
    const cg_message *m = bpt_message(&c, "T");
    const cg_field *a = bpt_field(m, "a"), *b = bpt_field(m, "b"), *e = bpt_field(m, "c"), *d = bpt_field(m, "d");
    ck_assert_uint_eq(a->rule_count, 3);
    ck_assert_int_eq(a->rules[0].kind, CG_RULE_MIN);
    ck_assert(a->rules[0].literal.number.is_negative && a->rules[0].literal.number.limb[0] == 5);
    ck_assert(a->has_default && a->default_value.number.is_negative && a->default_value.number.limb[0] == 4);
    ck_assert(b->rules[0].literal.number.is_real && !b->rules[1].literal.number.is_real);
    ck_assert_uint_eq(e->rules[0].choice_count, 2);
    ck_assert_uint_eq(e->default_value.number.limb[0], 4);
    ck_assert_uint_eq(d->rule_count, 3); /* prefix, no_0x_prefix and utf8, which every string has */
    ck_assert_int_eq(d->rules[2].kind, CG_RULE_UTF8);
    ck_assert_str_eq(d->default_value.text, "0y");
    ck_assert(bpt_field(m, "e")->default_value.is_true);
    bpt_compiled_free(&c);
}
END_TEST

/* Whether a contract with this one field compiles. */
static bool is_accepted(const char *field) {
    char text[512];
    snprintf(text, sizeof text, "messages: {T: {tlv_type: 1, fields: {f: %s}}}", field);
    bpt_compiled c = bpt_compile(text);
    const bool is_good = c.model != NULL;
    bpt_compiled_free(&c);
    return is_good;
}

START_TEST(a_default_obeys_every_rule) {
    static const struct {
        const char *good, *bad;
    } cases[] = {
        {"{type: u8, default: 3, validation: [{min: 3}]}", "{type: u8, default: 2, validation: [{min: 3}]}"},
        {"{type: i8, default: -3, validation: [{max: -3}]}", "{type: i8, default: -2, validation: [{max: -3}]}"},
        {"{type: f64, default: 0.5, validation: [{max: 0.5}]}", "{type: f64, default: 0.6, validation: [{max: 0.5}]}"},
        {"{type: u256, default: 1, validation: [{not_zero: true}]}",
         "{type: u256, default: 0, validation: [{not_zero: true}]}"},
        {"{type: u8, default: 2, validation: [{one_of: [1, 2]}]}",
         "{type: u8, default: 3, validation: [{one_of: [1, 2]}]}"},
        {"{type: FixedStr<9>, default: a, validation: [{not_empty: true}]}",
         "{type: FixedStr<9>, default: '', validation: [{not_empty: true}]}"},
        {"{type: FixedStr<9>, default: ab, validation: [{min_length: 2}]}",
         "{type: FixedStr<9>, default: a, validation: [{min_length: 2}]}"},
        {"{type: FixedStr<9>, default: ab, validation: [{max_length: 2}]}",
         "{type: FixedStr<9>, default: abc, validation: [{max_length: 2}]}"},
        {"{type: FixedStr<9>, default: abc, validation: [{prefix: ab}]}",
         "{type: FixedStr<9>, default: a, validation: [{prefix: ab}]}"},
        {"{type: FixedStr<9>, default: 0, validation: [{no_0x_prefix: true}]}",
         "{type: FixedStr<9>, default: 0x1, validation: [{no_0x_prefix: true}]}"},
        {"{type: FixedStr<9>, default: b, validation: [{one_of: [a, b]}]}",
         "{type: FixedStr<9>, default: ab, validation: [{one_of: [a, b]}]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(is_accepted(cases[i].good), "%s", cases[i].good);
        ck_assert_msg(!is_accepted(cases[i].bad), "%s", cases[i].bad);
    }
}
END_TEST

BPT_SUITE(codegen_rules) {
    BPT_TEST(rules_and_defaults_are_read_for_their_type);
    BPT_TEST(a_default_obeys_every_rule);
}
