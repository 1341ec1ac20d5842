/* How values are printed; that it is what generated code prints is tests/unit/generated/interp_test.c's. */
#include "codegen/interp.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

static const struct {
    const char *type;
    uint8_t bytes[16];
    const char *json;
} values[] = {
    {"bool", {1}, "true"},
    {"f32", {0, 0, 0x80, 0xBF}, "-1"},
    {"f32", {0xCD, 0xCC, 0xCC, 0x3D}, "0.100000001"},
    {"f32", {0, 0, 0xC0, 0x7F}, "\"NaN\""},
    {"f32", {0, 0, 0x80, 0x7F}, "\"Infinity\""},
    {"f64", {0, 0, 0, 0, 0, 0, 0xF0, 0xFF}, "\"-Infinity\""},
    {"u128", {0}, "\"0x0\""},
    {"u128", {[8] = 1}, "\"0x10000000000000000\""},
    {"Side", {2}, "\"sell\""},
    {"Side", {9}, "9"},
    {"\"[u8; 3]\"", {0xA, 0xBC, 0}, "\"0x0abc00\""},
    {"bytes<4>", {2, 0xFF, 1}, "\"0xff01\""},
    {"FixedStr<9>", {8, '"', '\\', '\n', '\r', '\t', 1, 0, 0x7F}, "\"\\\"\\\\\\n\\r\\t\\u0001\\u0000\x7F\""},
    {"FixedStr<9>", {3, 0xC3, 0xA9, '/'}, "\"\xC3\xA9/\""},
    {"FixedStr<9>", {4, 'a', 0xC3, 0xA9, 0xC3}, "\"a???\""},
    {"\"[bool; 2]\"", {1, 0}, "[true,false]"},
    {"\"[FixedStr<1>; 2]\"", {1, 'a', 0, 0}, "[\"a\",\"\"]"},
    {"\"[T; 2]\"", {1, 2}, "[{\"a\":1},{\"a\":2}]"},
};

static void compile_one(bpt_compiled *c, const char *type, const char *more) {
    char text[512];
    snprintf(text, sizeof text,
             "enums: {Side: {type: u8, open: true, values: {buy: 1, sell: 2}}}\ntypes: {T: {fields: {a: u8}}}\n"
             "messages:\n  M:\n    tlv_type: 1\n%s    fields:\n      a: {type: %s, optional: true}\n      b: u8\n",
             more, type);
    *c = bpt_compile_good(text);
}

/* The bytes of a value in which a is there, as `bytes`, and b is zero. */
static const uint8_t *value_of(const bpt_compiled *c, const uint8_t *bytes) {
    const cg_message *message = bpt_message(c, "M");
    uint8_t *value = cg_arena_alloc(c->arena, message->min);
    value[message->groups[0].bitmap_offset] = bytes == NULL ? 0 : 1;
    if (bytes != NULL) memcpy(value + bpt_field(message, "a")->offset, bytes, bpt_field(message, "a")->type->size);
    return value;
}

static const char *print(const bpt_compiled *c, const uint8_t *bytes, bool is_showing_all) {
    cg_reading reading;
    cg_text text = {.arena = c->arena};
    const cg_message *message = bpt_message(c, "M");
    const cg_fault fault = cg_interp_read(c->arena, message, value_of(c, bytes), message->min, &reading);
    ck_assert_str_eq(cg_fault_name(fault.kind), "none");
    cg_interp_print(&text, &reading, is_showing_all);
    return cg_text_end(&text);
}

START_TEST(values_are_json) {
    char expected[128];
    bpt_compiled c;
    compile_one(&c, values[_i].type, "");
    snprintf(expected, sizeof expected, "{\"a\":%s,\"b\":0}", values[_i].json);
    ck_assert_str_eq(print(&c, values[_i].bytes, false), expected);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(absent_fields_are_not_printed) {
    bpt_compiled c;
    compile_one(&c, "u8", "");
    ck_assert_str_eq(print(&c, NULL, false), "{\"b\":0}");
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(redacted_values_are_shown_on_request_only) {
    static const char *const keys[] = {"    sensitivity: secret\n", "    log_payload: false\n"};
    bpt_compiled c;
    compile_one(&c, "u8", keys[_i]);
    ck_assert_str_eq(print(&c, (const uint8_t[]){5}, false), "{\"a\":\"***\",\"b\":\"***\"}");
    ck_assert_str_eq(print(&c, (const uint8_t[]){5}, true), "{\"a\":5,\"b\":0}");
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_interp_print) {
    BPT_LOOP_TEST(values_are_json, 0, sizeof values / sizeof values[0]);
    BPT_TEST(absent_fields_are_not_printed);
    BPT_LOOP_TEST(redacted_values_are_shown_on_request_only, 0, 2);
}
