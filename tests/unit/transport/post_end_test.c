#define _GNU_SOURCE
/* Posts and calls from other threads when the connection goes first. */
#include "tests/support/os_pieces.h"
#include "tests/support/posters.h"
#include "transport/transport_internal.h"

START_TEST(a_reference_outlives_connection_end_and_loop) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    bp_conn *second = bp_conn_retain(conn);
    bp_pool *pool = bp_pool_retain(bp_conn_pool(conn));
    for (uint32_t n = 0; n < 3; n++) {
        bp_buf *buf = bpt_numbered(pool, 0, n);
        bpt_ok(bp_conn_post_take(conn, &buf)); /* its letter is under way when everything is freed */
    }
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bp_buf *buf = bpt_numbered(pool, 0, 3);
    bpt_err(bp_conn_post_take(conn, &buf), BP_ERR_CLOSED);
    bpt_err(bp_conn_post_wait_take(conn, &buf, UINT32_MAX), BP_ERR_CLOSED);
    bp_buf_release(buf);
    bp_conn_release_take(&conn);
    bp_conn_release_take(&second);
    bp_pool_release_take(&pool);
}
END_TEST

/* What is called when the loop has looked for letters already, and closes handles next. */
static void post_and_close(uv_check_t *check) {
    bp_conn *conn = check->data;
    bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, 0);
    bpt_ok(bp_conn_post_take(conn, &buf));
    bp_conn_close(conn, BP_OK);
    uv_check_stop(check);
}

/* The connection is gone while the letter is under way: its end waits for it. _i & 2: it is freed as well. */
START_TEST(a_letter_may_come_after_the_connection_is_gone) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    uv_check_t check;
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i & 1, posters));
    uv_check_init(&rig.loop, &check);
    check.data = conn;
    uv_check_start(&check, post_and_close);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    ck_assert_uint_eq(rig.clients[0].in_use_at_close, 0);
    const bpi_end *end = conn->end;
    ck_assert_uint_eq(end->loop->mailbox.expected_count, 1);
    if ((_i & 2) != 0) bp_client_free_take(&rig.clients[0].client);
    bp_conn_release_take(&conn);
    if ((_i & 2) == 0) bpt_rig_until(&rig, end->loop->mailbox.expected_count == 0);
    uv_close((uv_handle_t *)&check, NULL);
    bpt_rig_fini(&rig);
}
END_TEST

/* Connection and port go with the last reference. _i & 4: that goes first; & 8: with posts that nobody has taken. */
START_TEST(nothing_is_left_of_a_connection_that_was_kept) {
    for (int round = 0; round < 2; round++) { /* what is made once is made in the first one */
        bpt_rig rig;
        bpt_poster posters[BPT_POSTERS] = {0};
        if (round == 1) bpt_os_pieces_begin();
        bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i & 3, posters)), *second = bp_conn_retain(conn);
        for (uint32_t n = 0; (_i & 8) != 0 && n < 20; n++) {
            bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, n);
            bpt_ok(bp_conn_post_take(conn, &buf));
        }
        bp_conn_release_take(&second);
        if ((_i & 4) != 0) bp_conn_release_take(&conn);
        bpt_rig_fini(&rig);
        bp_conn_release_take(&conn);
    }
    ck_assert_int_eq(bpt_os_pieces_end(), 0);
}
END_TEST

static bp_conn *kept;

static void must_not_run(bp_conn *conn, void *user) {
    (void)conn, (void)user;
    ck_abort_msg("a call to a connection that is gone");
}

static void keep_at_close(bpt_side *side, bp_conn *conn) {
    (void)side;
    kept = bp_conn_retain(conn);
}

START_TEST(a_connection_may_be_kept_as_late_as_in_on_close) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bpt_posters_rig(&rig, _i, posters);
    bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, 0);
    bpt_err(bp_conn_post_take(conn, &buf), BP_ERR_ARGUMENT); /* nobody keeps it yet */
    bp_buf_release(buf);
    rig.clients[0].on_close = keep_at_close;
    bpt_rig_fini(&rig);
    bpt_err(bp_conn_call(kept, must_not_run, NULL), BP_ERR_CLOSED);
    bp_conn_release_take(&kept);
}
END_TEST

/* Finishing sends what was posted before. */
START_TEST(what_was_posted_leaves_before_the_end) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    for (uint32_t n = 0; n < 50; n++) {
        bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, n);
        bpt_ok(bp_conn_post_take(conn, &buf));
    }
    bp_conn_finish(conn);
    bp_buf *late = bpt_numbered(bp_conn_pool(conn), 0, 50);
    bpt_err(bp_conn_post_take(conn, &late), BP_ERR_CLOSED);
    bp_buf_release(late);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
    ck_assert_uint_eq(posters[0].seen, 50);
    bpt_err(rig.clients[0].why, BP_ERR_CLOSED);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

/* Threads post all the time while the connection ends in each of four ways. */
START_TEST(posts_race_with_the_end) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS];
    bp_conn *conn = bpt_posters_rig(&rig, _i % BPT_WAYS, posters);
    bpt_posters_start(posters, BPT_POSTERS, conn, UINT32_MAX);
    bpt_rig_until(&rig, rig.server.frames > 200);
    switch (_i / BPT_WAYS) {
    case 0: bp_conn_close(conn, BP_OK); break;
    case 1: bp_client_stop(rig.clients[0].client); break;
    case 2: bp_client_free_take(&rig.clients[0].client); break;
    default: bp_conn_finish(conn);
    }
    bpt_rig_until(&rig, rig.clients[0].closes == 1 && rig.server.closes == 1);
    for (int i = 0; i < BPT_POSTERS; i++) {
        ck_assert_int_eq(pthread_join(posters[i].thread, NULL), 0);
        bpt_err(posters[i].err, BP_ERR_CLOSED);
        ck_assert_uint_le(posters[i].seen, posters[i].posted);
    }
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_post_end) {
    BPT_LOOP_TEST(a_reference_outlives_connection_end_and_loop, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_letter_may_come_after_the_connection_is_gone, 0, 4);
    BPT_LOOP_TEST(nothing_is_left_of_a_connection_that_was_kept, 0, 4 * BPT_WAYS);
    BPT_LOOP_TEST(a_connection_may_be_kept_as_late_as_in_on_close, 0, 2);
    BPT_LOOP_TEST(what_was_posted_leaves_before_the_end, 0, 2);
    BPT_LOOP_TEST(posts_race_with_the_end, 0, 4 * BPT_WAYS);
}
