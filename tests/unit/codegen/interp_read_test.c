/* Where the interpreter finds the first fault, and what it makes of other versions' values. That it reads as generated
 * code does is tests/unit/generated/interp_test.c's. */
#include "codegen/interp.h"
#include "tests/unit/codegen/compile.h"

static const char contract[] =
    "schema: {version: 2}\n"
    "enums: {Side: {type: u8, values: {buy: 1, sell: 2}}}\n"
    "types: {Tick: {extensible: true, fields: {price: u32, size: {type: u16, since: 2, default: 7}}}}\n"
    "messages:\n"
    /* block_len 0, count and stride of ticks 2, count of text 6, bitmap 8, flag 9, side 10, short 11..13; end 14;
     * version 2: later 14; end 16 */
    "  Book:\n"
    "    tlv_type: 1\n"
    "    fields:\n"
    "      ticks: \"FixedVec<Tick, 2>\"\n"
    "      text: \"FixedStr<40>\"\n"
    "      flag: {type: bool, optional: true}\n"
    "      side: Side\n"
    "      short_text: \"FixedStr<2>\"\n"
    "      later: {type: u16, since: 2, default: 9}\n";

enum { LENGTH = 26 };
/* One tick in 16..23, two bytes of text in 24..25. */
static const uint8_t good[LENGTH] = {16, 0, 1, 0, 8, 0, 2, 0, 1, 1, 2, 1,   'x',
                                     0,  5, 0, 3, 0, 0, 0, 4, 0, 0, 0, 'h', 'i'};

static const struct {
    uint32_t at; /* where `byte` is put, LENGTH: nowhere */
    uint8_t byte;
    size_t length;
    cg_fault_kind kind;
    uint32_t offset;
    const char *field;
} faults[] = {
    {LENGTH, 0, LENGTH, CG_FAULT_NONE, 0, NULL},
    {LENGTH, 0, 13, CG_FAULT_TRUNCATED, 13, NULL},           /* below the shortest */
    {0, 13, LENGTH, CG_FAULT_MALFORMED, 0, NULL},            /* a block that ends before block_len's group */
    {0, 15, LENGTH, CG_FAULT_MALFORMED, 0, NULL},            /* in the middle of one */
    {0, 27, LENGTH, CG_FAULT_TRUNCATED, LENGTH, NULL},       /* behind the value */
    {2, 3, LENGTH, CG_FAULT_BOUND, 2, "ticks"},              /* more than two ticks */
    {4, 7, LENGTH, CG_FAULT_MALFORMED, 4, "ticks"},          /* a stride of no version */
    {6, 41, LENGTH, CG_FAULT_BOUND, 6, "text"},              /* more than forty bytes */
    {6, 3, LENGTH, CG_FAULT_TRUNCATED, LENGTH, "text"},      /* one more than there is */
    {6, 1, LENGTH, CG_FAULT_MALFORMED, 25, NULL},            /* one less */
    {8, 0, LENGTH, CG_FAULT_MALFORMED, 9, "flag"},           /* absent and not zero */
    {8, 3, LENGTH, CG_FAULT_MALFORMED, 8, NULL},             /* a bit of no field */
    {9, 2, LENGTH, CG_FAULT_MALFORMED, 9, "flag"},           /* no bool */
    {10, 3, LENGTH, CG_FAULT_MALFORMED, 10, "side"},         /* no side */
    {11, 3, LENGTH, CG_FAULT_BOUND, 11, "short_text"},       /* more than two bytes */
    {13, 'y', LENGTH, CG_FAULT_MALFORMED, 13, "short_text"}, /* slack */
    {23, 1, LENGTH, CG_FAULT_MALFORMED, 23, "ticks"},        /* padding of Tick */
};

START_TEST(the_first_fault_is_found_where_it_is) {
    bpt_compiled c = bpt_compile_good(contract);
    uint8_t bytes[LENGTH + 1];
    cg_reading reading;
    memcpy(bytes, good, LENGTH);
    bytes[faults[_i].at] = faults[_i].byte;
    const cg_fault fault = cg_interp_read(c.arena, bpt_message(&c, "Book"), bytes, faults[_i].length, &reading);
    ck_assert_str_eq(cg_fault_name(fault.kind), cg_fault_name(faults[_i].kind));
    ck_assert_uint_eq(fault.offset, faults[_i].offset);
    ck_assert_int_eq(fault.field != NULL, faults[_i].field != NULL);
    if (fault.field != NULL) ck_assert_str_eq(fault.field->name.text, faults[_i].field);
    ck_assert_int_eq(reading.fields != NULL, fault.kind == CG_FAULT_NONE);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_count_inside_counts_before_other_faults) {
    bpt_compiled c = bpt_compile_good(contract);
    uint8_t bytes[LENGTH];
    cg_reading reading;
    memcpy(bytes, good, LENGTH);
    bytes[9] = 2;
    bytes[11] = 3;
    const cg_fault fault = cg_interp_read(c.arena, bpt_message(&c, "Book"), bytes, LENGTH, &reading);
    ck_assert_int_eq(fault.kind, CG_FAULT_BOUND);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(places_and_values_are_known) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_reading reading;
    ck_assert_int_eq(cg_interp_read(c.arena, bpt_message(&c, "Book"), good, LENGTH, &reading).kind, CG_FAULT_NONE);
    const cg_datum *ticks = cg_reading_find(&reading, "ticks"), *text = cg_reading_find(&reading, "text");
    const cg_datum *side = cg_reading_find(&reading, "side");
    ck_assert(reading.is_current && reading.block_length == 16);
    ck_assert_uint_eq(ticks->offset, 2);
    ck_assert_uint_eq(ticks->size, 4);
    ck_assert_uint_eq(ticks->tail_offset, 16);
    ck_assert_uint_eq(ticks->tail_size, 8);
    ck_assert_uint_eq(ticks->items[0].items[1].offset, 20);
    ck_assert_uint_eq(cg_leaf_number(&ticks->items[0].items[1], 0).limb[0], 4);
    ck_assert_uint_eq(text->tail_offset, 24);
    ck_assert_mem_eq(text->bytes, "hi", 2);
    ck_assert_uint_eq(side->offset, 10);
    ck_assert_ptr_null(cg_reading_find(&reading, "sides"));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(an_older_value_reads_as_its_defaults) {
    static const uint8_t older[] = {14, 0, 1, 0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0};
    bpt_compiled c = bpt_compile_good(contract);
    cg_reading reading;
    ck_assert_int_eq(cg_interp_read(c.arena, bpt_message(&c, "Book"), older, sizeof older, &reading).kind,
                     CG_FAULT_NONE);
    const cg_datum *later = cg_reading_find(&reading, "later"), *flag = cg_reading_find(&reading, "flag");
    const cg_datum *size = &cg_reading_find(&reading, "ticks")->items[0].items[1];
    ck_assert(!reading.is_current && !later->is_present && !flag->is_present && !size->is_present);
    ck_assert_uint_eq(cg_leaf_number(later, 0).limb[0], 9);
    ck_assert_uint_eq(cg_leaf_number(size, 0).limb[0], 7);
    ck_assert_uint_eq(cg_leaf_number(flag, 0).limb[0], 0);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_interp_read) {
    BPT_LOOP_TEST(the_first_fault_is_found_where_it_is, 0, sizeof faults / sizeof faults[0]);
    BPT_TEST(a_count_inside_counts_before_other_faults);
    BPT_TEST(places_and_values_are_known);
    BPT_TEST(an_older_value_reads_as_its_defaults);
}
