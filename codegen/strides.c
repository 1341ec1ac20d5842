#include "codegen/strides.h"

#include <stdlib.h>
#include <string.h>

/* One level on its way. Sums of products are taken in two steps: a compiler may not fuse them, so that every machine
 * finds the same strides. */
typedef struct finder {
    const uint32_t *sizes;
    const double *weight; /* [b]: of the first b sizes */
    const double *before; /* [b]: best of the level below for the first b sizes */
    double *best;         /* [b]: of this level */
    uint32_t *first;      /* [b - 1] */
} finder;

static double cost(const finder *f, size_t a, size_t b) {
    const double waste = f->sizes[b - 1] * (f->weight[b] - f->weight[a]);
    return f->before[a] + waste;
}

/* Finds best and first for the first low .. high sizes; the last stride begins at least .. most. */
static void find_range(const finder *f, size_t low, size_t high, size_t least, size_t most) {
    while (low <= high) {
        const size_t middle = low + (high - low) / 2;
        size_t chosen = least;
        for (size_t a = least + 1; a <= most && a < middle; a++) {
            if (cost(f, a, middle) < cost(f, chosen, middle)) chosen = a;
        }
        f->best[middle] = cost(f, chosen, middle);
        f->first[middle - 1] = (uint32_t)chosen;
        find_range(f, low, middle - 1, least, chosen);
        low = middle + 1;
        least = chosen;
    }
}

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

static uint32_t stride_for(uint32_t bytes) {
    if (bytes == 0) return CG_STRIDE_STEP;
    return (bytes + CG_STRIDE_STEP - 1) / CG_STRIDE_STEP * CG_STRIDE_STEP;
}

static int by_bytes(const void *left, const void *right) {
    const cg_need *a = left, *b = right;
    if (a->bytes != b->bytes) return a->bytes < b->bytes ? -1 : 1;
    return (a->weight > b->weight) - (a->weight < b->weight);
}

/* Fills in the different sizes and, by their count, the weight of all up to each; returns what every choice wastes: the
 * bytes of needs themselves, as a negative number. */
static double gather(cg_arena *arena, const cg_need *needs, size_t need_count, cg_strides *out, double *weight) {
    cg_need *sorted = CG_NEW_ARRAY(arena, cg_need, need_count);
    double sum = 0, base = 0;
    memcpy(sorted, needs, need_count * sizeof *sorted);
    qsort(sorted, need_count, sizeof *sorted, by_bytes);
    for (size_t i = 0; i < need_count; i++) {
        const uint32_t size = stride_for(sorted[i].bytes);
        const double used = sorted[i].weight * sorted[i].bytes;
        if (out->size_count == 0 || out->sizes[out->size_count - 1] != size) out->sizes[out->size_count++] = size;
        sum += sorted[i].weight;
        base -= used;
        weight[out->size_count] = sum;
    }
    return base;
}

cg_strides cg_strides_find(cg_arena *arena, const cg_need *needs, size_t need_count, size_t most) {
    cg_strides found = {.sizes = CG_NEW_ARRAY(arena, uint32_t, need_count)};
    double *const weight = CG_NEW_ARRAY(arena, double, need_count + 1);
    const double base = gather(arena, needs, need_count, &found, weight);
    const size_t count = found.size_count;
    double *before = CG_NEW_ARRAY(arena, double, count + 1), *best = CG_NEW_ARRAY(arena, double, count + 1);
    found.level_count = most < count ? most : count;
    found.waste = CG_NEW_ARRAY(arena, double, found.level_count);
    found.first = CG_NEW_ARRAY(arena, uint32_t *, found.level_count);
    for (size_t level = 0; level < found.level_count; level++) {
        found.first[level] = CG_NEW_ARRAY(arena, uint32_t, count);
        const finder f = {found.sizes, weight, before, best, found.first[level]};
        /* With k strides for at least k sizes, no stride is idle, and `before` is known for what it is asked for. */
        find_range(&f, level + 1, count, level, level == 0 ? 0 : count - 1);
        found.waste[level] = base + best[count];
        double *const swapped = before;
        before = best;
        best = swapped;
    }
    return found;
}

void cg_strides_read(const cg_strides *strides, size_t level, uint32_t *out) {
    size_t end = strides->size_count;
    while (level-- > 0) {
        out[level] = strides->sizes[end - 1];
        end = strides->first[level][end - 1];
    }
}

double cg_strides_waste(const cg_need *needs, size_t need_count, const uint32_t *strides, size_t stride_count) {
    double waste = 0;
    for (size_t i = 0; i < need_count; i++) {
        size_t low = 0, high = stride_count - 1;
        while (low < high) {
            const size_t middle = low + (high - low) / 2;
            if (strides[middle] < needs[i].bytes)
                low = middle + 1;
            else
                high = middle;
        }
        const double wasted = needs[i].weight * (strides[low] - needs[i].bytes);
        waste += wasted;
    }
    return waste;
}

static uint32_t power_for(uint32_t least, uint32_t bytes) {
    while (least < bytes) least *= 2;
    return least;
}

size_t cg_strides_powers(const cg_need *needs, size_t need_count, uint32_t least, uint32_t *out) {
    uint32_t needed = 0; /* bit n: 2^n */
    size_t count = 0;
    for (size_t i = 0; i < need_count; i++) needed |= power_for(least, needs[i].bytes);
    for (unsigned bit = 0; bit < CG_POWERS_MAX; bit++) {
        if ((needed >> bit & 1) != 0) out[count++] = UINT32_C(1) << bit;
    }
    return count;
}
