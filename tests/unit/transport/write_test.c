#define _GNU_SOURCE
#include "tests/support/frame_rig.h"
#include "transport/send_internal.h"

/* Connections whose sockets are full: nothing is lost and nothing comes twice, with memory and without. */

enum { SMALL = 100, FRAME = SMALL + BP_FRAME_HEADER_SIZE, TRIES = 200 };

static bp_err check_order(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, side->frames - 1));
    return BP_OK;
}

/* Two clients with a pool of limit bytes; the server reads nothing. */
static void start_limited(bpt_rig *rig, int way, uint64_t limit, bp_pool **pool) {
    bpt_rig_init(rig);
    bpt_ok(bp_heap_pool_new(limit, pool));
    const bp_server_config server = bpt_rig_server_config(rig, way);
    bpt_rig_listen(rig, &server, way);
    for (int i = 0; i < 2; i++) {
        bp_client_config client = bpt_rig_client_config(rig, i, way);
        client.conn.pool = *pool;
        client.conn.stall_ms = UINT32_MAX;
        bpt_rig_connect(rig, i, &client);
        bpt_rig_until(rig, rig->clients[i].opens == 1 && rig->server.opens == (unsigned)i + 1);
        bp_conn_pause(rig->server.conn);
        rig->server.data = i == 0 ? rig->server.conn : rig->server.data;
    }
}

static bp_err begin_and_fill(bp_conn *conn, uint64_t seed) {
    uint8_t *value = NULL;
    const bp_err err = bp_conn_frame_begin(conn, BPT_SMALL_TYPE, SMALL, &value);
    if (err != BP_OK) return err;
    bpt_frame_fill(value, SMALL, seed);
    return bp_conn_frame_end(conn, SMALL);
}

/* Writes frames without buffers until the socket is full; returns how many. */
static uint64_t fill_socket(bpt_rig *rig, bp_conn *conn, uint64_t first) {
    uint64_t n = first;
    for (int i = 0; i < TRIES && conn->write == NULL; i++) {
        bp_err err = BP_OK;
        while (conn->write == NULL && (err = begin_and_fill(conn, n)) == BP_OK) n++;
        uv_run(&rig->loop, UV_RUN_NOWAIT);
    }
    ck_assert_ptr_nonnull(conn->write);
    return n;
}

/* Takes all memory but `left` bytes. */
static bp_buf *take_memory(bp_pool *pool, uint64_t limit, uint64_t left) {
    bp_buf *all = NULL;
    bpt_ok(bp_pool_acquire(pool, limit - left, &all));
    return all;
}

static void finish_and_check(bpt_rig *rig, bp_conn *server_conn, uint64_t sent) {
    rig->server.on_frame = check_order;
    bp_conn_resume(server_conn);
    bp_conn_finish(rig->clients[0].conn);
    bpt_rig_until(rig, rig->clients[0].closes == 1);
    ck_assert_uint_eq(rig->server.frames, sent);
    ck_assert_uint_eq(rig->clients[0].stats.frames_out, sent);
    ck_assert_uint_eq(rig->clients[0].stats.bytes_out, BPT_HELLO_BYTES + sent * FRAME + BPT_GOODBYE_BYTES);
}

START_TEST(what_a_full_socket_does_not_take_waits_in_a_buffer) {
    enum { LIMIT = 1 << 20 };
    bpt_rig rig;
    bp_pool *pool = NULL;
    start_limited(&rig, _i, LIMIT, &pool);
    bp_conn *conn = rig.clients[0].conn;
    uint64_t sent = fill_socket(&rig, conn, 0);
    ck_assert(!conn->end->loop->stage.is_stuck);
    ck_assert_ptr_ne(conn->end->loop->stage.holder, conn);
    ck_assert_uint_le(bpt_pool_in_use(pool), 2); /* and the first frame that was queued */
    ck_assert_uint_gt(bp_conn_queued_bytes(conn), 0);
    bp_conn_stats stats;
    bp_conn_stats_read(conn, &stats);
    ck_assert_uint_eq(stats.bytes_out + bp_conn_queued_bytes(conn), BPT_HELLO_BYTES + sent * FRAME);
    ck_assert_uint_eq(stats.frames_out, (stats.bytes_out - BPT_HELLO_BYTES) / FRAME);
    for (uint64_t end = sent + 10; sent < end; sent++) bpt_ok(begin_and_fill(conn, sent));
    finish_and_check(&rig, rig.server.data, sent);
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bp_pool_release_take(&pool);
}
END_TEST

/* Without memory the connection keeps the stage. How much the kernel takes of a write is its affair: until more is left
 * over than a blocked write has room for, the socket is emptied and filled again. */
static uint64_t get_stuck(bpt_rig *rig, bp_conn *conn) {
    const bpi_stage *stage = &conn->end->loop->stage;
    uint64_t sent = fill_socket(rig, conn, 0);
    for (int i = 0; i < TRIES && !stage->is_stuck; i++) {
        rig->server.on_frame = check_order;
        bp_conn_resume(rig->server.data);
        bpt_rig_until(rig, rig->server.frames == sent && conn->write == NULL);
        bp_conn_pause(rig->server.data);
        for (int more = 0; more <= i % 50; more++) bpt_ok(begin_and_fill(conn, sent++));
        sent = fill_socket(rig, conn, sent);
    }
    ck_assert(stage->is_stuck);
    ck_assert_ptr_eq(stage->holder, conn);
    return sent;
}

START_TEST(without_memory_the_stage_stays_lent) {
    enum { LIMIT = 1 << 20 };
    bpt_rig rig;
    bp_pool *pool = NULL;
    start_limited(&rig, _i, LIMIT, &pool);
    bp_conn *conn = rig.clients[0].conn;
    bp_buf *memory = take_memory(pool, LIMIT, 4000);
    uint64_t sent = get_stuck(&rig, conn);
    bp_err err = BP_OK;
    while ((err = begin_and_fill(conn, sent)) == BP_OK) sent++;
    bpt_err(err, BP_ERR_LIMIT);
    bp_buf_release(memory);
    finish_and_check(&rig, rig.server.data, sent);
    bpt_rig_fini(&rig);
    bp_pool_release_take(&pool);
}
END_TEST

/* While one connection has the stage, others send through their queues. */
START_TEST(others_go_on_without_the_stage) {
    enum { LIMIT = 1 << 20, OTHERS = 300 };
    bpt_rig rig;
    bp_pool *pool = NULL;
    start_limited(&rig, _i, LIMIT, &pool);
    bp_conn *conn = rig.clients[0].conn;
    bp_buf *memory = take_memory(pool, LIMIT, 4000);
    const uint64_t sent = get_stuck(&rig, conn), before = rig.server.frames;
    bp_buf_release(memory);
    rig.server.on_frame = NULL;
    bp_conn_resume(rig.server.conn);
    for (uint64_t n = 0; n < OTHERS; n++) {
        bpt_ok(begin_and_fill(rig.clients[1].conn, n));
        bpt_send(rig.clients[1].conn, BPT_LARGE_TYPE, BPT_LARGE_MIN, n);
    }
    ck_assert_ptr_eq(conn->end->loop->stage.holder, conn); /* for as long as the kernel takes no more */
    bpt_rig_until(&rig, rig.server.frames == before + 2 * OTHERS);
    ck_assert_uint_eq(bp_conn_queued_bytes(rig.clients[1].conn), 0);
    rig.server.frames = before;
    finish_and_check(&rig, rig.server.data, sent);
    bpt_rig_fini(&rig);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(a_stuck_connection_may_close) {
    enum { LIMIT = 1 << 20 };
    bpt_rig rig;
    bp_pool *pool = NULL;
    start_limited(&rig, _i, LIMIT, &pool);
    bp_conn *conn = rig.clients[0].conn;
    bp_buf *memory = take_memory(pool, LIMIT, 4000);
    const uint64_t sent = get_stuck(&rig, conn), before = rig.server.frames;
    bp_conn_close(conn, BP_ERR_TIMEOUT);
    rig.server.on_frame = NULL;
    bp_conn_resume(rig.server.conn);
    for (uint64_t n = 0; n < 20; n++) bpt_ok(begin_and_fill(rig.clients[1].conn, n)); /* the stage is there again */
    bpt_rig_until(&rig, rig.clients[0].closes == 1 && rig.server.frames == before + 20);
    ck_assert_uint_lt(rig.clients[0].stats.frames_out, sent);
    bp_buf_release(memory);
    bpt_rig_fini(&rig);
    bp_pool_release_take(&pool);
}
END_TEST

/* ---- in the midst of traffic ---- */

static void *no_write(size_t size) { return size == sizeof(bpi_write) ? NULL : bpi_os_system.alloc(size); }

/* A socket may be full for the first time after days: what its connection needs then was made with the first write of
 * its loop. So it was for the connections that come when all others have gone. */
START_TEST(the_first_socket_that_is_full_needs_no_memory) {
    bpt_rig rig;
    bp_pool *pool = NULL;
    start_limited(&rig, _i, 0, &pool);
    bp_conn *conn = rig.clients[0].conn;
    const bpi_loop *loop = conn->end->loop;
    bpt_ok(begin_and_fill(conn, 0));
    bpt_rig_turn(&rig, 1);
    ck_assert_uint_eq(loop->writes.count, 1);
    bpi_os.alloc = no_write;
    const uint64_t sent = fill_socket(&rig, conn, 1);
    ck_assert_uint_eq(loop->writes.count, 0);
    finish_and_check(&rig, rig.server.data, sent);
    bpi_os = bpi_os_system;
    bp_conn_close(rig.clients[1].conn, BP_ERR_CLOSED);
    bp_conn_resume(rig.server.conn);
    bpt_rig_until(&rig, rig.clients[1].closes == 1 && rig.server.closes == 2);
    ck_assert_uint_eq(loop->writes.count, 1);
    bpt_rig_fini(&rig);
    bp_pool_release_take(&pool);
}
END_TEST

/* ---- everything at once ---- */

enum { SIDES = 3, STEPS = 3000 };

typedef struct mill {
    bpt_rig rig;
    bp_pool *pool;
    bp_buf *memory; /* taken away from the connections */
    bpt_random random;
    uint64_t sent[SIDES];
} mill;

/* Each frame carries its client and its number there. */
static bp_err check_number(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    uint64_t *got = side->data;
    const uint8_t from = frame->value[0];
    (void)conn;
    bpt_must(from < SIDES && bpi_load_u32(frame->value + 1) == got[from]);
    bpt_must(bpt_frame_is_filled(frame->value + 5, frame->length - 5, got[from]));
    got[from]++;
    return BP_OK;
}

static void fill(uint8_t *value, uint32_t length, int from, uint64_t number) {
    value[0] = (uint8_t)from;
    bpi_store_u32(value + 1, (uint32_t)number);
    bpt_frame_fill(value + 5, length - 5, number);
}

static bp_err send_buffer(mill *m, int ix, uint16_t type, uint32_t length) {
    bp_buf *buf = NULL;
    bp_err err = bp_pool_acquire(m->pool, length, &buf);
    if (err != BP_OK) return err;
    fill(bp_buf_data(buf), length, ix, m->sent[ix]);
    bp_buf_set_length(buf, length);
    bp_buf_set_type(buf, type);
    err = bp_conn_send_take(m->rig.clients[ix].conn, &buf);
    bp_buf_release(buf);
    return err;
}

static bp_err send_begun(mill *m, int ix, uint16_t type, uint32_t length) {
    uint8_t *value = NULL;
    bp_conn *conn = m->rig.clients[ix].conn;
    const bp_err err = bp_conn_frame_begin(conn, type, length + bpt_random_below(&m->random, 20), &value);
    if (err != BP_OK) return err;
    fill(value, length, ix, m->sent[ix]);
    if (bpt_random_below(&m->random, 10) != 0) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return BP_ERR_LIMIT; /* as good as refused */
}

/* Sends a few frames, or takes back what was sent since a mark. */
static void send_some(mill *m, int ix) {
    const bool is_small = bpt_random_below(&m->random, 4) != 0;
    const uint32_t count = bpt_random_below(&m->random, is_small ? 900 : 20);
    const uint64_t before = m->sent[ix];
    bpi_send_mark mark;
    mark = bpi_send_mark_of(m->rig.clients[ix].conn);
    const uint64_t writes = m->rig.clients[ix].conn->writes;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t length = is_small ? 8 + bpt_random_below(&m->random, 112)
                                         : BPT_LARGE_MIN + bpt_random_below(&m->random, BPT_LARGE_MAX - BPT_LARGE_MIN);
        const uint16_t type = is_small ? BPT_SMALL_TYPE : BPT_LARGE_TYPE;
        const bp_err err = bpt_random_below(&m->random, 2) == 0 ? send_buffer(m, ix, type, length)
                                                                 : send_begun(m, ix, type, length);
        if (err == BP_OK) m->sent[ix]++;
        bpt_must(err == BP_OK || err == BP_ERR_LIMIT || err == BP_ERR_QUEUE_FULL);
    }
    if (bpt_random_below(&m->random, 8) != 0 || m->rig.clients[ix].conn->writes != writes) return;
    bpi_send_rollback(m->rig.clients[ix].conn, &mark);
    m->sent[ix] = before;
}

/* Takes most of the memory, or gives it back. */
static void squeeze(mill *m) {
    if (m->memory != NULL) {
        bp_buf_release_take(&m->memory);
    } else if (bp_pool_acquire(m->pool, (1 << 20) - bpt_random_below(&m->random, 1 << 17), &m->memory) != BP_OK) {
        m->memory = NULL;
    }
}

static void step(mill *m, bp_conn *const *servers) {
    const int ix = (int)bpt_random_below(&m->random, SIDES);
    switch (bpt_random_below(&m->random, 6)) {
    case 0: uv_run(&m->rig.loop, UV_RUN_NOWAIT); break;
    case 1: bp_conn_pause(servers[ix]); break;
    case 2: bp_conn_resume(servers[ix]); break;
    case 3: squeeze(m); break;
    default: send_some(m, ix);
    }
}

START_TEST(whatever_is_sent_comes_once_and_in_order) {
    mill m = {.random = {(uint64_t)_i * 77 + 5}};
    bp_conn *servers[SIDES];
    uint64_t got[SIDES] = {0};
    bpt_rig_init(&m.rig);
    bpt_ok(bp_heap_pool_new(1 << 20, &m.pool));
    m.rig.server.data = got;
    m.rig.server.on_frame = check_number;
    const bp_server_config server = bpt_rig_server_config(&m.rig, _i);
    bpt_rig_listen(&m.rig, &server, _i);
    for (int i = 0; i < SIDES; i++) {
        bp_client_config client = bpt_rig_client_config(&m.rig, i, _i);
        client.conn.pool = m.pool;
        client.conn.send_queue_bytes = 300000;
        client.conn.inflight_bytes = i == 2 ? 100000 : 0;
        bpt_rig_connect(&m.rig, i, &client);
        bpt_rig_until(&m.rig, m.rig.clients[i].opens == 1 && m.rig.server.opens == (unsigned)i + 1);
        servers[i] = m.rig.server.conn;
    }
    for (uint64_t i = 0; i < bpt_scaled(STEPS); i++) step(&m, servers);
    for (int i = 0; i < SIDES; i++) bp_conn_resume(servers[i]);
    bp_buf_release_take(&m.memory);
    for (int i = 0; i < SIDES; i++) bp_conn_finish(m.rig.clients[i].conn);
    bpt_rig_until(&m.rig, m.rig.clients[0].closes + m.rig.clients[1].closes + m.rig.clients[2].closes == SIDES);
    for (int i = 0; i < SIDES; i++) {
        ck_assert_uint_eq(got[i], m.sent[i]);
        ck_assert_uint_eq(m.rig.clients[i].stats.frames_out, m.sent[i]);
    }
    bpt_rig_fini(&m.rig);
    ck_assert_uint_eq(bpt_pool_in_use(m.pool), 0);
    bp_pool_release_take(&m.pool);
}
END_TEST

enum { EAGER_FRAMES = 60 };

static void send_all_at_once(bpt_side *side, bp_conn *conn) {
    (void)side;
    for (uint64_t n = 0; n < EAGER_FRAMES; n++) bpt_send(conn, BPT_LARGE_TYPE, BPT_LARGE_MIN, n);
}

/* A connection's HELLO is queued, and so is what on_open sends behind it, though nobody has used the stage yet. */
START_TEST(what_is_queued_leaves_in_writes_as_large_as_what_is_staged) {
    bpt_rig rig;
    bp_conn_stats stats;
    bpt_rig_init(&rig);
    rig.clients[0].on_open = send_all_at_once;
    rig.server.on_frame = check_order;
    bpt_rig_start(&rig, _i);
    bpt_rig_until(&rig, rig.server.frames == EAGER_FRAMES);
    bp_conn_stats_read(rig.clients[0].conn, &stats);
    ck_assert_uint_gt(stats.bytes_out, EAGER_FRAMES * BPT_LARGE_MIN); /* 66,000: more than a write */
    ck_assert_uint_le(stats.writes, 3);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_write) {
    BPT_LOOP_TEST(what_a_full_socket_does_not_take_waits_in_a_buffer, 0, 2);
    BPT_LOOP_TEST(without_memory_the_stage_stays_lent, 0, 2);
    BPT_LOOP_TEST(others_go_on_without_the_stage, 0, 2);
    BPT_LOOP_TEST(a_stuck_connection_may_close, 0, 2);
    BPT_LOOP_TEST(the_first_socket_that_is_full_needs_no_memory, 0, BPT_WAYS);
    BPT_LOOP_TEST(whatever_is_sent_comes_once_and_in_order, 0, 8);
    BPT_LOOP_TEST(what_is_queued_leaves_in_writes_as_large_as_what_is_staged, 0, BPT_WAYS);
}
