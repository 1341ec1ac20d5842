#include "codegen/example.h"

#include "codegen/build.h"
#include "codegen/traits.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    CHOICES_MAX = 64,        /* of one_of and of an enum, that are tried */
    TEXT_MAX = 16 * 1024 + 1 /* more than any text of a contract has */
};

static cg_kind wire_of(const cg_field *field) {
    return field->type->kind == CG_ENUM ? field->type->enumeration->base : field->type->kind;
}

/* ---- kinds ------------------------------------------------------------------------------------------------------ */

static bool is_signed(cg_kind kind) { return kind >= CG_I8 && kind <= CG_I64; }
static bool is_real(cg_kind kind) { return kind == CG_F32 || kind == CG_F64; }

cg_number cg_kind_extreme(cg_kind kind, bool is_largest) {
    const unsigned bits = kind == CG_BOOL ? 1 : 8 * cg_kind_size(kind);
    cg_number number = {.limb = {0}};
    if (is_real(kind)) {
        const double largest = kind == CG_F32 ? (double)FLT_MAX : DBL_MAX;
        number = (cg_number){.is_real = true, .real = is_largest ? largest : -largest};
    } else if (is_signed(kind)) {
        number.limb[0] = (UINT64_C(1) << (bits - 1)) - (is_largest ? 1 : 0);
        number.is_negative = !is_largest;
    } else if (is_largest) {
        for (unsigned i = 0; i < 4; i++) number.limb[i] = bits >= 64 * (i + 1) ? UINT64_MAX : 0;
        if (bits < 64) number.limb[0] = (UINT64_C(1) << bits) - 1;
    }
    return number;
}

/* Adds or takes one; the number is none of the ends of 256 bits. */
static void step_integer(cg_number *number, bool is_up) {
    const bool is_zero = (number->limb[0] | number->limb[1] | number->limb[2] | number->limb[3]) == 0;
    const bool grows = is_zero || is_up != number->is_negative;
    if (is_zero) number->is_negative = !is_up;
    for (int i = 0; i < 4; i++) {
        number->limb[i] += grows ? 1 : UINT64_MAX;
        if (number->limb[i] != (grows ? 0 : UINT64_MAX)) break;
    }
    if ((number->limb[0] | number->limb[1] | number->limb[2] | number->limb[3]) == 0) number->is_negative = false;
}

bool cg_kind_step(cg_kind kind, cg_number *number, bool is_up) {
    const cg_number extreme = cg_kind_extreme(kind, is_up);
    const double from = cg_number_real(number), towards = is_up ? INFINITY : -INFINITY;
    if (cg_number_compare(number, &extreme) == 0) return false;
    if (!is_real(kind)) {
        step_integer(number, is_up);
        return true;
    }
    const double next = kind == CG_F32 ? (double)nextafterf((float)from, (float)towards) : nextafter(from, towards);
    *number = (cg_number){.is_real = true, .real = next};
    return true;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static bool keeps(const cg_field *field, const cg_number *number) {
    const cg_literal literal = {.kind = CG_LITERAL_NUMBER, .number = *number, .text = ""};
    return cg_rules_broken(field, &literal) == NULL;
}

static bool is_known(const cg_enum *enumeration, const cg_number *number) {
    for (size_t i = 0; i < enumeration->value_count; i++) {
        if (cg_number_compare(&enumeration->values[i].value, number) == 0) return true;
    }
    return false;
}

/* What the field's value is one of, in any order: the choices of one_of, or the values of a closed enum. */
typedef struct options {
    const cg_literal *choices;
    const cg_enum_value *values;
    size_t count;
} options;

static options options_of(const cg_field *field) {
    const cg_rule *const one_of = cg_field_rule(field, CG_RULE_ONE_OF);
    if (one_of != NULL) return (options){.choices = one_of->choices, .count = one_of->choice_count};
    if (!cg_type_is_closed(field->type)) return (options){.count = 0};
    return (options){.values = field->type->enumeration->values, .count = field->type->enumeration->value_count};
}

static const cg_number *option_at(const options *all, size_t ix) {
    return all->choices != NULL ? &all->choices[ix].number : &all->values[ix].value;
}

/* The smallest or largest option that keeps the rules; false when none does. */
static bool best_option(const cg_field *field, const options *all, bool is_most, cg_number *out) {
    bool is_found = false;
    for (size_t i = 0; i < all->count; i++) {
        const cg_number *const option = option_at(all, i);
        if (!keeps(field, option)) continue;
        const int order = is_found ? cg_number_compare(option, out) : 0;
        if (!is_found || (is_most ? order > 0 : order < 0)) *out = *option;
        is_found = true;
    }
    return is_found;
}

/* The end of the range that the type and the rules min, max and not_zero leave. */
static cg_number end_of_range(const cg_field *field, bool is_most) {
    const cg_kind kind = wire_of(field);
    const cg_rule *const bound = cg_field_rule(field, is_most ? CG_RULE_MAX : CG_RULE_MIN);
    const cg_number zero = cg_number_of(0);
    cg_number end = bound != NULL ? bound->literal.number : cg_kind_extreme(kind, is_most);
    if (cg_field_rule(field, CG_RULE_NOT_ZERO) != NULL && cg_number_compare(&end, &zero) == 0) {
        (void)cg_kind_step(kind, &end, !is_most);
    }
    return end;
}

static bool find_number(const cg_field *field, bool is_most, cg_number *out) {
    const options all = options_of(field);
    if (all.count != 0) return best_option(field, &all, is_most, out);
    *out = end_of_range(field, is_most);
    return keeps(field, out);
}

cg_number cg_example_number(const cg_field *field, bool is_most) {
    cg_number number = cg_number_of(0);
    (void)find_number(field, is_most, &number);
    return number;
}

bool cg_example_is_range(const cg_field *field) {
    const cg_number least = cg_example_number(field, false), zero = cg_number_of(0);
    if (options_of(field).count != 0) return false;
    return cg_field_rule(field, CG_RULE_NOT_ZERO) == NULL || cg_number_compare(&least, &zero) > 0;
}

bool cg_example_unknown(const cg_enum *enumeration, cg_number *out) {
    *out = cg_kind_extreme(enumeration->base, false);
    while (is_known(enumeration, out)) {
        if (!cg_kind_step(enumeration->base, out, true)) return false;
    }
    return true;
}

/* ---- lengths and text ------------------------------------------------------------------------------------------- */

static uint32_t length_of_rule(const cg_field *field, cg_rule_kind kind, uint32_t otherwise) {
    const cg_rule *const rule = cg_field_rule(field, kind);
    return rule == NULL ? otherwise : (uint32_t)cg_number_u64(&rule->literal.number);
}

static uint32_t larger(uint32_t left, uint32_t right) { return left > right ? left : right; }

uint32_t cg_example_count(const cg_field *field, bool is_most) {
    const cg_rule *const prefix = cg_field_rule(field, CG_RULE_PREFIX);
    if (is_most) return length_of_rule(field, CG_RULE_MAX_LENGTH, field->type->capacity);
    const uint32_t least = length_of_rule(field, CG_RULE_MIN_LENGTH, 0);
    const uint32_t begun = prefix == NULL ? 0 : (uint32_t)prefix->literal.text_length;
    return larger(larger(least, begun), cg_field_rule(field, CG_RULE_NOT_EMPTY) != NULL);
}

static bool keeps_text(const cg_field *field, const char *text, uint32_t length) {
    const cg_literal literal = {.kind = CG_LITERAL_TEXT, .text = text, .text_length = length};
    return cg_rules_broken(field, &literal) == NULL;
}

/* The shortest or longest choice that keeps the rules; false when none does. */
static bool best_choice(const cg_field *field, const cg_rule *one_of, bool is_most, cg_wording *out) {
    bool is_found = false;
    for (size_t i = 0; i < one_of->choice_count; i++) {
        const cg_literal *const choice = &one_of->choices[i];
        const uint32_t length = (uint32_t)choice->text_length;
        if (!keeps_text(field, choice->text, length)) continue;
        if (!is_found || (is_most ? length > out->length : length < out->length)) {
            *out = (cg_wording){choice->text, length, length};
        }
        is_found = true;
    }
    return is_found;
}

static bool find_wording(const cg_field *field, bool is_most, cg_wording *out) {
    const cg_rule *const one_of = cg_field_rule(field, CG_RULE_ONE_OF), *const prefix =
                                                                            cg_field_rule(field, CG_RULE_PREFIX);
    const uint32_t least = cg_example_count(field, false), most = cg_example_count(field, true);
    if (one_of != NULL) return best_choice(field, one_of, is_most, out);
    *out = (cg_wording){"", 0, is_most ? most : least};
    if (prefix != NULL) out->head = prefix->literal.text, out->head_length = prefix->literal.text_length;
    if (least > most) return false;
    /* Letters behind the prefix "0" are never an x, so the prefix alone can begin with 0x. */
    return cg_field_rule(field, CG_RULE_NO_0X_PREFIX) == NULL || out->head_length < 2 ||
           (memcmp(out->head, "0x", 2) != 0 && memcmp(out->head, "0X", 2) != 0);
}

cg_wording cg_example_wording(const cg_field *field, bool is_most) {
    cg_wording wording = {.head = ""};
    (void)find_wording(field, is_most, &wording);
    return wording;
}

bool cg_example_exists(const cg_field *field) {
    const cg_kind kind = field->type->kind;
    cg_number number;
    cg_wording wording;
    if (kind == CG_STRING || kind == CG_BYTES) return find_wording(field, false, &wording);
    if (kind == CG_VECTOR) return cg_example_count(field, false) <= cg_example_count(field, true);
    if (kind > CG_ENUM) return true;
    return find_number(field, false, &number) && find_number(field, true, &number);
}

/* ---- trials ----------------------------------------------------------------------------------------------------- */

typedef struct collector {
    cg_arena *arena;
    const cg_field *field;
    cg_trials trials;
} collector;

static void add(collector *c, const cg_trial *trial) {
    c->trials.items = cg_arena_grow(c->arena, c->trials.items, c->trials.count, sizeof *trial);
    c->trials.items[c->trials.count++] = *trial;
}

static void add_number(collector *c, const cg_number *number) {
    const cg_type *const type = c->field->type;
    for (size_t i = 0; i < c->trials.count; i++) {
        if (cg_number_compare(&c->trials.items[i].number, number) == 0) return;
    }
    cg_outcome outcome = keeps(c->field, number) ? CG_OUTCOME_ACCEPTED : CG_OUTCOME_BROKEN;
    if (cg_type_is_closed(type) && !is_known(type->enumeration, number)) outcome = CG_OUTCOME_MALFORMED;
    add(c, &(cg_trial){.outcome = outcome, .number = *number});
}

/* The number and the two beside it, where the type has them. */
static void add_around(collector *c, const cg_number *number) {
    cg_number below = *number, above = *number;
    if (cg_kind_step(wire_of(c->field), &below, false)) add_number(c, &below);
    add_number(c, number);
    if (cg_kind_step(wire_of(c->field), &above, true)) add_number(c, &above);
}

/* What is not a number keeps no min, max and one_of. */
static void add_nan(collector *c) {
    const bool is_bounded = cg_field_rule(c->field, CG_RULE_MIN) != NULL ||
                            cg_field_rule(c->field, CG_RULE_MAX) != NULL ||
                            cg_field_rule(c->field, CG_RULE_ONE_OF) != NULL;
    add(c, &(cg_trial){.outcome = is_bounded ? CG_OUTCOME_BROKEN : CG_OUTCOME_ACCEPTED, .is_nan = true});
}

static void try_enum(collector *c, const cg_enum *enumeration) {
    cg_number unknown;
    for (size_t i = 0; i < enumeration->value_count && i < CHOICES_MAX; i++) {
        add_number(c, &enumeration->values[i].value);
    }
    if (cg_example_unknown(enumeration, &unknown)) add_number(c, &unknown);
}

static void try_numbers(collector *c) {
    const cg_kind kind = wire_of(c->field);
    const cg_rule *const min = cg_field_rule(c->field, CG_RULE_MIN), *const max = cg_field_rule(c->field, CG_RULE_MAX);
    const options all = options_of(c->field);
    const cg_number extremes[] = {cg_kind_extreme(kind, false), cg_number_of(0), cg_kind_extreme(kind, true)};
    for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++) add_number(c, &extremes[i]);
    if (kind == CG_BOOL) return;
    if (min != NULL) add_around(c, &min->literal.number);
    if (max != NULL) add_around(c, &max->literal.number);
    for (size_t i = 0; i < all.count && i < CHOICES_MAX; i++) add_around(c, option_at(&all, i));
    if (c->field->type->kind == CG_ENUM) try_enum(c, c->field->type->enumeration);
    if (is_real(kind)) add_nan(c);
}

static void add_length(collector *c, const cg_wording *model, uint64_t length) {
    const cg_type *const type = c->field->type;
    const uint64_t countable = (UINT64_C(1) << 8 * type->count_size) - 1;
    cg_wording wording = {model->head, model->head_length, (uint32_t)length};
    if (wording.head_length > length) wording.head_length = length;
    if (length > countable) return;
    for (size_t i = 0; i < c->trials.count; i++) {
        if (c->trials.items[i].wording.length == length) return;
    }
    /* Beginnings decide, and with one_of all of it; but no choice is longer than a text of a contract. */
    const bool is_whole = cg_field_rule(c->field, CG_RULE_ONE_OF) != NULL && length < TEXT_MAX;
    const size_t size = is_whole ? (size_t)length : model->head_length;
    char *const text = cg_arena_alloc(c->arena, size + 2);
    memset(text, 'a', size + 2);
    memcpy(text, wording.head, wording.head_length);
    cg_outcome outcome = keeps_text(c->field, text, wording.length) ? CG_OUTCOME_ACCEPTED : CG_OUTCOME_BROKEN;
    if (length > type->capacity) outcome = CG_OUTCOME_BOUND;
    add(c, &(cg_trial){.outcome = outcome, .number = cg_number_of(length), .wording = wording});
}

/* Every bound of the length, and beside it. */
static void try_lengths(collector *c) {
    const cg_wording model = cg_example_wording(c->field, true);
    const uint64_t bounds[] = {0, cg_example_count(c->field, false), cg_example_count(c->field, true),
                               c->field->type->capacity};
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        if (bounds[i] != 0) add_length(c, &model, bounds[i] - 1);
        add_length(c, &model, bounds[i]);
        add_length(c, &model, bounds[i] + 1);
    }
}

/* A text of its own. The caller says whether it is UTF-8, as every text of a contract is. */
static void add_text(collector *c, const char *text, size_t length, bool is_utf8) {
    const bool is_kept =
        keeps_text(c->field, text, (uint32_t)length) && (is_utf8 || cg_field_rule(c->field, CG_RULE_UTF8) == NULL);
    if (length > c->field->type->capacity) return;
    add(c, &(cg_trial){.outcome = is_kept ? CG_OUTCOME_ACCEPTED : CG_OUTCOME_BROKEN,
                       .wording = {text, length, (uint32_t)length}});
}

static void try_texts(collector *c) {
    const cg_rule *const one_of = cg_field_rule(c->field, CG_RULE_ONE_OF), *const prefix =
                                                                               cg_field_rule(c->field, CG_RULE_PREFIX);
    for (size_t i = 0; one_of != NULL && i < one_of->choice_count && i < CHOICES_MAX; i++) {
        add_text(c, one_of->choices[i].text, one_of->choices[i].text_length, true);
    }
    if (prefix != NULL && prefix->literal.text_length != 0) {
        char *const other = cg_arena_copy(c->arena, prefix->literal.text, prefix->literal.text_length);
        other[0] = other[0] == '?' ? '!' : '?';
        add_text(c, other, prefix->literal.text_length, true);
    }
    if (cg_field_rule(c->field, CG_RULE_NO_0X_PREFIX) != NULL) {
        add_text(c, "0x", 2, true);
        add_text(c, "0X1", 3, true);
        add_text(c, "0", 1, true);
        add_text(c, "x0", 2, true);
    }
    if (cg_field_rule(c->field, CG_RULE_UTF8) != NULL) {
        add_text(c, "\xFF", 1, false);
        add_text(c, "\xC0\x80", 2, false);
        add_text(c, "\xE2\x82", 2, false);
        add_text(c, "\xE2\x82\xAC", 3, true);
    }
}

cg_trials cg_example_trials(cg_arena *arena, const cg_field *field) {
    collector c = {.arena = arena, .field = field};
    const cg_kind kind = field->type->kind;
    if (kind <= CG_ENUM) try_numbers(&c);
    if (cg_kind_is_counted(kind)) try_lengths(&c);
    if (kind == CG_STRING || kind == CG_BYTES) try_texts(&c);
    return c.trials;
}
