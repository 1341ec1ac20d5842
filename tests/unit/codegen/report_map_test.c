#include "codegen/report_map.h"
#include "tests/unit/codegen/compile.h"

#include <stdio.h>
#include <stdlib.h>

static const char *text_of(const cg_value *map, const char *name) {
    return cg_map_find(map, name, strlen(name))->value.text;
}

static unsigned number_of(const cg_value *map, const char *name) {
    return (unsigned)strtoul(text_of(map, name), NULL, 10);
}

static const cg_value *list_of(const cg_value *map, const char *name) {
    return &cg_map_find(map, name, strlen(name))->value;
}

/* "x,y w*h kind label;" of every cell; a cell of one byte is 44 wide, offsets take 46 on the left. */
static const char *drawn(bpt_compiled *c, const char *fields) {
    char contract[512];
    snprintf(contract, sizeof contract, "schema: {name: s, version: 2}\nmessages: {M: {tlv_type: 1, fields: {%s}}}",
             fields);
    *c = bpt_compile_good(contract);
    const cg_value *map = cg_report_map(c->arena, bpt_message(c, "M"));
    const cg_value *cells = list_of(map, "cells");
    cg_text out = {.arena = c->arena};
    for (size_t i = 0; i < cells->count; i++) {
        const cg_value *cell = &cells->items[i];
        cg_text_format(&out, "%u,%u %u*%u %s%s %s;", number_of(cell, "x"), number_of(cell, "y"), number_of(cell, "w"),
                       number_of(cell, "h"), text_of(cell, "kind"), list_of(cell, "is_odd")->count == 0 ? "" : "'",
                       text_of(cell, "label"));
    }
    cg_text_format(&out, " %u", number_of(map, "height"));
    return cg_text_end(&out);
}

START_TEST(pieces_lie_where_their_bytes_are) {
    bpt_compiled c;
    ck_assert_str_eq(drawn(&c, "a: u64, b: u16, long_name: u8, d: {type: u32, since: 2, optional: true}"),
                     "46,0 351*25 g0 a;46,26 87*25 g0' b;134,26 43*25 g0 long\u2026;178,26 43*25 implicit bits;"
                     "222,26 175*25 g1' d; 52");
    bpt_compiled_free(&c);
    ck_assert_str_eq(
        drawn(&c, "a: {type: \"FixedVec<u32, 3>\", wire: inline}, b: bool, c: {type: \"FixedVec<u8, 9>\"}"),
        "46,0 351*26 g0 a;46,26 351*25 g0 ;46,52 87*25 implicit len;134,52 87*25 g0' c;222,52 43*25 g0 b; 78");
    bpt_compiled_free(&c);
}
END_TEST

/* The label stands in the widest part; a part that is not the piece's last has no gap below it. */
START_TEST(a_piece_goes_on_in_the_next_row) {
    bpt_compiled c;
    ck_assert_str_eq(drawn(&c, "a: u16, text: \"bytes<12>\", b: u8"),
                     "46,0 87*25 g0 a;134,0 263*26 g0' ;46,26 307*25 g0' text;354,26 43*25 g0 b; 52");
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(many_rows_are_drawn_as_one) {
    bpt_compiled c;
    ck_assert_str_eq(drawn(&c, "a: \"[u8; 24]\""), "46,0 351*26 g0 a;46,26 351*26 g0 ;46,52 351*25 g0 ; 78");
    bpt_compiled_free(&c);
    ck_assert_str_eq(drawn(&c, "a: \"[u8; 100]\""),
                     "46,0 351*26 g0 a;46,26 351*20 g0 \u22EE 80 bytes;46,46 351*26 g0 ;46,72 175*25 g0 ; 98");
    bpt_compiled_free(&c);
}
END_TEST

START_TEST(gaps_and_retired_fields_are_told_apart) {
    bpt_compiled c;
    ck_assert_str_eq(drawn(&c, "a: u8, b: {type: u16, since: 2}, old: {type: u32, retired: true}"),
                     "46,0 175*25 retired old;222,0 43*25 g0' a;266,0 43*25 gap gap;310,0 87*25 g1 b; 26");
    bpt_compiled_free(&c);
}
END_TEST

BPT_SUITE(codegen_report_map) {
    BPT_TEST(pieces_lie_where_their_bytes_are);
    BPT_TEST(a_piece_goes_on_in_the_next_row);
    BPT_TEST(many_rows_are_drawn_as_one);
    BPT_TEST(gaps_and_retired_fields_are_told_apart);
}
