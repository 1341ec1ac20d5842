/* transfer/store.h: calls of a store, from a loop and back to it.
 *
 *     idle --begin--> under way --answer, any thread--> answered --the letter is opened--> idle, on_answer
 *
 * Invariants
 *   is_under_way  <=>  between bpi_call_begin and on_answer;  then of is a reference, and a letter is expected
 *   the store has the call from begin to its answer, and nobody else writes to it then */
#ifndef BUFPOOL_TRANSFER_STORE_H
#define BUFPOOL_TRANSFER_STORE_H

#include "bufpool/transfer.h"
#include "transport/transport_internal.h"

typedef struct bpi_call bpi_call;

/* The loop's thread, never inside bpi_call_begin: the call is answered, and free for the next. */
typedef void bpi_call_fn(bpi_call *call, bp_err err);

/* A call with its way back. Lies with whoever waits for the answer, and stays until on_answer. */
struct bpi_call {
    bpi_letter letter;     /* first: a letter of a call is a call */
    bp_store_call store;   /* what the store sees */
    bp_store_fn *function; /* which of the table */
    bp_store *of;          /* a reference, while it is under way */
    bpi_mailbox *mailbox;
    bpi_call_fn *on_answer;
    void *owner;
    bp_err err;
    bool is_under_way;
    uint32_t told_count;   /* list: how many the store told of */
    bp_err (*tell)(bpi_call *call, const bp_object_info *object); /* list: what bp_store_tell does, on its thread */
    /* For the library's own stores, so that a call of theirs allocates nothing: the job of a libuv thread. */
    uv_work_t work;
    bp_store *worker; /* whose job it is: that of a store that another one hands its calls on to */
    bp_err (*job)(bp_store *store, bp_store_call *call);
    bpi_call *line_next; /* in a line: the call behind it */
};

/* Has the store's function begin; call->store is filled in. on_answer is called once. Where the store does not do
 * checksums itself, write's are compared before, and read's made behind it, here. */
void bpi_call_begin(bpi_call *call, bp_store *store, bp_store_fn *function, bpi_loop *loop);

/* For the library's own stores, inside their functions: the job runs on a thread of libuv, and what it returns is the
 * answer. */
void bpi_call_work(bp_store *store, bp_store_call *call, bp_err (*job)(bp_store *store, bp_store_call *call));

/* A line of calls of one object, which would only wait for each other: one thread does them in order, others are free
 * for whoever else there is, and each call is answered as soon as it is done. The calls are of one loop.
 *
 *   a call is in the line  =>  is_running;   last != NULL  =>  is_running */
typedef struct bpi_line {
    uv_work_t work;
    uv_loop_t *loop;
    bool is_running; /* the loop's thread alone: libuv has work */
    bpi_call *last;  /* the loop's thread alone: begins when libuv has not */
    bpi_lock lock;   /* of what follows */
    bpi_call *first, **end;
} bpi_line;

void bpi_line_init(bpi_line *line);
void bpi_line_fini(bpi_line *line);

/* As bpi_call_work, behind what is in the line. */
void bpi_line_work(bpi_line *line, bp_store *store, bp_store_call *call,
                   bp_err (*job)(bp_store *store, bp_store_call *call));

/* As bpi_call_work, once nobody touches the line any more: the job may free it. Nothing is begun in the line then. */
void bpi_line_end(bpi_line *line, bp_store *store, bp_store_call *call,
                  bp_err (*job)(bp_store *store, bp_store_call *call));

#endif
