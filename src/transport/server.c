#define _GNU_SOURCE
#include "transport/transport_internal.h"

#include "base/os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 64, UNIX_MODE_DEFAULT = 0600 };

struct bp_server {
    bpi_end end; /* first: an end of a server is a server */
    bpi_listener listener;
    uv_poll_t poll;
    uint32_t connection_limit;
    bool is_polling;
    bool is_quiet; /* takes no more connections */
    uint64_t accepted_count, refused_count;
};

static bp_server *server_of(bpi_end *end) { return (bp_server *)end; }

static void on_acceptable(uv_poll_t *poll, int status, int events);

static void start_polling(bp_server *server) {
    if (server->is_polling || server->is_quiet || bpi_end_is_stopping(&server->end)) return;
    if (server->end.conn_count >= server->connection_limit) return;
    server->is_polling = uv_poll_start(&server->poll, UV_READABLE, on_acceptable) == 0;
    if (!server->is_polling) bpi_end_tick(&server->end);
}

static void stop_polling(bp_server *server) {
    if (!server->is_polling) return;
    server->is_polling = false;
    uv_poll_stop(&server->poll);
}

static void serve(bp_server *server, int fd) {
    bp_conn *conn;
    if (bpi_conn_new(&server->end, &conn) != BP_OK) {
        server->refused_count++;
        close(fd);
        return;
    }
    const int status = server->end.transport->adopt(conn, fd);
    if (status == 0) {
        server->accepted_count++;
        bpi_conn_open(conn);
        return;
    }
    server->refused_count++;
    close(fd);
    bp_conn_close(conn, bpi_err_from_uv(status));
    if (!conn->has_handle) bpi_conn_gone(conn);
}

/* Whether the next connection is worth a try after accept failed: not when none is there, nor when the process has run
 * out of descriptors or memory; the backlog then waits for the next tick, or for a connection to go. */
static bool accept_goes_on(bp_server *server, int failure) {
    switch (failure) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        stop_polling(server);
        bpi_end_tick(&server->end);
        return false;
    case EAGAIN: return false;
    default: return true; /* this one connection failed before it was accepted, or a signal came */
    }
}

static void on_acceptable(uv_poll_t *poll, int status, int events) {
    bp_server *server = poll->data;
    (void)status, (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN && server->is_polling; i++) {
        /* Who comes while the others are being closed waits in the backlog, perhaps for the next run. */
        if (server->end.conn_count >= server->connection_limit || bpi_end_is_stopping(&server->end)) {
            stop_polling(server);
            return;
        }
        const int fd = accept4(server->listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            serve(server, fd);
        else if (!accept_goes_on(server, errno))
            return;
    }
}

/* ---- the end's hooks ---- */

static bool on_tick(bpi_end *end) {
    bp_server *server = server_of(end);
    end->needs_tick = false;
    start_polling(server);
    return end->needs_tick;
}

static void conn_gone(bpi_end *end, bp_conn *conn) {
    (void)conn;
    start_polling(server_of(end));
}

static void on_poll_closed(uv_handle_t *handle) {
    bp_server *server = handle->data;
    bpi_listener_close(&server->listener);
    bpi_end_handle_closed(&server->end);
}

static void quiet(bpi_end *end) {
    bp_server *server = server_of(end);
    server->is_quiet = true;
    server->is_polling = false;
    uv_handle_t *poll = (uv_handle_t *)&server->poll;
    if (poll->data == server && !uv_is_closing(poll)) uv_close(poll, on_poll_closed);
}

static void destroy(bpi_end *end) {
    bpi_listener_close(&server_of(end)->listener);
    bpi_os.free(end);
}

/* ---- the public calls ---- */

bp_server_config bp_server_config_default(bp_service service) {
    bp_server_config config = {.handle_signals = true};
    config.conn.services[0] = service;
    config.conn.service_count = 1;
    config.conn.buffer_pool_enabled = true;
    if (service.schema != NULL && service.schema->pool_config != NULL) {
        config.conn.pool_config = *service.schema->pool_config;
    }
    return config;
}

static bp_err start(bp_server *server, const bp_server_config *config) {
    bp_err err = bpi_end_start(&server->end, config->loop, config->handle_signals);
    if (err != BP_OK) return err;
    const int status = uv_poll_init(server->end.loop->uv, &server->poll, server->listener.fd);
    if (status != 0) return bpi_err_from_uv(status);
    server->poll.data = server;
    server->end.handle_count++;
    start_polling(server);
    return BP_OK;
}

bp_err bp_server_new(const bp_server_config *config, const char *address_text, bp_server **out) {
    bpi_address address;
    bp_server *server;
    *out = NULL;
    bp_err err = bpi_address_parse(address_text, &address);
    if (err != BP_OK) return err;
    server = bpi_os.alloc(sizeof *server);
    if (server == NULL) return BP_ERR_NO_MEMORY;
    server->end.transport = address.transport;
    server->end.conn_gone = conn_gone;
    server->end.on_tick = on_tick;
    server->end.quiet = quiet;
    server->end.destroy = destroy;
    server->listener.fd = -1;
    server->connection_limit = config->connection_limit == 0 ? BPI_CONNECTIONS_DEFAULT : config->connection_limit;
    err = bpi_end_init(&server->end, &config->conn);
    if (err != BP_OK) goto fail;
    err = address.transport->listen(&address, config->unix_mode == 0 ? UNIX_MODE_DEFAULT : config->unix_mode,
                                    &server->listener);
    if (err != BP_OK) goto fail;
    err = start(server, config);
    if (err != BP_OK) goto fail;
    *out = server;
    return BP_OK;

fail:
    bpi_end_free(&server->end);
    return err;
}

static bool never(const bpi_end *end) {
    (void)end;
    return false;
}

bp_err bp_server_run(bp_server *server) {
    if (server->end.runs_loop) start_polling(server);
    const bp_err err = bpi_end_run(&server->end, never);
    if (err == BP_OK && server->end.is_freed) bpi_end_free(&server->end);
    return err;
}

void bp_server_stop(bp_server *server) { bpi_end_stop(&server->end); }

void bp_server_free_take(bp_server **server) {
    bp_server *taken = *server;
    if (taken == NULL) return;
    *server = NULL;
    bpi_end_free(&taken->end);
}

bp_err bp_server_address(const bp_server *server, char *out, size_t size) {
    const bp_err err = server->listener.transport->describe(&server->listener, out, size);
    if (err != BP_OK && size != 0) out[0] = '\0';
    return err;
}

bp_pool *bp_server_pool(const bp_server *server) { return server->end.pool; }

uv_loop_t *bp_server_loop(const bp_server *server) { return server->end.loop->uv; }

size_t bp_server_broadcast_take(bp_server *server, bp_buf **buf) {
    size_t count = 0;
    for (bp_conn *conn = server->end.conns; conn != NULL; conn = conn->next) {
        bp_buf *reference = bp_buf_retain(*buf);
        if (bp_conn_send_take(conn, &reference) == BP_OK)
            count++;
        else
            bp_buf_release(reference);
    }
    bp_buf_release_take(buf);
    return count;
}

void bp_server_stats_read(const bp_server *server, bp_server_stats *out) {
    *out = (bp_server_stats){
        .connections_open = server->end.conn_count,
        .connections_accepted = server->accepted_count,
        .connections_refused = server->refused_count,
        .connections_failed = server->end.failed_count,
        .conn = server->end.closed,
    };
    for (const bp_conn *conn = server->end.conns; conn != NULL; conn = conn->next) {
        bpi_conn_stats_add(conn, &out->conn);
        if (bpi_conn_is_waiting(conn)) out->connections_waiting++;
    }
}
