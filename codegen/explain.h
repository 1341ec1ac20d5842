/* codegen/explain.h: what the numbers of diagnostics mean, at length. */
#ifndef BUFPOOL_CODEGEN_EXPLAIN_H
#define BUFPOOL_CODEGEN_EXPLAIN_H

#include "codegen/diag.h"
#include "codegen/text.h"

typedef struct cg_explanation {
    const char *why, *mend;
    const char *wrong, *right; /* contracts; empty where no small one can show it */
} cg_explanation;

extern const cg_explanation cg_explanations[CG_DIAG_COUNT];

/* The diagnostic of a number as people write it: E0402, e402, 402. CG_DIAG_COUNT when there is none. */
cg_diag_id cg_diag_find(const char *number);

/* Writes what there is to say about one, and the list of all. */
void cg_explain(cg_text *out, cg_diag_id id);
void cg_explain_all(cg_text *out);

#endif
