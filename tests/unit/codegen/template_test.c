/* The template engine: what a template and a tree of values give, and what it says where they do not fit. */
#include "codegen/template.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static cg_arena *arena;

static void set_up(void) { arena = cg_arena_new(); }
static void tear_down(void) { cg_arena_free_take(&arena); }

static cg_value *shapes(void) {
    cg_value *const list = cg_value_list(arena);
    cg_value *const first = cg_value_map(arena), *const second = cg_value_map(arena),
                    *const third = cg_value_map(arena);
    cg_set_flag(arena, first, "y", true);
    cg_set_text(arena, first, "x", "1");
    cg_set_text(arena, second, "x", "2");
    cg_set_flag(arena, second, "y", false);
    cg_set_flag(arena, third, "y", true);
    cg_set_flag(arena, third, "z", true);
    cg_set_text(arena, third, "x", "3");
    cg_append(arena, list, first);
    cg_append(arena, list, second);
    cg_append(arena, list, third);
    return list;
}

/* {name: "Order", empty: "", yes: true, no: false, one: ["a"], list: ["a", "b", "c"], none: [],
 *  item: {x: "1", deep: {y: "2"}}, lines: "first\nsecond",
 *  shapes: [{y: true, x: "1"}, {x: "2", y: false}, {y: true, z: true, x: "3"}]} */
static cg_value *sample(void) {
    cg_value *const root = cg_value_map(arena);
    cg_value *const list = cg_value_list(arena);
    cg_value *const one = cg_value_list(arena);
    cg_value *const item = cg_value_map(arena);
    cg_value *const deep = cg_value_map(arena);
    for (const char *const *at = (const char *const[]){"a", "b", "c", NULL}; *at != NULL; at++) {
        cg_append(arena, list, cg_value_text(arena, *at));
    }
    cg_append(arena, one, cg_value_text(arena, "a"));
    cg_set_text(arena, deep, "y", "2");
    cg_set_number(arena, item, "x", 1);
    cg_set(arena, item, "deep", deep);
    cg_set_text(arena, root, "name", "Order");
    cg_set_text(arena, root, "empty", "");
    cg_set_flag(arena, root, "yes", true);
    cg_set_flag(arena, root, "no", false);
    cg_set(arena, root, "one", one);
    cg_set(arena, root, "list", list);
    cg_set(arena, root, "none", cg_value_list(arena));
    cg_set(arena, root, "item", item);
    cg_set(arena, root, "shapes", shapes());
    cg_set_format(arena, root, "lines", "%s\n%s", "first", "second");
    return root;
}

/* Templates that the rendered ones include. */
static const char *const partials[][2] = {
    {"two", "one\n\ntwo\n"},
    {"show", "[{{x}}]\n"},
    {"pair", "({{name}},{{empty}})\n"},
    {"nested", "before\n  {{> two}}\nafter\n"},
    {"broken", "fine\n{{missing}}\n"},
    {"itself", "{{> itself}}\n"},
};

static const char *render(const char *text, cg_template_error *error) {
    enum { PARTIALS = sizeof partials / sizeof partials[0] };
    static cg_template_source sources[PARTIALS + 1];
    cg_template_set set;
    sources[0] = (cg_template_source){"main", text};
    for (size_t i = 0; i < PARTIALS; i++) sources[i + 1] = (cg_template_source){partials[i][0], partials[i][1]};
    cg_template_set_init(&set, arena, sources, PARTIALS + 1);
    return cg_render(&set, "main", sample(), error);
}

static const struct {
    const char *text, *expected;
} good[] = {
    {"", ""},
    {"plain { } text\n", "plain { } text\n"},
    {"{{name}} {{item.x}}{{item.deep.y}}{{empty}}", "Order 12"},
    {"{{name|upper}} {{ name | lower }} {{\"OrderBookHTTPServer2x\"|snake}} {{\"order_book\"|camel|lower}}",
     "ORDER order order_book_http_server2x orderbook"},
    {"{{\"a*/b /* c\"|comment}}", "a* /b / * c"},
    {"{{\"what?\?/ \\ tab\t\"|c_string}}", "what?\\?/ \\\\ tab\\011"},
    {"{ {{name}}}", "{ Order}"},
    /* loops */
    {"{{#for x in list}}{{x}}{{#if not loop.last}}, {{/if}}{{/for}}", "a, b, c"},
    {"{{#for x in list}}{{loop.index}}{{#if loop.first}}!{{/if}}{{/for}}", "0!12"},
    {"{{#for x in list}}{{#for y in one}}{{x}}{{y}}{{#if loop.last}}.{{/if}}{{/for}}{{/for}}", "aa.ba.ca."},
    {"[{{#for x in none}}{{x}}{{/for}}]", "[]"},
    {"{{#for name in one}}{{name}}{{/for}}{{name}}", "aOrder"},
    {"{{#for x in list}}{{#for x in one}}{{x}}{{/for}}{{x}}{{loop.index}} {{/for}}", "aa0 ab1 ac2 "},
    {"{{#for loop in list}}{{loop}}{{/for}}", "abc"},
    /* maps whose names stand in different places */
    {"{{#for m in shapes}}{{m.x}}{{#if m.y}}y{{/if}}{{/for}}", "1y23y"},
    /* conditions */
    {"{{#if yes}}y{{else}}n{{/if}}{{#if no}}y{{else}}n{{/if}}{{#if not no}}y{{/if}}", "yny"},
    {"{{#if name == \"Order\"}}1{{/if}}{{#if name != \"Order\"}}2{{/if}}{{#if item.x == item.deep.y}}3{{/if}}", "1"},
    {"{{#if no}}1{{else if name == \"x\"}}2{{else if yes}}3{{else}}4{{/if}}", "3"},
    {"{{#if no}}1{{else if no}}2{{else}}3{{/if}}", "3"},
    {"{{#if empty}}1{{/if}}{{#if none}}2{{/if}}{{#if list}}3{{/if}}{{#if item}}4{{/if}}{{#if name}}5{{/if}}", "345"},
    {"{{#if yes and no}}1{{/if}}{{#if no or yes}}2{{/if}}{{#if no and missing}}3{{/if}}{{#if yes or missing}}4{{/if}}",
     "24"},
    /* lines of tags vanish, values do not */
    {"a\n{{#if yes}}\nb\n{{/if}}\nc\n", "a\nb\nc\n"},
    {"a\n  {{#if no}}  \nb\n\t{{else}}\nc\n{{/if}}", "a\nc\n"},
    {"a\n{{! nothing }}\nb {{! here }}c\n", "a\nb c\n"},
    {"{{empty}}\nx", "\nx"},
    {"x {{#if yes}}\ny{{/if}}", "x \ny"},
    {"{{#for x in list}}\n{{x}};\n{{/for}}\nend", "a;\nb;\nc;\nend"},
    /* indentation */
    {"{\n    {{> two}}\n}\n", "{\n    one\n\n    two\n}\n"},
    {"  {{> nested}}\nx", "  before\n    one\n\n    two\n  after\nx"},
    {"    x = {{lines}};\n", "    x = first\n    second;\n"},
    {"{{> show x=name}}\n{{> show x=\"t\"}}\n", "[Order]\n[t]\n"},
    {"a {{> show x=item.x}}b", "a [1]\nb"},
    /* what an include binds is bound in it only, and not seen by its other operands */
    {"{{#for x in one}}{{> show x=name}}{{x}}{{/for}}", "[Order]\na"},
    {"{{> pair name=empty empty=name}}{{name}}", "(,Order)\nOrder"},
};

START_TEST(renders) {
    cg_template_error error;
    const char *const text = render(good[_i].text, &error);
    ck_assert_msg(text != NULL, "%s: %zu: %s", good[_i].text, error.line, error.text);
    ck_assert_str_eq(text, good[_i].expected);
}
END_TEST

static const struct {
    const char *text, *template_name;
    size_t line;
    const char *words;
} bad[] = {
    {"a\n{{missing}}", "main", 2, "unknown name 'missing'"},
    {"{{item.z}}", "main", 1, "unknown name 'item.z'"},
    {"{{name.x}}", "main", 1, "unknown name 'name.x'"},
    {"{{#if yes}}\n\n{{#if missing}}{{/if}}{{/if}}", "main", 3, "unknown name 'missing'"},
    {"{{list}}", "main", 1, "'list' is not a text"},
    {"{{#for x in name}}{{/for}}", "main", 1, "'{{#for}}' needs a list"},
    {"{{#if list == \"a\"}}{{/if}}", "main", 1, "only texts can be compared"},
    {"\n{{> nowhere}}", "main", 2, "no template is called 'nowhere'"},
    {"{{> broken}}", "broken", 2, "unknown name 'missing'"},
    {"{{> itself}}", "itself", 1, "includes nest deeper than 24"},
};

START_TEST(refuses) {
    cg_template_error error;
    ck_assert_msg(render(bad[_i].text, &error) == NULL, "%s", bad[_i].text);
    ck_assert_str_eq(error.text, bad[_i].words);
    ck_assert_str_eq(error.template_name, bad[_i].template_name);
    ck_assert_uint_eq(error.line, bad[_i].line);
}
END_TEST

START_TEST(comments_are_wrapped_between_words) {
    cg_template_error error;
    char text[2048] = "/* {{\"";
    for (int i = 0; i < 60; i++) strcat(text, "word ");
    strcat(text, "\"|comment}} */\n");
    const char *at = render(text, &error);
    ck_assert(at != NULL);
    size_t lines = 0;
    for (const char *end; (end = strchr(at, '\n')) != NULL; at = end + 1, lines++) {
        ck_assert_uint_le((size_t)(end - at), 120);
        ck_assert(strncmp(at, lines == 0 ? "/* word" : " * word", 7) == 0);
    }
    ck_assert_uint_eq(lines, 3);
}
END_TEST

/* Memory that runs out leaves the attempt and nothing else. */
static void render_all(void *user) {
    cg_template_error error;
    *(bool *)user = render(good[8].text, &error) != NULL;
}

START_TEST(every_allocation_may_fail) {
    bool is_done = false;
    for (long count = 0; !is_done; count++) {
        ck_assert_int_lt(count, 10000);
        cg_arena_fail_after(arena, count);
        is_done = false;
        (void)cg_arena_attempt(arena, render_all, &is_done);
    }
    cg_arena_fail_after(arena, -1);
}
END_TEST

BPT_SUITE(codegen_template) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    BPT_LOOP_TEST(renders, 0, (int)(sizeof good / sizeof good[0]));
    BPT_LOOP_TEST(refuses, 0, (int)(sizeof bad / sizeof bad[0]));
    BPT_TEST(comments_are_wrapped_between_words);
    BPT_TEST(every_allocation_may_fail);
}
