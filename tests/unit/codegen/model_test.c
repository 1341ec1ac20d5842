/* What a contract means once it was read: names, types, rules, defaults, ids. */
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

START_TEST(rules_and_defaults_are_read_for_their_type) {
    bpt_compiled c = bpt_compile_good("schema: {version: 2}\nenums: {E: {type: i8, values: {low: -3, high: "
                                      "4}}}\nmessages: {T: {tlv_type: 1, fields: {"
                                      "a: {type: i8, default: -4, validation: [{min: -5, max: 5}, {not_zero: true}]},"
                                      "b: {type: f32, validation: [{min: 0.0}, {max: 1}]}, c: {type: E, since: 2, "
                                      "default: high, validation: [{one_of: [low, high]}]},"
                                      "d: {type: \"FixedStr<8>\", default: 0y, validation: [{prefix: \"0\"}, "
                                      "{no_0x_prefix: true}, {not_empty: false}]},"
                                      "e: {type: bool, default: true}}}}");
    const cg_message *m = bpt_message(&c, "T");
    const cg_field *a = bpt_field(m, "a"), *b = bpt_field(m, "b"), *e = bpt_field(m, "c"), *d = bpt_field(m, "d");
    ck_assert_uint_eq(a->rule_count, 3);
    ck_assert_int_eq(a->rules[0].kind, CG_RULE_MIN);
    ck_assert(a->rules[0].literal.number.is_negative && a->rules[0].literal.number.limb[0] == 5);
    ck_assert(a->has_default && a->default_value.number.is_negative && a->default_value.number.limb[0] == 4);
    ck_assert(b->rules[0].literal.number.is_real && !b->rules[1].literal.number.is_real);
    ck_assert_uint_eq(e->rules[0].choice_count, 2);
    ck_assert_uint_eq(e->default_value.number.limb[0], 4);
    ck_assert_uint_eq(d->rule_count, 3); /* prefix, no_0x_prefix and utf8, which every string has */
    ck_assert_int_eq(d->rules[2].kind, CG_RULE_UTF8);
    ck_assert_str_eq(d->default_value.text, "0y");
    ck_assert(bpt_field(m, "e")->default_value.is_true);
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

START_TEST(names_are_mangled_at_their_words) {
    static const struct {
        const char *text, *snake, *upper;
    } cases[] = {{"OrderBook", "order_book", "ORDER_BOOK"},
                 {"HTTPServer2", "http_server2", "HTTP_SERVER2"},
                 {"U256Value", "u256_value", "U256_VALUE"},
                 {"order_book", "order_book", "ORDER_BOOK"},
                 {"Order_Book", "order_book", "ORDER_BOOK"},
                 {"ABC", "abc", "ABC"},
                 {"aBC", "a_bc", "A_BC"},
                 {"y", "y", "Y"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "messages: {T: {tlv_type: 1, fields: {%s: u8}}}", cases[i].text);
        bpt_compiled c = bpt_compile_good(text);
        const cg_name *name = &bpt_field(bpt_message(&c, "T"), cases[i].text)->name;
        ck_assert_str_eq(name->snake, cases[i].snake);
        ck_assert_str_eq(name->upper, cases[i].upper);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(reserved_words_are_refused_wherever_they_sort) {
    static const char *const words[] = {"alignas",  "and",       "asm",          "auto",      "bool",        "char16_t",
                                        "class",    "constexpr", "const_cast",   "decltype",  "errno",       "i386",
                                        "if",       "int",       "linux",        "namespace", "new",         "nullptr",
                                        "or",       "private",   "register",     "restrict",  "static_cast", "stdin",
                                        "template", "this",      "thread_local", "typeid",    "union",       "unix",
                                        "virtual",  "while",     "xor_eq",       "Class"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "messages: {T: {tlv_type: 1, fields: {%s: u8}}}", words[i]);
        bpt_compiled c = bpt_compile(text);
        ck_assert_msg(c.model == NULL && strstr(cg_diags_print(&c.diags), "E0302") != NULL, "%s", words[i]);
        bpt_compiled_free(&c);
    }
}
END_TEST

BPT_SUITE(codegen_model) {
    BPT_TEST(every_spelling_is_a_type);
    BPT_TEST(max_length_bounds_what_has_no_bound_of_its_own);
    BPT_TEST(both_field_styles_mean_the_same);
    BPT_TEST(the_hash_follows_the_wire_and_nothing_else);
    BPT_TEST(a_schema_has_defaults);
    BPT_TEST(what_is_said_of_a_message_is_kept);
    BPT_TEST(rules_and_defaults_are_read_for_their_type);
    BPT_TEST(structs_come_after_what_they_use);
    BPT_TEST(names_are_mangled_at_their_words);
    BPT_TEST(reserved_words_are_refused_wherever_they_sort);
}
