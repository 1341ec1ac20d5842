/* The report as text. */
#include "codegen/report.h"
#include "tests/unit/codegen/compile.h"

static const char contract[] =
    "schema: {name: s, id: 7, version: 2}\nmessages:\n"
    "  Large: {tlv_type: 9, typical: {v: 1}, fields: {v: \"FixedVec<u64, 16>\"}}\n"
    "  Small: {tlv_type: 3, rate: 1000, hold: 2.5ms, fields: {a: u16, b: {type: u8, optional: true, since: 2}}}\n";

START_TEST(text_has_a_line_for_each_message_class_and_plan) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_text out = {.arena = c.arena};
    cg_report_text(&out, c.model, NULL);
    ck_assert_str_eq(
        cg_text_end(&out),
        "s version 2, classes pow2\n\n"
        "message                   type     min typical     max   class   waste  buffers\n"
        "Small                        3       4       4       4      64      60        3\n"
        "Large                        9       4      16     136     256     120        -  8 bytes over 128\n"
        "\n  class  idle bytes  buffers  messages\n"
        "     64       65536        3  Small\n"
        "    256       65536        -  Large\n"
        "\nstrategy   classes   waste\n"
        "pow2             2  93.6 %  the contract's\n"
        "auto:1           1  97.1 %\n"
        "auto:2           2  74.4 %\n");
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(one_message_is_shown_with_its_fields) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_text text = {.arena = c.arena};
    cg_report_text(&text, c.model, bpt_message(&c, "Small"));
    ck_assert_ptr_nonnull(strstr(cg_text_end(&text),
                                 "b                        u8                         3       1         0  since 2  "
                                 "optional, bit 0 at 2\n"));
    ck_assert_ptr_null(strstr(cg_text_end(&text), "Large"));
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(a_retired_field_is_called_so) {
    bpt_compiled c = bpt_compile_good("messages: {T: {tlv_type: 1, fields: {gone: {type: u32, retired: true}, "
                                      "kept: {type: u8, optional: true}}}}");
    cg_text text = {.arena = c.arena};
    cg_report_text(&text, c.model, bpt_message(&c, "T"));
    ck_assert_ptr_nonnull(strstr(cg_text_end(&text),
                                 "gone                     u32                        0       4         0  retired\n"));
    ck_assert_ptr_nonnull(
        strstr(cg_text_end(&text),
               "kept                     u8                         5       1         0  optional, bit 0 at 4\n"));
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_report) {
    BPT_TEST(text_has_a_line_for_each_message_class_and_plan);
    BPT_TEST(one_message_is_shown_with_its_fields);
    BPT_TEST(a_retired_field_is_called_so);
}
