/* Readers that wait for memory: buffers that are given to them, budgets, no landing chunk; and control frames. */
#include "frame/frame_internal.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <string.h>

enum { LANDING = 65536, LIMIT = 1 << 18, HOG_MAX = 64 };

typedef struct rig {
    bp_pool *pool, *control_pool;
    bp_type_map *map;
    bp_reader_budget budget;
    bp_reader_config config;
    bp_reader reader;
    bp_buf *hogs[HOG_MAX];
    uint32_t hog_count;
    uint8_t landing[LANDING];
} rig;

static void rig_init(rig *r) {
    static const bp_schema *const schemas[] = {&bpt_frame_schema};
    memset(r, 0, sizeof *r);
    bpt_ok(bp_heap_pool_new(LIMIT, &r->pool));
    bpt_ok(bp_heap_pool_new(LIMIT, &r->control_pool));
    bpt_ok(bp_type_map_new(schemas, 1, &r->map));
    r->budget.limit = 10000;
    r->config = (bp_reader_config){.pool = r->pool,
                                   .types = r->map,
                                   .control_max = 512,
                                   .control_pool = r->control_pool,
                                   .budget = &r->budget};
    bp_reader_init(&r->reader, &r->config);
}

static void rig_fini(rig *r) {
    bp_reader_fini(&r->reader);
    while (r->hog_count != 0) bp_buf_release(r->hogs[--r->hog_count]);
    ck_assert_uint_eq(r->budget.used, 0);
    ck_assert_uint_eq(bpt_pool_in_use(r->pool), 0);
    ck_assert_uint_eq(bpt_pool_in_use(r->control_pool), 0);
    bp_type_map_free_take(&r->map);
    bp_pool_release_take(&r->pool);
    bp_pool_release_take(&r->control_pool);
}

/* Nothing is left in the pool of messages. */
static void hog(rig *r) {
    for (uint32_t size = LIMIT; size != 0; size /= 2) {
        while (bp_pool_acquire(r->pool, size, &r->hogs[r->hog_count]) == BP_OK) {
            ck_assert_uint_lt(++r->hog_count, HOG_MAX);
        }
    }
}

static void feed_to(bp_reader *reader, uint8_t *landing, const uint8_t *bytes, size_t count) {
    while (count != 0) {
        const bp_span space = bp_reader_space(reader, landing, LANDING);
        const size_t part = count < space.length ? count : space.length;
        ck_assert_uint_ne(part, 0);
        memcpy(space.data, bytes, part);
        bp_reader_fed(reader, space, part);
        bytes += part;
        count -= part;
    }
}

static void feed(rig *r, const uint8_t *bytes, size_t count) { feed_to(&r->reader, r->landing, bytes, count); }

static void is_next(bp_reader *reader, uint16_t type, uint32_t length, uint64_t seed) {
    bp_frame frame;
    bpt_ok(bp_reader_next(reader, &frame));
    ck_assert_uint_eq(frame.type, type);
    ck_assert_uint_eq(frame.length, length);
    ck_assert(bpt_frame_is_filled(frame.value, length, seed));
}

/* ---- buffers that are given ---- */

START_TEST(a_refused_frame_goes_on_in_a_buffer_that_is_given) {
    static rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    rig_init(&r);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 3000, 1);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 2);
    bp_buf *given = NULL, *small = NULL, *other = NULL;
    bpt_ok(bp_pool_acquire(r.pool, 3000, &given));
    bpt_ok(bp_pool_acquire(r.pool, 2999, &small));
    bpt_ok(bp_pool_acquire(r.pool, 4000, &other));
    hog(&r);

    ck_assert_uint_eq(bp_reader_wants(&r.reader), 0);
    bpt_err(bp_reader_give_take(&r.reader, &given), BP_ERR_ARGUMENT); /* it wants none yet */
    feed(&r, wire.data, 1000);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_ERR_LIMIT);
    ck_assert_uint_eq(bp_reader_wants(&r.reader), 3000);
    ck_assert(!bp_reader_is_over_budget(&r.reader));
    ck_assert(bp_reader_is_inside(&r.reader));
    bpt_err(bp_reader_give_take(&r.reader, &small), BP_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(small);
    bpt_ok(bp_reader_give_take(&r.reader, &given));
    ck_assert_ptr_null(given);
    ck_assert_uint_eq(bp_reader_wants(&r.reader), 0);
    bpt_err(bp_reader_give_take(&r.reader, &other), BP_ERR_ARGUMENT);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert_uint_eq(r.budget.used, 3000);
    feed(&r, wire.data + 1000, wire.length - 1000);
    is_next(&r.reader, BPT_LARGE_TYPE, 3000, 1);
    ck_assert_uint_eq(r.budget.used, 3000); /* it is the reader's until the next one is asked for */
    is_next(&r.reader, BPT_SMALL_TYPE, 50, 2);
    ck_assert_uint_eq(r.budget.used, 0);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert(!bp_reader_is_inside(&r.reader));
    bp_buf_release(small);
    bp_buf_release(other);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(a_given_buffer_may_be_larger_and_goes_back_unused) {
    static rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    bp_buf *given = NULL;
    rig_init(&r);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 3000, 1);
    bpt_ok(bp_pool_acquire(r.pool, 5000, &given));
    hog(&r);
    feed(&r, wire.data, 1000);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_ERR_LIMIT);
    bpt_ok(bp_reader_give_take(&r.reader, &given));
    if (_i == 0) { /* the connection ends before it is used */
        bp_reader_drop(&r.reader);
        bpt_err(bp_reader_next(&r.reader, &frame), BP_ERR_CLOSED);
    } else {
        bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
        feed(&r, wire.data + 1000, wire.length - 1000);
        is_next(&r.reader, BPT_LARGE_TYPE, 3000, 1);
    }
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(a_frame_is_kept_in_a_buffer_that_is_given) {
    static rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    bp_buf *small = NULL, *given = NULL, *out = NULL;
    rig_init(&r);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 7);
    bpt_ok(bp_pool_acquire(r.pool, 49, &small));
    bpt_ok(bp_pool_acquire(r.pool, 50, &given));
    feed(&r, wire.data, wire.length);
    bpt_ok(bp_reader_next(&r.reader, &frame));
    bpt_err(bp_reader_keep_in(&r.reader, &frame, small), BP_ERR_ARGUMENT);
    bpt_ok(bp_reader_keep_in(&r.reader, &frame, given));
    bpt_err(bp_reader_keep_in(&r.reader, &frame, given), BP_ERR_ARGUMENT); /* once */
    bpt_err(bp_reader_keep(&r.reader, &frame, &out), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(bp_buf_length(given), 50);
    ck_assert_uint_eq(bp_buf_type(given), BPT_SMALL_TYPE);
    ck_assert(bpt_frame_is_filled(bp_buf_data(given), 50, 7));
    bp_buf_release(given);
    bp_buf_release(small);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

/* ---- the budget ---- */

START_TEST(cut_frames_of_all_readers_share_a_budget) {
    static rig r;
    static uint8_t landing[LANDING];
    bp_reader second;
    bp_frame frame;
    bpt_wire first = {0}, other = {0};
    bp_buf *kept = NULL;
    rig_init(&r);
    bp_reader_init(&second, &r.config);
    bpt_wire_add(&first, BPT_LARGE_TYPE, 6000, 1);
    bpt_wire_add(&other, BPT_LARGE_TYPE, 4001, 2);
    feed(&r, first.data, 100);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert_uint_eq(r.budget.used, 6000);
    feed_to(&second, landing, other.data, 100);
    bpt_err(bp_reader_next(&second, &frame), BP_ERR_LIMIT);
    ck_assert(bp_reader_is_over_budget(&second));
    ck_assert_uint_eq(bp_reader_wants(&second), 4001);
    if (_i == 0) { /* the first one's frame ends: whole, or with its connection */
        feed(&r, first.data + 100, first.length - 100);
        bpt_ok(bp_reader_next(&r.reader, &frame));
        ck_assert_uint_eq(r.budget.used, 6000);
        bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    } else if (_i == 1) {
        bp_reader_fini(&r.reader);
    } else {
        bp_reader_drop(&r.reader);
    }
    ck_assert_uint_eq(r.budget.used, 0);
    ck_assert(!bp_reader_is_over_budget(&second));
    bpt_err(bp_reader_next(&second, &frame), BP_MORE);
    ck_assert_uint_eq(r.budget.used, 4001);
    feed_to(&second, landing, other.data + 100, other.length - 100);
    is_next(&second, BPT_LARGE_TYPE, 4001, 2);
    bp_reader_fini(&second);
    bp_buf_release(kept);
    rig_fini(&r);
    bpt_wire_free(&first);
    bpt_wire_free(&other);
}
END_TEST

START_TEST(one_frame_is_always_within_the_budget) {
    static rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    rig_init(&r);
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 3);
    feed(&r, wire.data, 100);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert_uint_eq(r.budget.used, BPT_HUGE_MIN);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

/* ---- without a landing chunk ---- */

START_TEST(without_a_chunk_only_the_rest_of_a_cut_frame_is_read) {
    static rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    rig_init(&r);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 2000, 4);
    ck_assert_uint_eq(bp_reader_space(&r.reader, r.landing, 0).length, 0);
    feed(&r, wire.data, 3);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert(bp_reader_is_inside(&r.reader));
    ck_assert_uint_eq(bp_reader_space(&r.reader, r.landing, 0).length, 0);
    feed(&r, wire.data + 3, 1003);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    const bp_span space = bp_reader_space(&r.reader, r.landing, 0);
    ck_assert_uint_eq(space.length, 1000);
    ck_assert(space.data < r.landing || space.data >= r.landing + LANDING);
    memcpy(space.data, wire.data + 1006, 1000);
    bp_reader_fed(&r.reader, space, 1000);
    is_next(&r.reader, BPT_LARGE_TYPE, 2000, 4);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

/* ---- what is put back ---- */

/* Three frames in one chunk: the first `count` are handed on, the rest is given back; then it is fed again. */
static void put_back_behind(unsigned count, bool is_again) {
    static rig r;
    static const uint16_t types[] = {BPT_SMALL_TYPE, BPT_EMPTY_TYPE, BPT_LARGE_TYPE};
    static const uint32_t lengths[] = {50, 0, 2000};
    bpt_wire wire = {0};
    bp_frame frame = {0};
    size_t rest = 0;
    rig_init(&r);
    for (unsigned i = 0; i < 3; i++) {
        bpt_wire_add(&wire, types[i], lengths[i], i);
        if (i >= count) rest += BP_FRAME_HEADER_SIZE + lengths[i];
    }
    if (is_again) rest += lengths[count - 1];
    feed(&r, wire.data, wire.length);
    for (unsigned i = 0; i < count; i++) bpt_ok(bp_reader_next(&r.reader, &frame));
    ck_assert_uint_eq(bpi_reader_put_back(&r.reader, is_again ? &frame : NULL), rest);
    ck_assert_uint_eq(r.reader.frame_count, count - is_again);
    memset(r.landing, 0xA5, LANDING);
    feed(&r, wire.data + wire.length - rest, rest);
    for (unsigned i = count - is_again; i < 3; i++) is_next(&r.reader, types[i], lengths[i], i);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    ck_assert_uint_eq(r.reader.frame_count, 3);
    rig_fini(&r);
    bpt_wire_free(&wire);
}

START_TEST(what_is_put_back_comes_again_when_it_is_fed_again) {
    for (unsigned count = 0; count <= 3; count++) {
        put_back_behind(count, false);
        if (count != 0) put_back_behind(count, true);
    }
}
END_TEST

/* The header is taken, and whoever gives the frame a buffer feeds its value alone. */
START_TEST(a_refused_frame_is_put_back_without_its_header) {
    static rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    bp_buf *given = NULL;
    rig_init(&r);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 3000, 1);
    bpt_ok(bp_pool_acquire(r.pool, 3000, &given));
    hog(&r);
    feed(&r, wire.data, 1000);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_ERR_LIMIT);
    ck_assert_uint_eq(bpi_reader_put_back(&r.reader, NULL), 1000 - BP_FRAME_HEADER_SIZE);
    ck_assert_uint_eq(bp_reader_wants(&r.reader), 3000);
    bpt_ok(bp_reader_give_take(&r.reader, &given));
    bpt_err(bp_reader_next(&r.reader, &frame), BP_MORE);
    feed(&r, wire.data + BP_FRAME_HEADER_SIZE, wire.length - BP_FRAME_HEADER_SIZE);
    is_next(&r.reader, BPT_LARGE_TYPE, 3000, 1);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

/* ---- control frames ---- */

static void check_control(rig *r, const bpt_wire *wire, size_t cut) {
    bp_frame frame;
    feed(r, wire->data, cut);
    bp_err err = bp_reader_next(&r->reader, &frame);
    if (err == BP_MORE) {
        memset(r->landing, 0xA5, LANDING);
        feed(r, wire->data + cut, wire->length - cut);
        err = bp_reader_next(&r->reader, &frame);
    } else if (cut < wire->length) {
        ck_assert_uint_ge(cut, 306);
    }
    bpt_ok(err);
    ck_assert_uint_eq(frame.type, 0);
    ck_assert_ptr_null(frame.info);
    ck_assert_uint_eq(frame.length, 300);
    ck_assert(bpt_frame_is_filled(frame.value, 300, 5));
}

START_TEST(a_control_frame_takes_nothing_from_the_pool) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, 0, 300, 5);
    for (size_t cut = 1; cut <= wire.length; cut++) {
        static rig r;
        rig_init(&r);
        hog(&r);
        r.budget.used = r.budget.limit = 1; /* nor from the budget */
        check_control(&r, &wire, cut);
        r.budget.used = 0;
        rig_fini(&r);
    }
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(control_frames_are_short_and_have_to_be_allowed) {
    static const struct {
        uint32_t max, length;
        bp_err err;
    } cases[] = {
        {512, 0, BP_OK},         {512, 512, BP_OK},
        {512, 513, BP_ERR_FRAME_LONG}, {512, UINT32_MAX, BP_ERR_FRAME_LONG},
        {1, 1, BP_OK},           {0, 0, BP_ERR_FRAME_TYPE},
        {0, 1, BP_ERR_FRAME_TYPE},
    };
    static rig r;
    bp_frame frame;
    bpt_wire wire = {0};
    rig_init(&r);
    r.config.control_max = cases[_i].max;
    if (cases[_i].length <= 512)
        bpt_wire_add(&wire, 0, cases[_i].length, 6);
    else
        bpt_wire_add_head(&wire, 0, cases[_i].length);
    feed(&r, wire.data, wire.length);
    bpt_err(bp_reader_next(&r.reader, &frame), cases[_i].err);
    rig_fini(&r);
    bpt_wire_free(&wire);
}
END_TEST

BPT_SUITE(frame_reader_wait) {
    BPT_TEST(a_refused_frame_goes_on_in_a_buffer_that_is_given);
    BPT_LOOP_TEST(a_given_buffer_may_be_larger_and_goes_back_unused, 0, 2);
    BPT_TEST(a_frame_is_kept_in_a_buffer_that_is_given);
    BPT_LOOP_TEST(cut_frames_of_all_readers_share_a_budget, 0, 3);
    BPT_TEST(one_frame_is_always_within_the_budget);
    BPT_TEST(without_a_chunk_only_the_rest_of_a_cut_frame_is_read);
    BPT_TEST(what_is_put_back_comes_again_when_it_is_fed_again);
    BPT_TEST(a_refused_frame_is_put_back_without_its_header);
    BPT_TEST(a_control_frame_takes_nothing_from_the_pool);
    BPT_LOOP_TEST(control_frames_are_short_and_have_to_be_allowed, 0, 7);
}
