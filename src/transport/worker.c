#define _GNU_SOURCE
/* One loop of a server: accepts connections, and does what the server's other loops send it. */
#include "transport/server_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"

#include <errno.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 64 };

bpi_worker *bpi_worker_of(bpi_end *end) { return (bpi_worker *)end; }

static void on_acceptable(uv_poll_t *poll, int status, int events);

/* ---- the server's connections, over all loops ---- */

static bool has_place(const bp_server *server) {
    return __atomic_load_n(&server->open_count, __ATOMIC_RELAXED) < server->connection_limit;
}

/* Takes a place for one more connection. */
static bool take_place(bp_server *server) {
    if (__atomic_fetch_add(&server->open_count, 1, __ATOMIC_RELAXED) < server->connection_limit) return true;
    (void)__atomic_fetch_sub(&server->open_count, 1, __ATOMIC_RELAXED);
    return false;
}

static void give_place(bp_server *server) { (void)__atomic_fetch_sub(&server->open_count, 1, __ATOMIC_RELAXED); }

static void count_up(uint64_t *counter) { (void)__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED); }

/* ---- accepting ---- */

static bool is_closed_to_new(const bpi_worker *worker) {
    return worker->is_quiet || bpi_end_is_stopping(&worker->end);
}

/* Without a place, the end of one of this loop's connections is a reason to try again, and that of another loop's is
 * noticed by the next tick. */
void bpi_worker_poll(bpi_worker *worker) {
    if (worker->is_polling || is_closed_to_new(worker)) return;
    if (!has_place(worker->server)) {
        if (worker->server->worker_count > 1) bpi_end_tick(&worker->end);
        return;
    }
    worker->is_polling = uv_poll_start(&worker->poll, UV_READABLE, on_acceptable) == 0;
    if (!worker->is_polling) bpi_end_tick(&worker->end);
}

static void stop_polling(bpi_worker *worker) {
    if (!worker->is_polling) return;
    worker->is_polling = false;
    uv_poll_stop(&worker->poll);
}

static void refuse(bpi_worker *worker, int fd) {
    count_up(&worker->server->refused_count);
    close(fd);
}

static void serve(bpi_worker *worker, int fd) {
    bp_conn *conn;
    if (bpi_conn_new(&worker->end, &conn) != BP_OK) {
        give_place(worker->server);
        refuse(worker, fd);
        return;
    }
    (void)__atomic_fetch_add(&worker->open_count, 1, __ATOMIC_RELAXED);
    const int status = worker->end.transport->adopt(conn, fd);
    if (status == 0) {
        count_up(&worker->server->accepted_count);
        if (worker->server->worker_count > 1) bpi_end_tick(&worker->end);
        bpi_conn_open(conn);
        return;
    }
    refuse(worker, fd);
    bp_conn_close(conn, bpi_err_from_uv(status));
    if (!conn->has_handle) bpi_conn_gone(conn);
}

/* Whether the next connection is worth a try after accept failed: not when none is there, nor when the process has run
 * out of descriptors or memory; the backlog then waits for the next tick, or for a connection to go. */
static bool accept_goes_on(bpi_worker *worker, int failure) {
    switch (failure) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        stop_polling(worker);
        bpi_end_tick(&worker->end);
        return false;
    case EAGAIN: return false;
    default: return true; /* this one connection failed before it was accepted, or a signal came */
    }
}

static bool accept_one(bpi_worker *worker) {
    /* Who comes while the others are being closed waits in the backlog, perhaps for the next run. */
    if (is_closed_to_new(worker) || !take_place(worker->server)) {
        stop_polling(worker);
        bpi_worker_poll(worker);
        return false;
    }
    const int fd = accept4(worker->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        serve(worker, fd);
        return true;
    }
    const int failure = errno;
    give_place(worker->server);
    return accept_goes_on(worker, failure);
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
    bpi_worker *worker = poll->data;
    (void)status, (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && worker->is_polling; i++) {
        if (!accept_one(worker)) return;
    }
}

/* ---- what other loops see and send ---- */

static void add_counts(const bpi_worker *worker, bp_server_stats *sum) {
    sum->connections_failed += worker->end.failed_count;
    bpi_conn_stats_sum(&sum->conn, &worker->end.closed);
    for (const bp_conn *conn = worker->end.conns; conn != NULL; conn = conn->next) {
        bpi_conn_stats_add(conn, &sum->conn);
        sum->connections_waiting += bpi_conn_is_waiting(conn);
    }
}

void bpi_worker_publish(bpi_worker *worker) {
    bp_server_stats counts = {0};
    add_counts(worker, &counts);
    bpi_lock_enter(&worker->lock);
    worker->published = counts;
    bpi_lock_leave(&worker->lock);
}

void bpi_worker_stats_add(bpi_worker *worker, bp_server_stats *sum) {
    if (bpi_worker_is_here(worker)) {
        add_counts(worker, sum);
        return;
    }
    bpi_lock_enter(&worker->lock);
    sum->connections_failed += worker->published.connections_failed;
    sum->connections_waiting += worker->published.connections_waiting;
    bpi_conn_stats_sum(&sum->conn, &worker->published.conn);
    bpi_lock_leave(&worker->lock);
}

/* A frame for every connection of another loop. */
typedef struct bundle {
    bpi_letter letter; /* first: a letter of a bundle is a bundle */
    bpi_worker *worker;
    bp_buf *buf;
} bundle;

static size_t send_to_all(bpi_worker *worker, bp_buf *buf) {
    size_t count = 0;
    for (bp_conn *conn = worker->end.conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        bp_buf *reference = bp_buf_retain(buf);
        if (bp_conn_send_take(conn, &reference) == BP_OK) count++;
        bp_buf_release(reference);
    }
    return count;
}

static void open_bundle(bpi_letter *letter) {
    bundle *opened = (bundle *)letter;
    (void)send_to_all(opened->worker, opened->buf);
    (void)__atomic_fetch_sub(&opened->worker->bundle_count, 1, __ATOMIC_RELAXED);
    bp_buf_release(opened->buf);
    bpi_os.free(opened);
}

size_t bpi_worker_broadcast(bpi_worker *worker, bp_buf *buf) {
    if (bpi_worker_is_here(worker)) return send_to_all(worker, buf);
    bundle *sent = bpi_os.alloc(sizeof *sent);
    if (sent == NULL) return 0;
    *sent = (bundle){.letter.open = open_bundle, .worker = worker, .buf = bp_buf_retain(buf)};
    (void)__atomic_fetch_add(&worker->bundle_count, 1, __ATOMIC_RELAXED);
    bpi_mailbox_put(&worker->end.loop->mailbox, &sent->letter);
    return __atomic_load_n(&worker->open_count, __ATOMIC_RELAXED);
}

/* ---- the end's hooks ---- */

/* The first worker is the last to go: it is the one that signals come to. */
static bool is_drained(const bpi_end *end) {
    const bpi_worker *worker = (const bpi_worker *)end;
    const bp_server *server = worker->server;
    if (!end->is_draining || end->conn_count != 0) return false;
    return worker != server->workers || __atomic_load_n(&server->thread_count, __ATOMIC_ACQUIRE) == 0;
}

void bpi_worker_run(void *argument) {
    bpi_worker *worker = argument;
    bp_server *server = worker->server;
    worker->run_err = bpi_end_run(&worker->end, is_drained);
    bpi_worker_publish(worker);
    if (worker == server->workers) return;
    (void)__atomic_fetch_sub(&server->thread_count, 1, __ATOMIC_RELEASE);
    bpi_end_wake(&server->workers[0].end);
}

static void interrupted(bpi_end *end) {
    bp_server *server = bpi_worker_of(end)->server;
    if (end->is_draining)
        bp_server_stop(server);
    else
        bp_server_drain(server);
}

static bool on_tick(bpi_end *end) {
    bpi_worker *worker = bpi_worker_of(end);
    end->needs_tick = false;
    bpi_worker_poll(worker);
    if (worker->server->worker_count > 1) {
        bpi_worker_publish(worker);
        end->needs_tick = end->needs_tick || end->conn_count != 0;
    }
    return end->needs_tick;
}

static void conn_gone(bpi_end *end, bp_conn *conn) {
    bpi_worker *worker = bpi_worker_of(end);
    (void)conn;
    (void)__atomic_fetch_sub(&worker->open_count, 1, __ATOMIC_RELAXED);
    if (is_drained(end) && end->runs_loop) uv_stop(end->loop->uv);
}

/* Not before on_close: what the handlers of all loops see open is never more than the limit. */
static void conn_left(bpi_end *end) {
    bpi_worker *worker = bpi_worker_of(end);
    give_place(worker->server);
    bpi_worker_poll(worker);
}

static void on_poll_closed(uv_handle_t *handle) {
    bpi_worker *worker = handle->data;
    bpi_listener_close(&worker->listener);
    bpi_end_handle_closed(&worker->end);
}

static void quiet(bpi_end *end) {
    bpi_worker *worker = bpi_worker_of(end);
    worker->is_quiet = true;
    worker->is_polling = false;
    uv_handle_t *poll = (uv_handle_t *)&worker->poll;
    if (poll->data == worker && !uv_is_closing(poll)) uv_close(poll, on_poll_closed);
}

static void destroy(bpi_end *end) {
    bpi_worker *worker = bpi_worker_of(end);
    bpi_listener_close(&worker->listener);
    bpi_lock_fini(&worker->lock);
    bpi_server_worker_gone(worker->server);
}

void bpi_worker_init(bpi_worker *worker, bp_server *server, const bpi_transport *transport) {
    worker->server = server;
    worker->end.share = &server->share;
    worker->end.transport = transport;
    worker->end.conn_gone = conn_gone;
    worker->end.conn_left = conn_left;
    worker->end.on_tick = on_tick;
    worker->end.interrupted = interrupted;
    worker->end.quiet = quiet;
    worker->end.destroy = destroy;
    worker->listener.fd = -1;
    bpi_lock_init(&worker->lock);
}

bp_err bpi_worker_start(bpi_worker *worker, uv_loop_t *lent, bool handle_signals) {
    const bp_err err = bpi_end_start(&worker->end, lent, handle_signals);
    if (err != BP_OK) return err;
    if (worker->server->worker_count > 1) worker->end.loop->shared = &worker->end;
    const int status = uv_poll_init(worker->end.loop->uv, &worker->poll, worker->listener.fd);
    if (status != 0) return bpi_err_from_uv(status);
    worker->poll.data = worker;
    worker->end.handle_count++;
    bpi_worker_poll(worker);
    return BP_OK;
}
