/* Written by bufpoolc from hh.yaml, do not edit: sending and handling messages of schema hh. */
#ifndef HH_SERVICE_H
#define HH_SERVICE_H

#include "hh_messages.h"

#include "bufpool/transport.h"

#if BP_ABI != 2 || HH_CONTRACT_HASH != 0x470e7bac39ef9845u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#ifdef __cplusplus
extern "C" {
#endif

extern const bp_schema hh_schema;
extern const bp_pool_config hh_pool_config;

/* What a program does with messages, each on the loop's thread. Messages without a handler are checked and passed over.
 * A view is valid until the handler returns. A handler X_buf gets a buffer of its own and releases it, on any thread; at
 * most one of the two may be set. An error closes the connection with it. */
typedef struct hh_handlers {
    bp_err (*a)(bp_conn *conn, const hh_a_view *view, void *user);
    bp_err (*a_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*b)(bp_conn *conn, const hh_b_view *view, void *user);
    bp_err (*b_buf)(bp_conn *conn, bp_buf *buf, void *user);
    const hh_hooks *hooks; /* asked before any handler; must live as long as this */
} hh_handlers;

/* The schema with a program's handlers, which must outlive what it is given to; user is handed to each of them. */
bp_service hh_service(const hh_handlers *on, void *user);

/* Configurations with this one service and the contract's pool; user is handed to the connection callbacks as well. */
bp_server_config hh_server_config(const hh_handlers *on, void *user);
bp_client_config hh_client_config(const hh_handlers *on, void *user);

/* X_pack encodes a message into a buffer of its class; the caller owns it. send_X packs and queues it on a connection.
 * On error nothing is queued and *out is NULL. Errors of X_encode, bp_pool_acquire and bp_conn_send_take. */
BP_NODISCARD bp_err hh_a_pack(bp_pool *pool, const hh_a *message, bp_buf **out);
BP_NODISCARD bp_err hh_send_a(bp_conn *conn, const hh_a *message);
BP_NODISCARD bp_err hh_b_pack(bp_pool *pool, const hh_b *message, bp_buf **out);
BP_NODISCARD bp_err hh_send_b(bp_conn *conn, const hh_b *message);

#ifdef __cplusplus
}
#endif
#endif
