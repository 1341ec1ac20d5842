#include "bufpool/detail/print.h"

#include "bufpool/detail/bytes.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void put(bpi_printer *printer, const char *text, size_t count) {
    if (count == 0) return;
    if (printer->length < printer->size) {
        const size_t room = printer->size - printer->length;
        memcpy(printer->out + printer->length, text, count < room ? count : room);
    }
    printer->length += count;
    printer->last = text[count - 1];
}

void bpi_print_raw(bpi_printer *printer, const char *text) { put(printer, text, strlen(text)); }

static void put_escaped(bpi_printer *printer, char c) {
    char text[8];
    switch (c) {
    case '"': put(printer, "\\\"", 2); return;
    case '\\': put(printer, "\\\\", 2); return;
    case '\n': put(printer, "\\n", 2); return;
    case '\r': put(printer, "\\r", 2); return;
    case '\t': put(printer, "\\t", 2); return;
    default: break;
    }
    if ((unsigned char)c >= 0x20) {
        put(printer, &c, 1);
        return;
    }
    snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)c);
    put(printer, text, 6);
}

void bpi_print_text(bpi_printer *printer, bp_text text) {
    const bool is_utf8 = bpi_utf8_is_valid((const uint8_t *)text.data, text.length);
    put(printer, "\"", 1);
    for (size_t i = 0; i < text.length; i++) {
        const bool is_ascii = (unsigned char)text.data[i] < 0x80;
        put_escaped(printer, is_utf8 || is_ascii ? text.data[i] : '?');
    }
    put(printer, "\"", 1);
}

void bpi_print_bytes(bpi_printer *printer, bp_bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    put(printer, "\"0x", 3);
    for (size_t i = 0; i < bytes.length; i++) {
        const char pair[2] = {digits[bytes.data[i] >> 4], digits[bytes.data[i] & 15]};
        put(printer, pair, 2);
    }
    put(printer, "\"", 1);
}

void bpi_print_bool(bpi_printer *printer, bool value) { bpi_print_raw(printer, value ? "true" : "false"); }

void bpi_print_unsigned(bpi_printer *printer, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    bpi_print_raw(printer, text);
}

void bpi_print_signed(bpi_printer *printer, int64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    bpi_print_raw(printer, text);
}

/* digits: enough to read the same number back. */
static void print_real(bpi_printer *printer, double value, int digits) {
    char text[40];
    if (!isfinite(value)) {
        bpi_print_raw(printer, isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    snprintf(text, sizeof text, "%.*g", digits, value);
    char *const comma = strchr(text, ',');
    if (comma != NULL) *comma = '.';
    bpi_print_raw(printer, text);
}

void bpi_print_f32(bpi_printer *printer, float value) { print_real(printer, (double)value, 9); }
void bpi_print_f64(bpi_printer *printer, double value) { print_real(printer, value, 17); }

static void print_limbs(bpi_printer *printer, const uint64_t *limbs, int count) {
    char text[24];
    while (count > 1 && limbs[count - 1] == 0) count--;
    snprintf(text, sizeof text, "\"0x%" PRIx64, limbs[count - 1]);
    bpi_print_raw(printer, text);
    for (int i = count - 2; i >= 0; i--) {
        snprintf(text, sizeof text, "%016" PRIx64, limbs[i]);
        bpi_print_raw(printer, text);
    }
    bpi_print_raw(printer, "\"");
}

void bpi_print_u128(bpi_printer *printer, bp_u128 value) { print_limbs(printer, value.limb, 2); }
void bpi_print_u256(bpi_printer *printer, bp_u256 value) { print_limbs(printer, value.limb, 4); }

void bpi_print_name(bpi_printer *printer, const char *name) {
    if (printer->last != '{') put(printer, ",", 1);
    put(printer, "\"", 1);
    bpi_print_raw(printer, name);
    put(printer, "\":", 2);
}

int bpi_print_end(bpi_printer *printer) {
    if (printer->size != 0) {
        const size_t last = printer->size - 1;
        printer->out[printer->length < last ? printer->length : last] = '\0';
    }
    return printer->length > INT_MAX ? INT_MAX : (int)printer->length;
}
