/* codegen/example.h: values that keep the rules of a field, and values at every bound: for tests written from a
 * contract.
 *
 *     least, most   the smallest and largest value that keeps every rule
 *     trial         a value at or beside a bound, and what a codec has to say to it
 *     wording       text as a beginning and a length; letters fill what is left
 *
 * Rules that leave no value are refused with the contract (E0504), so every field of a model has a least and a most. */
#ifndef BUFPOOL_CODEGEN_EXAMPLE_H
#define BUFPOOL_CODEGEN_EXAMPLE_H

#include "codegen/arena.h"
#include "codegen/model.h"

typedef struct cg_wording {
    const char *head;
    size_t head_length; /* bytes, at most length */
    uint32_t length;    /* bytes */
} cg_wording;

typedef enum cg_outcome {
    CG_OUTCOME_ACCEPTED,
    CG_OUTCOME_BROKEN,   /* encoded and decoded, but a rule is broken */
    CG_OUTCOME_BOUND,    /* more than the capacity: not encoded */
    CG_OUTCOME_MALFORMED /* a closed enum has no such value: not encoded */
} cg_outcome;

typedef struct cg_trial {
    cg_outcome outcome;
    bool is_nan;
    cg_number number;   /* numbers, bools and enums: the value; vectors: the count */
    cg_wording wording; /* strings and bytes */
} cg_trial;

typedef struct cg_trials {
    cg_trial *items; /* distinct numbers, counts and lengths */
    size_t count;
} cg_trials;

/* The smallest or largest number of a scalar kind; of floating numbers, the finite ones. */
cg_number cg_kind_extreme(cg_kind kind, bool is_largest);
/* The next number of that kind, up or down; false at its end. */
bool cg_kind_step(cg_kind kind, cg_number *number, bool is_up);

/* Whether some value keeps every rule of the field; rules inside of types are not looked at. */
bool cg_example_exists(const cg_field *field);

/* The least (or most) number of a scalar or enum, elements of a vector, wording of a string or bytes. */
cg_number cg_example_number(const cg_field *field, bool is_most);
uint32_t cg_example_count(const cg_field *field, bool is_most);
cg_wording cg_example_wording(const cg_field *field, bool is_most);

/* Whether every number between the least and the most keeps the rules. */
bool cg_example_is_range(const cg_field *field);

/* The trials of a scalar, enum, string, bytes or vector; none for others. */
cg_trials cg_example_trials(cg_arena *arena, const cg_field *field);

/* A number that the closed enum does not have, in *out; false when it has all of its type. */
bool cg_example_unknown(const cg_enum *enumeration, cg_number *out);

#endif
