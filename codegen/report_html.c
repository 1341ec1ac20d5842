#include "codegen/report.h"
#include "codegen/report_facts.h"
#include "codegen/report_map.h"
#include "codegen/template.h"
#include "codegen/value.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { OPEN_MAX = 12 /* messages whose tables, and members of classes that, are shown unasked */ };

/* ---- words ------------------------------------------------------------------------------------------------------ */

/* "1,234,567" */
static const char *grouped(cg_arena *arena, uint64_t number) {
    if (number < 1000) return cg_arena_format(arena, "%" PRIu64, number);
    return cg_arena_format(arena, "%s,%03" PRIu64, grouped(arena, number / 1000), number % 1000);
}

/* "1,408 B", "64 KiB" */
static const char *bytes_text(cg_arena *arena, uint64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (unit < 4 && bytes >= 8192 && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    return cg_arena_format(arena, "%s %s", grouped(arena, bytes), units[unit]);
}

static const char *time_text(cg_arena *arena, uint64_t ns) {
    static const struct {
        uint64_t ns;
        const char *unit;
    } units[] = {{1000000000, "s"}, {1000000, "ms"}, {1000, "\u00B5s"}, {1, "ns"}};
    size_t unit = 0;
    while (unit < 3 && ns < units[unit].ns) unit++;
    return cg_arena_format(arena, "%.6g %s", (double)ns / (double)units[unit].ns, units[unit].unit);
}

static const char *percent_text(cg_arena *arena, double share) {
    return cg_arena_format(arena, share < 0.0995 ? "%.1f %%" : "%.0f %%", 100 * share);
}

static void set_bytes(cg_arena *arena, cg_value *map, const char *name, uint64_t bytes) {
    cg_set_text(arena, map, name, bytes_text(arena, bytes));
}

static void set_share(cg_arena *arena, cg_value *map, const char *name, double part, double whole) {
    cg_set_format(arena, map, name, "%.2f", whole > 0 ? 100 * part / whole : 0);
}

/* "" when it is not known. */
static void set_buffers(cg_arena *arena, cg_value *map, uint64_t buffers) {
    cg_set_text(arena, map, "buffers", buffers == 0 ? "" : grouped(arena, buffers));
}

/* ---- bars ------------------------------------------------------------------------------------------------------- */

/* What a buffer is used for: block, what typical values have besides, the rest of the longest, the reserve, nothing. */
typedef struct use {
    double block, typical, max, reserve, waste;
} use;

static use use_of(const cg_message *m, double weight) {
    return (use){.block = weight * m->block_size,
                 .typical = weight * (m->typical - m->block_size),
                 .max = weight * (m->max - m->typical),
                 .reserve = weight * (m->held - m->max),
                 .waste = weight * (m->class_size - m->held)};
}

static cg_value *bar_of(cg_arena *arena, const use *u) {
    const double whole = u->block + u->typical + u->max + u->reserve + u->waste;
    cg_value *bar = cg_value_map(arena);
    set_share(arena, bar, "block", u->block, whole);
    set_share(arena, bar, "typical", u->typical, whole);
    set_share(arena, bar, "max", u->max, whole);
    set_share(arena, bar, "reserve", u->reserve, whole);
    set_share(arena, bar, "waste", u->waste, whole);
    cg_set_text(arena, bar, "used_text", percent_text(arena, whole > 0 ? (u->block + u->typical) / whole : 0));
    cg_set_text(arena, bar, "waste_text", percent_text(arena, whole > 0 ? u->waste / whole : 0));
    return bar;
}

static double weight_of(const cg_message *m) { return m->rate == 0 ? 1 : m->rate; }

static void add_use(use *sum, const cg_message *m) {
    const use added = use_of(m, weight_of(m));
    sum->block += added.block;
    sum->typical += added.typical;
    sum->max += added.max;
    sum->reserve += added.reserve;
    sum->waste += added.waste;
}

/* ---- messages --------------------------------------------------------------------------------------------------- */

static uint64_t tail_bytes(const cg_type *type, uint32_t count) { return (uint64_t)count * type->element_stride; }

static cg_value *emit_field(cg_arena *arena, const cg_field *field) {
    const cg_type *type = field->type;
    cg_value *map = cg_value_map(arena);
    cg_set_text(arena, map, "text", field->name.text);
    cg_set_text(arena, map, "type", type->spelling);
    cg_set_text(arena, map, "doc", field->description == NULL ? "" : field->description);
    cg_set_text(arena, map, "unit", field->unit == NULL ? "" : field->unit);
    cg_set_text(arena, map, "kind", field->is_retired ? "retired" : cg_report_group_kind(arena, field->group_ix));
    cg_set_text(arena, map, "offset", grouped(arena, field->offset));
    cg_set_text(arena, map, "size", grouped(arena, type->size));
    cg_set_text(arena, map, "tail", type->is_tail ? bytes_text(arena, tail_bytes(type, type->capacity)) : "");
    cg_set_text(arena, map, "since", field->since > 1 ? cg_arena_format(arena, "%u", field->since) : "");
    cg_set_flag(arena, map, "is_optional", field->is_optional);
    cg_set_flag(arena, map, "is_retired", field->is_retired);
    return map;
}

/* One run of the tail: how long it can be beside the whole tail, and how long it usually is. */
static cg_value *emit_run(cg_arena *arena, const cg_message *m, const cg_field *field) {
    const cg_type *type = field->type;
    const double longest = (double)tail_bytes(type, type->capacity);
    cg_value *map = cg_value_map(arena);
    cg_set_text(arena, map, "text", field->name.text);
    cg_set_text(arena, map, "kind", field->is_retired ? "retired" : cg_report_group_kind(arena, field->group_ix));
    set_share(arena, map, "width", longest, (double)(m->max - m->block_size));
    set_share(arena, map, "typical", field->typical, type->capacity);
    cg_set_text(arena, map, "capacity", grouped(arena, type->capacity));
    cg_set_text(arena, map, "usual", field->typical < type->capacity ? grouped(arena, field->typical) : "");
    cg_set_text(arena, map, "stride", grouped(arena, type->element_stride));
    cg_set_flag(arena, map, "has_stride", type->element_stride != 1);
    set_bytes(arena, map, "bytes", tail_bytes(type, type->capacity));
    return map;
}

static void set_lists(cg_arena *arena, cg_value *map, const cg_message *m) {
    cg_value *fields = cg_value_list(arena), *runs = cg_value_list(arena), *groups = cg_value_list(arena);
    for (size_t i = 0; i < m->field_count; i++) cg_append(arena, fields, emit_field(arena, &m->fields[i]));
    for (size_t i = 0; i < m->tail_count; i++) cg_append(arena, runs, emit_run(arena, m, m->tail[i]));
    for (size_t i = 0; i < m->group_count && m->group_count > 1; i++) {
        cg_value *group = cg_value_map(arena);
        cg_set_text(arena, group, "kind", cg_report_group_kind(arena, i));
        cg_set_number(arena, group, "since", m->groups[i].since);
        cg_set_number(arena, group, "end", m->groups[i].end);
        cg_append(arena, groups, group);
    }
    cg_set(arena, map, "fields", fields);
    cg_set(arena, map, "runs", runs);
    cg_set(arena, map, "groups", groups);
}

static void set_hint(cg_arena *arena, cg_value *map, const cg_model *model, const cg_message *m) {
    const uint32_t over = cg_report_over(model, m);
    const bool is_over = cg_report_is_just_over(model, m);
    cg_set_text(arena, map, "over", is_over ? grouped(arena, over) : "");
    cg_set_text(arena, map, "below", is_over ? grouped(arena, m->held - over) : "");
}

static cg_value *emit_message(cg_arena *arena, const cg_model *model, const cg_message *m) {
    const use used = use_of(m, 1);
    cg_value *map = cg_value_map(arena);
    cg_set_text(arena, map, "text", m->name.text);
    cg_set_text(arena, map, "id", m->name.snake);
    cg_set_number(arena, map, "type", m->tlv_type);
    cg_set_text(arena, map, "doc", m->description == NULL ? "" : m->description);
    cg_set_text(arena, map, "domain", m->domain == NULL ? "" : m->domain);
    set_bytes(arena, map, "min", m->min);
    set_bytes(arena, map, "typical", m->typical);
    set_bytes(arena, map, "max", m->max);
    set_bytes(arena, map, "block", m->block_size);
    cg_set_text(arena, map, "max_count", grouped(arena, m->max));
    cg_set_text(arena, map, "class_count", grouped(arena, m->class_size));
    set_bytes(arena, map, "class_size", m->class_size);
    set_bytes(arena, map, "waste", m->waste);
    set_bytes(arena, map, "to_next", cg_report_to_next(m));
    cg_set_text(arena, map, "reserve", m->reserve == 0 ? "" : bytes_text(arena, m->reserve));
    cg_set_text(arena, map, "accepted",
                cg_arena_format(arena, "%s to %s", grouped(arena, m->accept_min), bytes_text(arena, m->accept_max)));
    cg_set_text(arena, map, "rate", m->rate == 0 ? "" : cg_arena_format(arena, "%.6g", m->rate));
    cg_set_text(arena, map, "hold", m->hold_ns == 0 ? "" : time_text(arena, m->hold_ns));
    cg_set_flag(arena, map, "has_block", m->block_size != 0);
    set_buffers(arena, map, cg_report_buffers(m));
    set_hint(arena, map, model, m);
    set_lists(arena, map, m);
    cg_set(arena, map, "bar", bar_of(arena, &used));
    cg_set(arena, map, "map", cg_report_map(arena, m));
    return map;
}

static cg_value *emit_class(cg_arena *arena, const cg_class *c) {
    cg_value *map = cg_value_map(arena), *members = cg_value_list(arena);
    use sum = {0};
    for (size_t i = 0; i < c->message_count; i++) {
        cg_value *member = cg_value_map(arena);
        cg_set_text(arena, member, "text", c->messages[i]->name.text);
        cg_set_text(arena, member, "id", c->messages[i]->name.snake);
        cg_append(arena, members, member);
        add_use(&sum, c->messages[i]);
    }
    set_bytes(arena, map, "size", c->size);
    set_bytes(arena, map, "idle", cg_report_idle_bytes(c));
    set_buffers(arena, map, cg_report_class_buffers(c));
    cg_set_number(arena, map, "count", c->message_count);
    cg_set_flag(arena, map, "is_long", c->message_count > OPEN_MAX);
    cg_set(arena, map, "members", members);
    cg_set(arena, map, "bar", bar_of(arena, &sum));
    return map;
}

/* ---- the curve of waste over the number of classes -------------------------------------------------------------- */

enum { CURVE_WIDTH = 520, CURVE_HEIGHT = 250, CURVE_LEFT = 58, CURVE_RIGHT = 16, CURVE_TOP = 14, CURVE_BOTTOM = 34 };

/* The scale: powers of ten, from the one above the largest waste to the one below the smallest, at most five. */
typedef struct scale {
    size_t most; /* classes */
    int high, low;
} scale;

static scale scale_of(const cg_plan *plans, size_t count) {
    scale s = {.most = 1, .high = 0, .low = -1};
    for (size_t i = 0; i < count; i++) {
        if (plans[i].class_count > s.most) s.most = plans[i].class_count;
        while (s.low > -4 && plans[i].waste < pow(10, s.low)) s.low--;
    }
    return s;
}

static double x_of(const scale *s, size_t classes) {
    const double width = CURVE_WIDTH - CURVE_LEFT - CURVE_RIGHT;
    return s->most == 1 ? CURVE_LEFT + width / 2 : CURVE_LEFT + width * (double)(classes - 1) / (double)(s->most - 1);
}

static double y_of(const scale *s, double waste) {
    const double least = pow(10, s->low), clamped = waste < least ? least : waste;
    const double share = (s->high - log10(clamped)) / (s->high - s->low);
    return CURVE_TOP + (CURVE_HEIGHT - CURVE_TOP - CURVE_BOTTOM) * share;
}

static cg_value *emit_plan(cg_arena *arena, const cg_plan *plan, const scale *s) {
    cg_value *map = cg_value_map(arena);
    cg_set_text(arena, map, "text", plan->strategy);
    cg_set_number(arena, map, "count", plan->class_count);
    cg_set_text(arena, map, "waste", cg_arena_format(arena, "%.2f %%", 100 * plan->waste));
    cg_set_format(arena, map, "x", "%.1f", x_of(s, plan->class_count));
    cg_set_format(arena, map, "y", "%.1f", y_of(s, plan->waste));
    cg_set_flag(arena, map, "is_current", plan->is_current);
    cg_set_flag(arena, map, "is_auto", strncmp(plan->strategy, "auto:", 5) == 0);
    return map;
}

/* One label of an axis, at its place. */
static void add_tick(cg_arena *arena, cg_value *ticks, double at, const char *label) {
    cg_value *tick = cg_value_map(arena);
    cg_set_format(arena, tick, "at", "%.1f", at);
    cg_set_format(arena, tick, "text_at", "%.1f", at + 4);
    cg_set_text(arena, tick, "label", label);
    cg_append(arena, ticks, tick);
}

static void set_ticks(cg_arena *arena, cg_value *curve, const scale *s) {
    static const char *const powers[] = {"100 %", "10 %", "1 %", "0.1 %", "0.01 %"};
    cg_value *across = cg_value_list(arena), *up = cg_value_list(arena);
    const size_t step = 1 + (s->most - 1) / 16;
    for (size_t i = 1; i <= s->most; i += step) add_tick(arena, across, x_of(s, i), grouped(arena, i));
    for (int power = s->high; power >= s->low; power--) add_tick(arena, up, y_of(s, pow(10, power)), powers[-power]);
    cg_set(arena, curve, "across", across);
    cg_set(arena, curve, "up", up);
}

static cg_value *emit_curve(cg_arena *arena, const cg_model *model) {
    size_t count = 0;
    const cg_plan *plans = cg_report_plans(arena, model, &count);
    const scale s = scale_of(plans, count);
    cg_value *curve = cg_value_map(arena), *list = cg_value_list(arena);
    const char *line = "";
    for (size_t i = 0; i < count; i++) {
        cg_append(arena, list, emit_plan(arena, &plans[i], &s));
        if (strncmp(plans[i].strategy, "auto:", 5) != 0) continue;
        line = cg_arena_format(arena, "%s%s%.1f,%.1f", line, line[0] == '\0' ? "" : " ", x_of(&s, plans[i].class_count),
                               y_of(&s, plans[i].waste));
    }
    cg_set(arena, curve, "plans", list);
    cg_set_text(arena, curve, "line", line);
    cg_set_number(arena, curve, "width", CURVE_WIDTH);
    cg_set_number(arena, curve, "height", CURVE_HEIGHT);
    cg_set_number(arena, curve, "left", CURVE_LEFT);
    cg_set_number(arena, curve, "right", CURVE_WIDTH - CURVE_RIGHT);
    cg_set_number(arena, curve, "bottom", CURVE_HEIGHT - CURVE_BOTTOM);
    cg_set_number(arena, curve, "below", CURVE_HEIGHT - CURVE_BOTTOM + 16);
    set_ticks(arena, curve, &s);
    return curve;
}

/* ---- the page --------------------------------------------------------------------------------------------------- */

static void set_summary(cg_arena *arena, cg_value *root, const cg_model *model) {
    use sum = {0};
    uint64_t idle = 0, buffers = 0;
    for (size_t i = 0; i < model->message_count; i++) add_use(&sum, model->by_type[i]);
    for (size_t i = 0; i < model->class_count; i++) {
        idle += cg_report_idle_bytes(&model->classes[i]);
        buffers += cg_report_class_buffers(&model->classes[i]);
    }
    cg_set_text(arena, root, "message_count", grouped(arena, model->message_count));
    cg_set_number(arena, root, "class_count", model->class_count);
    set_bytes(arena, root, "idle", idle);
    cg_set_text(arena, root, "limit", model->memory_limit == 0 ? "none" : bytes_text(arena, model->memory_limit));
    set_buffers(arena, root, buffers);
    cg_set(arena, root, "bar", bar_of(arena, &sum));
}

static cg_value *emit_root(cg_arena *arena, const cg_model *model, const cg_message *only) {
    cg_value *root = cg_value_map(arena), *messages = cg_value_list(arena), *classes = cg_value_list(arena);
    cg_set_text(arena, root, "file", model->file);
    cg_set_text(arena, root, "schema", model->name.text);
    cg_set_format(arena, root, "id", "0x%" PRIX32, model->id);
    cg_set_number(arena, root, "version", model->version);
    cg_set_number(arena, root, "min_compatible", model->min_compatible);
    cg_set_text(arena, root, "strategy", model->strategy);
    cg_set_flag(arena, root, "is_open", only != NULL || model->message_count <= OPEN_MAX);
    for (size_t i = 0; i < model->message_count; i++) {
        if (only != NULL && only != model->by_type[i]) continue;
        cg_append(arena, messages, emit_message(arena, model, model->by_type[i]));
    }
    for (size_t i = 0; i < model->class_count; i++) {
        cg_append(arena, classes, emit_class(arena, &model->classes[i]));
    }
    cg_set(arena, root, "messages", messages);
    cg_set(arena, root, "classes", classes);
    cg_set_flag(arena, root, "is_whole", only == NULL);
    cg_set(arena, root, "curve", emit_curve(arena, model));
    set_summary(arena, root, model);
    return root;
}

const char *cg_report_html(cg_arena *arena, const cg_model *model, const cg_message *only, const char **error) {
    cg_template_set set;
    cg_template_error failed;
    cg_template_set_init(&set, arena, cg_templates, cg_template_count);
    const char *text = cg_render(&set, "report.html", emit_root(arena, model, only), &failed);
    if (text == NULL) {
        *error = cg_arena_format(arena, "template %s, line %zu: %s", failed.template_name, failed.line, failed.text);
    }
    return text;
}
