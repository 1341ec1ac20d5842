/* codegen/diag.h: what is wrong with a contract, and where.
 *
 *     contracts.yaml:12:15: error[E0402]: unknown type 'Levle'; did you mean 'Level'?
 *        12 |     bids: {type: Levle}
 *           |                  ^~~~~
 *     contracts.yaml:3:3: note: ...
 *
 * Diagnostics are collected and printed once, ascending by file and place, then in the order in which they were found. */
#ifndef BUFPOOL_CODEGEN_DIAG_H
#define BUFPOOL_CODEGEN_DIAG_H

#include "codegen/arena.h"
#include "codegen/source.h"

typedef enum cg_diag_id {
#define CG_DIAG(name, number, severity, title) name,
#include "codegen/diag.def"
#undef CG_DIAG
    CG_DIAG_COUNT
} cg_diag_id;

enum { CG_DIAGS_PRINTED = 100 }; /* more are counted, not printed */

typedef struct cg_diag cg_diag;

typedef struct cg_diags {
    cg_arena *arena;
    const cg_source *source; /* what is being read: places are in it */
    cg_diag **items;
    size_t count;
    size_t error_count, warning_count; /* -Werror counts warnings as errors */
    bool is_warning_error;
} cg_diags;

/* Adds one. The message is one line without a full stop. */
void cg_report(cg_diags *diags, cg_diag_id id, cg_span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds another place to the latest one. */
void cg_note(cg_diags *diags, cg_span at, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a place in another file. */
void cg_note_in(cg_diags *diags, const cg_source *source, cg_span at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* All of them as one text. */
const char *cg_diags_print(cg_diags *diags);

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

/* Insertions, deletions, substitutions and swaps of neighbours that make one word the other, case aside; `enough` when
 * it is that many or more. */
size_t cg_edit_distance(const char *left, const char *right, size_t enough);

#endif
