/* Promises of every generated codec, for every message of the repository's contract and of the tests' own: nothing here
 * knows a field or a number of either. */
#include "tests/sampler/sample.h"
#include "tests/support/suite.h"

#include "arcade_dialect_samples.h"
#include "chain_dialect_samples.h"
#include "gate_samples.h"
#include "evolve_v2_samples.h"
#include "evolve_v3_samples.h"
#include "locked_samples.h"
#include "market_samples.h"
#include "zoo_samples.h"

#include <stdlib.h>
#include <string.h>

/* The last message of the versions is there for one count alone, and takes megabytes. */
enum {
    ROUNDS = 200,
    SHORT_VALUE = 2048,
    EVOLVE_V2_COUNT = EVOLVE_V2_SAMPLE_COUNT - 1,
    EVOLVE_V3_COUNT = EVOLVE_V3_SAMPLE_COUNT - 1
};

static const struct {
    const sample_message *samples;
    int count;
} contracts[] = {
    {market_samples, MARKET_SAMPLE_COUNT},
    {zoo_samples, ZOO_SAMPLE_COUNT},
    {gate_samples, GATE_SAMPLE_COUNT},
    {chain_dialect_samples, CHAIN_DIALECT_SAMPLE_COUNT},
    {arcade_dialect_samples, ARCADE_DIALECT_SAMPLE_COUNT},
    {locked_samples, LOCKED_SAMPLE_COUNT},
    {evolve_v2_samples, EVOLVE_V2_COUNT},
    {evolve_v3_samples, EVOLVE_V3_COUNT},
};
enum {
    MESSAGE_COUNT = MARKET_SAMPLE_COUNT + ZOO_SAMPLE_COUNT + GATE_SAMPLE_COUNT + CHAIN_DIALECT_SAMPLE_COUNT +
                    ARCADE_DIALECT_SAMPLE_COUNT + LOCKED_SAMPLE_COUNT + EVOLVE_V2_COUNT + EVOLVE_V3_COUNT
};

/* Large messages are as good with fewer. */
static int rounds_of(const sample_message *type) {
    const int rounds = (int)bpt_scaled(type->max > 65536 ? ROUNDS / 10 : ROUNDS);
    return rounds < 5 ? 5 : rounds;
}

static const sample_message *message_at(int ix) {
    size_t contract = 0;
    for (; ix >= contracts[contract].count; contract++) ix -= contracts[contract].count;
    return &contracts[contract].samples[ix];
}

/* One instance, its encoding, and room for what is read back. */
struct fixture {
    const sample_message *type;
    void *message, *decoded, *view;
    uint8_t *value;
    uint32_t length;
    uint64_t seed;
};

static struct fixture fixture_new(int ix) {
    struct fixture f = {.type = message_at(ix), .seed = (uint64_t)ix + 1};
    f.message = calloc(1, f.type->struct_size);
    f.decoded = calloc(1, f.type->struct_size);
    f.view = calloc(1, f.type->view_size);
    f.value = calloc(1, (size_t)f.type->accept_max + 1);
    ck_assert(f.message != NULL && f.decoded != NULL && f.view != NULL && f.value != NULL);
    return f;
}

static void fixture_free(struct fixture *f) {
    free(f->message);
    free(f->decoded);
    free(f->view);
    free(f->value);
}

/* A new instance, encoded. */
static void fixture_fill(struct fixture *f, sample_kind kind) {
    f->type->fill(f->message, kind, &f->seed);
    bpt_must(f->type->encode(f->message, f->value, f->type->max, &f->length) == BP_OK);
}

/* Bytes in memory of exactly their size, so that reading behind them is found. */
static uint8_t *exact_copy(const uint8_t *bytes, size_t length) {
    uint8_t *const copy = malloc(length == 0 ? 1 : length);
    bpt_must(copy != NULL);
    memcpy(copy, bytes, length);
    return copy;
}

static bool is_zero(const void *at, size_t count) { return bpi_is_zero(at, count); }

/* What a view shows is loaded as it is decoded. */
static void check_loaded(struct fixture *f) {
    void *const loaded = malloc(f->type->struct_size);
    bpt_must(loaded != NULL);
    memset(loaded, 0xA5, f->type->struct_size);
    f->type->load(f->view, loaded);
    bpt_must(f->type->equal(loaded, f->decoded));
    bpt_must(f->type->view_equal(f->view, loaded) == f->type->view_equal(f->view, f->decoded));
    free(loaded);
}

/* Decoding with the rules ends as validate does, with what was decoded or with zeros. */
static void check_valid(struct fixture *f, const uint8_t *value, size_t length) {
    const char *expected_field = NULL, *field = "";
    const bp_err expected = f->type->validate(f->view, &expected_field);
    void *const valid = malloc(f->type->struct_size);
    bpt_must(valid != NULL);
    memset(valid, 0xA5, f->type->struct_size);
    bpt_must(f->type->decode_valid(value, length, valid, &field) == expected);
    bpt_must(field == expected_field ||
             (field != NULL && expected_field != NULL && strcmp(field, expected_field) == 0));
    bpt_must(expected == BP_OK ? f->type->equal(valid, f->decoded) : is_zero(valid, f->type->struct_size));
    bpt_must(f->type->decode_valid(value, length, valid, NULL) == expected);
    free(valid);
}

/* No rule is looked at in bytes whose layout is wrong. */
static void check_refused(struct fixture *f, const uint8_t *value, size_t length, bp_err expected) {
    const char *field = "";
    memset(f->decoded, 0xA5, f->type->struct_size);
    bpt_must(f->type->decode_valid(value, length, f->decoded, &field) == expected);
    bpt_must(field == NULL && is_zero(f->decoded, f->type->struct_size));
}

/* Decode and view give the same answer about these bytes, and zero on error. */
static bp_err read_both(struct fixture *f, const uint8_t *value, size_t length) {
    memset(f->decoded, 0xA5, f->type->struct_size);
    memset(f->view, 0xA5, f->type->view_size);
    const bp_err decoded = f->type->decode(value, length, f->decoded);
    const bp_err viewed = f->type->view_init(value, length, f->view);
    bpt_must(decoded == viewed);
    if (decoded == BP_OK) return BP_OK;
    bpt_must(decoded == BP_ERR_TRUNCATED || decoded == BP_ERR_MALFORMED || decoded == BP_ERR_BOUND);
    bpt_must(is_zero(f->decoded, f->type->struct_size));
    bpt_must(is_zero(f->view, f->type->view_size));
    return decoded;
}

/* The same of every way of reading. */
static bp_err read_all(struct fixture *f, const uint8_t *value, size_t length) {
    const bp_err err = read_both(f, value, length);
    if (err != BP_OK) {
        check_refused(f, value, length, err);
        return err;
    }
    check_loaded(f);
    check_valid(f, value, length);
    return BP_OK;
}

START_TEST(what_was_encoded_is_read_back) {
    struct fixture f = fixture_new(_i);
    for (int round = 0; round < rounds_of(f.type); round++) {
        uint32_t size = 0;
        fixture_fill(&f, round == 0 ? SAMPLE_EMPTY : round == 1 ? SAMPLE_FULL : SAMPLE_RANDOM);
        bpt_must(f.type->size(f.message, &size) == BP_OK);
        bpt_must(size == f.length);
        uint8_t *const copy = exact_copy(f.value, f.length);
        bpt_must(read_all(&f, copy, f.length) == BP_OK);
        bpt_must(f.type->equal(f.message, f.decoded));
        bpt_must(f.type->view_equal(f.view, f.message));
        free(copy);
    }
    fixture_free(&f);
}
END_TEST

START_TEST(any_alignment_is_read) {
    struct fixture f = fixture_new(_i);
    fixture_fill(&f, SAMPLE_FULL);
    uint8_t *const moved = malloc(f.length + 8);
    ck_assert(moved != NULL);
    for (size_t offset = 1; offset < 8; offset++) {
        memcpy(moved + offset, f.value, f.length);
        bpt_ok(read_all(&f, moved + offset, f.length));
        ck_assert(f.type->equal(f.message, f.decoded));
        ck_assert(f.type->view_equal(f.view, f.message));
    }
    free(moved);
    fixture_free(&f);
}
END_TEST

START_TEST(smallest_and_largest_are_reached) {
    struct fixture f = fixture_new(_i);
    fixture_fill(&f, SAMPLE_EMPTY);
    ck_assert_uint_eq(f.length, f.type->min);
    fixture_fill(&f, SAMPLE_FULL);
    ck_assert_uint_eq(f.length, f.type->max);
    for (int round = 0; round < rounds_of(f.type); round++) {
        fixture_fill(&f, SAMPLE_RANDOM);
        bpt_must(f.length >= f.type->min && f.length <= f.type->max);
    }
    fixture_free(&f);
}
END_TEST

START_TEST(good_instances_keep_every_rule) {
    struct fixture f = fixture_new(_i);
    for (int round = 0; round < rounds_of(f.type); round++) {
        const char *field = "unchanged";
        fixture_fill(&f, SAMPLE_RANDOM);
        bpt_must(read_both(&f, f.value, f.length) == BP_OK);
        const bp_err err = f.type->validate(f.view, &field);
        if (err != BP_OK) ck_abort_msg("%s.%s", f.type->name, field);
        bpt_must(field == NULL);
        bpt_must(f.type->validate(f.view, NULL) == BP_OK);
    }
    fixture_free(&f);
}
END_TEST

START_TEST(each_broken_rule_is_found) {
    struct fixture f = fixture_new(_i);
    for (int round = 0; round < 16; round++) {
        const char *expected;
        for (uint32_t rule = 0;; rule++) {
            const char *field = NULL;
            f.type->fill(f.message, SAMPLE_RANDOM, &f.seed);
            expected = f.type->spoil(f.message, rule);
            if (expected == NULL) break;
            bpt_must(f.type->encode(f.message, f.value, f.type->max, &f.length) == BP_OK);
            bpt_must(read_all(&f, f.value, f.length) == BP_OK);
            bpt_must(f.type->validate(f.view, &field) == BP_ERR_RULE);
            if (strcmp(field, expected) != 0) ck_abort_msg("%s.%s, not %s", f.type->name, field, expected);
            bpt_must(f.type->validate(f.view, NULL) == BP_ERR_RULE);
        }
    }
    fixture_free(&f);
}
END_TEST

/* A message without a tail may be cut where an older version of it ended; everything else that is cut is refused. */
START_TEST(every_cut_is_refused) {
    struct fixture f = fixture_new(_i);
    for (int round = 0; round < 4; round++) {
        fixture_fill(&f, round == 0 ? SAMPLE_EMPTY : round == 1 ? SAMPLE_FULL : SAMPLE_RANDOM);
        const size_t step = f.length > SHORT_VALUE ? f.length / SHORT_VALUE : 1;
        for (size_t length = 0; length < f.length; length += length < 512 ? 1 : step) {
            if (f.type->is_older_end(length)) continue;
            uint8_t *const copy = exact_copy(f.value, length);
            const bp_err err = read_both(&f, copy, length);
            bpt_must(err != BP_OK);
            bpt_must(length >= f.type->accept_min || err == BP_ERR_TRUNCATED);
            free(copy);
        }
    }
    fixture_free(&f);
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused_or_newer) {
    struct fixture f = fixture_new(_i);
    fixture_fill(&f, SAMPLE_EMPTY);
    f.value[f.length] = 0;
    const bp_err longer = read_both(&f, f.value, f.length + 1);
    if (f.length + 1 > f.type->accept_max)
        bpt_err(longer, BP_ERR_BOUND);
    else
        bpt_err(longer, f.type->has_tail ? BP_ERR_MALFORMED : BP_OK);
    uint8_t *const huge = calloc(1, (size_t)f.type->accept_max + 1);
    ck_assert(huge != NULL);
    bpt_err(read_all(&f, huge, (size_t)f.type->accept_max + 1), BP_ERR_BOUND);
    free(huge);
    fixture_free(&f);
}
END_TEST

/* What was read is written, and read as the same again. */
static void check_rewritten(struct fixture *f, uint8_t *again) {
    void *const first = f->message;
    uint32_t length = 0;
    memcpy(first, f->decoded, f->type->struct_size);
    bpt_must(f->type->encode(first, again, f->type->max, &length) == BP_OK);
    bpt_must(read_both(f, again, length) == BP_OK);
    bpt_must(f->type->equal(f->decoded, first));
}

/* The form is canonical: bytes that are accepted are the bytes that encode writes, so no padding, slack, absent slot,
 * bool, enum or count can be anything else. A newer version's bytes are what nobody here would write, nor what is
 * retired or has another version's stride. */
static void check_canonical(struct fixture *f, const uint8_t *value, uint32_t length, uint8_t *again) {
    uint32_t again_length = 0;
    if (read_both(f, value, length) != BP_OK) return;
    if (f->type->view_block(f->view) != f->type->block) return;
    bpt_must(f->type->view_equal(f->view, f->decoded));
    if (f->type->is_lossy) {
        check_rewritten(f, again);
        return;
    }
    bpt_must(f->type->encode(f->decoded, again, f->type->max, &again_length) == BP_OK);
    /* It accepts nothing that it does not write. */
    bpt_must(again_length == length && memcmp(again, value, length) == 0);
}

START_TEST(accepted_bytes_are_the_bytes_encode_writes) {
    struct fixture f = fixture_new(_i);
    uint8_t *const again = malloc(f.type->accept_max);
    ck_assert(again != NULL);
    for (int round = 0; round < 5; round++) {
        fixture_fill(&f, round == 0 ? SAMPLE_EMPTY : round == 1 ? SAMPLE_FULL : SAMPLE_RANDOM);
        uint8_t *const copy = exact_copy(f.value, f.length);
        const uint32_t step = f.length > SHORT_VALUE ? f.length / 512 : 1;
        for (uint32_t at = 0; at < f.length; at += at < 512 ? 1 : step) {
            for (int bit = 0; bit < 8; bit++) {
                copy[at] = (uint8_t)(f.value[at] ^ (1u << bit));
                check_canonical(&f, copy, f.length, again);
            }
            copy[at] = f.value[at];
        }
        free(copy);
    }
    free(again);
    fixture_free(&f);
}
END_TEST

/* A message may be empty. */
static uint32_t below(uint64_t random, uint32_t count) { return count == 0 ? 0 : (uint32_t)(random % count); }

START_TEST(random_bytes_do_no_harm) {
    struct fixture f = fixture_new(_i);
    uint8_t *const again = malloc(f.type->accept_max);
    ck_assert(again != NULL);
    for (int round = 0; round < 4 * rounds_of(f.type); round++) {
        fixture_fill(&f, SAMPLE_RANDOM);
        const uint32_t changes = 1 + (uint32_t)(sample_next(&f.seed) % 8);
        for (uint32_t i = 0; i < changes; i++) {
            const uint64_t random = sample_next(&f.seed);
            f.value[below(random >> 8, i % 2 == 0 ? f.length : f.type->block)] = (uint8_t)random;
        }
        const uint32_t length = sample_next(&f.seed) % 4 == 0 ? below(sample_next(&f.seed), f.length) : f.length;
        uint8_t *const copy = exact_copy(f.value, length);
        check_canonical(&f, copy, length, again);
        free(copy);
    }
    free(again);
    fixture_free(&f);
}
END_TEST

START_TEST(a_count_above_its_capacity_is_refused) {
    struct fixture f = fixture_new(_i);
    for (uint32_t ix = 0;; ix++) {
        uint32_t size = 1, length = 1;
        f.type->fill(f.message, SAMPLE_RANDOM, &f.seed);
        if (!f.type->overfill(f.message, ix)) break;
        bpt_err(f.type->size(f.message, &size), BP_ERR_BOUND);
        bpt_err(f.type->encode(f.message, f.value, f.type->accept_max, &length), BP_ERR_BOUND);
        ck_assert_uint_eq(size, 0);
        ck_assert_uint_eq(length, 0);
    }
    fixture_free(&f);
}
END_TEST

START_TEST(encode_needs_room_for_all_of_it) {
    struct fixture f = fixture_new(_i);
    uint32_t length = 1;
    fixture_fill(&f, SAMPLE_RANDOM);
    uint8_t *const exact = malloc(f.length + 1);
    ck_assert(exact != NULL);
    memset(exact, 0xEE, f.length + 1);
    if (f.length != 0) bpt_err(f.type->encode(f.message, exact, f.length - 1, &length), BP_ERR_SPACE);
    if (f.length != 0) ck_assert_uint_eq(length, 0);
    for (uint32_t i = 0; i < f.length; i++) bpt_must(exact[i] == 0xEE);
    bpt_ok(f.type->encode(f.message, exact, f.length, &length));
    ck_assert(length == f.length && memcmp(exact, f.value, length) == 0 && exact[length] == 0xEE);
    free(exact);
    fixture_free(&f);
}
END_TEST

/* As snprintf: the same text in any room, cut, and its whole length. */
START_TEST(print_says_how_long_it_is) {
    struct fixture f = fixture_new(_i);
    fixture_fill(&f, SAMPLE_RANDOM);
    bpt_ok(read_both(&f, f.value, f.length));
    const int length = f.type->print(f.view, NULL, 0);
    ck_assert_int_gt(length, 1);
    char *const whole = malloc((size_t)length + 1);
    char *const part = malloc((size_t)length + 1);
    ck_assert(whole != NULL && part != NULL);
    ck_assert_int_eq(f.type->print(f.view, whole, (size_t)length + 1), length);
    ck_assert_uint_eq(strlen(whole), (size_t)length);
    ck_assert(whole[0] == '{' && whole[length - 1] == '}');
    for (size_t size = 1; size <= (size_t)length; size += 1 + size / 8) {
        memset(part, 'x', (size_t)length + 1);
        ck_assert_int_eq(f.type->print(f.view, part, size), length);
        ck_assert_uint_eq(strlen(part), size - 1);
        ck_assert(memcmp(part, whole, size - 1) == 0);
        ck_assert_int_eq(part[size], 'x');
    }
    free(whole);
    free(part);
    fixture_free(&f);
}
END_TEST

BPT_LONG_SUITE(generated_codec) {
    BPT_TIMEOUT(300); /* large messages, under a sanitizer, on a busy machine */
    BPT_LOOP_TEST(what_was_encoded_is_read_back, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(any_alignment_is_read, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(smallest_and_largest_are_reached, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(good_instances_keep_every_rule, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(each_broken_rule_is_found, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(every_cut_is_refused, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(bytes_behind_the_end_are_refused_or_newer, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(accepted_bytes_are_the_bytes_encode_writes, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(random_bytes_do_no_harm, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(a_count_above_its_capacity_is_refused, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(encode_needs_room_for_all_of_it, 0, MESSAGE_COUNT);
    BPT_LOOP_TEST(print_says_how_long_it_is, 0, MESSAGE_COUNT);
}
