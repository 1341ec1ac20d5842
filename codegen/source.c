#include "codegen/source.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CHAR_STEP = 256 };

static bool is_continuation(char c) { return ((unsigned char)c & 0xC0) == 0x80; }

/* Unicode 15, table 3-7. */
uint32_t cg_utf8_length(const unsigned char *at, size_t left) {
    const unsigned char first = at[0];
    unsigned char low = 0x80, high = 0xBF;
    uint32_t length = 0;
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) length = 2;
    if (first >= 0xE0 && first <= 0xEF) length = 3;
    if (first >= 0xF0 && first <= 0xF4) length = 4;
    if (first == 0xE0) low = 0xA0;
    if (first == 0xED) high = 0x9F;
    if (first == 0xF0) low = 0x90;
    if (first == 0xF4) high = 0x8F;
    if (length == 0 || left < length || at[1] < low || at[1] > high) return 0;
    for (uint32_t i = 2; i < length; i++) {
        if (!is_continuation((char)at[i])) return 0;
    }
    return length;
}

bool cg_char_is_plain(const char *text, size_t length) {
    const unsigned char *at = (const unsigned char *)text;
    if (length == 1) return (at[0] >= ' ' && at[0] < 0x7F) || at[0] == '\t';
    if (length == 2) return at[0] != 0xC2 || at[1] >= 0xA0;
    if (length != 3 || at[0] != 0xE2) return length != 0;
    return !(at[1] == 0x80 && at[2] >= 0xAA && at[2] <= 0xAE) && !(at[1] == 0x81 && at[2] >= 0xA6 && at[2] <= 0xA9);
}

/* How many of the bytes are ASCII, before the first that is not: by words, but for the last ones. */
static uint32_t ascii_prefix(const char *text, uint32_t length) {
    uint32_t at = 0;
    for (uint64_t word; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, text + at, sizeof word);
        if ((word & UINT64_C(0x8080808080808080)) != 0) break;
    }
    while (at < length && (unsigned char)text[at] < 0x80) at++;
    return at;
}

/* Finds the first byte that is not UTF-8; true when every character is one byte long. */
static bool check_utf8(cg_source *source) {
    uint32_t at = ascii_prefix(source->text, source->length);
    bool is_ascii = true;
    while (at < source->length) {
        const uint32_t step = cg_utf8_length((const unsigned char *)source->text + at, source->length - at);
        if (step == 0) break;
        is_ascii = is_ascii && step == 1;
        at += step;
    }
    source->bad_at = at;
    return is_ascii;
}

static void index_chars(cg_arena *arena, cg_source *source) {
    source->char_starts = CG_NEW_ARRAY(arena, uint32_t, source->length / CHAR_STEP + 2);
    uint32_t character = 0;
    for (uint32_t at = 0; at < source->bad_at; at++) {
        if (is_continuation(source->text[at])) continue;
        if (character % CHAR_STEP == 0) source->char_starts[character / CHAR_STEP] = at;
        character++;
    }
    /* What lies behind the last step counts from there to the end. */
    for (uint32_t i = character == 0 ? 0 : (character - 1) / CHAR_STEP + 1; i < source->length / CHAR_STEP + 2; i++) {
        source->char_starts[i] = source->bad_at;
    }
}

static void add_line(cg_arena *arena, cg_source *source, uint32_t start) {
    source->line_starts = cg_arena_grow(arena, source->line_starts, source->line_count, sizeof *source->line_starts);
    source->line_starts[source->line_count++] = start;
}

/* A line ends with "\n", "\r\n" or "\r". */
static void index_lines(cg_arena *arena, cg_source *source) {
    const char *const end = source->text + source->length;
    const char *carriage = memchr(source->text, '\r', source->length);
    add_line(arena, source, 0);
    for (const char *at = source->text; at != end;) {
        if (carriage != NULL && carriage < at) carriage = memchr(at, '\r', (size_t)(end - at));
        const char *const feed = memchr(at, '\n', (size_t)((carriage == NULL ? end : carriage + 1) - at));
        const char *const last = feed != NULL ? feed : carriage;
        if (last == NULL) break;
        at = last + (last == carriage && last[1] == '\n' ? 2 : 1);
        add_line(arena, source, (uint32_t)(at - source->text));
    }
}

/* Takes text, which the arena owns. */
static cg_source *source_over(cg_arena *arena, const char *path, const char *text, size_t length) {
    cg_source *source = CG_NEW(arena, cg_source);
    const size_t mark = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    source->path = cg_arena_text(arena, path);
    source->text = text + mark;
    source->length = (uint32_t)(length - mark);
    if (!check_utf8(source)) index_chars(arena, source);
    index_lines(arena, source);
    return source;
}

cg_source *cg_source_of(cg_arena *arena, const char *path, const char *text, size_t length) {
    return source_over(arena, path, cg_arena_copy(arena, text, length), length);
}

static cg_status say(const char *path, const char *why) {
    fprintf(stderr, "bufpoolc: %s: %s\n", path, why);
    return CG_FAILED;
}

static void close_file(void *file) { fclose(file); }

cg_status cg_source_read(cg_arena *arena, const char *name, cg_source **out) {
    enum { PIECE = 64 * 1024 };
    const bool is_input = strcmp(name, "-") == 0;
    const char *path = is_input ? "standard input" : name;
    size_t room = PIECE, length = 0;
    char *text = cg_arena_alloc(arena, room + 1);
    FILE *file = is_input ? stdin : fopen(path, "rb");
    *out = NULL;
    if (file == NULL) return say(path, strerror(errno));
    if (!is_input) cg_arena_defer(arena, close_file, file);
    for (;;) {
        length += fread(text + length, 1, room - length, file);
        if (length < room) break;
        if (length > CG_SOURCE_MAX) return say(path, "a contract may have at most 32 MiB");
        char *longer = cg_arena_alloc(arena, 2 * room + 1);
        memcpy(longer, text, length);
        text = longer;
        room *= 2;
    }
    if (ferror(file)) return say(path, strerror(errno));
    if (length > CG_SOURCE_MAX) return say(path, "a contract may have at most 32 MiB");
    text[length] = '\0';
    *out = source_over(arena, path, text, length);
    return CG_OK;
}

uint32_t cg_source_offset(const cg_source *source, size_t character) {
    if (source->char_starts == NULL) return character < source->length ? (uint32_t)character : source->length;
    const size_t step = character / CHAR_STEP;
    if (step >= source->length / CHAR_STEP + 2) return source->length;
    uint32_t at = source->char_starts[step];
    for (size_t left = character % CHAR_STEP; left != 0 && at < source->length; left--) {
        do at++;
        while (at < source->length && is_continuation(source->text[at]));
    }
    return at;
}

uint32_t cg_source_line(const cg_source *source, uint32_t offset) {
    uint32_t low = 0, high = source->line_count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (source->line_starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

cg_span cg_source_line_span(const cg_source *source, uint32_t line) {
    cg_span span = {source->line_starts[line], source->length};
    if (line + 1 < source->line_count) span.end = source->line_starts[line + 1];
    while (span.end > span.start && (source->text[span.end - 1] == '\n' || source->text[span.end - 1] == '\r')) {
        span.end--;
    }
    return span;
}

uint32_t cg_source_char_count(const cg_source *source, cg_span span) {
    uint32_t count = 0;
    for (uint32_t at = span.start; at < span.end; at++) count += !is_continuation(source->text[at]);
    return count;
}
