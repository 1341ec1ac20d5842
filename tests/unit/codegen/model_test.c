/* What a contract says of itself and of its messages. */
#include "tests/unit/codegen/compile.h"

START_TEST(the_hash_follows_the_wire_and_nothing_else) {
    static const char base[] = "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: u8}}}";
    static const char *const same[] = {"# said\nschema: {name: s}\nmessages: {T: {tlv_type: 0x1, description: d, "
                                       "fields: {a: uint8, b: {type: u8, unit: ns}}}}",
                                       "schema: {name: s, version: 1}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: "
                                       "{type: u8, validation: [{max: 3}]}}}}"};
    static const char *const other[] = {
        "schema: {name: s}\nmessages: {T: {tlv_type: 2, fields: {a: u8, b: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {b: u8, a: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: i8, b: u8}}}",
        "schema: {name: s, version: 2}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, reserve: 99, fields: {a: u8, b: u8}}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, sensitivity: secret, fields: {a: u8, b: u8}}}"};
    bpt_compiled first = bpt_compile_good(base);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        bpt_compiled c = bpt_compile_good(same[i]);
        ck_assert_uint_eq(c.model->contract_hash, first.model->contract_hash);
        bpt_compiled_free(&c);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        bpt_compiled c = bpt_compile_good(other[i]);
        ck_assert_msg(c.model->contract_hash != first.model->contract_hash, "%s", other[i]);
        bpt_compiled_free(&c);
    }
    bpt_compiled_free(&first);
}
END_TEST

/* Members of the structs of hooks and sessions, and whether there are functions that check them. */
START_TEST(the_hash_follows_hooks_and_sessions) {
    static const char *const all[] = {
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: i8}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{known: true}]}, b: i8}}, "
        "U: "
        "{tlv_type: 2}}",
        "schema: {name: s}\nrules: [known]\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{known: "
        "true}]}, b: i8}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nrules: [known]\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: {type: i8, validation: "
        "[{known: "
        "true}]}}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nrules: [other]\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{other: "
        "true}]}, b: i8}}, U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{monotonic: true}]}, b: "
        "i8}}, "
        "U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: {type: i8, validation: [{monotonic: "
        "true}]}}}, "
        "U: {tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, required_prior_messages: [U], fields: {a: u8, b: i8}}, U: "
        "{tlv_type: 2}}",
        "schema: {name: s}\nmessages: {T: {tlv_type: 1, fields: {a: u8, b: i8}}, U: {tlv_type: 2, "
        "required_prior_messages: "
        "[T]}}"};
    enum { ALL = sizeof all / sizeof all[0] };
    uint64_t hashes[ALL];
    for (size_t i = 0; i < ALL; i++) {
        bpt_compiled c = bpt_compile_good(all[i]);
        hashes[i] = c.model->contract_hash;
        bpt_compiled_free(&c);
        for (size_t k = 0; k < i; k++) ck_assert_msg(hashes[k] != hashes[i], "%s\n%s", all[k], all[i]);
    }
    bpt_compiled described =
        bpt_compile_good("schema: {name: s}\nrules: {known: {description: d}}\nmessages: {T: {tlv_type: "
                         "1, fields: {a: {type: u8, validation: [{known: true}]}, b: i8}}, U: "
                         "{tlv_type: 2}}");
    ck_assert_uint_eq(described.model->contract_hash, hashes[2]);
    bpt_compiled_free(&described);
}
END_TEST

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

BPT_SUITE(codegen_model) {
    BPT_TEST(the_hash_follows_the_wire_and_nothing_else);
    BPT_TEST(the_hash_follows_hooks_and_sessions);
    BPT_TEST(a_schema_has_defaults);
    BPT_TEST(what_is_said_of_a_message_is_kept);
}
