#define _GNU_SOURCE
/* A server whose pool is dry at any one acquire, at every second one, at every one: what its handlers get and what its
 * peer gets is the same as when there is memory. */
#include "tests/support/dry_pool.h"
#include "tests/support/frame_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAMES = 40, CHUNK_MAX = 30000, REPLY = 9000, LARGE_REPLY = 50000 };

/* What became of one run: the frames that were handled to their end, and every byte of the answers. */
typedef struct outcome {
    struct {
        uint32_t length;
        uint16_t type;
        bool is_right;
    } frames[FRAMES];
    unsigned frame_count, refused_count;
    bpt_wire answers;
    uint64_t acquires;
} outcome;

static uint16_t type_of(unsigned n) {
    static const uint16_t types[] = {BPT_SMALL_TYPE, BPT_LARGE_TYPE, BPT_MEDIUM_TYPE, BPT_EMPTY_TYPE, BPT_HUGE_TYPE,
                                     BPT_SMALL_TYPE, BPT_DELIVERED_TYPE};
    return types[n % 7];
}

static uint32_t length_of(unsigned n) {
    const uint16_t type = type_of(n);
    if (type == BPT_DELIVERED_TYPE) return 300;
    return bpt_frame_min(type) + n * 37u % (bpt_frame_max(type) - bpt_frame_min(type) + 1);
}

/* ---- the handlers: one for each way to need memory ---- */

static bp_err answer(bp_conn *conn, uint32_t length, uint64_t seed) {
    bp_buf *buf = NULL;
    bp_err err = bp_conn_acquire(conn, length, &buf);
    if (err != BP_OK) return err;
    bpt_frame_fill(bp_buf_data(buf), length, seed);
    bp_buf_set_length(buf, length);
    bp_buf_set_type(buf, BPT_LARGE_TYPE);
    err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

static bp_err answer_in_place(bp_conn *conn, uint32_t length, uint64_t seed) {
    uint8_t *value;
    const bp_err err = bp_conn_frame_begin(conn, BPT_LARGE_TYPE, length, &value);
    if (err != BP_OK) return err;
    bpt_frame_fill(value, length, seed);
    return bp_conn_frame_end(conn, length);
}

static bp_err answer_twice(bp_conn *conn, uint64_t seed) {
    bp_err err = answer_in_place(conn, LARGE_REPLY, seed);
    if (err == BP_OK) err = answer(conn, REPLY, seed + 1);
    if (err == BP_OK) err = answer(conn, 100, seed + 2);
    return err;
}

static bp_err keep(bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    const bp_err err = bp_conn_keep(conn, &buf);
    if (err == BP_OK) bpt_must(bp_buf_length(buf) == frame->length && bp_buf_type(buf) == frame->type);
    bp_buf_release(buf);
    return err;
}

static bp_err answer_by_type(bp_conn *conn, const bp_frame *frame, uint64_t seed) {
    switch (frame->type) {
    case BPT_SMALL_TYPE: return answer(conn, REPLY, seed);
    case BPT_MEDIUM_TYPE: return keep(conn, frame);
    case BPT_EMPTY_TYPE: return keep(conn, frame);
    case BPT_HUGE_TYPE: return answer_twice(conn, seed);
    default: return answer_in_place(conn, 20, seed);
    }
}

static bp_err handle(outcome *out, bp_conn *conn, const bp_frame *frame) {
    const unsigned n = out->frame_count;
    bpt_must(n < FRAMES);
    const bool is_right = bpt_frame_is_filled(frame->value, frame->length, n); /* before it is kept and given back */
    const bp_err err = answer_by_type(conn, frame, n);
    if (err == BP_ERR_LIMIT) out->refused_count++;
    if (err != BP_OK) return err;
    out->frames[n].type = frame->type;
    out->frames[n].length = frame->length;
    out->frames[n].is_right = is_right;
    out->frame_count++;
    return BP_OK;
}

static bp_err on_frame(bpt_side *side, bp_conn *conn, const bp_frame *frame) { return handle(side->data, conn, frame); }

static bp_err on_unknown(bp_conn *conn, const bp_frame *frame, void *user) {
    return handle(((bpt_side *)user)->data, conn, frame);
}

/* ---- one run ---- */

static void read_answers(int fd, outcome *out) {
    uint8_t bytes[65536];
    for (;;) {
        const ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (n <= 0) return;
        if (out->answers.length + (size_t)n > out->answers.capacity) {
            out->answers.capacity = 2 * (out->answers.length + (size_t)n);
            out->answers.data = realloc(out->answers.data, out->answers.capacity);
            bpt_must(out->answers.data != NULL);
        }
        memcpy(out->answers.data + out->answers.length, bytes, (size_t)n);
        out->answers.length += (size_t)n;
    }
}

/* A few turns of the loop, then the pool has memory for whoever waits. */
static void turn(bpt_rig *rig, int fd, outcome *out, bp_pool *pool) {
    for (int i = 0; i < 3; i++) uv_run(&rig->loop, UV_RUN_NOWAIT);
    read_answers(fd, out);
    bpt_dry_pool_grant(pool);
}

static void exchange(bpt_rig *rig, int fd, const bpt_wire *wire, outcome *out, bp_pool *pool) {
    bpt_random random = {.state = 7};
    for (size_t at = 0; at < wire->length;) {
        const size_t left = wire->length - at, chunk = 1 + bpt_random_below(&random, CHUNK_MAX);
        const ssize_t n = send(fd, wire->data + at, chunk < left ? chunk : left, MSG_DONTWAIT);
        if (n > 0) at += (size_t)n;
        turn(rig, fd, out, pool);
    }
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    while (rig->server.closes == 0) turn(rig, fd, out, pool);
    read_answers(fd, out);
}

static void run(int way, const bpt_wire *wire, uint64_t refused, uint64_t every, outcome *out) {
    bpt_rig rig;
    bp_pool *pool = bpt_dry_pool();
    memset(out, 0, sizeof *out);
    bpt_rig_init(&rig);
    rig.server.on_frame = on_frame;
    rig.server.data = out;
    bp_server_config config = bpt_rig_server_config(&rig, way);
    config.conn.on_unknown = on_unknown;
    config.conn.pool = pool;
    bpt_rig_listen(&rig, &config, way);
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    bpt_dry_pool_refuse(pool, refused, every);
    exchange(&rig, fd, wire, out, pool);
    bpt_must(rig.server.why == BP_ERR_END);
    out->acquires = bpt_dry_pool_acquires(pool);
    bpt_must(bpt_dry_pool_waiting(pool) == 0);
    bpt_must(refused == UINT64_MAX || refused >= out->acquires || bpt_dry_pool_waits(pool) != 0);
    bpt_must(bpt_pool_in_use(pool) == 0);
    close(fd);
    bpt_rig_fini(&rig);
    bp_pool_release_take(&pool);
}

static void check_same(const outcome *one, const outcome *other) {
    bpt_must(one->frame_count == FRAMES && other->frame_count == FRAMES);
    for (unsigned n = 0; n < FRAMES; n++) {
        bpt_must(other->frames[n].type == type_of(n) && other->frames[n].length == length_of(n));
        bpt_must(other->frames[n].is_right);
    }
    bpt_must(one->answers.length == other->answers.length);
    bpt_must(memcmp(one->answers.data, other->answers.data, one->answers.length) == 0);
}

static void make_wire(bpt_wire *wire) {
    *wire = (bpt_wire){0};
    bpt_wire_add_hello(wire);
    for (unsigned n = 0; n < FRAMES; n++) bpt_wire_add(wire, type_of(n), length_of(n), n);
    bpt_wire_add_goodbye(wire);
}

START_TEST(a_pool_that_is_dry_once_changes_nothing) {
    bpt_wire wire;
    outcome full, dry;
    unsigned refused_count = 0;
    make_wire(&wire);
    run(_i, &wire, UINT64_MAX, 0, &full);
    ck_assert_uint_eq(full.refused_count, 0);
    ck_assert_uint_gt(full.acquires, FRAMES);
    for (uint64_t at = 0; at < full.acquires; at++) {
        run(_i, &wire, at, 0, &dry);
        check_same(&full, &dry);
        refused_count += dry.refused_count;
        bpt_wire_free(&dry.answers);
    }
    ck_assert_uint_ge(refused_count, FRAMES / 2); /* handlers were among them, and readers */
    ck_assert_uint_lt(refused_count, full.acquires);
    bpt_wire_free(&full.answers);
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(a_pool_that_is_dry_again_and_again_changes_nothing) {
    bpt_wire wire;
    outcome full, dry;
    make_wire(&wire);
    run(_i, &wire, UINT64_MAX, 0, &full);
    for (uint64_t every = 1; every < 5; every++) {
        run(_i, &wire, 0, every, &dry);
        check_same(&full, &dry);
        bpt_wire_free(&dry.answers);
    }
    bpt_wire_free(&full.answers);
    bpt_wire_free(&wire);
}
END_TEST

BPT_SUITE(integration_dry_pool) {
    BPT_TIMEOUT(120);
    BPT_LOOP_TEST(a_pool_that_is_dry_once_changes_nothing, 0, 2);
    BPT_LOOP_TEST(a_pool_that_is_dry_again_and_again_changes_nothing, 0, 2);
}
