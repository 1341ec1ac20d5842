#include "bufpool/pool.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>

/* A contract whose messages have blocks of exactly these sizes. */
static bpt_compiled with_sizes(const char *pool, const uint32_t *sizes, size_t count) {
    char text[4096];
    snprintf(text, sizeof text, "pool: {%s}\nmessages:\n", pool);
    for (size_t i = 0; i < count; i++) {
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "  M%zu: {tlv_type: %zu, fields: {a: \"[u8; %u]\"}}\n", i, i + 1, sizes[i]);
    }
    return bpt_compile_good(text);
}

static void check_classes(const bpt_compiled *c, const uint32_t *sizes, size_t count) {
    ck_assert_uint_eq(c->model->class_count, count);
    for (size_t i = 0; i < count; i++) ck_assert_uint_eq(c->model->classes[i].size, sizes[i]);
}

START_TEST(only_the_powers_that_some_message_needs) {
    static const uint32_t sizes[] = {1, 64, 65, 1024, 1025}, classes[] = {64, 128, 1024, 2048};
    bpt_compiled c = with_sizes("", sizes, 5);
    check_classes(&c, classes, 4);
    static const size_t ix[] = {0, 0, 1, 2, 3};
    for (size_t i = 0; i < 5; i++) {
        const cg_message *m = &c.model->messages[i];
        ck_assert_uint_eq(m->class_ix, ix[i]);
        ck_assert_uint_eq(m->class_size, classes[ix[i]]);
        ck_assert_uint_eq(m->waste, m->class_size - m->max);
        ck_assert_uint_eq(m->accept_max, m->class_size);
    }
    ck_assert_uint_eq(c.model->classes[0].message_count, 2);
    ck_assert_uint_eq(c.model->classes[0].idle_bytes, 65536);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(min_class_is_the_smallest) {
    static const uint32_t sizes[] = {1, 300}, classes[] = {256, 512};
    bpt_compiled c = with_sizes("min_class: 256, idle_bytes_per_class: 1MiB, memory_limit: 8KiB", sizes, 2);
    check_classes(&c, classes, 2);
    ck_assert_uint_eq(c.model->classes[1].idle_bytes, 1 << 20);
    ck_assert_uint_eq(c.model->memory_limit, 8192);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_list_is_taken_as_it_is) {
    static const uint32_t sizes[] = {1, 64, 65, 1408}, classes[] = {64, 192, 1408, 4096};
    bpt_compiled c = with_sizes("classes: [64, 192, 1408, 4KiB]", sizes, 4);
    check_classes(&c, classes, 4);
    ck_assert_uint_eq(c.model->messages[2].class_ix, 1);
    ck_assert_uint_eq(c.model->messages[3].waste, 0);
    ck_assert_uint_eq(c.model->classes[3].message_count, 0);
    bpt_compiled_free(&c);
}
END_TEST

/* The header is in the buffer's descriptor: 60 bytes and the six of the header would not fit. */
START_TEST(the_class_holds_the_value_without_its_header) {
    static const struct {
        int size;
        uint32_t class_size;
    } cases[] = {{58, 64}, {60, 64}, {64, 64}, {65, 128}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        snprintf(text, sizeof text, "messages: {T: {tlv_type: 1, fields: {a: \"[u8; %d]\"}}}", cases[i].size);
        bpt_compiled c = bpt_compile_good(text);
        ck_assert_uint_eq(c.model->messages[0].class_size, cases[i].class_size);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(reserve_counts_for_the_class_but_not_for_max) {
    bpt_compiled c = bpt_compile_good("messages: {T: {tlv_type: 1, reserve: 1, fields: {a: \"[u8; 64]\"}}}");
    ck_assert_uint_eq(c.model->messages[0].max, 64);
    ck_assert_uint_eq(c.model->messages[0].class_size, 128);
    bpt_compiled_free(&c);
}
END_TEST

/* 64 by itself, 100 and 112 in one class, and 1000; 0 bytes rest in 64. */
START_TEST(auto_takes_the_strides_that_waste_the_least) {
    static const uint32_t sizes[] = {100, 64, 112, 1000}, classes[] = {64, 112, 1008};
    bpt_compiled c = with_sizes("classes: auto:3", sizes, 4);
    check_classes(&c, classes, 3);
    ck_assert_str_eq(c.model->strategy, "auto:3");
    ck_assert_uint_eq(c.model->messages[0].waste, 12);
    bpt_compiled_free(&c);
    c = with_sizes("classes: auto:64", sizes, 4);
    check_classes(&c, classes, 3);
    bpt_compiled_free(&c);
}
END_TEST

/* A thousand times as many small ones: they get a class to themselves, and 100 goes with 1000. */
START_TEST(auto_weighs_by_rate) {
    static const char text[] = "pool: {classes: auto:2}\nmessages:\n"
                               "  A: {tlv_type: 1, rate: %s, fields: {a: \"[u8; 16]\"}}\n"
                               "  B: {tlv_type: 2, fields: {a: \"[u8; 96]\"}}\n"
                               "  C: {tlv_type: 3, reserve: 24, fields: {a: \"[u8; 1000]\"}}\n";
    static const struct {
        const char *rate;
        uint32_t first;
    } cases[] = {{"1000", 16}, {"1e3", 16}, {"0.5", 96}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char contract[512];
        snprintf(contract, sizeof contract, text, cases[i].rate);
        bpt_compiled c = bpt_compile_good(contract);
        const uint32_t classes[] = {cases[i].first, 1024};
        check_classes(&c, classes, 2);
        bpt_compiled_free(&c);
    }
}
END_TEST

/* What bp_pool_new refuses is refused here: four of the largest class, or two pages. */
START_TEST(a_limit_that_serves_nothing_is_refused) {
    static const struct { uint32_t size, least; } cases[] = {{64, 8192}, {2048, 8192}, {4096, 16384}, {65000, 262144}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (uint32_t under = 0; under < 2; under++) {
            char text[256];
            snprintf(text, sizeof text,
                     "pool: {memory_limit: %u}\nmessages: {M: {tlv_type: 1, fields: {a: \"[u8; %u]\"}}}",
                     cases[i].least - under, cases[i].size);
            bpt_compiled c = bpt_compile(text);
            ck_assert((c.model != NULL) == (under == 0));
            if (c.model != NULL) {
                const bp_class largest = {.size = c.model->classes[0].size};
                bp_pool_config config = {.classes = &largest, .class_count = 1, .memory_limit = cases[i].least};
                bp_pool *pool = NULL;
                bpt_ok(bp_pool_new(&config, &pool));
                bp_pool_release_take(&pool);
                config.memory_limit--;
                bpt_err(bp_pool_new(&config, &pool), BP_ERR_ARGUMENT);
            }
            bpt_compiled_free(&c);
        }
    }
}
END_TEST

BPT_SUITE(codegen_classes) {
    BPT_TEST(only_the_powers_that_some_message_needs);
    BPT_TEST(min_class_is_the_smallest);
    BPT_TEST(a_list_is_taken_as_it_is);
    BPT_TEST(the_class_holds_the_value_without_its_header);
    BPT_TEST(reserve_counts_for_the_class_but_not_for_max);
    BPT_TEST(auto_takes_the_strides_that_waste_the_least);
    BPT_TEST(auto_weighs_by_rate);
    BPT_TEST(a_limit_that_serves_nothing_is_refused);
}
