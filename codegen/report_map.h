/* codegen/report_map.h: the byte map of a message's block, as rectangles of a picture.
 *
 *     piece   bytes of the block that belong together: a field, a bitmap, block_len, a gap
 *     row     eight bytes of the block, so that alignment is seen; whole rows inside a long piece are drawn as one
 *     cell    one byte of a row */
#ifndef BUFPOOL_CODEGEN_REPORT_MAP_H
#define BUFPOOL_CODEGEN_REPORT_MAP_H

#include "codegen/model.h"
#include "codegen/value.h"

/* `width`, `height`, `cells` and `rows` of the picture of a block that is not empty. A cell: `x y w h text_x text_y`,
 * `kind` (g0 .. g5, implicit, gap, retired), `is_odd`, `label` (cut to what fits, in one cell of each piece) and
 * `title`. A row: `y` and `label`, the offset of its first byte. */
cg_value *cg_report_map(cg_arena *arena, const cg_message *message);

/* "g2": how the group of that index is coloured. */
const char *cg_report_group_kind(cg_arena *arena, size_t group_ix);

#endif
