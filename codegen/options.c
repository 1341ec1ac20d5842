#include "codegen/options.h"

#include <stdio.h>
#include <string.h>

/* The release that the compiler belongs to; the same as BP_VERSION of bufpool/base.h, which a test proves. */
const char cg_version[] = "bufpoolc 0.1.0\n";

static const char help[] =
    "bufpoolc: from a contract of messages to typed C and the pool that fits them\n"
    "\n"
    "  bufpoolc generate FILE [--out-dir DIR] [--prefix NAME] [--check] [--list-outputs]\n"
    "                         [-MD] [-MF FILE] [-MT TARGET] [-MP]\n"
    "      writes the generated files into DIR (the current directory)\n"
    "      --check         writes nothing; says which file is stale and where\n"
    "      --list-outputs  writes nothing; lists the files that would be written\n"
    "      --prefix NAME   generates NAME_... instead of the schema's name\n"
    "      -MD -MF -MT -MP dependencies for make, as compilers write them\n"
    "  bufpoolc check FILE\n"
    "      says what is wrong with the contract\n"
    "  bufpoolc report FILE [MESSAGE] [--format text|json]\n"
    "      sizes, classes and what they waste; of one message also its fields\n"
    "\n"
    "  -Werror makes warnings errors. --version, --help.\n"
    "  Exit codes: 0 ok, 1 the contract is wrong or a file is stale, 2 usage, 3 input, output or memory.\n";

static cg_status refuse(const char *what, const char *which) {
    fprintf(stderr, "bufpoolc: %s '%s'; see bufpoolc --help\n", what, which);
    return CG_USAGE;
}

static bool is_one_of(const char *word, const char *const *words) {
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0) return true;
    }
    return false;
}

static cg_status read_command(const char *word, cg_options *out) {
    static const char *const later[] = {"compat", "publish", "decode", "schema", "explain", NULL};
    static const struct {
        const char *name;
        cg_command command;
    } commands[] = {{"generate", CG_COMMAND_GENERATE}, {"check", CG_COMMAND_CHECK}, {"report", CG_COMMAND_REPORT}};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(word, commands[i].name) != 0) continue;
        out->command = commands[i].command;
        return CG_OK;
    }
    return refuse(is_one_of(word, later) ? "not supported yet: command" : "unknown command", word);
}

static cg_status read_format(const char *word, cg_options *out) {
    if (strcmp(word, "text") != 0 && strcmp(word, "json") != 0) {
        return refuse(strcmp(word, "html") == 0 ? "not supported yet: format" : "unknown format", word);
    }
    out->is_json = strcmp(word, "json") == 0;
    return CG_OK;
}

/* Options without a value. False when it is none. */
static bool read_switch(const char *word, cg_options *out) {
    const struct {
        const char *name;
        bool *is_on;
    } switches[] = {
        {"--check", &out->is_checking}, {"--list-outputs", &out->is_listing}, {"-MD", &out->has_depfile},
        {"-MP", &out->is_depfile_safe}, {"-Werror", &out->is_warning_error},
    };
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (strcmp(word, switches[i].name) != 0) continue;
        *switches[i].is_on = true;
        return true;
    }
    return false;
}

/* Where the value of an option goes; NULL when it takes none. */
static const char **value_of(const char *word, cg_options *out, const char **format) {
    if (strcmp(word, "--out-dir") == 0) return &out->directory;
    if (strcmp(word, "--prefix") == 0) return &out->prefix;
    if (strcmp(word, "-MF") == 0) return &out->depfile;
    if (strcmp(word, "-MT") == 0) return &out->depfile_target;
    if (strcmp(word, "--format") == 0) return format;
    return NULL;
}

static cg_status read_operand(const char *word, cg_options *out) {
    if (out->command == CG_COMMAND_NONE) return read_command(word, out);
    if (out->file == NULL)
        out->file = word;
    else if (out->command == CG_COMMAND_REPORT && out->message == NULL)
        out->message = word;
    else
        return refuse("one contract at a time: unexpected", word);
    return CG_OK;
}

/* Reads the word at *at, and its value when it has one. */
static cg_status read_word(char **arguments, int count, int *at, cg_options *out) {
    static const char *const later[] = {"-o", "--only", "--level", "--against", NULL};
    const char *word = arguments[*at], *format = NULL;
    if (word[0] != '-' || word[1] == '\0') return read_operand(word, out);
    if (read_switch(word, out)) return CG_OK;
    if (is_one_of(word, later)) return refuse("not supported yet: option", word);
    const char **value = value_of(word, out, &format);
    if (value == NULL) return refuse("unknown option", word);
    if (*at + 1 == count) return refuse("a value is missing for", word);
    *value = arguments[++*at];
    return format == NULL ? CG_OK : read_format(format, out);
}

cg_status cg_options_read(int count, char **arguments, cg_options *out) {
    *out = (cg_options){.command = CG_COMMAND_NONE, .directory = "."};
    for (int i = 1; i < count; i++) {
        const bool is_help = strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0;
        if (is_help || strcmp(arguments[i], "--version") == 0) {
            fputs(is_help ? help : cg_version, stdout);
            out->command = CG_COMMAND_NONE;
            return CG_OK;
        }
        const cg_status status = read_word(arguments, count, &i, out);
        if (status != CG_OK) return status;
    }
    if (out->command == CG_COMMAND_NONE) return refuse("a command is missing:", "generate, check or report");
    if (out->file == NULL) return refuse("a contract is missing:", "FILE");
    return CG_OK;
}
