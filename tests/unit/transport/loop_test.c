#define _GNU_SOURCE
/* What the connections of a loop share, and that it rests when there is nothing to do. */
#include "tests/support/frame_rig.h"
#include "transport/send_internal.h"

enum { QUEUE = 200000 };

static bpi_loop *loop_of(const bpt_rig *rig) { return rig->server.conn->end->loop; }

static void send_one(bpt_side *side, bp_conn *conn) {
    (void)side;
    bpt_send(conn, BPT_SMALL_TYPE, 20, 1);
}

/* What on_drain sends is dirty when everybody has been flushed: the loop takes another turn at once, and then rests. */
START_TEST(a_loop_turns_on_for_who_is_dirty_and_no_longer) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    client.conn.send_queue_bytes = QUEUE;
    rig.clients[0].on_drain = send_one;
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.server.opens == 1 && rig.clients[0].opens == 1);
    uint64_t sent = 0;
    bp_err err = BP_OK;
    for (; err == BP_OK; sent++) {
        bp_buf *buf = bpt_frame_buf(bp_client_pool(rig.clients[0].client), BPT_LARGE_TYPE, BPT_LARGE_MIN, 0);
        err = bp_conn_send_take(rig.clients[0].conn, &buf);
        bp_buf_release(buf);
    }
    bpt_err(err, BP_ERR_QUEUE_FULL);
    bpt_rig_until(&rig, rig.clients[0].drains == 1);
    bpt_rig_until(&rig, rig.server.frames == sent); /* the one that was refused, and on_drain's instead */
    bpt_rig_turn(&rig, 3);
    ck_assert_ptr_null(loop_of(&rig)->dirty);
    ck_assert_int_eq(uv_is_active((uv_handle_t *)&loop_of(&rig)->idle), 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* All ends on a lent loop have one; the last one to go takes it along, and the next one makes another. */
START_TEST(ends_of_one_loop_share_what_there_is_once) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    for (unsigned round = 1; round <= 2; round++) {
        const bp_server_config server = bpt_rig_server_config(&rig, _i);
        const bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
        bpt_rig_listen(&rig, &server, _i);
        bpt_rig_connect(&rig, 0, &client);
        bpt_rig_until(&rig, rig.server.opens == round && rig.clients[0].opens == round);
        const bpi_loop *loop = loop_of(&rig);
        ck_assert_ptr_eq(rig.clients[0].conn->end->loop, loop);
        ck_assert_uint_eq(loop->end_count, 2);
        bp_client_free_take(&rig.clients[0].client);
        bpt_rig_until(&rig, rig.server.closes == round);
        ck_assert_uint_eq(loop->end_count, 1);
        bp_server_free_take(&rig.server.server);
        uv_run(&rig.loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(uv_loop_alive(&rig.loop), 0);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* Loops are lent by programs that wait for them to end. */
START_TEST(a_lent_loop_ends_when_nobody_has_anything_to_do) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bp_server_free_take(&rig.server.server);
    uv_run(&rig.loop, UV_RUN_DEFAULT); /* the client is still there, and has lost its connection */
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    bpt_rig_fini(&rig);
}
END_TEST

static void note_conn(bpt_side *side, bp_conn *conn) {
    bp_conn **conns = side->data;
    conns[side->opens - 1] = conn;
}

static void dirty_and_close(uv_check_t *check) {
    bp_conn **conns = check->data;
    if (conns == NULL) return;
    for (int i = 0; i < 3; i++) bpt_send(conns[i], BPT_SMALL_TYPE, 20, 1);
    bp_conn_close(conns[1], BP_OK);
    uv_check_stop(check);
}

/* Between others that have something to send, wherever it stands among them. */
START_TEST(who_is_dirty_and_gone_takes_nobody_along) {
    bpt_rig rig;
    uv_check_t check;
    bp_conn *conns[3];
    bpt_rig_init(&rig);
    rig.server.on_open = note_conn;
    rig.server.data = conns;
    uv_check_init(&rig.loop, &check);
    uv_check_start(&check, dirty_and_close); /* started first, so called last: nobody is flushed in between */
    check.data = NULL;
    bpt_rig_start(&rig, _i);
    for (int i = 1; i < 3; i++) {
        const bp_client_config client = bpt_rig_client_config(&rig, i, _i);
        bpt_rig_connect(&rig, i, &client);
        bpt_rig_until(&rig, rig.server.opens == (unsigned)i + 1 && rig.clients[i].opens == 1);
    }
    bpt_rig_turn(&rig, 3);
    check.data = conns;
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_rig_until(&rig, rig.clients[1].closes == 1);
    for (int i = 0; i < 3; i += 2) {
        bpt_send(conns[i], BPT_SMALL_TYPE, 20, 2);
        bpt_rig_until(&rig, rig.clients[i].frames == 2);
    }
    uv_close((uv_handle_t *)&check, NULL);
    bpt_rig_fini(&rig);
}
END_TEST

/* While one end is going, its handles still closing, another one comes: it gets a loop of its own. */
START_TEST(who_comes_while_the_last_one_goes_begins_anew) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bp_server_free_take(&rig.server.server);
    bp_client_free_take(&rig.clients[0].client);
    const unsigned opens = rig.server.opens;
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    const bp_client_config client = bpt_rig_client_config(&rig, 1, _i);
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 1, &client);
    bpt_rig_until(&rig, rig.server.opens == opens + 1 && rig.clients[1].opens == 1);
    bpt_send(rig.clients[1].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_loop) {
    BPT_LOOP_TEST(a_loop_turns_on_for_who_is_dirty_and_no_longer, 0, 2);
    BPT_LOOP_TEST(ends_of_one_loop_share_what_there_is_once, 0, 2);
    BPT_LOOP_TEST(a_lent_loop_ends_when_nobody_has_anything_to_do, 0, 2);
    BPT_LOOP_TEST(who_is_dirty_and_gone_takes_nobody_along, 0, 2);
    BPT_LOOP_TEST(who_comes_while_the_last_one_goes_begins_anew, 0, 2);
}
