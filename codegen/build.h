/* codegen/build.h: from the tree to the model; shared by the files that do it: model.c types.c fields.c rules.c
 * history.c hooks.c priors.c classes.c lock_check.c contract_hash.c
 * layout_hash.c.
 *
 *     declaration   a name that a type spelling can stand for: an enum, a struct, or another name for a type (alias)
 *     open          a declaration that is being built: met again, it contains itself
 *     builtin       a type that the language has
 *
 * Steps go on after an error, with what is wrong left out, so that one run finds all; a model is given out only when
 * there was none. */
#ifndef BUFPOOL_CODEGEN_BUILD_H
#define BUFPOOL_CODEGEN_BUILD_H

#include "codegen/diag.h"
#include "codegen/load.h"
#include "codegen/lock.h"
#include "codegen/model.h"
#include "codegen/schema.h"
#include "codegen/table.h"

enum {
    CG_NESTED_MAX = 16, /* types in types */
    CG_GUESSES_MAX = 50 /* unknown types for which a near name is looked for */
};

typedef struct cg_declaration {
    enum { CG_IS_ENUM, CG_IS_STRUCT, CG_IS_ALIAS } kind;
    enum { CG_NEW_ONE, CG_OPEN, CG_DONE, CG_BROKEN } state;
    cg_name name;
    const cg_node *at;
    cg_enum *enumeration;
    cg_struct *structure;
} cg_declaration;

typedef struct cg_builder {
    cg_arena *arena;
    cg_diags *diags;
    cg_model *model;
    const cg_lock *lock;       /* what is published, or NULL */
    cg_table declarations;     /* cg_declaration by name */
    cg_table wrappers;         /* cg_struct by the spelling of the element */
    cg_declaration **declared; /* the same in the order of the file */
    size_t declared_count;
    cg_table hooks;  /* cg_hook by name */
    unsigned nested; /* open declarations */
    unsigned guess_count;
    uint32_t message_since; /* of the message whose fields are read */
} cg_builder;

/* Where a type stands. */
typedef struct cg_type_place {
    const cg_node *at;         /* the scalar that spells it */
    bool is_message;           /* else in a type */
    const cg_node *max_length; /* the rule that bounds it, or NULL */
    const cg_node *wire;       /* `inline` or `tail`, or NULL */
    bool is_alias;             /* another name for a type: where it will stand is not known yet */
} cg_type_place;

/* The type that is spelled there, laid out; NULL when it is none: then that was reported. */
const cg_type *cg_type_read(cg_builder *builder, const cg_type_place *place);

/* Adds a struct to the model, behind what it uses. */
void cg_struct_add(cg_builder *builder, cg_struct *structure);

/* Whether a name is a type of the language. */
bool cg_type_is_builtin(const char *name);

/* The map under key, whatever may be wrong inside it; NULL when there is none. */
const cg_node *cg_map_entry(const cg_node *map, const char *key);

/* The node that names a field or message: its key, or the value of `name` in the list form. NULL when it has none. */
const cg_node *cg_name_node(const cg_node *entry);

/* Reads `fields`, of a type or, when owner is NULL, of a message. */
cg_field *cg_fields_read(cg_builder *builder, const cg_node *fields, const cg_struct *owner, size_t *count);

/* Checks what can be said only once all is laid out: the defaults that fields of a message or of a type need. */
void cg_fields_check_defaults(cg_builder *builder, const cg_message *message);
void cg_members_check_defaults(cg_builder *builder, const cg_struct *structure);

/* Checks that no former name of these fields or messages is a name of today or of another's past. */
void cg_former_names_check(cg_builder *builder, const cg_node *entries);

/* Warns about what is said about a retired field to no effect; the second about one such thing. */
void cg_retired_field_check(cg_builder *builder, const cg_node *at);
void cg_retired_warn(cg_builder *builder, const cg_node *entry);

/* Reads the rules of a field, of a message or of a type, whose type is known. */
void cg_rules_read(cg_builder *builder, cg_field *field, const cg_node *validation, bool is_message);

/* The rule's entry in a `validation` list, or NULL. */
const cg_node *cg_rules_find(const cg_node *validation, const char *name);

/* The first rule that a value of the field breaks, or NULL. */
const cg_rule *cg_rules_broken(const cg_field *field, const cg_literal *value);

/* The field, or the one inside its type, that may not be zero, by *broken or by its enum; NULL when all may. What is
 * counted is then empty, elements of arrays are zero as well. */
const cg_field *cg_field_refusing_zero(const cg_field *field, const cg_rule **broken);

/* Reads a literal for a scalar, enum or string type. False when it does not fit: then it was reported under id. */
bool cg_literal_read(cg_builder *builder, const cg_type *type, const cg_node *at, cg_diag_id id, cg_literal *out);

/* Adds the hooks that `rules`, which may be NULL, declares and those that unknown rules imply; what is neither a rule
 * nor a hook is reported, and is bad then. */
void cg_hooks_read(cg_builder *builder, const cg_node *rules, const cg_unknown_rules *unknown);

/* A field of that type uses the hook, at that rule. False when another uses it for another kind of value; then that was
 * reported. */
bool cg_hook_use(cg_builder *builder, cg_hook *hook, const cg_type *type, const cg_node *at);

/* Reads which messages require which, once all are read. */
void cg_priors_read(cg_builder *builder);

/* Builds every declaration that nobody needed so far. */
void cg_declarations_read(cg_builder *builder);

/* Reports what the contract no longer keeps of what is published. */
void cg_lock_check(cg_builder *builder, const cg_node *root);

/* What the messages need of a pool, ascending by type, weighted by their rates. */
struct cg_need *cg_needs_of(cg_arena *arena, const cg_model *model);

/* Gives every message its class. `pool` may be NULL. */
void cg_classes_choose(cg_builder *builder, const cg_node *pool);

/* The model's contract_hash, once all else is known. */
uint64_t cg_contract_hash(cg_arena *arena, const cg_model *model);

/* The model's layouts, once all else is known. */
void cg_layouts_find(cg_arena *arena, cg_model *model);

/* The whole way from the text to the model. prefix, if not NULL, takes the place of the schema's name. NULL when
 * anything is wrong; then diags says what. */
cg_model *cg_compile(cg_arena *arena, const cg_source *source, const char *prefix, cg_diags *diags);

/* The same for a contract of which the lock holds published versions; it may be NULL. */
cg_model *cg_compile_locked(cg_arena *arena, const cg_source *source, const cg_lock *lock, const char *prefix,
                            cg_diags *diags);

#endif
