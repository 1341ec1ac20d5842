/* tests/support/contract_pair.h: random pairs of contracts, the second made from the first by a few edits, allowed and
 * forbidden ones. */
#ifndef BUFPOOL_TESTS_CONTRACT_PAIR_H
#define BUFPOOL_TESTS_CONTRACT_PAIR_H

#include "codegen/arena.h"
#include "tests/support/frame_schema.h"

typedef struct bpt_contract_pair {
    const char *before, *now; /* YAML; either may be refused by the compiler */
    const char *edits;        /* what was done, in words */
} bpt_contract_pair;

bpt_contract_pair bpt_contract_pair_make(cg_arena *arena, bpt_random *r);

#endif
