#define _GNU_SOURCE
#include "base/os.h"
#include "tests/support/frame_rig.h"

#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

/* Nobody listens: the file is not there, and the system gives this port to nobody who asks for any. */
static void aim_at_nobody(bpt_rig *rig, int way) {
    const char *nobody = bpt_way_is_unix(way) ? bpt_rig_path(rig, "unix://", "nobody") : "tcp://127.0.0.1:1";
    snprintf(rig->address, sizeof rig->address, "%s", nobody);
}

START_TEST(a_refused_client_has_on_close_without_on_open) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    aim_at_nobody(&rig, _i);
    const bp_client_config config = bpt_rig_client_config(&rig, 0, _i);
    bpt_rig_connect(&rig, 0, &config);
    ck_assert_uint_eq(rig.clients[0].closes, 0);
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    ck_assert_uint_eq(rig.clients[0].opens, 0);
    bpt_err(rig.clients[0].why, BP_ERR_REFUSED);
    ck_assert_ptr_null(bp_client_conn(rig.clients[0].client));
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
}
END_TEST

START_TEST(run_tells_why_there_is_no_connection) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    aim_at_nobody(&rig, _i);
    bp_client_config config = bpt_rig_client_config(&rig, 0, _i);
    config.loop = NULL;
    bpt_rig_connect(&rig, 0, &config);
    bpt_err(bp_client_run(rig.clients[0].client), BP_ERR_REFUSED);
    bpt_rig_fini(&rig);
}
END_TEST

/* A name of this machine: where no table of hosts is, the resolver still knows short forms, which are no addresses. */
static const char *own_name(void) {
    struct addrinfo *found = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &found) != 0) return "127.1";
    freeaddrinfo(found);
    return "localhost";
}

START_TEST(a_name_is_resolved_and_every_address_tried) {
    bpt_rig rig;
    char by_name[64];
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, 0);
    const bp_client_config config = bpt_rig_client_config(&rig, 0, 0);
    bpt_rig_listen(&rig, &server, 0); /* on 127.0.0.1 alone, whatever else the name stands for */
    snprintf(by_name, sizeof by_name, "tcp://%s:%s", own_name(), strrchr(rig.address, ':') + 1);
    bpt_ok(bp_client_new(&config, by_name, &rig.clients[0].client));
    bpt_rig_until(&rig, rig.clients[0].opens == 1 || rig.clients[0].closes == 1);
    ck_assert_uint_eq(rig.clients[0].opens, 1);
    ck_assert_ptr_eq(bp_client_conn(rig.clients[0].client), rig.clients[0].conn);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_name_that_is_none_is_an_error_of_the_address) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_client_config config = bpt_rig_client_config(&rig, 0, 0);
    bpt_ok(bp_client_new(&config, "tcp://name.invalid:1", &rig.clients[0].client));
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    bpt_err(rig.clients[0].why, BP_ERR_ADDRESS);
    ck_assert_uint_eq(rig.clients[0].opens, 0);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(a_client_may_be_freed_while_it_connects) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, _i % 2);
    const bp_client_config config = bpt_rig_client_config(&rig, 0, _i % 2);
    bpt_rig_listen(&rig, &server, _i % 2);
    if (_i < 2)
        bpt_rig_connect(&rig, 0, &config);
    else
        bpt_ok(bp_client_new(&config, "tcp://localhost:1", &rig.clients[0].client));
    bp_client_free_take(&rig.clients[0].client);
    bp_server_free_take(&rig.server.server);
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    bpt_err(rig.clients[0].why, BP_ERR_CLOSED);
}
END_TEST

static void stop_client(bpt_side *side, bp_conn *conn) {
    (void)conn;
    bp_client_stop(side->client);
}

START_TEST(a_client_stops_in_its_own_callback) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    bp_client_config config = bpt_rig_client_config(&rig, 0, _i);
    bpt_rig_listen(&rig, &server, _i);
    config.loop = NULL;
    rig.clients[0].on_open = stop_client;
    bpt_rig_connect(&rig, 0, &config);
    bpt_ok(bp_client_run(rig.clients[0].client));
    ck_assert_uint_eq(rig.clients[0].opens, 1);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    bpt_err(rig.clients[0].why, BP_ERR_CLOSED);
    bpt_rig_fini(&rig);
}
END_TEST

START_TEST(addresses_that_cannot_be_are_refused) {
    static const char *const bad[] = {"",
                                      "tcp",
                                      "tcp://",
                                      "tcp://:1",
                                      "tcp://host",
                                      "tcp://host:",
                                      "tcp://host:x",
                                      "tcp://host:65536",
                                      "tcp://::1:7000",
                                      "tcp://[::1:7000",
                                      "tcp://[::1]7000",
                                      "tcp://[]:7000",
                                      "udp://127.0.0.1:1",
                                      "unix://",
                                      "unix://relative",
                                      "unix:///directory/",
                                      ("unix:///0123456789012345678901234567890123456789012345678901234567890123456789"
                                       "01234567890123456789012345678901234567890123456789")};
    bpt_rig rig;
    bpt_rig_init(&rig);
    const bp_client_config client = bpt_rig_client_config(&rig, 0, 0);
    const bp_server_config server = bpt_rig_server_config(&rig, 0);
    bp_client *no_client = NULL;
    bp_server *no_server = NULL;
    bpt_err(bp_client_new(&client, NULL, &no_client), BP_ERR_ADDRESS);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        bpt_err(bp_client_new(&client, bad[i], &no_client), BP_ERR_ADDRESS);
        bpt_err(bp_server_new(&server, bad[i], &no_server), BP_ERR_ADDRESS);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* What no route leads to is known at once. */
START_TEST(an_error_at_once_is_told_once) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bp_client_config config = bpt_rig_client_config(&rig, 0, 0);
    if (_i == 1) config.loop = NULL;
    bpt_err(bp_client_new(&config, "tcp://255.255.255.255:1", &rig.clients[0].client), BP_ERR_ADDRESS);
    ck_assert_ptr_null(rig.clients[0].client);
    bpt_rig_fini(&rig);
    ck_assert_uint_eq(rig.clients[0].closes, 0);
}
END_TEST

static int64_t allocated; /* blocks */

static void *counting_alloc(size_t size) {
    allocated++;
    return bpi_os_system.alloc(size);
}

static void *counting_alloc_raw(size_t size) {
    allocated++;
    return bpi_os_system.alloc_raw(size);
}

static void counting_free(void *memory) {
    allocated -= memory != NULL;
    bpi_os_system.free(memory);
}

START_TEST(no_descriptor_for_a_client_leaves_nothing) {
    bpt_rig rig;
    struct rlimit limit;
    bpt_rig_init(&rig);
    const bp_client_config config = bpt_rig_client_config(&rig, 0, 0);
    bpi_os.alloc = counting_alloc;
    bpi_os.alloc_raw = counting_alloc_raw;
    bpi_os.free = counting_free;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlim_t before = limit.rlim_cur;
    const int next = dup(0);
    close(next);
    limit.rlim_cur = (rlim_t)next;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    const bp_err err = bp_client_new(&config, "tcp://127.0.0.1:1", &rig.clients[0].client);
    limit.rlim_cur = before;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    bpt_err(err, BP_ERR_SYSTEM);
    bpt_rig_fini(&rig);
    bpi_os = bpi_os_system;
    ck_assert_uint_eq(rig.clients[0].closes, 0);
    ck_assert_int_eq(allocated, 0);
}
END_TEST

/* ---- names ---- */

enum { POOL_THREADS = 4 }; /* libuv's own number, which the tests leave alone */

typedef struct busy_pool {
    uv_work_t works[POOL_THREADS];
    uv_sem_t end;
} busy_pool;

static void wait_for_end(uv_work_t *work) { uv_sem_wait(work->data); }

static void on_work_done(uv_work_t *work, int status) { (void)work, (void)status; }

/* Nothing is looked up until the pool is let go. */
static void hold_pool(busy_pool *pool, uv_loop_t *loop) {
    ck_assert_int_eq(uv_sem_init(&pool->end, 0), 0);
    for (int i = 0; i < POOL_THREADS; i++) {
        pool->works[i].data = &pool->end;
        ck_assert_int_eq(uv_queue_work(loop, &pool->works[i], wait_for_end, on_work_done), 0);
    }
}

static void let_pool_go(busy_pool *pool) {
    for (int i = 0; i < POOL_THREADS; i++) uv_sem_post(&pool->end);
}

/* i: closed by a deadline, stopped, freed. */
START_TEST(nobody_waits_for_a_name) {
    bpt_rig rig;
    busy_pool pool;
    bpt_rig_init(&rig);
    hold_pool(&pool, &rig.loop);
    bp_client_config config = bpt_rig_client_config(&rig, 0, 0);
    config.conn.handshake_ms = _i == 0 ? 40 : UINT32_MAX;
    bpt_ok(bp_client_new(&config, "tcp://localhost:1", &rig.clients[0].client));
    for (int i = 0; i < 5; i++) uv_run(&rig.loop, UV_RUN_NOWAIT);
    if (_i == 1) bp_client_stop(rig.clients[0].client);
    if (_i == 2) bp_client_free_take(&rig.clients[0].client);
    bpt_rig_until(&rig, rig.clients[0].closes == 1);
    bpt_err(rig.clients[0].why, _i == 0 ? BP_ERR_TIMEOUT : BP_ERR_CLOSED);
    let_pool_go(&pool);
    bpt_rig_fini(&rig);
    uv_sem_destroy(&pool.end);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
}
END_TEST

/* ---- again and again ---- */

static void find_timer(uv_handle_t *handle, void *found) {
    if (handle->type == UV_TIMER && uv_is_active(handle)) *(uv_timer_t **)found = (uv_timer_t *)handle;
}

/* The wait until the next attempt, read before any time has passed, and ended. */
static uint64_t skip_wait(bpt_rig *rig) {
    uv_timer_t *timer = NULL;
    uv_walk(&rig->loop, find_timer, &timer);
    ck_assert_ptr_nonnull(timer);
    const uint64_t wait = uv_timer_get_due_in(timer);
    uv_timer_start(timer, timer->timer_cb, 0, 0);
    return wait;
}

static void note_wait(bpt_side *side, bp_conn *conn) {
    uint64_t *waits = side->data;
    (void)conn;
    if (side->closes <= 6) waits[side->closes - 1] = skip_wait(side->rig);
}

static uint64_t no_random(void) { return 0; }
static uint64_t most_random(void) { return 50; } /* of 0 .. 50, as the first wait has them */

START_TEST(each_attempt_that_fails_doubles_the_wait) {
    static const uint64_t halves[] = {50, 100, 200, 400, 450, 450};
    bpt_rig rig;
    uint64_t waits[6] = {0};
    bpt_rig_init(&rig);
    aim_at_nobody(&rig, _i & 1);
    bpi_os.random = _i & 2 ? most_random : no_random;
    bp_client_config config = bpt_rig_client_config(&rig, 0, _i & 1);
    config.reconnect_min_ms = 100;
    config.reconnect_max_ms = 900;
    rig.clients[0].on_close = note_wait;
    rig.clients[0].data = waits;
    bpt_rig_connect(&rig, 0, &config);
    bpt_rig_until(&rig, rig.clients[0].closes == 6);
    for (int i = 0; i < 6; i++) ck_assert_uint_eq(waits[i], halves[i] + (_i & 2 ? 50 : 0));
    ck_assert_uint_eq(rig.clients[0].opens, 0);
    bpt_err(rig.clients[0].why, BP_ERR_REFUSED);
    bpt_rig_fini(&rig);
    bpi_os = bpi_os_system;
}
END_TEST

static bp_client_config persistent(bpt_rig *rig, int way) {
    bp_client_config config = bpt_rig_client_config(rig, 0, way);
    config.reconnect_min_ms = 1;
    config.reconnect_max_ms = 4;
    return config;
}

/* The server goes, stays away for some attempts, and comes back at the same address. */
START_TEST(a_client_comes_back_when_its_server_does) {
    bpt_rig rig;
    bp_server *again = NULL;
    bpt_rig_init(&rig);
    const bp_server_config server = bpt_rig_server_config(&rig, _i);
    const bp_client_config config = persistent(&rig, _i);
    bpt_rig_listen(&rig, &server, _i);
    bpt_rig_connect(&rig, 0, &config);
    bpt_rig_until(&rig, rig.clients[0].opens == 1 && rig.server.opens == 1);
    bp_server_free_take(&rig.server.server);
    bpt_rig_until(&rig, rig.clients[0].closes == 4);
    ck_assert_uint_eq(rig.clients[0].opens, 1);
    ck_assert_ptr_null(bp_client_conn(rig.clients[0].client));
    bpt_ok(bp_server_new(&server, rig.address, &again));
    bpt_rig_until(&rig, rig.clients[0].opens == 2 && rig.server.opens == 2);
    bpt_send(bp_client_conn(rig.clients[0].client), BPT_SMALL_TYPE, 20, 1);
    bpt_rig_until(&rig, rig.server.frames == 1);
    rig.server.server = again;
    bpt_rig_fini(&rig);
}
END_TEST

/* A client that was stopped can be run again. */
static void stop_at_third(bpt_side *side, bp_conn *conn) {
    (void)conn;
    if (side->closes % 3 == 0) bp_client_stop(side->client);
}

START_TEST(only_stop_ends_a_client_that_comes_back) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    aim_at_nobody(&rig, _i);
    bp_client_config config = persistent(&rig, _i);
    config.loop = NULL;
    rig.clients[0].on_close = stop_at_third;
    bpt_rig_connect(&rig, 0, &config);
    for (unsigned n = 1; n <= 3; n++) {
        bpt_ok(bp_client_run(rig.clients[0].client));
        ck_assert_uint_eq(rig.clients[0].closes, 3 * n);
    }
    bpt_rig_fini(&rig);
}
END_TEST

/* The loop is so late that the next attempt is due before it hears of the stop. */
static void stop_and_be_late(bpt_side *side, bp_conn *conn) {
    enum { LATE_MS = 20 };
    (void)conn;
    bp_client_stop(side->client);
    uv_sleep(LATE_MS);
}

START_TEST(nothing_is_tried_after_stop) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    aim_at_nobody(&rig, _i);
    const bp_client_config config = persistent(&rig, _i);
    rig.clients[0].on_close = stop_and_be_late;
    bpt_rig_connect(&rig, 0, &config);
    ck_assert_int_eq(uv_run(&rig.loop, UV_RUN_DEFAULT), 0);
    ck_assert_uint_eq(rig.clients[0].closes, 1);
    bpt_rig_fini(&rig);
}
END_TEST

static void *stop_from_thread(void *user) {
    bp_client_stop(user);
    return NULL;
}

START_TEST(a_wait_ends_at_once_with_stop_or_free) {
    bpt_rig rig;
    pthread_t thread;
    bpt_rig_init(&rig);
    aim_at_nobody(&rig, _i & 1);
    bp_client_config config = persistent(&rig, _i & 1);
    config.reconnect_min_ms = config.reconnect_max_ms = UINT32_MAX;
    if (_i & 2) config.loop = NULL;
    bpt_rig_connect(&rig, 0, &config);
    if (_i & 2) {
        ck_assert_int_eq(pthread_create(&thread, NULL, stop_from_thread, rig.clients[0].client), 0);
        bpt_ok(bp_client_run(rig.clients[0].client));
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
    } else {
        bpt_rig_until(&rig, rig.clients[0].closes == 1);
        if (_i & 1) bp_client_stop(rig.clients[0].client);
    }
    bpt_rig_fini(&rig); /* would take weeks */
    ck_assert_uint_le(rig.clients[0].closes, 1);
}
END_TEST

BPT_SUITE(transport_client) {
    BPT_LOOP_TEST(nobody_waits_for_a_name, 0, 3);
    BPT_LOOP_TEST(each_attempt_that_fails_doubles_the_wait, 0, 4);
    BPT_LOOP_TEST(a_client_comes_back_when_its_server_does, 0, BPT_WAYS);
    BPT_LOOP_TEST(nothing_is_tried_after_stop, 0, 2);
    BPT_LOOP_TEST(only_stop_ends_a_client_that_comes_back, 0, 2);
    BPT_LOOP_TEST(a_wait_ends_at_once_with_stop_or_free, 0, 4);

    BPT_LOOP_TEST(a_refused_client_has_on_close_without_on_open, 0, 2);
    BPT_LOOP_TEST(run_tells_why_there_is_no_connection, 0, 2);
    BPT_TEST(a_name_is_resolved_and_every_address_tried);
    BPT_TEST(a_name_that_is_none_is_an_error_of_the_address);
    BPT_LOOP_TEST(a_client_may_be_freed_while_it_connects, 0, 3);
    BPT_LOOP_TEST(a_client_stops_in_its_own_callback, 0, 2);
    BPT_TEST(addresses_that_cannot_be_are_refused);
    BPT_LOOP_TEST(an_error_at_once_is_told_once, 0, 2);
    BPT_TEST(no_descriptor_for_a_client_leaves_nothing);
}
