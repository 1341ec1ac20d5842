#include "codegen/build.h"
#include "codegen/layout.h"
#include "codegen/names.h"
#include "codegen/schema.h"
#include "codegen/traits.h"
#include "codegen/wrapper.h"

#include <string.h>

/* Every spelling of a type that takes no arguments, and the first word of those that take some. */
static const struct {
    const char *name;
    cg_kind kind;
} builtins[] = {
#define CG_SPELLING(name, kind, value) {name, CG_##kind},
#define CG_FORM(name, spelling, value)
#include "codegen/types.def"
#undef CG_SPELLING
#undef CG_FORM
};
static const char *const with_arguments[] = {
#define CG_SPELLING(name, kind, value)
#define CG_FORM(name, spelling, value) name,
#include "codegen/types.def"
#undef CG_SPELLING
#undef CG_FORM
};

enum {
    BUILTINS = sizeof builtins / sizeof builtins[0],
    WITH_ARGUMENTS = sizeof with_arguments / sizeof *with_arguments
};

bool cg_type_is_builtin(const char *name) {
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strcmp(builtins[i].name, name) == 0) return true;
    }
    for (size_t i = 0; i < WITH_ARGUMENTS; i++) {
        if (strcmp(with_arguments[i], name) == 0) return true;
    }
    return false;
}

/* ---- words of a spelling ---------------------------------------------------------------------------------------- */

/* Reads one spelling from left to right. */
typedef struct reader {
    cg_builder *builder;
    const cg_type_place *place;
    const char *text;
    size_t at;
    bool is_failed;    /* reported */
    bool is_outermost; /* no element of another type: may take its bound from max_length */
    unsigned depth;    /* elements in elements */
    bool may_grow;     /* an extensible type may stand here: behind it the vector says the stride */
} reader;

static cg_type *read_type(reader *r);

static const char too_nested[] = "types are nested more than 16 deep";

/* Where text[start .. end - 1] stands in the file. */
static cg_span part_span(const reader *r, size_t start, size_t end) {
    const cg_source *source = r->builder->diags->source;
    cg_span span = r->place->at->span;
    const uint32_t length = r->place->at->length;
    if (source == NULL || span.end - span.start < length) return span;
    const uint32_t quote = span.end - span.start == length ? 0 : 1;
    if (memcmp(source->text + span.start + quote, r->text, length) != 0) return span;
    span.start += quote;
    if (end > length) return (cg_span){span.start + length, span.start + length};
    return (cg_span){span.start + (uint32_t)start, span.start + (uint32_t)end};
}

static void fail(reader *r, cg_diag_id id, size_t start, const char *message) {
    if (!r->is_failed)
        cg_report(r->builder->diags, id, part_span(r, start, r->at > start ? r->at : start + 1), "%s", message);
    r->is_failed = true;
}

static void skip_space(reader *r) {
    while (r->text[r->at] == ' ') r->at++;
}

static bool expect(reader *r, char c, const char *message) {
    skip_space(r);
    if (r->text[r->at] == c) {
        r->at++;
        skip_space(r);
        return true;
    }
    fail(r, CG_E_TYPE_SYNTAX, r->at, message);
    return false;
}

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char *read_word(reader *r) {
    const size_t start = r->at;
    while (is_word_char(r->text[r->at])) r->at++;
    return cg_arena_copy(r->builder->arena, r->text + start, r->at - start);
}

/* A capacity: 1 .. CG_VALUE_MAX; 0 after an error. */
static uint32_t read_capacity(reader *r) {
    skip_space(r);
    const size_t start = r->at;
    cg_number number;
    const cg_number_outcome outcome = cg_number_parse(read_word(r), &number);
    if (outcome == CG_NUMBER_NOT_ONE) {
        fail(r, CG_E_TYPE_SYNTAX, start, "a capacity is needed here, as a number");
        return 0;
    }
    if (outcome == CG_NUMBER_TOO_BIG || !cg_number_fits(&number, 30, false) || cg_number_u64(&number) == 0) {
        fail(r, CG_E_CAPACITY, start, "a capacity must be from 1 to 2^30 - 1");
        return 0;
    }
    return (uint32_t)cg_number_u64(&number);
}

/* ---- making types ----------------------------------------------------------------------------------------------- */

static cg_type *new_type(reader *r, cg_kind kind, const cg_type *element, uint32_t capacity) {
    cg_type *type = CG_NEW(r->builder->arena, cg_type);
    type->kind = kind;
    type->element = element;
    type->capacity = capacity;
    return type;
}

/* Where the elements of an outermost counted type go. */
static bool is_tail(const reader *r, cg_kind kind, uint32_t capacity) {
    const cg_node *wire = r->place->wire;
    if (!r->is_outermost || !r->place->is_message) return false;
    if (wire != NULL) return strcmp(wire->text, "tail") == 0;
    return cg_layout_prefers_tail(kind, capacity);
}

static cg_type *finish(reader *r, cg_type *type, size_t start) {
    if (r->is_failed) return NULL;
    if (cg_kind_is_counted(type->kind)) type->is_tail = is_tail(r, type->kind, type->capacity);
    if (!cg_layout_type(type)) fail(r, CG_E_CAPACITY, start, "this takes more than 1 GiB");
    type->spelling = cg_arena_copy(r->builder->arena, r->text + start, r->at - start);
    return type;
}

/* The element in a struct that has it as its only member. */
static const cg_type *wrap(reader *r, const cg_type *element, size_t start) {
    const cg_struct *wrapper = cg_wrapper_of(r->builder, element, r->place->at);
    if (wrapper == NULL) {
        fail(r, CG_E_CAPACITY, start, "this takes more than 1 GiB");
        return NULL;
    }
    if (wrapper->depth > CG_NESTED_MAX) {
        fail(r, CG_E_TOO_NESTED, start, too_nested);
        return NULL;
    }
    cg_type *type = new_type(r, CG_STRUCT, NULL, 0);
    type->structure = wrapper;
    return finish(r, type, start);
}

/* An element of an array or vector: what generated code can hold in a row, by itself or wrapped. */
static const cg_type *read_element(reader *r, bool may_grow) {
    const size_t start = r->at;
    const bool was_outermost = r->is_outermost;
    if (r->depth == CG_NESTED_MAX) {
        fail(r, CG_E_TOO_NESTED, start, too_nested);
        return NULL;
    }
    r->is_outermost = false;
    r->depth++;
    r->may_grow = may_grow;
    const cg_type *element = read_type(r);
    r->depth--;
    r->is_outermost = was_outermost;
    r->may_grow = false;
    return element == NULL || !cg_wrapper_is_needed(element) ? element : wrap(r, element, start);
}

static cg_type *read_array(reader *r, size_t start) {
    r->at++;
    skip_space(r);
    const cg_type *element = read_element(r, false);
    if (element == NULL || !expect(r, ';', "an array is written [T; N]")) return NULL;
    const uint32_t capacity = read_capacity(r);
    if (capacity == 0 || !expect(r, ']', "an array is written [T; N]")) return NULL;
    return finish(r, new_type(r, CG_ARRAY, element, capacity), start);
}

static cg_type *byte_type(reader *r) {
    cg_type *byte = new_type(r, CG_U8, NULL, 0);
    byte->spelling = "u8";
    (void)cg_layout_type(byte);
    return byte;
}

static cg_type *text_type(reader *r, cg_kind kind, uint32_t capacity, size_t start) {
    return capacity == 0 ? NULL : finish(r, new_type(r, kind, byte_type(r), capacity), start);
}

/* What the user wrote from there up to here, without spaces behind it. */
static const char *text_from(const reader *r, size_t start) {
    size_t end = r->at;
    while (end > start && r->text[end - 1] == ' ') end--;
    return cg_arena_copy(r->builder->arena, r->text + start, end - start);
}

/* The capacity of a type that takes it from max_length; `bounded` is how it is written with its bound. */
static uint32_t bound(reader *r, size_t start, const char *bounded) {
    const cg_node *max_length = r->place->max_length;
    uint64_t value = 0;
    if (max_length != NULL && r->is_outermost) {
        if (!max_length->is_bad) (void)cg_read_bytes(max_length->text, &value);
        r->is_failed = r->is_failed || max_length->is_bad;
        return (uint32_t)value;
    }
    const char *const words = r->is_outermost ? "this needs a bound: validation: [{max_length: N}], or in the type: %s"
                                              : "an element has no max_length: write its bound in the type, as %s";
    fail(r, CG_E_NO_BOUND, start, cg_arena_format(r->builder->arena, words, bounded));
    return 0;
}

/* `Vec<u16, 3>` and `String<8>`: the bound of another type's spelling. */
static void fail_with_bound(reader *r, size_t start, const char *word, const char *bounded_before) {
    r->at += strspn(r->text + r->at, "<,; ");
    const char *const capacity = read_word(r);
    skip_space(r);
    if (r->text[r->at] == '>') r->at++;
    fail(r, CG_E_TYPE_SYNTAX, start,
         cg_arena_format(r->builder->arena, "%s takes its bound from max_length; %s%s> has it in the type", word,
                         bounded_before, capacity[0] == '\0' ? "N" : capacity));
}

/* Whether the type ends where it does only because it is not in quotes: inside {...} a comma ends an unquoted text. */
static bool is_cut(const reader *r) {
    const cg_source *source = r->builder->diags->source;
    const cg_span span = r->place->at->span;
    return r->text[r->at] == '\0' && source != NULL && source->text[span.end] == ',';
}

/* From the element to the '>' of a Vec. */
static cg_type *read_vec(reader *r, size_t start) {
    const size_t element_start = r->at;
    const cg_type *element = read_element(r, is_tail(r, CG_VECTOR, 1));
    if (element == NULL) return NULL;
    const char *const spelling = text_from(r, element_start);
    skip_space(r);
    if (r->text[r->at] == ',' || r->text[r->at] == ';') {
        fail_with_bound(r, start, "Vec", cg_arena_format(r->builder->arena, "FixedVec<%s, ", spelling));
        return NULL;
    }
    if (!expect(r, '>', is_cut(r) ? "'>' is missing; a type with a comma needs quotes inside {...}" : "'>' is missing"))
        return NULL;
    const char *const bounded = cg_arena_format(r->builder->arena, "FixedVec<%s, N>", spelling);
    const uint32_t capacity = bound(r, start, bounded);
    return capacity == 0 ? NULL : finish(r, new_type(r, CG_VECTOR, element, capacity), start);
}

static cg_type *read_fixed_vec(reader *r, size_t start) {
    const cg_type *element = read_element(r, is_tail(r, CG_VECTOR, 1));
    if (element == NULL ||
        !expect(r, ',',
                is_cut(r) ? "a FixedVec is written FixedVec<T, N>, in quotes where it stands inside {...}"
                          : "a FixedVec is written FixedVec<T, N>"))
        return NULL;
    const uint32_t capacity = read_capacity(r);
    if (capacity == 0 || !expect(r, '>', "'>' is missing")) return NULL;
    return finish(r, new_type(r, CG_VECTOR, element, capacity), start);
}

static cg_type *read_generic(reader *r, const char *word, size_t start) {
    if (!expect(r, '<', "this type takes arguments: Vec<T>, FixedVec<T, N>, FixedStr<N>, bytes<N>")) return NULL;
    if (strcmp(word, "Vec") == 0) return read_vec(r, start);
    if (strcmp(word, "FixedVec") == 0) return read_fixed_vec(r, start);
    const uint32_t capacity = read_capacity(r);
    if (capacity == 0 || !expect(r, '>', "'>' is missing")) return NULL;
    return text_type(r, strcmp(word, "bytes") == 0 ? CG_BYTES : CG_STRING, capacity, start);
}

/* ---- declared types --------------------------------------------------------------------------------------------- */

void cg_struct_add(cg_builder *builder, cg_struct *structure) {
    cg_model *model = builder->model;
    model->structs = cg_arena_grow(builder->arena, model->structs, model->struct_count, sizeof structure);
    model->structs[model->struct_count++] = structure;
}

/* A type's own depth, from those of its fields' types: it does not depend on the order in which types stand. */
static bool check_depth(cg_builder *b, const cg_declaration *d) {
    cg_struct *t = d->structure;
    for (size_t i = 0; i < t->field_count; i++) {
        const uint32_t depth = 1 + cg_type_depth(t->fields[i].type);
        if (depth > t->depth) t->depth = depth;
        if (depth <= CG_NESTED_MAX) continue;
        cg_report(b->diags, CG_E_TOO_NESTED, cg_node_place(t->fields[i].at), "%s", too_nested);
        return false;
    }
    return true;
}

/* What can be said of a type that grows once it is laid out. */
static void check_extensible(cg_builder *b, const cg_struct *t) {
    cg_members_check_defaults(b, t);
    if (!t->is_extensible || t->size <= CG_STRIDE_MAX) return;
    cg_report(b->diags, CG_E_STRIDE, cg_node_place(t->at), "'%s' takes %u bytes: an extensible type has at most %d",
              t->name.text, t->size, CG_STRIDE_MAX);
}

static bool open_struct(cg_builder *b, cg_declaration *d) {
    const cg_node *fields = cg_entry(d->at, "fields");
    cg_struct *t = d->structure;
    t->fields = cg_fields_read(b, fields, t, &t->field_count);
    cg_lock_order(b->lock, false, t->name.text, NULL, t->fields, t->field_count);
    if (t->field_count == 0 && !fields->is_bad) {
        cg_report(b->diags, CG_E_MISSING_KEY, cg_node_place(d->at), "a type needs at least one field");
    }
    for (size_t i = 0; i < t->field_count; i++) {
        if (t->fields[i].type == NULL) return false;
    }
    if (t->field_count == 0 || !check_depth(b, d)) return false;
    if (cg_layout_struct(b->arena, t, b->model->min_compatible)) {
        check_extensible(b, t);
        cg_struct_find_traits(t);
        cg_struct_add(b, t);
        return true;
    }
    cg_report(b->diags, CG_E_CAPACITY, cg_node_place(d->at), "'%s' takes more than 1 GiB", d->name.text);
    return false;
}

/* Builds a struct that is used for the first time. False when it cannot be used; then that was or is reported. */
static bool build_struct(cg_builder *b, cg_declaration *d) {
    if (d->state != CG_NEW_ONE) return d->state == CG_DONE;
    d->state = CG_OPEN;
    b->nested++;
    const bool is_built = open_struct(b, d);
    b->nested--;
    d->state = is_built ? CG_DONE : CG_BROKEN;
    return is_built;
}

/* The type that another name stands for, read anew for every use: its bound is the user's. */
static cg_type *read_alias(reader *r, cg_declaration *d, size_t start) {
    const cg_node *is = cg_good_entry(d->at, "is");
    if (is == NULL || d->state == CG_BROKEN) {
        r->is_failed = true;
        return NULL;
    }
    cg_type_place place = *r->place;
    place.at = is;
    reader inner = {
        .builder = r->builder,
        .place = &place,
        .text = is->text,
        .is_outermost = r->is_outermost,
        .may_grow = r->may_grow,
    };
    d->state = CG_OPEN;
    r->builder->nested++;
    cg_type *type = read_type(&inner);
    if (type != NULL && inner.text[inner.at] != '\0')
        fail(&inner, CG_E_TYPE_SYNTAX, inner.at, "nothing may follow the type");
    r->builder->nested--;
    d->state = inner.is_failed ? CG_BROKEN : CG_NEW_ONE;
    if (!inner.is_failed) return type;
    cg_note(r->builder->diags, part_span(r, start, r->at), "it is used here");
    r->is_failed = true;
    return NULL;
}

/* Types of other languages. */
static const struct {
    const char *word, *type; /* the one to use here, or NULL */
    const char *instead;     /* or what to do */
} foreign[] = {
    {"int", "i32", ""},      {"integer", "i64", ""},   {"long", "i64", ""},      {"short", "i16", ""},
    {"uint", "u32", ""},     {"unsigned", "u32", ""},  {"size_t", "u64", ""},    {"usize", "u64", ""},
    {"isize", "i64", ""},    {"char", "u8", ""},       {"byte", "u8", ""},       {"float", "f32", ""},
    {"double", "f64", ""},   {"number", "f64", ""},    {"boolean", "bool", ""},  {"str", "String", ""},
    {"text", "String", ""},  {"array", "Vec", ""},     {"list", "Vec", ""},      {"timestamp", "u64", ""},
    {"Option", NULL, ": an optional field says `optional: true`"},
    {"optional", NULL, ": an optional field says `optional: true`"},
    {"Map", NULL, ": a map is a vector of a type with key and value"},
    {"HashMap", NULL, ": a map is a vector of a type with key and value"},
};

static void report_unknown(reader *r, const char *word, size_t start) {
    cg_builder *b = r->builder;
    cg_guess guess = cg_guess_of(word);
    const char *instead = "";
    const bool is_guessing = b->guess_count++ < CG_GUESSES_MAX;
    for (size_t i = 0; i < b->declared_count && is_guessing; i++) cg_guess_offer(&guess, b->declared[i]->name.text);
    for (size_t i = 0; i < BUILTINS && is_guessing; i++) cg_guess_offer(&guess, builtins[i].name);
    for (size_t i = 0; i < WITH_ARGUMENTS && is_guessing; i++) cg_guess_offer(&guess, with_arguments[i]);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (strcmp(foreign[i].word, word) != 0 || guess.best_distance == 0) continue;
        guess.best = foreign[i].type;
        instead = foreign[i].instead;
    }
    cg_report(b->diags, CG_E_TYPE_UNKNOWN, part_span(r, start, r->at), "unknown type '%.64s'%s", word, instead);
    cg_suggest(b->diags, &guess);
    r->is_failed = true;
}

static cg_type *read_declared(reader *r, cg_declaration *d, size_t start) {
    if (d->state == CG_OPEN) {
        fail(r, CG_E_RECURSION, start, "a type cannot contain itself");
        cg_note(r->builder->diags, d->at->key->span, "the type that this is in, directly or through others");
        return NULL;
    }
    if (r->builder->nested == CG_NESTED_MAX) {
        fail(r, CG_E_TOO_NESTED, start, too_nested);
        return NULL;
    }
    if (d->kind == CG_IS_ALIAS) return read_alias(r, d, start);
    if (d->kind == CG_IS_STRUCT && !build_struct(r->builder, d)) {
        r->is_failed = true;
        return NULL;
    }
    if (d->kind == CG_IS_STRUCT && d->structure->is_extensible && !r->may_grow) {
        fail(r, CG_E_EXTENSIBLE, start, "an extensible type may stand only in a vector of a message, in its tail");
        cg_note(r->builder->diags, d->at->key->span, "this type is extensible");
        return NULL;
    }
    cg_type *type = new_type(r, d->kind == CG_IS_ENUM ? CG_ENUM : CG_STRUCT, NULL, 0);
    type->enumeration = d->enumeration;
    type->structure = d->structure;
    return finish(r, type, start);
}

/* ---- spellings -------------------------------------------------------------------------------------------------- */

static cg_type *read_string(reader *r, size_t start) {
    if (r->text[r->at] != '<') return text_type(r, CG_STRING, bound(r, start, "FixedStr<N>"), start);
    fail_with_bound(r, start, "String", "FixedStr<");
    return NULL;
}

static cg_type *read_builtin(reader *r, cg_kind kind, size_t start) {
    if (kind == CG_STRING) return read_string(r, start);
    if (kind == CG_ARRAY) return finish(r, new_type(r, CG_ARRAY, byte_type(r), 20), start);
    return finish(r, new_type(r, kind, NULL, 0), start);
}

static cg_type *read_type(reader *r) {
    const size_t start = r->at;
    if (r->text[start] == '[') return read_array(r, start);
    const char *word = read_word(r);
    if (word[0] == '\0') {
        fail(r, CG_E_TYPE_SYNTAX, start, "a type is needed here, such as u32, [u8; 16], String or Vec<T>");
        return NULL;
    }
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strcmp(builtins[i].name, word) == 0) return read_builtin(r, builtins[i].kind, start);
    }
    for (size_t i = 0; i < WITH_ARGUMENTS; i++) {
        if (strcmp(with_arguments[i], word) == 0) return read_generic(r, word, start);
    }
    cg_declaration *d = cg_table_find(&r->builder->declarations, word);
    if (d != NULL) return read_declared(r, d, start);
    report_unknown(r, word, start);
    return NULL;
}

static void check_wire(reader *r, const cg_type *type) {
    const cg_node *wire = r->place->wire;
    if (wire == NULL || cg_kind_is_counted(type->kind)) return;
    cg_report(r->builder->diags, CG_E_WIRE, wire->span, "wire is for strings, bytes and vectors");
}

/* Something stands behind a whole type. */
static void fail_at_rest(reader *r) {
    const char *message = "nothing may follow the type";
    if (r->text[r->at] == '[')
        message = cg_arena_format(r->builder->arena, "an array is written [%s; N]", text_from(r, 0));
    fail(r, CG_E_TYPE_SYNTAX, r->at, message);
}

const cg_type *cg_type_read(cg_builder *builder, const cg_type_place *place) {
    reader r = {
        .builder = builder,
        .place = place,
        .text = place->at->text,
        .is_outermost = true,
        .may_grow = place->is_alias,
    };
    if (place->at->is_bad) return NULL;
    /* Arrays nest by recursion of this reader. */
    if (place->at->length > 1024) {
        fail(&r, CG_E_TYPE_SYNTAX, 0, "a type has at most 1024 characters");
        return NULL;
    }
    cg_type *type = read_type(&r);
    if (type == NULL || r.is_failed) return NULL;
    if (r.text[r.at] != '\0') {
        fail_at_rest(&r);
        return NULL;
    }
    type->spelling = place->at->text;
    check_wire(&r, type);
    return type;
}

/* Read for its errors alone, with a bound, since each use has its own. */
static void check_alias(cg_builder *b, cg_declaration *d) {
    cg_node bounded = {.kind = CG_SCALAR, .text = "1"};
    const cg_node *is = cg_entry(d->at, "is");
    const cg_type_place place = {.at = is, .is_message = true, .max_length = &bounded, .is_alias = true};
    d->state = CG_OPEN;
    d->state = cg_type_read(b, &place) == NULL ? CG_BROKEN : CG_NEW_ONE;
    if (d->state == CG_BROKEN) return;
    b->model->aliases[b->model->alias_count++] = (cg_alias){
        .name = d->name,
        .stands_for = is->text,
        .description = cg_get_text(d->at, "description", NULL),
    };
}

void cg_declarations_read(cg_builder *builder) {
    builder->model->aliases = CG_NEW_ARRAY(builder->arena, cg_alias, builder->declared_count);
    for (size_t i = 0; i < builder->declared_count; i++) {
        cg_declaration *d = builder->declared[i];
        if (d->kind == CG_IS_STRUCT) (void)build_struct(builder, d);
        const bool is_alias = d->kind == CG_IS_ALIAS && d->state == CG_NEW_ONE;
        if (is_alias && cg_good_entry(d->at, "is") != NULL) check_alias(builder, d);
    }
}
