#define _GNU_SOURCE
/* Two hundred connections and memory for a tenth of what they want: answers are large, some requests are as well, and
 * most clients do not read before the server has run out of memory. Every answer comes, once, whole and in order; when
 * all is over nothing is left. (For longer, and between processes that are killed: soak_test.c.) */
#include "tests/support/descriptors.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include "bufpool/transport.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum {
    CLIENTS = 200,
    WINDOW = 16,
    EAGER = 16,         /* every so manieth client reads at once */
    LARGE_REQUESTS = 4, /* every so manieth request is large */
    LIMIT = 64 << 20,
    TIGHT_LIMIT = 8 << 20
};

typedef struct run run;

/* One client: requests are numbered, and answered in their order. */
typedef struct caller {
    run *all;
    bp_client *client;
    bp_conn *conn;
    uint64_t sent, answered;
    bool is_over;
} caller;

struct run {
    uv_loop_t loop;
    bp_pool *pool; /* the clients': it has no limit */
    char address[128];
    uint64_t each; /* requests of each client */
    bp_server *server;
    bool is_short; /* somebody had to wait */
    uint64_t answered;
    unsigned over;
    caller callers[CLIENTS];
};

static uint64_t turns; /* of the server's loop */

/* However slow the machine is: nobody is late. */
static void set_no_deadlines(bp_conn_config *config) {
    config->handshake_ms = config->frame_ms = config->stall_ms = config->finish_ms = UINT32_MAX;
}

/* ---- the server ---- */

/* The first and the last bytes say which request it is; the rest is as long as it should be. */
static void mark(uint8_t *value, uint32_t length, uint64_t n) {
    bpi_store_u64(value, n);
    bpi_store_u64(value + length / 2, n * 3);
    bpi_store_u64(value + length - 8, ~n);
}

static bool is_marked(const uint8_t *value, uint32_t length, uint64_t n) {
    return bpi_load_u64(value) == n && bpi_load_u64(value + length / 2) == n * 3 &&
           bpi_load_u64(value + length - 8) == ~n;
}

static bp_err answer(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const uint64_t n = bpi_load_u64(frame->value);
    bp_buf *buf = NULL;
    (void)service, (void)is_invalid;
    bpt_must(is_marked(frame->value, frame->length, n));
    bp_err err = bp_conn_acquire(conn, BPT_HUGE_MAX, &buf);
    if (err != BP_OK) return err;
    mark(bp_buf_data(buf), BPT_HUGE_MAX, n);
    bp_buf_set_length(buf, BPT_HUGE_MAX);
    bp_buf_set_type(buf, BPT_HUGE_TYPE);
    err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

static void count_turn(uv_prepare_t *prepare) {
    (void)prepare;
    turns++;
}

static void *serve(void *server) {
    static uv_prepare_t prepare; /* closed once the server is freed */
    uv_prepare_init(bp_server_loop(server), &prepare);
    uv_prepare_start(&prepare, count_turn);
    uv_unref((uv_handle_t *)&prepare);
    bpt_must(bp_server_run(server) == BP_OK);
    uv_close((uv_handle_t *)&prepare, NULL);
    return NULL;
}

static bp_server *make_server(const char *address, uint64_t limit) {
    bp_server *server = NULL;
    bp_server_config config =
        bp_server_config_default((bp_service){.schema = &bpt_frame_schema, .dispatch = answer});
    config.conn.pool_config.memory_limit = limit;
    set_no_deadlines(&config.conn);
    config.conn.send_queue_bytes = UINT32_MAX; /* so that memory is what there is too little of */
    config.handle_signals = false;
    bpt_ok(bp_server_new(&config, address, &server));
    return server;
}

/* ---- the clients ---- */

static void ask(caller *c) {
    while (c->sent - c->answered < WINDOW && c->sent < c->all->each) {
        const bool is_large = c->sent % LARGE_REQUESTS == 0;
        const uint32_t length = is_large ? BPT_HUGE_MIN + (uint32_t)(c->sent * 7919 % 100000) : BPT_SMALL_MAX;
        bp_buf *buf = NULL;
        bpt_must(bp_pool_acquire(c->all->pool, length, &buf) == BP_OK);
        mark(bp_buf_data(buf), length, c->sent);
        bp_buf_set_length(buf, length);
        bp_buf_set_type(buf, is_large ? BPT_HUGE_TYPE : BPT_SMALL_TYPE);
        bpt_must(bp_conn_send_take(c->conn, &buf) == BP_OK);
        c->sent++;
    }
    if (c->answered == c->sent) {
        c->is_over = true;
        bp_conn_finish(c->conn);
    }
}

static bp_err check(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    caller *c = service->user;
    (void)conn, (void)is_invalid;
    bpt_must(frame->length == BPT_HUGE_MAX);
    bpt_must(is_marked(frame->value, frame->length, c->answered));
    c->answered++;
    c->all->answered++;
    ask(c);
    return BP_OK;
}

static void on_open(bp_conn *conn, void *user) {
    caller *c = user;
    run *all = c->all;
    c->conn = conn;
    ask(c);
    if (!all->is_short && (c - all->callers) % EAGER != 0) bp_conn_pause(conn);
}

/* Nobody reads but a few, until somebody has to wait for memory. */
static void look(uv_timer_t *timer) {
    run *all = timer->data;
    bp_pool_stats stats;
    bp_pool_stats_read(bp_server_pool(all->server), &stats);
    if (stats.waits == 0) return;
    all->is_short = true;
    for (int i = 0; i < CLIENTS; i++) {
        if (all->callers[i].conn != NULL) bp_conn_resume(all->callers[i].conn);
    }
    uv_close((uv_handle_t *)timer, NULL);
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    caller *c = user;
    (void)conn;
    c->conn = NULL;
    bpt_must(c->is_over && (why == BP_ERR_CLOSED || why == BP_ERR_END));
    c->all->over++;
}

static void connect_caller(caller *c) {
    bp_client_config config =
        bp_client_config_default((bp_service){.schema = &bpt_frame_schema, .dispatch = check, .user = c});
    config.loop = &c->all->loop;
    config.conn.pool = c->all->pool;
    config.conn.user = c;
    config.conn.on_open = on_open;
    config.conn.on_close = on_close;
    set_no_deadlines(&config.conn);
    bpt_must(bp_client_new(&config, c->all->address, &c->client) == BP_OK);
}

/* ---- together ---- */

static run everything;

static void call_all(void) {
    run *all = &everything;
    bp_pool_config config = bpt_frame_pool_config;
    config.memory_limit = 0;
    bpt_ok(bp_pool_new(&config, &all->pool));
    ck_assert_int_eq(uv_loop_init(&all->loop), 0);
    for (int i = 0; i < CLIENTS; i++) {
        all->callers[i].all = all;
        connect_caller(&all->callers[i]);
    }
    uv_timer_t timer;
    uv_timer_init(&all->loop, &timer);
    timer.data = all;
    uv_timer_start(&timer, look, 10, 10);
    while (all->over < CLIENTS) uv_run(&all->loop, UV_RUN_ONCE);
    for (int i = 0; i < CLIENTS; i++) bp_client_free_take(&all->callers[i].client);
    while (uv_run(&all->loop, UV_RUN_DEFAULT) != 0) continue;
    ck_assert_int_eq(uv_loop_close(&all->loop), 0);
    ck_assert_uint_eq(bpt_pool_in_use(all->pool), 0);
    bp_pool_release_take(&all->pool);
}

static void check_at_rest(bp_server *server, uint64_t limit) {
    bp_server_stats stats;
    bp_pool_stats pool;
    bp_server_stats_read(server, &stats);
    bp_pool_stats_read(bp_server_pool(server), &pool);
    ck_assert_uint_eq(stats.connections_open, 0);
    ck_assert_uint_eq(stats.connections_waiting, 0);
    ck_assert_uint_eq(stats.connections_accepted, CLIENTS);
    ck_assert_uint_ge(stats.conn.frames_in, everything.answered);
    ck_assert_uint_gt(stats.conn.waits, 0); /* or there was memory for everybody, and nothing is shown */
    ck_assert_uint_eq(bpt_pool_in_use(bp_server_pool(server)), 0);
    ck_assert_uint_eq(pool.waiting, 0);
    ck_assert_uint_le(pool.committed_peak_bytes, limit);
    /* A loop that spins while it waits turns over millions of times. */
    ck_assert_uint_lt(turns, 1000 + 100 * stats.conn.frames_in);
}

/* libuv opens what belongs to the process with its first loop. */
static int count_descriptors(void) {
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    return bpt_descriptor_count();
}

/* _i: transport; whether memory is even tighter. */
START_TEST(all_answers_come_though_memory_is_short) {
    char directory[] = "/tmp/bpt-XXXXXX", address[64] = "tcp://127.0.0.1:0";
    const uint64_t limit = _i / 2 == 0 ? LIMIT : TIGHT_LIMIT;
    pthread_t thread;
    const int descriptors = count_descriptors();
    ck_assert_ptr_nonnull(mkdtemp(directory));
    if (_i % 2 != 0) snprintf(address, sizeof address, "unix://%s/socket", directory);
    bp_server *server = make_server(address, limit);
    bpt_ok(bp_server_address(server, everything.address, sizeof everything.address));
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, server), 0);
    everything.server = server;
    everything.each = WINDOW + bpt_scaled(8);
    call_all();
    ck_assert_uint_eq(everything.answered, everything.each * CLIENTS);
    bp_server_stop(server);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    check_at_rest(server, limit);
    bp_server_free_take(&server);
    ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

BPT_LONG_SUITE(integration_memory) {
    BPT_TIMEOUT(120);
    BPT_LOOP_TEST(all_answers_come_though_memory_is_short, 0, 4);
}
