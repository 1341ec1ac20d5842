#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

static const bp_pool_config config = {.name = "made",
                                      .classes = bpt_classes,
                                      .class_count = BPT_CLASS_COUNT,
                                      .memory_limit = 4 * BPT_LARGEST_CLASS};

START_TEST(the_factories_make_the_librarys_pools) {
    bp_pool *sized = NULL, *heap = NULL;
    bpt_ok(bp_pool_factory_sized(&config, NULL, &sized));
    bpt_ok(bp_pool_factory_heap(&config, NULL, &heap));
    ck_assert_str_eq(bpt_stats(sized).name, "made");
    ck_assert_uint_eq(bpt_stats(sized).class_count, BPT_CLASS_COUNT);
    ck_assert_uint_eq(bpt_stats(sized).memory_limit, config.memory_limit);
    ck_assert_str_eq(bpt_stats(heap).name, "heap");
    ck_assert_uint_eq(bpt_stats(heap).memory_limit, config.memory_limit);
    bpt_pool_end_take(&sized);
    bpt_pool_end_take(&heap);
}
END_TEST

START_TEST(a_factory_that_fails_gives_nothing) {
    bp_pool_factory *const factories[] = {bp_pool_factory_sized, bp_pool_factory_heap};
    bp_pool *pool = (bp_pool *)1;
    bpt_os_watch();
    bpt_os_fail(0, true);
    bpt_err(factories[_i](&config, NULL, &pool), BP_ERR_NO_MEMORY);
    ck_assert_ptr_null(pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

START_TEST(a_factory_that_cannot_be_right_gives_nothing) {
    bp_pool_factory *const factories[] = {bp_pool_factory_sized, bp_pool_factory_heap};
    bp_pool_config more_than_all = config;
    bp_pool *pool = (bp_pool *)1;
    more_than_all.container_percent = 101;
    bpt_err(factories[_i](&more_than_all, NULL, &pool), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(pool);
}
END_TEST

START_TEST(a_configuration_without_classes_makes_a_heap_pool_only) {
    const bp_pool_config none = {.memory_limit = 1000};
    bp_pool *pool = (bp_pool *)1;
    bpt_err(bp_pool_factory_sized(&none, NULL, &pool), BP_ERR_ARGUMENT);
    ck_assert_ptr_null(pool);
    bpt_ok(bp_pool_factory_heap(&none, NULL, &pool));
    bpt_pool_end_take(&pool);
}
END_TEST

BPT_SUITE(pool_factory) {
    BPT_TEST(the_factories_make_the_librarys_pools);
    BPT_LOOP_TEST(a_factory_that_fails_gives_nothing, 0, 2);
    BPT_LOOP_TEST(a_factory_that_cannot_be_right_gives_nothing, 0, 2);
    BPT_TEST(a_configuration_without_classes_makes_a_heap_pool_only);
}
