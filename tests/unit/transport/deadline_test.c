#define _GNU_SOURCE
/* Deadlines by the loop's own clock, which these tests move on themselves, in steps that dwarf whatever the real timer
 * adds meanwhile. Where the real one closes somebody, nothing is said of how long it takes. */
#include "tests/support/clock_rig.h"
#include "transport/send_internal.h"
#include "transport/server_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the times themselves ---- */

/* Not before its time is over the connection is closed, and then for that. */
static void expect_timeout(bpt_rig *rig) {
    bpt_clock_pass(rig, BPT_CLOCK_DEADLINE - BPT_CLOCK_STEP);
    ck_assert_uint_eq(rig->server.closes, 0);
    bpt_clock_pass(rig, 2 * BPT_CLOCK_STEP);
    ck_assert_uint_eq(rig->server.closes, 1);
    bpt_err(rig->server.why, BP_ERR_TIMEOUT);
}

START_TEST(what_is_not_set_has_a_default) {
    static const struct {
        bp_conn_config set;
        bpi_deadlines expected;
    } rows[] = {
        {{.user = NULL}, {10000, 30000, UINT32_MAX, 30000, 10000, 500}},
        {{.handshake_ms = 1, .frame_ms = 2, .idle_ms = 3, .stall_ms = 4, .finish_ms = 5}, {1, 2, 3, 4, 5, 10}},
        {{.handshake_ms = 1999}, {1999, 30000, UINT32_MAX, 30000, 10000, 499}},
        {{.frame_ms = 44}, {10000, 44, UINT32_MAX, 30000, 10000, 11}},
        {{.idle_ms = 400}, {10000, 30000, 400, 30000, 10000, 100}},
        {{.stall_ms = 400}, {10000, 30000, UINT32_MAX, 400, 10000, 100}},
        {{.finish_ms = 400}, {10000, 30000, UINT32_MAX, 30000, 400, 100}},
        {{.frame_ms = UINT32_MAX}, {10000, UINT32_MAX, UINT32_MAX, 30000, 10000, 500}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bpi_deadlines got;
        bpi_deadlines_init(&got, &rows[i].set);
        ck_assert_mem_eq(&got, &rows[i].expected, sizeof got);
    }
}
END_TEST

/* ---- a frame's time ---- */

START_TEST(a_frame_that_drips_is_late_however_often_it_drips) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = bpt_clock_start_frame(&rig, _i, BPT_CLOCK_DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 100, 1);
    uint32_t passed = 0;
    for (size_t at = 0; at < wire.length && rig.server.closes == 0; at++) {
        bpt_clock_put(fd, &wire, at, 1);
        bpt_rig_until(&rig, rig.server.conn->bytes_in == at + 1);
        bpt_clock_pass(&rig, BPT_CLOCK_STEP);
        passed += BPT_CLOCK_STEP;
    }
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    ck_assert_uint_ge(passed, BPT_CLOCK_DEADLINE);
    ck_assert_uint_le(passed, BPT_CLOCK_DEADLINE + BPT_CLOCK_STEP);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* Each frame has a time of its own: one after the other, always cut, for far longer than one may take. */
START_TEST(every_frame_has_its_own_time) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = bpt_clock_start_frame(&rig, _i, BPT_CLOCK_DEADLINE);
    bpt_wire_add(&wire, BPT_MEDIUM_TYPE, 200, 1);
    const size_t half = wire.length / 2;
    bpt_clock_put(fd, &wire, 0, half);
    for (unsigned n = 1; n <= 10; n++) {
        bpt_rig_until(&rig, rig.server.conn->bytes_in == n * wire.length - half);
        bpt_clock_pass(&rig, BPT_CLOCK_DEADLINE - BPT_CLOCK_STEP);
        ck_assert_uint_eq(rig.server.closes, 0);
        bpt_clock_put(fd, &wire, half, wire.length - half);
        bpt_clock_put(fd, &wire, 0, half);
        bpt_rig_until(&rig, rig.server.frames == n);
    }
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* What began since the last tick counts from there: nobody is cut off early, and nobody is let off. */
START_TEST(a_deadline_takes_a_tick_more_and_not_a_moment_less) {
    bpt_rig rig;
    const int fd = bpt_clock_start_frame(&rig, _i, BPT_CLOCK_DEADLINE);
    ck_assert_int_eq(write(fd, "\1\2\3", 3), 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    bp_conn *conn = rig.server.conn;
    bpi_loop *loop = bpt_clock_loop(&rig);
    bpi_loop_tick(loop, BPT_CLOCK_DEADLINE + loop->tick_ms - 1 - (loop->clock_ms - conn->since));
    ck_assert_int_eq(conn->state, BPI_CONN_OPEN);
    bpi_loop_tick(loop, 1);
    ck_assert_int_eq(conn->state, BPI_CONN_CLOSING);
    bpt_rig_until(&rig, rig.server.closes == 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* The longest there is, with a tick more, is above what the clock counts to. */
START_TEST(the_longest_deadline_is_far_away) {
    bpt_rig rig;
    const int fd = bpt_clock_start_frame(&rig, _i, UINT32_MAX - 1);
    ck_assert_int_eq(write(fd, "\1\2\3", 3), 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    bpt_clock_pass(&rig, 10 * BPT_CLOCK_DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(between_frames_nothing_ticks) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = bpt_clock_start_frame(&rig, _i, BPT_CLOCK_DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    bpt_clock_put(fd, &wire, 0, 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    ck_assert(bpt_clock_is_ticking(&rig));
    bpt_clock_put(fd, &wire, 3, wire.length - 3);
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_clock_pass(&rig, 2 * BPT_CLOCK_STEP); /* the second tick gives back what HELLO was queued in */
    ck_assert(!bpt_clock_is_ticking(&rig));
    bpt_clock_pass(&rig, 20 * BPT_CLOCK_DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(who_is_not_read_from_is_not_late) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = bpt_clock_start_frame(&rig, _i, BPT_CLOCK_DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    bpt_clock_put(fd, &wire, 0, 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    bpt_clock_pass(&rig, BPT_CLOCK_DEADLINE - BPT_CLOCK_STEP);
    bp_conn_pause(rig.server.conn);
    bpt_clock_pass(&rig, 5 * BPT_CLOCK_DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    bp_conn_resume(rig.server.conn);
    expect_timeout(&rig);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_deadline_may_be_never) {
    bpt_rig rig;
    const int fd = bpt_clock_start_frame(&rig, _i, UINT32_MAX);
    ck_assert_int_eq(write(fd, "\1", 1), 1);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 1);
    bpt_clock_pass(&rig, 2 * BPT_CLOCK_STEP);
    ck_assert(!bpt_clock_is_ticking(&rig));
    bpi_loop_tick(bpt_clock_loop(&rig), INT32_MAX);
    bpt_rig_turn(&rig, 3);
    ck_assert_uint_eq(rig.server.closes, 0);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- the others ---- */

START_TEST(who_sends_nothing_is_idle) {
    bpt_rig rig;
    bpt_wire wire = {0};
    bpt_rig_init(&rig);
    bp_server_config config = bpt_clock_config(&rig, _i);
    config.conn.idle_ms = BPT_CLOCK_DEADLINE;
    const int fd = bpt_clock_start(&rig, &config, _i);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    for (unsigned n = 1; n <= 5; n++) {
        bpt_clock_pass(&rig, BPT_CLOCK_DEADLINE - BPT_CLOCK_STEP);
        bpt_clock_put(fd, &wire, 0, wire.length);
        bpt_rig_until(&rig, rig.server.frames == n);
    }
    ck_assert(bpt_clock_is_ticking(&rig));
    expect_timeout(&rig);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* Its time to be idle begins anew when it is read from again. */
START_TEST(who_was_not_read_from_is_not_idle) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = bpt_clock_config(&rig, _i);
    config.conn.idle_ms = BPT_CLOCK_DEADLINE;
    const int fd = bpt_clock_start(&rig, &config, _i);
    bp_conn_pause(rig.server.conn);
    bpt_clock_pass(&rig, 5 * BPT_CLOCK_DEADLINE);
    bp_conn_resume(rig.server.conn);
    expect_timeout(&rig);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* Nobody else would notice that its peer is gone, however long that takes, and whatever else has a deadline. */
START_TEST(who_is_not_read_from_is_looked_after) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = bpt_clock_config(&rig, _i);
    const int fd = bpt_clock_start(&rig, &config, _i);
    bp_conn_pause(rig.server.conn);
    bpt_clock_pass(&rig, 3 * BPT_CLOCK_STEP);
    ck_assert(bpt_clock_is_ticking(&rig));
    ck_assert_uint_eq(rig.server.closes, 0);
    close(fd); /* with a HELLO that it has not read: the connection is reset */
    while (rig.server.closes == 0) bpt_clock_pass(&rig, BPT_CLOCK_STEP);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_peer_that_never_reads_is_stalled) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = bpt_clock_config(&rig, _i);
    config.conn.stall_ms = BPT_CLOCK_DEADLINE;
    const int fd = bpt_clock_start(&rig, &config, _i);
    bpt_clock_block(&rig);
    ck_assert(bpt_clock_is_ticking(&rig));
    expect_timeout(&rig);
    ck_assert_uint_eq(rig.server.in_use_at_close, 0);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* What is left of a write was more when the timer looked last: libuv has written a part. Without any other deadline,
 * what waits to be written has the timer run. */
START_TEST(progress_inside_a_write_begins_the_time_anew) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = bpt_clock_config(&rig, _i);
    config.conn.stall_ms = BPT_CLOCK_DEADLINE;
    const int fd = bpt_clock_start(&rig, &config, _i);
    bpt_clock_pass(&rig, 2 * BPT_CLOCK_STEP);
    ck_assert(!bpt_clock_is_ticking(&rig));
    bpt_clock_block(&rig);
    ck_assert(bpt_clock_is_ticking(&rig));
    bpt_clock_pass(&rig, BPT_CLOCK_DEADLINE - BPT_CLOCK_STEP);
    rig.server.conn->write->left++;
    bpt_clock_pass(&rig, BPT_CLOCK_DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    bpt_clock_pass(&rig, 2 * BPT_CLOCK_STEP);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

static uint64_t unsent(const bpt_rig *rig) { return uv_stream_get_write_queue_size(&rig->server.conn->handle.stream); }

/* Reads until the kernel takes more of what is queued: in whole writes or in part. */
static void take_some(bpt_rig *rig, int fd) {
    static char scrap[1 << 20];
    const uint64_t before = unsent(rig), sent = rig->server.conn->bytes_out;
    while (unsent(rig) == before && rig->server.conn->bytes_out == sent) {
        const ssize_t got = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
        bpt_must(got > 0 || errno == EAGAIN);
        bpt_rig_turn(rig, 1);
    }
}

START_TEST(a_slow_reader_is_not_stalled) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = bpt_clock_config(&rig, _i);
    config.conn.stall_ms = BPT_CLOCK_DEADLINE;
    const int fd = bpt_clock_start(&rig, &config, _i);
    bpt_clock_block(&rig);
    const uint64_t left = bp_conn_queued_bytes(rig.server.conn);
    for (int i = 0; i < 100 && rig.server.conn->write != NULL; i++) {
        bpt_clock_pass(&rig, BPT_CLOCK_DEADLINE - BPT_CLOCK_STEP);
        ck_assert_uint_eq(rig.server.closes, 0);
        take_some(&rig, fd);
    }
    ck_assert_uint_lt(bp_conn_queued_bytes(rig.server.conn), left);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* Finishing and lingering share one deadline: i & 2 leaves a queue that nobody takes. */
START_TEST(finishing_has_an_end) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = bpt_clock_config(&rig, _i & 1);
    config.conn.finish_ms = BPT_CLOCK_DEADLINE;
    const int fd = bpt_clock_start(&rig, &config, _i & 1);
    if (_i & 2) bpt_clock_block(&rig);
    bp_conn_finish(rig.server.conn);
    bpt_rig_turn(&rig, 3);
    ck_assert_int_eq(rig.server.conn->state, _i & 2 ? BPI_CONN_FINISHING : BPI_CONN_LINGERING);
    expect_timeout(&rig);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* A listener whose backlog is full: the system drops what comes, and connecting takes for ever. */
static int full_listener(char address[64], int waiting[2]) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(fd, 0), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    snprintf(address, 64, "tcp://127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    for (int i = 0; i < 2; i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        const int status = connect(waiting[i], (struct sockaddr *)&at, sizeof at);
        ck_assert(status == 0 || errno == EINPROGRESS);
    }
    return fd;
}

START_TEST(connecting_has_an_end) {
    bpt_rig rig;
    char address[64];
    int waiting[2];
    bpt_rig_init(&rig);
    const int fd = full_listener(address, waiting);
    bp_client_config config = bpt_rig_client_config(&rig, 0, 0);
    config.conn.handshake_ms = 40;
    bpt_ok(bp_client_new(&config, address, &rig.clients[0].client));
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    bpt_err(rig.clients[0].why, BP_ERR_TIMEOUT);
    ck_assert_uint_eq(rig.clients[0].opens, 0);
    close(waiting[0]);
    close(waiting[1]);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* A peer that must say HELLO, and says nothing, or the beginning of it again and again. */
START_TEST(saying_hello_has_an_end) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = bpt_clock_config(&rig, _i & 1);
    config.conn.hello = BP_HELLO_REQUIRED;
    config.conn.handshake_ms = BPT_CLOCK_DEADLINE;
    bpt_rig_listen(&rig, &config, _i & 1);
    const int fd = bpt_rig_raw(&rig);
    bp_server_stats stats = {0};
    while (stats.connections_accepted == 0) {
        uv_run(&rig.loop, UV_RUN_ONCE);
        bp_server_stats_read(rig.server.server, &stats);
    }
    static const uint8_t hello[] = {0, 0, 20, 0, 0, 0, 1, 0, 1, 0};
    bpi_loop *loop = rig.server.server->workers[0].end.loop;
    for (uint32_t passed = 0, at = 0; passed < BPT_CLOCK_DEADLINE; passed += BPT_CLOCK_STEP, at++) {
        if ((_i & 2) != 0) ck_assert_int_eq(write(fd, hello + at % sizeof hello, 1), 1);
        bpt_rig_turn(&rig, 3);
        bpi_loop_tick(loop, BPT_CLOCK_STEP);
        bp_server_stats_read(rig.server.server, &stats);
        ck_assert_uint_eq(stats.connections_open, 1);
    }
    bpi_loop_tick(loop, BPT_CLOCK_STEP);
    bpt_rig_turn(&rig, 3);
    bp_server_stats_read(rig.server.server, &stats);
    ck_assert_uint_eq(stats.connections_open, 0);
    ck_assert_uint_eq(stats.connections_failed, 1);
    ck_assert_uint_eq(rig.server.opens, 0);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_LONG_SUITE(transport_deadline) {
    BPT_TEST(what_is_not_set_has_a_default);
    BPT_LOOP_TEST(a_frame_that_drips_is_late_however_often_it_drips, 0, BPT_WAYS);
    BPT_LOOP_TEST(every_frame_has_its_own_time, 0, 2);
    BPT_LOOP_TEST(a_deadline_takes_a_tick_more_and_not_a_moment_less, 0, 2);
    BPT_LOOP_TEST(the_longest_deadline_is_far_away, 0, 2);
    BPT_LOOP_TEST(between_frames_nothing_ticks, 0, 2);
    BPT_LOOP_TEST(who_is_not_read_from_is_not_late, 0, 2);
    BPT_LOOP_TEST(a_deadline_may_be_never, 0, 2);
    BPT_LOOP_TEST(who_sends_nothing_is_idle, 0, 2);
    BPT_LOOP_TEST(who_was_not_read_from_is_not_idle, 0, 2);
    BPT_LOOP_TEST(who_is_not_read_from_is_looked_after, 0, 2);
    BPT_LOOP_TEST(a_peer_that_never_reads_is_stalled, 0, BPT_WAYS);
    BPT_LOOP_TEST(progress_inside_a_write_begins_the_time_anew, 0, 2);
    BPT_LOOP_TEST(a_slow_reader_is_not_stalled, 0, 2);
    BPT_LOOP_TEST(finishing_has_an_end, 0, 4);
    BPT_TEST(connecting_has_an_end);
    BPT_LOOP_TEST(saying_hello_has_an_end, 0, BPT_WAYS);
}
