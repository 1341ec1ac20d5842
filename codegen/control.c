#include "codegen/control.h"

#include <inttypes.h>

enum { HELLO = 1, GOODBYE = 2 };

enum {
    HEAD_SIZE = 2,               /* u8 kind, u8 zero */
    ENTRIES_OFFSET = 4,          /* of a HELLO: behind u16 count */
    ENTRY_SIZE = 16,             /* u32 id, u16 version, u16 min_compatible, u64 layout hash */
    VERSION_OFFSET = 4,
    MIN_COMPATIBLE_OFFSET = 6,
    HASH_OFFSET = 8
};

const char *cg_control_name(const uint8_t *value, uint32_t length) {
    static const char *const names[] = {[HELLO] = "HELLO", [GOODBYE] = "GOODBYE"};
    return length == 0 || value[0] == 0 || value[0] > GOODBYE ? NULL : names[value[0]];
}

/* ---- what is wrong ---------------------------------------------------------------------------------------------- */

static cg_fault no_fault(void) { return (cg_fault){.kind = CG_FAULT_NONE}; }

static cg_fault malformed(uint32_t offset) { return (cg_fault){.kind = CG_FAULT_MALFORMED, .offset = offset}; }

/* A value that has to have `needed` bytes. */
static cg_fault check_length(uint32_t length, uint32_t needed) {
    if (length > needed) return malformed(needed);
    return length == needed ? no_fault() : (cg_fault){.kind = CG_FAULT_TRUNCATED, .offset = length};
}

static uint32_t entry_at(uint32_t ix) { return ENTRIES_OFFSET + ix * ENTRY_SIZE; }

static uint32_t load(const uint8_t *value, uint32_t offset, uint32_t size) {
    return (uint32_t)cg_load_le(value + offset, size);
}

/* Each schema stands there once, and reads its own version. */
static cg_fault check_entry(const uint8_t *value, uint32_t ix) {
    const uint32_t at = entry_at(ix), oldest = load(value, at + MIN_COMPATIBLE_OFFSET, 2);
    for (uint32_t k = 0; k < ix; k++) {
        if (load(value, entry_at(k), 4) == load(value, at, 4)) return malformed(at);
    }
    const bool is_good = oldest != 0 && oldest <= load(value, at + VERSION_OFFSET, 2);
    return is_good ? no_fault() : malformed(at + MIN_COMPATIBLE_OFFSET);
}

static cg_fault check_hello(const uint8_t *value, uint32_t length) {
    if (length < ENTRIES_OFFSET) return check_length(length, ENTRIES_OFFSET);
    const uint32_t count = load(value, HEAD_SIZE, 2);
    cg_fault fault = check_length(length, entry_at(count));
    for (uint32_t i = 0; i < count && fault.kind == CG_FAULT_NONE; i++) fault = check_entry(value, i);
    return fault;
}

cg_fault cg_control_check(const uint8_t *value, uint32_t length) {
    if (length < HEAD_SIZE) return check_length(length, HEAD_SIZE);
    if (cg_control_name(value, length) == NULL) return no_fault();
    if (value[1] != 0) return malformed(1);
    return value[0] == HELLO ? check_hello(value, length) : check_length(length, HEAD_SIZE);
}

/* ---- as JSON ---------------------------------------------------------------------------------------------------- */

static void print_entry(cg_text *out, const cg_model *model, const uint8_t *value, uint32_t at) {
    const uint32_t id = load(value, at, 4);
    const uint64_t hash = cg_load_le(value + at + HASH_OFFSET, 8);
    cg_text_format(out, "{\"id\":%u", id);
    if (id == model->id) {
        cg_text_format(out, ",\"schema\":");
        cg_text_add_json(out, model->own_name);
    }
    cg_text_format(out, ",\"version\":%u,\"min_compatible\":%u,\"layout_hash\":", load(value, at + VERSION_OFFSET, 2),
                   load(value, at + MIN_COMPATIBLE_OFFSET, 2));
    if (hash == 0)
        cg_text_format(out, "null}");
    else
        cg_text_format(out, "\"%016" PRIx64 "\"}", hash);
}

void cg_control_print(cg_text *out, const cg_model *model, const uint8_t *value) {
    if (value[0] != HELLO) {
        cg_text_format(out, "{}");
        return;
    }
    const uint32_t count = load(value, HEAD_SIZE, 2);
    cg_text_format(out, "{\"schemas\":[");
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0) cg_text_format(out, ",");
        print_entry(out, model, value, entry_at(i));
    }
    cg_text_format(out, "]}");
}
