/* codegen/model.h: the checked contract, as everything behind the checks sees it.
 *
 *     schema     what one contract describes: messages, the types and enums that they use, the pool that fits them
 *     message    what one frame carries: fields, laid out as one block and an optional tail
 *     struct     a named type of the contract: fields, laid out once, used inside messages and structs
 *     field      a named place of a message or struct, with a type and rules
 *     type       how one field's (or element's) value looks: a kind and, where it has any, element and capacity
 *     capacity   most elements of a vector, most bytes of a string or bytes, exact elements of an array
 *     count      the unsigned integer on the wire that says how many elements are used
 *     block      the fixed part of a message, offset 0 .. block_size - 1
 *     group      the fields that one `since` version introduced; groups lie one after the other in the block, or in an
 *                extensible struct
 *     bitmap     one presence bit for each optional field of a group, in the group itself
 *     block_len  a u16 of the block that says how long the writer's block was; present when the message has a tail
 *     tail       the elements of strings and vectors that are not inline, one run after the other behind the block
 *     gap        bytes of a block or struct that belong to no field; zero on the wire
 *     class      one size of pooled buffers and the messages that use it
 *     hook       a rule that the user's program decides; declared under `rules`, or implied by its use
 *     prior      a message that must have been received before another, on the same connection
 *     session    what one connection remembers of what it received: priors, last values of monotonic fields
 *     retired    a field whose place stays, written as zeros and not looked at when read; no member, no getter
 *     extensible a struct that may grow; stands only in vectors, which say their writer's stride behind their count
 *     wrapper    a struct that the compiler made for an element that C has no plain type for: FixedStr<8> in an array
 *     published  what contracts.lock holds: it never changes again
 *
 * Equations (layout.c and classes.c make them true, emit relies on them):
 *     groups[0].start == 0; groups[i].start == groups[i-1].end; groups[last].end == block_size <= 65535
 *     every byte of the block is in exactly one field, one bitmap, block_len or one gap
 *     min == block_size; max == the end of the tail when every field of it that is not retired is full; min <= max
 *     held == the end of the tail when every field of it is full, retired ones too, + reserve
 *     class == the smallest class size >= held; waste == class - max
 *     accept_min <= min <= max <= accept_max == class
 *     type.stride == type.size rounded up to type.align
 *     struct.groups[last].end == struct.size, a multiple of struct.align; an extensible one's is <= 65535
 * Everything is in one arena and constant once made. No name needs another check: all are valid C identifiers after
 * mangling, unique, and no reserved words. */
#ifndef BUFPOOL_CODEGEN_MODEL_H
#define BUFPOOL_CODEGEN_MODEL_H

#include "codegen/number.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cg_node cg_node; /* a node of the contract's text (load.h) */
typedef struct cg_enum cg_enum;
typedef struct cg_struct cg_struct;
typedef struct cg_hook cg_hook;
typedef struct cg_message cg_message;
typedef struct cg_type cg_type;
typedef struct cg_field cg_field;

/* A name in the three ways in which generated code spells it. */
typedef struct cg_name {
    const char *text;  /* as in the contract: "OrderBook" */
    const char *snake; /* "order_book" */
    const char *upper; /* "ORDER_BOOK" */
} cg_name;

/* Kinds up to CG_U256 are scalars: one integer or floating number of a fixed size. */
typedef enum cg_kind {
    CG_BOOL,
    CG_U8,
    CG_U16,
    CG_U32,
    CG_U64,
    CG_I8,
    CG_I16,
    CG_I32,
    CG_I64,
    CG_F32,
    CG_F64,
    CG_U128,
    CG_U256,
    CG_ENUM,   /* `enumeration`, on the wire its base scalar */
    CG_STRUCT, /* `structure` */
    CG_ARRAY,  /* capacity times `element` */
    CG_STRING, /* 0 .. capacity bytes of UTF-8 */
    CG_BYTES,  /* 0 .. capacity bytes */
    CG_VECTOR  /* 0 .. capacity times `element` */
} cg_kind;

/* How a value looks on the wire. Strings, bytes and vectors have a count; what follows it depends on is_tail:
 *   inline   count, gap up to items_offset, capacity elements of element_stride bytes, unused ones zero
 *   tail     the block holds the count alone; the elements are in the tail
 * A vector of an extensible struct is always in the tail; its place in the block is the count, then a u16, the bytes
 * from one element to the next (stride_offset is of that u16 from the start of the value). */
struct cg_type {
    cg_kind kind;
    const char *spelling;       /* as in the contract: "Vec<Level>" */
    const cg_enum *enumeration; /* CG_ENUM */
    const cg_struct *structure; /* CG_STRUCT */
    const cg_type *element;     /* CG_ARRAY, CG_VECTOR; a u8 for CG_STRING and CG_BYTES; else NULL */
    uint32_t capacity;          /* CG_ARRAY, CG_STRING, CG_BYTES, CG_VECTOR */
    uint32_t count_size;        /* bytes of the count: 1, 2 or 4 inline, 2 or 4 with a tail; 0 for kinds without */
    uint32_t items_offset;      /* inline count kinds: of the first element from the start of the value; else 0 */
    uint32_t element_stride;    /* element->stride; 1 for strings and bytes; 0 where there is no element */
    bool is_tail;               /* only types of message fields themselves, never of elements or in structs */
    bool has_stride;            /* CG_VECTOR of an extensible struct */
    uint32_t stride_offset;     /* has_stride; else 0 */
    uint32_t size;              /* bytes in the block (of the count alone when is_tail) */
    uint32_t align;             /* 1, 2, 4 or 8 */
    uint32_t stride;            /* bytes from one to the next in an array or vector */
};

/* One value of an enum. */
typedef struct cg_enum_value {
    cg_name name;
    cg_number value;
    const char *description; /* or NULL */
    const cg_node *at;
} cg_enum_value;

struct cg_enum {
    cg_name name;
    cg_kind base;          /* CG_U8 .. CG_I64 */
    bool is_open;          /* unknown values are kept; else refused */
    cg_enum_value *values; /* in declared order; numbers are unique */
    size_t value_count;
    bool has_zero;                  /* some value is 0 */
    const struct cg_table *by_name; /* cg_enum_value by the name in the contract */
    const char *description;        /* or NULL */
    const cg_node *at;
};

typedef enum cg_rule_kind {
    CG_RULE_MIN,
    CG_RULE_MAX,
    CG_RULE_NOT_ZERO,
    CG_RULE_NOT_EMPTY,
    CG_RULE_MIN_LENGTH,
    CG_RULE_MAX_LENGTH,
    CG_RULE_ONE_OF,
    CG_RULE_PREFIX,
    CG_RULE_NO_0X_PREFIX,
    CG_RULE_UTF8,
    CG_RULE_MONOTONIC, /* checked by the session, not by validate */
    CG_RULE_HOOK       /* checked by X_check_hooks, not by validate */
} cg_rule_kind;

/* What C type a hook is called with: of all fields that use it. */
typedef enum cg_hook_value {
    CG_HOOK_UNUSED,
    CG_HOOK_UINT, /* u8 .. u64, bool, enums of them: uint64_t */
    CG_HOOK_INT,  /* i8 .. i64, enums of them: int64_t */
    CG_HOOK_REAL, /* f32, f64: double */
    CG_HOOK_U128,
    CG_HOOK_U256,
    CG_HOOK_TEXT, /* strings: bp_text */
    CG_HOOK_BYTES /* bytes and arrays of u8: bp_bytes */
} cg_hook_value;

/* A rule that the user's program decides. */
struct cg_hook {
    cg_name name;
    bool is_declared; /* must be given at start; else it accepts everything when it is not given */
    cg_hook_value value;
    bool is_named;           /* some rule says `true` for it; it may be one of a retired field */
    const char *description; /* or NULL */
    const cg_node *at;       /* the declaration, else the first use */
    const cg_node *used_at;  /* the rule that said what value it gets; NULL while it gets none */
};

/* The key in a contract of a rule of the language: "not_zero". */
const char *cg_rule_name(cg_rule_kind kind);

/* Whether X_validate checks rules of this kind; one value is all that they need to know. */
static inline bool cg_rule_is_validated(cg_rule_kind kind) { return kind < CG_RULE_MONOTONIC; }

/* A value written in the contract, already known to fit the type that it is for. */
typedef struct cg_literal {
    enum { CG_LITERAL_NUMBER, CG_LITERAL_BOOL, CG_LITERAL_TEXT } kind;
    cg_number number;   /* numbers; the value's number for an enum */
    bool is_true;       /* bools */
    const char *text;   /* strings: the text */
    size_t text_length; /* bytes */
} cg_literal;

/* One rule, already known to make sense for its field. A `key: false` rule is not in the model. Every string has the
 * rule CG_RULE_UTF8, whether it was written or not. `validate` checks all but CG_RULE_MAX_LENGTH, which the layout
 * checks when it equals the capacity (it always does when it is what bounds the type; on `FixedStr<N>` it may be less).
 */
typedef struct cg_rule {
    cg_rule_kind kind;
    cg_literal literal;  /* MIN, MAX, MIN_LENGTH, MAX_LENGTH (number), PREFIX (text) */
    cg_literal *choices; /* ONE_OF: in declared order */
    size_t choice_count;
    const cg_hook *hook; /* HOOK */
    const cg_node *at;
} cg_rule;

struct cg_field {
    cg_name name;
    const char *description; /* or NULL */
    const char *unit;        /* or NULL */
    const cg_type *type;
    const char *was;  /* former name, or NULL */
    bool is_retired;  /* only in messages */
    uint32_t since;   /* version that introduced it; 1 when nothing is said */
    size_t group_ix;  /* index in the groups of its message or struct */
    uint32_t offset;  /* of the value (or of the count) from the start of the message's value, or of the struct */
    bool is_optional; /* never in structs */
    uint32_t bit;     /* optional: its bit in the group's bitmap, 0 is the least significant */
    bool has_default;
    cg_literal default_value; /* has_default: what an absent field reads as; else zero */
    cg_rule *rules;           /* in declared order */
    size_t rule_count;
    uint32_t typical; /* elements to expect of a bounded field, for the report; its capacity when nothing is said */
    const cg_node *at;
};

/* Bytes that no field uses: zero when written, checked when read. */
typedef struct cg_gap {
    uint32_t offset, size;
} cg_gap;

/* What one version added to a message or an extensible struct. */
typedef struct cg_group {
    uint32_t since;         /* ascending over the groups */
    uint32_t start, end;    /* offsets in the block */
    uint32_t bitmap_size;   /* bytes: 1, 2, 4 or 8; 0 when the group has no optional field */
    uint32_t bitmap_offset; /* in the block */
    uint32_t optional_count;
    const cg_field **placed; /* its fields by ascending offset */
    size_t placed_count;
    cg_gap *gaps; /* inside the group, ascending */
    size_t gap_count;
} cg_group;

struct cg_struct {
    cg_name name;
    bool is_extensible;
    bool is_wrapper;  /* printed as its one field; not in the contract */
    cg_group *groups; /* what each version added: one unless extensible; each end is a multiple of align, and a stride
                         that writers use */
    size_t group_count;
    size_t accept_group_ix;  /* the first group whose end is an accepted stride */
    const char *description; /* or NULL */
    cg_field *fields;        /* in declared order */
    size_t field_count;      /* at least 1 */
    const cg_field **placed; /* the same by ascending offset */
    cg_gap *gaps;            /* between fields and behind the last, ascending */
    size_t gap_count;
    uint32_t size; /* rounded up to align */
    uint32_t align;
    uint32_t depth;                                    /* structs inside each other, itself counted */
    bool has_checks, has_limits, has_rules, has_hooks; /* of values of it, as traits.h says */
    const cg_node *at;
};

/* A message that another requires. */
typedef struct cg_prior {
    const cg_message *message;
    const cg_node *at; /* its name in the list */
} cg_prior;

struct cg_message {
    cg_name name;
    const char *was; /* former name, or NULL */
    uint16_t tlv_type;
    uint32_t since;          /* version that introduced it, as far as contract and lock say */
    const char *domain;      /* or NULL */
    const char *description; /* or NULL */
    const char *sensitivity; /* as written; "public" when nothing is said */
    bool is_sensitive;       /* buffers are wiped, values are redacted when printed */
    bool log_payload;        /* false: values are redacted when printed */
    cg_prior *priors;        /* what must have come before it on a connection, in declared order; no circles */
    size_t prior_count;
    bool is_required; /* some message has it among its priors */
    double rate;      /* messages per second, for the report; 0 when nothing is said */
    uint64_t hold_ns; /* how long a buffer of it is held, for the report; 0 when nothing is said */
    cg_field *fields; /* in declared order; may be none: then block_size == 0 and there is one empty group */
    size_t field_count;
    cg_group *groups; /* ascending by since; at least 1 */
    size_t group_count;
    const cg_field **tail; /* fields with is_tail types, retired ones too, in the order of the tail */
    size_t tail_count;
    uint32_t block_size;
    bool was_empty;            /* published without fields: its first group, since version 1, is empty */
    bool has_block_len;        /* tail_count != 0 */
    uint32_t block_len_offset; /* of the u16, in the block */
    size_t block_len_group_ix; /* the group that it belongs to: the one with the first tail field */
    uint32_t min, max;         /* bytes of the shortest and longest value of this version */
    uint32_t typical;          /* bytes of a value with every bounded field at its typical count */
    uint32_t accept_min;       /* bytes of the shortest value that a writer at min_compatible sends */
    uint32_t accept_max;
    size_t accept_group_ix; /* first group whose end is an accepted block length: accepted are groups[i].end for
                               i >= accept_group_ix, and everything above the last group's end */
    uint32_t reserve;       /* bytes of growth that its class allows for */
    uint32_t held;          /* bytes that its class must hold: the longest value of any version, and the reserve */
    size_t class_ix;
    uint32_t class_size;
    uint32_t waste;
    const cg_node *at;
};

/* The id of a message that is gone: never to be used again. */
typedef struct cg_retired {
    cg_name name;
    const char *was; /* former name, or NULL */
    uint16_t tlv_type;
    uint32_t since; /* version that retired it, as far as the lock says; else the contract's */
    const cg_node *at;
} cg_retired;

typedef struct cg_class {
    uint32_t size;               /* stride of its buffers, bytes; a multiple of 16 */
    uint64_t idle_bytes;         /* what automatic trim leaves */
    const cg_message **messages; /* ascending by tlv_type */
    size_t message_count;
} cg_class;

typedef enum cg_unknown { CG_UNKNOWN_FAIL, CG_UNKNOWN_SKIP, CG_UNKNOWN_DELIVER } cg_unknown;

/* A range of frame types, both ends included. */
typedef struct cg_range {
    const char *name; /* "core", "app", "experimental" */
    uint16_t first, last;
    cg_unknown unknown; /* what a reader does with types in it that the contract does not have */
} cg_range;

/* Another name for a type: `Hash: {is: "[u8; 32]"}`. Fields have the type itself, spelled so. */
typedef struct cg_alias {
    cg_name name;
    const char *stands_for; /* as in the contract */
    const char *description;
} cg_alias;

/* How a version looks on the wire, as a number. */
typedef struct cg_layout {
    uint16_t version;
    uint64_t hash; /* 0: not known, as it had a message that is retired now */
} cg_layout;

typedef struct cg_model {
    const char *file;     /* the contract's base name, for the first line of outputs */
    cg_name name;         /* of the schema, or what --prefix said */
    const char *own_name; /* of the schema, whatever --prefix said */
    const cg_node *at;    /* the schema's map, else the whole contract */
    uint32_t id;
    uint16_t version, min_compatible;
    bool is_library;        /* its ids are of the core range, its names may be the library's */
    uint64_t contract_hash; /* of all that the wire or the pool depends on; never 0 */
    cg_layout *layouts;     /* ascending by version, the first is min_compatible; each holds up to the next */
    size_t layout_count;    /* at least 1 */
    cg_enum *enums;         /* in declared order */
    size_t enum_count;
    cg_struct **structs; /* every struct after the ones that it uses */
    size_t struct_count;
    cg_alias *aliases; /* in declared order */
    size_t alias_count;
    cg_message *messages; /* in declared order */
    size_t message_count;
    cg_message **by_type; /* the same ascending by tlv_type */
    cg_retired *retired;  /* in declared order */
    size_t retired_count;
    cg_hook **hooks; /* declared ones in declared order, then implied ones in the order of their first use */
    size_t hook_count;
    cg_range *ranges; /* ascending, disjoint */
    size_t range_count;
    const char *strategy; /* "pow2", "list" or "auto:3" */
    cg_class *classes;    /* ascending by size; every one has a message unless the strategy is a list */
    size_t class_count;
    uint32_t min_class;
    uint64_t idle_bytes_per_class;
    uint64_t memory_limit; /* 0 is no limit */
} cg_model;

/* The range that a frame type lies in, or NULL. */
const cg_range *cg_range_of(const cg_model *model, uint16_t tlv_type);

/* Whether a kind has a count on the wire: string, bytes, vector. */
static inline bool cg_kind_is_counted(cg_kind kind) { return kind >= CG_STRING; }

/* Whether a kind is a plain number or bool. */
static inline bool cg_kind_is_scalar(cg_kind kind) { return kind <= CG_U256; }

/* "u32" for CG_U32 and so on; NULL for kinds that are not scalars. */
const char *cg_kind_name(cg_kind kind);

/* Bytes of a scalar kind; 0 for others. */
uint32_t cg_kind_size(cg_kind kind);

#endif
