#define _GNU_SOURCE
#include "tests/support/frame_schema.h"
#include "tests/support/suite.h"

#include "bufpool/transport.h"

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct rig {
    bp_pool *pool;
    bp_type_map *map;
    int ends[2]; /* [0] is read */
} rig;

/* Over a socket pair, or over a pipe. */
static void rig_init(rig *r, bool is_pipe) {
    const bp_schema *const schemas[] = {&bpt_frame_schema};
    bpt_ok(bp_pool_new(&bpt_frame_pool_config, &r->pool));
    bpt_ok(bp_type_map_new(schemas, 1, &r->map));
    ck_assert_int_eq(is_pipe ? pipe(r->ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, r->ends), 0);
}

static void rig_fini(rig *r) {
    ck_assert_uint_eq(bpt_pool_in_use(r->pool), 0);
    if (r->ends[0] >= 0) close(r->ends[0]);
    if (r->ends[1] >= 0) close(r->ends[1]);
    bp_type_map_free_take(&r->map);
    bp_pool_release_take(&r->pool);
}

enum { FRAMES = 500 };

static const uint16_t types[] = {BPT_SMALL_TYPE,   BPT_MEDIUM_TYPE,    BPT_LARGE_TYPE, BPT_EMPTY_TYPE,
                                 BPT_SKIPPED_TYPE, BPT_DELIVERED_TYPE, BPT_HUGE_TYPE};

static uint32_t length_of(uint16_t type, uint64_t n) {
    const uint32_t min = bpt_frame_min(type), max = bpt_frame_max(type);
    return min + (uint32_t)((n * 7919) % (max - min + 1));
}

static void *write_frames(void *user) {
    rig *r = user;
    for (uint64_t n = 0; n < FRAMES; n++) {
        const uint16_t type = types[n % 7];
        bp_buf *buf = bpt_frame_buf(r->pool, type, length_of(type, n), n);
        bpt_ok(bp_frame_write(r->ends[1], buf));
        bp_buf_release(buf);
    }
    close(r->ends[1]);
    r->ends[1] = -1;
    return NULL;
}

START_TEST(frames_arrive_whole_and_in_order) {
    rig r;
    pthread_t writer;
    bp_buf *buf = NULL;
    rig_init(&r, _i != 0);
    ck_assert_int_eq(pthread_create(&writer, NULL, write_frames, &r), 0);
    for (uint64_t n = 0; n < FRAMES; n++) {
        const uint16_t type = types[n % 7];
        if (type == BPT_SKIPPED_TYPE) continue;
        bpt_ok(bp_frame_read(r.ends[0], r.pool, r.map, &buf));
        ck_assert_uint_eq(bp_buf_type(buf), type);
        ck_assert_uint_eq(bp_buf_length(buf), length_of(type, n));
        ck_assert(bpt_frame_is_filled(bp_buf_data(buf), bp_buf_length(buf), n));
        bp_buf_release(buf);
    }
    bpt_err(bp_frame_read(r.ends[0], r.pool, r.map, &buf), BP_ERR_END);
    ck_assert_ptr_null(buf);
    ck_assert_int_eq(pthread_join(writer, NULL), 0);
    rig_fini(&r);
}
END_TEST

START_TEST(an_end_inside_a_frame_is_a_loss) {
    bpt_wire wire = {0};
    bpt_wire_add(&wire, BPT_SMALL_TYPE, 50, 1);
    for (size_t cut = 0; cut <= wire.length; cut++) {
        rig r;
        bp_buf *buf = NULL;
        rig_init(&r, true);
        ck_assert_int_eq(write(r.ends[1], wire.data, cut), (ssize_t)cut);
        close(r.ends[1]);
        r.ends[1] = -1;
        const bp_err expected = cut == 0 ? BP_ERR_END : cut < wire.length ? BP_ERR_LOST : BP_OK;
        bpt_err(bp_frame_read(r.ends[0], r.pool, r.map, &buf), expected);
        ck_assert_int_eq(buf != NULL, expected == BP_OK);
        bp_buf_release_take(&buf);
        rig_fini(&r);
    }
    bpt_wire_free(&wire);
}
END_TEST

START_TEST(control_frames_are_passed_over) {
    rig r;
    bp_buf *buf = NULL;
    bpt_wire wire = {0};
    rig_init(&r, false);
    bpt_wire_add(&wire, 0, 512, 1);
    bpt_wire_add(&wire, BPT_SMALL_TYPE, BPT_SMALL_MIN, 2);
    bpt_wire_add(&wire, 0, 0, 3);
    ck_assert_int_eq(write(r.ends[1], wire.data, wire.length), (ssize_t)wire.length);
    close(r.ends[1]);
    r.ends[1] = -1;
    bpt_ok(bp_frame_read(r.ends[0], r.pool, r.map, &buf));
    ck_assert_uint_eq(bp_buf_type(buf), BPT_SMALL_TYPE);
    bp_buf_release_take(&buf);
    bpt_err(bp_frame_read(r.ends[0], r.pool, r.map, &buf), BP_ERR_END);
    bpt_wire_free(&wire);
    rig_fini(&r);
}
END_TEST

START_TEST(a_header_that_is_refused_takes_no_buffer) {
    static const struct {
        uint16_t type;
        uint32_t length;
        bp_err err;
    } bad[] = {{0, 513, BP_ERR_FRAME_LONG},
               {BPT_REFUSED_TYPE, 1, BP_ERR_FRAME_TYPE},
               {BPT_SMALL_TYPE, BPT_SMALL_MIN - 1, BP_ERR_FRAME_SHORT},
               {BPT_SMALL_TYPE, UINT32_MAX, BP_ERR_FRAME_LONG},
               {BPT_SKIPPED_TYPE, UINT32_MAX, BP_ERR_FRAME_LONG}};
    rig r;
    bp_buf *buf = NULL;
    bpt_wire wire = {0};
    bp_pool_stats stats;
    rig_init(&r, false);
    bpt_wire_add_head(&wire, bad[_i].type, bad[_i].length);
    ck_assert_int_eq(write(r.ends[1], wire.data, wire.length), (ssize_t)wire.length);
    bpt_err(bp_frame_read(r.ends[0], r.pool, r.map, &buf), bad[_i].err);
    ck_assert_ptr_null(buf);
    bp_pool_stats_read(r.pool, &stats);
    ck_assert_uint_eq(stats.total.acquires + stats.exact_acquires, 0);
    bpt_wire_free(&wire);
    rig_fini(&r);
}
END_TEST

START_TEST(a_gone_peer_is_an_error_and_no_signal) {
    rig r;
    rig_init(&r, false);
    signal(SIGPIPE, SIG_DFL);
    close(r.ends[0]);
    r.ends[0] = -1;
    bp_buf *buf = bpt_frame_buf(r.pool, BPT_SMALL_TYPE, 50, 1);
    bpt_err(bp_frame_write(r.ends[1], buf), BP_ERR_LOST);
    bp_buf_release(buf);
    rig_fini(&r);
}
END_TEST

/* Type 0 is the library's own. */
START_TEST(a_buffer_without_a_type_is_not_written) {
    rig r;
    bp_buf *buf = NULL;
    rig_init(&r, _i != 0);
    bp_buf *untyped = bpt_frame_buf(r.pool, BPT_SMALL_TYPE, 50, 1);
    bp_buf_set_type(untyped, 0);
    bpt_err(bp_frame_write(r.ends[1], untyped), BP_ERR_ARGUMENT);
    bpt_err(bp_frame_write(-1, untyped), BP_ERR_ARGUMENT);
    bp_buf_release(untyped);
    close(r.ends[1]);
    r.ends[1] = -1;
    bpt_err(bp_frame_read(r.ends[0], r.pool, r.map, &buf), BP_ERR_END); /* not a byte came */
    ck_assert_ptr_null(buf);
    rig_fini(&r);
}
END_TEST

START_TEST(a_bad_descriptor_is_an_error_of_the_system) {
    rig r;
    bp_buf *buf = NULL;
    rig_init(&r, false);
    bpt_err(bp_frame_read(-1, r.pool, r.map, &buf), BP_ERR_SYSTEM);
    buf = bpt_frame_buf(r.pool, BPT_SMALL_TYPE, 50, 1);
    bpt_err(bp_frame_write(-1, buf), BP_ERR_SYSTEM);
    bp_buf_release(buf);
    rig_fini(&r);
}
END_TEST

BPT_SUITE(transport_frame_io) {
    BPT_LOOP_TEST(frames_arrive_whole_and_in_order, 0, 2);
    BPT_TEST(an_end_inside_a_frame_is_a_loss);
    BPT_TEST(control_frames_are_passed_over);
    BPT_LOOP_TEST(a_header_that_is_refused_takes_no_buffer, 0, 5);
    BPT_TEST(a_gone_peer_is_an_error_and_no_signal);
    BPT_LOOP_TEST(a_buffer_without_a_type_is_not_written, 0, 2);
    BPT_TEST(a_bad_descriptor_is_an_error_of_the_system);
}
