#include "pool/pool_internal.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

enum { KNOWN = 40 };

/* Sizes in no order, with and without magazines. */
static bp_pool *pool_of_many(uint64_t *state) {
    static const bp_class first = {.size = 4096};
    const bp_pool_config config = {.classes = &first, .class_count = 1};
    bp_pool *pool = NULL;
    bpt_ok(bp_pool_new(&config, &pool));
    while (bpt_stats(pool).class_count < KNOWN) {
        const uint32_t shift = bpt_random(state) % 16;
        const bp_class added = {.size = 16 * (1 + bpt_random(state) % (32768u >> shift))};
        const bp_err err = bp_pool_class_add(pool, &added);
        if (err != BP_OK) bpt_err(err, BP_ERR_ARGUMENT); /* there already */
    }
    return pool;
}

static bpi_class *smallest_that_holds(const bpi_sized *pool, uint64_t served, uint64_t size) {
    bpi_class *best = NULL;
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        bpi_class *of = pool->classes[i];
        if ((served >> i & 1) == 0 || of->stride < size) continue;
        if (best == NULL || of->stride < best->stride) best = of;
    }
    return best;
}

static void check_size(const bpi_sized *pool, const bpi_sized_map *map, uint64_t size) {
    const bpi_class *of = smallest_that_holds(pool, map->served, size);
    const bool is_inline = of != NULL && of->depth != 0;
    bpt_must(bpi_map_find(map, size) == of);
    bpt_must(bpi_map_entry(&map->inline_map, size) == (is_inline ? of->entry : 0));
}

/* Every size around every class, and the inline table beside the slow search. */
static void check_map(const bpi_sized *pool, const bpi_sized_map *map) {
    for (uint32_t i = 0; i < bpi_class_count(pool); i++) {
        const bpi_class *of = pool->classes[i];
        const bool is_inline = (map->served >> i & 1) != 0 && of->depth != 0;
        ck_assert_uint_eq(map->inline_map.inline_classes[i].stride, is_inline ? of->stride : 0);
        ck_assert_uint_eq(map->inline_map.inline_classes[i].entry, is_inline ? of->entry : 0);
        for (uint64_t size = of->stride - 15; size < of->stride + UINT64_C(18); size++) check_size(pool, map, size);
    }
}

static bpi_sized_map *map_of(bpi_sized *pool, uint64_t served) {
    bpi_lock_enter(&bpi_registry);
    bpi_sized_map *map = bpi_map_get(pool, served);
    bpi_lock_leave(&bpi_registry);
    ck_assert_ptr_nonnull(map);
    return map;
}

START_TEST(every_size_finds_the_smallest_class_that_holds_it) {
    uint64_t state = bpt_seed(11);
    bp_pool *pool = pool_of_many(&state);
    bpi_sized *sized = bpi_sized_of(pool);
    const uint64_t all = UINT64_MAX >> (64 - KNOWN);
    check_map(sized, map_of(sized, all));
    check_map(sized, map_of(sized, 0));
    for (int turn = 0; turn < 50; turn++) {
        const uint64_t random = (uint64_t)bpt_random(&state) << 32 | bpt_random(&state);
        check_map(sized, map_of(sized, random & all));
    }
    bpt_pool_end_take(&pool);
}
END_TEST

START_TEST(the_same_classes_have_the_same_map) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    bpi_sized *sized = bpi_sized_of(pool);
    const bpi_sized_map *first = map_of(sized, 5), *second = map_of(sized, 7);
    ck_assert_ptr_ne(first, second);
    bpt_os_fail(UINT64_MAX, false);
    ck_assert_ptr_eq(map_of(sized, 5), first);
    ck_assert_ptr_eq(map_of(sized, 7), second);
    ck_assert_uint_eq(bpt_os_calls(), 0);
    bpt_pool_end_take(&pool);
    ck_assert_int_eq(bpt_os_live(), 0);
}
END_TEST

BPT_SUITE(pool_class_map) {
    BPT_TEST(every_size_finds_the_smallest_class_that_holds_it);
    BPT_TEST(the_same_classes_have_the_same_map);
}
