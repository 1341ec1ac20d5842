/* Round trip rows: one message of 64 bytes goes to another thread and back, again and again; the time within which
 * half, 99 % and 99.9 % of the answers came. Blocking raw sockets are the limit; a loop that sleeps pays for being
 * woken. */
#define _GNU_SOURCE
#include "bench.h"
#include "bufpool/transport.h"
#include "raw_socket.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

enum { VALUE = 64, FRAME = BENCH_HEADER + VALUE, TYPE = 1000, TRIPS_MAX = 20000, WARM_UP = 100 };
enum { RAW, LIBUV, BUFPOOL, KINDS };
static const double quantiles[] = {0.5, 0.99, 0.999};
enum { QUANTILES = sizeof quantiles / sizeof quantiles[0] };

typedef struct trips {
    uint32_t wanted, done; /* done: the next one to be answered */
    uint64_t sent_ns;
    uint64_t taken_ns[TRIPS_MAX];
} trips;

static trips all;

static void begin_trip(void) { all.sent_ns = bench_now_ns(); }

/* True when there are to be more. */
static bool end_trip(const uint8_t *value) {
    uint64_t number;
    all.taken_ns[all.done] = bench_now_ns() - all.sent_ns;
    memcpy(&number, value, 8);
    if (number != all.done++) bench_fail("an answer was lost");
    return all.done < all.wanted;
}

/* ---- raw sockets ---- */

static void read_frame(int fd, uint8_t *frame) {
    size_t have = 0;
    while (have < FRAME) {
        const ssize_t n = read(fd, frame + have, FRAME - have);
        if (n <= 0) bench_fail("raw read");
        have += (size_t)n;
    }
}

static void *echo_raw(void *user) {
    const int fd = *(int *)user;
    uint8_t frame[FRAME];
    bench_pin(1);
    for (uint32_t i = 0; i < all.wanted; i++) {
        read_frame(fd, frame);
        if (write(fd, frame, FRAME) != FRAME) bench_fail("raw write");
    }
    return NULL;
}

static void run_raw(bool is_tcp) {
    int fds[2];
    uint8_t frame[FRAME];
    pthread_t thread;
    bench_socket_pair(is_tcp, fds);
    if (pthread_create(&thread, NULL, echo_raw, &fds[1]) != 0) bench_fail("no thread");
    do {
        bench_build(frame, VALUE, all.done);
        begin_trip();
        if (write(fds[0], frame, FRAME) != FRAME) bench_fail("raw write");
        read_frame(fds[0], frame);
    } while (end_trip(frame + BENCH_HEADER));
    pthread_join(thread, NULL);
    close(fds[0]);
    close(fds[1]);
}

/* ---- plain libuv, written with uv_try_write ---- */

typedef struct side {
    uv_loop_t loop;
    union {
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
    bool is_echo;
    uint32_t left;
    uint8_t frame[FRAME];
} side;

static void open_side(side *s, bool is_tcp, int fd) {
    uv_loop_init(&s->loop);
    s->left = all.wanted;
    if (is_tcp) {
        uv_tcp_init(&s->loop, &s->handle.tcp);
        if (uv_tcp_open(&s->handle.tcp, fd) != 0) bench_fail("uv_tcp_open");
    } else {
        uv_pipe_init(&s->loop, &s->handle.pipe, 0);
        if (uv_pipe_open(&s->handle.pipe, fd) != 0) bench_fail("uv_pipe_open");
    }
    s->handle.stream.data = s;
}

static void write_frame(side *s) {
    uv_buf_t buf = uv_buf_init((char *)s->frame, FRAME);
    if (uv_try_write(&s->handle.stream, &buf, 1) != FRAME) bench_fail("uv_try_write");
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    (void)suggested;
    *buf = uv_buf_init((char *)((side *)handle->data)->frame, FRAME);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
    side *s = stream->data;
    if (count == 0) return;
    if (count != FRAME) bench_fail("a message came in pieces");
    const bool has_more = s->is_echo ? --s->left != 0 : end_trip((const uint8_t *)buf->base + BENCH_HEADER);
    if (!s->is_echo) {
        bench_build(s->frame, VALUE, all.done);
        begin_trip();
    }
    if (has_more || s->is_echo) write_frame(s);
    if (!has_more) uv_close((uv_handle_t *)stream, NULL);
}

static void *run_side(void *user) {
    side *s = user;
    if (s->is_echo) bench_pin(1);
    uv_read_start(&s->handle.stream, on_alloc, on_read);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void run_libuv(bool is_tcp) {
    int fds[2];
    pthread_t thread;
    side caller = {0}, echo = {.is_echo = true};
    bench_socket_pair(is_tcp, fds);
    open_side(&caller, is_tcp, fds[0]);
    open_side(&echo, is_tcp, fds[1]);
    if (pthread_create(&thread, NULL, run_side, &echo) != 0) bench_fail("no thread");
    bench_build(caller.frame, VALUE, 0);
    begin_trip();
    write_frame(&caller);
    run_side(&caller);
    pthread_join(thread, NULL);
    uv_loop_close(&caller.loop);
    uv_loop_close(&echo.loop);
}

/* ---- bufpool ---- */

static const bp_class classes[] = {{64, 65536}};
static const bp_pool_config pool_config = {
    .name = "trips", .classes = classes, .class_count = 1, .memory_limit = 1 << 20};
static const bp_type_info types[] = {{.name = "Trip", .type = TYPE, .accept_min = VALUE, .accept_max = VALUE}};
static const bp_schema schema = {.abi = BP_ABI, .name = "trips", .id = 2, .version = 1, .min_compatible = 1,
                                 .types = types, .type_count = 1, .pool_config = &pool_config};

static void send_value(bp_conn *conn, const uint8_t *from) {
    uint8_t *value;
    if (bp_conn_frame_begin(conn, TYPE, VALUE, &value) != BP_OK) bench_fail("no room for a message");
    memcpy(value, from, VALUE);
    if (bp_conn_frame_end(conn, VALUE) != BP_OK) bench_fail("a message was refused");
}

static bp_err on_request(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    (void)service, (void)is_invalid;
    send_value(conn, frame->value);
    return BP_OK;
}

static void call_next(bp_conn *conn) {
    uint8_t value[VALUE] = {0};
    memcpy(value, &(uint64_t){all.done}, 8);
    begin_trip();
    send_value(conn, value);
}

static bp_err on_answer(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    (void)service, (void)is_invalid;
    if (end_trip(frame->value))
        call_next(conn);
    else
        bp_conn_finish(conn);
    return BP_OK;
}

static void on_open(bp_conn *conn, void *user) {
    (void)user;
    call_next(conn);
}

static void *serve(void *user) {
    bench_pin(1);
    if (bp_server_run(user) != BP_OK) bench_fail("the server failed");
    return NULL;
}

static void run_bufpool(bool is_tcp) {
    char path[64], address[128];
    pthread_t thread;
    bp_server *server;
    bp_client *client;
    bp_server_config served = bp_server_config_default((bp_service){.schema = &schema, .dispatch = on_request});
    bp_client_config called = bp_client_config_default((bp_service){.schema = &schema, .dispatch = on_answer});
    served.handle_signals = called.handle_signals = false;
    called.conn.on_open = on_open;
    snprintf(path, sizeof path, "unix:///tmp/bufpool-bench-%ld.sock", (long)getpid());
    if (bp_server_new(&served, is_tcp ? "tcp://127.0.0.1:0" : path, &server) != BP_OK ||
        bp_server_address(server, address, sizeof address) != BP_OK ||
        pthread_create(&thread, NULL, serve, server) != 0 ||
        bp_client_new(&called, address, &client) != BP_OK || bp_client_run(client) != BP_OK) {
        bench_fail("no client and server");
    }
    bp_client_free_take(&client);
    bp_server_stop(server);
    pthread_join(thread, NULL);
    bp_server_free_take(&server);
}

/* ---- rows ---- */

static int by_value(const void *a, const void *b) {
    const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/* Microseconds. The first row of a kind measures for all of them. */
static double run_row(const bench_row *row) {
    static void (*const run[KINDS])(bool is_tcp) = {run_raw, run_libuv, run_bufpool};
    static double figures[KINDS][QUANTILES];
    const int kind = row->variant / QUANTILES, which = row->variant % QUANTILES;
    if (which != 0) return figures[kind][which];
    all.done = 0;
    all.wanted = bench_is_quick ? TRIPS_MAX / 10 : TRIPS_MAX;
    run[kind](strncmp(row->group, "tcp", 3) == 0);
    const size_t count = all.wanted - WARM_UP;
    qsort(all.taken_ns + WARM_UP, count, sizeof all.taken_ns[0], by_value);
    for (int i = 0; i < QUANTILES; i++) {
        figures[kind][i] = (double)all.taken_ns[WARM_UP + (size_t)((double)(count - 1) * quantiles[i])] / 1e3;
    }
    return figures[kind][0];
}

#define ROW(group, label, quantile, reference, kind, which)                                                           \
    {group, label ", " quantile, "us", reference, run_row, VALUE, (kind)*QUANTILES + (which), false}
#define ROWS_OF(group, label, kind, reference)                                                                        \
    ROW(group, label, "p50", reference "p50", kind, 0), ROW(group, label, "p99", reference "p99", kind, 1),           \
        ROW(group, label, "p99.9", reference "p99.9", kind, 2)
#define ROWS(group)                                                                                                   \
    {ROWS_OF(group, "raw, blocking", RAW, ""), ROWS_OF(group, "libuv", LIBUV, "raw, blocking, "),                     \
     ROWS_OF(group, "bufpool", BUFPOOL, "raw, blocking, ")}

static const bench_row tcp_rows[] = ROWS("tcp round trip");
static const bench_row unix_rows[] = ROWS("unix round trip");

const bench_table bench_tcp_trip_rows = {.rows = tcp_rows, .count = sizeof tcp_rows / sizeof tcp_rows[0]};
const bench_table bench_unix_trip_rows = {.rows = unix_rows, .count = sizeof unix_rows / sizeof unix_rows[0]};
