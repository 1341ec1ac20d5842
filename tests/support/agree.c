#include "tests/support/agree.h"

#include <string.h>

enum { UNTOUCHED = 0xA5 };

static bool is_untouched(const uint8_t *at, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (at[i] != UNTOUCHED) return false;
    }
    return true;
}

bpt_pair bpt_pair_of(cg_arena *arena, const sample_message *generated, const cg_message *message) {
    return (bpt_pair){
        .generated = generated,
        .message = message,
        .decoded = cg_arena_alloc(arena, generated->struct_size),
        .view = cg_arena_alloc(arena, generated->view_size),
        .again = cg_arena_alloc(arena, (size_t)generated->accept_max + 1),
        .placed = cg_arena_alloc(arena, (size_t)generated->accept_max + 1),
    };
}

bp_err bpt_fault_err(cg_fault_kind kind) {
    static const bp_err errors[] = {
        [CG_FAULT_NONE] = BP_OK,
        [CG_FAULT_TRUNCATED] = BP_ERR_TRUNCATED,
        [CG_FAULT_MALFORMED] = BP_ERR_MALFORMED,
        [CG_FAULT_BOUND] = BP_ERR_BOUND,
        [CG_FAULT_RULE] = BP_ERR_RULE,
    };
    return errors[kind];
}

static const char *say_errors(cg_arena *arena, const char *what, bp_err generated, cg_fault fault) {
    return cg_arena_format(arena, "%s: generated code says %s, the interpreter %s at %u of %s", what,
                           bp_err_name(generated), cg_fault_name(fault.kind), fault.offset,
                           fault.field == NULL ? "no field" : fault.field->name.text);
}

static const char *rules_differ(cg_arena *arena, const bpt_pair *pair, const cg_reading *reading) {
    const char *field = "unset";
    const bp_err err = pair->generated->validate(pair->view, &field);
    const cg_fault fault = cg_interp_validate(reading);
    if (err != bpt_fault_err(fault.kind)) return say_errors(arena, "validate", err, fault);
    if (err == BP_OK ? field == NULL : strcmp(field, fault.field->name.text) == 0) return NULL;
    return cg_arena_format(arena, "validate: generated code names %s, %s", field == NULL ? "no field" : field,
                           say_errors(arena, "", err, fault));
}

static const char *prints_differ(cg_arena *arena, const bpt_pair *pair, const cg_reading *reading) {
    cg_text text = {.arena = arena};
    cg_interp_print(&text, reading, false);
    const size_t length = (size_t)pair->generated->print(pair->view, NULL, 0);
    char *const printed = cg_arena_alloc(arena, length + 1);
    (void)pair->generated->print(pair->view, printed, length + 1);
    if (length == text.length && memcmp(printed, cg_text_end(&text), length) == 0) return NULL;
    return cg_arena_format(arena, "print: generated code says\n%s\nthe interpreter\n%s", printed, cg_text_end(&text));
}

/* X_place writes what X_encode wrote, length bytes in pair->again, and leaves the bytes of its field alone. */
static const char *places_differ(cg_arena *arena, const bpt_pair *pair, uint32_t length) {
    const sample_message *generated = pair->generated;
    uint8_t *data = pair->placed;
    uint32_t placed_length = 0;
    memset(pair->placed, UNTOUCHED, (size_t)generated->accept_max + 1);
    if (generated->place(pair->decoded, pair->placed, length - 1, &placed_length, &data) != BP_ERR_SPACE) {
        return "place: a byte of room is missing, and it is not missed";
    }
    if (data != NULL || placed_length != 0 || !is_untouched(pair->placed, length)) return "place: an error leaves traces";
    const bp_err err = generated->place(pair->decoded, pair->placed, length, &placed_length, &data);
    if (err != BP_OK || placed_length != length || data < pair->placed || data > pair->placed + length) {
        return cg_arena_format(arena, "place: %s, %u bytes for %u", bp_err_name(err), placed_length, length);
    }
    const size_t before = (size_t)(data - pair->placed);
    if (memcmp(pair->placed, pair->again, before) != 0) return "place: not the bytes of encode";
    return is_untouched(data, length + 1 - before) ? NULL : "place: the bytes of its field are written";
}

/* Both write what they read as the current version. */
static const char *writes_differ(cg_arena *arena, const bpt_pair *pair, const cg_reading *reading) {
    const uint8_t *bytes = NULL;
    uint32_t length = 0, again_length = 0, at = 0;
    const cg_fault fault = cg_interp_write(arena, pair->message, reading->fields, &bytes, &length);
    const bp_err err = pair->generated->encode(pair->decoded, pair->again, pair->generated->max, &again_length);
    if (err != bpt_fault_err(fault.kind)) return say_errors(arena, "encode", err, fault);
    while (at < length && at < again_length && pair->again[at] == bytes[at]) at++;
    if (length != again_length || at != length) {
        return cg_arena_format(arena, "encode: %u bytes of generated code, %u of the interpreter, different at %u",
                               again_length, length, at);
    }
    return pair->generated->place == NULL ? NULL : places_differ(arena, pair, length);
}

/* What is accepted as this version's own can be written in one way only; but what lies in retired fields is not read.
 */
static const char *is_not_canonical(cg_arena *arena, const bpt_pair *pair, const cg_reading *reading) {
    for (size_t i = 0; i < pair->message->field_count; i++) {
        if (pair->message->fields[i].is_retired) return NULL;
    }
    if (!reading->is_current) return NULL;
    if (memcmp(pair->again, reading->bytes, reading->length) == 0) return NULL;
    return cg_arena_format(arena, "encode: %u accepted bytes are not those that are written", reading->length);
}

const char *bpt_disagreement(cg_arena *arena, const bpt_pair *pair, const uint8_t *bytes, size_t length) {
    cg_reading reading;
    const cg_fault fault = cg_interp_read(arena, pair->message, bytes, length, &reading);
    const bp_err viewed = pair->generated->view_init(bytes, length, pair->view);
    const bp_err decoded = pair->generated->decode(bytes, length, pair->decoded);
    if (viewed != bpt_fault_err(fault.kind)) return say_errors(arena, "view_init", viewed, fault);
    if (decoded != viewed) return say_errors(arena, "decode", decoded, fault);
    if (fault.kind != CG_FAULT_NONE) return NULL;
    const char *difference = rules_differ(arena, pair, &reading);
    if (difference == NULL) difference = prints_differ(arena, pair, &reading);
    if (difference == NULL) difference = writes_differ(arena, pair, &reading);
    if (difference == NULL) difference = is_not_canonical(arena, pair, &reading);
    return difference;
}
