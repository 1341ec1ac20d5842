/* What belongs to what in two contracts, and whether the bytes of one make sense to the other. */
#include "codegen/compat_pair.h"
#include "codegen/build.h"

#include <stdlib.h>
#include <string.h>

const cg_type *cg_type_unwrapped(const cg_type *type) {
    while (type->kind == CG_STRUCT && type->structure->is_wrapper) type = type->structure->fields[0].type;
    return type;
}

cg_shape cg_shape_of_message(const cg_message *m) {
    return (cg_shape){.message = m,
                      .fields = m->fields,
                      .field_count = m->field_count,
                      .groups = m->groups,
                      .group_count = m->group_count,
                      .accept_group_ix = m->accept_group_ix,
                      .size = m->block_size};
}

static cg_shape shape_of_struct(const cg_struct *t) {
    return (cg_shape){.structure = t,
                      .fields = t->fields,
                      .field_count = t->field_count,
                      .groups = t->groups,
                      .group_count = t->group_count,
                      .accept_group_ix = t->accept_group_ix,
                      .size = t->size};
}

/* ---- partners --------------------------------------------------------------------------------------------------- */

static void find_partners(cg_arena *arena, cg_pair *pair) {
    cg_table names = {.arena = arena};
    pair->now_of = CG_NEW_ARRAY(arena, const cg_field *, pair->before.field_count);
    pair->before_of = CG_NEW_ARRAY(arena, const cg_field *, pair->now.field_count);
    for (size_t i = 0; i < pair->now.field_count; i++) {
        const cg_field *field = &pair->now.fields[i];
        cg_table_add(&names, field->name.text, (void *)(uintptr_t)field);
    }
    for (size_t i = 0; i < pair->now.field_count; i++) {
        const cg_field *field = &pair->now.fields[i];
        if (field->was != NULL) cg_table_add(&names, field->was, (void *)(uintptr_t)field);
    }
    for (size_t i = 0; i < pair->before.field_count; i++) {
        const cg_field *field = &pair->before.fields[i], *found = cg_table_find(&names, field->name.text);
        if (found == NULL || pair->before_of[found - pair->now.fields] != NULL) continue;
        pair->now_of[i] = found;
        pair->before_of[found - pair->now.fields] = field;
    }
}

/* ---- one way ---------------------------------------------------------------------------------------------------- */

/* What its writer puts into a block, in ascending order; retired fields are zeros and not among it. */
typedef struct item {
    uint32_t offset, size;
    const cg_field *field; /* NULL for a bitmap and block_len */
    uint32_t bits;         /* of a bitmap, as far as living fields use it; 0 for block_len */
    bool is_known;         /* the reader reads it as what it is */
} item;

typedef struct flow {
    cg_comparison *c;
    cg_pair *pair;
    cg_way way;
    const cg_shape *writer, *reader;
    item *items;
    size_t item_count;
    uint32_t known_end; /* of what the reader looks at */
} flow;

static const cg_field *reader_of(const flow *f, const cg_field *written) {
    const size_t ix = (size_t)(written - f->writer->fields);
    return f->way == CG_OLD_TO_NEW ? f->pair->now_of[ix] : f->pair->before_of[ix];
}

static const cg_field *writer_of(const flow *f, const cg_field *read) {
    const size_t ix = (size_t)(read - f->reader->fields);
    return f->way == CG_OLD_TO_NEW ? f->pair->before_of[ix] : f->pair->now_of[ix];
}

static void add_item(flow *f, item added) {
    f->items = cg_arena_grow(f->c->arena, f->items, f->item_count, sizeof added);
    f->items[f->item_count++] = added;
}

static int by_offset(const void *left, const void *right) {
    const item *a = left, *b = right;
    return (a->offset > b->offset) - (a->offset < b->offset);
}

/* The highest bit that can be set, and one. */
static uint32_t used_bits(const cg_group *group) {
    uint32_t bits = 0;
    for (size_t i = 0; i < group->placed_count; i++) {
        const cg_field *field = group->placed[i];
        if (field->is_optional && !field->is_retired && field->bit >= bits) bits = field->bit + 1;
    }
    return bits;
}

static void collect_items(flow *f) {
    const cg_message *m = f->writer->message;
    if (m != NULL && m->has_block_len) add_item(f, (item){.offset = m->block_len_offset, .size = 2});
    for (size_t i = 0; i < f->writer->group_count; i++) {
        const cg_group *group = &f->writer->groups[i];
        const uint32_t bits = used_bits(group);
        if (bits != 0) add_item(f, (item){.offset = group->bitmap_offset, .size = group->bitmap_size, .bits = bits});
    }
    for (size_t i = 0; i < f->writer->field_count; i++) {
        const cg_field *field = &f->writer->fields[i];
        if (!field->is_retired) add_item(f, (item){.offset = field->offset, .size = field->type->size, .field = field});
    }
    if (f->item_count > 1) qsort(f->items, f->item_count, sizeof *f->items, by_offset);
}

/* The first written thing that ends behind offset; NULL when nothing does. */
static item *item_at(const flow *f, uint32_t offset) {
    size_t low = 0, high = f->item_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (f->items[middle].offset + f->items[middle].size > offset)
            high = middle;
        else
            low = middle + 1;
    }
    return low == f->item_count ? NULL : &f->items[low];
}

static bool is_zero_there(const flow *f, uint32_t offset, uint32_t size) {
    const item *at = item_at(f, offset);
    return size == 0 || at == NULL || at->offset >= offset + size;
}

/* The written thing that begins there; NULL when there is none. */
static item *item_from(const flow *f, uint32_t offset) {
    item *at = item_at(f, offset);
    return at != NULL && at->offset == offset ? at : NULL;
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

static bool type_is_read(cg_comparison *c, const cg_type *before, const cg_type *now, cg_way way) {
    before = cg_type_unwrapped(before);
    now = cg_type_unwrapped(now);
    if (before->kind == CG_ENUM) return before->enumeration->base == now->enumeration->base;
    if (before->kind == CG_STRUCT) return cg_pair_structs(c, before->structure, now->structure)->is_read[way];
    return before->element == NULL || type_is_read(c, before->element, now->element, way);
}

static bool field_is_read(const flow *f, const cg_field *written, const cg_field *read) {
    const bool is_forth = f->way == CG_OLD_TO_NEW;
    const cg_type *before = is_forth ? written->type : read->type, *now = is_forth ? read->type : written->type;
    if (written->offset != read->offset || written->is_optional != read->is_optional) return false;
    if (written->is_optional && (written->bit != read->bit || f->writer->groups[written->group_ix].bitmap_offset !=
                                                                  f->reader->groups[read->group_ix].bitmap_offset)) {
        return false;
    }
    return cg_types_match(f->c, before, now) && type_is_read(f->c, before, now, f->way);
}

/* Whether a field that its writer does not have reads as it should when its place is zero. */
static bool zero_is_default(const cg_field *field) {
    const cg_rule *broken = NULL;
    const cg_literal *value = &field->default_value;
    const cg_number zero = cg_number_of(0);
    if (field->is_retired || field->is_optional) return true;
    if (cg_field_refusing_zero(field, &broken) != NULL) return false;
    if (!field->has_default) return true;
    if (value->kind == CG_LITERAL_NUMBER) return cg_number_compare(&value->number, &zero) == 0;
    return value->kind == CG_LITERAL_BOOL ? !value->is_true : value->text_length == 0;
}

/* The same for vectors: a stride that only the writer has may lie behind all that the reader knows. */
static bool stride_is_read(const flow *f, const cg_field *written, const cg_field *read) {
    if (written->type->has_stride == read->type->has_stride) return true;
    return written->type->has_stride && read->offset + read->type->size == f->known_end;
}

/* Whether a reader does not look at the field at all. */
static bool is_passed_over(const cg_field *field) { return field->is_retired && !field->type->is_tail; }

/* What a reader with room for more finds behind a value of fixed size. Longer ones than it holds are for it to refuse.
 */
static bool slack_is_zero(const flow *f, const cg_field *written, const cg_field *read) {
    const uint32_t sent = written->type->size, looked_at = read->type->size;
    return looked_at <= sent || is_zero_there(f, written->offset + sent, looked_at - sent);
}

static bool check_field(flow *f, const cg_field *read) {
    const cg_field *written = writer_of(f, read);
    const bool is_known = f->reader->groups[read->group_ix].end <= f->known_end;
    if (is_passed_over(read)) return true;
    if (written != NULL && !written->is_retired) {
        item *at = is_known ? item_from(f, written->offset) : NULL;
        if (at == NULL || at->field != written || !field_is_read(f, written, read)) return false;
        if (!stride_is_read(f, written, read) || !slack_is_zero(f, written, read)) return false;
        at->is_known = true;
        return true;
    }
    if (!is_known) return true;
    return is_zero_there(f, read->offset, read->type->size) && (written != NULL || zero_is_default(read));
}

/* ---- bitmaps, lengths and padding ------------------------------------------------------------------------------- */

static bool check_bitmap(flow *f, const cg_group *group) {
    if (group->bitmap_size == 0 || is_zero_there(f, group->bitmap_offset, group->bitmap_size)) return true;
    item *at = item_from(f, group->bitmap_offset);
    if (at == NULL || at->size != group->bitmap_size || at->field != NULL || at->bits == 0 ||
        at->bits > group->optional_count)
        return false;
    at->is_known = true;
    return true;
}

static bool check_block_len(flow *f) {
    const cg_message *m = f->reader->message;
    if (m == NULL || !m->has_block_len || f->reader->groups[m->block_len_group_ix].end > f->known_end) return true;
    item *at = item_from(f, m->block_len_offset);
    if (at == NULL || at->field != NULL || at->bits != 0) return false;
    at->is_known = true;
    return true;
}

/* The end of the field that the reader passes over there; offset when there is none. */
static uint32_t passed_over(const flow *f, uint32_t offset) {
    for (size_t i = 0; i < f->reader->field_count; i++) {
        const cg_field *field = &f->reader->fields[i];
        const uint32_t end = field->offset + field->type->size;
        if (is_passed_over(field) && field->offset <= offset && offset < end) return end;
    }
    return offset;
}

/* What the reader looks at and does not know must be zero. */
static bool check_rest(const flow *f) {
    for (size_t i = 0; i < f->item_count; i++) {
        const item *at = &f->items[i];
        const uint32_t end = at->offset + at->size < f->known_end ? at->offset + at->size : f->known_end;
        for (uint32_t offset = at->offset, next = 0; offset < end && !at->is_known; offset = next) {
            next = passed_over(f, offset);
            if (next == offset) return false;
        }
    }
    return true;
}

/* Whether a block that long is accepted; known_end is then what of it the reader knows. */
static bool accept_length(flow *f, uint32_t length, uint32_t align) {
    const cg_shape *reader = f->reader;
    f->known_end = reader->size;
    if (length > reader->size) return length % align == 0;
    for (size_t i = 0; i < reader->group_count; i++) {
        if (reader->groups[i].end != length) continue;
        f->known_end = length;
        if (i < reader->accept_group_ix && f->way == CG_OLD_TO_NEW) f->pair->is_refused_as_old = true;
        if (i >= reader->accept_group_ix) return true;
    }
    return false;
}

/* Whether the reader finds out how long the writer's block is. */
static bool accept_message(flow *f) {
    const cg_message *writer = f->writer->message, *reader = f->reader->message;
    const uint32_t length = f->writer->size;
    if (reader->has_block_len && writer->has_block_len) {
        return reader->block_len_offset == writer->block_len_offset && accept_length(f, length, 1);
    }
    if (reader->has_block_len) {
        const bool may_lack = reader->block_len_group_ix > reader->accept_group_ix;
        return (!may_lack || length < reader->block_len_offset + 2) && accept_length(f, length, 1);
    }
    return (!writer->has_block_len || length >= reader->block_size) && accept_length(f, length, 1);
}

static bool accept_struct(flow *f) {
    const cg_struct *writer = f->writer->structure, *reader = f->reader->structure;
    if (writer->align != reader->align) return false;
    /* Where only one of them is extensible, it is for the vector to say whether that matters. */
    if (reader->is_extensible && writer->is_extensible) return accept_length(f, writer->size, reader->align);
    f->known_end = reader->size;
    return writer->size == reader->size;
}

/* ---- tails ------------------------------------------------------------------------------------------------------ */

/* Runs that the reader knows must come in its order, and before those that it does not. */
static bool check_tails(const flow *f) {
    const cg_message *writer = f->writer->message, *reader = f->reader->message;
    size_t next = 0;
    bool is_behind_unknown = false;
    for (size_t i = 0; writer != NULL && i < writer->tail_count; i++) {
        const cg_field *written = writer->tail[i], *read = reader_of(f, written);
        if (written->is_retired) continue;
        if (read == NULL) is_behind_unknown = true;
        if (read == NULL) continue;
        while (next < reader->tail_count && reader->tail[next] != read) next++;
        if (next == reader->tail_count || is_behind_unknown) return false;
        next++;
    }
    return true;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------ */

static bool is_read(cg_comparison *c, cg_pair *pair, cg_way way) {
    flow f = {.c = c, .pair = pair, .way = way};
    bool is_right = true;
    f.writer = way == CG_OLD_TO_NEW ? &pair->before : &pair->now;
    f.reader = way == CG_OLD_TO_NEW ? &pair->now : &pair->before;
    if (!(f.writer->message != NULL ? accept_message(&f) : accept_struct(&f))) return false;
    collect_items(&f);
    for (size_t i = 0; i < f.reader->field_count; i++) is_right = check_field(&f, &f.reader->fields[i]) && is_right;
    for (size_t i = 0; i < f.reader->group_count; i++) {
        if (f.reader->groups[i].end <= f.known_end) is_right = check_bitmap(&f, &f.reader->groups[i]) && is_right;
    }
    return check_block_len(&f) && is_right && check_rest(&f) && check_tails(&f);
}

cg_pair *cg_pair_make(cg_comparison *c, const cg_shape *before, const cg_shape *now) {
    cg_pair *pair = CG_NEW(c->arena, cg_pair);
    pair->before = *before;
    pair->now = *now;
    find_partners(c->arena, pair);
    pair->is_read[CG_OLD_TO_NEW] = is_read(c, pair, CG_OLD_TO_NEW);
    pair->is_read[CG_NEW_TO_OLD] = is_read(c, pair, CG_NEW_TO_OLD);
    return pair;
}

/* Whether two names stand for the same: they are equal, or each is in its own contract alone. */
static bool is_same_thing(const cg_comparison *c, const char *before, const char *now) {
    if (strcmp(before, now) == 0) return true;
    return cg_table_find(&c->names_now, before) == NULL && cg_table_find(&c->names_before, now) == NULL;
}

cg_pair *cg_pair_structs(cg_comparison *c, const cg_struct *before, const cg_struct *now) {
    if (!is_same_thing(c, before->name.text, now->name.text)) return NULL;
    const char *key = cg_arena_format(c->arena, "%s %s", before->name.text, now->name.text);
    cg_pair *pair = cg_table_find(&c->structs, key);
    if (pair != NULL) return pair;
    const cg_shape old_shape = shape_of_struct(before), new_shape = shape_of_struct(now);
    pair = cg_pair_make(c, &old_shape, &new_shape);
    cg_table_add(&c->structs, key, pair);
    c->struct_list = cg_arena_grow(c->arena, c->struct_list, c->struct_count, sizeof pair);
    c->struct_list[c->struct_count++] = pair;
    return pair;
}

cg_enum_pair *cg_pair_enums(cg_comparison *c, const cg_enum *before, const cg_enum *now) {
    if (!is_same_thing(c, before->name.text, now->name.text)) return NULL;
    const char *key = cg_arena_format(c->arena, "%s %s", before->name.text, now->name.text);
    cg_enum_pair *pair = cg_table_find(&c->enums, key);
    if (pair != NULL) return pair;
    pair = CG_NEW(c->arena, cg_enum_pair);
    *pair = (cg_enum_pair){.before = before, .now = now};
    cg_table_add(&c->enums, key, pair);
    c->enum_list = cg_arena_grow(c->arena, c->enum_list, c->enum_count, sizeof pair);
    c->enum_list[c->enum_count++] = pair;
    return pair;
}

/* The same for elements, whose capacity is part of what follows them. */
static bool elements_match(cg_comparison *c, const cg_type *before, const cg_type *now) {
    before = cg_type_unwrapped(before);
    now = cg_type_unwrapped(now);
    return before->capacity == now->capacity && cg_types_match(c, before, now);
}

bool cg_types_match(cg_comparison *c, const cg_type *before, const cg_type *now) {
    before = cg_type_unwrapped(before);
    now = cg_type_unwrapped(now);
    if (before->kind != now->kind || before->is_tail != now->is_tail || before->count_size != now->count_size) {
        return false;
    }
    if (before->kind == CG_ENUM) return cg_pair_enums(c, before->enumeration, now->enumeration) != NULL;
    if (before->kind == CG_STRUCT) return cg_pair_structs(c, before->structure, now->structure) != NULL;
    if (before->kind == CG_ARRAY && before->capacity != now->capacity) return false;
    return before->element == NULL || elements_match(c, before->element, now->element);
}
