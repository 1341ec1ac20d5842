/* codegen/command.h: what the commands of bufpoolc share.
 *
 *     job   one run: a command line and the arena that everything of the run lives in
 *
 * A command is a row of commands.def, its options are rows of options.def, its function stands in a file of its own. */
#ifndef BUFPOOL_CODEGEN_COMMAND_H
#define BUFPOOL_CODEGEN_COMMAND_H

#include "codegen/lock.h"
#include "codegen/options.h"
#include "codegen/text.h"

typedef struct cg_job {
    cg_arena *arena;
    cg_options options;
    const cg_source *source; /* of the contract */
    const char *lock_path;   /* of the lock that was read; NULL while there is none */
    const cg_lock *lock;     /* what it says, or NULL */
} cg_job;

#define CG_COMMAND(id, name, function, least, most, operands, text) cg_status cg_command_##function(cg_job *job);
#include "codegen/commands.def"
#undef CG_COMMAND

/* Reads and checks the contract in the first operand, by its lock when there is one, and prints what there is to say
 * about them. The model, or NULL when there is none: then *status says why. */
const cg_model *cg_job_compile(cg_job *job, cg_status *status);

/* Prints what there is to say about the contract of that path, as the options want it. */
cg_status cg_job_say(const cg_job *job, cg_diags *diags, const char *path);

/* Whether what goes to that stream, a descriptor, is colored. */
bool cg_job_is_colored(const cg_job *job, int stream);

/* Writes all of a text to standard output. CG_FAILED says on stderr why not. */
cg_status cg_print(const cg_text *text);

/* The whole of a run. Inside an attempt of the arena. */
cg_status cg_run(cg_arena *arena, int count, char **arguments);

#endif
