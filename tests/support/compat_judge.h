/* tests/support/compat_judge.h: whether what one contract's writer sends is understood by another contract's reader,
 * found out by trying: values are written, read, checked and compared by the interpreter. */
#ifndef BUFPOOL_TESTS_COMPAT_JUDGE_H
#define BUFPOOL_TESTS_COMPAT_JUDGE_H

#include "codegen/model.h"
#include "tests/support/contract_pair.h"

typedef struct bpt_judge {
    const cg_model *before, *now;
    bool is_forward; /* new writer, old reader; else the other way */
    bpt_random random;
} bpt_judge;

/* Tries that many values of each of the writer's messages, at and beside the bounds of both sides more often than
 * others. A description of the first one that the reader refuses, misreads or loses; NULL when there is none. The
 * caller frees it. */
char *bpt_judge_search(bpt_judge *judge, unsigned long tries);

#endif
