/* transfer/part.h: the memory of a part, and the one place that asks for any.
 *
 *     IDLE --prepare--> RESERVING --grant--> READY --take--> IDLE      (the bytes moved, or nobody wants them)
 *       \-------------------- granted at once -------^
 *     RESERVING --drop--> DROPPED --the letter comes--> IDLE           (the grant was on its way already)
 *
 * A transfer has parts_in_flight of them, made with it: part n uses number n % parts_in_flight, so nothing is allocated
 * or searched for while parts move. The pool's callback comes on any thread and does nothing but put a letter.
 *
 * Invariants
 *   buf != NULL  <=>  READY and is_pooled
 *   RESERVING or DROPPED  <=>  a letter is expected by the mailbox, so its loop runs until it is opened
 *   a part that is not IDLE keeps its owner, and its owner the pool and the mailbox
 *
 * Of the struct, the owner reads everything, and writes number, length and crc; before prepare is_pooled and can_block.
 * All of it is the loop's thread's. */
#ifndef BUFPOOL_TRANSFER_PART_H
#define BUFPOOL_TRANSFER_PART_H

#include "bufpool/transfer.h"
#include "transport/transport_internal.h"

typedef enum bpi_part_state { BPI_PART_IDLE, BPI_PART_RESERVING, BPI_PART_READY, BPI_PART_DROPPED } bpi_part_state;

typedef struct bpi_part bpi_part;

/* The loop's thread, never inside a call of this header, once for every prepare that waited and was not dropped in
 * time: the part is READY (BP_OK), or IDLE again: with an error of its reservation (BP_ERR_CLOSED, BP_ERR_NO_MEMORY,
 * BP_ERR_LIMIT: the pool never gives that much any more), or BP_ERR_CANCELLED when it was dropped. Nothing touches the
 * part behind it: it may prepare, take or drop this part and others, and free it. */
typedef void bpi_part_fn(bpi_part *part, bp_err err);

struct bpi_part {
    bpi_letter letter;   /* first: a letter of a part is a part */
    bp_reservation wish; /* user is the part */
    bpi_mailbox *mailbox;
    bp_pool *pool;
    bp_buf *buf;
    bpi_part_fn *on_ready;
    void *owner;     /* for whom; the pool is told, too */
    uint64_t number; /* the owner's */
    uint32_t length; /* the owner's */
    uint32_t crc;    /* the owner's */
    uint8_t state;
    bool is_pooled;  /* needs a buffer from the pool; else it is READY without one */
    bool can_block;
};

/* Once: who it is for, and where it is told. It is_pooled, and not can_block, until the owner says otherwise. The part
 * stays where it is from now on. */
void bpi_part_init(bpi_part *part, void *owner, bpi_part_fn *on_ready);

/* Asks for size bytes for an IDLE part, as is_pooled and can_block say. BP_OK: it is READY; on_ready is not called.
 * BP_PENDING: on_ready will be. Else the part is IDLE, and nothing is held: BP_ERR_LIMIT: the pool never gives that
 * much, or is one that cannot wait; BP_ERR_NO_MEMORY; BP_ERR_CLOSED. The capacity is size, the contents undefined. */
BP_NODISCARD bp_err bpi_part_prepare(bpi_part *part, bp_pool *pool, bpi_mailbox *mailbox, uint64_t size);

/* The READY part's buffer is the caller's (NULL where it is not pooled); the part is IDLE. */
bp_buf *bpi_part_take(bpi_part *part);

/* Nobody wants its memory any more. True: the part is IDLE; false: on_ready will say so. In any state. */
bool bpi_part_drop(bpi_part *part);

#endif
