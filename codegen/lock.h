/* codegen/lock.h: contracts.lock, what published versions look like on the wire.
 *
 *     entry     an enum, a type or a message as some published version has it; the lines that say so
 *     section   what one version adds: entries that are new in it or different from before, and a checksum
 *     standing  the entry that holds now: the latest one of that name (enums, types) or of that tlv_type (messages)
 *     shape     the fields of a message or type, by groups
 *
 *     bufpool lock 1
 *     version 2 market 0x4d594345 min_compatible 1
 *     enum Side u8 closed
 *      buy 1
 *     type Level align 8
 *      group 1 ends 24
 *       price u64 at 0 size 8
 *     message OrderBook 1012 block_len 12
 *      group 1 ends 16 bitmap 1 at 14
 *       sequence u64 at 0 size 8
 *       bids Vec<Level,64> at 8 size 2 count 2 tail
 *       venue u8 at 15 size 1 bit 0
 *     retired Trade 1013
 *     end 2 9f86d081884c7d65
 *
 * Words are separated by one space. Fields stand in the order in which they are placed where the placing rule leaves a
 * choice: that of the lines when they were published. A section's checksum goes over its lines and the checksum of the
 * section before it, so that no line of the past can change, move or go without being found. */
#ifndef BUFPOOL_CODEGEN_LOCK_H
#define BUFPOOL_CODEGEN_LOCK_H

#include "codegen/diag.h"
#include "codegen/model.h"
#include "codegen/table.h"
#include "codegen/text.h"

typedef struct cg_lock_field {
    const char *name;
    const char *type; /* spelled without names for other types and without spaces: "Vec<Level,64>" */
    uint32_t offset, size;
    uint32_t count_size; /* 0 for types without */
    uint32_t bit;
    bool is_tail, is_optional, is_retired;
    cg_span at;
} cg_lock_field;

typedef struct cg_lock_group {
    uint32_t since, end;
    uint32_t bitmap_size, bitmap_offset;
    cg_lock_field *fields;
    size_t field_count;
    cg_span at;
} cg_lock_group;

typedef struct cg_lock_number {
    const char *name;
    cg_number value;
    cg_span at;
} cg_lock_number;

typedef enum cg_lock_kind { CG_LOCK_ENUM, CG_LOCK_TYPE, CG_LOCK_MESSAGE, CG_LOCK_RETIRED } cg_lock_kind;

typedef struct cg_lock_entry {
    cg_lock_kind kind;
    const char *name;
    uint16_t version; /* whose section it is in */
    uint16_t since;   /* messages and retired ones: the version whose section first had their tlv_type */
    cg_span at;       /* its first line */
    cg_span lines;    /* all of it */
    /* enums */
    const char *base;
    bool is_open;
    cg_lock_number *numbers;
    size_t number_count;
    /* types */
    uint32_t align;
    bool is_extensible;
    /* messages */
    uint16_t tlv_type;
    bool has_block_len;
    uint32_t block_len_offset;
    /* types and messages */
    cg_lock_group *groups;
    size_t group_count;
} cg_lock_entry;

typedef struct cg_lock {
    const cg_source *source;
    const char *schema_name; /* NULL while nothing is published */
    uint32_t schema_id;
    uint16_t version, min_compatible; /* of the last section; version 0 while nothing is published */
    cg_span at;                       /* the line of the last section that says so */
    uint64_t checksum;                /* of the last section */
    cg_table enums, types;            /* standing entries by name */
    cg_table by_name;                 /* standing messages and retired ones by name */
    cg_table past;                    /* of every version: the first entry that had a key of cg_lock_past */
    cg_lock_entry **messages;         /* the same as by_name, ascending by tlv_type */
    size_t message_count;
} cg_lock;

/* Where the lock of a contract is: its path with .lock for .yaml. NULL for standard input, which lies nowhere. */
const char *cg_lock_path(cg_arena *arena, const char *contract);

/* Reads a lock. NULL when it is not one or was changed by hand; then that was reported, with its line. */
const cg_lock *cg_lock_read(cg_arena *arena, const cg_source *source, cg_diags *diags);

/* Sorts the fields of a message or type: published ones as the lock has them, so that moving a line of the contract
 * moves nothing on the wire, then the others as declared. name is the owner's, was its former one or NULL; lock may be
 * NULL. */
void cg_lock_order(const cg_lock *lock, bool is_message, const char *name, const char *was, cg_field *fields,
                   size_t count);

/* Whether a message was published without fields: then those that it has now are not in every frame. */
bool cg_lock_was_empty(const cg_lock *lock, const char *name, const char *was);

/* The version that published the message first: 1 without a lock, `version` for one that is not published. */
uint32_t cg_lock_since(const cg_lock *lock, uint16_t tlv_type, uint32_t version);

/* The version that published it as retired; `version` where none did. */
uint32_t cg_lock_retired_since(const cg_lock *lock, uint16_t tlv_type, uint32_t version);

/* The lock for a contract that is older than what is published: it gives fields their places and checks nothing. NULL
 * for NULL. */
const cg_lock *cg_lock_for_older(cg_arena *arena, const cg_lock *lock);

/* The key of a message's name in lock->past; with a field, of that field's name in the message. */
const char *cg_lock_past(cg_arena *arena, const char *message, uint16_t tlv_type, const char *field);

/* What one entry of the model looks like in a lock. */
typedef struct cg_lock_line {
    const char *text; /* its lines, each with its end */
    size_t length;
    const cg_lock_entry *standing; /* what the lock has in its place, or NULL */
    const char *name;
    const cg_node *at;
} cg_lock_line;

/* The standing entry of that tlv_type, or NULL. lock may be NULL. */
const cg_lock_entry *cg_lock_message(const cg_lock *lock, uint16_t tlv_type);

/* Every entry of the model that differs from what the lock holds, enums and types first; what no message uses is not
 * published. lock may be NULL. */
cg_lock_line *cg_lock_changes(cg_arena *arena, const cg_model *model, const cg_lock *lock, size_t *count);

/* Adds the section of these changes, for the model's version. */
void cg_lock_write(cg_text *out, const cg_model *model, const cg_lock *lock, const cg_lock_line *changes, size_t count);

/* How the lock spells a type. */
void cg_lock_spell(cg_text *out, const cg_type *type);

/* A section's checksum before its first line, by that of the section before it (0 for the first); as text. */
uint64_t cg_lock_sum_start(uint64_t before);
void cg_lock_sum_print(uint64_t sum, char out[17]);

#endif
