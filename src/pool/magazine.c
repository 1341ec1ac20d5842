#include "pool/pool_internal.h"

#include <string.h>

/* An entry is open exactly when hi is not 0. Sealing and settling are proved in docs/decisions/0002-pool-shapes.md. */

/* Needs the lock, but a thread that ends looks at it without one. */
static bpi_class *owner_of(const bpi_entry *entry) { return BPI_LOAD(&entry->owner); }

static intptr_t first_slot(const bpi_entry *entry) { return (intptr_t)entry->slots->slot; }

static size_t slots_between(intptr_t from, intptr_t to) {
    return to <= from ? 0 : (size_t)(to - from) / sizeof(bp_buf *);
}

static void put_back(bpi_entry *entry, intptr_t top) {
    bpi_depot_put(owner_of(entry), entry->slots->slot, slots_between(first_slot(entry), top));
}

/* ---- the owner's side ---- */

/* Whether the pop that stands at top had its buffer: nobody took the stock, or who took it saw the claim. */
static bool claim_holds(const bpi_entry *entry, intptr_t top) {
    return top >= first_slot(entry) && (entry->seal_top == 0 || entry->seal_top == top);
}

bp_buf *bpi_entry_settle(bpi_entry *entry, bool is_claimed) {
    bp_buf *mine = NULL;
    if (owner_of(entry) == NULL) {
        BPI_STORE(&entry->top, 0);
        return NULL;
    }
    const intptr_t top = BPI_LOAD(&entry->top);
    if (BPI_LOAD(&entry->hi) != 0) {
        if (is_claimed) BPI_STORE(&entry->top, top + (intptr_t)sizeof(bp_buf *));
        return NULL;
    }
    if (is_claimed && claim_holds(entry, top)) {
        mine = *(bp_buf **)top;
        BPI_COUNT(entry->acquires);
    }
    if (entry->seal_top == 0) put_back(entry, top);
    entry->seal_top = first_slot(entry);
    BPI_STORE(&entry->top, first_slot(entry));
    return mine;
}

static bool may_open(bpi_class *of) {
    if (of->is_closed || of->is_removed || of->depth == 0 || of->entry == 0) return false;
    if (bpi_queue_is_waiting(&of->pool->queue)) return false;
    if (BPI_LOAD(&of->pool->is_tight) == 0) return true;
    if (!bpi_budget_has_room(&of->pool->budget)) return false;
    BPI_STORE(&of->pool->is_tight, 0);
    return true;
}

bool bpi_entry_open(bpi_entry *entry, bpi_class *of) {
    if (BPI_LOAD(&entry->hi) != 0) return true;
    if (!may_open(of)) return false;
    const size_t slot_count = bpi_slot_count(of);
    if (owner_of(entry) == NULL) {
        entry->slots = bpi_os.alloc(sizeof *entry->slots + slot_count * sizeof(bp_buf *));
        if (entry->slots == NULL) return false;
        BPI_STORE(&entry->owner, of);
        entry->slots->next = of->entries;
        of->entries = entry;
    }
    entry->seal_top = 0;
    BPI_STORE(&entry->top, first_slot(entry));
    BPI_STORE(&entry->lo, first_slot(entry));
    BPI_STORE(&entry->hi, (intptr_t)(entry->slots->slot + slot_count));
    return true;
}

void bpi_entry_refill(bpi_entry *entry) {
    bpi_class *of = owner_of(entry);
    bp_buf **slots = entry->slots->slot;
    const uint32_t count = bpi_depot_take(of, slots, of->depth);
    for (uint32_t low = 0, high = count; low + 1 < high; low++) { /* the lowest address is popped first */
        bp_buf *swapped = slots[low];
        slots[low] = slots[--high];
        slots[high] = swapped;
    }
    entry->newest = slots[(intptr_t)count - 1];
    bpi_entry_set_top(entry, (intptr_t)(slots + count));
}

void bpi_entry_flush(bpi_entry *entry) {
    bp_buf **slots = entry->slots->slot;
    const uint32_t half = bpi_slot_count(owner_of(entry)) / 2;
    bpi_depot_put_back(owner_of(entry), slots, half);
    memmove(slots, slots + half, half * sizeof(bp_buf *));
    bpi_entry_set_top(entry, (intptr_t)(slots + half));
}

/* ---- anybody's side ---- */

uint64_t bpi_entry_stock(const bpi_entry *entry) {
    const bool was_taken = BPI_LOAD(&entry->hi) == 0 && entry->seal_top != 0;
    return owner_of(entry) == NULL || was_taken ? 0 : slots_between(first_slot(entry), BPI_LOAD(&entry->top));
}

/* Shuts every entry whose stock was not taken yet; seal_top stays 0 until it is. */
static bool shut_all(bpi_class *of) {
    bool is_any = false;
    bpi_lock_enter(&of->lock);
    for (bpi_entry *entry = of->entries; entry != NULL; entry = entry->slots->next) {
        if (entry->seal_top != 0) continue;
        BPI_STORE_SEQ_CST(&entry->lo, INTPTR_MAX);
        BPI_STORE_SEQ_CST(&entry->hi, 0);
        is_any = true;
    }
    bpi_lock_leave(&of->lock);
    return is_any;
}

/* Owners that came by since the shut have settled, and may have opened their entries again: those are left alone. */
static void take_stock(bpi_class *of) {
    bpi_lock_enter(&of->lock);
    for (bpi_entry *entry = of->entries; entry != NULL; entry = entry->slots->next) {
        if (entry->seal_top != 0 || BPI_LOAD(&entry->hi) != 0) continue;
        entry->seal_top = BPI_LOAD_SEQ_CST(&entry->top);
        put_back(entry, entry->seal_top);
    }
    bpi_class_leave_unserved(of);
}

static void seal(bpi_class *const *classes, uint32_t count) {
    bool is_any = false;
    for (uint32_t i = 0; i < count; i++) {
        bpi_quarantine_end(classes[i]);
        is_any |= shut_all(classes[i]);
    }
    if (!is_any || !bpi_os.barrier()) return; /* without the barrier each owner gives its stock back itself */
    for (uint32_t i = 0; i < count; i++) take_stock(classes[i]);
}

void bpi_seal(bpi_sized *pool) { seal(pool->classes, bpi_class_count(pool)); }

void bpi_seal_class(bpi_class *of) { seal(&of, 1); }

void bpi_entry_detach(bpi_entry *entry) {
    bpi_class *of = owner_of(entry);
    if (BPI_LOAD(&entry->hi) != 0 || entry->seal_top == 0) put_back(entry, BPI_LOAD(&entry->top));
    of->acquires += BPI_LOAD(&entry->acquires);
    for (bpi_entry **link = &of->entries; *link != NULL; link = &(*link)->slots->next) {
        if (*link == entry) {
            *link = entry->slots->next;
            break;
        }
    }
    bpi_os.free(entry->slots);
    BPI_STORE(&entry->lo, 0);
    BPI_STORE(&entry->hi, 0);
    BPI_STORE(&entry->top, 0);
    BPI_STORE(&entry->acquires, 0);
    entry->slots = NULL;
    entry->seal_top = 0;
    BPI_STORE_RELEASE(&entry->owner, NULL); /* the last: a thread that ends and sees it unmaps the entry */
}
