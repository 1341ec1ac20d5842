#define _DEFAULT_SOURCE
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LANDING = 65536, EVENT_MAX = 4096, HOG_MAX = 4096 };

/* What a stream amounts to: the frames handed on, and how it ended. */
typedef struct event {
    uint16_t type;
    uint32_t length;
    uint64_t sum;
} event;

typedef struct trace {
    event events[EVENT_MAX];
    size_t count;
    uint64_t skipped;
    bp_err end; /* the reader's last word: BP_MORE or an error */
} trace;

typedef struct rig {
    bp_pool *pool;
    bp_type_map *map;
    bp_reader_config config;
    bp_reader reader;
    uint8_t *landing;
    bp_buf *hogs[HOG_MAX];
    size_t hog_count;
    trace *trace;   /* of the run under way */
    bool is_each;   /* take frames through bp_reader_each */
    bool is_dry;    /* hog the pool before every acquire */
    bool is_hogged; /* it is, since nothing was released */
    size_t refusals;
} rig;

static const bp_schema *const schemas[] = {&bpt_frame_schema};

static void rig_init(rig *r, uint64_t limit) {
    *r = (rig){0};
    bpt_ok(bp_heap_pool_new(limit, &r->pool));
    bpt_ok(bp_type_map_new(schemas, 1, &r->map));
    r->landing = malloc(LANDING);
    ck_assert_ptr_nonnull(r->landing);
    r->config = (bp_reader_config){.pool = r->pool, .types = r->map};
    bp_reader_init(&r->reader, &r->config);
}

static void hog(rig *r) {
    for (uint32_t size = 1u << 17; size != 0; size /= 2) {
        while (r->hog_count < HOG_MAX && bp_pool_acquire(r->pool, size, &r->hogs[r->hog_count]) == BP_OK) {
            r->hog_count++;
        }
    }
    ck_assert_uint_lt(r->hog_count, HOG_MAX);
}

static void unhog(rig *r) {
    while (r->hog_count != 0) bp_buf_release_take(&r->hogs[--r->hog_count]);
}

/* Every buffer must be back once the reader is gone. */
static void rig_fini(rig *r) {
    bp_reader_fini(&r->reader);
    unhog(r);
    ck_assert_uint_eq(bpt_pool_in_use(r->pool), 0);
    bp_type_map_free_take(&r->map);
    bp_pool_release_take(&r->pool);
    free(r->landing);
}

static uint64_t sum_bytes(const uint8_t *at, size_t count) {
    uint64_t sum = 1469598103934665603u;
    for (size_t i = 0; i < count; i++) sum = (sum ^ at[i]) * 1099511628211u;
    return sum;
}

static void record(trace *t, uint16_t type, uint32_t length, const uint8_t *value) {
    bpt_must(t->count < EVENT_MAX);
    t->events[t->count++] = (event){type, length, sum_bytes(value, length)};
}

/* What any chunking must amount to, found in the plainest way. */
static void reference(const uint8_t *at, size_t left, trace *t) {
    for (t->end = BP_MORE; left >= BP_FRAME_HEADER_SIZE;) {
        const uint16_t type = (uint16_t)(at[0] | at[1] << 8);
        const uint32_t length = (uint32_t)at[2] | (uint32_t)at[3] << 8 | (uint32_t)at[4] << 16 | (uint32_t)at[5] << 24;
        const bool is_known = type >= BPT_EMPTY_TYPE && type <= BPT_HUGE_TYPE;
        if (!is_known && (type < 1000 || type > 3999))
            t->end = BP_ERR_FRAME_TYPE;
        else if (is_known && length < bpt_frame_min(type))
            t->end = BP_ERR_FRAME_SHORT;
        else if (length > bpt_frame_max(type))
            t->end = BP_ERR_FRAME_LONG;
        if (t->end != BP_MORE || length > left - BP_FRAME_HEADER_SIZE) return;
        if (is_known || type >= 3000)
            record(t, type, length, at + BP_FRAME_HEADER_SIZE);
        else
            t->skipped++;
        at += BP_FRAME_HEADER_SIZE + length;
        left -= BP_FRAME_HEADER_SIZE + length;
    }
}

/* The reader's next answer; a dry pool refuses every acquire once, and the same call is made again. */
static bp_err next(rig *r, bp_frame *frame) {
    if (!r->is_dry) return bp_reader_next(&r->reader, frame);
    if (!r->is_hogged) hog(r);
    bp_err err = bp_reader_next(&r->reader, frame);
    if (err == BP_ERR_LIMIT) {
        r->refusals++;
        ck_assert_ptr_null(frame->buf);
        bpt_err(bp_reader_next(&r->reader, frame), BP_ERR_LIMIT);
        unhog(r);
        err = bp_reader_next(&r->reader, frame);
    }
    r->is_hogged = err == BP_MORE && r->hog_count != 0;
    return err;
}

static void check_frame(rig *r, const bp_frame *frame) {
    if (frame->length == 0) {
        bpt_must(frame->buf == NULL);
    } else if (frame->buf != NULL) {
        bpt_must(frame->value == bp_buf_data(frame->buf));
        bpt_must(bp_buf_length(frame->buf) == frame->length);
        bpt_must(bp_buf_capacity(frame->buf) == frame->length);
        bpt_must(bp_buf_type(frame->buf) == frame->type);
    } else {
        bpt_must(frame->value >= r->landing && frame->value + frame->length <= r->landing + LANDING);
    }
    bpt_must(frame->info == bp_type_map_find(r->map, frame->type, NULL));
}

static bp_err on_frame(bp_frame *frame, void *user) {
    rig *r = user;
    check_frame(r, frame);
    record(r->trace, frame->type, frame->length, frame->value);
    bpt_must(r->reader.frame_count == r->trace->count);
    return r->trace->count % 3 == 0 ? BP_PENDING : BP_OK; /* which stops it; then it goes on behind the frame */
}

static void drain_each(rig *r, trace *t) {
    bp_frame frame;
    r->trace = t;
    while ((t->end = bp_reader_each(&r->reader, on_frame, r)) == BP_PENDING) continue;
    if (t->end == BP_MORE) bpt_err(bp_reader_next(&r->reader, &frame), BP_MORE);
}

static void drain(rig *r, trace *t) {
    bp_frame frame;
    if (r->is_each) drain_each(r, t);
    while (!r->is_each && (t->end = next(r, &frame)) == BP_OK) {
        check_frame(r, &frame);
        record(t, frame.type, frame.length, frame.value);
    }
    t->skipped = r->reader.skipped_count;
    bpt_must(r->reader.frame_count == t->count);
}

/* Feeds the bytes in chunks of at most chunk (0: of random sizes up to what the reader could take). */
static void run(rig *r, const uint8_t *at, size_t left, size_t chunk, bpt_random *random, trace *t) {
    *t = (trace){.end = BP_MORE};
    while (left != 0 && t->end == BP_MORE) {
        const bp_span space = bp_reader_space(&r->reader, r->landing, LANDING);
        size_t count = chunk != 0 ? chunk : 1 + bpt_random_below(random, 1u << bpt_random_below(random, 17));
        bpt_must(space.length != 0);
        if (count > space.length) count = space.length;
        if (count > left) count = left;
        memcpy(space.data, at, count);
        bp_reader_fed(&r->reader, space, count);
        at += count;
        left -= count;
        drain(r, t);
        if (space.data == r->landing) memset(r->landing, 0xA5, count); /* no pointer into it may be left */
    }
}

static void compare(const trace *got, const trace *expected) {
    bpt_err(got->end, expected->end);
    bpt_must(got->count == expected->count);
    bpt_must(got->skipped == expected->skipped);
    for (size_t i = 0; i < got->count; i++) {
        bpt_must(got->events[i].type == expected->events[i].type);
        bpt_must(got->events[i].length == expected->events[i].length);
        bpt_must(got->events[i].sum == expected->events[i].sum);
    }
}

static const uint16_t any_type[] = {BPT_EMPTY_TYPE, BPT_SMALL_TYPE, BPT_MEDIUM_TYPE,    BPT_LARGE_TYPE,
                                    BPT_HUGE_TYPE,  BPT_SMALL_TYPE, BPT_SKIPPED_TYPE,   BPT_DELIVERED_TYPE,
                                    BPT_SMALL_TYPE, BPT_SMALL_TYPE, BPT_DELIVERED_TYPE, BPT_MEDIUM_TYPE};

static void add_random_frame(bpt_wire *wire, bpt_random *random) {
    const uint16_t type = any_type[bpt_random_below(random, sizeof any_type / sizeof any_type[0])];
    uint32_t max = bpt_frame_max(type), min = bpt_frame_min(type);
    if (type == BPT_HUGE_TYPE) max = min + 30000;
    if (min == 0 && max > 3000) max = 3000;
    bpt_wire_add(wire, type, min + bpt_random_below(random, max - min + 1), bpt_random_next(random));
}

static void check_chunkings(const bpt_wire *wire, bool is_dry) {
    static trace expected, got;
    const size_t chunks[] = {wire->length, 0, 1, 5, 7, 14, 64, 4096, 0};
    expected = (trace){0};
    reference(wire->data, wire->length, &expected);
    const size_t count = sizeof chunks / sizeof chunks[0];
    for (size_t i = 0; i < (is_dry ? count : 2 * count); i++) {
        rig r;
        bpt_random random = {i + 1};
        rig_init(&r, is_dry ? 1u << 18 : 0);
        r.is_dry = is_dry;
        r.is_each = i >= count;
        run(&r, wire->data, wire->length, chunks[i % count], &random, &got);
        compare(&got, &expected);
        rig_fini(&r);
    }
}

START_TEST(any_chunking_gives_the_same_frames) {
    bpt_random random = {(uint64_t)_i + 1};
    bpt_wire wire = {0};
    for (int i = 0; i < 60; i++) add_random_frame(&wire, &random);
    check_chunkings(&wire, false);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(any_chunking_gives_the_same_error) {
    static const struct {
        uint16_t type;
        uint32_t length;
        bp_err err;
    } bad[] = {
        {0, 0, BP_ERR_FRAME_TYPE},
        {BPT_REFUSED_TYPE, 8, BP_ERR_FRAME_TYPE},
        {999, UINT32_MAX, BP_ERR_FRAME_TYPE},
        {BPT_EMPTY_TYPE, 1, BP_ERR_FRAME_LONG},
        {BPT_SMALL_TYPE, BPT_SMALL_MIN - 1, BP_ERR_FRAME_SHORT},
        {BPT_SMALL_TYPE, BPT_SMALL_MAX + 1, BP_ERR_FRAME_LONG},
        {BPT_HUGE_TYPE, UINT32_MAX, BP_ERR_FRAME_LONG},
        {BPT_SKIPPED_TYPE, 65537, BP_ERR_FRAME_LONG},
        {BPT_DELIVERED_TYPE, UINT32_MAX, BP_ERR_FRAME_LONG},
    };
    bpt_wire wire = {0};
    trace expected = {0};
    bpt_wire_add(&wire, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, BPT_LARGE_MAX, 2);
    bpt_wire_add_head(&wire, bad[_i].type, bad[_i].length);
    reference(wire.data, wire.length, &expected);
    bpt_err(expected.end, bad[_i].err);
    check_chunkings(&wire, false);
    bpt_wire_free(&wire);
}
END_TEST

/* Wherever a value is cut, what follows looks like the beginning of a frame. */
START_TEST(what_looks_like_a_frame_inside_a_value_is_none) {
    bpt_wire wire = {0}, inner = {0};
    while (inner.length < BPT_LARGE_MIN) bpt_wire_add(&inner, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    bpt_wire_add_head(&wire, BPT_LARGE_TYPE, (uint32_t)inner.length);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, (uint32_t)inner.length, 2);
    memcpy(wire.data + BP_FRAME_HEADER_SIZE, inner.data, inner.length);
    wire.length = BP_FRAME_HEADER_SIZE + inner.length;
    bpt_wire_add(&wire, BPT_SMALL_TYPE, BPT_SMALL_MIN, 3);
    check_chunkings(&wire, false);
    bpt_wire_free(&inner);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(a_dry_pool_loses_nothing) {
    bpt_random random = {(uint64_t)_i + 77};
    bpt_wire wire = {0};
    for (int i = 0; i < 25; i++) add_random_frame(&wire, &random);
    check_chunkings(&wire, true);
    bpt_wire_free(&wire);
}
END_TEST

/* Each frame is longer than the one before it, whose buffer the same call gives back. */
START_TEST(a_dry_pool_refuses_once_per_cut_frame) {
    static trace got;
    rig r;
    bpt_wire wire = {0};
    for (uint32_t i = 0; i < 10; i++) bpt_wire_add(&wire, BPT_LARGE_TYPE, BPT_LARGE_MIN + 1000 * i, i);
    rig_init(&r, 1u << 18);
    r.is_dry = true;
    run(&r, wire.data, wire.length, 100, NULL, &got);
    ck_assert_uint_eq(got.count, 10);
    ck_assert_uint_eq(r.refusals, 10);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

static uint64_t acquires(bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    return stats.exact_acquires + stats.total.acquires;
}

START_TEST(whole_frames_take_no_buffer) {
    static trace got;
    rig r;
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 64, 1);
    bpt_wire_add(&wire, BPT_MEDIUM_TYPE, 200, 2);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 9000, 3);
    rig_init(&r, 0);
    run(&r, wire.data, wire.length, wire.length, NULL, &got);
    ck_assert_uint_eq(got.count, 3);
    ck_assert_uint_eq(acquires(r.pool), 0);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(nothing_is_acquired_for_a_length_that_is_refused) {
    rig r;
    static trace got;
    bpt_wire wire = {0};
    bpt_wire_add_head(&wire, BPT_SMALL_TYPE, UINT32_MAX);
    rig_init(&r, 0);
    run(&r, wire.data, wire.length, 0, &(bpt_random){3}, &got);
    bpt_err(got.end, BP_ERR_FRAME_LONG);
    ck_assert_uint_eq(acquires(r.pool), 0);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

/* Feeds bytes through the landing chunk and leaves the frames to the caller. */
static void feed(rig *r, const uint8_t *bytes, size_t count) {
    const bp_span space = bp_reader_space(&r->reader, r->landing, LANDING);
    ck_assert_uint_ge(space.length, count);
    memcpy(space.data, bytes, count);
    bp_reader_fed(&r->reader, space, count);
}

START_TEST(a_large_rest_is_read_into_its_buffer) {
    rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, 5);
    rig_init(&r, 0);
    feed(&r, wire.data, 1000);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    const size_t missing = wire.length - 1000;
    bp_span space = bp_reader_space(&r.reader, r.landing, LANDING);
    ck_assert_uint_eq(space.length, missing);
    memcpy(space.data, wire.data + 1000, missing - BP_FRAME_DIRECT_MIN + 1);
    bp_reader_fed(&r.reader, space, missing - BP_FRAME_DIRECT_MIN + 1);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);

    space = bp_reader_space(&r.reader, r.landing, LANDING);
    ck_assert_ptr_eq(space.data, r.landing); /* little is missing: other frames may come with it */
    feed(&r, wire.data + wire.length - BP_FRAME_DIRECT_MIN + 1, BP_FRAME_DIRECT_MIN - 1);
    bpt_ok(bp_reader_next(&r.reader, &frame));
    ck_assert(bpt_frame_is_filled(frame.value, frame.length, 5));
    bpt_ok(bp_reader_end(&r.reader));
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(keep_copies_a_frame_in_place) {
    rig r;
    bp_frame frame;
    bp_buf *kept = NULL, *again = NULL;
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 77, 6);
    rig_init(&r, 0);
    feed(&r, wire.data, wire.length);
    bpt_ok(bp_reader_next(&r.reader, &frame));
    bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    bpt_err(bp_reader_keep(&r.reader, &frame, &again), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(again);
    memset(r.landing, 0, LANDING);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert_uint_eq(bp_buf_type(kept), BPT_SMALL_TYPE);
    ck_assert_uint_eq(bp_buf_length(kept), 77);
    ck_assert(bpt_frame_is_filled(bp_buf_data(kept), 77, 6));
    bp_buf_release(kept);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(keep_hands_over_the_buffer_of_a_cut_frame) {
    rig r;
    bp_frame frame;
    bp_buf *kept = NULL, *again = NULL;
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 2000, 7);
    rig_init(&r, 0);
    feed(&r, wire.data, 1500);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    feed(&r, wire.data + 1500, wire.length - 1500);
    bpt_ok(bp_reader_next(&r.reader, &frame));
    const bp_buf *own = frame.buf;
    bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    ck_assert_ptr_eq(kept, own);
    ck_assert_ptr_null(frame.buf);
    bpt_err(bp_reader_keep(&r.reader, &frame, &again), BP_ERR_ARGUMENT);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    bp_reader_fini(&r.reader);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 1);
    ck_assert(bpt_frame_is_filled(bp_buf_data(kept), 2000, 7));
    bp_buf_release(kept);
    ck_assert_uint_eq(acquires(r.pool), 1);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(keep_without_memory_leaves_the_frame) {
    rig r;
    bp_frame frame;
    bp_buf *kept = NULL;
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 100, 8);
    rig_init(&r, 1u << 18);
    feed(&r, wire.data, wire.length);
    bpt_ok(bp_reader_next(&r.reader, &frame));
    hog(&r);
    bpt_err(bp_reader_keep(&r.reader, &frame, &kept), BP_ERR_LIMIT);
    ck_assert_ptr_null(kept);
    ck_assert(bpt_frame_is_filled(frame.value, 100, 8));
    unhog(&r);
    bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    bp_buf_release(kept);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(an_empty_frame_needs_a_buffer_only_to_be_kept) {
    rig r;
    bp_frame frame;
    bp_buf *kept = NULL, *again = NULL;
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_EMPTY_TYPE, 0, 0);
    rig_init(&r, 0);
    feed(&r, wire.data, wire.length);
    bpt_ok(bp_reader_next(&r.reader, &frame));
    ck_assert_uint_eq(frame.length, 0);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 0);
    bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    bpt_err(bp_reader_keep(&r.reader, &frame, &again), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(bp_buf_length(kept), 0);
    ck_assert_uint_eq(bp_buf_type(kept), BPT_EMPTY_TYPE);
    bp_buf_release_take(&kept);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(the_end_is_lost_inside_a_frame_only) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 2000, 9);
    bpt_wire_add(&wire, BPT_SKIPPED_TYPE, 50, 9);
    for (size_t cut = 0; cut <= wire.length; cut++) {
        static trace got;
        rig r;
        rig_init(&r, 0);
        bpt_ok(bp_reader_end(&r.reader));
        run(&r, wire.data, cut, wire.length, NULL, &got);
        const bool is_between = cut == 0 || cut == 2006 || cut == wire.length;
        bpt_err(bp_reader_end(&r.reader), is_between ? BP_OK : BP_ERR_LOST);
        rig_fini(&r);
    }
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(a_failed_reader_stays_failed) {
    rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    bpt_wire_add_head(&wire, BPT_REFUSED_TYPE, 8);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 8, 1);
    rig_init(&r, 0);
    feed(&r, wire.data, wire.length);
    for (int i = 0; i < 3; i++) bpt_err(bp_reader_next(&r.reader, &frame), BP_ERR_FRAME_TYPE);
    ck_assert_uint_eq(bp_reader_space(&r.reader, r.landing, LANDING).length, 0);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(unknown_max_bounds_unknown_values) {
    static trace got;
    for (uint32_t length = 99; length <= 101; length++) {
        const uint16_t type = _i == 0 ? BPT_SKIPPED_TYPE : BPT_DELIVERED_TYPE;
        rig r;
        bpt_wire wire = {0};
        rig_init(&r, 0);
        r.config.unknown_max = 100;
        bp_reader_init(&r.reader, &r.config);
        bpt_wire_add(&wire, type, length, 1);
        run(&r, wire.data, wire.length, wire.length, NULL, &got);
        bpt_err(got.end, length <= 100 ? BP_MORE : BP_ERR_FRAME_LONG);
        rig_fini(&r);
        bpt_wire_free(&wire);
    }
}
END_TEST

/* The bytes end where a page ends and begin where one begins: reading past either side is a fault. */
START_TEST(nothing_is_read_beyond_what_was_fed) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(pages, page, PROT_NONE), 0);
    ck_assert_int_eq(mprotect(pages + 3 * page, page, PROT_NONE), 0);
    bpt_wire wire = {0};
    for (uint32_t i = 0; i < 12; i++) bpt_wire_add(&wire, BPT_SMALL_TYPE, BPT_SMALL_MIN + i, i);
    for (size_t cut = 1; cut <= wire.length; cut++) {
        rig r;
        rig_init(&r, 0);
        bp_frame frame;
        uint8_t *at = cut % 2 == 0 ? pages + page : pages + 3 * page - cut;
        memcpy(at, wire.data, cut);
        const bp_span space = {at, cut};
        bp_reader_fed(&r.reader, space, cut);
        while (bp_reader_next(&r.reader, &frame) == BP_OK) continue;
        memset(at, 0, cut);
        rig_fini(&r);
    }
    bpt_wire_free(&wire);
    munmap(pages, 4 * page);
}
END_TEST

START_TEST(fini_gives_back_the_cut_frame) {
    rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 5000, 1);
    rig_init(&r, 0);
    feed(&r, wire.data, 100);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 1);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

BPT_LONG_SUITE(frame_reader) {
    BPT_LOOP_TEST(any_chunking_gives_the_same_frames, 0, 10);
    BPT_LOOP_TEST(any_chunking_gives_the_same_error, 0, 9);
    BPT_TEST(what_looks_like_a_frame_inside_a_value_is_none);
    BPT_LOOP_TEST(a_dry_pool_loses_nothing, 0, 3);
    BPT_TEST(a_dry_pool_refuses_once_per_cut_frame);
    BPT_TEST(whole_frames_take_no_buffer);
    BPT_TEST(nothing_is_acquired_for_a_length_that_is_refused);
    BPT_TEST(a_large_rest_is_read_into_its_buffer);
    BPT_TEST(keep_copies_a_frame_in_place);
    BPT_TEST(keep_hands_over_the_buffer_of_a_cut_frame);
    BPT_TEST(keep_without_memory_leaves_the_frame);
    BPT_TEST(an_empty_frame_needs_a_buffer_only_to_be_kept);
    BPT_TEST(the_end_is_lost_inside_a_frame_only);
    BPT_TEST(a_failed_reader_stays_failed);
    BPT_LOOP_TEST(unknown_max_bounds_unknown_values, 0, 2);
    BPT_TEST(nothing_is_read_beyond_what_was_fed);
    BPT_TEST(fini_gives_back_the_cut_frame);
}
