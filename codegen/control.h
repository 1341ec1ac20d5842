/* codegen/control.h: frames of type 0, which are the library's own, read by docs/WIRE.md alone ("Control frames"). */
#ifndef BUFPOOL_CODEGEN_CONTROL_H
#define BUFPOOL_CODEGEN_CONTROL_H

#include "codegen/interp.h"

enum { CG_CONTROL_MAX = 512 /* bytes of a value that readers take */ };

/* "HELLO", "GOODBYE"; NULL for a kind that is not known, and for no kind at all. */
const char *cg_control_name(const uint8_t *value, uint32_t length);

/* What is wrong with a value; a kind that is not known is never wrong. What one frame cannot show, as that a HELLO
 * comes late, is not looked at. */
cg_fault cg_control_check(const uint8_t *value, uint32_t length);

/* Appends a good value of a known kind as JSON; of schemas, the contract's own is named. */
void cg_control_print(cg_text *out, const cg_model *model, const uint8_t *value);

#endif
