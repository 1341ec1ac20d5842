/* Rendering: walks the pieces of templates, looks names up, and writes lines with their indentation. */
#include "codegen/template_piece.h"

#include <stdio.h>
#include <string.h>

enum { INCLUDES_MAX = 24, INDENTATION_MAX = 128 };

/* One name that is in scope; the innermost comes first. */
struct scope {
    cg_slice name;
    const cg_value *value;
    const struct scope *outer;
};

struct renderer {
    cg_template_set *set;
    const cg_value *root;
    const char *template_name;         /* whose pieces are rendered now */
    size_t includes;                   /* how deep */
    char indentation[INDENTATION_MAX]; /* what includes put in front of every line */
    size_t indentation_length;
    char *out;
    size_t length, room;
    cg_template_error *error;
};

#define FAIL(renderer, line, ...) cg_template_fail((renderer)->error, (renderer)->template_name, line, __VA_ARGS__)

/* ---- output ----------------------------------------------------------------------------------------------------- */

static void put(struct renderer *renderer, const char *at, size_t length) {
    if (length == 0) return;
    if (renderer->room - renderer->length <= length) {
        const size_t room = 2 * renderer->room + length + 1;
        char *const moved = cg_arena_alloc(renderer->set->arena, room);
        if (renderer->length != 0) memcpy(moved, renderer->out, renderer->length);
        renderer->out = moved;
        renderer->room = room;
    }
    memcpy(renderer->out + renderer->length, at, length);
    renderer->length += length;
}

static bool is_at_line_start(const struct renderer *renderer) {
    return renderer->length == 0 || renderer->out[renderer->length - 1] == '\n';
}

/* Writes text; `between` goes in front of each of its lines that is not empty, except where a line is continued. */
static void put_lines(struct renderer *renderer, cg_slice text, cg_slice between) {
    const char *at = text.at;
    const char *const end = text.at + text.length;
    while (at != end) {
        const char *const newline = memchr(at, '\n', (size_t)(end - at));
        const char *const next = newline == NULL ? end : newline + 1;
        if (*at != '\n' && is_at_line_start(renderer)) put(renderer, between.at, between.length);
        put(renderer, at, (size_t)(next - at));
        at = next;
    }
}

static void put_text(struct renderer *renderer, cg_slice text) {
    put_lines(renderer, text, (cg_slice){renderer->indentation, renderer->indentation_length});
}

/* What the line that is being written begins with, up to its first character that is not blank. */
static cg_slice line_indentation(struct renderer *renderer, char copy[INDENTATION_MAX]) {
    size_t begin = renderer->length, length = 0;
    while (begin != 0 && renderer->out[begin - 1] != '\n') begin--;
    while (begin + length != renderer->length && length != INDENTATION_MAX && renderer->out[begin + length] == ' ')
        length++;
    if (length != 0) memcpy(copy, renderer->out + begin, length);
    return (cg_slice){copy, length};
}

static void put_value(struct renderer *renderer, const char *text) {
    char copy[INDENTATION_MAX];
    const cg_slice slice = {text, strlen(text)};
    if (strchr(text, '\n') == NULL) {
        put_text(renderer, slice);
        return;
    }
    if (is_at_line_start(renderer)) put(renderer, renderer->indentation, renderer->indentation_length);
    put_lines(renderer, slice, line_indentation(renderer, copy));
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static const cg_value *find_first(const struct renderer *renderer, const struct scope *scope, cg_slice name) {
    for (; scope != NULL; scope = scope->outer) {
        if (scope->name.length == name.length && memcmp(scope->name.at, name.at, name.length) == 0) return scope->value;
    }
    return cg_map_find(renderer->root, name.at, name.length);
}

static const cg_value *find(struct renderer *renderer, const struct scope *scope, cg_slice path, size_t line) {
    const cg_value *value = NULL;
    const char *at = path.at;
    const char *const end = path.at + path.length;
    while (at < end) {
        const char *const dot = memchr(at, '.', (size_t)(end - at));
        const cg_slice name = {at, (size_t)((dot == NULL ? end : dot) - at)};
        const bool is_first = at == path.at;
        if (is_first)
            value = find_first(renderer, scope, name);
        else
            value = value->kind == CG_VALUE_MAP ? cg_map_find(value, name.at, name.length) : NULL;
        if (value == NULL) {
            FAIL(renderer, line, "unknown name '%.*s'", (int)(name.at + name.length - path.at), path.at);
            return NULL;
        }
        at += name.length + 1;
    }
    return value;
}

/* The operand's value; a literal's is made in *literal. */
static const cg_value *operand_value(struct renderer *renderer, const struct scope *scope, const cg_operand *operand,
                                     size_t line) {
    if (!operand->is_literal) return find(renderer, scope, operand->slice, line);
    return cg_value_text(renderer->set->arena,
                         cg_arena_copy(renderer->set->arena, operand->slice.at, operand->slice.length));
}

/* ---- conditions ------------------------------------------------------------------------------------------------- */

static bool value_is_true(const cg_value *value) {
    switch (value->kind) {
    case CG_VALUE_TEXT: return value->text[0] != '\0';
    case CG_VALUE_FLAG: return value->flag;
    case CG_VALUE_LIST: return value->count != 0;
    case CG_VALUE_MAP: return true;
    }
    return false;
}

static bool text_equals(const cg_value *value, const char *text, size_t length) {
    return strncmp(value->text, text, length) == 0 && value->text[length] == '\0';
}

static bool compare(struct renderer *renderer, const struct scope *scope, const cg_term *term, size_t line,
                    const cg_value *left, bool *out) {
    if (term->right.is_literal) {
        *out = text_equals(left, term->right.slice.at, term->right.slice.length);
    } else {
        const cg_value *const right = find(renderer, scope, term->right.slice, line);
        if (right == NULL) return false;
        *out = text_equals(left, right->text, strlen(right->text));
        if (right->kind != CG_VALUE_TEXT) return FAIL(renderer, line, "only texts can be compared");
    }
    if (left->kind != CG_VALUE_TEXT) return FAIL(renderer, line, "only texts can be compared");
    if (term->compare == CG_COMPARE_DIFFERENT) *out = !*out;
    return true;
}

static bool term_holds(struct renderer *renderer, const struct scope *scope, const cg_term *term, size_t line,
                       bool *out) {
    const cg_value *const left = operand_value(renderer, scope, &term->left, line);
    if (left == NULL) return false;
    *out = value_is_true(left);
    if (term->compare != CG_COMPARE_NONE && !compare(renderer, scope, term, line, left, out)) return false;
    *out = *out != term->is_negated;
    return true;
}

/* Every name of a condition must be known where it is reached: `and` stops at the first that is false. */
static bool condition_holds(struct renderer *renderer, const struct scope *scope, const cg_piece *piece, bool *out) {
    *out = !piece->is_any;
    for (size_t i = 0; i < piece->term_count && *out != piece->is_any; i++) {
        if (!term_holds(renderer, scope, &piece->terms[i], piece->line, out)) return false;
    }
    return true;
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static bool render_list(struct renderer *renderer, const struct scope *scope, const cg_piece *piece);

static bool render_value(struct renderer *renderer, const struct scope *scope, const cg_piece *piece) {
    const cg_value *const value = operand_value(renderer, scope, &piece->operand, piece->line);
    if (value == NULL) return false;
    if (value->kind != CG_VALUE_TEXT) {
        return FAIL(renderer, piece->line, "'%.*s' is not a text", (int)piece->operand.slice.length,
                    piece->operand.slice.at);
    }
    const char *text = value->text;
    for (size_t i = 0; i < piece->filter_count; i++) text = piece->filters[i](renderer->set->arena, text);
    put_value(renderer, text);
    return true;
}

static bool render_for(struct renderer *renderer, const struct scope *outer, const cg_piece *piece) {
    const cg_value *const list = operand_value(renderer, outer, &piece->operand, piece->line);
    if (list == NULL) return false;
    if (list->kind != CG_VALUE_LIST) return FAIL(renderer, piece->line, "'{{#for}}' needs a list");
    for (size_t i = 0; i < list->count; i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        const cg_value first = {.kind = CG_VALUE_FLAG, .text = "", .flag = i == 0};
        const cg_value last = {.kind = CG_VALUE_FLAG, .text = "", .flag = i + 1 == list->count};
        const cg_value number = {.kind = CG_VALUE_TEXT, .text = index};
        cg_named_value named[] = {{"first", &first}, {"last", &last}, {"index", &number}};
        const cg_value loop = {.kind = CG_VALUE_MAP, .text = "", .named = named, .count = 3};
        const struct scope loop_scope = {.name = {"loop", 4}, .value = &loop, .outer = outer};
        const struct scope item_scope = {.name = piece->text, .value = list->items[i], .outer = &loop_scope};
        if (!render_list(renderer, &item_scope, piece->inside)) return false;
    }
    return true;
}

static bool render_if(struct renderer *renderer, const struct scope *scope, const cg_piece *piece) {
    bool holds = false;
    if (!condition_holds(renderer, scope, piece, &holds)) return false;
    return render_list(renderer, scope, holds ? piece->inside : piece->otherwise);
}

/* The pieces of a template, parsed when they are needed for the first time. */
static const cg_piece *template_find(struct renderer *renderer, cg_slice name, size_t line, const char **full_name) {
    cg_template_set *const set = renderer->set;
    for (size_t i = 0; i < set->count; i++) {
        const char *const have = set->sources[i].name;
        if (strlen(have) != name.length || memcmp(have, name.at, name.length) != 0) continue;
        if (set->parsed[i] == NULL) set->parsed[i] = cg_template_parse(set->arena, &set->sources[i], renderer->error);
        *full_name = have;
        return set->parsed[i];
    }
    FAIL(renderer, line, "no template is called '%.*s'", (int)name.length, name.at);
    return NULL;
}

static bool render_template(struct renderer *renderer, const struct scope *scope, cg_slice name, size_t line) {
    const char *const outer_name = renderer->template_name;
    if (renderer->includes == INCLUDES_MAX) return FAIL(renderer, line, "includes nest deeper than %d", INCLUDES_MAX);
    const char *inner_name = NULL;
    const cg_piece *const pieces = template_find(renderer, name, line, &inner_name);
    if (pieces == NULL) return false;
    renderer->template_name = inner_name;
    renderer->includes++;
    const bool is_ok = render_list(renderer, scope, pieces);
    renderer->includes--;
    renderer->template_name = outer_name;
    return is_ok;
}

static bool render_include(struct renderer *renderer, const struct scope *outer, const cg_piece *piece) {
    struct scope scopes[CG_BINDINGS_MAX];
    const struct scope *inner = outer;
    const size_t indentation = piece->indentation.length;
    for (size_t i = 0; i < piece->binding_count; i++) {
        const cg_value *const value = operand_value(renderer, outer, &piece->bindings[i].operand, piece->line);
        if (value == NULL) return false;
        scopes[i] = (struct scope){.name = piece->bindings[i].name, .value = value, .outer = inner};
        inner = &scopes[i];
    }
    if (indentation > INDENTATION_MAX - renderer->indentation_length) {
        return FAIL(renderer, piece->line, "lines are indented by more than %d", INDENTATION_MAX);
    }
    if (indentation != 0)
        memcpy(renderer->indentation + renderer->indentation_length, piece->indentation.at, indentation);
    renderer->indentation_length += indentation;
    const bool is_ok = render_template(renderer, inner, piece->text, piece->line);
    renderer->indentation_length -= indentation;
    return is_ok;
}

static bool render_piece(struct renderer *renderer, const struct scope *scope, const cg_piece *piece) {
    switch (piece->kind) {
    case CG_PIECE_TEXT: put_text(renderer, piece->text); return true;
    case CG_PIECE_VALUE: return render_value(renderer, scope, piece);
    case CG_PIECE_FOR: return render_for(renderer, scope, piece);
    case CG_PIECE_IF: return render_if(renderer, scope, piece);
    case CG_PIECE_INCLUDE: return render_include(renderer, scope, piece);
    }
    return false;
}

static bool render_list(struct renderer *renderer, const struct scope *scope, const cg_piece *piece) {
    for (; piece != NULL; piece = piece->next) {
        if (!render_piece(renderer, scope, piece)) return false;
    }
    return true;
}

void cg_template_set_init(cg_template_set *set, cg_arena *arena, const cg_template_source *sources, size_t count) {
    *set = (cg_template_set){.arena = arena, .sources = sources, .count = count};
    set->parsed = CG_NEW_ARRAY(arena, cg_piece *, count == 0 ? 1 : count);
}

const char *cg_render(cg_template_set *set, const char *name, const cg_value *root, cg_template_error *error) {
    struct renderer renderer = {.set = set, .root = root, .template_name = name, .room = 4096, .error = error};
    *error = (cg_template_error){.template_name = name};
    renderer.out = cg_arena_alloc(set->arena, renderer.room);
    if (!render_template(&renderer, NULL, (cg_slice){name, strlen(name)}, 0)) return NULL;
    renderer.out[renderer.length] = '\0';
    return renderer.out;
}
