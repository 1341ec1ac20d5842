#include "tests/unit/codegen/compile.h"

#include <stdio.h>

START_TEST(names_are_mangled_at_their_words) {
    static const struct {
        const char *text, *snake, *upper;
    } cases[] = {{"OrderBook", "order_book", "ORDER_BOOK"},
                 {"HTTPServer2", "http_server2", "HTTP_SERVER2"},
                 {"U256Value", "u256_value", "U256_VALUE"},
                 {"order_book", "order_book", "ORDER_BOOK"},
                 {"Order_Book", "order_book", "ORDER_BOOK"},
                 {"ABC", "abc", "ABC"},
                 {"aBC", "a_bc", "A_BC"},
                 {"y", "y", "Y"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "messages: {T: {tlv_type: 1, fields: {%s: u8}}}", cases[i].text);
        bpt_compiled c = bpt_compile_good(text);
        const cg_name *name = &bpt_field(bpt_message(&c, "T"), cases[i].text)->name;
        ck_assert_str_eq(name->snake, cases[i].snake);
        ck_assert_str_eq(name->upper, cases[i].upper);
        bpt_compiled_free(&c);
    }
}
END_TEST

START_TEST(reserved_words_are_refused_wherever_they_sort) {
    static const char *const words[] = {"alignas",  "and",       "asm",          "auto",      "bool",        "char16_t",
                                        "class",    "constexpr", "const_cast",   "decltype",  "errno",       "i386",
                                        "if",       "int",       "linux",        "namespace", "new",         "nullptr",
                                        "or",       "private",   "register",     "restrict",  "static_cast", "stdin",
                                        "template", "this",      "thread_local", "typeid",    "union",       "unix",
                                        "virtual",  "while",     "xor_eq",       "Class"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "messages: {T: {tlv_type: 1, fields: {%s: u8}}}", words[i]);
        bpt_compiled c = bpt_compile(text);
        ck_assert_msg(c.model == NULL && strstr(cg_diags_print(&c.diags), "E0302") != NULL, "%s", words[i]);
        bpt_compiled_free(&c);
    }
}
END_TEST

BPT_SUITE(codegen_names) {
    BPT_TEST(names_are_mangled_at_their_words);
    BPT_TEST(reserved_words_are_refused_wherever_they_sort);
}
