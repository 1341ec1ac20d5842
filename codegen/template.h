/* codegen/template.h: a small template engine. It knows nothing of contracts and does no arithmetic.
 *
 *   {{a.b|upper}}                          a value, through filters from left to right
 *   {{#for x in a.list}} … {{/for}}        once per item; inside, loop.first, loop.last and loop.index (from 0)
 *   {{#if a}} … {{else if not b}} … {{else}} … {{/if}}
 *                                          conditions: a, not a, a == "text", a != b.c, joined by `and` or by `or`
 *   {{> name x=a.b y="text"}}              another template, which sees what is in scope here, and x and y
 *   {{! … }}                               nothing
 *
 * A line that holds nothing but one tag other than a value vanishes; an include on such a line gives its indentation
 * to every line that it writes. A value of several lines keeps the indentation of the line on which it stands.
 * True is: the flag true, a text or list that is not empty, a map. A name that nothing defines is an error.
 * docs/TEMPLATES.md says more, and lists the filters. */
#ifndef BUFPOOL_CODEGEN_TEMPLATE_H
#define BUFPOOL_CODEGEN_TEMPLATE_H

#include "codegen/arena.h"
#include "codegen/value.h"

#include <stdbool.h>
#include <stddef.h>

/* The text of one template. */
typedef struct cg_template_source {
    const char *name, *text;
} cg_template_source;

/* The compiler's own templates, written by scripts/embed-templates.sh. */
extern const cg_template_source cg_templates[];
extern const size_t cg_template_count;

struct cg_template;
struct cg_slice;

/* Several templates that may include each other. Each is parsed when it is first used. */
typedef struct cg_template_set {
    cg_arena *arena;
    struct cg_template *templates; /* one per source */
    size_t count;
    struct cg_slice *variables; /* the first names of all paths in what was parsed so far, each once */
    size_t variable_count;
} cg_template_set;

/* Why rendering failed: a line in a template, and words. */
typedef struct cg_template_error {
    const char *template_name;
    size_t line;
    char text[160];
} cg_template_error;

/* Prepares a set; everything it makes lies in the arena. */
void cg_template_set_init(cg_template_set *set, cg_arena *arena, const cg_template_source *sources, size_t count);

/* Renders the template called name with the names of the map root. The text, NUL-terminated, lies in the set's arena.
 * NULL: *error says why. */
const char *cg_render(cg_template_set *set, const char *name, const cg_value *root, cg_template_error *error);

#endif
