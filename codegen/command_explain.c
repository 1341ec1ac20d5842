#include "codegen/command.h"
#include "codegen/compat.h"
#include "codegen/explain.h"

#include <stdio.h>

static cg_status refuse(const cg_job *job, const char *number) {
    cg_guess guess = cg_guess_of(number);
    for (size_t i = 0; i < CG_DIAG_COUNT; i++) {
        cg_guess_offer(&guess, cg_arena_format(job->arena, "%c%04u", cg_diag_kinds[i].is_warning ? 'W' : 'E',
                                               cg_diag_kinds[i].number));
    }
    fprintf(stderr, "bufpoolc: there is no diagnostic '%s'%s\n`bufpoolc explain` lists them all\n", number,
            cg_guess_text(&guess, job->arena));
    return CG_USAGE;
}

cg_status cg_command_explain(cg_job *job) {
    cg_text text = {.arena = job->arena};
    const char *number = job->options.operands[0];
    if (number == NULL) {
        cg_explain_all(&text);
        cg_verdicts_list(&text);
        return cg_print(&text);
    }
    if (cg_verdict_explain(&text, number)) return cg_print(&text);
    const cg_diag_id id = cg_diag_find(number);
    if (id == CG_DIAG_COUNT) return refuse(job, number);
    cg_explain(&text, id);
    return cg_print(&text);
}
