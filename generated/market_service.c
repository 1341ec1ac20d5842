/* Written by bufpoolc from contracts.yaml, do not edit: tables and dispatch of schema market. */
#include "market_service.h"

#if BP_ABI != 6 || MARKET_CONTRACT_HASH != 0x3dd784690afe4034u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

static const bp_class classes[] = {
    {.size = 64, .idle_bytes = 65536},
    {.size = 256, .idle_bytes = 65536},
    {.size = 2048, .idle_bytes = 65536},
    {.size = 4096, .idle_bytes = 65536},
    {.size = 262144, .idle_bytes = 65536},
};

const bp_pool_config market_pool_config = {
    .name = "market",
    .classes = classes,
    .class_count = 5,
    .memory_limit = 268435456u,
};

static const bp_type_info types[] = {
    {
        .name = "InstrumentMeta",
        .type = MARKET_INSTRUMENT_META_TYPE,
        .class_ix = MARKET_INSTRUMENT_META_CLASS_IX,
        .accept_min = MARKET_INSTRUMENT_META_ACCEPT_MIN,
        .accept_max = MARKET_INSTRUMENT_META_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "PoolStateUpdate",
        .type = MARKET_POOL_STATE_UPDATE_TYPE,
        .class_ix = MARKET_POOL_STATE_UPDATE_CLASS_IX,
        .accept_min = MARKET_POOL_STATE_UPDATE_ACCEPT_MIN,
        .accept_max = MARKET_POOL_STATE_UPDATE_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "OrderBook",
        .type = MARKET_ORDER_BOOK_TYPE,
        .class_ix = MARKET_ORDER_BOOK_CLASS_IX,
        .accept_min = MARKET_ORDER_BOOK_ACCEPT_MIN,
        .accept_max = MARKET_ORDER_BOOK_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "ArbitrageSignal",
        .type = MARKET_ARBITRAGE_SIGNAL_TYPE,
        .class_ix = MARKET_ARBITRAGE_SIGNAL_CLASS_IX,
        .accept_min = MARKET_ARBITRAGE_SIGNAL_ACCEPT_MIN,
        .accept_max = MARKET_ARBITRAGE_SIGNAL_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "BookAck",
        .type = MARKET_BOOK_ACK_TYPE,
        .class_ix = MARKET_BOOK_ACK_CLASS_IX,
        .accept_min = MARKET_BOOK_ACK_ACCEPT_MIN,
        .accept_max = MARKET_BOOK_ACK_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "HostSample",
        .type = MARKET_HOST_SAMPLE_TYPE,
        .class_ix = MARKET_HOST_SAMPLE_CLASS_IX,
        .accept_min = MARKET_HOST_SAMPLE_ACCEPT_MIN,
        .accept_max = MARKET_HOST_SAMPLE_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "ProcessSample",
        .type = MARKET_PROCESS_SAMPLE_TYPE,
        .class_ix = MARKET_PROCESS_SAMPLE_CLASS_IX,
        .accept_min = MARKET_PROCESS_SAMPLE_ACCEPT_MIN,
        .accept_max = MARKET_PROCESS_SAMPLE_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "LogLine",
        .type = MARKET_LOG_LINE_TYPE,
        .class_ix = MARKET_LOG_LINE_CLASS_IX,
        .accept_min = MARKET_LOG_LINE_ACCEPT_MIN,
        .accept_max = MARKET_LOG_LINE_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "Snapshot",
        .type = MARKET_SNAPSHOT_TYPE,
        .class_ix = MARKET_SNAPSHOT_CLASS_IX,
        .accept_min = MARKET_SNAPSHOT_ACCEPT_MIN,
        .accept_max = MARKET_SNAPSHOT_ACCEPT_MAX,
        .is_sensitive = false,
    },
};

static const bp_type_range ranges[] = {
    {.first = 1, .last = 999, .unknown = BP_UNKNOWN_FAIL}, /* core */
    {.first = 1000, .last = 49999, .unknown = BP_UNKNOWN_SKIP}, /* app */
    {.first = 50000, .last = 65535, .unknown = BP_UNKNOWN_FAIL}, /* experimental */
};

static const bp_layout layouts[] = {
    {.version = 1, .hash = 0xf23f1fbf4a6d7ef0u},
};

const bp_schema market_schema = {
    .abi = BP_ABI,
    .name = "market",
    .id = MARKET_SCHEMA_ID,
    .version = MARKET_SCHEMA_VERSION,
    .min_compatible = MARKET_MIN_COMPATIBLE,
    .contract_hash = MARKET_CONTRACT_HASH,
    .layouts = layouts,
    .layout_count = 1,
    .types = types,
    .type_count = MARKET_MESSAGE_COUNT,
    .ranges = ranges,
    .range_count = 3,
    .pool_config = &market_pool_config,
};

/* What the handler of an owned buffer gets: the frame, kept. */
static bp_err keep_and_handle(bp_conn *conn, bp_err (*handle)(bp_conn *, bp_buf *, void *), void *user) {
    bp_buf *buf = NULL;
    const bp_err err = bp_conn_keep(conn, &buf);
    return err != BP_OK ? err : handle(conn, buf, user);
}

static bp_err instrument_meta_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_instrument_meta_view view;
    bp_err err = market_instrument_meta_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_instrument_meta_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->instrument_meta != NULL) return on->instrument_meta(conn, &view, service->user);
    if (on->instrument_meta_buf != NULL) return keep_and_handle(conn, on->instrument_meta_buf, service->user);
    return BP_OK;
}

static bp_err pool_state_update_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_pool_state_update_view view;
    bp_err err = market_pool_state_update_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_pool_state_update_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->pool_state_update != NULL) return on->pool_state_update(conn, &view, service->user);
    if (on->pool_state_update_buf != NULL) return keep_and_handle(conn, on->pool_state_update_buf, service->user);
    return BP_OK;
}

static bp_err order_book_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_order_book_view view;
    bp_err err = market_order_book_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_order_book_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->order_book != NULL) return on->order_book(conn, &view, service->user);
    if (on->order_book_buf != NULL) return keep_and_handle(conn, on->order_book_buf, service->user);
    return BP_OK;
}

static bp_err arbitrage_signal_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_arbitrage_signal_view view;
    bp_err err = market_arbitrage_signal_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_arbitrage_signal_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->arbitrage_signal != NULL) return on->arbitrage_signal(conn, &view, service->user);
    if (on->arbitrage_signal_buf != NULL) return keep_and_handle(conn, on->arbitrage_signal_buf, service->user);
    return BP_OK;
}

static bp_err book_ack_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_book_ack_view view;
    bp_err err = market_book_ack_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_book_ack_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->book_ack != NULL) return on->book_ack(conn, &view, service->user);
    if (on->book_ack_buf != NULL) return keep_and_handle(conn, on->book_ack_buf, service->user);
    return BP_OK;
}

static bp_err host_sample_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_host_sample_view view;
    bp_err err = market_host_sample_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_host_sample_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->host_sample != NULL) return on->host_sample(conn, &view, service->user);
    if (on->host_sample_buf != NULL) return keep_and_handle(conn, on->host_sample_buf, service->user);
    return BP_OK;
}

static bp_err process_sample_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_process_sample_view view;
    bp_err err = market_process_sample_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_process_sample_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->process_sample != NULL) return on->process_sample(conn, &view, service->user);
    if (on->process_sample_buf != NULL) return keep_and_handle(conn, on->process_sample_buf, service->user);
    return BP_OK;
}

static bp_err log_line_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_log_line_view view;
    bp_err err = market_log_line_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_log_line_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->log_line != NULL) return on->log_line(conn, &view, service->user);
    if (on->log_line_buf != NULL) return keep_and_handle(conn, on->log_line_buf, service->user);
    return BP_OK;
}

static bp_err snapshot_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const market_handlers *const on = service->handlers;
    market_snapshot_view view;
    bp_err err = market_snapshot_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = market_snapshot_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->snapshot != NULL) return on->snapshot(conn, &view, service->user);
    if (on->snapshot_buf != NULL) return keep_and_handle(conn, on->snapshot_buf, service->user);
    return BP_OK;
}

static bp_err dispatch(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    switch (frame->type) {
    case MARKET_INSTRUMENT_META_TYPE: return instrument_meta_dispatch_(service, conn, frame, is_invalid);
    case MARKET_POOL_STATE_UPDATE_TYPE: return pool_state_update_dispatch_(service, conn, frame, is_invalid);
    case MARKET_ORDER_BOOK_TYPE: return order_book_dispatch_(service, conn, frame, is_invalid);
    case MARKET_ARBITRAGE_SIGNAL_TYPE: return arbitrage_signal_dispatch_(service, conn, frame, is_invalid);
    case MARKET_BOOK_ACK_TYPE: return book_ack_dispatch_(service, conn, frame, is_invalid);
    case MARKET_HOST_SAMPLE_TYPE: return host_sample_dispatch_(service, conn, frame, is_invalid);
    case MARKET_PROCESS_SAMPLE_TYPE: return process_sample_dispatch_(service, conn, frame, is_invalid);
    case MARKET_LOG_LINE_TYPE: return log_line_dispatch_(service, conn, frame, is_invalid);
    case MARKET_SNAPSHOT_TYPE: return snapshot_dispatch_(service, conn, frame, is_invalid);
    default: return BP_ERR_FRAME_TYPE;
    }
}

static bp_err check(const bp_service *service) {
    const market_handlers *const on = service->handlers;
    if (on == NULL) return BP_ERR_ARGUMENT;
    if (on->instrument_meta != NULL && on->instrument_meta_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->pool_state_update != NULL && on->pool_state_update_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->order_book != NULL && on->order_book_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->arbitrage_signal != NULL && on->arbitrage_signal_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->book_ack != NULL && on->book_ack_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->host_sample != NULL && on->host_sample_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->process_sample != NULL && on->process_sample_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->log_line != NULL && on->log_line_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->snapshot != NULL && on->snapshot_buf != NULL) return BP_ERR_ARGUMENT;
    return BP_OK;
}

bp_service market_service(const market_handlers *on, void *user) {
    return (bp_service){
        .schema = &market_schema, .dispatch = dispatch, .check = check, .handlers = on, .user = user};
}

bp_server_config market_server_config(const market_handlers *on, void *user) {
    bp_server_config config = bp_server_config_default(market_service(on, user));
    config.conn.user = user;
    return config;
}

bp_client_config market_client_config(const market_handlers *on, void *user) {
    bp_client_config config = bp_client_config_default(market_service(on, user));
    config.conn.user = user;
    return config;
}

bp_err market_instrument_meta_pack(bp_pool *pool, const market_instrument_meta *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_instrument_meta_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_INSTRUMENT_META_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_instrument_meta_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_INSTRUMENT_META_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_instrument_meta(bp_conn *conn, const market_instrument_meta *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_instrument_meta_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_INSTRUMENT_META_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_instrument_meta_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_pool_state_update_pack(bp_pool *pool, const market_pool_state_update *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_pool_state_update_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_POOL_STATE_UPDATE_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_pool_state_update_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_POOL_STATE_UPDATE_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_pool_state_update(bp_conn *conn, const market_pool_state_update *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_pool_state_update_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_POOL_STATE_UPDATE_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_pool_state_update_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_order_book_pack(bp_pool *pool, const market_order_book *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_order_book_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_ORDER_BOOK_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_order_book_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_ORDER_BOOK_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_order_book(bp_conn *conn, const market_order_book *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_order_book_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_ORDER_BOOK_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_order_book_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_arbitrage_signal_pack(bp_pool *pool, const market_arbitrage_signal *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_arbitrage_signal_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_ARBITRAGE_SIGNAL_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_arbitrage_signal_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_ARBITRAGE_SIGNAL_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_arbitrage_signal(bp_conn *conn, const market_arbitrage_signal *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_arbitrage_signal_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_ARBITRAGE_SIGNAL_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_arbitrage_signal_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_book_ack_pack(bp_pool *pool, const market_book_ack *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_book_ack_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_BOOK_ACK_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_book_ack_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_BOOK_ACK_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_book_ack(bp_conn *conn, const market_book_ack *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_book_ack_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_BOOK_ACK_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_book_ack_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_host_sample_pack(bp_pool *pool, const market_host_sample *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_host_sample_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_HOST_SAMPLE_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_host_sample_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_HOST_SAMPLE_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_host_sample(bp_conn *conn, const market_host_sample *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_host_sample_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_HOST_SAMPLE_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_host_sample_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_process_sample_pack(bp_pool *pool, const market_process_sample *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_process_sample_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_PROCESS_SAMPLE_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_process_sample_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_PROCESS_SAMPLE_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_process_sample(bp_conn *conn, const market_process_sample *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_process_sample_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_PROCESS_SAMPLE_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_process_sample_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_log_line_pack(bp_pool *pool, const market_log_line *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_log_line_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, MARKET_LOG_LINE_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = market_log_line_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_LOG_LINE_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_log_line(bp_conn *conn, const market_log_line *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_log_line_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_LOG_LINE_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_log_line_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err market_snapshot_pack(bp_pool *pool, const market_snapshot *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = market_snapshot_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire(pool, length, &buf);
    if (err != BP_OK) return err;
    err = market_snapshot_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, MARKET_SNAPSHOT_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err market_send_snapshot(bp_conn *conn, const market_snapshot *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = market_snapshot_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, MARKET_SNAPSHOT_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = market_snapshot_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}
