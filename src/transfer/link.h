/* transfer/link.h: what both ends of a connection that carries transfers have in common: which transfers there are, and
 * which of them has something to say.
 *
 * Glossary
 *   link      a connection's transfers
 *   strand    one transfer's part of it, known by its number
 *   due       a strand that has something to say: all of those are in a list, each says one thing in its turn
 *   stuck     the connection's queue has no room: the link goes on when it has (on_drain)
 *   envelope  the link's own memory for a small message while the pool has none
 *   stale     what comes for a transfer that is over
 *
 * So what a transfer has to say is never lost and never out of order, and lies in the transfer until there is room: a
 * few bits of it. Nothing is allocated. A queue that is full is found so before anything is sent, whatever the
 * connection does with frames that it has no room for; where it drops old ones, transfers are not spoken of at all.
 *
 * Invariants
 *   is_due  <=>  in the list of those;   a strand that is speaking is not in it
 *   numbers of strands <= last_number
 *   envelopes that are out are frames of the connection's queue: they are back before on_close */
#ifndef BUFPOOL_TRANSFER_LINK_H
#define BUFPOOL_TRANSFER_LINK_H

#include "bufpool/transfer.h"
#include "transfer/generated/bpi_transfer.h"
#include "transport/transport_internal.h"

enum {
    BPI_LINK_BUCKETS = 256,    /* of numbers, which are ascending: a thousand transfers make four in each */
    BPI_LINK_ENVELOPES = 4,
    BPI_LINK_STALE_MAX = 1000, /* parts in a row for transfers that are over */
    BPI_SAY_MAX = BPI_TRANSFER_LIST_MAX /* bytes of the longest message that is not a part */
};

typedef struct bpi_link bpi_link;
typedef struct bpi_strand bpi_strand;

/* Says the next thing, one at a time, by bpi_link_say or bpi_link_hand_take. BP_OK: that was one, there may be more.
 * BP_MORE: there is nothing to say for now; the strand may be gone. BP_PENDING, or another error: as these two
 * answered; the strand is there. It may begin, and end, any strand. */
typedef bp_err bpi_strand_fn(bpi_link *link, bpi_strand *strand);

struct bpi_strand {
    bpi_strand *bucket_next;
    bpi_strand *due_next, *due_previous;
    bpi_strand_fn *speak;
    uint32_t number;
    bool is_due;
};

typedef struct bpi_envelope {
    bp_wrap wrap;
    bpi_link *link;
    uint8_t value[BPI_SAY_MAX];
} bpi_envelope;

struct bpi_link {
    bp_conn *conn; /* NULL: it is gone */
    bpi_end *end;
    bpi_strand *buckets[BPI_LINK_BUCKETS];
    bpi_strand *first, *last; /* those that are due */
    uint32_t last_number;
    uint32_t stale_count;
    uint32_t fitted;   /* bit n: its pool has a class for parts of 2^n bytes, or can have none */
    uint32_t free_envelopes; /* bit n: envelope n is free */
    bool is_stuck, is_speaking;
    bpi_envelope envelopes[BPI_LINK_ENVELOPES];
};

/* The connection's end stays until bpi_link_fini, and so do its loop, mailbox and pool. */
void bpi_link_init(bpi_link *link, bp_conn *conn);

/* The connection is gone (on_close): nothing is said any more. */
void bpi_link_cut(bpi_link *link);

/* Nothing of its transfers is under way any more. */
void bpi_link_fini(bpi_link *link);

/* Whether transfers can go over the connection: not where its full queue drops what has been sent. */
bool bpi_link_is_possible(const bp_conn *conn);

/* ---- strands ---- */

/* Enters a strand under its number. False: the number is not above all that came before. */
BP_NODISCARD bool bpi_link_add(bpi_link *link, bpi_strand *strand, uint32_t number, bpi_strand_fn *speak);
/* A strand that was never entered, of number 0, may be due as well, for the message that will enter it. */
void bpi_link_remove(bpi_link *link, bpi_strand *strand);
bpi_strand *bpi_link_find(const bpi_link *link, uint32_t number); /* NULL: it is over, or never was */

/* A part came for a strand that is there, or is not. False: those that were not are too many in a row, and the
 * connection is to be closed. */
BP_NODISCARD bool bpi_link_count_part(bpi_link *link, const bpi_strand *strand);

/* ---- saying ---- */

/* The strand has something to say, and says it now if there is room. Inside a speaking strand: soon. Whoever calls this
 * reads the strand no more where saying its last thing ends it. */
void bpi_link_due(bpi_link *link, bpi_strand *strand);

/* The connection's on_drain. */
void bpi_link_drained(bpi_link *link);

/* Sends a message that was encoded, of at most BPI_SAY_MAX bytes. BP_PENDING: there is no room, and the link will go on
 * when there is; nothing is sent. Other errors: the connection is, or will be, closed. */
BP_NODISCARD bp_err bpi_link_say(bpi_link *link, uint16_t type, const uint8_t *value, uint32_t length);

/* Sends a frame and takes the reference: *buf becomes NULL. Else as bpi_link_say, and *buf stays the caller's. */
BP_NODISCARD bp_err bpi_link_hand_take(bpi_link *link, bp_buf **buf);

/* ---- what each end makes of the contract ---- */

/* Bytes of a Part that carries so many. */
uint32_t bpi_part_frame_size(uint32_t data_length);

/* Has the connection's pool, if it can, serve parts of part_size bytes, and smaller ones down to half, from a class of
 * their own. Once for each size. */
void bpi_link_fit_pool(bpi_link *link, uint32_t part_size);

/* The contract as an end takes it: no part is longer than it says, and no log travels. So is the pool that is made where
 * nobody names another: its largest class is for parts. */
typedef struct bpi_narrow_schema {
    bp_schema schema;
    bp_type_info types[BPI_TRANSFER_MESSAGE_COUNT];
    bp_pool_config pool_config;
    bp_class classes[BPI_TRANSFER_CLASS_COUNT];
} bpi_narrow_schema;
void bpi_narrow_schema_init(bpi_narrow_schema *narrow, uint32_t part_size_max);

#endif
