/* What a contract remembers: former names, retired fields and messages. */
#include "tests/unit/codegen/compile.h"

#include <stdlib.h>

START_TEST(a_former_name_is_kept) {
    bpt_compiled c =
        bpt_compile_good("messages: {Thing: {tlv_type: 1, was: Stuff, fields: {a: {type: u8, was: b}, c: u8}}}");
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert_str_eq(m->was, "Stuff");
    ck_assert_str_eq(bpt_field(m, "a")->was, "b");
    ck_assert_ptr_null(bpt_field(m, "c")->was);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_retired_field_keeps_type_and_bit_but_no_rules) {
    bpt_compiled c =
        bpt_compile_good("messages: {Thing: {tlv_type: 1, fields: {a: {type: u8, optional: true}, "
                         "b: {type: String, validation: [{max_length: 40}], optional: true, retired: true}, "
                         "c: {type: u8, optional: true}}}}");
    const cg_message *m = bpt_message(&c, "Thing");
    const cg_field *b = bpt_field(m, "b");
    ck_assert(b->is_retired && b->is_optional && b->type->is_tail);
    ck_assert_uint_eq(b->type->capacity, 40);
    ck_assert_uint_eq(b->rule_count, 0);
    ck_assert_uint_eq(b->typical, 0);
    ck_assert_uint_eq(b->bit, 1);
    ck_assert_uint_eq(bpt_field(m, "c")->bit, 2);
    ck_assert(!bpt_field(m, "c")->is_retired);
    bpt_compiled_free(&c);
}
END_TEST

/* Its names in C are free for others. */
START_TEST(a_retired_field_claims_no_identifier) {
    bpt_compiled c = bpt_compile_good(
        "messages: {Thing: {tlv_type: 1, fields: {fooBar: {type: u8, retired: true}, foo_bar: u8, foo_bar_2: u8}}}");
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_retired_message_is_none_of_the_messages) {
    bpt_compiled c = bpt_compile_good("messages: {Gone: {tlv_type: 3, retired: true, fields: {a: {type: Nothing}}}, "
                                      "Thing: {tlv_type: 2, fields: {a: u8}}, Bare: {tlv_type: 1, retired: true}}");
    ck_assert_uint_eq(c.model->message_count, 1);
    ck_assert_str_eq(c.model->by_type[0]->name.text, "Thing");
    ck_assert_uint_eq(c.model->retired_count, 2);
    ck_assert_str_eq(c.model->retired[0].name.text, "Gone");
    ck_assert_uint_eq(c.model->retired[0].tlv_type, 3);
    ck_assert_str_eq(c.model->retired[1].name.text, "Bare");
    bpt_compiled_free(&c);
}
END_TEST

static uint64_t hash_of(const char *text) {
    bpt_compiled c = bpt_compile_good(text);
    const uint64_t hash = c.model->contract_hash;
    bpt_compiled_free(&c);
    return hash;
}

START_TEST(retiring_changes_the_hash_and_renaming_back_does_not) {
    const uint64_t plain = hash_of("messages: {Thing: {tlv_type: 1, fields: {a: u8, b: u8}}}");
    ck_assert(plain != hash_of("messages: {Thing: {tlv_type: 1, fields: {a: u8, b: {type: u8, retired: true}}}}"));
    ck_assert(plain !=
              hash_of("messages: {Thing: {tlv_type: 1, fields: {a: u8, b: u8}}, T: {tlv_type: 2, retired: true}}"));
    ck_assert(plain == hash_of("messages: {Thing: {tlv_type: 1, was: T, fields: {a: {type: u8, was: c}, b: u8}}}"));
}
END_TEST

BPT_SUITE(codegen_history) {
    BPT_TEST(a_former_name_is_kept);
    BPT_TEST(a_retired_field_keeps_type_and_bit_but_no_rules);
    BPT_TEST(a_retired_field_claims_no_identifier);
    BPT_TEST(a_retired_message_is_none_of_the_messages);
    BPT_TEST(retiring_changes_the_hash_and_renaming_back_does_not);
}
