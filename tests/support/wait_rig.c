#define _GNU_SOURCE
#include "tests/support/wait_rig.h"

#include <string.h>

bpt_wait_log bpt_got;
bpt_wait_answers bpt_answer;

void bpt_wait_start(bpt_rig *rig, int way, uint64_t partial_limit) {
    bpt_rig_init(rig);
    bp_server_config config = bpt_rig_server_config(rig, way);
    config.conn.pool_config.memory_limit = BPT_WAIT_LIMIT;
    config.conn.partial_limit = partial_limit;
    bpt_rig_listen(rig, &config, way);
}

void bpt_wait_join(bpt_rig *rig, int ix, int way) {
    const bp_client_config config = bpt_rig_client_config(rig, ix, way);
    const unsigned served = rig->server.opens;
    bpt_rig_connect(rig, ix, &config);
    bpt_rig_until(rig, rig->clients[ix].opens == 1 && rig->server.opens == served + 1);
    bpt_rig_until(rig, bpt_has_met(rig->server.conn) && bpt_has_met(rig->clients[ix].conn));
}

bp_pool *bpt_wait_pool(const bpt_rig *rig) { return bp_server_pool(rig->server.server); }

uint64_t bpt_waiting(const bpt_rig *rig) {
    bp_server_stats stats;
    bp_server_stats_read(rig->server.server, &stats);
    return stats.connections_waiting;
}

uint64_t bpt_waits(const bpt_rig *rig) {
    bp_server_stats stats;
    bp_server_stats_read(rig->server.server, &stats);
    return stats.conn.waits;
}

void bpt_wait_settle(bpt_rig *rig) { bpt_rig_turn(rig, 20); }

int bpt_wait_begin_frame(bpt_rig *rig, bpt_wire *wire, uint16_t type, uint32_t length, uint64_t seed) {
    const int fd = bpt_rig_raw_met(rig);
    bpt_wire_add(wire, type, length, seed);
    bpt_raw_write(fd, wire->data, 100);
    const uint64_t before = bpt_pool_in_use(bpt_wait_pool(rig));
    bpt_rig_until(rig, bpt_pool_in_use(bpt_wait_pool(rig)) == before + 1);
    return fd;
}

void bpt_wait_keep_chunk(bpt_rig *rig) {
    bpt_send(rig->clients[0].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(rig, bpt_waiting(rig) == 1);
}

void bpt_note_time(uv_timer_t *timer) { *(bool *)timer->data = true; }

/* ---- handlers ---- */

uint64_t bpt_wait_seed(const bp_frame *frame) {
    for (uint64_t seed = 0; seed < BPT_WAIT_SEEDS; seed++) {
        if (bpt_frame_is_filled(frame->value, frame->length, seed)) return seed;
    }
    ck_abort_msg("a frame that nobody sent");
}

bp_err bpt_wait_note(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)side, (void)conn;
    bpt_must(bpt_got.count < 64);
    bpt_got.seeds[bpt_got.count++] = bpt_wait_seed(frame);
    return BP_OK;
}

void bpt_wait_check(unsigned count, const uint64_t *seeds) {
    ck_assert_uint_eq(bpt_got.count, count);
    for (unsigned i = 0; i < count; i++) ck_assert_uint_eq(bpt_got.seeds[i], seeds[i]);
}

void bpt_wait_expect(uint32_t size, uint32_t count) {
    bpt_answer.size = size;
    bpt_answer.count = count;
    memset(&bpt_got, 0, sizeof bpt_got);
}

bp_err bpt_wait_send_answers(bp_conn *conn, uint64_t seed) {
    bpt_got.runs++;
    for (uint32_t i = 0; i < bpt_answer.count; i++) {
        bp_buf *buf = NULL;
        bp_err err = bp_conn_acquire(conn, bpt_answer.size, &buf);
        if (err != BP_OK) return err;
        bpt_must(bp_buf_length(buf) == 0 && bp_buf_capacity(buf) >= bpt_answer.size);
        bpt_must((uintptr_t)bp_buf_data(buf) % 16 == 0);
        bpt_frame_fill(bp_buf_data(buf), bpt_answer.size, seed * bpt_answer.count + i);
        bp_buf_set_length(buf, bpt_answer.size);
        bp_buf_set_type(buf, BPT_LARGE_TYPE);
        err = bp_conn_send_take(conn, &buf);
        if (err == BP_OK) continue;
        bp_buf_release(buf);
        return err;
    }
    return BP_OK;
}

bp_err bpt_wait_answer(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const bp_err err = bpt_wait_send_answers(conn, bpt_wait_seed(frame));
    return err == BP_OK ? bpt_wait_note(side, conn, frame) : err;
}

bp_err bpt_wait_check_answer(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    bpt_must(frame->length == bpt_answer.size);
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, side->frames - 1));
    return BP_OK;
}
