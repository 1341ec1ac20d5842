#define _POSIX_C_SOURCE 200809L
/* HELLO, GOODBYE and other frames of type 0: what each of them does to a connection, told by a raw socket. */
#include "bufpool/detail/bytes.h"
#include "tests/support/talk.h"
#include "tests/support/wire_page.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what is no HELLO, or no place for one ---------------------------------------------------------------------- */

static void hello_then_nothing(bpt_bytes *b) { bpt_say_hello(b, &bpt_said_good, 1); }

static void twice(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    bpt_say_hello(b, &bpt_said_good, 1);
}

static void late(bpt_bytes *b) {
    bpt_say_small(b, 1);
    bpt_say_hello(b, &bpt_said_good, 1);
}

static void behind_a_skipped_one(bpt_bytes *b) {
    bpt_say_head(b, BPT_SKIPPED_TYPE, 0);
    bpt_say_hello(b, &bpt_said_good, 1);
}

static void behind_goodbye(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    bpt_say_goodbye(b);
    bpt_say_small(b, 1);
}

static void goodbye_twice(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    bpt_say_goodbye(b);
    bpt_say_goodbye(b);
}

static void long_goodbye(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    bpt_say_control(b, 2, 0, 3);
}

static void no_kind(bpt_bytes *b) { bpt_say_control(b, 0, 0, 0); }

static void half_a_head(bpt_bytes *b) { bpt_say_control(b, 1, 0, 1); }

static void no_count(bpt_bytes *b) { bpt_say_control(b, 1, 0, 3); }

static void wrong_count(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    b->data[BPT_TALK_HEAD + 2] = 2;
}

static void byte_behind(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    b->data[b->length++] = 0;
    bpi_store_u32(b->data + 2, (uint32_t)b->length - BPT_TALK_HEAD);
}

static void second_byte(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    b->data[BPT_TALK_HEAD + 1] = 1;
}

static void longest(bpt_bytes *b) { bpt_say_control(b, 1, 0, 512); }

static void too_long(bpt_bytes *b) { bpt_say_head(b, 0, 513); }

static void length_bomb(bpt_bytes *b) { bpt_say_head(b, 0, UINT32_MAX); }

static void unknown_kinds(bpt_bytes *b) {
    bpt_say_hello(b, &bpt_said_good, 1);
    bpt_say_control(b, 3, 9, 512);
    bpt_say_control(b, 255, 0, 2);
    bpt_say_small(b, 1);
    bpt_say_control(b, 0, 0, 2);
    bpt_say_goodbye(b);
}

static void no_hello(bpt_bytes *b) { bpt_say_small(b, 1); }

static void no_hello_but_goodbye(bpt_bytes *b) {
    bpt_say_small(b, 1);
    bpt_say_goodbye(b);
}

static void only_goodbye(bpt_bytes *b) { bpt_say_goodbye(b); }

static void unknown_kind_first(bpt_bytes *b) {
    bpt_say_control(b, 3, 0, 2);
    bpt_say_hello(b, &bpt_said_good, 1);
    bpt_say_goodbye(b);
}

static const struct {
    void (*make)(bpt_bytes *b);
    bp_err optional, required; /* why it ends; BP_OK for required: as optional */
    const char *why;
    unsigned frames, skipped;
} streams[] = {
    {hello_then_nothing, BP_ERR_LOST, BP_OK, NULL, 0, 0},
    {twice, BP_ERR_SCHEMA, BP_OK, "the peer said HELLO late or twice", 0, 0},
    {late, BP_ERR_SCHEMA, BP_ERR_SCHEMA, "the peer said HELLO late or twice", 1, 0},
    {behind_a_skipped_one, BP_ERR_SCHEMA, BP_OK, "the peer said HELLO late or twice", 0, 1},
    {behind_goodbye, BP_ERR_MALFORMED, BP_OK, "the peer sent something after its GOODBYE", 0, 0},
    {goodbye_twice, BP_ERR_MALFORMED, BP_OK, "the peer sent something after its GOODBYE", 0, 0},
    {long_goodbye, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {no_kind, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {half_a_head, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {no_count, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {wrong_count, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {byte_behind, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {second_byte, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {longest, BP_ERR_MALFORMED, BP_OK, "the peer's HELLO or GOODBYE is malformed", 0, 0},
    {too_long, BP_ERR_FRAME_LONG, BP_OK, NULL, 0, 0},
    {length_bomb, BP_ERR_FRAME_LONG, BP_OK, NULL, 0, 0},
    {unknown_kinds, BP_ERR_END, BP_OK, NULL, 1, 3},
    {no_hello, BP_ERR_END, BP_ERR_SCHEMA, NULL, 1, 0},
    {no_hello_but_goodbye, BP_ERR_END, BP_ERR_SCHEMA, NULL, 1, 0},
    {only_goodbye, BP_ERR_END, BP_ERR_SCHEMA, NULL, 0, 0},
    {unknown_kind_first, BP_ERR_SCHEMA, BP_ERR_SCHEMA, "the peer said HELLO late or twice", 0, 1},
};
enum { STREAMS = sizeof streams / sizeof streams[0] };

START_TEST(every_stream_ends_as_it_should) {
    bpt_talk talk;
    bpt_bytes b = {.length = 0};
    bpt_talk_start(&talk, BP_HELLO_OPTIONAL);
    streams[_i].make(&b);
    bpt_talk_whole(&talk, &b);
    bpt_err(talk.rig.server.why, streams[_i].optional);
    ck_assert_str_eq(talk.why, streams[_i].why == NULL ? bp_err_text(streams[_i].optional) : streams[_i].why);
    ck_assert_uint_eq(talk.rig.server.frames, streams[_i].frames);
    ck_assert_uint_eq(talk.rig.server.stats.frames_skipped, streams[_i].skipped);
    bpt_talk_fini(&talk);
}
END_TEST

/* Where it is required, nobody hears of who does not say it well, but the statistics. */
START_TEST(who_does_not_begin_with_hello_is_nobody) {
    bpt_talk talk;
    bpt_bytes b = {.length = 0};
    bp_server_stats stats;
    bpt_talk_start(&talk, BP_HELLO_REQUIRED);
    streams[_i].make(&b);
    bpt_talk_whole(&talk, &b);
    bp_server_stats_read(talk.rig.server.server, &stats);
    const bool has_begun = talk.rig.server.opens == 1;
    ck_assert_uint_eq(talk.rig.server.closes, has_begun);
    if (has_begun) bpt_err(talk.rig.server.why, streams[_i].optional);
    if (streams[_i].required == BP_ERR_SCHEMA) ck_assert(!has_begun);
    ck_assert_uint_eq(stats.connections_failed, !(has_begun && streams[_i].optional == BP_ERR_END));
    ck_assert_uint_eq(talk.rig.server.frames, has_begun ? streams[_i].frames : 0);
    bpt_talk_fini(&talk);
}
END_TEST

static bp_err keep(bpt_side *side, bp_conn *conn, const bp_frame *frame) {
    bp_buf *buf = NULL;
    (void)side, (void)frame;
    const bp_err err = bp_conn_keep(conn, &buf);
    bp_buf_release(buf);
    return err;
}

/* on_open runs in the middle of what was read; what comes behind HELLO is handled as ever. */
START_TEST(what_comes_with_hello_can_be_kept) {
    bpt_talk talk;
    bpt_bytes b = {.length = 0};
    bpt_talk_start(&talk, BP_HELLO_REQUIRED);
    talk.rig.server.on_frame = keep;
    bpt_say_hello(&b, &bpt_said_good, 1);
    bpt_say_small(&b, 1);
    bpt_say_small(&b, 2);
    bpt_say_goodbye(&b);
    bpt_talk_whole(&talk, &b);
    bpt_err(talk.rig.server.why, BP_ERR_END);
    ck_assert_uint_eq(talk.rig.server.stats.frames_kept, 2);
    bpt_talk_fini(&talk);
}
END_TEST

/* Whatever is said to one to whom it means nothing. */
START_TEST(who_says_nothing_hears_nothing) {
    bpt_talk talk;
    bpt_bytes b = {.length = 0};
    uint8_t byte;
    bpt_talk_start(&talk, BP_HELLO_OFF);
    bpt_say_hello(&b, &(bpt_said){BPT_TALK_ID + 1, 1, 1, 1}, 1);
    bpt_say_control(&b, 1, 7, 1);
    bpt_say_small(&b, 1);
    bpt_say_goodbye(&b);
    bpt_say_small(&b, 2);
    bpt_talk_whole(&talk, &b);
    bpt_err(talk.rig.server.why, BP_ERR_END);
    ck_assert_uint_eq(talk.rig.server.frames, 2);
    ck_assert_uint_eq(talk.rig.server.stats.frames_skipped, 3);
    ck_assert_uint_eq(talk.version_at_close, 0);
    ck_assert_int_eq(read(talk.fd, &byte, 1), 0);
    bpt_talk_fini(&talk);
}
END_TEST

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

/* The pool may not be needed for it: this one has nothing to give. */
START_TEST(a_hello_may_come_in_any_pieces) {
    bpt_bytes b = {.length = 0};
    bpt_say_hello(&b, &bpt_said_good, 1);
    bpt_say_small(&b, 1);
    bpt_say_goodbye(&b);
    for (size_t cut = 1; cut < b.length; cut++) {
        bpt_talk talk;
        bpt_talk_start(&talk, cut % 2 == 0 ? BP_HELLO_REQUIRED : BP_HELLO_OPTIONAL);
        bpt_rig_until(&talk.rig, talk.rig.server.server != NULL);
        bpt_talk_put(&talk, b.data, cut);
        bp_server_stats stats = {0};
        while (stats.conn.bytes_in < cut) {
            uv_run(&talk.rig.loop, UV_RUN_ONCE);
            bp_server_stats_read(talk.rig.server.server, &stats);
        }
        if (cut < 26) bpt_must(bpt_pool_in_use(bp_server_pool(talk.rig.server.server)) == 0);
        bpt_talk_put(&talk, b.data + cut, b.length - cut);
        bpt_must(shutdown(talk.fd, SHUT_WR) == 0);
        bpt_rig_until(&talk.rig, bpt_talk_is_over(&talk));
        bpt_must(talk.rig.server.why == BP_ERR_END && talk.rig.server.frames == 1 &&
                 talk.version_at_close == BPT_TALK_NOW);
        bpt_talk_fini(&talk);
    }
}
END_TEST

/* A peer that ends after any number of bytes: a connection that nobody knew, one that was lost, or an end. */
START_TEST(a_hello_may_be_cut_anywhere) {
    bpt_bytes b = {.length = 0};
    bpt_say_hello(&b, &bpt_said_good, 1);
    const size_t hello = b.length;
    bpt_say_goodbye(&b);
    for (size_t cut = 0; cut <= b.length; cut++) {
        bpt_talk talk;
        bpt_bytes part = b;
        bp_server_stats stats;
        part.length = cut;
        bpt_talk_start(&talk, BP_HELLO_REQUIRED);
        bpt_talk_whole(&talk, &part);
        bp_server_stats_read(talk.rig.server.server, &stats);
        bpt_must(talk.rig.server.opens == (cut >= hello));
        if (cut >= hello) bpt_must(talk.rig.server.why == (cut == b.length ? BP_ERR_END : BP_ERR_LOST));
        bpt_must(stats.connections_failed == (cut != 0 && cut != b.length));
        bpt_talk_fini(&talk);
    }
}
END_TEST

/* ---- what is said ----------------------------------------------------------------------------------------------- */

static size_t read_all(int fd, uint8_t *out, size_t size) {
    size_t got = 0;
    for (ssize_t n = 1; n > 0 && got < size; got += (size_t)(n > 0 ? n : 0)) n = read(fd, out + got, size - got);
    return got;
}

static void greet_and_finish(bpt_side *side, bp_conn *conn) {
    bpt_talk_open(side, conn);
    bpt_send(conn, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    bp_conn_finish(conn);
}

START_TEST(hello_goes_first_and_goodbye_last) {
    bpt_talk talk;
    bpt_bytes expected = {.length = 0};
    uint8_t got[BPT_TALK_MAX];
    bpt_talk_init(&talk);
    talk.rig.server.on_open = greet_and_finish;
    const bp_server_config config = bpt_talk_configure(&talk, BP_HELLO_OPTIONAL);
    bpt_rig_listen(&talk.rig, &config, BPT_WAYS - 1);
    talk.fd = bpt_rig_raw(&talk.rig);
    bpt_say_hello(&expected, &(bpt_said){BPT_TALK_ID, BPT_TALK_NOW, BPT_TALK_OLDEST, 0x66}, 1);
    bpt_say_small(&expected, 1);
    bpt_say_goodbye(&expected);
    bpt_rig_until(&talk.rig, talk.rig.server.opens == 1);
    bpt_must(shutdown(talk.fd, SHUT_WR) == 0);
    bpt_rig_until(&talk.rig, bpt_talk_is_over(&talk));
    ck_assert_uint_eq(read_all(talk.fd, got, sizeof got), expected.length);
    ck_assert_mem_eq(got, expected.data, expected.length);
    ck_assert_uint_eq(talk.rig.server.stats.frames_out, 1);
    ck_assert_uint_eq(talk.rig.server.stats.bytes_out, expected.length);
    bpt_err(talk.rig.server.why, BP_ERR_CLOSED);
    bpt_talk_fini(&talk);
}
END_TEST

START_TEST(the_page_says_what_is_said) {
    cg_arena *arena = cg_arena_new();
    bpt_bytes expected = {.length = 0};
    size_t at = 0;
    bpt_say_hello(&expected, &(bpt_said){0x4D59, 6, 3, 0x66}, 1);
    bpt_say_goodbye(&expected);
    const char *text = bpt_wire_block(arena, bpt_wire_page(arena), "## Control frames", "hello");
    for (char *end; at < expected.length; at++, text = end) {
        const unsigned long byte = strtoul(text, &end, 16);
        bpt_must(end != text && byte == expected.data[at]);
    }
    ck_assert_uint_eq(strspn(text, " \n"), strlen(text));
    cg_arena_free_take(&arena);
}
END_TEST

/* Closing waits for nobody, but who has nothing more to say may say so. */
START_TEST(an_orderly_close_says_goodbye_where_nothing_is_dropped) {
    static const struct {
        bp_err why;
        bool is_queued, has_goodbye;
    } ways[] = {{BP_OK, false, true}, {BP_ERR_CLOSED, false, true}, {BP_ERR_RULE, false, false}, {BP_OK, true, false}};
    bpt_talk talk;
    bpt_bytes expected = {.length = 0};
    uint8_t got[BPT_TALK_MAX];
    bpt_talk_start(&talk, BP_HELLO_OPTIONAL);
    bpt_say_hello(&expected, &(bpt_said){BPT_TALK_ID, BPT_TALK_NOW, BPT_TALK_OLDEST, 0x66}, 1);
    bpt_rig_until(&talk.rig, talk.rig.server.opens == 1 && bp_conn_queued_bytes(talk.rig.server.conn) == 0);
    if (ways[_i].is_queued) bpt_send(talk.rig.server.conn, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    bp_conn_close(talk.rig.server.conn, ways[_i].why);
    bpt_rig_until(&talk.rig, bpt_talk_is_over(&talk));
    if (ways[_i].has_goodbye) bpt_say_goodbye(&expected);
    ck_assert_uint_eq(read_all(talk.fd, got, sizeof got), expected.length);
    ck_assert_mem_eq(got, expected.data, expected.length);
    bpt_talk_fini(&talk);
}
END_TEST

BPT_SUITE(transport_control) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(every_stream_ends_as_it_should, 0, STREAMS);
    BPT_LOOP_TEST(who_does_not_begin_with_hello_is_nobody, 0, STREAMS);
    BPT_TEST(what_comes_with_hello_can_be_kept);
    BPT_TEST(who_says_nothing_hears_nothing);
    BPT_TEST(a_hello_may_come_in_any_pieces);
    BPT_TEST(a_hello_may_be_cut_anywhere);
    BPT_TEST(hello_goes_first_and_goodbye_last);
    BPT_TEST(the_page_says_what_is_said);
    BPT_LOOP_TEST(an_orderly_close_says_goodbye_where_nothing_is_dropped, 0, 4);
}
