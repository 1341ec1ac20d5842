/* Types and fields as templates see them. */
#include "codegen/emit_map.h"
#include "codegen/traits.h"

static bool is_byte(const cg_type *type) { return type->kind == CG_U8; }

cg_kind cg_type_wire(const cg_type *type) { return type->kind == CG_ENUM ? type->enumeration->base : type->kind; }

static const char *scalar_c_name(cg_kind kind) {
    static const char *const names[] = {
        [CG_BOOL] = "bool",  [CG_U8] = "uint8_t",   [CG_U16] = "uint16_t", [CG_U32] = "uint32_t", [CG_U64] = "uint64_t",
        [CG_I8] = "int8_t",  [CG_I16] = "int16_t",  [CG_I32] = "int32_t",  [CG_I64] = "int64_t",  [CG_F32] = "float",
        [CG_F64] = "double", [CG_U128] = "bp_u128", [CG_U256] = "bp_u256",
    };
    return names[kind];
}

const char *cg_type_c_name(const cg_emitter *emitter, const cg_type *type) {
    const char *const schema = emitter->model->name.snake;
    switch (type->kind) {
    case CG_ENUM: return cg_arena_format(emitter->arena, "%s_%s", schema, type->enumeration->name.snake);
    case CG_STRUCT: return cg_arena_format(emitter->arena, "%s_%s", schema, type->structure->name.snake);
    case CG_ARRAY:
    case CG_VECTOR: return cg_type_c_name(emitter, type->element);
    case CG_STRING: return "char";
    case CG_BYTES: return "uint8_t";
    default: return scalar_c_name(type->kind);
    }
}

/* ---- maps ------------------------------------------------------------------------------------------------------- */

const char *cg_kind_print(cg_kind kind) {
    static const char *const names[] = {
        [CG_BOOL] = "bool", [CG_F32] = "f32", [CG_F64] = "f64", [CG_U128] = "u128", [CG_U256] = "u256"};
    if (kind >= CG_U8 && kind <= CG_U64) return "unsigned";
    if (kind >= CG_I8 && kind <= CG_I64) return "signed";
    return names[kind];
}

/* What a scalar, enum or struct is called, as a field or as an element. */
static void set_plain(const cg_emitter *emitter, cg_value *map, const cg_type *type) {
    cg_arena *const arena = emitter->arena;
    const bool is_plain = type->kind <= CG_ENUM;
    const char *name = "";
    if (type->kind == CG_STRUCT) name = type->structure->name.snake;
    if (type->kind == CG_ENUM) name = type->enumeration->name.snake;
    cg_set_text(arena, map, "c_type", cg_type_c_name(emitter, type));
    cg_set_text(arena, map, "type_name", name);
    cg_set_text(arena, map, "wire", is_plain ? cg_kind_name(cg_type_wire(type)) : "");
    cg_set_text(arena, map, "print", is_plain ? cg_kind_print(cg_type_wire(type)) : "");
    cg_set_flag(arena, map, "is_enum", type->kind == CG_ENUM);
    cg_set_flag(arena, map, "is_closed", cg_type_is_closed(type));
    cg_set_flag(arena, map, "has_checks", cg_type_has_checks(type));
    cg_set_flag(arena, map, "has_limits", cg_type_has_limits(type));
    cg_set_flag(arena, map, "has_inner_rules", cg_type_has_rules(type));
    cg_set_flag(arena, map, "has_inner_hooks", cg_type_has_hooks(type));
    if (type->kind == CG_ENUM) cg_set(arena, map, "values", cg_emit_enum_values(emitter, type->enumeration));
}

static const char *element_kind(const cg_type *element) {
    if (element->kind == CG_STRUCT) return "struct";
    return element->kind == CG_ARRAY ? "bytes" : "scalar";
}

/* The element of an array or vector: "scalar", "struct", or "bytes" for an array of bytes. */
static cg_value *emit_element(const cg_emitter *emitter, const cg_type *element) {
    cg_value *const map = cg_value_map(emitter->arena);
    set_plain(emitter, map, element);
    cg_set_text(emitter->arena, map, "kind", element_kind(element));
    cg_set_number(emitter->arena, map, "size", element->size);
    cg_set_number(emitter->arena, map, "stride", element->stride);
    cg_set_flag(emitter->arena, map, "is_flat", cg_type_is_flat(element));
    cg_set(emitter->arena, map, "padding",
           cg_type_has_padding_only(element)
               ? cg_emit_gaps(emitter, element->structure->gaps, element->structure->gap_count)
               : cg_value_list(emitter->arena));
    return map;
}

static const char *field_kind(const cg_type *type) {
    switch (type->kind) {
    case CG_STRUCT: return "struct";
    case CG_ARRAY: return is_byte(type->element) ? "blob" : "array";
    case CG_STRING: return "text";
    case CG_BYTES: return "bytes";
    case CG_VECTOR: return "vector";
    default: return "scalar";
    }
}

cg_value *cg_emit_gaps(const cg_emitter *emitter, const cg_gap *gaps, size_t count) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < count; i++) {
        uint32_t left = gaps[i].size;
        for (uint32_t offset = gaps[i].offset; left != 0;) {
            const uint32_t chunk = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
            cg_value *const map = cg_value_map(emitter->arena);
            cg_set_number(emitter->arena, map, "offset", offset);
            cg_set_format(emitter->arena, map, "wire", "u%u", 8 * chunk);
            cg_append(emitter->arena, list, map);
            offset += chunk;
            left -= chunk;
        }
    }
    return list;
}

/* How many elements of an inline vector are read: in a struct all, as unused ones are zeros on the wire. A struct that
 * is returned by value has then no byte that nobody wrote. */
static const char *used_of(const cg_emitter *emitter, const cg_field *field, bool is_message) {
    return is_message ? cg_arena_format(emitter->arena, "out->%s_count", field->name.snake)
                      : cg_arena_format(emitter->arena, "%u", field->type->capacity);
}

bool cg_is_length_first(const cg_field *field) {
    const bool is_text = field->type->kind == CG_STRING || field->type->kind == CG_BYTES;
    return is_text && !field->type->is_tail && !field->is_optional && !field->is_retired;
}

/* Names of counted kinds and arrays: how many there may be, and where they lie. */
static void set_items(const cg_emitter *emitter, cg_value *map, const cg_field *field, bool is_message) {
    cg_arena *const arena = emitter->arena;
    const cg_type *const type = field->type;
    const cg_gap gap = {field->offset + type->count_size, type->items_offset - type->count_size};
    const bool has_gap = !type->is_tail && type->items_offset > type->count_size;
    cg_set_number(arena, map, "capacity", type->capacity);
    cg_set_text(arena, map, "used", used_of(emitter, field, is_message));
    cg_set_number(arena, map, "stride", type->element_stride);
    if (type->has_stride) {
        cg_set_number(arena, map, "stride_at", field->offset + type->stride_offset);
        cg_set_format(arena, map, "step", "view->%s_stride", field->name.snake);
    } else {
        cg_set_number(arena, map, "step", type->element_stride);
    }
    cg_set_number(arena, map, "items_offset", field->offset + type->items_offset);
    cg_set_number(arena, map, "items_bytes", (uint64_t)type->capacity * type->element_stride);
    cg_set(arena, map, "gaps", cg_emit_gaps(emitter, &gap, has_gap ? 1 : 0));
    if (type->element != NULL) {
        cg_set(arena, map, "element", emit_element(emitter, type->element));
        cg_set_number(arena, map, "items_align", type->element->align);
    }
    if (type->count_size != 0) {
        cg_set_format(arena, map, "count_wire", "u%u", 8 * type->count_size);
        cg_set_format(arena, map, "count_type", "uint%u_t", 8 * type->count_size);
        cg_set_text(arena, map, "count_member", type->kind == CG_VECTOR ? "count" : "length");
        cg_set_flag(arena, map, "is_length_first", is_message && cg_is_length_first(field));
    }
}

/* Whether an accepted value may have been written before the field was there. */
static bool is_evolved(const cg_message *message, const cg_field *field) {
    return message != NULL && field->group_ix > message->accept_group_ix;
}

/* Where the field's value begins: in structs relative to `at`, in messages relative to the view's value. */
static void set_slot(const cg_emitter *emitter, cg_value *map, const cg_message *message, const cg_field *field) {
    cg_arena *const arena = emitter->arena;
    const char *const schema = emitter->model->name.snake;
    const bool is_zeros = is_evolved(message, field) && !field->type->is_tail;
    const char *const base = message == NULL ? "at" : "view->value";
    const char *slot = cg_arena_format(arena, "%s + %u", base, field->offset);
    const char *items = slot;
    if (field->type->items_offset != 0)
        items = cg_arena_format(arena, "%s + %u", base, field->offset + field->type->items_offset);
    if (is_zeros) {
        const cg_group *const group = &message->groups[field->group_ix];
        const char *const begin =
            cg_arena_format(arena, "%s_%s_since_%u_(view)", schema, message->name.snake, group->since);
        const uint32_t offset = field->offset - group->start;
        slot = cg_arena_format(arena, "%s + %u", begin, offset);
        items = cg_arena_format(arena, "%s + %u", begin, offset + field->type->items_offset);
    }
    cg_set_text(arena, map, "slot", slot);
    cg_set_text(arena, map, "items", items);
}

/* Presence: the bit of an optional field, the group of an evolved one. */
static void set_presence(const cg_emitter *emitter, cg_value *map, const cg_message *message, const cg_field *field) {
    cg_arena *const arena = emitter->arena;
    const cg_group *const group = message == NULL ? NULL : &message->groups[field->group_ix];
    const bool evolved = is_evolved(message, field);
    cg_set_flag(arena, map, "is_optional", field->is_optional);
    cg_set_flag(arena, map, "is_evolved", evolved);
    cg_set_flag(arena, map, "has_presence", evolved || field->is_optional);
    if (group == NULL) return;
    cg_set_number(arena, map, "group_end", group->end);
    if (!field->is_optional) return;
    cg_set_format(arena, map, "bit", "UINT%u_C(0x%llx)", 8 * group->bitmap_size, 1ull << field->bit);
    cg_set_format(arena, map, "bitmap_wire", "u%u", 8 * group->bitmap_size);
    cg_set_number(arena, map, "bitmap_offset", group->bitmap_offset);
    cg_set_number(arena, map, "bitmap_size", group->bitmap_size);
    cg_set_number(arena, map, "bit_ix", field->bit);
}

static void set_default(const cg_emitter *emitter, cg_value *map, const cg_field *field) {
    cg_arena *const arena = emitter->arena;
    const cg_literal *const literal = &field->default_value;
    const bool has_default = field->has_default && !cg_literal_is_zero(literal);
    cg_set_flag(arena, map, "has_default", has_default);
    if (!has_default) return;
    if (literal->kind == CG_LITERAL_TEXT) {
        cg_set_text(arena, map, "default", literal->text);
        cg_set_number(arena, map, "default_length", literal->text_length);
        return;
    }
    cg_set_text(arena, map, "default", cg_emit_literal(emitter, literal, cg_type_wire(field->type)));
    cg_set_text(arena, map, "initialiser", cg_emit_initialiser(emitter, literal, cg_type_wire(field->type)));
}

/* "Best first (unit: ticks)", or "" when there is nothing to say. */
static const char *field_doc(const cg_emitter *emitter, const cg_field *field) {
    const char *const words = field->description == NULL ? "" : field->description;
    if (field->unit == NULL) return words;
    return cg_arena_format(emitter->arena, "%s%sunit: %s", words, words[0] == '\0' ? "" : "; ", field->unit);
}

/* Whether all of a text's capacity may be read where its rules are checked, and is little enough to be. */
static bool is_padded(const cg_message *message, const cg_field *field) {
    enum { PADDED_MAX = 32 };
    const bool may_be_literal = message != NULL && field->has_default;
    return field->type->kind == CG_STRING && !field->type->is_tail && field->type->capacity <= PADDED_MAX &&
           !may_be_literal;
}

/* What rules call the length of a counted field. */
static const char *const length_names[CG_VECTOR + 1] = {
    [CG_STRING] = "text.length", [CG_BYTES] = "bytes.length", [CG_VECTOR] = "count"};

/* The names that a field's map has, but for what few have: memory of thousands of maps is what emitting costs. */
enum { NAMES_OF_SCALAR = 40, NAMES_OF_ITEMS = 52 };

/* What every field has comes first: names are found sooner where they lie at the same place in all maps. */
cg_value *cg_emit_field(const cg_emitter *emitter, const cg_message *message, const cg_field *field) {
    cg_arena *const arena = emitter->arena;
    const cg_type *const type = field->type;
    const bool has_items = type->capacity != 0 || type->element != NULL;
    cg_value *const map = cg_value_map_for(arena, has_items ? NAMES_OF_ITEMS : NAMES_OF_SCALAR);
    const bool is_bytes = type->kind == CG_STRING || type->kind == CG_BYTES;
    cg_set_text(arena, map, "text", field->name.text);
    cg_set_text(arena, map, "name", field->name.snake);
    cg_set_text(arena, map, "upper", field->name.upper);
    cg_set_text(arena, map, "doc", field_doc(emitter, field));
    cg_set_text(arena, map, "kind", field_kind(type));
    set_plain(emitter, map, type);
    cg_set_number(arena, map, "offset", field->offset);
    cg_set_number(arena, map, "size", type->size);
    cg_set_flag(arena, map, "is_tail", type->is_tail);
    cg_set_flag(arena, map, "is_retired", field->is_retired);
    cg_set_flag(arena, map, "is_extensible", type->has_stride);
    cg_set_flag(arena, map, "is_counted", cg_kind_is_counted(type->kind));
    cg_set_flag(arena, map, "is_pointer", message != NULL && is_bytes && type->capacity > CG_MEMBER_BYTES_MAX);
    cg_set_flag(arena, map, "is_padded", is_padded(message, field));
    cg_set_flag(arena, map, "is_wide", type->kind == CG_U128 || type->kind == CG_U256);
    set_slot(emitter, map, message, field);
    cg_set_text(arena, map, "length", cg_kind_is_counted(type->kind) ? length_names[type->kind] : "");
    cg_set_text(arena, map, "data", type->kind == CG_STRING ? "(const uint8_t *)text.data" : "bytes.data");
    cg_set_format(arena, map, "fail", message == NULL ? "\"%s\"" : "broken(\"%s\", field)", field->name.text);
    cg_set(arena, map, "rules", cg_emit_rules(emitter, field));
    cg_set(arena, map, "hooks", cg_emit_field_hooks(emitter, field));
    cg_set_text(arena, map, "monotonic", cg_emit_monotonic(field));
    if (emitter->has_examples) cg_set(arena, map, "example", cg_emit_example(emitter, field));
    set_presence(emitter, map, message, field);
    set_default(emitter, map, field);
    if (has_items) set_items(emitter, map, field, message != NULL);
    return map;
}
