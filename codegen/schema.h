/* codegen/schema.h: the shape of a contract: which keys stand where and what their values are.
 *
 *     where    a kind of map: the root, a message, a field ...
 *     want     what a value must be: text, a bool, an integer, a map ...
 *
 * After cg_schema_check every node that does not have its shape has is_bad; everything else can be read with the
 * functions below without another check. */
#ifndef BUFPOOL_CODEGEN_SCHEMA_H
#define BUFPOOL_CODEGEN_SCHEMA_H

#include "codegen/load.h"

typedef enum cg_where {
    CG_AT_NONE,
    CG_AT_ROOT,
    CG_AT_SCHEMA,
    CG_AT_RANGES,
    CG_AT_RANGE,
    CG_AT_POOL,
    CG_AT_HOOK,
    CG_AT_ENUM,
    CG_AT_TYPE,
    CG_AT_MESSAGE,
    CG_AT_FIELD,
    CG_AT_MEMBER,
    CG_AT_RULE,
    CG_AT_ANYWHERE
} cg_where;

typedef enum cg_want {
    CG_WANT_ANY,
    CG_WANT_TEXT,
    CG_WANT_WORD,      /* one of `words` */
    CG_WANT_NAME,      /* text that can be a name of C: names.c checks it */
    CG_WANT_TYPE,      /* text that spells a type: types.c checks it */
    CG_WANT_TAG_RANGE, /* text, "1000-49999" */
    CG_WANT_LITERAL,   /* a number, boolean or text of a field's type */
    CG_WANT_CLASSES,   /* text, or a list of sizes: classes.c checks it */
    CG_WANT_BOOL,
    CG_WANT_INTEGER, /* low .. high */
    CG_WANT_BYTES,   /* an integer, or one with KiB, MiB or GiB behind it; low .. high */
    CG_WANT_NUMBER,  /* an integer or floating number above low, up to high */
    CG_WANT_TIME,    /* a number with ns, us, ms or s behind it; low .. high nanoseconds */
    CG_WANT_LIST,
    CG_WANT_MAP,     /* of kind `child` */
    CG_WANT_MAP_OF,  /* names to maps of kind `child` */
    CG_WANT_NUMBERS, /* names to integers */
    CG_WANT_RANGE,   /* text, or a map of kind `child` */
    CG_WANT_FIELDS,  /* names to texts or maps of kind `child`, or a list of such maps with a `name` */
    CG_WANT_RULES,   /* a list of maps of kind `child` */
    CG_WANT_NAMES    /* a list of texts, or, unless `child` is none, names to maps of that kind */
} cg_want;

typedef enum cg_key_state { CG_KEY_NEEDED, CG_KEY_OPTIONAL, CG_KEY_IGNORED } cg_key_state;

typedef struct cg_key {
    cg_where where;
    const char *name;
    cg_want want;
    uint64_t low, high;
    cg_where child;
    cg_key_state state;
    const char *words, *otherwise, *example, *text;
} cg_key;

extern const cg_key cg_keys[];
extern const size_t cg_key_count;

/* The rules of all `validation` lists that the language does not have, in the order of the file: hooks, or mistakes. */
typedef struct cg_unknown_rules {
    cg_node **entries;
    size_t count;
} cg_unknown_rules;

/* The next of the words "a|b|c", copied; NULL at the end. */
const char *cg_next_word(cg_arena *arena, const char **list);

/* Checks the whole tree. Unknown rules are not judged here but added to *unknown, which is empty before. */
void cg_schema_check(cg_diags *diags, cg_node *root, cg_unknown_rules *unknown);

/* The entry under key when it is there and has its shape, else NULL. */
const cg_node *cg_good_entry(const cg_node *map, const char *key);

/* Its value, or what is given for it when there is none. */
const char *cg_get_text(const cg_node *map, const char *key, const char *otherwise);
bool cg_get_bool(const cg_node *map, const char *key, bool otherwise);
uint64_t cg_get_uint(const cg_node *map, const char *key, uint64_t otherwise);

double cg_get_real(const cg_node *map, const char *key, double otherwise);
uint64_t cg_get_time(const cg_node *map, const char *key, uint64_t otherwise); /* nanoseconds */

/* Reads an integer or a size in bytes as cg_get_uint does; false when the text is neither or 2^64 and above. */
bool cg_read_bytes(const char *text, uint64_t *out);

#endif
