/* Section by section, what docs/CONTRACTS.md says about layout, on contracts of the test's own: every number here was
 * worked out by hand. */
#include "codegen/layout.h"
#include "tests/support/naive_layout.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>
#include <stdlib.h>

/* A contract with one message of these fields, one per line, and what else stands at the top. */
static bpt_compiled thing(const char *top, const char *fields) {
    char text[8192];
    snprintf(text, sizeof text, "%s\nmessages:\n  Thing:\n    tlv_type: 1\n    fields:\n%s", top, fields);
    return bpt_compile_good(text);
}

static uint32_t offset(const bpt_compiled *c, const char *field) {
    return bpt_field(bpt_message(c, "Thing"), field)->offset;
}

START_TEST(largest_alignment_without_padding_goes_first) {
    bpt_compiled c = thing("", "      a: u8\n      b: u32\n      c: u64\n      d: u16\n      e: u8\n");
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert_uint_eq(offset(&c, "c"), 0);
    ck_assert_uint_eq(offset(&c, "b"), 8);
    ck_assert_uint_eq(offset(&c, "d"), 12);
    ck_assert_uint_eq(offset(&c, "a"), 14);
    ck_assert_uint_eq(offset(&c, "e"), 15);
    ck_assert_uint_eq(m->block_size, 16);
    ck_assert_uint_eq(m->groups[0].gap_count, 0);
    ck_assert_ptr_eq(m->groups[0].placed[0], bpt_field(m, "c"));
    ck_assert_ptr_eq(m->groups[0].placed[4], bpt_field(m, "e"));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_type_of_odd_size_leaves_a_place_for_smaller_fields) {
    /* [u8; 3] is aligned to 1 and comes last; the u16 behind a 12-byte type aligned to 4 fits before it. */
    bpt_compiled c = thing("types: {T: {fields: {x: u64, y: u32}}}",
                           "      t: T\n      s: \"FixedStr<3>\"\n      u: u64\n      v: \"[u32; 3]\"\n      w: u16\n");
    ck_assert_uint_eq(offset(&c, "t"), 0); /* 12 rounded up to 16 */
    ck_assert_uint_eq(offset(&c, "u"), 16);
    ck_assert_uint_eq(offset(&c, "v"), 24);
    ck_assert_uint_eq(offset(&c, "w"), 36);
    ck_assert_uint_eq(offset(&c, "s"), 38);
    ck_assert_uint_eq(bpt_message(&c, "Thing")->block_size, 42);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(wide_integers_are_limbs_aligned_to_eight) {
    bpt_compiled c = thing("", "      a: u8\n      b: u256\n      c: u128\n      d: Address\n");
    ck_assert_uint_eq(offset(&c, "b"), 0);
    ck_assert_uint_eq(offset(&c, "c"), 32);
    ck_assert_uint_eq(offset(&c, "a"), 48);
    ck_assert_uint_eq(offset(&c, "d"), 49);
    ck_assert_uint_eq(bpt_message(&c, "Thing")->block_size, 69);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_later_group_starts_unpadded_and_fills_no_earlier_hole) {
    /* Group 1: u16 at 0, u8 at 2, end 3. Group 2 starts at 3: the u8 first, then the u64 fits at 8 only behind a gap
     * that the u32 at 4 fills. */
    bpt_compiled c = thing("schema: {version: 3}",
                           "      a: u16\n      b: u8\n      c: {type: u64, since: 2}\n      d: {type: u8, since: 2}\n"
                           "      e: {type: u32, since: 2}\n      f: {type: u32, since: 3}\n");
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert_uint_eq(m->group_count, 3);
    ck_assert_uint_eq(m->groups[0].end, 3);
    ck_assert_uint_eq(m->groups[1].start, 3);
    ck_assert_uint_eq(offset(&c, "d"), 3);
    ck_assert_uint_eq(offset(&c, "e"), 4);
    ck_assert_uint_eq(offset(&c, "c"), 8);
    ck_assert_uint_eq(m->groups[1].end, 16);
    ck_assert_uint_eq(offset(&c, "f"), 16);
    ck_assert_uint_eq(m->block_size, 20);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(implicit_fields_count_as_declared_first_block_len_before_the_bitmap) {
    /* Nine optional fields: a u16 bitmap, of the alignment of block_len and of the count. */
    char fields[1024] = "      v: \"FixedVec<u8, 9>\"\n";
    for (int k = 0; k < 9; k++) {
        snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "      f%d: {type: u8, optional: true}\n", k);
    }
    bpt_compiled c = thing("", fields);
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert_uint_eq(m->block_len_offset, 0);
    ck_assert_uint_eq(m->groups[0].bitmap_offset, 2);
    ck_assert_uint_eq(offset(&c, "v"), 4);
    ck_assert_uint_eq(offset(&c, "f0"), 6);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(arrays_align_as_their_element) {
    bpt_compiled c = thing("types: {T: {fields: {x: u32, y: u8}}}",
                           "      a: u8\n      b: \"[u16; 3]\"\n      c: \"[T; 2]\"\n      d: \"[u8; 8]\"\n");
    ck_assert_uint_eq(offset(&c, "c"), 0); /* stride 8, aligned to 4 */
    ck_assert_uint_eq(offset(&c, "b"), 16);
    ck_assert_uint_eq(offset(&c, "a"), 22);
    ck_assert_uint_eq(offset(&c, "d"), 23);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_block_has_at_most_65535_bytes) {
    bpt_compiled c = thing("", "      a: \"[u8; 65535]\"\n");
    ck_assert_uint_eq(bpt_message(&c, "Thing")->block_size, 65535);
    bpt_compiled_free(&c);
    c = bpt_compile("messages: {Thing: {tlv_type: 1, fields: {a: \"[u8; 65535]\", b: u8}}}");
    ck_assert_ptr_null(c.model);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(where_nothing_fits_there_is_a_gap) {
    bpt_compiled c =
        thing("schema: {version: 2}", "      a: u8\n      b: {type: u64, since: 2}\n      c: {type: u32, since: 2}\n");
    const cg_message *m = bpt_message(&c, "Thing");
    /* At 1 neither fits; at 4 the u32 does, and then the u64 at 8. */
    ck_assert_uint_eq(m->groups[1].start, 1);
    ck_assert_uint_eq(offset(&c, "c"), 4);
    ck_assert_uint_eq(offset(&c, "b"), 8);
    ck_assert_uint_eq(m->groups[1].gap_count, 1);
    ck_assert_uint_eq(m->groups[1].gaps[0].offset, 1);
    ck_assert_uint_eq(m->groups[1].gaps[0].size, 3);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(each_group_has_a_bitmap_of_its_own) {
    bpt_compiled c = thing("schema: {version: 2}",
                           "      a: u32\n      b: {type: u32, optional: true}\n      c: {type: u8, optional: true}\n"
                           "      d: {type: u16, since: 2, optional: true}\n");
    const cg_message *m = bpt_message(&c, "Thing");
    /* Two u32 at 0 and 4, then the bitmap, which counts as declared before the u8 of its alignment. */
    ck_assert_uint_eq(offset(&c, "a"), 0);
    ck_assert_uint_eq(offset(&c, "b"), 4);
    ck_assert_uint_eq(m->groups[0].bitmap_offset, 8);
    ck_assert_uint_eq(m->groups[0].bitmap_size, 1);
    ck_assert_uint_eq(offset(&c, "c"), 9);
    ck_assert_uint_eq(bpt_field(m, "b")->bit, 0);
    ck_assert_uint_eq(bpt_field(m, "c")->bit, 1);
    ck_assert_uint_eq(m->groups[1].start, 10);
    ck_assert_uint_eq(offset(&c, "d"), 10);
    ck_assert_uint_eq(m->groups[1].bitmap_offset, 12);
    ck_assert_uint_eq(bpt_field(m, "d")->bit, 0);
    ck_assert_uint_eq(m->block_size, 13);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_bitmap_is_the_smallest_that_holds_its_bits) {
    static const struct {
        int count;
        uint32_t size;
    } cases[] = {{1, 1}, {8, 1}, {9, 2}, {16, 2}, {17, 4}, {32, 4}, {33, 8}, {64, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char fields[4096] = "";
        for (int k = 0; k < cases[i].count; k++) {
            snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "      f%d: {type: u8, optional: true}\n",
                     k);
        }
        bpt_compiled c = thing("", fields);
        ck_assert_uint_eq(bpt_message(&c, "Thing")->groups[0].bitmap_size, cases[i].size);
        /* Aligned to its size, and of larger alignment than the fields: it stands first. */
        ck_assert_uint_eq(bpt_message(&c, "Thing")->groups[0].bitmap_offset, 0);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(block_len_belongs_to_the_group_with_the_first_tail_field) {
    bpt_compiled c = thing("schema: {version: 2}", "      a: u8\n      b: {type: \"FixedVec<u64, 3>\", since: 2}\n");
    const cg_message *m = bpt_message(&c, "Thing");
    /* Group 2 starts at 1; a gap to 2, block_len, then the count: both u16, block_len counts as declared first. */
    ck_assert(m->has_block_len);
    ck_assert_uint_eq(m->block_len_group_ix, 1);
    ck_assert_uint_eq(m->block_len_offset, 2);
    ck_assert_uint_eq(offset(&c, "b"), 4);
    ck_assert_uint_eq(m->block_size, 6);
    ck_assert_uint_eq(m->min, 6);
    ck_assert_uint_eq(m->max, 8 + 3 * 8); /* the elements at 8 */
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(without_a_tail_there_is_no_block_len) {
    bpt_compiled c = thing("", "      a: u8\n      s: {type: String, validation: [{max_length: 32}]}\n");
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert(!m->has_block_len);
    ck_assert_uint_eq(m->tail_count, 0);
    ck_assert_uint_eq(m->block_size, 1 + 1 + 32);
    ck_assert_uint_eq(m->max, m->min);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(capacity_decides_between_inline_and_tail_and_wire_overrides) {
    bpt_compiled c =
        thing("", "      a: \"FixedStr<32>\"\n      b: \"FixedStr<33>\"\n      c: \"bytes<32>\"\n"
                  "      d: \"bytes<33>\"\n      e: \"FixedVec<u8, 1>\"\n"
                  "      f: {type: \"FixedStr<4>\", wire: tail}\n      g: {type: \"bytes<300>\", wire: inline}\n"
                  "      h: {type: \"FixedVec<u32, 3>\", wire: inline}\n");
    const cg_message *m = bpt_message(&c, "Thing");
    static const struct {
        const char *field;
        bool is_tail;
        uint32_t count_size, items_offset, size, align;
    } cases[] = {
        {"a", false, 1, 1, 33, 1}, {"b", true, 2, 0, 2, 2}, {"c", false, 1, 1, 33, 1},  {"d", true, 2, 0, 2, 2},
        {"e", true, 2, 0, 2, 2},   {"f", true, 2, 0, 2, 2}, {"g", false, 2, 2, 302, 2}, {"h", false, 1, 4, 16, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const cg_type *type = bpt_field(m, cases[i].field)->type;
        ck_assert_msg(type->is_tail == cases[i].is_tail && type->count_size == cases[i].count_size, "%s",
                      cases[i].field);
        ck_assert_msg(type->items_offset == cases[i].items_offset, "%s", cases[i].field);
        ck_assert_msg(type->size == cases[i].size && type->align == cases[i].align, "%s", cases[i].field);
    }
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(counts_in_the_tail_widen_above_65535) {
    bpt_compiled c = thing("", "      a: \"bytes<65535>\"\n      b: \"bytes<65536>\"\n");
    ck_assert_uint_eq(bpt_field(bpt_message(&c, "Thing"), "a")->type->count_size, 2);
    ck_assert_uint_eq(bpt_field(bpt_message(&c, "Thing"), "b")->type->count_size, 4);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(counts_inline_widen_above_255_and_65535) {
    bpt_compiled c = thing("types: {A: {fields: {v: \"FixedVec<u8, 255>\"}}, B: {fields: {v: \"FixedVec<u8, 256>\"}}, "
                           "C: {fields: {v: \"FixedVec<u8, 65536>\"}}}",
                           "      v: \"FixedVec<u8, 4>\"\n");
    static const uint32_t sizes[] = {256, 258, 65540};
    for (size_t i = 0; i < 3; i++) ck_assert_uint_eq(c.model->structs[i]->size, sizes[i]);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(the_tail_goes_by_group_then_alignment_then_declaration) {
    bpt_compiled c =
        thing("schema: {version: 2}",
              "      z: {type: \"FixedVec<u64, 2>\", since: 2}\n      a: \"bytes<40>\"\n      b: \"FixedVec<u16, 3>\"\n"
              "      c: \"FixedVec<u64, 1>\"\n      d: \"FixedVec<i16, 1>\"\n");
    const cg_message *m = bpt_message(&c, "Thing");
    static const char *const order[] = {"c", "b", "d", "a", "z"};
    ck_assert_uint_eq(m->tail_count, 5);
    for (size_t i = 0; i < 5; i++) ck_assert_str_eq(m->tail[i]->name.text, order[i]);
    /* Block: block_len and four counts, 10, then z's count: 12. Tail: c at 16..24, b ..30, d ..32, a ..72, z ..88. */
    ck_assert_uint_eq(m->min, 12);
    ck_assert_uint_eq(m->max, 88);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(typical_counts_give_the_typical_size) {
    bpt_compiled c =
        bpt_compile_good("messages: {Thing: {tlv_type: 1, typical: {v: 2, w: 0}, fields: {v: \"FixedVec<u16, "
                         "9>\", w: \"FixedVec<u64, 9>\"}}}");
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert_uint_eq(m->min, 6);
    ck_assert_uint_eq(m->max, 8 + 72 + 18);
    ck_assert_uint_eq(m->typical, 6 + 4); /* w comes first, but an empty tail adds no padding */
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_type_is_rounded_up_to_its_alignment) {
    bpt_compiled c =
        thing("types: {T: {fields: {a: u8, b: u32, s: \"FixedStr<2>\"}}}", "      v: \"FixedVec<T, 4>\"\n      t: T\n");
    const cg_struct *t = c.model->structs[0];
    ck_assert_uint_eq(t->fields[1].offset, 0);
    ck_assert_uint_eq(t->fields[0].offset, 4);
    ck_assert_uint_eq(t->fields[2].offset, 5);
    ck_assert_uint_eq(t->size, 8);
    ck_assert_uint_eq(t->align, 4);
    ck_assert_uint_eq(t->gap_count, 0);
    ck_assert_uint_eq(bpt_field(bpt_message(&c, "Thing"), "v")->type->element_stride, 8);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(long_texts_and_vectors_in_types_are_inline) {
    bpt_compiled c =
        thing("types: {T: {fields: {s: {type: String, validation: [{max_length: 300}]}, v: \"FixedVec<u64, 2>\"}}}",
              "      t: T\n");
    const cg_struct *t = c.model->structs[0];
    ck_assert(!t->fields[0].type->is_tail);
    ck_assert_uint_eq(t->fields[0].type->size, 302);
    ck_assert_uint_eq(t->fields[1].type->size, 8 + 16); /* count u8, padding to 8, two u64 */
    ck_assert_uint_eq(t->fields[1].offset, 0);
    ck_assert_uint_eq(t->fields[0].offset, 24);
    ck_assert_uint_eq(t->size, 328);
    ck_assert_uint_eq(t->gaps[0].offset, 326);
    ck_assert_uint_eq(t->gaps[0].size, 2);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(accepted_lengths_start_at_min_compatible) {
    static const char *const fields = "      a: u32\n      b: {type: u32, since: 2}\n      c: {type: u32, since: 4}\n";
    static const struct {
        int min_compatible;
        uint32_t accept_min;
    } cases[] = {{1, 4}, {2, 8}, {3, 8}, {4, 12}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char schema[64];
        snprintf(schema, sizeof schema, "schema: {version: 4, min_compatible: %d}", cases[i].min_compatible);
        bpt_compiled c = thing(schema, fields);
        const cg_message *m = bpt_message(&c, "Thing");
        ck_assert_uint_eq(m->accept_min, cases[i].accept_min);
        ck_assert_uint_eq(m->groups[m->accept_group_ix].end, cases[i].accept_min);
        ck_assert_uint_eq(m->min, 12);
        ck_assert_uint_eq(m->accept_max, m->class_size);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(a_message_newer_than_min_compatible_is_accepted_from_its_first_group) {
    bpt_compiled c = thing("schema: {version: 3}", "      a: {type: u16, since: 2}\n      b: {type: u16, since: 3}\n");
    ck_assert_uint_eq(bpt_message(&c, "Thing")->accept_min, 2);
    bpt_compiled_free(&c);
}
END_TEST

/* ---- what is retired -------------------------------------------------------------------------------------------- */

START_TEST(a_retired_field_keeps_its_place_bit_and_run) {
    static const char *const living = "      a: {type: u32, optional: true}\n      b: \"FixedVec<u64, 3>\"\n"
                                      "      c: \"bytes<40>\"\n      d: {type: u8, optional: true}\n";
    static const char *const retired = "      a: {type: u32, optional: true, retired: true}\n"
                                       "      b: {type: \"FixedVec<u64, 3>\", retired: true}\n"
                                       "      c: \"bytes<40>\"\n      d: {type: u8, optional: true}\n";
    bpt_compiled before = thing("", living), after = thing("", retired);
    const cg_message *old = bpt_message(&before, "Thing"), *new = bpt_message(&after, "Thing");
    for (size_t i = 0; i < old->field_count; i++) {
        ck_assert_uint_eq(old->fields[i].offset, new->fields[i].offset);
        ck_assert_uint_eq(old->fields[i].bit, new->fields[i].bit);
    }
    ck_assert_uint_eq(old->block_size, new->block_size);
    ck_assert_uint_eq(new->tail_count, 2);
    ck_assert_str_eq(new->tail[0]->name.text, "b");
    bpt_compiled_free(&before);
    bpt_compiled_free(&after);
}
END_TEST

/* block_len and counts: 6 bytes. X_MAX is what this version writes, the class still holds what older ones write. */
START_TEST(a_class_holds_what_old_writers_put_into_a_retired_run) {
    bpt_compiled c = thing("", "      a: {type: \"bytes<200>\", retired: true}\n      b: \"bytes<40>\"\n");
    const cg_message *m = bpt_message(&c, "Thing");
    ck_assert_uint_eq(m->min, 6);
    ck_assert_uint_eq(m->max, 46);
    ck_assert_uint_eq(m->typical, 46);
    ck_assert_uint_eq(m->held, 246);
    ck_assert_uint_eq(m->class_size, 256);
    ck_assert_uint_eq(m->waste, 256 - 46);
    ck_assert_uint_eq(m->accept_max, 256);
    bpt_compiled_free(&c);
}
END_TEST

/* ---- types that grow -------------------------------------------------------------------------------------------- */

static const cg_struct *growing(bpt_compiled *c, const char *schema, const char *fields) {
    char text[2048];
    snprintf(text, sizeof text,
             "schema: {%s}\ntypes: {T: {extensible: true, fields: {%s}}}\n"
             "messages: {Thing: {tlv_type: 1, fields: {v: \"FixedVec<T, 3>\", w: \"FixedVec<T, 65536>\"}}}",
             schema, fields);
    *c = bpt_compile_good(text);
    return c->model->structs[0];
}

START_TEST(each_version_of_a_type_ends_at_its_alignment) {
    bpt_compiled c;
    /* u32 at 0, u8 at 4, gap to 8; u16 at 8, gap to 12; two u8 at 12, gap to 16. */
    const cg_struct *t =
        growing(&c, "version: 3",
                "a: u8, b: u32, c: {type: u16, since: 2}, d: {type: u8, since: 3}, e: {type: u8, since: 3}");
    static const uint32_t ends[] = {8, 12, 16};
    ck_assert_uint_eq(t->align, 4);
    ck_assert_uint_eq(t->group_count, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(t->groups[i].since, i + 1);
        ck_assert_uint_eq(t->groups[i].end, ends[i]);
        ck_assert_uint_eq(t->groups[i].start, i == 0 ? 0 : ends[i - 1]);
        ck_assert_uint_eq(t->groups[i].gap_count, 1);
    }
    ck_assert_uint_eq(t->fields[2].offset, 8);
    ck_assert_uint_eq(t->fields[4].offset, 13);
    ck_assert_uint_eq(t->groups[1].gaps[0].offset, 10);
    ck_assert_uint_eq(t->groups[2].gaps[0].size, 2);
    ck_assert_uint_eq(t->gap_count, 3);
    ck_assert_uint_eq(t->size, 16);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(the_alignment_of_a_type_never_grows) {
    bpt_compiled c;
    const cg_struct *t = growing(&c, "version: 2",
                                 "a: u16, b: {type: u8, since: 2}, c: {type: u64, since: 2}, d: {type: u32, since: 2}");
    ck_assert_uint_eq(t->align, 2);
    ck_assert_uint_eq(t->fields[2].offset, 2); /* what is aligned to 8 and 4 elsewhere, in declared order */
    ck_assert_uint_eq(t->fields[3].offset, 10);
    ck_assert_uint_eq(t->fields[1].offset, 14);
    ck_assert_uint_eq(t->size, 16);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_vector_of_a_growing_type_has_a_stride_right_behind_its_count) {
    bpt_compiled c;
    (void)growing(&c, "version: 1", "a: u64");
    const cg_message *m = bpt_message(&c, "Thing");
    const cg_type *v = bpt_field(m, "v")->type, *w = bpt_field(m, "w")->type;
    ck_assert(v->has_stride && w->has_stride && v->is_tail);
    ck_assert(v->count_size == 2 && v->stride_offset == 2 && v->size == 4 && v->align == 2);
    ck_assert(w->count_size == 4 && w->stride_offset == 4 && w->size == 6 && w->align == 4);
    /* w at 0, block_len at 6, v at 8. */
    ck_assert_uint_eq(bpt_field(m, "w")->offset, 0);
    ck_assert_uint_eq(m->block_len_offset, 6);
    ck_assert_uint_eq(bpt_field(m, "v")->offset, 8);
    ck_assert_uint_eq(m->block_size, 12);
    ck_assert_uint_eq(m->max, 16 + 3 * 8 + 65536 * 8);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(accepted_strides_start_at_min_compatible) {
    static const size_t first[] = {0, 1, 1, 2};
    for (int version = 1; version <= 4; version++) {
        char schema[64];
        bpt_compiled c;
        snprintf(schema, sizeof schema, "version: 4, min_compatible: %d", version);
        const cg_struct *t = growing(&c, schema, "a: u8, b: {type: u8, since: 2}, c: {type: u8, since: 4}");
        ck_assert_uint_eq(t->accept_group_ix, first[version - 1]);
        bpt_compiled_free(&c);
    }
}
END_TEST

/* A type that is first used by a later version begins with its own first fields. */
START_TEST(a_type_begins_with_the_first_version_that_has_fields) {
    bpt_compiled c;
    const cg_struct *t = growing(&c, "version: 3", "a: {type: u32, since: 2}, b: {type: u64, since: 3}");
    ck_assert_uint_eq(t->align, 4);
    ck_assert_uint_eq(t->groups[0].end, 4);
    ck_assert_uint_eq(t->accept_group_ix, 0);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_type_that_is_frozen_is_one_group) {
    bpt_compiled c = thing("types: {T: {fields: {a: u8, b: u32}}}", "      t: T\n");
    const cg_struct *t = c.model->structs[0];
    ck_assert_uint_eq(t->group_count, 1);
    ck_assert_uint_eq(t->groups[0].end, t->size);
    ck_assert_uint_eq(t->groups[0].placed_count, 2);
    ck_assert(!bpt_field(bpt_message(&c, "Thing"), "t")->type->has_stride);
    bpt_compiled_free(&c);
}
END_TEST

/* Every byte of every block and struct is in exactly one place. */
static void check_covered(const uint8_t *covered, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) ck_assert_msg(covered[i] == 1, "byte %u is in %u places", i, covered[i]);
}

static void cover(uint8_t *covered, uint32_t start, uint32_t size) {
    for (uint32_t i = start; i < start + size; i++) covered[i]++;
}

static void check_message_covered(const cg_message *m) {
    uint8_t *covered = calloc(1, m->block_size + 1);
    for (size_t i = 0; i < m->field_count; i++) cover(covered, m->fields[i].offset, m->fields[i].type->size);
    if (m->has_block_len) cover(covered, m->block_len_offset, 2);
    for (size_t i = 0; i < m->group_count; i++) {
        const cg_group *group = &m->groups[i];
        ck_assert_uint_eq(group->start, i == 0 ? 0 : m->groups[i - 1].end);
        cover(covered, group->bitmap_offset, group->bitmap_size);
        for (size_t k = 0; k < group->gap_count; k++) cover(covered, group->gaps[k].offset, group->gaps[k].size);
    }
    check_covered(covered, m->block_size);
    ck_assert_uint_eq(m->groups[m->group_count - 1].end, m->block_size);
    free(covered);
}

START_TEST(every_byte_of_a_block_is_in_one_place) {
    static const char *const types[] = {"u8",
                                        "u16",
                                        "u32",
                                        "u64",
                                        "bool",
                                        "f32",
                                        "u128",
                                        "Address",
                                        "\"FixedStr<5>\"",
                                        "\"FixedVec<u32, 3>\"",
                                        "\"bytes<99>\"",
                                        "T",
                                        "\"[T; 2]\""};
    uint32_t state = 1;
    for (int round = 0; round < 200; round++) {
        char fields[8192] = "      first: u8\n";
        for (int k = 0; k < 20; k++) {
            state = state * 1103515245u + 12345u;
            snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "      f%d: {type: %s, since: %u%s}\n", k,
                     types[(state >> 16) % (sizeof types / sizeof *types)], 1 + (state >> 24) % 3,
                     (state >> 28) % 3 == 0 ? ", optional: true" : "");
        }
        bpt_compiled c = thing("schema: {version: 3}\ntypes: {T: {fields: {x: u16, y: u8}}}", fields);
        check_message_covered(bpt_message(&c, "Thing"));
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(a_message_without_fields_takes_nothing) {
    bpt_compiled c = bpt_compile_good("messages: {A: {tlv_type: 1}, B: {tlv_type: 2, fields: {}}, C: {tlv_type: 3, "
                                      "reserve: 65, fields: []}}");
    for (size_t i = 0; i < 3; i++) {
        const cg_message *m = &c.model->messages[i];
        ck_assert_uint_eq(m->field_count, 0);
        ck_assert_uint_eq(m->group_count, 1);
        ck_assert_uint_eq(m->groups[0].since, 1);
        ck_assert_uint_eq(m->groups[0].end, 0);
        ck_assert(m->block_size == 0 && m->min == 0 && m->max == 0 && m->accept_min == 0 && !m->has_block_len);
        ck_assert_uint_eq(m->class_size, i == 2 ? 128 : 64);
    }
    bpt_compiled_free(&c);
}
END_TEST

/* The same rules, written a second time in the plainest way, on contracts that are not the tests' invention. */
START_TEST(every_place_is_where_the_rules_put_it) {
    static const char *const paths[] = {"contracts.yaml", "tests/contracts/zoo.yaml"};
    cg_arena *arena = cg_arena_new();
    cg_source *source = NULL;
    cg_diags diags = {.arena = arena};
    ck_assert_int_eq(cg_source_read(arena, paths[_i], &source), CG_OK);
    const cg_model *model = cg_compile(arena, source, NULL, &diags);
    ck_assert_msg(model != NULL, "%s", cg_diags_print(&diags));
    const char *difference = bpt_layout_difference(arena, model);
    ck_assert_msg(difference == NULL, "%s", difference);
    cg_arena_free_take(&arena);
}
END_TEST

BPT_SUITE(codegen_layout) {
    BPT_LOOP_TEST(every_place_is_where_the_rules_put_it, 0, 2);
    BPT_TEST(largest_alignment_without_padding_goes_first);
    BPT_TEST(a_type_of_odd_size_leaves_a_place_for_smaller_fields);
    BPT_TEST(wide_integers_are_limbs_aligned_to_eight);
    BPT_TEST(a_later_group_starts_unpadded_and_fills_no_earlier_hole);
    BPT_TEST(implicit_fields_count_as_declared_first_block_len_before_the_bitmap);
    BPT_TEST(arrays_align_as_their_element);
    BPT_TEST(a_block_has_at_most_65535_bytes);
    BPT_TEST(where_nothing_fits_there_is_a_gap);
    BPT_TEST(each_group_has_a_bitmap_of_its_own);
    BPT_TEST(a_bitmap_is_the_smallest_that_holds_its_bits);
    BPT_TEST(block_len_belongs_to_the_group_with_the_first_tail_field);
    BPT_TEST(without_a_tail_there_is_no_block_len);
    BPT_TEST(capacity_decides_between_inline_and_tail_and_wire_overrides);
    BPT_TEST(counts_in_the_tail_widen_above_65535);
    BPT_TEST(counts_inline_widen_above_255_and_65535);
    BPT_TEST(the_tail_goes_by_group_then_alignment_then_declaration);
    BPT_TEST(typical_counts_give_the_typical_size);
    BPT_TEST(a_type_is_rounded_up_to_its_alignment);
    BPT_TEST(long_texts_and_vectors_in_types_are_inline);
    BPT_TEST(accepted_lengths_start_at_min_compatible);
    BPT_TEST(a_message_newer_than_min_compatible_is_accepted_from_its_first_group);
    BPT_TEST(a_retired_field_keeps_its_place_bit_and_run);
    BPT_TEST(a_class_holds_what_old_writers_put_into_a_retired_run);
    BPT_TEST(each_version_of_a_type_ends_at_its_alignment);
    BPT_TEST(the_alignment_of_a_type_never_grows);
    BPT_TEST(a_vector_of_a_growing_type_has_a_stride_right_behind_its_count);
    BPT_TEST(accepted_strides_start_at_min_compatible);
    BPT_TEST(a_type_begins_with_the_first_version_that_has_fields);
    BPT_TEST(a_type_that_is_frozen_is_one_group);
    BPT_TEST(every_byte_of_a_block_is_in_one_place);
    BPT_TEST(a_message_without_fields_takes_nothing);
}
