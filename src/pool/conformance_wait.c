/* The checks of the conformance suite that reserve: what every pool answers, and what those promise that wait. */
#include "pool/conformance_internal.h"

#include <string.h>

enum { WAITERS = 4, WAIT_ROUNDS = 100, PATIENCE_MS = 10000 };

/* A reservation, and what its owner was told. */
typedef struct waiter {
    bp_reservation wish;
    uint32_t call_count, place; /* place: how many were told before it */
    uint32_t *told_count;
} waiter;

static void note_done(bp_reservation *wish) {
    waiter *of = wish->user;
    of->call_count++;
    of->place = (*of->told_count)++;
}

static void waiter_init(waiter *of, uint64_t size, uint32_t *told_count) {
    *of = (waiter){.wish = {.size = size, .on_done = note_done, .user = of}, .told_count = told_count};
}

/* ---- of every pool ---- */

static bool reserve_answers(bpi_trial *t, uint64_t size, bp_err expected) {
    uint32_t told_count = 0;
    waiter one;
    waiter_init(&one, size, &told_count);
    const bp_err err = bp_pool_reserve(t->pool, &one.wish);
    MUST(err == expected, "reserve of %llu bytes: %s instead of %s", (unsigned long long)size, bp_err_name(err),
         bp_err_name(expected));
    MUST(err != BP_OK || one.wish.err == BP_OK, "reserve answers BP_OK and notes %s", bp_err_name(one.wish.err));
    MUST((one.wish.buf != NULL) == (err == BP_OK), "reserve: %s %s a buffer", bp_err_name(err),
         one.wish.buf == NULL ? "without" : "with");
    MUST(!bp_pool_cancel(t->pool, &one.wish), "a reservation that is over was cancelled");
    if (one.wish.buf != NULL) {
        MUST(bp_buf_capacity(one.wish.buf) == size, "reserved %llu bytes, given a capacity of %lu",
             (unsigned long long)size, (unsigned long)bp_buf_capacity(one.wish.buf));
        memset(bp_buf_data(one.wish.buf), 1, (size_t)size);
        bp_buf_release(one.wish.buf);
    }
    MUST(told_count == 0, "on_done was called for a reservation that did not wait");
    return true;
}

bool bpi_check_reserve_answers_at_once(bpi_trial *t) {
    for (uint32_t i = 0; i < t->size_count; i++) {
        if (!reserve_answers(t, t->sizes[i], BP_OK)) return false;
    }
    if (!reserve_answers(t, 0, BP_ERR_ARGUMENT)) return false;
    if (t->given_max < UINT32_MAX && !reserve_answers(t, t->given_max + 1, BP_ERR_ARGUMENT)) return false;
    if (!reserve_answers(t, UINT64_MAX, BP_ERR_ARGUMENT)) return false;
    bp_pool_close(t->pool);
    return reserve_answers(t, t->size_max, BP_ERR_CLOSED);
}

/* ---- of pools that wait ---- */

/* A full pool, and waiters that want the sizes in turn. */
typedef struct queue {
    uint32_t full_count, told_count;
    waiter waiters[WAITERS];
} queue;

static bool wait_for(bpi_trial *t, waiter *of) {
    const bp_err err = bp_pool_reserve(t->pool, &of->wish);
    MUST(err == BP_PENDING, "reserve of %llu bytes in a full pool: %s", (unsigned long long)of->wish.size,
         bp_err_name(err));
    return true;
}

static bool queue_up(bpi_trial *t, queue *of) {
    of->told_count = 0;
    if (!bpi_trial_fill_up(t, &of->full_count)) return false;
    for (uint32_t i = 0; i < WAITERS; i++) {
        const uint32_t size = i % 2 == 0 ? t->size_max : t->sizes[t->size_count / 2];
        waiter_init(&of->waiters[i], size, &of->told_count);
        if (!wait_for(t, &of->waiters[i])) return false;
    }
    MUST(of->told_count == 0, "on_done was called although nothing came back");
    return true;
}

/* Once everything came back it is one's turn, at the place given: the buffer is filled and goes back. */
static bool is_served(bpi_trial *t, waiter *of, uint32_t place) {
    MUST(of->call_count != 0, "a waiter is not served, although all that was out before has come back");
    MUST(of->call_count == 1, "on_done was called %lu times", (unsigned long)of->call_count);
    MUST(of->place == place, "the waiter at place %lu was served at place %lu", (unsigned long)place,
         (unsigned long)of->place);
    MUST(of->wish.err == BP_OK && of->wish.buf != NULL, "a waiter was told %s", bp_err_name(of->wish.err));
    MUST(bp_buf_capacity(of->wish.buf) == of->wish.size, "reserved %llu bytes, given a capacity of %lu",
         (unsigned long long)of->wish.size, (unsigned long)bp_buf_capacity(of->wish.buf));
    memset(bp_buf_data(of->wish.buf), (int)place, (size_t)of->wish.size);
    bp_buf_release_take(&of->wish.buf);
    return true;
}

/* Gives everything back, so that those who still wait are served: they are named in their order. */
static bool drain(bpi_trial *t, queue *of, waiter *const *in_order, uint32_t count) {
    if (!bpi_trial_are_intact(t, t->held, of->full_count)) return false;
    bpi_trial_release(t->held, of->full_count);
    for (uint32_t place = 0; place < count; place++) {
        if (!is_served(t, in_order[place], place)) return false;
    }
    MUST(of->told_count == count, "%lu owners were told, %lu waited", (unsigned long)of->told_count,
         (unsigned long)count);
    return bpi_trial_hold(t, t->size_max, t->held) && (bpi_trial_release(t->held, 1), true);
}

bool bpi_check_waiters_are_served_in_order(bpi_trial *t) {
    queue all;
    waiter *in_order[WAITERS];
    if (!queue_up(t, &all)) return false;
    for (uint32_t i = 0; i < WAITERS; i++) in_order[i] = &all.waiters[i];
    return drain(t, &all, in_order, WAITERS);
}

/* The pool is full, then nearly empty, but for the last waiter, who wants more than there is. */
bool bpi_check_nobody_overtakes(bpi_trial *t) {
    queue all;
    if (!queue_up(t, &all)) return false;
    for (uint32_t left = all.full_count; all.told_count < WAITERS && left > 0; left--) {
        for (uint32_t i = 0; i < t->size_count; i++) {
            bp_buf *buf = NULL;
            const bp_err err = bp_pool_acquire(t->pool, t->sizes[i], &buf);
            MUST(err == BP_ERR_LIMIT && buf == NULL, "acquire of %lu bytes, while others wait: %s",
                 (unsigned long)t->sizes[i], bp_err_name(err));
        }
        bpi_trial_release(&t->held[left - 1], 1);
    }
    bpi_trial_release(t->held, all.full_count);
    for (uint32_t i = 0; i < WAITERS; i++) {
        if (!is_served(t, &all.waiters[i], i)) return false;
    }
    return true;
}

static bool cancels(bpi_trial *t, waiter *of) {
    MUST(bp_pool_cancel(t->pool, &of->wish), "a waiter cannot be cancelled");
    MUST(!bp_pool_cancel(t->pool, &of->wish), "a waiter can be cancelled twice");
    MUST(of->call_count == 0, "a waiter was told that it is over, and cancelled");
    return true;
}

/* Of four the second is cancelled and waits again, behind the last; then the first is cancelled for good. */
bool bpi_check_cancelled_waiters_hear_nothing(bpi_trial *t) {
    queue all;
    if (!queue_up(t, &all)) return false;
    waiter *const in_order[] = {&all.waiters[2], &all.waiters[3], &all.waiters[1]};
    if (!cancels(t, &all.waiters[1]) || !wait_for(t, &all.waiters[1]) || !cancels(t, &all.waiters[0])) return false;
    if (!drain(t, &all, in_order, 3)) return false;
    MUST(all.waiters[0].call_count == 0, "on_done was called after cancel");
    MUST(!bp_pool_cancel(t->pool, &all.waiters[1].wish), "a reservation that is over was cancelled");
    return true;
}

bool bpi_check_close_fails_every_waiter(bpi_trial *t) {
    queue all;
    if (!queue_up(t, &all)) return false;
    bp_pool_close(t->pool);
    for (uint32_t i = 0; i < WAITERS; i++) {
        const waiter *of = &all.waiters[i];
        MUST(of->call_count == 1, "close called on_done of a waiter %lu times", (unsigned long)of->call_count);
        MUST(of->wish.err == BP_ERR_CLOSED && of->wish.buf == NULL, "close told a waiter %s",
             bp_err_name(of->wish.err));
    }
    if (!bpi_trial_are_intact(t, t->held, all.full_count)) return false;
    bpi_trial_release(t->held, all.full_count);
    return reserve_answers(t, t->size_max, BP_ERR_CLOSED);
}

/* The whole pool is full of buffers of another size, which come back one by one. */
bool bpi_check_a_large_waiter_is_reached(bpi_trial *t) {
    uint32_t told_count = 0, count = BPI_HELD_MAX;
    uint32_t small = t->size_count - 1;
    while (small > 0 && t->sizes[small] > t->size_max / 16) small--;
    waiter large;
    waiter_init(&large, t->size_max, &told_count);
    if (!bpi_trial_fill(t, t->sizes[small], t->held, &count)) return false;
    if (count < BPI_HELD_MAX && !wait_for(t, &large)) return false;
    bpi_trial_release(t->held, count);
    return count == BPI_HELD_MAX || is_served(t, &large, 0);
}

static bool keeps_forced_limit(bpi_trial *t) {
    bp_pool_stats stats;
    bp_pool_stats_read(t->pool, &stats);
    MUST(stats.memory_limit == 0 || stats.committed_peak_bytes <= stats.memory_limit,
         "%llu bytes were committed, the limit is %llu", (unsigned long long)stats.committed_peak_bytes,
         (unsigned long long)stats.memory_limit);
    MUST(stats.forced_bytes <= stats.forced_limit && stats.forced_peak_bytes <= stats.forced_limit,
         "%llu bytes are granted outside of the limit, at most %llu may be", (unsigned long long)stats.forced_bytes,
         (unsigned long long)stats.forced_limit);
    return true;
}

/* Who can block others is granted outside of the limit, as much as is allowed, and otherwise waits like all. */
bool bpi_check_forced_grants_are_bounded(bpi_trial *t) {
    queue all = {0};
    if (!bpi_trial_fill_up(t, &all.full_count)) return false;
    bool is_waiting[WAITERS];
    for (uint32_t i = 0; i < WAITERS; i++) {
        waiter_init(&all.waiters[i], t->size_max, &all.told_count);
        all.waiters[i].wish.can_block = true;
        const bp_err err = bp_pool_reserve(t->pool, &all.waiters[i].wish);
        is_waiting[i] = err == BP_PENDING;
        MUST(err == BP_PENDING || err == BP_OK, "reserve with can_block in a full pool: %s", bp_err_name(err));
        if (!keeps_forced_limit(t)) return false;
    }
    for (uint32_t i = 0; i < WAITERS; i++) {
        if (!is_waiting[i]) bp_buf_release_take(&all.waiters[i].wish.buf);
    }
    if (!bpi_trial_are_intact(t, t->held, all.full_count)) return false;
    bpi_trial_release(t->held, all.full_count);
    uint32_t place = 0;
    for (uint32_t i = 0; i < WAITERS; i++) {
        if (is_waiting[i] && !is_served(t, &all.waiters[i], place++)) return false;
    }
    return keeps_forced_limit(t);
}

/* ---- threads that wait ---- */

static bool wait_often(bpi_trial *t, void *user, uint32_t ix) {
    (void)user, (void)ix;
    for (int round = 0; round < WAIT_ROUNDS; round++) {
        bp_buf *buf = NULL;
        const bp_err err = bp_pool_acquire_wait(t->pool, t->size_max, PATIENCE_MS, &buf);
        MUST(err == BP_OK, "a thread that waits: %s", bp_err_name(err));
        memset(bp_buf_data(buf), round, t->size_max);
        bp_buf_release(buf);
    }
    return true;
}

/* All buffers but one are held here, and the threads want one each. */
bool bpi_check_threads_that_wait_are_served(bpi_trial *t) {
    uint32_t count = 0;
    bp_buf *none = NULL;
    if (!bpi_trial_fill_up(t, &count)) return false;
    const bp_err err = bp_pool_acquire_wait(t->pool, t->size_max, 1, &none);
    MUST(err == BP_ERR_TIMEOUT && none == NULL, "a wait of a millisecond in a full pool: %s", bp_err_name(err));
    bpi_trial_release(&t->held[count - 1], 1);
    if (!bpi_trial_run_threads(t, t->thread_count, wait_often, NULL)) return false;
    if (!bpi_trial_are_intact(t, t->held, count - 1)) return false;
    bpi_trial_release(t->held, count - 1);
    return true;
}
