#define _GNU_SOURCE
/* What a server and a client have in common. */
#include "transport/service_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"

#include <signal.h>
#include <stddef.h>

/* HELLO says each schema once, and knows it by its id. */
static bool is_said_twice(const bp_conn_config *config, uint32_t ix) {
    for (uint32_t i = 0; i < ix && config->hello != BP_HELLO_OFF; i++) {
        if (config->services[i].schema->id == config->services[ix].schema->id) return true;
    }
    return false;
}

static bp_err check_services(const bp_conn_config *config) {
    if (config->service_count == 0 || config->service_count > BP_SERVICE_MAX) return BP_ERR_ARGUMENT;
    for (uint32_t i = 0; i < config->service_count; i++) {
        const bp_service *service = &config->services[i];
        if (service->schema == NULL || service->dispatch == NULL) return BP_ERR_ARGUMENT;
        if (service->schema->abi != BP_ABI) return BP_ERR_ABI;
        if (is_said_twice(config, i)) return BP_ERR_SCHEMA;
        const bp_err err = service->check == NULL ? BP_OK : service->check(service);
        if (err != BP_OK) return err;
    }
    return BP_OK;
}

static bp_err make_types(const bp_conn_config *config, bp_type_map **out) {
    const bp_schema *schemas[BP_SERVICE_MAX];
    for (uint32_t i = 0; i < config->service_count; i++) schemas[i] = config->services[i].schema;
    return bp_type_map_new(schemas, config->service_count, out);
}

static bp_err make_pool(const bp_conn_config *config, bp_pool **out) {
    if (config->pool != NULL) {
        *out = bp_pool_retain(config->pool);
        return BP_OK;
    }
    bp_pool_factory *const otherwise = config->buffer_pool_enabled ? bp_pool_factory_sized : bp_pool_factory_heap;
    bp_pool_factory *const make = config->pool_factory == NULL ? otherwise : config->pool_factory;
    return make(&config->pool_config, config->pool_factory_user, out);
}

/* A peer that is gone must be an error of the write and not the end of the process; a program that has said what it
 * wants done is left alone. */
static void ignore_sigpipe(void) {
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) != 0 || action.sa_handler != SIG_DFL) return;
    action.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &action, NULL);
}

/* Each session may hold anything, so each begins where anything may. */
static void place_sessions(bpi_end *end) {
    const size_t align = _Alignof(max_align_t);
    for (uint32_t i = 0; i < end->config.service_count; i++) {
        end->session_at[i] = end->sessions_size;
        end->sessions_size += (end->config.services[i].session_size + align - 1) / align * align;
    }
}

static void place_versions(bpi_end *end) {
    const uint32_t count = end->config.service_count;
    end->versions_at = end->sessions_size;
    if (count > 1) end->sessions_size += count * sizeof(uint16_t);
}

static bool has_sensitive(const bp_schema *schema) {
    for (uint32_t i = 0; i < schema->type_count; i++) {
        if (schema->types[i].is_sensitive) return true;
    }
    return false;
}

static bool has_lender(const bp_conn_config *config) {
    for (uint32_t i = 0; i < config->service_count; i++) {
        const bp_service_hooks *hooks = config->services[i].hooks;
        if (hooks != NULL && hooks->lend != NULL) return true;
    }
    return false;
}

static uint64_t partial_limit(const bp_conn_config *config, bp_pool *pool) {
    bp_pool_stats stats;
    if (config->partial_limit != 0) return config->partial_limit;
    bp_pool_stats_read(pool, &stats);
    return stats.memory_limit == 0 ? UINT64_MAX : stats.memory_limit / BPI_PARTIAL_SHARE;
}

bp_err bpi_end_init(bpi_end *end, const bp_conn_config *config) {
    bp_err err = check_services(config);
    if (err != BP_OK) return err;
    err = make_types(config, &end->types);
    if (err != BP_OK) return err;
    err = make_pool(config, &end->pool);
    if (err != BP_OK) {
        bp_type_map_free_take(&end->types);
        return err;
    }
    end->config = *config;
    bpi_share_set_limit(end->share, partial_limit(config, end->pool));
    end->reader = (bp_reader_config){.pool = end->pool, .types = end->types, .budget = &end->share->budget};
    if (has_lender(config)) end->reader.lend = bpi_service_lend;
    bpi_deadlines_init(&end->deadlines, config);
    place_sessions(end);
    place_versions(end);
    for (size_t i = 0; i < config->service_count; i++) {
        end->has_sensitive = end->has_sensitive || has_sensitive(config->services[i].schema);
    }
    err = bpi_control_init(end);
    if (err == BP_OK && !config->keep_sigpipe) ignore_sigpipe();
    return err;
}

/* ---- handles ---- */

static void on_handle_closed(uv_handle_t *handle) { bpi_end_handle_closed(handle->data); }

static void count_handle(bpi_end *end, void *handle) {
    ((uv_handle_t *)handle)->data = end;
    end->handle_count++;
}

static void close_handle(bpi_end *end, void *handle) {
    uv_handle_t *h = handle;
    if (h->data == end && !uv_is_closing(h)) uv_close(h, on_handle_closed);
}

/* Finishing calls nobody back but what was posted, and frees nothing. */
static void drain(bpi_end *end) {
    end->is_draining = true;
    end->quiet(end);
    for (bp_conn *conn = end->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        bp_conn_finish(conn);
    }
}

static void on_stop(uv_async_t *handle) {
    bpi_end *end = handle->data;
    if (__atomic_load_n(&end->is_drain_requested, __ATOMIC_ACQUIRE) && !end->is_draining) drain(end);
    if (end->is_draining && end->runs_loop) uv_stop(end->loop->uv); /* which goes on if it is not over */
    if (!bpi_end_is_stopping(end)) return;
    if (end->runs_loop) {
        uv_stop(end->loop->uv);
    } else {
        end->quiet(end);
        bpi_end_close_conns(end, BP_ERR_CLOSED);
    }
}

static void on_signal(uv_signal_t *handle, int number) {
    bpi_end *end = handle->data;
    (void)number;
    if (end->interrupted != NULL)
        end->interrupted(end);
    else
        bpi_end_stop(end);
}

static int start_signals(bpi_end *end) {
    static const int numbers[] = {SIGINT, SIGTERM};
    int status = 0;
    for (int i = 0; i < 2 && status == 0; i++) {
        status = uv_signal_init(end->loop->uv, &end->signals[i]);
        if (status != 0) break;
        count_handle(end, &end->signals[i]);
        uv_unref((uv_handle_t *)&end->signals[i]);
        status = uv_signal_start(&end->signals[i], on_signal, numbers[i]);
    }
    return status;
}

bp_err bpi_end_start(bpi_end *end, uv_loop_t *lent, bool handle_signals) {
    const bp_err err = bpi_loop_acquire(lent, &end->loop);
    if (err != BP_OK) return err;
    bpi_deadline_join(end);
    end->runs_loop = lent == NULL;
    int status = uv_async_init(end->loop->uv, &end->stop, on_stop);
    if (status != 0) return bpi_err_from_uv(status);
    count_handle(end, &end->stop);
    bpi_share_join(end);
    /* A lent loop may end when the connections do; one of its own waits for the call to stop. */
    if (lent != NULL) uv_unref((uv_handle_t *)&end->stop);
    if (lent == NULL && handle_signals) status = start_signals(end);
    return status == 0 ? BP_OK : bpi_err_from_uv(status);
}

void bpi_end_tick(bpi_end *end) {
    end->needs_tick = true;
    bpi_deadline_watch(end->loop);
}

/* ---- run, stop, free ---- */

void bpi_end_close_conns(bpi_end *end, bp_err why) {
    for (bp_conn *conn = end->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        bp_conn_close(conn, why);
    }
}

void bpi_end_stop(bpi_end *end) {
    __atomic_store_n(&end->is_stop_requested, true, __ATOMIC_RELEASE);
    uv_async_send(&end->stop);
}

void bpi_end_wake(bpi_end *end) { uv_async_send(&end->stop); }

void bpi_end_drain(bpi_end *end) {
    __atomic_store_n(&end->is_drain_requested, true, __ATOMIC_RELEASE);
    uv_async_send(&end->stop);
}

static __thread const bpi_end *running_here;

bool bpi_end_is_here(const bpi_end *end) { return running_here == end; }

bool bpi_end_is_stopping(const bpi_end *end) { return __atomic_load_n(&end->is_stop_requested, __ATOMIC_ACQUIRE); }

typedef bool is_over_fn(const bpi_end *end);

/* Turns without sleeping until nothing has come for as long as the configuration says. */
static void run_busily(bpi_end *end, is_over_fn *is_over) {
    const bpi_loop *loop = end->loop;
    const uint64_t longest = (uint64_t)end->config.busy_poll_us * 1000;
    uint64_t seen = loop->event_count, since = uv_hrtime();
    while (!bpi_end_is_stopping(end) && !is_over(end) && uv_hrtime() - since < longest) {
        uv_run(loop->uv, UV_RUN_NOWAIT);
        if (loop->event_count != seen) since = uv_hrtime();
        seen = loop->event_count;
    }
}

static void run_some(bpi_end *end, is_over_fn *is_over) {
    if (end->config.busy_poll_us == 0) {
        uv_run(end->loop->uv, UV_RUN_DEFAULT);
        return;
    }
    run_busily(end, is_over);
    if (!bpi_end_is_stopping(end) && !is_over(end)) uv_run(end->loop->uv, UV_RUN_ONCE);
}

bp_err bpi_end_run(bpi_end *end, bool (*is_over)(const bpi_end *end)) {
    uv_loop_t *uv = end->loop->uv;
    if (!end->runs_loop || end->is_running) return BP_ERR_ARGUMENT;
    end->is_running = true;
    running_here = end;
    bp_thread_forbid_wait(true);
    while (!bpi_end_is_stopping(end) && !is_over(end)) run_some(end, is_over);
    bpi_end_close_conns(end, BP_ERR_CLOSED);
    while (end->conn_count != 0) uv_run(uv, UV_RUN_ONCE);
    bp_thread_forbid_wait(false);
    running_here = NULL;
    end->is_running = false;
    __atomic_store_n(&end->is_stop_requested, false, __ATOMIC_RELEASE);
    return BP_OK;
}

static void close_handles(bpi_end *end) {
    end->quiet(end);
    bpi_end_close_conns(end, BP_ERR_CLOSED);
    bpi_share_quit(end);
    close_handle(end, &end->stop);
    for (int i = 0; i < 2; i++) close_handle(end, &end->signals[i]);
}

static void destroy(bpi_end *end) {
    if (end->loop != NULL) {
        end->loop->leaving_count--;
        if (end->loop->shared == end) end->loop->shared = NULL;
        bpi_deadline_leave(end);
        bpi_loop_release(end->loop);
    }
    bpi_control_fini(end);
    bp_type_map_free_take(&end->types);
    bp_pool_release_take(&end->pool);
    end->destroy(end);
}

void bpi_end_free(bpi_end *end) {
    end->is_freed = true;
    if (end->is_running) {
        bpi_end_stop(end);
        return;
    }
    bpi_loop *loop = end->loop;
    if (loop != NULL) loop->leaving_count++;
    if (loop != NULL && loop->is_orphan) {
        end->runs_loop = true;
        loop->is_orphan = false;
    }
    close_handles(end);
    if (end->runs_loop) {
        bp_thread_forbid_wait(true);
        while (end->handle_count != 0 || loop->leaving_count != 1) uv_run(loop->uv, UV_RUN_ONCE);
        bp_thread_forbid_wait(false);
        loop->is_orphan = true;
    }
    if (end->handle_count == 0) destroy(end);
}

void bpi_end_handle_closed(bpi_end *end) {
    end->handle_count--;
    if (end->handle_count == 0 && end->is_freed && !end->runs_loop) destroy(end);
}
