#include "codegen/format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t cg_digits(char out[CG_DIGITS_MAX], uint64_t number) {
    size_t count = 1;
    for (uint64_t rest = number; rest > 9; rest /= 10) count++;
    for (size_t i = count; i-- != 0; number /= 10) out[i] = (char)('0' + number % 10);
    return count;
}

/* Where formatted text goes: what has no room is counted only. */
typedef struct sink {
    char *out;
    size_t room, length;
} sink;

static void add(sink *to, const char *text, size_t length) {
    if (to->length < to->room) {
        const size_t left = to->room - to->length;
        if (length != 0) memcpy(to->out + to->length, text, length < left ? length : left);
    }
    to->length += length;
}

static void add_number(sink *to, uint64_t magnitude, bool is_negative) {
    char digits[CG_DIGITS_MAX + 1] = "-";
    const size_t count = cg_digits(digits + 1, magnitude);
    add(to, is_negative ? digits : digits + 1, count + is_negative);
}

/* The characters of the conversion behind a '%' that are understood here; 0 leaves it to the C library. */
static size_t conversion_length(const char *conversion) {
    switch (*conversion) {
    case 's':
    case 'd':
    case 'u':
    case '%': return 1;
    case 'l':
    case 'z': return conversion[1] == 'u' ? 2 : 0;
    default: return 0;
    }
}

static void add_argument(sink *to, const char *conversion, va_list *arguments) {
    if (*conversion == 's') {
        const char *const text = va_arg(*arguments, const char *);
        add(to, text, strlen(text));
    } else if (*conversion == 'd') {
        const int64_t number = va_arg(*arguments, int);
        add_number(to, (uint64_t)(number < 0 ? -number : number), number < 0);
    } else if (*conversion == 'u') {
        add_number(to, va_arg(*arguments, unsigned), false);
    } else if (*conversion == '%') {
        add(to, "%", 1);
    } else {
        add_number(to, *conversion == 'l' ? va_arg(*arguments, unsigned long) : va_arg(*arguments, size_t), false);
    }
}

/* False at the first conversion that is not understood. */
static bool add_all(sink *to, const char *format, va_list *arguments) {
    for (;;) {
        const char *percent = format;
        while (*percent != '%' && *percent != '\0') percent++;
        add(to, format, (size_t)(percent - format));
        if (*percent == '\0') return true;
        const size_t length = conversion_length(percent + 1);
        if (length == 0) return false;
        add_argument(to, percent + 1, arguments);
        format = percent + 1 + length;
    }
}

int cg_format(char *out, size_t room, const char *format, va_list arguments) {
    sink to = {out, room, 0};
    va_list left;
    va_copy(left, arguments);
    const bool is_done = add_all(&to, format, &left);
    va_end(left);
    if (!is_done) return vsnprintf(out, room, format, arguments);
    if (room != 0) out[to.length < room ? to.length : room - 1] = '\0';
    return to.length > INT_MAX ? -1 : (int)to.length;
}
