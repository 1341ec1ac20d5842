/* Readers whose configuration lends them buffers: which frames are asked for, and what becomes of the buffers. */
#include "frame/frame_internal.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <string.h>

enum { LANDING = 65536, LIMIT = 1 << 20, HOG_MAX = 64, SECRET_TYPE = 1005, SECRET_LENGTH = 300, TYPE_COUNT = 6 };

/* How many bytes too few, or more, the lender's buffers have. */
typedef enum habit { LENDS_NOTHING, LENDS, LENDS_MORE, LENDS_TOO_LITTLE } habit;

typedef struct rig {
    bp_pool *pool, *lenders;
    bp_type_map *map;
    bp_reader_budget budget;
    bp_reader_config config;
    bp_reader reader;
    habit habit;
    unsigned asked;
    uint16_t type; /* that it was asked for last, */
    uint32_t length;
    bp_buf *lent; /* and what was lent */
    bp_buf *hogs[HOG_MAX];
    uint32_t hog_count;
    uint8_t landing[LANDING];
} rig;

static rig r; /* one is enough: each test begins anew */

static bp_buf *lend(bp_reader *reader, uint16_t type, uint32_t length) {
    bpt_must(reader == &r.reader);
    r.asked++;
    r.type = type;
    r.length = length;
    r.lent = NULL;
    const uint32_t size = r.habit == LENDS_MORE ? length + 1000 : r.habit == LENDS_TOO_LITTLE ? length - 1 : length;
    if (r.habit != LENDS_NOTHING) bpt_must(bp_pool_acquire(r.lenders, size == 0 ? 1 : size, &r.lent) == BP_OK);
    return r.lent;
}

/* The schema of all tests, with a type besides that is sensitive. */
static bp_type_map *map_new(void) {
    static bp_type_info types[TYPE_COUNT];
    static bp_schema schema;
    static const bp_schema *const schemas[] = {&schema};
    bp_type_map *map = NULL;
    schema = bpt_frame_schema;
    for (uint32_t i = 0; i < schema.type_count; i++) types[i] = schema.types[i];
    types[schema.type_count++] =
        (bp_type_info){.name = "Secret", .type = SECRET_TYPE, .accept_max = SECRET_LENGTH, .is_sensitive = true};
    bpt_must(schema.type_count == TYPE_COUNT);
    schema.types = types;
    bpt_must(bp_type_map_new(schemas, 1, &map) == BP_OK);
    return map;
}

static void rig_init(habit how) {
    memset(&r, 0, sizeof r);
    bpt_must(bp_heap_pool_new(LIMIT, &r.pool) == BP_OK);
    bpt_must(bp_heap_pool_new(0, &r.lenders) == BP_OK);
    r.map = map_new();
    r.budget.limit = LIMIT;
    r.config = (bp_reader_config){
        .pool = r.pool, .types = r.map, .control_max = 512, .budget = &r.budget, .lend = lend};
    r.habit = how;
    bp_reader_init(&r.reader, &r.config);
}

static void unhog(void) {
    while (r.hog_count != 0) bp_buf_release(r.hogs[--r.hog_count]);
}

static void rig_fini(void) {
    bp_reader_fini(&r.reader);
    unhog();
    bpt_must(r.budget.used == 0);
    bpt_must(bpt_pool_in_use(r.pool) == 0);
    bpt_must(bpt_pool_in_use(r.lenders) == 0);
    bp_type_map_free_take(&r.map);
    bp_pool_release_take(&r.pool);
    bp_pool_release_take(&r.lenders);
}

/* Nothing is left in the pool. */
static void hog(void) {
    for (uint32_t size = LIMIT; size != 0; size /= 2) {
        while (bp_pool_acquire(r.pool, size, &r.hogs[r.hog_count]) == BP_OK) bpt_must(++r.hog_count < HOG_MAX);
    }
}

/* Nor in the budget. */
static void use_up(void) {
    hog();
    r.budget.used = r.budget.limit = 1;
}

static void feed(const uint8_t *bytes, size_t count) {
    while (count != 0) {
        const bp_span space = bp_reader_space(&r.reader, r.landing, LANDING);
        const size_t part = count < space.length ? count : space.length;
        bpt_must(part != 0);
        memcpy(space.data, bytes, part);
        bp_reader_fed(&r.reader, space, part);
        bytes += part;
        count -= part;
    }
}

static bp_frame next_is(uint16_t type, uint32_t length, uint64_t seed) {
    bp_frame frame;
    bpt_must(bp_reader_next(&r.reader, &frame) == BP_OK);
    bpt_must(frame.type == type && frame.length == length);
    bpt_must(bpt_frame_is_filled(frame.value, length, seed));
    return frame;
}

static void is_over(void) {
    bp_frame frame;
    bpt_must(bp_reader_next(&r.reader, &frame) == BP_MORE);
}

/* ---- cut frames ---- */

static const struct {
    uint16_t type;
    uint32_t length;
} cut_frames[] = {{BPT_SMALL_TYPE, 20}, {BPT_MEDIUM_TYPE, 200}, {BPT_LARGE_TYPE, 1100}, {SECRET_TYPE, SECRET_LENGTH}};
enum { CUT_FRAMES = sizeof cut_frames / sizeof cut_frames[0] };

/* The frame comes through though pool and budget have nothing, in the buffer that was lent. */
static void check_cut(const bpt_wire *wire, size_t cut, uint16_t type, uint32_t length) {
    rig_init(cut % 2 == 0 ? LENDS : LENDS_MORE);
    use_up();
    feed(wire->data, cut);
    is_over();
    const bool is_asked = cut >= BP_FRAME_HEADER_SIZE; /* before that nobody knows what it is */
    bpt_must(r.asked == is_asked);
    feed(wire->data + cut, wire->length - cut);
    bp_frame frame = next_is(type, length, 7);
    bpt_must(r.asked == is_asked);
    bpt_must(frame.buf == (is_asked ? r.lent : NULL));
    if (is_asked) {
        bpt_must(r.type == type && r.length == length);
        bpt_must(bp_buf_length(frame.buf) == length && bp_buf_type(frame.buf) == type);
        bpt_must(bp_buf_is_sensitive(frame.buf) == (type == SECRET_TYPE));
    }
    bpt_must(r.budget.used == 1);
    (void)next_is(BPT_SMALL_TYPE, 30, 8);
    bpt_must(bpt_pool_in_use(r.lenders) == 0);
    r.budget.used = 0;
    rig_fini();
}

START_TEST(a_cut_frame_lies_in_the_buffer_that_is_lent) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, cut_frames[_i].type, cut_frames[_i].length, 7);
    const size_t size = wire.length;
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 30, 8);
    for (size_t cut = 1; cut < size; cut++) check_cut(&wire, cut, cut_frames[_i].type, cut_frames[_i].length);
    bpt_wire_free(&wire);
}
END_TEST

/* Every frame with a value is cut, and asked for once; the lender has something for every other one. */
START_TEST(a_stream_byte_by_byte_asks_once_for_each_frame) {
    enum { FRAMES = 60 };
    bpt_wire wire = {0};
    bp_frame frame;
    unsigned count = 0;
    rig_init(LENDS);
    for (uint64_t n = 0; n < FRAMES; n++) {
        const uint16_t type = cut_frames[n % CUT_FRAMES].type;
        bpt_wire_add(&wire, type, cut_frames[n % CUT_FRAMES].length - (type == SECRET_TYPE ? (uint32_t)n : 0), n);
    }
    for (size_t at = 0; at < wire.length; at++) {
        r.habit = r.asked % 2 == 0 ? LENDS : LENDS_NOTHING;
        feed(wire.data + at, 1);
        while (bp_reader_next(&r.reader, &frame) == BP_OK) {
            bpt_must(bpt_frame_is_filled(frame.value, frame.length, count));
            bpt_must(frame.type == cut_frames[count % CUT_FRAMES].type);
            bpt_must((frame.buf == r.lent) == (count % 2 == 0));
            bpt_must((r.budget.used == 0) == (count % 2 == 0));
            bpt_must(r.asked == ++count);
        }
    }
    ck_assert_uint_eq(count, FRAMES);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(the_rest_of_a_large_frame_is_read_into_the_buffer) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 3);
    rig_init(LENDS);
    feed(wire.data, 500);
    is_over();
    const bp_span space = bp_reader_space(&r.reader, r.landing, LANDING);
    ck_assert_ptr_eq(space.data, bp_buf_data(r.lent) + 500 - BP_FRAME_HEADER_SIZE);
    ck_assert_uint_eq(space.length, wire.length - 500);
    feed(wire.data + 500, wire.length - 500);
    bp_frame frame = next_is(BPT_HUGE_TYPE, BPT_HUGE_MIN, 3);
    bp_buf *kept = NULL;
    bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    ck_assert_ptr_eq(kept, r.lent);
    is_over();
    ck_assert_uint_eq(bpt_pool_in_use(r.lenders), 1);
    bp_buf_release(kept);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

/* _i: fini, drop. */
START_TEST(a_frame_that_ends_in_the_middle_gives_the_buffer_back) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 5000, 3);
    rig_init(LENDS);
    feed(wire.data, 3000);
    is_over();
    ck_assert_uint_eq(bpt_pool_in_use(r.lenders), 1);
    if (_i == 0)
        bp_reader_fini(&r.reader);
    else
        bp_reader_drop(&r.reader);
    ck_assert_uint_eq(bpt_pool_in_use(r.lenders), 0);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

/* ---- refusals ---- */

/* Refused for pool (_i 0) or budget (1), a frame asks anew, and then nothing is charged for it any more. */
START_TEST(a_refused_frame_may_be_lent_one_later) {
    bpt_wire wire = {0};
    bp_frame frame;
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 5000, 3);
    rig_init(LENDS_NOTHING);
    if (_i == 0) hog();
    if (_i == 1) r.budget.used = r.budget.limit = 1;
    feed(wire.data, 3000);
    for (unsigned n = 1; n <= 3; n++) {
        bpt_err(bp_reader_next(&r.reader, &frame), BP_ERR_LIMIT);
        ck_assert_uint_eq(r.asked, n);
        ck_assert_uint_eq(r.budget.used, _i == 0 ? 5000 : 1);
    }
    r.habit = LENDS;
    is_over();
    ck_assert_uint_eq(r.budget.used, _i == 0 ? 0 : 1);
    r.budget.used = 0;
    ck_assert_uint_eq(bp_reader_wants(&r.reader), 0);
    feed(wire.data + 3000, wire.length - 3000);
    ck_assert_ptr_eq(next_is(BPT_LARGE_TYPE, 5000, 3).buf, r.lent);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(who_was_given_a_buffer_is_lent_none) {
    bpt_wire wire = {0};
    bp_frame frame;
    bp_buf *given = NULL;
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 5000, 3);
    rig_init(LENDS_NOTHING);
    bpt_ok(bp_pool_acquire(r.pool, 5000, &given));
    hog();
    feed(wire.data, 3000);
    bpt_err(bp_reader_next(&r.reader, &frame), BP_ERR_LIMIT);
    r.habit = LENDS;
    bpt_ok(bp_reader_give_take(&r.reader, &given));
    is_over();
    ck_assert_uint_eq(r.asked, 1);
    ck_assert_uint_eq(r.budget.used, 5000);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

/* ---- what nobody is asked for ---- */

static const uint16_t others[] = {0, BPT_SKIPPED_TYPE, BPT_DELIVERED_TYPE};

START_TEST(frames_of_no_known_type_are_the_pools) {
    bpt_wire wire = {0};
    bp_frame frame;
    bpt_wire_add(&wire, others[_i], 300, 3);
    rig_init(LENDS);
    feed(wire.data, 100);
    is_over();
    feed(wire.data + 100, wire.length - 100);
    const bp_err err = bp_reader_next(&r.reader, &frame);
    bpt_err(err, others[_i] == BPT_SKIPPED_TYPE ? BP_MORE : BP_OK);
    ck_assert_uint_eq(r.asked, 0);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(whole_frames_need_no_buffer) {
    bpt_wire wire = {0};
    rig_init(LENDS);
    for (int i = 0; i < CUT_FRAMES; i++) bpt_wire_add(&wire, cut_frames[i].type, cut_frames[i].length, 3);
    feed(wire.data, wire.length);
    for (int i = 0; i < CUT_FRAMES; i++) {
        ck_assert_ptr_null(next_is(cut_frames[i].type, cut_frames[i].length, 3).buf);
    }
    is_over();
    ck_assert_uint_eq(r.asked, 0);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

/* What no reader would take, nobody is asked for. */
START_TEST(frames_that_are_refused_are_not_asked_for) {
    bpt_wire wire = {0};
    bp_frame frame;
    rig_init(LENDS);
    bpt_wire_add_head(&wire, BPT_LARGE_TYPE, _i == 0 ? BPT_LARGE_MAX + 1 : BPT_LARGE_MIN - 1);
    feed(wire.data, wire.length);
    bpt_err(bp_reader_next(&r.reader, &frame), _i == 0 ? BP_ERR_FRAME_LONG : BP_ERR_FRAME_SHORT);
    ck_assert_uint_eq(r.asked, 0);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

/* ---- keeping ---- */

static const struct {
    uint16_t type;
    uint32_t length;
} kept_frames[] = {{BPT_EMPTY_TYPE, 0}, {BPT_SMALL_TYPE, 20}, {BPT_LARGE_TYPE, 1100}, {SECRET_TYPE, 200}};

/* _i / 4: what is lent is what the frame is kept in, and the pool's where nothing is lent. */
START_TEST(a_frame_is_kept_in_a_buffer_that_is_lent) {
    const uint16_t type = kept_frames[_i % 4].type;
    const uint32_t length = kept_frames[_i % 4].length;
    const bool is_lent = _i >= 4;
    bpt_wire wire = {0};
    bp_buf *kept = NULL;
    rig_init(_i < 4 ? LENDS_NOTHING : _i < 8 ? LENDS : LENDS_MORE);
    bpt_wire_add(&wire, type, length, 3);
    feed(wire.data, wire.length);
    bp_frame frame = next_is(type, length, 3);
    bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    ck_assert_uint_eq(r.asked, 1);
    ck_assert_uint_eq(r.type, type);
    ck_assert_uint_eq(r.length, length);
    if (is_lent) ck_assert_ptr_eq(kept, r.lent);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), !is_lent);
    ck_assert_uint_eq(bp_buf_length(kept), length);
    ck_assert_uint_eq(bp_buf_type(kept), type);
    ck_assert(bp_buf_is_sensitive(kept) == (type == SECRET_TYPE));
    ck_assert(bpt_frame_is_filled(bp_buf_data(kept), length, 3));
    bp_buf *twice = NULL;
    bpt_err(bp_reader_keep(&r.reader, &frame, &twice), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(r.asked, 1);
    is_over();
    bp_buf_release(kept);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

/* ---- lenders that are wrong ---- */

static unsigned misuses;

static void note_misuse(bp_misuse what, const void *object, void *user) {
    (void)user;
    bpt_must(what == BP_MISUSE_CAPACITY && object == r.lent);
    misuses++;
}

/* Cut (_i 0) or kept (1): the frame is the pool's, and the buffer the lender's again. */
START_TEST(a_buffer_that_is_too_small_is_given_back) {
    bpt_wire wire = {0};
    bp_buf *kept = NULL;
    misuses = 0;
    bp_misuse_set(note_misuse, NULL);
    rig_init(LENDS_TOO_LITTLE);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, 5000, 3);
    feed(wire.data, _i == 0 ? 3000 : wire.length);
    if (_i == 0) is_over();
    if (_i == 0) feed(wire.data + 3000, wire.length - 3000);
    bp_frame frame = next_is(BPT_LARGE_TYPE, 5000, 3);
    ck_assert_uint_eq(r.budget.used, _i == 0 ? 5000 : 0);
    bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    ck_assert_uint_eq(misuses, 1);
    ck_assert_uint_eq(bpt_pool_in_use(r.lenders), 0);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 1);
    bp_buf_release(kept);
    bp_misuse_set(NULL, NULL);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

/* ---- secrets ---- */

static uint8_t secret_bytes[SECRET_LENGTH];
static bool is_wiped;

static void on_release(bp_wrap *wrap, uint8_t *data, void *user) {
    (void)wrap, (void)user;
    is_wiped = true;
    for (size_t i = 0; i < SECRET_LENGTH; i++) is_wiped = is_wiped && data[i] == 0;
}

static bp_buf *lend_wrapped(bp_reader *reader, uint16_t type, uint32_t length) {
    static bp_wrap wrap;
    (void)reader, (void)type;
    bpt_must(length <= SECRET_LENGTH);
    return bp_buf_wrap(&wrap, secret_bytes, SECRET_LENGTH, on_release, NULL);
}

/* Cut (_i 0) or kept: no byte stays, neither in the landing chunk nor in the buffer, whoever's that is. */
START_TEST(secrets_are_wiped_behind_it) {
    bpt_wire wire = {0};
    bp_buf *kept = NULL;
    is_wiped = false;
    rig_init(LENDS);
    r.config.lend = lend_wrapped;
    bpt_wire_add(&wire, SECRET_TYPE, SECRET_LENGTH, 3);
    feed(wire.data, _i == 0 ? 100 : wire.length);
    if (_i == 0) is_over();
    if (_i == 0) feed(wire.data + 100, wire.length - 100);
    bp_frame frame = next_is(SECRET_TYPE, SECRET_LENGTH, 3);
    if (_i == 1) bpt_ok(bp_reader_keep(&r.reader, &frame, &kept));
    is_over();
    bp_buf_release(kept);
    ck_assert(is_wiped);
    for (size_t i = BP_FRAME_HEADER_SIZE; i < wire.length; i++) bpt_must(r.landing[i] == 0);
    rig_fini();
    bpt_wire_free(&wire);
}
END_TEST

BPT_SUITE(frame_reader_lend) {
    BPT_LOOP_TEST(a_cut_frame_lies_in_the_buffer_that_is_lent, 0, CUT_FRAMES);
    BPT_TEST(a_stream_byte_by_byte_asks_once_for_each_frame);
    BPT_TEST(the_rest_of_a_large_frame_is_read_into_the_buffer);
    BPT_LOOP_TEST(a_frame_that_ends_in_the_middle_gives_the_buffer_back, 0, 2);
    BPT_LOOP_TEST(a_refused_frame_may_be_lent_one_later, 0, 2);
    BPT_TEST(who_was_given_a_buffer_is_lent_none);
    BPT_LOOP_TEST(frames_of_no_known_type_are_the_pools, 0, 3);
    BPT_TEST(whole_frames_need_no_buffer);
    BPT_LOOP_TEST(frames_that_are_refused_are_not_asked_for, 0, 2);
    BPT_LOOP_TEST(a_frame_is_kept_in_a_buffer_that_is_lent, 0, 12);
    BPT_LOOP_TEST(a_buffer_that_is_too_small_is_given_back, 0, 2);
    BPT_LOOP_TEST(secrets_are_wiped_behind_it, 0, 2);
}
