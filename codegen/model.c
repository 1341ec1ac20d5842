#include "codegen/build.h"
#include "codegen/ids.h"
#include "codegen/layout.h"
#include "codegen/names.h"
#include "codegen/schema.h"

#include <stdlib.h>
#include <string.h>

enum { MESSAGES_MAX = 65535 };

/* ---- schema and tag ranges -------------------------------------------------------------------------------------- */

/* The file's name without directory and extension, as far as it can be a name. */
static const char *stem_of(cg_arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    char *stem = cg_arena_copy(arena, base, strcspn(base, "."));
    for (char *at = stem; *at != '\0'; at++) {
        const bool is_fitting = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
        if (!is_fitting) *at = '_';
    }
    return stem;
}

/* Takes the prefix of everything that is generated; `at` is where it is said. */
static bool read_prefix(cg_builder *b, const char *text, cg_span at) {
    cg_name *name = &b->model->name;
    if (!cg_name_read(b->diags, text, at, name)) return false;
    if (strncmp(name->snake, "bp", 2) == 0 && !b->model->is_library) {
        cg_report(b->diags, CG_E_RESERVED, at, "names that begin with bp are the library's");
        return false;
    }
    return true;
}

/* The same for one that the command line gives: what is wrong with it is shown there. */
static void read_option_prefix(cg_builder *b, const char *prefix) {
    static const char option[] = "--prefix ";
    const cg_source *contract = b->diags->source;
    const char *line = cg_arena_format(b->arena, "%s%s", option, prefix);
    const uint32_t start = sizeof option - 1;
    b->diags->source = cg_source_of(b->arena, "command line", line, strlen(line));
    (void)read_prefix(b, prefix, (cg_span){start, start + (uint32_t)strlen(prefix)});
    b->diags->source = contract;
}

static void read_schema_name(cg_builder *b, const cg_node *schema, const char *prefix) {
    const cg_node *name = cg_good_entry(schema, "name");
    if (prefix != NULL) {
        read_option_prefix(b, prefix);
    } else if (name != NULL) {
        (void)read_prefix(b, name->text, name->span);
    } else if (!read_prefix(b, stem_of(b->arena, b->diags->source->path), (cg_span){0, 0})) {
        cg_note(b->diags, schema == NULL ? (cg_span){0, 0} : cg_node_place(schema),
                "without a name of its own the schema is called like the file; say schema: {name: ...}");
    }
}

/* Programs that do not know each other have a library's messages beside their own: what tells the two apart, the
 * schema's id and the core range, is said. */
static void check_library(cg_builder *b, const cg_node *root, const cg_node *schema) {
    const cg_node *id = cg_entry(schema, "id"), *ranges = cg_map_entry(root, "tag_ranges");
    const cg_span at = cg_entry(schema, "library")->span;
    if (id == NULL) {
        cg_report(b->diags, CG_E_MISSING_KEY, at, "a library's contract needs an 'id'");
    } else if (b->model->id == 0 && !id->is_bad) {
        cg_report(b->diags, CG_E_RANGE, id->span, "a library's id is not 0, which schemas without an id have");
    }
    if (ranges == NULL || cg_entry(ranges, "core") == NULL) {
        cg_report(b->diags, CG_E_MISSING_KEY, at, "a library's contract needs 'tag_ranges' with a core range");
    }
}

static void read_schema(cg_builder *b, const cg_node *root, const char *prefix) {
    cg_model *model = b->model;
    const cg_node *schema = cg_map_entry(root, "schema");
    const cg_node *compatible = cg_good_entry(schema, "min_compatible");
    model->is_library = cg_get_bool(schema, "library", false);
    read_schema_name(b, schema, prefix);
    model->own_name = cg_get_text(schema, "name", stem_of(b->arena, b->diags->source->path));
    model->at = schema == NULL ? root : schema;
    model->id = (uint32_t)cg_get_uint(schema, "id", 0);
    model->version = (uint16_t)cg_get_uint(schema, "version", 1);
    model->min_compatible = (uint16_t)cg_get_uint(schema, "min_compatible", 1);
    if (model->is_library) check_library(b, root, schema);
    if (model->min_compatible <= model->version) return;
    cg_report(b->diags, CG_E_RANGE, compatible->span, "min_compatible is above the version, %u", model->version);
}

/* Reads "1000-49999". */
static bool read_range(const char *text, cg_range *out) {
    char first[8] = "";
    cg_number low, high;
    const char *dash = strchr(text, '-');
    if (dash == NULL || (size_t)(dash - text) >= sizeof first) return false;
    memcpy(first, text, (size_t)(dash - text));
    if (cg_number_parse(first, &low) != CG_NUMBER_OK || cg_number_parse(dash + 1, &high) != CG_NUMBER_OK) return false;
    if (!cg_number_fits(&low, 16, false) || !cg_number_fits(&high, 16, false)) return false;
    out->first = (uint16_t)cg_number_u64(&low);
    out->last = (uint16_t)cg_number_u64(&high);
    return out->first != 0 && out->first <= out->last;
}

static cg_unknown read_unknown(const cg_node *at) {
    const char *word = cg_get_text(at, "unknown", "fail");
    if (strcmp(word, "skip") == 0) return CG_UNKNOWN_SKIP;
    return strcmp(word, "deliver") == 0 ? CG_UNKNOWN_DELIVER : CG_UNKNOWN_FAIL;
}

static void read_tag_range(cg_builder *b, const cg_node *at) {
    cg_model *model = b->model;
    const cg_node *text = at->kind == CG_SCALAR ? at : cg_good_entry(at, "range");
    cg_range range = {.name = at->key->text, .unknown = read_unknown(at)};
    if (text == NULL || text->is_bad) return;
    if (!read_range(text->text, &range)) {
        cg_report(b->diags, CG_E_TAG_RANGE, text->span, "a tag range is two numbers from 1 to 65535, as 1000-49999");
        return;
    }
    model->ranges[model->range_count++] = range;
}

static int by_first(const void *left, const void *right) {
    const cg_range *a = left, *b = right;
    return (a->first > b->first) - (a->first < b->first);
}

static void read_tag_ranges(cg_builder *b, const cg_node *ranges) {
    cg_model *model = b->model;
    if (ranges == NULL) return;
    model->ranges = CG_NEW_ARRAY(b->arena, cg_range, ranges->count);
    for (const cg_node *at = ranges->first; at != NULL; at = at->next) {
        if (at->kind != CG_LIST && (at->kind == CG_MAP || !at->is_bad)) read_tag_range(b, at);
    }
    if (model->range_count != 0) qsort(model->ranges, model->range_count, sizeof(cg_range), by_first);
    for (size_t i = 1; i < model->range_count; i++) {
        const cg_range *before = &model->ranges[i - 1], *range = &model->ranges[i];
        if (range->first > before->last) continue;
        cg_report(b->diags, CG_E_RANGES_OVERLAP, cg_node_place(cg_entry(ranges, range->name)),
                  "this range overlaps '%s'", before->name);
        cg_note(b->diags, cg_node_place(cg_entry(ranges, before->name)), "the other range");
    }
}

/* ---- enums and declarations ------------------------------------------------------------------------------------- */

static cg_kind read_base(cg_builder *b, const cg_node *at) {
    const cg_node *type = cg_good_entry(at, "type");
    for (cg_kind kind = CG_U8; kind <= CG_I64 && type != NULL; kind++) {
        if (strcmp(type->text, cg_kind_name(kind)) == 0) return kind;
    }
    if (type != NULL) cg_report(b->diags, CG_E_ENUM_TYPE, type->span, "an enum's type is u8 .. u64 or i8 .. i64");
    return CG_U64;
}

static int by_number(const void *left, const void *right) {
    const cg_enum_value *a = *(const cg_enum_value *const *)left, *b = *(const cg_enum_value *const *)right;
    const int order = cg_number_compare(&a->value, &b->value);
    return order != 0 ? order : (a > b) - (a < b);
}

static void check_numbers(cg_builder *b, const cg_enum *e) {
    const cg_enum_value **sorted = CG_NEW_ARRAY(b->arena, const cg_enum_value *, e->value_count);
    for (size_t i = 0; i < e->value_count; i++) sorted[i] = &e->values[i];
    if (e->value_count != 0) qsort(sorted, e->value_count, sizeof *sorted, by_number);
    for (size_t i = 1; i < e->value_count; i++) {
        if (cg_number_compare(&sorted[i - 1]->value, &sorted[i]->value) != 0) continue;
        cg_report(b->diags, CG_E_ENUM_VALUE_TWICE, sorted[i]->at->span, "'%s' has the number of '%s'",
                  sorted[i]->name.text, sorted[i - 1]->name.text);
        cg_note(b->diags, sorted[i - 1]->at->span, "first here");
    }
}

static void read_enum(cg_builder *b, cg_enum *e, const cg_node *at) {
    const cg_node *values = cg_map_entry(at, "values");
    cg_type base = {.kind = read_base(b, at)};
    e->at = at;
    e->base = base.kind;
    e->is_open = cg_get_bool(at, "open", false);
    e->description = cg_get_text(at, "description", NULL);
    if (values == NULL) return;
    if (values->count == 0 && !values->is_bad)
        cg_report(b->diags, CG_E_MISSING_KEY, values->key->span, "an enum needs a value");
    const cg_number zero = cg_number_of(0);
    cg_table *by_name = CG_NEW(b->arena, cg_table);
    by_name->arena = b->arena;
    e->by_name = by_name;
    e->values = CG_NEW_ARRAY(b->arena, cg_enum_value, values->count);
    for (const cg_node *value = values->first; value != NULL; value = value->next) {
        cg_enum_value *added = &e->values[e->value_count];
        cg_literal literal;
        added->at = value;
        const bool is_named = cg_name_read(b->diags, value->key->text, value->key->span, &added->name);
        const bool is_read = cg_literal_read(b, &base, value, CG_E_NUMBER, &literal);
        added->value = literal.number;
        if (!is_named || !is_read) continue;
        e->value_count++;
        e->has_zero = e->has_zero || cg_number_compare(&added->value, &zero) == 0;
        cg_table_add(by_name, added->name.text, added);
    }
    check_numbers(b, e);
}

static void check_not_builtin(cg_builder *b, const cg_node *at) {
    if (!cg_type_is_builtin(at->key->text)) return;
    cg_report(b->diags, CG_E_DUPLICATE_NAME, at->key->span, "'%s' is a type of the language", at->key->text);
}

static cg_declaration *declare(cg_builder *b, const cg_node *at) {
    cg_declaration *added = CG_NEW(b->arena, cg_declaration);
    added->at = at;
    check_not_builtin(b, at);
    cg_name_read(b->diags, at->key->text, at->key->span, &added->name);
    const cg_declaration *first = cg_table_add(&b->declarations, added->name.text, added);
    if (first != added) {
        cg_report(b->diags, CG_E_DUPLICATE_NAME, at->key->span, "'%s' is declared twice", added->name.text);
        cg_note(b->diags, first->at->key->span, "first here");
        added->name.snake = added->name.upper = NULL; /* it claims nothing: one report is enough */
    }
    b->declared = cg_arena_grow(b->arena, b->declared, b->declared_count, sizeof added);
    b->declared[b->declared_count++] = added;
    return added;
}

static void declare_enums(cg_builder *b, const cg_node *enums) {
    if (enums == NULL) return;
    b->model->enums = CG_NEW_ARRAY(b->arena, cg_enum, enums->count);
    for (const cg_node *at = enums->first; at != NULL; at = at->next) {
        if (at->kind != CG_MAP) continue;
        cg_declaration *added = declare(b, at);
        added->kind = CG_IS_ENUM;
        added->state = CG_DONE;
        added->enumeration = &b->model->enums[b->model->enum_count++];
        added->enumeration->name = added->name;
        read_enum(b, added->enumeration, at);
    }
}

/* A type entry that only describes what the language has anyway. */
static bool is_ignored(cg_builder *b, const cg_node *at) {
    if (!cg_type_is_builtin(at->key->text) || cg_entry(at, "fields") != NULL || cg_entry(at, "is") != NULL)
        return false;
    cg_report(b->diags, CG_W_IGNORED_TYPE, at->key->span, "'%s' is a type of the language: this entry is ignored",
              at->key->text);
    return true;
}

static void declare_type(cg_builder *b, const cg_node *at) {
    const cg_node *fields = cg_entry(at, "fields"), *is = cg_entry(at, "is"), *grows = cg_good_entry(at, "extensible");
    if (is_ignored(b, at)) return;
    cg_declaration *added = declare(b, at);
    added->kind = is != NULL ? CG_IS_ALIAS : CG_IS_STRUCT;
    if (is != NULL && fields != NULL) {
        cg_report(b->diags, CG_E_UNKNOWN_KEY, is->key->span, "a type has either 'fields' or 'is'");
        cg_note(b->diags, fields->key->span, "fields");
    }
    if (is != NULL && grows != NULL) {
        cg_report(b->diags, CG_E_UNKNOWN_KEY, grows->key->span, "'extensible' is for a type with 'fields'");
    }
    if (is != NULL) return;
    if (fields == NULL || fields->kind == CG_SCALAR) {
        if (fields == NULL && !at->is_bad) {
            cg_report(b->diags, CG_E_MISSING_KEY, cg_node_place(at), "a type needs 'fields' or 'is'");
        }
        added->state = CG_BROKEN;
        return;
    }
    added->structure = CG_NEW(b->arena, cg_struct);
    added->structure->name = added->name;
    added->structure->at = at;
    added->structure->is_extensible = cg_get_bool(at, "extensible", false);
    added->structure->description = cg_get_text(at, "description", NULL);
}

static void declare_types(cg_builder *b, const cg_node *types) {
    if (types == NULL) return;
    for (const cg_node *at = types->first; at != NULL; at = at->next) {
        if (at->kind == CG_MAP) declare_type(b, at);
    }
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static void report_no_field(cg_builder *b, const cg_message *message, const cg_node *hint) {
    cg_guess guess = cg_guess_of(hint->key->text);
    const bool is_guessing = b->guess_count++ < CG_GUESSES_MAX;
    for (size_t i = 0; i < message->field_count && is_guessing; i++) {
        cg_guess_offer(&guess, message->fields[i].name.text);
    }
    cg_report(b->diags, CG_E_TYPICAL, hint->key->span, "'%s' has no field '%.64s'", message->name.text,
              hint->key->text);
    cg_suggest(b->diags, &guess);
}

static void read_hint(cg_builder *b, cg_field *field, const cg_node *hint) {
    uint64_t count = 0;
    if (field->type == NULL || hint->is_bad) return;
    if (field->is_retired) {
        cg_retired_warn(b, hint);
    } else if (!cg_kind_is_counted(field->type->kind)) {
        cg_report(b->diags, CG_E_TYPICAL, hint->key->span, "typical is for strings, bytes and vectors");
    } else if (hint->kind != CG_SCALAR || !cg_read_bytes(hint->text, &count) || count > field->type->capacity) {
        cg_report(b->diags, CG_E_TYPICAL, cg_node_place(hint), "typical must be a number up to the bound, %u",
                  field->type->capacity);
    } else {
        field->typical = (uint32_t)count;
    }
}

/* How many elements bounded fields usually have. */
static void read_typical(cg_builder *b, cg_message *message, const cg_node *typical) {
    cg_table by_name = {.arena = b->arena};
    if (typical == NULL) return;
    for (size_t i = 0; i < message->field_count; i++) {
        cg_table_add(&by_name, message->fields[i].name.text, &message->fields[i]);
    }
    for (const cg_node *hint = typical->first; hint != NULL; hint = hint->next) {
        cg_field *field = cg_table_find(&by_name, hint->key->text);
        if (field == NULL)
            report_no_field(b, message, hint);
        else
            read_hint(b, field, hint);
    }
}

/* Whether the message can be laid out: `fields`, where it stands, is what it should be, and every field has its type.
 */
static bool are_typed(const cg_message *message, const cg_node *fields) {
    for (size_t i = 0; i < message->field_count; i++) {
        if (message->fields[i].type == NULL) return false;
    }
    return fields == NULL || (fields->kind != CG_SCALAR && !fields->is_bad);
}

static void check_max_total(cg_builder *b, const cg_message *message, const cg_node *at) {
    const cg_node *node = cg_good_entry(at, "max_total");
    const uint64_t most = cg_get_uint(at, "max_total", UINT64_MAX);
    if (message->max <= most) return;
    cg_report(b->diags, CG_E_MAX_TOTAL, node->span, "'%s' can take %u bytes", message->name.text, message->max);
}

static void read_sensitivity(cg_message *message, const cg_node *at) {
    message->sensitivity = cg_get_text(at, "sensitivity", "public");
    message->is_sensitive = strcmp(message->sensitivity, "public") != 0;
}

/* Version that brought the message: fields say it too. What is published says it better. */
static void find_message_since(cg_builder *b, cg_message *message) {
    uint32_t first = message->field_count == 0 ? 1 : UINT32_MAX;
    for (size_t i = 0; i < message->field_count; i++) {
        if (message->fields[i].since < first) first = message->fields[i].since;
    }
    if (message->was_empty) first = 1;
    const uint32_t published = cg_lock_since(b->lock, message->tlv_type, b->model->version);
    if (first > message->since) message->since = first;
    if (published > message->since) message->since = published;
}

static void read_message_since(cg_builder *b, cg_message *message, const cg_node *at) {
    const cg_node *since = cg_good_entry(at, "since");
    message->since = b->message_since = (uint32_t)cg_get_uint(at, "since", 1);
    if (since == NULL || message->since <= b->model->version) return;
    cg_report(b->diags, CG_E_SINCE, since->span, "since is %u, but the schema's version is %u: raise the version",
              message->since, b->model->version);
}

static void read_message(cg_builder *b, cg_message *message, const cg_node *at) {
    const cg_node *fields = cg_entry(at, "fields");
    message->at = at;
    if (cg_name_read(b->diags, at->key->text, at->key->span, &message->name)) {
        cg_name_refuse_reserved(b->diags, &message->name, at->key->span);
    }
    message->tlv_type = (uint16_t)cg_get_uint(at, "tlv_type", 0);
    message->domain = cg_get_text(at, "domain", NULL);
    message->description = cg_get_text(at, "description", NULL);
    message->was = cg_get_text(at, "was", NULL);
    read_sensitivity(message, at);
    message->log_payload = cg_get_bool(at, "log_payload", true);
    message->reserve = (uint32_t)cg_get_uint(at, "reserve", 0);
    message->rate = cg_get_real(at, "rate", 0);
    message->hold_ns = cg_get_time(at, "hold", 0);
    read_message_since(b, message, at);
    message->fields = cg_fields_read(b, fields, NULL, &message->field_count);
    cg_lock_order(b->lock, true, message->name.text, message->was, message->fields, message->field_count);
    message->was_empty = cg_lock_was_empty(b->lock, message->name.text, message->was);
    find_message_since(b, message);
    read_typical(b, message, cg_map_entry(at, "typical"));
    if (!are_typed(message, fields) || !cg_layout_message(b->diags, message, b->model->min_compatible)) return;
    cg_fields_check_defaults(b, message);
    check_max_total(b, message, at);
}

const cg_range *cg_range_of(const cg_model *model, uint16_t tlv_type) {
    for (size_t i = 0; i < model->range_count; i++) {
        if (tlv_type >= model->ranges[i].first && tlv_type <= model->ranges[i].last) return &model->ranges[i];
    }
    return NULL;
}

static void check_id_range(cg_builder *b, const cg_message *message, const cg_node *id) {
    const cg_range *range = cg_range_of(b->model, message->tlv_type);
    const bool is_core = range != NULL && strcmp(range->name, "core") == 0;
    if (b->model->range_count == 0) return;
    if (b->model->is_library) {
        if (is_core) return;
        cg_report(b->diags, CG_E_ID_NOT_CORE, id->span, "%u lies outside of the core range, and this is a library's",
                  message->tlv_type);
    } else if (range == NULL) {
        cg_report(b->diags, CG_W_ID_OUTSIDE, id->span, "%u lies outside of all tag ranges", message->tlv_type);
    } else if (is_core) {
        cg_report(b->diags, CG_E_ID_CORE, id->span, "%u lies in the core range, %u-%u", message->tlv_type, range->first,
                  range->last);
    } else if (strcmp(range->name, "experimental") == 0) {
        cg_report(b->diags, CG_W_ID_EXPERIMENTAL, id->span, "%u lies in the experimental range, %u-%u",
                  message->tlv_type, range->first, range->last);
    }
}

/* Whose id it is. */
typedef struct id_owner {
    const cg_node *at;
    cg_message *message; /* NULL when it is retired */
} id_owner;

/* False when the id is another's already; then that was reported. */
static bool claim_id(cg_builder *b, cg_ids *owners, uint16_t tlv_type, id_owner claimant, const cg_node *id) {
    const id_owner *const owner = cg_ids_find(owners, tlv_type);
    if (owner == NULL) {
        id_owner *const first = CG_NEW(b->arena, id_owner);
        *first = claimant;
        cg_ids_set(owners, tlv_type, first);
        return true;
    }
    cg_report(b->diags, CG_E_DUPLICATE_ID, id->span, "'%s' and '%s' share tlv_type %u", owner->at->key->text,
              claimant.at->key->text, tlv_type);
    cg_note(b->diags, cg_entry(owner->at, "tlv_type")->span, "%s",
            owner->message == NULL ? "this is retired, and its id is never used again" : "first here");
    return false;
}

static void check_id(cg_builder *b, cg_ids *owners, const cg_node *at, uint16_t tlv_type, cg_message *message) {
    const cg_node *id = cg_good_entry(at, "tlv_type");
    if (id == NULL) return;
    if (tlv_type == 0) {
        cg_report(b->diags, CG_E_ID_ZERO, id->span, "tlv_type 0 is the library's own control frame");
    } else if (claim_id(b, owners, tlv_type, (id_owner){at, message}, id) && message != NULL) {
        check_id_range(b, message, id);
    }
}

/* Who owns an id; this also gives the messages in ascending order. */
static void check_ids(cg_builder *b) {
    cg_model *model = b->model;
    cg_ids owners = {.arena = b->arena};
    for (size_t i = 0; i < model->retired_count; i++) {
        check_id(b, &owners, model->retired[i].at, model->retired[i].tlv_type, NULL);
    }
    for (size_t i = 0; i < model->message_count; i++) {
        check_id(b, &owners, model->messages[i].at, model->messages[i].tlv_type, &model->messages[i]);
    }
    size_t count = 0;
    uint32_t next = 0;
    model->by_type = CG_NEW_ARRAY(b->arena, cg_message *, model->message_count);
    for (const id_owner *owner = NULL; (owner = cg_ids_next(&owners, &next)) != NULL;) {
        if (owner->message != NULL) model->by_type[count++] = owner->message;
    }
}

/* What a retired message carried does not matter any more. */
static void read_retired(cg_builder *b, cg_retired *retired, const cg_node *at) {
    retired->at = at;
    retired->tlv_type = (uint16_t)cg_get_uint(at, "tlv_type", 0);
    retired->was = cg_get_text(at, "was", NULL);
    retired->since = cg_lock_retired_since(b->lock, retired->tlv_type, b->model->version);
    (void)cg_name_read(b->diags, at->key->text, at->key->span, &retired->name);
}

static void read_messages(cg_builder *b, const cg_node *messages) {
    cg_model *model = b->model;
    if (messages == NULL) return;
    if (messages->count > MESSAGES_MAX) {
        cg_report(b->diags, CG_E_TOO_MANY, messages->key->span, "a contract has at most %d messages", MESSAGES_MAX);
        return;
    }
    model->messages = CG_NEW_ARRAY(b->arena, cg_message, messages->count);
    model->retired = CG_NEW_ARRAY(b->arena, cg_retired, messages->count);
    for (const cg_node *at = messages->first; at != NULL; at = at->next) {
        if (at->kind != CG_MAP) continue;
        if (cg_get_bool(at, "retired", false))
            read_retired(b, &model->retired[model->retired_count++], at);
        else
            read_message(b, &model->messages[model->message_count++], at);
    }
    if (model->message_count == 0 && !messages->is_bad && messages->count == model->retired_count) {
        cg_report(b->diags, CG_E_NOTHING, messages->key->span, "the contract describes no message%s",
                  messages->count == 0 ? "" : " that is not retired");
    }
    cg_former_names_check(b, messages);
    check_ids(b);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static void build(cg_builder *b, const cg_node *root, const char *prefix, const cg_unknown_rules *unknown_rules) {
    read_schema(b, root, prefix);
    read_tag_ranges(b, cg_map_entry(root, "tag_ranges"));
    cg_hooks_read(b, cg_good_entry(root, "rules"), unknown_rules);
    declare_enums(b, cg_map_entry(root, "enums"));
    declare_types(b, cg_map_entry(root, "types"));
    cg_declarations_read(b);
    read_messages(b, cg_map_entry(root, "messages"));
    cg_priors_read(b);
    cg_classes_choose(b, cg_map_entry(root, "pool"));
    cg_names_claim(b->diags, b->model);
    if (b->lock != NULL) cg_lock_check(b, root);
}

cg_model *cg_compile(cg_arena *arena, const cg_source *source, const char *prefix, cg_diags *diags) {
    return cg_compile_locked(arena, source, NULL, prefix, diags);
}

cg_model *cg_compile_locked(cg_arena *arena, const cg_source *source, const cg_lock *lock, const char *prefix,
                            cg_diags *diags) {
    cg_builder b = {
        .arena = arena, .diags = diags, .lock = lock, .declarations = {.arena = arena}, .wrappers = {.arena = arena}};
    diags->arena = arena;
    diags->source = source;
    cg_unknown_rules unknown_rules = {NULL, 0};
    cg_node *root = cg_load(arena, source, diags);
    if (root == NULL) return NULL;
    cg_schema_check(diags, root, &unknown_rules);
    b.model = CG_NEW(arena, cg_model);
    const char *slash = strrchr(source->path, '/');
    b.model->file = slash == NULL ? source->path : slash + 1;
    if (root->kind == CG_MAP) build(&b, root, prefix, &unknown_rules);
    if (diags->error_count != 0) return NULL;
    b.model->contract_hash = cg_contract_hash(arena, b.model);
    cg_layouts_find(arena, b.model);
    return b.model;
}
