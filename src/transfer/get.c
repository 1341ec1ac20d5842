#define _GNU_SOURCE
/* Gets: parts are asked for when there is memory for them, come in any order, and are handed on in theirs; or go to
 * their place in a file. */
#include "transfer/client_internal.h"
#include "transfer/dir_store.h"

#include "base/crc32c.h"

static bool is_to_file(const bp_transfer *get) { return get->path != NULL; }

/* ---- beginning ---- */

static void begin(bp_transfer *get) {
    get->phase = BPI_PHASE_OPENING;
    bpi_job_due(get);
}

/* The range's length in an object of that size; false: it is not in it. */
static bool find_range(const bp_transfer *get, uint64_t size, uint64_t *length) {
    const uint64_t offset = get->of.get.offset;
    if (offset > size || get->of.get.length > size - offset) return false;
    *length = get->of.get.length == 0 ? size - offset : get->of.get.length;
    return true;
}

/* The object is there for the first time, or still the same. */
static bp_err find_object(bp_transfer *get, const bpi_transfer_get_opened_view *view) {
    const uint64_t size = bpi_transfer_get_opened_get_size(view), version = bpi_transfer_get_opened_get_version(view);
    uint64_t length;
    if (get->of.get.version != 0 && get->of.get.version != version) return BP_ERR_CHANGED;
    if (get->of.get.is_found) return get->of.get.size == size ? BP_OK : BP_ERR_CHANGED;
    if (!find_range(get, size, &length)) return BP_ERR_RANGE;
    get->of.get.size = size;
    get->of.get.version = version;
    get->outcome.version = version;
    get->outcome.size = length;
    bpi_plan_init(&get->plan, length, get->part_size, get->lane_count);
    return BP_OK;
}

static void tell_found(bp_transfer *get) {
    const bp_object_info object = {.name = get->name, .size = get->of.get.size, .version = get->of.get.version};
    if (get->of.get.is_found) return;
    get->of.get.is_found = true;
    if (get->of.get.on_found != NULL) get->of.get.on_found(get, &object, get->user);
}

static void open_file(bp_transfer *get) {
    const bp_err err = bpi_place_take(get);
    if (err != BP_OK) {
        bpi_job_end(get, err, BP_PART_NONE, NULL);
        return;
    }
    get->phase = BPI_PHASE_FILE;
    bpi_job_call(
        get, get->place->store->table->put_open,
        &(bp_store_call){.name = get->file, .size = get->plan.size, .part_size = get->part_size, .token = get->token});
}

void bpi_get_opened(bp_transfer *get, const bpi_transfer_get_opened_view *view) {
    const uint32_t limit = bpi_transfer_get_opened_get_parts_in_flight(view);
    const bp_err err = get->phase == BPI_PHASE_OPENING ? find_object(get, view) : BP_ERR_ORDER;
    if (err != BP_OK) {
        bpi_job_end(get, err, BP_PART_NONE, NULL);
        return;
    }
    get->limit = limit < get->lane_count ? limit : get->lane_count;
    get->of.get.has_crc = bpi_transfer_get_opened_get_has_crc(view) && get->plan.size == get->of.get.size;
    get->of.get.object_crc = bpi_transfer_get_opened_get_crc(view);
    tell_found(get);
    if (get->phase != BPI_PHASE_OPENING) return; /* cancelled there */
    if (is_to_file(get))
        open_file(get);
    else
        get->phase = BPI_PHASE_MOVING;
}

/* What the file has of an earlier life need not come again; its sum is the store's business. */
static void file_opened(bp_transfer *get) {
    const bp_store_call *file = &get->call.store;
    bpi_plan_init(&get->plan, get->plan.size, get->part_size, get->lane_count);
    bpi_job_set_token(get, file->token.bytes);
    if (get->phase != BPI_PHASE_FILE) return;
    if (file->is_committed)
        bpi_job_end(get, BP_OK, BP_PART_NONE, NULL);
    else if (bpi_plan_restore(&get->plan, file->first, file->have))
        get->phase = BPI_PHASE_MOVING;
    else
        bpi_job_end(get, BP_ERR_CHANGED, BP_PART_NONE, NULL);
}

/* ---- parts ---- */

static void granted(bpi_lane *lane) {
    lane->state = BPI_LANE_GRANTED;
    bpi_lane_lend(lane);
    bpi_job_due(lane->transfer);
}

static void deliver(bp_transfer *get, bpi_lane *lane) {
    const uint64_t offset = get->of.get.offset + lane->part.number * get->part_size;
    const bp_bytes bytes = {lane->data, lane->part.length};
    const bp_err err =
        get->of.get.on_body == NULL ? BP_OK : get->of.get.on_body(get, offset, bytes, lane->buf, get->user);
    if (err != BP_OK) bpi_job_end(get, err, lane->part.number, NULL);
    if (get->phase == BPI_PHASE_ENDING) return;
    bpi_lane_finish(lane);
    bpi_job_tell_progress(get);
}

static void deliver_in_order(bp_transfer *get) {
    while (get->phase == BPI_PHASE_MOVING && !get->is_paused && bpi_plan_is_held(&get->plan, get->plan.first)) {
        deliver(get, bpi_lane_of(get, get->plan.first));
    }
}

static void was_stored(bpi_lane *lane, bp_err err) {
    bp_transfer *get = lane->transfer;
    lane->state = BPI_LANE_HELD;
    if (err != BP_OK) {
        bpi_job_end(get, err, lane->part.number, NULL);
        return;
    }
    bpi_lane_finish(lane);
    bpi_job_tell_progress(get);
}

static bool is_asked_for(const bp_transfer *get, const bpi_lane *lane, uint64_t part, size_t length) {
    return get->phase == BPI_PHASE_MOVING && lane->state == BPI_LANE_ASKED && lane->part.number == part &&
           lane->part.length == length;
}

/* To a file the store compares the sum, on a thread where that stops nobody. */
void bpi_get_part_take(bp_transfer *get, const bpi_transfer_part_view *view, bp_buf **buf) {
    const uint64_t part = bpi_transfer_part_get_part(view);
    const bp_bytes data = bpi_transfer_part_get_data(view);
    const uint32_t crc = bpi_transfer_part_get_crc(view);
    bpi_lane *lane = bpi_lane_of(get, part);
    if (!is_asked_for(get, lane, part, data.length)) {
        get->client->stats.parts_refused++;
        bpi_job_end(get, BP_ERR_PART, part, NULL);
        return;
    }
    if (!is_to_file(get) && bpi_crc32c(0, data.data, data.length) != crc) {
        bpi_job_end(get, BP_ERR_CHECKSUM, part, NULL);
        return;
    }
    get->client->stats.bytes_in += data.length;
    bpi_lane_arrive_take(lane, buf);
    lane->data = bp_buf_data(lane->buf) + (data.data - view->value);
    lane->part.crc = crc;
    if (is_to_file(get)) {
        bpi_lane_call(lane, BPI_LANE_STORING, get->place->store->table->write, was_stored);
        return;
    }
    (void)!bpi_plan_hold(&get->plan, part);
    lane->state = BPI_LANE_HELD;
    deliver_in_order(get);
}

/* ---- the end ---- */

static void finish(bp_transfer *get) {
    const bool is_wrong = get->of.get.has_crc && get->crc != get->of.get.object_crc;
    get->outcome.crc = get->crc;
    bpi_job_end(get, is_wrong ? BP_ERR_CHECKSUM : BP_OK, BP_PART_NONE, NULL);
}

/* The sum of what an earlier life got is known to the store alone. */
static void commit(bp_transfer *get) {
    const bpi_dir_put *file = get->object;
    get->crc = get->of.get.has_crc ? get->of.get.object_crc : file->crc;
    get->phase = BPI_PHASE_COMMITTING;
    bpi_job_call(get, get->place->store->table->commit, &(bp_store_call){.size = get->plan.size, .crc = get->crc});
}

static void file_committed(bp_transfer *get) {
    get->outcome.crc = get->crc;
    bpi_job_end(get, BP_OK, BP_PART_NONE, NULL);
}

static void begin_parts(bp_transfer *get) {
    for (uint64_t part; get->phase == BPI_PHASE_MOVING && (part = bpi_plan_next(&get->plan)) != BP_PART_NONE;) {
        const bool has_lane = bpi_lane_of(get, part)->state == BPI_LANE_IDLE;
        if (!has_lane || get->is_refused || bpi_plan_under_way(&get->plan) >= get->limit) return;
        bpi_lane_begin(get, part);
    }
}

static void move(bp_transfer *get) {
    if (get->is_paused) return;
    deliver_in_order(get);
    if (get->phase == BPI_PHASE_MOVING) begin_parts(get);
    bpi_job_due(get);
    if (get->phase != BPI_PHASE_MOVING || get->is_paused || !bpi_plan_is_done(&get->plan)) return;
    if (is_to_file(get))
        commit(get);
    else
        finish(get);
}

/* What goes to the file is here, and goes on. */
static void lose(bpi_lane *lane) {
    if (lane->state != BPI_LANE_STORING) bpi_lane_leave(lane);
}

/* ---- saying ---- */

static bp_err say_open(bp_transfer *get) {
    uint8_t value[BPI_TRANSFER_GET_OPEN_MAX];
    uint32_t length;
    bpi_transfer_get_open open = {.transfer = bpi_job_next_number(get),
                                  .part_size = get->part_size,
                                  .parts_in_flight = (uint16_t)get->lane_count,
                                  .offset = get->of.get.offset,
                                  .length = get->of.get.length,
                                  .version = get->of.get.version,
                                  .name_length = (uint16_t)strlen(get->name)};
    memcpy(open.name, get->name, open.name_length);
    const bp_err err = bpi_transfer_get_open_encode(&open, value, sizeof value, &length);
    return err == BP_OK ? bpi_job_say_first(get, BPI_TRANSFER_GET_OPEN_TYPE, value, length) : err;
}

static bpi_lane *first_granted(bp_transfer *get) {
    const uint64_t first = get->plan.first;
    for (uint64_t part = first; part < first + get->lane_count; part++) {
        bpi_lane *lane = bpi_lane_of(get, part);
        if (lane->state == BPI_LANE_GRANTED && lane->part.number == part) return lane;
    }
    return NULL;
}

static bp_err say_want(bp_transfer *get, bpi_link *link, bpi_lane *lane) {
    uint8_t value[BPI_TRANSFER_PART_WANT_MAX];
    uint32_t length;
    const bpi_transfer_part_want want = {.transfer = get->strand.number, .part = lane->part.number};
    bp_err err = bpi_transfer_part_want_encode(&want, value, sizeof value, &length);
    if (err == BP_OK) err = bpi_link_say(link, BPI_TRANSFER_PART_WANT_TYPE, value, length);
    if (err == BP_OK) lane->state = BPI_LANE_ASKED;
    return err;
}

static bp_err say(bp_transfer *get, bpi_link *link) {
    if (get->phase == BPI_PHASE_OPENING) return get->strand.number == 0 ? say_open(get) : BP_MORE;
    bpi_lane *lane = get->phase == BPI_PHASE_MOVING ? first_granted(get) : NULL;
    return lane == NULL ? BP_MORE : say_want(get, link, lane);
}

const bpi_kind bpi_get_kind = {.begin = begin,
                               .move = move,
                               .file_opened = file_opened,
                               .file_committed = file_committed,
                               .granted = granted,
                               .lose = lose,
                               .say = say};

bp_err bp_transfer_client_get(bp_transfer_client *client, const bp_get_config *config, bp_transfer **out) {
    const bpi_job_config common = {.name = config->name,
                                   .path = config->path,
                                   .part_size = config->part_size,
                                   .parts_in_flight = config->parts_in_flight,
                                   .deadline_ms = config->deadline_ms,
                                   .on_done = config->on_done,
                                   .user = config->user,
                                   .has_parts = true};
    bp_transfer *get = NULL;
    *out = NULL;
    const bool goes_on = !bpi_token_is_none(&config->token);
    if (config->path != NULL && config->on_body != NULL) return BP_ERR_ARGUMENT;
    /* Parts of two versions make no object. */
    if (goes_on && (config->path == NULL || config->version == 0)) return BP_ERR_ARGUMENT;
    const bp_err err = bpi_job_new(client, &bpi_get_kind, &common, &get);
    if (err != BP_OK) return err;
    get->on_progress = config->on_progress;
    get->on_token = config->on_token;
    get->token = config->token;
    get->of.get.on_body = config->on_body;
    get->of.get.on_found = config->on_found;
    get->of.get.offset = config->offset;
    get->of.get.length = config->length;
    get->of.get.version = config->version;
    if (config->path != NULL) get->summed = BP_PART_NONE;
    bpi_plan_init(&get->plan, BP_SIZE_UNKNOWN, get->part_size, get->lane_count);
    bpi_client_joined(get);
    *out = get;
    return BP_OK;
}
