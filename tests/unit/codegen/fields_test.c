#include "tests/unit/codegen/compile.h"

#include <stdio.h>

START_TEST(both_field_styles_mean_the_same) {
    bpt_compiled map =
        bpt_compile_good("schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: {type: u16, unit: ns}}}}");
    bpt_compiled list = bpt_compile_good("schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: [{name: a, type: u8}, "
                                         "{name: b, type: u16, unit: ns}]}}");
    ck_assert_uint_eq(map.model->contract_hash, list.model->contract_hash);
    ck_assert_str_eq(bpt_field(bpt_message(&list, "T"), "b")->unit, "ns");
    bpt_compiled_free(&map);
    bpt_compiled_free(&list);
}
END_TEST

/* A contract of version 3 that must read version 1. */
static bool is_accepted(const char *fields) {
    char text[768];
    snprintf(text, sizeof text,
             "schema: {version: 3}\nenums: {Closed: {type: u8, values: {x: 1}}, Zero: {type: u8, values: {z: 0}}}\n"
             "types: {Enum: {fields: {e: Closed}}, Ruled: {fields: {r: {type: u8, validation: [{min: 1}]}}},\n"
             "        Deep: {fields: {d: Enum}}, Counted: {fields: {c: \"FixedVec<Closed, 3>\"}}}\n"
             "messages: {T: {tlv_type: 1, fields: {a: u8, %s}}}",
             fields);
    bpt_compiled c = bpt_compile(text);
    const bool is_good = c.model != NULL;
    bpt_compiled_free(&c);
    return is_good;
}

START_TEST(a_later_field_whose_zero_breaks_a_rule_needs_a_default) {
    ck_assert(!is_accepted("b: {type: u8, since: 2, validation: [{not_zero: true}]}"));
    ck_assert(is_accepted("b: {type: u8, since: 2, default: 1, validation: [{not_zero: true}]}"));
    ck_assert(is_accepted("b: {type: u8, since: 2, optional: true, validation: [{not_zero: true}]}"));
    ck_assert(is_accepted("b: {type: u8, since: 1, validation: [{not_zero: true}]}"));
    ck_assert(is_accepted("b: {type: u8, since: 2, validation: [{max: 3}]}"));
    ck_assert(!is_accepted("b: {type: FixedStr<3>, since: 3, validation: [{not_empty: true}]}"));
}
END_TEST

START_TEST(a_later_field_with_no_zero_inside_must_be_optional) {
    ck_assert(!is_accepted("b: {type: Closed, since: 2}"));
    ck_assert(is_accepted("b: {type: Zero, since: 2}"));
    ck_assert(!is_accepted("b: {type: \"[Closed; 2]\", since: 2}"));
    ck_assert(is_accepted("b: {type: \"[Zero; 2]\", since: 2}"));
    ck_assert(!is_accepted("b: {type: Enum, since: 2}"));
    ck_assert(!is_accepted("b: {type: \"[Deep; 2]\", since: 2}"));
    ck_assert(!is_accepted("b: {type: Ruled, since: 2}"));
    ck_assert(is_accepted("b: {type: Deep, since: 2, optional: true}"));
    ck_assert(is_accepted("b: {type: Deep, since: 1}"));
    ck_assert(is_accepted("b: {type: Counted, since: 2}"));
    ck_assert(is_accepted("b: {type: \"FixedVec<Deep, 4>\", since: 2}"));
}
END_TEST

START_TEST(what_nobody_says_is_nothing) {
    bpt_compiled c = bpt_compile_good("messages: {T: {tlv_type: 1, fields: {a: \"FixedStr<7>\"}}}");
    const cg_field *a = bpt_field(bpt_message(&c, "T"), "a");
    ck_assert_ptr_null(a->description);
    ck_assert_ptr_null(a->unit);
    ck_assert_uint_eq(a->since, 1);
    ck_assert_uint_eq(a->typical, 7);
    ck_assert(!a->is_optional && !a->has_default);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_fields) {
    BPT_TEST(both_field_styles_mean_the_same);
    BPT_TEST(a_later_field_whose_zero_breaks_a_rule_needs_a_default);
    BPT_TEST(a_later_field_with_no_zero_inside_must_be_optional);
    BPT_TEST(what_nobody_says_is_nothing);
}
