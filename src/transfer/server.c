#define _GNU_SOURCE
/* The service that serves objects: what it is made with, and what its connections tell it. */
#include "transfer/server_internal.h"

#include "base/os.h"

/* ---- sessions ---- */

void bpi_session_rest(bpi_session *session) {
    bp_transfer_server *server = session->server;
    if (!session->is_gone || session->servings != NULL) return;
    bpi_link_fini(&session->link);
    bpi_os.free(session);
    bpi_transfer_server_unref(server);
}

/* Where a connection has its session: NULL in it, as long as no transfer was asked for. */
static bpi_session **session_at(const bp_transfer_server *server, bp_conn *conn) {
    return bp_conn_session(conn, &(bp_service){.schema = &server->schema.schema});
}

static bpi_session *session_of(bp_transfer_server *server, bp_conn *conn) {
    bpi_session **at = session_at(server, conn);
    if (*at != NULL) return *at;
    bpi_session *session = bpi_os.alloc(sizeof *session);
    if (session == NULL) return NULL;
    bpi_link_init(&session->link, conn);
    session->server = server;
    (void)__atomic_fetch_add(&server->references, 1, __ATOMIC_RELAXED);
    *at = session;
    return session;
}

/* ---- hooks ---- */

/* Its schema is the connection's, so it stays as long. */
static void on_open(bp_conn *conn, void *user) {
    bp_transfer_server *server = user;
    (void)__atomic_fetch_add(&server->references, 1, __ATOMIC_RELAXED);
    if (!bpi_link_is_possible(conn)) bp_conn_close(conn, BP_ERR_ARGUMENT);
}

/* With its last serving the session goes. */
static void end_all(bpi_session *session) {
    for (bpi_serving *serving = session->servings, *next; serving != NULL; serving = next) {
        next = serving->next;
        bpi_serving_end(serving, BPI_LAST_NONE);
    }
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    bp_transfer_server *server = user;
    bpi_session *session = *session_at(server, conn);
    (void)why;
    if (session != NULL) {
        session->is_gone = true;
        bpi_link_cut(&session->link);
        if (session->servings == NULL)
            bpi_session_rest(session);
        else
            end_all(session);
    }
    bpi_transfer_server_unref(server);
}

static void on_drain(bp_conn *conn, void *user) {
    bpi_session *session = *session_at(user, conn);
    if (session != NULL) bpi_link_drained(&session->link);
}

/* A store that takes its time is no fault of the peer's. */
static void grow_old(bpi_serving *serving, uint32_t elapsed_ms, uint32_t idle_ms) {
    serving->idle_ms = serving->has_moved || serving->calls != 0 ? 0 : serving->idle_ms + elapsed_ms;
    serving->has_moved = false;
    if (serving->idle_ms >= idle_ms) bpi_serving_fail(serving, BP_ERR_TIMEOUT, BP_PART_NONE);
}

static bool on_tick(bp_conn *conn, uint32_t elapsed_ms, void *user) {
    const bp_transfer_server *server = user;
    bpi_session *session = *session_at(server, conn);
    if (session == NULL || server->config.idle_ms == UINT32_MAX) return false;
    for (bpi_serving *serving = session->servings, *next; serving != NULL; serving = next) {
        next = serving->next;
        grow_old(serving, elapsed_ms, server->config.idle_ms);
    }
    return session->servings != NULL;
}

static const bp_service_hooks hooks = {
    .on_open = on_open, .on_close = on_close, .on_drain = on_drain, .on_tick = on_tick};

/* ---- what a peer says ---- */

/* The transfer that a message is of; NULL: it is over, or never was, and the message is passed over. */
static bpi_serving *find(bp_transfer_server *server, bp_conn *conn, uint32_t number) {
    bpi_session *session = *session_at(server, conn);
    bpi_serving *serving = session == NULL ? NULL : (bpi_serving *)bpi_link_find(&session->link, number);
    if (serving == NULL || serving->state == BPI_SERVING_ENDING) return NULL;
    serving->has_moved = true;
    return serving;
}

static bp_err on_put_open(bp_conn *conn, const bpi_transfer_put_open_view *view, void *user) {
    bpi_session *session = session_of(user, conn);
    bp_conn_watch(conn);
    return session == NULL ? BP_ERR_NO_MEMORY : bpi_serve_put_open(session, view);
}

static bp_err on_get_open(bp_conn *conn, const bpi_transfer_get_open_view *view, void *user) {
    bpi_session *session = session_of(user, conn);
    bp_conn_watch(conn);
    return session == NULL ? BP_ERR_NO_MEMORY : bpi_serve_get_open(session, view);
}

static bp_err on_list(bp_conn *conn, const bpi_transfer_list_view *view, void *user) {
    bpi_session *session = session_of(user, conn);
    bp_conn_watch(conn);
    return session == NULL ? BP_ERR_NO_MEMORY : bpi_serve_list(session, view);
}

/* A part that nobody asked for. */
static void refuse_part(bp_transfer_server *server, bpi_serving *serving, uint64_t part) {
    bpi_count(&server->stats.parts_refused, 1);
    if (serving != NULL) bpi_serving_fail(serving, BP_ERR_PART, part);
}

static bp_err on_part(bp_conn *conn, const bpi_transfer_part_view *view, void *user) {
    bp_transfer_server *server = user;
    bpi_session *session = session_of(server, conn);
    if (session == NULL) return BP_ERR_NO_MEMORY;
    bpi_serving *serving = find(server, conn, bpi_transfer_part_get_transfer(view));
    if (!bpi_link_count_part(&session->link, serving == NULL ? NULL : &serving->strand)) return BP_ERR_PART;
    if (serving != NULL && serving->kind == &bpi_serving_put) return bpi_serve_part(serving, view);
    refuse_part(server, serving, bpi_transfer_part_get_part(view));
    return BP_OK;
}

static bp_err on_put_commit(bp_conn *conn, const bpi_transfer_put_commit_view *view, void *user) {
    bpi_serving *serving = find(user, conn, bpi_transfer_put_commit_get_transfer(view));
    if (serving != NULL && serving->kind != &bpi_serving_put)
        bpi_serving_fail(serving, BP_ERR_ARGUMENT, BP_PART_NONE);
    else if (serving != NULL)
        bpi_serve_put_commit(serving, view);
    return BP_OK;
}

static bp_err on_part_want(bp_conn *conn, const bpi_transfer_part_want_view *view, void *user) {
    bpi_serving *serving = find(user, conn, bpi_transfer_part_want_get_transfer(view));
    const uint64_t part = bpi_transfer_part_want_get_part(view);
    if (serving != NULL && serving->kind != &bpi_serving_get)
        bpi_serving_fail(serving, BP_ERR_PART, part);
    else if (serving != NULL)
        bpi_serve_part_want(serving, part);
    return BP_OK;
}

static bp_err on_end(bp_conn *conn, const bpi_transfer_end_view *view, void *user) {
    bpi_serving *serving = find(user, conn, bpi_transfer_end_get_transfer(view));
    if (serving == NULL) return BP_OK;
    serving->is_discarded = serving->kind == &bpi_serving_put && bpi_transfer_end_get_is_discarded(view);
    bpi_serving_end(serving, BPI_LAST_NONE);
    return BP_OK;
}

static const bpi_transfer_handlers handlers = {.put_open = on_put_open,
                                               .part = on_part,
                                               .put_commit = on_put_commit,
                                               .get_open = on_get_open,
                                               .part_want = on_part_want,
                                               .list = on_list,
                                               .end = on_end};

/* ---- the server ---- */

static uint32_t or_default(uint32_t value, uint32_t otherwise) { return value == 0 ? otherwise : value; }

bp_err bp_transfer_server_new(const bp_transfer_server_config *config, bp_transfer_server **out) {
    bp_transfer_server_config full = *config;
    *out = NULL;
    full.part_size_max = or_default(full.part_size_max, BP_PART_SIZE_DEFAULT);
    full.parts_in_flight = or_default(full.parts_in_flight, BP_PARTS_IN_FLIGHT_DEFAULT);
    full.transfer_limit = or_default(full.transfer_limit, BPI_SERVING_LIMIT);
    full.idle_ms = or_default(full.idle_ms, BPI_SERVING_IDLE_MS);
    if (full.store == NULL || full.parts_in_flight > BP_PARTS_IN_FLIGHT_MAX) return BP_ERR_ARGUMENT;
    if (full.part_size_max < BP_PART_SIZE_MIN || full.part_size_max > BP_PART_SIZE_MAX) return BP_ERR_ARGUMENT;
    bp_transfer_server *server = bpi_os.alloc(sizeof *server);
    if (server == NULL) return BP_ERR_NO_MEMORY;
    server->config = full;
    bp_store_retain(full.store);
    bpi_narrow_schema_init(&server->schema, full.part_size_max);
    server->references = 1;
    *out = server;
    return BP_OK;
}

void bpi_transfer_server_unref(bp_transfer_server *server) {
    if (__atomic_sub_fetch(&server->references, 1, __ATOMIC_ACQ_REL) != 0) return;
    bp_store_release_take(&server->config.store);
    bpi_os.free(server);
}

void bp_transfer_server_free_take(bp_transfer_server **server) {
    bp_transfer_server *taken = *server;
    *server = NULL;
    if (taken != NULL) bpi_transfer_server_unref(taken);
}

bp_service bp_transfer_server_service(bp_transfer_server *server) {
    bp_service service = bpi_transfer_service(&handlers, server);
    service.schema = &server->schema.schema;
    service.session_size = sizeof(bpi_session *);
    service.hooks = &hooks;
    return service;
}

static uint64_t read_count(const uint64_t *count) { return __atomic_load_n(count, __ATOMIC_RELAXED); }

void bp_transfer_server_stats(const bp_transfer_server *server, bp_transfer_stats *out) {
    const bp_transfer_stats *stats = &server->stats;
    *out = (bp_transfer_stats){
        .transfers_open = read_count(&stats->transfers_open),
        .transfers_done = read_count(&stats->transfers_done),
        .transfers_failed = read_count(&stats->transfers_failed),
        .parts_in = read_count(&stats->parts_in),
        .parts_out = read_count(&stats->parts_out),
        .bytes_in = read_count(&stats->bytes_in),
        .bytes_out = read_count(&stats->bytes_out),
        .parts_refused = read_count(&stats->parts_refused),
        .waits = read_count(&stats->waits),
        .bytes_copied = read_count(&stats->bytes_copied),
    };
}
