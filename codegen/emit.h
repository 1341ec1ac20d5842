/* codegen/emit.h: the model as the texts of generated files. */
#ifndef BUFPOOL_CODEGEN_EMIT_H
#define BUFPOOL_CODEGEN_EMIT_H

#include "codegen/model.h"
#include "codegen/outputs.h"
#include "codegen/value.h"

/* The model as the map that templates see; docs/TEMPLATES.md lists its names. For templates of one's own. */
const cg_value *cg_emit_values(const cg_model *model, cg_arena *arena);

/* What can be written, one bit for each file. */
enum {
    CG_PART_UMBRELLA = 1 << 0,
    CG_PART_SIZES = 1 << 1,
    CG_PART_MESSAGES_H = 1 << 2,
    CG_PART_MESSAGES_C = 1 << 3,
    CG_PART_SERVICE_H = 1 << 4,
    CG_PART_SERVICE_C = 1 << 5,
    CG_PARTS_DEFAULT = (1 << 6) - 1, /* what is written when nothing is said */
    CG_PART_TESTS = 1 << 6,
    CG_PART_FUZZ = 1 << 7,
    CG_PART_REFERENCE = 1 << 8
};

/* A part as the command line calls it: "messages", or one of its files, "messages.h". */
typedef struct cg_part {
    const char *word;
    unsigned bits;
} cg_part;

extern const cg_part cg_parts[];
extern const size_t cg_part_count;

/* Adds the texts of the files of these parts (a union of bits), in the order of docs/decisions/0001-generated-api.md.
 * Runs inside an attempt of out->arena. CG_FAILED: a template is wrong, which is a bug of bufpoolc; out->error says
 * where. */
cg_status cg_emit(const cg_model *model, unsigned parts, cg_outputs *out);

/* The names of all files that could be written, with empty texts. */
void cg_emit_names(const cg_model *model, cg_outputs *out);

#endif
