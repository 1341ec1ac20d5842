#define _GNU_SOURCE
/* Frames of type 0, which are the library's own: HELLO, by which two ends find out that they mean the same bytes, and
 * GOODBYE, by which an end that was meant is told from one that was not (docs/WIRE.md, "Control frames"). */
#include "frame/frame_internal.h"
#include "transport/send_internal.h"
#include "transport/service_internal.h"

#include <stdio.h>
#include <string.h>

enum { KIND_HELLO = 1, KIND_GOODBYE = 2 };

enum {
    HEAD_SIZE = 2,  /* u8 kind, u8 zero */
    COUNT_SIZE = 2, /* of a HELLO: u16, how many entries follow */
    ENTRY_SIZE = 16 /* u32 id, u16 version, u16 min_compatible, u64 hash */
};

/* One schema of a HELLO. */
typedef struct entry {
    uint32_t id;
    uint16_t version, min_compatible;
    uint64_t hash; /* 0: not known */
} entry;

/* ---- layouts ---- */

/* What a version looks like on the wire; 0 when that is not known. */
static uint64_t layout_of(const bp_schema *schema, uint16_t version) {
    uint64_t hash = 0;
    for (uint32_t i = 0; i < schema->layout_count && schema->layouts[i].version <= version; i++) {
        hash = schema->layouts[i].hash;
    }
    return hash;
}

/* The newer side knows what the older one looks like. */
static bpi_hello_fault compare(const bp_schema *own, const entry *theirs) {
    if (theirs->version < own->min_compatible) return BPI_HELLO_OLD;
    if (own->version < theirs->min_compatible) return BPI_HELLO_NEW;
    const uint64_t known = theirs->version > own->version ? 0 : layout_of(own, theirs->version);
    return known == 0 || theirs->hash == 0 || known == theirs->hash ? BPI_HELLO_FITS : BPI_HELLO_LAYOUT;
}

/* ---- what this end says ---- */

static void store_entry(uint8_t *at, const bp_schema *schema) {
    bpi_store_u32(at, schema->id);
    bpi_store_u16(at + 4, schema->version);
    bpi_store_u16(at + 6, schema->min_compatible);
    bpi_store_u64(at + 8, layout_of(schema, schema->version));
}

static bp_err make_frame(bp_pool *pool, uint8_t kind, uint32_t length, bp_buf **out) {
    const bp_err err = bp_pool_acquire(pool, length, out);
    if (err != BP_OK) return err;
    uint8_t *value = bp_buf_data(*out);
    value[0] = kind;
    value[1] = 0;
    bp_buf_set_length(*out, length);
    bp_buf_set_type(*out, 0);
    return BP_OK;
}

bp_err bpi_control_init(bpi_end *end) {
    const bp_conn_config *config = &end->config;
    bp_err err = bp_heap_pool_new(0, &end->control_pool);
    if (err != BP_OK) return err;
    end->reader.control_max = BPI_CONTROL_MAX;
    end->reader.control_pool = end->control_pool;
    if (config->hello == BP_HELLO_OFF) return BP_OK;
    err = make_frame(end->control_pool, KIND_GOODBYE, HEAD_SIZE, &end->goodbye);
    if (err != BP_OK) return err;
    const uint32_t length = HEAD_SIZE + COUNT_SIZE + ENTRY_SIZE * config->service_count;
    err = make_frame(end->control_pool, KIND_HELLO, length, &end->hello);
    if (err != BP_OK) return err;
    uint8_t *at = bp_buf_data(end->hello) + HEAD_SIZE;
    bpi_store_u16(at, (uint16_t)config->service_count);
    at += COUNT_SIZE;
    for (uint32_t i = 0; i < config->service_count; i++, at += ENTRY_SIZE) store_entry(at, config->services[i].schema);
    return BP_OK;
}

void bpi_control_fini(bpi_end *end) {
    bp_buf_release_take(&end->hello);
    bp_buf_release_take(&end->goodbye);
    bp_pool_release_take(&end->control_pool);
}

/* Behind everything that is queued, whatever its limit. */
static void say(bp_conn *conn, bp_buf *frame) {
    bp_buf *buf = bp_buf_retain(frame);
    const bp_err err = bpi_send_queue_take(conn, &buf);
    bp_buf_release(buf);
    if (err != BP_OK) bp_conn_close(conn, err);
}

void bpi_control_open(bp_conn *conn) {
    if (conn->end->hello != NULL) say(conn, conn->end->hello);
}

void bpi_control_finish(bp_conn *conn) {
    if (conn->end->goodbye != NULL) say(conn, conn->end->goodbye);
}

/* What was queued is dropped, so that GOODBYE stands only where nothing was. Whether it gets through is the socket's to
 * say: closing waits for nobody. */
void bpi_control_close(bp_conn *conn, bp_err why) {
    uint8_t frame[BP_FRAME_HEADER_SIZE + HEAD_SIZE] = {0};
    const bool is_orderly = why == BP_OK || why == BP_ERR_CLOSED;
    if (!is_orderly || conn->state != BPI_CONN_OPEN || conn->end->goodbye == NULL || conn->is_broken) return;
    if (conn->write != NULL || bp_conn_queued_bytes(conn) != 0) return;
    bpi_store_u32(frame + 2, HEAD_SIZE);
    frame[BP_FRAME_HEADER_SIZE] = KIND_GOODBYE;
    const uv_buf_t piece = uv_buf_init((char *)frame, sizeof frame);
    (void)uv_try_write(&conn->handle.stream, &piece, 1);
}

/* ---- what the peer says ---- */

static bp_err fault_of(bp_conn *conn, bpi_hello_fault what, uint32_t service_ix) {
    conn->misfit = (uint8_t)((uint32_t)what | service_ix << 4);
    return what == BPI_HELLO_MALFORMED || what == BPI_HELLO_AFTER ? BP_ERR_MALFORMED : BP_ERR_SCHEMA;
}

static bp_err fault(bp_conn *conn, bpi_hello_fault what) { return fault_of(conn, what, 0); }

static entry load_entry(const uint8_t *at) {
    return (entry){.id = bpi_load_u32(at),
                   .version = bpi_load_u16(at + 4),
                   .min_compatible = bpi_load_u16(at + 6),
                   .hash = bpi_load_u64(at + 8)};
}

/* Whether the entries make sense: each schema once. */
static bool are_good(const uint8_t *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const entry e = load_entry(entries + i * ENTRY_SIZE);
        if (e.min_compatible == 0 || e.min_compatible > e.version) return false;
        for (uint32_t k = 0; k < i; k++) {
            if (bpi_load_u32(entries + k * ENTRY_SIZE) == e.id) return false;
        }
    }
    return true;
}

static bool find_entry(const uint8_t *entries, uint32_t count, uint32_t id, entry *out) {
    for (uint32_t i = 0; i < count; i++) {
        *out = load_entry(entries + i * ENTRY_SIZE);
        if (out->id == id) return true;
    }
    return false;
}

/* The versions that the peer has of this end's schemas; one is the usual number of them. */
static uint16_t *versions_of(bp_conn *conn) {
    const bpi_end *end = conn->end;
    if (end->config.service_count == 1) return &conn->peer_version;
    return (uint16_t *)(void *)((uint8_t *)(conn + 1) + end->versions_at);
}

static bp_err take_hello(bp_conn *conn, const bp_frame *frame) {
    const bp_conn_config *config = &conn->end->config;
    const uint8_t *entries = frame->value + HEAD_SIZE + COUNT_SIZE;
    uint16_t *versions = versions_of(conn);
    bool is_known = false;
    if (frame->length < HEAD_SIZE + COUNT_SIZE) return fault(conn, BPI_HELLO_MALFORMED);
    const uint32_t count = bpi_load_u16(frame->value + HEAD_SIZE);
    if (frame->length != HEAD_SIZE + COUNT_SIZE + count * ENTRY_SIZE || !are_good(entries, count)) {
        return fault(conn, BPI_HELLO_MALFORMED);
    }
    for (uint32_t i = 0; i < config->service_count; i++) {
        const bp_schema *own = config->services[i].schema;
        entry theirs;
        if (!find_entry(entries, count, own->id, &theirs)) continue;
        is_known = true;
        versions[i] = theirs.version;
        const bpi_hello_fault what = compare(own, &theirs);
        if (what != BPI_HELLO_FITS) return fault_of(conn, what, i);
    }
    if (!is_known) return fault(conn, BPI_HELLO_STRANGER);
    conn->has_hello = true;
    return BP_OK;
}

/* on_open is told outside of any handler: there is no frame that it could keep. */
static void open_now(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    loop->handling = NULL;
    bpi_conn_tell_open(conn);
    loop->handling = conn;
}

static bp_err take_goodbye(bp_conn *conn, const bp_frame *frame) {
    if (frame->length != HEAD_SIZE) return fault(conn, BPI_HELLO_MALFORMED);
    conn->is_over = true;
    conn->is_plain = false;
    return BP_OK;
}

/* BP_MORE: it is passed over. */
static bp_err take_control(bp_conn *conn, const bp_frame *frame, bool is_first) {
    const uint8_t kind = frame->length == 0 ? 0 : frame->value[0];
    if (conn->end->config.hello == BP_HELLO_OFF) return BP_MORE;
    if (frame->length < HEAD_SIZE) return fault(conn, BPI_HELLO_MALFORMED);
    if (kind != KIND_HELLO && bpi_conn_is_shaking_hands(conn)) return fault(conn, BPI_HELLO_MISSING);
    if (kind != KIND_HELLO && kind != KIND_GOODBYE) return BP_MORE;
    if (frame->value[1] != 0) return fault(conn, BPI_HELLO_MALFORMED);
    if (kind == KIND_GOODBYE) return take_goodbye(conn, frame);
    if (!is_first) return fault(conn, BPI_HELLO_LATE);
    const bp_err err = take_hello(conn, frame);
    if (err == BP_OK && bpi_conn_is_shaking_hands(conn)) open_now(conn);
    return err;
}

static bp_err judge(bp_conn *conn, const bp_frame *frame) {
    const bool is_first = !conn->is_plain && conn->reader.skipped_count == 0;
    if (conn->is_over) return fault(conn, BPI_HELLO_AFTER);
    conn->is_plain = true;
    if (frame->type == 0) return take_control(conn, frame, is_first);
    return bpi_conn_is_shaking_hands(conn) ? fault(conn, BPI_HELLO_MISSING) : BP_OK;
}

bool bpi_control_takes(bp_conn *conn, const bp_frame *frame, bp_err *err) {
    *err = judge(conn, frame);
    const bool is_skipped = *err == BP_MORE;
    if (is_skipped) *err = BP_OK;
    if (frame->type != 0 && *err == BP_OK) return false;
    bpi_reader_uncount(&conn->reader, is_skipped);
    return true;
}

bp_err bpi_control_ended(const bp_conn *conn) { return conn->has_hello && !conn->is_over ? BP_ERR_LOST : BP_ERR_END; }

uint16_t bp_conn_peer_version(const bp_conn *conn, const bp_schema *schema) {
    const uint32_t ix = bpi_service_find(conn->end, schema);
    return ix == conn->end->config.service_count ? 0 : versions_of((bp_conn *)(uintptr_t)conn)[ix];
}

/* ---- statistics ---- */

/* HELLO goes first, GOODBYE last. */
void bpi_control_stats(const bp_conn *conn, bp_conn_stats *sum) {
    const bp_buf *hello = conn->end->hello;
    const bool has_said = hello != NULL && conn->bytes_out >= BP_FRAME_HEADER_SIZE + bp_buf_length(hello);
    sum->frames_out -= (uint64_t)has_said + conn->has_left;
}

/* ---- in words ---- */

static void print_fault(const bp_conn *conn, char *out, size_t size) {
    static const char *const texts[] = {
        [BPI_HELLO_MALFORMED] = "the peer's HELLO or GOODBYE is malformed",
        [BPI_HELLO_MISSING] = "the peer did not begin with a HELLO",
        [BPI_HELLO_LATE] = "the peer said HELLO late or twice",
        [BPI_HELLO_AFTER] = "the peer sent something after its GOODBYE",
        [BPI_HELLO_STRANGER] = "the peer has none of the schemas that are spoken here",
        [BPI_HELLO_OLD] = "the peer's version is older than any that is read here",
        [BPI_HELLO_NEW] = "the peer's version does not read the one here",
        [BPI_HELLO_LAYOUT] = "the peer's version looks different on the wire",
    };
    const bpi_hello_fault what = (bpi_hello_fault)(conn->misfit & 15);
    const bp_schema *schema = conn->end->config.services[conn->misfit >> 4].schema;
    const uint16_t theirs = bp_conn_peer_version(conn, schema);
    if (what < BPI_HELLO_OLD)
        snprintf(out, size, "%s", texts[what]);
    else
        snprintf(out, size, "%s: schema %s, version %u there, %u here", texts[what], schema->name, theirs,
                 schema->version);
}

void bp_conn_why_text(const bp_conn *conn, char *out, size_t size) {
    if (conn->misfit != BPI_HELLO_FITS)
        print_fault(conn, out, size);
    else
        snprintf(out, size, "%s", bp_err_text((bp_err)conn->why));
}
