#define _GNU_SOURCE
/* What other threads have a connection do. Whoever keeps a connection beyond its callbacks keeps its port: that stays
 * until the last reference, and knows whether the connection and its loop are still there.
 *
 * Posts lie in a ring, oldest first; the loop's thread alone takes them out, and hands the next one to the connection's
 * queue only while that has room. One letter, which the port contains, tells the loop of them. Whoever waits for room
 * in the ring is served in turn, by the loop's thread, which puts their frames into the ring itself.
 *
 *   count != 0  =>  a letter is under way, or is_blocked, or the loop's thread is delivering */
#include "transport/send_internal.h"

#include "base/os.h"

enum { RING_MIN = 16 };

/* A frame, or a call. */
typedef struct post {
    bp_buf *buf;
    bp_conn_call_fn *call;
    void *user;
} post;

/* A thread that waits for room for its frame. */
typedef struct waiter {
    struct waiter *next;
    bpi_event event;
    bp_buf *buf; /* NULL once it lies in the ring */
    bp_err err;
} waiter;

struct bpi_port {
    bpi_letter letter;    /* first: a letter of a port is a port */
    bp_conn *conn;        /* freed with the port */
    bpi_mailbox *mailbox; /* while is_open */
    bpi_end *end;         /* the loop's thread alone */
    uint32_t references;  /* atomic; one is the connection's until it is gone, one a letter's under way */
    uint64_t limit_bytes;
    bool is_blocked; /* the loop's thread alone: the connection's queue is full, and will tell when it is not */
    bpi_lock lock;   /* of what follows */
    bool is_open;    /* the connection takes posts */
    bool is_under_way;
    bool has_posted; /* since the last tick: the ring may be needed again */
    post *ring;      /* NULL until the first post */
    uint32_t ring_mask, head, count;
    uint64_t bytes; /* of the frames in the ring, headers included */
    waiter *waiting, **waiting_last;
};

/* ---- references ---- */

static void open_letter(bpi_letter *letter);

static bpi_port *make_port(bp_conn *conn) {
    bpi_port *port = bpi_os.alloc(sizeof *port);
    if (port == NULL) return NULL;
    bpi_lock_init(&port->lock);
    port->letter.open = open_letter;
    port->conn = conn;
    port->end = conn->end;
    port->mailbox = &conn->end->loop->mailbox;
    port->references = 1;
    port->limit_bytes = bpi_send_limit(conn);
    port->is_open = conn->state == BPI_CONN_OPEN;
    port->waiting_last = &port->waiting;
    return port;
}

static void retain(bpi_port *port) { (void)__atomic_fetch_add(&port->references, 1, __ATOMIC_RELAXED); }

static void free_conn(bp_conn *conn) {
    bpi_os.free(conn->aside);
    bpi_os.free(conn);
}

static void release(bpi_port *port) {
    if (__atomic_sub_fetch(&port->references, 1, __ATOMIC_ACQ_REL) != 0) return;
    bpi_lock_fini(&port->lock);
    bpi_os.free(port->ring);
    free_conn(port->conn);
    bpi_os.free(port);
}

bp_conn *bp_conn_retain(bp_conn *conn) {
    bpi_aside *aside = bpi_conn_aside(conn);
    if (aside == NULL) return NULL;
    if (aside->port == NULL) aside->port = make_port(conn);
    if (aside->port == NULL) return NULL;
    retain(aside->port);
    return conn;
}

void bp_conn_release_take(bp_conn **conn) {
    bp_conn *taken = *conn;
    *conn = NULL;
    if (taken != NULL) release(taken->aside->port);
}

/* ---- the ring, under the lock ---- */

static uint64_t size_of(const bp_buf *buf) { return buf == NULL ? 0 : BP_FRAME_HEADER_SIZE + bp_buf_length(buf); }

static bool grow(bpi_port *port) {
    const uint32_t slots = port->ring == NULL ? 0 : port->ring_mask + 1, more = slots == 0 ? RING_MIN : 2 * slots;
    post *ring = bpi_os.alloc_raw(more * sizeof *ring);
    if (ring == NULL) return false;
    for (uint32_t i = 0; i < port->count; i++) ring[i] = port->ring[(port->head + i) & port->ring_mask];
    bpi_os.free(port->ring);
    port->ring = ring;
    port->ring_mask = more - 1;
    port->head = 0;
    return true;
}

static bp_err push(bpi_port *port, post what) {
    if ((port->ring == NULL || port->count > port->ring_mask) && !grow(port)) return BP_ERR_NO_MEMORY;
    port->ring[(port->head + port->count++) & port->ring_mask] = what;
    port->bytes += size_of(what.buf);
    port->has_posted = true;
    if (!port->is_under_way) {
        port->is_under_way = true;
        retain(port);
        bpi_mailbox_put(port->mailbox, &port->letter);
    }
    return BP_OK;
}

static post pop(bpi_port *port) {
    const post first = port->ring[port->head++ & port->ring_mask];
    port->count--;
    port->bytes -= size_of(first.buf);
    return first;
}

/* As a connection's queue: a frame above the limit goes alone. */
static bool has_room(const bpi_port *port, const bp_buf *buf) {
    return port->bytes == 0 || port->bytes + size_of(buf) <= port->limit_bytes;
}

static void take_off(bpi_port *port, waiter *first, bp_err err) {
    port->waiting = first->next;
    if (port->waiting == NULL) port->waiting_last = &port->waiting;
    first->err = err;
    bpi_event_set(&first->event); /* it may be gone from here on */
}

static void serve_waiting(bpi_port *port) {
    while (port->waiting != NULL && has_room(port, port->waiting->buf)) {
        waiter *first = port->waiting;
        const bp_err err = push(port, (post){.buf = first->buf});
        if (err == BP_OK) first->buf = NULL;
        take_off(port, first, err);
    }
}

/* ---- posting, on any thread ---- */

/* Who waits goes first. */
static bp_err try_post(bpi_port *port, bp_buf **buf) {
    if (bp_buf_type(*buf) == 0) return BP_ERR_ARGUMENT;
    if (!port->is_open) return BP_ERR_CLOSED;
    if (port->waiting != NULL || !has_room(port, *buf)) return BP_ERR_QUEUE_FULL;
    const bp_err err = push(port, (post){.buf = *buf});
    if (err == BP_OK) *buf = NULL;
    return err;
}

bp_err bp_conn_post_take(bp_conn *conn, bp_buf **buf) {
    bpi_port *port = bpi_conn_port(conn);
    if (port == NULL) return BP_ERR_ARGUMENT;
    bpi_lock_enter(&port->lock);
    const bp_err err = try_post(port, buf);
    bpi_lock_leave(&port->lock);
    return err;
}

/* Too late: nobody serves this waiter any more. False: somebody just did. */
static bool give_up(bpi_port *port, waiter *self) {
    bool is_found = false;
    bpi_lock_enter(&port->lock);
    for (waiter **at = &port->waiting; *at != NULL && !is_found; at = &(*at)->next) {
        if (*at != self) continue;
        is_found = true;
        *at = self->next;
        if (self->next == NULL) port->waiting_last = at;
        break;
    }
    /* Those behind may have less to say than this one had. */
    if (is_found && port->is_open) serve_waiting(port);
    bpi_lock_leave(&port->lock);
    return is_found;
}

static bp_err wait_for_room(bpi_port *port, waiter *self, uint32_t timeout_ms) {
    if (!bpi_event_wait(&self->event, timeout_ms)) {
        if (give_up(port, self)) return BP_ERR_TIMEOUT;
        (void)bpi_event_wait(&self->event, UINT32_MAX); /* its server is not through with it */
    }
    return self->err;
}

bp_err bp_conn_post_wait_take(bp_conn *conn, bp_buf **buf, uint32_t timeout_ms) {
    bpi_port *port = bpi_conn_port(conn);
    waiter self = {.buf = *buf};
    if (port == NULL) return BP_ERR_ARGUMENT;
    if (!bp_thread_may_wait()) return BP_ERR_WOULD_BLOCK;
    bpi_event_init(&self.event);
    bpi_lock_enter(&port->lock);
    bp_err err = try_post(port, buf);
    if (err == BP_ERR_QUEUE_FULL) {
        *port->waiting_last = &self;
        port->waiting_last = &self.next;
    }
    bpi_lock_leave(&port->lock);
    if (err == BP_ERR_QUEUE_FULL) {
        err = wait_for_room(port, &self, timeout_ms);
        *buf = self.buf;
    }
    bpi_event_fini(&self.event);
    return err;
}

bp_err bp_conn_call(bp_conn *conn, bp_conn_call_fn *call, void *user) {
    bpi_port *port = bpi_conn_port(conn);
    if (port == NULL) return BP_ERR_ARGUMENT;
    bpi_lock_enter(&port->lock);
    const bp_err err = port->is_open ? push(port, (post){.call = call, .user = user}) : BP_ERR_CLOSED;
    bpi_lock_leave(&port->lock);
    return err;
}

/* ---- delivering, on the loop's thread ---- */

/* The oldest post, when the connection has room for it. */
static bool next_post(bpi_port *port, post *out) {
    bp_conn *conn = port->conn;
    bpi_lock_enter(&port->lock);
    bool is_due = port->count != 0;
    if (is_due) {
        const bp_buf *buf = port->ring[port->head & port->ring_mask].buf;
        port->is_blocked = buf != NULL && bpi_send_must_wait(conn, size_of(buf));
        is_due = !port->is_blocked;
    }
    if (is_due) *out = pop(port);
    if (is_due && port->is_open) serve_waiting(port);
    bpi_lock_leave(&port->lock);
    return is_due;
}

/* What a frame in the middle is refused for without a full queue ends the connection: those behind it must not take its
 * place. */
static void deliver(bp_conn *conn, post what) {
    if (what.call != NULL) {
        what.call(conn, what.user);
        return;
    }
    const bp_err err = bp_conn_send_take(conn, &what.buf);
    bp_buf_release(what.buf);
    if (err == BP_ERR_NO_MEMORY) bp_conn_close(conn, err);
}

/* As many as there were at the beginning: who posts without end does not keep the loop. What came meanwhile has a
 * letter of its own under way. */
static void deliver_all(bpi_port *port) {
    post what;
    bpi_lock_enter(&port->lock);
    uint32_t left = port->count;
    bpi_lock_leave(&port->lock);
    while (left-- != 0 && next_post(port, &what)) deliver(port->conn, what);
}

static void open_letter(bpi_letter *letter) {
    bpi_port *port = (bpi_port *)letter;
    bpi_lock_enter(&port->lock);
    port->is_under_way = false;
    const bool is_gone = port->mailbox == NULL;
    bpi_lock_leave(&port->lock);
    if (is_gone) {
        bpi_end *end = port->end;
        bpi_mailbox_unexpect(&end->loop->mailbox);
        bpi_end_handle_closed(end);
    } else if (port->conn->state == BPI_CONN_OPEN) {
        port->end->loop->event_count++;
        deliver_all(port);
        bpi_deadline_watch(port->end->loop); /* which gives the ring back */
    }
    release(port);
}

bool bpi_port_rest(bp_conn *conn) {
    bpi_port *port = bpi_conn_port(conn);
    post *unused = NULL;
    if (port == NULL) return false;
    bpi_lock_enter(&port->lock);
    if (port->count == 0 && !port->has_posted && !conn->has_moved) {
        unused = port->ring;
        port->ring = NULL;
    }
    port->has_posted = false;
    const bool has_ring = port->ring != NULL;
    bpi_lock_leave(&port->lock);
    bpi_os.free(unused);
    return has_ring;
}

void bpi_port_drained(bp_conn *conn) {
    bpi_port *port = bpi_conn_port(conn);
    if (port == NULL || !port->is_blocked) return;
    port->is_blocked = false;
    deliver_all(port);
}

void bpi_port_shut(bp_conn *conn) {
    bpi_port *port = bpi_conn_port(conn);
    if (port == NULL) return;
    bpi_lock_enter(&port->lock);
    port->is_open = false;
    while (port->waiting != NULL) take_off(port, port->waiting, BP_ERR_CLOSED);
    bpi_lock_leave(&port->lock);
    deliver_all(port);
}

/* Nothing waits for room any more: frames find the connection closed and are dropped, and calls are made. */
void bpi_port_gone(bp_conn *conn) {
    bpi_port *port = bpi_conn_port(conn);
    if (port == NULL) return;
    bpi_port_shut(conn);
    bpi_lock_enter(&port->lock);
    port->mailbox = NULL;
    const bool is_expected = port->is_under_way;
    bpi_lock_leave(&port->lock);
    if (!is_expected) return;
    port->end->handle_count++;
    bpi_mailbox_expect(&port->end->loop->mailbox);
}

void bpi_conn_free(bp_conn *conn) {
    bpi_port *port = bpi_conn_port(conn);
    if (port == NULL)
        free_conn(conn);
    else
        release(port);
}
