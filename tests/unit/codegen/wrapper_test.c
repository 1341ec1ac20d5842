#include "codegen/wrapper.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

static const cg_type *field_type(bpt_compiled *c, const char *spelling) {
    char text[512];
    snprintf(text, sizeof text,
             "enums: {Side: {type: i16, values: {buy: -1}}}\n"
             "types: {Pair: {fields: {x: u32, y: u8}}, Ids: {is: \"FixedVec<Side, 4>\"}}\n"
             "messages: {Thing: {tlv_type: 1, fields: {f: {type: \"%s\"}}}}",
             spelling);
    *c = bpt_compile_good(text);
    return bpt_field(bpt_message(c, "Thing"), "f")->type;
}

/* The bytes of an element are those of the design's inline type, rounded up to its alignment: worked out by hand. */
START_TEST(an_element_is_a_struct_with_one_member) {
    static const struct {
        const char *spelling, *name, *text, *member;
        cg_kind kind;
        uint32_t size, align;
    } cases[] = {
        {"[FixedStr<8>; 4]", "fixed_str_8", "FixedStr<8>", "text", CG_STRING, 9, 1},
        {"[FixedStr<300>; 4]", "fixed_str_300", "FixedStr<300>", "text", CG_STRING, 302, 2},
        {"[FixedStr<301>; 4]", "fixed_str_301", "FixedStr<301>", "text", CG_STRING, 304, 2},
        {"FixedVec<bytes<5>, 2>", "bytes_5", "bytes<5>", "bytes", CG_BYTES, 6, 1},
        {"[ FixedVec< u16 ,4> ;2]", "fixed_vec_4_u16", "FixedVec<u16, 4>", "items", CG_VECTOR, 10, 2},
        {"[FixedVec<u64, 3>; 2]", "fixed_vec_3_u64", "FixedVec<u64, 3>", "items", CG_VECTOR, 32, 8},
        {"[[u16; 4]; 3]", "array_4_u16", "[u16; 4]", "items", CG_ARRAY, 8, 2},
        {"[[Pair; 3]; 3]", "array_3_pair", "[Pair; 3]", "items", CG_ARRAY, 24, 4},
        {"[[Address; 3]; 3]", "array_3_array_20_u8", "[[u8; 20]; 3]", "items", CG_ARRAY, 60, 1},
        {"[Ids; 3]", "fixed_vec_4_side", "FixedVec<Side, 4>", "items", CG_VECTOR, 10, 2},
        {"[[FixedStr<8>; 2]; 3]", "array_2_fixed_str_8", "[FixedStr<8>; 2]", "items", CG_ARRAY, 18, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bpt_compiled c;
        const cg_type *element = field_type(&c, cases[i].spelling)->element;
        ck_assert_int_eq(element->kind, CG_STRUCT);
        const cg_struct *made = element->structure;
        ck_assert(made->is_wrapper);
        ck_assert_str_eq(made->name.snake, cases[i].name);
        ck_assert_str_eq(made->name.text, cases[i].text);
        ck_assert_uint_eq(made->field_count, 1);
        ck_assert_str_eq(made->fields[0].name.snake, cases[i].member);
        ck_assert_int_eq(made->fields[0].type->kind, cases[i].kind);
        ck_assert_uint_eq(made->fields[0].offset, 0);
        ck_assert_msg(element->size == cases[i].size && element->align == cases[i].align && made->size == element->size,
                      "%s: %u by %u", cases[i].spelling, element->size, element->align);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(arrays_of_bytes_need_none) {
    bpt_compiled c;
    ck_assert_int_eq(field_type(&c, "FixedVec<[u8; 20], 3>")->element->kind, CG_ARRAY);
    ck_assert_uint_eq(c.model->struct_count, 1);
    bpt_compiled_free(&c);
    ck_assert_int_eq(field_type(&c, "[Address; 2]")->element->kind, CG_ARRAY);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(strings_inside_are_checked_as_utf8) {
    bpt_compiled c;
    const cg_struct *text = field_type(&c, "[FixedStr<8>; 4]")->element->structure;
    ck_assert_uint_eq(text->fields[0].rule_count, 1);
    ck_assert_int_eq(text->fields[0].rules[0].kind, CG_RULE_UTF8);
    ck_assert(text->has_rules && text->has_checks && text->has_limits);
    bpt_compiled_free(&c);
    const cg_struct *numbers = field_type(&c, "[[u16; 2]; 4]")->element->structure;
    ck_assert(!numbers->has_rules && !numbers->has_checks && !numbers->has_limits);
    bpt_compiled_free(&c);
}
END_TEST

/* One struct however often and however it is spelled, and before everything that uses it. */
START_TEST(equal_elements_share_a_struct) {
    bpt_compiled c =
        bpt_compile_good("types: {Late: {fields: {n: \"[FixedStr<3>; 2]\"}}, Name: {is: \"FixedStr<3>\"}}\nmessages:\n"
                         "  A: {tlv_type: 1, fields: {a: \"FixedVec<Name, 9>\", b: \"[ [FixedStr< 3 > ;2]; 2]\"}}\n"
                         "  B: {tlv_type: 2, fields: {a: \"[FixedStr<4>; 2]\", b: \"[[Name; 2]; 5]\"}}\n");
    static const char *const order[] = {"FixedStr<3>", "Late", "[FixedStr<3>; 2]", "FixedStr<4>"};
    ck_assert_uint_eq(c.model->struct_count, 4);
    for (size_t i = 0; i < 4; i++) ck_assert_str_eq(c.model->structs[i]->name.text, order[i]);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(depth_counts_structs_and_wrappers) {
    bpt_compiled c = bpt_compile_good("types: {A: {fields: {x: u8}}, B: {fields: {a: \"[[A; 2]; 2]\", b: u8}}}\n"
                                      "messages: {T: {tlv_type: 1, fields: {b: \"FixedVec<B, 3>\", c: u8}}}");
    const cg_message *m = bpt_message(&c, "T");
    ck_assert_uint_eq(cg_type_depth(bpt_field(m, "b")->type), 3);
    ck_assert_uint_eq(cg_type_depth(bpt_field(m, "c")->type), 0);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_wrapper) {
    BPT_TEST(an_element_is_a_struct_with_one_member);
    BPT_TEST(arrays_of_bytes_need_none);
    BPT_TEST(strings_inside_are_checked_as_utf8);
    BPT_TEST(equal_elements_share_a_struct);
    BPT_TEST(depth_counts_structs_and_wrappers);
}
