/* codegen/report_facts.h: the numbers that every form of the report shows.
 *
 *     held     what a message's class must hold: the longest value of any version, and the reserve
 *     over     bytes by which that is above the next smaller class
 *     buffers  how many are out on average: rate times hold (Little's law)
 *     plan     a way to choose classes, and the share of their bytes that even the longest values would not use, each
 *              message weighted by its rate */
#ifndef BUFPOOL_CODEGEN_REPORT_FACTS_H
#define BUFPOOL_CODEGEN_REPORT_FACTS_H

#include "codegen/arena.h"
#include "codegen/model.h"

enum { CG_PLANS_MAX = 16 /* levels of auto:K that are compared */ };

/* Bytes that the message can still grow by in its class. */
uint32_t cg_report_to_next(const cg_message *message);

/* Bytes by which the message is over the class below; 0 when there is none below. */
uint32_t cg_report_over(const cg_model *model, const cg_message *message);

/* Whether those are so few that somebody would want to save them: at most a sixteenth of the class. */
bool cg_report_is_just_over(const cg_model *model, const cg_message *message);

/* What automatic trim leaves of a class: at least two buffers, however small the budget. */
uint64_t cg_report_idle_bytes(const cg_class *class_);

/* Buffers that are out on average, rounded up; 0 when the rate or the time is not known. Of a class those of its
 * messages together. */
uint64_t cg_report_buffers(const cg_message *message);
uint64_t cg_report_class_buffers(const cg_class *class_);

typedef struct cg_plan {
    const char *strategy; /* "pow2", "auto:3"; "list" for the contract's own */
    size_t class_count;
    double waste;    /* 0 .. 1 */
    bool is_current; /* what the contract says */
} cg_plan;

/* The plans that there are: the contract's own first when it is a list, pow2, then auto:1, auto:2 and so on, as far as
 * they differ; the contract's own auto:K besides when it is beyond them. */
cg_plan *cg_report_plans(cg_arena *arena, const cg_model *model, size_t *count);

#endif
