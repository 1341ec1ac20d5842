/* What needs more than one value to judge, as templates see it: hooks and sessions. */
#include "codegen/emit_map.h"
#include "codegen/traits.h"

static const char *const hook_c_types[] = {
    [CG_HOOK_UINT] = "uint64_t", [CG_HOOK_INT] = "int64_t",  [CG_HOOK_REAL] = "double",   [CG_HOOK_U128] = "bp_u128",
    [CG_HOOK_U256] = "bp_u256",  [CG_HOOK_TEXT] = "bp_text", [CG_HOOK_BYTES] = "bp_bytes"};

static cg_value *emit_hook(const cg_emitter *emitter, const cg_hook *hook) {
    cg_value *const map = cg_value_map(emitter->arena);
    cg_set_text(emitter->arena, map, "text", hook->name.text);
    cg_set_text(emitter->arena, map, "name", hook->name.snake);
    cg_set_text(emitter->arena, map, "doc", hook->description == NULL ? "" : hook->description);
    cg_set_text(emitter->arena, map, "c_type", hook_c_types[hook->value]);
    cg_set_flag(emitter->arena, map, "is_declared", hook->is_declared);
    return map;
}

cg_value *cg_emit_hooks(const cg_emitter *emitter) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < emitter->model->hook_count; i++) {
        const cg_hook *const hook = emitter->model->hooks[i];
        if (hook->value != CG_HOOK_UNUSED) cg_append(emitter->arena, list, emit_hook(emitter, hook));
    }
    return list;
}

cg_value *cg_emit_field_hooks(const cg_emitter *emitter, const cg_field *field) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < field->rule_count; i++) {
        const cg_hook *const hook = field->rules[i].hook;
        if (hook != NULL) cg_append(emitter->arena, list, cg_value_text(emitter->arena, hook->name.snake));
    }
    return list;
}

/* Zero is the least number of unsigned kinds, so that a new session needs no other sign for them. */
const char *cg_emit_monotonic(const cg_field *field) {
    const cg_kind kind = field->type->kind;
    if (!cg_field_has_rule(field, CG_RULE_MONOTONIC)) return "";
    if (kind == CG_F32 || kind == CG_F64) return "real";
    if (kind == CG_U128 || kind == CG_U256) return "wide";
    return kind >= CG_I8 && kind <= CG_I64 ? "signed" : "unsigned";
}

static cg_value *emit_priors(const cg_emitter *emitter, const cg_message *message) {
    cg_value *const list = cg_value_list(emitter->arena);
    for (size_t i = 0; i < message->prior_count; i++) {
        cg_value *const map = cg_value_map(emitter->arena);
        cg_set_text(emitter->arena, map, "text", message->priors[i].message->name.text);
        cg_set_text(emitter->arena, map, "name", message->priors[i].message->name.snake);
        cg_append(emitter->arena, list, map);
    }
    return list;
}

void cg_set_session(const cg_emitter *emitter, cg_value *map, const cg_message *message) {
    bool has_monotonic = false;
    for (size_t i = 0; i < message->field_count && !has_monotonic; i++) {
        has_monotonic = cg_field_has_rule(&message->fields[i], CG_RULE_MONOTONIC);
    }
    cg_set_flag(emitter->arena, map, "has_hooks", cg_message_has_hooks(message));
    cg_set_flag(emitter->arena, map, "has_session", cg_message_has_session(message));
    cg_set_flag(emitter->arena, map, "has_monotonic", has_monotonic);
    cg_set_flag(emitter->arena, map, "is_required", message->is_required);
    cg_set(emitter->arena, map, "priors", emit_priors(emitter, message));
}
