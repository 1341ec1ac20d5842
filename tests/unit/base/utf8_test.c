#include "bufpool/detail/bytes.h"
#include "tests/support/suite.h"

#include <string.h>

static bool is_valid(const char *text) { return bpi_utf8_is_valid((const uint8_t *)text, strlen(text)); }

START_TEST(well_formed_text_is_accepted) {
    const char *const good[] = {"",
                                "plain",
                                "\x7F",
                                "\xC2\x80",
                                "\xDF\xBF",
                                "\xE0\xA0\x80",
                                "\xED\x9F\xBF",
                                "\xEE\x80\x80",
                                "\xEF\xBF\xBF",
                                "\xF0\x90\x80\x80",
                                "\xF4\x8F\xBF\xBF",
                                "mixed \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80 text"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) ck_assert_msg(is_valid(good[i]), "%zu", i);
    ck_assert(bpi_utf8_is_valid((const uint8_t *)"a\0b", 3));
}
END_TEST

START_TEST(ill_formed_text_is_refused) {
    const char *const bad[] = {"\x80",
                               "\xBF",
                               "\xC0\x80",
                               "\xC1\xBF",
                               "\xC2",
                               "\xC2\x41",
                               "\xE0\x9F\xBF",
                               "\xE0\x80\x80",
                               "\xED\xA0\x80",
                               "\xED\xBF\xBF",
                               "\xE2\x82",
                               "\xE2\x41\x82",
                               "\xF0\x8F\xBF\xBF",
                               "\xF0\x90\x80",
                               "\xF4\x90\x80\x80",
                               "\xF5\x80\x80\x80",
                               "\xFF",
                               "good then \xFE",
                               "\xC3\xA4\xC3"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) ck_assert_msg(!is_valid(bad[i]), "%zu", i);
}
END_TEST

/* Words overlap at the end: every length, every place, and nothing beside it. */
START_TEST(one_wrong_byte_is_found_wherever_it_stands) {
    enum { LENGTH_MAX = 40, PADDED = 32 };
    uint8_t text[LENGTH_MAX + 2];
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        memset(text, 'a', sizeof text);
        text[0] = text[length + 1] = 0xFF;
        ck_assert(bpi_utf8_is_valid(text + 1, length));
        ck_assert(length > PADDED || bpi_utf8_padded_is_valid(text + 1, length, PADDED));
        for (size_t at = 1; at <= length; at++) {
            text[at] = 0x80;
            ck_assert(!bpi_utf8_is_valid(text + 1, length));
            ck_assert(length > PADDED || !bpi_utf8_padded_is_valid(text + 1, length, PADDED));
            text[at] = 'a';
        }
    }
}
END_TEST

START_TEST(one_byte_that_is_not_zero_is_found_wherever_it_stands) {
    enum { LENGTH_MAX = 40 };
    uint8_t bytes[LENGTH_MAX + 2];
    for (size_t length = 0; length <= LENGTH_MAX; length++) {
        memset(bytes, 0, sizeof bytes);
        bytes[0] = bytes[length + 1] = 0xFF;
        ck_assert(bpi_is_zero(bytes + 1, length));
        for (size_t at = 1; at <= length; at++) {
            bytes[at] = 0x10;
            ck_assert(!bpi_is_zero(bytes + 1, length));
            bytes[at] = 0;
        }
    }
}
END_TEST

BPT_SUITE(base_utf8) {
    BPT_TEST(well_formed_text_is_accepted);
    BPT_TEST(one_wrong_byte_is_found_wherever_it_stands);
    BPT_TEST(one_byte_that_is_not_zero_is_found_wherever_it_stands);
    BPT_TEST(ill_formed_text_is_refused);
}
