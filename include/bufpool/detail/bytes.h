/* bufpool/detail/bytes.h: little-endian loads and stores at any alignment, and the one copy helper.
 *
 * Used by generated code and by the library; not for users. No checks: the caller has proved the bounds. */
#ifndef BUFPOOL_DETAIL_BYTES_H
#define BUFPOOL_DETAIL_BYTES_H

#include "bufpool/base.h"

#include <string.h>

/* For generated functions that a contract may not need. */
#define BPI_UNUSED __attribute__((unused))

/* For functions whose caller must see into them: what they fill in is then never in memory. */
#define BPI_INLINE __attribute__((always_inline)) static inline

/* For functions that run when something is wrong: out of line and out of the way. */
#define BPI_COLD __attribute__((cold, noinline))

#ifdef BPI_DEBUG
#include <assert.h>
#define BPI_ASSERT(condition) assert(condition)
#else
#define BPI_ASSERT(condition) ((void)0)
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define BPI_IS_BIG_ENDIAN 1
#define BPI_LE16(x) __builtin_bswap16(x)
#define BPI_LE32(x) __builtin_bswap32(x)
#define BPI_LE64(x) __builtin_bswap64(x)
#else
#define BPI_IS_BIG_ENDIAN 0
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

/* A frame's header. */
static inline void bpi_store_head(uint8_t *at, uint16_t type, uint32_t length) {
    bpi_store_u16(at, type);
    bpi_store_u32(at + 2, length);
}

/* A wide number is returned limb by limb, so that who looks at one limb pays for one, and copied as a whole. */
#define BPI_DEFINE_WIDE(name, type, limbs, ...)                                                          \
    static inline type bpi_load_##name(const uint8_t *at) {                                              \
        const type value = {{__VA_ARGS__}};                                                              \
        return value;                                                                                    \
    }                                                                                                    \
    static inline void bpi_fetch_##name(const uint8_t *at, type *out) {                                  \
        memcpy(out, at, sizeof *out);                                                                    \
        if (BPI_IS_BIG_ENDIAN) *out = bpi_load_##name(at);                                               \
    }                                                                                                    \
    static inline void bpi_store_##name(uint8_t *at, type value) {                                       \
        memcpy(at, &value, sizeof value);                                                                \
        for (int i = 0; BPI_IS_BIG_ENDIAN && i < limbs; i++) bpi_store_u64(at + 8 * i, value.limb[i]);    \
    }
BPI_DEFINE_WIDE(u128, bp_u128, 2, bpi_load_u64(at), bpi_load_u64(at + 8))
BPI_DEFINE_WIDE(u256, bp_u256, 4, bpi_load_u64(at), bpi_load_u64(at + 8), bpi_load_u64(at + 16), bpi_load_u64(at + 24))
#undef BPI_DEFINE_WIDE

/* 16 bytes on their way from one place to another: gcc moves such a struct through a register, and an array of bytes
 * through the stack. */
typedef struct bpi_block {
    uint64_t halves[2];
} bpi_block;
static inline bpi_block bpi_load_block(const uint8_t *at) {
    bpi_block block;
    memcpy(&block, at, sizeof block);
    return block;
}
static inline void bpi_store_block(uint8_t *at, bpi_block block) { memcpy(at, &block, sizeof block); }

/* Two moves of `width` bytes, from both ends; they overlap unless count is 2 * width. */
#define BPI_MOVE_ENDS(type, width)                                               \
    do {                                                                         \
        type head, tail;                                                         \
        memcpy(&head, source, width);                                            \
        memcpy(&tail, source + count - (width), width);                          \
        memcpy(target, &head, width);                                            \
        memcpy(target + count - (width), &tail, width);                          \
    } while (0)

/* gcc takes lengths for possible that the caller has ruled out, once it has lost a count on its way through a view. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

/* Copies count bytes that do not overlap. Once gcc 12 knows a range for memcpy's length it expands `rep movs` inline,
 * which is several times slower at message sizes; so up to 64 bytes fixed-size moves are used, and above that a real
 * call whose length the optimiser cannot see. */
static inline void bpi_copy(uint8_t *target, const uint8_t *source, size_t count) {
    if (BP_LIKELY(count <= 64)) {
        if (count > 32) {
            const bpi_block first = bpi_load_block(source), second = bpi_load_block(source + 16);
            const bpi_block third = bpi_load_block(source + count - 32), last = bpi_load_block(source + count - 16);
            bpi_store_block(target, first);
            bpi_store_block(target + 16, second);
            bpi_store_block(target + count - 32, third);
            bpi_store_block(target + count - 16, last);
        } else if (count > 16) {
            BPI_MOVE_ENDS(bpi_block, 16);
        } else if (count >= 8) {
            BPI_MOVE_ENDS(uint64_t, 8);
        } else if (count >= 4) {
            BPI_MOVE_ENDS(uint32_t, 4);
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
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/* The same where count is seldom small: the call only. */
static inline void bpi_copy_many(void *target, const void *source, size_t count) {
    __asm__("" : "+r"(count));
    if (count != 0) memcpy(target, source, count);
}

/* Arrays of numbers: one copy where memory looks like the wire, else one by one. */
#define BPI_DEFINE_MANY(name, type)                                                                      \
    static inline void bpi_load_many_##name(const uint8_t *at, type *out, size_t count) {                \
        if (BPI_IS_BIG_ENDIAN) {                                                                         \
            for (size_t i = 0; i < count; i++) out[i] = bpi_load_##name(at + i * sizeof(type));          \
        } else {                                                                                         \
            bpi_copy((uint8_t *)out, at, count * sizeof(type));                                          \
        }                                                                                                \
    }                                                                                                    \
    static inline void bpi_store_many_##name(uint8_t *at, const type *values, size_t count) {            \
        if (BPI_IS_BIG_ENDIAN) {                                                                         \
            for (size_t i = 0; i < count; i++) bpi_store_##name(at + i * sizeof(type), values[i]);       \
        } else {                                                                                         \
            bpi_copy(at, (const uint8_t *)values, count * sizeof(type));                                 \
        }                                                                                                \
    }
BPI_DEFINE_MANY(u8, uint8_t)
BPI_DEFINE_MANY(u16, uint16_t)
BPI_DEFINE_MANY(u32, uint32_t)
BPI_DEFINE_MANY(u64, uint64_t)
BPI_DEFINE_MANY(i8, int8_t)
BPI_DEFINE_MANY(i16, int16_t)
BPI_DEFINE_MANY(i32, int32_t)
BPI_DEFINE_MANY(i64, int64_t)
BPI_DEFINE_MANY(f32, float)
BPI_DEFINE_MANY(f64, double)
BPI_DEFINE_MANY(u128, bp_u128)
BPI_DEFINE_MANY(u256, bp_u256)
#undef BPI_DEFINE_MANY

/* A byte that is a bool on the wire is read as one, whatever it holds; bpi_flaws tells about the others. */
static inline void bpi_load_many_bool(const uint8_t *at, bool *out, size_t count) {
    for (size_t i = 0; i < count; i++) out[i] = bpi_load_bool(at + i);
}
static inline void bpi_store_many_bool(uint8_t *at, const bool *values, size_t count) {
    for (size_t i = 0; i < count; i++) bpi_store_bool(at + i, values[i]);
}

/* -1, 0 or 1 as left is below, equal to or above right. */
static inline int bpi_compare_limbs(const uint64_t *left, const uint64_t *right, int count) {
    for (int i = count - 1; i >= 0; i--) {
        if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}
static inline int bpi_compare_u128(bp_u128 left, bp_u128 right) { return bpi_compare_limbs(left.limb, right.limb, 2); }
static inline int bpi_compare_u256(bp_u256 left, bp_u256 right) { return bpi_compare_limbs(left.limb, right.limb, 4); }

static inline bp_u128 bpi_u128(uint64_t limb0, uint64_t limb1) {
    const bp_u128 value = {{limb0, limb1}};
    return value;
}
static inline bp_u256 bpi_u256(uint64_t limb0, uint64_t limb1, uint64_t limb2, uint64_t limb3) {
    const bp_u256 value = {{limb0, limb1, limb2, limb3}};
    return value;
}
static inline bp_text bpi_text(const char *data, size_t length) {
    const bp_text text = {data, length};
    return text;
}
static inline bp_bytes bpi_bytes(const uint8_t *data, size_t length) {
    const bp_bytes bytes = {data, length};
    return bytes;
}

/* All bits that are set in one of count bytes, as far as asking for zeros and for high bits goes: bytes keep no place.
 * The last word overlaps, so that there is no loop over single bytes. */
static inline uint64_t bpi_bits(const uint8_t *at, size_t count) {
    uint64_t seen = 0;
    if (count >= 8) {
        for (size_t i = 0; i + 8 < count; i += 8) seen |= bpi_load_u64(at + i);
        return seen | bpi_load_u64(at + count - 8);
    }
    if (count >= 4) return bpi_load_u32(at) | (uint64_t)bpi_load_u32(at + count - 4);
    return count == 0 ? 0 : (uint64_t)(at[0] | at[count / 2] | at[count - 1]);
}

static inline bool bpi_is_zero(const uint8_t *at, size_t count) { return bpi_bits(at, count) == 0; }

/* Not 0 when one of count numbers that lie a constant stride apart is not: the padding of many elements. Two sums, so
 * that few wait for another; more make gcc 12 gather them into vectors, which is slower. */
#define BPI_DEFINE_STRIDED(bits)                                                                          \
    static inline uint64_t bpi_strided_u##bits(const uint8_t *at, size_t stride, uint32_t count) {       \
        uint##bits##_t even = 0, odd = 0;                                                                \
        for (; count >= 8; count -= 8, at += 8 * stride) {                                               \
            even |= bpi_load_u##bits(at), odd |= bpi_load_u##bits(at + stride);                          \
            even |= bpi_load_u##bits(at + 2 * stride), odd |= bpi_load_u##bits(at + 3 * stride);         \
            even |= bpi_load_u##bits(at + 4 * stride), odd |= bpi_load_u##bits(at + 5 * stride);         \
            even |= bpi_load_u##bits(at + 6 * stride), odd |= bpi_load_u##bits(at + 7 * stride);         \
        }                                                                                                \
        for (; count != 0; count--, at += stride) even |= bpi_load_u##bits(at);                          \
        return (uint64_t)even | odd;                                                                     \
    }
BPI_DEFINE_STRIDED(8)
BPI_DEFINE_STRIDED(16)
BPI_DEFINE_STRIDED(32)
BPI_DEFINE_STRIDED(64)
#undef BPI_DEFINE_STRIDED

/* What is wrong with bytes that were read. Checks of one value OR into it and branch once at the end. */
typedef struct bpi_flaws {
    uint64_t malformed; /* not 0: padding, slack or an absent slot is not zero, or a bool or enum has no such value */
    uint64_t bound;     /* not 0: a count is above its capacity */
} bpi_flaws;

static inline bp_err bpi_flaws_err(const bpi_flaws *flaws) {
    if (BP_LIKELY((flaws->malformed | flaws->bound) == 0)) return BP_OK;
    return flaws->bound != 0 ? BP_ERR_BOUND : BP_ERR_MALFORMED;
}

/* Sets `size` bytes at out to zero and returns err: what becomes of an out parameter on error. Out of line, as it is
 * rare and every function that can fail would have one of its own. */
BP_API BPI_COLD bp_err bpi_refuse(bp_err err, void *out, size_t size);

/* The count, or the capacity when the count is above it. */
static inline uint32_t bpi_clamped(uint32_t count, uint32_t capacity) { return count < capacity ? count : capacity; }

/* The same, and tells. */
static inline uint32_t bpi_bounded(uint32_t count, uint32_t capacity, bpi_flaws *flaws) {
    if (BP_LIKELY(count <= capacity)) return count;
    flaws->bound = 1;
    return capacity;
}

/* Of the 32 bytes from here those below `used` (up to 32) are zero, the others all ones. */
static inline const uint8_t *bpi_mask_from(size_t used) {
#define BPI_EIGHT(byte) byte, byte, byte, byte, byte, byte, byte, byte
    __attribute__((aligned(64))) static const uint8_t masks[64] = { /* one cache line */
        BPI_EIGHT(0),    BPI_EIGHT(0),    BPI_EIGHT(0),    BPI_EIGHT(0),
        BPI_EIGHT(0xFF), BPI_EIGHT(0xFF), BPI_EIGHT(0xFF), BPI_EIGHT(0xFF)};
#undef BPI_EIGHT
    return masks + 32 - used;
}

typedef uint64_t bpi_lanes __attribute__((vector_size(16)));

static inline bpi_lanes bpi_load_lanes(const uint8_t *at) {
    bpi_lanes lanes;
    memcpy(&lanes, at, sizeof lanes);
    return lanes;
}

/* Not 0 when one of the bytes used .. capacity - 1 is not zero, for a constant capacity of 8 to 32: no branch, the
 * second load may overlap. */
static inline uint64_t bpi_slack_masked(const uint8_t *at, size_t used, size_t capacity) {
    const uint8_t *const mask = bpi_mask_from(used);
    if (capacity < 16) {
        return (bpi_load_u64(at) & bpi_load_u64(mask)) |
               (bpi_load_u64(at + capacity - 8) & bpi_load_u64(mask + capacity - 8));
    }
    bpi_lanes seen = bpi_load_lanes(at) & bpi_load_lanes(mask);
    if (capacity > 16) seen |= bpi_load_lanes(at + capacity - 16) & bpi_load_lanes(mask + capacity - 16);
    return seen[0] | seen[1];
}

/* The same for any capacity. The last word overlaps what is used and shifts it out, twice: never by 64. */
static inline uint64_t bpi_slack(const uint8_t *at, size_t used, size_t capacity) {
    uint64_t seen = 0;
    if (capacity >= 8 && capacity <= 32) return bpi_slack_masked(at, used, capacity);
    if (capacity < 8) {
        for (; used < capacity; used++) seen |= at[used];
        return seen;
    }
    for (; capacity - used >= 8; used += 8) seen |= bpi_load_u64(at + used);
    return seen | (bpi_load_u64(at + capacity - 8) >> 8 >> (8 * (7 - (capacity - used))));
}

/* Sixteen bytes of `from` without those that the mask has. */
static inline void bpi_store_unmasked(uint8_t *at, const uint8_t *from, const uint8_t *mask) {
    const bpi_lanes lanes = bpi_load_lanes(from) & ~bpi_load_lanes(mask);
    memcpy(at, &lanes, sizeof lanes);
}

/* Writes the first `used` of a constant capacity of bytes at `from`, and zeros up to that capacity. From 16 to 32 bytes
 * no branch asks how many are used, and slack is read whatever it holds. */
static inline void bpi_store_slack(uint8_t *at, const uint8_t *from, size_t used, size_t capacity) {
    if (capacity < 16 || capacity > 32) {
        memset(at, 0, capacity);
        bpi_copy(at, from, used);
        return;
    }
    const uint8_t *const mask = bpi_mask_from(used);
    bpi_store_unmasked(at, from, mask);
    if (capacity > 16) bpi_store_unmasked(at + capacity - 16, from + capacity - 16, mask + capacity - 16);
}

/* The next multiple of align, a power of two; the second form is for constants. */
#define BPI_ALIGNED(offset, align) (((offset) + ((align)-1)) / (align) * (align))
static inline uint32_t bpi_aligned(uint32_t offset, uint32_t align) { return (offset + (align - 1)) & ~(align - 1); }

/* Writes zeros from offset up to the next multiple of align (a constant up to 8), which it returns. Elements of at
 * least align bytes must be written behind them afterwards: their first bytes may become zero here. */
static inline uint32_t bpi_store_padding(uint8_t *value, uint32_t offset, uint32_t align) {
    if (align == 8) bpi_store_u64(value + offset, 0);
    if (align == 4) bpi_store_u32(value + offset, 0);
    if (align == 2) bpi_store_u8(value + offset, 0);
    return bpi_aligned(offset, align);
}

/* Not 0 when one of the bytes from offset up to the next multiple of align (a constant up to 8) is not. At least align
 * bytes must lie behind them. */
static inline uint64_t bpi_load_padding(const uint8_t *value, uint32_t offset, uint32_t align) {
    const uint32_t bits = 8 * (bpi_aligned(offset, align) - offset);
    const uint64_t mask = (UINT64_C(1) << bits) - 1;
    if (align == 8) return bpi_load_u64(value + offset) & mask;
    if (align == 4) return bpi_load_u32(value + offset) & mask;
    return align == 2 ? bpi_load_u8(value + offset) & mask : 0;
}

/* An empty value may be NULL, but tails that it lacks begin somewhere. */
static inline const uint8_t *bpi_somewhere(const uint8_t *value, size_t length) {
    static const uint8_t nothing[1] = {0};
    return length == 0 ? nothing : value;
}

/* Finds a tail of `bytes` bytes, aligned to align, behind *end; moves *end behind it and tells where it begins. False
 * when the value ends before it. An empty tail has no padding; others have at least align bytes. */
static inline bool bpi_tail_find(const uint8_t *value, uint32_t length, uint32_t align, uint64_t bytes, uint32_t *end,
                                 uint32_t *begin, bpi_flaws *flaws) {
    *begin = *end;
    if (bytes == 0) return true;
    BPI_ASSERT(bytes >= align);
    const uint32_t aligned = bpi_aligned(*end, align);
    if (BP_UNLIKELY(aligned + bytes > length)) return false;
    flaws->malformed |= bpi_load_padding(value, *end, align);
    *begin = aligned;
    *end = aligned + (uint32_t)bytes;
    return true;
}

#define BPI_HIGH_BITS UINT64_C(0x8080808080808080)

/* Whether count bytes are well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, up to
 * U+10FFFF). */
BP_API bool bpi_utf8_is_valid(const uint8_t *at, size_t count);

/* The same where the bytes up to a constant capacity may be read too: no branch on the count for plain ASCII. */
static inline bool bpi_utf8_padded_is_valid(const uint8_t *at, size_t count, size_t capacity) {
    return (bpi_bits(at, capacity) & BPI_HIGH_BITS) == 0 || bpi_utf8_is_valid(at, count);
}

#endif
