#include "codegen/text.h"
#include "tests/support/suite.h"

#include <string.h>

START_TEST(a_text_grows_at_its_end) {
    cg_text text = {.arena = cg_arena_new()};
    ck_assert_str_eq(cg_text_end(&text), "");
    for (int i = 0; i < 1000; i++) cg_text_format(&text, "%03d,", i);
    cg_text_add(&text, "end", 3);
    const char *whole = cg_text_end(&text);
    ck_assert_uint_eq(strlen(whole), 4003);
    ck_assert_uint_eq(text.length, 4003);
    ck_assert(strncmp(whole, "000,001,", 8) == 0 && strcmp(whole + 3996, "999,end") == 0);
    cg_arena_free_take(&text.arena);
}
END_TEST

START_TEST(json_strings_are_quoted_and_escaped) {
    cg_text text = {.arena = cg_arena_new()};
    cg_text_add_json(&text, "a\"b\\c\n\t\x01 größe");
    ck_assert_str_eq(cg_text_end(&text), "\"a\\\"b\\\\c\\u000a\\u0009\\u0001 größe\"");
    cg_arena_free_take(&text.arena);
}
END_TEST

START_TEST(formats_longer_than_the_room_are_whole) {
    cg_text text = {.arena = cg_arena_new()};
    char wide[3000];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    cg_text_format(&text, "<%s>", wide);
    const char *whole = cg_text_end(&text);
    ck_assert_uint_eq(strlen(whole), sizeof wide + 1);
    ck_assert_int_eq(whole[sizeof wide], '>');
    cg_arena_free_take(&text.arena);
}
END_TEST

BPT_SUITE(codegen_text) {
    BPT_TEST(a_text_grows_at_its_end);
    BPT_TEST(json_strings_are_quoted_and_escaped);
    BPT_TEST(formats_longer_than_the_room_are_whole);
}
