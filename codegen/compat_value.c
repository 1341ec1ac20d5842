/* Values that one side may send and the other does not take: found by trying those at which rules can differ. For
 * numbers that is complete: what a field accepts is a range without zero, or a list, so that two such sets differ at an
 * end, beside a member, or beside zero, if they do at all. */
#include "codegen/build.h"
#include "codegen/compat_pair.h"
#include "codegen/example.h"
#include "codegen/traits.h"

#include <math.h>
#include <string.h>

enum { TEXT_MAX = 16384 + 16 /* bytes that a rule can look at */, SHOWN_MAX = 40 };

typedef struct search {
    cg_arena *arena;
    const cg_field *writer, *reader;
    cg_witnesses found;
    char *text; /* the text that is tried; TEXT_MAX bytes */
} search;

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static cg_kind kind_of(const cg_field *field) {
    return field->type->kind == CG_ENUM ? field->type->enumeration->base : field->type->kind;
}

static bool is_nan(const cg_number *number) { return number->is_real && isnan(number->real); }

static const cg_rule *broken_rule(const cg_field *field, const cg_number *number) {
    const cg_literal value = {.kind = field->type->kind == CG_BOOL ? CG_LITERAL_BOOL : CG_LITERAL_NUMBER,
                              .number = *number,
                              .is_true = number->limb[0] != 0,
                              .text = ""};
    for (size_t i = 0; i < field->rule_count && is_nan(number); i++) {
        const cg_rule_kind kind = field->rules[i].kind;
        if (kind == CG_RULE_MIN || kind == CG_RULE_MAX || kind == CG_RULE_ONE_OF) return &field->rules[i];
    }
    return is_nan(number) ? NULL : cg_rules_broken(field, &value);
}

static const cg_enum_value *named(const cg_enum *e, const cg_number *number) {
    for (size_t i = 0; i < e->value_count; i++) {
        if (cg_number_compare(&e->values[i].value, number) == 0) return &e->values[i];
    }
    return NULL;
}

static bool takes_enum(const cg_field *field, const cg_number *number) {
    return field->type->kind != CG_ENUM || field->type->enumeration->is_open ||
           named(field->type->enumeration, number) != NULL;
}

/* Whether one side calls the number by a name that the other has for another number. */
static bool is_renumbered(const search *s, const cg_number *number) {
    const cg_field *const sides[] = {s->writer, s->reader, s->writer};
    for (size_t i = 0; i < 2 && s->writer->type->kind == CG_ENUM && s->reader->type->kind == CG_ENUM; i++) {
        const cg_enum_value *value = named(sides[i]->type->enumeration, number);
        const cg_enum *other = sides[i + 1]->type->enumeration;
        const cg_enum_value *same = value == NULL ? NULL : cg_table_find(other->by_name, value->name.text);
        if (same != NULL && cg_number_compare(&same->value, number) != 0) return true;
    }
    return false;
}

static const char *show_number(const search *s, const cg_number *number) {
    char digits[CG_NUMBER_TEXT_MAX];
    const cg_enum_value *value = s->writer->type->kind == CG_ENUM ? named(s->writer->type->enumeration, number) : NULL;
    if (value != NULL) return value->name.text;
    if (s->writer->type->kind == CG_BOOL) return number->limb[0] == 0 ? "false" : "true";
    if (is_nan(number)) return "NaN";
    if (number->is_real) return cg_arena_format(s->arena, "%.9g", number->real);
    cg_number_print(number, digits);
    return cg_arena_text(s->arena, digits);
}

static void refuse(search *s, cg_refusal how, const char *value, const cg_rule *rule) {
    if (s->found.value[how] != NULL) return;
    s->found.value[how] = value;
    if (how == CG_REFUSED_RULE) s->found.rule = rule;
}

static void try_number(search *s, const cg_number *number) {
    if (!takes_enum(s->writer, number) || broken_rule(s->writer, number) != NULL) return;
    const cg_rule *broken = broken_rule(s->reader, number);
    if (!takes_enum(s->reader, number)) {
        refuse(s, CG_REFUSED_ENUM, show_number(s, number), NULL);
    } else if (broken != NULL) {
        refuse(s, CG_REFUSED_RULE, show_number(s, number), broken);
    } else if (is_renumbered(s, number)) {
        refuse(s, CG_REFUSED_NAME, show_number(s, number), NULL);
    }
}

static void try_around(search *s, const cg_number *number) {
    cg_number below = *number, above = *number;
    try_number(s, number);
    if (kind_of(s->writer) == CG_BOOL) return;
    if (cg_kind_step(kind_of(s->writer), &below, false)) try_number(s, &below);
    if (cg_kind_step(kind_of(s->writer), &above, true)) try_number(s, &above);
}

static void try_rules(search *s, const cg_field *field) {
    for (size_t i = 0; i < field->rule_count; i++) {
        const cg_rule *rule = &field->rules[i];
        if (rule->kind == CG_RULE_MIN || rule->kind == CG_RULE_MAX) try_around(s, &rule->literal.number);
        for (size_t k = 0; k < rule->choice_count; k++) try_around(s, &rule->choices[k].number);
    }
    for (size_t i = 0; field->type->kind == CG_ENUM && i < field->type->enumeration->value_count; i++) {
        try_around(s, &field->type->enumeration->values[i].value);
    }
}

static void try_numbers(search *s) {
    const cg_kind kind = kind_of(s->writer);
    const cg_number zero = cg_number_of(0), nan_number = {.is_real = true, .real = NAN};
    const cg_number infinite = {.is_real = true, .real = INFINITY}, least = {.is_real = true, .real = -INFINITY};
    const cg_number ends[] = {cg_kind_extreme(kind, false), cg_kind_extreme(kind, true)};
    try_around(s, &zero);
    for (size_t i = 0; i < 2; i++) try_number(s, &ends[i]);
    try_rules(s, s->writer);
    try_rules(s, s->reader);
    if (kind != CG_F32 && kind != CG_F64) return;
    try_number(s, &nan_number);
    try_number(s, &infinite);
    try_number(s, &least);
}

/* ---- lengths and texts ------------------------------------------------------------------------------------------ */

static const cg_rule *broken_text(const cg_field *field, const char *text, uint64_t length) {
    const cg_literal value = {.kind = CG_LITERAL_TEXT, .text = text, .text_length = (size_t)length};
    return cg_rules_broken(field, &value);
}

static const char *show_text(const search *s, uint64_t length) {
    const bool is_text = s->writer->type->kind == CG_STRING;
    if (length == 0) return is_text ? "an empty text" : s->writer->type->kind == CG_BYTES ? "no byte" : "no element";
    if (!is_text || length > SHOWN_MAX) {
        return cg_arena_format(s->arena, "%llu %s", (unsigned long long)length,
                               s->writer->type->kind == CG_VECTOR ? "elements" : "bytes");
    }
    return cg_arena_format(s->arena, "\"%.*s\"", (int)length, s->text);
}

/* Tries what is in s->text, or begins with it. */
static void try_text(search *s, uint64_t length) {
    if (length > s->writer->type->capacity || broken_text(s->writer, s->text, length) != NULL) return;
    const cg_rule *broken = broken_text(s->reader, s->text, length);
    if (length > s->reader->type->capacity)
        refuse(s, CG_REFUSED_CAPACITY, show_text(s, length), NULL);
    else if (broken != NULL)
        refuse(s, CG_REFUSED_RULE, show_text(s, length), broken);
}

/* A text of that length which begins so, filled with a letter. */
static void try_wording(search *s, const char *head, size_t head_length, uint64_t length, char fill) {
    const size_t kept = length < TEXT_MAX ? (size_t)length : TEXT_MAX;
    memset(s->text, fill, kept);
    memcpy(s->text, head, head_length < kept ? head_length : kept);
    try_text(s, length);
}

static void try_length(search *s, uint64_t length);

/* Lengths at which something can change: of bounds, of choices and prefixes. */
static void try_lengths_of(search *s, const cg_field *field) {
    const uint64_t capacity = field->type->capacity;
    try_length(s, capacity);
    try_length(s, capacity + 1);
    for (size_t i = 0; i < field->rule_count; i++) {
        const cg_rule *rule = &field->rules[i];
        const uint64_t bound = cg_number_u64(&rule->literal.number);
        const bool is_bound = rule->kind == CG_RULE_MIN_LENGTH || rule->kind == CG_RULE_MAX_LENGTH;
        if (is_bound && bound != 0) try_length(s, bound - 1);
        if (is_bound) try_length(s, bound);
        if (is_bound) try_length(s, bound + 1);
        if (rule->kind == CG_RULE_PREFIX) try_length(s, rule->literal.text_length);
        for (size_t k = 0; k < rule->choice_count; k++) {
            const cg_literal *choice = &rule->choices[k];
            try_wording(s, choice->text, choice->text_length, choice->text_length, 'a');
            try_length(s, choice->text_length + 1);
        }
    }
}

static void try_heads_of(search *s, const cg_field *field, uint64_t length) {
    for (size_t i = 0; i < field->rule_count; i++) {
        const cg_literal *prefix = &field->rules[i].literal;
        if (field->rules[i].kind != CG_RULE_PREFIX) continue;
        try_wording(s, prefix->text, prefix->text_length, length, 'a');
        try_wording(s, prefix->text, prefix->text_length, length, 'z');
    }
}

static void try_length(search *s, uint64_t length) {
    try_wording(s, "", 0, length, 'a');
    try_wording(s, "", 0, length, 'z');
    if (s->writer->type->kind != CG_STRING) return;
    try_wording(s, "0x", 2, length, 'a');
    try_wording(s, "0X", 2, length, 'a');
    try_heads_of(s, s->writer, length);
    try_heads_of(s, s->reader, length);
}

static void try_texts(search *s) {
    s->text = cg_arena_alloc(s->arena, TEXT_MAX);
    for (uint64_t length = 0; length <= 3; length++) try_length(s, length);
    try_lengths_of(s, s->writer);
    try_lengths_of(s, s->reader);
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

/* A rule of the reader's that the writer does not have, and that one value in all breaks. */
static void try_rule(search *s, cg_rule_kind kind, const char *value) {
    const cg_rule *rule = cg_field_rule(s->reader, kind);
    if (rule != NULL && cg_field_rule(s->writer, kind) == NULL) refuse(s, CG_REFUSED_RULE, value, rule);
}

static bool literal_is_equal(const cg_literal *a, const cg_literal *b) {
    if (a->kind != b->kind || a->is_true != b->is_true || a->text_length != b->text_length) return false;
    if (cg_number_compare(&a->number, &b->number) != 0) return false;
    return a->text_length == 0 || memcmp(a->text, b->text, a->text_length) == 0;
}

static bool rule_is_equal(const cg_rule *a, const cg_rule *b) {
    if (a->kind != b->kind || a->choice_count != b->choice_count) return false;
    for (size_t i = 0; i < a->choice_count; i++) {
        if (!literal_is_equal(&a->choices[i], &b->choices[i])) return false;
    }
    return literal_is_equal(&a->literal, &b->literal);
}

static bool rules_are_equal(const cg_field *a, const cg_field *b) {
    if (a->rule_count != b->rule_count) return false;
    for (size_t i = 0; i < a->rule_count; i++) {
        if (!rule_is_equal(&a->rules[i], &b->rules[i])) return false;
    }
    return true;
}

/* Whether the enums say the same, so that large ones need no search. */
static bool enums_are_equal(const cg_field *a, const cg_field *b) {
    const cg_enum *left = a->type->enumeration, *right = b->type->enumeration;
    if (left == NULL || right == NULL) return left == right;
    if (left->is_open != right->is_open || left->value_count != right->value_count) return false;
    for (size_t i = 0; i < left->value_count; i++) {
        const cg_enum_value *value = &left->values[i], *other = &right->values[i];
        if (strcmp(value->name.text, other->name.text) != 0) return false;
        if (cg_number_compare(&value->value, &other->value) != 0) return false;
    }
    return left->base == right->base;
}

cg_witnesses cg_witnesses_find(cg_arena *arena, const cg_field *writer, const cg_field *reader) {
    search s = {.arena = arena, .writer = writer, .reader = reader};
    const cg_kind kind = writer->type->kind;
    const bool is_same = rules_are_equal(writer, reader) && writer->type->capacity == reader->type->capacity;
    if (is_same && enums_are_equal(writer, reader)) return s.found;
    if (cg_kind_is_scalar(kind) || kind == CG_ENUM) try_numbers(&s);
    if (cg_kind_is_counted(kind)) try_texts(&s);
    if (kind == CG_BYTES) try_rule(&s, CG_RULE_UTF8, "the byte 0xFF");
    if (kind == CG_ARRAY) try_rule(&s, CG_RULE_NOT_ZERO, "zeros");
    return s.found;
}
