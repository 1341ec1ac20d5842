#define _POSIX_C_SOURCE 200809L
/* Writes C that makes instances of every message of a contract, for tests that must not know the contract:
 *
 *     sampler CONTRACT TEMPLATE…
 *
 * renders the first template with the names of docs/TEMPLATES.md; it may include the others. */
#include "codegen/build.h"
#include "codegen/emit.h"
#include "codegen/template.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The compiler's own templates are not needed, but emit.c speaks of them. */
const cg_template_source cg_templates[] = {{"", ""}};
const size_t cg_template_count = 0;

enum { TEMPLATES_MAX = 16 };

struct job {
    cg_arena *arena;
    const char *contract;
    const char *const *paths;
    size_t path_count;
    bool is_ok;
};

/* "tests/sampler/samples.h.tmpl" is called "samples.h". */
static const char *template_name(cg_arena *arena, const char *path) {
    const char *const slash = strrchr(path, '/');
    const char *const base = slash == NULL ? path : slash + 1;
    const char *const end = strstr(base, ".tmpl");
    return cg_arena_copy(arena, base, end == NULL ? strlen(base) : (size_t)(end - base));
}

static bool render(const struct job *job, const cg_model *model) {
    cg_template_source sources[TEMPLATES_MAX];
    cg_template_set set;
    cg_template_error error;
    for (size_t i = 0; i < job->path_count; i++) {
        cg_source *source = NULL;
        if (cg_source_read(job->arena, job->paths[i], &source) != CG_OK) return false;
        sources[i] = (cg_template_source){template_name(job->arena, job->paths[i]), source->text};
    }
    cg_template_set_init(&set, job->arena, sources, job->path_count);
    const char *const text = cg_render(&set, sources[0].name, cg_emit_values(model, job->arena), &error);
    if (text != NULL) return fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    fprintf(stderr, "sampler: %s, line %zu: %s\n", error.template_name, error.line, error.text);
    return false;
}

/* What is published of the contract, as bufpoolc reads it. False when that cannot be read. */
static bool read_lock(const struct job *job, cg_diags *diags, const cg_lock **out) {
    const char *const path = cg_lock_path(job->arena, job->contract);
    cg_source *source = NULL;
    if (access(path, F_OK) != 0) return true;
    if (cg_source_read(job->arena, path, &source) != CG_OK) return false;
    *out = cg_lock_read(job->arena, source, diags);
    return *out != NULL;
}

static void work(void *user) {
    struct job *const job = user;
    cg_source *source = NULL;
    cg_diags diags = {.arena = job->arena};
    if (cg_source_read(job->arena, job->contract, &source) != CG_OK) return;
    const cg_lock *lock = NULL;
    if (!read_lock(job, &diags, &lock)) return;
    const cg_model *const model = cg_compile_locked(job->arena, source, lock, NULL, &diags);
    fputs(cg_diags_print(&diags), stderr);
    job->is_ok = model != NULL && render(job, model);
}

int main(int argc, char **argv) {
    struct job job = {.paths = (const char *const *)&argv[2], .path_count = (size_t)argc - 2};
    if (argc < 3 || job.path_count > TEMPLATES_MAX) return 2;
    job.contract = argv[1];
    job.arena = cg_arena_new();
    if (job.arena == NULL || !cg_arena_attempt(job.arena, work, &job)) fputs("sampler: out of memory\n", stderr);
    cg_arena_free_take(&job.arena);
    return job.is_ok ? 0 : 1;
}
