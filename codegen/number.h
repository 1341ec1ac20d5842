/* codegen/number.h: numbers of a contract: integers of 256 bits with a sign, and floating numbers.
 *
 * Invariants: zero is not negative; an integer has real == 0, a floating number has limb == {0}. */
#ifndef BUFPOOL_CODEGEN_NUMBER_H
#define BUFPOOL_CODEGEN_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cg_number {
    uint64_t limb[4]; /* magnitude, least significant first */
    bool is_negative;
    bool is_real; /* a floating number: `real`, and the text as written in `text` */
    double real;
    const char *text; /* as the contract has it */
} cg_number;

/* How reading a number ended. */
typedef enum cg_number_outcome { CG_NUMBER_OK, CG_NUMBER_NOT_ONE, CG_NUMBER_TOO_BIG } cg_number_outcome;

/* Reads an integer: decimal or 0x, an optional minus, no leading zeros in decimal, `_` nowhere. */
cg_number_outcome cg_number_parse(const char *text, cg_number *out);

/* Reads an integer or a floating number: digits, optionally a fraction, optionally an exponent; finite. No locale. */
cg_number_outcome cg_number_parse_real(const char *text, cg_number *out);

/* The number of a small integer. */
cg_number cg_number_of(uint64_t value);

/* -1, 0 or 1 as left is below, equal to or above right; integers against floating numbers are compared as doubles. */
int cg_number_compare(const cg_number *left, const cg_number *right);

/* The nearest floating number. */
double cg_number_real(const cg_number *number);

/* Whether an integer fits an integer of that many bits. */
bool cg_number_fits(const cg_number *number, unsigned bits, bool is_signed);

/* The nearest floating number. */
double cg_number_real(const cg_number *number);

/* The value of a non-negative integer below 2^64. */
uint64_t cg_number_u64(const cg_number *number);

enum { CG_NUMBER_TEXT_MAX = 80 };
/* Writes an integer as decimal digits with an optional minus. */
void cg_number_print(const cg_number *number, char out[CG_NUMBER_TEXT_MAX]);

#endif
