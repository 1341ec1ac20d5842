#define _GNU_SOURCE
#include "tests/support/fault_rows.h"

#include "tests/support/frame_rig.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TCP BPT_ON_TCP
#define UNIX BPT_ON_UNIX
#define BOTH BPT_ON_BOTH
#define PASSED_OVER BPT_PASSED_OVER
#define NOT_STARTED BPT_NOT_STARTED
#define LOST BPT_LOST
#define STOPPED BPT_STOPPED
#define ERROR(NAME, number) BPT_ERROR(NAME, number)
#define DEATH(NAME, number) { .call = BPT_CALL_##NAME, .error = number, .is_deadly = true }
#define SHORT(NAME, count) { .call = BPT_CALL_##NAME, .at_most = count }

/* What may go wrong with either call that writes. */
#define WRITE_ROWS(NAME)                                                                                               \
    {ERROR(NAME, EAGAIN), PASSED_OVER, BP_OK, BOTH},                                                                   \
    {ERROR(NAME, EINTR), PASSED_OVER, BP_OK, BOTH},                                                                    \
    {ERROR(NAME, ENOBUFS), PASSED_OVER, BP_OK, BOTH},                                                                  \
    {SHORT(NAME, 1), PASSED_OVER, BP_OK, BOTH},                                                                        \
    {SHORT(NAME, 5), PASSED_OVER, BP_OK, BOTH},                                                                        \
    {SHORT(NAME, 4099), PASSED_OVER, BP_OK, BOTH},                                                                     \
    {DEATH(NAME, EPIPE), LOST, BP_ERR_RESET, BOTH},                                                                    \
    {DEATH(NAME, ECONNRESET), LOST, BP_ERR_RESET, BOTH},                                                               \
    {DEATH(NAME, ETIMEDOUT), LOST, BP_ERR_TIMEOUT, TCP},                                                               \
    {ERROR(NAME, ENOMEM), LOST, BP_ERR_NO_MEMORY, BOTH},                                                               \
    {ERROR(NAME, EIO), LOST, BP_ERR_SYSTEM, BOTH},

const bpt_fault_row bpt_fault_rows[] = {
    /* making a socket, and making it listen */
    {ERROR(SOCKET, EMFILE), STOPPED, BP_ERR_SYSTEM, BOTH},
    {ERROR(SOCKET, ENFILE), STOPPED, BP_ERR_SYSTEM, BOTH},
    {ERROR(SOCKET, ENOBUFS), STOPPED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(SOCKET, ENOMEM), STOPPED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(SOCKET, EACCES), STOPPED, BP_ERR_PERMISSION, BOTH},
    {ERROR(SOCKET, EAFNOSUPPORT), STOPPED, BP_ERR_ADDRESS, BOTH},
    {ERROR(SETSOCKOPT, ENOBUFS), NOT_STARTED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(SETSOCKOPT, ENOMEM), NOT_STARTED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(SETSOCKOPT, ENOBUFS), PASSED_OVER, BP_OK, UNIX},
    {ERROR(BIND, EADDRINUSE), NOT_STARTED, BP_ERR_ADDRESS_IN_USE, BOTH},
    {ERROR(BIND, EACCES), NOT_STARTED, BP_ERR_PERMISSION, BOTH},
    {ERROR(BIND, EADDRNOTAVAIL), NOT_STARTED, BP_ERR_ADDRESS, BOTH},
    {ERROR(BIND, ENOMEM), NOT_STARTED, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(BIND, EROFS), NOT_STARTED, BP_ERR_PERMISSION, UNIX},
    {ERROR(LISTEN, EADDRINUSE), NOT_STARTED, BP_ERR_ADDRESS_IN_USE, BOTH},
    {ERROR(GETSOCKNAME, ENOBUFS), NOT_STARTED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(GETADDRINFO, EAI_AGAIN), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(GETADDRINFO, EAI_FAIL), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(GETADDRINFO, EAI_MEMORY), STOPPED, BP_ERR_NO_MEMORY, TCP},
    {ERROR(OPEN, EMFILE), PASSED_OVER, BP_OK, UNIX},
    {ERROR(OPEN, EACCES), PASSED_OVER, BP_OK, UNIX},
    {ERROR(FLOCK, EINTR), PASSED_OVER, BP_OK, UNIX},
    {ERROR(FLOCK, EWOULDBLOCK), PASSED_OVER, BP_OK, UNIX},
    {ERROR(FLOCK, ENOLCK), PASSED_OVER, BP_OK, UNIX},
    {ERROR(CHMOD, EPERM), NOT_STARTED, BP_ERR_PERMISSION, UNIX},

    /* coming together */
    {ERROR(ACCEPT4, EAGAIN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EINTR), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ECONNABORTED), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EPROTO), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EPERM), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, EMFILE), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ENFILE), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ENOBUFS), PASSED_OVER, BP_OK, BOTH},
    {ERROR(ACCEPT4, ENOMEM), PASSED_OVER, BP_OK, BOTH},
    {ERROR(GETPEERNAME, ENOTCONN), PASSED_OVER, BP_OK, TCP},
    {ERROR(CONNECT, EINTR), PASSED_OVER, BP_OK, BOTH},
    {ERROR(CONNECT, ECONNREFUSED), STOPPED, BP_ERR_REFUSED, BOTH},
    {ERROR(CONNECT, ENETUNREACH), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(CONNECT, EHOSTUNREACH), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(CONNECT, EADDRNOTAVAIL), STOPPED, BP_ERR_ADDRESS, TCP},
    {ERROR(CONNECT, ETIMEDOUT), STOPPED, BP_ERR_TIMEOUT, TCP},
    {ERROR(CONNECT, ENOENT), STOPPED, BP_ERR_REFUSED, UNIX},
    {ERROR(CONNECT, EAGAIN), STOPPED, BP_ERR_REFUSED, UNIX},
    {ERROR(CONNECT, EACCES), STOPPED, BP_ERR_PERMISSION, BOTH},
    {ERROR(CONNECT, EPERM), STOPPED, BP_ERR_PERMISSION, BOTH},
    {DEATH(SO_ERROR, ECONNREFUSED), LOST, BP_ERR_REFUSED, TCP},
    {DEATH(SO_ERROR, ETIMEDOUT), LOST, BP_ERR_TIMEOUT, TCP},
    {DEATH(SO_ERROR, EHOSTUNREACH), LOST, BP_ERR_ADDRESS, TCP},
    {DEATH(SO_ERROR, ECONNRESET), LOST, BP_ERR_RESET, TCP},

    /* frames */
    {ERROR(READ, EAGAIN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(READ, EINTR), PASSED_OVER, BP_OK, BOTH},
    {DEATH(READ, ECONNRESET), LOST, BP_ERR_RESET, BOTH},
    {DEATH(READ, ETIMEDOUT), LOST, BP_ERR_TIMEOUT, TCP},
    {DEATH(READ, EHOSTUNREACH), LOST, BP_ERR_ADDRESS, TCP},
    {ERROR(READ, ENOBUFS), LOST, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(READ, ENOMEM), LOST, BP_ERR_NO_MEMORY, BOTH},
    {ERROR(READ, EIO), LOST, BP_ERR_SYSTEM, BOTH},
    WRITE_ROWS(WRITE)
    WRITE_ROWS(WRITEV)
    {DEATH(WRITE, EHOSTUNREACH), LOST, BP_ERR_ADDRESS, TCP},
    {ERROR(SHUTDOWN, ENOTCONN), PASSED_OVER, BP_OK, BOTH},
    {ERROR(SHUTDOWN, ENOBUFS), PASSED_OVER, BP_OK, BOTH},
    {ERROR(EPOLL_WAIT, EINTR), PASSED_OVER, BP_OK, BOTH},
};
const int bpt_fault_row_count = sizeof bpt_fault_rows / sizeof bpt_fault_rows[0];

bool bpt_fault_is_for(const bpt_fault_row *row, int way) {
    return (row->where & (bpt_way_is_unix(way) ? UNIX : TCP)) != 0;
}

bool bpt_fault_may_stop_start(const bpt_fault_row *row, bp_err err) {
    return err == row->err && (row->outcome == BPT_NOT_STARTED || row->outcome == BPT_STOPPED);
}

static bool is_end(bp_err why) { return why == BP_ERR_END || why == BP_ERR_LOST || why == BP_ERR_RESET; }

bool bpt_fault_is_told(const bpt_fault_row *row, bp_err client, bp_err server, bool has_all) {
    if (row->outcome != BPT_LOST && row->outcome != BPT_STOPPED) return false;
    if (client == row->err) return server == BP_OK || is_end(server);
    if (client == BP_ERR_CLOSED) return server == row->err && has_all;
    return server == row->err && is_end(client);
}

/* ---- frames ----------------------------------------------------------------------------------------------------- */

uint16_t bpt_fault_type(uint64_t n) {
    static const uint16_t types[] = {BPT_SMALL_TYPE, BPT_LARGE_TYPE, BPT_EMPTY_TYPE, BPT_MEDIUM_TYPE};
    return n == 9 ? BPT_HUGE_TYPE : types[n % 4];
}

uint32_t bpt_fault_length(uint64_t n) {
    const uint32_t min = bpt_frame_min(bpt_fault_type(n)), max = bpt_frame_max(bpt_fault_type(n));
    return min + (uint32_t)((n * 7919) % (max - min + 1));
}

bp_buf *bpt_fault_buf(bp_pool *pool, uint64_t n) {
    return bpt_frame_buf(pool, bpt_fault_type(n), bpt_fault_length(n), n);
}

bool bpt_fault_is_frame(const bp_frame *frame, uint64_t n) {
    return n < BPT_FAULT_FRAMES && frame->type == bpt_fault_type(n) && frame->length == bpt_fault_length(n) &&
           bpt_frame_is_filled(frame->value, frame->length, n);
}

/* ---- what a trial is called ------------------------------------------------------------------------------------- */

char bpt_fault_trial[160];

static void report_stuck(int number) {
    (void)number;
    (void)!write(STDERR_FILENO, bpt_fault_trial, strlen(bpt_fault_trial));
    _exit(1);
}

void bpt_fault_trial_begins(const bpt_fault_row *row, const char *setting, int way, uint64_t before) {
    enum { STUCK_SECONDS = 20 };
    snprintf(bpt_fault_trial, sizeof bpt_fault_trial, "%s%s: %s number %lu: %s, at most %lu bytes%s\n", setting,
             bpt_way_is_unix(way) ? "unix" : "tcp", bpt_call_name(row->fault.call), (unsigned long)before,
             strerror(row->fault.error), (unsigned long)row->fault.at_most, row->fault.is_deadly ? ", deadly" : "");
    signal(SIGALRM, report_stuck);
    alarm(STUCK_SECONDS);
}

void bpt_fault_trial_ends(void) { alarm(0); }
