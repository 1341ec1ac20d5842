#define _GNU_SOURCE
#include "tests/support/frame_rig.h"
#include "transport/transport_internal.h"

#include <unistd.h>

enum { QUEUE = 200000 };

static void start_small_queue(bpt_rig *rig, int way) {
    const bp_server_config server = bpt_rig_server_config(rig, way);
    bp_client_config client = bpt_rig_client_config(rig, 0, way);
    client.conn.send_queue_bytes = QUEUE;
    bpt_rig_listen(rig, &server, way);
    bpt_rig_connect(rig, 0, &client);
    bpt_rig_until(rig, rig->server.opens == 1 && rig->clients[0].opens == 1);
}

/* Sends numbered frames until one is refused; returns how many were taken. */
static uint64_t fill_queue(bp_conn *conn, uint64_t first) {
    for (uint64_t n = first;; n++) {
        bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), BPT_LARGE_TYPE, BPT_LARGE_MIN, n);
        const bp_err err = bp_conn_send_take(conn, &buf);
        if (err == BP_OK) continue;
        bpt_err(err, BP_ERR_QUEUE_FULL);
        ck_assert_ptr_nonnull(buf);
        bp_buf_release(buf);
        return n - first;
    }
}

static bp_err check_order(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    ck_assert(bpt_frame_is_filled(frame->value, frame->length, side->frames - 1));
    return BP_OK;
}

START_TEST(a_full_queue_refuses_until_it_is_half_empty) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    start_small_queue(&rig, _i);
    rig.server.on_frame = check_order;
    bp_conn *conn = rig.clients[0].conn;
    const uint64_t taken = fill_queue(conn, 0);
    ck_assert_uint_ge(taken, QUEUE / (BPT_LARGE_MIN + BP_FRAME_HEADER_SIZE));
    ck_assert_uint_le(bp_conn_queued_bytes(conn), QUEUE);
    ck_assert_uint_gt(bp_conn_queued_bytes(conn), QUEUE - (BPT_LARGE_MIN + BP_FRAME_HEADER_SIZE));
    ck_assert_uint_eq(rig.clients[0].drains, 0);
    bpt_rig_until(&rig, rig.clients[0].drains == 1);
    ck_assert_uint_le(bp_conn_queued_bytes(conn), QUEUE / 2);
    bpt_rig_until(&rig, rig.server.frames == taken);
    ck_assert_uint_eq(rig.clients[0].drains, 1);
    bp_conn_stats stats;
    bp_conn_stats_read(conn, &stats);
    ck_assert_uint_eq(stats.sends_refused, 1);
    ck_assert_uint_eq(stats.frames_out, taken);
    bpt_rig_fini(&rig);
}
END_TEST

/* Fills the queue again and again until the socket takes no more of it; how much that is, is the kernel's affair.
 * Returns how many frames were taken. */
static uint64_t fill_socket(bpt_rig *rig) {
    bp_conn *conn = rig->clients[0].conn;
    uint64_t sent = 0;
    for (int i = 0; i < 2000; i++) {
        sent += fill_queue(conn, sent);
        const uint64_t full = bp_conn_queued_bytes(conn);
        bpt_rig_turn(rig, 4);
        if (bp_conn_queued_bytes(conn) == full) return sent;
    }
    ck_abort_msg("the socket never fills up");
    return 0;
}

/* With a peer that does not read, the socket fills up and the queue stays; nothing is lost once the peer reads on. */
START_TEST(a_blocked_queue_leaves_complete_and_in_order) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    start_small_queue(&rig, _i);
    rig.server.on_frame = check_order;
    bp_conn_pause(rig.server.conn);
    const uint64_t sent = fill_socket(&rig);
    ck_assert_uint_gt(bp_conn_queued_bytes(rig.clients[0].conn), QUEUE / 2);
    ck_assert_uint_eq(rig.server.frames, 0);
    bp_conn_resume(rig.server.conn);
    bp_conn_finish(rig.clients[0].conn);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
    ck_assert_uint_eq(rig.server.frames, sent);
    bpt_err(rig.server.why, BP_ERR_END);
    bpt_err(rig.clients[0].why, BP_ERR_CLOSED);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(close_drops_what_is_queued_and_frees_it) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    start_small_queue(&rig, _i);
    bp_conn_pause(rig.server.conn);
    const uint64_t sent = fill_socket(&rig);
    bp_conn_close(rig.clients[0].conn, BP_ERR_TIMEOUT);
    bp_conn_close(rig.clients[0].conn, BP_OK);
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    bpt_err(rig.clients[0].why, BP_ERR_TIMEOUT);
    ck_assert_uint_eq(rig.clients[0].in_use_at_close, 0);
    ck_assert_uint_lt(rig.clients[0].stats.frames_out, sent);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_frame_above_the_limit_goes_alone) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    start_small_queue(&rig, _i);
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 0);
    ck_assert_uint_gt(bp_conn_queued_bytes(rig.clients[0].conn), QUEUE);
    bp_buf *next = bpt_frame_buf(bp_client_pool(rig.clients[0].client), BPT_SMALL_TYPE, 20, 1);
    bpt_err(bp_conn_send_take(rig.clients[0].conn, &next), BP_ERR_QUEUE_FULL);
    bp_buf_release(next);
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(frames_of_one_turn_leave_in_one_write) {
    bpt_rig rig;
    bp_conn_stats before, stats;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bp_conn_stats_read(rig.clients[0].conn, &before);
    for (uint64_t n = 0; n < 400; n++) bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 64, n);
    bpt_rig_until(&rig, rig.server.frames == 400);
    bp_conn_stats_read(rig.clients[0].conn, &stats);
    ck_assert_uint_eq(stats.writes, before.writes + 1);
    ck_assert_uint_eq(rig.clients[0].drains, 0); /* nothing was refused */
    bp_conn_stats_read(rig.server.conn, &stats);
    ck_assert_uint_le(stats.reads, 2);
    bpt_rig_fini(&rig);
}
END_TEST

static void send_then_close(bpt_side *side, bp_conn *conn) {
    (void)side;
    for (uint64_t n = 0; n < 10; n++) bpt_send(conn, BPT_SMALL_TYPE, 64, n);
    bp_conn_close(conn, BP_OK);
}

/* Nothing of a dirty connection that is closed in the same turn may be touched later. */
START_TEST(a_dirty_connection_may_be_closed_at_once) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    rig.server.on_open = send_then_close;
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    const bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
    ck_assert_uint_eq(rig.server.in_use_at_close, 0);
    bpt_rig_fini(&rig);
}
END_TEST

static void send_and_close(uv_check_t *check) {
    bpt_rig *rig = check->data;
    if (rig->server.conn == NULL) return;
    send_then_close(&rig->server, rig->server.conn);
    uv_check_stop(check);
}

/* A check of the program's that runs after the library's: the connection is dirty when its closing callback comes. */
START_TEST(a_dirty_connection_may_be_freed) {
    bpt_rig rig;
    uv_check_t check;
    bpt_rig_init(&rig);
    uv_check_init(&rig.loop, &check);
    uv_check_start(&check, send_and_close); /* started first, so called last */
    check.data = &rig;
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    const bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
    ck_assert_uint_eq(rig.clients[0].frames, 0);
    uv_close((uv_handle_t *)&check, NULL);
    bpt_rig_fini(&rig);
}
END_TEST

/* What a peer sent before it went is still handled, even when answering it fails. */
START_TEST(what_a_gone_peer_sent_is_still_read) {
    bpt_rig rig;
    bpt_wire wire = {0};
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    bpt_rig_listen(&rig, &server, _i);
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    for (uint64_t n = 0; n < 100; n++) bpt_wire_add(&wire, BPT_SMALL_TYPE, 64, n);
    ck_assert_int_eq(write(fd, wire.data, wire.length), (ssize_t)wire.length);
    close(fd);
    for (uint64_t n = 0; n < 10; n++) bpt_send(rig.server.conn, BPT_LARGE_TYPE, BPT_LARGE_MAX, n);
    bpt_rig_until(&rig, rig.server.closes == 1);
    ck_assert_uint_eq(rig.server.frames, 100);
    ck_assert_uint_eq(rig.server.in_use_at_close, 0);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

static void refuse_untyped(bp_conn *conn, uint32_t length) {
    const uint64_t queued = bp_conn_queued_bytes(conn);
    uint8_t value[1], *at = value;
    bp_buf *buf = NULL;
    bpt_ok(bp_pool_acquire(bp_conn_pool(conn), length, &buf)); /* nobody has set a type */
    bp_buf_set_length(buf, length);
    bpt_err(bp_conn_send_take(conn, &buf), BP_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(buf);
    ck_assert_uint_eq(bp_buf_length(buf), length);
    bp_buf_release(buf);
    bpt_err(bp_conn_frame_begin(conn, 0, length, &at), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(at);
    ck_assert_uint_eq(bp_conn_queued_bytes(conn), queued);
}

/* Type 0 is the library's own: with nothing sent before, in the stage, and behind a queue. */
START_TEST(a_buffer_without_a_type_is_not_sent) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bp_conn *conn = rig.clients[0].conn;
    rig.server.on_frame = check_order;
    for (uint64_t n = 0; n < 4; n++) {
        refuse_untyped(conn, 8);
        refuse_untyped(conn, BPT_LARGE_MAX);
        bpt_send(conn, BPT_LARGE_TYPE, n == 2 ? BPT_LARGE_MAX : BPT_LARGE_MIN, n);
    }
    bp_conn_finish(conn); /* GOODBYE is of type 0, too */
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
    bpt_err(rig.server.why, BP_ERR_END);
    ck_assert_uint_eq(rig.server.frames, 4);
    ck_assert_uint_eq(rig.clients[0].stats.frames_out, 4);
    ck_assert_uint_eq(rig.clients[0].stats.frames_dropped, 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* A finished connection whose peer never ends is closed after a while. */
START_TEST(lingering_has_an_end) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    server.conn.finish_ms = 40;
    bpt_rig_listen(&rig, &server, _i);
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    bp_conn_finish(rig.server.conn);
    bpt_rig_until(&rig, rig.server.closes == 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- policies ---- */

enum { PAST = 100 }; /* frames sent to a queue that is full; below 256, so that fillings tell them apart */

/* A client with a policy whose socket and queue are full; returns how many frames were sent. */
static uint64_t start_full(bpt_rig *rig, int way, bp_full policy) {
    bpt_rig_init(rig);
    const bp_server_config server = bpt_rig_server_config(rig, way);
    bp_client_config client = bpt_rig_client_config(rig, 0, way);
    client.conn.send_queue_bytes = QUEUE;
    bpt_rig_listen(rig, &server, way);
    bpt_rig_connect(rig, 0, &client);
    bpt_rig_until(rig, rig->server.opens == 1 && rig->clients[0].opens == 1);
    bp_conn_pause(rig->server.conn);
    uint64_t sent = fill_socket(rig);
    sent += fill_queue(rig->clients[0].conn, sent);
    rig->clients[0].conn->end->config.full_policy = policy;
    return sent;
}

static void resume_and_finish(bpt_rig *rig) {
    bp_conn_resume(rig->server.conn);
    bp_conn_finish(rig->clients[0].conn);
    bpt_rig_until(rig, rig->clients[0].closes == 1);
}

/* _i & 4: by bp_conn_frame_begin. */
static bp_err send_one(bp_conn *conn, int way, uint64_t number) {
    uint8_t *value = NULL;
    if ((way & 4) == 0) {
        bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), BPT_LARGE_TYPE, BPT_LARGE_MIN, number);
        const bp_err err = bp_conn_send_take(conn, &buf);
        ck_assert((err == BP_OK) == (buf == NULL));
        bp_buf_release(buf);
        return err;
    }
    const bp_err err = bp_conn_frame_begin(conn, BPT_LARGE_TYPE, BPT_LARGE_MIN, &value);
    if (err != BP_OK) return err;
    bpt_frame_fill(value, BPT_LARGE_MIN, number);
    return bp_conn_frame_end(conn, BPT_LARGE_MIN);
}

START_TEST(a_full_queue_drops_what_is_new) {
    bpt_rig rig;
    const uint64_t sent = start_full(&rig, _i & 3, BP_FULL_DROP_NEW);
    rig.server.on_frame = check_order;
    const uint64_t queued = bp_conn_queued_bytes(rig.clients[0].conn);
    for (uint64_t n = 0; n < PAST; n++) bpt_ok(send_one(rig.clients[0].conn, _i, sent + n));
    ck_assert_uint_eq(bp_conn_queued_bytes(rig.clients[0].conn), queued);
    resume_and_finish(&rig);
    ck_assert_uint_eq(rig.server.frames, sent);
    ck_assert_uint_eq(rig.clients[0].stats.frames_out, sent);
    ck_assert_uint_eq(rig.clients[0].stats.frames_dropped, PAST);
    bpt_rig_fini(&rig);
}
END_TEST

typedef struct gap {
    uint64_t next, missing;
} gap;

/* Frames are in order, with at most one gap. */
static bp_err check_gap(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    gap *g = side->data;
    (void)conn;
    if (g->missing == 0) {
        while (!bpt_frame_is_filled(frame->value, frame->length, g->next)) g->next++, g->missing++;
    }
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, g->next++));
    return BP_OK;
}

START_TEST(a_full_queue_drops_what_is_old) {
    bpt_rig rig;
    gap g = {0};
    const uint64_t sent = start_full(&rig, _i & 3, BP_FULL_DROP_OLD);
    rig.server.on_frame = check_gap;
    rig.server.data = &g;
    const uint64_t queued = bp_conn_queued_bytes(rig.clients[0].conn);
    for (uint64_t n = 0; n < PAST; n++) bpt_ok(send_one(rig.clients[0].conn, _i, sent + n));
    ck_assert_uint_eq(bp_conn_queued_bytes(rig.clients[0].conn), queued);
    resume_and_finish(&rig);
    ck_assert_uint_eq(g.next, sent + PAST);
    ck_assert_uint_eq(g.missing, PAST);
    ck_assert_uint_eq(rig.server.frames, sent);
    ck_assert_uint_eq(rig.clients[0].stats.frames_out, sent);
    ck_assert_uint_eq(rig.clients[0].stats.frames_dropped, PAST);
    bpt_rig_fini(&rig);
}
END_TEST

static void send_past_full(bpt_side *side, bp_conn *conn) {
    const uint64_t *count = side->data;
    for (uint64_t n = 0; n < *count; n++) bpt_ok(send_one(conn, 0, n));
}

/* Behind HELLO, which has not left, the queue fills up: what is dropped is the oldest frame of the program's. */
START_TEST(hello_is_never_dropped) {
    bpt_rig rig;
    gap g = {0};
    enum { SIZE = BPT_LARGE_MIN + BP_FRAME_HEADER_SIZE, HELLO = BP_FRAME_HEADER_SIZE + 20 };
    const uint64_t taken = (QUEUE - HELLO) / SIZE;
    uint64_t sent = taken + PAST;
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    server.conn.hello = BP_HELLO_REQUIRED; /* it must come first */
    bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    client.conn.send_queue_bytes = QUEUE;
    client.conn.full_policy = BP_FULL_DROP_OLD;
    rig.server.on_frame = check_gap;
    rig.server.data = &g;
    rig.clients[0].on_open = send_past_full;
    rig.clients[0].data = &sent;
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, g.next == sent || rig.clients[0].closes == 1);
    ck_assert_uint_eq(rig.clients[0].closes, 0);
    ck_assert_uint_eq(g.missing, PAST);
    ck_assert_uint_eq(rig.server.frames, taken);
    bp_conn_stats stats;
    bp_conn_stats_read(rig.clients[0].conn, &stats);
    ck_assert_uint_eq(stats.frames_dropped, PAST);
    ck_assert_uint_eq(stats.frames_out, taken);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_full_queue_closes) {
    bpt_rig rig;
    const uint64_t sent = start_full(&rig, _i & 3, BP_FULL_CLOSE);
    bpt_err(send_one(rig.clients[0].conn, _i, sent), BP_ERR_QUEUE_FULL);
    bpt_err(send_one(rig.clients[0].conn, _i, sent), BP_ERR_CLOSED);
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    bpt_err(rig.clients[0].why, BP_ERR_QUEUE_FULL);
    ck_assert_uint_eq(rig.clients[0].in_use_at_close, 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- all connections together ---- */

enum { CAP = 300000 };

static uint64_t fill_end(bp_conn *conn) {
    uint64_t taken = 0;
    while (send_one(conn, 0, 0) == BP_OK) taken++;
    return taken;
}

/* The server's three connections share what may be queued; whoever was refused is told when half of it is free. */
START_TEST(inflight_bytes_hold_for_all_connections) {
    bpt_rig rig;
    bp_conn *conns[3];
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    server.conn.inflight_bytes = CAP;
    bpt_rig_listen(&rig, &server, _i);
    for (int i = 0; i < 3; i++) {
        const bp_client_config client = bpt_rig_client_config(&rig, i, _i);
        bpt_rig_connect(&rig, i, &client);
        bpt_rig_until(&rig, rig.clients[i].opens == 1 && rig.server.opens == (unsigned)i + 1);
        bp_conn_pause(rig.clients[i].conn);
        conns[i] = rig.server.conn;
    }
    for (int i = 0; i < 2000 && rig.server.conn->write == NULL; i++) {
        (void)fill_end(conns[2]);
        bpt_rig_turn(&rig, 1);
    }
    ck_assert_ptr_nonnull(conns[2]->write);
    while (fill_end(conns[2]) != 0) bpt_rig_turn(&rig, 4); /* in small steps: the socket is full as well */
    ck_assert_uint_le(bp_conn_queued_bytes(conns[2]), CAP);
    ck_assert_uint_gt(bp_conn_queued_bytes(conns[2]), CAP - BPT_LARGE_MIN - BP_FRAME_HEADER_SIZE);
    const unsigned drains = rig.server.drains;
    bpt_err(send_one(conns[0], 0, 0), BP_ERR_QUEUE_FULL);
    bpt_rig_turn(&rig, 4);
    ck_assert_uint_eq(rig.server.drains, drains);
    bp_conn_close(conns[2], BP_OK);
    bpt_rig_until(&rig, rig.server.drains == drains + 1);
    bpt_ok(send_one(conns[0], 0, 0));
    bpt_ok(send_one(conns[1], 0, 0));
    for (int i = 0; i < 3; i++) bp_conn_resume(rig.clients[i].conn);
    bpt_rig_until(&rig, rig.clients[0].frames == 1 && rig.clients[1].frames == 1 && rig.clients[2].closes == 1);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_send) {
    BPT_LOOP_TEST(a_full_queue_refuses_until_it_is_half_empty, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_blocked_queue_leaves_complete_and_in_order, 0, BPT_WAYS);
    BPT_LOOP_TEST(close_drops_what_is_queued_and_frees_it, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_above_the_limit_goes_alone, 0, BPT_WAYS);
    BPT_LOOP_TEST(frames_of_one_turn_leave_in_one_write, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_dirty_connection_may_be_closed_at_once, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_dirty_connection_may_be_freed, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_a_gone_peer_sent_is_still_read, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_buffer_without_a_type_is_not_sent, 0, BPT_WAYS);
    BPT_LOOP_TEST(lingering_has_an_end, 0, 2);
    BPT_LOOP_TEST(a_full_queue_drops_what_is_new, 0, 2 * BPT_WAYS);
    BPT_LOOP_TEST(a_full_queue_drops_what_is_old, 0, 2 * BPT_WAYS);
    BPT_LOOP_TEST(hello_is_never_dropped, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_full_queue_closes, 0, 2 * BPT_WAYS);
    BPT_LOOP_TEST(inflight_bytes_hold_for_all_connections, 0, BPT_WAYS);
}
