/* Enums, structs and messages as templates see them. */
#include "codegen/emit_map.h"
#include "codegen/traits.h"

#include <inttypes.h>
#include <string.h>

static void set_name(const cg_emitter *emitter, cg_value *map, const cg_name *name, const char *description) {
    cg_set_text(emitter->arena, map, "text", name->text);
    cg_set_text(emitter->arena, map, "name", name->snake);
    cg_set_text(emitter->arena, map, "upper", name->upper);
    cg_set_text(emitter->arena, map, "doc", description == NULL ? "" : description);
}

cg_value *cg_emit_enum_values(const cg_emitter *emitter, const cg_enum *enumeration) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < enumeration->value_count; i++) {
        const cg_enum_value *const value = &enumeration->values[i];
        const cg_literal literal = {.kind = CG_LITERAL_NUMBER, .number = value->value};
        cg_value *const map = cg_value_map(emitter->arena);
        set_name(emitter, map, &value->name, value->description);
        cg_set_text(emitter->arena, map, "value", cg_emit_literal(emitter, &literal, enumeration->base));
        cg_append(emitter->arena, list, map);
    }
    return list;
}

cg_value *cg_emit_enum(const cg_emitter *emitter, const cg_enum *enumeration) {
    cg_arena *const arena = emitter->arena;
    const cg_type base = {.kind = enumeration->base};
    cg_value *const map = cg_value_map(arena);
    set_name(emitter, map, &enumeration->name, enumeration->description);
    cg_set_text(arena, map, "base", cg_type_c_name(emitter, &base));
    cg_set_text(arena, map, "print", cg_kind_print(enumeration->base));
    cg_set_flag(arena, map, "is_open", enumeration->is_open);
    cg_set(arena, map, "values", cg_emit_enum_values(emitter, enumeration));
    return map;
}

/* The map that was made for a field of the message; `made` has one for each, retired ones too. */
static const cg_value *field_map(const cg_message *message, const cg_value *made, const cg_field *field) {
    return &made->items[field - message->fields];
}

uint64_t cg_group_unknown_bits(const cg_group *group) {
    const uint64_t width = group->bitmap_size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * group->bitmap_size)) - 1;
    const uint64_t known = group->optional_count == 64 ? UINT64_MAX : (UINT64_C(1) << group->optional_count) - 1;
    return width & ~known;
}

static void set_bitmap(const cg_emitter *emitter, cg_value *map, const cg_group *group) {
    cg_arena *const arena = emitter->arena;
    const uint64_t unknown = cg_group_unknown_bits(group);
    cg_set_flag(arena, map, "has_bitmap", group->bitmap_size != 0);
    if (group->bitmap_size == 0) return;
    cg_set_format(arena, map, "bitmap_wire", "u%u", 8 * group->bitmap_size);
    cg_set_format(arena, map, "bitmap_type", "uint%u_t", 8 * group->bitmap_size);
    cg_set_number(arena, map, "bitmap_offset", group->bitmap_offset);
    cg_set_flag(arena, map, "has_unknown_bits", unknown != 0);
    cg_set_format(arena, map, "unknown_bits", "UINT%u_C(0x%" PRIx64 ")", 8 * group->bitmap_size, unknown);
}

/* Whether some byte of the group can be wrong. What is retired is not looked at. */
static bool group_has_checks(const cg_group *group) {
    bool has_checks = group->gap_count != 0 || cg_group_unknown_bits(group) != 0;
    for (size_t i = 0; i < group->placed_count; i++) {
        const cg_field *const field = group->placed[i];
        if (field->is_retired) continue;
        has_checks = has_checks || field->is_optional || (!field->type->is_tail && cg_type_has_checks(field->type));
    }
    return has_checks;
}

/* Whether a getter reads the group's bytes: tails are found when the view is made. */
static bool group_is_read(const cg_group *group) {
    for (size_t i = 0; i < group->placed_count; i++) {
        if (!group->placed[i]->is_retired && !group->placed[i]->type->is_tail) return true;
    }
    return false;
}

static cg_value *emit_group(const cg_emitter *emitter, const cg_message *message, const cg_value *made, size_t ix) {
    cg_arena *const arena = emitter->arena;
    const cg_group *const group = &message->groups[ix];
    cg_value *const map = cg_value_map(arena);
    cg_value *const placed = cg_value_list(arena);
    cg_value *const optional = cg_value_list(arena);
    for (size_t i = 0; i < group->placed_count; i++) {
        const cg_value *const field = field_map(message, made, group->placed[i]);
        cg_append(arena, placed, field);
        if (group->placed[i]->is_optional && !group->placed[i]->is_retired) cg_append(arena, optional, field);
    }
    cg_set_number(arena, map, "start", group->start);
    cg_set_number(arena, map, "end", group->end);
    cg_set_number(arena, map, "size", group->end - group->start);
    cg_set_number(arena, map, "since", group->since);
    cg_set_flag(arena, map, "has_checks", group_has_checks(group));
    cg_set_flag(arena, map, "is_presence_checked", cg_group_unknown_bits(group) != 0 || optional->count != 0);
    cg_set_flag(arena, map, "is_evolved", ix > message->accept_group_ix);
    cg_set_flag(arena, map, "is_read", group_is_read(group));
    cg_set_flag(arena, map, "has_block_len", message->has_block_len && message->block_len_group_ix == ix);
    cg_set(arena, map, "fields", placed);
    cg_set(arena, map, "optional", optional);
    cg_set(arena, map, "gaps", cg_emit_gaps(emitter, group->gaps, group->gap_count));
    set_bitmap(emitter, map, group);
    return map;
}

/* One version of a struct, with its fields in declared order. */
static cg_value *emit_struct_group(const cg_emitter *emitter, const cg_struct *structure, size_t ix,
                                   const cg_value *fields) {
    const cg_group *const group = &structure->groups[ix];
    cg_value *const map = cg_value_map(emitter->arena);
    cg_set_number(emitter->arena, map, "end", group->end);
    cg_set_flag(emitter->arena, map, "is_evolved", ix > structure->accept_group_ix);
    cg_set_flag(emitter->arena, map, "has_checks", group_has_checks(group));
    cg_set(emitter->arena, map, "fields", fields);
    cg_set(emitter->arena, map, "gaps", cg_emit_gaps(emitter, group->gaps, group->gap_count));
    return map;
}

/* Ends of accepted groups but the last: lengths that an older writer sends. */
static cg_value *emit_older_ends(const cg_emitter *emitter, const cg_group *groups, size_t first, size_t count) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = first; i + 1 < count; i++) {
        cg_append(emitter->arena, list,
                  cg_value_text(emitter->arena, cg_arena_format(emitter->arena, "%u", groups[i].end)));
    }
    return list;
}

static void set_struct_groups(const cg_emitter *emitter, cg_value *map, const cg_struct *structure,
                              const cg_value *made) {
    cg_arena *const arena = emitter->arena;
    cg_value *const groups = cg_value_list(arena);
    cg_value **const fields = CG_NEW_ARRAY(arena, cg_value *, structure->group_count);
    bool is_stride_checked = false;
    for (size_t i = 0; i < structure->group_count; i++) fields[i] = cg_value_list(arena);
    for (size_t i = 0; i < structure->field_count; i++) {
        cg_append(arena, fields[structure->fields[i].group_ix], &made->items[i]);
    }
    for (size_t i = 0; i < structure->group_count; i++) {
        const bool is_evolved = i > structure->accept_group_ix;
        is_stride_checked = is_stride_checked || (is_evolved && group_has_checks(&structure->groups[i]));
        cg_append(arena, groups, emit_struct_group(emitter, structure, i, fields[i]));
    }
    cg_set(arena, map, "groups", groups);
    cg_set(arena, map, "older_ends",
           emit_older_ends(emitter, structure->groups, structure->accept_group_ix, structure->group_count));
    cg_set_flag(arena, map, "is_stride_checked", is_stride_checked);
}

cg_value *cg_emit_struct(const cg_emitter *emitter, const cg_struct *structure) {
    cg_arena *const arena = emitter->arena;
    const cg_type type = {.kind = CG_STRUCT, .structure = structure};
    cg_value *const map = cg_value_map(arena);
    cg_value *const fields = cg_value_list(arena);
    bool has_defaults = false;
    set_name(emitter, map, &structure->name, structure->description);
    cg_set_number(arena, map, "size", structure->size);
    cg_set_number(arena, map, "align", structure->align);
    cg_set_flag(arena, map, "is_extensible", structure->is_extensible);
    cg_set_flag(arena, map, "is_wrapper", structure->is_wrapper);
    cg_set_flag(arena, map, "is_flat", cg_type_is_flat(&type));
    for (size_t i = 0; i < structure->field_count; i++) {
        const cg_field *const field = &structure->fields[i];
        cg_append(arena, fields, cg_emit_field(emitter, NULL, field));
        has_defaults = has_defaults || (field->has_default && !cg_literal_is_zero(&field->default_value));
    }
    cg_set(arena, map, "fields", fields);
    set_struct_groups(emitter, map, structure, fields);
    cg_set(arena, map, "gaps", cg_emit_gaps(emitter, structure->gaps, structure->gap_count));
    cg_set_flag(arena, map, "has_checks", cg_type_has_checks(&type));
    cg_set_flag(arena, map, "has_limits", cg_type_has_limits(&type));
    cg_set_flag(arena, map, "has_rules", cg_type_has_rules(&type));
    cg_set_flag(arena, map, "has_hooks", cg_type_has_hooks(&type));
    cg_set_flag(arena, map, "has_defaults", has_defaults);
    return map;
}

void cg_set_message_sizes(cg_arena *arena, cg_value *map, const cg_message *message) {
    cg_set_number(arena, map, "type", message->tlv_type);
    cg_set_number(arena, map, "min", message->min);
    cg_set_number(arena, map, "max", message->max);
    cg_set_number(arena, map, "accept_min", message->accept_min);
    cg_set_number(arena, map, "accept_max", message->accept_max);
    cg_set_number(arena, map, "class_size", message->class_size);
    cg_set_number(arena, map, "waste", message->waste);
    cg_set_number(arena, map, "block", message->block_size);
}

static void set_sizes(const cg_emitter *emitter, cg_value *map, const cg_message *message) {
    cg_arena *const arena = emitter->arena;
    cg_set_message_sizes(arena, map, message);
    cg_set_number(arena, map, "class_ix", message->class_ix);
    cg_set_flag(arena, map, "has_tail", message->tail_count != 0);
    if (message->tail_count == 0) return;
    cg_set_number(arena, map, "block_len_offset", message->block_len_offset);
    cg_set_number(arena, map, "block_len_end", message->groups[message->block_len_group_ix].end);
    cg_set_flag(arena, map, "may_lack_block_len", message->block_len_group_ix > message->accept_group_ix);
}

/* Whether measuring has more to look at than the counts of tails. */
static bool message_has_limits(const cg_message *message) {
    for (size_t i = 0; i < message->field_count; i++) {
        const cg_type *const type = message->fields[i].type;
        if (message->fields[i].is_retired) continue;
        if (!type->is_tail && cg_type_has_limits(type)) return true;
        if (type->kind == CG_VECTOR && cg_type_has_limits(type->element)) return true;
    }
    return false;
}

static bool message_has_rules(const cg_message *message) {
    for (size_t i = 0; i < message->field_count; i++) {
        if (!message->fields[i].is_retired && cg_field_has_rules(&message->fields[i])) return true;
    }
    return false;
}

static bool message_has_checks(const cg_message *message) {
    for (size_t i = 0; i < message->group_count; i++) {
        if (group_has_checks(&message->groups[i])) return true;
    }
    return false;
}

/* A constant expression: what a message with every tail full takes. */
static const char *full_size(const cg_emitter *emitter, const cg_message *message) {
    const char *size = cg_arena_format(emitter->arena, "%u", message->block_size);
    for (size_t i = 0; i < message->tail_count; i++) {
        const cg_type *const type = message->tail[i]->type;
        if (message->tail[i]->is_retired) continue;
        size = cg_arena_format(emitter->arena, "BPI_ALIGNED(%s, %u) + %s_%s_%s_CAP * %u", size, type->element->align,
                               emitter->model->name.upper, message->name.upper, message->tail[i]->name.upper,
                               type->element_stride);
    }
    return size;
}

static void set_codec(const cg_emitter *emitter, cg_value *map, const cg_message *message) {
    cg_arena *const arena = emitter->arena;
    const int name = (int)(strlen(emitter->model->name.snake) + strlen(message->name.snake));
    const bool has_limits = message_has_limits(message);
    cg_set_flag(arena, map, "has_limits", has_limits);
    cg_set_text(arena, map, "restrict", has_limits || message->tail_count != 0 ? "restrict " : "");
    cg_set_flag(arena, map, "has_checks", message_has_checks(message));
    cg_set_flag(arena, map, "has_rules", message_has_rules(message));
    cg_set_flag(arena, map, "is_large", message->max > CG_MEMBER_BYTES_MAX);
    cg_set_text(arena, map, "full_size", full_size(emitter, message));
    /* What continued parameter lists stand under. */
    cg_set_format(arena, map, "encode_indent", "%*s", name + (int)strlen("BP_NODISCARD bp_err __encode("), "");
    cg_set_format(arena, map, "define_indent", "%*s", name + (int)strlen("bp_err __encode("), "");
    cg_set_format(arena, map, "place_indent", "%*s", name + (int)strlen("BP_NODISCARD bp_err __place("), "");
    cg_set_format(arena, map, "place_define_indent", "%*s", name + (int)strlen("bp_err __place("), "");
    cg_set_format(arena, map, "load_indent", "%*s",
                  (int)(strlen(message->name.snake) + strlen("static inline void _load_all_(")), "");
    cg_set_format(arena, map, "valid_indent", "%*s",
                  name + (int)strlen("BP_NODISCARD bp_err __decode_valid("), "");
    cg_set_format(arena, map, "valid_define_indent", "%*s", name + (int)strlen("bp_err __decode_valid("), "");
    cg_set_format(arena, map, "open_indent", "%*s", name + (int)strlen("static inline bp_err __open_("), "");
}

static void set_fields(const cg_emitter *emitter, cg_value *map, const cg_message *message) {
    cg_arena *const arena = emitter->arena;
    cg_value *const made = cg_value_list(arena);
    cg_value *const fields = cg_value_list(arena);
    cg_value *const lengths_first = cg_value_list(arena);
    cg_value *const runs = cg_value_list(arena);
    cg_value *const tail = cg_value_list(arena);
    cg_value *const copied = cg_value_list(arena);
    cg_value *const groups = cg_value_list(arena);
    const cg_field *const placed = cg_message_placed(message);
    bool has_defaults = false;
    for (size_t i = 0; i < message->field_count; i++) {
        const cg_field *const field = &message->fields[i];
        cg_append(arena, made, cg_emit_field(emitter, message, field));
        if (!field->is_retired) cg_append(arena, fields, &made->items[i]);
        if (cg_is_length_first(field)) cg_append(arena, lengths_first, &made->items[i]);
        has_defaults = has_defaults || (field->has_default && !cg_literal_is_zero(&field->default_value));
    }
    for (size_t i = 0; i < message->tail_count; i++) {
        const cg_value *const field = field_map(message, made, message->tail[i]);
        cg_append(arena, runs, field);
        if (message->tail[i]->is_retired) continue;
        cg_append(arena, tail, field);
        if (message->tail[i] == placed)
            cg_set(arena, map, "placed", field);
        else
            cg_append(arena, copied, field);
    }
    for (size_t i = 0; i < message->group_count; i++) cg_append(arena, groups, emit_group(emitter, message, made, i));
    cg_set(arena, map, "fields", fields);
    cg_set(arena, map, "lengths_first", lengths_first);
    cg_set(arena, map, "runs", runs);
    cg_set(arena, map, "tail", tail);
    cg_set(arena, map, "copied", copied);
    cg_set_flag(arena, map, "has_place", placed != NULL);
    cg_set(arena, map, "groups", groups);
    cg_set_flag(arena, map, "has_defaults", has_defaults);
}

cg_value *cg_emit_message(const cg_emitter *emitter, const cg_message *message) {
    cg_arena *const arena = emitter->arena;
    cg_value *const map = cg_value_map(arena);
    set_name(emitter, map, &message->name, message->description);
    cg_set_flag(arena, map, "is_sensitive", message->is_sensitive);
    cg_set_flag(arena, map, "is_redacted", message->is_sensitive || !message->log_payload);
    set_sizes(emitter, map, message);
    set_fields(emitter, map, message);
    set_codec(emitter, map, message);
    cg_set_session(emitter, map, message);
    cg_set(arena, map, "older_ends",
           emit_older_ends(emitter, message->groups, message->accept_group_ix, message->group_count));
    if (emitter->has_examples) cg_set_message_examples(emitter, map, message);
    return map;
}
