#define _GNU_SOURCE
/* Gets, on the server's side: parts that are wanted are read into the buffers that leave. */
#include "transfer/server_internal.h"

/* ---- what is said ---- */

static bp_err say_opened(bpi_serving *get) {
    const bpi_transfer_get_opened opened = {.transfer = get->strand.number,
                                            .parts_in_flight = (uint16_t)get->slot_count,
                                            .has_crc = get->of.get.has_crc,
                                            .crc = get->of.get.crc,
                                            .size = get->of.get.size,
                                            .version = get->version};
    uint8_t value[BPI_TRANSFER_GET_OPENED_MAX];
    uint32_t length;
    const bp_err err = bpi_transfer_get_opened_encode(&opened, value, sizeof value, &length);
    return err != BP_OK ? err : bpi_link_say(&get->session->link, BPI_TRANSFER_GET_OPENED_TYPE, value, length);
}

/* Whoever gets them hands them on in order: the first one is wanted most. */
static bpi_serving_slot *first_ready(bpi_serving *get) {
    bpi_serving_slot *first = NULL;
    for (uint64_t left = get->ready; left != 0; left &= left - 1) {
        bpi_serving_slot *slot = &get->slots[__builtin_ctzll(left)];
        if (first == NULL || slot->part.number < first->part.number) first = slot;
    }
    return first;
}

static bp_err send_part(bpi_serving *get, bpi_serving_slot *slot) {
    bp_transfer_stats *stats = &get->session->server->stats;
    const bp_err err = bpi_link_hand_take(&get->session->link, &slot->buf);
    if (err != BP_OK) return err;
    bpi_count(&stats->parts_out, 1);
    bpi_count(&stats->bytes_out, slot->part.length);
    bpi_serving_slot_free(slot);
    return BP_OK;
}

static bp_err say_next(bpi_serving *get) { return get->ready == 0 ? BP_MORE : send_part(get, first_ready(get)); }

/* ---- open ---- */

/* The range, as it is cut into parts. False: it is not in the object. */
static bool cut_range(bpi_serving *get) {
    const uint64_t size = get->of.get.size, offset = get->of.get.offset;
    if (offset > size || get->of.get.length > size - offset) return false;
    const uint64_t length = get->of.get.length == 0 ? size - offset : get->of.get.length;
    bpi_plan_init(&get->plan, length, get->plan.part_size, 1);
    return true;
}

static void on_opened(bpi_call *call, bp_err err) {
    bpi_serving *get = call->owner;
    get->is_opened = err == BP_OK;
    get->object = get->is_opened ? call->store.object : NULL;
    if (!bpi_serving_answered(get, err)) return;
    get->of.get.size = call->store.size;
    get->of.get.has_crc = call->store.has_crc;
    get->of.get.crc = call->store.has_crc ? call->store.crc : 0;
    get->version = call->store.version;
    get->state = BPI_SERVING_MOVING;
    get->is_answer_due = true;
    if (cut_range(get))
        bpi_link_due(&get->session->link, &get->strand);
    else
        bpi_serving_fail(get, BP_ERR_RANGE, BP_PART_NONE);
}

bp_err bpi_serve_get_open(bpi_session *session, const bpi_transfer_get_open_view *view) {
    const uint32_t wanted = bpi_transfer_get_open_get_parts_in_flight(view);
    const uint32_t most = session->server->config.parts_in_flight;
    const bpi_asked asked = {
        .kind = &bpi_serving_get,
        .number = bpi_transfer_get_open_get_transfer(view),
        .slot_count = wanted < most ? wanted : most,
        .part_size = bpi_transfer_get_open_get_part_size(view),
        .name = bpi_transfer_get_open_get_name(view),
    };
    bpi_serving *get;
    const bp_err err = bpi_serving_new(session, &asked, &get);
    if (get == NULL) return err;
    get->plan.part_size = asked.part_size;
    get->of.get.offset = bpi_transfer_get_open_get_offset(view);
    get->of.get.length = bpi_transfer_get_open_get_length(view);
    get->call.store = (bp_store_call){.name = get->name, .version = bpi_transfer_get_open_get_version(view)};
    bpi_serving_call(get, bpi_store_of(get)->get_open, on_opened);
    return BP_OK;
}

/* ---- parts ---- */

/* Puts all of the part's frame but its data into the buffer: once to know where that goes, and again with its sum. */
static uint8_t *place(bpi_serving_slot *slot) {
    const bpi_transfer_part part = {.transfer = slot->serving->strand.number,
                                    .part = slot->part.number,
                                    .crc = slot->part.crc,
                                    .data_length = slot->part.length};
    uint32_t length;
    uint8_t *data;
    /* Cannot fail: the buffer is as long as this says. */
    (void)!bpi_transfer_part_place(&part, bp_buf_data(slot->buf), bp_buf_capacity(slot->buf), &length, &data);
    bp_buf_set_length(slot->buf, length);
    bp_buf_set_type(slot->buf, BPI_TRANSFER_PART_TYPE);
    return data;
}

static void on_read(bpi_call *call, bp_err err) {
    bpi_serving_slot *slot = call->owner;
    if (!bpi_serving_slot_answered(slot, err, slot->part.number)) return;
    slot->part.crc = call->store.crc;
    (void)place(slot);
    bpi_serving_slot_set_ready(slot);
}

static void read_part(bpi_serving_slot *slot) {
    const bpi_serving *get = slot->serving;
    slot->part.crc = 0;
    slot->call.store = (bp_store_call){.part = slot->part.number,
                                       .offset = get->of.get.offset + slot->part.number * get->plan.part_size,
                                       .data = place(slot),
                                       .length = slot->part.length};
    bpi_serving_slot_call(slot, bpi_store_of(get)->read, on_read);
}

void bpi_serve_part_want(bpi_serving *get, uint64_t part) {
    const bool may_be = get->state == BPI_SERVING_MOVING && part < bpi_plan_count(&get->plan);
    bpi_serving_slot *slot = may_be ? bpi_serving_slot_take(get) : NULL;
    if (slot == NULL) {
        bpi_serving_fail(get, BP_ERR_PART, part);
        return;
    }
    slot->part.number = part;
    slot->part.length = bpi_plan_length(&get->plan, part);
    bpi_serving_slot_reserve(slot, bpi_part_frame_size(slot->part.length));
}

const bpi_serving_kind bpi_serving_get = {
    .kind = BP_TRANSFER_GET, .say_opened = say_opened, .say_next = say_next, .on_memory = read_part};
