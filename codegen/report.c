#include "codegen/report.h"

#include <inttypes.h>
#include <string.h>

/* Bytes that the message would have to grow by to need the next larger class. */
static uint32_t to_next(const cg_message *m) { return m->class_size - m->held; }

/* Bytes by which the message is over the class below; 0 when there is none below. */
static uint32_t over_previous(const cg_model *model, const cg_message *m) {
    uint32_t below = 0;
    if (strcmp(model->strategy, "pow2") == 0)
        below = m->class_size > model->min_class ? m->class_size / 2 : 0;
    else if (m->class_ix != 0)
        below = model->classes[m->class_ix - 1].size;
    return below == 0 ? 0 : m->held - below;
}

/* At least two buffers rest, however small the budget. */
static uint64_t idle_budget(const cg_class *c) {
    const uint64_t two = 2 * (uint64_t)c->size;
    return c->idle_bytes < two ? two : c->idle_bytes;
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static void add_message_line(cg_text *out, const cg_model *model, const cg_message *m) {
    const uint32_t over = over_previous(model, m);
    cg_text_format(out, "%-24s %5u %7u %7u %7u %7u %7u", m->name.text, m->tlv_type, m->min, m->typical, m->max,
                   m->class_size, m->waste);
    if (over != 0 && over <= m->class_size / 16)
        cg_text_format(out, "  %u bytes over %u", over, m->held - over);
    cg_text_add(out, "\n", 1);
}

static void add_class_line(cg_text *out, const cg_class *c) {
    cg_text_format(out, "%7u %11" PRIu64 "  ", c->size, idle_budget(c));
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

void cg_report_text(cg_text *out, const cg_model *model, const cg_message *only) {
    cg_text_format(out, "%s version %u, classes %s\n\n", model->name.text, model->version, model->strategy);
    cg_text_format(out, "%-24s %5s %7s %7s %7s %7s %7s\n", "message", "type", "min", "typical", "max", "class",
                   "waste");
    for (size_t i = 0; i < model->message_count; i++) {
        if (only == NULL || only == model->by_type[i]) add_message_line(out, model, model->by_type[i]);
    }
    if (only != NULL) {
        add_fields_text(out, only);
        return;
    }
    cg_text_format(out, "\n%7s %11s  messages\n", "class", "idle bytes");
    for (size_t i = 0; i < model->class_count; i++) add_class_line(out, &model->classes[i]);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

static void add_string(cg_text *out, const char *text) {
    cg_text_add(out, "\"", 1);
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ') {
            cg_text_format(out, "\\u%04x", (unsigned char)*at);
            continue;
        }
        if (*at == '"' || *at == '\\') cg_text_add(out, "\\", 1);
        cg_text_add(out, at, 1);
    }
    cg_text_add(out, "\"", 1);
}

static void add_key(cg_text *out, const char *before, const char *key) {
    cg_text_format(out, "%s\"%s\":", before, key);
}

static void add_class_json(cg_text *out, const cg_class *c) {
    cg_text_format(out, "{\"size\":%u,\"messages\":[", c->size);
    for (size_t i = 0; i < c->message_count; i++) {
        if (i != 0) cg_text_add(out, ",", 1);
        add_string(out, c->messages[i]->name.text);
    }
    cg_text_format(out, "],\"idle_bytes\":%" PRIu64 "}", idle_budget(c));
}

static void add_field_json(cg_text *out, const cg_field *field) {
    const cg_type *type = field->type;
    add_key(out, "{", "name");
    add_string(out, field->name.text);
    add_key(out, ",", "type");
    add_string(out, type->spelling);
    cg_text_format(out, ",\"offset\":%u,\"size\":%u,\"tail\":%s,\"since\":%u,\"optional\":%s", field->offset,
                   type->size, type->is_tail ? "true" : "false", field->since, field->is_optional ? "true" : "false");
    if (type->element != NULL) {
        cg_text_format(out, ",\"capacity\":%u,\"element_size\":%u", type->capacity, type->element_stride);
    }
    cg_text_add(out, "}", 1);
}

static void add_message_json(cg_text *out, const cg_model *model, const cg_message *m) {
    add_key(out, "\n  {", "name");
    add_string(out, m->name.text);
    cg_text_format(
        out,
        ",\"tlv_type\":%u,\"min\":%u,\"typical\":%u,\"max\":%u,\"block\":%u,\"accept_min\":%u,\"accept_max\":%u,"
        "\"reserve\":%u,\"class\":%u,\"waste_max\":%u,\"to_next_class\":%u,\"over_previous_class\":%u,\"fields\":[",
        m->tlv_type, m->min, m->typical, m->max, m->block_size, m->accept_min, m->accept_max, m->reserve, m->class_size,
        m->waste, to_next(m), over_previous(model, m));
    for (size_t i = 0; i < m->field_count; i++) {
        if (i != 0) cg_text_add(out, ",", 1);
        add_field_json(out, &m->fields[i]);
    }
    cg_text_add(out, "]}", 2);
}

void cg_report_json(cg_text *out, const cg_model *model, const cg_message *only) {
    bool is_first = true;
    add_key(out, "{\"schema\":{", "name");
    add_string(out, model->name.text);
    cg_text_format(out, ",\"id\":%u,\"version\":%u},\"strategy\":\"%s\",\"classes\":[", model->id, model->version,
                   model->strategy);
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
    cg_text_format(out, "%s]}\n", is_first ? "[" : "");
}
