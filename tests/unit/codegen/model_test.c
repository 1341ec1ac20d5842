/* What a contract says of itself and of its messages. */
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

START_TEST(a_schema_has_defaults) {
    bpt_compiled c = bpt_compile_good("messages: {T: {tlv_type: 1, fields: {a: u8}}}");
    ck_assert_str_eq(c.model->name.snake, "test"); /* of test.yaml */
    ck_assert_uint_eq(c.model->id, 0);
    ck_assert_uint_eq(c.model->version, 1);
    ck_assert_uint_eq(c.model->min_compatible, 1);
    ck_assert_uint_eq(c.model->range_count, 0);
    ck_assert_str_eq(c.model->strategy, "pow2");
    ck_assert_uint_eq(c.model->min_class, 64);
    ck_assert_uint_eq(c.model->memory_limit, 0);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(what_is_said_of_a_message_is_kept) {
    bpt_compiled c = bpt_compile_good(
        "tag_ranges: {app: {range: 5-9, unknown: skip}, core: 1-4}\nmessages:\n  Two: {tlv_type: 6, fields: {a: u8}}\n"
        "  One:\n    tlv_type: 5\n    domain: D\n    description: X\n    sensitivity: secret\n    log_payload: false\n"
        "    reserve: 60\n    max_total: 8\n    fields: {a: u64}\n");
    const cg_message *one = bpt_message(&c, "One"), *two = bpt_message(&c, "Two");
    ck_assert_str_eq(one->domain, "D");
    ck_assert_str_eq(one->description, "X");
    ck_assert(one->is_sensitive && !one->log_payload && !two->is_sensitive && two->log_payload);
    ck_assert_uint_eq(one->class_size, 128); /* 8 + 60 */
    ck_assert_uint_eq(one->waste, 120);
    ck_assert_ptr_eq(c.model->by_type[0], one);
    ck_assert_ptr_eq(c.model->by_type[1], two);
    ck_assert_uint_eq(c.model->range_count, 2);
    ck_assert_str_eq(c.model->ranges[0].name, "core");
    ck_assert_int_eq(c.model->ranges[1].unknown, CG_UNKNOWN_SKIP);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_library_has_the_core_range_and_our_names) {
    static const char text[] = "schema: {name: bp_courier, id: 7, library: %s}\ntag_ranges: {core: 1-9, app: 10-99}\n"
                               "messages: {Note: {tlv_type: 9, fields: {a: u8}}}";
    char contract[sizeof text + 8];
    snprintf(contract, sizeof contract, text, "true");
    bpt_compiled c = bpt_compile_good(contract);
    ck_assert(c.model->is_library);
    ck_assert_uint_eq(c.diags.warning_count, 0);
    ck_assert_str_eq(c.model->name.snake, "bp_courier");
    bpt_compiled_free(&c);
    snprintf(contract, sizeof contract, text, "false");
    c = bpt_compile(contract);
    ck_assert_uint_eq(c.diags.error_count, 2);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_model) {
    BPT_TEST(a_schema_has_defaults);
    BPT_TEST(what_is_said_of_a_message_is_kept);
    BPT_TEST(a_library_has_the_core_range_and_our_names);
}
