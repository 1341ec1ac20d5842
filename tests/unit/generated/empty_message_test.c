#define _GNU_SOURCE
/* A message without fields: nothing on the wire but its header, from end to end. */
#include "tests/support/frame_rig.h"
#include "tests/support/suite.h"

#include "zoo.h"

enum { BEATS = 500 };

START_TEST(it_takes_no_byte) {
    const zoo_heartbeat message = ZOO_HEARTBEAT_INIT;
    zoo_heartbeat decoded;
    zoo_heartbeat_view view;
    uint32_t length = 9;
    char text[8];
    ck_assert_uint_eq(ZOO_HEARTBEAT_MIN, 0);
    ck_assert_uint_eq(ZOO_HEARTBEAT_MAX, 0);
    ck_assert_uint_eq(ZOO_HEARTBEAT_BLOCK, 0);
    ck_assert_uint_eq(ZOO_HEARTBEAT_CLASS_IX, 0);
    bpt_ok(zoo_heartbeat_encode(&message, NULL, 0, &length));
    ck_assert_uint_eq(length, 0);
    bpt_ok(zoo_heartbeat_decode(NULL, 0, &decoded));
    bpt_ok(zoo_heartbeat_view_init(NULL, 0, &view));
    bpt_ok(zoo_heartbeat_validate(&view, NULL));
    ck_assert_int_eq(zoo_heartbeat_print(&view, text, sizeof text), 2);
    ck_assert_str_eq(text, "{}");
}
END_TEST

/* What a newer writer adds is passed over, up to what the class holds. */
START_TEST(more_bytes_are_of_a_newer_writer) {
    const uint8_t newer[ZOO_HEARTBEAT_ACCEPT_MAX + 1] = {1, 2, 3};
    zoo_heartbeat_view view;
    bpt_ok(zoo_heartbeat_view_init(newer, 3, &view));
    bpt_ok(zoo_heartbeat_view_init(newer, ZOO_HEARTBEAT_ACCEPT_MAX, &view));
    bpt_err(zoo_heartbeat_view_init(newer, sizeof newer, &view), BP_ERR_BOUND);
}
END_TEST

/* ---- over a socket ---- */

/* Sends the buffer back that it was given; every other one is answered with a new one. */
static bp_err answer(bp_conn *conn, bp_buf *buf, void *user) {
    unsigned *const beats = user;
    ck_assert_uint_eq(bp_buf_length(buf), 0);
    ck_assert_uint_eq(bp_buf_type(buf), ZOO_HEARTBEAT_TYPE);
    if (++*beats % 2 == 0) return bp_conn_send_take(conn, &buf);
    const zoo_heartbeat message = ZOO_HEARTBEAT_INIT;
    bp_buf_release(buf);
    return zoo_send_heartbeat(conn, &message);
}

static bp_err count(bp_conn *conn, const zoo_heartbeat_view *view, void *user) {
    (void)conn;
    ck_assert_uint_eq(view->block_length, 0);
    ++*(unsigned *)user;
    return BP_OK;
}

START_TEST(it_goes_to_a_handler_and_back) {
    const zoo_handlers answering = {.heartbeat_buf = answer}, counting = {.heartbeat = count};
    const zoo_heartbeat message = ZOO_HEARTBEAT_INIT;
    unsigned asked = 0, answered = 0;
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    server.conn.services[0] = zoo_service(&answering, &asked);
    client.conn.services[0] = zoo_service(&counting, &answered);
    server.conn.pool_config = client.conn.pool_config = zoo_pool_config;
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.server.opens == 1 && rig.clients[0].opens == 1);
    for (unsigned i = 0; i < BEATS; i++) {
        bpt_ok(zoo_send_heartbeat(rig.clients[0].conn, &message));
        if (i % 7 == 0) bpt_rig_until(&rig, answered == i + 1);
    }
    bpt_rig_until(&rig, answered == BEATS);
    bp_conn_close(rig.clients[0].conn, BP_OK);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
    ck_assert_uint_eq(asked, BEATS);
    ck_assert_uint_eq(rig.server.stats.frames_kept, BEATS);
    ck_assert_uint_eq(rig.server.stats.bytes_in,
                      BPT_HELLO_BYTES + BEATS * BP_FRAME_HEADER_SIZE + BPT_GOODBYE_BYTES);
    ck_assert_uint_eq(rig.server.in_use_at_close, 0);
    ck_assert_uint_eq(rig.clients[0].in_use_at_close, 0);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(generated_empty_message) {
    BPT_TEST(it_takes_no_byte);
    BPT_TEST(more_bytes_are_of_a_newer_writer);
    BPT_LOOP_TEST(it_goes_to_a_handler_and_back, 0, BPT_WAYS);
}
