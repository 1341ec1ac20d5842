/* codegen/table.h: strings to pointers, by hash. Keys are kept, not copied; a zeroed table with an arena is empty. */
#ifndef BUFPOOL_CODEGEN_TABLE_H
#define BUFPOOL_CODEGEN_TABLE_H

#include "codegen/arena.h"

#include <stdint.h>

typedef struct cg_table {
    cg_arena *arena;
    struct cg_table_slot *slots; /* a power of two, never full */
    size_t slot_count, count;
    uint32_t generation; /* slots of earlier generations are free */
} cg_table;

/* What is stored under key, or NULL. */
void *cg_table_find(const cg_table *table, const char *key);

/* Stores value, not NULL, under key unless there is one already; returns what is stored then. */
void *cg_table_add(cg_table *table, const char *key, void *value);

/* Forgets all keys and keeps the room, in constant time. */
void cg_table_clear(cg_table *table);

/* FNV-1a with 64 bits (Fowler, Noll, Vo), continued from hash. */
#define CG_HASH_START UINT64_C(0xCBF29CE484222325)
uint64_t cg_hash(uint64_t hash, const void *bytes, size_t length);

#endif
