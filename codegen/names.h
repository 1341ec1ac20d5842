/* codegen/names.h: which names a contract may use, and what becomes of them in C.
 *
 *     snake, upper   OrderBook -> order_book, ORDER_BOOK; HTTPServer2 -> http_server2
 *     identifier     a name that generated code defines; every one is claimed once, in one table
 *     scope          file scope, or the members of one generated struct */
#ifndef BUFPOOL_CODEGEN_NAMES_H
#define BUFPOOL_CODEGEN_NAMES_H

#include "codegen/diag.h"
#include "codegen/load.h"
#include "codegen/model.h"
#include "codegen/table.h"

enum { CG_NAME_MAX = 64 };

/* Reads a name: letters, digits and underscores, a letter first, no underscore at the end or two in a row, at most
 * CG_NAME_MAX characters. False when it is not one: then it was reported at that place, and has no snake and upper. */
bool cg_name_read(cg_diags *diags, const char *text, cg_span at, cg_name *out);

/* Reports a name that may not be a member or parameter: a reserved word of C or C++, or a macro of theirs. */
void cg_name_refuse_reserved(cg_diags *diags, const cg_name *name, cg_span at);

/* Claims every identifier that the model's generated code defines; collisions are reported with both places, one for
 * each name of the contract. What has no valid name or type is passed over. */
void cg_names_claim(cg_diags *diags, const cg_model *model);

#endif
