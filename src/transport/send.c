#define _GNU_SOURCE
/* What a connection sends: queued by the calls below, written once per turn of the loop. */
#include "transport/transport_internal.h"

#include "base/os.h"
#include "base/wipe.h"

static uint64_t queue_limit(const bp_conn *conn) {
    const uint32_t limit = conn->end->config.send_queue_bytes;
    return limit == 0 ? BPI_QUEUE_BYTES_DEFAULT : limit;
}

bp_err bp_conn_send_take(bp_conn *conn, bp_buf **buf) {
    const uint64_t queued = conn->writer.queued_bytes;
    if (BP_UNLIKELY(conn->state != BPI_CONN_OPEN)) return BP_ERR_CLOSED;
    if (BP_UNLIKELY(conn->is_broken)) return conn->why;
    /* A frame above the limit goes alone, or it could never be sent. */
    if (BP_UNLIKELY(queued != 0 && queued + BP_FRAME_HEADER_SIZE + bp_buf_length(*buf) > queue_limit(conn))) {
        conn->is_refused = true;
        conn->refused_count++;
        return BP_ERR_QUEUE_FULL;
    }
    const bp_err err = bp_writer_push_take(&conn->writer, buf);
    if (err == BP_OK && conn->write == NULL) bpi_loop_mark_dirty(conn->end->loop, conn);
    return err;
}

void bp_conn_finish(bp_conn *conn) {
    if (conn->state != BPI_CONN_OPEN) return;
    if (conn->is_broken) {
        bp_conn_close(conn, conn->why);
        return;
    }
    bp_conn_resume(conn);
    conn->state = BPI_CONN_FINISHING;
    bpi_deadline_begin(conn);
    if (conn->write == NULL) bpi_loop_mark_dirty(conn->end->loop, conn);
}

uint64_t bp_conn_queued_bytes(const bp_conn *conn) { return conn->writer.queued_bytes; }

/* Of a peer that is gone, what it sent before is still read, up to its end, unless nobody reads. Any other error comes
 * without an end to wait for. */
static void write_failed(bp_conn *conn, int status) {
    const bp_err why = bpi_err_from_uv(status);
    if (why != BP_ERR_RESET || conn->state == BPI_CONN_FINISHING || conn->is_paused) {
        bp_conn_close(conn, why);
    } else {
        conn->is_broken = true;
        conn->why = why;
    }
}

static void wrote(bp_conn *conn, uint64_t bytes) {
    conn->writes++;
    conn->bytes_out += bytes;
    bp_writer_wrote(&conn->writer, bytes);
}

static size_t gather(const bp_conn *conn, uint8_t *stage, size_t stage_length, uv_buf_t bufs[BP_WRITER_PIECES],
                     uint64_t *bytes) {
    bp_piece pieces[BP_WRITER_PIECES];
    const size_t count = bp_writer_gather(&conn->writer, stage, stage_length, 0, pieces);
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        /* libuv's buffers are not const, but it only reads them. */
        bufs[i] = uv_buf_init((char *)(uintptr_t)pieces[i].data, (unsigned)pieces[i].length);
        *bytes += pieces[i].length;
    }
    return count;
}

static void wipe_stage(const bp_conn *conn, uint8_t *stage, size_t size) {
    if (conn->end->has_sensitive) bpi_wipe(stage, size);
}

static void on_written(uv_write_t *request, int status) {
    bp_conn *conn = request->data;
    bpi_write *write = conn->write;
    conn->write = NULL;
    wipe_stage(conn, write->stage, sizeof write->stage);
    if (status == 0) wrote(conn, write->bytes);
    bpi_loop_give_write(conn->end->loop, write);
    if (conn->state == BPI_CONN_CLOSING) return;
    if (status != 0)
        write_failed(conn, status);
    else
        bpi_loop_mark_dirty(conn->end->loop, conn);
}

/* The socket is full: lets libuv write a little as soon as there is room. */
static void wait_for_room(bp_conn *conn) {
    uv_buf_t bufs[BP_WRITER_PIECES];
    bpi_write *write = bpi_loop_take_write(conn->end->loop);
    if (write == NULL) {
        bp_conn_close(conn, BP_ERR_NO_MEMORY);
        return;
    }
    write->request.data = conn;
    const size_t count = gather(conn, write->stage, sizeof write->stage, bufs, &write->bytes);
    const int status = uv_write(&write->request, &conn->handle.stream, bufs, (unsigned)count, on_written);
    if (status == 0) {
        conn->write = write;
        bpi_deadline_write(conn);
    } else {
        wipe_stage(conn, write->stage, sizeof write->stage);
        bpi_loop_give_write(conn->end->loop, write);
        write_failed(conn, status);
    }
}

/* Writes until the queue is empty, the socket full, or the connection's share of this turn used up. */
static void write_queue(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    for (int i = 0; i < BPI_FLUSH_WRITES && conn->writer.count != 0; i++) {
        uv_buf_t bufs[BP_WRITER_PIECES];
        uint64_t bytes;
        const size_t count = gather(conn, loop->stage, BP_FRAME_WRITE_MAX, bufs, &bytes);
        const int status = uv_try_write(&conn->handle.stream, bufs, (unsigned)count);
        wipe_stage(conn, loop->stage, bytes < BP_FRAME_WRITE_MAX ? (size_t)bytes : BP_FRAME_WRITE_MAX);
        if (status > 0) wrote(conn, (uint64_t)status);
        if (status > 0 && (uint64_t)status == bytes) continue;
        if (status < 0 && status != UV_EAGAIN)
            write_failed(conn, status);
        else
            wait_for_room(conn);
        return;
    }
}

/* Everything is sent: tells the peer so, and waits until it has ended too. Closing while unread bytes are here would
 * make the system reset the connection, and the peer might lose what it has not read yet. */
static void shut_down(bp_conn *conn) {
    uv_os_fd_t fd;
    if (conn->has_ended || uv_fileno(&conn->handle.any, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
        bp_conn_close(conn, BP_ERR_CLOSED);
        return;
    }
    conn->state = BPI_CONN_LINGERING;
}

static void tell_drained(bp_conn *conn) {
    const bp_conn_config *config = &conn->end->config;
    if (!conn->is_refused || conn->writer.queued_bytes > queue_limit(conn) / 2) return;
    conn->is_refused = false;
    if (config->on_drain != NULL) config->on_drain(conn, config->user);
}

void bpi_conn_flush(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    if (conn->write != NULL || conn->is_broken) return;
    if (loop->stage == NULL) loop->stage = bpi_os.alloc(BP_FRAME_WRITE_MAX);
    if (loop->stage == NULL) {
        bp_conn_close(conn, BP_ERR_NO_MEMORY);
        return;
    }
    write_queue(conn);
    if (conn->state == BPI_CONN_OPEN && !conn->is_broken) tell_drained(conn);
    if (conn->state == BPI_CONN_FINISHING && conn->writer.count == 0) shut_down(conn);
    const bool is_sending = conn->state == BPI_CONN_OPEN || conn->state == BPI_CONN_FINISHING;
    if (is_sending && !conn->is_broken && conn->write == NULL && conn->writer.count != 0) {
        bpi_loop_mark_dirty(loop, conn);
    }
}
