/* The tree of values: what was set is found, in the order in which it was set. */
#include "codegen/value.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static cg_arena *arena;

static void set_up(void) { arena = cg_arena_new(); }
static void tear_down(void) { cg_arena_free_take(&arena); }

START_TEST(maps_find_whole_names_only) {
    cg_value *const map = cg_value_map(arena);
    cg_set_text(arena, map, "name", "a");
    cg_set_flag(arena, map, "names", true);
    cg_set_number(arena, map, "count", UINT64_MAX);
    cg_set_format(arena, map, "size", "%d-%s", 12, "x");
    ck_assert_str_eq(cg_map_find(map, "name", 4)->value.text, "a");
    ck_assert(cg_map_find(map, "names.first", 5)->value.count == 1);
    ck_assert_str_eq(cg_map_find(map, "count", 5)->value.text, "18446744073709551615");
    ck_assert_str_eq(cg_map_find(map, "size", 4)->value.text, "12-x");
    ck_assert_ptr_null(cg_map_find(map, "nam", 3));
    ck_assert_ptr_null(cg_map_find(map, "named", 5));
    ck_assert_ptr_null(cg_map_find(map, "", 0));
}
END_TEST

START_TEST(lists_and_maps_grow_in_order) {
    enum { COUNT = 1000 };
    static char names[COUNT][16];
    cg_value *const map = cg_value_map(arena);
    cg_value *const small = cg_value_map_for(arena, 1);
    cg_value *const list = cg_value_list(arena);
    for (int i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "n%d", i);
        cg_set_text(arena, map, names[i], names[i]);
        cg_set_text(arena, small, names[i], names[i]);
        cg_append(arena, list, cg_value_text(arena, names[i]));
    }
    ck_assert_uint_eq(list->count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_str_eq(list->items[i].text, names[i]);
        ck_assert_str_eq(cg_map_find(map, names[i], strlen(names[i]))->value.text, names[i]);
        ck_assert_str_eq(cg_map_find(small, names[i], strlen(names[i]))->value.text, names[i]);
    }
}
END_TEST

START_TEST(what_was_set_stays_as_it_was) {
    cg_value *const map = cg_value_map(arena), *const list = cg_value_list(arena);
    cg_append(arena, list, cg_value_text(arena, "a"));
    cg_set(arena, map, "list", list);
    cg_append(arena, list, cg_value_text(arena, "b"));
    const cg_value *const held = &cg_map_find(map, "list", 4)->value;
    ck_assert_uint_eq(held->count, 1);
    ck_assert_str_eq(held->items[0].text, "a");
}
END_TEST

BPT_SUITE(codegen_value) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    BPT_TEST(maps_find_whole_names_only);
    BPT_TEST(lists_and_maps_grow_in_order);
    BPT_TEST(what_was_set_stays_as_it_was);
}
