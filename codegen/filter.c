/* The filters that templates may use, one table. */
#include "codegen/template_piece.h"

#include <string.h>

enum { COMMENT_WIDTH = 108 /* characters of a comment's line, so that indentation and stars end before column 120 */ };

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static char to_upper(char c) { return is_lower(c) ? (char)(c - 'a' + 'A') : c; }
static char to_lower(char c) { return is_upper(c) ? (char)(c - 'A' + 'a') : c; }

static const char *filter_upper(cg_arena *arena, const char *text) {
    char *const out = cg_arena_text(arena, text);
    for (char *at = out; *at != '\0'; at++) *at = to_upper(*at);
    return out;
}

static const char *filter_lower(cg_arena *arena, const char *text) {
    char *const out = cg_arena_text(arena, text);
    for (char *at = out; *at != '\0'; at++) *at = to_lower(*at);
    return out;
}

/* "OrderBook" and "orderBook" give "order_book", "HTTPServer" gives "http_server". */
static const char *filter_snake(cg_arena *arena, const char *text) {
    char *const out = cg_arena_alloc(arena, 2 * strlen(text) + 1);
    size_t length = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const bool follows_small = at != text && (is_lower(at[-1]) || is_digit(at[-1]));
        const bool ends_capitals = at != text && is_upper(at[-1]) && is_lower(at[1]);
        if (is_upper(*at) && (follows_small || ends_capitals)) out[length++] = '_';
        out[length++] = to_lower(*at);
    }
    return out;
}

/* "order_book" gives "OrderBook". */
static const char *filter_camel(cg_arena *arena, const char *text) {
    char *const out = cg_arena_alloc(arena, strlen(text) + 1);
    size_t length = 0;
    bool is_start = true;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at != '_') out[length++] = is_start ? to_upper(*at) : *at;
        is_start = *at == '_';
    }
    return out;
}

/* The inside of a C string literal: quotes, backslashes, trigraphs and control characters are escaped. */
static const char *filter_c_string(cg_arena *arena, const char *text) {
    char *const out = cg_arena_alloc(arena, 4 * strlen(text) + 1);
    size_t length = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const unsigned char c = (unsigned char)*at;
        if (c == '"' || c == '\\' || (c == '?' && at != text && at[-1] == '?')) {
            out[length++] = '\\';
            out[length++] = (char)c;
        } else if (c < 0x20 || c == 0x7F) {
            out[length++] = '\\';
            out[length++] = (char)('0' + (c >> 6));
            out[length++] = (char)('0' + ((c >> 3) & 7));
            out[length++] = (char)('0' + (c & 7));
        } else {
            out[length++] = (char)c;
        }
    }
    return out;
}

/* Text that may stand in a block comment: it cannot end it or open another, lines are wrapped between words, and each
 * but the first begins with " * ". */
static const char *filter_comment(cg_arena *arena, const char *text) {
    char *const out = cg_arena_alloc(arena, 5 * strlen(text) + 1);
    size_t length = 0, column = 0;
    for (const char *at = text; *at != '\0';) {
        const size_t gap = strspn(at, " \t\r\n");
        at += gap;
        const size_t word = strcspn(at, " \t\r\n");
        if (word == 0) break;
        const bool wraps = column != 0 && column + 1 + word > COMMENT_WIDTH;
        if (wraps)
            memcpy(out + length, "\n * ", 4), length += 4, column = 0;
        else if (column != 0)
            out[length++] = ' ', column++;
        for (size_t i = 0; i < word; i++, at++, column++) {
            const char before = i == 0 ? ' ' : at[-1];
            if ((before == '*' && *at == '/') || (before == '/' && *at == '*')) out[length++] = ' ';
            out[length++] = *at;
        }
    }
    return out;
}

static bool is_word(char c) { return is_lower(c) || is_upper(c) || is_digit(c); }

/* Text that Markdown shows as it is, on one line and in a cell of a table: what means something is escaped, in the
 * middle of text or, as "- " and "1." do, only where it begins. */
static const char *filter_markdown(cg_arena *arena, const char *text) {
    char *const out = cg_arena_alloc(arena, 2 * strlen(text) + 2);
    size_t length = 0;
    const char *const begin = text + strspn(text, " \t\r\n");
    const char *const numbered = begin + strspn(begin, "0123456789");
    for (const char *at = begin; *at != '\0'; at++) {
        const bool is_marker = at == begin && strchr("+-=", *at) != NULL;
        const bool is_point = at == numbered && at != begin && (*at == '.' || *at == ')');
        const bool is_inside = *at == '_' && at != begin && is_word(at[-1]) && is_word(at[1]);
        const bool is_special = strchr("\\`*_{}[]<>#|~&$!", *at) != NULL && !is_inside;
        if (is_marker || is_point || is_special) out[length++] = '\\';
        out[length++] = (unsigned char)*at < 0x20 || *at == 0x7F ? ' ' : *at;
    }
    out[length] = '\0';
    return out;
}

/* What stands for a character in HTML and XML, in text and in quotes; NULL when it stands for itself. Control
 * characters have no place there: U+FFFD says that there was one. */
static const char *entity_of(unsigned char c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    case '\t':
    case '\n':
    case '\r': return NULL;
    default: return c < 0x20 || c == 0x7F ? "\uFFFD" : NULL;
    }
}

static const char *filter_html(cg_arena *arena, const char *text) {
    char *const out = cg_arena_alloc(arena, 6 * strlen(text) + 1);
    size_t length = 0;
    for (const char *at = text; *at != '\0'; at++) {
        const char *const entity = entity_of((unsigned char)*at);
        if (entity == NULL) {
            out[length++] = *at;
            continue;
        }
        memcpy(out + length, entity, strlen(entity));
        length += strlen(entity);
    }
    return out;
}

static const struct {
    const char *name;
    cg_filter_fn *filter;
} filters[] = {
    {"upper", filter_upper},       {"lower", filter_lower},     {"snake", filter_snake},       {"camel", filter_camel},
    {"c_string", filter_c_string}, {"comment", filter_comment}, {"markdown", filter_markdown}, {"html", filter_html},
};

const size_t cg_filter_count = sizeof filters / sizeof filters[0];

cg_filter_fn *cg_filter_find(cg_slice name) {
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        const char *const have = filters[i].name;
        if (strlen(have) == name.length && memcmp(have, name.at, name.length) == 0) return filters[i].filter;
    }
    return NULL;
}
