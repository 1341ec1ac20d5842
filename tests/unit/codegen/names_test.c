#include "codegen/emit.h"
#include "tests/unit/codegen/compile.h"

#include <ctype.h>
#include <stdio.h>

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

/* The name that a line of C declares at file scope: what stands before the first of these signs. Empty when it is
 * none. */
static void declared_name(const char *line, size_t length, char name[128]) {
    static const char *const starts[] = {"static ", "typedef ", "enum ", "BPI_UNUSED ", "BPI_COLD ", "} "};
    size_t end = 0, first = 0;
    bool is_declaration = false;
    name[0] = '\0';
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        is_declaration = is_declaration || strncmp(line, starts[i], strlen(starts[i])) == 0;
    }
    if (!is_declaration) return;
    while (end < length && strchr("(=[;{", line[end]) == NULL) end++;
    while (end > 0 && !isalnum((unsigned char)line[end - 1]) && line[end - 1] != '_') end--;
    for (first = end; first > 0 && (isalnum((unsigned char)line[first - 1]) || line[first - 1] == '_');) first--;
    snprintf(name, 128, "%.*s", (int)(end - first), line + first);
}

/* Whether a schema may be called as the name's first word and a message as the rest of it. */
static bool is_free_for_a_contract(const char *name) {
    char text[512], rest[128];
    const size_t first = strcspn(name, "_");
    snprintf(rest, sizeof rest, "%s", name + first + 1);
    rest[0] = (char)toupper((unsigned char)rest[0]);
    snprintf(text, sizeof text, "{schema: {name: %.*s}, messages: {%s: {tlv_type: 1, fields: {a: u8}}}}", (int)first,
             name, rest);
    bpt_compiled c = bpt_compile(text);
    const bool is_free = c.model != NULL;
    bpt_compiled_free(&c);
    return is_free;
}

/* Returns how many names of its own the file has. */
static unsigned check_own_names(const cg_output *file, const char *prefix) {
    unsigned count = 0;
    char name[128];
    for (const char *line = file->text; line[0] != '\0'; line += line[0] == '\n') {
        const size_t length = strcspn(line, "\n");
        declared_name(line, length, name);
        line += length;
        if (!islower((unsigned char)name[0]) || strchr(name, '_') == NULL) continue;
        if (name[strlen(name) - 1] == '_' || strncmp(name, prefix, strlen(prefix)) == 0) continue;
        if (is_free_for_a_contract(name)) ck_abort_msg("%s: a contract could have %s", file->name, name);
        count++;
    }
    return count;
}

START_TEST(no_contract_has_the_names_of_generated_helpers) {
    static const char *const paths[] = {"tests/contracts/zoo.yaml", "tests/contracts/gate.yaml"};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        bpt_compiled c = {.arena = cg_arena_new()};
        cg_source *source = NULL;
        ck_assert_int_eq(cg_source_read(c.arena, paths[i], &source), CG_OK);
        c.model = cg_compile(c.arena, source, NULL, &c.diags);
        cg_outputs outputs = {.arena = c.arena};
        ck_assert_int_eq(cg_emit(c.model, ~0u, &outputs), CG_OK);
        const char *const prefix = cg_arena_format(c.arena, "%s_", c.model->name.snake);
        for (size_t k = 0; k < outputs.count; k++) {
            if (strstr(outputs.items[k].name, ".c") != NULL) count += check_own_names(&outputs.items[k], prefix);
        }
        bpt_compiled_free(&c);
    }
    ck_assert_uint_gt(count, 50);
}
END_TEST

START_TEST(what_a_file_names_after_a_message_ends_with_an_underscore) {
    bpt_compiled c = bpt_compile_good("{schema: {name: order}, messages: {Order: {tlv_type: 1, fields: {a: u8}}}}");
    cg_outputs outputs = {.arena = c.arena};
    ck_assert_int_eq(cg_emit(c.model, ~0u, &outputs), CG_OK);
    for (size_t i = 0; i < outputs.count; i++) {
        const char *at = strstr(outputs.items[i].name, ".c") == NULL ? NULL : outputs.items[i].text;
        while (at != NULL && (at = strstr(at, " name##_")) != NULL) {
            at += strlen(" name##_");
            const size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
            if (at[length - 1] != '_') ck_abort_msg("%s: name##_%.*s", outputs.items[i].name, (int)length, at);
        }
    }
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_names) {
    BPT_TEST(no_contract_has_the_names_of_generated_helpers);
    BPT_TEST(what_a_file_names_after_a_message_ends_with_an_underscore);
    BPT_TEST(names_are_mangled_at_their_words);
    BPT_TEST(reserved_words_are_refused_wherever_they_sort);
}
