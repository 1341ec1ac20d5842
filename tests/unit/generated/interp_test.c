/* Generated code and the interpreter say the same about every message of the repository's contract and of the tests'
 * own: which bytes are values and why others are none, what they hold, what they print and how they are written. */
#include "tests/support/agree.h"
#include "tests/support/mutate.h"
#include "tests/unit/codegen/compile.h"

#include "market_samples.h"
#include "zoo_samples.h"

#include <string.h>

enum { MESSAGE_COUNT = MARKET_SAMPLE_COUNT + ZOO_SAMPLE_COUNT, INSTANCES = 60, MUTATIONS = 100 };

struct fixture {
    bpt_compiled contract;
    bpt_pair pair;
    cg_arena *scratch; /* of one comparison */
    void *instance;
    uint8_t *value, *bytes; /* bytes: exactly as long as what is compared */
    uint32_t length;
    uint64_t seed;
};

static bpt_compiled compile_file(const char *path) {
    bpt_compiled c = {.arena = cg_arena_new()};
    cg_source *source = NULL;
    ck_assert_ptr_nonnull(c.arena);
    ck_assert_int_eq(cg_source_read(c.arena, path, &source), CG_OK);
    c.model = cg_compile(c.arena, source, NULL, &c.diags);
    ck_assert_msg(c.model != NULL, "%s", cg_diags_print(&c.diags));
    return c;
}

static struct fixture fixture_new(int ix) {
    const bool is_market = ix < MARKET_SAMPLE_COUNT;
    const sample_message *const generated = is_market ? &market_samples[ix] : &zoo_samples[ix - MARKET_SAMPLE_COUNT];
    struct fixture f = {.contract = compile_file(is_market ? "contracts.yaml" : "tests/contracts/zoo.yaml")};
    const cg_message *message = NULL;
    for (size_t i = 0; i < f.contract.model->message_count; i++) {
        const cg_message *const candidate = &f.contract.model->messages[i];
        if (candidate->tlv_type == generated->type) message = candidate;
    }
    ck_assert_ptr_nonnull(message);
    f.pair = bpt_pair_of(f.contract.arena, generated, message);
    f.instance = cg_arena_alloc(f.contract.arena, generated->struct_size);
    f.value = cg_arena_alloc(f.contract.arena, generated->max + 1);
    f.seed = (uint64_t)ix + 1;
    return f;
}

static void fixture_free(struct fixture *f) { bpt_compiled_free(&f->contract); }

static void fixture_fill(struct fixture *f, sample_kind kind) {
    f->pair.generated->fill(f->instance, kind, &f->seed);
    bpt_ok(f->pair.generated->encode(f->instance, f->value, f->pair.generated->max, &f->length));
}

/* The first bytes of a value, in memory of exactly that size, so that reading behind them is found. */
static void must_agree(const struct fixture *f, const uint8_t *bytes, size_t length) {
    uint8_t *const exact = malloc(length == 0 ? 1 : length);
    cg_arena *scratch = cg_arena_new();
    ck_assert(exact != NULL && scratch != NULL);
    memcpy(exact, bytes, length);
    const char *const difference = bpt_disagreement(scratch, &f->pair, exact, length);
    if (difference != NULL) ck_abort_msg("%s, %zu bytes: %s", f->pair.generated->name, length, difference);
    cg_arena_free_take(&scratch);
    free(exact);
}

static int rounds_of(const struct fixture *f, int rounds) {
    return (int)bpt_scaled((unsigned long)(f->pair.generated->max > 65536 ? rounds / 10 : rounds)) + 3;
}

START_TEST(both_read_what_was_written) {
    struct fixture f = fixture_new(_i);
    const int rounds = rounds_of(&f, INSTANCES);
    for (int round = 0; round < rounds; round++) {
        fixture_fill(&f, round == 0 ? SAMPLE_EMPTY : round == 1 ? SAMPLE_FULL : SAMPLE_RANDOM);
        cg_reading reading;
        cg_arena *scratch = cg_arena_new();
        const cg_fault fault = cg_interp_read(scratch, f.pair.message, f.value, f.length, &reading);
        ck_assert_str_eq(cg_fault_name(fault.kind), "none");
        ck_assert(reading.is_current);
        cg_arena_free_take(&scratch);
        must_agree(&f, f.value, f.length);
    }
    fixture_free(&f);
}
END_TEST

START_TEST(both_find_each_broken_rule) {
    struct fixture f = fixture_new(_i);
    for (uint32_t rule = 0;; rule++) {
        f.pair.generated->fill(f.instance, SAMPLE_RANDOM, &f.seed);
        if (f.pair.generated->spoil(f.instance, rule) == NULL) break;
        bpt_ok(f.pair.generated->encode(f.instance, f.value, f.pair.generated->max, &f.length));
        must_agree(&f, f.value, f.length);
    }
    fixture_free(&f);
}
END_TEST

START_TEST(both_accept_and_refuse_the_same_bytes) {
    struct fixture f = fixture_new(_i);
    const size_t room = f.pair.generated->accept_max;
    uint8_t *const spoiled = malloc(room + 1);
    ck_assert_ptr_nonnull(spoiled);
    const int rounds = rounds_of(&f, MUTATIONS);
    for (int round = 0; round < rounds * 10; round++) {
        if (round % 10 == 0) fixture_fill(&f, round == 0 ? SAMPLE_FULL : SAMPLE_RANDOM);
        memcpy(spoiled, f.value, f.length);
        must_agree(&f, spoiled, bpt_mutate(spoiled, f.length, room, f.pair.generated->block, &f.seed));
    }
    free(spoiled);
    fixture_free(&f);
}
END_TEST

START_TEST(both_cut_alike) {
    struct fixture f = fixture_new(_i);
    fixture_fill(&f, SAMPLE_RANDOM);
    for (uint32_t length = 0; length <= f.length; length += length < 512 ? 1 : 97) must_agree(&f, f.value, length);
    fixture_free(&f);
}
END_TEST

BPT_SUITE(generated_interp) {
    BPT_LOOP_TEST(both_read_what_was_written, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(both_find_each_broken_rule, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(both_accept_and_refuse_the_same_bytes, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(both_cut_alike, 0, MESSAGE_COUNT);
}
