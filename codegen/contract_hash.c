/* The number by which programs see that they were built from one contract: of a canonical text of everything that the
 * wire, the pool or a generated identifier depends on. */
#include "codegen/build.h"
#include "codegen/text.h"
#include "codegen/traits.h"

#include <inttypes.h>

static void add_type(cg_text *out, const cg_type *type) {
    if (type->kind == CG_ENUM)
        cg_text_format(out, "enum %s", type->enumeration->name.text);
    else if (type->kind == CG_STRUCT)
        cg_text_format(out, "type %s", type->structure->name.text);
    else
        cg_text_format(out, "kind %d", (int)type->kind);
    cg_text_format(out, " %u/%u/%u/%u/%u/%d", type->capacity, type->count_size, type->items_offset, type->size,
                   type->align, type->is_tail);
    if (type->element == NULL) return;
    cg_text_add(out, " of ", 4);
    add_type(out, type->element);
}

static void add_field(cg_text *out, const cg_field *field) {
    cg_text_format(out, " field %s%s since %u at %u bit %d: ", field->name.text, field->is_retired ? " retired" : "",
                   field->since, field->offset, field->is_optional ? (int)field->bit : -1);
    add_type(out, field->type);
    cg_text_add(out, "\n", 1);
}

static void add_struct(cg_text *out, const cg_struct *t) {
    cg_text_format(out, "type %s %u %u grows %d\n", t->name.text, t->size, t->align, t->is_extensible);
    for (size_t i = 0; i < t->group_count; i++) cg_text_format(out, " group %u\n", t->groups[i].end);
    for (size_t i = 0; i < t->field_count; i++) add_field(out, &t->fields[i]);
}

static void add_session(cg_text *out, const cg_message *m) {
    if (cg_message_has_hooks(m)) cg_text_format(out, " hooks\n");
    if (cg_message_has_session(m)) cg_text_format(out, " session %d\n", m->is_required);
    for (size_t i = 0; i < m->field_count; i++) {
        const bool is_monotonic = cg_field_has_rule(&m->fields[i], CG_RULE_MONOTONIC);
        if (is_monotonic) cg_text_format(out, " monotonic %s\n", m->fields[i].name.text);
    }
}

static void add_message(cg_text *out, const cg_message *m) {
    cg_text_format(out, "message %s %u: %u %u %u %u class %u sensitive %d len %d %u\n", m->name.text, m->tlv_type,
                   m->min, m->max, m->accept_min, m->accept_max, m->class_size, m->is_sensitive, m->has_block_len,
                   m->block_len_offset);
    for (size_t i = 0; i < m->group_count; i++) {
        cg_text_format(out, " group %u..%u bitmap %u %u\n", m->groups[i].start, m->groups[i].end,
                       m->groups[i].bitmap_offset, m->groups[i].bitmap_size);
    }
    for (size_t i = 0; i < m->field_count; i++) add_field(out, &m->fields[i]);
    add_session(out, m);
}

static void add_enum(cg_text *out, const cg_enum *e) {
    char digits[CG_NUMBER_TEXT_MAX];
    cg_text_format(out, "enum %s %s open %d\n", e->name.text, cg_kind_name(e->base), e->is_open);
    for (size_t i = 0; i < e->value_count; i++) {
        cg_number_print(&e->values[i].value, digits);
        cg_text_format(out, " %s %s\n", e->values[i].name.text, digits);
    }
}

/* Only where there are any, so that they change nothing for others. */
static void add_hooks(cg_text *out, const cg_model *model) {
    for (size_t i = 0; i < model->hook_count; i++) {
        const cg_hook *hook = model->hooks[i];
        cg_text_format(out, "hook %s %d %d\n", hook->name.text, (int)hook->value, hook->is_declared);
    }
}

uint64_t cg_contract_hash(cg_arena *arena, const cg_model *model) {
    cg_text out = {.arena = arena};
    cg_text_format(&out, "bufpool contract 1\nschema %s %u %u %u\n", model->name.text, model->id, model->version,
                   model->min_compatible);
    cg_text_format(&out, "pool %s %" PRIu64 " %" PRIu64 "\n", model->strategy, model->idle_bytes_per_class,
                   model->memory_limit);
    for (size_t i = 0; i < model->class_count; i++) cg_text_format(&out, "class %u\n", model->classes[i].size);
    for (size_t i = 0; i < model->range_count; i++) {
        cg_text_format(&out, "range %u-%u %d\n", model->ranges[i].first, model->ranges[i].last,
                       (int)model->ranges[i].unknown);
    }
    for (size_t i = 0; i < model->enum_count; i++) add_enum(&out, &model->enums[i]);
    for (size_t i = 0; i < model->struct_count; i++) add_struct(&out, model->structs[i]);
    for (size_t i = 0; i < model->message_count; i++) add_message(&out, model->by_type[i]);
    add_hooks(&out, model);
    for (size_t i = 0; i < model->retired_count; i++) {
        cg_text_format(&out, "retired %s %u\n", model->retired[i].name.text, model->retired[i].tlv_type);
    }
    const uint64_t hash = cg_hash(CG_HASH_START, out.data, out.length);
    return hash == 0 ? 1 : hash;
}
