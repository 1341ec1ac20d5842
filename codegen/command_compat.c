#include "codegen/build.h"
#include "codegen/command.h"
#include "codegen/compat.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static cg_level level_of(const char *word) {
    unsigned level = 0;
    while (strcmp(cg_level_name((cg_level)level), word) != 0) level++;
    return (cg_level)level;
}

/* The older contract, whose fields lie where the lock says when it knows them. */
static const cg_model *compile_older(const cg_job *job, const cg_source **source, cg_status *status) {
    cg_source *read = NULL;
    cg_diags diags = {.arena = job->arena};
    *status = cg_source_read(job->arena, job->options.against, &read);
    if (*status != CG_OK) return NULL;
    *source = read;
    const cg_lock *lock = cg_lock_for_older(job->arena, job->lock);
    const cg_model *model = cg_compile_locked(job->arena, read, lock, job->options.prefix, &diags);
    /* Its warnings are no news. */
    if (model == NULL) *status = cg_job_say(job, &diags, read->path);
    if (model == NULL && *status == CG_OK) *status = CG_WRONG;
    return model;
}

cg_status cg_command_compat(cg_job *job) {
    cg_status status = CG_OK;
    cg_compat_sources sources = {.is_colored = cg_job_is_colored(job, STDOUT_FILENO)};
    cg_text text = {.arena = job->arena};
    const cg_level level = level_of(job->options.level);
    if (job->options.against == NULL) {
        fputs("bufpoolc: compat needs the older contract: --against FILE, or - for standard input\n", stderr);
        return CG_USAGE;
    }
    const cg_model *now = cg_job_compile(job, &status);
    if (now == NULL) return status;
    const cg_model *before = compile_older(job, &sources.before, &status);
    if (before == NULL) return status;
    sources.now = job->source;
    const cg_compat *compat = cg_compat_make(job->arena, before, now);
    (strcmp(job->options.format, "json") == 0 ? cg_compat_json : cg_compat_text)(&text, compat, &sources, level);
    status = cg_print(&text);
    for (unsigned each = 0; each <= (unsigned)level && status == CG_OK; each++) {
        if (cg_compat_count(compat, (cg_level)each) != 0) status = CG_WRONG;
    }
    return status;
}
