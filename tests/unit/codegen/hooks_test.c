/* Which rules are hooks, and what they are called with. What is refused is in tests/bad. */
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

static const cg_rule *rule_of(const bpt_compiled *c, const char *field, size_t ix) {
    const cg_field *found = bpt_field(bpt_message(c, "T"), field);
    ck_assert_uint_gt(found->rule_count, ix);
    return &found->rules[ix];
}

START_TEST(declared_hooks_come_first_then_implied_ones) {
    bpt_compiled c = bpt_compile_good("messages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: [{later: true}, "
                                      "{listed: true}]}, b: {type: u8, validation: [{max: 3}, {listed: true, second: "
                                      "true}]}}}}\nrules: [second, listed]\n");
    static const char *const names[] = {"second", "listed", "later"};
    ck_assert_uint_eq(c.model->hook_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(c.model->hooks[i]->name.text, names[i]);
        ck_assert_int_eq(c.model->hooks[i]->is_declared, i < 2);
        ck_assert_int_eq(c.model->hooks[i]->value, CG_HOOK_UINT);
    }
    ck_assert_ptr_eq(rule_of(&c, "a", 0)->hook, c.model->hooks[2]);
    ck_assert_ptr_eq(rule_of(&c, "a", 1)->hook, c.model->hooks[1]);
    ck_assert_ptr_null(rule_of(&c, "b", 0)->hook);
    ck_assert_ptr_eq(rule_of(&c, "b", 2)->hook, c.model->hooks[0]);
    ck_assert_int_eq(rule_of(&c, "b", 2)->kind, CG_RULE_HOOK);
    ck_assert_uint_eq(c.diags.warning_count, 1);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_map_of_hooks_describes_them) {
    bpt_compiled c =
        bpt_compile_good("rules: {known: {description: \"On our list\"}, other: {}}\nmessages: {T: {tlv_type: "
                         "1, fields: {a: {type: u8, validation: [{known: true}, {other: true}]}}}}");
    ck_assert_str_eq(c.model->hooks[0]->description, "On our list");
    ck_assert_ptr_null(c.model->hooks[1]->description);
    ck_assert(c.model->hooks[1]->is_declared);
    ck_assert_uint_eq(c.diags.warning_count, 0);
    bpt_compiled_free(&c);
}
END_TEST

/* A declaration makes a hook of what would be a slip of the pen. */
START_TEST(a_declared_name_may_be_near_a_rule) {
    bpt_compiled c = bpt_compile_good("rules: [mini]\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: "
                                      "[{mini: true}]}}}}");
    ck_assert_int_eq(rule_of(&c, "a", 0)->kind, CG_RULE_HOOK);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(false_switches_a_hook_off) {
    bpt_compiled c = bpt_compile_good("rules: [known]\nmessages: {T: {tlv_type: 1, fields: {a: {type: u8, validation: "
                                      "[{known: false}]}, b: {type: u8, validation: [{known: true}]}}}}");
    ck_assert_uint_eq(bpt_field(bpt_message(&c, "T"), "a")->rule_count, 0);
    ck_assert_uint_eq(bpt_field(bpt_message(&c, "T"), "b")->rule_count, 1);
    ck_assert_uint_eq(c.diags.warning_count, 0);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_hook_gets_the_widest_of_its_kind) {
    static const struct {
        const char *types;
        cg_hook_value value;
    } cases[] = {{"u8 u16 u32 u64 bool Up", CG_HOOK_UINT},
                 {"i8 i16 i32 i64 Down", CG_HOOK_INT},
                 {"f32 f64", CG_HOOK_REAL},
                 {"u128", CG_HOOK_U128},
                 {"u256", CG_HOOK_U256},
                 {"FixedStr<3> FixedStr<300>", CG_HOOK_TEXT},
                 {"bytes<3> [u8;4] Address", CG_HOOK_BYTES}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[1024] = "rules: [known]\nenums: {Up: {type: u8, values: {x: 0}}, Down: {type: i8, values: {x: 0}}}\n"
                          "messages:\n  T:\n    tlv_type: 1\n    fields:\n";
        char types[64], *at = types, *word;
        size_t count = 0;
        strcpy(types, cases[i].types);
        while ((word = strtok(count == 0 ? at : NULL, " ")) != NULL) {
            const size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "      f%zu: {type: \"%s\", validation: [{known: true}]}\n",
                     count++, word);
        }
        bpt_compiled c = bpt_compile_good(text);
        ck_assert_int_eq(c.model->hooks[0]->value, cases[i].value);
        ck_assert_uint_eq(bpt_message(&c, "T")->field_count, count);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(an_unused_hook_has_no_value) {
    bpt_compiled c = bpt_compile_good("rules: [known]\nmessages: {T: {tlv_type: 1, fields: {a: u8}}}");
    ck_assert_uint_eq(c.model->hook_count, 1);
    ck_assert_int_eq(c.model->hooks[0]->value, CG_HOOK_UNUSED);
    ck_assert_uint_eq(c.diags.warning_count, 1);
    bpt_compiled_free(&c);
}
END_TEST

/* Nobody reads its rules: they use no hook, and make none. */
START_TEST(what_is_retired_asks_nobody) {
    bpt_compiled c = bpt_compile_good(
        "rules: [known]\nmessages:\n  Gone: {tlv_type: 2, retired: true, fields: {a: {type: u8, validation: [{gone: "
        "true}]}}}\n  T: {tlv_type: 1, fields: {a: {type: u8, retired: true, validation: [{known: true}, {other: "
        "true}]}, b: u8}}");
    ck_assert_uint_eq(c.model->hook_count, 1);
    ck_assert_int_eq(c.model->hooks[0]->value, CG_HOOK_UNUSED);
    const char *said = cg_diags_print(&c.diags);
    ck_assert_ptr_nonnull(strstr(said, "no field uses the hook 'known'"));
    ck_assert_ptr_null(strstr(said, "W0520"));
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_hooks) {
    BPT_TEST(what_is_retired_asks_nobody);
    BPT_TEST(declared_hooks_come_first_then_implied_ones);
    BPT_TEST(a_map_of_hooks_describes_them);
    BPT_TEST(a_declared_name_may_be_near_a_rule);
    BPT_TEST(false_switches_a_hook_off);
    BPT_TEST(a_hook_gets_the_widest_of_its_kind);
    BPT_TEST(an_unused_hook_has_no_value);
}
