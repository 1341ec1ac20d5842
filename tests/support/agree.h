/* tests/support/agree.h: the generated code of a message held against the interpreter, which shares nothing with it. */
#ifndef BUFPOOL_TESTS_AGREE_H
#define BUFPOOL_TESTS_AGREE_H

#include "codegen/interp.h"
#include "tests/sampler/sample.h"

/* A message known to both sides, and room for what the generated side makes. */
typedef struct bpt_pair {
    const sample_message *generated;
    const cg_message *message;
    void *decoded, *view;
    uint8_t *again, *placed; /* accept_max + 1 bytes */
} bpt_pair;

/* Memory is from the arena. */
bpt_pair bpt_pair_of(cg_arena *arena, const sample_message *generated, const cg_message *message);

/* The error that generated code answers a fault with. */
bp_err bpt_fault_err(cg_fault_kind kind);

/* Reads, validates, prints and writes bytes with both sides. NULL when they agree about everything, else what they
 * disagree about; from the arena. */
const char *bpt_disagreement(cg_arena *arena, const bpt_pair *pair, const uint8_t *bytes, size_t length);

#endif
