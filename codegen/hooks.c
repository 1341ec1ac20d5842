/* Hooks: rules that the user's program decides. Which there are is known before any field is read, from what `rules`
 * declares and from the rules that the language does not have; what each is called with, only when the fields are. */
#include "codegen/build.h"
#include "codegen/names.h"
#include "codegen/schema.h"

#include <string.h>

/* As far as two edits from a rule of the language, a name is a slip of the pen and no hook. */
enum { SLIP_MAX = 2 };

static bool is_language_rule(const char *name) {
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].where == CG_AT_RULE && strcmp(cg_keys[i].name, name) == 0) return true;
    }
    return false;
}

static bool is_slip(const char *name) {
    for (size_t i = 0; i < cg_key_count; i++) {
        const bool is_rule = cg_keys[i].where == CG_AT_RULE;
        if (is_rule && cg_edit_distance(name, cg_keys[i].name, SLIP_MAX + 1) <= SLIP_MAX) return true;
    }
    return false;
}

static cg_hook *add_hook(cg_builder *b, const cg_name *name, const cg_node *at) {
    cg_hook *hook = CG_NEW(b->arena, cg_hook);
    hook->name = *name;
    hook->at = at;
    cg_table_add(&b->hooks, name->text, hook);
    b->model->hooks = cg_arena_grow(b->arena, b->model->hooks, b->model->hook_count, sizeof hook);
    b->model->hooks[b->model->hook_count++] = hook;
    return hook;
}

/* ---- declarations ----------------------------------------------------------------------------------------------- */

/* at is an item of a list, or an entry of a map. */
static void declare(cg_builder *b, const cg_node *at) {
    const cg_node *name = at->key == NULL ? at : at->key;
    const cg_hook *first = cg_table_find(&b->hooks, name->text);
    cg_name read;
    if (!cg_name_read(b->diags, name->text, name->span, &read)) return;
    cg_name_refuse_reserved(b->diags, &read, name->span);
    if (first != NULL) {
        cg_report(b->diags, CG_E_DUPLICATE_NAME, name->span, "the hook '%s' stands twice", name->text);
        cg_note(b->diags, cg_node_place(first->at), "first here");
        return;
    }
    if (is_language_rule(name->text)) {
        cg_report(b->diags, CG_E_DUPLICATE_NAME, name->span,
                  "'%s' is a rule of the language: give the hook another name", name->text);
        return;
    }
    cg_hook *hook = add_hook(b, &read, at);
    hook->is_declared = true;
    hook->description = cg_get_text(at, "description", NULL);
}

/* ---- rules that the language does not have ---------------------------------------------------------------------- */

static void report_unknown(cg_builder *b, cg_node *entry, bool may_be_hook) {
    cg_guess guess = cg_guess_of(entry->key->text);
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].where == CG_AT_RULE) cg_guess_offer(&guess, cg_keys[i].name);
    }
    entry->is_bad = true;
    cg_report(b->diags, CG_E_RULE_UNKNOWN, entry->key->span, "unknown rule '%.64s'%s", entry->key->text,
              may_be_hook ? " (a hook of that name must be declared under 'rules')" : "");
    cg_suggest(b->diags, &guess);
}

/* The near name of a declared hook, if any. */
static void suggest_hook(cg_builder *b, const char *name) {
    cg_guess guess = cg_guess_of(name);
    const bool is_guessing = b->guess_count++ < CG_GUESSES_MAX;
    for (size_t i = 0; i < b->model->hook_count && is_guessing; i++) {
        if (b->model->hooks[i]->is_declared) cg_guess_offer(&guess, b->model->hooks[i]->name.text);
    }
    cg_suggest(b->diags, &guess);
}

static cg_hook *imply(cg_builder *b, cg_node *entry) {
    cg_name name;
    if (!cg_name_read(b->diags, entry->key->text, entry->key->span, &name)) {
        entry->is_bad = true;
        return NULL;
    }
    cg_name_refuse_reserved(b->diags, &name, entry->key->span);
    cg_report(
        b->diags, CG_W_HOOK_IMPLIED, entry->key->span,
        "'%s' is not declared under 'rules': it becomes a hook that accepts everything until the program gives one",
        name.text);
    suggest_hook(b, name.text);
    return add_hook(b, &name, entry);
}

static bool is_text(const cg_node *entry, const char *text) {
    return entry->kind == CG_SCALAR && strcmp(entry->text, text) == 0;
}

/* `name: true` uses a hook, and makes it when there is none. */
static void read_use(cg_builder *b, cg_node *entry) {
    cg_hook *hook = cg_table_find(&b->hooks, entry->key->text);
    if (!is_text(entry, "true")) return;
    if (hook == NULL && is_slip(entry->key->text))
        report_unknown(b, entry, true);
    else if (hook == NULL)
        hook = imply(b, entry);
    if (hook != NULL) hook->is_named = true;
}

/* Anything else is for a hook that is there. */
static void check_other(cg_builder *b, cg_node *entry) {
    const bool is_known = cg_table_find(&b->hooks, entry->key->text) != NULL;
    if (is_text(entry, "true") || entry->is_bad || (is_known && is_text(entry, "false"))) return;
    if (!is_known) {
        report_unknown(b, entry, false);
        return;
    }
    entry->is_bad = true;
    cg_report(b->diags, CG_E_BOOL, entry->kind == CG_SCALAR ? entry->span : cg_node_place(entry),
              "'%s' is a hook: true asks it, false does not", entry->key->text);
}

void cg_hooks_read(cg_builder *builder, const cg_node *rules, const cg_unknown_rules *unknown) {
    builder->hooks.arena = builder->arena;
    for (const cg_node *at = rules == NULL ? NULL : rules->first; at != NULL; at = at->next) {
        if (!at->is_bad) declare(builder, at);
    }
    for (size_t i = 0; i < unknown->count; i++) read_use(builder, unknown->entries[i]);
    for (size_t i = 0; i < unknown->count; i++) check_other(builder, unknown->entries[i]);
    for (size_t i = 0; i < builder->model->hook_count; i++) {
        const cg_hook *hook = builder->model->hooks[i];
        if (hook->is_named) continue;
        cg_report(builder->diags, CG_W_HOOK_UNUSED, cg_node_place(hook->at), "no field uses the hook '%s'",
                  hook->name.text);
    }
}

/* ---- what a hook is called with --------------------------------------------------------------------------------- */

static cg_hook_value value_of(const cg_type *type) {
    const cg_kind kind = type->kind == CG_ENUM ? type->enumeration->base : type->kind;
    switch (kind) {
    case CG_F32:
    case CG_F64: return CG_HOOK_REAL;
    case CG_U128: return CG_HOOK_U128;
    case CG_U256: return CG_HOOK_U256;
    case CG_STRING: return CG_HOOK_TEXT;
    case CG_BYTES:
    case CG_ARRAY: return CG_HOOK_BYTES;
    default: return kind >= CG_I8 && kind <= CG_I64 ? CG_HOOK_INT : CG_HOOK_UINT;
    }
}

static const char *const value_names[] = {[CG_HOOK_UNUSED] = "nothing",       [CG_HOOK_UINT] = "an unsigned integer",
                                          [CG_HOOK_INT] = "a signed integer", [CG_HOOK_REAL] = "a floating number",
                                          [CG_HOOK_U128] = "a u128",          [CG_HOOK_U256] = "a u256",
                                          [CG_HOOK_TEXT] = "a string",        [CG_HOOK_BYTES] = "bytes"};

bool cg_hook_use(cg_builder *builder, cg_hook *hook, const cg_type *type, const cg_node *at) {
    const cg_hook_value value = value_of(type);
    if (hook->value == CG_HOOK_UNUSED) {
        hook->value = value;
        hook->used_at = at;
    }
    if (hook->value == value) return true;
    cg_report(builder->diags, CG_E_HOOK_VALUE, at->key->span, "'%s' gets %s here and %s elsewhere: make it two hooks",
              hook->name.text, value_names[value], value_names[hook->value]);
    cg_note(builder->diags, hook->used_at->key->span, "here it gets %s", value_names[hook->value]);
    return false;
}
