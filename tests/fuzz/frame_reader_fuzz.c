/* Feeds a stream in chunks that the input chooses and compares what the reader hands on with a plain parser.
 *
 * Input: the first byte is the seed of the chunk sizes; the second's bits say what else happens (enum with); the rest
 * is the stream. */
#include "tests/fuzz/fuzz_schema.h"

#include <stdio.h>
#include <stdlib.h>

enum { LANDING = 4096, LANDING_LEAST = 64, CONTROL_MAX = 40, BUDGET = 1000 };

enum with {
    WITH_KEEPING = 1,  /* frames are kept */
    WITH_DROUGHT = 2,  /* the pool is dry now and then */
    WITH_GIVING = 4,   /* and the reader is then given a buffer, instead of the pool getting some back */
    WITH_BUDGET = 8,   /* another reader has used up the budget now and then */
    WITH_CONTROL = 16, /* control frames are allowed */
    WITH_LITTLE = 32   /* the landing chunk is the smallest that there may be */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                              \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* ---- the plain parser ---- */

typedef struct plain {
    const uint8_t *at;
    size_t left;
    uint64_t skipped;
    bool has_control;
} plain;

typedef struct plain_frame {
    uint16_t type;
    uint32_t length;
    const uint8_t *value;
} plain_frame;

/* BP_OK and a frame; BP_MORE at the end of what is there, with left == 0 only between two frames; or an error. */
static bp_err plain_next(plain *p, plain_frame *out) {
    while (p->left >= BP_FRAME_HEADER_SIZE) {
        const uint16_t type = (uint16_t)(p->at[0] | p->at[1] << 8);
        const uint32_t length =
            (uint32_t)p->at[2] | (uint32_t)p->at[3] << 8 | (uint32_t)p->at[4] << 16 | (uint32_t)p->at[5] << 24;
        static const fuzz_kind control = {0, 0, 0, CONTROL_MAX, false};
        const fuzz_kind *kind = type == 0 && p->has_control ? &control : fuzz_kind_of(type);
        if (kind == NULL) return BP_ERR_FRAME_TYPE;
        if (length < kind->min) return BP_ERR_FRAME_SHORT;
        if (length > kind->max) return BP_ERR_FRAME_LONG;
        if (length > p->left - BP_FRAME_HEADER_SIZE) return BP_MORE;
        *out = (plain_frame){type, length, p->at + BP_FRAME_HEADER_SIZE};
        p->at += BP_FRAME_HEADER_SIZE + length;
        p->left -= BP_FRAME_HEADER_SIZE + length;
        if (!kind->is_skipped) return BP_OK;
        p->skipped++;
    }
    return BP_MORE;
}

/* ---- the reader ---- */

typedef struct fuzz {
    bp_pool *pool, *wealthy;
    bp_reader_config config;
    bp_reader reader;
    uint8_t landing[LANDING];
    bp_buf *hog; /* makes the pool dry */
    bp_reader_budget budget;
    uint64_t others; /* of the budget, another reader's */
    uint32_t random;
    uint8_t with;
    plain expected;
} fuzz;

static uint32_t next_random(fuzz *f) {
    f->random = f->random * 1664525u + 1013904223u;
    return f->random >> 8;
}

/* Takes everything that the pool would give, or gives it back. */
static void toggle_dry(fuzz *f) {
    if (f->hog != NULL)
        bp_buf_release_take(&f->hog);
    else if ((f->with & WITH_DROUGHT) != 0 && next_random(f) % 4 == 0)
        (void)!bp_pool_acquire(f->pool, FUZZ_POOL_LIMIT - 512, &f->hog);
}

/* Uses up the budget in the name of another reader, or gives that back. */
static void toggle_budget(fuzz *f) {
    f->budget.used -= f->others;
    f->others = 0;
    if ((f->with & WITH_BUDGET) == 0 || next_random(f) % 4 != 0) return;
    f->others = BUDGET;
    f->budget.used += f->others;
}

static void check_kept(fuzz *f, bp_frame *frame) {
    bp_buf *kept = NULL;
    const bp_err err = bp_reader_keep(&f->reader, frame, &kept);
    if (err == BP_OK) {
        REQUIRE(bp_buf_length(kept) == frame->length && bp_buf_type(kept) == frame->type);
        REQUIRE(memcmp(bp_buf_data(kept), frame->value, frame->length) == 0);
    } else {
        REQUIRE(kept == NULL && (frame->length == 0 || err == BP_ERR_LIMIT));
    }
    bp_buf_release(kept);
}

static void check_frame(fuzz *f, bp_frame *frame) {
    plain_frame plain;
    REQUIRE(plain_next(&f->expected, &plain) == BP_OK);
    REQUIRE(frame->type == plain.type && frame->length == plain.length);
    REQUIRE(frame->length == 0 || memcmp(frame->value, plain.value, plain.length) == 0);
    if ((f->with & WITH_KEEPING) != 0) check_kept(f, frame);
}

/* Gives the refused reader a buffer that is none of the pool's, and somewhat too large. */
static void give(fuzz *f) {
    const uint32_t wanted = bp_reader_wants(&f->reader);
    bp_buf *buf = NULL;
    if (wanted == 0) return;
    REQUIRE(bp_pool_acquire(f->wealthy, wanted + f->random % 3, &buf) == BP_OK);
    REQUIRE(bp_reader_give_take(&f->reader, &buf) == BP_OK && buf == NULL && bp_reader_wants(&f->reader) == 0);
}

/* Whether the same call may go another way now. */
static bool may_go_on(fuzz *f) {
    REQUIRE(bp_reader_is_inside(&f->reader));
    if (f->hog != NULL && (f->with & WITH_GIVING) != 0) give(f);
    REQUIRE(!bp_reader_is_over_budget(&f->reader) || f->others != 0);
    return f->hog != NULL || f->others != 0;
}

static bp_err drain(fuzz *f) {
    for (;;) {
        bp_frame frame;
        toggle_dry(f);
        toggle_budget(f);
        const bp_err err = bp_reader_next(&f->reader, &frame);
        if (err == BP_OK)
            check_frame(f, &frame);
        else if (err != BP_ERR_LIMIT || !may_go_on(f))
            return err;
    }
}

static bp_err run(fuzz *f, const uint8_t *at, size_t left) {
    const size_t landing = (f->with & WITH_LITTLE) != 0 ? LANDING_LEAST : LANDING;
    bp_err err = BP_MORE;
    while (left != 0 && err == BP_MORE) {
        const bp_span space = bp_reader_space(&f->reader, f->landing, landing);
        REQUIRE(space.length != 0);
        size_t count = 1 + next_random(f) % (1u << next_random(f) % 14);
        if (count > left) count = left;
        if (count > space.length) count = space.length;
        memcpy(space.data, at, count);
        bp_reader_fed(&f->reader, space, count);
        at += count;
        left -= count;
        err = drain(f);
        memset(f->landing, 0xA5, LANDING);
    }
    return err;
}

static void check_end(fuzz *f, bp_err err) {
    plain_frame plain;
    REQUIRE(plain_next(&f->expected, &plain) == err);
    REQUIRE(f->reader.skipped_count == f->expected.skipped);
    if (err == BP_MORE) {
        REQUIRE(bp_reader_is_inside(&f->reader) == (f->expected.left != 0));
        REQUIRE((bp_reader_end(&f->reader) == BP_OK) == (f->expected.left == 0));
    } else {
        REQUIRE(bp_reader_end(&f->reader) == err);
    }
}

static void check_nothing_left(fuzz *f) {
    bp_pool_stats stats;
    bp_pool_stats_read(f->pool, &stats);
    REQUIRE(stats.exact_in_use == 0 && stats.total.in_use == 0);
    bp_pool_stats_read(f->wealthy, &stats);
    REQUIRE(stats.exact_in_use == 0 && f->budget.used == f->others);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static fuzz f;
    static bp_type_map *types; /* the same for all inputs */
    const bp_schema *const schemas[] = {&fuzz_schema};
    if (size < 2) return 0;
    if (types == NULL) REQUIRE(bp_type_map_new(schemas, 1, &types) == BP_OK);
    f = (fuzz){.random = data[0], .with = data[1], .budget = {.limit = BUDGET}};
    f.expected = (plain){.at = data + 2, .left = size - 2, .has_control = (f.with & WITH_CONTROL) != 0};
    REQUIRE(bp_heap_pool_new(FUZZ_POOL_LIMIT, &f.pool) == BP_OK);
    REQUIRE(bp_heap_pool_new(0, &f.wealthy) == BP_OK);
    const bp_reader_config config = {.pool = f.pool,
                                     .types = types,
                                     .unknown_max = FUZZ_UNKNOWN_MAX,
                                     .control_max = f.expected.has_control ? CONTROL_MAX : 0,
                                     .budget = &f.budget};
    bp_reader_init(&f.reader, &config);
    check_end(&f, run(&f, data + 2, size - 2));
    bp_reader_fini(&f.reader);
    bp_buf_release_take(&f.hog);
    check_nothing_left(&f);
    bp_pool_release_take(&f.pool);
    bp_pool_release_take(&f.wealthy);
    return 0;
}
