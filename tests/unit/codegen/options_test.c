#include "codegen/options.h"
#include "bufpool/base.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 24 };

static cg_arena *arena;

/* Reads a command line of words with one space between them; the words live as long as storage. */
static cg_status read_line(const char *line, char storage[512], cg_options *out) {
    char *words[WORDS_MAX] = {(char[]){"bufpoolc"}};
    int count = 1;
    snprintf(storage, 512, "%s", line);
    for (char *word = strtok(storage, " "); word != NULL; word = strtok(NULL, " ")) words[count++] = word;
    return cg_options_read(arena, count, words, out);
}

/* The same, of a line that must end as given; what it prints goes to a file that is read back. */
static void check_said(const char *line, cg_status expected, FILE **stream, const char *says) {
    char storage[512], said[16384];
    cg_options options;
    FILE *kept = *stream, *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    *stream = file;
    const cg_status status = read_line(line, storage, &options);
    *stream = kept;
    rewind(file);
    said[fread(said, 1, sizeof said - 1, file)] = '\0';
    fclose(file);
    ck_assert_msg(status == expected, "'%s' ended as %d:\n%s", line, (int)status, said);
    ck_assert_msg(strstr(said, says) != NULL, "'%s' does not say '%s':\n%s", line, says, said);
}

START_TEST(options_stand_before_or_after_the_file) {
    static const char *const lines[] = {
        "generate c.yaml --out-dir d -MD -MF f -MT t -MP -Werror --prefix p --check --list-outputs",
        "-Werror --prefix p --out-dir=d generate -MP -MT t --check -MF f -MD --list-outputs -- c.yaml"};
    for (size_t i = 0; i < 2; i++) {
        char storage[512];
        cg_options options;
        ck_assert_int_eq(read_line(lines[i], storage, &options), CG_OK);
        ck_assert_int_eq(options.command, CG_COMMAND_GENERATE);
        ck_assert_uint_eq(options.operand_count, 1);
        ck_assert_str_eq(options.operands[0], "c.yaml");
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
    ck_assert_str_eq(options.operands[1], "OrderBook");
    ck_assert_str_eq(options.format, "json");
    ck_assert_int_eq(read_line("report c.yaml", storage, &options), CG_OK);
    ck_assert_ptr_null(options.operands[1]);
    ck_assert_str_eq(options.format, "text");
    ck_assert_ptr_null(options.directory);
}
END_TEST

START_TEST(what_begins_with_a_dash_is_a_file_after_two_dashes) {
    char storage[512];
    cg_options options;
    ck_assert_int_eq(read_line("check -- --check", storage, &options), CG_OK);
    ck_assert_str_eq(options.operands[0], "--check");
    ck_assert_int_eq(read_line("check -", storage, &options), CG_OK);
    ck_assert_str_eq(options.operands[0], "-");
}
END_TEST

static const struct {
    const char *line, *says;
} refused[] = {
    {"", "a command is missing"},
    {"--check", "a command is missing"},
    {"generate", "a word is missing: 'FILE'\nsee bufpoolc generate --help\n"},
    {"frobnicate c.yaml", "unknown command 'frobnicate'\nsee bufpoolc --help\n"},
    {"genrate c.yaml", "did you mean 'generate'?"},
    {"generate a.yaml b.yaml", "one word too many: 'b.yaml'"},
    {"report a.yaml B C", "one word too many: 'C'"},
    {"generate c.yaml --out-dir", "a value is missing for '--out-dir'"},
    {"generate c.yaml --frob", "unknown option '--frob'\n"},
    {"generate c.yaml --outdir d", "unknown option '--outdir'; did you mean '--out-dir'?"},
    {"check c.yaml --out-dir d", "check has no option '--out-dir'"},
    {"generate c.yaml --check=yes", "no value belongs to '--check'"},
    {"report c.yaml --format xml", "--format is one of text|json|html, not 'xml'\n"},
    {"report c.yaml --format=jsno", "did you mean 'json'?"},
};

START_TEST(everything_else_is_usage) { check_said(refused[_i].line, CG_USAGE, &stderr, refused[_i].says); }
END_TEST

START_TEST(help_names_every_command_and_every_option_of_a_command) {
    static const char *const names[] = {
#define CG_COMMAND(id, name, function, least, most, operands, text) name,
#include "codegen/commands.def"
#undef CG_COMMAND
    };
    check_said("-h", CG_OK, &stdout, "Exit codes");
    for (unsigned i = 0; i < CG_COMMAND_COUNT; i++) {
        char line[64];
        check_said("--help", CG_OK, &stdout, names[i]);
        snprintf(line, sizeof line, "%s --help", names[i]);
        for (size_t k = 0; k < cg_option_count; k++) {
            if ((cg_option_table[k].commands & 1u << i) != 0) {
                check_said(line, CG_OK, &stdout, cg_option_table[k].text);
            }
        }
    }
}
END_TEST

/* The command is found before it is known which command's options they are. */
START_TEST(rows_of_one_word_agree_on_having_a_value_and_share_no_command) {
    for (size_t i = 0; i < cg_option_count; i++) {
        const cg_option *row = &cg_option_table[i];
        ck_assert_msg(row->kind != CG_OPTION_SWITCH || row->value[0] == '\0', "%s", row->word);
        for (size_t k = 0; k < i; k++) {
            const cg_option *other = &cg_option_table[k];
            if (strcmp(row->word, other->word) != 0) continue;
            ck_assert_msg((row->kind == CG_OPTION_SWITCH) == (other->kind == CG_OPTION_SWITCH), "%s", row->word);
            ck_assert_msg((row->commands & other->commands) == 0, "%s", row->word);
        }
    }
}
END_TEST

START_TEST(version_is_the_library_s) {
    ck_assert_str_eq(cg_version, "bufpoolc " BP_VERSION "\n");
    check_said("--version", CG_OK, &stdout, cg_version);
}
END_TEST

static void open_arena(void) { arena = cg_arena_new(); }
static void close_arena(void) { cg_arena_free_take(&arena); }

BPT_SUITE(codegen_options) {
    tcase_add_checked_fixture(tcase, open_arena, close_arena);
    BPT_TEST(options_stand_before_or_after_the_file);
    BPT_TEST(report_takes_a_message_and_a_format);
    BPT_TEST(what_begins_with_a_dash_is_a_file_after_two_dashes);
    BPT_LOOP_TEST(everything_else_is_usage, 0, sizeof refused / sizeof refused[0]);
    BPT_TEST(help_names_every_command_and_every_option_of_a_command);
    BPT_TEST(rows_of_one_word_agree_on_having_a_value_and_share_no_command);
    BPT_TEST(version_is_the_library_s);
}
