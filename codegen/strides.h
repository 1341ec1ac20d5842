/* codegen/strides.h: which buffer sizes waste the least, for `classes: auto:K` and for the report's curve.
 *
 *     need     bytes that a buffer must hold, and a weight: how often it is wanted
 *     stride   a size of buffers, a multiple of CG_STRIDE_STEP; a need takes the smallest that holds it
 *     waste    the sum over all needs of weight times (its stride - its bytes)
 *     level    a number of strides
 *
 * Exact: the least waste of all choices. An optimal stride is always some need, rounded up to the step: a smaller
 * stride would not hold the largest need below it, a larger one would waste more. So with sizes s[0] < s[1] < ... and
 * W(a, b) the weight of sizes a .. b - 1, the least waste of the first b sizes with k strides is, up to a constant,
 *     best(k, b) = min over a of best(k - 1, a) + s[b - 1] * W(a, b).
 * That cost satisfies the quadrangle inequality, so the best a never falls as b grows (Yao 1980), and divide and
 * conquer finds a whole level in O(n log n). */
#ifndef BUFPOOL_CODEGEN_STRIDES_H
#define BUFPOOL_CODEGEN_STRIDES_H

#include "codegen/arena.h"

#include <stdint.h>

enum {
    CG_STRIDE_STEP = 16, /* granularity, bytes */
    CG_POWERS_MAX = 31   /* of two, up to 1 GiB */
};

typedef struct cg_need {
    uint32_t bytes; /* at most 1 GiB; 0 is held by the smallest stride, too */
    double weight;  /* above 0 */
} cg_need;

/* The best strides of every level from 1 on. */
typedef struct cg_strides {
    size_t level_count; /* as many as were asked for, or as there are sizes: more would not waste less */
    double *waste;      /* [level - 1]; falls strictly */
    size_t size_count;
    uint32_t *sizes;  /* the different sizes of needs, rounded up, ascending */
    uint32_t **first; /* [level - 1][b - 1]: where the last stride of the first b sizes begins to be used */
} cg_strides;

/* Writes the powers of two, from least on, which is one, that are the smallest to hold some need: ascending, at most
 * CG_POWERS_MAX. Returns how many. */
size_t cg_strides_powers(const cg_need *needs, size_t need_count, uint32_t least, uint32_t *out);

/* Finds them for at least one need, up to `most` levels. */
cg_strides cg_strides_find(cg_arena *arena, const cg_need *needs, size_t need_count, size_t most);

/* Writes the strides of one level, ascending: `level` of them. */
void cg_strides_read(const cg_strides *strides, size_t level, uint32_t *out);

/* The waste of any other choice of ascending strides, the last of which holds every need. */
double cg_strides_waste(const cg_need *needs, size_t need_count, const uint32_t *strides, size_t stride_count);

#endif
