#include "tests/support/naive_layout.h"

#include <stdarg.h>

typedef struct extent {
    uint64_t size, align;
} extent;

typedef struct item {
    extent its;
    uint32_t offset; /* where the model has it */
    const char *name;
    bool is_placed;
} item;

typedef struct layout {
    cg_arena *arena;
    const char *difference; /* the first one found */
} layout;

static void expect(layout *l, uint64_t expected, uint64_t found, const char *owner, const char *what) {
    if (expected == found || l->difference != NULL) return;
    l->difference = cg_arena_format(l->arena, "%s: %s is %llu in the model, %llu by the rules", owner, what,
                                    (unsigned long long)found, (unsigned long long)expected);
}

static uint64_t up(uint64_t value, uint64_t align) {
    return value % align == 0 ? value : value + align - value % align;
}

/* ---- types ------------------------------------------------------------------------------------------------------ */

static uint64_t scalar_size(cg_kind kind) {
    switch (kind) {
    case CG_BOOL:
    case CG_U8:
    case CG_I8: return 1;
    case CG_U16:
    case CG_I16: return 2;
    case CG_U32:
    case CG_I32:
    case CG_F32: return 4;
    case CG_U128: return 16;
    case CG_U256: return 32;
    default: return 8;
    }
}

static extent extent_of(const cg_type *type);

static extent counted_extent(const cg_type *type) {
    const extent element = extent_of(type->element);
    const uint64_t stride = up(element.size, element.align);
    if (type->is_tail) {
        const bool may_grow = type->element->kind == CG_STRUCT && type->element->structure->is_extensible;
        const uint64_t width = type->capacity > 65535 ? 4 : 2;
        return (extent){width + (may_grow ? 2 : 0), width};
    }
    const uint64_t width = type->capacity > 65535 ? 4 : type->capacity > 255 ? 2 : 1;
    return (extent){up(width, element.align) + type->capacity * stride, width > element.align ? width : element.align};
}

static extent extent_of(const cg_type *type) {
    extent element;
    uint64_t size;
    switch (type->kind) {
    case CG_STRUCT: return (extent){type->structure->size, type->structure->align}; /* checked before its users */
    case CG_ARRAY:
        element = extent_of(type->element);
        return (extent){type->capacity * up(element.size, element.align), element.align};
    case CG_STRING:
    case CG_BYTES:
    case CG_VECTOR: return counted_extent(type);
    default:
        size = scalar_size(type->kind == CG_ENUM ? type->enumeration->base : type->kind);
        return (extent){size, size > 8 ? 8 : size};
    }
}

/* ---- placing ---------------------------------------------------------------------------------------------------- */

static item *next_item(item *items, size_t count, uint64_t at) {
    item *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (items[i].is_placed || at % items[i].its.align != 0) continue;
        if (best == NULL || items[i].its.align > best->its.align) best = &items[i];
    }
    return best;
}

static bool is_gap(const cg_group *group, uint64_t at) {
    for (size_t i = 0; i < group->gap_count; i++) {
        if (at >= group->gaps[i].offset && at < (uint64_t)group->gaps[i].offset + group->gaps[i].size) return true;
    }
    return false;
}

/* Places all items from the group's start on, byte by byte; the group ends at a multiple of end_align. */
static void place(layout *l, const char *owner, item *items, size_t count, const cg_group *group, uint64_t end_align) {
    uint64_t at = group->start, gap_bytes = 0, known_gap_bytes = 0;
    for (size_t placed = 0; placed < count || at % end_align != 0;) {
        item *next = next_item(items, count, at);
        if (next == NULL) {
            gap_bytes++;
            expect(l, 1, is_gap(group, at++), owner, "whether a byte of padding is a gap");
            continue;
        }
        expect(l, at, next->offset, owner, next->name);
        next->is_placed = true;
        at += next->its.size;
        placed++;
    }
    for (size_t i = 0; i < group->gap_count; i++) known_gap_bytes += group->gaps[i].size;
    expect(l, gap_bytes, known_gap_bytes, owner, "padding of a group");
    expect(l, at, group->end, owner, "the end of a group");
}

/* ---- structs ---------------------------------------------------------------------------------------------------- */

static void check_members(layout *l, const cg_struct *s, const cg_group *group) {
    item *items = CG_NEW_ARRAY(l->arena, item, s->field_count);
    size_t count = 0;
    for (size_t i = 0; i < s->field_count; i++) {
        const cg_field *field = &s->fields[i];
        if (field->since != group->since) continue;
        item *added = &items[count++];
        *added = (item){.its = extent_of(field->type), .offset = field->offset, .name = field->name.text};
        if (added->its.align > s->align) added->its.align = s->align;
    }
    place(l, s->name.text, items, count, group, s->align);
}

static void check_struct(layout *l, const cg_struct *s) {
    uint64_t align = 1, end = 0;
    for (size_t i = 0; i < s->field_count; i++) {
        const uint64_t its = extent_of(s->fields[i].type).align;
        if (s->fields[i].since == s->groups[0].since && its > align) align = its;
    }
    expect(l, align, s->align, s->name.text, "the alignment");
    for (size_t i = 0; i < s->group_count && l->difference == NULL; i++) {
        expect(l, end, s->groups[i].start, s->name.text, "the start of a group");
        check_members(l, s, &s->groups[i]);
        end = s->groups[i].end;
    }
    expect(l, end, s->size, s->name.text, "the size");
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static uint64_t bitmap_size(uint64_t bits) {
    uint64_t size = bits == 0 ? 0 : 1;
    while (8 * size < bits) size *= 2;
    return size;
}

static void check_group(layout *l, const cg_message *m, const cg_group *group, bool has_block_len) {
    item *items = CG_NEW_ARRAY(l->arena, item, m->field_count + 2);
    size_t count = 0;
    uint64_t bits = 0;
    if (has_block_len) items[count++] = (item){.its = {2, 2}, .offset = m->block_len_offset, .name = "block_len"};
    for (size_t i = 0; i < m->field_count; i++) {
        const cg_field *field = &m->fields[i];
        if (field->since != group->since || !field->is_optional) continue;
        expect(l, bits++, field->bit, m->name.text, "the bit of an optional field");
    }
    const uint64_t size = bitmap_size(bits);
    expect(l, size, group->bitmap_size, m->name.text, "the size of a bitmap");
    if (size != 0) items[count++] = (item){.its = {size, size}, .offset = group->bitmap_offset, .name = "a bitmap"};
    for (size_t i = 0; i < m->field_count; i++) {
        const cg_field *field = &m->fields[i];
        if (field->since != group->since) continue;
        items[count++] = (item){.its = extent_of(field->type), .offset = field->offset, .name = field->name.text};
    }
    place(l, m->name.text, items, count, group, 1);
}

/* Whether one tail comes before another: group, then larger alignment, then declaration. */
static bool is_before(const cg_field *left, const cg_field *right) {
    const uint64_t left_align = extent_of(left->type->element).align,
                   right_align = extent_of(right->type->element).align;
    if (left->since != right->since) return left->since < right->since;
    if (left_align != right_align) return left_align > right_align;
    return left < right;
}

static void check_tail(layout *l, const cg_message *m) {
    uint64_t at = m->block_size, count = 0;
    for (size_t i = 0; i < m->field_count; i++) count += m->fields[i].type->is_tail ? 1 : 0;
    expect(l, count, m->tail_count, m->name.text, "the number of tails");
    for (size_t i = 0; i < m->tail_count; i++) {
        const cg_type *type = m->tail[i]->type;
        const extent element = extent_of(type->element);
        if (i != 0) expect(l, 1, is_before(m->tail[i - 1], m->tail[i]), m->name.text, "the order of tails");
        if (!m->tail[i]->is_retired) at = up(at, element.align) + type->capacity * up(element.size, element.align);
    }
    expect(l, m->block_size, m->min, m->name.text, "MIN");
    expect(l, at, m->max, m->name.text, "MAX");
}

static void check_message(layout *l, const cg_message *m, uint32_t min_compatible) {
    uint64_t end = 0, accepted = 0, first_tail = UINT64_MAX;
    for (size_t i = 0; i < m->field_count; i++) {
        const cg_field *field = &m->fields[i];
        if (field->type->is_tail && field->since < first_tail) first_tail = field->since;
    }
    for (size_t i = 0; i < m->group_count && l->difference == NULL; i++) {
        const cg_group *group = &m->groups[i];
        expect(l, end, group->start, m->name.text, "the start of a group");
        check_group(l, m, group, group->since == first_tail);
        end = group->end;
        if (group->since <= min_compatible || i == 0) accepted = end;
    }
    expect(l, end, m->block_size, m->name.text, "the size of the block");
    expect(l, accepted, m->accept_min, m->name.text, "ACCEPT_MIN");
    check_tail(l, m);
}

const char *bpt_layout_difference(cg_arena *arena, const cg_model *model) {
    layout l = {.arena = arena};
    for (size_t i = 0; i < model->struct_count; i++) check_struct(&l, model->structs[i]);
    for (size_t i = 0; i < model->message_count; i++) check_message(&l, &model->messages[i], model->min_compatible);
    return l.difference;
}
