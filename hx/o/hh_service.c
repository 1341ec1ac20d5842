/* Written by bufpoolc from hh.yaml, do not edit: tables and dispatch of schema hh. */
#include "hh_service.h"

#if BP_ABI != 2 || HH_CONTRACT_HASH != 0x470e7bac39ef9845u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

static const bp_class classes[] = {
    {.size = 64, .idle_bytes = 65536},
};

const bp_pool_config hh_pool_config = {
    .name = "hh",
    .classes = classes,
    .class_count = 1,
    .memory_limit = 0u,
};

static const bp_type_info types[] = {
    {
        .name = "A",
        .type = HH_A_TYPE,
        .class_ix = HH_A_CLASS_IX,
        .accept_min = HH_A_ACCEPT_MIN,
        .accept_max = HH_A_ACCEPT_MAX,
        .is_sensitive = false,
    },
    {
        .name = "B",
        .type = HH_B_TYPE,
        .class_ix = HH_B_CLASS_IX,
        .accept_min = HH_B_ACCEPT_MIN,
        .accept_max = HH_B_ACCEPT_MAX,
        .is_sensitive = false,
    },
};

static const bp_type_range ranges[] = {
    {.first = 1, .last = 100, .unknown = BP_UNKNOWN_SKIP}, /* app */
};

const bp_schema hh_schema = {
    .abi = BP_ABI,
    .name = "hh",
    .id = HH_SCHEMA_ID,
    .version = HH_SCHEMA_VERSION,
    .min_compatible = HH_MIN_COMPATIBLE,
    .contract_hash = HH_CONTRACT_HASH,
    .types = types,
    .type_count = HH_MESSAGE_COUNT,
    .ranges = ranges,
    .range_count = 1,
    .pool_config = &hh_pool_config,
};

/* What the handler of an owned buffer gets: the frame, kept. */
static bp_err keep_and_handle(bp_conn *conn, bp_err (*handle)(bp_conn *, bp_buf *, void *), void *user) {
    bp_buf *buf = NULL;
    const bp_err err = bp_conn_keep(conn, &buf);
    return err != BP_OK ? err : handle(conn, buf, user);
}

static bp_err dispatch_a(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const hh_handlers *const on = service->handlers;
    hh_a_view view;
    bp_err err = hh_a_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = hh_a_validate(&view, NULL);
    if (err == BP_OK) err = hh_a_check_hooks(&view, on->hooks, NULL);
    if (err == BP_OK) err = hh_a_check_session(bp_conn_session(conn, service), &view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->a != NULL) return on->a(conn, &view, service->user);
    if (on->a_buf != NULL) return keep_and_handle(conn, on->a_buf, service->user);
    return BP_OK;
}

static bp_err dispatch_b(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    const hh_handlers *const on = service->handlers;
    hh_b_view view;
    bp_err err = hh_b_view_init(frame->value, frame->length, &view);
    if (err == BP_OK) err = hh_b_validate(&view, NULL);
    if (err == BP_OK) err = hh_b_check_session(bp_conn_session(conn, service), &view, NULL);
    *is_invalid = err != BP_OK;
    if (err != BP_OK) return err;
    if (on->b != NULL) return on->b(conn, &view, service->user);
    if (on->b_buf != NULL) return keep_and_handle(conn, on->b_buf, service->user);
    return BP_OK;
}

static bp_err dispatch(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    switch (frame->type) {
    case HH_A_TYPE: return dispatch_a(service, conn, frame, is_invalid);
    case HH_B_TYPE: return dispatch_b(service, conn, frame, is_invalid);
    default: return BP_ERR_FRAME_TYPE;
    }
}

static bp_err check(const bp_service *service) {
    const hh_handlers *const on = service->handlers;
    if (on == NULL) return BP_ERR_ARGUMENT;
    if (on->a != NULL && on->a_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->b != NULL && on->b_buf != NULL) return BP_ERR_ARGUMENT;
    if (on->hooks == NULL || on->hooks->hk == NULL) return BP_ERR_ARGUMENT;
    return BP_OK;
}

bp_service hh_service(const hh_handlers *on, void *user) {
    return (bp_service){
        .schema = &hh_schema, .dispatch = dispatch, .check = check, .handlers = on, .user = user,
        .session_size = sizeof(hh_session)};
}

bp_server_config hh_server_config(const hh_handlers *on, void *user) {
    bp_server_config config = bp_server_config_default(hh_service(on, user));
    config.conn.user = user;
    return config;
}

bp_client_config hh_client_config(const hh_handlers *on, void *user) {
    bp_client_config config = bp_client_config_default(hh_service(on, user));
    config.conn.user = user;
    return config;
}

bp_err hh_a_pack(bp_pool *pool, const hh_a *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = hh_a_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, HH_A_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = hh_a_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, HH_A_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err hh_send_a(bp_conn *conn, const hh_a *message) {
    bp_buf *buf = NULL;
    bp_err err = hh_a_pack(bp_conn_pool(conn), message, &buf);
    if (err == BP_OK) err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}

bp_err hh_b_pack(bp_pool *pool, const hh_b *message, bp_buf **out) {
    bp_buf *buf = NULL;
    uint32_t length = 0;
    *out = NULL;
    bp_err err = hh_b_size(message, &length);
    if (err == BP_OK) err = bp_pool_acquire_class(pool, HH_B_CLASS_IX, length, &buf);
    if (err != BP_OK) return err;
    err = hh_b_encode(message, bp_buf_data(buf), length, &length);
    if (err != BP_OK) {
        bp_buf_release(buf);
        return err;
    }
    bp_buf_set_type(buf, HH_B_TYPE);
    bp_buf_set_length(buf, length);
    *out = buf;
    return BP_OK;
}

bp_err hh_send_b(bp_conn *conn, const hh_b *message) {
    bp_buf *buf = NULL;
    bp_err err = hh_b_pack(bp_conn_pool(conn), message, &buf);
    if (err == BP_OK) err = bp_conn_send_take(conn, &buf);
    bp_buf_release(buf);
    return err;
}
