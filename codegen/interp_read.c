/* A value's bytes taken apart, in the order in which interp.h says that faults are found. */
#include "codegen/interp.h"
#include "codegen/layout.h"

#include <string.h>

/* Where the elements of a tail field are. */
typedef struct run {
    uint32_t count, stride, begin;
} run;

typedef struct reader {
    cg_arena *arena;
    const cg_message *message;
    const uint8_t *bytes;
    uint32_t length, block_length;
    bool is_current;       /* so far */
    run *runs;             /* by the field's index; of tail fields */
    const cg_field *field; /* the message's field that is being read; NULL between fields */
    cg_fault bound;        /* the first count above its capacity that can be passed over */
    cg_fault malformed;    /* the first byte that no writer writes */
} reader;

static cg_fault fault_of(cg_fault_kind kind, uint32_t offset, const cg_field *field) {
    return (cg_fault){.kind = kind, .offset = offset, .field = field};
}

static void note(reader *r, cg_fault_kind kind, uint32_t offset) {
    cg_fault *first = kind == CG_FAULT_BOUND ? &r->bound : &r->malformed;
    if (first->kind == CG_FAULT_NONE) *first = fault_of(kind, offset, r->field);
}

static void expect_zeros(reader *r, uint32_t offset, uint32_t size) {
    for (uint32_t i = 0; i < size; i++) {
        if (r->bytes[offset + i] != 0) note(r, CG_FAULT_MALFORMED, offset + i);
    }
}

/* ---- block and tails -------------------------------------------------------------------------------------------- */

static bool is_block_end(const cg_message *message, uint32_t end) {
    if (end > message->block_size) return true;
    for (size_t i = message->accept_group_ix; i < message->group_count; i++) {
        if (message->groups[i].end == end) return true;
    }
    return false;
}

/* The length of the block that the writer had. */
static cg_fault find_block(reader *r) {
    const cg_message *m = r->message;
    const uint32_t least = m->groups[m->block_len_group_ix].end; /* of a block that says its own length */
    const bool is_said = m->has_block_len && r->length >= least;
    r->block_length = is_said ? (uint32_t)cg_load_le(r->bytes + m->block_len_offset, 2) : r->length;
    if (is_said && r->block_length < least) return fault_of(CG_FAULT_MALFORMED, m->block_len_offset, NULL);
    if (r->block_length > r->length) return fault_of(CG_FAULT_TRUNCATED, r->length, NULL);
    if (is_block_end(m, r->block_length)) return fault_of(CG_FAULT_NONE, 0, NULL);
    return fault_of(CG_FAULT_MALFORMED, is_said ? m->block_len_offset : r->length, NULL);
}

static bool has_group(const reader *r, size_t group_ix) { return r->block_length >= r->message->groups[group_ix].end; }

/* Strides of the versions of an extensible struct, and what a newer one may have. */
static bool is_stride(const cg_struct *structure, uint32_t stride) {
    if (stride > structure->size) return stride % structure->align == 0;
    for (size_t i = structure->accept_group_ix; i < structure->group_count; i++) {
        if (structure->groups[i].end == stride) return true;
    }
    return false;
}

static bool is_absent(const reader *r, const cg_field *field) {
    const cg_group *group = &r->message->groups[field->group_ix];
    if (!has_group(r, field->group_ix)) return true;
    if (!field->is_optional) return false;
    return (cg_load_le(r->bytes + group->bitmap_offset, group->bitmap_size) >> field->bit & 1) == 0;
}

/* The stride that the writer of a vector of extensible structs had. An absent vector has none, and no elements; of a
 * retired one it matters only when there are elements to pass over. */
static cg_fault find_stride(reader *r, const cg_field *field, run *its) {
    const cg_type *type = field->type;
    const cg_fault none = {.kind = CG_FAULT_NONE};
    const uint32_t at = field->offset + type->stride_offset;
    const bool is_there = field->is_retired ? its->count != 0 : !is_absent(r, field);
    its->stride = type->element_stride;
    if (!type->has_stride) return none;
    if (!is_there) return its->count == 0 ? none : fault_of(CG_FAULT_MALFORMED, field->offset, field);
    its->stride = (uint32_t)cg_load_le(r->bytes + at, 2);
    if (its->stride != type->element_stride) r->is_current = false;
    return is_stride(type->element->structure, its->stride) ? none : fault_of(CG_FAULT_MALFORMED, at, field);
}

/* Finds one tail behind *end, which moves behind it. */
static cg_fault find_run(reader *r, const cg_field *field, uint32_t *end) {
    run *its = &r->runs[field - r->message->fields];
    *its = (run){.begin = *end};
    if (!has_group(r, field->group_ix)) return fault_of(CG_FAULT_NONE, 0, NULL);
    its->count = (uint32_t)cg_load_le(r->bytes + field->offset, field->type->count_size);
    if (its->count > field->type->capacity) return fault_of(CG_FAULT_BOUND, field->offset, field);
    const cg_fault fault = find_stride(r, field, its);
    if (fault.kind != CG_FAULT_NONE || its->count == 0) return fault;
    const uint64_t begin = cg_round_up(*end, field->type->element->align);
    const uint64_t behind = begin + (uint64_t)its->count * its->stride;
    if (behind > r->length) return fault_of(CG_FAULT_TRUNCATED, r->length, field);
    expect_zeros(r, *end, (uint32_t)begin - *end);
    its->begin = (uint32_t)begin;
    *end = (uint32_t)behind;
    return fault;
}

static cg_fault find_runs(reader *r) {
    uint32_t end = r->block_length;
    r->is_current = r->block_length == r->message->block_size;
    r->runs = CG_NEW_ARRAY(r->arena, run, r->message->field_count);
    for (size_t i = 0; i < r->message->tail_count; i++) {
        const cg_fault fault = find_run(r, r->message->tail[i], &end);
        if (fault.kind != CG_FAULT_NONE) return fault;
    }
    /* Only a newer writer has more behind the tails that are known here. */
    if (end == r->length || r->block_length > r->message->block_size) return fault_of(CG_FAULT_NONE, 0, NULL);
    return fault_of(CG_FAULT_MALFORMED, end, NULL);
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static void read_datum(reader *r, uint32_t offset, cg_datum *out);
static void read_nothing(reader *r, cg_datum *out);

static void check_leaf(reader *r, const cg_datum *leaf, uint32_t offset) {
    const cg_enum *enumeration = cg_leaf_enum(leaf->type);
    const cg_kind kind = cg_leaf_kind(leaf->type);
    const bool is_closed = enumeration != NULL && !enumeration->is_open;
    if (kind != CG_BOOL && !is_closed) return;
    for (uint32_t i = 0; i < leaf->count; i++) {
        const cg_number number = cg_leaf_number(leaf, i);
        const bool is_good = is_closed ? cg_enum_find(enumeration, &number) != NULL : number.limb[0] <= 1;
        if (!is_good) note(r, CG_FAULT_MALFORMED, offset + i * cg_kind_size(kind));
    }
}

static void read_gaps(reader *r, const cg_gap *gaps, size_t count, uint32_t base) {
    for (size_t i = 0; i < count; i++) expect_zeros(r, base + gaps[i].offset, gaps[i].size);
}

/* Which members of a struct a writer with this stride had. */
static bool has_member(const cg_struct *structure, const cg_field *member, uint32_t stride) {
    return !structure->is_extensible || structure->groups[member->group_ix].end <= stride;
}

/* A struct whose writer had stride bytes for it: fewer than are known here, or more. */
static void read_struct(reader *r, uint32_t offset, uint32_t stride, cg_datum *out) {
    const cg_struct *structure = out->type->structure;
    out->count = (uint32_t)structure->field_count;
    out->items = CG_NEW_ARRAY(r->arena, cg_datum, structure->field_count);
    for (size_t i = 0; i < structure->field_count; i++) {
        const cg_field *member = &structure->fields[i];
        out->items[i] = (cg_datum){.type = member->type, .field = member, .is_present = true};
        if (has_member(structure, member, stride))
            read_datum(r, offset + member->offset, &out->items[i]);
        else
            read_nothing(r, &out->items[i]);
    }
    if (!structure->is_extensible) read_gaps(r, structure->gaps, structure->gap_count, offset);
    for (size_t i = 0; structure->is_extensible && i < structure->group_count; i++) {
        const cg_group *group = &structure->groups[i];
        if (group->end <= stride) read_gaps(r, group->gaps, group->gap_count, offset);
    }
}

/* out->count elements that begin at offset. */
static void read_row(reader *r, uint32_t offset, uint32_t stride, cg_datum *out) {
    out->bytes = r->bytes + offset;
    if (cg_type_is_leaf(out->type)) {
        check_leaf(r, out, offset);
        return;
    }
    out->items = CG_NEW_ARRAY(r->arena, cg_datum, out->count);
    for (uint32_t i = 0; i < out->count; i++) {
        cg_datum *item = &out->items[i];
        const uint32_t at = offset + i * stride;
        *item = (cg_datum){.type = out->type->element, .offset = at, .size = stride, .is_present = true};
        if (item->type->kind == CG_STRUCT)
            read_struct(r, at, stride, item);
        else
            read_datum(r, at, item);
    }
}

static void read_inline(reader *r, uint32_t offset, cg_datum *out) {
    const cg_type *type = out->type;
    const uint64_t count = cg_load_le(r->bytes + offset, type->count_size);
    if (count > type->capacity) note(r, CG_FAULT_BOUND, offset);
    out->count = count > type->capacity ? type->capacity : (uint32_t)count;
    const uint32_t used = out->count * type->element_stride, all = type->capacity * type->element_stride;
    expect_zeros(r, offset + type->count_size, type->items_offset - type->count_size);
    expect_zeros(r, offset + type->items_offset + used, all - used);
    read_row(r, offset + type->items_offset, type->element_stride, out);
}

/* The value of a type that has its place, all of it, at offset. */
static void read_datum(reader *r, uint32_t offset, cg_datum *out) {
    const cg_type *type = out->type;
    out->offset = offset;
    out->size = type->size;
    if (type->kind == CG_STRUCT) {
        read_struct(r, offset, type->size, out);
    } else if (cg_kind_is_counted(type->kind)) {
        read_inline(r, offset, out);
    } else {
        out->count = type->kind == CG_ARRAY ? type->capacity : 1;
        read_row(r, offset, type->element_stride, out);
    }
}

/* ---- what nobody said ------------------------------------------------------------------------------------------- */

/* A number or bool as it lies on the wire. */
static const uint8_t *literal_bytes(cg_arena *arena, const cg_literal *literal, cg_kind kind) {
    const uint32_t size = cg_kind_size(kind);
    uint8_t *bytes = cg_arena_alloc(arena, size);
    uint64_t limb[4];
    memcpy(limb, literal->number.limb, sizeof limb);
    if (literal->kind == CG_LITERAL_BOOL) limb[0] = literal->is_true ? 1 : 0;
    if (literal->number.is_negative) limb[0] = 0 - limb[0];
    if (kind == CG_F32 || kind == CG_F64) {
        const double value = cg_number_real(&literal->number);
        const float single = (float)value;
        uint32_t half;
        memcpy(&half, &single, sizeof half);
        memcpy(&limb[0], &value, sizeof value);
        if (kind == CG_F32) limb[0] = half;
    }
    for (uint32_t i = 0; i < size; i++) bytes[i] = (uint8_t)(limb[i / 8] >> 8 * (i % 8));
    return bytes;
}

/* The default, or what zeros are read as. Faults of zeros are nobody's: there are no such bytes in the value. */
static void read_nothing(reader *r, cg_datum *out) {
    const cg_type *type = out->type;
    reader zeros = {.arena = r->arena, .bytes = NULL};
    out->is_present = false;
    if (out->field->has_default) {
        const cg_literal *literal = &out->field->default_value;
        const bool is_text = literal->kind == CG_LITERAL_TEXT;
        out->count = is_text ? (uint32_t)literal->text_length : 1;
        out->bytes = is_text ? (const uint8_t *)literal->text : literal_bytes(r->arena, literal, cg_leaf_kind(type));
    } else if (!type->is_tail) {
        zeros.bytes = cg_arena_alloc(r->arena, type->size);
        read_datum(&zeros, 0, out);
    }
    out->offset = out->size = 0;
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

static void read_tail(reader *r, cg_datum *out) {
    const run *its = &r->runs[out->field - r->message->fields];
    out->offset = out->field->offset;
    out->size = out->type->size;
    out->count = its->count;
    out->tail_offset = its->begin;
    out->tail_size = its->count * its->stride;
    read_row(r, its->begin, its->stride, out);
}

/* An absent field's slot is zero; so its tail is empty, and if it is not, faults inside are still found. */
static void read_absent(reader *r, cg_datum *out) {
    const cg_field *field = out->field;
    if (has_group(r, field->group_ix) && !field->is_retired) {
        expect_zeros(r, field->offset, field->type->size);
        if (field->type->is_tail) read_tail(r, out);
    }
    *out = (cg_datum){.type = field->type, .field = field};
    read_nothing(r, out);
}

static void read_field(reader *r, const cg_field *field, cg_datum *out) {
    *out = (cg_datum){.type = field->type, .field = field, .is_present = true};
    r->field = field;
    if (field->is_retired || is_absent(r, field))
        read_absent(r, out);
    else if (field->type->is_tail)
        read_tail(r, out);
    else
        read_datum(r, field->offset, out);
    r->field = NULL;
}

static void read_group(reader *r, const cg_group *group) {
    read_gaps(r, group->gaps, group->gap_count, 0);
    if (group->bitmap_size == 0 || group->optional_count == 64) return;
    const uint64_t bits = cg_load_le(r->bytes + group->bitmap_offset, group->bitmap_size);
    if (bits >> group->optional_count != 0) note(r, CG_FAULT_MALFORMED, group->bitmap_offset);
}

static void read_content(reader *r, cg_reading *out) {
    const cg_message *m = r->message;
    out->fields = CG_NEW_ARRAY(r->arena, cg_datum, m->field_count);
    for (size_t i = 0; i < m->group_count; i++) {
        if (has_group(r, i)) read_group(r, &m->groups[i]);
    }
    for (size_t i = 0; i < m->field_count; i++) read_field(r, &m->fields[i], &out->fields[i]);
}

cg_fault cg_interp_read(cg_arena *arena, const cg_message *message, const uint8_t *bytes, size_t length,
                        cg_reading *out) {
    reader r = {.arena = arena, .message = message, .bytes = bytes};
    *out = (cg_reading){.message = NULL};
    if (length < message->accept_min) return fault_of(CG_FAULT_TRUNCATED, (uint32_t)length, NULL);
    if (length > message->accept_max) return fault_of(CG_FAULT_BOUND, message->accept_max, NULL);
    r.length = (uint32_t)length;
    cg_fault fault = find_block(&r);
    if (fault.kind == CG_FAULT_NONE) fault = find_runs(&r);
    if (fault.kind != CG_FAULT_NONE) return fault;
    cg_reading reading = {.message = message, .bytes = bytes, .length = r.length};
    reading.block_length = r.block_length;
    reading.is_current = r.is_current;
    read_content(&r, &reading);
    if (r.bound.kind != CG_FAULT_NONE) return r.bound;
    if (r.malformed.kind != CG_FAULT_NONE) return r.malformed;
    *out = reading;
    return r.malformed;
}
