#include "codegen/traits.h"

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

void cg_struct_find_traits(cg_struct *structure) {
    structure->has_checks = structure->gap_count != 0;
    for (size_t i = 0; i < structure->field_count; i++) {
        const cg_field *field = &structure->fields[i];
        structure->has_checks |= cg_type_has_checks(field->type);
        structure->has_limits |= cg_type_has_limits(field->type);
        structure->has_rules |= field->rule_count != 0 || cg_type_has_rules(field->type);
    }
}
