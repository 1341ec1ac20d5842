/* What a contract must keep of what is published. Places are compared only where nothing else is wrong with a message
 * or type: that they move is then the one thing to say. */
#include "codegen/build.h"
#include "codegen/lock.h"
#include "codegen/schema.h"

#include <inttypes.h>
#include <string.h>

typedef struct checker {
    cg_builder *b;
    cg_diags *diags;
    const cg_lock *lock;
    const cg_node *root;
    cg_table pairs;        /* published types and enums that were compared, by both names */
    struct shape **shapes; /* messages and types whose fields are all there */
    size_t shape_count;
} checker;

/* A message or type beside what is published of it. */
typedef struct shape {
    const cg_lock_entry *entry;
    const char *name;
    const cg_node *at;
    const cg_field *fields;
    size_t field_count;
    const cg_group *groups; /* messages, extensible types */
    size_t group_count;
    bool is_frozen;            /* a type that is not extensible */
    cg_table by_name;          /* fields by name and by former name */
    const cg_message *message; /* or NULL */
} shape;

static void note(checker *c, cg_span at, uint16_t version) {
    cg_note_in(c->diags, c->lock->source, at, "as version %u was published", version);
}

/* ---- types ------------------------------------------------------------------------------------------------------ */

static bool is_type(checker *c, const char **at, const cg_type *type);

static bool take(const char **at, const char *text) {
    const size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0) return false;
    *at += length;
    return true;
}

/* Takes `before`, the number, `after`. */
static bool take_number(checker *c, const char **at, const char *before, uint32_t number, const char *after) {
    return take(at, cg_arena_format(c->b->arena, "%s%u%s", before, number, after));
}

static void check_enum(checker *c, const cg_lock_entry *entry, const cg_enum *e);
static void check_struct(checker *c, const cg_lock_entry *entry, const cg_struct *t);

/* Whether the word is a published enum or type that stands where the contract has this one now. What is inside them is
 * compared once, and reported there. */
static bool is_declared(checker *c, const char **at, const cg_type *type) {
    const size_t length = strcspn(*at, ",;>] ");
    const char *word = cg_arena_copy(c->b->arena, *at, length);
    const bool is_enum = type->kind == CG_ENUM;
    const cg_lock_entry *entry = cg_table_find(is_enum ? &c->lock->enums : &c->lock->types, word);
    if (entry == NULL) return false;
    const char *name = is_enum ? type->enumeration->name.text : type->structure->name.text;
    const char *pair = cg_arena_format(c->b->arena, "%s %s", word, name);
    *at += length;
    if (cg_table_find(&c->pairs, pair) != NULL) return true;
    cg_table_add(&c->pairs, pair, (void *)(uintptr_t)pair);
    if (is_enum)
        check_enum(c, entry, type->enumeration);
    else
        check_struct(c, entry, type->structure);
    return true;
}

/* Whether the spelling at *at is this type; goes behind it. What a tail holds at most may change. */
static bool is_type(checker *c, const char **at, const cg_type *type) {
    while (type->kind == CG_STRUCT && type->structure->is_wrapper) type = type->structure->fields[0].type;
    switch (type->kind) {
    case CG_ENUM:
    case CG_STRUCT: return is_declared(c, at, type);
    case CG_STRING: return take_number(c, at, "String<", type->capacity, ">");
    case CG_BYTES: return take_number(c, at, "bytes<", type->capacity, ">");
    case CG_ARRAY:
        return take(at, "[") && is_type(c, at, type->element) && take_number(c, at, ";", type->capacity, "]");
    case CG_VECTOR:
        return take(at, "Vec<") && is_type(c, at, type->element) && take_number(c, at, ",", type->capacity, ">");
    default: return take(at, cg_kind_name(type->kind)) && strchr(",;>]", **at) != NULL;
    }
}

/* The same for a field in the tail, whose capacity may change as long as its count is as wide. */
static bool is_tail_type(checker *c, const char **at, const cg_type *type) {
    const char *kind = type->kind == CG_VECTOR ? "Vec<" : type->kind == CG_STRING ? "String<" : "bytes<";
    if (!take(at, kind)) return false;
    if (type->kind == CG_VECTOR && (!is_type(c, at, type->element) || !take(at, ","))) return false;
    *at += strspn(*at, "0123456789");
    return take(at, ">");
}

static bool is_same_type(checker *c, const cg_lock_field *published, const cg_type *type) {
    const char *at = published->type;
    if (published->is_tail != type->is_tail || published->count_size != type->count_size) return false;
    return (type->is_tail ? is_tail_type(c, &at, type) : is_type(c, &at, type)) && *at == '\0';
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

static cg_table index_fields(cg_arena *arena, const cg_field *fields, size_t count) {
    cg_table by_name = {.arena = arena};
    for (size_t i = 0; i < count; i++) cg_table_add(&by_name, fields[i].name.text, (void *)(uintptr_t)&fields[i]);
    for (size_t i = 0; i < count; i++) {
        if (fields[i].was != NULL) cg_table_add(&by_name, fields[i].was, (void *)(uintptr_t)&fields[i]);
    }
    return by_name;
}

static void report_gone(checker *c, const shape *s, const cg_lock_field *published) {
    cg_report(c->diags, CG_E_LOCK_GONE, cg_node_place(s->at),
              s->is_frozen
                  ? "type '%s' has no field '%s' any more: a type keeps its fields; a new one needs a name of "
                    "its own"
                  : "'%s' has no field '%s' any more: keep its place with retired: true, or say was: at its new "
                    "name",
              s->name, published->name);
    note(c, published->at, s->entry->version);
}

static void report_type(checker *c, const shape *s, const cg_lock_field *published, const cg_field *field) {
    cg_text spelled = {.arena = c->b->arena};
    cg_lock_spell(&spelled, field->type);
    cg_report(c->diags, CG_E_LOCK_TYPE, cg_node_place(field->at),
              "'%s' is %s%s%s, but was published as %s%s%s: retire it and append a new field", field->name.text,
              field->is_optional ? "optional " : "", cg_text_end(&spelled), field->type->is_tail ? " in the tail" : "",
              published->is_optional ? "optional " : "", published->type, published->is_tail ? " in the tail" : "");
    note(c, published->at, s->entry->version);
}

/* Writers send zeros from now on. Optional fields are absent instead. */
static void warn_of_zeros(checker *c, const shape *s, const cg_lock_field *published, const cg_field *field) {
    const cg_rule *broken = NULL;
    if (field->is_optional || cg_field_refusing_zero(field, &broken) == NULL) return;
    cg_report(
        c->diags, CG_W_LOCK_ZEROS, cg_node_place(field->at),
        "'%s' is retired, so that writers send zeros, which readers of version %u refuse: they must be replaced first",
        field->name.text, s->entry->version);
    note(c, published->at, s->entry->version);
}

/* One published field beside what the contract has under its name. */
static void check_field(checker *c, const shape *s, const cg_lock_group *group, const cg_lock_field *published) {
    const cg_field *field = cg_table_find(&s->by_name, published->name);
    if (field == NULL) {
        report_gone(c, s, published);
    } else if (field->since != group->since) {
        cg_report(c->diags, CG_E_LOCK_SINCE, cg_node_place(field->at), "'%s' came with version %u: since must say so",
                  field->name.text, group->since);
        note(c, published->at, s->entry->version);
    } else if (published->is_retired && !field->is_retired) {
        cg_report(c->diags, CG_E_LOCK_REUSED, cg_node_place(field->at),
                  "'%s' is retired: what old writers left there is not to be read again", field->name.text);
        note(c, published->at, s->entry->version);
    } else if (field->is_optional != published->is_optional || !is_same_type(c, published, field->type)) {
        report_type(c, s, published, field);
    } else if (field->is_retired && !published->is_retired) {
        warn_of_zeros(c, s, published, field);
    }
}

static bool is_published(const cg_table *published, const cg_field *field) {
    return cg_table_find(published, field->name.text) != NULL ||
           (field->was != NULL && cg_table_find(published, field->was) != NULL);
}

static cg_table index_published(cg_arena *arena, const cg_lock_entry *entry) {
    cg_table published = {.arena = arena};
    for (size_t i = 0; i < entry->group_count; i++) {
        const cg_lock_group *group = &entry->groups[i];
        for (size_t k = 0; k < group->field_count; k++) {
            cg_table_add(&published, group->fields[k].name, &group->fields[k]);
        }
    }
    return published;
}

static void report_new_field(checker *c, const shape *s, const cg_field *field) {
    if (s->is_frozen)
        cg_report(c->diags, CG_E_LOCK_SINCE, cg_node_place(field->at),
                  "type '%s' is published and gets no more fields: only an extensible one grows", s->name);
    else
        cg_report(c->diags, CG_E_LOCK_SINCE, cg_node_place(field->at),
                  "version %u is published: a new field of '%s' needs since: %u or later, and the schema that version",
                  c->lock->version, s->name, c->lock->version + 1u);
    note(c, s->entry->at, s->entry->version);
}

/* Reports a name that was another field's of the message in some version: one that lay elsewhere. */
static bool check_past_field(checker *c, const shape *s, const cg_field *field) {
    if (s->message == NULL) return true;
    const char *key = cg_lock_past(c->b->arena, s->name, s->message->tlv_type, field->name.text);
    const cg_lock_entry *past = cg_table_find(&c->lock->past, key);
    if (past == NULL) return true;
    const cg_table published = index_published(c->b->arena, past);
    const cg_lock_field *other = cg_table_find(&published, field->name.text);
    if (other->offset == field->offset) return true;
    cg_report(c->diags, CG_E_LOCK_REUSED, cg_node_place(field->at),
              "another field of '%s' was called '%s': give this one another name", s->name, field->name.text);
    note(c, other->at, past->version);
    return false;
}

/* Fields that are new must come with a version that is, and a name that is. */
static void check_new_fields(checker *c, const shape *s) {
    const cg_table published = index_published(c->b->arena, s->entry);
    for (size_t i = 0; i < s->field_count; i++) {
        const cg_field *field = &s->fields[i];
        if (cg_table_find(&published, field->name.text) != NULL || !check_past_field(c, s, field)) continue;
        const bool is_late = !s->is_frozen && field->since > c->lock->version;
        if (!is_late && !is_published(&published, field)) report_new_field(c, s, field);
    }
}

/* ---- places ----------------------------------------------------------------------------------------------------- */

static void report_moved(checker *c, const shape *s, const cg_node *at, cg_span published, const char *what,
                         uint32_t from, uint32_t to) {
    cg_report(c->diags, CG_E_LOCK_MOVED, cg_node_place(at), "%s of '%s' would move from %u to %u", what, s->name, from,
              to);
    note(c, published, s->entry->version);
}

/* Reports the first published place that is not where it was: the others moved with it. */
static bool check_group(checker *c, const shape *s, const cg_lock_group *published) {
    const cg_group *group = NULL;
    for (size_t i = 0; i < s->group_count; i++) {
        if (s->groups[i].since == published->since) group = &s->groups[i];
    }
    for (size_t i = 0; i < published->field_count; i++) {
        const cg_lock_field *at = &published->fields[i];
        const cg_field *field = cg_table_find(&s->by_name, at->name);
        const char *what = cg_arena_format(c->b->arena, "'%s'", field->name.text);
        const bool is_moved = field->offset != at->offset;
        if (!is_moved && field->bit == at->bit) continue;
        report_moved(c, s, field->at, at->at, is_moved ? what : "a presence bit", is_moved ? at->offset : at->bit,
                     is_moved ? field->offset : field->bit);
        return false;
    }
    if (group == NULL || (group->end == published->end && group->bitmap_size == published->bitmap_size &&
                          group->bitmap_offset == published->bitmap_offset)) {
        return true;
    }
    const bool is_end = group->end != published->end;
    report_moved(c, s, s->at, published->at, is_end ? "the end of a group" : "a bitmap",
                 is_end ? published->end : published->bitmap_offset, is_end ? group->end : group->bitmap_offset);
    return false;
}

static void check_block_len(checker *c, const shape *s) {
    const cg_message *m = s->message;
    if (m == NULL || !s->entry->has_block_len || m->block_len_offset == s->entry->block_len_offset) return;
    report_moved(c, s, m->at, s->entry->at, "the length of the block", s->entry->block_len_offset, m->block_len_offset);
}

/* Where everything is there, in the same types, places follow from the lock's order: this is for a compiler that places
 * by another rule. */
static void check_places(checker *c) {
    for (size_t i = 0; i < c->shape_count; i++) {
        const shape *s = c->shapes[i];
        bool is_right = true;
        for (size_t k = 0; k < s->entry->group_count && is_right; k++) {
            is_right = check_group(c, s, &s->entry->groups[k]);
        }
        if (is_right) check_block_len(c, s);
    }
}

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

static void check_shape(checker *c, const shape *given) {
    shape *s = CG_NEW(c->b->arena, shape);
    *s = *given;
    s->by_name = index_fields(c->b->arena, s->fields, s->field_count);
    for (size_t i = 0; i < s->entry->group_count; i++) {
        const cg_lock_group *group = &s->entry->groups[i];
        for (size_t k = 0; k < group->field_count; k++) check_field(c, s, group, &group->fields[k]);
    }
    check_new_fields(c, s);
    c->shapes = cg_arena_grow(c->b->arena, c->shapes, c->shape_count, sizeof s);
    c->shapes[c->shape_count++] = s;
}

/* ---- enums and types -------------------------------------------------------------------------------------------- */

static const cg_enum_value *by_number(const cg_enum *e, const cg_number *number) {
    for (size_t i = 0; i < e->value_count; i++) {
        if (cg_number_compare(&e->values[i].value, number) == 0) return &e->values[i];
    }
    return NULL;
}

static void check_number(checker *c, const cg_lock_entry *entry, const cg_enum *e, const cg_lock_number *published) {
    const cg_enum_value *same_name = cg_table_find(e->by_name, published->name);
    char digits[CG_NUMBER_TEXT_MAX];
    cg_number_print(&published->value, digits);
    if (same_name != NULL && cg_number_compare(&same_name->value, &published->value) == 0) return;
    if (same_name != NULL) {
        cg_report(c->diags, CG_E_LOCK_ENUM, cg_node_place(same_name->at), "'%s' of '%s' must stay %s", published->name,
                  e->name.text, digits);
    } else if (by_number(e, &published->value) == NULL) {
        cg_report(c->diags, CG_E_LOCK_ENUM, cg_node_place(e->at), "'%s' has no value %s any more, which was '%s'",
                  e->name.text, digits, published->name);
    } else {
        return; /* another name for the same number */
    }
    note(c, published->at, entry->version);
}

static void check_enum(checker *c, const cg_lock_entry *entry, const cg_enum *e) {
    if (strcmp(entry->base, cg_kind_name(e->base)) != 0) {
        cg_report(c->diags, CG_E_LOCK_ENUM, cg_node_place(e->at), "the type of '%s' must stay %s", e->name.text,
                  entry->base);
        note(c, entry->at, entry->version);
    }
    if (entry->is_open && !e->is_open) {
        cg_report(c->diags, CG_E_LOCK_ENUM, cg_node_place(e->at),
                  "'%s' must stay open: peers may send numbers that it has no name for", e->name.text);
        note(c, entry->at, entry->version);
    }
    for (size_t i = 0; i < entry->number_count; i++) check_number(c, entry, e, &entry->numbers[i]);
}

static void check_struct(checker *c, const cg_lock_entry *entry, const cg_struct *t) {
    shape s = {.entry = entry,
               .name = t->name.text,
               .at = t->at,
               .fields = t->fields,
               .field_count = t->field_count,
               .groups = t->groups,
               .group_count = t->group_count,
               .is_frozen = !entry->is_extensible};
    if (entry->is_extensible != t->is_extensible) {
        cg_report(c->diags, CG_E_LOCK_TYPE, cg_node_place(t->at), "type '%s' must stay %s", t->name.text,
                  entry->is_extensible ? "extensible" : "as it is: not extensible");
        note(c, entry->at, entry->version);
        return;
    }
    check_shape(c, &s);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

/* Where a message's id stands, or the message. */
static cg_span id_place(const cg_node *message) {
    const cg_node *id = cg_good_entry(message, "tlv_type");
    return id == NULL ? cg_node_place(message) : id->span;
}

static void check_message(checker *c, const cg_lock_entry *entry, const cg_message *m) {
    shape s = {.entry = entry,
               .name = m->name.text,
               .at = m->at,
               .fields = m->fields,
               .field_count = m->field_count,
               .groups = m->groups,
               .group_count = m->group_count,
               .message = m};
    if (m->tlv_type != entry->tlv_type) {
        cg_report(c->diags, CG_E_LOCK_REUSED, id_place(m->at),
                  "'%s' has had the tlv_type %u: retire it, and give what "
                  "is new another name",
                  m->name.text, entry->tlv_type);
        note(c, entry->at, entry->version);
        return;
    }
    check_shape(c, &s);
}

/* Who has the published id now, when nobody has the published name. */
static const cg_node *owner_of(const cg_model *model, uint16_t tlv_type) {
    for (size_t i = 0; i < model->message_count; i++) {
        if (model->messages[i].tlv_type == tlv_type) return model->messages[i].at;
    }
    for (size_t i = 0; i < model->retired_count; i++) {
        if (model->retired[i].tlv_type == tlv_type) return model->retired[i].at;
    }
    return NULL;
}

static void report_message_gone(checker *c, const cg_lock_entry *entry) {
    const cg_node *owner = owner_of(c->b->model, entry->tlv_type);
    const cg_node *messages = cg_map_entry(c->root, "messages");
    if (owner != NULL) {
        cg_report(c->diags, CG_E_LOCK_REUSED, id_place(owner),
                  "tlv_type %u is that of '%s': say was: %s when this is the same message, else take another id",
                  entry->tlv_type, entry->name, entry->name);
    } else {
        cg_report(c->diags, CG_E_LOCK_GONE, cg_node_place(messages == NULL ? c->root : messages),
                  "'%s' is gone: keep its id from being used again with %s: {tlv_type: %u, retired: true}", entry->name,
                  entry->name, entry->tlv_type);
    }
    note(c, entry->at, entry->version);
}

static void check_retired(checker *c, const cg_lock_entry *entry, const cg_retired *now, const cg_message *living) {
    if (living != NULL) {
        cg_report(c->diags, CG_E_LOCK_REUSED, cg_node_place(living->at), "'%s' is retired: its name is not used again",
                  entry->name);
    } else if (now->tlv_type != entry->tlv_type) {
        cg_report(c->diags, CG_E_LOCK_REUSED, id_place(now->at), "the tlv_type of '%s' must stay %u", entry->name,
                  entry->tlv_type);
    } else {
        return;
    }
    note(c, entry->at, entry->version);
}

/* A message's name was never that of a message with another id. One that still is was reported with that. */
static void check_past_name(checker *c, const cg_message *m) {
    const cg_lock_entry *past =
        cg_table_find(&c->lock->past, cg_lock_past(c->b->arena, m->name.text, m->tlv_type, NULL));
    const bool is_known = past == NULL || cg_table_find(&c->lock->by_name, m->name.text) != NULL;
    if (is_known || past->tlv_type == m->tlv_type) return;
    cg_report(c->diags, CG_E_LOCK_REUSED, cg_node_place(m->at),
              "the message with tlv_type %u was called '%s': give this one another name", past->tlv_type,
              m->name.text);
    note(c, past->at, past->version);
}

static void check_messages(checker *c) {
    cg_table living = {.arena = c->b->arena}, retired = {.arena = c->b->arena};
    cg_model *model = c->b->model;
    for (size_t i = 0; i < model->message_count; i++) {
        cg_table_add(&living, model->messages[i].name.text, &model->messages[i]);
    }
    for (size_t i = 0; i < model->message_count; i++) {
        if (model->messages[i].was != NULL) cg_table_add(&living, model->messages[i].was, &model->messages[i]);
    }
    for (size_t i = 0; i < model->retired_count; i++) {
        cg_table_add(&retired, model->retired[i].name.text, &model->retired[i]);
    }
    for (size_t i = 0; i < model->retired_count; i++) {
        if (model->retired[i].was != NULL) cg_table_add(&retired, model->retired[i].was, &model->retired[i]);
    }
    for (size_t i = 0; i < c->lock->message_count; i++) {
        const cg_lock_entry *entry = c->lock->messages[i];
        const cg_message *message = cg_table_find(&living, entry->name);
        const cg_retired *gone = cg_table_find(&retired, entry->name);
        if (message == NULL && gone == NULL)
            report_message_gone(c, entry);
        else if (entry->kind == CG_LOCK_RETIRED || gone != NULL)
            check_retired(c, entry, gone, message);
        else
            check_message(c, entry, message);
    }
    for (size_t i = 0; i < model->message_count; i++) check_past_name(c, &model->messages[i]);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

/* Where the schema says that, or the schema, or the file. */
static cg_span schema_place(const checker *c, const char *key) {
    const cg_node *schema = cg_map_entry(c->root, "schema");
    const cg_node *entry = cg_good_entry(schema, key);
    return entry != NULL ? entry->span : schema != NULL ? cg_node_place(schema) : (cg_span){0, 0};
}

static bool check_schema(checker *c) {
    const cg_model *model = c->b->model;
    const cg_lock *lock = c->lock;
    if (model->id != lock->schema_id || strcmp(model->own_name, lock->schema_name) != 0) {
        cg_report(c->diags, CG_E_LOCK_SCHEMA, schema_place(c, model->id != lock->schema_id ? "id" : "name"),
                  "this is schema '%s' 0x%08" PRIx32 ", but the lock is that of '%s' 0x%08" PRIx32, model->own_name,
                  model->id, lock->schema_name, lock->schema_id);
        cg_note_in(c->diags, lock->source, lock->at, "published here");
        return false;
    }
    if (model->version >= lock->version) return true;
    cg_report(c->diags, CG_E_LOCK_VERSION, schema_place(c, "version"),
              "version %u is published already: the next one is %u", lock->version, lock->version + 1u);
    cg_note_in(c->diags, lock->source, lock->at, "published here");
    return true;
}

/* What a published version says is final. */
static void check_final(checker *c) {
    const cg_model *model = c->b->model;
    size_t count = 0;
    const cg_lock_line *changes = cg_lock_changes(c->b->arena, model, c->lock, &count);
    for (size_t i = 0; i < count; i++) {
        cg_report(c->diags, CG_E_LOCK_VERSION, cg_node_place(changes[i].at),
                  "version %u is published, and '%s' is %s: raise the schema's version to %u", model->version,
                  changes[i].name, changes[i].standing == NULL ? "new" : "not as it was", model->version + 1u);
        cg_note_in(c->diags, c->lock->source, changes[i].standing == NULL ? c->lock->at : changes[i].standing->at,
                   "published here");
    }
    if (model->min_compatible == c->lock->min_compatible) return;
    cg_report(c->diags, CG_E_LOCK_VERSION, schema_place(c, "min_compatible"),
              "version %u is published with min_compatible %u: raise the schema's version to %u", model->version,
              c->lock->min_compatible, model->version + 1u);
    cg_note_in(c->diags, c->lock->source, c->lock->at, "published here");
}

void cg_lock_check(cg_builder *builder, const cg_node *root) {
    checker c = {
        .b = builder, .diags = builder->diags, .lock = builder->lock, .root = root, .pairs = {.arena = builder->arena}};
    /* Places mean something only when everything has one. */
    if (builder->diags->error_count != 0 || builder->lock->version == 0 || !check_schema(&c)) return;
    check_messages(&c);
    if (builder->diags->error_count == 0) check_places(&c);
    if (builder->diags->error_count == 0 && builder->model->version == builder->lock->version) check_final(&c);
}
