/* Frame rows: what it costs to find the frames in a landing chunk of 64 KiB, and to keep them: 256 are held at
 * a time, the oldest goes when one comes. The limit is a loop written for just these types; the heap's way is three
 * allocations and two copies for each frame: its bytes, its message, its place in a queue. Of every value the first and
 * the last eight bytes are read. */
#include "bench.h"
#include "bufpool/detail/bytes.h"
#include "bufpool/frame.h"

#include <stdlib.h>
#include <string.h>

enum { HAND, HAND_CALLED, VIEWS, EACH, REUSED, KEPT, HEAPED };
enum { FIRST_TYPE = 1000, TYPE_COUNT = 3, CHUNK = 65536, HELD = 256, MIX = 0, VALUE_MAX = 4096, ROUNDS = 2000 };

static const bp_class classes[] = {{64, 65536}, {192, 65536}, {1408, 1u << 20}, {VALUE_MAX, 1u << 20}};
static const bp_pool_config pool_config = {
    .name = "frames", .classes = classes, .class_count = 4, .memory_limit = 64u << 20};
static const bp_type_info types[TYPE_COUNT] = {
    {.name = "Tick", .type = FIRST_TYPE, .class_ix = 0, .accept_min = 16, .accept_max = 64},
    {.name = "Quote", .type = FIRST_TYPE + 1, .class_ix = 1, .accept_min = 16, .accept_max = 192},
    {.name = "Book", .type = FIRST_TYPE + 2, .class_ix = 3, .accept_min = 16, .accept_max = VALUE_MAX}};
static const bp_schema schema = {.abi = BP_ABI, .name = "frames", .id = 1, .version = 1, .min_compatible = 1,
                                 .types = types, .type_count = TYPE_COUNT, .pool_config = &pool_config};

typedef struct held {
    uint8_t *bytes, *message;
    bp_buf *buf;
} held;

typedef struct bench {
    uint8_t chunk[CHUNK], copy[VALUE_MAX];
    size_t length; /* of the chunk's whole frames */
    uint32_t frame_count;
    uint64_t sum;
    bp_pool *pool;
    bp_type_map *map;
    bp_reader_config config;
    bp_reader reader;
    held *ring[HELD];
    bp_buf *bufs[HELD];
    uint32_t next;
} bench;

/* ---- the chunk ---- */

static uint16_t type_of(uint32_t size) { return (uint16_t)(FIRST_TYPE + (size > 64) + (size > 192)); }

/* MIX: many small ones, some of 180, few of 1400, in no order. */
static uint32_t size_of(uint32_t size, uint32_t i) {
    static const uint16_t mix[16] = {64, 48, 180, 64, 24, 64, 180, 64, 1400, 64, 40, 180, 64, 64, 180, 32};
    return size != MIX ? size : mix[(i * 7u + i / 16u) % 16];
}

static void fill(bench *b, uint32_t size) {
    b->length = b->frame_count = 0;
    for (;;) {
        const uint32_t value = size_of(size, b->frame_count);
        if (b->length + BP_FRAME_HEADER_SIZE + value > CHUNK) return;
        bpi_store_u16(b->chunk + b->length, type_of(value));
        bpi_store_u32(b->chunk + b->length + 2, value);
        memset(b->chunk + b->length + BP_FRAME_HEADER_SIZE, (int)b->frame_count, value);
        b->length += BP_FRAME_HEADER_SIZE + value;
        b->frame_count++;
    }
}

static inline void look(bench *b, const uint8_t *value, uint32_t length) {
    b->sum += bpi_load_u64(value) + bpi_load_u64(value + length - 8);
}

/* ---- what is done with a frame ---- */

static void look_called(bench *b, const uint8_t *value, uint32_t length, uint16_t type) {
    (void)type;
    look(b, value, length);
}

static void copy_to_one(bench *b, const uint8_t *value, uint32_t length, uint16_t type) {
    (void)type;
    bpi_copy(b->copy, value, length);
    look(b, b->copy, length);
}

static void drop(held *old) {
    if (old == NULL) return;
    free(old->bytes);
    free(old->message);
    free(old);
}

static void put_on_heap(bench *b, const uint8_t *value, uint32_t length, uint16_t type) {
    held **slot = &b->ring[b->next++ % HELD];
    (void)type;
    drop(*slot);
    held *one = malloc(sizeof *one);
    uint8_t *bytes = malloc(length), *message = malloc(length);
    if (one == NULL || bytes == NULL || message == NULL) bench_fail("no memory");
    memcpy(bytes, value, length);
    memcpy(message, bytes, length);
    *one = (held){.bytes = bytes, .message = message};
    *slot = one;
    look(b, message, length);
}

/* The hand loop: every type and length that is not in the schema ends it. */
static void split_by_hand(bench *b, void (*called)(bench *, const uint8_t *, uint32_t, uint16_t)) {
    static const struct {
        uint32_t min, max;
    } accepted[TYPE_COUNT] = {{16, 64}, {16, 192}, {16, VALUE_MAX}};
    const uint8_t *at = b->chunk, *end = b->chunk + b->length;
    while ((size_t)(end - at) >= BP_FRAME_HEADER_SIZE) {
        const uint16_t type = bpi_load_u16(at);
        const uint32_t length = bpi_load_u32(at + 2), ix = (uint32_t)type - FIRST_TYPE;
        if (ix >= TYPE_COUNT || length < accepted[ix].min || length > accepted[ix].max) bench_fail("a bad frame");
        if (length > (size_t)(end - at) - BP_FRAME_HEADER_SIZE) break;
        if (called == NULL)
            look(b, at + BP_FRAME_HEADER_SIZE, length);
        else
            called(b, at + BP_FRAME_HEADER_SIZE, length, type);
        at += BP_FRAME_HEADER_SIZE + length;
    }
}

static bp_err look_at_frame(bp_frame *frame, void *user) {
    look(user, frame->value, frame->length);
    return BP_OK;
}

static void keep(bench *b, bp_frame *frame) {
    bp_buf **slot = &b->bufs[b->next++ % HELD];
    bp_buf_release_take(slot);
    if (bp_reader_keep(&b->reader, frame, slot) != BP_OK) bench_fail("no buffer");
    look(b, bp_buf_data(*slot), frame->length);
}

static bp_err keep_frame(bp_frame *frame, void *user) {
    keep(user, frame);
    return BP_OK;
}

static void split_by_reader(bench *b, int variant) {
    bp_frame frame;
    bp_err err;
    bp_reader_fed(&b->reader, bp_reader_space(&b->reader, b->chunk, b->length), b->length);
    if (variant == VIEWS) {
        while ((err = bp_reader_next(&b->reader, &frame)) == BP_OK) look(b, frame.value, frame.length);
    } else {
        err = bp_reader_each(&b->reader, variant == EACH ? look_at_frame : keep_frame, b);
    }
    if (err != BP_MORE) bench_fail("the reader failed");
}

static void split(bench *b, int variant) {
    void (*volatile const called)(bench *, const uint8_t *, uint32_t, uint16_t) =
        variant == REUSED ? copy_to_one : variant == HEAPED ? put_on_heap : look_called;
    if (variant == VIEWS || variant == EACH || variant == KEPT)
        split_by_reader(b, variant);
    else if (variant == HAND)
        split_by_hand(b, NULL);
    else
        split_by_hand(b, called);
}

static void clear(bench *b) {
    for (int i = 0; i < HELD; i++) {
        drop(b->ring[i]);
        b->ring[i] = NULL;
        bp_buf_release_take(&b->bufs[i]);
    }
}

/* Nanoseconds per frame. */
static double run_row(const bench_row *row) {
    static bench b;
    const bp_schema *const schemas[] = {&schema};
    const int rounds = bench_is_quick ? ROUNDS / 4 : ROUNDS;
    if (b.pool == NULL && bp_pool_new(&pool_config, &b.pool) != BP_OK) bench_fail("no pool");
    if (b.map == NULL && bp_type_map_new(schemas, 1, &b.map) != BP_OK) bench_fail("no types");
    b.config = (bp_reader_config){.pool = b.pool, .types = b.map};
    bp_reader_init(&b.reader, &b.config);
    fill(&b, row->size);
    split(&b, row->variant);
    const uint64_t start = bench_cpu_ns();
    for (int i = 0; i < rounds; i++) {
        split(&b, row->variant);
        bench_touch(&b);
    }
    const uint64_t took = bench_cpu_ns() - start;
    clear(&b);
    bp_reader_fini(&b.reader);
    return (double)took / ((double)rounds * b.frame_count);
}

#define ROWS_OF_SIZE(label, size)                                                                                      \
    {"frame", label ": hand loop", "ns", NULL, run_row, size, HAND, false},                                            \
    {"frame", label ": hand loop, call per frame", "ns", label ": hand loop", run_row, size, HAND_CALLED, false},      \
    {"frame", label ": bufpool, views", "ns", label ": hand loop", run_row, size, VIEWS, false},                       \
    {"frame", label ": bufpool, call per frame", "ns", label ": hand loop", run_row, size, EACH, false},               \
    {"frame", label ": copies into one buffer", "ns", label ": hand loop", run_row, size, REUSED, false},              \
    {"frame", label ": bufpool, kept", "ns", label ": copies into one buffer", run_row, size, KEPT, false},            \
    {"frame", label ": three mallocs, two copies", "ns", label ": bufpool, kept", run_row, size, HEAPED, true}

static const bench_row rows[] = {ROWS_OF_SIZE("64 B", 64), ROWS_OF_SIZE("180 B", 180), ROWS_OF_SIZE("1400 B", 1400),
                                 ROWS_OF_SIZE("mix", MIX)};
const bench_table bench_frame_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
