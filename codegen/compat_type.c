/* Enums and types that fields of both contracts use. */
#include "codegen/compat_walk.h"

#include <string.h>

enum { NONE = 0, WIRE = CG_BREAKS_WIRE, FORWARD = CG_BREAKS_FORWARD, SOURCE = CG_BREAKS_SOURCE };

/* ---- enums ------------------------------------------------------------------------------------------------------ */

static const cg_enum_value *by_number(const cg_enum *e, const cg_number *number) {
    for (size_t i = 0; i < e->value_count; i++) {
        if (cg_number_compare(&e->values[i].value, number) == 0) return &e->values[i];
    }
    return NULL;
}

/* The enums inside of two types that match; their fields without the rules, unless they are the enums themselves. */
static cg_enum_pair *enums_inside(cg_comparison *c, cg_field *before, cg_field *now) {
    const cg_type *old_type = cg_type_unwrapped(before->type), *type = cg_type_unwrapped(now->type);
    while (old_type->element != NULL) {
        before->rule_count = now->rule_count = 0;
        old_type = cg_type_unwrapped(old_type->element);
        type = cg_type_unwrapped(type->element);
    }
    before->type = old_type;
    now->type = type;
    return old_type->kind == CG_ENUM ? cg_pair_enums(c, old_type->enumeration, type->enumeration) : NULL;
}

void cg_note_enum(cg_comparison *c, const cg_field *before, const cg_field *now) {
    cg_field old_use = *before, use = *now;
    cg_enum_pair *pair = enums_inside(c, &old_use, &use);
    if (pair == NULL || c->hidden != NONE) return;
    const cg_witnesses wire = cg_witnesses_find(c->arena, &old_use, &use);
    const cg_witnesses forward = cg_witnesses_find(c->arena, &use, &old_use);
    const bool was_open = pair->before->is_open, is_open = pair->now->is_open;
    if (pair->before->base != pair->now->base) pair->base |= WIRE | FORWARD;
    if (wire.value[CG_REFUSED_ENUM] != NULL) *(was_open && !is_open ? &pair->closed : &pair->removed) |= WIRE;
    if (forward.value[CG_REFUSED_ENUM] != NULL) {
        if (is_open && !was_open) pair->opened |= FORWARD;
        pair->added |= FORWARD;
    }
    if (wire.value[CG_REFUSED_NAME] != NULL) pair->number |= WIRE;
    if (forward.value[CG_REFUSED_NAME] != NULL) pair->number |= FORWARD;
}

static void compare_value(cg_comparison *c, const cg_enum_pair *pair, const cg_enum_value *before) {
    const cg_enum *now = pair->now;
    const char *name = before->name.text, *owner = now->name.text;
    const cg_enum_value *same = cg_table_find(now->by_name, name), *heir = by_number(now, &before->value);
    char digits[CG_NUMBER_TEXT_MAX], old_digits[CG_NUMBER_TEXT_MAX];
    cg_number_print(&before->value, old_digits);
    if (same != NULL && cg_number_compare(&same->value, &before->value) == 0) return;
    if (same != NULL) {
        cg_number_print(&same->value, digits);
        cg_changed(c, CG_C_ENUM_VALUE_NUMBER, pair->number | pair->removed | pair->added,
                   (cg_where_changed){.before = before->at, .now = same->at}, "'%s' of '%s' is %s, was %s", name, owner,
                   digits, old_digits);
    } else if (heir != NULL && cg_table_find(pair->before->by_name, heir->name.text) == NULL) {
        cg_changed(c, CG_C_ENUM_VALUE_NAME, SOURCE, (cg_where_changed){.before = before->at, .now = heir->at},
                   "%s of '%s' is '%s', was '%s'", old_digits, owner, heir->name.text, name);
    } else {
        cg_changed(c, CG_C_ENUM_VALUE_REMOVED, pair->removed | SOURCE,
                   (cg_where_changed){.before = before->at, .now = now->at}, "'%s' of '%s' is gone: %s", name, owner,
                   now->is_open            ? "new readers have no name for it"
                   : pair->removed != NONE ? "new readers refuse it"
                                           : "rules kept old writers from sending it");
    }
}

static void compare_new_value(cg_comparison *c, const cg_enum_pair *pair, const cg_enum_value *now) {
    const cg_enum_value *former = by_number(pair->before, &now->value);
    if (cg_table_find(pair->before->by_name, now->name.text) != NULL) return;
    if (former != NULL && cg_table_find(pair->now->by_name, former->name.text) == NULL) return; /* a new name for it */
    cg_changed(c, CG_C_ENUM_VALUE_ADDED, pair->added, (cg_where_changed){.before = pair->before->at, .now = now->at},
               "'%s' of '%s' is new: %s", now->name.text, pair->now->name.text,
               pair->before->is_open ? "old readers have no name for it"
               : pair->added != NONE ? "old readers refuse it"
                                     : "rules keep new writers from sending it");
}

static void compare_enum(cg_comparison *c, const cg_enum_pair *pair) {
    const cg_enum *before = pair->before, *now = pair->now;
    const cg_where_changed at = {.before = before->at, .now = now->at};
    const char *name = now->name.text;
    if (strcmp(before->name.text, name) != 0)
        cg_changed(c, CG_C_TYPE_RENAMED, SOURCE, at, "'%s' was '%s'", name, before->name.text);
    if (before->base != now->base) {
        cg_changed(c, CG_C_ENUM_BASE, pair->base | SOURCE, at, "'%s' is %s, was %s: neither side reads the other's",
                   name, cg_kind_name(now->base), cg_kind_name(before->base));
    }
    if (!before->is_open && now->is_open)
        cg_changed(c, CG_C_ENUM_OPENED, pair->opened, at, "'%s' is open: old readers refuse numbers without a name",
                   name);
    if (before->is_open && !now->is_open)
        cg_changed(c, CG_C_ENUM_CLOSED, pair->closed, at, "'%s' is closed: old writers may send other numbers", name);
    for (size_t i = 0; i < before->value_count; i++) compare_value(c, pair, &before->values[i]);
    for (size_t i = 0; i < now->value_count; i++) compare_new_value(c, pair, &now->values[i]);
}

/* ---- types ------------------------------------------------------------------------------------------------------ */

static void compare_struct(cg_comparison *c, cg_pair *pair) {
    const cg_struct *before = pair->before.structure, *now = pair->now.structure;
    const cg_where_changed at = {.before = before->at, .now = now->at};
    if (strcmp(before->name.text, now->name.text) != 0)
        cg_changed(c, CG_C_TYPE_RENAMED, SOURCE, at, "'%s' was '%s'", now->name.text, before->name.text);
    if (before->is_extensible != now->is_extensible) {
        cg_changed(c, CG_C_TYPE_EXTENSIBLE, pair->toggled, at, "'%s' is %s extensible: its vectors look different",
                   now->name.text, now->is_extensible ? "now" : "no longer");
    }
    c->hidden = pair->is_used ? NONE : WIRE | FORWARD;
    cg_compare_fields(c, pair, NULL);
    c->hidden = NONE;
}

/* Enums and types that have no partner. */
static void name_removed(cg_comparison *c, cg_table *paired) {
    const cg_model *model = c->out->before;
    for (size_t i = 0; i < model->enum_count + model->struct_count; i++) {
        const bool is_enum = i < model->enum_count;
        const cg_struct *t = is_enum ? NULL : model->structs[i - model->enum_count];
        const char *name = is_enum ? model->enums[i].name.text : t->name.text;
        const cg_node *at = is_enum ? model->enums[i].at : t->at;
        if (!is_enum && t->is_wrapper) continue;
        if (cg_table_find(paired, name) != NULL || cg_table_find(&c->names_now, name) != NULL) continue;
        cg_changed(c, CG_C_TYPE_REMOVED, SOURCE, (cg_where_changed){.before = at},
                   "'%s' is gone, and its generated names", name);
    }
}

void cg_compare_types(cg_comparison *c) {
    cg_table paired = {.arena = c->arena};
    /* Types are met while others are compared. */
    for (size_t i = 0; i < c->struct_count; i++) compare_struct(c, c->struct_list[i]);
    for (size_t i = 0; i < c->enum_count; i++) compare_enum(c, c->enum_list[i]);
    for (size_t i = 0; i < c->struct_count; i++) {
        const char *name = c->struct_list[i]->before.structure->name.text;
        cg_table_add(&paired, name, (void *)(uintptr_t)name);
    }
    for (size_t i = 0; i < c->enum_count; i++) {
        const char *name = c->enum_list[i]->before->name.text;
        cg_table_add(&paired, name, (void *)(uintptr_t)name);
    }
    name_removed(c, &paired);
}
