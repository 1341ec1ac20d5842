/* Leaves and comparing of data across versions of a contract. */
#include "codegen/interp.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

/* A message with one field of the type, and its value. */
static const cg_datum *read_one(const bpt_compiled *c, const char *message, const uint8_t *bytes, size_t length) {
    cg_reading reading;
    const cg_fault fault = cg_interp_read(c->arena, bpt_message(c, message), bytes, length, &reading);
    ck_assert_str_eq(cg_fault_name(fault.kind), "none");
    return &reading.fields[0];
}

static const struct {
    const char *type;
    uint8_t bytes[16];
    const char *decimal;
} integers[] = {
    {"u8", {255}, "255"},
    {"i8", {128}, "-128"},
    {"i8", {127}, "127"},
    {"i16", {0xFF, 0xFF}, "-1"},
    {"i32", {0, 0, 0, 0x80}, "-2147483648"},
    {"u32", {0, 0, 0, 0x80}, "2147483648"},
    {"i64", {0, 0, 0, 0, 0, 0, 0, 0x80}, "-9223372036854775808"},
    {"i64", {1, 0, 0, 0, 0, 0, 0, 0x80}, "-9223372036854775807"},
    {"u64", {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, "18446744073709551615"},
    {"u128", {[15] = 0x80}, "170141183460469231731687303715884105728"},
};

START_TEST(integers_are_read_with_their_sign) {
    char text[128], digits[CG_NUMBER_TEXT_MAX];
    snprintf(text, sizeof text, "messages: {M: {tlv_type: 1, fields: {a: %s}}}", integers[_i].type);
    bpt_compiled c = bpt_compile_good(text);
    const cg_number number = cg_leaf_number(read_one(&c, "M", integers[_i].bytes, bpt_message(&c, "M")->min), 0);
    cg_number_print(&number, digits);
    ck_assert_str_eq(digits, integers[_i].decimal);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(rows_of_numbers_are_leaves) {
    bpt_compiled c = bpt_compile_good("types: {T: {fields: {a: u8}}}\n"
                                      "messages:\n"
                                      "  Row: {tlv_type: 1, fields: {a: \"[i16; 2]\"}}\n"
                                      "  Text: {tlv_type: 2, fields: {a: \"FixedStr<3>\"}}\n"
                                      "  Types: {tlv_type: 3, fields: {a: \"[T; 2]\"}}\n");
    const cg_datum *row = read_one(&c, "Row", (const uint8_t[]){1, 0, 0xFE, 0xFF}, 4);
    ck_assert(cg_type_is_leaf(row->type) && row->items == NULL && row->count == 2);
    ck_assert(cg_leaf_number(row, 1).is_negative && cg_leaf_number(row, 1).limb[0] == 2);
    ck_assert_int_eq(cg_leaf_kind(read_one(&c, "Text", (const uint8_t[]){0, 0, 0, 0}, 4)->type), CG_U8);
    const cg_datum *types = read_one(&c, "Types", (const uint8_t[]){1, 2}, 2);
    ck_assert(!cg_type_is_leaf(types->type) && types->items != NULL && types->count == 2);
    bpt_compiled_free(&c);
}
END_TEST

/* Old lies otherwise than New and lacks a member: what both have is compared, whatever its place. */
static const char versions[] = "types:\n"
                               "  Old: {fields: {a: u8, b: u32}}\n"
                               "  New: {fields: {b: u32, c: u8, a: u8}}\n"
                               "messages:\n"
                               "  Older: {tlv_type: 1, fields: {t: Old}}\n"
                               "  Newer: {tlv_type: 2, fields: {t: New}}\n"
                               "  Olds: {tlv_type: 3, fields: {t: \"FixedVec<Old, 2>\"}}\n"
                               "  Flag: {tlv_type: 4, fields: {t: bool}}\n"
                               "  Byte: {tlv_type: 5, fields: {t: u8}}\n";

START_TEST(data_are_compared_by_name) {
    bpt_compiled c = bpt_compile_good(versions);
    const cg_datum *older = read_one(&c, "Older", (const uint8_t[]){7, 0, 0, 0, 3, 0, 0, 0}, 8);
    const cg_datum *same = read_one(&c, "Newer", (const uint8_t[]){7, 0, 0, 0, 99, 3, 0, 0}, 8);
    const cg_datum *other = read_one(&c, "Newer", (const uint8_t[]){7, 0, 0, 0, 99, 4, 0, 0}, 8);
    ck_assert(cg_datum_is_equal(older, same) && cg_datum_is_equal(same, older));
    ck_assert(!cg_datum_is_equal(older, other) && !cg_datum_is_equal(other, older));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(other_kinds_and_counts_are_not_equal) {
    static const uint8_t two[] = {4, 0, 2, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0};
    bpt_compiled c = bpt_compile_good(versions);
    const cg_datum *pair = read_one(&c, "Olds", two, sizeof two),
                   *none = read_one(&c, "Olds", (const uint8_t[]){4, 0, 0, 0}, 4);
    const cg_datum *flag = read_one(&c, "Flag", (const uint8_t[]){1}, 1),
                   *byte = read_one(&c, "Byte", (const uint8_t[]){1}, 1);
    ck_assert(cg_datum_is_equal(pair, pair) && cg_datum_is_equal(none, none));
    ck_assert(!cg_datum_is_equal(pair, none) && !cg_datum_is_equal(pair, flag) && !cg_datum_is_equal(flag, pair));
    ck_assert(!cg_datum_is_equal(flag, byte) && !cg_datum_is_equal(pair, &pair->items[0]));
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_interp) {
    BPT_LOOP_TEST(integers_are_read_with_their_sign, 0, sizeof integers / sizeof integers[0]);
    BPT_TEST(rows_of_numbers_are_leaves);
    BPT_TEST(data_are_compared_by_name);
    BPT_TEST(other_kinds_and_counts_are_not_equal);
}
