#include "codegen/interp.h"

#include <string.h>

const char *cg_fault_name(cg_fault_kind kind) {
    static const char *const names[] = {
        [CG_FAULT_NONE] = "none",   [CG_FAULT_TRUNCATED] = "truncated", [CG_FAULT_MALFORMED] = "malformed",
        [CG_FAULT_BOUND] = "bound", [CG_FAULT_RULE] = "rule",
    };
    return names[kind];
}

/* ---- leaves ----------------------------------------------------------------------------------------------------- */

bool cg_type_is_leaf(const cg_type *type) {
    return type->element == NULL ? type->kind != CG_STRUCT : type->element->kind <= CG_ENUM;
}

static const cg_type *leaf_type(const cg_type *type) { return type->element == NULL ? type : type->element; }

const cg_enum *cg_leaf_enum(const cg_type *type) {
    return leaf_type(type)->kind == CG_ENUM ? leaf_type(type)->enumeration : NULL;
}

cg_kind cg_leaf_kind(const cg_type *type) {
    const cg_enum *enumeration = cg_leaf_enum(type);
    return enumeration == NULL ? leaf_type(type)->kind : enumeration->base;
}

uint64_t cg_load_le(const uint8_t *at, uint32_t size) {
    uint64_t value = 0;
    for (uint32_t i = 0; i < size; i++) value |= (uint64_t)at[i] << 8 * i;
    return value;
}

cg_number cg_leaf_number(const cg_datum *leaf, uint32_t ix) {
    const cg_kind kind = cg_leaf_kind(leaf->type);
    const uint32_t size = cg_kind_size(kind);
    const uint8_t *at = leaf->bytes + (size_t)ix * size;
    cg_number number = {.text = ""};
    for (uint32_t i = 0; i < size; i += 8) number.limb[i / 8] = cg_load_le(at + i, size < 8 ? size : 8);
    const uint64_t sign = UINT64_C(1) << (8 * size - 1) % 64;
    number.is_negative = kind >= CG_I8 && kind <= CG_I64 && (number.limb[0] & sign) != 0;
    /* The magnitude of a negative one, in as many bits: 2^n - x. */
    if (number.is_negative) number.limb[0] = (sign - (number.limb[0] & (sign - 1)));
    return number;
}

double cg_leaf_real(const cg_datum *leaf, uint32_t ix) {
    float single;
    double value;
    const uint32_t size = cg_kind_size(cg_leaf_kind(leaf->type));
    const uint64_t bits = cg_load_le(leaf->bytes + (size_t)ix * size, size);
    const uint32_t half = (uint32_t)bits;
    memcpy(&single, &half, sizeof single);
    memcpy(&value, &bits, sizeof value);
    return size == sizeof single ? (double)single : value;
}

const char *cg_enum_find(const cg_enum *enumeration, const cg_number *number) {
    for (size_t i = 0; i < enumeration->value_count; i++) {
        if (cg_number_compare(&enumeration->values[i].value, number) == 0) return enumeration->values[i].name.text;
    }
    return NULL;
}

/* ---- data ------------------------------------------------------------------------------------------------------- */

const cg_datum *cg_reading_find(const cg_reading *reading, const char *name) {
    for (size_t i = 0; i < reading->message->field_count; i++) {
        if (strcmp(reading->message->fields[i].name.text, name) == 0) return &reading->fields[i];
    }
    return NULL;
}

static const cg_datum *find_member(const cg_datum *structure, const char *name) {
    for (uint32_t i = 0; i < structure->count; i++) {
        if (strcmp(structure->items[i].field->name.text, name) == 0) return &structure->items[i];
    }
    return NULL;
}

static bool members_are_equal(const cg_datum *left, const cg_datum *right) {
    for (uint32_t i = 0; i < left->count; i++) {
        const cg_datum *other = find_member(right, left->items[i].field->name.text);
        if (other != NULL && !cg_datum_is_equal(&left->items[i], other)) return false;
    }
    return true;
}

static bool items_are_equal(const cg_datum *left, const cg_datum *right) {
    if (left->count != right->count) return false;
    for (uint32_t i = 0; i < left->count; i++) {
        if (!cg_datum_is_equal(&left->items[i], &right->items[i])) return false;
    }
    return true;
}

bool cg_datum_is_equal(const cg_datum *left, const cg_datum *right) {
    const bool is_leaf = cg_type_is_leaf(left->type);
    if (is_leaf != cg_type_is_leaf(right->type)) return false;
    if (!is_leaf && (left->type->kind == CG_STRUCT) != (right->type->kind == CG_STRUCT)) return false;
    if (left->type->kind == CG_STRUCT) return members_are_equal(left, right);
    if (!is_leaf) return items_are_equal(left, right);
    const cg_kind kind = cg_leaf_kind(left->type);
    if (kind != cg_leaf_kind(right->type) || left->count != right->count) return false;
    return left->count == 0 || memcmp(left->bytes, right->bytes, (size_t)left->count * cg_kind_size(kind)) == 0;
}
