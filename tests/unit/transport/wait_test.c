#define _GNU_SOURCE
/* Connections that wait for memory: what makes them wait, and that they go on where they were. */
#include "tests/support/wait_rig.h"
#include "transport/transport_internal.h"

static bpt_hogs hogs;

/* ---- frames that find no buffer ---- */

START_TEST(a_cut_frame_waits_for_memory_and_others_go_on) {
    bpt_rig rig;
    bpt_wait_start(&rig, _i, 0);
    rig.server.on_frame = bpt_wait_note;
    bpt_wait_join(&rig, 0, _i);
    bpt_wait_join(&rig, 1, _i);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 2); /* behind the one that waits */
    bpt_send(rig.clients[1].conn, BPT_SMALL_TYPE, 20, 3);
    bpt_rig_until(&rig, bpt_got.count == 1);
    bpt_wait_settle(&rig);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, bpt_got.count == 3);
    bpt_wait_check(3, (const uint64_t[]){3, 1, 2});
    ck_assert_uint_eq(bpt_waiting(&rig), 0);
    ck_assert_uint_eq(bpt_waits(&rig), 1);
    ck_assert_uint_eq(rig.server.closes, 0);
    ck_assert_uint_eq(bpt_pool_in_use(bpt_wait_pool(&rig)), 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* As long as a letter may come the loop goes on, and no longer: lent loops end by themselves. _i & 4: the connection is
 * closed while it waits. */
START_TEST(a_loop_expects_memory_as_long_as_somebody_waits) {
    bpt_rig rig;
    bpt_wait_start(&rig, _i & 3, 0);
    bpt_wait_join(&rig, 0, _i & 3);
    const bpi_mailbox *mailbox = &rig.server.conn->end->loop->mailbox;
    ck_assert_uint_eq(mailbox->expected_count, 0);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    ck_assert_uint_eq(mailbox->expected_count, 1);
    if ((_i & 4) != 0) bp_conn_close(rig.server.conn, BP_OK);
    if ((_i & 4) == 0) bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.server.closes == 1 || rig.server.frames == 1);
    ck_assert_uint_eq(mailbox->expected_count, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

/* The class that it waits for goes; what then comes of it is a matter of the pool, and the frame comes nevertheless. */
START_TEST(who_waits_for_a_class_that_goes_asks_again) {
    bpt_rig rig;
    bpt_wait_start(&rig, _i, 0);
    rig.server.on_frame = bpt_wait_note;
    bpt_wait_join(&rig, 0, _i);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_send(rig.clients[0].conn, BPT_LARGE_TYPE, 5000, 1);
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 2);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    bpt_ok(bp_pool_class_remove(bpt_wait_pool(&rig), 262144));
    bpt_wait_settle(&rig);
    ck_assert_uint_eq(rig.server.closes, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, bpt_got.count == 2 || rig.server.closes == 1);
    bpt_wait_check(2, (const uint64_t[]){1, 2});
    bpt_rig_fini(&rig);
}
END_TEST

static void count_turn(uv_prepare_t *prepare) { ++*(unsigned *)prepare->data; }

START_TEST(a_loop_with_nothing_but_waiting_connections_sleeps) {
    bpt_rig rig;
    uv_prepare_t prepare;
    uv_timer_t timer;
    unsigned turns = 0;
    bool is_over = false;
    bpt_wait_start(&rig, _i, 0);
    bpt_wait_join(&rig, 0, _i);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    for (uint64_t n = 0; n < 4; n++) bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, n);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    bpt_wait_settle(&rig);
    uv_prepare_init(&rig.loop, &prepare);
    uv_timer_init(&rig.loop, &timer);
    prepare.data = &turns;
    timer.data = &is_over;
    uv_prepare_start(&prepare, count_turn);
    uv_timer_start(&timer, bpt_note_time, 300, 0);
    bpt_rig_until(&rig, is_over);
    ck_assert_uint_lt(turns, 20);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_close((uv_handle_t *)&timer, NULL);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.server.frames == 4);
    bpt_rig_fini(&rig);
}
END_TEST

static void *no_asides(size_t size) { return size == sizeof(bpi_aside) ? NULL : bpi_os_system.alloc(size); }

/* Waiting takes a little memory of its own. */
START_TEST(without_memory_to_wait_in_the_connection_ends) {
    bpt_rig rig;
    bpt_wait_start(&rig, _i, 0);
    bpt_wait_join(&rig, 0, _i);
    bpt_wait_join(&rig, 1, _i);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpi_os.alloc = no_asides;
    bpt_send(rig.clients[0].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 1);
    bpt_rig_until(&rig, rig.server.closes == 1);
    bpi_os = bpi_os_system;
    bpt_err(rig.server.why, BP_ERR_NO_MEMORY);
    ck_assert_uint_eq(bpt_waits(&rig), 0);
    bpt_hogs_free(&hogs);
    bpt_send(rig.clients[1].conn, BPT_HUGE_TYPE, BPT_HUGE_MAX, 2);
    bpt_rig_until(&rig, rig.server.frames == 1);
    ck_assert_uint_eq(rig.server.closes, 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- handlers that find no buffer ---- */

/* Frames 0, 1, 2 of a client are answered once and in order, however often the handler runs. */
START_TEST(a_handler_without_memory_runs_again_and_answers_once) {
    bpt_rig rig;
    const int way = _i % BPT_WAYS;
    bpt_wait_start(&rig, way, 0);
    bpt_wait_expect(9000, 1 + (uint32_t)(_i / BPT_WAYS));
    rig.server.on_frame = bpt_wait_answer;
    rig.clients[0].on_frame = bpt_wait_check_answer;
    bpt_wait_join(&rig, 0, way);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_send(rig.clients[0].conn, BPT_LARGE_TYPE, 4000, 1);
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 30, 2);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    bpt_wait_settle(&rig);
    ck_assert_uint_eq(bpt_got.runs, 1);
    ck_assert_uint_eq(rig.clients[0].frames, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, rig.clients[0].frames == 3 * bpt_answer.count);
    bpt_wait_settle(&rig);
    bpt_wait_check(3, (const uint64_t[]){0, 1, 2});
    ck_assert_uint_eq(rig.clients[0].frames, 3 * bpt_answer.count);
    ck_assert_uint_eq(bpt_pool_in_use(bpt_wait_pool(&rig)), 0);
    bp_server_stats stats;
    bp_server_stats_read(rig.server.server, &stats);
    ck_assert_uint_eq(stats.conn.frames_in, 3);
    ck_assert_uint_eq(stats.conn.frames_out, 3 * bpt_answer.count);
    bpt_rig_fini(&rig);
}
END_TEST

/* The memory for one answer more than there is: two handlers that need two each would otherwise wait for each other. */
START_TEST(handlers_that_need_several_buffers_do_not_wait_for_each_other) {
    bpt_rig rig;
    bpt_wait_start(&rig, _i, 0);
    bpt_wait_expect(9000, 4);
    rig.server.on_frame = bpt_wait_answer;
    for (int ix = 0; ix < 6; ix++) {
        rig.clients[ix].on_frame = bpt_wait_check_answer;
        bpt_wait_join(&rig, ix, _i);
    }
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    for (int ix = 0; ix < 6; ix++) bpt_send(rig.clients[ix].conn, BPT_SMALL_TYPE, 20, 0);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 6);
    /* One 256 KiB buffer comes back: what is granted from it is enough for one handler at a time. */
    bp_buf_release(hogs.bufs[0]);
    hogs.bufs[0] = hogs.bufs[--hogs.count];
    for (int ix = 0; ix < 6; ix++) bpt_rig_until(&rig, rig.clients[ix].frames == 4);
    ck_assert_uint_eq(bpt_got.count, 6);
    ck_assert_uint_le(bpt_got.runs,
                      6 * (1 + 4)); /* refused for each buffer once at the most, and then with everything */
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

static bp_err keep_it(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const uint64_t seed = bpt_wait_seed(frame);
    bp_buf *kept = NULL;
    bpt_got.runs++;
    const bp_err err = bp_conn_keep(conn, &kept);
    if (err != BP_OK) return err;
    bpt_must(bp_buf_length(kept) == frame->length && bp_buf_type(kept) == frame->type);
    bpt_must(bpt_frame_is_filled(bp_buf_data(kept), bp_buf_length(kept), seed));
    bpt_must(bp_conn_keep(conn, &(bp_buf *){NULL}) == BP_ERR_ARGUMENT);
    bp_buf_release(kept);
    return bpt_wait_note(side, conn, frame);
}

START_TEST(a_frame_that_could_not_be_kept_is_kept_later) {
    bpt_rig rig;
    bpt_wait_start(&rig, _i, 0);
    rig.server.on_frame = keep_it;
    bpt_wait_join(&rig, 0, _i);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 4);
    bpt_send(rig.clients[0].conn, BPT_EMPTY_TYPE, 0, 0);
    bpt_send(rig.clients[0].conn, BPT_MEDIUM_TYPE, 200, 6);
    bpt_rig_until(&rig, bpt_waiting(&rig) == 1);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&rig, bpt_got.count == 3);
    bpt_wait_check(3, (const uint64_t[]){4, 0, 6});
    ck_assert_uint_eq(bpt_got.runs, 4);
    ck_assert_uint_eq(bpt_pool_in_use(bpt_wait_pool(&rig)), 0);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- whose want of memory it is ---- */

static bp_err keep_then_answer(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *kept = NULL, *more = NULL;
    (void)frame;
    bpt_got.runs++;
    bpt_ok(bp_conn_keep(conn, &kept));
    bpt_hogs_fill(&hogs, bp_conn_pool(conn));
    const bp_err err = bp_conn_acquire(conn, 1000, &more);
    bp_buf_release(kept);
    (void)side;
    return err;
}

static bp_err out_of_nowhere(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)side, (void)conn, (void)frame;
    bpt_got.runs++;
    return BP_ERR_LIMIT;
}

static bp_err from_the_pool(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)side, (void)frame;
    bpt_got.runs++;
    bpt_hogs_fill(&hogs, bp_conn_pool(conn));
    return bp_pool_acquire(bp_conn_pool(conn), 100, &buf);
}

static bp_err too_many(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)side, (void)frame;
    bpt_got.runs++;
    for (int i = 0; i < 8; i++) {
        bpt_ok(bp_conn_acquire(conn, 100, &buf));
        bp_buf_release(buf);
    }
    bpt_hogs_fill(&hogs, bp_conn_pool(conn));
    return bp_conn_acquire(conn, 100, &buf);
}

static bp_err more_than_there_is(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *first = NULL, *second = NULL;
    (void)side, (void)frame;
    bpt_got.runs++;
    bpt_ok(bp_conn_acquire(conn, BPT_WAIT_LIMIT / 4 * 3, &first));
    const bp_err err = bp_conn_acquire(conn, BPT_WAIT_LIMIT / 4 * 3, &second);
    bp_buf_release(first);
    return err;
}

static bp_err (*const own_errors[])(bpt_side *, bp_conn *, const bp_frame *) = {keep_then_answer, out_of_nowhere,
                                                                                from_the_pool, too_many,
                                                                                more_than_there_is};
enum { OWN_ERRORS = sizeof own_errors / sizeof own_errors[0] };

START_TEST(a_want_of_memory_that_waiting_does_not_help_closes) {
    bpt_rig rig;
    bpt_wait_start(&rig, 2, 0);
    rig.server.on_frame = own_errors[_i];
    bpt_wait_join(&rig, 0, 2);
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.server.closes == 1);
    bpt_err(rig.server.why, BP_ERR_LIMIT);
    ck_assert_uint_eq(bpt_got.runs, 1);
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(outside_of_its_handlers_a_connection_gives_buffers_as_its_pool_does) {
    bpt_rig rig;
    bp_buf *buf = NULL;
    bpt_wait_start(&rig, _i, 0);
    bpt_wait_join(&rig, 0, _i);
    bpt_ok(bp_conn_acquire(rig.server.conn, 1000, &buf));
    ck_assert_uint_ge(bp_buf_capacity(buf), 1000);
    bp_buf_release_take(&buf);
    bpt_hogs_fill(&hogs, bpt_wait_pool(&rig));
    bpt_err(bp_conn_acquire(rig.server.conn, 1000, &buf), BP_ERR_LIMIT);
    ck_assert_ptr_null(buf);
    bpt_hogs_free(&hogs);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_wait) {
    BPT_LOOP_TEST(a_cut_frame_waits_for_memory_and_others_go_on, 0, BPT_WAYS);
    BPT_LOOP_TEST(without_memory_to_wait_in_the_connection_ends, 0, 2);
    BPT_LOOP_TEST(a_loop_expects_memory_as_long_as_somebody_waits, 0, 2 * BPT_WAYS);
    BPT_LOOP_TEST(who_waits_for_a_class_that_goes_asks_again, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_loop_with_nothing_but_waiting_connections_sleeps, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_handler_without_memory_runs_again_and_answers_once, 0, 3 * BPT_WAYS);
    BPT_LOOP_TEST(handlers_that_need_several_buffers_do_not_wait_for_each_other, 2, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_that_could_not_be_kept_is_kept_later, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_want_of_memory_that_waiting_does_not_help_closes, 0, OWN_ERRORS);
    BPT_LOOP_TEST(outside_of_its_handlers_a_connection_gives_buffers_as_its_pool_does, 0, BPT_WAYS);
}
