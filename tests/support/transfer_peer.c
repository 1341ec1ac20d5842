#define _GNU_SOURCE
#include "tests/support/transfer_peer.h"

#include "transfer/server_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a peer hears ---- */

static bpt_told *told_of(void *user, uint32_t number) {
    bpt_peer *peer = user;
    peer->frames++;
    bpt_must(number < BPT_TOLD_MAX);
    return &peer->told[number];
}

static bp_err on_put_opened(bp_conn *conn, const bpi_transfer_put_opened_view *view, void *user) {
    bpt_told *told = told_of(user, bpi_transfer_put_opened_get_transfer(view));
    (void)conn;
    told->put_opened++;
    bpi_transfer_put_opened_load(view, &told->put);
    return BP_OK;
}

static bp_err on_part_done(bp_conn *conn, const bpi_transfer_part_done_view *view, void *user) {
    bpt_told *told = told_of(user, bpi_transfer_part_done_get_transfer(view));
    const uint64_t part = bpi_transfer_part_done_get_part(view);
    (void)conn;
    told->parts_done++;
    if (part < 64) bpt_must((told->done >> part & 1) == 0);
    if (part < 64) told->done |= UINT64_C(1) << part;
    return BP_OK;
}

static bp_err on_committed(bp_conn *conn, const bpi_transfer_committed_view *view, void *user) {
    bpt_told *told = told_of(user, bpi_transfer_committed_get_transfer(view));
    (void)conn;
    told->committed++;
    told->version = bpi_transfer_committed_get_version(view);
    return BP_OK;
}

static bp_err on_get_opened(bp_conn *conn, const bpi_transfer_get_opened_view *view, void *user) {
    bpt_told *told = told_of(user, bpi_transfer_get_opened_get_transfer(view));
    (void)conn;
    told->get_opened++;
    bpi_transfer_get_opened_load(view, &told->get);
    return BP_OK;
}

static bp_err on_part(bp_conn *conn, const bpi_transfer_part_view *view, void *user) {
    bpt_told *told = told_of(user, bpi_transfer_part_get_transfer(view));
    const uint64_t part = bpi_transfer_part_get_part(view);
    const bp_bytes data = bpi_transfer_part_get_data(view);
    const uint64_t at = told->offset + part * (told->part_size == 0 ? BPT_PART_SIZE : told->part_size);
    (void)conn;
    told->parts++;
    bpt_must(bp_crc32c(0, data.data, data.length) == bpi_transfer_part_get_crc(view));
    bpt_must(bpt_object_is(data.data, at, data.length, told->seed == 0 ? BPT_SEED : told->seed));
    if (part < 64) told->got |= UINT64_C(1) << part;
    return BP_OK;
}

static bp_err on_failed(bp_conn *conn, const bpi_transfer_failed_view *view, void *user) {
    bpt_told *told = told_of(user, bpi_transfer_failed_get_transfer(view));
    const bp_text text = bpi_transfer_failed_get_text(view);
    (void)conn;
    told->failed++;
    told->err = (bp_err)bpi_transfer_failed_get_error(view);
    told->err_part = bpi_transfer_failed_get_part(view);
    memcpy(told->text, text.data, text.length);
    return BP_OK;
}

static bp_err on_listed(bp_conn *conn, const bpi_transfer_listed_view *view, void *user) {
    bpt_peer *peer = user;
    const bp_text name = bpi_transfer_listed_get_name(view);
    (void)conn;
    told_of(user, bpi_transfer_listed_get_transfer(view))->listed++;
    bpt_must(peer->name_count < BPT_NAMES_MAX && name.length < sizeof peer->names[0]);
    memcpy(peer->names[peer->name_count], name.data, name.length);
    peer->names[peer->name_count++][name.length] = '\0';
    return BP_OK;
}

static bp_err on_list_end(bp_conn *conn, const bpi_transfer_list_end_view *view, void *user) {
    bpt_told *told = told_of(user, bpi_transfer_list_end_get_transfer(view));
    (void)conn;
    told->list_ended++;
    told->has_more = bpi_transfer_list_end_get_has_more(view);
    return BP_OK;
}

static const bpi_transfer_handlers hear = {.put_opened = on_put_opened,
                                           .part_done = on_part_done,
                                           .committed = on_committed,
                                           .get_opened = on_get_opened,
                                           .part = on_part,
                                           .failed = on_failed,
                                           .listed = on_listed,
                                           .list_end = on_list_end};

/* ---- both ends ---- */

static void add_service(bp_conn_config *config, bp_service service) {
    config->services[config->service_count++] = service;
}

static void *run(void *server) {
    bpt_must(bp_server_run(server) == BP_OK);
    return NULL;
}

/* What a side counts belongs to the rig's thread. */
static void run_threaded(bp_server_config *config, uint32_t threads) {
    config->loop = NULL;
    config->handle_signals = false;
    config->thread_count = threads;
    config->conn.on_open = NULL;
    config->conn.on_close = NULL;
    config->conn.on_drain = NULL;
}

static void start_server(bpt_peers *peers, const bpt_peers_options *options) {
    bp_transfer_server_config objects = options->config;
    bp_server_config config = bpt_rig_server_config(&peers->rig, options->way);
    peers->store = options->store == NULL ? bpt_mem_store(BPT_MEM_INSIDE, false) : options->store;
    objects.store = peers->store;
    bpt_ok(bp_transfer_server_new(&objects, &peers->server));
    add_service(&config.conn, bp_transfer_server_service(peers->server));
    config.conn.pool = options->pool;
    config.conn.pool_factory = options->factory;
    config.conn.pool_factory_user = options->factory_user;
    config.conn.send_queue_bytes = options->send_queue_bytes;
    config.conn.full_policy = options->full_policy;
    config.conn.invalid = options->invalid;
    peers->is_threaded = options->threads != 0;
    if (peers->is_threaded) run_threaded(&config, options->threads);
    bpt_rig_listen(&peers->rig, &config, options->way);
    if (peers->is_threaded) ck_assert_int_eq(pthread_create(&peers->thread, NULL, run, peers->rig.server.server), 0);
}

void bpt_peer_connect(bpt_peers *peers, int ix, const bpt_peers_options *options) {
    bpt_peer *peer = &peers->peers[ix];
    bp_client_free_take(&peers->rig.clients[ix].client);
    free(peer->told);
    *peer = (bpt_peer){.all = peers, .side = &peers->rig.clients[ix]};
    peer->told = calloc(BPT_TOLD_MAX, sizeof *peer->told);
    const unsigned opens = peers->rig.server.opens, own = peer->side->opens;
    bp_client_config config = bpt_rig_client_config(&peers->rig, ix, options->way);
    add_service(&config.conn, bpi_transfer_service(&hear, peer));
    bpt_rig_connect(&peers->rig, ix, &config);
    bpt_peers_until(peers, peer->side->opens == own + 1);
    if (!peers->is_threaded) bpt_peers_until(peers, peers->rig.server.opens == opens + 1);
    bpt_peers_until(peers, bpt_has_met(peer->side->conn));
    if (!peers->is_threaded) bpt_peers_until(peers, bpt_has_met(peers->rig.server.conn));
}

void bpt_peers_start(bpt_peers *peers, const bpt_peers_options *options) {
    memset(peers, 0, sizeof *peers);
    bpt_rig_init(&peers->rig);
    start_server(peers, options);
    const int count = options->peer_count == 0 ? 1 : (int)options->peer_count;
    for (int i = 0; i < count; i++) bpt_peer_connect(peers, i, options);
}

static void stop_thread(bpt_peers *peers) {
    if (!peers->is_threaded) return;
    bp_server_stop(peers->rig.server.server);
    ck_assert_int_eq(pthread_join(peers->thread, NULL), 0);
}

/* The store itself finds what was not closed, when its last reference goes. */
void bpt_peers_fini(bpt_peers *peers) {
    bp_server *server = peers->rig.server.server;
    bp_pool *pool = server == NULL ? NULL : bp_pool_retain(bp_server_pool(server));
    stop_thread(peers);
    bpt_rig_fini(&peers->rig);
    ck_assert_uint_eq(bpt_peers_stats(peers).transfers_open, 0);
    if (pool != NULL) {
        bp_pool_stats stats;
        bp_pool_stats_read(pool, &stats);
        ck_assert_uint_eq(stats.total.in_use + stats.exact_in_use, 0);
    }
    bp_pool_release_take(&pool);
    ck_assert_uint_eq(peers->server->references, 1);
    ck_assert_uint_eq(peers->store->references, 2);
    bp_transfer_server_free_take(&peers->server);
    bp_store_release_take(&peers->store);
    for (int i = 0; i < BPT_CLIENT_MAX; i++) free(peers->peers[i].told);
}

void bpt_peers_settle(bpt_peers *peers) {
    uint64_t before, now = 0;
    do {
        before = now;
        bpt_rig_turn(&peers->rig, 50);
        now = 0;
        for (int i = 0; i < BPT_CLIENT_MAX; i++) now += peers->peers[i].frames;
        bp_server_stats stats = {0};
        if (peers->rig.server.server != NULL) bp_server_stats_read(peers->rig.server.server, &stats);
        now += stats.conn.frames_in + stats.conn.bytes_in;
    } while (now != before);
}

bp_transfer_stats bpt_peers_stats(const bpt_peers *peers) {
    bp_transfer_stats stats;
    bp_transfer_server_stats(peers->server, &stats);
    return stats;
}

/* ---- what a peer says ---- */

static bp_conn *conn_of(bpt_peer *peer) { return peer->side->conn; }

void bpt_say_put_open_as(bpt_peer *peer, const bpi_transfer_put_open *message) {
    bpt_ok(bpi_transfer_send_put_open(conn_of(peer), message));
}

void bpt_say_put_open(bpt_peer *peer, uint32_t number, const char *name, uint64_t size, const uint8_t *token) {
    bpi_transfer_put_open message = {.transfer = number, .part_size = BPT_PART_SIZE, .size = size};
    message.parts_in_flight = 4;
    message.name_length = (uint16_t)strlen(name);
    memcpy(message.name, name, message.name_length);
    if (token != NULL) memcpy(message.token, token, sizeof message.token);
    bpt_say_put_open_as(peer, &message);
}

void bpt_say_part_as(bpt_peer *peer, const bpi_transfer_part *part) {
    bp_buf *buf = NULL;
    bpt_must(bpi_transfer_part_pack(bp_conn_pool(conn_of(peer)), part, &buf) == BP_OK);
    bpt_must(bp_conn_send_take(conn_of(peer), &buf) == BP_OK);
}

void bpt_say_part(bpt_peer *peer, uint32_t number, uint64_t part, uint32_t length) {
    static uint8_t data[65536 + 1];
    bpt_must(length < sizeof data);
    bpt_object_fill(data, part * BPT_PART_SIZE, length, BPT_SEED);
    const bpi_transfer_part message = {
        .transfer = number, .part = part, .crc = bp_crc32c(0, data, length), .data = data, .data_length = length};
    bpt_say_part_as(peer, &message);
}

void bpt_say_commit_as(bpt_peer *peer, uint32_t number, uint64_t size, uint32_t crc) {
    const bpi_transfer_put_commit message = {.transfer = number, .size = size, .crc = crc};
    bpt_ok(bpi_transfer_send_put_commit(conn_of(peer), &message));
}

void bpt_say_commit(bpt_peer *peer, uint32_t number, uint64_t size) {
    bpt_say_commit_as(peer, number, size, bpt_object_sum(size, BPT_SEED));
}

void bpt_say_get_open(bpt_peer *peer, uint32_t number, const char *name, uint64_t offset, uint64_t length) {
    bpi_transfer_get_open message = {.transfer = number, .part_size = BPT_PART_SIZE, .parts_in_flight = 4};
    message.offset = offset;
    message.length = length;
    message.name_length = (uint16_t)strlen(name);
    memcpy(message.name, name, message.name_length);
    peer->told[number].offset = offset;
    bpt_ok(bpi_transfer_send_get_open(conn_of(peer), &message));
}

void bpt_say_want(bpt_peer *peer, uint32_t number, uint64_t part) {
    const bpi_transfer_part_want message = {.transfer = number, .part = part};
    bpt_must(bpi_transfer_send_part_want(conn_of(peer), &message) == BP_OK);
}

void bpt_say_list(bpt_peer *peer, uint32_t number, const char *prefix, const char *after) {
    bpi_transfer_list message = {.transfer = number};
    message.prefix_length = (uint16_t)strlen(prefix);
    memcpy(message.prefix, prefix, message.prefix_length);
    message.after_length = (uint16_t)strlen(after);
    memcpy(message.after, after, message.after_length);
    bpt_ok(bpi_transfer_send_list(conn_of(peer), &message));
}

void bpt_say_end(bpt_peer *peer, uint32_t number, bool is_discarded) {
    const bpi_transfer_end message = {.transfer = number, .is_discarded = is_discarded};
    bpt_ok(bpi_transfer_send_end(conn_of(peer), &message));
}

/* ---- whole transfers ---- */

bpt_told *bpt_open_put(bpt_peer *peer, uint32_t number, const char *name, uint64_t size) {
    bpt_told *told = &peer->told[number];
    bpt_say_put_open(peer, number, name, size, NULL);
    bpt_peers_until(peer->all, told->put_opened == 1);
    return told;
}

bpt_told *bpt_open_get(bpt_peer *peer, uint32_t number, const char *name) {
    bpt_told *told = &peer->told[number];
    bpt_say_get_open(peer, number, name, 0, 0);
    bpt_peers_until(peer->all, told->get_opened == 1);
    return told;
}

static uint32_t length_of(uint64_t size, uint64_t part) {
    const uint64_t left = size - part * BPT_PART_SIZE;
    return left < BPT_PART_SIZE ? (uint32_t)left : BPT_PART_SIZE;
}

void bpt_serve_put(bpt_peer *peer, uint32_t number, const char *name, uint64_t size) {
    const bpt_told *told = bpt_open_put(peer, number, name, size);
    const uint64_t count = (size + BPT_PART_SIZE - 1) / BPT_PART_SIZE;
    for (uint64_t part = 0; part < count; part++) {
        bpt_peers_until(peer->all, part - told->parts_done < told->put.parts_in_flight);
        bpt_say_part(peer, number, part, length_of(size, part));
    }
    bpt_peers_until(peer->all, told->parts_done == count);
    bpt_say_commit(peer, number, size);
    bpt_peers_until(peer->all, told->committed == 1);
    ck_assert_uint_ne(told->version, 0);
    ck_assert_uint_eq(told->failed, 0);
}

void bpt_serve_get(bpt_peer *peer, uint32_t number, const char *name, uint64_t size) {
    const bpt_told *told = bpt_open_get(peer, number, name);
    const uint64_t count = (size + BPT_PART_SIZE - 1) / BPT_PART_SIZE;
    ck_assert_uint_eq(told->get.size, size);
    for (uint64_t part = 0; part < count; part++) {
        bpt_peers_until(peer->all, part - told->parts < told->get.parts_in_flight);
        bpt_say_want(peer, number, part);
    }
    bpt_peers_until(peer->all, told->parts == count);
    ck_assert_uint_eq(told->failed, 0);
    bpt_say_end(peer, number, false);
}

void bpt_await_failed(bpt_peer *peer, uint32_t number, bp_err err, uint64_t part) {
    const bpt_told *told = &peer->told[number];
    bpt_peers_until(peer->all, told->failed != 0);
    ck_assert_uint_eq(told->failed, 1);
    bpt_err(told->err, err);
    ck_assert_uint_eq(told->err_part, part);
    ck_assert_int_eq(strncmp(told->text, bp_err_text(err), strlen(bp_err_text(err))), 0);
}
