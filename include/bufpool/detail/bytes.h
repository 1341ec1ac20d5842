/* bufpool/detail/bytes.h: little-endian loads and stores at any alignment, and the one copy helper.
 *
 * Used by generated code and by the library; not for users. No checks: the caller has proved the bounds. */
#ifndef BUFPOOL_DETAIL_BYTES_H
#define BUFPOOL_DETAIL_BYTES_H

#include "bufpool/base.h"

#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BPI_LE16(x) __builtin_bswap16(x)
#define BPI_LE32(x) __builtin_bswap32(x)
#define BPI_LE64(x) __builtin_bswap64(x)
#else
#define BPI_LE16(x) (x)
#define BPI_LE32(x) (x)
#define BPI_LE64(x) (x)
#endif

static inline uint8_t bpi_load_u8(const uint8_t *at) { return *at; }
static inline void bpi_store_u8(uint8_t *at, uint8_t value) { *at = value; }

#define BPI_DEFINE_LOAD_STORE(bits)                                              \
    static inline uint##bits##_t bpi_load_u##bits(const uint8_t *at) {           \
        uint##bits##_t raw;                                                      \
        memcpy(&raw, at, sizeof raw);                                            \
        return (uint##bits##_t)BPI_LE##bits(raw);                                \
    }                                                                            \
    static inline void bpi_store_u##bits(uint8_t *at, uint##bits##_t value) {    \
        const uint##bits##_t raw = (uint##bits##_t)BPI_LE##bits(value);          \
        memcpy(at, &raw, sizeof raw);                                            \
    }                                                                            \
    static inline int##bits##_t bpi_load_i##bits(const uint8_t *at) {            \
        return (int##bits##_t)bpi_load_u##bits(at);                              \
    }                                                                            \
    static inline void bpi_store_i##bits(uint8_t *at, int##bits##_t value) {     \
        bpi_store_u##bits(at, (uint##bits##_t)value);                            \
    }
BPI_DEFINE_LOAD_STORE(16)
BPI_DEFINE_LOAD_STORE(32)
BPI_DEFINE_LOAD_STORE(64)
#undef BPI_DEFINE_LOAD_STORE

static inline int8_t bpi_load_i8(const uint8_t *at) { return (int8_t)*at; }
static inline void bpi_store_i8(uint8_t *at, int8_t value) { *at = (uint8_t)value; }
static inline bool bpi_load_bool(const uint8_t *at) { return *at != 0; }
static inline void bpi_store_bool(uint8_t *at, bool value) { *at = value ? 1 : 0; }

static inline float bpi_load_f32(const uint8_t *at) {
    const uint32_t raw = bpi_load_u32(at);
    float value;
    memcpy(&value, &raw, sizeof value);
    return value;
}
static inline void bpi_store_f32(uint8_t *at, float value) {
    uint32_t raw;
    memcpy(&raw, &value, sizeof raw);
    bpi_store_u32(at, raw);
}
static inline double bpi_load_f64(const uint8_t *at) {
    const uint64_t raw = bpi_load_u64(at);
    double value;
    memcpy(&value, &raw, sizeof value);
    return value;
}
static inline void bpi_store_f64(uint8_t *at, double value) {
    uint64_t raw;
    memcpy(&raw, &value, sizeof raw);
    bpi_store_u64(at, raw);
}

static inline bp_u128 bpi_load_u128(const uint8_t *at) {
    bp_u128 value;
    value.limb[0] = bpi_load_u64(at);
    value.limb[1] = bpi_load_u64(at + 8);
    return value;
}
static inline void bpi_store_u128(uint8_t *at, bp_u128 value) {
    bpi_store_u64(at, value.limb[0]);
    bpi_store_u64(at + 8, value.limb[1]);
}
static inline bp_u256 bpi_load_u256(const uint8_t *at) {
    bp_u256 value;
    for (int i = 0; i < 4; i++) value.limb[i] = bpi_load_u64(at + 8 * i);
    return value;
}
static inline void bpi_store_u256(uint8_t *at, bp_u256 value) {
    for (int i = 0; i < 4; i++) bpi_store_u64(at + 8 * i, value.limb[i]);
}

/* Two moves of `width` bytes, from both ends; they overlap unless count is 2 * width. */
#define BPI_MOVE_ENDS(width)                                                     \
    do {                                                                         \
        uint8_t head[width], tail[width];                                        \
        memcpy(head, source, width);                                             \
        memcpy(tail, source + count - (width), width);                           \
        memcpy(target, head, width);                                             \
        memcpy(target + count - (width), tail, width);                           \
    } while (0)

/* Copies count bytes that do not overlap. Once gcc 12 knows a range for memcpy's length it expands `rep movs` inline,
 * which is several times slower at message sizes; so up to 64 bytes fixed-size moves are used, and above that a real
 * call whose length the optimiser cannot see. */
static inline void bpi_copy(uint8_t *target, const uint8_t *source, size_t count) {
    if (BP_LIKELY(count <= 64)) {
        if (count > 32) {
            BPI_MOVE_ENDS(32);
        } else if (count > 16) {
            BPI_MOVE_ENDS(16);
        } else if (count >= 8) {
            BPI_MOVE_ENDS(8);
        } else if (count >= 4) {
            BPI_MOVE_ENDS(4);
        } else if (count != 0) {
            target[0] = source[0];
            target[count / 2] = source[count / 2];
            target[count - 1] = source[count - 1];
        }
    } else {
        __asm__("" : "+r"(count));
        memcpy(target, source, count);
    }
}
#undef BPI_MOVE_ENDS

/* Whether count bytes are all zero. */
static inline bool bpi_is_zero(const uint8_t *at, size_t count) {
    uint8_t seen = 0;
    for (size_t i = 0; i < count; i++) seen |= at[i];
    return seen == 0;
}

/* Whether count bytes are well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, up to
 * U+10FFFF). */
BP_API bool bpi_utf8_is_valid(const uint8_t *at, size_t count);

#endif
