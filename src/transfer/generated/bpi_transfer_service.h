/* Written by bufpoolc from transfer.yaml, do not edit: sending and handling messages of schema bpi_transfer. */
#ifndef BPI_TRANSFER_SERVICE_H
#define BPI_TRANSFER_SERVICE_H

#include "bpi_transfer_messages.h"

#include "bufpool/transport.h"

#if BP_ABI != 6 || BPI_TRANSFER_CONTRACT_HASH != 0xd916531c8bea0278u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#ifdef __cplusplus
extern "C" {
#endif

extern const bp_schema bpi_transfer_schema;
extern const bp_pool_config bpi_transfer_pool_config;

/* What a program does with messages, each on the loop's thread. Messages without a handler are checked and passed over.
 * A view is valid until the handler returns. A handler X_buf gets a buffer of its own and releases it, on any thread; at
 * most one of the two may be set. An error closes the connection with it. */
typedef struct bpi_transfer_handlers {
    bp_err (*put_open)(bp_conn *conn, const bpi_transfer_put_open_view *view, void *user);
    bp_err (*put_open_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*put_opened)(bp_conn *conn, const bpi_transfer_put_opened_view *view, void *user);
    bp_err (*put_opened_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*part_done)(bp_conn *conn, const bpi_transfer_part_done_view *view, void *user);
    bp_err (*part_done_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*put_commit)(bp_conn *conn, const bpi_transfer_put_commit_view *view, void *user);
    bp_err (*put_commit_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*committed)(bp_conn *conn, const bpi_transfer_committed_view *view, void *user);
    bp_err (*committed_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*get_open)(bp_conn *conn, const bpi_transfer_get_open_view *view, void *user);
    bp_err (*get_open_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*get_opened)(bp_conn *conn, const bpi_transfer_get_opened_view *view, void *user);
    bp_err (*get_opened_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*part_want)(bp_conn *conn, const bpi_transfer_part_want_view *view, void *user);
    bp_err (*part_want_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*list)(bp_conn *conn, const bpi_transfer_list_view *view, void *user);
    bp_err (*list_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*listed)(bp_conn *conn, const bpi_transfer_listed_view *view, void *user);
    bp_err (*listed_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*list_end)(bp_conn *conn, const bpi_transfer_list_end_view *view, void *user);
    bp_err (*list_end_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*part)(bp_conn *conn, const bpi_transfer_part_view *view, void *user);
    bp_err (*part_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*failed)(bp_conn *conn, const bpi_transfer_failed_view *view, void *user);
    bp_err (*failed_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*end)(bp_conn *conn, const bpi_transfer_end_view *view, void *user);
    bp_err (*end_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*log_put)(bp_conn *conn, const bpi_transfer_log_put_view *view, void *user);
    bp_err (*log_put_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*log_part)(bp_conn *conn, const bpi_transfer_log_part_view *view, void *user);
    bp_err (*log_part_buf)(bp_conn *conn, bp_buf *buf, void *user);
    bp_err (*log_commit)(bp_conn *conn, const bpi_transfer_log_commit_view *view, void *user);
    bp_err (*log_commit_buf)(bp_conn *conn, bp_buf *buf, void *user);
} bpi_transfer_handlers;

/* The schema with a program's handlers, which must outlive what it is given to; user is handed to each of them. */
bp_service bpi_transfer_service(const bpi_transfer_handlers *on, void *user);

/* Configurations with this one service and the contract's pool; user is handed to the connection callbacks as well. */
bp_server_config bpi_transfer_server_config(const bpi_transfer_handlers *on, void *user);
bp_client_config bpi_transfer_client_config(const bpi_transfer_handlers *on, void *user);

/* X_pack encodes a message into a buffer of its class; the caller owns it. send_X sends it on a connection, encoded where
 * it leaves from. On error nothing is sent and *out is NULL. Errors of X_encode and bp_pool_acquire; of X_encode,
 * bp_conn_frame_begin and bp_conn_frame_end. */
BP_NODISCARD bp_err bpi_transfer_put_open_pack(bp_pool *pool, const bpi_transfer_put_open *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_put_open(bp_conn *conn, const bpi_transfer_put_open *message);
BP_NODISCARD bp_err bpi_transfer_put_opened_pack(bp_pool *pool, const bpi_transfer_put_opened *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_put_opened(bp_conn *conn, const bpi_transfer_put_opened *message);
BP_NODISCARD bp_err bpi_transfer_part_done_pack(bp_pool *pool, const bpi_transfer_part_done *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_part_done(bp_conn *conn, const bpi_transfer_part_done *message);
BP_NODISCARD bp_err bpi_transfer_put_commit_pack(bp_pool *pool, const bpi_transfer_put_commit *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_put_commit(bp_conn *conn, const bpi_transfer_put_commit *message);
BP_NODISCARD bp_err bpi_transfer_committed_pack(bp_pool *pool, const bpi_transfer_committed *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_committed(bp_conn *conn, const bpi_transfer_committed *message);
BP_NODISCARD bp_err bpi_transfer_get_open_pack(bp_pool *pool, const bpi_transfer_get_open *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_get_open(bp_conn *conn, const bpi_transfer_get_open *message);
BP_NODISCARD bp_err bpi_transfer_get_opened_pack(bp_pool *pool, const bpi_transfer_get_opened *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_get_opened(bp_conn *conn, const bpi_transfer_get_opened *message);
BP_NODISCARD bp_err bpi_transfer_part_want_pack(bp_pool *pool, const bpi_transfer_part_want *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_part_want(bp_conn *conn, const bpi_transfer_part_want *message);
BP_NODISCARD bp_err bpi_transfer_list_pack(bp_pool *pool, const bpi_transfer_list *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_list(bp_conn *conn, const bpi_transfer_list *message);
BP_NODISCARD bp_err bpi_transfer_listed_pack(bp_pool *pool, const bpi_transfer_listed *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_listed(bp_conn *conn, const bpi_transfer_listed *message);
BP_NODISCARD bp_err bpi_transfer_list_end_pack(bp_pool *pool, const bpi_transfer_list_end *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_list_end(bp_conn *conn, const bpi_transfer_list_end *message);
BP_NODISCARD bp_err bpi_transfer_part_pack(bp_pool *pool, const bpi_transfer_part *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_part(bp_conn *conn, const bpi_transfer_part *message);
BP_NODISCARD bp_err bpi_transfer_failed_pack(bp_pool *pool, const bpi_transfer_failed *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_failed(bp_conn *conn, const bpi_transfer_failed *message);
BP_NODISCARD bp_err bpi_transfer_end_pack(bp_pool *pool, const bpi_transfer_end *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_end(bp_conn *conn, const bpi_transfer_end *message);
BP_NODISCARD bp_err bpi_transfer_log_put_pack(bp_pool *pool, const bpi_transfer_log_put *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_log_put(bp_conn *conn, const bpi_transfer_log_put *message);
BP_NODISCARD bp_err bpi_transfer_log_part_pack(bp_pool *pool, const bpi_transfer_log_part *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_log_part(bp_conn *conn, const bpi_transfer_log_part *message);
BP_NODISCARD bp_err bpi_transfer_log_commit_pack(bp_pool *pool, const bpi_transfer_log_commit *message, bp_buf **out);
BP_NODISCARD bp_err bpi_transfer_send_log_commit(bp_conn *conn, const bpi_transfer_log_commit *message);

#ifdef __cplusplus
}
#endif
#endif
