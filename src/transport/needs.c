#define _GNU_SOURCE
/* The buffers that a handler asks its connection for. They are remembered in their order, so that a handler that was
 * refused one can be run again with all of them.
 *
 * One buffer is reserved as it is. Several are reserved as one that all of them fit into: connections that each had a
 * part and waited for more could wait for each other for ever. */
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

bp_err bp_conn_acquire(bp_conn *conn, uint64_t size, bp_buf **out) {
    bpi_loop *loop = conn->end->loop;
    if (loop->handling != conn) return bp_pool_acquire(conn->end->pool, size, out);
    note(&loop->needs, size);
    *out = take_granted(&loop->needs, size);
    if (BP_UNLIKELY(*out != NULL)) return BP_OK;
    const bp_err err = bp_pool_acquire(conn->end->pool, size, out);
    if (BP_UNLIKELY(err == BP_ERR_LIMIT)) loop->needs.is_refused = true;
    return err;
}

/* A frame that lies in the landing chunk is copied into a buffer. */
static bp_err keep_copy(bp_conn *conn, bp_buf **out) {
    const bp_frame *frame = conn->end->loop->frame;
    bp_err err = bp_conn_acquire(conn, frame->length == 0 ? 1 : frame->length, out);
    if (err == BP_OK) err = bp_reader_keep_in(&conn->reader, frame, *out);
    if (err != BP_OK) bp_buf_release_take(out);
    return err;
}

bp_err bp_conn_keep(bp_conn *conn, bp_buf **out) {
    const bpi_loop *loop = conn->end->loop;
    *out = NULL;
    if (loop->handling != conn) return BP_ERR_ARGUMENT;
    if (conn->reader.kept == conn->reader.frame_count) return BP_ERR_ARGUMENT;
    const bool is_lent = loop->frame->buf == NULL;
    const bp_err err = is_lent ? keep_copy(conn, out) : bp_reader_keep(&conn->reader, loop->frame, out);
    if (err == BP_OK) conn->kept_count++;
    return err;
}
