#define _GNU_SOURCE
#include "transport/transport_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_TRIES = 100, LOCK_WAIT_MS = 10 };

/* A name of Linux's own, without a file: "@name". */
static bool is_abstract(const char *path) { return path[0] == '@'; }

static bool may_be_abstract(const char *text) {
#if defined(__linux__)
    return is_abstract(text) && text[1] != '\0';
#else
    (void)text;
    return false;
#endif
}

static bp_err unix_parse(const char *text, bpi_address *out) {
    const size_t length = strlen(text);
    if (may_be_abstract(text) && length < sizeof out->path) {
        memcpy(out->path, text, length + 1);
        return BP_OK;
    }
    if (text[0] != '/' || length >= sizeof out->path || text[length - 1] == '/') return BP_ERR_ADDRESS;
    memcpy(out->path, text, length + 1);
    return BP_OK;
}

static struct sockaddr_un socket_address(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

/* The zero that stands for the '@' belongs to the name, and its length ends it. */
static socklen_t abstract_address(const char *path, struct sockaddr_un *out) {
    *out = socket_address(path);
    out->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

/* ---- listening ---- */

/* Locks the directory in which the socket lies, so that two servers that start at once do not take each other's fresh
 * socket for a stale one. Returns a descriptor, or -1 where the directory cannot be locked. */
static int lock_directory(const char *path) {
    char directory[sizeof((struct sockaddr_un *)0)->sun_path];
    snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/');
    slash[slash == directory ? 1 : 0] = '\0';
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
        if (errno != EWOULDBLOCK && errno != EINTR) break;
        (void)poll(NULL, 0, LOCK_WAIT_MS);
    }
    if (fd >= 0) close(fd);
    return -1;
}

/* Whether the file is a socket on which nobody listens any more. */
static bool is_stale(const struct sockaddr_un *address) {
    struct stat file;
    if (lstat(address->sun_path, &file) != 0 || !S_ISSOCK(file.st_mode)) return false;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    const bool is_refused =
        connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 && errno == ECONNREFUSED;
    close(fd);
    return is_refused;
}

static int bind_path(int fd, const struct sockaddr_un *address) {
    const struct sockaddr *at = (const struct sockaddr *)address;
    if (bind(fd, at, sizeof *address) == 0) return 0;
    if (errno != EADDRINUSE) return -1;
    if (!is_stale(address)) {
        errno = EADDRINUSE;
        return -1;
    }
    return unlink(address->sun_path) == 0 ? bind(fd, at, sizeof *address) : -1;
}

/* The permission bits are set before anybody can connect: a socket that does not listen refuses everybody. */
static int listen_path(int fd, const struct sockaddr_un *address, uint32_t mode, bpi_listener *out) {
    struct stat file;
    if (bind_path(fd, address) != 0) return -1;
    if (chmod(address->sun_path, (mode_t)mode) == 0 && lstat(address->sun_path, &file) == 0 &&
        listen(fd, SOMAXCONN) == 0) {
        out->device = file.st_dev;
        out->inode = file.st_ino;
        memcpy(out->path, address->sun_path, sizeof out->path);
        return 0;
    }
    const int failure = errno;
    unlink(address->sun_path);
    errno = failure;
    return -1;
}

static int listen_abstract(int fd, const char *path, bpi_listener *out) {
    struct sockaddr_un at;
    const socklen_t length = abstract_address(path, &at);
    if (bind(fd, (const struct sockaddr *)&at, length) != 0 || listen(fd, SOMAXCONN) != 0) return -1;
    memcpy(out->path, path, strlen(path) + 1);
    return 0;
}

static int listen_file(int fd, const char *path, uint32_t mode, bpi_listener *out) {
    const struct sockaddr_un at = socket_address(path);
    const int lock = lock_directory(path);
    const int failure = listen_path(fd, &at, mode, out) == 0 ? 0 : errno;
    if (lock >= 0) close(lock);
    errno = failure;
    return failure == 0 ? 0 : -1;
}

static bp_err unix_listen(const bpi_address *address, const bpi_listen_options *options, bpi_listener *out) {
    *out = (bpi_listener){.transport = &bpi_unix, .fd = -1};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return bpi_err_from_errno(errno);
    const int status = is_abstract(address->path) ? listen_abstract(fd, address->path, out)
                                                  : listen_file(fd, address->path, options->mode, out);
    if (status == 0) {
        out->fd = fd;
        return BP_OK;
    }
    const int failure = errno;
    close(fd);
    return failure == ENOENT ? BP_ERR_ADDRESS : bpi_err_from_errno(failure);
}

/* Several descriptors of one socket: who is free takes the next connection. The first one removes the file. */
static bp_err unix_share(const bpi_listener *first, bpi_listener *out) {
    *out = (bpi_listener){.transport = &bpi_unix, .fd = fcntl(first->fd, F_DUPFD_CLOEXEC, 0)};
    return out->fd < 0 ? bpi_err_from_errno(errno) : BP_OK;
}

static bp_err unix_describe(const bpi_listener *listener, char *out, size_t size) {
    const int length = snprintf(out, size, "unix://%s", listener->path);
    return length >= 0 && (size_t)length < size ? BP_OK : BP_ERR_SPACE;
}

/* ---- connections ---- */

static int unix_adopt(bp_conn *conn, int fd) {
    int status = uv_pipe_init(conn->end->loop->uv, &conn->handle.pipe, 0);
    if (status != 0) return status;
    bpi_conn_has_handle(conn);
    status = uv_pipe_open(&conn->handle.pipe, fd);
    if (status == 0) bpi_socket_enlarge(fd);
    return status;
}

static void on_connected(uv_connect_t *request, int status) {
    bpi_connector *connector = request->data;
    uv_os_fd_t fd;
    if (connector->conn->state == BPI_CONN_CLOSING) return;
    if (status == 0 && uv_fileno(&connector->conn->handle.any, &fd) == 0) bpi_socket_enlarge(fd);
    bpi_connector_done(connector, status);
}

/* The connection may be gone, and another one may be about to come in its place. */
static void open_tried(bpi_letter *letter) {
    bpi_connector *connector = (bpi_connector *)((char *)letter - offsetof(bpi_connector, tried));
    bpi_end *end = connector->end;
    connector->is_tried = false;
    if (connector->conn != NULL && connector->conn->state == BPI_CONN_CONNECTING) {
        bpi_connector_done(connector, connector->status);
    }
    bpi_mailbox_unexpect(&end->loop->mailbox);
    bpi_end_handle_closed(end);
}

/* The system connects to a Unix socket, or refuses to, at once; the loop is told like of any other outcome. */
static void tell_later(bpi_connector *connector, int status) {
    connector->status = status;
    connector->end = connector->conn->end;
    if (connector->is_tried) return;
    connector->is_tried = true;
    connector->tried.open = open_tried;
    connector->end->handle_count++;
    bpi_mailbox_expect(&connector->end->loop->mailbox);
    bpi_mailbox_put(&connector->end->loop->mailbox, &connector->tried);
}

static int try_abstract(bpi_connector *connector) {
    struct sockaddr_un at;
    const socklen_t length = abstract_address(connector->address.path, &at);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    int status = connect(fd, (const struct sockaddr *)&at, length) == 0 ? 0 : -errno;
    if (status == 0) status = uv_pipe_open(&connector->conn->handle.pipe, fd);
    if (status != 0)
        close(fd);
    else
        bpi_socket_enlarge(fd);
    return status;
}

static int unix_connect(bpi_connector *connector) {
    bp_conn *conn = connector->conn;
    const int status = uv_pipe_init(conn->end->loop->uv, &conn->handle.pipe, 0);
    if (status != 0) return status;
    bpi_conn_has_handle(conn);
    /* libuv 1.44 knows no names without a file. */
    if (is_abstract(connector->address.path)) {
        tell_later(connector, try_abstract(connector));
        return 0;
    }
    connector->request.data = connector;
    uv_pipe_connect(&connector->request, &conn->handle.pipe, connector->address.path, on_connected);
    return 0;
}

const bpi_transport bpi_unix = {
    .scheme = "unix://",
    .parse = unix_parse,
    .listen = unix_listen,
    .share = unix_share,
    .describe = unix_describe,
    .adopt = unix_adopt,
    .connect = unix_connect,
};
