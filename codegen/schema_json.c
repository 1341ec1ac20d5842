/* keys.def as a JSON Schema. A contract is YAML, so a number may come as a number or, in quotes, as a text. */
#include "codegen/schema_json.h"

#include <inttypes.h>

#define INTEGER "(0x[0-9a-fA-F]+|0|[1-9][0-9]*)"
#define NAME "[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*"
#define REAL "(0x[0-9a-fA-F]+|[0-9]+([.][0-9]+)?([eE][-+]?[0-9]+)?)"

/* Shapes that stand at many keys, as definitions. */
static const struct {
    const char *name, *shape;
} shapes[] = {
    {"name", "{\"type\":\"string\",\"maxLength\":64,\"pattern\":\"^" NAME "$\"}"},
    {"boolean", "{\"enum\":[true,false,\"true\",\"false\"]}"},
    {"scalar", "{\"type\":[\"string\",\"number\",\"boolean\",\"null\"]}"},
    {"integer", "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\",\"pattern\":\"^-?" INTEGER "$\"}]}"},
    {"spelling",
     "{\"type\":\"string\",\"pattern\":\"^\\\\s*([A-Za-z][A-Za-z0-9_]*|\\\\[.+;.+\\\\]|[A-Za-z]+\\\\s*<.+>)\\\\s*$\"}"},
    {"range", "{\"type\":\"string\",\"pattern\":\"^" INTEGER "-" INTEGER "$\"}"},
};

static const char *where_name(cg_where where) {
    static const char *const names[] = {
        [CG_AT_ROOT] = "contract",   [CG_AT_SCHEMA] = "schema", [CG_AT_RANGES] = "tag_ranges",
        [CG_AT_RANGE] = "tag_range", [CG_AT_POOL] = "pool",     [CG_AT_HOOK] = "hook",
        [CG_AT_ENUM] = "enum",       [CG_AT_TYPE] = "type",     [CG_AT_MESSAGE] = "message",
        [CG_AT_FIELD] = "field",     [CG_AT_MEMBER] = "member", [CG_AT_RULE] = "rule",
    };
    return names[where];
}

static void add_reference(cg_text *out, const char *name) {
    cg_text_format(out, "{\"$ref\":\"#/definitions/%s\"}", name);
}

static void add_child(cg_text *out, const cg_key *key) { add_reference(out, where_name(key->child)); }

/* ---- one value -------------------------------------------------------------------------------------------------- */

static void add_numeric(cg_text *out, const cg_key *key, const char *type, const char *pattern) {
    cg_text_format(out,
                   "\"anyOf\":[{\"type\":\"%s\",\"minimum\":%" PRIu64 ",\"maximum\":%" PRIu64
                   "},{\"type\":\"string\",\"pattern\":\"^%s$\"}]",
                   type, key->low, key->high, pattern);
}

static void add_words(cg_text *out, const char *key, const char *words) {
    cg_text_format(out, "\"%s\":[", key);
    for (const char *list = words, *word = NULL; (word = cg_next_word(out->arena, &list)) != NULL;) {
        cg_text_add_json(out, word);
        if (*list != '\0') cg_text_add(out, ",", 1);
    }
    cg_text_add(out, "]", 1);
}

static void add_fields(cg_text *out, const cg_key *key) {
    cg_text_format(out, "\"anyOf\":[{\"type\":\"object\",\"propertyNames\":");
    add_reference(out, "name");
    cg_text_format(out, ",\"additionalProperties\":{\"anyOf\":[");
    add_reference(out, "spelling");
    cg_text_add(out, ",", 1);
    add_child(out, key);
    cg_text_format(out, "]}},{\"type\":\"array\",\"items\":{\"allOf\":[");
    add_child(out, key);
    cg_text_format(out, ",{\"required\":[\"name\"]}]}}]");
}

static void add_names(cg_text *out, const cg_key *key) {
    cg_text_format(out, "\"anyOf\":[{\"type\":\"array\",\"items\":");
    add_reference(out, "name");
    cg_text_add(out, "}", 1);
    if (key->child != CG_AT_NONE) {
        cg_text_format(out, ",{\"type\":\"object\",\"additionalProperties\":");
        add_child(out, key);
        cg_text_add(out, "}", 1);
    }
    cg_text_add(out, "]", 1);
}

static void add_map_of(cg_text *out, const cg_key *key) {
    cg_text_format(out, "\"type\":\"object\",\"propertyNames\":");
    add_reference(out, "name");
    cg_text_format(out, ",\"additionalProperties\":");
    if (key->want == CG_WANT_NUMBERS)
        add_reference(out, "integer");
    else
        add_child(out, key);
}

static void add_all_of(cg_text *out, const char *name) {
    cg_text_format(out, "\"allOf\":[");
    add_reference(out, name);
    cg_text_add(out, "]", 1);
}

static void add_range(cg_text *out, const cg_key *key) {
    cg_text_format(out, "\"anyOf\":[");
    add_reference(out, "range");
    cg_text_add(out, ",", 1);
    add_child(out, key);
    cg_text_add(out, "]", 1);
}

static void add_classes(cg_text *out) {
    cg_text_format(
        out,
        "\"anyOf\":[{\"type\":\"string\",\"pattern\":\"^(pow2|auto:([1-9]|[1-5][0-9]|6[0-4]))$\"},{\"type\":\"array\","
        "\"minItems\":1,\"items\":{\"anyOf\":[{\"type\":\"integer\",\"minimum\":16},{\"type\":\"string\","
        "\"pattern\":\"^" INTEGER "([KMG]iB)?$\"}]}}]");
}

static void add_rules(cg_text *out, const cg_key *key) {
    cg_text_format(out, "\"type\":\"array\",\"items\":");
    add_child(out, key);
}

/* What the value must be: some of the keywords of its schema. */
static void add_shape(cg_text *out, const cg_key *key) {
    switch (key->want) {
    case CG_WANT_TEXT:
    case CG_WANT_LITERAL: add_all_of(out, "scalar"); break;
    case CG_WANT_WORD: add_words(out, "enum", key->words); break;
    case CG_WANT_NAME: add_all_of(out, "name"); break;
    case CG_WANT_TYPE: add_all_of(out, "spelling"); break;
    case CG_WANT_TAG_RANGE: add_all_of(out, "range"); break;
    case CG_WANT_BOOL: add_all_of(out, "boolean"); break;
    case CG_WANT_INTEGER: add_numeric(out, key, "integer", INTEGER); break;
    case CG_WANT_BYTES: add_numeric(out, key, "integer", INTEGER "([KMG]iB)?"); break;
    case CG_WANT_NUMBER: add_numeric(out, key, "number", REAL); break;
    case CG_WANT_TIME: cg_text_format(out, "\"type\":\"string\",\"pattern\":\"^" REAL "(ns|us|ms|s)$\""); break;
    case CG_WANT_CLASSES: add_classes(out); break;
    case CG_WANT_LIST: cg_text_format(out, "\"type\":\"array\",\"minItems\":1"); break;
    case CG_WANT_MAP: add_all_of(out, where_name(key->child)); break;
    case CG_WANT_MAP_OF:
    case CG_WANT_NUMBERS: add_map_of(out, key); break;
    case CG_WANT_RANGE: add_range(out, key); break;
    case CG_WANT_FIELDS: add_fields(out, key); break;
    case CG_WANT_RULES: add_rules(out, key); break;
    case CG_WANT_NAMES: add_names(out, key); break;
    case CG_WANT_ANY: break;
    }
}

/* ---- one map ---------------------------------------------------------------------------------------------------- */

/* A default as JSON: integers and booleans as such. */
static void add_default(cg_text *out, const cg_key *key) {
    const bool is_bare = key->want == CG_WANT_INTEGER || key->want == CG_WANT_BOOL;
    if (key->otherwise[0] == '\0') return;
    cg_text_format(out, ",\"default\":");
    if (is_bare)
        cg_text_format(out, "%s", key->otherwise);
    else
        cg_text_add_json(out, key->otherwise);
}

static void add_property(cg_text *out, const cg_key *key) {
    cg_text_format(out, "\n        ");
    cg_text_add_json(out, key->name);
    cg_text_format(out, ":{\"description\":");
    cg_text_add_json(out, key->text);
    cg_text_add(out, ",", 1);
    add_shape(out, key);
    add_default(out, key);
    if (key->example[0] != '\0') {
        cg_text_add(out, ",", 1);
        add_words(out, "examples", key->example);
    }
    cg_text_add(out, "}", 1);
}

static void add_properties(cg_text *out, cg_where where) {
    const char *between = "";
    cg_text_format(out, "\n      \"properties\":{");
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].where != where) continue;
        cg_text_format(out, "%s", between);
        add_property(out, &cg_keys[i]);
        between = ",";
    }
    cg_text_add(out, "}", 1);
}

static void add_required(cg_text *out, cg_where where) {
    const char *between = ",\n      \"required\":[";
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].where != where || cg_keys[i].state != CG_KEY_NEEDED) continue;
        cg_text_format(out, "%s\"%s\"", between, cg_keys[i].name);
        between = ",";
    }
    if (between[1] == '\0') cg_text_add(out, "]", 1);
}

/* Keys that are ignored wherever they stand. */
static void add_ignored(cg_text *out) {
    const char *between = "";
    cg_text_format(out, ",\n      \"patternProperties\":{\"^(");
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].state != CG_KEY_IGNORED) continue;
        cg_text_format(out, "%s%s", between, cg_keys[i].name);
        between = "|";
    }
    cg_text_format(out, ")$\":true},\n      \"additionalProperties\":");
}

/* Of rules, what is not in the table is a hook. */
static void add_definition(cg_text *out, cg_where where) {
    cg_text_format(out, ",\n    \"%s\":{\"type\":\"object\",", where_name(where));
    add_properties(out, where);
    add_required(out, where);
    add_ignored(out);
    if (where == CG_AT_RULE)
        add_reference(out, "boolean");
    else
        cg_text_format(out, "false");
    cg_text_add(out, "}", 1);
}

void cg_schema_json(cg_text *out) {
    cg_text_format(out, "{\n  \"$schema\":\"http://json-schema.org/draft-07/schema#\",\n"
                        "  \"title\":\"a contract of bufpool\",\n  \"allOf\":[");
    add_reference(out, where_name(CG_AT_ROOT));
    cg_text_format(out, "],\n  \"definitions\":{");
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        cg_text_format(out, "%s\n    \"%s\":%s", i == 0 ? "" : ",", shapes[i].name, shapes[i].shape);
    }
    for (cg_where where = CG_AT_ROOT; where < CG_AT_ANYWHERE; where++) add_definition(out, where);
    cg_text_format(out, "\n  }\n}\n");
}
