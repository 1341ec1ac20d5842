/* transport/transport_internal.h: the cast of the transport room.
 *
 * Glossary
 *   end         what a server and a client have in common: configuration, pool, types, connections
 *   loop        what all ends on one libuv loop share: landing chunk, staging buffer, the list of dirty connections
 *   mailbox     letters from other threads to a loop's: what a grant of memory, or a post, has the loop do
 *   transport   the few places in which TCP and Unix sockets differ, as a table of functions
 *   landing     64 KiB into which every connection of a loop is read; there are two, so that one may be kept
 *   peeked      bytes in the chunk that is left then: they stay in their socket, too, until they are handed on
 *   waiting     a connection that has unread frames, or a frame of which the handler is to run again, and no memory
 *   share       what all loops of a server share, and what a client has for itself: the budget of cut frames, and what
 *               may be queued (inflight_bytes)
 *   over        a connection whose cut frame waits until others are whole: the budget is used up
 *   needs       the buffers that a handler asked its connection for; those that were refused are reserved
 *   stage       60 KiB of a loop, lent to one connection at a time: its small frames are copied there when they are
 *               sent
 *   queue       frames of a connection that were not staged, in buffers; they leave after what is staged
 *   begun       the frame between bp_conn_frame_begin and bp_conn_frame_end; one at a time per loop
 *   dirty       a connection with frames to be written in this turn of the loop
 *   blocked     a connection whose socket takes no more; one uv_write waits for room, its request borrowed from the
 *               loop
 *   rest        staged bytes that the socket did not take, moved to where the blocked write finds them
 *   stuck       the stage where there was no memory for the rest: it stays lent until the blocked write is through
 *   lingering   everything is sent and the sending side shut down; what still comes is passed over until the peer
 *               ends
 *   port        what threads that keep a connection see of it; it outlives the connection and its loop (post.c)
 *   aside       what few connections need besides: made when it is needed first, freed with the connection
 *   at rest     a connection without frames or bytes on their way, two ticks after the last ones: it holds its own
 *               block of memory, with its sessions, and perhaps an aside
 *   clock       a loop's time, in ms, as its timer moves it on (deadline.c)
 *   hooks       what a service has called besides handlers (service.c)
 *   watched     a connection of which some service wants to be told each tick
 *
 * A connection's life:  CONNECTING -> OPEN -> FINISHING -> LINGERING -> CLOSING -> freed;  each step but the first and
 * the last may be left out, none is taken backwards. uv_close is called exactly on entering CLOSING, and the
 * connection is freed in its callback, after on_close.
 *
 * Invariants
 *   is_dirty  <=>  on the loop's dirty list;   write != NULL  <=>  blocked
 *   something is queued  =>  has_queued  =>  the timer is active
 *   a freed connection is on no list
 *   free chunks hold nothing between two callbacks, and the stage nothing between two turns unless it is stuck; where a
 *   schema has sensitive types, there are zeros in place of values then
 *   stage.limit != 0  =>  its holder is open, not broken, not blocked, and has an empty queue
 *   stage.begun.buf != NULL  =>  stage.begun.conn != NULL
 *   stage.length != 0  =>  its holder is dirty, or blocked by what is stuck
 *   stage.limit <= what the holder's mark allows
 *   landing.free_count == 2 - waiting connections that keep a chunk  >=  1
 *   is_reading  <=>  open, not paused, not waiting; or finishing or lingering, and the peer has not ended
 *   aside.wait != NULL  <=>  waiting, or a letter of its reservation is under way
 *   share.budget.used == bytes of the cut frames of its ends, of those that have no buffer yet or wait for handlers,
 *                        and of who was admitted and has not got the letter;  + 1 while anybody is over
 *   share.queued_bytes == of all connections of its ends, but what is staged;   where there is an inflight_bytes
 *   share.full_count == ends that are full
 *   share.over_count == connections that are over, of all loops;   loop.over_count == its own, letters included
 *   end.handle_count == uv handles of the end and its connections that are initialised and not yet closed
 *   server total == closed + sum over the open connections
 *   a connection's sessions lie right behind it, in its own allocation */
#ifndef BUFPOOL_TRANSPORT_TRANSPORT_INTERNAL_H
#define BUFPOOL_TRANSPORT_TRANSPORT_INTERNAL_H

#include "base/os.h"
#include "bufpool/transport.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <uv.h>

enum {
    BPI_LANDING_SIZE = 65536,
    BPI_LANDING_COUNT = 2,
    BPI_SCRAP_SIZE = 4096,                 /* where what nobody wants is read while there is no chunk */
    BPI_TURN_CHUNKS = 4,                   /* landing chunks that one connection is read in one turn of the loop */
    BPI_NEEDS_MAX = 8,                     /* buffers that a handler may ask for and still be run again */
    BPI_SPARES_MAX = 64,                   /* blocks of a kind that a loop keeps for the next connections */
    BPI_PARTIAL_SHARE = 4,                 /* cut frames take this part of the pool's memory limit */
    BPI_SOCKET_BUFFER = 256 * 1024,        /* loopback and Unix sockets; remote peers keep autotuning */
    BPI_QUEUE_BYTES_DEFAULT = 4096 * 1024, /* send queue of a connection */
    BPI_CONNECTIONS_DEFAULT = 10000,
    BPI_FLUSH_WRITES = 16,    /* writes of one connection per turn of the loop: nobody starves the others */
    BPI_STAGE_WRITES = 72,    /* full stages that it may write besides: a little more than the queue is by default */
    BPI_BLOCKED_STAGE = 4096  /* staging of a blocked write, or where the loop's is stuck */
};

typedef struct bpi_aside bpi_aside;
typedef struct bpi_end bpi_end;
typedef struct bpi_loop bpi_loop;
typedef struct bpi_port bpi_port;
typedef struct bpi_transport bpi_transport;
typedef struct bpi_wait bpi_wait;
typedef struct bpi_write bpi_write;

/* ---- addresses and errors (no libuv calls) ---- */

typedef struct bpi_address {
    const bpi_transport *transport;
    char host[256]; /* tcp: a name or a numeric address, without brackets */
    char port[8];
    char path[sizeof((struct sockaddr_un *)0)->sun_path]; /* unix: "/...", or "@name" without a file */
} bpi_address;

/* BP_ERR_ADDRESS. */
BP_NODISCARD bp_err bpi_address_parse(const char *text, bpi_address *out);

/* "tcp://127.0.0.1:7000", "unix:///path" or "unix://@name" from a socket's address of length bytes. BP_ERR_SPACE. */
BP_NODISCARD bp_err bpi_address_format(const struct sockaddr_storage *from, socklen_t length, char *out, size_t size);
bool bpi_address_is_loopback(const struct sockaddr *address);

/* The outcome that an errno, or a libuv status (a negative errno on every system with one), stands for. */
bp_err bpi_err_from_errno(int number);
bp_err bpi_err_from_uv(int status);

/* ---- mailbox ---- */

/* What one thread has for another to do: lies in what it is about. Between put and open it is the mailbox's. */
typedef struct bpi_letter {
    struct bpi_letter *next;                 /* the mailbox's */
    void (*open)(struct bpi_letter *letter); /* on the loop's thread, once for every put; the letter may be put again,
                                                or freed */
} bpi_letter;

/* Of one loop. Letters are opened in the order in which they were put. */
typedef struct bpi_mailbox {
    uv_async_t async; /* first: an async of a mailbox is a mailbox; data is free for whoever closes it */
    bpi_lock lock;
    bpi_letter *first, **last;
    uint32_t expected_count; /* the loop's thread alone */
} bpi_mailbox;

/* Status of libuv; on an error there is nothing to end. The handle of the mailbox is closed by its loop, and the rest
 * ended once it is closed. */
BP_NODISCARD int bpi_mailbox_start(bpi_mailbox *mailbox, uv_loop_t *uv);
void bpi_mailbox_fini(bpi_mailbox *mailbox);

/* Any thread; cannot fail. Whoever puts a letter knows that its mailbox stays until it is opened: the receiver expects
 * it, or cannot go before a lock is free that the sender holds. */
void bpi_mailbox_put(bpi_mailbox *mailbox, bpi_letter *letter);

/* A letter will come, and the loop runs until it does (loop's thread). Who expects it counts it like a handle of its
 * own: its end stays until the letter is opened, and opening ends with unexpect. */
void bpi_mailbox_expect(bpi_mailbox *mailbox);
void bpi_mailbox_unexpect(bpi_mailbox *mailbox);

/* ---- loop ---- */

/* The chunks of a loop, the one to be used next on top. Made together, so that both are there or neither. */
typedef struct bpi_landing {
    uint8_t *memory; /* NULL until first used */
    uint8_t *free[BPI_LANDING_COUNT];
    uint32_t free_count;
    bool is_peeked;     /* what is being handled is in its socket as well */
    size_t unread_size; /* bytes of it that the connection left there */
} bpi_landing;

/* A block while nobody has it. */
typedef struct bpi_spare {
    struct bpi_spare *next;
} bpi_spare;

/* Blocks of one kind. */
typedef struct bpi_spares {
    bpi_spare *first;
    uint32_t count;
    uint32_t low;  /* fewest that were there since they were trimmed last */
    uint32_t kept; /* so many are left there at rest */
} bpi_spares;

typedef struct bpi_wait_list {
    bpi_wait *first, *last;
    uint32_t count;
} bpi_wait_list;

/* What the ends of a server share, or what a client has for itself. */
typedef struct bpi_share {
    bp_reader_budget budget; /* atomic; limit is 0 while connections are over, so that nobody overtakes them */
    uint64_t partial_limit;  /* what it is else */
    bpi_lock lock;           /* of the list */
    bpi_wait_list over;      /* of all loops, in the order in which they came */
    uint32_t over_count;     /* atomic: how many they are */
    uint64_t queued_bytes;   /* atomic */
    uint32_t full_count;     /* atomic */
    bpi_end *ends;           /* that others may wake; under the lock */
} bpi_share;

/* The buffers that the running handler asked its own connection for, in order. */
typedef struct bpi_needs {
    uint32_t sizes[BPI_NEEDS_MAX];
    uint32_t count;   /* BPI_NEEDS_MAX + 1: more than are remembered */
    bool is_refused;  /* the last one was */
    bool is_shared;   /* granted is for several: each call gets a part */
    uint32_t used;    /* bytes of granted that are given away */
    bp_buf *granted;  /* reserved for this run of the handler; NULL: nothing, or given away */
} bpi_needs;

struct bpi_loop {
    uv_loop_t *uv;
    uv_prepare_t prepare; /* data finds the bpi_loop of a uv_loop_t again */
    uv_check_t check;
    bpi_mailbox mailbox;
    uv_idle_t idle;   /* active while somebody is dirty, so that the loop does not sleep */
    uv_timer_t timer; /* active while somebody has a deadline */
    bpi_end *ends;    /* those whose deadlines it looks after */
    uint64_t ticked_at;
    uint64_t event_count; /* reads and posts: whether there is something to do */
    uint32_t clock_ms, tick_ms;
    uint32_t end_count, handle_count;
    uint32_t leaving_count; /* ends that are freed and whose handles are not closed yet */
    bp_conn *dirty;
    bpi_landing landing;
    bpi_end *shared;     /* the one whose share other loops have, too; NULL: none */
    uint32_t over_count; /* connections that are over, or have a letter under way that they are no longer */
    uint32_t turn; /* counts up */
    bpi_stage stage;
    bpi_spares writes, waits; /* bpi_write, bpi_wait */
    bp_conn *handling; /* the connection whose handler runs */
    bp_frame *frame;   /* and the frame that it was given */
    bpi_needs needs;   /* of that handler */
    bool is_own;       /* uv == &own: the end that made it runs it */
    bool is_orphan;    /* that end is gone, others are left */
    uv_loop_t own;
    uint8_t scrap[BPI_SCRAP_SIZE];
};

/* The shared part of lent, or of a new loop when lent is NULL. BP_ERR_NO_MEMORY, BP_ERR_SYSTEM. */
BP_NODISCARD bp_err bpi_loop_acquire(uv_loop_t *lent, bpi_loop **out);

/* The last end on it closes it; an own loop is run until it is closed, a lent one is left to its owner. */
void bpi_loop_release(bpi_loop *loop);

void bpi_loop_mark_dirty(bpi_loop *loop, bp_conn *conn);
void bpi_loop_forget(bpi_loop *loop, bp_conn *conn);

/* ---- spares (spares.c) ---- */

/* A block of size bytes, as it was given or zero; NULL: no memory. */
void *bpi_spares_take(bpi_spares *spares, size_t size);
void bpi_spares_give(bpi_spares *spares, void *block);

/* One more is kept at rest, and made now if there is memory: who needs it first does not allocate. */
void bpi_spares_keep_one(bpi_spares *spares, size_t size);

/* Gives back what nobody needed since the last time, unless is_busy: there was traffic, which may soon need it. Whether
 * there is more than what is kept. */
bool bpi_spares_trim(bpi_spares *spares, bool is_busy);
void bpi_spares_rest(bpi_spares *spares); /* gives back all but what is kept */
void bpi_spares_free(bpi_spares *spares);

/* ---- deadlines ---- */

/* How long a peer may take for what, in ms; UINT32_MAX: as long as it likes. */
typedef struct bpi_deadlines {
    uint32_t handshake_ms, frame_ms, idle_ms, stall_ms, finish_ms;
    uint32_t tick_ms; /* how often they are looked after */
} bpi_deadlines;

void bpi_deadlines_init(bpi_deadlines *deadlines, const bp_conn_config *config);

/* The end's connections and its on_tick are looked after by the loop's timer, and no longer. */
void bpi_deadline_join(bpi_end *end);
void bpi_deadline_leave(bpi_end *end);

/* Something of the loop has a deadline: makes sure that the timer is active. */
void bpi_deadline_watch(bpi_loop *loop);

/* A connection or an end's need of a tick is gone: without any, the timer rests. */
void bpi_deadline_rest(bpi_loop *loop);

/* The clock moves on; who is late is closed, and memory that nobody needs any more given back. Called by the timer, and
 * by tests that have no time to wait. */
void bpi_loop_tick(bpi_loop *loop, uint32_t elapsed_ms);

/* What the connection's state allows a time for begins now. */
void bpi_deadline_begin(bp_conn *conn);

/* A blocked write was begun. */
void bpi_deadline_write(bp_conn *conn);

/* Bytes came, and what they made whole was handed on; frames_before: bpi_conn_frames before that. */
void bpi_deadline_read(bp_conn *conn, uint64_t frames_before);

/* This side reads again: the peer's time begins anew. */
void bpi_deadline_renew(bp_conn *conn);

/* ---- end ---- */

struct bpi_end {
    bp_conn_config config;
    size_t session_at[BP_SERVICE_MAX]; /* of each service's session behind a bp_conn */
    size_t sessions_size;              /* of all of them, each rounded up to max_align_t, and of peers' versions */
    bpi_loop *loop;
    const bpi_transport *transport;
    bp_pool *pool;
    bp_type_map *types;
    bp_reader_config reader; /* of all its connections */
    bpi_share *share;        /* the server's, or client's */
    bp_pool *control_pool;   /* of its control frames: they need no other */
    bp_buf *hello, *goodbye; /* what every connection says; NULL where none does */
    size_t versions_at;      /* of what peers have of several schemas, behind the sessions */
    bp_conn *conns; /* newest first */
    uint32_t conn_count, handle_count;
    bpi_end *loop_next; /* in the loop's list */
    bpi_deadlines deadlines;
    uint64_t failed_count; /* connections closed with an error other than END and CLOSED */
    bp_conn_stats closed;  /* of all connections that are gone */
    bpi_end *share_next; /* in the share's list */
    bool is_full;        /* somebody was refused because of inflight_bytes; written on the loop's thread */
    bool is_roomy;       /* atomic: another loop says that half of it is free again */
    uv_async_t stop;
    uv_signal_t signals[2];
    bool has_sensitive;     /* some type of its schemas is: whatever held values of any is wiped */
    bool is_stop_requested; /* atomic: set from anywhere */
    bool is_drain_requested; /* atomic */
    bool is_draining;        /* takes no more connections, and finishes those it has */
    bool is_running;        /* inside bp_X_run */
    bool runs_loop;         /* the loop is its own, not lent: not even by another end */
    bool is_freed;          /* the caller let go of it */
    bool is_client;         /* on_close is due even without on_open */
    bool needs_tick;        /* on_tick wants to be called */
    /* What server and client do differently. */
    void (*conn_gone)(bpi_end *end, bp_conn *conn); /* folded and off the list; on_close comes next */
    void (*conn_left)(bpi_end *end);                /* NULL, or called when on_close has been */
    bool (*on_tick)(bpi_end *end);                  /* NULL, or whether it wants to be called again */
    void (*interrupted)(bpi_end *end);              /* a signal came; NULL: stop */
    void (*quiet)(bpi_end *end);                    /* close the handles of its own: no more connections */
    void (*destroy)(bpi_end *end);                  /* every handle is closed: free what is its own, and itself */
};

/* Checks the configuration, takes or makes the pool and the type map. The share was set before; its limit is set here.
 * On error nothing is held. */
BP_NODISCARD bp_err bpi_end_init(bpi_end *end, const bp_conn_config *config);

/* Joins the loop and starts the handles that every end has. On error bpi_end_free is due. */
BP_NODISCARD bp_err bpi_end_start(bpi_end *end, uv_loop_t *lent, bool handle_signals);

/* Runs its own loop until is_over says so or a stop was asked for. BP_ERR_ARGUMENT: the loop is not its own. */
BP_NODISCARD bp_err bpi_end_run(bpi_end *end, bool (*is_over)(const bpi_end *end));
void bpi_end_stop(bpi_end *end);

/* Takes no more connections and finishes those that are there. Any thread, any signal handler. */
void bpi_end_drain(bpi_end *end);

/* Has bpi_end_run look again whether it is over. Any thread. */
void bpi_end_wake(bpi_end *end);

/* Whether the calling thread is inside bpi_end_run of this end. */
bool bpi_end_is_here(const bpi_end *end);
bool bpi_end_is_stopping(const bpi_end *end);
void bpi_end_close_conns(bpi_end *end, bp_err why);
void bpi_end_tick(bpi_end *end); /* on_tick is to be called until it has what it wants */
void bpi_end_handle_closed(bpi_end *end);

/* Closes everything; destroy is called once all handles are closed: at once with a loop of its own, when the loop has
 * run with a lent one, after bpi_end_run when called from inside it. Nobody but the ends that are left runs an orphaned
 * loop: they free themselves as if it were their own. */
void bpi_end_free(bpi_end *end);

/* ---- connection ---- */

typedef enum bpi_conn_state {
    BPI_CONN_CONNECTING,
    BPI_CONN_OPEN,
    BPI_CONN_FINISHING, /* sends what is queued; takes no more */
    BPI_CONN_LINGERING,
    BPI_CONN_CLOSING
} bpi_conn_state;

struct bp_conn {
    _Alignas(max_align_t) bpi_stage *stage; /* the loop's; first, for the inline paths. Whatever sessions hold lies
                                              right behind the connection */
    bpi_end *end;
    bp_conn *previous, *next; /* in the end's list */
    bp_conn *dirty_next;
    bpi_write *write;
    bpi_aside *aside; /* NULL until it is needed; then it stays */
    bp_reader reader;
    bp_writer writer;
    uint64_t bytes_in, bytes_out, reads, writes, kept_count;
    uint32_t since;        /* clock when what its state allows a time for began: connecting, the cut frame, finishing */
    uint32_t read_at;      /* clock when bytes came last */
    uint32_t turn_bytes;   /* read in `turn`, */
    uint16_t turn;         /* a turn of the loop, or one 65,536 turns from it: then it is read less in one turn */
    uint16_t peer_version; /* of the schema, where there is one alone; else they lie behind the sessions */
    uint16_t why;          /* bp_err, for on_close; of a broken connection: what sends are answered */
    bool is_plain : 1;  /* frames are the handlers': the peer has begun, and not said GOODBYE */
    bool is_over : 1;   /* the peer has said GOODBYE */
    bool has_hello : 1; /* the peer has said HELLO, and fits */
    bool has_left : 1;  /* what was queued is written, and a GOODBYE behind it */
    bool is_opened : 1; /* on_open was called, so on_close is due */
    bool is_dirty : 1;
    bool is_paused : 1;
    bool is_refused : 1; /* a send was refused; on_drain is due */
    bool is_broken : 1;  /* the peer takes no more; it may still have sent something */
    bool has_handle : 1; /* the uv handle is initialised */
    bool is_inside : 1;  /* a frame has begun and is not whole */
    bool has_ended : 1;  /* the peer sends no more */
    bool is_reading : 1;
    bool has_queued : 1; /* since the last tick, or still has: the memory of its queue may be needed again */
    bool has_moved : 1;  /* since the last tick bytes came or left: what traffic needs is kept */
    bool is_watched : 1; /* on_tick of its services is to be called */
    uint8_t state;
    uint8_t misfit;      /* bpi_hello_fault, and 16 times the index of the service that it is about */
    uint8_t turn_writes; /* stages that it wrote in this turn, before its end */
    union { /* the program's data is the handle's */
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } handle;
};

/* With malloc's header and rounding, and its part of libuv's table of descriptors: 512. */
enum { BPI_CONN_BYTES_MAX = 480 };
_Static_assert(sizeof(bp_conn) <= BPI_CONN_BYTES_MAX, "an idle connection costs too much");

struct bpi_aside {
    bpi_port *port; /* NULL: nobody keeps the connection */
    bpi_wait *wait;
    bp_conn_stats counts; /* what it counts besides its reader, its writer and itself */
};

/* A connection in CONNECTING without a handle; it is on its end's list. */
BP_NODISCARD bp_err bpi_conn_new(bpi_end *end, bp_conn **out);

/* Its aside, which is made if need be; NULL: no memory. */
bpi_aside *bpi_conn_aside(bp_conn *conn);

/* Where it counts what is rare. Without memory for that, its end does so as if the connection were gone: what all of
 * them count together stays right. */
bp_conn_stats *bpi_conn_counts(bp_conn *conn);

/* NULL: nobody keeps it; it waits for nothing. */
static inline bpi_port *bpi_conn_port(const bp_conn *conn) { return conn->aside == NULL ? NULL : conn->aside->port; }
static inline bpi_wait *bpi_conn_wait(const bp_conn *conn) { return conn->aside == NULL ? NULL : conn->aside->wait; }

/* The connection of a handle. */
static inline bp_conn *bpi_conn_of(void *handle) {
    return (bp_conn *)(void *)((uint8_t *)handle - offsetof(bp_conn, handle));
}

/* The transport has initialised the handle: it is counted, and closed with the connection. */
void bpi_conn_has_handle(bp_conn *conn);

/* The handle is connected: reads from now on and calls on_open. */
void bpi_conn_open(bp_conn *conn);

/* A closing connection's handle is closed, or never was: folds its counts, calls on_close, frees it. */
void bpi_conn_gone(bp_conn *conn);
void bpi_conn_on_handle_closed(uv_handle_t *handle);

/* Calls on_open: the connection is its program's from now on. */
void bpi_conn_tell_open(bp_conn *conn);

/* Whether it is connected and waits for the HELLO that it requires: nobody knows it yet. */
static inline bool bpi_conn_is_shaking_hands(const bp_conn *conn) {
    return conn->state == BPI_CONN_OPEN && !conn->is_opened;
}

/* Frames that the reader has gone past. */
static inline uint64_t bpi_conn_frames(const bp_conn *conn) {
    return conn->reader.frame_count + conn->reader.skipped_count;
}
void bpi_conn_stats_add(const bp_conn *conn, bp_conn_stats *sum);
void bpi_conn_stats_sum(bp_conn_stats *sum, const bp_conn_stats *more);

/* Nothing of what is queued will leave, and no write is under way: gives the buffers back. */
void bpi_conn_drop_queue(bp_conn *conn);

/* Reads, or does not, as its state says; closes it when that fails. */
void bpi_conn_update_reading(bp_conn *conn);

/* Hands on what is in the reader, first the frame once more where is_again, until it is used up, or has to wait for
 * memory, or the connection is no longer open. */
void bpi_conn_take_frames(bp_conn *conn, bp_frame *frame, bool is_again);

/* Reads, and hands on, what is in the socket, of which nothing is kept in a chunk; first the frame that was left there,
 * where is_again. */
void bpi_conn_read_peeked(bp_conn *conn, bool is_again);

/* The peer sends no more, says libuv's status. */
void bpi_conn_read_ended(bp_conn *conn, int status);

/* ---- ports (post.c); without one, these do nothing ---- */

/* Once per tick: gives the memory of posts back in which none was since the last one. Whether it is still to be. */
bool bpi_port_rest(bp_conn *conn);

/* The queue has room again. */
void bpi_port_drained(bp_conn *conn);

/* The connection takes no more: what was posted is delivered as far as the queue has room. */
void bpi_port_shut(bp_conn *conn);

/* The connection is gone: drops the frames that are left, and makes the calls. */
void bpi_port_gone(bp_conn *conn);

/* Frees the connection, now or with its last reference. */
void bpi_conn_free(bp_conn *conn);

/* ---- control frames ---- */

enum { BPI_CONTROL_MAX = 512 }; /* bytes of a control frame's value */

/* What can be wrong with what a peer says of itself. */
typedef enum bpi_hello_fault {
    BPI_HELLO_FITS,
    BPI_HELLO_MALFORMED,
    BPI_HELLO_MISSING,
    BPI_HELLO_LATE,
    BPI_HELLO_AFTER,    /* a frame behind GOODBYE */
    BPI_HELLO_STRANGER, /* no schema in common */
    BPI_HELLO_OLD,      /* from here on a schema's: its version is below min_compatible here; */
    BPI_HELLO_NEW,      /* the one here is below min_compatible there; */
    BPI_HELLO_LAYOUT    /* it is known here, and looks different */
} bpi_hello_fault;

/* Makes what connections of the end say. On error bpi_control_fini is due. */
BP_NODISCARD bp_err bpi_control_init(bpi_end *end);
void bpi_control_fini(bpi_end *end);

/* Says HELLO; GOODBYE behind what is queued; GOODBYE at once, where nothing is queued and the end is an orderly one. */
void bpi_control_open(bp_conn *conn);
void bpi_control_finish(bp_conn *conn);
void bpi_control_close(bp_conn *conn, bp_err why);

/* Looks at a frame that is of type 0, or not yet or no longer the handlers' (is_plain). Whether it is not for them:
 * *err then says how to go on. */
BP_NODISCARD bool bpi_control_takes(bp_conn *conn, const bp_frame *frame, bp_err *err);

/* What an end between two frames means: BP_ERR_END, or BP_ERR_LOST where a GOODBYE should have come before it. */
BP_NODISCARD bp_err bpi_control_ended(const bp_conn *conn);

/* Takes what the connection itself said out of its counts. */
void bpi_control_stats(const bp_conn *conn, bp_conn_stats *sum);

/* ---- transports ---- */

/* A bound and listening socket. */
typedef struct bpi_listener {
    const bpi_transport *transport;
    int fd; /* -1: none */
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    uint64_t device, inode; /* of the socket's file: removed only while it is still the same */
} bpi_listener;

typedef struct bpi_listen_options {
    uint32_t mode;  /* permission bits of a Unix socket */
    bool is_shared; /* others will share the address */
} bpi_listen_options;

/* A client's attempts to connect. */
typedef struct bpi_connector {
    bp_conn *conn;
    bpi_address address;
    uv_connect_t request;
    struct bpi_resolution *resolution; /* tcp: under way */
    struct addrinfo *results, *next; /* tcp: what is still to be tried */
    bpi_letter tried;                /* unix: tells of status, while is_tried */
    bpi_end *end;
    int status;
    bool is_tried;
} bpi_connector;

struct bpi_transport {
    const char *scheme; /* "tcp://" */

    /* The address after the scheme. */
    bp_err (*parse)(const char *text, bpi_address *out);

    /* Binds and listens; out->fd does not block. */
    bp_err (*listen)(const bpi_address *address, const bpi_listen_options *options, bpi_listener *out);

    /* One more that listens where `first` does, which is shared. */
    bp_err (*share)(const bpi_listener *first, bpi_listener *out);

    /* Where it listens, in words. */
    bp_err (*describe)(const bpi_listener *listener, char *out, size_t size);

    /* Takes over an accepted descriptor; on error it is still the caller's. */
    int (*adopt)(bp_conn *conn, int fd);

    /* Starts to connect; once it answers 0, one call of bpi_connector_done follows from the loop, or bpi_conn_gone when
     * the connection was closed first. Another status leaves nothing but perhaps a handle. */
    int (*connect)(bpi_connector *connector);
};

extern const bpi_transport bpi_tcp, bpi_unix;

/* The connection is closed while its address is looked up: nobody waits for the answer any more. */
void bpi_resolution_abandon(bp_conn *conn);

void bpi_listener_close(bpi_listener *listener);
void bpi_socket_enlarge(int fd);

/* The attempts are over: opens the connection, or closes it with what the status (of libuv) stands for. */
void bpi_connector_done(bpi_connector *connector, int status);

#endif
