#include "codegen/report_facts.h"
#include "codegen/build.h"
#include "codegen/strides.h"

#include <string.h>

enum { STRIDES_MAX = 64, POW2_LEAST = 64 };

uint32_t cg_report_to_next(const cg_message *message) { return message->class_size - message->held; }

uint32_t cg_report_over(const cg_model *model, const cg_message *message) {
    uint32_t below = 0;
    if (strcmp(model->strategy, "pow2") == 0)
        below = message->class_size > model->min_class ? message->class_size / 2 : 0;
    else if (message->class_ix != 0)
        below = model->classes[message->class_ix - 1].size;
    return below == 0 ? 0 : message->held - below;
}

bool cg_report_is_just_over(const cg_model *model, const cg_message *message) {
    const uint32_t over = cg_report_over(model, message);
    return over != 0 && over <= message->class_size / 16;
}

uint64_t cg_report_idle_bytes(const cg_class *class_) {
    const uint64_t two = 2 * (uint64_t)class_->size;
    return class_->idle_bytes < two ? two : class_->idle_bytes;
}

static double out_on_average(const cg_message *message) { return message->rate * (double)message->hold_ns / 1e9; }

/* Rates and times are bounded: the product is below 2^57. */
static uint64_t rounded_up(double value) {
    const uint64_t whole = (uint64_t)value;
    return whole + ((double)whole < value ? 1 : 0);
}

uint64_t cg_report_buffers(const cg_message *message) { return rounded_up(out_on_average(message)); }

uint64_t cg_report_class_buffers(const cg_class *class_) {
    double sum = 0;
    for (size_t i = 0; i < class_->message_count; i++) sum += out_on_average(class_->messages[i]);
    return rounded_up(sum);
}

/* ---- plans ------------------------------------------------------------------------------------------------------ */

typedef struct planner {
    cg_arena *arena;
    const cg_model *model;
    const cg_need *needs;
    double used; /* the weighted bytes of all needs */
    cg_plan *plans;
    size_t count;
} planner;

static void add(planner *p, const char *strategy, size_t class_count, double waste) {
    const double all = waste + p->used;
    p->plans = cg_arena_grow(p->arena, p->plans, p->count, sizeof(cg_plan));
    p->plans[p->count++] = (cg_plan){.strategy = strategy,
                                     .class_count = class_count,
                                     .waste = all > 0 ? waste / all : 0,
                                     .is_current = strcmp(strategy, p->model->strategy) == 0};
}

static void add_strides(planner *p, const char *strategy, const uint32_t *strides, size_t count) {
    add(p, strategy, count, cg_strides_waste(p->needs, p->model->message_count, strides, count));
}

static void add_list(planner *p) {
    uint32_t strides[STRIDES_MAX];
    for (size_t i = 0; i < p->model->class_count; i++) strides[i] = p->model->classes[i].size;
    add_strides(p, "list", strides, p->model->class_count);
}

/* As classes.c chooses them. */
static void add_powers(planner *p) {
    const bool is_given = strcmp(p->model->strategy, "pow2") == 0;
    uint32_t strides[CG_POWERS_MAX];
    const size_t count =
        cg_strides_powers(p->needs, p->model->message_count, is_given ? p->model->min_class : POW2_LEAST, strides);
    add_strides(p, "pow2", strides, count);
}

static void add_best(planner *p) {
    const bool is_auto = strncmp(p->model->strategy, "auto:", 5) == 0;
    const size_t own = is_auto ? p->model->class_count : 0;
    const size_t most = own > CG_PLANS_MAX ? own : CG_PLANS_MAX;
    const cg_strides best = cg_strides_find(p->arena, p->needs, p->model->message_count, most);
    for (size_t level = 1; level <= best.level_count; level++) {
        const bool is_own = level == own;
        if (level > CG_PLANS_MAX && !is_own) continue;
        add(p, is_own ? p->model->strategy : cg_arena_format(p->arena, "auto:%zu", level), level,
            best.waste[level - 1]);
    }
}

cg_plan *cg_report_plans(cg_arena *arena, const cg_model *model, size_t *count) {
    planner p = {.arena = arena, .model = model, .needs = cg_needs_of(arena, model)};
    for (size_t i = 0; i < model->message_count; i++) {
        const double used = p.needs[i].weight * p.needs[i].bytes;
        p.used += used;
    }
    if (strcmp(model->strategy, "list") == 0) add_list(&p);
    add_powers(&p);
    add_best(&p);
    *count = p.count;
    return p.plans;
}
