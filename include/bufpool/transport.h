/* bufpool/transport.h: typed messages between processes, over TCP and Unix sockets, on libuv.
 *
 * A server listens at an address, a client connects to one; both end in connections (bp_conn) that carry frames to
 * generated handlers and send what generated functions encode. Addresses: "tcp://127.0.0.1:7000", "tcp://[::1]:7000",
 * "tcp://name:7000", "unix:///run/market.sock", "unix://@name" (Linux: a name without a file, which goes with its
 * last socket; any user may connect). Port 0 takes a free one; bp_server_address tells which.
 *
 * Threads: an object belongs to the thread that runs its loop, and so do its connections; only bp_server_stop and
 * bp_client_stop (any thread, any signal handler) and what is said to be for other threads may be called from
 * elsewhere. Handlers run on the loop's thread, one at a time. */
#ifndef BUFPOOL_TRANSPORT_H
#define BUFPOOL_TRANSPORT_H

#include "bufpool/base.h"
#include "bufpool/frame.h"
#include "bufpool/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

typedef struct bp_conn bp_conn;
typedef struct bp_server bp_server;
typedef struct bp_client bp_client;

/* ---- configuration ---------------------------------------------------------------------------------------------- */

/* What a service that is more than handlers, a library's as a rule, is told of each connection, whatever the program's
 * own callbacks are. Each is called on the loop's thread and may be NULL; user is the service's. Services are told in
 * the order in which they stand in the configuration, and before the program. */
typedef struct bp_service_hooks {
    /* The client is made and will connect; for a service that has something to do before that, or between connections.
     * Called by bp_client_new, which succeeds: the client is not to be freed here. */
    void (*on_client)(bp_client *client, void *user);
    /* As the program's on_open: the connection is up, and may be watched. One that closes it here does not keep the
     * others from being told. */
    void (*on_open)(bp_conn *conn, void *user);
    /* As the program's on_close, but exactly once for every on_open: never of a connection that has not opened. What
     * the service has in its session is still there. */
    void (*on_close)(bp_conn *conn, bp_err why, void *user);
    /* A send on the connection was refused with BP_ERR_QUEUE_FULL, whoever sent, and what was full is half empty
     * again. Those that are told later find as much room as this one leaves them. */
    void (*on_drain)(bp_conn *conn, void *user);
    /* The connection is watched (bp_conn_watch) and open, and the loop's clock went on by elapsed_ms since the last
     * tick, which may lie before what it is to measure. Ticks come every half second, more often where a deadline of
     * the loop is short, and less often where the loop stood still. False: this service needs no more; once none of
     * them does, the connection is watched no longer. */
    bool (*on_tick)(bp_conn *conn, uint32_t elapsed_ms, void *user);
    /* A buffer for a frame of the service's, of length bytes, instead of one of the pool: asked before pool and budget,
     * as the frame's first bytes come, unless it is here as a whole, and again after it had to wait for memory; also by
     * bp_conn_keep, for a frame that has no buffer. It may be of any pool, holds at least length bytes, and one
     * reference is given away: to the handler that keeps the frame, else it is released with the frame, or with the
     * connection in the middle of it. NULL: the pool is asked. It calls nothing on the connection. */
    bp_buf *(*lend)(bp_conn *conn, uint16_t type, uint32_t length, void *user);
} bp_service_hooks;

/* A schema and the program's handlers for it; generated code fills one in (X_service). */
typedef struct bp_service {
    /* It outlives the server or client. A copy of the generated one, with a table of types of its own, may take shorter
     * frames than the contract allows; whoever names either means it. */
    const bp_schema *schema;
    /* Checks the frame and calls its handler. *is_invalid, false before the call, tells where an error comes from: true
     * when the frame breaks its contract, so that no handler was called; else the error is the handler's own. */
    bp_err (*dispatch)(const struct bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid);
    /* Tells whether the handlers fit together; called once before the first frame. NULL: they always do. */
    bp_err (*check)(const struct bp_service *service);
    const void *handlers;  /* the schema's X_handlers; must outlive the server or client */
    void *user;            /* handed to every handler */
    uint32_t session_size; /* bytes that each connection remembers for this service (bp_conn_session); 0: none */
    const bp_service_hooks *hooks; /* NULL: none; else they outlive the server or client */
} bp_service;

enum { BP_SERVICE_MAX = 8 }; /* schemas per server or client */

/* What happens to a frame that breaks its contract: its layout, a rule, a hook, or the order of messages. Either way it
 * is counted and reaches no handler. A handler's own error always closes, whatever its number. */
typedef enum bp_invalid { BP_INVALID_CLOSE = 0, BP_INVALID_DROP = 1 } bp_invalid;

/* What happens to a frame that a full send queue has no room for. */
typedef enum bp_full {
    BP_FULL_REFUSE = 0, /* the sender is told: BP_ERR_QUEUE_FULL, and on_drain later */
    BP_FULL_DROP_NEW,   /* it is dropped */
    BP_FULL_DROP_OLD,   /* the oldest queued frames that have not begun to leave are, or it, when there are none */
    BP_FULL_CLOSE       /* the connection is closed, with BP_ERR_QUEUE_FULL */
} bp_full;

/* Whether the two ends tell each other their schemas' versions before anything else, so that nobody misreads anybody.
 * A peer that says what does not fit is refused with BP_ERR_SCHEMA (bp_conn_why_text says which schema, and why). */
typedef enum bp_hello {
    BP_HELLO_OPTIONAL = 0, /* said; a peer that says nothing is trusted */
    BP_HELLO_REQUIRED = 1, /* said; on_open waits for the peer's, and a peer that begins otherwise is refused */
    BP_HELLO_OFF = 2       /* not said, and what the peer says is passed over: for peers that do not know it */
} bp_hello;

/* What holds for every connection of a server or client. */
typedef struct bp_conn_config {
    bp_service services[BP_SERVICE_MAX];
    uint32_t service_count;
    bp_pool *pool;              /* buffers come from here (a reference is taken); NULL: a pool is made, see below */
    bp_pool_config pool_config; /* the pool to make: size classes from the contract */
    bool buffer_pool_enabled;   /* false: make a heap pool instead */
    bp_pool_factory *pool_factory; /* NULL: by buffer_pool_enabled; else it makes the pool, and gets what follows */
    void *pool_factory_user;
    bp_invalid invalid;         /* what happens to invalid frames */
    uint64_t partial_limit;     /* bytes that frames take together while they come in, and while they wait for memory to
                                   be handled with, each what its buffer takes, of all connections; one frame always
                                   may. 0: a quarter of the pool's memory limit. Servers and clients that share a pool
                                   share its memory: let the sum of theirs leave half of it to answers */
    bp_hello hello;
    /* How long a peer may take, in ms; whoever takes longer is closed with BP_ERR_TIMEOUT. UINT32_MAX: as long as it
     * likes. They are looked after coarsely: a deadline is never early, and late by half of itself or a second at the
     * most. */
    uint32_t handshake_ms; /* to connect, and to say HELLO where that is required; 0 is 10,000 */
    uint32_t frame_ms;     /* from a frame's first byte to its last; 0 is 30,000 */
    uint32_t idle_ms;      /* until the next bytes; 0 is as long as it likes */
    uint32_t stall_ms;     /* until it takes more of what is queued; 0 is 30,000 */
    uint32_t finish_ms;    /* from bp_conn_finish to the end; 0 is 10,000 */
    uint32_t send_queue_bytes;  /* unsent bytes per connection, above which its queue is full; 0 is 4 MiB */
    uint64_t inflight_bytes;    /* the same for all connections together, each of which is then full; 0: no limit. Every
                                   thread may be beyond it by a frame, and by 60 KiB that it is about to write */
    bp_full full_policy;        /* what happens to frames that are sent to a full queue */
    uint32_t busy_poll_us;      /* how long a loop of the end's own looks for more before it sleeps; 0: not at all */
    bool keep_sigpipe;          /* leave SIGPIPE as it is: the program knows that writes may raise it */
    void *user;                 /* handed to the callbacks below */
    /* The connection is up; it may send. Where HELLO is required, the peer's has come and fits. */
    void (*on_open)(bp_conn *conn, void *user);
    /* The connection is gone and is freed after this call; why: BP_ERR_END when the peer closed it, or its sending
     * side, between two frames (what the socket does not take at once of the queue is then dropped), BP_ERR_CLOSED when
     * this side did, else the error: BP_ERR_RESET also where the peer was gone before it took what was sent,
     * BP_ERR_LOST also where a peer that has said HELLO ends without its GOODBYE. Exactly once for every on_open; a
     * client that never got through has on_close without on_open. */
    void (*on_close)(bp_conn *conn, bp_err why, void *user);
    /* A send was refused with BP_ERR_QUEUE_FULL, or a post had to wait, and what was full is half empty again. */
    void (*on_drain)(bp_conn *conn, void *user);
    /* A frame of an unknown type in a range with `unknown: deliver`. */
    bp_err (*on_unknown)(bp_conn *conn, const bp_frame *frame, void *user);
} bp_conn_config;

typedef struct bp_server_config {
    bp_conn_config conn;
    struct uv_loop_s *loop;    /* run on this loop, which the caller runs; NULL: a loop of its own (bp_server_run) */
    bool handle_signals;       /* the first SIGINT or SIGTERM drains, the second stops; only with a loop of its own */
    uint32_t thread_count;     /* loops, each on its thread, the caller's included; only without a lent loop; 0 is 1 */
    uint32_t connection_limit; /* connections at once, more wait in the backlog; 0 is 10,000 */
    uint32_t unix_mode;        /* permission bits of a Unix socket; 0 is 0600 */
} bp_server_config;

typedef struct bp_client_config {
    bp_conn_config conn;
    struct uv_loop_s *loop; /* as for a server */
    bool handle_signals;    /* SIGINT and SIGTERM stop it; only with a loop of its own */
    /* How long to wait before a connection that ended, or could not be made, is tried again: at first reconnect_min_ms,
     * then twice as long after each attempt that failed, up to reconnect_max_ms (0 is 30,000), each time cut at random
     * by up to a half. An attempt that succeeds begins anew. reconnect_min_ms 0: never. */
    uint32_t reconnect_min_ms, reconnect_max_ms;
} bp_client_config;

/* The defaults for one service: pooled, closing on invalid frames. Generated X_server_config and X_client_config call
 * these. */
BP_API bp_server_config bp_server_config_default(bp_service service);
BP_API bp_client_config bp_client_config_default(bp_service service);

/* ---- server ----------------------------------------------------------------------------------------------------- */

/* Binds and listens; connections are served once the loop runs. config is copied; what it points at (handlers) is not.
 * BP_ERR_ADDRESS, BP_ERR_ADDRESS_IN_USE, BP_ERR_PERMISSION, BP_ERR_SCHEMA (two services have a type in common or, where
 * HELLO is said, a schema's id), BP_ERR_ABI, BP_ERR_ARGUMENT (handlers or pool configuration do not fit),
 * BP_ERR_NO_MEMORY, BP_ERR_SYSTEM. */
BP_NODISCARD BP_API bp_err bp_server_new(const bp_server_config *config, const char *address, bp_server **out);

/* Serves until bp_server_stop, and then closes every connection (BP_ERR_CLOSED); or until bp_server_drain has let the
 * last one end. Signals do the same where they are handled. Returns BP_OK. Only with a loop of its own, else
 * BP_ERR_ARGUMENT.
 *
 * With thread_count above 1 there are so many loops: one on the calling thread, the others on threads that this call
 * makes and ends. Each connection belongs to one of them, and its handlers and callbacks run there, beside those of
 * connections of other threads. BP_ERR_SYSTEM: there is no room for the threads. */
BP_NODISCARD BP_API bp_err bp_server_run(bp_server *server);

/* Ends bp_server_run soon; with a loop of the caller's, closes the listener and every connection soon.
 * Async-signal-safe; any thread. */
BP_API void bp_server_stop(bp_server *server);

/* Takes no more connections and finishes those that are there (bp_conn_finish): bp_server_run returns when the last one
 * is gone, which finish_ms bounds. The server does not listen again. Async-signal-safe; any thread. */
BP_API void bp_server_drain(bp_server *server);

/* Closes what is open, frees the server and sets *server to NULL; NULL is allowed. With a loop of the caller's, closing
 * goes on while that loop runs: run it before uv_loop_close (docs/EMBEDDING.md). Inside a handler it is allowed: the
 * server is gone when bp_server_run returns. Removes a Unix socket's file. */
BP_API void bp_server_free_take(bp_server **server);

/* Where the server listens, with the real port: "tcp://127.0.0.1:40123". Writes at most size bytes, NUL included.
 * BP_ERR_SPACE. */
BP_NODISCARD BP_API bp_err bp_server_address(const bp_server *server, char *out, size_t size);

/* The pool that the connections use; valid while the server is. */
BP_API bp_pool *bp_server_pool(const bp_server *server);

/* The server's loop, with several threads the one that the caller of bp_server_run runs. */
BP_API struct uv_loop_s *bp_server_loop(const bp_server *server);

/* Sends one frame on every open connection, in the one buffer, and takes the reference: *buf becomes NULL. A connection
 * whose queue is full does as full_policy says. Returns how many took it, dropped ones included; a buffer of type 0 is
 * no frame, and nobody takes it. With several threads, any of them may call it; connections of the others get the frame
 * soon, and all of them are counted. */
BP_API size_t bp_server_broadcast_take(bp_server *server, bp_buf **buf);

/* ---- client ----------------------------------------------------------------------------------------------------- */

/* Starts to connect; on_open or on_close tells the outcome once the loop runs. Names are resolved there, and every
 * address of a name is tried. What is wrong at once is an error here, without callbacks. Errors as bp_server_new. */
BP_NODISCARD BP_API bp_err bp_client_new(const bp_client_config *config, const char *address, bp_client **out);

/* Runs until the connection is gone or bp_client_stop. Returns BP_OK when this side closed it (or stop was called) and
 * otherwise why it is gone: BP_ERR_END, BP_ERR_REFUSED, ...
 * With reconnect_min_ms it runs until bp_client_stop alone: on_close tells of every loss, and of every attempt that
 * failed; names are resolved anew for each. */
BP_NODISCARD BP_API bp_err bp_client_run(bp_client *client);
BP_API void bp_client_stop(bp_client *client);
BP_API void bp_client_free_take(bp_client **client);

/* The client's connection: NULL before on_open and after on_close. */
BP_API bp_conn *bp_client_conn(const bp_client *client);
BP_API bp_pool *bp_client_pool(const bp_client *client);
BP_API struct uv_loop_s *bp_client_loop(const bp_client *client);

/* ---- connection ------------------------------------------------------------------------------------------------- */

/* Sends a frame (type and length from the buffer) and takes the reference: *buf becomes NULL. It is written in the same
 * turn of the loop, together with what else is sent; small frames are copied, and their buffers released, here. A queue
 * that is full does as full_policy says; a frame above its limit is taken when it is empty. On error *buf stays the
 * caller's: BP_ERR_QUEUE_FULL (refused, on_drain will tell, or closed), BP_ERR_CLOSED, BP_ERR_NO_MEMORY,
 * BP_ERR_ARGUMENT (a frame is begun, see below; or the buffer is none: its type is 0, as long as nobody has set it),
 * BP_ERR_RESET (the peer takes no more; what it sent before is still handed on, then on_close follows). */
BP_NODISCARD BP_API bp_err bp_conn_send_take(bp_conn *conn, bp_buf **buf);

/* Sends a frame without a buffer: begin gives *value, size_max bytes in which the value is written (at any alignment),
 * and end says how many of them it has. What is written there goes as it is; drop takes the frame back.
 *
 *     uint8_t *value;
 *     bp_err err = bp_conn_frame_begin(conn, MARKET_BOOK_ACK_TYPE, MARKET_BOOK_ACK_MAX, &value);
 *     if (err == BP_OK) err = bp_conn_frame_end(conn, fill(value));
 *
 * Between begin and end nothing else is sent on the loop (BP_ERR_ARGUMENT), and control does not go back to it: a frame
 * that is still begun then is dropped. Generated X_send_Y are made of this.
 * begin: errors as bp_conn_send_take (BP_ERR_ARGUMENT also for type 0), BP_ERR_LIMIT (values that are not small, and
 * those of a connection that cannot write, need a buffer of the pool); nothing is begun then, and *value is NULL. end:
 * BP_ERR_ARGUMENT: no frame of this connection is begun, or length is above size_max, and nothing happened;
 * BP_ERR_CLOSED: the connection was closed in between; else as bp_conn_send_take, and the frame is dropped. drop does
 * nothing when none is begun. */
BP_NODISCARD static inline bp_err bp_conn_frame_begin(bp_conn *conn, uint16_t type, uint32_t size_max,
                                                      uint8_t **value);
BP_NODISCARD static inline bp_err bp_conn_frame_end(bp_conn *conn, uint32_t length);
BP_API void bp_conn_frame_drop(bp_conn *conn);

/* Both as plain functions, for languages and programs that cannot inline. */
BP_NODISCARD BP_API bp_err bp_conn_frame_begin_plain(bp_conn *conn, uint16_t type, uint32_t size_max, uint8_t **value);
BP_NODISCARD BP_API bp_err bp_conn_frame_end_plain(bp_conn *conn, uint32_t length);

/* Inside a handler: a buffer of the handler's own with the frame that is being handled; one reference, released with
 * bp_buf_release, on any thread, also after the connection is gone. Once per frame. As bp_reader_keep;
 * BP_ERR_ARGUMENT outside a handler. */
BP_NODISCARD BP_API bp_err bp_conn_keep(bp_conn *conn, bp_buf **out);

/* A buffer from the connection's pool, as bp_pool_acquire gives it. Inside the handler of one of its frames, use this
 * one: when there is no memory for it, for bp_conn_keep or for a generated send on this connection (BP_ERR_LIMIT), and
 * the handler answers BP_ERR_LIMIT as well and has not kept the frame, then the connection is not closed. It reads no
 * more, what the handler has sent on it is taken back, the memory that it asked for is reserved, all of it together,
 * and once that is granted the handler runs again with the same frame. So a handler asks for what it needs and sends
 * before it does anything that it must not do twice. More than 8 such calls in one run are not waited for. The buffer
 * may be a part of a larger one, which comes back with the last part. */
BP_NODISCARD BP_API bp_err bp_conn_acquire(bp_conn *conn, uint64_t size, bp_buf **out);

/* Sends what is queued, tells the peer that this was all, and closes when the peer has ended too, or with
 * BP_ERR_TIMEOUT after finish_ms. Further sends answer BP_ERR_CLOSED, and what the peer still sends is passed over. */
BP_API void bp_conn_finish(bp_conn *conn);

/* Closes at once; what is queued is dropped. on_close gets why (BP_OK reads as BP_ERR_CLOSED). */
BP_API void bp_conn_close(bp_conn *conn, bp_err why);

/* The version that the peer has of a schema (one of the connection's services), as its HELLO says; 0 when it has said
 * none, or does not speak the schema. */
BP_API uint16_t bp_conn_peer_version(const bp_conn *conn, const bp_schema *schema);

/* Inside on_close: why the connection is gone in words, as bp_err_text, and with BP_ERR_SCHEMA which schema of the peer
 * does not fit, and how. Writes at most size bytes, NUL included; 128 are enough for all but long names. */
BP_API void bp_conn_why_text(const bp_conn *conn, char *out, size_t size);

/* Stops reading, and starts again. Frames that were read already are still handed on. That the peer is gone (has reset
 * the connection, or closed it both ways and everything is read) a paused connection notices within a second. */
BP_API void bp_conn_pause(bp_conn *conn);
BP_API void bp_conn_resume(bp_conn *conn);

/* Has on_tick of the connection's services called from the next tick on, until none of them wants more; does nothing on
 * a connection that is watched already, or closed. A connection that nobody watches costs no ticks. */
BP_API void bp_conn_watch(bp_conn *conn);

/* A pointer of the program's own, NULL at first. */
BP_API void bp_conn_set_data(bp_conn *conn, void *data);
BP_API void *bp_conn_data(const bp_conn *conn);

/* What the connection remembers for one of its services: session_size bytes, aligned for any type, zero when the
 * connection is made and nobody's but the service's afterwards; freed with the connection. The service is known by its
 * schema, or a copy of it. NULL when the connection does not have it or it remembers nothing. Generated dispatch functions keep the
 * schema's X_session there. */
BP_API void *bp_conn_session(bp_conn *conn, const bp_service *service);

/* The pool that the connection uses; valid while the connection is. */
BP_API bp_pool *bp_conn_pool(const bp_conn *conn);

/* Where the peer is, as an address: "tcp://127.0.0.1:40123", "unix:///run/market.sock"; "unix://" for a Unix socket
 * without a name, which clients have. Writes at most size bytes, NUL included. BP_ERR_SPACE, BP_ERR_CLOSED. */
BP_NODISCARD BP_API bp_err bp_conn_peer_address(const bp_conn *conn, char *out, size_t size);

/* Who the peer was when it connected, or began to listen, as the system knows it. */
typedef struct bp_credentials {
    int64_t pid;
    uint32_t uid, gid;
} bp_credentials;

/* Of a connection over a Unix socket. BP_ERR_ARGUMENT: it is none; BP_ERR_CLOSED, BP_ERR_SYSTEM. */
BP_NODISCARD BP_API bp_err bp_conn_peer_credentials(const bp_conn *conn, bp_credentials *out);

/* Bytes sent and not yet written. */
BP_API uint64_t bp_conn_queued_bytes(const bp_conn *conn);

/* ---- connections and other threads ----------------------------------------------------------------------------- */

/* Keeps the connection's memory beyond its callbacks and returns it; every retain needs a release. The first one must
 * be on the loop's thread (on_open is a good place), and NULL when there is no memory; whoever has a reference may take
 * more, on any thread. A reference keeps neither the connection open nor its server: it is good for the calls below and
 * for no other once on_close was called. */
BP_NODISCARD BP_API bp_conn *bp_conn_retain(bp_conn *conn);

/* Gives a reference back, on any thread, and sets *conn to NULL; NULL is allowed. */
BP_API void bp_conn_release_take(bp_conn **conn);

/* Has the loop's thread send a frame, and takes the reference: *buf becomes NULL. Any thread that has a reference to
 * the connection; the frames of one thread leave in the order in which they were posted. Frames that are posted and not
 * yet queued are bounded by send_queue_bytes, as is the queue itself. What is posted when bp_conn_finish is called is
 * sent as far as the queue has room; the rest, and what a connection that is gone leaves, is dropped. On error *buf
 * stays the caller's: BP_ERR_QUEUE_FULL (or others wait for room), BP_ERR_CLOSED (finished or gone), BP_ERR_NO_MEMORY,
 * BP_ERR_ARGUMENT (nobody retained the connection, or the buffer's type is 0). */
BP_NODISCARD BP_API bp_err bp_conn_post_take(bp_conn *conn, bp_buf **buf);

/* The same, but waits for room, in turn, for timeout_ms at the most; UINT32_MAX is for ever. BP_ERR_TIMEOUT;
 * BP_ERR_WOULD_BLOCK on threads that may not wait (bp_thread_forbid_wait). */
BP_NODISCARD BP_API bp_err bp_conn_post_wait_take(bp_conn *conn, bp_buf **buf, uint32_t timeout_ms);

/* What bp_conn_call has called; the connection may be closed by then: sends answer BP_ERR_CLOSED. */
typedef void bp_conn_call_fn(bp_conn *conn, void *user);

/* Calls call(conn, user) on the loop's thread, in order with what the same thread posts; any thread that has a
 * reference to the connection. Once this answered BP_OK, the call is made exactly once, at the latest before on_close.
 * BP_ERR_CLOSED, BP_ERR_NO_MEMORY, BP_ERR_ARGUMENT: it is not made. */
BP_NODISCARD BP_API bp_err bp_conn_call(bp_conn *conn, bp_conn_call_fn *call, void *user);

/* ---- statistics ------------------------------------------------------------------------------------------------- */

/* What connections count: one connection's (bp_conn_stats_read), or all of a server's since it was made, closed ones
 * included. */
typedef struct bp_conn_stats {
    uint64_t frames_in, bytes_in;   /* whole frames handed on; bytes read, headers included */
    uint64_t frames_out, bytes_out; /* frames written to their end; bytes written */
    uint64_t frames_skipped;        /* unknown types passed over */
    uint64_t frames_invalid;        /* frames that broke their contract */
    uint64_t frames_kept;           /* frames that a handler kept */
    uint64_t sends_refused;         /* sends answered with BP_ERR_QUEUE_FULL */
    uint64_t frames_dropped;        /* frames dropped because a queue was full (BP_FULL_DROP_NEW, BP_FULL_DROP_OLD) */
    uint64_t waits;                 /* times that a connection stopped to read for want of memory */
    uint64_t reads, writes;         /* system calls, as libuv made them known */
} bp_conn_stats;

typedef struct bp_server_stats {
    uint64_t connections_open, connections_accepted, connections_refused;
    uint64_t connections_waiting; /* that wait for memory now */
    uint64_t connections_failed; /* closed with an error other than BP_ERR_END and BP_ERR_CLOSED */
    bp_conn_stats conn;
} bp_server_stats;

BP_API void bp_conn_stats_read(const bp_conn *conn, bp_conn_stats *out);

/* With several threads, any of them may call it; what connections of the others counted is then up to a second old. */
BP_API void bp_server_stats_read(const bp_server *server, bp_server_stats *out);

/* ---- one frame from a blocking descriptor, without libuv -------------------------------------------------------- */

/* Reads one frame from fd into a buffer from pool; the caller owns it. With a heap pool this is the unpooled way. A
 * frame of an unknown type that is skipped is passed over, and so is a control frame; then the next one is read. A
 * frame without value is an empty buffer of capacity 1.
 * BP_ERR_END: the stream ended between frames; BP_ERR_LOST: inside one; BP_ERR_FRAME_TYPE, _SHORT, _LONG;
 * BP_ERR_LIMIT, BP_ERR_NO_MEMORY: the header is already read, so the stream cannot be followed any further;
 * BP_ERR_SYSTEM. */
BP_NODISCARD BP_API bp_err bp_frame_read(int fd, bp_pool *pool, const bp_type_map *types, bp_buf **out);

/* Writes the frame in buf to a blocking descriptor, whole; buf stays the caller's. BP_ERR_ARGUMENT: the buffer is no
 * frame, its type is 0, and nothing is written; BP_ERR_LOST: the peer is gone; BP_ERR_SYSTEM. */
BP_NODISCARD BP_API bp_err bp_frame_write(int fd, const bp_buf *buf);

#ifdef __cplusplus
}
#endif
#include "bufpool/detail/send_inline.h"

#endif
