/* What a lock lets pass; what it refuses is shown by tests/bad/e07*. */
#include "tests/unit/codegen/lock.h"

static const char first[] = "schema: {name: shop, id: 7, version: 1}\n"
                            "enums: {Side: {type: u8, values: {buy: 1, sell: 2}}}\n"
                            "types: {Level: {fields: {price: u64, orders: u32, size: u32}}}\n"
                            "messages:\n"
                            "  Trade:\n"
                            "    tlv_type: 2\n"
                            "    fields:\n"
                            "      a: u32\n"
                            "      b: u32\n"
                            "      c: {type: u16, optional: true}\n"
                            "      d: {type: u8, optional: true}\n"
                            "      e: {type: Side}\n"
                            "      f: {type: 'Vec<Level>', validation: [{max_length: 64}]}\n"
                            "      g: {type: 'Vec<u64>', validation: [{max_length: 64}]}\n"
                            "  Other: {tlv_type: 3, fields: {a: u8}}\n";

static void check_passes(const char *contract) {
    cg_arena *arena = cg_arena_new();
    bpt_compiled c = bpt_compile_locked(contract, bpt_publish(arena, first, NULL));
    ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
    bpt_compiled_free(&c);
    cg_arena_free_take(&arena);
}

START_TEST(a_later_version_may_grow_rename_and_retire) {
    check_passes(
        "schema: {name: shop, id: 7, version: 2, min_compatible: 2}\n"
        "enums: {Direction: {type: u8, open: true, values: {buy: 1, sold: 2, hold: 3}}}\n"
        "types: {Step: {fields: {price: u64, orders: u32, size: {type: u32, validation: [{not_zero: true}]}}}}\n"
        "messages:\n"
        "  Deal:\n"
        "    tlv_type: 2\n"
        "    was: Trade\n"
        "    reserve: 64\n"
        "    fields:\n"
        "      a: {type: u32, validation: [{min: 1}]}\n"
        "      b: {type: u32, retired: true}\n"
        "      c: {type: u16, optional: true}\n"
        "      d: {type: u8, optional: true}\n"
        "      side: {type: Direction, was: e}\n"
        "      f: {type: 'FixedVec<Step, 100>'}\n"
        "      g: {type: 'Vec<u64>', validation: [{max_length: 8}]}\n"
        "      h: {type: u64, since: 2}\n"
        "  Other: {tlv_type: 3, retired: true}\n"
        "  More: {tlv_type: 4, fields: {a: u8}}\n");
}
END_TEST

START_TEST(moving_lines_moves_nothing) {
    static const char moved[] = "messages:\n"
                                "  Other: {tlv_type: 3, fields: {a: u8}}\n"
                                "  Trade:\n"
                                "    fields:\n"
                                "      g: {type: 'Vec<u64>', validation: [{max_length: 64}]}\n"
                                "      f: {type: 'Vec<Level>', validation: [{max_length: 64}]}\n"
                                "      e: {type: Side}\n"
                                "      d: {type: u8, optional: true}\n"
                                "      c: {type: u16, optional: true}\n"
                                "      b: u32\n"
                                "      a: u32\n"
                                "    tlv_type: 2\n"
                                "types: {Level: {fields: {size: u32, orders: u32, price: u64}}}\n"
                                "enums: {Side: {type: u8, values: {buy: 1, sell: 2}}}\n"
                                "schema: {name: shop, id: 7, version: 1}\n";
    cg_arena *arena = cg_arena_new();
    bpt_compiled before = bpt_compile_good(first), free_one = bpt_compile_good(moved);
    bpt_compiled locked = bpt_compile_locked(moved, bpt_publish(arena, first, NULL));
    ck_assert_msg(locked.model != NULL, "%s", cg_diags_print(&locked.diags));
    const cg_message *trade = bpt_message(&before, "Trade"), *same = bpt_message(&locked, "Trade");
    for (size_t i = 0; i < trade->field_count; i++) {
        const cg_field *field = &trade->fields[i], *now = bpt_field(same, field->name.text);
        ck_assert_uint_eq(now->offset, field->offset);
        ck_assert_uint_eq(now->bit, field->bit);
    }
    ck_assert_str_eq(same->tail[0]->name.text, trade->tail[0]->name.text);
    ck_assert_uint_eq(locked.model->contract_hash, before.model->contract_hash);
    /* Without the lock they would have moved. */
    ck_assert_uint_ne(bpt_field(bpt_message(&free_one, "Trade"), "a")->offset, bpt_field(trade, "a")->offset);
    ck_assert_uint_ne(bpt_field(bpt_message(&free_one, "Trade"), "c")->bit, bpt_field(trade, "c")->bit);
    bpt_compiled_free(&before);
    bpt_compiled_free(&free_one);
    bpt_compiled_free(&locked);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_new_field_may_stand_before_published_ones) {
    cg_arena *arena = cg_arena_new();
    const char *lock =
        bpt_publish(arena, "schema: {name: s}\nmessages: {A: {tlv_type: 1, fields: {a: u8, b: u8}}}\n", NULL);
    bpt_compiled c =
        bpt_compile_locked("schema: {name: s, version: 2}\n"
                           "messages: {A: {tlv_type: 1, fields: {x: {type: u8, since: 2}, b: u8, a: u8}}}\n",
                           lock);
    ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
    const cg_message *a = bpt_message(&c, "A");
    ck_assert_uint_eq(bpt_field(a, "a")->offset, 0);
    ck_assert_uint_eq(bpt_field(a, "b")->offset, 1);
    ck_assert_uint_eq(bpt_field(a, "x")->offset, 2);
    bpt_compiled_free(&c);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_former_name_is_needed_once_only) {
    static const char format[] = "schema: {name: s, version: %d}\nmessages: {A: {tlv_type: 1, fields: {%s}}}\n";
    cg_arena *arena = cg_arena_new();
    const char *lock = bpt_publish(arena, cg_arena_format(arena, format, 1, "a: u8"), NULL);
    lock = bpt_publish(arena, cg_arena_format(arena, format, 2, "b: {type: u8, was: a}"), lock);
    bpt_compiled c = bpt_compile_locked(cg_arena_format(arena, format, 2, "b: u8"), lock);
    ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
    bpt_compiled_free(&c);
    c = bpt_compile_locked(cg_arena_format(arena, format, 2, "a: u8"), lock);
    ck_assert_ptr_null(c.model);
    bpt_compiled_free(&c);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(what_was_renamed_may_get_its_name_back) {
    static const char format[] = "schema: {name: s, version: %d}\nmessages: {%s: {tlv_type: 1, %s fields: {%s}}}\n";
    cg_arena *arena = cg_arena_new();
    const char *lock = bpt_publish(arena, cg_arena_format(arena, format, 1, "A", "", "a: u8"), NULL);
    lock = bpt_publish(arena, cg_arena_format(arena, format, 2, "B", "was: A,", "b: {type: u8, was: a}"), lock);
    bpt_compiled c =
        bpt_compile_locked(cg_arena_format(arena, format, 3, "A", "was: B,", "a: {type: u8, was: b}"), lock);
    ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
    bpt_compiled_free(&c);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_message_may_be_renamed_and_retired_at_once) {
    static const char format[] = "schema: {name: s, version: %d}\n"
                                 "messages: {%s, X: {tlv_type: 2, fields: {a: u8}}}\n";
    cg_arena *arena = cg_arena_new();
    const char *lock = bpt_publish(arena, cg_arena_format(arena, format, 1, "A: {tlv_type: 1}"), NULL);
    bpt_compiled c = bpt_compile_locked(
        cg_arena_format(arena, format, 2, "B: {tlv_type: 1, was: A, retired: true}"), lock);
    ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
    bpt_compiled_free(&c);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_version_may_not_fall) {
    static const char format[] = "schema: {name: s, version: %d}\nmessages: {A: {tlv_type: 1, fields: {a: u8}}}\n";
    cg_arena *arena = cg_arena_new();
    bpt_compiled c = bpt_compile_locked(cg_arena_format(arena, format, 2),
                                        bpt_publish(arena, cg_arena_format(arena, format, 3), NULL));
    ck_assert_ptr_null(c.model);
    ck_assert_ptr_nonnull(strstr(cg_diags_print(&c.diags), "error[E0704]: version 3 is published already"));
    bpt_compiled_free(&c);
    cg_arena_free_take(&arena);
}
END_TEST

/* Until the version that retires it is published: then nobody can do anything about it any more. */
START_TEST(zeros_of_a_closed_enum_are_warned_of_once) {
    static const char format[] = "schema: {name: s, version: %d}\n"
                                 "enums: {E: {type: u8, values: {a: 1}}}\n"
                                 "messages: {M: {tlv_type: 1, fields: {e: %s, f: u8}}}\n";
    cg_arena *arena = cg_arena_new();
    const char *now = cg_arena_format(arena, format, 2, "{type: E, retired: true}");
    const char *lock = bpt_publish(arena, cg_arena_format(arena, format, 1, "E"), NULL);
    const char *const locks[] = {lock, bpt_publish(arena, now, lock)};
    for (unsigned i = 0; i < 2; i++) {
        bpt_compiled c = bpt_compile_locked(now, locks[i]);
        ck_assert_uint_eq(c.diags.warning_count, 1 - i);
        bpt_compiled_free(&c);
    }
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_lock_check) {
    BPT_TEST(a_later_version_may_grow_rename_and_retire);
    BPT_TEST(moving_lines_moves_nothing);
    BPT_TEST(a_new_field_may_stand_before_published_ones);
    BPT_TEST(a_former_name_is_needed_once_only);
    BPT_TEST(what_was_renamed_may_get_its_name_back);
    BPT_TEST(a_message_may_be_renamed_and_retired_at_once);
    BPT_TEST(a_version_may_not_fall);
    BPT_TEST(zeros_of_a_closed_enum_are_warned_of_once);
}
