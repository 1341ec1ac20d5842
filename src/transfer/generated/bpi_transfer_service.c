/* Written by bufpoolc from transfer.yaml, do not edit: tables and dispatch of schema bpi_transfer. */
#include "bpi_transfer_service.h"

#if BP_ABI != 6 || BPI_TRANSFER_CONTRACT_HASH != 0xd916531c8bea0278u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

static const bp_class classes[] = {
    {.size = 64, .idle_bytes = 65536},
    {.size = 144, .idle_bytes = 65536},
    {.size = 320, .idle_bytes = 65536},
    {.size = 576, .idle_bytes = 65536},
    {.size = 16777248, .idle_bytes = 65536},
};

const bp_pool_config bpi_transfer_pool_config = {
    .name = "bpi_transfer",
    .classes = classes,
    .class_count = 5,
    .memory_limit = 0u,
};

static const bp_type_info types[] = {
    {
        .name = "PutOpen",
        .type = BPI_TRANSFER_PUT_OPEN_TYPE,
        .class_ix = BPI_TRANSFER_PUT_OPEN_CLASS_IX,
        .accept_min = BPI_TRANSFER_PUT_OPEN_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_PUT_OPEN_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "PutOpened",
        .type = BPI_TRANSFER_PUT_OPENED_TYPE,
        .class_ix = BPI_TRANSFER_PUT_OPENED_CLASS_IX,
        .accept_min = BPI_TRANSFER_PUT_OPENED_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_PUT_OPENED_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "PartDone",
        .type = BPI_TRANSFER_PART_DONE_TYPE,
        .class_ix = BPI_TRANSFER_PART_DONE_CLASS_IX,
        .accept_min = BPI_TRANSFER_PART_DONE_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_PART_DONE_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "PutCommit",
        .type = BPI_TRANSFER_PUT_COMMIT_TYPE,
        .class_ix = BPI_TRANSFER_PUT_COMMIT_CLASS_IX,
        .accept_min = BPI_TRANSFER_PUT_COMMIT_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_PUT_COMMIT_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "Committed",
        .type = BPI_TRANSFER_COMMITTED_TYPE,
        .class_ix = BPI_TRANSFER_COMMITTED_CLASS_IX,
        .accept_min = BPI_TRANSFER_COMMITTED_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_COMMITTED_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "GetOpen",
        .type = BPI_TRANSFER_GET_OPEN_TYPE,
        .class_ix = BPI_TRANSFER_GET_OPEN_CLASS_IX,
        .accept_min = BPI_TRANSFER_GET_OPEN_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_GET_OPEN_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "GetOpened",
        .type = BPI_TRANSFER_GET_OPENED_TYPE,
        .class_ix = BPI_TRANSFER_GET_OPENED_CLASS_IX,
        .accept_min = BPI_TRANSFER_GET_OPENED_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_GET_OPENED_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "PartWant",
        .type = BPI_TRANSFER_PART_WANT_TYPE,
        .class_ix = BPI_TRANSFER_PART_WANT_CLASS_IX,
        .accept_min = BPI_TRANSFER_PART_WANT_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_PART_WANT_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "List",
        .type = BPI_TRANSFER_LIST_TYPE,
        .class_ix = BPI_TRANSFER_LIST_CLASS_IX,
        .accept_min = BPI_TRANSFER_LIST_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_LIST_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "Listed",
        .type = BPI_TRANSFER_LISTED_TYPE,
        .class_ix = BPI_TRANSFER_LISTED_CLASS_IX,
        .accept_min = BPI_TRANSFER_LISTED_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_LISTED_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "ListEnd",
        .type = BPI_TRANSFER_LIST_END_TYPE,
        .class_ix = BPI_TRANSFER_LIST_END_CLASS_IX,
        .accept_min = BPI_TRANSFER_LIST_END_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_LIST_END_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "Part",
        .type = BPI_TRANSFER_PART_TYPE,
        .class_ix = BPI_TRANSFER_PART_CLASS_IX,
        .accept_min = BPI_TRANSFER_PART_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_PART_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "Failed",
        .type = BPI_TRANSFER_FAILED_TYPE,
        .class_ix = BPI_TRANSFER_FAILED_CLASS_IX,
        .accept_min = BPI_TRANSFER_FAILED_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_FAILED_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "End",
        .type = BPI_TRANSFER_END_TYPE,
        .class_ix = BPI_TRANSFER_END_CLASS_IX,
        .accept_min = BPI_TRANSFER_END_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_END_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "LogPut",
        .type = BPI_TRANSFER_LOG_PUT_TYPE,
        .class_ix = BPI_TRANSFER_LOG_PUT_CLASS_IX,
        .accept_min = BPI_TRANSFER_LOG_PUT_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_LOG_PUT_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "LogPart",
        .type = BPI_TRANSFER_LOG_PART_TYPE,
        .class_ix = BPI_TRANSFER_LOG_PART_CLASS_IX,
        .accept_min = BPI_TRANSFER_LOG_PART_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_LOG_PART_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "LogCommit",
        .type = BPI_TRANSFER_LOG_COMMIT_TYPE,
        .class_ix = BPI_TRANSFER_LOG_COMMIT_CLASS_IX,
        .accept_min = BPI_TRANSFER_LOG_COMMIT_ACCEPT_MIN,
        .accept_max = BPI_TRANSFER_LOG_COMMIT_ACCEPT_MAX,
        .is_sensitive = false,
    },
};

static const bp_type_range ranges[] = {
    {.first = 1, .last = 999, .unknown = BP_UNKNOWN_FAIL}, /* core */
};

static const bp_layout layouts[] = {
    {.version = 1, .hash = 0x74b00fc21718581eu},
};

const bp_schema bpi_transfer_schema = {
    .abi = BP_ABI,
    .name = "bpi_transfer",
    .id = BPI_TRANSFER_SCHEMA_ID,
    .version = BPI_TRANSFER_SCHEMA_VERSION,
    .min_compatible = BPI_TRANSFER_MIN_COMPATIBLE,
    .contract_hash = BPI_TRANSFER_CONTRACT_HASH,
    .layouts = layouts,
    .layout_count = 1,
    .types = types,
    .type_count = BPI_TRANSFER_MESSAGE_COUNT,
    .ranges = ranges,
    .range_count = 1,
    .pool_config = &bpi_transfer_pool_config,
};

/* What the handler of an owned buffer gets: the frame, kept. */
static bp_err keep_and_handle(bp_conn *conn, bp_err (*handle)(bp_conn *, bp_buf *, void *), void *user) {
    bp_buf *buf = NULL;
    const bp_err err = bp_conn_keep(conn, &buf);
    return err != BP_OK ? err : handle(conn, buf, user);
}

static bp_err put_open_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_put_open_view view;
    bp_err err = bpi_transfer_put_open_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_put_open_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->put_open != NULL) return on->put_open(conn, &view, service->user);
    if (on->put_open_buf != NULL) return keep_and_handle(conn, on->put_open_buf, service->user);
    return BP_OK;
}

static bp_err put_opened_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_put_opened_view view;
    bp_err err = bpi_transfer_put_opened_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_put_opened_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->put_opened != NULL) return on->put_opened(conn, &view, service->user);
    if (on->put_opened_buf != NULL) return keep_and_handle(conn, on->put_opened_buf, service->user);
    return BP_OK;
}

static bp_err part_done_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_part_done_view view;
    bp_err err = bpi_transfer_part_done_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_part_done_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->part_done != NULL) return on->part_done(conn, &view, service->user);
    if (on->part_done_buf != NULL) return keep_and_handle(conn, on->part_done_buf, service->user);
    return BP_OK;
}

static bp_err put_commit_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_put_commit_view view;
    bp_err err = bpi_transfer_put_commit_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_put_commit_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->put_commit != NULL) return on->put_commit(conn, &view, service->user);
    if (on->put_commit_buf != NULL) return keep_and_handle(conn, on->put_commit_buf, service->user);
    return BP_OK;
}

static bp_err committed_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_committed_view view;
    bp_err err = bpi_transfer_committed_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_committed_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->committed != NULL) return on->committed(conn, &view, service->user);
    if (on->committed_buf != NULL) return keep_and_handle(conn, on->committed_buf, service->user);
    return BP_OK;
}

static bp_err get_open_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_get_open_view view;
    bp_err err = bpi_transfer_get_open_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_get_open_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->get_open != NULL) return on->get_open(conn, &view, service->user);
    if (on->get_open_buf != NULL) return keep_and_handle(conn, on->get_open_buf, service->user);
    return BP_OK;
}

static bp_err get_opened_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_get_opened_view view;
    bp_err err = bpi_transfer_get_opened_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_get_opened_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->get_opened != NULL) return on->get_opened(conn, &view, service->user);
    if (on->get_opened_buf != NULL) return keep_and_handle(conn, on->get_opened_buf, service->user);
    return BP_OK;
}

static bp_err part_want_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_part_want_view view;
    bp_err err = bpi_transfer_part_want_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_part_want_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->part_want != NULL) return on->part_want(conn, &view, service->user);
    if (on->part_want_buf != NULL) return keep_and_handle(conn, on->part_want_buf, service->user);
    return BP_OK;
}

static bp_err list_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_list_view view;
    bp_err err = bpi_transfer_list_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_list_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->list != NULL) return on->list(conn, &view, service->user);
    if (on->list_buf != NULL) return keep_and_handle(conn, on->list_buf, service->user);
    return BP_OK;
}

static bp_err listed_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_listed_view view;
    bp_err err = bpi_transfer_listed_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_listed_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->listed != NULL) return on->listed(conn, &view, service->user);
    if (on->listed_buf != NULL) return keep_and_handle(conn, on->listed_buf, service->user);
    return BP_OK;
}

static bp_err list_end_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_list_end_view view;
    bp_err err = bpi_transfer_list_end_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_list_end_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->list_end != NULL) return on->list_end(conn, &view, service->user);
    if (on->list_end_buf != NULL) return keep_and_handle(conn, on->list_end_buf, service->user);
    return BP_OK;
}

static bp_err part_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_part_view view;
    bp_err err = bpi_transfer_part_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_part_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->part != NULL) return on->part(conn, &view, service->user);
    if (on->part_buf != NULL) return keep_and_handle(conn, on->part_buf, service->user);
    return BP_OK;
}

static bp_err failed_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_failed_view view;
    bp_err err = bpi_transfer_failed_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_failed_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->failed != NULL) return on->failed(conn, &view, service->user);
    if (on->failed_buf != NULL) return keep_and_handle(conn, on->failed_buf, service->user);
    return BP_OK;
}

static bp_err end_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_end_view view;
    bp_err err = bpi_transfer_end_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_end_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->end != NULL) return on->end(conn, &view, service->user);
    if (on->end_buf != NULL) return keep_and_handle(conn, on->end_buf, service->user);
    return BP_OK;
}

static bp_err log_put_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_log_put_view view;
    bp_err err = bpi_transfer_log_put_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_log_put_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->log_put != NULL) return on->log_put(conn, &view, service->user);
    if (on->log_put_buf != NULL) return keep_and_handle(conn, on->log_put_buf, service->user);
    return BP_OK;
}

static bp_err log_part_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_log_part_view view;
    bp_err err = bpi_transfer_log_part_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_log_part_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->log_part != NULL) return on->log_part(conn, &view, service->user);
    if (on->log_part_buf != NULL) return keep_and_handle(conn, on->log_part_buf, service->user);
    return BP_OK;
}

static bp_err log_commit_dispatch_(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const bpi_transfer_handlers *const on = service->handlers;
    bpi_transfer_log_commit_view view;
    bp_err err = bpi_transfer_log_commit_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = bpi_transfer_log_commit_validate(&view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->log_commit != NULL) return on->log_commit(conn, &view, service->user);
    if (on->log_commit_buf != NULL) return keep_and_handle(conn, on->log_commit_buf, service->user);
    return BP_OK;
}

static bp_err dispatch(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    switch (frame->type) {
    case BPI_TRANSFER_PUT_OPEN_TYPE: return put_open_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_PUT_OPENED_TYPE: return put_opened_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_PART_DONE_TYPE: return part_done_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_PUT_COMMIT_TYPE: return put_commit_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_COMMITTED_TYPE: return committed_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_GET_OPEN_TYPE: return get_open_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_GET_OPENED_TYPE: return get_opened_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_PART_WANT_TYPE: return part_want_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_LIST_TYPE: return list_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_LISTED_TYPE: return listed_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_LIST_END_TYPE: return list_end_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_PART_TYPE: return part_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_FAILED_TYPE: return failed_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_END_TYPE: return end_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_LOG_PUT_TYPE: return log_put_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_LOG_PART_TYPE: return log_part_dispatch_(service, conn, frame, is_invalid);
    case BPI_TRANSFER_LOG_COMMIT_TYPE: return log_commit_dispatch_(service, conn, frame, is_invalid);
    default: return BP_ERR_FRAME_TYPE;
    }
}

static bp_err check(const bp_service *service) {
    const bpi_transfer_handlers *const on = service->handlers;
    if (on == NULL) return BP_ERR_ARGUMENT;
    if (on->put_open != NULL && on->put_open_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->put_opened != NULL && on->put_opened_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->part_done != NULL && on->part_done_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->put_commit != NULL && on->put_commit_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->committed != NULL && on->committed_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->get_open != NULL && on->get_open_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->get_opened != NULL && on->get_opened_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->part_want != NULL && on->part_want_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->list != NULL && on->list_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->listed != NULL && on->listed_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->list_end != NULL && on->list_end_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->part != NULL && on->part_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->failed != NULL && on->failed_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->end != NULL && on->end_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->log_put != NULL && on->log_put_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->log_part != NULL && on->log_part_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->log_commit != NULL && on->log_commit_buf != NULL) return BP_ERR_ARGUMENT;
    return BP_OK;
}

bp_service bpi_transfer_service(const bpi_transfer_handlers *on, void *user) {
    return (bp_service){
        .schema = &bpi_transfer_schema, .dispatch = dispatch, .check = check, .handlers = on, .user = user};
}

bp_server_config bpi_transfer_server_config(const bpi_transfer_handlers *on, void *user) {
    bp_server_config config = bp_server_config_default(bpi_transfer_service(on, user));
    config.conn.user = user;
    return config;
}

bp_client_config bpi_transfer_client_config(const bpi_transfer_handlers *on, void *user) {
    bp_client_config config = bp_client_config_default(bpi_transfer_service(on, user));
    config.conn.user = user;
    return config;
}

bp_err bpi_transfer_put_open_pack(bp_pool *pool, const bpi_transfer_put_open *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_put_open_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_PUT_OPEN_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_put_open_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_PUT_OPEN_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_put_open(bp_conn *conn, const bpi_transfer_put_open *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_put_open_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_PUT_OPEN_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_put_open_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_put_opened_pack(bp_pool *pool, const bpi_transfer_put_opened *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_put_opened_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_PUT_OPENED_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_put_opened_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_PUT_OPENED_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_put_opened(bp_conn *conn, const bpi_transfer_put_opened *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_put_opened_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_PUT_OPENED_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_put_opened_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_part_done_pack(bp_pool *pool, const bpi_transfer_part_done *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_part_done_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_PART_DONE_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_part_done_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_PART_DONE_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_part_done(bp_conn *conn, const bpi_transfer_part_done *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_part_done_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_PART_DONE_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_part_done_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_put_commit_pack(bp_pool *pool, const bpi_transfer_put_commit *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_put_commit_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_PUT_COMMIT_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_put_commit_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_PUT_COMMIT_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_put_commit(bp_conn *conn, const bpi_transfer_put_commit *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_put_commit_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_PUT_COMMIT_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_put_commit_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_committed_pack(bp_pool *pool, const bpi_transfer_committed *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_committed_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_COMMITTED_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_committed_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_COMMITTED_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_committed(bp_conn *conn, const bpi_transfer_committed *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_committed_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_COMMITTED_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_committed_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_get_open_pack(bp_pool *pool, const bpi_transfer_get_open *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_get_open_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_GET_OPEN_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_get_open_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_GET_OPEN_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_get_open(bp_conn *conn, const bpi_transfer_get_open *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_get_open_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_GET_OPEN_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_get_open_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_get_opened_pack(bp_pool *pool, const bpi_transfer_get_opened *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_get_opened_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_GET_OPENED_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_get_opened_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_GET_OPENED_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_get_opened(bp_conn *conn, const bpi_transfer_get_opened *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_get_opened_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_GET_OPENED_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_get_opened_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_part_want_pack(bp_pool *pool, const bpi_transfer_part_want *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_part_want_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_PART_WANT_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_part_want_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_PART_WANT_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_part_want(bp_conn *conn, const bpi_transfer_part_want *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_part_want_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_PART_WANT_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_part_want_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_list_pack(bp_pool *pool, const bpi_transfer_list *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_list_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_LIST_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_list_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_LIST_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_list(bp_conn *conn, const bpi_transfer_list *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_list_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_LIST_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_list_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_listed_pack(bp_pool *pool, const bpi_transfer_listed *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_listed_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_LISTED_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_listed_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_LISTED_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_listed(bp_conn *conn, const bpi_transfer_listed *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_listed_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_LISTED_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_listed_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_list_end_pack(bp_pool *pool, const bpi_transfer_list_end *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_list_end_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_LIST_END_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_list_end_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_LIST_END_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_list_end(bp_conn *conn, const bpi_transfer_list_end *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_list_end_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_LIST_END_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_list_end_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_part_pack(bp_pool *pool, const bpi_transfer_part *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_part_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire(pool, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_part_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_PART_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_part(bp_conn *conn, const bpi_transfer_part *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_part_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_PART_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_part_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_failed_pack(bp_pool *pool, const bpi_transfer_failed *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_failed_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_FAILED_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_failed_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_FAILED_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_failed(bp_conn *conn, const bpi_transfer_failed *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_failed_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_FAILED_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_failed_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_end_pack(bp_pool *pool, const bpi_transfer_end *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_end_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_END_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_end_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_END_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_end(bp_conn *conn, const bpi_transfer_end *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_end_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_END_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_end_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_log_put_pack(bp_pool *pool, const bpi_transfer_log_put *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_log_put_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_LOG_PUT_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_log_put_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_LOG_PUT_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_log_put(bp_conn *conn, const bpi_transfer_log_put *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_log_put_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_LOG_PUT_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_log_put_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_log_part_pack(bp_pool *pool, const bpi_transfer_log_part *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_log_part_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_LOG_PART_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_log_part_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_LOG_PART_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_log_part(bp_conn *conn, const bpi_transfer_log_part *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_log_part_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_LOG_PART_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_log_part_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}

bp_err bpi_transfer_log_commit_pack(bp_pool *pool, const bpi_transfer_log_commit *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = bpi_transfer_log_commit_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, BPI_TRANSFER_LOG_COMMIT_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = bpi_transfer_log_commit_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, BPI_TRANSFER_LOG_COMMIT_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err bpi_transfer_send_log_commit(bp_conn *conn, const bpi_transfer_log_commit *message) {
    uint8_t *value = NULL;
    uint32_t length = 0;
    bp_err err = bpi_transfer_log_commit_size(message, &length);
    if (err == BP_OK) err = bp_conn_frame_begin(conn, BPI_TRANSFER_LOG_COMMIT_TYPE, length, &value);
    if (err != BP_OK) return err;
    err = bpi_transfer_log_commit_encode(message, value, length, &length);
    if (err == BP_OK) return bp_conn_frame_end(conn, length);
    bp_conn_frame_drop(conn);
    return err;
}
