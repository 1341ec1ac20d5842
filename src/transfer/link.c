#define _GNU_SOURCE
/* Who of a connection's transfers says what, and when: see link.h. */
#include "transfer/link.h"

#include "frame/frame_internal.h"
#include "transport/send_internal.h"

#include <string.h>

enum { STRIDE_STEP = 16, ENVELOPES_ALL = (1 << BPI_LINK_ENVELOPES) - 1 };

_Static_assert(BPI_TRANSFER_PUT_OPEN_MAX <= BPI_SAY_MAX && BPI_TRANSFER_LISTED_MAX <= BPI_SAY_MAX &&
                   BPI_TRANSFER_GET_OPEN_MAX <= BPI_SAY_MAX && BPI_TRANSFER_FAILED_MAX <= BPI_SAY_MAX,
               "an envelope holds every message that is not a part");

void bpi_link_init(bpi_link *link, bp_conn *conn) {
    *link = (bpi_link){.conn = conn, .end = conn->end, .free_envelopes = ENVELOPES_ALL};
    link->end->handle_count++;
}

void bpi_link_cut(bpi_link *link) {
    link->conn = NULL;
    for (bpi_strand *strand = link->first; strand != NULL; strand = strand->due_next) strand->is_due = false;
    link->first = link->last = NULL;
}

void bpi_link_fini(bpi_link *link) {
    bpi_end *end = link->end;
    *link = (bpi_link){0};
    bpi_end_handle_closed(end);
}

bool bpi_link_is_possible(const bp_conn *conn) { return conn->end->config.full_policy != BP_FULL_DROP_OLD; }

/* ---- strands ---- */

static bpi_strand **bucket_of(bpi_link *link, uint32_t number) { return &link->buckets[number % BPI_LINK_BUCKETS]; }

bool bpi_link_add(bpi_link *link, bpi_strand *strand, uint32_t number, bpi_strand_fn *speak) {
    bpi_strand **bucket = bucket_of(link, number);
    if (number <= link->last_number) return false;
    *strand = (bpi_strand){.bucket_next = *bucket, .number = number, .speak = speak};
    *bucket = strand;
    link->last_number = number;
    return true;
}

bpi_strand *bpi_link_find(const bpi_link *link, uint32_t number) {
    bpi_strand *strand = link->buckets[number % BPI_LINK_BUCKETS];
    while (strand != NULL && strand->number != number) strand = strand->bucket_next;
    return strand;
}

/* The one before `next`; NULL: it is the last. */
static void link_due(bpi_link *link, bpi_strand *strand, bpi_strand *next) {
    strand->is_due = true;
    strand->due_next = next;
    strand->due_previous = next == NULL ? link->last : next->due_previous;
    *(strand->due_previous == NULL ? &link->first : &strand->due_previous->due_next) = strand;
    *(next == NULL ? &link->last : &next->due_previous) = strand;
}

static void unlink_due(bpi_link *link, bpi_strand *strand) {
    *(strand->due_previous == NULL ? &link->first : &strand->due_previous->due_next) = strand->due_next;
    *(strand->due_next == NULL ? &link->last : &strand->due_next->due_previous) = strand->due_previous;
    strand->due_next = strand->due_previous = NULL;
    strand->is_due = false;
}

void bpi_link_remove(bpi_link *link, bpi_strand *strand) {
    bpi_strand **at = bucket_of(link, strand->number);
    if (strand->is_due) unlink_due(link, strand);
    if (strand->number == 0) return;
    while (*at != strand) at = &(*at)->bucket_next;
    *at = strand->bucket_next;
}

bool bpi_link_count_part(bpi_link *link, const bpi_strand *strand) {
    link->stale_count = strand == NULL ? link->stale_count + 1 : 0;
    return link->stale_count < BPI_LINK_STALE_MAX;
}

/* ---- turns ---- */

/* Nothing was sent, for want of room, or the connection is going: the strand is the next one, if there is a next time.
 * A connection that works, and for which there is no memory, cannot go on. */
static void stop(bpi_link *link, bpi_strand *strand, bp_err err) {
    link->is_stuck = true;
    if (!strand->is_due) link_due(link, strand, link->first);
    if (err != BP_PENDING && bpi_send_state(link->conn) == BP_OK) bp_conn_close(link->conn, err);
}

static void speak_in_turn(bpi_link *link) {
    if (link->is_speaking || link->conn == NULL) return;
    link->is_speaking = true;
    while (link->first != NULL && !link->is_stuck) {
        bpi_strand *strand = link->first;
        unlink_due(link, strand);
        const bp_err err = strand->speak(link, strand);
        if (err == BP_MORE) continue;
        if (err != BP_OK)
            stop(link, strand, err);
        else if (!strand->is_due)
            link_due(link, strand, NULL);
    }
    link->is_speaking = false;
}

void bpi_link_due(bpi_link *link, bpi_strand *strand) {
    if (link->conn == NULL) return;
    if (!strand->is_due) link_due(link, strand, NULL);
    speak_in_turn(link);
}

void bpi_link_drained(bpi_link *link) {
    link->is_stuck = false;
    speak_in_turn(link);
}

/* ---- sending ---- */

static void on_envelope_back(bp_wrap *wrap, uint8_t *value, void *user) {
    bpi_envelope *envelope = user;
    (void)wrap, (void)value;
    envelope->link->free_envelopes |= 1u << (envelope - envelope->link->envelopes);
}

/* Envelopes that are out are in the queue: as that gets shorter, the link goes on. */
static bp_err say_in_envelope(bpi_link *link, uint16_t type, const uint8_t *value, uint32_t length) {
    if (link->free_envelopes == 0) {
        bpi_send_await_room(link->conn);
        return BP_PENDING;
    }
    const int ix = __builtin_ctz(link->free_envelopes);
    bpi_envelope *envelope = &link->envelopes[ix];
    link->free_envelopes &= ~(1u << ix);
    envelope->link = link;
    bpi_copy(envelope->value, value, length);
    bp_buf *buf = bp_buf_wrap(&envelope->wrap, envelope->value, length, on_envelope_back, envelope);
    bp_buf_set_type(buf, type);
    const bp_err err = bp_conn_send_take(link->conn, &buf);
    bp_buf_release(buf);
    return err;
}

/* Whether a frame can be sent now. BP_ERR_ARGUMENT: the program is about to send one, on this loop; the link goes on
 * behind it. */
static bp_err check_room(bpi_link *link, uint32_t length) {
    bp_conn *conn = link->conn;
    if (conn == NULL) return BP_ERR_CLOSED;
    const bp_err err = bpi_send_check(conn);
    if (err != BP_OK && err != BP_ERR_ARGUMENT) return err;
    if (err == BP_OK && bpi_send_has_room(conn, (uint64_t)BP_FRAME_HEADER_SIZE + length)) return BP_OK;
    bpi_send_await_room(conn);
    return BP_PENDING;
}

bp_err bpi_link_say(bpi_link *link, uint16_t type, const uint8_t *value, uint32_t length) {
    uint8_t *to;
    bp_err err = check_room(link, length);
    if (err != BP_OK) return err;
    err = bp_conn_frame_begin(link->conn, type, length, &to);
    if (err == BP_ERR_LIMIT) return say_in_envelope(link, type, value, length);
    if (err != BP_OK) return err;
    bpi_copy(to, value, length);
    return bp_conn_frame_end(link->conn, length);
}

bp_err bpi_link_hand_take(bpi_link *link, bp_buf **buf) {
    const bp_err err = check_room(link, bp_buf_length(*buf));
    return err == BP_OK ? bp_conn_send_take(link->conn, buf) : err;
}

/* ---- the contract ---- */

uint32_t bpi_part_frame_size(uint32_t data_length) {
    const bpi_transfer_part part = {.data_length = data_length};
    uint32_t size;
    return bpi_transfer_part_size(&part, &size) == BP_OK ? size : 0;
}

/* Classes by powers of two: a peer that comes with many sizes uses up few of the pool's, and no part takes much more
 * than twice its bytes. */
static uint32_t class_bits(uint32_t part_size) {
    return part_size <= BP_PART_SIZE_MIN ? (uint32_t)__builtin_ctz(BP_PART_SIZE_MIN)
                                         : 32 - (uint32_t)__builtin_clz(part_size - 1);
}

static bp_class class_of(uint32_t part_size) {
    const uint32_t size = bpi_part_frame_size(UINT32_C(1) << class_bits(part_size));
    return (bp_class){.size = (size + STRIDE_STEP - 1) / STRIDE_STEP * STRIDE_STEP};
}

void bpi_link_fit_pool(bpi_link *link, uint32_t part_size) {
    const uint32_t bit = 1u << class_bits(part_size);
    const bp_class added = class_of(part_size);
    if ((link->fitted & bit) != 0) return;
    link->fitted |= bit;
    /* Refused where it is there already, or too large for the pool: then its parts are exact allocations. */
    (void)!bp_pool_class_add(link->end->pool, &added);
}

static bool is_logged(uint16_t type) { return type >= BPI_TRANSFER_LOG_PUT_TYPE; }

static void narrow_types(bpi_narrow_schema *narrow, uint32_t part_size_max) {
    const bp_schema *whole = &bpi_transfer_schema;
    narrow->schema.types = narrow->types;
    narrow->schema.type_count = 0;
    for (uint32_t i = 0; i < whole->type_count && !is_logged(whole->types[i].type); i++) {
        narrow->types[narrow->schema.type_count++] = whole->types[i];
        if (whole->types[i].type == BPI_TRANSFER_PART_TYPE) {
            narrow->types[i].accept_max = bpi_part_frame_size(part_size_max);
        }
    }
}

/* The last of the contract's classes is for the longest part that it allows. */
static void narrow_classes(bpi_narrow_schema *narrow, uint32_t part_size_max) {
    const bp_pool_config *whole = bpi_transfer_schema.pool_config;
    narrow->pool_config = *whole;
    memcpy(narrow->classes, whole->classes, whole->class_count * sizeof *whole->classes);
    narrow->classes[whole->class_count - 1] = class_of(part_size_max);
    narrow->pool_config.classes = narrow->classes;
    narrow->schema.pool_config = &narrow->pool_config;
}

void bpi_narrow_schema_init(bpi_narrow_schema *narrow, uint32_t part_size_max) {
    narrow->schema = bpi_transfer_schema;
    narrow_types(narrow, part_size_max);
    narrow_classes(narrow, part_size_max);
}
