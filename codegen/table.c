#include "codegen/table.h"

#include <stdbool.h>
#include <string.h>

struct cg_table_slot {
    const char *key; /* NULL is free */
    void *value;
    uint32_t hash, generation;
};

static bool is_free(const cg_table *table, const struct cg_table_slot *slot) {
    return slot->key == NULL || slot->generation != table->generation;
}

uint64_t cg_hash(uint64_t hash, const void *bytes, size_t length) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++) hash = (hash ^ at[i]) * UINT64_C(0x100000001B3);
    return hash;
}

static uint32_t hash_of(const char *key) {
    const uint64_t hash = cg_hash(CG_HASH_START, key, strlen(key));
    return (uint32_t)(hash ^ hash >> 32);
}

/* The slot of key, or the free one where it belongs. The table has slots. */
static struct cg_table_slot *slot_of(const cg_table *table, const char *key, uint32_t hash) {
    size_t ix = hash & (table->slot_count - 1);
    for (;; ix = (ix + 1) & (table->slot_count - 1)) {
        struct cg_table_slot *slot = &table->slots[ix];
        if (is_free(table, slot) || (slot->hash == hash && strcmp(slot->key, key) == 0)) return slot;
    }
}

static void make_room(cg_table *table) {
    if (2 * (table->count + 1) <= table->slot_count) return;
    cg_table grown = *table;
    grown.slot_count = table->slot_count == 0 ? 16 : 4 * table->slot_count;
    grown.slots = CG_NEW_ARRAY(table->arena, struct cg_table_slot, grown.slot_count);
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct cg_table_slot *old = &table->slots[i];
        if (!is_free(table, old)) *slot_of(&grown, old->key, old->hash) = *old;
    }
    *table = grown;
}

void *cg_table_find(const cg_table *table, const char *key) {
    if (table->slot_count == 0) return NULL;
    const struct cg_table_slot *slot = slot_of(table, key, hash_of(key));
    return is_free(table, slot) ? NULL : slot->value;
}

void *cg_table_add(cg_table *table, const char *key, void *value) {
    make_room(table);
    const uint32_t hash = hash_of(key);
    struct cg_table_slot *slot = slot_of(table, key, hash);
    if (!is_free(table, slot)) return slot->value;
    *slot = (struct cg_table_slot){.key = key, .value = value, .hash = hash, .generation = table->generation};
    table->count++;
    return value;
}

void cg_table_clear(cg_table *table) {
    table->count = 0;
    table->generation++;
}
