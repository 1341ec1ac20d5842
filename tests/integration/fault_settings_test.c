#define _GNU_SOURCE
/* The table of faults once more (faults_test.c), where more goes on than one connection on one loop:
 *   - a server with two loops on threads of their own;
 *   - a client that comes back by itself, as its server hangs up after the first frames;
 *   - a server whose handlers find no memory every other time, so that its connection waits while the fault comes;
 *   - frames that another thread posts, and has to wait for room.
 * After each trial everything has arrived in order, or one side was told the error once; every callback came once; the
 * next client is served; no buffer, handle or descriptor is left. Without BPT_FAULTS=all in the environment every
 * fourth call is tried, beginning with another one in each row. */
#include "tests/support/descriptors.h"
#include "tests/support/dry_pool.h"
#include "tests/support/fault_rows.h"
#include "tests/support/frame_rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define must bpt_fault_must

typedef enum kind { TWO_LOOPS, COMING_BACK, DRY, POSTED, SETTINGS } kind;

static const char *const setting_names[] = {"two loops, ", "coming back, ", "dry, ", "posted, "};

enum { PER_ROUND = 4, CALLERS = 2, CLOSES_MAX = 3, POST_ROOM = 20000, ERRORS = BP_ERR_SYSTEM + 1 };

typedef struct scene scene;

/* A client, with what it knows of the connection that it has now. */
typedef struct caller {
    scene *all;
    bp_client *client;
    uint64_t goal, sent, got;
    unsigned opens, closes;
    bp_err whys[CLOSES_MAX];
    bool is_over;   /* it has all its answers */
    bool has_ended; /* it has no connection, and will have none */
    bp_pool *pool; /* of the client, for the poster */
    bp_conn *posted_to;
    pthread_t poster;
    uv_sem_t go_on;
    bool was_full;
} caller;

struct scene {
    const bpt_fault_row *row;
    kind setting;
    int way;
    bpt_rig rig; /* its loop, its directory and its address */
    bp_pool *dry;
    bp_server *server;
    pthread_t thread; /* which runs the server, where that has loops of its own */
    unsigned opens, closes, turns;
    bool has_hung_up;
    unsigned whys[ERRORS]; /* of the server's connections */
    caller callers[CALLERS];
};

/* The server's callbacks may be on two threads. */
static unsigned get(const unsigned *count) { return __atomic_load_n(count, __ATOMIC_SEQ_CST); }
static void count(unsigned *count) { (void)__atomic_fetch_add(count, 1, __ATOMIC_SEQ_CST); }

static void configure(bp_conn_config *config, void *user) {
    config->user = user;
    config->handshake_ms = config->frame_ms = config->stall_ms = config->finish_ms = UINT32_MAX;
}

/* ---- the server: an echo ---------------------------------------------------------------------------------------- */

static bp_err echo(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    scene *s = service->user;
    uint64_t *next = bp_conn_session(conn, service);
    bp_buf *buf = NULL;
    (void)is_invalid;
    must(bpt_fault_is_frame(frame, *next));
    if (s->setting == COMING_BACK && !s->has_hung_up && *next == PER_ROUND) {
        s->has_hung_up = true;
        return BP_ERR_CLOSED;
    }
    bp_err err = bp_conn_keep(conn, &buf);
    if (err == BP_OK) err = bp_conn_send_take(conn, &buf);
    if (err == BP_OK) ++*next;
    bp_buf_release(buf);
    return err;
}

static void on_server_open(bp_conn *conn, void *user) {
    (void)conn;
    count(&((scene *)user)->opens);
}

static void on_server_close(bp_conn *conn, bp_err why, void *user) {
    scene *s = user;
    (void)conn;
    count(&s->whys[why]);
    count(&s->closes);
}

static bp_server_config server_config(scene *s) {
    bp_server_config config = bp_server_config_default((bp_service){
        .schema = &bpt_frame_schema, .dispatch = echo, .user = s, .session_size = sizeof(uint64_t)});
    configure(&config.conn, s);
    config.conn.pool = s->dry;
    config.conn.on_open = on_server_open;
    config.conn.on_close = on_server_close;
    config.handle_signals = false;
    if (s->setting == TWO_LOOPS)
        config.thread_count = 2;
    else
        config.loop = &s->rig.loop;
    return config;
}

static void *run_server(void *server) {
    must(bp_server_run(server) == BP_OK);
    return NULL;
}

static bp_err make_server(scene *s) {
    const bp_server_config config = server_config(s);
    const char *unix_address = bpt_rig_path(&s->rig, "unix://", "socket");
    const bp_err err = bp_server_new(&config, bpt_way_is_unix(s->way) ? unix_address : "tcp://127.0.0.1:0", &s->server);
    if (err != BP_OK) must(s->server == NULL && bpt_fault_may_stop_start(s->row, err));
    return err;
}

static bp_err learn_address(scene *s) {
    const bp_err err = bp_server_address(s->server, s->rig.address, sizeof s->rig.address);
    if (err != BP_OK) must(bpt_fault_may_stop_start(s->row, err));
    return err;
}

/* What fails does so once. */
static void start_server(scene *s) {
    if (make_server(s) != BP_OK) bpt_ok(make_server(s));
    if (learn_address(s) != BP_OK) bpt_ok(learn_address(s));
    if (s->setting == TWO_LOOPS) ck_assert_int_eq(pthread_create(&s->thread, NULL, run_server, s->server), 0);
}

static void end_server(scene *s) {
    if (s->setting == TWO_LOOPS) {
        bp_server_drain(s->server);
        ck_assert_int_eq(pthread_join(s->thread, NULL), 0);
    }
    must(get(&s->opens) == get(&s->closes));
    must(bpt_pool_in_use(bp_server_pool(s->server)) == 0);
    bp_server_free_take(&s->server);
}

/* ---- clients ---------------------------------------------------------------------------------------------------- */

static void send_round(caller *c, bp_conn *conn) {
    for (int i = 0; i < PER_ROUND; i++) {
        bp_buf *buf = bpt_fault_buf(bp_conn_pool(conn), c->sent);
        const bp_err err = bp_conn_send_take(conn, &buf);
        bp_buf_release(buf);
        if (err != BP_OK) return; /* on_close will say why */
        c->sent++;
    }
}

/* Posts the next frame; where there is no room, lets the loop go on and waits for it. */
static bp_err post_next(caller *c) {
    bp_buf *buf = bpt_fault_buf(c->pool, c->sent);
    bp_err err = bp_conn_post_take(c->posted_to, &buf);
    if (err == BP_ERR_QUEUE_FULL) {
        if (!c->was_full) uv_sem_post(&c->go_on);
        c->was_full = true;
        err = bp_conn_post_wait_take(c->posted_to, &buf, UINT32_MAX);
    }
    bp_buf_release(buf);
    return err;
}

/* A thread that posts everything. */
static void *post_all(void *user) {
    caller *c = user;
    bp_err err = BP_OK;
    while (err == BP_OK && c->sent < c->goal) {
        err = post_next(c);
        if (err == BP_OK) c->sent++;
    }
    must(err == BP_OK || err == BP_ERR_CLOSED);
    if (!c->was_full) uv_sem_post(&c->go_on);
    bp_conn_release_take(&c->posted_to);
    bp_pool_release_take(&c->pool);
    return NULL;
}

/* The loop is held until there is no more room, or all is posted. */
static void start_poster(caller *c, bp_conn *conn) {
    c->pool = bp_pool_retain(bp_conn_pool(conn));
    c->posted_to = bp_conn_retain(conn);
    must(c->posted_to != NULL && uv_sem_init(&c->go_on, 0) == 0);
    ck_assert_int_eq(pthread_create(&c->poster, NULL, post_all, c), 0);
    uv_sem_wait(&c->go_on);
}

static void end_poster(caller *c) {
    if (c->all->setting != POSTED || c->opens == 0) return;
    ck_assert_int_eq(pthread_join(c->poster, NULL), 0);
    uv_sem_destroy(&c->go_on);
}

static void on_open(bp_conn *conn, void *user) {
    caller *c = user;
    c->opens++;
    c->sent = c->got = 0;
    if (c->all->setting == POSTED)
        start_poster(c, conn);
    else
        send_round(c, conn);
}

static bp_err take_echo(const bp_service *service, bp_conn *conn, const bp_frame *frame, bool *is_invalid) {
    caller *c = service->user;
    (void)is_invalid;
    must(bpt_fault_is_frame(frame, c->got));
    c->got++;
    if (c->got == c->goal) {
        c->is_over = true;
        bp_conn_finish(conn);
    } else if (c->all->setting != POSTED && c->got == c->sent) {
        send_round(c, conn);
    }
    return BP_OK;
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    caller *c = user;
    (void)conn;
    must(c->closes < CLOSES_MAX);
    c->whys[c->closes++] = why;
    c->has_ended = c->is_over || c->all->setting != COMING_BACK;
    if (c->is_over) bp_client_stop(c->client);
}

static bp_err make_client(caller *c) {
    scene *s = c->all;
    bp_client_config config =
        bp_client_config_default((bp_service){.schema = &bpt_frame_schema, .dispatch = take_echo, .user = c});
    configure(&config.conn, c);
    config.loop = &s->rig.loop;
    config.conn.on_open = on_open;
    config.conn.on_close = on_close;
    if (s->setting == COMING_BACK) config.reconnect_min_ms = 1;
    if (s->setting == POSTED) config.conn.send_queue_bytes = POST_ROOM;
    const bp_err err = bp_client_new(&config, s->rig.address, &c->client);
    if (err != BP_OK) must(c->client == NULL && c->closes == 0 && bpt_fault_may_stop_start(s->row, err));
    return err;
}

static bool is_server_quiet(const scene *s) { return s->setting == TWO_LOOPS || s->opens == s->closes; }

/* Memory comes some turns after it was asked for: other things happen meanwhile. */
static void turn(scene *s) {
    enum { GRANT_TURNS = 3 };
    uv_run(&s->rig.loop, UV_RUN_ONCE);
    if (s->dry != NULL && ++s->turns % GRANT_TURNS == 0) bpt_dry_pool_grant(s->dry);
}

static void run_client(caller *c) {
    scene *s = c->all;
    const bp_err err = make_client(c);
    if (err != BP_OK && s->setting != COMING_BACK) return;
    if (err != BP_OK) bpt_ok(make_client(c));
    while (!c->has_ended || !is_server_quiet(s)) turn(s);
    end_poster(c);
    must(bp_client_conn(c->client) == NULL && bpt_pool_in_use(bp_client_pool(c->client)) == 0);
}

/* ---- what must have happened ------------------------------------------------------------------------------------ */

static bool is_clean(const caller *c, unsigned close) {
    return c->whys[close] == BP_ERR_CLOSED && c->sent == c->goal && c->got == c->goal;
}

/* What the server says of the connection that was struck, beside what it says of every other one. */
static bp_err server_why(const scene *s) {
    static const bp_err ends[] = {BP_ERR_RESET, BP_ERR_LOST, BP_ERR_END};
    if (get(&s->whys[s->row->err]) != 0) return s->row->err;
    for (int i = 0; i < 3; i++) {
        if (get(&s->whys[ends[i]]) != 0) return ends[i];
    }
    return BP_OK;
}

static bool is_told(const caller *c) {
    return bpt_fault_is_told(c->all->row, c->whys[0], server_why(c->all), c->got == c->goal);
}

/* It has everything in the end, and was told of what came before: that the server hung up, and once of the fault. */
static bool has_come_back(const caller *c) {
    const unsigned last = c->closes - 1;
    unsigned struck = 0;
    for (unsigned i = 0; i < last; i++) {
        if (c->whys[i] == BP_ERR_END || c->whys[i] == BP_ERR_RESET) continue;
        if (!bpt_fault_is_told(c->all->row, c->whys[i], BP_OK, false)) return false;
        struck++;
    }
    const bool is_lossless = c->all->row->outcome == BPT_PASSED_OVER || c->all->row->outcome == BPT_NOT_STARTED;
    return is_clean(c, last) && c->all->has_hung_up && struck <= 1 && last <= (is_lossless ? 1 : 2);
}

static void check_struck(const caller *c) {
    if (c->client == NULL) return; /* it did not start, and was told so */
    const bool is_well = c->all->setting == COMING_BACK ? has_come_back(c)
                                                        : c->closes == 1 && (is_clean(c, 0) || is_told(c));
    ck_assert_msg(is_well, "%s: client: %s, server: %s; %u closes, %lu sent, %lu came back", bpt_fault_trial,
                  bp_err_name(c->whys[c->closes - 1]), bp_err_name(server_why(c->all)), c->closes,
                  (unsigned long)c->sent, (unsigned long)c->got);
}

static void check_next(const caller *c) {
    const unsigned hung_up = c == c->all->callers && c->all->has_hung_up;
    must(c->closes == 1 + hung_up && c->opens == 1 + hung_up);
    must(is_clean(c, hung_up));
}

/* Of errors the server has told no more than this one. */
static void check_server(const scene *s) {
    unsigned strange = 0;
    for (int err = 0; err < ERRORS; err++) {
        const bool is_usual = err == BP_ERR_END || err == BP_ERR_CLOSED || err == BP_ERR_LOST || err == BP_ERR_RESET;
        if (!is_usual) strange += s->whys[err];
    }
    must(strange <= 1 && (strange == 0 || s->whys[s->row->err] == 1));
}

/* ---- trials ----------------------------------------------------------------------------------------------------- */

static void begin(scene *s, const bpt_fault_row *row, kind setting, int way) {
    *s = (scene){.row = row, .setting = setting, .way = way};
    bpt_rig_init(&s->rig);
    if (setting == DRY) {
        s->dry = bpt_dry_pool();
        bpt_dry_pool_refuse(s->dry, 0, 2);
    }
    for (int i = 0; i < CALLERS; i++) s->callers[i].all = s;
    s->callers[0].goal = BPT_FAULT_FRAMES;
    s->callers[1].goal = PER_ROUND;
}

static void end(scene *s) {
    for (int i = 0; i < CALLERS; i++) bp_client_free_take(&s->callers[i].client);
    end_server(s);
    bpt_rig_fini(&s->rig);
    check_server(s);
    if (s->dry != NULL) must(bpt_dry_pool_waiting(s->dry) == 0 && bpt_pool_in_use(s->dry) == 0);
    bp_pool_release_take(&s->dry);
}

/* Returns false when the fault came too late to strike. */
static bool run_trial(const bpt_fault_row *row, kind setting, int way, uint64_t before) {
    scene s;
    const int descriptors = bpt_descriptor_count();
    bpt_fault_trial_begins(row, setting_names[setting], way, before);
    begin(&s, row, setting, way);
    bpt_faults_arm(&row->fault, before);
    start_server(&s);
    run_client(&s.callers[0]);
    const bool has_struck = bpt_faults_disarm();
    run_client(&s.callers[1]);
    end(&s);
    check_struck(&s.callers[0]);
    check_next(&s.callers[1]);
    must(bpt_descriptor_count() == descriptors);
    bpt_fault_trial_ends();
    return has_struck;
}

static bool are_all_wanted(void) {
    const char *wanted = getenv("BPT_FAULTS");
    return wanted != NULL && strcmp(wanted, "all") == 0;
}

static void run_row(int row_ix, kind setting, int way) {
    const bpt_fault_row *row = &bpt_fault_rows[row_ix];
    const uint64_t step = are_all_wanted() ? 1 : 4;
    if (!bpt_fault_is_for(row, way)) return;
    for (uint64_t before = (uint64_t)row_ix % step; before < BPT_FAULT_CALLS; before += step) {
        if (!run_trial(row, setting, way, before)) break;
    }
}

static void set_up(void) {
    bpt_rig_warm_up();
    bpt_clock_hurry(true);
}

START_TEST(each_call_may_fail_once_in_every_setting) {
    if (!bpt_faults_are_possible()) return;
    for (int setting = 0; setting < SETTINGS; setting++) {
        for (int way = 2; way < BPT_WAYS; way++) run_row(_i, (kind)setting, way);
    }
}
END_TEST

/* A setting is what its name says: or the trials prove nothing. */
START_TEST(without_a_fault_everything_arrives) {
    const bpt_fault_row none = {{.call = BPT_CALL_COUNT}, BPT_PASSED_OVER, BP_OK, BPT_ON_BOTH};
    const kind setting = (kind)(_i / 2);
    scene s;
    bpt_fault_trial_begins(&none, setting_names[setting], 2 + _i % 2, 0);
    begin(&s, &none, setting, 2 + _i % 2);
    start_server(&s);
    for (int i = 0; i < CALLERS; i++) run_client(&s.callers[i]);
    if (setting == DRY) must(bpt_dry_pool_waits(s.dry) > BPT_FAULT_FRAMES / 4);
    if (setting == POSTED) must(s.callers[0].was_full);
    end(&s);
    for (int i = 0; i < CALLERS; i++) check_next(&s.callers[i]);
    must(s.has_hung_up == (setting == COMING_BACK) && s.opens == CALLERS + (unsigned)s.has_hung_up);
    must(server_why(&s) == BP_ERR_END);
    bpt_fault_trial_ends();
}
END_TEST

BPT_LONG_SUITE(integration_fault_settings) {
    tcase_add_checked_fixture(tcase, set_up, NULL);
    BPT_LOOP_TEST(without_a_fault_everything_arrives, 0, 2 * SETTINGS);
    BPT_LOOP_TEST(each_call_may_fail_once_in_every_setting, 0, bpt_fault_row_count);
}
