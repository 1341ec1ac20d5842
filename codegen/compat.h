/* codegen/compat.h: what a change of a contract does to those who use the old one.
 *
 *     before, now    the two contracts, compiled
 *     level          who would notice: the first two are about frames between old and new programs
 *         wire       a new reader reads everything that an old writer sends, and it means the same
 *         forward    an old reader reads everything that a new writer sends, and it means the same
 *         source     a program written for the old generated code compiles, and means the same
 *         class      sizes, classes and the pool's configuration stay
 *     change         one difference, with its place in both files
 *     verdict        the kind of a change; each breaks some levels, or none
 *     way            a direction between two programs: of old frames to new readers (wire), or of new to old (forward)
 *     partner        the same message or field in the other contract: by its name, or by the former one that it claims
 *
 * The levels of wire and forward are exact: a change breaks one of them when some value that its writer may send is
 * refused or misread by the reader, or lost although nothing says that it is retired. Besides, both are broken where
 * peers refuse each other at HELLO, before any value. */
#ifndef BUFPOOL_CODEGEN_COMPAT_H
#define BUFPOOL_CODEGEN_COMPAT_H

#include "codegen/diag.h"
#include "codegen/model.h"
#include "codegen/table.h"
#include "codegen/text.h"

typedef enum cg_level { CG_LEVEL_WIRE, CG_LEVEL_FORWARD, CG_LEVEL_SOURCE, CG_LEVEL_CLASS, CG_LEVEL_COUNT } cg_level;

/* Sets of levels. */
enum {
    CG_BREAKS_WIRE = 1 << CG_LEVEL_WIRE,
    CG_BREAKS_FORWARD = 1 << CG_LEVEL_FORWARD,
    CG_BREAKS_SOURCE = 1 << CG_LEVEL_SOURCE,
    CG_BREAKS_CLASS = 1 << CG_LEVEL_CLASS,
    CG_BREAKS_ALL = (1 << CG_LEVEL_COUNT) - 1,
    CG_VERDICT_IS_NOTE = 1 << CG_LEVEL_COUNT /* besides: breaks nothing, and is not safe either */
};

typedef enum cg_verdict {
#define CG_VERDICT(name, number, levels, title) name,
#include "codegen/compat.def"
#undef CG_VERDICT
    CG_VERDICT_COUNT
} cg_verdict;

typedef struct cg_verdict_kind {
    unsigned number;
    unsigned levels; /* that it can break */
    const char *title;
} cg_verdict_kind;

extern const cg_verdict_kind cg_verdict_kinds[CG_VERDICT_COUNT];

typedef struct cg_change {
    cg_verdict verdict;
    unsigned breaks;             /* a set of levels */
    const char *message;         /* what changed: what follows from it; one line */
    const cg_node *before, *now; /* NULL where it is not there */
    const cg_message *of;        /* the message of `now`, else of `before`, that it is about alone; or NULL */
    size_t found;
} cg_change;

typedef struct cg_compat {
    cg_arena *arena;
    const cg_model *before, *now;
    cg_change *changes; /* ascending by place in now's file, what is gone at the end by place in before's */
    size_t count;
} cg_compat;

/* Compares two contracts. */
cg_compat *cg_compat_make(cg_arena *arena, const cg_model *before, const cg_model *now);

/* "wire" and so on. */
const char *cg_level_name(cg_level level);

/* "wire, forward" for a set of them. */
void cg_levels_print(cg_text *out, unsigned levels);

/* Says what a verdict's number, such as C0303, means; false when there is none. And the list of all. */
bool cg_verdict_explain(cg_text *out, const char *number);
void cg_verdicts_list(cg_text *out);

/* How many changes break that level. */
size_t cg_compat_count(const cg_compat *compat, cg_level level);

/* Everything for people, or as one JSON document. */
typedef struct cg_compat_sources {
    const cg_source *before, *now;
    bool is_colored;
} cg_compat_sources;
void cg_compat_text(cg_text *out, const cg_compat *compat, const cg_compat_sources *sources, cg_level level);
void cg_compat_json(cg_text *out, const cg_compat *compat, const cg_compat_sources *sources, cg_level level);

#endif
