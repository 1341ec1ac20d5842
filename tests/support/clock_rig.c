#define _GNU_SOURCE
#include "tests/support/clock_rig.h"

#include <unistd.h>

bpi_loop *bpt_clock_loop(bpt_rig *rig) { return rig->server.conn->end->loop; }

bool bpt_clock_is_ticking(bpt_rig *rig) { return uv_is_active((uv_handle_t *)&bpt_clock_loop(rig)->timer); }

void bpt_clock_pass(bpt_rig *rig, uint32_t ms) {
    for (uint32_t passed = 0; passed < ms && rig->server.closes == 0; passed += BPT_CLOCK_STEP) {
        bpi_loop_tick(bpt_clock_loop(rig), BPT_CLOCK_STEP);
        bpt_rig_turn(rig, 3);
    }
}

bp_server_config bpt_clock_config(bpt_rig *rig, int way) {
    bp_server_config config = bpt_rig_server_config(rig, way);
    config.conn.handshake_ms = config.conn.frame_ms = config.conn.stall_ms = UINT32_MAX;
    config.conn.finish_ms = config.conn.idle_ms = UINT32_MAX;
    return config;
}

int bpt_clock_start(bpt_rig *rig, const bp_server_config *config, int way) {
    bpt_rig_listen(rig, config, way);
    const int fd = bpt_rig_raw(rig);
    bpt_rig_until(rig, rig->server.opens == 1);
    return fd;
}

void bpt_clock_put(int fd, const bpt_wire *wire, size_t from, size_t count) {
    ck_assert_int_eq(write(fd, wire->data + from, count), (ssize_t)count);
}

int bpt_clock_start_frame(bpt_rig *rig, int way, uint32_t frame_ms) {
    bpt_rig_init(rig);
    bp_server_config config = bpt_clock_config(rig, way);
    config.conn.frame_ms = frame_ms;
    return bpt_clock_start(rig, &config, way);
}

void bpt_clock_block(bpt_rig *rig) {
    for (uint64_t n = 0; n < 12; n++) bpt_send(rig->server.conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, n);
    bpt_rig_until(rig, rig->server.conn->write != NULL);
    bpt_rig_turn(rig, 20);
    ck_assert_ptr_nonnull(rig->server.conn->write);
}
