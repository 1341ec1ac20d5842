/* Bytes on the wire, derived by hand from the rules of placement: groups, bitmaps, block_len, inline, tail, padding.
 * The contract is the tests' own (tests/contracts/zoo.yaml), so its numbers may stand here. */
#include "tests/support/suite.h"

#include "zoo.h"

#include <string.h>

/* Group 1, 0..10: first u64 at 0, bitmap at 8, flag at 9. Group 2, 10..34: block_len at 10, second u32 at 12, spot at
 * 16, count of name at 32. Group 3, 34..46: third u16 at 34, count of list at 36, bitmap at 38, code at 39. Tail: name,
 * then list at the next multiple of 8. */
static const uint8_t grown[64] = {
    8,    7,    6,    5,    4, 3, 2, 1, /* first */
    1,    1,                            /* bitmap: flag; flag */
    46,   0,                            /* block_len */
    0x0D, 0x0C, 0x0B, 0x0A,             /* second */
    1,    0,    0,    0,    0, 0, 0, 0, /* spot.x */
    2,    0,    0,    0,    0, 0, 0, 0, /* spot.y */
    3,    0,                            /* bytes of name */
    0x22, 0x11,                         /* third */
    1,    0,                            /* elements of list */
    1,                                  /* bitmap: third */
    2,    'h',  'i',  0,    0, 0, 0,    /* code */
    'a',  'b',  'c',                    /* name */
    0,    0,    0,    0,    0, 0, 0,    /* up to 56 */
    5,    0,    0,    0,    0, 0, 0, 0, /* list[0] */
};

static const zoo_grown grown_message = {
    .first = 0x0102030405060708,
    .has_flag = true,
    .flag = true,
    .second = 0x0A0B0C0D,
    .name = "abc",
    .name_length = 3,
    .spot = {1, 2},
    .has_third = true,
    .third = 0x1122,
    .list = {5},
    .list_count = 1,
    .code = "hi",
    .code_length = 2,
};

START_TEST(groups_bitmaps_and_tails_are_placed) {
    uint8_t out[ZOO_GROWN_MAX];
    uint32_t length = 0;
    bpt_ok(zoo_grown_encode(&grown_message, out, sizeof out, &length));
    ck_assert_uint_eq(length, sizeof grown);
    ck_assert_mem_eq(out, grown, sizeof grown);
    ck_assert_uint_eq(ZOO_GROWN_BLOCK, 46);
    ck_assert_uint_eq(ZOO_GROWN_MIN, 46);
    ck_assert_uint_eq(ZOO_GROWN_MAX, 96 + 3 * 8);
    ck_assert_uint_eq(ZOO_GROWN_ACCEPT_MIN, 10);
    ck_assert_uint_eq(ZOO_GROWN_CLASS, 256);
}
END_TEST

/* d (two u64) at 0, i at 16, block_len at 20, bitmap at 22, counts of f and g at 24 and 26, h at 28, a b c at 34, e at
 * 37; in the tail g, which is aligned to 8, before f. */
START_TEST(optional_fields_keep_their_slots) {
    zoo_optionals message = ZOO_OPTIONALS_INIT;
    uint8_t out[ZOO_OPTIONALS_MAX], expected[48] = {0};
    uint32_t length = 0;
    expected[20] = 48;
    bpt_ok(zoo_optionals_encode(&message, out, sizeof out, &length));
    ck_assert_uint_eq(length, 48);
    ck_assert_mem_eq(out, expected, 48);
    message.has_i = true;
    message.i = 0x01020304;
    message.has_b = true;
    message.has_g = true;
    message.g_count = 1;
    message.g[0].x = 0xEE;
    message.has_f = true;
    message.f_length = 1;
    message.f[0] = 'f';
    message.h[0] = 7; /* absent all the same */
    memcpy(expected + 16, (const uint8_t[]){4, 3, 2, 1}, 4);
    memcpy(expected + 22, (const uint8_t[]){0x62, 0x01, 1, 0, 1, 0}, 6); /* bits 1, 5, 6 and 8 */
    bpt_ok(zoo_optionals_encode(&message, out, sizeof out, &length));
    ck_assert_uint_eq(length, 48 + 16 + 1);
    ck_assert_mem_eq(out, expected, 48);
    ck_assert_uint_eq(out[48], 0xEE);
    ck_assert_uint_eq(out[64], 'f');
}
END_TEST

/* weight at 0, colour at 8, flag at 9, label at 10 (count and four bytes), one byte of padding. */
START_TEST(types_are_rounded_up_to_their_alignment) {
    zoo_rules message = ZOO_RULES_INIT;
    uint8_t out[ZOO_RULES_MAX];
    uint32_t length = 0;
    const uint8_t tagged[16] = {9, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 'o', 'k', 0, 0, 0};
    message.colour = ZOO_COLOUR_RED;
    message.list_count = 1;
    message.list[0] =
        (zoo_tagged){.colour = ZOO_COLOUR_BLUE, .flag = true, .weight = 9, .label = "okXX", .label_length = 2};
    bpt_ok(zoo_rules_encode(&message, out, sizeof out, &length));
    ck_assert_uint_eq(ZOO_TAGGED_SIZE, 16);
    ck_assert_mem_eq(out + length - 16, tagged, 16);
}
END_TEST

/* One changed byte of the vector above, and what is said about it. */
static const struct {
    uint32_t at;
    uint8_t value;
    bp_err expected;
} changes[] = {
    {8, 0x00, BP_ERR_MALFORMED}, /* flag is not zero though absent */
    {8, 0x03, BP_ERR_MALFORMED}, /* a bit that no field has */
    {9, 0x02, BP_ERR_MALFORMED}, /* no bool */
    {9, 0x00, BP_OK},
    {10, 45, BP_ERR_MALFORMED}, /* no end of a group */
    {10, 65, BP_ERR_TRUNCATED}, /* a block beyond the value */
    {11, 0xFF, BP_ERR_TRUNCATED},
    {32, 51, BP_ERR_BOUND}, /* name */
    {32, 50, BP_ERR_TRUNCATED},
    {32, 4, BP_OK},        /* name takes one byte of padding, which is zero */
    {36, 4, BP_ERR_BOUND}, /* list */
    {36, 2, BP_ERR_TRUNCATED},
    {36, 0, BP_ERR_MALFORMED}, /* bytes behind the tails */
    {38, 0, BP_ERR_MALFORMED}, /* third is not zero though absent */
    {39, 7, BP_ERR_BOUND},     /* code */
    {39, 1, BP_ERR_MALFORMED}, /* slack of code is not zero */
    {45, 1, BP_ERR_MALFORMED},
    {49, 1, BP_ERR_MALFORMED}, /* padding of the tail */
    {55, 1, BP_ERR_MALFORMED},
    {46, 0xFF, BP_OK}, /* UTF-8 is a rule */
};

START_TEST(one_changed_byte) {
    uint8_t value[sizeof grown];
    zoo_grown message;
    zoo_grown_view view;
    memcpy(value, grown, sizeof grown);
    value[changes[_i].at] = changes[_i].value;
    bpt_err(zoo_grown_decode(value, sizeof value, &message), changes[_i].expected);
    bpt_err(zoo_grown_view_init(value, sizeof value, &view), changes[_i].expected);
}
END_TEST

START_TEST(enums_are_closed_unless_they_are_open) {
    zoo_scalars message = ZOO_SCALARS_INIT;
    uint8_t out[ZOO_SCALARS_MAX];
    uint32_t length = 1;
    bpt_err(zoo_scalars_encode(&message, out, sizeof out, &length), BP_ERR_MALFORMED);
    ck_assert_uint_eq(length, 0);
    message.n = ZOO_COLOUR_GREEN;
    message.o = 1234;
    bpt_ok(zoo_scalars_encode(&message, out, sizeof out, &length));
    zoo_scalars back;
    bpt_ok(zoo_scalars_decode(out, length, &back));
    ck_assert_int_eq(back.o, 1234);
    ck_assert(zoo_level_name(back.o) == NULL);
    ck_assert_str_eq(zoo_colour_name(back.n), "green");
    ck_assert_int_eq(ZOO_LEVEL_LOW, -1);
}
END_TEST

START_TEST(a_null_pointer_with_a_count_is_an_argument_error) {
    zoo_containers message = ZOO_CONTAINERS_INIT;
    uint32_t size = 1;
    for (int i = 0; i < 3; i++) message.colours[i] = ZOO_COLOUR_RED;
    bpt_ok(zoo_containers_size(&message, &size));
    message.blob_length = 1;
    bpt_err(zoo_containers_size(&message, &size), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(pointers_are_into_the_value) {
    zoo_containers message = ZOO_CONTAINERS_INIT, back;
    static uint8_t out[ZOO_CONTAINERS_MAX];
    const uint8_t bytes[] = {1, 2, 3};
    uint32_t length = 0;
    for (int i = 0; i < 3; i++) message.colours[i] = ZOO_COLOUR_RED;
    message.blob = bytes;
    message.blob_length = sizeof bytes;
    bpt_ok(zoo_containers_encode(&message, out, sizeof out, &length));
    bpt_ok(zoo_containers_decode(out, length, &back));
    ck_assert_uint_eq(back.blob_length, 3);
    ck_assert(back.blob >= out && back.blob + back.blob_length <= out + length);
    ck_assert_mem_eq(back.blob, bytes, 3);
}
END_TEST

/* block_len at 0, grid at 2, counts of words and rows at 10 and 12, marks at 14: a block of 20. An element of words
 * takes a count and 3 bytes, one of rows a count, 3 bytes of padding and 8; rows come first in the tail, as they
 * need 4. */
static const uint8_t cells[40] = {
    20, 0,                                   /* block_len */
    1,  0,   2,   0, 3, 0, 4, 0,             /* grid */
    2,  0,                                   /* elements of words */
    1,  0,                                   /* elements of rows */
    1,  9,   0,   2, 8, 7,                   /* marks */
    2,  0,   0,   0, 5, 0, 0, 0, 6, 0, 0, 0, /* rows[0] */
    2,  'a', 'b', 0, 0, 0, 0, 0,             /* words */
};

START_TEST(elements_lie_as_inline_types_rounded_up) {
    static const zoo_cells message = {
        .grid = {{{1, 2}}, {{3, 4}}},
        .words = {{"ab", 2}, {"", 0}},
        .words_count = 2,
        .rows = {{{5, 6}, 2}},
        .rows_count = 1,
        .marks = {{{9}, 1}, {{8, 7}, 2}},
    };
    uint8_t out[ZOO_CELLS_MAX];
    uint32_t length = 0;
    bpt_ok(zoo_cells_encode(&message, out, sizeof out, &length));
    ck_assert_uint_eq(length, sizeof cells);
    ck_assert_mem_eq(out, cells, sizeof cells);
    ck_assert_uint_eq(ZOO_CELLS_BLOCK, 20);
    ck_assert_uint_eq(ZOO_CELLS_MAX, 20 + 2 * 12 + 2 * 4);
}
END_TEST

START_TEST(elements_are_read_and_printed_as_themselves) {
    char text[256];
    zoo_cells_view view;
    bpt_ok(zoo_cells_view_init(cells, sizeof cells, &view));
    ck_assert_uint_eq(zoo_cells_grid_at(&view, 1).items[0], 3);
    ck_assert_str_eq(zoo_cells_words_at(&view, 0).text, "ab");
    ck_assert_uint_eq(zoo_cells_words_at(&view, 1).text_length, 0);
    ck_assert_uint_eq(zoo_cells_rows_at(&view, 0).items_count, 2);
    ck_assert_uint_eq(zoo_cells_marks_at(&view, 0).bytes[0], 9);
    zoo_cells_print(&view, text, sizeof text);
    ck_assert_str_eq(text, "{\"grid\":[[1,2],[3,4]],\"words\":[\"ab\",\"\"],\"rows\":[[5,6]],"
                           "\"marks\":[\"0x09\",\"0x0807\"]}");
}
END_TEST

/* Bytes in the order of the message: every one that must be zero, and counts and text that may not be so. */
START_TEST(what_is_wrong_in_an_element_is_found) {
    static const struct {
        size_t at;
        uint8_t value;
        bp_err err;
    } cases[] = {
        {16, 1, BP_ERR_MALFORMED}, /* behind the one byte of marks[0] */
        {17, 3, BP_ERR_BOUND},     /* count of marks[1] */
        {21, 1, BP_ERR_MALFORMED}, /* padding of rows[0] */
        {20, 3, BP_ERR_BOUND},     /* its count */
        {20, 1, BP_ERR_MALFORMED}, /* its slack: 6 is there, but not used */
        {35, 1, BP_ERR_MALFORMED}, /* slack of words[0] */
        {36, 4, BP_ERR_BOUND},     /* count of words[1] */
        {33, 0xFF, BP_ERR_RULE},   /* no UTF-8 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t value[sizeof cells];
        const char *field = NULL;
        zoo_cells_view view;
        zoo_cells message;
        memcpy(value, cells, sizeof cells);
        value[cases[i].at] = cases[i].value;
        bp_err err = zoo_cells_view_init(value, sizeof value, &view);
        ck_assert_int_eq(zoo_cells_decode(value, sizeof value, &message), err);
        if (err == BP_OK) err = zoo_cells_validate(&view, &field);
        ck_assert_msg(err == cases[i].err, "case %zu: %s", i, bp_err_text(err));
        if (err == BP_ERR_RULE) ck_assert_str_eq(field, "words");
    }
}
END_TEST

BPT_SUITE(generated_wire) {
    BPT_TEST(groups_bitmaps_and_tails_are_placed);
    BPT_TEST(elements_lie_as_inline_types_rounded_up);
    BPT_TEST(elements_are_read_and_printed_as_themselves);
    BPT_TEST(what_is_wrong_in_an_element_is_found);
    BPT_TEST(optional_fields_keep_their_slots);
    BPT_TEST(types_are_rounded_up_to_their_alignment);
    BPT_LOOP_TEST(one_changed_byte, 0, (int)(sizeof changes / sizeof changes[0]));
    BPT_TEST(enums_are_closed_unless_they_are_open);
    BPT_TEST(a_null_pointer_with_a_count_is_an_argument_error);
    BPT_TEST(pointers_are_into_the_value);
}
