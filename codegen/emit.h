/* codegen/emit.h: the model as the texts of generated files. */
#ifndef BUFPOOL_CODEGEN_EMIT_H
#define BUFPOOL_CODEGEN_EMIT_H

#include "codegen/model.h"
#include "codegen/outputs.h"
#include "codegen/value.h"

/* The model as the map that templates see; docs/TEMPLATES.md lists its names. For templates of one's own. */
const cg_value *cg_emit_values(const cg_model *model, cg_arena *arena);

/* Adds the texts of all files for the model, in the order of docs/decisions/0001-generated-api.md. Runs inside an
 * attempt of out->arena. CG_FAILED: a template is wrong, which is a bug of bufpoolc; out->error says where. */
cg_status cg_emit(const cg_model *model, cg_outputs *out);

#endif
