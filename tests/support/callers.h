/* tests/support/callers.h: who called, in words, in a program that has its symbols. */
#ifndef BUFPOOL_TESTS_CALLERS_H
#define BUFPOOL_TESTS_CALLERS_H

#include <stddef.h>

enum { BPT_CALLERS_MAX = 24 };

/* Has made ready what bpt_callers_take needs, so that it does not allocate. */
void bpt_callers_prepare(void);

/* Those that called, from the innermost on, at most BPT_CALLERS_MAX; how many. Any thread; allocates nothing. */
int bpt_callers_take(void *callers[BPT_CALLERS_MAX]);

/* Their names from the innermost on, "inner < outer < outermost", as far as they fit; what has no name is given by file
 * and offset. Reads the files of symbols. */
void bpt_callers_print(void *const *callers, int count, char *out, size_t size);

#endif
