/* What a validator makes of the JSON Schema is for `make check-schema`; here is that it says all that keys.def does. */
#include "codegen/schema_json.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static cg_text text;

static void write_schema(void) {
    text = (cg_text){.arena = cg_arena_new()};
    cg_schema_json(&text);
    (void)cg_text_end(&text);
}
static void free_schema(void) { cg_arena_free_take(&text.arena); }

START_TEST(every_key_is_a_property_with_its_text) {
    for (size_t i = 0; i < cg_key_count; i++) {
        char expected[512];
        if (cg_keys[i].state == CG_KEY_IGNORED) continue;
        snprintf(expected, sizeof expected, "\"%s\":{\"description\":\"%s\"", cg_keys[i].name, cg_keys[i].text);
        ck_assert_msg(strstr(text.data, expected) != NULL, "%s", expected);
    }
}
END_TEST

START_TEST(needed_ignored_words_bounds_and_defaults_are_said) {
    static const char *const parts[] = {
        "\"required\":[\"tlv_type\"]",
        "\"required\":[\"type\",\"values\"]",
        "\"^(rust_type|rkyv|schema_version|serialization|digest_algo|domains|invariants)$\":true",
        "\"enum\":[\"fail\",\"skip\",\"deliver\"],\"default\":\"fail\"}",
        "\"minimum\":1,\"maximum\":65535},",
        "\"default\":false}",
        "\"default\":1}",
        "\"examples\":[\"u64\",\"String\",\"Vec<Level>\",\"[u8; 20]\"]",
        "\"additionalProperties\":{\"$ref\":\"#/definitions/boolean\"}",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        ck_assert_msg(strstr(text.data, parts[i]) != NULL, "%s", parts[i]);
    }
}
END_TEST

/* Brackets and quotes match, outside of strings: enough to see that nothing is left open. */
START_TEST(it_is_well_formed) {
    int depth = 0;
    bool is_string = false;
    for (const char *at = text.data; *at != '\0'; at++) {
        if (*at == '"') is_string = !is_string;
        if (is_string && *at == '\\') at++;
        if (is_string) continue;
        depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
        ck_assert_int_ge(depth, 0);
    }
    ck_assert_int_eq(depth, 0);
    ck_assert(!is_string);
}
END_TEST

BPT_SUITE(codegen_schema_json) {
    tcase_add_checked_fixture(tcase, write_schema, free_schema);
    BPT_TEST(every_key_is_a_property_with_its_text);
    BPT_TEST(needed_ignored_words_bounds_and_defaults_are_said);
    BPT_TEST(it_is_well_formed);
}
