/* The same as printf's, whatever the room. */
#include "codegen/format.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

START_TEST(digits_are_those_of_printf) {
    const uint64_t numbers[] = {0, 1, 9, 10, 99, 1234567890, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char digits[CG_DIGITS_MAX + 1] = {0}, expected[32];
        snprintf(expected, sizeof expected, "%" PRIu64, numbers[i]);
        ck_assert_uint_eq(cg_digits(digits, numbers[i]), strlen(expected));
        ck_assert_str_eq(digits, expected);
    }
}
END_TEST

static void formats_like_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void formats_like_printf(const char *format, ...) {
    for (size_t room = 0; room < 64; room++) {
        char have[64], expected[64];
        va_list list, again;
        memset(have, '#', sizeof have);
        memset(expected, '#', sizeof expected);
        va_start(list, format);
        va_copy(again, list);
        ck_assert_int_eq(cg_format(have, room, format, list), vsnprintf(expected, room, format, again));
        va_end(again);
        va_end(list);
        ck_assert_mem_eq(have, expected, sizeof have);
    }
}

START_TEST(formats_are_those_of_printf) {
    formats_like_printf("plain");
    formats_like_printf("%s", "");
    formats_like_printf("<%s>%s", "text", "more");
    formats_like_printf("%d %d %d", INT_MIN, -1, INT_MAX);
    formats_like_printf("%u %u", 0u, UINT_MAX);
    formats_like_printf("%lu %zu.", ULONG_MAX, SIZE_MAX);
    formats_like_printf("100%% of %s%%", "it");
    formats_like_printf("%" PRIu64, UINT64_MAX);
    /* what is left to vsnprintf, beside what is not */
    formats_like_printf("%s %02X %u", "a", 7u, 9u);
    formats_like_printf("%*s|%.*s|%-4d|%ld|%c", 5, "a", 2, "bcd", 1, LONG_MIN, 'x');
    formats_like_printf("%lld %llu %zd", LLONG_MIN, ULLONG_MAX, (ssize_t)-5);
}
END_TEST

BPT_SUITE(codegen_format) {
    BPT_TEST(digits_are_those_of_printf);
    BPT_TEST(formats_are_those_of_printf);
}
