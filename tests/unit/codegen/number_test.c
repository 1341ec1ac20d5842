#include "codegen/number.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static cg_number integer(const char *text) {
    cg_number number;
    ck_assert_msg(cg_number_parse(text, &number) == CG_NUMBER_OK, "%s", text);
    return number;
}

static void check_printed(const char *text, const char *expected) {
    const cg_number number = integer(text);
    char printed[CG_NUMBER_TEXT_MAX];
    cg_number_print(&number, printed);
    ck_assert_str_eq(printed, expected);
}

#define MAX_256 "115792089237316195423570985008687907853269984665640564039457584007913129639935"
#define OVER_256 "115792089237316195423570985008687907853269984665640564039457584007913129639936"

START_TEST(decimal_and_hexadecimal_are_the_same_number) {
    check_printed("0", "0");
    check_printed("-0", "0");
    check_printed("42", "42");
    check_printed("-42", "-42");
    check_printed("0x4D594345", "1297695557");
    check_printed("0xffFF", "65535");
    check_printed("18446744073709551616", "18446744073709551616");
    check_printed("340282366920938463463374607431768211456", "340282366920938463463374607431768211456");
    check_printed(MAX_256, MAX_256);
    check_printed("0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", MAX_256);
    check_printed("-" MAX_256, "-" MAX_256);
}
END_TEST

START_TEST(what_is_above_256_bits_is_too_big) {
    cg_number number;
    ck_assert_int_eq(cg_number_parse(OVER_256, &number), CG_NUMBER_TOO_BIG);
    ck_assert_int_eq(cg_number_parse("0x10000000000000000000000000000000000000000000000000000000000000000", &number),
                     CG_NUMBER_TOO_BIG);
}
END_TEST

START_TEST(other_looks_are_no_integer) {
    static const char *const texts[] = {"",    "-",    "+1",  "007", "00", "1_000", "1.0", "1e3", "0x",  "0X10",
                                        "0xg", "0b11", "ten", " 1",  "1 ", "--1",   "yes", "-0x", "1,0", "٣"};
    cg_number number;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        ck_assert_msg(cg_number_parse(texts[i], &number) == CG_NUMBER_NOT_ONE, "%s", texts[i]);
    }
}
END_TEST

START_TEST(floating_numbers_need_digits_on_both_sides) {
    static const char *const good[] = {"0.0", "-1.5", "1e3", "2.5E-3", "1e+2", "3"};
    static const char *const bad[] = {".5", "5.", "1e", "1e+", "nan", "inf", "0x1p3", "1.5f", "1..2", ""};
    cg_number number;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(cg_number_parse_real(good[i], &number) == CG_NUMBER_OK, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(cg_number_parse_real(bad[i], &number) == CG_NUMBER_NOT_ONE, "%s", bad[i]);
    }
    ck_assert_int_eq(cg_number_parse_real("1e999", &number), CG_NUMBER_TOO_BIG);
}
END_TEST

START_TEST(fitting_is_exact_at_both_ends) {
    static const struct {
        const char *text;
        unsigned bits;
        bool is_signed, is_fitting;
    } cases[] = {
        {"255", 8, false, true},
        {"256", 8, false, false},
        {"-1", 8, false, false},
        {"127", 8, true, true},
        {"128", 8, true, false},
        {"-128", 8, true, true},
        {"-129", 8, true, false},
        {"65535", 16, false, true},
        {"65536", 16, false, false},
        {"9223372036854775807", 64, true, true},
        {"9223372036854775808", 64, true, false},
        {"-9223372036854775808", 64, true, true},
        {"18446744073709551615", 64, false, true},
        {"18446744073709551616", 64, false, false},
        {"340282366920938463463374607431768211455", 128, false, true},
        {"340282366920938463463374607431768211456", 128, false, false},
        {MAX_256, 256, false, true},
        {"-1", 256, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const cg_number number = integer(cases[i].text);
        ck_assert_msg(cg_number_fits(&number, cases[i].bits, cases[i].is_signed) == cases[i].is_fitting, "%s in %u",
                      cases[i].text, cases[i].bits);
    }
}
END_TEST

START_TEST(order_is_that_of_numbers) {
    static const char *const rising[] = {("-" MAX_256),          "-18446744073709551616", "-2",   "-1", "0", "1", "0x2",
                                         "18446744073709551615", "18446744073709551616",  MAX_256};
    enum { COUNT = sizeof rising / sizeof rising[0] };
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < COUNT; k++) {
            const cg_number left = integer(rising[i]), right = integer(rising[k]);
            ck_assert_int_eq(cg_number_compare(&left, &right), (i > k) - (i < k));
        }
    }
    cg_number half;
    ck_assert_int_eq(cg_number_parse_real("0.5", &half), CG_NUMBER_OK);
    const cg_number zero = cg_number_of(0), one = cg_number_of(1);
    ck_assert_int_eq(cg_number_compare(&zero, &half), -1);
    ck_assert_int_eq(cg_number_compare(&one, &half), 1);
}
END_TEST

BPT_SUITE(codegen_number) {
    BPT_TEST(decimal_and_hexadecimal_are_the_same_number);
    BPT_TEST(what_is_above_256_bits_is_too_big);
    BPT_TEST(other_looks_are_no_integer);
    BPT_TEST(floating_numbers_need_digits_on_both_sides);
    BPT_TEST(fitting_is_exact_at_both_ends);
    BPT_TEST(order_is_that_of_numbers);
}
