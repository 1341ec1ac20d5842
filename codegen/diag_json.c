/* Diagnostics as programs read them: docs/CONTRACTS.md has the shape. */
#include "codegen/diag.h"
#include "codegen/text.h"

static void add_string(cg_text *out, const char *key, const char *value) {
    cg_text_format(out, "\"%s\":", key);
    cg_text_add_json(out, value);
}

static void add_place(cg_text *out, const cg_place *place) {
    const cg_position at = cg_position_of(place);
    add_string(out, "message", place->message);
    cg_text_format(out, ",");
    add_string(out, "file", place->source->path);
    cg_text_format(out, ",\"start\":{\"line\":%u,\"column\":%u},\"end\":{\"line\":%u,\"column\":%u}", at.line,
                   at.column, at.end_line, at.end_column);
}

static void add_diag(cg_text *out, const cg_diags *diags, const cg_diag *diag) {
    const cg_diag_kind *kind = &cg_diag_kinds[diag->id];
    cg_text_format(out, "{\"number\":\"%c%04u\",\"severity\":\"%s\",", kind->is_warning ? 'W' : 'E', kind->number,
                   cg_diag_is_error(diags, diag) ? "error" : "warning");
    add_string(out, "title", kind->title);
    cg_text_format(out, ",");
    add_place(out, &diag->where);
    cg_text_format(out, ",\"suggestion\":");
    if (diag->suggestion == NULL)
        cg_text_format(out, "null");
    else
        cg_text_add_json(out, diag->suggestion);
    cg_text_format(out, ",\"notes\":[");
    for (const cg_place *note = diag->where.next; note != NULL; note = note->next) {
        cg_text_format(out, note == diag->where.next ? "{" : ",{");
        add_place(out, note);
        cg_text_format(out, "}");
    }
    cg_text_format(out, "]}");
}

const char *cg_diags_json(cg_diags *diags, const char *path) {
    cg_text out = {.arena = diags->arena};
    cg_diags_sort(diags);
    cg_text_format(&out, "{");
    add_string(&out, "file", path);
    cg_text_format(&out, ",\"errors\":%zu,\"warnings\":%zu,\"diagnostics\":[", diags->error_count,
                   diags->warning_count);
    for (size_t i = 0; i < diags->count; i++) {
        cg_text_format(&out, i == 0 ? "\n  " : ",\n  ");
        add_diag(&out, diags, diags->items[i]);
    }
    cg_text_format(&out, "]}\n");
    return cg_text_end(&out);
}
