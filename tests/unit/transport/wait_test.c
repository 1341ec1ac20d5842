#define _GNU_SOURCE
/* Connections that wait for memory: what makes them wait, that they go on where they were, and how they end. */
#include "tests/support/frame_rig.h"
#include "tests/support/hogs.h"
#include "tests/support/system_faults.h"
#include "transport/transport_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT = 4 << 20, LANDING = 65536, TURN = 4 * LANDING };

static bpt_hogs hogs;

/* A server whose pool has LIMIT bytes, and clients with pools of their own. */
static void start(bpt_rig *rig, int way, uint64_t partial_limit) {
    bpt_rig_init(rig);
    bp_server_config config = bpt_rig_server_config(rig, way);
    config.conn.pool_config.memory_limit = LIMIT;
    config.conn.partial_limit = partial_limit;
    bpt_rig_listen(rig, &config, way);
}

static void join(bpt_rig *rig, int ix, int way) {
    const bp_client_config config = bpt_rig_client_config(rig, ix, way);
    const unsigned served = rig->server.opens;
    bpt_rig_connect(rig, ix, &config);
    bpt_rig_until(rig, rig->clients[ix].opens == 1 && rig->server.opens == served + 1);
    bpt_rig_until(rig, bpt_has_met(rig->server.conn) && bpt_has_met(rig->clients[ix].conn));
}

static bp_pool *pool_of(const bpt_rig *rig) { return bp_server_pool(rig->server.server); }

static uint64_t waiting(const bpt_rig *rig) {
    bp_server_stats stats;
    bp_server_stats_read(rig->server.server, &stats);
    return stats.connections_waiting;
}

static uint64_t waits(const bpt_rig *rig) {
    bp_server_stats stats;
    bp_server_stats_read(rig->server.server, &stats);
    return stats.conn.waits;
}

/* Runs the loop until nothing of it is left to do at once. */
static void settle(bpt_rig *rig) {
    for (int i = 0; i < 20; i++) uv_run(&rig->loop, UV_RUN_NOWAIT);
}

/* ---- frames that find no buffer ---- */

/* What came, in order: the seeds that the frames are filled with. */
static struct {
    uint64_t seeds[64];
    unsigned count, runs;
} got;

static uint64_t seed_of(const bp_frame *frame) {
    for (uint64_t seed = 0; seed < 100; seed++) {
        if (bpt_frame_is_filled(frame->value, frame->length, seed)) return seed;
    }
    ck_abort_msg("a frame that nobody sent");
}

static bp_err take_note(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)side, (void)conn;
    bpt_must(got.count < 64);
    got.seeds[got.count++] = seed_of(frame);
    return BP_OK;
}

static void check_got(unsigned count, const uint64_t *seeds) {
    ck_assert_uint_eq(got.count, count);
    for (unsigned i = 0; i < count; i++) ck_assert_uint_eq(got.seeds[i], seeds[i]);
}

START_TEST(a_cut_frame_waits_for_memory_and_others_go_on) {
    bpt_rig rig;
    start(&rig, _i, 0);
    rig.server.on_frame = take_note;
    join(&rig, 0, _i);
    join(&rig, 1, _i);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 2); /* behind the one that waits */
    bpt_send(rig.clients[1].conn, BPT_SMALL_TYPE, 20, 3);
    bpt_rig_until(&rig, got.count == 1);
    settle(&rig);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, got.count == 3);
    check_got(3, (const uint64_t[]){3, 1, 2});
    ck_assert_uint_eq(waiting(&rig), 0);
    ck_assert_uint_eq(waits(&rig), 1);
    ck_assert_uint_eq(rig.server.closes, 0);
    ck_assert_uint_eq(bpt_pool_in_use(pool_of(&rig)), 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* As long as a letter may come the loop goes on, and no longer: lent loops end by themselves. _i & 4: the connection is
 * closed while it waits. */
START_TEST(a_loop_expects_memory_as_long_as_somebody_waits) {
    bpt_rig rig;
    start(&rig, _i & 3, 0);
    join(&rig, 0, _i & 3);
    const bpi_mailbox *mailbox = &rig.server.conn->end->loop->mailbox;
    ck_assert_uint_eq(mailbox->expected_count, 0);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    ck_assert_uint_eq(mailbox->expected_count, 1);
    if ((_i & 4) != 0) bp_conn_close(rig.server.conn, BP_OK);
    if ((_i & 4) == 0) bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.server.closes == 1 || rig.server.frames == 1);
    ck_assert_uint_eq(mailbox->expected_count, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

/* The class that it waits for goes; what then comes of it is a matter of the pool, and the frame comes nevertheless. */
START_TEST(who_waits_for_a_class_that_goes_asks_again) {
    bpt_rig rig;
    start(&rig, _i, 0);
    rig.server.on_frame = take_note;
    join(&rig, 0, _i);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpt_send(rig.clients[0].conn, BPT_LARGE_TYPE, 5000, 1);
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 2);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    bpt_ok(bp_pool_class_remove(pool_of(&rig), 262144));
    settle(&rig);
    ck_assert_uint_eq(rig.server.closes, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, got.count == 2 || rig.server.closes == 1);
    check_got(2, (const uint64_t[]){1, 2});
    bpt_rig_fini(&rig);
}
END_TEST

static void count_turn(uv_prepare_t *prepare) { ++*(unsigned *)prepare->data; }

static void note_time(uv_timer_t *timer) { *(bool *)timer->data = true; }

START_TEST(a_loop_with_nothing_but_waiting_connections_sleeps) {
    bpt_rig rig;
    uv_prepare_t prepare;
    uv_timer_t timer;
    unsigned turns = 0;
    bool is_over = false;
    start(&rig, _i, 0);
    join(&rig, 0, _i);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    for (uint64_t n = 0; n < 4; n++) bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, n);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    settle(&rig);
    uv_prepare_init(&rig.loop, &prepare);
    uv_timer_init(&rig.loop, &timer);
    prepare.data = &turns;
    timer.data = &is_over;
    uv_prepare_start(&prepare, count_turn);
    uv_timer_start(&timer, note_time, 300, 0);
    bpt_rig_until(&rig, is_over);
    ck_assert_uint_lt(turns, 20);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.server.frames == 4);
    bpt_rig_fini(&rig);
}
END_TEST

static void *no_asides(size_t size) { return size == sizeof(bpi_aside) ? NULL : bpi_os_system.alloc(size); }

/* Waiting takes a little memory of its own. */
START_TEST(without_memory_to_wait_in_the_connection_ends) {
    bpt_rig rig;
    start(&rig, _i, 0);
    join(&rig, 0, _i);
    join(&rig, 1, _i);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpi_os.alloc = no_asides;
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    bpt_rig_until(&rig, rig.server.closes == 1);
    bpi_os = bpi_os_system;
    bpt_err(rig.server.why, BP_ERR_NO_MEMORY);
    ck_assert_uint_eq(waits(&rig), 0);
    bpt_hogs_free(&hogs);
    bpt_send(rig.clients[1].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 2);
    bpt_rig_until(&rig, rig.server.frames == 1);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- handlers that find no buffer ---- */

/* How often a handler answers each frame, and with how much. */
static struct {
    uint32_t size, count;
    bool keeps_first;
} answer;

static void expect_answers(uint32_t size, uint32_t count) {
    answer.size = size;
    answer.count = count;
    memset(&got, 0, sizeof got);
}

static bp_err send_answers(bp_conn *conn, uint64_t seed) {
    got.runs++;
    for (uint32_t i = 0; i < answer.count; i++) {
        bp_buf *buf = NULL;
        bp_err err = bp_conn_acquire(conn, answer.size, &buf);
        if (err != BP_OK) return err;
        bpt_must(bp_buf_length(buf) == 0 && bp_buf_capacity(buf) >= answer.size);
        bpt_must((uintptr_t)bp_buf_data(buf) % 16 == 0);
        bpt_frame_fill(bp_buf_data(buf), answer.size, seed * answer.count + i);
        bp_buf_set_length(buf, answer.size);
        bp_buf_set_type(buf, BPT_LARGE_TYPE);
        err = bp_conn_send_take(conn, &buf);
        if (err == BP_OK) continue;
        bp_buf_release(buf);
        return err;
    }
    return BP_OK;
}

/* Sends before it acts: got grows only when everything was sent. */
static bp_err answer_all(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const bp_err err = send_answers(conn, seed_of(frame));
    return err == BP_OK ? take_note(side, conn, frame) : err;
}

static bp_err answer_quietly(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const bp_err err = send_answers(conn, seed_of(frame));
    (void)side;
    if (err == BP_OK) got.count++;
    return err;
}

static bp_err check_answer(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    bpt_must(frame->length == answer.size);
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, side->frames - 1));
    return BP_OK;
}

/* Frames 0, 1, 2 of a client are answered once and in order, however often the handler runs. */
START_TEST(a_handler_without_memory_runs_again_and_answers_once) {
    bpt_rig rig;
    const int way = _i % BPT_WAYS;
    start(&rig, way, 0);
    expect_answers(9000, 1 + (uint32_t)(_i / BPT_WAYS));
    rig.server.on_frame = answer_all;
    rig.clients[0].on_frame = check_answer;
    join(&rig, 0, way);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_send(rig.clients[0].conn, BPT_LARGE_TYPE, 4000, 1);
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 30, 2);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    settle(&rig);
    ck_assert_uint_eq(got.runs, 1);
    ck_assert_uint_eq(rig.clients[0].frames, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.clients[0].frames == 3 * answer.count);
    settle(&rig);
    check_got(3, (const uint64_t[]){0, 1, 2});
    ck_assert_uint_eq(rig.clients[0].frames, 3 * answer.count);
    ck_assert_uint_eq(bpt_pool_in_use(pool_of(&rig)), 0);
    bp_server_stats stats;
    bp_server_stats_read(rig.server.server, &stats);
    ck_assert_uint_eq(stats.conn.frames_in, 3);
    ck_assert_uint_eq(stats.conn.frames_out, 3 * answer.count);
    bpt_rig_fini(&rig);
}
END_TEST

/* The memory for one answer more than there is: two handlers that need two each would otherwise wait for each other. */
START_TEST(handlers_that_need_several_buffers_do_not_wait_for_each_other) {
    bpt_rig rig;
    start(&rig, _i, 0);
    expect_answers(9000, 4);
    rig.server.on_frame = answer_all;
    for (int ix = 0; ix < 6; ix++) {
        rig.clients[ix].on_frame = check_answer;
        join(&rig, ix, _i);
    }
    bpt_hogs_fill(&hogs, pool_of(&rig));
    for (int ix = 0; ix < 6; ix++) bpt_send(rig.clients[ix].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(&rig, waiting(&rig) == 6);
    /* One 256 KiB buffer comes back: what is granted from it is enough for one handler at a time. */
    bp_buf_release(hogs.bufs[0]);
    hogs.bufs[0] = hogs.bufs[--hogs.count];
    for (int ix = 0; ix < 6; ix++) bpt_rig_until(&rig, rig.clients[ix].frames == 4);
    ck_assert_uint_eq(got.count, 6);
    ck_assert_uint_le(got.runs, 6 * (1 + 4)); /* refused for each buffer once at the most, and then with everything */
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

static bp_err keep_it(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const uint64_t seed = seed_of(frame);
    bp_buf *kept = NULL;
    got.runs++;
    const bp_err err = bp_conn_keep(conn, &kept);
    if (err != BP_OK) return err;
    bpt_must(bp_buf_length(kept) == frame->length && bp_buf_type(kept) == frame->type);
    bpt_must(bpt_frame_is_filled(bp_buf_data(kept), bp_buf_length(kept), seed));
    bpt_must(bp_conn_keep(conn, &(bp_buf *){NULL}) == BP_ERR_ARGUMENT);
    bp_buf_release(kept);
    return take_note(side, conn, frame);
}

START_TEST(a_frame_that_could_not_be_kept_is_kept_later) {
    bpt_rig rig;
    start(&rig, _i, 0);
    rig.server.on_frame = keep_it;
    join(&rig, 0, _i);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 4);
    bpt_send(rig.clients[0].conn, BPT_EMPTY_TYPE, 0, 0);
    bpt_send(rig.clients[0].conn, BPT_MEDIUM_TYPE, 200, 6);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, got.count == 3);
    check_got(3, (const uint64_t[]){4, 0, 6});
    ck_assert_uint_eq(got.runs, 4);
    ck_assert_uint_eq(bpt_pool_in_use(pool_of(&rig)), 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- whose want of memory it is ---- */

static bp_err keep_then_answer(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *kept = NULL, *more = NULL;
    (void)frame;
    got.runs++;
    bpt_ok(bp_conn_keep(conn, &kept));
    bpt_hogs_fill(&hogs, bp_conn_pool(conn));
    const bp_err err = bp_conn_acquire(conn, 1000, &more);
    bp_buf_release(kept);
    (void)side;
    return err;
}

static bp_err out_of_nowhere(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)side, (void)conn, (void)frame;
    got.runs++;
    return BP_ERR_LIMIT;
}

static bp_err from_the_pool(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)side, (void)frame;
    got.runs++;
    bpt_hogs_fill(&hogs, bp_conn_pool(conn));
    return bp_pool_acquire(bp_conn_pool(conn), 100, &buf);
}

static bp_err too_many(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)side, (void)frame;
    got.runs++;
    for (int i = 0; i < 8; i++) {
        bpt_ok(bp_conn_acquire(conn, 100, &buf));
        bp_buf_release(buf);
    }
    bpt_hogs_fill(&hogs, bp_conn_pool(conn));
    return bp_conn_acquire(conn, 100, &buf);
}

static bp_err more_than_there_is(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *first = NULL, *second = NULL;
    (void)side, (void)frame;
    got.runs++;
    bpt_ok(bp_conn_acquire(conn, LIMIT / 4 * 3, &first));
    const bp_err err = bp_conn_acquire(conn, LIMIT / 4 * 3, &second);
    bp_buf_release(first);
    return err;
}

static bp_err (*const own_errors[])(bpt_side *, bp_conn *, const bp_frame *) = {
    keep_then_answer, out_of_nowhere, from_the_pool, too_many, more_than_there_is};
enum { OWN_ERRORS = sizeof own_errors / sizeof own_errors[0] };

START_TEST(a_want_of_memory_that_waiting_does_not_help_closes) {
    bpt_rig rig;
    start(&rig, 2, 0);
    rig.server.on_frame = own_errors[_i];
    join(&rig, 0, 2);
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.server.closes == 1);
    bpt_err(rig.server.why, BP_ERR_LIMIT);
    ck_assert_uint_eq(got.runs, 1);
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(outside_of_its_handlers_a_connection_gives_buffers_as_its_pool_does) {
    bpt_rig rig;
    bp_buf *buf = NULL;
    start(&rig, _i, 0);
    join(&rig, 0, _i);
    bpt_ok(bp_conn_acquire(rig.server.conn, 1000, &buf));
    ck_assert_uint_ge(bp_buf_capacity(buf), 1000);
    bp_buf_release_take(&buf);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpt_err(bp_conn_acquire(rig.server.conn, 1000, &buf), BP_ERR_LIMIT);
    ck_assert_ptr_null(buf);
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- landing chunks ---- */

static void write_all(int fd, const uint8_t *data, size_t length) {
    while (length != 0) {
        const ssize_t n = write(fd, data, length);
        ck_assert_int_gt(n, 0);
        data += n;
        length -= (size_t)n;
    }
}

/* A raw peer in the middle of a frame that has its buffer already; wire keeps the frame. */
static int begin_frame(bpt_rig *rig, bpt_wire *wire, uint16_t type, uint32_t length, uint64_t seed) {
    const int fd = bpt_rig_raw_met(rig);
    bpt_wire_add(wire, type, length, seed);
    write_all(fd, wire->data, 100);
    const uint64_t before = bpt_pool_in_use(pool_of(rig));
    bpt_rig_until(rig, bpt_pool_in_use(pool_of(rig)) == before + 1);
    return fd;
}

/* The handler of client 0 waits, with a chunk: what others cannot take has to stay in their sockets. */
static void keep_a_chunk(bpt_rig *rig) {
    bpt_send(rig->clients[0].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(rig, waiting(rig) == 1);
}

static bp_err answer_zero(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    return seed_of(frame) == 0 ? answer_all(side, conn, frame) : take_note(side, conn, frame);
}

START_TEST(with_a_chunk_kept_everybody_else_is_read) {
    bpt_rig rig;
    bpt_wire wire = {0};
    start(&rig, _i, 0);
    expect_answers(9000, 1);
    rig.server.on_frame = answer_zero;
    for (int ix = 0; ix < 4; ix++) join(&rig, ix, _i);
    const int fd = begin_frame(&rig, &wire, BPT_LARGE_TYPE, 3000, 7);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    keep_a_chunk(&rig);
    for (int ix = 1; ix < 3; ix++) bpt_send(rig.clients[ix].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(&rig, waiting(&rig) == 3);
    for (unsigned n = 1; n < 4; n++) {
        bpt_send(rig.clients[3].conn, BPT_SMALL_TYPE, 20, n);
        bpt_rig_until(&rig, got.count == n);
    }
    ck_assert_uint_eq(waiting(&rig), 3);
    write_all(fd, wire.data + 100, wire.length - 100); /* its buffer, then, is somebody's who waits */
    bpt_rig_until(&rig, got.count >= 4);
    for (unsigned n = 0; n < 3; n++) ck_assert_uint_eq(got.seeds[n], n + 1);
    ck_assert_uint_eq(got.seeds[3], 7);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, got.count == 7);
    ck_assert_uint_eq(waiting(&rig), 0);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* Small frames and large ones, cut ones among them, from all clients at once: memory comes back piece by piece. */
START_TEST(what_was_left_in_the_sockets_comes_once_and_in_order) {
    enum { EACH = 24 };
    static const uint32_t lengths[] = {20, 0, 16000, 70000, 20, 20, 90000, 5000};
    bpt_rig rig;
    start(&rig, _i, 0);
    expect_answers(9000, 2);
    rig.server.on_frame = answer_quietly;
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) rig.clients[ix].on_frame = check_answer;
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) join(&rig, ix, _i);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) {
        for (uint64_t n = 0; n < EACH; n++) {
            const uint32_t length = lengths[(n + (uint64_t)ix) % 8];
            const uint16_t type = length == 20 ? BPT_SMALL_TYPE : length < 20000 ? BPT_LARGE_TYPE : BPT_HUGE_TYPE;
            bpt_send(rig.clients[ix].conn, length == 0 ? BPT_MEDIUM_TYPE : type, length == 0 ? 200 : length, n);
        }
    }
    bpt_rig_until(&rig, waiting(&rig) == BPT_CLIENT_MAX);
    settle(&rig);
    ck_assert_uint_eq(got.count, 0);
    for (size_t i = hogs.count; i-- > hogs.count / 2;) {
        bp_buf_release_take(&hogs.bufs[i]);
        uv_run(&rig.loop, UV_RUN_NOWAIT);
    }
    bpt_hogs_free(&hogs);
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) bpt_rig_until(&rig, rig.clients[ix].frames == 2 * EACH);
    settle(&rig);
    ck_assert_uint_eq(got.count, BPT_CLIENT_MAX * EACH);
    for (int ix = 0; ix < BPT_CLIENT_MAX; ix++) ck_assert_uint_eq(rig.clients[ix].frames, 2 * EACH);
    ck_assert_uint_eq(waiting(&rig), 0);
    ck_assert_uint_eq(bpt_pool_in_use(pool_of(&rig)), 0);
    bp_server_stats stats;
    bp_server_stats_read(rig.server.server, &stats);
    ck_assert_uint_eq(stats.conn.frames_in, BPT_CLIENT_MAX * EACH);
    bpt_rig_fini(&rig);
}
END_TEST

/* _i: the look at the socket fails, or taking what was handed on; the peer's other frames never come. */
START_TEST(a_socket_that_fails_while_it_is_peeked_at_ends_its_connection_alone) {
    const bpt_fault fault = {.call = BPT_CALL_RECV, .error = ECONNRESET, .is_deadly = true};
    bpt_rig rig;
    if (!bpt_faults_are_possible()) return;
    start(&rig, 2, 0);
    expect_answers(9000, 1);
    rig.server.on_frame = answer_zero;
    for (int ix = 0; ix < 3; ix++) join(&rig, ix, 2);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    keep_a_chunk(&rig);
    bpt_faults_arm(&fault, (uint64_t)_i);
    bpt_send(rig.clients[1].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.server.closes == 1);
    ck_assert(bpt_faults_disarm());
    bpt_err(rig.server.why, BP_ERR_RESET);
    ck_assert_uint_eq(got.count, (unsigned)_i);
    bpt_send(rig.clients[2].conn, BPT_SMALL_TYPE, 20, 2);
    bpt_rig_until(&rig, got.count == (unsigned)_i + 1);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.clients[0].frames == 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* The frame was left in the socket, the memory for its handler comes, and the socket fails: the memory goes back. */
START_TEST(what_was_granted_for_a_frame_that_is_lost_goes_back) {
    const bpt_fault fault = {.call = BPT_CALL_RECV, .error = ECONNRESET, .is_deadly = true};
    bpt_rig rig;
    if (!bpt_faults_are_possible()) return;
    start(&rig, 2, 0);
    expect_answers(9000, 1);
    rig.server.on_frame = answer_zero;
    for (int ix = 0; ix < 2; ix++) join(&rig, ix, 2);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    keep_a_chunk(&rig);
    bpt_send(rig.clients[1].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(&rig, waiting(&rig) == 2);
    bpt_faults_arm(&fault, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].frames == 1);
    ck_assert(bpt_faults_disarm());
    bpt_err(rig.server.why, BP_ERR_RESET);
    ck_assert_uint_eq(bpt_pool_in_use(pool_of(&rig)), 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- the budget of cut frames ---- */

/* Each frame is above the budget alone: it comes in when nothing else does. */
static void fill_the_budget(bpt_rig *rig) {
    bpt_wire wire = {0};
    got.count = 0;
    const int fd = begin_frame(rig, &wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, 9);
    for (int ix = 0; ix < 4; ix++) {
        bpt_send(rig->clients[ix].conn, BPT_HUGE_TYPE, BPT_HUGE_MIN + 5u, (uint64_t)ix);
        bpt_rig_until(rig, waiting(rig) == (uint64_t)ix + 1);
    }
    ck_assert_uint_eq(bpt_pool_in_use(pool_of(rig)), 1);
    write_all(fd, wire.data + 100, 60000);
    settle(rig);
    ck_assert_uint_eq(got.count, 0);
    for (size_t at = 60100; at < wire.length; at += 10000) {
        write_all(fd, wire.data + at, wire.length - at < 10000 ? wire.length - at : 10000);
        settle(rig);
    }
    bpt_rig_until(rig, got.count == 5);
    check_got(5, (const uint64_t[]){9, 0, 1, 2, 3});
    ck_assert_uint_eq(waiting(rig), 0);
    close(fd);
    bpt_wire_free(&wire);
}

/* Twice: the second time as the first. */
START_TEST(frames_over_the_budget_come_in_one_after_the_other) {
    bpt_rig rig;
    start(&rig, _i, BPT_HUGE_MIN);
    rig.server.on_frame = take_note;
    for (int ix = 0; ix < 4; ix++) join(&rig, ix, _i);
    fill_the_budget(&rig);
    fill_the_budget(&rig);
    bpt_rig_fini(&rig);
}
END_TEST

/* Who wants little does not go before who wants much and came first, or that one might wait for ever. */
START_TEST(nobody_overtakes_who_is_over_the_budget) {
    enum { SIZE = 100000, LARGE = 250000, SMALL = 90000 };
    bpt_rig rig;
    bpt_wire wires[2] = {{0}};
    int fds[2];
    start(&rig, _i, 300000);
    rig.server.on_frame = take_note;
    for (int ix = 0; ix < 2; ix++) join(&rig, ix, _i);
    for (int i = 0; i < 2; i++) fds[i] = begin_frame(&rig, &wires[i], BPT_HUGE_TYPE, SIZE, 10 + (uint64_t)i);
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, LARGE, 0);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    bpt_send(rig.clients[1].conn, BPT_HUGE_TYPE, SMALL, 1); /* which would fit */
    bpt_rig_until(&rig, waiting(&rig) == 2);
    for (unsigned i = 0; i < 2; i++) {
        settle(&rig);
        ck_assert_uint_eq(waiting(&rig), 2);
        for (size_t at = 100; at < wires[i].length; at += 10000) {
            write_all(fds[i], wires[i].data + at, wires[i].length - at < 10000 ? wires[i].length - at : 10000);
            settle(&rig);
        }
        bpt_rig_until(&rig, got.count > i);
    }
    bpt_rig_until(&rig, got.count == 4);
    check_got(4, (const uint64_t[]){10, 11, 0, 1});
    ck_assert_uint_eq(waits(&rig), 2);
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        bpt_wire_free(&wires[i]);
        wires[i] = (bpt_wire){0};
    }
    for (int i = 0; i < 2; i++) fds[i] = begin_frame(&rig, &wires[i], BPT_HUGE_TYPE, SIZE, 12);
    ck_assert_uint_eq(waits(&rig), 2); /* nobody is over any more, and both have their buffers */
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        bpt_wire_free(&wires[i]);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* A frame that waited for memory has its share of the budget as long as it comes in, and no longer. */
START_TEST(what_has_waited_gives_its_share_back) {
    bpt_rig rig;
    bpt_wire wires[2] = {{0}};
    int fds[2];
    start(&rig, _i, 2u * BPT_HUGE_MAX);
    join(&rig, 0, _i);
    for (uint64_t n = 1; n <= 4; n++) {
        bpt_hogs_fill(&hogs, pool_of(&rig));
        bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, n);
        bpt_rig_until(&rig, waits(&rig) == n);
        bpt_hogs_free(&hogs);
        bpt_rig_until(&rig, rig.server.frames == n);
    }
    for (int i = 0; i < 2; i++) fds[i] = begin_frame(&rig, &wires[i], BPT_HUGE_TYPE, BPT_HUGE_MAX, 5);
    ck_assert_uint_eq(waits(&rig), 4); /* both have their buffers */
    for (int i = 0; i < 2; i++) {
        close(fds[i]);
        bpt_wire_free(&wires[i]);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- turns ---- */

START_TEST(a_connection_is_read_only_so_much_in_one_turn) {
    bpt_rig rig;
    bpt_wire wire = {0};
    bp_conn_stats stats;
    uint64_t before = 0;
    start(&rig, 2, 0); /* a Unix socket holds less than that */
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    while (wire.length < 16 * LANDING) bpt_wire_add(&wire, BPT_SMALL_TYPE, BPT_SMALL_MAX, 1);
    const ssize_t sent = send(fd, wire.data, wire.length, MSG_DONTWAIT);
    ck_assert_int_gt(sent, TURN + LANDING);
    do {
        uv_run(&rig.loop, UV_RUN_NOWAIT);
        bp_conn_stats_read(rig.server.conn, &stats);
        ck_assert_uint_lt(stats.bytes_in - before, TURN + LANDING);
        before = stats.bytes_in;
    } while (before < (uint64_t)sent);
    ck_assert_uint_eq(rig.server.frames, (uint64_t)sent / (BPT_SMALL_MAX + BP_FRAME_HEADER_SIZE));
    ck_assert_uint_eq(stats.waits, 0);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- the ends of waiting connections ---- */

enum state { CUT, NEEDY, OVER, UNREAD, STATES };
enum ending { CLOSED, FINISHED, STOPPED, FREED, PEER_RESETS, PEER_CLOSES, ENDINGS };

typedef struct waiter {
    bpt_rig rig;
    int fd;        /* the raw peer of the connection that ends */
    bp_conn *conn; /* that connection */
    bpt_wire wire;
    int other_fd; /* the one that has the budget, -1 */
    bpt_wire other_wire;
} waiter;

/* Has the raw peer's connection wait, in the given state. */
static void make_wait(waiter *w, enum state state, int way) {
    *w = (waiter){.other_fd = -1};
    start(&w->rig, way, state == OVER ? 1 : 0);
    expect_answers(9000, 1);
    w->rig.server.on_frame = answer_all;
    for (int ix = 0; ix < 2; ix++) join(&w->rig, ix, way);
    if (state == OVER) w->other_fd = begin_frame(&w->rig, &w->other_wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 1);
    w->fd = bpt_rig_raw_met(&w->rig);
    w->conn = w->rig.server.conn;
    bpt_hogs_fill(&hogs, pool_of(&w->rig));
    if (state == UNREAD) keep_a_chunk(&w->rig);
    const uint64_t others = waiting(&w->rig);
    if (state == CUT || state == OVER)
        bpt_wire_add(&w->wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 1);
    else
        bpt_wire_add(&w->wire, BPT_SMALL_TYPE, 20, 1);
    write_all(w->fd, w->wire.data, w->wire.length / 2 < 100 ? w->wire.length : w->wire.length / 2);
    bpt_rig_until(&w->rig, waiting(&w->rig) == others + 1);
}

static void reset(int fd) {
    const struct linger at_once = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

static void end_it(waiter *w, enum ending ending) {
    switch (ending) {
    case CLOSED: bp_conn_close(w->conn, BP_ERR_PERMISSION); break;
    case FINISHED: bp_conn_finish(w->conn); break;
    case STOPPED: bp_server_stop(w->rig.server.server); break;
    case FREED: bp_server_free_take(&w->rig.server.server); break;
    case PEER_RESETS: reset(w->fd); break;
    default: close(w->fd); break;
    }
    if (ending == PEER_RESETS || ending == PEER_CLOSES) w->fd = -1;
}

static void end_waiter(waiter *w) {
    if (w->fd >= 0) close(w->fd);
    if (w->other_fd >= 0) close(w->other_fd);
    bpt_wire_free(&w->wire);
    bpt_wire_free(&w->other_wire);
    bpt_rig_fini(&w->rig);
}

/* Each connection but the one that ends gets what it waits for. */
static void check_others(waiter *w, enum state state) {
    bpt_hogs_free(&hogs);
    if (state == UNREAD) bpt_rig_until(&w->rig, w->rig.clients[0].frames == 1);
    bpt_send(w->rig.clients[0].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&w->rig, w->rig.clients[0].frames == (state == UNREAD ? 2u : 1u));
    ck_assert_uint_eq(waiting(&w->rig), 0);
}

/* _i: state, ending, transport, whether its grant is under way when it ends. */
START_TEST(a_waiting_connection_can_end_in_every_way) {
    const enum state state = (enum state)(_i % STATES);
    const enum ending ending = (enum ending)(_i / STATES % ENDINGS);
    const int way = 2 + _i / (STATES * ENDINGS) % 2;
    const bool is_granted = _i / (STATES * ENDINGS * 2) != 0;
    bp_pool *pool;
    waiter w;
    if (bpt_way_is_unix(way) && ending == PEER_RESETS) return; /* they have none */
    if (!bpt_way_is_unix(way) && ending == PEER_CLOSES) return; /* half closed, and perhaps still reading */
    if (ending == PEER_CLOSES && (state == NEEDY || state == UNREAD)) return; /* its frame came whole: see below */
    make_wait(&w, state, way);
    pool = bp_pool_retain(pool_of(&w.rig));
    if (is_granted) bpt_hogs_free(&hogs);
    end_it(&w, ending);
    if (ending == STOPPED || ending == FREED) {
        bpt_rig_until(&w.rig, w.rig.server.closes == w.rig.server.opens);
        bpt_err(w.rig.server.why, BP_ERR_CLOSED);
        bpt_hogs_free(&hogs);
    } else {
        const unsigned closes = 1;
        if (ending == FINISHED) {
            settle(&w.rig);
            close(w.fd);
            w.fd = -1;
        }
        bpt_rig_until(&w.rig, w.rig.server.closes == closes);
        if (ending == CLOSED) bpt_err(w.rig.server.why, BP_ERR_PERMISSION);
        if (ending == FINISHED) bpt_err(w.rig.server.why, BP_ERR_CLOSED);
        if (ending == PEER_RESETS && !is_granted) bpt_err(w.rig.server.why, BP_ERR_RESET);
        check_others(&w, state);
    }
    end_waiter(&w);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(what_a_peer_sent_before_it_closed_is_still_handed_on) {
    waiter w;
    uv_timer_t timer;
    bool is_over = false;
    make_wait(&w, _i == 0 ? NEEDY : UNREAD, 3);
    end_it(&w, PEER_CLOSES);
    uv_timer_init(&w.rig.loop, &timer);
    timer.data = &is_over;
    uv_timer_start(&timer, note_time, 1200, 0); /* more than one look at whether the peer is there */
    bpt_rig_until(&w.rig, is_over);
    uv_close((uv_handle_t *)&timer, NULL);
    ck_assert_uint_eq(w.rig.server.closes, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&w.rig, w.rig.server.closes == 1);
    ck_assert_uint_eq(got.seeds[got.count - 1], 1);
    end_waiter(&w);
}
END_TEST

/* Whether the handler ran again before the connection was closed. */
static bool runs_again_after_a_broken_write(void) {
    bpt_rig rig;
    bpt_wire wire = {0};
    start(&rig, 3, 0);
    expect_answers(9000, 1);
    rig.server.on_frame = answer_all;
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    for (int i = 0; i < 8; i++) bpt_send(rig.server.conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    settle(&rig);
    ck_assert_uint_gt(bp_conn_queued_bytes(rig.server.conn), 4 * BPT_HUGE_MAX);
    bpt_hogs_fill(&hogs, pool_of(&rig));
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 20, 1);
    write_all(fd, wire.data, wire.length);
    bpt_rig_until(&rig, waiting(&rig) == 1);
    close(fd);
    bpt_rig_until(&rig, rig.server.closes == 1); /* though the hogs give nothing back */
    bpt_err(rig.server.why, BP_ERR_RESET);
    bpt_hogs_free(&hogs);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
    return got.runs == 2;
}

/* Else everybody could wait for memory that nobody will ever write out. A look at whether the peer is there may come
 * first, but not every time. */
START_TEST(a_waiting_connection_whose_peer_is_gone_gives_its_queue_back) {
    ck_assert(runs_again_after_a_broken_write() || runs_again_after_a_broken_write() ||
              runs_again_after_a_broken_write());
}
END_TEST

START_TEST(a_pool_that_is_closed_ends_who_waits) {
    waiter w;
    make_wait(&w, (enum state)_i, 2);
    bp_pool_close(pool_of(&w.rig));
    bpt_rig_until(&w.rig, w.rig.server.closes == 1);
    bpt_err(w.rig.server.why, BP_ERR_CLOSED);
    bpt_hogs_free(&hogs);
    end_waiter(&w);
}
END_TEST

BPT_SUITE(transport_wait) {
    BPT_LOOP_TEST(a_cut_frame_waits_for_memory_and_others_go_on, 0, BPT_WAYS);
    BPT_LOOP_TEST(without_memory_to_wait_in_the_connection_ends, 0, 2);
    BPT_LOOP_TEST(a_loop_expects_memory_as_long_as_somebody_waits, 0, 2 * BPT_WAYS);
    BPT_LOOP_TEST(who_waits_for_a_class_that_goes_asks_again, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_loop_with_nothing_but_waiting_connections_sleeps, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_handler_without_memory_runs_again_and_answers_once, 0, 3 * BPT_WAYS);
    BPT_LOOP_TEST(handlers_that_need_several_buffers_do_not_wait_for_each_other, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_that_could_not_be_kept_is_kept_later, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_want_of_memory_that_waiting_does_not_help_closes, 0, OWN_ERRORS);
    BPT_LOOP_TEST(outside_of_its_handlers_a_connection_gives_buffers_as_its_pool_does, 0, BPT_WAYS);
    BPT_LOOP_TEST(with_a_chunk_kept_everybody_else_is_read, 2, BPT_WAYS);
    BPT_LOOP_TEST(what_was_left_in_the_sockets_comes_once_and_in_order, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_socket_that_fails_while_it_is_peeked_at_ends_its_connection_alone, 0, 2);
    BPT_TEST(what_was_granted_for_a_frame_that_is_lost_goes_back);
    BPT_LOOP_TEST(nobody_overtakes_who_is_over_the_budget, 0, 2); /* a heap pool: each length is its own class */
    BPT_LOOP_TEST(what_has_waited_gives_its_share_back, 2, BPT_WAYS);
    BPT_LOOP_TEST(frames_over_the_budget_come_in_one_after_the_other, 2, BPT_WAYS);
    BPT_TEST(a_connection_is_read_only_so_much_in_one_turn);
    BPT_LOOP_TEST(a_waiting_connection_can_end_in_every_way, 0, 4 * STATES * ENDINGS);
    BPT_LOOP_TEST(what_a_peer_sent_before_it_closed_is_still_handed_on, 0, 2);
    BPT_TEST(a_waiting_connection_whose_peer_is_gone_gives_its_queue_back);
    BPT_LOOP_TEST(a_pool_that_is_closed_ends_who_waits, 0, NEEDY + 1);
}
