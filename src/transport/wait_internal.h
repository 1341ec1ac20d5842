/* transport/wait_internal.h: what waiting for memory is made of: wait.c, connections that wait; needs.c, what handlers
 * ask for. Glossary and invariants are in transport_internal.h. */
#ifndef BUFPOOL_TRANSPORT_WAIT_INTERNAL_H
#define BUFPOOL_TRANSPORT_WAIT_INTERNAL_H

#include "transport/transport_internal.h"

/* What a connection waits for. */
typedef enum bpi_wait_for {
    BPI_FOR_MEMORY, /* its reservation */
    BPI_FOR_BUDGET, /* over */
    BPI_FOR_LETTER  /* nothing any more; but its reservation is told already, and the letter still to come */
} bpi_wait_for;

/* Lent to a connection while it waits. */
struct bpi_wait {
    bpi_letter letter;   /* first: a letter of a wait is a wait */
    bp_reservation wish; /* user is the wait */
    bp_conn *conn;
    bpi_wait *next, *previous; /* of those that are over */
    uint8_t *chunk;            /* that it keeps, with what it has not taken yet; NULL: none */
    uint32_t charged;          /* bytes of the budget, asked for or admitted */
    bp_frame frame;            /* of which the handler is to run again, where is_again */
    bpi_wait_for what;
    bool is_again;
    bool is_unread;        /* that frame is in the socket */
    bool is_admitted;      /* the budget is charged for it, and the letter under way; under the share's lock */
    bool is_shared;        /* the reservation is for several buffers */
    bool is_handle_closed; /* the connection is gone once the letter is there */
};

static inline bool bpi_conn_is_waiting(const bp_conn *conn) {
    const bpi_wait *wait = bpi_conn_wait(conn);
    return wait != NULL && wait->what != BPI_FOR_LETTER;
}

/* The chunk to read into; NULL: one is kept, and what comes is to be peeked at in the other one; or there was no memory
 * for them (landing.memory tells). */
uint8_t *bpi_landing_chunk(bpi_loop *loop);

/* The reader has no buffer for a cut frame, or the handler for what it needs. BP_OK: it has now; BP_PENDING: the
 * connection waits, and goes on by itself; else it has to be closed. What is in the chunk stays. */
BP_NODISCARD bp_err bpi_wait_for_cut(bp_conn *conn);
BP_NODISCARD bp_err bpi_wait_for_needs(bp_conn *conn, const bp_frame *frame);

/* The connection hands on nothing any more: what it waited for goes back, and what it has not taken is dropped. A
 * letter may still be under way, for which a closed connection waits. */
void bpi_wait_end(bp_conn *conn);

/* The closed connection's handle is closed. True: a letter is under way, and the connection is gone once it is here. */
bool bpi_wait_outlasts_handle(bp_conn *conn);

/* Once per turn: lets go on who can. */
void bpi_wait_turn(bpi_loop *loop);

/* Closes a connection that does not read and whose peer is gone. */
void bpi_wait_check_peer(bp_conn *conn);

void bpi_wait_append(bpi_wait_list *list, bpi_wait *wait);
void bpi_wait_unlink(bpi_wait_list *list, bpi_wait *wait);

/* ---- the share (share.c); any thread ---- */

void bpi_share_init(bpi_share *share);
void bpi_share_fini(bpi_share *share);
void bpi_share_set_limit(bpi_share *share, uint64_t partial_limit);

/* The end may be woken from now on, and no longer. */
void bpi_share_join(bpi_end *end);
void bpi_share_quit(bpi_end *end);

/* Charges what the wait asks for. False: it is over now, and is told by its letter. */
BP_NODISCARD bool bpi_share_charge(bpi_share *share, bpi_wait *wait);
void bpi_share_uncharge(bpi_share *share, uint64_t bytes);

/* Is over no longer. False: it was admitted before, and the letter is under way. */
BP_NODISCARD bool bpi_share_leave(bpi_share *share, bpi_wait *wait);

/* Charges the budget for those who are over and fit, in turn, and tells them. Whoever has given some of it back calls
 * this before its loop sleeps. */
void bpi_share_admit(bpi_share *share);
bool bpi_share_is_over(const bpi_share *share);

/* Half of inflight_bytes is free: the ends that are full are told. */
void bpi_share_tell_room(bpi_share *share);

/* ---- what handlers need (needs.c) ---- */

/* A handler begins, or is to run again with what was reserved for it. */
static inline void bpi_needs_begin(bpi_needs *needs) {
    needs->count = 0;
    needs->is_refused = false;
}

/* Bytes to be reserved for all of them; 0: nothing was refused, or there were too many. */
uint64_t bpi_needs_size(const bpi_needs *needs);
void bpi_needs_give(bpi_needs *needs, bp_buf *granted, bool is_shared); /* for several, in parts */
void bpi_needs_end(bpi_needs *needs); /* what was granted and is left goes back */

#endif
