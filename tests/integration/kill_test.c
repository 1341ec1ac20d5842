/* A peer that dies in mid-stream, client or server, at any byte: the loss is reported, nothing stays in use, and the
 * next peer is served. */
#define _POSIX_C_SOURCE 200809L
#include "generated/market.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

enum { KEPT = 32, ENOUGH = 20000, LINE_LENGTH = 300 };

/* ---- the agent: a process that sends log lines until it is killed ---- */

/* Sends lines until one is refused; why it was. */
static bp_err fill(bp_conn *conn) {
    static market_log_line line = MARKET_LOG_LINE_INIT;
    bp_err err = BP_OK;
    line.severity = MARKET_SEVERITY_INFO;
    memset(line.text, 'x', LINE_LENGTH);
    line.text_length = LINE_LENGTH;
    while (err == BP_OK) err = market_send_log_line(conn, &line);
    return err;
}

static void pump(bp_conn *conn, void *user) {
    (void)user;
    if (fill(conn) != BP_ERR_QUEUE_FULL) _exit(3);
}

static _Noreturn void run_agent(int go_fd) {
    char address[128];
    const market_handlers on = {0};
    bp_client *client = NULL;
    bp_client_config config = market_client_config(&on, NULL);
    const ssize_t length = read(go_fd, address, sizeof address - 1);
    if (length <= 0) _exit(2);
    address[length] = '\0';
    config.conn.on_open = pump;
    config.conn.on_drain = pump;
    if (bp_client_new(&config, address, &client) != BP_OK) _exit(2);
    _exit(bp_client_run(client) == BP_OK ? 4 : 5); /* a killed process does not come here */
}

/* A process that waits for the address on *go_fd; forked before this process has a pool. */
static pid_t start_agent(int *go_fd) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(ends[1]);
        run_agent(ends[0]);
    }
    close(ends[0]);
    *go_fd = ends[1];
    return child;
}

/* ---- the collector ---- */

enum { AGENTS = 2 };

typedef struct collector {
    bp_server *server;
    char address[128];
    pid_t agents[AGENTS];
    int go_fds[AGENTS];
    unsigned opened, closed; /* agents that came and went; the one served is number opened - 1 */
    uint64_t lines[AGENTS];
    bp_err why[AGENTS];
    uint64_t in_use[AGENTS + 1]; /* buffers in use before each agent, and after the last */
    bp_buf *kept[KEPT];
} collector;

static bp_err on_log_line(bp_conn *conn, bp_buf *line, void *user) {
    collector *c = user;
    const unsigned ix = c->opened - 1;
    const uint64_t number = c->lines[ix]++;
    (void)conn;
    bp_buf_release(c->kept[number % KEPT]);
    c->kept[number % KEPT] = line;
    if (number + 1 == ENOUGH) ck_assert_int_eq(kill(c->agents[ix], SIGKILL), 0);
    return BP_OK;
}

static uint64_t buffers_in_use(const bp_server *server) {
    bp_pool_stats stats;
    bp_pool_stats_read(bp_server_pool(server), &stats);
    return stats.total.in_use + stats.exact_in_use;
}

static void on_open(bp_conn *conn, void *user) {
    collector *c = user;
    (void)conn;
    c->in_use[c->opened++] = buffers_in_use(c->server);
}

static void send_address(collector *c, unsigned ix) {
    ck_assert_int_eq(write(c->go_fds[ix], c->address, strlen(c->address)), (ssize_t)strlen(c->address));
    close(c->go_fds[ix]);
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    collector *c = user;
    (void)conn;
    for (int i = 0; i < KEPT; i++) bp_buf_release_take(&c->kept[i]);
    c->why[c->closed++] = why;
    if (c->closed < AGENTS) {
        send_address(c, c->closed); /* the next one may come */
    } else {
        bp_server_stop(c->server);
    }
}

static void check_agent(const collector *c, unsigned ix) {
    int status = 0;
    ck_assert_int_eq(waitpid(c->agents[ix], &status, 0), c->agents[ix]);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    ck_assert_uint_ge(c->lines[ix], ENOUGH);
    ck_assert_uint_eq(c->in_use[ix], 0);
    /* Where the kernel cut the stream is its own affair; that it was cut is not to be missed. */
    ck_assert(c->why[ix] == BP_ERR_LOST || c->why[ix] == BP_ERR_END || c->why[ix] == BP_ERR_RESET);
}

static void serve_agents(const char *listen_address) {
    collector c = {0};
    const market_handlers on = {.log_line_buf = on_log_line};
    for (unsigned i = 0; i < AGENTS; i++) c.agents[i] = start_agent(&c.go_fds[i]);
    bp_server_config config = market_server_config(&on, &c);
    config.conn.on_open = on_open;
    config.conn.on_close = on_close;
    bpt_ok(bp_server_new(&config, listen_address, &c.server));
    bpt_ok(bp_server_address(c.server, c.address, sizeof c.address));
    send_address(&c, 0);
    bpt_ok(bp_server_run(c.server));
    c.in_use[AGENTS] = buffers_in_use(c.server);
    for (unsigned i = 0; i < AGENTS; i++) check_agent(&c, i);
    ck_assert_uint_eq(c.opened, AGENTS);
    ck_assert_uint_eq(c.closed, AGENTS);
    ck_assert_uint_eq(c.in_use[AGENTS], 0);
    bp_server_free_take(&c.server);
}

START_TEST(killed_unix_agent_leaves_nothing_and_the_next_is_served) {
    char address[64];
    snprintf(address, sizeof address, "unix:///tmp/bufpool-kill-%ld.sock", (long)getpid());
    serve_agents(address);
}
END_TEST

START_TEST(killed_tcp_agent_leaves_nothing_and_the_next_is_served) { serve_agents("tcp://127.0.0.1:0"); }
END_TEST

/* ---- an agent that dies by its own hand after so many bytes ---- */

enum { FRAME_MAX = BP_FRAME_HEADER_SIZE + 512 };

static uint32_t encode_line(uint8_t frame[FRAME_MAX]) {
    static market_log_line line = MARKET_LOG_LINE_INIT;
    uint32_t length = 0;
    line.severity = MARKET_SEVERITY_INFO;
    line.text_length = LINE_LENGTH;
    memset(line.text, 'x', LINE_LENGTH);
    bpt_ok(market_log_line_encode(&line, frame + BP_FRAME_HEADER_SIZE, FRAME_MAX - BP_FRAME_HEADER_SIZE, &length));
    bpi_store_u16(frame, MARKET_LOG_LINE_TYPE);
    bpi_store_u32(frame + 2, length);
    return BP_FRAME_HEADER_SIZE + length;
}

typedef struct witness {
    bp_server *server;
    uint64_t lines, in_use;
    bp_err why;
} witness;

static bp_err count_line(bp_conn *conn, const market_log_line_view *line, void *user) {
    (void)conn, (void)line;
    ((witness *)user)->lines++;
    return BP_OK;
}

static void see_end(bp_conn *conn, bp_err why, void *user) {
    witness *w = user;
    (void)conn;
    w->why = why;
    w->in_use = buffers_in_use(w->server);
    bp_server_stop(w->server);
}

static const market_handlers counting = {.log_line = count_line};

static void listen_as_witness(witness *w, const char *address) {
    bp_server_config config = market_server_config(&counting, w);
    config.conn.on_close = see_end;
    bpt_ok(bp_server_new(&config, address, &w->server));
}

static void die_after(const struct sockaddr_un *at, const uint8_t *bytes, size_t count) {
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)at, sizeof *at) != 0) _exit(1);
    if (count != 0 && write(fd, bytes, count) != (ssize_t)count) _exit(2);
    kill(getpid(), SIGKILL);
}

START_TEST(an_agent_may_die_at_any_byte) {
    uint8_t frame[FRAME_MAX];
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    char address[128];
    witness w = {0};
    const uint32_t length = encode_line(frame);
    snprintf(at.sun_path, sizeof at.sun_path, "/tmp/bufpool-kill-%ld.sock", (long)getpid());
    snprintf(address, sizeof address, "unix://%s", at.sun_path);
    listen_as_witness(&w, address);
    for (uint32_t count = 0; count <= length; count += count < 10 || count + 1 >= length ? 1 : 37) {
        int status = 0;
        w.lines = 0;
        const pid_t child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) die_after(&at, frame, count);
        bpt_ok(bp_server_run(w.server));
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        ck_assert_uint_eq(w.in_use, 0);
        /* It was reset when it had not read something of ours. */
        const bool is_between = count == 0 || count == length;
        ck_assert(w.why == BP_ERR_LOST || w.why == BP_ERR_RESET || (w.why == BP_ERR_END && is_between));
        if (w.why != BP_ERR_RESET) ck_assert_uint_eq(w.lines, count == length);
    }
    bp_server_free_take(&w.server);
}
END_TEST

/* ---- a server that is killed ---- */

/* When: as the client opens; when the queue has emptied often; when the server has stopped, the socket is full and a
 * frame is cut. */
typedef enum moment { AT_OPEN, IN_FLOW, WHEN_STUCK } moment;
enum { MOMENTS = WHEN_STUCK + 1, FLOW_DRAINS = 3, LOOK_MS = 20 };

typedef struct survivor {
    moment moment;
    pid_t server;
    bp_client *client;
    uv_timer_t look;
    uint64_t queued; /* bytes, when it was looked at last */
    unsigned drains, closes;
    bp_err why;
    uint64_t in_use;
} survivor;

static void kill_server(const survivor *s) { ck_assert_int_eq(kill(s->server, SIGKILL), 0); }

/* The queue is as it was: the socket takes no more. */
static void look(uv_timer_t *timer) {
    survivor *s = timer->data;
    const bp_conn *conn = bp_client_conn(s->client);
    const uint64_t queued = conn == NULL ? 0 : bp_conn_queued_bytes(conn);
    if (queued != s->queued) {
        s->queued = queued;
        return;
    }
    kill_server(s);
    uv_timer_stop(timer);
}

/* A send may be the first to see that the server is gone. */
static void survivor_fills(bp_conn *conn) {
    const bp_err err = fill(conn);
    ck_assert(err == BP_ERR_QUEUE_FULL || err == BP_ERR_RESET || err == BP_ERR_CLOSED);
}

static void survivor_opens(bp_conn *conn, void *user) {
    survivor *s = user;
    if (s->moment == AT_OPEN) kill_server(s);
    if (s->moment == WHEN_STUCK) {
        ck_assert_int_eq(kill(s->server, SIGSTOP), 0);
        uv_timer_init(bp_client_loop(s->client), &s->look);
        s->look.data = s;
        uv_timer_start(&s->look, look, LOOK_MS, LOOK_MS);
    }
    survivor_fills(conn);
}

static void survivor_drains(bp_conn *conn, void *user) {
    survivor *s = user;
    if (++s->drains == FLOW_DRAINS && s->moment == IN_FLOW) kill_server(s);
    survivor_fills(conn);
}

static void survivor_closes(bp_conn *conn, bp_err why, void *user) {
    survivor *s = user;
    bp_pool_stats stats;
    bp_pool_stats_read(bp_conn_pool(conn), &stats);
    s->in_use = stats.total.in_use + stats.exact_in_use;
    s->closes++;
    s->why = why;
}

static _Noreturn void run_victim(const char *listen_address, int told_fd) {
    char address[128];
    witness w = {0};
    bp_server_config config = market_server_config(&counting, &w);
    if (bp_server_new(&config, listen_address, &w.server) != BP_OK) _exit(2);
    if (bp_server_address(w.server, address, sizeof address) != BP_OK) _exit(2);
    if (write(told_fd, address, sizeof address) != sizeof address) _exit(2);
    _exit(bp_server_run(w.server) == BP_OK ? 3 : 4); /* a killed process does not come here */
}

static void outlive(moment when, const char *listen_address) {
    const market_handlers none = {0};
    survivor s = {.moment = when};
    char address[128];
    int told[2], status = 0;
    ck_assert_int_eq(pipe(told), 0);
    s.server = fork();
    ck_assert_int_ge(s.server, 0);
    if (s.server == 0) run_victim(listen_address, told[1]);
    ck_assert_int_eq(read(told[0], address, sizeof address), sizeof address);
    bp_client_config config = market_client_config(&none, &s);
    config.conn.on_open = survivor_opens;
    config.conn.on_drain = survivor_drains;
    config.conn.on_close = survivor_closes;
    bpt_ok(bp_client_new(&config, address, &s.client));
    const bp_err err = bp_client_run(s.client);
    ck_assert(err == BP_ERR_RESET || err == BP_ERR_LOST || err == BP_ERR_END);
    bpt_err(s.why, err);
    ck_assert_uint_eq(s.closes, 1);
    ck_assert_uint_eq(s.in_use, 0);
    ck_assert_int_eq(waitpid(s.server, &status, 0), s.server);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    bp_client_free_take(&s.client);
    close(told[0]);
    close(told[1]);
}

START_TEST(a_client_outlives_a_killed_unix_server) {
    char address[64], *path = address + strlen("unix://");
    snprintf(address, sizeof address, "unix:///tmp/bufpool-kill-%ld.sock", (long)getpid());
    outlive((moment)_i, address);
    ck_assert_int_eq(unlink(path), 0); /* who is killed leaves it; the next server would take it over */
}
END_TEST

START_TEST(a_client_outlives_a_killed_tcp_server) { outlive((moment)_i, "tcp://127.0.0.1:0"); }
END_TEST

BPT_SUITE(integration_kill) {
    BPT_TEST(an_agent_may_die_at_any_byte);
    BPT_LOOP_TEST(a_client_outlives_a_killed_unix_server, 0, MOMENTS);
    BPT_LOOP_TEST(a_client_outlives_a_killed_tcp_server, 0, MOMENTS);
    BPT_TEST(killed_unix_agent_leaves_nothing_and_the_next_is_served);
    BPT_TEST(killed_tcp_agent_leaves_nothing_and_the_next_is_served);
}
