/* What cannot be written, and what is written of absent and retired fields. */
#include "codegen/interp.h"
#include "tests/unit/codegen/compile.h"

static const char contract[] = "enums: {Side: {type: u8, values: {buy: 1, sell: 2}}}\n"
                               "types: {Tick: {extensible: true, fields: {price: u32}}}\n"
                               "messages:\n"
                               "  M:\n"
                               "    tlv_type: 1\n"
                               "    fields:\n"
                               "      side: {type: Side}\n"
                               "      maybe: {type: bool, optional: true}\n"
                               "      short_text: \"FixedStr<2>\"\n"
                               "      list: \"FixedVec<u16, 2>\"\n"
                               "      gone: {type: \"FixedVec<Tick, 2>\", retired: true}\n";
enum { SIDE, MAYBE, SHORT_TEXT, LIST, GONE, FIELDS };

static const uint8_t bytes[] = {1, 0, 2, 0, 3, 0};

static void fill(const bpt_compiled *c, cg_datum fields[FIELDS]) {
    const cg_message *message = bpt_message(c, "M");
    for (size_t i = 0; i < FIELDS; i++) {
        fields[i] = (cg_datum){.type = message->fields[i].type, .field = &message->fields[i], .bytes = bytes};
        fields[i].count = 1;
    }
}

static cg_fault write(const bpt_compiled *c, const cg_datum fields[FIELDS], const uint8_t **out, uint32_t *length) {
    return cg_interp_write(c->arena, bpt_message(c, "M"), fields, out, length);
}

/* block_len 0, count of list 2, count and stride of gone 4, bitmap 8, side, maybe, short_text 11..13; then the list. */
START_TEST(there_is_one_way_to_write_a_value) {
    static const uint8_t present[] = {14, 0, 2, 0, 0, 0, 4, 0, 1, 1, 1, 2, 1, 0, 1, 0, 2, 0};
    static const uint8_t absent[] = {14, 0, 2, 0, 0, 0, 4, 0, 0, 1, 0, 2, 1, 0, 1, 0, 2, 0};
    bpt_compiled c = bpt_compile_good(contract);
    cg_datum fields[FIELDS];
    const uint8_t *out;
    uint32_t length;
    fill(&c, fields);
    fields[SHORT_TEXT].count = fields[LIST].count = 2;
    ck_assert_int_eq(write(&c, fields, &out, &length).kind, CG_FAULT_NONE);
    ck_assert_uint_eq(length, sizeof absent);
    ck_assert_mem_eq(out, absent, sizeof absent);
    fields[MAYBE].is_present = true;
    ck_assert_int_eq(write(&c, fields, &out, &length).kind, CG_FAULT_NONE);
    ck_assert_uint_eq(length, sizeof present);
    ck_assert_mem_eq(out, present, sizeof present);
    bpt_compiled_free(&c);
}
END_TEST

static const struct {
    size_t field;
    uint8_t byte;
    uint32_t count;
    cg_fault_kind kind;
} faults[] = {
    {SIDE, 3, 1, CG_FAULT_MALFORMED},
    {MAYBE, 2, 1, CG_FAULT_MALFORMED},
    {SHORT_TEXT, 1, 3, CG_FAULT_BOUND},
    {LIST, 1, 3, CG_FAULT_BOUND},
};

START_TEST(what_no_reader_takes_is_not_written) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_datum fields[FIELDS];
    const uint8_t *out = bytes;
    const uint8_t one[6] = {faults[_i].byte};
    uint32_t length = 1;
    fill(&c, fields);
    fields[MAYBE].is_present = true;
    fields[faults[_i].field].bytes = one;
    fields[faults[_i].field].count = faults[_i].count;
    const cg_fault fault = write(&c, fields, &out, &length);
    ck_assert_str_eq(cg_fault_name(fault.kind), cg_fault_name(faults[_i].kind));
    ck_assert_ptr_eq(fault.field, fields[faults[_i].field].field);
    ck_assert_ptr_null(out);
    ck_assert_uint_eq(length, 0);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_bound_counts_before_a_value) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_datum fields[FIELDS];
    const uint8_t *out;
    const uint8_t three[] = {3, 3, 3};
    uint32_t length;
    fill(&c, fields);
    fields[SIDE].bytes = fields[SHORT_TEXT].bytes = three;
    fields[SHORT_TEXT].count = 3;
    ck_assert_int_eq(write(&c, fields, &out, &length).kind, CG_FAULT_BOUND);
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_interp_write) {
    BPT_TEST(there_is_one_way_to_write_a_value);
    BPT_LOOP_TEST(what_no_reader_takes_is_not_written, 0, sizeof faults / sizeof faults[0]);
    BPT_TEST(a_bound_counts_before_a_value);
}
