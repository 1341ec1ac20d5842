#include "pool/conformance_internal.h"
#include "base/os.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const bp_class usual_classes[] = {{64, 4096},   {256, 4096},    {1024, 4096},
                                         {4096, 8192}, {16384, 32768}, {65536, 0}};
static const bp_pool_config usual_config = {.name = "conformance",
                                            .classes = usual_classes,
                                            .class_count = sizeof usual_classes / sizeof usual_classes[0],
                                            .memory_limit = 1 << 20,
                                            .forced_limit = 160 << 10};

enum { ANY = 0, BOUNDED = 1, THREADS = 2, BOTH = BOUNDED | THREADS, WAITS = 4, ALL = WAITS | THREADS };
enum { USUAL_SIZE_MAX = 65536, USUAL_THREADS = 4 };

typedef struct check {
    const char *name;
    unsigned needs;
    bpi_check_fn *run;
    const char *promise;
} check;

static const check checks[] = {
#define BPI_CHECK(name, needs, promise) {#name, needs, bpi_check_##name, promise},
#include "pool/conformance.def"
#undef BPI_CHECK
};

bool bpi_trial_fail(bpi_trial *t, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(t->what, sizeof t->what, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- buffers that are held ---- */

/* Knuth, "The Art of Computer Programming", volume 3, 6.4: multiplicative hashing. */
static uint8_t byte_at(uint32_t seed, uint32_t at) { return (uint8_t)((seed * 2654435761u + at * 40503u) >> 16); }

bool bpi_trial_try(bpi_trial *t, uint64_t size, bpi_held *out) {
    *out = (bpi_held){0};
    const bp_err err = bp_pool_acquire(t->pool, size, &out->buf);
    MUST(err == BP_OK || out->buf == NULL, "acquire of %llu bytes: %s, with a buffer", (unsigned long long)size,
         bp_err_name(err));
    if (err == BP_ERR_LIMIT && t->suite->is_bounded) return true;
    MUST(err == BP_OK, "acquire of %llu bytes: %s", (unsigned long long)size, bp_err_name(err));
    MUST(out->buf != NULL, "acquire of %llu bytes: BP_OK without a buffer", (unsigned long long)size);
    MUST(bp_buf_capacity(out->buf) >= size, "asked for %llu bytes, given %lu", (unsigned long long)size,
         (unsigned long)bp_buf_capacity(out->buf));
    out->data = bp_buf_data(out->buf);
    out->size = (uint32_t)size;
    out->seed = ++t->seed;
    for (uint32_t i = 0; i < out->size; i++) out->data[i] = byte_at(out->seed, i);
    return true;
}

bool bpi_trial_hold(bpi_trial *t, uint64_t size, bpi_held *out) {
    if (!bpi_trial_try(t, size, out)) return false;
    MUST(out->buf != NULL, "acquire of %llu bytes: BP_ERR_LIMIT, although nearly nothing is out",
         (unsigned long long)size);
    return true;
}

bool bpi_trial_fill(bpi_trial *t, uint64_t size, bpi_held *held, uint32_t *count) {
    for (uint32_t i = 0; i < *count; i++) {
        if (!bpi_trial_try(t, size != 0 ? size : t->sizes[i % t->size_count], &held[i])) return false;
        if (held[i].buf == NULL) *count = i;
    }
    return true;
}

bool bpi_trial_fill_up(bpi_trial *t, uint32_t *count) {
    *count = BPI_HELD_MAX;
    if (!bpi_trial_fill(t, t->size_max, t->held, count)) return false;
    MUST(*count < BPI_HELD_MAX, "gives %lu buffers of %lu bytes: it is not bounded, or size_max is too small",
         (unsigned long)*count, (unsigned long)t->size_max);
    MUST(*count > 0, "an empty pool refuses %lu bytes with BP_ERR_LIMIT", (unsigned long)t->size_max);
    return true;
}

bool bpi_trial_is_intact(bpi_trial *t, const bpi_held *held) {
    MUST(bp_buf_data(held->buf) == held->data, "a held buffer's bytes moved");
    for (uint32_t i = 0; i < held->size; i++) {
        MUST(held->data[i] == byte_at(held->seed, i), "byte %lu of a held buffer of %lu bytes was changed",
             (unsigned long)i, (unsigned long)held->size);
    }
    return true;
}

bool bpi_trial_are_intact(bpi_trial *t, const bpi_held *held, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!bpi_trial_is_intact(t, &held[i])) return false;
    }
    return true;
}

void bpi_trial_release(bpi_held *held, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) bp_buf_release_take(&held[i].buf);
}

bool bpi_trial_has_stats(const bpi_trial *t) {
    const bp_pool_table *table = t->pool->table;
    return table->table_bytes >= offsetof(bp_pool_table, class_stats) && table->stats != NULL;
}

/* ---- threads ---- */

typedef struct crew {
    bpi_trial *t;
    bpi_trial start; /* the trial before they begin */
    bpi_work_fn *work;
    void *user;
    uint32_t has_failed;
} crew;

static void run_member(void *memory, uint32_t ix) {
    crew *of = memory;
    bpi_trial mine = of->start;
    mine.seed = (ix + 1) << 24;
    if (of->work(&mine, of->user, ix) || BPI_EXCHANGE(&of->has_failed, 1, __ATOMIC_RELAXED) != 0) return;
    memcpy(of->t->what, mine.what, sizeof mine.what);
}

bool bpi_trial_run_threads(bpi_trial *t, uint32_t count, bpi_work_fn *work, void *user) {
    crew all = {.t = t, .start = *t, .work = work, .user = user};
    MUST(bpi_os_run_threads(count, run_member, &all), "no threads to run the check");
    return all.has_failed == 0;
}

/* ---- a trial ---- */

/* The largest size that has a stride, if it has one up to there. */
static uint64_t largest_given(const bp_pool *pool) {
    uint64_t low = 0, high = UINT32_MAX;
    while (low < high) {
        const uint64_t middle = high - (high - low) / 2;
        if (bp_pool_stride(pool, middle) != 0) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

static void add_size(bpi_trial *t, uint64_t size) {
    const uint32_t last = t->size_count == 0 ? 0 : t->sizes[t->size_count - 1];
    if (size > last && size <= t->size_max) t->sizes[t->size_count++] = (uint32_t)size;
}

static bool choose_sizes(bpi_trial *t) {
    const uint32_t wanted = t->suite->size_max == 0 ? USUAL_SIZE_MAX : t->suite->size_max;
    t->given_max = largest_given(t->pool);
    MUST(t->given_max != 0, "no size has a stride");
    t->size_max = t->given_max < wanted ? (uint32_t)t->given_max : wanted;
    for (uint64_t power = 1; power <= t->size_max; power *= 2) {
        add_size(t, power - 1);
        add_size(t, power);
        add_size(t, power + 1);
    }
    add_size(t, t->size_max);
    return true;
}

static bool trial_init(bpi_trial *t, const bp_conformance *suite) {
    *t = (bpi_trial){.suite = suite, .thread_count = suite->thread_count};
    if (t->thread_count == 0) t->thread_count = USUAL_THREADS;
    if (t->thread_count > BPI_TRIAL_THREADS) t->thread_count = BPI_TRIAL_THREADS;
    t->held = bpi_os.alloc(BPI_HELD_MAX * sizeof *t->held);
    MUST(t->held != NULL, "no memory to run the check");
    const bp_pool_config *config = suite->config == NULL ? &usual_config : suite->config;
    const bp_err err = suite->factory(config, suite->factory_user, &t->pool);
    MUST(err == BP_OK, "the factory made no pool: %s", bp_err_name(err));
    MUST(t->pool != NULL, "the factory made no pool and said BP_OK");
    return choose_sizes(t);
}

static bool run_one(const bp_conformance *suite, const check *one) {
    bpi_trial t;
    const bool is_passed = trial_init(&t, suite) && one->run(&t);
    if (is_passed) bp_pool_release_take(&t.pool);
    bpi_os.free(t.held);
    if (suite->report != NULL) {
        suite->report(one->name, is_passed, is_passed ? one->promise : t.what, suite->report_user);
    }
    return is_passed;
}

static bool applies(const bp_conformance *suite, const check *one) {
    const unsigned has = (suite->is_bounded ? BOUNDED : 0u) | (suite->thread_count == 1 ? 0u : THREADS) |
                         (suite->is_bounded && suite->can_wait ? WAITS : 0u);
    return (one->needs & ~has) == 0 && (suite->only == NULL || strcmp(suite->only, one->name) == 0);
}

uint32_t bp_conformance_run(const bp_conformance *suite) {
    uint32_t run_count = 0, failed_count = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (!applies(suite, &checks[i])) continue;
        run_count++;
        if (!run_one(suite, &checks[i])) failed_count++;
    }
    return run_count == 0 ? 1 : failed_count;
}
