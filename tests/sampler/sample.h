/* tests/sampler/sample.h: instances of messages, for tests that must not know the contract. The sampler writes a table
 * of sample_message for a contract; this file holds what all such tables share. */
#ifndef BUFPOOL_TESTS_SAMPLE_H
#define BUFPOOL_TESTS_SAMPLE_H

#include "bufpool/base.h"
#include "bufpool/detail/bytes.h"
#include "bufpool/pool.h"

/* EMPTY: nothing optional, every count 0. FULL: everything there, every count at its capacity; both may break rules.
 * RANDOM: any instance that keeps every rule. */
typedef enum sample_kind { SAMPLE_EMPTY, SAMPLE_FULL, SAMPLE_RANDOM } sample_kind;

/* One message: void pointers are to its struct or view.
 *   fill        an instance; pointers point into static memory
 *   spoil       breaks rule number ix of a good instance; returns the field's name, NULL when there are fewer rules
 *   overfill    puts count number ix above its capacity; false when there are fewer that can be
 *   equal       whether two instances say the same
 *   view_equal  whether every getter says what the instance says */
typedef struct sample_message {
    const char *name;
    size_t struct_size, view_size;
    uint32_t block, min, max, accept_min, accept_max;
    bool has_tail;
    void (*fill)(void *message, sample_kind kind, uint64_t *seed);
    const char *(*spoil)(void *message, uint32_t ix);
    bool (*overfill)(void *message, uint32_t ix);
    bool (*equal)(const void *left, const void *right);
    bool (*view_equal)(const void *view, const void *message);
    uint32_t (*view_block)(const void *view);
    bp_err (*size)(const void *message, uint32_t *out);
    bp_err (*encode)(const void *message, uint8_t *out, size_t capacity, uint32_t *length);
    bp_err (*place)(const void *message, uint8_t *out, size_t capacity, uint32_t *length, uint8_t **data); /* or NULL */
    bp_err (*decode)(const uint8_t *value, size_t length, void *out);
    bp_err (*view_init)(const uint8_t *value, size_t length, void *out);
    void (*load)(const void *view, void *out);
    bp_err (*decode_valid)(const uint8_t *value, size_t length, void *out, const char **field);
    bp_err (*validate)(const void *view, const char **field);
    int (*print)(const void *view, char *out, size_t size);
    bp_err (*pack)(bp_pool *pool, const void *message, bp_buf **out);
    uint16_t type;
    uint32_t class_size;
    bool (*is_older_end)(size_t block); /* whether an older writer's block may be that long */
    bool is_lossy;                      /* reads more than it writes: retired fields, strides of other versions */
} sample_message;

/* The next number of a sequence that *seed begins (splitmix64). */
static inline uint64_t sample_next(uint64_t *seed) {
    uint64_t z = (*seed += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Small numbers as often as large ones. */
static inline uint64_t some_number(uint64_t *seed) {
    const uint64_t shift = sample_next(seed) % 64;
    return sample_next(seed) >> shift;
}

static inline uint8_t some_u8(uint64_t *seed) { return (uint8_t)some_number(seed); }
static inline uint16_t some_u16(uint64_t *seed) { return (uint16_t)some_number(seed); }
static inline uint32_t some_u32(uint64_t *seed) { return (uint32_t)some_number(seed); }
static inline uint64_t some_u64(uint64_t *seed) { return some_number(seed); }
static inline int8_t some_i8(uint64_t *seed) { return (int8_t)some_number(seed); }
static inline int16_t some_i16(uint64_t *seed) { return (int16_t)some_number(seed); }
static inline int32_t some_i32(uint64_t *seed) { return (int32_t)some_number(seed); }
static inline int64_t some_i64(uint64_t *seed) { return (int64_t)some_number(seed); }
static inline bool some_bool(uint64_t *seed) { return (sample_next(seed) & 1) != 0; }
static inline float some_f32(uint64_t *seed) { return (float)(sample_next(seed) % 2001) / 1000.0f - 1.0f; }
static inline double some_f64(uint64_t *seed) { return (double)(sample_next(seed) % 2001) / 1000.0 - 1.0; }
static inline bp_u128 some_u128(uint64_t *seed) { return bpi_u128(sample_next(seed), some_number(seed)); }
static inline bp_u256 some_u256(uint64_t *seed) {
    return bpi_u256(sample_next(seed), sample_next(seed), some_number(seed), some_number(seed));
}

/* How many elements or bytes: mostly few, sometimes all. */
static inline uint32_t some_count(uint32_t capacity, sample_kind kind, uint64_t *seed) {
    if (kind == SAMPLE_EMPTY) return 0;
    if (kind == SAMPLE_FULL || sample_next(seed) % 8 == 0) return capacity;
    return (uint32_t)(some_number(seed) % ((uint64_t)capacity + 1));
}

static inline void some_bytes(void *at, size_t count, uint64_t *seed) {
    for (size_t i = 0; i < count; i++) ((uint8_t *)at)[i] = (uint8_t)sample_next(seed);
}

static inline void some_letters(void *at, size_t count, uint64_t *seed) {
    uint64_t bits = sample_next(seed);
    for (size_t i = 0; i < count; i++, bits = bits * 5 + 1) ((char *)at)[i] = (char)('a' + (bits >> 33) % 26);
}

#endif
