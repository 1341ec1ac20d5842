/* Templates as text -> lists of pieces. One function per tag; tag_next finds tags and makes their lines vanish. */
#include "codegen/template_piece.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NESTING_MAX = 32 };

struct parser {
    cg_template_set *set;
    cg_arena *arena;   /* the set's */
    const char *name;  /* the template's */
    const char *start; /* its text */
    const char *at;    /* what is not parsed yet */
    size_t line;
    size_t nesting;
    cg_template_error *error;
};

/* A tag as it stands in the text. */
struct tag {
    bool is_end; /* no tag: the text ends */
    size_t line;
    cg_slice before;      /* literal text in front of it */
    cg_slice indentation; /* what stands before a tag that has its line for itself; at is NULL when it has not */
    cg_slice rest;        /* between the braces; words are taken from its front */
};

bool cg_template_fail(cg_template_error *error, const char *template_name, size_t line, const char *format, ...) {
    va_list list;
    *error = (cg_template_error){.template_name = template_name, .line = line};
    va_start(list, format);
    vsnprintf(error->text, sizeof error->text, format, list);
    va_end(list);
    return false;
}

#define FAIL(parser, line, ...) cg_template_fail((parser)->error, (parser)->name, line, __VA_ARGS__)

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

static bool slice_is(cg_slice slice, const char *text) {
    return strlen(text) == slice.length && memcmp(slice.at, text, slice.length) == 0;
}

static cg_piece *piece_new(struct parser *parser, cg_piece_kind kind, size_t line) {
    cg_piece *const piece = CG_NEW(parser->arena, cg_piece);
    piece->kind = kind;
    piece->line = line;
    return piece;
}

/* ---- words of a tag --------------------------------------------------------------------------------------------- */

static void skip_blanks(struct tag *tag) {
    while (tag->rest.length != 0 && is_blank(tag->rest.at[0])) tag->rest.at++, tag->rest.length--;
}

/* Takes the next word: a name or path, a text in quotes (with them), or one or two signs. Empty at the end. */
static cg_slice word_take(struct tag *tag) {
    skip_blanks(tag);
    const cg_slice rest = tag->rest;
    size_t length = 0;
    if (rest.length == 0) return (cg_slice){rest.at, 0};
    if (rest.at[0] == '"') {
        const char *const close = memchr(rest.at + 1, '"', rest.length - 1);
        length = close == NULL ? 1 : (size_t)(close - rest.at) + 1;
    } else if (is_word_char(rest.at[0])) {
        while (length < rest.length && is_word_char(rest.at[length])) length++;
    } else {
        length = rest.length > 1 && rest.at[1] == '=' ? 2 : 1;
    }
    tag->rest = (cg_slice){rest.at + length, rest.length - length};
    return (cg_slice){rest.at, length};
}

static bool word_take_if(struct tag *tag, const char *text) {
    struct tag ahead = *tag;
    if (!slice_is(word_take(&ahead), text)) return false;
    tag->rest = ahead.rest;
    return true;
}

static bool name_take(struct parser *parser, struct tag *tag, cg_slice *out) {
    *out = word_take(tag);
    if (out->length != 0 && is_word_char(out->at[0])) return true;
    return FAIL(parser, tag->line, "a name is missing in front of '%.*s'", (int)tag->rest.length, tag->rest.at);
}

size_t cg_template_variable(cg_template_set *set, cg_slice name) {
    for (size_t i = 0; i < set->variable_count; i++) {
        const cg_slice have = set->variables[i];
        if (have.length == name.length && memcmp(have.at, name.at, name.length) == 0) return i;
    }
    set->variables = cg_arena_grow(set->arena, set->variables, set->variable_count, sizeof *set->variables);
    set->variables[set->variable_count] = name;
    return set->variable_count++;
}

static bool variable_take(struct parser *parser, struct tag *tag, size_t *out) {
    cg_slice name;
    if (!name_take(parser, tag, &name)) return false;
    *out = cg_template_variable(parser->set, name);
    return true;
}

static bool path_take(struct parser *parser, struct tag *tag, cg_operand *out) {
    if (!name_take(parser, tag, &out->path)) return false;
    const char *at = out->path.at;
    const char *const end = at + out->path.length;
    while (at <= end) {
        const char *const dot = memchr(at, '.', (size_t)(end - at));
        const char *const next = dot == NULL ? end : dot;
        out->steps = cg_arena_grow(parser->arena, out->steps, out->step_count, sizeof *out->steps);
        out->steps[out->step_count++] = (cg_step){.name = {at, (size_t)(next - at)}};
        at = next + 1;
    }
    out->variable = cg_template_variable(parser->set, out->steps[0].name);
    return true;
}

static bool operand_take(struct parser *parser, struct tag *tag, cg_operand *out) {
    skip_blanks(tag);
    *out = (cg_operand){.literal = NULL};
    if (tag->rest.length == 0 || tag->rest.at[0] != '"') return path_take(parser, tag, out);
    const cg_slice quoted = word_take(tag);
    if (quoted.length < 2) return FAIL(parser, tag->line, "a text without its closing quote");
    out->literal = cg_value_text(parser->arena, cg_arena_copy(parser->arena, quoted.at + 1, quoted.length - 2));
    return true;
}

static bool tag_must_end(struct parser *parser, struct tag *tag) {
    skip_blanks(tag);
    if (tag->rest.length == 0) return true;
    return FAIL(parser, tag->line, "unexpected '%.*s' in a tag", (int)tag->rest.length, tag->rest.at);
}

/* ---- finding tags ----------------------------------------------------------------------------------------------- */

static size_t count_lines(const char *from, const char *to) {
    size_t lines = 0;
    for (; from != to; from++) lines += *from == '\n';
    return lines;
}

/* Whether the tag ends the list that it stands in: {{else}}, {{else if}}, {{/for}}, {{/if}}. */
static bool tag_ends_list(const struct tag *tag) {
    struct tag ahead = *tag;
    return tag->is_end || word_take_if(&ahead, "else") || word_take_if(&ahead, "/");
}

/* A tag that stands alone on its line takes the whole line with it, its newline included. */
static void claim_line(struct tag *tag, const char *text_start, const char *open, const char **after) {
    const char *begin = open;
    const char *end = *after;
    if (tag->rest.length == 0) return;
    if (strchr("#>!", tag->rest.at[0]) == NULL && !tag_ends_list(tag)) return;
    while (begin != text_start && is_blank(begin[-1])) begin--;
    while (is_blank(*end)) end++;
    if ((begin != text_start && begin[-1] != '\n') || (*end != '\n' && *end != '\0')) return;
    tag->indentation = (cg_slice){begin, (size_t)(open - begin)};
    tag->before.length = (size_t)(begin - tag->before.at);
    *after = *end == '\n' ? end + 1 : end;
}

/* The next tag, or the end. */
static bool tag_next(struct parser *parser, struct tag *out) {
    const char *const open = strstr(parser->at, "{{");
    *out = (struct tag){.line = parser->line, .before = {parser->at, open == NULL ? strlen(parser->at) : 0}};
    if (open == NULL) {
        out->is_end = true;
        parser->at += out->before.length;
        return true;
    }
    out->before.length = (size_t)(open - parser->at);
    out->line += count_lines(parser->at, open);
    const char *const close = strstr(open, "}}");
    if (close == NULL || count_lines(open, close) != 0) return FAIL(parser, out->line, "'{{' without '}}' on its line");
    const char *after = close + 2;
    out->rest = (cg_slice){open + 2, (size_t)(close - open - 2)};
    while (out->rest.length != 0 && is_blank(out->rest.at[0])) out->rest.at++, out->rest.length--;
    claim_line(out, parser->start, open, &after);
    parser->line += count_lines(parser->at, after);
    parser->at = after;
    return true;
}

/* ---- tags ------------------------------------------------------------------------------------------------------- */

static bool parse_value(struct parser *parser, struct tag *tag, cg_piece *piece) {
    if (!operand_take(parser, tag, &piece->operand)) return false;
    while (word_take_if(tag, "|")) {
        cg_slice name;
        if (!name_take(parser, tag, &name)) return false;
        cg_filter_fn *const filter = cg_filter_find(name);
        if (filter == NULL) return FAIL(parser, tag->line, "no filter is called '%.*s'", (int)name.length, name.at);
        if (piece->filter_count == CG_FILTERS_MAX)
            return FAIL(parser, tag->line, "more than %d filters", CG_FILTERS_MAX);
        piece->filters[piece->filter_count++] = filter;
    }
    return tag_must_end(parser, tag);
}

static bool parse_term(struct parser *parser, struct tag *tag, cg_term *term) {
    term->is_negated = word_take_if(tag, "not");
    if (!operand_take(parser, tag, &term->left)) return false;
    if (word_take_if(tag, "=="))
        term->compare = CG_COMPARE_EQUAL;
    else if (word_take_if(tag, "!="))
        term->compare = CG_COMPARE_DIFFERENT;
    return term->compare == CG_COMPARE_NONE || operand_take(parser, tag, &term->right);
}

static bool parse_condition(struct parser *parser, struct tag *tag, cg_piece *piece) {
    piece->terms = CG_NEW_ARRAY(parser->arena, cg_term, CG_TERMS_MAX);
    for (;;) {
        if (piece->term_count == CG_TERMS_MAX) return FAIL(parser, tag->line, "more than %d conditions", CG_TERMS_MAX);
        cg_term *const term = &piece->terms[piece->term_count++];
        if (!parse_term(parser, tag, term)) return false;
        const bool is_any = word_take_if(tag, "or");
        if (!is_any && !word_take_if(tag, "and")) return tag_must_end(parser, tag);
        if (piece->term_count > 1 && is_any != piece->is_any)
            return FAIL(parser, tag->line, "'and' and 'or' in one tag");
        piece->is_any = is_any;
    }
}

static bool parse_list(struct parser *parser, cg_piece **out, struct tag *end);

/* A block's pieces up to the tag that ends it, which must be `closing`, or an else when may_else. */
static bool parse_block(struct parser *parser, const struct tag *opening, cg_piece **out, const char *closing,
                        bool may_else, struct tag *end) {
    if (++parser->nesting > NESTING_MAX) return FAIL(parser, opening->line, "blocks nest deeper than %d", NESTING_MAX);
    if (!parse_list(parser, out, end)) return false;
    parser->nesting--;
    if (!end->is_end && word_take_if(end, "/")) {
        if (word_take_if(end, closing)) return tag_must_end(parser, end);
        return FAIL(parser, end->line, "'{{/%s}}' is expected, for line %zu", closing, opening->line);
    }
    if (!end->is_end && may_else) return true;
    return FAIL(parser, opening->line, "'{{/%s}}' is missing", closing);
}

static bool parse_for(struct parser *parser, struct tag *tag, cg_piece *piece) {
    struct tag end;
    if (!variable_take(parser, tag, &piece->variable)) return false;
    if (!word_take_if(tag, "in")) return FAIL(parser, tag->line, "'in' is missing: {{#for x in list}}");
    return operand_take(parser, tag, &piece->operand) && tag_must_end(parser, tag) &&
           parse_block(parser, tag, &piece->inside, "for", false, &end);
}

/* An if and what follows it; `else if` becomes an if inside otherwise, which the same {{/if}} ends. */
static bool parse_if(struct parser *parser, struct tag *tag, cg_piece *piece) {
    struct tag end;
    if (!parse_condition(parser, tag, piece)) return false;
    if (!parse_block(parser, tag, &piece->inside, "if", true, &end)) return false;
    if (!word_take_if(&end, "else")) return true;
    if (!word_take_if(&end, "if")) {
        struct tag close;
        return tag_must_end(parser, &end) && parse_block(parser, &end, &piece->otherwise, "if", false, &close);
    }
    piece->otherwise = piece_new(parser, CG_PIECE_IF, end.line);
    return parse_if(parser, &end, piece->otherwise);
}

static bool parse_include(struct parser *parser, struct tag *tag, cg_piece *piece) {
    piece->indentation = tag->indentation;
    if (!name_take(parser, tag, &piece->text)) return false;
    piece->bindings = CG_NEW_ARRAY(parser->arena, cg_binding, CG_BINDINGS_MAX);
    for (skip_blanks(tag); tag->rest.length != 0; skip_blanks(tag)) {
        if (piece->binding_count == CG_BINDINGS_MAX)
            return FAIL(parser, tag->line, "more than %d names", CG_BINDINGS_MAX);
        cg_binding *const binding = &piece->bindings[piece->binding_count++];
        if (!variable_take(parser, tag, &binding->variable)) return false;
        if (!word_take_if(tag, "=")) return FAIL(parser, tag->line, "'=' is missing: {{> name x=y}}");
        if (!operand_take(parser, tag, &binding->operand)) return false;
    }
    return true;
}

/* The piece of a tag that opens something. */
static cg_piece *parse_tag(struct parser *parser, struct tag *tag) {
    cg_piece_kind kind = CG_PIECE_VALUE;
    bool (*parse)(struct parser *, struct tag *, cg_piece *) = parse_value;
    if (word_take_if(tag, ">")) {
        kind = CG_PIECE_INCLUDE;
        parse = parse_include;
    } else if (word_take_if(tag, "#")) {
        const bool is_for = word_take_if(tag, "for");
        kind = is_for ? CG_PIECE_FOR : CG_PIECE_IF;
        parse = is_for ? parse_for : parse_if;
        if (!is_for && !word_take_if(tag, "if")) {
            FAIL(parser, tag->line, "'#for' or '#if' is expected");
            return NULL;
        }
    }
    cg_piece *const piece = piece_new(parser, kind, tag->line);
    return parse(parser, tag, piece) ? piece : NULL;
}

static bool parse_list(struct parser *parser, cg_piece **out, struct tag *end) {
    for (;;) {
        if (!tag_next(parser, end)) return false;
        if (end->before.length != 0) {
            *out = piece_new(parser, CG_PIECE_TEXT, end->line);
            (*out)->text = end->before;
            (*out)->is_one_line = memchr(end->before.at, '\n', end->before.length - 1) == NULL;
            out = &(*out)->next;
        }
        if (tag_ends_list(end)) return true;
        if (end->rest.length != 0 && end->rest.at[0] == '!') continue;
        *out = parse_tag(parser, end);
        if (*out == NULL) return false;
        out = &(*out)->next;
    }
}

/* Lets the lists of every if go on with what follows it; `after` is what follows the list itself. */
static void link_lists(cg_piece **list, cg_piece *after) {
    cg_piece **end = list;
    for (; *end != NULL; end = &(*end)->next) {
        cg_piece *const piece = *end, *const next = piece->next == NULL ? after : piece->next;
        if (piece->kind == CG_PIECE_FOR) link_lists(&piece->inside, NULL);
        if (piece->kind != CG_PIECE_IF) continue;
        link_lists(&piece->inside, next);
        link_lists(&piece->otherwise, next);
    }
    *end = after;
}

bool cg_template_parse(cg_template_set *set, cg_template *template, cg_template_error *error) {
    const cg_template_source source = template->source;
    struct parser parser = {.set = set,
                            .arena = set->arena,
                            .name = source.name,
                            .start = source.text,
                            .at = source.text,
                            .line = 1,
                            .error = error};
    cg_piece *pieces = NULL;
    struct tag end;
    if (!parse_list(&parser, &pieces, &end)) return false;
    if (!end.is_end) {
        return cg_template_fail(error, source.name, end.line, "'{{%.*s}}' without a beginning", (int)end.rest.length,
                                end.rest.at);
    }
    link_lists(&pieces, NULL);
    template->pieces = pieces == NULL ? piece_new(&parser, CG_PIECE_TEXT, 1) : pieces;
    return true;
}
