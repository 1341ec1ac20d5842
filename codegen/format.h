/* codegen/format.h: numbers and formats as text, for what is written hundreds of thousands of times. */
#ifndef BUFPOOL_CODEGEN_FORMAT_H
#define BUFPOOL_CODEGEN_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Writes a number in decimal digits, without a NUL; returns how many. */
enum { CG_DIGITS_MAX = 20 };
size_t cg_digits(char out[CG_DIGITS_MAX], uint64_t number);

/* vsnprintf with the same result, without its cost where a format has nothing but %s, %d, %u, %lu, %zu and %%. */
int cg_format(char *out, size_t room, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));

#endif
