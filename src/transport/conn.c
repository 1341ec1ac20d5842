#define _GNU_SOURCE
/* A connection's life and what it receives; what it sends is in send.c. */
#include "frame/frame_internal.h"
#include "transport/send_internal.h"
#include "transport/service_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"
#include "base/wipe.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

bp_err bpi_conn_new(bpi_end *end, bp_conn **out) {
    bp_conn *conn = bpi_os.alloc(sizeof *conn + end->sessions_size);
    *out = conn;
    if (conn == NULL) return BP_ERR_NO_MEMORY;
    conn->end = end;
    conn->stage = &end->loop->stage;
    conn->state = BPI_CONN_CONNECTING;
    bp_reader_init(&conn->reader, &end->reader);
    bp_writer_init(&conn->writer);
    conn->next = end->conns;
    if (conn->next != NULL) conn->next->previous = conn;
    end->conns = conn;
    end->conn_count++;
    return BP_OK;
}

bpi_aside *bpi_conn_aside(bp_conn *conn) {
    if (conn->aside == NULL) conn->aside = bpi_os.alloc(sizeof *conn->aside);
    return conn->aside;
}

bp_conn_stats *bpi_conn_counts(bp_conn *conn) {
    bpi_aside *aside = bpi_conn_aside(conn);
    return aside == NULL ? &conn->end->closed : &aside->counts;
}

void bpi_conn_has_handle(bp_conn *conn) {
    conn->has_handle = true;
    conn->end->handle_count++;
}

static void unlink_conn(bp_conn *conn) {
    bpi_end *end = conn->end;
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        end->conns = conn->next;
    if (conn->next != NULL) conn->next->previous = conn->previous;
    end->conn_count--;
    bpi_loop_forget(end->loop, conn);
    if (end->conn_count == 0) bpi_deadline_rest(end->loop);
}

void bpi_conn_drop_queue(bp_conn *conn) {
    const uint64_t sent_count = conn->writer.frame_count - bpi_writer_count(&conn->writer);
    bpi_end_unqueued(conn->end, bpi_writer_bytes(&conn->writer));
    bp_writer_fini(&conn->writer);
    conn->writer.frame_count = sent_count;
}

/* Every buffer is back before on_close; the counts stay readable. */
static void release_frames(bp_conn *conn) {
    bp_reader_fini(&conn->reader);
    bpi_conn_drop_queue(conn);
}

void bpi_conn_gone(bp_conn *conn) {
    bpi_end *end = conn->end;
    const bp_err why = (bp_err)conn->why;
    unlink_conn(conn);
    bpi_conn_stats_add(conn, &end->closed);
    if (why != BP_ERR_END && why != BP_ERR_CLOSED) end->failed_count++;
    release_frames(conn);
    end->conn_gone(end, conn);
    bpi_port_gone(conn);
    if (conn->is_opened) bpi_service_tell_close(conn, why);
    if (end->config.on_close != NULL && (conn->is_opened || end->is_client)) {
        end->config.on_close(conn, why, end->config.user);
    }
    bpi_conn_free(conn);
    if (end->conn_left != NULL) end->conn_left(end);
}

void bpi_conn_on_handle_closed(uv_handle_t *handle) {
    bp_conn *conn = bpi_conn_of(handle);
    bpi_end *end = conn->end;
    if (bpi_wait_outlasts_handle(conn)) return;
    bpi_conn_gone(conn);
    bpi_end_handle_closed(end);
}

void bp_conn_close(bp_conn *conn, bp_err why) {
    if (conn->state == BPI_CONN_CLOSING) return;
    if (conn->state == BPI_CONN_CONNECTING) bpi_resolution_abandon(conn);
    bpi_control_close(conn, why);
    conn->state = BPI_CONN_CLOSING;
    conn->why = (uint16_t)(why == BP_OK ? BP_ERR_CLOSED : why);
    bpi_wait_end(conn);
    bpi_stage_drop(conn);
    if (conn->has_handle && !uv_is_closing(&conn->handle.any)) {
        uv_close(&conn->handle.any, bpi_conn_on_handle_closed);
    }
}

/* A frame that breaks its contract is counted and by policy passed over; everything else ends the connection. Out of
 * line: what it needs of registers would cost each frame that is in order. */
__attribute__((noinline)) static bp_err judge(bp_conn *conn, bp_err err, bool is_invalid) {
    /* No answers of a handler: BP_MORE would read as the end of what is here. */
    if (err == BP_MORE || err == BP_PENDING) return BP_ERR_ARGUMENT;
    if (!is_invalid) return err;
    bpi_conn_counts(conn)->frames_invalid++;
    return conn->end->config.invalid == BP_INVALID_DROP ? BP_OK : err;
}

/* A control frame, or one of a connection that has something of its own to say about frames; or one that is
 * nobody's. */
__attribute__((noinline)) static bp_err hand_on_otherwise(bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bp_conn_config *config = &conn->end->config;
    bp_err err = BP_OK;
    if ((frame->type == 0 || !conn->is_plain) && bpi_control_takes(conn, frame, &err)) return err;
    if (frame->info != NULL) {
        const bp_service *service = &config->services[frame->schema_ix];
        return service->dispatch(service, conn, frame, is_invalid);
    }
    return config->on_unknown == NULL ? BP_OK : config->on_unknown(conn, frame, config->user);
}

static inline bp_err hand_on(bp_conn *conn, const bp_frame *frame) {
    bp_err err;
    bool is_invalid = false;
    if (BP_LIKELY(frame->info != NULL && conn->is_plain)) {
        const bp_service *service = &conn->end->config.services[frame->schema_ix];
        err = service->dispatch(service, conn, frame, &is_invalid);
    } else {
        err = hand_on_otherwise(conn, frame, &is_invalid);
    }
    return BP_LIKELY(err == BP_OK) ? BP_OK : judge(conn, err, is_invalid);
}

/* The handler needs memory: BP_PENDING, where nothing came of it and it is to run again. */
__attribute__((noinline)) static bp_err needs_memory(bp_conn *conn, const bpi_send_mark *mark) {
    const bool is_kept = conn->reader.kept == conn->reader.frame_count;
    if (bpi_needs_size(&conn->end->loop->needs) == 0 || is_kept || conn->state != BPI_CONN_OPEN) return BP_ERR_LIMIT;
    bpi_send_rollback(conn, mark);
    return BP_PENDING;
}

static inline bool goes_on(const bp_conn *conn, bp_err err) { return err == BP_OK && conn->state == BPI_CONN_OPEN; }

/* Has the frame's handler run. BP_PENDING: the handler needs memory, nothing came of it, and it is to run again. */
static inline bp_err handle_frame(bp_conn *conn, const bp_frame *frame) {
    const bpi_send_mark mark = bpi_send_mark_of(conn);
    bpi_needs_begin(&conn->end->loop->needs);
    const bp_err err = hand_on(conn, frame);
    if (BP_UNLIKELY(err == BP_ERR_LIMIT)) return needs_memory(conn, &mark);
    if (BP_UNLIKELY(conn->has_queued) && bpi_writer_count(&conn->writer) != 0 && goes_on(conn, err)) {
        bpi_send_between(conn);
    }
    return err;
}

/* Handles frames as long as they are whole. As bp_reader_each would, without a call in between: where frames are small,
 * that takes as long as finding them. */
static bp_err handle_whole(bp_conn *conn, bp_frame *frame) {
    bp_reader *reader = &conn->reader;
    const bp_type_map *types = reader->config->types;
    const uint8_t *const end = reader->end, *at = reader->at;
    bp_err err = BP_OK;
    if (reader->state != BPI_BETWEEN) return BP_OK;
    frame->buf = NULL;
    while (BP_LIKELY(goes_on(conn, err)) && (at = bpi_find_whole(types, at, end, frame)) != NULL) {
        reader->at = at;
        reader->frame_count++;
        err = handle_frame(conn, frame);
    }
    return err;
}

/* Then the next one, which is cut, or not to be handed on without a second look. */
static bp_err handle_more(bp_conn *conn, bp_frame *frame) {
    bp_err err = handle_whole(conn, frame);
    if (!goes_on(conn, err)) return err;
    err = bp_reader_next(&conn->reader, frame);
    return err == BP_OK ? handle_frame(conn, frame) : err;
}

/* Why no more are handled: BP_OK: a handler closed or finished the connection; BP_PENDING: the one of *frame is to run
 * again. */
static bp_err handle_frames(bp_conn *conn, bp_frame *frame, bool is_again) {
    bpi_loop *loop = conn->end->loop;
    const uint64_t frames_before = bpi_conn_frames(conn);
    bp_err err = BP_OK;
    loop->handling = conn;
    loop->frame = frame;
    if (is_again && conn->state == BPI_CONN_OPEN) {
        err = handle_frame(conn, frame);
        bpi_needs_end(&loop->needs);
    }
    while (goes_on(conn, err)) err = handle_more(conn, frame);
    loop->handling = NULL;
    loop->frame = NULL;
    loop->stage.may_yield = true;
    bpi_begun_drop(loop);
    if (err == BP_MORE) bpi_deadline_read(conn, frames_before);
    return err;
}

void bpi_conn_take_frames(bp_conn *conn, bp_frame *frame, bool is_again) {
    for (;;) {
        bp_err err = handle_frames(conn, frame, is_again);
        if (BP_LIKELY(err == BP_MORE)) return;
        is_again = err == BP_PENDING;
        if (is_again)
            err = bpi_wait_for_needs(conn, frame);
        else if (err == BP_ERR_LIMIT)
            err = bpi_wait_for_cut(conn);
        if (err == BP_PENDING) return;
        if (err == BP_OK && conn->state == BPI_CONN_OPEN) continue;
        bp_reader_drop(&conn->reader);
        if (err != BP_OK) bp_conn_close(conn, err);
        return;
    }
}

/* ---- reading ---- */

/* Whether the connection has been read as much in this turn as others may have to wait for. */
static bool has_had_its_turn(bp_conn *conn) {
    const bpi_loop *loop = conn->end->loop;
    const uint16_t turn = (uint16_t)loop->turn;
    if (conn->turn != turn) conn->turn_bytes = 0;
    conn->turn = turn;
    return conn->turn_bytes >= BPI_TURN_CHUNKS * BPI_LANDING_SIZE;
}

/* Without any space libuv reports UV_ENOBUFS to on_read, where alone reading may be stopped. */
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    bp_conn *conn = bpi_conn_of(handle);
    bpi_loop *loop = conn->end->loop;
    bp_span space = {NULL, 0};
    (void)suggested;
    if (!has_had_its_turn(conn)) {
        uint8_t *chunk = bpi_landing_chunk(loop);
        space = (bp_span){chunk, chunk == NULL ? 0 : BPI_LANDING_SIZE};
        if (conn->state == BPI_CONN_OPEN)
            space = bp_reader_space(&conn->reader, space.data, space.length);
        else if (chunk == NULL)
            space = (bp_span){loop->scrap, sizeof loop->scrap};
    }
    *buf = uv_buf_init((char *)space.data, (unsigned)space.length);
}

/* What was queued in this turn of the loop still gets its chance to leave. */
void bpi_conn_read_ended(bp_conn *conn, int status) {
    bp_err why = bpi_err_from_uv(status);
    conn->has_ended = true;
    conn->is_reading = false;
    if (conn->state == BPI_CONN_LINGERING) {
        bp_conn_close(conn, BP_ERR_CLOSED);
    } else if (conn->state == BPI_CONN_FINISHING) {
        uv_read_stop(&conn->handle.stream);
        if (status != UV_EOF) bp_conn_close(conn, why);
    } else {
        if (status == UV_EOF && bp_reader_end(&conn->reader) != BP_OK) why = BP_ERR_LOST;
        /* Something was sent to a peer that was gone already: it did not end well. */
        if (why == BP_ERR_END) why = conn->is_broken ? (bp_err)conn->why : bpi_control_ended(conn);
        if (why == BP_ERR_END) bpi_conn_flush(conn);
        bp_conn_close(conn, why);
    }
}

static void came(bp_conn *conn, const uv_buf_t *buf, size_t count) {
    bp_frame frame;
    conn->has_moved = true;
    conn->reads++;
    conn->bytes_in += count;
    conn->turn_bytes += (uint32_t)count;
    if (conn->state == BPI_CONN_OPEN) {
        bp_reader_fed(&conn->reader, (bp_span){(uint8_t *)buf->base, buf->len}, count);
        bpi_conn_take_frames(conn, &frame, false);
    } else if (conn->end->has_sensitive) {
        bpi_wipe(buf->base, count);
    }
}

static ssize_t receive(int fd, uint8_t *to, size_t count, int flags) {
    ssize_t n;
    do n = recv(fd, to, count, flags | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Takes what was handed on out of the socket, too. Where that fails the peer is gone, as nothing may come twice. */
static void take_peeked(bp_conn *conn, int fd, uint8_t *chunk, size_t count) {
    size_t taken = 0;
    ssize_t n = 1;
    if (conn->state == BPI_CONN_CLOSING) return;
    while (taken < count && (n = receive(fd, chunk, count - taken, 0)) > 0) taken += (size_t)n;
    if (conn->end->has_sensitive) bpi_wipe(chunk, count);
    if (n <= 0) bpi_conn_read_ended(conn, n == 0 ? UV_EOF : -errno);
}

/* Hands on count bytes of the chunk; returns how many were taken. */
static size_t handle_peeked(bp_conn *conn, uint8_t *chunk, size_t count, bool is_again) {
    bpi_landing *landing = &conn->end->loop->landing;
    bp_frame frame;
    landing->is_peeked = true;
    landing->unread_size = 0;
    bp_reader_fed(&conn->reader, (bp_span){chunk, BPI_LANDING_SIZE}, count);
    is_again = is_again && bp_reader_next(&conn->reader, &frame) == BP_OK;
    bpi_conn_take_frames(conn, &frame, is_again);
    landing->is_peeked = false;
    return count - landing->unread_size;
}

/* Once a chunk is kept, the other one has to serve everybody else: what a connection cannot take at once stays in its
 * socket, however many there are of them. */
void bpi_conn_read_peeked(bp_conn *conn, bool is_again) {
    bpi_landing *landing = &conn->end->loop->landing;
    uint8_t *chunk = landing->free[landing->free_count - 1];
    uv_os_fd_t fd;
    if (uv_fileno(&conn->handle.any, &fd) != 0) return;
    const ssize_t n = receive(fd, chunk, BPI_LANDING_SIZE, MSG_PEEK);
    if (n > 0) {
        const size_t count = handle_peeked(conn, chunk, (size_t)n, is_again);
        conn->has_moved = true;
        conn->reads++;
        conn->bytes_in += count;
        conn->turn_bytes += (uint32_t)count;
        take_peeked(conn, fd, chunk, count);
    } else if (n == 0 || errno != EAGAIN) {
        bpi_conn_read_ended(conn, n == 0 ? UV_EOF : -errno);
    }
}

/* libuv had no space to read into: for this turn, or while a chunk is kept, or for want of memory. */
static void read_otherwise(bp_conn *conn) {
    if (has_had_its_turn(conn)) return;
    if (conn->end->loop->landing.memory == NULL)
        bp_conn_close(conn, BP_ERR_NO_MEMORY);
    else
        bpi_conn_read_peeked(conn, false);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
    bp_conn *conn = bpi_conn_of(stream);
    conn->end->loop->event_count++;
    if (count > 0)
        came(conn, buf, (size_t)count);
    else if (count == UV_ENOBUFS && buf->len == 0)
        read_otherwise(conn);
    else if (count < 0)
        bpi_conn_read_ended(conn, (int)count);
}

static bool wants_to_read(const bp_conn *conn) {
    switch (conn->state) {
    case BPI_CONN_OPEN: return !conn->is_paused && !bpi_conn_is_waiting(conn);
    case BPI_CONN_FINISHING:
    case BPI_CONN_LINGERING: return !conn->has_ended;
    default: return false;
    }
}

void bpi_conn_update_reading(bp_conn *conn) {
    const bool is_wanted = wants_to_read(conn);
    if (conn->is_reading == is_wanted || !conn->has_handle || uv_is_closing(&conn->handle.any)) return;
    conn->is_reading = is_wanted;
    if (is_wanted && conn->state == BPI_CONN_OPEN) bpi_deadline_renew(conn);
    const int status =
        is_wanted ? uv_read_start(&conn->handle.stream, on_alloc, on_read) : uv_read_stop(&conn->handle.stream);
    if (status != 0) bp_conn_close(conn, bpi_err_from_uv(status));
}

void bpi_conn_tell_open(bp_conn *conn) {
    const bp_conn_config *config = &conn->end->config;
    conn->is_opened = true;
    bpi_deadline_renew(conn);
    bpi_service_tell_open(conn);
    if (config->on_open != NULL) config->on_open(conn, config->user);
    conn->end->loop->stage.may_yield = true;
}

void bpi_conn_open(bp_conn *conn) {
    conn->state = BPI_CONN_OPEN;
    bpi_conn_update_reading(conn);
    bpi_control_open(conn);
    if (conn->end->config.hello != BP_HELLO_REQUIRED) bpi_conn_tell_open(conn);
}

void bp_conn_pause(bp_conn *conn) {
    if (conn->state != BPI_CONN_OPEN || conn->is_paused) return;
    conn->is_paused = true;
    bpi_conn_update_reading(conn);
    bpi_deadline_watch(conn->end->loop);
    if (conn->is_broken) bp_conn_close(conn, (bp_err)conn->why);
}

void bp_conn_resume(bp_conn *conn) {
    if (conn->state != BPI_CONN_OPEN || !conn->is_paused) return;
    conn->is_paused = false;
    bpi_conn_update_reading(conn);
}

void bp_conn_set_data(bp_conn *conn, void *data) { conn->handle.any.data = data; }

void *bp_conn_data(const bp_conn *conn) { return conn->handle.any.data; }

void *bp_conn_session(bp_conn *conn, const bp_service *service) {
    const bpi_end *end = conn->end;
    const uint32_t ix = bpi_service_find(end, service->schema);
    const bool has_session = ix < end->config.service_count && end->config.services[ix].session_size != 0;
    return has_session ? (uint8_t *)(conn + 1) + end->session_at[ix] : NULL;
}

bp_pool *bp_conn_pool(const bp_conn *conn) { return conn->end->pool; }

void bpi_conn_stats_add(const bp_conn *conn, bp_conn_stats *sum) {
    sum->frames_in += conn->reader.frame_count;
    sum->bytes_in += conn->bytes_in;
    sum->frames_out += conn->writer.frame_count - bpi_writer_count(&conn->writer);
    sum->bytes_out += conn->bytes_out;
    sum->frames_skipped += conn->reader.skipped_count;
    sum->frames_kept += conn->kept_count;
    sum->reads += conn->reads;
    sum->writes += conn->writes;
    if (conn->aside != NULL) bpi_conn_stats_sum(sum, &conn->aside->counts);
    bpi_control_stats(conn, sum);
}

void bpi_conn_stats_sum(bp_conn_stats *sum, const bp_conn_stats *more) {
    sum->frames_in += more->frames_in;
    sum->bytes_in += more->bytes_in;
    sum->frames_out += more->frames_out;
    sum->bytes_out += more->bytes_out;
    sum->frames_skipped += more->frames_skipped;
    sum->frames_invalid += more->frames_invalid;
    sum->frames_kept += more->frames_kept;
    sum->frames_dropped += more->frames_dropped;
    sum->sends_refused += more->sends_refused;
    sum->waits += more->waits;
    sum->reads += more->reads;
    sum->writes += more->writes;
}

void bp_conn_stats_read(const bp_conn *conn, bp_conn_stats *out) {
    *out = (bp_conn_stats){0};
    bpi_conn_stats_add(conn, out);
}
