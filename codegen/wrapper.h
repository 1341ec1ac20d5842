/* codegen/wrapper.h: structs for elements that C has no plain type for. C cannot put a counted text, a counted list or
 * an array in a row as one value each, so such an element becomes a struct of the compiler's own with one member:
 * FixedStr<8> in an array is s_fixed_str_8 {text, text_length}. A struct with one field lies on the wire as that field,
 * rounded up to its alignment, which is what an element is. */
#ifndef BUFPOOL_CODEGEN_WRAPPER_H
#define BUFPOOL_CODEGEN_WRAPPER_H

#include "codegen/build.h"

/* Whether an element needs one: a string, bytes, a vector, or an array of anything but u8. */
bool cg_wrapper_is_needed(const cg_type *element);

/* The struct for such an element, one for all that look the same; a new one stands behind all structs that there are.
 * `at` is the text that spells it. NULL when it takes more than 1 GiB. */
const cg_struct *cg_wrapper_of(cg_builder *builder, const cg_type *element, const cg_node *at);

/* How many structs lie inside each other in a value of the type; 0 when it has none. */
uint32_t cg_type_depth(const cg_type *type);

#endif
