/* What generated codecs read and write by: each byte that counts is looked at or written, and no other. */
#include "bufpool/detail/bytes.h"
#include "tests/support/suite.h"

#include <string.h>

enum { COUNT_MAX = 19, STRIDE = 24, OFFSET = 5 };

static uint64_t strided(int size, const uint8_t *at, uint32_t count) {
    switch (size) {
    case 1: return bpi_strided_u8(at, STRIDE, count);
    case 2: return bpi_strided_u16(at, STRIDE, count);
    case 4: return bpi_strided_u32(at, STRIDE, count);
    default: return bpi_strided_u64(at, STRIDE, count);
    }
}

START_TEST(every_number_is_looked_at_and_nothing_else) {
    const int size = 1 << _i;
    uint8_t bytes[COUNT_MAX * STRIDE + STRIDE];
    for (uint32_t count = 0; count <= COUNT_MAX; count++) {
        memset(bytes, 0xFF, sizeof bytes);
        for (uint32_t i = 0; i < count; i++) memset(bytes + OFFSET + i * STRIDE, 0, (size_t)size);
        ck_assert_uint_eq(strided(size, bytes + OFFSET, count), 0);
        for (uint32_t i = 0; i < count * (uint32_t)size; i++) {
            uint8_t *const at = bytes + OFFSET + i / (uint32_t)size * STRIDE + i % (uint32_t)size;
            *at = 0x40;
            ck_assert_uint_ne(strided(size, bytes + OFFSET, count), 0);
            *at = 0;
        }
    }
}
END_TEST

/* From every offset to the next multiple: what stands before and behind is not looked at. */
START_TEST(padding_is_looked_at_up_to_the_next_multiple) {
    uint8_t bytes[32];
    for (uint32_t offset = 0; offset <= 16; offset++) {
        memset(bytes, 0xFF, sizeof bytes);
        uint8_t align8[32], align4[32], align2[32];
        memset(bytes + offset, 0, bpi_aligned(offset, 8) - offset);
        ck_assert_uint_eq(bpi_load_padding(bytes, offset, 8), 0);
        ck_assert_uint_eq(bpi_load_padding(bytes, offset, 4), 0);
        ck_assert_uint_eq(bpi_load_padding(bytes, offset, 2), 0);
        ck_assert_uint_eq(bpi_load_padding(bytes, offset, 1), 0);
        for (uint32_t at = offset; at < bpi_aligned(offset, 8); at++) {
            bytes[at] = 1;
            ck_assert_uint_ne(bpi_load_padding(bytes, offset, 8), 0);
            ck_assert_int_eq(bpi_load_padding(bytes, offset, 4) != 0, at < bpi_aligned(offset, 4));
            ck_assert_int_eq(bpi_load_padding(bytes, offset, 2) != 0, at < bpi_aligned(offset, 2));
            bytes[at] = 0;
        }
        memset(align8, 0xFF, sizeof align8), memset(align4, 0xFF, sizeof align4), memset(align2, 0xFF, sizeof align2);
        ck_assert_uint_eq(bpi_store_padding(align8, offset, 8), bpi_aligned(offset, 8));
        ck_assert_uint_eq(bpi_store_padding(align4, offset, 4), bpi_aligned(offset, 4));
        ck_assert_uint_eq(bpi_store_padding(align2, offset, 2), bpi_aligned(offset, 2));
        ck_assert_uint_eq(bpi_load_padding(align8, offset, 8), 0);
        ck_assert_uint_eq(bpi_load_padding(align4, offset, 4), 0);
        ck_assert_uint_eq(bpi_load_padding(align2, offset, 2), 0);
        for (uint32_t at = 0; at < offset; at++)
            ck_assert(align8[at] == 0xFF && align4[at] == 0xFF && align2[at] == 0xFF);
    }
}
END_TEST

/* A text of every length in rooms around each way of looking at them. */
START_TEST(slack_is_looked_at_behind_what_is_used) {
    uint8_t bytes[80];
    const size_t capacity = (size_t)_i;
    for (size_t used = 0; used <= capacity; used++) {
        memset(bytes, 0xFF, sizeof bytes);
        memset(bytes + OFFSET + used, 0, capacity - used);
        ck_assert_uint_eq(bpi_slack(bytes + OFFSET, used, capacity), 0);
        for (size_t at = used; at < capacity; at++) {
            bytes[OFFSET + at] = 0x01;
            ck_assert_uint_ne(bpi_slack(bytes + OFFSET, used, capacity), 0);
            bytes[OFFSET + at] = 0;
        }
    }
}
END_TEST

START_TEST(slack_is_written_as_zeros_whatever_was_there) {
    uint8_t from[80], out[80], expected[80];
    const size_t capacity = (size_t)_i;
    for (size_t i = 0; i < sizeof from; i++) from[i] = (uint8_t)(i + 1);
    for (size_t used = 0; used <= capacity; used++) {
        memset(out, 0xA5, sizeof out);
        memset(expected, 0xA5, sizeof expected);
        memset(expected + OFFSET, 0, capacity);
        memcpy(expected + OFFSET, from + 1, used);
        bpi_store_slack(out + OFFSET, from + 1, used, capacity);
        ck_assert_mem_eq(out, expected, sizeof out);
    }
}
END_TEST

BPT_SUITE(base_bytes) {
    BPT_LOOP_TEST(every_number_is_looked_at_and_nothing_else, 0, 4);
    BPT_TEST(padding_is_looked_at_up_to_the_next_multiple);
    BPT_LOOP_TEST(slack_is_looked_at_behind_what_is_used, 0, 70);
    BPT_LOOP_TEST(slack_is_written_as_zeros_whatever_was_there, 0, 70);
}
