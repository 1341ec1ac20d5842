#define _GNU_SOURCE
/* Servers of several threads: the server runs on threads of its own, and the test talks to it over plain sockets. */
#include "tests/support/frame_rig.h"
#include "transport/server_internal.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LOOPS = 3, PEERS = 48, LENGTH = 64, SIZE = LENGTH + BP_FRAME_HEADER_SIZE, SEEN_MAX = 64 };

/* What the handlers of all threads see. */
typedef struct crowd {
    bpt_rig rig;
    pthread_t thread; /* that runs the server */
    atomic_uint opens, closes, most_open, frames, others;
    atomic_int why;   /* of the connection that closed last */
    atomic_uint placeless; /* closes of connections that no longer held a place */
    _Atomic(pthread_t) seen[SEEN_MAX];
    bp_err err; /* of the run */
    void (*on_frame)(struct crowd *crowd, bp_conn *conn);
} crowd;

static void on_open(bp_conn *conn, void *user) {
    crowd *c = user;
    (void)conn;
    atomic_store(&c->seen[atomic_fetch_add(&c->opens, 1) % SEEN_MAX], pthread_self());
    const unsigned open = atomic_load(&c->opens) - atomic_load(&c->closes);
    unsigned most = atomic_load(&c->most_open);
    while (most < open && !atomic_compare_exchange_weak(&c->most_open, &most, open)) {
    }
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    crowd *c = user;
    (void)conn;
    if (__atomic_load_n(&c->rig.server.server->open_count, __ATOMIC_RELAXED) == 0) atomic_fetch_add(&c->placeless, 1);
    atomic_store(&c->why, (int)why);
    atomic_fetch_add(&c->closes, 1);
}

static bp_err echo(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    crowd *c = service->user;
    bp_buf *buf = NULL;
    (void)frame;
    (void)is_invalid;
    atomic_fetch_add(&c->frames, 1);
    if (c->on_frame != NULL) c->on_frame(c, conn);
    const bp_err err = bp_conn_keep(conn, &buf);
    return err == BP_OK ? bp_conn_send_take(conn, &buf) : err;
}

static bp_server_config config_of(crowd *c, uint32_t threads) {
    const bp_service service = {.schema = &bpt_frame_schema, .dispatch = echo, .user = c};
    bp_server_config config = bp_server_config_default(service);
    config.handle_signals = false;
    config.thread_count = threads;
    config.conn.user = c;
    config.conn.on_open = on_open;
    config.conn.on_close = on_close;
    return config;
}

static void *run(void *user) {
    crowd *c = user;
    c->err = bp_server_run(c->rig.server.server);
    return NULL;
}

static void start(crowd *c) { ck_assert_int_eq(pthread_create(&c->thread, NULL, run, c), 0); }

static void listen_and_start(crowd *c, const bp_server_config *config, int way) {
    bpt_rig_listen(&c->rig, config, way);
    start(c);
}

static void join(crowd *c) {
    ck_assert_int_eq(pthread_join(c->thread, NULL), 0);
    bpt_ok(c->err);
    ck_assert_uint_eq(atomic_load(&c->opens), atomic_load(&c->closes));
}

/* ---- peers ---- */

static void send_frame(int fd, uint64_t seed) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_SMALL_TYPE, LENGTH, seed);
    bpt_must(write(fd, wire.data, wire.length) == (ssize_t)wire.length);
    bpt_wire_free(&wire);
}

/* The next frame; 0: the server has ended the connection. */
static ssize_t read_frame(int fd, uint8_t frame[SIZE]) {
    ssize_t got = 0;
    while (got < SIZE) {
        const ssize_t more = read(fd, frame + got, (size_t)(SIZE - got));
        if (more <= 0) return got;
        got += more;
    }
    return got;
}

static void expect_frame(int fd, uint64_t seed) {
    uint8_t frame[SIZE];
    bpt_must(read_frame(fd, frame) == SIZE);
    bpt_must(bpt_frame_is_filled(frame + BP_FRAME_HEADER_SIZE, LENGTH, seed));
}

/* A peer that says HELLO, and a frame; whenever it is served, it is told the same. */
static int join_in(crowd *c, uint64_t seed) {
    const int fd = bpt_rig_raw(&c->rig);
    bpt_raw_say_hello(fd);
    send_frame(fd, seed);
    return fd;
}

static void expect_service(int fd, uint64_t seed) {
    bpt_raw_take_hello(fd);
    expect_frame(fd, seed);
}

static void expect_goodbye(int fd) {
    uint8_t bytes[SIZE];
    bpt_must(read_frame(fd, bytes) == BPT_GOODBYE_BYTES && bytes[BP_FRAME_HEADER_SIZE] == 2);
}

static void connect_all(crowd *c, int fds[], int count) {
    for (int i = 0; i < count; i++) fds[i] = join_in(c, (uint64_t)i);
    for (int i = 0; i < count; i++) expect_service(fds[i], (uint64_t)i);
}

static void close_all(int fds[], int count) {
    for (int i = 0; i < count; i++) close(fds[i]);
}

static unsigned threads_seen(crowd *c) {
    unsigned count = 0;
    for (unsigned i = 0; i < atomic_load(&c->opens) && i < SEEN_MAX; i++) {
        bool is_new = true;
        for (unsigned j = 0; j < i; j++) is_new = is_new && !pthread_equal(c->seen[i], c->seen[j]);
        count += is_new;
    }
    return count;
}

/* ---- serving ---- */

/* Twice: a server that was stopped can be run again, on new threads. Of a Unix socket whoever is awake accepts. */
START_TEST(every_loop_serves_and_all_are_counted) {
    static crowd c;
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    const bp_server_config config = config_of(&c, LOOPS);
    bpt_rig_listen(&c.rig, &config, _i);
    for (unsigned round = 1; round <= 2; round++) {
        bp_server_stats stats;
        start(&c);
        connect_all(&c, fds, PEERS);
        ck_assert_uint_eq(atomic_load(&c.opens), round * PEERS);
        if (round == 1 && !bpt_way_is_unix(_i)) ck_assert_uint_eq(threads_seen(&c), LOOPS);
        bp_server_stop(c.rig.server.server);
        join(&c);
        close_all(fds, PEERS);
        ck_assert_int_eq(atomic_load(&c.why), BP_ERR_CLOSED);
        bp_server_stats_read(c.rig.server.server, &stats);
        ck_assert_uint_eq(stats.connections_accepted, round * PEERS);
        ck_assert_uint_eq(stats.connections_open, 0);
        ck_assert_uint_eq(stats.conn.frames_in, round * PEERS);
        ck_assert_uint_eq(stats.conn.frames_out, round * PEERS);
    }
    bpt_rig_fini(&c.rig);
}
END_TEST

/* To a thread that runs none of the loops, while they run: what each of them counts is seen soon, also when there is
 * nothing else that its timer has to look after. */
START_TEST(counts_are_seen_from_outside) {
    static crowd c;
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    bp_server_config config = config_of(&c, LOOPS);
    config.conn.finish_ms = 40; /* soon is as often as the shortest deadline wants */
    listen_and_start(&c, &config, _i);
    connect_all(&c, fds, PEERS);
    for (uint64_t round = 1; round <= 3; round++) {
        bp_server_stats stats = {.connections_open = 0};
        while (stats.conn.frames_in < round * PEERS) {
            usleep(1000);
            bp_server_stats_read(c.rig.server.server, &stats);
        }
        ck_assert_uint_eq(stats.conn.frames_in, round * PEERS);
        for (int i = 0; i < PEERS; i++) send_frame(fds[i], round);
        for (int i = 0; i < PEERS; i++) expect_frame(fds[i], round);
    }
    bp_server_stop(c.rig.server.server);
    join(&c);
    close_all(fds, PEERS);
    bpt_rig_fini(&c.rig);
}
END_TEST

/* _i & 2: with a single place, for which loops without a connection of their own have to look. */
START_TEST(the_connection_limit_holds_over_all_loops) {
    const unsigned limit = (_i & 2) != 0 ? 1 : 5;
    static crowd c;
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    bp_server_config config = config_of(&c, LOOPS);
    config.connection_limit = limit;
    config.conn.finish_ms = 40; /* they look as often as the shortest deadline wants */
    listen_and_start(&c, &config, _i);
    for (int i = 0; i < PEERS; i++) fds[i] = join_in(&c, (uint64_t)i);
    /* Whoever is served goes, and makes room for another one, of whichever loop. */
    for (int left = PEERS; left != 0;) {
        struct pollfd polls[PEERS];
        for (int i = 0; i < PEERS; i++) polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
        ck_assert_int_gt(poll(polls, PEERS, -1), 0);
        for (int i = 0; i < PEERS; i++) {
            if (polls[i].revents == 0) continue;
            expect_service(fds[i], (uint64_t)i);
            close(fds[i]);
            fds[i] = -1;
            left--;
        }
    }
    bp_server_stop(c.rig.server.server);
    join(&c);
    ck_assert_uint_eq(atomic_load(&c.opens), PEERS);
    ck_assert_uint_le(atomic_load(&c.most_open), limit);
    ck_assert_uint_eq(atomic_load(&c.placeless), 0);
    bpt_rig_fini(&c.rig);
}
END_TEST

/* A buffer without a type is nobody's. */
static void broadcast(crowd *c, bp_conn *conn) {
    bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), BPT_SMALL_TYPE, LENGTH, 777);
    bp_buf *untyped = bpt_frame_buf(bp_conn_pool(conn), 0, LENGTH, 0);
    bpt_must(bp_server_broadcast_take(c->rig.server.server, &untyped) == 0 && untyped == NULL);
    if (atomic_load(&c->frames) == PEERS + 1) {
        atomic_store(&c->others, (unsigned)bp_server_broadcast_take(c->rig.server.server, &buf));
    }
    bp_buf_release(buf);
}

START_TEST(a_broadcast_reaches_the_connections_of_every_loop) {
    static crowd c = {.on_frame = broadcast};
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    const bp_server_config config = config_of(&c, LOOPS);
    listen_and_start(&c, &config, _i);
    connect_all(&c, fds, PEERS);
    send_frame(fds[0], 1);
    for (int i = 0; i < PEERS; i++) expect_frame(fds[i], 777);
    expect_frame(fds[0], 1);
    ck_assert_uint_eq(atomic_load(&c.others), PEERS);
    bp_server_stop(c.rig.server.server);
    join(&c);
    close_all(fds, PEERS);
    bp_pool *pool = bp_pool_retain(bp_server_pool(c.rig.server.server));
    bpt_rig_fini(&c.rig); /* to a loop without connections the frame may be on its way until then */
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bp_pool_release_take(&pool);
}
END_TEST

/* ---- ending ---- */

static void stop_in_handler(crowd *c, bp_conn *conn) {
    (void)conn;
    if (atomic_load(&c->frames) == PEERS / 2) bp_server_stop(c->rig.server.server);
}

static void free_in_handler(crowd *c, bp_conn *conn) {
    (void)conn;
    bp_server *server = c->rig.server.server;
    if (atomic_load(&c->frames) == PEERS / 2) bp_server_free_take(&server);
}

START_TEST(a_handler_of_any_loop_ends_all) {
    static crowd c;
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    c.on_frame = _i < BPT_WAYS ? stop_in_handler : free_in_handler;
    const bp_server_config config = config_of(&c, LOOPS);
    listen_and_start(&c, &config, _i % BPT_WAYS);
    for (int i = 0; i < PEERS; i++) fds[i] = bpt_rig_raw(&c.rig);
    for (int i = 0; i < PEERS / 2; i++) send_frame(fds[i], 1);
    join(&c);
    if (_i >= BPT_WAYS) c.rig.server.server = NULL;
    close_all(fds, PEERS);
    bpt_rig_fini(&c.rig);
}
END_TEST

/* Every frame that was sent before is answered, then each connection ends in order, then the run. */
START_TEST(draining_ends_every_connection_in_order) {
    static crowd c;
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    const bp_server_config config = config_of(&c, _i < 2 ? 1 : LOOPS);
    listen_and_start(&c, &config, _i);
    connect_all(&c, fds, PEERS);
    bp_server_drain(c.rig.server.server);
    for (int i = 0; i < PEERS; i++) expect_goodbye(fds[i]);
    ck_assert_uint_eq(atomic_load(&c.closes), 0); /* they wait for their peers' ends */
    close_all(fds, PEERS);
    join(&c);
    ck_assert_int_eq(atomic_load(&c.why), BP_ERR_CLOSED);
    bpt_ok(bp_server_run(c.rig.server.server)); /* drained for good: nothing to do */
    bpt_rig_fini(&c.rig);
}
END_TEST

START_TEST(draining_does_not_wait_for_ever) {
    static crowd c;
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    bp_server_config config = config_of(&c, LOOPS);
    config.conn.finish_ms = 40;
    listen_and_start(&c, &config, _i);
    connect_all(&c, fds, PEERS);
    bp_server_drain(c.rig.server.server);
    join(&c);
    ck_assert_int_eq(atomic_load(&c.why), BP_ERR_TIMEOUT);
    close_all(fds, PEERS);
    bpt_rig_fini(&c.rig);
}
END_TEST

/* The first signal drains, the second one stops. */
START_TEST(a_second_signal_does_not_wait) {
    static crowd c;
    int fds[PEERS];
    bpt_rig_init(&c.rig);
    bp_server_config config = config_of(&c, LOOPS);
    config.handle_signals = true;
    config.conn.finish_ms = UINT32_MAX;
    listen_and_start(&c, &config, _i);
    connect_all(&c, fds, PEERS);
    kill(getpid(), SIGTERM);
    for (int i = 0; i < PEERS; i++) expect_goodbye(fds[i]);
    ck_assert_uint_eq(atomic_load(&c.closes), 0);
    kill(getpid(), SIGINT);
    join(&c);
    ck_assert_int_eq(atomic_load(&c.why), BP_ERR_CLOSED);
    close_all(fds, PEERS);
    bpt_rig_fini(&c.rig);
}
END_TEST

/* ---- refused ---- */

START_TEST(a_lent_loop_has_one_thread) {
    static crowd c;
    bpt_rig_init(&c.rig);
    bp_server_config config = config_of(&c, 2);
    config.loop = &c.rig.loop;
    bpt_err(bp_server_new(&config, "tcp://127.0.0.1:0", &c.rig.server.server), BP_ERR_ARGUMENT);
    config.loop = NULL;
    config.thread_count = BPI_WORKER_MAX + 1;
    bpt_err(bp_server_new(&config, "tcp://127.0.0.1:0", &c.rig.server.server), BP_ERR_ARGUMENT);
    bpt_rig_fini(&c.rig);
}
END_TEST

/* That a server shares its port among its own threads does not let others in. */
START_TEST(an_address_with_threads_is_still_one_servers_own) {
    static crowd c;
    bp_server *second = NULL;
    bpt_rig_init(&c.rig);
    const bp_server_config many = config_of(&c, LOOPS), one = config_of(&c, 1);
    bpt_rig_listen(&c.rig, &many, _i);
    bpt_err(bp_server_new(&many, c.rig.address, &second), BP_ERR_ADDRESS_IN_USE);
    bpt_err(bp_server_new(&one, c.rig.address, &second), BP_ERR_ADDRESS_IN_USE);
    bpt_rig_fini(&c.rig);
}
END_TEST

static int next_descriptor(void) {
    const int fd = dup(0);
    close(fd);
    return fd;
}

static void set_descriptors(rlim_t count) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = count;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* With ever more descriptors, ever more of the workers can be made, until all are. */
START_TEST(a_worker_that_cannot_start_leaves_nothing) {
    static crowd c;
    struct rlimit before;
    int failures = 0;
    bpt_rig_init(&c.rig);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    const bp_server_config config = config_of(&c, LOOPS);
    const char *address = bpt_way_is_unix(_i) ? bpt_rig_path(&c.rig, "unix://", "socket") : "tcp://127.0.0.1:0";
    const int first = next_descriptor();
    for (int more = 0;; more++) {
        set_descriptors((rlim_t)(first + more));
        const bp_err err = bp_server_new(&config, address, &c.rig.server.server);
        set_descriptors(before.rlim_cur);
        if (err == BP_OK) break;
        bpt_err(err, BP_ERR_SYSTEM);
        ck_assert_ptr_null(c.rig.server.server);
        ck_assert_int_eq(next_descriptor(), first);
        failures++;
    }
    ck_assert_int_gt(failures, LOOPS);
    bpt_rig_fini(&c.rig);
    ck_assert_int_le(next_descriptor(), first);
}
END_TEST

BPT_SUITE(transport_worker) {
    BPT_LOOP_TEST(every_loop_serves_and_all_are_counted, 0, BPT_WAYS);
    BPT_LOOP_TEST(counts_are_seen_from_outside, 0, 2);
    BPT_LOOP_TEST(the_connection_limit_holds_over_all_loops, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_broadcast_reaches_the_connections_of_every_loop, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_handler_of_any_loop_ends_all, 0, 2 * BPT_WAYS);
    BPT_LOOP_TEST(draining_ends_every_connection_in_order, 0, BPT_WAYS);
    BPT_LOOP_TEST(draining_does_not_wait_for_ever, 0, 2);
    BPT_LOOP_TEST(a_second_signal_does_not_wait, 0, 2);
    BPT_TEST(a_lent_loop_has_one_thread);
    BPT_LOOP_TEST(an_address_with_threads_is_still_one_servers_own, 0, 2);
    BPT_LOOP_TEST(a_worker_that_cannot_start_leaves_nothing, 0, 2);
}
