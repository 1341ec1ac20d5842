/* codec_hand.h: the limit of the codec rows. What somebody would write by hand for the three messages of
 * contracts/codec.yaml and nothing else: the same structs and the same checks of lengths, no evolution, no slack and no
 * padding to check but where a row says so, little-endian machines only. */
#ifndef BUFPOOL_CODEC_HAND_H
#define BUFPOOL_CODEC_HAND_H

#include "codec_messages.h"

#include <stdbool.h>

enum { HAND_SMALL_SIZE = 60, HAND_MEDIUM_SIZE = 178, HAND_LARGE_FIXED = 16, HAND_LEVEL_SIZE = 24 };

bool hand_small_encode(const codec_small *in, uint8_t *out, size_t capacity, uint32_t *length);
bool hand_small_decode(const uint8_t *value, size_t length, codec_small *out);
bool hand_medium_encode(const codec_medium *in, uint8_t *out, size_t capacity, uint32_t *length);
bool hand_medium_decode(const uint8_t *value, size_t length, codec_medium *out);
bool hand_large_encode(const codec_large *in, uint8_t *out, size_t capacity, uint32_t *length);
bool hand_large_decode(const uint8_t *value, size_t length, codec_large *out);

/* One check, after which every field may be read where it lies. */
static inline bool hand_small_is_whole(const uint8_t *value, size_t length) {
    return length == HAND_SMALL_SIZE && value[27] <= CODEC_SMALL_SYMBOL_CAP;
}
static inline bool hand_medium_is_whole(size_t length) { return length == HAND_MEDIUM_SIZE; }
static inline bool hand_large_is_whole(const uint8_t *value, size_t length) {
    if (length < HAND_LARGE_FIXED) return false;
    const uint32_t levels = bpi_load_u16(value + 8), text = bpi_load_u16(value + 10);
    return levels <= CODEC_LARGE_LEVELS_CAP && text <= CODEC_LARGE_INSTRUMENT_CAP &&
           length == HAND_LARGE_FIXED + levels * HAND_LEVEL_SIZE + text;
}

/* The same with bufpool's promise: every byte that has no meaning is written as zero, and a value where one is not is
 * refused. Of a medium every byte has a meaning, and hand_large_encode writes zeros as it is. */
bool hand_small_encode_canonical(const codec_small *in, uint8_t *out, size_t capacity, uint32_t *length);
bool hand_small_decode_canonical(const uint8_t *value, size_t length, codec_small *out);
bool hand_large_decode_canonical(const uint8_t *value, size_t length, codec_large *out);

/* Of whole values. */
static inline bool hand_small_is_canonical(const uint8_t *value) {
    return bpi_slack(value + 28, value[27], CODEC_SMALL_SYMBOL_CAP) == 0;
}
static inline bool hand_large_is_canonical(const uint8_t *value) {
    const uint64_t padding = bpi_strided_u32(value + HAND_LARGE_FIXED + 20, HAND_LEVEL_SIZE, bpi_load_u16(value + 8));
    return (bpi_load_u32(value + 12) | padding) == 0;
}

#endif
