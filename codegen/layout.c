#include "codegen/layout.h"
#include "codegen/load.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

uint64_t cg_round_up(uint64_t value, uint32_t align) { return (value + align - 1) & ~(uint64_t)(align - 1); }

/* ---- types ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    uint32_t size;
} scalars[] = {
    [CG_BOOL] = {"bool", 1},  [CG_U8] = {"u8", 1},   [CG_U16] = {"u16", 2}, [CG_U32] = {"u32", 4},
    [CG_U64] = {"u64", 8},    [CG_I8] = {"i8", 1},   [CG_I16] = {"i16", 2}, [CG_I32] = {"i32", 4},
    [CG_I64] = {"i64", 8},    [CG_F32] = {"f32", 4}, [CG_F64] = {"f64", 8}, [CG_U128] = {"u128", 16},
    [CG_U256] = {"u256", 32},
};

const char *cg_kind_name(cg_kind kind) { return cg_kind_is_scalar(kind) ? scalars[kind].name : NULL; }

uint32_t cg_kind_size(cg_kind kind) { return cg_kind_is_scalar(kind) ? scalars[kind].size : 0; }

bool cg_layout_prefers_tail(cg_kind kind, uint32_t capacity) { return kind == CG_VECTOR || capacity > CG_INLINE_MAX; }

static uint32_t count_size(uint32_t capacity, bool is_tail) {
    if (capacity <= UINT8_MAX && !is_tail) return 1;
    return capacity <= UINT16_MAX ? 2 : 4;
}

/* Size of a counted type in the block; the tail's elements are not in it. */
static uint64_t layout_counted(cg_type *type) {
    const uint32_t element_align = type->element->align;
    type->count_size = count_size(type->capacity, type->is_tail);
    type->align = type->count_size;
    type->has_stride = type->is_tail && type->element->kind == CG_STRUCT && type->element->structure->is_extensible;
    type->stride_offset = type->has_stride ? type->count_size : 0;
    if (type->is_tail) return type->count_size + (type->has_stride ? 2 : 0);
    if (element_align > type->align) type->align = element_align;
    type->items_offset = (uint32_t)cg_round_up(type->count_size, element_align);
    return type->items_offset + (uint64_t)type->element_stride * type->capacity;
}

bool cg_layout_type(cg_type *type) {
    uint64_t size = 0;
    if (type->element != NULL) type->element_stride = type->element->stride;
    if (cg_kind_is_scalar(type->kind) || type->kind == CG_ENUM) {
        const cg_kind kind = type->kind == CG_ENUM ? type->enumeration->base : type->kind;
        size = cg_kind_size(kind);
        type->align = size > 8 ? 8 : (uint32_t)size;
    } else if (type->kind == CG_STRUCT) {
        size = type->structure->size;
        type->align = type->structure->align;
    } else if (type->kind == CG_ARRAY) {
        size = (uint64_t)type->element_stride * type->capacity;
        type->align = type->element->align;
    } else {
        size = layout_counted(type);
    }
    type->size = (uint32_t)size;
    type->stride = (uint32_t)cg_round_up(size, type->align);
    return size <= CG_VALUE_MAX && (uint64_t)type->element_stride * type->capacity <= CG_VALUE_MAX;
}

/* ---- placing ---------------------------------------------------------------------------------------------------- */

enum { ALIGNMENTS = 4 }; /* 1, 2, 4, 8: their binary logarithms */

typedef struct item {
    struct item *next;
    uint32_t size;
    uint32_t *offset;      /* where its place is written */
    const cg_field *field; /* NULL for bitmaps and block_len */
} item;

/* Items that wait for a place: one queue per alignment, each in the order in which they were added. */
typedef struct placing {
    cg_arena *arena;
    item *first[ALIGNMENTS], *last[ALIGNMENTS];
    uint64_t at; /* position */
    const cg_field **placed;
    size_t placed_count;
    cg_gap *gaps;
    size_t gap_count;
} placing;

static int log2_of(uint32_t align) { return align == 8 ? 3 : align == 4 ? 2 : align == 2 ? 1 : 0; }

static void add_item(placing *p, uint32_t size, uint32_t align, uint32_t *offset, const cg_field *field) {
    item *added = CG_NEW(p->arena, item);
    const int queue = log2_of(align);
    *added = (item){.size = size, .offset = offset, .field = field};
    *(p->last[queue] == NULL ? &p->first[queue] : &p->last[queue]->next) = added;
    p->last[queue] = added;
}

static void add_gap(placing *p, uint64_t end) {
    if (end == p->at) return;
    p->gaps = cg_arena_grow(p->arena, p->gaps, p->gap_count, sizeof(cg_gap));
    p->gaps[p->gap_count++] = (cg_gap){(uint32_t)p->at, (uint32_t)(end - p->at)};
    p->at = end;
}

/* The queue of the item that goes next; -1 when nothing waits. Where nothing fits, the position moves on. */
static int next_queue(placing *p) {
    int smallest = -1;
    for (int queue = ALIGNMENTS - 1; queue >= 0; queue--) {
        if (p->first[queue] == NULL) continue;
        if ((p->at & ((1u << queue) - 1)) == 0) return queue;
        smallest = queue;
    }
    if (smallest < 0) return -1;
    add_gap(p, cg_round_up(p->at, 1u << smallest));
    return next_queue(p);
}

static void take_first(placing *p, int queue) {
    item *taken = p->first[queue];
    p->first[queue] = taken->next;
    if (taken->next == NULL) p->last[queue] = NULL;
    *taken->offset = (uint32_t)p->at;
    p->at += taken->size;
    if (taken->field != NULL) p->placed[p->placed_count++] = taken->field;
}

/* Places all that waits. False when the end would lie above limit: offsets are then not all set. */
static bool place_all(placing *p, uint64_t limit) {
    for (int queue = next_queue(p); queue >= 0; queue = next_queue(p)) {
        take_first(p, queue);
        if (p->at > limit) return false;
    }
    return true;
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static int by_since(const void *left, const void *right) {
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* One group for each version that has fields, ascending, and an empty one of the first version where that was empty.
 * Returns how many. */
static size_t make_groups(cg_arena *arena, const cg_field *fields, size_t field_count, bool was_empty, cg_group **out) {
    const size_t version_count = field_count + (was_empty ? 1 : 0);
    uint32_t *versions = CG_NEW_ARRAY(arena, uint32_t, version_count);
    cg_group *groups = CG_NEW_ARRAY(arena, cg_group, version_count);
    size_t count = 0;
    for (size_t i = 0; i < field_count; i++) versions[i] = fields[i].since;
    if (was_empty) versions[field_count] = 1;
    qsort(versions, version_count, sizeof *versions, by_since);
    for (size_t i = 0; i < version_count; i++) {
        if (i == 0 || versions[i] != versions[i - 1]) groups[count++].since = versions[i];
    }
    *out = groups;
    return count;
}

/* Every field learns its group, and the group how many it has. */
static void join_groups(cg_field *fields, size_t field_count, cg_group *groups, size_t group_count) {
    for (size_t i = 0; i < field_count; i++) {
        size_t low = 0, high = group_count;
        while (high - low > 1) {
            const size_t middle = low + (high - low) / 2;
            *(groups[middle].since <= fields[i].since ? &low : &high) = middle;
        }
        fields[i].group_ix = low;
        groups[low].placed_count++;
        if (fields[i].is_optional) fields[i].bit = groups[low].optional_count++;
    }
}

/* The first group whose end is accepted: the last one that the version has. */
static size_t accepted_group(const cg_group *groups, size_t count, uint32_t min_compatible) {
    size_t ix = 0;
    for (size_t i = 1; i < count; i++) {
        if (groups[i].since <= min_compatible) ix = i;
    }
    return ix;
}

/* ---- structs ---------------------------------------------------------------------------------------------------- */

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* Each version's fields wait for their own group. None is aligned to more than the struct, which its first version
 * aligns: a larger alignment later would move what is published. */
static placing *queue_members(cg_arena *arena, cg_struct *structure) {
    placing *queues = CG_NEW_ARRAY(arena, placing, structure->group_count);
    for (size_t i = 0; i < structure->group_count; i++) {
        queues[i].arena = arena;
        queues[i].placed = CG_NEW_ARRAY(arena, const cg_field *, structure->groups[i].placed_count);
    }
    for (size_t i = 0; i < structure->field_count; i++) {
        cg_field *field = &structure->fields[i];
        add_item(&queues[field->group_ix], field->type->size, smaller(field->type->align, structure->align),
                 &field->offset, field);
    }
    return queues;
}

/* Places one group from `at` on. */
static bool place_members(cg_group *group, placing *p, uint32_t at, uint32_t align) {
    p->at = at;
    if (!place_all(p, CG_VALUE_MAX)) return false;
    add_gap(p, cg_round_up(p->at, align));
    *group = (cg_group){.since = group->since,
                        .start = at,
                        .end = (uint32_t)p->at,
                        .placed = p->placed,
                        .placed_count = p->placed_count,
                        .gaps = p->gaps,
                        .gap_count = p->gap_count};
    return p->at <= CG_VALUE_MAX;
}

/* What the groups hold, in a row. */
static void gather(cg_arena *arena, cg_struct *structure) {
    size_t placed_count = 0;
    structure->placed = CG_NEW_ARRAY(arena, const cg_field *, structure->field_count);
    for (size_t i = 0; i < structure->group_count; i++) {
        const cg_group *group = &structure->groups[i];
        for (size_t k = 0; k < group->placed_count; k++) structure->placed[placed_count++] = group->placed[k];
        for (size_t k = 0; k < group->gap_count; k++) {
            structure->gaps = cg_arena_grow(arena, structure->gaps, structure->gap_count, sizeof(cg_gap));
            structure->gaps[structure->gap_count++] = group->gaps[k];
        }
    }
}

static uint32_t struct_align(const cg_struct *structure) {
    uint32_t align = 1;
    for (size_t i = 0; i < structure->field_count; i++) {
        const cg_field *field = &structure->fields[i];
        if (field->group_ix == 0 && field->type->align > align) align = field->type->align;
    }
    return align;
}

bool cg_layout_struct(cg_arena *arena, cg_struct *structure, uint32_t min_compatible) {
    structure->group_count = make_groups(arena, structure->fields, structure->field_count, false, &structure->groups);
    join_groups(structure->fields, structure->field_count, structure->groups, structure->group_count);
    structure->accept_group_ix = accepted_group(structure->groups, structure->group_count, min_compatible);
    structure->align = struct_align(structure);
    placing *queues = queue_members(arena, structure);
    for (size_t i = 0; i < structure->group_count; i++) {
        if (!place_members(&structure->groups[i], &queues[i], structure->size, structure->align)) return false;
        structure->size = structure->groups[i].end;
    }
    gather(arena, structure);
    return true;
}

/* ---- groups of a message ---------------------------------------------------------------------------------------- */

static uint32_t bitmap_size(uint32_t optional_count) {
    if (optional_count == 0) return 0;
    return optional_count <= 8 ? 1 : optional_count <= 16 ? 2 : optional_count <= 32 ? 4 : 8;
}

/* Where block_len belongs: the earliest group with a field that has a tail. */
static void find_block_len(cg_message *message) {
    message->block_len_group_ix = message->group_count;
    for (size_t i = 0; i < message->field_count; i++) {
        const cg_field *field = &message->fields[i];
        if (!field->type->is_tail) continue;
        message->tail_count++;
        if (field->group_ix < message->block_len_group_ix) message->block_len_group_ix = field->group_ix;
    }
    message->has_block_len = message->tail_count != 0;
    if (!message->has_block_len) message->block_len_group_ix = 0;
}

/* Queues what every group holds: block_len, the bitmap, then the fields as declared. */
static placing *queue_items(cg_arena *arena, cg_message *message) {
    placing *queues = CG_NEW_ARRAY(arena, placing, message->group_count);
    for (size_t i = 0; i < message->group_count; i++) {
        cg_group *group = &message->groups[i];
        queues[i].arena = arena;
        queues[i].placed = CG_NEW_ARRAY(arena, const cg_field *, group->placed_count);
        group->bitmap_size = bitmap_size(group->optional_count);
        if (message->has_block_len && i == message->block_len_group_ix) {
            add_item(&queues[i], 2, 2, &message->block_len_offset, NULL);
        }
        if (group->bitmap_size != 0) {
            add_item(&queues[i], group->bitmap_size, group->bitmap_size, &group->bitmap_offset, NULL);
        }
    }
    for (size_t i = 0; i < message->field_count; i++) {
        cg_field *field = &message->fields[i];
        add_item(&queues[field->group_ix], field->type->size, field->type->align, &field->offset, field);
    }
    return queues;
}

static bool place_groups(cg_diags *diags, cg_message *message) {
    placing *queues = queue_items(diags->arena, message);
    uint64_t at = 0;
    for (size_t i = 0; i < message->group_count; i++) {
        cg_group *group = &message->groups[i];
        queues[i].at = at;
        if (!place_all(&queues[i], CG_BLOCK_MAX)) {
            cg_report(diags, CG_E_BLOCK, cg_node_place(message->at),
                      "the fixed block of '%s' is larger than %d bytes: move long fields to the tail with wire: tail",
                      message->name.text, CG_BLOCK_MAX);
            return false;
        }
        group->start = (uint32_t)at;
        at = queues[i].at;
        group->end = (uint32_t)at;
        group->placed = queues[i].placed;
        group->gaps = queues[i].gaps;
        group->gap_count = queues[i].gap_count;
    }
    message->block_size = (uint32_t)at;
    return true;
}

/* ---- tail and sizes --------------------------------------------------------------------------------------------- */

/* Group order, then descending alignment of the elements, then declaration. */
static int by_tail_order(const void *left, const void *right) {
    const cg_field *a = *(const cg_field *const *)left, *b = *(const cg_field *const *)right;
    if (a->group_ix != b->group_ix) return a->group_ix < b->group_ix ? -1 : 1;
    const uint32_t a_align = a->type->element->align, b_align = b->type->element->align;
    if (a_align != b_align) return a_align > b_align ? -1 : 1;
    return (a > b) - (a < b);
}

static void order_tail(cg_arena *arena, cg_message *message) {
    size_t count = 0;
    message->tail = CG_NEW_ARRAY(arena, const cg_field *, message->tail_count);
    for (size_t i = 0; i < message->field_count; i++) {
        if (message->fields[i].type->is_tail) message->tail[count++] = &message->fields[i];
    }
    if (count > 1) qsort(message->tail, count, sizeof *message->tail, by_tail_order);
}

typedef enum filling { TYPICAL, FULL, FULL_AND_RETIRED } filling;

/* How many elements of the tail field are there. */
static uint32_t count_of(const cg_field *field, filling how) {
    if (field->is_retired && how != FULL_AND_RETIRED) return 0;
    return how == TYPICAL ? field->typical : field->type->capacity;
}

/* Bytes of a value whose tails are filled like that; an empty tail adds no padding. */
static uint64_t value_size(const cg_message *message, filling how) {
    uint64_t at = message->block_size;
    for (size_t i = 0; i < message->tail_count; i++) {
        const cg_field *field = message->tail[i];
        const uint32_t count = count_of(field, how);
        if (count == 0) continue;
        at = cg_round_up(at, field->type->element->align) + (uint64_t)count * field->type->element_stride;
    }
    return at;
}

bool cg_layout_message(cg_diags *diags, cg_message *message, uint32_t min_compatible) {
    const bool was_empty = message->was_empty || message->field_count == 0;
    message->group_count =
        make_groups(diags->arena, message->fields, message->field_count, was_empty, &message->groups);
    join_groups(message->fields, message->field_count, message->groups, message->group_count);
    for (size_t i = 0; i < message->group_count; i++) {
        const cg_group *group = &message->groups[i];
        if (group->optional_count <= CG_OPTIONALS_MAX) continue;
        cg_report(diags, CG_E_OPTIONALS, cg_node_place(message->at),
                  "'%s' has %u optional fields since version %u: at most %d can be optional in one", message->name.text,
                  group->optional_count, group->since, CG_OPTIONALS_MAX);
        return false;
    }
    find_block_len(message);
    if (!place_groups(diags, message)) return false;
    order_tail(diags->arena, message);
    const uint64_t held = value_size(message, FULL_AND_RETIRED) + message->reserve;
    if (held > CG_VALUE_MAX) {
        cg_report(diags, CG_E_MESSAGE_SIZE, cg_node_place(message->at),
                  "'%s' can take %" PRIu64 " bytes with its reserve: more than 1 GiB", message->name.text, held);
        return false;
    }
    message->min = message->block_size;
    message->max = (uint32_t)value_size(message, FULL);
    message->held = (uint32_t)held;
    message->typical = (uint32_t)value_size(message, TYPICAL);
    message->accept_group_ix = accepted_group(message->groups, message->group_count, min_compatible);
    message->accept_min = message->groups[message->accept_group_ix].end;
    return true;
}
