#include "codegen/source.h"
#include "tests/support/suite.h"

#include <string.h>

START_TEST(lines_end_in_three_ways) {
    static const char text[] = "a\nbc\r\n\rd";
    cg_arena *arena = cg_arena_new();
    const cg_source *source = cg_source_of(arena, "x", text, sizeof text - 1);
    static const struct { uint32_t start, end; } lines[] = {{0, 1}, {2, 4}, {6, 6}, {7, 8}};
    ck_assert_uint_eq(source->line_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const cg_span span = cg_source_line_span(source, i);
        ck_assert_uint_eq(span.start, lines[i].start);
        ck_assert_uint_eq(span.end, lines[i].end);
        ck_assert_uint_eq(cg_source_line(source, span.start), i);
    }
    ck_assert_uint_eq(cg_source_line(source, sizeof text - 1), 3);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(offsets_of_characters_are_exact_everywhere) {
    enum { COUNT = 3000 };
    static const char *const kinds[] = {"x", "é", "€", "😀"};
    char text[4 * COUNT + 1] = "";
    uint32_t offsets[COUNT + 1];
    size_t length = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const char *kind = kinds[i * 7 % 4];
        offsets[i] = (uint32_t)length;
        memcpy(text + length, kind, strlen(kind));
        length += strlen(kind);
    }
    offsets[COUNT] = (uint32_t)length;
    cg_arena *arena = cg_arena_new();
    const cg_source *source = cg_source_of(arena, "x", text, length);
    for (size_t i = 0; i <= COUNT; i++) ck_assert_uint_eq(cg_source_offset(source, i), offsets[i]);
    ck_assert_uint_eq(cg_source_offset(source, COUNT + 100000), length);
    ck_assert_uint_eq(cg_source_char_count(source, (cg_span){0, (uint32_t)length}), COUNT);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(the_first_bad_byte_is_found) {
    static const char text[] = "ok é \x80 rest";
    cg_arena *arena = cg_arena_new();
    const cg_source *source = cg_source_of(arena, "x", text, sizeof text - 1);
    ck_assert_uint_eq(source->bad_at, 6);
    const cg_source *good = cg_source_of(arena, "x", "é", 2);
    ck_assert_uint_eq(good->bad_at, good->length);
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_source) {
    BPT_TEST(lines_end_in_three_ways);
    BPT_TEST(offsets_of_characters_are_exact_everywhere);
    BPT_TEST(the_first_bad_byte_is_found);
}
