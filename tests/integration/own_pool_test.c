/* The example of a pool of one's own keeps what every pool must keep, and its factory refuses what it cannot make. */
#include "bufpool/conformance.h"
#include "examples/own_pool/block_pool.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static void note_failure(const char *check, bool is_passed, const char *what, void *user) {
    if (!is_passed) snprintf(user, 400, "%s: %s", check, what);
}

/* As it comes, with more threads than blocks, and with one block. */
START_TEST(the_example_conforms) {
    const bp_class classes[] = {{64, 0}, {96, 0}};
    const bp_pool_config few = {.classes = classes, .class_count = 2, .memory_limit = 6 * 96};
    const bp_pool_config one = {.classes = classes, .class_count = 1, .memory_limit = 127};
    const bp_pool_config *configs[] = {NULL, &few, &one};
    char failure[400] = "";
    const bp_conformance suite = {.factory = block_pool_factory,
                                  .config = configs[_i],
                                  .report = note_failure,
                                  .report_user = failure,
                                  .thread_count = 8,
                                  .is_bounded = true};
    const uint32_t failed_count = bp_conformance_run(&suite);
    ck_assert_msg(failed_count == 0, "%s", failure);
}
END_TEST

START_TEST(the_example_gives_all_its_blocks_and_no_more) {
    const bp_class classes[] = {{64, 0}};
    const bp_pool_config config = {.classes = classes, .class_count = 1, .memory_limit = 64 * 10 + 63};
    bp_pool *pool = NULL;
    bp_buf *bufs[10], *none = NULL;
    bpt_ok(block_pool_factory(&config, NULL, &pool));
    for (int i = 0; i < 10; i++) {
        bufs[i] = bpt_acquire(pool, 64);
        memset(bp_buf_data(bufs[i]), i, 64);
    }
    bpt_err(bp_pool_acquire(pool, 1, &none), BP_ERR_LIMIT);
    bpt_err(bp_pool_acquire(pool, 65, &none), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(bpt_stats(pool).total.idle, 0);
    for (int i = 0; i < 10; i++) bp_buf_release(bufs[i]);
    ck_assert_uint_eq(bpt_stats(pool).total.idle, 10);
    ck_assert_uint_eq(bpt_stats(pool).total.high_water, 10);
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, 640);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(the_examples_factory_refuses_what_it_cannot_make) {
    const bp_class good[] = {{64, 0}}, odd[] = {{100, 0}}, nothing[] = {{0, 0}};
    const bp_pool_config configs[] = {
        {.memory_limit = 1000},                                                  /* no class */
        {.classes = good, .class_count = 1},                                     /* no limit */
        {.classes = good, .class_count = 1, .memory_limit = 63},                 /* no block fits */
        {.classes = odd, .class_count = 1, .memory_limit = 1000},                /* not a multiple of 16 */
        {.classes = nothing, .class_count = 1, .memory_limit = 1000},            /* blocks of nothing */
        {.classes = good, .class_count = 1, .memory_limit = UINT64_C(64) << 32}, /* more than it counts */
    };
    bp_pool *pool = (bp_pool *)1;
    bpt_err(block_pool_factory(&configs[_i], NULL, &pool), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(pool);
}
END_TEST

BPT_SUITE(integration_own_pool) {
    BPT_LOOP_TEST(the_example_conforms, 0, 3);
    BPT_TEST(the_example_gives_all_its_blocks_and_no_more);
    BPT_LOOP_TEST(the_examples_factory_refuses_what_it_cannot_make, 0, 6);
}
