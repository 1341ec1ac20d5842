#include "codegen/load.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct loaded {
    cg_arena *arena;
    cg_diags diags;
    cg_source *source;
    cg_node *root;
} loaded;

static loaded load_bytes(const char *text, size_t length) {
    loaded l = {.arena = cg_arena_new()};
    l.source = cg_source_of(l.arena, "test.yaml", text, length);
    l.diags.arena = l.arena;
    l.diags.source = l.source;
    l.root = cg_load(l.arena, l.source, &l.diags);
    return l;
}

static loaded load(const char *text) { return load_bytes(text, strlen(text)); }

static void check_span(const loaded *l, const cg_node *node, const char *expected) {
    ck_assert_uint_eq(node->span.end - node->span.start, strlen(expected));
    ck_assert_msg(memcmp(l->source->text + node->span.start, expected, strlen(expected)) == 0, "%s", expected);
}

/* What is refused at all, and by which diagnostic. */
static void check_refused(const char *text, size_t length, const char *number) {
    loaded l = load_bytes(text, length);
    const char *said = cg_diags_print(&l.diags);
    ck_assert_msg(l.diags.error_count != 0 && strstr(said, number) != NULL, "%.40s: expected %s, got %s", text, number,
                  said);
    cg_arena_free_take(&l.arena);
}

START_TEST(nodes_know_where_they_stand) {
    loaded l = load("a: {b: [1, 'two'], größe: \"x y\"}\nc:\n  d: 3\n  e:\n    - 4\n\n# end\n");
    ck_assert_uint_eq(l.diags.error_count, 0);
    const cg_node *a = cg_entry(l.root, "a"), *c = cg_entry(l.root, "c");
    check_span(&l, a, "{b: [1, 'two'], größe: \"x y\"}");
    check_span(&l, cg_entry(a, "b"), "[1, 'two']");
    check_span(&l, cg_entry(a, "b")->first->next, "'two'");
    check_span(&l, cg_entry(a, "größe")->key, "größe");
    check_span(&l, cg_entry(a, "größe"), "\"x y\"");
    check_span(&l, c, "d: 3\n  e:\n    - 4");
    ck_assert_uint_eq(c->count, 2);
    ck_assert_ptr_null(cg_entry(l.root, "d"));
    cg_arena_free_take(&l.arena);
}
END_TEST

START_TEST(places_behind_many_wide_characters_are_right) {
    char text[8192] = "a: \"";
    for (int i = 0; i < 1000; i++) strcat(text, i % 3 == 0 ? "é" : "x");
    strcat(text, "\"\nb: last\n");
    loaded l = load(text);
    check_span(&l, cg_entry(l.root, "b"), "last");
    check_span(&l, cg_entry(l.root, "b")->key, "b");
    cg_arena_free_take(&l.arena);
}
END_TEST

START_TEST(scalars_are_not_typed_by_their_looks) {
    loaded l = load("{a: yes, b: 0x10, c: null, d: ~, e: 1.5, f: }");
    static const char *const texts[] = {"yes", "0x10", "null", "~", "1.5", ""};
    const cg_node *entry = l.root->first;
    for (size_t i = 0; i < 6; i++, entry = entry->next) ck_assert_str_eq(entry->text, texts[i]);
    cg_arena_free_take(&l.arena);
}
END_TEST

START_TEST(a_byte_order_mark_is_passed_over) {
    loaded l = load("\xEF\xBB\xBF"
                    "a: 1\n");
    ck_assert_uint_eq(l.diags.error_count, 0);
    check_span(&l, cg_entry(l.root, "a"), "1");
    cg_arena_free_take(&l.arena);
}
END_TEST

START_TEST(other_encodings_are_refused) {
    check_refused("\xFF\xFE"
                  "a\0:\0 \0b\0",
                  10, "E0101");
    check_refused("\xFE\xFF\0a\0:\0 \0b", 10, "E0101");
    check_refused("a: \xC3", 4, "E0101");         /* cut */
    check_refused("a: \xC0\x80", 5, "E0101");     /* overlong */
    check_refused("a: \xE0\x80\x80", 6, "E0101"); /* overlong */
    check_refused("a: \xF0\x80\x80\x80", 7, "E0101");
    check_refused("a: \xED\xA0\x80", 6, "E0101"); /* surrogate */
    check_refused("a: \xF5\x80\x80\x80", 7, "E0101");
    check_refused("a: b\0c", 6, "E0102");
    check_refused("a: \x01", 4, "E0102");
}
END_TEST

START_TEST(what_yaml_has_beyond_data_is_refused) {
    check_refused("a: &x 1", 7, "E0105");
    check_refused("a: [&x 1, *x]", 13, "E0105");
    check_refused("a: &x {b: 1}", 12, "E0105");
    check_refused("<<: {a: 1}", 10, "E0105");
    check_refused("a: !!int 1", 10, "E0106");
    check_refused("a: ! 1", 6, "E0106");
    check_refused("a: !!map {b: 1}", 15, "E0106");
    check_refused("a: 1\n---\nb: 2", 13, "E0104");
    check_refused("{[a]: 1}", 8, "E0109");
    check_refused("{'': 1}", 7, "E0109");
    check_refused("a: \"\\0\"", 7, "E0111");
    check_refused("{\"a\\0\": 1}", 10, "E0111");
    check_refused("", 0, "E0103");
    check_refused("# nothing\n", 10, "E0103");
}
END_TEST

START_TEST(a_quoted_merge_key_is_a_key) {
    loaded l = load("'<<': 1");
    ck_assert_uint_eq(l.diags.error_count, 0);
    cg_arena_free_take(&l.arena);
}
END_TEST

START_TEST(every_duplicate_is_found_in_a_large_map) {
    enum { KEYS = 2000 };
    char *text = calloc(1, KEYS * 32);
    for (int i = 0; i < KEYS; i++) sprintf(text + strlen(text), "key%d: 1\n", i % (KEYS / 2));
    loaded l = load(text);
    ck_assert_uint_eq(l.diags.error_count, KEYS / 2);
    ck_assert_uint_eq(l.root->count, KEYS / 2);
    free(text);
    cg_arena_free_take(&l.arena);
}
END_TEST

/* head, then part count times, then end. */
static char *repeat(const char *head, const char *part, size_t count, const char *end) {
    const size_t length = strlen(part);
    char *text = malloc(strlen(head) + length * count + strlen(end) + 1);
    char *at = text + sprintf(text, "%s", head);
    for (size_t i = 0; i < count; i++, at += length) memcpy(at, part, length);
    strcpy(at, end);
    return text;
}

static void check_bomb(const char *head, const char *part, size_t count, const char *end, const char *number) {
    char *text = repeat(head, part, count, end);
    check_refused(text, strlen(text), number);
    free(text);
}

START_TEST(depth_and_size_have_bounds) {
    check_bomb("a: ", "[", 100000, "", "E0107");
    check_bomb("", "{a: ", 100000, "", "E0107");
    check_bomb("", "- ", 100000, "", "E0107");
    check_bomb("", "? ", 100000, "", "E0107");
    check_bomb("a: \"", "x", CG_SCALAR_MAX + 1, "\"", "E0108");
    check_bomb("a: \"", "x", 10 * 1000 * 1000, "\"", "E0108");
    check_bomb("a: [", "x,", CG_NODES_MAX, "]", "E0108");
    check_bomb("a: ", "\"", 99999, "", "E0102");
    check_bomb("a: ", "x: ", 10000, "", "E0102");
    check_bomb("%", "Y", 100000, "\n", "E0102");
}
END_TEST

START_TEST(the_deepest_that_is_allowed_is_read) {
    char *open = repeat("", "[", CG_DEPTH_MAX, "");
    char *text = repeat(open, "]", CG_DEPTH_MAX, "");
    loaded l = load(text);
    ck_assert_uint_eq(l.diags.error_count, 0);
    free(open);
    free(text);
    cg_arena_free_take(&l.arena);
}
END_TEST

/* Whatever the bytes are, loading and compiling end, and the spans lie in the text. */
START_TEST(garbled_contracts_end_in_diagnostics) {
    static const char good[] =
        "schema: {name: s, version: 2}\ntypes: {T: {fields: {x: u8}}}\nenums: {E: {type: u8, values: {a: 1}}}\n"
        "messages:\n  Thing:\n    tlv_type: 1\n    fields:\n      v: {type: \"Vec<T>\", validation: [{max_length: "
        "4}]}\n"
        "      e: {type: E, since: 2, default: a, description: 'größer'}\n      w: \"[u8; 3]\"\n";
    static const char alphabet[] = "{}[],:&*!|>'\"%@`#?- \n\t\0\xC3\xFFx1<;~";
    bpt_compiled whole = bpt_compile_good(good);
    bpt_compiled_free(&whole);
    uint32_t state = 7;
    for (int round = 0; round < 3000; round++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (int k = 0; k < 1 + round % 4; k++) {
            state = state * 1664525u + 1013904223u;
            text[(state >> 8) % (sizeof good - 1)] = alphabet[(state >> 20) % (sizeof alphabet - 1)];
        }
        state = state * 1664525u + 1013904223u;
        bpt_compiled c = bpt_compile_bytes(text, round % 2 == 0 ? sizeof good - 1 : (state >> 8) % sizeof good);
        ck_assert(c.model == NULL ? c.diags.error_count != 0 : c.diags.error_count == 0);
        ck_assert_ptr_nonnull(cg_diags_print(&c.diags));
        bpt_compiled_free(&c);
    }
}
END_TEST

BPT_SUITE(codegen_load) {
    BPT_TEST(nodes_know_where_they_stand);
    BPT_TEST(places_behind_many_wide_characters_are_right);
    BPT_TEST(scalars_are_not_typed_by_their_looks);
    BPT_TEST(a_byte_order_mark_is_passed_over);
    BPT_TEST(other_encodings_are_refused);
    BPT_TEST(what_yaml_has_beyond_data_is_refused);
    BPT_TEST(a_quoted_merge_key_is_a_key);
    BPT_TEST(every_duplicate_is_found_in_a_large_map);
    BPT_TEST(depth_and_size_have_bounds);
    BPT_TEST(the_deepest_that_is_allowed_is_read);
    BPT_TEST(garbled_contracts_end_in_diagnostics);
}
