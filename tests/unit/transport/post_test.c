#define _GNU_SOURCE
/* Posts and calls from other threads: the loop runs on the test's thread, whoever posts on threads of its own. */
#include "tests/support/heap_meter.h"
#include "tests/support/posters.h"
#include "transport/transport_internal.h"

#include <unistd.h>

enum { FRAMES = 3000 };

START_TEST(what_many_threads_post_arrives_once_and_in_order) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS];
    bp_conn *conn = bpt_posters_rig(&rig, _i, posters);
    const uint32_t frames = (uint32_t)bpt_scaled(FRAMES) + 1;
    bpt_posters_start(posters, BPT_POSTERS, conn, frames);
    bpt_rig_until(&rig, rig.server.frames == BPT_POSTERS * frames);
    for (int i = 0; i < BPT_POSTERS; i++) {
        ck_assert_int_eq(pthread_join(posters[i].thread, NULL), 0);
        ck_assert_uint_eq(posters[i].seen, frames);
    }
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(posts_that_nobody_takes_are_bounded) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    const uint32_t count = bpt_post_until_full(conn, 0);
    ck_assert_uint_eq(count, BPT_POST_QUEUE / BPT_POST_SIZE);
    bpt_rig_until(&rig, rig.server.frames == count);
    ck_assert_uint_eq(bpt_post_until_full(conn, count), count); /* there is room again */
    bpt_rig_until(&rig, rig.server.frames == 2 * count);
    bp_conn_release_take(&conn);
    ck_assert_ptr_null(conn);
    bpt_rig_fini(&rig);
}
END_TEST

/* Behind a peer that does not read, the queue fills up, then the posts; then everything leaves in order. */
START_TEST(posts_wait_behind_a_full_queue) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    uint32_t sent = 0, more = 1;
    bp_conn_pause(rig.server.conn);
    while (more != 0) {
        more = bpt_post_until_full(conn, sent);
        sent += more;
        bpt_rig_turn(&rig, 5);
    }
    ck_assert_uint_gt(bp_conn_queued_bytes(conn), BPT_POST_QUEUE / 2);
    ck_assert_uint_eq(rig.server.frames, 0);
    bp_conn_resume(rig.server.conn);
    bpt_rig_until(&rig, rig.server.frames == sent);
    ck_assert_uint_eq(posters[0].seen, sent);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

/* The ring grows while its oldest post lies in the middle. */
START_TEST(posts_stay_in_order_while_their_ring_grows) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    static const uint32_t rounds[] = {5, 12, 40, 7, 100};
    uint32_t posted = 0;
    for (size_t i = 0; i < sizeof rounds / sizeof rounds[0]; i++) {
        for (uint32_t n = 0; n < rounds[i]; n++, posted++) {
            bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, posted);
            bpt_ok(bp_conn_post_take(conn, &buf));
        }
        bpt_rig_until(&rig, rig.server.frames == posted);
    }
    ck_assert_uint_eq(posters[0].seen, posted);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

/* Type 0 is the library's own. */
START_TEST(a_buffer_without_a_type_is_not_posted) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    for (uint32_t n = 0; n < 3; n++) {
        bp_buf *untyped = bpt_numbered(bp_conn_pool(conn), 0, n), *buf = bpt_numbered(bp_conn_pool(conn), 0, n);
        bp_buf_set_type(untyped, 0);
        bpt_err(bp_conn_post_take(conn, &untyped), BP_ERR_ARGUMENT);
        bpt_err(bp_conn_post_wait_take(conn, &untyped, UINT32_MAX), BP_ERR_ARGUMENT);
        ck_assert_ptr_nonnull(untyped);
        bp_buf_release(untyped);
        bpt_ok(bp_conn_post_take(conn, &buf));
    }
    bpt_rig_until(&rig, rig.server.frames == 3);
    ck_assert_uint_eq(posters[0].seen, 3);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(rig.clients[0].in_use_at_close, 0);
}
END_TEST

/* ---- waiting for room ---- */

START_TEST(who_waits_for_room_is_served_in_turn_or_told) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0}, one[1];
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, 0);
    const uint32_t count = bpt_post_until_full(conn, 0);
    bpt_err(bp_conn_post_wait_take(conn, &buf, 1), BP_ERR_TIMEOUT);
    ck_assert_ptr_nonnull(buf);
    bp_thread_forbid_wait(true);
    bpt_err(bp_conn_post_wait_take(conn, &buf, 1), BP_ERR_WOULD_BLOCK);
    bp_thread_forbid_wait(false);
    bp_buf_release(buf);
    bpt_posters_start(one, 1, conn, 5);
    bpt_rig_until(&rig, rig.server.frames == count);
    ck_assert_int_eq(posters[0].seen, count);
    posters[0].seen = 0; /* the waiter's own numbers */
    bpt_rig_until(&rig, rig.server.frames == count + 5);
    ck_assert_int_eq(pthread_join(one[0].thread, NULL), 0);
    bpt_ok(one[0].err);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

enum { LARGE = 15000, TINY = BPT_SMALL_MIN };

static bp_buf *frame_of(bp_pool *pool, uint16_t type, uint32_t length) { return bpt_frame_buf(pool, type, length, 1); }

/* A thread that waits with a frame for so long. */
typedef struct patient {
    pthread_t thread;
    bp_conn *conn;
    bp_buf *buf;
    uint32_t timeout_ms;
    bp_err err;
} patient;

static void *wait_with(void *user) {
    patient *p = user;
    p->err = bp_conn_post_wait_take(p->conn, &p->buf, p->timeout_ms);
    return NULL;
}

static void start_waiting(patient *p, bp_conn *conn, uint32_t length, uint32_t timeout_ms) {
    *p = (patient){.conn = conn, .timeout_ms = timeout_ms};
    p->buf = frame_of(bp_conn_pool(conn), length == TINY ? BPT_SMALL_TYPE : BPT_LARGE_TYPE, length);
    ck_assert_int_eq(pthread_create(&p->thread, NULL, wait_with, p), 0);
}

/* Posts that find room until somebody waits, whom they must not overtake. Returns how many. */
static uint64_t post_until_somebody_waits(bp_conn *conn) {
    for (uint64_t n = 0;; n++) {
        bp_buf *buf = frame_of(bp_conn_pool(conn), BPT_SMALL_TYPE, TINY);
        const bp_err err = bp_conn_post_take(conn, &buf);
        bp_buf_release(buf);
        if (err == BP_ERR_QUEUE_FULL) return n;
        bpt_ok(err);
        usleep(1000);
    }
}

/* The first one's time is over: who waits behind it has room, or becomes the first. The loop does nothing meanwhile. */
START_TEST(who_gives_up_lets_the_next_one_in) {
    bpt_rig rig;
    patient first, second;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    rig.server.on_frame = NULL;
    bp_buf *buf = frame_of(bp_conn_pool(conn), BPT_LARGE_TYPE, LARGE);
    bpt_ok(bp_conn_post_take(conn, &buf));
    buf = frame_of(bp_conn_pool(conn), BPT_LARGE_TYPE, LARGE);
    bpt_err(bp_conn_post_wait_take(conn, &buf, 1), BP_ERR_TIMEOUT); /* nobody else has waited */
    bp_buf_release(buf);
    start_waiting(&first, conn, LARGE, 300);
    uint64_t posted = 1 + post_until_somebody_waits(conn);
    start_waiting(&second, conn, TINY, UINT32_MAX);
    ck_assert_int_eq(pthread_join(second.thread, NULL), 0);
    ck_assert_int_eq(pthread_join(first.thread, NULL), 0);
    bpt_ok(second.err);
    bpt_err(first.err, BP_ERR_TIMEOUT);
    bp_buf_release(first.buf);
    start_waiting(&first, conn, LARGE, UINT32_MAX);
    posted += 1 + post_until_somebody_waits(conn);
    bpt_rig_until(&rig, rig.server.frames == posted + 1);
    ck_assert_int_eq(pthread_join(first.thread, NULL), 0);
    bpt_ok(first.err);
    ck_assert_ptr_null(first.buf);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

/* A frame above the bound goes alone, or it could never be posted. */
START_TEST(a_post_above_the_bound_goes_alone) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    rig.server.on_frame = NULL;
    for (uint64_t n = 1; n <= 3; n++) {
        bp_buf *huge = frame_of(bp_conn_pool(conn), BPT_HUGE_TYPE, BPT_HUGE_MIN);
        bp_buf *tiny = frame_of(bp_conn_pool(conn), BPT_SMALL_TYPE, TINY);
        bpt_ok(bp_conn_post_take(conn, &huge));
        bpt_err(bp_conn_post_take(conn, &tiny), BP_ERR_QUEUE_FULL);
        bp_buf_release(tiny);
        bpt_rig_until(&rig, rig.server.frames == n);
    }
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

static void *no_memory(size_t size) {
    (void)size;
    return NULL;
}

/* A frame in the middle cannot be queued: what comes behind it must not take its place. */
START_TEST(a_post_that_finds_no_memory_ends_the_connection) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    rig.clients[0].hello = BP_HELLO_OFF; /* there is no queue yet */
    bpt_rig_start(&rig, _i);
    bp_conn *conn = bp_conn_retain(rig.clients[0].conn);
    for (int i = 0; i < 2; i++) {
        bp_buf *buf = frame_of(bp_conn_pool(conn), BPT_LARGE_TYPE, BPT_LARGE_MAX);
        bpt_ok(bp_conn_post_take(conn, &buf));
    }
    bpi_os.alloc = no_memory;
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    bpi_os.alloc = bpi_os_system.alloc;
    bpt_err(rig.clients[0].why, BP_ERR_NO_MEMORY);
    ck_assert_uint_eq(rig.clients[0].in_use_at_close, 0);
    ck_assert_uint_eq(rig.server.frames, 0);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(who_waits_is_told_when_the_connection_closes) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0}, waiting[BPT_POSTERS];
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    (void)bpt_post_until_full(conn, 0);
    bpt_posters_start(waiting, 1, conn, 1);
    bp_conn_close(conn, BP_OK);
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    ck_assert_int_eq(pthread_join(waiting[0].thread, NULL), 0);
    bpt_err(waiting[0].err, BP_ERR_CLOSED);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

/* ---- calls ---- */

static void count_call(bp_conn *conn, void *user) {
    (void)conn;
    ++*(int *)user;
}

static void send_third(bp_conn *conn, void *user) {
    (void)user;
    bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, 2);
    bpt_ok(bp_conn_send_take(conn, &buf));
}

START_TEST(calls_are_made_in_order_with_posts) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    for (uint32_t n = 0; n < 5; n++) {
        bp_buf *buf = n == 2 ? NULL : bpt_numbered(bp_conn_pool(conn), 0, n);
        bpt_ok(n == 2 ? bp_conn_call(conn, send_third, NULL) : bp_conn_post_take(conn, &buf));
    }
    bpt_rig_until(&rig, rig.server.frames == 5);
    ck_assert_uint_eq(posters[0].seen, 5);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

static void call_again(bp_conn *conn, void *user) {
    const bp_err err = bp_conn_call(conn, call_again, user);
    bpt_must(err == BP_OK || err == BP_ERR_CLOSED);
    ++*(int *)user;
}

/* Who posts whenever a post is delivered does not keep the loop from everything else. */
START_TEST(what_is_posted_meanwhile_has_its_turn_later) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    int calls = 0;
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    bpt_ok(bp_conn_call(conn, call_again, &calls));
    for (int i = 1; i <= 10; i++) {
        bpt_rig_until(&rig, calls >= i);
        ck_assert_int_eq(calls, i);
    }
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig); /* the last call is refused */
}
END_TEST

static int calls_at_close;

static void remember_calls(bpt_side *side, bp_conn *conn) {
    (void)conn;
    calls_at_close = *(int *)side->data;
}

START_TEST(a_call_is_made_before_on_close_at_the_latest) {
    bpt_rig rig;
    bpt_poster posters[BPT_POSTERS] = {0};
    int calls = 0;
    bp_conn *conn = bp_conn_retain(bpt_posters_rig(&rig, _i, posters));
    rig.clients[0].data = &calls;
    rig.clients[0].on_close = remember_calls;
    for (int i = 0; i < 100; i++) bpt_ok(bp_conn_call(conn, count_call, &calls));
    bp_conn_close(conn, BP_OK);
    bp_client_free_take(&rig.clients[0].client);
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    ck_assert_int_eq(calls_at_close, 100);
    bpt_err(bp_conn_call(conn, count_call, &calls), BP_ERR_CLOSED);
    bpt_rig_fini(&rig);
    ck_assert_int_eq(calls, 100);
    bp_conn_release_take(&conn);
}
END_TEST

/* ---- memory ---- */

static void post_one(bpt_rig *rig, bp_conn *conn) {
    bp_buf *buf = bpt_numbered(bp_conn_pool(conn), 0, 0);
    const uint64_t frames = rig->server.frames;
    bpt_ok(bp_conn_post_take(conn, &buf));
    bpt_rig_until(rig, rig->server.frames == frames + 1);
}

static void tick(bpt_rig *rig) {
    bpi_loop_tick(rig->clients[0].conn->end->loop, 1);
    uv_run(&rig->loop, UV_RUN_NOWAIT);
}

/* Where posts lie until they are sent is given back, and made anew. */
START_TEST(what_no_posts_need_is_given_back) {
    bpt_rig rig;
    bpt_heap_meter();
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bp_conn *conn = bp_conn_retain(rig.clients[0].conn);
    post_one(&rig, conn);
    for (int i = 0; i < 3; i++) tick(&rig);
    const uint64_t before = bpt_heap_meter_bytes();
    for (int n = 0; n < 3; n++) {
        post_one(&rig, conn);
        tick(&rig);
        ck_assert_uint_gt(bpt_heap_meter_bytes(), before);
        ck_assert(uv_is_active((uv_handle_t *)&rig.clients[0].conn->end->loop->timer));
        tick(&rig);
        tick(&rig);
        ck_assert_uint_eq(bpt_heap_meter_bytes(), before);
    }
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
    bpi_os = bpi_os_system;
}
END_TEST

static void *no_asides(size_t size) { return size == sizeof(bpi_aside) ? NULL : bpi_os_system.alloc(size); }

START_TEST(without_memory_nobody_keeps_a_connection) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    bpi_os.alloc = no_asides;
    ck_assert_ptr_null(bp_conn_retain(rig.clients[0].conn));
    bpi_os = bpi_os_system;
    bp_conn *conn = bp_conn_retain(rig.clients[0].conn);
    ck_assert_ptr_eq(conn, rig.clients[0].conn);
    post_one(&rig, conn);
    bp_conn_release_take(&conn);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_post) {
    BPT_LOOP_TEST(what_many_threads_post_arrives_once_and_in_order, 0, BPT_WAYS);
    BPT_LOOP_TEST(posts_that_nobody_takes_are_bounded, 0, 2);
    BPT_LOOP_TEST(posts_wait_behind_a_full_queue, 0, 2);
    BPT_LOOP_TEST(posts_stay_in_order_while_their_ring_grows, 0, 2);
    BPT_LOOP_TEST(a_buffer_without_a_type_is_not_posted, 0, 2);
    BPT_LOOP_TEST(who_waits_for_room_is_served_in_turn_or_told, 0, 2);
    BPT_LOOP_TEST(who_gives_up_lets_the_next_one_in, 0, 2);
    BPT_LOOP_TEST(a_post_above_the_bound_goes_alone, 0, 2);
    BPT_LOOP_TEST(a_post_that_finds_no_memory_ends_the_connection, 0, 2);
    BPT_LOOP_TEST(who_waits_is_told_when_the_connection_closes, 0, 2);
    BPT_LOOP_TEST(calls_are_made_in_order_with_posts, 0, 2);
    BPT_LOOP_TEST(what_is_posted_meanwhile_has_its_turn_later, 0, 2);
    BPT_LOOP_TEST(a_call_is_made_before_on_close_at_the_latest, 0, 2);
    BPT_LOOP_TEST(what_no_posts_need_is_given_back, 0, 2);
    BPT_LOOP_TEST(without_memory_nobody_keeps_a_connection, 0, 2);
}
