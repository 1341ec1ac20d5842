#define _GNU_SOURCE
/* What a server holds of the system's memory, whatever its peers do: the sum of docs/BUFFER_POOL.md, "What a server
 * holds besides", seen from the system's side, at every turn of the loop. */
#include "tests/support/frame_rig.h"
#include "tests/support/os_meter.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS = 240, LIMIT = 8 << 20, FORCED = 1 << 20, REQUESTS = 12, KIB = 1024 };

/* What peers do, and nothing more ever. */
enum kind { IN_HEADER, IN_FRAME, IN_CONTROL, DEAF, BEHIND_HEADER, SILENT, KINDS };

static struct {
    bpt_rig rig;
    int fds[PEERS];
    uint64_t base, most;
} all;

/* As many answers as there is memory for, to who never reads one. */
static bp_err answer(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)side, (void)frame;
    bp_err err = bp_conn_acquire(conn, BPT_HUGE_MAX, &buf);
    if (err != BP_OK) return err;
    bp_buf_set_length(buf, BPT_HUGE_MAX);
    bp_buf_set_type(buf, BPT_HUGE_TYPE);
    err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

static void say(int fd, enum kind kind, int ix) {
    bpt_wire wire = {0};
    size_t count = 0;
    switch (kind) {
    case IN_HEADER: bpt_wire_add_head(&wire, BPT_HUGE_TYPE, BPT_HUGE_MIN), count = 1 + (size_t)ix % 5; break;
    case BEHIND_HEADER: bpt_wire_add_head(&wire, BPT_HUGE_TYPE, BPT_HUGE_MIN), count = wire.length; break;
    case IN_FRAME: bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 1), count = 30000; break;
    case IN_CONTROL: bpt_wire_add(&wire, 0, 512, 1), count = 100; break;
    case DEAF:
        for (int i = 0; i < REQUESTS; i++) bpt_wire_add(&wire, BPT_SMALL_TYPE, BPT_SMALL_MAX, 1);
        count = wire.length;
        break;
    default: break;
    }
    ck_assert(count == 0 || send(fd, wire.data, count, MSG_DONTWAIT) == (ssize_t)count);
    bpt_wire_free(&wire);
}

static uint64_t held(void) { return bpt_os_meter_bytes() + bpt_os_meter_bookkeeping() - all.base; }

static void check_held(void) {
    bp_server_stats stats;
    bp_server_stats_read(all.rig.server.server, &stats);
    const uint64_t open = stats.connections_open, of_a_kind = PEERS / KINDS;
    const uint64_t queued = bpt_pool_in_use(bp_server_pool(all.rig.server.server)) + of_a_kind * 4; /* rings' least */
    const uint64_t besides = 512 * KIB + open * 512 + stats.connections_waiting * 384 +
                             of_a_kind * (4 * KIB + KIB / 2) + of_a_kind * KIB + queued * 16;
    bpt_must(held() <= LIMIT + FORCED + besides);
    if (all.most < held()) all.most = held();
}

static void turn(void) {
    uv_run(&all.rig.loop, UV_RUN_NOWAIT);
    check_held();
}

static uint64_t waiting(void) {
    bp_server_stats stats;
    bp_server_stats_read(all.rig.server.server, &stats);
    return stats.connections_waiting;
}

static void start(int way) {
    bpt_os_meter();
    bpt_rig_init(&all.rig);
    all.rig.server.hello = BP_HELLO_OFF;
    all.rig.server.on_frame = answer;
    bp_server_config config = bpt_rig_server_config(&all.rig, way);
    config.conn.pool_config.memory_limit = LIMIT;
    config.conn.pool_config.forced_limit = FORCED;
    config.conn.frame_ms = config.conn.stall_ms = UINT32_MAX;
    bpt_rig_listen(&all.rig, &config, way);
    all.base = bpt_os_meter_bytes() + bpt_os_meter_bookkeeping();
}

START_TEST(crowds_that_mean_harm_take_no_more_than_is_said) {
    start(_i);
    for (int i = 0; i < PEERS; i++) {
        all.fds[i] = bpt_rig_raw(&all.rig);
        say(all.fds[i], (enum kind)(i % KINDS), i);
        turn();
    }
    /* Nearly all that are in a frame, and all that do not read, find no memory in the end. */
    while (waiting() < 2 * (uint64_t)PEERS / KINDS) turn();
    for (int i = 0; i < 1000; i++) turn();
    ck_assert_uint_gt(all.most, LIMIT / 2);
    ck_assert_uint_eq(all.rig.server.closes, 0);
    for (int i = 0; i < PEERS; i++) close(all.fds[i]);
    while (all.rig.server.closes < PEERS) turn();
    ck_assert_uint_eq(bpt_pool_in_use(bp_server_pool(all.rig.server.server)), 0);
    bpt_rig_fini(&all.rig);
    ck_assert_uint_eq(bpt_os_meter_bookkeeping(), 0);
}
END_TEST

/* Frames that are short for their class: the budget counts what their buffers take. */
START_TEST(frames_that_waste_their_class_take_no_more_than_the_budget) {
    enum { TOGETHER = 2, CROWD = 10 };
    bpt_rig rig;
    int fds[CROWD];
    bpt_wire wire = {0};
    bp_server_stats stats = {0};
    bpt_rig_init(&rig);
    rig.server.hello = BP_HELLO_OFF;
    bp_server_config config = bpt_rig_server_config(&rig, _i);
    config.conn.partial_limit = TOGETHER * (uint64_t)BPT_HUGE_MAX;
    bpt_rig_listen(&rig, &config, _i);
    bp_pool *pool = bp_server_pool(rig.server.server);
    ck_assert_uint_ge(bp_pool_stride(pool, BPT_HUGE_MIN), BPT_HUGE_MAX);
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 1);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = bpt_rig_raw(&rig);
        ck_assert_int_eq(write(fds[i], wire.data, 1000), 1000);
    }
    bpt_rig_until(&rig, (bp_server_stats_read(rig.server.server, &stats),
                         stats.connections_waiting == CROWD - TOGETHER));
    ck_assert_uint_eq(bpt_pool_in_use(pool), TOGETHER);
    for (int i = 0; i < CROWD; i++) close(fds[i]);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(integration_held) {
    BPT_LOOP_TEST(crowds_that_mean_harm_take_no_more_than_is_said, 0, BPT_WAYS);
    BPT_LOOP_TEST(frames_that_waste_their_class_take_no_more_than_the_budget, 2, BPT_WAYS);
}
