#include "codegen/command.h"
#include "codegen/build.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

cg_status cg_print(const cg_text *text) {
    if (fwrite(text->data, 1, text->length, stdout) == text->length && fflush(stdout) == 0) return CG_OK;
    fprintf(stderr, "bufpoolc: stdout: %s\n", strerror(errno));
    return CG_FAILED;
}

static void print_diags(cg_diags *diags) {
    if (diags->count == 0) return;
    fputs(cg_diags_print(diags), stderr);
    fprintf(stderr, "%s: %zu error%s, %zu warning%s\n", diags->source->path, diags->error_count,
            diags->error_count == 1 ? "" : "s", diags->warning_count, diags->warning_count == 1 ? "" : "s");
}

const cg_model *cg_job_compile(cg_job *job, cg_status *status) {
    cg_source *source = NULL;
    cg_diags diags = {.arena = job->arena, .is_warning_error = job->options.is_warning_error};
    *status = cg_source_read(job->arena, job->options.operands[0], &source);
    if (*status != CG_OK) return NULL;
    const cg_model *model = cg_compile(job->arena, source, job->options.prefix, &diags);
    print_diags(&diags);
    *status = model == NULL ? CG_WRONG : CG_OK;
    return model;
}

cg_status cg_command_check(cg_job *job) {
    cg_status status = CG_OK;
    (void)cg_job_compile(job, &status);
    return status;
}

cg_status cg_run(cg_arena *arena, int count, char **arguments) {
    static cg_status (*const commands[])(cg_job *job) = {
#define CG_COMMAND(id, name, function, least, most, operands, text) cg_command_##function,
#include "codegen/commands.def"
#undef CG_COMMAND
    };
    cg_job job = {.arena = arena};
    const cg_status status = cg_options_read(arena, count, arguments, &job.options);
    if (status != CG_OK || job.options.command == CG_COMMAND_NONE) return status;
    return commands[job.options.command](&job);
}
