/* transport/server_internal.h: a server and its loops.
 *
 * A server has a worker per thread: an end with a loop, a listener and connections of its own. The first worker runs on
 * the thread that calls bp_server_run, the others on threads of theirs, which are there only meanwhile.
 *
 * Invariants
 *   a worker belongs to the thread that runs it; nobody runs it: to the server's owner
 *   server.open_count == sum of the workers' connections + accepts being tried  <=  connection_limit, but for a moment
 *   the server is freed with the last of its workers */
#ifndef BUFPOOL_TRANSPORT_SERVER_INTERNAL_H
#define BUFPOOL_TRANSPORT_SERVER_INTERNAL_H

#include "transport/transport_internal.h"

enum { BPI_WORKER_MAX = 256 };

typedef struct bpi_worker {
    bpi_end end; /* first: an end of a worker is a worker */
    bp_server *server;
    bpi_listener listener;
    uv_poll_t poll;
    bool is_polling;
    bool is_quiet; /* takes no more connections */
    bpi_os_thread thread;
    bp_err run_err; /* of its last run */
    uint32_t open_count;   /* atomic: its connections */
    uint32_t bundle_count; /* atomic: broadcasts on their way from other loops */
    bpi_lock lock;         /* of what follows */
    bp_server_stats published; /* its counts, as other threads see them */
} bpi_worker;

struct bp_server {
    uint32_t worker_count; /* as configured */
    uint32_t made_count;   /* workers that have to go before the server does */
    uint32_t connection_limit;
    uint32_t open_count;                    /* atomic */
    bpi_share share;                        /* of its workers */
    uint64_t accepted_count, refused_count; /* atomic */
    uint32_t thread_count;                  /* atomic: workers but the first that run */
    bool is_running;                        /* atomic: inside bp_server_run */
    bool is_freed;                          /* atomic: inside bp_server_run the caller let go of it */
    bpi_worker workers[];
};

bpi_worker *bpi_worker_of(bpi_end *end);
void bpi_worker_init(bpi_worker *worker, bp_server *server, const bpi_transport *transport);

/* Makes its loop, or joins the lent one, and accepts at its listener once that runs. */
BP_NODISCARD bp_err bpi_worker_start(bpi_worker *worker, uv_loop_t *lent, bool handle_signals);

/* Runs it on the calling thread until it is stopped, or drained. */
void bpi_worker_run(void *worker);

/* Whether the calling thread may touch the worker. */
bool bpi_worker_is_here(const bpi_worker *worker);

/* Accepts, unless there is a reason not to. */
void bpi_worker_poll(bpi_worker *worker);

/* Has other threads see what it has counted until now. */
void bpi_worker_publish(bpi_worker *worker);

/* Any thread: its counts, or what it published last. */
void bpi_worker_stats_add(bpi_worker *worker, bp_server_stats *sum);

/* Any thread: queues the frame on all its connections, here or soon; returns how many there are or took it. */
size_t bpi_worker_broadcast(bpi_worker *worker, bp_buf *buf);

/* A worker is gone: with the last one, so is the server. */
void bpi_server_worker_gone(bp_server *server);

#endif
