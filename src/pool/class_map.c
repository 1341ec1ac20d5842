#include "pool/pool_internal.h"

/* Of closed, watched and users' own pools: nothing is served inline. */
const bpi_class_map bpi_empty_map;

bpi_class *bpi_map_find(const bpi_sized_map *map, uint64_t size) {
    uint32_t low = 0, high = map->class_count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (map->by_size[middle]->stride < size) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == map->class_count ? NULL : map->by_size[low];
}

/* The largest class with magazines, and the largest power of two that divides every size up to it: with that as the
 * unit one small table finds the class of every size. */
static uint32_t inline_max(const bpi_sized *pool, uint64_t served, uint32_t *shift) {
    uint32_t max = 0, all = 0;
    for (; served != 0; served &= served - 1) {
        const bpi_class *of = pool->classes[__builtin_ctzll(served)];
        if (of->depth == 0) continue;
        if (of->stride > max) max = of->stride;
        all |= of->stride;
    }
    *shift = all == 0 ? 0 : (uint32_t)__builtin_ctz(all);
    return max;
}

static void insert_by_size(bpi_sized_map *map, bpi_class *of) {
    uint32_t at = map->class_count++;
    for (; at > 0 && map->by_size[at - 1]->stride > of->stride; at--) map->by_size[at] = map->by_size[at - 1];
    map->by_size[at] = of;
}

static void add_class(bpi_sized_map *map, bpi_class *of, int ix) {
    insert_by_size(map, of);
    if (of->depth == 0) return;
    map->inline_map.inline_classes[ix].stride = of->stride;
    map->inline_map.inline_classes[ix].entry = of->entry;
}

/* The entries of all sizes up to max, in steps of 1 << shift. */
static void add_sizes(const bpi_sized_map *map, uint32_t max, uint32_t shift, uint16_t *entries) {
    for (uint32_t i = 0; i < max >> shift; i++) entries[i] = bpi_map_find(map, (uint64_t)(i + 1) << shift)->entry;
}

static bpi_sized_map *map_new(const bpi_sized *pool, uint64_t served) {
    uint32_t shift = 0;
    const uint32_t max = inline_max(pool, served, &shift);
    bpi_sized_map *map = bpi_os.alloc(sizeof *map + (max >> shift) * sizeof(uint16_t));
    if (map == NULL) return NULL;
    map->served = served;
    for (uint64_t left = served; left != 0; left &= left - 1) {
        const int ix = __builtin_ctzll(left);
        add_class(map, pool->classes[ix], ix);
    }
    bpi_class_map *known = &map->inline_map;
    known->inline_size_max = max;
    known->inline_shift = shift;
    add_sizes(map, max < BPI_SMALL_MAX ? max : BPI_SMALL_MAX, BPI_SMALL_SHIFT, known->small_entries);
    add_sizes(map, max, shift, (uint16_t *)(void *)(known + 1));
    return map;
}

/* Nobody knows who still reads a map that was replaced, so that it cannot be freed; but it can be used again. */
bpi_sized_map *bpi_map_get(bpi_sized *pool, uint64_t served) {
    bpi_sized_map *map = pool->maps;
    while (map != NULL && map->served != served) map = map->next;
    if (map != NULL) return map;
    map = map_new(pool, served);
    if (map == NULL) return NULL;
    map->next = pool->maps;
    pool->maps = map;
    return map;
}

void bpi_map_publish(bpi_sized *pool, bpi_sized_map *map) {
    BPI_STORE_RELEASE(&pool->map, map);
    if (bpi_buf_flags(pool) == 0) BPI_STORE_RELEASE(&pool->head.map, &map->inline_map);
}

void bpi_maps_free(bpi_sized *pool) {
    while (pool->maps != NULL) {
        bpi_sized_map *next = pool->maps->next;
        bpi_os.free(pool->maps);
        pool->maps = next;
    }
}
