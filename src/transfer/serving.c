#define _GNU_SOURCE
/* A put, get or list on the server's side, from its first message to its last word: what the three have in common. */
#include "transfer/server_internal.h"

#include "base/os.h"
#include "bufpool/detail/bytes.h"
#include "bufpool/detail/print.h"

#include <string.h>

static bpi_serving *serving_of(bpi_strand *strand) { return (bpi_serving *)strand; }

static bp_transfer_stats *stats_of(const bpi_serving *serving) { return &serving->session->server->stats; }

/* ---- the end ---- */

/* The slots hold nothing, and no letter will come. */
static void free_serving(bpi_serving *serving) {
    bpi_session *session = serving->session;
    bpi_link_remove(&session->link, &serving->strand);
    *serving->at = serving->next;
    if (serving->next != NULL) serving->next->at = serving->at;
    session->ending_count--;
    bpi_os.free(serving);
    bpi_session_rest(session);
}

static void on_given_back(bpi_call *call, bp_err err) {
    bpi_serving *serving = call->owner;
    (void)err; /* there is nobody to tell */
    serving->calls--;
    bpi_serving_go_on(serving);
}

/* An abort is tried; what it leaves is found by its token, or swept by the store. */
static void give_back(bpi_serving *serving) {
    const bp_store_table *store = bpi_store_of(serving);
    if (serving->is_discarded && !serving->is_sealed) {
        serving->is_sealed = true;
        bpi_serving_call(serving, store->abort, on_given_back);
    } else {
        serving->is_opened = false;
        bpi_serving_call(serving, store->close, on_given_back);
    }
}

void bpi_serving_go_on(bpi_serving *serving) {
    if (serving->calls != 0 || serving->wishes != 0) return;
    if (serving->is_opened)
        give_back(serving);
    else if (serving->last_word == BPI_LAST_NONE || serving->session->is_gone)
        free_serving(serving);
    else
        bpi_link_due(&serving->session->link, &serving->strand);
}

/* What is ready is not needed, and what waits for memory needs none. */
static void empty_slots(bpi_serving *serving) {
    for (uint64_t left = serving->busy; left != 0; left &= left - 1) {
        bpi_serving_slot *slot = &serving->slots[__builtin_ctzll(left)];
        if (slot->call.is_under_way) continue;
        if (slot->part.state == BPI_PART_RESERVING && bpi_part_drop(&slot->part)) serving->wishes--;
        if (slot->part.state == BPI_PART_IDLE) bpi_serving_slot_free(slot);
    }
}

static void count_end(const bpi_serving *serving) {
    bpi_session *session = serving->session;
    const bool is_got = serving->kind == &bpi_serving_get && serving->last_word == BPI_LAST_NONE;
    const bool is_done = serving->last_word == BPI_LAST_DONE || (is_got && !session->is_gone);
    session->live_count--;
    session->ending_count++;
    bpi_count(&session->server->stats.transfers_open, UINT64_MAX); /* one less */
    bpi_count(is_done ? &session->server->stats.transfers_done : &session->server->stats.transfers_failed, 1);
}

void bpi_serving_end(bpi_serving *serving, bpi_last_word last_word) {
    const bool was_ending = serving->state == BPI_SERVING_ENDING;
    serving->last_word = (uint8_t)last_word;
    serving->state = BPI_SERVING_ENDING;
    if (!was_ending) {
        count_end(serving);
        empty_slots(serving);
    }
    bpi_serving_go_on(serving);
}

void bpi_serving_fail(bpi_serving *serving, bp_err err, uint64_t part) {
    if (serving->state == BPI_SERVING_ENDING) return;
    serving->err = err;
    serving->err_part = part;
    bpi_serving_end(serving, BPI_LAST_FAILED);
}

/* ---- what is said ---- */

/* The error in words, and what would do where the peer can know no better. */
static bp_text failed_text(const bpi_serving *serving, char *out, size_t size) {
    bpi_printer printer = {.out = out, .size = size};
    bpi_print_raw(&printer, bp_err_text(serving->err));
    if (serving->err == BP_ERR_PART_SIZE) {
        bpi_print_raw(&printer, ": at most ");
        bpi_print_unsigned(&printer, serving->session->server->config.part_size_max);
        bpi_print_raw(&printer, " bytes");
    }
    return (bp_text){out, (size_t)bpi_print_end(&printer)};
}

static bp_err say_failed(bpi_serving *serving) {
    bpi_transfer_failed failed = {.transfer = serving->strand.number, .part = serving->err_part};
    uint8_t value[BPI_TRANSFER_FAILED_MAX];
    uint32_t length;
    failed.error = (uint16_t)serving->err;
    failed.text_length = (uint16_t)failed_text(serving, failed.text, sizeof failed.text).length;
    const bp_err err = bpi_transfer_failed_encode(&failed, value, sizeof value, &length);
    return err != BP_OK ? err : bpi_link_say(&serving->session->link, BPI_TRANSFER_FAILED_TYPE, value, length);
}

static bp_err say_next(bpi_serving *serving) {
    if (!serving->is_answer_due) return serving->kind->say_next(serving);
    const bp_err err = serving->kind->say_opened(serving);
    if (err == BP_OK) serving->is_answer_due = false;
    return err;
}

static bp_err speak(bpi_link *link, bpi_strand *strand) {
    bpi_serving *serving = serving_of(strand);
    const bool is_last = serving->state == BPI_SERVING_ENDING;
    bp_err err;
    (void)link;
    if (is_last && (serving->calls != 0 || serving->wishes != 0 || serving->is_opened)) return BP_MORE;
    serving->has_moved = true;
    if (!is_last) return say_next(serving);
    err = serving->last_word == BPI_LAST_FAILED ? say_failed(serving) : serving->kind->say_done(serving);
    if (err != BP_OK) return err;
    free_serving(serving);
    return BP_MORE;
}

/* ---- the beginning ---- */

static uint32_t limit_of(const bpi_session *session) { return session->server->config.transfer_limit; }

/* Names are bytes behind each other, each with a NUL. */
static void put_names(bpi_serving *serving, const bpi_asked *asked) {
    char *at = (char *)&serving->slots[asked->slot_count];
    serving->name = at;
    bpi_copy((uint8_t *)at, (const uint8_t *)asked->name.data, asked->name.length);
    at += asked->name.length + 1;
    serving->after = at;
    bpi_copy((uint8_t *)at, (const uint8_t *)asked->after.data, asked->after.length);
}

static void add(bpi_session *session, bpi_serving *serving, const bpi_asked *asked) {
    serving->session = session;
    serving->kind = asked->kind;
    serving->slot_count = asked->slot_count;
    serving->call.owner = serving;
    serving->next = session->servings;
    if (serving->next != NULL) serving->next->at = &serving->next;
    session->servings = serving;
    serving->at = &session->servings;
    session->live_count++;
    bpi_count(&session->server->stats.transfers_open, 1);
}

static void on_part_memory(bpi_part *part, bp_err err);

static void init_slots(bpi_serving *serving) {
    for (uint32_t i = 0; i < serving->slot_count; i++) {
        bpi_serving_slot *slot = &serving->slots[i];
        slot->serving = serving;
        slot->call.owner = slot;
        bpi_part_init(&slot->part, serving, on_part_memory);
        slot->part.is_pooled = true;
    }
}

/* One that is refused as soon as it is there; it needs no more than its number. */
static bp_err refuse(bpi_session *session, const bpi_asked *asked, bp_err why) {
    bpi_asked less = {.kind = asked->kind, .number = asked->number};
    bpi_serving *serving = bpi_os.alloc(sizeof *serving);
    if (serving == NULL) return BP_ERR_NO_MEMORY;
    if (!bpi_link_add(&session->link, &serving->strand, asked->number, speak)) return BP_ERR_ARGUMENT;
    add(session, serving, &less);
    bpi_serving_fail(serving, why, BP_PART_NONE);
    return BP_OK;
}

static bool has_nul(bp_text text) { return text.length != 0 && memchr(text.data, 0, text.length) != NULL; }

/* Whether it may be. */
static bp_err judge(const bpi_serving *serving, const bpi_asked *asked) {
    const bp_transfer_server_config *config = &serving->session->server->config;
    if (asked->part_size > config->part_size_max) return BP_ERR_PART_SIZE;
    if (has_nul(asked->name) || has_nul(asked->after)) return BP_ERR_NAME;
    if (config->allow == NULL) return BP_OK;
    const bp_err err = config->allow(serving->session->link.conn, asked->kind->kind, serving->name, config->user);
    return err == BP_MORE || err == BP_PENDING ? BP_ERR_PERMISSION : err; /* these are no errors */
}

/* A number that was used before: of a transfer that is over, its peer may have cancelled it, and nobody waits for an
 * answer; one that is not is no longer what its peer believes. */
static bool is_new(bpi_session *session, uint32_t number) {
    bpi_strand *strand = bpi_link_find(&session->link, number);
    if (strand != NULL) bpi_serving_fail(serving_of(strand), BP_ERR_ARGUMENT, BP_PART_NONE);
    return strand == NULL && number > session->link.last_number;
}

bp_err bpi_serving_new(bpi_session *session, const bpi_asked *asked, bpi_serving **out) {
    *out = NULL;
    if (!is_new(session, asked->number)) return BP_OK;
    if (session->ending_count >= BPI_ENDING_MAX) return BP_ERR_BUSY;
    if (session->live_count >= limit_of(session)) return refuse(session, asked, BP_ERR_BUSY);
    const size_t slots = asked->slot_count * sizeof(bpi_serving_slot);
    bpi_serving *serving = bpi_os.alloc(sizeof *serving + slots + asked->name.length + asked->after.length + 2);
    if (serving == NULL) return refuse(session, asked, BP_ERR_NO_MEMORY);
    if (!bpi_link_add(&session->link, &serving->strand, asked->number, speak)) return BP_ERR_ARGUMENT;
    add(session, serving, asked);
    init_slots(serving);
    put_names(serving, asked);
    const bp_err err = judge(serving, asked);
    if (err != BP_OK)
        bpi_serving_fail(serving, err, BP_PART_NONE);
    else
        *out = serving;
    if (err == BP_OK && asked->part_size != 0) bpi_link_fit_pool(&session->link, asked->part_size);
    return BP_OK;
}

/* ---- the store ---- */

void bpi_serving_call(bpi_serving *serving, bp_store_fn *function, bpi_call_fn *on_answer) {
    serving->calls++;
    serving->call.store.object = serving->object;
    serving->call.on_answer = on_answer;
    bpi_call_begin(&serving->call, serving->session->server->config.store, function, serving->session->link.end->loop);
}

bool bpi_serving_answered(bpi_serving *serving, bp_err err) {
    serving->calls--;
    serving->has_moved = true;
    if (serving->state == BPI_SERVING_ENDING) {
        bpi_serving_go_on(serving);
        return false;
    }
    if (err != BP_OK) bpi_serving_fail(serving, err, BP_PART_NONE);
    return err == BP_OK;
}

/* ---- slots ---- */

static uint64_t bit_of(const bpi_serving_slot *slot) { return UINT64_C(1) << (slot - slot->serving->slots); }

bpi_serving_slot *bpi_serving_slot_take(bpi_serving *serving) {
    const uint64_t all = serving->slot_count == 64 ? UINT64_MAX : (UINT64_C(1) << serving->slot_count) - 1;
    const uint64_t free_slots = ~serving->busy & all;
    if (free_slots == 0) return NULL;
    bpi_serving_slot *slot = &serving->slots[__builtin_ctzll(free_slots)];
    serving->busy |= bit_of(slot);
    return slot;
}

void bpi_serving_slot_free(bpi_serving_slot *slot) {
    bp_buf_release_take(&slot->buf);
    slot->serving->busy &= ~bit_of(slot);
    slot->serving->ready &= ~bit_of(slot);
}

void bpi_serving_slot_set_ready(bpi_serving_slot *slot) {
    slot->serving->ready |= bit_of(slot);
    bpi_link_due(&slot->serving->session->link, &slot->serving->strand);
}

void bpi_serving_slot_call(bpi_serving_slot *slot, bp_store_fn *function, bpi_call_fn *on_answer) {
    bpi_serving *serving = slot->serving;
    serving->calls++;
    slot->call.on_answer = on_answer;
    slot->call.store.object = serving->object;
    bpi_call_begin(&slot->call, serving->session->server->config.store, function, serving->session->link.end->loop);
}

bool bpi_serving_slot_answered(bpi_serving_slot *slot, bp_err err, uint64_t part) {
    bpi_serving *serving = slot->serving;
    serving->calls--;
    serving->has_moved = true;
    if (serving->state != BPI_SERVING_ENDING && err == BP_OK) return true;
    bpi_serving_slot_free(slot);
    if (serving->state == BPI_SERVING_ENDING)
        bpi_serving_go_on(serving);
    else
        bpi_serving_fail(serving, err, part);
    return false;
}

/* ---- memory ---- */

static void has_memory(bpi_serving_slot *slot) {
    slot->buf = bpi_part_take(&slot->part);
    slot->serving->kind->on_memory(slot);
}

/* A size that the pool can never give is too much for it. */
static void has_none(bpi_serving_slot *slot, bp_err err) {
    bpi_serving *serving = slot->serving;
    const uint64_t number = slot->part.number;
    bpi_serving_slot_free(slot);
    if (serving->state == BPI_SERVING_ENDING)
        bpi_serving_go_on(serving);
    else
        bpi_serving_fail(serving, err == BP_ERR_ARGUMENT ? BP_ERR_LIMIT : err, number);
}

static void on_part_memory(bpi_part *part, bp_err err) {
    bpi_serving_slot *slot = (bpi_serving_slot *)(void *)((uint8_t *)part - offsetof(bpi_serving_slot, part));
    const bool is_ending = slot->serving->state == BPI_SERVING_ENDING;
    slot->serving->wishes--;
    if (err == BP_OK && !is_ending)
        has_memory(slot);
    else if (err == BP_ERR_ARGUMENT && !is_ending)
        bpi_serving_slot_reserve(slot, slot->size); /* the class that it waited for is gone */
    else
        has_none(slot, err);
}

void bpi_serving_slot_reserve(bpi_serving_slot *slot, uint32_t size) {
    bpi_serving *serving = slot->serving;
    const bpi_link *link = &serving->session->link;
    slot->size = size;
    const bp_err err = bpi_part_prepare(&slot->part, link->end->pool, &link->end->loop->mailbox, size);
    if (err == BP_PENDING) {
        serving->wishes++;
        bpi_count(&stats_of(serving)->waits, 1);
    } else if (err == BP_OK) {
        has_memory(slot);
    } else {
        has_none(slot, err);
    }
}
