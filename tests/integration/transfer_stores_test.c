#define _GNU_SOURCE
/* A server of objects over stores that answer late, in any order, on other threads, or with errors; and what becomes of
 * it when connections and servers end at any moment of that. */
#include "tests/support/store_rig.h"
#include "tests/support/transfer_peer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 6, SIZE = PARTS * BPT_PART_SIZE - 100, LAST = BPT_PART_SIZE - 100, TOGETHER = 6, THREADS = 3 };

static bpt_peers s;
static bpt_peer *const peer = &s.peers[0];

static void start(int way, bp_store *store, uint32_t peer_count) {
    bpt_peers_start(&s, &(bpt_peers_options){.way = way, .store = store, .peer_count = peer_count});
}

static uint32_t length_of(uint64_t part) { return part == PARTS - 1 ? LAST : BPT_PART_SIZE; }

static bpt_told *told_of(uint32_t number) { return &peer->told[number]; }

/* ---- many at once ---- */

static uint64_t seed;

/* Answers some of what the store holds, and goes on. */
static void turn(void) {
    bpt_rig_turn(&s.rig, 1);
    (void)bpt_mem_let_go(s.store, 3, &seed);
}

static void put_step(bpt_peer *p, uint32_t number) {
    const bpt_told *told = &p->told[number];
    unsigned *said = &p->told[number].said;
    while (*said < PARTS && *said - told->parts_done < told->put.parts_in_flight) {
        bpt_say_part(p, number, *said, length_of(*said));
        ++*said;
    }
    if (*said == PARTS && told->parts_done == PARTS) {
        bpt_say_commit(p, number, SIZE);
        ++*said;
    }
}

static void get_step(bpt_peer *p, uint32_t number) {
    const bpt_told *told = &p->told[number];
    unsigned *said = &p->told[number].said;
    while (*said < PARTS && *said - told->parts < told->get.parts_in_flight) bpt_say_want(p, number, (*said)++);
    if (*said == PARTS && told->parts == PARTS) {
        bpt_say_end(p, number, false);
        ++*said;
    }
}

/* Odd numbers are puts, even ones are gets. */
static bool is_over(const bpt_peer *p, uint32_t number) {
    const bpt_told *told = &p->told[number];
    bpt_must(told->failed == 0);
    return number % 2 == 1 ? told->committed == 1 : p->told[number].said == PARTS + 1;
}

static bool are_over(void) {
    for (int i = 0; i < 2; i++) {
        for (uint32_t n = 1; n <= 2 * TOGETHER; n++) {
            if (!is_over(&s.peers[i], n)) return false;
        }
    }
    return true;
}

static void name_of(int ix, uint32_t number, char out[32]) { snprintf(out, 32, "p%d/%u", ix, number); }

static void open_all(void) {
    char name[32];
    bpt_mem_add(s.store, "there", SIZE, BPT_SEED);
    for (uint32_t n = 1; n <= 2 * TOGETHER; n++) {
        for (int i = 0; i < 2; i++) {
            name_of(i, n, name);
            if (n % 2 == 1) bpt_say_put_open(&s.peers[i], n, name, SIZE, NULL);
            if (n % 2 == 0) bpt_say_get_open(&s.peers[i], n, "there", 0, 0);
        }
    }
}

static void step_all(void) {
    for (uint32_t n = 1; n <= 2 * TOGETHER; n++) {
        for (int i = 0; i < 2; i++) {
            bpt_peer *p = &s.peers[i];
            if (p->told[n].put_opened != 0) put_step(p, n);
            if (p->told[n].get_opened != 0) get_step(p, n);
        }
    }
}

static void check_all(void) {
    char name[32];
    for (uint32_t n = 1; n <= 2 * TOGETHER; n += 2) {
        for (int i = 0; i < 2; i++) {
            name_of(i, n, name);
            ck_assert(bpt_mem_has(s.store, name, SIZE, BPT_SEED));
        }
    }
}

START_TEST(many_transfers_over_any_store_are_whole) {
    const bpt_mem_way way = (bpt_mem_way)(_i % BPT_MEM_WAYS);
    seed = (uint64_t)_i + 1;
    start(_i % BPT_WAYS, bpt_mem_store(way, _i % 2 == 1), 2);
    open_all();
    while (!are_over()) {
        turn();
        step_all();
    }
    check_all();
    bpt_peers_settle(&s);
    bpt_mem_set_way(s.store, way == BPT_MEM_HELD ? BPT_MEM_INSIDE : way);
    while (bpt_mem_held(s.store) != 0) turn();
    bpt_peers_fini(&s);
}
END_TEST

/* ---- stores that fail ---- */

static void try_put(void) {
    bpt_say_put_open(peer, 1, "x", SIZE, NULL);
    bpt_peers_until(&s, told_of(1)->put_opened + told_of(1)->failed == 1);
    for (uint64_t part = 0; part < PARTS; part++) {
        if (told_of(1)->failed == 0) bpt_say_part(peer, 1, part, length_of(part));
        bpt_peers_until(&s, told_of(1)->parts_done == part + 1 || told_of(1)->failed != 0);
    }
    if (told_of(1)->failed == 0) bpt_say_commit(peer, 1, SIZE);
    bpt_peers_until(&s, told_of(1)->committed + told_of(1)->failed == 1);
}

static void try_get(void) {
    bpt_say_get_open(peer, 1, "there", 0, 0);
    bpt_peers_until(&s, told_of(1)->get_opened + told_of(1)->failed == 1);
    for (uint64_t part = 0; part < PARTS; part++) {
        if (told_of(1)->failed == 0) bpt_say_want(peer, 1, part);
        bpt_peers_until(&s, told_of(1)->parts == part + 1 || told_of(1)->failed != 0);
    }
}

static void try_list(void) {
    bpt_say_list(peer, 1, "", "");
    bpt_peers_until(&s, told_of(1)->list_ended + told_of(1)->failed == 1);
}

static const struct failure {
    void (*attempt)(void);
    bpt_mem_fn fn;
    unsigned before;
    bp_err err;
    uint64_t part;
} failures[] = {
    {try_put, BPT_MEM_PUT_OPEN, 0, BP_ERR_PERMISSION, BP_PART_NONE},
    {try_put, BPT_MEM_WRITE, 0, BP_ERR_DISK_FULL, 0},
    {try_put, BPT_MEM_WRITE, 4, BP_ERR_SYSTEM, 4},
    {try_put, BPT_MEM_COMMIT, 0, BP_ERR_DISK_FULL, BP_PART_NONE},
    {try_get, BPT_MEM_GET_OPEN, 0, BP_ERR_SYSTEM, BP_PART_NONE},
    {try_get, BPT_MEM_READ, 0, BP_ERR_SYSTEM, 0},
    {try_get, BPT_MEM_READ, PARTS - 1, BP_ERR_CHANGED, PARTS - 1},
    {try_list, BPT_MEM_LIST, 0, BP_ERR_NO_MEMORY, BP_PART_NONE},
};
enum { FAILURES = sizeof failures / sizeof failures[0] };

START_TEST(a_store_that_fails_ends_the_transfer_with_its_error) {
    const struct failure *failure = &failures[_i / 2];
    start(_i % 2, bpt_mem_store(_i % 2 == 0 ? BPT_MEM_INSIDE : BPT_MEM_THREADED, true), 1);
    bpt_mem_add(s.store, "there", SIZE, BPT_SEED);
    bpt_mem_fail(s.store, failure->fn, failure->before, failure->err);
    failure->attempt();
    bpt_await_failed(peer, 1, failure->err, failure->part);
    bpt_peers_until(&s, bpt_mem_open(s.store) == 0);
    bpt_serve_put(peer, 2, "x", SIZE);
    bpt_serve_get(peer, 3, "there", SIZE);
    bpt_peers_fini(&s);
}
END_TEST

START_TEST(nobody_is_told_of_an_abort_that_fails) {
    start(0, NULL, 1);
    bpt_open_put(peer, 1, "x", SIZE);
    bpt_mem_fail(s.store, BPT_MEM_ABORT, 0, BP_ERR_SYSTEM);
    bpt_say_end(peer, 1, true);
    bpt_peers_until(&s, bpt_mem_calls(s.store, BPT_MEM_CLOSE) == 1);
    bpt_peers_settle(&s);
    ck_assert_uint_eq(told_of(1)->failed, 0);
    ck_assert_uint_eq(bpt_mem_open(s.store), 0);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- the library's own ---- */

static void put_half(uint32_t number) {
    bpt_told *told = bpt_open_put(peer, number, "half", SIZE);
    for (uint64_t part = 0; part < 3; part++) bpt_say_part(peer, number, part, BPT_PART_SIZE);
    bpt_peers_until(&s, told->parts_done == 3);
    bpt_say_end(peer, number, false);
}

static void put_rest(uint32_t number, const uint8_t *token) {
    bpt_say_put_open(peer, number, "half", SIZE, token);
    bpt_peers_until(&s, told_of(number)->put_opened == 1);
    ck_assert_uint_eq(told_of(number)->put.first, 3);
    for (uint64_t part = 3; part < PARTS; part++) bpt_say_part(peer, number, part, length_of(part));
    bpt_peers_until(&s, told_of(number)->parts_done == PARTS - 3);
    bpt_say_commit(peer, number, SIZE);
    bpt_peers_until(&s, told_of(number)->committed == 1);
}

START_TEST(objects_are_served_from_a_directory) {
    char path[BPT_STORE_PATH];
    bp_store *store = NULL;
    bpt_store_directory(path);
    bpt_ok(bp_dir_store_new(path, &(bp_dir_store_options){.is_fast = true}, &store));
    start(_i, store, 1);
    bpt_serve_put(peer, 1, "a/whole", SIZE);
    bpt_serve_get(peer, 2, "a/whole", SIZE);
    ck_assert(told_of(2)->get.version == told_of(1)->version);
    bpt_serve_put(peer, 3, "empty", 0);
    bpt_serve_get(peer, 4, "empty", 0);
    put_half(5);
    bpt_say_get_open(peer, 6, "half", 0, 0);
    bpt_await_failed(peer, 6, BP_ERR_NOT_FOUND, BP_PART_NONE);
    put_rest(7, told_of(5)->put.token);
    bpt_serve_get(peer, 8, "half", SIZE);
    bpt_say_list(peer, 9, "", "a");
    bpt_peers_until(&s, told_of(9)->list_ended == 1);
    ck_assert_uint_eq(peer->name_count, 3);
    ck_assert_str_eq(peer->names[0], "a/whole");
    ck_assert_str_eq(peer->names[1], "empty");
    ck_assert_str_eq(peer->names[2], "half");
    bpt_peers_fini(&s);
    bpt_remove_tree(path);
}
END_TEST

/* ---- ends at any moment ---- */

static void hold(void) { bpt_mem_set_way(s.store, BPT_MEM_HELD); }

static void at_nothing(void) {}
static void at_put_open(void) {
    hold();
    bpt_say_put_open(peer, 1, "x", SIZE, NULL);
}
static void at_put_moving(void) { bpt_open_put(peer, 1, "x", SIZE); }
static void at_writes(void) {
    bpt_open_put(peer, 1, "x", SIZE);
    hold();
    for (uint64_t part = 0; part < 4; part++) bpt_say_part(peer, 1, part, BPT_PART_SIZE);
}
static void at_commit(void) {
    bpt_open_put(peer, 1, "x", BPT_PART_SIZE);
    bpt_say_part(peer, 1, 0, BPT_PART_SIZE);
    bpt_peers_until(&s, told_of(1)->parts_done == 1);
    hold();
    bpt_say_commit(peer, 1, BPT_PART_SIZE);
}
static void at_commit_with_end(void) {
    at_commit();
    bpt_say_end(peer, 1, true); /* too late to be thrown away */
}
static void at_abort(void) {
    bpt_open_put(peer, 1, "x", SIZE);
    hold();
    bpt_say_end(peer, 1, true);
}
static void at_close(void) {
    bpt_open_put(peer, 1, "x", SIZE);
    hold();
    bpt_say_end(peer, 1, false);
}
static void at_failing(void) {
    at_writes();
    bpt_say_part(peer, 1, 1, BPT_PART_SIZE);
}
static void at_get_open(void) {
    hold();
    bpt_say_get_open(peer, 1, "there", 0, 0);
}
static void at_get_open_with_end(void) {
    at_get_open();
    bpt_say_end(peer, 1, false);
}
static void at_reads(void) {
    bpt_open_get(peer, 1, "there");
    hold();
    for (uint64_t part = 0; part < 4; part++) bpt_say_want(peer, 1, part);
}
static void at_sends(void) {
    bp_conn_pause(peer->side->conn);
    bpt_say_get_open(peer, 1, "there", 0, 0);
    for (uint32_t n = 2; n < 50; n++) bpt_say_get_open(peer, n, "there", 0, 0);
    bpt_peers_until(&s, bpt_mem_calls(s.store, BPT_MEM_GET_OPEN) == 49);
    for (int i = 0; i < 20; i++) {
        for (uint32_t n = 2; n < 50; n++) bpt_say_want(peer, n, 0);
        bpt_peers_settle(&s);
    }
}
static void at_list(void) {
    hold();
    bpt_say_list(peer, 1, "", "");
}

static void (*const moments[])(void) = {
    at_nothing, at_put_open, at_put_moving, at_writes,            at_commit, at_commit_with_end, at_abort,
    at_close,   at_failing,  at_get_open,   at_get_open_with_end, at_reads,  at_sends,           at_list,
};
enum { MOMENTS = sizeof moments / sizeof moments[0] };

static void peer_closes(void) { bp_conn_close(peer->side->conn, BP_OK); }
static void peer_finishes(void) { bp_conn_finish(peer->side->conn); }
static void server_closes(void) { bp_conn_close(s.rig.server.conn, BP_OK); }
static void server_drains(void) { bp_server_drain(s.rig.server.server); }
static void server_stops(void) { bp_server_stop(s.rig.server.server); }
static void server_goes(void) { bp_server_free_take(&s.rig.server.server); }

static void (*const ends[])(void) = {peer_closes,   peer_finishes, server_closes,
                                     server_drains, server_stops,  server_goes};
enum { ENDS = sizeof ends / sizeof ends[0] };

/* Whatever is under way then comes back first, in any order; the connection, and the server, are gone before that. */
START_TEST(an_end_at_any_moment_leaves_nothing) {
    bpt_peers_options options = {.way = _i % 2, .send_queue_bytes = 8192};
    bpt_peers_start(&s, &options);
    bpt_mem_add(s.store, "there", SIZE, BPT_SEED);
    seed = (uint64_t)_i;
    moments[_i % MOMENTS]();
    bpt_peers_settle(&s);
    ends[_i / MOMENTS]();
    bpt_rig_turn(&s.rig, 20);
    if (peer->side->conn != NULL) bp_conn_resume(peer->side->conn);
    bpt_rig_turn(&s.rig, 20);
    while (bpt_mem_held(s.store) != 0 || bpt_mem_open(s.store) != 0) {
        turn();
        if (peer->side->conn == NULL || s.rig.server.conn == NULL || s.rig.server.server == NULL) continue;
        if (bpt_mem_held(s.store) == 0) bp_conn_close(s.rig.server.conn, BP_OK);
    }
    bpt_mem_set_way(s.store, BPT_MEM_INSIDE);
    bpt_peers_fini(&s);
}
END_TEST

/* ---- several loops of the server's own ---- */

START_TEST(loops_of_its_own_serve_and_stop_at_any_moment) {
    seed = (uint64_t)_i + 1;
    bpt_peers_options options = {.way = _i % BPT_WAYS, .peer_count = 2, .threads = THREADS};
    options.store = bpt_mem_store(BPT_MEM_THREADED, _i % 2 == 1);
    bpt_peers_start(&s, &options);
    open_all();
    for (int i = 0; !are_over() && (_i < BPT_WAYS || i < 1 << (_i - BPT_WAYS)); i++) {
        uv_run(&s.rig.loop, _i < BPT_WAYS ? UV_RUN_ONCE : UV_RUN_NOWAIT);
        step_all();
    }
    if (_i < BPT_WAYS) check_all();
    bpt_peers_fini(&s);
}
END_TEST

BPT_SUITE(integration_transfer_stores) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(many_transfers_over_any_store_are_whole, 0, 12);
    BPT_LOOP_TEST(a_store_that_fails_ends_the_transfer_with_its_error, 0, 2 * FAILURES);
    BPT_TEST(nobody_is_told_of_an_abort_that_fails);
    BPT_LOOP_TEST(objects_are_served_from_a_directory, 0, BPT_WAYS);
    BPT_LOOP_TEST(an_end_at_any_moment_leaves_nothing, 0, MOMENTS * ENDS);
    BPT_LOOP_TEST(loops_of_its_own_serve_and_stop_at_any_moment, 0, BPT_WAYS + 8);
}
