/* codegen/options.h: the command line of bufpoolc, as commands.def and options.def describe it. */
#ifndef BUFPOOL_CODEGEN_OPTIONS_H
#define BUFPOOL_CODEGEN_OPTIONS_H

#include "codegen/arena.h"

typedef enum cg_command {
#define CG_COMMAND(id, name, function, least, most, operands, text) CG_COMMAND_##id,
#include "codegen/commands.def"
#undef CG_COMMAND
    CG_COMMAND_COUNT,
    CG_COMMAND_NONE = CG_COMMAND_COUNT
} cg_command;

/* Sets of commands. */
enum {
#define CG_COMMAND(id, name, function, least, most, operands, text) CG_IN_##id = 1 << CG_COMMAND_##id,
#include "codegen/commands.def"
#undef CG_COMMAND
    /* that read a contract and say what is wrong with it */
    CG_IN_COMPILING = CG_IN_GENERATE | CG_IN_CHECK | CG_IN_REPORT | CG_IN_DECODE | CG_IN_PUBLISH | CG_IN_COMPAT,
    CG_IN_ALL = (1 << CG_COMMAND_COUNT) - 1
};

enum { CG_OPERANDS_MAX = 2 };

typedef struct cg_options {
    cg_command command;                    /* NONE: what was asked for is printed already */
    const char *operands[CG_OPERANDS_MAX]; /* NULL: not given */
    size_t operand_count;
    const char *directory, *output;       /* or NULL */
    const char *only, *with;              /* lists of parts, or NULL */
    const char *prefix;                   /* or NULL */
    const char *format, *color;           /* words of the command's list */
    const char *depfile, *depfile_target; /* or NULL */
    const char *lock;                     /* or NULL: beside the contract */
    const char *against, *level;          /* compat; or NULL */
    bool has_depfile, is_depfile_safe, is_checking, is_listing, is_warning_error, is_showing_all, is_unlocked;
} cg_options;

typedef enum cg_option_kind { CG_OPTION_SWITCH, CG_OPTION_TEXT, CG_OPTION_WORD } cg_option_kind;

/* One row of options.def. */
typedef struct cg_option {
    const char *word, *value;
    cg_option_kind kind;
    size_t offset; /* of its member in cg_options */
    unsigned commands;
    const char *text;
} cg_option;

extern const cg_option cg_option_table[];
extern const size_t cg_option_count;

/* What --version prints. */
extern const char cg_version[];

/* Reads the command line; answers --help and --version at once. Runs inside an attempt of the arena, where words are
 * kept that arguments do not hold. CG_USAGE: it is wrong, and stderr says how. */
cg_status cg_options_read(cg_arena *arena, int count, char **arguments, cg_options *out);

#endif
