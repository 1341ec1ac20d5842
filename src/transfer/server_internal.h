/* transfer/server_internal.h: the cast of the server's side.
 *
 * Glossary
 *   session   what a connection has for its transfers; made with the first of them
 *   serving   a put, get or list on the server's side
 *   slot      of a serving: one part that is written, or read, or told of
 *   calls     of the store, under way; wishes: reservations under way. Their letters will come
 *   last word what is said when everything else is over: Failed, Committed, ListEnd, ...
 *
 *     OPENING --the store answers--> MOVING --PutCommit--> COMMITTING --the store answers--> ENDING --> freed
 *        \---------------- an error, End, the connection is gone, all is said -----------------^
 *
 * ENDING waits until no call or wish is under way, then gives the object back, then says the last word, then is freed;
 * so whoever hears it may open the same object again.
 *
 * Invariants
 *   a slot is free, or busy: in a call or wish, or ready
 *   ready:  what came is written, and PartDone to be said; or what was wanted is read, and to be sent
 *   slot.buf != NULL  =>  the slot is busy;   a call of it is under way  =>  slot.buf != NULL
 *   live_count + ending_count == servings;   live_count <= transfer_limit, but for one that is being refused
 *   session.is_gone  =>  every serving is ENDING, and nothing is said
 *   the session is freed when it is gone and has no serving;  until then it keeps its end and its server */
#ifndef BUFPOOL_TRANSFER_SERVER_INTERNAL_H
#define BUFPOOL_TRANSFER_SERVER_INTERNAL_H

#include "transfer/link.h"
#include "transfer/part.h"
#include "transfer/plan.h"
#include "transfer/store.h"

enum {
    BPI_SERVING_LIMIT = 1024,  /* servings of a connection, where the configuration says nothing */
    BPI_SERVING_IDLE_MS = 60000,
    BPI_ENDING_MAX = 2048,      /* those that are ending besides: refused ones, too, until they were told */
    BPI_LIST_BYTES = 16384,     /* what is told of at once: */
    BPI_LIST_RECORD = 18,       /* bytes of an object, besides its name: u64 size, u64 version, u16 bytes of the name */
    BPI_LIST_COUNT = BPI_LIST_BYTES / (BPI_LIST_RECORD + BP_OBJECT_NAME_MAX)
};

typedef struct bpi_session bpi_session;
typedef struct bpi_serving bpi_serving;
typedef struct bpi_serving_kind bpi_serving_kind;

typedef enum bpi_serving_state {
    BPI_SERVING_OPENING,
    BPI_SERVING_MOVING,
    BPI_SERVING_COMMITTING,
    BPI_SERVING_ENDING
} bpi_serving_state;

typedef enum bpi_last_word { BPI_LAST_NONE, BPI_LAST_FAILED, BPI_LAST_DONE } bpi_last_word;

typedef struct bpi_serving_slot {
    bpi_part part; /* gets and lists; a put's parts come in buffers of the reader's */
    bpi_call call;
    bpi_serving *serving;
    bp_buf *buf;
    uint32_t size; /* bytes that were reserved for it */
} bpi_serving_slot;

struct bpi_serving {
    bpi_strand strand; /* first: a strand of a serving is a serving */
    bpi_session *session;
    const bpi_serving_kind *kind;
    bpi_serving *next, **at; /* of the session's */
    bpi_call call;           /* of the whole object: one at a time */
    uint32_t calls, wishes;
    uint32_t idle_ms;        /* since the last tick at which something had come, left, or been answered: has_moved */
    uint8_t state, last_word;
    bool has_moved;
    bool is_opened;    /* the store has an object open for it */
    bool is_answer_due; /* PutOpened or GetOpened is to be said */
    bool is_sealed;    /* a commit or an abort was begun: only close may follow */
    bool is_discarded; /* what was put is to be thrown away */
    bp_err err;        /* of FAILED: */
    uint64_t err_part;
    void *object;      /* the store's */
    uint64_t version;
    const char *name, *after; /* behind the slots */
    bpi_plan plan;     /* of the object; of a get: of its range */
    union {
        struct {
            bp_token token;
            uint64_t first, have; /* that the store had */
            uint64_t reach;       /* bytes from the object's beginning to the end of the last one that came */
            bool is_committed;    /* by an earlier life */
        } put;
        struct {
            uint64_t offset, length; /* that were asked for */
            uint64_t size;           /* of the object */
            uint32_t crc;            /* of the object, where has_crc */
            bool has_crc;
        } get;
        struct {
            uint32_t used, said; /* bytes of the buffer in slot 0: records; those that were told */
            bool has_more;
        } list;
    } of;
    uint32_t slot_count;
    uint64_t busy, ready; /* bit n is slot n */
    bpi_serving_slot slots[];
};

/* What puts, gets and lists do differently. */
struct bpi_serving_kind {
    bp_transfer_kind kind;
    bp_err (*say_opened)(bpi_serving *serving); /* where is_answer_due; NULL: it never is */
    bp_err (*say_next)(bpi_serving *serving);   /* of what is ready; as bpi_strand_fn */
    bp_err (*say_done)(bpi_serving *serving);
    void (*on_memory)(bpi_serving_slot *slot); /* NULL: puts have their parts' from the reader */
};
extern const bpi_serving_kind bpi_serving_put, bpi_serving_get, bpi_serving_list;

struct bpi_session {
    bpi_link link;
    bp_transfer_server *server; /* a reference */
    bpi_serving *servings;
    uint32_t live_count, ending_count;
    bool is_gone;
};

struct bp_transfer_server {
    bp_transfer_server_config config; /* defaults filled in */
    bpi_narrow_schema schema;
    uint32_t references;     /* atomic: the caller's, one of each open connection and of each session */
    bp_transfer_stats stats; /* atomic */
};

static inline void bpi_count(uint64_t *count, uint64_t more) {
    (void)__atomic_fetch_add(count, more, __ATOMIC_RELAXED);
}

/* ---- server.c ---- */

void bpi_transfer_server_unref(bp_transfer_server *server);

/* A serving of it is gone. Frees the session if that was the last and the connection is gone; then its end may be, too. */
void bpi_session_rest(bpi_session *session);

/* ---- serving.c ---- */

/* What a peer asks for. */
typedef struct bpi_asked {
    const bpi_serving_kind *kind;
    uint32_t number, slot_count;
    uint32_t part_size; /* 0: it has no parts */
    bp_text name, after;
} bpi_asked;

/* Begins to serve. *out is NULL, and there is nothing to do, where it was refused, or is no new transfer.
 * BP_ERR_NO_MEMORY, BP_ERR_BUSY: the connection is to be closed. */
BP_NODISCARD bp_err bpi_serving_new(bpi_session *session, const bpi_asked *asked, bpi_serving **out);

/* It is over: part may be BP_PART_NONE. Nothing happens where it was before. The serving may be gone afterwards. */
void bpi_serving_fail(bpi_serving *serving, bp_err err, uint64_t part);
void bpi_serving_end(bpi_serving *serving, bpi_last_word last_word);

/* Goes on with ending: something that was under way is not any more. The serving may be gone afterwards. */
void bpi_serving_go_on(bpi_serving *serving);

/* Has the store's function begin with serving->call, whose members for it are filled in. */
void bpi_serving_call(bpi_serving *serving, bp_store_fn *function, bpi_call_fn *on_answer);

/* The store has answered what opens an object. True: the serving goes on; else it is ending, and may be gone. */
BP_NODISCARD bool bpi_serving_answered(bpi_serving *serving, bp_err err);

/* A free slot, which is busy now; NULL: there is none. It is free again. */
bpi_serving_slot *bpi_serving_slot_take(bpi_serving *serving);
void bpi_serving_slot_free(bpi_serving_slot *slot);

/* What is ready of it is to be said. */
void bpi_serving_slot_set_ready(bpi_serving_slot *slot);

/* Its call begins; and has been answered: false where the serving is ending, and the slot is free. */
void bpi_serving_slot_call(bpi_serving_slot *slot, bp_store_fn *function, bpi_call_fn *on_answer);
BP_NODISCARD bool bpi_serving_slot_answered(bpi_serving_slot *slot, bp_err err, uint64_t part);

/* Reserves a buffer of size bytes; the kind's on_memory is called once it is in slot->buf: here, or later. */
void bpi_serving_slot_reserve(bpi_serving_slot *slot, uint32_t size);

static inline const bp_store_table *bpi_store_of(const bpi_serving *serving) {
    return serving->session->server->config.store->table;
}

/* ---- what a peer says (server_put.c, server_get.c, server_list.c) ---- */

BP_NODISCARD bp_err bpi_serve_put_open(bpi_session *session, const bpi_transfer_put_open_view *view);
BP_NODISCARD bp_err bpi_serve_part(bpi_serving *put, const bpi_transfer_part_view *view);
void bpi_serve_put_commit(bpi_serving *put, const bpi_transfer_put_commit_view *view);
BP_NODISCARD bp_err bpi_serve_get_open(bpi_session *session, const bpi_transfer_get_open_view *view);
void bpi_serve_part_want(bpi_serving *get, uint64_t part);
BP_NODISCARD bp_err bpi_serve_list(bpi_session *session, const bpi_transfer_list_view *view);

#endif
