#define _GNU_SOURCE
#include "tests/support/hook_rig.h"

#include <string.h>

/* ---- schemas ---- */

#define TYPES(first)                                                                                                  \
    {                                                                                                                 \
        {.name = "Plain", .type = (first), .class_ix = 0, .accept_min = 0, .accept_max = BPT_HOOK_MAX},               \
            {.name = "Secret", .type = (first) + 1, .accept_max = BPT_HOOK_MAX, .is_sensitive = true},                \
    }

static const bp_type_info a_types[] = TYPES(BPT_HOOK_A_TYPE), b_types[] = TYPES(BPT_HOOK_B_TYPE);

static bp_schema schema_of(char name) {
    return (bp_schema){.abi = BP_ABI,
                       .name = name == 'A' ? "a" : "b",
                       .id = 1000u + (unsigned char)name,
                       .version = 1,
                       .min_compatible = 1,
                       .types = name == 'A' ? a_types : b_types,
                       .type_count = 2};
}

/* ---- what is told ---- */

static void note(bpt_hooked *side, char who, char what) {
    const size_t length = strlen(side->log);
    bpt_must(length + 2 < sizeof side->log);
    side->log[length] = who;
    side->log[length + 1] = what;
}

static void on_open(bp_conn *conn, void *user) {
    bpt_hooked_service *service = user;
    service->opens++;
    note(service->side, service->name, 'o');
    if (service->on_open != NULL) service->on_open(service, conn);
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    bpt_hooked_service *service = user;
    (void)conn;
    service->closes++;
    service->why = why;
    note(service->side, service->name, 'c');
}

static void on_drain(bp_conn *conn, void *user) {
    bpt_hooked_service *service = user;
    service->drains++;
    note(service->side, service->name, 'd');
    if (service->on_drain != NULL) service->on_drain(service, conn);
}

static bool on_tick(bp_conn *conn, uint32_t elapsed_ms, void *user) {
    bpt_hooked_service *service = user;
    service->ticks++;
    service->elapsed_ms += elapsed_ms;
    note(service->side, service->name, 't');
    if (service->on_tick != NULL) service->on_tick(service, conn);
    return service->ticks < service->ticks_wanted;
}

static bp_buf *lend(bp_conn *conn, uint16_t type, uint32_t length, void *user) {
    bpt_hooked_service *service = user;
    bpt_must(bp_conn_data(conn) == NULL); /* it is one, and open */
    service->asked++;
    service->asked_type = type;
    service->asked_length = length;
    service->lent = NULL;
    if (service->lenders == NULL) return NULL;
    const bp_err err = bp_pool_acquire(service->lenders, length == 0 ? 1 : length, &service->lent);
    bpt_must(err == BP_OK || err == BP_ERR_NO_MEMORY);
    return service->lent;
}

static bp_err dispatch(const bp_service *of, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    bpt_hooked_service *service = of->user;
    (void)is_invalid;
    service->frames++;
    return service->on_frame == NULL ? BP_OK : service->on_frame(service, conn, frame);
}

static void own_open(bpt_side *side, bp_conn *conn) {
    (void)conn;
    note(side->data, 'P', 'o');
}

static void own_close(bpt_side *side, bp_conn *conn) {
    (void)conn;
    note(side->data, 'P', 'c');
}

static void own_drain(bpt_side *side, bp_conn *conn) {
    (void)conn;
    note(side->data, 'P', 'd');
}

/* ---- sides ---- */

static bp_service service_of(bpt_hooked *side, bpt_hooked_service *service, char name) {
    service->side = side;
    service->name = name;
    service->schema = schema_of(name);
    service->hooks.on_open = on_open;
    service->hooks.on_close = on_close;
    service->hooks.on_drain = on_drain;
    service->hooks.on_tick = on_tick;
    if (name == 'A') service->hooks.lend = lend;
    return (bp_service){.schema = &service->schema,
                        .dispatch = dispatch,
                        .user = service,
                        .session_size = sizeof(uint64_t),
                        .hooks = &service->hooks};
}

void bpt_hooked_join(bpt_hooked *hooked, bpt_side *side, bp_conn_config *config) {
    side->data = hooked;
    side->on_open = own_open;
    side->on_close = own_close;
    side->on_drain = own_drain;
    config->services[1] = config->services[0];
    config->services[0] = service_of(hooked, &hooked->a, 'A');
    config->services[2] = service_of(hooked, &hooked->b, 'B');
    config->service_count = 3;
}

void bpt_hook_rig_init(bpt_hook_rig *h) {
    memset(h, 0, sizeof *h);
    bpt_rig_init(&h->rig);
}

void bpt_hook_rig_start(bpt_hook_rig *h, int way) {
    bp_server_config server = bpt_rig_server_config(&h->rig, way);
    bp_client_config client = bpt_rig_client_config(&h->rig, 0, way);
    bpt_hooked_join(&h->server, &h->rig.server, &server.conn);
    bpt_hooked_join(&h->client, &h->rig.clients[0], &client.conn);
    bpt_rig_listen(&h->rig, &server, way);
    bpt_rig_connect(&h->rig, 0, &client);
    bpt_rig_until(&h->rig, h->rig.server.opens == 1 && h->rig.clients[0].opens == 1);
    bpt_rig_until(&h->rig, bpt_has_met(h->rig.server.conn) && bpt_has_met(h->rig.clients[0].conn));
}

static void check_balanced(const bpt_hooked_service *service) { ck_assert_uint_eq(service->opens, service->closes); }

void bpt_hook_rig_fini(bpt_hook_rig *h) {
    bpt_rig_fini(&h->rig);
    check_balanced(&h->server.a);
    check_balanced(&h->server.b);
    check_balanced(&h->client.a);
    check_balanced(&h->client.b);
}
