/* tests/support/system_faults.h: system calls that fail when a test says so, by interposition.
 *
 * Linking system_faults.c into a program puts its calls in the place of the C library's for the whole process, for a
 * libuv that is a shared library too; each is handed on, but for the one that a test arms. Not seen are calls that a
 * library makes past the C library (libuv closes so). With another system or C library nothing is interposed. */
#ifndef BUFPOOL_TESTS_SYSTEM_FAULTS_H
#define BUFPOOL_TESTS_SYSTEM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The calls. Of those that take a descriptor only those on sockets count, but for epoll's and flock; so_error is
 * getsockopt with SO_ERROR, which does not fail but tells of an error; getaddrinfo answers an EAI_ number. */
#define BPT_CALLS(X)                                                                                                   \
    X(read, READ) X(readv, READV) X(recv, RECV) X(recvmsg, RECVMSG)                                                    \
    X(write, WRITE) X(writev, WRITEV) X(send, SEND) X(sendmsg, SENDMSG)                                                \
    X(accept, ACCEPT) X(accept4, ACCEPT4) X(connect, CONNECT) X(so_error, SO_ERROR)                                    \
    X(socket, SOCKET) X(bind, BIND) X(listen, LISTEN) X(setsockopt, SETSOCKOPT)                                        \
    X(getsockname, GETSOCKNAME) X(getpeername, GETPEERNAME) X(shutdown, SHUTDOWN) X(close, CLOSE)                      \
    X(epoll_create1, EPOLL_CREATE1) X(epoll_ctl, EPOLL_CTL) X(epoll_wait, EPOLL_WAIT) X(eventfd, EVENTFD)              \
    X(pipe2, PIPE2) X(open, OPEN) X(flock, FLOCK) X(chmod, CHMOD) X(unlink, UNLINK) X(getaddrinfo, GETADDRINFO)

#define BPT_CALL_ENUMERATOR(name, NAME) BPT_CALL_##NAME,
typedef enum bpt_call { BPT_CALLS(BPT_CALL_ENUMERATOR) BPT_CALL_COUNT } bpt_call;

/* One call that does not go as usual. */
typedef struct bpt_fault {
    bpt_call call;
    int error;       /* errno that it fails with, without having been made (close: after it was); 0: it does not fail */
    size_t at_most;  /* of a call that writes: it takes so many bytes and no more; 0: any number */
    bool is_deadly;  /* the socket is shut down in both directions as it fails */
} bpt_fault;

/* Whether calls are interposed in this build. */
bool bpt_faults_are_possible(void);

/* From now on calls are counted, and the one after `before` more of its kind goes wrong, in any thread; NULL: none. */
void bpt_faults_arm(const bpt_fault *fault, uint64_t before);

/* Ends that; true: it has gone wrong. */
bool bpt_faults_disarm(void);

/* Calls of the kind since bpt_faults_arm. */
uint64_t bpt_faults_count(bpt_call call);
const char *bpt_call_name(bpt_call call);

/* Where a loop waits for up to a second and nothing comes within two milliseconds, the second has passed: the clock
 * that loops see is put forward. For loops whose peers are on the same thread. */
void bpt_clock_hurry(bool is_hurried);

#endif
