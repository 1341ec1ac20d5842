/* The emitter: which files, the same bytes every time, and nothing of a contract's words that could break C. */
#include "codegen/build.h"
#include "codegen/emit.h"

#include "tests/unit/codegen/compile.h"

#include <stdio.h>
#include <string.h>

static cg_arena *arena;

static void set_up(void) { arena = cg_arena_new(); }
static void tear_down(void) { cg_arena_free_take(&arena); }

static cg_outputs emit_parts(const char *contract, unsigned parts) {
    cg_outputs outputs = {.arena = arena};
    cg_diags diags = {.arena = arena};
    const cg_source *const source = cg_source_of(arena, "farm.yaml", contract, strlen(contract));
    const cg_model *const model = cg_compile(arena, source, NULL, &diags);
    ck_assert_msg(model != NULL, "%s", cg_diags_print(&diags));
    ck_assert_msg(cg_emit(model, parts, &outputs) == CG_OK, "%s", outputs.error);
    return outputs;
}

static cg_outputs emit(const char *contract) { return emit_parts(contract, CG_PARTS_DEFAULT); }

static const char *text_of(const cg_outputs *outputs, const char *name) {
    for (size_t i = 0; i < outputs->count; i++) {
        if (strcmp(outputs->items[i].name, name) == 0) return outputs->items[i].text;
    }
    ck_abort_msg("no %s", name);
    return "";
}

static const char small[] =
    "schema: {name: farm}\n"
    "messages:\n"
    "  Cow: {tlv_type: 7, fields: {weight: u32, name: {type: String, validation: [{max_length: 40}]}}}\n";

START_TEST(six_files_in_a_fixed_order) {
    static const char *const names[] = {"farm.h",          "farm_sizes.h",   "farm_messages.h",
                                        "farm_messages.c", "farm_service.h", "farm_service.c"};
    const cg_outputs outputs = emit(small);
    ck_assert_uint_eq(outputs.count, sizeof names / sizeof names[0]);
    for (size_t i = 0; i < outputs.count; i++) {
        ck_assert_str_eq(outputs.items[i].name, names[i]);
        ck_assert_uint_eq(outputs.items[i].length, strlen(outputs.items[i].text));
        ck_assert(strncmp(outputs.items[i].text, "/* Written by bufpoolc from farm.yaml, do not edit: ", 52) == 0);
    }
}
END_TEST

/* A block of 8 bytes, a tail of 40 bytes: a constant that says otherwise does not compile. */
START_TEST(constants_are_tied_to_what_codecs_write) {
    const cg_outputs outputs = emit(small);
    const char *const source = text_of(&outputs, "farm_messages.c");
    ck_assert_ptr_nonnull(strstr(source, "static_assert(FARM_COW_MAX <= FARM_COW_CLASS, "));
    ck_assert_ptr_nonnull(strstr(source, "static_assert(FARM_COW_MAX == BPI_ALIGNED(8, 1) + FARM_COW_NAME_CAP * 1,\n"));
}
END_TEST

/* Whatever is asked for, each file once and in the same order. */
START_TEST(parts_are_written_alone_and_together) {
    const cg_outputs all = emit_parts(small, ~0u);
    size_t next = 0, words = 0;
    for (size_t i = 0; i < cg_part_count; i++) {
        const cg_outputs part = emit_parts(small, cg_parts[i].bits);
        ck_assert_uint_ge(part.count, 1);
        /* What has a dot is one file of a part whose other words came before it. */
        const bool is_file = strchr(cg_parts[i].word, '.') != NULL;
        for (size_t k = 0; k < part.count; k++) {
            const size_t at = is_file ? words++ : next++;
            ck_assert_str_eq(part.items[k].name, all.items[at].name);
            ck_assert_str_eq(part.items[k].text, all.items[at].text);
        }
        if (!is_file) words = next - part.count;
    }
    ck_assert_uint_eq(next, all.count);
    ck_assert_uint_eq(emit_parts(small, 0).count, 0);
}
END_TEST

START_TEST(names_are_those_of_all_files) {
    const cg_outputs all = emit_parts(small, ~0u);
    bpt_compiled c = bpt_compile_good(small);
    cg_outputs names = {.arena = c.arena};
    cg_emit_names(c.model, &names);
    ck_assert_uint_eq(names.count, all.count);
    for (size_t i = 0; i < all.count; i++) ck_assert_str_eq(names.items[i].name, all.items[i].name);
    bpt_compiled_free(&c);
}
END_TEST

/* What the root has is on the page; counts go with their lists. */
START_TEST(the_page_of_templates_has_every_name_of_the_root) {
    char page[1 << 16], quoted[80];
    FILE *file = fopen("docs/TEMPLATES.md", "rb");
    ck_assert_msg(file != NULL, "the tests are run from the root of the source tree");
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    char *root = strstr(page, "Root: ");
    ck_assert_ptr_nonnull(root);
    *strstr(root, "\n\n") = '\0';
    bpt_compiled c = bpt_compile_good(small);
    const cg_value *values = cg_emit_values(c.model, c.arena);
    for (size_t i = 0; i < values->count; i++) {
        const char *name = values->named[i].name;
        snprintf(quoted, sizeof quoted, "`%s`", name);
        const bool is_count = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_count") == 0;
        ck_assert_msg(is_count || strstr(root, quoted) != NULL, "docs/TEMPLATES.md does not name %s of the root", name);
    }
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(output_is_the_same_every_time) {
    const cg_outputs one = emit(small), other = emit(small);
    for (size_t i = 0; i < one.count; i++) ck_assert_str_eq(one.items[i].text, other.items[i].text);
}
END_TEST

START_TEST(every_file_but_the_sizes_checks_the_hash) {
    const cg_outputs outputs = emit(small);
    for (size_t i = 0; i < outputs.count; i++) {
        const bool is_sizes = strcmp(outputs.items[i].name, "farm_sizes.h") == 0;
        ck_assert_int_eq(strstr(outputs.items[i].text, "FARM_CONTRACT_HASH != 0x") == NULL, is_sizes);
    }
}
END_TEST

/* block_len at 4, count of name at 6: a block of 8, then up to 40 bytes. */
START_TEST(constants_come_from_the_layout) {
    const cg_outputs outputs = emit(small);
    const char *const sizes = text_of(&outputs, "farm_sizes.h");
    static const char *const lines[] = {"#define FARM_COW_TYPE 7\n",     "#define FARM_COW_BLOCK 8\n",
                                        "#define FARM_COW_MIN 8\n",      "#define FARM_COW_MAX 48\n",
                                        "#define FARM_COW_CLASS 64\n",   "#define FARM_COW_WASTE 16\n",
                                        "#define FARM_COW_NAME_CAP 40\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ck_assert_msg(strstr(sizes, lines[i]) != NULL, "%s", lines[i]);
}
END_TEST

/* What is measured and then stored is read once: lengths are stored first, of later versions too, but not of what may
 * be absent; and where nothing is measured, no restrict lets the compiler mix up the order of stores. */
START_TEST(what_was_measured_is_stored_first) {
    const cg_outputs outputs = emit("schema: {name: farm, version: 2}\n"
                                    "messages:\n"
                                    "  Cow:\n"
                                    "    tlv_type: 7\n"
                                    "    fields:\n"
                                    "      weight: u32\n"
                                    "      name: {type: \"FixedStr<8>\"}\n"
                                    "      tag: {type: \"FixedStr<8>\", optional: true}\n"
                                    "      mark: {type: \"bytes<3>\", since: 2}\n"
                                    "  Calf: {tlv_type: 8, fields: {weight: u32}}\n");
    const char *const source = text_of(&outputs, "farm_messages.c");
    const char *const block = strstr(source, "static inline void cow_store_block_(");
    const char *const weight = strstr(block, "in->weight);");
    const char *const first[] = {"in->name_length);", "in->mark_length);"};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++) {
        const char *const stored = strstr(block, first[i]);
        ck_assert_ptr_nonnull(stored);
        ck_assert_msg(stored < weight, "%s is not stored first", first[i]);
        ck_assert_msg(strstr(stored + 1, first[i]) == NULL, "%s is stored again", first[i]);
    }
    ck_assert(strstr(block, "in->tag_length);") > strstr(block, "if (in->has_tag) {"));
    ck_assert_ptr_nonnull(strstr(source, "farm_cow_encode(const farm_cow *restrict message, uint8_t *restrict out,\n"));
    ck_assert_ptr_nonnull(strstr(source, "farm_calf_encode(const farm_calf *message, uint8_t *out,\n"));
}
END_TEST

/* Words of a contract stand in comments and strings of C: they must not end them. */
START_TEST(descriptions_cannot_leave_their_comment) {
    const cg_outputs outputs =
        emit("schema: {name: farm}\n"
             "messages:\n"
             "  Cow:\n"
             "    tlv_type: 7\n"
             "    description: \"ends */ int x; /* begins\"\n"
             "    fields:\n"
             "      name: {type: \"FixedStr<8>\", description: \"a */ b\", unit: \"*/\", default: \"q\\\"*/\"}\n");
    const char *const header = text_of(&outputs, "farm_messages.h");
    ck_assert(strstr(header, "ends */") == NULL && strstr(header, "a */") == NULL &&
              strstr(header, "/* begins") == NULL);
    ck_assert(strstr(header, "unit: * /") != NULL);
    ck_assert(strstr(header, "\"q\\\"*/\"") != NULL);
}
END_TEST

static const char guarded[] =
    "schema: {name: farm}\n"
    "rules: [known]\n"
    "types: {Leg: {fields: {chain: {type: u16, validation: [{known: true}]}}}}\n"
    "messages:\n"
    "  Cow: {tlv_type: 7, fields: {legs: {type: \"Vec<Leg>\", validation: [{max_length: 4}]}}}\n"
    "  Milk: {tlv_type: 8, required_prior_messages: [Cow], fields: {day: {type: i32, validation: [{monotonic: true}, "
    "{implied: true}]}}}\n";

/* What no contract asks for costs nothing, not even a word. */
START_TEST(only_contracts_with_hooks_and_sessions_speak_of_them) {
    const cg_outputs without = emit(small), with = emit(guarded);
    static const char *const names[] = {"farm_messages.h", "farm_messages.c", "farm_service.c"};
    for (size_t i = 0; i < without.count; i++) {
        ck_assert_ptr_null(strstr(without.items[i].text, "hook"));
        ck_assert_ptr_null(strstr(without.items[i].text, "session"));
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        ck_assert_ptr_nonnull(strstr(text_of(&with, names[i]), "farm_cow_check_hooks("));
        ck_assert_ptr_nonnull(strstr(text_of(&with, names[i]), "farm_milk_check_session("));
    }
    ck_assert_ptr_nonnull(strstr(text_of(&with, "farm_service.c"), ".session_size = sizeof(farm_session)"));
    ck_assert_ptr_nonnull(
        strstr(text_of(&with, "farm_messages.h"), "bool (*known)(uint64_t value, void *user); /* must be"));
    ck_assert_ptr_nonnull(
        strstr(text_of(&with, "farm_messages.h"), "bool (*implied)(int64_t value, void *user); /* NULL"));
}
END_TEST

static void emit_guarded(void *user) {
    (void)emit(guarded);
    *(bool *)user = true;
}

static void emit_small(void *user) {
    (void)emit(small);
    *(bool *)user = true;
}

START_TEST(memory_may_run_out_anywhere) {
    bool is_done = false;
    for (long count = 0; !is_done; count += 1 + count / 16) {
        cg_arena_free_take(&arena);
        arena = cg_arena_new();
        ck_assert(arena != NULL);
        cg_arena_fail_after(arena, count);
        ck_assert_int_eq(cg_arena_attempt(arena, _i == 0 ? emit_small : emit_guarded, &is_done), is_done);
    }
}
END_TEST

BPT_SUITE(codegen_emit) {
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    BPT_TEST(six_files_in_a_fixed_order);
    BPT_TEST(constants_are_tied_to_what_codecs_write);
    BPT_TEST(parts_are_written_alone_and_together);
    BPT_TEST(names_are_those_of_all_files);
    BPT_TEST(the_page_of_templates_has_every_name_of_the_root);
    BPT_TEST(output_is_the_same_every_time);
    BPT_TEST(every_file_but_the_sizes_checks_the_hash);
    BPT_TEST(constants_come_from_the_layout);
    BPT_TEST(what_was_measured_is_stored_first);
    BPT_TEST(descriptions_cannot_leave_their_comment);
    BPT_TEST(only_contracts_with_hooks_and_sessions_speak_of_them);
    BPT_LOOP_TEST(memory_may_run_out_anywhere, 0, 2);
}
