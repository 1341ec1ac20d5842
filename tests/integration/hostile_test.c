#define _GNU_SOURCE
/* Peers that mean harm, over real sockets: each is let go with an error that says why, memory stays bounded, and the
 * echoes of a client on another connection of the same server go on all the while. */
#include "tests/support/frame_rig.h"

#include "generated/market.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MEMORY_LIMIT = 8 << 20,
    QUIET_PEAK = 1 << 20 /* bytes: more than the witness and the landing chunk ever need */
};

typedef struct scene {
    bpt_rig rig; /* its client 0 is the witness */
    bp_conn *witness;
    uint64_t handled; /* frames of everybody else */
    unsigned closed;  /* connections of everybody else, and why the last one was */
    bp_err why;
} scene;

/* The witness's frames are small ones of one length, which no attack uses, and come back. */
enum { WITNESS_LENGTH = 77 };

static bp_err serve(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    scene *s = side->data;
    bp_buf *buf = NULL;
    if (frame->type != BPT_SMALL_TYPE || frame->length != WITNESS_LENGTH) {
        s->handled++;
        return BP_OK;
    }
    bpt_ok(bp_conn_keep(conn, &buf));
    return bp_conn_send_take(conn, &buf);
}

static void count_close(bpt_side *side, bp_conn *conn) {
    scene *s = side->data;
    (void)conn;
    s->closed++;
    s->why = side->why;
}

static bp_err echoed(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, side->frames));
    bpt_send(conn, BPT_SMALL_TYPE, WITNESS_LENGTH, side->frames + 1);
    return BP_OK;
}

static void begin(scene *s, int way, const bp_server_config *changed) {
    memset(s, 0, sizeof *s);
    bpt_rig_init(&s->rig);
    bpt_side *server = &s->rig.server, *witness = &s->rig.clients[0];
    server->data = s;
    server->on_frame = serve;
    server->on_close = count_close;
    witness->on_frame = echoed;
    bp_server_config config = bpt_rig_server_config(&s->rig, way);
    config.conn.pool_config.memory_limit = MEMORY_LIMIT;
    config.connection_limit = UINT16_MAX;
    if (changed != NULL) {
        config.conn.frame_ms = changed->conn.frame_ms;
        config.conn.partial_limit = changed->conn.partial_limit;
    }
    const bp_client_config client = bpt_rig_client_config(&s->rig, 0, way);
    bpt_rig_listen(&s->rig, &config, way);
    bpt_rig_connect(&s->rig, 0, &client);
    bpt_rig_until(&s->rig, server->opens == 1 && witness->opens == 1);
    bpt_send(witness->conn, BPT_SMALL_TYPE, WITNESS_LENGTH, 1);
}

/* The witness is served, now as before. */
static void hear_witness(scene *s) {
    const bpt_side *witness = &s->rig.clients[0];
    const uint64_t before = witness->frames;
    bpt_rig_until(&s->rig, witness->frames >= before + 10 || witness->closes != 0);
    ck_assert_uint_eq(witness->closes, 0);
}

static uint64_t committed_peak(const scene *s) {
    bp_pool_stats stats;
    bp_pool_stats_read(bp_server_pool(s->rig.server.server), &stats);
    return stats.committed_peak_bytes;
}

static void end(scene *s, uint64_t peak) {
    hear_witness(s);
    ck_assert_uint_le(committed_peak(s), peak);
    bpt_rig_until(&s->rig, bpt_pool_in_use(bp_server_pool(s->rig.server.server)) == 0);
    bpt_rig_fini(&s->rig);
}

/* ---- a peer ----------------------------------------------------------------------------------------------------- */

static int unblock(int fd) {
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* One that begins with HELLO, as everybody does, and one that does not. */
static int connect_peer(scene *s) { return unblock(bpt_rig_raw_met(&s->rig)); }
static int connect_stranger(scene *s) { return unblock(bpt_rig_raw(&s->rig)); }

/* Sends all bytes while the loop runs; fewer, when the server has had enough of it. Returns how many. */
static size_t push(scene *s, int fd, const uint8_t *bytes, size_t count) {
    size_t sent = 0;
    while (sent < count) {
        const ssize_t n = send(fd, bytes + sent, count - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) break;
        if (n > 0) sent += (size_t)n;
        if (n < 0) uv_run(&s->rig.loop, UV_RUN_NOWAIT);
    }
    return sent;
}

/* This was all, and it was meant. */
static void push_goodbye(scene *s, int fd) {
    bpt_wire wire = {0};
    bpt_wire_add_goodbye(&wire);
    ck_assert_uint_eq(push(s, fd, wire.data, wire.length), BPT_GOODBYE_BYTES);
    bpt_wire_free(&wire);
}

/* The server lets go of a peer that sends these bytes, for this reason. */
static void is_refused(scene *s, const bpt_wire *wire, bp_err why) {
    const unsigned before = s->closed;
    const int fd = connect_peer(s);
    (void)push(s, fd, wire->data, wire->length);
    bpt_rig_until(&s->rig, s->closed == before + 1);
    bpt_err(s->why, why);
    close(fd);
}

/* ---- lengths ---------------------------------------------------------------------------------------------------- */

static const uint16_t every_type[] = {BPT_EMPTY_TYPE, BPT_SMALL_TYPE,   BPT_MEDIUM_TYPE,   BPT_LARGE_TYPE,
                                      BPT_HUGE_TYPE,  BPT_SKIPPED_TYPE, BPT_DELIVERED_TYPE};
enum { TYPES = sizeof every_type / sizeof every_type[0] };

START_TEST(length_bombs_take_no_memory) {
    static const uint32_t beyond[] = {1, 1000, 1u << 20, UINT32_MAX};
    scene s;
    begin(&s, _i, NULL);
    for (int i = 0; i < TYPES; i++) {
        for (size_t j = 0; j < sizeof beyond / sizeof beyond[0]; j++) {
            const uint32_t max = bpt_frame_max(every_type[i]);
            bpt_wire wire = {0};
            bpt_wire_add(&wire, BPT_MEDIUM_TYPE, BPT_MEDIUM_MIN, 1);
            bpt_wire_add_head(&wire, every_type[i], beyond[j] == UINT32_MAX ? UINT32_MAX : max + beyond[j]);
            bpt_wire_add(&wire, BPT_MEDIUM_TYPE, BPT_MEDIUM_MIN, 1); /* never looked at */
            is_refused(&s, &wire, BP_ERR_FRAME_LONG);
            bpt_wire_free(&wire);
        }
    }
    ck_assert_uint_eq(s.handled, s.closed);
    end(&s, QUIET_PEAK);
}
END_TEST

START_TEST(unknown_types_are_refused) {
    scene s;
    begin(&s, _i, NULL);
    for (uint32_t type = 1; type <= UINT16_MAX; type += 997) {
        bpt_wire wire = {0};
        if (type >= 1000 && type < 4000) continue; /* known, skipped or delivered */
        bpt_wire_add_head(&wire, (uint16_t)type, 0);
        is_refused(&s, &wire, BP_ERR_FRAME_TYPE);
        bpt_wire_free(&wire);
    }
    ck_assert_uint_ge(s.closed, 50);
    end(&s, QUIET_PEAK);
}
END_TEST

/* ---- garbage ---------------------------------------------------------------------------------------------------- */

static void add_good_frames(bpt_wire *wire, bpt_random *random) {
    for (int i = 0; i < 12; i++) {
        const uint16_t type = every_type[bpt_random_below(random, TYPES)];
        const uint32_t min = bpt_frame_min(type);
        bpt_wire_add(wire, type, min == 0 && type != BPT_EMPTY_TYPE ? 100 : min, bpt_random_next(random));
    }
}

/* Good streams of which a few bits are wrong, most of them in headers. */
static void spoil(bpt_wire *wire, bpt_random *random) {
    for (int i = 0; i < 3; i++) {
        const size_t reach = bpt_random_below(random, 2) == 0 ? 32 : wire->length;
        wire->data[bpt_random_below(random, (uint32_t)reach)] ^= (uint8_t)(1u << bpt_random_below(random, 8));
    }
}

START_TEST(garbage_ends_its_own_connection_alone) {
    bpt_random random = {(uint64_t)_i + 3};
    scene s;
    unsigned broken = 0;
    begin(&s, _i, NULL);
    const unsigned long peers = 20 + bpt_scaled(180);
    for (unsigned long i = 0; i < peers; i++) {
        bpt_wire wire = {0};
        const int fd = i % 4 == 0 ? connect_stranger(&s) : connect_peer(&s);
        add_good_frames(&wire, &random);
        spoil(&wire, &random);
        (void)push(&s, fd, wire.data, wire.length);
        close(fd);
        bpt_rig_until(&s.rig, s.closed == i + 1);
        const bool is_broken = s.why == BP_ERR_FRAME_TYPE || s.why == BP_ERR_FRAME_SHORT || s.why == BP_ERR_FRAME_LONG;
        bpt_must(is_broken || s.why == BP_ERR_END || s.why == BP_ERR_LOST || s.why == BP_ERR_RESET);
        broken += is_broken;
        bpt_wire_free(&wire);
    }
    ck_assert_uint_ge(broken, peers / 8);
    end(&s, MEMORY_LIMIT);
}
END_TEST

/* ---- floods ----------------------------------------------------------------------------------------------------- */

/* So many frames of six bytes, sent as fast as they are taken: the witness has its share of every turn. */
START_TEST(a_flood_of_empty_frames_drowns_nobody) {
    const unsigned long count = bpt_scaled(400000);
    scene s;
    bpt_wire wire = {0};
    begin(&s, _i, NULL);
    for (unsigned long i = 0; i < 10000; i++) {
        bpt_wire_add(&wire, i % 3 == 0 ? BPT_SKIPPED_TYPE : BPT_EMPTY_TYPE, 0, 0);
    }
    const uint64_t heard = s.rig.clients[0].frames;
    const int fd = connect_peer(&s);
    for (unsigned long sent = 0; sent < count; sent += 10000) {
        ck_assert_uint_eq(push(&s, fd, wire.data, wire.length), wire.length);
        uv_run(&s.rig.loop, UV_RUN_NOWAIT);
    }
    ck_assert_uint_gt(s.rig.clients[0].frames, heard);
    push_goodbye(&s, fd);
    close(fd);
    bpt_rig_until(&s.rig, s.closed == 1);
    bpt_err(s.why, BP_ERR_END);
    ck_assert_uint_eq(s.rig.server.stats.frames_in + s.rig.server.stats.frames_skipped, (count + 9999) / 10000 * 10000);
    bpt_wire_free(&wire);
    end(&s, QUIET_PEAK);
}
END_TEST

/* Peers that send the longest frames at once, each a part at a time, so that all of them are cut. */
START_TEST(the_longest_frames_from_many_stay_within_the_limit) {
    enum { PEERS = 12, ROUNDS = 3, PART = 20000 };
    scene s;
    int fds[PEERS];
    size_t sent[PEERS] = {0}, left = PEERS;
    bpt_wire wire = {0};
    begin(&s, _i, NULL);
    for (int i = 0; i < ROUNDS; i++) bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, (uint64_t)i);
    for (int i = 0; i < PEERS; i++) fds[i] = connect_peer(&s);
    while (left != 0) {
        for (int i = 0; i < PEERS; i++) {
            if (sent[i] == wire.length) continue;
            const size_t rest = wire.length - sent[i], part = rest < PART ? rest : PART;
            const ssize_t n = send(fds[i], wire.data + sent[i], part, MSG_NOSIGNAL);
            bpt_must(n > 0 || errno == EAGAIN);
            if (n > 0) sent[i] += (size_t)n;
            if (sent[i] == wire.length) left--;
        }
        uv_run(&s.rig.loop, UV_RUN_NOWAIT);
    }
    bpt_rig_until(&s.rig, s.handled == PEERS * ROUNDS);
    for (int i = 0; i < PEERS; i++) {
        push_goodbye(&s, fds[i]);
        close(fds[i]);
    }
    bpt_rig_until(&s.rig, s.closed == PEERS);
    bpt_err(s.why, BP_ERR_END);
    bpt_wire_free(&wire);
    end(&s, MEMORY_LIMIT);
}
END_TEST

/* ---- slowness --------------------------------------------------------------------------------------------------- */

/* Peers that send a frame byte by byte and never come to its end: each is let go when its time is over. */
START_TEST(slow_peers_are_let_go) {
    enum { PEERS = 40 };
    scene s;
    int fds[PEERS];
    bpt_wire wire = {0};
    const bp_server_config hasty = {.conn = {.frame_ms = 200}};
    begin(&s, _i, &hasty);
    bpt_wire_add(&wire, BPT_LARGE_TYPE, BPT_LARGE_MAX, 1);
    for (int i = 0; i < PEERS; i++) fds[i] = connect_peer(&s);
    for (size_t at = 0; s.closed < PEERS; at++) {
        for (int i = 0; i < PEERS && at < wire.length - 1; i++) (void)!send(fds[i], wire.data + at, 1, MSG_NOSIGNAL);
        uv_run(&s.rig.loop, at < wire.length - 1 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        if (s.closed != 0) bpt_must(s.why == BP_ERR_TIMEOUT);
    }
    ck_assert_uint_eq(s.handled, 0);
    for (int i = 0; i < PEERS; i++) close(fds[i]);
    bpt_wire_free(&wire);
    end(&s, MEMORY_LIMIT / 4);
}
END_TEST

static uint64_t waiting(const scene *s) {
    bp_server_stats stats;
    bp_server_stats_read(s->rig.server.server, &stats);
    return stats.connections_waiting;
}

/* Peers that send the first part of a long frame, more of them than may be under way together, and stop for as long as
 * they like: nobody else waits for them. In the end they go on, and nothing of theirs is lost. */
START_TEST(stalled_peers_hold_up_nobody) {
    enum { PEERS = 12, TOGETHER = 3 };
    static const size_t parts[] = {6, 100, 60000};
    scene s;
    int fds[PEERS];
    bpt_wire wire = {0};
    const bp_server_config patient = {
        .conn = {.frame_ms = UINT32_MAX, .partial_limit = TOGETHER * (uint64_t)BPT_HUGE_MAX}};
    begin(&s, _i, &patient);
    bp_pool *pool = bp_server_pool(s.rig.server.server);
    bpt_wire_add(&wire, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = connect_peer(&s);
        ck_assert_uint_eq(push(&s, fds[i], wire.data, parts[i % 3]), parts[i % 3]);
    }
    bpt_rig_until(&s.rig, waiting(&s) == PEERS - TOGETHER);
    hear_witness(&s);
    ck_assert_uint_le(bpt_pool_in_use(pool), TOGETHER + 1);
    ck_assert_uint_eq(s.closed, 0);
    for (int i = 0; i < PEERS; i++) {
        const size_t rest = wire.length - parts[i % 3];
        ck_assert_uint_eq(push(&s, fds[i], wire.data + parts[i % 3], rest), rest);
    }
    bpt_rig_until(&s.rig, s.handled == PEERS);
    for (int i = 0; i < PEERS; i++) close(fds[i]);
    bpt_wire_free(&wire);
    end(&s, MEMORY_LIMIT);
}
END_TEST

/* ---- many ------------------------------------------------------------------------------------------------------- */

/* A process of its own that connects so often, sends the beginning of a header each time, and ends when told. */
static pid_t start_crowd(scene *s, unsigned long count, int *stop_fd) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        char end_of_pipe;
        close(ends[1]);
        for (unsigned long i = 0; i < count; i++) {
            const int fd = bpt_rig_raw(&s->rig);
            bpt_raw_say_hello(fd);
            bpt_raw_take_hello(fd);
            if (send(fd, "\350\003", 2, MSG_NOSIGNAL) != 2) _exit(1);
        }
        _exit(read(ends[0], &end_of_pipe, 1) == 0 ? 0 : 2);
    }
    close(ends[0]);
    *stop_fd = ends[1];
    return child;
}

/* As many descriptors as may be had without asking anybody. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Peers that connect, begin and say no more, as many as the server takes: none holds a byte of the pool. */
START_TEST(half_open_peers_take_no_buffers) {
    const char *asked = getenv("BPT_PEERS");
    const unsigned long count = asked == NULL ? 100 + bpt_scaled(900) : strtoul(asked, NULL, 10);
    scene s;
    int stop_fd, status = 0;
    raise_descriptor_limit();
    begin(&s, _i, NULL);
    const pid_t crowd = start_crowd(&s, count, &stop_fd);
    bpt_rig_until(&s.rig, s.rig.server.opens == count + 1);
    hear_witness(&s);
    ck_assert_uint_le(bpt_pool_in_use(bp_server_pool(s.rig.server.server)), 1); /* the witness's */
    ck_assert_uint_le(committed_peak(&s), QUIET_PEAK);
    close(stop_fd);
    bpt_rig_until(&s.rig, s.closed == count);
    bpt_err(s.why, BP_ERR_LOST);
    ck_assert_int_eq(waitpid(crowd, &status, 0), crowd);
    ck_assert_int_eq(status, 0);
    end(&s, QUIET_PEAK);
}
END_TEST

/* ---- contracts -------------------------------------------------------------------------------------------------- */

static uint64_t valid_count;

#define DEFINE_HANDLER(name, NAME)                                                                                     \
    static bp_err on_##name(bp_conn *conn, bp_buf *buf, void *user) {                                                  \
        (void)conn, (void)user;                                                                                        \
        valid_count++;                                                                                                 \
        bp_buf_release(buf);                                                                                           \
        return BP_OK;                                                                                                  \
    }
MARKET_MESSAGES(DEFINE_HANDLER)

static const market_handlers take_everything = {
#define HANDLER(name, NAME) .name##_buf = on_##name,
    MARKET_MESSAGES(HANDLER)
#undef HANDLER
};

/* Values of the right length and with nothing in them that is right. */
static void add_nonsense(bpt_wire *wire, bpt_random *random) {
    const bp_type_info *info = &market_schema.types[bpt_random_below(random, market_schema.type_count)];
    const uint32_t spread = info->accept_max - info->accept_min;
    const uint32_t length = info->accept_min + bpt_random_below(random, spread < 500 ? spread + 1 : 500);
    bpt_wire_add(wire, info->type, length, bpt_random_next(random));
}

/* A server of the real contract that drops what is invalid: it hands on or counts every frame, and loses none. */
START_TEST(frames_against_the_contract_are_counted_one_by_one) {
    const unsigned long count = 500 + bpt_scaled(20000);
    bpt_random random = {(uint64_t)_i + 11};
    scene s;
    bpt_wire wire = {0};
    memset(&s, 0, sizeof s);
    valid_count = 0;
    bpt_rig_init(&s.rig);
    s.rig.server.hello = BP_HELLO_OFF; /* its peer does not know it */
    s.rig.server.data = &s;
    s.rig.server.on_close = count_close;
    bp_server_config config = bpt_rig_server_config(&s.rig, _i);
    config.conn.services[0] = market_service(&take_everything, NULL);
    config.conn.pool_config = market_pool_config;
    config.conn.invalid = BP_INVALID_DROP;
    bpt_rig_listen(&s.rig, &config, _i);
    const int fd = connect_stranger(&s);
    for (unsigned long i = 0; i < count; i++) add_nonsense(&wire, &random);
    ck_assert_uint_eq(push(&s, fd, wire.data, wire.length), wire.length);
    close(fd);
    bpt_rig_until(&s.rig, s.closed == 1);
    bpt_err(s.why, BP_ERR_END);
    ck_assert_uint_eq(s.rig.server.stats.frames_in, count);
    ck_assert_uint_eq(s.rig.server.stats.frames_invalid + valid_count, count);
    ck_assert_uint_ge(s.rig.server.stats.frames_invalid, count / 2);
    bpt_wire_free(&wire);
    bpt_rig_fini(&s.rig);
}
END_TEST

BPT_SUITE(integration_hostile) {
    BPT_LOOP_TEST(length_bombs_take_no_memory, 2, BPT_WAYS);
    BPT_LOOP_TEST(unknown_types_are_refused, 2, BPT_WAYS);
    BPT_LOOP_TEST(garbage_ends_its_own_connection_alone, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_flood_of_empty_frames_drowns_nobody, 2, BPT_WAYS);
    BPT_LOOP_TEST(the_longest_frames_from_many_stay_within_the_limit, 2, BPT_WAYS);
    BPT_LOOP_TEST(slow_peers_are_let_go, 2, BPT_WAYS);
    BPT_LOOP_TEST(stalled_peers_hold_up_nobody, 2, BPT_WAYS);
    BPT_LOOP_TEST(half_open_peers_take_no_buffers, 2, BPT_WAYS);
    BPT_LOOP_TEST(frames_against_the_contract_are_counted_one_by_one, 2, BPT_WAYS);
}
