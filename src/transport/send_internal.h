/* transport/send_internal.h: what sending is made of: send.c, the queue and its limits; write.c, what leaves when;
 * stage.c, the stage. Glossary and invariants are in transport_internal.h. */
#ifndef BUFPOOL_TRANSPORT_SEND_INTERNAL_H
#define BUFPOOL_TRANSPORT_SEND_INTERNAL_H

#include "transport/transport_internal.h"

/* A write under way, lent to a blocked connection. */
struct bpi_write {
    uv_write_t request;
    uint64_t bytes;
    size_t left;    /* bytes that had not left when the timer looked last */
    uint32_t since; /* clock of the progress before */
    uint32_t staged_bytes; /* of them, at the beginning: copied before; the others are the queue's, where they lie */
    uint32_t staged_count; /* frames that end in them */
    bp_buf *rest;          /* where they are; NULL: in stage, or stuck */
    uint8_t stage[BPI_BLOCKED_STAGE];
};

/* Queues a frame behind what was sent before, whatever the limits. BP_ERR_NO_MEMORY. */
BP_NODISCARD bp_err bpi_send_queue_take(bp_conn *conn, bp_buf **buf);

/* Whether it is open and works: BP_ERR_CLOSED, or why it is broken. */
BP_NODISCARD bp_err bpi_send_state(const bp_conn *conn);

/* Whether frames may be sent now: BP_ERR_CLOSED; why the connection is broken; BP_ERR_ARGUMENT: a frame is begun. */
BP_NODISCARD bp_err bpi_send_check(const bp_conn *conn);
uint64_t bpi_send_room(const bp_conn *conn);                /* bytes up to its limit, and the end's */
bool bpi_send_has_room(const bp_conn *conn, uint64_t size); /* for a frame of size bytes, header included */

/* Whoever found no room is told by on_drain, and before that at the end of a turn if nothing is in its way any more. */
void bpi_send_await_room(bp_conn *conn);

/* A frame finds no room: BP_ERR_QUEUE_FULL, or BP_OK where frames are dropped instead. */
BP_NODISCARD bp_err bpi_send_refuse(bp_conn *conn);
void bpi_send_tell_drained(bp_conn *conn);   /* on_drain, if it is due */
bool bpi_send_is_empty(const bp_conn *conn); /* everything has left */

/* count bytes of the end's connections are queued besides, and not any more. */
void bpi_end_queued(bpi_end *end, uint64_t count);
void bpi_end_unqueued(bpi_end *end, uint64_t count);

/* At the beginning of a turn: does what other loops have said of room. */
void bpi_send_turn(bpi_loop *loop);

/* What a handler has sent on its connection, so that it can be taken back: nothing of it leaves before it returns. */
typedef struct bpi_send_mark {
    uint32_t staged_bytes, staged_count;
    uint64_t frame_count;
} bpi_send_mark;
static inline bpi_send_mark bpi_send_mark_of(const bp_conn *conn) {
    const bpi_stage *stage = &conn->end->loop->stage;
    const bool is_holder = stage->holder == conn;
    return (bpi_send_mark){.staged_bytes = is_holder ? stage->length : 0,
                           .staged_count = is_holder ? stage->count : 0,
                           .frame_count = conn->writer.frame_count};
}
void bpi_send_rollback(bp_conn *conn, const bpi_send_mark *mark);

/* Between two frames that are handed on: writes what was sent, if it is enough for a write. */
void bpi_send_between(bp_conn *conn);

/* A connection's part of the end of a turn: writes, on_drain, and what bp_conn_finish left to do. */
void bpi_conn_flush(bp_conn *conn);

/* Up to `most` writes of what is staged and queued. What the socket does not take waits for room there. */
void bpi_write_out(bp_conn *conn, int most);

/* The BP_FRAME_WRITE_MAX bytes of its stage, which a loop that never writes does not need, and with them the memory of
 * a first blocked write; NULL: no memory. */
uint8_t *bpi_stage_data(bpi_loop *loop);

/* Where the connection may put a frame of size bytes, header included, behind what it sent before; the stage may have
 * to be written out for it, which may fail. NULL: it goes to the queue. The limits were asked before. */
uint8_t *bpi_stage_room(bp_conn *conn, uint64_t size);
void bpi_stage_open(bpi_stage *stage);                                 /* sets its limit as it may be */
void bpi_stage_cut(bpi_stage *stage, uint32_t length, uint32_t count); /* keeps the first length bytes */
void bpi_stage_fill(bp_conn *conn);                                    /* moves small frames there, from the queue */
void bpi_stage_give_back(bpi_stage *stage);                            /* it is nobody's */
void bpi_stage_reclaim(bpi_loop *loop);                                /* has it written out and given back */
void bpi_stage_drop(bp_conn *conn);                                    /* the connection writes no more */
uint32_t bpi_stage_ended(const bpi_stage *stage, uint32_t bytes);      /* frames that end in its first bytes */

/* The frame that is begun, if any, is not sent. */
void bpi_begun_drop(bpi_loop *loop);

/* Bytes that the queue takes. */
uint64_t bpi_send_limit(const bp_conn *conn);

/* Whether what comes from elsewhere must wait for room in the queue: bpi_port_drained tells of it then. */
bool bpi_send_must_wait(bp_conn *conn, uint64_t size);

#endif
