#include "codegen/compat.h"
#include "codegen/load.h"

#include <string.h>

static cg_place place_of(const cg_source *source, const cg_node *at, const char *message) {
    return (cg_place){.source = source, .at = cg_node_place(at), .message = message};
}

void cg_levels_print(cg_text *out, unsigned levels) {
    const char *between = "";
    for (unsigned level = 0; level < CG_LEVEL_COUNT; level++) {
        if ((levels & 1u << level) == 0) continue;
        cg_text_format(out, "%s%s", between, cg_level_name((cg_level)level));
        between = ", ";
    }
}

bool cg_verdict_explain(cg_text *out, const char *number) {
    for (size_t i = 0; i < CG_VERDICT_COUNT; i++) {
        const cg_verdict_kind *kind = &cg_verdict_kinds[i];
        const char *name = cg_arena_format(out->arena, "C%04u", kind->number);
        if ((number[0] != 'C' && number[0] != 'c') || strcmp(name + 1, number + 1) != 0) continue;
        cg_text_format(out, "%s: %s\n\n", name, kind->title);
        cg_text_format(out, "%s", (kind->levels & CG_BREAKS_ALL) == 0 ? "It breaks no level" : "It can break ");
        cg_levels_print(out, kind->levels);
        cg_text_format(out,
                       ". `bufpoolc compat` says for each\nchange whether it does, and by what value.\n\n"
                       "wire: new readers read old writers; forward: old readers read new writers;\n"
                       "source: programs compile and mean the same; class: sizes and classes stay.\n");
        return true;
    }
    return false;
}

void cg_verdicts_list(cg_text *out) {
    for (size_t i = 0; i < CG_VERDICT_COUNT; i++) {
        cg_text_format(out, "C%04u: %s\n", cg_verdict_kinds[i].number, cg_verdict_kinds[i].title);
    }
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static void add_change(cg_text *out, const cg_change *change, const cg_compat_sources *sources) {
    cg_text what = {.arena = out->arena};
    const bool is_gone = change->now == NULL;
    const bool is_note = (cg_verdict_kinds[change->verdict].levels & CG_VERDICT_IS_NOTE) != 0;
    cg_text_format(&what, "%s", change->breaks != 0 ? "breaks " : is_note ? "note" : "safe");
    cg_levels_print(&what, change->breaks);
    cg_text_format(&what, "[C%04u]:", cg_verdict_kinds[change->verdict].number);
    const cg_place place = is_gone ? place_of(sources->before, change->before, change->message)
                                   : place_of(sources->now, change->now, change->message);
    cg_place_print(out, &place, cg_text_end(&what), sources->is_colored);
    if (is_gone || change->before == NULL) return;
    const cg_place before = place_of(sources->before, change->before, "before");
    cg_place_print(out, &before, "note:", sources->is_colored);
}

void cg_compat_text(cg_text *out, const cg_compat *compat, const cg_compat_sources *sources, cg_level level) {
    size_t broken = 0;
    for (size_t i = 0; i < compat->count; i++) add_change(out, &compat->changes[i], sources);
    cg_text_format(out, "%s against %s: %zu change%s", sources->now->path, sources->before->path, compat->count,
                   compat->count == 1 ? "" : "s");
    for (unsigned each = 0; each < CG_LEVEL_COUNT; each++) {
        const size_t count = cg_compat_count(compat, (cg_level)each);
        cg_text_format(out, "%s %s %zu", each == 0 ? "; breaks" : ",", cg_level_name((cg_level)each), count);
        if (each <= (unsigned)level) broken += count;
    }
    cg_text_format(out, "\n%s at level %s\n", broken == 0 ? "compatible" : "not compatible", cg_level_name(level));
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void add_place(cg_text *out, const char *key, const cg_source *source, const cg_node *at) {
    cg_text_format(out, ",\"%s\":", key);
    if (at == NULL) {
        cg_text_format(out, "null");
        return;
    }
    const cg_place place = place_of(source, at, "");
    const cg_position position = cg_position_of(&place);
    cg_text_format(out, "{\"file\":");
    cg_text_add_json(out, source->path);
    cg_text_format(out, ",\"start\":{\"line\":%u,\"column\":%u},\"end\":{\"line\":%u,\"column\":%u}}", position.line,
                   position.column, position.end_line, position.end_column);
}

static void add_change_json(cg_text *out, const cg_change *change, const cg_compat_sources *sources) {
    bool is_first = true;
    cg_text_format(out, "{\"number\":\"C%04u\",\"title\":", cg_verdict_kinds[change->verdict].number);
    cg_text_add_json(out, cg_verdict_kinds[change->verdict].title);
    cg_text_format(out, ",\"breaks\":[");
    for (unsigned level = 0; level < CG_LEVEL_COUNT; level++) {
        if ((change->breaks & 1u << level) == 0) continue;
        cg_text_format(out, "%s\"%s\"", is_first ? "" : ",", cg_level_name((cg_level)level));
        is_first = false;
    }
    cg_text_format(out, "],\"message\":");
    cg_text_add_json(out, change->message);
    add_place(out, "now", sources->now, change->now);
    add_place(out, "before", sources->before, change->before);
    cg_text_format(out, "}");
}

void cg_compat_json(cg_text *out, const cg_compat *compat, const cg_compat_sources *sources, cg_level level) {
    size_t broken = 0;
    cg_text_format(out, "{\"now\":");
    cg_text_add_json(out, sources->now->path);
    cg_text_format(out, ",\"before\":");
    cg_text_add_json(out, sources->before->path);
    cg_text_format(out, ",\"breaks\":{");
    for (unsigned each = 0; each < CG_LEVEL_COUNT; each++) {
        const size_t count = cg_compat_count(compat, (cg_level)each);
        cg_text_format(out, "%s\"%s\":%zu", each == 0 ? "" : ",", cg_level_name((cg_level)each), count);
        if (each <= (unsigned)level) broken += count;
    }
    cg_text_format(out, "},\"level\":\"%s\",\"compatible\":%s,\"changes\":[", cg_level_name(level),
                   broken == 0 ? "true" : "false");
    for (size_t i = 0; i < compat->count; i++) {
        cg_text_format(out, i == 0 ? "\n  " : ",\n  ");
        add_change_json(out, &compat->changes[i], sources);
    }
    cg_text_format(out, "]}\n");
}
