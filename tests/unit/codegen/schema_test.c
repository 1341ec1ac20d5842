#include "codegen/schema.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>
#include <stdlib.h>

static char *read_reference(void) {
    FILE *file = fopen("docs/CONTRACTS.md", "rb");
    ck_assert_msg(file != NULL, "the tests are run from the root of the source tree");
    char *text = calloc(1, 1 << 20);
    ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, file), 0);
    fclose(file);
    return text;
}

START_TEST(the_reference_s_example_is_a_contract) {
    char *reference = read_reference();
    char *start = strstr(reference, "```yaml\n");
    ck_assert_ptr_nonnull(start);
    start += strlen("```yaml\n");
    *strstr(start, "```") = '\0';
    bpt_compiled c = bpt_compile_good(start);
    ck_assert_uint_eq(c.model->message_count, 1);
    bpt_compiled_free(&c);
    free(reference);
}
END_TEST

START_TEST(rows_of_one_place_stand_together_and_are_distinct) {
    for (size_t i = 0; i < cg_key_count; i++) {
        for (size_t k = 0; k < i; k++) {
            ck_assert(cg_keys[i].where != cg_keys[k].where || strcmp(cg_keys[i].name, cg_keys[k].name) != 0);
            ck_assert(cg_keys[i].where != cg_keys[k].where || cg_keys[i].where == cg_keys[i - 1].where);
        }
    }
}
END_TEST

START_TEST(sizes_in_bytes_may_have_a_unit) {
    static const struct {
        const char *text;
        bool is_good;
        uint64_t value;
    } cases[] = {{"0", true, 0},
                 {"4096", true, 4096},
                 {"64KiB", true, 65536},
                 {"256MiB", true, 1u << 28},
                 {"3GiB", true, UINT64_C(3) << 30},
                 {"0x10KiB", true, 16384},
                 {"17179869184GiB", false, 0},
                 {"KiB", false, 0},
                 {"1 KiB", false, 0},
                 {"1kib", false, 0},
                 {"1KB", false, 0},
                 {"-1KiB", false, 0},
                 {"1.5MiB", false, 0},
                 {"18446744073709551615", true, UINT64_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 0;
        ck_assert_msg(cg_read_bytes(cases[i].text, &value) == cases[i].is_good, "%s", cases[i].text);
        ck_assert_uint_eq(value, cases[i].value);
    }
}
END_TEST

START_TEST(a_word_is_one_of_its_key_s) {
    bpt_compiled c = bpt_compile("tag_ranges: {app: {range: 1-9, unknown: skpi}}\n"
                                 "messages: {Ping: {tlv_type: 1, fields: {a: {type: \"bytes<9>\", wire: outside}}}}\n");
    const char *said = cg_diags_print(&c.diags);
    ck_assert_ptr_nonnull(
        strstr(said, "E0207]: 'unknown' is fail, skip or deliver, not 'skpi'; did you mean 'skip'?\n"));
    ck_assert_ptr_nonnull(strstr(said, "E0207]: 'wire' is inline or tail, not 'outside'\n"));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(another_dialect_s_contract_compiles_with_warnings) {
    bpt_compiled c =
        bpt_compile_good("schema: {id: 3, version: 1, min_compatible: 1, digest_algo: blake3}\n"
                         "domains: {Game: {range: 1}}\ninvariants: [some]\n"
                         "types: {U256: {description: wide, serialization: rkyv}}\n"
                         "messages:\n  PlayerPosition:\n    tlv_type: 17\n    domain: Game\n    fields:\n"
                         "      x: {type: f64, description: d, rust_type: f64, validation: [{min: 0.0}]}\n"
                         "      y: {type: f64, rkyv: true}\n      z: {type: \"[u8; 20]\", optional: true}\n"
                         "      amount: {type: U256, validation: [{not_zero: true}]}\n");
    ck_assert_uint_eq(c.diags.warning_count, 7);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_schema) {
    BPT_TEST(the_reference_s_example_is_a_contract);
    BPT_TEST(rows_of_one_place_stand_together_and_are_distinct);
    BPT_TEST(sizes_in_bytes_may_have_a_unit);
    BPT_TEST(a_word_is_one_of_its_key_s);
    BPT_TEST(another_dialect_s_contract_compiles_with_warnings);
}
