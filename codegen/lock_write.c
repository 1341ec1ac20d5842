/* The model as lines of contracts.lock: always the same for the same wire, whatever the contract's own order. */
#include "codegen/lock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- types and fields ------------------------------------------------------------------------------------------- */

static const cg_type *unwrapped(const cg_type *type) {
    return type->kind == CG_STRUCT && type->structure->is_wrapper ? type->structure->fields[0].type : type;
}

void cg_lock_spell(cg_text *out, const cg_type *given) {
    const cg_type *type = unwrapped(given);
    switch (type->kind) {
    case CG_ENUM: cg_text_format(out, "%s", type->enumeration->name.text); break;
    case CG_STRUCT: cg_text_format(out, "%s", type->structure->name.text); break;
    case CG_STRING: cg_text_format(out, "String<%u>", type->capacity); break;
    case CG_BYTES: cg_text_format(out, "bytes<%u>", type->capacity); break;
    case CG_ARRAY:
    case CG_VECTOR:
        cg_text_format(out, "%s", type->kind == CG_ARRAY ? "[" : "Vec<");
        cg_lock_spell(out, type->element);
        cg_text_format(out, type->kind == CG_ARRAY ? ";%u]" : ",%u>", type->capacity);
        break;
    default: cg_text_format(out, "%s", cg_kind_name(type->kind)); break;
    }
}

static void add_field(cg_text *out, const cg_field *field) {
    const cg_type *type = field->type;
    cg_text_format(out, "  %s ", field->name.text);
    cg_lock_spell(out, type);
    cg_text_format(out, " at %u size %u", field->offset, type->size);
    if (type->count_size != 0) cg_text_format(out, " count %u", type->count_size);
    if (type->is_tail) cg_text_format(out, " tail");
    if (field->is_optional) cg_text_format(out, " bit %u", field->bit);
    cg_text_format(out, "%s\n", field->is_retired ? " retired" : "");
}

/* As the fields stand in their message or type, which is an order of their addresses. */
static int by_declaration(const void *left, const void *right) {
    const cg_field *a = *(const cg_field *const *)left, *b = *(const cg_field *const *)right;
    return (a > b) - (a < b);
}

static void add_fields(cg_text *out, const cg_field *const *placed, size_t count) {
    const cg_field **ordered = CG_NEW_ARRAY(out->arena, const cg_field *, count);
    for (size_t i = 0; i < count; i++) ordered[i] = placed[i];
    if (count > 1) qsort(ordered, count, sizeof *ordered, by_declaration);
    for (size_t i = 0; i < count; i++) add_field(out, ordered[i]);
}

static void add_groups(cg_text *out, const cg_group *groups, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const cg_group *group = &groups[i];
        cg_text_format(out, " group %u ends %u", group->since, group->end);
        if (group->bitmap_size != 0) cg_text_format(out, " bitmap %u at %u", group->bitmap_size, group->bitmap_offset);
        cg_text_add(out, "\n", 1);
        add_fields(out, group->placed, group->placed_count);
    }
}

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static void add_enum(cg_text *out, const cg_enum *e) {
    char digits[CG_NUMBER_TEXT_MAX];
    cg_text_format(out, "enum %s %s %s\n", e->name.text, cg_kind_name(e->base), e->is_open ? "open" : "closed");
    for (size_t i = 0; i < e->value_count; i++) {
        cg_number_print(&e->values[i].value, digits);
        cg_text_format(out, " %s %s\n", e->values[i].name.text, digits);
    }
}

static void add_struct(cg_text *out, const cg_struct *t) {
    const cg_group whole = {.since = 1, .end = t->size, .placed = t->placed, .placed_count = t->field_count};
    cg_text_format(out, "type %s align %u%s\n", t->name.text, t->align, t->is_extensible ? " extensible" : "");
    add_groups(out, t->groups != NULL ? t->groups : &whole, t->groups != NULL ? t->group_count : 1);
}

static void add_message(cg_text *out, const cg_message *m) {
    cg_text_format(out, "message %s %u", m->name.text, m->tlv_type);
    if (m->has_block_len) cg_text_format(out, " block_len %u", m->block_len_offset);
    cg_text_add(out, "\n", 1);
    add_groups(out, m->groups, m->group_count);
}

/* ---- what messages use ------------------------------------------------------------------------------------------ */

/* Enums and structs that fields use, by name; wrappers are looked through. */
static void mark_type(cg_table *used, const cg_type *type);

static void mark_fields(cg_table *used, const cg_field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) mark_type(used, fields[i].type);
}

static void mark_type(cg_table *used, const cg_type *type) {
    if (type->element != NULL) mark_type(used, type->element);
    if (type->kind == CG_ENUM) cg_table_add(used, type->enumeration->name.text, (void *)(uintptr_t)type->enumeration);
    if (type->kind != CG_STRUCT) return;
    cg_struct *t = (cg_struct *)(uintptr_t)type->structure;
    if (cg_table_find(used, t->name.text) != NULL) return;
    cg_table_add(used, t->name.text, t);
    mark_fields(used, t->fields, t->field_count);
}

/* ---- what differs ----------------------------------------------------------------------------------------------- */

typedef struct collector {
    cg_arena *arena;
    const cg_lock *lock;
    cg_lock_line *items;
    size_t count;
} collector;

static bool is_same(const cg_lock *lock, const cg_lock_entry *standing, const cg_text *text) {
    const char *at = text->data;
    if (standing == NULL) return false;
    /* Line by line, as the lock's own line ends may be others. */
    for (uint32_t line = cg_source_line(lock->source, standing->lines.start);; line++) {
        const cg_span span = cg_source_line_span(lock->source, line);
        const size_t length = span.end - span.start;
        if (span.start >= standing->lines.end) return at == text->data + text->length;
        if ((size_t)(text->data + text->length - at) < length + 1) return false;
        if (memcmp(at, lock->source->text + span.start, length) != 0 || at[length] != '\n') return false;
        at += length + 1;
        if (line + 1 == lock->source->line_count) return at == text->data + text->length;
    }
}

static void collect(collector *c, cg_text *text, const cg_lock_entry *standing, const char *name, const cg_node *at) {
    if (c->lock != NULL && is_same(c->lock, standing, text)) return;
    c->items = cg_arena_grow(c->arena, c->items, c->count, sizeof *c->items);
    c->items[c->count++] = (cg_lock_line){cg_text_end(text), text->length, standing, name, at};
}

static void collect_enums(collector *c, const cg_model *model, const cg_table *used) {
    for (size_t i = 0; i < model->enum_count; i++) {
        const cg_enum *e = &model->enums[i];
        cg_text text = {.arena = c->arena};
        if (cg_table_find(used, e->name.text) == NULL) continue;
        add_enum(&text, e);
        collect(c, &text, c->lock == NULL ? NULL : cg_table_find(&c->lock->enums, e->name.text), e->name.text, e->at);
    }
}

static void collect_structs(collector *c, const cg_model *model, const cg_table *used) {
    for (size_t i = 0; i < model->struct_count; i++) {
        const cg_struct *t = model->structs[i];
        cg_text text = {.arena = c->arena};
        if (t->is_wrapper || cg_table_find(used, t->name.text) == NULL) continue;
        add_struct(&text, t);
        collect(c, &text, c->lock == NULL ? NULL : cg_table_find(&c->lock->types, t->name.text), t->name.text, t->at);
    }
}

static void collect_messages(collector *c, const cg_model *model) {
    for (size_t i = 0; i < model->message_count; i++) {
        const cg_message *m = model->by_type[i];
        cg_text text = {.arena = c->arena};
        add_message(&text, m);
        collect(c, &text, cg_lock_message(c->lock, m->tlv_type), m->name.text, m->at);
    }
    for (size_t i = 0; i < model->retired_count; i++) {
        const cg_retired *r = &model->retired[i];
        cg_text text = {.arena = c->arena};
        cg_text_format(&text, "retired %s %u\n", r->name.text, r->tlv_type);
        collect(c, &text, cg_lock_message(c->lock, r->tlv_type), r->name.text, r->at);
    }
}

cg_lock_line *cg_lock_changes(cg_arena *arena, const cg_model *model, const cg_lock *lock, size_t *count) {
    collector c = {.arena = arena, .lock = lock};
    cg_table used = {.arena = arena};
    for (size_t i = 0; i < model->message_count; i++) {
        mark_fields(&used, model->messages[i].fields, model->messages[i].field_count);
    }
    collect_enums(&c, model, &used);
    collect_structs(&c, model, &used);
    collect_messages(&c, model);
    *count = c.count;
    return c.items;
}

/* ---- sections --------------------------------------------------------------------------------------------------- */

uint64_t cg_lock_sum_start(uint64_t before) {
    uint8_t bytes[8];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(before >> 8 * i);
    return cg_hash(CG_HASH_START, bytes, sizeof bytes);
}

void cg_lock_sum_print(uint64_t sum, char out[17]) { snprintf(out, 17, "%016" PRIx64, sum); }

void cg_lock_write(cg_text *out, const cg_model *model, const cg_lock *lock, const cg_lock_line *changes,
                   size_t count) {
    char sum[17];
    cg_text_format(out, "\n");
    const size_t start = out->length;
    cg_text_format(out, "version %u %s 0x%08x min_compatible %u\n", model->version, model->own_name, model->id,
                   model->min_compatible);
    for (size_t i = 0; i < count; i++) cg_text_add(out, changes[i].text, changes[i].length);
    cg_lock_sum_print(cg_hash(cg_lock_sum_start(lock == NULL ? 0 : lock->checksum), out->data + start,
                              out->length - start),
                      sum);
    cg_text_format(out, "end %u %s\n", model->version, sum);
}
