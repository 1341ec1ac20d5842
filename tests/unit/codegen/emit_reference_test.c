/* The Markdown reference: what it says of a contract, and that a contract's words stay words. */
#include "codegen/emit.h"

#include "tests/unit/codegen/compile.h"

#include <stdio.h>

static const char contract[] =
    "schema: {name: farm, id: 5, version: 3, min_compatible: 2}\n"
    "tag_ranges: {core: 1-9, app: {range: 10-99, unknown: skip}}\n"
    "rules: [known_barn]\n"
    "enums: {Coat: {type: i8, open: true, description: 'How it looks', values: {brown: -1, white: 4}}}\n"
    "types: {Spot: {description: 'A spot | on a coat', fields: {x: u16, coat: Coat}},\n"
    "  Tag: {is: '[u8; 4]', description: 'On an ear | or two'}, Herd: {is: 'Vec<Spot>'}}\n"
    "messages:\n"
    "  Cow:\n"
    "    tlv_type: 12\n"
    "    domain: Meadow\n"
    "    description: \"A [cow](http://x) <script>\"\n"
    "    sensitivity: personal\n"
    "    required_prior_messages: [Barn]\n"
    "    reserve: 16\n"
    "    fields:\n"
    "      coat: {type: Coat, validation: [{one_of: [white, brown]}]}\n"
    "      spots: {type: 'Vec<Spot>', validation: [{max_length: 7}, {not_empty: true}]}\n"
    "      name: {type: String, optional: true, default: 'a|b', validation: [{max_length: 9}, {prefix: a}]}\n"
    "      bell: {type: u32, since: 3, default: 0x10, unit: 'mm_', validation: [{min: 0x10}]}\n"
    "      horn: {type: u8, retired: true}\n"
    "  Barn: {tlv_type: 10, fields: {number: {type: u64, validation: [{known_barn: true}]}}}\n"
    "  Pig: {tlv_type: 11, retired: true}\n";

static bpt_compiled c;
static const char *page;

static void set_up(void) {
    c = bpt_compile_good(contract);
    cg_outputs outputs = {.arena = c.arena};
    ck_assert_msg(cg_emit(c.model, CG_PART_REFERENCE, &outputs) == CG_OK, "%s", outputs.error);
    ck_assert_uint_eq(outputs.count, 1);
    ck_assert_str_eq(outputs.items[0].name, "farm_reference.md");
    page = outputs.items[0].text;
}

static void tear_down(void) { bpt_compiled_free(&c); }

static void check_lines(const char *const *lines, size_t count) {
    for (size_t i = 0; i < count; i++) ck_assert_msg(strstr(page, lines[i]) != NULL, "missing: %s\n%s", lines[i], page);
}

/* Offsets by hand: block_len 0, count of spots 2, bitmap 4, coat 5, name 6 to 15, horn 16; version 3 pads up to 20. */
START_TEST(fields_are_told_with_rules_and_places) {
    static const char *const lines[] = {
        "\n| coat | [`Coat`](#enum-coat) | 1 |  |  | one_of white \\| brown |  | 5 | 1 |  |  |\n",
        "\n| spots | [`Vec<Spot>`](#type-spot) | 1 |  |  | max_length 7, not_empty |  | 2 | 2 | up to 28 |  |\n",
        "\n| name | `String` | 1 | optional | \"a\\|b\" | max_length 9, prefix \"a\" |  | 6 | 10 |  |  |\n",
        "\n| bell | `u32` | 3 |  | 0x10 | min 0x10 | mm\\_ | 20 | 4 |  |  |\n",
        "\n| ~~horn~~ | `u8` | 1 | retired |  |  |  | 16 | 1 |  |  |\n",
        "\n- Version 1 ends the block at 17 with spots, coat, name, horn.\n",
        "\n- Version 3 ends the block at 24 with bell.\n",
    };
    check_lines(lines, sizeof lines / sizeof lines[0]);
}
END_TEST

START_TEST(messages_are_told_and_linked) {
    static const char *const lines[] = {
        "\n| 0x00000005 | 3 | 2 | 0x",
        "\n| 12 | [Cow](#message-cow) | Meadow | 24 | 52 | 128 | A \\[cow\\](http://x) \\<script\\> |\n",
        "\n### <a id=\"message-cow\"></a>Cow\nA \\[cow\\](http://x) \\<script\\>\n",
        "\n| size | 24 to 52 bytes, typically 52; block 24 |\n",
        "\n| size | always 8 bytes |\n",
        "\n| sensitivity | personal: buffers are wiped, values are redacted when printed |\n",
        "\n| comes after | [Barn](#message-barn) |\n",
        ", 16 in reserve |\n",
        "\n| 64 | [Barn](#message-barn) |\n",
        "\n| app | 10 to 99 | passed over |\n",
        "\nNever to be used again: 11 (Pig).\n",
    };
    check_lines(lines, sizeof lines / sizeof lines[0]);
}
END_TEST

START_TEST(types_enums_and_hooks_are_told) {
    static const char *const lines[] = {
        "\n### <a id=\"type-spot\"></a>Spot\nA spot \\| on a coat\n\n4 bytes, aligned to 2.\n",
        ("\n| other name | stands for | |\n|---|---|---|\n"
         "| Tag | `[u8; 4]` | On an ear \\| or two |\n| Herd | `Vec<Spot>` |  |\n"),
        "\n### <a id=\"enum-coat\"></a>Coat\nHow it looks\n\n`i8`; other numbers are kept.\n",
        "\n| -1 | brown |  |\n",
        "\n| <a id=\"hook-known_barn\"></a>known_barn | an unsigned integer | no connection starts |  |\n",
    };
    check_lines(lines, sizeof lines / sizeof lines[0]);
}
END_TEST

/* Every link leads to an anchor of the page. */
START_TEST(no_link_leads_nowhere) {
    size_t count = 0;
    for (const char *at = strstr(page, "](#"); at != NULL; at = strstr(at + 1, "](#"), count++) {
        char anchor[100];
        snprintf(anchor, sizeof anchor, "<a id=\"%.*s\"></a>", (int)strcspn(at + 3, ")"), at + 3);
        ck_assert_msg(strstr(page, anchor) != NULL, "%s", anchor);
    }
    ck_assert_uint_ge(count, 8);
}
END_TEST

BPT_SUITE(codegen_emit_reference) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    BPT_TEST(fields_are_told_with_rules_and_places);
    BPT_TEST(messages_are_told_and_linked);
    BPT_TEST(types_enums_and_hooks_are_told);
    BPT_TEST(no_link_leads_nowhere);
}
