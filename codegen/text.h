/* codegen/text.h: a string that grows at its end, in the arena. */
#ifndef BUFPOOL_CODEGEN_TEXT_H
#define BUFPOOL_CODEGEN_TEXT_H

#include "codegen/arena.h"

typedef struct cg_text {
    cg_arena *arena;
    char *data; /* NULL while empty; not NUL-terminated before cg_text_end */
    size_t length, room;
} cg_text;

void cg_text_add(cg_text *text, const char *added, size_t length);
void cg_text_format(cg_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds text as a JSON string: with its quotes, everything below U+0020 escaped. Bytes that are not UTF-8 stay. */
void cg_text_add_json(cg_text *text, const char *added);

/* The string, NUL-terminated; valid until more is added. */
const char *cg_text_end(cg_text *text);

#endif
