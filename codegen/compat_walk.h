/* codegen/compat_walk.h: how the files that walk through two contracts say what they find. */
#ifndef BUFPOOL_CODEGEN_COMPAT_WALK_H
#define BUFPOOL_CODEGEN_COMPAT_WALK_H

#include "codegen/compat_pair.h"

/* Where something stands in both contracts, and the message that it is about alone. */
typedef struct cg_where_changed {
    const cg_node *before, *now;
    const cg_message *of;
} cg_where_changed;

void cg_changed(cg_comparison *c, cg_verdict verdict, unsigned breaks, cg_where_changed at, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* ---- compat_hello.c ---- */
/* Decides, and says, whether peers that say HELLO refuse each other. */
void cg_compare_hello(cg_comparison *c);

/* ---- compat_field.c ---- */
/* Compares the fields of a pair; of is the message when it is one. */
void cg_compare_fields(cg_comparison *c, cg_pair *pair, const cg_message *of);

/* ---- compat_type.c ---- */
/* Notes what becomes of the enum's values between these two fields, by way. */
void cg_note_enum(cg_comparison *c, const cg_field *before, const cg_field *now);

/* Compares the types and enums that fields of both contracts use, and names those that are gone. */
void cg_compare_types(cg_comparison *c);

#endif
