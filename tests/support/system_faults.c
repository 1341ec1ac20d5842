#define _GNU_SOURCE
#include "tests/support/system_faults.h"

#include <errno.h>
#include <features.h>

static const char *const names[] = {
#define NAME_OF(name, NAME) #name,
    BPT_CALLS(NAME_OF)
#undef NAME_OF
};

/* ThreadSanitizer follows descriptors by their numbers, and does not see that libuv closed one (it does so past the C
 * library): whoever has the number next, and closes it on another thread, seems to close what the loop still reads. */
const char *__tsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void) {
    return "race:^close$\nrace:^closedir$\nrace:^epoll_ctl$";
}

const char *bpt_call_name(bpt_call call) { return call == BPT_CALL_COUNT ? "no call" : names[call]; }

#if defined(__linux__) && defined(__GLIBC__)

#include <dlfcn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

/* Atomics, as any thread calls. The fault itself changes only while nothing is armed. */
static bool is_armed, has_hit, is_hurried;
static bpt_fault armed;
static uint64_t until_fault, counts[BPT_CALL_COUNT];
static int64_t ahead_ns;

bool bpt_faults_are_possible(void) { return true; }

void bpt_faults_arm(const bpt_fault *fault, uint64_t before) {
    armed = fault == NULL ? (bpt_fault){.call = BPT_CALL_COUNT} : *fault;
    until_fault = before;
    has_hit = false;
    for (int i = 0; i < BPT_CALL_COUNT; i++) counts[i] = 0;
    __atomic_store_n(&is_armed, true, __ATOMIC_RELEASE);
}

bool bpt_faults_disarm(void) {
    __atomic_store_n(&is_armed, false, __ATOMIC_RELEASE);
    return __atomic_load_n(&has_hit, __ATOMIC_ACQUIRE);
}

uint64_t bpt_faults_count(bpt_call call) { return __atomic_load_n(&counts[call], __ATOMIC_RELAXED); }

void bpt_clock_hurry(bool is_on) { __atomic_store_n(&is_hurried, is_on, __ATOMIC_RELAXED); }

/* ---- what happens to a call ------------------------------------------------------------------------------------- */

enum { NO_SOCKET = -1 /* in the place of a descriptor: the call counts whatever it is about */ };

static bool is_socket(int fd) {
    struct stat file;
    const int before = errno;
    const bool is = fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode);
    errno = before;
    return is;
}

/* Counts the call; true: it is the one. */
static bool is_chosen(bpt_call call, int fd) {
    if (!__atomic_load_n(&is_armed, __ATOMIC_ACQUIRE)) return false;
    if (fd != NO_SOCKET && !is_socket(fd)) return false;
    const uint64_t number = __atomic_fetch_add(&counts[call], 1, __ATOMIC_RELAXED);
    if (call != armed.call || number != until_fault) return false;
    __atomic_store_n(&has_hit, true, __ATOMIC_RELEASE);
    return true;
}

/* Has the chosen call fail, unless that is not what is wrong with it. */
static bool strike(int fd) {
    if (armed.error == 0) return false;
    if (armed.is_deadly) (void)shutdown(fd, SHUT_RDWR);
    errno = armed.error;
    return true;
}

static bool fails(bpt_call call, int fd) { return is_chosen(call, fd) && strike(fd); }

/* The same for a call that writes; *at_most: how many bytes it may take. */
static bool fails_to_write(bpt_call call, int fd, size_t *at_most) {
    *at_most = SIZE_MAX;
    if (!is_chosen(call, fd)) return false;
    if (armed.at_most != 0) *at_most = armed.at_most;
    return strike(fd);
}

/* ---- the calls -------------------------------------------------------------------------------------------------- */

/* Under names of their own, and the C library's only as symbols: its headers declare some of them in ways that are
 * theirs alone. What is hidden would replace the calls of this program alone. */
#pragma GCC visibility push(default)

#define CALL(result, name, ...)                                                                                        \
    result bpt_call_##name(__VA_ARGS__) __asm__(#name);                                                                \
    result bpt_call_##name(__VA_ARGS__)

/* The next definition of the symbol. Looking it up twice, from two threads, gives the same. */
#define NEXT(name)                                                                                                     \
    union {                                                                                                            \
        void *symbol;                                                                                                  \
        __typeof__(bpt_call_##name) *call;                                                                             \
    } next;                                                                                                            \
    static void *found;                                                                                                \
    next.symbol = __atomic_load_n(&found, __ATOMIC_RELAXED);                                                           \
    if (next.symbol == NULL) next.symbol = dlsym(RTLD_NEXT, #name);                                                    \
    __atomic_store_n(&found, next.symbol, __ATOMIC_RELAXED)

#define HAND_ON(NAME, fd, name, ...)                                                                                   \
    NEXT(name);                                                                                                        \
    return fails(BPT_CALL_##NAME, fd) ? -1 : next.call(__VA_ARGS__)

CALL(ssize_t, read, int fd, void *to, size_t count) { HAND_ON(READ, fd, read, fd, to, count); }
CALL(ssize_t, readv, int fd, const void *pieces, int count) { HAND_ON(READV, fd, readv, fd, pieces, count); }
CALL(ssize_t, recv, int fd, void *to, size_t count, int flags) { HAND_ON(RECV, fd, recv, fd, to, count, flags); }
CALL(ssize_t, recvmsg, int fd, void *message, int flags) { HAND_ON(RECVMSG, fd, recvmsg, fd, message, flags); }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

CALL(ssize_t, write, int fd, const void *from, size_t count) {
    NEXT(write);
    size_t at_most;
    return fails_to_write(BPT_CALL_WRITE, fd, &at_most) ? -1 : next.call(fd, from, least(count, at_most));
}

CALL(ssize_t, send, int fd, const void *from, size_t count, int flags) {
    NEXT(send);
    size_t at_most;
    return fails_to_write(BPT_CALL_SEND, fd, &at_most) ? -1 : next.call(fd, from, least(count, at_most), flags);
}

CALL(ssize_t, writev, int fd, const struct iovec *pieces, int count) {
    NEXT(writev);
    size_t at_most;
    if (fails_to_write(BPT_CALL_WRITEV, fd, &at_most)) return -1;
    if (at_most == SIZE_MAX) return next.call(fd, pieces, count);
    const struct iovec first = {pieces[0].iov_base, least(pieces[0].iov_len, at_most)};
    return next.call(fd, &first, 1);
}

CALL(ssize_t, sendmsg, int fd, const struct msghdr *message, int flags) {
    NEXT(sendmsg);
    size_t at_most;
    if (fails_to_write(BPT_CALL_SENDMSG, fd, &at_most)) return -1;
    if (at_most == SIZE_MAX || message->msg_iovlen == 0) return next.call(fd, message, flags);
    struct iovec first = {message->msg_iov[0].iov_base, least(message->msg_iov[0].iov_len, at_most)};
    struct msghdr cut = *message;
    cut.msg_iov = &first;
    cut.msg_iovlen = 1;
    return next.call(fd, &cut, flags);
}

CALL(int, accept, int fd, void *from, unsigned *length) { HAND_ON(ACCEPT, fd, accept, fd, from, length); }
CALL(int, accept4, int fd, void *from, unsigned *length, int flags) {
    HAND_ON(ACCEPT4, fd, accept4, fd, from, length, flags);
}
CALL(int, connect, int fd, const void *to, unsigned length) { HAND_ON(CONNECT, fd, connect, fd, to, length); }
CALL(int, socket, int domain, int type, int protocol) { HAND_ON(SOCKET, NO_SOCKET, socket, domain, type, protocol); }
CALL(int, bind, int fd, const void *to, unsigned length) { HAND_ON(BIND, fd, bind, fd, to, length); }
CALL(int, listen, int fd, int backlog) { HAND_ON(LISTEN, fd, listen, fd, backlog); }
CALL(int, setsockopt, int fd, int level, int option, const void *value, unsigned length) {
    HAND_ON(SETSOCKOPT, fd, setsockopt, fd, level, option, value, length);
}
CALL(int, getsockname, int fd, void *out, unsigned *length) { HAND_ON(GETSOCKNAME, fd, getsockname, fd, out, length); }
CALL(int, getpeername, int fd, void *out, unsigned *length) { HAND_ON(GETPEERNAME, fd, getpeername, fd, out, length); }
CALL(int, shutdown, int fd, int how) { HAND_ON(SHUTDOWN, fd, shutdown, fd, how); }

CALL(int, getsockopt, int fd, int level, int option, void *value, unsigned *length) {
    NEXT(getsockopt);
    const int result = next.call(fd, level, option, value, length);
    const int before = errno;
    if (level == SOL_SOCKET && option == SO_ERROR && fails(BPT_CALL_SO_ERROR, fd)) *(int *)value = errno;
    errno = before;
    return result;
}

/* A descriptor is closed whatever close says. */
CALL(int, close, int fd) {
    NEXT(close);
    const bool has_failed = is_chosen(BPT_CALL_CLOSE, fd);
    const int result = next.call(fd);
    if (has_failed) errno = armed.error;
    return has_failed ? -1 : result;
}

/* Never fails: it is here to stand in the stack of what is suppressed, where ThreadSanitizer's own does not count. (What
 * comes behind the call keeps it there.) */
CALL(int, closedir, void *directory) {
    NEXT(closedir);
    const int result = next.call(directory);
    if (result != 0) errno = EBADF;
    return result;
}

CALL(int, epoll_create1, int flags) { HAND_ON(EPOLL_CREATE1, NO_SOCKET, epoll_create1, flags); }
CALL(int, epoll_ctl, int epoll, int what, int fd, void *event) {
    HAND_ON(EPOLL_CTL, NO_SOCKET, epoll_ctl, epoll, what, fd, event);
}
CALL(int, eventfd, unsigned value, int flags) { HAND_ON(EVENTFD, NO_SOCKET, eventfd, value, flags); }
CALL(int, pipe2, int fds[2], int flags) { HAND_ON(PIPE2, NO_SOCKET, pipe2, fds, flags); }
CALL(int, open, const char *path, int flags, unsigned mode) { HAND_ON(OPEN, NO_SOCKET, open, path, flags, mode); }
CALL(int, flock, int fd, int what) { HAND_ON(FLOCK, NO_SOCKET, flock, fd, what); }
CALL(int, chmod, const char *path, unsigned mode) { HAND_ON(CHMOD, NO_SOCKET, chmod, path, mode); }
CALL(int, unlink, const char *path) { HAND_ON(UNLINK, NO_SOCKET, unlink, path); }

CALL(int, getaddrinfo, const char *node, const char *service, const void *hints, void *out) {
    NEXT(getaddrinfo);
    return fails(BPT_CALL_GETADDRINFO, NO_SOCKET) ? armed.error : next.call(node, service, hints, out);
}

/* ---- time ------------------------------------------------------------------------------------------------------- */

enum { PATIENCE_MS = 2, JUMP_MAX_MS = 1000 };

static bool may_jump(int timeout_ms) {
    return timeout_ms > PATIENCE_MS && timeout_ms <= JUMP_MAX_MS && __atomic_load_n(&is_hurried, __ATOMIC_RELAXED);
}

static void jump(int timeout_ms) { __atomic_fetch_add(&ahead_ns, timeout_ms * INT64_C(1000000), __ATOMIC_RELAXED); }

CALL(int, epoll_pwait, int epoll, void *events, int room, int timeout_ms, const void *mask) {
    NEXT(epoll_pwait);
    if (fails(BPT_CALL_EPOLL_WAIT, NO_SOCKET)) return -1;
    if (!may_jump(timeout_ms)) return next.call(epoll, events, room, timeout_ms, mask);
    const int count = next.call(epoll, events, room, PATIENCE_MS, mask);
    if (count == 0) jump(timeout_ms);
    return count;
}

CALL(int, epoll_wait, int epoll, void *events, int room, int timeout_ms) {
    return bpt_call_epoll_pwait(epoll, events, room, timeout_ms, NULL);
}

CALL(int, clock_gettime, int clock, struct timespec *out) {
    NEXT(clock_gettime);
    const int result = next.call(clock, out);
    const int64_t ahead = __atomic_load_n(&ahead_ns, __ATOMIC_RELAXED);
    if (result != 0 || ahead == 0 || (clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE)) return result;
    const int64_t ns = out->tv_nsec + ahead;
    out->tv_sec += ns / 1000000000;
    out->tv_nsec = ns % 1000000000;
    return result;
}

#pragma GCC visibility pop

#else

bool bpt_faults_are_possible(void) { return false; }
void bpt_faults_arm(const bpt_fault *fault, uint64_t before) { (void)fault, (void)before; }
bool bpt_faults_disarm(void) { return false; }
uint64_t bpt_faults_count(bpt_call call) { return (void)call, 0; }
void bpt_clock_hurry(bool is_on) { (void)is_on; }

#endif
