#include "codegen/traits.h"
#include "codegen/example.h"

bool cg_type_is_closed(const cg_type *type) { return type->kind == CG_ENUM && !type->enumeration->is_open; }

bool cg_type_has_checks(const cg_type *type) {
    if (type->kind == CG_BOOL || cg_type_is_closed(type) || cg_kind_is_counted(type->kind)) return true;
    if (type->kind == CG_ARRAY) return cg_type_has_checks(type->element);
    return type->kind == CG_STRUCT && type->structure->has_checks;
}

bool cg_type_has_limits(const cg_type *type) {
    if (cg_type_is_closed(type) || cg_kind_is_counted(type->kind)) return true;
    if (type->kind == CG_ARRAY) return cg_type_has_limits(type->element);
    return type->kind == CG_STRUCT && type->structure->has_limits;
}

bool cg_type_has_rules(const cg_type *type) {
    if (type->element != NULL) return cg_type_has_rules(type->element);
    return type->kind == CG_STRUCT && type->structure->has_rules;
}

bool cg_type_has_hooks(const cg_type *type) {
    if (type->element != NULL) return cg_type_has_hooks(type->element);
    return type->kind == CG_STRUCT && type->structure->has_hooks;
}

bool cg_type_has_padding_only(const cg_type *type) {
    if (type->kind != CG_STRUCT || type->structure->is_extensible || type->structure->gap_count == 0) return false;
    for (size_t i = 0; i < type->structure->field_count; i++) {
        if (cg_type_has_checks(type->structure->fields[i].type)) return false;
    }
    return true;
}

bool cg_type_is_flat(const cg_type *type) {
    uint32_t end = 0;
    if (type->kind != CG_STRUCT || type->structure->is_extensible) return false;
    for (size_t i = 0; i < type->structure->field_count; i++) {
        const cg_field *field = &type->structure->fields[i];
        const bool is_blob = field->type->kind == CG_ARRAY && field->type->element->kind == CG_U8;
        if ((field->type->kind > CG_ENUM && !is_blob) || cg_type_has_checks(field->type)) return false;
        if (field->offset != (end + field->type->align - 1) / field->type->align * field->type->align) return false;
        end = field->offset + field->type->size;
    }
    return true;
}

const cg_rule *cg_field_rule(const cg_field *field, cg_rule_kind kind) {
    for (size_t i = 0; i < field->rule_count; i++) {
        if (field->rules[i].kind == kind) return &field->rules[i];
    }
    return NULL;
}

bool cg_field_has_rule(const cg_field *field, cg_rule_kind kind) { return cg_field_rule(field, kind) != NULL; }

/* Also for fields whose type is wrong, as names are claimed in spite of errors. */
static bool field_has_hooks(const cg_field *field) {
    if (field->is_retired || field->type == NULL) return false;
    return cg_field_has_rule(field, CG_RULE_HOOK) || cg_type_has_hooks(field->type);
}

bool cg_model_has_hooks(const cg_model *model) {
    for (size_t i = 0; i < model->hook_count; i++) {
        if (model->hooks[i]->value != CG_HOOK_UNUSED) return true;
    }
    return false;
}

bool cg_model_has_session(const cg_model *model) {
    for (size_t i = 0; i < model->message_count; i++) {
        if (cg_message_has_session(&model->messages[i])) return true;
    }
    return false;
}

bool cg_message_has_hooks(const cg_message *message) {
    for (size_t i = 0; i < message->field_count; i++) {
        if (field_has_hooks(&message->fields[i])) return true;
    }
    return false;
}

bool cg_message_has_session(const cg_message *message) {
    if (message->prior_count != 0 || message->is_required) return true;
    for (size_t i = 0; i < message->field_count; i++) {
        if (cg_field_has_rule(&message->fields[i], CG_RULE_MONOTONIC)) return true;
    }
    return false;
}

/* Whether every value of the type keeps the rule: compilers warn about comparisons that are always true. */
static bool always_holds(const cg_field *field, const cg_rule *rule) {
    const cg_type *type = field->type;
    const cg_kind kind = type->kind == CG_ENUM ? type->enumeration->base : type->kind;
    const uint64_t length = cg_number_u64(&rule->literal.number);
    if (rule->kind == CG_RULE_MIN_LENGTH) return length == 0;
    if (rule->kind == CG_RULE_MAX_LENGTH) return length >= type->capacity;
    if (rule->kind == CG_RULE_PREFIX) return rule->literal.text_length == 0;
    if (rule->kind == CG_RULE_UTF8) return !cg_kind_is_counted(type->kind);
    if (rule->kind != CG_RULE_MIN && rule->kind != CG_RULE_MAX) return false;
    if (kind == CG_F32 || kind == CG_F64) return false; /* NaN breaks both */
    const cg_number extreme = cg_kind_extreme(kind, rule->kind == CG_RULE_MAX);
    const int order = cg_number_compare(&rule->literal.number, &extreme);
    return rule->kind == CG_RULE_MIN ? order <= 0 : order >= 0;
}

bool cg_rule_is_checked(const cg_field *field, const cg_rule *rule) {
    return cg_rule_is_validated(rule->kind) && !always_holds(field, rule);
}

bool cg_field_has_rules(const cg_field *field) {
    for (size_t i = 0; i < field->rule_count; i++) {
        if (cg_rule_is_checked(field, &field->rules[i])) return true;
    }
    return cg_type_has_rules(field->type);
}

const cg_field *cg_message_placed(const cg_message *message) {
    size_t count = message->tail_count;
    while (count != 0 && message->tail[count - 1]->is_retired) count--; /* of which nothing is written */
    if (count == 0 || message->tail[count - 1]->type->kind != CG_BYTES) return NULL;
    return message->tail[count - 1];
}

bool cg_model_has_place(const cg_model *model) {
    for (size_t i = 0; i < model->message_count; i++) {
        if (cg_message_placed(&model->messages[i]) != NULL) return true;
    }
    return false;
}

void cg_struct_find_traits(cg_struct *structure) {
    structure->has_checks = structure->gap_count != 0;
    for (size_t i = 0; i < structure->field_count; i++) {
        const cg_field *field = &structure->fields[i];
        structure->has_checks |= cg_type_has_checks(field->type);
        structure->has_limits |= cg_type_has_limits(field->type);
        structure->has_rules |= cg_field_has_rules(field);
        structure->has_hooks |= field_has_hooks(field);
    }
}
