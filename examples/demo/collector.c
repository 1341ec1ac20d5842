/* The collector: a server that takes every message of the schema into a typed handler. It keeps the newest book of
 * every instrument and the newest snapshot, each in the pooled buffer that it came in, and acknowledges every book. */
#define _POSIX_C_SOURCE 200809L
#include "demo.h"
#include "tests/support/alloc_count.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

typedef struct collector {
    demo_side *side;
    bp_server *server;
    uv_timer_t ticker;
    uv_signal_t child_signal;
    const char *transport;
    bp_buf *books[DEMO_INSTRUMENT_COUNT]; /* the newest of each instrument */
    uint64_t sequences[DEMO_INSTRUMENT_COUNT];
    bp_buf *snapshot;
    uint64_t checksum; /* over what the handlers read, so that reading cannot be left out */
    uint64_t start_ns, start_allocations, shown_messages, shown_ns;
    uint64_t memory_available, process_count; /* from the last host sample */
} collector;

static void count(collector *c, int kind) { c->side->messages[kind]++; }

static bp_err on_instrument_meta(bp_conn *conn, const market_instrument_meta_view *meta, void *user) {
    collector *c = user;
    (void)conn;
    count(c, DEMO_INSTRUMENT_META);
    c->checksum += market_instrument_meta_get_instrument_id(meta) + market_instrument_meta_get_symbol(meta).length;
    return BP_OK;
}

static bp_err on_pool_state_update(bp_conn *conn, const market_pool_state_update_view *update, void *user) {
    collector *c = user;
    (void)conn;
    count(c, DEMO_POOL_STATE_UPDATE);
    c->checksum += market_pool_state_update_get_reserve0(update).limb[0];
    if (market_pool_state_update_has_tick(update)) c->checksum += market_pool_state_update_get_fee(update);
    return BP_OK;
}

static uint64_t sum_levels(const market_order_book_view *book) {
    uint64_t sum = 0;
    const uint32_t bids = market_order_book_bids_count(book), asks = market_order_book_asks_count(book);
    for (uint32_t i = 0; i < bids; i++) sum += market_order_book_bids_at(book, i).price;
    for (uint32_t i = 0; i < asks; i++) sum += market_order_book_asks_at(book, i).price;
    return sum;
}

static void check_sequence(collector *c, uint64_t instrument, uint64_t sequence) {
    if (sequence != c->sequences[instrument] + 1) c->side->gaps++;
    c->sequences[instrument] = sequence;
}

static bp_err on_order_book(bp_conn *conn, bp_buf *buf, void *user) {
    collector *c = user;
    market_order_book_view book;
    market_book_ack ack = MARKET_BOOK_ACK_INIT;
    bp_err err = market_order_book_view_init(bp_buf_data(buf), bp_buf_length(buf), &book);
    if (err == BP_OK) {
        ack.sequence = market_order_book_get_sequence(&book);
        err = market_send_book_ack(conn, &ack);
    }
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    const uint64_t instrument = (market_order_book_get_instrument_id(&book) - 1) % DEMO_INSTRUMENT_COUNT;
    count(c, DEMO_ORDER_BOOK);
    c->side->acks++;
    c->checksum += sum_levels(&book);
    check_sequence(c, instrument, ack.sequence);
    bp_buf_release(c->books[instrument]);
    c->books[instrument] = buf;
    return BP_OK;
}

static bp_err on_arbitrage_signal(bp_conn *conn, const market_arbitrage_signal_view *signal, void *user) {
    collector *c = user;
    (void)conn;
    count(c, DEMO_ARBITRAGE_SIGNAL);
    for (uint32_t i = 0; i < market_arbitrage_signal_path_count(signal); i++) {
        c->checksum += market_arbitrage_signal_path_at(signal, i).data[0];
    }
    return BP_OK;
}

static bp_err on_host_sample(bp_conn *conn, const market_host_sample_view *sample, void *user) {
    collector *c = user;
    (void)conn;
    count(c, DEMO_HOST_SAMPLE);
    c->memory_available = market_host_sample_get_memory_available(sample);
    c->process_count = market_host_sample_get_process_count(sample);
    return BP_OK;
}

static bp_err on_process_sample(bp_conn *conn, const market_process_sample_view *sample, void *user) {
    collector *c = user;
    (void)conn;
    count(c, DEMO_PROCESS_SAMPLE);
    c->checksum += market_process_sample_get_resident(sample) + market_process_sample_get_name(sample).length;
    return BP_OK;
}

static bp_err on_log_line(bp_conn *conn, const market_log_line_view *line, void *user) {
    collector *c = user;
    (void)conn;
    count(c, DEMO_LOG_LINE);
    c->checksum += market_log_line_get_text(line).length;
    return BP_OK;
}

static bp_err on_snapshot(bp_conn *conn, bp_buf *buf, void *user) {
    collector *c = user;
    (void)conn;
    count(c, DEMO_SNAPSHOT);
    bp_buf_release(c->snapshot);
    c->snapshot = buf;
    return BP_OK;
}

static void show_progress(uv_timer_t *timer) {
    collector *c = timer->data;
    char text[160];
    const uint64_t now = uv_hrtime(), messages = demo_side_messages(c->side);
    bp_pool_stats stats;
    if (c->start_ns == 0) return;
    bp_pool_stats_read(bp_server_pool(c->server), &stats);
    const double seconds = (double)(now - c->shown_ns) / 1e9;
    snprintf(text, sizeof text, "%-4s %5.1f s  %10llu messages  %6.2f M/s  %4llu processes  committed %llu KiB",
             c->transport, (double)(now - c->start_ns) / 1e9, (unsigned long long)messages,
             (double)(messages - c->shown_messages) / seconds / 1e6, (unsigned long long)c->process_count,
             (unsigned long long)stats.committed_bytes / 1024);
    demo_progress(text);
    c->shown_messages = messages;
    c->shown_ns = now;
}

static void on_open(bp_conn *conn, void *user) {
    collector *c = user;
    (void)conn;
    c->start_ns = c->shown_ns = uv_hrtime();
    c->start_allocations = bpt_alloc_count();
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    collector *c = user;
    bp_conn_stats stats;
    bp_conn_stats_read(conn, &stats);
    c->side->bytes = stats.bytes_in;
    c->side->nanoseconds = uv_hrtime() - c->start_ns;
    c->side->allocations = bpt_alloc_count() - c->start_allocations;
    c->side->ended = why;
    bp_server_stop(c->server);
}

static void release_kept(collector *c) {
    for (int i = 0; i < DEMO_INSTRUMENT_COUNT; i++) bp_buf_release_take(&c->books[i]);
    bp_buf_release_take(&c->snapshot);
}

/* The agent in a process of its own: this program again, its account coming back through a pipe. */
static pid_t start_agent(const char *program, const char *address, uint64_t milliseconds, int *account_fd) {
    int ends[2];
    char length[24], fd[12];
    if (pipe(ends) != 0) return -1;
    snprintf(length, sizeof length, "%llu", (unsigned long long)milliseconds);
    snprintf(fd, sizeof fd, "%d", ends[1]);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        execl(program, program, "agent", address, length, fd, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    *account_fd = ends[0];
    if (child < 0) close(ends[0]);
    return child;
}

/* The agent's account, once it has ended well. */
static bp_err end_agent(pid_t child, int account_fd, demo_side *out) {
    size_t have = 0;
    int status = 0;
    ssize_t n;
    while (have < sizeof *out && (n = read(account_fd, (char *)out + have, sizeof *out - have)) > 0) have += (size_t)n;
    close(account_fd);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && have == sizeof *out ? BP_OK : BP_ERR_SYSTEM;
}

/* An agent that cannot connect would leave the server waiting for ever: its end ends the server. */
static void on_agent_gone(uv_signal_t *signal, int number) {
    const collector *c = signal->data;
    (void)number;
    if (c->start_ns == 0) bp_server_stop(c->server);
}

static bp_err serve(collector *c, const char *program, uint64_t milliseconds, demo_side *agent) {
    char address[128];
    int account_fd = -1;
    bp_err err = bp_server_address(c->server, address, sizeof address);
    if (err != BP_OK) return err;
    uv_loop_t *loop = bp_server_loop(c->server);
    uv_timer_init(loop, &c->ticker);
    uv_signal_init(loop, &c->child_signal);
    c->ticker.data = c->child_signal.data = c;
    uv_timer_start(&c->ticker, show_progress, 500, 500);
    uv_signal_start(&c->child_signal, on_agent_gone, SIGCHLD);
    const pid_t child = start_agent(program, address, milliseconds, &account_fd);
    err = child < 0 ? BP_ERR_SYSTEM : bp_server_run(c->server);
    if (child >= 0) {
        const bp_err agent_err = end_agent(child, account_fd, agent);
        if (err == BP_OK) err = agent_err;
    }
    uv_close((uv_handle_t *)&c->ticker, NULL);
    uv_close((uv_handle_t *)&c->child_signal, NULL);
    return err;
}

bp_err demo_collector_run(const char *program, const char *address, uint64_t milliseconds, demo_side *side,
                          demo_side *agent) {
    const market_handlers on = {
        .instrument_meta = on_instrument_meta,
        .pool_state_update = on_pool_state_update,
        .order_book_buf = on_order_book,
        .arbitrage_signal = on_arbitrage_signal,
        .host_sample = on_host_sample,
        .process_sample = on_process_sample,
        .log_line = on_log_line,
        .snapshot_buf = on_snapshot,
    };
    collector c = {.side = side, .transport = address[0] == 'u' ? "unix" : "tcp"};
    bp_server_config config = market_server_config(&on, &c);
    memset(side, 0, sizeof *side);
    config.conn.on_open = on_open;
    config.conn.on_close = on_close;
    bp_err err = bp_server_new(&config, address, &c.server);
    if (err != BP_OK) return err;
    demo_side_open(side, bp_server_pool(c.server));
    err = serve(&c, program, milliseconds, agent);
    demo_progress_end();
    release_kept(&c);
    demo_side_close(side, bp_server_pool(c.server));
    bp_server_free_take(&c.server);
    return err;
}
