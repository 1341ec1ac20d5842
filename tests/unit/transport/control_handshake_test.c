#define _POSIX_C_SOURCE 200809L
/* The two HELLOs of a connection: which schemas, versions and settings fit, and who knows of it until they do. */
#include "tests/support/talk.h"

enum { ID = BPT_TALK_ID, OLDEST = BPT_TALK_OLDEST, NOW = BPT_TALK_NOW };

/* ---- what fits and what does not -------------------------------------------------------------------------------- */

typedef struct hello_case {
    bpt_said entries[3];
    uint16_t count;
    bp_err err; /* BP_OK: it fits */
    const char *why;
} hello_case;

static const hello_case hellos[] = {
    {{{ID, NOW, 1, 0x66}}, 1, BP_OK, NULL},
    {{{ID, NOW, NOW, 0x66}}, 1, BP_OK, NULL},
    {{{ID, NOW, 1, 0}}, 1, BP_OK, NULL}, /* it does not know what it looks like */
    {{{ID, NOW, 1, 0x67}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version looks different on the wire: schema frames, version 6 there, 6 here"},
    {{{ID, 5, 1, 0x55}}, 1, BP_OK, NULL},
    {{{ID, 5, 1, 0x33}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version looks different on the wire: schema frames, version 5 there, 6 here"},
    {{{ID, 4, 1, 0x33}}, 1, BP_OK, NULL}, /* 4 looks like 3 */
    {{{ID, OLDEST, OLDEST, 0x33}}, 1, BP_OK, NULL},
    {{{ID, OLDEST - 1, 1, 0x33}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version is older than any that is read here: schema frames, version 2 there, 6 here"},
    {{{ID, NOW + 1, NOW, 0x99}}, 1, BP_OK, NULL}, /* it knows, and has not refused */
    {{{ID, 65535, NOW + 1, 0x99}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version does not read the one here: schema frames, version 65535 there, 6 here"},
    {{{ID + 1, NOW, 1, 0x66}}, 1, BP_ERR_SCHEMA, "the peer has none of the schemas that are spoken here"},
    {{{0}}, 0, BP_ERR_SCHEMA, "the peer has none of the schemas that are spoken here"},
    {{{ID + 1, 1, 1, 1}, {ID, NOW, 1, 0x66}, {ID + 2, 9, 1, 1}}, 3, BP_OK, NULL},
    {{{ID, NOW, 1, 0x66}, {ID, NOW, 1, 0x66}}, 2, BP_ERR_MALFORMED, "the peer's HELLO or GOODBYE is malformed"},
    {{{ID, NOW, NOW + 1, 0x66}}, 1, BP_ERR_MALFORMED, "the peer's HELLO or GOODBYE is malformed"},
    {{{ID, NOW, 0, 0x66}}, 1, BP_ERR_MALFORMED, "the peer's HELLO or GOODBYE is malformed"},
};
enum { HELLOS = sizeof hellos / sizeof hellos[0] };

/* With a frame and a GOODBYE behind it. */
START_TEST(a_hello_fits_or_is_refused_with_the_reason) {
    const hello_case *c = &hellos[_i / 2];
    const bool is_required = _i % 2 != 0;
    bpt_talk talk;
    bpt_bytes b = {.length = 0};
    bpt_talk_start(&talk, is_required ? BP_HELLO_REQUIRED : BP_HELLO_OPTIONAL);
    bpt_say_hello(&b, c->entries, c->count);
    bpt_say_small(&b, 1);
    bpt_say_goodbye(&b);
    bpt_talk_whole(&talk, &b);
    const bool fits = c->err == BP_OK;
    ck_assert_uint_eq(talk.rig.server.frames, fits);
    ck_assert_uint_eq(talk.rig.server.opens, fits || !is_required);
    ck_assert_uint_eq(talk.rig.server.closes, talk.rig.server.opens);
    if (talk.rig.server.closes != 0) bpt_err(talk.rig.server.why, fits ? BP_ERR_END : c->err);
    if (talk.rig.server.closes != 0) ck_assert_str_eq(talk.why, fits ? bp_err_text(BP_ERR_END) : c->why);
    if (fits) ck_assert_uint_eq(talk.version_at_close, c->entries[c->count == 3 ? 1 : 0].version);
    if (fits && is_required) ck_assert_uint_eq(talk.version, talk.version_at_close);
    bp_server_stats stats;
    bp_server_stats_read(talk.rig.server.server, &stats);
    ck_assert_uint_eq(stats.connections_failed, !fits);
    ck_assert_uint_eq(stats.conn.frames_in, fits);
    ck_assert_uint_eq(stats.conn.frames_skipped, 0);
    bpt_talk_fini(&talk);
}
END_TEST

/* ---- several schemas -------------------------------------------------------------------------------------------- */

/* A second schema without any types in the way of the first. */
static const bp_schema second = {.abi = BP_ABI,
                                 .name = "second",
                                 .id = 500,
                                 .version = 9,
                                 .min_compatible = 9,
                                 .layouts = &(const bp_layout){9, 0x99},
                                 .layout_count = 1};

START_TEST(every_schema_in_common_must_fit) {
    static const hello_case all[] = {
        {{{500, 9, 9, 0x99}}, 1, BP_OK, NULL},
        {{{500, 9, 9, 0x99}, {ID, NOW, 1, 0x66}}, 2, BP_OK, NULL},
        {{{500, 9, 9, 0x98}, {ID, NOW, 1, 0x66}},
         2,
         BP_ERR_SCHEMA,
         "the peer's version looks different on the wire: schema second, version 9 there, 9 here"},
        {{{500, 8, 8, 0x99}, {ID, NOW, 1, 0x66}},
         2,
         BP_ERR_SCHEMA,
         "the peer's version is older than any that is read here: schema second, version 8 there, 9 here"}};
    const hello_case *c = &all[_i];
    bpt_talk talk;
    bpt_bytes b = {.length = 0};
    bpt_talk_init(&talk);
    bp_server_config config = bpt_talk_configure(&talk, BP_HELLO_OPTIONAL);
    config.conn.services[1] = config.conn.services[0];
    config.conn.services[1].schema = &second;
    config.conn.service_count = 2;
    bpt_rig_listen(&talk.rig, &config, BPT_WAYS - 1);
    talk.fd = bpt_rig_raw(&talk.rig);
    bpt_say_hello(&b, c->entries, c->count);
    bpt_say_goodbye(&b);
    bpt_talk_whole(&talk, &b);
    bpt_err(talk.rig.server.why, c->err == BP_OK ? BP_ERR_END : c->err);
    if (c->why != NULL) ck_assert_str_eq(talk.why, c->why);
    if (c->err == BP_OK) ck_assert_uint_eq(talk.version_at_close, c->count == 2 ? NOW : 0);
    bpt_talk_fini(&talk);
}
END_TEST

/* ---- two of a kind ---------------------------------------------------------------------------------------------- */

START_TEST(two_ends_of_this_library_agree) {
    static const bp_hello modes[] = {BP_HELLO_OPTIONAL, BP_HELLO_REQUIRED, BP_HELLO_OFF};
    const bp_hello server_mode = modes[_i % 3], client_mode = modes[_i / 3];
    const bool is_off = server_mode == BP_HELLO_OFF || client_mode == BP_HELLO_OFF;
    const bool is_refused = is_off && (server_mode == BP_HELLO_REQUIRED || client_mode == BP_HELLO_REQUIRED);
    bpt_rig rig;
    bpt_rig_init(&rig);
    rig.server.hello = server_mode;
    rig.clients[0].hello = client_mode;
    const bp_server_config server = bpt_rig_server_config(&rig, 3);
    bp_client_config client = bpt_rig_client_config(&rig, 0, 3);
    bpt_rig_listen(&rig, &server, 3);
    bpt_rig_connect(&rig, 0, &client);
    if (is_refused) {
        bpt_rig_until(&rig, rig.server.opens == 1 || rig.clients[0].opens == 1);
        bp_conn *talker = rig.server.conn != NULL ? rig.server.conn : rig.clients[0].conn;
        bpt_side *other = rig.server.conn != NULL ? &rig.clients[0] : &rig.server;
        bpt_send(talker, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
        bpt_rig_until(&rig, rig.server.opens == rig.server.closes && rig.clients[0].closes == 1);
        ck_assert_uint_eq(other->opens, 0);
        ck_assert_uint_eq(other->frames, 0);
    } else {
        bpt_rig_until(&rig, rig.server.opens == 1 && rig.clients[0].opens == 1);
        bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
        bp_conn_finish(rig.clients[0].conn);
        bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
        bpt_err(rig.server.why, BP_ERR_END);
        bpt_err(rig.clients[0].why, BP_ERR_CLOSED);
        ck_assert_uint_eq(rig.server.frames, 1);
        ck_assert_uint_eq(rig.server.stats.frames_in, 1);
        ck_assert_uint_eq(rig.clients[0].stats.frames_out, 1);
    }
    bpt_rig_fini(&rig);
}
END_TEST

static void count_letter(bpt_side *side, bp_conn *conn) {
    (void)conn;
    ck_assert_ptr_nonnull(bp_client_conn(side->client));
}

/* A client that waits for HELLO has no connection yet, and broadcasts do not reach it. */
START_TEST(nobody_knows_a_connection_that_shakes_hands) {
    bpt_talk talk;
    bpt_bytes b = {.length = 0};
    bpt_talk_start(&talk, BP_HELLO_REQUIRED);
    bp_server_stats stats = {0};
    while (stats.connections_open == 0) {
        uv_run(&talk.rig.loop, UV_RUN_ONCE);
        bp_server_stats_read(talk.rig.server.server, &stats);
    }
    bp_buf *buf = bpt_frame_buf(bp_server_pool(talk.rig.server.server), BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    ck_assert_uint_eq(bp_server_broadcast_take(talk.rig.server.server, &buf), 0);
    bpt_say_hello(&b, &bpt_said_good, 1);
    bpt_talk_put(&talk, b.data, b.length);
    bpt_rig_until(&talk.rig, talk.rig.server.opens == 1);
    buf = bpt_frame_buf(bp_server_pool(talk.rig.server.server), BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    ck_assert_uint_eq(bp_server_broadcast_take(talk.rig.server.server, &buf), 1);
    talk.rig.clients[0].hello = BP_HELLO_REQUIRED;
    talk.rig.clients[0].on_open = count_letter;
    bp_client_config client = bpt_rig_client_config(&talk.rig, 0, BPT_WAYS - 1);
    client.conn.services[0].schema = &talk.schema;
    bpt_rig_connect(&talk.rig, 0, &client);
    ck_assert_ptr_null(bp_client_conn(talk.rig.clients[0].client));
    bpt_rig_until(&talk.rig, talk.rig.clients[0].opens == 1);
    bpt_talk_fini(&talk);
}
END_TEST

BPT_SUITE(transport_control_handshake) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(a_hello_fits_or_is_refused_with_the_reason, 0, 2 * HELLOS);
    BPT_LOOP_TEST(every_schema_in_common_must_fit, 0, 4);
    BPT_LOOP_TEST(two_ends_of_this_library_agree, 0, 9);
    BPT_TEST(nobody_knows_a_connection_that_shakes_hands);
}
