#include "tests/unit/codegen/lock.h"

static const char contract[] = "schema: {name: shop, id: 0xFFFFFFFF, version: 1}\n"
                               "enums: {Side: {type: i8, open: true, values: {buy: -1, sell: 2}}}\n"
                               "types: {Level: {fields: {price: u64, orders: u32}}}\n"
                               "messages:\n"
                               "  Trade:\n"
                               "    tlv_type: 2\n"
                               "    fields:\n"
                               "      side: {type: Side, optional: true}\n"
                               "      levels: {type: 'Vec<Level>', validation: [{max_length: 64}]}\n"
                               "  Old: {tlv_type: 3, retired: true}\n";
static const char later[] = "schema: {name: shop, id: 0xFFFFFFFF, version: 2}\n"
                            "enums: {Side: {type: i8, open: true, values: {buy: -1, sell: 2}}}\n"
                            "types: {Level: {fields: {price: u64, orders: u32}}}\n"
                            "messages:\n"
                            "  Trade:\n"
                            "    tlv_type: 2\n"
                            "    fields:\n"
                            "      side: {type: Side, optional: true}\n"
                            "      levels: {type: 'Vec<Level>', validation: [{max_length: 64}]}\n"
                            "      more: {type: u64, since: 2}\n"
                            "  Old: {tlv_type: 3, retired: true}\n";

static const cg_lock *read_text(cg_arena *arena, cg_diags *diags, const char *text, size_t length) {
    *diags = (cg_diags){.arena = arena};
    return cg_lock_read(arena, cg_source_of(arena, "test.lock", text, length), diags);
}

START_TEST(the_latest_of_each_entry_stands) {
    cg_arena *arena = cg_arena_new();
    cg_diags diags;
    const char *text = bpt_publish(arena, later, bpt_publish(arena, contract, NULL));
    const cg_lock *lock = read_text(arena, &diags, text, strlen(text));
    ck_assert_ptr_nonnull(lock);
    ck_assert_uint_eq(lock->version, 2);
    ck_assert_uint_eq(lock->schema_id, 0xFFFFFFFF);
    ck_assert_str_eq(lock->schema_name, "shop");
    ck_assert_uint_eq(lock->message_count, 2);
    const cg_lock_entry *trade = cg_table_find(&lock->by_name, "Trade"), *side = cg_table_find(&lock->enums, "Side");
    ck_assert_uint_eq(trade->version, 2);
    ck_assert_uint_eq(trade->group_count, 2);
    ck_assert_str_eq(trade->groups[1].fields[0].name, "more");
    ck_assert_uint_eq(side->version, 1);
    ck_assert(side->is_open);
    cg_arena_free_take(&arena);
}
END_TEST

/* Whatever happens to a byte, a line or the end of a lock is found, except in what is no part of a version. */
START_TEST(no_byte_of_a_version_can_change_unseen) {
    static const char bytes[] = {' ', '\n', 'x', '1', '#', '-', '\0', '\xFF'};
    cg_arena *arena = cg_arena_new();
    const char *text = bpt_publish(arena, later, bpt_publish(arena, contract, NULL));
    const size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        for (size_t k = 0; k < sizeof bytes; k++) {
            if (text[i] == bytes[k]) continue;
            cg_diags diags;
            cg_arena *inner = cg_arena_new();
            char *changed = cg_arena_copy(inner, text, length);
            changed[i] = bytes[k];
            const bool is_between = text[i] == '\n' && (i + 1 == length || text[i - 1] == '\n' || text[i + 1] == '\n');
            const cg_lock *lock = read_text(inner, &diags, changed, length);
            ck_assert_msg(lock == NULL || is_between, "byte %zu as %d is not seen in\n%s", i, bytes[k], text);
            ck_assert_msg((lock == NULL) == (diags.error_count == 1), "one error for byte %zu as %d", i, bytes[k]);
            cg_arena_free_take(&inner);
        }
    }
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(no_line_can_go_or_stand_twice) {
    cg_arena *arena = cg_arena_new();
    const char *text = bpt_publish(arena, later, bpt_publish(arena, contract, NULL));
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        const size_t before = (size_t)(line - text), length = (size_t)(strchr(line, '\n') + 1 - line);
        cg_diags diags;
        cg_text without = {.arena = arena}, twice = {.arena = arena};
        if (length == 1) continue;
        cg_text_format(&without, "%.*s%s", (int)before, text, line + length);
        cg_text_format(&twice, "%.*s%s", (int)(before + length), text, line);
        ck_assert_msg(read_text(arena, &diags, without.data, without.length) == NULL, "without %.*s", (int)length,
                      line);
        ck_assert_msg(read_text(arena, &diags, twice.data, twice.length) == NULL, "twice %.*s", (int)length, line);
    }
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(a_lock_that_ends_early_is_refused) {
    cg_arena *arena = cg_arena_new();
    const char *text = bpt_publish(arena, contract, NULL);
    const size_t least = strlen("bufpool lock 1");
    for (size_t length = 0; length + 1 < strlen(text); length++) {
        cg_diags diags;
        const bool is_empty_lock = length >= least && length <= least + 2;
        ck_assert((read_text(arena, &diags, text, length) != NULL) == is_empty_lock);
    }
    cg_arena_free_take(&arena);
}
END_TEST

static const struct {
    const char *text, *says;
} bad[] = {
    {"", "1:1: error[E0701]: a lock begins with the line: bufpool lock 1"},
    {"bufpool lock 2\n", "1:1: error[E0701]: a lock begins with"},
    {"bufpool lock 1\nmessage A 1\n", "2:1: error[E0701]: this is not a line of a lock: a version begins here"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\n=======\n", "3:1: error[E0701]: two versions were merged"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nenum A u8\n", "3:1: error[E0701]: this is not a line"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nmessage A 0\nend 1 0\n", "tlv_type 0"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nmessage A 65536\n", "a number is missing or out of range"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nmessage A 1\n group 1\n", "'ends' is missing"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nmessage A 1\n  a u8 at 0 size 1\n", "no group has it"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nmessage A 1\n group 1 ends 1\n  a u8 at 0 size 1 odd\n",
     "a word is wrong here"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nmessage A 1\n   a u8 at 0 size 1\n", "in the wrong place"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\n a 1\n", "it belongs to nothing"},
    {"bufpool lock 1\nversion 1 s 0 min_compatible 1\nend 2 0\n", "it ends another version"},
    {"bufpool lock 1\nversion 1  s 0 min_compatible 1\n", "this is not a line of a lock"},
    {"bufpool lock 1\nversion 0 s 0 min_compatible 1\n", "versions of a lock rise"},
};

START_TEST(each_kind_of_bad_line_is_told) {
    cg_arena *arena = cg_arena_new();
    cg_diags diags;
    ck_assert_ptr_null(read_text(arena, &diags, bad[_i].text, strlen(bad[_i].text)));
    const char *said = cg_diags_print(&diags);
    ck_assert_msg(strstr(said, bad[_i].says) != NULL, "'%s' is not in\n%s", bad[_i].says, said);
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(the_lock_lies_beside_its_contract) {
    cg_arena *arena = cg_arena_new();
    ck_assert_str_eq(cg_lock_path(arena, "a/contracts.yaml"), "a/contracts.lock");
    ck_assert_str_eq(cg_lock_path(arena, "b.yml"), "b.lock");
    ck_assert_ptr_null(cg_lock_path(arena, "-"));
    ck_assert_str_eq(cg_lock_path(arena, "a.d/contract"), "a.d/contract.lock");
    cg_arena_free_take(&arena);
}
END_TEST

/* Frames of the version without fields are still read, under a new name as well; the next lock says so again. */
START_TEST(a_message_that_was_published_empty_keeps_its_first_group) {
    static const char empty[] = "schema: {name: s, version: 1}\nmessages: {Beat: {tlv_type: 1}}\n";
    static const char *const fuller[] = {
        "schema: {name: s, version: 2}\nmessages: {Beat: {tlv_type: 1, fields: {n: {type: u32, since: 2}}}}\n",
        "schema: {name: s, version: 3}\nmessages: {Pulse: {tlv_type: 1, was: Beat, fields: {n: {type: u32, since: 2}, "
        "m: "
        "{type: \"FixedVec<u8, 9>\", since: 3}}}}\n"};
    cg_arena *arena = cg_arena_new();
    const char *lock = bpt_publish(arena, empty, NULL);
    for (size_t i = 0; i < 2; i++) {
        bpt_compiled c = bpt_compile_locked(fuller[i], lock);
        ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
        const cg_message *m = &c.model->messages[0];
        ck_assert_uint_eq(m->group_count, 2 + i);
        ck_assert_uint_eq(m->groups[0].since, 1);
        ck_assert_uint_eq(m->groups[0].end, 0);
        ck_assert_uint_eq(m->accept_min, 0);
        ck_assert_uint_eq(bpt_field(m, "n")->group_ix, 1);
        bpt_compiled_free(&c);
        lock = bpt_publish(arena, fuller[i], lock);
    }
    bpt_compiled unpublished = bpt_compile_good(fuller[0]);
    ck_assert_uint_eq(unpublished.model->messages[0].accept_min, 4);
    bpt_compiled_free(&unpublished);
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_lock_read) {
    BPT_TEST(a_message_that_was_published_empty_keeps_its_first_group);
    BPT_TEST(the_latest_of_each_entry_stands);
    BPT_TEST(no_byte_of_a_version_can_change_unseen);
    BPT_TEST(no_line_can_go_or_stand_twice);
    BPT_TEST(a_lock_that_ends_early_is_refused);
    BPT_LOOP_TEST(each_kind_of_bad_line_is_told, 0, sizeof bad / sizeof bad[0]);
    BPT_TEST(the_lock_lies_beside_its_contract);
}
