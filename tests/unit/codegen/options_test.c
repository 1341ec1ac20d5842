#include "codegen/options.h"
#include "bufpool/base.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 24 };

/* Reads a command line of words with one space between them; the words live as long as storage. */
static cg_status read_line(const char *line, char storage[512], cg_options *out) {
    char *words[WORDS_MAX] = {(char[]){"bufpoolc"}};
    int count = 1;
    snprintf(storage, 512, "%s", line);
    for (char *word = strtok(storage, " "); word != NULL; word = strtok(NULL, " ")) words[count++] = word;
    return cg_options_read(count, words, out);
}

START_TEST(options_stand_before_or_after_the_file) {
    static const char *const lines[] = {
        "generate c.yaml --out-dir d -MD -MF f -MT t -MP -Werror --prefix p --check --list-outputs",
        "-Werror --prefix p --out-dir d generate -MP -MT t --check -MF f -MD --list-outputs c.yaml"};
    for (size_t i = 0; i < 2; i++) {
        char storage[512];
        cg_options options;
        ck_assert_int_eq(read_line(lines[i], storage, &options), CG_OK);
        ck_assert_int_eq(options.command, CG_COMMAND_GENERATE);
        ck_assert_str_eq(options.file, "c.yaml");
        ck_assert_str_eq(options.directory, "d");
        ck_assert_str_eq(options.prefix, "p");
        ck_assert_str_eq(options.depfile, "f");
        ck_assert_str_eq(options.depfile_target, "t");
        ck_assert(options.has_depfile && options.is_depfile_safe && options.is_warning_error);
        ck_assert(options.is_checking && options.is_listing);
    }
}
END_TEST

START_TEST(report_takes_a_message_and_a_format) {
    char storage[512];
    cg_options options;
    ck_assert_int_eq(read_line("report c.yaml OrderBook --format json", storage, &options), CG_OK);
    ck_assert_int_eq(options.command, CG_COMMAND_REPORT);
    ck_assert_str_eq(options.message, "OrderBook");
    ck_assert(options.is_json);
    ck_assert_int_eq(read_line("report c.yaml --format text", storage, &options), CG_OK);
    ck_assert_ptr_null(options.message);
    ck_assert(!options.is_json);
}
END_TEST

START_TEST(everything_else_is_usage) {
    static const char *const lines[] = {"",
                                        "generate",
                                        "frobnicate c.yaml",
                                        "generate a.yaml b.yaml",
                                        "report a.yaml B C",
                                        "generate c.yaml --out-dir",
                                        "generate c.yaml --frob",
                                        "report c.yaml --format xml",
                                        "report c.yaml --format html",
                                        "generate c.yaml -o -",
                                        "generate c.yaml --only X",
                                        "compat a.yaml --against b.yaml",
                                        "publish c.yaml",
                                        "decode f",
                                        "schema",
                                        "explain E0101"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char storage[512];
        cg_options options;
        ck_assert_msg(read_line(lines[i], storage, &options) == CG_USAGE, "%s", lines[i]);
    }
}
END_TEST

START_TEST(version_is_the_library_s) { ck_assert_str_eq(cg_version, "bufpoolc " BP_VERSION "\n"); }
END_TEST

BPT_SUITE(codegen_options) {
    BPT_TEST(options_stand_before_or_after_the_file);
    BPT_TEST(report_takes_a_message_and_a_format);
    BPT_TEST(everything_else_is_usage);
    BPT_TEST(version_is_the_library_s);
}
