#define _POSIX_C_SOURCE 200809L
#include "tests/support/talk.h"

#include "bufpool/detail/bytes.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const bpt_said bpt_said_good = {BPT_TALK_ID, BPT_TALK_NOW, 1, 0x66};

void bpt_say_head(bpt_bytes *b, uint16_t type, uint32_t length) {
    bpi_store_u16(b->data + b->length, type);
    bpi_store_u32(b->data + b->length + 2, length);
    b->length += BPT_TALK_HEAD;
}

void bpt_say_control(bpt_bytes *b, uint8_t kind, uint8_t second, uint32_t length) {
    bpt_say_head(b, 0, length);
    memset(b->data + b->length, 0x5A, length);
    if (length > 0) b->data[b->length] = kind;
    if (length > 1) b->data[b->length + 1] = second;
    b->length += length;
}

void bpt_say_hello(bpt_bytes *b, const bpt_said *entries, uint16_t count) {
    const uint32_t length = 4u + 16u * count;
    bpt_say_control(b, 1, 0, length);
    uint8_t *at = b->data + b->length - length + 2;
    bpi_store_u16(at, count);
    at += 2;
    for (uint16_t i = 0; i < count; i++, at += 16) {
        bpi_store_u32(at, entries[i].id);
        bpi_store_u16(at + 4, entries[i].version);
        bpi_store_u16(at + 6, entries[i].min_compatible);
        bpi_store_u64(at + 8, entries[i].hash);
    }
}

void bpt_say_small(bpt_bytes *b, uint64_t seed) {
    bpt_say_head(b, BPT_SMALL_TYPE, BPT_SMALL_MIN);
    bpt_frame_fill(b->data + b->length, BPT_SMALL_MIN, seed);
    b->length += BPT_SMALL_MIN;
}

void bpt_say_goodbye(bpt_bytes *b) { bpt_say_control(b, 2, 0, 2); }

/* ---- a server, and a raw peer ---- */

static const bp_layout layouts[] = {{BPT_TALK_OLDEST, 0x33}, {5, 0x55}, {BPT_TALK_NOW, 0x66}};

void bpt_talk_open(bpt_side *side, bp_conn *conn) {
    bpt_talk *talk = side->data;
    talk->version = bp_conn_peer_version(conn, &talk->schema);
}

static void on_close(bpt_side *side, bp_conn *conn) {
    bpt_talk *talk = side->data;
    talk->version_at_close = bp_conn_peer_version(conn, &talk->schema);
    bp_conn_why_text(conn, talk->why, sizeof talk->why);
}

void bpt_talk_init(bpt_talk *talk) {
    memset(talk, 0, sizeof *talk);
    bpt_rig_init(&talk->rig);
    talk->schema = bpt_frame_schema;
    talk->schema.id = BPT_TALK_ID;
    talk->schema.version = BPT_TALK_NOW;
    talk->schema.min_compatible = BPT_TALK_OLDEST;
    talk->schema.layouts = layouts;
    talk->schema.layout_count = sizeof layouts / sizeof layouts[0];
    talk->rig.server.data = talk;
    talk->rig.server.on_open = bpt_talk_open;
    talk->rig.server.on_close = on_close;
    talk->fd = -1;
}

bp_server_config bpt_talk_configure(bpt_talk *talk, bp_hello hello) {
    talk->rig.server.hello = hello;
    bp_server_config config = bpt_rig_server_config(&talk->rig, BPT_WAYS - 1);
    config.conn.services[0].schema = &talk->schema;
    return config;
}

void bpt_talk_start(bpt_talk *talk, bp_hello hello) {
    bpt_talk_init(talk);
    const bp_server_config config = bpt_talk_configure(talk, hello);
    bpt_rig_listen(&talk->rig, &config, BPT_WAYS - 1);
    talk->fd = bpt_rig_raw(&talk->rig);
}

void bpt_talk_put(const bpt_talk *talk, const void *data, size_t length) {
    bpt_must(write(talk->fd, data, length) == (ssize_t)length);
}

bool bpt_talk_is_over(const bpt_talk *talk) {
    bp_server_stats stats;
    bp_server_stats_read(talk->rig.server.server, &stats);
    return stats.connections_accepted == 1 && stats.connections_open == 0;
}

void bpt_talk_whole(bpt_talk *talk, const bpt_bytes *b) {
    bpt_talk_put(talk, b->data, b->length);
    bpt_must(shutdown(talk->fd, SHUT_WR) == 0);
    bpt_rig_until(&talk->rig, bpt_talk_is_over(talk));
}

void bpt_talk_fini(bpt_talk *talk) {
    if (talk->fd >= 0) close(talk->fd);
    bpt_rig_fini(&talk->rig);
}
