/* tests/support/frame_schema.h: a schema written by hand, for the tests of the frame and transport rooms. Its lengths
 * are the tests' own: small below 128 bytes, medium 128..256, large above 1 KiB, huge above a landing chunk. */
#ifndef BUFPOOL_TESTS_FRAME_SCHEMA_H
#define BUFPOOL_TESTS_FRAME_SCHEMA_H

#include "bufpool/detail/bytes.h"
#include "bufpool/frame.h"

enum {
    BPT_EMPTY_TYPE = 1000,
    BPT_SMALL_TYPE = 1001,
    BPT_MEDIUM_TYPE = 1002,
    BPT_LARGE_TYPE = 1003,
    BPT_HUGE_TYPE = 1004,
    BPT_SKIPPED_TYPE = 2000, /* unknown, in a range that is skipped */
    BPT_DELIVERED_TYPE = 3000,
    BPT_REFUSED_TYPE = 4000,

    BPT_SMALL_MIN = 8,
    BPT_SMALL_MAX = 120,
    BPT_MEDIUM_MIN = 128,
    BPT_MEDIUM_MAX = 256,
    BPT_LARGE_MIN = 1100,
    BPT_LARGE_MAX = 16384,
    BPT_HUGE_MIN = 70000,
    BPT_HUGE_MAX = 262144,
};

extern const bp_schema bpt_frame_schema;
extern const bp_pool_config bpt_frame_pool_config;

/* Lengths of a type of the schema; unknown types are given 0 .. 65536. */
uint32_t bpt_frame_min(uint16_t type);
uint32_t bpt_frame_max(uint16_t type);

/* A small generator of the tests' own (xorshift64*), so that a seed names a run. */
typedef struct bpt_random {
    uint64_t state;
} bpt_random;
uint64_t bpt_random_next(bpt_random *random);
uint32_t bpt_random_below(bpt_random *random, uint32_t bound);

/* Fills a value so that every byte depends on seed and place, and tells whether one is so filled. */
void bpt_frame_fill(uint8_t *value, uint32_t length, uint64_t seed);
bool bpt_frame_is_filled(const uint8_t *value, uint32_t length, uint64_t seed);

/* Bytes for the wire, as they grow. */
typedef struct bpt_wire {
    uint8_t *data;
    size_t length, capacity;
} bpt_wire;
void bpt_wire_add(bpt_wire *wire, uint16_t type, uint32_t length, uint64_t seed);
void bpt_wire_add_head(bpt_wire *wire, uint16_t type, uint32_t length);
/* What a peer that speaks this schema says first and last (docs/WIRE.md, "Control frames"). */
enum { BPT_HELLO_BYTES = 26, BPT_GOODBYE_BYTES = 8 };
void bpt_wire_add_hello(bpt_wire *wire);
void bpt_wire_add_goodbye(bpt_wire *wire);
void bpt_wire_free(bpt_wire *wire);

/* A filled buffer from pool, ready to be sent. */
bp_buf *bpt_frame_buf(bp_pool *pool, uint16_t type, uint32_t length, uint64_t seed);

/* Buffers of the pool that are out, exact ones included. */
uint64_t bpt_pool_in_use(bp_pool *pool);

#endif
