#define _GNU_SOURCE
/* The memory of a part: a reservation, and the letter that tells its loop how that ended. */
#include "transfer/part.h"

/* Any thread: the rest is the loop's. */
static void on_memory(bp_reservation *wish) {
    bpi_part *part = wish->user;
    bpi_mailbox_put(part->mailbox, &part->letter);
}

/* The reservation is over: the buffer is there or none is. */
static bp_err settle(bpi_part *part, bp_err err) {
    part->state = err == BP_OK ? BPI_PART_READY : BPI_PART_IDLE;
    part->buf = err == BP_OK ? part->wish.buf : NULL;
    return err == BP_ERR_ARGUMENT ? BP_ERR_LIMIT : err;
}

/* Once it waits, the wish is the pool's, and may be over on another thread already. */
static bp_err reserve(bpi_part *part, uint64_t size) {
    part->wish = (bp_reservation){.size = size,
                                  .owner = part->owner,
                                  .can_block = part->can_block,
                                  .on_done = on_memory,
                                  .user = part};
    const bp_err err = bp_pool_reserve(part->pool, &part->wish);
    if (err != BP_PENDING) return settle(part, err);
    part->state = BPI_PART_RESERVING;
    bpi_mailbox_expect(part->mailbox);
    return BP_PENDING;
}

/* The class that the reservation waited for may be gone (BP_ERR_ARGUMENT): then it is made anew, and may wait again. */
static bp_err take_up(bpi_part *part) {
    const bp_err err = part->wish.err;
    return err == BP_ERR_ARGUMENT ? reserve(part, part->wish.size) : settle(part, err);
}

static bp_err discard(bpi_part *part) {
    (void)settle(part, part->wish.err);
    bp_buf_release(bpi_part_take(part));
    return BP_ERR_CANCELLED;
}

/* Whoever is told may free the part, and its loop with it: nothing is touched behind that. */
static void open_letter(bpi_letter *letter) {
    bpi_part *part = (bpi_part *)letter;
    bpi_mailbox_unexpect(part->mailbox);
    const bp_err err = part->state == BPI_PART_DROPPED ? discard(part) : take_up(part);
    if (err != BP_PENDING) part->on_ready(part, err);
}

void bpi_part_init(bpi_part *part, void *owner, bpi_part_fn *on_ready) {
    *part = (bpi_part){.letter = {.open = open_letter}, .on_ready = on_ready, .owner = owner, .is_pooled = true};
}

bp_err bpi_part_prepare(bpi_part *part, bp_pool *pool, bpi_mailbox *mailbox, uint64_t size) {
    part->pool = pool;
    part->mailbox = mailbox;
    if (part->is_pooled) return reserve(part, size);
    part->state = BPI_PART_READY;
    return BP_OK;
}

bp_buf *bpi_part_take(bpi_part *part) {
    bp_buf *buf = part->buf;
    part->buf = NULL;
    part->state = BPI_PART_IDLE;
    return buf;
}

bool bpi_part_drop(bpi_part *part) {
    switch ((bpi_part_state)part->state) {
    case BPI_PART_IDLE: return true;
    case BPI_PART_DROPPED: return false;
    case BPI_PART_READY: bp_buf_release(bpi_part_take(part)); return true;
    case BPI_PART_RESERVING: break;
    }
    const bool is_untold = bp_pool_cancel(part->pool, &part->wish);
    part->state = is_untold ? BPI_PART_IDLE : BPI_PART_DROPPED;
    if (is_untold) bpi_mailbox_unexpect(part->mailbox);
    return is_untold;
}
