#include "codegen/command.h"
#include "codegen/emit.h"

#include <stdio.h>
#include <string.h>

static cg_status list_outputs(const cg_job *job, const cg_outputs *outputs) {
    cg_text list = {.arena = job->arena};
    for (size_t i = 0; i < outputs->count; i++) {
        cg_text_format(&list, "%s/%s\n", job->options.directory, outputs->items[i].name);
    }
    return cg_print(&list);
}

/* A path as make reads it. */
static void add_path(cg_text *out, const char *path) {
    for (; *path != '\0'; path++) {
        if (*path == ' ' || *path == '#') cg_text_add(out, "\\", 1);
        if (*path == '$') cg_text_add(out, "$", 1);
        cg_text_add(out, path, 1);
    }
}

static void add_targets(cg_text *out, const cg_job *job, const cg_outputs *outputs) {
    if (job->options.depfile_target != NULL) {
        cg_text_format(out, "%s", job->options.depfile_target);
        return;
    }
    for (size_t i = 0; i < outputs->count; i++) {
        if (i != 0) cg_text_add(out, " ", 1);
        add_path(out, cg_arena_format(job->arena, "%s/%s", job->options.directory, outputs->items[i].name));
    }
}

static cg_status write_depfile(const cg_job *job, const cg_outputs *outputs, const cg_model *model) {
    cg_text text = {.arena = job->arena};
    const char *path = job->options.depfile;
    if (!job->options.has_depfile) return CG_OK;
    if (path == NULL) path = cg_arena_format(job->arena, "%s/%s.d", job->options.directory, model->name.snake);
    const char *slash = strrchr(path, '/');
    const char *directory = slash == NULL ? "." : cg_arena_copy(job->arena, path, (size_t)(slash - path));
    cg_outputs depfile = {.arena = job->arena};
    add_targets(&text, job, outputs);
    const char *const inputs[] = {job->options.operands[0], job->lock_path};
    const size_t input_count = job->lock_path == NULL ? 1 : 2;
    cg_text_add(&text, ":", 1);
    for (size_t i = 0; i < input_count; i++) {
        cg_text_add(&text, " ", 1);
        add_path(&text, inputs[i]);
    }
    cg_text_add(&text, "\n", 1);
    for (size_t i = 0; i < input_count && job->options.is_depfile_safe; i++) {
        add_path(&text, inputs[i]);
        cg_text_add(&text, ":\n", 2);
    }
    cg_outputs_add(&depfile, slash == NULL ? path : slash + 1, text.data, text.length);
    return cg_outputs_write(&depfile, slash == path ? "/" : directory);
}

cg_status cg_command_generate(cg_job *job) {
    cg_outputs outputs = {.arena = job->arena};
    cg_status status = CG_OK;
    const cg_model *model = cg_job_compile(job, &status);
    if (model == NULL) return status;
    status = cg_emit(model, CG_PARTS_DEFAULT, &outputs);
    if (status != CG_OK) {
        fprintf(stderr, "bufpoolc: %s\n", outputs.error == NULL ? "the templates failed" : outputs.error);
        return status;
    }
    if (job->options.is_listing) return list_outputs(job, &outputs);
    if (job->options.is_checking) return cg_outputs_check(&outputs, job->options.directory);
    status = cg_outputs_write(&outputs, job->options.directory);
    return status != CG_OK ? status : write_depfile(job, &outputs, model);
}
