/* codegen/template_piece.h: a parsed template, between template_parse.c and template.c.
 *
 *   piece     literal text, or a tag with the pieces inside it; pieces form a list by next. Behind the last piece of
 *             an if's lists comes what follows the if, so that rendering has nowhere to return to
 *   operand   what a tag speaks about: a path of names, or a text in quotes
 *   step      one name of a path
 *   variable  a name that a path may begin with, by its number in the set
 *   term      a condition without `and` and `or` */
#ifndef BUFPOOL_CODEGEN_TEMPLATE_PIECE_H
#define BUFPOOL_CODEGEN_TEMPLATE_PIECE_H

#include "codegen/template.h"

enum { CG_TERMS_MAX = 4, CG_FILTERS_MAX = 4, CG_BINDINGS_MAX = 8 };

typedef enum cg_piece_kind { CG_PIECE_TEXT, CG_PIECE_VALUE, CG_PIECE_FOR, CG_PIECE_IF, CG_PIECE_INCLUDE } cg_piece_kind;

/* A run of bytes in a template's text. */
typedef struct cg_slice {
    const char *at;
    size_t length;
} cg_slice;

/* Maps that a path meets one after the other mostly hold its name at the same place: it is looked for there first. */
typedef struct cg_step {
    cg_slice name;
    const char *found; /* the name as the map had it that was looked at last; NULL before */
    uint32_t ix;       /* its place there */
} cg_step;

typedef struct cg_operand {
    const cg_value *literal; /* NULL for a path */
    cg_slice path;           /* "a.b.c" as it stands in the template */
    size_t variable;         /* its first name */
    cg_step *steps;
    size_t step_count;
} cg_operand;

typedef enum cg_compare { CG_COMPARE_NONE, CG_COMPARE_EQUAL, CG_COMPARE_DIFFERENT } cg_compare;

typedef struct cg_term {
    bool is_negated;
    cg_operand left;
    cg_compare compare;
    cg_operand right; /* unless compare is CG_COMPARE_NONE */
} cg_term;

/* A filter makes another text, in the arena. */
typedef const char *cg_filter_fn(cg_arena *arena, const char *text);

typedef struct cg_binding {
    size_t variable;
    cg_operand operand;
} cg_binding;

typedef struct cg_piece cg_piece;

typedef struct cg_template {
    cg_template_source source;
    cg_piece *pieces; /* NULL before it is parsed */
} cg_template;

struct cg_piece {
    cg_piece_kind kind;
    size_t line;
    cg_piece *next;
    cg_slice text;      /* text: its bytes; include: the template's name */
    bool is_one_line;   /* text: no newline but as its last byte */
    size_t variable;    /* for: what is bound to the items */
    cg_operand operand; /* value, for */
    cg_filter_fn *filters[CG_FILTERS_MAX];
    size_t filter_count;
    cg_term *terms; /* if */
    size_t term_count;
    bool is_any;          /* the terms are joined by `or` */
    cg_binding *bindings; /* include */
    size_t binding_count;
    cg_template *target;          /* include: the template, NULL until it is first rendered */
    cg_slice indentation;         /* include on a line of its own: what stood before it */
    cg_piece *inside, *otherwise; /* for, if; of an if, what follows it where there is nothing */
};

/* Every set has the variable `loop`, as number 0. */
enum { CG_VARIABLE_LOOP = 0 };

/* Parses a template of the set into template->pieces; false with *error filled in. An empty template is one empty
 * text. */
bool cg_template_parse(cg_template_set *set, cg_template *template, cg_template_error *error);

/* The number of a variable, a new one when the set has none of that name. */
size_t cg_template_variable(cg_template_set *set, cg_slice name);

/* The filter of that name, or NULL. */
cg_filter_fn *cg_filter_find(cg_slice name);
extern const size_t cg_filter_count;

/* Fills *error in; returns false. */
__attribute__((format(printf, 4, 5))) bool cg_template_fail(cg_template_error *error, const char *template_name,
                                                            size_t line, const char *format, ...);

#endif
