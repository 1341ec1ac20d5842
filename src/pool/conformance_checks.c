/* The checks of the conformance suite that need one thread. */
#include "pool/conformance_internal.h"
#include "base/poison.h"

#include <string.h>

enum { SOME = 64 }; /* buffers held at once where it is not about how many */

/* ---- sizes ---- */

static bool is_refused(bpi_trial *t, uint64_t size) {
    bp_buf *buf = NULL;
    const bp_err err = bp_pool_acquire(t->pool, size, &buf);
    MUST(err == BP_ERR_ARGUMENT, "acquire of %llu bytes: %s instead of BP_ERR_ARGUMENT", (unsigned long long)size,
         bp_err_name(err));
    MUST(buf == NULL, "acquire of %llu bytes failed and gave a buffer", (unsigned long long)size);
    return true;
}

bool bpi_check_size_zero_is_refused(bpi_trial *t) {
    MUST(bp_pool_stride(t->pool, 0) == 0, "a size of 0 has a stride");
    return is_refused(t, 0);
}

/* Sizes at which a capacity, a long or a sum with a header's size would wrap. */
bool bpi_check_sizes_never_given_are_refused(bpi_trial *t) {
    const uint64_t sizes[] = {t->given_max + 1,
                              UINT64_C(1) << 32,
                              (UINT64_C(1) << 32) + 1,
                              (UINT64_C(1) << 32) + t->size_max,
                              UINT64_C(1) << 63,
                              UINT64_MAX - sizeof(bp_buf) + 1,
                              UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        MUST(bp_pool_stride(t->pool, sizes[i]) == 0, "%llu bytes have a stride, which no capacity can say",
             (unsigned long long)sizes[i]);
        if (!is_refused(t, sizes[i])) return false;
    }
    return true;
}

bool bpi_check_strides_are_consistent(bpi_trial *t) {
    uint64_t last = 0;
    for (uint32_t i = 0; i < t->size_count; i++) {
        const uint64_t stride = bp_pool_stride(t->pool, t->sizes[i]);
        MUST(stride >= t->sizes[i], "%lu bytes have a stride of %llu", (unsigned long)t->sizes[i],
             (unsigned long long)stride);
        MUST(stride >= last, "%lu bytes have a stride of %llu, fewer bytes one of %llu", (unsigned long)t->sizes[i],
             (unsigned long long)stride, (unsigned long long)last);
        MUST(bp_pool_stride(t->pool, stride) == stride, "%llu bytes are a stride and have one of %llu",
             (unsigned long long)stride, (unsigned long long)bp_pool_stride(t->pool, stride));
        last = stride;
    }
    return true;
}

bool bpi_check_capacity_is_the_size_asked_for(bpi_trial *t) {
    for (uint32_t i = 0; i < t->size_count; i++) {
        bpi_held held;
        if (!bpi_trial_hold(t, t->sizes[i], &held)) return false;
        MUST(bp_buf_capacity(held.buf) == t->sizes[i], "asked for %lu bytes, given a capacity of %lu",
             (unsigned long)t->sizes[i], (unsigned long)bp_buf_capacity(held.buf));
        MUST(bp_buf_pool(held.buf) == t->pool, "a buffer of another pool");
        bpi_trial_release(&held, 1);
    }
    return true;
}

static bool is_given_by_class(bpi_trial *t, uint32_t class_ix, uint32_t size) {
    bp_buf *buf = NULL;
    const bp_err err = bp_pool_acquire_class(t->pool, class_ix, size, &buf);
    MUST(err == BP_OK && buf != NULL, "acquire of %lu bytes, by class %lu: %s", (unsigned long)size,
         (unsigned long)class_ix, bp_err_name(err));
    MUST(bp_buf_capacity(buf) == size, "asked for %lu bytes, by class %lu, given a capacity of %lu",
         (unsigned long)size, (unsigned long)class_ix, (unsigned long)bp_buf_capacity(buf));
    memset(bp_buf_data(buf), 1, size);
    bp_buf_release(buf);
    return true;
}

bool bpi_check_class_indices_are_safe(bpi_trial *t) {
    const uint32_t size_ixs[] = {0, t->size_count / 2, t->size_count - 1};
    for (uint32_t class_ix = 0; class_ix <= BP_CLASS_MAX; class_ix++) {
        for (int i = 0; i < 3; i++) {
            if (!is_given_by_class(t, class_ix, t->sizes[size_ixs[i]])) return false;
        }
    }
    return true;
}

/* ---- buffers ---- */

bool bpi_check_bytes_are_aligned_to_16(bpi_trial *t) {
    uint32_t count = SOME;
    if (!bpi_trial_fill(t, 0, t->held, &count)) return false;
    for (uint32_t i = 0; i < count; i++) {
        const uintptr_t address = (uintptr_t)t->held[i].data;
        MUST(address % 16 == 0, "a buffer of %lu bytes begins %lu above a multiple of 16",
             (unsigned long)t->held[i].size, (unsigned long)(address % 16));
    }
    bpi_trial_release(t->held, count);
    return true;
}

static bool is_blank(bpi_trial *t, const bp_buf *buf) {
    const uint32_t references = BPI_LOAD(&buf->state) & BPI_BUF_REFS;
    MUST(references == 1, "a new buffer has %lu references: was bp_buf_init called for it?", (unsigned long)references);
    MUST(bp_buf_length(buf) == 0, "a new buffer has length %lu", (unsigned long)bp_buf_length(buf));
    MUST(bp_buf_type(buf) == 0, "a new buffer has type %u", bp_buf_type(buf));
    MUST(!bp_buf_is_sensitive(buf), "a new buffer is marked as sensitive");
    return true;
}

bool bpi_check_new_buffers_are_blank(bpi_trial *t) {
    for (uint32_t i = 0; i < 3 * t->size_count; i++) {
        bpi_held held;
        if (!bpi_trial_hold(t, t->sizes[i / 3], &held) || !is_blank(t, held.buf)) return false;
        bp_buf_set_length(held.buf, held.size);
        bp_buf_set_type(held.buf, UINT16_MAX);
        if (i % 3 != 0) bp_buf_set_sensitive(held.buf);
        bpi_trial_release(&held, 1);
    }
    return true;
}

bool bpi_check_buffers_do_not_overlap(bpi_trial *t) {
    uint32_t count = SOME;
    if (!bpi_trial_fill(t, 0, t->held, &count) || !bpi_trial_are_intact(t, t->held, count)) return false;
    for (uint32_t i = 0; i < count; i += 2) {
        const uint32_t size = t->held[i].size;
        bpi_trial_release(&t->held[i], 1);
        if (!bpi_trial_hold(t, size, &t->held[i])) return false;
    }
    if (!bpi_trial_are_intact(t, t->held, count)) return false;
    bpi_trial_release(t->held, count);
    return true;
}

/* One buffer has its references counted while others of its size come and go. */
bool bpi_check_every_reference_counts(bpi_trial *t) {
    bpi_held shared;
    if (!bpi_trial_hold(t, t->sizes[0], &shared)) return false;
    for (uint32_t references = 1; references < 5; references++) bp_buf_retain(shared.buf);
    for (uint32_t references = 5; references > 0; references--) {
        uint32_t count = SOME;
        if (!bpi_trial_fill(t, t->sizes[0], t->held, &count)) return false;
        for (uint32_t i = 0; i < count; i++) {
            MUST(t->held[i].buf != shared.buf && t->held[i].data != shared.data,
                 "a buffer with %lu references was handed out", (unsigned long)references);
        }
        if (!bpi_trial_is_intact(t, &shared)) return false;
        bpi_trial_release(t->held, count);
        bp_buf_release(shared.buf);
    }
    return true;
}

static const uint8_t secret[16] = "s.e-c/r_e:t;k+y!";

static bool shows_secret(const bpi_held *held) {
    for (uint32_t i = 0; i + sizeof secret <= held->size; i++) {
        if (memcmp(held->data + i, secret, sizeof secret) == 0) return true;
    }
    return false;
}

/* As bpi_trial_fill, but looks at what the buffers hold before a byte of them is written. */
static bool fill_looking(bpi_trial *t, uint32_t size, uint32_t *count) {
    for (uint32_t i = 0; i < *count; i++) {
        bpi_held *held = &t->held[i];
        *held = (bpi_held){.size = size};
        const bp_err err = bp_pool_acquire(t->pool, size, &held->buf);
        if (err == BP_ERR_LIMIT && t->suite->is_bounded && i != 0) {
            *count = i;
            break;
        }
        MUST(err == BP_OK, "acquire of %lu bytes: %s", (unsigned long)size, bp_err_name(err));
        held->data = bp_buf_data(held->buf);
        BPI_DEFINED(held->data, size);
        MUST(!shows_secret(held), "a buffer of %lu bytes came with another's secret", (unsigned long)size);
        for (uint32_t at = 0; at < size; at++) held->data[at] = secret[at % sizeof secret];
        bp_buf_set_sensitive(held->buf);
    }
    return true;
}

bool bpi_check_secrets_are_wiped(bpi_trial *t) {
    for (uint32_t turn = 0; turn < 3; turn++) {
        for (uint32_t i = 0; i < t->size_count; i += 2) {
            uint32_t count = 8;
            if (!fill_looking(t, t->sizes[i], &count)) return false;
            bpi_trial_release(t->held, count);
        }
    }
    return true;
}

/* ---- limits ---- */

bool bpi_check_released_buffers_serve_again(bpi_trial *t) {
    uint32_t full = 0, mixed = BPI_HELD_MAX;
    if (!bpi_trial_fill_up(t, &full)) return false;
    bpi_trial_release(t->held, full);
    if (!bpi_trial_fill(t, 0, t->held, &mixed)) return false;
    bpi_trial_release(t->held, mixed);
    for (uint32_t i = 0; i < 3 * full + t->size_count; i++) {
        if (!bpi_trial_hold(t, i < 3 * full ? t->size_max : t->sizes[i - 3 * full], t->held)) return false;
        bpi_trial_release(t->held, 1);
    }
    return true;
}

bool bpi_check_a_refusal_is_an_ordinary_error(bpi_trial *t) {
    uint32_t count = 0;
    if (!bpi_trial_fill_up(t, &count)) return false;
    for (int i = 0; i < 10; i++) {
        bpi_held none;
        if (!bpi_trial_try(t, t->size_max, &none)) return false;
        MUST(none.buf == NULL, "a full pool refused a buffer, and gave one although none came back");
    }
    if (!bpi_trial_are_intact(t, t->held, count)) return false;
    bpi_trial_release(&t->held[count / 2], 1);
    if (!bpi_trial_hold(t, t->size_max, &t->held[count / 2])) return false;
    if (!bpi_trial_are_intact(t, t->held, count)) return false;
    bpi_trial_release(t->held, count);
    if (!bpi_trial_hold(t, t->size_max, t->held)) return false;
    bpi_trial_release(t->held, 1);
    return true;
}

static bool keeps_limit(bpi_trial *t) {
    bp_pool_stats stats;
    bp_pool_stats_read(t->pool, &stats);
    MUST(stats.committed_bytes <= stats.committed_peak_bytes, "%llu bytes are committed, the peak was %llu",
         (unsigned long long)stats.committed_bytes, (unsigned long long)stats.committed_peak_bytes);
    MUST(stats.memory_limit == 0 || stats.committed_peak_bytes <= stats.memory_limit,
         "%llu bytes were committed, the limit is %llu", (unsigned long long)stats.committed_peak_bytes,
         (unsigned long long)stats.memory_limit);
    return true;
}

bool bpi_check_the_limit_holds(bpi_trial *t) {
    if (!bpi_trial_has_stats(t)) return true;
    uint64_t held_bytes = 0;
    uint32_t count = 0;
    for (; count < BPI_HELD_MAX; count++) {
        bp_pool_stats stats;
        if (!bpi_trial_try(t, t->sizes[count % t->size_count], &t->held[count]) || !keeps_limit(t)) return false;
        if (t->held[count].buf == NULL) break;
        held_bytes += t->held[count].size;
        bp_pool_stats_read(t->pool, &stats);
        MUST(stats.committed_bytes >= held_bytes, "%llu bytes are committed, and %llu are held",
             (unsigned long long)stats.committed_bytes, (unsigned long long)held_bytes);
    }
    bpi_trial_release(t->held, count);
    return keeps_limit(t);
}

static bool trims(bpi_trial *t, bool keep_idle) {
    bp_pool_stats before, after;
    bp_pool_stats_read(t->pool, &before);
    const uint64_t given = bp_pool_trim(t->pool, keep_idle);
    bp_pool_stats_read(t->pool, &after);
    MUST(!bpi_trial_has_stats(t) || before.committed_bytes - after.committed_bytes == given,
         "trim said %llu bytes, and the pool committed %llu before and %llu afterwards", (unsigned long long)given,
         (unsigned long long)before.committed_bytes, (unsigned long long)after.committed_bytes);
    return true;
}

bool bpi_check_trim_harms_nothing(bpi_trial *t) {
    uint32_t count = SOME;
    if (!bpi_trial_fill(t, 0, t->held, &count)) return false;
    for (uint32_t left = count; left > 0; left /= 2) {
        if (!trims(t, true) || !trims(t, false) || !bpi_trial_are_intact(t, t->held, left)) return false;
        bpi_trial_release(&t->held[left / 2], left - left / 2);
    }
    if (!trims(t, false) || !bpi_trial_fill(t, 0, t->held, &count)) return false;
    if (!bpi_trial_are_intact(t, t->held, count)) return false;
    bpi_trial_release(t->held, count);
    return trims(t, true) && trims(t, false);
}

/* ---- life ---- */

static bool is_closed(bpi_trial *t) {
    for (uint32_t i = 0; i < t->size_count; i++) {
        bp_buf *buf = NULL;
        bp_err err = bp_pool_acquire(t->pool, t->sizes[i], &buf);
        if (err == BP_ERR_CLOSED && buf == NULL)
            err = bp_pool_acquire_class(t->pool, i % BP_CLASS_MAX, t->sizes[i], &buf);
        MUST(err == BP_ERR_CLOSED, "acquire of %lu bytes after close: %s", (unsigned long)t->sizes[i],
             bp_err_name(err));
        MUST(buf == NULL, "acquire of %lu bytes after close failed and gave a buffer", (unsigned long)t->sizes[i]);
    }
    return true;
}

bool bpi_check_a_closed_pool_gives_no_buffers(bpi_trial *t) {
    uint32_t count = SOME;
    if (!bpi_trial_fill(t, 0, t->held, &count)) return false;
    bp_pool_close(t->pool);
    bp_pool_close(t->pool);
    if (!is_closed(t) || !bpi_trial_are_intact(t, t->held, count)) return false;
    bp_buf_release(bp_buf_retain(t->held[0].buf));
    (void)bp_pool_trim(t->pool, false);
    if (!bpi_trial_are_intact(t, t->held, count)) return false;
    bpi_trial_release(t->held, count);
    return is_closed(t);
}

/* The pool's own table, but for a free slot that counts. */
typedef struct spy {
    bp_pool_table table;
    const bp_pool_table *real;
    uint32_t freed_count;
} spy;

static void spy_free(bp_pool *pool) {
    spy *of = (spy *)(uintptr_t)pool->table;
    of->freed_count++;
    pool->table = of->real;
    of->real->free(pool);
}

static void spy_on(spy *of, bp_pool *pool) {
    const uint32_t known = pool->table->table_bytes;
    *of = (spy){.real = pool->table};
    memcpy(&of->table, of->real, known < sizeof of->table ? known : sizeof of->table);
    of->table.table_bytes = known < sizeof of->table ? known : (uint32_t)sizeof of->table;
    of->table.free = spy_free;
    pool->table = &of->table;
}

bool bpi_check_buffers_keep_the_pool(bpi_trial *t) {
    uint32_t count = SOME;
    spy watcher;
    spy_on(&watcher, t->pool);
    if (!bpi_trial_fill(t, 0, t->held, &count)) return false;
    bp_pool *second = bp_pool_retain(t->pool);
    bp_pool_release_take(&second);
    MUST(watcher.freed_count == 0, "freed while there was a reference");
    bp_pool_release_take(&t->pool);
    for (uint32_t left = count; left > 0; left--) {
        MUST(watcher.freed_count == 0, "freed while %lu buffers were out", (unsigned long)left);
        if (!bpi_trial_is_intact(t, &t->held[left - 1])) return false;
        bpi_trial_release(&t->held[left - 1], 1);
    }
    MUST(watcher.freed_count == 1, "not freed with its last buffer");
    return true;
}

/* ---- statistics ---- */

static bool class_adds_up(bpi_trial *t, uint32_t class_ix, bp_class_stats *sum) {
    bp_class_stats one;
    const bp_err err = bp_pool_class_stats_read(t->pool, class_ix, &one);
    MUST(err == BP_OK, "the counts of class %lu: %s", (unsigned long)class_ix, bp_err_name(err));
    MUST(one.acquires == one.releases + one.in_use, "of class %lu %llu were acquired, %llu came back, %llu are out",
         (unsigned long)class_ix, (unsigned long long)one.acquires, (unsigned long long)one.releases,
         (unsigned long long)one.in_use);
#define SUM(name) sum->name += one.name;
#define BP_CLASS_STAT(name, unit, kind, merge, text) merge(name)
#include "bufpool/stats.def"
#undef SUM
    return true;
}

static bool classes_add_up(bpi_trial *t, const bp_pool_stats *stats) {
    bp_class_stats sum = {0}, none;
    for (uint32_t i = 0; i < stats->class_count; i++) {
        if (!class_adds_up(t, i, &sum)) return false;
    }
#define BP_CLASS_STAT(name, unit, kind, merge, text)                                                                   \
    MUST(sum.name == stats->total.name, "%s: the classes make %llu, the total is %llu", #name,                         \
         (unsigned long long)sum.name, (unsigned long long)stats->total.name);
#include "bufpool/stats.def"
    MUST(bp_pool_class_stats_read(t->pool, stats->class_count, &none) == BP_ERR_ARGUMENT,
         "there are counts of a class that there is not");
    return true;
}

/* acquires, in_use: what they must be now. */
static bool stats_are(bpi_trial *t, uint64_t acquires, uint64_t in_use) {
    bp_pool_stats stats;
    bp_pool_stats_read(t->pool, &stats);
    MUST(stats.name != NULL, "the pool has no name");
    MUST(stats.class_count <= BP_CLASS_MAX, "%lu classes", (unsigned long)stats.class_count);
    MUST(stats.total.acquires + stats.exact_acquires == acquires, "%llu acquires are counted, %llu were made",
         (unsigned long long)(stats.total.acquires + stats.exact_acquires), (unsigned long long)acquires);
    MUST(stats.total.in_use + stats.exact_in_use == in_use, "%llu buffers are counted as in use, %llu are",
         (unsigned long long)(stats.total.in_use + stats.exact_in_use), (unsigned long long)in_use);
    return classes_add_up(t, &stats) && keeps_limit(t);
}

bool bpi_check_statistics_add_up(bpi_trial *t) {
    uint32_t count = SOME;
    if (!bpi_trial_has_stats(t)) return true;
    if (!stats_are(t, 0, 0) || !bpi_trial_fill(t, 0, t->held, &count)) return false;
    if (!stats_are(t, count, count)) return false;
    bp_buf_release(bp_buf_retain(t->held[0].buf));
    for (uint32_t left = count; left > 0; left--) {
        bpi_trial_release(&t->held[left - 1], 1);
        if (!stats_are(t, count, left - 1)) return false;
    }
    (void)bp_pool_trim(t->pool, false);
    return stats_are(t, count, 0);
}
