#define _GNU_SOURCE
/* A network between client and server that the test makes: bytes come one by one, in lumps, late, and up to any one of
 * them and no further, by an end, a reset or the end of one direction. However they come, the frames are the same; and
 * where they stop, each side is told once, and nobody takes a part for the whole. */
#include "tests/support/descriptors.h"
#include "tests/support/frame_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- the proxy -------------------------------------------------------------------------------------------------- */

/* How a direction passes bytes on. */
typedef enum pace {
    AT_ONCE,
    BYTE_BY_BYTE,
    IN_LUMPS, /* as many as it can hold at a time */
    AT_RANDOM,
    STALLING /* nothing for a long while, then all */
} pace;
enum { PACES = STALLING + 1 };

/* What happens when a direction has passed on as many bytes as it may. */
typedef enum cut { NO_CUT, BY_END, BY_RESET, BY_HALF } cut;

enum { LUMP = 3000, HELD_MAX = 8192, STALL_TURNS = 40 };

typedef struct direction {
    int from, to;
    uint8_t held[HELD_MAX];
    size_t held_count;
    uint64_t passed, may_pass; /* bytes */
    bool has_ended, is_shut;   /* nothing more comes; and that was passed on */
    /* Where in a frame the byte is that was passed on last. */
    uint8_t head[BP_FRAME_HEADER_SIZE];
    uint32_t head_count, value_left;
} direction;

typedef struct proxy {
    int listener;
    char address[192]; /* where clients connect to */
    direction ways[2]; /* to the server, and to the client */
    pace pace;
    cut cut;
    bool is_open, is_cut;
    uint64_t turns;
    bpt_random random;
} proxy;

enum { TO_SERVER, TO_CLIENT };

static void listen_at_unix(proxy *p, const bpt_rig *rig) {
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", bpt_rig_path(rig, "", "proxy"));
    snprintf(p->address, sizeof p->address, "unix://%s", at.sun_path);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(p->listener, (const struct sockaddr *)&at, sizeof at), 0);
}

static void listen_at_tcp(proxy *p) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof at;
    p->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(p->listener, (const struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(getsockname(p->listener, (struct sockaddr *)&at, &length), 0);
    snprintf(p->address, sizeof p->address, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
}

static void start_proxy(proxy *p, const bpt_rig *rig, int way) {
    if (bpt_way_is_unix(way))
        listen_at_unix(p, rig);
    else
        listen_at_tcp(p);
    ck_assert_int_eq(listen(p->listener, 1), 0);
}

static void close_both(proxy *p) {
    if (!p->is_open) return;
    p->is_open = false;
    close(p->ways[TO_SERVER].from);
    close(p->ways[TO_SERVER].to);
}

static void end_proxy(proxy *p, const bpt_rig *rig, int way) {
    close_both(p);
    close(p->listener);
    if (bpt_way_is_unix(way)) unlink(bpt_rig_path(rig, "", "proxy"));
}

static void open_proxy(proxy *p, bpt_rig *rig) {
    const int client = accept4(p->listener, NULL, NULL, SOCK_NONBLOCK);
    if (client < 0) return;
    const int server = bpt_rig_raw(rig);
    ck_assert_int_eq(fcntl(server, F_SETFL, O_NONBLOCK), 0);
    p->ways[TO_SERVER].from = p->ways[TO_CLIENT].to = client;
    p->ways[TO_SERVER].to = p->ways[TO_CLIENT].from = server;
    p->is_open = true;
}

/* Follows the frames that were passed on. */
static void follow(direction *d, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (d->value_left != 0) {
            d->value_left--;
            continue;
        }
        d->head[d->head_count++] = bytes[i];
        if (d->head_count < BP_FRAME_HEADER_SIZE) continue;
        d->head_count = 0;
        d->value_left = bpi_load_u32(d->head + 2);
    }
}

static bool is_inside(const direction *d) { return d->head_count != 0 || d->value_left != 0; }

static void fill(direction *d) {
    const size_t room = HELD_MAX - d->held_count;
    if (d->has_ended || room == 0) return;
    const ssize_t n = read(d->from, d->held + d->held_count, room);
    if (n > 0) d->held_count += (size_t)n;
    d->has_ended = n == 0 || (n < 0 && errno != EAGAIN);
}

static size_t share(proxy *p, const direction *d) {
    switch (p->pace) {
    case BYTE_BY_BYTE: return 1;
    case IN_LUMPS: return d->held_count < LUMP && p->turns % STALL_TURNS != 0 ? 0 : SIZE_MAX;
    case AT_RANDOM: return bpt_random_below(&p->random, 1u << bpt_random_below(&p->random, 12));
    case STALLING: return p->turns % STALL_TURNS == 0 ? SIZE_MAX : 0;
    case AT_ONCE: break;
    }
    return SIZE_MAX;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void empty(proxy *p, direction *d) {
    const size_t may = d->may_pass - d->passed < SIZE_MAX ? (size_t)(d->may_pass - d->passed) : SIZE_MAX;
    const size_t count = least(least(share(p, d), d->held_count), may);
    const ssize_t n = count == 0 ? 0 : send(d->to, d->held, count, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) d->has_ended = d->is_shut = true; /* nobody is there any more */
    if (n <= 0) return;
    follow(d, d->held, (size_t)n);
    d->passed += (uint64_t)n;
    d->held_count -= (size_t)n;
    memmove(d->held, d->held + n, d->held_count);
}

static void cut_off(proxy *p, direction *d) {
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    p->is_cut = true;
    if (p->cut == BY_HALF) {
        d->is_shut = d->has_ended = true;
        shutdown(d->to, SHUT_WR);
        return;
    }
    if (p->cut == BY_RESET) {
        ck_assert_int_eq(setsockopt(d->to, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        ck_assert_int_eq(setsockopt(d->from, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    }
    close_both(p);
}

static void pass_on(proxy *p, direction *d) {
    if (!p->is_open || d->is_shut) return;
    fill(d);
    empty(p, d);
    if (p->cut != NO_CUT && d->passed == d->may_pass) {
        cut_off(p, d);
    } else if (d->has_ended && !d->is_shut && d->held_count == 0) {
        d->is_shut = true;
        shutdown(d->to, SHUT_WR);
    }
}

static void turn(proxy *p, bpt_rig *rig) {
    p->turns++;
    uv_run(&rig->loop, UV_RUN_NOWAIT);
    if (!p->is_open && !p->is_cut) open_proxy(p, rig);
    pass_on(p, &p->ways[TO_SERVER]);
    pass_on(p, &p->ways[TO_CLIENT]);
    if (p->is_open && p->ways[TO_SERVER].is_shut && p->ways[TO_CLIENT].is_shut) {
        p->is_cut = true;
        close_both(p);
    }
}

/* ---- the conversation ------------------------------------------------------------------------------------------- */

enum { FRAMES_MAX = 40 };

typedef struct talk {
    bpt_rig rig;
    proxy proxy;
    int way;
    uint64_t frames;      /* that the client sends, and the server sends back */
    uint64_t got, echoed; /* by the server; by the client */
    bool is_short;        /* the frames are */
} talk;

static uint16_t type_of(const talk *t, uint64_t n) {
    static const uint16_t types[] = {BPT_SMALL_TYPE, BPT_EMPTY_TYPE, BPT_MEDIUM_TYPE, BPT_LARGE_TYPE};
    return types[n % (t->is_short ? 3 : 4)];
}

static uint32_t length_of(const talk *t, uint64_t n) {
    const uint32_t min = bpt_frame_min(type_of(t, n)), max = bpt_frame_max(type_of(t, n));
    return t->is_short ? min : min + (uint32_t)(n * 379 % (max - min + 1));
}

static void check_frame(const talk *t, const bp_frame *frame, uint64_t n) {
    bpt_must(n < t->frames && frame->type == type_of(t, n) && frame->length == length_of(t, n));
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, n));
}

static bp_err echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    talk *t = side->data;
    bp_buf *buf = NULL;
    check_frame(t, frame, t->got++);
    bpt_ok(bp_conn_keep(conn, &buf));
    const bp_err err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

static bp_err take_echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    talk *t = side->data;
    check_frame(t, frame, t->echoed++);
    if (t->echoed == t->frames) bp_conn_finish(conn);
    return BP_OK;
}

static void send_all(bpt_side *side, bp_conn *conn) {
    const talk *t = side->data;
    for (uint64_t n = 0; n < t->frames; n++) bpt_send(conn, type_of(t, n), length_of(t, n), n);
}

static void begin(talk *t, int way, bool is_short, uint64_t frames) {
    memset(t, 0, sizeof *t);
    t->way = way;
    t->is_short = is_short;
    t->frames = frames;
    t->proxy.random.state = 1;
    t->proxy.ways[TO_SERVER].may_pass = t->proxy.ways[TO_CLIENT].may_pass = UINT64_MAX;
    bpt_rig_init(&t->rig);
    bpt_side *server = &t->rig.server, *client = &t->rig.clients[0];
    server->data = client->data = t;
    server->on_frame = echo;
    client->on_frame = take_echo;
    client->on_open = send_all;
}

/* Talks until both sides have let go of the connection, as far as there was one. */
static void run(talk *t) {
    bpt_side *server = &t->rig.server, *client = &t->rig.clients[0];
    const bp_server_config config = bpt_rig_server_config(&t->rig, t->way);
    const bp_client_config client_config = bpt_rig_client_config(&t->rig, 0, t->way);
    bpt_rig_listen(&t->rig, &config, t->way);
    start_proxy(&t->proxy, &t->rig, t->way);
    bpt_ok(bp_client_new(&client_config, t->proxy.address, &client->client));
    while (client->closes == 0 || server->closes == 0) turn(&t->proxy, &t->rig);
    ck_assert_uint_eq(client->opens + client->closes + server->opens + server->closes, 4);
    ck_assert_uint_eq(client->in_use_at_close + server->in_use_at_close, 0);
    end_proxy(&t->proxy, &t->rig, t->way);
}

START_TEST(frames_are_the_same_however_they_come) {
    static talk t;
    for (int way = 2; way < BPT_WAYS; way++) {
        const int descriptors = bpt_descriptor_count();
        begin(&t, way, _i == BYTE_BY_BYTE, FRAMES_MAX);
        t.proxy.pace = (pace)_i;
        run(&t);
        ck_assert_uint_eq(t.got, t.frames);
        ck_assert_uint_eq(t.echoed, t.frames);
        bpt_err(t.rig.clients[0].why, BP_ERR_CLOSED);
        bpt_err(t.rig.server.why, BP_ERR_END);
        bpt_rig_fini(&t.rig);
        ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    }
}
END_TEST

/* ---- cuts ------------------------------------------------------------------------------------------------------- */

/* Who had all that it was owed may take the end for a good one; nobody who was left inside a frame may. */
static void check_side(const bpt_side *side, const direction *from, bool has_all) {
    const bool is_told = side->why == BP_ERR_LOST || side->why == BP_ERR_RESET;
    if (is_inside(from))
        ck_assert_msg(is_told, "after %lu bytes: %s", (unsigned long)from->passed, bp_err_name(side->why));
    else
        ck_assert_msg(is_told || side->why == BP_ERR_END || (side->why == BP_ERR_CLOSED && has_all),
                      "%s after %lu bytes", bp_err_name(side->why), (unsigned long)from->passed);
}

/* Cuts the direction after so many bytes; false: it never passes so many. */
static bool run_cut(talk *t, int way, cut how, int ix, uint64_t bytes) {
    begin(t, way, true, 4);
    t->proxy.cut = how;
    t->proxy.ways[ix].may_pass = bytes;
    run(t);
    const bool was_cut = t->proxy.ways[ix].passed == bytes;
    check_side(&t->rig.server, &t->proxy.ways[TO_SERVER], t->got == t->frames);
    check_side(&t->rig.clients[0], &t->proxy.ways[TO_CLIENT], t->echoed == t->frames);
    bpt_rig_fini(&t->rig);
    return was_cut;
}

static void run_cuts(int way, cut how) {
    static talk t;
    const int descriptors = bpt_descriptor_count();
    for (int ix = 0; ix < 2; ix++) {
        uint64_t bytes = 1;
        while (run_cut(&t, way, how, ix, bytes)) bytes++;
        ck_assert_uint_gt(bytes, 4 * BP_FRAME_HEADER_SIZE + BPT_MEDIUM_MIN);
    }
    ck_assert_int_eq(bpt_descriptor_count(), descriptors);
}

START_TEST(a_peer_that_ends_at_any_byte_is_told) { run_cuts(_i, BY_END); }
END_TEST

START_TEST(a_reset_at_any_byte_is_told) { run_cuts(_i, BY_RESET); }
END_TEST

START_TEST(one_direction_that_ends_at_any_byte_is_told) { run_cuts(_i, BY_HALF); }
END_TEST

BPT_LONG_SUITE(integration_proxy) {
    tcase_add_checked_fixture(tcase, bpt_rig_warm_up, NULL);
    BPT_LOOP_TEST(frames_are_the_same_however_they_come, 0, PACES);
    BPT_LOOP_TEST(a_peer_that_ends_at_any_byte_is_told, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_reset_at_any_byte_is_told, 2, 3);
    BPT_LOOP_TEST(one_direction_that_ends_at_any_byte_is_told, 2, BPT_WAYS);
}
