/* codegen/layout.h: where everything lies: the one function that computes every offset and size.
 *
 *     item      something that needs a place in a block or struct: a field, a bitmap, block_len
 *     placing   at each position, the unplaced item of largest alignment that needs no padding goes next (ties: the
 * order in which they were added); where none fits, padding up to the next offset at which one does */
#ifndef BUFPOOL_CODEGEN_LAYOUT_H
#define BUFPOOL_CODEGEN_LAYOUT_H

#include "codegen/diag.h"
#include "codegen/model.h"

enum {
    CG_INLINE_MAX = 32,        /* strings and bytes up to this capacity lie inline */
    CG_BLOCK_MAX = 65535,      /* bytes of a block */
    CG_STRIDE_MAX = 65535,     /* bytes of an extensible type: what a u16 can say */
    CG_VALUE_MAX = 0x40000000, /* bytes of a value */
    CG_OPTIONALS_MAX = 64      /* in one group */
};

/* Rounds up to a multiple of align, a power of two. */
uint64_t cg_round_up(uint64_t value, uint32_t align);

/* Fills in what follows from a type's kind, element, capacity and is_tail: count_size, items_offset, strides, size,
 * align. False when it is larger than CG_VALUE_MAX. */
bool cg_layout_type(cg_type *type);

/* Whether a counted type of a message's field has its elements in the tail, unless the contract says otherwise. */
bool cg_layout_prefers_tail(cg_kind kind, uint32_t capacity);

/* Places the fields of a struct: groups, gaps, size and, by the oldest version that must be read, the first stride that
 * is accepted. False when it is larger than CG_VALUE_MAX. */
bool cg_layout_struct(cg_arena *arena, cg_struct *structure, uint32_t min_compatible);

/* Places the fields of a message: groups, bitmaps, block_len, tail; sizes for the current version and, by the oldest
 * version that must be read, accept_min. False when something is too large; then it was reported. */
bool cg_layout_message(cg_diags *diags, cg_message *message, uint32_t min_compatible);

#endif
