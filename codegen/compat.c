#include "codegen/compat.h"
#include "codegen/compat_walk.h"
#include "codegen/example.h"
#include "codegen/ids.h"
#include "codegen/layout.h"
#include "codegen/load.h"
#include "codegen/traits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NONE = 0,
    WIRE = CG_BREAKS_WIRE,
    FORWARD = CG_BREAKS_FORWARD,
    SOURCE = CG_BREAKS_SOURCE,
    CLASS = CG_BREAKS_CLASS,
    NOTE = CG_VERDICT_IS_NOTE
};

const cg_verdict_kind cg_verdict_kinds[CG_VERDICT_COUNT] = {
#define CG_VERDICT(name, number, levels, title) {number, levels, title},
#include "codegen/compat.def"
#undef CG_VERDICT
};

const char *cg_level_name(cg_level level) {
    static const char *const names[] = {"wire", "forward", "source", "class"};
    return names[level];
}

size_t cg_compat_count(const cg_compat *compat, cg_level level) {
    size_t count = 0;
    for (size_t i = 0; i < compat->count; i++) count += (compat->changes[i].breaks & 1u << level) != 0;
    return count;
}

void cg_changed(cg_comparison *c, cg_verdict verdict, unsigned breaks, cg_where_changed at, const char *format, ...) {
    char message[1024];
    cg_compat *out = c->out;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    out->changes = cg_arena_grow(c->arena, out->changes, out->count, sizeof *out->changes);
    out->changes[out->count] =
        (cg_change){.verdict = verdict,
                    .breaks = breaks & cg_verdict_kinds[verdict].levels & CG_BREAKS_ALL & ~c->hidden,
                    .message = cg_arena_text(c->arena, message),
                    .before = at.before,
                    .now = at.now,
                    .of = at.of,
                    .found = out->count};
    out->count++;
}

static uint32_t place_of(const cg_node *at) { return cg_node_place(at).start; }

static int by_place(const void *left, const void *right) {
    const cg_change *a = left, *b = right;
    if ((a->now == NULL) != (b->now == NULL)) return a->now == NULL ? 1 : -1;
    const uint32_t at = place_of(a->now == NULL ? a->before : a->now);
    const uint32_t other = place_of(b->now == NULL ? b->before : b->now);
    if (at != other) return at < other ? -1 : 1;
    return (a->found > b->found) - (a->found < b->found);
}

/* ---- schema and pool -------------------------------------------------------------------------------------------- */

static void compare_schema(cg_comparison *c) {
    const cg_model *before = c->out->before, *now = c->out->now;
    const cg_where_changed at = {.before = before->at, .now = now->at};
    cg_compare_hello(c);
    /* A contract without a name is called like its file, which says nothing when it is piped in. */
    if (cg_entry(before->at, "name") != NULL && strcmp(before->own_name, now->own_name) != 0) {
        cg_changed(c, CG_C_SCHEMA_NAME, SOURCE, at,
                   "the schema is '%s', was '%s': every generated name begins differently", now->own_name,
                   before->own_name);
    }
}

static bool ranges_are_equal(const cg_model *a, const cg_model *b) {
    if (a->range_count != b->range_count) return false;
    for (size_t i = 0; i < a->range_count; i++) {
        const cg_range *left = &a->ranges[i], *right = &b->ranges[i];
        if (left->first != right->first || left->last != right->last || left->unknown != right->unknown) return false;
    }
    return true;
}

static bool pools_are_equal(const cg_model *a, const cg_model *b) {
    bool is_equal =
        strcmp(a->strategy, b->strategy) == 0 && a->class_count == b->class_count && a->memory_limit == b->memory_limit;
    for (size_t i = 0; i < a->class_count && is_equal; i++) {
        is_equal = a->classes[i].size == b->classes[i].size && a->classes[i].idle_bytes == b->classes[i].idle_bytes;
    }
    return is_equal;
}

/* "classes 64, 2048 (pow2), 65536 idle bytes each, no limit" */
static const char *pool_text(cg_arena *arena, const cg_model *model) {
    cg_text text = {.arena = arena};
    for (size_t i = 0; i < model->class_count; i++) {
        cg_text_format(&text, "%s%u", i == 0 ? "classes " : ", ", model->classes[i].size);
    }
    cg_text_format(&text, " (%s) with %" PRIu64 " idle bytes and ", model->strategy, model->idle_bytes_per_class);
    cg_text_format(&text, model->memory_limit == 0 ? "no limit" : "a limit of %" PRIu64, model->memory_limit);
    return cg_text_end(&text);
}

static void compare_pool(cg_comparison *c) {
    const cg_model *before = c->out->before, *now = c->out->now;
    const cg_where_changed at = {.before = before->at, .now = now->at};
    if (!ranges_are_equal(before, now)) {
        cg_changed(c, CG_C_RANGES, NONE, at, "tag ranges differ: what readers do with types that they do not know");
    }
    if (pools_are_equal(before, now)) return;
    cg_changed(c, CG_C_POOL, CLASS, at, "the pool is %s, was %s", pool_text(c->arena, now),
               pool_text(c->arena, before));
}

/* What follows from all the others. */
static void compare_versions(cg_comparison *c, bool is_refused_as_old) {
    const cg_model *before = c->out->before, *now = c->out->now;
    const cg_where_changed at = {.before = before->at, .now = now->at};
    unsigned breaks = NONE;
    for (size_t i = 0; i < c->out->count; i++) breaks |= c->out->changes[i].breaks;
    if (before->min_compatible != now->min_compatible) {
        cg_changed(c, CG_C_MIN_COMPATIBLE, is_refused_as_old ? WIRE : NONE, at, "min_compatible is %u, was %u%s",
                   now->min_compatible, before->min_compatible,
                   is_refused_as_old ? ": frames of the old version are refused" : "");
    }
    if (c->hello != CG_HELLO_FITS || now->version > before->version || (breaks & (WIRE | FORWARD)) == 0) return;
    cg_changed(c, CG_C_VERSION, NONE, at, "the version is %u, was %u, and the wire differs: nobody can tell them apart",
               now->version, before->version);
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

/* What a reader does with a type that it does not know. */
static cg_unknown policy_for(const cg_model *reader, uint16_t tlv_type) {
    const cg_range *range = cg_range_of(reader, tlv_type);
    return range == NULL ? CG_UNKNOWN_FAIL : range->unknown;
}

static bool has_prior(const cg_message *m, const char *name, const char *was) {
    for (size_t i = 0; i < m->prior_count; i++) {
        const char *prior = m->priors[i].message->name.text;
        if (strcmp(prior, name) == 0 || (was != NULL && strcmp(prior, was) == 0)) return true;
    }
    return false;
}

static void compare_priors(cg_comparison *c, const cg_message *before, const cg_message *now) {
    const cg_where_changed at = {.before = before->at, .now = now->at, .of = now};
    for (size_t i = 0; i < now->prior_count; i++) {
        const cg_message *prior = now->priors[i].message;
        if (has_prior(before, prior->name.text, prior->was)) continue;
        cg_changed(c, CG_C_PRIOR_ADDED, WIRE, at, "'%s' requires '%s' before it: old writers may not send that",
                   now->name.text, prior->name.text);
    }
    for (size_t i = 0; i < before->prior_count; i++) {
        const cg_message *prior = before->priors[i].message;
        bool is_kept = false;
        for (size_t k = 0; k < now->prior_count; k++) {
            const cg_message *other = now->priors[k].message;
            is_kept = is_kept || strcmp(other->name.text, prior->name.text) == 0 ||
                      (other->was != NULL && strcmp(other->was, prior->name.text) == 0);
        }
        if (is_kept) continue;
        cg_changed(c, CG_C_PRIOR_REMOVED, FORWARD, at, "'%s' no longer requires '%s' before it: old readers still do",
                   now->name.text, prior->name.text);
    }
}

/* Bytes of the longest value that keeps the rules about lengths. */
static uint32_t longest(const cg_message *m) {
    uint64_t at = m->block_size;
    for (size_t i = 0; i < m->tail_count; i++) {
        const cg_field *field = m->tail[i];
        if (field->is_retired) continue;
        const uint32_t count =
            field->type->kind == CG_VECTOR ? cg_example_count(field, true) : cg_example_wording(field, true).length;
        if (count == 0) continue;
        at = cg_round_up(at, field->type->element->align) + (uint64_t)count * field->type->element_stride;
    }
    return (uint32_t)at;
}

static void compare_sizes(cg_comparison *c, const cg_message *before, const cg_message *now) {
    const cg_where_changed at = {.before = before->at, .now = now->at, .of = now};
    const char *name = now->name.text;
    if (longest(before) > now->accept_max) {
        cg_changed(c, CG_C_TOO_LONG_FOR_NEW, WIRE, at, "'%s' of old writers may have %u bytes: new readers accept %u",
                   name, longest(before), now->accept_max);
    }
    if (longest(now) > before->accept_max) {
        cg_changed(c, CG_C_TOO_LONG_FOR_OLD, FORWARD, at,
                   "'%s' may have %u bytes: old readers accept %u, as no reserve was left for it to grow", name,
                   longest(now), before->accept_max);
    }
    if (before->class_size != now->class_size) {
        cg_changed(c, CG_C_CLASS, CLASS, at, "moves '%s' from class %u to %u", name, before->class_size,
                   now->class_size);
    } else if (before->max != now->max || before->block_size != now->block_size) {
        cg_changed(c, CG_C_SIZE, CLASS, at, "'%s' has %u to %u bytes, had %u to %u", name, now->min, now->max,
                   before->min, before->max);
    }
}

/* Callers of X_place put the bytes of one field where it says. */
static void compare_place(cg_comparison *c, const cg_pair *pair, const cg_message *before, const cg_message *now) {
    const cg_where_changed at = {.before = before->at, .now = now->at, .of = now};
    const cg_field *was = cg_message_placed(before), *is = cg_message_placed(now);
    if (was == NULL || (is != NULL && pair->now_of[was - before->fields] == is)) return;
    if (is == NULL) {
        cg_changed(c, CG_C_PLACE, SOURCE, at, "values of '%s' no longer end with the bytes of '%s': it has no X_place",
                   now->name.text, was->name.text);
    } else {
        cg_changed(c, CG_C_PLACE, SOURCE, at, "values of '%s' end with '%s', ended with '%s': X_place is for other bytes",
                   now->name.text, is->name.text, was->name.text);
    }
}

/* Whether its reader refuses the old block for its version alone. */
static bool compare_message(cg_comparison *c, const cg_message *before, const cg_message *now) {
    const cg_where_changed at = {.before = before->at, .now = now->at, .of = now};
    if (strcmp(before->name.text, now->name.text) != 0) {
        cg_changed(c, CG_C_MESSAGE_RENAMED, SOURCE, at, "'%s' was '%s': its generated names are others", now->name.text,
                   before->name.text);
    }
    if (before->tlv_type != now->tlv_type) {
        cg_changed(c, CG_C_MESSAGE_ID, WIRE | FORWARD, at, "'%s' has tlv_type %u, had %u: neither side finds it",
                   now->name.text, now->tlv_type, before->tlv_type);
        return false;
    }
    const cg_shape old_shape = cg_shape_of_message(before), new_shape = cg_shape_of_message(now);
    cg_pair *pair = cg_pair_make(c, &old_shape, &new_shape);
    if (c->out->before->min_compatible >= c->out->now->min_compatible) pair->is_refused_as_old = false;
    cg_compare_fields(c, pair, now);
    compare_priors(c, before, now);
    compare_place(c, pair, before, now);
    compare_sizes(c, before, now);
    if (before->is_sensitive != now->is_sensitive || before->log_payload != now->log_payload) {
        cg_changed(c, CG_C_SENSITIVITY, NONE, at, "values of '%s' are %s when printed, and its buffers %s",
                   now->name.text, now->is_sensitive || !now->log_payload ? "redacted" : "shown",
                   now->is_sensitive ? "wiped" : "not wiped");
    }
    return pair->is_refused_as_old;
}

typedef struct ids {
    cg_table now, before; /* living messages by name, of now also by former name */
    cg_ids owners[2];       /* cg_message, of before and of now */
    cg_ids retired[2];      /* cg_retired */
} ids;

static ids *index_ids(cg_comparison *c) {
    ids *index = CG_NEW(c->arena, ids);
    const cg_model *const models[] = {c->out->before, c->out->now};
    index->now.arena = index->before.arena = c->arena;
    for (size_t side = 0; side < 2; side++) {
        const cg_model *model = models[side];
        index->owners[side].arena = index->retired[side].arena = c->arena;
        for (size_t i = 0; i < model->message_count; i++) {
            cg_message *m = &model->messages[i];
            cg_table_add(side == 0 ? &index->before : &index->now, m->name.text, m);
            cg_ids_set(&index->owners[side], m->tlv_type, m);
        }
        for (size_t i = 0; i < model->retired_count; i++) {
            cg_ids_set(&index->retired[side], model->retired[i].tlv_type, &model->retired[i]);
        }
    }
    for (size_t i = 0; i < c->out->now->message_count; i++) {
        cg_message *m = &c->out->now->messages[i];
        if (m->was != NULL) cg_table_add(&index->now, m->was, m);
    }
    return index;
}

static void message_gone(cg_comparison *c, const ids *index, const cg_message *before) {
    const cg_message *heir = cg_ids_find(&index->owners[1], before->tlv_type);
    const cg_where_changed at = {.before = before->at, .now = heir == NULL ? NULL : heir->at, .of = before};
    const bool is_refused = policy_for(c->out->now, before->tlv_type) == CG_UNKNOWN_FAIL;
    const char *name = before->name.text;
    if (cg_ids_find(&index->retired[1], before->tlv_type) != NULL) {
        cg_changed(c, CG_C_MESSAGE_RETIRED, (is_refused ? WIRE : NONE) | SOURCE, at,
                   "'%s' is retired: new readers %s what old writers send of it", name,
                   is_refused ? "refuse" : "pass over");
        return;
    }
    cg_changed(c, CG_C_MESSAGE_REMOVED, WIRE | SOURCE, at,
               "'%s' is gone: new readers do not know what old writers send of it, and its tlv_type %u %s", name,
               before->tlv_type, heir == NULL ? "may be used again" : "is used again");
}

static void message_new(cg_comparison *c, const ids *index, const cg_message *now) {
    const cg_message *former = cg_ids_find(&index->owners[0], now->tlv_type);
    const cg_where_changed at = {.before = former == NULL ? NULL : former->at, .now = now->at, .of = now};
    const bool is_refused = policy_for(c->out->before, now->tlv_type) == CG_UNKNOWN_FAIL;
    if (former != NULL) {
        cg_changed(c, CG_C_ID_REUSED, WIRE | FORWARD, at, "tlv_type %u is that of '%s': one is taken for the other",
                   now->tlv_type, former->name.text);
    } else if (cg_ids_find(&index->retired[0], now->tlv_type) != NULL) {
        cg_changed(c, CG_C_ID_REUSED, is_refused ? FORWARD : NONE, at,
                   "tlv_type %u is retired: what writers older than both still send is taken for '%s'", now->tlv_type,
                   now->name.text);
    } else {
        const bool is_among_old = c->hello == CG_HELLO_LAYOUT && now->since <= c->out->before->version;
        cg_changed(c, CG_C_MESSAGE_ADDED, is_refused ? FORWARD : NONE, at, "'%s' is new%s: old readers %s it",
                   now->name.text, is_among_old ? " without a new `since`" : "",
                   is_refused ? "refuse" : "pass over");
    }
}

static bool compare_messages(cg_comparison *c) {
    const ids *index = index_ids(c);
    bool is_refused_as_old = false;
    for (size_t i = 0; i < c->out->before->message_count; i++) {
        const cg_message *before = &c->out->before->messages[i];
        const cg_message *now = cg_table_find(&index->now, before->name.text);
        if (now == NULL)
            message_gone(c, index, before);
        else
            is_refused_as_old = compare_message(c, before, now) || is_refused_as_old;
    }
    for (size_t i = 0; i < c->out->now->message_count; i++) {
        const cg_message *now = &c->out->now->messages[i];
        const bool is_known = cg_table_find(&index->before, now->name.text) != NULL ||
                              (now->was != NULL && cg_table_find(&index->before, now->was) != NULL);
        if (!is_known) message_new(c, index, now);
    }
    return is_refused_as_old;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static void index_names(cg_table *names, const cg_model *model) {
    for (size_t i = 0; i < model->enum_count; i++) {
        cg_table_add(names, model->enums[i].name.text, &model->enums[i]);
    }
    for (size_t i = 0; i < model->struct_count; i++) {
        if (!model->structs[i]->is_wrapper) cg_table_add(names, model->structs[i]->name.text, model->structs[i]);
    }
}

cg_compat *cg_compat_make(cg_arena *arena, const cg_model *before, const cg_model *now) {
    cg_compat *out = CG_NEW(arena, cg_compat);
    cg_comparison c = {.out = out, .arena = arena};
    *out = (cg_compat){.arena = arena, .before = before, .now = now};
    c.structs.arena = c.enums.arena = c.names_before.arena = c.names_now.arena = arena;
    index_names(&c.names_before, before);
    index_names(&c.names_now, now);
    compare_schema(&c);
    const bool is_refused_as_old = compare_messages(&c);
    cg_compare_types(&c);
    compare_versions(&c, is_refused_as_old);
    compare_pool(&c);
    if (out->count > 1) qsort(out->changes, out->count, sizeof *out->changes, by_place);
    return out;
}
