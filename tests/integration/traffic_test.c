/* The generated contract and configuration over real sockets: every message type, pooled and not, complete, in order,
 * and in steady state without a single allocation. Sender and receiver are two loops on two threads. */
#define _POSIX_C_SOURCE 200809L
#include "tests/support/alloc_window.h"
#include "tests/support/market_fill.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHORT_RUN = 1500, LONG_RUN = 1000000, WARM_UP = 50000, HELD = 16, SEEDS = 512 };

/* One run; the receiver's members are written by the receiver's thread alone, the sender's by the sender's. */
typedef struct run {
    const char *listen_address;
    bool is_pooled;
    uint64_t count, warm_up; /* messages in all, and those before counting begins */
    char address[128];

    bp_server *server;
    uint64_t received, allocations; /* the latter after the warm-up */
    uint64_t by_type[BPT_MARKET_COUNT];
    bp_buf *held[HELD]; /* the last few messages, owned */
    bp_pool_stats receiver_stats;

    uint64_t sent;
    bp_buf *next; /* packed and not queued yet */
    bp_pool_stats sender_stats;
    uint64_t sender_left; /* bytes committed after the sender's full trim */
} run;

/* Message number `number` of a run: types take turns, sizes vary. */
static int type_of(uint64_t number) { return (int)(number % BPT_MARKET_COUNT); }
static uint64_t seed_of(uint64_t number) { return number % SEEDS; }

/* ---- sender ---- */

static void pump(bp_conn *conn, void *user) {
    run *r = user;
    while (r->sent < r->count) {
        bp_err err = BP_OK;
        if (r->next == NULL) err = bpt_market_pack(bp_conn_pool(conn), type_of(r->sent), seed_of(r->sent), &r->next);
        if (err == BP_OK) err = bp_conn_send_take(conn, &r->next);
        if (err == BP_ERR_QUEUE_FULL) return;
        bpt_must(err == BP_OK);
        r->sent++;
    }
    bp_conn_finish(conn);
}

static void *send_all(void *user) {
    run *r = user;
    const market_handlers none = {0};
    bp_client *client = NULL;
    bp_client_config config = market_client_config(&none, r);
    config.handle_signals = false;
    config.conn.buffer_pool_enabled = r->is_pooled;
    config.conn.on_open = pump;
    config.conn.on_drain = pump;
    bpt_ok(bp_client_new(&config, r->address, &client));
    const bp_err err = bp_client_run(client);
    ck_assert_msg(err == BP_OK || err == BP_ERR_END, "%s", bp_err_text(err));
    bp_pool_stats_read(bp_client_pool(client), &r->sender_stats);
    bp_pool_trim(bp_client_pool(client), false);
    bp_pool_stats after;
    bp_pool_stats_read(bp_client_pool(client), &after);
    r->sender_left = after.committed_bytes;
    bp_client_free_take(&client);
    return NULL;
}

/* ---- receiver: every message is delivered as a buffer of the handler's own ---- */

static void take(run *r, int message_ix, bp_buf *buf) {
    const uint64_t number = r->received++;
    bpt_must(message_ix == type_of(number));
    bpt_must(bp_buf_type(buf) == bpt_market_type(message_ix));
    r->by_type[message_ix]++;
    bp_buf_release(r->held[number % HELD]);
    r->held[number % HELD] = buf;
    if (r->received == r->warm_up) bpt_alloc_window_open();
    if (r->received == r->count) {
        r->allocations = bpt_alloc_window_close();
        bp_server_stop(r->server);
    }
}

#define DEFINE_HANDLER(name, NAME)                                                                                    \
    static bp_err on_##name(bp_conn *conn, bp_buf *buf, void *user) {                                                 \
        (void)conn;                                                                                                   \
        take(user, BPT_##NAME, buf);                                                                                  \
        return BP_OK;                                                                                                 \
    }
MARKET_MESSAGES(DEFINE_HANDLER)

static const market_handlers take_everything = {
#define HANDLER(name, NAME) .name##_buf = on_##name,
    MARKET_MESSAGES(HANDLER)
#undef HANDLER
};

/* The last messages are what was sent last, byte for byte. */
static void check_held(run *r) {
    bp_pool *heap = NULL;
    bpt_ok(bp_heap_pool_new(0, &heap));
    for (uint64_t number = r->count - HELD; number < r->count; number++) {
        bp_buf *expected = NULL, *got = r->held[number % HELD];
        bpt_ok(bpt_market_pack(heap, type_of(number), seed_of(number), &expected));
        ck_assert_uint_eq(bp_buf_length(got), bp_buf_length(expected));
        ck_assert_mem_eq(bp_buf_data(got), bp_buf_data(expected), bp_buf_length(expected));
        bp_buf_release_take(&expected);
    }
    for (int i = 0; i < HELD; i++) bp_buf_release_take(&r->held[i]);
    bp_pool_release_take(&heap);
}

static void run_traffic(run *r) {
    pthread_t sender;
    bp_server_config config = market_server_config(&take_everything, r);
    config.handle_signals = false;
    config.conn.buffer_pool_enabled = r->is_pooled;
    bpt_ok(bp_server_new(&config, r->listen_address, &r->server));
    bpt_ok(bp_server_address(r->server, r->address, sizeof r->address));
    bp_pool_stats_read(bp_server_pool(r->server), &r->receiver_stats);
    ck_assert_uint_eq(r->receiver_stats.committed_bytes, 0);
    ck_assert_int_eq(pthread_create(&sender, NULL, send_all, r), 0);
    bpt_ok(bp_server_run(r->server));
    ck_assert_int_eq(pthread_join(sender, NULL), 0);
    bp_pool_stats_read(bp_server_pool(r->server), &r->receiver_stats);
    ck_assert_uint_eq(r->received, r->count);
    check_held(r);
}

/* Everything is back, and a full trim leaves nothing. */
static void check_memory_and_free(run *r) {
    bp_pool_stats stats;
    bp_pool_trim(bp_server_pool(r->server), false);
    bp_pool_stats_read(bp_server_pool(r->server), &stats);
    ck_assert_uint_eq(stats.total.in_use, 0);
    ck_assert_uint_eq(stats.exact_in_use, 0);
    ck_assert_uint_eq(stats.committed_bytes, 0);
    ck_assert_uint_eq(r->sender_stats.exact_in_use + r->sender_stats.total.in_use, 0);
    ck_assert_uint_eq(r->sender_left, 0);
    bp_server_free_take(&r->server);
}

static double hit_rate(const bp_pool_stats *stats) {
    return 1.0 - (double)stats->total.misses / (double)stats->total.acquires;
}

/* ---- tests: i & 1 chooses the transport ---- */

static const char *address_of(int transport, char path[64]) {
    if (transport == 1) return "tcp://127.0.0.1:0";
    snprintf(path, 64, "unix:///tmp/bufpool-traffic-%ld.sock", (long)getpid());
    return path;
}

START_TEST(pooled_traffic_is_complete_and_hits_the_pool) {
    char path[64];
    const uint64_t before = bpt_alloc_count();
    run r = {.listen_address = address_of(_i, path), .is_pooled = true, .count = SHORT_RUN};
    run_traffic(&r);
    ck_assert_double_gt(hit_rate(&r.receiver_stats), 0.8);
    ck_assert_double_gt(hit_rate(&r.sender_stats), 0.8);
    /* Even cold, set-up of both loops included, fewer than two allocations for each message. */
    ck_assert_uint_lt(bpt_alloc_count() - before, 2 * r.count);
    check_memory_and_free(&r);
}
END_TEST

START_TEST(unpooled_traffic_is_complete) {
    char path[64];
    run r = {.listen_address = address_of(_i, path), .is_pooled = false, .count = SHORT_RUN};
    run_traffic(&r);
    ck_assert_uint_eq(r.receiver_stats.class_count, 0);
    ck_assert_uint_ge(r.receiver_stats.exact_acquires, r.count);
    check_memory_and_free(&r);
}
END_TEST

/* The sender's queue is full before anything of it leaves (on_open fills it), and the receiver has seen every type long
 * before the warm-up is over. Whether the socket was full by then is luck: nothing may depend on it. */
START_TEST(steady_state_allocates_nothing_on_either_side) {
    char path[64];
    run r = {.listen_address = address_of(_i, path), .is_pooled = true};
    r.count = bpt_scaled(LONG_RUN);
    r.warm_up = bpt_scaled(WARM_UP);
    run_traffic(&r);
    ck_assert_msg(r.allocations == 0, "%ju, the first: %s", (uintmax_t)r.allocations, bpt_alloc_window_first());
    for (int i = 0; i < BPT_MARKET_COUNT; i++) ck_assert_uint_ge(r.by_type[i], r.count / BPT_MARKET_COUNT);
    ck_assert_double_ge(hit_rate(&r.receiver_stats), 0.99);
    ck_assert_double_ge(hit_rate(&r.sender_stats), 0.99);
    check_memory_and_free(&r);
}
END_TEST

START_TEST(the_counter_counts) {
    const uint64_t expected = bpt_alloc_is_counted() ? 1 : 0;
    const uint64_t before = bpt_alloc_count();
    void *volatile memory = malloc(10);
    const uint64_t after = bpt_alloc_count();
    free(memory);
    ck_assert_uint_eq(after - before, expected);
}
END_TEST

__attribute__((noinline)) static void allocate_here(void) {
    void *volatile memory = malloc(10);
    free(memory);
}

START_TEST(a_window_tells_who_allocated_first) {
    bpt_alloc_window_open();
    ck_assert_uint_eq(bpt_alloc_window_close(), 0);
    ck_assert_str_eq(bpt_alloc_window_first(), "");
    bpt_alloc_window_open();
    allocate_here();
    void *volatile second = malloc(20);
    free(second);
    const uint64_t count = bpt_alloc_window_close();
    free(malloc(30));
    ck_assert_uint_eq(count, bpt_alloc_is_counted() ? 2 : 0);
    const char *expected = bpt_alloc_is_counted() ? "10 bytes: allocate_here < a_window_tells_who" : "";
    ck_assert_msg(strncmp(bpt_alloc_window_first(), expected, strlen(expected)) == 0, "%s", bpt_alloc_window_first());
}
END_TEST

BPT_LONG_SUITE(integration_traffic) {
    BPT_LOOP_TEST(pooled_traffic_is_complete_and_hits_the_pool, 0, 2);
    BPT_LOOP_TEST(unpooled_traffic_is_complete, 0, 2);
    BPT_LOOP_TEST(steady_state_allocates_nothing_on_either_side, 0, 2);
    BPT_TEST(the_counter_counts);
    BPT_TEST(a_window_tells_who_allocated_first);
}
