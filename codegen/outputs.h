/* codegen/outputs.h: the files of one run, complete in memory before the first is written.
 *
 *     target      where a file belongs
 *     temporary   what is written beside it and then takes its name: name.PID.N.tmp. That of a run which was killed is
 *                 removed by the next one.
 *     special     a target that is there and no regular file, a device or a pipe: it is written as it is */
#ifndef BUFPOOL_CODEGEN_OUTPUTS_H
#define BUFPOOL_CODEGEN_OUTPUTS_H

#include "codegen/arena.h"

typedef struct cg_output {
    const char *name; /* "market_sizes.h", without a directory */
    const char *path; /* where it goes instead of the directory, or NULL */
    const char *text;
    size_t length; /* bytes */
} cg_output;

typedef struct cg_outputs {
    cg_arena *arena;  /* where names and texts live */
    cg_output *items; /* in the order in which they are listed and written */
    size_t count;
    const char *error; /* set by who fails for a reason that is not the contract's: one line for the user */
    bool is_durable;   /* what nothing can make again: on the disk before this returns */
} cg_outputs;

/* Adds one file; both strings must live as long as the arena. */
void cg_outputs_add(cg_outputs *outputs, const char *name, const char *text, size_t length);

/* The same for a file elsewhere. */
void cg_outputs_add_at(cg_outputs *outputs, const char *path, const char *text, size_t length);

/* Writes what differs from what is in directory, which is made when only its parent is there. Each file is the old or
 * the new one, whole, at every moment; a file keeps its permissions. CG_FAILED says on stderr which file and why: then
 * none was changed, unless it was the last step of all, the renaming, that failed. */
cg_status cg_outputs_write(const cg_outputs *outputs, const char *directory);

/* The same for one file. */
cg_status cg_outputs_write_file(const cg_outputs *outputs, const char *path, const char *text, size_t length);

/* CG_OK when the files in directory are exactly these; else CG_WRONG, and stderr names each stale file and its first
 * differing line. */
cg_status cg_outputs_check(const cg_outputs *outputs, const char *directory);

/* Names each regular file in directory that begins with mark and is none of these: what was written before and is not
 * any more. CG_WRONG when there is one. */
cg_status cg_outputs_check_strays(const cg_outputs *outputs, const char *directory, const char *mark);

/* The directory and the name of a path. */
const char *cg_path_directory(cg_arena *arena, const char *path);
const char *cg_path_name(const char *path);

#endif
