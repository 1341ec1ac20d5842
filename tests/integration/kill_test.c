/* A peer that dies in mid-stream: the loss is reported, nothing stays in use, and the next peer is served. */
#define _POSIX_C_SOURCE 200809L
#include "generated/market.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

enum { KEPT = 32, ENOUGH = 20000, LINE_LENGTH = 300 };

/* ---- the agent: a process that sends log lines until it is killed ---- */

static void pump(bp_conn *conn, void *user) {
    static market_log_line line = MARKET_LOG_LINE_INIT;
    bp_err err = BP_OK;
    (void)user;
    line.severity = MARKET_SEVERITY_INFO;
    memset(line.text, 'x', LINE_LENGTH);
    line.text_length = LINE_LENGTH;
    while (err == BP_OK) err = market_send_log_line(conn, &line);
    if (err != BP_ERR_QUEUE_FULL) _exit(3);
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

BPT_SUITE(integration_kill) {
    BPT_TEST(killed_unix_agent_leaves_nothing_and_the_next_is_served);
    BPT_TEST(killed_tcp_agent_leaves_nothing_and_the_next_is_served);
}
