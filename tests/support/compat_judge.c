#define _POSIX_C_SOURCE 200809L
#include "tests/support/compat_judge.h"
#include "codegen/build.h"
#include "codegen/example.h"
#include "codegen/interp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef enum mode { ANY, FULL, EMPTY } mode;

/* One value on its way. */
typedef struct maker {
    cg_arena *arena;
    bpt_random *random;
    mode mode;
} maker;

static uint32_t below(maker *m, uint32_t count) { return bpt_random_below(m->random, count); }

/* ---- partners --------------------------------------------------------------------------------------------------- */

static const cg_field *find_field(const cg_field *fields, size_t count, const char *name) {
    for (size_t i = 0; i < count && name != NULL; i++) {
        if (strcmp(fields[i].name.text, name) == 0) return &fields[i];
    }
    return NULL;
}

static const cg_field *find_heir(const cg_field *fields, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (fields[i].was != NULL && strcmp(fields[i].was, name) == 0) return &fields[i];
    }
    return NULL;
}

/* The other side's field: names of today first. Only the new contract claims former names that count. */
static const cg_field *partner(const cg_field *field, const cg_field *others, size_t count, bool is_forward) {
    const cg_field *same = find_field(others, count, field->name.text);
    if (same != NULL) return same;
    return is_forward ? find_field(others, count, field->was) : find_heir(others, count, field->name.text);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static void store_number(uint8_t *out, const cg_number *number, cg_kind kind) {
    const uint32_t size = cg_kind_size(kind);
    uint64_t limbs[4];
    memcpy(limbs, number->limb, sizeof limbs);
    if (number->is_negative) limbs[0] = (uint64_t)0 - limbs[0];
    if (kind == CG_F32 || kind == CG_F64) {
        const double real = number->is_real ? number->real : (double)number->limb[0];
        const float single = (float)real;
        uint32_t half;
        memcpy(&half, &single, sizeof half);
        memcpy(&limbs[0], &real, sizeof real);
        if (kind == CG_F32) limbs[0] = half;
    }
    for (uint32_t i = 0; i < size; i++) out[i] = (uint8_t)(limbs[i / 8] >> 8 * (i % 8));
}

static cg_kind wire_kind(const cg_type *type) { return type->kind == CG_ENUM ? type->enumeration->base : type->kind; }

/* A number that a rule or an enum of the field speaks of. */
static bool number_of_field(maker *m, const cg_field *field, const cg_type *type, cg_number *out) {
    if (type->kind == CG_ENUM && below(m, 2) == 0) {
        *out = type->enumeration->values[below(m, (uint32_t)type->enumeration->value_count)].value;
        return true;
    }
    if (field == NULL || field->rule_count == 0) return false;
    const cg_rule *rule = &field->rules[below(m, (uint32_t)field->rule_count)];
    if (rule->kind != CG_RULE_MIN && rule->kind != CG_RULE_MAX && rule->kind != CG_RULE_ONE_OF) return false;
    *out = rule->kind == CG_RULE_ONE_OF ? rule->choices[below(m, (uint32_t)rule->choice_count)].number
                                        : rule->literal.number;
    const uint32_t step = below(m, 3);
    if (step != 0) (void)cg_kind_step(wire_kind(type), out, step == 1);
    return true;
}

static cg_number any_number(maker *m, cg_kind kind) {
    cg_number number = cg_number_of(below(m, 10));
    const uint32_t sort = below(m, 5);
    if (kind == CG_BOOL) return cg_number_of(below(m, 2));
    if (sort == 0) return cg_kind_extreme(kind, below(m, 2) == 0);
    if (sort == 1 && (kind == CG_F32 || kind == CG_F64)) {
        static const double odd[] = {NAN, INFINITY, -INFINITY, -0.5, 3.25};
        return (cg_number){.is_real = true, .real = odd[below(m, 5)]};
    }
    if (sort == 2 && kind >= CG_I8 && kind <= CG_I64 && number.limb[0] != 0) number.is_negative = true;
    if (sort == 3 && kind == CG_U64) number.limb[0] = bpt_random_next(m->random);
    return number;
}

static bool number_is_good(const cg_field *field, const cg_type *type, const cg_number *number) {
    const cg_literal value = {.kind = type->kind == CG_BOOL ? CG_LITERAL_BOOL : CG_LITERAL_NUMBER,
                              .number = *number,
                              .is_true = number->limb[0] != 0,
                              .text = ""};
    const bool is_nan = number->is_real && isnan(number->real);
    if (type->kind == CG_ENUM && !type->enumeration->is_open && cg_enum_find(type->enumeration, number) == NULL) {
        return false;
    }
    return field == NULL || (is_nan ? field->rule_count == 0 : cg_rules_broken(field, &value) == NULL);
}

/* A number that the writer may send. field and reader's are NULL for elements. */
static cg_number good_number(maker *m, const cg_type *type, const cg_field *field, const cg_type *other,
                             const cg_field *others) {
    cg_number number = cg_number_of(0);
    if (m->mode == EMPTY && number_is_good(field, type, &number)) return number;
    for (unsigned tries = 0; tries < 20; tries++) {
        const bool is_special = below(m, 2) == 0;
        bool is_made = is_special && number_of_field(m, field, type, &number);
        if (!is_made && is_special && other != NULL && wire_kind(other) == wire_kind(type)) {
            is_made = number_of_field(m, others, other, &number);
        }
        if (!is_made) number = any_number(m, wire_kind(type));
        if (number_is_good(field, type, &number)) return number;
    }
    if (field != NULL) return cg_example_number(field, below(m, 2) == 0);
    return type->enumeration->values[0].value;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

static cg_datum make(maker *m, const cg_type *type, const cg_field *field, const cg_type *other,
                     const cg_field *others);

static const cg_rule *rule_of(const cg_field *field, cg_rule_kind kind) {
    for (size_t i = 0; field != NULL && i < field->rule_count; i++) {
        if (field->rules[i].kind == kind) return &field->rules[i];
    }
    return NULL;
}

static uint32_t make_count(maker *m, const cg_type *type, const cg_field *field, const cg_type *other) {
    const uint32_t most = field == NULL ? type->capacity : cg_example_count(field, true);
    const uint32_t least = field == NULL ? 0 : cg_example_count(field, false);
    if (type->kind == CG_ARRAY) return type->capacity;
    if (m->mode == FULL) return most;
    if (m->mode == EMPTY) return least;
    uint32_t count = least + below(m, most - least + 1);
    if (below(m, 4) == 0) count = below(m, 2) == 0 ? most : least;
    if (below(m, 4) == 0 && other != NULL && other->capacity + 1 >= least && other->capacity + 1 <= most) {
        count = other->capacity + 1;
    }
    return count;
}

static void add_head(maker *m, char *text, const cg_field *field) {
    const cg_rule *prefix = rule_of(field, CG_RULE_PREFIX), *choice = rule_of(field, CG_RULE_ONE_OF);
    const uint32_t sort = below(m, 4);
    if (sort == 0) memcpy(text, "0x", 2);
    if (sort == 1 && prefix != NULL) memcpy(text, prefix->literal.text, prefix->literal.text_length);
    if (sort == 2 && choice != NULL) {
        const cg_literal *picked = &choice->choices[below(m, (uint32_t)choice->choice_count)];
        memcpy(text, picked->text, picked->text_length);
    }
}

/* A text or bytes that the writer may send; false after a bad guess. */
static bool guess_text(maker *m, const cg_type *type, const cg_field *field, const cg_type *other,
                       const cg_field *others, char *text, uint32_t *length) {
    static const char letters[] = "abz";
    memset(text, letters[below(m, 3)], type->capacity + 32);
    if (type->kind == CG_BYTES && rule_of(field, CG_RULE_UTF8) == NULL && below(m, 3) == 0) text[0] = (char)0xFF;
    if (type->kind == CG_STRING) add_head(m, text, below(m, 2) == 0 ? field : others);
    *length = below(m, 2) == 0 ? below(m, type->capacity < 3 ? type->capacity + 1 : 4) : below(m, type->capacity + 1);
    if (m->mode == FULL || below(m, 8) == 0) *length = type->capacity;
    if (m->mode == EMPTY) *length = 0;
    if (below(m, 8) == 0 && other != NULL && other->capacity < type->capacity) *length = other->capacity + 1;
    const cg_literal value = {.kind = CG_LITERAL_TEXT, .text = text, .text_length = *length};
    return field == NULL || cg_rules_broken(field, &value) == NULL;
}

static void make_text(maker *m, cg_datum *out, const cg_field *field, const cg_type *other, const cg_field *others) {
    char *text = cg_arena_alloc(m->arena, out->type->capacity + 64);
    out->bytes = (uint8_t *)text;
    for (unsigned tries = 0; tries < 20; tries++) {
        if (guess_text(m, out->type, field, other, others, text, &out->count)) return;
    }
    const cg_wording wording = cg_example_wording(field, m->mode == FULL || below(m, 2) == 0);
    memset(text, 'a', wording.length);
    if (wording.head_length != 0) memcpy(text, wording.head, wording.head_length);
    out->count = wording.length;
}

static void make_leaf(maker *m, cg_datum *out, const cg_field *field, const cg_type *other, const cg_field *others) {
    const bool is_row = out->type->element != NULL;
    const cg_type *type = is_row ? out->type->element : out->type;
    const cg_type *other_type = other == NULL ? NULL : other->element != NULL ? other->element : other;
    const uint32_t size = cg_kind_size(cg_leaf_kind(out->type));
    out->count = is_row ? make_count(m, out->type, field, other) : 1;
    uint8_t *bytes = cg_arena_alloc(m->arena, (size_t)out->count * size + 1);
    for (uint32_t i = 0; i < out->count; i++) {
        const cg_number number =
            is_row ? good_number(m, type, NULL, other_type, NULL) : good_number(m, type, field, other_type, others);
        store_number(bytes + (size_t)i * size, &number, wire_kind(type));
    }
    out->bytes = bytes;
}

static void make_members(maker *m, cg_datum *out, const cg_type *other) {
    const cg_struct *t = out->type->structure;
    const cg_struct *its = other != NULL && other->kind == CG_STRUCT ? other->structure : NULL;
    out->count = (uint32_t)t->field_count;
    out->items = CG_NEW_ARRAY(m->arena, cg_datum, t->field_count);
    for (size_t i = 0; i < t->field_count; i++) {
        const cg_field *same = its == NULL ? NULL : find_field(its->fields, its->field_count, t->fields[i].name.text);
        out->items[i] = make(m, t->fields[i].type, &t->fields[i], same == NULL ? NULL : same->type, same);
        out->items[i].field = &t->fields[i];
    }
}

static cg_datum make(maker *m, const cg_type *type, const cg_field *field, const cg_type *other,
                     const cg_field *others) {
    cg_datum out = {.type = type, .field = field, .is_present = true};
    if (type->kind == CG_STRING || type->kind == CG_BYTES) {
        make_text(m, &out, field, other, others);
    } else if (cg_type_is_leaf(type)) {
        make_leaf(m, &out, field, other, others);
    } else if (type->kind == CG_STRUCT) {
        make_members(m, &out, other);
    } else {
        out.count = make_count(m, type, field, other);
        out.items = CG_NEW_ARRAY(m->arena, cg_datum, out.count + 1);
        for (uint32_t i = 0; i < out.count; i++) {
            out.items[i] = make(m, type->element, NULL, other == NULL ? NULL : other->element, NULL);
        }
    }
    return out;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static bool says_nothing(const cg_datum *d) {
    if (!d->is_present) return true;
    for (uint32_t i = 0; d->items != NULL && i < d->count; i++) {
        if (d->type->kind != CG_STRUCT || !says_nothing(&d->items[i])) return false;
    }
    if (d->items != NULL || cg_kind_is_counted(d->type->kind)) return d->items != NULL || d->count == 0;
    const size_t size = (size_t)d->count * cg_kind_size(cg_leaf_kind(d->type));
    for (size_t i = 0; i < size; i++) {
        if (d->bytes[i] != 0) return false;
    }
    return true;
}

/* Whether one side's name for the number is the other's for another. */
static bool is_renamed(const cg_enum *a, const cg_enum *b, const cg_number *number) {
    const char *name = cg_enum_find(a, number);
    for (size_t i = 0; i < b->value_count && name != NULL; i++) {
        const cg_enum_value *value = &b->values[i];
        if (strcmp(value->name.text, name) == 0 && cg_number_compare(&value->value, number) != 0) return true;
    }
    return false;
}

static bool leaf_is_same(const cg_datum *sent, const cg_datum *got) {
    const cg_enum *theirs = cg_leaf_enum(sent->type), *ours = cg_leaf_enum(got->type);
    if (sent->type->kind != got->type->kind || (theirs == NULL) != (ours == NULL)) return false;
    if (!cg_datum_is_equal(sent, got)) return false;
    for (uint32_t i = 0; theirs != NULL && i < sent->count; i++) {
        const cg_number number = cg_leaf_number(sent, i);
        if (is_renamed(theirs, ours, &number) || is_renamed(ours, theirs, &number)) return false;
    }
    return true;
}

static bool is_same(const cg_datum *sent, const cg_datum *got, bool is_forward);

static const cg_datum *member_of(const cg_datum *d, const cg_field *field) {
    for (uint32_t i = 0; i < d->count; i++) {
        if (d->items[i].field == field) return &d->items[i];
    }
    return NULL;
}

/* What the writer does not have reads as its default. */
static bool is_default(const cg_datum *got, const cg_field *field) {
    const cg_literal *value = &field->default_value;
    if (!got->is_present || !field->has_default) return !got->is_present || says_nothing(got);
    if (value->kind == CG_LITERAL_TEXT) {
        return got->count == value->text_length && memcmp(got->bytes, value->text, value->text_length) == 0;
    }
    uint8_t bytes[32] = {0};
    const cg_number number = value->kind == CG_LITERAL_BOOL ? cg_number_of(value->is_true) : value->number;
    store_number(bytes, &number, cg_leaf_kind(got->type));
    return memcmp(bytes, got->bytes, cg_kind_size(cg_leaf_kind(got->type))) == 0;
}

static bool members_are_same(const cg_datum *sent, const cg_datum *got, bool is_forward) {
    const cg_struct *theirs = sent->type->structure, *ours = got->type->structure;
    if (theirs->is_wrapper != ours->is_wrapper) return false;
    for (size_t i = 0; i < theirs->field_count; i++) {
        const cg_field *field = find_field(ours->fields, ours->field_count, theirs->fields[i].name.text);
        const cg_datum *said = member_of(sent, &theirs->fields[i]);
        if (field == NULL && !is_forward && !says_nothing(said)) return false;
        if (field != NULL && !is_same(said, member_of(got, field), is_forward)) return false;
    }
    for (size_t i = 0; i < ours->field_count; i++) {
        const cg_field *field = &ours->fields[i];
        if (find_field(theirs->fields, theirs->field_count, field->name.text) != NULL) continue;
        if (!is_default(member_of(got, field), field)) return false;
    }
    return true;
}

static bool is_same(const cg_datum *sent, const cg_datum *got, bool is_forward) {
    if (sent->type->kind != got->type->kind) return false;
    if (cg_type_is_leaf(sent->type) != cg_type_is_leaf(got->type)) return false;
    if (cg_type_is_leaf(sent->type)) return leaf_is_same(sent, got);
    if (sent->type->kind == CG_STRUCT) return members_are_same(sent, got, is_forward);
    for (uint32_t i = 0; i < sent->count && sent->count == got->count; i++) {
        if (!is_same(&sent->items[i], &got->items[i], is_forward)) return false;
    }
    return sent->count == got->count;
}

/* The first field that was lost or misread; NULL when there is none. */
static const char *misread(const cg_reading *sent, const cg_reading *got, bool is_forward) {
    const cg_message *theirs = sent->message, *ours = got->message;
    for (size_t i = 0; i < theirs->field_count; i++) {
        const cg_field *field = &theirs->fields[i];
        const cg_field *read = partner(field, ours->fields, ours->field_count, is_forward);
        const cg_datum *said = &sent->fields[i];
        if (field->is_retired) continue;
        if (read == NULL && !is_forward && !says_nothing(said)) return field->name.text;
        if (read == NULL || read->is_retired) continue;
        const cg_datum *heard = &got->fields[read - ours->fields];
        if (said->is_present != heard->is_present || !is_same(said, heard, is_forward)) return field->name.text;
    }
    for (size_t i = 0; i < ours->field_count; i++) {
        const cg_field *field = &ours->fields[i];
        const bool is_known = partner(field, theirs->fields, theirs->field_count, !is_forward) != NULL;
        if (!is_known && !field->is_retired && !is_default(&got->fields[i], field)) return field->name.text;
    }
    return NULL;
}

/* ---- judging ---------------------------------------------------------------------------------------------------- */

static const cg_model *reader_of(const bpt_judge *j) { return j->is_forward ? j->before : j->now; }

static const cg_message *message_of(const cg_model *model, uint16_t tlv_type) {
    for (size_t i = 0; i < model->message_count; i++) {
        if (model->messages[i].tlv_type == tlv_type) return &model->messages[i];
    }
    return NULL;
}

static bool is_retired(const cg_model *model, uint16_t tlv_type) {
    for (size_t i = 0; i < model->retired_count; i++) {
        if (model->retired[i].tlv_type == tlv_type) return true;
    }
    return false;
}

static bool is_refused_type(const cg_model *model, uint16_t tlv_type) {
    for (size_t i = 0; i < model->range_count; i++) {
        const cg_range *range = &model->ranges[i];
        if (tlv_type >= range->first && tlv_type <= range->last) return range->unknown == CG_UNKNOWN_FAIL;
    }
    return true;
}

static bool has_partner(const bpt_judge *j, const cg_message *m) {
    const cg_model *others = reader_of(j);
    for (size_t i = 0; i < others->message_count; i++) {
        const cg_message *other = &others->messages[i];
        const char *was = j->is_forward ? m->was : other->was;
        const char *name = j->is_forward ? other->name.text : m->name.text;
        if (strcmp(other->name.text, m->name.text) == 0 || (was != NULL && strcmp(was, name) == 0)) return true;
    }
    return false;
}

static bool are_partners(const bpt_judge *j, const cg_message *sent, const cg_message *read) {
    const cg_message *before = j->is_forward ? read : sent, *now = j->is_forward ? sent : read;
    return strcmp(before->name.text, now->name.text) == 0 ||
           (now->was != NULL && strcmp(now->was, before->name.text) == 0);
}

/* What is wrong whatever the value is: nobody reads such a type. */
static const char *wrong_type(const bpt_judge *j, const cg_message *sent) {
    const cg_model *reader = reader_of(j);
    const cg_message *read = message_of(reader, sent->tlv_type);
    if (read != NULL) return are_partners(j, sent, read) ? NULL : "another message has its id";
    if (is_refused_type(reader, sent->tlv_type)) return "an unknown type is refused";
    const bool is_lost = has_partner(j, sent) || (!j->is_forward && !is_retired(reader, sent->tlv_type));
    return is_lost ? "the message is lost" : NULL;
}

/* One value; what is wrong with it, or NULL. */
static const char *try_value(bpt_judge *j, cg_arena *arena, const cg_message *sent, const cg_message *read) {
    maker m = {.arena = arena, .random = &j->random, .mode = (mode)bpt_random_below(&j->random, 8)};
    cg_datum *fields = CG_NEW_ARRAY(arena, cg_datum, sent->field_count + 1);
    cg_reading said, heard;
    const uint8_t *bytes = NULL;
    uint32_t length = 0;
    for (size_t i = 0; i < sent->field_count; i++) {
        const cg_field *field = &sent->fields[i];
        const cg_field *other = partner(field, read->fields, read->field_count, j->is_forward);
        fields[i] = make(&m, field->type, field->is_retired ? NULL : field, other == NULL ? NULL : other->type, other);
        fields[i].field = field;
        fields[i].is_present = !field->is_retired && (!field->is_optional || below(&m, 4) != 0);
    }
    if (cg_interp_write(arena, sent, fields, &bytes, &length).kind != CG_FAULT_NONE) return NULL;
    if (cg_interp_read(arena, sent, bytes, length, &said).kind != CG_FAULT_NONE) abort();
    if (cg_interp_validate(&said).kind != CG_FAULT_NONE) return NULL;
    cg_fault fault = cg_interp_read(arena, read, bytes, length, &heard);
    if (fault.kind == CG_FAULT_NONE) fault = cg_interp_validate(&heard);
    if (fault.kind != CG_FAULT_NONE) {
        return cg_arena_format(arena, "%s at %u in %s", cg_fault_name(fault.kind), fault.offset,
                               fault.field == NULL ? "no field" : fault.field->name.text);
    }
    const char *field = misread(&said, &heard, j->is_forward);
    return field == NULL ? NULL : cg_arena_format(arena, "%s means something else", field);
}

static char *search_message(bpt_judge *j, const cg_message *sent, unsigned long tries) {
    enum { BATCH = 100 };
    const char *wrong = wrong_type(j, sent);
    const cg_message *read = message_of(reader_of(j), sent->tlv_type);
    if (wrong != NULL) return strdup(wrong);
    for (unsigned long i = 0; i < tries && read != NULL; i += BATCH) {
        cg_arena *arena = cg_arena_new();
        for (unsigned k = 0; k < BATCH && wrong == NULL; k++) wrong = try_value(j, arena, sent, read);
        char *found = wrong == NULL ? NULL : strdup(wrong);
        cg_arena_free_take(&arena);
        if (found != NULL) return found;
    }
    return NULL;
}

char *bpt_judge_search(bpt_judge *judge, unsigned long tries) {
    const cg_model *writer = judge->is_forward ? judge->now : judge->before;
    char *found = NULL;
    for (size_t i = 0; i < writer->message_count && found == NULL; i++) {
        found = search_message(judge, &writer->messages[i], tries);
    }
    return found;
}
