#include "codegen/table.h"

#include <string.h>

struct cg_table_slot {
    const char *key; /* NULL is free */
    void *value;
    uint64_t hash;
};

uint64_t cg_hash(uint64_t hash, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++) hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
    return hash;
}

/* The slot of key, or the free one where it belongs. The table has slots. */
static struct cg_table_slot *slot_of(const cg_table *table, const char *key, uint64_t hash) {
    size_t ix = (size_t)(hash ^ hash >> 32) & (table->slot_count - 1);
    for (;; ix = (ix + 1) & (table->slot_count - 1)) {
        struct cg_table_slot *slot = &table->slots[ix];
        if (slot->key == NULL || (slot->hash == hash && strcmp(slot->key, key) == 0)) return slot;
    }
}

static void make_room(cg_table *table) {
    if (2 * (table->count + 1) <= table->slot_count) return;
    cg_table grown = *table;
    grown.slot_count = table->slot_count == 0 ? 16 : 4 * table->slot_count;
    grown.slots = CG_NEW_ARRAY(table->arena, struct cg_table_slot, grown.slot_count);
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct cg_table_slot *old = &table->slots[i];
        if (old->key != NULL) *slot_of(&grown, old->key, old->hash) = *old;
    }
    *table = grown;
}

void *cg_table_find(const cg_table *table, const char *key) {
    if (table->slot_count == 0) return NULL;
    return slot_of(table, key, cg_hash(CG_HASH_START, key, strlen(key)))->value;
}

void *cg_table_add(cg_table *table, const char *key, void *value) {
    make_room(table);
    const uint64_t hash = cg_hash(CG_HASH_START, key, strlen(key));
    struct cg_table_slot *slot = slot_of(table, key, hash);
    if (slot->key != NULL) return slot->value;
    *slot = (struct cg_table_slot){.key = key, .value = value, .hash = hash};
    table->count++;
    return value;
}
