#define _GNU_SOURCE
/* How connections that wait for memory end. */
#include "tests/support/system_faults.h"
#include "tests/support/wait_rig.h"

#include <sys/socket.h>
#include <unistd.h>

static bpt_hogs hogs;

enum state { CUT, NEEDY, OVER, UNREAD, STATES };
enum ending { CLOSED, FINISHED, STOPPED, FREED, PEER_RESETS, PEER_CLOSES, ENDINGS };

typedef struct waiter {
    bpt_rig rig;
    int fd;        /* the raw peer of the connection that ends */
    bp_conn *conn; /* that connection */
    bpt_wire wire;
    int other_fd; /* the one that has the budget, -1 */
    bpt_wire other_wire;
} waiter;

/* Has the raw peer's connection wait, in the given state. */
static void make_wait(waiter *w, enum state state, int way) {
    *w = (waiter){.other_fd = -1};
    bpt_wait_start(&w->rig, way, state == OVER ? 1 : 0);
    bpt_wait_expect(9000, 1);
    w->rig.server.on_frame = bpt_wait_answer;
    for (int ix = 0; ix < 2; ix++) bpt_wait_join(&w->rig, ix, way);
    if (state == OVER) w->other_fd = bpt_wait_begin_frame(&w->rig, &w->other_wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 1);
    w->fd = bpt_rig_raw_met(&w->rig);
    w->conn = w->rig.server.conn;
    bpt_hogs_fill(&hogs, bpt_wait_pool(&w->rig));
    if (state == UNREAD) bpt_wait_keep_chunk(&w->rig);
    const uint64_t others = bpt_waiting(&w->rig);
    if (state == CUT || state == OVER)
        bpt_wire_add(&w->wire, BPT_HUGE_TYPE, BPT_HUGE_MIN, 1);
    else
        bpt_wire_add(&w->wire, BPT_SMALL_TYPE, 20, 1);
    bpt_raw_write(w->fd, w->wire.data, w->wire.length / 2 < 100 ? w->wire.length : w->wire.length / 2);
    bpt_rig_until(&w->rig, bpt_waiting(&w->rig) == others + 1);
}

static void reset(int fd) {
    const struct linger at_once = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(fd);
}

static void end_it(waiter *w, enum ending ending) {
    switch (ending) {
    case CLOSED: bp_conn_close(w->conn, BP_ERR_PERMISSION); break;
    case FINISHED: bp_conn_finish(w->conn); break;
    case STOPPED: bp_server_stop(w->rig.server.server); break;
    case FREED: bp_server_free_take(&w->rig.server.server); break;
    case PEER_RESETS: reset(w->fd); break;
    default: close(w->fd); break;
    }
    if (ending == PEER_RESETS || ending == PEER_CLOSES) w->fd = -1;
}

/* Runs the loop until the condition holds; it does not wait for its timers in earnest. */
#define until_in_a_hurry(rig, condition)                                                                               \
    do {                                                                                                               \
        bpt_clock_hurry(true);                                                                                         \
        bpt_rig_until(rig, condition);                                                                                 \
        bpt_clock_hurry(false);                                                                                        \
    } while (0)

static void end_waiter(waiter *w) {
    if (w->fd >= 0) close(w->fd);
    if (w->other_fd >= 0) close(w->other_fd);
    bpt_wire_free(&w->wire);
    bpt_wire_free(&w->other_wire);
    bpt_rig_fini(&w->rig);
}

/* Each connection but the one that ends gets what it waits for. */
static void check_others(waiter *w, enum state state) {
    bpt_hogs_free(&hogs);
    if (state == UNREAD) bpt_rig_until(&w->rig, w->rig.clients[0].frames == 1);
    bpt_send(w->rig.clients[0].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&w->rig, w->rig.clients[0].frames == (state == UNREAD ? 2u : 1u));
    ck_assert_uint_eq(bpt_waiting(&w->rig), 0);
}

/* _i: state, ending, transport, whether its grant is under way when it ends. */
START_TEST(a_waiting_connection_can_end_in_every_way) {
    const enum state state = (enum state)(_i % STATES);
    const enum ending ending = (enum ending)(_i / STATES % ENDINGS);
    const int way = 2 + _i / (STATES * ENDINGS) % 2;
    const bool is_granted = _i / (STATES * ENDINGS * 2) != 0;
    bp_pool *pool;
    waiter w;
    if (bpt_way_is_unix(way) && ending == PEER_RESETS) return;  /* they have none */
    if (!bpt_way_is_unix(way) && ending == PEER_CLOSES) return; /* half closed, and perhaps still reading */
    if (ending == PEER_CLOSES && (state == NEEDY || state == UNREAD)) return; /* its frame came whole: see below */
    make_wait(&w, state, way);
    pool = bp_pool_retain(bpt_wait_pool(&w.rig));
    if (is_granted) bpt_hogs_free(&hogs);
    end_it(&w, ending);
    if (ending == STOPPED || ending == FREED) {
        bpt_rig_until(&w.rig, w.rig.server.closes == w.rig.server.opens);
        bpt_err(w.rig.server.why, BP_ERR_CLOSED);
        bpt_hogs_free(&hogs);
    } else {
        const unsigned closes = 1;
        if (ending == FINISHED) {
            bpt_wait_settle(&w.rig);
            close(w.fd);
            w.fd = -1;
        }
        until_in_a_hurry(&w.rig, w.rig.server.closes == closes);
        if (ending == CLOSED) bpt_err(w.rig.server.why, BP_ERR_PERMISSION);
        if (ending == FINISHED) bpt_err(w.rig.server.why, BP_ERR_CLOSED);
        if (ending == PEER_RESETS && !is_granted) bpt_err(w.rig.server.why, BP_ERR_RESET);
        check_others(&w, state);
    }
    end_waiter(&w);
    ck_assert_uint_eq(bpt_pool_in_use(pool), 0);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(what_a_peer_sent_before_it_closed_is_still_handed_on) {
    waiter w;
    uv_timer_t timer;
    bool is_over = false;
    make_wait(&w, _i == 0 ? NEEDY : UNREAD, 3);
    end_it(&w, PEER_CLOSES);
    uv_timer_init(&w.rig.loop, &timer);
    timer.data = &is_over;
    uv_timer_start(&timer, bpt_note_time, 1200, 0); /* more than one look at whether the peer is there */
    until_in_a_hurry(&w.rig, is_over);
    uv_close((uv_handle_t *)&timer, NULL);
    ck_assert_uint_eq(w.rig.server.closes, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&w.rig, w.rig.server.closes == 1);
    ck_assert_uint_eq(bpt_got.seeds[bpt_got.count - 1], 1);
    end_waiter(&w);
}
END_TEST

/* Whether the handler ran again before the connection was closed. */
static bool runs_again_after_a_broken_write(void) {
    bpt_rig rig;
    bpt_wire wire = {0};
    bpt_wait_start(&rig, 3, 0);
    bpt_wait_expect(9000, 1);
    rig.server.on_frame = bpt_wait_answer;
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    for (int i = 0; i < 8; i++) bpt_send(rig.server.conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    bpt_wait_settle(&rig);
    ck_assert_uint_gt(bp_conn_queued_bytes(rig.server.conn), 4 * BPT_HUGE_MAX);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 20, 1);
    bpt_raw_write(fd, wire.data, wire.length);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    close(fd);
    bpt_rig_until(&rig, rig.server.closes == 1); /* though the hogs give nothing back */
    bpt_err(rig.server.why, BP_ERR_RESET);
    bpt_hogs_free(&hogs);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
    return bpt_got.runs == 2;
}

/* Else everybody could wait for memory that nobody will ever write out. A look at whether the peer is there may come
 * first, but not every time. */
START_TEST(a_waiting_connection_whose_peer_is_gone_gives_its_queue_back) {
    ck_assert(runs_again_after_a_broken_write() || runs_again_after_a_broken_write() ||
              runs_again_after_a_broken_write());
}
END_TEST

START_TEST(a_pool_that_is_closed_ends_who_waits) {
    waiter w;
    make_wait(&w, (enum state)_i, 2);
    bp_pool_close(bpt_wait_pool(&w.rig));
    bpt_rig_until(&w.rig, w.rig.server.closes == 1);
    bpt_err(w.rig.server.why, BP_ERR_CLOSED);
    bpt_hogs_free(&hogs);
    end_waiter(&w);
}
END_TEST

BPT_LONG_SUITE(transport_wait_end) {
    BPT_LOOP_TEST(a_waiting_connection_can_end_in_every_way, 0, 4 * STATES * ENDINGS);
    BPT_LOOP_TEST(what_a_peer_sent_before_it_closed_is_still_handed_on, 0, 2);
    BPT_TEST(a_waiting_connection_whose_peer_is_gone_gives_its_queue_back);
    BPT_LOOP_TEST(a_pool_that_is_closed_ends_who_waits, 0, NEEDY + 1);
}
