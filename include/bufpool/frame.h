/* bufpool/frame.h: frames on a byte stream, without any I/O.
 *
 * A frame is a header of 6 bytes and a value: u16 type, u32 length (both little-endian), length bytes of value. The
 * header is never stored with the value: in a pooled buffer the value starts at offset 0, and type and length live in
 * the descriptor. Type 0 is the library's own control frame.
 *
 * Reading: the reader says where the next bytes should go and how many it could take; the caller reads them there from
 * wherever they come, says how many came, and takes frames until there is no more. Any chunking gives the same frames.
 *
 *     uint8_t landing[65536];                                     // one per loop, not per connection
 *     for (;;) {
 *         bp_span space = bp_reader_space(&reader, landing, sizeof landing);
 *         ssize_t n = read(fd, space.data, space.length);
 *         if (n <= 0) break;
 *         bp_reader_fed(&reader, space, (size_t)n);
 *         bp_frame frame;
 *         bp_err err;
 *         while ((err = bp_reader_next(&reader, &frame)) == BP_OK) handle(&frame);
 *         if (err != BP_MORE) break;                               // the stream is broken, or no buffer
 *     }
 *
 * Between two rounds the reader keeps no pointer into the landing chunk: a cut frame's bytes are in a buffer of its own
 * exact class.
 *
 * Threads: a reader or writer belongs to one thread at a time. A bp_type_map is constant once made. */
#ifndef BUFPOOL_FRAME_H
#define BUFPOOL_FRAME_H

#include "bufpool/base.h"
#include "bufpool/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    BP_FRAME_HEADER_SIZE = 6,     /* bytes: u16 type, u32 length */
    BP_FRAME_DIRECT_MIN = 4096,   /* bytes missing from which a frame's rest is read straight into its buffer */
    BP_FRAME_STAGE_MAX = 8192,    /* bytes up to which the writer copies a frame into its staging buffer: there,
                                     copying costs less than the writes that four pieces each would need */
    BP_FRAME_WRITE_MAX = 60 * 1024  /* bytes per write: above 65,483 TCP loopback is three times slower */
};

/* ---- what the frames of a schema look like (written by bufpoolc) ------------------------------------------------ */

/* One message type. */
typedef struct bp_type_info {
    const char *name;      /* "OrderBook" */
    uint16_t type;         /* frame type, 1 .. 65535 */
    uint16_t class_ix;     /* its class in the schema's own pool configuration */
    uint32_t accept_min;   /* bytes: shortest and longest value that a reader takes */
    uint32_t accept_max;
    bool is_sensitive;     /* its contract's sensitivity is not public: whatever held its values is wiped */
} bp_type_info;

/* What a reader does with a frame whose type nobody declared. */
typedef enum bp_unknown { BP_UNKNOWN_FAIL = 0, BP_UNKNOWN_SKIP = 1, BP_UNKNOWN_DELIVER = 2 } bp_unknown;

/* A range of frame types and what to do with the unknown ones in it. */
typedef struct bp_type_range {
    uint16_t first, last; /* both included */
    bp_unknown unknown;
} bp_type_range;

/* What a version looks like on the wire, as a number: it holds up to the next one's version. Programs with equal ones
 * mean the same bytes. */
typedef struct bp_layout {
    uint16_t version;
    uint64_t hash; /* 0: not known, nothing is compared */
} bp_layout;

/* One schema: constant tables that generated code defines. Everything outside `ranges` is BP_UNKNOWN_FAIL. */
typedef struct bp_schema {
    uint32_t abi;           /* BP_ABI of the headers it was compiled with */
    const char *name;       /* "market" */
    uint32_t id;
    uint16_t version, min_compatible;
    uint64_t contract_hash; /* of everything that this program's generated code depends on */
    const bp_layout *layouts; /* ascending by version, the first is min_compatible */
    uint32_t layout_count;    /* 0: nothing is known about any version */
    const bp_type_info *types; /* ascending by type */
    uint32_t type_count;
    const bp_type_range *ranges; /* ascending, disjoint */
    uint32_t range_count;
    const bp_pool_config *pool_config;
} bp_schema;

/* The types of one or more schemas, as readers look them up: O(1). */
typedef struct bp_type_map bp_type_map;

/* Makes a map of all types of the schemas, which it keeps pointing at. The caller frees it after its last reader.
 * Where schemas disagree about an unknown type, the most tolerant one decides.
 * BP_ERR_ABI: a schema was compiled for another ABI; BP_ERR_SCHEMA: two declare one type; BP_ERR_ARGUMENT: a table is
 * not what bufpoolc writes (type 0, a range or an interval of lengths that ends before it begins); BP_ERR_NO_MEMORY. */
BP_NODISCARD BP_API bp_err bp_type_map_new(const bp_schema *const *schemas, size_t schema_count, bp_type_map **out);
BP_API void bp_type_map_free_take(bp_type_map **map);

/* What is known of a type, or NULL; *schema_ix, if not NULL, is then the index of its schema. */
BP_API const bp_type_info *bp_type_map_find(const bp_type_map *map, uint16_t type, uint32_t *schema_ix);

/* ---- reader ----------------------------------------------------------------------------------------------------- */

/* Writable bytes that belong to somebody else. */
typedef struct bp_span {
    uint8_t *data;
    size_t length;
} bp_span;

/* One frame as it was read. value is valid until the next call on the reader; when buf is not NULL the value lies in
 * that buffer, which the reader still owns. */
typedef struct bp_frame {
    const uint8_t *value; /* length bytes, any alignment */
    uint32_t length;
    uint16_t type;
    const bp_type_info *info; /* NULL for a type that is delivered though unknown */
    uint32_t schema_ix;       /* index of the type's schema in the map */
    bp_buf *buf;              /* NULL while the value lies in the landing chunk */
} bp_frame;

/* What cut frames may take, of all readers that share it, on any threads: together at most limit bytes, but one frame
 * always may. A frame counts with what its buffer takes (bp_pool_stride), from when it needs one until the reader has
 * that no longer. */
typedef struct bp_reader_budget {
    uint64_t limit; /* bytes; read atomically */
    uint64_t used;  /* bytes; the readers write it, atomically */
} bp_reader_budget;

struct bp_reader;

/* What many readers have in common: it stays where it is, and as it is, while any of them uses it. */
typedef struct bp_reader_config {
    bp_pool *pool;             /* where buffers come from; outlives the reader */
    const bp_type_map *types;  /* which types and lengths are taken; outlives the reader */
    uint32_t unknown_max;      /* longest value of an unknown type that is skipped or delivered; 0 is 64 KiB */
    uint32_t control_max;      /* longest value of a control frame (type 0); 0 refuses control frames */
    bp_pool *control_pool;     /* where a cut control frame is collected; NULL: in a buffer from pool */
    bp_reader_budget *budget;  /* NULL: no bound but the pool's */
    /* NULL: none. Asked for a buffer before pool and budget are: for each cut frame of a known type, anew after each
     * refusal, and for each that is kept and has none. A buffer of any pool that holds length bytes, with one reference,
     * which is the reader's then; nothing of the budget is charged for it. NULL: the pool is asked. A buffer that is too
     * small is misuse (BP_MISUSE_CAPACITY) and is given back. It calls nothing on the reader. */
    bp_buf *(*lend)(struct bp_reader *reader, uint16_t type, uint32_t length);
} bp_reader_config;

/* A reader. Its members are private; it lies in the caller's storage. */
typedef struct bp_reader {
    const bp_reader_config *config;
    const uint8_t *at, *end; /* bytes that were fed and not taken yet */
    bp_buf *partial;         /* the cut frame, the frame that was delivered last, or what bp_reader_give_take gave */
    union {
        uint32_t length; /* bytes of the cut frame, or of the skipped one */
        bp_err failed;   /* why nothing is read any more */
    };
    uint32_t got; /* bytes of the cut frame that are here */
    uint32_t charged; /* bytes of the budget */
    uint8_t head[BP_FRAME_HEADER_SIZE];
    uint8_t head_count; /* bytes of a cut header */
    uint8_t state;
    uint64_t frame_count, skipped_count;
    uint64_t kept; /* frame_count when a frame was kept last */
} bp_reader;

/* Prepares a reader. Owns nothing until bytes are fed. */
BP_API void bp_reader_init(bp_reader *reader, const bp_reader_config *config);

/* Drops what the reader holds of a cut frame. */
BP_API void bp_reader_fini(bp_reader *reader);

/* For whoever stops before bp_reader_next answered BP_MORE: passes over what was fed and not taken. The reader answers
 * BP_ERR_CLOSED from now on. The landing chunk must still be there when a type of the map is sensitive: values of such
 * types are wiped in it, each when the next frame is asked for, and the last ones here. */
BP_API void bp_reader_drop(bp_reader *reader);

/* Where the next bytes should go, and how many it could take: the rest of a large frame goes straight into its buffer,
 * everything else into the landing chunk that the caller lends (at least 64 bytes). Never empty, except after an
 * error. Who has no chunk to lend passes 0 as its length: then any rest goes straight into its buffer, and the space is
 * empty when there is none. */
BP_API bp_span bp_reader_space(const bp_reader *reader, uint8_t *landing, size_t landing_length);

/* count bytes came, at the beginning of space (as bp_reader_space gave it). In the landing chunk they must stay where
 * they are until bp_reader_next answers something else than BP_OK; values of sensitive types are zeroed there. */
BP_API void bp_reader_fed(bp_reader *reader, bp_span space, size_t count);

/* The next frame. BP_OK: *out is one; a control frame has type 0 and no info. BP_MORE: every byte is taken, feed again.
 * BP_ERR_LIMIT, BP_ERR_NO_MEMORY: no buffer for a cut frame; nothing is lost, call again once there is memory, with the
 * landing chunk as it is, or give the reader a buffer. BP_ERR_FRAME_TYPE, _SHORT, _LONG: the stream cannot be followed
 * any further; the reader answers the same from now on. */
BP_NODISCARD BP_API bp_err bp_reader_next(bp_reader *reader, bp_frame *out);

/* What is done with a frame; anything but BP_OK stops the reader. It may keep the frame, and calls nothing else on the
 * reader. */
typedef bp_err bp_reader_fn(bp_frame *frame, void *user);

/* Hands on every frame that is here, as bp_reader_next would, and faster where they are small. What on_frame answers if
 * that is not BP_OK: the frame was handed on, and bp_reader_each or bp_reader_next goes on behind it; else what
 * bp_reader_next answers in the end. */
BP_NODISCARD BP_API bp_err bp_reader_each(bp_reader *reader, bp_reader_fn *on_frame, void *user);

/* After bp_reader_next refused: the bytes that the cut frame needs a buffer of; 0: none, or it was given one. */
BP_API uint32_t bp_reader_wants(const bp_reader *reader);

/* After bp_reader_next refused: whether it is for the budget, which only the end of another reader's frame helps. */
BP_API bool bp_reader_is_over_budget(const bp_reader *reader);

/* Gives the reader the buffer that it wants, of whichever pool, and takes the reference: *buf becomes NULL. The next
 * bp_reader_next goes on with it. BP_ERR_ARGUMENT: it wants none, or a larger one: *buf stays the caller's. */
BP_NODISCARD BP_API bp_err bp_reader_give_take(bp_reader *reader, bp_buf **buf);

/* Whether a frame has begun that is not whole yet. */
BP_API bool bp_reader_is_inside(const bp_reader *reader);

/* Makes the frame that bp_reader_next gave last the caller's own: a buffer with the value, its length and type, one
 * reference. Copies unless the frame has a buffer already; frame->buf is NULL afterwards, and where it was not, the
 * value is valid as long as the caller holds *out.
 * A frame without value is kept as well, in the smallest buffer, with length 0.
 * BP_ERR_ARGUMENT: a frame is kept once; BP_ERR_LIMIT, BP_ERR_NO_MEMORY: the frame stays as it was. */
BP_NODISCARD BP_API bp_err bp_reader_keep(bp_reader *reader, bp_frame *frame, bp_buf **out);

/* The same in buf, which the caller got in another way and of which it is the only owner: value, length and type
 * are put into it. BP_ERR_ARGUMENT: the frame is kept already, or has a buffer of its own (which bp_reader_keep
 * gives), or buf is too small. Nothing changes then. */
BP_NODISCARD BP_API bp_err bp_reader_keep_in(bp_reader *reader, const bp_frame *frame, bp_buf *buf);

/* Whether the stream may end here: BP_OK between frames, BP_ERR_LOST inside one. */
BP_NODISCARD BP_API bp_err bp_reader_end(const bp_reader *reader);

/* ---- writer ----------------------------------------------------------------------------------------------------- */

/* One piece of a gathered write; the same as struct iovec in meaning, not in type. */
typedef struct bp_piece {
    const uint8_t *data;
    size_t length;
} bp_piece;

enum { BP_WRITER_PIECES = 4 }; /* pieces per write: libuv allocates above */

/* A queue of frames to be written. Its members are private; it lies in the caller's storage. */
typedef struct bp_writer {
    struct bpi_queue *queue; /* NULL until the first frame */
    uint64_t frame_count;          /* frames ever queued */
} bp_writer;

BP_API void bp_writer_init(bp_writer *writer);

/* Releases everything that is queued. */
BP_API void bp_writer_fini(bp_writer *writer);

/* Queues the frame in *buf (its type, its length bytes) and takes the reference: *buf becomes NULL. One buffer may be
 * queued on many writers, one reference each. BP_ERR_NO_MEMORY: nothing is queued and *buf stays the caller's. */
BP_NODISCARD BP_API bp_err bp_writer_push_take(bp_writer *writer, bp_buf **buf);

/* Gathers the next write: up to BP_WRITER_PIECES pieces of together at most limit bytes (0 is BP_FRAME_WRITE_MAX).
 * Small frames and headers are copied into stage (stage_length bytes, at least 64, lent until the write is over), large
 * values stay where they lie; whoever sends sensitive frames wipes stage after the write. Frames may be cut. Returns
 * the number of pieces, 0 when nothing is queued. The same bytes are given until bp_writer_wrote says that they
 * left. */
BP_API size_t bp_writer_gather(const bp_writer *writer, uint8_t *stage, size_t stage_length, size_t limit,
                               bp_piece pieces[BP_WRITER_PIECES]);

/* count bytes of what bp_writer_gather gave left: buffers that are written to their end are released. */
BP_API void bp_writer_wrote(bp_writer *writer, uint64_t count);

#ifdef __cplusplus
}
#endif
#endif
