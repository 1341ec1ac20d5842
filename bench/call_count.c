#define _GNU_SOURCE
#include "call_count.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Seen by shared libraries. */
#pragma GCC visibility push(default)

static uint64_t count;

uint64_t bench_call_count(void) { return __atomic_load_n(&count, __ATOMIC_RELAXED); }

static void note(void) { __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED); }

#define COUNTED(type, name, number, parameters, ...)                                                                  \
    type name parameters {                                                                                            \
        note();                                                                                                       \
        return (type)syscall(number, __VA_ARGS__);                                                                    \
    }
COUNTED(ssize_t, read, SYS_read, (int fd, void *to, size_t size), fd, to, size)
COUNTED(ssize_t, write, SYS_write, (int fd, const void *from, size_t size), fd, from, size)
COUNTED(ssize_t, readv, SYS_readv, (int fd, const struct iovec *pieces, int n), fd, pieces, n)
COUNTED(ssize_t, writev, SYS_writev, (int fd, const struct iovec *pieces, int n), fd, pieces, n)
COUNTED(ssize_t, recvmsg, SYS_recvmsg, (int fd, struct msghdr *message, int flags), fd, message, flags)
COUNTED(ssize_t, sendmsg, SYS_sendmsg, (int fd, const struct msghdr *message, int flags), fd, message, flags)
COUNTED(ssize_t, recv, SYS_recvfrom, (int fd, void *to, size_t size, int flags), fd, to, size, flags, NULL, NULL)
COUNTED(ssize_t, send, SYS_sendto, (int fd, const void *from, size_t size, int flags), fd, from, size, flags, NULL, 0)
COUNTED(int, epoll_pwait, SYS_epoll_pwait,
        (int fd, struct epoll_event *events, int most, int timeout, const sigset_t *mask), fd, events, most, timeout,
        mask, _NSIG / 8)
COUNTED(int, epoll_wait, SYS_epoll_pwait, (int fd, struct epoll_event *events, int most, int timeout), fd, events,
        most, timeout, NULL, _NSIG / 8)
COUNTED(int, ppoll, SYS_ppoll, (struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask),
        fds, n, timeout, mask, _NSIG / 8)

int poll(struct pollfd *fds, nfds_t n, int timeout) {
    const struct timespec until = {timeout / 1000, timeout % 1000 * 1000000L};
    note();
    return (int)syscall(SYS_ppoll, fds, n, timeout < 0 ? NULL : &until, NULL, _NSIG / 8);
}

#pragma GCC visibility pop
