/* A token as text, and back. */
#include "bufpool/transfer.h"
#include "tests/support/suite.h"

#include <string.h>

static const char text[] = "00ff10a2b3c4d5e6f708192a3b4c5d6e";
static const bp_token token = {
    {0x00, 0xFF, 0x10, 0xA2, 0xB3, 0xC4, 0xD5, 0xE6, 0xF7, 0x08, 0x19, 0x2A, 0x3B, 0x4C, 0x5D, 0x6E}};

START_TEST(a_token_is_thirty_two_digits) {
    char out[BP_TOKEN_TEXT_SIZE + 1];
    memset(out, '#', sizeof out);
    bp_token_format(&token, out);
    ck_assert_str_eq(out, text);
    ck_assert_int_eq(out[BP_TOKEN_TEXT_SIZE], '#');
}
END_TEST

START_TEST(a_token_is_parsed_in_small_letters_and_capitals) {
    bp_token parsed;
    bpt_ok(bp_token_parse(text, &parsed));
    ck_assert_mem_eq(&parsed, &token, sizeof token);
    bpt_ok(bp_token_parse("00FF10A2B3C4D5E6F708192A3B4C5D6E", &parsed));
    ck_assert_mem_eq(&parsed, &token, sizeof token);
}
END_TEST

START_TEST(what_is_no_token_is_refused) {
    static const char *const bad[] = {"",
                                      "00ff10a2b3c4d5e6f708192a3b4c5d6",
                                      "00ff10a2b3c4d5e6f708192a3b4c5d6e0",
                                      "00ff10a2b3c4d5e6f708192a3b4c5d6g",
                                      " 0ff10a2b3c4d5e6f708192a3b4c5d6e",
                                      "0xff10a2b3c4d5e6f708192a3b4c5d6e",
                                      "00ff10a2b3c4d5e6f708192a3b4c5d/:"};
    static const bp_token none;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bp_token parsed = token;
        bpt_err(bp_token_parse(bad[i], &parsed), BP_ERR_ARGUMENT);
        ck_assert_mem_eq(&parsed, &none, sizeof none);
    }
}
END_TEST

BPT_SUITE(transfer_token) {
    BPT_TEST(a_token_is_thirty_two_digits);
    BPT_TEST(a_token_is_parsed_in_small_letters_and_capitals);
    BPT_TEST(what_is_no_token_is_refused);
}
