/* A peer that sends any bytes to a server of two contracts, over a real socket: what reaches a handler is valid and in
 * the order that the contract asks for, every frame is accounted for, and the connection ends once and leaves nothing.
 *
 * Input: the first byte's lowest bit drops invalid frames instead of closing; the second is the seed of the sizes of
 * the writes; the rest is the stream. */
#define _GNU_SOURCE
#include "generated/market.h"

#include "gate.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* What the handlers saw of the one connection that there is. */
static struct {
    uint64_t handled, hellos, metas, last_sequence;
    unsigned opens, closes;
    bp_err why;
    bp_conn_stats stats;
} seen;

static bp_server *servers[2]; /* closing, dropping */
static struct sockaddr_un addresses[2];
static uv_loop_t loop;

/* ---- handlers: each message is decoded once more, with every rule ---- */

#define DEFINE_MARKET(name, NAME)                                                                                      \
    static bp_err on_##name(bp_conn *conn, bp_buf *buf, void *user) {                                                  \
        static market_##name message;                                                                                  \
        const char *field = NULL;                                                                                      \
        (void)conn, (void)user;                                                                                        \
        seen.handled++;                                                                                                \
        REQUIRE(market_##name##_decode_valid(bp_buf_data(buf), bp_buf_length(buf), &message, &field) == BP_OK);        \
        bp_buf_release(buf);                                                                                           \
        return BP_OK;                                                                                                  \
    }
MARKET_MESSAGES(DEFINE_MARKET)

static bp_err on_gate_hello(bp_conn *conn, const gate_hello_view *view, void *user) {
    (void)conn, (void)view, (void)user;
    seen.handled++;
    seen.hellos++;
    return BP_OK;
}

static bp_err on_gate_meta(bp_conn *conn, const gate_meta_view *view, void *user) {
    (void)conn, (void)view, (void)user;
    seen.handled++;
    REQUIRE(seen.hellos != 0);
    seen.metas++;
    return BP_OK;
}

static bp_err on_gate_trade(bp_conn *conn, const gate_trade_view *view, void *user) {
    const uint64_t sequence = gate_trade_get_sequence(view);
    (void)conn, (void)user;
    seen.handled++;
    REQUIRE(seen.hellos != 0 && seen.metas != 0 && sequence >= seen.last_sequence);
    seen.last_sequence = sequence;
    return BP_OK;
}

static bool any_number(uint64_t value, void *user) { return (void)user, value % 5 != 3; }
static bool any_signed(int64_t value, void *user) { return (void)value, (void)user, true; }
static bool any_real(double value, void *user) { return (void)value, (void)user, true; }
static bool any_u128(bp_u128 value, void *user) { return (void)value, (void)user, true; }
static bool any_u256(bp_u256 value, void *user) { return (void)value, (void)user, true; }
static bool any_text(bp_text value, void *user) { return (void)value, (void)user, true; }
static bool any_bytes(bp_bytes value, void *user) { return (void)value, (void)user, true; }

static const gate_hooks hooks = {.known_number = any_number,
                                 .known_signed = any_signed,
                                 .known_real = any_real,
                                 .known_u128 = any_u128,
                                 .known_u256 = any_u256,
                                 .known_text = any_text,
                                 .known_bytes = any_bytes};
static const gate_handlers on_gate = {.hello = on_gate_hello,
                                      .meta = on_gate_meta,
                                      .trade = on_gate_trade,
                                      .hooks = &hooks};
static const market_handlers on_market = {
#define HANDLER(name, NAME) .name##_buf = on_##name,
    MARKET_MESSAGES(HANDLER)
#undef HANDLER
};

static void on_open(bp_conn *conn, void *user) {
    (void)conn, (void)user;
    seen.opens++;
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    (void)user;
    seen.closes++;
    seen.why = why;
    bp_conn_stats_read(conn, &seen.stats);
}

/* ---- the server and its peer ---- */

static void listen_at(int ix) {
    char address[128];
    bp_server_config config = market_server_config(&on_market, NULL);
    snprintf(address, sizeof address, "unix:///tmp/bufpool-fuzz-%ld-%d.sock", (long)getpid(), ix);
    config.loop = &loop;
    config.conn.services[1] = gate_service(&on_gate, NULL);
    config.conn.service_count = 2;
    config.conn.invalid = ix == 0 ? BP_INVALID_CLOSE : BP_INVALID_DROP;
    config.conn.on_open = on_open;
    config.conn.on_close = on_close;
    REQUIRE(bp_server_new(&config, address, &servers[ix]) == BP_OK);
    addresses[ix].sun_family = AF_UNIX;
    snprintf(addresses[ix].sun_path, sizeof addresses[ix].sun_path, "%s", address + sizeof "unix://" - 1);
}

static void stop(void) {
    for (int i = 0; i < 2; i++) bp_server_free_take(&servers[i]);
    uv_run(&loop, UV_RUN_DEFAULT);
    REQUIRE(uv_loop_close(&loop) == 0);
}

static void start(void) {
    REQUIRE(uv_loop_init(&loop) == 0);
    listen_at(0);
    listen_at(1);
    atexit(stop);
}

/* Sends the stream in writes of sizes that the seed chooses, ends, and takes what comes until the server has ended. */
static void talk(int ix, uint32_t random, const uint8_t *bytes, size_t left) {
    uint8_t scrap[4096];
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(connect(fd, (const struct sockaddr *)&addresses[ix], sizeof addresses[ix]) == 0);
    REQUIRE(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    while (left != 0 && seen.closes == 0) {
        random = random * 1664525u + 1013904223u;
        size_t count = 1 + (random >> 8) % (1u << (random >> 28));
        if (count > left) count = left;
        const ssize_t n = send(fd, bytes, count, MSG_NOSIGNAL);
        if (n > 0) bytes += n;
        if (n > 0) left -= (size_t)n;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    shutdown(fd, SHUT_WR);
    while (seen.closes == 0) {
        uv_run(&loop, UV_RUN_ONCE);
        while (read(fd, scrap, sizeof scrap) > 0) continue;
    }
    close(fd);
}

static bool is_of_contract(bp_err err) {
    return err == BP_ERR_TRUNCATED || err == BP_ERR_MALFORMED || err == BP_ERR_BOUND || err == BP_ERR_RULE ||
           err == BP_ERR_ORDER;
}

/* A HELLO that does not fit, a control frame that is not one, and what follows a GOODBYE are the stream's, too. */
static bool is_of_stream(bp_err err) {
    return err == BP_ERR_END || err == BP_ERR_LOST || err == BP_ERR_FRAME_TYPE || err == BP_ERR_FRAME_SHORT ||
           err == BP_ERR_FRAME_LONG || err == BP_ERR_SCHEMA || err == BP_ERR_MALFORMED;
}

/* Messages of the gate without a handler are checked and passed over, so there may be more frames than calls. */
static void check(bool is_dropping) {
    const uint64_t invalid = seen.stats.frames_invalid;
    REQUIRE(seen.opens == 1 && seen.closes == 1);
    REQUIRE(seen.handled + invalid <= seen.stats.frames_in);
    if (is_dropping) REQUIRE(is_of_stream(seen.why));
    if (!is_dropping) REQUIRE(invalid <= 1 && (invalid == 1 ? is_of_contract(seen.why) : is_of_stream(seen.why)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    bp_pool_stats stats;
    if (size < 2) return 0;
    if (servers[0] == NULL) start();
    const int ix = data[0] & 1;
    memset(&seen, 0, sizeof seen);
    talk(ix, data[1], data + 2, size - 2);
    check(ix != 0);
    bp_pool_stats_read(bp_server_pool(servers[ix]), &stats);
    REQUIRE(stats.total.in_use == 0 && stats.exact_in_use == 0);
    return 0;
}
