/* bufpool/detail/print.h: JSON text into a buffer of fixed size, for generated X_print functions; not for users.
 *
 * Like snprintf a printer goes on counting when the buffer is full, so that its length says how much was needed.
 * No locale: a decimal point is a point. 128- and 256-bit integers and bytes are strings of hexadecimal digits, NaN and
 * infinities are strings, since JSON has no such numbers. */
#ifndef BUFPOOL_DETAIL_PRINT_H
#define BUFPOOL_DETAIL_PRINT_H

#include "bufpool/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Invariant: out[0 .. min(length, size - 1)] is written, unless size is 0. */
typedef struct bpi_printer {
    char *out;
    size_t size;
    size_t length; /* bytes that the text so far needs */
    char last;     /* the last of them */
} bpi_printer;

BP_API void bpi_print_raw(bpi_printer *printer, const char *text); /* as it is */
BP_API void bpi_print_text(bpi_printer *printer, bp_text text);    /* a string: quoted, escaped; not UTF-8: "?" */
BP_API void bpi_print_bytes(bpi_printer *printer, bp_bytes bytes); /* "0x…" */
BP_API void bpi_print_bool(bpi_printer *printer, bool value);
BP_API void bpi_print_unsigned(bpi_printer *printer, uint64_t value);
BP_API void bpi_print_signed(bpi_printer *printer, int64_t value);
BP_API void bpi_print_f32(bpi_printer *printer, float value);
BP_API void bpi_print_f64(bpi_printer *printer, double value);
BP_API void bpi_print_u128(bpi_printer *printer, bp_u128 value);
BP_API void bpi_print_u256(bpi_printer *printer, bp_u256 value);

/* A comma unless this is the first member, and "name":  */
BP_API void bpi_print_name(bpi_printer *printer, const char *name);

/* Ends the text; returns the bytes that it takes without the NUL. */
BP_API int bpi_print_end(bpi_printer *printer);

#ifdef __cplusplus
}
#endif
#endif
