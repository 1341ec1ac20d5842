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

static bp_err fill_types(bp_type_map *map, uint16_t *slots, const bp_schema *schema, uint32_t schema_ix, size_t *next) {
    for (uint32_t i = 0; i < schema->type_count; i++) {
        const bp_type_info *info = &schema->types[i];
        if (slots[info->type] >= UNKNOWN_COUNT) return BP_ERR_SCHEMA;
        slots[info->type] = (uint16_t)*next;
        bpi_type_entry *entry = &map->entries[(*next)++];
        *entry = (bpi_type_entry){.info = info, .accept_min = 1, .accept_max = 0, .schema_ix = schema_ix};
        if (info->is_sensitive) {
            map->has_sensitive = true;
        } else {
            entry->accept_min = info->accept_min;
            entry->accept_max = info->accept_max;
        }
    }
    return BP_OK;
}

static bp_err fill(bp_type_map *map, uint16_t *slots, const bp_schema *const *schemas, size_t schema_count) {
    size_t next = UNKNOWN_COUNT;
    bp_err err = BP_OK;
    for (uint32_t i = 0; i < UNKNOWN_COUNT; i++) {
        map->entries[i] = (bpi_type_entry){.accept_min = 1, .accept_max = 0, .unknown = (bp_unknown)i};
    }
    for (size_t i = 0; i < schema_count; i++) fill_ranges(slots, schemas[i]);
    for (size_t i = 0; err == BP_OK && i < schema_count; i++) {
        err = fill_types(map, slots, schemas[i], (uint32_t)i, &next);
    }
    return err;
}

/* Gives each page the number of the first one equal to it; returns how many differ. */
static size_t number_pages(bp_type_map *map, uint16_t (*slots)[BPI_TYPE_PAGE]) {
    size_t count = 0;
    for (size_t page = 0; page < PAGE_COUNT; page++) {
        size_t ix = 0;
        while (ix < count && memcmp(slots[ix], slots[page], sizeof slots[0]) != 0) ix++;
        if (ix == count) memmove(slots[count++], slots[page], sizeof slots[0]);
        map->page_of[page] = (uint8_t)ix;
    }
    return count;
}

bp_err bp_type_map_new(const bp_schema *const *schemas, size_t schema_count, bp_type_map **out) {
    uint16_t(*slots)[BPI_TYPE_PAGE] = NULL;
    bp_type_map *map = NULL;
    size_t type_count;
    *out = NULL;
    bp_err err = check_schemas(schemas, schema_count, &type_count);
    if (err != BP_OK) return err;

    err = BP_ERR_NO_MEMORY;
    map = bpi_os.alloc(sizeof *map + (UNKNOWN_COUNT + type_count) * sizeof map->entries[0]);
    if (map == NULL) goto fail;
    slots = bpi_os.alloc(TYPE_COUNT * sizeof(uint16_t));
    if (slots == NULL) goto fail;
    err = fill(map, slots[0], schemas, schema_count);
    if (err != BP_OK) goto fail;

    const size_t page_bytes = number_pages(map, slots) * sizeof slots[0];
    map->pages = bpi_os.alloc(page_bytes);
    if (map->pages == NULL) {
        err = BP_ERR_NO_MEMORY;
        goto fail;
    }
    memcpy(map->pages, slots, page_bytes);
    bpi_os.free(slots);
    *out = map;
    return BP_OK;

fail:
    bpi_os.free(slots);
    bpi_os.free(map);
    return err;
}

void bp_type_map_free_take(bp_type_map **map) {
    if (*map == NULL) return;
    bpi_os.free((*map)->pages);
    bpi_os.free(*map);
    *map = NULL;
}

const bp_type_info *bp_type_map_find(const bp_type_map *map, uint16_t type, uint32_t *schema_ix) {
    const bpi_type_entry *entry = bpi_type_map_entry(map, type);
    if (entry->info != NULL && schema_ix != NULL) *schema_ix = entry->schema_ix;
    return entry->info;
}
