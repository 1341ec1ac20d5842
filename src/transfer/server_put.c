#define _GNU_SOURCE
/* Puts, on the server's side: parts that come are written, and told of as done. */
#include "transfer/server_internal.h"

#include <string.h>

enum { WINDOW = BP_PARTS_IN_FLIGHT_MAX }; /* an earlier life's may have been the widest */

static uint64_t offset_of(const bpi_serving *put, uint64_t part) { return part * put->plan.part_size; }

/* ---- what is said ---- */

static bp_err say_opened(bpi_serving *put) {
    bpi_transfer_put_opened opened = {.transfer = put->strand.number,
                                      .parts_in_flight = (uint16_t)put->slot_count,
                                      .is_committed = put->of.put.is_committed,
                                      .first = put->of.put.first,
                                      .have = put->of.put.have,
                                      .version = put->version};
    uint8_t value[BPI_TRANSFER_PUT_OPENED_MAX];
    uint32_t length;
    memcpy(opened.token, put->of.put.token.bytes, sizeof opened.token);
    const bp_err err = bpi_transfer_put_opened_encode(&opened, value, sizeof value, &length);
    return err != BP_OK ? err : bpi_link_say(&put->session->link, BPI_TRANSFER_PUT_OPENED_TYPE, value, length);
}

static bp_err say_part_done(bpi_serving *put, bpi_serving_slot *slot) {
    const bpi_transfer_part_done done = {.transfer = put->strand.number, .part = slot->part.number};
    uint8_t value[BPI_TRANSFER_PART_DONE_MAX];
    uint32_t length;
    bp_err err = bpi_transfer_part_done_encode(&done, value, sizeof value, &length);
    if (err == BP_OK) err = bpi_link_say(&put->session->link, BPI_TRANSFER_PART_DONE_TYPE, value, length);
    if (err == BP_OK) bpi_serving_slot_free(slot);
    return err;
}

static bp_err say_next(bpi_serving *put) {
    return put->ready == 0 ? BP_MORE : say_part_done(put, &put->slots[__builtin_ctzll(put->ready)]);
}

static bp_err say_committed(bpi_serving *put) {
    const bpi_transfer_committed committed = {.transfer = put->strand.number, .version = put->version};
    uint8_t value[BPI_TRANSFER_COMMITTED_MAX];
    uint32_t length;
    if (put->of.put.is_committed) return say_opened(put);
    const bp_err err = bpi_transfer_committed_encode(&committed, value, sizeof value, &length);
    return err != BP_OK ? err : bpi_link_say(&put->session->link, BPI_TRANSFER_COMMITTED_TYPE, value, length);
}

const bpi_serving_kind bpi_serving_put = {
    .kind = BP_TRANSFER_PUT, .say_opened = say_opened, .say_next = say_next, .say_done = say_committed};

/* ---- open ---- */

/* What an earlier life has put is the store's to know. */
static void begin_moving(bpi_serving *put) {
    put->of.put.is_committed = put->call.store.is_committed;
    put->of.put.token = put->call.store.token;
    put->of.put.first = put->call.store.first;
    put->of.put.have = put->call.store.have;
    put->version = put->call.store.version;
    put->state = BPI_SERVING_MOVING;
    if (put->of.put.is_committed) {
        bpi_serving_end(put, BPI_LAST_DONE);
    } else if (!bpi_plan_restore(&put->plan, put->of.put.first, put->of.put.have)) {
        bpi_serving_fail(put, BP_ERR_SYSTEM, put->of.put.first);
    } else {
        put->is_answer_due = true;
        bpi_link_due(&put->session->link, &put->strand);
    }
}

static void on_opened(bpi_call *call, bp_err err) {
    bpi_serving *put = call->owner;
    put->is_opened = err == BP_OK;
    put->object = put->is_opened ? call->store.object : NULL;
    if (bpi_serving_answered(put, err)) begin_moving(put);
}

static uint32_t in_flight(const bpi_session *session, uint32_t wanted) {
    const uint32_t most = session->server->config.parts_in_flight;
    return wanted < most ? wanted : most;
}

bp_err bpi_serve_put_open(bpi_session *session, const bpi_transfer_put_open_view *view) {
    const bpi_asked asked = {
        .kind = &bpi_serving_put,
        .number = bpi_transfer_put_open_get_transfer(view),
        .slot_count = in_flight(session, bpi_transfer_put_open_get_parts_in_flight(view)),
        .part_size = bpi_transfer_put_open_get_part_size(view),
        .name = bpi_transfer_put_open_get_name(view),
    };
    bpi_serving *put;
    const bp_err err = bpi_serving_new(session, &asked, &put);
    if (put == NULL) return err;
    const uint64_t size = bpi_transfer_put_open_get_size(view);
    bpi_plan_init(&put->plan, size, asked.part_size, WINDOW);
    put->call.store = (bp_store_call){.name = put->name, .size = size, .part_size = asked.part_size};
    memcpy(put->call.store.token.bytes, bpi_transfer_put_open_get_token(view).data, sizeof put->call.store.token);
    bpi_serving_call(put, bpi_store_of(put)->put_open, on_opened);
    return BP_OK;
}

/* ---- parts ---- */

static void on_written(bpi_call *call, bp_err err) {
    bpi_serving_slot *slot = call->owner;
    bpi_serving *put = slot->serving;
    bp_transfer_stats *stats = &put->session->server->stats;
    bp_buf_release_take(&slot->buf);
    if (!bpi_serving_slot_answered(slot, err, slot->part.number)) return;
    (void)!bpi_plan_finish(&put->plan, slot->part.number); /* it was under way */
    bpi_count(&stats->parts_in, 1);
    bpi_count(&stats->bytes_in, call->store.length);
    bpi_serving_slot_set_ready(slot);
}

/* Whether a part may be so long. The last part of an object of unknown size says what its size is, if it is short. */
static bool has_right_length(bpi_serving *put, uint64_t part, uint64_t length) {
    const uint32_t most = bpi_plan_length(&put->plan, part);
    if (length == most) return true;
    const bool is_unknown = put->plan.size == BP_SIZE_UNKNOWN;
    return is_unknown && length != 0 && length < most && bpi_plan_end(&put->plan, offset_of(put, part) + length);
}

/* The frame becomes the slot's, and with it the data, wherever that lies then. BP_ERR_LIMIT: the connection waits for
 * memory, and the part comes again. */
static bp_err keep(bpi_serving_slot *slot, bp_conn *conn, bp_bytes *data) {
    const bp_frame *frame = conn->end->loop->frame;
    const size_t at = (size_t)(data->data - frame->value);
    const bool is_copied = frame->buf == NULL;
    const bp_err err = bp_conn_keep(conn, &slot->buf);
    if (err != BP_OK) return err;
    data->data = bp_buf_data(slot->buf) + at;
    if (is_copied) bpi_count(&slot->serving->session->server->stats.bytes_copied, data->length);
    return BP_OK;
}

static void write_part(bpi_serving_slot *slot, uint64_t part, bp_bytes data, uint32_t crc) {
    bpi_serving *put = slot->serving;
    const uint64_t offset = offset_of(put, part), end = offset + data.length;
    if (put->of.put.reach < end) put->of.put.reach = end;
    slot->part.number = part;
    slot->call.store = (bp_store_call){.part = part,
                                       .offset = offset,
                                       .data = (uint8_t *)(uintptr_t)data.data,
                                       .length = (uint32_t)data.length,
                                       .crc = crc,
                                       .part_size = put->plan.part_size};
    bpi_serving_slot_call(slot, bpi_store_of(put)->write, on_written);
}

static bp_err refuse_part(bpi_serving *put, uint64_t part) {
    bpi_count(&put->session->server->stats.parts_refused, 1);
    bpi_serving_fail(put, BP_ERR_PART, part);
    return BP_OK;
}

bp_err bpi_serve_part(bpi_serving *put, const bpi_transfer_part_view *view) {
    const uint64_t part = bpi_transfer_part_get_part(view);
    bp_bytes data = bpi_transfer_part_get_data(view);
    bpi_serving_slot *slot = put->state == BPI_SERVING_MOVING ? bpi_serving_slot_take(put) : NULL;
    if (slot == NULL) return refuse_part(put, part);
    if (!bpi_plan_begin(&put->plan, part) || !has_right_length(put, part, data.length)) {
        bpi_serving_slot_free(slot);
        return refuse_part(put, part);
    }
    const bp_err err = keep(slot, put->session->link.conn, &data);
    if (err != BP_OK) {
        if (err == BP_ERR_LIMIT) bpi_count(&put->session->server->stats.waits, 1);
        (void)!bpi_plan_undo(&put->plan, part); /* it was begun */
        bpi_serving_slot_free(slot);
        return err;
    }
    write_part(slot, part, data, bpi_transfer_part_get_crc(view));
    return BP_OK;
}

/* ---- commit ---- */

static void on_committed(bpi_call *call, bp_err err) {
    bpi_serving *put = call->owner;
    put->calls--;
    put->version = call->store.version;
    if (put->state == BPI_SERVING_ENDING)
        bpi_serving_go_on(put);
    else if (err != BP_OK)
        bpi_serving_fail(put, err, call->store.part);
    else
        bpi_serving_end(put, BPI_LAST_DONE);
}

void bpi_serve_put_commit(bpi_serving *put, const bpi_transfer_put_commit_view *view) {
    const uint64_t size = bpi_transfer_put_commit_get_size(view);
    if (put->state != BPI_SERVING_MOVING) {
        bpi_serving_fail(put, BP_ERR_ARGUMENT, BP_PART_NONE);
    } else if (size == BP_SIZE_UNKNOWN || size < put->of.put.reach || !bpi_plan_end(&put->plan, size)) {
        bpi_serving_fail(put, BP_ERR_CHANGED, BP_PART_NONE);
    } else if (!bpi_plan_is_done(&put->plan)) {
        bpi_serving_fail(put, BP_ERR_PART_MISSING, put->plan.first);
    } else {
        put->state = BPI_SERVING_COMMITTING;
        put->is_sealed = true;
        put->call.store = (bp_store_call){.part = BP_PART_NONE, .size = size};
        put->call.store.crc = bpi_transfer_put_commit_get_crc(view);
        bpi_serving_call(put, bpi_store_of(put)->commit, on_committed);
    }
}
