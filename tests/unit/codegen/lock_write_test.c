#include "tests/unit/codegen/lock.h"

static const char first[] = "schema: {name: shop, id: 7, version: 1}\n"
                            "enums:\n"
                            "  Side: {type: u8, values: {buy: 1, sell: 2}}\n"
                            "  Unused: {type: u8, values: {a: 1}}\n"
                            "types:\n"
                            "  Level: {fields: {orders: u32, price: u64}}\n"
                            "  Price: {is: u64}\n"
                            "  Spare: {fields: {a: u8}}\n"
                            "messages:\n"
                            "  Trade:\n"
                            "    tlv_type: 2\n"
                            "    fields:\n"
                            "      side: {type: Side, optional: true, default: buy}\n"
                            "      price: Price\n"
                            "      key: Address\n"
                            "      names: {type: '[FixedStr<8>; 2]'}\n"
                            "      levels: {type: 'Vec<Level>', validation: [{max_length: 64}]}\n"
                            "      gone: {type: u16, retired: true}\n"
                            "  Old: {tlv_type: 3, retired: true}\n";

static const char published[] = "bufpool lock 1\n"
                                "\n"
                                "version 1 shop 0x00000007 min_compatible 1\n"
                                "enum Side u8 closed\n"
                                " buy 1\n"
                                " sell 2\n"
                                "type Level align 8\n"
                                " group 1 ends 16\n"
                                "  orders u32 at 8 size 4\n"
                                "  price u64 at 0 size 8\n"
                                "message Trade 2 block_len 8\n"
                                " group 1 ends 54 bitmap 1 at 14\n"
                                "  side Side at 15 size 1 bit 0\n"
                                "  price u64 at 0 size 8\n"
                                "  key [u8;20] at 16 size 20\n"
                                "  names [String<8>;2] at 36 size 18\n"
                                "  levels Vec<Level,64> at 10 size 2 count 2 tail\n"
                                "  gone u16 at 12 size 2 retired\n"
                                "retired Old 3\n"
                                "end 1 ";

START_TEST(a_version_is_written_with_what_its_messages_use) {
    cg_arena *arena = cg_arena_new();
    const char *lock = bpt_publish(arena, first, NULL);
    ck_assert_uint_gt(strlen(lock), sizeof published);
    ck_assert_str_eq(cg_arena_copy(arena, lock, sizeof published - 1), published);
    ck_assert_uint_eq(strlen(lock), sizeof published - 1 + 16 + 1);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_later_version_holds_what_is_new_or_changed) {
    static const char second[] = "schema: {name: shop, id: 7, version: 4, min_compatible: 2}\n"
                                 "enums:\n"
                                 "  Side: {type: u8, values: {buy: 1, sell: 2, hold: 3}}\n"
                                 "types:\n"
                                 "  Level: {fields: {orders: u32, price: u64}}\n"
                                 "messages:\n"
                                 "  Trade:\n"
                                 "    tlv_type: 2\n"
                                 "    fields:\n"
                                 "      side: {type: Side, optional: true, default: buy}\n"
                                 "      price: u64\n"
                                 "      key: Address\n"
                                 "      names: {type: '[FixedStr<8>; 2]'}\n"
                                 "      levels: {type: 'Vec<Level>', validation: [{max_length: 64}]}\n"
                                 "      gone: {type: u16, retired: true}\n"
                                 "  Old: {tlv_type: 3, retired: true}\n"
                                 "  Fresh: {tlv_type: 1, fields: {a: u8}}\n";
    static const char added[] = "\n"
                                "version 4 shop 0x00000007 min_compatible 2\n"
                                "enum Side u8 closed\n"
                                " buy 1\n"
                                " sell 2\n"
                                " hold 3\n"
                                "message Fresh 1\n"
                                " group 1 ends 1\n"
                                "  a u8 at 0 size 1\n"
                                "end 4 ";
    cg_arena *arena = cg_arena_new();
    const char *before = bpt_publish(arena, first, NULL);
    const char *after = bpt_publish(arena, second, before);
    ck_assert_int_eq(strncmp(after, before, strlen(before)), 0);
    ck_assert_str_eq(cg_arena_copy(arena, after + strlen(before), sizeof added - 1), added);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(what_is_published_is_no_change_whatever_the_line_ends) {
    cg_text lines = {.arena = cg_arena_new()};
    const char *lock = bpt_publish(lines.arena, first, NULL);
    for (const char *at = lock; *at != '\0'; at++) cg_text_format(&lines, *at == '\n' ? "\r\n" : "%c", *at);
    bpt_compiled same = bpt_compile_locked(first, lock), other = bpt_compile_locked(first, cg_text_end(&lines));
    ck_assert_msg(same.model != NULL, "%s", cg_diags_print(&same.diags));
    ck_assert_msg(other.model != NULL, "%s", cg_diags_print(&other.diags));
    bpt_compiled_free(&same);
    bpt_compiled_free(&other);
    cg_arena_free_take(&lines.arena);
}
END_TEST

BPT_SUITE(codegen_lock_write) {
    BPT_TEST(a_version_is_written_with_what_its_messages_use);
    BPT_TEST(a_later_version_holds_what_is_new_or_changed);
    BPT_TEST(what_is_published_is_no_change_whatever_the_line_ends);
}
