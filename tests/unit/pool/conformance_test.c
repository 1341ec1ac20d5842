/* The conformance suite: the library's pools and a plain one pass it, and a pool that breaks one promise is caught by
 * the check of that promise. */
#define _GNU_SOURCE
#include "bufpool/conformance.h"
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- what the suite says ---- */

enum {
    CHECK_COUNT = 0
#define BPI_CHECK(name, needs, promise) +1
#include "pool/conformance.def"
#undef BPI_CHECK
};

/* How many checks need each thing of the suite. */
enum { ANY, BOUNDED, THREADS, BOTH, WAITS, ALL, NEED_COUNT };
static unsigned needing(unsigned need) {
    const unsigned needs[] = {
#define BPI_CHECK(name, needs, promise) needs,
#include "pool/conformance.def"
#undef BPI_CHECK
    };
    unsigned count = 0;
    for (int i = 0; i < CHECK_COUNT; i++) count += needs[i] == need;
    return count;
}

typedef struct verdict {
    uint32_t passed_count, failed_count;
    const char *wanted; /* a check's name */
    bool has_failed;    /* that one */
    char failures[8000];
} verdict;

static void note(const char *check, bool is_passed, const char *what, void *user) {
    verdict *of = user;
    of->passed_count += is_passed;
    of->failed_count += !is_passed;
    if (is_passed) return;
    if (of->wanted != NULL && strcmp(check, of->wanted) == 0) of->has_failed = true;
    const size_t length = strlen(of->failures);
    snprintf(of->failures + length, sizeof of->failures - length, "%s: %s\n", check, what);
}

static void must_pass(bp_conformance suite, uint32_t check_count) {
    verdict seen = {0};
    suite.report = note;
    suite.report_user = &seen;
    const uint32_t failed_count = bp_conformance_run(&suite);
    ck_assert_msg(failed_count == 0, "%s", seen.failures);
    ck_assert_uint_eq(seen.failed_count, 0);
    ck_assert_uint_eq(seen.passed_count, check_count);
}

/* ---- the library's pools ---- */

START_TEST(the_size_class_pool_conforms) {
    must_pass((bp_conformance){.factory = bp_pool_factory_sized, .is_bounded = true, .can_wait = true}, CHECK_COUNT);
}
END_TEST

static bp_err hardened_factory(const bp_pool_config *config, void *user, bp_pool **out) {
    bp_pool_config hardened = *config;
    hardened.is_hardened = true;
    return bp_pool_factory_sized(&hardened, user, out);
}

START_TEST(the_hardened_pool_conforms) {
    must_pass((bp_conformance){.factory = hardened_factory, .is_bounded = true, .can_wait = true}, CHECK_COUNT);
}
END_TEST

START_TEST(the_heap_pool_conforms) {
    must_pass((bp_conformance){.factory = bp_pool_factory_heap, .is_bounded = true, .can_wait = true}, CHECK_COUNT);
}
END_TEST

/* Of both: without a limit, without a barrier (so without magazines), with exact sizes and a class of large buffers. */
START_TEST(other_shapes_of_both_conform) {
    bp_pool_config config = {.classes = bpt_classes, .class_count = BPT_CLASS_COUNT};
    bp_conformance suite = {.factory = _i % 2 == 0 ? bp_pool_factory_sized : bp_pool_factory_heap,
                            .config = &config,
                            .size_max = 4097,
                            .thread_count = 8};
    bpt_os_set_barrier(_i / 2 != 1);
    if (_i / 2 == 2) {
        config.memory_limit = 16 * BPT_LARGEST_CLASS;
        suite.size_max = BPT_LARGEST_CLASS + 1;
        suite.is_bounded = suite.can_wait = true;
    }
    must_pass(suite, _i / 2 == 2 ? CHECK_COUNT : needing(ANY) + needing(THREADS));
}
END_TEST

/* ---- a pool of one class in one block of memory, which may break one promise ---- */

enum { BLOCK = 1024, BLOCKS = 80, MADE_MAX = 100 };

typedef enum defect {
    NONE,
    ROUNDS_CAPACITY,
    CUTS_SIZE,
    GIVES_WITH_ERROR,
    NAMES_ANOTHER_ERROR,
    IS_UNALIGNED,
    OVERLAPS,
    GIVES_TWICE,
    GIVES_STALE,
    GARBLES_STRIDE,
    SHRINKS_STRIDE,
    SHOWS_SECRETS,
    LOSES_BUFFERS,
    STAYS_FULL,
    IS_NEVER_FULL,
    EXCEEDS_LIMIT,
    TRIMS_WHAT_IS_OUT,
    CLAIMS_TO_TRIM,
    CLOSES_WHAT_IS_OUT,
    KEEPS_ITSELF,
    MISCOUNTS_IN_USE,
    MISCOUNTS_CLASSES,
    LOSES_FOREIGN_RELEASES,
    KNOWS_TWO_THREADS,
    HOARDS,
    CLOSES_FOR_A_WHILE,
    DEFECT_COUNT
} defect;

typedef struct clay_pool {
    bp_pool head;
    defect broken;
    pthread_mutex_t lock;
    pthread_t maker, second; /* the first threads to use it */
    bool has_second, was_full;
    uint64_t acquires, in_use;
    uint32_t free_count;
    bp_buf *free[BLOCKS];
    bp_buf bufs[BLOCKS];
    bp_buf *hoard; /* what one thread keeps for itself */
    pthread_t hoarder;
    _Alignas(16) uint8_t bytes[BLOCKS][BLOCK + 16];
} clay_pool;

static clay_pool *made[MADE_MAX]; /* those that the suite left as they were are found here, and are no leak */
static uint32_t made_count;

static clay_pool *clay_of(bp_pool *pool) { return (clay_pool *)(void *)pool; }

static uint8_t *clay_data(clay_pool *clay, const bp_buf *buf) {
    const ptrdiff_t ix = buf - clay->bufs;
    if (clay->broken == IS_UNALIGNED) return clay->bytes[ix] + 8;
    if (clay->broken == OVERLAPS && ix % 2 == 1) return clay->bytes[ix] - 32;
    return clay->bytes[ix];
}

static bp_buf *clay_take(clay_pool *clay) {
    if (clay->hoard != NULL && pthread_equal(clay->hoarder, pthread_self())) {
        bp_buf *mine = clay->hoard;
        clay->hoard = NULL;
        return mine;
    }
    if (clay->free_count == 0) clay->was_full = true;
    if (clay->was_full && clay->broken == STAYS_FULL) return NULL;
    return clay->free_count == 0 ? NULL : clay->free[--clay->free_count];
}

/* Makes what was taken a buffer, as bp_buf_init does it where nothing is broken. */
static void clay_init(clay_pool *clay, bp_buf *buf, uint32_t size) {
    const uint16_t type = bp_buf_type(buf);
    bp_buf_init(buf, &clay->head, clay_data(clay, buf), clay->broken == ROUNDS_CAPACITY ? BLOCK : size);
    if (clay->broken == GIVES_STALE) bp_buf_set_type(buf, type);
    if (clay->broken == SHOWS_SECRETS) memcpy(bp_buf_data(buf), clay->bytes[BLOCKS - 1], size);
    if (clay->broken == GIVES_TWICE && clay->acquires % 16 == 0) clay->free[clay->free_count++] = buf;
}

static bp_err clay_acquire_locked(clay_pool *clay, uint64_t size, bp_buf **out) {
    if (clay->broken == CLOSES_FOR_A_WHILE && clay->acquires % 50 == 49) {
        clay->acquires++;
        return BP_ERR_CLOSED;
    }
    if (clay->broken == IS_NEVER_FULL && clay->free_count == 0) return BP_ERR_NO_MEMORY;
    bp_buf *buf = clay_take(clay);
    if (buf == NULL && clay->broken == GIVES_WITH_ERROR) *out = clay->bufs;
    if (buf == NULL) return clay->broken == NAMES_ANOTHER_ERROR ? BP_ERR_ARGUMENT : BP_ERR_LIMIT;
    clay->acquires++;
    clay->in_use++;
    clay_init(clay, buf, (uint32_t)size);
    *out = buf;
    return BP_OK;
}

static bool clay_knows(clay_pool *clay) {
    const pthread_t self = pthread_self();
    if (clay->broken != KNOWS_TWO_THREADS || pthread_equal(self, clay->maker)) return true;
    if (!clay->has_second) clay->second = self;
    clay->has_second = true;
    return pthread_equal(self, clay->second) != 0;
}

static bp_err clay_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    clay_pool *clay = clay_of(pool);
    if ((clay->broken == CUTS_SIZE ? (uint32_t)size : size) > BLOCK) return BP_ERR_ARGUMENT;
    pthread_mutex_lock(&clay->lock);
    const bp_err err = clay_knows(clay) ? clay_acquire_locked(clay, size, out) : BP_ERR_ARGUMENT;
    pthread_mutex_unlock(&clay->lock);
    return err;
}

static bool clay_loses(clay_pool *clay) {
    if (clay->broken == LOSES_FOREIGN_RELEASES) return !pthread_equal(clay->maker, pthread_self());
    return clay->broken == LOSES_BUFFERS && clay->acquires % 8 == 0;
}

static void clay_release(bp_pool *pool, bp_buf *buf) {
    clay_pool *clay = clay_of(pool);
    pthread_mutex_lock(&clay->lock);
    if (clay->broken != MISCOUNTS_IN_USE || clay->in_use != 3) clay->in_use--;
    if (clay->broken == HOARDS && clay->hoard == NULL) {
        clay->hoard = buf;
        clay->hoarder = pthread_self();
    } else if (!clay_loses(clay) && clay->free_count < BLOCKS) {
        clay->free[clay->free_count++] = buf;
    }
    pthread_mutex_unlock(&clay->lock);
}

static void clay_free(bp_pool *pool) {
    for (uint32_t i = 0; i < made_count; i++) {
        if (made[i] == clay_of(pool)) made[i] = NULL;
    }
    pthread_mutex_destroy(&clay_of(pool)->lock);
    free(pool);
}

static void clay_close(bp_pool *pool) {
    clay_pool *clay = clay_of(pool);
    if (clay->broken == CLOSES_WHAT_IS_OUT) memset(clay->bytes, 0xDD, sizeof clay->bytes);
}

static uint64_t clay_trim(bp_pool *pool, bool keep_idle) {
    clay_pool *clay = clay_of(pool);
    if (clay->broken == TRIMS_WHAT_IS_OUT && !keep_idle) memset(clay->bytes[BLOCKS - 1], 0, BLOCK);
    return clay->broken == CLAIMS_TO_TRIM ? BLOCK : 0;
}

static uint64_t clay_stride(const bp_pool *pool, uint64_t size) {
    const clay_pool *clay = (const clay_pool *)(const void *)pool;
    if ((clay->broken == CUTS_SIZE ? (uint32_t)size : size) > BLOCK) return 0;
    if (clay->broken == GARBLES_STRIDE) return size + 1;
    return clay->broken == SHRINKS_STRIDE && size > BLOCK / 2 ? size : BLOCK;
}

static bp_err clay_class_stats(bp_pool *pool, uint32_t class_ix, bp_class_stats *out) {
    clay_pool *clay = clay_of(pool);
    if (class_ix != 0) return BP_ERR_ARGUMENT;
    pthread_mutex_lock(&clay->lock);
    *out = (bp_class_stats){.size = BLOCK,
                            .acquires = clay->acquires,
                            .releases = clay->acquires - clay->in_use,
                            .in_use = clay->in_use,
                            .committed_bytes = sizeof clay->bytes};
    pthread_mutex_unlock(&clay->lock);
    return BP_OK;
}

static void clay_stats(bp_pool *pool, bp_pool_stats *out) {
    const clay_pool *clay = clay_of(pool);
    out->name = "clay";
    out->class_count = 1;
    (void)clay_class_stats(pool, 0, &out->total);
    out->total.size = 0;
    if (clay->broken == MISCOUNTS_CLASSES) out->total.wiped = 1;
    out->memory_limit = out->committed_bytes = out->committed_peak_bytes = sizeof clay->bytes;
    if (clay->broken == EXCEEDS_LIMIT && out->total.in_use > 60) out->committed_peak_bytes++;
}

static const bp_pool_table clay_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = clay_acquire,
    .release = clay_release,
    .free = clay_free,
    .close = clay_close,
    .trim = clay_trim,
    .stride = clay_stride,
    .stats = clay_stats,
    .class_stats = clay_class_stats,
};

static bp_err clay_factory(const bp_pool_config *config, void *user, bp_pool **out) {
    clay_pool *clay = calloc(1, sizeof *clay);
    (void)config;
    ck_assert(clay != NULL && made_count < MADE_MAX);
    made[made_count++] = clay;
    bpt_ok(bp_pool_init(&clay->head, &clay_table));
    clay->broken = *(const defect *)user;
    clay->maker = pthread_self();
    pthread_mutex_init(&clay->lock, NULL);
    for (uint32_t i = 0; i < BLOCKS; i++) clay->free[clay->free_count++] = &clay->bufs[i];
    if (clay->broken == KEEPS_ITSELF) (void)bp_pool_retain(&clay->head);
    *out = &clay->head;
    return BP_OK;
}

/* ---- each promise broken ---- */

static const struct {
    defect broken;
    const char *check;
} catches[] = {
    {ROUNDS_CAPACITY, "capacity_is_the_size_asked_for"},
    {CUTS_SIZE, "sizes_never_given_are_refused"},
    {GIVES_WITH_ERROR, "a_refusal_is_an_ordinary_error"},
    {NAMES_ANOTHER_ERROR, "a_refusal_is_an_ordinary_error"},
    {IS_UNALIGNED, "bytes_are_aligned_to_16"},
    {OVERLAPS, "buffers_do_not_overlap"},
    {GIVES_TWICE, "buffers_do_not_overlap"},
    {GIVES_STALE, "new_buffers_are_blank"},
    {GARBLES_STRIDE, "strides_are_consistent"},
    {SHRINKS_STRIDE, "strides_are_consistent"},
    {SHOWS_SECRETS, "secrets_are_wiped"},
    {LOSES_BUFFERS, "released_buffers_serve_again"},
    {STAYS_FULL, "a_refusal_is_an_ordinary_error"},
    {IS_NEVER_FULL, "released_buffers_serve_again"},
    {EXCEEDS_LIMIT, "the_limit_holds"},
    {TRIMS_WHAT_IS_OUT, "trim_harms_nothing"},
    {CLAIMS_TO_TRIM, "trim_harms_nothing"},
    {CLOSES_WHAT_IS_OUT, "a_closed_pool_gives_no_buffers"},
    {KEEPS_ITSELF, "buffers_keep_the_pool"},
    {MISCOUNTS_IN_USE, "statistics_add_up"},
    {MISCOUNTS_CLASSES, "statistics_add_up"},
    {LOSES_FOREIGN_RELEASES, "other_threads_may_release"},
    {KNOWS_TWO_THREADS, "threads_share_the_pool"},
    {HOARDS, "idle_threads_hoard_nothing"},
    {CLOSES_FOR_A_WHILE, "close_races_with_acquire"},
};
enum { CATCH_COUNT = sizeof catches / sizeof catches[0] };

static void ignore_misuse(bp_misuse what, const void *object, void *user) { (void)what, (void)object, (void)user; }

START_TEST(a_pool_that_breaks_nothing_conforms) {
    defect broken = NONE;
    must_pass((bp_conformance){.factory = clay_factory, .factory_user = &broken, .is_bounded = true},
              CHECK_COUNT - needing(WAITS) - needing(ALL));
    for (uint32_t i = 0; i < made_count; i++) ck_assert_ptr_null(made[i]);
}
END_TEST

START_TEST(a_broken_promise_is_caught_by_its_check) {
    defect broken = catches[_i].broken;
    verdict seen = {.wanted = catches[_i].check};
    bp_misuse_set(ignore_misuse, NULL);
    const bp_conformance suite = {.factory = clay_factory,
                                  .factory_user = &broken,
                                  .report = note,
                                  .report_user = &seen,
                                  .is_bounded = true,
                                  .only = catches[_i].check};
    ck_assert_uint_gt(bp_conformance_run(&suite), 0);
    ck_assert(seen.has_failed);
}
END_TEST

START_TEST(every_defect_has_its_check) {
    for (int broken = NONE + 1; broken < DEFECT_COUNT; broken++) {
        int count = 0;
        for (int i = 0; i < CATCH_COUNT; i++) count += catches[i].broken == (defect)broken;
        ck_assert_int_eq(count, 1);
    }
}
END_TEST

/* A pool that the suite leaves as it is keeps what it has: found here, it is no leak. */
enum { REMEMBERED_MAX = 16384 };
static void *volatile remembered[REMEMBERED_MAX]; /* volatile: nobody reads it, and it must be there all the same */
static uint32_t remembered_count;

static void *remember(void *memory) {
    const uint32_t ix = __atomic_fetch_add(&remembered_count, 1, __ATOMIC_RELAXED);
    ck_assert_uint_lt(ix, REMEMBERED_MAX);
    remembered[ix] = memory;
    return memory;
}

static void *remembered_alloc(size_t size) { return remember(bpi_os_system.alloc(size)); }
static void *remembered_alloc_raw(size_t size) { return remember(bpi_os_system.alloc_raw(size)); }

static void remember_all(void) {
    bpi_os.alloc = remembered_alloc;
    bpi_os.alloc_raw = remembered_alloc_raw;
}

/* ---- the heap pool with a slot that breaks what waiters are promised ---- */

typedef enum wait_defect {
    OVERTAKES,
    ANSWERS_LIMIT,
    CALLS_TWICE,
    CALLS_FOR_NO_WAIT,
    CHANGES_ORDER,
    NEVER_CANCELS,
    CANCELS_NOTHING,
    FORGETS_AT_CLOSE,
    FORGETS_WAITERS,
    EXCEEDS_FORCED,
    WAIT_DEFECT_COUNT
} wait_defect;

static wait_defect wait_broken;
static bp_pool *side_pool;
static bp_pool_table broken_table;
static bp_reservation *kept_back; /* told after the next one */
static uint32_t told_count;
static bp_reservation_fn *real_done;

static bp_err overtaking_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    const bp_err err = bpi_heap_table.acquire(pool, size, out);
    return err == BP_ERR_LIMIT && side_pool != NULL ? bp_pool_acquire(side_pool, size, out) : err;
}

static void done_wrongly(bp_reservation *reservation) {
    told_count++;
    if (wait_broken == CALLS_TWICE) real_done(reservation);
    if (wait_broken == FORGETS_WAITERS && told_count == 2) return;
    if (wait_broken == CHANGES_ORDER && told_count == 2) {
        kept_back = reservation;
        return;
    }
    real_done(reservation);
    if (kept_back != NULL) real_done(kept_back);
    kept_back = NULL;
}

static bp_err broken_reserve(bp_pool *pool, bp_reservation *reservation) {
    real_done = reservation->on_done;
    reservation->on_done = done_wrongly;
    const bp_err err = bpi_heap_table.reserve(pool, reservation);
    if (err == BP_OK && wait_broken == CALLS_FOR_NO_WAIT) real_done(reservation);
    if (err == BP_PENDING && wait_broken == OVERTAKES && side_pool == NULL) bpt_ok(bp_heap_pool_new(0, &side_pool));
    if (err == BP_PENDING && wait_broken == ANSWERS_LIMIT) {
        (void)bpi_heap_table.cancel(pool, reservation);
        return BP_ERR_LIMIT;
    }
    return err;
}

static bool broken_cancel(bp_pool *pool, bp_reservation *reservation) {
    if (wait_broken == NEVER_CANCELS) return false;
    return wait_broken == CANCELS_NOTHING ? reservation->detail.queue != NULL
                                          : bpi_heap_table.cancel(pool, reservation);
}

static void forgetful_close(bp_pool *pool) { (void)pool; }

static void forced_stats(bp_pool *pool, bp_pool_stats *out) {
    bpi_heap_table.stats(pool, out);
    out->forced_bytes = 1;
}

static bp_err broken_heap_factory(const bp_pool_config *config, void *user, bp_pool **out) {
    (void)user;
    bpt_ok(bp_heap_pool_new(config->memory_limit, out));
    broken_table = bpi_heap_table;
    broken_table.reserve = broken_reserve;
    broken_table.cancel = broken_cancel;
    if (wait_broken == OVERTAKES) broken_table.acquire = overtaking_acquire;
    if (wait_broken == FORGETS_AT_CLOSE) broken_table.close = forgetful_close;
    if (wait_broken == EXCEEDS_FORCED) broken_table.stats = forced_stats;
    (*out)->table = &broken_table;
    return BP_OK;
}

START_TEST(a_broken_promise_to_waiters_is_caught_by_its_check) {
    const char *const checks[WAIT_DEFECT_COUNT] = {
        [OVERTAKES] = "nobody_overtakes",
        [ANSWERS_LIMIT] = "waiters_are_served_in_order",
        [CALLS_TWICE] = "waiters_are_served_in_order",
        [CALLS_FOR_NO_WAIT] = "reserve_answers_at_once",
        [CHANGES_ORDER] = "waiters_are_served_in_order",
        [NEVER_CANCELS] = "cancelled_waiters_hear_nothing",
        [CANCELS_NOTHING] = "cancelled_waiters_hear_nothing",
        [FORGETS_AT_CLOSE] = "close_fails_every_waiter",
        [FORGETS_WAITERS] = "waiters_are_served_in_order",
        [EXCEEDS_FORCED] = "forced_grants_are_bounded",
    };
    wait_broken = (wait_defect)_i;
    remember_all();
    verdict seen = {.wanted = checks[_i]};
    const bp_conformance suite = {.factory = broken_heap_factory,
                                  .report = note,
                                  .report_user = &seen,
                                  .is_bounded = true,
                                  .can_wait = true,
                                  .only = checks[_i]};
    ck_assert_uint_eq(bp_conformance_run(&suite), 1);
    ck_assert(seen.has_failed);
}
END_TEST

/* ---- the suite itself ---- */

static bp_err no_factory(const bp_pool_config *config, void *user, bp_pool **out) {
    (void)config, (void)user;
    *out = NULL;
    return BP_ERR_NO_MEMORY;
}

START_TEST(what_cannot_run_has_failed) {
    verdict seen = {0};
    bp_conformance suite = {.factory = no_factory, .report = note, .report_user = &seen, .thread_count = 1};
    ck_assert_uint_eq(bp_conformance_run(&suite), seen.failed_count);
    ck_assert_uint_gt(seen.failed_count, 10);
    ck_assert_ptr_nonnull(strstr(seen.failures, "BP_ERR_NO_MEMORY"));
    suite.factory = bp_pool_factory_sized;
    suite.report = NULL;
    ck_assert_uint_eq(bp_conformance_run(&suite), 0);
    suite.only = "no_such_check";
    ck_assert_uint_eq(bp_conformance_run(&suite), 1);
    suite.only = "trim_harms_nothing";
    ck_assert_uint_eq(bp_conformance_run(&suite), 0);
}
END_TEST

START_TEST(a_pool_that_is_not_bounded_is_not_called_so) {
    const bp_pool_config config = {.memory_limit = 0};
    remember_all();
    verdict seen = {.wanted = "a_refusal_is_an_ordinary_error"};
    const bp_conformance suite = {.factory = bp_pool_factory_heap,
                                  .config = &config,
                                  .report = note,
                                  .report_user = &seen,
                                  .only = seen.wanted,
                                  .size_max = 64,
                                  .is_bounded = true};
    ck_assert_uint_eq(bp_conformance_run(&suite), 1);
    ck_assert(seen.has_failed);
}
END_TEST

BPT_SUITE(pool_conformance) {
    BPT_TIMEOUT(300); /* for a busy machine */
    BPT_TEST(the_size_class_pool_conforms);
    BPT_TEST(the_hardened_pool_conforms);
    BPT_TEST(the_heap_pool_conforms);
    BPT_LOOP_TEST(other_shapes_of_both_conform, 0, 6);
    BPT_TEST(a_pool_that_breaks_nothing_conforms);
    BPT_LOOP_TEST(a_broken_promise_is_caught_by_its_check, 0, CATCH_COUNT);
    BPT_TEST(every_defect_has_its_check);
    BPT_LOOP_TEST(a_broken_promise_to_waiters_is_caught_by_its_check, 0, WAIT_DEFECT_COUNT);
    BPT_TEST(what_cannot_run_has_failed);
    BPT_TEST(a_pool_that_is_not_bounded_is_not_called_so);
}
