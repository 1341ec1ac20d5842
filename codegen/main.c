/* bufpoolc: reads one contract, checks it, and writes what it says: generated files or a report. */
#include "codegen/build.h"
#include "codegen/emit.h"
#include "codegen/options.h"
#include "codegen/report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

typedef struct job {
    cg_arena *arena;
    cg_options options;
    cg_status status;
} job;

static cg_status print(const char *text, size_t length) {
    if (fwrite(text, 1, length, stdout) == length && fflush(stdout) == 0) return CG_OK;
    fprintf(stderr, "bufpoolc: stdout: %s\n", strerror(errno));
    return CG_FAILED;
}

/* ---- generate --------------------------------------------------------------------------------------------------- */

static cg_status list_outputs(const job *j, const cg_outputs *outputs) {
    cg_text list = {.arena = j->arena};
    for (size_t i = 0; i < outputs->count; i++) {
        cg_text_format(&list, "%s/%s\n", j->options.directory, outputs->items[i].name);
    }
    return print(list.data, list.length);
}

/* A path as make reads it. */
static void add_path(cg_text *out, const char *path) {
    for (; *path != '\0'; path++) {
        if (*path == ' ' || *path == '#') cg_text_add(out, "\\", 1);
        if (*path == '$') cg_text_add(out, "$", 1);
        cg_text_add(out, path, 1);
    }
}

static void add_targets(cg_text *out, const job *j, const cg_outputs *outputs) {
    if (j->options.depfile_target != NULL) {
        cg_text_format(out, "%s", j->options.depfile_target);
        return;
    }
    for (size_t i = 0; i < outputs->count; i++) {
        if (i != 0) cg_text_add(out, " ", 1);
        add_path(out, cg_arena_format(j->arena, "%s/%s", j->options.directory, outputs->items[i].name));
    }
}

static cg_status write_depfile(const job *j, const cg_outputs *outputs, const cg_model *model) {
    cg_text text = {.arena = j->arena};
    const char *path = j->options.depfile;
    if (!j->options.has_depfile) return CG_OK;
    if (path == NULL) path = cg_arena_format(j->arena, "%s/%s.d", j->options.directory, model->name.snake);
    const char *slash = strrchr(path, '/');
    const char *directory = slash == NULL ? "." : cg_arena_copy(j->arena, path, (size_t)(slash - path));
    cg_outputs depfile = {.arena = j->arena};
    add_targets(&text, j, outputs);
    cg_text_add(&text, ": ", 2);
    add_path(&text, j->options.file);
    cg_text_add(&text, "\n", 1);
    if (j->options.is_depfile_safe) {
        add_path(&text, j->options.file);
        cg_text_add(&text, ":\n", 2);
    }
    cg_outputs_add(&depfile, slash == NULL ? path : slash + 1, text.data, text.length);
    return cg_outputs_write(&depfile, slash == path ? "/" : directory);
}

static cg_status generate(const job *j, const cg_model *model) {
    cg_outputs outputs = {.arena = j->arena};
    cg_status status = cg_emit(model, CG_PARTS_DEFAULT, &outputs);
    if (status != CG_OK) {
        fprintf(stderr, "bufpoolc: %s\n", outputs.error == NULL ? "the templates failed" : outputs.error);
        return status;
    }
    if (j->options.is_listing) return list_outputs(j, &outputs);
    if (j->options.is_checking) return cg_outputs_check(&outputs, j->options.directory);
    status = cg_outputs_write(&outputs, j->options.directory);
    return status != CG_OK ? status : write_depfile(j, &outputs, model);
}

/* ---- report ----------------------------------------------------------------------------------------------------- */

/* The message that was asked for, by its name or as C spells it; NULL when there is none. */
static const cg_message *find_message(const cg_model *model, const char *name) {
    for (size_t i = 0; i < model->message_count; i++) {
        const cg_message *message = &model->messages[i];
        if (strcmp(message->name.text, name) == 0 || strcmp(message->name.snake, name) == 0) return message;
    }
    return NULL;
}

static cg_status report(const job *j, const cg_model *model) {
    cg_text text = {.arena = j->arena};
    const cg_message *only = NULL;
    if (j->options.message != NULL && (only = find_message(model, j->options.message)) == NULL) {
        cg_guess guess = cg_guess_of(j->options.message);
        for (size_t i = 0; i < model->message_count; i++) cg_guess_offer(&guess, model->messages[i].name.text);
        fprintf(stderr, "bufpoolc: the contract has no message '%s'%s\n", j->options.message,
                cg_guess_text(&guess, j->arena));
        return CG_USAGE;
    }
    (j->options.is_json ? cg_report_json : cg_report_text)(&text, model, only);
    return print(text.data, text.length);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static void print_diags(cg_diags *diags) {
    if (diags->count == 0) return;
    fputs(cg_diags_print(diags), stderr);
    fprintf(stderr, "%s: %zu error%s, %zu warning%s\n", diags->source->path, diags->error_count,
            diags->error_count == 1 ? "" : "s", diags->warning_count, diags->warning_count == 1 ? "" : "s");
}

static void run(void *user) {
    job *j = user;
    cg_source *source = NULL;
    cg_diags diags = {.arena = j->arena, .is_warning_error = j->options.is_warning_error};
    j->status = cg_source_read(j->arena, j->options.file, &source);
    if (j->status != CG_OK) return;
    const cg_model *model = cg_compile(j->arena, source, j->options.prefix, &diags);
    print_diags(&diags);
    j->status = model == NULL ? CG_WRONG : CG_OK;
    if (model == NULL || j->options.command == CG_COMMAND_CHECK) return;
    j->status = j->options.command == CG_COMMAND_REPORT ? report(j, model) : generate(j, model);
}

int main(int count, char **arguments) {
    job j = {.arena = NULL};
    const cg_status status = cg_options_read(count, arguments, &j.options);
    if (status != CG_OK || j.options.command == CG_COMMAND_NONE) return (int)status;
    j.arena = cg_arena_new();
    if (j.arena == NULL || !cg_arena_attempt(j.arena, run, &j)) {
        fputs("bufpoolc: out of memory\n", stderr);
        j.status = CG_FAILED;
    }
    cg_arena_free_take(&j.arena);
    return (int)j.status;
}
