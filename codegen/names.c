#include "codegen/names.h"
#include "codegen/schema.h"
#include "codegen/traits.h"

#include <stdlib.h>
#include <string.h>

static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_name(const char *text) {
    if (!is_upper(text[0]) && !is_lower(text[0])) return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '_' && (at[1] == '_' || at[1] == '\0')) return false;
        if (*at != '_' && !is_upper(*at) && !is_lower(*at) && !is_digit(*at)) return false;
    }
    return strlen(text) <= CG_NAME_MAX;
}

/* Whether a word starts at text[i]: at a capital behind a small letter or digit, or before a small letter. */
static bool is_word_start(const char *text, size_t i) {
    if (i == 0 || !is_upper(text[i]) || text[i - 1] == '_') return false;
    return !is_upper(text[i - 1]) || is_lower(text[i + 1]);
}

static void mangle(cg_arena *arena, const char *text, cg_name *out) {
    char snake[2 * CG_NAME_MAX + 1], upper[2 * CG_NAME_MAX + 1];
    size_t length = 0;
    for (size_t i = 0; text[i] != '\0'; i++, length++) {
        if (is_word_start(text, i)) {
            snake[length] = upper[length] = '_';
            length++;
        }
        snake[length] = is_upper(text[i]) ? (char)(text[i] - 'A' + 'a') : text[i];
        upper[length] = is_lower(text[i]) ? (char)(text[i] - 'a' + 'A') : text[i];
    }
    *out = (cg_name){text, cg_arena_copy(arena, snake, length), cg_arena_copy(arena, upper, length)};
}

bool cg_name_read(cg_diags *diags, const char *text, cg_span at, cg_name *out) {
    if (is_name(text)) {
        mangle(diags->arena, text, out);
        return true;
    }
    *out = (cg_name){.text = text};
    cg_report(diags, CG_E_NAME, at,
              "'%.64s' is not a name: letters, digits and single underscores, a letter first, at most %d", text,
              CG_NAME_MAX);
    return false;
}

/* C11, C++17 and their alternative spellings; last, macros that the standard headers or the compilers define in small
 * letters. Ascending. */
static const char *const reserved[] = {
    "alignas",   "alignof",  "and",       "and_eq",   "asm",          "assert",    "auto",          "bitand",
    "bitor",     "bool",     "break",     "case",     "catch",        "char",      "char16_t",      "char32_t",
    "class",     "compl",    "complex",   "const",    "const_cast",   "constexpr", "continue",      "decltype",
    "default",   "delete",   "do",        "double",   "dynamic_cast", "else",      "enum",          "errno",
    "explicit",  "export",   "extern",    "false",    "float",        "for",       "friend",        "goto",
    "i386",      "if",       "imaginary", "inline",   "int",          "linux",     "long",          "mutable",
    "namespace", "new",      "noexcept",  "noreturn", "not",          "not_eq",    "nullptr",       "offsetof",
    "operator",  "or",       "or_eq",     "private",  "protected",    "public",    "register",      "reinterpret_cast",
    "restrict",  "return",   "short",     "signed",   "sizeof",       "static",    "static_assert", "static_cast",
    "stderr",    "stdin",    "stdout",    "struct",   "switch",       "template",  "this",          "thread_local",
    "throw",     "true",     "try",       "typedef",  "typeid",       "typename",  "typeof",        "union",
    "unix",      "unsigned", "using",     "virtual",  "void",         "volatile",  "wchar_t",       "while",
    "xor",       "xor_eq",
};

/* Types that members of generated structs have: in C++ a member of that name would hide the type from those behind it.
 * Ascending. */
static const char *const used_types[] = {
    "bp_buf",  "bp_bytes", "bp_conn", "bp_err", "bp_text",  "bp_u128",  "bp_u256",  "int16_t",
    "int32_t", "int64_t",  "int8_t",  "size_t", "uint16_t", "uint32_t", "uint64_t", "uint8_t",
};

/* What else the headers that generated code includes define, in two words or more: a schema's name and a name in it can
 * make these. Ascending. */
static const char *const library_names[] = {
    "INT_FAST16_MAX",    "INT_FAST16_MIN",     "INT_FAST16_WIDTH",   "INT_FAST32_MAX",    "INT_FAST32_MIN",
    "INT_FAST32_WIDTH",  "INT_FAST64_MAX",     "INT_FAST64_MIN",     "INT_FAST64_WIDTH",  "INT_FAST8_MAX",
    "INT_FAST8_MIN",     "INT_FAST8_WIDTH",    "INT_LEAST16_MAX",    "INT_LEAST16_MIN",   "INT_LEAST16_WIDTH",
    "INT_LEAST32_MAX",   "INT_LEAST32_MIN",    "INT_LEAST32_WIDTH",  "INT_LEAST64_MAX",   "INT_LEAST64_MIN",
    "INT_LEAST64_WIDTH", "INT_LEAST8_MAX",     "INT_LEAST8_MIN",     "INT_LEAST8_WIDTH",  "MB_LEN_MAX",
    "SIG_ATOMIC_MAX",    "SIG_ATOMIC_MIN",     "SIG_ATOMIC_WIDTH",   "UINT_FAST16_MAX",   "UINT_FAST16_WIDTH",
    "UINT_FAST32_MAX",   "UINT_FAST32_WIDTH",  "UINT_FAST64_MAX",    "UINT_FAST64_WIDTH", "UINT_FAST8_MAX",
    "UINT_FAST8_WIDTH",  "UINT_LEAST16_MAX",   "UINT_LEAST16_WIDTH", "UINT_LEAST32_MAX",  "UINT_LEAST32_WIDTH",
    "UINT_LEAST64_MAX",  "UINT_LEAST64_WIDTH", "UINT_LEAST8_MAX",    "UINT_LEAST8_WIDTH", "explicit_bzero",
    "int_fast16_t",      "int_fast32_t",       "int_fast64_t",       "int_fast8_t",       "int_least16_t",
    "int_least32_t",     "int_least64_t",      "int_least8_t",       "intmax_t",          "intptr_t",
    "locale_t",          "max_align_t",        "ptrdiff_t",          "ssize_t",           "strcoll_l",
    "strerror_l",        "strerror_r",         "strtok_r",           "strxfrm_l",         "uint_fast16_t",
    "uint_fast32_t",     "uint_fast64_t",      "uint_fast8_t",       "uint_least16_t",    "uint_least32_t",
    "uint_least64_t",    "uint_least8_t",      "uintmax_t",          "uintptr_t",
};

/* What the generated .c files call their own helpers, tests and fuzzers included, in two words or more. What they name
 * after a message, type, enum or hook ends with an underscore, as nothing else does. Ascending. */
static const char *const helper_names[] = {
    "CALLS_AND_SIZES", "bit_at", "check_bits", "check_block", "check_block_len", "check_cuts", "check_err",
    "check_every_stride", "check_hook", "check_hooks", "check_instance", "check_longer", "check_next",
    "check_presence", "check_printing", "check_priors", "check_retired", "check_same", "check_shapes",
    "check_shorter_block", "check_sizes", "check_stride", "check_subject", "check_text", "check_versions",
    "check_zeros", "encode_shape", "failure_count", "free_test", "hook_state", "hook_use", "hooks_of", "is_heads",
    "is_loose", "is_older_end", "is_ours", "is_placed", "is_redacted", "is_small", "is_there", "keep_and_handle",
    "new_room", "new_test", "next_number", "put_number", "read_block", "read_cut", "read_value", "room_for", "room_of",
    "run_again", "run_file", "run_rules_and_print", "run_value", "skip_json", "skip_list", "skip_number", "skip_text",
    "some_bytes", "some_count", "some_real", "some_signed", "some_text", "some_u128", "some_u256", "some_unsigned",
    "step_of", "too_early", "view_of", "write_seed", "write_text",
};

static int compare_words(const void *word, const void *entry) { return strcmp(word, *(const char *const *)entry); }

static bool is_among(const char *word, const char *const *words, size_t count) {
    return bsearch(word, words, count, sizeof *words, compare_words) != NULL;
}

void cg_name_refuse_reserved(cg_diags *diags, const cg_name *name, cg_span at) {
    if (is_among(name->snake, reserved, sizeof reserved / sizeof *reserved)) {
        cg_report(diags, CG_E_RESERVED, at, "'%s' is a reserved word of C or C++", name->snake);
    } else if (is_among(name->snake, used_types, sizeof used_types / sizeof *used_types)) {
        cg_report(diags, CG_E_RESERVED, at, "'%s' is a type that the generated code uses", name->snake);
    }
}

/* ---- claims ----------------------------------------------------------------------------------------------------- */

typedef struct claims {
    cg_diags *diags;
    cg_table files;   /* identifiers of file scope: the node that they come from */
    cg_table members; /* the same of the struct that is being claimed */
    const cg_model *model;
    bool is_near_taken;      /* names that begin like those of the schema are taken */
    const cg_node *reported; /* the latest node with a collision: its others would say nothing new */
} claims;

static const char c_has[] = "C or its library has", we_have[] = "generated code has for itself";

static const struct {
    const char *const *words;
    size_t count;
    const char *who;
} taken[] = {
    {reserved, sizeof reserved / sizeof *reserved, c_has},
    {used_types, sizeof used_types / sizeof *used_types, c_has},
    {library_names, sizeof library_names / sizeof *library_names, c_has},
    {helper_names, sizeof helper_names / sizeof *helper_names, we_have},
};
enum { TAKEN = sizeof taken / sizeof *taken };

/* Who has the identifier, which then nobody else can have; or NULL. */
static const char *who_has(const char *identifier) {
    for (size_t i = 0; i < TAKEN; i++) {
        if (is_among(identifier, taken[i].words, taken[i].count)) return taken[i].who;
    }
    return NULL;
}

/* Whether any begins so: for nearly all schemas none does, and nothing needs to be looked up. */
static bool is_start_taken(const char *start) {
    const size_t length = strlen(start);
    for (size_t i = 0; i < TAKEN; i++) {
        for (size_t k = 0; k < taken[i].count; k++) {
            const char *word = taken[i].words[k];
            if (strncmp(word, start, length) == 0 && word[length] == '_') return true;
        }
    }
    return false;
}

static bool refuse_claim(claims *c, const cg_node *from, const char *identifier, const char *who) {
    const bool is_schema = from == (const cg_node *)(uintptr_t)c->model;
    const cg_span at = is_schema ? (cg_span){0, 0} : cg_node_place(from);
    if (from != c->reported) {
        cg_report(c->diags, CG_E_COLLISION, at, "this would generate '%s', which %s", identifier, who);
    }
    c->reported = from;
    return false;
}

/* One identifier: the four parts in a row. False when it is somebody else's already. */
static bool claim_in(claims *c, cg_table *scope, const cg_node *from, const char *const parts[4]) {
    size_t lengths[4], length = 0;
    for (int i = 0; i < 4; i++) length += lengths[i] = strlen(parts[i]);
    char *const key = cg_arena_alloc(c->diags->arena, length + 1), *end = key;
    for (int i = 0; i < 4; end += lengths[i++]) memcpy(end, parts[i], lengths[i]);
    const char *const who = c->is_near_taken && scope == &c->files ? who_has(key) : NULL;
    if (who != NULL) return refuse_claim(c, from, key, who);
    const cg_node *owner = cg_table_add(scope, key, (void *)(uintptr_t)from);
    if (owner == from) return true;
    if (from == c->reported) return false;
    c->reported = from;
    cg_report(c->diags, CG_E_COLLISION, cg_node_place(from), "this would generate '%s' a second time", key);
    if (owner != (const cg_node *)(uintptr_t)c->model)
        cg_note(c->diags, cg_node_place(owner), "%s",
                cg_get_bool(owner, "retired", false) ? "this is retired, and its name is never used again"
                                                     : "first generated by this");
    return false;
}

static bool claim(claims *c, const cg_node *from, const char *a, const char *b, const char *d, const char *e) {
    const char *const parts[4] = {a, b, d, e};
    return claim_in(c, &c->files, from, parts);
}

/* Identifiers of the schema itself belong to no node: the model stands for it. */
static void claim_schema(claims *c) {
    static const char *const snakes[] = {"_schema",  "_pool_config",   "_handlers",
                                         "_service", "_server_config", "_client_config"};
    static const char *const uppers[] = {"_SCHEMA_ID",   "_SCHEMA_VERSION", "_MIN_COMPATIBLE", "_CLASS_COUNT",
                                         "_CLASS_SIZES", "_MESSAGE_COUNT",  "_CONTRACT_HASH",  "_MESSAGES",
                                         "_LAYOUT_HASH"};
    const cg_node *none = (const cg_node *)(uintptr_t)c->model;
    for (size_t i = 0; i < sizeof snakes / sizeof *snakes; i++) claim(c, none, c->model->name.snake, snakes[i], "", "");
    for (size_t i = 0; i < sizeof uppers / sizeof *uppers; i++) claim(c, none, c->model->name.upper, uppers[i], "", "");
    if (cg_model_has_session(c->model)) claim(c, none, c->model->name.snake, "_session", "", "");
}

/* The struct of hooks, its members, and its own place among the handlers. */
static void claim_hooks(claims *c, cg_table *handlers) {
    static const char *const user[4] = {"user", "", "", ""}, *const place[4] = {"hooks", "", "", ""};
    const cg_node *none = (const cg_node *)(uintptr_t)c->model;
    cg_table members = {.arena = c->diags->arena};
    claim(c, none, c->model->name.snake, "_hooks", "", "");
    claim_in(c, handlers, none, place);
    claim_in(c, &members, none, user);
    for (size_t i = 0; i < c->model->hook_count; i++) {
        const cg_hook *hook = c->model->hooks[i];
        const char *const member[4] = {hook->name.snake, "", "", ""};
        claim_in(c, &members, hook->at, member);
    }
}

static void claim_enum(claims *c, const cg_enum *e) {
    const char *s = c->model->name.snake, *upper = c->model->name.upper;
    claim(c, e->at, s, "_", e->name.snake, "");
    claim(c, e->at, s, "_", e->name.snake, "_name");
    for (size_t i = 0; i < e->value_count; i++) {
        if (e->values[i].name.snake == NULL) continue;
        const char *const parts[4] = {upper, "_", e->name.upper,
                                      cg_arena_format(c->diags->arena, "_%s", e->values[i].name.upper)};
        claim_in(c, &c->files, e->values[i].at, parts);
    }
}

/* The members that one field becomes. */
static void claim_members(claims *c, const cg_field *field) {
    const char *const plain[4] = {field->name.snake, "", "", ""};
    const char *const has[4] = {"has_", field->name.snake, "", ""};
    const char *const counted[4] = {field->name.snake, field->type->kind == CG_VECTOR ? "_count" : "_length", "", ""};
    claim_in(c, &c->members, field->at, plain);
    if (field->is_optional) claim_in(c, &c->members, field->at, has);
    if (cg_kind_is_counted(field->type->kind)) claim_in(c, &c->members, field->at, counted);
}

/* Whether the field is one that has a name in the generated code. */
static bool is_named(const cg_field *field) {
    return field->name.snake != NULL && field->type != NULL && !field->is_retired;
}

/* A member that is called as the type of one beside it would hide that type in C++. */
static void refuse_hidden_type(claims *c, const cg_field *field) {
    const cg_type *type = field->type;
    while (type->element != NULL) type = type->element;
    if (type->kind != CG_ENUM && type->kind != CG_STRUCT) return;
    const cg_name *name = type->kind == CG_ENUM ? &type->enumeration->name : &type->structure->name;
    const char *c_type = cg_arena_format(c->diags->arena, "%s_%s", c->model->name.snake, name->snake);
    const cg_node *member = cg_table_find(&c->members, c_type);
    if (member == NULL || member == c->reported) return;
    c->reported = member;
    cg_report(c->diags, CG_E_COLLISION, cg_node_place(member), "this member would hide the type '%s' in C++", c_type);
    if (member != field->at) cg_note(c->diags, cg_node_place(field->at), "this has the type");
}

static void refuse_hidden_types(claims *c, const cg_field *fields, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (is_named(&fields[i])) refuse_hidden_type(c, &fields[i]);
    }
}

static void claim_struct(claims *c, const cg_struct *t) {
    cg_table_clear(&c->members);
    claim(c, t->at, c->model->name.snake, "_", t->name.snake, "");
    const char *upper = cg_arena_format(c->diags->arena, "%s_%s", c->model->name.upper, t->name.upper);
    claim(c, t->at, upper, "_INIT", "", "");
    claim(c, t->at, upper, "_SIZE", "", "");
    for (size_t i = 0; i < t->field_count; i++) {
        const cg_field *field = &t->fields[i];
        if (!is_named(field)) continue;
        claim_members(c, field);
        if (!cg_kind_is_counted(field->type->kind)) continue;
        const char *const capacity[4] = {upper, "_", field->name.upper, "_CAP"};
        claim_in(c, &c->files, field->at, capacity);
    }
    refuse_hidden_types(c, t->fields, t->field_count);
}

static void claim_getters(claims *c, const char *x, const char *upper, const cg_field *field) {
    const char *f = field->name.snake;
    const bool is_listed = field->type->kind == CG_VECTOR || field->type->kind == CG_ARRAY;
    claim(c, field->at, x, "_get_", f, "");
    if (field->is_optional || field->since > 1) claim(c, field->at, x, "_has_", f, "");
    if (is_listed) claim(c, field->at, x, "_", f, "_count");
    if (is_listed) claim(c, field->at, x, "_", f, "_at");
    if (cg_kind_is_counted(field->type->kind)) claim(c, field->at, upper, "_", field->name.upper, "_CAP");
}

static void claim_message(claims *c, const cg_message *m, cg_table *handlers) {
    static const char *const snakes[] = {"_view", "_size",     "_encode", "_decode", "_decode_valid", "_view_init",
                                         "_load", "_validate", "_print",  "_pack"};
    static const char *const uppers[] = {"_INIT",  "_TYPE",     "_MIN",   "_MAX",   "_ACCEPT_MIN", "_ACCEPT_MAX",
                                         "_CLASS", "_CLASS_IX", "_WASTE", "_BLOCK", "_FIELDS"};
    cg_arena *arena = c->diags->arena;
    const char *x = cg_arena_format(arena, "%s_%s", c->model->name.snake, m->name.snake);
    const char *upper = cg_arena_format(arena, "%s_%s", c->model->name.upper, m->name.upper);
    const char *const handler[4] = {m->name.snake, "", "", ""}, *const with_buf[4] = {m->name.snake, "_buf", "", ""};
    cg_table_clear(&c->members);
    if (!claim(c, m->at, x, "", "", "")) return; /* all that follows would collide as well */
    for (size_t i = 0; i < sizeof snakes / sizeof *snakes; i++) claim(c, m->at, x, snakes[i], "", "");
    for (size_t i = 0; i < sizeof uppers / sizeof *uppers; i++) claim(c, m->at, upper, uppers[i], "", "");
    claim(c, m->at, c->model->name.snake, "_send_", m->name.snake, "");
    if (cg_message_placed(m) != NULL) claim(c, m->at, x, "_place", "", "");
    if (cg_message_has_hooks(m)) claim(c, m->at, x, "_check_hooks", "", "");
    if (cg_message_has_session(m)) claim(c, m->at, x, "_check_session", "", "");
    claim_in(c, handlers, m->at, handler);
    claim_in(c, handlers, m->at, with_buf);
    for (size_t i = 0; i < m->field_count; i++) {
        if (!is_named(&m->fields[i])) continue;
        claim_members(c, &m->fields[i]);
        claim_getters(c, x, upper, &m->fields[i]);
    }
    refuse_hidden_types(c, m->fields, m->field_count);
}

/* The name of a message that is gone stays its own. */
static void claim_retired(claims *c, const cg_retired *retired) {
    claim(c, retired->at, c->model->name.snake, "_", retired->name.snake, "");
}

void cg_names_claim(cg_diags *diags, const cg_model *model) {
    claims c = {.diags = diags, .files = {.arena = diags->arena}, .members = {.arena = diags->arena}, .model = model};
    cg_table handlers = {.arena = diags->arena};
    if (model->name.snake == NULL) return;
    c.is_near_taken = is_start_taken(model->name.snake) || is_start_taken(model->name.upper);
    claim_schema(&c);
    if (cg_model_has_hooks(model)) claim_hooks(&c, &handlers);
    for (size_t i = 0; i < model->retired_count; i++) {
        if (model->retired[i].name.snake != NULL) claim_retired(&c, &model->retired[i]);
    }
    /* Wrappers come first: it is the user's own name that a clash with one is told of. */
    for (size_t i = 0; i < model->struct_count; i++) {
        if (model->structs[i]->is_wrapper) claim_struct(&c, model->structs[i]);
    }
    for (size_t i = 0; i < model->enum_count; i++) {
        if (model->enums[i].name.snake != NULL) claim_enum(&c, &model->enums[i]);
    }
    for (size_t i = 0; i < model->struct_count; i++) {
        if (!model->structs[i]->is_wrapper && model->structs[i]->name.snake != NULL)
            claim_struct(&c, model->structs[i]);
    }
    for (size_t i = 0; i < model->message_count; i++) {
        if (model->messages[i].name.snake != NULL) claim_message(&c, &model->messages[i], &handlers);
    }
}
