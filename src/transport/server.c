#define _GNU_SOURCE
#include "transport/server_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"

enum { UNIX_MODE_DEFAULT = 0600 };

static bool load(const bool *flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE); }

static void store(bool *flag, bool value) { __atomic_store_n(flag, value, __ATOMIC_RELEASE); }

bool bpi_worker_is_here(const bpi_worker *worker) {
    const bp_server *server = worker->server;
    return server->worker_count == 1 || !load(&server->is_running) || bpi_end_is_here(&worker->end);
}

/* ---- making ---- */

bp_server_config bp_server_config_default(bp_service service) {
    bp_server_config config = {.handle_signals = true};
    config.conn.services[0] = service;
    config.conn.service_count = 1;
    config.conn.buffer_pool_enabled = true;
    if (service.schema != NULL && service.schema->pool_config != NULL) {
        config.conn.pool_config = *service.schema->pool_config;
    }
    return config;
}

/* The first worker listens at the address, the others share that; likewise its pool. */
static bp_err listen_with(bpi_worker *worker, const bp_server_config *config, const bpi_address *address) {
    const bpi_worker *first = worker->server->workers;
    bp_conn_config conn = config->conn;
    if (worker != first) conn.pool = first->end.pool;
    const bp_err err = bpi_end_init(&worker->end, &conn);
    if (err != BP_OK) return err;
    if (worker != first) return address->transport->share(&first->listener, &worker->listener);
    const bpi_listen_options options = {.mode = config->unix_mode == 0 ? UNIX_MODE_DEFAULT : config->unix_mode,
                                        .is_shared = worker->server->worker_count > 1};
    return address->transport->listen(address, &options, &worker->listener);
}

static bp_err make_workers(bp_server *server, const bp_server_config *config, const bpi_address *address) {
    bp_err err = BP_OK;
    while (err == BP_OK && server->made_count < server->worker_count) {
        bpi_worker *worker = &server->workers[server->made_count++];
        bpi_worker_init(worker, server, address->transport);
        err = listen_with(worker, config, address);
        const bool has_signals = config->handle_signals && worker == server->workers;
        if (err == BP_OK) err = bpi_worker_start(worker, config->loop, has_signals);
    }
    return err;
}

void bpi_server_worker_gone(bp_server *server) {
    if (--server->made_count != 0) return;
    bpi_share_fini(&server->share);
    bpi_os.free(server);
}

/* Broadcasts that are still on their way arrive, and find every connection closed. */
static void free_worker(bpi_worker *worker) {
    while (__atomic_load_n(&worker->bundle_count, __ATOMIC_RELAXED) != 0) uv_run(worker->end.loop->uv, UV_RUN_NOWAIT);
    bpi_end_free(&worker->end);
}

static void free_workers(bp_server *server) {
    for (uint32_t i = server->made_count; i-- > 0;) free_worker(&server->workers[i]);
}

bp_err bp_server_new(const bp_server_config *config, const char *address_text, bp_server **out) {
    const uint32_t workers = config->thread_count == 0 ? 1 : config->thread_count;
    bpi_address address;
    *out = NULL;
    if (workers > BPI_WORKER_MAX || (workers > 1 && config->loop != NULL)) return BP_ERR_ARGUMENT;
    bp_err err = bpi_address_parse(address_text, &address);
    if (err != BP_OK) return err;
    bp_server *server = bpi_os.alloc(sizeof *server + workers * sizeof server->workers[0]);
    if (server == NULL) return BP_ERR_NO_MEMORY;
    bpi_share_init(&server->share);
    server->worker_count = workers;
    server->connection_limit = config->connection_limit == 0 ? BPI_CONNECTIONS_DEFAULT : config->connection_limit;
    err = make_workers(server, config, &address);
    if (err == BP_OK)
        *out = server;
    else
        free_workers(server);
    return err;
}

/* ---- running ---- */

/* Starts the threads of all workers but the first; returns how many workers there are then. */
static uint32_t start_threads(bp_server *server) {
    uint32_t count = 1;
    for (; count < server->worker_count; count++) {
        bpi_worker *worker = &server->workers[count];
        (void)__atomic_fetch_add(&server->thread_count, 1, __ATOMIC_RELAXED);
        if (bpi_os_thread_start(&worker->thread, bpi_worker_run, worker)) continue;
        (void)__atomic_fetch_sub(&server->thread_count, 1, __ATOMIC_RELAXED);
        break;
    }
    return count;
}

bp_err bp_server_run(bp_server *server) {
    bpi_worker *first = &server->workers[0];
    if (!first->end.runs_loop || load(&server->is_running)) return BP_ERR_ARGUMENT;
    for (uint32_t i = 0; i < server->worker_count; i++) bpi_worker_poll(&server->workers[i]);
    store(&server->is_running, true);
    const uint32_t count = start_threads(server);
    const bp_err err = count == server->worker_count ? BP_OK : BP_ERR_SYSTEM;
    if (err != BP_OK) bp_server_stop(server);
    bpi_worker_run(first);
    const bp_err run_err = first->run_err;
    for (uint32_t i = 1; i < count; i++) bpi_os_thread_join(&server->workers[i].thread);
    store(&server->is_running, false);
    /* Who was stopped twice is not to end the next run at once. */
    for (uint32_t i = 0; i < server->worker_count; i++) store(&server->workers[i].end.is_stop_requested, false);
    if (load(&server->is_freed)) free_workers(server);
    return err == BP_OK ? run_err : err;
}

void bp_server_stop(bp_server *server) {
    for (uint32_t i = 0; i < server->worker_count; i++) bpi_end_stop(&server->workers[i].end);
}

void bp_server_drain(bp_server *server) {
    for (uint32_t i = 0; i < server->worker_count; i++) bpi_end_drain(&server->workers[i].end);
}

void bp_server_free_take(bp_server **server) {
    bp_server *taken = *server;
    if (taken == NULL) return;
    *server = NULL;
    if (load(&taken->is_running)) {
        store(&taken->is_freed, true);
        bp_server_stop(taken);
    } else {
        free_workers(taken);
    }
}

/* ---- the other public calls ---- */

bp_err bp_server_address(const bp_server *server, char *out, size_t size) {
    const bpi_listener *listener = &server->workers[0].listener;
    const bp_err err = listener->transport->describe(listener, out, size);
    if (err != BP_OK && size != 0) out[0] = '\0';
    return err;
}

bp_pool *bp_server_pool(const bp_server *server) { return server->workers[0].end.pool; }

uv_loop_t *bp_server_loop(const bp_server *server) { return server->workers[0].end.loop->uv; }

size_t bp_server_broadcast_take(bp_server *server, bp_buf **buf) {
    const uint32_t workers = bp_buf_type(*buf) == 0 ? 0 : server->worker_count; /* no frame: nobody takes it */
    size_t count = 0;
    for (uint32_t i = 0; i < workers; i++) count += bpi_worker_broadcast(&server->workers[i], *buf);
    bp_buf_release_take(buf);
    return count;
}

void bp_server_stats_read(const bp_server *server, bp_server_stats *out) {
    *out = (bp_server_stats){
        .connections_accepted = __atomic_load_n(&server->accepted_count, __ATOMIC_RELAXED),
        .connections_refused = __atomic_load_n(&server->refused_count, __ATOMIC_RELAXED),
    };
    for (uint32_t i = 0; i < server->worker_count; i++) {
        /* Reading takes a lock, of which the caller sees nothing. */
        bpi_worker *worker = (bpi_worker *)(uintptr_t)&server->workers[i];
        out->connections_open += __atomic_load_n(&worker->open_count, __ATOMIC_RELAXED);
        bpi_worker_stats_add(worker, out);
    }
}
