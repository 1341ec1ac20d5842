/* Rendering: walks the pieces of templates, looks names up, and writes lines with their indentation. */
#include "codegen/format.h"
#include "codegen/template_piece.h"

#include <string.h>

enum { INCLUDES_MAX = 24, INDENTATION_MAX = 128 };

struct renderer {
    cg_template_set *set;
    const cg_value *root;
    const cg_value **bound; /* per variable what it is bound to here; NULL where it is a name of root */
    size_t bound_room;
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

static void make_room(struct renderer *renderer, size_t length) {
    renderer->room = 2 * renderer->room + length + 1;
    renderer->out = cg_arena_extend(renderer->set->arena, renderer->out, renderer->length, renderer->room);
}

static inline void put(struct renderer *renderer, cg_slice text) {
    if (renderer->room - renderer->length <= text.length) make_room(renderer, text.length);
    if (text.length != 0) memcpy(renderer->out + renderer->length, text.at, text.length);
    renderer->length += text.length;
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
        if (*at != '\n' && is_at_line_start(renderer)) put(renderer, between);
        put(renderer, (cg_slice){at, (size_t)(next - at)});
        at = next;
    }
}

static cg_slice indentation(const struct renderer *renderer) {
    return (cg_slice){renderer->indentation, renderer->indentation_length};
}

static void put_text(struct renderer *renderer, const cg_piece *piece) {
    const cg_slice text = piece->text;
    if (renderer->indentation_length != 0 && !piece->is_one_line) {
        put_lines(renderer, text, indentation(renderer));
        return;
    }
    if (renderer->indentation_length != 0 && is_at_line_start(renderer) && text.at[0] != '\n')
        put(renderer, indentation(renderer));
    put(renderer, text);
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

static void put_value(struct renderer *renderer, cg_slice text) {
    char copy[INDENTATION_MAX];
    if (text.length == 0) return;
    if (is_at_line_start(renderer)) put(renderer, indentation(renderer));
    if (memchr(text.at, '\n', text.length) == NULL)
        put(renderer, text);
    else
        put_lines(renderer, text, line_indentation(renderer, copy));
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* The variable means value from now on; returns what it meant before. */
static const cg_value *bind(struct renderer *renderer, size_t variable, const cg_value *value) {
    const cg_value *const before = renderer->bound[variable];
    renderer->bound[variable] = value;
    return before;
}

/* Room for the variables of templates that were parsed meanwhile. */
static void make_bound_room(struct renderer *renderer) {
    const size_t count = renderer->set->variable_count;
    if (count <= renderer->bound_room) return;
    const cg_value **const grown = CG_NEW_ARRAY(renderer->set->arena, const cg_value *, 2 * count);
    if (renderer->bound_room != 0) memcpy(grown, renderer->bound, renderer->bound_room * sizeof *grown);
    renderer->bound = grown;
    renderer->bound_room = 2 * count;
}

static bool is_found(const cg_step *step, const cg_value *map) {
    return step->ix < map->count && map->named[step->ix].name == step->found;
}

/* The value of a step's name in a map, or NULL. */
static const cg_value *step_value(cg_step *step, const cg_value *map) {
    if (is_found(step, map)) return &map->named[step->ix].value;
    for (step->ix = 0; step->ix < map->count; step->ix++) {
        if (is_found(step, map)) return &map->named[step->ix].value;
    }
    const cg_named_value *const named = cg_map_find(map, step->name.at, step->name.length);
    if (named == NULL) return NULL;
    step->ix = (uint32_t)(named - map->named);
    step->found = named->name;
    return &named->value;
}

/* The value of a path, or NULL with the error told. */
static const cg_value *find(struct renderer *renderer, const cg_operand *operand, size_t line) {
    const cg_value *value = renderer->bound[operand->variable];
    for (size_t i = value == NULL ? 0 : 1; i < operand->step_count; i++) {
        cg_step *const step = &operand->steps[i];
        const cg_value *const map = i == 0 ? renderer->root : value;
        value = map->kind == CG_VALUE_MAP ? step_value(step, map) : NULL;
        if (value == NULL) {
            const char *const path = operand->path.at;
            FAIL(renderer, line, "unknown name '%.*s'", (int)(step->name.at + step->name.length - path), path);
            return NULL;
        }
    }
    return value;
}

/* Most operands are `x.name`, x is bound, and the name lies where it did the last time. */
static inline const cg_value *operand_value(struct renderer *renderer, const cg_operand *operand, size_t line) {
    if (operand->literal != NULL) return operand->literal;
    const cg_value *const bound = renderer->bound[operand->variable];
    if (operand->step_count == 2 && bound != NULL && bound->kind == CG_VALUE_MAP) {
        const cg_step *const step = &operand->steps[1];
        if (is_found(step, bound)) return &bound->named[step->ix].value;
    }
    return find(renderer, operand, line);
}

/* ---- conditions ------------------------------------------------------------------------------------------------- */

static bool is_true(const cg_value *value) { return value->kind == CG_VALUE_MAP || value->count != 0; }

static bool compare(struct renderer *renderer, const cg_term *term, size_t line, const cg_value *left, bool *out) {
    const cg_value *const right = operand_value(renderer, &term->right, line);
    if (right == NULL) return false;
    if (left->kind != CG_VALUE_TEXT || right->kind != CG_VALUE_TEXT) {
        return FAIL(renderer, line, "only texts can be compared");
    }
    const bool is_equal = left->count == right->count && memcmp(left->text, right->text, left->count) == 0;
    *out = is_equal == (term->compare == CG_COMPARE_EQUAL);
    return true;
}

static bool term_holds(struct renderer *renderer, const cg_term *term, size_t line, bool *out) {
    const cg_value *const left = operand_value(renderer, &term->left, line);
    if (left == NULL) return false;
    if (term->compare == CG_COMPARE_NONE)
        *out = is_true(left);
    else if (!compare(renderer, term, line, left, out))
        return false;
    *out = *out != term->is_negated;
    return true;
}

/* Every name of a condition must be known where it is reached: `and` stops at the first that is false. */
static bool condition_holds(struct renderer *renderer, const cg_piece *piece, bool *out) {
    *out = !piece->is_any;
    for (size_t i = 0; i < piece->term_count && *out != piece->is_any; i++) {
        if (!term_holds(renderer, &piece->terms[i], piece->line, out)) return false;
    }
    return true;
}

/* ---- pieces ----------------------------------------------------------------------------------------------------- */

static bool render_list(struct renderer *renderer, cg_piece *piece);

static bool render_value(struct renderer *renderer, const cg_piece *piece) {
    const cg_value *const value = operand_value(renderer, &piece->operand, piece->line);
    if (value == NULL) return false;
    if (value->kind != CG_VALUE_TEXT) {
        return FAIL(renderer, piece->line, "'%.*s' is not a text", (int)piece->operand.path.length,
                    piece->operand.path.at);
    }
    const char *text = value->text;
    for (size_t i = 0; i < piece->filter_count; i++) text = piece->filters[i](renderer->set->arena, text);
    put_value(renderer, (cg_slice){text, piece->filter_count == 0 ? value->count : strlen(text)});
    return true;
}

/* The body for every item; `loop` tells it where it is. */
static bool render_items(struct renderer *renderer, const cg_piece *piece, const cg_value *list) {
    char index[CG_DIGITS_MAX + 1];
    cg_named_value named[] = {{"first", {.kind = CG_VALUE_FLAG, .text = ""}},
                              {"last", {.kind = CG_VALUE_FLAG, .text = ""}},
                              {"index", {.kind = CG_VALUE_TEXT, .text = index}}};
    cg_value *const first = &named[0].value, *const last = &named[1].value, *const number = &named[2].value;
    const cg_value loop = {.kind = CG_VALUE_MAP, .named = named, .count = sizeof named / sizeof named[0]};
    for (uint32_t i = 0; i < list->count; i++) {
        first->count = i == 0;
        last->count = i + 1 == list->count;
        number->count = (uint32_t)cg_digits(index, i);
        index[number->count] = '\0';
        (void)bind(renderer, CG_VARIABLE_LOOP, &loop);
        (void)bind(renderer, piece->variable, &list->items[i]);
        if (!render_list(renderer, piece->inside)) return false;
    }
    return true;
}

static bool render_for(struct renderer *renderer, const cg_piece *piece) {
    const cg_value *const list = operand_value(renderer, &piece->operand, piece->line);
    if (list == NULL) return false;
    if (list->kind != CG_VALUE_LIST) return FAIL(renderer, piece->line, "'{{#for}}' needs a list");
    const cg_value *const outer = renderer->bound[piece->variable];
    const cg_value *const outer_loop = renderer->bound[CG_VARIABLE_LOOP];
    const bool is_ok = render_items(renderer, piece, list);
    (void)bind(renderer, CG_VARIABLE_LOOP, outer_loop);
    (void)bind(renderer, piece->variable, outer);
    return is_ok;
}

/* What is rendered next: the pieces of the side that was chosen lead on to those behind the if. */
static bool choose(struct renderer *renderer, cg_piece *piece, cg_piece **next) {
    bool holds = false;
    if (!condition_holds(renderer, piece, &holds)) return false;
    *next = holds ? piece->inside : piece->otherwise;
    return true;
}

/* The template of that name, parsed; NULL with the error told. */
static cg_template *template_find(struct renderer *renderer, cg_slice name, size_t line) {
    cg_template_set *const set = renderer->set;
    for (size_t i = 0; i < set->count; i++) {
        cg_template *const template = &set->templates[i];
        if (strncmp(template->source.name, name.at, name.length) != 0) continue;
        if (template->source.name[name.length] != '\0') continue;
        if (template->pieces == NULL && !cg_template_parse(set, template, renderer->error)) return NULL;
        make_bound_room(renderer);
        return template;
    }
    FAIL(renderer, line, "no template is called '%.*s'", (int)name.length, name.at);
    return NULL;
}

static bool render_template(struct renderer *renderer, const cg_template *template, size_t line) {
    const char *const outer_name = renderer->template_name;
    if (renderer->includes == INCLUDES_MAX) return FAIL(renderer, line, "includes nest deeper than %d", INCLUDES_MAX);
    renderer->template_name = template->source.name;
    renderer->includes++;
    const bool is_ok = render_list(renderer, template->pieces);
    renderer->includes--;
    renderer->template_name = outer_name;
    return is_ok;
}

/* The target with the piece's indentation in front of every line. */
static bool render_indented(struct renderer *renderer, const cg_piece *piece) {
    const cg_slice added = piece->indentation;
    if (added.length > INDENTATION_MAX - renderer->indentation_length) {
        return FAIL(renderer, piece->line, "lines are indented by more than %d", INDENTATION_MAX);
    }
    if (added.length != 0) memcpy(renderer->indentation + renderer->indentation_length, added.at, added.length);
    renderer->indentation_length += added.length;
    const bool is_ok = render_template(renderer, piece->target, piece->line);
    renderer->indentation_length -= added.length;
    return is_ok;
}

static bool render_include(struct renderer *renderer, cg_piece *piece) {
    const cg_value *values[CG_BINDINGS_MAX];
    if (piece->target == NULL) piece->target = template_find(renderer, piece->text, piece->line);
    if (piece->target == NULL) return false;
    for (size_t i = 0; i < piece->binding_count; i++) {
        values[i] = operand_value(renderer, &piece->bindings[i].operand, piece->line);
        if (values[i] == NULL) return false;
    }
    for (size_t i = 0; i < piece->binding_count; i++) {
        values[i] = bind(renderer, piece->bindings[i].variable, values[i]);
    }
    const bool is_ok = render_indented(renderer, piece);
    for (size_t i = piece->binding_count; i-- != 0;) (void)bind(renderer, piece->bindings[i].variable, values[i]);
    return is_ok;
}

/* Renders one piece and says which follows. */
static inline bool render_piece(struct renderer *renderer, cg_piece *piece, cg_piece **next) {
    *next = piece->next;
    switch (piece->kind) {
    case CG_PIECE_TEXT: put_text(renderer, piece); return true;
    case CG_PIECE_VALUE: return render_value(renderer, piece);
    case CG_PIECE_FOR: return render_for(renderer, piece);
    case CG_PIECE_IF: return choose(renderer, piece, next);
    case CG_PIECE_INCLUDE: return render_include(renderer, piece);
    }
    return false;
}

static bool render_list(struct renderer *renderer, cg_piece *piece) {
    while (piece != NULL) {
        if (!render_piece(renderer, piece, &piece)) return false;
    }
    return true;
}

void cg_template_set_init(cg_template_set *set, cg_arena *arena, const cg_template_source *sources, size_t count) {
    *set = (cg_template_set){.arena = arena, .count = count};
    set->templates = CG_NEW_ARRAY(arena, cg_template, count);
    for (size_t i = 0; i < count; i++) set->templates[i].source = sources[i];
    (void)cg_template_variable(set, (cg_slice){"loop", 4}); /* CG_VARIABLE_LOOP */
}

const char *cg_render(cg_template_set *set, const char *name, const cg_value *root, cg_template_error *error) {
    struct renderer renderer = {.set = set, .root = root, .template_name = name, .room = 4096, .error = error};
    *error = (cg_template_error){.template_name = name};
    renderer.out = cg_arena_alloc(set->arena, renderer.room);
    const cg_template *const template = template_find(&renderer, (cg_slice){name, strlen(name)}, 0);
    if (template == NULL || !render_template(&renderer, template, 0)) return NULL;
    renderer.out[renderer.length] = '\0';
    return renderer.out;
}
