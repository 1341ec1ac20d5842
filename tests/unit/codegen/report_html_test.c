/* The page: well-formed, complete in itself, and nothing of the contract gets out of its text. */
#include "codegen/report.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

enum { OPEN_MAX = 32 };

static const char hostile[] =
    "schema: {name: evil, version: 2}\npool: {classes: [64, 128, 4096, 8192]}\nmessages:\n"
    "  Empty: {tlv_type: 1, description: \"</p><script>alert('1')</script>\", domain: \"<b>&amp;\"}\n"
    "  Full:\n    tlv_type: 2\n    rate: 50\n    hold: 40ms\n    reserve: 9\n    typical: {list: 2}\n"
    "    description: \"\\x01 \\\" onload=x ]]> <!-- \"\n    fields:\n"
    "      a: {type: u8, unit: \"<i>\", description: \"a < b && \\\"c\\\" > 'd'\", optional: true}\n"
    "      list: {type: \"Vec<FixedStr<9>>\", validation: [{max_length: 70}]}\n"
    "      gone: {type: u64, retired: true}\n      late: {type: \"[u16; 40]\", since: 2}\n";

static const char *page_of(bpt_compiled *c, const char *contract, const char *only) {
    const char *error = "";
    *c = bpt_compile_good(contract);
    const char *page = cg_report_html(c->arena, c->model, only == NULL ? NULL : bpt_message(c, only), &error);
    ck_assert_msg(page != NULL, "%s", error);
    return page;
}

/* Reads one tag from behind its '<'; its attributes must be name="value" without '<'. Returns what follows the '>'. */
static const char *read_tag(const char *at, const char **name, size_t *length, bool *is_empty) {
    *name = at;
    *length = strcspn(at, " />");
    ck_assert_uint_gt(*length, 0);
    for (at += *length; *at == ' ';) {
        at += 1 + strcspn(at + 1, "=<> ");
        ck_assert_msg(at[0] == '=' && at[1] == '"', "an attribute without value: %.60s", at);
        at += 2 + strcspn(at + 2, "\"<");
        ck_assert_msg(*at == '"', "an attribute does not end: %.60s", at);
        at++;
    }
    *is_empty = *at == '/';
    at += *is_empty;
    ck_assert_msg(*at == '>', "a tag does not end: %.60s", at);
    return at + 1;
}

static void check_entity(const char *at) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (size_t i = 0; i < 5; i++) {
        if (strncmp(at, known[i], strlen(known[i])) == 0) return;
    }
    ck_abort_msg("a bare ampersand: %.60s", at);
}

/* Every tag that opens closes, in order; text holds no bare '<', '&' and no control character. */
static void check_well_formed(const char *at) {
    struct {
        const char *name;
        size_t length;
    } open[OPEN_MAX];
    size_t depth = 0;
    ck_assert(strncmp(at, "<!DOCTYPE html>\n", 16) == 0);
    for (at += 16; *at != '\0';) {
        ck_assert_msg((unsigned char)*at >= ' ' || *at == '\n', "a control character: %.60s", at);
        if (*at == '&') check_entity(at);
        if (*at++ != '<') continue;
        const bool is_end = *at == '/';
        const char *name;
        size_t length;
        bool is_empty;
        at = read_tag(at + is_end, &name, &length, &is_empty);
        if (is_end) {
            ck_assert_uint_gt(depth, 0);
            depth--;
            ck_assert_msg(length == open[depth].length && memcmp(name, open[depth].name, length) == 0, "%.*s ends %.*s",
                          (int)length, name, (int)open[depth].length, open[depth].name);
        } else if (!is_empty) {
            ck_assert_uint_lt(depth, OPEN_MAX);
            open[depth].name = name;
            open[depth++].length = length;
        }
    }
    ck_assert_uint_eq(depth, 0);
}

START_TEST(the_page_is_well_formed) {
    bpt_compiled c;
    static const char *const only[] = {NULL, "Empty", "Full"};
    for (size_t i = 0; i < 3; i++) {
        check_well_formed(page_of(&c, hostile, only[i]));
        bpt_compiled_free(&c);
    }
    char many[16384] = "messages:\n";
    for (int i = 1; i < 100; i++) {
        snprintf(many + strlen(many), sizeof many - strlen(many),
                 "  M%d: {tlv_type: %d, fields: {a: u%d, b: \"bytes<%d>\"}}\n", i, i, 8 << i % 6, i * i);
    }
    check_well_formed(page_of(&c, many, NULL));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(text_of_the_contract_stays_text) {
    bpt_compiled c;
    const char *page = page_of(&c, hostile, NULL);
    ck_assert_ptr_null(strstr(page, "<script"));
    ck_assert_ptr_null(strstr(page, "<b>&"));
    ck_assert_ptr_null(strstr(page, "\x01"));
    ck_assert_ptr_nonnull(strstr(page, "&lt;/p&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
    ck_assert_ptr_nonnull(strstr(page, "&lt;b&gt;&amp;amp;"));
    ck_assert_ptr_nonnull(strstr(page, "\uFFFD &quot; onload=x ]]&gt; &lt;!--"));
    ck_assert_ptr_nonnull(strstr(page, "a &lt; b &amp;&amp; &quot;c&quot; &gt; &#39;d&#39;"));
    ck_assert_ptr_nonnull(strstr(page, "Vec&lt;FixedStr&lt;9&gt;&gt;"));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(the_page_needs_nothing_besides) {
    static const char *const outside[] = {"http", "//", "src=", "@import", "<link", "<script", "javascript", "data:"};
    bpt_compiled c;
    const char *page = page_of(&c, hostile, NULL);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) ck_assert_ptr_null(strstr(page, outside[i]));
    for (const char *at = page; (at = strstr(at, "url(")) != NULL; at++) ck_assert_int_eq(at[4], '#');
    for (const char *at = page; (at = strstr(at, "href=\"")) != NULL; at++) ck_assert_int_eq(at[6], '#');
    ck_assert_ptr_nonnull(strstr(page, "prefers-color-scheme: dark"));
    bpt_compiled_free(&c);
}
END_TEST

/* Numbers that a reader would look for, each in its place. */
START_TEST(the_numbers_are_those_of_the_model) {
    bpt_compiled c;
    const char *page = page_of(&c, hostile, NULL);
    const cg_message *full = bpt_message(&c, "Full");
    char expected[128];
    snprintf(expected, sizeof expected, "<span class=\"note\">%u of %s B</span>", full->max,
             full->class_size == 4096 ? "4,096" : "?");
    ck_assert_msg(strstr(page, expected) != NULL, "%s", expected);
    ck_assert_ptr_nonnull(strstr(page, "typical 2 of 70 \u00D7 10 = 700 B"));
    ck_assert_ptr_nonnull(strstr(page, "<span>50/s</span><span>held 40 ms</span><span>2 out on average</span>"));
    ck_assert_ptr_nonnull(strstr(page, "<span>reserve 9 B</span>"));
    ck_assert_ptr_nonnull(strstr(page, "No bytes: the header says it all."));
    ck_assert_ptr_nonnull(strstr(page, "<b>4</b> size classes"));
    ck_assert_ptr_null(strstr(page, "nan"));
    ck_assert_ptr_null(strstr(page, "inf"));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(one_message_has_a_page_of_its_own) {
    bpt_compiled c;
    const char *page = page_of(&c, hostile, "Full");
    ck_assert_ptr_nonnull(strstr(page, "<article id=\"full\">"));
    ck_assert_ptr_null(strstr(page, "<article id=\"empty\">"));
    ck_assert_ptr_null(strstr(page, "Size classes"));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(the_same_contract_gives_the_same_page) {
    bpt_compiled one, other;
    const char *page = page_of(&one, hostile, NULL);
    ck_assert_str_eq(page, page_of(&other, hostile, NULL));
    bpt_compiled_free(&one);
    bpt_compiled_free(&other);
}
END_TEST

BPT_SUITE(codegen_report_html) {
    BPT_TEST(the_page_is_well_formed);
    BPT_TEST(text_of_the_contract_stays_text);
    BPT_TEST(the_page_needs_nothing_besides);
    BPT_TEST(the_numbers_are_those_of_the_model);
    BPT_TEST(one_message_has_a_page_of_its_own);
    BPT_TEST(the_same_contract_gives_the_same_page);
}
