/* tests/support/pool_ops.h: sequences of operations on a pool, as data: made from a seed or from bytes, run against a
 * plain model, shrunk where they fail. No test framework, so that a fuzzer can use them. */
#ifndef BUFPOOL_TESTS_POOL_OPS_H
#define BUFPOOL_TESTS_POOL_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { BPT_OP_THREADS = 3, BPT_OP_SLOTS = 256, BPT_OP_SIZE_MAX = 600000 };

typedef enum bpt_op_kind {
#define BPT_OP(name, weight, text) BPT_OP_##name,
#include "tests/support/pool_ops.def"
#undef BPT_OP
    BPT_OP_KINDS
} bpt_op_kind;

/* Any bytes are an operation: numbers that are too large are taken modulo what there is. */
typedef struct bpt_op {
    uint8_t kind;     /* bpt_op_kind */
    uint8_t thread;   /* which one does it, one after the other */
    uint8_t slot;     /* of the model: where a buffer is kept */
    uint8_t class_ix; /* ACQUIRE_CLASS: may be wrong; RENEW: which configuration */
    uint32_t value;   /* size, length or type */
} bpt_op;

/* A mistake put in on purpose, to see that it is found and shrunk. */
typedef enum bpt_defect {
    BPT_DEFECT_NONE,
    BPT_DEFECT_WRONG_COUNT, /* the model forgets to count the wiping of a buffer that was shared */
    BPT_DEFECT_CRASH        /* the process dies in the third class's release on another thread than the acquire */
} bpt_defect;

/* How far a run came, and what did not hold there; step is the count when that was at the end, where everything is
 * given back. */
typedef struct bpt_ops_outcome {
    size_t step;
    char what[160]; /* empty: everything held */
} bpt_ops_outcome;

/* Fills ops from a seed: sizes and the balance of acquires and releases change in phases. */
void bpt_ops_random(uint64_t seed, bpt_op *ops, size_t count);

/* Runs ops on pools of its own with threads of its own; every equation after every step, every free bit and descriptor
 * each BPT_OPS_WALK steps. No pool may exist. outcome is kept up to date, in case that the process dies. After a
 * failure the process is good for nothing but ending. */
enum { BPT_OPS_WALK = 64 };
bool bpt_ops_run(const bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome);

/* The same in a child process, so that it may crash; how it ended is in outcome. */
bool bpt_ops_run_apart(const bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome);

/* Shortens and simplifies failing ops; returns how many are left, and in outcome why they fail. */
size_t bpt_ops_shrink(bpt_op *ops, size_t count, bpt_defect defect, bpt_ops_outcome *outcome);

/* Prints ops as the C that a test could hold. */
void bpt_ops_print(FILE *to, const bpt_op *ops, size_t count);

#endif
