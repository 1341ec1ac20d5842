#define _GNU_SOURCE
/* What puts, gets and lists have in common: how they begin and end, and how long they may take. */
#include "transfer/client_internal.h"
#include "transfer/dir_store.h"

#include "base/os.h"
#include "bufpool/detail/bytes.h"

#include <string.h>

enum { RETRY_MS = 500 /* until a token that somebody else has is asked for again */ };

/* ---- beginning ---- */

static bp_err check_name(const char *name, bool may_be_empty) {
    if (name == NULL) return BP_ERR_ARGUMENT;
    const size_t length = strnlen(name, BP_OBJECT_NAME_MAX + 1);
    if (length > BP_OBJECT_NAME_MAX || (length == 0 && !may_be_empty)) return BP_ERR_NAME;
    return bpi_utf8_is_valid((const uint8_t *)name, length) ? BP_OK : BP_ERR_NAME;
}

static bp_err check(const bp_transfer_client *client, const bpi_job_config *config) {
    if (client->is_freed || client->is_gone) return BP_ERR_CLOSED;
    if (config->on_done == NULL || config->parts_in_flight > BP_PARTS_IN_FLIGHT_MAX) return BP_ERR_ARGUMENT;
    const bool is_sized = config->part_size == 0 ||
                          (config->part_size >= BP_PART_SIZE_MIN && config->part_size <= client->config.part_size);
    return is_sized ? check_name(config->name, !config->has_parts) : BP_ERR_PART_SIZE;
}

static void append(bp_transfer_client *client, bp_transfer *transfer) {
    bp_transfer **at = client->transfers_last;
    transfer->at = at;
    *at = transfer;
    client->transfers_last = &transfer->next;
}

static void take_off(bp_transfer *transfer) {
    bp_transfer_client *client = transfer->client;
    *transfer->at = transfer->next;
    *(transfer->next == NULL ? &client->transfers_last : &transfer->next->at) = transfer->at;
}

static bp_err speak(bpi_link *link, bpi_strand *strand);

static char *copy_text(char *to, const char *text) {
    const size_t size = strlen(text) + 1;
    memcpy(to, text, size);
    return to + size;
}

bp_err bpi_job_new(bp_transfer_client *client, const bpi_kind *kind, const bpi_job_config *config, bp_transfer **out) {
    *out = NULL;
    const bp_err err = check(client, config);
    if (err != BP_OK) return err;
    const char *path = config->path == NULL ? "" : config->path;
    const uint32_t in_flight = config->parts_in_flight == 0 ? client->config.parts_in_flight : config->parts_in_flight;
    const uint32_t lane_count = config->has_parts ? in_flight : 0;
    const size_t size = sizeof(bp_transfer) + lane_count * sizeof(bpi_lane);
    bp_transfer *transfer = bpi_os.alloc(size + strlen(config->name) + 1 + strlen(path) + 1);
    if (transfer == NULL) return BP_ERR_NO_MEMORY;
    char *text = (char *)transfer + size;
    transfer->client = client;
    transfer->kind = kind;
    transfer->strand.speak = speak;
    transfer->user = config->user;
    transfer->on_done = config->on_done;
    transfer->name = text;
    text = copy_text(text, config->name);
    (void)copy_text(text, path);
    if (config->path != NULL) transfer->path = text;
    if (config->path != NULL) transfer->file = strrchr(text, '/') == NULL ? text : strrchr(text, '/') + 1;
    transfer->part_size = config->part_size == 0 ? client->config.part_size : config->part_size;
    transfer->deadline_ms = config->deadline_ms;
    transfer->lane_count = lane_count;
    for (uint32_t i = 0; i < lane_count; i++) bpi_lane_init(&transfer->lanes[i], transfer);
    append(client, transfer);
    client->stats.transfers_open++;
    *out = transfer;
    return BP_OK;
}

/* ---- what the server knows ---- */

void bpi_job_forget_number(bp_transfer *transfer) {
    bpi_link *link = &transfer->client->link;
    if (link->conn != NULL) bpi_link_remove(link, &transfer->strand);
    transfer->strand = (bpi_strand){.speak = speak};
}

uint32_t bpi_job_next_number(const bp_transfer *transfer) { return transfer->client->link.last_number + 1; }

bp_err bpi_job_say_first(bp_transfer *transfer, uint16_t type, const uint8_t *value, uint32_t length) {
    bpi_link *link = &transfer->client->link;
    const bp_err err = bpi_link_say(link, type, value, length);
    if (err != BP_OK) return err;
    return bpi_link_add(link, &transfer->strand, bpi_job_next_number(transfer), speak) ? BP_OK : BP_ERR_ARGUMENT;
}

/* Its last word. */
static bp_err say_end(bp_transfer *transfer, bpi_link *link) {
    uint8_t value[BPI_TRANSFER_END_MAX];
    uint32_t length;
    const bpi_transfer_end end = {.transfer = transfer->strand.number, .is_discarded = transfer->is_discarded};
    if (end.transfer == 0) return BP_MORE;
    bp_err err = bpi_transfer_end_encode(&end, value, sizeof value, &length);
    if (err == BP_OK) err = bpi_link_say(link, BPI_TRANSFER_END_TYPE, value, length);
    if (err != BP_OK) return err;
    bpi_job_forget_number(transfer);
    return BP_MORE;
}

static bp_err speak(bpi_link *link, bpi_strand *strand) {
    bp_transfer *transfer = (bp_transfer *)(void *)strand;
    const bp_err err =
        transfer->phase == BPI_PHASE_ENDING ? say_end(transfer, link) : transfer->kind->say(transfer, link);
    if (err == BP_MORE && transfer->phase == BPI_PHASE_ENDING) bpi_client_work_on(transfer);
    return err;
}

static bool may_ask_again(const bp_transfer *transfer, bp_err err) {
    return err == BP_ERR_BUSY && transfer->phase == BPI_PHASE_OPENING && transfer->kind == &bpi_put_kind &&
           !bpi_token_is_none(&transfer->token);
}

void bpi_job_failed_there(bp_transfer *transfer, const bpi_transfer_failed_view *view) {
    const bp_err err = (bp_err)bpi_transfer_failed_get_error(view);
    const bp_text said = bpi_transfer_failed_get_text(view);
    char text[BPI_TRANSFER_FAILED_TEXT_CAP + 1];
    bpi_job_forget_number(transfer);
    memcpy(text, said.data, said.length);
    text[said.length] = '\0';
    if (may_ask_again(transfer, err)) {
        bpi_job_lose(transfer);
        transfer->retry_ms = RETRY_MS;
    } else {
        bpi_job_end(transfer, err, bpi_transfer_failed_get_part(view), text);
    }
}

/* ---- the file ---- */

static void file_opened(bp_transfer *transfer, bp_err err) {
    if (err == BP_OK) transfer->object = transfer->call.store.object;
    if (transfer->phase != BPI_PHASE_FILE) return;
    if (err == BP_OK)
        transfer->kind->file_opened(transfer);
    else
        bpi_job_end(transfer, err, BP_PART_NONE, NULL);
}

static void file_committed(bp_transfer *transfer, bp_err err) {
    if (err != BP_OK)
        bpi_job_end(transfer, err, BP_PART_NONE, NULL);
    else if (transfer->phase == BPI_PHASE_COMMITTING || transfer->phase == BPI_PHASE_LEAVING)
        transfer->kind->file_committed(transfer);
}

static void was_discarded(bp_transfer *get) {
    get->is_discarded = false;
    get->token = (bp_token){{0}};
}

static void on_answer(bpi_call *call, bp_err err) {
    bp_transfer *transfer = call->owner;
    bp_transfer_client *client = transfer->client;
    const bp_store_table *table = transfer->place->store->table;
    bpi_client_enter(client);
    transfer->has_moved = true;
    if (call->function == table->put_open || call->function == table->get_open)
        file_opened(transfer, err);
    else if (call->function == table->commit)
        file_committed(transfer, err);
    else if (call->function == table->abort)
        was_discarded(transfer);
    else
        transfer->object = NULL;
    bpi_client_work_on(transfer);
    bpi_client_got(client);
    bpi_client_leave(client);
}

void bpi_job_call(bp_transfer *transfer, bp_store_fn *function, const bp_store_call *what) {
    transfer->call.store = *what;
    transfer->call.store.object = transfer->object;
    transfer->call.owner = transfer;
    transfer->call.on_answer = on_answer;
    bpi_client_call(transfer->client, &transfer->call, transfer->place->store, function);
}

/* Whether a get's file has bytes of its own that nobody can go on with: there is no such object any more, or all parts
 * are here and are not it. */
static bool is_hopeless(const bp_transfer *transfer, bp_err err, uint64_t part) {
    if (transfer->kind != &bpi_get_kind || !transfer->has_token) return false;
    return err == BP_ERR_CHANGED || err == BP_ERR_NOT_FOUND || (err == BP_ERR_CHECKSUM && part == BP_PART_NONE);
}

/* ---- ending ---- */

void bpi_job_end(bp_transfer *transfer, bp_err err, uint64_t part, const char *text) {
    if (transfer->phase == BPI_PHASE_ENDING) return;
    if (is_hopeless(transfer, err, part)) transfer->is_discarded = true;
    transfer->phase = BPI_PHASE_ENDING;
    transfer->outcome.err = err;
    transfer->outcome.part = part;
    if (text != NULL) memcpy(transfer->text, text, strnlen(text, sizeof transfer->text - 1));
    bpi_client_work_on(transfer);
}

static bool is_thrown_away(const bp_transfer *transfer) {
    return transfer->is_discarded && transfer->kind == &bpi_get_kind && !bpi_token_is_none(&transfer->token);
}

static void tell_done(bp_transfer *transfer) {
    bp_outcome *outcome = &transfer->outcome;
    bp_transfer_stats *stats = &transfer->client->stats;
    if (transfer->is_told) return;
    transfer->is_told = true;
    stats->transfers_open--;
    *(outcome->err == BP_OK ? &stats->transfers_done : &stats->transfers_failed) += 1;
    outcome->text = transfer->text[0] == '\0' ? bp_err_text(outcome->err) : transfer->text;
    if (!is_thrown_away(transfer)) outcome->token = transfer->token;
    transfer->on_done(transfer, outcome, transfer->user);
}

void bpi_job_abandon(bp_transfer *transfer) {
    bpi_job_end(transfer, BP_ERR_CLOSED, BP_PART_NONE, NULL);
    tell_done(transfer);
}

/* What lies in the file's directory while the file is closed; here and now, as perhaps no loop will call us. */
static void discard_closed(bp_transfer *get) {
    if (!is_thrown_away(get) || bpi_place_take(get) != BP_OK) return;
    bpi_dir_store_discard(get->place->store, &get->token);
    bpi_place_give(get);
    was_discarded(get);
}

/* Whether nothing of it is under way and its file is closed; sees to it that it will be. */
static bool is_settled(bp_transfer *transfer) {
    for (uint32_t i = 0; i < transfer->lane_count; i++) {
        if (bpi_lane_is_under_way(&transfer->lanes[i])) return false;
    }
    if (transfer->call.is_under_way) return false;
    if (transfer->object != NULL) {
        const bp_store_table *table = transfer->place->store->table;
        bpi_job_call(transfer, is_thrown_away(transfer) ? table->abort : table->close, &(bp_store_call){0});
        return false;
    }
    bpi_place_give(transfer);
    return true;
}

static void destroy(bp_transfer *transfer) {
    bpi_job_forget_number(transfer);
    take_off(transfer);
    bpi_os.free(transfer);
}

/* The server is told that it is over before the user is. */
static void wind_up(bp_transfer *transfer) {
    for (uint32_t i = 0; i < transfer->lane_count; i++) bpi_lane_leave(&transfer->lanes[i]);
    if (!is_settled(transfer)) return;
    discard_closed(transfer);
    if (transfer->strand.number != 0) bpi_job_due(transfer);
    if (transfer->strand.number != 0) return;
    tell_done(transfer);
    if (transfer->is_listed) return; /* saying its last word had it worked on once more */
    destroy(transfer);
}

/* ---- going on ---- */

void bpi_job_work(bp_transfer *transfer) {
    switch ((bpi_phase)transfer->phase) {
    case BPI_PHASE_WAITING:
        if (transfer->client->conn != NULL && transfer->retry_ms == 0) transfer->kind->begin(transfer);
        break;
    case BPI_PHASE_LEAVING:
        if (!is_settled(transfer)) break;
        transfer->phase = BPI_PHASE_WAITING;
        bpi_client_work_on(transfer);
        break;
    case BPI_PHASE_MOVING: transfer->kind->move(transfer); break;
    default: break;
    }
    if (transfer->phase == BPI_PHASE_ENDING) wind_up(transfer);
}

void bpi_job_lose(bp_transfer *transfer) {
    bpi_job_forget_number(transfer);
    bpi_client_work_on(transfer);
    if (transfer->phase == BPI_PHASE_WAITING || transfer->phase == BPI_PHASE_ENDING) return;
    transfer->phase = BPI_PHASE_LEAVING;
    for (uint32_t i = 0; i < transfer->lane_count; i++) transfer->kind->lose(&transfer->lanes[i]);
}

static uint32_t later(uint32_t since_ms, uint32_t elapsed_ms) {
    return since_ms > UINT32_MAX - 1 - elapsed_ms ? UINT32_MAX - 1 : since_ms + elapsed_ms;
}

/* Ticks tell how long it was since the last one, which may have been before what is measured: a time is over one tick
 * later, so that nobody is cut off early. */
static bool is_late(const bp_transfer *transfer, uint32_t since_ms, uint32_t limit_ms) {
    const uint32_t tick_ms = transfer->client->end->loop->tick_ms;
    return limit_ms != UINT32_MAX && since_ms >= tick_ms && since_ms - tick_ms >= limit_ms;
}

/* The first part that waits for memory, where nothing is in flight; BP_PART_NONE: not so. */
static uint64_t starving_part(const bp_transfer *transfer) {
    uint64_t first = transfer->is_refused ? bpi_plan_next(&transfer->plan) : BP_PART_NONE;
    for (uint32_t i = 0; i < transfer->lane_count; i++) {
        const bpi_lane *lane = &transfer->lanes[i];
        if (lane->state == BPI_LANE_RESERVING) {
            if (lane->part.number < first) first = lane->part.number;
        } else if (lane->state != BPI_LANE_IDLE && lane->state != BPI_LANE_HELD) {
            return BP_PART_NONE;
        }
    }
    return first;
}

bool bpi_job_is_short(const bp_transfer *transfer) {
    for (uint32_t i = 0; i < transfer->lane_count; i++) {
        if (transfer->lanes[i].state == BPI_LANE_RESERVING) return true;
    }
    return transfer->is_refused;
}

void bpi_job_give_up(bp_transfer *transfer) {
    for (uint32_t i = 0; transfer->is_paused && i < transfer->lane_count; i++) {
        bpi_lane *lane = &transfer->lanes[i];
        if (lane->state == BPI_LANE_GRANTED || lane->state == BPI_LANE_HELD) bpi_lane_leave(lane);
    }
}

void bpi_job_tick(bp_transfer *transfer, uint32_t elapsed_ms) {
    const bp_transfer_client_config *config = &transfer->client->config;
    const bool is_still = !transfer->has_moved && !transfer->is_paused;
    const uint64_t starving = starving_part(transfer);
    transfer->has_moved = false;
    transfer->is_refused = false;
    transfer->age_ms = later(transfer->age_ms, elapsed_ms);
    transfer->idle_ms = is_still ? later(transfer->idle_ms, elapsed_ms) : 0;
    transfer->starved_ms = starving == BP_PART_NONE ? 0 : later(transfer->starved_ms, elapsed_ms);
    transfer->retry_ms = transfer->retry_ms > elapsed_ms ? transfer->retry_ms - elapsed_ms : 0;
    if (transfer->deadline_ms != 0 && is_late(transfer, transfer->age_ms, transfer->deadline_ms))
        bpi_job_end(transfer, BP_ERR_TIMEOUT, BP_PART_NONE, NULL);
    else if (starving != BP_PART_NONE && is_late(transfer, transfer->starved_ms, config->memory_ms))
        bpi_job_end(transfer, BP_ERR_LIMIT, starving, NULL);
    else if (is_late(transfer, transfer->idle_ms, config->idle_ms))
        bpi_job_end(transfer, BP_ERR_TIMEOUT, BP_PART_NONE, NULL);
    bpi_client_work_on(transfer);
}

/* ---- the public calls ---- */

void bpi_job_set_token(bp_transfer *transfer, const uint8_t bytes[16]) {
    if (memcmp(transfer->token.bytes, bytes, sizeof transfer->token.bytes) == 0 && transfer->has_token) return;
    memcpy(transfer->token.bytes, bytes, sizeof transfer->token.bytes);
    transfer->has_token = true;
    if (transfer->on_token != NULL) transfer->on_token(transfer, &transfer->token, transfer->user);
}

void bpi_job_tell_progress(bp_transfer *transfer) {
    bp_progress progress;
    if (transfer->on_progress == NULL || transfer->phase == BPI_PHASE_ENDING) return;
    bp_transfer_progress(transfer, &progress);
    transfer->on_progress(transfer, &progress, transfer->user);
}

void bp_transfer_pause(bp_transfer *transfer) { transfer->is_paused = true; }

void bp_transfer_resume(bp_transfer *transfer) {
    transfer->is_paused = false;
    bpi_client_work_on(transfer);
}

void bp_transfer_cancel(bp_transfer *transfer, bool is_kept) {
    bp_transfer_client *client = transfer->client;
    if (transfer->phase == BPI_PHASE_ENDING) return;
    transfer->is_discarded = !is_kept;
    bpi_job_end(transfer, BP_ERR_CANCELLED, BP_PART_NONE, NULL);
    if (client->depth != 0 || !bpi_client_is_asleep(client)) return;
    bpi_client_enter(client); /* no loop will call us: it is done here */
    bpi_client_leave(client);
}

void bp_transfer_progress(const bp_transfer *transfer, bp_progress *out) {
    const bool is_put = transfer->kind == &bpi_put_kind;
    *out = (bp_progress){.size = transfer->plan.size,
                         .done = transfer->lane_count == 0
                                     ? 0
                                     : bpi_plan_done_bytes(is_put ? &transfer->of.put.there : &transfer->plan),
                         .parts_sent = transfer->parts_sent,
                         .in_flight = bpi_plan_under_way(&transfer->plan),
                         .is_connected = transfer->strand.number != 0,
                         .is_paused = transfer->is_paused};
}

bp_token bp_transfer_token(const bp_transfer *transfer) { return transfer->token; }
