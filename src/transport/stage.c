#define _GNU_SOURCE
/* The staging buffer of a loop: lent to one connection at a time, which copies its small frames there when it sends
 * them, while they are warm, and gives their buffers back. */
#include "frame/frame_internal.h"
#include "transport/send_internal.h"

#include "base/os.h"
#include "base/wipe.h"

enum { FRAME_MAX = BP_FRAME_HEADER_SIZE + BP_FRAME_STAGE_MAX };

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

void bpi_stage_open(bpi_stage *stage) {
    const bp_conn *conn = stage->holder;
    stage->limit = 0;
    if (conn == NULL || stage->is_stuck || conn->write != NULL || bpi_writer_count(&conn->writer) != 0) return;
    if (bpi_send_state(conn) != BP_OK) return;
    stage->limit = (uint32_t)least(BP_FRAME_WRITE_MAX, stage->length + bpi_send_room(conn));
}

void bpi_stage_give_back(bpi_stage *stage) {
    if (stage->holder->end->has_sensitive) bpi_wipe(stage->data, stage->length);
    stage->holder = NULL;
    stage->length = stage->count = stage->limit = stage->first = 0;
    stage->is_stuck = false;
}

/* Sockets may be full for the first time at any time: who writes alone on its loop allocates nothing then. */
static void start_writing(bpi_loop *loop) {
    loop->stage.data = bpi_os.alloc_raw(BP_FRAME_WRITE_MAX);
    if (loop->stage.data != NULL) bpi_spares_keep_one(&loop->writes, sizeof(bpi_write));
}

uint8_t *bpi_stage_data(bpi_loop *loop) {
    if (loop->stage.data == NULL) start_writing(loop);
    return loop->stage.data;
}

static bool lend(bpi_loop *loop, bp_conn *conn) {
    bpi_stage *stage = &loop->stage;
    if (bpi_stage_data(loop) == NULL) return false;
    stage->holder = conn;
    stage->may_yield = false;
    bpi_loop_mark_dirty(loop, conn);
    return true;
}

/* Takes the stage from another connection. Not from one whose handler runs: what that sends may have to be taken back.
 * Nor from one in the middle of its sends: two that are sent to in turns would cost a write for every frame. */
static bool take_over(bpi_loop *loop) {
    bpi_stage *stage = &loop->stage;
    if (stage->is_stuck || !stage->may_yield || stage->holder == loop->handling) return false;
    bpi_stage_reclaim(loop);
    return stage->holder == NULL;
}

/* Writes a full stage out. Within its handler a connection writes nothing. */
static bool make_room(bp_conn *conn) {
    const bpi_loop *loop = conn->end->loop;
    if (loop->handling == conn || conn->turn_writes >= BPI_STAGE_WRITES) return false;
    conn->turn_writes++;
    bpi_write_out(conn, 1);
    return loop->stage.holder == conn && loop->stage.length == 0 && !loop->stage.is_stuck;
}

uint8_t *bpi_stage_room(bp_conn *conn, uint64_t size) {
    bpi_loop *loop = conn->end->loop;
    bpi_stage *stage = &loop->stage;
    if (size > FRAME_MAX || conn->write != NULL || bpi_writer_count(&conn->writer) != 0) return NULL;
    if (stage->holder != NULL && stage->holder != conn && !take_over(loop)) return NULL;
    if (stage->holder == conn && stage->length + size > BP_FRAME_WRITE_MAX && !make_room(conn)) return NULL;
    if (stage->holder == NULL && !lend(loop, conn)) return NULL;
    return stage->data + stage->length;
}

void bpi_stage_reclaim(bpi_loop *loop) {
    bpi_stage *stage = &loop->stage;
    bp_conn *holder = stage->holder;
    if (holder == NULL || stage->is_stuck) return;
    if (stage->length != 0) bpi_write_out(holder, 1);
    if (stage->holder == holder && stage->length == 0) bpi_stage_give_back(stage);
}

void bpi_stage_drop(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    if (loop->stage.begun.conn == conn) bpi_begun_drop(loop);
    if (loop->stage.holder == conn) bpi_stage_give_back(&loop->stage);
}

/* ---- what is in it ---- */

void bpi_stage_cut(bpi_stage *stage, uint32_t length, uint32_t count) {
    if (stage->holder->end->has_sensitive) bpi_wipe(stage->data + length, stage->length - length);
    stage->length = length;
    stage->count = count;
    if (length == 0) stage->first = 0;
    bpi_stage_open(stage);
}

uint32_t bpi_stage_ended(const bpi_stage *stage, uint32_t bytes) {
    uint32_t ended = stage->first != 0 && stage->first <= bytes ? 1 : 0;
    for (uint64_t at = stage->first; at + BP_FRAME_HEADER_SIZE <= bytes;) {
        at += (uint64_t)BP_FRAME_HEADER_SIZE + bpi_load_u32(stage->data + at + 2);
        if (at <= bytes) ended++;
    }
    return ended;
}

void bpi_stage_fill(bp_conn *conn) {
    bpi_stage *stage = &conn->end->loop->stage;
    bp_piece pieces[BP_WRITER_PIECES];
    if (stage->holder != conn || stage->length != 0 || conn->write != NULL) return;
    if (bpi_writer_count(&conn->writer) == 0) return;
    const bool is_begun = conn->writer.queue->head_done != 0;
    const uint32_t head_left = bpi_writer_head_left(&conn->writer);
    (void)bp_writer_gather(&conn->writer, stage->data, BP_FRAME_WRITE_MAX, BP_FRAME_WRITE_MAX, pieces);
    if (pieces[0].data != stage->data) return;
    stage->first = is_begun ? head_left : 0;
    stage->length = (uint32_t)pieces[0].length;
    stage->count = bpi_writer_moved(&conn->writer, stage->length);
    bpi_end_unqueued(conn->end, stage->length);
    bpi_stage_open(stage);
}

void bpi_send_between(bp_conn *conn) {
    const bpi_loop *loop = conn->end->loop;
    if (loop->stage.holder != conn || conn->write != NULL || conn->turn_writes >= BPI_STAGE_WRITES) return;
    if (bp_conn_queued_bytes(conn) < BP_FRAME_WRITE_MAX) return;
    conn->turn_writes++;
    bpi_write_out(conn, 1);
    bpi_stage_fill(conn);
}

/* ---- frames that are written where they leave from ---- */

void bpi_begun_drop(bpi_loop *loop) {
    bpi_begun *begun = &loop->stage.begun;
    if (begun->conn == NULL) return;
    if (begun->buf == NULL && begun->conn->end->has_sensitive) bpi_wipe(begun->data, begun->size_max);
    begun->conn = NULL;
    bp_buf_release_take(&begun->buf);
}

static bp_err begin_in_buffer(bp_conn *conn, uint16_t type, uint32_t size_max) {
    bp_buf *buf = NULL;
    const bp_err err = bp_conn_acquire(conn, size_max == 0 ? 1 : size_max, &buf);
    if (err != BP_OK) return err;
    if (conn->end->has_sensitive) bp_buf_set_sensitive(buf);
    bpi_stage_begin(conn->stage, conn, bp_buf_data(buf), type, size_max);
    conn->end->loop->stage.begun.buf = buf;
    return BP_OK;
}

/* Where a full queue drops frames, that is decided when the frame is ended. */
static bp_err begin_anywhere(bp_conn *conn, uint16_t type, uint32_t size_max) {
    const uint64_t size = (uint64_t)BP_FRAME_HEADER_SIZE + size_max;
    uint8_t *room = NULL;
    bp_err err = type == 0 ? BP_ERR_ARGUMENT : bpi_send_check(conn);
    if (err != BP_OK) return err;
    if (bpi_send_has_room(conn, size)) {
        room = bpi_stage_room(conn, size);
        err = bpi_send_check(conn);
    } else {
        err = bpi_send_refuse(conn);
    }
    if (err != BP_OK) return err;
    if (room == NULL) return begin_in_buffer(conn, type, size_max);
    bpi_stage_open(&conn->end->loop->stage);
    bpi_stage_begin(conn->stage, conn, room + BP_FRAME_HEADER_SIZE, type, size_max);
    return BP_OK;
}

bp_err bpi_frame_begin_slow(bp_conn *conn, uint16_t type, uint32_t size_max, uint8_t **value) {
    const bp_err err = begin_anywhere(conn, type, size_max);
    *value = err == BP_OK ? conn->end->loop->stage.begun.data : NULL;
    return err;
}

bp_err bp_conn_frame_begin_plain(bp_conn *conn, uint16_t type, uint32_t size_max, uint8_t **value) {
    return bp_conn_frame_begin(conn, type, size_max, value);
}

static bp_err end_in_buffer(bp_conn *conn, uint32_t length) {
    bpi_loop *loop = conn->end->loop;
    bp_buf *buf = loop->stage.begun.buf;
    loop->stage.begun.buf = NULL;
    loop->stage.begun.conn = NULL;
    bp_buf_set_length(buf, length);
    bp_buf_set_type(buf, loop->stage.begun.type);
    const bp_err err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

bp_err bpi_frame_end_slow(bp_conn *conn, uint32_t length) {
    const bpi_begun *begun = &conn->stage->begun;
    if (begun->conn != conn) return conn->state == BPI_CONN_OPEN ? BP_ERR_ARGUMENT : BP_ERR_CLOSED;
    return length > begun->size_max ? BP_ERR_ARGUMENT : end_in_buffer(conn, length);
}

bp_err bp_conn_frame_end_plain(bp_conn *conn, uint32_t length) { return bp_conn_frame_end(conn, length); }

void bp_conn_frame_drop(bp_conn *conn) {
    if (conn->end->loop->stage.begun.conn == conn) bpi_begun_drop(conn->end->loop);
}
