#include "codegen/ids.h"
#include "tests/support/suite.h"

START_TEST(what_was_set_is_found_and_comes_by_ascending_id) {
    static const uint16_t used[] = {65535, 0, 256, 255, 1, 40000, 40001};
    static const uint16_t ascending[] = {0, 1, 255, 256, 40000, 40001, 65535};
    static char things[65536];
    cg_arena *arena = cg_arena_new();
    cg_ids ids = {.arena = arena};
    uint32_t next = 0;
    ck_assert_ptr_null(cg_ids_next(&ids, &next));
    for (size_t i = 0; i < sizeof used / sizeof *used; i++) cg_ids_set(&ids, used[i], &things[used[i]]);
    for (uint32_t id = 0, seen = 0; id <= CG_IDS_MAX; id++) {
        const bool is_used = seen < sizeof ascending / sizeof *ascending && ascending[seen] == id;
        bpt_must(cg_ids_find(&ids, (uint16_t)id) == (is_used ? &things[id] : NULL));
        seen += is_used;
    }
    next = 0;
    for (size_t i = 0; i < sizeof ascending / sizeof *ascending; i++) {
        ck_assert_ptr_eq(cg_ids_next(&ids, &next), &things[ascending[i]]);
        ck_assert_uint_eq(next, ascending[i] + 1U);
    }
    ck_assert_ptr_null(cg_ids_next(&ids, &next));
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(what_is_set_again_takes_the_place) {
    cg_arena *arena = cg_arena_new();
    cg_ids ids = {.arena = arena};
    int first = 0, second = 0;
    uint32_t next = 0;
    cg_ids_set(&ids, 7, &first);
    cg_ids_set(&ids, 7, &second);
    ck_assert_ptr_eq(cg_ids_find(&ids, 7), &second);
    cg_ids_set(&ids, 8, &first);
    cg_ids_set(&ids, 8, NULL);
    ck_assert_ptr_null(cg_ids_find(&ids, 8));
    ck_assert_ptr_eq(cg_ids_next(&ids, &next), &second);
    ck_assert_ptr_null(cg_ids_next(&ids, &next));
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_ids) {
    BPT_TEST(what_was_set_is_found_and_comes_by_ascending_id);
    BPT_TEST(what_is_set_again_takes_the_place);
}
