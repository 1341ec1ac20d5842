#define _GNU_SOURCE
#include "transport/service_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"

enum { RECONNECT_MAX_DEFAULT_MS = 30000 };

struct bp_client {
    bpi_end end; /* first: an end of a client is a client */
    bpi_share share;
    bpi_connector connector;
    bp_conn *open; /* between on_open and on_close */
    bool is_gone;  /* there is no connection, nor the beginning of one */
    bool is_quiet; /* nor will there be */
    bp_err why;
    uint32_t reconnect_min_ms, reconnect_max_ms, wait_ms; /* wait_ms: before the next attempt, at the most */
    uv_timer_t retry;                                     /* active between two attempts */
};

static bp_client *client_of(bpi_end *end) { return (bp_client *)end; }

void bpi_connector_done(bpi_connector *connector, int status) {
    bp_conn *conn = connector->conn;
    bp_conn_set_data(conn, NULL);
    if (status == 0) {
        bp_client *client = client_of(conn->end);
        client->open = conn;
        client->wait_ms = client->reconnect_min_ms;
        bpi_conn_open(conn);
        return;
    }
    bp_conn_close(conn, bpi_err_from_uv(status));
    if (!conn->has_handle) bpi_conn_gone(conn);
}

/* ---- again and again ---- */

static void retry_later(bp_client *client);

static bp_err connect_once(bp_client *client, int *status) {
    bpi_connector *connector = &client->connector;
    const bp_err err = bpi_conn_new(&client->end, &connector->conn);
    if (err != BP_OK) return err;
    client->is_gone = false;
    bp_conn_set_data(connector->conn, connector);
    bpi_deadline_begin(connector->conn);
    *status = client->end.transport->connect(connector);
    return BP_OK;
}

static void on_retry(uv_timer_t *timer) {
    bp_client *client = timer->data;
    int status = 0;
    if (bpi_end_is_stopping(&client->end)) return; /* told so while this was due */
    if (connect_once(client, &status) != BP_OK)
        retry_later(client);
    else if (status != 0)
        bpi_connector_done(&client->connector, status);
}

/* Many clients lose their server at once; they are not to come back at once. */
static void retry_later(bp_client *client) {
    const uint64_t half = client->wait_ms / 2, longest = client->wait_ms - half;
    const uint32_t most = client->reconnect_max_ms;
    uv_timer_start(&client->retry, on_retry, half + bpi_os.random() % (longest + 1), 0);
    client->wait_ms = client->wait_ms > most / 2 ? most : 2 * client->wait_ms;
}

static bool is_persistent(const bp_client *client) { return client->reconnect_min_ms != 0 && !client->is_quiet; }

bpi_end *bpi_client_end(bp_client *client) { return &client->end; }

bool bpi_client_comes_again(const bpi_end *end) {
    return is_persistent((const bp_client *)end) && !end->is_freed;
}

static void conn_gone(bpi_end *end, bp_conn *conn) {
    bp_client *client = client_of(end);
    if (!conn->is_opened) bp_conn_set_data(conn, NULL);
    client->open = client->connector.conn = NULL;
    client->is_gone = true;
    client->why = (bp_err)conn->why;
    uv_freeaddrinfo(client->connector.results);
    client->connector.results = client->connector.next = NULL;
    if (end->is_client && is_persistent(client) && !bpi_end_is_stopping(end)) {
        retry_later(client);
    } else if (end->runs_loop) {
        uv_stop(end->loop->uv);
    }
}

/* ---- the end's hooks ---- */

static void on_timer_closed(uv_handle_t *handle) {
    bp_client *client = handle->data;
    bpi_end_handle_closed(&client->end);
}

static void quiet(bpi_end *end) {
    bp_client *client = client_of(end);
    client->is_quiet = true;
    uv_handle_t *retry = (uv_handle_t *)&client->retry;
    if (retry->data == client && !uv_is_closing(retry)) uv_close(retry, on_timer_closed);
}

static void destroy(bpi_end *end) {
    bpi_share_fini(end->share);
    bpi_os.free(end);
}

/* ---- the public calls ---- */

bp_client_config bp_client_config_default(bp_service service) {
    const bp_server_config like = bp_server_config_default(service);
    return (bp_client_config){.conn = like.conn, .handle_signals = like.handle_signals};
}

static void set_waits(bp_client *client, const bp_client_config *config) {
    const uint32_t max = config->reconnect_max_ms == 0 ? RECONNECT_MAX_DEFAULT_MS : config->reconnect_max_ms;
    client->reconnect_min_ms = client->wait_ms = config->reconnect_min_ms;
    client->reconnect_max_ms = max < config->reconnect_min_ms ? config->reconnect_min_ms : max;
}

static bp_err start(bp_client *client, const bp_client_config *config) {
    int status = 0;
    bp_err err = bpi_end_start(&client->end, config->loop, config->handle_signals);
    if (err != BP_OK) return err;
    uv_timer_init(client->end.loop->uv, &client->retry); /* cannot fail */
    client->retry.data = client;
    client->end.handle_count++;
    err = connect_once(client, &status);
    if (err != BP_OK || status == 0) return err;
    bpi_connector_done(&client->connector, status);
    return bpi_err_from_uv(status);
}

bp_err bp_client_new(const bp_client_config *config, const char *address, bp_client **out) {
    *out = NULL;
    bp_client *client = bpi_os.alloc(sizeof *client);
    if (client == NULL) return BP_ERR_NO_MEMORY;
    bpi_share_init(&client->share);
    client->end.share = &client->share;
    client->end.conn_gone = conn_gone;
    client->end.quiet = quiet;
    client->end.destroy = destroy;
    set_waits(client, config);
    bp_err err = bpi_address_parse(address, &client->connector.address);
    if (err != BP_OK) goto fail;
    client->end.transport = client->connector.address.transport;
    err = bpi_end_init(&client->end, &config->conn);
    if (err != BP_OK) goto fail;
    err = start(client, config);
    if (err != BP_OK) goto fail;
    client->end.is_client = true; /* only now: what failed at once has been told, without callbacks */
    *out = client;
    bpi_service_tell_client(&client->end, client);
    return BP_OK;

fail:
    bpi_end_free(&client->end);
    return err;
}

static bool is_over(const bpi_end *end) {
    const bp_client *client = (const bp_client *)end;
    return client->is_gone && !is_persistent(client);
}

bp_err bp_client_run(bp_client *client) {
    /* Stopped between two attempts, or with a connection: begins anew. */
    const bool begins_anew = client->is_gone && client->end.runs_loop && is_persistent(client);
    if (begins_anew) uv_timer_start(&client->retry, on_retry, 0, 0);
    bp_err err = bpi_end_run(&client->end, is_over);
    if (err != BP_OK) return err;
    const bool has_reason = client->reconnect_min_ms == 0 && client->why != BP_ERR_CLOSED;
    err = has_reason ? client->why : BP_OK;
    if (client->end.is_freed)
        bpi_end_free(&client->end);
    else
        uv_timer_stop(&client->retry);
    return err;
}

void bp_client_stop(bp_client *client) { bpi_end_stop(&client->end); }

void bp_client_free_take(bp_client **client) {
    bp_client *taken = *client;
    if (taken == NULL) return;
    *client = NULL;
    bpi_end_free(&taken->end);
}

bp_conn *bp_client_conn(const bp_client *client) {
    return client->open != NULL && client->open->is_opened ? client->open : NULL;
}

bp_pool *bp_client_pool(const bp_client *client) { return client->end.pool; }

uv_loop_t *bp_client_loop(const bp_client *client) { return client->end.loop->uv; }
