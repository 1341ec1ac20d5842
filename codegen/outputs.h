/* codegen/outputs.h: the files of one run, complete in memory before the first is written. */
#ifndef BUFPOOL_CODEGEN_OUTPUTS_H
#define BUFPOOL_CODEGEN_OUTPUTS_H

#include "codegen/arena.h"

typedef struct cg_output {
    const char *name; /* "market_sizes.h", without a directory */
    const char *text;
    size_t length; /* bytes */
} cg_output;

typedef struct cg_outputs {
    cg_arena *arena;  /* where names and texts live */
    cg_output *items; /* in the order in which they are listed and written */
    size_t count;
    const char *error; /* set by who fails for a reason that is not the contract's: one line for the user */
} cg_outputs;

/* Adds one file; both strings must live as long as the arena. */
void cg_outputs_add(cg_outputs *outputs, const char *name, const char *text, size_t length);

/* Writes what differs from what is in directory: each file whole or not at all, through a temporary file beside it.
 * CG_FAILED says on stderr which file and why; files that were written before stay written. */
cg_status cg_outputs_write(const cg_outputs *outputs, const char *directory);

/* CG_OK when the files in directory are exactly these; else CG_WRONG, and stderr names each stale file and its first
 * differing line. */
cg_status cg_outputs_check(const cg_outputs *outputs, const char *directory);

#endif
