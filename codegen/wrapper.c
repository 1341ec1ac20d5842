#include "codegen/wrapper.h"
#include "codegen/layout.h"
#include "codegen/traits.h"

bool cg_wrapper_is_needed(const cg_type *element) {
    return cg_kind_is_counted(element->kind) || (element->kind == CG_ARRAY && element->element->kind != CG_U8);
}

uint32_t cg_type_depth(const cg_type *type) {
    while (type->element != NULL) type = type->element;
    return type->kind == CG_STRUCT ? type->structure->depth : 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* The one spelling of all that look the same: without spaces of the user's, with aliases resolved. */
static const char *spelling_of(cg_arena *arena, const cg_type *type) {
    const char *const inner = type->element == NULL ? NULL : spelling_of(arena, type->element);
    switch (type->kind) {
    case CG_ENUM: return type->enumeration->name.text;
    case CG_STRUCT: return type->structure->name.text;
    case CG_ARRAY: return cg_arena_format(arena, "[%s; %u]", inner, type->capacity);
    case CG_STRING: return cg_arena_format(arena, "FixedStr<%u>", type->capacity);
    case CG_BYTES: return cg_arena_format(arena, "bytes<%u>", type->capacity);
    case CG_VECTOR: return cg_arena_format(arena, "FixedVec<%s, %u>", inner, type->capacity);
    default: return cg_kind_name(type->kind);
    }
}

/* "fixed_vec_4_u16". */
static const char *snake_of(cg_arena *arena, const cg_type *type) {
    const char *const inner = type->element == NULL ? NULL : snake_of(arena, type->element);
    const cg_name *declared = NULL;
    switch (type->kind) {
    case CG_ENUM: declared = &type->enumeration->name; break;
    case CG_STRUCT: declared = &type->structure->name; break;
    case CG_ARRAY: return cg_arena_format(arena, "array_%u_%s", type->capacity, inner);
    case CG_STRING: return cg_arena_format(arena, "fixed_str_%u", type->capacity);
    case CG_BYTES: return cg_arena_format(arena, "bytes_%u", type->capacity);
    case CG_VECTOR: return cg_arena_format(arena, "fixed_vec_%u_%s", type->capacity, inner);
    default: return cg_kind_name(type->kind);
    }
    /* What is no name was reported, and nothing will be generated. */
    return declared->snake == NULL ? declared->text : declared->snake;
}

static cg_name name_of(cg_arena *arena, const cg_type *type, const char *spelling) {
    const char *const snake = snake_of(arena, type);
    char *const upper = cg_arena_text(arena, snake);
    for (char *at = upper; *at != '\0'; at++) {
        if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 'a' + 'A');
    }
    return (cg_name){spelling, snake, upper};
}

/* ---- structs ---------------------------------------------------------------------------------------------------- */

static cg_name member_name(cg_kind kind) {
    if (kind == CG_STRING) return (cg_name){"text", "text", "TEXT"};
    if (kind == CG_BYTES) return (cg_name){"bytes", "bytes", "BYTES"};
    return (cg_name){"items", "items", "ITEMS"};
}

/* The text itself, even where it stands behind a key. */
static const cg_node *bare(cg_arena *arena, const cg_node *at) {
    cg_node *const copy = CG_NEW(arena, cg_node);
    *copy = *at;
    copy->key = NULL;
    return copy;
}

static cg_struct *make(cg_builder *b, const cg_type *element, const char *spelling, const cg_node *at) {
    cg_struct *const made = CG_NEW(b->arena, cg_struct);
    cg_field *const field = CG_NEW(b->arena, cg_field);
    made->name = name_of(b->arena, element, spelling);
    made->at = bare(b->arena, at);
    made->is_wrapper = true;
    made->description = cg_arena_format(b->arena, "An element %s.", spelling);
    made->fields = field;
    made->field_count = 1;
    made->depth = 1 + cg_type_depth(element);
    field->name = member_name(element->kind);
    field->type = element;
    field->since = 1;
    field->typical = element->capacity;
    field->at = made->at;
    cg_rules_read(b, field, NULL, false);
    return made;
}

const cg_struct *cg_wrapper_of(cg_builder *builder, const cg_type *element, const cg_node *at) {
    const char *const spelling = spelling_of(builder->arena, element);
    cg_struct *const known = cg_table_find(&builder->wrappers, spelling);
    if (known != NULL) return known;
    cg_struct *const made = make(builder, element, spelling, at);
    if (!cg_layout_struct(builder->arena, made, builder->model->min_compatible)) return NULL;
    cg_struct_find_traits(made);
    cg_table_add(&builder->wrappers, spelling, made);
    cg_struct_add(builder, made);
    return made;
}
