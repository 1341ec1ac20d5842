#define _GNU_SOURCE
/* A library's contract beside a program's in one server, over real sockets: neither knows of the other, and an end may
 * take shorter frames of a type than the contract allows. */
#include "tests/support/frame_rig.h"

#include "generated/market.h"
#include "transfer/link.h"

#include <string.h>

enum { PART_SIZE = 50000 };

/* What one side's handlers saw. */
typedef struct seen {
    unsigned acks, wants, parts;
    size_t part_length;
    bool is_filled;
} seen;

typedef struct fixture {
    bpt_rig rig;
    seen server, client;
    bpi_narrow_schema narrow;
} fixture;

static bp_err on_ack(bp_conn *conn, const market_book_ack_view *view, void *user) {
    (void)conn, (void)view;
    ((seen *)user)->acks++;
    return BP_OK;
}

static bp_err on_want(bp_conn *conn, const bpi_transfer_part_want_view *view, void *user) {
    (void)conn, (void)view;
    ((seen *)user)->wants++;
    return BP_OK;
}

static bp_err on_part(bp_conn *conn, const bpi_transfer_part_view *view, void *user) {
    seen *s = user;
    const bp_bytes data = bpi_transfer_part_get_data(view);
    (void)conn;
    s->parts++;
    s->part_length = data.length;
    s->is_filled = bpt_frame_is_filled(data.data, (uint32_t)data.length, s->parts);
    return BP_OK;
}

static const market_handlers market_on = {.book_ack = on_ack};
static const bpi_transfer_handlers transfer_on = {.part_want = on_want, .part = on_part};

static void speak(bp_conn_config *conn, seen *user) {
    conn->services[0] = market_service(&market_on, user);
    conn->services[1] = bpi_transfer_service(&transfer_on, user);
    conn->service_count = 2;
    conn->pool_config = market_pool_config;
    conn->hello = BP_HELLO_REQUIRED;
}

static void start(fixture *f, int way) {
    *f = (fixture){0};
    bpt_rig_init(&f->rig);
    bpi_narrow_schema_init(&f->narrow, PART_SIZE);
    bp_server_config server = bpt_rig_server_config(&f->rig, way);
    speak(&server.conn, &f->server);
    server.conn.services[1].schema = &f->narrow.schema;
    bpt_rig_listen(&f->rig, &server, way);
    bp_client_config client = bpt_rig_client_config(&f->rig, 0, way);
    speak(&client.conn, &f->client);
    bpt_rig_connect(&f->rig, 0, &client);
    bpt_rig_until(&f->rig, f->rig.server.opens == 1 && f->rig.clients[0].opens == 1);
}

/* The data goes where it leaves from. */
static void send_part(bp_conn *conn, uint32_t data_length, uint64_t seed) {
    const bpi_transfer_part part = {.transfer = 1, .part = seed, .data_length = data_length};
    uint32_t length = 0;
    uint8_t *data = NULL;
    bp_buf *buf = NULL;
    bpt_ok(bpi_transfer_part_size(&part, &length));
    bpt_ok(bp_conn_acquire(conn, length, &buf));
    bpt_ok(bpi_transfer_part_place(&part, bp_buf_data(buf), length, &length, &data));
    bpt_frame_fill(data, data_length, seed);
    bp_buf_set_type(buf, BPI_TRANSFER_PART_TYPE);
    bp_buf_set_length(buf, length);
    bpt_ok(bp_conn_send_take(conn, &buf));
}

START_TEST(both_contracts_are_served_on_one_connection) {
    fixture f;
    start(&f, _i);
    bp_conn *conn = f.rig.clients[0].conn;
    const market_book_ack ack = {.sequence = 1};
    const bpi_transfer_part_want want = {.transfer = 1};
    ck_assert_uint_eq(bp_conn_peer_version(conn, &market_schema), MARKET_SCHEMA_VERSION);
    ck_assert_uint_eq(bp_conn_peer_version(conn, &bpi_transfer_schema), BPI_TRANSFER_SCHEMA_VERSION);
    for (unsigned i = 1; i <= 3; i++) {
        bpt_ok(market_send_book_ack(conn, &ack));
        bpt_ok(bpi_transfer_send_part_want(conn, &want));
        send_part(conn, i * PART_SIZE / 3, i);
        bpt_rig_until(&f.rig, f.server.parts == i);
        ck_assert_uint_eq(f.server.part_length, i * PART_SIZE / 3);
        ck_assert(f.server.is_filled);
    }
    ck_assert_uint_eq(f.server.acks, 3);
    ck_assert_uint_eq(f.server.wants, 3);
    bpt_ok(market_send_book_ack(f.rig.server.conn, &ack));
    bpt_ok(bpi_transfer_send_part_want(f.rig.server.conn, &want));
    bpt_rig_until(&f.rig, f.client.acks == 1 && f.client.wants == 1);
    bpt_rig_fini(&f.rig);
}
END_TEST

/* The contract allows 16 MiB; this end does not, and reserves nothing for what it refuses. */
START_TEST(a_frame_above_the_ends_own_limit_is_refused_before_it_costs_anything) {
    fixture f;
    bp_pool_stats stats;
    start(&f, _i);
    send_part(f.rig.clients[0].conn, PART_SIZE + 1, 1);
    bpt_rig_until(&f.rig, f.rig.server.closes == 1);
    bpt_err(f.rig.server.why, BP_ERR_FRAME_LONG);
    ck_assert_uint_eq(f.server.parts, 0);
    bp_pool_stats_read(bp_server_pool(f.rig.server.server), &stats);
    ck_assert_uint_eq(stats.committed_peak_bytes, 0);
    bpt_rig_fini(&f.rig);
}
END_TEST

BPT_SUITE(integration_library_contract) {
    BPT_LOOP_TEST(both_contracts_are_served_on_one_connection, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_frame_above_the_ends_own_limit_is_refused_before_it_costs_anything, 0, BPT_WAYS);
}
