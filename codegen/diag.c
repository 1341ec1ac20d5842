#include "codegen/diag.h"
#include "codegen/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR = false, WARNING = true };

const cg_diag_kind cg_diag_kinds[CG_DIAG_COUNT] = {
#define CG_DIAG(name, number, severity, title) {number, severity, title},
#include "codegen/diag.def"
#undef CG_DIAG
};

enum { KEPT = 10000 }; /* as many are kept, so that a hostile file cannot fill the memory */

/* A copy in which what must not reach a terminal, and a character that was cut in two, is a question mark. */
static const char *disarm(cg_arena *arena, const char *text) {
    const size_t length = strlen(text);
    char *copy = cg_arena_alloc(arena, length + 1), *end = copy;
    for (size_t at = 0, step = 0; at < length; at += step) {
        const bool is_shown =
            cg_char_is_plain(text + at, step = cg_utf8_length((const unsigned char *)text + at, length - at));
        if (is_shown) memcpy(end, text + at, step);
        if (!is_shown) *end = '?';
        end += is_shown ? step : 1;
        step += step == 0;
    }
    return copy;
}

static const char *format_text(cg_arena *arena, const char *format, va_list arguments) {
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    return disarm(arena, text);
}

bool cg_diag_is_error(const cg_diags *diags, const cg_diag *diag) {
    return !cg_diag_kinds[diag->id].is_warning || diags->is_warning_error;
}

void cg_report(cg_diags *diags, cg_diag_id id, cg_span at, const char *format, ...) {
    const bool is_error = !cg_diag_kinds[id].is_warning || diags->is_warning_error;
    *(is_error ? &diags->error_count : &diags->warning_count) += 1;
    if (diags->count == KEPT) return;
    cg_diag *added = CG_NEW(diags->arena, cg_diag);
    va_list arguments;
    va_start(arguments, format);
    added->where = (cg_place){NULL, diags->source, at, format_text(diags->arena, format, arguments)};
    va_end(arguments);
    added->id = id;
    added->found = diags->count;
    diags->items = cg_arena_grow(diags->arena, diags->items, diags->count, sizeof(cg_diag *));
    diags->items[diags->count++] = added;
}

/* The one that was reported last; NULL when it was only counted. */
static cg_diag *latest_of(const cg_diags *diags) {
    const bool is_kept = diags->count != 0 && diags->count == diags->error_count + diags->warning_count;
    return is_kept ? diags->items[diags->count - 1] : NULL;
}

/* Adds a place to the latest diagnostic. */
static void add_note(cg_diags *diags, const cg_source *source, cg_span at, const char *format, va_list arguments) {
    cg_diag *latest = latest_of(diags);
    if (latest == NULL) return;
    cg_place *note = CG_NEW(diags->arena, cg_place);
    *note = (cg_place){NULL, source, at, format_text(diags->arena, format, arguments)};
    *(latest->last_note == NULL ? &latest->where.next : &latest->last_note->next) = note;
    latest->last_note = note;
}

void cg_note(cg_diags *diags, cg_span at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add_note(diags, diags->source, at, format, arguments);
    va_end(arguments);
}

void cg_note_in(cg_diags *diags, const cg_source *source, cg_span at, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add_note(diags, source, at, format, arguments);
    va_end(arguments);
}

/* ---- order ------------------------------------------------------------------------------------------------------ */

static int by_place(const void *left, const void *right) {
    const cg_diag *const a = *(const cg_diag *const *)left, *const b = *(const cg_diag *const *)right;
    const cg_place *const p = &a->where, *const q = &b->where;
    const int by_path = p->source == q->source ? 0 : strcmp(p->source->path, q->source->path);
    if (by_path != 0) return by_path;
    if (p->at.start != q->at.start) return p->at.start < q->at.start ? -1 : 1;
    return (a->found > b->found) - (a->found < b->found);
}

void cg_diags_sort(cg_diags *diags) {
    if (diags->count != 0) qsort(diags->items, diags->count, sizeof(cg_diag *), by_place);
}

static void find_position(const cg_source *source, uint32_t offset, uint32_t *line, uint32_t *column) {
    const uint32_t index = cg_source_line(source, offset);
    const cg_span whole = cg_source_line_span(source, index);
    const uint32_t end = offset < whole.end ? offset : whole.end;
    *line = index + 1;
    *column = cg_source_char_count(source, (cg_span){whole.start, end}) + 1;
}

cg_position cg_position_of(const cg_place *place) {
    cg_position position;
    find_position(place->source, place->at.start, &position.line, &position.column);
    find_position(place->source, place->at.end, &position.end_line, &position.end_column);
    return position;
}

/* ---- did you mean ----------------------------------------------------------------------------------------------- */

enum { WORD_MAX = 64 };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment, three rows at a time. */
size_t cg_edit_distance(const char *left, const char *right, size_t enough) {
    size_t rows[3][WORD_MAX + 1];
    const size_t m = strlen(left), n = strlen(right);
    if (m > WORD_MAX || n > WORD_MAX || (m > n ? m - n : n - m) >= enough) return enough;
    for (size_t j = 0; j <= n; j++) rows[0][j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const char a = lower(left[i - 1]), b = lower(right[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a != b));
            if (i > 1 && j > 1 && a == lower(right[j - 2]) && b == lower(left[i - 2])) {
                row[j] = least(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return least(rows[m % 3][n], enough);
}

cg_guess cg_guess_of(const char *word) {
    /* A third of the word may be wrong. */
    return (cg_guess){.word = word, .best_distance = (strlen(word) + 1) / 3 + 1};
}

void cg_guess_offer(cg_guess *guess, const char *candidate) {
    const size_t distance = cg_edit_distance(guess->word, candidate, guess->best_distance);
    if (distance >= guess->best_distance) return;
    guess->best = candidate;
    guess->best_distance = distance;
}

const char *cg_guess_text(const cg_guess *guess, cg_arena *arena) {
    return guess->best == NULL ? "" : cg_arena_format(arena, "; did you mean '%s'?", guess->best);
}

void cg_suggest(cg_diags *diags, const cg_guess *guess) {
    cg_diag *latest = latest_of(diags);
    if (latest != NULL) latest->suggestion = guess->best;
}
