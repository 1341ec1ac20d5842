#define _GNU_SOURCE
/* What connections that wait for memory leave to the others: landing chunks, the budget of cut frames, their turns. */
#include "tests/support/system_faults.h"
#include "tests/support/wait_rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LANDING = 65536, TURN = 4 * LANDING };

static bpt_hogs hogs;

/* ---- landing chunks ---- */

static bp_err answer_quietly(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const bp_err err = bpt_wait_send_answers(conn, bpt_wait_seed(frame));
    (void)side;
    if (err == BP_OK) bpt_got.count++;
    return err;
}

static bp_err answer_zero(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    return bpt_wait_seed(frame) == 0 ? bpt_wait_answer(side, conn, frame) : bpt_wait_note(side, conn, frame);
}

START_TEST(with_a_chunk_kept_everybody_else_is_read) {
    bpt_rig rig;
    bpt_wire wire = {0};
    bpt_wait_start(&rig, _i, 0);
    bpt_wait_expect(9000, 1);
    rig.server.on_frame = answer_zero;
    for (int ix = 0; ix < 4; ix++) bpt_wait_join(&rig, ix, _i);
    const int fd = bpt_wait_begin_frame(&rig, &wire, BPT_LARGE_TYPE, 3000, 7);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_wait_keep_chunk(&rig);
    for (int ix = 1; ix < 3; ix++) bpt_send(rig.clients[ix].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 3);
    for (unsigned n = 1; n < 4; n++) {
        bpt_send(rig.clients[3].conn, BPT_SMALL_TYPE, 20, n);
        bpt_rig_until(&rig, bpt_got.count == n);
    }
    ck_assert_uint_eq(bpt_waiting(&rig), 3);
    bpt_raw_write(fd, wire.data + 100, wire.length - 100); /* its buffer, then, is somebody's who waits */
    bpt_rig_until(&rig, bpt_got.count >= 4);
    for (unsigned n = 0; n < 3; n++) ck_assert_uint_eq(bpt_got.seeds[n], n + 1);
    ck_assert_uint_eq(bpt_got.seeds[3], 7);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, bpt_got.count == 7);
    ck_assert_uint_eq(bpt_waiting(&rig), 0);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* Small frames and large ones, cut ones among them, from all clients at once: memory comes back piece by piece. */
START_TEST(what_was_left_in_the_sockets_comes_once_and_in_order) {
    enum { EACH = 24 };
    static const uint32_t lengths[] = {20, 0, 16000, 70000, 20, 20, 90000, 5000};
    bpt_rig rig;
    bpt_wait_start(&rig, _i, 0);
    bpt_wait_expect(9000, 2);
    rig.server.on_frame = answer_quietly;
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) rig.clients[ix].on_frame = bpt_wait_check_answer;
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) bpt_wait_join(&rig, ix, _i);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) {
        for (uint64_t n = 0; n < EACH; n++) {
            const uint32_t length = lengths[(n + (uint64_t)ix) % 8];
            const uint16_t type = length == 20 ? BPT_SMALL_TYPE : length < 20000 ? BPT_LARGE_TYPE : BPT_HUGE_TYPE;
            bpt_send(rig.clients[ix].conn, length == 0 ? BPT_MEDIUM_TYPE : type, length == 0 ? 200 : length, n);
        }
    }
    bpt_rig_until(&rig, bpt_waiting(&rig) == BPT_CLIENT_MAX);
    bpt_wait_settle(&rig);
    ck_assert_uint_eq(bpt_got.count, 0);
    for (size_t i = hogs.count; i-- > hogs.count / 2;) {
        bp_buf_release_take(&hogs.bufs[i]);
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    }
    bpt_hogs_free(&hogs);
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) bpt_rig_until(&rig, rig.clients[ix].frames == 2 * EACH);
    bpt_wait_settle(&rig);
    ck_assert_uint_eq(bpt_got.count, BPT_CLIENT_MAX * EACH);
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) ck_assert_uint_eq(rig.clients[ix].frames, 2 * EACH);
    ck_assert_uint_eq(bpt_waiting(&rig), 0);
    ck_assert_uint_eq(bpt_pool_in_use(bpt_wait_pool(&rig)), 0);
    bp_server_stats stats;
    bp_server_stats_read(rig.server.server, &stats);
    ck_assert_uint_eq(stats.conn.frames_in, BPT_CLIENT_MAX * EACH);
    bpt_rig_fini(&rig);
}
END_TEST

/* _i: the look at the socket fails, or taking what was handed on; the peer's other frames never come. */
START_TEST(a_socket_that_fails_while_it_is_peeked_at_ends_its_connection_alone) {
    const bpt_fault fault = {.call = BPT_CALL_RECV, .error = ECONNRESET, .is_deadly = true};
    bpt_rig rig;
    if (!bpt_faults_are_possible()) return;
    bpt_wait_start(&rig, 2, 0);
    bpt_wait_expect(9000, 1);
    rig.server.on_frame = answer_zero;
    for (int ix = 0; ix < 3; ix++) bpt_wait_join(&rig, ix, 2);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_wait_keep_chunk(&rig);
    bpt_faults_arm(&fault, (uint64_t)_i);
    bpt_send(rig.clients[1].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.server.closes == 1);
    ck_assert(bpt_faults_disarm());
    bpt_err(rig.server.why, BP_ERR_RESET);
    ck_assert_uint_eq(bpt_got.count, (unsigned)_i);
    bpt_send(rig.clients[2].conn, BPT_SMALL_TYPE, 20, 2);
    bpt_rig_until(&rig, bpt_got.count == (unsigned)_i + 1);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.clients[0].frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* The frame was left in the socket, the memory for its handler comes, and the socket fails: the memory goes back. */
START_TEST(what_was_granted_for_a_frame_that_is_lost_goes_back) {
    const bpt_fault fault = {.call = BPT_CALL_RECV, .error = ECONNRESET, .is_deadly = true};
    bpt_rig rig;
    if (!bpt_faults_are_possible()) return;
    bpt_wait_start(&rig, 2, 0);
    bpt_wait_expect(9000, 1);
    rig.server.on_frame = answer_zero;
    for (int ix = 0; ix < 2; ix++) bpt_wait_join(&rig, ix, 2);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_wait_keep_chunk(&rig);
    bpt_send(rig.clients[1].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 2);
    bpt_faults_arm(&fault, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].frames == 1);
    ck_assert(bpt_faults_disarm());
    bpt_err(rig.server.why, BP_ERR_RESET);
    ck_assert_uint_eq(bpt_pool_in_use(bpt_wait_pool(&rig)), 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- the budget of cut frames ---- */

/* Each frame is above the budget alone: it comes in when nothing else does. */
static void fill_the_budget(bpt_rig *rig) {
    bpt_wire wire = {0};
    bpt_got.count = 0;
    const int fd = bpt_wait_begin_frame(rig, &wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, 9);
    for (int ix = 0; ix < 4; ix++) {
        bpt_send(rig->clients[ix].conn, BPT_HUGE_TYPE, BPT_HUGE_MIN + 5u, (uint64_t)ix);
        bpt_rig_until(rig, bpt_waiting(rig) == (uint64_t)ix + 1);
    }
    ck_assert_uint_eq(bpt_pool_in_use(bpt_wait_pool(rig)), 1);
    bpt_raw_write(fd, wire.data + 100, 60000);
    bpt_wait_settle(rig);
    ck_assert_uint_eq(bpt_got.count, 0);
    for (size_t at = 60100; at < wire.length; at += 10000) {
        bpt_raw_write(fd, wire.data + at, wire.length - at < 10000 ? wire.length - at : 10000);
        bpt_wait_settle(rig);
    }
    bpt_rig_until(rig, bpt_got.count == 5);
    bpt_wait_check(5, (const uint64_t[]){9, 0, 1, 2, 3});
    ck_assert_uint_eq(bpt_waiting(rig), 0);
    close(fd);
    bpt_wire_free(&wire);
}

/* Twice: the second time as the first. */
START_TEST(frames_over_the_budget_come_in_one_after_the_other) {
    bpt_rig rig;
    bpt_wait_start(&rig, _i, BPT_HUGE_MIN);
    rig.server.on_frame = bpt_wait_note;
    for (int ix = 0; ix < 4; ix++) bpt_wait_join(&rig, ix, _i);
    fill_the_budget(&rig);
    fill_the_budget(&rig);
    bpt_rig_fini(&rig);
}
END_TEST

/* Who wants little does not go before who wants much and came first, or that one might wait for ever. */
START_TEST(nobody_overtakes_who_is_over_the_budget) {
    enum { SIZE = 100000, LARGE = 250000, SMALL = 90000 };
    bpt_rig rig;
    bpt_wire wires[2] = {{0}};
    int fds[2];
    bpt_wait_start(&rig, _i, 300000);
    rig.server.on_frame = bpt_wait_note;
    for (int ix = 0; ix < 2; ix++) bpt_wait_join(&rig, ix, _i);
    for (int i = 0; i < 2; i++) fds[i] = bpt_wait_begin_frame(&rig, &wires[i], BPT_HUGE_TYPE, SIZE, 10 + (uint64_t)i);
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, LARGE, 0);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    bpt_send(rig.clients[1].conn, BPT_HUGE_TYPE, SMALL, 1); /* which would fit */
    bpt_rig_until(&rig, bpt_waiting(&rig) == 2);
    for (unsigned i = 0; i < 2; i++) {
        bpt_wait_settle(&rig);
        ck_assert_uint_eq(bpt_waiting(&rig), 2);
        for (size_t at = 100; at < wires[i].length; at += 10000) {
            bpt_raw_write(fds[i], wires[i].data + at, wires[i].length - at < 10000 ? wires[i].length - at : 10000);
            bpt_wait_settle(&rig);
        }
        bpt_rig_until(&rig, bpt_got.count > i);
    }
    bpt_rig_until(&rig, bpt_got.count == 4);
    bpt_wait_check(4, (const uint64_t[]){10, 11, 0, 1});
    ck_assert_uint_eq(bpt_waits(&rig), 2);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        bpt_wire_free(&wires[i]);
        wires[i] = (bpt_wire){0};
    }
    for (int i = 0; i < 2; i++) fds[i] = bpt_wait_begin_frame(&rig, &wires[i], BPT_HUGE_TYPE, SIZE, 12);
    ck_assert_uint_eq(bpt_waits(&rig), 2); /* nobody is over any more, and both have their buffers */
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        bpt_wire_free(&wires[i]);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* A frame that waited for memory has its share of the budget as long as it comes in, and no longer. */
START_TEST(what_has_waited_gives_its_share_back) {
    bpt_rig rig;
    bpt_wire wires[2] = {{0}};
    int fds[2];
    bpt_wait_start(&rig, _i, 2u * BPT_HUGE_MAX);
    bpt_wait_join(&rig, 0, _i);
    for (uint64_t n = 1; n <= 4; n++) {
        bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
        bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, n);
        bpt_rig_until(&rig, bpt_waits(&rig) == n);
        bpt_hogs_free(&hogs);
        bpt_rig_until(&rig, rig.server.frames == n);
    }
    for (int i = 0; i < 2; i++) fds[i] = bpt_wait_begin_frame(&rig, &wires[i], BPT_HUGE_TYPE, BPT_HUGE_MAX, 5);
    ck_assert_uint_eq(bpt_waits(&rig), 4); /* both have their buffers */
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        bpt_wire_free(&wires[i]);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- turns ---- */

START_TEST(a_connection_is_read_only_so_much_in_one_turn) {
    bpt_rig rig;
    bpt_wire wire = {0};
    bp_conn_stats stats;
    uint64_t before = 0;
    bpt_wait_start(&rig, 2, 0); /* a Unix socket holds less than that */
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    while (wire.length < 16 * LANDING) bpt_wire_add(&wire, BPT_SMALL_TYPE, BPT_SMALL_MAX, 1);
    const ssize_t sent = send(fd, wire.data, wire.length, MSG_DONTWAIT);
    ck_assert_int_gt(sent, TURN + LANDING);
    do {
        uv_run(&rig.loop, UV_RUN_NOWAIT);
        bp_conn_stats_read(rig.server.conn, &stats);
        ck_assert_uint_lt(stats.bytes_in - before, TURN + LANDING);
        before = stats.bytes_in;
    } while (before < (uint64_t)sent);
    ck_assert_uint_eq(rig.server.frames, (uint64_t)sent / (BPT_SMALL_MAX + BP_FRAME_HEADER_SIZE));
    ck_assert_uint_eq(stats.waits, 0);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_wait_others) {
    BPT_LOOP_TEST(with_a_chunk_kept_everybody_else_is_read, 2, BPT_WAYS);
    BPT_LOOP_TEST(what_was_left_in_the_sockets_comes_once_and_in_order, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_socket_that_fails_while_it_is_peeked_at_ends_its_connection_alone, 0, 2);
    BPT_TEST(what_was_granted_for_a_frame_that_is_lost_goes_back);
    BPT_LOOP_TEST(nobody_overtakes_who_is_over_the_budget, 0, 2); /* a heap pool: each length is its own class */
    BPT_LOOP_TEST(what_has_waited_gives_its_share_back, 2, BPT_WAYS);
    BPT_LOOP_TEST(frames_over_the_budget_come_in_one_after_the_other, 2, BPT_WAYS);
    BPT_TEST(a_connection_is_read_only_so_much_in_one_turn);
}
