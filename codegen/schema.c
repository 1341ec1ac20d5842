#include "codegen/schema.h"
#include "codegen/number.h"
#include "codegen/text.h"

#include <inttypes.h>
#include <string.h>

const cg_key cg_keys[] = {
#define CG_KEY(where, key, want, low, high, child, state, words, otherwise, example, text)                             \
    {CG_AT_##where, key, CG_WANT_##want, low, high, CG_AT_##child, CG_KEY_##state, words, otherwise, example, text},
#include "codegen/keys.def"
#undef CG_KEY
};
const size_t cg_key_count = sizeof cg_keys / sizeof cg_keys[0];

/* Where the keys of one place stand in the table, others perhaps between them. */
typedef struct key_run {
    const cg_key *first, *end;
} key_run;

typedef struct checker {
    cg_diags *diags;
    key_run runs[CG_AT_ANYWHERE + 1];
    cg_unknown_rules *unknown_rules;
    bool is_warned[sizeof cg_keys / sizeof cg_keys[0]]; /* an ignored key warns once */
} checker;

static void check_map(checker *c, cg_node *map, cg_where where);

static const char *where_name(cg_where where) {
    switch (where) {
    case CG_AT_SCHEMA: return "in schema";
    case CG_AT_RANGES: return "in tag_ranges";
    case CG_AT_RANGE: return "in a tag range";
    case CG_AT_POOL: return "in pool";
    case CG_AT_HOOK: return "in a hook";
    case CG_AT_ENUM: return "in an enum";
    case CG_AT_TYPE: return "in a type";
    case CG_AT_MESSAGE: return "in a message";
    case CG_AT_FIELD: return "in a field";
    case CG_AT_MEMBER: return "in a field of a type";
    case CG_AT_RULE: return "in validation";
    default: return "in a contract";
    }
}

static void find_runs(checker *c) {
    for (const cg_key *key = cg_keys; key != cg_keys + cg_key_count; key++) {
        key_run *const run = &c->runs[key->where];
        if (run->first == NULL) run->first = key;
        run->end = key + 1;
    }
}

static const cg_key *find_key_at(const checker *c, cg_where where, const char *name) {
    const key_run run = c->runs[where];
    for (const cg_key *key = run.first; key != run.end; key++) {
        if (key->where == where && key->name[0] == name[0] && strcmp(key->name, name) == 0) return key;
    }
    return NULL;
}

static const cg_key *find_key(const checker *c, cg_where where, const char *name) {
    const cg_key *const key = find_key_at(c, where, name);
    return key != NULL ? key : find_key_at(c, CG_AT_ANYWHERE, name);
}

static void bad(checker *c, cg_node *node, cg_diag_id id, const char *message) {
    node->is_bad = true;
    cg_report(c->diags, id, node->span, "%s", message);
}

/* Whether the node is of that kind; reports and marks it otherwise. */
static bool is_kind(checker *c, cg_node *node, cg_node_kind kind) {
    static const char *const names[] = {"a single value", "a map of `key: value`", "a list"};
    if (node->kind == kind) return true;
    if (node->is_bad && node->kind == CG_SCALAR) return false; /* unreadable, and reported as such */
    node->is_bad = true;
    const cg_span at = node->kind == CG_SCALAR && node->length != 0 ? node->span : cg_node_place(node);
    cg_report(c->diags, CG_E_KIND, at, "%s%s%s must be %s, not %s", node->key == NULL ? "this" : "'",
              node->key == NULL ? "" : node->key->text, node->key == NULL ? "" : "'", names[kind],
              node->kind == CG_SCALAR && node->length == 0 ? "empty" : names[node->kind]);
    return false;
}

/* ---- scalars ---------------------------------------------------------------------------------------------------- */

bool cg_read_bytes(const char *text, uint64_t *out) {
    static const struct {
        const char *suffix;
        unsigned shift;
    } units[] = {{"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    char digits[64];
    const size_t length = strlen(text);
    size_t digit_count = length;
    unsigned shift = 0;
    cg_number number;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (length < 4 || strcmp(text + length - 3, units[i].suffix) != 0) continue;
        shift = units[i].shift;
        digit_count = length - 3;
    }
    if (digit_count >= sizeof digits) return false;
    memcpy(digits, text, digit_count);
    digits[digit_count] = '\0';
    if (cg_number_parse(digits, &number) != CG_NUMBER_OK || !cg_number_fits(&number, 64 - shift, false)) return false;
    *out = cg_number_u64(&number) << shift;
    return true;
}

static void check_bool(checker *c, cg_node *node) {
    if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0) return;
    bad(c, node, CG_E_BOOL, "a boolean is written true or false");
}

static void check_range(checker *c, cg_node *node, const cg_key *key, uint64_t value) {
    if (value >= key->low && value <= key->high) return;
    node->is_bad = true;
    cg_report(c->diags, CG_E_RANGE, node->span, "'%s' must be from %" PRIu64 " to %" PRIu64, key->name, key->low,
              key->high);
}

static void check_integer(checker *c, cg_node *node, const cg_key *key) {
    cg_number number;
    switch (cg_number_parse(node->text, &number)) {
    case CG_NUMBER_NOT_ONE:
        bad(c, node, CG_E_NUMBER, "an integer is needed, in decimal without a 0 before it, or as 0x...");
        return;
    case CG_NUMBER_TOO_BIG: check_range(c, node, key, UINT64_MAX); return;
    case CG_NUMBER_OK: break;
    }
    check_range(c, node, key, cg_number_fits(&number, 64, false) ? cg_number_u64(&number) : UINT64_MAX);
}

static void check_bytes(checker *c, cg_node *node, const cg_key *key) {
    uint64_t value = 0;
    if (cg_read_bytes(node->text, &value))
        check_range(c, node, key, value);
    else
        bad(c, node, CG_E_BYTE_SIZE, "a size in bytes is needed, such as 4096, 64KiB or 256MiB");
}

static void check_number(checker *c, cg_node *node, const cg_key *key) {
    cg_number number;
    const cg_number_outcome outcome = cg_number_parse_real(node->text, &number);
    const double value = outcome == CG_NUMBER_OK ? cg_number_real(&number) : 0;
    if (outcome == CG_NUMBER_NOT_ONE) {
        bad(c, node, CG_E_NUMBER, "a number is needed, such as 200 or 0.5");
    } else if (!(value > (double)key->low && value <= (double)key->high)) {
        node->is_bad = true;
        cg_report(c->diags, CG_E_RANGE, node->span, "'%s' must be above %" PRIu64 " and at most %" PRIu64, key->name,
                  key->low, key->high);
    }
}

/* Nanoseconds of "250us"; a fraction of one is rounded to the nearest. False when the text is no time, or takes 2^63
 * and more. */
static bool read_time(const char *text, uint64_t *out) {
    static const struct {
        const char *suffix;
        double scale;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    char digits[64];
    const size_t length = strlen(text);
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const size_t suffix = strlen(units[i].suffix);
        cg_number number;
        if (length <= suffix || length - suffix >= sizeof digits) continue;
        if (strcmp(text + length - suffix, units[i].suffix) != 0) continue;
        memcpy(digits, text, length - suffix);
        digits[length - suffix] = '\0';
        if (cg_number_parse_real(digits, &number) != CG_NUMBER_OK || number.is_negative) continue;
        const double value = cg_number_real(&number) * units[i].scale;
        if (!(value >= 0 && value < 0x1p63)) return false;
        *out = (uint64_t)(value + 0.5);
        return true;
    }
    return false;
}

static void check_time(checker *c, cg_node *node, const cg_key *key) {
    uint64_t value = 0;
    if (!read_time(node->text, &value)) {
        bad(c, node, CG_E_TIME, "a time needs its unit: ns, us, ms or s, as in 250us");
    } else if (value < key->low || value > key->high) {
        node->is_bad = true;
        cg_report(c->diags, CG_E_RANGE, node->span, "'%s' must be from 1ns to 24 hours", key->name);
    }
}

const char *cg_next_word(cg_arena *arena, const char **list) {
    const size_t length = strcspn(*list, "|");
    if (length == 0) return NULL;
    const char *word = cg_arena_copy(arena, *list, length);
    *list += length + ((*list)[length] == '|');
    return word;
}

static void check_word(checker *c, cg_node *node, const cg_key *key) {
    const char *list = key->words;
    cg_guess guess = cg_guess_of(node->text);
    cg_text all = {.arena = c->diags->arena};
    for (const char *word = NULL; (word = cg_next_word(all.arena, &list)) != NULL;) {
        if (strcmp(word, node->text) == 0) return;
        cg_text_format(&all, "%s%s", all.length == 0 ? "" : *list == '\0' ? " or " : ", ", word);
        cg_guess_offer(&guess, word);
    }
    node->is_bad = true;
    cg_report(c->diags, CG_E_WORD, node->span, "'%s' is %s, not '%.64s'", key->name, cg_text_end(&all), node->text);
    cg_suggest(c->diags, &guess);
}

static void check_scalar(checker *c, cg_node *node, const cg_key *key) {
    if (!is_kind(c, node, CG_SCALAR) || node->is_bad) return;
    if (key->want == CG_WANT_BOOL) check_bool(c, node);
    if (key->want == CG_WANT_INTEGER) check_integer(c, node, key);
    if (key->want == CG_WANT_BYTES) check_bytes(c, node, key);
    if (key->want == CG_WANT_NUMBER) check_number(c, node, key);
    if (key->want == CG_WANT_TIME) check_time(c, node, key);
    if (key->want == CG_WANT_WORD) check_word(c, node, key);
}

/* ---- maps and lists --------------------------------------------------------------------------------------------- */

static void check_map_of(checker *c, cg_node *map, cg_where child) {
    if (!is_kind(c, map, CG_MAP)) return;
    for (cg_node *entry = map->first; entry != NULL && child != CG_AT_NONE; entry = entry->next) {
        check_map(c, entry, child);
    }
}

/* One value where a list or map in brackets was not meant as such. */
static void refuse_brackets(checker *c, cg_node *node) {
    node->is_bad = true;
    cg_report(c->diags, CG_E_KIND, cg_node_place(node), "a type that begins with [ needs quotes, such as \"[u8; 4]\"");
}

/* `- price: u64` is a map with the key price. */
static void check_field_item(checker *c, cg_node *item, cg_where child) {
    if (item->kind == CG_MAP && item->count == 1 && cg_entry(item, "name") == NULL && cg_entry(item, "type") == NULL) {
        item->is_bad = true;
        cg_report(c->diags, CG_E_MISSING_KEY, cg_node_place(item),
                  "a field in a list is written {name: %.64s, type: ...}", item->first->key->text);
        return;
    }
    check_map(c, item, child);
    if (item->kind != CG_MAP || cg_entry(item, "name") != NULL) return;
    item->is_bad = true;
    cg_report(c->diags, CG_E_MISSING_KEY, cg_node_place(item), "a field in a list needs a 'name'");
}

static void check_fields(checker *c, cg_node *fields, cg_where child) {
    if (fields->kind == CG_SCALAR) {
        is_kind(c, fields, CG_MAP);
        return;
    }
    for (cg_node *field = fields->first; field != NULL; field = field->next) {
        if (fields->kind == CG_LIST)
            check_field_item(c, field, child);
        else if (field->kind == CG_LIST)
            refuse_brackets(c, field);
        else if (field->kind != CG_SCALAR || field->length == 0)
            check_map(c, field, child);
    }
}

static void check_rules(checker *c, cg_node *rules, cg_where child) {
    if (!is_kind(c, rules, CG_LIST)) return;
    for (cg_node *rule = rules->first; rule != NULL; rule = rule->next) {
        if (rule->kind == CG_SCALAR && !rule->is_bad) {
            rule->is_bad = true;
            cg_report(c->diags, CG_E_KIND, rule->span, "a rule is written {%.64s: ...}", rule->text);
            continue;
        }
        check_map(c, rule, child);
    }
}

static void check_names(checker *c, cg_node *names, cg_where child) {
    if (names->kind == CG_MAP && child != CG_AT_NONE) {
        check_map_of(c, names, child);
    } else if (is_kind(c, names, CG_LIST)) {
        for (cg_node *name = names->first; name != NULL; name = name->next) is_kind(c, name, CG_SCALAR);
    }
}

static void check_value(checker *c, cg_node *value, const cg_key *key) {
    switch (key->want) {
    case CG_WANT_ANY:
    case CG_WANT_CLASSES: break;
    case CG_WANT_LIST: is_kind(c, value, CG_LIST); break;
    case CG_WANT_MAP: check_map(c, value, key->child); break;
    case CG_WANT_MAP_OF:
    case CG_WANT_NUMBERS: check_map_of(c, value, key->child); break;
    case CG_WANT_FIELDS: check_fields(c, value, key->child); break;
    case CG_WANT_RULES: check_rules(c, value, key->child); break;
    case CG_WANT_NAMES: check_names(c, value, key->child); break;
    case CG_WANT_RANGE:
        if (value->kind == CG_LIST)
            bad(c, value, CG_E_KIND, "a range is written first-last, such as 1000-49999");
        else if (value->kind != CG_SCALAR)
            check_map(c, value, key->child);
        break;
    case CG_WANT_TYPE:
        if (value->kind == CG_LIST)
            refuse_brackets(c, value);
        else
            check_scalar(c, value, key);
        break;
    default: check_scalar(c, value, key); break;
    }
}

/* Words for a key that other formats have. */
static const struct {
    cg_where where;
    const char *word, *meant;
} slips[] = {
    {CG_AT_MESSAGE, "id", "tlv_type"},   {CG_AT_MESSAGE, "type", "tlv_type"},
    {CG_AT_MESSAGE, "tag", "tlv_type"},  {CG_AT_FIELD, "comment", "description"},
    {CG_AT_FIELD, "doc", "description"}, {CG_AT_FIELD, "rules", "validation"},
    {CG_AT_ENUM, "base", "type"},        {CG_AT_TYPE, "alias", "is"},
    {CG_AT_ROOT, "structs", "types"},
};

/* The key of that place that was probably meant. */
static cg_guess guess_key(const char *name, cg_where where) {
    cg_guess guess = cg_guess_of(name);
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].where == where) cg_guess_offer(&guess, cg_keys[i].name);
    }
    for (size_t i = 0; i < sizeof slips / sizeof slips[0]; i++) {
        if (slips[i].where == where && strcmp(slips[i].word, name) == 0) guess.best = slips[i].meant;
    }
    return guess;
}

/* Where else the key would mean something: CG_AT_NONE when nowhere. */
static cg_where find_elsewhere(const char *name, cg_where where) {
    const bool is_field = where == CG_AT_FIELD || where == CG_AT_MEMBER;
    for (size_t i = 0; i < cg_key_count; i++) {
        if (is_field && cg_keys[i].where == CG_AT_RULE && strcmp(cg_keys[i].name, name) == 0) return CG_AT_RULE;
    }
    for (size_t i = 0; i < cg_key_count; i++) {
        if (cg_keys[i].where != where && strcmp(cg_keys[i].name, name) == 0) return cg_keys[i].where;
    }
    return CG_AT_NONE;
}

static void report_unknown(checker *c, const cg_node *entry, cg_where where) {
    const char *name = entry->key->text;
    const cg_guess guess = guess_key(name, where);
    const cg_where elsewhere = guess.best == NULL ? find_elsewhere(name, where) : CG_AT_NONE;
    cg_report(c->diags, CG_E_UNKNOWN_KEY, entry->key->span, "unknown key '%.64s' %s%s%s", name, where_name(where),
              elsewhere == CG_AT_NONE ? "" : "; it belongs ", elsewhere == CG_AT_NONE ? "" : where_name(elsewhere));
    cg_suggest(c->diags, &guess);
}

static void add_unknown_rule(checker *c, cg_node *entry) {
    cg_unknown_rules *rules = c->unknown_rules;
    rules->entries = cg_arena_grow(c->diags->arena, rules->entries, rules->count, sizeof entry);
    rules->entries[rules->count++] = entry;
}

static void check_entry(checker *c, cg_node *entry, cg_where where) {
    const cg_key *key = find_key(c, where, entry->key->text);
    if (key == NULL && where == CG_AT_RULE) {
        add_unknown_rule(c, entry);
        return;
    }
    if (key == NULL) {
        entry->is_bad = true;
        report_unknown(c, entry, where);
        return;
    }
    switch (key->state) {
    case CG_KEY_IGNORED:
        if (!c->is_warned[key - cg_keys]) {
            cg_report(c->diags, CG_W_IGNORED_KEY, entry->key->span, "'%s' is ignored, here and wherever it stands",
                      key->name);
        }
        c->is_warned[key - cg_keys] = true;
        break;
    default: check_value(c, entry, key); break;
    }
}

/* Whether an unknown key of the map was probably meant to be this one: then it was told there. */
static bool is_misspelt(const checker *c, const cg_node *map, const cg_key *key) {
    for (const cg_node *entry = map->first; entry != NULL; entry = entry->next) {
        if (!entry->is_bad || find_key(c, key->where, entry->key->text) != NULL) continue;
        const char *meant = guess_key(entry->key->text, key->where).best;
        if (meant != NULL && strcmp(meant, key->name) == 0) return true;
    }
    return false;
}

static void check_missing(checker *c, cg_node *map, cg_where where) {
    for (const cg_key *key = c->runs[where].first; key != c->runs[where].end; key++) {
        if (key->where != where || key->state != CG_KEY_NEEDED || cg_entry(map, key->name) != NULL) continue;
        map->is_bad = true;
        if (is_misspelt(c, map, key)) continue;
        cg_report(c->diags, CG_E_MISSING_KEY, cg_node_place(map), "'%s' is missing %s", key->name, where_name(where));
    }
}

static bool is_retired(const cg_node *map) {
    const cg_node *retired = cg_entry(map, "retired");
    return retired != NULL && retired->kind == CG_SCALAR && strcmp(retired->text, "true") == 0;
}

static void check_map(checker *c, cg_node *map, cg_where where) {
    if (!is_kind(c, map, CG_MAP)) return;
    /* Rules of what is retired are not read: what is unknown there is neither a hook nor a mistake. */
    cg_unknown_rules unread = {NULL, 0}, *const unknown_rules = c->unknown_rules;
    if ((where == CG_AT_MESSAGE || where == CG_AT_FIELD) && is_retired(map)) c->unknown_rules = &unread;
    for (cg_node *entry = map->first; entry != NULL; entry = entry->next) check_entry(c, entry, where);
    c->unknown_rules = unknown_rules;
    /* What is missing may stand in an entry that could not be read; one report is enough. */
    if (!map->is_bad) check_missing(c, map, where);
}

void cg_schema_check(cg_diags *diags, cg_node *root, cg_unknown_rules *unknown) {
    checker c = {.diags = diags, .unknown_rules = unknown};
    find_runs(&c);
    check_map(&c, root, CG_AT_ROOT);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

const cg_node *cg_good_entry(const cg_node *map, const char *key) {
    const cg_node *entry = cg_entry(map, key);
    return entry == NULL || entry->is_bad ? NULL : entry;
}

const char *cg_get_text(const cg_node *map, const char *key, const char *otherwise) {
    const cg_node *entry = cg_good_entry(map, key);
    return entry == NULL ? otherwise : entry->text;
}

bool cg_get_bool(const cg_node *map, const char *key, bool otherwise) {
    const cg_node *entry = cg_good_entry(map, key);
    return entry == NULL ? otherwise : strcmp(entry->text, "true") == 0;
}

uint64_t cg_get_uint(const cg_node *map, const char *key, uint64_t otherwise) {
    const cg_node *entry = cg_good_entry(map, key);
    uint64_t value = otherwise;
    if (entry != NULL) (void)cg_read_bytes(entry->text, &value);
    return value;
}

double cg_get_real(const cg_node *map, const char *key, double otherwise) {
    const cg_node *entry = cg_good_entry(map, key);
    cg_number number;
    return entry != NULL && cg_number_parse_real(entry->text, &number) == CG_NUMBER_OK ? cg_number_real(&number)
                                                                                       : otherwise;
}

uint64_t cg_get_time(const cg_node *map, const char *key, uint64_t otherwise) {
    const cg_node *entry = cg_good_entry(map, key);
    uint64_t value = otherwise;
    if (entry != NULL) (void)read_time(entry->text, &value);
    return value;
}
