#define _GNU_SOURCE
/* One contract in three versions, each in a process of its own: a server of the second with clients of the first and of
 * the third. HELLO is asked for. Every message goes both ways; what a reader has besides its writer reads as absent or
 * as its default, what a writer has besides is passed over. Versions that do not read each other are refused before
 * anything is said. */
#include "tests/support/suite.h"

#include "evolve_v1.h"
#include "evolve_v2.h"
#include "evolve_v3.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A server serves one client, and ends with it. */
typedef struct table {
    bp_server *server;
    bp_client *client;
    unsigned opened, got; /* connections; messages */
    uint16_t peer_version;
    bp_err why;
    char why_text[160];
    bp_conn_stats stats;
} table;

enum { MESSAGES = 6 /* flat, arrives, note, choices, renamed, book */ };

/* ---- the server: version 2 -------------------------------------------------------------------------------------- */

static bool is_old(const table *t) { return t->peer_version == 1; }

static bp_err two_takes_flat(bp_conn *conn, const evolve_v2_flat_view *view, void *user) {
    table *t = user;
    const evolve_v2_flat answer = {.first = 50, .second = 60, .third = EVOLVE_V2_SIDE_BUY};
    t->peer_version = bp_conn_peer_version(conn, &evolve_v2_schema);
    t->got++;
    bpt_must(evolve_v2_flat_get_first(view) == 5);
    bpt_must(evolve_v2_flat_has_second(view) == !is_old(t) && evolve_v2_flat_has_third(view) == !is_old(t));
    bpt_must(evolve_v2_flat_get_second(view) == (is_old(t) ? 7 : 6)); /* 7 is its default, sell that of third */
    bpt_must(evolve_v2_flat_get_third(view) == (is_old(t) ? EVOLVE_V2_SIDE_SELL : EVOLVE_V2_SIDE_BUY));
    return evolve_v2_send_flat(conn, &answer);
}

static bp_err two_takes_arrives(bp_conn *conn, const evolve_v2_arrives_view *view, void *user) {
    table *t = user;
    const evolve_v2_arrives answer = {.id = 10, .kind = 20, .name = "second", .name_length = 6};
    const bp_text name = evolve_v2_arrives_get_name(view);
    t->got++;
    bpt_must(evolve_v2_arrives_get_id(view) == 1 && evolve_v2_arrives_get_kind(view) == 2);
    bpt_must(evolve_v2_arrives_has_name(view) == !is_old(t) && name.length == (is_old(t) ? 0 : 3));
    return evolve_v2_send_arrives(conn, &answer);
}

static bool is_text(bp_text text, const char *expected) {
    return text.length == strlen(expected) && memcmp(text.data, expected, text.length) == 0;
}

static bp_err two_takes_note(bp_conn *conn, const evolve_v2_note_view *view, void *user) {
    table *t = user;
    const evolve_v2_note answer = {.id = 30,
                                   .text = "back",
                                   .text_length = 4,
                                   .more = {8, 9},
                                   .more_count = 2,
                                   .language = "fr",
                                   .language_length = 2};
    t->got++;
    bpt_must(is_text(evolve_v2_note_get_text(view), "hello"));
    bpt_must(evolve_v2_note_has_more(view) == !is_old(t) && evolve_v2_note_more_count(view) == (is_old(t) ? 0 : 2));
    bpt_must(is_old(t) || evolve_v2_note_more_at(view, 1) == 8);
    bpt_must(is_text(evolve_v2_note_get_language(view), is_old(t) ? "en" : "de"));
    return evolve_v2_send_note(conn, &answer);
}

static bp_err two_takes_choices(bp_conn *conn, const evolve_v2_choices_view *view, void *user) {
    table *t = user;
    const evolve_v2_choices answer = {.has_b = true, .b = true, .has_c = true, .c = 4};
    t->got++;
    bpt_must(evolve_v2_choices_has_a(view) && evolve_v2_choices_get_a(view) == 3 && !evolve_v2_choices_has_b(view));
    bpt_must(evolve_v2_choices_has_c(view) == !is_old(t) && evolve_v2_choices_get_c(view) == (is_old(t) ? 9 : 11));
    bpt_must(!evolve_v2_choices_has_d(view) && evolve_v2_choices_get_d(view) == EVOLVE_V2_SIDE_BUY);
    return evolve_v2_send_choices(conn, &answer);
}

static bp_err two_takes_renamed(bp_conn *conn, const evolve_v2_renamed_view *view, void *user) {
    const evolve_v2_renamed answer = {.new_name = evolve_v2_renamed_get_new_name(view) + 1};
    ((table *)user)->got++;
    return evolve_v2_send_renamed(conn, &answer);
}

/* Levels have as many bytes as their writer's version gives them. */
static bp_err two_takes_book(bp_conn *conn, const evolve_v2_book_view *view, void *user) {
    table *t = user;
    const evolve_v2_book answer = {.sequence = 8,
                                   .bids = {{.price = 21, .side = EVOLVE_V2_SIDE_BUY, .orders = 22, .tag = 23},
                                            {.price = 24, .side = EVOLVE_V2_SIDE_SELL, .orders = 25, .tag = 26}},
                                   .bids_count = 2,
                                   .asks = {{.price = 27, .side = EVOLVE_V2_SIDE_SELL, .orders = 28}},
                                   .asks_count = 1};
    t->got++;
    bpt_must(evolve_v2_book_get_sequence(view) == 7 && evolve_v2_book_bids_count(view) == 2);
    for (uint32_t i = 0; i < 2; i++) {
        const evolve_v2_level level = evolve_v2_book_bids_at(view, i);
        bpt_must(level.price == 100 + i && level.side == EVOLVE_V2_SIDE_BUY);
        bpt_must(level.orders == (is_old(t) ? 1 : 200 + i) && level.tag == (is_old(t) ? 0 : 300 + i));
    }
    bpt_must(evolve_v2_book_has_asks(view) == !is_old(t));
    return evolve_v2_send_book(conn, &answer);
}

static const evolve_v2_handlers two = {.flat = two_takes_flat,
                                       .arrives = two_takes_arrives,
                                       .note = two_takes_note,
                                       .choices = two_takes_choices,
                                       .renamed = two_takes_renamed,
                                       .book = two_takes_book};

static const evolve_v2_handlers two_asks = {0};

/* ---- a client of version 1 -------------------------------------------------------------------------------------- */

static bp_err count_answer(bp_conn *conn, table *t) {
    if (++t->got == MESSAGES) bp_conn_finish(conn);
    return BP_OK;
}

static bp_err one_takes_flat(bp_conn *conn, const evolve_v1_flat_view *view, void *user) {
    const table *t = user;
    bpt_must(evolve_v1_flat_get_first(view) == 50);
    const bp_err err = count_answer(conn, user);
    if (t->server != NULL) bp_conn_finish(conn); /* as a server it has no more to hear */
    return err;
}

static bp_err one_takes_arrives(bp_conn *conn, const evolve_v1_arrives_view *view, void *user) {
    bpt_must(evolve_v1_arrives_get_id(view) == 10 && evolve_v1_arrives_get_kind(view) == 20);
    return count_answer(conn, user);
}

static bp_err one_takes_note(bp_conn *conn, const evolve_v1_note_view *view, void *user) {
    bpt_must(evolve_v1_note_get_id(view) == 30 && is_text(evolve_v1_note_get_text(view), "back"));
    return count_answer(conn, user);
}

static bp_err one_takes_choices(bp_conn *conn, const evolve_v1_choices_view *view, void *user) {
    bpt_must(!evolve_v1_choices_has_a(view) && evolve_v1_choices_get_b(view));
    return count_answer(conn, user);
}

static bp_err one_takes_renamed(bp_conn *conn, const evolve_v1_renamed_view *view, void *user) {
    bpt_must(evolve_v1_renamed_get_old_name(view) == 0x01020305);
    return count_answer(conn, user);
}

static bp_err one_takes_book(bp_conn *conn, const evolve_v1_book_view *view, void *user) {
    bpt_must(evolve_v1_book_get_sequence(view) == 8 && evolve_v1_book_bids_count(view) == 2);
    bpt_must(evolve_v1_book_bids_at(view, 0).price == 21 && evolve_v1_book_bids_at(view, 1).price == 24);
    return count_answer(conn, user);
}

static bp_err one_takes_moods(bp_conn *conn, const evolve_v1_moods_view *view, void *user) {
    (void)conn;
    bpt_must(evolve_v1_moods_get_mood(view) == EVOLVE_V2_MOOD_NUMB);
    ((table *)user)->got++;
    return BP_OK;
}

static const evolve_v1_handlers one = {.flat = one_takes_flat,
                                       .moods = one_takes_moods,
                                       .arrives = one_takes_arrives,
                                       .note = one_takes_note,
                                       .choices = one_takes_choices,
                                       .renamed = one_takes_renamed,
                                       .book = one_takes_book};

static void one_speaks(bp_conn *conn, void *user) {
    const evolve_v1_flat flat = {.first = 5};
    const evolve_v1_arrives arrives = {.id = 1, .kind = 2};
    const evolve_v1_note note = {.id = 3, .text = "hello", .text_length = 5};
    const evolve_v1_choices choices = {.has_a = true, .a = 3};
    const evolve_v1_renamed renamed = {.old_name = 0x01020304};
    const evolve_v1_book book = {.sequence = 7,
                                 .bids = {{.price = 100, .side = EVOLVE_V1_SIDE_BUY},
                                          {.price = 101, .side = EVOLVE_V1_SIDE_BUY}},
                                 .bids_count = 2};
    (void)user;
    bpt_must(bp_conn_peer_version(conn, &evolve_v1_schema) == 2);
    bpt_ok(evolve_v1_send_flat(conn, &flat));
    bpt_ok(evolve_v1_send_arrives(conn, &arrives));
    bpt_ok(evolve_v1_send_note(conn, &note));
    bpt_ok(evolve_v1_send_choices(conn, &choices));
    bpt_ok(evolve_v1_send_renamed(conn, &renamed));
    bpt_ok(evolve_v1_send_book(conn, &book));
}

/* ---- a client of version 3 -------------------------------------------------------------------------------------- */

static bp_err three_takes_flat(bp_conn *conn, const evolve_v3_flat_view *view, void *user) {
    bpt_must(evolve_v3_flat_get_first(view) == 50 && evolve_v3_flat_get_second(view) == 60);
    bpt_must(evolve_v3_flat_get_third(view) == EVOLVE_V3_SIDE_BUY);
    bpt_must(!evolve_v3_flat_has_fourth(view) && evolve_v3_flat_get_fourth(view) == 0);
    return count_answer(conn, user);
}

static bp_err three_takes_arrives(bp_conn *conn, const evolve_v3_arrives_view *view, void *user) {
    bpt_must(is_text(evolve_v3_arrives_get_name(view), "second") && !evolve_v3_arrives_has_data(view));
    return count_answer(conn, user);
}

static bp_err three_takes_note(bp_conn *conn, const evolve_v3_note_view *view, void *user) {
    bpt_must(is_text(evolve_v3_note_get_text(view), "back") && is_text(evolve_v3_note_get_language(view), "fr"));
    bpt_must(evolve_v3_note_more_count(view) == 2 && evolve_v3_note_more_at(view, 1) == 9);
    bpt_must(!evolve_v3_note_has_late(view));
    return count_answer(conn, user);
}

static bp_err three_takes_choices(bp_conn *conn, const evolve_v3_choices_view *view, void *user) {
    bpt_must(evolve_v3_choices_get_b(view) && evolve_v3_choices_get_c(view) == 4);
    bpt_must(!evolve_v3_choices_has_e(view) && evolve_v3_choices_get_e(view) == 0);
    return count_answer(conn, user);
}

static bp_err three_takes_renamed(bp_conn *conn, const evolve_v3_renamed_view *view, void *user) {
    bpt_must(evolve_v3_renamed_get_newest_name(view) == 0x01020305);
    return count_answer(conn, user);
}

static bp_err three_takes_book(bp_conn *conn, const evolve_v3_book_view *view, void *user) {
    const evolve_v3_level bid = evolve_v3_book_bids_at(view, 1), ask = evolve_v3_book_asks_at(view, 0);
    bpt_must(bid.price == 24 && bid.orders == 25 && bid.tag == 26 && strcmp(bid.label, "new") == 0);
    bpt_must(ask.price == 27 && ask.orders == 28 && ask.tag == 0);
    return count_answer(conn, user);
}

static const evolve_v3_handlers three = {.flat = three_takes_flat,
                                         .arrives = three_takes_arrives,
                                         .note = three_takes_note,
                                         .choices = three_takes_choices,
                                         .renamed = three_takes_renamed,
                                         .book = three_takes_book};

static void three_speaks(bp_conn *conn, void *user) {
    const evolve_v3_flat flat = {.first = 5, .second = 6, .third = EVOLVE_V3_SIDE_BUY, .fourth = 8};
    const evolve_v3_arrives arrives = {
        .id = 1, .kind = 2, .name = "abc", .name_length = 3, .data = {9, 9}, .data_length = 2};
    const evolve_v3_note note = {.id = 3,
                                 .text = "hello",
                                 .text_length = 5,
                                 .more = {7, 8},
                                 .more_count = 2,
                                 .language = "de",
                                 .language_length = 2,
                                 .has_late = true,
                                 .late = {1},
                                 .late_count = 1};
    const evolve_v3_choices choices = {.has_a = true, .a = 3, .has_c = true, .c = 11, .e = 12};
    const evolve_v3_renamed renamed = {.newest_name = 0x01020304};
    evolve_v3_book book = {.sequence = 7, .bids_count = 2};
    (void)user;
    for (uint32_t i = 0; i < 2; i++) {
        book.bids[i] = (evolve_v3_level){.price = 100 + i, .side = EVOLVE_V3_SIDE_BUY, .orders = 200 + i,
                                         .tag = 300 + i, .label = "long", .label_length = 4};
    }
    bpt_must(bp_conn_peer_version(conn, &evolve_v3_schema) == 2);
    bpt_ok(evolve_v3_send_flat(conn, &flat));
    bpt_ok(evolve_v3_send_arrives(conn, &arrives));
    bpt_ok(evolve_v3_send_note(conn, &note));
    bpt_ok(evolve_v3_send_choices(conn, &choices));
    bpt_ok(evolve_v3_send_renamed(conn, &renamed));
    bpt_ok(evolve_v3_send_book(conn, &book));
}

/* ---- two processes ---------------------------------------------------------------------------------------------- */

static bp_server_config server_of_one(table *t) { return evolve_v1_server_config(&one, t); }
static bp_server_config server_of_two(table *t) { return evolve_v2_server_config(&two, t); }
static bp_server_config server_of_three(table *t) { return evolve_v3_server_config(&three, t); }
static bp_client_config client_of_one(table *t) { return evolve_v1_client_config(&one, t); }
static bp_client_config client_of_two(table *t) { return evolve_v2_client_config(&two_asks, t); }
static bp_client_config client_of_three(table *t) { return evolve_v3_client_config(&three, t); }

/* Who speaks to whom, and what the client says of its end, in its own process. */
typedef struct meeting {
    bp_server_config (*server)(table *t);
    bp_client_config (*client)(table *t);
    void (*speaks)(bp_conn *conn, void *user); /* the client, once it is open */
    void (*check)(const table *t);
    bp_hello hello;                        /* of the server; the client always asks for it */
    bp_invalid invalid;                    /* the server's policy */
    const bp_schema *client_schema;        /* NULL: its own */
    const char *server_says, *client_says; /* why they part; NULL: anything */
} meeting;

static void note_open(bp_conn *conn, void *user) {
    (void)conn;
    ((table *)user)->opened++;
}

static void note_end(bp_conn *conn, bp_err why, void *user) {
    table *t = user;
    t->why = why;
    bp_conn_why_text(conn, t->why_text, sizeof t->why_text);
    bp_conn_stats_read(conn, &t->stats);
    if (t->server != NULL) bp_server_stop(t->server);
}

static void configure(bp_conn_config *config, bp_hello hello) {
    config->hello = hello;
    config->on_open = note_open;
    config->on_close = note_end;
}

static void be_client(const meeting *m, int address_fd) {
    char address[128];
    table t = {0};
    bp_client_config config = m->client(&t);
    configure(&config.conn, BP_HELLO_REQUIRED);
    if (m->speaks != NULL) config.conn.on_open = m->speaks;
    if (m->client_schema != NULL) config.conn.services[0].schema = m->client_schema;
    ck_assert_int_eq(read(address_fd, address, sizeof address), sizeof address);
    bpt_ok(bp_client_new(&config, address, &t.client));
    const bp_err err = bp_client_run(t.client);
    bpt_err(err == BP_OK ? BP_ERR_CLOSED : err, t.why);
    if (m->client_says != NULL) ck_assert_str_eq(t.why_text, m->client_says);
    m->check(&t);
    bp_client_free_take(&t.client);
}

static pid_t start_client(const meeting *m, int *address_fd) {
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        be_client(m, ends[0]);
        exit(0);
    }
    close(ends[0]);
    *address_fd = ends[1];
    return child;
}

/* Serves one client of another process; what the server saw. */
static table meet(const meeting *m, int way) {
    char address[128] = "tcp://127.0.0.1:0", directory[] = "/tmp/bpt-XXXXXX";
    int address_fd, status = 0;
    table t = {0};
    ck_assert_ptr_nonnull(mkdtemp(directory));
    if (way != 0) snprintf(address, sizeof address, "unix://%s/socket", directory);
    const pid_t child = start_client(m, &address_fd);
    bp_server_config config = m->server(&t);
    configure(&config.conn, m->hello);
    config.conn.invalid = m->invalid;
    bpt_ok(bp_server_new(&config, address, &t.server));
    bpt_ok(bp_server_address(t.server, address, sizeof address));
    ck_assert_int_eq(write(address_fd, address, sizeof address), sizeof address);
    bpt_ok(bp_server_run(t.server));
    bp_server_free_take(&t.server);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the client ended with status %d", status);
    close(address_fd);
    ck_assert_int_eq(rmdir(directory), 0);
    if (m->server_says != NULL) ck_assert_str_eq(t.why_text, m->server_says);
    return t;
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static void has_all(const table *t) {
    ck_assert_uint_eq(t->got, MESSAGES);
    bpt_err(t->why, BP_ERR_CLOSED);
}

/* _i: transport, and who the client is. */
START_TEST(versions_that_differ_read_each_other) {
    static const meeting meetings[] = {
        {.server = server_of_two, .client = client_of_one, .speaks = one_speaks},
        {.server = server_of_two, .client = client_of_three, .speaks = three_speaks}};
    meeting m = meetings[_i / 2];
    m.hello = BP_HELLO_REQUIRED;
    m.check = has_all;
    const table t = meet(&m, _i % 2);
    ck_assert_uint_eq(t.peer_version, _i / 2 == 0 ? 1 : 3);
    ck_assert_uint_eq(t.got, MESSAGES);
    ck_assert_uint_eq(t.stats.frames_invalid, 0);
    bpt_err(t.why, BP_ERR_END);
}
END_TEST

static void was_refused(const table *t) {
    bpt_err(t->why, BP_ERR_SCHEMA);
    ck_assert_uint_eq(t->opened, 0);
}

/* As the second version, but for what it says of its bytes. */
static const bp_schema *odd_schema(void) {
    static const bp_layout layouts[] = {{2, 0x1234}};
    static bp_schema odd;
    odd = evolve_v2_schema;
    odd.layouts = layouts;
    odd.layout_count = 1;
    return &odd;
}

#define OLDER "the peer's version is older than any that is read here: schema evolve_v3, version 1 there, 3 here"
#define NEWER "the peer's version does not read the one here: schema evolve_v1, version 3 there, 1 here"
#define OTHER "the peer's version looks different on the wire: schema evolve_v2, version 2 there, 2 here"

/* A server that asks for HELLO would have no connection to tell of. */
START_TEST(versions_that_do_not_fit_part_before_anything_is_said) {
    static const meeting meetings[] = {
        {.server = server_of_three, .client = client_of_one, .server_says = OLDER, .client_says = NEWER},
        {.server = server_of_one, .client = client_of_three, .server_says = NEWER, .client_says = OLDER},
        {.server = server_of_two, .client = client_of_two, .server_says = OTHER, .client_says = OTHER}};
    meeting m = meetings[_i / 2];
    m.check = was_refused;
    if (_i / 2 == 2) m.client_schema = odd_schema();
    const table t = meet(&m, _i % 2);
    bpt_err(t.why, BP_ERR_SCHEMA);
    ck_assert_uint_eq(t.got, 0);
}
END_TEST

static void new_values_speak(bp_conn *conn, void *user) {
    const evolve_v2_tempers mood = {.mood = EVOLVE_V2_MOOD_NUMB, .route = EVOLVE_V2_ROUTE_SEA};
    const evolve_v2_tempers route = {.mood = EVOLVE_V2_MOOD_CALM, .route = EVOLVE_V2_ROUTE_AIR};
    const evolve_v2_flat flat = {.first = 50, .second = 1, .third = EVOLVE_V2_SIDE_BUY};
    (void)user;
    bpt_ok(evolve_v2_send_tempers(conn, &mood));
    bpt_ok(evolve_v2_send_tempers(conn, &route));
    bpt_ok(evolve_v2_send_flat(conn, &flat));
}

static void was_cut_off(const table *t) { bpt_must(t->why == BP_ERR_LOST || t->why == BP_ERR_RESET); }

static void has_ended(const table *t) { bpt_err(t->why, BP_ERR_END); }

/* The open enum keeps the number that the old version has no name for, the closed one refuses it: by policy the frame
 * is dropped, or the connection closed. */
START_TEST(a_value_that_an_old_version_does_not_know_breaks_its_contract) {
    const bool is_dropped = _i / 2 == 0;
    const meeting m = {.server = server_of_one,
                       .client = client_of_two,
                       .speaks = new_values_speak,
                       .check = is_dropped ? has_ended : was_cut_off,
                       .invalid = is_dropped ? BP_INVALID_DROP : BP_INVALID_CLOSE};
    const table t = meet(&m, _i % 2);
    ck_assert_uint_eq(t.stats.frames_invalid, 1);
    ck_assert_uint_eq(t.got, is_dropped ? 2 : 1);
    bpt_err(t.why, is_dropped ? BP_ERR_CLOSED : BP_ERR_MALFORMED);
}
END_TEST

static void speaks_of_what_is_gone(bp_conn *conn, void *user) {
    const evolve_v1_gone gone = {.a = 1};
    (void)user;
    bpt_ok(evolve_v1_send_gone(conn, &gone));
}

START_TEST(a_message_that_is_retired_is_an_unknown_one) {
    const meeting m = {
        .server = server_of_two, .client = client_of_one, .speaks = speaks_of_what_is_gone, .check = was_cut_off};
    const table t = meet(&m, _i);
    bpt_err(t.why, BP_ERR_FRAME_TYPE);
    ck_assert_uint_eq(t.got, 0);
}
END_TEST

BPT_SUITE(integration_evolution) {
    BPT_LOOP_TEST(versions_that_differ_read_each_other, 0, 4);
    BPT_LOOP_TEST(versions_that_do_not_fit_part_before_anything_is_said, 0, 6);
    BPT_LOOP_TEST(a_value_that_an_old_version_does_not_know_breaks_its_contract, 0, 4);
    BPT_LOOP_TEST(a_message_that_is_retired_is_an_unknown_one, 0, 2);
}
