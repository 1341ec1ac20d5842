#define _GNU_SOURCE
/* The client of transfers: the connection that it has or waits for, and whose turn it is. */
#include "transfer/client_internal.h"

#include "base/os.h"
#include "transport/service_internal.h"

#include <string.h>

enum { IDLE_DEFAULT_MS = 60000, MEMORY_DEFAULT_MS = 30000, SMALL_LIMIT = 65536 };

/* ---- inside and outside of callbacks ---- */

void bpi_client_enter(bp_transfer_client *client) {
    if (client->depth++ != 0) return;
    client->held = client->end;
    if (client->held != NULL) client->held->handle_count++;
}

static bp_transfer *take_work(bp_transfer_client *client) {
    bp_transfer *transfer = client->work;
    client->work = transfer->work_next;
    if (client->work == NULL) client->work_last = &client->work;
    transfer->is_listed = false;
    return transfer;
}

static bool is_over(const bp_transfer_client *client) {
    return client->is_freed && client->depth == 0 && client->transfers == NULL && bpi_client_is_asleep(client);
}

static void destroy(bp_transfer_client *client) {
    bp_pool_release_take(&client->small);
    bpi_os.free(client);
}

void bpi_client_leave(bp_transfer_client *client) {
    bpi_end *held = client->held;
    if (client->depth == 1) {
        while (client->work != NULL) bpi_job_work(take_work(client));
    }
    if (--client->depth != 0) return;
    client->held = NULL;
    if (bpi_client_is_asleep(client)) client->end = NULL;
    if (is_over(client)) destroy(client);
    if (held != NULL) bpi_end_handle_closed(held);
}

void bpi_client_await(bp_transfer_client *client) {
    if (client->under_way++ == 0) client->end->handle_count++;
}

void bpi_client_got(bp_transfer_client *client) {
    if (--client->under_way == 0) bpi_end_handle_closed(client->end);
}

void bpi_client_call(bp_transfer_client *client, bpi_call *call, bp_store *store, bp_store_fn *function) {
    bpi_client_await(client);
    bpi_call_begin(call, store, function, client->end->loop);
}

/* ---- work ---- */

static void append_work(bp_transfer_client *client, bp_transfer *transfer) {
    transfer->work_next = NULL;
    *client->work_last = transfer;
    client->work_last = &transfer->work_next;
}

static void open_letter(bpi_letter *letter) {
    bp_transfer_client *client =
        (bp_transfer_client *)(void *)((uint8_t *)letter - offsetof(bp_transfer_client, letter));
    bpi_client_enter(client);
    bpi_mailbox_unexpect(&client->end->loop->mailbox);
    client->is_letter_due = false;
    for (bp_transfer *transfer = client->later, *next; transfer != NULL; transfer = next) {
        next = transfer->work_next;
        append_work(client, transfer);
    }
    client->later = NULL;
    bpi_client_got(client);
    bpi_client_leave(client);
}

/* Has the loop come back to us. */
static void put_letter(bp_transfer_client *client) {
    if (client->is_letter_due) return;
    bpi_mailbox *mailbox = &client->end->loop->mailbox;
    client->is_letter_due = true;
    client->letter.open = open_letter;
    bpi_client_await(client);
    bpi_mailbox_expect(mailbox);
    bpi_mailbox_put(mailbox, &client->letter);
}

/* Asleep nobody can be told; what is to be done is found when the connection opens, or the clock ticks. */
void bpi_client_work_on(bp_transfer *transfer) {
    bp_transfer_client *client = transfer->client;
    if (!transfer->is_listed) append_work(client, transfer);
    transfer->is_listed = true;
    if (client->depth == 0 && !bpi_client_is_asleep(client)) put_letter(client);
}

void bpi_client_work_later(bp_transfer *transfer) {
    bp_transfer_client *client = transfer->client;
    if (transfer->is_listed) return;
    transfer->is_listed = true;
    transfer->work_next = client->later;
    client->later = transfer;
    put_letter(client);
}

/* ---- time ---- */

static bp_transfer_client *client_of(const bpi_end *end);

/* Who waits for its user must not have what others wait for. */
static void share_memory(bp_transfer_client *client) {
    bool is_short = false;
    for (const bp_transfer *transfer = client->transfers; transfer != NULL; transfer = transfer->next) {
        is_short = is_short || bpi_job_is_short(transfer);
    }
    for (bp_transfer *transfer = client->transfers; is_short && transfer != NULL; transfer = transfer->next) {
        bpi_job_give_up(transfer);
    }
}

/* The end's ticks go on where there is no connection. An end that is freed may outlive us. */
static bool on_tick(bpi_end *end) {
    if (end->is_freed) return false;
    bp_transfer_client *client = client_of(end);
    const uint32_t elapsed_ms = end->loop->clock_ms - client->clock_ms;
    client->clock_ms = end->loop->clock_ms;
    client->end = end;
    bpi_client_enter(client);
    share_memory(client);
    for (bp_transfer *transfer = client->transfers; transfer != NULL; transfer = transfer->next) {
        bpi_job_tick(transfer, elapsed_ms);
    }
    const bool is_needed = client->transfers != NULL || client->conn == NULL;
    end->needs_tick = is_needed;
    bpi_client_leave(client);
    return is_needed;
}

/* Without a connection they go on without need: later nobody could have them begin. */
static void begin_ticks(bp_transfer_client *client) {
    bpi_end *end = client->end;
    if (end == NULL || end->needs_tick) return;
    client->clock_ms = end->loop->clock_ms;
    bpi_end_tick(end);
}

/* ---- hooks ---- */

static void on_client(bp_client *made, void *user) {
    bp_transfer_client *client = user;
    client->is_gone = false;
    client->end = bpi_client_end(made);
    client->end->on_tick = on_tick;
    begin_ticks(client);
    client->end = NULL;
}

static void on_open(bp_conn *conn, void *user) {
    bp_transfer_client *client = user;
    if (client->conn != NULL || client->is_freed || !bpi_link_is_possible(conn)) {
        bp_conn_close(conn, BP_ERR_ARGUMENT);
        return;
    }
    client->conn = conn;
    client->end = conn->end;
    bpi_client_enter(client);
    bpi_link_init(&client->link, conn);
    bpi_link_fit_pool(&client->link, client->config.part_size);
    if (client->transfers != NULL) begin_ticks(client);
    for (bp_transfer *transfer = client->transfers; transfer != NULL; transfer = transfer->next) {
        bpi_client_work_on(transfer);
    }
    bpi_client_leave(client);
}

static void on_close(bp_conn *conn, bp_err why, void *user) {
    bp_transfer_client *client = user;
    if (client->conn != conn) return;
    const bool comes_again = bpi_client_comes_again(conn->end);
    bpi_client_enter(client);
    for (bp_transfer *transfer = client->transfers; transfer != NULL; transfer = transfer->next) {
        bpi_job_lose(transfer);
        if (!comes_again) bpi_job_end(transfer, why, BP_PART_NONE, NULL);
    }
    if (comes_again) begin_ticks(client);
    client->is_gone = !comes_again;
    client->conn = NULL;
    bpi_link_cut(&client->link);
    bpi_link_fini(&client->link);
    bpi_client_leave(client);
}

static void on_drain(bp_conn *conn, void *user) {
    bp_transfer_client *client = user;
    if (client->conn != conn) return;
    bpi_client_enter(client);
    bpi_link_drained(&client->link);
    bpi_client_leave(client);
}

/* What is not a part gets through even where parts, that cannot be answered otherwise, have taken all memory. */
static bp_buf *lend(bp_conn *conn, uint16_t type, uint32_t length, void *user) {
    bp_transfer_client *client = user;
    bp_buf *buf = NULL;
    if (client->conn != conn) return NULL;
    if (type == BPI_TRANSFER_PART_TYPE) return bpi_client_lend(client, length);
    return bp_pool_acquire(client->small, length == 0 ? 1 : length, &buf) == BP_OK ? buf : NULL;
}

/* ---- what the server says ---- */

/* The transfer that a message is about, where we asked for anything of that kind; NULL: it is over, or a lie about
 * nothing. */
static bp_transfer *find(bp_transfer_client *client, uint32_t number, const bpi_kind *kind) {
    bp_transfer *transfer = (bp_transfer *)(void *)bpi_link_find(&client->link, number);
    if (transfer == NULL || transfer->phase == BPI_PHASE_ENDING) return NULL;
    transfer->has_moved = true;
    bpi_client_work_on(transfer);
    if (transfer->kind == kind) return transfer;
    bpi_job_end(transfer, BP_ERR_ORDER, BP_PART_NONE, NULL);
    return NULL;
}

static bp_err on_put_opened(bp_conn *conn, const bpi_transfer_put_opened_view *view, void *user) {
    bp_transfer_client *client = user;
    (void)conn;
    bpi_client_enter(client);
    bp_transfer *transfer = find(client, bpi_transfer_put_opened_get_transfer(view), &bpi_put_kind);
    if (transfer != NULL) bpi_put_opened(transfer, view);
    bpi_client_leave(client);
    return BP_OK;
}

static bp_err on_part_done(bp_conn *conn, const bpi_transfer_part_done_view *view, void *user) {
    bp_transfer_client *client = user;
    (void)conn;
    bpi_client_enter(client);
    bp_transfer *transfer = find(client, bpi_transfer_part_done_get_transfer(view), &bpi_put_kind);
    if (transfer != NULL) bpi_put_part_done(transfer, bpi_transfer_part_done_get_part(view));
    bpi_client_leave(client);
    return BP_OK;
}

static bp_err on_committed(bp_conn *conn, const bpi_transfer_committed_view *view, void *user) {
    bp_transfer_client *client = user;
    (void)conn;
    bpi_client_enter(client);
    bp_transfer *transfer = find(client, bpi_transfer_committed_get_transfer(view), &bpi_put_kind);
    if (transfer != NULL) bpi_put_committed(transfer, bpi_transfer_committed_get_version(view));
    bpi_client_leave(client);
    return BP_OK;
}

static bp_err on_get_opened(bp_conn *conn, const bpi_transfer_get_opened_view *view, void *user) {
    bp_transfer_client *client = user;
    (void)conn;
    bpi_client_enter(client);
    bp_transfer *transfer = find(client, bpi_transfer_get_opened_get_transfer(view), &bpi_get_kind);
    if (transfer != NULL) bpi_get_opened(transfer, view);
    bpi_client_leave(client);
    return BP_OK;
}

/* A part that nobody waits for any more may have been on its way. */
static bp_err on_part(bp_conn *conn, bp_buf *buf, void *user) {
    bp_transfer_client *client = user;
    bpi_transfer_part_view view;
    bp_err err = bpi_transfer_part_view_init(bp_buf_data(buf), bp_buf_length(buf), &view); /* it was before */
    bpi_client_enter(client);
    bp_transfer *transfer = err != BP_OK ? NULL : find(client, bpi_transfer_part_get_transfer(&view), &bpi_get_kind);
    client->stats.parts_in++;
    if (conn->end->loop->frame->value != bp_buf_data(buf)) client->stats.bytes_copied += bp_buf_length(buf);
    if (transfer != NULL)
        bpi_get_part_take(transfer, &view, &buf);
    else
        client->stats.parts_refused++;
    if (!bpi_link_count_part(&client->link, transfer == NULL ? NULL : &transfer->strand)) err = BP_ERR_PART;
    client->lent = NULL;
    bp_buf_release(buf);
    bpi_client_leave(client);
    return err;
}

static bp_err on_listed(bp_conn *conn, const bpi_transfer_listed_view *view, void *user) {
    bp_transfer_client *client = user;
    (void)conn;
    bpi_client_enter(client);
    bp_transfer *transfer = find(client, bpi_transfer_listed_get_transfer(view), &bpi_list_kind);
    if (transfer != NULL) bpi_list_listed(transfer, view);
    bpi_client_leave(client);
    return BP_OK;
}

static bp_err on_list_end(bp_conn *conn, const bpi_transfer_list_end_view *view, void *user) {
    bp_transfer_client *client = user;
    (void)conn;
    bpi_client_enter(client);
    bp_transfer *transfer = find(client, bpi_transfer_list_end_get_transfer(view), &bpi_list_kind);
    if (transfer != NULL) bpi_list_ended(transfer, bpi_transfer_list_end_get_has_more(view));
    bpi_client_leave(client);
    return BP_OK;
}

static bp_err on_failed(bp_conn *conn, const bpi_transfer_failed_view *view, void *user) {
    bp_transfer_client *client = user;
    (void)conn;
    bpi_client_enter(client);
    bp_transfer *transfer = (bp_transfer *)(void *)bpi_link_find(&client->link, bpi_transfer_failed_get_transfer(view));
    if (transfer != NULL) {
        bpi_job_failed_there(transfer, view);
        bpi_client_work_on(transfer);
    }
    bpi_client_leave(client);
    return BP_OK;
}

static const bpi_transfer_handlers handlers = {.put_opened = on_put_opened,
                                               .part_done = on_part_done,
                                               .committed = on_committed,
                                               .get_opened = on_get_opened,
                                               .part_buf = on_part,
                                               .listed = on_listed,
                                               .list_end = on_list_end,
                                               .failed = on_failed};

static const bp_service_hooks hooks = {
    .on_client = on_client, .on_open = on_open, .on_close = on_close, .on_drain = on_drain, .lend = lend};

static bp_transfer_client *client_of(const bpi_end *end) {
    const bp_service *service = end->config.services;
    while (service->hooks != &hooks) service++;
    return service->user;
}

/* ---- the public calls ---- */

static uint32_t or_default(uint32_t asked, uint32_t otherwise) { return asked == 0 ? otherwise : asked; }

static bp_err check(const bp_transfer_client_config *config) {
    if (config->part_size < BP_PART_SIZE_MIN || config->part_size > BP_PART_SIZE_MAX) return BP_ERR_ARGUMENT;
    return config->parts_in_flight > BP_PARTS_IN_FLIGHT_MAX ? BP_ERR_ARGUMENT : BP_OK;
}

bp_err bp_transfer_client_new(const bp_transfer_client_config *config, bp_transfer_client **out) {
    bp_transfer_client_config own = config == NULL ? (bp_transfer_client_config){0} : *config;
    *out = NULL;
    own.part_size = or_default(own.part_size, BP_PART_SIZE_DEFAULT);
    own.parts_in_flight = or_default(own.parts_in_flight, BP_PARTS_IN_FLIGHT_DEFAULT);
    own.idle_ms = or_default(own.idle_ms, IDLE_DEFAULT_MS);
    own.memory_ms = or_default(own.memory_ms, MEMORY_DEFAULT_MS);
    bp_err err = check(&own);
    if (err != BP_OK) return err;
    bp_transfer_client *client = bpi_os.alloc(sizeof *client);
    if (client == NULL) return BP_ERR_NO_MEMORY;
    client->config = own;
    client->work_last = &client->work;
    client->transfers_last = &client->transfers;
    bpi_narrow_schema_init(&client->schema, own.part_size);
    err = bp_heap_pool_new(SMALL_LIMIT, &client->small);
    if (err != BP_OK) {
        bpi_os.free(client);
        return err;
    }
    *out = client;
    return BP_OK;
}

bp_service bp_transfer_client_service(bp_transfer_client *client) {
    bp_service service = bpi_transfer_service(&handlers, client);
    service.schema = &client->schema.schema;
    service.hooks = &hooks;
    return service;
}

void bpi_client_joined(bp_transfer *transfer) {
    begin_ticks(transfer->client);
    bpi_client_work_on(transfer);
}

void bp_transfer_client_free_take(bp_transfer_client **client) {
    bp_transfer_client *taken = *client;
    *client = NULL;
    if (taken == NULL) return;
    taken->is_freed = true;
    bpi_client_enter(taken);
    for (bp_transfer *transfer = taken->transfers; transfer != NULL; transfer = transfer->next) {
        bpi_job_abandon(transfer);
    }
    bpi_client_leave(taken);
}

void bp_transfer_client_stats(const bp_transfer_client *client, bp_transfer_stats *out) { *out = client->stats; }
