#define _GNU_SOURCE
/* Lists, on the server's side: what the store tells of is collected in a buffer, and then said name by name. */
#include "transfer/server_internal.h"

#include "bufpool/detail/bytes.h"

#include <string.h>

/* A record: u64 size, u64 version, u16 bytes of the name, and these. */
static void load(const uint8_t *at, bpi_transfer_listed *out) {
    out->size = bpi_load_u64(at);
    out->version = bpi_load_u64(at + 8);
    out->name_length = bpi_load_u16(at + 16);
    memcpy(out->name, at + BPI_LIST_RECORD, out->name_length);
}

/* On the store's thread, one at a time, before its answer. There is room: no more are told of than count_max. */
static bp_err add_record(bpi_call *call, const bp_object_info *object) {
    const bpi_serving_slot *slot = call->owner;
    bpi_serving *list = slot->serving;
    const size_t length = strlen(object->name);
    uint8_t *at = bp_buf_data(slot->buf) + list->of.list.used;
    bpi_store_u64(at, object->size);
    bpi_store_u64(at + 8, object->version);
    bpi_store_u16(at + 16, (uint16_t)length);
    memcpy(at + BPI_LIST_RECORD, object->name, length);
    list->of.list.used += BPI_LIST_RECORD + (uint32_t)length;
    return BP_OK;
}

/* ---- what is said ---- */

static bp_err say_listed(bpi_serving *list) {
    bpi_transfer_listed listed = {.transfer = list->strand.number};
    uint8_t value[BPI_TRANSFER_LISTED_MAX];
    uint32_t length;
    load(bp_buf_data(list->slots[0].buf) + list->of.list.said, &listed);
    bp_err err = bpi_transfer_listed_encode(&listed, value, sizeof value, &length);
    if (err == BP_OK) err = bpi_link_say(&list->session->link, BPI_TRANSFER_LISTED_TYPE, value, length);
    if (err == BP_OK) list->of.list.said += BPI_LIST_RECORD + listed.name_length;
    return err;
}

static bp_err say_next(bpi_serving *list) {
    if (list->state != BPI_SERVING_MOVING) return BP_MORE;
    if (list->of.list.said < list->of.list.used) return say_listed(list);
    bpi_serving_end(list, BPI_LAST_DONE);
    return BP_MORE;
}

static bp_err say_end(bpi_serving *list) {
    const bpi_transfer_list_end end = {.transfer = list->strand.number, .has_more = list->of.list.has_more};
    uint8_t value[BPI_TRANSFER_LIST_END_MAX];
    uint32_t length;
    const bp_err err = bpi_transfer_list_end_encode(&end, value, sizeof value, &length);
    return err != BP_OK ? err : bpi_link_say(&list->session->link, BPI_TRANSFER_LIST_END_TYPE, value, length);
}

/* ---- asking the store ---- */

static void on_listed(bpi_call *call, bp_err err) {
    bpi_serving_slot *slot = call->owner;
    bpi_serving *list = slot->serving;
    if (!bpi_serving_slot_answered(slot, err, BP_PART_NONE)) return;
    list->of.list.has_more = call->store.has_more;
    list->state = BPI_SERVING_MOVING;
    bpi_link_due(&list->session->link, &list->strand);
}

static void ask(bpi_serving_slot *slot) {
    const bpi_serving *list = slot->serving;
    slot->call.tell = add_record;
    slot->call.store = (bp_store_call){.name = list->name, .after = list->after, .count_max = BPI_LIST_COUNT};
    bpi_serving_slot_call(slot, bpi_store_of(list)->list, on_listed);
}

bp_err bpi_serve_list(bpi_session *session, const bpi_transfer_list_view *view) {
    const bpi_asked asked = {.kind = &bpi_serving_list,
                             .number = bpi_transfer_list_get_transfer(view),
                             .slot_count = 1,
                             .name = bpi_transfer_list_get_prefix(view),
                             .after = bpi_transfer_list_get_after(view)};
    bpi_serving *list;
    const bp_err err = bpi_serving_new(session, &asked, &list);
    if (list == NULL) return err;
    bpi_serving_slot *slot = bpi_serving_slot_take(list);
    slot->part.number = BP_PART_NONE;
    bpi_serving_slot_reserve(slot, BPI_LIST_BYTES);
    return BP_OK;
}

const bpi_serving_kind bpi_serving_list = {
    .kind = BP_TRANSFER_LIST, .say_next = say_next, .say_done = say_end, .on_memory = ask};
