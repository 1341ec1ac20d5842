/* tests/unit/codegen/diags.h: a place to report to. */
#ifndef BUFPOOL_TESTS_CODEGEN_DIAGS_H
#define BUFPOOL_TESTS_CODEGEN_DIAGS_H

#include "codegen/diag.h"
#include "tests/support/suite.h"

#include <string.h>

/* What is reported is about this text, as c.yaml. The arena is the caller's. */
static inline cg_diags bpt_diags_over(const char *text) {
    cg_diags diags = {.arena = cg_arena_new()};
    diags.source = cg_source_of(diags.arena, "c.yaml", text, strlen(text));
    return diags;
}

#endif
