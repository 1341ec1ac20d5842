/* codegen/options.h: the command line of bufpoolc. */
#ifndef BUFPOOL_CODEGEN_OPTIONS_H
#define BUFPOOL_CODEGEN_OPTIONS_H

#include "codegen/arena.h"

typedef enum cg_command { CG_COMMAND_GENERATE, CG_COMMAND_CHECK, CG_COMMAND_REPORT, CG_COMMAND_NONE } cg_command;

typedef struct cg_options {
    cg_command command; /* NONE: what was asked for is printed already */
    const char *file;
    const char *message;                  /* report: NULL is all */
    const char *directory;                /* generate: where to; "." when nothing is said */
    const char *prefix;                   /* or NULL */
    const char *depfile, *depfile_target; /* -MF, -MT; or NULL */
    bool has_depfile;                     /* -MD */
    bool is_depfile_safe;                 /* -MP */
    bool is_checking;                     /* generate --check */
    bool is_listing;                      /* generate --list-outputs */
    bool is_warning_error;
    bool is_json;
} cg_options;

/* What --version prints. */
extern const char cg_version[];

/* Reads the command line. CG_USAGE: it is wrong; stderr says how. */
cg_status cg_options_read(int count, char **arguments, cg_options *out);

#endif
