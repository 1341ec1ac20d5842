#include "codegen/command.h"
#include "codegen/outputs.h"

#include <stdio.h>

static const char head[] =
    "bufpool lock 1\n"
    "# What published versions look like on the wire. Written by `bufpoolc publish`; commit it, do "
    "not edit it.\n";

static cg_text published_words(const cg_job *job, const cg_model *model, const char *path, size_t count) {
    cg_text text = {.arena = job->arena};
    cg_text_format(&text, "%s: version %u of %s is published: %zu %s new or changed\n", path, model->version,
                   model->own_name, count, count == 1 ? "entry is" : "entries are");
    return text;
}

static cg_status say_nothing_new(const cg_job *job, const cg_model *model, const char *path) {
    cg_text text = {.arena = job->arena};
    cg_text_format(&text, "%s: version %u of %s is already published\n", path, model->version, model->own_name);
    return cg_print(&text);
}

/* The lock as it was, whole, with one more version. Nothing is allocated once it is written: who is told that memory
 * ran out can be sure that nothing was published. */
static cg_status append(const cg_job *job, const cg_model *model, const char *path) {
    size_t count = 0;
    const cg_lock_line *changes = cg_lock_changes(job->arena, model, job->lock, &count);
    cg_text text = {.arena = job->arena};
    const cg_outputs outputs = {.arena = job->arena, .is_durable = true};
    if (job->lock == NULL)
        cg_text_add(&text, head, sizeof head - 1);
    else
        cg_text_add(&text, job->lock->source->text, job->lock->source->length);
    cg_lock_write(&text, model, job->lock, changes, count);
    const cg_text words = published_words(job, model, path, count);
    const cg_status status = cg_outputs_write_file(&outputs, path, text.data, text.length);
    return status != CG_OK ? status : cg_print(&words);
}

cg_status cg_command_publish(cg_job *job) {
    cg_status status = CG_OK;
    const char *own_path = cg_lock_path(job->arena, job->options.operands[0]);
    const char *path = job->options.lock != NULL ? job->options.lock : own_path;
    if (path == NULL) {
        fputs("bufpoolc: a contract on standard input has no lock beside it: --lock FILE\n", stderr);
        return CG_USAGE;
    }
    const cg_model *model = cg_job_compile(job, &status);
    if (model == NULL) return status;
    /* The same version with other content is among the errors of a compiled contract. */
    const bool is_published = job->lock != NULL && job->lock->version == model->version;
    return is_published ? say_nothing_new(job, model, path) : append(job, model, path);
}
