/* codegen/compat_pair.h: what the compat_*.c files share.
 *
 *     shape     what a message or type looks like on the wire: groups, and for messages the tail
 *     pair      two shapes, or two enums, that stand for the same thing
 *     flow      two fields of partners, one as its writer has it, the other as its reader
 *     refusal   why a reader does not take a value that its writer may send */
#ifndef BUFPOOL_CODEGEN_COMPAT_PAIR_H
#define BUFPOOL_CODEGEN_COMPAT_PAIR_H

#include "codegen/compat.h"

typedef enum cg_way { CG_OLD_TO_NEW, CG_NEW_TO_OLD } cg_way;

/* The level that a way is about, as a set. */
#define CG_WAY_BREAKS(way) ((way) == CG_OLD_TO_NEW ? CG_BREAKS_WIRE : CG_BREAKS_FORWARD)

typedef struct cg_shape {
    const cg_message *message;  /* or NULL */
    const cg_struct *structure; /* or NULL */
    const cg_field *fields;
    size_t field_count;
    const cg_group *groups;
    size_t group_count, accept_group_ix;
    uint32_t size; /* of the block or of the type */
} cg_shape;

typedef struct cg_pair {
    cg_shape before, now;
    const cg_field **now_of, **before_of; /* partners of before's and now's fields, by their index; NULL for none */
    bool is_read[2];                      /* by way: the bytes of the one make sense to the other */
    unsigned toggled;       /* what breaks because one of two structs is extensible and the other is not */
    bool is_used;           /* a field that lives in both has values of it */
    bool is_refused_as_old; /* the only thing wrong on the wire is that min_compatible rose */
} cg_pair;

typedef struct cg_enum_pair {
    const cg_enum *before, *now;
    unsigned added, removed, number, base, opened, closed; /* what breaks by that, somewhere where it is used */
} cg_enum_pair;

/* How two ends, one with each contract, are judged at HELLO. */
typedef enum cg_hello {
    CG_HELLO_FITS,
    CG_HELLO_STRANGERS, /* no schema in common */
    CG_HELLO_OLD,       /* one's version is below min_compatible of the other */
    CG_HELLO_LAYOUT     /* the older version is known to both, and looks different */
} cg_hello;

/* All that is known while two contracts are compared. */
typedef struct cg_comparison {
    cg_compat *out;
    cg_arena *arena;
    cg_table structs, enums; /* cg_pair, cg_enum_pair by the names of both */
    cg_pair **struct_list;   /* in the order in which they were met */
    cg_enum_pair **enum_list;
    size_t struct_count, enum_count;
    cg_table names_before, names_now; /* enums and structs by name */
    cg_hello hello;
    unsigned hidden;                  /* levels that do not matter while a pair that no value has is compared */
} cg_comparison;

/* ---- compat_pair.c ---- */
cg_shape cg_shape_of_message(const cg_message *message);

/* Finds the partners, and whether the bytes of each make sense to the other. */
cg_pair *cg_pair_make(cg_comparison *c, const cg_shape *before, const cg_shape *now);

/* The pair of two structs or enums; NULL when they do not stand for the same. */
cg_pair *cg_pair_structs(cg_comparison *c, const cg_struct *before, const cg_struct *now);
cg_enum_pair *cg_pair_enums(cg_comparison *c, const cg_enum *before, const cg_enum *now);

/* Whether the types of two fields are spelled the same, as far as their partners are: what they hold at most does not
 * count. */
bool cg_types_match(cg_comparison *c, const cg_type *before, const cg_type *now);

/* Looks through wrappers. */
const cg_type *cg_type_unwrapped(const cg_type *type);

/* ---- compat_value.c ---- */
typedef enum cg_refusal {
    CG_REFUSED_CAPACITY,
    CG_REFUSED_ENUM, /* the enum has no such number */
    CG_REFUSED_NAME, /* the number means another value of the enum */
    CG_REFUSED_RULE,
    CG_REFUSAL_COUNT
} cg_refusal;

/* For each refusal a value that shows it, as text; NULL where there is none. */
typedef struct cg_witnesses {
    const char *value[CG_REFUSAL_COUNT];
    const cg_rule *rule; /* of the reader, that the value of CG_REFUSED_RULE breaks */
} cg_witnesses;

/* Tries the values at which the writer's and the reader's rules, capacities and enums can differ. */
cg_witnesses cg_witnesses_find(cg_arena *arena, const cg_field *writer, const cg_field *reader);

#endif
