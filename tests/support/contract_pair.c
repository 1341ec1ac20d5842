#include "tests/support/contract_pair.h"
#include "codegen/text.h"

#include <stdio.h>
#include <string.h>

enum { FIELDS_MAX = 10, VALUES_MAX = 6, OLD_VERSION = 2, NEW_VERSION = 3 };

static bool chance(bpt_random *r, uint32_t percent) { return bpt_random_below(r, 100) < percent; }

/* ---- what a contract is made of --------------------------------------------------------------------------------- */

typedef enum field_kind {
    NUMBER,
    REAL,
    BOOLEAN,
    WIDE,
    ENUMERATED,
    STRUCTURED,
    ARRAY,
    TEXT,
    FIXED_TEXT,
    BYTES,
    VECTOR,
    GROWING,
    KINDS
} field_kind;

typedef struct field {
    char name[8], was[8];
    field_kind kind;
    unsigned variant; /* which number, enum, struct, element */
    unsigned capacity;
    unsigned since;
    bool is_optional, is_retired, is_inline;
    unsigned fallback; /* a default; 0 for none */
    unsigned rule;     /* 0 for none */
    unsigned bound;    /* of the rule */
} field;

typedef struct value {
    char name[8];
    unsigned number;
} value;

typedef struct contract {
    unsigned version, min_compatible, reserve, tlv_type, policy;
    bool is_open, is_base_wide, is_renamed, is_retired, has_other, is_growing_plain;
    value values[VALUES_MAX];
    unsigned value_count;
    field members[FIELDS_MAX], grown[FIELDS_MAX], fields[FIELDS_MAX];
    unsigned member_count, grown_count, field_count;
    unsigned next_name;
} contract;

static const char *const numbers[] = {"u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64"};
static const char *const reals[] = {"f32", "f64"};
static const char *const wides[] = {"u128", "u256"};
static const char *const elements[] = {"u8", "u16", "u64", "Side", "Level", "FixedStr<5>", "[u16; 2]"};
enum { ELEMENTS = sizeof elements / sizeof elements[0] };

static void name_new(contract *c, char name[8]) { snprintf(name, 8, "f%u", c->next_name++); }

static field make_field(contract *c, bpt_random *r, bool is_inside) {
    field f = {.kind = (field_kind)bpt_random_below(r, is_inside ? STRUCTURED : KINDS),
               .variant = bpt_random_below(r, 840),
               .capacity = 2 + bpt_random_below(r, 40),
               .since = 1};
    name_new(c, f.name);
    if (is_inside && chance(r, 25)) f.kind = FIXED_TEXT;
    if (f.kind == FIXED_TEXT || f.kind == ARRAY) f.capacity = 2 + f.capacity % 9;
    f.is_optional = !is_inside && chance(r, 25);
    f.is_inline = chance(r, 20);
    f.rule = chance(r, 40) ? 1 + bpt_random_below(r, 6) : 0;
    f.bound = 1 + bpt_random_below(r, 6);
    f.fallback = chance(r, 25) ? 1 + bpt_random_below(r, 3) : 0;
    return f;
}

static contract make_contract(bpt_random *r) {
    contract c = {.version = OLD_VERSION, .min_compatible = 1, .tlv_type = 100, .policy = bpt_random_below(r, 3)};
    c.is_open = chance(r, 40);
    c.reserve = chance(r, 30) ? 64 + bpt_random_below(r, 200) : 0;
    c.value_count = 2 + bpt_random_below(r, 3);
    for (unsigned i = 0; i < c.value_count; i++) {
        name_new(&c, c.values[i].name);
        c.values[i].number = i * 2;
    }
    c.member_count = 1 + bpt_random_below(r, 3);
    for (unsigned i = 0; i < c.member_count; i++) c.members[i] = make_field(&c, r, true);
    c.grown_count = 1 + bpt_random_below(r, 2);
    for (unsigned i = 0; i < c.grown_count; i++) c.grown[i] = make_field(&c, r, true);
    c.field_count = 2 + bpt_random_below(r, 4);
    for (unsigned i = 0; i < c.field_count; i++) {
        c.fields[i] = make_field(&c, r, false);
        if (chance(r, 30)) c.fields[i].since = 2;
        if (chance(r, 10)) c.fields[i].is_retired = true;
    }
    c.fields[0].since = 1;
    c.fields[0].is_retired = false;
    return c;
}

/* ---- as text ---------------------------------------------------------------------------------------------------- */

static void add_type(cg_text *out, const field *f) {
    const unsigned v = f->variant;
    switch (f->kind) {
    case NUMBER: cg_text_format(out, "%s", numbers[v % 8]); break;
    case REAL: cg_text_format(out, "%s", reals[v % 2]); break;
    case BOOLEAN: cg_text_format(out, "bool"); break;
    case WIDE: cg_text_format(out, "%s", wides[v % 2]); break;
    case ENUMERATED: cg_text_format(out, "Side"); break;
    case STRUCTURED: cg_text_format(out, "Level"); break;
    case ARRAY: cg_text_format(out, "\"[%s; %u]\"", elements[v % ELEMENTS], f->capacity); break;
    case TEXT: cg_text_format(out, "String"); break;
    case FIXED_TEXT: cg_text_format(out, "FixedStr<%u>", f->capacity); break;
    case BYTES: cg_text_format(out, "bytes<%u>", f->capacity); break;
    case VECTOR: cg_text_format(out, "\"Vec<%s>\"", elements[v % ELEMENTS]); break;
    default: cg_text_format(out, "\"Vec<Grown>\""); break;
    }
}

static void add_number_rules(cg_text *out, const field *f) {
    static const char *const formats[] = {"{max: %u}",         "{min: %u}", "{not_zero: true}",
                                          "{one_of: [%u, 9]}", "{max: %u}", ""};
    if (f->rule != 0) cg_text_format(out, formats[f->rule - 1], f->bound);
}

static void add_text_rules(cg_text *out, const field *f) {
    static const char *const formats[] = {"{min_length: 1}",    "{prefix: a}", "{no_0x_prefix: true}",
                                          "{one_of: [ab, cd]}", "{prefix: b}", "{not_empty: true}"};
    if (f->rule != 0) cg_text_format(out, "%s", formats[f->rule - 1]);
}

static void add_rules(cg_text *out, const field *f) {
    cg_text_format(out, ", validation: [");
    if (f->kind == TEXT || f->kind == VECTOR || f->kind == GROWING)
        cg_text_format(out, "{max_length: %u}", f->capacity);
    const bool has_bound = f->kind == TEXT || f->kind == VECTOR || f->kind == GROWING;
    if (f->rule != 0 && has_bound && f->kind == TEXT) cg_text_format(out, ", ");
    if (f->kind == NUMBER || f->kind == REAL || f->kind == WIDE) add_number_rules(out, f);
    if (f->kind == TEXT || f->kind == FIXED_TEXT) add_text_rules(out, f);
    if (f->rule == 1 && f->kind == BYTES) cg_text_format(out, "{utf8: true}");
    if (f->rule == 2 && has_bound && f->kind != TEXT) cg_text_format(out, ", {not_empty: true}");
    if (f->rule == 3 && f->kind == ENUMERATED) cg_text_format(out, "{not_zero: true}");
    cg_text_format(out, "]");
}

static void add_field(cg_text *out, const contract *c, const field *f) {
    const bool can_tail = f->kind == TEXT || f->kind == BYTES;
    cg_text_format(out, "      %s: {type: ", f->name);
    add_type(out, f);
    if (f->was[0] != '\0') cg_text_format(out, ", was: %s", f->was);
    if (f->since > 1) cg_text_format(out, ", since: %u", f->since);
    if (f->is_optional) cg_text_format(out, ", optional: true");
    if (f->is_retired) cg_text_format(out, ", retired: true");
    if (can_tail && f->is_inline) cg_text_format(out, ", wire: %s", f->capacity % 2 == 0 ? "inline" : "tail");
    if (f->fallback != 0 && !f->is_retired) {
        if (f->kind == NUMBER || f->kind == REAL || f->kind == WIDE) cg_text_format(out, ", default: %u", f->fallback);
        if (f->kind == TEXT || f->kind == FIXED_TEXT)
            cg_text_format(out, ", default: %s", f->fallback == 1 ? "ab" : "b");
        if (f->kind == ENUMERATED) cg_text_format(out, ", default: %s", c->values[f->fallback % c->value_count].name);
    }
    if (!f->is_retired)
        add_rules(out, f);
    else if (f->kind == TEXT || f->kind == VECTOR || f->kind == GROWING)
        cg_text_format(out, ", validation: [{max_length: %u}]", f->capacity);
    cg_text_format(out, "}\n");
}

static const char *print(cg_arena *arena, const contract *c) {
    static const char *const policies[] = {"fail", "skip", "deliver"};
    cg_text out = {.arena = arena};
    cg_text_format(&out, "schema: {name: pair, id: 1, version: %u, min_compatible: %u}\n", c->version,
                   c->min_compatible);
    cg_text_format(&out, "tag_ranges: {app: {range: 1-999, unknown: %s}}\n", policies[c->policy]);
    cg_text_format(&out, "enums:\n  Side: {type: %s, open: %s, values: {", c->is_base_wide ? "u16" : "u8",
                   c->is_open ? "true" : "false");
    for (unsigned i = 0; i < c->value_count; i++) {
        cg_text_format(&out, "%s%s: %u", i == 0 ? "" : ", ", c->values[i].name, c->values[i].number);
    }
    cg_text_format(&out, "}}\ntypes:\n  Level:\n    fields:\n");
    for (unsigned i = 0; i < c->member_count; i++) add_field(&out, c, &c->members[i]);
    cg_text_format(&out, "  Grown:\n%s    fields:\n", c->is_growing_plain ? "" : "    extensible: true\n");
    for (unsigned i = 0; i < c->grown_count; i++) add_field(&out, c, &c->grown[i]);
    cg_text_format(&out, "messages:\n");
    if (c->has_other) cg_text_format(&out, "  Other: {tlv_type: 101, since: %u, fields: {a: u8}}\n", c->version);
    if (c->is_retired) {
        cg_text_format(&out, "  Book: {tlv_type: %u, retired: true}\n  Rest: {tlv_type: 102, fields: {a: u8}}\n",
                       c->tlv_type);
        return cg_text_end(&out);
    }
    cg_text_format(&out, "  %s:\n    tlv_type: %u\n%s", c->is_renamed ? "Tome" : "Book", c->tlv_type,
                   c->is_renamed && c->reserve % 2 == 0 ? "    was: Book\n" : "");
    if (c->reserve != 0) cg_text_format(&out, "    reserve: %u\n", c->reserve);
    cg_text_format(&out, "    fields:\n");
    for (unsigned i = 0; i < c->field_count; i++) add_field(&out, c, &c->fields[i]);
    return cg_text_end(&out);
}

/* ---- edits ------------------------------------------------------------------------------------------------------ */

/* One list of fields. */
typedef struct list {
    field *items;
    unsigned *count;
    bool is_inside, can_grow;
} list;

static list pick_list(contract *c, bpt_random *r) {
    if (chance(r, 20)) return (list){c->members, &c->member_count, true, false};
    if (chance(r, 20)) return (list){c->grown, &c->grown_count, true, true};
    return (list){c->fields, &c->field_count, false, true};
}

static const char *add_one(contract *c, bpt_random *r, const list *l, bool is_appended) {
    if (*l->count == FIELDS_MAX) return "nothing";
    const unsigned at = is_appended ? *l->count : bpt_random_below(r, *l->count + 1);
    field added = make_field(c, r, l->is_inside);
    if (is_appended && l->can_grow) added.since = NEW_VERSION;
    memmove(l->items + at + 1, l->items + at, (*l->count - at) * sizeof(field));
    l->items[at] = added;
    ++*l->count;
    return is_appended ? "appended" : "inserted";
}

static const char *remove_one(const list *l, unsigned at) {
    if (*l->count < 2) return "nothing";
    --*l->count;
    memmove(l->items + at, l->items + at + 1, (*l->count - at) * sizeof(field));
    return "removed";
}

static const char *rename_one(contract *c, bpt_random *r, field *f, bool is_inside) {
    if (!is_inside && chance(r, 70)) memcpy(f->was, f->name, sizeof f->name);
    name_new(c, f->name);
    return "renamed";
}

static const char *swap_lines(bpt_random *r, const list *l) {
    const unsigned a = bpt_random_below(r, *l->count), b = bpt_random_below(r, *l->count);
    const field kept = l->items[a];
    l->items[a] = l->items[b];
    l->items[b] = kept;
    return "swapped lines";
}

static const char *change_type(contract *c, bpt_random *r, field *f, bool is_inside) {
    const field other = make_field(c, r, is_inside);
    f->kind = other.kind;
    f->variant = other.variant;
    return "changed a type";
}

static const char *edit_field(contract *c, bpt_random *r) {
    const list l = pick_list(c, r);
    const unsigned at = bpt_random_below(r, *l.count);
    field *f = &l.items[at];
    switch (bpt_random_below(r, 14)) {
    case 0:
    case 1: return add_one(c, r, &l, true);
    case 2: return add_one(c, r, &l, false);
    case 3: return remove_one(&l, at);
    case 4: f->is_retired = !l.is_inside && !f->is_retired; return "retired or revived";
    case 5: return rename_one(c, r, f, l.is_inside);
    case 6: return swap_lines(r, &l);
    case 7: return change_type(c, r, f, l.is_inside);
    case 8: f->capacity += chance(r, 50) ? 1 : (unsigned)-1; return "changed a capacity";
    case 9: f->is_optional = !l.is_inside && !f->is_optional; return "changed optional";
    case 10: f->since = l.can_grow ? 1 + bpt_random_below(r, 3) : 1; return "changed since";
    case 11: f->fallback = bpt_random_below(r, 4); return "changed a default";
    case 12: f->rule = bpt_random_below(r, 7); return "changed a rule";
    default: f->bound = 1 + bpt_random_below(r, 8); return "changed a bound";
    }
}

static const char *edit_enum(contract *c, bpt_random *r) {
    value *last = &c->values[c->value_count - 1];
    switch (bpt_random_below(r, 6)) {
    case 0:
        if (c->value_count == VALUES_MAX) return "nothing";
        last++;
        c->value_count++;
        name_new(c, last->name);
        last->number = 1 + 2 * bpt_random_below(r, 4);
        return "added an enum's value";
    case 1: c->value_count -= c->value_count > 2; return "removed an enum's value";
    case 2: last->number += 20; return "renumbered an enum's value";
    case 3: name_new(c, last->name); return "renamed an enum's value";
    case 4: c->is_open = !c->is_open; return "opened or closed the enum";
    default: c->is_base_wide = !c->is_base_wide; return "changed the enum's type";
    }
}

static const char *edit_message(contract *c, bpt_random *r) {
    switch (bpt_random_below(r, 8)) {
    case 0: c->min_compatible = 1 + bpt_random_below(r, 3); return "changed min_compatible";
    case 1: c->tlv_type = 103; return "changed the id";
    case 2: c->is_renamed = true; return "renamed the message";
    case 3: c->is_retired = true; return "retired the message";
    case 4: c->has_other = !c->has_other; return "added or removed a message";
    case 5: c->reserve = bpt_random_below(r, 300); return "changed reserve";
    case 6: c->policy = bpt_random_below(r, 3); return "changed what unknown ids do";
    default: c->is_growing_plain = !c->is_growing_plain; return "changed extensible";
    }
}

bpt_contract_pair bpt_contract_pair_make(cg_arena *arena, bpt_random *r) {
    contract c = make_contract(r);
    const char *before = print(arena, &c), *edits = "";
    const unsigned count = chance(r, 60) ? 1 : 2 + bpt_random_below(r, 2);
    c.version = NEW_VERSION;
    for (unsigned i = 0; i < count; i++) {
        const uint32_t sort = bpt_random_below(r, 100);
        const char *done = sort < 70 ? edit_field(&c, r) : sort < 85 ? edit_enum(&c, r) : edit_message(&c, r);
        edits = cg_arena_format(arena, "%s%s%s", edits, i == 0 ? "" : ", ", done);
    }
    return (bpt_contract_pair){.before = before, .now = print(arena, &c), .edits = edits};
}
