/* Any bytes as operations on a pool, held against the plain model of the property test: eight bytes are one. */
#include "tests/support/pool_ops.h"

#include <stdlib.h>
#include <string.h>

enum { OPS_MAX = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Most operations acquire and release: a pool in which nothing is has nothing to get wrong. */
static bpt_op op_of(const uint8_t *bytes) {
    bpt_op op;
    memcpy(&op, bytes, sizeof op);
    op.kind %= 64;
    if (op.kind >= BPT_OP_KINDS) op.kind = op.kind % 2 == 0 ? BPT_OP_ACQUIRE : BPT_OP_RELEASE;
    if (op.kind == BPT_OP_CLOSE && op.class_ix % 8 != 0) op.kind = BPT_OP_TRIM_IDLE;
    if (op.class_ix % 4 != 0) op.value %= 5000;
    op.slot %= 64;
    return op;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bpt_op ops[OPS_MAX];
    bpt_ops_outcome outcome;
    size_t count = size / sizeof *ops;
    if (count > OPS_MAX) count = OPS_MAX;
    for (size_t i = 0; i < count; i++) ops[i] = op_of(data + i * sizeof *ops);
    if (bpt_ops_run(ops, count, BPT_DEFECT_NONE, &outcome)) return 0;
    fprintf(stderr, "%s does not hold after operation %zu of\n", outcome.what, outcome.step);
    bpt_ops_print(stderr, ops, count);
    abort();
}
