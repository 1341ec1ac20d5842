#define _GNU_SOURCE
/* What the hooks of services are told, in which order, and how often. */
#include "frame/frame_internal.h"
#include "tests/support/clock_rig.h"
#include "tests/support/hook_rig.h"
#include "transport/server_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void wait_for_ends(bpt_hook_rig *h) {
    bpt_rig_until(&h->rig, h->rig.server.closes == 1 && h->rig.clients[0].closes == 1);
}

static void forget(bpt_hook_rig *h) { memset(h->server.log, 0, sizeof h->server.log); }

/* ---- open and close ---- */

START_TEST(services_are_told_in_order_and_before_the_program) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    bpt_hook_rig_start(&h, _i);
    ck_assert_str_eq(h.server.log, "AoBoPo");
    ck_assert_str_eq(h.client.log, "AoBoPo");
    bp_conn_close(h.rig.clients[0].conn, BP_OK);
    ck_assert_str_eq(h.client.log, "AoBoPo"); /* not within the call */
    wait_for_ends(&h);
    ck_assert_str_eq(h.server.log, "AoBoPoAcBcPc");
    ck_assert_str_eq(h.client.log, "AoBoPoAcBcPc");
    bpt_err(h.server.a.why, BP_ERR_END);
    bpt_err(h.client.b.why, BP_ERR_CLOSED);
    bpt_hook_rig_fini(&h);
}
END_TEST

/* A client that never got through tells its program so, and no service. */
START_TEST(what_never_opened_is_not_closed) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    bp_client_config client = bpt_rig_client_config(&h.rig, 0, 1);
    bpt_hooked_join(&h.client, &h.rig.clients[0], &client.conn);
    snprintf(h.rig.address, sizeof h.rig.address, "%s", bpt_rig_path(&h.rig, "unix://", "nobody"));
    bp_err err = bp_client_new(&client, h.rig.address, &h.rig.clients[0].client);
    if (err == BP_OK) bpt_rig_until(&h.rig, h.rig.clients[0].closes == 1);
    ck_assert_str_eq(h.client.log, err == BP_OK ? "Pc" : "");
    bpt_hook_rig_fini(&h);
}
END_TEST

/* Where HELLO is required, nobody is told of a connection before it came: _i is what the peer does instead of it. */
START_TEST(services_wait_for_a_hello_that_is_required) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    h.rig.server.hello = BP_HELLO_REQUIRED;
    bp_server_config server = bpt_rig_server_config(&h.rig, 1);
    bpt_hooked_join(&h.server, &h.rig.server, &server.conn);
    bpt_rig_listen(&h.rig, &server, 1);
    const int fd = bpt_rig_raw(&h.rig);
    bp_server_stats stats = {0};
    while (stats.connections_open == 0) {
        uv_run(&h.rig.loop, UV_RUN_NOWAIT);
        bp_server_stats_read(h.rig.server.server, &stats);
    }
    bpt_rig_turn(&h.rig, 10);
    ck_assert_str_eq(h.server.log, "");
    if (_i == 0) bpt_raw_say_hello(fd);
    if (_i == 1) bpt_raw_write(fd, (const uint8_t *)"\xE9\x03\x08\0\0\0........", 14);
    close(fd);
    while (stats.connections_open != 0) {
        uv_run(&h.rig.loop, UV_RUN_NOWAIT);
        bp_server_stats_read(h.rig.server.server, &stats);
    }
    ck_assert_str_eq(h.server.log, _i == 0 ? "AoBoPoAcBcPc" : "");
    bpt_hook_rig_fini(&h);
}
END_TEST

static void close_now(bpt_hooked_service *service, bp_conn *conn) {
    (void)service;
    bp_conn_close(conn, BP_ERR_PERMISSION);
}

static void close_now_and_watch(bpt_hooked_service *service, bp_conn *conn) {
    close_now(service, conn);
    bp_conn_watch(conn);
}

START_TEST(a_hook_that_closes_keeps_nobody_from_being_told) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    h.server.a.on_open = close_now;
    bp_server_config server = bpt_rig_server_config(&h.rig, _i);
    const bp_client_config client = bpt_rig_client_config(&h.rig, 0, _i);
    bpt_hooked_join(&h.server, &h.rig.server, &server.conn);
    bpt_rig_listen(&h.rig, &server, _i);
    bpt_rig_connect(&h.rig, 0, &client);
    wait_for_ends(&h);
    ck_assert_str_eq(h.server.log, "AoBoPoAcBcPc");
    bpt_err(h.server.b.why, BP_ERR_PERMISSION);
    bpt_hook_rig_fini(&h);
}
END_TEST

/* What a service remembers of a connection is still there when that closes. */
static void count_in_session(bpt_hooked_service *service, bp_conn *conn) {
    const bp_service of = {.schema = &service->schema};
    uint64_t *session = bp_conn_session(conn, &of);
    bpt_must(*session == 0);
    *session = 17;
}

static uint64_t sum_at_close;

static void sum_sessions(bp_conn *conn, bp_err why, void *user) {
    bpt_hooked_service *service = user;
    const bp_service of = {.schema = &service->schema};
    (void)why;
    service->closes++;
    sum_at_close += *(const uint64_t *)bp_conn_session(conn, &of);
}

START_TEST(sessions_are_there_until_services_are_told) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    bp_server_config server = bpt_rig_server_config(&h.rig, 1);
    bpt_hooked_join(&h.server, &h.rig.server, &server.conn);
    h.server.a.on_open = h.server.b.on_open = count_in_session;
    h.server.a.hooks.on_close = h.server.b.hooks.on_close = sum_sessions;
    bpt_rig_listen(&h.rig, &server, 1);
    sum_at_close = 0;
    for (unsigned i = 1; i <= 5; i++) {
        const int fd = bpt_rig_raw(&h.rig);
        bpt_rig_until(&h.rig, h.rig.server.opens == i);
        close(fd);
        bpt_rig_until(&h.rig, h.rig.server.closes == i);
        ck_assert_uint_eq(sum_at_close, 2u * 17u * i);
    }
    bpt_hook_rig_fini(&h);
}
END_TEST

/* ---- drain ---- */

/* Sends until the queue takes no more. */
static void fill_queue(bp_conn *conn) {
    bp_err err = BP_OK;
    while (err == BP_OK) {
        bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
        err = bp_conn_send_take(conn, &buf);
        bp_buf_release(buf);
    }
    bpt_must(err == BP_ERR_QUEUE_FULL);
}

static void fill_again(bpt_hooked_service *service, bp_conn *conn) {
    if (service->drains < 2) fill_queue(conn);
}

static void drain(bpt_hook_rig *h) { bpt_rig_until(&h->rig, bp_conn_queued_bytes(h->rig.server.conn) == 0); }

/* Who sent does not matter: whoever may have been refused is told, and once for each time that the queue was full. */
START_TEST(services_are_told_of_room_before_the_program) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    bpt_hook_rig_start(&h, _i);
    forget(&h);
    fill_queue(h.rig.server.conn);
    ck_assert_str_eq(h.server.log, "");
    drain(&h);
    ck_assert_str_eq(h.server.log, "AdBdPd");
    h.server.a.on_drain = fill_again;
    h.server.a.drains = 0;
    forget(&h);
    fill_queue(h.rig.server.conn);
    bpt_rig_until(&h.rig, h.server.a.drains == 2);
    drain(&h);
    ck_assert_str_eq(h.server.log, "AdBdPdAdBdPd");
    ck_assert_str_eq(h.client.log, "AoBoPo");
    bpt_hook_rig_fini(&h);
}
END_TEST

START_TEST(a_closed_connection_has_no_room_to_tell_of) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    bpt_hook_rig_start(&h, _i);
    forget(&h);
    h.server.a.on_drain = close_now;
    fill_queue(h.rig.server.conn);
    wait_for_ends(&h);
    ck_assert_str_eq(h.server.log, "AdAcBcPc");
    bpt_hook_rig_fini(&h);
}
END_TEST

/* ---- ticks ---- */

/* A raw peer, and nothing that has a deadline: the timer rests. */
static int start_at_rest(bpt_hook_rig *h, int way) {
    bpt_hook_rig_init(h);
    bp_server_config server = bpt_clock_config(&h->rig, way);
    bpt_hooked_join(&h->server, &h->rig.server, &server.conn);
    const int fd = bpt_clock_start(&h->rig, &server, way);
    for (int i = 0; i < 10 && bpt_clock_is_ticking(&h->rig); i++) {
        bpi_loop_tick(bpt_clock_loop(&h->rig), 1);
        bpt_rig_turn(&h->rig, 3);
    }
    ck_assert(!bpt_clock_is_ticking(&h->rig));
    forget(h);
    return fd;
}

static void end_at_rest(bpt_hook_rig *h, int fd) {
    close(fd);
    bpt_hook_rig_fini(h);
}

static void tick(bpt_hook_rig *h, unsigned count) {
    for (unsigned i = 0; i < count; i++) bpi_loop_tick(bpt_clock_loop(&h->rig), 7);
}

/* All of them are told as long as one wants to be, and nobody of a connection that nobody watches. */
START_TEST(ticks_come_while_a_service_wants_them) {
    bpt_hook_rig h;
    const int fd = start_at_rest(&h, _i);
    h.server.a.ticks_wanted = 2;
    h.server.b.ticks_wanted = 3;
    tick(&h, 2);
    ck_assert_str_eq(h.server.log, "");
    bp_conn_watch(h.rig.server.conn);
    bp_conn_watch(h.rig.server.conn);
    ck_assert(bpt_clock_is_ticking(&h.rig));
    ck_assert_str_eq(h.server.log, "");
    tick(&h, 2);
    ck_assert(bpt_clock_is_ticking(&h.rig));
    tick(&h, 5);
    ck_assert_str_eq(h.server.log, "AtBtAtBtAtBt");
    ck_assert_uint_eq(h.server.a.elapsed_ms, 3 * 7);
    ck_assert(!bpt_clock_is_ticking(&h.rig));
    bp_conn_watch(h.rig.server.conn); /* nobody wants more, but one is due */
    tick(&h, 2);
    ck_assert_str_eq(h.server.log, "AtBtAtBtAtBtAtBt");
    end_at_rest(&h, fd);
}
END_TEST

static void watch_again(bpt_hooked_service *service, bp_conn *conn) {
    if (service->ticks < 3) bp_conn_watch(conn);
}

START_TEST(a_tick_may_begin_to_watch_anew) {
    bpt_hook_rig h;
    const int fd = start_at_rest(&h, _i);
    h.server.b.on_tick = watch_again;
    bp_conn_watch(h.rig.server.conn);
    tick(&h, 5);
    ck_assert_uint_eq(h.server.b.ticks, 3);
    ck_assert_uint_eq(h.server.a.ticks, 3);
    end_at_rest(&h, fd);
}
END_TEST

static void finish_now(bpt_hooked_service *service, bp_conn *conn) {
    (void)service;
    bp_conn_finish(conn);
}

/* _i: closed by the program, finished by it, closed by a hook in its tick, finished so. */
START_TEST(what_is_not_open_has_no_ticks) {
    bpt_hook_rig h;
    const int fd = start_at_rest(&h, 1);
    h.server.a.ticks_wanted = h.server.b.ticks_wanted = 100;
    if (_i >= 2) h.server.a.on_tick = _i == 2 ? close_now_and_watch : finish_now;
    bp_conn_watch(h.rig.server.conn);
    if (_i == 0) bp_conn_close(h.rig.server.conn, BP_OK);
    if (_i == 1) bp_conn_finish(h.rig.server.conn);
    if (_i < 2) bp_conn_watch(h.rig.server.conn);
    tick(&h, 3);
    ck_assert_str_eq(h.server.log, _i < 2 ? "" : "At");
    shutdown(fd, SHUT_RDWR);
    bpt_rig_until(&h.rig, h.rig.server.closes == 1);
    ck_assert_str_eq(h.server.log, _i < 2 ? "AcBcPc" : "AtAcBcPc");
    end_at_rest(&h, fd);
}
END_TEST

static bp_conn *ticked;

static void note_conn(bpt_hooked_service *service, bp_conn *conn) {
    (void)service;
    bpt_must(ticked == NULL || ticked == conn);
    ticked = conn;
}

START_TEST(one_connection_is_watched_and_not_the_others) {
    bpt_hook_rig h;
    const int fd = start_at_rest(&h, _i), other = bpt_rig_raw(&h.rig);
    bp_conn *first = h.rig.server.conn;
    bpt_rig_until(&h.rig, h.rig.server.opens == 2);
    ticked = NULL;
    h.server.a.on_tick = h.server.b.on_tick = note_conn;
    h.server.b.ticks_wanted = 3;
    bp_conn_watch(first);
    tick(&h, 5);
    ck_assert_ptr_eq(ticked, first);
    ck_assert_uint_eq(h.server.a.ticks, 3);
    close(other);
    end_at_rest(&h, fd);
}
END_TEST

/* One that is watched before anybody is told of it has its ticks from when it is. */
START_TEST(ticks_begin_when_the_connection_opens) {
    bpt_hook_rig h;
    bpt_hook_rig_init(&h);
    h.rig.server.hello = BP_HELLO_REQUIRED;
    bp_server_config server = bpt_clock_config(&h.rig, 0);
    bpt_hooked_join(&h.server, &h.rig.server, &server.conn);
    h.server.a.ticks_wanted = 2;
    bpt_rig_listen(&h.rig, &server, 0);
    const int fd = bpt_rig_raw(&h.rig);
    bpi_end *end = &h.rig.server.server->workers[0].end;
    bpt_rig_until(&h.rig, end->conns != NULL);
    bp_conn_watch(end->conns);
    bpi_loop_tick(end->loop, 7);
    ck_assert_str_eq(h.server.log, "");
    bpt_raw_say_hello(fd);
    bpt_rig_until(&h.rig, h.rig.server.opens == 1);
    ck_assert(bpt_clock_is_ticking(&h.rig));
    tick(&h, 5);
    ck_assert_str_eq(h.server.log, "AoBoPoAtBtAtBt");
    end_at_rest(&h, fd);
}
END_TEST

/* The loop's own timer, which nothing else needs; time that it tells is never more than two ticks at once. */
START_TEST(the_timer_of_the_loop_ticks) {
    bpt_hook_rig h;
    const int fd = start_at_rest(&h, _i);
    bpi_loop *loop = bpt_clock_loop(&h.rig);
    loop->tick_ms = 10;
    h.server.b.ticks_wanted = 3;
    bp_conn_watch(h.rig.server.conn);
    bpt_rig_until(&h.rig, h.server.b.ticks == 3);
    ck_assert_uint_gt(h.server.a.elapsed_ms, 0);
    ck_assert_uint_le(h.server.a.elapsed_ms, 3 * 2 * 10);
    ck_assert(!bpt_clock_is_ticking(&h.rig));
    end_at_rest(&h, fd);
}
END_TEST

static void send_one(bpt_hooked_service *service, bp_conn *conn) {
    (void)service;
    bpt_send(conn, BPT_SMALL_TYPE, 20, 5);
    bpt_must(bpi_writer_count(&conn->writer) == 0);
}

/* A tick ends a round of sends: the stage is free for the next connection's. */
START_TEST(each_tick_may_have_the_stage) {
    bpt_hook_rig h;
    const int fd = start_at_rest(&h, _i), other = bpt_rig_raw(&h.rig);
    bp_conn *first = h.rig.server.conn;
    bpt_rig_until(&h.rig, h.rig.server.opens == 2);
    bpt_rig_turn(&h.rig, 5);
    h.server.a.on_tick = send_one;
    bp_conn_watch(first);
    bp_conn_watch(h.rig.server.conn);
    tick(&h, 1);
    ck_assert_uint_eq(h.server.a.ticks, 2);
    close(other);
    end_at_rest(&h, fd);
}
END_TEST

BPT_SUITE(transport_service) {
    BPT_LOOP_TEST(services_are_told_in_order_and_before_the_program, 0, BPT_WAYS);
    BPT_TEST(what_never_opened_is_not_closed);
    BPT_LOOP_TEST(services_wait_for_a_hello_that_is_required, 0, 3);
    BPT_LOOP_TEST(a_hook_that_closes_keeps_nobody_from_being_told, 0, BPT_WAYS);
    BPT_TEST(sessions_are_there_until_services_are_told);
    BPT_LOOP_TEST(services_are_told_of_room_before_the_program, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_closed_connection_has_no_room_to_tell_of, 0, BPT_WAYS);
    BPT_LOOP_TEST(ticks_come_while_a_service_wants_them, 0, 2);
    BPT_LOOP_TEST(a_tick_may_begin_to_watch_anew, 0, 2);
    BPT_LOOP_TEST(what_is_not_open_has_no_ticks, 0, 4);
    BPT_LOOP_TEST(one_connection_is_watched_and_not_the_others, 0, 2);
    BPT_TEST(ticks_begin_when_the_connection_opens);
    BPT_LOOP_TEST(the_timer_of_the_loop_ticks, 0, 2);
    BPT_LOOP_TEST(each_tick_may_have_the_stage, 0, 2);
}
