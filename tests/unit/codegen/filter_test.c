/* Each filter by itself; template_test.c has them inside templates. */
#include "codegen/template_piece.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *filter, *text, *expected;
} cases[] = {
    {"upper", "order_book 1é", "ORDER_BOOK 1é"},
    {"lower", "OrderBook", "orderbook"},
    {"snake", "OrderBook", "order_book"},
    {"snake", "HTTPServer", "http_server"},
    {"snake", "already_snake", "already_snake"},
    {"snake", "U256Value", "u256_value"},
    {"snake", "", ""},
    {"camel", "order_book", "OrderBook"},
    {"camel", "x", "X"},
    {"c_string", "a\"b\\c", "a\\\"b\\\\c"},
    {"c_string", "a\nb\x7f", "a\\012b\\177"},
    {"c_string", "?\?=", "?\\?="},
    {"c_string", "é", "é"},
    {"comment", "two\n  lines ", "two lines"},
    {"comment", "*/ /* **/ //*", "* / / * ** / // *"},
    {"comment", "", ""},
    {"markdown", "Q64.96, 10^-6; snake_case", "Q64.96, 10^-6; snake_case"},
    {"markdown", "a|b <img> [x](y) `c` **d** _e_", "a\\|b \\<img\\> \\[x\\](y) \\`c\\` \\*\\*d\\*\\* \\_e\\_"},
    {"markdown", "&lt; $x$ #1 ~~y~~ \\ !", "\\&lt; \\$x\\$ \\#1 \\~\\~y\\~\\~ \\\\ \\!"},
    {"markdown", "- item", "\\- item"},
    {"markdown", "12. item", "12\\. item"},
    {"markdown", " \n---", "\\---"},
    {"markdown", "two\nlines\r\nand\ttab", "two lines  and tab"},
    {"markdown", "", ""},
    {"html", "a<b>&\"c\"'d'", "a&lt;b&gt;&amp;&quot;c&quot;&#39;d&#39;"},
    {"html", "\ttwo\nlines\r", "\ttwo\nlines\r"},
    {"html", "\x01\x1F\x7F \u00E9", "\uFFFD\uFFFD\uFFFD \u00E9"},
};

START_TEST(gives) {
    cg_arena *arena = cg_arena_new();
    cg_filter_fn *const filter = cg_filter_find((cg_slice){cases[_i].filter, strlen(cases[_i].filter)});
    ck_assert(arena != NULL && filter != NULL);
    ck_assert_str_eq(filter(arena, cases[_i].text), cases[_i].expected);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(other_names_are_not_filters) {
    ck_assert(cg_filter_find((cg_slice){"uppercase", 9}) == NULL);
    ck_assert(cg_filter_find((cg_slice){"upper", 4}) == NULL);
    ck_assert(cg_filter_find((cg_slice){"", 0}) == NULL);
}
END_TEST

/* Every row of the page is a filter, and there are as many. */
START_TEST(the_page_has_every_filter) {
    char page[1 << 16];
    FILE *file = fopen("docs/TEMPLATES.md", "rb");
    ck_assert_msg(file != NULL, "the tests are run from the root of the source tree");
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    char *at = strstr(page, "| filter | gives |\n|---|---|\n");
    ck_assert_ptr_nonnull(at);
    size_t count = 0;
    for (at = strchr(strchr(at, '\n') + 1, '\n') + 1; *at == '|'; at = strchr(at, '\n') + 1) {
        const char *end = strstr(at + 1, " | ");
        for (const char *tick = strchr(at, '`'); tick != NULL && tick < end; tick = strchr(tick, '`'), count++) {
            const char *name = tick + 1;
            tick = strchr(name, '`');
            ck_assert_msg(cg_filter_find((cg_slice){name, (size_t)(tick - name)}) != NULL, "%.20s", name);
            tick++;
        }
    }
    ck_assert_uint_eq(count, cg_filter_count);
}
END_TEST

BPT_SUITE(codegen_filter) {
    BPT_LOOP_TEST(gives, 0, (int)(sizeof cases / sizeof cases[0]));
    BPT_TEST(other_names_are_not_filters);
    BPT_TEST(the_page_has_every_filter);
}
