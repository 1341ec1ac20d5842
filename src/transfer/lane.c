#define _GNU_SOURCE
/* A part in work, at the client: its memory, the frame in it, and who else may read into that. */
#include "transfer/client_internal.h"

#include "base/crc32c.h"

/* ---- lending ---- */

static bpi_lane **bucket_of(bp_transfer_client *client, uint32_t length) {
    return &client->lendable[length * UINT32_C(0x9E3779B9) >> 26];
}

_Static_assert(BPI_LENDABLE == 1 << (32 - 26), "a bucket for each");

static uint32_t frame_size(const bpi_lane *lane) { return bpi_part_frame_size(lane->part.length); }

void bpi_lane_lend(bpi_lane *lane) {
    bpi_lane **at = bucket_of(lane->transfer->client, frame_size(lane));
    lane->lend_next = *at;
    lane->lend_at = at;
    if (lane->lend_next != NULL) lane->lend_next->lend_at = &lane->lend_next;
    *at = lane;
}

/* The reader keeps its reference, if it has one; the lane's is the lane's again. */
void bpi_lane_unlend(bpi_lane *lane) {
    bp_transfer_client *client = lane->transfer->client;
    if (client->lent == lane) client->lent = NULL;
    if (lane->lend_at == NULL) return;
    *lane->lend_at = lane->lend_next;
    if (lane->lend_next != NULL) lane->lend_next->lend_at = lane->lend_at;
    lane->lend_at = NULL;
    lane->lend_next = NULL;
}

/* Of exactly that length; for a part that nobody waits for any more any one that is long enough: with none the reader
 * would wait for memory, which may be what transfers wait for parts with. */
static bpi_lane *find_lendable(bp_transfer_client *client, uint32_t length) {
    for (bpi_lane *lane = *bucket_of(client, length); lane != NULL; lane = lane->lend_next) {
        if (frame_size(lane) == length) return lane;
    }
    for (size_t i = 0; i < BPI_LENDABLE; i++) {
        for (bpi_lane *lane = client->lendable[i]; lane != NULL; lane = lane->lend_next) {
            if (bp_buf_capacity(lane->buf) >= length) return lane;
        }
    }
    return NULL;
}

bp_buf *bpi_client_lend(bp_transfer_client *client, uint32_t length) {
    client->lent = find_lendable(client, length);
    return client->lent == NULL ? NULL : bp_buf_retain(client->lent->buf);
}

static void swap_buffers(bpi_lane *a, bpi_lane *b) {
    bp_buf *buf = a->buf;
    a->buf = b->buf;
    b->buf = buf;
}

void bpi_lane_arrive_take(bpi_lane *lane, bp_buf **buf) {
    bpi_lane *lender = lane->transfer->client->lent;
    if (lender != NULL && lender->buf == *buf) {
        if (lender != lane) swap_buffers(lender, lane);
        bp_buf_release_take(buf);
    } else {
        bp_buf_release(lane->buf);
        lane->buf = *buf;
        *buf = NULL;
    }
    lane->transfer->client->lent = NULL;
    bpi_lane_unlend(lane);
}

/* ---- life ---- */

static void on_ready(bpi_part *part, bp_err err);

void bpi_lane_init(bpi_lane *lane, bp_transfer *transfer) {
    bpi_part_init(&lane->part, lane, on_ready);
    lane->transfer = transfer;
}

bool bpi_lane_is_under_way(const bpi_lane *lane) {
    return lane->state == BPI_LANE_RESERVING || lane->state == BPI_LANE_READING || lane->state == BPI_LANE_STORING ||
           lane->state == BPI_LANE_LEAVING;
}

static void give_buffer_back(bpi_lane *lane) {
    bpi_lane_unlend(lane);
    bp_buf_release_take(&lane->buf);
    lane->data = NULL;
    lane->state = BPI_LANE_IDLE;
}

/* The part is todo again. */
static void go_back(bpi_lane *lane) {
    bpi_plan *plan = &lane->transfer->plan;
    if (!bpi_plan_undo(plan, lane->part.number)) (void)!bpi_plan_unhold(plan, lane->part.number);
    give_buffer_back(lane);
}

void bpi_lane_place(bpi_lane *lane, uint32_t *length) {
    const bpi_transfer_part part = {.transfer = lane->transfer->strand.number,
                                    .part = lane->part.number,
                                    .crc = lane->part.crc,
                                    .data_length = lane->part.length};
    const bp_err err =
        bpi_transfer_part_place(&part, bp_buf_data(lane->buf), bp_buf_capacity(lane->buf), length, &lane->data);
    BPI_ASSERT(err == BP_OK); /* the buffer was made for it */
    (void)err;
}

static void take_grant(bpi_lane *lane) {
    uint32_t length;
    lane->buf = bpi_part_take(&lane->part);
    bpi_lane_place(lane, &length);
    lane->transfer->kind->granted(lane);
}

static void on_ready(bpi_part *part, bp_err err) {
    bpi_lane *lane = part->owner;
    bp_transfer *transfer = lane->transfer;
    bp_transfer_client *client = transfer->client;
    bpi_client_enter(client);
    if (lane->state == BPI_LANE_RESERVING && err == BP_OK) {
        transfer->has_moved = true;
        take_grant(lane);
    } else {
        const bool is_refused = lane->state == BPI_LANE_RESERVING;
        go_back(lane);
        if (is_refused) bpi_job_end(transfer, err, part->number, NULL);
    }
    bpi_client_work_on(transfer);
    bpi_client_got(client);
    bpi_client_leave(client);
}

void bpi_lane_begin(bp_transfer *transfer, uint64_t part) {
    bp_transfer_client *client = transfer->client;
    bpi_lane *lane = bpi_lane_of(transfer, part);
    const bool is_todo = bpi_plan_begin(&transfer->plan, part);
    BPI_ASSERT(is_todo && lane->state == BPI_LANE_IDLE);
    (void)is_todo;
    lane->part.number = part;
    lane->part.length = bpi_plan_length(&transfer->plan, part);
    lane->part.crc = 0;
    const bp_err err = bpi_part_prepare(&lane->part, client->end->pool, &client->end->loop->mailbox, frame_size(lane));
    if (err == BP_OK) {
        take_grant(lane);
    } else if (err == BP_PENDING) {
        lane->state = BPI_LANE_RESERVING;
        client->stats.waits++;
        bpi_client_await(client);
    } else {
        const bool is_never = bp_pool_stride(client->end->pool, frame_size(lane)) == 0;
        go_back(lane);
        transfer->is_refused = err == BP_ERR_LIMIT; /* by a pool that cannot wait: it is asked again */
        if (err != BP_ERR_LIMIT || is_never) bpi_job_end(transfer, err, part, NULL);
    }
}

static void sum(bp_transfer *transfer) {
    if (transfer->summed == BP_PART_NONE) return;
    for (; transfer->summed < transfer->plan.first; transfer->summed++) {
        const uint64_t part = transfer->summed;
        transfer->crc = bpi_crc32c_combine(transfer->crc, bpi_lane_of(transfer, part)->part.crc,
                                           bpi_plan_length(&transfer->plan, part));
    }
}

void bpi_lane_finish(bpi_lane *lane) {
    bp_transfer *transfer = lane->transfer;
    if (!bpi_plan_finish(&transfer->plan, lane->part.number)) {
        const bool is_next = bpi_plan_deliver(&transfer->plan, lane->part.number);
        BPI_ASSERT(is_next);
        (void)is_next;
    }
    give_buffer_back(lane);
    transfer->has_moved = true;
    transfer->is_refused = false;
    sum(transfer);
}

void bpi_lane_leave(bpi_lane *lane) {
    switch ((bpi_lane_state)lane->state) {
    case BPI_LANE_IDLE:
    case BPI_LANE_LEAVING: return;
    case BPI_LANE_READING:
    case BPI_LANE_STORING: lane->state = BPI_LANE_LEAVING; return;
    case BPI_LANE_RESERVING:
        if (!bpi_part_drop(&lane->part)) {
            lane->state = BPI_LANE_LEAVING;
            return;
        }
        bpi_client_got(lane->transfer->client);
        break;
    default: break;
    }
    go_back(lane);
}

/* What failed is why the transfer ends, for whoever asked. */
static void on_answer(bpi_call *call, bp_err err) {
    bpi_lane *lane = call->owner;
    bp_transfer *transfer = lane->transfer;
    bp_transfer_client *client = transfer->client;
    bpi_client_enter(client);
    transfer->has_moved = true;
    if (lane->state == BPI_LANE_LEAVING)
        go_back(lane);
    else
        lane->answered(lane, err);
    bpi_client_work_on(transfer);
    bpi_client_got(client);
    bpi_client_leave(client);
}

void bpi_lane_call(bpi_lane *lane, bpi_lane_state state, bp_store_fn *function, bpi_lane_fn *answered) {
    bp_transfer *transfer = lane->transfer;
    lane->state = (uint8_t)state;
    lane->answered = answered;
    lane->call.store = (bp_store_call){.object = transfer->object,
                                       .part = lane->part.number,
                                       .offset = lane->part.number * transfer->part_size,
                                       .data = lane->data,
                                       .length = lane->part.length,
                                       .crc = lane->part.crc};
    lane->call.owner = lane;
    lane->call.on_answer = on_answer;
    bpi_client_call(transfer->client, &lane->call, transfer->place->store, function);
}
