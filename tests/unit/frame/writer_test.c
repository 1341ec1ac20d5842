#include "frame/frame_internal.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <stdlib.h>

typedef struct rig {
    bp_pool *pool;
    bp_writer writer;
    bpt_wire expected; /* what was queued, as the plainest writer would send it */
    uint8_t *sent;
    size_t sent_count;
} rig;

static void rig_init(rig *r) {
    *r = (rig){0};
    bpt_ok(bp_heap_pool_new(0, &r->pool));
    bp_writer_init(&r->writer);
}

static void rig_fini(rig *r) {
    bp_writer_fini(&r->writer);
    ck_assert_uint_eq(bpt_pool_in_use(r->pool), 0);
    bp_pool_release_take(&r->pool);
    bpt_wire_free(&r->expected);
    free(r->sent);
}

static void push(rig *r, uint16_t type, uint32_t length, uint64_t seed) {
    bp_buf *buf = bpt_frame_buf(r->pool, type, length, seed);
    bpt_ok(bp_writer_push_take(&r->writer, &buf));
    ck_assert_ptr_null(buf);
    bpt_wire_add(&r->expected, type, length, seed);
}

static size_t sum_pieces(const bp_piece *pieces, size_t count) {
    size_t sum = 0;
    for (size_t i = 0; i < count; i++) sum += pieces[i].length;
    return sum;
}

static void copy_pieces(rig *r, const bp_piece *pieces, size_t count, size_t bytes) {
    for (size_t i = 0; i < count && bytes != 0; i++) {
        const size_t part = pieces[i].length < bytes ? pieces[i].length : bytes;
        memcpy(r->sent + r->sent_count, pieces[i].data, part);
        r->sent_count += part;
        bytes -= part;
    }
}

static void check_same(const bp_piece *a, const bp_piece *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        bpt_must(a[i].length == b[i].length && memcmp(a[i].data, b[i].data, a[i].length) == 0);
    }
}

/* Sends everything in writes of at most limit bytes, of which each time at most `part` leave (0: random). */
static void send_all(rig *r, size_t stage_length, size_t limit, size_t part, bpt_random *random) {
    uint8_t *stage = malloc(stage_length), *other = malloc(stage_length);
    r->sent = malloc(r->expected.length);
    ck_assert(stage != NULL && other != NULL && r->sent != NULL);
    while (bpi_writer_count(&r->writer) != 0) {
        bp_piece pieces[BP_WRITER_PIECES], again[BP_WRITER_PIECES];
        const size_t count = bp_writer_gather(&r->writer, stage, stage_length, limit, pieces);
        const size_t bytes = sum_pieces(pieces, count);
        bpt_must(count != 0);
        bpt_must(count <= BP_WRITER_PIECES);
        bpt_must(bytes <= (limit == 0 ? BP_FRAME_WRITE_MAX : limit));
        bpt_must(bp_writer_gather(&r->writer, other, stage_length, limit, again) == count);
        check_same(pieces, again, count);
        size_t left = part != 0 ? part : 1 + bpt_random_below(random, (uint32_t)bytes);
        if (left > bytes) left = bytes;
        copy_pieces(r, pieces, count, left);
        bp_writer_wrote(&r->writer, left);
        bpt_must(bpi_writer_bytes(&r->writer) == r->expected.length - r->sent_count);
    }
    ck_assert_uint_eq(r->sent_count, r->expected.length);
    ck_assert_mem_eq(r->sent, r->expected.data, r->sent_count);
    ck_assert_uint_eq(bpt_pool_in_use(r->pool), 0);
    free(stage);
    free(other);
}

static void push_mix(rig *r, bpt_random *random, int count) {
    static const uint32_t bounds[] = {
        1, 2, 100, 2000, BP_FRAME_STAGE_MAX, BP_FRAME_STAGE_MAX + 1, BP_FRAME_STAGE_MAX + 2, 70000};
    for (int i = 0; i < count; i++) {
        const uint32_t bound = bounds[bpt_random_below(random, sizeof bounds / sizeof bounds[0])];
        const uint32_t length = bpt_random_below(random, 2) == 0 ? bound - 1 : bpt_random_below(random, bound);
        push(r, (uint16_t)(1 + bpt_random_below(random, 65535)), length, bpt_random_next(random));
    }
}

START_TEST(every_limit_gives_the_same_bytes) {
    for (size_t limit = 1; limit < 2 * BP_FRAME_STAGE_MAX; limit += 1 + limit / 40) {
        rig r;
        rig_init(&r);
        push(&r, 1, 0, 1);
        push(&r, 2, 100, 2);
        push(&r, 3, BP_FRAME_STAGE_MAX, 3);
        push(&r, 4, BP_FRAME_STAGE_MAX + 1, 4);
        push(&r, 65535, 40, 5);
        send_all(&r, 64 + limit % 700, limit, SIZE_MAX, NULL);
        rig_fini(&r);
    }
}
END_TEST

START_TEST(every_cut_gives_the_same_bytes) {
    for (size_t part = 1; part < BP_FRAME_STAGE_MAX; part += 1 + part / 100) {
        rig r;
        rig_init(&r);
        push(&r, 2, 100, 2);
        push(&r, 3, BP_FRAME_STAGE_MAX + 1, 3);
        push(&r, 4, 0, 4);
        push(&r, 5, 400, 5);
        send_all(&r, 1024, 0, part, NULL);
        rig_fini(&r);
    }
}
END_TEST

START_TEST(random_queues_leave_complete_and_in_order) {
    bpt_random random = {(uint64_t)_i + 1};
    rig r;
    rig_init(&r);
    push_mix(&r, &random, 200);
    send_all(&r, 64 + bpt_random_below(&random, 65536), bpt_random_below(&random, 2) * 9000, 0, &random);
    rig_fini(&r);
}
END_TEST

START_TEST(small_frames_share_one_piece) {
    uint8_t stage[BP_FRAME_WRITE_MAX];
    bp_piece pieces[BP_WRITER_PIECES];
    rig r;
    rig_init(&r);
    for (uint64_t i = 0; i < 7; i++) push(&r, 9, BP_FRAME_STAGE_MAX, i);
    ck_assert_uint_eq(bp_writer_gather(&r.writer, stage, sizeof stage, 0, pieces), 1);
    ck_assert_ptr_eq(pieces[0].data, stage);
    ck_assert_uint_eq(pieces[0].length, 7 * (BP_FRAME_HEADER_SIZE + BP_FRAME_STAGE_MAX));
    rig_fini(&r);
}
END_TEST

START_TEST(large_values_stay_where_they_lie) {
    uint8_t stage[1024];
    bp_piece pieces[BP_WRITER_PIECES];
    rig r;
    rig_init(&r);
    bp_buf *buf = bpt_frame_buf(r.pool, 9, BP_FRAME_STAGE_MAX + 1, 1);
    const uint8_t *value = bp_buf_data(buf);
    bpt_ok(bp_writer_push_take(&r.writer, &buf));
    ck_assert_uint_eq(bp_writer_gather(&r.writer, stage, sizeof stage, 0, pieces), 2);
    ck_assert_uint_eq(pieces[0].length, BP_FRAME_HEADER_SIZE);
    ck_assert_ptr_eq(pieces[1].data, value);
    rig_fini(&r);
}
END_TEST

START_TEST(a_buffer_is_released_when_its_last_byte_left) {
    uint8_t stage[1024];
    bp_piece pieces[BP_WRITER_PIECES];
    rig r;
    rig_init(&r);
    push(&r, 9, 10, 1);
    push(&r, 9, 20, 2);
    ck_assert_uint_eq(bp_writer_gather(&r.writer, stage, sizeof stage, 0, pieces), 1);
    bp_writer_wrote(&r.writer, 15);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 2);
    bp_writer_wrote(&r.writer, 1);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 1);
    bp_writer_wrote(&r.writer, 26);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 0);
    ck_assert_uint_eq(bp_writer_gather(&r.writer, stage, sizeof stage, 0, pieces), 0);
    rig_fini(&r);
}
END_TEST

START_TEST(one_buffer_goes_out_on_many_writers) {
    enum { WRITERS = 5 };
    rig rigs[WRITERS];
    bp_pool *pool = NULL;
    bpt_ok(bp_heap_pool_new(0, &pool));
    bp_buf *buf = bpt_frame_buf(pool, 7, 700, 3);
    for (int i = 0; i < WRITERS; i++) {
        rig_init(&rigs[i]);
        bp_buf *reference = bp_buf_retain(buf);
        bpt_ok(bp_writer_push_take(&rigs[i].writer, &reference));
        bpt_wire_add(&rigs[i].expected, 7, 700, 3);
    }
    bp_buf_release(buf);
    for (int i = 0; i < WRITERS; i++) {
        ck_assert_uint_eq(bpt_pool_in_use(pool), 1);
        send_all(&rigs[i], 512, 0, (size_t)i * 100 + 1, NULL);
        rig_fini(&rigs[i]);
    }
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(the_ring_grows_while_it_wraps) {
    uint8_t stage[65536];
    bp_piece pieces[BP_WRITER_PIECES];
    rig r;
    rig_init(&r);
    for (uint64_t i = 0; i < 11; i++) push(&r, 1, 10, i);
    (void)bp_writer_gather(&r.writer, stage, sizeof stage, 0, pieces);
    bp_writer_wrote(&r.writer, 10 * 16);
    for (uint64_t i = 11; i < 100; i++) push(&r, 1, 10, i);
    memmove(r.expected.data, r.expected.data + 160, r.expected.length - 160);
    r.expected.length -= 160;
    send_all(&r, 4096, 0, 33, NULL);
    ck_assert_uint_eq(r.writer.frame_count, 100);
    rig_fini(&r);
}
END_TEST

/* A queue of 14 frames of 10 bytes each (16 with their headers), of which `done` bytes have left, in a ring that
 * wraps. */
static void wrapped_queue(rig *r, uint64_t done) {
    rig_init(r);
    for (uint64_t i = 0; i < 12; i++) push(r, 1, 10, i);
    bp_writer_wrote(&r->writer, 12 * 16);
    r->expected.length = 0;
    for (uint64_t i = 0; i < 14; i++) push(r, 1, 10, i);
    bp_writer_wrote(&r->writer, done);
}

/* Takes frame number `ix` out of what is expected. */
static void expect_without(rig *r, size_t ix, size_t count) {
    uint8_t *from = r->expected.data + 16 * ix;
    r->expected.length -= 16 * count;
    memmove(from, from + 16 * count, r->expected.length - 16 * ix);
}

/* Sends what is left, behind what has left already. */
static void send_rest(rig *r, uint64_t done) {
    memmove(r->expected.data, r->expected.data + done, r->expected.length - done);
    r->expected.length -= done;
    send_all(r, 1024, 0, 7, NULL);
}

START_TEST(frames_that_have_begun_to_leave_are_counted) {
    rig r;
    wrapped_queue(&r, 0);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 0), 0);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 1), 1);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 16), 1);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 17), 2);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 1000), 14);
    bp_writer_wrote(&r.writer, 5);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 0), 1);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 11), 1);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 12), 2);
    rig_fini(&r);
}
END_TEST

/* _i: bytes that have left; as many again are on their way. */
START_TEST(the_oldest_that_have_not_begun_to_leave_are_dropped) {
    const uint64_t done = (uint64_t)_i;
    const size_t begun = (2 * (size_t)_i + 15) / 16, gone = (size_t)_i / 16;
    rig r;
    wrapped_queue(&r, done);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, done, 17), 2);
    expect_without(&r, begun, 2);
    ck_assert_uint_eq(bpi_writer_bytes(&r.writer), r.expected.length - done);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 12 - gone);
    ck_assert_uint_eq(r.writer.frame_count, 26);
    send_rest(&r, done);
    rig_fini(&r);
}
END_TEST

/* HELLO and GOODBYE, in a ring that wraps: nothing says when they may be missing. */
START_TEST(control_frames_are_never_dropped) {
    rig r;
    rig_init(&r);
    for (uint64_t i = 0; i < 12; i++) push(&r, 1, 10, i);
    bp_writer_wrote(&r.writer, 12 * 16);
    r.expected.length = 0;
    push(&r, 0, 10, 0);
    for (uint64_t i = 1; i < 10; i++) push(&r, 1, 10, i);
    push(&r, 0, 10, 10);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 0, 17), 2);
    expect_without(&r, 1, 2);
    ck_assert_uint_eq(bpi_writer_bytes(&r.writer), r.expected.length);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 17, 1), 1); /* HELLO and the first one are on their way */
    expect_without(&r, 2, 1);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 0, UINT64_MAX), 6);
    expect_without(&r, 1, 6);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 0, UINT64_MAX), 0);
    ck_assert_uint_eq(bpi_writer_count(&r.writer), 2);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 2);
    send_rest(&r, 0);
    rig_fini(&r);
}
END_TEST

START_TEST(no_more_is_dropped_than_there_is) {
    rig r;
    wrapped_queue(&r, 0);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 20, UINT64_MAX), 12);
    expect_without(&r, 2, 12);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 20, 1), 0);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 0, 0), 0);
    send_rest(&r, 0);
    rig_fini(&r);
}
END_TEST

START_TEST(what_was_queued_last_is_taken_back) {
    rig r;
    wrapped_queue(&r, 3);
    bpi_writer_take_back(&r.writer, 5);
    expect_without(&r, 9, 5);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 9);
    ck_assert_uint_eq(r.writer.frame_count, 21);
    bpi_writer_take_back(&r.writer, 0);
    send_rest(&r, 3);
    rig_fini(&r);
}
END_TEST

START_TEST(what_is_copied_elsewhere_was_never_queued) {
    rig r;
    wrapped_queue(&r, 0);
    ck_assert_uint_eq(bpi_writer_moved(&r.writer, 40), 2);
    ck_assert_uint_eq(r.writer.frame_count, 24);
    ck_assert_uint_eq(bpt_pool_in_use(r.pool), 12);
    ck_assert_uint_eq(bpi_writer_moved(&r.writer, 8), 1);
    send_rest(&r, 48);
    rig_fini(&r);
}
END_TEST

/* Only a queue in which nothing is is given back; the writer goes on as if nothing had been. */
START_TEST(an_empty_queue_gives_its_memory_back) {
    rig r;
    rig_init(&r);
    bpi_writer_rest(&r.writer);
    for (uint64_t i = 0; i < 20; i++) push(&r, 1, 10, i);
    bpi_writer_rest(&r.writer);
    ck_assert_uint_eq(bpi_writer_count(&r.writer), 20);
    send_rest(&r, 0);
    ck_assert_ptr_nonnull(r.writer.queue);
    bpi_writer_rest(&r.writer);
    ck_assert_ptr_null(r.writer.queue);
    ck_assert_uint_eq(bpi_writer_bytes(&r.writer), 0);
    ck_assert_uint_eq(r.writer.frame_count, 20);
    ck_assert_uint_eq(bpi_writer_begun_count(&r.writer, 0), 0);
    ck_assert_uint_eq(bpi_writer_drop_oldest(&r.writer, 0, 1), 0);
    bp_writer_wrote(&r.writer, 5);
    free(r.sent);
    r.sent = NULL;
    r.sent_count = r.expected.length = 0;
    push(&r, 2, 30, 20);
    send_rest(&r, 0);
    ck_assert_uint_eq(r.writer.frame_count, 21);
    rig_fini(&r);
}
END_TEST

BPT_SUITE(frame_writer) {
    BPT_TEST(an_empty_queue_gives_its_memory_back);
    BPT_TEST(every_limit_gives_the_same_bytes);
    BPT_TEST(every_cut_gives_the_same_bytes);
    BPT_LOOP_TEST(random_queues_leave_complete_and_in_order, 0, 20);
    BPT_TEST(small_frames_share_one_piece);
    BPT_TEST(large_values_stay_where_they_lie);
    BPT_TEST(a_buffer_is_released_when_its_last_byte_left);
    BPT_TEST(one_buffer_goes_out_on_many_writers);
    BPT_TEST(the_ring_grows_while_it_wraps);
    BPT_TEST(frames_that_have_begun_to_leave_are_counted);
    BPT_LOOP_TEST(the_oldest_that_have_not_begun_to_leave_are_dropped, 0, 50);
    BPT_TEST(control_frames_are_never_dropped);
    BPT_TEST(no_more_is_dropped_than_there_is);
    BPT_TEST(what_was_queued_last_is_taken_back);
    BPT_TEST(what_is_copied_elsewhere_was_never_queued);
}
