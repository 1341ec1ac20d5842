/* The contract for readers: what the Markdown reference says, in words and numbers. */
#include "codegen/emit_map.h"
#include "codegen/text.h"

#include <inttypes.h>
#include <string.h>

/* ---- words ------------------------------------------------------------------------------------------------------ */

static const char *or_empty(const char *text) { return text == NULL ? "" : text; }

static const char *enum_value_name(const cg_enum *enumeration, const cg_number *number) {
    for (size_t i = 0; i < enumeration->value_count; i++) {
        if (cg_number_compare(&enumeration->values[i].value, number) == 0) return enumeration->values[i].name.text;
    }
    return NULL;
}

static const char *number_words(cg_arena *arena, const cg_number *number) {
    char text[CG_NUMBER_TEXT_MAX];
    if (number->text != NULL) return number->text;
    cg_number_print(number, text);
    return cg_arena_text(arena, text);
}

/* As the contract would write it. */
static const char *literal_words(cg_arena *arena, const cg_type *type, const cg_literal *literal) {
    const char *name = NULL;
    if (literal->kind == CG_LITERAL_BOOL) return literal->is_true ? "true" : "false";
    if (literal->kind == CG_LITERAL_TEXT) return cg_arena_format(arena, "\"%s\"", literal->text);
    if (type->kind == CG_ENUM) name = enum_value_name(type->enumeration, &literal->number);
    return name != NULL ? name : number_words(arena, &literal->number);
}

static void add_rule_words(cg_text *out, const cg_type *type, const cg_rule *rule) {
    cg_arena *const arena = out->arena;
    if (out->length != 0) cg_text_format(out, ", ");
    cg_text_format(out, "%s", rule->kind == CG_RULE_HOOK ? rule->hook->name.text : cg_rule_name(rule->kind));
    switch (rule->kind) {
    case CG_RULE_MIN:
    case CG_RULE_MAX:
    case CG_RULE_PREFIX: cg_text_format(out, " %s", literal_words(arena, type, &rule->literal)); break;
    case CG_RULE_MIN_LENGTH:
    case CG_RULE_MAX_LENGTH: cg_text_format(out, " %s", number_words(arena, &rule->literal.number)); break;
    case CG_RULE_ONE_OF:
        for (size_t i = 0; i < rule->choice_count; i++)
            cg_text_format(out, "%s%s", i == 0 ? " " : " | ", literal_words(arena, type, &rule->choices[i]));
        break;
    default: break;
    }
}

/* The rule that every string has is not said of each. */
static const char *rules_words(cg_arena *arena, const cg_field *field) {
    cg_text words = {.arena = arena};
    for (size_t i = 0; i < field->rule_count; i++) {
        const cg_rule *const rule = &field->rules[i];
        if (rule->kind != CG_RULE_UTF8 || field->type->kind == CG_BYTES) add_rule_words(&words, field->type, rule);
    }
    return words.length == 0 ? "" : words.data;
}

/* ---- maps ------------------------------------------------------------------------------------------------------- */

static void set_name(cg_arena *arena, cg_value *map, const cg_name *name, const char *description) {
    cg_set_text(arena, map, "text", name->text);
    cg_set_text(arena, map, "name", name->snake);
    cg_set_text(arena, map, "doc", or_empty(description));
}

/* Where the innermost type of a spelling is described: an anchor of this page, or "". */
static const char *type_anchor(cg_arena *arena, const cg_type *type) {
    if (type->kind == CG_ENUM) return cg_arena_format(arena, "enum-%s", type->enumeration->name.snake);
    if (type->kind == CG_STRUCT && type->structure->is_wrapper)
        return type_anchor(arena, type->structure->fields[0].type);
    if (type->kind == CG_STRUCT) return cg_arena_format(arena, "type-%s", type->structure->name.snake);
    return type->element == NULL ? "" : type_anchor(arena, type->element);
}

static cg_value *emit_field(cg_arena *arena, const cg_field *field) {
    cg_value *const map = cg_value_map(arena);
    const cg_type *const type = field->type;
    set_name(arena, map, &field->name, field->description);
    cg_set_text(arena, map, "type", type->spelling);
    cg_set_text(arena, map, "anchor", type_anchor(arena, type));
    cg_set_number(arena, map, "since", field->since);
    cg_set_flag(arena, map, "is_optional", field->is_optional);
    cg_set_flag(arena, map, "is_retired", field->is_retired);
    cg_set_text(arena, map, "was", or_empty(field->was));
    cg_set_text(arena, map, "default", field->has_default ? literal_words(arena, type, &field->default_value) : "");
    cg_set_text(arena, map, "rules", rules_words(arena, field));
    cg_set_text(arena, map, "unit", or_empty(field->unit));
    cg_set_number(arena, map, "offset", field->offset);
    cg_set_number(arena, map, "size", type->size);
    cg_set_text(arena, map, "tail",
                type->is_tail ? cg_arena_format(arena, "%" PRIu64, (uint64_t)type->capacity * type->element_stride)
                              : "");
    return map;
}

static cg_value *emit_fields(cg_arena *arena, const cg_field *fields, size_t count) {
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < count; i++) cg_append(arena, list, emit_field(arena, &fields[i]));
    return list;
}

/* Versions with what each added; nothing for what never grew. */
static cg_value *emit_versions(cg_arena *arena, const cg_group *groups, size_t count, size_t first_accepted) {
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < count && count > 1; i++) {
        cg_value *const map = cg_value_map(arena);
        cg_value *const names = cg_value_list(arena);
        for (size_t k = 0; k < groups[i].placed_count; k++) {
            cg_append(arena, names, cg_value_text(arena, groups[i].placed[k]->name.text));
        }
        cg_set_number(arena, map, "since", groups[i].since);
        cg_set_number(arena, map, "end", groups[i].end);
        cg_set_flag(arena, map, "is_accepted", i >= first_accepted);
        cg_set(arena, map, "names", names);
        cg_append(arena, list, map);
    }
    return list;
}

static cg_value *emit_names(cg_arena *arena, const cg_message *const *messages, size_t count) {
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < count; i++) {
        cg_value *const map = cg_value_map(arena);
        set_name(arena, map, &messages[i]->name, NULL);
        cg_append(arena, list, map);
    }
    return list;
}

static cg_value *emit_priors(cg_arena *arena, const cg_message *message) {
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < message->prior_count; i++) {
        cg_value *const map = cg_value_map(arena);
        set_name(arena, map, &message->priors[i].message->name, NULL);
        cg_append(arena, list, map);
    }
    return list;
}

static cg_value *emit_message(cg_arena *arena, const cg_message *message) {
    cg_value *const map = cg_value_map(arena);
    set_name(arena, map, &message->name, message->description);
    cg_set_text(arena, map, "domain", or_empty(message->domain));
    cg_set_text(arena, map, "was", or_empty(message->was));
    cg_set_text(arena, map, "sensitivity", message->is_sensitive ? message->sensitivity : "");
    cg_set_flag(arena, map, "is_redacted", message->is_sensitive || !message->log_payload);
    cg_set_message_sizes(arena, map, message);
    cg_set_number(arena, map, "typical", message->typical);
    cg_set_flag(arena, map, "has_reserve", message->reserve != 0);
    cg_set_number(arena, map, "reserve", message->reserve);
    cg_set(arena, map, "priors", emit_priors(arena, message));
    cg_set(arena, map, "fields", emit_fields(arena, message->fields, message->field_count));
    cg_set(arena, map, "versions",
           emit_versions(arena, message->groups, message->group_count, message->accept_group_ix));
    return map;
}

static cg_value *emit_struct(cg_arena *arena, const cg_struct *structure) {
    cg_value *const map = cg_value_map(arena);
    set_name(arena, map, &structure->name, structure->description);
    cg_set_number(arena, map, "size", structure->size);
    cg_set_number(arena, map, "align", structure->align);
    cg_set_flag(arena, map, "is_extensible", structure->is_extensible);
    cg_set(arena, map, "fields", emit_fields(arena, structure->fields, structure->field_count));
    cg_set(arena, map, "versions",
           emit_versions(arena, structure->groups, structure->group_count, structure->accept_group_ix));
    return map;
}

static cg_value *emit_enum(cg_arena *arena, const cg_enum *enumeration) {
    cg_value *const map = cg_value_map(arena);
    cg_value *const values = cg_value_list(arena);
    set_name(arena, map, &enumeration->name, enumeration->description);
    cg_set_text(arena, map, "base", cg_kind_name(enumeration->base));
    cg_set_flag(arena, map, "is_open", enumeration->is_open);
    for (size_t i = 0; i < enumeration->value_count; i++) {
        cg_value *const value = cg_value_map(arena);
        set_name(arena, value, &enumeration->values[i].name, enumeration->values[i].description);
        cg_set_text(arena, value, "number", number_words(arena, &enumeration->values[i].value));
        cg_append(arena, values, value);
    }
    cg_set(arena, map, "values", values);
    return map;
}

static cg_value *emit_hook(cg_arena *arena, const cg_hook *hook) {
    static const char *const kinds[] = {"nothing",
                                        "an unsigned integer",
                                        "a signed integer",
                                        "a floating number",
                                        "a 128-bit number",
                                        "a 256-bit number",
                                        "text",
                                        "bytes"};
    cg_value *const map = cg_value_map(arena);
    set_name(arena, map, &hook->name, hook->description);
    cg_set_text(arena, map, "value", kinds[hook->value]);
    cg_set_flag(arena, map, "is_declared", hook->is_declared);
    return map;
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

static cg_value *emit_ranges(cg_arena *arena, const cg_model *model) {
    static const char *const unknown[] = {
        [CG_UNKNOWN_FAIL] = "refused", [CG_UNKNOWN_SKIP] = "passed over", [CG_UNKNOWN_DELIVER] = "delivered"};
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < model->range_count; i++) {
        cg_value *const map = cg_value_map(arena);
        cg_set_text(arena, map, "text", model->ranges[i].name);
        cg_set_number(arena, map, "first", model->ranges[i].first);
        cg_set_number(arena, map, "last", model->ranges[i].last);
        cg_set_text(arena, map, "unknown", unknown[model->ranges[i].unknown]);
        cg_append(arena, list, map);
    }
    return list;
}

static cg_value *emit_classes(cg_arena *arena, const cg_model *model) {
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < model->class_count; i++) {
        const cg_class *const one = &model->classes[i];
        cg_value *const map = cg_value_map(arena);
        cg_set_number(arena, map, "size", one->size);
        cg_set(arena, map, "messages", emit_names(arena, one->messages, one->message_count));
        cg_append(arena, list, map);
    }
    return list;
}

static cg_value *emit_retired(cg_arena *arena, const cg_model *model) {
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < model->retired_count; i++) {
        cg_value *const map = cg_value_map(arena);
        set_name(arena, map, &model->retired[i].name, NULL);
        cg_set_number(arena, map, "type", model->retired[i].tlv_type);
        cg_append(arena, list, map);
    }
    return list;
}

static cg_value *emit_aliases(cg_arena *arena, const cg_model *model) {
    cg_value *const list = cg_value_list(arena);
    for (size_t i = 0; i < model->alias_count; i++) {
        cg_value *const map = cg_value_map(arena);
        set_name(arena, map, &model->aliases[i].name, model->aliases[i].description);
        cg_set_text(arena, map, "stands_for", model->aliases[i].stands_for);
        cg_append(arena, list, map);
    }
    return list;
}

static void set_lists(cg_arena *arena, cg_value *root, const cg_model *model) {
    cg_value *const messages = cg_value_list(arena), *const structs = cg_value_list(arena);
    cg_value *const enums = cg_value_list(arena), *const hooks = cg_value_list(arena);
    for (size_t i = 0; i < model->message_count; i++)
        cg_append(arena, messages, emit_message(arena, model->by_type[i]));
    for (size_t i = 0; i < model->struct_count; i++) {
        if (!model->structs[i]->is_wrapper) cg_append(arena, structs, emit_struct(arena, model->structs[i]));
    }
    for (size_t i = 0; i < model->enum_count; i++) cg_append(arena, enums, emit_enum(arena, &model->enums[i]));
    for (size_t i = 0; i < model->hook_count; i++) cg_append(arena, hooks, emit_hook(arena, model->hooks[i]));
    cg_set(arena, root, "messages", messages);
    cg_set(arena, root, "structs", structs);
    cg_set(arena, root, "enums", enums);
    cg_set(arena, root, "hooks", hooks);
}

cg_value *cg_emit_reference(const cg_emitter *emitter) {
    cg_arena *const arena = emitter->arena;
    const cg_model *const model = emitter->model;
    cg_value *const root = cg_value_map(arena);
    cg_set_text(arena, root, "file", model->file);
    cg_set_text(arena, root, "schema", model->name.text);
    cg_set_format(arena, root, "id", "0x%08" PRIX32, model->id);
    cg_set_number(arena, root, "version", model->version);
    cg_set_number(arena, root, "min_compatible", model->min_compatible);
    cg_set_format(arena, root, "hash", "0x%016" PRIx64, model->contract_hash);
    cg_set_text(arena, root, "strategy", model->strategy);
    set_lists(arena, root, model);
    cg_set(arena, root, "aliases", emit_aliases(arena, model));
    cg_set(arena, root, "classes", emit_classes(arena, model));
    cg_set(arena, root, "ranges", emit_ranges(arena, model));
    cg_set(arena, root, "retired", emit_retired(arena, model));
    return root;
}
