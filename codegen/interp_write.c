/* Values written in the one way in which the current version can be written. */
#include "codegen/interp.h"
#include "codegen/layout.h"

#include <string.h>

typedef struct writer {
    const cg_message *message;
    const cg_datum *fields; /* in declared order */
    uint32_t *begins;       /* by the field's index: where its tail begins */
    uint8_t *bytes;         /* zero where nothing was written yet */
    const cg_field *field;  /* the message's field that is being written */
    cg_fault fault;         /* the first BOUND, else the first MALFORMED */
} writer;

static void note(writer *w, cg_fault_kind kind, uint32_t offset) {
    const bool is_worse = w->fault.kind == CG_FAULT_MALFORMED && kind == CG_FAULT_BOUND;
    if (w->fault.kind != CG_FAULT_NONE && !is_worse) return;
    w->fault = (cg_fault){.kind = kind, .offset = offset, .field = w->field};
}

static void store(writer *w, uint32_t offset, uint64_t value, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) w->bytes[offset + i] = (uint8_t)(value >> 8 * i);
}

static bool is_written(const cg_field *field, const cg_datum *datum) {
    return !field->is_retired && (!field->is_optional || datum->is_present);
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static void write_datum(writer *w, uint32_t offset, const cg_datum *datum);

static bool is_writable(const cg_datum *leaf, uint32_t ix) {
    const cg_enum *enumeration = cg_leaf_enum(leaf->type);
    const cg_number number = cg_leaf_number(leaf, ix);
    if (enumeration != NULL) return enumeration->is_open || cg_enum_find(enumeration, &number) != NULL;
    return cg_leaf_kind(leaf->type) != CG_BOOL || number.limb[0] <= 1;
}

static void write_leaf(writer *w, uint32_t offset, const cg_datum *leaf) {
    const uint32_t size = cg_kind_size(cg_leaf_kind(leaf->type));
    for (uint32_t i = 0; i < leaf->count; i++) {
        if (!is_writable(leaf, i)) note(w, CG_FAULT_MALFORMED, offset + i * size);
    }
    if (leaf->count != 0) memcpy(w->bytes + offset, leaf->bytes, (size_t)leaf->count * size);
}

static void write_row(writer *w, uint32_t offset, const cg_datum *datum) {
    if (cg_type_is_leaf(datum->type)) {
        write_leaf(w, offset, datum);
        return;
    }
    for (uint32_t i = 0; i < datum->count; i++) {
        write_datum(w, offset + i * datum->type->element_stride, &datum->items[i]);
    }
}

static void write_inline(writer *w, uint32_t offset, const cg_datum *datum) {
    const cg_type *type = datum->type;
    if (datum->count > type->capacity) {
        note(w, CG_FAULT_BOUND, offset);
        return;
    }
    store(w, offset, datum->count, type->count_size);
    write_row(w, offset + type->items_offset, datum);
}

static void write_datum(writer *w, uint32_t offset, const cg_datum *datum) {
    const cg_type *type = datum->type;
    for (uint32_t i = 0; type->kind == CG_STRUCT && i < datum->count; i++) {
        write_datum(w, offset + type->structure->fields[i].offset, &datum->items[i]);
    }
    if (type->kind == CG_STRUCT) return;
    if (cg_kind_is_counted(type->kind))
        write_inline(w, offset, datum);
    else
        write_row(w, offset, datum);
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

/* Gives every tail its place; returns the bytes of the whole value. */
static uint32_t measure(writer *w) {
    const cg_message *m = w->message;
    uint64_t end = m->block_size;
    for (size_t i = 0; i < m->tail_count; i++) {
        const size_t ix = (size_t)(m->tail[i] - m->fields);
        const cg_type *type = m->tail[i]->type;
        if (!is_written(m->tail[i], &w->fields[ix]) || w->fields[ix].count == 0) continue;
        w->field = m->tail[i];
        if (w->fields[ix].count > type->capacity) {
            note(w, CG_FAULT_BOUND, m->tail[i]->offset);
            return 0;
        }
        w->begins[ix] = (uint32_t)cg_round_up(end, type->element->align);
        end = w->begins[ix] + (uint64_t)w->fields[ix].count * type->element_stride;
    }
    return (uint32_t)end;
}

/* Readers that know the vector want its stride even when it is empty. */
static void write_stride(writer *w) {
    const cg_type *type = w->field->type;
    if (type->has_stride) store(w, w->field->offset + type->stride_offset, type->element_stride, 2);
}

static void write_tail(writer *w, size_t ix) {
    const cg_datum *datum = &w->fields[ix];
    store(w, w->field->offset, datum->count, w->field->type->count_size);
    write_stride(w);
    write_row(w, w->begins[ix], datum);
}

static void write_field(writer *w, size_t ix) {
    const cg_field *field = &w->message->fields[ix];
    const cg_group *group = &w->message->groups[field->group_ix];
    w->field = field;
    if (!is_written(field, &w->fields[ix])) {
        if (field->is_retired && !field->is_optional) write_stride(w);
        return;
    }
    if (field->is_optional) w->bytes[group->bitmap_offset + field->bit / 8] |= (uint8_t)(1u << field->bit % 8);
    if (field->type->is_tail)
        write_tail(w, ix);
    else
        write_datum(w, field->offset, &w->fields[ix]);
}

cg_fault cg_interp_write(cg_arena *arena, const cg_message *message, const cg_datum *fields, const uint8_t **bytes,
                         uint32_t *length) {
    writer w = {.message = message, .fields = fields};
    *bytes = NULL;
    *length = 0;
    w.begins = CG_NEW_ARRAY(arena, uint32_t, message->field_count);
    const uint32_t size = measure(&w);
    if (w.fault.kind != CG_FAULT_NONE) return w.fault;
    w.bytes = cg_arena_alloc(arena, size);
    if (message->has_block_len) store(&w, message->block_len_offset, message->block_size, 2);
    for (size_t i = 0; i < message->field_count; i++) write_field(&w, i);
    if (w.fault.kind != CG_FAULT_NONE) return w.fault;
    *bytes = w.bytes;
    *length = size;
    return w.fault;
}
