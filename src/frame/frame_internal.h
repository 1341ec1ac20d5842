/* frame/frame_internal.h: how frames are told apart, for the readers of this room and the blocking reader of transport.
 *
 * Glossary
 *   frame     header (u16 type, u32 length, little-endian) and value (length bytes)
 *   landing   the chunk that a caller lends to a read; it belongs to the caller again when the reader asks for more
 *   in place  a frame that lies in the landing chunk as a whole: handed on as a borrowed view
 *   cut       a frame of which the landing chunk holds a part: its value gets a buffer of its own
 *   direct    the rest of a cut frame read straight into its buffer, past the landing chunk
 *   held      a frame that was handed on in a buffer which the reader still owns
 *   lent      of a buffer: the configuration's lend had it for the frame, past pool and budget; of a sensitive frame: it
 *             lies in the landing chunk, and is wiped behind it
 *   staging   scratch bytes into which the writer copies headers and small values
 *
 * Reader, in every state:
 *   at <= end;   head_count <= 6;   got <= length, but in BPI_FAILED, where there is none
 *   partial != NULL  =>  state == BPI_IN_VALUE or BPI_HELD, or BPI_FAILED (dropped), or BPI_IN_HEAD (given,
 *                        head_count is 6)
 *   state == BPI_IN_VALUE  =>  got < length <= capacity of partial, and type and length were verified
 *   budget->used == sum of charged over its readers
 *   charged == stride of the frame that is in partial, or waits for a buffer; 0 without one, of a control frame, and
 *              of one in a buffer that was lent
 *   bytes fed = bytes of frames handed on or skipped (headers included) + head_count + (state == BPI_IN_VALUE: 6 + got,
 *               BPI_SKIPPING: 6 + got) + (end - at)
 * Writer, always:
 *   queue.bytes == sum over the ring of (6 + length)  -  head_done
 *   count == 0  =>  head_done == 0;   head_done < 6 + length of the head;   count <= mask + 1 */
#ifndef BUFPOOL_FRAME_FRAME_INTERNAL_H
#define BUFPOOL_FRAME_FRAME_INTERNAL_H

#include "bufpool/detail/bytes.h"
#include "bufpool/frame.h"

enum {
    BPI_TYPE_PAGE = 256,             /* types per page of the map */
    BPI_UNKNOWN_MAX_DEFAULT = 65536, /* bytes: longest unknown value that is skipped or delivered */
};

/* What a reader needs to know of a type. The interval is what is handed on without a second look: that of an unknown
 * type is empty, and so is that of a sensitive one, whose bytes must be wiped behind it. */
typedef struct bpi_type_entry {
    const bp_type_info *info; /* NULL: unknown */
    uint32_t schema_ix;
    uint32_t accept_min, accept_max;
    bp_unknown unknown;
    uint64_t reserved; /* a power of two in size: an index is a shift */
} bpi_type_entry;

struct bp_type_map {
    bool has_sensitive; /* some type is */
    uint16_t page_at[65536 / BPI_TYPE_PAGE]; /* the entry of the page's first type */
    bpi_type_entry entries[];                /* by page; equal ones are stored once */
};

static inline const bpi_type_entry *bpi_type_map_entry(const bp_type_map *map, uint16_t type) {
    return &map->entries[(size_t)map->page_at[type / BPI_TYPE_PAGE] + type % BPI_TYPE_PAGE];
}

/* Whether a frame of the type and length is handed on without a second look. */
static inline bool bpi_type_accepts(const bpi_type_entry *entry, uint32_t length) {
    return length >= entry->accept_min && length <= entry->accept_max;
}

/* The whole known frame, without secrets, that begins at `at`: its end, or NULL when there is none. */
static inline const uint8_t *bpi_find_whole(const bp_type_map *types, const uint8_t *at, const uint8_t *end,
                                            bp_frame *out) {
    const size_t here = (size_t)(end - at);
    if (BP_UNLIKELY(here < BP_FRAME_HEADER_SIZE)) return NULL;
    const uint16_t type = bpi_load_u16(at);
    const uint32_t length = bpi_load_u32(at + 2);
    const bpi_type_entry *entry = bpi_type_map_entry(types, type);
    if (BP_UNLIKELY(!bpi_type_accepts(entry, length) || length > here - BP_FRAME_HEADER_SIZE)) return NULL;
    out->value = at + BP_FRAME_HEADER_SIZE;
    out->length = length;
    out->type = type;
    out->info = entry->info;
    out->schema_ix = entry->schema_ix;
    return at + BP_FRAME_HEADER_SIZE + length;
}

/* Why a header is refused, or BP_OK when its frame is to be taken or skipped (entry->unknown tells). */
static inline bp_err bpi_head_verify(const bpi_type_entry *entry, uint32_t length, uint32_t unknown_max) {
    if (entry->info != NULL) {
        if (length < entry->info->accept_min) return BP_ERR_FRAME_SHORT;
        return length > entry->info->accept_max ? BP_ERR_FRAME_LONG : BP_OK;
    }
    if (entry->unknown == BP_UNKNOWN_FAIL) return BP_ERR_FRAME_TYPE;
    return length > unknown_max ? BP_ERR_FRAME_LONG : BP_OK;
}

/* What a reader takes its next byte for. */
typedef enum bpi_reader_state {
    BPI_BETWEEN,  /* a frame's first */
    BPI_IN_HEAD,  /* of a cut header, or of the value whose whole header is in head (no buffer was there) */
    BPI_IN_VALUE, /* of a cut value */
    BPI_SKIPPING, /* of a value that nobody wants */
    BPI_HELD,     /* a frame's first; the frame before it is still held */
    BPI_LENT,     /* a frame's first; the sensitive frame before it was handed on where it lies */
    BPI_FAILED    /* meaningless */
} bpi_reader_state;

/* Makes buf the frame that was handed on last where it lies: it is kept then. */
static inline void bpi_reader_put(bp_reader *reader, const bp_frame *frame, bp_buf *buf) {
    bpi_copy(bp_buf_data(buf), frame->value, frame->length);
    bp_buf_set_length(buf, frame->length);
    bp_buf_set_type(buf, frame->type);
    if (BP_UNLIKELY(reader->state == BPI_LENT)) bp_buf_set_sensitive(buf);
    reader->kept = reader->frame_count;
}

/* The buffer that is lent for a frame of length bytes, or NULL; info is what is known of its type. */
bp_buf *bpi_reader_ask(bp_reader *reader, const bp_type_info *info, uint32_t length);
static inline bp_buf *bpi_reader_borrow(bp_reader *reader, const bp_type_info *info, uint32_t length) {
    return BP_LIKELY(reader->config->lend == NULL) ? NULL : bpi_reader_ask(reader, info, length);
}

/* The frame that was handed on last was nobody's: it counts as skipped, or not at all. */
static inline void bpi_reader_uncount(bp_reader *reader, bool is_skipped) {
    reader->frame_count--;
    reader->skipped_count += is_skipped;
}

/* Gives what is here and not taken back to whoever fed it, to be fed again: how many bytes that is. `again`, where it
 * is not NULL, is the frame that was handed on last, from where it was fed: its header is taken, its value comes
 * again. */
size_t bpi_reader_put_back(bp_reader *reader, const bp_frame *again);

/* After a refusal: what the budget has still to be asked for, so that no buffer helps, or 0; and that so much was
 * charged for the refused frame. */
uint32_t bpi_reader_cost(const bp_reader *reader);
void bpi_reader_charged(bp_reader *reader, uint32_t cost);

static inline bool bpi_type_is_sensitive(const bpi_type_entry *entry) {
    return entry->info != NULL && entry->info->is_sensitive;
}

static inline bool bpi_head_is_skipped(const bpi_type_entry *entry) {
    return entry->info == NULL && entry->unknown == BP_UNKNOWN_SKIP;
}

/* ---- what the transports ask of a writer besides (writer.c) ---- */

/* What a writer that has had a frame consists of. */
typedef struct bpi_queue {
    uint32_t mask;        /* slots - 1; there is a power of two of them */
    uint32_t head, count; /* count buffers are queued, the oldest at head */
    uint32_t head_done;   /* bytes of the head's frame, header included, that were written */
    uint64_t bytes;       /* of all queued frames, headers included, not yet written */
    bp_buf *ring[];
} bpi_queue;

static inline uint32_t bpi_writer_count(const bp_writer *writer) {
    return writer->queue == NULL ? 0 : writer->queue->count;
}

static inline uint64_t bpi_writer_bytes(const bp_writer *writer) {
    return writer->queue == NULL ? 0 : writer->queue->bytes;
}

/* Bytes of the oldest frame that have not left. Something is queued. */
uint32_t bpi_writer_head_left(const bp_writer *writer);

/* Gives back the memory of a queue in which nothing is. */
void bpi_writer_rest(bp_writer *writer);

/* count bytes of what bp_writer_gather gave were copied elsewhere: what ends in them is released and counts as never
 * queued. Returns how many frames end in them. */
uint32_t bpi_writer_moved(bp_writer *writer, uint64_t count);

/* Frames that have begun to leave, when begun_bytes more than is known to have left are on their way. */
uint32_t bpi_writer_begun_count(const bp_writer *writer, uint64_t begun_bytes);

/* Drops the oldest frames that have not begun to leave, until count bytes are dropped or there are no more; control
 * frames, which stand first or last, stay. Returns how many were dropped: they stay counted as queued. */
uint32_t bpi_writer_drop_oldest(bp_writer *writer, uint64_t begun_bytes, uint64_t count);

/* Releases the count frames that were queued last, of which none has begun to leave; they count as never queued. */
void bpi_writer_take_back(bp_writer *writer, uint32_t count);

#endif
