#include "codegen/report.h"
#include "tests/unit/codegen/compile.h"

static const char contract[] = "schema: {name: s, id: 7, version: 2}\nmessages:\n"
                               "  Large: {tlv_type: 9, typical: {v: 1}, fields: {v: \"FixedVec<u64, 16>\"}}\n"
                               "  Small: {tlv_type: 3, fields: {a: u16, b: {type: u8, optional: true, since: 2}}}\n";

START_TEST(json_has_the_published_shape) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_text out = {.arena = c.arena};
    cg_report_json(&out, c.model, NULL);
    /* Large: block_len and count, elements from 8 on: 136 of 256, 8 over 128. Small: 2, then bitmap and u8. */
    ck_assert_str_eq(
        cg_text_end(&out),
        "{\"schema\":{\"name\":\"s\",\"id\":7,\"version\":2},\"strategy\":\"pow2\",\"classes\":["
        "{\"size\":64,\"messages\":[\"Small\"],\"idle_bytes\":65536},{\"size\":256,\"messages\":[\"Large\"],\"idle_"
        "bytes\":65536}],"
        "\"messages\":[\n"
        "  "
        "{\"name\":\"Small\",\"tlv_type\":3,\"min\":4,\"typical\":4,\"max\":4,\"block\":4,\"accept_min\":2,\"accept_"
        "max\":64,"
        "\"reserve\":0,\"class\":64,\"waste_max\":60,\"to_next_class\":60,\"over_previous_class\":0,\"fields\":["
        "{\"name\":\"a\",\"type\":\"u16\",\"offset\":0,\"size\":2,\"tail\":false,\"since\":1,\"optional\":false},"
        "{\"name\":\"b\",\"type\":\"u8\",\"offset\":3,\"size\":1,\"tail\":false,\"since\":2,\"optional\":true}]},\n"
        "  "
        "{\"name\":\"Large\",\"tlv_type\":9,\"min\":4,\"typical\":16,\"max\":136,\"block\":4,\"accept_min\":4,\"accept_"
        "max\":256,"
        "\"reserve\":0,\"class\":256,\"waste_max\":120,\"to_next_class\":120,\"over_previous_class\":8,\"fields\":["
        "{\"name\":\"v\",\"type\":\"FixedVec<u64, "
        "16>\",\"offset\":2,\"size\":2,\"tail\":true,\"since\":1,\"optional\":false,"
        "\"capacity\":16,\"element_size\":8}]}]}\n");
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(text_has_a_line_for_each_message_and_class) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_text out = {.arena = c.arena};
    cg_report_text(&out, c.model, NULL);
    ck_assert_str_eq(cg_text_end(&out),
                     "s version 2, classes pow2\n\n"
                     "message                   type     min typical     max   class   waste\n"
                     "Small                        3       4       4       4      64      60\n"
                     "Large                        9       4      16     136     256     120  8 bytes over 128\n"
                     "\n  class  idle bytes  messages\n"
                     "     64       65536  Small\n"
                     "    256       65536  Large\n");
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(one_message_is_shown_with_its_fields) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_text text = {.arena = c.arena}, json = {.arena = c.arena};
    cg_report_text(&text, c.model, bpt_message(&c, "Small"));
    cg_report_json(&json, c.model, bpt_message(&c, "Small"));
    ck_assert_ptr_nonnull(strstr(cg_text_end(&text),
                                 "b                        u8                         3       1         0  since 2  "
                                 "optional, bit 0 at 2\n"));
    ck_assert_ptr_null(strstr(cg_text_end(&text), "Large"));
    ck_assert_ptr_null(strstr(cg_text_end(&json), "\"name\":\"Large\""));
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_report) {
    BPT_TEST(json_has_the_published_shape);
    BPT_TEST(text_has_a_line_for_each_message_and_class);
    BPT_TEST(one_message_is_shown_with_its_fields);
}
