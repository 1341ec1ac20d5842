#define _GNU_SOURCE
/* What the loops of a server share: cut frames of all of them take no more together than the budget, whoever gives some
 * of it back lets the next one in, wherever that is, and nothing is lost by it; what is queued on all of them stays
 * within one limit. */
#include "tests/support/frame_rig.h"
#include "transport/server_internal.h"
#include "transport/wait_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LOOPS = 4, PEERS = 32, TOGETHER = 3, PART = 1000 };

/* ---- several loops, on threads ---------------------------------------------------------------------------------- */

static struct {
    bpt_rig rig;
    atomic_uint opens, closes, frames;
    _Atomic uint64_t most_used;
    pthread_t thread;
} all;

static uint64_t used_bytes(void) {
    const uint64_t used = __atomic_load_n(&all.rig.server.server->share.budget.used, __ATOMIC_RELAXED);
    return used == 0 ? 0 : used - bpi_share_is_over(&all.rig.server.server->share);
}

static void look(void) {
    const uint64_t used = used_bytes();
    uint64_t most = atomic_load(&all.most_used);
    while (most < used && !atomic_compare_exchange_weak(&all.most_used, &most, used)) {
    }
}

static void count_open(bp_conn *conn, void *user) {
    (void)conn, (void)user;
    atomic_fetch_add(&all.opens, 1);
}

static void count_close(bp_conn *conn, bp_err why, void *user) {
    (void)conn, (void)why, (void)user;
    atomic_fetch_add(&all.closes, 1);
}

static bp_err take(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    (void)service, (void)conn, (void)is_invalid;
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, 7));
    look();
    atomic_fetch_add(&all.frames, 1);
    return BP_OK;
}

static void *run(void *unused) {
    (void)unused;
    bpt_must(bp_server_run(all.rig.server.server) == BP_OK);
    return NULL;
}

static void start(int way, uint64_t partial_limit) {
    bp_server_config config = bp_server_config_default((bp_service){.schema = &bpt_frame_schema, .dispatch = take});
    bpt_rig_init(&all.rig);
    config.handle_signals = false;
    config.thread_count = LOOPS;
    config.conn.on_open = count_open;
    config.conn.on_close = count_close;
    config.conn.hello = BP_HELLO_OFF;
    config.conn.frame_ms = UINT32_MAX;
    config.conn.buffer_pool_enabled = bpt_way_is_pooled(way);
    config.conn.partial_limit = partial_limit;
    bpt_rig_listen(&all.rig, &config, way);
    ck_assert_int_eq(pthread_create(&all.thread, NULL, run, NULL), 0);
}

static void stop(void) {
    bp_server_stop(all.rig.server.server);
    ck_assert_int_eq(pthread_join(all.thread, NULL), 0);
    ck_assert_uint_eq(used_bytes(), 0);
    ck_assert_uint_eq(bpt_pool_in_use(bp_server_pool(all.rig.server.server)), 0);
    bpt_rig_fini(&all.rig);
}

static uint32_t over_count(void) {
    return __atomic_load_n(&all.rig.server.server->share.over_count, __ATOMIC_SEQ_CST);
}

static void until(bool (*holds)(void)) {
    while (!holds()) usleep(1000);
}

static bool all_are_asking(void) { return over_count() == PEERS - TOGETHER; }
static bool all_are_gone(void) { return atomic_load(&all.closes) == PEERS && used_bytes() == 0; }

/* Sends what the sockets take of the rest of the peers' frames, round by round, until all of it is sent. */
static void send_rests(int *fds, size_t *sent, const bpt_wire *wire) {
    size_t left = 0;
    for (int i = 0; i < PEERS; i++) left += wire->length - sent[i];
    while (left != 0) {
        size_t before = left;
        for (int i = 0; i < PEERS; i++) {
            if (sent[i] == wire->length) continue;
            const ssize_t n = write(fds[i], wire->data + sent[i], wire->length - sent[i]);
            bpt_must(n > 0 || errno == EAGAIN);
            if (n > 0) sent[i] += (size_t)n, left -= (size_t)n;
        }
        look();
        if (left == before) usleep(1000);
    }
}

static void connect_and_stall(int *fds, size_t *sent, const bpt_wire *wire) {
    for (int i = 0; i < PEERS; i++) {
        fds[i] = bpt_rig_raw(&all.rig);
        ck_assert_int_eq(write(fds[i], wire->data, PART), PART);
        ck_assert_int_eq(fcntl(fds[i], F_SETFL, O_NONBLOCK), 0);
        sent[i] = PART;
    }
    until(all_are_asking);
}

START_TEST(cut_frames_of_all_loops_stay_within_one_budget) {
    const uint64_t limit = TOGETHER * (uint64_t)BPT_HUGE_MAX;
    int fds[PEERS];
    size_t sent[PEERS];
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, 7);
    start(_i, limit);
    connect_and_stall(fds, sent, &wire);
    ck_assert_uint_eq(used_bytes(), limit);
    ck_assert_uint_eq(bpt_pool_in_use(bp_server_pool(all.rig.server.server)), TOGETHER);
    send_rests(fds, sent, &wire);
    while (atomic_load(&all.frames) != PEERS) usleep(1000);
    ck_assert_uint_eq(atomic_load(&all.most_used), limit);
    ck_assert_uint_eq(over_count(), 0);
    for (int i = 0; i < PEERS; i++) close(fds[i]);
    until(all_are_gone);
    bpt_wire_free(&wire);
    stop();
}
END_TEST

/* Those who have the budget, and those who wait for it, go away in any order. */
START_TEST(peers_that_go_give_back_what_their_frames_took) {
    int fds[PEERS];
    size_t sent[PEERS];
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, 7);
    start(_i, TOGETHER * (uint64_t)BPT_HUGE_MAX);
    for (unsigned round = 0; round < 4; round++) {
        connect_and_stall(fds, sent, &wire);
        for (int i = 0; i < PEERS; i++) close(fds[(i * 7 + 3) % PEERS]);
        until(all_are_gone);
        ck_assert_uint_eq(over_count(), 0);
        atomic_store(&all.closes, 0);
    }
    ck_assert_uint_eq(atomic_load(&all.frames), 0);
    atomic_store(&all.closes, atomic_load(&all.opens));
    bpt_wire_free(&wire);
    stop();
}
END_TEST

START_TEST(a_server_that_stops_leaves_nobody_waiting) {
    int fds[PEERS];
    size_t sent[PEERS];
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, 7);
    start(_i, TOGETHER * (uint64_t)BPT_HUGE_MAX);
    connect_and_stall(fds, sent, &wire);
    stop();
    ck_assert_uint_eq(atomic_load(&all.closes), PEERS);
    for (int i = 0; i < PEERS; i++) close(fds[i]);
    bpt_wire_free(&wire);
}
END_TEST

/* ---- what is queued --------------------------------------------------------------------------------------------- */

enum { CALLERS = 16, QUOTA = 100, INFLIGHT = 1 << 20 };

/* What the connections of a caller do, each on its loop's thread. */
static struct {
    _Atomic(pthread_t) thread[CALLERS];
    atomic_uint told[CALLERS], refused[CALLERS], sent[CALLERS];
    atomic_bool is_blocked[CALLERS]; /* its socket is full */
    _Atomic uint64_t most_queued;
} queue;

static uint64_t queued_bytes(void) {
    return __atomic_load_n(&all.rig.server.server->share.queued_bytes, __ATOMIC_RELAXED);
}

/* Sends what the caller is still owed, until it is refused. */
static void pay(bp_conn *conn, void *user) {
    const size_t ix = (size_t)((atomic_uint *)bp_conn_data(conn) - queue.sent);
    bp_err err = BP_OK;
    (void)user;
    while (err == BP_OK && atomic_load(&queue.sent[ix]) < QUOTA) {
        bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), BPT_HUGE_TYPE, BPT_HUGE_MIN, queue.sent[ix]);
        err = bp_conn_send_take(conn, &buf);
        if (err == BP_OK) atomic_fetch_add(&queue.sent[ix], 1);
        bp_buf_release(buf);
    }
    const uint64_t queued = queued_bytes();
    uint64_t most = atomic_load(&queue.most_queued);
    while (most < queued && !atomic_compare_exchange_weak(&queue.most_queued, &most, queued)) {
    }
    bpt_must(err == BP_OK || err == BP_ERR_QUEUE_FULL);
    if (err != BP_OK) atomic_fetch_add(&queue.refused[ix], 1);
}

/* A caller says who it is, and what it wants: to be known, or to be paid. */
static bp_err hear(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const size_t ix = frame->value[0];
    (void)service, (void)is_invalid;
    atomic_store(&queue.thread[ix], pthread_self());
    bp_conn_set_data(conn, &queue.sent[ix]);
    if (frame->value[1] != 0) pay(conn, NULL);
    atomic_store(&queue.is_blocked[ix], conn->write != NULL);
    atomic_fetch_add(&queue.told[ix], 1);
    return BP_OK;
}

static void say(int fd, size_t ix, bool is_due) {
    uint8_t bytes[BP_FRAME_HEADER_SIZE + BPT_SMALL_MIN] = {0};
    const unsigned before = atomic_load(&queue.told[ix]);
    bpi_store_u16(bytes, BPT_SMALL_TYPE);
    bpi_store_u32(bytes + 2, BPT_SMALL_MIN);
    bytes[BP_FRAME_HEADER_SIZE] = (uint8_t)ix;
    bytes[BP_FRAME_HEADER_SIZE + 1] = is_due;
    ck_assert_int_eq(write(fd, bytes, sizeof bytes), sizeof bytes);
    while (atomic_load(&queue.told[ix]) == before) usleep(1000);
}

/* Frames in order, each filled with its number. */
static void read_all(int fd) {
    uint8_t value[BP_FRAME_HEADER_SIZE + BPT_HUGE_MIN];
    for (unsigned n = 0; n < QUOTA; n++) {
        for (size_t got = 0; got < sizeof value;) {
            const ssize_t more = read(fd, value + got, sizeof value - got);
            bpt_must(more > 0);
            got += (size_t)more;
        }
        bpt_must(bpt_frame_is_filled(value + BP_FRAME_HEADER_SIZE, BPT_HUGE_MIN, n));
    }
}

static void *read_in_thread(void *fd) {
    read_all(*(int *)fd);
    return NULL;
}

static void start_paying(uint64_t inflight_bytes) {
    bp_server_config config = bp_server_config_default((bp_service){.schema = &bpt_frame_schema, .dispatch = hear});
    bpt_rig_init(&all.rig);
    config.handle_signals = false;
    config.thread_count = LOOPS;
    config.conn.on_close = count_close;
    config.conn.on_drain = pay;
    config.conn.hello = BP_HELLO_OFF;
    config.conn.stall_ms = UINT32_MAX;
    config.conn.inflight_bytes = inflight_bytes;
    bpt_rig_listen(&all.rig, &config, 0);
    ck_assert_int_eq(pthread_create(&all.thread, NULL, run, NULL), 0);
}

/* A caller of another loop than the first one's. */
static size_t find_stranger(void) {
    size_t ix = 1;
    while (ix < CALLERS && pthread_equal(queue.thread[ix], queue.thread[0])) ix++;
    ck_assert_uint_lt(ix, CALLERS);
    return ix;
}

static void stop_paying(int *fds) {
    for (int i = 0; i < CALLERS; i++) close(fds[i]);
    while (atomic_load(&all.closes) != CALLERS) usleep(1000);
    ck_assert_uint_eq(queued_bytes(), 0);
    ck_assert_uint_eq(all.rig.server.server->share.full_count, 0);
    bp_server_stop(all.rig.server.server);
    ck_assert_int_eq(pthread_join(all.thread, NULL), 0);
    bpt_rig_fini(&all.rig);
}

/* What fills inflight_bytes is queued on one loop, and who is refused has nothing queued and is on another. */
START_TEST(room_on_one_loop_is_told_on_another) {
    enum { LITTLE = 2 * BPT_HUGE_MIN - 1 }; /* while one frame is more than half there, there is no room for another */
    int fds[CALLERS];
    start_paying(LITTLE);
    for (size_t i = 0; i < CALLERS; i++) {
        fds[i] = bpt_rig_raw(&all.rig);
        say(fds[i], i, false);
    }
    const size_t stranger = find_stranger();
    say(fds[0], 0, true);
    while (!atomic_load(&queue.is_blocked[0])) say(fds[0], 0, false);
    say(fds[stranger], stranger, true);
    ck_assert_uint_ge(atomic_load(&queue.refused[stranger]), 1);
    pthread_t reader; /* beside each other: what one does not read, the other has to wait for */
    ck_assert_int_eq(pthread_create(&reader, NULL, read_in_thread, &fds[0]), 0);
    read_all(fds[stranger]);
    ck_assert_int_eq(pthread_join(reader, NULL), 0);
    stop_paying(fds);
}
END_TEST

/* Each loop may be beyond the limit by the frame that it queues when others do the same. */
START_TEST(what_is_queued_on_all_loops_stays_within_one_limit) {
    int fds[CALLERS];
    pthread_t readers[CALLERS];
    start_paying(INFLIGHT);
    for (size_t i = 0; i < CALLERS; i++) {
        fds[i] = bpt_rig_raw(&all.rig);
        say(fds[i], i, true);
    }
    for (size_t i = 0; i < CALLERS; i++) {
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_in_thread, &fds[i]), 0);
    }
    for (size_t i = 0; i < CALLERS; i++) ck_assert_int_eq(pthread_join(readers[i], NULL), 0);
    ck_assert_uint_gt(atomic_load(&queue.most_queued), INFLIGHT / 2);
    ck_assert_uint_le(atomic_load(&queue.most_queued), INFLIGHT + LOOPS * (BP_FRAME_HEADER_SIZE + BPT_HUGE_MIN));
    stop_paying(fds);
}
END_TEST

/* ---- one loop: a letter under way ------------------------------------------------------------------------------- */

static struct {
    bpt_rig rig;
    bp_conn *conns[3]; /* the first one has the budget, the others wait in turn */
    uint64_t frames_seen;
    bool is_ended;
    int way_of_ending;
} one;

static bp_err pass(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)side, (void)conn, (void)frame;
    return BP_OK;
}

/* Runs before everything else of a turn: the second connection was admitted at the end of the last one. */
static void end_admitted(uv_prepare_t *prepare) {
    (void)prepare;
    if (one.is_ended || one.rig.server.frames == one.frames_seen) return;
    ck_assert(bpi_conn_wait(one.conns[1]) != NULL);
    ck_assert_uint_eq(one.rig.server.server->share.over_count, 1);
    one.is_ended = true;
    if (one.way_of_ending == 0)
        bp_conn_close(one.conns[1], BP_ERR_PERMISSION);
    else
        bp_conn_finish(one.conns[1]);
}

START_TEST(who_ends_with_a_letter_under_way_gives_its_part_back) {
    uv_prepare_t prepare;
    bpt_wire wire = {0};
    int fds[3];
    one.way_of_ending = _i % 2;
    bpt_rig_init(&one.rig);
    one.rig.server.hello = BP_HELLO_OFF;
    one.rig.server.on_frame = pass;
    bp_server_config config = bpt_rig_server_config(&one.rig, 2 + _i / 2);
    config.conn.partial_limit = BPT_HUGE_MIN;
    bpt_rig_listen(&one.rig, &config, 2 + _i / 2);
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 7);
    for (unsigned i = 0; i < 3; i++) {
        fds[i] = bpt_rig_raw(&one.rig);
        bpt_rig_until(&one.rig, one.rig.server.opens == i + 1);
        one.conns[i] = one.rig.server.conn;
    }
    const bp_reader_budget *budget = &one.rig.server.server->share.budget;
    uv_prepare_init(&one.rig.loop, &prepare);
    uv_prepare_start(&prepare, end_admitted);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(write(fds[i], wire.data, PART), PART);
        bpt_rig_until(&one.rig, one.rig.server.server->share.over_count == (i == 0 ? 0 : i) && budget->used != 0);
    }
    ck_assert_int_eq(write(fds[0], wire.data + PART, wire.length - PART), (ssize_t)(wire.length - PART));
    bpt_rig_until(&one.rig, one.is_ended);
    ck_assert_int_eq(write(fds[2], wire.data + PART, wire.length - PART), (ssize_t)(wire.length - PART));
    bpt_rig_until(&one.rig, one.rig.server.frames == 2);
    close(fds[1]);
    bpt_rig_until(&one.rig, one.rig.server.closes == 1);
    ck_assert_uint_eq(budget->used, 0);
    uv_close((uv_handle_t *)&prepare, NULL);
    close(fds[0]);
    close(fds[2]);
    bpt_wire_free(&wire);
    bpt_rig_fini(&one.rig);
}
END_TEST

BPT_SUITE(transport_share) {
    BPT_LOOP_TEST(cut_frames_of_all_loops_stay_within_one_budget, 0, BPT_WAYS);
    BPT_LOOP_TEST(peers_that_go_give_back_what_their_frames_took, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_server_that_stops_leaves_nobody_waiting, 0, BPT_WAYS);
    BPT_TEST(room_on_one_loop_is_told_on_another);
    BPT_TEST(what_is_queued_on_all_loops_stays_within_one_limit);
    BPT_LOOP_TEST(who_ends_with_a_letter_under_way_gives_its_part_back, 0, 4);
}
