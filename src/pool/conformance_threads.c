/* The checks of the conformance suite in which several threads use a pool. */
#include "pool/conformance_internal.h"

enum { SOME = 64, ROUNDS = 2000, SHARED_SIZE_MAX = 4096, CLOSING_ROUND = 200, LAST_ROUND = 100000 };

/* With nobody at work and nothing held. */
static bool nothing_is_out(bpi_trial *t) {
    bp_pool_stats stats;
    bp_pool_stats_read(t->pool, &stats);
    MUST(stats.total.in_use + stats.exact_in_use == 0, "%llu buffers are counted as in use, none is",
         (unsigned long long)(stats.total.in_use + stats.exact_in_use));
    return true;
}

/* ---- released elsewhere ---- */

/* user: how many the main thread holds. */
static bool release_held(bpi_trial *mine, void *user, uint32_t ix) {
    const uint32_t count = *(const uint32_t *)user;
    (void)ix;
    if (!bpi_trial_are_intact(mine, mine->held, count)) return false;
    bpi_trial_release(mine->held, count);
    return true;
}

bool bpi_check_other_threads_may_release(bpi_trial *t) {
    for (int turn = 0; turn < 20; turn++) {
        uint32_t count = SOME;
        if (!bpi_trial_fill(t, 0, t->held, &count)) return false;
        MUST(count > 0, "what another thread released is not there any more");
        if (!bpi_trial_run_threads(t, 1, release_held, &count)) return false;
    }
    return nothing_is_out(t);
}

/* ---- handed from thread to thread ---- */

static uint32_t next_random(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u; /* Knuth, "The Art of Computer Programming", volume 2, 3.3.4 */
    return *state >> 8;
}

/* The buffer carries what its holder must know: its seed as type, and its size as length. */
static bool open_parcel(bpi_trial *t, bp_buf *buf) {
    const bpi_held held = {.buf = buf, .data = bp_buf_data(buf), .size = bp_buf_length(buf), .seed = bp_buf_type(buf)};
    if (!bpi_trial_is_intact(t, &held)) return false;
    bp_buf_release(buf);
    return true;
}

/* user: the places where buffers change hands. */
static bool share(bpi_trial *mine, void *user, uint32_t ix) {
    bp_buf **slots = user;
    uint32_t random = ix + 1;
    uint32_t size_count = mine->size_count;
    while (size_count > 1 && mine->sizes[size_count - 1] > SHARED_SIZE_MAX) size_count--;
    for (int round = 0; round < ROUNDS; round++) {
        bpi_held held;
        mine->seed = next_random(&random) % UINT16_MAX;
        if (!bpi_trial_try(mine, mine->sizes[next_random(&random) % size_count], &held)) return false;
        if (held.buf == NULL) continue;
        bp_buf_set_length(held.buf, held.size);
        bp_buf_set_type(held.buf, (uint16_t)held.seed);
        if (round % 3 == 0) bp_buf_release(bp_buf_retain(held.buf));
        bp_buf *other = BPI_EXCHANGE(&slots[next_random(&random) % SOME], held.buf, __ATOMIC_ACQ_REL);
        if (other != NULL && !open_parcel(mine, other)) return false;
    }
    return true;
}

bool bpi_check_threads_share_the_pool(bpi_trial *t) {
    bp_buf *slots[SOME] = {0};
    if (!bpi_trial_run_threads(t, t->thread_count, share, slots)) return false;
    for (uint32_t i = 0; i < SOME; i++) {
        if (slots[i] != NULL && !open_parcel(t, slots[i])) return false;
    }
    return nothing_is_out(t);
}

/* ---- threads that have and do not use ---- */

/* user: how many another thread got. */
static bool get_as_many(bpi_trial *t, void *user, uint32_t ix) {
    const uint32_t count = *(const uint32_t *)user;
    (void)ix;
    for (uint32_t i = 0; i < count; i++) {
        if (!bpi_trial_try(t, t->size_max, &t->held[i])) return false;
        MUST(t->held[i].buf != NULL, "one thread got %lu buffers of %lu bytes and gave them back, another gets %lu",
             (unsigned long)count, (unsigned long)t->size_max, (unsigned long)i);
    }
    bpi_trial_release(t->held, count);
    return true;
}

/* The idle thread is this one, with stocks of all sizes, while the other one works. */
bool bpi_check_idle_threads_hoard_nothing(bpi_trial *t) {
    uint32_t full_count = 0;
    if (!bpi_trial_fill_up(t, &full_count)) return false;
    bpi_trial_release(t->held, full_count);
    for (uint32_t i = 0; i < t->size_count; i++) {
        uint32_t count = BPI_HELD_MAX;
        if (!bpi_trial_fill(t, t->sizes[i], t->held, &count)) return false;
        bpi_trial_release(t->held, count);
    }
    return bpi_trial_run_threads(t, 1, get_as_many, &full_count);
}

/* ---- close ---- */

/* Acquires until the pool says that it is closed; thread 0 closes it. */
static bool use_until_closed(bpi_trial *t, void *user, uint32_t ix) {
    (void)user;
    bool is_closed = false;
    for (uint32_t round = 0; round < LAST_ROUND + 10; round++) {
        bp_buf *buf = NULL;
        if (ix == 0 && round == CLOSING_ROUND) bp_pool_close(t->pool);
        const bp_err err = bp_pool_acquire(t->pool, t->sizes[round % t->size_count], &buf);
        MUST((err == BP_OK) == (buf != NULL), "%s %s a buffer", bp_err_name(err), buf == NULL ? "without" : "with");
        MUST(err != BP_OK || !is_closed, "an acquire succeeded after one that was refused with BP_ERR_CLOSED");
        MUST(err == BP_OK || err == BP_ERR_CLOSED || (err == BP_ERR_LIMIT && t->suite->is_bounded),
             "acquire of %lu bytes: %s", (unsigned long)t->sizes[round % t->size_count], bp_err_name(err));
        bp_buf_release(buf);
        if (err == BP_ERR_CLOSED && !is_closed) round = LAST_ROUND; /* and some more */
        is_closed = is_closed || err == BP_ERR_CLOSED;
    }
    return true;
}

bool bpi_check_close_races_with_acquire(bpi_trial *t) {
    bp_buf *buf = NULL;
    if (!bpi_trial_run_threads(t, t->thread_count, use_until_closed, NULL)) return false;
    const bp_err err = bp_pool_acquire(t->pool, t->size_max, &buf);
    MUST(err == BP_ERR_CLOSED, "acquire after close: %s", bp_err_name(err));
    return nothing_is_out(t);
}
