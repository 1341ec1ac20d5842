#define _GNU_SOURCE
/* The buffers that a handler asks its connection for. They are remembered in their order, so that a handler that was
 * refused one can be run again with all of them.
 *
 * One buffer is reserved as it is. Several are reserved as one that all of them fit into: connections that each had a
 * part and waited for more could wait for each other for ever. */
#include "frame/frame_internal.h"
#include "transport/wait_internal.h"

/* A part of a buffer: what it is wrapped in, and its bytes right behind. */
static uint64_t part_size(uint32_t size) { return sizeof(bp_wrap) + ((uint64_t)size + 15) / 16 * 16; }

_Static_assert(sizeof(bp_wrap) % 16 == 0, "the bytes of a part are aligned to 16");

static void note(bpi_needs *needs, uint64_t size) {
    if (needs->count < BPI_NEEDS_MAX && size <= UINT32_MAX)
        needs->sizes[needs->count++] = (uint32_t)size;
    else
        needs->count = BPI_NEEDS_MAX + 1;
}

uint64_t bpi_needs_size(const bpi_needs *needs) {
    uint64_t sum = 0;
    if (!needs->is_refused || needs->count > BPI_NEEDS_MAX) return 0;
    if (needs->count == 1) return needs->sizes[0];
    for (uint32_t i = 0; i < needs->count; i++) sum += part_size(needs->sizes[i]);
    return sum;
}

void bpi_needs_give(bpi_needs *needs, bp_buf *granted, bool is_shared) {
    needs->granted = granted;
    needs->is_shared = is_shared;
    needs->used = 0;
}

void bpi_needs_end(bpi_needs *needs) { bp_buf_release_take(&needs->granted); }

static void on_part_released(bp_wrap *wrap, uint8_t *data, void *user) {
    (void)wrap, (void)data;
    bp_buf_release(user);
}

static bp_buf *take_part(bpi_needs *needs, uint32_t size) {
    bp_buf *whole = needs->granted;
    if (part_size(size) > bp_buf_capacity(whole) - needs->used) return NULL;
    uint8_t *at = bp_buf_data(whole) + needs->used;
    needs->used += (uint32_t)part_size(size);
    bp_wrap *wrap = (bp_wrap *)(void *)at;
    bp_buf *part = bp_buf_wrap(wrap, at + sizeof *wrap, size, on_part_released, bp_buf_retain(whole));
    bp_buf_set_length(part, 0);
    return part;
}

/* What was reserved, where it fits; NULL: the pool is asked. */
static bp_buf *take_granted(bpi_needs *needs, uint64_t size) {
    bp_buf *granted = needs->granted;
    if (granted == NULL || size == 0 || size > bp_buf_capacity(granted)) return NULL;
    if (needs->is_shared) return take_part(needs, (uint32_t)size);
    needs->granted = NULL;
    return granted;
}

/* Notes what a handler asks for, and gives it that, or BP_ERR_LIMIT. */
__attribute__((always_inline)) static inline bp_err acquire_noted(bp_conn *conn, uint64_t size, bp_buf **out) {
    bpi_needs *needs = &conn->end->loop->needs;
    note(needs, size);
    if (BP_UNLIKELY(needs->granted != NULL)) {
        *out = take_granted(needs, size);
        if (*out != NULL) return BP_OK;
    }
    const bp_err err = bp_pool_acquire(conn->end->pool, size, out);
    if (BP_UNLIKELY(err == BP_ERR_LIMIT)) needs->is_refused = true;
    return err;
}

bp_err bp_conn_acquire(bp_conn *conn, uint64_t size, bp_buf **out) {
    if (conn->end->loop->handling != conn) return bp_pool_acquire(conn->end->pool, size, out);
    return acquire_noted(conn, size, out);
}

/* A frame that has a buffer already, or may be lent one, or needs the smallest one, or cannot be kept. */
__attribute__((noinline)) static bp_err keep_otherwise(bp_conn *conn, bp_buf **out) {
    bp_frame *frame = conn->end->loop->frame;
    *out = NULL;
    if (conn->end->loop->handling != conn || conn->reader.kept == conn->reader.frame_count) return BP_ERR_ARGUMENT;
    if (frame->buf != NULL) return bp_reader_keep(&conn->reader, frame, out);
    *out = bpi_reader_borrow(&conn->reader, frame->info, frame->length);
    const bp_err err = *out != NULL ? BP_OK : acquire_noted(conn, frame->length == 0 ? 1 : frame->length, out);
    if (err == BP_OK) bpi_reader_put(&conn->reader, frame, *out);
    return err;
}

/* A frame that lies in the landing chunk is copied into a buffer. */
bp_err bp_conn_keep(bp_conn *conn, bp_buf **out) {
    const bpi_loop *loop = conn->end->loop;
    const bp_frame *frame = loop->frame;
    bp_reader *reader = &conn->reader;
    bp_err err;
    if (BP_LIKELY(loop->handling == conn && reader->kept != reader->frame_count && frame->buf == NULL &&
                  frame->length != 0 && reader->config->lend == NULL)) {
        bp_buf *buf;
        err = acquire_noted(conn, frame->length, &buf);
        *out = buf;
        if (BP_LIKELY(err == BP_OK)) bpi_reader_put(reader, frame, buf);
    } else {
        err = keep_otherwise(conn, out);
    }
    conn->kept_count += err == BP_OK;
    return err;
}
