#include "codegen/report.h"
#include "codegen/report_facts.h"

#include <inttypes.h>

static void add_key(cg_text *out, const char *before, const char *key) {
    cg_text_format(out, "%s\"%s\":", before, key);
}

static void add_class_json(cg_text *out, const cg_class *c) {
    cg_text_format(out, "{\"size\":%u,\"messages\":[", c->size);
    for (size_t i = 0; i < c->message_count; i++) {
        if (i != 0) cg_text_add(out, ",", 1);
        cg_text_add_json(out, c->messages[i]->name.text);
    }
    cg_text_format(out, "],\"idle_bytes\":%" PRIu64 ",\"buffers\":%" PRIu64 "}", cg_report_idle_bytes(c),
                   cg_report_class_buffers(c));
}

static void add_field_json(cg_text *out, const cg_field *field) {
    const cg_type *type = field->type;
    add_key(out, "{", "name");
    cg_text_add_json(out, field->name.text);
    add_key(out, ",", "type");
    cg_text_add_json(out, type->spelling);
    cg_text_format(out, ",\"offset\":%u,\"size\":%u,\"tail\":%s,\"since\":%u,\"optional\":%s,\"retired\":%s",
                   field->offset, type->size, type->is_tail ? "true" : "false", field->since,
                   field->is_optional ? "true" : "false", field->is_retired ? "true" : "false");
    if (type->element != NULL) {
        cg_text_format(out, ",\"capacity\":%u,\"element_size\":%u", type->capacity, type->element_stride);
    }
    cg_text_add(out, "}", 1);
}

/* Bytes of the block that belong to no field. */
static void add_extra(cg_text *out, const char *kind, uint32_t offset, uint32_t size) {
    cg_text_format(out, "%s{\"kind\":\"%s\",\"offset\":%u,\"size\":%u}", out->data[out->length - 1] == '[' ? "" : ",",
                   kind, offset, size);
}

static void add_extras(cg_text *out, const cg_message *m) {
    add_key(out, ",", "implicit");
    cg_text_add(out, "[", 1);
    if (m->has_block_len) add_extra(out, "block_len", m->block_len_offset, 2);
    for (size_t i = 0; i < m->group_count; i++) {
        const cg_group *group = &m->groups[i];
        if (group->bitmap_size != 0) add_extra(out, "bitmap", group->bitmap_offset, group->bitmap_size);
        for (size_t k = 0; k < group->gap_count; k++) add_extra(out, "gap", group->gaps[k].offset, group->gaps[k].size);
    }
    cg_text_add(out, "]", 1);
}

static void add_message_json(cg_text *out, const cg_model *model, const cg_message *m) {
    add_key(out, "\n  {", "name");
    cg_text_add_json(out, m->name.text);
    cg_text_format(
        out,
        ",\"tlv_type\":%u,\"min\":%u,\"typical\":%u,\"max\":%u,\"block\":%u,\"accept_min\":%u,\"accept_max\":%u,"
        "\"reserve\":%u,\"class\":%u,\"waste_max\":%u,\"to_next_class\":%u,\"over_previous_class\":%u,"
        "\"rate\":%.15g,\"hold_ns\":%" PRIu64 ",\"buffers\":%" PRIu64 ",\"fields\":[",
        m->tlv_type, m->min, m->typical, m->max, m->block_size, m->accept_min, m->accept_max, m->reserve, m->class_size,
        m->waste, cg_report_to_next(m), cg_report_over(model, m), m->rate, m->hold_ns, cg_report_buffers(m));
    for (size_t i = 0; i < m->field_count; i++) {
        if (i != 0) cg_text_add(out, ",", 1);
        add_field_json(out, &m->fields[i]);
    }
    cg_text_add(out, "]", 1);
    add_extras(out, m);
    cg_text_add(out, "}", 1);
}

/* What other classes would waste. */
static void add_plans(cg_text *out, const cg_model *model) {
    size_t count = 0;
    const cg_plan *plans = cg_report_plans(out->arena, model, &count);
    add_key(out, ",", "plans");
    for (size_t i = 0; i < count; i++) {
        cg_text_format(out, "%s\n  {\"strategy\":\"%s\",\"classes\":%zu,\"waste\":%.6f,\"current\":%s}",
                       i == 0 ? "[" : ",", plans[i].strategy, plans[i].class_count, plans[i].waste,
                       plans[i].is_current ? "true" : "false");
    }
    cg_text_add(out, "]", 1);
}

/* The hash of each version that is still read; null where it is not known. */
static void add_layouts(cg_text *out, const cg_model *model) {
    add_key(out, ",", "layouts");
    for (size_t i = 0; i < model->layout_count; i++) {
        const cg_layout *layout = &model->layouts[i];
        cg_text_format(out, "%s{\"version\":%u,\"hash\":", i == 0 ? "[" : ",", layout->version);
        cg_text_format(out, layout->hash == 0 ? "null}" : "\"%016" PRIx64 "\"}", layout->hash);
    }
    cg_text_add(out, "]", 1);
}

void cg_report_json(cg_text *out, const cg_model *model, const cg_message *only) {
    bool is_first = true;
    add_key(out, "{\"schema\":{", "name");
    cg_text_add_json(out, model->name.text);
    cg_text_format(out, ",\"id\":%u,\"version\":%u,\"min_compatible\":%u", model->id, model->version,
                   model->min_compatible);
    add_layouts(out, model);
    cg_text_format(out, "},\"strategy\":\"%s\",\"classes\":[", model->strategy);
    for (size_t i = 0; i < model->class_count; i++) {
        if (i != 0) cg_text_add(out, ",", 1);
        add_class_json(out, &model->classes[i]);
    }
    add_key(out, "],", "messages");
    for (size_t i = 0; i < model->message_count; i++) {
        if (only != NULL && only != model->by_type[i]) continue;
        cg_text_add(out, is_first ? "[" : ",", 1);
        add_message_json(out, model, model->by_type[i]);
        is_first = false;
    }
    cg_text_format(out, "%s]", is_first ? "[" : "");
    if (only == NULL) add_plans(out, model);
    cg_text_add(out, "}\n", 2);
}
