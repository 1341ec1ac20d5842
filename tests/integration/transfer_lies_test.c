#define _GNU_SOURCE
/* Peers that lie to a server of objects: each lie ends its own transfer with an error that names the part, and nothing
 * else: one beside it on the same connection and one on another go on. */
#include "tests/support/transfer_peer.h"
#include "transfer/link.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 6, SIZE = PARTS * BPT_PART_SIZE - 100, LAST = BPT_PART_SIZE - 100, LIAR = 1, BESIDE = 2 };

static bpt_peers s;
static bpt_peer *const peer = &s.peers[0], *const other = &s.peers[1];

static void say_bad_crc(uint64_t part) {
    uint8_t data[BPT_PART_SIZE];
    bpt_object_fill(data, part * BPT_PART_SIZE, sizeof data, BPT_SEED);
    const bpi_transfer_part message = {.transfer = LIAR,
                                       .part = part,
                                       .crc = bp_crc32c(0, data, sizeof data) ^ 1,
                                       .data = data,
                                       .data_length = sizeof data};
    bpt_say_part_as(peer, &message);
}

static void put_parts(uint64_t count) {
    const bpt_told *told = &peer->told[LIAR];
    for (uint64_t part = 0; part < count; part++) {
        bpt_say_part(peer, LIAR, part, part == PARTS - 1 ? LAST : BPT_PART_SIZE);
        bpt_peers_until(&s, told->parts_done + told->failed == part + 1);
    }
}

/* ---- lies about a put of SIZE bytes, that is open ---- */

static void lie_crc(void) { say_bad_crc(1); }
static void lie_beyond(void) { bpt_say_part(peer, LIAR, PARTS, BPT_PART_SIZE); }
static void lie_huge(void) { bpt_say_part(peer, LIAR, UINT64_MAX - 1, BPT_PART_SIZE); }
static void lie_none(void) { bpt_say_part(peer, LIAR, BP_PART_NONE, BPT_PART_SIZE); }
static void lie_overflow(void) { bpt_say_part(peer, LIAR, UINT64_MAX / BPT_PART_SIZE + 1, BPT_PART_SIZE); }
static void lie_short(void) { bpt_say_part(peer, LIAR, 2, BPT_PART_SIZE - 1); }
static void lie_empty(void) { bpt_say_part(peer, LIAR, 2, 0); }
static void lie_long(void) { bpt_say_part(peer, LIAR, 2, BPT_PART_SIZE + 1); }
static void lie_long_last(void) { bpt_say_part(peer, LIAR, PARTS - 1, BPT_PART_SIZE); }
static void lie_twice(void) {
    put_parts(2);
    bpt_say_part(peer, LIAR, 1, BPT_PART_SIZE);
}
static void lie_missing(void) {
    put_parts(3);
    bpt_say_part(peer, LIAR, 4, BPT_PART_SIZE);
    bpt_peers_until(&s, peer->told[LIAR].parts_done == 4);
    bpt_say_commit(peer, LIAR, SIZE);
}
static void lie_size(void) {
    put_parts(PARTS);
    bpt_say_commit(peer, LIAR, SIZE - 1);
}
static void lie_size_unknown(void) {
    put_parts(PARTS);
    bpt_say_commit_as(peer, LIAR, BP_SIZE_UNKNOWN, 0);
}
static void lie_object_crc(void) {
    put_parts(PARTS);
    bpt_say_commit_as(peer, LIAR, SIZE, 1);
}
static void lie_want(void) { bpt_say_want(peer, LIAR, 3); }
static void lie_again(void) { bpt_say_put_open(peer, LIAR, "liar", SIZE, NULL); }
static void lie_again_get(void) { bpt_say_get_open(peer, LIAR, "liar", 0, 0); }

/* ---- about one of unknown size ---- */

static void lie_behind_end(void) {
    bpt_say_part(peer, LIAR, 1, 100);
    bpt_say_part(peer, LIAR, 2, BPT_PART_SIZE);
}
static void lie_two_ends(void) {
    bpt_say_part(peer, LIAR, 2, BPT_PART_SIZE);
    bpt_say_part(peer, LIAR, 1, 100);
}
static void lie_window(void) { bpt_say_part(peer, LIAR, 64, BPT_PART_SIZE); }
static void lie_smaller(void) {
    put_parts(2);
    bpt_say_commit(peer, LIAR, BPT_PART_SIZE + 1);
}
static void lie_larger(void) {
    put_parts(2);
    bpt_say_commit(peer, LIAR, 2 * BPT_PART_SIZE + 1);
}

/* ---- about a get ---- */

static void lie_part_of_get(void) { bpt_say_part(peer, LIAR, 3, BPT_PART_SIZE); }
static void lie_want_beyond(void) { bpt_say_want(peer, LIAR, PARTS); }
static void lie_want_huge(void) { bpt_say_want(peer, LIAR, UINT64_MAX - 1); }
static void lie_commit_get(void) { bpt_say_commit(peer, LIAR, SIZE); }

static const struct lie {
    const char *name;
    void (*lie)(void);
    uint64_t size; /* of the put that is open; 0: it is a get */
    bp_err err;
    uint64_t part;
    unsigned refused; /* parts */
} lies[] = {
    {"crc", lie_crc, SIZE, BP_ERR_CHECKSUM, 1, 0},
    {"beyond", lie_beyond, SIZE, BP_ERR_PART, PARTS, 1},
    {"huge", lie_huge, SIZE, BP_ERR_PART, UINT64_MAX - 1, 1},
    {"none", lie_none, SIZE, BP_ERR_PART, BP_PART_NONE, 1},
    {"overflow", lie_overflow, SIZE, BP_ERR_PART, UINT64_MAX / BPT_PART_SIZE + 1, 1},
    {"short", lie_short, SIZE, BP_ERR_PART, 2, 1},
    {"empty", lie_empty, SIZE, BP_ERR_PART, 2, 1},
    {"long", lie_long, SIZE, BP_ERR_PART, 2, 1},
    {"long last", lie_long_last, SIZE, BP_ERR_PART, PARTS - 1, 1},
    {"twice", lie_twice, SIZE, BP_ERR_PART, 1, 1},
    {"missing", lie_missing, SIZE, BP_ERR_PART_MISSING, 3, 0},
    {"size", lie_size, SIZE, BP_ERR_CHANGED, BP_PART_NONE, 0},
    {"size unknown", lie_size_unknown, SIZE, BP_ERR_CHANGED, BP_PART_NONE, 0},
    {"object crc", lie_object_crc, SIZE, BP_ERR_CHECKSUM, BP_PART_NONE, 0},
    {"want", lie_want, SIZE, BP_ERR_PART, 3, 0},
    {"again", lie_again, SIZE, BP_ERR_ARGUMENT, BP_PART_NONE, 0},
    {"again, a get", lie_again_get, SIZE, BP_ERR_ARGUMENT, BP_PART_NONE, 0},
    {"behind the end", lie_behind_end, BP_SIZE_UNKNOWN, BP_ERR_PART, 2, 1},
    {"two ends", lie_two_ends, BP_SIZE_UNKNOWN, BP_ERR_PART, 1, 1},
    {"window", lie_window, BP_SIZE_UNKNOWN, BP_ERR_PART, 64, 1},
    {"smaller", lie_smaller, BP_SIZE_UNKNOWN, BP_ERR_CHANGED, BP_PART_NONE, 0},
    {"larger", lie_larger, BP_SIZE_UNKNOWN, BP_ERR_PART_MISSING, 2, 0},
    {"part of a get", lie_part_of_get, 0, BP_ERR_PART, 3, 1},
    {"want beyond", lie_want_beyond, 0, BP_ERR_PART, PARTS, 0},
    {"want huge", lie_want_huge, 0, BP_ERR_PART, UINT64_MAX - 1, 0},
    {"commit a get", lie_commit_get, 0, BP_ERR_ARGUMENT, BP_PART_NONE, 0},
};
enum { LIES = sizeof lies / sizeof lies[0] };

/* The other two, half way through. */
static void begin_others(void) {
    bpt_mem_add(s.store, "there", SIZE, BPT_SEED);
    const bpt_told *put = bpt_open_put(peer, BESIDE, "beside", SIZE);
    for (uint64_t part = 0; part < 2; part++) bpt_say_part(peer, BESIDE, part, BPT_PART_SIZE);
    const bpt_told *get = bpt_open_get(other, 1, "there");
    for (uint64_t part = 0; part < 3; part++) bpt_say_want(other, 1, part);
    bpt_peers_until(&s, put->parts_done == 2 && get->parts == 3);
}

static void finish_others(void) {
    const bpt_told *put = &peer->told[BESIDE], *get = &other->told[1];
    for (uint64_t part = 2; part < PARTS; part++) {
        bpt_say_part(peer, BESIDE, part, part == PARTS - 1 ? LAST : BPT_PART_SIZE);
        bpt_peers_until(&s, put->parts_done == part + 1);
    }
    bpt_say_commit(peer, BESIDE, SIZE);
    for (uint64_t part = 3; part < PARTS; part++) bpt_say_want(other, 1, part);
    bpt_peers_until(&s, put->committed == 1 && get->parts == PARTS);
    ck_assert(bpt_mem_has(s.store, "beside", SIZE, BPT_SEED));
    ck_assert_uint_eq(put->failed + get->failed, 0);
}

static void start(bp_store *store) {
    bpt_peers_start(&s, &(bpt_peers_options){.store = store, .peer_count = 2, .config.part_size_max = 65536});
}

START_TEST(a_lie_ends_its_transfer_and_no_other) {
    const struct lie *lie = &lies[_i / 2];
    start(bpt_mem_store(BPT_MEM_INSIDE, _i % 2 == 1));
    bpt_mem_add(s.store, "liar", SIZE, BPT_SEED);
    if (lie->size != 0)
        bpt_open_put(peer, LIAR, "liar's", lie->size);
    else
        bpt_open_get(peer, LIAR, "liar");
    begin_others();
    lie->lie();
    bpt_await_failed(peer, LIAR, lie->err, lie->part);
    ck_assert_uint_eq(bpt_peers_stats(&s).parts_refused, lie->refused);
    ck_assert(!bpt_mem_is_there(s.store, "liar's"));
    bpt_say_part(peer, LIAR, 0, BPT_PART_SIZE); /* more of it is passed over */
    finish_others();
    ck_assert_uint_eq(peer->told[LIAR].failed, 1);
    ck_assert_uint_eq(s.rig.server.closes, 0);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- lies that take a store which has not answered yet ---- */

static void let_go(void) {
    uint64_t seed = 1;
    do bpt_rig_turn(&s.rig, 20);
    while (bpt_mem_let_go(s.store, 1, &seed) != 0);
}

static void held_before_open(void) {
    bpt_say_put_open(peer, LIAR, "x", SIZE, NULL);
    bpt_say_part(peer, LIAR, 0, BPT_PART_SIZE);
}
static void held_commit_before_open(void) {
    bpt_say_put_open(peer, LIAR, "x", SIZE, NULL);
    bpt_say_commit(peer, LIAR, SIZE);
}
static void held_want_before_open(void) {
    bpt_say_get_open(peer, LIAR, "liar", 0, 0);
    bpt_say_want(peer, LIAR, 0);
}

static void open_first(bool is_put) {
    bpt_mem_set_way(s.store, BPT_MEM_INSIDE);
    if (is_put) bpt_open_put(peer, LIAR, "x", SIZE);
    if (!is_put) bpt_open_get(peer, LIAR, "liar");
    bpt_mem_set_way(s.store, BPT_MEM_HELD);
}
static void held_too_many(void) {
    open_first(true);
    for (uint64_t part = 0; part <= BP_PARTS_IN_FLIGHT_DEFAULT; part++) bpt_say_part(peer, LIAR, part, BPT_PART_SIZE);
}
static void held_twice(void) {
    open_first(true);
    bpt_say_part(peer, LIAR, 1, BPT_PART_SIZE);
    bpt_say_part(peer, LIAR, 1, BPT_PART_SIZE);
}
static void held_want_too_many(void) {
    open_first(false);
    for (uint64_t part = 0; part <= BP_PARTS_IN_FLIGHT_DEFAULT; part++) bpt_say_want(peer, LIAR, part);
}
static void held_commit_early(void) {
    open_first(true);
    bpt_say_part(peer, LIAR, 0, BPT_PART_SIZE);
    bpt_say_commit(peer, LIAR, SIZE);
}

static const struct held_lie {
    void (*lie)(void);
    bp_err err;
    uint64_t part;
} held_lies[] = {
    {held_before_open, BP_ERR_PART, 0},
    {held_commit_before_open, BP_ERR_ARGUMENT, BP_PART_NONE},
    {held_want_before_open, BP_ERR_PART, 0},
    {held_too_many, BP_ERR_PART, BP_PARTS_IN_FLIGHT_DEFAULT},
    {held_twice, BP_ERR_PART, 1},
    {held_want_too_many, BP_ERR_PART, BP_PARTS_IN_FLIGHT_DEFAULT},
    {held_commit_early, BP_ERR_PART_MISSING, 0},
};
enum { HELD_LIES = sizeof held_lies / sizeof held_lies[0] };

START_TEST(a_lie_while_the_store_is_busy_ends_its_transfer_once_the_store_has_answered) {
    const struct held_lie *lie = &held_lies[_i];
    start(bpt_mem_store(BPT_MEM_HELD, false));
    bpt_mem_add(s.store, "liar", SIZE, BPT_SEED);
    lie->lie();
    bpt_peers_settle(&s);
    ck_assert_uint_eq(peer->told[LIAR].failed, 0);
    ck_assert_uint_ne(bpt_mem_held(s.store), 0);
    let_go();
    bpt_await_failed(peer, LIAR, lie->err, lie->part);
    ck_assert_uint_eq(bpt_mem_open(s.store), 0);
    bpt_mem_set_way(s.store, BPT_MEM_INSIDE);
    begin_others();
    finish_others();
    bpt_peers_fini(&s);
}
END_TEST

/* ---- of no transfer ---- */

START_TEST(parts_of_no_transfer_are_passed_over_until_they_are_too_many) {
    start(NULL);
    bpt_open_put(peer, 5, "x", BP_SIZE_UNKNOWN);
    bpt_say_end(peer, 5, false);
    for (unsigned i = 0; i < BPI_LINK_STALE_MAX - 1; i++) bpt_say_part(peer, i % 8, i, 1);
    bpt_peers_settle(&s);
    ck_assert_uint_eq(bpt_peers_stats(&s).parts_refused, BPI_LINK_STALE_MAX - 1);
    ck_assert_uint_eq(s.rig.server.closes, 0);
    bpt_say_want(peer, 7, 1);
    bpt_say_end(peer, 7, true);
    bpt_say_commit(peer, 7, 1);
    bpt_say_part(peer, 9, 0, 1);
    bpt_peers_until(&s, s.rig.server.closes == 1);
    bpt_err(s.rig.server.why, BP_ERR_PART);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(a_number_that_was_used_opens_nothing) {
    start(NULL);
    bpt_open_put(peer, 5, "x", SIZE);
    bpt_say_put_open(peer, 4, "y", SIZE, NULL);
    bpt_say_list(peer, 3, "", "");
    bpt_say_end(peer, 5, false);
    bpt_peers_settle(&s);
    bpt_say_get_open(peer, 5, "y", 0, 0);
    bpt_peers_settle(&s);
    for (int i = 3; i <= 5; i++) {
        const bpt_told *told = &peer->told[i];
        ck_assert_uint_eq(told->failed + told->get_opened + told->list_ended, 0);
    }
    bpt_open_put(peer, 6, "x", SIZE);
    bpt_peers_fini(&s);
}
END_TEST

/* What only a server says, or a log holds. */
START_TEST(messages_that_are_not_a_peers_do_nothing_or_end_the_connection) {
    start(NULL);
    const bpi_transfer_committed committed = {.transfer = 1, .version = 1};
    const bpi_transfer_log_commit log = {.size = 1};
    bpt_ok(bpi_transfer_send_committed(peer->side->conn, &committed));
    bpt_serve_put(peer, 1, "x", SIZE);
    bpt_ok(bpi_transfer_send_log_commit(peer->side->conn, &log));
    bpt_peers_until(&s, s.rig.server.closes == 1);
    bpt_err(s.rig.server.why, BP_ERR_FRAME_TYPE);
    bpt_serve_put(other, 1, "x", SIZE);
    bpt_peers_fini(&s);
}
END_TEST

BPT_SUITE(integration_transfer_lies) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(a_lie_ends_its_transfer_and_no_other, 0, 2 * LIES);
    BPT_LOOP_TEST(a_lie_while_the_store_is_busy_ends_its_transfer_once_the_store_has_answered, 0, HELD_LIES);
    BPT_TEST(parts_of_no_transfer_are_passed_over_until_they_are_too_many);
    BPT_TEST(a_number_that_was_used_opens_nothing);
    BPT_TEST(messages_that_are_not_a_peers_do_nothing_or_end_the_connection);
}
