#define _GNU_SOURCE
/* One consumer that does not read among a hundred that do: it neither slows them nor has memory grow beyond its mark,
 * whatever the policy. Real sockets; time is counted in turns of the loop. */
#include "tests/support/frame_rig.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAST = 100, MARK = 100000, VALUE = 4800, FRAME = VALUE + BP_FRAME_HEADER_SIZE, FEWEST = 160 };

/* Enough to fill what the kernel keeps for the slow one and its queue, however slow the build. */
static uint64_t frame_total(void) { return FEWEST + bpt_scaled(140); }

/* What one consumer has read. */
typedef struct consumer {
    int fd;
    uint8_t bytes[FRAME];
    size_t have; /* of the frame that is not whole */
    uint64_t next, missing;
} consumer;

typedef struct crowd {
    bpt_rig rig;
    consumer all[FAST + 1]; /* the last one is slow */
    bp_conn *slow;
    uint64_t most_queued, most_in_use;
    uint32_t seen; /* connections the server has opened */
} crowd;

static void on_open(bpt_side *side, bp_conn *conn) {
    crowd *c = side->data;
    if (++c->seen == FAST + 1) c->slow = conn;
}

static void on_close(bpt_side *side, bp_conn *conn) {
    crowd *c = side->data;
    if (conn == c->slow) c->slow = NULL;
}

/* What the kernel is to keep for a consumer: little, as how much it would otherwise is its own affair; or again
 * much. */
static void hold(int fd, int bytes) {
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes), 0);
}

static void start(crowd *c, int way, bp_full policy) {
    bpt_rig_init(&c->rig);
    c->rig.server.data = c;
    c->rig.server.on_open = on_open;
    c->rig.server.on_close = on_close;
    bp_server_config config = bpt_rig_server_config(&c->rig, way);
    config.conn.send_queue_bytes = MARK;
    config.conn.full_policy = policy;
    bpt_rig_listen(&c->rig, &config, way);
    for (uint32_t i = 0; i <= FAST; i++) {
        c->all[i].fd = bpt_rig_raw_met(&c->rig);
        if (i == FAST) hold(c->all[i].fd, 4096);
    }
}

static bp_buf *number_frame(bp_pool *pool, uint64_t number) {
    bp_buf *buf = bpt_frame_buf(pool, BPT_LARGE_TYPE, VALUE, number);
    bpi_store_u64(bp_buf_data(buf), number);
    return buf;
}

/* What frame number `number` carries; most are asked for a hundred times in a row. */
static const uint8_t *expected_value(uint64_t number) {
    static uint8_t value[VALUE];
    static uint64_t last = UINT64_MAX;
    if (number != last) {
        bpt_frame_fill(value, VALUE, number);
        bpi_store_u64(value, number);
        last = number;
    }
    return value;
}

/* A frame is whole: in order, and its bytes are its own. */
static void take_frame(consumer *one) {
    const uint8_t *value = one->bytes + BP_FRAME_HEADER_SIZE;
    const uint64_t number = bpi_load_u64(value);
    bpt_must(bpi_load_u16(one->bytes) == BPT_LARGE_TYPE && bpi_load_u32(one->bytes + 2) == VALUE);
    bpt_must(number >= one->next);
    bpt_must(memcmp(value, expected_value(number), VALUE) == 0);
    one->missing += number - one->next;
    one->next = number + 1;
    one->have = 0;
}

/* Reads what is there; false at the end of the stream. */
static bool read_some(consumer *one) {
    for (;;) {
        const ssize_t n = recv(one->fd, one->bytes + one->have, FRAME - one->have, MSG_DONTWAIT);
        if (n <= 0) return n != 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        one->have += (size_t)n;
        if (one->have == FRAME) take_frame(one);
    }
}

static void note_memory(crowd *c) {
    const uint64_t queued = c->slow == NULL ? 0 : bp_conn_queued_bytes(c->slow);
    const uint64_t in_use = bpt_pool_in_use(bp_server_pool(c->rig.server.server));
    if (queued > c->most_queued) c->most_queued = queued;
    if (in_use > c->most_in_use) c->most_in_use = in_use;
}

/* Sends a frame to all; every fast consumer has it after one turn. */
static void send_to_all(crowd *c, uint64_t number) {
    bp_buf *buf = number_frame(bp_server_pool(c->rig.server.server), number);
    const size_t took = bp_server_broadcast_take(c->rig.server.server, &buf);
    bpt_must(took >= FAST && buf == NULL);
    note_memory(c);
    uv_run(&c->rig.loop, UV_RUN_NOWAIT);
    note_memory(c);
    for (int i = 0; i < FAST; i++) {
        bpt_must(read_some(&c->all[i]));
        while (c->all[i].next != number + 1) { /* TCP may be on its way still; the loop has done its part */
            bpt_must(read_some(&c->all[i]));
        }
    }
}

/* Reads everything that was meant for the slow one; false when the stream ended. */
static bool drain_slow(crowd *c) {
    consumer *slow = &c->all[FAST];
    hold(slow->fd, 1 << 20); /* through a small window the rest takes ten seconds */
    while (c->slow != NULL && bp_conn_queued_bytes(c->slow) != 0) {
        if (!read_some(slow)) return false;
        uv_run(&c->rig.loop, UV_RUN_NOWAIT);
    }
    if (c->slow != NULL) {
        bp_conn_finish(c->slow);
        uv_run(&c->rig.loop, UV_RUN_NOWAIT);
    }
    while (read_some(slow)) uv_run(&c->rig.loop, UV_RUN_NOWAIT);
    return true;
}

static void finish(crowd *c) {
    for (int i = 0; i <= FAST; i++) close(c->all[i].fd);
    bpt_rig_until(&c->rig, c->rig.server.closes == FAST + 1);
    ck_assert_uint_eq(c->rig.server.in_use_at_close, 0);
    bpt_rig_fini(&c->rig);
}

/* _i & 1: transport; the rest: policy. */
START_TEST(a_slow_consumer_harms_nobody) {
    static const bp_full policies[] = {BP_FULL_REFUSE, BP_FULL_DROP_NEW, BP_FULL_DROP_OLD, BP_FULL_CLOSE};
    const bp_full policy = policies[_i / 2];
    const uint64_t total = frame_total();
    bp_server_stats stats;
    crowd *c = calloc(1, sizeof *c);
    ck_assert_ptr_nonnull(c);
    start(c, (_i & 1) | 2, policy);
    for (uint64_t n = 0; n < total; n++) send_to_all(c, n);
    ck_assert_uint_le(c->most_queued, MARK);
    /* What is queued for the slow one, the frame that is under way and a rest of a write. */
    ck_assert_uint_le(c->most_in_use, MARK / FRAME + 3);
    bp_server_stats_read(c->rig.server.server, &stats);
    ck_assert_uint_eq(stats.connections_open, policy == BP_FULL_CLOSE ? FAST : FAST + 1);
    (void)drain_slow(c);
    const consumer *slow = &c->all[FAST];
    const uint64_t lost = total - slow->next + slow->missing;
    ck_assert_uint_gt(lost, 0);
    bp_server_stats_read(c->rig.server.server, &stats);
    if (policy == BP_FULL_REFUSE) ck_assert_uint_eq(stats.conn.sends_refused, lost);
    if (policy == BP_FULL_DROP_NEW || policy == BP_FULL_DROP_OLD) ck_assert_uint_eq(stats.conn.frames_dropped, lost);
    if (policy == BP_FULL_DROP_OLD) ck_assert_uint_eq(slow->next, total);
    if (policy == BP_FULL_DROP_NEW) ck_assert_uint_eq(slow->missing, 0);
    finish(c);
    free(c);
}
END_TEST

BPT_SUITE(integration_slow_consumer) {
    BPT_LOOP_TEST(a_slow_consumer_harms_nobody, 0, 8);
}
