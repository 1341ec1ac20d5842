#define _GNU_SOURCE
#include "frame/frame_internal.h"
#include "tests/support/frame_rig.h"
#include "transport/send_internal.h"

enum { SMALL = 100, FRAME = SMALL + BP_FRAME_HEADER_SIZE };

static bp_err check_order(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, side->frames - 1));
    return BP_OK;
}

static void start(bpt_rig *rig, int way) {
    bpt_rig_init(rig);
    bpt_rig_start(rig, way);
    rig->server.on_frame = check_order;
}

/* One frame, written where it leaves from; in turns inline and not. */
static void send_in_place(bp_conn *conn, uint16_t type, uint32_t length, uint64_t seed) {
    const bool is_plain = seed % 2 == 1;
    uint8_t *value = NULL;
    bpt_ok((is_plain ? bp_conn_frame_begin_plain : bp_conn_frame_begin)(conn, type, length + 7, &value));
    bpt_frame_fill(value, length, seed);
    bpt_ok((is_plain ? bp_conn_frame_end_plain : bp_conn_frame_end)(conn, length));
}

/* Without the HELLO, which has left before. */
static bp_conn_stats stats_of(const bp_conn *conn) {
    bp_conn_stats stats;
    bp_conn_stats_read(conn, &stats);
    stats.bytes_out -= BPT_HELLO_BYTES;
    stats.writes--;
    return stats;
}

/* ---- copies ---- */

START_TEST(small_frames_give_their_buffers_back_at_once) {
    bpt_rig rig;
    start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    for (uint64_t n = 0; n < 100; n++) bpt_send(conn, BPT_SMALL_TYPE, SMALL, n);
    ck_assert_uint_eq(bpt_pool_in_use(bp_conn_pool(conn)), 0);
    ck_assert_uint_eq(bp_conn_queued_bytes(conn), 100 * FRAME);
    ck_assert_uint_eq(stats_of(conn).frames_out, 0);
    bpt_rig_until(&rig, rig.server.frames == 100);
    ck_assert_uint_eq(bp_conn_queued_bytes(conn), 0);
    ck_assert_uint_eq(stats_of(conn).frames_out, 100);
    ck_assert_uint_eq(stats_of(conn).bytes_out, 100 * FRAME);
    ck_assert_uint_eq(stats_of(conn).writes, 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* A full stage is written out without a turn of the loop; writes are full. */
START_TEST(a_full_stage_leaves_at_once) {
    bpt_rig rig;
    start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    const uint64_t fit = BP_FRAME_WRITE_MAX / FRAME;
    for (uint64_t n = 0; n <= fit; n++) bpt_send(conn, BPT_SMALL_TYPE, SMALL, n);
    ck_assert_uint_eq(stats_of(conn).writes, 1);
    ck_assert_uint_eq(stats_of(conn).frames_out, fit);
    ck_assert_uint_eq(bp_conn_queued_bytes(conn), FRAME);
    bpt_rig_until(&rig, rig.server.frames == fit + 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* Large frames wait in the queue; what follows them does too. */
START_TEST(large_and_small_frames_keep_their_order) {
    bpt_rig rig;
    start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    for (uint64_t n = 0; n < 60; n++) {
        if (n % 10 == 5) {
            bpt_send(conn, BPT_LARGE_TYPE, BP_FRAME_STAGE_MAX + 1 + (uint32_t)n, n);
        } else {
            bpt_send(conn, BPT_SMALL_TYPE, SMALL, n);
        }
    }
    bpt_rig_until(&rig, rig.server.frames == 60);
    ck_assert_uint_eq(stats_of(conn).frames_out, 60);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- two connections ---- */

static void start_two(bpt_rig *rig, int way) {
    start(rig, way);
    const bp_client_config config = bpt_rig_client_config(rig, 1, way);
    bpt_rig_connect(rig, 1, &config);
    bpt_rig_until(rig, rig->server.opens == 2 && rig->clients[1].opens == 1);
    bpt_rig_until(rig, bpt_has_met(rig->server.conn) && bpt_has_met(rig->clients[1].conn));
    rig->server.on_frame = NULL;
}

START_TEST(connections_that_take_turns_need_a_write_each) {
    bpt_rig rig;
    start_two(&rig, _i);
    for (uint64_t n = 0; n < 100; n++) {
        for (int i = 0; i < 2; i++) bpt_send(rig.clients[i].conn, BPT_SMALL_TYPE, SMALL, n);
    }
    bpt_rig_until(&rig, rig.server.frames == 200);
    for (int i = 0; i < 2; i++) ck_assert_uint_eq(stats_of(rig.clients[i].conn).writes, 1);
    bpt_rig_fini(&rig);
}
END_TEST

static bp_err answer_many(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)side, (void)frame;
    for (uint64_t n = 0; n < 10; n++) bpt_send(conn, BPT_SMALL_TYPE, SMALL, n);
    return BP_OK;
}

static bp_err count_to_ten(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, (side->frames - 1) % 10));
    return BP_OK;
}

/* Each handler's answers are staged: the one before has ended its round and is written out. */
START_TEST(handlers_of_one_turn_hand_the_stage_on) {
    bpt_rig rig;
    start_two(&rig, _i);
    rig.server.on_frame = answer_many;
    for (int i = 0; i < 2; i++) {
        rig.clients[i].on_frame = count_to_ten;
        bpt_send(rig.clients[i].conn, BPT_SMALL_TYPE, SMALL, 0);
        bpt_send(rig.clients[i].conn, BPT_SMALL_TYPE, SMALL, 1);
    }
    bpt_rig_until(&rig, rig.clients[0].frames == 20 && rig.clients[1].frames == 20);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- more than the stage takes, within one handler ---- */

enum { ANSWERS = 4000 };

static bp_err answer_too_much(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const uint64_t before = stats_of(conn).writes;
    (void)frame;
    if (side->frames > 3) return BP_OK;
    for (uint64_t n = 0; n < ANSWERS; n++) bpt_send(conn, BPT_SMALL_TYPE, SMALL, (side->frames - 1) * ANSWERS + n);
    bpt_must(stats_of(conn).writes == before); /* so that it can be taken back */
    return BP_OK;
}

START_TEST(a_handler_that_answers_too_much_writes_nothing_until_it_returns) {
    bpt_rig rig;
    start(&rig, _i);
    rig.server.on_frame = answer_too_much;
    rig.clients[0].on_frame = check_order;
    for (uint64_t n = 0; n < 3; n++) bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, SMALL, n);
    bpt_rig_until(&rig, rig.clients[0].frames == 3 * ANSWERS);
    ck_assert_uint_eq(stats_of(rig.server.conn).frames_out, 3 * ANSWERS);
    bpt_rig_fini(&rig);
}
END_TEST

/* Answers that fill the stage are written between two frames, and what did not fit is staged anew: writes are full. */
START_TEST(answers_leave_in_full_writes) {
    bpt_rig rig;
    start(&rig, _i);
    rig.server.on_frame = answer_many;
    rig.clients[0].on_frame = count_to_ten;
    for (uint64_t n = 0; n < 400; n++) bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, SMALL, n);
    bpt_rig_until(&rig, rig.clients[0].frames == 4000);
    ck_assert_uint_le(stats_of(rig.server.conn).writes, 4000 * FRAME / BP_FRAME_WRITE_MAX + 2);
    ck_assert_uint_eq(stats_of(rig.server.conn).frames_out, 4000);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- frames without a buffer ---- */

START_TEST(frames_are_written_where_they_leave_from) {
    bpt_rig rig;
    start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    for (uint64_t n = 0; n < 1000; n += 2) {
        send_in_place(conn, BPT_SMALL_TYPE, SMALL, n);
        ck_assert_uint_eq(bpt_pool_in_use(bp_conn_pool(conn)), 0);
        bpt_send(conn, BPT_SMALL_TYPE, SMALL - 1, n + 1);
    }
    bpt_rig_until(&rig, rig.server.frames == 1000);
    ck_assert_uint_eq(stats_of(conn).frames_out, 1000);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(large_frames_are_written_into_buffers) {
    bpt_rig rig;
    start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    for (uint64_t n = 0; n < 20; n++) send_in_place(conn, BPT_LARGE_TYPE, BP_FRAME_STAGE_MAX + (uint32_t)n, n);
    bpt_rig_until(&rig, rig.server.frames == 20);
    ck_assert_uint_eq(bpt_pool_in_use(bp_conn_pool(conn)), 0);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_frame_without_value_can_be_begun) {
    bpt_rig rig;
    uint8_t *value = NULL;
    start(&rig, _i);
    bpt_ok(bp_conn_frame_begin(rig.clients[0].conn, BPT_EMPTY_TYPE, 0, &value));
    ck_assert_ptr_nonnull(value);
    bpt_ok(bp_conn_frame_end(rig.clients[0].conn, 0));
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* At the bound, one above it, and at the end of the range; in the stage and in a buffer. */
START_TEST(a_frame_ends_within_its_bounds_and_once) {
    const uint32_t sizes[] = {0, 1, SMALL, BP_FRAME_STAGE_MAX, BP_FRAME_STAGE_MAX + 1};
    bpt_rig rig;
    start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    uint8_t *value = NULL;
    bpt_err(bp_conn_frame_end(conn, 0), BP_ERR_ARGUMENT);
    if (bpt_way_is_pooled(_i)) { /* without a pool the system may well have so much */
        ck_assert_int_ne(bp_conn_frame_begin(conn, BPT_SKIPPED_TYPE, UINT32_MAX, &value), BP_OK);
        ck_assert_ptr_null(value);
    }
    for (int i = 0; i < 5; i++) {
        bpt_ok(bp_conn_frame_begin(conn, BPT_SKIPPED_TYPE, sizes[i], &value));
        bpt_err(bp_conn_frame_end(conn, sizes[i] + 1), BP_ERR_ARGUMENT);
        bpt_err(bp_conn_frame_end(conn, UINT32_MAX), BP_ERR_ARGUMENT);
        memset(value, 1, sizes[i]);
        bpt_ok(bp_conn_frame_end(conn, sizes[i]));
        bpt_err(bp_conn_frame_end(conn, sizes[i]), BP_ERR_ARGUMENT);
    }
    bpt_rig_until(&rig, stats_of(rig.server.conn).frames_skipped == 5);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_dropped_frame_is_not_sent) {
    static const uint32_t sizes[] = {SMALL, BPT_LARGE_MAX};
    bpt_rig rig;
    uint8_t *value = NULL;
    start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    for (int i = 0; i < 2; i++) {
        bpt_ok(bp_conn_frame_begin(conn, BPT_LARGE_TYPE, sizes[i], &value));
        bp_conn_frame_drop(conn);
        bp_conn_frame_drop(conn);
        bpt_err(bp_conn_frame_end(conn, 1), BP_ERR_ARGUMENT);
    }
    ck_assert_uint_eq(bpt_pool_in_use(bp_conn_pool(conn)), 0);
    ck_assert_uint_eq(bp_conn_queued_bytes(conn), 0);
    send_in_place(conn, BPT_SMALL_TYPE, SMALL, 0);
    bpt_rig_until(&rig, rig.server.frames == 1);
    ck_assert_uint_eq(stats_of(conn).frames_out, 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* Nothing of what is refused changes anything. */
START_TEST(between_begin_and_end_nothing_else_is_sent) {
    bpt_rig rig;
    uint8_t *value = NULL, *other = NULL;
    start_two(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    rig.server.on_frame = check_order;
    bpt_err(bp_conn_frame_end(conn, 0), BP_ERR_ARGUMENT);
    bpt_ok(bp_conn_frame_begin(conn, BPT_SMALL_TYPE, SMALL, &value));
    bpt_frame_fill(value, SMALL, 0);
    for (int i = 0; i < 2; i++) {
        bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), BPT_SMALL_TYPE, SMALL, 7);
        bpt_err(bp_conn_send_take(rig.clients[i].conn, &buf), BP_ERR_ARGUMENT);
        bp_buf_release(buf);
        other = value;
        bpt_err(bp_conn_frame_begin(rig.clients[i].conn, BPT_SMALL_TYPE, SMALL, &other), BP_ERR_ARGUMENT);
        ck_assert_ptr_null(other);
    }
    bpt_err(bp_conn_frame_end(rig.clients[1].conn, 1), BP_ERR_ARGUMENT);
    bp_conn_frame_drop(rig.clients[1].conn);
    bpt_err(bp_conn_frame_end(conn, SMALL + 1), BP_ERR_ARGUMENT);
    bpt_ok(bp_conn_frame_end(conn, SMALL));
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_frame_that_is_never_ended_is_dropped_with_the_turn) {
    bpt_rig rig;
    uint8_t *value = NULL;
    start_two(&rig, _i);
    rig.server.on_frame = check_order;
    bpt_ok(bp_conn_frame_begin(rig.clients[0].conn, BPT_SMALL_TYPE, SMALL, &value));
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    bpt_err(bp_conn_frame_end(rig.clients[0].conn, SMALL), BP_ERR_ARGUMENT);
    send_in_place(rig.clients[1].conn, BPT_SMALL_TYPE, SMALL, 0);
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* Nobody has sent anything, and no connection is looked at when the turn ends: the frame's buffer goes back anyway. */
START_TEST(a_large_frame_that_is_never_ended_gives_its_buffer_back) {
    bpt_rig rig;
    uint8_t *value = NULL;
    start(&rig, _i);
    bp_pool *pool = bp_conn_pool(rig.clients[0].conn);
    for (int i = 0; i < 3; i++) uv_run(&rig.loop, UV_RUN_NOWAIT);
    bpt_ok(bp_conn_frame_begin(rig.clients[0].conn, BPT_LARGE_TYPE, BPT_LARGE_MAX, &value));
    ck_assert_uint_eq(bpt_pool_in_use(pool), 1);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bpt_err(bp_conn_frame_end(rig.clients[0].conn, BPT_LARGE_MIN), BP_ERR_ARGUMENT);
    bpt_rig_fini(&rig);
}
END_TEST

static bp_err begin_only(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    uint8_t *value = NULL;
    (void)side, (void)frame;
    const bp_err err = bp_conn_frame_begin(conn, BPT_SMALL_TYPE, SMALL, &value);
    bpt_must(err == (side->frames == 1 ? BP_OK : BP_ERR_ARGUMENT));
    return BP_OK;
}

START_TEST(a_handler_that_never_ends_its_frame_sends_nothing) {
    bpt_rig rig;
    start(&rig, _i);
    rig.server.on_frame = begin_only;
    for (uint64_t n = 0; n < 2; n++) bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, SMALL, n);
    bpt_rig_until(&rig, rig.server.frames == 2);
    bpt_send(rig.server.conn, BPT_SMALL_TYPE, SMALL, 0);
    bpt_rig_until(&rig, rig.clients[0].frames == 1);
    ck_assert_uint_eq(stats_of(rig.server.conn).frames_out, 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* _i & 4: the frame is large, so that it is in a buffer. */
START_TEST(a_connection_may_end_between_begin_and_end) {
    const uint32_t size = (_i & 4) != 0 ? BPT_LARGE_MAX : SMALL;
    bpt_rig rig;
    uint8_t *value = NULL;
    start_two(&rig, _i & 3);
    rig.server.on_frame = check_order;
    bpt_ok(bp_conn_frame_begin(rig.clients[0].conn, BPT_LARGE_TYPE, size, &value));
    bp_conn_close(rig.clients[0].conn, BP_OK);
    bpt_err(bp_conn_frame_end(rig.clients[0].conn, 1), BP_ERR_CLOSED);
    bpt_err(bp_conn_frame_begin(rig.clients[0].conn, BPT_LARGE_TYPE, size, &value), BP_ERR_CLOSED);
    ck_assert_ptr_null(value);
    send_in_place(rig.clients[1].conn, BPT_SMALL_TYPE, SMALL, 0);
    bpt_ok(bp_conn_frame_begin(rig.clients[1].conn, BPT_LARGE_TYPE, size, &value));
    bp_conn_finish(rig.clients[1].conn);
    bpt_err(bp_conn_frame_end(rig.clients[1].conn, 1), BP_ERR_CLOSED);
    bpt_rig_until(&rig, rig.server.closes == 2);
    ck_assert_uint_eq(rig.server.frames, 1);
    ck_assert_uint_eq(rig.clients[0].in_use_at_close + rig.clients[1].in_use_at_close, 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- taking back ---- */

enum { KEEP = 30 };

/* What a handler sends before and after a mark; _i of the test says how much after it. */
static bp_err send_and_take_back(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const uint64_t *after = side->data;
    bpi_send_mark mark;
    (void)frame;
    for (uint64_t n = 0; n < KEEP; n++) bpt_send(conn, BPT_SMALL_TYPE, SMALL, (side->frames - 1) * (KEEP + 1) + n);
    const uint64_t queued = bp_conn_queued_bytes(conn);
    mark = bpi_send_mark_of(conn);
    for (uint64_t n = 0; n < *after; n++) bpt_send(conn, BPT_SMALL_TYPE, SMALL, 777);
    bpt_send(conn, BPT_LARGE_TYPE, BPT_LARGE_MAX, 777);
    send_in_place(conn, BPT_SMALL_TYPE, SMALL, 777);
    bpi_send_rollback(conn, &mark);
    bpt_must(bp_conn_queued_bytes(conn) == queued);
    bpt_send(conn, BPT_SMALL_TYPE, SMALL, (side->frames - 1) * (KEEP + 1) + KEEP);
    return BP_OK;
}

START_TEST(what_a_handler_sent_can_be_taken_back) {
    static const uint64_t counts[] = {0, 1, BP_FRAME_WRITE_MAX / FRAME - KEEP, BP_FRAME_WRITE_MAX / FRAME, 2000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        bpt_rig rig;
        uint64_t after = counts[i];
        start(&rig, _i);
        rig.server.data = &after;
        rig.server.on_frame = send_and_take_back;
        rig.clients[0].on_frame = check_order;
        for (uint64_t n = 0; n < 40; n++) bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, SMALL, n);
        bpt_rig_until(&rig, rig.clients[0].frames == 40 * (KEEP + 1));
        ck_assert_uint_eq(stats_of(rig.server.conn).frames_out, 40 * (KEEP + 1));
        ck_assert_uint_eq(bpt_pool_in_use(bp_conn_pool(rig.server.conn)), 0);
        bpt_rig_fini(&rig);
    }
}
END_TEST

BPT_SUITE(transport_stage) {
    BPT_LOOP_TEST(small_frames_give_their_buffers_back_at_once, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_full_stage_leaves_at_once, 0, BPT_WAYS);
    BPT_LOOP_TEST(large_and_small_frames_keep_their_order, 0, BPT_WAYS);
    BPT_LOOP_TEST(connections_that_take_turns_need_a_write_each, 0, BPT_WAYS);
    BPT_LOOP_TEST(handlers_of_one_turn_hand_the_stage_on, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_handler_that_answers_too_much_writes_nothing_until_it_returns, 0, BPT_WAYS);
    BPT_LOOP_TEST(answers_leave_in_full_writes, 0, BPT_WAYS);
    BPT_LOOP_TEST(frames_are_written_where_they_leave_from, 0, BPT_WAYS);
    BPT_LOOP_TEST(large_frames_are_written_into_buffers, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_without_value_can_be_begun, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_ends_within_its_bounds_and_once, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_dropped_frame_is_not_sent, 0, BPT_WAYS);
    BPT_LOOP_TEST(between_begin_and_end_nothing_else_is_sent, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_that_is_never_ended_is_dropped_with_the_turn, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_large_frame_that_is_never_ended_gives_its_buffer_back, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_handler_that_never_ends_its_frame_sends_nothing, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_connection_may_end_between_begin_and_end, 0, 2 * BPT_WAYS);
    BPT_LOOP_TEST(what_a_handler_sent_can_be_taken_back, 0, BPT_WAYS);
}
