/* transport/service_internal.h: what the room asks of the services of a connection (service.c). Glossary and invariants
 * are in transport_internal.h. */
#ifndef BUFPOOL_TRANSPORT_SERVICE_INTERNAL_H
#define BUFPOOL_TRANSPORT_SERVICE_INTERNAL_H

#include "transport/transport_internal.h"

/* Which of the end's services speaks the schema, or a copy of it; their count: none. The very one is asked for with each
 * frame of a service with a session, a copy hardly ever. */
uint32_t bpi_service_find_copy(const bpi_end *end, const bp_schema *schema);
static inline uint32_t bpi_service_find(const bpi_end *end, const bp_schema *schema) {
    for (uint32_t i = 0; i < end->config.service_count; i++) {
        if (end->config.services[i].schema == schema) return i;
    }
    return bpi_service_find_copy(end, schema);
}

/* A client's end; and whether it connects again. */
bpi_end *bpi_client_end(bp_client *client);
bool bpi_client_comes_again(const bpi_end *end);

/* The services of a client's end are told that it is made. */
void bpi_service_tell_client(bpi_end *end, bp_client *client);

/* The connection's services are told, in order: it is up; it is gone, of which on_open was told; there is room in its
 * queue again. */
void bpi_service_tell_open(bp_conn *conn);
void bpi_service_tell_close(bp_conn *conn, bp_err why);
void bpi_service_tell_drain(bp_conn *conn);

/* For the connection's reader: the buffer that the service of the type lends. */
bp_buf *bpi_service_lend(bp_reader *reader, uint16_t type, uint32_t length);

/* Once per tick. Whether the connection is still watched. */
bool bpi_service_tick(bp_conn *conn, uint32_t elapsed_ms);

#endif
