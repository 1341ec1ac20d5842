#define _GNU_SOURCE
#include "transport/transport_internal.h"

#include "base/os.h"

struct bp_client {
    bpi_end end; /* first: an end of a client is a client */
    bpi_connector connector;
    bp_conn *open; /* between on_open and on_close */
    bool is_gone;
    bp_err why;
};

static bp_client *client_of(bpi_end *end) { return (bp_client *)end; }

void bpi_connector_done(bpi_connector *connector, int status) {
    bp_conn *conn = connector->conn;
    conn->data = NULL;
    if (status == 0) {
        client_of(conn->end)->open = conn;
        bpi_conn_open(conn);
        return;
    }
    bp_conn_close(conn, bpi_err_from_uv(status));
    if (!conn->has_handle) bpi_conn_gone(conn);
}

static void conn_gone(bpi_end *end, bp_conn *conn) {
    bp_client *client = client_of(end);
    if (!conn->is_opened) conn->data = NULL;
    client->open = NULL;
    client->is_gone = true;
    client->why = conn->why;
    uv_freeaddrinfo(client->connector.results);
    client->connector.results = client->connector.next = NULL;
    if (end->runs_loop) uv_stop(end->loop->uv);
}

static void quiet(bpi_end *end) { (void)end; }

static void destroy(bpi_end *end) { bpi_os.free(end); }

bp_client_config bp_client_config_default(bp_service service) {
    const bp_server_config like = bp_server_config_default(service);
    return (bp_client_config){.conn = like.conn, .handle_signals = like.handle_signals};
}

static bp_err start(bp_client *client, const bp_client_config *config) {
    bpi_connector *connector = &client->connector;
    bp_err err = bpi_end_start(&client->end, config->loop, config->handle_signals);
    if (err != BP_OK) return err;
    err = bpi_conn_new(&client->end, &connector->conn);
    if (err != BP_OK) return err;
    connector->conn->data = connector;
    bpi_deadline_begin(connector->conn);
    const int status = client->end.transport->connect(connector);
    if (status == 0) return BP_OK;
    bpi_connector_done(connector, status);
    return bpi_err_from_uv(status);
}

bp_err bp_client_new(const bp_client_config *config, const char *address, bp_client **out) {
    *out = NULL;
    bp_client *client = bpi_os.alloc(sizeof *client);
    if (client == NULL) return BP_ERR_NO_MEMORY;
    client->end.conn_gone = conn_gone;
    client->end.quiet = quiet;
    client->end.destroy = destroy;
    bp_err err = bpi_address_parse(address, &client->connector.address);
    if (err != BP_OK) goto fail;
    client->end.transport = client->connector.address.transport;
    err = bpi_end_init(&client->end, &config->conn);
    if (err != BP_OK) goto fail;
    err = start(client, config);
    if (err != BP_OK) goto fail;
    client->end.is_client = true; /* only now: what failed at once has been told, without callbacks */
    *out = client;
    return BP_OK;

fail:
    bpi_end_free(&client->end);
    return err;
}

static bool is_gone(const bpi_end *end) { return ((const bp_client *)end)->is_gone; }

bp_err bp_client_run(bp_client *client) {
    bp_err err = bpi_end_run(&client->end, is_gone);
    if (err != BP_OK) return err;
    err = client->why == BP_ERR_CLOSED ? BP_OK : client->why;
    if (client->end.is_freed) bpi_end_free(&client->end);
    return err;
}

void bp_client_stop(bp_client *client) { bpi_end_stop(&client->end); }

void bp_client_free_take(bp_client **client) {
    bp_client *taken = *client;
    if (taken == NULL) return;
    *client = NULL;
    bpi_end_free(&taken->end);
}

bp_conn *bp_client_conn(const bp_client *client) { return client->open; }

bp_pool *bp_client_pool(const bp_client *client) { return client->end.pool; }

uv_loop_t *bp_client_loop(const bp_client *client) { return client->end.loop->uv; }
