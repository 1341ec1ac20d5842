/* What is no template: the line, and words. */
#include "codegen/template_piece.h"
#include "tests/support/suite.h"

#include <string.h>

static cg_arena *arena;

static void set_up(void) { arena = cg_arena_new(); }
static void tear_down(void) { cg_arena_free_take(&arena); }

static bool parse(const char *text, cg_template_error *error) {
    const cg_template_source source = {"main", text};
    cg_template_set set;
    cg_template_set_init(&set, arena, &source, 1);
    return cg_template_parse(&set, &set.templates[0], error);
}

static const struct {
    const char *text;
    size_t line;
    const char *words;
} bad[] = {
    {"{{name|shout}}", 1, "no filter is called 'shout'"},
    {"x\n{{name", 2, "'{{' without '}}' on its line"},
    {"{{}}", 1, "a name is missing in front of ''"},
    {"{{name name}}", 1, "unexpected 'name' in a tag"},
    {"{{\"open}}", 1, "a text without its closing quote"},
    {"{{#while x}}", 1, "'#for' or '#if' is expected"},
    {"{{#for x list}}{{/for}}", 1, "'in' is missing: {{#for x in list}}"},
    {"{{#if yes}}x", 1, "'{{/if}}' is missing"},
    {"{{#if yes}}\n{{/for}}", 2, "'{{/if}}' is expected, for line 1"},
    {"{{#for x in list}}{{else}}{{/for}}", 1, "'{{/for}}' is missing"},
    {"x{{/if}}", 1, "'{{/if}}' without a beginning"},
    {"{{#if yes and no or yes}}{{/if}}", 1, "'and' and 'or' in one tag"},
    {"{{> two x}}", 1, "'=' is missing: {{> name x=y}}"},
};

START_TEST(refuses) {
    cg_template_error error;
    ck_assert_msg(!parse(bad[_i].text, &error), "%s", bad[_i].text);
    ck_assert_str_eq(error.text, bad[_i].words);
    ck_assert_str_eq(error.template_name, "main");
    ck_assert_uint_eq(error.line, bad[_i].line);
}
END_TEST

START_TEST(blocks_nest_up_to_a_limit) {
    cg_template_error error;
    char text[2048] = "";
    for (int i = 0; i < 40; i++) strcat(text, "{{#if yes}}");
    for (int i = 0; i < 40; i++) strcat(text, "{{/if}}");
    ck_assert(!parse(text, &error));
    ck_assert_str_eq(error.text, "blocks nest deeper than 32");
}
END_TEST

BPT_SUITE(codegen_template_parse) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    BPT_LOOP_TEST(refuses, 0, (int)(sizeof bad / sizeof bad[0]));
    BPT_TEST(blocks_nest_up_to_a_limit);
}
