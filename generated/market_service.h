/* Written by bufpoolc from contracts.yaml, do not edit: sending and handling messages of schema market. */
#ifndef MARKET_SERVICE_H
#define MARKET_SERVICE_H

#include "market_messages.h"

#include "bufpool/transport.h"

#if BP_ABI != 6 || MARKET_CONTRACT_HASH != 0x3dd784690afe4034u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#ifdef __cplusplus
extern "C" {
#endif

extern const bp_schema market_schema;
extern const bp_pool_config market_pool_config;

/* What a program does with messages, each on the loop's thread. Messages without a handler are checked and passed over.
 * A view is valid until the handler returns. A handler X_buf gets a buffer of its own and releases it, on any thread; at
 * most one of the two may be set. An error closes the connection with it. */
typedef struct market_handlers {
    bp_err (*instrument_meta)(bp_conn *conn, const market_instrument_meta_view *view, void *user);
    bp_err (*instrument_meta_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*pool_state_update)(bp_conn *conn, const market_pool_state_update_view *view, void *user);
    bp_err (*pool_state_update_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*order_book)(bp_conn *conn, const market_order_book_view *view, void *user);
    bp_err (*order_book_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*arbitrage_signal)(bp_conn *conn, const market_arbitrage_signal_view *view, void *user);
    bp_err (*arbitrage_signal_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*book_ack)(bp_conn *conn, const market_book_ack_view *view, void *user);
    bp_err (*book_ack_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*host_sample)(bp_conn *conn, const market_host_sample_view *view, void *user);
    bp_err (*host_sample_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*process_sample)(bp_conn *conn, const market_process_sample_view *view, void *user);
    bp_err (*process_sample_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*log_line)(bp_conn *conn, const market_log_line_view *view, void *user);
    bp_err (*log_line_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*snapshot)(bp_conn *conn, const market_snapshot_view *view, void *user);
    bp_err (*snapshot_buf)(bp_conn *conn, bp_buf *buf, void *user);
} market_handlers;

/* The schema with a program's handlers, which must outlive what it is given to; user is handed to each of them. */
bp_service market_service(const market_handlers *on, void *user);

/* Configurations with this one service and the contract's pool; user is handed to the connection callbacks as well. */
bp_server_config market_server_config(const market_handlers *on, void *user);
bp_client_config market_client_config(const market_handlers *on, void *user);

/* X_pack encodes a message into a buffer of its class; the caller owns it. send_X sends it on a connection, encoded where
 * it leaves from. On error nothing is sent and *out is NULL. Errors of X_encode and bp_pool_acquire; of X_encode,
 * bp_conn_frame_begin and bp_conn_frame_end. */
BP_NODISCARD bp_err market_instrument_meta_pack(bp_pool *pool, const market_instrument_meta *message, bp_buf **out);
BP_NODISCARD bp_err market_send_instrument_meta(bp_conn *conn, const market_instrument_meta *message);
BP_NODISCARD bp_err market_pool_state_update_pack(bp_pool *pool, const market_pool_state_update *message, bp_buf **out);
BP_NODISCARD bp_err market_send_pool_state_update(bp_conn *conn, const market_pool_state_update *message);
BP_NODISCARD bp_err market_order_book_pack(bp_pool *pool, const market_order_book *message, bp_buf **out);
BP_NODISCARD bp_err market_send_order_book(bp_conn *conn, const market_order_book *message);
BP_NODISCARD bp_err market_arbitrage_signal_pack(bp_pool *pool, const market_arbitrage_signal *message, bp_buf **out);
BP_NODISCARD bp_err market_send_arbitrage_signal(bp_conn *conn, const market_arbitrage_signal *message);
BP_NODISCARD bp_err market_book_ack_pack(bp_pool *pool, const market_book_ack *message, bp_buf **out);
BP_NODISCARD bp_err market_send_book_ack(bp_conn *conn, const market_book_ack *message);
BP_NODISCARD bp_err market_host_sample_pack(bp_pool *pool, const market_host_sample *message, bp_buf **out);
BP_NODISCARD bp_err market_send_host_sample(bp_conn *conn, const market_host_sample *message);
BP_NODISCARD bp_err market_process_sample_pack(bp_pool *pool, const market_process_sample *message, bp_buf **out);
BP_NODISCARD bp_err market_send_process_sample(bp_conn *conn, const market_process_sample *message);
BP_NODISCARD bp_err market_log_line_pack(bp_pool *pool, const market_log_line *message, bp_buf **out);
BP_NODISCARD bp_err market_send_log_line(bp_conn *conn, const market_log_line *message);
BP_NODISCARD bp_err market_snapshot_pack(bp_pool *pool, const market_snapshot *message, bp_buf **out);
BP_NODISCARD bp_err market_send_snapshot(bp_conn *conn, const market_snapshot *message);

#ifdef __cplusplus
}
#endif
#endif
