/* Retired fields: written as zeros where they always were, and not looked at when an old writer filled them. The layout
 * of Leaving, by version 1: keep at 0, maybe at 4, block_len at 8, number at 10, counts of words, list, steps (with its
 * stride) and last at 12, 14, 16 and 20, bitmap at 22, side at 23, short_text at 24: 31. Version 2 adds a bitmap at 31
 * and fresh at 32. Tail: list, steps, words, last. */
#include "tests/support/suite.h"

#include "evolve_v1.h"
#include "evolve_v2.h"
#include "evolve_v3.h"

#include <string.h>

enum { ROOM = 256 };

static const evolve_v1_leaving full = {
    .keep = 1,
    .number = 2,
    .has_side = true,
    .side = EVOLVE_V1_SIDE_SELL,
    .has_maybe = true,
    .maybe = 4,
    .short_text = "short",
    .short_text_length = 5,
    .words = "some words",
    .words_length = 10,
    .has_list = true,
    .list = {5, 6},
    .list_count = 2,
    .steps = {{.price = 7, .side = EVOLVE_V1_SIDE_BUY}},
    .steps_count = 1,
    .last = {8, 9},
    .last_length = 2,
};

static uint32_t write_full(uint8_t out[ROOM]) {
    uint32_t length = 0;
    bpt_ok(evolve_v1_leaving_encode(&full, out, ROOM, &length));
    ck_assert_uint_eq(length, 32 + 16 + 8 + 10 + 2);
    return length;
}

static bp_err read_both(const uint8_t *value, uint32_t length, evolve_v2_leaving *out) {
    evolve_v2_leaving_view view;
    const bp_err viewed = evolve_v2_leaving_view_init(value, length, &view);
    const bp_err decoded = evolve_v2_leaving_decode(value, length, out);
    ck_assert_str_eq(bp_err_name(decoded), bp_err_name(viewed));
    if (viewed != BP_OK) return viewed;
    ck_assert_uint_eq(evolve_v2_leaving_get_keep(&view), out->keep);
    ck_assert_uint_eq(evolve_v2_leaving_get_last(&view).length, out->last_length);
    return BP_OK;
}

START_TEST(what_an_old_writer_put_into_a_retired_field_is_passed_over) {
    uint8_t value[ROOM];
    evolve_v2_leaving new;
    bpt_ok(read_both(value, write_full(value), &new));
    ck_assert_uint_eq(new.keep, 1);
    ck_assert_uint_eq(new.last_length, 2);
    ck_assert(new.last[0] == 8 && new.last[1] == 9);
    ck_assert(!new.has_fresh);
}
END_TEST

/* No bool, enum, text or element of it is looked at, nor whether an absent one is zero. */
START_TEST(the_bytes_of_a_retired_field_may_be_anything) {
    static const struct {
        uint32_t at, size;
    } places[] = {{4, 4}, {10, 2}, {23, 1}, {24, 7}, {32, 16}, {48, 8}, {56, 10}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint8_t value[ROOM];
        evolve_v2_leaving new;
        const uint32_t length = write_full(value);
        memset(value + places[i].at, 0xFF, places[i].size);
        value[22] = 0; /* no retired field is there, says the bitmap, which is not asked */
        bpt_ok(read_both(value, length, &new));
        ck_assert(new.keep == 1 && new.last_length == 2 && new.last[1] == 9);
    }
}
END_TEST

/* What follows it must be found: its count, its stride, its padding. */
START_TEST(the_run_of_a_retired_field_is_found_as_ever) {
    static const struct {
        uint32_t at;
        uint8_t value;
        bp_err expected;
    } cases[] = {
        {12, 41, BP_ERR_BOUND},      /* words */
        {12, 40, BP_ERR_TRUNCATED},  /* more than there are */
        {12, 9, BP_ERR_MALFORMED},   /* one byte is left */
        {14, 5, BP_ERR_BOUND},       /* list */
        {16, 4, BP_ERR_BOUND},       /* steps */
        {18, 9, BP_ERR_MALFORMED},   /* its stride */
        {18, 12, BP_ERR_MALFORMED},
        {18, 20, BP_ERR_TRUNCATED},
        {31, 1, BP_ERR_MALFORMED},   /* padding before list */
        {22, 0x08, BP_ERR_MALFORMED} /* a bit that no field ever had */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t value[ROOM];
        evolve_v2_leaving new;
        const uint32_t length = write_full(value);
        value[cases[i].at] = cases[i].value;
        bpt_err(read_both(value, length, &new), cases[i].expected);
    }
}
END_TEST

START_TEST(a_retired_field_is_written_as_zeros) {
    const evolve_v2_leaving new = {.keep = 1, .last = {9}, .last_length = 1, .has_fresh = true, .fresh = 3};
    const uint8_t expected[34] = {1, 0, 0, 0, [8] = 33, [18] = 20, [20] = 1, [31] = 1, [32] = 3, [33] = 9};
    uint8_t value[ROOM];
    uint32_t length = 0;
    memset(value, 0xEE, sizeof value);
    bpt_ok(evolve_v2_leaving_encode(&new, value, sizeof value, &length));
    ck_assert_uint_eq(length, sizeof expected);
    ck_assert_mem_eq(value, expected, sizeof expected);
}
END_TEST

START_TEST(an_old_reader_sees_zeros) {
    const evolve_v2_leaving new = {.keep = 1, .last = {9}, .last_length = 1};
    evolve_v1_leaving old;
    uint8_t value[ROOM];
    uint32_t length = 0;
    bpt_ok(evolve_v2_leaving_encode(&new, value, sizeof value, &length));
    bpt_ok(evolve_v1_leaving_decode(value, length, &old));
    ck_assert(old.keep == 1 && old.last_length == 1 && old.last[0] == 9);
    ck_assert(old.number == 0 && !old.has_side && !old.has_maybe && !old.has_list);
    ck_assert(old.short_text_length == 0 && old.words_length == 0 && old.steps_count == 0);
}
END_TEST

START_TEST(nothing_of_a_retired_field_is_printed_or_counted) {
    uint8_t value[ROOM];
    evolve_v2_leaving_view view;
    char text[ROOM];
    bpt_ok(evolve_v2_leaving_view_init(value, write_full(value), &view));
    (void)evolve_v2_leaving_print(&view, text, sizeof text);
    ck_assert_str_eq(text, "{\"keep\":1,\"last\":\"0x0809\"}");
    ck_assert_uint_eq(EVOLVE_V2_LEAVING_MAX, EVOLVE_V2_LEAVING_BLOCK + 40);
    ck_assert_uint_eq(EVOLVE_V3_LEAVING_MAX, EVOLVE_V3_LEAVING_BLOCK);
    ck_assert_uint_ge(EVOLVE_V3_LEAVING_ACCEPT_MAX, EVOLVE_V1_LEAVING_MAX);
}
END_TEST

BPT_SUITE(generated_retired) {
    BPT_TEST(what_an_old_writer_put_into_a_retired_field_is_passed_over);
    BPT_TEST(the_bytes_of_a_retired_field_may_be_anything);
    BPT_TEST(the_run_of_a_retired_field_is_found_as_ever);
    BPT_TEST(a_retired_field_is_written_as_zeros);
    BPT_TEST(an_old_reader_sees_zeros);
    BPT_TEST(nothing_of_a_retired_field_is_printed_or_counted);
}
