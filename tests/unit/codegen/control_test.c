/* Control frames as docs/WIRE.md has them, good ones and every way in which one can be wrong. */
#include "codegen/control.h"
#include "tests/support/wire_page.h"
#include "tests/unit/codegen/compile.h"

enum { VALUE_MAX = 600 };

typedef struct value {
    uint8_t bytes[VALUE_MAX];
    uint32_t length;
} value;

static void add(value *v, uint64_t number, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) v->bytes[v->length++] = (uint8_t)(number >> 8 * i);
}

static value hello(uint32_t count) {
    value v = {.bytes = {1}, .length = 2};
    add(&v, count, 2);
    return v;
}

static void add_entry(value *v, uint32_t id, uint16_t version, uint16_t min_compatible, uint64_t hash) {
    add(v, id, 4);
    add(v, version, 2);
    add(v, min_compatible, 2);
    add(v, hash, 8);
}

static value two_schemas(void) {
    value v = hello(2);
    add_entry(&v, 7, 6, 3, 0x66);
    add_entry(&v, 0xFFFFFFFF, 65535, 1, 0);
    return v;
}

static void expect_fault(const value *v, cg_fault_kind kind, uint32_t offset) {
    const cg_fault fault = cg_control_check(v->bytes, v->length);
    ck_assert_str_eq(cg_fault_name(fault.kind), cg_fault_name(kind));
    ck_assert_uint_eq(fault.offset, offset);
    ck_assert_ptr_null(fault.field);
}

static void expect_json(const value *v, const char *expected) {
    bpt_compiled c = bpt_compile_good("schema: {name: shop, id: 7, version: 6}\nmessages: {M: {tlv_type: 1}}\n");
    cg_text text = {.arena = c.arena};
    expect_fault(v, CG_FAULT_NONE, 0);
    cg_control_print(&text, c.model, v->bytes);
    ck_assert_str_eq(cg_text_end(&text), expected);
    bpt_compiled_free(&c);
}

START_TEST(schemas_are_printed_and_the_own_one_is_named) {
    const value v = two_schemas(), none = hello(0);
    ck_assert_str_eq(cg_control_name(v.bytes, v.length), "HELLO");
    expect_json(&v, "{\"schemas\":[{\"id\":7,\"schema\":\"shop\",\"version\":6,\"min_compatible\":3,\"layout_hash\":"
                    "\"0000000000000066\"},{\"id\":4294967295,\"version\":65535,\"min_compatible\":1,"
                    "\"layout_hash\":null}]}");
    expect_json(&none, "{\"schemas\":[]}");
}
END_TEST

START_TEST(goodbye_says_nothing_more) {
    value v = {.bytes = {2}, .length = 2};
    ck_assert_str_eq(cg_control_name(v.bytes, v.length), "GOODBYE");
    expect_json(&v, "{}");
    v.length = 3;
    expect_fault(&v, CG_FAULT_MALFORMED, 2);
    v.length = 1;
    expect_fault(&v, CG_FAULT_TRUNCATED, 1);
}
END_TEST

START_TEST(other_kinds_are_nobodys) {
    for (unsigned kind = 0; kind < 256; kind++) {
        value v = {.bytes = {(uint8_t)kind, 9, 9}, .length = 3};
        if (kind == 1 || kind == 2) continue;
        ck_assert_ptr_null(cg_control_name(v.bytes, v.length));
        expect_fault(&v, CG_FAULT_NONE, 0);
        v.length = 1;
        expect_fault(&v, CG_FAULT_TRUNCATED, 1);
    }
    ck_assert_ptr_null(cg_control_name((const uint8_t *)"\1", 0));
}
END_TEST

START_TEST(a_hello_of_another_length_is_wrong) {
    value v = two_schemas();
    for (; v.length != 0; v.length--) {
        if (v.length == 36) continue;
        expect_fault(&v, CG_FAULT_TRUNCATED, v.length);
    }
    v.length = 0;
    expect_fault(&v, CG_FAULT_TRUNCATED, 0);
    v.length = 37;
    expect_fault(&v, CG_FAULT_MALFORMED, 36);
}
END_TEST

START_TEST(a_hello_that_makes_no_sense_is_wrong) {
    static const struct {
        uint32_t at, fault_at;
        uint8_t byte;
    } changes[] = {
        {1, 1, 1}, /* not zero */
        {4 + 6, 10, 0}, /* min_compatible is 0, */
        {4 + 6, 10, 7}, /* or above the version */
        {20 + 6, 26, 0},
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        value v = two_schemas();
        v.bytes[changes[i].at] = changes[i].byte;
        expect_fault(&v, CG_FAULT_MALFORMED, changes[i].fault_at);
    }
    value twice = hello(3);
    add_entry(&twice, 7, 1, 1, 0);
    add_entry(&twice, 8, 1, 1, 0);
    add_entry(&twice, 7, 1, 1, 0);
    expect_fault(&twice, CG_FAULT_MALFORMED, 36);
}
END_TEST

/* The frames of the page, headers included. */
static uint32_t read_page(value *v) {
    cg_arena *arena = cg_arena_new();
    const char *text = bpt_wire_block(arena, bpt_wire_page(arena), "## Control frames", "hello");
    for (char *end;; text = end) {
        const unsigned long byte = strtoul(text, &end, 16);
        if (end == text) break;
        add(v, byte, 1);
    }
    cg_arena_free_take(&arena);
    return v->length;
}

START_TEST(the_page_is_read) {
    value page = {.length = 0}, first = {.length = 20}, second = {.length = 2};
    ck_assert_uint_eq(read_page(&page), 6 + 20 + 6 + 2);
    memcpy(first.bytes, page.bytes + 6, first.length);
    memcpy(second.bytes, page.bytes + 32, second.length);
    expect_json(&first, "{\"schemas\":[{\"id\":19801,\"version\":6,\"min_compatible\":3,\"layout_hash\":"
                        "\"0000000000000066\"}]}");
    ck_assert_str_eq(cg_control_name(second.bytes, second.length), "GOODBYE");
    expect_fault(&second, CG_FAULT_NONE, 0);
}
END_TEST

BPT_SUITE(codegen_control) {
    BPT_TEST(schemas_are_printed_and_the_own_one_is_named);
    BPT_TEST(goodbye_says_nothing_more);
    BPT_TEST(other_kinds_are_nobodys);
    BPT_TEST(a_hello_of_another_length_is_wrong);
    BPT_TEST(a_hello_that_makes_no_sense_is_wrong);
    BPT_TEST(the_page_is_read);
}
