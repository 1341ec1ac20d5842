#define _GNU_SOURCE
#include "transport/transport_internal.h"

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
    if (listener->path[0] != '\0' && is_same_file(listener)) unlink(listener->path);
    close(listener->fd);
    listener->fd = -1;
}
