#define _GNU_SOURCE
/* Load for as long as one likes, between processes: two hundred connections over TCP and Unix sockets, and memory for a
 * tenth of what they ask for. Clients pause, are killed and come back; the server is drained and begins a new life in
 * the same process. Requests and answers are numbered on each connection, and each side knows the next one.
 *
 * Every life of the server must have run out of memory, and must leave no buffer, connection or descriptor; in the end
 * both sides have counted the same answers. BPT_SOAK=60 in the environment says for how many seconds (make check-soak);
 * from ten seconds on the server's memory is looked at as well: in its second half it must not grow. */
#include "tests/support/descriptors.h"
#include "tests/support/frame_rig.h"
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    CLIENTS = 8, /* processes, by turns on TCP and Unix */
    PER_CLIENT = 25,
    CONNECTIONS = CLIENTS * PER_CLIENT,
    EAGER = 8,   /* every so manieth connection reads before memory has run out */
    WINDOW = 64, /* requests at once: answers of three megabytes */
    LIMIT = 64 << 20,
    GROWTH_MAX = 4 << 20 /* of the server's memory, from the peak of the first half to that of the second */
};

enum { TCP, UNIX, ENDS };

/* What the processes tell each other, in memory that they share. */
typedef struct board {
    char address[ENDS][128];
    uint64_t life;       /* of the server: how many have begun */
    uint64_t short_life; /* the last one in which a handler found no memory */
    uint64_t is_over;    /* clients come to their end */
    uint64_t opened, closed, accepted, waits;
    uint64_t refused;  /* handlers that found no memory */
    uint64_t handled;  /* requests that were answered */
    uint64_t answers;  /* answers that came */
    uint64_t connects; /* of clients; first ones included */
    uint64_t pauses;
    uint64_t settled[2]; /* requests on connections that came to their end, as the server and the clients counted */
} board;

static board *shared;

static uint64_t get(const uint64_t *number) { return __atomic_load_n(number, __ATOMIC_SEQ_CST); }

static void put(uint64_t *number, uint64_t value) { __atomic_store_n(number, value, __ATOMIC_SEQ_CST); }

static void add(uint64_t *number, uint64_t more) { (void)__atomic_fetch_add(number, more, __ATOMIC_SEQ_CST); }

static bool is_short(void) { return get(&shared->short_life) == get(&shared->life); }

/* However slow the machine is: nobody is late. */
static void set_no_deadlines(bp_conn_config *config) {
    config->handshake_ms = config->frame_ms = config->stall_ms = config->finish_ms = UINT32_MAX;
    config->send_queue_bytes = UINT32_MAX; /* so that memory is what there is too little of */
}

/* ---- numbered frames -------------------------------------------------------------------------------------------- */

/* The last frame of a connection says in either direction how many there were. */
enum { LAST_TYPE = BPT_MEDIUM_TYPE, NUMBER_MIN = 24 };

typedef struct shape {
    uint16_t type;
    uint32_t length;
} shape;

static shape shape_of(uint16_t type, uint64_t n) {
    const uint32_t least = bpt_frame_min(type), min = least < NUMBER_MIN ? NUMBER_MIN : least;
    return (shape){type, min + (uint32_t)(n * 7919 % (bpt_frame_max(type) - min + 1))};
}

static shape request_shape(uint64_t n) { return shape_of(n % 16 == 0 ? BPT_HUGE_TYPE : BPT_SMALL_TYPE, n); }

/* Some answers are two frames: when there is memory for the first alone, that one is taken back. */
static unsigned answer_parts(uint64_t n) { return n % 8 == 5 ? 2 : 1; }

static shape answer_shape(uint64_t n, unsigned part) {
    static const uint16_t types[] = {BPT_SMALL_TYPE, BPT_HUGE_TYPE, BPT_LARGE_TYPE, BPT_LARGE_TYPE};
    return shape_of(types[(n + part) % 4], n);
}

static shape last_shape(uint64_t n) { return shape_of(LAST_TYPE, n); }

/* The first, the middle and the last bytes say which one it is. */
static void number(bp_buf *buf, shape as, uint64_t n) {
    uint8_t *value = bp_buf_data(buf);
    bpi_store_u64(value, n);
    bpi_store_u64(value + as.length / 2 - 4, n * 3);
    bpi_store_u64(value + as.length - 8, ~n);
    bp_buf_set_length(buf, as.length);
    bp_buf_set_type(buf, as.type);
}

static bool is_numbered(const bp_frame *frame, shape as, uint64_t n) {
    return frame->type == as.type && frame->length == as.length && bpi_load_u64(frame->value) == n &&
           bpi_load_u64(frame->value + as.length / 2 - 4) == n * 3 &&
           bpi_load_u64(frame->value + as.length - 8) == ~n;
}

static bp_err send_numbered(bp_conn *conn, shape as, uint64_t n) {
    bp_buf *buf = NULL;
    bp_err err = bp_conn_acquire(conn, as.length, &buf);
    if (err != BP_OK) return err;
    number(buf, as, n);
    err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

/* ---- the server ------------------------------------------------------------------------------------------------- */

static bp_err send_answer(bp_conn *conn, uint64_t n) {
    bp_err err = BP_OK;
    for (unsigned part = 0; part < answer_parts(n) && err == BP_OK; part++) {
        err = send_numbered(conn, answer_shape(n, part), n);
    }
    return err;
}

static bp_err answer(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    uint64_t *next = bp_conn_session(conn, service);
    const bool is_last = frame->type == LAST_TYPE;
    (void)is_invalid;
    bpt_must(is_numbered(frame, is_last ? last_shape(*next) : request_shape(*next), *next));
    const bp_err err = is_last ? send_numbered(conn, last_shape(*next), *next) : send_answer(conn, *next);
    if (err == BP_ERR_LIMIT) {
        add(&shared->refused, 1);
        put(&shared->short_life, get(&shared->life));
    }
    if (err != BP_OK) return err;
    if (is_last) {
        add(&shared->settled[0], *next);
    } else {
        add(&shared->handled, 1);
        ++*next;
    }
    return BP_OK;
}

static void on_accepted(bp_conn *conn, void *user) {
    (void)conn, (void)user;
    add(&shared->opened, 1);
}

/* A client ends, is killed, or the server is drained; nothing else happens. */
static void on_gone(bp_conn *conn, bp_err why, void *user) {
    (void)conn, (void)user;
    add(&shared->closed, 1);
    if (why != BP_ERR_CLOSED && why != BP_ERR_END && why != BP_ERR_LOST && why != BP_ERR_RESET) {
        ck_abort_msg("the server lost a client: %s", bp_err_name(why));
    }
}

static bp_server *make_server(int end, bp_pool *pool) {
    enum { AGAIN_US = 10000 };
    bp_server *server = NULL;
    bp_server_config config = bp_server_config_default(
        (bp_service){.schema = &bpt_frame_schema, .dispatch = answer, .session_size = sizeof(uint64_t)});
    config.conn.pool = pool;
    config.conn.on_open = on_accepted;
    config.conn.on_close = on_gone;
    config.thread_count = end == TCP ? 2 : 1;
    set_no_deadlines(&config.conn);
    bp_err err = bp_server_new(&config, shared->address[end], &server);
    /* Between two lives somebody else may use the port for a moment. */
    while (err == BP_ERR_ADDRESS_IN_USE && get(&shared->life) != 0) {
        usleep(AGAIN_US);
        err = bp_server_new(&config, shared->address[end], &server);
    }
    bpt_ok(err);
    bpt_ok(bp_server_address(server, shared->address[end], sizeof shared->address[end]));
    return server;
}

static void *run_server(void *server) {
    bpt_must(bp_server_run(server) == BP_OK);
    return NULL;
}

static uint64_t check_server(const bp_server *server) {
    bp_server_stats stats;
    bp_server_stats_read(server, &stats);
    ck_assert_uint_eq(stats.connections_open, 0);
    ck_assert_uint_eq(stats.connections_waiting, 0);
    add(&shared->accepted, stats.connections_accepted);
    return stats.conn.waits;
}

static void check_pool(bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    ck_assert_uint_eq(stats.waiting, 0);
    ck_assert_uint_le(stats.committed_peak_bytes, LIMIT);
}

/* From listening to having drained. */
static void live(void) {
    bp_pool *pool = NULL;
    bp_server *servers[ENDS];
    pthread_t thread;
    uint64_t waits = 0;
    bp_pool_config config = bpt_frame_pool_config;
    config.memory_limit = LIMIT;
    bpt_ok(bp_pool_new(&config, &pool));
    for (int end = 0; end < ENDS; end++) servers[end] = make_server(end, pool);
    add(&shared->life, 1); /* from here on a signal drains both */
    ck_assert_int_eq(pthread_create(&thread, NULL, run_server, servers[UNIX]), 0);
    run_server(servers[TCP]);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    for (int end = 0; end < ENDS; end++) waits += check_server(servers[end]);
    ck_assert_uint_gt(waits, 0); /* or there was memory for everybody, and nothing is shown */
    add(&shared->waits, waits);
    check_pool(pool);
    ck_assert_uint_eq(get(&shared->opened), get(&shared->closed));
    for (int end = 0; end < ENDS; end++) bp_server_free_take(&servers[end]);
    bp_pool_release_take(&pool);
}

static void be_server(void) {
    bpt_rig_warm_up();
    const int descriptors = bpt_descriptor_count();
    while (!get(&shared->is_over)) {
        live();
        ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    }
}

/* ---- a client: a process with many connections ------------------------------------------------------------------ */

enum { TICK_MS = 5, PAUSES = 100 /* one in so many answers */, PAUSE_MAX_MS = 50, REST_MAX_MS = 400 };

typedef struct caller {
    bp_client *client;
    bp_conn *conn;
    uint64_t sent, answered; /* on this connection */
    unsigned part;           /* of the next answer, that comes next */
    uint64_t wakes_at;       /* until when it neither reads nor asks; 0: it does */
    bool is_eager, is_last, is_over;
} caller;

static struct {
    uv_loop_t loop;
    bp_pool *pool; /* without a limit */
    bpt_random random;
    unsigned over;
    caller callers[PER_CLIENT];
} me;

static void ask(caller *c) {
    if (get(&shared->is_over)) {
        c->is_last = true;
        bpt_must(send_numbered(c->conn, last_shape(c->sent), c->sent) == BP_OK);
        return;
    }
    for (int i = 0; i < WINDOW; i++, c->sent++) {
        const bp_err err = send_numbered(c->conn, request_shape(c->sent), c->sent);
        bpt_must(err == BP_OK || err == BP_ERR_RESET || err == BP_ERR_CLOSED);
        if (err != BP_OK) return; /* the server drains */
    }
}

static void sleep_for(caller *c, uint32_t max_ms) {
    bp_conn_pause(c->conn);
    c->wakes_at = uv_now(&me.loop) + 1 + bpt_random_below(&me.random, max_ms);
}

static void end(caller *c, const bp_frame *frame) {
    bpt_must(c->is_last && is_numbered(frame, last_shape(c->answered), c->answered));
    c->is_over = true;
    add(&shared->settled[1], c->answered);
    bp_conn_finish(c->conn);
}

static bp_err take_answer(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    caller *c = service->user;
    (void)conn, (void)is_invalid;
    if (frame->type == LAST_TYPE) {
        end(c, frame);
        return BP_OK;
    }
    bpt_must(c->answered < c->sent && is_numbered(frame, answer_shape(c->answered, c->part), c->answered));
    if (++c->part < answer_parts(c->answered)) return BP_OK;
    c->part = 0;
    c->answered++;
    add(&shared->answers, 1);
    if (c->answered == c->sent) {
        sleep_for(c, REST_MAX_MS);
    } else if (bpt_random_below(&me.random, PAUSES) == 0) {
        add(&shared->pauses, 1);
        sleep_for(c, PAUSE_MAX_MS);
    }
    return BP_OK;
}

static void on_connected(bp_conn *conn, void *user) {
    caller *c = user;
    add(&shared->connects, 1);
    c->conn = conn;
    c->sent = c->answered = c->wakes_at = 0;
    c->part = 0;
    c->is_last = false;
    ask(c);
    if (!c->is_eager && !is_short()) sleep_for(c, PAUSE_MAX_MS);
}

/* The server drains, or is not there yet. */
static void on_lost(bp_conn *conn, bp_err why, void *user) {
    caller *c = user;
    (void)conn;
    c->conn = NULL;
    if (c->is_over) {
        bp_client_stop(c->client);
        me.over++;
    } else if (why != BP_ERR_END && why != BP_ERR_RESET && why != BP_ERR_REFUSED) {
        ck_abort_msg("a client lost the server: %s", bp_err_name(why));
    }
}

/* Who cannot connect at once is called again by the next tick. */
static void start_caller(caller *c, unsigned ix) {
    bp_client_config config = bp_client_config_default(
        (bp_service){.schema = &bpt_frame_schema, .dispatch = take_answer, .user = c});
    config.loop = &me.loop;
    config.reconnect_min_ms = TICK_MS;
    config.reconnect_max_ms = PAUSE_MAX_MS;
    config.conn.pool = me.pool;
    config.conn.user = c;
    config.conn.on_open = on_connected;
    config.conn.on_close = on_lost;
    set_no_deadlines(&config.conn);
    const bp_err err = bp_client_new(&config, shared->address[ix % ENDS], &c->client);
    bpt_must(err == BP_OK || err == BP_ERR_REFUSED);
}

/* Nobody but the eager ones reads before the server has run out of memory. */
static bool may_wake(const caller *c) {
    if (c->conn == NULL || c->wakes_at == 0 || c->is_over) return false;
    if (get(&shared->is_over)) return true;
    return uv_now(&me.loop) >= c->wakes_at && (c->is_eager || is_short());
}

static void on_tick(uv_timer_t *timer) {
    const unsigned *client_ix = timer->data;
    for (unsigned i = 0; i < PER_CLIENT; i++) {
        caller *c = &me.callers[i];
        if (c->client == NULL) start_caller(c, *client_ix);
        if (!may_wake(c)) continue;
        c->wakes_at = 0;
        bp_conn_resume(c->conn);
        if (c->answered == c->sent && !c->is_last) ask(c);
    }
}

static void start_callers(unsigned client_ix, uint64_t seed) {
    bp_pool_config config = bpt_frame_pool_config;
    config.memory_limit = 0;
    me.random.state = seed;
    bpt_ok(bp_pool_new(&config, &me.pool));
    ck_assert_int_eq(uv_loop_init(&me.loop), 0);
    for (unsigned i = 0; i < PER_CLIENT; i++) {
        me.callers[i].is_eager = i % EAGER == 0;
        start_caller(&me.callers[i], client_ix);
    }
}

static void be_client(unsigned client_ix, uint64_t seed) {
    uv_timer_t timer;
    bpt_rig_warm_up();
    const int descriptors = bpt_descriptor_count();
    start_callers(client_ix, seed);
    uv_timer_init(&me.loop, &timer);
    timer.data = &client_ix;
    uv_timer_start(&timer, on_tick, TICK_MS, TICK_MS);
    while (me.over < PER_CLIENT) uv_run(&me.loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    for (unsigned i = 0; i < PER_CLIENT; i++) bp_client_free_take(&me.callers[i].client);
    while (uv_run(&me.loop, UV_RUN_DEFAULT) != 0) continue;
    ck_assert_int_eq(uv_loop_close(&me.loop), 0);
    ck_assert_uint_eq(bpt_pool_in_use(me.pool), 0);
    bp_pool_release_take(&me.pool);
    ck_assert_int_eq(bpt_descriptor_count(), descriptors);
}

/* ---- who starts, kills and watches them ------------------------------------------------------------------------- */

enum { SHORT_RUN_MS = 1200, LIFE_MAX_MS = 10000, KILL_MAX_MS = 1500, LOOK_US = 10000, LONG_RUN_MS = 10000 };

static struct {
    uint64_t run_ms, life_ms, kill_ms; /* kill_ms: between two kills, at the most */
    uint64_t began, kill_at, drain_at;
    uint64_t life;    /* of the server that was seen last */
    bool is_draining; /* it has been told, and has not begun anew */
    pid_t server, clients[CLIENTS];
    uint64_t kills, peak[2]; /* peak: of the server's resident bytes, in either half */
    bpt_random random;
} watch;

static uint64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static pid_t start_server(void) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child != 0) return child;
    be_server();
    exit(0);
}

static void start_client(unsigned ix) {
    const uint64_t seed = bpt_random_next(&watch.random);
    watch.clients[ix] = fork();
    ck_assert_int_ge(watch.clients[ix], 0);
    if (watch.clients[ix] != 0) return;
    be_client(ix, seed);
    exit(0);
}

static void must_end_well(pid_t child) {
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a process ended with status %d", status);
}

static void kill_client(void) {
    const unsigned ix = bpt_random_below(&watch.random, CLIENTS);
    int status = 0;
    ck_assert_int_eq(kill(watch.clients[ix], SIGKILL), 0);
    ck_assert_int_eq(waitpid(watch.clients[ix], &status, 0), watch.clients[ix]);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    start_client(ix);
    watch.kills++;
    watch.kill_at = now_ms() + watch.kill_ms / 2 + bpt_random_below(&watch.random, (uint32_t)watch.kill_ms / 2);
}

static uint64_t resident_bytes(pid_t process) {
    char path[64];
    unsigned long total, resident = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)process);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu %lu", &total, &resident) != 2) resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void look_at_memory(void) {
    const bool is_second = now_ms() - watch.began >= watch.run_ms / 2;
    const uint64_t resident = resident_bytes(watch.server);
    if (resident > watch.peak[is_second]) watch.peak[is_second] = resident;
}

static void look_at_server(void) {
    if (get(&shared->life) != watch.life) {
        watch.life = get(&shared->life);
        watch.drain_at = now_ms() + watch.life_ms;
        watch.is_draining = false;
    } else if (!watch.is_draining && now_ms() >= watch.drain_at && is_short()) {
        ck_assert_int_eq(kill(watch.server, SIGTERM), 0);
        watch.is_draining = true;
    }
}

/* Nobody ends but by being told to. */
static void look_at_processes(void) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    ck_assert_msg(ended == 0, "the %s ended with status %d", ended == watch.server ? "server" : "client", status);
}

/* The time is over, and everything has happened. */
static bool is_enough(void) {
    return now_ms() - watch.began >= watch.run_ms && watch.kills != 0 && watch.life > 1 && !watch.is_draining &&
           is_short();
}

static void set_up(long seconds) {
    watch.run_ms = seconds == 0 ? SHORT_RUN_MS : (uint64_t)seconds * 1000;
    watch.life_ms = watch.run_ms / 3 < LIFE_MAX_MS ? watch.run_ms / 3 : LIFE_MAX_MS;
    watch.kill_ms = watch.run_ms / 3 < KILL_MAX_MS ? watch.run_ms / 3 : KILL_MAX_MS;
    watch.began = now_ms();
    watch.kill_at = watch.began + watch.kill_ms;
}

static void report(void) {
    printf("soak: %lu s: %lu messages each way, %lu connections, %lu kills, %lu lives of the server, %lu pauses, "
           "%lu times without memory, %lu waits; resident: %lu KiB in the first half, %lu KiB in the second\n",
           (unsigned long)(watch.run_ms / 1000), (unsigned long)get(&shared->answers),
           (unsigned long)get(&shared->connects), (unsigned long)watch.kills, (unsigned long)get(&shared->life),
           (unsigned long)get(&shared->pauses), (unsigned long)get(&shared->refused),
           (unsigned long)get(&shared->waits), (unsigned long)watch.peak[0] / 1024,
           (unsigned long)watch.peak[1] / 1024);
    fflush(stdout);
}

static void check_totals(void) {
    ck_assert_uint_eq(shared->settled[0], shared->settled[1]);
    ck_assert_uint_eq(shared->opened, shared->closed);
    ck_assert_uint_ge(shared->accepted, shared->opened);
    ck_assert_uint_ge(shared->handled, shared->answers); /* who is killed leaves answers behind */
    ck_assert_uint_ge(shared->connects, CONNECTIONS + PER_CLIENT * (shared->life - 1));
    if (watch.run_ms >= LONG_RUN_MS) ck_assert_uint_le(watch.peak[1], watch.peak[0] + GROWTH_MAX);
}

static long soak_seconds(void) {
    const char *text = getenv("BPT_SOAK");
    return text == NULL ? 0 : strtol(text, NULL, 10);
}

START_TEST(nothing_is_lost_and_nothing_grows) {
    char directory[] = "/tmp/bpt-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(directory));
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    snprintf(shared->address[TCP], sizeof shared->address[TCP], "tcp://127.0.0.1:0");
    snprintf(shared->address[UNIX], sizeof shared->address[UNIX], "unix://%s/socket", directory);
    watch.server = start_server();
    while (get(&shared->life) == 0) usleep(LOOK_US);
    set_up(soak_seconds());
    for (unsigned i = 0; i < CLIENTS; i++) start_client(i);
    while (!is_enough()) {
        usleep(LOOK_US);
        look_at_processes();
        look_at_memory();
        look_at_server();
        if (now_ms() >= watch.kill_at) kill_client();
    }
    put(&shared->is_over, 1);
    for (unsigned i = 0; i < CLIENTS; i++) must_end_well(watch.clients[i]);
    ck_assert_int_eq(kill(watch.server, SIGTERM), 0);
    must_end_well(watch.server);
    if (soak_seconds() != 0) report();
    check_totals();
    ck_assert_int_eq(rmdir(directory), 0);
}
END_TEST

BPT_SUITE(integration_soak) {
    BPT_TIMEOUT((double)(120 + 2 * soak_seconds()));
    BPT_TEST(nothing_is_lost_and_nothing_grows);
}
