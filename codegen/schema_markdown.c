/* keys.def, types.def, diag.def and compat.def as the tables of docs/CONTRACTS.md. */
#include "codegen/compat.h"
#include "codegen/diag.h"
#include "codegen/schema_json.h"

#include <inttypes.h>

static const struct {
    const char *name, *value;
} types[] = {
#define CG_SPELLING(name, kind, value) {name, value},
#define CG_FORM(name, spelling, value) {spelling, value},
#include "codegen/types.def"
#undef CG_SPELLING
#undef CG_FORM
};

static void begin(cg_text *out, const char *name) {
    cg_text_format(out, "<!-- begin %s: written by `make docs` -->\n", name);
}

static void end(cg_text *out, const char *name) { cg_text_format(out, "<!-- end %s -->\n", name); }

/* ---- keys ------------------------------------------------------------------------------------------------------- */

static const char *title_of(cg_where where) {
    switch (where) {
    case CG_AT_ROOT: return "At the top:";
    case CG_AT_SCHEMA: return "`schema`:";
    case CG_AT_RANGES: return "`tag_ranges`, each a range such as `1000-49999` or a map:";
    case CG_AT_RANGE: return "A range that is a map:";
    case CG_AT_POOL: return "`pool`:";
    case CG_AT_HOOK: return "A hook, where `rules` is a map:";
    case CG_AT_ENUM: return "An enum:";
    case CG_AT_TYPE: return "A type, with `fields` or `is`:";
    case CG_AT_MESSAGE: return "A message:";
    case CG_AT_FIELD:
        return "A field of a message, in a map (`name: type`, or `name: {…}`) or in a list (`- {name: …}`):";
    default: return "A field of a type:";
    }
}

static void add_words(cg_text *out, const char *words) {
    for (const char *list = words, *word = NULL; (word = cg_next_word(out->arena, &list)) != NULL;) {
        cg_text_format(out, "`%s`%s", word, *list == '\0' ? "" : ", ");
    }
}

static void add_kind(cg_text *out, const cg_key *key) {
    switch (key->want) {
    case CG_WANT_WORD: add_words(out, key->words); break;
    case CG_WANT_NAME: cg_text_format(out, "name"); break;
    case CG_WANT_TYPE: cg_text_format(out, "type"); break;
    case CG_WANT_TAG_RANGE:
    case CG_WANT_RANGE: cg_text_format(out, "range"); break;
    case CG_WANT_LITERAL: cg_text_format(out, "value"); break;
    case CG_WANT_BOOL: cg_text_format(out, "`true`, `false`"); break;
    case CG_WANT_INTEGER: cg_text_format(out, "integer, %" PRIu64 " to %" PRIu64, key->low, key->high); break;
    case CG_WANT_BYTES: cg_text_format(out, "size"); break;
    case CG_WANT_NUMBER: cg_text_format(out, "number"); break;
    case CG_WANT_TIME: cg_text_format(out, "time"); break;
    case CG_WANT_CLASSES: cg_text_format(out, "text, list of sizes"); break;
    case CG_WANT_LIST: cg_text_format(out, "list"); break;
    case CG_WANT_MAP:
    case CG_WANT_MAP_OF:
    case CG_WANT_NUMBERS: cg_text_format(out, "map"); break;
    case CG_WANT_FIELDS: cg_text_format(out, "fields"); break;
    case CG_WANT_RULES: cg_text_format(out, "list of rules"); break;
    case CG_WANT_NAMES: cg_text_format(out, "names"); break;
    default: cg_text_format(out, "text"); break;
    }
}

static void add_row(cg_text *out, const cg_key *key) {
    cg_text_format(out, "| `%s`%s | ", key->name, key->state == CG_KEY_NEEDED ? " (needed)" : "");
    add_kind(out, key);
    cg_text_format(out, " | %s", key->text);
    if (key->otherwise[0] != '\0') cg_text_format(out, "; `%s` when it is missing", key->otherwise);
    if (key->example[0] != '\0') cg_text_format(out, "; such as ");
    add_words(out, key->example);
    cg_text_format(out, " |\n");
}

static void add_table(cg_text *out, cg_where where) {
    cg_text_format(out, "| key | value | |\n|---|---|---|\n");
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].where == where) add_row(out, &cg_keys[i]);
    }
}

static void add_keys(cg_text *out) {
    begin(out, "keys");
    for (cg_where where = CG_AT_ROOT; where < CG_AT_RULE; where++) {
        cg_text_format(out, "%s%s\n\n", where == CG_AT_ROOT ? "" : "\n", title_of(where));
        add_table(out, where);
    }
    end(out, "keys");
}

static void add_ignored(cg_text *out) {
    const char *between = "`";
    begin(out, "ignored");
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].state != CG_KEY_IGNORED) continue;
        cg_text_format(out, "%s%s", between, cg_keys[i].name);
        between = " ";
    }
    cg_text_format(out, "`\n");
    end(out, "ignored");
}

/* ---- types, rules, diagnostics ---------------------------------------------------------------------------------- */

static void add_types(cg_text *out) {
    const size_t count = sizeof types / sizeof types[0];
    begin(out, "types");
    cg_text_format(out, "| spelling | value |\n|---|---|\n");
    for (size_t i = 0; i < count;) {
        const size_t first = i;
        cg_text_format(out, "| `%s`", types[i].name);
        for (i++; i < count && types[i].value[0] == '\0'; i++) {
            cg_text_format(out, "%s `%s`", i == first + 1 ? ", also" : ",", types[i].name);
        }
        cg_text_format(out, " | %s |\n", types[first].value);
    }
    cg_text_format(out, "| `[T; N]` | exactly N elements |\n| the name of an enum or type | |\n");
    end(out, "types");
}

static void add_rules(cg_text *out) {
    begin(out, "rules");
    add_table(out, CG_AT_RULE);
    end(out, "rules");
}

static void add_diagnostics(cg_text *out) {
    begin(out, "diagnostics");
    cg_text_format(out, "| number | what |\n|---|---|\n");
    for (size_t i = 0; i < CG_DIAG_COUNT; i++) {
        cg_text_format(out, "| %c%04u | %s |\n", cg_diag_kinds[i].is_warning ? 'W' : 'E', cg_diag_kinds[i].number,
                       cg_diag_kinds[i].title);
    }
    end(out, "diagnostics");
}

static void add_verdicts(cg_text *out) {
    begin(out, "verdicts");
    cg_text_format(out, "| number | what | can break |\n|---|---|---|\n");
    for (size_t i = 0; i < CG_VERDICT_COUNT; i++) {
        const cg_verdict_kind *kind = &cg_verdict_kinds[i];
        cg_text_format(out, "| C%04u | %s | ", kind->number, kind->title);
        cg_levels_print(out, kind->levels);
        cg_text_format(out, " |\n");
    }
    end(out, "verdicts");
}

void cg_schema_markdown(cg_text *out) {
    add_keys(out);
    add_ignored(out);
    add_types(out);
    add_rules(out);
    add_diagnostics(out);
    add_verdicts(out);
}
