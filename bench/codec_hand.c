#include "codec_hand.h"

#include <assert.h>
#include <stddef.h>

/* The first members of a small lie in the struct as on the wire, and so do levels. */
enum { SMALL_ALIKE = 27 };
static_assert(offsetof(codec_small, decimals) + 1 == SMALL_ALIKE, "a small begins like its wire");
static_assert(sizeof(codec_level) == HAND_LEVEL_SIZE, "levels are as long as on the wire");

/* The symbol's room is sent whole, so that no copy has a length to ask for. */
bool hand_small_encode(const codec_small *in, uint8_t *out, size_t capacity, uint32_t *length) {
    if (in->symbol_length > CODEC_SMALL_SYMBOL_CAP || capacity < HAND_SMALL_SIZE) return false;
    memcpy(out, in, SMALL_ALIKE);
    out[27] = in->symbol_length;
    memcpy(out + 28, in->symbol, CODEC_SMALL_SYMBOL_CAP);
    *length = HAND_SMALL_SIZE;
    return true;
}

bool hand_small_encode_canonical(const codec_small *in, uint8_t *out, size_t capacity, uint32_t *length) {
    if (in->symbol_length > CODEC_SMALL_SYMBOL_CAP || capacity < HAND_SMALL_SIZE) return false;
    memcpy(out, in, SMALL_ALIKE);
    out[27] = in->symbol_length;
    bpi_store_slack(out + 28, (const uint8_t *)in->symbol, in->symbol_length, CODEC_SMALL_SYMBOL_CAP);
    *length = HAND_SMALL_SIZE;
    return true;
}

static inline void small_load(const uint8_t *value, codec_small *out) {
    memcpy(out->token, value, 20);
    memcpy(&out->block, value + 20, 4);
    memcpy(&out->pool, value + 24, 2);
    out->decimals = value[26];
    out->symbol_length = value[27];
    memcpy(out->symbol, value + 28, CODEC_SMALL_SYMBOL_CAP);
    out->symbol[out->symbol_length] = '\0';
}

bool hand_small_decode(const uint8_t *value, size_t length, codec_small *out) {
    if (!hand_small_is_whole(value, length)) return false;
    small_load(value, out);
    return true;
}

bool hand_small_decode_canonical(const uint8_t *value, size_t length, codec_small *out) {
    if (!hand_small_is_whole(value, length) || !hand_small_is_canonical(value)) return false;
    small_load(value, out);
    return true;
}

bool hand_medium_encode(const codec_medium *in, uint8_t *out, size_t capacity, uint32_t *length) {
    if (capacity < HAND_MEDIUM_SIZE) return false;
    memcpy(out, &in->amount_in, 32);
    memcpy(out + 32, &in->amount_out, 32);
    memcpy(out + 64, &in->price, 32);
    memcpy(out + 96, &in->liquidity, 32);
    memcpy(out + 128, &in->block, 8);
    memcpy(out + 136, &in->time, 8);
    memcpy(out + 144, &in->sequence, 8);
    memcpy(out + 152, &in->tick, 4);
    memcpy(out + 156, &in->fee, 2);
    memcpy(out + 158, in->pool, 20);
    *length = HAND_MEDIUM_SIZE;
    return true;
}

bool hand_medium_decode(const uint8_t *value, size_t length, codec_medium *out) {
    if (!hand_medium_is_whole(length)) return false;
    memcpy(&out->amount_in, value, 32);
    memcpy(&out->amount_out, value + 32, 32);
    memcpy(&out->price, value + 64, 32);
    memcpy(&out->liquidity, value + 96, 32);
    memcpy(&out->block, value + 128, 8);
    memcpy(&out->time, value + 136, 8);
    memcpy(&out->sequence, value + 144, 8);
    memcpy(&out->tick, value + 152, 4);
    memcpy(&out->fee, value + 156, 2);
    memcpy(out->pool, value + 158, 20);
    return true;
}

/* The padding of levels is sent as zeros, whatever the struct has there. */
bool hand_large_encode(const codec_large *in, uint8_t *out, size_t capacity, uint32_t *length) {
    const uint32_t levels = in->levels_count, text = in->instrument_length;
    const uint32_t size = HAND_LARGE_FIXED + levels * HAND_LEVEL_SIZE + text;
    if (levels > CODEC_LARGE_LEVELS_CAP || text > CODEC_LARGE_INSTRUMENT_CAP || size > capacity) return false;
    memcpy(out, &in->sequence, 8);
    memcpy(out + 8, &in->levels_count, 2);
    memcpy(out + 10, &in->instrument_length, 2);
    memset(out + 12, 0, 4);
    uint8_t *at = out + HAND_LARGE_FIXED;
    for (uint32_t i = 0; i < levels; i++, at += HAND_LEVEL_SIZE) {
        const uint64_t orders = in->levels[i].orders;
        memcpy(at, &in->levels[i].price, 8);
        memcpy(at + 8, &in->levels[i].quantity, 8);
        memcpy(at + 16, &orders, 8);
    }
    bpi_copy(at, (const uint8_t *)in->instrument, text);
    *length = size;
    return true;
}

static inline void large_load(const uint8_t *value, codec_large *out) {
    memcpy(&out->sequence, value, 8);
    memcpy(&out->levels_count, value + 8, 2);
    memcpy(&out->instrument_length, value + 10, 2);
    const uint8_t *const at = value + HAND_LARGE_FIXED + (size_t)out->levels_count * HAND_LEVEL_SIZE;
    memcpy(out->levels, value + HAND_LARGE_FIXED, (size_t)out->levels_count * HAND_LEVEL_SIZE);
    bpi_copy((uint8_t *)out->instrument, at, out->instrument_length);
    out->instrument[out->instrument_length] = '\0';
}

bool hand_large_decode(const uint8_t *value, size_t length, codec_large *out) {
    if (!hand_large_is_whole(value, length)) return false;
    large_load(value, out);
    return true;
}

bool hand_large_decode_canonical(const uint8_t *value, size_t length, codec_large *out) {
    if (!hand_large_is_whole(value, length) || !hand_large_is_canonical(value)) return false;
    large_load(value, out);
    return true;
}
