/* tests/random/choices.h: what random contracts choose from. */
#ifndef BUFPOOL_TESTS_CHOICES_H
#define BUFPOOL_TESTS_CHOICES_H

#include <stdint.h>

enum { CHOICES = 6 }; /* values of each kind of number */

/* Numbers: their spellings, values of each from the smallest up, which of these is zero, and bytes. */
typedef struct number {
    const char *spellings[3];
    const char *values[CHOICES];
    uint32_t zero, size;
} number;

static const number numbers[] = {
    {{"u8", "uint8", "u8"}, {"0", "1", "7", "100", "254", "255"}, 0, 1},
    {{"u16", "uint16", "u16"}, {"0", "1", "300", "4096", "65534", "65535"}, 0, 2},
    {{"u32", "uint32", "u32"}, {"0", "1", "1000", "65536", "4294967294", "4294967295"}, 0, 4},
    {{"u64", "uint64", "u64"}, {"0", "1", "0xff", "4294967296", "18446744073709551614", "18446744073709551615"}, 0, 8},
    {{"i8", "int8", "i8"}, {"-128", "-127", "-1", "0", "1", "127"}, 3, 1},
    {{"i16", "int16", "i16"}, {"-32768", "-129", "-1", "0", "300", "32767"}, 3, 2},
    {{"i32", "int32", "i32"}, {"-2147483648", "-2147483647", "-1", "0", "65536", "2147483647"}, 3, 4},
    {{"i64", "int64", "i64"}, {"-9223372036854775808", "-4294967296", "-1", "0", "2", "9223372036854775807"}, 3, 8},
    {{"f32", "float32", "f32"}, {"-1.0e30", "-1.5", "-0.25", "0.0", "0.1", "3.0e38"}, 3, 4},
    {{"f64", "float64", "f64"}, {"-1.0e300", "-7", "-1.5", "0", "0.1", "12345.6789"}, 3, 8},
    {{"u128", "U128", "uint128"},
     {"0", "1", "0x10000000000000000", "0xffffffffffffffffffff", "0xfffffffffffffffffffffffffffffffe",
      "340282366920938463463374607431768211455"},
     0,
     16},
    {{"u256", "U256", "uint256"},
     {"0", "1", "18446744073709551616", "0xffffffffffffffffffffffffffffffffffffffff",
      "0x8000000000000000000000000000000000000000000000000000000000000000",
      "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
     0,
     32},
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0], REALS_FIRST = 8, REALS_LAST = 9, ENUM_BASES = 8 };

/* Around every bound that layout or generated code knows. */
static const uint32_t capacities[] = {1,   2,   3,    4,    5,    7,    8,    9,     15,    16,    17,    24,
                                      31,  32,  33,   40,   63,   64,   65,   127,   128,   254,   255,   256,
                                      257, 300, 1000, 4095, 4096, 4097, 5000, 65534, 65535, 65536, 70000, 262144};

static const char *const words[] = {"price", "bestBid", "HTTPCode", "last_seen", "x", "Payload", "a_b_c", "quantity"};
/* Names that generated functions use for their own. */
static const char *const local_words[] = {"value", "length", "out",    "view",    "at",       "in",
                                          "item",  "count",  "flaws",  "end",     "size",     "err",
                                          "found", "i",      "field",  "text",    "bytes",    "message",
                                          "used",  "state",  "limits", "printer", "capacity", "block"};
static const char *const descriptions[] = {"plain",
                                           "ends a comment */ and begins one /* here",
                                           "a \\\"quote\\\", a back\\\\slash and a %s",
                                           "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8E\x89",
                                           "two\\nlines",
                                           "trigraph ?\?/ and a backslash at the end \\\\",
                                           "a rather long description that goes on and on until it certainly does not "
                                           "fit into one line of generated code any more"};

#endif
