/* Writes a random contract that is right by construction, in all of the language:
 *
 *     random-contract SEED
 *
 * Every choice is made so that what was chosen before allows it; nothing here asks the compiler. The schema is called
 * rnd. What could make a contract wrong is kept track of: bytes of blocks and messages, and which values may be zero.
 */
#include "tests/random/choices.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENUMS_MAX = 4,
    VALUES_MAX = 6,
    TYPES_MAX = 8,
    FIELDS_MAX = 90,
    MESSAGES_MAX = 6,
    DEPTH_MAX = 9,
    STRUCT_ROOM = 6000, /* bytes of a type */
    BLOCK_ROOM = 60000, /* of a message's block */
    TAIL_ROOM = 300000, /* of one tail */
};

/* ---- chance ----------------------------------------------------------------------------------------------------- */

static uint64_t state;

static uint64_t next_random(void) { /* splitmix64 */
    uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint32_t below(uint32_t bound) { return (uint32_t)(next_random() % bound); }
static bool one_in(uint32_t count) { return below(count) == 0; }
#define PICK(array) ((array)[below((uint32_t)(sizeof(array) / sizeof(array)[0]))])

/* ---- what was chosen -------------------------------------------------------------------------------------------- */

typedef struct enumeration {
    char name[32];
    char values[VALUES_MAX][24];
    uint32_t value_count;
    uint32_t zero; /* index of the value 0, or value_count */
    bool is_open, is_signed;
    uint32_t size;
} enumeration;

typedef enum shape_kind { NUMBER, BOOL, ENUM, TEXT, BYTES, BLOB, ARRAY, VECTOR, STRUCT } shape_kind;

/* A type as a field may have it. */
typedef struct shape {
    shape_kind kind;
    char text[256]; /* as the contract spells it */
    const number *number;
    const enumeration *enumeration;
    uint32_t capacity;
    uint64_t size;         /* bytes inline, at most */
    uint64_t element_size; /* VECTOR: from one to the next, at most */
    uint32_t depth;        /* types in types */
    bool is_bound_needed;  /* String, Vec: by max_length */
    bool is_zero_refused;  /* zeros are no value of it, or break a rule inside */
    bool is_extensible;    /* only as an element of a message's vector */
} shape;

/* Where a shape stands. */
typedef enum place { IN_MESSAGE, IN_TYPE, AS_ELEMENT } place;

static enumeration enums[ENUMS_MAX];
static uint32_t enum_count;
static shape types[TYPES_MAX];
static uint32_t type_count;
static char message_names[MESSAGES_MAX][32];
static uint32_t message_count;
static uint32_t version, min_compatible, serial;

static void copy(char *out, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(out, size, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= size) abort();
}

static uint64_t padded(uint64_t size) { return (size + 7) / 8 * 8; }

/* ---- shapes ----------------------------------------------------------------------------------------------------- */

static shape pick_shape(place where, uint64_t room, uint32_t depth);

/* One of the capacities whose elements fit; 0 when none does. */
static uint32_t pick_capacity(uint64_t element_size, uint64_t room) {
    uint32_t count = 0;
    const uint32_t all = sizeof capacities / sizeof capacities[0];
    while (count < all && capacities[count] * element_size <= room) count++;
    return count == 0 ? 0 : capacities[below(one_in(3) || count < 10 ? count : 10)];
}

static shape number_shape(void) {
    const number *its = &numbers[below(NUMBERS)];
    shape s = {.kind = NUMBER, .number = its, .size = its->size};
    copy(s.text, sizeof s.text, "%s", PICK(its->spellings));
    return s;
}

static shape bool_shape(void) { return (shape){.kind = BOOL, .text = "bool", .size = 1}; }

static shape enum_shape(void) {
    const enumeration *its = &enums[below(enum_count)];
    shape s = {.kind = ENUM, .enumeration = its, .size = its->size};
    s.is_zero_refused = !its->is_open && its->zero == its->value_count;
    copy(s.text, sizeof s.text, "%s", its->name);
    return s;
}

static shape text_shape(place where, uint64_t room) {
    shape s = {.kind = one_in(3) ? BYTES : TEXT, .capacity = pick_capacity(1, room)};
    s.size = s.capacity + 4u;
    s.is_bound_needed = s.kind == TEXT && where != AS_ELEMENT && one_in(2);
    if (s.is_bound_needed)
        copy(s.text, sizeof s.text, "String");
    else
        copy(s.text, sizeof s.text, s.kind == TEXT ? "FixedStr<%" PRIu32 ">" : "bytes<%" PRIu32 ">", s.capacity);
    return s;
}

static shape blob_shape(uint64_t room) {
    shape s = {.kind = BLOB, .capacity = one_in(3) && room >= 20 ? 20 : pick_capacity(1, room)};
    s.size = s.capacity;
    copy(s.text, sizeof s.text,
         s.capacity == 20 ? "Address"
         : one_in(4)      ? "[ uint8 ;%" PRIu32 " ]"
                          : "[u8; %" PRIu32 "]",
         s.capacity);
    return s;
}

static shape array_shape(uint64_t room, uint32_t depth) {
    const shape element = pick_shape(AS_ELEMENT, room / 2, depth + 1);
    shape s = {.kind = ARRAY, .depth = element.depth + 1, .is_zero_refused = element.is_zero_refused};
    s.capacity = pick_capacity(padded(element.size), room);
    if (strlen(element.text) > 100 || s.capacity == 0 || s.capacity > 300) return element;
    s.size = s.capacity * padded(element.size);
    copy(s.text, sizeof s.text, "[%s; %" PRIu32 "]", element.text, s.capacity);
    if (element.kind == NUMBER && strstr(element.text, "int8") == NULL && strcmp(element.text, "u8") != 0) return s;
    if (element.kind == NUMBER && element.number->size == 1 && element.text[0] == 'u') s.kind = BLOB;
    return s;
}

static shape vector_shape(place where, uint64_t room, uint32_t depth) {
    const shape element = pick_shape(AS_ELEMENT, room / 2, depth + 1);
    shape s = {.kind = VECTOR, .depth = element.depth + 1, .element_size = padded(element.size)};
    s.capacity = pick_capacity(s.element_size, room > 16 ? room - 16 : 0);
    if (strlen(element.text) > 100 || s.capacity == 0 || s.capacity > 70000) return element;
    s.size = 16 + s.capacity * s.element_size;
    s.is_bound_needed = where != AS_ELEMENT && one_in(2);
    if (s.is_bound_needed)
        copy(s.text, sizeof s.text, "Vec<%s>", element.text);
    else
        copy(s.text, sizeof s.text, "FixedVec<%s, %" PRIu32 ">", element.text, s.capacity);
    return s;
}

/* A type that was declared, if one fits. */
static shape struct_shape(place where, uint64_t room, uint32_t depth) {
    for (int tries = 0; tries < 5 && type_count != 0; tries++) {
        const shape *s = &types[below(type_count)];
        if (s->size <= room && s->depth + depth < DEPTH_MAX && !s->is_extensible) return *s;
    }
    (void)where;
    return bool_shape();
}

static shape pick_shape(place where, uint64_t room, uint32_t depth) {
    const uint32_t kind = room < 40 ? 0 : below(20);
    if (kind < 7 && room >= 32) return number_shape();
    if (kind < 8 || depth >= DEPTH_MAX) return bool_shape();
    if (kind < 10) return enum_count == 0 ? bool_shape() : enum_shape();
    if (kind < 13) return text_shape(where, room - 8);
    if (kind < 14) return blob_shape(room);
    if (kind < 16) return array_shape(room, depth);
    if (kind < 18) return vector_shape(where, room, depth);
    return struct_shape(where, room, depth);
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

/* What a field's rules say, as text, and what follows from it. */
typedef struct rules {
    char text[400];
    char default_value[80]; /* a value that keeps them; empty when none is known */
    bool is_zero_refused;
} rules;

static void add_rule(rules *r, const char *format, ...) {
    const size_t used = strlen(r->text);
    va_list arguments;
    if (used != 0) copy(r->text + used, sizeof r->text - used, ", ");
    const size_t begin = strlen(r->text);
    va_start(arguments, format);
    if (vsnprintf(r->text + begin, sizeof r->text - begin, format, arguments) < 0) abort();
    va_end(arguments);
}

/* A hook for every kind of value that hooks can have; which of them are declared was chosen before. */
static void hook_rule(rules *r, const char *kind) {
    if (one_in(12)) add_rule(r, "{known_%s: true}", kind);
}

static const char *hook_kind(const number *its) {
    const ptrdiff_t ix = its - numbers;
    if (ix >= REALS_FIRST && ix <= REALS_LAST) return "real";
    if (ix > REALS_LAST) return its->size == 16 ? "u128" : "u256";
    return its->values[0][0] == '-' ? "int" : "uint";
}

static void number_rules(rules *r, const number *its) {
    const uint32_t low = below(CHOICES - 1), high = low + 1 + below(CHOICES - 1 - low);
    const uint32_t chosen = low + below(high - low + 1);
    copy(r->default_value, sizeof r->default_value, "%s", its->values[chosen]);
    switch (below(8)) {
    case 0:
        add_rule(r, "{min: %s}", its->values[low]);
        r->is_zero_refused = low > its->zero;
        break;
    case 1:
        add_rule(r, "{max: %s}", its->values[high]);
        r->is_zero_refused = high < its->zero;
        break;
    case 2:
        add_rule(r, "{min: %s}, {max: %s}", its->values[low], its->values[high]);
        r->is_zero_refused = low > its->zero || high < its->zero;
        break;
    case 3:
        add_rule(r, "{not_zero: true}");
        r->is_zero_refused = true;
        copy(r->default_value, sizeof r->default_value, "%s",
             its->values[chosen == its->zero ? its->zero + 1 : chosen]);
        break;
    case 4:
        add_rule(r, "{one_of: [%s, %s]}", its->values[low], its->values[high]);
        r->is_zero_refused = low != its->zero && high != its->zero;
        copy(r->default_value, sizeof r->default_value, "%s", its->values[high]);
        break;
    default: break;
    }
}

static void enum_rules(rules *r, const enumeration *its) {
    const uint32_t chosen = below(its->value_count), other = below(its->value_count);
    copy(r->default_value, sizeof r->default_value, "%s", its->values[chosen]);
    if (one_in(6)) {
        if (chosen == other)
            add_rule(r, "{one_of: [%s]}", its->values[chosen]);
        else
            add_rule(r, "{one_of: [%s, %s]}", its->values[chosen], its->values[other]);
        r->is_zero_refused = chosen != its->zero && other != its->zero;
    } else if (one_in(6) && chosen != its->zero) {
        add_rule(r, "{not_zero: true}");
        r->is_zero_refused = true;
    }
}

/* Of strings: only rules that leave a value which is not longer than the capacity. */
static void text_rules(rules *r, uint32_t capacity) {
    copy(r->default_value, sizeof r->default_value, capacity >= 4 ? "a-\\\"b" : "a");
    if (one_in(8) && capacity >= 2) {
        add_rule(r, "{prefix: \"a-\"}");
        r->is_zero_refused = true;
        if (capacity < 4) copy(r->default_value, sizeof r->default_value, "a-");
    } else if (one_in(8) && capacity >= 4) {
        add_rule(r, "{one_of: [\"up\", \"down\", \"\"]}");
        copy(r->default_value, sizeof r->default_value, "down");
    } else if (one_in(8)) {
        add_rule(r, "{no_0x_prefix: true}");
    }
}

static void length_rules(rules *r, uint32_t capacity) {
    if (one_in(8)) {
        add_rule(r, "{not_empty: true}");
        r->is_zero_refused = true;
    } else if (one_in(8)) {
        const uint32_t least = below(capacity < 8 ? capacity + 1 : 8);
        add_rule(r, "{min_length: %" PRIu32 "}", least);
        r->is_zero_refused = r->is_zero_refused || least != 0;
        if (least > 1) r->default_value[0] = '\0';
    }
}

static rules pick_rules(const shape *s) {
    rules r = {.text = ""};
    if (s->is_bound_needed) add_rule(&r, "{max_length: %" PRIu32 "}", s->capacity);
    if (s->kind == NUMBER) number_rules(&r, s->number);
    if (s->kind == ENUM) enum_rules(&r, s->enumeration);
    if (s->kind == TEXT && strstr(s->text, "Vec") == NULL) text_rules(&r, s->capacity);
    if (s->kind == TEXT || s->kind == BYTES || s->kind == VECTOR) length_rules(&r, s->capacity);
    if (s->kind == BYTES && one_in(4)) add_rule(&r, "{utf8: true}");
    if (s->kind == BLOB && one_in(6)) {
        add_rule(&r, "{not_zero: true}");
        r.is_zero_refused = true;
    }
    if (s->kind == BOOL) copy(r.default_value, sizeof r.default_value, "true");
    if (s->kind == NUMBER) hook_rule(&r, hook_kind(s->number));
    if (s->kind == BOOL) hook_rule(&r, "uint");
    if (s->kind == ENUM) hook_rule(&r, s->enumeration->is_signed ? "int" : "uint");
    if (s->kind == TEXT) hook_rule(&r, "text");
    if (s->kind == BYTES || s->kind == BLOB) hook_rule(&r, "bytes");
    if (s->kind == TEXT && r.text[0] != '\0' && strstr(r.text, "one_of") != NULL &&
        strstr(r.text, "length: ") != NULL) {
        const char *bound = strstr(r.text, "min_length: ");
        /* "down" is the longest of the choices. */
        if (bound != NULL && atoi(bound + strlen("min_length: ")) > 4) return pick_rules(s);
    }
    return r;
}

/* ---- fields ----------------------------------------------------------------------------------------------------- */

/* The names in use where a field stands. */
typedef struct scope {
    char names[FIELDS_MAX][40];
    uint32_t count;
} scope;

static const char *new_name(scope *names) {
    char *name = names->names[names->count];
    const char *word = PICK(local_words);
    bool is_free = one_in(4);
    for (uint32_t i = 0; i < names->count; i++) is_free = is_free && strcmp(names->names[i], word) != 0;
    if (is_free)
        copy(name, 40, "%s", word);
    else
        copy(name, 40, "%s%" PRIu32, PICK(words), ++serial);
    names->count++;
    return name;
}

static void write_common(const shape *s, const rules *r) {
    printf("type: \"%s\"", s->text);
    if (r->text[0] != '\0') printf(", validation: [%s]", r->text);
    if (one_in(6)) printf(", description: \"%s\"", PICK(descriptions));
    if (one_in(10)) printf(", unit: \"10^-9 %% quote\"");
}

static void write_default(const shape *s, const rules *r) {
    printf(s->kind == TEXT ? ", default: \"%s\"" : ", default: %s", r->default_value);
}

static bool can_default(const shape *s, const rules *r) {
    return r->default_value[0] != '\0' && (s->kind == NUMBER || s->kind == ENUM || s->kind == BOOL || s->kind == TEXT);
}

/* Bytes that a message's field takes of the block. */
static uint64_t block_bytes(const shape *s, bool is_tail) { return is_tail ? 8 : s->size + 8; }

/* One field of a message; the bytes that it takes of the block and in all. */
typedef struct cost {
    uint64_t block, all;
} cost;

static shape message_shape(uint64_t block_room, bool *is_tail, const char **wire) {
    const bool is_counted_first = one_in(3);
    shape s = is_counted_first ? vector_shape(IN_MESSAGE, TAIL_ROOM, 0) : pick_shape(IN_MESSAGE, TAIL_ROOM, 0);
    if (is_counted_first && one_in(2)) s = text_shape(IN_MESSAGE, 262144);
    const bool is_counted = s.kind == TEXT || s.kind == BYTES || s.kind == VECTOR;
    *wire = "";
    *is_tail = s.kind == VECTOR || (is_counted && s.capacity > 32);
    if (is_counted && one_in(4) && (!*is_tail || s.size + 8 <= block_room)) {
        *is_tail = !*is_tail;
        *wire = *is_tail ? "tail" : "inline";
    }
    return block_bytes(&s, *is_tail) <= block_room ? s : bool_shape();
}

/* A vector of an extensible type, if there is one. */
static bool pick_extensible(shape *out) {
    for (uint32_t i = 0; i < type_count; i++) {
        if (!types[i].is_extensible || !one_in(3)) continue;
        *out = (shape){.kind = VECTOR, .capacity = pick_capacity(padded(types[i].size), TAIL_ROOM)};
        out->size = out->capacity * padded(types[i].size);
        if (out->capacity == 0) return false;
        copy(out->text, sizeof out->text, "FixedVec<%s, %" PRIu32 ">", types[i].text, out->capacity);
        return true;
    }
    return false;
}

static void write_evolution(const shape *s, const rules *r) {
    const uint32_t since = version == 1 || one_in(2) ? 1 : 1 + below(version);
    const bool is_zero_refused = s->is_zero_refused || r->is_zero_refused;
    const bool is_refused_enum = s->kind == ENUM && s->is_zero_refused;
    bool is_optional = one_in(4);
    bool has_default = can_default(s, r) && one_in(4);
    if (since > 1 && is_zero_refused && !has_default && !can_default(s, r)) is_optional = true;
    if (since > 1 && is_zero_refused && !is_optional && can_default(s, r)) has_default = true;
    if (is_optional && is_refused_enum) has_default = true;
    if (since != 1 || one_in(8)) printf(", since: %" PRIu32, since);
    if (is_optional || one_in(12)) printf(", optional: %s", is_optional ? "true" : "false");
    if (has_default) write_default(s, r);
}

static cost write_message_field(scope *names, uint64_t block_room, bool is_list) {
    bool is_tail = true;
    const char *wire = "";
    shape s;
    if (!pick_extensible(&s)) s = message_shape(block_room, &is_tail, &wire);
    const char *name = new_name(names);
    rules r = {.text = ""};
    const bool is_plain = s.kind <= ENUM && one_in(5) && !s.is_zero_refused;
    if (is_plain && !is_list) {
        printf("      %s: %s\n", name, s.text);
        return (cost){s.size + 8, s.size + 8};
    }
    r = pick_rules(&s);
    if (s.kind == NUMBER && one_in(10)) add_rule(&r, "{monotonic: true}");
    printf(is_list ? "      - {name: %s, " : "      %s: {", name);
    write_common(&s, &r);
    write_evolution(&s, &r);
    if (wire[0] != '\0') printf(", wire: %s", wire);
    if (one_in(16) && version > 1) printf(", retired: true");
    if (one_in(16)) printf(", was: old%" PRIu32, ++serial);
    printf("}\n");
    return (cost){block_bytes(&s, is_tail), s.size + 16};
}

static void write_message(uint32_t id) {
    scope names = {.count = 0};
    const bool is_list = one_in(3), is_crowded = one_in(5);
    const uint32_t count = is_crowded ? 20 + below(FIELDS_MAX - 20) : below(12);
    uint64_t block = 16, all = 16;
    copy(message_names[message_count], sizeof message_names[0], "%s%" PRIu32, PICK(words), ++serial);
    printf("  %s:\n    tlv_type: %" PRIu32 "\n", message_names[message_count], id);
    if (message_count != 0 && one_in(4))
        printf("    required_prior_messages: [%s]\n", message_names[below(message_count)]);
    message_count++;
    if (one_in(4)) printf("    rate: %" PRIu32 "\n    hold: %" PRIu32 "ms\n", 1 + below(1000), 1 + below(50));
    if (one_in(3)) printf("    description: \"%s\"\n", PICK(descriptions));
    if (one_in(6)) printf("    sensitivity: secret\n");
    if (one_in(6)) printf("    log_payload: false\n");
    if (one_in(3)) printf("    reserve: %" PRIu32 "\n", PICK(capacities));
    if (count == 0) return;
    printf("    fields:\n");
    for (uint32_t i = 0; i < count && (i == 0 || (block < BLOCK_ROOM && all < 4 * (uint64_t)TAIL_ROOM)); i++) {
        const cost its = write_message_field(&names, BLOCK_ROOM - block, is_list);
        block += its.block;
        all += its.all;
    }
}

/* ---- declarations ----------------------------------------------------------------------------------------------- */

static void write_enum(void) {
    enumeration *e = &enums[enum_count++];
    const number *base = &numbers[below(ENUM_BASES)];
    copy(e->name, sizeof e->name, "Kind%" PRIu32, ++serial);
    e->is_open = one_in(3);
    e->size = base->size;
    e->is_signed = base->zero != 0;
    const uint32_t first = below(3);
    e->zero = VALUES_MAX;
    printf("  %s: {type: %s, values: {", e->name, base->spellings[0]);
    for (uint32_t i = first; i < CHOICES && (e->value_count == 0 || !one_in(5)); i++) {
        copy(e->values[e->value_count], sizeof e->values[0], "%s%" PRIu32, PICK(words), ++serial);
        printf("%s%s: %s", e->value_count == 0 ? "" : ", ", e->values[e->value_count], base->values[i]);
        if (i == base->zero) e->zero = e->value_count;
        e->value_count++;
    }
    if (e->zero == VALUES_MAX) e->zero = e->value_count;
    printf("}%s}\n", e->is_open ? ", open: true" : "");
}

/* One member; whether zeros are refused because of it. */
static bool write_member(scope *names, shape *owner, uint32_t *since) {
    const uint64_t room = STRUCT_ROOM - owner->size;
    const shape s = pick_shape(IN_TYPE, room < 1000 || one_in(4) ? room : 1000, 1);
    const rules r = pick_rules(&s);
    const bool is_zero_refused = s.is_zero_refused || r.is_zero_refused;
    printf("      %s: {", new_name(names));
    write_common(&s, &r);
    if (owner->is_extensible && version > 1 && one_in(2)) *since = 1 + below(version);
    const bool must_default = *since > 1 && is_zero_refused;
    if (*since > 1 && (!must_default || can_default(&s, &r))) {
        printf(", since: %" PRIu32, *since);
        if (must_default || (can_default(&s, &r) && one_in(3))) write_default(&s, &r);
    }
    *since = 1;
    printf("}\n");
    owner->size += padded(s.size) + 8;
    if (s.depth + 1 > owner->depth) owner->depth = s.depth + 1;
    return is_zero_refused;
}

static void write_type(void) {
    scope names = {.count = 0};
    shape s = {.kind = STRUCT, .is_extensible = one_in(4)};
    const uint32_t count = 1 + below(one_in(4) ? 30 : 7);
    uint32_t since = 1;
    copy(s.text, sizeof s.text, "%s%" PRIu32, "Type", ++serial);
    if (one_in(6)) {
        const shape other = pick_shape(AS_ELEMENT, 2000, 1);
        printf("  %s: {is: \"%s\"}\n", s.text, other.text);
        shape alias = other;
        copy(alias.text, sizeof alias.text, "%s", s.text);
        alias.depth++;
        types[type_count++] = alias;
        return;
    }
    printf("  %s:\n", s.text);
    if (s.is_extensible) printf("    extensible: true\n");
    if (one_in(3)) printf("    description: \"%s\"\n", PICK(descriptions));
    printf("    fields:\n");
    for (uint32_t i = 0; i < count && (i == 0 || s.size + 100 < STRUCT_ROOM); i++) {
        s.is_zero_refused = write_member(&names, &s, &since) || s.is_zero_refused;
    }
    types[type_count++] = s;
}

static void write_pool(void) {
    static const char *const pools[] = {"pool: {classes: pow2, min_class: 16}\n",
                                        "pool: {classes: pow2, min_class: 64, idle_bytes_per_class: 4KiB}\n",
                                        "pool: {classes: \"auto:3\"}\n",
                                        "pool: {classes: [48, 64, 192, 1408, 65536, 4194304], memory_limit: 1GiB}\n",
                                        ""};
    fputs(PICK(pools), stdout);
}

static void write_hooks(void) {
    static const char *const kinds[] = {"uint", "int", "real", "u128", "u256", "text", "bytes"};
    const char *separator = "rules: [";
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (one_in(2)) continue;
        printf("%sknown_%s", separator, kinds[i]);
        separator = ", ";
    }
    if (separator[0] == ',') printf("]\n");
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    state = strtoull(argv[1], NULL, 0);
    version = 1 + below(4);
    min_compatible = 1 + below(version);
    printf("# seed %s\nschema: {name: rnd, id: %" PRIu32 ", version: %" PRIu32 ", min_compatible: %" PRIu32 "}\n",
           argv[1], below(UINT32_MAX), version, min_compatible);
    write_pool();
    write_hooks();
    const uint32_t enums_wanted = below(ENUMS_MAX + 1), types_wanted = below(TYPES_MAX + 1);
    if (enums_wanted != 0) printf("enums:\n");
    while (enum_count < enums_wanted) write_enum();
    if (types_wanted != 0) printf("types:\n");
    while (type_count < types_wanted) write_type();
    printf("messages:\n");
    const uint32_t messages_wanted = 1 + below(MESSAGES_MAX);
    while (message_count < messages_wanted) write_message(1 + 7000 * message_count + below(7000));
    return ferror(stdout) != 0 || fflush(stdout) != 0;
}
