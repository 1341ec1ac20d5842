/* codegen/value.h: the tree of values that templates see. It knows nothing of contracts.
 *
 *   text   a string; integers are given as text too, so that no template can calculate with them
 *   flag   true or false
 *   list   values in order
 *   map    values by name, in the order in which they were set
 *
 * Everything lies in one arena; texts and names are not copied unless they are formatted here. Lists and maps hold
 * their values themselves: a value is complete before it is put into one, and what is added to it later is not seen
 * there. */
#ifndef BUFPOOL_CODEGEN_VALUE_H
#define BUFPOOL_CODEGEN_VALUE_H

#include "codegen/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum cg_value_kind { CG_VALUE_TEXT, CG_VALUE_FLAG, CG_VALUE_LIST, CG_VALUE_MAP } cg_value_kind;

typedef struct cg_value cg_value;
typedef struct cg_named_value cg_named_value;

/* count is the bytes of a text, 1 or 0 of a flag, the items of a list, the names of a map; room is what a map has
 * memory for. Invariants: of maps, names differ and count <= room; of texts, text[count] is the first NUL. */
struct cg_value {
    cg_value_kind kind : 16;
    unsigned room : 16;
    uint32_t count;
    union {
        const char *text;      /* text; "" of a flag */
        cg_value *items;       /* list */
        cg_named_value *named; /* map */
    };
};

/* One named value of a map. */
struct cg_named_value {
    const char *name;
    cg_value value;
};

cg_value *cg_value_map(cg_arena *arena);
/* A map that will have about that many names, at least 1: for maps of which there are thousands. */
cg_value *cg_value_map_for(cg_arena *arena, uint16_t names);
cg_value *cg_value_list(cg_arena *arena);
cg_value *cg_value_text(cg_arena *arena, const char *text);

/* Sets a name of a map that has no value yet. */
void cg_set(cg_arena *arena, cg_value *map, const char *name, const cg_value *value);
void cg_set_text(cg_arena *arena, cg_value *map, const char *name, const char *text);
void cg_set_flag(cg_arena *arena, cg_value *map, const char *name, bool flag);
void cg_set_number(cg_arena *arena, cg_value *map, const char *name, uint64_t number);
__attribute__((format(printf, 4, 5))) void cg_set_format(cg_arena *arena, cg_value *map, const char *name,
                                                         const char *format, ...);

void cg_append(cg_arena *arena, cg_value *list, const cg_value *value);

/* A name with its value, or NULL; name_length bytes of name count. */
const cg_named_value *cg_map_find(const cg_value *map, const char *name, size_t name_length);

#endif
