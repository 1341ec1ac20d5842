/* codegen/load.h: YAML as a tree that knows where everything stands.
 *
 *     scalar    text; what it means is for the schema to say, nothing is typed by its looks
 *     map       entries in the order of the file; each is a node with a key
 *     list      items in the order of the file
 *
 * Invariants: keys of one map are distinct, not empty and plain text; depth <= CG_DEPTH_MAX; no text holds a NUL; a
 * node that could not be read whole has is_bad, and what is wrong with it was reported. */
#ifndef BUFPOOL_CODEGEN_LOAD_H
#define BUFPOOL_CODEGEN_LOAD_H

#include "codegen/diag.h"
#include "codegen/source.h"

enum { CG_DEPTH_MAX = 32, CG_SCALAR_MAX = 16384, CG_NODES_MAX = 4 * 1024 * 1024 };

typedef enum cg_node_kind { CG_SCALAR, CG_MAP, CG_LIST } cg_node_kind;

typedef struct cg_node cg_node;
struct cg_node {
    cg_node_kind kind;
    bool is_bad;
    cg_span span;       /* scalars: with their quotes; maps and lists: as far as the last thing in them */
    const char *text;   /* scalars: NUL-terminated */
    uint32_t length;    /* scalars: bytes */
    uint32_t count;     /* maps and lists: entries */
    const cg_node *key; /* of an entry of a map; NULL elsewhere */
    cg_node *first;     /* maps and lists */
    cg_node *next;      /* in the same map or list */
};

/* Reads the one document of the source. NULL when there is no tree at all; what is wrong was reported either way. */
cg_node *cg_load(cg_arena *arena, const cg_source *source, cg_diags *diags);

/* The entry of a map under key, or NULL. */
cg_node *cg_entry(const cg_node *map, const char *key);

/* Where to point for a node as a whole: its key when it has one, else itself; never more than a line. */
cg_span cg_node_place(const cg_node *node);

#endif
