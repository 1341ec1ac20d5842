/* codegen/ids.h: pointers by a message's id. Room is taken where ids are used, not for all that could be: that would be
 * most of what compiling a small contract touches. A zeroed one with an arena is empty. */
#ifndef BUFPOOL_CODEGEN_IDS_H
#define BUFPOOL_CODEGEN_IDS_H

#include "codegen/arena.h"

#include <stdint.h>

enum { CG_IDS_PAGE = 256, CG_IDS_MAX = 65535 };

typedef struct cg_ids {
    cg_arena *arena;
    void **pages[(CG_IDS_MAX + 1) / CG_IDS_PAGE]; /* NULL is a page without any */
} cg_ids;

/* What is stored under id, or NULL. */
void *cg_ids_find(const cg_ids *ids, uint16_t id);

/* Stores what, in the place of what was there; NULL is nothing. */
void cg_ids_set(cg_ids *ids, uint16_t id, void *what);

/* The first that is stored under *id or above, which becomes one more than its id; NULL when there is none. From 0 on
 * this gives all of them, ascending. */
void *cg_ids_next(const cg_ids *ids, uint32_t *id);

#endif
