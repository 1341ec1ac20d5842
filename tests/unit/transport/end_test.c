#define _GNU_SOURCE
/* What servers and clients do alike with their configuration: where the pool comes from, SIGPIPE, busy polling. */
#include "tests/support/descriptors.h"
#include "tests/support/frame_rig.h"
#include "tests/support/os_pieces.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

/* ---- a factory of the program's --------------------------------------------------------------------------------- */

/* What a factory was asked, and what it answers. */
typedef struct maker {
    unsigned calls;
    bp_pool_config asked;
    bp_err answer;
    bp_pool *made;
} maker;

static bp_err make(const bp_pool_config *config, void *user, bp_pool **out) {
    maker *m = user;
    m->calls++;
    m->asked = *config;
    *out = NULL;
    if (m->answer != BP_OK) return m->answer;
    const bp_err err = bp_heap_pool_new(0, out);
    m->made = *out;
    return err;
}

static void use(bp_conn_config *config, maker *m) {
    config->pool_factory = make;
    config->pool_factory_user = m;
    config->pool_config.memory_limit = 123456789; /* of no use to a heap pool without a limit: it is handed on */
}

/* _i & 2 decides about buffer_pool_enabled, which no longer counts. */
START_TEST(the_factory_makes_the_pool) {
    bpt_rig rig;
    maker makers[2] = {{.calls = 0}};
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
    use(&server.conn, &makers[0]);
    use(&client.conn, &makers[1]);
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &client);
    bpt_rig_until(&rig, rig.server.opens == 1 && rig.clients[0].opens == 1);
    bpt_send(rig.clients[0].conn, BPT_LARGE_TYPE, BPT_LARGE_MAX, 1);
    bpt_rig_until(&rig, rig.server.frames == 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(makers[i].calls, 1);
        ck_assert_uint_eq(makers[i].asked.memory_limit, 123456789);
        ck_assert_uint_eq(makers[i].asked.class_count, server.conn.pool_config.class_count);
        ck_assert_ptr_eq(makers[i].asked.classes, server.conn.pool_config.classes);
    }
    ck_assert_ptr_eq(bp_server_pool(rig.server.server), makers[0].made);
    ck_assert_ptr_eq(bp_client_pool(rig.clients[0].client), makers[1].made);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_server_of_several_threads_asks_once) {
    bpt_rig rig;
    maker m = {.calls = 0};
    bpt_rig_init(&rig);
    bp_server_config config = bpt_rig_server_config(&rig, _i);
    use(&config.conn, &m);
    config.loop = NULL;
    config.thread_count = 3;
    bpt_rig_listen(&rig, &config, _i);
    ck_assert_uint_eq(m.calls, 1);
    ck_assert_ptr_eq(bp_server_pool(rig.server.server), m.made);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(who_brings_a_pool_needs_no_factory) {
    bpt_rig rig;
    maker m = {.answer = BP_ERR_ARGUMENT};
    bp_pool *pool = NULL;
    bpt_rig_init(&rig);
    bpt_ok(bp_heap_pool_new(0, &pool));
    bp_server_config config = bpt_rig_server_config(&rig, _i);
    use(&config.conn, &m);
    config.conn.pool = pool;
    bpt_rig_listen(&rig, &config, _i);
    ck_assert_uint_eq(m.calls, 0);
    ck_assert_ptr_eq(bp_server_pool(rig.server.server), pool);
    bpt_rig_fini(&rig);
    bp_pool_release_take(&pool);
}
END_TEST

/* _i & 4: with a loop of its own. */
START_TEST(what_the_factory_fails_with_is_the_error) {
    static const bp_err answers[] = {BP_ERR_NO_MEMORY, BP_ERR_ARGUMENT, BP_ERR_CLOSED};
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i & 3); /* something to connect to, and what a process makes once is made */
    bpt_os_pieces_begin();
    const int descriptors = bpt_descriptor_count();
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        maker m = {.answer = answers[i]};
        bp_server *server_out = rig.server.server;
        bp_client *client_out = rig.clients[0].client;
        bp_server_config server = bpt_rig_server_config(&rig, _i);
        bp_client_config client = bpt_rig_client_config(&rig, 0, _i);
        if ((_i & 4) != 0) server.loop = client.loop = NULL;
        use(&server.conn, &m);
        use(&client.conn, &m);
        bpt_err(bp_server_new(&server, "tcp://127.0.0.1:0", &server_out), answers[i]);
        bpt_err(bp_client_new(&client, rig.address, &client_out), answers[i]);
        ck_assert(server_out == NULL && client_out == NULL);
        ck_assert_uint_eq(m.calls, 2);
    }
    ck_assert_int_eq(bpt_os_pieces_end(), 0);
    ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(rig.clients[0].closes, 1); /* of the client that was there */
}
END_TEST

/* ---- SIGPIPE ---------------------------------------------------------------------------------------------------- */

static void own_handler(int number) { (void)number; }

static void set_sigpipe(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    ck_assert_int_eq(sigaction(SIGPIPE, &action, NULL), 0);
}

static void expect_sigpipe(void (*handler)(int), bool has_flags) {
    struct sigaction action;
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == handler);
    if (has_flags) ck_assert((action.sa_flags & SA_RESTART) != 0);
}

static const struct {
    void (*before)(int);
    bool keeps;
    void (*after)(int);
} dispositions[] = {
    {SIG_DFL, false, SIG_IGN},         {SIG_DFL, true, SIG_DFL},         {SIG_IGN, false, SIG_IGN},
    {SIG_IGN, true, SIG_IGN},          {own_handler, false, own_handler}, {own_handler, true, own_handler},
};

/* First of a server, then of a client. */
START_TEST(sigpipe_is_ignored_where_nobody_has_said_what_to_do) {
    struct sigaction saved;
    bpt_rig rig;
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &saved), 0);
    bpt_rig_init(&rig);
    bp_server_config server = bpt_rig_server_config(&rig, 0);
    bp_client_config client = bpt_rig_client_config(&rig, 0, 0);
    server.conn.keep_sigpipe = client.conn.keep_sigpipe = dispositions[_i].keeps;
    set_sigpipe(dispositions[_i].before);
    bpt_rig_listen(&rig, &server, 0);
    expect_sigpipe(dispositions[_i].after, dispositions[_i].before == own_handler);
    set_sigpipe(dispositions[_i].before);
    bpt_rig_connect(&rig, 0, &client);
    expect_sigpipe(dispositions[_i].after, dispositions[_i].before == own_handler);
    bpt_rig_until(&rig, rig.server.opens == 1 && rig.clients[0].opens == 1);
    bpt_rig_fini(&rig);
    expect_sigpipe(dispositions[_i].after, dispositions[_i].before == own_handler);
    ck_assert_int_eq(sigaction(SIGPIPE, &saved, NULL), 0);
}
END_TEST

/* ---- busy polling ----------------------------------------------------------------------------------------------- */

enum { ROUNDS = 200 };

static bp_err echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)side, (void)frame;
    const bp_err err = bp_conn_keep(conn, &buf);
    return err == BP_OK ? bp_conn_send_take(conn, &buf) : err;
}

static void *run(void *user) {
    bpt_must(bp_server_run(user) == BP_OK);
    return NULL;
}

/* A server that echoes on a thread of its own, whose loop says how long it has slept. */
static void start_busy(bpt_rig *rig, pthread_t *thread, int way, uint32_t busy_poll_us) {
    bpt_rig_init(rig);
    rig->server.on_frame = echo;
    bp_server_config server = bpt_rig_server_config(rig, way);
    const bp_client_config client = bpt_rig_client_config(rig, 0, way);
    server.loop = NULL;
    server.handle_signals = false;
    server.conn.busy_poll_us = busy_poll_us;
    bpt_rig_listen(rig, &server, way);
    ck_assert_int_eq(uv_loop_configure(bp_server_loop(rig->server.server), UV_METRICS_IDLE_TIME), 0);
    ck_assert_int_eq(pthread_create(thread, NULL, run, rig->server.server), 0);
    bpt_rig_connect(rig, 0, &client);
    bpt_rig_until(rig, rig->clients[0].opens == 1);
}

static void go_round(bpt_rig *rig, uint64_t number) {
    bpt_send(rig->clients[0].conn, BPT_SMALL_TYPE, 50, number);
    bpt_rig_until(rig, rig->clients[0].frames == number);
}

static void stop_busy(bpt_rig *rig, pthread_t thread) {
    bp_server_stop(rig->server.server);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

/* Longer than any test runs: between two frames, and while it is stopped, the loop never sleeps. */
START_TEST(a_busy_loop_serves_without_ever_sleeping) {
    bpt_rig rig;
    pthread_t thread;
    start_busy(&rig, &thread, _i, UINT32_MAX);
    for (uint64_t n = 1; n <= ROUNDS; n++) go_round(&rig, n);
    stop_busy(&rig, thread);
    uv_loop_t *loop = bp_server_loop(rig.server.server);
    ck_assert_uint_eq(uv_metrics_idle_time(loop), 0);
    ck_assert_uint_eq(rig.server.frames, ROUNDS);
    bpt_rig_fini(&rig);
}
END_TEST

/* _i & 2: not busy at all. Whenever nothing comes for so long, the loop sleeps, and wakes for what comes then. */
START_TEST(a_busy_loop_goes_to_sleep_when_nothing_comes) {
    bpt_rig rig;
    pthread_t thread;
    start_busy(&rig, &thread, _i & 1, (_i & 2) == 0 ? 300 : 0);
    uv_loop_t *loop = bp_server_loop(rig.server.server);
    for (uint64_t n = 1; n <= 20; n++) {
        const uint64_t slept = uv_metrics_idle_time(loop);
        while (uv_metrics_idle_time(loop) == slept) sched_yield();
        go_round(&rig, n);
    }
    stop_busy(&rig, thread);
    ck_assert_uint_eq(rig.server.frames, 20);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_end) {
    BPT_LOOP_TEST(the_factory_makes_the_pool, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_server_of_several_threads_asks_once, 0, 2);
    BPT_LOOP_TEST(who_brings_a_pool_needs_no_factory, 0, 2);
    BPT_LOOP_TEST(what_the_factory_fails_with_is_the_error, 0, 8);
    BPT_LOOP_TEST(sigpipe_is_ignored_where_nobody_has_said_what_to_do, 0,
                  sizeof dispositions / sizeof dispositions[0]);
    BPT_LOOP_TEST(a_busy_loop_serves_without_ever_sleeping, 0, 2);
    BPT_LOOP_TEST(a_busy_loop_goes_to_sleep_when_nothing_comes, 0, 4);
}
