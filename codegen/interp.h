/* codegen/interp.h: values of messages, read, checked, compared, printed and written by the model alone.
 *
 * A second opinion about the wire: nothing here is shared with the templates or the library, so that tests can hold the
 * generated code against it. `bufpoolc decode` is made of it.
 *
 *     datum     one value inside a message: of a field, of a member of a struct, of an element
 *     leaf      a datum with nothing inside that has a name: a number, text, bytes, or numbers in a row. Its bytes are
 *               those of the wire, one element after the other
 *     reading   one message's value, taken apart
 *     fault     what is wrong with a value, in the words of generated decoders
 *
 * A datum takes 56 bytes; a number or a text is one, whatever its length, a struct one more than it has members. Data
 * refer to the bytes they were read from. */
#ifndef BUFPOOL_CODEGEN_INTERP_H
#define BUFPOOL_CODEGEN_INTERP_H

#include "codegen/model.h"
#include "codegen/text.h"

typedef struct cg_datum cg_datum;
struct cg_datum {
    const cg_type *type;
    const cg_field *field; /* NULL for an element */
    const uint8_t *bytes;  /* leaf: count elements as on the wire; count is 1 for a single number */
    cg_datum *items;       /* else: the members in declared order, or the elements; NULL for a leaf */
    uint32_t count;
    uint32_t offset, size;           /* its place in the message's value: all of it, or the count of a tail */
    uint32_t tail_offset, tail_size; /* is_tail types: the elements; else zero */
    bool is_present;                 /* false: nobody said it (or it is retired); it is then its default, or zero */
};

typedef enum cg_fault_kind {
    CG_FAULT_NONE,
    CG_FAULT_TRUNCATED, /* the value ends before what it announces */
    CG_FAULT_MALFORMED, /* bytes that no writer writes */
    CG_FAULT_BOUND,     /* a count above its capacity, or a value above accept_max */
    CG_FAULT_RULE       /* well-formed, but against a rule of the contract */
} cg_fault_kind;

/* Faults are looked for in this order, the first one counts: the value's length; block_len; every tail in the order of
 * the tail, its count, its stride, its end; the value's end; counts inside the block and inside elements; all else. */
typedef struct cg_fault {
    cg_fault_kind kind;
    uint32_t offset;       /* of the first byte that is wrong, from the start of the value */
    const cg_field *field; /* the message's field that it belongs to; NULL for padding, bitmaps and lengths */
} cg_fault;

typedef struct cg_reading {
    const cg_message *message;
    const uint8_t *bytes;
    uint32_t length, block_length;
    bool is_current;  /* block and strides are as long as this version's; else fields of others are missing or passed
                         over */
    cg_datum *fields; /* message->field_count, in declared order */
} cg_reading;

/* "truncated", "malformed", "bound", "rule". */
const char *cg_fault_name(cg_fault_kind kind);

/* Takes a value apart. The fault is NONE, or TRUNCATED, MALFORMED, BOUND; then *out is zero. */
cg_fault cg_interp_read(cg_arena *arena, const cg_message *message, const uint8_t *bytes, size_t length,
                        cg_reading *out);

/* Checks the rules, in declared order. NONE or RULE. Hooks accept everything; monotonic needs a session. */
cg_fault cg_interp_validate(const cg_reading *reading);

/* Appends the value as JSON, byte for byte what the generated X_print writes. Values of sensitive messages, and those
 * with log_payload: false, are redacted unless is_showing_all. */
void cg_interp_print(cg_text *out, const cg_reading *reading, bool is_showing_all);

/* Writes a message's current version in the one way in which it can be written. fields is field_count data in declared
 * order: of each its type, is_present where the field is optional, count, and bytes or items; places are not read.
 * NONE, or MALFORMED for a bool or closed enum without such a value, or BOUND; then *bytes is NULL. */
cg_fault cg_interp_write(cg_arena *arena, const cg_message *message, const cg_datum *fields, const uint8_t **bytes,
                         uint32_t *length);

/* A field's datum, by its name in the contract; NULL when the message has none. */
const cg_datum *cg_reading_find(const cg_reading *reading, const char *name);

/* Whether two data say the same, wherever they lie and whichever version laid them out: leaves by their bytes, structs
 * by the members that both have. Presence is not compared. */
bool cg_datum_is_equal(const cg_datum *left, const cg_datum *right);

/* ---- leaves ----------------------------------------------------------------------------------------------------- */

/* Whether values of the type are leaves. */
bool cg_type_is_leaf(const cg_type *type);

/* The kind of number that a leaf is made of: CG_U8 for text and bytes. */
cg_kind cg_leaf_kind(const cg_type *type);

/* The enum that a leaf's numbers belong to, or NULL. */
const cg_enum *cg_leaf_enum(const cg_type *type);

/* Number ix of a leaf as an integer, whatever its kind: floating numbers and bools give their bits. */
cg_number cg_leaf_number(const cg_datum *leaf, uint32_t ix);

/* Number ix of a leaf of f32 or f64. */
double cg_leaf_real(const cg_datum *leaf, uint32_t ix);

/* The enum's name for a number; NULL when it has none. */
const char *cg_enum_find(const cg_enum *enumeration, const cg_number *number);

/* size bytes, at most 8, little-endian. */
uint64_t cg_load_le(const uint8_t *at, uint32_t size);

#endif
