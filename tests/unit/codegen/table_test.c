#include "codegen/table.h"
#include "tests/support/suite.h"

START_TEST(what_was_added_first_is_found) {
    cg_arena *arena = cg_arena_new();
    cg_table table = {.arena = arena};
    static int values[5000];
    ck_assert_ptr_null(cg_table_find(&table, "k1"));
    for (int i = 0; i < 5000; i++) {
        ck_assert_ptr_eq(cg_table_add(&table, cg_arena_format(arena, "k%d", i), &values[i]), &values[i]);
    }
    for (int i = 0; i < 5000; i++) {
        const char *key = cg_arena_format(arena, "k%d", i);
        ck_assert_ptr_eq(cg_table_find(&table, key), &values[i]);
        ck_assert_ptr_eq(cg_table_add(&table, key, &values[0]), &values[i]);
    }
    ck_assert_uint_eq(table.count, 5000);
    ck_assert_ptr_null(cg_table_find(&table, "k5000"));
    ck_assert_ptr_null(cg_table_find(&table, ""));
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_cleared_table_has_nothing_and_is_as_good_as_new) {
    cg_arena *arena = cg_arena_new();
    cg_table table = {.arena = arena};
    static int values[100];
    for (int round = 0; round < 5; round++) {
        const int count = 20 * (5 - round); /* keys of the rounds before lie in between */
        for (int i = 0; i < count; i++) {
            const char *key = cg_arena_format(arena, "k%d", 7 * i);
            ck_assert_ptr_null(cg_table_find(&table, key));
            ck_assert_ptr_eq(cg_table_add(&table, key, &values[i]), &values[i]);
        }
        for (int i = 0; i < count; i++) {
            ck_assert_ptr_eq(cg_table_find(&table, cg_arena_format(arena, "k%d", 7 * i)), &values[i]);
        }
        ck_assert_uint_eq(table.count, (size_t)count);
        cg_table_clear(&table);
        ck_assert_uint_eq(table.count, 0);
    }
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(the_hash_is_fnv_1a) {
    /* Test vectors of the authors: http://www.isthe.com/chongo/tech/comp/fnv/ */
    ck_assert_uint_eq(cg_hash(CG_HASH_START, "", 0), UINT64_C(0xcbf29ce484222325));
    ck_assert_uint_eq(cg_hash(CG_HASH_START, "a", 1), UINT64_C(0xaf63dc4c8601ec8c));
    ck_assert_uint_eq(cg_hash(CG_HASH_START, "foobar", 6), UINT64_C(0x85944171f73967e8));
}
END_TEST

BPT_SUITE(codegen_table) {
    BPT_TEST(what_was_added_first_is_found);
    BPT_TEST(a_cleared_table_has_nothing_and_is_as_good_as_new);
    BPT_TEST(the_hash_is_fnv_1a);
}
