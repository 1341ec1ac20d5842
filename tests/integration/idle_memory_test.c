#define _GNU_SOURCE
/* What thousands of connections cost a server while nothing is said on them, before and after a round of traffic: at
 * most 512 bytes each, with libuv's handle and malloc's headers, and none of the pool's. The service is a plain one,
 * without a session. The clients are processes of their own, so that descriptors suffice. */
#include "tests/support/frame_rig.h"
#include "tests/support/heap_meter.h"
#include "transport/server_internal.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    MOST = 5000,
    FEWEST = 100, /* of a slow build: what a loop has once, and grows by, is then shared by so few */
    BYTES_EACH = 512,
    LIBUV_EACH = 2 * sizeof(void *), /* a table that doubles */
    CROWDS = 2,
    BATCH = 64,    /* connections of a client that are busy at once */
    HUGE_EACH = 64 /* every so manieth connection carries a frame that takes long */
};

/* ---- clients: processes that connect, wait, say something on every connection, wait, and end ---- */

typedef struct crowd {
    pid_t process;
    int orders; /* one end of a pair of sockets: the address, then a byte for traffic; its end ends the process */
    unsigned count;
} crowd;

/* What is said on connection number n, and is answered with the same. */
static uint16_t type_of(unsigned n, unsigned round) {
    static const uint16_t types[] = {BPT_SMALL_TYPE, BPT_LARGE_TYPE, BPT_HUGE_TYPE};
    return types[n % HUGE_EACH == 0 ? 2 : round];
}

static void say(int fd, bp_pool *pool, uint16_t type, unsigned n) {
    bp_buf *buf = bpt_frame_buf(pool, type, bpt_frame_max(type), n);
    if (bp_frame_write(fd, buf) != BP_OK) _exit(3);
    bp_buf_release(buf);
}

static void hear(int fd, bp_pool *pool, const bp_type_map *types, uint16_t type, unsigned n) {
    bp_buf *buf;
    if (bp_frame_read(fd, pool, types, &buf) != BP_OK) _exit(4);
    if (bp_buf_type(buf) != type || bp_buf_length(buf) != bpt_frame_max(type)) _exit(5);
    if (!bpt_frame_is_filled(bp_buf_data(buf), bp_buf_length(buf), n)) _exit(6);
    bp_buf_release(buf);
}

static void talk(const int *fds, unsigned count) {
    const bp_schema *schema = &bpt_frame_schema;
    bp_type_map *types = NULL;
    bp_pool *pool = NULL;
    if (bp_heap_pool_new(0, &pool) != BP_OK || bp_type_map_new(&schema, 1, &types) != BP_OK) _exit(2);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned from = 0; from < count; from += BATCH) {
            const unsigned end = count - from < BATCH ? count : from + BATCH;
            for (unsigned n = from; n < end; n++) say(fds[n], pool, type_of(n, round), n);
            for (unsigned n = from; n < end; n++) hear(fds[n], pool, types, type_of(n, round), n);
        }
    }
    bp_type_map_free_take(&types);
    bp_pool_release_take(&pool);
}

/* Ends with a reset: what is closed in order keeps its port for a minute. */
static _Noreturn void be_crowd(int orders, unsigned count) {
    static int fds[MOST];
    const struct linger none = {.l_onoff = 1};
    static bpt_rig rig;
    char order;
    if (read(orders, rig.address, sizeof rig.address) != sizeof rig.address) _exit(2);
    for (unsigned n = 0; n < count; n++) {
        fds[n] = bpt_rig_raw(&rig);
        if (setsockopt(fds[n], SOL_SOCKET, SO_LINGER, &none, sizeof none) != 0) _exit(2);
    }
    while (read(orders, &order, 1) == 1) talk(fds, count);
    _exit(0);
}

/* Makes crowd number ix. Forked before this process has a pool or a loop. */
static void make_crowd(crowd *crowds, unsigned ix, unsigned count) {
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    const pid_t process = fork();
    ck_assert_int_ge(process, 0);
    if (process == 0) {
        for (unsigned i = 0; i < ix; i++) close(crowds[i].orders);
        close(ends[0]);
        be_crowd(ends[1], count);
    }
    close(ends[1]);
    crowds[ix] = (crowd){.process = process, .orders = ends[0], .count = count};
}

static void invite(const crowd *c, const bpt_rig *rig) {
    ck_assert_int_eq(write(c->orders, rig->address, sizeof rig->address), sizeof rig->address);
}

static void have_talk(const crowd *c) { ck_assert_int_eq(write(c->orders, "", 1), 1); }

static void dismiss(const crowd *c) {
    int status;
    close(c->orders);
    ck_assert_int_eq(waitpid(c->process, &status, 0), c->process);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a client ended with %d", status);
}

/* ---- the server ---- */

static bp_err echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf;
    (void)side, (void)frame;
    bp_err err = bp_conn_keep(conn, &buf);
    if (err != BP_OK) return err;
    err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

static void listen_quietly(bpt_rig *rig, int way) {
    bpt_rig_init(rig);
    rig->server.on_frame = echo;
    bp_server_config config = bpt_rig_server_config(rig, way);
    config.conn.pool_config.memory_limit = 0;
    config.conn.finish_ms = 40; /* nobody finishes: but a loop ticks four times within the shortest deadline */
    bpt_rig_listen(rig, &config, way);
}

static void look_again(uv_timer_t *timer) { (void)timer; }

/* Once the loop's timer rests, nobody has a deadline, nor any memory that is to be given back. It stops before the loop
 * sleeps: another one wakes that. */
static void run_to_rest(bpt_rig *rig) {
    uv_timer_t alarm;
    uv_timer_init(&rig->loop, &alarm);
    uv_timer_start(&alarm, look_again, 5, 5);
    bpt_rig_until(rig, !uv_is_active((uv_handle_t *)&rig->server.server->workers[0].end.loop->timer));
    uv_close((uv_handle_t *)&alarm, NULL);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}

static uint64_t bytes_at_rest(bpt_rig *rig) {
    bp_pool *pool = bp_server_pool(rig->server.server);
    bp_pool_stats stats;
    run_to_rest(rig);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    (void)bp_pool_trim(pool, false);
    bp_pool_stats_read(pool, &stats);
    ck_assert_uint_eq(stats.committed_bytes, 0);
    return bpt_heap_meter_bytes();
}

/* The clients say something on each of their connections. */
static void let_talk(bpt_rig *rig, const crowd *crowds, unsigned count) {
    uint64_t frames = rig->server.frames;
    const unsigned closes = rig->server.closes;
    for (unsigned i = 0; i < count; i++) {
        have_talk(&crowds[i]);
        frames += 2 * (uint64_t)crowds[i].count;
    }
    bpt_rig_until(rig, rig->server.frames == frames || rig->server.closes != closes);
    ck_assert_uint_eq(rig->server.closes, closes);
}

/* One connection comes, talks and goes: the loop has what it keeps for all of them. */
static uint64_t bytes_without_connections(bpt_rig *rig, const crowd *first) {
    invite(first, rig);
    bpt_rig_until(rig, rig->server.opens == first->count);
    let_talk(rig, first, 1);
    (void)bytes_at_rest(rig);
    dismiss(first);
    bpt_rig_until(rig, rig->server.closes == first->count);
    return bytes_at_rest(rig);
}

/* ---- together ---- */

/* Connections that a server of this process can have. */
static unsigned connection_count(void) {
    const unsigned long scaled = bpt_scaled(MOST), wanted = scaled < FEWEST ? FEWEST : scaled;
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return (unsigned)(limit.rlim_cur < wanted + 100 ? limit.rlim_cur - 100 : wanted);
}

static void check_each(uint64_t bytes, uint64_t before, unsigned count, unsigned each_max) {
    ck_assert_msg(bytes <= before + (uint64_t)each_max * count, "%.1f bytes for each of %u connections",
                  ((double)bytes - (double)before) / count, count);
}

/* _i: transport and pool. What is left when all are gone is libuv's, which knows descriptors by their numbers. */
START_TEST(an_idle_connection_costs_at_most_512_bytes) {
    const unsigned each = connection_count() / CROWDS, count = each * CROWDS;
    crowd crowds[1 + CROWDS] = {0};
    bpt_rig rig;
    make_crowd(crowds, 0, 1);
    for (unsigned ix = 1; ix <= CROWDS; ix++) make_crowd(crowds, ix, each);
    bpt_heap_meter();
    listen_quietly(&rig, _i);
    const uint64_t before = bytes_without_connections(&rig, &crowds[0]);
    for (unsigned ix = 1; ix <= CROWDS; ix++) invite(&crowds[ix], &rig);
    bpt_rig_until(&rig, rig.server.opens == 1 + count);
    const uint64_t fresh = bytes_at_rest(&rig);
    check_each(fresh, before, count, BYTES_EACH);
    let_talk(&rig, &crowds[1], CROWDS);
    ck_assert_uint_le(bytes_at_rest(&rig), fresh);
    for (unsigned ix = 1; ix <= CROWDS; ix++) dismiss(&crowds[ix]);
    bpt_rig_until(&rig, rig.server.closes == 1 + count);
    check_each(bytes_at_rest(&rig), before, count, LIBUV_EACH);
    bpt_rig_fini(&rig);
    bpi_os = bpi_os_system;
}
END_TEST

BPT_SUITE(integration_idle_memory) {
    BPT_TIMEOUT(120);
    BPT_LOOP_TEST(an_idle_connection_costs_at_most_512_bytes, 0, BPT_WAYS);
}
