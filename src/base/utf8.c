#include "bufpool/detail/bytes.h"

/* Unicode 15, table 3-7: the range of the second byte depends on the first; third and fourth are 80..BF. */
static size_t sequence_length(const uint8_t *at, size_t left) {
    const uint8_t first = at[0];
    uint8_t low = 0x80, high = 0xBF;
    size_t length = 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) length = 2;
    else if (first >= 0xE0 && first <= 0xEF) length = 3;
    else if (first >= 0xF0 && first <= 0xF4) length = 4;
    else return 0;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    if (left < length || at[1] < low || at[1] > high) return 0;
    for (size_t i = 2; i < length; i++) {
        if (at[i] < 0x80 || at[i] > 0xBF) return 0;
    }
    return length;
}

bool bpi_utf8_is_valid(const uint8_t *at, size_t count) {
    size_t i = 0;
    if ((bpi_bits(at, count) & BPI_HIGH_BITS) == 0) return true;
    while (i < count) {
        if (count - i >= 8 && (bpi_load_u64(at + i) & BPI_HIGH_BITS) == 0) {
            i += 8;
            continue;
        }
        const size_t length = sequence_length(at + i, count - i);
        if (length == 0) return false;
        i += length;
    }
    return true;
}
