#include "codegen/text.h"

#include "codegen/format.h"

#include <stdarg.h>
#include <string.h>

static void make_room(cg_text *text, size_t length) {
    if (length <= text->room - text->length) return;
    const size_t room = 2 * text->room + length + 256;
    text->data = cg_arena_extend(text->arena, text->data, text->length, room);
    text->room = room;
}

void cg_text_add(cg_text *text, const char *added, size_t length) {
    make_room(text, length);
    if (length != 0) memcpy(text->data + text->length, added, length);
    text->length += length;
}

/* Formats into the room there is; returns the bytes that the whole takes. */
static size_t try_format(cg_text *text, const char *format, va_list arguments) {
    make_room(text, 1);
    const int length = cg_format(text->data + text->length, text->room - text->length, format, arguments);
    return length < 0 ? 0 : (size_t)length;
}

void cg_text_format(cg_text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const size_t length = try_format(text, format, arguments);
    va_end(arguments);
    if (length >= text->room - text->length) {
        make_room(text, length + 1);
        (void)try_format(text, format, again);
    }
    va_end(again);
    text->length += length;
}

void cg_text_add_json(cg_text *text, const char *added) {
    cg_text_add(text, "\"", 1);
    for (const char *at = added; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            cg_text_format(text, "\\u%04x", (unsigned)*at);
            continue;
        }
        if (*at == '"' || *at == '\\') cg_text_add(text, "\\", 1);
        cg_text_add(text, at, 1);
    }
    cg_text_add(text, "\"", 1);
}

const char *cg_text_end(cg_text *text) {
    make_room(text, 1);
    text->data[text->length] = '\0';
    return text->data;
}
