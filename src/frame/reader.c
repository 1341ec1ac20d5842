#include "frame/frame_internal.h"

#include "base/os.h"
#include "base/wipe.h"

/* What at and end point at while nothing is here. */
static const uint8_t nothing[1];

void bp_reader_init(bp_reader *reader, const bp_reader_config *config) {
    *reader = (bp_reader){.config = config, .at = nothing, .end = nothing};
}

/* ---- the budget: charged from when a frame needs a buffer until the reader has it no longer ---- */

static bool fits(uint64_t used, uint32_t cost, uint64_t limit) { return used == 0 || used + cost <= limit; }

/* What a frame's buffer takes of the memory: by its length alone, frames a little longer than a class would take up to
 * a whole class more than the budget knows. */
static uint32_t cost_of(const bp_reader *reader, uint32_t length) {
    const uint64_t stride = bp_pool_stride(reader->config->pool, length); /* of which a capacity can be; or 0 */
    return stride < length ? length : (uint32_t)stride;
}

/* Sequentially consistent, for those who wait for what is given back and are told by others (transport/share.c). */
static bool charge(bp_reader *reader, uint32_t length) {
    bp_reader_budget *budget = reader->config->budget;
    if (budget == NULL || reader->charged != 0) return true;
    const uint32_t cost = cost_of(reader, length);
    uint64_t used = __atomic_load_n(&budget->used, __ATOMIC_RELAXED);
    do {
        if (!fits(used, cost, __atomic_load_n(&budget->limit, __ATOMIC_RELAXED))) return false;
    } while (!__atomic_compare_exchange_n(&budget->used, &used, used + cost, true, __ATOMIC_SEQ_CST,
                                          __ATOMIC_RELAXED));
    reader->charged = cost;
    return true;
}

static void uncharge(bp_reader *reader) {
    if (reader->charged == 0) return;
    (void)__atomic_fetch_sub(&reader->config->budget->used, reader->charged, __ATOMIC_SEQ_CST);
    reader->charged = 0;
}

/* The cut frame, or the one that is held, is the reader's no longer. */
static void give_up_partial(bp_reader *reader) {
    bp_buf_release_take(&reader->partial);
    uncharge(reader);
}

/* ---- feeding ---- */

void bp_reader_fini(bp_reader *reader) {
    give_up_partial(reader);
    reader->at = reader->end = nothing;
    reader->head_count = 0;
    reader->state = BPI_BETWEEN;
}

/* Wipes bytes of the landing chunk, which the caller lent for writing. */
static void wipe(const uint8_t *from, size_t count) { bpi_wipe((uint8_t *)(uintptr_t)from, count); }

static void end_lending(bp_reader *reader) {
    wipe(reader->at - reader->length, reader->length);
    reader->state = BPI_BETWEEN;
}

void bp_reader_drop(bp_reader *reader) {
    if (reader->state == BPI_LENT) end_lending(reader);
    if (reader->config->types->has_sensitive) wipe(reader->at, (size_t)(reader->end - reader->at));
    reader->at = reader->end;
    if (reader->state == BPI_FAILED) return;
    if (reader->state != BPI_HELD) give_up_partial(reader); /* what was handed on is the caller's to look at */
    reader->state = BPI_FAILED;
    reader->failed = BP_ERR_CLOSED;
}

bp_span bp_reader_space(const bp_reader *reader, uint8_t *landing, size_t landing_length) {
    if (reader->state == BPI_FAILED) return (bp_span){NULL, 0};
    const uint32_t missing = reader->length - reader->got;
    if (reader->state == BPI_IN_VALUE && (missing >= BP_FRAME_DIRECT_MIN || landing_length == 0)) {
        return (bp_span){bp_buf_data(reader->partial) + reader->got, missing};
    }
    return (bp_span){landing, landing_length};
}

void bp_reader_fed(bp_reader *reader, bp_span space, size_t count) {
    if (reader->state == BPI_IN_VALUE && space.data == bp_buf_data(reader->partial) + reader->got) {
        reader->got += (uint32_t)count;
        reader->at = reader->end = nothing;
    } else {
        reader->at = space.data;
        reader->end = space.data + count;
    }
}

/* ---- taking frames ---- */

static bp_err fail(bp_reader *reader, bp_err err) {
    reader->state = BPI_FAILED;
    reader->failed = err;
    return err;
}

static void hand_on(bp_reader *reader, const bpi_type_entry *entry, uint16_t type, uint32_t length,
                    const uint8_t *value, bp_frame *out) {
    out->value = value;
    out->length = length;
    out->type = type;
    out->schema_ix = entry->schema_ix;
    out->info = entry->info;
    out->buf = NULL;
    reader->frame_count++;
}

/* Up to count of the bytes that are here; moves past them. */
static size_t take(bp_reader *reader, size_t count, const uint8_t **from) {
    const size_t here = (size_t)(reader->end - reader->at);
    if (count > here) count = here;
    *from = reader->at;
    reader->at += count;
    return count;
}

static bool take_head(bp_reader *reader) {
    while (reader->head_count < BP_FRAME_HEADER_SIZE && reader->at < reader->end) {
        reader->head[reader->head_count++] = *reader->at++;
    }
    reader->state = reader->head_count == 0 ? BPI_BETWEEN : BPI_IN_HEAD;
    return reader->head_count == BP_FRAME_HEADER_SIZE;
}

static bool skip_value(bp_reader *reader) {
    const uint8_t *from;
    reader->got += (uint32_t)take(reader, reader->length - reader->got, &from);
    if (reader->got < reader->length) return false;
    reader->state = BPI_BETWEEN;
    reader->skipped_count++;
    return true;
}

/* Adds what is here to the cut value; BP_OK once it is whole. */
static bp_err fill_value(bp_reader *reader, bp_frame *out) {
    const uint8_t *from;
    const size_t count = take(reader, reader->length - reader->got, &from);
    bpi_copy(bp_buf_data(reader->partial) + reader->got, from, count);
    if (bp_buf_is_sensitive(reader->partial)) wipe(from, count);
    reader->got += (uint32_t)count;
    if (reader->got < reader->length) return BP_MORE;

    const uint16_t type = bp_buf_type(reader->partial);
    bp_buf_set_length(reader->partial, reader->length);
    hand_on(reader, bpi_type_map_entry(reader->config->types, type), type, reader->length, bp_buf_data(reader->partial),
            out);
    out->buf = reader->partial;
    reader->state = BPI_HELD;
    return BP_OK;
}

/* Why the header in head is refused, or BP_OK. */
static bp_err verify(const bp_reader *reader, const bpi_type_entry *entry, uint16_t type, uint32_t length) {
    const bp_reader_config *config = reader->config;
    if (type == 0 && config->control_max != 0) return length > config->control_max ? BP_ERR_FRAME_LONG : BP_OK;
    return bpi_head_verify(entry, length, config->unknown_max == 0 ? BPI_UNKNOWN_MAX_DEFAULT : config->unknown_max);
}

/* Out of line, as most have nobody to ask. */
__attribute__((noinline)) bp_buf *bpi_reader_ask(bp_reader *reader, const bp_type_info *info, uint32_t length) {
    if (info == NULL) return NULL;
    bp_buf *buf = reader->config->lend(reader, info->type, length);
    if (buf == NULL || bp_buf_capacity(buf) >= length) return buf;
    bpi_misuse(BP_MISUSE_CAPACITY, buf);
    bp_buf_release(buf);
    return NULL;
}

/* Of the pool, sized by the frame's own length, not by its type's class, which a short frame would waste. */
static bp_err acquire_pooled(bp_reader *reader, uint16_t type, uint32_t length) {
    const bp_reader_config *config = reader->config;
    bp_pool *pool = type == 0 && config->control_pool != NULL ? config->control_pool : config->pool;
    if (type != 0 && !charge(reader, length)) return BP_ERR_LIMIT;
    return reader->partial == NULL ? bp_pool_acquire(pool, length, &reader->partial) : BP_OK;
}

/* A buffer for a cut frame: the one that the reader was given when it had been refused one, or one that is lent, or one
 * of the pool. */
static bp_err acquire_partial(bp_reader *reader, const bpi_type_entry *entry, uint16_t type, uint32_t length) {
    bp_buf *lent = reader->partial == NULL ? bpi_reader_borrow(reader, entry->info, length) : NULL;
    if (lent != NULL) {
        reader->partial = lent;
        uncharge(reader);
    } else {
        const bp_err err = acquire_pooled(reader, type, length);
        if (err != BP_OK) return err;
    }
    bp_buf_set_type(reader->partial, type);
    if (bpi_type_is_sensitive(entry)) bp_buf_set_sensitive(reader->partial);
    return BP_OK;
}

/* The header in head is complete: hands the frame on where it lies, or starts to skip it or to collect it. */
static bp_err begin_value(bp_reader *reader, bp_frame *out) {
    const uint16_t type = bpi_load_u16(reader->head);
    const uint32_t length = bpi_load_u32(reader->head + 2);
    const bpi_type_entry *entry = bpi_type_map_entry(reader->config->types, type);
    bp_err err = verify(reader, entry, type, length);
    if (err != BP_OK) return fail(reader, err);

    const bool is_skipped = bpi_head_is_skipped(entry);
    const bool is_whole = length <= (size_t)(reader->end - reader->at);
    if (!is_skipped && !is_whole) {
        err = acquire_partial(reader, entry, type, length);
        if (err != BP_OK) return err;
    }
    reader->head_count = 0;
    reader->length = length;
    reader->got = 0;
    if (is_skipped || !is_whole) {
        reader->state = is_skipped ? BPI_SKIPPING : BPI_IN_VALUE;
        return BP_PENDING;
    }
    hand_on(reader, entry, type, length, reader->at, out);
    reader->at += length;
    reader->state = bpi_type_is_sensitive(entry) ? BPI_LENT : BPI_BETWEEN;
    return BP_OK;
}

/* Everything that is not a whole known frame, without secrets, at the beginning of what is here. Out of line: what it
 * needs of registers and stack would cost each whole frame as much as finding it. */
static __attribute__((noinline)) bp_err next_cut(bp_reader *reader, bp_frame *out) {
    *out = (bp_frame){0};
    if (reader->state == BPI_FAILED) return reader->failed;
    if (reader->state == BPI_HELD) {
        give_up_partial(reader);
        reader->state = BPI_BETWEEN;
    }
    if (reader->state == BPI_LENT) end_lending(reader);
    for (;;) {
        if (reader->state == BPI_IN_VALUE) return fill_value(reader, out);
        if (reader->state == BPI_SKIPPING && !skip_value(reader)) return BP_MORE;
        if (!take_head(reader)) return BP_MORE;
        const bp_err err = begin_value(reader, out);
        if (err != BP_PENDING) return err;
    }
}

bp_err bp_reader_next(bp_reader *reader, bp_frame *out) {
    if (BP_LIKELY(reader->state == BPI_BETWEEN)) {
        const uint8_t *next = bpi_find_whole(reader->config->types, reader->at, reader->end, out);
        if (BP_LIKELY(next != NULL)) {
            out->buf = NULL;
            reader->at = next;
            reader->frame_count++;
            return BP_OK;
        }
    }
    return next_cut(reader, out);
}

/* Hands on frames as long as they are whole. Where it stands is kept in a register: to load it again for each frame, as
 * bp_reader_next must, takes as long as everything else. */
static bp_err each_whole(bp_reader *reader, bp_reader_fn *on_frame, void *user, bp_frame *frame) {
    const bp_type_map *types = reader->config->types;
    const uint8_t *const end = reader->end, *at = reader->at;
    uint64_t count = reader->frame_count;
    frame->buf = NULL;
    while ((at = bpi_find_whole(types, at, end, frame)) != NULL) {
        reader->at = at;
        reader->frame_count = ++count;
        const bp_err err = on_frame(frame, user);
        if (BP_UNLIKELY(err != BP_OK)) return err;
    }
    return BP_OK;
}

bp_err bp_reader_each(bp_reader *reader, bp_reader_fn *on_frame, void *user) {
    bp_frame frame;
    bp_err err = BP_OK;
    while (err == BP_OK) {
        if (reader->state == BPI_BETWEEN) err = each_whole(reader, on_frame, user, &frame);
        if (err == BP_OK) err = bp_reader_next(reader, &frame);
        if (err == BP_OK) err = on_frame(&frame, user);
    }
    return err;
}

/* ---- for whoever waits for memory ---- */

/* The value whose header is whole and which has no buffer yet: BP_ERR_LIMIT or BP_ERR_NO_MEMORY was the answer. */
static bool is_refused(const bp_reader *reader) {
    return reader->state == BPI_IN_HEAD && reader->head_count == BP_FRAME_HEADER_SIZE;
}

uint32_t bp_reader_wants(const bp_reader *reader) {
    return is_refused(reader) && reader->partial == NULL ? bpi_load_u32(reader->head + 2) : 0;
}

uint32_t bpi_reader_cost(const bp_reader *reader) {
    const bool is_uncharged = is_refused(reader) && reader->charged == 0 && reader->config->budget != NULL;
    return is_uncharged && bpi_load_u16(reader->head) != 0 ? cost_of(reader, bpi_load_u32(reader->head + 2)) : 0;
}

void bpi_reader_charged(bp_reader *reader, uint32_t cost) { reader->charged = cost; }

bool bp_reader_is_over_budget(const bp_reader *reader) {
    const bp_reader_budget *budget = reader->config->budget;
    const uint32_t cost = bpi_reader_cost(reader);
    return cost != 0 && !fits(__atomic_load_n(&budget->used, __ATOMIC_RELAXED), cost,
                              __atomic_load_n(&budget->limit, __ATOMIC_RELAXED));
}

bp_err bp_reader_give_take(bp_reader *reader, bp_buf **buf) {
    const uint32_t wanted = bp_reader_wants(reader);
    if (wanted == 0 || bp_buf_capacity(*buf) < wanted) return BP_ERR_ARGUMENT;
    reader->partial = *buf;
    *buf = NULL;
    return BP_OK;
}

bool bp_reader_is_inside(const bp_reader *reader) {
    return reader->state == BPI_IN_HEAD || reader->state == BPI_IN_VALUE || reader->state == BPI_SKIPPING;
}

size_t bpi_reader_put_back(bp_reader *reader, const bp_frame *again) {
    if (again != NULL) {
        bpi_store_head(reader->head, again->type, again->length);
        reader->head_count = BP_FRAME_HEADER_SIZE;
        reader->state = BPI_IN_HEAD;
        reader->at -= again->length;
        reader->frame_count--;
    }
    const size_t count = (size_t)(reader->end - reader->at);
    if (reader->config->types->has_sensitive) wipe(reader->at, count);
    reader->at = reader->end = nothing;
    return count;
}

/* ---- keeping frames ---- */

/* Without a value, too, the caller gets a buffer: it says type and length. */
static bp_err acquire_kept(bp_reader *reader, const bp_frame *frame, bp_buf **out) {
    *out = bpi_reader_borrow(reader, frame->info, frame->length);
    if (*out != NULL) return BP_OK;
    return bp_pool_acquire(reader->config->pool, frame->length == 0 ? 1 : frame->length, out);
}

bp_err bp_reader_keep(bp_reader *reader, bp_frame *frame, bp_buf **out) {
    *out = NULL;
    if (reader->kept == reader->frame_count) return BP_ERR_ARGUMENT;
    if (frame->buf != NULL) {
        *out = frame->buf;
        frame->buf = reader->partial = NULL;
        uncharge(reader);
    } else {
        const bp_err err = acquire_kept(reader, frame, out);
        if (err != BP_OK) return err;
        bpi_reader_put(reader, frame, *out);
    }
    reader->kept = reader->frame_count;
    return BP_OK;
}

bp_err bp_reader_keep_in(bp_reader *reader, const bp_frame *frame, bp_buf *buf) {
    if (reader->kept == reader->frame_count || frame->buf != NULL) return BP_ERR_ARGUMENT;
    if (bp_buf_capacity(buf) < frame->length) return BP_ERR_ARGUMENT;
    bpi_reader_put(reader, frame, buf);
    return BP_OK;
}

/* ---- the end ---- */

bp_err bp_reader_end(const bp_reader *reader) {
    if (reader->state == BPI_FAILED) return reader->failed;
    const bool is_between = reader->state == BPI_BETWEEN || reader->state == BPI_HELD || reader->state == BPI_LENT;
    return is_between && reader->at == reader->end ? BP_OK : BP_ERR_LOST;
}
