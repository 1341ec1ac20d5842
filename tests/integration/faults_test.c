#define _GNU_SOURCE
/* Every system call that the transports make, or have libuv make, and every error that it may have: each of the first
 * thirty calls fails once, while a server and a client on one loop exchange frames of every size. After each trial:
 *   - all that was sent has arrived, or one side was told the error; nothing arrived damaged or out of order;
 *   - every callback came exactly once;
 *   - no buffer, handle or descriptor is left;
 *   - the server serves the next client. */
#include "tests/support/descriptors.h"
#include "tests/support/fault_rows.h"
#include "tests/support/frame_rig.h"

#include <errno.h>
#include <stdio.h>

#define must bpt_fault_must

/* ---- a trial ---------------------------------------------------------------------------------------------------- */

enum { PER_ROUND = 4, FRAMES = BPT_FAULT_FRAMES };

/* What a side has seen of the connection that it has now. */
typedef struct traffic {
    uint64_t sent, got;
    uint64_t goal; /* of a client: frames to be sent and to come back */
} traffic;

static void check_frame(bpt_side *side, const bp_frame *frame) {
    traffic *t = side->data;
    const uint64_t n = t->got++;
    must(bpt_fault_is_frame(frame, n));
}

static void begin(bpt_side *side, bp_conn *conn) {
    traffic *t = side->data;
    (void)conn;
    t->sent = t->got = 0;
}

static bp_err echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    check_frame(side, frame);
    bpt_ok(bp_conn_keep(conn, &buf));
    const bp_err err = bp_conn_send_take(conn, &buf);
    if (err == BP_OK) ((traffic *)side->data)->sent++;
    bp_buf_release(buf);
    return err;
}

static bp_err send_round(bpt_side *side, bp_conn *conn) {
    traffic *t = side->data;
    bp_err err = BP_OK;
    for (int i = 0; i < PER_ROUND && err == BP_OK; i++) {
        bp_buf *buf = bpt_fault_buf(bp_conn_pool(conn), t->sent);
        err = bp_conn_send_take(conn, &buf);
        if (err == BP_OK) t->sent++;
        bp_buf_release(buf);
    }
    return err;
}

static void send_first_round(bpt_side *side, bp_conn *conn) {
    begin(side, conn);
    bpt_ok(send_round(side, conn));
}

static bp_err take_echo(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    const traffic *t = side->data;
    check_frame(side, frame);
    if (t->got < t->sent) return BP_OK;
    if (t->sent < t->goal) return send_round(side, conn);
    bp_conn_finish(conn);
    return BP_OK;
}

typedef struct trial {
    bpt_rig rig;
    traffic server, clients[2];
    const bpt_fault_row *row;
    int way;
} trial;

static void init_trial(trial *t, const bpt_fault_row *row, int way) {
    *t = (trial){.row = row, .way = way};
    bpt_rig_init(&t->rig);
    t->rig.server.data = &t->server;
    t->rig.server.on_open = begin;
    t->rig.server.on_frame = echo;
    t->clients[0].goal = FRAMES;
    t->clients[1].goal = PER_ROUND;
    for (int i = 0; i < 2; i++) {
        t->rig.clients[i].data = &t->clients[i];
        t->rig.clients[i].on_open = send_first_round;
        t->rig.clients[i].on_frame = take_echo;
    }
}

/* A start that fails does so with the row's error, and where that may be; then it is made again and must succeed. */
static void start_server(trial *t) {
    bpt_side *side = &t->rig.server;
    const bp_server_config config = bpt_rig_server_config(&t->rig, t->way);
    const char *address = bpt_way_is_unix(t->way) ? bpt_rig_path(&t->rig, "unix://", "socket") : "tcp://127.0.0.1:0";
    bp_err err = bp_server_new(&config, address, &side->server);
    if (err != BP_OK) {
        must(side->server == NULL && bpt_fault_may_stop_start(t->row, err));
        bpt_ok(bp_server_new(&config, address, &side->server));
    }
    err = bp_server_address(side->server, t->rig.address, sizeof t->rig.address);
    if (err == BP_OK) return;
    must(bpt_fault_may_stop_start(t->row, err));
    bpt_ok(bp_server_address(side->server, t->rig.address, sizeof t->rig.address));
}

static void run_client(trial *t, int ix) {
    bpt_side *side = &t->rig.clients[ix];
    const bp_client_config config = bpt_rig_client_config(&t->rig, ix, t->way);
    const bp_err err = bp_client_new(&config, t->rig.address, &side->client);
    if (err == BP_OK) {
        bpt_rig_until(&t->rig, side->closes == 1 && t->rig.server.opens == t->rig.server.closes);
        must(side->opens <= 1 && bp_client_conn(side->client) == NULL);
    } else {
        must(side->client == NULL && bpt_fault_may_stop_start(t->row, err) && side->closes == 0);
    }
    must(side->in_use_at_close == 0 && t->rig.server.in_use_at_close == 0);
}

static bool is_clean(const bpt_side *client, const bpt_side *server) {
    const traffic *c = client->data, *s = server->data;
    return client->why == BP_ERR_CLOSED && server->why == BP_ERR_END && server->closes != 0 && c->sent == c->goal &&
           c->got == c->goal && s->got == c->goal && s->sent == c->goal;
}

static bool is_told(const trial *t) {
    return bpt_fault_is_told(t->row, t->rig.clients[0].why, t->rig.server.why, t->clients[0].got == FRAMES);
}

static void check_first_client(const trial *t) {
    const bpt_side *client = &t->rig.clients[0], *server = &t->rig.server;
    if (client->client == NULL) return; /* it did not start, and was told so */
    ck_assert_msg(is_clean(client, server) || is_told(t),
                  "%s: client: %s, server: %s; %lu sent, %lu got, %lu came back", bpt_fault_trial,
                  bp_err_name(client->why), bp_err_name(server->why), (unsigned long)t->clients[0].sent,
                  (unsigned long)t->server.got, (unsigned long)t->clients[0].got);
}

/* The server may still have somebody in its backlog who has given up; it lets go of both. */
static void check_next_client(trial *t) {
    run_client(t, 1);
    must(is_clean(&t->rig.clients[1], &t->rig.server));
    must(t->rig.clients[1].opens == 1 && t->rig.clients[1].closes == 1);
}

/* Returns false when the fault came too late to strike. */
static bool run_trial(const bpt_fault_row *row, int way, uint64_t before) {
    trial t;
    const int descriptors = bpt_descriptor_count();
    bpt_fault_trial_begins(row, "", way, before);
    init_trial(&t, row, way);
    bpt_faults_arm(&row->fault, before);
    start_server(&t);
    run_client(&t, 0);
    const bool has_struck = bpt_faults_disarm();
    check_first_client(&t);
    check_next_client(&t);
    bpt_rig_fini(&t.rig);
    must(bpt_descriptor_count() == descriptors);
    bpt_fault_trial_ends();
    return has_struck;
}

static void set_up(void) {
    bpt_rig_warm_up();
    bpt_clock_hurry(true);
}

START_TEST(each_call_may_fail_once) {
    const bpt_fault_row *row = &bpt_fault_rows[_i];
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        uint64_t before = 0;
        if (!bpt_fault_is_for(row, way)) continue;
        while (before < BPT_FAULT_CALLS && run_trial(row, way, before)) before++;
        must(before != 0); /* nobody makes this call: the row proves nothing */
    }
}
END_TEST

/* ---- the wrappers themselves ------------------------------------------------------------------------------------ */

/* Without a fault everything arrives, and every call of the table is made, by libuv or by the transports. */
START_TEST(every_call_of_the_table_is_seen) {
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        const bpt_fault_row none = {{.call = BPT_CALL_COUNT}, BPT_PASSED_OVER, BP_OK, BPT_ON_BOTH};
        trial t;
        init_trial(&t, &none, way);
        bpt_faults_arm(NULL, 0);
        start_server(&t);
        run_client(&t, 0);
        ck_assert(!bpt_faults_disarm());
        check_first_client(&t);
        bpt_rig_fini(&t.rig);
        for (int i = 0; i < bpt_fault_row_count; i++) {
            const bpt_fault_row *row = &bpt_fault_rows[i];
            if (!bpt_fault_is_for(row, way)) continue;
            ck_assert_msg(bpt_faults_count(row->fault.call) != 0, "%s", bpt_call_name(row->fault.call));
        }
    }
}
END_TEST

/* ---- the end of a listener -------------------------------------------------------------------------------------- */

START_TEST(a_listener_is_closed_whatever_close_says) {
    static const bpt_fault_row closes[] = {{BPT_ERROR(CLOSE, EINTR), BPT_PASSED_OVER, BP_OK, BPT_ON_BOTH},
                                           {BPT_ERROR(CLOSE, EIO), BPT_PASSED_OVER, BP_OK, BPT_ON_BOTH}};
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        const int descriptors = bpt_descriptor_count();
        trial t;
        init_trial(&t, &closes[_i], way);
        start_server(&t);
        bpt_faults_arm(&closes[_i].fault, 0);
        bpt_rig_fini(&t.rig);
        ck_assert(bpt_faults_disarm());
        ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    }
}
END_TEST

/* ---- loops of their own ----------------------------------------------------------------------------------------- */

static const bpt_fault_row loop_rows[] = {
    {BPT_ERROR(EPOLL_CREATE1, EMFILE), BPT_NOT_STARTED, BP_ERR_SYSTEM, BPT_ON_BOTH},
    {BPT_ERROR(EPOLL_CREATE1, ENFILE), BPT_NOT_STARTED, BP_ERR_SYSTEM, BPT_ON_BOTH},
    {BPT_ERROR(EPOLL_CREATE1, ENOMEM), BPT_NOT_STARTED, BP_ERR_NO_MEMORY, BPT_ON_BOTH},
    {BPT_ERROR(EVENTFD, EMFILE), BPT_NOT_STARTED, BP_ERR_SYSTEM, BPT_ON_BOTH},
    {BPT_ERROR(EVENTFD, ENFILE), BPT_NOT_STARTED, BP_ERR_SYSTEM, BPT_ON_BOTH},
    {BPT_ERROR(EVENTFD, ENOMEM), BPT_NOT_STARTED, BP_ERR_NO_MEMORY, BPT_ON_BOTH},
    {BPT_ERROR(PIPE2, EMFILE), BPT_NOT_STARTED, BP_ERR_SYSTEM, BPT_ON_BOTH},
    {BPT_ERROR(PIPE2, ENFILE), BPT_NOT_STARTED, BP_ERR_SYSTEM, BPT_ON_BOTH},
};
enum { LOOP_ROWS = sizeof loop_rows / sizeof loop_rows[0] };

static bp_err make_server_with(trial *t, uint32_t threads) {
    bp_server_config config = bpt_rig_server_config(&t->rig, t->way);
    const char *address = bpt_way_is_unix(t->way) ? bpt_rig_path(&t->rig, "unix://", "socket") : "tcp://127.0.0.1:0";
    config.loop = NULL;
    config.handle_signals = true;
    config.thread_count = threads;
    return bp_server_new(&config, address, &t->rig.server.server);
}

static bp_err make_server_alone(trial *t) { return make_server_with(t, 1); }
static bp_err make_server_of_two(trial *t) { return make_server_with(t, 2); }

static bp_err make_client_alone(trial *t) {
    bp_client_config config = bpt_rig_client_config(&t->rig, 0, t->way);
    config.loop = NULL;
    config.handle_signals = true;
    return bp_client_new(&config, t->rig.address, &t->rig.clients[0].client);
}

/* Makes a side with a loop of its own, with the fault; false when it came too late. */
static bool run_loop_trial(trial *t, bp_err (*make)(trial *t), uint64_t before) {
    const int descriptors = bpt_descriptor_count();
    bpt_fault_trial_begins(t->row, "", t->way, before);
    bpt_faults_arm(&t->row->fault, before);
    const bp_err err = make(t);
    const bool has_struck = bpt_faults_disarm();
    must(has_struck == (err != BP_OK));
    if (has_struck) {
        must(bpt_fault_may_stop_start(t->row, err) && t->rig.server.server == NULL && t->rig.clients[0].client == NULL);
        must(bpt_descriptor_count() == descriptors);
    }
    bp_server_free_take(&t->rig.server.server);
    bp_client_free_take(&t->rig.clients[0].client);
    must(bpt_descriptor_count() == descriptors);
    return has_struck;
}

START_TEST(a_loop_of_its_own_may_fail_to_start) {
    if (!bpt_faults_are_possible()) return;
    for (int way = 2; way < BPT_WAYS; way++) {
        trial t;
        init_trial(&t, &loop_rows[_i], way);
        uint64_t server_calls = 0, of_two = 0, client_calls = 0;
        while (run_loop_trial(&t, make_server_alone, server_calls)) server_calls++;
        while (run_loop_trial(&t, make_server_of_two, of_two)) of_two++;
        must(server_calls != 0 && of_two > server_calls);
        snprintf(t.rig.address, sizeof t.rig.address, "%s",
                 bpt_way_is_unix(way) ? bpt_rig_path(&t.rig, "unix://", "nobody") : "tcp://127.0.0.1:1");
        while (run_loop_trial(&t, make_client_alone, client_calls)) client_calls++;
        must(client_calls != 0);
        bpt_rig_fini(&t.rig);
    }
}
END_TEST

BPT_LONG_SUITE(integration_faults) {
    tcase_add_checked_fixture(tcase, set_up, NULL);
    BPT_TEST(every_call_of_the_table_is_seen);
    BPT_LOOP_TEST(each_call_may_fail_once, 0, bpt_fault_row_count);
    BPT_LOOP_TEST(a_listener_is_closed_whatever_close_says, 0, 2);
    BPT_LOOP_TEST(a_loop_of_its_own_may_fail_to_start, 0, LOOP_ROWS);
}
