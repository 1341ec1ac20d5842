#define _POSIX_C_SOURCE 200809L
/* X_place: what X_encode writes, but for the bytes that end the value. That both agree about every value is checked
 * wherever generated code is held against the interpreter. */
#include "tests/support/suite.h"

#include "locked.h"
#include "market.h"

#include <string.h>
#include <unistd.h>

enum { UNTOUCHED = 0xA5 };

static void must_be_untouched(const uint8_t *at, size_t count) {
    for (size_t i = 0; i < count; i++) bpt_must(at[i] == UNTOUCHED);
}

static market_snapshot snapshot_of(uint32_t content_length) {
    market_snapshot message = {.timestamp = 77, .name = "passwd", .name_length = 6, .content_length = content_length};
    return message;
}

/* What it is for: the kernel puts the bytes where they leave from. */
START_TEST(bytes_are_read_straight_into_the_value) {
    static const char words[] = "a whole file, as it was";
    const market_snapshot message = snapshot_of(sizeof words);
    uint8_t value[200], *data = NULL;
    uint32_t length = 0;
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], words, sizeof words), sizeof words);
    bpt_ok(market_snapshot_place(&message, value, sizeof value, &length, &data));
    ck_assert_int_eq(read(ends[0], data, message.content_length), sizeof words);
    close(ends[0]);
    close(ends[1]);

    market_snapshot_view view;
    bpt_ok(market_snapshot_view_init(value, length, &view));
    ck_assert_uint_eq(market_snapshot_get_timestamp(&view), 77);
    ck_assert_uint_eq(market_snapshot_get_name(&view).length, 6);
    ck_assert_ptr_eq(market_snapshot_get_content(&view).data, data);
    ck_assert_str_eq((const char *)market_snapshot_get_content(&view).data, words);
}
END_TEST

START_TEST(each_length_is_placed_as_it_is_encoded) {
    static const uint32_t lengths[] = {0, 1, 7, 4096, 4097, MARKET_SNAPSHOT_CONTENT_CAP - 1, MARKET_SNAPSHOT_CONTENT_CAP};
    static uint8_t content[MARKET_SNAPSHOT_CONTENT_CAP], encoded[MARKET_SNAPSHOT_MAX], placed[MARKET_SNAPSHOT_MAX];
    for (size_t i = 0; i < sizeof content; i++) content[i] = (uint8_t)(i * 7 + 1);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        market_snapshot message = snapshot_of(lengths[i]);
        uint32_t size = 0, length = 0, placed_length = 0;
        uint8_t *data = NULL;
        bpt_ok(market_snapshot_size(&message, &size));
        bpt_ok(market_snapshot_place(&message, placed, size, &placed_length, &data));
        memcpy(data, content, lengths[i]);
        message.content = content;
        bpt_ok(market_snapshot_encode(&message, encoded, sizeof encoded, &length));
        ck_assert_uint_eq(size, length);
        ck_assert_uint_eq(placed_length, length);
        ck_assert_mem_eq(placed, encoded, length);
    }
}
END_TEST

static void refuse(const market_snapshot *message, size_t capacity, bp_err expected) {
    uint8_t value[64], *data = value;
    uint32_t length = 1;
    memset(value, UNTOUCHED, sizeof value);
    bpt_err(market_snapshot_place(message, value, capacity, &length, &data), expected);
    ck_assert_uint_eq(length, 0);
    ck_assert_ptr_null(data);
    must_be_untouched(value, sizeof value);
}

START_TEST(a_refused_message_leaves_no_trace) {
    market_snapshot message = snapshot_of(10);
    refuse(&message, MARKET_SNAPSHOT_BLOCK + 6 + 10 - 1, BP_ERR_SPACE);
    refuse(&message, 0, BP_ERR_SPACE);
    message.name_length = MARKET_SNAPSHOT_NAME_CAP + 1;
    refuse(&message, 64, BP_ERR_BOUND);
    message = snapshot_of(MARKET_SNAPSHOT_CONTENT_CAP + 1);
    refuse(&message, 64, BP_ERR_BOUND);
}
END_TEST

/* Only the caller of X_place has the bytes elsewhere. */
START_TEST(encode_still_wants_the_bytes) {
    const market_snapshot message = snapshot_of(10);
    uint8_t value[64];
    uint32_t length = 1;
    memset(value, UNTOUCHED, sizeof value);
    bpt_err(market_snapshot_encode(&message, value, sizeof value, &length), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(length, 0);
    must_be_untouched(value, sizeof value);
}
END_TEST

/* An absent field has no bytes, whatever its length says. */
START_TEST(an_absent_field_has_no_bytes_to_place) {
    locked_pulse message = {.note = "ab", .note_length = 2, .level = 3, .blob_length = 9};
    uint8_t value[LOCKED_PULSE_BLOCK + 2 + 9], *data = NULL;
    uint32_t length = 0;
    memset(value, UNTOUCHED, sizeof value);
    bpt_ok(locked_pulse_place(&message, value, sizeof value, &length, &data));
    ck_assert_uint_eq(length, LOCKED_PULSE_BLOCK + 2);
    ck_assert_ptr_eq(data, value + length);
    must_be_untouched(data, 9);
    message.has_blob = true;
    bpt_ok(locked_pulse_place(&message, value, sizeof value, &length, &data));
    ck_assert_uint_eq(length, sizeof value);
    ck_assert_ptr_eq(data, value + LOCKED_PULSE_BLOCK + 2);
    must_be_untouched(data, 9);
}
END_TEST

/* Bytes of up to 4096 lie in the struct: these are not looked at either. */
START_TEST(bytes_in_the_struct_are_left_out_too) {
    const locked_order message = {.third_length = 1, .third = {'c'}, .fifth = "xxx", .fifth_length = 3};
    uint8_t value[LOCKED_ORDER_BLOCK + 4], *data = NULL;
    uint32_t length = 0;
    memset(value, UNTOUCHED, sizeof value);
    bpt_ok(locked_order_place(&message, value, sizeof value, &length, &data));
    ck_assert_ptr_eq(data, value + LOCKED_ORDER_BLOCK + 1);
    ck_assert_uint_eq(data[-1], 'c');
    must_be_untouched(data, 3);
}
END_TEST

BPT_SUITE(generated_place) {
    BPT_TEST(bytes_are_read_straight_into_the_value);
    BPT_TEST(each_length_is_placed_as_it_is_encoded);
    BPT_TEST(a_refused_message_leaves_no_trace);
    BPT_TEST(encode_still_wants_the_bytes);
    BPT_TEST(an_absent_field_has_no_bytes_to_place);
    BPT_TEST(bytes_in_the_struct_are_left_out_too);
}
