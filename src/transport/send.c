#define _GNU_SOURCE
/* What a connection takes to send, and what becomes of what it does not take. */
#include "frame/frame_internal.h"
#include "transport/send_internal.h"
#include "transport/service_internal.h"
#include "transport/wait_internal.h"

uint64_t bpi_send_limit(const bp_conn *conn) {
    const uint32_t limit = conn->end->config.send_queue_bytes;
    return limit == 0 ? BPI_QUEUE_BYTES_DEFAULT : limit;
}

bp_err bpi_send_state(const bp_conn *conn) {
    if (conn->state != BPI_CONN_OPEN || !conn->is_opened) return BP_ERR_CLOSED;
    return conn->is_broken ? (bp_err)conn->why : BP_OK;
}

bp_err bpi_send_check(const bp_conn *conn) {
    const bp_err err = bpi_send_state(conn);
    if (err != BP_OK) return err;
    return conn->end->loop->stage.begun.conn == NULL ? BP_OK : BP_ERR_ARGUMENT;
}

/* ---- limits ---- */

uint64_t bp_conn_queued_bytes(const bp_conn *conn) {
    const bpi_stage *stage = &conn->end->loop->stage;
    const uint64_t written = conn->write == NULL ? 0 : conn->write->staged_bytes;
    const bool is_staged = stage->holder == conn && !stage->is_stuck;
    return bpi_writer_bytes(&conn->writer) + written + (is_staged ? stage->length : 0);
}

static uint64_t end_queued_bytes(const bpi_end *end) {
    const bpi_stage *stage = &end->loop->stage;
    const bool is_staged = stage->holder != NULL && stage->holder->end == end && !stage->is_stuck;
    const uint64_t queued = __atomic_load_n(&end->share->queued_bytes, __ATOMIC_RELAXED);
    return queued + (is_staged ? stage->length : 0);
}

static uint64_t room_below(uint64_t limit, uint64_t used) { return used < limit ? limit - used : 0; }

uint64_t bpi_send_room(const bp_conn *conn) {
    const bpi_end *end = conn->end;
    const uint64_t own = room_below(bpi_send_limit(conn), bp_conn_queued_bytes(conn));
    if (end->config.inflight_bytes == 0) return own;
    const uint64_t all = room_below(end->config.inflight_bytes, end_queued_bytes(end));
    return own < all ? own : all;
}

bool bpi_send_has_room(const bp_conn *conn, uint64_t size) {
    if (size <= bpi_send_room(conn)) return true;
    /* A frame above a limit goes alone, or it could never be sent. */
    if (bp_conn_queued_bytes(conn) != 0) return false;
    return conn->end->config.inflight_bytes == 0 || end_queued_bytes(conn->end) == 0;
}

/* Those of the end that were refused look again. */
static void end_full(bpi_end *end) {
    __atomic_store_n(&end->is_full, false, __ATOMIC_RELAXED);
    (void)__atomic_fetch_sub(&end->share->full_count, 1, __ATOMIC_SEQ_CST);
    for (bp_conn *conn = end->conns; conn != NULL; conn = conn->next) {
        if (conn->is_refused && conn->write == NULL) bpi_loop_mark_dirty(end->loop, conn);
    }
}

static uint64_t queued_now(const bpi_end *end) {
    return __atomic_load_n(&end->share->queued_bytes, __ATOMIC_SEQ_CST);
}

/* From here on other loops tell of room; what they freed just before, they did not. Without such a change nobody is
 * told: who sends a frame of more than half of the limit again and again would never come to sleep. */
static void begin_full(bpi_end *end) {
    const uint64_t half = end->config.inflight_bytes / 2, before = queued_now(end);
    if (end->is_full || end->config.inflight_bytes == 0) return;
    __atomic_store_n(&end->is_full, true, __ATOMIC_RELAXED);
    (void)__atomic_fetch_add(&end->share->full_count, 1, __ATOMIC_SEQ_CST);
    const uint64_t now = queued_now(end);
    if (now <= half && (before > half || now == 0)) end_full(end);
}

static void note_full(bp_conn *conn) {
    conn->is_refused = true;
    begin_full(conn->end);
}

/* A connection that is not blocked looks after itself when it is dirty. */
void bpi_send_await_room(bp_conn *conn) {
    note_full(conn);
    if (conn->write == NULL) bpi_loop_mark_dirty(conn->end->loop, conn);
}

bool bpi_send_must_wait(bp_conn *conn, uint64_t size) {
    if (conn->state != BPI_CONN_OPEN || conn->is_broken) return false;
    if (conn->end->config.full_policy != BP_FULL_REFUSE || bpi_send_has_room(conn, size)) return false;
    note_full(conn);
    return true;
}

static bp_err refuse(bp_conn *conn) {
    note_full(conn);
    bpi_conn_counts(conn)->sends_refused++;
    return BP_ERR_QUEUE_FULL;
}

bp_err bpi_send_refuse(bp_conn *conn) {
    switch (conn->end->config.full_policy) {
    case BP_FULL_DROP_NEW:
    case BP_FULL_DROP_OLD: return BP_OK;
    case BP_FULL_CLOSE: bp_conn_close(conn, BP_ERR_QUEUE_FULL); return BP_ERR_QUEUE_FULL;
    default: return refuse(conn);
    }
}

/* Bytes of the queue that are on their way. */
static uint64_t begun_bytes(const bp_conn *conn) {
    return conn->write == NULL ? 0 : conn->write->bytes - conn->write->staged_bytes;
}

/* What is dropped stays counted as queued, so it is taken off what is counted as out. */
static void drop_oldest(bp_conn *conn, uint64_t size) {
    const uint64_t before = bpi_writer_bytes(&conn->writer), room = bpi_send_room(conn);
    const uint32_t dropped = bpi_writer_drop_oldest(&conn->writer, begun_bytes(conn), room_below(size, room));
    bp_conn_stats *counts = bpi_conn_counts(conn);
    counts->frames_dropped += dropped;
    counts->frames_out -= dropped;
    bpi_end_unqueued(conn->end, before - bpi_writer_bytes(&conn->writer));
}

/* Makes room for a frame, or does with it what is to be done instead: *buf is then NULL, or the answer an error. */
static bp_err make_room_take(bp_conn *conn, bp_buf **buf, uint64_t size) {
    const bp_err err = bpi_send_refuse(conn);
    if (err != BP_OK) return err;
    if (conn->end->config.full_policy == BP_FULL_DROP_OLD) drop_oldest(conn, size);
    if (bpi_send_has_room(conn, size)) return BP_OK;
    bpi_conn_counts(conn)->frames_dropped++;
    bp_buf_release_take(buf);
    return BP_OK;
}

/* A queue that was full is half empty again. */
static bool has_drained(const bp_conn *conn) {
    const bpi_end *end = conn->end;
    return bp_conn_queued_bytes(conn) <= bpi_send_limit(conn) / 2 && !end->is_full;
}

void bpi_send_tell_drained(bp_conn *conn) {
    const bp_conn_config *config = &conn->end->config;
    if (!conn->is_refused || !has_drained(conn)) return;
    conn->is_refused = false;
    bpi_port_drained(conn);
    bpi_service_tell_drain(conn);
    if (config->on_drain != NULL && conn->state == BPI_CONN_OPEN) config->on_drain(conn, config->user);
    conn->end->loop->stage.may_yield = true;
}

void bpi_end_queued(bpi_end *end, uint64_t count) {
    if (end->config.inflight_bytes == 0) return;
    (void)__atomic_fetch_add(&end->share->queued_bytes, count, __ATOMIC_SEQ_CST);
}

void bpi_end_unqueued(bpi_end *end, uint64_t count) {
    if (end->config.inflight_bytes == 0 || count == 0) return;
    const uint64_t left = __atomic_sub_fetch(&end->share->queued_bytes, count, __ATOMIC_SEQ_CST);
    if (left > end->config.inflight_bytes / 2) return;
    if (end->is_full) end_full(end);
    if (__atomic_load_n(&end->share->full_count, __ATOMIC_SEQ_CST) != 0) bpi_share_tell_room(end->share);
}

void bpi_send_turn(bpi_loop *loop) {
    bpi_end *end = loop->shared;
    if (end == NULL || !__atomic_load_n(&end->is_roomy, __ATOMIC_ACQUIRE)) return;
    __atomic_store_n(&end->is_roomy, false, __ATOMIC_RELAXED);
    if (end->is_full) end_full(end);
}

/* ---- sending ---- */

bp_err bpi_send_queue_take(bp_conn *conn, bp_buf **buf) {
    bpi_loop *loop = conn->end->loop;
    const uint64_t before = bpi_writer_bytes(&conn->writer);
    const bool is_first = conn->writer.queue == NULL;
    const bp_err err = bp_writer_push_take(&conn->writer, buf);
    if (err != BP_OK) return err;
    bpi_end_queued(conn->end, bpi_writer_bytes(&conn->writer) - before);
    conn->has_queued = true;
    if (is_first) bpi_deadline_watch(loop); /* which gives the queue's memory back */
    /* The holder's, if it is this one; another's limits have changed. */
    loop->stage.limit = 0;
    if (conn->write == NULL) bpi_loop_mark_dirty(loop, conn);
    return BP_OK;
}

static inline void copy_words(uint8_t *to, const uint8_t *from, int count) {
    for (int i = 0; i < count; i++) bpi_store_u64(to + 8 * i, bpi_load_u64(from + 8 * i));
}

/* Copies a value that was written just now. Its bytes are still on their way to the cache, in stores as wide as its
 * fields, and a wider load than that waits for them to arrive (Intel, Optimization Reference Manual, "Store
 * Forwarding"): small values are copied by words, from both ends, which overlap in the middle. */
static inline void copy_new(uint8_t *to, const uint8_t *from, uint32_t length) {
    if (length > 64 || length < 8) {
        bpi_copy(to, from, length);
    } else if (length > 32) {
        copy_words(to, from, 4);
        copy_words(to + length - 32, from + length - 32, 4);
    } else if (length > 16) {
        copy_words(to, from, 2);
        copy_words(to + length - 16, from + length - 16, 2);
    } else {
        copy_words(to, from, 1);
        copy_words(to + length - 8, from + length - 8, 1);
    }
}

/* Copies the frame to the stage, where there is room for it. */
__attribute__((always_inline)) static inline void stage_take(bpi_stage *stage, bp_buf **buf) {
    const uint32_t length = bp_buf_length(*buf);
    uint8_t *at = stage->data + stage->length;
    bpi_store_head(at, bp_buf_type(*buf), length);
    copy_new(at + BP_FRAME_HEADER_SIZE, bp_buf_data(*buf), length);
    bpi_stage_add(stage, BP_FRAME_HEADER_SIZE + length);
    bp_buf_release_take(buf);
}

__attribute__((noinline)) static bp_err send_otherwise_take(bp_conn *conn, bp_buf **buf) {
    const uint64_t size = (uint64_t)BP_FRAME_HEADER_SIZE + bp_buf_length(*buf);
    bp_err err = bp_buf_type(*buf) == 0 ? BP_ERR_ARGUMENT : bpi_send_check(conn);
    if (err != BP_OK) return err;
    if (!bpi_send_has_room(conn, size)) err = make_room_take(conn, buf, size);
    if (err != BP_OK || *buf == NULL) return err;
    const bool is_staged = bpi_stage_room(conn, size) != NULL;
    err = bpi_send_check(conn); /* writing out may have failed */
    if (err != BP_OK) return err;
    if (!is_staged) return bpi_send_queue_take(conn, buf);
    stage_take(&conn->end->loop->stage, buf);
    bpi_stage_open(&conn->end->loop->stage);
    return BP_OK;
}

bp_err bp_conn_send_take(bp_conn *conn, bp_buf **buf) {
    const bool fits = bpi_stage_fits(conn->stage, conn, bp_buf_length(*buf));
    if (BP_UNLIKELY(!fits || bp_buf_type(*buf) == 0)) return send_otherwise_take(conn, buf);
    stage_take(conn->stage, buf);
    return BP_OK;
}

void bp_conn_finish(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    if (conn->state != BPI_CONN_OPEN) return;
    if (conn->is_broken) {
        bp_conn_close(conn, (bp_err)conn->why);
        return;
    }
    bp_conn_frame_drop(conn);
    bpi_port_shut(conn);
    if (conn->state == BPI_CONN_OPEN) bpi_control_finish(conn);
    if (conn->state != BPI_CONN_OPEN) return; /* a call that was posted ended it, or there was no memory */
    bpi_wait_end(conn);
    conn->is_paused = false;
    conn->state = BPI_CONN_FINISHING;
    bpi_conn_update_reading(conn);
    bpi_deadline_begin(conn);
    if (loop->stage.holder == conn) loop->stage.limit = 0;
    if (conn->write == NULL) bpi_loop_mark_dirty(loop, conn);
}

/* ---- taking back ---- */

void bpi_send_rollback(bp_conn *conn, const bpi_send_mark *mark) {
    bpi_stage *stage = &conn->end->loop->stage;
    const uint64_t before = bpi_writer_bytes(&conn->writer), sent = conn->writer.frame_count - mark->frame_count;
    /* Of what was sent since, the oldest may have been dropped; what was on its way then still is. */
    const uint32_t most = bpi_writer_count(&conn->writer) - bpi_writer_begun_count(&conn->writer, begun_bytes(conn));
    bp_conn_frame_drop(conn);
    bpi_writer_take_back(&conn->writer, sent < most ? (uint32_t)sent : most);
    bpi_end_unqueued(conn->end, before - bpi_writer_bytes(&conn->writer));
    if (stage->holder == conn && !stage->is_stuck) bpi_stage_cut(stage, mark->staged_bytes, mark->staged_count);
}
