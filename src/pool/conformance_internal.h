/* pool/conformance_internal.h: what the checks of the conformance suite share.
 *
 *   trial   one run of one check, on a pool of its own
 *   held    a buffer that a check holds, filled with bytes that tell it from all others
 *
 * A check returns whether the promise was kept; on the way out of a broken one it releases nothing. */
#ifndef BUFPOOL_CONFORMANCE_INTERNAL_H
#define BUFPOOL_CONFORMANCE_INTERNAL_H

#include "bufpool/conformance.h"

enum {
    BPI_HELD_MAX = 4096, /* a bounded pool is full before */
    BPI_SIZES_MAX = 100, /* those around each power of two */
    BPI_WHAT_MAX = 240,  /* bytes that say what was seen */
    BPI_TRIAL_THREADS = 64
};

typedef struct bpi_held {
    bp_buf *buf;
    uint8_t *data;
    uint32_t size, seed;
} bpi_held;

typedef struct bpi_trial {
    const bp_conformance *suite;
    bp_pool *pool;
    uint32_t thread_count;
    uint32_t size_max;             /* largest size that is asked for; the pool gives it */
    uint64_t given_max;            /* largest size that the pool says it gives */
    uint32_t sizes[BPI_SIZES_MAX]; /* ascending, up to size_max, each with a stride */
    uint32_t size_count;
    uint32_t seed;  /* of the last held buffer */
    bpi_held *held; /* BPI_HELD_MAX of them, for the check's use */
    char what[BPI_WHAT_MAX];
} bpi_trial;

typedef bool bpi_check_fn(bpi_trial *t);
#define BPI_CHECK(name, needs, promise) bpi_check_fn bpi_check_##name;
#include "pool/conformance.def"
#undef BPI_CHECK

/* Notes what was seen; returns false. */
bool bpi_trial_fail(bpi_trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* In a function with a trial t that returns whether all went well. */
#define MUST(holds, ...)                                                                                               \
    do {                                                                                                               \
        if (!(holds)) return bpi_trial_fail(t, __VA_ARGS__);                                                           \
    } while (0)

/* An acquire that must succeed; out may be any of held. */
bool bpi_trial_hold(bpi_trial *t, uint64_t size, bpi_held *out);

/* One that may also be refused, by a pool that is bounded: out->buf is NULL then. */
bool bpi_trial_try(bpi_trial *t, uint64_t size, bpi_held *out);

/* Up to count buffers of one size, or of all sizes in turn when size is 0, into held, until the pool refuses; *count
 * becomes how many there are. */
bool bpi_trial_fill(bpi_trial *t, uint64_t size, bpi_held *held, uint32_t *count);

/* A bounded pool made full of buffers of size_max: *count of them in t->held. */
bool bpi_trial_fill_up(bpi_trial *t, uint32_t *count);

/* Whether the buffer is as its holder left it. */
bool bpi_trial_is_intact(bpi_trial *t, const bpi_held *held);
bool bpi_trial_are_intact(bpi_trial *t, const bpi_held *held, uint32_t count);

void bpi_trial_release(bpi_held *held, uint32_t count);

/* Has work done by count threads at once, each with a trial of its own for its failures, and user. The first failure is
 * the check's. */
typedef bool bpi_work_fn(bpi_trial *mine, void *user, uint32_t ix);
bool bpi_trial_run_threads(bpi_trial *t, uint32_t count, bpi_work_fn *work, void *user);

/* Whether the pool's table has statistics. */
bool bpi_trial_has_stats(const bpi_trial *t);

#endif
