#define _GNU_SOURCE
#include "transport/transport_internal.h"

#include "base/os.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_port(const char *text) {
    unsigned long value = 0;
    const size_t length = strlen(text);
    if (length == 0 || length > 5) return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        value = 10 * value + (unsigned long)(text[i] - '0');
    }
    return value <= 65535;
}

/* "host:port" or "[v6]:port". */
static bp_err tcp_parse(const char *text, bpi_address *out) {
    const bool is_bracketed = text[0] == '[';
    const char *host = is_bracketed ? text + 1 : text;
    const char *end = is_bracketed ? strchr(host, ']') : strrchr(host, ':');
    const char *colon = is_bracketed && end != NULL ? end + 1 : end;
    if (end == NULL || *colon != ':' || !is_port(colon + 1)) return BP_ERR_ADDRESS;
    const size_t length = (size_t)(end - host);
    if (length == 0 || length >= sizeof out->host) return BP_ERR_ADDRESS;
    if (!is_bracketed && memchr(host, ':', length) != NULL) return BP_ERR_ADDRESS; /* an address of v6 needs brackets */
    memcpy(out->host, host, length);
    snprintf(out->port, sizeof out->port, "%s", colon + 1);
    return BP_OK;
}

/* ---- listening ---- */

/* The first of several listeners binds as if it were alone, so that an address in use is noticed, and shares its port
 * only then. */
typedef enum listen_role { ALONE, SHARED, SHARER } listen_role;

static bool share_port(int fd) {
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0;
}

static int try_listen(const struct addrinfo *at, listen_role role) {
    const int on = 1;
    const int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    const bool is_bound =
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (role != SHARER || share_port(fd)) && bind(fd, at->ai_addr, at->ai_addrlen) == 0;
    if (is_bound && (role != SHARED || share_port(fd)) && listen(fd, SOMAXCONN) == 0) return fd;
    const int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

static bp_err err_of_resolver(int status) {
    if (status == EAI_MEMORY) return BP_ERR_NO_MEMORY;
    return status == EAI_SYSTEM ? bpi_err_from_errno(errno) : BP_ERR_ADDRESS;
}

static bp_err tcp_listen(const bpi_address *address, const bpi_listen_options *options, bpi_listener *out) {
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *results = NULL;
    int failure = EADDRNOTAVAIL;
    *out = (bpi_listener){.transport = &bpi_tcp, .fd = -1};
    const int status = getaddrinfo(address->host, address->port, &hints, &results);
    if (status != 0) return err_of_resolver(status);
    for (const struct addrinfo *at = results; at != NULL && out->fd < 0; at = at->ai_next) {
        out->fd = try_listen(at, options->is_shared ? SHARED : ALONE);
        if (out->fd < 0) failure = errno;
    }
    freeaddrinfo(results);
    return out->fd < 0 ? bpi_err_from_errno(failure) : BP_OK;
}

static bp_err tcp_share(const bpi_listener *first, bpi_listener *out) {
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;
    *out = (bpi_listener){.transport = &bpi_tcp, .fd = -1};
    if (getsockname(first->fd, (struct sockaddr *)&own, &length) != 0) return bpi_err_from_errno(errno);
    const struct addrinfo at = {
        .ai_family = own.ss_family, .ai_addr = (struct sockaddr *)&own, .ai_addrlen = length};
    out->fd = try_listen(&at, SHARER);
    return out->fd < 0 ? bpi_err_from_errno(errno) : BP_OK;
}

static bp_err tcp_describe(const bpi_listener *listener, char *out, size_t size) {
    struct sockaddr_storage own = {0};
    socklen_t length = sizeof own;
    if (getsockname(listener->fd, (struct sockaddr *)&own, &length) != 0) return bpi_err_from_errno(errno);
    return bpi_address_format(&own, length, out, size);
}

/* ---- connections ---- */

static int tcp_adopt(bp_conn *conn, int fd) {
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof peer;
    int status = uv_tcp_init(conn->end->loop->uv, &conn->handle.tcp);
    if (status != 0) return status;
    bpi_conn_has_handle(conn);
    status = uv_tcp_open(&conn->handle.tcp, fd);
    if (status != 0) return status;
    uv_tcp_nodelay(&conn->handle.tcp, 1);
    if (getpeername(fd, (struct sockaddr *)&peer, &length) == 0 && bpi_address_is_loopback((struct sockaddr *)&peer)) {
        bpi_socket_enlarge(fd);
    }
    return 0;
}

static int try_next(bpi_connector *connector);

/* The attempt before is closed: its handle is free for the next one. */
static void on_attempt_closed(uv_handle_t *handle) {
    bp_conn *conn = bpi_conn_of(handle);
    bpi_end *end = conn->end;
    bpi_connector *connector = bp_conn_data(conn);
    conn->has_handle = false;
    if (conn->state == BPI_CONN_CLOSING) {
        bpi_conn_gone(conn);
    } else {
        const int status = try_next(connector);
        if (status != 0) bpi_connector_done(connector, status);
    }
    bpi_end_handle_closed(end);
}

static void on_connected(uv_connect_t *request, int status) {
    bpi_connector *connector = request->data;
    bp_conn *conn = connector->conn;
    if (conn->state == BPI_CONN_CLOSING) return;
    if (status != 0 && connector->next != NULL) {
        uv_close(&conn->handle.any, on_attempt_closed);
    } else {
        bpi_connector_done(connector, status);
    }
}

static int try_address(bpi_connector *connector, const struct addrinfo *at) {
    bp_conn *conn = connector->conn;
    uv_os_fd_t fd;
    int status = uv_tcp_init_ex(conn->end->loop->uv, &conn->handle.tcp, (unsigned)at->ai_family);
    if (status != 0) return status;
    bpi_conn_has_handle(conn);
    uv_tcp_nodelay(&conn->handle.tcp, 1);
    if (bpi_address_is_loopback(at->ai_addr) && uv_fileno(&conn->handle.any, &fd) == 0) bpi_socket_enlarge(fd);
    connector->request.data = connector;
    return uv_tcp_connect(&connector->request, &conn->handle.tcp, at->ai_addr, on_connected);
}

/* Starts the next attempt; one that fails at once leaves its handle, so the one after it waits for its closing. */
static int try_next(bpi_connector *connector) {
    const struct addrinfo *at = connector->next;
    if (at == NULL) return UV_EADDRNOTAVAIL;
    connector->next = at->ai_next;
    const int status = try_address(connector, at);
    if (status == 0 || connector->next == NULL || !connector->conn->has_handle) return status;
    uv_close(&connector->conn->handle.any, on_attempt_closed);
    return 0;
}

/* A name that is being looked up, on a thread of libuv's that nobody can stop: the connection may be gone before the
 * answer comes, the end not. */
typedef struct bpi_resolution {
    uv_getaddrinfo_t request;
    bpi_connector *connector; /* NULL: nobody waits for it */
    bpi_end *end;
} bpi_resolution;

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *results) {
    bpi_resolution *resolution = request->data;
    bpi_connector *connector = resolution->connector;
    bpi_end *end = resolution->end;
    bpi_os.free(resolution);
    if (connector == NULL) {
        uv_freeaddrinfo(results);
    } else {
        connector->resolution = NULL;
        connector->results = connector->next = results;
        if (status == 0) status = try_next(connector);
        if (status != 0) bpi_connector_done(connector, status);
    }
    bpi_end_handle_closed(end);
}

/* A handle without a socket takes the place of the one that was to come, so that the connection goes like any other. */
void bpi_resolution_abandon(bp_conn *conn) {
    bpi_connector *connector = bp_conn_data(conn);
    if (connector == NULL || connector->resolution == NULL) return;
    connector->resolution->connector = NULL;
    (void)uv_cancel((uv_req_t *)&connector->resolution->request);
    connector->resolution = NULL;
    if (uv_tcp_init(conn->end->loop->uv, &conn->handle.tcp) == 0) bpi_conn_has_handle(conn);
}

static int resolve(bpi_connector *connector, const struct addrinfo *hints) {
    bpi_end *end = connector->conn->end;
    bpi_resolution *resolution = bpi_os.alloc(sizeof *resolution);
    if (resolution == NULL) return UV_ENOMEM;
    *resolution = (bpi_resolution){.connector = connector, .end = end, .request.data = resolution};
    const int status = uv_getaddrinfo(end->loop->uv, &resolution->request, on_resolved, connector->address.host,
                                      connector->address.port, hints);
    if (status != 0) {
        bpi_os.free(resolution);
        return status;
    }
    connector->resolution = resolution;
    end->handle_count++;
    return 0;
}

/* Numeric addresses are tried at once, names looked up first. */
static int tcp_connect(bpi_connector *connector) {
    const bpi_address *address = &connector->address;
    uv_loop_t *uv = connector->conn->end->loop->uv;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    uv_getaddrinfo_t request;
    const int status = uv_getaddrinfo(uv, &request, NULL, address->host, address->port, &hints);
    if (status == 0) {
        connector->results = connector->next = request.addrinfo;
        return try_next(connector);
    }
    hints.ai_flags = AI_NUMERICSERV;
    return resolve(connector, &hints);
}

const bpi_transport bpi_tcp = {
    .scheme = "tcp://",
    .parse = tcp_parse,
    .listen = tcp_listen,
    .share = tcp_share,
    .describe = tcp_describe,
    .adopt = tcp_adopt,
    .connect = tcp_connect,
};
