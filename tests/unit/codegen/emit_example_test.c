/* Generated tests: which values they try, and what they know of a block. That they run is `make check-written`. */
#include "codegen/emit.h"

#include "tests/unit/codegen/compile.h"

static const char contract[] =
    "schema: {name: farm, version: 2}\n"
    "rules: [known_cow]\n"
    "enums: {Coat: {type: i8, values: {brown: -1, white: 4}}}\n"
    "types:\n"
    "  Spot: {fields: {x: {type: u16, validation: [{known_cow: true}]}, sure: bool}}\n"
    "  Bell: {extensible: true, fields: {tone: u32, loud: {type: u8, since: 2}}}\n"
    "messages:\n"
    "  Cow:\n"
    "    tlv_type: 12\n"
    "    fields:\n"
    "      age: {type: u8, validation: [{min: 2}, {max: 40}]}\n"
    "      coat: Coat\n"
    "      name: {type: \"FixedStr<9>\", optional: true, validation: [{prefix: \"a\\\"\"}]}\n"
    "      spots: {type: \"Vec<Spot>\", validation: [{max_length: 7}, {not_empty: true}]}\n"
    "      bells: {type: \"FixedVec<Bell, 3>\"}\n"
    "      horn: {type: u8, optional: true, retired: true}\n"
    "  Calf: {tlv_type: 13, required_prior_messages: [Cow], fields: {mark: {type: i16, validation: [{monotonic: "
    "true}]}}}\n";

static bpt_compiled c;
static const char *text;

static void set_up(void) {
    c = bpt_compile_good(contract);
    cg_outputs outputs = {.arena = c.arena};
    ck_assert_msg(cg_emit(c.model, CG_PART_TESTS, &outputs) == CG_OK, "%s", outputs.error);
    ck_assert_str_eq(outputs.items[0].name, "farm_test.c");
    text = outputs.items[0].text;
}

static void tear_down(void) { bpt_compiled_free(&c); }

static void check_lines(const char *const *lines, size_t count) {
    for (size_t i = 0; i < count; i++) ck_assert_msg(strstr(text, lines[i]) != NULL, "missing: %s", lines[i]);
}
#define CHECK_LINES(lines) check_lines(lines, sizeof lines / sizeof lines[0])

START_TEST(bounds_are_tried_from_both_sides) {
    static const char *const lines[] = {
        "TRY(m->age, 1u, BP_ERR_RULE);",
        "TRY(m->age, 2u, BP_OK);",
        "TRY(m->age, 40u, BP_OK);",
        "TRY(m->age, 41u, BP_ERR_RULE);",
        "TRY(m->age, UINT8_MAX, BP_ERR_RULE);",
        "TRY(m->spots_count, 0, BP_ERR_RULE);",
        "TRY(m->spots_count, 7, BP_OK);",
        "TRY(m->spots_count, 8, BP_ERR_BOUND);",
        "spot_try_(t, &m->spots[6]);",
        "m->age = 40u;",
        "TRY(m->has_name, false, BP_OK);",
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(enums_and_text_are_tried) {
    static const char *const lines[] = {
        "TRY(m->coat, -1, BP_OK);",
        "TRY(m->coat, 0, BP_ERR_MALFORMED);",
        "TRY(m->coat, INT8_MIN, BP_ERR_MALFORMED);",
        "TRY_TEXT(m->name, uint8_t, \"a\\042\", 2, 9, BP_OK);",
        "TRY_TEXT(m->name, uint8_t, \"a\\042\", 2, 10, BP_ERR_BOUND);",
        "TRY_TEXT(m->name, uint8_t, \"\\077\\042\", 2, 2, BP_ERR_RULE);",
        "TRY_TEXT(m->name, uint8_t, \"\\377\", 1, 1, BP_ERR_RULE);",
    };
    CHECK_LINES(lines);
}
END_TEST

START_TEST(instances_keep_the_rules) {
    static const char *const lines[] = {
        "out->age = (uint8_t)some_unsigned(how, 2u, 40u);",
        "out->coat = is_small(how) ? -1 : 4;",
        "out->has_name = is_there(how);",
        "TEXT(\"a\\042\", 2, 2), TEXT(\"a\\042\", 2, 9));",
        "some_count(how, 1, 7, FARM_COW_SPOTS_CAP);",
        "out->sure = !is_small(how);",
    };
    CHECK_LINES(lines);
}
END_TEST

/* By hand: block_len 0, count of spots 2, of bells 4 with their stride 6, bitmap 8, age 9, coat 10, name 11 to 20,
 * horn 21. */
START_TEST(places_are_those_of_the_layout) {
    static const char *const lines[] = {
        "{\"spots\", 2, 2, 2, UINT64_C(0x8), 2, BP_ERR_BOUND},",
        "{\"bells\", 4, 4, 4, UINT64_C(0x4), 2, BP_ERR_BOUND},",
        "{\"coat\", 10, 1, 1, UINT64_C(0xffffffffffffff80), 1, BP_ERR_MALFORMED},",
        "{\"name\", 11, 10, 0, UINT64_C(0xa), 1, BP_ERR_BOUND},",
        "{\"presence bits\", 8, 1, 1, UINT64_C(0xfc), 1, BP_ERR_MALFORMED},",
        "{\"name\", offsetof(farm_cow, has_name), 8, 1, 0},",
        "{\"bells\", 48, 16, false},", /* the stride */
        "{\"horn\", 168, 8, true},",   /* the slot */
        "{\"horn\", 65, 1, true},",    /* the bit */
        "{\"bells\", 6, 8, 4, bell_ends_, ",
        "bell_ends_[] = { 4, 8};",
    };
    CHECK_LINES(lines);
    ck_assert_ptr_null(strstr(text, "{\"horn\", 21,"));
}
END_TEST

START_TEST(hooks_and_orders_are_tried) {
    static const char *const lines[] = {
        "{HOOK_KNOWN_COW, \"known_cow\", \"spots\", 7},",
        "TRY_FALL(t, m->mark, INT16_MIN, INT16_MAX);",
        "calf_priors_[] = { IX_COW};",
    };
    CHECK_LINES(lines);
}
END_TEST

BPT_SUITE(codegen_emit_example) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    BPT_TEST(bounds_are_tried_from_both_sides);
    BPT_TEST(enums_and_text_are_tried);
    BPT_TEST(instances_keep_the_rules);
    BPT_TEST(places_are_those_of_the_layout);
    BPT_TEST(hooks_and_orders_are_tried);
}
