/* Which messages require which. What is refused is in tests/bad. */
#include "tests/unit/codegen/compile.h"

#include <stdio.h>
#include <stdlib.h>

START_TEST(priors_are_kept_in_declared_order) {
    bpt_compiled c =
        bpt_compile_good("messages:\n"
                         "  Trade: {tlv_type: 1, required_prior_messages: [Login, Meta], fields: {a: u8}}\n"
                         "  Meta: {tlv_type: 2, required_prior_messages: [Login], fields: {a: u8}}\n"
                         "  Login: {tlv_type: 3, required_prior_messages: [], fields: {a: u8}}\n"
                         "  Other: {tlv_type: 4, fields: {a: u8}}\n");
    const cg_message *trade = bpt_message(&c, "Trade"), *meta = bpt_message(&c, "Meta");
    const cg_message *login = bpt_message(&c, "Login"), *other = bpt_message(&c, "Other");
    ck_assert_uint_eq(trade->prior_count, 2);
    ck_assert_ptr_eq(trade->priors[0].message, login);
    ck_assert_ptr_eq(trade->priors[1].message, meta);
    ck_assert_str_eq(trade->priors[1].at->text, "Meta");
    ck_assert_uint_eq(login->prior_count + other->prior_count, 0);
    ck_assert(login->is_required && meta->is_required && !trade->is_required && !other->is_required);
    bpt_compiled_free(&c);
}
END_TEST

enum { CHAIN = 20000 };

/* Each requires the next; the last the one of that number, or none. */
static char *chain_text(int last_requires) {
    char *text = malloc(CHAIN * 96), *at = text;
    at += sprintf(at, "messages:\n");
    for (int i = 1; i <= CHAIN; i++) {
        const int next = i < CHAIN ? i + 1 : last_requires;
        at += sprintf(at, "  M%d: {tlv_type: %d, fields: {a: u8}", i, i);
        if (next != 0) at += sprintf(at, ", required_prior_messages: [M%d]", next);
        at += sprintf(at, "}\n");
    }
    return text;
}

/* As many steps as there are messages, and a circle of nearly all of them is one mistake. */
START_TEST(long_chains_are_walked) {
    char *good = chain_text(0), *bad = chain_text(2);
    bpt_compiled c = bpt_compile_good(good);
    ck_assert_ptr_eq(bpt_message(&c, "M1")->priors[0].message, bpt_message(&c, "M2"));
    bpt_compiled_free(&c);
    c = bpt_compile(bad);
    ck_assert(c.model == NULL);
    ck_assert_uint_eq(c.diags.error_count, 1);
    ck_assert_msg(strstr(cg_diags_print(&c.diags), "'M20000' requires 'M2', which requires 'M20000' in turn") != NULL,
                  "%s", cg_diags_print(&c.diags));
    bpt_compiled_free(&c);
    free(good);
    free(bad);
}
END_TEST

BPT_SUITE(codegen_priors) {
    BPT_TEST(priors_are_kept_in_declared_order);
    BPT_TEST(long_chains_are_walked);
}
