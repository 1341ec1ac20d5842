#!/bin/sh
# Installs into an empty place and builds two programs against the installed copy alone: one with a contract of its own
# and a server, and one that uses the pool and must not need libuv.
set -eu
place=$(mktemp -d /tmp/bufpool-install-XXXXXX)
trap 'rm -rf "$place"' EXIT
make -s install ${BUILD:+B="$BUILD"} prefix="$place/usr" >/dev/null
export PKG_CONFIG_PATH="$place/usr/lib/pkgconfig"
bufpoolc=$(pkg-config --variable=bufpoolc bufpool)
cd "$place"

cat >contract.yaml <<'YAML'
schema: {name: tiny, id: 1, version: 1, min_compatible: 1}
messages:
  Ping:
    tlv_type: 1000
    fields: {number: u64, text: {type: String, validation: [{max_length: 100}]}}
YAML
"$bufpoolc" generate contract.yaml --out-dir .
cat >service.c <<'C'
#include "tiny.h"
#include <stdio.h>
static bp_err on_ping(bp_conn *conn, const tiny_ping_view *ping, void *user) {
    (void)conn;
    *(uint64_t *)user = tiny_ping_get_number(ping);
    return BP_OK;
}
static void on_open(bp_conn *conn, void *user) {
    tiny_ping ping = TINY_PING_INIT;
    (void)user;
    ping.number = 42;
    if (tiny_send_ping(conn, &ping) == BP_OK) bp_conn_finish(conn);
}
static bp_server *server;
static void on_close(bp_conn *conn, bp_err why, void *user) {
    (void)conn, (void)why, (void)user;
    bp_server_stop(server);
}
int main(void) {
    uint64_t number = 0;
    char address[100];
    bp_client *client = NULL;
    const tiny_handlers on = {.ping = on_ping}, none = {0};
    bp_server_config config = tiny_server_config(&on, &number);
    config.conn.on_close = on_close;
    if (bp_server_new(&config, "tcp://127.0.0.1:0", &server) != BP_OK) return 1;
    if (bp_server_address(server, address, sizeof address) != BP_OK) return 1;
    bp_client_config client_config = tiny_client_config(&none, NULL);
    client_config.loop = bp_server_loop(server);
    client_config.handle_signals = false;
    client_config.conn.on_open = on_open;
    if (bp_client_new(&client_config, address, &client) != BP_OK) return 1;
    if (bp_server_run(server) != BP_OK) return 1;
    bp_client_free_take(&client);
    bp_server_free_take(&server);
    printf("ping %llu\n", (unsigned long long)number);
    return number == 42 ? 0 : 1;
}
C
cat >pool.c <<'C'
#include <bufpool/conformance.h>
int main(void) {
    const bp_conformance suite = {.factory = bp_pool_factory_sized, .is_bounded = true};
    const bp_class classes[] = {{64, 4096}, {1024, 4096}};
    const bp_pool_config config = {.name = "p", .classes = classes, .class_count = 2, .memory_limit = 1 << 20};
    bp_pool *pool = NULL;
    bp_buf *buf = NULL;
    if (bp_pool_new(&config, &pool) != BP_OK || bp_pool_acquire(pool, 100, &buf) != BP_OK) return 1;
    bp_buf_release_take(&buf);
    bp_pool_release_take(&pool);
    return (int)bp_conformance_run(&suite);
}
C
# shellcheck disable=SC2046 # flags are meant to be split
cc -std=c11 -Wall -Wextra -Werror -o service service.c tiny_messages.c tiny_service.c -I. $(pkg-config --cflags --libs bufpool)
./service
cc -std=c11 -Wall -Wextra -Werror -o pool pool.c -I"$place/usr/include" -L"$place/usr/lib" -lbufpool -pthread
./pool
echo "install: both programs built against the installed copy and ran"
