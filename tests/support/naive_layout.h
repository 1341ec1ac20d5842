/* tests/support/naive_layout.h: the layout of docs/WIRE.md computed a second time,
 * in the slowest and plainest way, to hold codegen/layout.c against. */
#ifndef BUFPOOL_TESTS_NAIVE_LAYOUT_H
#define BUFPOOL_TESTS_NAIVE_LAYOUT_H

#include "codegen/arena.h"
#include "codegen/model.h"

/* NULL when every offset, size, gap and end of the model is as expected; else what is not, from the arena. */
const char *bpt_layout_difference(cg_arena *arena, const cg_model *model);

#endif
