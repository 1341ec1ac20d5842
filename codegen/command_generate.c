#include "codegen/command.h"
#include "codegen/emit.h"

#include <stdio.h>
#include <string.h>

/* What one run writes, and where. */
typedef struct generation {
    const cg_job *job;
    const cg_model *model;
    cg_outputs outputs;
    const char *directory;
    bool is_to_stdout;
} generation;

static cg_status refuse(const char *why) {
    fprintf(stderr, "bufpoolc: %s\nsee bufpoolc generate --help\n", why);
    return CG_USAGE;
}

/* ---- what is asked for ------------------------------------------------------------------------------------------ */

/* Adds the parts of a list of words with commas between them; NULL is none. */
static cg_status read_parts(cg_arena *arena, const char *list, unsigned *bits) {
    while (list != NULL && *list != '\0') {
        const size_t length = strcspn(list, ",");
        const char *word = cg_arena_copy(arena, list, length);
        cg_guess guess = cg_guess_of(word);
        unsigned found = 0;
        for (size_t i = 0; i < cg_part_count; i++) {
            if (strcmp(cg_parts[i].word, word) == 0) found = cg_parts[i].bits;
            cg_guess_offer(&guess, cg_parts[i].word);
        }
        if (found == 0) {
            return refuse(cg_arena_format(arena, "nothing that can be written is called '%s'%s", word,
                                          cg_guess_text(&guess, arena)));
        }
        *bits |= found;
        list += length + (list[length] == ',');
    }
    return CG_OK;
}

/* Options that say two things about one. */
static cg_status check_options(const cg_options *options) {
    const bool is_stdout = options->output != NULL && strcmp(options->output, "-") == 0;
    const bool is_json = strcmp(options->format, "json") == 0;
    if (options->output != NULL && options->directory != NULL)
        return refuse("-o and --out-dir both say where to write");
    if (is_stdout && options->is_checking) return refuse("--check has nothing to compare with -o -");
    if (is_json && (is_stdout || options->is_listing)) {
        return refuse("--format json needs standard output for itself");
    }
    if (is_stdout && options->has_depfile && options->depfile_target == NULL) {
        return refuse("with -o - the target of -MD is not known: name it with -MT");
    }
    return CG_OK;
}

static cg_status choose_parts(const cg_job *job, unsigned *parts) {
    const cg_options *options = &job->options;
    *parts = options->only == NULL ? CG_PARTS_DEFAULT : 0;
    cg_status status = check_options(options);
    if (status == CG_OK) status = read_parts(job->arena, options->only, parts);
    if (status == CG_OK) status = read_parts(job->arena, options->with, parts);
    return status == CG_OK && *parts == 0 ? refuse("--only names nothing") : status;
}

/* Renders the parts and says where they go. */
static cg_status render(generation *g, unsigned parts) {
    const cg_options *options = &g->job->options;
    const cg_status status = cg_emit(g->model, parts, &g->outputs);
    if (status != CG_OK) {
        fprintf(stderr, "bufpoolc: %s\n", g->outputs.error == NULL ? "the templates failed" : g->outputs.error);
        return status;
    }
    g->directory = options->directory == NULL ? "." : options->directory;
    if (options->output == NULL) return CG_OK;
    if (g->outputs.count != 1) return refuse("-o takes one file: choose it with --only, as --only messages.h");
    g->is_to_stdout = strcmp(options->output, "-") == 0;
    g->directory = cg_path_directory(g->job->arena, options->output);
    g->outputs.items[0].name = cg_path_name(options->output);
    return CG_OK;
}

/* ---- what make is told ------------------------------------------------------------------------------------------ */

/* A path as make reads it. */
static void add_path(cg_text *out, const char *path) {
    for (; *path != '\0'; path++) {
        if (*path == ' ' || *path == '#') cg_text_add(out, "\\", 1);
        if (*path == '$') cg_text_add(out, "$", 1);
        cg_text_add(out, path, 1);
    }
}

static const char *path_of(const generation *g, size_t i) {
    if (g->job->options.output != NULL) return g->job->options.output;
    return cg_arena_format(g->job->arena, "%s/%s", g->directory, g->outputs.items[i].name);
}

static void add_targets(cg_text *out, const generation *g) {
    if (g->job->options.depfile_target != NULL) {
        cg_text_format(out, "%s", g->job->options.depfile_target);
        return;
    }
    for (size_t i = 0; i < g->outputs.count; i++) {
        if (i != 0) cg_text_add(out, " ", 1);
        add_path(out, path_of(g, i));
    }
}

/* Adds it to what is written, so that there are all files or none. */
static void add_depfile(generation *g) {
    const cg_job *job = g->job;
    const char *const inputs[] = {job->options.operands[0], job->lock_path};
    const size_t input_count = job->lock_path == NULL ? 1 : 2;
    const size_t first = strcmp(inputs[0], "-") == 0 ? 1 : 0; /* make knows no standard input */
    const char *path = job->options.depfile;
    cg_text text = {.arena = job->arena};
    if (!job->options.has_depfile) return;
    if (path == NULL) path = cg_arena_format(job->arena, "%s/%s.d", g->directory, g->model->name.snake);
    add_targets(&text, g);
    cg_text_add(&text, ":", 1);
    for (size_t i = first; i < input_count; i++) {
        cg_text_add(&text, " ", 1);
        add_path(&text, inputs[i]);
    }
    cg_text_add(&text, "\n", 1);
    for (size_t i = first; i < input_count && job->options.is_depfile_safe; i++) {
        add_path(&text, inputs[i]);
        cg_text_add(&text, ":\n", 2);
    }
    cg_outputs_add_at(&g->outputs, path, text.data, text.length);
}

/* ---- what is done ----------------------------------------------------------------------------------------------- */

static cg_status list_outputs(const generation *g) {
    cg_text list = {.arena = g->job->arena};
    for (size_t i = 0; i < g->outputs.count; i++) cg_text_format(&list, "%s\n", path_of(g, i));
    return cg_print(&list);
}

/* Besides what is stale: what the contract once became and does not any more. */
static cg_status check(const generation *g) {
    const cg_status status = cg_outputs_check(&g->outputs, g->directory);
    if (g->job->options.output != NULL) return status;
    cg_outputs all = {.arena = g->job->arena};
    cg_emit_names(g->model, &all);
    const char *mark = cg_arena_format(g->job->arena, "/* Written by bufpoolc from %s,", g->model->file);
    const cg_status strays = cg_outputs_check_strays(&all, g->directory, mark);
    return status != CG_OK ? status : strays;
}

static cg_status write_outputs(generation *g) {
    const cg_output first = g->outputs.items[0];
    if (g->is_to_stdout) g->outputs.count = 0;
    cg_text text = {.arena = g->job->arena};
    if (g->is_to_stdout) cg_text_add(&text, first.text, first.length); /* nothing is allocated once files are written */
    add_depfile(g);
    const cg_status status = cg_outputs_write(&g->outputs, g->directory);
    return !g->is_to_stdout || status != CG_OK ? status : cg_print(&text);
}

cg_status cg_command_generate(cg_job *job) {
    generation g = {.job = job, .outputs = {.arena = job->arena}};
    unsigned parts = 0;
    cg_status status = choose_parts(job, &parts);
    if (status != CG_OK) return status;
    g.model = cg_job_compile(job, &status);
    if (g.model == NULL) return status;
    status = render(&g, parts);
    if (status != CG_OK) return status;
    if (job->options.is_listing) return list_outputs(&g);
    if (job->options.is_checking) return check(&g);
    return write_outputs(&g);
}
