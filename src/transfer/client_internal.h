/* transfer/client_internal.h: the cast of the client's side.
 *
 * Glossary
 *   asleep     without a connection, and with nothing under way: then the loop may be gone, and nobody may ask for it
 *   under way  a letter will come: of a reservation, of a store's answer, or of the client itself. Each keeps the loop,
 *              and the memory that it lies in
 *   job        what the files here call a transfer where its name would be a message's
 *   lane       what a part has while it is in work: a buffer, or a wish for one, and a call of a store. A transfer has
 *              as many as it may have parts in flight; part n uses lane n % lane_count
 *   work       what a transfer can do now, all of it: transfers that something happened to are worked on before
 *              control goes back to the loop
 *   strand     what the link knows of a transfer: one that is due is asked for its next message when there is room
 *   file       a local file, as an object of a store of its directory: a put's source, a get's sink
 *   there      what the server has of a put
 *   lent       a get's buffer that the reader reads a frame into
 *
 * A transfer's life:
 *   WAITING -> FILE, OPENING -> MOVING -> COMMITTING -> ENDING -> on_done, freed
 *      ^-- LEAVING <-- any, when the connection is lost, or the server busy
 * A put opens its file first, a get asks the server first. Nothing of a waiting transfer is under way, and its file is
 * closed, so that it may be freed while asleep. A transfer in ENDING has its outcome; it is freed once nothing of it is
 * under way, by work and nowhere else: callbacks may do what they like.
 *
 * Invariants
 *   depth != 0  <=>  inside a callback of the loop; work is done before it is 0 again
 *   client.under_way != 0  =>  the end counts one handle more, so it and its loop stay;  asleep  =>  end == NULL
 *   lane.state RESERVING  <=>  its part is;  READING, STORING  =>  its call is under way
 *   lane.buf != NULL  <=>  state is FILLING, READING, FILLED, GRANTED, ASKED, HELD or STORING, or SENT and the bytes
 *                          were written by the user
 *   a lane that is not IDLE  <=>  its part is under way in the plan, or held
 *   lendable  <=>  GRANTED or ASKED
 *   strand.number != 0  <=>  the server knows the transfer, or will: it was asked, on this connection
 *   crc is of the parts below summed, and summed == plan.first between two callbacks */
#ifndef BUFPOOL_TRANSFER_CLIENT_INTERNAL_H
#define BUFPOOL_TRANSFER_CLIENT_INTERNAL_H

#include "transfer/generated/bpi_transfer.h"
#include "transfer/link.h"
#include "transfer/part.h"
#include "transfer/plan.h"
#include "transfer/store.h"

#include <string.h>

typedef enum bpi_lane_state {
    BPI_LANE_IDLE,
    BPI_LANE_RESERVING,
    BPI_LANE_FILLING, /* put: the user writes it */
    BPI_LANE_PASSING, /* put: the user writes it, and the server has it: it is only summed */
    BPI_LANE_READING, /* put: from its file */
    BPI_LANE_FILLED,  /* put: to be sent */
    BPI_LANE_SENT,    /* put: not answered */
    BPI_LANE_GRANTED, /* get: to be asked for */
    BPI_LANE_ASKED,   /* get: the server may send it */
    BPI_LANE_HELD,    /* get: it is here, and those before it are not */
    BPI_LANE_STORING, /* get: to its file */
    BPI_LANE_LEAVING  /* nobody wants it any more; a letter is under way */
} bpi_lane_state;

typedef enum bpi_phase {
    BPI_PHASE_WAITING,
    BPI_PHASE_FILE,    /* its file is being opened */
    BPI_PHASE_OPENING, /* the server was asked */
    BPI_PHASE_MOVING,
    BPI_PHASE_COMMITTING,
    BPI_PHASE_LEAVING,
    BPI_PHASE_ENDING
} bpi_phase;

typedef struct bpi_lane {
    bpi_part part; /* its number, length and crc are those of the part in work, crc until it is summed */
    bpi_call call;
    bp_transfer *transfer;
    bp_buf *buf;
    uint8_t *data;                         /* in buf: where the part's bytes are */
    struct bpi_lane *lend_next, **lend_at; /* while lendable */
    void (*answered)(struct bpi_lane *lane, bp_err err);
    uint8_t state;
} bpi_lane;

/* What puts, gets and lists do differently. */
typedef struct bpi_kind {
    void (*begin)(bp_transfer *transfer);       /* WAITING, with a connection: the next step */
    void (*move)(bp_transfer *transfer);        /* MOVING: all that can be done now */
    void (*file_opened)(bp_transfer *transfer); /* FILE: it is open, says transfer->call */
    void (*file_committed)(bp_transfer *transfer);
    void (*granted)(bpi_lane *lane);                      /* it has its buffer, and knows where the bytes go */
    void (*lose)(bpi_lane *lane);                         /* the connection is gone: it leaves, or stays */
    bp_err (*say)(bp_transfer *transfer, bpi_link *link); /* as bpi_strand_fn, but for what they have in common */
} bpi_kind;

extern const bpi_kind bpi_put_kind, bpi_get_kind, bpi_list_kind;

/* A directory in which transfers have files, and its store. */
typedef struct bpi_place {
    struct bpi_place *next, **at;
    bp_store *store;
    uint32_t user_count;
    char path[];
} bpi_place;

struct bp_transfer {
    bpi_strand strand; /* first: a strand of a transfer is a transfer; number 0: the server does not know it */
    bp_transfer_client *client;
    const bpi_kind *kind;
    bp_transfer *next, **at; /* of the client's transfers */
    bp_transfer *work_next;  /* while is_listed */
    uint8_t phase;
    bool is_listed; /* for work */
    bool is_paused;
    bool is_told;      /* on_done was called */
    bool is_discarded; /* in ENDING: what was put, or got to a file, is thrown away */
    bool has_moved;    /* since the last tick */
    bool is_refused;   /* since the last tick, or part: there was no memory, and its pool cannot wait */
    bool has_token;
    /* the user's */
    void *user;
    bp_done_fn *on_done;
    bp_progress_fn *on_progress;
    void (*on_token)(bp_transfer *transfer, const bp_token *token, void *user);
    const char *name;        /* list: the prefix */
    const char *path, *file; /* NULL: no file; else its name in its directory, a part of path */
    uint32_t part_size, deadline_ms;
    uint32_t age_ms, idle_ms, starved_ms; /* so long it is there, did not move, waited for memory alone */
    uint32_t retry_ms;                    /* WAITING: until it is tried again */
    /* how it ended */
    bp_outcome outcome;
    char text[BPI_TRANSFER_FAILED_TEXT_CAP + 1];
    /* parts */
    bp_token token;
    bpi_plan plan;
    uint32_t limit; /* parts in flight that the server allows */
    uint64_t parts_sent;
    uint64_t summed; /* parts that crc is of; BP_PART_NONE: it is not known of all, so there is no sum */
    uint32_t crc;
    /* the file */
    bpi_call call;
    bpi_place *place;
    void *object; /* NULL: it is not open */
    union {
        struct {
            const uint8_t *data; /* in memory; NULL: not there */
            uint64_t version;    /* of the file; 0: not known */
            bpi_plan there;
            uint64_t size;    /* as the server is told */
            bool is_written;  /* by bp_transfer_write: */
            bool has_end;     /* the last byte came */
            bool wants_room;  /* on_writable is due once there is */
            uint64_t written; /* bytes */
            void (*on_writable)(bp_transfer *transfer, void *user);
            bool is_commit_said;
        } put;
        struct {
            bp_body_fn *on_body;
            void (*on_found)(bp_transfer *transfer, const bp_object_info *object, void *user);
            uint64_t offset, length; /* that were asked for */
            uint64_t size;           /* of the object; BP_SIZE_UNKNOWN: not known yet */
            uint64_t version;        /* of the object: no other will do; 0: any */
            uint32_t object_crc;     /* where has_crc */
            bool has_crc;
            bool is_found; /* on_found was called */
        } get;
        struct {
            void (*on_object)(bp_transfer *transfer, const bp_object_info *object, void *user);
            char after[BP_OBJECT_NAME_MAX + 1];
            bool has_told; /* since it was asked last */
        } list;
    } of;
    uint32_t lane_count;
    bpi_lane lanes[];
};

enum { BPI_LENDABLE = 64 /* buckets, by length */ };

struct bp_transfer_client {
    bp_transfer_client_config config;
    bpi_narrow_schema schema;
    bp_conn *conn;  /* NULL: none */
    bpi_link link;  /* while there is one */
    bpi_end *end;   /* while not asleep, and inside ticks */
    bpi_end *held;  /* while depth != 0: the end that must not go */
    bp_pool *small; /* for frames that are not parts: they get through whatever the parts take */
    bp_transfer *transfers, **transfers_last;
    bp_transfer *work, **work_last;
    bp_transfer *later; /* for work, when the letter is opened */
    bpi_lane *lendable[BPI_LENDABLE];
    bpi_lane *lent; /* whose buffer the reader has as well */
    bpi_place *places;
    bpi_letter letter;
    bool is_letter_due;
    bool is_freed; /* the user let go of it */
    bool is_gone;  /* its connection, and there will be no other */
    uint32_t depth, under_way;
    uint32_t clock_ms; /* the loop's, at the last tick */
    bp_transfer_stats stats;
};

/* ---- client.c ---- */

/* Around whatever happens: before the last one leaves, the work is done. Meanwhile the end stays. */
void bpi_client_enter(bp_transfer_client *client);
void bpi_client_leave(bp_transfer_client *client);

/* Inside these: a letter will come; and has, or will not. */
void bpi_client_await(bp_transfer_client *client);
void bpi_client_got(bp_transfer_client *client);

static inline bool bpi_client_is_asleep(const bp_transfer_client *client) {
    return client->conn == NULL && client->under_way == 0;
}

/* Something happened to the transfer: it is worked on before control goes back to the loop, or soon; or later, when
 * others had their turn. */
void bpi_client_work_on(bp_transfer *transfer);
void bpi_client_work_later(bp_transfer *transfer);

/* Has a store's function begin. */
void bpi_client_call(bp_transfer_client *client, bpi_call *call, bp_store *store, bp_store_fn *function);

/* The transfer is new: ticks are needed, and it is worked on. */
void bpi_client_joined(bp_transfer *transfer);

/* ---- job.c ---- */

typedef struct bpi_job_config {
    const char *name, *path;
    uint32_t part_size, parts_in_flight, deadline_ms;
    bp_done_fn *on_done;
    void *user;
    bool has_parts;
} bpi_job_config;

/* A transfer in WAITING, on the client's list. Errors as bp_transfer_client_put. */
BP_NODISCARD bp_err bpi_job_new(bp_transfer_client *client, const bpi_kind *kind, const bpi_job_config *config,
                                bp_transfer **out);
void bpi_job_work(bp_transfer *transfer);

/* It is over, unless it was before: part may be BP_PART_NONE, text NULL. */
void bpi_job_end(bp_transfer *transfer, bp_err err, uint64_t part, const char *text);

/* The same, and on_done is called here. */
void bpi_job_abandon(bp_transfer *transfer);

/* The connection is gone, or the transfer is to begin anew: what is under way comes back, and it waits. */
void bpi_job_lose(bp_transfer *transfer);

/* Whether it waits for memory; and a paused get gives back what it holds: that can be asked for again. */
bool bpi_job_is_short(const bp_transfer *transfer);
void bpi_job_give_up(bp_transfer *transfer);
void bpi_job_tick(bp_transfer *transfer, uint32_t elapsed_ms);

/* Has its file's store do something with the whole of it; the kind, or its end, is told. */
void bpi_job_call(bp_transfer *transfer, bp_store_fn *function, const bp_store_call *what);

void bpi_job_failed_there(bp_transfer *transfer, const bpi_transfer_failed_view *view);

/* The server knows it no longer. */
void bpi_job_forget_number(bp_transfer *transfer);

/* It has something to say. */
static inline void bpi_job_due(bp_transfer *transfer) {
    if (transfer->client->conn != NULL) bpi_link_due(&transfer->client->link, &transfer->strand);
}

/* Asks the server with an encoded message that bears bpi_job_next_number. As bpi_link_say. */
uint32_t bpi_job_next_number(const bp_transfer *transfer);
BP_NODISCARD bp_err bpi_job_say_first(bp_transfer *transfer, uint16_t type, const uint8_t *value, uint32_t length);

void bpi_job_set_token(bp_transfer *transfer, const uint8_t bytes[16]);
void bpi_job_tell_progress(bp_transfer *transfer);

static inline bool bpi_token_is_none(const bp_token *token) {
    static const bp_token none;
    return memcmp(token, &none, sizeof none) == 0;
}

/* ---- lane.c ---- */

static inline bpi_lane *bpi_lane_of(bp_transfer *transfer, uint64_t part) {
    return &transfer->lanes[part % transfer->lane_count];
}

void bpi_lane_init(bpi_lane *lane, bp_transfer *transfer);

/* Puts a todo part in work: asks for its memory. */
void bpi_lane_begin(bp_transfer *transfer, uint64_t part);

/* Encodes all of the part's frame but its data; *length is what the frame takes. */
void bpi_lane_place(bpi_lane *lane, uint32_t *length);

/* The part is done: its buffer is given back, and what can be is summed. */
void bpi_lane_finish(bpi_lane *lane);

/* Nobody wants the part now: it is todo again, at once or when a letter comes. */
void bpi_lane_leave(bpi_lane *lane);

/* Whether a letter will come for the lane. */
bool bpi_lane_is_under_way(const bpi_lane *lane);

/* Has the file's store do something with the part's bytes; then answered is called, unless the lane is leaving. */
typedef void bpi_lane_fn(bpi_lane *lane, bp_err err);
void bpi_lane_call(bpi_lane *lane, bpi_lane_state state, bp_store_fn *function, bpi_lane_fn *answered);

/* The reader may have the buffer; it may no longer. */
void bpi_lane_lend(bpi_lane *lane);
void bpi_lane_unlend(bpi_lane *lane);

/* A buffer for a frame of so many bytes; NULL: none is as long. */
bp_buf *bpi_client_lend(bp_transfer_client *client, uint32_t length);

/* The frame in *buf is the lane's part: the lane has it, in place of the buffer that it was asked with. */
void bpi_lane_arrive_take(bpi_lane *lane, bp_buf **buf);

/* ---- place.c ---- */

/* Has the transfer's place, which is made when nobody has it yet. */
BP_NODISCARD bp_err bpi_place_take(bp_transfer *transfer);
void bpi_place_give(bp_transfer *transfer);

/* ---- put.c, get.c, list.c: what the server says ---- */

void bpi_put_opened(bp_transfer *transfer, const bpi_transfer_put_opened_view *view);
void bpi_put_part_done(bp_transfer *transfer, uint64_t part);
void bpi_put_committed(bp_transfer *transfer, uint64_t version);
void bpi_get_opened(bp_transfer *transfer, const bpi_transfer_get_opened_view *view);
void bpi_get_part_take(bp_transfer *transfer, const bpi_transfer_part_view *view, bp_buf **buf);
void bpi_list_listed(bp_transfer *transfer, const bpi_transfer_listed_view *view);
void bpi_list_ended(bp_transfer *transfer, bool has_more);

/* Whether the server has a part; and the lane has all of its bytes. */
bool bpi_put_is_there(const bp_transfer *put, uint64_t part);
void bpi_put_filled(bpi_lane *lane);

/* ---- write.c ---- */

/* There is room, or an end: who writes is told. */
void bpi_write_wake(bp_transfer *transfer);

#endif
