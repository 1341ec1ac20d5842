#define _GNU_SOURCE
#include "tests/support/frame_rig.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool bpt_way_is_unix(int way) { return (way & 1) != 0; }

bool bpt_way_is_pooled(int way) { return (way & 2) != 0; }

void bpt_rig_init(bpt_rig *rig) {
    *rig = (bpt_rig){0};
    ck_assert_int_eq(uv_loop_init(&rig->loop), 0);
    snprintf(rig->directory, sizeof rig->directory, "/tmp/bpt-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(rig->directory));
}

void bpt_rig_warm_up(void) {
    uv_loop_t loop;
    ck_assert_int_eq(uv_loop_init(&loop), 0);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

void bpt_rig_fini(bpt_rig *rig) {
    bp_server_free_take(&rig->server.server);
    for (int i = 0; i < BPT_CLIENT_MAX; i++) bp_client_free_take(&rig->clients[i].client);
    uv_run(&rig->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&rig->loop), 0);
    ck_assert_uint_eq(rig->server.opens, rig->server.closes);
    ck_assert_int_eq(rmdir(rig->directory), 0); /* a socket left behind would keep it */
}

const char *bpt_rig_path(const bpt_rig *rig, const char *scheme, const char *name) {
    static char text[192];
    snprintf(text, sizeof text, "%s%s/%s", scheme, rig->directory, name);
    return text;
}

/* ---- a side's callbacks ---- */

static bp_err dispatch(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    bpt_side *side = service->user;
    side->frames++;
    side->is_invalid = false;
    const bp_err err = side->on_frame == NULL ? BP_OK : side->on_frame(side, conn, frame);
    *is_invalid = side->is_invalid;
    return err;
}

static bp_err on_unknown(bp_conn *conn, const bp_frame *frame, void *user) {
    bpt_side *side = user;
    (void)conn;
    ck_assert_ptr_null(frame->info);
    side->unknown++;
    return BP_OK;
}

static void on_open(bp_conn *conn, void *user) {
    bpt_side *side = user;
    side->opens++;
    side->conn = conn;
    if (side->on_open != NULL) side->on_open(side, conn);
}

static void on_drain(bp_conn *conn, void *user) {
    bpt_side *side = user;
    side->drains++;
    if (side->on_drain != NULL) side->on_drain(side, conn);
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    bpt_side *side = user;
    side->closes++;
    side->why = why;
    bp_conn_stats_read(conn, &side->stats);
    side->in_use_at_close = bpt_pool_in_use(bp_conn_pool(conn));
    if (side->on_close != NULL) side->on_close(side, conn);
    if (side->conn == conn) side->conn = NULL;
}

static void configure(bp_conn_config *conn, bpt_side *side, bpt_rig *rig, int way) {
    side->rig = rig;
    conn->buffer_pool_enabled = bpt_way_is_pooled(way);
    conn->hello = side->hello;
    conn->user = side;
    conn->on_open = on_open;
    conn->on_close = on_close;
    conn->on_drain = on_drain;
    conn->on_unknown = on_unknown;
}

static bp_service service_of(bpt_side *side) {
    return (bp_service){.schema = &bpt_frame_schema,
                        .dispatch = dispatch,
                        .user = side,
                        .session_size = side->session_size};
}

bp_server_config bpt_rig_server_config(bpt_rig *rig, int way) {
    bp_server_config config = bp_server_config_default(service_of(&rig->server));
    configure(&config.conn, &rig->server, rig, way);
    config.loop = &rig->loop;
    return config;
}

bp_client_config bpt_rig_client_config(bpt_rig *rig, int ix, int way) {
    bp_client_config config = bp_client_config_default(service_of(&rig->clients[ix]));
    configure(&config.conn, &rig->clients[ix], rig, way);
    config.loop = &rig->loop;
    return config;
}

void bpt_rig_listen(bpt_rig *rig, const bp_server_config *config, int way) {
    const char *address = bpt_way_is_unix(way) ? bpt_rig_path(rig, "unix://", "socket") : "tcp://127.0.0.1:0";
    bpt_ok(bp_server_new(config, address, &rig->server.server));
    bpt_ok(bp_server_address(rig->server.server, rig->address, sizeof rig->address));
}

void bpt_rig_connect(bpt_rig *rig, int ix, const bp_client_config *config) {
    bpt_ok(bp_client_new(config, rig->address, &rig->clients[ix].client));
}

void bpt_rig_start(bpt_rig *rig, int way) {
    const bp_server_config server = bpt_rig_server_config(rig, way);
    const bp_client_config client = bpt_rig_client_config(rig, 0, way);
    bpt_rig_listen(rig, &server, way);
    bpt_rig_connect(rig, 0, &client);
    bpt_rig_until(rig, rig->server.opens == 1 && rig->clients[0].opens == 1);
    if (rig->server.hello == BP_HELLO_OFF || rig->clients[0].hello == BP_HELLO_OFF) return;
    bpt_rig_until(rig, bpt_has_met(rig->server.conn) && bpt_has_met(rig->clients[0].conn));
}

bool bpt_has_met(const bp_conn *conn) { return bp_conn_peer_version(conn, &bpt_frame_schema) != 0; }

void bpt_rig_turn(bpt_rig *rig, int count) {
    for (int i = 0; i < count; i++) uv_run(&rig->loop, UV_RUN_NOWAIT);
}

void bpt_send(bp_conn *conn, uint16_t type, uint32_t length, uint64_t seed) {
    bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), type, length, seed);
    bpt_ok(bp_conn_send_take(conn, &buf));
    ck_assert_ptr_null(buf);
}

static int raw_unix(const char *path) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

int bpt_rig_raw(bpt_rig *rig) {
    if (strncmp(rig->address, "unix://", 7) == 0) return raw_unix(rig->address + 7);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    at.sin_port = htons((uint16_t)atoi(strrchr(rig->address, ':') + 1));
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

void bpt_raw_write(int fd, const uint8_t *data, size_t length) {
    while (length != 0) {
        const ssize_t n = send(fd, data, length, MSG_NOSIGNAL);
        ck_assert_int_gt(n, 0);
        data += n;
        length -= (size_t)n;
    }
}

void bpt_raw_say_hello(int fd) {
    bpt_wire wire = {0};
    bpt_wire_add_hello(&wire);
    bpt_must(send(fd, wire.data, wire.length, MSG_NOSIGNAL) == BPT_HELLO_BYTES);
    bpt_wire_free(&wire);
}

void bpt_raw_take_hello(int fd) {
    uint8_t bytes[BPT_HELLO_BYTES];
    bpt_wire wire = {0};
    bpt_wire_add_hello(&wire);
    bpt_must(recv(fd, bytes, sizeof bytes, MSG_WAITALL) == BPT_HELLO_BYTES);
    bpt_must(memcmp(bytes, wire.data, sizeof bytes) == 0);
    bpt_wire_free(&wire);
}

int bpt_rig_raw_met(bpt_rig *rig) {
    uint8_t bytes[BPT_HELLO_BYTES];
    const unsigned opens = rig->server.opens;
    const int fd = bpt_rig_raw(rig);
    bpt_raw_say_hello(fd);
    bpt_rig_until(rig, rig->server.opens == opens + 1 && bpt_has_met(rig->server.conn));
    while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_PEEK) < BPT_HELLO_BYTES) uv_run(&rig->loop, UV_RUN_NOWAIT);
    bpt_raw_take_hello(fd);
    return fd;
}
