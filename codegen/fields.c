#include "codegen/build.h"
#include "codegen/names.h"
#include "codegen/schema.h"
#include "codegen/traits.h"

const cg_node *cg_map_entry(const cg_node *map, const char *key) {
    const cg_node *entry = cg_entry(map, key);
    return entry != NULL && entry->kind == CG_MAP ? entry : NULL;
}

const cg_node *cg_name_node(const cg_node *entry) {
    return entry->key != NULL ? entry->key : cg_good_entry(entry, "name");
}

/* The same without the word `name` before it, so that messages point at the name. */
static const cg_node *bare(cg_arena *arena, const cg_node *name) {
    cg_node *copy = CG_NEW(arena, cg_node);
    *copy = *name;
    copy->key = NULL;
    return copy;
}

/* since and default are about reading what older writers sent: a type that cannot grow has no use for them. */
static void refuse_frozen(cg_builder *b, const cg_node *entry) {
    cg_report(b->diags, CG_E_FROZEN, entry->key->span,
              "'%s' is for fields of messages and extensible types: this type is frozen", entry->key->text);
}

static void read_since(cg_builder *b, cg_field *field, const cg_node *at, const cg_struct *owner) {
    const cg_node *since = cg_good_entry(at, "since");
    field->since = 1;
    if (since != NULL && owner != NULL && !owner->is_extensible) {
        refuse_frozen(b, since);
        return;
    }
    const uint32_t first = owner == NULL ? b->message_since : 1;
    field->since = (uint32_t)cg_get_uint(at, "since", first);
    if (since == NULL) return;
    if (field->since > b->model->version) {
        cg_report(b->diags, CG_E_SINCE, since->span, "since is %u, but the schema's version is %u: raise the version",
                  field->since, b->model->version);
    } else if (field->since < first) {
        cg_report(b->diags, CG_E_SINCE, since->span, "since is %u, but its message came with version %u", field->since,
                  first);
    }
}

static bool can_have_default(cg_kind kind) {
    return kind != CG_STRUCT && kind != CG_ARRAY && kind != CG_BYTES && kind != CG_VECTOR;
}

static void read_default(cg_builder *b, cg_field *field, const cg_node *at, const cg_struct *owner) {
    const cg_node *node = cg_good_entry(at, "default");
    if (node == NULL) return;
    if (owner != NULL && !owner->is_extensible) {
        refuse_frozen(b, node);
        return;
    }
    if (!can_have_default(field->type->kind)) {
        cg_report(b->diags, CG_E_DEFAULT_TYPE, cg_node_place(node),
                  "%.64s takes no default: while it is absent it is %s", field->type->spelling,
                  cg_kind_is_counted(field->type->kind) ? "empty" : "all zeros");
        return;
    }
    field->has_default = cg_literal_read(b, field->type, node, CG_E_DEFAULT_TYPE, &field->default_value);
    if (!field->has_default) return;
    const cg_rule *broken = cg_rules_broken(field, &field->default_value);
    if (broken == NULL) return;
    cg_report(b->diags, CG_E_DEFAULT_RULE, node->span, "the default breaks a rule of the field");
    cg_note(b->diags, broken->at->span, "this rule");
}

static void read_optional(cg_builder *b, cg_field *field, const cg_node *at, const cg_struct *owner) {
    field->is_optional = cg_get_bool(at, "optional", false);
    if (owner == NULL || !field->is_optional) return;
    cg_report(b->diags, CG_E_OPTIONAL_INSIDE, cg_node_place(cg_entry(at, "optional")),
              "a field of a type cannot be optional: make the field that has the type optional");
    field->is_optional = false;
}

static void read_name(cg_builder *b, cg_field *field, const cg_node *name) {
    if (cg_name_read(b->diags, name->text, name->span, &field->name)) {
        cg_name_refuse_reserved(b->diags, &field->name, name->span);
    }
}

static void read_field(cg_builder *b, cg_field *field, const cg_node *at, const cg_struct *owner) {
    const cg_node *name = bare(b->arena, cg_name_node(at));
    const cg_node *validation = cg_good_entry(at, "validation");
    const cg_type_place place = {
        .at = at->kind == CG_SCALAR ? at : cg_good_entry(at, "type"),
        .is_message = owner == NULL,
        .max_length = cg_rules_find(validation, "max_length"),
        .wire = cg_good_entry(at, "wire"),
    };
    field->at = name;
    read_name(b, field, name);
    field->description = cg_get_text(at, "description", NULL);
    field->unit = cg_get_text(at, "unit", NULL);
    field->was = cg_get_text(at, "was", NULL);
    field->is_retired = cg_get_bool(at, "retired", false);
    if (place.at != NULL) field->type = cg_type_read(b, &place);
    read_since(b, field, at, owner);
    read_optional(b, field, at, owner);
    if (field->type == NULL) return;
    if (field->is_retired) {
        cg_retired_field_check(b, at);
        return;
    }
    field->typical = field->type->capacity;
    cg_rules_read(b, field, validation, owner == NULL);
    read_default(b, field, at, owner);
}

static void check_twice(cg_builder *b, cg_table *seen, cg_field *field) {
    const cg_field *first = cg_table_add(seen, field->name.text, field);
    if (first == field) return;
    cg_report(b->diags, CG_E_DUPLICATE_NAME, field->at->span, "the field '%s' stands twice", field->name.text);
    cg_note(b->diags, first->at->span, "first here");
    field->name.snake = field->name.upper = NULL; /* it claims nothing: one report is enough */
}

cg_field *cg_fields_read(cg_builder *builder, const cg_node *fields, const cg_struct *owner, size_t *count) {
    cg_table seen = {.arena = builder->arena};
    *count = 0;
    if (fields == NULL || fields->kind == CG_SCALAR) return NULL;
    cg_field *read = CG_NEW_ARRAY(builder->arena, cg_field, fields->count);
    for (const cg_node *at = fields->first; at != NULL; at = at->next) {
        if (cg_name_node(at) == NULL || at->kind == CG_LIST) continue;
        read_field(builder, &read[*count], at, owner);
        if (fields->kind == CG_LIST) check_twice(builder, &seen, &read[*count]);
        ++*count;
    }
    cg_former_names_check(builder, fields);
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

const cg_field *cg_field_refusing_zero(const cg_field *field, const cg_rule **broken) {
    const cg_literal zero = zero_literal(field->type->kind);
    const cg_type *type = field->type;
    *broken = cg_rules_broken(field, &zero);
    if (*broken != NULL) return field;
    while (type->kind == CG_ARRAY) type = type->element;
    if (type->kind == CG_ENUM) return type->enumeration->is_open || type->enumeration->has_zero ? NULL : field;
    for (size_t i = 0; type->kind == CG_STRUCT && i < type->structure->field_count; i++) {
        const cg_field *inner = cg_field_refusing_zero(&type->structure->fields[i], broken);
        if (inner != NULL) return inner;
    }
    return NULL;
}

static void note_refusing(cg_builder *b, const cg_field *field, const cg_field *refusing, const cg_rule *broken) {
    if (broken != NULL) cg_note(b->diags, broken->at->span, "this rule");
    if (broken == NULL && refusing != field) cg_note(b->diags, cg_node_place(refusing->at), "this field's enum");
}

/* What makes a field that may not be zero possible nevertheless. */
static const char *remedy_for(const cg_field *field, bool is_message) {
    if (can_have_default(field->type->kind)) return "it needs a default";
    return is_message ? "it must be optional" : "a type can have it only from the first version on";
}

static void check_later(cg_builder *b, const cg_field *field, bool is_message) {
    const cg_rule *broken = NULL;
    const cg_field *refusing = cg_field_refusing_zero(field, &broken);
    if (refusing == NULL) return;
    cg_report(b->diags, CG_E_DEFAULT_MISSING, cg_node_place(field->at),
              "'%s' came with version %u, and frames of version %u lack it: %s, because zero %s", field->name.text,
              field->since, b->model->min_compatible, remedy_for(field, is_message),
              broken == NULL ? "is no value of its enum" : "breaks a rule");
    note_refusing(b, field, refusing, broken);
}

/* What the getter of an absent field gives must be a value of its enum; rules are for fields that are there. */
static void check_optional(cg_builder *b, const cg_field *field) {
    if (!cg_type_is_closed(field->type) || field->type->enumeration->has_zero) return;
    cg_report(b->diags, CG_E_DEFAULT_MISSING, cg_node_place(field->at),
              "'%s' is optional: it needs a default, because zero is no value of %s", field->name.text,
              field->type->enumeration->name.text);
}

void cg_fields_check_defaults(cg_builder *builder, const cg_message *message) {
    for (size_t i = 0; i < message->field_count; i++) {
        const cg_field *field = &message->fields[i];
        if (field->is_retired || field->has_default) continue;
        if (field->is_optional)
            check_optional(builder, field);
        else if (field->group_ix > message->accept_group_ix)
            check_later(builder, field, true);
    }
}

void cg_members_check_defaults(cg_builder *builder, const cg_struct *structure) {
    for (size_t i = 0; i < structure->field_count; i++) {
        const cg_field *field = &structure->fields[i];
        if (!field->has_default && field->group_ix > structure->accept_group_ix) check_later(builder, field, false);
    }
}
