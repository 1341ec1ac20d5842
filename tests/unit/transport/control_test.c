#define _POSIX_C_SOURCE 200809L
/* HELLO, GOODBYE and other frames of type 0: what each of them does to a connection, told by a raw socket. */
#include "bufpool/detail/bytes.h"
#include "tests/support/frame_rig.h"
#include "tests/support/suite.h"
#include "tests/support/wire_page.h"

#include <sys/socket.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 6, WIRE_MAX = 2048, ID = 77, OLDEST = 3, NOW = 6 };

/* Bytes that a peer sends. */
typedef struct bytes {
    uint8_t data[WIRE_MAX];
    size_t length;
} bytes;

typedef struct said {
    uint32_t id;
    uint16_t version, min_compatible;
    uint64_t hash;
} said;

static void add_head(bytes *b, uint16_t type, uint32_t length) {
    bpi_store_u16(b->data + b->length, type);
    bpi_store_u32(b->data + b->length + 2, length);
    b->length += HEAD;
}

static void add_control(bytes *b, uint8_t kind, uint8_t second, uint32_t length) {
    add_head(b, 0, length);
    memset(b->data + b->length, 0x5A, length);
    if (length > 0) b->data[b->length] = kind;
    if (length > 1) b->data[b->length + 1] = second;
    b->length += length;
}

static void add_hello(bytes *b, const said *entries, uint16_t count) {
    const uint32_t length = 4u + 16u * count;
    add_control(b, 1, 0, length);
    uint8_t *at = b->data + b->length - length + 2;
    bpi_store_u16(at, count);
    at += 2;
    for (uint16_t i = 0; i < count; i++, at += 16) {
        bpi_store_u32(at, entries[i].id);
        bpi_store_u16(at + 4, entries[i].version);
        bpi_store_u16(at + 6, entries[i].min_compatible);
        bpi_store_u64(at + 8, entries[i].hash);
    }
}

static void add_small(bytes *b, uint64_t seed) {
    add_head(b, BPT_SMALL_TYPE, BPT_SMALL_MIN);
    bpt_frame_fill(b->data + b->length, BPT_SMALL_MIN, seed);
    b->length += BPT_SMALL_MIN;
}

static void add_goodbye(bytes *b) { add_control(b, 2, 0, 2); }

/* ---- a server, and a raw peer ---- */

static const bp_layout layouts[] = {{OLDEST, 0x33}, {5, 0x55}, {NOW, 0x66}};

typedef struct fixture {
    bpt_rig rig;
    bp_schema schema;
    char why[160];
    uint16_t version; /* that the peer has, when the connection opens */
    uint16_t version_at_close;
    int fd;
} fixture;

static void on_open(bpt_side *side, bp_conn *conn) {
    fixture *f = side->data;
    f->version = bp_conn_peer_version(conn, &f->schema);
}

static void on_close(bpt_side *side, bp_conn *conn) {
    fixture *f = side->data;
    f->version_at_close = bp_conn_peer_version(conn, &f->schema);
    bp_conn_why_text(conn, f->why, sizeof f->why);
}

static void init(fixture *f) {
    memset(f, 0, sizeof *f);
    bpt_rig_init(&f->rig);
    f->schema = bpt_frame_schema;
    f->schema.id = ID;
    f->schema.version = NOW;
    f->schema.min_compatible = OLDEST;
    f->schema.layouts = layouts;
    f->schema.layout_count = sizeof layouts / sizeof layouts[0];
    f->rig.server.data = f;
    f->rig.server.on_open = on_open;
    f->rig.server.on_close = on_close;
    f->fd = -1;
}

static bp_server_config configure(fixture *f, bp_hello hello) {
    f->rig.server.hello = hello;
    bp_server_config config = bpt_rig_server_config(&f->rig, BPT_WAYS - 1);
    config.conn.services[0].schema = &f->schema;
    return config;
}

static void start(fixture *f, bp_hello hello) {
    init(f);
    const bp_server_config config = configure(f, hello);
    bpt_rig_listen(&f->rig, &config, BPT_WAYS - 1);
    f->fd = bpt_rig_raw(&f->rig);
}

static void put(const fixture *f, const void *data, size_t length) {
    bpt_must(write(f->fd, data, length) == (ssize_t)length);
}

static bool is_gone(const fixture *f) {
    bp_server_stats stats;
    bp_server_stats_read(f->rig.server.server, &stats);
    return stats.connections_accepted == 1 && stats.connections_open == 0;
}

/* Sends the bytes and the end; waits until the connection is gone. */
static void send_all(fixture *f, const bytes *b) {
    put(f, b->data, b->length);
    bpt_must(shutdown(f->fd, SHUT_WR) == 0);
    bpt_rig_until(&f->rig, is_gone(f));
}

static void finish(fixture *f) {
    if (f->fd >= 0) close(f->fd);
    bpt_rig_fini(&f->rig);
}

/* ---- what fits and what does not -------------------------------------------------------------------------------- */

typedef struct hello_case {
    said entries[3];
    uint16_t count;
    bp_err err; /* BP_OK: it fits */
    const char *why;
} hello_case;

static const hello_case hellos[] = {
    {{{ID, NOW, 1, 0x66}}, 1, BP_OK, NULL},
    {{{ID, NOW, NOW, 0x66}}, 1, BP_OK, NULL},
    {{{ID, NOW, 1, 0}}, 1, BP_OK, NULL}, /* it does not know what it looks like */
    {{{ID, NOW, 1, 0x67}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version looks different on the wire: schema frames, version 6 there, 6 here"},
    {{{ID, 5, 1, 0x55}}, 1, BP_OK, NULL},
    {{{ID, 5, 1, 0x33}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version looks different on the wire: schema frames, version 5 there, 6 here"},
    {{{ID, 4, 1, 0x33}}, 1, BP_OK, NULL}, /* 4 looks like 3 */
    {{{ID, OLDEST, OLDEST, 0x33}}, 1, BP_OK, NULL},
    {{{ID, OLDEST - 1, 1, 0x33}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version is older than any that is read here: schema frames, version 2 there, 6 here"},
    {{{ID, NOW + 1, NOW, 0x99}}, 1, BP_OK, NULL}, /* it knows, and has not refused */
    {{{ID, 65535, NOW + 1, 0x99}},
     1,
     BP_ERR_SCHEMA,
     "the peer's version does not read the one here: schema frames, version 65535 there, 6 here"},
    {{{ID + 1, NOW, 1, 0x66}}, 1, BP_ERR_SCHEMA, "the peer has none of the schemas that are spoken here"},
    {{{0}}, 0, BP_ERR_SCHEMA, "the peer has none of the schemas that are spoken here"},
    {{{ID + 1, 1, 1, 1}, {ID, NOW, 1, 0x66}, {ID + 2, 9, 1, 1}}, 3, BP_OK, NULL},
    {{{ID, NOW, 1, 0x66}, {ID, NOW, 1, 0x66}}, 2, BP_ERR_MALFORMED, "the peer's HELLO or GOODBYE is malformed"},
    {{{ID, NOW, NOW + 1, 0x66}}, 1, BP_ERR_MALFORMED, "the peer's HELLO or GOODBYE is malformed"},
    {{{ID, NOW, 0, 0x66}}, 1, BP_ERR_MALFORMED, "the peer's HELLO or GOODBYE is malformed"},
};
enum { HELLOS = sizeof hellos / sizeof hellos[0] };

/* With a frame and a GOODBYE behind it. */
START_TEST(a_hello_fits_or_is_refused_with_the_reason) {
    const hello_case *c = &hellos[_i / 2];
    const bool is_required = _i % 2 != 0;
    fixture f;
    bytes b = {.length = 0};
    start(&f, is_required ? BP_HELLO_REQUIRED : BP_HELLO_OPTIONAL);
    add_hello(&b, c->entries, c->count);
    add_small(&b, 1);
    add_goodbye(&b);
    send_all(&f, &b);
    const bool fits = c->err == BP_OK;
    ck_assert_uint_eq(f.rig.server.frames, fits);
    ck_assert_uint_eq(f.rig.server.opens, fits || !is_required);
    ck_assert_uint_eq(f.rig.server.closes, f.rig.server.opens);
    if (f.rig.server.closes != 0) bpt_err(f.rig.server.why, fits ? BP_ERR_END : c->err);
    if (f.rig.server.closes != 0) ck_assert_str_eq(f.why, fits ? bp_err_text(BP_ERR_END) : c->why);
    if (fits) ck_assert_uint_eq(f.version_at_close, c->entries[c->count == 3 ? 1 : 0].version);
    if (fits && is_required) ck_assert_uint_eq(f.version, f.version_at_close);
    bp_server_stats stats;
    bp_server_stats_read(f.rig.server.server, &stats);
    ck_assert_uint_eq(stats.connections_failed, !fits);
    ck_assert_uint_eq(stats.conn.frames_in, fits);
    ck_assert_uint_eq(stats.conn.frames_skipped, 0);
    finish(&f);
}
END_TEST

/* ---- what is no HELLO, or no place for one ---------------------------------------------------------------------- */

static const said good = {ID, NOW, 1, 0x66};

static void hello_then_nothing(bytes *b) { add_hello(b, &good, 1); }

static void twice(bytes *b) {
    add_hello(b, &good, 1);
    add_hello(b, &good, 1);
}

static void late(bytes *b) {
    add_small(b, 1);
    add_hello(b, &good, 1);
}

static void behind_a_skipped_one(bytes *b) {
    add_head(b, BPT_SKIPPED_TYPE, 0);
    add_hello(b, &good, 1);
}

static void behind_goodbye(bytes *b) {
    add_hello(b, &good, 1);
    add_goodbye(b);
    add_small(b, 1);
}

static void goodbye_twice(bytes *b) {
    add_hello(b, &good, 1);
    add_goodbye(b);
    add_goodbye(b);
}

static void long_goodbye(bytes *b) {
    add_hello(b, &good, 1);
    add_control(b, 2, 0, 3);
}

static void no_kind(bytes *b) { add_control(b, 0, 0, 0); }

static void half_a_head(bytes *b) { add_control(b, 1, 0, 1); }

static void no_count(bytes *b) { add_control(b, 1, 0, 3); }

static void wrong_count(bytes *b) {
    add_hello(b, &good, 1);
    b->data[HEAD + 2] = 2;
}

static void byte_behind(bytes *b) {
    add_hello(b, &good, 1);
    b->data[b->length++] = 0;
    bpi_store_u32(b->data + 2, (uint32_t)b->length - HEAD);
}

static void second_byte(bytes *b) {
    add_hello(b, &good, 1);
    b->data[HEAD + 1] = 1;
}

static void longest(bytes *b) { add_control(b, 1, 0, 512); }

static void too_long(bytes *b) { add_head(b, 0, 513); }

static void length_bomb(bytes *b) { add_head(b, 0, UINT32_MAX); }

static void unknown_kinds(bytes *b) {
    add_hello(b, &good, 1);
    add_control(b, 3, 9, 512);
    add_control(b, 255, 0, 2);
    add_small(b, 1);
    add_control(b, 0, 0, 2);
    add_goodbye(b);
}

static void no_hello(bytes *b) { add_small(b, 1); }

static void no_hello_but_goodbye(bytes *b) {
    add_small(b, 1);
    add_goodbye(b);
}

static void only_goodbye(bytes *b) { add_goodbye(b); }

static void unknown_kind_first(bytes *b) {
    add_control(b, 3, 0, 2);
    add_hello(b, &good, 1);
    add_goodbye(b);
}

static const struct {
    void (*make)(bytes *b);
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
    fixture f;
    bytes b = {.length = 0};
    start(&f, BP_HELLO_OPTIONAL);
    streams[_i].make(&b);
    send_all(&f, &b);
    bpt_err(f.rig.server.why, streams[_i].optional);
    ck_assert_str_eq(f.why, streams[_i].why == NULL ? bp_err_text(streams[_i].optional) : streams[_i].why);
    ck_assert_uint_eq(f.rig.server.frames, streams[_i].frames);
    ck_assert_uint_eq(f.rig.server.stats.frames_skipped, streams[_i].skipped);
    finish(&f);
}
END_TEST

/* Where it is required, nobody hears of who does not say it well, but the statistics. */
START_TEST(who_does_not_begin_with_hello_is_nobody) {
    fixture f;
    bytes b = {.length = 0};
    bp_server_stats stats;
    start(&f, BP_HELLO_REQUIRED);
    streams[_i].make(&b);
    send_all(&f, &b);
    bp_server_stats_read(f.rig.server.server, &stats);
    const bool has_begun = f.rig.server.opens == 1;
    ck_assert_uint_eq(f.rig.server.closes, has_begun);
    if (has_begun) bpt_err(f.rig.server.why, streams[_i].optional);
    if (streams[_i].required == BP_ERR_SCHEMA) ck_assert(!has_begun);
    ck_assert_uint_eq(stats.connections_failed, !(has_begun && streams[_i].optional == BP_ERR_END));
    ck_assert_uint_eq(f.rig.server.frames, has_begun ? streams[_i].frames : 0);
    finish(&f);
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
    fixture f;
    bytes b = {.length = 0};
    start(&f, BP_HELLO_REQUIRED);
    f.rig.server.on_frame = keep;
    add_hello(&b, &good, 1);
    add_small(&b, 1);
    add_small(&b, 2);
    add_goodbye(&b);
    send_all(&f, &b);
    bpt_err(f.rig.server.why, BP_ERR_END);
    ck_assert_uint_eq(f.rig.server.stats.frames_kept, 2);
    finish(&f);
}
END_TEST

/* Whatever is said to one to whom it means nothing. */
START_TEST(who_says_nothing_hears_nothing) {
    fixture f;
    bytes b = {.length = 0};
    uint8_t byte;
    start(&f, BP_HELLO_OFF);
    add_hello(&b, &(said){ID + 1, 1, 1, 1}, 1);
    add_control(&b, 1, 7, 1);
    add_small(&b, 1);
    add_goodbye(&b);
    add_small(&b, 2);
    send_all(&f, &b);
    bpt_err(f.rig.server.why, BP_ERR_END);
    ck_assert_uint_eq(f.rig.server.frames, 2);
    ck_assert_uint_eq(f.rig.server.stats.frames_skipped, 3);
    ck_assert_uint_eq(f.version_at_close, 0);
    ck_assert_int_eq(read(f.fd, &byte, 1), 0);
    finish(&f);
}
END_TEST

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

/* The pool may not be needed for it: this one has nothing to give. */
START_TEST(a_hello_may_come_in_any_pieces) {
    bytes b = {.length = 0};
    add_hello(&b, &good, 1);
    add_small(&b, 1);
    add_goodbye(&b);
    for (size_t cut = 1; cut < b.length; cut++) {
        fixture f;
        start(&f, cut % 2 == 0 ? BP_HELLO_REQUIRED : BP_HELLO_OPTIONAL);
        bpt_rig_until(&f.rig, f.rig.server.server != NULL);
        put(&f, b.data, cut);
        bp_server_stats stats = {0};
        while (stats.conn.bytes_in < cut) {
            uv_run(&f.rig.loop, UV_RUN_ONCE);
            bp_server_stats_read(f.rig.server.server, &stats);
        }
        if (cut < 26) bpt_must(bpt_pool_in_use(bp_server_pool(f.rig.server.server)) == 0);
        put(&f, b.data + cut, b.length - cut);
        bpt_must(shutdown(f.fd, SHUT_WR) == 0);
        bpt_rig_until(&f.rig, is_gone(&f));
        bpt_must(f.rig.server.why == BP_ERR_END && f.rig.server.frames == 1 && f.version_at_close == NOW);
        finish(&f);
    }
}
END_TEST

/* A peer that ends after any number of bytes: a connection that nobody knew, one that was lost, or an end. */
START_TEST(a_hello_may_be_cut_anywhere) {
    bytes b = {.length = 0};
    add_hello(&b, &good, 1);
    const size_t hello = b.length;
    add_goodbye(&b);
    for (size_t cut = 0; cut <= b.length; cut++) {
        fixture f;
        bytes part = b;
        bp_server_stats stats;
        part.length = cut;
        start(&f, BP_HELLO_REQUIRED);
        send_all(&f, &part);
        bp_server_stats_read(f.rig.server.server, &stats);
        bpt_must(f.rig.server.opens == (cut >= hello));
        if (cut >= hello) bpt_must(f.rig.server.why == (cut == b.length ? BP_ERR_END : BP_ERR_LOST));
        bpt_must(stats.connections_failed == (cut != 0 && cut != b.length));
        finish(&f);
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
    on_open(side, conn);
    bpt_send(conn, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    bp_conn_finish(conn);
}

START_TEST(hello_goes_first_and_goodbye_last) {
    fixture f;
    bytes expected = {.length = 0};
    uint8_t got[WIRE_MAX];
    init(&f);
    f.rig.server.on_open = greet_and_finish;
    const bp_server_config config = configure(&f, BP_HELLO_OPTIONAL);
    bpt_rig_listen(&f.rig, &config, BPT_WAYS - 1);
    f.fd = bpt_rig_raw(&f.rig);
    add_hello(&expected, &(said){ID, NOW, OLDEST, 0x66}, 1);
    add_small(&expected, 1);
    add_goodbye(&expected);
    bpt_rig_until(&f.rig, f.rig.server.opens == 1);
    bpt_must(shutdown(f.fd, SHUT_WR) == 0);
    bpt_rig_until(&f.rig, is_gone(&f));
    ck_assert_uint_eq(read_all(f.fd, got, sizeof got), expected.length);
    ck_assert_mem_eq(got, expected.data, expected.length);
    ck_assert_uint_eq(f.rig.server.stats.frames_out, 1);
    ck_assert_uint_eq(f.rig.server.stats.bytes_out, expected.length);
    bpt_err(f.rig.server.why, BP_ERR_CLOSED);
    finish(&f);
}
END_TEST

START_TEST(the_page_says_what_is_said) {
    cg_arena *arena = cg_arena_new();
    bytes expected = {.length = 0};
    size_t at = 0;
    add_hello(&expected, &(said){0x4D59, 6, 3, 0x66}, 1);
    add_goodbye(&expected);
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
    fixture f;
    bytes expected = {.length = 0};
    uint8_t got[WIRE_MAX];
    start(&f, BP_HELLO_OPTIONAL);
    add_hello(&expected, &(said){ID, NOW, OLDEST, 0x66}, 1);
    bpt_rig_until(&f.rig, f.rig.server.opens == 1 && bp_conn_queued_bytes(f.rig.server.conn) == 0);
    if (ways[_i].is_queued) bpt_send(f.rig.server.conn, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    bp_conn_close(f.rig.server.conn, ways[_i].why);
    bpt_rig_until(&f.rig, is_gone(&f));
    if (ways[_i].has_goodbye) add_goodbye(&expected);
    ck_assert_uint_eq(read_all(f.fd, got, sizeof got), expected.length);
    ck_assert_mem_eq(got, expected.data, expected.length);
    finish(&f);
}
END_TEST

/* ---- several schemas -------------------------------------------------------------------------------------------- */

/* A second schema without any types in the way of the first. */
static const bp_schema second = {.abi = BP_ABI,
                                 .name = "second",
                                 .id = 500,
                                 .version = 9,
                                 .min_compatible = 9,
                                 .layouts = &(const bp_layout){9, 0x99},
                                 .layout_count = 1};

START_TEST(every_schema_in_common_must_fit) {
    static const hello_case all[] = {
        {{{500, 9, 9, 0x99}}, 1, BP_OK, NULL},
        {{{500, 9, 9, 0x99}, {ID, NOW, 1, 0x66}}, 2, BP_OK, NULL},
        {{{500, 9, 9, 0x98}, {ID, NOW, 1, 0x66}},
         2,
         BP_ERR_SCHEMA,
         "the peer's version looks different on the wire: schema second, version 9 there, 9 here"},
        {{{500, 8, 8, 0x99}, {ID, NOW, 1, 0x66}},
         2,
         BP_ERR_SCHEMA,
         "the peer's version is older than any that is read here: schema second, version 8 there, 9 here"}};
    const hello_case *c = &all[_i];
    fixture f;
    bytes b = {.length = 0};
    init(&f);
    bp_server_config config = configure(&f, BP_HELLO_OPTIONAL);
    config.conn.services[1] = config.conn.services[0];
    config.conn.services[1].schema = &second;
    config.conn.service_count = 2;
    bpt_rig_listen(&f.rig, &config, BPT_WAYS - 1);
    f.fd = bpt_rig_raw(&f.rig);
    add_hello(&b, c->entries, c->count);
    add_goodbye(&b);
    send_all(&f, &b);
    bpt_err(f.rig.server.why, c->err == BP_OK ? BP_ERR_END : c->err);
    if (c->why != NULL) ck_assert_str_eq(f.why, c->why);
    if (c->err == BP_OK) ck_assert_uint_eq(f.version_at_close, c->count == 2 ? NOW : 0);
    finish(&f);
}
END_TEST

/* ---- two of a kind ---------------------------------------------------------------------------------------------- */

START_TEST(two_ends_of_this_library_agree) {
    static const bp_hello modes[] = {BP_HELLO_OPTIONAL, BP_HELLO_REQUIRED, BP_HELLO_OFF};
    const bp_hello server_mode = modes[_i % 3], client_mode = modes[_i / 3];
    const bool is_off = server_mode == BP_HELLO_OFF || client_mode == BP_HELLO_OFF;
    const bool is_refused = is_off && (server_mode == BP_HELLO_REQUIRED || client_mode == BP_HELLO_REQUIRED);
    bpt_rig rig;
    bpt_rig_init(&rig);
    rig.server.hello = server_mode;
    rig.clients[0].hello = client_mode;
    const bp_server_config server = bpt_rig_server_config(&rig, 3);
    bp_client_config client = bpt_rig_client_config(&rig, 0, 3);
    bpt_rig_listen(&rig, &server, 3);
    bpt_rig_connect(&rig, 0, &client);
    if (is_refused) {
        bpt_rig_until(&rig, rig.server.opens == 1 || rig.clients[0].opens == 1);
        bp_conn *talker = rig.server.conn != NULL ? rig.server.conn : rig.clients[0].conn;
        bpt_side *other = rig.server.conn != NULL ? &rig.clients[0] : &rig.server;
        bpt_send(talker, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
        bpt_rig_until(&rig, rig.server.opens == rig.server.closes && rig.clients[0].closes == 1);
        ck_assert_uint_eq(other->opens, 0);
        ck_assert_uint_eq(other->frames, 0);
    } else {
        bpt_rig_until(&rig, rig.server.opens == 1 && rig.clients[0].opens == 1);
        bpt_send(rig.clients[0].conn, BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
        bp_conn_finish(rig.clients[0].conn);
        bpt_rig_until(&rig, rig.server.closes == 1 && rig.clients[0].closes == 1);
        bpt_err(rig.server.why, BP_ERR_END);
        bpt_err(rig.clients[0].why, BP_ERR_CLOSED);
        ck_assert_uint_eq(rig.server.frames, 1);
        ck_assert_uint_eq(rig.server.stats.frames_in, 1);
        ck_assert_uint_eq(rig.clients[0].stats.frames_out, 1);
    }
    bpt_rig_fini(&rig);
}
END_TEST

static void count_letter(bpt_side *side, bp_conn *conn) {
    (void)conn;
    ck_assert_ptr_nonnull(bp_client_conn(side->client));
}

/* A client that waits for HELLO has no connection yet, and broadcasts do not reach it. */
START_TEST(nobody_knows_a_connection_that_shakes_hands) {
    fixture f;
    bytes b = {.length = 0};
    start(&f, BP_HELLO_REQUIRED);
    bp_server_stats stats = {0};
    while (stats.connections_open == 0) {
        uv_run(&f.rig.loop, UV_RUN_ONCE);
        bp_server_stats_read(f.rig.server.server, &stats);
    }
    bp_buf *buf = bpt_frame_buf(bp_server_pool(f.rig.server.server), BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    ck_assert_uint_eq(bp_server_broadcast_take(f.rig.server.server, &buf), 0);
    add_hello(&b, &good, 1);
    put(&f, b.data, b.length);
    bpt_rig_until(&f.rig, f.rig.server.opens == 1);
    buf = bpt_frame_buf(bp_server_pool(f.rig.server.server), BPT_SMALL_TYPE, BPT_SMALL_MIN, 1);
    ck_assert_uint_eq(bp_server_broadcast_take(f.rig.server.server, &buf), 1);
    f.rig.clients[0].hello = BP_HELLO_REQUIRED;
    f.rig.clients[0].on_open = count_letter;
    bp_client_config client = bpt_rig_client_config(&f.rig, 0, BPT_WAYS - 1);
    client.conn.services[0].schema = &f.schema;
    bpt_rig_connect(&f.rig, 0, &client);
    ck_assert_ptr_null(bp_client_conn(f.rig.clients[0].client));
    bpt_rig_until(&f.rig, f.rig.clients[0].opens == 1);
    finish(&f);
}
END_TEST

BPT_SUITE(transport_control) {
    BPT_TIMEOUT(60);
    BPT_LOOP_TEST(a_hello_fits_or_is_refused_with_the_reason, 0, 2 * HELLOS);
    BPT_LOOP_TEST(every_stream_ends_as_it_should, 0, STREAMS);
    BPT_LOOP_TEST(who_does_not_begin_with_hello_is_nobody, 0, STREAMS);
    BPT_TEST(what_comes_with_hello_can_be_kept);
    BPT_TEST(who_says_nothing_hears_nothing);
    BPT_TEST(a_hello_may_come_in_any_pieces);
    BPT_TEST(a_hello_may_be_cut_anywhere);
    BPT_TEST(hello_goes_first_and_goodbye_last);
    BPT_TEST(the_page_says_what_is_said);
    BPT_LOOP_TEST(an_orderly_close_says_goodbye_where_nothing_is_dropped, 0, 4);
    BPT_LOOP_TEST(every_schema_in_common_must_fit, 0, 4);
    BPT_LOOP_TEST(two_ends_of_this_library_agree, 0, 9);
    BPT_TEST(nobody_knows_a_connection_that_shakes_hands);
}
