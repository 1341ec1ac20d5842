#define _GNU_SOURCE
/* When what was sent leaves: at the end of a turn, when the stage is needed, and when a full socket has room again. */
#include "frame/frame_internal.h"
#include "transport/send_internal.h"

#include "base/wipe.h"

enum { TRY_PIECES = BP_WRITER_PIECES + 1, STAGE_MIN = 64 /* a writer asks for so much */ };

/* A write that is tried: what is staged, then what fits of the queue. */
typedef struct attempt {
    bp_piece pieces[TRY_PIECES];
    size_t count;
    uint64_t bytes;
    uint8_t *scratch; /* where headers and small frames of the queue were copied */
    size_t scratch_length;
} attempt;

static uint32_t staged_bytes(const bp_conn *conn) {
    const bpi_stage *stage = &conn->end->loop->stage;
    return stage->holder == conn ? stage->length : 0;
}

bool bpi_send_is_empty(const bp_conn *conn) {
    return conn->write == NULL && bpi_writer_count(&conn->writer) == 0 && staged_bytes(conn) == 0;
}

/* Of a peer that is gone, what it sent before is still read, up to its end, unless nobody reads. Any other error comes
 * without an end to wait for. */
static void write_failed(bp_conn *conn, int status) {
    const bp_err why = bpi_err_from_uv(status);
    if (why != BP_ERR_RESET || conn->state == BPI_CONN_FINISHING || conn->is_paused) {
        bp_conn_close(conn, why);
    } else {
        conn->is_broken = true;
        conn->why = (uint16_t)why;
        bpi_stage_drop(conn);
        bpi_conn_drop_queue(conn); /* it may be long until the end is read: others, and it, may wait for that memory */
    }
}

static void wipe(const bp_conn *conn, uint8_t *from, size_t size) {
    if (conn->end->has_sensitive) bpi_wipe(from, size);
}

static void queue_left(bp_conn *conn, uint64_t bytes) {
    bp_writer_wrote(&conn->writer, bytes);
    bpi_end_unqueued(conn->end, bytes);
}

static void count_write(bp_conn *conn, uint64_t bytes) {
    conn->has_moved = true;
    conn->writes++;
    conn->bytes_out += bytes;
}

/* libuv's buffers are not const, but it only reads them. */
static uv_buf_t uv_piece(bp_piece piece) {
    return uv_buf_init((char *)(uintptr_t)piece.data, (unsigned)piece.length);
}

/* ---- a blocked connection ---- */

static void give_write(bp_conn *conn, bpi_write *write) {
    wipe(conn, write->stage, sizeof write->stage);
    bp_buf_release_take(&write->rest);
    bpi_end_unqueued(conn->end, write->staged_bytes);
    bpi_spares_give(&conn->end->loop->writes, write);
}

static void on_written(uv_write_t *request, int status) {
    bp_conn *conn = request->data;
    bpi_write *write = conn->write;
    bpi_stage *stage = &conn->end->loop->stage;
    conn->write = NULL;
    if (status == 0) {
        count_write(conn, write->bytes);
        conn->writer.frame_count += write->staged_count;
        queue_left(conn, write->bytes - write->staged_bytes);
    }
    give_write(conn, write);
    if (stage->holder == conn && stage->is_stuck) bpi_stage_give_back(stage);
    if (conn->state == BPI_CONN_CLOSING) return;
    if (status != 0)
        write_failed(conn, status);
    else
        bpi_loop_mark_dirty(conn->end->loop, conn);
}

/* Where `left` staged bytes may wait: with the write, in a buffer, or NULL: where they are. */
static uint8_t *find_room(bp_conn *conn, bpi_write *write, uint32_t left) {
    if (left <= sizeof write->stage) return write->stage;
    if (bp_pool_acquire(conn->end->pool, left, &write->rest) != BP_OK) return NULL;
    if (conn->end->has_sensitive) bp_buf_set_sensitive(write->rest);
    return bp_buf_data(write->rest);
}

/* What the socket did not take of what is staged goes first. */
static void move_rest(bp_conn *conn, bpi_write *write, uint32_t done, uv_buf_t *out) {
    bpi_stage *stage = &conn->end->loop->stage;
    const uint32_t left = stage->length - done;
    uint8_t *to = find_room(conn, write, left);
    write->staged_count = stage->count;
    if (to != NULL) {
        bpi_copy_many(to, stage->data + done, left);
        bpi_stage_give_back(stage);
    } else {
        to = stage->data;
        memmove(to, to + done, left);
        stage->is_stuck = true;
        bpi_stage_cut(stage, left, stage->count);
    }
    write->staged_bytes = left;
    *out = uv_buf_init((char *)to, left);
}

/* A little of the queue; what of it was copied needs its buffers no more. */
static size_t move_queue(bp_conn *conn, bpi_write *write, uv_buf_t bufs[BP_WRITER_PIECES]) {
    bp_piece pieces[BP_WRITER_PIECES];
    const size_t count = bp_writer_gather(&conn->writer, write->stage, sizeof write->stage, 0, pieces);
    write->staged_bytes = 0;
    write->staged_count = 0;
    if (pieces[0].data == write->stage) {
        write->staged_bytes = (uint32_t)pieces[0].length;
        write->staged_count = bpi_writer_moved(&conn->writer, pieces[0].length);
        bpi_end_unqueued(conn->end, pieces[0].length);
    }
    for (size_t i = 0; i < count; i++) bufs[i] = uv_piece(pieces[i]);
    return count;
}

/* The socket is full: lets libuv write a little as soon as there is room. done: bytes of the stage that left. */
static void wait_for_room(bp_conn *conn, uint32_t done) {
    uv_buf_t bufs[BP_WRITER_PIECES];
    size_t count = 1;
    bpi_write *write = bpi_spares_take(&conn->end->loop->writes, sizeof *write);
    if (write == NULL) {
        bp_conn_close(conn, BP_ERR_NO_MEMORY);
        return;
    }
    if (staged_bytes(conn) > done)
        move_rest(conn, write, done, bufs);
    else
        count = move_queue(conn, write, bufs);
    write->bytes = 0;
    for (size_t i = 0; i < count; i++) write->bytes += bufs[i].len;
    bpi_end_queued(conn->end, write->staged_bytes);
    write->request.data = conn;
    conn->write = write;
    const int status = uv_write(&write->request, &conn->handle.stream, bufs, (unsigned)count, on_written);
    if (status == 0) {
        bpi_deadline_write(conn);
        return;
    }
    conn->write = NULL;
    give_write(conn, write);
    write_failed(conn, status);
}

/* ---- a write that is tried ---- */

static void add_piece(attempt *a, bp_piece piece) {
    a->pieces[a->count++] = piece;
    a->bytes += piece.length;
}

static void gather(const bp_conn *conn, attempt *a) {
    const uint32_t staged = staged_bytes(conn);
    bp_piece pieces[BP_WRITER_PIECES];
    size_t count = 0, i = 0;
    if (a->scratch_length >= STAGE_MIN) {
        count = bp_writer_gather(&conn->writer, a->scratch, a->scratch_length, BP_FRAME_WRITE_MAX - staged, pieces);
    }
    if (staged != 0) {
        bp_piece first = {a->scratch - staged, staged};
        if (count != 0 && pieces[0].data == a->scratch) first.length += pieces[i++].length;
        add_piece(a, first);
    }
    for (; i < count; i++) add_piece(a, pieces[i]);
}

/* The first sent bytes of an attempt left. Returns how many of them were staged, where that is not all of it. */
static uint32_t account(bp_conn *conn, uint64_t sent) {
    bpi_stage *stage = &conn->end->loop->stage;
    const uint32_t staged = staged_bytes(conn);
    if (sent != 0) count_write(conn, sent);
    if (sent < staged) {
        const uint32_t ended = bpi_stage_ended(stage, (uint32_t)sent);
        conn->writer.frame_count += ended;
        stage->count -= ended;
        return (uint32_t)sent;
    }
    if (staged != 0) {
        conn->writer.frame_count += stage->count;
        stage->count = 0;
    }
    queue_left(conn, sent - staged);
    if (staged != 0) bpi_stage_cut(stage, 0, 0);
    return 0;
}

/* One write. False: the socket took less than was there to be written, or failed. */
static bool write_once(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    bpi_stage *stage = &loop->stage;
    uint8_t small[BPI_BLOCKED_STAGE];
    uv_buf_t bufs[TRY_PIECES];
    attempt a = {.scratch = small, .scratch_length = sizeof small};
    if ((stage->holder == NULL || stage->holder == conn) && bpi_stage_data(loop) != NULL) {
        a.scratch = stage->data + staged_bytes(conn);
        a.scratch_length = BP_FRAME_WRITE_MAX - staged_bytes(conn);
    }
    gather(conn, &a);
    for (size_t i = 0; i < a.count; i++) bufs[i] = uv_piece(a.pieces[i]);
    const int status = uv_try_write(&conn->handle.stream, bufs, (unsigned)a.count);
    const uint64_t sent = status > 0 ? (uint64_t)status : 0;
    wipe(conn, a.scratch, a.bytes < a.scratch_length ? (size_t)a.bytes : a.scratch_length);
    const uint32_t done = account(conn, sent);
    if (sent == a.bytes) return true;
    if (status < 0 && status != UV_EAGAIN)
        write_failed(conn, status);
    else
        wait_for_room(conn, done);
    return false;
}

void bpi_write_out(bp_conn *conn, int most) {
    bpi_loop *loop = conn->end->loop;
    if (loop->stage.begun.conn == conn) bpi_begun_drop(loop);
    while (most-- > 0 && !bpi_send_is_empty(conn) && write_once(conn)) {}
}

/* ---- the end of a turn ---- */

/* Everything is sent: tells the peer so, and waits until it has ended too. Closing while unread bytes are here would
 * make the system reset the connection, and the peer might lose what it has not read yet. */
static void shut_down(bp_conn *conn) {
    uv_os_fd_t fd;
    if (conn->has_ended || uv_fileno(&conn->handle.any, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
        bp_conn_close(conn, BP_ERR_CLOSED);
        return;
    }
    conn->has_left = conn->end->goodbye != NULL;
    conn->state = BPI_CONN_LINGERING;
}

/* The scratch bytes of others must not be written over, nor their frames wait for a turn. */
static void write_turn(bp_conn *conn) {
    bpi_stage *stage = &conn->end->loop->stage;
    if (stage->holder != conn) bpi_stage_reclaim(conn->end->loop);
    bpi_write_out(conn, BPI_FLUSH_WRITES);
    if (stage->holder == conn && stage->length == 0) bpi_stage_give_back(stage);
}

void bpi_conn_flush(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    bpi_begun_drop(loop);
    conn->turn_writes = 0;
    if (conn->write != NULL || conn->is_broken) return;
    write_turn(conn);
    if (conn->state == BPI_CONN_OPEN && !conn->is_broken) bpi_send_tell_drained(conn);
    if (conn->state == BPI_CONN_FINISHING && bpi_send_is_empty(conn)) shut_down(conn);
    const bool is_sending = conn->state == BPI_CONN_OPEN || conn->state == BPI_CONN_FINISHING;
    if (is_sending && !conn->is_broken && conn->write == NULL && !bpi_send_is_empty(conn)) {
        bpi_loop_mark_dirty(loop, conn);
    }
}
