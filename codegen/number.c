#include "codegen/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LIMBS = 4, HALVES = 8 };

static int digit_of(char c, unsigned base) {
    int digit = -1;
    if (c >= '0' && c <= '9')
        digit = c - '0';
    else if (c >= 'a' && c <= 'f')
        digit = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        digit = c - 'A' + 10;
    return digit < (int)base ? digit : -1;
}

/* limb = limb * factor + added; false when the result needs more than 256 bits. */
static bool multiply_add(uint64_t limb[LIMBS], unsigned factor, unsigned added) {
    uint64_t carry = added;
    for (int i = 0; i < LIMBS; i++) {
        const uint64_t low = (limb[i] & UINT32_MAX) * factor + carry;
        const uint64_t high = (limb[i] >> 32) * factor + (low >> 32);
        limb[i] = high << 32 | (low & UINT32_MAX);
        carry = high >> 32;
    }
    return carry == 0;
}

/* limb = limb / divisor; the remainder is returned. */
static uint32_t divide(uint64_t limb[LIMBS], uint32_t divisor) {
    uint64_t rest = 0;
    for (int i = HALVES - 1; i >= 0; i--) {
        const int shift = 32 * (i % 2);
        const uint64_t part = rest << 32 | (limb[i / 2] >> shift & UINT32_MAX);
        limb[i / 2] = (limb[i / 2] & ~((uint64_t)UINT32_MAX << shift)) | (part / divisor) << shift;
        rest = part % divisor;
    }
    return (uint32_t)rest;
}

static bool is_zero(const cg_number *number) {
    return (number->limb[0] | number->limb[1] | number->limb[2] | number->limb[3]) == 0;
}

cg_number_outcome cg_number_parse(const char *text, cg_number *out) {
    *out = (cg_number){.text = text};
    const char *at = text + (text[0] == '-');
    const bool is_hex = at[0] == '0' && at[1] == 'x';
    bool is_fitting = true;
    if (is_hex) at += 2;
    if (at[0] == '\0' || (!is_hex && at[0] == '0' && at[1] != '\0')) return CG_NUMBER_NOT_ONE;
    for (; *at != '\0'; at++) {
        const int digit = digit_of(*at, is_hex ? 16 : 10);
        if (digit < 0) return CG_NUMBER_NOT_ONE;
        is_fitting = is_fitting && multiply_add(out->limb, is_hex ? 16 : 10, (unsigned)digit);
    }
    out->is_negative = text[0] == '-' && !is_zero(out);
    return is_fitting ? CG_NUMBER_OK : CG_NUMBER_TOO_BIG;
}

static const char *skip_digits(const char *at) {
    while (*at >= '0' && *at <= '9') at++;
    return at;
}

/* Whether text is digits, then a fraction, an exponent or both, with digits in each. */
static bool is_real(const char *text) {
    const char *at = text + (text[0] == '-');
    const char *end = skip_digits(at);
    if (end == at) return false;
    if (*end == '.') {
        at = end + 1;
        end = skip_digits(at);
        if (end == at) return false;
    }
    if (*end == 'e' || *end == 'E') {
        at = end + 1 + (end[1] == '-' || end[1] == '+');
        end = skip_digits(at);
        if (end == at) return false;
    }
    return *end == '\0';
}

cg_number_outcome cg_number_parse_real(const char *text, cg_number *out) {
    const cg_number_outcome as_integer = cg_number_parse(text, out);
    if (as_integer == CG_NUMBER_OK || !is_real(text)) return as_integer;
    /* The program never leaves the "C" locale, so that strtod reads a point. */
    *out = (cg_number){.is_real = true, .real = strtod(text, NULL), .text = text};
    return isfinite(out->real) ? CG_NUMBER_OK : CG_NUMBER_TOO_BIG;
}

cg_number cg_number_of(uint64_t value) { return (cg_number){.limb = {value}}; }

static int compare_magnitudes(const cg_number *left, const cg_number *right) {
    for (int i = LIMBS - 1; i >= 0; i--) {
        if (left->limb[i] != right->limb[i]) return left->limb[i] < right->limb[i] ? -1 : 1;
    }
    return 0;
}

double cg_number_real(const cg_number *number) {
    if (number->is_real) return number->real;
    double magnitude = 0;
    for (int i = LIMBS - 1; i >= 0; i--) magnitude = ldexp(magnitude, 64) + (double)number->limb[i];
    return number->is_negative ? -magnitude : magnitude;
}

int cg_number_compare(const cg_number *left, const cg_number *right) {
    if (left->is_real || right->is_real) {
        const double a = cg_number_real(left), b = cg_number_real(right);
        return (a > b) - (a < b);
    }
    if (left->is_negative != right->is_negative) return left->is_negative ? -1 : 1;
    return left->is_negative ? compare_magnitudes(right, left) : compare_magnitudes(left, right);
}

bool cg_number_fits(const cg_number *number, unsigned bits, bool is_signed) {
    if (number->is_real || (number->is_negative && !is_signed)) return false;
    const unsigned magnitude_bits = is_signed ? bits - 1 : bits;
    if (magnitude_bits == 64 * LIMBS) return true;
    cg_number bound = {.limb = {0}};
    bound.limb[magnitude_bits / 64] = (uint64_t)1 << magnitude_bits % 64;
    const int order = compare_magnitudes(number, &bound);
    return order < 0 || (order == 0 && number->is_negative);
}

uint64_t cg_number_u64(const cg_number *number) { return number->limb[0]; }

void cg_number_print(const cg_number *number, char out[CG_NUMBER_TEXT_MAX]) {
    cg_number rest = *number;
    char digits[CG_NUMBER_TEXT_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + divide(rest.limb, 10));
    } while (!is_zero(&rest));
    if (number->is_negative) *out++ = '-';
    while (count != 0) *out++ = digits[--count];
    *out = '\0';
}
