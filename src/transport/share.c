#define _GNU_SOURCE
/* What the loops of a server share: the budget of cut frames, and who waits for it; how much is queued. */
#include "transport/wait_internal.h"

/* While anybody is over, the readers find no room themselves: the budget's limit is then 0, and it is never unused. */
enum { OVER_MARK = 1 };

void bpi_share_init(bpi_share *share) { bpi_lock_init(&share->lock); }

void bpi_share_fini(bpi_share *share) { bpi_lock_fini(&share->lock); }

void bpi_share_set_limit(bpi_share *share, uint64_t partial_limit) {
    share->partial_limit = share->budget.limit = partial_limit;
}

/* ---- its ends ---- */

void bpi_share_join(bpi_end *end) {
    bpi_lock_enter(&end->share->lock);
    end->share_next = end->share->ends;
    end->share->ends = end;
    bpi_lock_leave(&end->share->lock);
}

void bpi_share_quit(bpi_end *end) {
    bpi_end **at = &end->share->ends;
    bpi_lock_enter(&end->share->lock);
    while (*at != NULL && *at != end) at = &(*at)->share_next;
    if (*at != NULL) *at = end->share_next;
    bpi_lock_leave(&end->share->lock);
}

void bpi_share_tell_room(bpi_share *share) {
    bpi_lock_enter(&share->lock);
    for (bpi_end *end = share->ends; end != NULL; end = end->share_next) {
        if (!__atomic_load_n(&end->is_full, __ATOMIC_RELAXED)) continue;
        __atomic_store_n(&end->is_roomy, true, __ATOMIC_RELEASE);
        bpi_end_wake(end);
    }
    bpi_lock_leave(&share->lock);
}

/* ---- the budget, with the lock ---- */

static void begin_over(bpi_share *share) {
    __atomic_store_n(&share->budget.limit, 0, __ATOMIC_RELAXED);
    (void)__atomic_fetch_add(&share->budget.used, OVER_MARK, __ATOMIC_SEQ_CST);
}

static void end_over(bpi_share *share) {
    (void)__atomic_fetch_sub(&share->budget.used, OVER_MARK, __ATOMIC_SEQ_CST);
    __atomic_store_n(&share->budget.limit, share->partial_limit, __ATOMIC_RELAXED);
}

/* For one that is over. A reader that saw the limit before there was one may still be adding. */
static bool charge(bpi_share *share, uint64_t bytes) {
    uint64_t used = __atomic_load_n(&share->budget.used, __ATOMIC_SEQ_CST);
    do {
        const uint64_t others = used - OVER_MARK;
        if (others != 0 && others + bytes > share->partial_limit) return false;
    } while (!__atomic_compare_exchange_n(&share->budget.used, &used, used + bytes, true, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return true;
}

/* Sequentially consistent, as is the budget's use: whoever gives some of it back sees who waits, or who waits sees
 * that. */
static void count_over(bpi_share *share, uint32_t before) {
    const uint32_t count = share->over.count;
    __atomic_store_n(&share->over_count, count, __ATOMIC_SEQ_CST);
    if (before != 0 && count == 0) end_over(share);
}

/* ---- and without ---- */

bool bpi_share_charge(bpi_share *share, bpi_wait *wait) {
    bpi_lock_enter(&share->lock);
    const uint32_t before = share->over.count;
    if (before == 0) begin_over(share);
    const bool is_charged = before == 0 && charge(share, wait->charged);
    if (is_charged) {
        end_over(share);
    } else {
        bpi_wait_append(&share->over, wait);
        count_over(share, before);
    }
    bpi_lock_leave(&share->lock);
    return is_charged;
}

void bpi_share_uncharge(bpi_share *share, uint64_t bytes) {
    (void)__atomic_fetch_sub(&share->budget.used, bytes, __ATOMIC_SEQ_CST);
}

bool bpi_share_leave(bpi_share *share, bpi_wait *wait) {
    bpi_lock_enter(&share->lock);
    const uint32_t before = share->over.count;
    const bool is_over = !wait->is_admitted;
    if (is_over) bpi_wait_unlink(&share->over, wait);
    count_over(share, before);
    bpi_lock_leave(&share->lock);
    return is_over;
}

/* A letter is put with the lock held: who leaves the list is not gone before. */
void bpi_share_admit(bpi_share *share) {
    bpi_lock_enter(&share->lock);
    const uint32_t before = share->over.count;
    while (share->over.first != NULL && charge(share, share->over.first->charged)) {
        bpi_wait *wait = share->over.first;
        bpi_wait_unlink(&share->over, wait);
        wait->is_admitted = true;
        bpi_mailbox_put(&wait->conn->end->loop->mailbox, &wait->letter);
    }
    count_over(share, before);
    bpi_lock_leave(&share->lock);
}

bool bpi_share_is_over(const bpi_share *share) { return __atomic_load_n(&share->over_count, __ATOMIC_SEQ_CST) != 0; }
