#define _POSIX_C_SOURCE 200809L
#include "codegen/command.h"
#include "codegen/build.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

cg_status cg_print(const cg_text *text) {
    if (fwrite(text->data, 1, text->length, stdout) == text->length && fflush(stdout) == 0) return CG_OK;
    fprintf(stderr, "bufpoolc: stdout: %s\n", strerror(errno));
    return CG_FAILED;
}

static bool is_said(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0';
}

/* https://no-color.org, and terminals that know no colours. */
bool cg_job_is_colored(const cg_job *job, int stream) {
    const cg_options *options = &job->options;
    if (strcmp(options->color, "auto") != 0) return strcmp(options->color, "always") == 0;
    const char *terminal = getenv("TERM");
    const bool is_dumb = terminal == NULL || strcmp(terminal, "dumb") == 0;
    return !is_said("NO_COLOR") && !is_dumb && isatty(stream) == 1;
}

/* Formats of reports and of compat are their own, and other commands have none: what is wrong with their contract is
 * told in words. */
static bool is_json(const cg_job *job) {
    const cg_command command = job->options.command;
    if (job->options.format == NULL || command == CG_COMMAND_REPORT || command == CG_COMMAND_COMPAT) return false;
    return strcmp(job->options.format, "json") == 0;
}

cg_status cg_job_say(const cg_job *job, cg_diags *diags, const char *path) {
    cg_text text = {.arena = job->arena};
    if (is_json(job)) {
        cg_text_format(&text, "%s", cg_diags_json(diags, path));
        return cg_print(&text);
    }
    if (diags->count == 0) return CG_OK;
    diags->is_colored = cg_job_is_colored(job, STDERR_FILENO);
    fputs(cg_diags_print(diags), stderr);
    fputs(cg_diags_summary(diags, path), stderr);
    return CG_OK;
}

/* Reads the lock when there is one. CG_WRONG when it is no lock: that is in diags. */
static cg_status read_lock(cg_job *job, cg_diags *diags) {
    const cg_options *options = &job->options;
    const char *path = options->lock != NULL ? options->lock : cg_lock_path(job->arena, options->operands[0]);
    cg_source *source = NULL;
    const bool may_lack = options->lock == NULL || options->command == CG_COMMAND_PUBLISH;
    if (path == NULL || options->is_unlocked || (may_lack && access(path, F_OK) != 0)) return CG_OK;
    if (cg_source_read(job->arena, path, &source) != CG_OK) return CG_FAILED;
    job->lock_path = path;
    job->lock = cg_lock_read(job->arena, source, diags);
    return job->lock == NULL ? CG_WRONG : CG_OK;
}

const cg_model *cg_job_compile(cg_job *job, cg_status *status) {
    cg_source *source = NULL;
    cg_diags diags = {.arena = job->arena, .is_warning_error = job->options.is_warning_error};
    *status = cg_source_read(job->arena, job->options.operands[0], &source);
    if (*status != CG_OK) return NULL;
    job->source = diags.source = source;
    *status = read_lock(job, &diags);
    if (*status == CG_FAILED) return NULL;
    /* What is wrong with the contract itself is said even when its lock cannot be read. */
    const cg_model *model = cg_compile_locked(job->arena, source, job->lock, job->options.prefix, &diags);
    *status = cg_job_say(job, &diags, job->options.operands[0]);
    if (*status != CG_OK) return NULL;
    *status = model == NULL ? CG_WRONG : CG_OK;
    return model;
}

cg_status cg_command_check(cg_job *job) {
    cg_status status = CG_OK;
    (void)cg_job_compile(job, &status);
    return status;
}

/* Standard input can be read once: by the contract, its lock, the older contract of compat, or the frames of decode. */
static bool reads_input_twice(const cg_options *options) {
    const char *operand = options->operands[1] == NULL ? "-" : options->operands[1];
    const char *frames = options->command == CG_COMMAND_DECODE ? operand : NULL;
    const char *const inputs[] = {options->operands[0], options->lock, options->against, frames};
    unsigned count = 0;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        count += inputs[i] != NULL && strcmp(inputs[i], "-") == 0;
    }
    return count > 1;
}

cg_status cg_run(cg_arena *arena, int count, char **arguments) {
    static cg_status (*const commands[])(cg_job * job) = {
#define CG_COMMAND(id, name, function, least, most, operands, text) cg_command_##function,
#include "codegen/commands.def"
#undef CG_COMMAND
    };
    cg_job job = {.arena = arena};
    const cg_status status = cg_options_read(arena, count, arguments, &job.options);
    if (status != CG_OK || job.options.command == CG_COMMAND_NONE) return status;
    if (reads_input_twice(&job.options)) {
        fputs("bufpoolc: two inputs are standard input: name a file for one of them\n", stderr);
        return CG_USAGE;
    }
    return commands[job.options.command](&job);
}
