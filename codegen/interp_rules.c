/* The rules of a contract, on values that were read. */
#include "codegen/interp.h"
#include "codegen/source.h"

#include <string.h>

static bool is_real(cg_kind kind) { return kind == CG_F32 || kind == CG_F64; }

/* A literal of the contract as the field's type holds it. */
static double literal_real(const cg_literal *literal, cg_kind kind) {
    const double value = cg_number_real(&literal->number);
    return kind == CG_F32 ? (double)(float)value : value;
}

/* -1, 0 or 1 as a number is below, equal to or above the literal; 2 for NaN, which is none of these. */
static int compare(const cg_datum *leaf, const cg_literal *literal) {
    const cg_kind kind = cg_leaf_kind(leaf->type);
    if (is_real(kind)) {
        const double value = cg_leaf_real(leaf, 0), other = literal_real(literal, kind);
        return value < other ? -1 : value > other ? 1 : value == other ? 0 : 2;
    }
    const cg_number number = cg_leaf_number(leaf, 0);
    return cg_number_compare(&number, &literal->number);
}

static bool is_not_zero(const cg_datum *leaf) {
    const uint32_t size = leaf->count * cg_kind_size(cg_leaf_kind(leaf->type));
    if (is_real(cg_leaf_kind(leaf->type))) return cg_leaf_real(leaf, 0) != 0; /* -0.0 is zero, NaN is not */
    for (uint32_t i = 0; i < size; i++) {
        if (leaf->bytes[i] != 0) return true;
    }
    return false;
}

static bool is_text(const cg_datum *leaf, const cg_literal *literal) {
    return leaf->count == literal->text_length && memcmp(leaf->bytes, literal->text, leaf->count) == 0;
}

static bool begins_with(const cg_datum *leaf, const char *prefix, size_t length) {
    return leaf->count >= length && memcmp(leaf->bytes, prefix, length) == 0;
}

static bool is_chosen(const cg_datum *leaf, const cg_rule *rule) {
    for (size_t i = 0; i < rule->choice_count; i++) {
        const cg_literal *choice = &rule->choices[i];
        if (choice->kind == CG_LITERAL_TEXT ? is_text(leaf, choice) : compare(leaf, choice) == 0) return true;
    }
    return false;
}

static bool is_utf8(const cg_datum *leaf) {
    for (uint32_t at = 0; at < leaf->count;) {
        const uint32_t step = cg_utf8_length(leaf->bytes + at, leaf->count - at);
        if (step == 0) return false;
        at += step;
    }
    return true;
}

static bool obeys(const cg_datum *datum, const cg_rule *rule) {
    const uint64_t length = cg_number_u64(&rule->literal.number);
    int order;
    switch (rule->kind) {
    case CG_RULE_MIN: order = compare(datum, &rule->literal); return order == 0 || order == 1;
    case CG_RULE_MAX: order = compare(datum, &rule->literal); return order == 0 || order == -1;
    case CG_RULE_NOT_ZERO: return is_not_zero(datum);
    case CG_RULE_NOT_EMPTY: return datum->count != 0;
    case CG_RULE_MIN_LENGTH: return datum->count >= length;
    case CG_RULE_MAX_LENGTH: return datum->count <= length;
    case CG_RULE_ONE_OF: return is_chosen(datum, rule);
    case CG_RULE_PREFIX: return begins_with(datum, rule->literal.text, rule->literal.text_length);
    case CG_RULE_NO_0X_PREFIX: return !begins_with(datum, "0x", 2) && !begins_with(datum, "0X", 2);
    case CG_RULE_UTF8: return is_utf8(datum);
    case CG_RULE_MONOTONIC: return true; /* one value alone cannot fall */
    case CG_RULE_HOOK: return true;      /* only the user's program knows */
    }
    return true;
}

/* Whether a datum and all inside it keep their rules. Nobody can break a rule by what he did not say. */
static bool is_good(const cg_datum *datum) {
    if (datum->field != NULL && !datum->is_present) return true;
    for (uint32_t i = 0; datum->items != NULL && i < datum->count; i++) {
        if (!is_good(&datum->items[i])) return false;
    }
    for (size_t i = 0; datum->field != NULL && i < datum->field->rule_count; i++) {
        if (!obeys(datum, &datum->field->rules[i])) return false;
    }
    return true;
}

cg_fault cg_interp_validate(const cg_reading *reading) {
    for (size_t i = 0; i < reading->message->field_count; i++) {
        const cg_datum *datum = &reading->fields[i];
        if (is_good(datum)) continue;
        const uint32_t at = datum->tail_size != 0 ? datum->tail_offset : datum->offset;
        return (cg_fault){.kind = CG_FAULT_RULE, .offset = at, .field = datum->field};
    }
    return (cg_fault){.kind = CG_FAULT_NONE};
}
