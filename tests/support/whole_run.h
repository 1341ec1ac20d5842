/* tests/support/whole_run.h: whole runs of bufpoolc inside a test, in a folder of their own, with any one allocation
 * failing. What they print is looked at elsewhere. */
#ifndef BUFPOOL_TESTS_WHOLE_RUN_H
#define BUFPOOL_TESTS_WHOLE_RUN_H

#include "codegen/arena.h"

typedef struct bpt_whole_run {
    const char *line; /* what stands behind "bufpoolc", words with one space between them; @ is the folder */
    cg_status status;
    int added;             /* files that it leaves in the folder */
    void (*prepare)(void); /* what lies in the folder before it; NULL is nothing */
} bpt_whole_run;

/* Fixtures: a new folder, and nothing printed; the folder gone. */
void bpt_whole_set_up(void);
void bpt_whole_tear_down(void);

/* For prepare: one file, or one run that must go well. */
void bpt_whole_write(const char *name, const void *bytes, size_t length);
void bpt_whole_run_before(const char *line);

/* The run with each of its allocations failing once, of the arena's pieces and then of malloc's: each time it gives
 * everything back, and leaves the folder as it was or, where it can do without, all done. Then the run itself. */
void bpt_whole_run_check(const bpt_whole_run *run);

#endif
