/* What two ends say to each other before any value: HELLO, which refuses the whole connection (docs/WIRE.md, "Control
 * frames"). */
#include "codegen/compat_walk.h"

/* What the version looks like; 0 where that is not known. */
static uint64_t layout_of(const cg_model *model, uint32_t version) {
    uint64_t hash = 0;
    for (size_t i = 0; i < model->layout_count && model->layouts[i].version <= version; i++) {
        hash = model->layouts[i].hash;
    }
    return hash;
}

/* The end with the newer version decides; where they are equal, both do, by the same numbers. */
static cg_hello judge(const cg_model *older, const cg_model *newer) {
    if (older->version < newer->min_compatible) return CG_HELLO_OLD;
    const uint64_t theirs = layout_of(older, older->version), known = layout_of(newer, older->version);
    return theirs == 0 || known == 0 || theirs == known ? CG_HELLO_FITS : CG_HELLO_LAYOUT;
}

static cg_hello hello_of(const cg_model *before, const cg_model *now) {
    if (before->id != now->id) return CG_HELLO_STRANGERS;
    return before->version <= now->version ? judge(before, now) : judge(now, before);
}

void cg_compare_hello(cg_comparison *c) {
    const cg_model *before = c->out->before, *now = c->out->now;
    const bool is_newer = before->version < now->version;
    const cg_model *older = is_newer ? before : now, *newer = is_newer ? now : before;
    const cg_where_changed at = {.before = before->at, .now = now->at};
    const unsigned breaks = CG_BREAKS_WIRE | CG_BREAKS_FORWARD;
    switch (c->hello = hello_of(before, now)) {
    case CG_HELLO_FITS: break;
    case CG_HELLO_STRANGERS:
        cg_changed(c, CG_C_SCHEMA_ID, breaks, at,
                   "the schema's id is 0x%x, was 0x%x: HELLO refuses peers that have no schema in common", now->id,
                   before->id);
        break;
    case CG_HELLO_OLD:
        cg_changed(c, CG_C_HELLO, breaks, at,
                   "version %u is below min_compatible %u of version %u: HELLO refuses peers of the other contract",
                   older->version, newer->min_compatible, newer->version);
        break;
    case CG_HELLO_LAYOUT:
        cg_changed(c, CG_C_HELLO, breaks, at,
                   "version %u does not look on the wire as it did: HELLO refuses peers of the other contract",
                   older->version);
        break;
    }
}
