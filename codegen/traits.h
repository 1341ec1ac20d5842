/* codegen/traits.h: what can be wrong with a value of a type.
 *
 * A struct learns its own answers once, when it is laid out: types that use a type twice, which is used twice by others
 * and so on, would otherwise be walked through once for each of exponentially many paths. */
#ifndef BUFPOOL_CODEGEN_TRAITS_H
#define BUFPOOL_CODEGEN_TRAITS_H

#include "codegen/model.h"

/* Whether the type is an enum that refuses unknown values. */
bool cg_type_is_closed(const cg_type *type);

/* Whether bytes of this type can be wrong by themselves: padding, bools, closed enums, counts. */
bool cg_type_has_checks(const cg_type *type);
/* Whether an owned value of this type can be one that must not be encoded: counts, closed enums. */
bool cg_type_has_limits(const cg_type *type);
/* Whether values of this type, or of what is inside it, have rules that validate checks. */
bool cg_type_has_rules(const cg_type *type);

/* Fills in the struct's answers, from its fields and gaps. */
void cg_struct_find_traits(cg_struct *structure);

#endif
