/* The numbers by which two ends of a connection find out that they mean the same bytes: one for each version that is
 * still read, of a text that says where everything lies and how wide it is (docs/WIRE.md, "Layout hash"). Names, rules,
 * defaults, the numbers of enums and the pool are not in it: they may change within what readers take. */
#include "codegen/build.h"
#include "codegen/compat_pair.h"
#include "codegen/text.h"

#include <inttypes.h>

/* One version on its way. */
typedef struct hasher {
    const cg_model *model;
    uint32_t version;
    cg_table structs; /* number of a struct in the model, and one, by its name */
    uint64_t *hashes; /* of structs, by their number */
    cg_text line;     /* used again for each message and struct */
} hasher;

/* ---- types ------------------------------------------------------------------------------------------------------ */

static void add_hash(cg_text *out, uint64_t hash) { cg_text_format(out, "%016" PRIx64, hash); }

static uint64_t struct_hash(const hasher *h, const cg_struct *t) {
    return h->hashes[(uintptr_t)cg_table_find(&h->structs, t->name.text) - 1];
}

static void add_type(hasher *h, const cg_type *given) {
    const cg_type *type = cg_type_unwrapped(given);
    cg_text *out = &h->line;
    switch (type->kind) {
    case CG_ENUM: cg_text_format(out, "enum %s", cg_kind_name(type->enumeration->base)); return;
    case CG_STRUCT: add_hash(out, struct_hash(h, type->structure)); return;
    case CG_STRING: cg_text_format(out, "string"); break;
    case CG_BYTES: cg_text_format(out, "bytes"); break;
    case CG_ARRAY:
    case CG_VECTOR:
        cg_text_format(out, type->kind == CG_ARRAY ? "array " : "vector ");
        add_type(h, type->element);
        break;
    default: cg_text_format(out, "%s", cg_kind_name(type->kind)); return;
    }
    /* In the tail, only the width of the count is for good. */
    if (type->is_tail)
        cg_text_format(out, " tail %u", type->count_size);
    else
        cg_text_format(out, " %u", type->capacity);
}

/* ---- structs ---------------------------------------------------------------------------------------------------- */

/* How many of the groups that version has; of a struct, the first one always. */
static size_t groups_of(const cg_group *groups, size_t count, uint32_t version) {
    size_t known = 0;
    while (known < count && groups[known].since <= version) known++;
    return known;
}

static void add_struct(hasher *h, const cg_struct *t) {
    const size_t known = groups_of(t->groups, t->group_count, h->version);
    const size_t count = known == 0 ? 1 : known;
    cg_text_format(&h->line, "type %u %u%s\n", t->groups[count - 1].end, t->align, t->is_extensible ? " grows" : "");
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < t->groups[i].placed_count; k++) {
            const cg_field *field = t->groups[i].placed[k];
            cg_text_format(&h->line, "%u ", field->offset);
            add_type(h, field->type);
            cg_text_add(&h->line, "\n", 1);
        }
    }
}

/* Every struct stands behind those that it uses. */
static void hash_structs(hasher *h) {
    for (size_t i = 0; i < h->model->struct_count; i++) {
        h->line.length = 0;
        if (!h->model->structs[i]->is_wrapper) add_struct(h, h->model->structs[i]);
        h->hashes[i] = cg_hash(CG_HASH_START, h->line.data, h->line.length);
    }
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static void add_field(hasher *h, const cg_group *group, const cg_field *field) {
    cg_text_format(&h->line, "%u ", field->offset);
    if (field->is_optional) cg_text_format(&h->line, "bit %u at %u ", field->bit, group->bitmap_offset);
    add_type(h, field->type);
    cg_text_add(&h->line, "\n", 1);
}

static void add_message(hasher *h, const cg_message *m) {
    const size_t count = groups_of(m->groups, m->group_count, h->version);
    cg_text_format(&h->line, "message %u %u\n", m->tlv_type, count == 0 ? 0 : m->groups[count - 1].end);
    if (m->has_block_len && m->block_len_group_ix < count) {
        cg_text_format(&h->line, "%u block_len\n", m->block_len_offset);
    }
    for (size_t i = 0; i < count; i++) {
        const cg_group *group = &m->groups[i];
        if (group->bitmap_size != 0) {
            cg_text_format(&h->line, "%u bitmap %u\n", group->bitmap_offset, group->bitmap_size);
        }
        for (size_t k = 0; k < group->placed_count; k++) add_field(h, group, group->placed[k]);
    }
    for (size_t i = 0; i < m->tail_count; i++) {
        if (m->tail[i]->group_ix < count) cg_text_format(&h->line, "tail %u\n", m->tail[i]->offset);
    }
}

static uint64_t hash_version(hasher *h, uint32_t version) {
    static const char head[] = "bufpool layout 1\n";
    uint64_t hash = cg_hash(CG_HASH_START, head, sizeof head - 1);
    h->version = version;
    hash_structs(h);
    for (size_t i = 0; i < h->model->message_count; i++) {
        const cg_message *m = h->model->by_type[i];
        if (m->since > version) continue;
        h->line.length = 0;
        add_message(h, m);
        hash = cg_hash(hash, h->line.data, h->line.length);
    }
    return hash == 0 ? 1 : hash;
}

/* ---- versions --------------------------------------------------------------------------------------------------- */

/* What a retired message looked like is not in the contract any more: versions that had one are not known. */
static uint32_t first_known(const cg_model *model) {
    uint32_t known = model->min_compatible;
    for (size_t i = 0; i < model->retired_count; i++) {
        if (model->retired[i].since > known) known = model->retired[i].since;
    }
    return known;
}

static void mark_groups(bool *is_new, const cg_group *groups, size_t count) {
    for (size_t i = 0; i < count; i++) is_new[groups[i].since] = true;
}

/* Versions in which something may be new. */
static bool *find_new(cg_arena *arena, const cg_model *model) {
    bool *is_new = CG_NEW_ARRAY(arena, bool, model->version + 1u);
    for (size_t i = 0; i < model->struct_count; i++) {
        mark_groups(is_new, model->structs[i]->groups, model->structs[i]->group_count);
    }
    for (size_t i = 0; i < model->message_count; i++) {
        is_new[model->messages[i].since] = true;
        mark_groups(is_new, model->messages[i].groups, model->messages[i].group_count);
    }
    return is_new;
}

static void add_layout(cg_model *model, uint32_t version, uint64_t hash) {
    if (model->layout_count != 0 && model->layouts[model->layout_count - 1].hash == hash) return;
    model->layouts[model->layout_count++] = (cg_layout){(uint16_t)version, hash};
}

void cg_layouts_find(cg_arena *arena, cg_model *model) {
    const uint32_t known = first_known(model);
    const bool *is_new = find_new(arena, model);
    hasher h = {.model = model, .structs = {.arena = arena}, .line = {.arena = arena}};
    size_t room = 2; /* an unknown one, and the first that is known */
    h.hashes = CG_NEW_ARRAY(arena, uint64_t, model->struct_count);
    for (size_t i = 0; i < model->struct_count; i++) {
        cg_table_add(&h.structs, model->structs[i]->name.text, (void *)(uintptr_t)(i + 1));
    }
    for (uint32_t version = known; version <= model->version; version++) room += is_new[version];
    model->layouts = CG_NEW_ARRAY(arena, cg_layout, room);
    if (known > model->min_compatible) add_layout(model, model->min_compatible, 0);
    for (uint32_t version = known; version <= model->version; version++) {
        if (version == known || is_new[version]) add_layout(model, version, hash_version(&h, version));
    }
}
