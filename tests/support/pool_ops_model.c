#include "tests/support/pool_ops_model.h"
#include "pool/pool_internal.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST = 262144, SECRET = 0xEE, IDLE_MS = 1000 };

const bp_class bpt_ops_classes[OPS_CLASSES] = {{64, 8192}, {128, 4096}, {1024, 65536}, {4096, 0}, {LARGEST, 0}};

bool bpt_ops_fail(ops_run *run, const char *what) {
    (void)snprintf(run->outcome->what, sizeof run->outcome->what, "%s", what);
    return false;
}

/* ---- pools ---- */

static uint64_t now_ms; /* of all pools; atomic, as a pool may be asked by any thread of the crew */

static uint64_t read_clock(void *user) {
    (void)user;
    return BPI_LOAD(&now_ms);
}

static void pass_time(const bpt_op *op) { BPI_STORE(&now_ms, now_ms + op->value % (3 * IDLE_MS)); }

bool bpt_ops_new_pool(ops_run *run, uint32_t which) {
    static const bp_pool_config kinds[] = {
        {.memory_limit = 8 * LARGEST, .rest_bytes = 4096, .idle_ms = IDLE_MS},
        {.memory_limit = 4 * LARGEST, .forced_limit = 2 * LARGEST},
        {.memory_limit = 16 * LARGEST, .rest_bytes = 64 * 1024, .exact_size_limit = LARGEST + 1000},
        {.memory_limit = 0, .rest_bytes = 1, .idle_ms = IDLE_MS},
        {.memory_limit = 8 * LARGEST, .forced_limit = LARGEST, .is_hardened = true, .idle_ms = IDLE_MS},
        {.memory_limit = 8 * LARGEST, .rest_bytes = 4096},
        {.memory_limit = 0},
    };
    bp_pool_config config = kinds[which % (sizeof kinds / sizeof *kinds)];
    config.classes = bpt_ops_classes;
    config.class_count = OPS_CLASSES;
    config.now_ms = read_clock;
    run->limit = config.memory_limit == 0 ? UINT64_MAX : config.memory_limit;
    run->exact_size_limit = config.exact_size_limit == 0 ? UINT64_MAX : config.exact_size_limit;
    run->forced_limit = config.forced_limit;
    run->trimmed = run->waits = run->cancelled = 0;
    run->served = (1u << OPS_CLASSES) - 1;
    run->is_closed = false;
    run->is_hardened = config.is_hardened;
    memset(run->tallies, 0, sizeof run->tallies);
    HOLDS(run, bp_pool_new(&config, &run->pool) == BP_OK);
    return true;
}

/* Buffers that are out outlive their pool. */
static bool renew(ops_run *run, uint32_t which) {
    for (uint32_t slot = 0; slot < BPT_OP_SLOTS; slot++) {
        held *h = &run->slots[slot];
        if (h->buf == NULL || h->is_orphan) continue;
        h->is_orphan = true;
        run->orphan_count++;
    }
    run->is_closed = true; /* those who wait are told so */
    bp_pool_release_take(&run->pool);
    HOLDS(run, run->pool == NULL && run->waiter_count == 0);
    return bpt_ops_new_pool(run, which);
}

static bool close_pool(ops_run *run) {
    run->is_closed = true;
    bp_pool_close(run->pool);
    HOLDS(run, run->waiter_count == 0);
    return true;
}

/* No memory of a class is committed for nobody. */
static bool nothing_rests(ops_run *run) {
    for (uint32_t ix = 0; ix < OPS_CLASSES; ix++) {
        bp_class_stats stats;
        HOLDS(run, bp_pool_class_stats_read(run->pool, ix, &stats) == BP_OK);
        HOLDS(run, stats.in_use > 0 || stats.committed_bytes == 0);
    }
    return true;
}

static bool trim(ops_run *run, bool keep_idle) {
    const uint64_t mapped = bpt_ops_mapped();
    const bool is_waiting = run->waiter_count > 0; /* who may get what is given back */
    const uint64_t given = bp_pool_trim(run->pool, keep_idle);
    HOLDS(run, is_waiting || bpt_ops_mapped() == mapped - given);
    return keep_idle || nothing_rests(run);
}

/* ---- classes that come and go ---- */

static bool is_served(const ops_run *run, uint32_t ix) { return (run->served >> ix & 1) != 0; }

static bool change_class(ops_run *run, const bpt_op *op) {
    const uint32_t ix = op->class_ix % OPS_CLASSES;
    const bool is_added = op->kind == BPT_OP_ADD_CLASS;
    const bp_err possible = run->is_closed ? BP_ERR_CLOSED : BP_OK;
    const bp_err expected = !run->is_closed && is_served(run, ix) == is_added ? BP_ERR_ARGUMENT : possible;
    if (expected == BP_OK) run->served ^= 1u << ix; /* those who are granted meanwhile see it */
    const bp_err err = is_added ? bp_pool_class_add(run->pool, &bpt_ops_classes[ix])
                                : bp_pool_class_remove(run->pool, bpt_ops_classes[ix].size);
    HOLDS(run, err == expected);
    return true;
}

/* ---- what is held ---- */

/* The first class that holds the size and is served. */
static uint32_t class_of(const ops_run *run, uint64_t size) {
    uint32_t ix = 0;
    while (ix < OPS_CLASSES && (bpt_ops_classes[ix].size < size || !is_served(run, ix))) ix++;
    return ix;
}

static bool has_class(const held *h) { return h->of < OPS_CLASSES; }

static bool is_as_left(const held *h) {
    const uint8_t *data = bp_buf_data(h->buf);
    return bp_buf_capacity(h->buf) == h->size && bp_buf_type(h->buf) == h->type && bp_buf_length(h->buf) == h->length &&
           bp_buf_is_sensitive(h->buf) == h->is_sensitive && data[0] == h->mark && data[h->size - 1] == h->mark;
}

static void mark(held *h, uint8_t with) {
    h->mark = with;
    bp_buf_data(h->buf)[0] = with;
    bp_buf_data(h->buf)[h->size - 1] = with;
}

static bool overlaps_another(const ops_run *run, const held *h) {
    const uint8_t *from = bp_buf_data(h->buf), *end = from + h->size;
    for (uint32_t slot = 0; slot < BPT_OP_SLOTS; slot++) {
        const held *other = &run->slots[slot];
        if (other == h || other->buf == NULL) continue;
        const uint8_t *data = bp_buf_data(other->buf);
        if (other->buf == h->buf || (data < end && from < data + other->size)) return true;
    }
    return false;
}

/* A sensitive buffer of a slab holds SECRET at both ends, and nothing else ever does. */
static bool is_clean(const held *h) {
    const uint8_t *data = bp_buf_data(h->buf);
    return !has_class(h) || (data[0] != SECRET && data[h->size - 1] != SECRET);
}

/* ---- acquire ---- */

/* Whole pages of data, one that nobody may touch in a hardened pool, and one with the descriptor. */
static uint64_t slab_bytes_of_one(const ops_run *run, uint64_t stride) {
    return (stride + 4095) / 4096 * 4096 + (run->is_hardened ? 4096 : 0) + 4096;
}

/* Whether the memory for one more buffer is really not there: everything that nobody holds was taken back. */
static bool is_used_up(ops_run *run, uint32_t of, uint64_t size) {
    bp_pool_stats stats;
    bp_class_stats of_class = {0};
    bp_pool_stats_read(run->pool, &stats);
    const uint64_t needed = of == OPS_EXACT ? sizeof(bp_buf) + size : slab_bytes_of_one(run, bpt_ops_classes[of].size);
    if (of != OPS_EXACT && bp_pool_class_stats_read(run->pool, of, &of_class) != BP_OK) return false;
    return of_class.idle == 0 && needed > run->limit - stats.committed_bytes;
}

/* The class that the operation may name itself: any that is large enough. */
static uint32_t class_named(const ops_run *run, const bpt_op *op, uint64_t size) {
    const uint32_t smallest = class_of(run, size);
    const bool is_named = op->kind == BPT_OP_ACQUIRE_CLASS && op->class_ix >= smallest && op->class_ix < OPS_CLASSES &&
                          is_served(run, op->class_ix);
    return is_named ? op->class_ix : smallest;
}

static bool refusal_is_right(ops_run *run, const bpt_op *op, uint64_t size, bp_err err) {
    const bool is_exact = class_of(run, size) == OPS_EXACT;
    if (size == 0 || (is_exact && (size > run->exact_size_limit || size > run->limit - sizeof(bp_buf)))) {
        HOLDS(run, err == BP_ERR_ARGUMENT || (run->is_closed && err == BP_ERR_CLOSED));
    } else if (run->is_closed) {
        HOLDS(run, err == BP_ERR_CLOSED);
    } else if (run->waiter_count > 0) {
        HOLDS(run, err == BP_ERR_LIMIT); /* nobody overtakes */
    } else {
        const uint32_t smallest = class_of(run, size), named = class_named(run, op, size);
        HOLDS(run, err == BP_ERR_LIMIT);
        HOLDS(run, is_used_up(run, smallest, size) || is_used_up(run, named, size));
    }
    return true;
}

static bool is_forced(const bp_buf *buf) { return buf != NULL && (BPI_LOAD(&buf->state) & BPI_BUF_FORCED) != 0; }

/* In whose slab the buffer lies. */
static uint32_t class_taken(const held *h) {
    uint32_t ix = 0;
    if (is_forced(h->buf)) return OPS_FORCED;
    if ((BPI_LOAD(&h->buf->state) & BPI_BUF_COUNTED) != 0) return OPS_EXACT;
    const uint32_t stride = bpi_buf_slab(h->buf)->owner->stride;
    while (bpt_ops_classes[ix].size != stride) ix++;
    return ix;
}

static bool note_acquired(ops_run *run, const bpt_op *op, held *h, uint32_t size) {
    HOLDS(run, !run->is_closed && size != 0);
    h->size = size;
    h->of = class_taken(h);
    if (h->of != OPS_FORCED) HOLDS(run, h->of == class_of(run, size) || h->of == class_named(run, op, size));
    h->references = 1;
    h->length = 0;
    h->type = 0;
    h->thread = op->thread;
    h->is_sensitive = h->was_shared = h->is_orphan = false;
    HOLDS(run, bp_buf_pool(h->buf) == run->pool);
    HOLDS(run, bp_buf_capacity(h->buf) == size && bp_buf_length(h->buf) == 0 && bp_buf_type(h->buf) == 0);
    HOLDS(run, (uintptr_t)bp_buf_data(h->buf) % 16 == 0);
    HOLDS(run, !bp_buf_is_sensitive(h->buf));
    HOLDS(run, is_clean(h));
    HOLDS(run, !overlaps_another(run, h));
    mark(h, (uint8_t)(run->at % 200));
    tally *of = &run->tallies[h->of];
    of->acquires++;
    of->in_use++;
    of->bytes += size;
    return true;
}

static bool acquire(ops_run *run, const bpt_op *op, held *h) {
    const uint32_t size = op->value % (BPT_OP_SIZE_MAX + 1);
    bp_err err = BP_OK;
    const bool is_refused = run->waiter_count > 0;
    if (h->buf != NULL || h->is_waiting) return true;
    h->buf = (bp_buf *)16; /* a failure sets it to NULL */
    if (op->kind == BPT_OP_ACQUIRE_CLASS) {
        err = bp_pool_acquire_class(run->pool, op->class_ix, size, &h->buf);
    } else if (op->kind == BPT_OP_ACQUIRE_PLAIN) {
        err = bp_pool_acquire_plain(run->pool, size, &h->buf);
    } else {
        err = bp_pool_acquire(run->pool, size, &h->buf);
    }
    if (err == BP_OK) {
        HOLDS(run, !is_refused);
        return note_acquired(run, op, h, size);
    }
    HOLDS(run, h->buf == NULL);
    return refusal_is_right(run, op, size, err);
}

/* ---- reserve ---- */

static void forget_waiter(ops_run *run, const held *h) {
    uint32_t at = 0;
    while (run->waiters[at] != h) at++;
    run->waiter_count--;
    for (; at < run->waiter_count; at++) run->waiters[at] = run->waiters[at + 1];
}

static const held *first_forcible(const ops_run *run) {
    uint32_t at = 0;
    while (at < run->waiter_count && !run->waiters[at]->wish.can_block) at++;
    return at == run->waiter_count ? NULL : run->waiters[at];
}

/* Strictly in their order, whatever is done to the pool meanwhile; those who are forced in an order of their own. */
static bool end_wait(ops_run *run, held *h) {
    static const bpt_op wait = {.kind = BPT_OP_RESERVE};
    HOLDS(run, h->is_waiting && run->waiter_count > 0);
    HOLDS(run, h == (is_forced(h->wish.buf) ? first_forcible(run) : run->waiters[0]));
    h->is_waiting = false;
    forget_waiter(run, h);
    if (h->wish.err != BP_OK) {
        HOLDS(run, run->is_closed && h->wish.err == BP_ERR_CLOSED && h->wish.buf == NULL);
        return true;
    }
    h->buf = h->wish.buf;
    return note_acquired(run, &wait, h, (uint32_t)h->wish.size);
}

static ops_run *callback_run;

static void on_done(bp_reservation *wish) { (void)end_wait(callback_run, wish->user); }

static bool may_be_forced(const ops_run *run, uint64_t size) {
    const tally *forced = &run->tallies[OPS_FORCED];
    return forced->bytes + size + (forced->in_use + 1) * sizeof(bp_buf) <= run->forced_limit;
}

static bool note_waiting(ops_run *run, held *h) {
    const uint64_t size = h->wish.size;
    HOLDS(run, !run->is_closed);
    HOLDS(run, run->waiter_count > 0 || is_used_up(run, class_of(run, size), size));
    HOLDS(run, !h->wish.can_block || first_forcible(run) != NULL || !may_be_forced(run, size));
    h->is_waiting = true;
    h->since_ms = now_ms;
    run->waiters[run->waiter_count++] = h;
    run->waits++;
    return true;
}

static bool reserve(ops_run *run, const bpt_op *op, held *h) {
    const bool is_refused = run->waiter_count > 0, is_behind = first_forcible(run) != NULL;
    if (h->buf != NULL || h->is_waiting) return true;
    callback_run = run;
    h->wish = (bp_reservation){.size = op->value % (BPT_OP_SIZE_MAX + 1),
                               .can_block = op->class_ix % 2 != 0,
                               .on_done = on_done,
                               .user = h};
    const bp_err err = bp_pool_reserve(run->pool, &h->wish);
    if (err == BP_PENDING) return note_waiting(run, h);
    if (err == BP_OK) {
        h->buf = h->wish.buf;
        if (!note_acquired(run, op, h, (uint32_t)h->wish.size)) return false;
        HOLDS(run, h->of == OPS_FORCED ? h->wish.can_block && !is_behind : !is_refused);
        return true;
    }
    HOLDS(run, err != BP_ERR_LIMIT);
    return refusal_is_right(run, op, h->wish.size, err);
}

static bool cancel(ops_run *run, held *h) {
    const bool is_waiting = h->is_waiting;
    if (is_waiting) forget_waiter(run, h); /* those behind it may be granted */
    h->is_waiting = false;
    run->cancelled += is_waiting;
    HOLDS(run, bp_pool_cancel(run->pool, &h->wish) == is_waiting);
    return true;
}

/* ---- release ---- */

/* Before the release: others may be granted in it. */
static void note_released(ops_run *run, held *h) {
    const bool is_forgotten = run->defect == BPT_DEFECT_WRONG_COUNT && h->was_shared;
    tally *of = &run->tallies[h->of];
    if (h->is_orphan) {
        run->orphan_count--;
    } else {
        of->in_use--;
        of->bytes -= h->size;
        of->wiped += h->is_sensitive && has_class(h) && !is_forgotten;
    }
    h->buf = NULL;
}

static bool release(ops_run *run, const bpt_op *op, held *h) {
    if (h->buf == NULL) return true;
    HOLDS(run, is_as_left(h));
    if (run->defect == BPT_DEFECT_CRASH && h->of == 2 && op->thread != h->thread) abort();
    bp_buf *buf = h->buf;
    if (--h->references == 0) note_released(run, h);
    if (op->kind == BPT_OP_RELEASE_TAKE) {
        bp_buf_release_take(&buf);
        HOLDS(run, buf == NULL);
    } else if (op->kind == BPT_OP_RELEASE_PLAIN) {
        bp_buf_release_plain(buf);
    } else {
        bp_buf_release(buf);
    }
    HOLDS(run, h->references > 0 || !h->is_wrapped);
    return true;
}

/* Once more where it is sure that the descriptor is still there: a slab may go back at once where its pool is closed,
 * its class is removed or somebody waits. */
static bool release_twice(ops_run *run, held *h) {
    bp_buf *buf = h->buf;
    if (buf == NULL || h->references != 1 || !has_class(h) || h->is_orphan) return true;
    if (run->is_closed || run->waiter_count > 0 || !is_served(run, h->of)) return true;
    HOLDS(run, is_as_left(h));
    bp_buf_release(buf);
    note_released(run, h);
    const uint64_t seen = bp_misuse_count();
    bp_buf_release(buf);
    HOLDS(run, bp_misuse_count() == seen + 1);
    HOLDS(run, bp_buf_retain(buf) == buf);
    HOLDS(run, bp_misuse_count() == seen + 2);
    run->misuse_count += 2;
    return true;
}

/* ---- wrapped bytes, and contents that move ---- */

static void on_unwrapped(bp_wrap *wrap, uint8_t *data, void *user) {
    held *h = user;
    if (wrap == &h->wrap && data == h->own) h->is_wrapped = false;
}

static bool wrap(ops_run *run, const bpt_op *op, held *h) {
    if (h->buf != NULL || h->is_waiting) return true;
    h->size = h->length = 1 + op->value % OPS_OWN_BYTES;
    h->of = OPS_WRAPPED;
    h->references = 1;
    h->type = 0;
    h->thread = op->thread;
    h->is_sensitive = h->was_shared = h->is_orphan = false;
    h->is_wrapped = true;
    h->buf = bp_buf_wrap(&h->wrap, h->own, h->size, on_unwrapped, h);
    run->tallies[OPS_WRAPPED].in_use++;
    run->tallies[OPS_WRAPPED].bytes += h->size;
    mark(h, (uint8_t)(run->at % 200));
    return true;
}

static bool note_moved(ops_run *run, const bpt_op *op, held *h, uint32_t size) {
    h->size = size;
    h->of = class_taken(h);
    h->thread = op->thread;
    h->was_shared = h->is_orphan = false;
    HOLDS(run, h->of == class_of(run, size) && bp_buf_pool(h->buf) == run->pool);
    HOLDS(run, !overlaps_another(run, h));
    mark(h, h->mark);
    HOLDS(run, is_as_left(h));
    tally *of = &run->tallies[h->of];
    of->acquires++;
    of->in_use++;
    of->bytes += size;
    return true;
}

/* Nothing of a shared buffer: the slot could not hold both. */
static bool copy_out(ops_run *run, const bpt_op *op, held *h) {
    const uint32_t size = h->length == 0 ? 1 : h->length;
    const bool is_refused = run->waiter_count > 0, is_wrapped = h->is_wrapped;
    bp_buf *old = h->buf, *buf = h->buf;
    if (old == NULL || h->references > 1) return true;
    HOLDS(run, is_as_left(h));
    h->buf = NULL; /* its memory may be somebody else's before the call is over */
    const bp_err err = bp_buf_copy_out(&buf, run->pool);
    h->buf = old;
    if (err != BP_OK) {
        HOLDS(run, buf == old && is_as_left(h) && h->is_wrapped == is_wrapped);
        return refusal_is_right(run, op, size, err);
    }
    note_released(run, h);
    HOLDS(run, !is_refused && buf != old && !h->is_wrapped);
    HOLDS(run, h->length == 0 || bp_buf_data(buf)[0] == h->mark);
    HOLDS(run, h->length < h->size || bp_buf_data(buf)[size - 1] == h->mark);
    h->buf = buf;
    return note_moved(run, op, h, size);
}

/* ---- the rest of a buffer's life ---- */

static bool retain(const bpt_op *op, held *h) {
    if (h->buf == NULL) return true;
    if (op->kind == BPT_OP_RETAIN_PLAIN ? bp_buf_retain_plain(h->buf) != h->buf : bp_buf_retain(h->buf) != h->buf) {
        return false;
    }
    h->references++;
    h->was_shared = true;
    return true;
}

static bool set_length(ops_run *run, const bpt_op *op, held *h) {
    if (h->buf == NULL) return true;
    if (op->kind == BPT_OP_SET_TOO_LONG) {
        bp_buf_set_length(h->buf, h->size + 1 + op->value % 1000);
        run->misuse_count++;
        return true;
    }
    h->length = op->value % (h->size + 1);
    bp_buf_set_length(h->buf, h->length);
    return true;
}

static bool set_type(const bpt_op *op, held *h) {
    if (h->buf == NULL) return true;
    h->type = (uint16_t)op->value;
    bp_buf_set_type(h->buf, h->type);
    return true;
}

static bool set_sensitive(held *h) {
    if (h->buf == NULL) return true;
    bp_buf_set_sensitive(h->buf);
    h->is_sensitive = true;
    mark(h, SECRET);
    return true;
}

static bool ask_stride(ops_run *run, const bpt_op *op) {
    const uint32_t size = op->value % (BPT_OP_SIZE_MAX + 1), of = class_of(run, size);
    const bool is_given = size <= run->exact_size_limit && size <= run->limit - sizeof(bp_buf);
    uint64_t expected = of == OPS_EXACT ? (is_given ? size : 0) : bpt_ops_classes[of].size;
    if (size == 0) expected = 0;
    HOLDS(run, bp_pool_stride(run->pool, size) == expected);
    return true;
}

bool bpt_ops_step(ops_run *run, const bpt_op *op) {
    held *h = &run->slots[op->slot];
    switch ((bpt_op_kind)op->kind) {
    case BPT_OP_ACQUIRE:
    case BPT_OP_ACQUIRE_CLASS:
    case BPT_OP_ACQUIRE_PLAIN: return acquire(run, op, h);
    case BPT_OP_RELEASE:
    case BPT_OP_RELEASE_TAKE:
    case BPT_OP_RELEASE_PLAIN: return release(run, op, h);
    case BPT_OP_RELEASE_TWICE: return release_twice(run, h);
    case BPT_OP_RETAIN:
    case BPT_OP_RETAIN_PLAIN: return retain(op, h);
    case BPT_OP_SET_LENGTH:
    case BPT_OP_SET_TOO_LONG: return set_length(run, op, h);
    case BPT_OP_SET_TYPE: return set_type(op, h);
    case BPT_OP_SET_SENSITIVE: return set_sensitive(h);
    case BPT_OP_STRIDE: return ask_stride(run, op);
    case BPT_OP_WRAP: return wrap(run, op, h);
    case BPT_OP_COPY_OUT: return copy_out(run, op, h);
    case BPT_OP_RESERVE: return reserve(run, op, h);
    case BPT_OP_CANCEL: return cancel(run, h);
    case BPT_OP_REMOVE_CLASS:
    case BPT_OP_ADD_CLASS: return change_class(run, op);
    case BPT_OP_TRIM_IDLE: return trim(run, true);
    case BPT_OP_TRIM_ALL: return trim(run, false);
    case BPT_OP_END_THREAD: return bpt_ops_replace_thread(run, (op->thread + 1u) % BPT_OP_THREADS);
    case BPT_OP_CLOSE: return close_pool(run);
    case BPT_OP_RENEW: return renew(run, op->class_ix);
    case BPT_OP_PASS_TIME: pass_time(op); break;
    case BPT_OP_KINDS: break;
    }
    return true;
}

/* ---- equations ---- */

/* Bytes asked for <= bytes of the buffers in use <= bytes of their slabs. */
static bool class_agrees(ops_run *run, uint32_t ix, uint64_t *committed) {
    const tally *expected = &run->tallies[ix];
    bp_class_stats stats;
    HOLDS(run, bp_pool_class_stats_read(run->pool, ix, &stats) == BP_OK);
    HOLDS(run, stats.acquires == expected->acquires);
    HOLDS(run, stats.in_use == expected->in_use);
    HOLDS(run, stats.releases == expected->acquires - expected->in_use);
    HOLDS(run, stats.wiped == expected->wiped);
    HOLDS(run, stats.high_water >= stats.in_use);
    HOLDS(run, stats.misses <= stats.slow && stats.slow <= stats.acquires);
    HOLDS(run, expected->bytes <= stats.in_use * stats.size);
    HOLDS(run, (stats.in_use + stats.idle) * stats.size <= stats.committed_bytes);
    *committed += stats.committed_bytes;
    return true;
}

static bool system_agrees(ops_run *run, uint64_t slabs, uint64_t exact_bytes) {
    const uint64_t mapped = bpt_ops_mapped() - run->crew_count * (uint64_t)BPI_BLOCK_BYTES;
    if (run->orphan_count == 0) HOLDS(run, mapped == slabs);
    HOLDS(run, mapped >= slabs);
    if (run->orphan_count == 0) HOLDS(run, mapped + exact_bytes <= run->limit);
    return true;
}

/* Whoever waits first waits for memory that is not there, though nothing rests anywhere. */
static bool waits_agree(ops_run *run, const bp_pool_stats *stats) {
    const tally *forced = &run->tallies[OPS_FORCED];
    HOLDS(run, stats->forced_in_use == forced->in_use && stats->forced_grants == forced->acquires);
    HOLDS(run, stats->forced_bytes == forced->bytes + forced->in_use * sizeof(bp_buf));
    HOLDS(run, stats->forced_bytes <= stats->forced_peak_bytes && stats->forced_peak_bytes <= run->forced_limit);
    HOLDS(run, first_forcible(run) == NULL || !may_be_forced(run, first_forcible(run)->wish.size));
    HOLDS(run, stats->waiting == run->waiter_count);
    HOLDS(run, stats->waits == run->waits && stats->waits_cancelled == run->cancelled);
    HOLDS(run, stats->waits == stats->waiting + stats->waits_granted + stats->waits_failed + stats->waits_cancelled);
    HOLDS(run, stats->oldest_wait_ms == (run->waiter_count == 0 ? 0 : now_ms - run->waiters[0]->since_ms));
    if (run->waiter_count == 0) return true;
    const uint64_t size = run->waiters[0]->wish.size;
    HOLDS(run, is_used_up(run, class_of(run, size), size));
    return nothing_rests(run);
}

bool bpt_ops_agree(ops_run *run) {
    const tally *exact = &run->tallies[OPS_EXACT];
    uint64_t slabs = 0;
    bp_pool_stats stats;
    for (uint32_t ix = 0; ix < OPS_CLASSES; ix++) {
        if (!class_agrees(run, ix, &slabs)) return false;
    }
    bp_pool_stats_read(run->pool, &stats);
    HOLDS(run, stats.exact_in_use == exact->in_use && stats.exact_acquires == exact->acquires);
    HOLDS(run, stats.exact_bytes == exact->bytes + exact->in_use * sizeof(bp_buf));
    HOLDS(run, stats.committed_bytes == slabs + stats.exact_bytes);
    HOLDS(run, stats.committed_bytes <= stats.committed_peak_bytes && stats.committed_peak_bytes <= run->limit);
    HOLDS(run, stats.trimmed_bytes >= run->trimmed);
    HOLDS(run, bp_misuse_count() == run->misuse_count);
    HOLDS(run, bpi_pool_adds_up(run->pool));
    run->trimmed = stats.trimmed_bytes;
    return waits_agree(run, &stats) && system_agrees(run, slabs, stats.exact_bytes);
}

bool bpt_ops_end(ops_run *run) {
    const bpt_op last = {.kind = BPT_OP_RELEASE};
    while (run->waiter_count > 0) {
        if (!cancel(run, run->waiters[0])) return false;
    }
    for (uint32_t slot = 0; slot < BPT_OP_SLOTS; slot++) {
        while (run->slots[slot].buf != NULL) {
            if (!release(run, &last, &run->slots[slot])) return false;
        }
    }
    if (!bpt_ops_agree(run) || !trim(run, false)) return false;
    HOLDS(run, bpi_pool_is_valid(run->pool));
    bp_pool_release_take(&run->pool);
    return true;
}
