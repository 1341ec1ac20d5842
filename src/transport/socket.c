#define _GNU_SOURCE
#include "transport/transport_internal.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

void bpi_socket_enlarge(int fd) {
    const int size = BPI_SOCKET_BUFFER;
    /* The system may grant less; that costs speed and nothing else. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static bool is_same_file(const bpi_listener *listener) {
    struct stat file;
    return lstat(listener->path, &file) == 0 && file.st_dev == listener->device && file.st_ino == listener->inode;
}

void bpi_listener_close(bpi_listener *listener) {
    if (listener->fd < 0) return;
    if (listener->path[0] == '/' && is_same_file(listener)) unlink(listener->path);
    close(listener->fd);
    listener->fd = -1;
}

/* The descriptor of a connection that has one; -1: it is closed, or not connected yet. */
static int descriptor(const bp_conn *conn) {
    uv_os_fd_t fd;
    if (!conn->has_handle || conn->state == BPI_CONN_CLOSING) return -1;
    return uv_fileno(&conn->handle.any, &fd) == 0 ? fd : -1;
}

bp_err bp_conn_peer_address(const bp_conn *conn, char *out, size_t size) {
    struct sockaddr_storage peer = {0};
    socklen_t length = sizeof peer;
    const int fd = descriptor(conn);
    bp_err err = BP_ERR_CLOSED;
    if (fd >= 0 && getpeername(fd, (struct sockaddr *)&peer, &length) == 0) {
        err = bpi_address_format(&peer, length, out, size);
    }
    if (err != BP_OK && size != 0) out[0] = '\0';
    return err;
}

bp_err bp_conn_peer_credentials(const bp_conn *conn, bp_credentials *out) {
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    const int fd = descriptor(conn);
    *out = (bp_credentials){0};
    if (conn->end->transport != &bpi_unix) return BP_ERR_ARGUMENT;
    if (fd < 0) return BP_ERR_CLOSED;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return bpi_err_from_errno(errno);
    *out = (bp_credentials){.pid = peer.pid, .uid = peer.uid, .gid = peer.gid};
    return BP_OK;
}
