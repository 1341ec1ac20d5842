/* Literals and rules as templates see them. */
#include "codegen/emit_map.h"
#include "codegen/traits.h"
#include "codegen/example.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- literals --------------------------------------------------------------------------------------------------- */

static bool kind_is_signed(cg_kind kind) { return kind >= CG_I8 && kind <= CG_I64; }
static bool kind_is_real(cg_kind kind) { return kind == CG_F32 || kind == CG_F64; }
static bool kind_is_wide(cg_kind kind) { return kind == CG_U128 || kind == CG_U256; }

bool cg_literal_is_zero(const cg_literal *literal) {
    const cg_number *const number = &literal->number;
    if (literal->kind == CG_LITERAL_BOOL) return !literal->is_true;
    if (literal->kind == CG_LITERAL_TEXT) return literal->text_length == 0;
    if (number->is_real) return number->real == 0.0 && !signbit(number->real);
    return (number->limb[0] | number->limb[1] | number->limb[2] | number->limb[3]) == 0;
}

/* Enough digits for the same number, and always a point or an exponent. */
static const char *real_literal(const cg_emitter *emitter, const cg_number *number, cg_kind kind) {
    const bool is_float = kind == CG_F32;
    const char *const text = cg_arena_format(emitter->arena, "%.*g", is_float ? 9 : 17, cg_number_real(number));
    const char *const point = strpbrk(text, ".e") == NULL ? ".0" : "";
    return cg_arena_format(emitter->arena, "%s%s%s", text, point, is_float ? "f" : "");
}

/* The smallest integers have no literal of their own in C. */
static const char *signed_literal(const cg_emitter *emitter, const cg_number *number, cg_kind kind) {
    const unsigned bits = 8 * cg_kind_size(kind);
    if (number->is_negative && number->limb[0] == UINT64_C(1) << (bits - 1)) {
        return cg_arena_format(emitter->arena, "INT%u_MIN", bits);
    }
    return cg_arena_format(emitter->arena, bits == 64 ? "%sINT64_C(%" PRIu64 ")" : "%s%" PRIu64,
                           number->is_negative ? "-" : "", number->limb[0]);
}

static const char *limbs_text(const cg_emitter *emitter, const cg_number *number, cg_kind kind) {
    const uint64_t *const limb = number->limb;
    const char *const low =
        cg_arena_format(emitter->arena, "UINT64_C(0x%" PRIx64 "), UINT64_C(0x%" PRIx64 ")", limb[0], limb[1]);
    if (kind == CG_U128) return low;
    return cg_arena_format(emitter->arena, "%s, UINT64_C(0x%" PRIx64 "), UINT64_C(0x%" PRIx64 ")", low, limb[2],
                           limb[3]);
}

const char *cg_emit_literal(const cg_emitter *emitter, const cg_literal *literal, cg_kind kind) {
    const cg_number *const number = &literal->number;
    if (literal->kind == CG_LITERAL_BOOL) return literal->is_true ? "true" : "false";
    if (kind_is_real(kind)) return real_literal(emitter, number, kind);
    if (kind_is_signed(kind)) return signed_literal(emitter, number, kind);
    if (kind_is_wide(kind)) {
        return cg_arena_format(emitter->arena, "bpi_%s(%s)", cg_kind_name(kind), limbs_text(emitter, number, kind));
    }
    if (kind == CG_U64) return cg_arena_format(emitter->arena, "UINT64_C(%" PRIu64 ")", number->limb[0]);
    return cg_arena_format(emitter->arena, "%" PRIu64 "u", number->limb[0]);
}

const char *cg_emit_initialiser(const cg_emitter *emitter, const cg_literal *literal, cg_kind kind) {
    if (!kind_is_wide(kind)) return cg_emit_literal(emitter, literal, kind);
    return cg_arena_format(emitter->arena, "{{%s}}", limbs_text(emitter, &literal->number, kind));
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static void set_literal(const cg_emitter *emitter, cg_value *map, const cg_literal *literal, cg_kind kind) {
    if (literal->kind == CG_LITERAL_TEXT) {
        cg_set_text(emitter->arena, map, "value", literal->text);
        cg_set_number(emitter->arena, map, "length", literal->text_length);
    } else {
        cg_set_text(emitter->arena, map, "value", cg_emit_literal(emitter, literal, kind));
    }
}

static cg_value *emit_choices(const cg_emitter *emitter, const cg_rule *rule, cg_kind kind) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < rule->choice_count; i++) {
        cg_value *const map = cg_value_map(emitter->arena);
        set_literal(emitter, map, &rule->choices[i], kind);
        cg_append(emitter->arena, list, map);
    }
    return list;
}

static cg_value *emit_rule(const cg_emitter *emitter, const cg_field *field, const cg_rule *rule) {
    cg_value *const map = cg_value_map(emitter->arena);
    const bool is_length = rule->kind == CG_RULE_MIN_LENGTH || rule->kind == CG_RULE_MAX_LENGTH;
    const cg_kind kind = is_length ? CG_U32 : cg_type_wire(field->type);
    cg_set_text(emitter->arena, map, "kind", cg_rule_name(rule->kind));
    if (kind_is_real(kind))
        cg_set_text(emitter->arena, map, "number", "real");
    else
        cg_set_text(emitter->arena, map, "number", kind_is_wide(kind) ? "wide" : "integer");
    if (is_length || rule->kind == CG_RULE_MIN || rule->kind == CG_RULE_MAX || rule->kind == CG_RULE_PREFIX) {
        set_literal(emitter, map, &rule->literal, kind);
    }
    cg_set(emitter->arena, map, "choices", emit_choices(emitter, rule, kind));
    return map;
}

cg_value *cg_emit_rules(const cg_emitter *emitter, const cg_field *field) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < field->rule_count; i++) {
        if (!cg_rule_is_checked(field, &field->rules[i])) continue;
        cg_append(emitter->arena, list, emit_rule(emitter, field, &field->rules[i]));
    }
    return list;
}
