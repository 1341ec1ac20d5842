#define _GNU_SOURCE
/* The service that serves objects, over real sockets, with a peer that does as the contract says: what it is told, and
 * what it is refused. */
#include "tests/support/transfer_peer.h"
#include "transport/transport_internal.h"

#include <stdio.h>
#include <string.h>

enum { PARTS = 6, SIZE = PARTS * BPT_PART_SIZE - 100, LAST = BPT_PART_SIZE - 100, LISTED = 150 };

static bpt_peers s;
static bpt_peer *const peer = &s.peers[0];

static void start(int way) { bpt_peers_start(&s, &(bpt_peers_options){.way = way}); }

static void start_with(bp_transfer_server_config config) {
    bpt_peers_start(&s, &(bpt_peers_options){.config = config});
}

static const uint64_t sizes[] = {0, 1, BPT_PART_SIZE - 1, BPT_PART_SIZE, BPT_PART_SIZE + 1, 10 * BPT_PART_SIZE + 77};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

START_TEST(what_is_put_is_got) {
    start(_i % BPT_WAYS);
    const uint64_t size = sizes[_i / BPT_WAYS];
    bpt_serve_put(peer, 1, "a/b", size);
    ck_assert(bpt_mem_has(s.store, "a/b", size, BPT_SEED));
    bpt_serve_get(peer, 2, "a/b", size);
    bpt_peers_settle(&s);
    const bp_transfer_stats stats = bpt_peers_stats(&s);
    ck_assert_uint_eq(stats.transfers_open, 0);
    ck_assert_uint_eq(stats.transfers_done, 2);
    ck_assert_uint_eq(stats.transfers_failed + stats.parts_refused, 0);
    ck_assert_uint_eq(stats.bytes_in, size);
    ck_assert_uint_eq(stats.bytes_out, size);
    ck_assert_uint_eq(stats.parts_in, (size + BPT_PART_SIZE - 1) / BPT_PART_SIZE);
    ck_assert_uint_eq(stats.parts_out, stats.parts_in);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- puts ---- */

START_TEST(a_put_tells_its_token_and_how_many_parts_may_come_at_once) {
    static const uint16_t wanted[] = {1, 3, 64};
    static const uint32_t most[] = {0, 2, 64};
    start_with((bp_transfer_server_config){.parts_in_flight = most[_i / 3]});
    bpi_transfer_put_open open = {.transfer = 1, .part_size = BPT_PART_SIZE, .size = SIZE, .name_length = 1};
    open.name[0] = 'x';
    open.parts_in_flight = wanted[_i % 3];
    bpt_say_put_open_as(peer, &open);
    const bpt_told *told = &peer->told[1];
    bpt_peers_until(&s, told->put_opened == 1);
    const uint32_t limit = most[_i / 3] == 0 ? BP_PARTS_IN_FLIGHT_DEFAULT : most[_i / 3];
    ck_assert_uint_eq(told->put.parts_in_flight, wanted[_i % 3] < limit ? wanted[_i % 3] : limit);
    ck_assert_uint_eq(told->put.first | told->put.have | told->put.version, 0);
    ck_assert(!told->put.is_committed);
    static const uint8_t none[16];
    ck_assert_mem_ne(told->put.token, none, sizeof none);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(parts_may_come_in_any_order_within_the_window) {
    static const uint64_t order[PARTS] = {3, 5, 0, 4, 1, 2};
    start(0);
    bpt_told *told = bpt_open_put(peer, 1, "x", SIZE);
    for (unsigned i = 0; i < PARTS; i++) {
        bpt_say_part(peer, 1, order[i], order[i] == PARTS - 1 ? LAST : BPT_PART_SIZE);
        bpt_peers_until(&s, told->parts_done == i + 1);
    }
    ck_assert_uint_eq(told->done, (1u << PARTS) - 1);
    ck_assert(!bpt_mem_is_there(s.store, "x")); /* whole or not at all */
    bpt_say_commit(peer, 1, SIZE);
    bpt_peers_until(&s, told->committed == 1);
    ck_assert(bpt_mem_has(s.store, "x", SIZE, BPT_SEED));
    bpt_peers_fini(&s);
}
END_TEST

/* The end is where the last part says that it is, or the commit. */
START_TEST(an_object_whose_size_is_not_known_ends_with_a_short_part_or_a_commit) {
    const uint64_t size = (uint64_t)(_i == 0 ? SIZE : (PARTS - 1) * BPT_PART_SIZE);
    start(0);
    bpt_told *told = bpt_open_put(peer, 1, "x", BP_SIZE_UNKNOWN);
    for (unsigned i = 0; i * (uint64_t)BPT_PART_SIZE < size; i++) {
        bpt_say_part(peer, 1, i, i == PARTS - 1 ? LAST : BPT_PART_SIZE);
        bpt_peers_until(&s, told->parts_done == i + 1);
    }
    bpt_say_commit(peer, 1, size);
    bpt_peers_until(&s, told->committed == 1);
    ck_assert(bpt_mem_has(s.store, "x", size, BPT_SEED));
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_put_goes_on_by_its_token_with_the_parts_that_are_missing) {
    const bpt_peers_options options = {.way = _i};
    uint8_t token[16];
    start(_i);
    bpt_told *told = bpt_open_put(peer, 1, "x", SIZE);
    memcpy(token, told->put.token, sizeof token);
    static const uint64_t first[] = {0, 1, 3};
    for (int i = 0; i < 3; i++) bpt_say_part(peer, 1, first[i], BPT_PART_SIZE);
    bpt_peers_until(&s, told->parts_done == 3);
    bpt_peer_connect(&s, 0, &options); /* the first connection is lost */
    do { /* until the server has noticed */
        const uint32_t number = peer->told[1].failed == 0 ? 1 : 2;
        told = &peer->told[number];
        bpt_say_put_open(peer, number, "x", SIZE, token);
        bpt_peers_until(&s, told->put_opened + told->failed == 1);
    } while (told->failed != 0 && told->err == BP_ERR_BUSY && told == &peer->told[1]);
    ck_assert_uint_eq(told->put_opened, 1);
    ck_assert_mem_eq(told->put.token, token, sizeof token);
    ck_assert_uint_eq(told->put.first, 2);
    ck_assert_uint_eq(told->put.have, 1u << 1); /* part 3 */
    const uint32_t number = (uint32_t)(told - peer->told);
    bpt_say_part(peer, number, 2, BPT_PART_SIZE);
    bpt_say_part(peer, number, 5, LAST);
    bpt_say_part(peer, number, 4, BPT_PART_SIZE);
    bpt_peers_until(&s, told->parts_done == 3);
    bpt_say_commit(peer, number, SIZE);
    bpt_peers_until(&s, told->committed == 1);
    ck_assert(bpt_mem_has(s.store, "x", SIZE, BPT_SEED));
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_put_that_was_committed_says_so_when_it_is_asked_again) {
    start(0);
    bpt_serve_put(peer, 1, "x", SIZE);
    const bpt_told *told = &peer->told[2];
    bpt_say_put_open(peer, 2, "x", SIZE, peer->told[1].put.token);
    bpt_peers_until(&s, told->put_opened == 1);
    ck_assert(told->put.is_committed);
    ck_assert_uint_eq(told->put.version, peer->told[1].version);
    bpt_say_part(peer, 2, 0, BPT_PART_SIZE); /* it is over */
    bpt_peers_settle(&s);
    ck_assert_uint_eq(told->failed + told->parts_done, 0);
    ck_assert_uint_eq(bpt_peers_stats(&s).transfers_open, 0);
    ck_assert_uint_eq(bpt_peers_stats(&s).transfers_done, 2);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_put_that_ends_stays_or_is_thrown_away_as_it_says) {
    start(0);
    bpt_told *told = bpt_open_put(peer, 1, "x", SIZE);
    bpt_say_part(peer, 1, 0, BPT_PART_SIZE);
    bpt_peers_until(&s, told->parts_done == 1);
    bpt_say_end(peer, 1, _i == 1);
    bpt_peers_settle(&s);
    ck_assert_uint_eq(bpt_mem_puts(s.store), _i == 1 ? 0 : 1);
    ck_assert_uint_eq(bpt_mem_calls(s.store, BPT_MEM_ABORT), _i == 1);
    ck_assert_uint_eq(bpt_mem_open(s.store), 0);
    ck_assert_uint_eq(told->failed, 0);
    bpt_say_put_open(peer, 2, "x", SIZE, told->put.token);
    if (_i == 1) bpt_await_failed(peer, 2, BP_ERR_NOT_FOUND, BP_PART_NONE);
    bpt_peers_until(&s, peer->told[2].put_opened + peer->told[2].failed == 1);
    ck_assert_uint_eq(peer->told[2].put.first, _i == 1 ? 0 : 1);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- gets ---- */

static const struct range {
    uint64_t offset, length, count; /* count: parts */
    bp_err err;
} ranges[] = {
    {0, 0, PARTS, BP_OK},
    {1, 0, PARTS, BP_OK},
    {SIZE, 0, 0, BP_OK},
    {SIZE - 1, 1, 1, BP_OK},
    {100, BPT_PART_SIZE, 1, BP_OK},
    {100, BPT_PART_SIZE + 1, 2, BP_OK},
    {0, SIZE, PARTS, BP_OK},
    {0, SIZE + 1, 0, BP_ERR_RANGE},
    {SIZE + 1, 0, 0, BP_ERR_RANGE},
    {SIZE, 1, 0, BP_ERR_RANGE},
    {UINT64_MAX, 2, 0, BP_ERR_RANGE},
    {2, UINT64_MAX, 0, BP_ERR_RANGE},
};

START_TEST(a_range_is_cut_into_parts_from_its_first_byte) {
    const struct range *range = &ranges[_i];
    start(0);
    bpt_mem_add(s.store, "x", SIZE, BPT_SEED);
    bpt_say_get_open(peer, 1, "x", range->offset, range->length);
    if (range->err != BP_OK) {
        bpt_await_failed(peer, 1, range->err, BP_PART_NONE);
        bpt_peers_fini(&s);
        return;
    }
    const bpt_told *told = &peer->told[1];
    bpt_peers_until(&s, told->get_opened == 1);
    ck_assert_uint_eq(told->get.size, SIZE);
    ck_assert(told->get.has_crc);
    ck_assert_uint_eq(told->get.crc, bpt_object_sum(SIZE, BPT_SEED));
    for (uint64_t part = range->count; part-- > 0;) { /* they may be wanted in any order */
        bpt_say_want(peer, 1, part);
        bpt_peers_until(&s, told->parts == range->count - part);
    }
    ck_assert_uint_eq(told->got, (UINT64_C(1) << range->count) - 1);
    ck_assert_uint_eq(bpt_peers_stats(&s).bytes_out, range->length == 0 ? SIZE - range->offset : range->length);
    bpt_say_want(peer, 1, range->count);
    bpt_await_failed(peer, 1, BP_ERR_PART, range->count);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_get_of_another_version_or_of_nothing_fails) {
    bpi_transfer_get_open open = {.transfer = 2, .part_size = BPT_PART_SIZE, .parts_in_flight = 4};
    open.name_length = 1;
    open.name[0] = 'x';
    start(0);
    bpt_say_get_open(peer, 1, "x", 0, 0);
    bpt_await_failed(peer, 1, BP_ERR_NOT_FOUND, BP_PART_NONE);
    bpt_mem_add(s.store, "x", SIZE, BPT_SEED);
    open.version = 77;
    bpt_ok(bpi_transfer_send_get_open(peer->side->conn, &open));
    bpt_await_failed(peer, 2, BP_ERR_CHANGED, BP_PART_NONE);
    bpt_open_get(peer, 3, "x");
    bpt_mem_add(s.store, "x", SIZE, BPT_SEED + 1); /* it changes meanwhile */
    bpt_say_want(peer, 3, 1);
    bpt_await_failed(peer, 3, BP_ERR_CHANGED, 1);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- lists ---- */

static void add_listed(void) {
    char name[32];
    for (int i = 0; i < LISTED; i++) {
        snprintf(name, sizeof name, "d/%03d", i);
        bpt_mem_add(s.store, name, (uint64_t)i, BPT_SEED);
    }
    bpt_mem_add(s.store, "a", 1, 1);
    bpt_mem_add(s.store, "e", 1, 1);
}

START_TEST(a_list_is_told_in_pieces_and_in_order) {
    start(_i);
    add_listed();
    const char *after = "";
    for (uint32_t number = 1;; number++) {
        const bpt_told *told = &peer->told[number];
        bpt_say_list(peer, number, "d/", after);
        bpt_peers_until(&s, told->list_ended == 1);
        ck_assert_uint_eq(told->failed, 0);
        after = peer->names[peer->name_count - 1];
        if (!told->has_more) break;
        ck_assert_uint_gt(told->listed, 10);
    }
    ck_assert_uint_eq(peer->name_count, LISTED);
    for (int i = 0; i < LISTED; i++) {
        char name[32];
        snprintf(name, sizeof name, "d/%03d", i);
        ck_assert_str_eq(peer->names[i], name);
    }
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_list_of_nothing_ends) {
    start(0);
    bpt_say_list(peer, 1, "", "");
    bpt_peers_until(&s, peer->told[1].list_ended == 1);
    ck_assert_uint_eq(peer->told[1].listed, 0);
    ck_assert(!peer->told[1].has_more);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- what is refused ---- */

static bp_err only_gets(bp_conn *conn, bp_transfer_kind kind, const char *name, void *user) {
    bpt_must(conn != NULL && user == &s);
    if (kind == BP_TRANSFER_LIST) return BP_MORE; /* no error: reads as BP_ERR_PERMISSION */
    if (kind == BP_TRANSFER_GET && strcmp(name, "mine") == 0) return BP_OK;
    return kind == BP_TRANSFER_GET ? BP_ERR_NOT_FOUND : BP_ERR_PERMISSION;
}

START_TEST(the_program_says_who_may) {
    start_with((bp_transfer_server_config){.allow = only_gets, .user = &s});
    bpt_mem_add(s.store, "mine", SIZE, BPT_SEED);
    bpt_mem_add(s.store, "other", SIZE, BPT_SEED);
    bpt_say_put_open(peer, 1, "mine", SIZE, NULL);
    bpt_await_failed(peer, 1, BP_ERR_PERMISSION, BP_PART_NONE);
    bpt_say_get_open(peer, 2, "other", 0, 0);
    bpt_await_failed(peer, 2, BP_ERR_NOT_FOUND, BP_PART_NONE);
    bpt_say_list(peer, 3, "", "");
    bpt_await_failed(peer, 3, BP_ERR_PERMISSION, BP_PART_NONE);
    bpt_serve_get(peer, 4, "mine", SIZE);
    ck_assert_uint_eq(bpt_mem_calls(s.store, BPT_MEM_PUT_OPEN) + bpt_mem_calls(s.store, BPT_MEM_LIST), 0);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_part_size_that_is_too_large_is_refused_and_says_what_would_do) {
    start_with((bp_transfer_server_config){.part_size_max = 10000});
    bpi_transfer_put_open open = {.transfer = 1, .part_size = 10001, .parts_in_flight = 1, .size = 9, .name_length = 1};
    open.name[0] = 'x';
    bpt_say_put_open_as(peer, &open);
    bpt_await_failed(peer, 1, BP_ERR_PART_SIZE, BP_PART_NONE);
    ck_assert_ptr_nonnull(strstr(peer->told[1].text, "10000"));
    open.part_size = 10000;
    open.transfer = 2;
    bpt_say_put_open_as(peer, &open);
    bpt_peers_until(&s, peer->told[2].put_opened == 1);
    bpt_peers_fini(&s);
}
END_TEST

/* Nobody can have the server reserve more: such a frame ends its connection before anything is reserved for it. */
START_TEST(a_part_that_is_longer_than_the_server_takes_ends_the_connection) {
    start_with((bp_transfer_server_config){.part_size_max = 10000});
    bpt_open_put(peer, 1, "x", SIZE);
    bpt_say_part(peer, 1, 0, 10001);
    bpt_peers_until(&s, s.rig.server.closes == 1);
    bpt_err(s.rig.server.why, BP_ERR_FRAME_LONG);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_name_with_a_nul_is_no_name) {
    bpi_transfer_put_open open = {.transfer = 1, .part_size = 4096, .parts_in_flight = 1, .size = 9, .name_length = 3};
    memcpy(open.name, "a\0b", 3);
    start(0);
    bpt_say_put_open_as(peer, &open);
    bpt_await_failed(peer, 1, BP_ERR_NAME, BP_PART_NONE);
    bpi_transfer_list list = {.transfer = 2, .after_length = 1};
    bpt_ok(bpi_transfer_send_list(peer->side->conn, &list));
    bpt_await_failed(peer, 2, BP_ERR_NAME, BP_PART_NONE);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(too_many_transfers_of_a_connection_are_refused_until_others_end) {
    enum { LIMIT = 3, MORE = 20 };
    const bpt_peers_options options = {.config.transfer_limit = LIMIT, .peer_count = 2};
    bpt_peers_start(&s, &options);
    for (uint32_t i = 1; i <= LIMIT; i++) bpt_open_put(peer, i, "x", SIZE);
    for (uint32_t i = 1; i <= MORE; i++) bpt_say_put_open(peer, LIMIT + i, "x", SIZE, NULL);
    for (uint32_t i = 1; i <= MORE; i++) bpt_await_failed(peer, LIMIT + i, BP_ERR_BUSY, BP_PART_NONE);
    bpt_open_put(&s.peers[1], 1, "x", SIZE); /* another connection has its own */
    bpt_say_end(peer, 2, false);
    bpt_open_put(peer, 100, "x", SIZE);
    bpt_peers_fini(&s);
}
END_TEST

/* The socket and the queue take some, and then two thousand are remembered. */
START_TEST(refusals_that_nobody_takes_end_the_connection) {
    const bpt_peers_options options = {.config.transfer_limit = 1, .send_queue_bytes = 4096};
    bpt_peers_start(&s, &options);
    bp_conn_pause(peer->side->conn);
    for (uint32_t i = 1; s.rig.server.closes == 0; i++) {
        bpt_say_put_open(peer, i, "x", SIZE, NULL);
        if (i % 100 == 0) bpt_rig_turn(&s.rig, 10);
    }
    bpt_err(s.rig.server.why, BP_ERR_BUSY);
    ck_assert_uint_gt(bpt_peers_stats(&s).transfers_failed, 2000);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- time ---- */

enum { IDLE_MS = 5000, STEP_MS = 1000 };

static void pass(uint32_t ms) {
    bpi_loop *loop = s.rig.server.conn->end->loop;
    for (uint32_t at = 0; at < ms; at += STEP_MS) bpi_loop_tick(loop, STEP_MS);
}

START_TEST(a_transfer_of_which_nothing_comes_is_given_up_and_can_be_gone_on_with) {
    start_with((bp_transfer_server_config){.idle_ms = IDLE_MS});
    bpt_told *told = bpt_open_put(peer, 1, "x", SIZE);
    bpt_open_put(peer, 2, "y", SIZE);
    bpt_say_part(peer, 1, 0, BPT_PART_SIZE);
    bpt_peers_until(&s, told->parts_done == 1);
    pass(STEP_MS); /* of which part 0 came within */
    pass(IDLE_MS - STEP_MS);
    bpt_say_part(peer, 2, 0, BPT_PART_SIZE);
    bpt_peers_settle(&s);
    ck_assert_uint_eq(told->failed, 0);
    pass(STEP_MS);
    bpt_await_failed(peer, 1, BP_ERR_TIMEOUT, BP_PART_NONE);
    ck_assert_uint_eq(peer->told[2].failed, 0);
    bpt_say_put_open(peer, 3, "x", SIZE, told->put.token);
    bpt_peers_until(&s, peer->told[3].put_opened == 1);
    ck_assert_uint_eq(peer->told[3].put.first, 1);
    pass(IDLE_MS + 2 * STEP_MS);
    bpt_await_failed(peer, 2, BP_ERR_TIMEOUT, BP_PART_NONE);
    bpt_await_failed(peer, 3, BP_ERR_TIMEOUT, BP_PART_NONE);
    bpt_peers_settle(&s);
    pass(STEP_MS);
    ck_assert(!s.rig.server.conn->is_watched); /* nothing is left to be looked after */
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_server_that_never_gives_up_does_not_look) {
    start_with((bp_transfer_server_config){.idle_ms = UINT32_MAX});
    bpt_open_put(peer, 1, "x", SIZE);
    pass(UINT16_MAX * STEP_MS / 1000);
    ck_assert(!s.rig.server.conn->is_watched);
    ck_assert_uint_eq(peer->told[1].failed, 0);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- making ---- */

START_TEST(a_server_is_made_of_what_fits) {
    bp_store *store = bpt_mem_store(BPT_MEM_INSIDE, false);
    bp_transfer_server *server = NULL;
    const bp_transfer_server_config bad[] = {
        {.store = NULL},
        {.store = store, .part_size_max = BP_PART_SIZE_MIN - 1},
        {.store = store, .part_size_max = BP_PART_SIZE_MAX + 1},
        {.store = store, .parts_in_flight = BP_PARTS_IN_FLIGHT_MAX + 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bpt_err(bp_transfer_server_new(&bad[i], &server), BP_ERR_ARGUMENT);
        ck_assert_ptr_null(server);
    }
    const bp_transfer_server_config widest = {
        .store = store, .part_size_max = BP_PART_SIZE_MAX, .parts_in_flight = BP_PARTS_IN_FLIGHT_MAX};
    bpt_ok(bp_transfer_server_new(&widest, &server));
    ck_assert_uint_eq(store->references, 2);
    bp_transfer_server_free_take(&server);
    ck_assert_ptr_null(server);
    bp_transfer_server_free_take(&server);
    ck_assert_uint_eq(store->references, 1);
    bp_store_release_take(&store);
}
END_TEST

/* What the queue drops might be a part, or an answer: such a server serves no objects. */
START_TEST(where_a_full_queue_drops_old_frames_a_connection_ends_as_it_opens) {
    bpt_peers_start(&s, &(bpt_peers_options){.full_policy = BP_FULL_REFUSE});
    bp_transfer_server *server = s.server;
    bp_server *second = NULL;
    bp_server_config config = bpt_rig_server_config(&s.rig, 0);
    config.conn.full_policy = BP_FULL_DROP_OLD;
    config.conn.services[config.conn.service_count++] = bp_transfer_server_service(server);
    bpt_ok(bp_server_new(&config, "tcp://127.0.0.1:0", &second));
    char address[128];
    bpt_ok(bp_server_address(second, address, sizeof address));
    bp_client_config client = bpt_rig_client_config(&s.rig, 1, 0);
    const unsigned closes = s.rig.server.closes;
    bpt_ok(bp_client_new(&client, address, &s.rig.clients[1].client));
    bpt_peers_until(&s, s.rig.server.closes == closes + 1);
    bpt_err(s.rig.server.why, BP_ERR_ARGUMENT);
    bp_server_free_take(&second);
    bpt_peers_fini(&s);
}
END_TEST

BPT_SUITE(integration_transfer_server) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(what_is_put_is_got, 0, SIZES * BPT_WAYS);
    BPT_LOOP_TEST(a_put_tells_its_token_and_how_many_parts_may_come_at_once, 0, 9);
    BPT_TEST(parts_may_come_in_any_order_within_the_window);
    BPT_LOOP_TEST(an_object_whose_size_is_not_known_ends_with_a_short_part_or_a_commit, 0, 2);
    BPT_LOOP_TEST(a_put_goes_on_by_its_token_with_the_parts_that_are_missing, 0, BPT_WAYS);
    BPT_TEST(a_put_that_was_committed_says_so_when_it_is_asked_again);
    BPT_LOOP_TEST(a_put_that_ends_stays_or_is_thrown_away_as_it_says, 0, 2);
    BPT_LOOP_TEST(a_range_is_cut_into_parts_from_its_first_byte, 0, sizeof ranges / sizeof ranges[0]);
    BPT_TEST(a_get_of_another_version_or_of_nothing_fails);
    BPT_LOOP_TEST(a_list_is_told_in_pieces_and_in_order, 0, BPT_WAYS);
    BPT_TEST(a_list_of_nothing_ends);
    BPT_TEST(the_program_says_who_may);
    BPT_TEST(a_part_size_that_is_too_large_is_refused_and_says_what_would_do);
    BPT_TEST(a_part_that_is_longer_than_the_server_takes_ends_the_connection);
    BPT_TEST(a_name_with_a_nul_is_no_name);
    BPT_TEST(too_many_transfers_of_a_connection_are_refused_until_others_end);
    BPT_TEST(refusals_that_nobody_takes_end_the_connection);
    BPT_TEST(a_transfer_of_which_nothing_comes_is_given_up_and_can_be_gone_on_with);
    BPT_TEST(a_server_that_never_gives_up_does_not_look);
    BPT_TEST(a_server_is_made_of_what_fits);
    BPT_TEST(where_a_full_queue_drops_old_frames_a_connection_ends_as_it_opens);
}
