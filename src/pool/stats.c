#include "pool/pool_internal.h"

#include <string.h>

/* Entries count as they go; what they hold is read from outside, so that releases cost no counter: a release is an
 * acquire whose buffer is neither in use nor elsewhere. */
static void read_class(bpi_class *of, bp_class_stats *out) {
    uint64_t stock = 0;
    memset(out, 0, sizeof *out);
    out->size = of->stride;
    out->acquires = of->acquires;
    for (const bpi_entry *entry = of->entries; entry != NULL; entry = entry->slots->next) {
        out->acquires += BPI_LOAD(&entry->acquires);
        stock += bpi_entry_stock(entry);
    }
    stock += of->quarantine.count;
    out->slow = of->slow;
    out->misses = of->misses;
    out->wiped = BPI_LOAD(&of->wiped);
    out->in_use = bpi_less(of->out, stock);
    out->releases = bpi_less(out->acquires, out->in_use);
    out->high_water = of->high_water;
    out->idle = of->depot_count + bpi_less(of->out, out->in_use);
    out->committed_bytes = of->slab_bytes;
    out->slack_bytes = of->slab_bytes - of->buf_count * of->stride;
}

bp_err bpi_sized_class_stats(bp_pool *pool, uint32_t class_ix, bp_class_stats *out) {
    bpi_sized *sized = bpi_sized_of(pool);
    if (class_ix >= bpi_class_count(sized)) return BP_ERR_ARGUMENT;
    bpi_class *of = sized->classes[class_ix];
    bpi_lock_enter(&of->lock);
    read_class(of, out);
    bpi_lock_leave(&of->lock);
    return BP_OK;
}

#define MERGE_SUM(total, value) ((total) += (value))

static void add_to_total(bp_class_stats *total, const bp_class_stats *one) {
#define BP_CLASS_STAT(name, unit, kind, merge, text) MERGE_##merge(total->name, one->name);
#include "bufpool/stats.def"
}

void bpi_sized_stats(bp_pool *pool, bp_pool_stats *out) {
    bpi_sized *sized = bpi_sized_of(pool);
    bpi_budget_stats(&sized->budget, out);
    (void)bpi_queue_stats(&sized->queue, out);
    out->name = sized->name;
    out->class_count = bpi_class_count(sized);
    for (uint32_t i = 0; i < out->class_count; i++) {
        bp_class_stats one;
        if (bpi_sized_class_stats(pool, i, &one) == BP_OK) add_to_total(&out->total, &one);
    }
}

/* ---- check ---- */

static bool entry_is_valid(const bpi_entry *entry, const bpi_class *of) {
    if (entry->slots == NULL) return false;
    const intptr_t first = (intptr_t)entry->slots->slot;
    const intptr_t end = first + (intptr_t)(bpi_slot_count(of) * sizeof(bp_buf *));
    if (entry->owner != of) return false;
    if (entry->hi == 0) return entry->lo == INTPTR_MAX;
    if (entry->top > first && entry->newest != ((bp_buf **)entry->top)[-1]) return false;
    return entry->lo == first && entry->hi == end && first <= entry->top && entry->top <= end && entry->seal_top == 0;
}

static bool entries_are_valid(const bpi_class *of) {
    for (const bpi_entry *entry = of->entries; entry != NULL; entry = entry->slots->next) {
        if (!entry_is_valid(entry, of)) return false;
    }
    return true;
}

static bool class_adds_up(bpi_class *of) {
    bp_class_stats stats;
    read_class(of, &stats);
    return stats.acquires == stats.releases + stats.in_use && stats.misses <= stats.slow &&
           stats.slow <= stats.acquires && of->high_water >= of->out && of->late == 0 &&
           stats.idle + stats.in_use == of->buf_count && of->buf_count == of->depot_count + of->out &&
           (!of->is_removed || of->free_slab_count == 0) && of->aged_count <= of->depot_count && entries_are_valid(of);
}

static bool class_is_valid(bpi_class *of) {
    for (const bpi_entry *entry = of->entries; entry != NULL; entry = entry->slots->next) {
        for (uint64_t i = 0; i < bpi_entry_stock(entry); i++) {
            if ((entry->slots->slot[i]->state & BPI_BUF_REFS) != 0) return false;
        }
    }
    return class_adds_up(of) && bpi_depot_is_valid(of) && bpi_quarantine_is_valid(&of->quarantine);
}

/* What serves in the map is not removed, and the other way round; the inline path sees the same map. */
static bool map_is_valid(const bpi_sized *pool) {
    const bpi_sized_map *map = pool->map;
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        if (pool->classes[i]->is_removed != ((map->served >> i & 1) == 0)) return false;
    }
    const bool is_inline = bpi_buf_flags(pool) == 0 && pool->head.is_closed == 0;
    return map->class_count == (uint32_t)__builtin_popcountll(map->served) &&
           pool->head.map == (is_inline ? &map->inline_map : &bpi_empty_map);
}

/* What a head that waits could be given: a buffer of its class, a new slab, or an exact allocation. */
static bool has_something_for(bpi_sized *pool, uint64_t size) {
    const bpi_account *committed = &pool->budget.accounts[BPI_COMMITTED];
    const bpi_class *of = bpi_class_of_size(pool, size);
    const uint64_t bytes = of == NULL ? sizeof(bp_buf) + size : bpi_slab_least_bytes(of);
    if (of != NULL && of->depot_count > 0) return true;
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        if (pool->classes[i]->free_slab_count > 0) return true;
    }
    return bytes <= committed->limit - committed->used;
}

static bool sized_is_valid(bp_pool *pool, bool (*is_valid_class)(bpi_class *of)) {
    bpi_sized *sized = bpi_sized_of(pool);
    const bp_reservation *head = sized->queue.waiters.head;
    uint64_t committed = sized->budget.exact_bytes;
    bool is_valid = map_is_valid(sized) && bpi_queue_is_valid(&sized->queue) && bpi_budget_is_valid(&sized->budget);
    for (uint32_t i = 0; i < bpi_class_count(sized); i++) {
        bpi_lock_enter(&sized->classes[i]->lock);
        is_valid = is_valid && is_valid_class(sized->classes[i]);
        committed += sized->classes[i]->slab_bytes;
        bpi_lock_leave(&sized->classes[i]->lock);
    }
    if (head != NULL) is_valid = is_valid && !has_something_for(sized, head->size);
    return is_valid && committed == sized->budget.accounts[BPI_COMMITTED].used;
}

static bool pool_is_valid(bp_pool *pool, bool (*is_valid_class)(bpi_class *of)) {
    if (pool->table == &bpi_sized_table) return sized_is_valid(pool, is_valid_class);
    return pool->table != &bpi_heap_table || bpi_heap_is_valid(pool);
}

bool bpi_pool_is_valid(bp_pool *pool) { return pool_is_valid(pool, class_is_valid); }

bool bpi_pool_adds_up(bp_pool *pool) { return pool_is_valid(pool, class_adds_up); }
