#define _GNU_SOURCE
/* How long a peer may take: one coarse timer per loop, active only while something of the loop has a deadline.
 *
 * Time is that of the loop's own clock, which the timer moves on: it stands still while nobody has a deadline, and
 * while the loop does (a handler that takes long, a stopped process) it moves on by two ticks at the most, as what
 * peers have sent meanwhile is not read yet. What happened since the last tick counts as if it had happened then, so
 * that a deadline needs one tick more than its time: nobody is cut off early.
 *
 * The same timer takes memory back from whoever had none of its use between two ticks. */
#include "frame/frame_internal.h"
#include "transport/send_internal.h"
#include "transport/service_internal.h"
#include "transport/wait_internal.h"

enum {
    TICK_MIN_MS = 10,
    TICK_MAX_MS = 500, /* also how often a stopped listener is tried again */
    TICKS_PER_DEADLINE = 4,
    HANDSHAKE_DEFAULT_MS = 10000,
    FRAME_DEFAULT_MS = 30000,
    STALL_DEFAULT_MS = 30000,
    FINISH_DEFAULT_MS = 10000
};

static uint32_t or_default(uint32_t asked, uint32_t otherwise) { return asked == 0 ? otherwise : asked; }

/* A quarter of the shortest deadline. */
static uint32_t tick_for(const bpi_deadlines *deadlines) {
    const uint32_t all[] = {deadlines->handshake_ms, deadlines->frame_ms, deadlines->idle_ms, deadlines->stall_ms,
                            deadlines->finish_ms};
    uint32_t tick = TICK_MAX_MS;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i] / TICKS_PER_DEADLINE < tick) tick = all[i] / TICKS_PER_DEADLINE;
    }
    return tick < TICK_MIN_MS ? TICK_MIN_MS : tick;
}

void bpi_deadlines_init(bpi_deadlines *deadlines, const bp_conn_config *config) {
    deadlines->handshake_ms = or_default(config->handshake_ms, HANDSHAKE_DEFAULT_MS);
    deadlines->frame_ms = or_default(config->frame_ms, FRAME_DEFAULT_MS);
    deadlines->idle_ms = or_default(config->idle_ms, UINT32_MAX);
    deadlines->stall_ms = or_default(config->stall_ms, STALL_DEFAULT_MS);
    deadlines->finish_ms = or_default(config->finish_ms, FINISH_DEFAULT_MS);
    deadlines->tick_ms = tick_for(deadlines);
}

/* ---- one connection ---- */

/* Whether what began at `since` has gone on for longer than its limit. */
static bool is_over(const bp_conn *conn, uint32_t since, uint32_t limit_ms) {
    const bpi_loop *loop = conn->end->loop;
    if (limit_ms == UINT32_MAX) return false;
    return (uint64_t)(uint32_t)(loop->clock_ms - since) >= (uint64_t)limit_ms + loop->tick_ms;
}

/* libuv writes what it was given piece by piece and tells only of the whole; what is left of it shows the progress. */
static bool is_stalled(bp_conn *conn) {
    bpi_write *write = conn->write;
    const size_t left = uv_stream_get_write_queue_size(&conn->handle.stream);
    if (left != write->left) {
        write->left = left;
        write->since = conn->end->loop->clock_ms;
    }
    return is_over(conn, write->since, conn->end->deadlines.stall_ms);
}

/* Of an open connection; *has_one: whether it has a deadline at all. A connection that does not read waits for this
 * side, so its peer owes it nothing. */
static bool is_open_late(bp_conn *conn, bool *has_one) {
    const bpi_deadlines *deadlines = &conn->end->deadlines;
    const bool is_reading = conn->is_reading;
    const bool has_idle = is_reading && deadlines->idle_ms != UINT32_MAX;
    const bool has_frame = is_reading && conn->is_inside && deadlines->frame_ms != UINT32_MAX;
    const bool has_stall = conn->write != NULL && deadlines->stall_ms != UINT32_MAX;
    *has_one = has_idle || has_frame || has_stall;
    return (has_idle && is_over(conn, conn->read_at, deadlines->idle_ms)) ||
           (has_frame && is_over(conn, conn->since, deadlines->frame_ms)) || (has_stall && is_stalled(conn));
}

static bool is_late(bp_conn *conn, bool *has_one) {
    const bpi_deadlines *deadlines = &conn->end->deadlines;
    uint32_t limit_ms = UINT32_MAX;
    switch ((bpi_conn_state)conn->state) {
    case BPI_CONN_CONNECTING: limit_ms = deadlines->handshake_ms; break;
    case BPI_CONN_OPEN:
        if (!bpi_conn_is_shaking_hands(conn)) return is_open_late(conn, has_one);
        limit_ms = deadlines->handshake_ms;
        break;
    case BPI_CONN_FINISHING:
    case BPI_CONN_LINGERING: limit_ms = deadlines->finish_ms; break;
    case BPI_CONN_CLOSING: break;
    }
    *has_one = limit_ms != UINT32_MAX;
    return is_over(conn, conn->since, limit_ms);
}

void bpi_deadline_begin(bp_conn *conn) {
    conn->since = conn->end->loop->clock_ms;
    bpi_deadline_watch(conn->end->loop);
}

void bpi_deadline_write(bp_conn *conn) {
    conn->write->since = conn->end->loop->clock_ms;
    conn->write->left = uv_stream_get_write_queue_size(&conn->handle.stream);
    bpi_deadline_watch(conn->end->loop);
}

void bpi_deadline_read(bp_conn *conn, uint64_t frames_before) {
    const bpi_loop *loop = conn->end->loop;
    const bool was_inside = conn->is_inside;
    conn->read_at = loop->clock_ms;
    conn->is_inside = bp_reader_is_inside(&conn->reader);
    if (bpi_conn_is_shaking_hands(conn)) return;
    if (!conn->is_inside || (was_inside && bpi_conn_frames(conn) == frames_before)) return;
    bpi_deadline_begin(conn);
}

void bpi_deadline_renew(bp_conn *conn) {
    conn->read_at = conn->end->loop->clock_ms;
    bpi_deadline_begin(conn);
}

/* ---- the loop ---- */

/* The memory of a queue in which nothing was since the last tick is given back, unless the connection had other traffic:
 * it would soon need it again. Whether it is still to be. */
static bool has_queue(bp_conn *conn) {
    if (!conn->has_queued && !conn->has_moved) bpi_writer_rest(&conn->writer);
    conn->has_queued = bpi_writer_count(&conn->writer) != 0;
    return conn->writer.queue != NULL;
}

static bool look_after_conns(bpi_end *end, uint32_t elapsed_ms, bool *has_moved) {
    bool is_needed = false;
    for (bp_conn *conn = end->conns, *next; conn != NULL; conn = next) {
        bool has_one = false;
        next = conn->next;
        if (is_late(conn, &has_one)) bp_conn_close(conn, BP_ERR_TIMEOUT);
        if (conn->state == BPI_CONN_OPEN && !conn->is_reading) {
            has_one = true;
            bpi_wait_check_peer(conn); /* nobody else would notice that it is gone */
        }
        has_one = has_queue(conn) || has_one;
        has_one = bpi_port_rest(conn) || has_one;
        has_one = bpi_service_tick(conn, elapsed_ms) || has_one;
        *has_moved = *has_moved || conn->has_moved;
        conn->has_moved = false;
        is_needed = is_needed || has_one;
    }
    return is_needed;
}

void bpi_loop_tick(bpi_loop *loop, uint32_t elapsed_ms) {
    bool is_needed = false, has_moved = false;
    loop->clock_ms += elapsed_ms;
    for (bpi_end *end = loop->ends, *next; end != NULL; end = next) {
        next = end->loop_next;
        is_needed = look_after_conns(end, elapsed_ms, &has_moved) || is_needed;
        is_needed = (end->on_tick != NULL && end->on_tick(end)) || is_needed;
    }
    is_needed = bpi_spares_trim(&loop->writes, has_moved) || is_needed;
    is_needed = bpi_spares_trim(&loop->waits, has_moved) || is_needed;
    if (!is_needed) uv_timer_stop(&loop->timer);
}

static void on_timer(uv_timer_t *timer) {
    bpi_loop *loop = timer->data;
    const uint64_t now = uv_now(loop->uv), elapsed = now - loop->ticked_at;
    loop->ticked_at = now;
    bpi_loop_tick(loop, elapsed > 2 * loop->tick_ms ? 2 * loop->tick_ms : (uint32_t)elapsed);
}

static void start_timer(bpi_loop *loop) {
    loop->ticked_at = uv_now(loop->uv);
    uv_timer_start(&loop->timer, on_timer, loop->tick_ms, loop->tick_ms);
}

void bpi_deadline_watch(bpi_loop *loop) {
    if (uv_is_active((uv_handle_t *)&loop->timer) || uv_is_closing((uv_handle_t *)&loop->timer)) return;
    start_timer(loop);
}

void bpi_deadline_rest(bpi_loop *loop) {
    for (const bpi_end *end = loop->ends; end != NULL; end = end->loop_next) {
        if (end->conn_count != 0 || end->needs_tick) return;
    }
    uv_timer_stop(&loop->timer);
    bpi_spares_rest(&loop->writes);
    bpi_spares_rest(&loop->waits);
}

static void set_tick(bpi_loop *loop) {
    loop->tick_ms = TICK_MAX_MS;
    for (const bpi_end *end = loop->ends; end != NULL; end = end->loop_next) {
        if (end->deadlines.tick_ms < loop->tick_ms) loop->tick_ms = end->deadlines.tick_ms;
    }
    if (uv_is_active((uv_handle_t *)&loop->timer)) start_timer(loop);
}

void bpi_deadline_join(bpi_end *end) {
    end->loop_next = end->loop->ends;
    end->loop->ends = end;
    set_tick(end->loop);
}

void bpi_deadline_leave(bpi_end *end) {
    bpi_end **at = &end->loop->ends;
    while (*at != NULL && *at != end) at = &(*at)->loop_next;
    if (*at != NULL) *at = end->loop_next;
    bpi_deadline_rest(end->loop);
    set_tick(end->loop);
}
