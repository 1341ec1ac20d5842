#include "codegen/report.h"
#include "codegen/report_facts.h"

#include <inttypes.h>

static void add_buffers(cg_text *out, uint64_t buffers) {
    if (buffers == 0)
        cg_text_format(out, " %8s", "-");
    else
        cg_text_format(out, " %8" PRIu64, buffers);
}

static void add_message_line(cg_text *out, const cg_model *model, const cg_message *m) {
    const uint32_t over = cg_report_over(model, m);
    cg_text_format(out, "%-24s %5u %7u %7u %7u %7u %7u", m->name.text, m->tlv_type, m->min, m->typical, m->max,
                   m->class_size, m->waste);
    add_buffers(out, cg_report_buffers(m));
    if (cg_report_is_just_over(model, m)) cg_text_format(out, "  %u bytes over %u", over, m->held - over);
    cg_text_add(out, "\n", 1);
}

static void add_class_line(cg_text *out, const cg_class *c) {
    cg_text_format(out, "%7u %11" PRIu64, c->size, cg_report_idle_bytes(c));
    add_buffers(out, cg_report_class_buffers(c));
    cg_text_add(out, "  ", 2);
    for (size_t i = 0; i < c->message_count; i++) {
        cg_text_format(out, "%s%s", i == 0 ? "" : ", ", c->messages[i]->name.text);
    }
    cg_text_add(out, "\n", 1);
}

static void add_field_line(cg_text *out, const cg_message *m, const cg_field *field) {
    const uint64_t tail = field->type->is_tail ? (uint64_t)field->type->capacity * field->type->element_stride : 0;
    cg_text_format(out, "%-24s %-20s %7u %7u %9" PRIu64 "", field->name.text, field->type->spelling, field->offset,
                   field->type->size, tail);
    if (field->since > 1) cg_text_format(out, "  since %u", field->since);
    if (field->is_retired) cg_text_format(out, "  retired");
    if (field->is_optional) {
        cg_text_format(out, "  optional, bit %u at %u", field->bit, m->groups[field->group_ix].bitmap_offset);
    }
    cg_text_add(out, "\n", 1);
}

static void add_fields_text(cg_text *out, const cg_message *m) {
    cg_text_format(out, "\n%-24s %-20s %7s %7s %9s\n", "field", "type", "offset", "size", "tail max");
    for (size_t i = 0; i < m->group_count; i++) {
        for (size_t k = 0; k < m->groups[i].placed_count; k++) add_field_line(out, m, m->groups[i].placed[k]);
    }
    if (m->has_block_len)
        cg_text_format(out, "%-24s %-20s %7u %7u %9u\n", "(block_len)", "u16", m->block_len_offset, 2, 0);
    cg_text_format(out, "block %u, accepted from %u to %u, reserve %u\n", m->block_size, m->accept_min, m->accept_max,
                   m->reserve);
}

/* What other classes would waste. */
static void add_plans(cg_text *out, const cg_model *model) {
    size_t count = 0;
    const cg_plan *plans = cg_report_plans(out->arena, model, &count);
    cg_text_format(out, "\n%-10s %7s %7s\n", "strategy", "classes", "waste");
    for (size_t i = 0; i < count; i++) {
        cg_text_format(out, "%-10s %7zu %5.1f %%%s\n", plans[i].strategy, plans[i].class_count, 100 * plans[i].waste,
                       plans[i].is_current ? "  the contract's" : "");
    }
}

void cg_report_text(cg_text *out, const cg_model *model, const cg_message *only) {
    cg_text_format(out, "%s version %u, classes %s\n\n", model->name.text, model->version, model->strategy);
    cg_text_format(out, "%-24s %5s %7s %7s %7s %7s %7s %8s\n", "message", "type", "min", "typical", "max", "class",
                   "waste", "buffers");
    for (size_t i = 0; i < model->message_count; i++) {
        if (only == NULL || only == model->by_type[i]) add_message_line(out, model, model->by_type[i]);
    }
    if (only != NULL) {
        add_fields_text(out, only);
        return;
    }
    cg_text_format(out, "\n%7s %11s %8s  messages\n", "class", "idle bytes", "buffers");
    for (size_t i = 0; i < model->class_count; i++) add_class_line(out, &model->classes[i]);
    add_plans(out, model);
}
