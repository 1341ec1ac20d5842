/* codegen/source.h: the text of one contract, and where its lines are.
 *
 *     span      bytes start .. end - 1 of the text
 *     line      ends at LF, CR LF or CR; numbered from 1
 *     column    characters from the start of the line, numbered from 1
 *
 * Invariants: text is well-formed UTF-8 without a byte order mark, at most CG_SOURCE_MAX bytes, NUL-terminated. */
#ifndef BUFPOOL_CODEGEN_SOURCE_H
#define BUFPOOL_CODEGEN_SOURCE_H

#include "codegen/arena.h"

#include <stdint.h>

enum { CG_SOURCE_MAX = 32 * 1024 * 1024 };

typedef struct cg_span {
    uint32_t start, end;
} cg_span;

typedef struct cg_source {
    const char *path; /* as the user gave it */
    const char *text;
    uint32_t length;
    uint32_t *line_starts; /* ascending; line_starts[0] == 0 */
    uint32_t line_count;
    uint32_t *char_starts; /* offset of every 256th character; NULL while all are one byte long */
    uint32_t bad_at;       /* offset of the first byte that is not UTF-8, or length */
} cg_source;

/* Bytes of the well-formed UTF-8 sequence that begins at `at`, left bytes before the end; 0 when it is none. */
uint32_t cg_utf8_length(const unsigned char *at, size_t left);

/* Whether a character of that many bytes may be shown as it is: no control character (C0 but for the tab, DEL, C1),
 * none that turns the direction of writing (U+202A .. U+202E, U+2066 .. U+2069), which would show something else than
 * what is read, and not one of 0 bytes. */
bool cg_char_is_plain(const char *text, size_t length);

/* Reads the file, or standard input when its name is "-". CG_FAILED: it cannot be read or is longer than CG_SOURCE_MAX;
 * stderr says so. */
cg_status cg_source_read(cg_arena *arena, const char *name, cg_source **out);

/* The same from memory; the text is copied. */
cg_source *cg_source_of(cg_arena *arena, const char *path, const char *text, size_t length);

/* The offset of a character, counted from 0. */
uint32_t cg_source_offset(const cg_source *source, size_t character);

/* The line of an offset, counted from 0, and its bytes without the line end. */
uint32_t cg_source_line(const cg_source *source, uint32_t offset);
cg_span cg_source_line_span(const cg_source *source, uint32_t line);

/* Characters in a span. */
uint32_t cg_source_char_count(const cg_source *source, cg_span span);

#endif
