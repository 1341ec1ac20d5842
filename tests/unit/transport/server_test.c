#define _GNU_SOURCE
#include "tests/support/frame_rig.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- ways to stop ---- */

static void *stop_from_thread(void *user) {
    bp_server_stop(user);
    return NULL;
}

static bp_err stop_in_handler(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn, (void)frame;
    bp_server_stop(side->server);
    return BP_OK;
}

static void listen_alone(bpt_rig *rig, int way) {
    bp_server_config config = bpt_rig_server_config(rig, way);
    config.loop = NULL;
    config.handle_signals = true;
    bpt_rig_listen(rig, &config, way);
}

START_TEST(run_ends_when_another_thread_says_so) {
    bpt_rig rig;
    pthread_t thread;
    bpt_rig_init(&rig);
    listen_alone(&rig, _i);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, stop_from_thread, rig.server.server), 0);
        bpt_ok(bp_server_run(rig.server.server));
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    }
    bpt_rig_fini(&rig);
}
END_TEST

static void *interrupt(void *user) {
    (void)user;
    kill(getpid(), SIGTERM);
    return NULL;
}

START_TEST(run_ends_on_a_signal_and_closes_what_is_open) {
    bpt_rig rig;
    pthread_t thread;
    bpt_rig_init(&rig);
    listen_alone(&rig, _i);
    const int fd = bpt_rig_raw(&rig);
    shutdown(fd, SHUT_WR); /* the server finishes, and need not wait for the peer's end */
    ck_assert_int_eq(pthread_create(&thread, NULL, interrupt, NULL), 0);
    bpt_ok(bp_server_run(rig.server.server));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    if (rig.server.opens != 0) ck_assert(rig.server.why == BP_ERR_CLOSED || rig.server.why == BP_ERR_END);
    ck_assert_uint_eq(rig.server.closes, rig.server.opens);
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

/* Has the server's handler see one frame and stop the loop in it. */
static void run_for_one_frame(bpt_rig *rig, int kind, bp_err (*on_frame)(bpt_side *, bp_conn *, const bp_frame *)) {
    bpt_wire wire = {0};
    bpt_rig_init(rig);
    rig->server.on_frame = on_frame;
    listen_alone(rig, kind);
    const int fd = bpt_rig_raw(rig);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 20, 1);
    ck_assert_int_eq(write(fd, wire.data, wire.length), (ssize_t)wire.length);
    bpt_ok(bp_server_run(rig->server.server));
    ck_assert_uint_eq(rig->server.frames, 1);
    close(fd);
    bpt_wire_free(&wire);
}

START_TEST(run_ends_when_a_handler_says_so) {
    bpt_rig rig;
    run_for_one_frame(&rig, _i, stop_in_handler);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_err(rig.server.why, BP_ERR_CLOSED);
    bpt_rig_fini(&rig);
}
END_TEST

static bp_err wait_in_handler(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)conn, (void)frame;
    bpt_err(bp_pool_acquire_wait(bp_server_pool(side->server), 1, UINT32_MAX, &buf), BP_ERR_WOULD_BLOCK);
    bp_server_stop(side->server);
    return BP_OK;
}

/* Who waits on the loop's thread waits for what the loop itself would have to release. */
START_TEST(no_handler_may_wait_for_memory) {
    bpt_rig rig;
    bp_buf *buf = NULL;
    run_for_one_frame(&rig, _i, wait_in_handler);
    bpt_ok(bp_pool_acquire_wait(bp_server_pool(rig.server.server), 1, 0, &buf)); /* the thread is free again */
    bp_buf_release(buf);
    bpt_rig_fini(&rig);
}
END_TEST

static void connect_again(bpt_side *side, bp_conn *conn) {
    (void)conn;
    if (side->closes > 10) return;
    int *fd = side->data;
    *fd = bpt_rig_raw(side->rig);
}

/* Peers that come back at once must not keep a stopping server from ending; the next run serves them. */
START_TEST(who_comes_during_a_stop_waits_for_the_next_run) {
    bpt_rig rig;
    bpt_wire wire = {0};
    int again = -1;
    bpt_rig_init(&rig);
    rig.server.on_frame = stop_in_handler;
    rig.server.on_close = connect_again;
    rig.server.data = &again;
    listen_alone(&rig, _i);
    const int fd = bpt_rig_raw(&rig);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 20, 1);
    ck_assert_int_eq(write(fd, wire.data, wire.length), (ssize_t)wire.length);
    bpt_ok(bp_server_run(rig.server.server));
    ck_assert_uint_eq(rig.server.opens, 1);
    rig.server.on_close = NULL;
    ck_assert_int_eq(write(again, wire.data, wire.length), (ssize_t)wire.length);
    bpt_ok(bp_server_run(rig.server.server));
    ck_assert_uint_eq(rig.server.opens, 2);
    ck_assert_uint_eq(rig.server.frames, 2);
    close(fd);
    close(again);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_lent_loop_is_run_by_its_owner_only) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bpt_err(bp_server_run(rig.server.server), BP_ERR_ARGUMENT);
    ck_assert_ptr_eq(bp_server_loop(rig.server.server), &rig.loop);
    bp_server_stop(rig.server.server);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
    bpt_err(rig.clients[0].why, BP_ERR_END);
    bpt_err(bp_server_run(rig.server.server), BP_ERR_ARGUMENT);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- freed at awkward moments ---- */

static bp_err free_in_handler(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn, (void)frame;
    bp_server_free_take(&side->server);
    return BP_OK;
}

START_TEST(a_server_may_be_freed_in_a_handler) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    rig.server.on_frame = free_in_handler;
    bpt_rig_start(&rig, _i);
    for (int i = 0; i < 5; i++) bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    ck_assert_uint_eq(rig.server.frames, 1);
    ck_assert_ptr_null(rig.server.server);
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(rig.server.closes, 1);
}
END_TEST

START_TEST(a_running_server_may_be_freed_in_a_handler) {
    bpt_rig rig;
    bpt_wire wire = {0};
    bpt_rig_init(&rig);
    rig.server.on_frame = free_in_handler;
    listen_alone(&rig, _i);
    const int fd = bpt_rig_raw(&rig);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 20, 1);
    ck_assert_int_eq(write(fd, wire.data, wire.length), (ssize_t)wire.length);
    bpt_ok(bp_server_run(rig.server.server));
    ck_assert_ptr_null(rig.server.server);
    ck_assert_uint_eq(rig.server.closes, 1);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(every_open_connection_is_closed_once_when_the_server_is_freed) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    const bp_client_config second = bpt_rig_client_config(&rig, 1, _i);
    bpt_rig_connect(&rig, 1, &second);
    bpt_rig_until(&rig, rig.server.opens == 2 && rig.clients[1].opens == 1);
    bp_server_free_take(&rig.server.server);
    ck_assert_uint_eq(rig.server.closes, 0); /* the loop has not run yet */
    bpt_rig_until(&rig, rig.clients[0].closes == 1 && rig.clients[1].closes == 1);
    ck_assert_uint_eq(rig.server.closes, 2);
    bpt_rig_fini(&rig);
}
END_TEST

static void on_program_timer(uv_timer_t *timer) { ++*(int *)timer->data; }

START_TEST(what_a_program_left_on_an_own_loop_is_closed_with_it) {
    bpt_rig rig;
    uv_timer_t timer;
    int ticks = 0;
    bpt_rig_init(&rig);
    listen_alone(&rig, _i);
    uv_timer_init(bp_server_loop(rig.server.server), &timer);
    timer.data = &ticks;
    uv_timer_start(&timer, on_program_timer, 1000000, 0);
    bp_server_free_take(&rig.server.server);
    ck_assert_int_eq(ticks, 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- many ---- */

START_TEST(one_buffer_is_broadcast_to_every_connection) {
    enum { CLIENTS = 5 };
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    for (int i = 1; i < CLIENTS; i++) {
        const bp_client_config config = bpt_rig_client_config(&rig, i, _i);
        bpt_rig_connect(&rig, i, &config);
        bpt_rig_until(&rig, rig.clients[i].opens == 1);
    }
    bpt_rig_until(&rig, rig.server.opens == CLIENTS);
    bp_pool *pool = bp_server_pool(rig.server.server);
    for (uint64_t n = 0; n < 10; n++) {
        bp_buf *buf = bpt_frame_buf(pool, BPT_LARGE_TYPE, BPT_LARGE_MAX, n);
        ck_assert_uint_eq(bp_server_broadcast_take(rig.server.server, &buf), CLIENTS);
        ck_assert_ptr_null(buf);
    }
    ck_assert_uint_eq(bpt_pool_in_use(pool), 10);
    for (int i = 0; i < CLIENTS; i++) bpt_rig_until(&rig, rig.clients[i].frames == 10);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(beyond_the_connection_limit_peers_wait_for_their_turn) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    server.connection_limit = 1;
    bpt_rig_listen(&rig, &server, _i);
    for (int i = 0; i < 3; i++) {
        const bp_client_config config = bpt_rig_client_config(&rig, i, _i);
        bpt_rig_connect(&rig, i, &config);
    }
    for (unsigned i = 0; i < 3; i++) {
        bpt_rig_until(&rig, rig.server.opens == i + 1 && rig.clients[i].opens == 1);
        bp_server_stats stats;
        bp_server_stats_read(rig.server.server, &stats);
        ck_assert_uint_eq(stats.connections_open, 1);
        bp_conn_finish(rig.clients[i].conn);
        bpt_rig_until(&rig, rig.server.closes == i + 1);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* One after the other, more often than there are places, as the listener finds nobody else each time; then all places
 * are there for as many at once. */
START_TEST(who_goes_gives_its_place_back) {
    enum { LIMIT = 3, ROUNDS = 10 };
    bpt_rig rig;
    int fds[LIMIT];
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    server.connection_limit = LIMIT;
    bpt_rig_listen(&rig, &server, _i);
    for (unsigned n = 1; n <= ROUNDS; n++) {
        const int fd = bpt_rig_raw(&rig);
        bpt_rig_until(&rig, rig.server.opens == n);
        close(fd);
        bpt_rig_until(&rig, rig.server.closes == n);
    }
    for (int i = 0; i < LIMIT; i++) fds[i] = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == ROUNDS + LIMIT);
    for (int i = 0; i < LIMIT; i++) close(fds[i]);
    bpt_rig_fini(&rig);
}
END_TEST

/* With the table of descriptors full, accept waits and does not spin; with room again, the peer is served. */
START_TEST(accept_survives_a_full_table_of_descriptors) {
    bpt_rig rig;
    struct rlimit before, full;
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    bpt_rig_listen(&rig, &server, _i);
    const int first = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    const int second = bpt_rig_raw(&rig);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    full = before;
    full.rlim_cur = (rlim_t)second + 1;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &full), 0);
    int turns = 0;
    const uint64_t start = uv_now(&rig.loop);
    while (uv_now(&rig.loop) - start < 1200) {
        uv_run(&rig.loop, UV_RUN_ONCE);
        turns++;
    }
    ck_assert_int_lt(turns, 100);
    ck_assert_uint_eq(rig.server.opens, 1);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    bpt_rig_until(&rig, rig.server.opens == 2);
    close(first);
    close(second);
    bpt_rig_until(&rig, rig.server.closes == 2);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- refused at start ---- */

static bp_err refuse(const bp_service *service) {
    (void)service;
    return BP_ERR_ARGUMENT;
}

START_TEST(what_does_not_fit_is_refused_at_start) {
    bpt_rig rig;
    bp_server *server = NULL;
    bpt_rig_init(&rig);
    const bp_server_config good = bpt_rig_server_config(&rig, 2);
    bp_server_config bad = good;
    bad.conn.service_count = 0;
    bpt_err(bp_server_new(&bad, "tcp://127.0.0.1:0", &server), BP_ERR_ARGUMENT);
    bad = good;
    bad.conn.services[0].check = refuse;
    bpt_err(bp_server_new(&bad, "tcp://127.0.0.1:0", &server), BP_ERR_ARGUMENT);
    bad = good;
    bad.conn.services[1] = bad.conn.services[0];
    bad.conn.service_count = 2;
    bpt_err(bp_server_new(&bad, "tcp://127.0.0.1:0", &server), BP_ERR_SCHEMA);
    bad = good;
    bp_schema other = bpt_frame_schema;
    other.type_count = 0;
    bad.conn.services[1] = bad.conn.services[0];
    bad.conn.services[1].schema = &other;
    bad.conn.service_count = 2;
    bpt_err(bp_server_new(&bad, "tcp://127.0.0.1:0", &server), BP_ERR_SCHEMA);
    bad.conn.hello = BP_HELLO_OFF; /* nobody is told: nobody misunderstands */
    bpt_ok(bp_server_new(&bad, "tcp://127.0.0.1:0", &server));
    bp_server_free_take(&server);
    bad = good;
    other = bpt_frame_schema;
    other.abi++;
    bad.conn.services[0].schema = &other;
    bpt_err(bp_server_new(&bad, "tcp://127.0.0.1:0", &server), BP_ERR_ABI);
    bad = good;
    bad.conn.pool_config.memory_limit = 1000;
    bpt_err(bp_server_new(&bad, "tcp://127.0.0.1:0", &server), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(server);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(an_address_in_use_is_refused) {
    bpt_rig rig;
    bp_server *second = NULL;
    bpt_rig_init(&rig);
    const bp_server_config config = bpt_rig_server_config(&rig, _i);
    bpt_rig_listen(&rig, &config, _i);
    bpt_err(bp_server_new(&config, rig.address, &second), BP_ERR_ADDRESS_IN_USE);
    ck_assert_ptr_null(second);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_given_pool_is_used_and_outlives_the_server) {
    bpt_rig rig;
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&bpt_frame_pool_config, &pool));
    bpt_rig_init(&rig);
    bp_server_config config = bpt_rig_server_config(&rig, 2);
    config.conn.pool = pool;
    bpt_rig_listen(&rig, &config, 2);
    ck_assert_ptr_eq(bp_server_pool(rig.server.server), pool);
    bpt_rig_fini(&rig);
    bp_buf *buf = bpt_frame_buf(pool, BPT_SMALL_TYPE, 20, 1);
    bp_buf_release(buf);
    bp_pool_release_take(&pool);
}
END_TEST

/* ---- a client on a server's own loop ---- */

static void stop_client(bpt_side *side, bp_conn *conn) {
    (void)conn;
    bp_client_stop(side->client);
}

static void free_client(bpt_side *side, bp_conn *conn) {
    (void)conn;
    bp_client_free_take(&side->client);
}

static void stop_server(bpt_side *side, bp_conn *conn) {
    (void)conn;
    bp_server_stop(side->rig->server.server);
}

START_TEST(a_client_ends_alone_on_a_servers_own_loop) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    listen_alone(&rig, _i % 2);
    bp_client_config config = bpt_rig_client_config(&rig, 0, _i % 2);
    config.loop = bp_server_loop(rig.server.server);
    rig.clients[0].on_open = _i < 2 ? stop_client : free_client;
    rig.clients[0].on_close = stop_server;
    bpt_rig_connect(&rig, 0, &config);
    bpt_err(bp_client_run(rig.clients[0].client), BP_ERR_ARGUMENT);
    bpt_ok(bp_server_run(rig.server.server));
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    bpt_err(rig.clients[0].why, BP_ERR_CLOSED);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_client_on_a_servers_own_loop_is_freed_before_or_after_it) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    listen_alone(&rig, 0);
    bp_client_config config = bpt_rig_client_config(&rig, 0, 0);
    config.loop = bp_server_loop(rig.server.server);
    rig.clients[0].on_open = stop_server;
    bpt_rig_connect(&rig, 0, &config);
    bpt_ok(bp_server_run(rig.server.server));
    if (_i == 0) bp_client_free_take(&rig.clients[0].client);
    bp_server_free_take(&rig.server.server);
    bp_client_free_take(&rig.clients[0].client);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_server) {
    BPT_LOOP_TEST(run_ends_when_another_thread_says_so, 0, 2);
    BPT_LOOP_TEST(run_ends_on_a_signal_and_closes_what_is_open, 0, 2);
    BPT_LOOP_TEST(run_ends_when_a_handler_says_so, 0, BPT_WAYS);
    BPT_LOOP_TEST(no_handler_may_wait_for_memory, 0, BPT_WAYS);
    BPT_LOOP_TEST(who_comes_during_a_stop_waits_for_the_next_run, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_lent_loop_is_run_by_its_owner_only, 0, 2);
    BPT_LOOP_TEST(a_server_may_be_freed_in_a_handler, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_running_server_may_be_freed_in_a_handler, 0, BPT_WAYS);
    BPT_LOOP_TEST(every_open_connection_is_closed_once_when_the_server_is_freed, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_a_program_left_on_an_own_loop_is_closed_with_it, 0, 1);
    BPT_LOOP_TEST(one_buffer_is_broadcast_to_every_connection, 0, BPT_WAYS);
    BPT_LOOP_TEST(beyond_the_connection_limit_peers_wait_for_their_turn, 0, 2);
    BPT_LOOP_TEST(who_goes_gives_its_place_back, 0, 2);
    BPT_LOOP_TEST(accept_survives_a_full_table_of_descriptors, 0, 2);
    BPT_TEST(what_does_not_fit_is_refused_at_start);
    BPT_LOOP_TEST(an_address_in_use_is_refused, 0, 2);
    BPT_TEST(a_given_pool_is_used_and_outlives_the_server);
    BPT_LOOP_TEST(a_client_ends_alone_on_a_servers_own_loop, 0, 4);
    BPT_LOOP_TEST(a_client_on_a_servers_own_loop_is_freed_before_or_after_it, 0, 2);
}
