#define _GNU_SOURCE
/* Deadlines by the loop's own clock, which these tests move on themselves, in steps that dwarf whatever the real timer
 * adds meanwhile. Where the real one closes somebody, nothing is said of how long it takes. */
#include "tests/support/frame_rig.h"
#include "transport/send_internal.h"
#include "transport/server_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEADLINE = 1000000, STEP = 100000 };

static void turn(bpt_rig *rig, int count) {
    for (int i = 0; i < count; i++) uv_run(&rig->loop, UV_RUN_NOWAIT);
}

static bpi_loop *loop_of(bpt_rig *rig) { return rig->server.conn->end->loop; }

static bool is_ticking(bpt_rig *rig) { return uv_is_active((uv_handle_t *)&loop_of(rig)->timer); }

static void pass(bpt_rig *rig, uint32_t ms) {
    for (uint32_t passed = 0; passed < ms && rig->server.closes == 0; passed += STEP) {
        bpi_loop_tick(loop_of(rig), STEP);
        turn(rig, 3);
    }
}

/* Nothing has a deadline but what the test gives one. */
static bp_server_config patient(bpt_rig *rig, int way) {
    bp_server_config config = bpt_rig_server_config(rig, way);
    config.conn.handshake_ms = config.conn.frame_ms = config.conn.stall_ms = UINT32_MAX;
    config.conn.finish_ms = config.conn.idle_ms = UINT32_MAX;
    return config;
}

/* Listens, and connects a raw socket. */
static int start(bpt_rig *rig, const bp_server_config *config, int way) {
    bpt_rig_listen(rig, config, way);
    const int fd = bpt_rig_raw(rig);
    bpt_rig_until(rig, rig->server.opens == 1);
    return fd;
}

static void put(int fd, const bpt_wire *wire, size_t from, size_t count) {
    ck_assert_int_eq(write(fd, wire->data + from, count), (ssize_t)count);
}

/* ---- the times themselves ---- */

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

static int start_frame(bpt_rig *rig, int way, uint32_t frame_ms) {
    bpt_rig_init(rig);
    bp_server_config config = patient(rig, way);
    config.conn.frame_ms = frame_ms;
    return start(rig, &config, way);
}

START_TEST(a_frame_that_drips_is_late_however_often_it_drips) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = start_frame(&rig, _i, DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 100, 1);
    uint32_t passed = 0;
    for (size_t at = 0; at < wire.length && rig.server.closes == 0; at++) {
        put(fd, &wire, at, 1);
        bpt_rig_until(&rig, rig.server.conn->bytes_in == at + 1);
        pass(&rig, STEP);
        passed += STEP;
    }
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    ck_assert_uint_ge(passed, DEADLINE);
    ck_assert_uint_le(passed, DEADLINE + STEP);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* Each frame has a time of its own: one after the other, always cut, for far longer than one may take. */
START_TEST(every_frame_has_its_own_time) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = start_frame(&rig, _i, DEADLINE);
    bpt_wire_add(&wire, BPT_MEDIUM_TYPE, 200, 1);
    const size_t half = wire.length / 2;
    put(fd, &wire, 0, half);
    for (unsigned n = 1; n <= 10; n++) {
        bpt_rig_until(&rig, rig.server.conn->bytes_in == n * wire.length - half);
        pass(&rig, DEADLINE - STEP);
        ck_assert_uint_eq(rig.server.closes, 0);
        put(fd, &wire, half, wire.length - half);
        put(fd, &wire, 0, half);
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
    const int fd = start_frame(&rig, _i, DEADLINE);
    ck_assert_int_eq(write(fd, "\1\2\3", 3), 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    bp_conn *conn = rig.server.conn;
    bpi_loop *loop = loop_of(&rig);
    bpi_loop_tick(loop, DEADLINE + loop->tick_ms - 1 - (loop->clock_ms - conn->since));
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
    const int fd = start_frame(&rig, _i, UINT32_MAX - 1);
    ck_assert_int_eq(write(fd, "\1\2\3", 3), 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    pass(&rig, 10 * DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(between_frames_nothing_ticks) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = start_frame(&rig, _i, DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    put(fd, &wire, 0, 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    ck_assert(is_ticking(&rig));
    put(fd, &wire, 3, wire.length - 3);
    bpt_rig_until(&rig, rig.server.frames == 1);
    pass(&rig, 2 * STEP); /* the second tick gives back what HELLO was queued in */
    ck_assert(!is_ticking(&rig));
    pass(&rig, 20 * DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(who_is_not_read_from_is_not_late) {
    bpt_rig rig;
    bpt_wire wire = {0};
    const int fd = start_frame(&rig, _i, DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    put(fd, &wire, 0, 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    pass(&rig, DEADLINE - STEP);
    bp_conn_pause(rig.server.conn);
    pass(&rig, 5 * DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    bp_conn_resume(rig.server.conn);
    pass(&rig, DEADLINE - STEP);
    ck_assert_uint_eq(rig.server.closes, 0);
    pass(&rig, 2 * STEP);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_deadline_may_be_never) {
    bpt_rig rig;
    const int fd = start_frame(&rig, _i, UINT32_MAX);
    ck_assert_int_eq(write(fd, "\1", 1), 1);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 1);
    pass(&rig, 2 * STEP);
    ck_assert(!is_ticking(&rig));
    bpi_loop_tick(loop_of(&rig), INT32_MAX);
    turn(&rig, 3);
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
    bp_server_config config = patient(&rig, _i);
    config.conn.idle_ms = DEADLINE;
    const int fd = start(&rig, &config, _i);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    for (unsigned n = 1; n <= 5; n++) {
        pass(&rig, DEADLINE - STEP);
        put(fd, &wire, 0, wire.length);
        bpt_rig_until(&rig, rig.server.frames == n);
    }
    ck_assert(is_ticking(&rig));
    pass(&rig, DEADLINE - STEP);
    ck_assert_uint_eq(rig.server.closes, 0);
    pass(&rig, 2 * STEP);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* Its time to be idle begins anew when it is read from again. */
START_TEST(who_was_not_read_from_is_not_idle) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = patient(&rig, _i);
    config.conn.idle_ms = DEADLINE;
    const int fd = start(&rig, &config, _i);
    bp_conn_pause(rig.server.conn);
    pass(&rig, 5 * DEADLINE);
    bp_conn_resume(rig.server.conn);
    pass(&rig, DEADLINE - STEP);
    ck_assert_uint_eq(rig.server.closes, 0);
    pass(&rig, 2 * STEP);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* Nobody else would notice that its peer is gone, however long that takes, and whatever else has a deadline. */
START_TEST(who_is_not_read_from_is_looked_after) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = patient(&rig, _i);
    const int fd = start(&rig, &config, _i);
    bp_conn_pause(rig.server.conn);
    pass(&rig, 3 * STEP);
    ck_assert(is_ticking(&rig));
    ck_assert_uint_eq(rig.server.closes, 0);
    close(fd); /* with a HELLO that it has not read: the connection is reset */
    while (rig.server.closes == 0) pass(&rig, STEP);
    bpt_rig_fini(&rig);
}
END_TEST

/* More than any socket takes. */
static void block(bpt_rig *rig) {
    for (uint64_t n = 0; n < 12; n++) bpt_send(rig->server.conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, n);
    bpt_rig_until(rig, rig->server.conn->write != NULL);
    turn(rig, 20);
    ck_assert_ptr_nonnull(rig->server.conn->write);
}

START_TEST(a_peer_that_never_reads_is_stalled) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = patient(&rig, _i);
    config.conn.stall_ms = DEADLINE;
    const int fd = start(&rig, &config, _i);
    block(&rig);
    ck_assert(is_ticking(&rig));
    pass(&rig, DEADLINE - STEP);
    ck_assert_uint_eq(rig.server.closes, 0);
    pass(&rig, 2 * STEP);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    ck_assert_uint_eq(rig.server.in_use_at_close, 0);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* What is left of a write was more when the timer looked last: libuv has written a part. Without any other deadline, what
 * waits to be written has the timer run. */
START_TEST(progress_inside_a_write_begins_the_time_anew) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = patient(&rig, _i);
    config.conn.stall_ms = DEADLINE;
    const int fd = start(&rig, &config, _i);
    pass(&rig, 2 * STEP);
    ck_assert(!is_ticking(&rig));
    block(&rig);
    ck_assert(is_ticking(&rig));
    pass(&rig, DEADLINE - STEP);
    rig.server.conn->write->left++;
    pass(&rig, DEADLINE);
    ck_assert_uint_eq(rig.server.closes, 0);
    pass(&rig, 2 * STEP);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

static uint64_t unsent(const bpt_rig *rig) {
    return uv_stream_get_write_queue_size(&rig->server.conn->handle.stream);
}

/* Reads until the kernel takes more of what is queued: in whole writes or in part. */
static void take_some(bpt_rig *rig, int fd) {
    static char scrap[1 << 20];
    const uint64_t before = unsent(rig), sent = rig->server.conn->bytes_out;
    while (unsent(rig) == before && rig->server.conn->bytes_out == sent) {
        const ssize_t got = recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
        bpt_must(got > 0 || errno == EAGAIN);
        turn(rig, 1);
    }
}

START_TEST(a_slow_reader_is_not_stalled) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config config = patient(&rig, _i);
    config.conn.stall_ms = DEADLINE;
    const int fd = start(&rig, &config, _i);
    block(&rig);
    const uint64_t left = bp_conn_queued_bytes(rig.server.conn);
    for (int i = 0; i < 100 && rig.server.conn->write != NULL; i++) {
        pass(&rig, DEADLINE - STEP);
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
    bp_server_config config = patient(&rig, _i & 1);
    config.conn.finish_ms = DEADLINE;
    const int fd = start(&rig, &config, _i & 1);
    if (_i & 2) block(&rig);
    bp_conn_finish(rig.server.conn);
    turn(&rig, 3);
    ck_assert_int_eq(rig.server.conn->state, _i & 2 ? BPI_CONN_FINISHING : BPI_CONN_LINGERING);
    pass(&rig, DEADLINE - STEP);
    ck_assert_uint_eq(rig.server.closes, 0);
    pass(&rig, 2 * STEP);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_TIMEOUT);
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
    bp_server_config config = patient(&rig, _i & 1);
    config.conn.hello = BP_HELLO_REQUIRED;
    config.conn.handshake_ms = DEADLINE;
    bpt_rig_listen(&rig, &config, _i & 1);
    const int fd = bpt_rig_raw(&rig);
    bp_server_stats stats = {0};
    while (stats.connections_accepted == 0) {
        uv_run(&rig.loop, UV_RUN_ONCE);
        bp_server_stats_read(rig.server.server, &stats);
    }
    static const uint8_t hello[] = {0, 0, 20, 0, 0, 0, 1, 0, 1, 0};
    bpi_loop *loop = rig.server.server->workers[0].end.loop;
    for (uint32_t passed = 0, at = 0; passed < DEADLINE; passed += STEP, at++) {
        if ((_i & 2) != 0) ck_assert_int_eq(write(fd, hello + at % sizeof hello, 1), 1);
        turn(&rig, 3);
        bpi_loop_tick(loop, STEP);
        bp_server_stats_read(rig.server.server, &stats);
        ck_assert_uint_eq(stats.connections_open, 1);
    }
    bpi_loop_tick(loop, STEP);
    turn(&rig, 3);
    bp_server_stats_read(rig.server.server, &stats);
    ck_assert_uint_eq(stats.connections_open, 0);
    ck_assert_uint_eq(stats.connections_failed, 1);
    ck_assert_uint_eq(rig.server.opens, 0);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

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
    const int fd = start_frame(&rig, _i, DEADLINE);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    put(fd, &wire, 0, 3);
    bpt_rig_until(&rig, rig.server.conn->bytes_in == 3);
    put(fd, &wire, 3, wire.length - 3);
    bpi_loop *loop = loop_of(&rig);
    const uint32_t before = loop->clock_ms;
    stand_still(loop, 10 * DEADLINE);
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
        if (i % 50 == 49) turn(rig, 4);
    }
}

/* Many that began and never go on, beside one that works all the time. */
START_TEST(half_open_peers_are_closed_and_others_go_on) {
    enum { PEERS = 300 };
    static int fds[PEERS];
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config server = patient(&rig, _i);
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
    turn(&rig, 10);
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
    ck_assert_uint_eq(loop_of(&rig)->tick_ms, 500);
    bp_client_config hurried = bpt_rig_client_config(&rig, 1, _i);
    hurried.conn.stall_ms = 100;
    bpt_rig_connect(&rig, 1, &hurried);
    ck_assert_uint_eq(loop_of(&rig)->tick_ms, 25);
    ck_assert_uint_eq(uv_timer_get_repeat(&loop_of(&rig)->timer), 25); /* it was active */
    bp_client_free_take(&rig.clients[1].client);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[1].closes == 1);
    rig.server.conn = rig.clients[0].conn; /* of the same loop, and still open */
    turn(&rig, 3);
    ck_assert_uint_eq(loop_of(&rig)->tick_ms, 500);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- memory that nobody needs any more ---- */

static void tick(bpt_rig *rig) {
    bpi_loop_tick(loop_of(rig), 1);
    turn(rig, 3);
}

/* A queue is needed as long as something is in it, and until a whole tick has passed after that. */
START_TEST(a_queue_without_use_is_given_back) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config server = patient(&rig, _i);
    const bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.clients[0].opens == 1 && rig.server.opens == 1);
    const bp_conn *conn = rig.server.conn;
    tick(&rig);
    tick(&rig);
    ck_assert_ptr_null(conn->writer.queue);
    for (uint64_t n = 1; n <= 3; n++) {
        bpt_send(rig.server.conn, BPT_LARGE_TYPE, BPT_LARGE_MAX, n);
        for (int i = 0; i < 3; i++) bpi_loop_tick(loop_of(&rig), 1);
        ck_assert(conn->has_queued);
        ck_assert_ptr_nonnull(conn->writer.queue);
        bpt_rig_until(&rig, rig.clients[0].frames == n);
    }
    ck_assert(is_ticking(&rig));
    tick(&rig); /* what was in it when the last one passed has left since */
    tick(&rig);
    ck_assert_ptr_null(conn->writer.queue);
    tick(&rig);
    ck_assert(!is_ticking(&rig));
    bpt_rig_fini(&rig);
}
END_TEST

/* What a blocked connection borrowed goes back to its loop, and from there to the system. */
START_TEST(what_was_lent_without_use_is_given_back) {
    static char scrap[1 << 20];
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = patient(&rig, _i);
    const int fd = start(&rig, &config, _i);
    block(&rig);
    while (bp_conn_queued_bytes(rig.server.conn) != 0 || rig.server.conn->write != NULL) {
        (void)recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
        turn(&rig, 1);
    }
    ck_assert_uint_eq(loop_of(&rig)->writes.count, 1);
    ck_assert(is_ticking(&rig));
    for (int i = 0; i < 3; i++) tick(&rig);
    ck_assert_uint_eq(loop_of(&rig)->writes.count, 0);
    ck_assert(!is_ticking(&rig));
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* An end without connections may have to be looked after: a listener for which there was no descriptor. */
START_TEST(a_timer_does_not_rest_while_an_end_needs_it) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config config = patient(&rig, _i);
    bpt_rig_listen(&rig, &config, _i);
    bpi_end *end = &rig.server.server->workers[0].end;
    bpi_end_tick(end);
    bpi_deadline_rest(end->loop);
    ck_assert_int_ne(uv_is_active((uv_handle_t *)&end->loop->timer), 0);
    bpi_loop_tick(end->loop, STEP); /* it polls again, and needs nothing more */
    ck_assert_int_eq(uv_is_active((uv_handle_t *)&end->loop->timer), 0);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_deadline) {
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
    BPT_LOOP_TEST(a_loop_that_stood_still_blames_nobody, 0, 2);
    BPT_LOOP_TEST(half_open_peers_are_closed_and_others_go_on, 0, 2);
    BPT_LOOP_TEST(a_timer_does_not_rest_while_an_end_needs_it, 0, 2);
    BPT_LOOP_TEST(the_shortest_deadline_of_a_loop_makes_the_tick, 0, 2);
    BPT_LOOP_TEST(a_queue_without_use_is_given_back, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_was_lent_without_use_is_given_back, 0, 2);
}
