#include "tests/support/frame_schema.h"

#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>

static const bp_class classes[] = {{64, 65536}, {128, 65536}, {256, 65536}, {2048, 65536}, {16384, 65536}, {262144, 0}};

const bp_pool_config bpt_frame_pool_config = {.name = "frames",
                                              .classes = classes,
                                              .class_count = sizeof classes / sizeof classes[0],
                                              .memory_limit = 64u << 20};

static const bp_type_info types[] = {
    {.name = "Empty", .type = BPT_EMPTY_TYPE, .class_ix = 0, .accept_min = 0, .accept_max = 0},
    {.name = "Small", .type = BPT_SMALL_TYPE, .class_ix = 1, .accept_min = BPT_SMALL_MIN, .accept_max = BPT_SMALL_MAX},
    {.name = "Medium",
     .type = BPT_MEDIUM_TYPE,
     .class_ix = 2,
     .accept_min = BPT_MEDIUM_MIN,
     .accept_max = BPT_MEDIUM_MAX},
    {.name = "Large", .type = BPT_LARGE_TYPE, .class_ix = 4, .accept_min = BPT_LARGE_MIN, .accept_max = BPT_LARGE_MAX},
    {.name = "Huge", .type = BPT_HUGE_TYPE, .class_ix = 5, .accept_min = BPT_HUGE_MIN, .accept_max = BPT_HUGE_MAX},
};

static const bp_type_range ranges[] = {
    {.first = 0, .last = 999, .unknown = BP_UNKNOWN_FAIL},
    {.first = 1000, .last = 2999, .unknown = BP_UNKNOWN_SKIP},
    {.first = 3000, .last = 3999, .unknown = BP_UNKNOWN_DELIVER},
};

const bp_schema bpt_frame_schema = {
    .abi = BP_ABI,
    .name = "frames",
    .id = 1,
    .version = 1,
    .min_compatible = 1,
    .types = types,
    .type_count = sizeof types / sizeof types[0],
    .ranges = ranges,
    .range_count = sizeof ranges / sizeof ranges[0],
    .pool_config = &bpt_frame_pool_config,
};

static const bp_type_info *info_of(uint16_t type) {
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].type == type) return &types[i];
    }
    return NULL;
}

uint32_t bpt_frame_min(uint16_t type) { return info_of(type) == NULL ? 0 : info_of(type)->accept_min; }

uint32_t bpt_frame_max(uint16_t type) { return info_of(type) == NULL ? 65536 : info_of(type)->accept_max; }

uint64_t bpt_random_next(bpt_random *random) {
    if (random->state == 0) random->state = 88172645463325252u;
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * 2685821657736338717u;
}

uint32_t bpt_random_below(bpt_random *random, uint32_t bound) {
    return bound == 0 ? 0 : (uint32_t)((bpt_random_next(random) >> 16) % bound);
}

static uint8_t byte_at(uint32_t place, uint64_t seed) {
    return (uint8_t)((place * 31u) ^ (place >> 8) ^ (uint8_t)seed ^ (uint8_t)(seed >> 8));
}

void bpt_frame_fill(uint8_t *value, uint32_t length, uint64_t seed) {
    for (uint32_t i = 0; i < length; i++) value[i] = byte_at(i, seed);
}

bool bpt_frame_is_filled(const uint8_t *value, uint32_t length, uint64_t seed) {
    for (uint32_t i = 0; i < length; i++) {
        if (value[i] != byte_at(i, seed)) return false;
    }
    return true;
}

static uint8_t *room(bpt_wire *wire, size_t count) {
    if (wire->length + count > wire->capacity) {
        wire->capacity = 2 * (wire->length + count);
        wire->data = realloc(wire->data, wire->capacity);
        if (wire->data == NULL) abort();
    }
    wire->length += count;
    return wire->data + wire->length - count;
}

void bpt_wire_add_head(bpt_wire *wire, uint16_t type, uint32_t length) {
    uint8_t *at = room(wire, BP_FRAME_HEADER_SIZE);
    bpi_store_u16(at, type);
    bpi_store_u32(at + 2, length);
}

void bpt_wire_add(bpt_wire *wire, uint16_t type, uint32_t length, uint64_t seed) {
    bpt_wire_add_head(wire, type, length);
    bpt_frame_fill(room(wire, length), length, seed);
}

static void add_bytes(bpt_wire *wire, const uint8_t *bytes, size_t count) { memcpy(room(wire, count), bytes, count); }

void bpt_wire_add_hello(bpt_wire *wire) {
    static const uint8_t hello[BPT_HELLO_BYTES] = {0, 0, 20, 0, 0, 0, /* type 0, 20 bytes */
                                                   1, 0, 1, 0,        /* HELLO of one schema */
                                                   1, 0, 0, 0, 1, 0, 1, 0}; /* id 1, version 1 reads 1; no layout */
    add_bytes(wire, hello, sizeof hello);
}

void bpt_wire_add_goodbye(bpt_wire *wire) {
    static const uint8_t goodbye[BPT_GOODBYE_BYTES] = {0, 0, 2, 0, 0, 0, 2, 0};
    add_bytes(wire, goodbye, sizeof goodbye);
}

void bpt_wire_free(bpt_wire *wire) {
    free(wire->data);
    *wire = (bpt_wire){0};
}

bp_buf *bpt_frame_buf(bp_pool *pool, uint16_t type, uint32_t length, uint64_t seed) {
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire(pool, length == 0 ? 1 : length, &buf));
    bpt_frame_fill(bp_buf_data(buf), length, seed);
    bp_buf_set_length(buf, length);
    bp_buf_set_type(buf, type);
    return buf;
}

uint64_t bpt_pool_in_use(bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    return stats.total.in_use + stats.exact_in_use;
}
