#define _GNU_SOURCE
/* Every system call that the transports make, or have libuv make, and every error that it may have: each of the first
 * thirty calls fails once, while a server and a client on one loop exchange frames of every size. After each trial:
 *   - all that was sent has arrived, or one side was told the error; nothing arrived damaged or out of order;
 *   - every callback came exactly once;
 *   - no buffer, handle or descriptor is left;
 *   - the server serves the next client.
 * Pairs that no system makes are not in the table: a read that is cut short looks to libuv like the end of a stream,
 * and most of epoll_ctl's errors end the process there. Small reads are what the proxy is for (proxy_test.c). */
#include "tests/support/descriptors.h"
#include "tests/support/frame_rig.h"
#include "tests/support/system_faults.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TCP = 1, UNIX = 2, BOTH = TCP | UNIX, CALLS = 30 };

/* What an error may lead to, besides nothing at all. */
typedef enum outcome {
    PASSED_OVER, /* everything arrives and nobody is told */
    NOT_STARTED, /* the call that makes a side answers it, or, where it came later, everything arrives */
    LOST,        /* the connection closes with it on the side where it happened */
    STOPPED,     /* NOT_STARTED or LOST */
} outcome;

typedef struct fault_row {
    bpt_fault fault;
    outcome outcome;
    bp_err err; /* as the side is told */
    int where;  /* transports that make the call */
} fault_row;

#define ERROR(NAME, number) { .call = BPT_CALL_##NAME, .error = number }
#define DEATH(NAME, number) { .call = BPT_CALL_##NAME, .error = number, .is_deadly = true }
#define SHORT(NAME, count) { .call = BPT_CALL_##NAME, .at_most = count }

static const fault_row rows[] = {
    /* making a socket, and making it listen */
    {ERROR(SOCKET, EMFILE), STOPPED, BP_ERR_SYSTEM, BOTH},
    {ERROR(SOCKET, ENFILE), STOPPED, BP_ERR_SYSTEM, BOTH},
    {ERROR(SOCKET, ENOBUFS), STOPPED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(SOCKET, ENOMEM), STOPPED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(SOCKET, EACCES), STOPPED, BP_ERR_PERMISSION, BOTH},
    {ERROR(SOCKET, EAFNOSUPPORT), STOPPED, BP_ERR_ADDRESS, BOTH},
    {ERROR(SETSOCKOPT, ENOBUFS), NOT_STARTED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(SETSOCKOPT, ENOMEM), NOT_STARTED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(SETSOCKOPT, ENOBUFS), PASSED_OVER, BP_OK, UNIX},
    {ERROR(BIND, EADDRINUSE), NOT_STARTED, BP_ERR_ADDRESS_IN_USE, BOTH},
    {ERROR(BIND, EACCES), NOT_STARTED, BP_ERR_PERMISSION, BOTH},
    {ERROR(BIND, EADDRNOTAVAIL), NOT_STARTED, BP_ERR_ADDRESS, BOTH},
    {ERROR(BIND, ENOMEM), NOT_STARTED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(BIND, EROFS), NOT_STARTED, BP_ERR_PERMISSION, UNIX},
    {ERROR(LISTEN, EADDRINUSE), NOT_STARTED, BP_ERR_ADDRESS_IN_USE, BOTH},
    {ERROR(GETSOCKNAME, ENOBUFS), NOT_STARTED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(GETADDRINFO, EAI_AGAIN), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(GETADDRINFO, EAI_FAIL), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(GETADDRINFO, EAI_MEMORY), STOPPED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(OPEN, EMFILE), PASSED_OVER, BP_OK, UNIX},
    {ERROR(OPEN, EACCES), PASSED_OVER, BP_OK, UNIX},
    {ERROR(FLOCK, EINTR), PASSED_OVER, BP_OK, UNIX},
    {ERROR(FLOCK, EWOULDBLOCK), PASSED_OVER, BP_OK, UNIX},
    {ERROR(FLOCK, ENOLCK), PASSED_OVER, BP_OK, UNIX},
    {ERROR(CHMOD, EPERM), NOT_STARTED, BP_ERR_PERMISSION, UNIX},

    /* coming together */
    {ERROR(ACCEPT4, EAGAIN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EINTR), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ECONNABORTED), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EPROTO), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EPERM), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EMFILE), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ENFILE), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ENOBUFS), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ENOMEM), PASSED_OVER, BP_OK, BOTH},
    {ERROR(GETPEERNAME, ENOTCONN), PASSED_OVER, BP_OK, TCP},
    {ERROR(CONNECT, EINTR), PASSED_OVER, BP_OK, BOTH},
    {ERROR(CONNECT, ECONNREFUSED), STOPPED, BP_ERR_REFUSED, BOTH},
    {ERROR(CONNECT, ENETUNREACH), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(CONNECT, EHOSTUNREACH), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(CONNECT, EADDRNOTAVAIL), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(CONNECT, ETIMEDOUT), STOPPED, BP_ERR_TIMEOUT, TCP},
    {ERROR(CONNECT, ENOENT), STOPPED, BP_ERR_REFUSED, UNIX},
    {ERROR(CONNECT, EAGAIN), STOPPED, BP_ERR_REFUSED, UNIX},
    {ERROR(CONNECT, EACCES), STOPPED, BP_ERR_PERMISSION, BOTH},
    {ERROR(CONNECT, EPERM), STOPPED, BP_ERR_PERMISSION, BOTH},
    {DEATH(SO_ERROR, ECONNREFUSED), LOST, BP_ERR_REFUSED, TCP},
    {DEATH(SO_ERROR, ETIMEDOUT), LOST, BP_ERR_TIMEOUT, TCP},
    {DEATH(SO_ERROR, EHOSTUNREACH), LOST, BP_ERR_ADDRESS, TCP},
    {DEATH(SO_ERROR, ECONNRESET), LOST, BP_ERR_RESET, TCP},

    /* frames */
    {ERROR(READ, EAGAIN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(READ, EINTR), PASSED_OVER, BP_OK, BOTH},
    {DEATH(READ, ECONNRESET), LOST, BP_ERR_RESET, BOTH},
    {DEATH(READ, ETIMEDOUT), LOST, BP_ERR_TIMEOUT, TCP},
    {DEATH(READ, EHOSTUNREACH), LOST, BP_ERR_ADDRESS, TCP},
    {ERROR(READ, ENOBUFS), LOST, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(READ, ENOMEM), LOST, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(READ, EIO), LOST, BP_ERR_SYSTEM, BOTH},
    {ERROR(WRITE, EAGAIN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(WRITE, EINTR), PASSED_OVER, BP_OK, BOTH},
    {ERROR(WRITE, ENOBUFS), PASSED_OVER, BP_OK, BOTH},
    {SHORT(WRITE, 1), PASSED_OVER, BP_OK, BOTH},
    {SHORT(WRITE, 5), PASSED_OVER, BP_OK, BOTH},
    {SHORT(WRITE, 4099), PASSED_OVER, BP_OK, BOTH},
    {DEATH(WRITE, EPIPE), LOST, BP_ERR_RESET, BOTH},
    {DEATH(WRITE, ECONNRESET), LOST, BP_ERR_RESET, BOTH},
    {DEATH(WRITE, ETIMEDOUT), LOST, BP_ERR_TIMEOUT, TCP},
    {DEATH(WRITE, EHOSTUNREACH), LOST, BP_ERR_ADDRESS, TCP},
    {ERROR(WRITE, ENOMEM), LOST, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(WRITE, EIO), LOST, BP_ERR_SYSTEM, BOTH},
    {ERROR(WRITEV, EAGAIN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(WRITEV, EINTR), PASSED_OVER, BP_OK, BOTH},
    {ERROR(WRITEV, ENOBUFS), PASSED_OVER, BP_OK, BOTH},
    {SHORT(WRITEV, 1), PASSED_OVER, BP_OK, BOTH},
    {SHORT(WRITEV, 5), PASSED_OVER, BP_OK, BOTH},
    {SHORT(WRITEV, 4099), PASSED_OVER, BP_OK, BOTH},
    {DEATH(WRITEV, EPIPE), LOST, BP_ERR_RESET, BOTH},
    {DEATH(WRITEV, ECONNRESET), LOST, BP_ERR_RESET, BOTH},
    {DEATH(WRITEV, ETIMEDOUT), LOST, BP_ERR_TIMEOUT, TCP},
    {ERROR(WRITEV, ENOMEM), LOST, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(WRITEV, EIO), LOST, BP_ERR_SYSTEM, BOTH},
    {ERROR(SHUTDOWN, ENOTCONN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(SHUTDOWN, ENOBUFS), PASSED_OVER, BP_OK, BOTH},
    {ERROR(EPOLL_WAIT, EINTR), PASSED_OVER, BP_OK, BOTH},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* ---- a trial ---------------------------------------------------------------------------------------------------- */

enum { ROUNDS = 8, PER_ROUND = 4, FRAMES = ROUNDS * PER_ROUND };

static uint16_t type_of(uint64_t n) {
    static const uint16_t types[PER_ROUND] = {BPT_SMALL_TYPE, BPT_LARGE_TYPE, BPT_EMPTY_TYPE, BPT_MEDIUM_TYPE};
    return n == 9 ? BPT_HUGE_TYPE : types[n % PER_ROUND];
}

static uint32_t length_of(uint64_t n) {
    const uint32_t min = bpt_frame_min(type_of(n)), max = bpt_frame_max(type_of(n));
    return min + (uint32_t)((n * 7919) % (max - min + 1));
}

/* What SIGALRM says before the process ends: which trial did not come to its end. */
static char trial_name[128];

static void report_stuck(int number) {
    (void)number;
    (void)!write(STDERR_FILENO, trial_name, strlen(trial_name));
    _exit(1);
}

#define must(condition) ck_assert_msg(condition, "%s: does not hold: %s", trial_name, #condition)

static void name_trial(const fault_row *row, int way, uint64_t before) {
    enum { STUCK_SECONDS = 20 };
    snprintf(trial_name, sizeof trial_name, "%s: %s number %lu: %s, at most %lu bytes%s\n",
             bpt_way_is_unix(way) ? "unix" : "tcp", bpt_call_name(row->fault.call), (unsigned long)before,
             strerror(row->fault.error), (unsigned long)row->fault.at_most, row->fault.is_deadly ? ", deadly" : "");
    signal(SIGALRM, report_stuck);
    alarm(STUCK_SECONDS);
}

/* What a side has seen of the connection that it has now. */
typedef struct traffic {
    uint64_t sent, got;
    uint64_t goal; /* of a client: frames to be sent and to come back */
} traffic;

static void check_frame(bpt_side *side, const bp_frame *frame) {
    traffic *t = side->data;
    const uint64_t n = t->got++;
    must(n < FRAMES && frame->type == type_of(n) && frame->length == length_of(n));
    must(bpt_frame_is_filled(frame->value, frame->length, n));
}

static void begin(bpt_side *side, bp_conn *conn) {
    traffic *t = side->data;
    (void)conn;
    t->sent = t->got = 0;
}

static bp_err echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    check_frame(side, frame);
    bpt_ok(bp_conn_keep(conn, &buf));
    const bp_err err = bp_conn_send_take(conn, &buf);
    if (err == BP_OK) ((traffic *)side->data)->sent++;
    bp_buf_release(buf);
    return err;
}

static bp_err send_round(bpt_side *side, bp_conn *conn) {
    traffic *t = side->data;
    bp_err err = BP_OK;
    for (int i = 0; i < PER_ROUND && err == BP_OK; i++) {
        bp_buf *buf = bpt_frame_buf(bp_conn_pool(conn), type_of(t->sent), length_of(t->sent), t->sent);
        err = bp_conn_send_take(conn, &buf);
        if (err == BP_OK) t->sent++;
        bp_buf_release(buf);
    }
    return err;
}

static void send_first_round(bpt_side *side, bp_conn *conn) {
    begin(side, conn);
    bpt_ok(send_round(side, conn));
}

static bp_err take_echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const traffic *t = side->data;
    check_frame(side, frame);
    if (t->got < t->sent) return BP_OK;
    if (t->sent < t->goal) return send_round(side, conn);
    bp_conn_finish(conn);
    return BP_OK;
}

typedef struct trial {
    bpt_rig rig;
    traffic server, clients[2];
    const fault_row *row;
    int way;
} trial;

static void init_trial(trial *t, const fault_row *row, int way) {
    *t = (trial){.row = row, .way = way};
    bpt_rig_init(&t->rig);
    t->rig.server.data = &t->server;
    t->rig.server.on_open = begin;
    t->rig.server.on_frame = echo;
    t->clients[0].goal = FRAMES;
    t->clients[1].goal = PER_ROUND;
    for (int i = 0; i < 2; i++) {
        t->rig.clients[i].data = &t->clients[i];
        t->rig.clients[i].on_open = send_first_round;
        t->rig.clients[i].on_frame = take_echo;
    }
}

/* A start that fails does so with the row's error, and where that may be; then it is made again and must succeed. */
static bool may_start_fail(const trial *t, bp_err err) {
    return err == t->row->err && (t->row->outcome == NOT_STARTED || t->row->outcome == STOPPED);
}

static void start_server(trial *t) {
    bpt_side *side = &t->rig.server;
    const bp_server_config config = bpt_rig_server_config(&t->rig, t->way);
    const char *address = bpt_way_is_unix(t->way) ? bpt_rig_path(&t->rig, "unix://", "socket") : "tcp://127.0.0.1:0";
    bp_err err = bp_server_new(&config, address, &side->server);
    if (err != BP_OK) {
        must(side->server == NULL && may_start_fail(t, err));
        bpt_ok(bp_server_new(&config, address, &side->server));
    }
    err = bp_server_address(side->server, t->rig.address, sizeof t->rig.address);
    if (err == BP_OK) return;
    must(may_start_fail(t, err));
    bpt_ok(bp_server_address(side->server, t->rig.address, sizeof t->rig.address));
}

static void run_client(trial *t, int ix) {
    bpt_side *side = &t->rig.clients[ix];
    const bp_client_config config = bpt_rig_client_config(&t->rig, ix, t->way);
    const bp_err err = bp_client_new(&config, t->rig.address, &side->client);
    if (err == BP_OK) {
        bpt_rig_until(&t->rig, side->closes == 1 && t->rig.server.opens == t->rig.server.closes);
        must(side->opens <= 1 && bp_client_conn(side->client) == NULL);
    } else {
        must(side->client == NULL && may_start_fail(t, err) && side->closes == 0);
    }
    must(side->in_use_at_close == 0 && t->rig.server.in_use_at_close == 0);
}

static bool is_clean(const bpt_side *client, const bpt_side *server) {
    const traffic *c = client->data, *s = server->data;
    return client->why == BP_ERR_CLOSED && server->why == BP_ERR_END && server->closes != 0 && c->sent == c->goal &&
           c->got == c->goal && s->got == c->goal && s->sent == c->goal;
}

static bool is_end(bp_err why) { return why == BP_ERR_END || why == BP_ERR_LOST || why == BP_ERR_RESET; }

/* Whether the side that was struck was told; the other one sees an end of some sort, or nothing where the connection
 * never came about. A client that had all its echoes was ready. */
static bool is_told(const trial *t) {
    const bp_err err = t->row->err, client = t->rig.clients[0].why, server = t->rig.server.why;
    if (t->row->outcome != LOST && t->row->outcome != STOPPED) return false;
    if (client == err) return server == BP_OK || is_end(server);
    if (client == BP_ERR_CLOSED) return server == err && t->clients[0].got == FRAMES;
    return server == err && is_end(client);
}

static void check_first_client(const trial *t) {
    const bpt_side *client = &t->rig.clients[0], *server = &t->rig.server;
    if (client->client == NULL) return; /* it did not start, and was told so */
    ck_assert_msg(is_clean(client, server) || is_told(t),
                  "%s: client: %s, server: %s; %lu sent, %lu got, %lu came back", trial_name, bp_err_name(client->why),
                  bp_err_name(server->why), (unsigned long)t->clients[0].sent, (unsigned long)t->server.got,
                  (unsigned long)t->clients[0].got);
}

/* The server may still have somebody in its backlog who has given up; it lets go of both. */
static void check_next_client(trial *t) {
    run_client(t, 1);
    must(is_clean(&t->rig.clients[1], &t->rig.server));
    must(t->rig.clients[1].opens == 1 && t->rig.clients[1].closes == 1);
}

/* Returns false when the fault came too late to strike. */
static bool run_trial(const fault_row *row, int way, uint64_t before) {
    trial t;
    const int descriptors = bpt_descriptor_count();
    name_trial(row, way, before);
    init_trial(&t, row, way);
    bpt_faults_arm(&row->fault, before);
    start_server(&t);
    run_client(&t, 0);
    const bool has_struck = bpt_faults_disarm();
    check_first_client(&t);
    check_next_client(&t);
    bpt_rig_fini(&t.rig);
    must(bpt_descriptor_count() == descriptors);
    alarm(0);
    return has_struck;
}

static bool is_row_for(const fault_row *row, int way) {
    return (row->where & (bpt_way_is_unix(way) ? UNIX : TCP)) != 0;
}

static void set_up(void) {
    bpt_rig_warm_up();
    bpt_clock_hurry(true);
}

START_TEST(each_call_may_fail_once) {
    const fault_row *row = &rows[_i];
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        uint64_t before = 0;
        if (!is_row_for(row, way)) continue;
        while (before < CALLS && run_trial(row, way, before)) before++;
        must(before != 0); /* nobody makes this call: the row proves nothing */
    }
}
END_TEST

/* ---- the wrappers themselves ------------------------------------------------------------------------------------ */

/* Without a fault everything arrives, and every call of the table is made, by libuv or by the transports. */
START_TEST(every_call_of_the_table_is_seen) {
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        const fault_row none = {{.call = BPT_CALL_COUNT}, PASSED_OVER, BP_OK, BOTH};
        trial t;
        init_trial(&t, &none, way);
        bpt_faults_arm(NULL, 0);
        start_server(&t);
        run_client(&t, 0);
        ck_assert(!bpt_faults_disarm());
        check_first_client(&t);
        bpt_rig_fini(&t.rig);
        for (int i = 0; i < ROWS; i++) {
            if (!is_row_for(&rows[i], way)) continue;
            ck_assert_msg(bpt_faults_count(rows[i].fault.call) != 0, "%s", bpt_call_name(rows[i].fault.call));
        }
    }
}
END_TEST

/* ---- the end of a listener -------------------------------------------------------------------------------------- */

START_TEST(a_listener_is_closed_whatever_close_says) {
    static const fault_row closes[] = {{ERROR(CLOSE, EINTR), PASSED_OVER, BP_OK, BOTH},
                                       {ERROR(CLOSE, EIO), PASSED_OVER, BP_OK, BOTH}};
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        const int descriptors = bpt_descriptor_count();
        trial t;
        init_trial(&t, &closes[_i], way);
        start_server(&t);
        bpt_faults_arm(&closes[_i].fault, 0);
        bpt_rig_fini(&t.rig);
        ck_assert(bpt_faults_disarm());
        ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    }
}
END_TEST

/* ---- loops of their own ----------------------------------------------------------------------------------------- */

static const fault_row loop_rows[] = {
    {ERROR(EPOLL_CREATE1, EMFILE), NOT_STARTED, BP_ERR_SYSTEM, BOTH},
    {ERROR(EPOLL_CREATE1, ENFILE), NOT_STARTED, BP_ERR_SYSTEM, BOTH},
    {ERROR(EPOLL_CREATE1, ENOMEM), NOT_STARTED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(EVENTFD, EMFILE), NOT_STARTED, BP_ERR_SYSTEM, BOTH},
    {ERROR(EVENTFD, ENFILE), NOT_STARTED, BP_ERR_SYSTEM, BOTH},
    {ERROR(EVENTFD, ENOMEM), NOT_STARTED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(PIPE2, EMFILE), NOT_STARTED, BP_ERR_SYSTEM, BOTH},
    {ERROR(PIPE2, ENFILE), NOT_STARTED, BP_ERR_SYSTEM, BOTH},
};
enum { LOOP_ROWS = sizeof loop_rows / sizeof loop_rows[0] };

static bp_err make_server_alone(trial *t) {
    bp_server_config config = bpt_rig_server_config(&t->rig, t->way);
    const char *address = bpt_way_is_unix(t->way) ? bpt_rig_path(&t->rig, "unix://", "socket") : "tcp://127.0.0.1:0";
    config.loop = NULL;
    config.handle_signals = true;
    return bp_server_new(&config, address, &t->rig.server.server);
}

static bp_err make_client_alone(trial *t) {
    bp_client_config config = bpt_rig_client_config(&t->rig, 0, t->way);
    config.loop = NULL;
    config.handle_signals = true;
    return bp_client_new(&config, t->rig.address, &t->rig.clients[0].client);
}

/* Makes a side with a loop of its own, with the fault; false when it came too late. */
static bool run_loop_trial(trial *t, bp_err (*make)(trial *t), uint64_t before) {
    const int descriptors = bpt_descriptor_count();
    name_trial(t->row, t->way, before);
    bpt_faults_arm(&t->row->fault, before);
    const bp_err err = make(t);
    const bool has_struck = bpt_faults_disarm();
    must(has_struck == (err != BP_OK));
    if (has_struck) {
        must(may_start_fail(t, err) && t->rig.server.server == NULL && t->rig.clients[0].client == NULL);
        must(bpt_descriptor_count() == descriptors);
    }
    bp_server_free_take(&t->rig.server.server);
    bp_client_free_take(&t->rig.clients[0].client);
    must(bpt_descriptor_count() == descriptors);
    return has_struck;
}

START_TEST(a_loop_of_its_own_may_fail_to_start) {
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        trial t;
        init_trial(&t, &loop_rows[_i], way);
        uint64_t server_calls = 0, client_calls = 0;
        while (run_loop_trial(&t, make_server_alone, server_calls)) server_calls++;
        must(server_calls != 0);
        snprintf(t.rig.address, sizeof t.rig.address, "%s",
                 bpt_way_is_unix(way) ? bpt_rig_path(&t.rig, "unix://", "nobody") : "tcp://127.0.0.1:1");
        while (run_loop_trial(&t, make_client_alone, client_calls)) client_calls++;
        must(client_calls != 0);
        bpt_rig_fini(&t.rig);
    }
}
END_TEST

BPT_SUITE(integration_faults) {
    tcase_add_checked_fixture(tcase, set_up, NULL);
    BPT_TEST(every_call_of_the_table_is_seen);
    BPT_LOOP_TEST(each_call_may_fail_once, 0, ROWS);
    BPT_LOOP_TEST(a_listener_is_closed_whatever_close_says, 0, 2);
    BPT_LOOP_TEST(a_loop_of_its_own_may_fail_to_start, 0, LOOP_ROWS);
}
