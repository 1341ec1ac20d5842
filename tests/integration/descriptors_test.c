#define _GNU_SOURCE
/* A table of descriptors with room for ever fewer: whatever cannot be made is told, and nothing of it is left. What
 * accept does then is in the server's own tests. */
#include "tests/support/descriptors.h"
#include "tests/support/frame_rig.h"

#include <stdio.h>

enum { ENOUGH = 24 /* descriptors: more than two loops, a listener and a connection need */ };

typedef struct scene {
    bpt_rig rig;
    bp_server *server;
    bp_client *client;
    char address[192];
} scene;

static bp_err make_server(scene *s, int way) {
    bp_server_config config = bpt_rig_server_config(&s->rig, way);
    config.loop = NULL;
    config.handle_signals = true;
    const char *address = bpt_way_is_unix(way) ? bpt_rig_path(&s->rig, "unix://", "socket") : "tcp://127.0.0.1:0";
    const bp_err err = bp_server_new(&config, address, &s->server);
    if (err == BP_OK) bpt_ok(bp_server_address(s->server, s->address, sizeof s->address));
    return err;
}

static bp_err make_client(scene *s, int way) {
    bp_client_config config = bpt_rig_client_config(&s->rig, 0, way);
    config.loop = NULL;
    config.handle_signals = true;
    return bp_client_new(&config, s->address, &s->client);
}

/* Makes a server and a client with so many descriptors; true: there were enough of them. */
static bool make_both(scene *s, int way, int left) {
    const int before = bpt_descriptor_count();
    bpt_descriptors_take(left);
    const bp_err server = make_server(s, way);
    const bp_err client = server == BP_OK ? make_client(s, way) : BP_ERR_SYSTEM;
    bp_client_free_take(&s->client);
    bp_server_free_take(&s->server);
    bpt_descriptors_give();
    ck_assert(server == BP_OK || server == BP_ERR_SYSTEM);
    ck_assert(client == BP_OK || client == BP_ERR_SYSTEM);
    ck_assert_int_eq(bpt_descriptor_count(), before);
    return client == BP_OK;
}

START_TEST(a_full_table_is_told_at_start) {
    scene s = {0};
    bool is_enough = false;
    int left = 0;
    bpt_rig_init(&s.rig);
    for (; !is_enough && left < ENOUGH; left++) is_enough = make_both(&s, _i, left);
    ck_assert(is_enough);
    ck_assert_int_ge(left, 8); /* fewer were not: each of them was missing once */
    bpt_rig_fini(&s.rig);
}
END_TEST

/* A client on a loop that serves others: it alone is told. */
START_TEST(a_full_table_is_told_when_connecting) {
    bpt_rig rig;
    bpt_rig_init(&rig);
    bpt_rig_start(&rig, _i);
    const bp_client_config config = bpt_rig_client_config(&rig, 1, _i);
    const int before = bpt_descriptor_count();
    bpt_descriptors_take(0);
    const bp_err err = bp_client_new(&config, rig.address, &rig.clients[1].client);
    if (err == BP_OK) {
        bpt_rig_until(&rig, rig.clients[1].closes == 1);
        bpt_err(rig.clients[1].why, BP_ERR_SYSTEM);
    } else {
        bpt_err(err, BP_ERR_SYSTEM);
        ck_assert_ptr_null(rig.clients[1].client);
    }
    bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    bpt_rig_until(&rig, rig.server.frames == 1);
    bpt_descriptors_give();
    ck_assert_int_eq(bpt_descriptor_count(), before);
    bp_client_free_take(&rig.clients[1].client);
    bpt_rig_connect(&rig, 1, &config);
    bpt_rig_until(&rig, rig.clients[1].opens == 1 && rig.server.opens == 2);
    bpt_rig_fini(&rig);
}
END_TEST

BPT_SUITE(integration_descriptors) {
    tcase_add_checked_fixture(tcase, bpt_rig_warm_up, NULL);
    BPT_LOOP_TEST(a_full_table_is_told_at_start, 0, BPT_WAYS);
    BPT_LOOP_TEST(a_full_table_is_told_when_connecting, 0, BPT_WAYS);
}
