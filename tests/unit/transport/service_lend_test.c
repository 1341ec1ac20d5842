#define _GNU_SOURCE
/* Frames that lie in buffers which their service lends: whose they are, when memory is short and when the peer goes. */
#include "base/os.h"
#include "tests/support/hogs.h"
#include "tests/support/hook_rig.h"
#include "transport/server_internal.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT = 4 << 20, LENGTH = 100000, SHORT = 3000, SECRET = BPT_HOOK_A_TYPE + 1 };

static bpt_hogs hogs;
static bpt_hook_rig h; /* one is enough: each test begins anew */
static bp_buf *kept;

static bp_pool *pool(void) { return bp_server_pool(h.rig.server.server); }

static uint64_t lent_count(void) { return bpt_pool_in_use(h.server.a.lenders); }

static uint64_t waits(void) {
    bp_server_stats stats;
    bp_server_stats_read(h.rig.server.server, &stats);
    return stats.conn.waits;
}

/* A raw peer that has said nothing yet, of a server with a pool of LIMIT bytes. */
static int start(int way) {
    bpt_hook_rig_init(&h);
    bp_server_config server = bpt_rig_server_config(&h.rig, way);
    server.conn.pool_config.memory_limit = LIMIT;
    bpt_hooked_join(&h.server, &h.rig.server, &server.conn);
    bpt_ok(bp_heap_pool_new(0, &h.server.a.lenders));
    bpt_rig_listen(&h.rig, &server, way);
    const int fd = bpt_rig_raw(&h.rig);
    bpt_rig_until(&h.rig, h.rig.server.opens == 1);
    return fd;
}

static void end(int fd) {
    close(fd);
    bpt_rig_until(&h.rig, h.rig.server.closes == h.rig.server.opens);
    ck_assert_uint_eq(lent_count(), 0);
    ck_assert_uint_eq(bpt_pool_in_use(pool()), 0);
    ck_assert_uint_eq(h.rig.server.server->workers[0].end.share->budget.used, 0);
    bp_pool *lenders = h.server.a.lenders;
    bpt_hook_rig_fini(&h);
    bp_pool_release_take(&lenders);
}

/* As far as the server reads it. */
static void put(int fd, const bpt_wire *wire, size_t from, size_t to) {
    bp_server_stats stats;
    bp_server_stats_read(h.rig.server.server, &stats);
    const uint64_t before = stats.conn.bytes_in;
    for (size_t done = from; done < to;) {
        const ssize_t n = send(fd, wire->data + done, to - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) done += (size_t)n;
        uv_run(&h.rig.loop, UV_RUN_NOWAIT);
    }
    while (stats.conn.bytes_in != before + (to - from)) {
        uv_run(&h.rig.loop, UV_RUN_NOWAIT);
        bp_server_stats_read(h.rig.server.server, &stats);
    }
}

static void put_frame(int fd, uint16_t type, uint32_t length, uint64_t seed) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, type, length, seed);
    put(fd, &wire, 0, wire.length);
    bpt_wire_free(&wire);
}

/* ---- cut frames ---- */

static bp_err check_lent(bpt_hooked_service *service, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    bpt_must(frame->buf != NULL && frame->buf == service->lent);
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, service->frames));
    bpt_must(service->asked == service->frames && service->asked_type == frame->type);
    bpt_must(service->asked_length == frame->length);
    return BP_OK;
}

/* Whatever is there when the frame is cut, it comes through in the buffer that was lent, and takes nothing else. */
START_TEST(a_cut_frame_comes_through_while_there_is_no_memory) {
    enum { BYTES = 200 };
    const int fd = start(_i);
    h.server.a.on_frame = check_lent;
    bpt_hogs_fill(&hogs, pool());
    for (size_t cut = BP_FRAME_HEADER_SIZE; cut < BP_FRAME_HEADER_SIZE + BYTES; cut++) {
        bpt_wire wire = {0};
        bpt_wire_add(&wire, cut % 2 == 0 ? BPT_HOOK_A_TYPE : SECRET, BYTES, h.server.a.frames + 1);
        put(fd, &wire, 0, cut);
        bpt_must(lent_count() == 1);
        put(fd, &wire, cut, wire.length);
        bpt_must(lent_count() == 0);
        bpt_wire_free(&wire);
    }
    ck_assert_uint_eq(h.server.a.frames, BYTES);
    ck_assert_uint_eq(waits(), 0);
    bpt_hogs_free(&hogs);
    end(fd);
}
END_TEST

START_TEST(a_frame_byte_by_byte_and_a_large_one_come_through) {
    const int fd = start(_i);
    bpt_wire wire = {0};
    h.server.a.on_frame = check_lent;
    bpt_hogs_fill(&hogs, pool());
    bpt_wire_add(&wire, BPT_HOOK_A_TYPE, 300, 1);
    for (size_t at = 0; at < wire.length; at++) put(fd, &wire, at, at + 1);
    put_frame(fd, SECRET, LENGTH, 2);
    ck_assert_uint_eq(h.server.a.frames, 2);
    ck_assert_uint_eq(waits(), 0);
    bpt_hogs_free(&hogs);
    bpt_wire_free(&wire);
    end(fd);
}
END_TEST

/* Those of services that lend nothing wait for the pool, and are served from it. */
START_TEST(frames_of_other_services_are_the_pools) {
    const uint16_t types[] = {BPT_HOOK_B_TYPE, BPT_LARGE_TYPE};
    const int fd = start(_i % 2), other = bpt_rig_raw(&h.rig);
    bpt_wire wire = {0};
    bpt_rig_until(&h.rig, h.rig.server.opens == 2);
    h.server.a.on_frame = check_lent;
    bpt_hogs_fill(&hogs, pool());
    bpt_wire_add(&wire, types[_i / 2], SHORT, 1);
    bpt_raw_write(fd, wire.data, 100);
    bpt_rig_until(&h.rig, waits() == 1);
    bpt_raw_write(fd, wire.data + 100, wire.length - 100);
    put_frame(other, BPT_HOOK_A_TYPE, LENGTH, 1);
    ck_assert_uint_eq(h.server.a.frames, 1);
    ck_assert_uint_eq(h.server.b.frames + h.rig.server.frames, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&h.rig, h.server.b.frames + h.rig.server.frames == 1);
    ck_assert_uint_eq(h.server.a.asked, 1);
    ck_assert_uint_eq(h.server.b.asked, 0);
    close(other);
    bpt_wire_free(&wire);
    end(fd);
}
END_TEST

/* Without a buffer to lend the frame waits like any other. It is asked for anew when its wait is over. */
START_TEST(a_frame_that_is_lent_nothing_waits_for_the_pool) {
    const int fd = start(_i);
    bpt_wire wire = {0};
    bp_pool *lenders = h.server.a.lenders;
    h.server.a.lenders = NULL;
    bpt_hogs_fill(&hogs, pool());
    bpt_wire_add(&wire, BPT_HOOK_A_TYPE, SHORT, 1);
    bpt_raw_write(fd, wire.data, 100);
    bpt_rig_until(&h.rig, waits() == 1);
    h.server.a.lenders = lenders;
    bpt_raw_write(fd, wire.data + 100, wire.length - 100);
    bpt_rig_turn(&h.rig, 10);
    ck_assert_uint_eq(h.server.a.asked, 1);
    ck_assert_uint_eq(h.server.a.frames, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&h.rig, h.server.a.frames == 1);
    ck_assert_uint_eq(h.server.a.asked, 1); /* what was reserved for it is its own */
    bpt_wire_free(&wire);
    end(fd);
}
END_TEST

/* _i: the peer ends, it resets, this side closes, this side finishes. */
START_TEST(a_connection_that_ends_in_mid_frame_gives_the_buffer_back) {
    const struct linger at_once = {.l_onoff = 1};
    const int fd = start(0);
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_HOOK_A_TYPE, LENGTH, 1);
    put(fd, &wire, 0, SHORT);
    ck_assert_uint_eq(lent_count(), 1);
    if (_i == 0) shutdown(fd, SHUT_WR);
    if (_i == 1) bpt_must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    if (_i == 2) bp_conn_close(h.rig.server.conn, BP_OK);
    if (_i == 3) bp_conn_finish(h.rig.server.conn);
    bpt_wire_free(&wire);
    end(fd);
    ck_assert_uint_eq(h.server.a.frames, 0);
}
END_TEST

/* ---- keeping ---- */

static bp_err keep(bpt_hooked_service *service, bp_conn *conn, const bp_frame *frame) {
    bp_buf *twice = NULL;
    const bp_err err = bp_conn_keep(conn, &kept);
    bpt_err(bp_conn_keep(conn, &twice), BP_ERR_ARGUMENT);
    bpt_must(kept == service->lent && service->asked == 1);
    bpt_must(bp_buf_length(kept) == frame->length && bp_buf_type(kept) == frame->type);
    bpt_must(bp_buf_is_sensitive(kept) == (frame->type == SECRET));
    return err;
}

/* Whole ones are copied into what is lent, cut ones lie there. */
START_TEST(frames_are_kept_in_what_is_lent) {
    static const uint32_t lengths[] = {0, 1, SHORT, LENGTH};
    const int fd = start(_i % 2);
    h.server.a.on_frame = keep;
    bpt_hogs_fill(&hogs, pool());
    put_frame(fd, _i % 3 == 0 ? SECRET : BPT_HOOK_A_TYPE, lengths[_i / 2], 4);
    ck_assert_uint_eq(h.server.a.frames, 1);
    ck_assert_uint_eq(lent_count(), 1);
    ck_assert_uint_eq(waits(), 0);
    ck_assert(bpt_frame_is_filled(bp_buf_data(kept), lengths[_i / 2], 4));
    bp_conn_stats stats;
    bp_conn_stats_read(h.rig.server.conn, &stats);
    ck_assert_uint_eq(stats.frames_kept, 1);
    bp_buf *none = NULL;
    bpt_err(bp_conn_keep(h.rig.server.conn, &none), BP_ERR_ARGUMENT); /* no handler runs */
    ck_assert_uint_eq(h.server.a.asked, 1);
    bp_buf_release(kept);
    bpt_hogs_free(&hogs);
    end(fd);
}
END_TEST

static bp_err keep_of_pool(bpt_hooked_service *service, bp_conn *conn, const bp_frame *frame) {
    (void)service, (void)frame;
    return bp_conn_keep(conn, &kept);
}

static bp_err keep_own(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)side, (void)frame;
    return bp_conn_keep(conn, &kept);
}

/* Beside a service that lends, others keep theirs as ever: in a buffer of the pool, or after a wait. */
START_TEST(frames_of_other_services_are_kept_in_the_pools) {
    static const uint32_t lengths[] = {0, 50, SHORT};
    const uint16_t types[] = {BPT_EMPTY_TYPE, BPT_SMALL_TYPE, BPT_LARGE_TYPE};
    const int fd = start(2 * (_i % 2));
    const bool is_own = _i >= 6;
    h.server.b.on_frame = keep_of_pool;
    h.rig.server.on_frame = keep_own;
    for (unsigned n = 1; n <= 2; n++) {
        bpt_wire wire = {0};
        bpt_wire_add(&wire, is_own ? types[_i / 2 % 3] : BPT_HOOK_B_TYPE, lengths[_i / 2 % 3], 4);
        if (n == 2) bpt_hogs_fill(&hogs, pool());
        bpt_raw_write(fd, wire.data, wire.length);
        if (n == 2) bpt_rig_until(&h.rig, waits() == 1);
        kept = NULL;
        bpt_hogs_free(&hogs);
        bpt_rig_until(&h.rig, kept != NULL);
        ck_assert(bpt_frame_is_filled(bp_buf_data(kept), lengths[_i / 2 % 3], 4));
        ck_assert_uint_eq(bpt_pool_in_use(pool()), 1);
        bp_buf_release(kept);
        bpt_wire_free(&wire);
    }
    ck_assert_uint_eq(h.server.a.asked, 0);
    end(fd);
}
END_TEST

/* ---- handlers that run again, and chunks that are kept ---- */

static unsigned runs;

/* Answers, and keeps the frame. */
static bp_err answer_and_keep(bpt_hooked_service *service, bp_conn *conn, const bp_frame *frame) {
    bp_buf *answer = NULL;
    runs++;
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, 4));
    bp_err err = bp_conn_acquire(conn, 9000, &answer);
    if (err != BP_OK) return err;
    bp_buf_release(answer);
    err = bp_conn_keep(conn, &kept);
    bpt_must(kept == service->lent);
    return err;
}

/* _i / 2: the frame is whole in the landing chunk, or lies in its lent buffer while its handler waits. */
START_TEST(a_handler_that_waited_keeps_what_is_lent) {
    const int fd = start(_i % 2);
    bpt_wire wire = {0};
    runs = 0;
    h.server.a.on_frame = answer_and_keep;
    bpt_hogs_fill(&hogs, pool());
    bpt_wire_add(&wire, BPT_HOOK_A_TYPE, _i < 2 ? SHORT : LENGTH, 4);
    if (_i < 2) bpt_raw_write(fd, wire.data, wire.length);
    if (_i >= 2) put(fd, &wire, 0, wire.length);
    bpt_rig_until(&h.rig, waits() == 1);
    ck_assert_uint_eq(lent_count(), _i >= 2);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&h.rig, runs == 2);
    ck_assert_uint_eq(h.server.a.asked, 1);
    ck_assert_uint_eq(lent_count(), 1);
    bp_buf_release(kept);
    ck_assert_uint_eq(bpt_pool_in_use(pool()), 0);
    bpt_wire_free(&wire);
    end(fd);
}
END_TEST

static bp_pool *later;

/* Nothing is lent to its first run. */
static bp_err keep_later(bpt_hooked_service *service, bp_conn *conn, const bp_frame *frame) {
    (void)frame;
    service->lenders = runs++ == 0 ? NULL : later;
    const bp_err err = bp_conn_keep(conn, &kept);
    service->lenders = later;
    bpt_must(service->asked == runs && kept == service->lent);
    return err;
}

/* What was reserved for keeping the frame goes back where something is lent for it in the end. */
START_TEST(what_was_reserved_goes_back_when_something_is_lent) {
    const int fd = start(_i);
    runs = 0;
    later = h.server.a.lenders;
    h.server.a.on_frame = keep_later;
    bpt_hogs_fill(&hogs, pool());
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_HOOK_A_TYPE, SHORT, 4);
    bpt_raw_write(fd, wire.data, wire.length);
    bpt_rig_until(&h.rig, waits() == 1);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&h.rig, runs == 2);
    ck_assert_uint_eq(lent_count(), 1);
    ck_assert_uint_eq(bpt_pool_in_use(pool()), 0);
    bp_buf_release(kept);
    bpt_wire_free(&wire);
    end(fd);
}
END_TEST

/* While another connection waits with a chunk, what comes is peeked at in the other one. */
START_TEST(peeked_frames_come_through_as_well) {
    const int fd = start(_i), waiting = bpt_rig_raw(&h.rig);
    bpt_wire wire = {0};
    bpt_rig_until(&h.rig, h.rig.server.opens == 2);
    h.server.a.on_frame = check_lent;
    h.rig.server.on_frame = keep_own;
    kept = NULL;
    bpt_hogs_fill(&hogs, pool());
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 9);
    bpt_raw_write(waiting, wire.data, wire.length);
    bpt_rig_until(&h.rig, waits() == 1);
    ck_assert_uint_eq(h.rig.server.server->workers[0].end.loop->landing.free_count, 1);
    for (uint64_t n = 1; n <= 20; n++) {
        bpt_wire frame = {0};
        bpt_wire_add(&frame, BPT_HOOK_A_TYPE, n % 2 == 0 ? LENGTH : SHORT, n);
        put(fd, &frame, 0, 10 * n);
        bpt_must(lent_count() == 1);
        put(fd, &frame, 10 * n, frame.length);
        bpt_wire_free(&frame);
    }
    ck_assert_uint_eq(h.server.a.frames, 20);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&h.rig, kept != NULL);
    bp_buf_release(kept);
    close(waiting);
    bpt_wire_free(&wire);
    end(fd);
}
END_TEST

/* ---- faults ---- */

static uint64_t allocs_left;

static bool is_refused(void) { return allocs_left == 0 || --allocs_left == 0; }

static void *refuse_one(size_t size) { return is_refused() ? NULL : bpi_os_system.alloc(size); }
static void *refuse_one_raw(size_t size) { return is_refused() ? NULL : bpi_os_system.alloc_raw(size); }

static bp_err keep_if_possible(bpt_hooked_service *service, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)frame;
    const bp_err err = bp_conn_keep(conn, &buf);
    bpt_must(err != BP_OK || service->lent == NULL || buf == service->lent);
    bp_buf_release(buf);
    return err;
}

/* From the n-th request of memory on, all are refused: whatever ends, every open has its close, and every buffer is
 * back. What is lent is from a pool of its own, which is asked for it before. */
START_TEST(faults_leave_nothing_behind) {
    bool is_done = false;
    for (uint64_t n = 1; !is_done; n++) {
        bpt_must(n < 1000);
        const int fd = start(1);
        bpt_wire wire = {0};
        bpt_wire_add(&wire, BPT_HOOK_A_TYPE, SHORT, 1);
        bpt_wire_add(&wire, BPT_HOOK_A_TYPE, LENGTH, 2);
        h.server.a.on_frame = keep_if_possible;
        h.server.a.ticks_wanted = 2;
        bp_conn_watch(h.rig.server.conn);
        allocs_left = n;
        bpi_os.alloc = refuse_one;
        bpi_os.alloc_raw = refuse_one_raw;
        const int other = bpt_rig_raw(&h.rig);
        (void)!send(fd, wire.data, 500, MSG_NOSIGNAL);
        bpt_rig_turn(&h.rig, 5);
        (void)!send(fd, wire.data + 500, wire.length - 500, MSG_NOSIGNAL);
        bpt_rig_turn(&h.rig, 20);
        is_done = allocs_left != 0;
        bpi_os = bpi_os_system;
        if (is_done) ck_assert_uint_eq(h.server.a.frames, 2);
        close(other);
        bpt_rig_turn(&h.rig, 20);
        bpt_wire_free(&wire);
        end(fd);
    }
}
END_TEST

BPT_SUITE(transport_service_lend) {
    BPT_LOOP_TEST(a_cut_frame_comes_through_while_there_is_no_memory, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_byte_by_byte_and_a_large_one_come_through, 0, BPT_WAYS);
    BPT_LOOP_TEST(frames_of_other_services_are_the_pools, 0, 4);
    BPT_LOOP_TEST(a_frame_that_is_lent_nothing_waits_for_the_pool, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_connection_that_ends_in_mid_frame_gives_the_buffer_back, 0, 4);
    BPT_LOOP_TEST(frames_are_kept_in_what_is_lent, 0, 8);
    BPT_LOOP_TEST(frames_of_other_services_are_kept_in_the_pools, 0, 12);
    BPT_LOOP_TEST(a_handler_that_waited_keeps_what_is_lent, 0, 4);
    BPT_LOOP_TEST(what_was_reserved_goes_back_when_something_is_lent, 0, BPT_WAYS);
    BPT_LOOP_TEST(peeked_frames_come_through_as_well, 0, BPT_WAYS);
    BPT_TEST(faults_leave_nothing_behind);
}
