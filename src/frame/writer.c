#include "frame/frame_internal.h"

#include "base/os.h"

enum { RING_FIRST = 16 };

/* One gathering under way. */
typedef struct gather {
    bp_piece *pieces;
    size_t count;
    uint8_t *stage;     /* where the next staged byte goes */
    size_t stage_left;  /* bytes */
    size_t limit_left;  /* bytes */
    bool is_stage_open; /* the last piece ends at stage */
} gather;

void bp_writer_init(bp_writer *writer) { *writer = (bp_writer){0}; }

static bp_buf **slot(bpi_queue *queue, uint32_t ix) { return &queue->ring[(queue->head + ix) & queue->mask]; }

static bp_buf *queued(const bpi_queue *queue, uint32_t ix) {
    return queue->ring[(queue->head + ix) & queue->mask];
}

void bp_writer_fini(bp_writer *writer) {
    for (uint32_t i = 0; i < bpi_writer_count(writer); i++) bp_buf_release(queued(writer->queue, i));
    bpi_os.free(writer->queue);
    bp_writer_init(writer);
}

void bpi_writer_rest(bp_writer *writer) {
    if (bpi_writer_count(writer) != 0) return;
    bpi_os.free(writer->queue);
    writer->queue = NULL;
}

static bp_err grow(bp_writer *writer) {
    bpi_queue *old = writer->queue;
    const uint32_t slots = old == NULL ? RING_FIRST : 2 * (old->mask + 1);
    if (slots == 0) return BP_ERR_NO_MEMORY;
    bpi_queue *queue = bpi_os.alloc(sizeof *queue + slots * sizeof queue->ring[0]);
    if (queue == NULL) return BP_ERR_NO_MEMORY;
    if (old != NULL) {
        *queue = *old;
        for (uint32_t i = 0; i < old->count; i++) queue->ring[i] = queued(old, i);
    }
    queue->head = 0;
    queue->mask = slots - 1;
    bpi_os.free(old);
    writer->queue = queue;
    return BP_OK;
}

bp_err bp_writer_push_take(bp_writer *writer, bp_buf **buf) {
    if (BP_UNLIKELY(writer->queue == NULL || writer->queue->count > writer->queue->mask)) {
        const bp_err err = grow(writer);
        if (err != BP_OK) return err;
    }
    bpi_queue *queue = writer->queue;
    *slot(queue, queue->count++) = *buf;
    queue->bytes += (uint64_t)BP_FRAME_HEADER_SIZE + bp_buf_length(*buf);
    writer->frame_count++;
    *buf = NULL;
    return BP_OK;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Copies what fits of count bytes into staging; false when not all of them did. */
static bool stage_bytes(gather *g, const uint8_t *from, size_t count) {
    const size_t fits = least(count, least(g->stage_left, g->limit_left));
    if (fits == 0) return count == 0;
    if (!g->is_stage_open) {
        if (g->count == BP_WRITER_PIECES) return false;
        g->pieces[g->count++] = (bp_piece){g->stage, 0};
        g->is_stage_open = true;
    }
    bpi_copy(g->stage, from, fits);
    g->pieces[g->count - 1].length += fits;
    g->stage += fits;
    g->stage_left -= fits;
    g->limit_left -= fits;
    return fits == count;
}

/* Adds what fits of count bytes where they lie; false when not all of them did. */
static bool add_bytes(gather *g, const uint8_t *from, size_t count) {
    const size_t fits = least(count, g->limit_left);
    if (fits == 0 || g->count == BP_WRITER_PIECES) return false;
    g->pieces[g->count++] = (bp_piece){from, fits};
    g->is_stage_open = false;
    g->limit_left -= fits;
    return fits == count;
}

static void store_head(uint8_t *at, const bp_buf *buf) { bpi_store_head(at, bp_buf_type(buf), bp_buf_length(buf)); }

/* Adds the frame from its byte `done` on; false when there is no room for more. */
static bool add_frame(gather *g, const bp_buf *buf, uint32_t done) {
    uint8_t head[BP_FRAME_HEADER_SIZE];
    const uint8_t *value = bp_buf_data(buf);
    uint32_t length = bp_buf_length(buf);
    const bool is_staged = length <= BP_FRAME_STAGE_MAX;
    if (done < BP_FRAME_HEADER_SIZE) {
        store_head(head, buf);
        if (!stage_bytes(g, head + done, BP_FRAME_HEADER_SIZE - done)) return false;
    } else {
        value += done - BP_FRAME_HEADER_SIZE;
        length -= done - BP_FRAME_HEADER_SIZE;
    }
    return is_staged ? stage_bytes(g, value, length) : add_bytes(g, value, length);
}

/* Adds whole small frames to the open staging piece, as many as fit; returns the index of the first one not added. */
static uint32_t add_small_frames(gather *g, const bpi_queue *queue, uint32_t ix) {
    const size_t room = least(g->stage_left, g->limit_left);
    uint8_t *at = g->stage;
    uint8_t *const end = at + room;
    for (; ix < queue->count; ix++) {
        const bp_buf *buf = queued(queue, ix);
        const uint32_t length = bp_buf_length(buf);
        if (length > BP_FRAME_STAGE_MAX || length + BP_FRAME_HEADER_SIZE > (size_t)(end - at)) break;
        store_head(at, buf);
        bpi_copy(at + BP_FRAME_HEADER_SIZE, bp_buf_data(buf), length);
        at += BP_FRAME_HEADER_SIZE + length;
    }
    const size_t added = (size_t)(at - g->stage);
    g->pieces[g->count - 1].length += added;
    g->stage = at;
    g->stage_left -= added;
    g->limit_left -= added;
    return ix;
}

size_t bp_writer_gather(const bp_writer *writer, uint8_t *stage, size_t stage_length, size_t limit,
                        bp_piece pieces[BP_WRITER_PIECES]) {
    const bpi_queue *queue = writer->queue;
    gather g = {.pieces = pieces, .stage = stage, .stage_left = stage_length};
    g.limit_left = limit == 0 ? BP_FRAME_WRITE_MAX : limit;
    uint32_t ix = 0;
    while (queue != NULL && ix < queue->count) {
        if (!add_frame(&g, queued(queue, ix), ix == 0 ? queue->head_done : 0)) break;
        ix++;
        if (g.is_stage_open) ix = add_small_frames(&g, queue, ix);
    }
    return g.count;
}

static uint32_t frame_size(const bp_buf *buf) { return BP_FRAME_HEADER_SIZE + bp_buf_length(buf); }

uint32_t bpi_writer_head_left(const bp_writer *writer) {
    return frame_size(queued(writer->queue, 0)) - writer->queue->head_done;
}

void bp_writer_wrote(bp_writer *writer, uint64_t count) {
    bpi_queue *queue = writer->queue;
    if (queue == NULL) return;
    if (count > queue->bytes) count = queue->bytes;
    queue->bytes -= count;
    while (queue->count != 0) {
        const uint64_t left = bpi_writer_head_left(writer);
        if (count < left) break;
        count -= left;
        bp_buf *buf = queued(queue, 0);
        queue->head = (queue->head + 1) & queue->mask;
        queue->head_done = 0;
        queue->count--;
        bp_buf_release(buf);
    }
    queue->head_done += (uint32_t)count;
}

uint32_t bpi_writer_moved(bp_writer *writer, uint64_t count) {
    const uint32_t before = bpi_writer_count(writer);
    bp_writer_wrote(writer, count);
    const uint32_t moved = before - bpi_writer_count(writer);
    writer->frame_count -= moved;
    return moved;
}

uint32_t bpi_writer_begun_count(const bp_writer *writer, uint64_t begun_bytes) {
    const bpi_queue *queue = writer->queue;
    uint64_t at = 0;
    uint32_t ix = 0;
    if (queue == NULL) return 0;
    for (; ix < queue->count && at < queue->head_done + begun_bytes; ix++) at += frame_size(queued(queue, ix));
    return ix;
}

static bool is_control(const bp_buf *buf) { return bp_buf_type(buf) == 0; }

uint32_t bpi_writer_drop_oldest(bp_writer *writer, uint64_t begun_bytes, uint64_t count) {
    bpi_queue *queue = writer->queue;
    uint32_t kept = bpi_writer_begun_count(writer, begun_bytes), dropped = 0;
    if (queue == NULL) return 0;
    while (kept < queue->count && is_control(queued(queue, kept))) kept++;
    for (uint64_t bytes = 0; kept + dropped < queue->count && bytes < count; dropped++) {
        bp_buf *buf = queued(queue, kept + dropped);
        if (is_control(buf)) break; /* GOODBYE, and nothing behind it */
        bytes += frame_size(buf);
        queue->bytes -= frame_size(buf);
        bp_buf_release(buf);
    }
    for (uint32_t i = kept; i-- != 0;) *slot(queue, i + dropped) = queued(queue, i);
    queue->head = (queue->head + dropped) & queue->mask;
    queue->count -= dropped;
    return dropped;
}

void bpi_writer_take_back(bp_writer *writer, uint32_t count) {
    bpi_queue *queue = writer->queue;
    for (; count != 0; count--) {
        bp_buf *buf = queued(queue, --queue->count);
        queue->bytes -= frame_size(buf);
        writer->frame_count--;
        bp_buf_release(buf);
    }
}
