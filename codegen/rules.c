#include "codegen/build.h"
#include "codegen/example.h"
#include "codegen/schema.h"
#include "codegen/traits.h"

#include <float.h>
#include <string.h>

/* ---- literals --------------------------------------------------------------------------------------------------- */

static const struct {
    unsigned bits;
    bool is_signed;
} integers[] = {
    [CG_U8] = {8, false},     [CG_U16] = {16, false},   [CG_U32] = {32, false}, [CG_U64] = {64, false},
    [CG_I8] = {8, true},      [CG_I16] = {16, true},    [CG_I32] = {32, true},  [CG_I64] = {64, true},
    [CG_U128] = {128, false}, [CG_U256] = {256, false},
};

static bool is_real_kind(cg_kind kind) { return kind == CG_F32 || kind == CG_F64; }

static bool is_integer_kind(cg_kind kind) { return kind != CG_BOOL && cg_kind_is_scalar(kind) && !is_real_kind(kind); }

static bool read_integer(cg_builder *b, cg_kind kind, const cg_node *at, cg_diag_id id, cg_number *out) {
    const cg_number_outcome outcome = cg_number_parse(at->text, out);
    if (outcome == CG_NUMBER_NOT_ONE) {
        cg_report(b->diags, id, at->span, "this must be an integer, as the type is %s", cg_kind_name(kind));
        return false;
    }
    if (outcome == CG_NUMBER_OK && cg_number_fits(out, integers[kind].bits, integers[kind].is_signed)) return true;
    cg_report(b->diags, id, at->span, "this does not fit in %s", cg_kind_name(kind));
    return false;
}

/* What a program compares with is an f32: so is what is said of it. */
static void round_to_f32(cg_number *number) {
    const double real = cg_number_real(number), rounded = (double)(float)real;
    if (rounded != real) *number = (cg_number){.is_real = true, .real = rounded, .text = number->text};
}

static bool read_real(cg_builder *b, cg_kind kind, const cg_node *at, cg_diag_id id, cg_number *out) {
    const cg_number_outcome outcome = cg_number_parse_real(at->text, out);
    if (outcome == CG_NUMBER_NOT_ONE) {
        cg_report(b->diags, id, at->span, "this must be a number, as the type is %s", cg_kind_name(kind));
        return false;
    }
    const cg_number most = {.is_real = true, .real = FLT_MAX}, least = {.is_real = true, .real = -FLT_MAX};
    const bool is_wide = kind == CG_F64;
    if (outcome == CG_NUMBER_OK &&
        (is_wide || (cg_number_compare(out, &most) <= 0 && cg_number_compare(out, &least) >= 0))) {
        if (!is_wide) round_to_f32(out);
        return true;
    }
    cg_report(b->diags, id, at->span, "this does not fit in %s", cg_kind_name(kind));
    return false;
}

static bool read_enum_value(cg_builder *b, const cg_enum *e, const cg_node *at, cg_diag_id id, cg_number *out) {
    const cg_enum_value *value = e->by_name == NULL ? NULL : cg_table_find(e->by_name, at->text);
    if (value != NULL) {
        *out = value->value;
        return true;
    }
    cg_guess guess = cg_guess_of(at->text);
    const bool is_guessing = b->guess_count++ < CG_GUESSES_MAX;
    for (size_t i = 0; i < e->value_count && is_guessing; i++) cg_guess_offer(&guess, e->values[i].name.text);
    cg_report(b->diags, id, at->span, "'%.64s' is no value of %s", at->text, e->name.text);
    cg_suggest(b->diags, &guess);
    return false;
}

static bool read_bool(cg_builder *b, const cg_node *at, cg_diag_id id, bool *out) {
    *out = strcmp(at->text, "true") == 0;
    if (*out || strcmp(at->text, "false") == 0) return true;
    cg_report(b->diags, id, at->span, "this must be true or false, as the type is bool");
    return false;
}

static bool read_string(cg_builder *b, const cg_type *type, const cg_node *at, cg_diag_id id, cg_literal *out) {
    out->text = at->text;
    out->text_length = at->length;
    if (at->length <= type->capacity) return true;
    cg_report(b->diags, id, at->span, "this has %u bytes, the field holds %u", at->length, type->capacity);
    return false;
}

bool cg_literal_read(cg_builder *builder, const cg_type *type, const cg_node *at, cg_diag_id id, cg_literal *out) {
    *out = (cg_literal){.kind = CG_LITERAL_NUMBER, .text = ""};
    if (at->is_bad) return false;
    if (at->kind != CG_SCALAR) {
        cg_report(builder->diags, id, cg_node_place(at), "this must be a single value");
        return false;
    }
    if (type->kind == CG_ENUM) return read_enum_value(builder, type->enumeration, at, id, &out->number);
    if (is_real_kind(type->kind)) return read_real(builder, type->kind, at, id, &out->number);
    if (is_integer_kind(type->kind)) return read_integer(builder, type->kind, at, id, &out->number);
    if (type->kind == CG_BOOL) {
        out->kind = CG_LITERAL_BOOL;
        return read_bool(builder, at, id, &out->is_true);
    }
    out->kind = CG_LITERAL_TEXT;
    return read_string(builder, type, at, id, out);
}

/* ---- whether a literal obeys ------------------------------------------------------------------------------------ */

static bool is_equal(const cg_literal *left, const cg_literal *right) {
    if (left->kind == CG_LITERAL_BOOL) return left->is_true == right->is_true;
    if (left->kind == CG_LITERAL_NUMBER) return cg_number_compare(&left->number, &right->number) == 0;
    return left->text_length == right->text_length && memcmp(left->text, right->text, left->text_length) == 0;
}

static bool is_chosen(const cg_rule *rule, const cg_literal *value) {
    for (size_t i = 0; i < rule->choice_count; i++) {
        if (is_equal(&rule->choices[i], value)) return true;
    }
    return false;
}

static bool begins_with(const cg_literal *value, const char *prefix, size_t length) {
    return value->text_length >= length && memcmp(value->text, prefix, length) == 0;
}

static bool obeys(const cg_rule *rule, const cg_literal *value) {
    const cg_number zero = cg_number_of(0);
    const uint64_t length = cg_number_u64(&rule->literal.number);
    switch (rule->kind) {
    case CG_RULE_MIN: return cg_number_compare(&value->number, &rule->literal.number) >= 0;
    case CG_RULE_MAX: return cg_number_compare(&value->number, &rule->literal.number) <= 0;
    case CG_RULE_NOT_ZERO: return cg_number_compare(&value->number, &zero) != 0;
    case CG_RULE_NOT_EMPTY: return value->text_length != 0;
    case CG_RULE_MIN_LENGTH: return value->text_length >= length;
    case CG_RULE_MAX_LENGTH: return value->text_length <= length;
    case CG_RULE_ONE_OF: return is_chosen(rule, value);
    case CG_RULE_PREFIX: return begins_with(value, rule->literal.text, rule->literal.text_length);
    case CG_RULE_NO_0X_PREFIX: return !begins_with(value, "0x", 2) && !begins_with(value, "0X", 2);
    case CG_RULE_UTF8: return true;      /* contracts are UTF-8 */
    case CG_RULE_MONOTONIC: return true; /* one value alone cannot fall */
    case CG_RULE_HOOK: return true;      /* only the user's program knows */
    }
    return true;
}

const cg_rule *cg_rules_broken(const cg_field *field, const cg_literal *value) {
    for (size_t i = 0; i < field->rule_count; i++) {
        if (!obeys(&field->rules[i], value)) return &field->rules[i];
    }
    return NULL;
}

/* ---- reading rules ---------------------------------------------------------------------------------------------- */

static const char *const rule_names[] = {
    [CG_RULE_MIN] = "min",
    [CG_RULE_MAX] = "max",
    [CG_RULE_NOT_ZERO] = "not_zero",
    [CG_RULE_NOT_EMPTY] = "not_empty",
    [CG_RULE_MIN_LENGTH] = "min_length",
    [CG_RULE_MAX_LENGTH] = "max_length",
    [CG_RULE_ONE_OF] = "one_of",
    [CG_RULE_PREFIX] = "prefix",
    [CG_RULE_NO_0X_PREFIX] = "no_0x_prefix",
    [CG_RULE_UTF8] = "utf8",
    [CG_RULE_MONOTONIC] = "monotonic",
};
enum { RULE_KINDS = sizeof rule_names / sizeof rule_names[0] };

const char *cg_rule_name(cg_rule_kind kind) { return rule_names[kind]; }

const cg_node *cg_rules_find(const cg_node *validation, const char *name) {
    if (validation == NULL) return NULL;
    for (const cg_node *item = validation->first; item != NULL; item = item->next) {
        const cg_node *entry = cg_entry(item, name);
        if (entry != NULL) return entry;
    }
    return NULL;
}

static bool applies(cg_rule_kind rule, const cg_type *type) {
    const bool is_number = cg_kind_is_scalar(type->kind) && type->kind != CG_BOOL;
    const bool is_byte_array = type->kind == CG_ARRAY && type->element->kind == CG_U8;
    switch (rule) {
    case CG_RULE_MIN:
    case CG_RULE_MAX:
    case CG_RULE_MONOTONIC: return is_number;
    case CG_RULE_NOT_ZERO: return is_number || is_byte_array || type->kind == CG_ENUM;
    case CG_RULE_NOT_EMPTY:
    case CG_RULE_MIN_LENGTH:
    case CG_RULE_MAX_LENGTH: return cg_kind_is_counted(type->kind);
    case CG_RULE_ONE_OF: return is_number || type->kind == CG_ENUM || type->kind == CG_STRING;
    case CG_RULE_PREFIX:
    case CG_RULE_NO_0X_PREFIX: return type->kind == CG_STRING;
    case CG_RULE_UTF8: return type->kind == CG_STRING || type->kind == CG_BYTES;
    case CG_RULE_HOOK:
        return type->kind != CG_STRUCT && type->kind != CG_VECTOR && (type->kind != CG_ARRAY || is_byte_array);
    }
    return false;
}

/* max_length may not be more than the type's own bound, nor min_length. */
static bool read_length(cg_builder *b, const cg_type *type, const cg_node *entry, cg_literal *out) {
    uint64_t length = 0;
    (void)cg_read_bytes(entry->text, &length);
    *out = (cg_literal){.kind = CG_LITERAL_NUMBER, .number = cg_number_of(length), .text = ""};
    out->number.text = entry->text;
    if (length <= type->capacity) return true;
    cg_report(b->diags, CG_E_RULE_VALUE, entry->span, "the type holds at most %u", type->capacity);
    return false;
}

static bool read_choices(cg_builder *b, const cg_type *type, const cg_node *list, cg_rule *rule) {
    bool is_read = list->count != 0;
    if (!is_read) cg_report(b->diags, CG_E_RULE_CONFLICT, list->span, "one_of needs at least one value");
    rule->choices = CG_NEW_ARRAY(b->arena, cg_literal, list->count);
    for (const cg_node *item = list->first; item != NULL; item = item->next) {
        is_read = cg_literal_read(b, type, item, CG_E_RULE_VALUE, &rule->choices[rule->choice_count++]) && is_read;
    }
    return is_read;
}

/* Reads the rule's value. False when there is no rule: it is switched off, or wrong and reported. */
static bool read_value(cg_builder *b, const cg_type *type, const cg_node *entry, cg_rule *rule) {
    rule->literal.text = "";
    switch (rule->kind) {
    case CG_RULE_MIN:
    case CG_RULE_MAX:
    case CG_RULE_PREFIX: return cg_literal_read(b, type, entry, CG_E_RULE_VALUE, &rule->literal);
    case CG_RULE_MIN_LENGTH:
    case CG_RULE_MAX_LENGTH: return read_length(b, type, entry, &rule->literal);
    case CG_RULE_ONE_OF: return read_choices(b, type, entry, rule);
    default: return strcmp(entry->text, "true") == 0;
    }
}

static void add_rule(cg_builder *b, cg_field *field, const cg_rule *rule) {
    field->rules = cg_arena_grow(b->arena, field->rules, field->rule_count, sizeof *rule);
    field->rules[field->rule_count++] = *rule;
}

/* The kind of a rule of the language, or the hook. False when it is neither, which was reported. */
static bool find_rule(cg_builder *b, const cg_node *entry, cg_rule *rule, cg_hook **hook) {
    const char *name = entry->key->text;
    size_t kind = 0;
    while (kind < RULE_KINDS && strcmp(rule_names[kind], name) != 0) kind++;
    rule->kind = (cg_rule_kind)kind;
    *hook = NULL;
    if (kind < RULE_KINDS) return true;
    rule->kind = CG_RULE_HOOK;
    rule->hook = *hook = cg_table_find(&b->hooks, name);
    return *hook != NULL;
}

static bool check_applies(cg_builder *b, const cg_type *type, const cg_rule *rule, bool is_message) {
    const cg_node *name = rule->at->key;
    if (!applies(rule->kind, type)) {
        cg_report(b->diags, CG_E_RULE_TYPE, name->span, "'%s' does not apply to %.64s", name->text, type->spelling);
        return false;
    }
    if (rule->kind != CG_RULE_MONOTONIC || is_message) return true;
    cg_report(b->diags, CG_E_RULE_TYPE, name->span, "'monotonic' is for fields of messages, not of types");
    return false;
}

static const cg_rule *find_same(const cg_field *field, const cg_rule *rule) {
    for (size_t i = 0; i < field->rule_count; i++) {
        if (field->rules[i].kind == rule->kind && field->rules[i].hook == rule->hook) return &field->rules[i];
    }
    return NULL;
}

static void read_rule(cg_builder *b, cg_field *field, const cg_node *entry, bool is_message) {
    cg_rule rule = {.at = entry};
    cg_hook *hook;
    if (entry->is_bad || !find_rule(b, entry, &rule, &hook)) return;
    if (!check_applies(b, field->type, &rule, is_message)) return;
    const cg_rule *earlier = find_same(field, &rule);
    if (earlier != NULL) {
        cg_report(b->diags, CG_E_RULE_TWICE, entry->key->span, "'%s' stands twice", entry->key->text);
        cg_note(b->diags, earlier->at->key->span, "first here");
        return;
    }
    if (!read_value(b, field->type, entry, &rule)) return;
    if (hook == NULL || cg_hook_use(b, hook, field->type, entry)) add_rule(b, field, &rule);
}

static bool check_order(cg_builder *b, const cg_field *field, cg_rule_kind low, cg_rule_kind high) {
    const cg_rule *least = cg_field_rule(field, low), *most = cg_field_rule(field, high);
    if (least == NULL || most == NULL) return true;
    if (cg_number_compare(&least->literal.number, &most->literal.number) <= 0) return true;
    cg_report(b->diags, CG_E_RULE_CONFLICT, least->at->span, "no value is both at least this ...");
    cg_note(b->diags, most->at->span, "... and at most this");
    return false;
}

/* Rules that contradict each other would refuse every message. */
static void check_possible(cg_builder *b, const cg_field *field, const cg_node *validation) {
    if (!check_order(b, field, CG_RULE_MIN, CG_RULE_MAX)) return;
    if (!check_order(b, field, CG_RULE_MIN_LENGTH, CG_RULE_MAX_LENGTH)) return;
    if (field->rule_count == 0 || cg_example_exists(field)) return;
    cg_report(b->diags, CG_E_RULE_CONFLICT, cg_node_place(validation),
              "no value keeps all of these rules; drop or change one");
}

void cg_rules_read(cg_builder *builder, cg_field *field, const cg_node *validation, bool is_message) {
    if (validation == NULL && field->type->kind != CG_STRING) return;
    for (const cg_node *item = validation == NULL ? NULL : validation->first; item != NULL; item = item->next) {
        for (const cg_node *entry = item->first; entry != NULL && item->kind == CG_MAP; entry = entry->next) {
            read_rule(builder, field, entry, is_message);
        }
    }
    check_possible(builder, field, validation);
    if (field->type->kind == CG_STRING && cg_field_rule(field, CG_RULE_UTF8) == NULL) {
        add_rule(builder, field, &(cg_rule){.kind = CG_RULE_UTF8, .literal = {.text = ""}, .at = field->at});
    }
}
