/* Diagnostics as people read them. */
#include "codegen/diag.h"
#include "codegen/text.h"

#include <stdio.h>

enum { SHOWN_BEFORE = 80, SHOWN = 160 }; /* bytes of a long line that are shown, and of them before the place */

/* Colours of a terminal, as compilers use them (ECMA-48, SGR). */
#define RESET "\x1b[0m"
#define BOLD "\x1b[1m"
#define RED "\x1b[1;31m"
#define GREEN "\x1b[1;32m"
#define MAGENTA "\x1b[1;35m"
#define CYAN "\x1b[1;36m"

typedef struct printer {
    cg_text out;
    bool is_colored;
} printer;

static void add_colored(printer *p, const char *color, const char *text) {
    if (p->is_colored)
        cg_text_format(&p->out, "%s%s" RESET, color, text);
    else
        cg_text_format(&p->out, "%s", text);
}

static bool is_continuation(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* The part of the line that is shown: all of it, or what is near the place, cut between characters. */
static cg_span shown_part(const cg_source *source, cg_span line, uint32_t at) {
    cg_span shown = line;
    if (line.end - line.start <= SHOWN) return shown;
    if (at - line.start > SHOWN_BEFORE) shown.start = at - SHOWN_BEFORE;
    if (line.end - shown.start > SHOWN) shown.end = shown.start + SHOWN;
    while (shown.start < at && is_continuation(source->text[shown.start])) shown.start++;
    while (shown.end > at && is_continuation(source->text[shown.end])) shown.end--;
    return shown;
}

/* The source's characters; what must not reach a terminal becomes a question mark. */
static void add_shown(cg_text *out, const cg_source *source, cg_span shown) {
    for (uint32_t at = shown.start, next = at; at < shown.end; at = next) {
        for (next = at + 1; next < shown.end && at < source->bad_at && is_continuation(source->text[next]);) next++;
        if (at < source->bad_at && cg_char_is_plain(source->text + at, next - at))
            cg_text_add(out, source->text + at, next - at);
        else
            cg_text_add(out, "?", 1);
    }
}

/* ^~~~ under the place; tabs are kept, so that it stands right whatever their width. */
static void add_caret(printer *p, const cg_source *source, cg_span shown, cg_span at) {
    for (uint32_t i = shown.start; i < at.start; i++) {
        if (is_continuation(source->text[i])) continue;
        cg_text_add(&p->out, source->text[i] == '\t' ? "\t" : " ", 1);
    }
    if (p->is_colored) cg_text_format(&p->out, GREEN);
    cg_text_add(&p->out, "^", 1);
    const cg_span range = {at.start, at.end < shown.end ? at.end : shown.end};
    for (uint32_t i = cg_source_char_count(source, range); i > 1; i--) cg_text_add(&p->out, "~", 1);
    if (p->is_colored) cg_text_format(&p->out, RESET);
}

static void add_lines(printer *p, const cg_place *place) {
    const cg_source *source = place->source;
    const uint32_t line = cg_source_line(source, place->at.start);
    const cg_span whole = cg_source_line_span(source, line);
    const uint32_t start = place->at.start < whole.end ? place->at.start : whole.end;
    const cg_span shown = shown_part(source, whole, start);
    cg_text_format(&p->out, "%5u | ", line + 1);
    add_shown(&p->out, source, shown);
    cg_text_format(&p->out, "\n      | ");
    add_caret(p, source, shown, (cg_span){start, place->at.end});
    cg_text_add(&p->out, "\n", 1);
}

static void add_place(printer *p, const cg_place *place, const char *color, const char *what, const char *suggestion) {
    const cg_position position = cg_position_of(place);
    cg_arena *arena = p->out.arena;
    const char *hint = suggestion == NULL ? "" : cg_arena_format(arena, "; did you mean '%s'?", suggestion);
    add_colored(p, BOLD, cg_arena_format(arena, "%s:%u:%u:", place->source->path, position.line, position.column));
    cg_text_add(&p->out, " ", 1);
    add_colored(p, color, what);
    cg_text_add(&p->out, " ", 1);
    add_colored(p, BOLD, cg_arena_format(arena, "%s%s", place->message, hint));
    cg_text_add(&p->out, "\n", 1);
    add_lines(p, place);
}

static void add_diag(printer *p, const cg_diags *diags, const cg_diag *diag) {
    const cg_diag_kind *kind = &cg_diag_kinds[diag->id];
    const bool is_error = cg_diag_is_error(diags, diag);
    char what[32];
    snprintf(what, sizeof what, "%s[%c%04u]:", is_error ? "error" : "warning", kind->is_warning ? 'W' : 'E',
             kind->number);
    add_place(p, &diag->where, is_error ? RED : MAGENTA, what, diag->suggestion);
    for (const cg_place *note = diag->where.next; note != NULL; note = note->next) {
        add_place(p, note, CYAN, "note:", NULL);
    }
}

void cg_place_print(cg_text *out, const cg_place *place, const char *what, bool is_colored) {
    printer p = {.out = *out, .is_colored = is_colored};
    const bool is_break = what[0] == 'b';
    add_place(&p, place, is_break ? RED : CYAN, what, NULL);
    *out = p.out;
}

const char *cg_diags_print(cg_diags *diags) {
    printer p = {.out = {.arena = diags->arena}, .is_colored = diags->is_colored};
    const size_t total = diags->error_count + diags->warning_count;
    const size_t printed = diags->count < CG_DIAGS_PRINTED ? diags->count : CG_DIAGS_PRINTED;
    cg_diags_sort(diags);
    for (size_t i = 0; i < printed; i++) add_diag(&p, diags, diags->items[i]);
    if (total > printed) cg_text_format(&p.out, "%s: and %zu more\n", diags->source->path, total - printed);
    return cg_text_end(&p.out);
}

const char *cg_diags_summary(const cg_diags *diags, const char *path) {
    return cg_arena_format(diags->arena, "%s: %zu error%s, %zu warning%s\n", path, diags->error_count,
                           diags->error_count == 1 ? "" : "s", diags->warning_count,
                           diags->warning_count == 1 ? "" : "s");
}
