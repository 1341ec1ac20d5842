/* codegen/emit.h: the model as the texts of generated files. */
#ifndef BUFPOOL_CODEGEN_EMIT_H
#define BUFPOOL_CODEGEN_EMIT_H

#include "codegen/model.h"
#include "codegen/outputs.h"
#include "codegen/value.h"

/* The model as the map that templates see; docs/TEMPLATES.md lists its names. For templates of one's own. */
const cg_value *cg_emit_values(const cg_model *model, cg_arena *arena);

/* What can be written, one bit each; a part is one file or a header and its source. */
enum {
    CG_PART_UMBRELLA = 1 << 0,
    CG_PART_SIZES = 1 << 1,
    CG_PART_MESSAGES = 1 << 2,
    CG_PART_SERVICE = 1 << 3,
    CG_PARTS_DEFAULT = (1 << 4) - 1, /* what is written when nothing is said */
    CG_PART_TESTS = 1 << 4,
    CG_PART_FUZZ = 1 << 5,
    CG_PART_REFERENCE = 1 << 6
};

/* A part as the command line calls it: "messages". */
typedef struct cg_part {
    const char *word;
    unsigned bit;
} cg_part;

extern const cg_part cg_parts[]; /* in the order in which their files are written */
extern const size_t cg_part_count;

/* Adds the texts of the files of these parts (a union of bits), in the order of docs/decisions/0001-generated-api.md.
 * Runs inside an attempt of out->arena. CG_FAILED: a template is wrong, which is a bug of bufpoolc; out->error says
 * where. */
cg_status cg_emit(const cg_model *model, unsigned parts, cg_outputs *out);

#endif
