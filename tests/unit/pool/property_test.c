/* Random operations on a pool and on a plain model of it: what is out, with which contents, and what the statistics
 * must therefore say. SEED=n repeats a failing run. */
#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

enum { SLOTS = 400, OPERATIONS = 200000, LIMIT = 8 * BPT_LARGEST_CLASS };

typedef struct model {
    bp_buf *buf[SLOTS];
    uint32_t size[SLOTS], references[SLOTS];
    uint8_t mark[SLOTS];
    uint64_t acquires, in_use; /* of classes and exact ones together */
} model;

static uint64_t random_size(uint64_t *state) {
    const uint32_t kind = bpt_random(state) % 1000;
    if (kind < 900) return 1 + bpt_random(state) % 4096;
    if (kind < 940) return bpt_classes[bpt_random(state) % BPT_CLASS_COUNT].size;
    if (kind < 980) return 1 + bpt_classes[bpt_random(state) % BPT_CLASS_COUNT].size;
    return 1 + bpt_random(state) % (2 * BPT_LARGEST_CLASS);
}

static void mark_ends(bp_buf *buf, uint8_t mark) {
    bp_buf_data(buf)[0] = mark;
    bp_buf_data(buf)[bp_buf_capacity(buf) - 1] = mark;
    bp_buf_set_type(buf, mark);
}

static bool is_as_left(const model *expected, uint32_t at) {
    const bp_buf *buf = expected->buf[at];
    const uint8_t mark = expected->mark[at];
    return bp_buf_capacity(buf) == expected->size[at] && bp_buf_type(buf) == mark && bp_buf_data(buf)[0] == mark &&
           bp_buf_data(buf)[expected->size[at] - 1] == mark;
}

static void acquire_one(bp_pool *pool, model *expected, uint32_t at, uint64_t *state) {
    const uint64_t size = random_size(state);
    bp_err err = BP_OK;
    if (bpt_random(state) % 2 == 0) {
        err = bp_pool_acquire(pool, size, &expected->buf[at]);
    } else {
        err = bp_pool_acquire_class(pool, bpt_random(state) % 8, (uint32_t)size, &expected->buf[at]);
    }
    if (err != BP_OK) {
        ck_assert_int_eq(err, BP_ERR_LIMIT);
        ck_assert_ptr_null(expected->buf[at]);
        return;
    }
    expected->size[at] = (uint32_t)size;
    expected->references[at] = 1;
    expected->mark[at] = (uint8_t)bpt_random(state);
    expected->acquires++;
    expected->in_use++;
    mark_ends(expected->buf[at], expected->mark[at]);
}

static void release_one(model *expected, uint32_t at) {
    ck_assert(is_as_left(expected, at));
    bp_buf_release(expected->buf[at]);
    if (--expected->references[at] > 0) return;
    expected->buf[at] = NULL;
    expected->in_use--;
}

static void check_counts(bp_pool *pool, const model *expected) {
    const bp_pool_stats stats = bpt_stats(pool);
    ck_assert_uint_eq(stats.total.acquires + stats.exact_acquires, expected->acquires);
    ck_assert_uint_eq(stats.total.in_use + stats.exact_in_use, expected->in_use);
    ck_assert_uint_le(stats.committed_peak_bytes, LIMIT);
    ck_assert(bpi_pool_is_valid(pool));
}

static void *trim_all(void *pool) {
    (void)bp_pool_trim(pool, false);
    return NULL;
}

static void step(bp_pool *pool, model *expected, uint64_t *state) {
    const uint32_t at = bpt_random(state) % SLOTS;
    const uint32_t what = bpt_random(state) % 10000;
    if (what < 3) {
        bpt_on_thread(trim_all, pool);
    } else if (what < 20) {
        (void)bp_pool_trim(pool, what % 2 == 0);
    } else if (expected->buf[at] == NULL) {
        acquire_one(pool, expected, at, state);
    } else if (what < 500) {
        bp_buf_retain(expected->buf[at]);
        expected->references[at]++;
    } else {
        release_one(expected, at);
    }
}

START_TEST(random_operations_agree_with_a_plain_model) {
    static model expected;
    const uint64_t seed = bpt_seed(0x5EED + (uint64_t)_i);
    uint64_t state = seed;
    fprintf(stderr, "SEED=%llu\n", (unsigned long long)seed);
    bp_pool *pool = bpt_pool_new(LIMIT);
    for (uint32_t i = 0; i < OPERATIONS; i++) {
        step(pool, &expected, &state);
        if (i % 500 == 0) check_counts(pool, &expected);
    }
    for (uint32_t at = 0; at < SLOTS; at++) {
        while (expected.buf[at] != NULL) release_one(&expected, at);
    }
    check_counts(pool, &expected);
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_property) { BPT_LOOP_TEST(random_operations_agree_with_a_plain_model, 0, 2); }
