/* Fields of one message or type, before and now. */
#include "codegen/build.h"
#include "codegen/compat_walk.h"
#include "codegen/lock.h"
#include "codegen/traits.h"

#include <string.h>

enum { NONE = 0, WIRE = CG_BREAKS_WIRE, FORWARD = CG_BREAKS_FORWARD, SOURCE = CG_BREAKS_SOURCE };

/* One pair while its fields are compared. */
typedef struct walk {
    cg_comparison *c;
    cg_pair *pair;
    const cg_message *of;
    const char *owner;
    const cg_node *before_at, *now_at;
    unsigned broken;     /* ways that the bytes make no sense */
    bool has_cause;      /* a change that moves others was named */
    bool is_inner_cause; /* a type inside makes no sense, and is named where it stands */
} walk;

static cg_where_changed at(const walk *w, const cg_field *before, const cg_field *now) {
    return (cg_where_changed){.before = before == NULL ? w->before_at : before->at,
                              .now = now == NULL ? w->now_at : now->at,
                              .of = w->of};
}

static const char *spell(const walk *w, const cg_field *field) {
    cg_text text = {.arena = w->c->arena};
    cg_lock_spell(&text, field->type);
    if (field->type->is_tail) cg_text_format(&text, " in the tail");
    return cg_text_end(&text);
}

/* What becomes of the bytes, in words. */
static const char *fate(unsigned broken) {
    if ((broken & (WIRE | FORWARD)) == (WIRE | FORWARD)) return "neither side reads what the other sends";
    if ((broken & WIRE) != 0) return "new readers do not take what old writers send";
    return (broken & FORWARD) != 0 ? "old readers do not take what new writers send" : "nothing moves by that";
}

/* ---- what moves bytes ------------------------------------------------------------------------------------------- */

static void cause(walk *w, cg_verdict verdict, unsigned breaks, const cg_field *before, const cg_field *now,
                  const char *what) {
    w->has_cause = true;
    cg_changed(w->c, verdict, breaks, at(w, before, now), "%s: %s", what, fate(breaks));
}

static void field_gone(walk *w, const cg_field *before) {
    const char *what = cg_arena_format(w->c->arena, "'%s.%s' is gone", w->owner, before->name.text);
    if (before->is_retired) {
        cause(w, CG_C_FIELD_REMOVED, w->broken, before, NULL, what);
        return;
    }
    w->has_cause = true;
    cg_changed(w->c, CG_C_FIELD_REMOVED, WIRE | SOURCE | w->broken, at(w, before, NULL),
               "%s: what old writers say in it is lost%s; retired: true would keep its place", what,
               w->broken == NONE ? "" : ", and the rest has another layout");
}

static uint32_t last_since(const cg_shape *shape) { return shape->groups[shape->group_count - 1].since; }

static void field_new(walk *w, const cg_field *now) {
    const bool is_appended = now->since > last_since(&w->pair->before) &&
                             (now->group_ix != 0 || w->pair->before.field_count == 0 || w->pair->before.size == 0);
    const char *name = cg_arena_format(w->c->arena, "'%s.%s'", w->owner, now->name.text);
    if (is_appended) {
        cg_changed(w->c, CG_C_FIELD_APPENDED, NONE, at(w, NULL, now),
                   "%s came with version %u: old readers pass over it, for new ones it is absent from old frames", name,
                   now->since);
        return;
    }
    cause(w, CG_C_FIELD_INSERTED, w->broken, NULL, now,
          cg_arena_format(w->c->arena, "%s is new among fields of version %u", name, now->since));
}

static void compare_place(walk *w, const cg_field *before, const cg_field *now) {
    cg_arena *arena = w->c->arena;
    const char *name = cg_arena_format(arena, "'%s.%s'", w->owner, now->name.text);
    if (before->since != now->since) {
        cause(w, CG_C_FIELD_SINCE, w->broken, before, now,
              cg_arena_format(arena, "%s is of version %u, was of %u", name, now->since, before->since));
    }
    if (before->is_optional != now->is_optional) {
        cause(w, CG_C_FIELD_OPTIONAL, w->broken | SOURCE, before, now,
              cg_arena_format(arena, "%s is %s optional", name, now->is_optional ? "now" : "no longer"));
    }
    if (cg_types_match(w->c, before->type, now->type)) return;
    cause(w, CG_C_FIELD_TYPE, w->broken | SOURCE, before, now,
          cg_arena_format(arena, "%s is %s, was %s", name, spell(w, now), spell(w, before)));
}

/* Named only when nothing else explains it. */
static void name_moved(walk *w) {
    bool is_named = false;
    for (size_t i = 0; i < w->pair->before.field_count; i++) {
        const cg_field *before = &w->pair->before.fields[i], *now = w->pair->now_of[i];
        if (now == NULL || (before->offset == now->offset && before->bit == now->bit)) continue;
        is_named = true;
        cg_changed(w->c, CG_C_FIELD_MOVED, w->broken, at(w, before, now), "'%s.%s' lies at %u, was at %u: %s", w->owner,
                   now->name.text, now->offset, before->offset, fate(w->broken));
    }
    if (is_named || w->broken == NONE) return;
    cg_changed(w->c, CG_C_FIELD_MOVED, w->broken, at(w, NULL, NULL), "the layout of '%s' is another: %s", w->owner,
               fate(w->broken));
}

/* ---- what values may be ----------------------------------------------------------------------------------------- */

static const char *rule_name(const cg_rule *rule) {
    return rule->kind == CG_RULE_HOOK ? rule->hook->name.text : cg_rule_name(rule->kind);
}

static void compare_capacity(walk *w, const cg_field *before, const cg_field *now, const cg_witnesses *wire,
                             const cg_witnesses *forward) {
    const uint32_t old_capacity = before->type->capacity, capacity = now->type->capacity;
    const unsigned values = (wire->value[CG_REFUSED_CAPACITY] != NULL ? WIRE : NONE) |
                            (forward->value[CG_REFUSED_CAPACITY] != NULL ? FORWARD : NONE);
    const unsigned breaks = values | (now->type->is_tail ? NONE : w->broken);
    if (!cg_kind_is_counted(now->type->kind) || old_capacity == capacity) return;
    w->has_cause = w->has_cause || !now->type->is_tail;
    cg_changed(w->c, CG_C_FIELD_CAPACITY, breaks | (capacity < old_capacity ? SOURCE : NONE), at(w, before, now),
               "'%s.%s' holds %u, held %u: %s", w->owner, now->name.text, capacity, old_capacity,
               breaks != values          ? fate(breaks)
               : (breaks & WIRE) != 0    ? "new readers refuse the longest of old writers"
               : (breaks & FORWARD) != 0 ? "old readers refuse the longest of new writers"
                                         : "rules keep all values as short as before");
}

static void compare_rules(walk *w, const cg_field *before, const cg_field *now) {
    const cg_witnesses wire = cg_witnesses_find(w->c->arena, before, now);
    const cg_witnesses forward = cg_witnesses_find(w->c->arena, now, before);
    compare_capacity(w, before, now, &wire, &forward);
    if (wire.value[CG_REFUSED_RULE] != NULL) {
        cg_changed(w->c, CG_C_RULES_TIGHTENED, WIRE, at(w, before, now),
                   "'%s.%s' refuses %s, which old writers may send: rule %s", w->owner, now->name.text,
                   wire.value[CG_REFUSED_RULE], rule_name(wire.rule));
    }
    if (forward.value[CG_REFUSED_RULE] != NULL) {
        cg_changed(w->c, CG_C_RULES_LOOSENED, FORWARD, at(w, before, now),
                   "'%s.%s' accepts %s, which old readers refuse: rule %s", w->owner, now->name.text,
                   forward.value[CG_REFUSED_RULE], rule_name(forward.rule));
    }
}

static void compare_monotonic(walk *w, const cg_field *before, const cg_field *now) {
    const bool is_now = cg_field_has_rule(now, CG_RULE_MONOTONIC);
    if (cg_field_has_rule(before, CG_RULE_MONOTONIC) == is_now) return;
    if (is_now) {
        cg_changed(w->c, CG_C_MONOTONIC_ADDED, WIRE, at(w, before, now),
                   "'%s.%s' may no longer fall on a connection: that of old writers may", w->owner, now->name.text);
    } else {
        cg_changed(w->c, CG_C_MONOTONIC_REMOVED, FORWARD, at(w, before, now),
                   "'%s.%s' may fall on a connection: old readers refuse that", w->owner, now->name.text);
    }
}

static const cg_rule *hook_of(const cg_field *field, const char *name) {
    for (size_t i = 0; i < field->rule_count; i++) {
        const cg_rule *rule = &field->rules[i];
        if (rule->kind == CG_RULE_HOOK && strcmp(rule->hook->name.text, name) == 0) return rule;
    }
    return NULL;
}

static bool has_hook(const cg_model *model, const char *name) {
    for (size_t i = 0; i < model->hook_count; i++) {
        if (strcmp(model->hooks[i]->name.text, name) == 0) return true;
    }
    return false;
}

static void compare_hooks(walk *w, const cg_field *before, const cg_field *now) {
    for (size_t i = 0; i < now->rule_count; i++) {
        const cg_rule *rule = &now->rules[i];
        if (rule->kind != CG_RULE_HOOK || hook_of(before, rule_name(rule)) != NULL) continue;
        const bool is_needed = rule->hook->is_declared && !has_hook(w->c->out->before, rule_name(rule));
        cg_changed(w->c, CG_C_HOOK_ADDED, is_needed ? SOURCE : NONE, at(w, before, now),
                   "the hook %s decides about '%s.%s'%s", rule_name(rule), w->owner, now->name.text,
                   is_needed ? ": a service does not start without it" : ": what it refuses is the program's to say");
    }
    for (size_t i = 0; i < before->rule_count; i++) {
        const cg_rule *rule = &before->rules[i];
        if (rule->kind != CG_RULE_HOOK || hook_of(now, rule_name(rule)) != NULL) continue;
        const bool is_gone = !has_hook(w->c->out->now, rule_name(rule));
        cg_changed(w->c, CG_C_HOOK_REMOVED, is_gone ? SOURCE : NONE, at(w, before, now),
                   "the hook %s no longer decides about '%s.%s'%s", rule_name(rule), w->owner, now->name.text,
                   is_gone ? ": the generated code has no member for it" : "");
    }
}

/* ---- defaults --------------------------------------------------------------------------------------------------- */

/* What an absent field reads as; zero when nothing is said. */
static cg_literal default_of(const cg_field *field) {
    cg_literal value = field->default_value;
    if (!field->has_default) value = (cg_literal){.text = ""};
    return value;
}

static bool defaults_are_equal(const cg_field *before, const cg_field *now) {
    const cg_literal a = default_of(before), b = default_of(now);
    if (cg_number_compare(&a.number, &b.number) != 0 || a.is_true != b.is_true) return false;
    return a.text_length == b.text_length && (a.text_length == 0 || memcmp(a.text, b.text, a.text_length) == 0);
}

static void compare_default(walk *w, const cg_field *before, const cg_field *now) {
    const bool may_lack = before->is_optional && now->is_optional;
    if (defaults_are_equal(before, now)) return;
    cg_changed(w->c, CG_C_FIELD_DEFAULT, may_lack ? WIRE | FORWARD : NONE, at(w, before, now),
               "'%s.%s' reads as another value when it is absent: %s", w->owner, now->name.text,
               may_lack ? "both sides see their own in the same frame" : "in frames of writers older than it");
}

/* ---- one field -------------------------------------------------------------------------------------------------- */

static bool refuses_zero(const cg_field *field) {
    const cg_rule *broken = NULL;
    return !field->is_optional && cg_field_refusing_zero(field, &broken) != NULL;
}

static bool is_too_long(walk *w, const cg_field *writer, const cg_field *reader) {
    return writer->type->is_tail && reader->type->is_tail &&
           cg_witnesses_find(w->c->arena, writer, reader).value[CG_REFUSED_CAPACITY] != NULL;
}

static void field_retired(walk *w, const cg_field *before, const cg_field *now) {
    const bool is_refused = refuses_zero(before), is_long = is_too_long(w, before, now);
    cg_changed(w->c, CG_C_FIELD_RETIRED, (is_refused ? FORWARD : NONE) | (is_long ? WIRE : NONE) | SOURCE,
               at(w, before, now), "'%s.%s' is retired: new writers send zeros, which old readers %s%s", w->owner,
               now->name.text, is_refused ? "refuse" : "read",
               is_long ? "; its place holds less than old writers may send" : "");
}

static void field_revived(walk *w, const cg_field *before, const cg_field *now) {
    const unsigned breaks = (refuses_zero(now) ? WIRE : NONE) | (is_too_long(w, now, before) ? FORWARD : NONE);
    cg_changed(w->c, CG_C_FIELD_REVIVED, breaks, at(w, before, now), "'%s.%s' was retired and lives again: %s",
               w->owner, now->name.text,
               breaks == NONE ? "writers older than both may have left something else there" : fate(breaks));
}

/* Notes which types have values that both sides look at. */
static void mark_used(cg_comparison *c, const cg_type *before, const cg_type *now) {
    before = cg_type_unwrapped(before);
    now = cg_type_unwrapped(now);
    if (before->element != NULL) mark_used(c, before->element, now->element);
    if (before->kind != CG_STRUCT) return;
    cg_pair *pair = cg_pair_structs(c, before->structure, now->structure);
    if (pair->is_used) return;
    pair->is_used = true;
    for (size_t i = 0; i < pair->before.field_count; i++) {
        const cg_field *member = &pair->before.fields[i], *partner = pair->now_of[i];
        if (partner != NULL && cg_types_match(c, member->type, partner->type)) {
            mark_used(c, member->type, partner->type);
        }
    }
}

static void compare_field(walk *w, const cg_field *before, const cg_field *now) {
    if (strcmp(before->name.text, now->name.text) != 0) {
        cg_changed(w->c, CG_C_FIELD_RENAMED, SOURCE, at(w, before, now),
                   "'%s.%s' was '%s': its generated names are others", w->owner, now->name.text, before->name.text);
    }
    if (!before->is_retired && now->is_retired) field_retired(w, before, now);
    if (before->is_retired && !now->is_retired) field_revived(w, before, now);
    compare_place(w, before, now);
    if (before->is_retired || now->is_retired || !cg_types_match(w->c, before->type, now->type)) return;
    if (w->of != NULL) mark_used(w->c, before->type, now->type);
    compare_rules(w, before, now);
    compare_monotonic(w, before, now);
    compare_hooks(w, before, now);
    compare_default(w, before, now);
    cg_note_enum(w->c, before, now);
}

/* ---- all fields ------------------------------------------------------------------------------------------------- */

/* Whether a type inside is what makes no sense. */
static bool has_inner_cause(cg_comparison *c, const cg_type *before, const cg_type *now) {
    before = cg_type_unwrapped(before);
    now = cg_type_unwrapped(now);
    if (before->kind != now->kind) return false;
    if (before->kind == CG_ENUM) return before->enumeration->base != now->enumeration->base;
    if (before->kind == CG_STRUCT) {
        const cg_pair *pair = cg_pair_structs(c, before->structure, now->structure);
        return pair != NULL && !(pair->is_read[0] && pair->is_read[1]);
    }
    return before->element != NULL && has_inner_cause(c, before->element, now->element);
}

/* A vector that has a stride in one contract alone is told at its type. */
static void note_toggled(walk *w, const cg_field *before, const cg_field *now) {
    if (before->type->has_stride == now->type->has_stride || !cg_types_match(w->c, before->type, now->type)) return;
    const cg_type *old_element = before->type->element, *element = now->type->element;
    cg_pair_structs(w->c, old_element->structure, element->structure)->toggled |= w->broken;
    w->is_inner_cause = true;
}

static void compare_all(walk *w) {
    const cg_pair *pair = w->pair;
    for (size_t i = 0; i < pair->before.field_count; i++) {
        const cg_field *before = &pair->before.fields[i], *now = pair->now_of[i];
        if (now == NULL) {
            field_gone(w, before);
            continue;
        }
        compare_field(w, before, now);
        note_toggled(w, before, now);
        w->is_inner_cause = w->is_inner_cause || has_inner_cause(w->c, before->type, now->type);
    }
    for (size_t i = 0; i < pair->now.field_count; i++) {
        if (pair->before_of[i] == NULL) field_new(w, &pair->now.fields[i]);
    }
}

void cg_compare_fields(cg_comparison *c, cg_pair *pair, const cg_message *of) {
    walk w = {.c = c, .pair = pair, .of = of};
    const cg_struct *before = pair->before.structure, *now = pair->now.structure;
    w.owner = of != NULL ? of->name.text : now->name.text;
    w.before_at = of != NULL ? pair->before.message->at : before->at;
    w.now_at = of != NULL ? of->at : now->at;
    if (!pair->is_read[CG_OLD_TO_NEW] && !pair->is_refused_as_old) w.broken |= WIRE;
    if (!pair->is_read[CG_NEW_TO_OLD]) w.broken |= FORWARD;
    compare_all(&w);
    const bool is_other_kind = of == NULL && before->is_extensible != now->is_extensible;
    if (!w.has_cause && !w.is_inner_cause && !is_other_kind) name_moved(&w);
}
