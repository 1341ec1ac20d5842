#define _GNU_SOURCE
/* What a server of objects takes of memory: never more than its pool's limit, nothing from malloc while parts move, and
 * every part from the pool that its user gave. */
#include "tests/support/alloc_window.h"
#include "tests/support/hogs.h"
#include "tests/support/transfer_peer.h"
#include "transfer/link.h"

#include <stdlib.h>
#include <string.h>

enum {
    LIMIT = 65536,
    TOGETHER = 24, /* transfers of each of two connections */
    PARTS = 12,
    SIZE = PARTS * BPT_PART_SIZE,
    STEADY = 60,   /* parts until everything has grown to its size; bits say which are done, so no more than 64 */
    ROUNDS = 20
};

static bpt_peers s;
static bpt_peer *const peer = &s.peers[0];

static bp_pool *small_pool(void) {
    static const bp_class classes[] = {{64, 0}, {320, 0}, {1024, 0}};
    const bp_pool_config config = {.classes = classes, .class_count = 3, .memory_limit = LIMIT};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    return pool;
}

/* ---- at the limit ---- */

static bool step(bpt_peer *p, uint32_t number) {
    bpt_told *told = &p->told[number];
    const bool is_put = number % 2 == 1;
    const unsigned done = is_put ? told->parts_done : told->parts;
    bpt_must(told->failed == 0);
    if (told->put_opened + told->get_opened == 0) return false;
    while (told->said < PARTS && told->said - done < 4) {
        if (is_put) bpt_say_part(p, number, told->said++, BPT_PART_SIZE);
        if (!is_put) bpt_say_want(p, number, told->said++);
    }
    if (done == PARTS && told->said == PARTS) {
        if (is_put) bpt_say_commit(p, number, SIZE);
        if (!is_put) bpt_say_end(p, number, false);
        told->said++;
    }
    return is_put ? told->committed == 1 : told->said > PARTS;
}

static bool step_all(void) {
    bool is_over = true;
    for (int i = 0; i < 2; i++) {
        for (uint32_t n = 1; n <= TOGETHER; n++) is_over = step(&s.peers[i], n) && is_over;
    }
    return is_over;
}

static uint64_t committed(bp_pool *pool) {
    bp_pool_stats stats;
    bp_pool_stats_read(pool, &stats);
    ck_assert_uint_eq(stats.memory_limit, LIMIT);
    return stats.committed_bytes;
}

START_TEST(many_transfers_get_through_a_small_pool) {
    bp_pool *pool = small_pool();
    bpt_peers_start(&s, &(bpt_peers_options){.way = _i, .pool = pool, .peer_count = 2});
    bpt_mem_add(s.store, "there", SIZE, BPT_SEED);
    for (uint32_t n = 1; n <= TOGETHER; n++) {
        for (int i = 0; i < 2; i++) {
            const char name[] = {'x', (char)('0' + i), (char)('A' + n), '\0'};
            if (n % 2 == 1) bpt_say_put_open(&s.peers[i], n, name, SIZE, NULL);
            if (n % 2 == 0) bpt_say_get_open(&s.peers[i], n, "there", 0, 0);
        }
    }
    while (!step_all()) {
        uv_run(&s.rig.loop, UV_RUN_ONCE);
        bpt_must(committed(pool) <= LIMIT);
    }
    const bp_transfer_stats stats = bpt_peers_stats(&s);
    ck_assert_uint_gt(stats.waits, 0);
    ck_assert_uint_eq(stats.parts_in, TOGETHER * PARTS);
    ck_assert_uint_eq(stats.parts_out, TOGETHER * PARTS);
    bpt_peers_fini(&s);
    bp_pool_release_take(&pool);
}
END_TEST

/* Everybody waits for memory when the connection, or the server, ends. */
START_TEST(who_waits_for_memory_goes_with_the_connection) {
    static bpt_hogs hogs;
    bp_pool *pool = small_pool();
    bpt_peers_start(&s, &(bpt_peers_options){.pool = pool, .peer_count = 2});
    bpt_mem_add(s.store, "there", SIZE, BPT_SEED);
    for (uint32_t n = 1; n <= 4; n++) bpt_open_get(peer, n, "there");
    bpt_open_put(&s.peers[1], 1, "x", SIZE);
    bpt_hogs_fill(&hogs, pool);
    for (uint32_t n = 1; n <= 4; n++) bpt_say_want(peer, n, 0);
    bpt_say_list(peer, 5, "", "");
    bpt_say_part(&s.peers[1], 1, 0, BPT_PART_SIZE);
    bpt_peers_settle(&s);
    ck_assert_uint_eq(peer->told[1].parts + peer->told[5].list_ended + s.peers[1].told[1].parts_done, 0);
    if (_i == 0) bpt_say_end(peer, 2, false);
    if (_i == 0) bpt_peers_settle(&s);
    if (_i <= 1) bp_conn_close(peer->side->conn, BP_OK);
    if (_i == 2) bp_server_free_take(&s.rig.server.server);
    bpt_rig_turn(&s.rig, 50);
    bpt_hogs_free(&hogs);
    if (_i <= 1) {
        bpt_peers_until(&s, s.peers[1].told[1].parts_done == 1); /* who is there still gets his turn */
        ck_assert_uint_eq(bpt_peers_stats(&s).transfers_open, 1);
    }
    bpt_peers_fini(&s);
    bp_pool_release_take(&pool);
}
END_TEST

/* The grants are on their way as the transfers are given up: these end when they have come. */
START_TEST(memory_that_comes_too_late_goes_back) {
    static bpt_hogs hogs;
    bp_pool *pool = small_pool();
    bpt_peers_start(&s, &(bpt_peers_options){.pool = pool, .config.idle_ms = 1000});
    bpt_mem_add(s.store, "there", SIZE, BPT_SEED);
    for (uint32_t n = 1; n <= 4; n++) bpt_open_get(peer, n, "there");
    bpt_hogs_fill(&hogs, pool);
    for (uint32_t n = 1; n <= 4; n++) bpt_say_want(peer, n, 0);
    bpt_peers_settle(&s);
    ck_assert_uint_eq(bpt_peers_stats(&s).waits, 4);
    bpi_loop *loop = s.rig.server.conn->end->loop;
    bpi_loop_tick(loop, 500); /* within which they were last heard of */
    bpt_hogs_free(&hogs);
    bpi_loop_tick(loop, 1000);
    ck_assert_uint_eq(bpt_peers_stats(&s).transfers_open, 0);
    for (uint32_t n = 1; n <= 4; n++) bpt_await_failed(peer, n, BP_ERR_TIMEOUT, BP_PART_NONE);
    bpt_peers_settle(&s);
    ck_assert_uint_eq(peer->told[1].parts, 0);
    bpt_serve_get(peer, 5, "there", SIZE);
    bpt_peers_fini(&s);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(what_the_pool_can_never_give_fails) {
    bp_pool *pool = small_pool();
    bpt_peers_start(&s, &(bpt_peers_options){.pool = pool});
    bpt_mem_add(s.store, "there", 1 << 20, BPT_SEED);
    bpi_transfer_get_open open = {.transfer = 1, .part_size = 131072, .parts_in_flight = 1, .name_length = 5};
    memcpy(open.name, "there", 5);
    bpt_ok(bpi_transfer_send_get_open(peer->side->conn, &open));
    bpt_say_want(peer, 1, 3);
    bpt_peers_until(&s, peer->told[1].failed + peer->told[1].get_opened == 1);
    if (peer->told[1].failed == 0) {
        bpt_say_want(peer, 1, 3);
        bpt_await_failed(peer, 1, BP_ERR_LIMIT, 3);
    }
    bpt_serve_get(peer, 2, "there", 1 << 20);
    bpt_peers_fini(&s);
    bp_pool_release_take(&pool);
}
END_TEST

/* ---- a system without memory ---- */

static int before_failure;

static void *failing_alloc(size_t size) { return before_failure-- == 0 ? NULL : bpi_os_system.alloc(size); }

/* The session, the transfer, or both, and what else is asked for meanwhile: the transfer fails, or its connection. */
START_TEST(an_allocation_that_fails_ends_a_transfer_or_its_connection) {
    bpt_peers_start(&s, &(bpt_peers_options){.way = 2, .peer_count = 2});
    bpt_serve_put(&s.peers[1], 1, "x", SIZE);
    const bpt_told *told = &peer->told[1];
    before_failure = _i;
    bpi_os.alloc = failing_alloc;
    bpt_say_get_open(peer, 1, "x", 0, 0);
    bpt_peers_until(&s, told->get_opened + told->failed + s.rig.server.closes == 1);
    bpi_os.alloc = bpi_os_system.alloc;
    if (_i == 0) bpt_err(s.rig.server.why, BP_ERR_NO_MEMORY); /* no session: there is nobody who could say so */
    if (_i == 1) bpt_await_failed(peer, 1, BP_ERR_NO_MEMORY, BP_PART_NONE);
    ck_assert_int_eq(told->get_opened == 1, _i > 1);
    bpt_serve_get(&s.peers[1], 2, "x", SIZE);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- nothing from malloc ---- */

static void close_window(bool is_warm) {
    const uint64_t count = bpt_alloc_window_close();
    ck_assert_msg(!is_warm || count == 0, "%s", bpt_alloc_window_first());
}

static void put_steadily(uint32_t number) {
    const bpt_told *told = bpt_open_put(peer, number, "steady", (uint64_t)2 * STEADY * BPT_PART_SIZE);
    for (unsigned part = 0; part < 2 * STEADY; part++) {
        if (part == STEADY) bpt_alloc_window_open();
        bpt_peers_until(&s, part - told->parts_done < told->put.parts_in_flight);
        bpt_say_part(peer, number, part, BPT_PART_SIZE);
    }
    bpt_peers_until(&s, told->parts_done == 2 * STEADY);
    close_window(number > 1);
    bpt_say_end(peer, number, true);
}

static void get_steadily(uint32_t number) {
    const bpt_told *told = bpt_open_get(peer, number, "there");
    for (unsigned part = 0; part < 2 * STEADY; part++) {
        if (part == STEADY) bpt_alloc_window_open();
        bpt_peers_until(&s, part - told->parts < told->get.parts_in_flight);
        bpt_say_want(peer, number, part);
    }
    bpt_peers_until(&s, told->parts == 2 * STEADY);
    close_window(number > 2);
    bpt_say_end(peer, number, false);
}

/* Both ends are in this process, and neither allocates. */
START_TEST(parts_that_move_allocate_nothing) {
    bpt_peers_start(&s, &(bpt_peers_options){.way = 2 + _i}); /* pooled */
    bpt_mem_add(s.store, "there", (uint64_t)2 * STEADY * BPT_PART_SIZE, BPT_SEED);
    for (uint32_t n = 1; n < 2 * ROUNDS; n += 2) {
        put_steadily(n);
        get_steadily(n + 1);
    }
    bpt_peers_fini(&s);
}
END_TEST

/* ---- the user's pool ---- */

/* A pool of the test's own, which counts what it gives. */
typedef struct meter {
    bp_pool pool; /* first: the pool of a meter is a meter */
    uint64_t parts, others; /* buffers given: as long as a part's frame, and shorter ones */
} meter;

static meter *the_meter;

static bp_err meter_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    meter *m = (meter *)(void *)pool;
    bp_buf *buf = aligned_alloc(16, (sizeof *buf + size + 31) / 16 * 16);
    bpt_must(buf != NULL);
    bp_buf_init(buf, pool, (uint8_t *)(buf + 1), (uint32_t)size);
    *(size >= BPT_PART_SIZE ? &m->parts : &m->others) += 1;
    *out = buf;
    return BP_OK;
}

static void meter_release(bp_pool *pool, bp_buf *buf) {
    (void)pool;
    free(buf);
}

static void meter_free(bp_pool *pool) { free(pool); }

static bp_err meter_factory(const bp_pool_config *config, void *user, bp_pool **out) {
    static const bp_pool_table table = {
        .table_bytes = sizeof table, .acquire = meter_acquire, .release = meter_release, .free = meter_free};
    meter *m = calloc(1, sizeof *m);
    (void)config;
    bpt_must(user == &s);
    bpt_ok(bp_pool_init(&m->pool, &table));
    the_meter = m;
    *out = &m->pool;
    return BP_OK;
}

START_TEST(every_part_is_from_the_pool_that_the_user_gave) {
    bpt_peers_start(&s, &(bpt_peers_options){.way = _i, .factory = meter_factory, .factory_user = &s});
    bpt_serve_put(peer, 1, "x", SIZE);
    ck_assert_uint_eq(the_meter->parts, PARTS);
    bpt_serve_get(peer, 2, "x", SIZE);
    ck_assert_uint_eq(the_meter->parts, 2 * PARTS);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- copies ---- */

/* A part that came whole with others is copied out of what they were read into; of a large one, only its beginning. */
START_TEST(small_parts_are_copied_and_counted_and_large_ones_are_not) {
    bpt_peers_start(&s, &(bpt_peers_options){.way = 2});
    bpt_serve_put(peer, 1, "small", 100);
    ck_assert_uint_eq(bpt_peers_stats(&s).bytes_copied, 100);
    bpi_transfer_put_open open = {.transfer = 2, .part_size = 1 << 20, .parts_in_flight = 1, .size = 1 << 20};
    open.name_length = 5;
    memcpy(open.name, "large", 5);
    bpt_say_put_open_as(peer, &open);
    bpt_peers_until(&s, peer->told[2].put_opened == 1);
    uint8_t *data = malloc(1 << 20);
    bpt_object_fill(data, 0, 1 << 20, BPT_SEED);
    const bpi_transfer_part part = {
        .transfer = 2, .crc = bp_crc32c(0, data, 1 << 20), .data = data, .data_length = 1 << 20};
    bpt_say_part_as(peer, &part);
    bpt_peers_until(&s, peer->told[2].parts_done == 1);
    ck_assert_uint_eq(bpt_peers_stats(&s).bytes_copied, 100);
    free(data);
    bpt_peers_fini(&s);
}
END_TEST

BPT_SUITE(integration_transfer_memory) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(many_transfers_get_through_a_small_pool, 0, BPT_WAYS);
    BPT_LOOP_TEST(who_waits_for_memory_goes_with_the_connection, 0, 3);
    BPT_TEST(memory_that_comes_too_late_goes_back);
    BPT_TEST(what_the_pool_can_never_give_fails);
    BPT_LOOP_TEST(an_allocation_that_fails_ends_a_transfer_or_its_connection, 0, 3);
    BPT_LOOP_TEST(parts_that_move_allocate_nothing, 0, 2);
    BPT_LOOP_TEST(every_part_is_from_the_pool_that_the_user_gave, 0, BPT_WAYS);
    BPT_TEST(small_parts_are_copied_and_counted_and_large_ones_are_not);
}
