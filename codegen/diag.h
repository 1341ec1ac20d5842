/* codegen/diag.h: what is wrong with a contract, and where.
 *
 *     contracts.yaml:12:15: error[E0402]: unknown type 'Levle'; did you mean 'Level'?
 *        12 |     bids: {type: Levle}
 *           |                  ^~~~~
 *     contracts.yaml:3:3: note: ...
 *
 * Diagnostics are collected and printed once, ascending by file and place, then in the order in which they were found.
 */
#ifndef BUFPOOL_CODEGEN_DIAG_H
#define BUFPOOL_CODEGEN_DIAG_H

#include "codegen/arena.h"
#include "codegen/source.h"
#include "codegen/text.h"

typedef enum cg_diag_id {
#define CG_DIAG(name, number, severity, title) name,
#include "codegen/diag.def"
#undef CG_DIAG
    CG_DIAG_COUNT
} cg_diag_id;

enum { CG_DIAGS_PRINTED = 100 }; /* more are counted, not printed */

/* What diag.def says. */
typedef struct cg_diag_kind {
    unsigned number;
    bool is_warning;
    const char *title;
} cg_diag_kind;

extern const cg_diag_kind cg_diag_kinds[CG_DIAG_COUNT];

typedef struct cg_place cg_place;
struct cg_place {
    cg_place *next;
    const cg_source *source;
    cg_span at;
    const char *message;
};

typedef struct cg_diag {
    cg_diag_id id;
    size_t found;   /* order in which they were found */
    cg_place where; /* next: its notes */
    cg_place *last_note;
    const char *suggestion; /* or NULL */
} cg_diag;

typedef struct cg_diags {
    cg_arena *arena;
    const cg_source *source; /* what is being read: places are in it */
    cg_diag **items;
    size_t count;                      /* of items; of a hostile file's many the last are only counted below */
    size_t error_count, warning_count; /* -Werror counts warnings as errors */
    bool is_warning_error, is_colored;
} cg_diags;

/* Adds one. The message is one line without a full stop; control characters in it are shown as question marks. */
void cg_report(cg_diags *diags, cg_diag_id id, cg_span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds another place to the latest one. */
void cg_note(cg_diags *diags, cg_span at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a place in another file. */
void cg_note_in(cg_diags *diags, const cg_source *source, cg_span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Whether it counts as an error. */
bool cg_diag_is_error(const cg_diags *diags, const cg_diag *diag);

/* Puts them into the order in which they are printed. */
void cg_diags_sort(cg_diags *diags);

/* Where a place is, as people count: from 1. The end is behind the last character. */
typedef struct cg_position {
    uint32_t line, column, end_line, end_column;
} cg_position;
cg_position cg_position_of(const cg_place *place);

/* Adds a place as diagnostics show it: `what`, its message, its line and a caret. */
void cg_place_print(cg_text *out, const cg_place *place, const char *what, bool is_colored);

/* All of them as one text, with lines of the source; colored when is_colored says so. */
const char *cg_diags_print(cg_diags *diags);

/* "contracts.yaml: 2 errors, 1 warning\n" */
const char *cg_diags_summary(const cg_diags *diags, const char *path);

/* All of them as one JSON document, also when there are none; path is the contract's. */
const char *cg_diags_json(cg_diags *diags, const char *path);

/* "; did you mean 'x'?" for the candidate that is nearest to word and near enough, else "". Candidates are offered one
 * by one; the first of equally near ones wins. */
typedef struct cg_guess {
    const char *word;
    const char *best; /* or NULL */
    size_t best_distance;
} cg_guess;
cg_guess cg_guess_of(const char *word);
void cg_guess_offer(cg_guess *guess, const char *candidate);
const char *cg_guess_text(const cg_guess *guess, cg_arena *arena);

/* Suggests the best guess, if there is one, for the place of the latest diagnostic. */
void cg_suggest(cg_diags *diags, const cg_guess *guess);

/* Insertions, deletions, substitutions and swaps of neighbours that make one word the other, case aside; `enough` when
 * it is that many or more. */
size_t cg_edit_distance(const char *left, const char *right, size_t enough);

#endif
