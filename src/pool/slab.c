#include "pool/pool_internal.h"
#include "base/poison.h"

/* ---- one slab ---- */

static const bpi_desc_page *page_of(const bp_buf *buf) {
    return (const bpi_desc_page *)(const void *)bpi_buf_head(buf);
}

bpi_slab *bpi_buf_slab(const bp_buf *buf) { return bpi_buf_head(buf)->slab; }

static uint32_t buf_ix(const bp_buf *buf) {
    return bpi_buf_head(buf)->first_ix + (uint32_t)(buf - page_of(buf)->bufs);
}

static bp_buf *buf_at(const bpi_slab *slab, uint32_t ix) {
    const uint32_t desc = slab->first_desc + ix;
    return &slab->pages[desc / BPI_DESC_PER_PAGE].bufs[desc % BPI_DESC_PER_PAGE];
}

/* Not a secret: other memory does not hold it by accident. */
static uint64_t mark_of(const bpi_desc_head *head, const bpi_slab *slab) {
    return ((uint64_t)(uintptr_t)head ^ (uint64_t)(uintptr_t)slab << 16) * UINT64_C(0x9E3779B97F4A7C15);
}

static uint8_t *data_at(const bpi_slab *slab, uint32_t ix) {
    return slab->data + slab->data_offset + ix * slab->spacing + slab->owner->lead;
}

bool bpi_buf_is_genuine(const bp_buf *buf) {
    const bpi_desc_head *head = bpi_buf_head(buf);
    if ((uintptr_t)buf % sizeof *buf != 0 || buf < page_of(buf)->bufs) return false;
    if (head->mark != mark_of(head, head->slab)) return false;
    const bpi_slab *slab = head->slab;
    return buf_ix(buf) < slab->buf_count && buf->pool == &slab->owner->pool->head &&
           buf->data == data_at(slab, buf_ix(buf));
}

/* Writes the descriptor of a buffer that is handed out for the first time. */
static void carve(bpi_slab *slab, uint32_t ix) {
    const bpi_class *of = slab->owner;
    const uint32_t in_page = (slab->first_desc + ix) % BPI_DESC_PER_PAGE;
    bpi_desc_page *page = &slab->pages[(slab->first_desc + ix) / BPI_DESC_PER_PAGE];
    if (in_page == 0 || ix == 0) {
        page->head.slab = slab;
        page->head.mark = mark_of(&page->head, slab);
        page->head.first_ix = ix - in_page;
        page->head.entry = of->entry;
    }
    bp_buf *buf = &page->bufs[in_page];
    buf->data = data_at(slab, ix);
    buf->pool = &of->pool->head;
    buf->state = bpi_buf_flags(of->pool);
}

static uint32_t word_count(uint32_t buf_count) { return (buf_count + 63) / 64; }

/* Takes free buffers from word *word on; leaves *word where taking should go on. */
static uint32_t slab_take(bpi_slab *slab, uint32_t *word, bp_buf **out, uint32_t count) {
    const uint32_t words = word_count(slab->buf_count);
    uint32_t taken = 0;
    for (; *word < words; ++*word) {
        while (slab->free_bits[*word] != 0 && taken < count) {
            const uint32_t ix = *word * 64 + (uint32_t)__builtin_ctzll(slab->free_bits[*word]);
            slab->free_bits[*word] &= slab->free_bits[*word] - 1;
            while (slab->carved_count <= ix) carve(slab, slab->carved_count++);
            out[taken++] = buf_at(slab, ix);
        }
        if (taken == count) break;
    }
    slab->free_count -= taken;
    return taken;
}

typedef struct slab_shape {
    uint32_t data_offset; /* of the first buffer */
    uint32_t spacing;     /* from one buffer to the next */
    uint32_t first_desc;  /* which descriptor of its page is the first buffer's */
    size_t data_bytes;    /* whole pages */
    size_t desc_offset;   /* from the descriptor pages to struct bpi_slab */
    size_t mapped_bytes;  /* all of it */
} slab_shape;

static size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

/* From the first descriptor page to the end of the free bits. */
static size_t desc_end(slab_shape *shape, uint32_t buf_count) {
    const size_t desc_count = shape->first_desc + buf_count;
    const size_t rest = desc_count % BPI_DESC_PER_PAGE;
    shape->desc_offset = desc_count / BPI_DESC_PER_PAGE * BPI_DESC_PAGE;
    shape->desc_offset += round_up(rest == 0 ? 0 : (rest + 1) * sizeof(bp_buf), BPI_CACHE_LINE);
    return shape->desc_offset + sizeof(bpi_slab) + word_count(buf_count) * sizeof(uint64_t);
}

/* colour: how many buffers came before, so that large buffers and descriptors of one slab go on in the sets of the
 * caches where those of the last one ended. Descriptors take no page more for that, and the buffers of a slab that is
 * as small as can be lie side by side. */
static slab_shape shape_of(const bpi_class *of, uint32_t buf_count, uint32_t colour) {
    const size_t page = bpi_os_page_size();
    slab_shape shape = {0};
    const size_t desc_bytes = round_up(desc_end(&shape, buf_count), page);
    shape.first_desc = colour % BPI_DESC_PER_PAGE;
    if (desc_end(&shape, buf_count) > desc_bytes) shape.first_desc = 0;
    (void)desc_end(&shape, buf_count);
    const bool is_least = buf_count == 1 || buf_count * of->cell <= page;
    shape.spacing = (uint32_t)(is_least ? of->cell : of->spacing);
    if (shape.spacing > of->cell) shape.data_offset = colour * BPI_CACHE_LINE % BPI_DESC_PAGE;
    shape.data_bytes = round_up(shape.data_offset + (size_t)(buf_count - 1) * shape.spacing + of->cell, page);
    shape.mapped_bytes = shape.data_bytes + desc_bytes;
    return shape;
}

uint64_t bpi_slab_least_bytes(const bpi_class *of) { return shape_of(of, 1, 0).mapped_bytes; }

static uint8_t *map_slab(const bpi_class *of, size_t bytes, uint32_t buf_count) {
    uint8_t *memory = bpi_os.map(bytes);
    if (memory == NULL || !of->pool->is_hardened || bpi_hardened_guard(of, memory, buf_count)) return memory;
    bpi_os.unmap(memory, bytes);
    return NULL;
}

static bp_err slab_new(bpi_class *of, uint32_t buf_count, bpi_slab **out) {
    const slab_shape shape = shape_of(of, buf_count, of->colour);
    bpi_budget *budget = &of->pool->budget;
    if (!bpi_budget_charge(budget, BPI_COMMITTED, shape.mapped_bytes)) return BP_ERR_LIMIT;
    uint8_t *memory = map_slab(of, shape.mapped_bytes, buf_count);
    if (memory == NULL) {
        bpi_budget_uncharge(budget, BPI_COMMITTED, shape.mapped_bytes);
        return BP_ERR_NO_MEMORY;
    }
    BPI_POISON(memory, shape.data_bytes);
    bpi_slab *slab = (bpi_slab *)(void *)(memory + shape.data_bytes + shape.desc_offset);
    slab->owner = of;
    slab->data = memory;
    slab->data_offset = shape.data_offset;
    slab->spacing = shape.spacing;
    slab->first_desc = shape.first_desc;
    slab->pages = (bpi_desc_page *)(void *)(memory + shape.data_bytes);
    slab->mapped_bytes = shape.mapped_bytes;
    slab->buf_count = buf_count;
    slab->free_count = buf_count;
    for (uint32_t ix = 0; ix < buf_count; ix++) slab->free_bits[ix / 64] |= UINT64_C(1) << ix % 64;
    of->colour += buf_count;
    *out = slab;
    return BP_OK;
}

/* ---- the queue of slabs with a free buffer ---- */

static void queue_append(bpi_class *of, bpi_slab *slab) {
    slab->next = NULL;
    slab->prev = of->tail;
    if (of->tail == NULL) {
        of->head = slab;
        of->cursor_word = 0;
    } else {
        of->tail->next = slab;
    }
    of->tail = slab;
}

static void queue_remove(bpi_class *of, bpi_slab *slab) {
    if (of->head == slab) of->cursor_word = 0;
    *(slab->prev == NULL ? &of->head : &slab->prev->next) = slab->next;
    *(slab->next == NULL ? &of->tail : &slab->next->prev) = slab->prev;
}

/* Next fit: what is freed behind the cursor is reached again after everything else, so that buffers come back in
 * address order and a page is not touched again soon (docs/decisions/0002-pool-shapes.md). */
uint32_t bpi_depot_take(bpi_class *of, bp_buf **out, uint32_t count) {
    uint32_t taken = 0;
    while (taken < count && of->head != NULL) {
        bpi_slab *slab = of->head;
        if (slab->free_count == slab->buf_count) of->free_slab_count--;
        taken += slab_take(slab, &of->cursor_word, out + taken, count - taken);
        if (slab->free_count == slab->buf_count) of->free_slab_count++;
        if (slab->free_count == 0) {
            queue_remove(of, slab);
        } else if (taken < count) {
            queue_remove(of, slab);
            queue_append(of, slab);
        }
    }
    of->depot_count -= taken;
    if (of->aged_count > of->depot_count) of->aged_count = of->depot_count;
    of->out += taken;
    of->moves += taken;
    if (of->out > of->high_water) of->high_water = of->out;
    return taken;
}

/* ---- size ---- */

static bool is_short(const bpi_sized *pool) {
    if (bpi_queue_is_waiting(&pool->queue)) return true;
    return BPI_LOAD(&pool->is_tight) != 0 && !bpi_budget_has_room(&pool->budget);
}

/* As many buffers as fit where one does. */
static uint32_t least_buf_count(const bpi_class *of) {
    uint32_t count = (uint32_t)(bpi_os_page_size() / of->cell);
    while (count > 1 && shape_of(of, count, 0).mapped_bytes > bpi_slab_least_bytes(of)) count--;
    return count == 0 ? 1 : count;
}

/* Data bytes of the next slab: a quarter of what the class has, so that small classes stay small, and never more than
 * a sixteenth of the limit. Where memory is short, as little as can be: what one live buffer may pin. */
static uint32_t next_buf_count(const bpi_class *of) {
    const bpi_sized *pool = of->pool;
    if (is_short(pool)) return least_buf_count(of);
    uint64_t bytes = of->slab_bytes / 4;
    if (bytes < BPI_SLAB_FIRST_BYTES) bytes = BPI_SLAB_FIRST_BYTES;
    if (bytes > BPI_SLAB_LAST_BYTES) bytes = BPI_SLAB_LAST_BYTES;
    const uint64_t share = pool->budget.accounts[BPI_COMMITTED].limit / 16;
    if (bytes > share) bytes = share;
    const uint64_t count = of->depth == 0 ? 1 : bytes / of->spacing;
    return count == 0 ? 1 : (uint32_t)count;
}

/* What was given back as surplus and is needed again will be kept the next time. */
static void regret(bpi_class *of, uint32_t count) {
    const uint64_t again = count < of->given_count ? count : of->given_count;
    of->given_count -= again;
    of->keep_count += again;
}

bp_err bpi_depot_grow(bpi_class *of) {
    bpi_slab *slab = NULL;
    uint32_t count = next_buf_count(of);
    bp_err err = slab_new(of, count, &slab);
    while (err != BP_OK && count > 1) {
        count /= 2;
        err = slab_new(of, count, &slab);
    }
    if (err != BP_OK) return err;
    queue_append(of, slab);
    of->depot_count += count;
    of->buf_count += count;
    of->free_slab_count++;
    of->slab_bytes += slab->mapped_bytes;
    regret(of, count);
    return BP_OK;
}

static uint64_t give_back(bpi_class *of, bpi_slab *slab) {
    const uint64_t bytes = slab->mapped_bytes;
    for (uint32_t ix = 0; of->pool->is_hardened && ix < slab->carved_count; ix++) {
        bpi_hardened_inspect(of, buf_at(slab, ix));
    }
    queue_remove(of, slab);
    of->free_slab_count--;
    of->depot_count -= slab->buf_count;
    of->buf_count -= slab->buf_count;
    of->slab_bytes -= bytes;
    BPI_UNPOISON(slab->data, (size_t)((uint8_t *)slab->pages - slab->data));
    bpi_os.unmap(slab->data, (size_t)bytes);
    bpi_budget_uncharge(&of->pool->budget, BPI_COMMITTED, bytes);
    bpi_budget_count_trimmed(&of->pool->budget, bytes);
    if (of->low_count > of->depot_count) of->low_count = of->depot_count;
    if (of->aged_count > of->depot_count) of->aged_count = of->depot_count;
    of->has_freed = true;
    return bytes;
}

/* A wholly free slab without which the depot has all that it should keep. */
static void give_back_surplus(bpi_class *of, bpi_slab *slab) {
    if (of->depot_count - slab->buf_count < of->keep_count) return;
    of->given_count += slab->buf_count;
    (void)give_back(of, slab);
}

typedef enum free_slab { KEPT, KEPT_UNLESS_SURPLUS, GIVEN_BACK } free_slab;

static void put_one(bpi_class *of, bp_buf *buf, free_slab fate) {
    bpi_slab *slab = bpi_buf_slab(buf);
    const uint32_t ix = buf_ix(buf);
    slab->free_bits[ix / 64] |= UINT64_C(1) << ix % 64;
    of->depot_count++;
    if (slab->free_count++ == 0) queue_append(of, slab);
    if (slab->free_count < slab->buf_count) return;
    of->free_slab_count++;
    if (fate == KEPT_UNLESS_SURPLUS) give_back_surplus(of, slab);
    if (fate == GIVEN_BACK) (void)give_back(of, slab);
}

/* A closed or removed class keeps nothing, and while anybody waits only the class that the first of them wants does. To
 * that one a buffer of another class is worth nothing, until its slab goes back. */
static void put(bpi_class *of, bp_buf *const *bufs, size_t count, free_slab fate) {
    const bool is_wanted = BPI_LOAD(&of->pool->wanted) == of;
    const bool may_keep = !of->is_closed && !of->is_removed;
    if (!may_keep || (!is_wanted && bpi_queue_is_waiting(&of->pool->queue))) fate = GIVEN_BACK;
    of->out -= count;
    of->moves += count;
    of->has_freed |= is_wanted && count > 0; /* who serves lives by what it put back */
    if (of->is_closed) of->late += count;
    for (size_t i = 0; i < count; i++) put_one(of, bufs[i], fate);
}

void bpi_depot_put(bpi_class *of, bp_buf *const *bufs, size_t count) { put(of, bufs, count, KEPT); }

void bpi_depot_put_back(bpi_class *of, bp_buf *const *bufs, size_t count) {
    put(of, bufs, count, KEPT_UNLESS_SURPLUS);
}

static bool is_free(const bpi_slab *slab) { return slab->free_count == slab->buf_count; }

static bool may_go(const bpi_class *of, const bpi_slab *slab, uint64_t keep_count) {
    return is_free(slab) && of->depot_count - slab->free_count >= keep_count;
}

static bpi_slab *smallest_free_slab(const bpi_class *of) {
    bpi_slab *smallest = NULL;
    for (bpi_slab *slab = of->head; slab != NULL; slab = slab->next) {
        if (is_free(slab) && (smallest == NULL || slab->buf_count < smallest->buf_count)) smallest = slab;
    }
    return smallest;
}

/* Gives back wholly free slabs as long as keep_count buffers stay in the depot, until it is enough bytes. The smallest
 * goes last: what is kept are often a few buffers, and they should not be in the largest. */
static uint64_t give_back_some(bpi_class *of, uint64_t keep_count, uint64_t enough) {
    uint64_t given = 0;
    if (of->free_slab_count == 0 || of->depot_count <= keep_count) return 0;
    bpi_slab *last = smallest_free_slab(of), *slab = of->tail;
    while (slab != NULL && of->free_slab_count > 1 && given < enough) {
        bpi_slab *prev = slab->prev;
        if (slab != last && may_go(of, slab, keep_count)) given += give_back(of, slab);
        slab = prev;
    }
    if (given < enough && may_go(of, last, keep_count)) given += give_back(of, last);
    return given;
}

uint64_t bpi_depot_shrink(bpi_class *of, uint64_t keep_bytes) {
    return give_back_some(of, keep_bytes / of->stride, UINT64_MAX);
}

/* Moves in which everything that the class has could have come and gone so often that mapping it anew is not felt. */
static uint64_t moves_per_look(const bpi_class *of) {
    const uint64_t moves = of->buf_count * 2 * BPI_LOOK_TURNS;
    return moves < BPI_LOOK_MOVES ? BPI_LOOK_MOVES : moves;
}

/* Gives back one slab of what was not needed, and keeps so much less from now on. */
static void unlearn(bpi_class *of, uint64_t surplus) {
    const uint64_t least = bpi_class_rest_count(of), before = of->depot_count;
    (void)give_back_some(of, before - surplus, 1);
    const uint64_t given = before - of->depot_count;
    of->keep_count = of->keep_count < least + given ? least : of->keep_count - given;
}

/* What rested all the time beyond rest_bytes was not needed. Looking at the least, not at the present, and
 * giving back one slab at a time keep a load that comes in bursts from mapping and unmapping with every burst. */
void bpi_depot_look(bpi_class *of) {
    if (of->depot_count < of->low_count) of->low_count = of->depot_count;
    if (of->moves < moves_per_look(of)) return;
    const uint64_t rest = of->rest_bytes / of->stride;
    if (of->low_count > rest) unlearn(of, of->low_count - rest);
    of->moves = 0;
    of->low_count = of->depot_count;
}

void bpi_depot_age(bpi_class *of) {
    const uint64_t idle = bpi_class_idle_bytes(of) / of->stride;
    if (of->aged_count > idle) (void)give_back_some(of, of->depot_count - (of->aged_count - idle), UINT64_MAX);
}

/* ---- check ---- */

static bool slab_is_valid(const bpi_slab *slab) {
    uint64_t bits = 0;
    for (uint32_t word = 0; word < word_count(slab->buf_count); word++) {
        bits += (uint64_t)__builtin_popcountll(slab->free_bits[word]);
    }
    for (uint32_t ix = 0; ix < slab->carved_count; ix++) {
        const bool is_free = (slab->free_bits[ix / 64] >> ix % 64 & 1) != 0;
        const bp_buf *buf = buf_at(slab, ix);
        if (bpi_buf_slab(buf) != slab || buf_ix(buf) != ix) return false;
        if (bpi_buf_head(buf)->entry != slab->owner->entry) return false;
        if (is_free && (buf->state & BPI_BUF_REFS) != 0) return false;
    }
    return bits == slab->free_count && bits > 0;
}

bool bpi_depot_is_valid(bpi_class *of) {
    uint64_t free_count = 0, free_slabs = 0;
    for (const bpi_slab *slab = of->head; slab != NULL; slab = slab->next) {
        if (slab->owner != of || !slab_is_valid(slab)) return false;
        if ((slab->next == NULL ? of->tail : slab->next->prev) != slab) return false;
        free_count += slab->free_count;
        free_slabs += slab->free_count == slab->buf_count;
    }
    return free_count == of->depot_count && free_slabs == of->free_slab_count;
}
