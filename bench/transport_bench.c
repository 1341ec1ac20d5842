/* Transport rows: messages per second from one thread to another, over TCP and Unix sockets, beside raw sockets (the
 * limit) and other projects; and how many system calls and allocations 1,000 messages took, both ends and their set-up
 * together. Every message carries its number and is checked on arrival; a gap ends the benchmark. */
#define _GNU_SOURCE
#include "bench.h"
#include "bufpool/transport.h"
#include "call_count.h"
#include "raw_socket.h"
#include "stream_peers.h"
#include "tests/support/alloc_count.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How bufpool is used: frames written where they leave from and read where they lie; sent in buffers, and read so; sent
 * in buffers, and kept by the receiver in buffers; the same without a pool. */
enum { RAW, IN_PLACE, VIEWS, KEPT, UNPOOLED, LIBUV, LIBEVENT, ZEROMQ, NNG, VARIANTS };
enum { TYPE = 1000, VALUE_MAX = 65536 };

static const bp_class classes[] = {{64, 65536}, {256, 65536}, {2048, 65536}, {VALUE_MAX, 4 * VALUE_MAX}};
static const bp_pool_config pool_config = {
    .name = "bench", .classes = classes, .class_count = 4, .memory_limit = 256u << 20};
static const bp_type_info types[] = {
    {.name = "Blob", .type = TYPE, .class_ix = 3, .accept_min = 8, .accept_max = VALUE_MAX}};
static const bp_schema schema = {.abi = BP_ABI, .name = "bench", .id = 1, .version = 1, .min_compatible = 1,
                                 .types = types, .type_count = 1, .pool_config = &pool_config};

/* What the two threads write lies in different cache lines (and not in neighbours, which are fetched together). */
enum { APART = 128 };
typedef struct run {
    uint32_t size;
    int variant;
    uint64_t count, start_ns;
    bp_server *server;
    char address[128];
    _Alignas(APART) uint64_t sent;
    _Alignas(APART) uint64_t received;
    uint64_t last, end_ns;
} run;

/* ---- receiver: the calling thread ---- */

static bp_err on_frame(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    run *r = service->user;
    uint64_t number;
    (void)is_invalid;
    memcpy(&number, frame->value, 8);
    memcpy(&r->last, frame->value + frame->length - 8, 8);
    if (number != r->received++ || frame->length != r->size) bench_fail("a message was lost");
    if (r->variant >= KEPT) {
        bp_buf *buf = NULL;
        if (bp_conn_keep(conn, &buf) != BP_OK) bench_fail("no buffer to keep a message");
        bp_buf_release(buf);
    }
    if (r->received == r->count) {
        r->end_ns = bench_now_ns();
        bp_server_stop(r->server);
    }
    return BP_OK;
}

/* ---- sender: a thread of its own ---- */

static const uint8_t body[VALUE_MAX];

static bp_err send_in_place(run *r, bp_conn *conn) {
    uint8_t *value;
    const bp_err err = bp_conn_frame_begin(conn, TYPE, r->size, &value);
    if (err != BP_OK) return err;
    memcpy(value, body, r->size);
    memcpy(value, &r->sent, 8);
    return bp_conn_frame_end(conn, r->size);
}

static bp_err send_one(run *r, bp_conn *conn) {
    bp_buf *buf = NULL;
    if (r->variant == IN_PLACE) return send_in_place(r, conn);
    bp_err err = bp_pool_acquire(bp_conn_pool(conn), r->size, &buf);
    if (err != BP_OK) return err;
    memcpy(bp_buf_data(buf), body, r->size);
    memcpy(bp_buf_data(buf), &r->sent, 8);
    bp_buf_set_length(buf, r->size);
    bp_buf_set_type(buf, TYPE);
    err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

static void pump(bp_conn *conn, void *user) {
    run *r = user;
    while (r->sent < r->count) {
        const bp_err err = send_one(r, conn);
        if (err == BP_ERR_QUEUE_FULL) return;
        if (err != BP_OK) bench_fail(bp_err_text(err));
        r->sent++;
    }
    bp_conn_finish(conn);
}

/* The clock starts where it starts with raw sockets: connected, and nothing sent. */
static void begin(bp_conn *conn, void *user) {
    run *r = user;
    r->start_ns = bench_now_ns();
    pump(conn, user);
}

static bp_err ignore_frame(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    (void)service, (void)conn, (void)frame, (void)is_invalid;
    return BP_OK;
}

static void *send_all(void *user) {
    run *r = user;
    bp_client *client = NULL;
    bench_pin(1);
    bp_client_config config =
        bp_client_config_default((bp_service){.schema = &schema, .dispatch = ignore_frame, .user = r});
    config.handle_signals = false;
    config.conn.buffer_pool_enabled = r->variant != UNPOOLED;
    config.conn.send_queue_bytes = 256 * 1024;
    config.conn.user = r;
    config.conn.on_open = begin;
    config.conn.on_drain = pump;
    if (bp_client_new(&config, r->address, &client) != BP_OK) bench_fail("no client");
    bp_err err = bp_client_run(client);
    bp_client_free_take(&client);
    if (err != BP_OK && err != BP_ERR_END && err != BP_ERR_RESET) bench_fail(bp_err_text(err));
    return NULL;
}

static double run_bufpool(const bench_row *row, bool is_tcp, uint64_t count) {
    char path[64];
    pthread_t thread;
    run r = {.size = row->size, .variant = row->variant, .count = count};
    bp_server_config config =
        bp_server_config_default((bp_service){.schema = &schema, .dispatch = on_frame, .user = &r});
    config.handle_signals = false;
    config.conn.buffer_pool_enabled = r.variant != UNPOOLED;
    snprintf(path, sizeof path, "unix:///tmp/bufpool-bench-%ld.sock", (long)getpid());
    if (bp_server_new(&config, is_tcp ? "tcp://127.0.0.1:0" : path, &r.server) != BP_OK) bench_fail("no server");
    if (bp_server_address(r.server, r.address, sizeof r.address) != BP_OK) bench_fail("no address");
    if (pthread_create(&thread, NULL, send_all, &r) != 0) bench_fail("no thread");
    if (bp_server_run(r.server) != BP_OK) bench_fail("the server failed");
    pthread_join(thread, NULL);
    bp_server_free_take(&r.server);
    return (double)count / ((double)(r.end_ns - r.start_ns) / 1e9);
}

/* What 1,000 messages of 64 bytes took when a variant ran last. */
static double calls_of[VARIANTS], mallocs_of[VARIANTS];

static uint64_t count_for(const bench_row *row) {
    const bool is_slow = row->variant == LIBUV || row->variant == NNG; /* a system call for each message, and more */
    const uint64_t bytes = bench_is_quick ? 32u << 20 : 512u << 20;
    uint64_t most = bench_is_quick ? 400000 : 8000000;
    if (row->variant >= LIBUV) most /= is_slow ? 20 : 4;
    return bytes / row->size < most ? bytes / row->size : most;
}

static double run_variant(const bench_row *row, bool is_tcp, uint64_t count) {
    switch (row->variant) {
    case RAW: return bench_raw_socket(is_tcp, row->size, count);
    case LIBUV: return bench_naive_libuv(is_tcp, row->size, count);
    case LIBEVENT: return bench_libevent(is_tcp, row->size, count);
    case ZEROMQ: return bench_zeromq(is_tcp, row->size, count);
    case NNG: return bench_nng(is_tcp, row->size, count);
    default: return run_bufpool(row, is_tcp, count);
    }
}

/* Messages per second, in millions. */
static double run_row(const bench_row *row) {
    const uint64_t count = count_for(row), calls = bench_call_count(), mallocs = bpt_alloc_count();
    const double rate = run_variant(row, strncmp(row->group, "tcp", 3) == 0, count);
    if (row->size == 64) {
        calls_of[row->variant] =
            isnan(rate) ? BENCH_ABSENT : 1000.0 * (double)(bench_call_count() - calls) / (double)count;
        mallocs_of[row->variant] =
            isnan(rate) ? BENCH_ABSENT : 1000.0 * (double)(bpt_alloc_count() - mallocs) / (double)count;
    }
    return rate / 1e6;
}

/* Per 1,000 messages, of the row of the same variant in this round. */
static double calls_row(const bench_row *row) { return calls_of[row->variant]; }
static double mallocs_row(const bench_row *row) { return mallocs_of[row->variant]; }

#define RATES(group, size)                                                                                            \
    {group, "raw socket", "M/s", NULL, run_row, size, RAW, false},                                                    \
    {group, "bufpool, in place", "M/s", "raw socket", run_row, size, IN_PLACE, false},                                \
    {group, "bufpool, buffers, views", "M/s", "raw socket", run_row, size, VIEWS, false},                             \
    {group, "bufpool, buffers, kept", "M/s", "raw socket", run_row, size, KEPT, false},                               \
    {group, "bufpool, kept, no pool", "M/s", "raw socket", run_row, size, UNPOOLED, false},                           \
    {group, "libuv, naive", "M/s", "bufpool, buffers, kept", run_row, size, LIBUV, false},                            \
    {group, "libevent", "M/s", "bufpool, buffers, kept", run_row, size, LIBEVENT, false},                             \
    {group, "ZeroMQ", "M/s", "bufpool, buffers, kept", run_row, size, ZEROMQ, false},                                 \
    {group, "nng", "M/s", "bufpool, buffers, kept", run_row, size, NNG, false}
#define COUNTS(group, of, variant)                                                                                    \
    {group, "calls per 1,000, " of, "", NULL, calls_row, 64, variant, false},                                         \
    {group, "mallocs per 1,000, " of, "", NULL, mallocs_row, 64, variant, false}
#define ROWS(kind)                                                                                                    \
    {RATES(kind " 64 B", 64), COUNTS(kind " 64 B", "bufpool, in place", IN_PLACE),                                    \
     COUNTS(kind " 64 B", "bufpool, kept", KEPT), COUNTS(kind " 64 B", "libuv, naive", LIBUV),                        \
     COUNTS(kind " 64 B", "libevent", LIBEVENT), COUNTS(kind " 64 B", "ZeroMQ", ZEROMQ),                              \
     COUNTS(kind " 64 B", "nng", NNG), RATES(kind " 180 B", 180), RATES(kind " 1400 B", 1400),                        \
     RATES(kind " 64 KiB", 65536)}

static const bench_row unix_rows[] = ROWS("unix");
static const bench_row tcp_rows[] = ROWS("tcp");

const bench_table bench_unix_rows = {.rows = unix_rows, .count = sizeof unix_rows / sizeof unix_rows[0]};
const bench_table bench_tcp_rows = {.rows = tcp_rows, .count = sizeof tcp_rows / sizeof tcp_rows[0]};
