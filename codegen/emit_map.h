/* codegen/emit_map.h: how the parts of a model look to templates, between the emit_*.c files.
 *
 *   slot   a C expression: where a value of fixed size begins in the bytes that were read
 *   chunk  1, 2, 4 or 8 bytes of a gap: what one load or store covers
 *
 * docs/TEMPLATES.md lists the names that each map has. */
#ifndef BUFPOOL_CODEGEN_EMIT_MAP_H
#define BUFPOOL_CODEGEN_EMIT_MAP_H

#include "codegen/model.h"
#include "codegen/value.h"

/* Strings and bytes with a larger capacity are a pointer and a count in owned structs. */
enum { CG_MEMBER_BYTES_MAX = 4096 };

typedef struct cg_emitter {
    cg_arena *arena;
    const cg_model *model;
    bool has_examples; /* fields and messages have what tests need of them: emit_example.c */
} cg_emitter;

/* ---- emit_type.c: types and fields ---- */
/* message is NULL for the field of a struct. */
cg_value *cg_emit_field(const cg_emitter *emitter, const cg_message *message, const cg_field *field);
/* Measuring a message reads the lengths of its inline texts: those are stored before all else, while a register has
 * them. */
bool cg_is_length_first(const cg_field *field);
cg_value *cg_emit_gaps(const cg_emitter *emitter, const cg_gap *gaps, size_t count);

/* The scalar that a scalar or enum type has on the wire. */
cg_kind cg_type_wire(const cg_type *type);
/* The bpi_print_… function of a scalar kind. */
const char *cg_kind_print(cg_kind kind);
const char *cg_type_c_name(const cg_emitter *emitter, const cg_type *type);

/* ---- emit_rule.c: literals and rules ---- */
/* A constant expression of that scalar kind ("UINT64_C(7)"); wide integers are calls. */
const char *cg_emit_literal(const cg_emitter *emitter, const cg_literal *literal, cg_kind kind);
/* The same as an initialiser: wide integers are in braces. */
const char *cg_emit_initialiser(const cg_emitter *emitter, const cg_literal *literal, cg_kind kind);
/* Whether the literal is what a slot of zeros reads as. */
bool cg_literal_is_zero(const cg_literal *literal);
/* The rules of a field that validate has to check: those that can be broken. */
cg_value *cg_emit_rules(const cg_emitter *emitter, const cg_field *field);

/* ---- emit_session.c: hooks and what connections remember ---- */
/* The hooks that some field uses. */
cg_value *cg_emit_hooks(const cg_emitter *emitter);
/* The names of the hooks that the field's own values are shown to. */
cg_value *cg_emit_field_hooks(const cg_emitter *emitter, const cg_field *field);
/* "unsigned", "signed", "real" or "wide" for a field that may not fall, else "". */
const char *cg_emit_monotonic(const cg_field *field);
void cg_set_session(const cg_emitter *emitter, cg_value *map, const cg_message *message);

/* ---- emit_message.c ---- */
cg_value *cg_emit_message(const cg_emitter *emitter, const cg_message *message);
/* The message's id and sizes, which code and reference call the same. */
void cg_set_message_sizes(cg_arena *arena, cg_value *map, const cg_message *message);
cg_value *cg_emit_struct(const cg_emitter *emitter, const cg_struct *structure);
cg_value *cg_emit_enum_values(const cg_emitter *emitter, const cg_enum *enumeration);
cg_value *cg_emit_enum(const cg_emitter *emitter, const cg_enum *enumeration);
/* The bits of the group's bitmap that no field has. */
uint64_t cg_group_unknown_bits(const cg_group *group);

/* ---- emit_reference.c ---- */
/* The root of the reference's templates: the contract in words. */
cg_value *cg_emit_reference(const cg_emitter *emitter);

/* ---- emit_example.c ---- */
/* Values of the field that keep its rules, and trials at its bounds. */
cg_value *cg_emit_example(const cg_emitter *emitter, const cg_field *field);
/* What may stand in the message's block: `places`, `loose` bits and `strides`; who judges its values: `hook_uses`. */
void cg_set_message_examples(const cg_emitter *emitter, cg_value *map, const cg_message *message);

#endif
