/* Holds what was generated for one random contract against the interpreter:
 *
 *     random-check CONTRACT SEED ROUNDS
 *
 * The layout is computed a second time; smallest and largest instances are as large as the constants say; random
 * instances, and bytes that nobody wrote, are the same to both. Linked with the generated code of schema rnd. */
#include "codegen/build.h"
#include "tests/support/agree.h"
#include "tests/support/mutate.h"
#include "tests/support/naive_layout.h"

#include "rnd_samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct job {
    const char *path;
    uint64_t seed;
    unsigned rounds;
    cg_arena *arena;
    const cg_model *model;
    const char *failed; /* what does not hold */
} job;

/* One message of both sides. */
typedef struct subject {
    job *job;
    bpt_pair pair;
    void *instance;
    uint8_t *value;
    uint32_t length;
} subject;

static void fail(subject *s, const char *what) {
    if (s->job->failed != NULL || what == NULL) return;
    s->job->failed = cg_arena_format(s->job->arena, "%s: %s", s->pair.generated->name, what);
}

/* Bytes in memory of exactly their size, so that a sanitizer finds what reads behind them. */
static void compare(subject *s, const uint8_t *bytes, size_t length) {
    uint8_t *const exact = malloc(length == 0 ? 1 : length);
    if (exact == NULL) abort();
    if (length != 0) memcpy(exact, bytes, length);
    const cg_arena_mark mark = cg_arena_set_mark(s->job->arena);
    const char *const difference = bpt_disagreement(s->job->arena, &s->pair, exact, length);
    if (difference == NULL) cg_arena_rewind(s->job->arena, &mark);
    free(exact);
    fail(s, difference);
}

static void fill(subject *s, sample_kind kind) {
    const sample_message *const generated = s->pair.generated;
    generated->fill(s->instance, kind, &s->job->seed);
    const bp_err err = generated->encode(s->instance, s->value, generated->max, &s->length);
    if (err != BP_OK) fail(s, cg_arena_format(s->job->arena, "does not encode: %s", bp_err_name(err)));
    compare(s, s->value, s->length);
    if (s->job->failed != NULL) return;
    if (generated->decode(s->value, s->length, s->pair.decoded) != BP_OK) fail(s, "does not decode");
    if (generated->view_init(s->value, s->length, s->pair.view) != BP_OK) fail(s, "has no view");
    if (!generated->equal(s->instance, s->pair.decoded)) fail(s, "is another one when decoded");
    if (!generated->view_equal(s->pair.view, s->instance)) fail(s, "is another one when viewed");
}

static void check_extremes(subject *s) {
    fill(s, SAMPLE_EMPTY);
    if (s->length != s->pair.generated->min) fail(s, "the smallest instance does not have MIN bytes");
    fill(s, SAMPLE_FULL);
    if (s->length != s->pair.generated->max) fail(s, "the largest instance does not have MAX bytes");
}

static void check_mutations(subject *s, unsigned count) {
    const sample_message *const generated = s->pair.generated;
    uint8_t *const bytes = malloc((size_t)generated->accept_max + 1);
    if (bytes == NULL) abort();
    for (unsigned i = 0; i < count && s->job->failed == NULL; i++) {
        memcpy(bytes, s->value, s->length);
        compare(s, bytes, bpt_mutate(bytes, s->length, generated->accept_max, generated->block, &s->job->seed));
    }
    free(bytes);
}

static void check_cuts(subject *s) {
    for (uint32_t length = 0; length < s->length; length += 1 + s->length / 64) compare(s, s->value, length);
}

static void check_message(subject *s) {
    const unsigned divisor = s->pair.generated->max > 65536 ? 8 : 1;
    s->instance = cg_arena_alloc(s->job->arena, s->pair.generated->struct_size);
    s->value = cg_arena_alloc(s->job->arena, (size_t)s->pair.generated->max + 1);
    check_extremes(s);
    check_mutations(s, 8);
    for (unsigned round = 0; round <= s->job->rounds / divisor && s->job->failed == NULL; round++) {
        fill(s, SAMPLE_RANDOM);
        if (round == 0) check_cuts(s);
        check_mutations(s, 16);
    }
}

static void check_rules(subject *s) {
    for (uint32_t rule = 0; s->job->failed == NULL; rule++) {
        s->pair.generated->fill(s->instance, SAMPLE_RANDOM, &s->job->seed);
        if (s->pair.generated->spoil(s->instance, rule) == NULL) break;
        if (s->pair.generated->encode(s->instance, s->value, s->pair.generated->max, &s->length) != BP_OK) continue;
        compare(s, s->value, s->length);
    }
}

static const cg_model *compile(job *j) {
    cg_source *source = NULL;
    cg_diags diags = {.arena = j->arena};
    if (cg_source_read(j->arena, j->path, &source) != CG_OK) return NULL;
    const cg_model *const model = cg_compile(j->arena, source, NULL, &diags);
    if (model == NULL) fputs(cg_diags_print(&diags), stderr);
    return model;
}

static void work(void *user) {
    job *const j = user;
    j->model = compile(j);
    j->failed = j->model == NULL ? "the contract does not compile" : bpt_layout_difference(j->arena, j->model);
    for (size_t i = 0; i < RND_SAMPLE_COUNT && j->failed == NULL; i++) {
        subject s = {.job = j};
        s.pair = bpt_pair_of(j->arena, &rnd_samples[i], j->model->by_type[i]);
        if (rnd_samples[i].type != j->model->by_type[i]->tlv_type) fail(&s, "is not where its type says");
        check_message(&s);
        check_rules(&s);
    }
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    job j = {.path = argv[1], .seed = strtoull(argv[2], NULL, 0), .rounds = (unsigned)strtoul(argv[3], NULL, 0)};
    j.arena = cg_arena_new();
    if (j.arena == NULL || !cg_arena_attempt(j.arena, work, &j)) j.failed = "out of memory";
    if (j.failed != NULL) fprintf(stderr, "random contract %s: %s\n", argv[2], j.failed);
    const int status = j.failed == NULL ? 0 : 1;
    cg_arena_free_take(&j.arena);
    return status;
}
