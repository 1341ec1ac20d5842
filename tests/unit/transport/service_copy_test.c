#define _GNU_SOURCE
/* Services whose schema is a copy of the one that was compiled, with a table of types of its own: a shorter frame. */
#include "tests/support/frame_rig.h"
#include "transport/server_internal.h"

#include <string.h>
#include <unistd.h>

enum { NARROW = 2000, TYPE_MAX = 8, SESSION = 24 };

static bp_type_info types[TYPE_MAX];
static bp_schema copy;

static void narrow(void) {
    copy = bpt_frame_schema;
    bpt_must(copy.type_count <= TYPE_MAX);
    for (uint32_t i = 0; i < copy.type_count; i++) {
        types[i] = copy.types[i];
        if (types[i].type == BPT_LARGE_TYPE) types[i].accept_max = NARROW;
    }
    copy.types = types;
}

/* The server's schema is the copy, the client's the one that was copied. */
static void start(bpt_rig *rig, int way) {
    bpt_rig_init(rig);
    narrow();
    rig->server.hello = rig->clients[0].hello = BP_HELLO_REQUIRED;
    rig->server.session_size = SESSION;
    bp_server_config server = bpt_rig_server_config(rig, way);
    const bp_client_config client = bpt_rig_client_config(rig, 0, way);
    server.conn.services[0].schema = &copy;
    bpt_rig_listen(rig, &server, way);
    bpt_rig_connect(rig, 0, &client);
    bpt_rig_until(rig, rig->server.opens == 1 && rig->clients[0].opens == 1);
}

START_TEST(a_copy_says_hello_as_the_schema_does) {
    bpt_rig rig;
    start(&rig, _i);
    ck_assert_uint_eq(bp_conn_peer_version(rig.clients[0].conn, &bpt_frame_schema), 1);
    ck_assert_uint_eq(bp_conn_peer_version(rig.server.conn, &copy), 1);
    ck_assert_uint_eq(bp_conn_peer_version(rig.server.conn, &bpt_frame_schema), 1);
    ck_assert_uint_eq(bp_conn_peer_version(rig.clients[0].conn, &copy), 1);
    bpt_rig_fini(&rig);
}
END_TEST

/* Whoever knows the schema finds the session of its copy, and nobody another's. */
START_TEST(sessions_are_found_by_either) {
    const bp_service by_copy = {.schema = &copy}, by_original = {.schema = &bpt_frame_schema};
    bpt_rig rig;
    start(&rig, _i);
    void *session = bp_conn_session(rig.server.conn, &by_copy);
    ck_assert_ptr_eq(session, rig.server.conn + 1);
    ck_assert_ptr_eq(bp_conn_session(rig.server.conn, &by_original), session);
    ck_assert_ptr_null(bp_conn_session(rig.clients[0].conn, &by_copy)); /* it remembers nothing */
    bp_schema others[4];
    for (int i = 0; i < 4; i++) others[i] = copy;
    others[0].id++;
    others[1].contract_hash++;
    others[2].name = "other";
    others[3].version++;
    for (int i = 0; i < 4; i++) {
        const bp_service by_other = {.schema = &others[i]};
        ck_assert_ptr_null(bp_conn_session(rig.server.conn, &by_other));
        ck_assert_uint_eq(bp_conn_peer_version(rig.server.conn, &others[i]), 0);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* The very schema comes before any copy of it, wherever that stands. Without HELLO an end may speak both. */
START_TEST(of_two_copies_each_has_its_own_session) {
    bpt_rig rig;
    bp_type_info type = {.name = "More", .type = 500, .accept_max = 10};
    bpt_rig_init(&rig);
    narrow();
    bp_schema more = copy;
    more.types = &type;
    more.type_count = 1;
    more.range_count = 0;
    rig.server.hello = BP_HELLO_OFF;
    rig.server.session_size = SESSION;
    bp_server_config server = bpt_rig_server_config(&rig, _i);
    server.conn.services[1] = server.conn.services[0];
    server.conn.services[0].schema = &copy;
    server.conn.services[1].schema = &more;
    server.conn.service_count = 2;
    bpt_rig_listen(&rig, &server, _i);
    const int fd = bpt_rig_raw(&rig);
    bpt_rig_until(&rig, rig.server.opens == 1);
    const bp_service first = {.schema = &copy}, second = {.schema = &more};
    ck_assert_ptr_nonnull(bp_conn_session(rig.server.conn, &first));
    ck_assert_ptr_ne(bp_conn_session(rig.server.conn, &first), bp_conn_session(rig.server.conn, &second));
    close(fd);
    bpt_rig_fini(&rig);
}
END_TEST

static bp_err check_filled(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    (void)conn;
    bpt_must(frame->info == &types[3] && frame->length == NARROW);
    bpt_must(bpt_frame_is_filled(frame->value, frame->length, side->frames));
    return BP_OK;
}

/* What is longer is refused by its header, before anybody has a buffer for it. */
START_TEST(a_copy_narrows_what_its_reader_takes) {
    bpt_rig rig;
    bpt_wire wire = {0};
    start(&rig, _i);
    rig.server.on_frame = check_filled;
    bpt_send(rig.clients[0].conn, BPT_LARGE_TYPE, NARROW, 1);
    bpt_rig_until(&rig, rig.server.frames == 1);
    const int fd = bpt_rig_raw_met(&rig);
    bpt_wire_add_head(&wire, BPT_LARGE_TYPE, NARROW + 1);
    bpt_raw_write(fd, wire.data, wire.length);
    bpt_rig_until(&rig, rig.server.closes == 1);
    bpt_err(rig.server.why, BP_ERR_FRAME_LONG);
    ck_assert_uint_eq(rig.server.frames, 1);
    bpt_send(rig.clients[0].conn, BPT_LARGE_TYPE, NARROW, 2); /* the other one goes on */
    bpt_rig_until(&rig, rig.server.frames == 2);
    close(fd);
    bpt_wire_free(&wire);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(transport_service_copy) {
    BPT_LOOP_TEST(a_copy_says_hello_as_the_schema_does, 0, BPT_WAYS);
    BPT_LOOP_TEST(sessions_are_found_by_either, 0, 2);
    BPT_LOOP_TEST(of_two_copies_each_has_its_own_session, 0, 2);
    BPT_LOOP_TEST(a_copy_narrows_what_its_reader_takes, 0, BPT_WAYS);
}
