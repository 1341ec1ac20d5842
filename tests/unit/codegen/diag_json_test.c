/* Diagnostics as a JSON document. */
#include "tests/unit/codegen/diags.h"

START_TEST(json_has_everything_that_the_text_has) {
    cg_diags diags = bpt_diags_over("one: \"x\n  y\"\ntwo\n");
    cg_guess guess = cg_guess_of("tow");
    cg_guess_offer(&guess, "two");
    ck_assert_str_eq(cg_diags_json(&diags, "c.yaml"),
                     "{\"file\":\"c.yaml\",\"errors\":0,\"warnings\":0,\"diagnostics\":[]}\n");
    cg_report(&diags, CG_E_RANGE, (cg_span){13, 16}, "say \"two\"");
    cg_suggest(&diags, &guess);
    cg_note(&diags, (cg_span){0, 3}, "like here");
    cg_note(&diags, (cg_span){4, 4}, "and here");
    cg_report(&diags, CG_W_ID_OUTSIDE, (cg_span){5, 12}, "over a line's end");
    ck_assert_str_eq(
        cg_diags_json(&diags, "c.yaml"),
        "{\"file\":\"c.yaml\",\"errors\":1,\"warnings\":1,\"diagnostics\":[\n"
        "  {\"number\":\"W0309\",\"severity\":\"warning\",\"title\":\"a tlv_type lies outside of all ranges\","
        "\"message\":\"over a line's end\",\"file\":\"c.yaml\",\"start\":{\"line\":1,\"column\":6},"
        "\"end\":{\"line\":2,\"column\":5},\"suggestion\":null,\"notes\":[]},\n"
        "  {\"number\":\"E0206\",\"severity\":\"error\",\"title\":\"a number is out of range\","
        "\"message\":\"say \\\"two\\\"\",\"file\":\"c.yaml\",\"start\":{\"line\":3,\"column\":1},"
        "\"end\":{\"line\":3,\"column\":4},\"suggestion\":\"two\",\"notes\":["
        "{\"message\":\"like here\",\"file\":\"c.yaml\",\"start\":{\"line\":1,\"column\":1},"
        "\"end\":{\"line\":1,\"column\":4}},"
        "{\"message\":\"and here\",\"file\":\"c.yaml\",\"start\":{\"line\":1,\"column\":5},"
        "\"end\":{\"line\":1,\"column\":5}}]}]}\n");
    cg_arena_free_take(&diags.arena);
}
END_TEST

BPT_SUITE(codegen_diag_json) { BPT_TEST(json_has_everything_that_the_text_has); }
