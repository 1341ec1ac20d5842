/* Former names, and what is gone but keeps its place. */
#include "codegen/build.h"
#include "codegen/names.h"
#include "codegen/schema.h"

#include <string.h>

/* ---- former names ----------------------------------------------------------------------------------------------- */

/* The names of the entries of a map or list of fields or messages. */
static cg_table names_of(cg_arena *arena, const cg_node *entries) {
    cg_table names = {.arena = arena};
    for (const cg_node *at = entries->first; at != NULL; at = at->next) {
        const cg_node *name = cg_name_node(at);
        if (name != NULL) cg_table_add(&names, name->text, (void *)(uintptr_t)name);
    }
    return names;
}

static void check_former_name(cg_builder *b, const cg_table *names, cg_table *former, const cg_node *was) {
    cg_name name;
    if (!cg_name_read(b->diags, was->text, was->span, &name)) return;
    const cg_node *owner = cg_table_find(names, was->text);
    const cg_node *first = cg_table_add(former, was->text, (void *)(uintptr_t)was);
    if (owner != NULL) {
        cg_report(b->diags, CG_E_WAS, was->span, "'%s' is a name of today: it cannot be a former one", was->text);
        cg_note(b->diags, owner->span, "this has it");
    } else if (first != was) {
        cg_report(b->diags, CG_E_WAS, was->span, "'%s' is the former name of another", was->text);
        cg_note(b->diags, first->span, "first here");
    }
}

void cg_former_names_check(cg_builder *builder, const cg_node *entries) {
    const cg_table names = names_of(builder->arena, entries);
    cg_table former = {.arena = builder->arena};
    for (const cg_node *at = entries->first; at != NULL; at = at->next) {
        const cg_node *was = cg_good_entry(at, "was");
        if (was != NULL) check_former_name(builder, &names, &former, was);
    }
}

/* ---- retired fields --------------------------------------------------------------------------------------------- */

void cg_retired_warn(cg_builder *builder, const cg_node *entry) {
    cg_report(builder->diags, CG_W_RETIRED, entry->key->span, "'%.64s' says nothing about a retired field: remove it",
              entry->key->text);
}

void cg_retired_field_check(cg_builder *builder, const cg_node *at) {
    const cg_node *value = cg_good_entry(at, "default"), *validation = cg_good_entry(at, "validation");
    if (value != NULL) cg_retired_warn(builder, value);
    for (const cg_node *item = validation == NULL ? NULL : validation->first; item != NULL; item = item->next) {
        for (const cg_node *rule = item->first; rule != NULL && item->kind == CG_MAP; rule = rule->next) {
            /* max_length says how much room the field has. */
            if (strcmp(rule->key->text, "max_length") != 0 && !rule->is_bad) cg_retired_warn(builder, rule);
        }
    }
}
