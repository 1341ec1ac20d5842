/* codegen/traits.h: what can be wrong with a value of a type, and who has to look.
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
bool cg_field_has_rules(const cg_field *field);

/* Whether values of this type, or of what is inside it, are shown to hooks. */
bool cg_type_has_hooks(const cg_type *type);

/* Whether nothing but padding can be wrong with values of this type. */
bool cg_type_has_padding_only(const cg_type *type);

/* Whether values of this type should lie in a program's memory as they lie on the wire: numbers and bytes in the order
 * and at the places that C compilers for 64-bit machines give them. */
bool cg_type_is_flat(const cg_type *type);

/* The first of the field's own rules that is of that kind, or NULL; and whether there is one. */
const cg_rule *cg_field_rule(const cg_field *field, cg_rule_kind kind);
bool cg_field_has_rule(const cg_field *field, cg_rule_kind kind);

/* Whether some value of the message is shown to a hook, and whether a connection must remember it: it has a monotonic
 * field, requires a message or is required. */
bool cg_message_has_hooks(const cg_message *message);
bool cg_message_has_session(const cg_message *message);

/* The field whose bytes end every value of the message, of whatever length: its last tail, when that is one of bytes.
 * NULL: there is none. X_place leaves it to its caller. */
const cg_field *cg_message_placed(const cg_message *message);

/* Whether there are a struct of hooks, a struct of sessions, and an X_place of some message. */
bool cg_model_has_hooks(const cg_model *model);
bool cg_model_has_session(const cg_model *model);
bool cg_model_has_place(const cg_model *model);

/* Whether validate has to look: the rule is one of its own, and some value of the field's type breaks it. */
bool cg_rule_is_checked(const cg_field *field, const cg_rule *rule);

/* Fills in the struct's answers, from its fields and gaps. */
void cg_struct_find_traits(cg_struct *structure);

#endif
