#include "codegen/diag.h"
#include "codegen/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum severity { ERROR, WARNING } severity;

static const struct {
    unsigned number;
    severity severity;
} kinds[CG_DIAG_COUNT] = {
#define CG_DIAG(name, number, severity, title) {number, severity},
#include "codegen/diag.def"
#undef CG_DIAG
};

typedef struct place {
    struct place *next;
    const cg_source *source;
    cg_span at;
    const char *message;
} place;

struct cg_diag {
    cg_diag_id id;
    size_t found; /* order in which they were found */
    place where;  /* and its notes */
    place *last_note;
};

enum { KEPT = 10000 }; /* as many are kept, so that a hostile file cannot fill the memory */

static const char *format_text(cg_arena *arena, const char *format, va_list arguments) {
    char text[1024];
    vsnprintf(text, sizeof text, format, arguments);
    return cg_arena_text(arena, text);
}

void cg_report(cg_diags *diags, cg_diag_id id, cg_span at, const char *format, ...) {
    const bool is_error = kinds[id].severity == ERROR || diags->is_warning_error;
    *(is_error ? &diags->error_count : &diags->warning_count) += 1;
    if (diags->count == KEPT) return;
    cg_diag *added = CG_NEW(diags->arena, cg_diag);
    va_list arguments;
    va_start(arguments, format);
    added->where.message = format_text(diags->arena, format, arguments);
    va_end(arguments);
    added->id = id;
    added->where.source = diags->source;
    added->where.at = at;
    added->found = diags->count;
    diags->items = cg_arena_grow(diags->arena, diags->items, diags->count, sizeof(cg_diag *));
    diags->items[diags->count++] = added;
}

/* Adds a place to the latest diagnostic. */
static void add_note(cg_diags *diags, const cg_source *source, cg_span at, const char *format, va_list arguments) {
    if (diags->count == 0 || diags->count == KEPT) return;
    cg_diag *latest = diags->items[diags->count - 1];
    place *note = CG_NEW(diags->arena, place);
    note->message = format_text(diags->arena, format, arguments);
    note->source = source;
    note->at = at;
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

/* ---- printing --------------------------------------------------------------------------------------------------- */

enum { SHOWN_BEFORE = 80, SHOWN = 160 }; /* bytes of a long line that are shown, and of them before the place */

/* The part of the line that is shown: all of it, or what is near the place, cut between characters. */
static cg_span shown_part(const cg_source *source, cg_span line, uint32_t at) {
    cg_span shown = line;
    if (line.end - line.start <= SHOWN) return shown;
    if (at - line.start > SHOWN_BEFORE) shown.start = at - SHOWN_BEFORE;
    if (line.end - shown.start > SHOWN) shown.end = shown.start + SHOWN;
    while (shown.start < at && ((unsigned char)source->text[shown.start] & 0xC0) == 0x80) shown.start++;
    while (shown.end > at && ((unsigned char)source->text[shown.end] & 0xC0) == 0x80) shown.end--;
    return shown;
}

/* The source's bytes, with whatever a terminal could take for a command replaced. */
static void add_shown(cg_text *out, const cg_source *source, cg_span shown) {
    for (uint32_t at = shown.start; at < shown.end; at++) {
        const char c = source->text[at];
        const bool is_plain = at < source->bad_at && ((unsigned char)c >= ' ' || c == '\t') && c != 0x7F;
        cg_text_add(out, is_plain ? &c : "?", 1);
    }
}

/* ^~~~ under the place; tabs are kept, so that it stands right whatever their width. */
static void add_caret(cg_text *out, const cg_source *source, cg_span shown, cg_span at) {
    for (uint32_t i = shown.start; i < at.start; i++) {
        if (((unsigned char)source->text[i] & 0xC0) == 0x80) continue;
        cg_text_add(out, source->text[i] == '\t' ? "\t" : " ", 1);
    }
    cg_text_add(out, "^", 1);
    const cg_span range = {at.start, at.end < shown.end ? at.end : shown.end};
    for (uint32_t i = cg_source_char_count(source, range); i > 1; i--) cg_text_add(out, "~", 1);
}

static void add_place(cg_text *out, const char *what, const place *where) {
    const cg_source *source = where->source;
    const uint32_t line = cg_source_line(source, where->at.start);
    const cg_span whole = cg_source_line_span(source, line);
    const uint32_t start = where->at.start < whole.end ? where->at.start : whole.end;
    const cg_span shown = shown_part(source, whole, start);
    const uint32_t column = cg_source_char_count(source, (cg_span){whole.start, start}) + 1;
    cg_text_format(out, "%s:%u:%u: %s: %s\n", source->path, line + 1, column, what, where->message);
    cg_text_format(out, "%5u | ", line + 1);
    add_shown(out, source, shown);
    cg_text_format(out, "\n      | ");
    add_caret(out, source, shown, (cg_span){start, where->at.end});
    cg_text_add(out, "\n", 1);
}

static int by_place(const void *left, const void *right) {
    const cg_diag *const a = *(const cg_diag *const *)left, *const b = *(const cg_diag *const *)right;
    const int by_file = strcmp(a->where.source->path, b->where.source->path);
    if (by_file != 0) return by_file;
    if (a->where.at.start != b->where.at.start) return a->where.at.start < b->where.at.start ? -1 : 1;
    return (a->found > b->found) - (a->found < b->found);
}

static void add_diag(cg_text *out, const cg_diags *diags, const cg_diag *each) {
    char what[32];
    const bool is_error = kinds[each->id].severity == ERROR || diags->is_warning_error;
    const char letter = kinds[each->id].severity == ERROR ? 'E' : 'W';
    snprintf(what, sizeof what, "%s[%c%04u]", is_error ? "error" : "warning", letter, kinds[each->id].number);
    add_place(out, what, &each->where);
    for (const place *note = each->where.next; note != NULL; note = note->next) {
        add_place(out, "note", note);
    }
}

const char *cg_diags_print(cg_diags *diags) {
    cg_text out = {.arena = diags->arena};
    const size_t total = diags->error_count + diags->warning_count;
    const size_t printed = diags->count < CG_DIAGS_PRINTED ? diags->count : CG_DIAGS_PRINTED;
    if (diags->count != 0) qsort(diags->items, diags->count, sizeof(cg_diag *), by_place);
    for (size_t i = 0; i < printed; i++) add_diag(&out, diags, diags->items[i]);
    if (total > printed) cg_text_format(&out, "%s: and %zu more\n", diags->source->path, total - printed);
    return cg_text_end(&out);
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
