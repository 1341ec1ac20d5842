#include "codegen/options.h"
#include "codegen/schema.h"
#include "codegen/text.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The release that the compiler belongs to; the same as BP_VERSION of bufpool/base.h, which a test proves. */
const char cg_version[] = "bufpoolc 0.1.0\n";

static const struct {
    const char *name;
    size_t least, most; /* operands */
    const char *operands, *text;
} commands[] = {
#define CG_COMMAND(id, name, function, least, most, operands, text) {name, least, most, operands, text},
#include "codegen/commands.def"
#undef CG_COMMAND
};

const cg_option cg_option_table[] = {
#define CG_OPTION(word, value, kind, member, commands, text)                                                           \
    {word, value, CG_OPTION_##kind, offsetof(cg_options, member), commands, text},
#include "codegen/options.def"
#undef CG_OPTION
};
const size_t cg_option_count = sizeof cg_option_table / sizeof cg_option_table[0];

/* A command line on its way. */
typedef struct reader {
    cg_arena *arena;
    char **arguments;
    int count, at;
    cg_options *out;
} reader;

/* ---- help ------------------------------------------------------------------------------------------------------- */

static cg_status answer(cg_options *out, const char *text) {
    out->command = CG_COMMAND_NONE;
    if (fputs(text, stdout) >= 0 && fflush(stdout) == 0) return CG_OK;
    fprintf(stderr, "bufpoolc: stdout: %s\n", strerror(errno));
    return CG_FAILED;
}

static const char *help_of_all(cg_arena *arena) {
    cg_text help = {.arena = arena};
    cg_text_format(&help, "bufpoolc: from a contract of messages to typed C and the pool that fits them\n\n");
    for (size_t i = 0; i < CG_COMMAND_COUNT; i++) {
        const char *usage = cg_arena_format(arena, "%s %s", commands[i].name, commands[i].operands);
        cg_text_format(&help, "  bufpoolc %-22s %s\n", usage, commands[i].text);
    }
    cg_text_format(&help, "\n  bufpoolc COMMAND --help lists the command's options; --version.\n"
                          "  Exit codes: 0 ok, 1 the contract is wrong or a file is stale, 2 usage, 3 input, output "
                          "or memory.\n");
    return cg_text_end(&help);
}

static const char *help_of_command(cg_arena *arena, cg_command command) {
    cg_text help = {.arena = arena};
    cg_text_format(&help, "bufpoolc %s%s%s [options]\n  %s\n\n", commands[command].name,
                   commands[command].most == 0 ? "" : " ", commands[command].operands, commands[command].text);
    for (size_t i = 0; i < cg_option_count; i++) {
        const cg_option *option = &cg_option_table[i];
        if ((option->commands & 1u << command) == 0) continue;
        cg_text_format(&help, "  %-14s %-18s %s\n", option->word, option->value, option->text);
    }
    return cg_text_end(&help);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

/* "bufpoolc: WHAT 'which'; did you mean 'x'?" and where the help is. */
static cg_status refuse(const reader *r, const char *what, const char *which, const cg_guess *guess) {
    const bool has_command = r->out->command != CG_COMMAND_NONE;
    fprintf(stderr, "bufpoolc: %s '%s'%s\nsee bufpoolc %s%s--help\n", what, which,
            guess == NULL ? "" : cg_guess_text(guess, r->arena), has_command ? commands[r->out->command].name : "",
            has_command ? " " : "");
    return CG_USAGE;
}

static cg_status refuse_option(const reader *r, const char *word, bool is_elsewhere) {
    cg_guess guess = cg_guess_of(word);
    for (size_t i = 0; i < cg_option_count; i++) {
        const bool is_here = (cg_option_table[i].commands & 1u << r->out->command) != 0;
        if (is_here) cg_guess_offer(&guess, cg_option_table[i].word);
    }
    if (!is_elsewhere) return refuse(r, "unknown option", word, &guess);
    return refuse(r, cg_arena_format(r->arena, "%s has no option", commands[r->out->command].name), word, &guess);
}

static cg_status refuse_command(const reader *r, const char *word) {
    cg_guess guess = cg_guess_of(word);
    for (size_t i = 0; i < CG_COMMAND_COUNT; i++) cg_guess_offer(&guess, commands[i].name);
    return refuse(r, "unknown command", word, &guess);
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static bool is_option(const char *word) { return word[0] == '-' && word[1] != '\0'; }

/* Bytes of the option in "--format=json", and of all others. */
static size_t option_length(const char *word) { return word[1] == '-' ? strcspn(word, "=") : strlen(word); }

/* The option in one of those commands, or NULL. */
static const cg_option *find_option(const char *word, size_t length, unsigned in) {
    for (size_t i = 0; i < cg_option_count; i++) {
        const cg_option *option = &cg_option_table[i];
        const bool is_it = strlen(option->word) == length && memcmp(option->word, word, length) == 0;
        if (is_it && (option->commands & in) != 0) return option;
    }
    return NULL;
}

static cg_status set_word(reader *r, const cg_option *option, const char **member, const char *value) {
    const char *list = option->value;
    cg_guess guess = cg_guess_of(value);
    for (const char *word = cg_next_word(r->arena, &list); word != NULL; word = cg_next_word(r->arena, &list)) {
        if (strcmp(word, value) == 0) *member = word;
        if (strcmp(word, value) == 0) return CG_OK;
        cg_guess_offer(&guess, word);
    }
    return refuse(r, cg_arena_format(r->arena, "%s is one of %s, not", option->word, option->value), value, &guess);
}

static cg_status set_option(reader *r, const cg_option *option, const char *value) {
    char *member = (char *)r->out + option->offset;
    switch (option->kind) {
    case CG_OPTION_SWITCH: *(bool *)(void *)member = true; return CG_OK;
    case CG_OPTION_TEXT: *(const char **)(void *)member = value; return CG_OK;
    case CG_OPTION_WORD: return set_word(r, option, (const char **)(void *)member, value);
    }
    return CG_USAGE;
}

static cg_status read_option(reader *r) {
    const char *word = r->arguments[r->at];
    const size_t length = option_length(word);
    const cg_option *option = find_option(word, length, 1u << r->out->command);
    const char *value = word[length] == '=' ? word + length + 1 : NULL;
    const char *name = cg_arena_copy(r->arena, word, length);
    if (option == NULL) return refuse_option(r, name, find_option(word, length, CG_IN_ALL) != NULL);
    if (option->kind == CG_OPTION_SWITCH && value != NULL) return refuse(r, "no value belongs to", name, NULL);
    if (option->kind != CG_OPTION_SWITCH && value == NULL) {
        if (r->at + 1 == r->count) return refuse(r, "a value is missing for", name, NULL);
        value = r->arguments[++r->at];
    }
    return set_option(r, option, value);
}

/* Lists of words begin with what counts when nothing is said. */
static void set_defaults(reader *r) {
    for (size_t i = 0; i < cg_option_count; i++) {
        const cg_option *option = &cg_option_table[i];
        if (option->kind != CG_OPTION_WORD || (option->commands & 1u << r->out->command) == 0) continue;
        const char *list = option->value;
        *(const char **)(void *)((char *)r->out + option->offset) = cg_next_word(r->arena, &list);
    }
}

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* The first word that is neither an option nor the value of one; NULL when there is none. */
static const char *find_command(const reader *r) {
    for (int i = 1; i < r->count; i++) {
        const char *word = r->arguments[i];
        if (!is_option(word)) return word;
        const cg_option *option = find_option(word, strlen(word), CG_IN_ALL);
        if (option != NULL && option->kind != CG_OPTION_SWITCH) i++;
    }
    return NULL;
}

static cg_status read_command(reader *r, const char *word) {
    for (size_t i = 0; i < CG_COMMAND_COUNT; i++) {
        if (strcmp(word, commands[i].name) == 0) r->out->command = (cg_command)i;
    }
    return r->out->command == CG_COMMAND_NONE ? refuse_command(r, word) : CG_OK;
}

static cg_status read_operand(reader *r, const char *word) {
    if (r->out->operand_count == commands[r->out->command].most) return refuse(r, "one word too many:", word, NULL);
    r->out->operands[r->out->operand_count++] = word;
    return CG_OK;
}

/* Everything but the command, which is known by now. */
static cg_status read_words(reader *r, const char *command) {
    bool is_all_operands = false;
    for (r->at = 1; r->at < r->count; r->at++) {
        const char *word = r->arguments[r->at];
        cg_status status = CG_OK;
        if (word == command) continue;
        if (!is_all_operands && strcmp(word, "--") == 0)
            is_all_operands = true;
        else
            status = !is_all_operands && is_option(word) ? read_option(r) : read_operand(r, word);
        if (status != CG_OK) return status;
    }
    if (r->out->operand_count >= commands[r->out->command].least) return CG_OK;
    return refuse(r, "a word is missing:", commands[r->out->command].operands, NULL);
}

static bool is_asked_for(const reader *r, const char *word, const char *other) {
    for (int i = 1; i < r->count && strcmp(r->arguments[i], "--") != 0; i++) {
        if (strcmp(r->arguments[i], word) == 0 || strcmp(r->arguments[i], other) == 0) return true;
    }
    return false;
}

cg_status cg_options_read(cg_arena *arena, int count, char **arguments, cg_options *out) {
    *out = (cg_options){.command = CG_COMMAND_NONE};
    reader r = {.arena = arena, .arguments = arguments, .count = count, .out = out};
    const char *command = find_command(&r);
    if (is_asked_for(&r, "--version", "--version")) return answer(out, cg_version);
    if (command == NULL && is_asked_for(&r, "--help", "-h")) return answer(out, help_of_all(arena));
    if (command == NULL) return refuse(&r, "a command is missing, such as", commands[0].name, NULL);
    const cg_status status = read_command(&r, command);
    if (status != CG_OK) return status;
    if (is_asked_for(&r, "--help", "-h")) return answer(out, help_of_command(arena, out->command));
    set_defaults(&r);
    return read_words(&r, command);
}
