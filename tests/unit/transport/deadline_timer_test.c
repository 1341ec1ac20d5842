#define _GNU_SOURCE
/* The timer of a loop: how often it ticks, when it may rest, and the memory without use that it gives back. */
#include "tests/support/clock_rig.h"
#include "transport/send_internal.h"
#include "transport/server_internal.h"

#include <sys/socket.h>
#include <unistd.h>

/* ---- the timer itself ---- */

/* As if a handler had taken so long: the timer was last called ms ago, and is due before anything is read. */
static void stand_still(bpi_loop *loop, uint64_t ms) {
    loop->ticked_at -= ms;
    uv_timer_start(&loop->timer, loop->timer.timer_cb, 0, loop->tick_ms);
}

/* A loop that stood still reads what came meanwhile before it judges. */
START_TEST(a_loop_that_stood_still_blames_nobody) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = bpt_clock_start_frame(&rig, _i, BPT_CLOCK_DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    bpt_clock_put(fd, &wire, 0, 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    bpt_clock_put(fd, &wire, 3, wire.length - 3);
    bpi_loop *loop = bpt_clock_loop(&rig);
    const uint32_t before = loop->clock_ms;
    stand_still(loop, 10 * BPT_CLOCK_DEADLINE);
    uv_run(&rig.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(loop->clock_ms, before + 2 * loop->tick_ms);
    bpt_rig_until(&rig, rig.server.frames == 1 || rig.server.closes == 1);
    ck_assert_uint_eq(rig.server.frames, 1);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

static void connect_half_open(bpt_rig *rig, int fds[], unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        fds[i] = bpt_rig_raw(rig);
        ck_assert_int_eq(write(fds[i], "\1\2\3", 1 + i % 3), 1 + (int)(i % 3));
        if (i % 50 == 49) bpt_rig_turn(rig, 4);
    }
}

/* Many that began and never go on, beside one that works all the time. */
START_TEST(half_open_peers_are_closed_and_others_go_on) {
    enum { PEERS = 300 };
    static int fds[PEERS];
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config server = bpt_clock_config(&rig, _i);
    server.conn.frame_ms = 60;
    bpt_rig_listen(&rig, &server, _i);
    const bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.clients[0].opens == 1 && rig.server.opens == 1);
    connect_half_open(&rig, fds, PEERS);
    while (rig.server.closes < PEERS) {
        const uint64_t frames = rig.server.frames;
        bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 1);
        bpt_rig_until(&rig, rig.server.frames == frames + 1);
        bpt_err(rig.server.why == BP_OK ? BP_ERR_TIMEOUT : rig.server.why, BP_ERR_TIMEOUT);
    }
    bpt_rig_turn(&rig, 10);
    ck_assert_uint_eq(rig.server.closes, PEERS);
    ck_assert_uint_eq(rig.clients[0].closes, 0);
    for (int i = 0; i < PEERS; i++) close(fds[i]);
    bpt_rig_fini(&rig);
}
END_TEST

/* Ends with different deadlines on one loop: the shortest decides how often it ticks, as long as its end is there. */
START_TEST(the_shortest_deadline_of_a_loop_makes_the_tick) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    ck_assert_uint_eq(bpt_clock_loop(&rig)->tick_ms, 500);
    bp_client_config hurried = bpt_rig_client_config(&rig, 1, _i);
    hurried.conn.stall_ms = 100;
    bpt_rig_connect(&rig, 1, &hurried);
    ck_assert_uint_eq(bpt_clock_loop(&rig)->tick_ms, 25);
    ck_assert_uint_eq(uv_timer_get_repeat(&bpt_clock_loop(&rig)->timer), 25); /* it was active */
    bp_client_free_take(&rig.clients[1].client);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[1].closes == 1);
    rig.server.conn = rig.clients[0].conn; /* of the same loop, and still open */
    bpt_rig_turn(&rig, 3);
    ck_assert_uint_eq(bpt_clock_loop(&rig)->tick_ms, 500);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- memory that nobody needs any more ---- */

static void tick(bpt_rig *rig) {
    bpi_loop_tick(bpt_clock_loop(rig), 1);
    bpt_rig_turn(rig, 3);
}

/* A small frame leaves, and the clock ticks: not the loop's own, which would tick once more. */
static void move_some(bpt_rig *rig, uint64_t seed) {
    bpt_send(rig->server.conn, BPT_SMALL_TYPE, BPT_SMALL_MAX, seed);
    bpi_conn_flush(rig->server.conn);
    ck_assert_uint_eq(bp_conn_queued_bytes(rig->server.conn), 0);
    bpi_loop_tick(bpt_clock_loop(rig), 1);
}

/* A queue is needed as long as something is in it, and until a whole tick has passed after that. */
START_TEST(a_queue_without_use_is_given_back) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_clock_config(&rig, _i);
    const bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.clients[0].opens == 1 && rig.server.opens == 1);
    const bp_conn *conn = rig.server.conn;
    for (int i = 0; i < 3; i++) tick(&rig); /* HELLO comes and goes */
    ck_assert_ptr_null(conn->writer.queue);
    for (uint64_t n = 1; n <= 3; n++) {
        bpt_send(rig.server.conn, BPT_LARGE_TYPE, BPT_LARGE_MAX, n);
        for (int i = 0; i < 3; i++) bpi_loop_tick(bpt_clock_loop(&rig), 1);
        ck_assert(conn->has_queued);
        ck_assert_ptr_nonnull(conn->writer.queue);
        bpt_rig_until(&rig, rig.clients[0].frames == n);
    }
    for (uint64_t n = 4; n <= 9; n++) { /* traffic that does without it; it may need it any time */
        move_some(&rig, n);
        ck_assert_ptr_nonnull(conn->writer.queue);
    }
    bpt_rig_until(&rig, rig.clients[0].frames == 9);
    ck_assert(bpt_clock_is_ticking(&rig));
    tick(&rig); /* what was in it when the last one passed has left since */
    tick(&rig);
    ck_assert_ptr_null(conn->writer.queue);
    tick(&rig);
    ck_assert(!bpt_clock_is_ticking(&rig));
    bpt_rig_fini(&rig);
}
END_TEST

/* What a blocked connection borrowed goes back to its loop, and from there to the system, but for the one block that
 * the first to be blocked is to find. */
START_TEST(what_was_lent_without_use_is_given_back) {
    static char scrap[1 << 20];
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = bpt_clock_config(&rig, _i);
    const int fd = bpt_clock_start(&rig, &config, _i);
    bpt_clock_block(&rig);
    while (bp_conn_queued_bytes(rig.server.conn) != 0 || rig.server.conn->write != NULL) {
        (void)recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
        bpt_rig_turn(&rig, 1);
    }
    for (int i = 0; i < 3; i++) {
        move_some(&rig, 0);
        ck_assert_uint_eq(bpt_clock_loop(&rig)->writes.count, 1);
    }
    bpi_spares_give(&bpt_clock_loop(&rig)->writes, bpi_os.alloc(sizeof(bpi_write))); /* another one was blocked */
    ck_assert(bpt_clock_is_ticking(&rig));
    for (int i = 0; i < 3; i++) tick(&rig);
    ck_assert_uint_eq(bpt_clock_loop(&rig)->writes.count, 1);
    ck_assert(!bpt_clock_is_ticking(&rig));
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* An end without connections may have to be looked after: a listener for which there was no descriptor. */
START_TEST(a_timer_does_not_rest_while_an_end_needs_it) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = bpt_clock_config(&rig, _i);
    bpt_rig_listen(&rig, &config, _i);
    bpi_end *end = &rig.server.server->workers[0].end;
    bpi_end_tick(end);
    bpi_deadline_rest(end->loop);
    ck_assert_int_ne(uv_is_active((uv_handle_t *)&end->loop->timer), 0);
    bpi_loop_tick(end->loop, BPT_CLOCK_STEP); /* it polls again, and needs nothing more */
    ck_assert_int_eq(uv_is_active((uv_handle_t *)&end->loop->timer), 0);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_deadline_timer) {
    BPT_LOOP_TEST(a_loop_that_stood_still_blames_nobody, 0, 2);
    BPT_LOOP_TEST(half_open_peers_are_closed_and_others_go_on, 0, 2);
    BPT_LOOP_TEST(a_timer_does_not_rest_while_an_end_needs_it, 0, 2);
    BPT_LOOP_TEST(the_shortest_deadline_of_a_loop_makes_the_tick, 0, 2);
    BPT_LOOP_TEST(a_queue_without_use_is_given_back, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_was_lent_without_use_is_given_back, 0, 2);
}
