#include "tests/support/pool_ops.h"

static const char *const names[] = {
#define BPT_OP(name, weight, text) #name,
#include "tests/support/pool_ops.def"
#undef BPT_OP
};

void bpt_ops_print(FILE *to, const bpt_op *ops, size_t count) {
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(to, "    {BPT_OP_%s, .thread = %d, .slot = %d, .class_ix = %d, .value = %u},\n",
                      names[ops[i].kind % BPT_OP_KINDS], ops[i].thread % BPT_OP_THREADS, ops[i].slot, ops[i].class_ix,
                      (unsigned)ops[i].value);
    }
}
