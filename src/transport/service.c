#define _GNU_SOURCE
/* The hooks of a connection's services. Any of them may close the connection: the others are told all the same, but of
 * room and ticks, which a closed one has none of. */
#include "transport/service_internal.h"

/* Both are of one contract, and one was made of the other: hand-written ones may have no number that tells them apart,
 * but hardly the very same name. */
static bool is_copy(const bp_schema *a, const bp_schema *b) {
    return a->name == b->name && a->id == b->id && a->version == b->version && a->contract_hash == b->contract_hash;
}

uint32_t bpi_service_find_copy(const bpi_end *end, const bp_schema *schema) {
    uint32_t i = 0;
    while (i < end->config.service_count && !is_copy(end->config.services[i].schema, schema)) i++;
    return i;
}

void bpi_service_tell_client(bpi_end *end, bp_client *client) {
    for (uint32_t i = 0; i < end->config.service_count; i++) {
        const bp_service *service = &end->config.services[i];
        if (service->hooks != NULL && service->hooks->on_client != NULL) {
            service->hooks->on_client(client, service->user);
        }
    }
}

void bpi_service_tell_open(bp_conn *conn) {
    const bp_conn_config *config = &conn->end->config;
    for (uint32_t i = 0; i < config->service_count; i++) {
        const bp_service *service = &config->services[i];
        if (service->hooks != NULL && service->hooks->on_open != NULL) service->hooks->on_open(conn, service->user);
    }
}

void bpi_service_tell_close(bp_conn *conn, bp_err why) {
    const bp_conn_config *config = &conn->end->config;
    for (uint32_t i = 0; i < config->service_count; i++) {
        const bp_service *service = &config->services[i];
        if (service->hooks == NULL || service->hooks->on_close == NULL) continue;
        service->hooks->on_close(conn, why, service->user);
    }
}

void bpi_service_tell_drain(bp_conn *conn) {
    const bp_conn_config *config = &conn->end->config;
    for (uint32_t i = 0; i < config->service_count && conn->state == BPI_CONN_OPEN; i++) {
        const bp_service *service = &config->services[i];
        if (service->hooks != NULL && service->hooks->on_drain != NULL) service->hooks->on_drain(conn, service->user);
    }
}

static bp_conn *conn_of(bp_reader *reader) { return (bp_conn *)(void *)((uint8_t *)reader - offsetof(bp_conn, reader)); }

bp_buf *bpi_service_lend(bp_reader *reader, uint16_t type, uint32_t length) {
    bp_conn *conn = conn_of(reader);
    uint32_t ix = 0;
    if (bp_type_map_find(conn->end->types, type, &ix) == NULL) return NULL;
    const bp_service *service = &conn->end->config.services[ix];
    if (service->hooks == NULL || service->hooks->lend == NULL) return NULL;
    return service->hooks->lend(conn, type, length, service->user);
}

bool bpi_service_tick(bp_conn *conn, uint32_t elapsed_ms) {
    const bp_conn_config *config = &conn->end->config;
    if (!conn->is_watched || !conn->is_opened) return false; /* opening starts the timer */
    conn->is_watched = false;
    for (uint32_t i = 0; i < config->service_count && conn->state == BPI_CONN_OPEN; i++) {
        const bp_service *service = &config->services[i];
        if (service->hooks == NULL || service->hooks->on_tick == NULL) continue;
        if (service->hooks->on_tick(conn, elapsed_ms, service->user)) conn->is_watched = true;
    }
    conn->end->loop->stage.may_yield = true;
    return conn->is_watched;
}

void bp_conn_watch(bp_conn *conn) {
    if (conn->state == BPI_CONN_CLOSING) return;
    conn->is_watched = true;
    bpi_deadline_watch(conn->end->loop);
}
