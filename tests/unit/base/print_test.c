/* JSON texts of single values, and of values that have no JSON. */
#include "bufpool/detail/print.h"

#include "tests/support/suite.h"

#include <float.h>
#include <math.h>
#include <string.h>

static char text[256];

static bpi_printer start(void) {
    memset(text, 'x', sizeof text);
    return (bpi_printer){.out = text, .size = sizeof text};
}

#define CHECK(call, expected)                                                                                          \
    do {                                                                                                               \
        bpi_printer state = start();                                                                                   \
        bpi_printer *const printer = &state;                                                                           \
        call;                                                                                                          \
        ck_assert_int_eq(bpi_print_end(printer), (int)strlen(expected));                                               \
        ck_assert_str_eq(text, expected);                                                                              \
    } while (0)

START_TEST(numbers) {
    CHECK(bpi_print_unsigned(printer, UINT64_MAX), "18446744073709551615");
    CHECK(bpi_print_signed(printer, INT64_MIN), "-9223372036854775808");
    CHECK(bpi_print_bool(printer, true), "true");
    CHECK(bpi_print_bool(printer, false), "false");
    CHECK(bpi_print_u128(printer, ((bp_u128){{0, 0}})), "\"0x0\"");
    CHECK(bpi_print_u128(printer, ((bp_u128){{1, 0xab}})), "\"0xab0000000000000001\"");
    CHECK(bpi_print_u256(printer, ((bp_u256){{5, 0, 0, 0}})), "\"0x5\"");
}
END_TEST

START_TEST(real_numbers) {
    CHECK(bpi_print_f64(printer, 0.1), "0.10000000000000001");
    CHECK(bpi_print_f32(printer, 0.5f), "0.5");
    CHECK(bpi_print_f64(printer, -DBL_MAX), "-1.7976931348623157e+308");
    CHECK(bpi_print_f64(printer, (double)NAN), "\"NaN\"");
    CHECK(bpi_print_f32(printer, INFINITY), "\"Infinity\"");
    CHECK(bpi_print_f32(printer, -INFINITY), "\"-Infinity\"");
}
END_TEST

START_TEST(texts_are_escaped) {
    const bp_text good = {"\"\\\n\r\t\x01\x1f/\xc3\xa9", 10};
    const bp_text broken = {"a\xff\"", 3};
    CHECK(bpi_print_text(printer, good), "\"\\\"\\\\\\n\\r\\t\\u0001\\u001f/\xc3\xa9\"");
    CHECK(bpi_print_text(printer, broken), "\"a?\\\"\"");
    CHECK(bpi_print_text(printer, ((bp_text){NULL, 0})), "\"\"");
    CHECK(bpi_print_bytes(printer, ((bp_bytes){(const uint8_t *)"\x00\xa5", 2})), "\"0x00a5\"");
}
END_TEST

static void print_object(bpi_printer *printer) {
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "a");
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "b");
    bpi_print_unsigned(printer, 1);
    bpi_print_raw(printer, "}");
    bpi_print_name(printer, "c");
    bpi_print_unsigned(printer, 2);
    bpi_print_raw(printer, "}");
}

START_TEST(names_get_their_commas_in_any_room) {
    const char *const whole = "{\"a\":{\"b\":1},\"c\":2}";
    CHECK(print_object(printer), whole);
    for (size_t size = 0; size <= strlen(whole) + 1; size++) {
        bpi_printer printer = start();
        printer.size = size;
        print_object(&printer);
        ck_assert_int_eq(bpi_print_end(&printer), (int)strlen(whole));
        if (size != 0) ck_assert(strncmp(text, whole, size - 1) == 0 && text[size - 1] == '\0');
        ck_assert_int_eq(text[size], 'x');
    }
}
END_TEST

BPT_SUITE(base_print) {
    BPT_TEST(numbers);
    BPT_TEST(real_numbers);
    BPT_TEST(texts_are_escaped);
    BPT_TEST(names_get_their_commas_in_any_room);
}
