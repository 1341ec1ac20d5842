#include "tests/unit/codegen/compile.h"

#include <stdio.h>

static const cg_type *type_of(bpt_compiled *c, const char *spelling) {
    char text[1024];
    snprintf(text, sizeof text,
             "enums: {Side: {type: i16, values: {buy: -1}}}\ntypes: {Pair: {fields: {x: u32, y: u32}}, Uuid: {is: "
             "\"[u8; 16]\"}, "
             "Ids: {is: \"Vec<Uuid>\"}}\nmessages: {Thing: {tlv_type: 1, fields: {f: {type: \"%s\"}}}}",
             spelling);
    *c = bpt_compile_good(text);
    return bpt_field(bpt_message(c, "Thing"), "f")->type;
}

START_TEST(every_spelling_is_a_type) {
    static const struct {
        const char *spelling;
        cg_kind kind;
        uint32_t size;
    } cases[] = {
        {"u8", CG_U8, 1},
        {"u16", CG_U16, 2},
        {"u32", CG_U32, 4},
        {"u64", CG_U64, 8},
        {"i8", CG_I8, 1},
        {"i16", CG_I16, 2},
        {"i32", CG_I32, 4},
        {"i64", CG_I64, 8},
        {"f32", CG_F32, 4},
        {"f64", CG_F64, 8},
        {"bool", CG_BOOL, 1},
        {"u128", CG_U128, 16},
        {"u256", CG_U256, 32},
        {"U256", CG_U256, 32},
        {"uint256", CG_U256, 32},
        {"U128", CG_U128, 16},
        {"uint8", CG_U8, 1},
        {"uint16", CG_U16, 2},
        {"uint32", CG_U32, 4},
        {"uint64", CG_U64, 8},
        {"int8", CG_I8, 1},
        {"int16", CG_I16, 2},
        {"int32", CG_I32, 4},
        {"int64", CG_I64, 8},
        {"float32", CG_F32, 4},
        {"float64", CG_F64, 8},
        {"Address", CG_ARRAY, 20},
        {"[u8; 20]", CG_ARRAY, 20},
        {"[ u16 ;3 ]", CG_ARRAY, 6},
        {"[Pair; 2]", CG_ARRAY, 16},
        {"[Address; 2]", CG_ARRAY, 40},
        {"Uuid", CG_ARRAY, 16},
        {"Side", CG_ENUM, 2},
        {"Pair", CG_STRUCT, 8},
        {"FixedStr<8>", CG_STRING, 9},
        {"bytes<8>", CG_BYTES, 9},
        {"FixedVec<Pair, 4>", CG_VECTOR, 2},
        {"FixedVec< [u8; 20] , 0x4>", CG_VECTOR, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bpt_compiled c;
        const cg_type *type = type_of(&c, cases[i].spelling);
        ck_assert_msg(type->kind == cases[i].kind && type->size == cases[i].size, "%s", cases[i].spelling);
        ck_assert_str_eq(type->spelling, cases[i].spelling);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(max_length_bounds_what_has_no_bound_of_its_own) {
    bpt_compiled c = bpt_compile_good(
        "types: {Uuid: {is: \"[u8; 16]\"}, Ids: {is: \"Vec<Uuid>\"}}\nmessages: {Thing: {tlv_type: 1, fields: {"
        "a: {type: String, validation: [{max_length: 7}]}, b: {type: \"Vec<u16>\", validation: [{not_empty: true}, "
        "{max_length: 0x9}]},"
        "c: {type: \"FixedStr<9>\", validation: [{max_length: 3}]}, d: {type: Ids, validation: [{max_length: 5}]}}}}");
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert_uint_eq(bpt_field(m, "a")->type->capacity, 7);
    ck_assert_uint_eq(bpt_field(m, "b")->type->capacity, 9);
    ck_assert_uint_eq(bpt_field(m, "c")->type->capacity, 9);
    ck_assert_uint_eq(bpt_field(m, "d")->type->capacity, 5);
    ck_assert_uint_eq(bpt_field(m, "d")->type->element_stride, 16);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(structs_come_after_what_they_use) {
    bpt_compiled c =
        bpt_compile_good("types: {A: {fields: {b: B}}, B: {fields: {c: \"[C; 2]\"}}, C: {fields: {x: u8}}, "
                         "Unused: {fields: {x: u8}}}\nmessages: {T: {tlv_type: 1, fields: {a: A}}}");
    static const char *const order[] = {"C", "B", "A", "Unused"};
    ck_assert_uint_eq(c.model->struct_count, 4);
    for (size_t i = 0; i < 4; i++) ck_assert_str_eq(c.model->structs[i]->name.text, order[i]);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_types) {
    BPT_TEST(every_spelling_is_a_type);
    BPT_TEST(max_length_bounds_what_has_no_bound_of_its_own);
    BPT_TEST(structs_come_after_what_they_use);
}
