/* Example values and trials as templates of tests see them. */
#include "codegen/emit_map.h"
#include "codegen/example.h"
#include "codegen/traits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const outcomes[] = {
    [CG_OUTCOME_ACCEPTED] = "BP_OK",
    [CG_OUTCOME_BROKEN] = "BP_ERR_RULE",
    [CG_OUTCOME_BOUND] = "BP_ERR_BOUND",
    [CG_OUTCOME_MALFORMED] = "BP_ERR_MALFORMED",
};

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* The name that C has for an end of the kind, or NULL. U256_MAX and the like are defined by the template. */
static const char *extreme_name(const cg_emitter *emitter, cg_kind kind, const cg_number *number) {
    const cg_number most = cg_kind_extreme(kind, true), least = cg_kind_extreme(kind, false);
    const bool is_most = cg_number_compare(number, &most) == 0, is_least = cg_number_compare(number, &least) == 0;
    const bool is_signed = kind >= CG_I8 && kind <= CG_I64, is_wide = kind == CG_U128 || kind == CG_U256;
    if (kind == CG_BOOL || (!is_most && !is_least)) return NULL;
    if (kind == CG_F32) return is_most ? "FLT_MAX" : "-FLT_MAX";
    if (kind == CG_F64) return is_most ? "DBL_MAX" : "-DBL_MAX";
    if (is_least && !is_signed)
        return is_wide ? cg_arena_format(emitter->arena, "U%u_ZERO", 8 * cg_kind_size(kind)) : NULL;
    return cg_arena_format(emitter->arena, "%s%u_%s",
                           is_signed ? "INT"
                           : is_wide ? "U"
                                     : "UINT",
                           8 * cg_kind_size(kind), is_most ? "MAX" : "MIN");
}

static const char *number_text(const cg_emitter *emitter, const cg_type *type, const cg_number *number) {
    const cg_kind kind = cg_type_wire(type);
    const char *const name = extreme_name(emitter, kind, number);
    if (name != NULL) return name;
    cg_literal literal = {.kind = CG_LITERAL_NUMBER, .number = *number, .text = ""};
    if (kind == CG_BOOL) literal = (cg_literal){.kind = CG_LITERAL_BOOL, .is_true = cg_number_u64(number) != 0};
    return cg_emit_literal(emitter, &literal, kind);
}

/* A C expression of the value that an instance has: it depends on `how`, the shape of the instance. */
static const char *some_number(const cg_emitter *emitter, const cg_field *field, const char *least, const char *most) {
    const cg_kind kind = cg_type_wire(field->type);
    if (kind == CG_BOOL) return "!is_small(how)";
    if (!cg_example_is_range(field)) return cg_arena_format(emitter->arena, "is_small(how) ? %s : %s", least, most);
    const char *const print = kind == CG_F32 || kind == CG_F64 ? "real" : cg_kind_print(kind);
    const char *const call = cg_arena_format(emitter->arena, "some_%s(how, %s, %s)", print, least, most);
    const bool is_cast = cg_kind_size(kind) < 8;
    return is_cast ? cg_arena_format(emitter->arena, "(%s)%s", cg_type_c_name(emitter, field->type), call) : call;
}

static void set_number(const cg_emitter *emitter, cg_value *map, const cg_field *field) {
    const cg_number least = cg_example_number(field, false), most = cg_example_number(field, true);
    const char *const least_text = number_text(emitter, field->type, &least);
    const char *const most_text = number_text(emitter, field->type, &most);
    const cg_number zero = cg_number_of(0);
    cg_set_text(emitter->arena, map, "least", least_text);
    cg_set_text(emitter->arena, map, "most", most_text);
    cg_set_text(emitter->arena, map, "absent",
                field->has_default ? cg_emit_literal(emitter, &field->default_value, cg_type_wire(field->type))
                                   : number_text(emitter, field->type, &zero));
    cg_set_text(emitter->arena, map, "some", some_number(emitter, field, least_text, most_text));
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

/* A string literal of any bytes. Three digits each, so that none runs into what follows. */
static const char *quoted(const cg_emitter *emitter, const char *bytes, size_t length) {
    char *const out = cg_arena_alloc(emitter->arena, 4 * length + 3);
    char *at = out;
    *at++ = '"';
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)bytes[i];
        const bool is_plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '?';
        if (is_plain)
            *at++ = (char)c;
        else
            at += snprintf(at, 5, "\\%03o", (unsigned)c);
    }
    *at++ = '"';
    *at = '\0';
    return out;
}

static void set_wording(const cg_emitter *emitter, cg_value *map, const cg_wording *wording) {
    cg_set_text(emitter->arena, map, "head", quoted(emitter, wording->head, wording->head_length));
    cg_set_number(emitter->arena, map, "head_length", wording->head_length);
    cg_set_number(emitter->arena, map, "length", wording->length);
}

static cg_value *emit_wording(const cg_emitter *emitter, const cg_field *field, bool is_most) {
    const cg_wording wording = cg_example_wording(field, is_most);
    cg_value *const map = cg_value_map(emitter->arena);
    set_wording(emitter, map, &wording);
    return map;
}

/* ---- a field ---------------------------------------------------------------------------------------------------- */

static cg_value *emit_trials(const cg_emitter *emitter, const cg_field *field) {
    const cg_trials trials = cg_example_trials(emitter->arena, field);
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < trials.count; i++) {
        const cg_trial *const trial = &trials.items[i];
        cg_value *const map = cg_value_map(emitter->arena);
        cg_set_text(emitter->arena, map, "expected", outcomes[trial->outcome]);
        if (field->type->kind <= CG_ENUM)
            cg_set_text(emitter->arena, map, "value",
                        trial->is_nan ? "NAN" : number_text(emitter, field->type, &trial->number));
        set_wording(emitter, map, &trial->wording);
        cg_append(emitter->arena, list, map);
    }
    return list;
}

static bool is_never_zero(const cg_field *field) {
    for (size_t i = 0; i < field->rule_count; i++) {
        if (field->rules[i].kind == CG_RULE_NOT_ZERO) return true;
    }
    return false;
}

/* Elements have no rules of their own. */
static cg_value *emit_element(const cg_emitter *emitter, const cg_type *type) {
    const cg_field field = {.type = type};
    cg_value *const map = cg_value_map(emitter->arena);
    cg_number unknown;
    if (type->kind > CG_ENUM) return map;
    const bool has_unknown = cg_type_is_closed(type) && cg_example_unknown(type->enumeration, &unknown);
    set_number(emitter, map, &field);
    cg_set_text(emitter->arena, map, "unknown", has_unknown ? number_text(emitter, type, &unknown) : "");
    return map;
}

cg_value *cg_emit_example(const cg_emitter *emitter, const cg_field *field) {
    cg_arena *const arena = emitter->arena;
    const cg_type *const type = field->type;
    cg_value *const map = cg_value_map(arena);
    if (type->kind <= CG_ENUM) set_number(emitter, map, field);
    if (type->kind == CG_STRING || type->kind == CG_BYTES) {
        cg_set(arena, map, "least", emit_wording(emitter, field, false));
        cg_set(arena, map, "most", emit_wording(emitter, field, true));
    }
    if (type->kind == CG_VECTOR) {
        cg_set_number(arena, map, "least", cg_example_count(field, false));
        cg_set_number(arena, map, "most", cg_example_count(field, true));
        cg_set_format(arena, map, "last", "%u", cg_example_count(field, true) - 1);
    }
    if (type->kind == CG_ARRAY) cg_set_format(arena, map, "last", "%u", type->capacity - 1);
    if (type->kind == CG_ARRAY || type->kind == CG_VECTOR)
        cg_set(arena, map, "element", emit_element(emitter, type->element));
    cg_set_flag(arena, map, "is_never_zero", is_never_zero(field));
    cg_set(arena, map, "trials", emit_trials(emitter, field));
    return map;
}

/* ---- places of the block ---------------------------------------------------------------------------------------- */

typedef struct place {
    const char *name;
    uint32_t offset, size, zeros;
    uint64_t refused;
    uint32_t refused_size;
    cg_outcome outcome;
} place;

static void add_place(const cg_emitter *emitter, cg_value *list, const place *p) {
    cg_arena *const arena = emitter->arena;
    cg_value *const map = cg_value_map(arena);
    cg_set_text(arena, map, "text", p->name);
    cg_set_number(arena, map, "offset", p->offset);
    cg_set_number(arena, map, "size", p->size);
    cg_set_number(arena, map, "zeros", p->zeros);
    cg_set_format(arena, map, "refused", "UINT64_C(0x%" PRIx64 ")", p->refused);
    cg_set_number(arena, map, "refused_size", p->refused_size);
    cg_set_text(arena, map, "outcome", outcomes[p->outcome]);
    cg_append(arena, list, map);
}

/* What the field's first bytes may never say: more than the capacity, another bool, an enum's unknown value. */
static void set_refused(place *p, const cg_type *type) {
    const uint64_t countable = (UINT64_C(1) << 8 * type->count_size) - 1;
    cg_number unknown;
    if (cg_kind_is_counted(type->kind) && type->capacity < countable) {
        p->refused = (uint64_t)type->capacity + 1;
        p->refused_size = type->count_size;
        p->outcome = CG_OUTCOME_BOUND;
    } else if (type->kind == CG_BOOL) {
        p->refused = 2;
        p->refused_size = 1;
        p->outcome = CG_OUTCOME_MALFORMED;
    } else if (cg_type_is_closed(type) && cg_example_unknown(type->enumeration, &unknown)) {
        p->refused = unknown.is_negative ? 0 - unknown.limb[0] : unknown.limb[0];
        p->refused_size = type->size;
        p->outcome = CG_OUTCOME_MALFORMED;
    }
}

static void add_field_place(const cg_emitter *emitter, cg_value *list, const cg_field *field) {
    const cg_type *const type = field->type;
    place p = {.name = field->name.text, .offset = field->offset, .size = type->size, .zeros = type->size};
    if (field->is_retired && !type->is_tail) return;
    if (cg_kind_is_counted(type->kind) && !type->is_tail) p.zeros = type->count_size;
    if (field->is_optional && !field->is_retired) p.zeros = 0;
    set_refused(&p, type);
    add_place(emitter, list, &p);
}

static void add_group_places(const cg_emitter *emitter, cg_value *list, const cg_group *group) {
    const uint64_t unknown = cg_group_unknown_bits(group);
    for (size_t i = 0; i < group->placed_count; i++) add_field_place(emitter, list, group->placed[i]);
    for (size_t i = 0; i < group->gap_count; i++) {
        add_place(emitter, list, &(place){"padding", .offset = group->gaps[i].offset, .size = group->gaps[i].size});
    }
    if (group->bitmap_size == 0 || unknown == 0) return;
    add_place(emitter, list,
              &(place){"presence bits", group->bitmap_offset, group->bitmap_size, group->bitmap_size, unknown,
                       group->bitmap_size, CG_OUTCOME_MALFORMED});
}

/* ---- what other versions write otherwise ------------------------------------------------------------------------ */

static void add_loose(const cg_emitter *emitter, cg_value *list, const char *name, uint32_t first_bit, uint32_t count,
                      bool is_ignored) {
    cg_arena *const arena = emitter->arena;
    cg_value *const map = cg_value_map(arena);
    cg_set_text(arena, map, "text", name);
    cg_set_number(arena, map, "first_bit", first_bit);
    cg_set_number(arena, map, "bit_count", count);
    cg_set_flag(arena, map, "is_ignored", is_ignored);
    cg_append(arena, list, map);
}

static void add_field_loose(const cg_emitter *emitter, cg_value *list, const cg_group *group, const cg_field *field) {
    const cg_type *const type = field->type;
    const char *const name = field->name.text;
    if (field->is_retired) add_loose(emitter, list, name, 8 * field->offset, 8 * type->size, !type->is_tail);
    if (field->is_retired && field->is_optional)
        add_loose(emitter, list, name, 8 * group->bitmap_offset + field->bit, 1, true);
    if (!field->is_retired && type->has_stride)
        add_loose(emitter, list, name, 8 * (field->offset + type->stride_offset), 16, false);
}

/* Where the u16 of an extensible vector lies, and what it may say. */
static void add_stride(const cg_emitter *emitter, cg_value *list, const cg_field *field) {
    cg_arena *const arena = emitter->arena;
    const cg_struct *const structure = field->type->element->structure;
    cg_value *const map = cg_value_map(arena);
    cg_set_text(arena, map, "text", field->name.text);
    cg_set_text(arena, map, "type_name", structure->name.snake);
    cg_set_number(arena, map, "offset", field->offset + field->type->stride_offset);
    cg_set_number(arena, map, "size", structure->size);
    cg_set_number(arena, map, "align", structure->align);
    cg_append(arena, list, map);
}

/* ---- hooks and presence ----------------------------------------------------------------------------------------- */

static uint64_t type_values(const cg_type *type, const cg_hook *hook);

/* How many values of a large instance's field the hook is shown, those inside of it too. */
static uint64_t field_values(const cg_field *field, const cg_hook *hook) {
    uint64_t count = 0;
    if (field->is_retired) return 0;
    for (size_t i = 0; i < field->rule_count; i++) count += field->rules[i].hook == hook;
    if (!cg_type_has_hooks(field->type)) return count;
    const uint64_t inside = type_values(field->type, hook);
    return count + (field->type->kind == CG_VECTOR ? cg_example_count(field, true) * inside : inside);
}

/* The same of one value of the type; of a vector, of each element. */
static uint64_t type_values(const cg_type *type, const cg_hook *hook) {
    uint64_t count = 0;
    if (type->kind == CG_VECTOR) return type_values(type->element, hook);
    if (type->kind == CG_ARRAY) return type->capacity * type_values(type->element, hook);
    if (type->kind != CG_STRUCT) return 0;
    for (size_t i = 0; i < type->structure->field_count; i++) {
        count += field_values(&type->structure->fields[i], hook);
    }
    return count;
}

/* The hooks that judge the message, each with the first field that it is shown. */
static cg_value *emit_hook_uses(const cg_emitter *emitter, const cg_message *message) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < emitter->model->hook_count; i++) {
        const cg_hook *const hook = emitter->model->hooks[i];
        const cg_field *first = NULL;
        uint64_t total = 0;
        for (size_t k = message->field_count; k-- > 0;) {
            const uint64_t count = field_values(&message->fields[k], hook);
            if (count != 0) first = &message->fields[k];
            total += count;
        }
        if (first == NULL) continue;
        cg_value *const map = cg_value_map(emitter->arena);
        cg_set_text(emitter->arena, map, "name", hook->name.snake);
        cg_set_text(emitter->arena, map, "field", first->name.text);
        cg_set_number(emitter->arena, map, "count", total);
        cg_append(emitter->arena, list, map);
    }
    return list;
}

static void set_presence(const cg_emitter *emitter, cg_value *map, const cg_message *message) {
    bool has_optional = false, has_evolved = false;
    for (size_t i = 0; i < message->field_count; i++) {
        const cg_field *const field = &message->fields[i];
        if (field->is_retired) continue;
        has_optional = has_optional || field->is_optional;
        has_evolved = has_evolved || (!field->is_optional && field->group_ix > message->accept_group_ix);
    }
    cg_set_flag(emitter->arena, map, "has_optional", has_optional);
    cg_set_flag(emitter->arena, map, "has_evolved", has_evolved);
}

void cg_set_message_examples(const cg_emitter *emitter, cg_value *map, const cg_message *message) {
    cg_value *const places = cg_value_list(emitter->arena);
    cg_value *const loose = cg_value_list(emitter->arena);
    cg_value *const strides = cg_value_list(emitter->arena);
    for (size_t i = 0; i < message->group_count; i++) {
        const cg_group *const group = &message->groups[i];
        add_group_places(emitter, places, group);
        for (size_t k = 0; k < group->placed_count; k++) {
            const cg_field *const field = group->placed[k];
            add_field_loose(emitter, loose, group, field);
            /* The slot of an absent one has no stride, and an empty value has no optional field. */
            if (field->type->has_stride && !field->is_retired && !field->is_optional)
                add_stride(emitter, strides, field);
        }
    }
    set_presence(emitter, map, message);
    cg_set(emitter->arena, map, "hook_uses", emit_hook_uses(emitter, message));
    cg_set(emitter->arena, map, "places", places);
    cg_set(emitter->arena, map, "loose", loose);
    cg_set(emitter->arena, map, "strides", strides);
}
