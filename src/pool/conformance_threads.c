/* The checks of the conformance suite in which several threads use a pool. */
#include "pool/conformance_internal.h"
#include "base/os.h"

#include <string.h>

enum { SOME = 64, ROUNDS = 2000, SHARED_SIZE_MAX = 4096, CLOSING_ROUND = 200, LAST_ROUND = 100000 };

/* Threads at work on one trial; the first one that fails says what it saw. */
typedef struct crew {
    bpi_trial *t;
    bool (*work)(struct crew *of, bpi_trial *mine, uint32_t ix);
    uint32_t has_failed;
    uint32_t count;      /* of held buffers, where the work is about these */
    bp_buf *slots[SOME]; /* where buffers change hands */
} crew;

static void run_member(void *memory, uint32_t ix) {
    crew *of = memory;
    bpi_trial mine = *of->t;
    mine.seed = (ix + 1) << 24;
    if (of->work(of, &mine, ix) || BPI_EXCHANGE(&of->has_failed, 1, __ATOMIC_RELAXED) != 0) return;
    memcpy(of->t->what, mine.what, sizeof mine.what);
}

static bool run_crew(crew *of, uint32_t count) {
    bpi_trial *t = of->t;
    MUST(bpi_os_run_threads(count, run_member, of), "no threads to run the check");
    return of->has_failed == 0;
}

/* With nobody at work and nothing held. */
static bool nothing_is_out(bpi_trial *t) {
    bp_pool_stats stats;
    bp_pool_stats_read(t->pool, &stats);
    MUST(stats.total.in_use + stats.exact_in_use == 0, "%llu buffers are counted as in use, none is",
         (unsigned long long)(stats.total.in_use + stats.exact_in_use));
    return true;
}

/* ---- released elsewhere ---- */

static bool release_held(crew *of, bpi_trial *mine, uint32_t ix) {
    (void)ix;
    if (!bpi_trial_are_intact(mine, of->t->held, of->count)) return false;
    bpi_trial_release(of->t->held, of->count);
    return true;
}

bool bpi_check_other_threads_may_release(bpi_trial *t) {
    crew elsewhere = {.t = t, .work = release_held};
    for (int turn = 0; turn < 20; turn++) {
        elsewhere.count = SOME;
        if (!bpi_trial_fill(t, 0, t->held, &elsewhere.count)) return false;
        MUST(elsewhere.count > 0, "what another thread released is not there any more");
        if (!run_crew(&elsewhere, 1)) return false;
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

static bool share(crew *of, bpi_trial *mine, uint32_t ix) {
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
        bp_buf *other = BPI_EXCHANGE(&of->slots[next_random(&random) % SOME], held.buf, __ATOMIC_ACQ_REL);
        if (other != NULL && !open_parcel(mine, other)) return false;
    }
    return true;
}

bool bpi_check_threads_share_the_pool(bpi_trial *t) {
    crew all = {.t = t, .work = share};
    if (!run_crew(&all, t->thread_count)) return false;
    for (uint32_t i = 0; i < SOME; i++) {
        if (all.slots[i] != NULL && !open_parcel(t, all.slots[i])) return false;
    }
    return nothing_is_out(t);
}

/* ---- threads that have and do not use ---- */

static bool get_as_many(crew *of, bpi_trial *mine, uint32_t ix) {
    (void)ix;
    for (uint32_t i = 0; i < of->count; i++) {
        bpi_trial *t = mine;
        if (!bpi_trial_try(mine, mine->size_max, &mine->held[i])) return false;
        MUST(mine->held[i].buf != NULL, "one thread got %lu buffers of %lu bytes and gave them back, another gets %lu",
             (unsigned long)of->count, (unsigned long)mine->size_max, (unsigned long)i);
    }
    bpi_trial_release(mine->held, of->count);
    return true;
}

/* The idle thread is this one, with stocks of all sizes, while the other one works. */
bool bpi_check_idle_threads_hoard_nothing(bpi_trial *t) {
    crew other = {.t = t, .work = get_as_many, .count = BPI_HELD_MAX};
    if (!bpi_trial_fill(t, t->size_max, t->held, &other.count)) return false;
    bpi_trial_release(t->held, other.count);
    for (uint32_t i = 0; i < t->size_count; i++) {
        uint32_t count = BPI_HELD_MAX;
        if (!bpi_trial_fill(t, t->sizes[i], t->held, &count)) return false;
        bpi_trial_release(t->held, count);
    }
    return run_crew(&other, 1);
}

/* ---- close ---- */

/* Acquires until the pool says that it is closed; thread 0 closes it. */
static bool use_until_closed(crew *of, bpi_trial *mine, uint32_t ix) {
    bpi_trial *t = mine;
    bool is_closed = false;
    for (uint32_t round = 0; round < LAST_ROUND + 10; round++) {
        bp_buf *buf = NULL;
        if (ix == 0 && round == CLOSING_ROUND) bp_pool_close(of->t->pool);
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
    crew all = {.t = t, .work = use_until_closed};
    bp_buf *buf = NULL;
    if (!run_crew(&all, t->thread_count)) return false;
    const bp_err err = bp_pool_acquire(t->pool, t->size_max, &buf);
    MUST(err == BP_ERR_CLOSED, "acquire after close: %s", bp_err_name(err));
    return nothing_is_out(t);
}
