#include "codegen/schema_json.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>
#include <string.h>

/* The page as it is, NUL-terminated; freed by the caller. */
static char *read_page(const char *path) {
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "the tests are run from the root of the source tree");
    char *text = calloc(1, 1 << 20);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    return text;
}

/* One table after the other, from its first comment to its last. */
START_TEST(the_reference_has_every_table_as_it_is_now) {
    char *page = read_page("docs/CONTRACTS.md"), block[65536];
    cg_text text = {.arena = cg_arena_new()};
    cg_schema_markdown(&text);
    size_t count = 0;
    for (const char *at = cg_text_end(&text); *at != '\0'; count++) {
        const char *end = strchr(strstr(at, "<!-- end "), '\n') + 1;
        ck_assert_uint_lt((size_t)(end - at), sizeof block);
        memcpy(block, at, (size_t)(end - at));
        block[end - at] = '\0';
        ck_assert_msg(strstr(page, block) != NULL,
                      "docs/CONTRACTS.md is not what the tables say; run `make docs`: %.60s", block);
        at = end;
    }
    ck_assert_uint_eq(count, 6);
    free(page);
    cg_arena_free_take(&text.arena);
}
END_TEST

START_TEST(every_key_and_type_has_a_row) {
    cg_text text = {.arena = cg_arena_new()};
    cg_schema_markdown(&text);
    const char *tables = cg_text_end(&text);
    for (size_t i = 0; i < cg_key_count; i++) {
        char row[256];
        snprintf(row, sizeof row, cg_keys[i].state == CG_KEY_IGNORED ? "%s" : "| `%s`", cg_keys[i].name);
        ck_assert_msg(strstr(tables, row) != NULL, "%s", row);
        ck_assert_msg(strstr(tables, cg_keys[i].text) != NULL, "%s", cg_keys[i].text);
    }
    ck_assert_ptr_nonnull(strstr(tables, "| `u8`, also `uint8` | unsigned integers of 8 bits |\n"));
    ck_assert_ptr_nonnull(strstr(tables, "| `FixedVec<T, N>` | up to N elements |\n"));
    cg_arena_free_take(&text.arena);
}
END_TEST

/* What a newcomer copies: every block of YAML on these pages. */
START_TEST(contracts_on_the_pages_are_right) {
    static const char *const pages[] = {"README.md", "docs/CONTRACTS.md"};
    static const char open[] = "```yaml\n", close[] = "```\n";
    size_t count = 0;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        char *page = read_page(pages[i]);
        for (const char *at = page; (at = strstr(at, open)) != NULL; count++) {
            at += strlen(open);
            const char *end = strstr(at, close);
            ck_assert_ptr_nonnull(end);
            bpt_compiled c = bpt_compile_bytes(at, (size_t)(end - at));
            ck_assert_msg(c.model != NULL, "%s: %s", pages[i], cg_diags_print(&c.diags));
            ck_assert_uint_eq(c.diags.count, 0);
            bpt_compiled_free(&c);
            at = end;
        }
        free(page);
    }
    ck_assert_uint_eq(count, 3);
}
END_TEST

BPT_SUITE(codegen_schema_markdown) {
    BPT_TEST(the_reference_has_every_table_as_it_is_now);
    BPT_TEST(every_key_and_type_has_a_row);
    BPT_TEST(contracts_on_the_pages_are_right);
}
