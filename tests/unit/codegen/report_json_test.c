/* The report as JSON: the shape that others read. */
#include "codegen/report.h"
#include "tests/unit/codegen/compile.h"

#include <inttypes.h>

static const char contract[] =
    "schema: {name: s, id: 7, version: 2}\nmessages:\n"
    "  Large: {tlv_type: 9, typical: {v: 1}, fields: {v: \"FixedVec<u64, 16>\"}}\n"
    "  Small: {tlv_type: 3, rate: 1000, hold: 2.5ms, fields: {a: u16, b: {type: u8, optional: true, since: 2}}}\n";

START_TEST(json_has_the_published_shape) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_text out = {.arena = c.arena};
    cg_report_json(&out, c.model, NULL);
    /* Large: block_len and count, elements from 8 on: 136 of 256, 8 over 128. Small: 2, then bitmap and u8. */
    const char *const expected = cg_arena_format(
        c.arena,
        "{\"schema\":{\"name\":\"s\",\"id\":7,\"version\":2,\"min_compatible\":1,\"layouts\":["
        "{\"version\":1,\"hash\":\"%016" PRIx64 "\"},{\"version\":2,\"hash\":\"%016" PRIx64 "\"}]},"
        "\"strategy\":\"pow2\",\"classes\":["
        "{\"size\":64,\"messages\":[\"Small\"],\"idle_bytes\":65536,\"buffers\":3},"
        "{\"size\":256,\"messages\":[\"Large\"],\"idle_bytes\":65536,\"buffers\":0}],\"messages\":[\n"
        "  {\"name\":\"Small\",\"tlv_type\":3,\"min\":4,\"typical\":4,\"max\":4,\"block\":4,\"accept_min\":2,"
        "\"accept_max\":64,\"reserve\":0,\"class\":64,\"waste_max\":60,\"to_next_class\":60,\"over_previous_class\":0,"
        "\"rate\":1000,\"hold_ns\":2500000,\"buffers\":3,\"fields\":["
        "{\"name\":\"a\",\"type\":\"u16\",\"offset\":0,\"size\":2,\"tail\":false,\"since\":1,\"optional\":false,"
        "\"retired\":false},{\"name\":\"b\",\"type\":\"u8\",\"offset\":3,\"size\":1,\"tail\":false,\"since\":2,"
        "\"optional\":true,\"retired\":false}],\"implicit\":[{\"kind\":\"bitmap\",\"offset\":2,\"size\":1}]},\n"
        "  {\"name\":\"Large\",\"tlv_type\":9,\"min\":4,\"typical\":16,\"max\":136,\"block\":4,\"accept_min\":4,"
        "\"accept_max\":256,\"reserve\":0,\"class\":256,\"waste_max\":120,\"to_next_class\":120,"
        "\"over_previous_class\":8,\"rate\":0,\"hold_ns\":0,\"buffers\":0,\"fields\":["
        "{\"name\":\"v\",\"type\":\"FixedVec<u64, 16>\",\"offset\":2,\"size\":2,\"tail\":true,\"since\":1,"
        "\"optional\":false,\"retired\":false,\"capacity\":16,\"element_size\":8}],"
        "\"implicit\":[{\"kind\":\"block_len\",\"offset\":0,\"size\":2}]}],\"plans\":[\n"
        "  {\"strategy\":\"pow2\",\"classes\":2,\"waste\":0.935632,\"current\":true},\n"
        "  {\"strategy\":\"auto:1\",\"classes\":1,\"waste\":0.971306,\"current\":false},\n"
        "  {\"strategy\":\"auto:2\",\"classes\":2,\"waste\":0.743806,\"current\":false}]}\n",
        c.model->layouts[0].hash, c.model->layouts[1].hash);
    ck_assert_str_eq(cg_text_end(&out), expected);
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(one_message_is_shown_alone) {
    bpt_compiled c = bpt_compile_good(contract);
    cg_text out = {.arena = c.arena};
    cg_report_json(&out, c.model, bpt_message(&c, "Small"));
    ck_assert_ptr_nonnull(strstr(cg_text_end(&out), "\"name\":\"Small\""));
    ck_assert_ptr_null(strstr(cg_text_end(&out), "\"name\":\"Large\""));
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_report_json) {
    BPT_TEST(json_has_the_published_shape);
    BPT_TEST(one_message_is_shown_alone);
}
