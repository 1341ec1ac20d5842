#include "tests/support/wire_page.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_MAX = 1 << 18 };

const char *bpt_wire_page(cg_arena *arena) {
    char *page = cg_arena_alloc(arena, PAGE_MAX);
    FILE *file = fopen("docs/WIRE.md", "rb");
    ck_assert_ptr_nonnull(file);
    const size_t length = fread(page, 1, PAGE_MAX - 1, file);
    fclose(file);
    page[length] = '\0';
    return page;
}

const char *bpt_wire_block(cg_arena *arena, const char *page, const char *heading, const char *language) {
    const char *fence = cg_arena_format(arena, "\n```%s\n", language);
    const char *at = strstr(page, heading);
    ck_assert_msg(at != NULL, "docs/WIRE.md has no '%s'", heading);
    at = strstr(at, fence);
    ck_assert_msg(at != NULL, "docs/WIRE.md has no block '%s' behind '%s'", language, heading);
    at += strlen(fence);
    const char *end = strstr(at, "\n```");
    ck_assert_ptr_nonnull(end);
    return cg_arena_copy(arena, at, (size_t)(end + 1 - at));
}
