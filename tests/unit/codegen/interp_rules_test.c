/* Each rule on values beside its bound; that it is what generated code says is tests/unit/generated/interp_test.c's. */
#include "codegen/interp.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

static const struct {
    const char *field;
    uint8_t bytes[12];
    bool is_good;
} values[] = {
    {"type: u16, validation: [{min: 258}]", {2, 1}, true},
    {"type: u16, validation: [{min: 258}]", {1, 1}, false},
    {"type: i8, validation: [{max: -3}]", {0xFD}, true},
    {"type: i8, validation: [{max: -3}]", {0xFE}, false},
    {"type: f32, validation: [{max: 0.1}]", {0xCD, 0xCC, 0xCC, 0x3D}, true},
    {"type: f32, validation: [{max: 0.1}]", {0xCE, 0xCC, 0xCC, 0x3D}, false},
    {"type: f32, validation: [{max: 0.1}]", {0, 0, 0xC0, 0x7F}, false},
    {"type: f32, validation: [{min: 0}]", {0, 0, 0xC0, 0x7F}, false},
    {"type: f32, validation: [{not_zero: true}]", {0, 0, 0, 0x80}, false},
    {"type: f32, validation: [{not_zero: true}]", {1}, true},
    {"type: u32, validation: [{not_zero: true}]", {0, 0, 0, 1}, true},
    {"type: \"[u8; 2]\", validation: [{not_zero: true}]", {0, 0}, false},
    {"type: u8, validation: [{one_of: [3, 5]}]", {5}, true},
    {"type: u8, validation: [{one_of: [3, 5]}]", {4}, false},
    {"type: Side, validation: [{one_of: [sell]}]", {2}, true},
    {"type: Side, validation: [{one_of: [sell]}]", {1}, false},
    {"type: \"FixedStr<4>\", validation: [{one_of: [up, down]}]", {2, 'u', 'p'}, true},
    {"type: \"FixedStr<4>\", validation: [{one_of: [up, down]}]", {1, 'u'}, false},
    {"type: \"FixedStr<4>\", validation: [{prefix: ab}]", {3, 'a', 'b', 'c'}, true},
    {"type: \"FixedStr<4>\", validation: [{prefix: ab}]", {1, 'a'}, false},
    {"type: \"FixedStr<4>\", validation: [{no_0x_prefix: true}]", {3, '0', 'X', '1'}, false},
    {"type: \"FixedStr<4>\", validation: [{no_0x_prefix: true}]", {1, '0'}, true},
    {"type: \"FixedStr<4>\", validation: [{not_empty: true}]", {0}, false},
    {"type: \"FixedStr<4>\", validation: [{min_length: 2}]", {1, 'a'}, false},
    {"type: \"FixedStr<4>\", validation: [{max_length: 2}]", {3, 'a', 'b', 'c'}, false},
    {"type: \"FixedStr<4>\", validation: [{max_length: 2}]", {2, 'a', 'b'}, true},
    {"type: \"FixedStr<4>\"", {1, 0x80}, false},
    {"type: \"bytes<4>\"", {1, 0x80}, true},
    {"type: \"bytes<4>\", validation: [{utf8: true}]", {2, 0xC3, 0xA9}, true},
    {"type: \"bytes<4>\", validation: [{utf8: true}]", {2, 0xC3, 'a'}, false},
    {"type: \"[T; 2]\"", {1, 1}, true},
    {"type: \"[T; 2]\"", {1, 0}, false},
};

START_TEST(a_rule_is_kept_or_broken) {
    char text[512];
    uint8_t bytes[16] = {0};
    cg_reading reading;
    snprintf(text, sizeof text,
             "enums: {Side: {type: u8, values: {buy: 1, sell: 2}}}\n"
             "types: {T: {fields: {a: {type: u8, validation: [{not_zero: true}]}}}}\n"
             "messages:\n  M: {tlv_type: 1, fields: {a: {%s}}}\n",
             values[_i].field);
    bpt_compiled c = bpt_compile_good(text);
    const cg_message *message = bpt_message(&c, "M");
    memcpy(bytes, values[_i].bytes, sizeof values[_i].bytes);
    ck_assert_int_eq(cg_interp_read(c.arena, message, bytes, message->min, &reading).kind, CG_FAULT_NONE);
    const cg_fault fault = cg_interp_validate(&reading);
    ck_assert_msg((fault.kind == CG_FAULT_NONE) == values[_i].is_good, "%s", values[_i].field);
    if (!values[_i].is_good) ck_assert_int_eq(fault.kind, CG_FAULT_RULE);
    if (!values[_i].is_good) ck_assert_ptr_eq(fault.field, &message->fields[0]);
    bpt_compiled_free(&c);
}
END_TEST

/* The first in declared order is named, and an absent field breaks nothing. */
START_TEST(the_first_broken_field_is_named) {
    bpt_compiled c = bpt_compile_good("messages:\n  M:\n    tlv_type: 1\n    fields:\n"
                                      "      a: {type: u8, optional: true, validation: [{min: 3}]}\n"
                                      "      b: {type: u16, validation: [{min: 3}]}\n"
                                      "      c: {type: u32, validation: [{min: 3}]}\n");
    const uint8_t bytes[8] = {0};
    cg_reading reading;
    ck_assert_int_eq(cg_interp_read(c.arena, bpt_message(&c, "M"), bytes, 8, &reading).kind, CG_FAULT_NONE);
    ck_assert_str_eq(cg_interp_validate(&reading).field->name.text, "b");
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_interp_rules) {
    BPT_LOOP_TEST(a_rule_is_kept_or_broken, 0, sizeof values / sizeof values[0]);
    BPT_TEST(the_first_broken_field_is_named);
}
