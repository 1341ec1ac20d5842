#include "codegen/build.h"
#include "codegen/names.h"
#include "codegen/schema.h"

#include <string.h>

const cg_node *cg_map_entry(const cg_node *map, const char *key) {
    const cg_node *entry = cg_entry(map, key);
    return entry != NULL && entry->kind == CG_MAP ? entry : NULL;
}

/* The node that names a field: its key, or the value of `name` in the list form. NULL when it has none. */
static const cg_node *name_node(const cg_node *field) {
    return field->key != NULL ? field->key : cg_good_entry(field, "name");
}

/* The same without the word `name` before it, so that messages point at the name. */
static const cg_node *bare(cg_arena *arena, const cg_node *name) {
    cg_node *copy = CG_NEW(arena, cg_node);
    *copy = *name;
    copy->key = NULL;
    return copy;
}

static const cg_node *wire_node(cg_builder *b, const cg_node *at) {
    const cg_node *wire = cg_good_entry(at, "wire");
    if (wire == NULL || strcmp(wire->text, "inline") == 0 || strcmp(wire->text, "tail") == 0) return wire;
    cg_report(b->diags, CG_E_WORD, wire->span, "wire is inline or tail");
    return NULL;
}

static void read_since(cg_builder *b, cg_field *field, const cg_node *at) {
    const cg_node *since = cg_good_entry(at, "since");
    field->since = (uint32_t)cg_get_uint(at, "since", 1);
    if (since == NULL || field->since <= b->model->version) return;
    cg_report(b->diags, CG_E_SINCE, since->span, "since is %u, but the schema's version is %u", field->since,
              b->model->version);
}

static void read_default(cg_builder *b, cg_field *field, const cg_node *at) {
    const cg_node *node = cg_good_entry(at, "default");
    if (node == NULL || field->type == NULL) return;
    const cg_kind kind = field->type->kind;
    if (kind == CG_STRUCT || kind == CG_ARRAY || kind == CG_BYTES || kind == CG_VECTOR) {
        cg_report(b->diags, CG_E_NOT_YET, node->span, "a default for this type is not supported yet");
        return;
    }
    field->has_default = cg_literal_read(b, field->type, node, CG_E_DEFAULT_TYPE, &field->default_value);
    if (!field->has_default) return;
    const cg_rule *broken = cg_rules_broken(field, &field->default_value);
    if (broken == NULL) return;
    cg_report(b->diags, CG_E_DEFAULT_RULE, node->span, "the default breaks a rule of the field");
    cg_note(b->diags, broken->at->span, "this rule");
}

static void read_optional(cg_builder *b, cg_field *field, const cg_node *at, bool is_message) {
    field->is_optional = cg_get_bool(at, "optional", false);
    if (is_message || !field->is_optional) return;
    cg_report(b->diags, CG_E_OPTIONAL_INSIDE, cg_node_place(cg_entry(at, "optional")),
              "a field of a type cannot be optional: make the field that has the type optional");
    field->is_optional = false;
}

static void read_name(cg_builder *b, cg_field *field, const cg_node *name) {
    if (cg_name_read(b->diags, name->text, name->span, &field->name)) {
        cg_name_refuse_reserved(b->diags, &field->name, name->span);
    }
}

static void read_field(cg_builder *b, cg_field *field, const cg_node *at, bool is_message) {
    const cg_node *name = bare(b->arena, name_node(at));
    const cg_node *validation = cg_good_entry(at, "validation");
    const cg_type_place place = {
        .at = at->kind == CG_SCALAR ? at : cg_good_entry(at, "type"),
        .is_message = is_message,
        .max_length = cg_rules_find(validation, "max_length"),
        .wire = wire_node(b, at),
    };
    field->at = name;
    read_name(b, field, name);
    field->description = cg_get_text(at, "description", NULL);
    field->unit = cg_get_text(at, "unit", NULL);
    if (place.at != NULL) field->type = cg_type_read(b, &place);
    read_since(b, field, at);
    read_optional(b, field, at, is_message);
    if (field->type == NULL) return;
    field->typical = field->type->capacity;
    cg_rules_read(b, field, validation);
    read_default(b, field, at);
}

static void check_twice(cg_builder *b, cg_table *seen, cg_field *field) {
    const cg_field *first = cg_table_add(seen, field->name.text, field);
    if (first == field) return;
    cg_report(b->diags, CG_E_DUPLICATE_NAME, field->at->span, "the field '%s' stands twice", field->name.text);
    cg_note(b->diags, first->at->span, "first here");
}

cg_field *cg_fields_read(cg_builder *builder, const cg_node *fields, bool is_message, size_t *count) {
    cg_table seen = {.arena = builder->arena};
    *count = 0;
    if (fields == NULL || fields->kind == CG_SCALAR) return NULL;
    cg_field *read = CG_NEW_ARRAY(builder->arena, cg_field, fields->count);
    for (const cg_node *at = fields->first; at != NULL; at = at->next) {
        if (name_node(at) == NULL || at->kind == CG_LIST) continue;
        read_field(builder, &read[*count], at, is_message);
        if (fields->kind == CG_LIST) check_twice(builder, &seen, &read[*count]);
        ++*count;
    }
    return read;
}

/* ---- defaults of later fields ----------------------------------------------------------------------------------- */

/* What an absent field reads as when nothing is said. */
static cg_literal zero_literal(cg_kind kind) {
    cg_literal zero = {.kind = CG_LITERAL_NUMBER, .text = ""};
    if (kind == CG_BOOL) zero.kind = CG_LITERAL_BOOL;
    if (cg_kind_is_counted(kind)) zero.kind = CG_LITERAL_TEXT;
    return zero;
}

static void check_zero(cg_builder *b, const cg_field *field) {
    const cg_literal zero = zero_literal(field->type->kind);
    const cg_rule *broken = cg_rules_broken(field, &zero);
    const cg_enum *e = field->type->enumeration;
    const bool is_closed = e != NULL && !e->is_open && !e->has_zero;
    if (broken == NULL && !is_closed) return;
    cg_report(b->diags, CG_E_DEFAULT_MISSING, cg_node_place(field->at),
              "'%s' came with version %u, and frames of version %u lack it: it needs a default, because zero %s",
              field->name.text, field->since, b->model->min_compatible,
              is_closed ? "is no value of its enum" : "breaks a rule");
    if (broken != NULL) cg_note(b->diags, broken->at->span, "this rule");
}

void cg_fields_check_defaults(cg_builder *builder, const cg_message *message) {
    for (size_t i = 0; i < message->field_count; i++) {
        const cg_field *field = &message->fields[i];
        const bool is_always_there = field->group_ix <= message->accept_group_ix;
        if (!is_always_there && !field->is_optional && !field->has_default) check_zero(builder, field);
    }
}
