#define _GNU_SOURCE
/* Puts: from a file, from memory, or as they are written (write.c). A part that the server has already, from an earlier
 * life, is read all the same, and summed: the object's sum is of all of it. */
#include "transfer/client_internal.h"

#include "base/crc32c.h"
#include "bufpool/detail/bytes.h"

#include <string.h>

enum { SUMS_AT_ONCE = 8 /* parts in memory that are only summed, before others have their turn */ };

bool bpi_put_is_there(const bp_transfer *transfer, uint64_t part) {
    const bpi_plan *there = &transfer->of.put.there;
    if (part < there->first) return true;
    return part - there->first < 64 && (there->done >> (part - there->first) & 1) != 0;
}

static bool is_from_file(const bp_transfer *transfer) { return transfer->path != NULL; }

/* ---- beginning ---- */

static void done(bp_transfer *put, uint64_t version) {
    put->outcome.version = version;
    put->outcome.size = put->plan.size;
    put->outcome.crc = put->crc;
    bpi_job_end(put, BP_OK, BP_PART_NONE, NULL);
}

static void begin(bp_transfer *put) {
    if (!is_from_file(put)) {
        put->phase = BPI_PHASE_OPENING;
        bpi_job_due(put);
        return;
    }
    const bp_err err = bpi_place_take(put);
    if (err != BP_OK) {
        bpi_job_end(put, err, BP_PART_NONE, NULL);
        return;
    }
    put->phase = BPI_PHASE_FILE;
    bpi_job_call(put, put->place->store->table->get_open,
                 &(bp_store_call){.name = put->file, .version = put->of.put.version});
}

static void set_size(bp_transfer *put, uint64_t size) {
    bpi_plan_init(&put->plan, size, put->part_size, put->lane_count);
    put->of.put.there = put->plan;
    put->of.put.size = size;
}

static void file_opened(bp_transfer *put) {
    const bp_store_call *file = &put->call.store;
    if (put->of.put.version == 0) set_size(put, file->size);
    put->of.put.version = file->version;
    put->phase = BPI_PHASE_OPENING;
    bpi_job_due(put);
}

/* What an earlier life on this connection's predecessor was told is done, is: PartDone is a promise. Where it was not
 * kept, all begins anew, but for what was written, which is gone. */
static bool is_as_promised(const bp_transfer *put, uint64_t *broken) {
    *broken = put->of.put.there.first;
    if (put->plan.first > *broken) return false;
    for (uint64_t left = put->plan.done; left != 0; left &= left - 1) {
        *broken = put->plan.first + (uint64_t)__builtin_ctzll(left);
        if (!bpi_put_is_there(put, *broken)) return false;
    }
    return true;
}

static void begin_anew(bp_transfer *put) {
    bpi_plan_init(&put->plan, put->plan.size, put->part_size, put->lane_count);
    put->summed = 0;
    put->crc = 0;
}

/* What is written and was not answered, or only passed by, and how the server has it now. */
static void find_written(bpi_lane *lane) {
    const bool has_it = bpi_put_is_there(lane->transfer, lane->part.number);
    if (lane->state == BPI_LANE_FILLED && has_it)
        bpi_lane_finish(lane);
    else if (lane->state == BPI_LANE_PASSING && !has_it)
        bpi_job_end(lane->transfer, BP_ERR_PART_MISSING, lane->part.number, NULL);
}

static void find_there(bp_transfer *put, const bpi_transfer_put_opened_view *view) {
    const uint64_t first = bpi_transfer_put_opened_get_first(view);
    uint64_t broken;
    bpi_plan *there = &put->of.put.there;
    bpi_plan_init(there, put->plan.size, put->part_size, BP_PARTS_IN_FLIGHT_MAX);
    if (!bpi_plan_restore(there, first, bpi_transfer_put_opened_get_have(view))) {
        bpi_job_end(put, BP_ERR_PART, first, "the server has parts that the object has not");
        return;
    }
    const bool is_whole = is_as_promised(put, &broken);
    put->phase = BPI_PHASE_MOVING;
    if (!is_whole && put->of.put.is_written) bpi_job_end(put, BP_ERR_PART_MISSING, broken, NULL);
    if (!is_whole) begin_anew(put);
    for (uint32_t i = 0; i < put->lane_count; i++) find_written(&put->lanes[i]);
}

void bpi_put_opened(bp_transfer *put, const bpi_transfer_put_opened_view *view) {
    const uint32_t limit = bpi_transfer_put_opened_get_parts_in_flight(view);
    if (put->phase != BPI_PHASE_OPENING) {
        bpi_job_end(put, BP_ERR_ORDER, BP_PART_NONE, NULL);
        return;
    }
    put->limit = limit < put->lane_count ? limit : put->lane_count;
    bpi_job_set_token(put, bpi_transfer_put_opened_get_token(view).data);
    if (put->phase != BPI_PHASE_OPENING) return; /* cancelled there */
    if (bpi_transfer_put_opened_get_is_committed(view)) {
        if (!bpi_plan_is_done(&put->plan)) put->crc = 0; /* it was not read to its end */
        done(put, bpi_transfer_put_opened_get_version(view));
        return;
    }
    find_there(put, view);
    bpi_write_wake(put);
}

/* ---- parts ---- */

void bpi_put_filled(bpi_lane *lane) {
    if (bpi_put_is_there(lane->transfer, lane->part.number)) {
        bpi_lane_finish(lane);
    } else {
        lane->state = BPI_LANE_FILLED;
        bpi_job_due(lane->transfer);
    }
}

static void was_read(bpi_lane *lane, bp_err err) {
    lane->part.crc = lane->call.store.crc;
    lane->state = BPI_LANE_FILLED;
    if (err == BP_OK)
        bpi_put_filled(lane);
    else
        bpi_job_end(lane->transfer, err, lane->part.number, NULL);
}

static void copy(bpi_lane *lane) {
    bp_transfer *put = lane->transfer;
    const uint8_t *from = put->of.put.data + lane->part.number * put->part_size;
    bpi_copy(lane->data, from, lane->part.length);
    lane->part.crc = bpi_crc32c(0, lane->data, lane->part.length);
    put->client->stats.bytes_copied += lane->part.length;
    bpi_put_filled(lane);
}

static void granted(bpi_lane *lane) {
    bp_transfer *put = lane->transfer;
    if (put->of.put.is_written) {
        lane->state = BPI_LANE_FILLING;
        lane->part.length = 0;
        bpi_write_wake(put);
    } else if (is_from_file(put)) {
        bpi_lane_call(lane, BPI_LANE_READING, put->place->store->table->read, was_read);
    } else {
        copy(lane);
    }
}

static void sum_in_memory(bp_transfer *put, uint64_t part) {
    bpi_lane *lane = bpi_lane_of(put, part);
    const uint32_t length = bpi_plan_length(&put->plan, part);
    (void)!bpi_plan_begin(&put->plan, part);
    lane->part.number = part;
    lane->part.crc = bpi_crc32c(0, put->of.put.data + part * put->part_size, length);
    bpi_lane_finish(lane);
}

static bool is_idle(bp_transfer *put, uint64_t part) {
    return part != BP_PART_NONE && bpi_lane_of(put, part)->state == BPI_LANE_IDLE;
}

static void begin_parts(bp_transfer *put) {
    uint32_t sums = 0;
    for (uint64_t part; put->phase == BPI_PHASE_MOVING && is_idle(put, part = bpi_plan_next(&put->plan));) {
        const bool is_only_summed = put->of.put.data != NULL && bpi_put_is_there(put, part);
        if (is_only_summed && sums++ == SUMS_AT_ONCE) {
            bpi_client_work_later(put);
            return;
        }
        if (is_only_summed)
            sum_in_memory(put, part);
        else if (bpi_plan_under_way(&put->plan) < put->limit && !put->is_refused)
            bpi_lane_begin(put, part);
        else
            return;
    }
}

static void move(bp_transfer *put) {
    if (put->is_paused) return;
    if (put->of.put.is_written)
        bpi_write_wake(put);
    else
        begin_parts(put);
    bpi_job_due(put);
    if (put->phase != BPI_PHASE_MOVING || !bpi_plan_is_done(&put->plan)) return;
    put->phase = BPI_PHASE_COMMITTING;
    put->of.put.is_commit_said = false;
    bpi_job_due(put);
}

void bpi_put_part_done(bp_transfer *put, uint64_t part) {
    bpi_lane *lane = bpi_lane_of(put, part);
    bpi_plan *there = &put->of.put.there;
    if (lane->state != BPI_LANE_SENT || lane->part.number != part || !bpi_plan_begin(there, part)) {
        bpi_job_end(put, BP_ERR_PART, part, "the server has a part that it was not sent");
        return;
    }
    (void)!bpi_plan_finish(there, part);
    bpi_lane_finish(lane);
    bpi_job_tell_progress(put);
    bpi_write_wake(put);
}

/* What is written cannot be had again: it stays until it is answered. */
static void lose(bpi_lane *lane) {
    const bool is_kept = lane->state == BPI_LANE_PASSING || (lane->transfer->of.put.is_written && lane->buf != NULL);
    if (!is_kept)
        bpi_lane_leave(lane);
    else if (lane->state == BPI_LANE_SENT)
        lane->state = BPI_LANE_FILLED;
}

/* ---- saying ---- */

static bp_err say_open(bp_transfer *put) {
    uint8_t value[BPI_TRANSFER_PUT_OPEN_MAX];
    uint32_t length;
    bpi_transfer_put_open open = {.transfer = bpi_job_next_number(put),
                                  .part_size = put->part_size,
                                  .parts_in_flight = (uint16_t)put->lane_count,
                                  .size = put->of.put.size,
                                  .name_length = (uint16_t)strlen(put->name)};
    memcpy(open.token, put->token.bytes, sizeof open.token);
    memcpy(open.name, put->name, open.name_length);
    const bp_err err = bpi_transfer_put_open_encode(&open, value, sizeof value, &length);
    return err == BP_OK ? bpi_job_say_first(put, BPI_TRANSFER_PUT_OPEN_TYPE, value, length) : err;
}

/* The server takes parts in a window of its own. */
static bpi_lane *first_filled(bp_transfer *put) {
    const uint64_t first = put->plan.first;
    for (uint64_t part = first; part < first + put->lane_count; part++) {
        bpi_lane *lane = bpi_lane_of(put, part);
        if (lane->state != BPI_LANE_FILLED || lane->part.number != part) continue;
        return part < put->of.put.there.first + put->limit ? lane : NULL;
    }
    return NULL;
}

static bp_err say_part(bp_transfer *put, bpi_link *link, bpi_lane *lane) {
    uint32_t length;
    bpi_lane_place(lane, &length);
    bp_buf_set_type(lane->buf, BPI_TRANSFER_PART_TYPE);
    bp_buf_set_length(lane->buf, length);
    bp_buf *leaving = bp_buf_retain(lane->buf);
    const bp_err err = bpi_link_hand_take(link, &leaving);
    bp_buf_release(leaving);
    if (err != BP_OK) return err;
    if (!put->of.put.is_written) bp_buf_release_take(&lane->buf);
    lane->state = BPI_LANE_SENT;
    put->parts_sent++;
    put->has_moved = true;
    put->client->stats.parts_out++;
    put->client->stats.bytes_out += lane->part.length;
    return BP_OK;
}

static bp_err say_commit(bp_transfer *put, bpi_link *link) {
    uint8_t value[BPI_TRANSFER_PUT_COMMIT_MAX];
    uint32_t length;
    const bpi_transfer_put_commit commit = {.transfer = put->strand.number, .size = put->plan.size, .crc = put->crc};
    bp_err err = bpi_transfer_put_commit_encode(&commit, value, sizeof value, &length);
    if (err == BP_OK) err = bpi_link_say(link, BPI_TRANSFER_PUT_COMMIT_TYPE, value, length);
    put->of.put.is_commit_said = err == BP_OK;
    return err;
}

static bp_err say(bp_transfer *put, bpi_link *link) {
    if (put->phase == BPI_PHASE_OPENING) return put->strand.number == 0 ? say_open(put) : BP_MORE;
    if (put->phase == BPI_PHASE_COMMITTING) return put->of.put.is_commit_said ? BP_MORE : say_commit(put, link);
    bpi_lane *lane = put->phase == BPI_PHASE_MOVING ? first_filled(put) : NULL;
    return lane == NULL ? BP_MORE : say_part(put, link, lane);
}

/* ---- the end ---- */

void bpi_put_committed(bp_transfer *put, uint64_t version) {
    if (put->phase != BPI_PHASE_COMMITTING || !put->of.put.is_commit_said) {
        bpi_job_end(put, BP_ERR_ORDER, BP_PART_NONE, NULL);
        return;
    }
    bpi_job_forget_number(put);
    done(put, version);
}

const bpi_kind bpi_put_kind = {
    .begin = begin, .move = move, .file_opened = file_opened, .granted = granted, .lose = lose, .say = say};

bp_err bp_transfer_client_put(bp_transfer_client *client, const bp_put_config *config, bp_transfer **out) {
    const bpi_job_config common = {.name = config->name,
                                   .path = config->path,
                                   .part_size = config->part_size,
                                   .parts_in_flight = config->parts_in_flight,
                                   .deadline_ms = config->deadline_ms,
                                   .on_done = config->on_done,
                                   .user = config->user,
                                   .has_parts = true};
    bp_transfer *put = NULL;
    *out = NULL;
    const bool is_sized = config->data == NULL || config->size != BP_SIZE_UNKNOWN;
    if ((config->path != NULL && config->data != NULL) || !is_sized) return BP_ERR_ARGUMENT;
    const bp_err err = bpi_job_new(client, &bpi_put_kind, &common, &put);
    if (err != BP_OK) return err;
    put->on_progress = config->on_progress;
    put->on_token = config->on_token;
    put->token = config->token;
    put->of.put.data = config->data;
    put->of.put.on_writable = config->on_writable;
    put->of.put.is_written = config->path == NULL && config->data == NULL;
    set_size(put, config->path == NULL ? config->size : BP_SIZE_UNKNOWN);
    for (uint32_t i = 0; i < put->lane_count; i++) put->lanes[i].part.can_block = put->of.put.is_written;
    bpi_client_joined(put);
    *out = put;
    return BP_OK;
}
