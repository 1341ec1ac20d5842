#define _GNU_SOURCE
/* Hooks and sessions over real sockets: every connection has a memory of its own, and what it refuses closes it or is
 * dropped. */
#include "tests/support/frame_rig.h"
#include "tests/support/hogs.h"

#include "chain_dialect.h"
#include "gate.h"

#include <string.h>

/* What one side's handlers saw; the rest of a side is the rig's. */
typedef struct seen {
    unsigned hellos, metas, trades, swaps;
    uint64_t last_sequence;
} seen;

static bp_err on_hello(bp_conn *conn, const gate_hello_view *view, void *user) {
    (void)conn, (void)view;
    ((seen *)user)->hellos++;
    return BP_OK;
}

static bp_err on_meta(bp_conn *conn, const gate_meta_view *view, void *user) {
    (void)conn, (void)view;
    ((seen *)user)->metas++;
    return BP_OK;
}

static bp_err on_trade(bp_conn *conn, const gate_trade_view *view, void *user) {
    (void)conn;
    ((seen *)user)->trades++;
    ((seen *)user)->last_sequence = gate_trade_get_sequence(view);
    return BP_OK;
}

static bp_err on_swap(bp_conn *conn, const chain_dialect_swap_seen_view *view, void *user) {
    (void)conn, (void)view;
    ((seen *)user)->swaps++;
    return BP_OK;
}

enum { UNKNOWN_VENUE = 13 };

static bool known_number(uint64_t value, void *user) {
    (void)user;
    return value != UNKNOWN_VENUE;
}
static bool any_signed(int64_t value, void *user) { return (void)value, (void)user, true; }
static bool any_real(double value, void *user) { return (void)value, (void)user, true; }
static bool any_u128(bp_u128 value, void *user) { return (void)value, (void)user, true; }
static bool any_u256(bp_u256 value, void *user) { return (void)value, (void)user, true; }
static bool any_text(bp_text value, void *user) { return (void)value, (void)user, true; }
static bool any_bytes(bp_bytes value, void *user) { return (void)value, (void)user, true; }

static const gate_hooks hooks = {.known_number = known_number,
                                 .known_signed = any_signed,
                                 .known_real = any_real,
                                 .known_u128 = any_u128,
                                 .known_u256 = any_u256,
                                 .known_text = any_text,
                                 .known_bytes = any_bytes};
static const gate_handlers on = {.hello = on_hello, .meta = on_meta, .trade = on_trade, .hooks = &hooks};
static const chain_dialect_handlers chain_on = {.swap_seen = on_swap};

typedef struct fixture {
    bpt_rig rig;
    seen server, clients[2];
} fixture;

static void speak(bp_conn_config *conn, seen *user) {
    conn->services[0] = gate_service(&on, user);
    conn->services[1] = chain_dialect_service(&chain_on, user);
    conn->service_count = 2;
    conn->pool_config = gate_pool_config;
}

static void connect_client(fixture *f, int ix, int way) {
    bp_client_config config = bpt_rig_client_config(&f->rig, ix, way);
    const unsigned before = f->rig.clients[ix].opens, served = f->rig.server.opens;
    speak(&config.conn, &f->clients[ix]);
    bpt_rig_connect(&f->rig, ix, &config);
    bpt_rig_until(&f->rig, f->rig.clients[ix].opens == before + 1 && f->rig.server.opens == served + 1);
}

static void start(fixture *f, int way, bp_invalid invalid) {
    *f = (fixture){0};
    bpt_rig_init(&f->rig);
    bp_server_config config = bpt_rig_server_config(&f->rig, way);
    speak(&config.conn, &f->server);
    config.conn.invalid = invalid;
    bpt_rig_listen(&f->rig, &config, way);
    connect_client(f, 0, way);
}

static bp_conn *client(fixture *f, int ix) { return f->rig.clients[ix].conn; }

static void send_hello(bp_conn *conn) {
    const gate_hello hello = GATE_HELLO_INIT;
    bpt_ok(gate_send_hello(conn, &hello));
}

static void send_meta(bp_conn *conn) {
    const gate_meta meta = GATE_META_INIT;
    bpt_ok(gate_send_meta(conn, &meta));
}

static void send_trade(bp_conn *conn, uint64_t sequence, uint16_t venue) {
    const gate_trade trade = {.sequence = sequence, .venue = venue};
    bpt_ok(gate_send_trade(conn, &trade));
}

static void introduce(bp_conn *conn) {
    send_hello(conn);
    send_meta(conn);
}

START_TEST(two_connections_have_two_memories) {
    fixture f;
    start(&f, _i, BP_INVALID_CLOSE);
    connect_client(&f, 1, _i);
    introduce(client(&f, 0));
    send_trade(client(&f, 0), 50, 1);
    bpt_rig_until(&f.rig, f.server.trades == 1);
    introduce(client(&f, 1));
    send_trade(client(&f, 1), 3, 1);
    bpt_rig_until(&f.rig, f.server.trades == 2);
    ck_assert_uint_eq(f.server.last_sequence, 3);
    send_trade(client(&f, 0), 50, 1);
    bpt_rig_until(&f.rig, f.server.trades == 3);
    send_trade(client(&f, 0), 49, 1);
    bpt_rig_until(&f.rig, f.rig.server.closes == 1);
    bpt_err(f.rig.server.why, BP_ERR_RULE);
    ck_assert_uint_eq(f.rig.server.stats.frames_invalid, 1);
    send_trade(client(&f, 1), 4, 1);
    bpt_rig_until(&f.rig, f.server.trades == 4);
    ck_assert_uint_eq(f.server.last_sequence, 4);
    bpt_rig_fini(&f.rig);
}
END_TEST

/* As a library does that narrows its own frames: what was compiled finds its session by the copy. */
START_TEST(a_copy_of_a_schema_has_the_memory_of_its_own) {
    static bp_type_info types[16];
    bp_schema copy = gate_schema;
    fixture f = {0};
    bpt_must(copy.type_count <= 16);
    for (uint32_t i = 0; i < copy.type_count; i++) types[i] = copy.types[i];
    copy.types = types;
    bpt_rig_init(&f.rig);
    bp_server_config config = bpt_rig_server_config(&f.rig, _i);
    speak(&config.conn, &f.server);
    config.conn.services[0].schema = &copy;
    config.conn.hello = BP_HELLO_REQUIRED;
    bpt_rig_listen(&f.rig, &config, _i);
    connect_client(&f, 0, _i);
    introduce(client(&f, 0));
    send_trade(client(&f, 0), 50, 1);
    bpt_rig_until(&f.rig, f.server.trades == 1);
    const bp_service by_copy = {.schema = &copy}, by_original = {.schema = &gate_schema};
    ck_assert_ptr_nonnull(bp_conn_session(f.rig.server.conn, &by_copy));
    ck_assert_ptr_eq(bp_conn_session(f.rig.server.conn, &by_copy), bp_conn_session(f.rig.server.conn, &by_original));
    send_trade(client(&f, 0), 49, 1); /* which the session knows to be too late */
    bpt_rig_until(&f.rig, f.rig.server.closes == 1);
    bpt_err(f.rig.server.why, BP_ERR_RULE);
    bpt_rig_fini(&f.rig);
}
END_TEST

static bp_err hello_with_memory(bp_conn *conn, const gate_hello_view *view, void *user) {
    bp_buf *buf = NULL;
    const bp_err err = bp_conn_acquire(conn, 100, &buf);
    bp_buf_release(buf);
    return err == BP_OK ? on_hello(conn, view, user) : err;
}

static bool remembers_anything(bp_conn *conn) {
    const bp_service service = {.schema = &gate_schema};
    const gate_session none = {0};
    return memcmp(bp_conn_session(conn, &service), &none, sizeof none) != 0;
}

/* The handler gets the frame again, so it has not come before. */
START_TEST(what_a_handler_has_no_memory_for_has_not_come_yet) {
    static const gate_handlers needy = {
        .hello = hello_with_memory, .meta = on_meta, .trade = on_trade, .hooks = &hooks};
    static bpt_hogs hogs;
    fixture f = {0};
    bpt_rig_init(&f.rig);
    bp_server_config config = bpt_rig_server_config(&f.rig, _i);
    speak(&config.conn, &f.server);
    config.conn.services[0] = gate_service(&needy, &f.server);
    config.conn.pool_config.memory_limit = 1u << 20;
    bpt_rig_listen(&f.rig, &config, _i);
    connect_client(&f, 0, _i);
    bpt_hogs_fill(&hogs, bp_server_pool(f.rig.server.server));
    introduce(client(&f, 0));
    send_trade(client(&f, 0), 1, 1);
    bp_server_stats stats = {0};
    while (stats.connections_waiting == 0) {
        uv_run(&f.rig.loop, UV_RUN_ONCE);
        bp_server_stats_read(f.rig.server.server, &stats);
    }
    ck_assert(!remembers_anything(f.rig.server.conn));
    ck_assert_uint_eq(f.server.hellos, 0);
    bpt_hogs_free(&hogs);
    bpt_rig_until(&f.rig, f.server.trades == 1);
    ck_assert_uint_eq(f.server.hellos, 1);
    ck_assert(remembers_anything(f.rig.server.conn));
    bpt_rig_fini(&f.rig);
}
END_TEST

START_TEST(what_comes_too_early_closes) {
    fixture f;
    start(&f, _i, BP_INVALID_CLOSE);
    send_hello(client(&f, 0));
    send_trade(client(&f, 0), 1, 1);
    bpt_rig_until(&f.rig, f.rig.server.closes == 1 && f.rig.clients[0].closes == 1);
    bpt_err(f.rig.server.why, BP_ERR_ORDER);
    ck_assert_uint_eq(f.rig.server.stats.frames_invalid, 1);
    ck_assert_uint_eq(f.server.trades, 0);
    bpt_rig_fini(&f.rig);
}
END_TEST

START_TEST(what_is_refused_is_dropped_where_that_is_the_policy) {
    fixture f;
    start(&f, _i, BP_INVALID_DROP);
    bp_conn *const conn = client(&f, 0);
    send_trade(conn, 9, 1); /* too early */
    send_meta(conn);        /* too early */
    introduce(conn);
    send_trade(conn, 5, 1);
    send_trade(conn, 8, UNKNOWN_VENUE); /* refused by a hook: 8 is not remembered */
    send_trade(conn, 4, 1);             /* falls */
    send_trade(conn, 6, 1);
    bp_conn_finish(conn);
    bpt_rig_until(&f.rig, f.rig.server.closes == 1);
    bpt_err(f.rig.server.why, BP_ERR_END);
    ck_assert_uint_eq(f.rig.server.stats.frames_invalid, 4);
    ck_assert_uint_eq(f.server.hellos, 1);
    ck_assert_uint_eq(f.server.metas, 1);
    ck_assert_uint_eq(f.server.trades, 2);
    ck_assert_uint_eq(f.server.last_sequence, 6);
    bpt_rig_fini(&f.rig);
}
END_TEST

START_TEST(a_hook_that_refuses_closes) {
    fixture f;
    start(&f, _i, BP_INVALID_CLOSE);
    introduce(client(&f, 0));
    send_trade(client(&f, 0), 1, UNKNOWN_VENUE);
    bpt_rig_until(&f.rig, f.rig.server.closes == 1);
    bpt_err(f.rig.server.why, BP_ERR_RULE);
    ck_assert_uint_eq(f.server.trades, 0);
    bpt_rig_fini(&f.rig);
}
END_TEST

/* What a side has sent does not count for what it receives. */
START_TEST(each_direction_has_its_own_order) {
    fixture f;
    start(&f, _i, BP_INVALID_CLOSE);
    introduce(f.rig.server.conn);
    send_trade(f.rig.server.conn, 90, 1);
    bpt_rig_until(&f.rig, f.clients[0].trades == 1);
    introduce(client(&f, 0));
    send_trade(client(&f, 0), 2, 1);
    bpt_rig_until(&f.rig, f.server.trades == 1);
    send_trade(f.rig.server.conn, 89, 1);
    bpt_rig_until(&f.rig, f.rig.clients[0].closes == 1);
    bpt_err(f.rig.clients[0].why, BP_ERR_RULE);
    bpt_rig_until(&f.rig, f.rig.server.closes == 1);
    bp_client_free_take(&f.rig.clients[0].client);
    connect_client(&f, 0, _i);
    introduce(f.rig.server.conn);
    bpt_rig_until(&f.rig, f.clients[0].metas == 2);
    send_trade(client(&f, 0), 3, 1); /* it has received both, and sent neither */
    bpt_rig_until(&f.rig, f.rig.server.closes == 2);
    bpt_err(f.rig.server.why, BP_ERR_ORDER);
    bpt_rig_fini(&f.rig);
}
END_TEST

START_TEST(who_comes_again_begins_anew) {
    fixture f;
    start(&f, _i, BP_INVALID_CLOSE);
    introduce(client(&f, 0));
    send_trade(client(&f, 0), 50, 1);
    bpt_rig_until(&f.rig, f.server.trades == 1);
    for (unsigned round = 1; round <= 2; round++) {
        bp_client_free_take(&f.rig.clients[0].client);
        bpt_rig_until(&f.rig, f.rig.server.closes == round);
        connect_client(&f, 0, _i);
        if (round == 1) {
            introduce(client(&f, 0));
            send_trade(client(&f, 0), 1, 1);
            bpt_rig_until(&f.rig, f.server.trades == 2);
        } else {
            send_trade(client(&f, 0), 60, 1);
            bpt_rig_until(&f.rig, f.rig.server.closes == 3);
            bpt_err(f.rig.server.why, BP_ERR_ORDER);
        }
    }
    bpt_rig_fini(&f.rig);
}
END_TEST

/* Two services on one connection remember behind each other. */
START_TEST(services_do_not_share_a_memory) {
    fixture f;
    start(&f, _i, BP_INVALID_CLOSE);
    bp_conn *const conn = client(&f, 0);
    chain_dialect_pool_announced announced = {.pool = {1}, .tokens_count = 1, .symbol = "A", .symbol_length = 1};
    chain_dialect_swap_seen swap = {.block_number = 700, .amount_in = {{1}}, .transaction_hash = ""};
    const gate_counts zeros = GATE_COUNTS_INIT; /* what it remembers lies first in its session, as theirs does */
    introduce(conn);
    bpt_ok(gate_send_counts(conn, &zeros));
    bpt_ok(chain_dialect_send_pool_announced(conn, &announced));
    bpt_ok(chain_dialect_send_swap_seen(conn, &swap));
    bpt_ok(gate_send_counts(conn, &zeros));
    send_trade(conn, 51, 1);
    bpt_ok(chain_dialect_send_swap_seen(conn, &swap));
    bpt_rig_until(&f.rig, (f.server.swaps == 2 && f.server.trades == 1) || f.rig.server.closes == 1);
    ck_assert_uint_eq(f.rig.server.closes, 0);
    swap.block_number = 699;
    bpt_ok(chain_dialect_send_swap_seen(conn, &swap));
    bpt_rig_until(&f.rig, f.rig.server.closes == 1);
    bpt_err(f.rig.server.why, BP_ERR_RULE);
    bpt_rig_fini(&f.rig);
}
END_TEST

START_TEST(nobody_listens_without_a_declared_hook) {
    fixture f = {.server = {0}};
    const gate_handlers without = {.hello = on_hello};
    bpt_rig_init(&f.rig);
    bp_server_config config = bpt_rig_server_config(&f.rig, _i);
    config.conn.services[0] = gate_service(&without, NULL);
    bpt_err(bp_server_new(&config, "tcp://127.0.0.1:0", &f.rig.server.server), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(f.rig.server.server);
    bpt_rig_fini(&f.rig);
}
END_TEST

BPT_SUITE(integration_session) {
    BPT_LOOP_TEST(a_copy_of_a_schema_has_the_memory_of_its_own, 0, BPT_WAYS);
    BPT_LOOP_TEST(two_connections_have_two_memories, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_a_handler_has_no_memory_for_has_not_come_yet, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_comes_too_early_closes, 0, BPT_WAYS);
    BPT_LOOP_TEST(what_is_refused_is_dropped_where_that_is_the_policy, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_hook_that_refuses_closes, 0, BPT_WAYS);
    BPT_LOOP_TEST(each_direction_has_its_own_order, 0, BPT_WAYS);
    BPT_LOOP_TEST(who_comes_again_begins_anew, 0, BPT_WAYS);
    BPT_LOOP_TEST(services_do_not_share_a_memory, 0, BPT_WAYS);
    BPT_LOOP_TEST(nobody_listens_without_a_declared_hook, 0, 1);
}
