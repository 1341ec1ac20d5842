#define _GNU_SOURCE
/* Puts whose bytes come when their user has some. A part asks for memory when its first byte is offered, and its buffer
 * stays until the server has it: nobody could read the bytes again. What the server has from an earlier life passes by,
 * and takes none. */
#include "transfer/client_internal.h"

#include "base/crc32c.h"
#include "bufpool/detail/bytes.h"

static bpi_lane *lane_of_next(bp_transfer *put, uint64_t *part) {
    *part = put->of.put.written / put->part_size;
    return bpi_lane_of(put, *part);
}

static bool is_moving(const bp_transfer *put) { return put->phase == BPI_PHASE_MOVING && !put->is_paused; }

/* Whether a write would find where to put its bytes, or what it may ask for. */
static bool has_room(bp_transfer *put) {
    uint64_t part;
    const bpi_lane *lane = lane_of_next(put, &part);
    if (!is_moving(put)) return false;
    if (lane->state != BPI_LANE_IDLE) return lane->state == BPI_LANE_FILLING || lane->state == BPI_LANE_PASSING;
    if (put->is_refused || part - put->plan.first >= put->lane_count) return false;
    return bpi_put_is_there(put, part) || bpi_plan_under_way(&put->plan) < put->limit;
}

void bpi_write_wake(bp_transfer *put) {
    if (!put->of.put.wants_room || !has_room(put)) return;
    put->of.put.wants_room = false;
    if (put->of.put.on_writable != NULL) put->of.put.on_writable(put, put->user);
}

static void pass_by(bp_transfer *put, bpi_lane *lane, uint64_t part) {
    if (!bpi_plan_begin(&put->plan, part)) return;
    lane->part.number = part;
    lane->part.length = 0;
    lane->part.crc = 0;
    lane->state = BPI_LANE_PASSING;
}

/* The lane that the next byte goes to; NULL: there is none now. */
static bpi_lane *next_lane(bp_transfer *put) {
    uint64_t part;
    bpi_lane *lane = lane_of_next(put, &part);
    if (!has_room(put)) return NULL;
    if (lane->state == BPI_LANE_IDLE && bpi_put_is_there(put, part))
        pass_by(put, lane, part);
    else if (lane->state == BPI_LANE_IDLE)
        bpi_lane_begin(put, part);
    return lane->state == BPI_LANE_FILLING || lane->state == BPI_LANE_PASSING ? lane : NULL;
}

static void complete(bpi_lane *lane) {
    if (lane->state == BPI_LANE_PASSING)
        bpi_lane_finish(lane);
    else
        bpi_put_filled(lane);
}

/* Returns how many of the bytes the part took. */
static size_t fill(bpi_lane *lane, const uint8_t *data, size_t length) {
    bp_transfer *put = lane->transfer;
    const uint32_t whole = bpi_plan_length(&put->plan, lane->part.number), room = whole - lane->part.length;
    const uint32_t count = length < room ? (uint32_t)length : room;
    if (lane->state == BPI_LANE_FILLING) {
        bpi_copy(lane->data + lane->part.length, data, count);
        put->client->stats.bytes_copied += count;
    }
    lane->part.crc = bpi_crc32c(lane->part.crc, data, count);
    lane->part.length += count;
    put->of.put.written += count;
    put->has_moved = true;
    if (lane->part.length == whole) complete(lane);
    return count;
}

/* Behind the last byte: the size is known, and a part that was begun is whole. */
static void end(bp_transfer *put) {
    uint64_t part;
    const uint64_t size = put->of.put.written;
    bpi_lane *lane = lane_of_next(put, &part);
    put->of.put.has_end = true;
    if (!bpi_plan_end(&put->plan, size) || !bpi_plan_end(&put->of.put.there, size)) {
        bpi_job_end(put, BP_ERR_CHANGED, BP_PART_NONE, "the server has parts behind what was written");
    } else if (size % put->part_size != 0 && lane->part.number == part &&
               (lane->state == BPI_LANE_FILLING || lane->state == BPI_LANE_PASSING)) {
        complete(lane);
    }
    bpi_client_work_on(put);
}

static bp_err check(const bp_transfer *put, size_t length, bool is_last) {
    const uint64_t size = put->of.put.size, written = put->of.put.written;
    if (put->kind != &bpi_put_kind || !put->of.put.is_written || put->of.put.has_end) return BP_ERR_ARGUMENT;
    if (put->phase == BPI_PHASE_ENDING) return BP_ERR_CLOSED;
    if (size == BP_SIZE_UNKNOWN) return length < BP_SIZE_UNKNOWN - 1 - written ? BP_OK : BP_ERR_ARGUMENT;
    return length > size - written || (is_last && length != size - written) ? BP_ERR_ARGUMENT : BP_OK;
}

bp_err bp_transfer_write(bp_transfer *put, const void *data, size_t length, bool is_last, size_t *taken) {
    bpi_lane *lane;
    *taken = 0;
    const bp_err err = check(put, length, is_last);
    if (err != BP_OK) return err;
    put->of.put.wants_room = false;
    while (*taken < length && (lane = next_lane(put)) != NULL) {
        *taken += fill(lane, (const uint8_t *)data + *taken, length - *taken);
    }
    bpi_client_work_on(put);
    if (*taken == length && is_last) end(put);
    if (*taken == length) return BP_OK;
    put->of.put.wants_room = true;
    return BP_PENDING;
}
