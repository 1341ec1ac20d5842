#include "codegen/format.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t cg_digits(char out[CG_DIGITS_MAX], uint64_t number) {
    char reversed[CG_DIGITS_MAX];
    size_t count = 0;
    do {
        reversed[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < count; i++) out[i] = reversed[count - 1 - i];
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

static bool is_simple(const char *format) {
    for (const char *at = strchr(format, '%'); at != NULL; at = strchr(at + 1, '%')) {
        at++;
        if ((*at == 'l' || *at == 'z') && at[1] == 'u') at++;
        else if (*at == '\0' || strchr("sdu%", *at) == NULL) return false;
    }
    return true;
}

static void add_simple(sink *to, const char *format, va_list arguments) {
    for (const char *percent; (percent = strchr(format, '%')) != NULL; format++) {
        add(to, format, (size_t)(percent - format));
        format = percent + 1;
        if (*format == 's') {
            const char *const text = va_arg(arguments, const char *);
            add(to, text, strlen(text));
        } else if (*format == 'd') {
            const int64_t number = va_arg(arguments, int);
            add_number(to, (uint64_t)(number < 0 ? -number : number), number < 0);
        } else if (*format == 'u') {
            add_number(to, va_arg(arguments, unsigned), false);
        } else if (*format == '%') {
            add(to, "%", 1);
        } else {
            add_number(to, *format == 'l' ? va_arg(arguments, unsigned long) : va_arg(arguments, size_t), false);
            format++;
        }
    }
    add(to, format, strlen(format));
}

int cg_format(char *out, size_t room, const char *format, va_list arguments) {
    if (!is_simple(format)) return vsnprintf(out, room, format, arguments);
    sink to = {out, room, 0};
    add_simple(&to, format, arguments);
    if (room != 0) out[to.length < room ? to.length : room - 1] = '\0';
    return to.length > INT_MAX ? -1 : (int)to.length;
}
