#include "frame/frame_internal.h"

#include "base/os.h"

enum { TYPE_COUNT = 65536, PAGE_COUNT = TYPE_COUNT / BPI_TYPE_PAGE, UNKNOWN_COUNT = BP_UNKNOWN_DELIVER + 1 };

static bp_err check_types(const bp_schema *schema) {
    for (uint32_t i = 0; i < schema->type_count; i++) {
        const bp_type_info *info = &schema->types[i];
        if (info->type == 0 || info->accept_min > info->accept_max) return BP_ERR_ARGUMENT;
    }
    return BP_OK;
}

static bp_err check_ranges(const bp_schema *schema) {
    for (uint32_t i = 0; i < schema->range_count; i++) {
        const bp_type_range *range = &schema->ranges[i];
        if (range->first > range->last || range->unknown > BP_UNKNOWN_DELIVER) return BP_ERR_ARGUMENT;
    }
    return BP_OK;
}

static bp_err check_schemas(const bp_schema *const *schemas, size_t schema_count, size_t *type_count) {
    *type_count = 0;
    for (size_t i = 0; i < schema_count; i++) {
        if (schemas[i] == NULL) return BP_ERR_ARGUMENT;
        if (schemas[i]->abi != BP_ABI) return BP_ERR_ABI;
        bp_err err = check_types(schemas[i]);
        if (err == BP_OK) err = check_ranges(schemas[i]);
        if (err != BP_OK) return err;
        *type_count += schemas[i]->type_count;
    }
    return *type_count < TYPE_COUNT ? BP_OK : BP_ERR_SCHEMA;
}

/* Type 0 stays refused whatever a range says: it is the control frame. */
static void fill_ranges(uint16_t *slots, const bp_schema *schema) {
    for (uint32_t i = 0; i < schema->range_count; i++) {
        const bp_type_range *range = &schema->ranges[i];
        for (uint32_t type = range->first; type <= range->last; type++) {
            if (type != 0 && slots[type] < range->unknown) slots[type] = (uint16_t)range->unknown;
        }
    }
}

/* Slots of known types say at which of all types, in order, theirs is. */
static bp_err fill_types(uint16_t *slots, const bp_schema *schema, size_t *next) {
    for (uint32_t i = 0; i < schema->type_count; i++) {
        uint16_t *slot = &slots[schema->types[i].type];
        if (*slot >= UNKNOWN_COUNT) return BP_ERR_SCHEMA;
        *slot = (uint16_t)(*next)++;
    }
    return BP_OK;
}

static bp_err fill(uint16_t *slots, const bp_schema *const *schemas, size_t schema_count) {
    size_t next = UNKNOWN_COUNT;
    bp_err err = BP_OK;
    for (size_t i = 0; i < schema_count; i++) fill_ranges(slots, schemas[i]);
    for (size_t i = 0; err == BP_OK && i < schema_count; i++) err = fill_types(slots, schemas[i], &next);
    return err;
}

/* Moves the pages that differ to the front and tells where among them the one equal to each page begins; returns how
 * many there are. */
static size_t place_pages(uint16_t page_at[PAGE_COUNT], uint16_t (*slots)[BPI_TYPE_PAGE]) {
    size_t count = 0;
    for (size_t page = 0; page < PAGE_COUNT; page++) {
        size_t ix = 0;
        while (ix < count && memcmp(slots[ix], slots[page], sizeof slots[0]) != 0) ix++;
        if (ix == count) memmove(slots[count++], slots[page], sizeof slots[0]);
        page_at[page] = (uint16_t)(ix * BPI_TYPE_PAGE);
    }
    return count;
}

/* The interval of an unknown type and that of a sensitive one are empty. */
static bpi_type_entry entry_of(uint16_t slot, const bp_schema *const *schemas) {
    bpi_type_entry entry = {.accept_min = 1, .accept_max = 0};
    if (slot < UNKNOWN_COUNT) {
        entry.unknown = (bp_unknown)slot;
        return entry;
    }
    uint32_t ix = slot - UNKNOWN_COUNT;
    while (ix >= schemas[entry.schema_ix]->type_count) ix -= schemas[entry.schema_ix++]->type_count;
    entry.info = &schemas[entry.schema_ix]->types[ix];
    if (entry.info->is_sensitive) return entry;
    entry.accept_min = entry.info->accept_min;
    entry.accept_max = entry.info->accept_max;
    return entry;
}

static bp_type_map *make(uint16_t (*slots)[BPI_TYPE_PAGE], const bp_schema *const *schemas) {
    uint16_t page_at[PAGE_COUNT];
    const size_t count = place_pages(page_at, slots) * BPI_TYPE_PAGE;
    bp_type_map *map = bpi_os.alloc(sizeof *map + count * sizeof map->entries[0]);
    if (map == NULL) return NULL;
    memcpy(map->page_at, page_at, sizeof page_at);
    for (size_t i = 0; i < count; i++) {
        map->entries[i] = entry_of(slots[i / BPI_TYPE_PAGE][i % BPI_TYPE_PAGE], schemas);
        map->has_sensitive = map->has_sensitive || bpi_type_is_sensitive(&map->entries[i]);
    }
    return map;
}

bp_err bp_type_map_new(const bp_schema *const *schemas, size_t schema_count, bp_type_map **out) {
    size_t type_count;
    *out = NULL;
    bp_err err = check_schemas(schemas, schema_count, &type_count);
    if (err != BP_OK) return err;
    uint16_t(*slots)[BPI_TYPE_PAGE] = bpi_os.alloc(TYPE_COUNT * sizeof(uint16_t));
    if (slots == NULL) return BP_ERR_NO_MEMORY;
    err = fill(slots[0], schemas, schema_count);
    if (err == BP_OK) *out = make(slots, schemas);
    bpi_os.free(slots);
    return err == BP_OK && *out == NULL ? BP_ERR_NO_MEMORY : err;
}

void bp_type_map_free_take(bp_type_map **map) {
    if (*map == NULL) return;
    bpi_os.free(*map);
    *map = NULL;
}

const bp_type_info *bp_type_map_find(const bp_type_map *map, uint16_t type, uint32_t *schema_ix) {
    const bpi_type_entry *entry = bpi_type_map_entry(map, type);
    if (entry->info != NULL && schema_ix != NULL) *schema_ix = entry->schema_ix;
    return entry->info;
}
