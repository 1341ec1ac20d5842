#define _POSIX_C_SOURCE 200809L
/* Whether verdicts about frames are true: what is said to break has a value that breaks, what is not has none among
 * many. BPT_PAIRS=200 tries more pairs than 20; BPT_SEED=7 begins elsewhere. */
#include "codegen/compat.h"
#include "tests/support/compat_judge.h"
#include "tests/unit/codegen/compile.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { TRIES = 10000, PAIRS = 20, TEXT_MAX = 1 << 16 };

static unsigned long number_from(const char *name, unsigned long otherwise) {
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtoul(text, NULL, 10);
}

static const char *describe(cg_arena *arena, const cg_model *before, const cg_model *now) {
    cg_text out = {.arena = arena};
    const cg_compat *compat = cg_compat_make(arena, before, now);
    for (size_t i = 0; i < compat->count; i++) {
        cg_text_format(&out, "  C%04u %#x %s\n", cg_verdict_kinds[compat->changes[i].verdict].number,
                       compat->changes[i].breaks, compat->changes[i].message);
    }
    return cg_text_end(&out);
}

/* HELLO judges peers before there is any value (compat_hello_test.c). */
static bool breaks_values(const cg_compat *compat, bool is_forward) {
    const unsigned level = is_forward ? CG_BREAKS_FORWARD : CG_BREAKS_WIRE;
    for (size_t i = 0; i < compat->count; i++) {
        const cg_change *change = &compat->changes[i];
        const bool is_of_peers = change->verdict == CG_C_SCHEMA_ID || change->verdict == CG_C_HELLO;
        if (!is_of_peers && (change->breaks & level) != 0) return true;
    }
    return false;
}

static void check_way(cg_arena *arena, const cg_model *before, const cg_model *now, bool is_forward, const char *what,
                      uint64_t seed) {
    bpt_judge judge = {.before = before, .now = now, .is_forward = is_forward, .random = {.state = seed | 1}};
    const cg_compat *compat = cg_compat_make(arena, before, now);
    const bool is_broken = breaks_values(compat, is_forward);
    char *witness = bpt_judge_search(&judge, TRIES);
    ck_assert_msg((witness != NULL) == is_broken, "%s, %s: compat says\n%s, but %s", what,
                  is_forward ? "forward" : "wire", describe(arena, before, now),
                  witness == NULL ? "no value breaks" : witness);
    free(witness);
}

/* ---- the pairs of the goldens ----------------------------------------------------------------------------------- */

static const cg_model *compile_file(cg_arena *arena, const char *name, const char *side) {
    char path[512];
    cg_diags diags = {.arena = arena};
    snprintf(path, sizeof path, "tests/compat/%s.%s.yaml", name, side);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s is missing", path);
    char *text = cg_arena_alloc(arena, TEXT_MAX);
    const size_t length = fread(text, 1, TEXT_MAX - 1, file);
    fclose(file);
    return cg_compile(arena, cg_source_of(arena, path, text, length), NULL, &diags);
}

/* What one value cannot show: it takes a connection. */
static bool needs_session(const char *name) { return strncmp(name, "c0207", 5) == 0 || strncmp(name, "c0315", 5) == 0; }

START_TEST(verdicts_of_the_goldens_are_true) {
    static const char ending[] = ".old.yaml";
    DIR *open = opendir("tests/compat");
    ck_assert_ptr_nonnull(open);
    for (struct dirent *entry = readdir(open); entry != NULL; entry = readdir(open)) {
        const size_t length = strlen(entry->d_name), end = sizeof ending - 1;
        if (length <= end || strcmp(entry->d_name + length - end, ending) != 0) continue;
        cg_arena *arena = cg_arena_new();
        const char *name = cg_arena_copy(arena, entry->d_name, length - end);
        const cg_model *before = compile_file(arena, name, "old"), *now = compile_file(arena, name, "new");
        if (!needs_session(name)) check_way(arena, before, now, false, name, 7);
        if (!needs_session(name)) check_way(arena, before, now, true, name, 7);
        cg_arena_free_take(&arena);
    }
    closedir(open);
}
END_TEST

/* ---- random pairs ----------------------------------------------------------------------------------------------- */

static const cg_model *compile_text(cg_arena *arena, const char *text) {
    cg_diags diags = {.arena = arena};
    return cg_compile(arena, cg_source_of(arena, "pair.yaml", text, strlen(text)), NULL, &diags);
}

/* Whether both contracts were right, so that there was something to judge. */
static bool check_pair(uint64_t seed, size_t counts[2][2]) {
    cg_arena *arena = cg_arena_new();
    bpt_random random = {.state = seed * UINT64_C(0x9E3779B97F4A7C15) | 1};
    for (unsigned i = 0; i < 4; i++) (void)bpt_random_next(&random);
    const bpt_contract_pair pair = bpt_contract_pair_make(arena, &random);
    const cg_model *before = compile_text(arena, pair.before), *now = compile_text(arena, pair.now);
    const bool is_right = before != NULL && now != NULL;
    for (unsigned way = 0; way < 2 && is_right; way++) {
        const char *what = cg_arena_format(arena, "seed %llu (%s)\n%s\n%s", (unsigned long long)seed, pair.edits,
                                           pair.before, pair.now);
        counts[way][breaks_values(cg_compat_make(arena, before, now), way == 1)]++;
        check_way(arena, before, now, way == 1, what, seed);
    }
    cg_arena_free_take(&arena);
    return is_right;
}

START_TEST(verdicts_of_random_pairs_are_true) {
    const unsigned long pairs = number_from("BPT_PAIRS", PAIRS);
    size_t counts[2][2] = {{0}};
    unsigned long checked = 0;
    for (uint64_t seed = number_from("BPT_SEED", 1); checked < pairs; seed++) checked += check_pair(seed, counts);
    /* A search that never finds anything, or a judge to whom everything is broken, would not be seen otherwise. */
    for (unsigned way = 0; way < 2 && pairs >= PAIRS; way++) {
        ck_assert_uint_gt(counts[way][0], pairs / 10);
        ck_assert_uint_gt(counts[way][1], pairs / 10);
    }
}
END_TEST

BPT_SUITE(codegen_compat_truth) {
    BPT_TIMEOUT(600);
    BPT_TEST(verdicts_of_the_goldens_are_true);
    BPT_TEST(verdicts_of_random_pairs_are_true);
}
