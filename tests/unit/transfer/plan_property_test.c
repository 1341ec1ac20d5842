/* Random operations on a plan and on a plain model of it, an array with the state of every part: what each answers, and
 * what the plan says of itself, after every step. A sequence that fails is shrunk and printed with its seed; SEED=n
 * repeats it. BPT_PLAN_STEPS=n takes n steps per seed instead of 300,000. */
#include "tests/support/pool_support.h"
#include "tests/support/shrink.h"
#include "tests/support/suite.h"
#include "transfer/plan.h"

#include <stdio.h>
#include <string.h>

enum { STEPS = 300000, SPAN = 1024, BITS = 64, DRAIN_MAX = 2000 };
#define LARGEST (BP_SIZE_UNKNOWN - 1)

typedef enum op_kind {
    OP_NEW, /* another object; the one before is brought to its end */
    OP_NEXT,
    OP_BEGIN,
    OP_FINISH,
    OP_UNDO,
    OP_HOLD,
    OP_UNHOLD,
    OP_DELIVER,
    OP_LOST,
    OP_RESTORE,
    OP_END,
    OP_KINDS
} op_kind;

static const char *const op_names[OP_KINDS] = {"OP_NEW",  "OP_NEXT",    "OP_BEGIN",  "OP_FINISH",
                                               "OP_UNDO", "OP_HOLD",    "OP_UNHOLD", "OP_DELIVER",
                                               "OP_LOST", "OP_RESTORE", "OP_END"};
static const uint32_t op_weights[OP_KINDS] = {4, 160, 100, 150, 30, 80, 20, 130, 4, 6, 10};

/* Any numbers are an operation: what they mean depends on how far the plan is. */
typedef struct plan_op {
    op_kind kind;
    uint64_t how, value;
} plan_op;

typedef enum part_state { TODO, UNDER_WAY, HELD, DONE } part_state;

typedef struct world {
    bpi_plan plan;
    uint64_t size, true_size, part_size;
    uint32_t window;
    uint64_t origin;     /* all parts below are done, */
    uint8_t parts[SPAN]; /* part origin + i is in this state, and what is behind is to do */
    uint64_t taken[OP_KINDS], refused[OP_KINDS], objects;
    const char *what; /* the first that did not hold; NULL */
} world;

#define HOLDS(w, condition)                                                                                            \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (w)->what = #condition;                                                                                    \
            return false;                                                                                              \
        }                                                                                                              \
    } while (0)

/* ---- the model ---- */

static uint64_t size_of(const world *w) { return w->size == BP_SIZE_UNKNOWN ? LARGEST : w->size; }

static uint64_t count_for(const world *w, uint64_t size) { return size == 0 ? 0 : (size - 1) / w->part_size + 1; }

static uint64_t count_of(const world *w) { return count_for(w, size_of(w)); }

static part_state state_of(const world *w, uint64_t part) {
    if (part < w->origin) return DONE;
    return part - w->origin >= SPAN ? TODO : (part_state)w->parts[part - w->origin];
}

static void set_state(world *w, uint64_t part, part_state state) { w->parts[part - w->origin] = (uint8_t)state; }

static uint64_t first_of(const world *w) {
    uint64_t part = w->origin;
    while (state_of(w, part) == DONE) part++;
    return part;
}

/* What is behind the first one that is not done, and still in the array. */
static void forget_done(world *w) {
    const uint64_t count = first_of(w) - w->origin;
    if (count < SPAN / 2) return;
    memmove(w->parts, w->parts + count, SPAN - count);
    memset(w->parts + SPAN - count, TODO, count);
    w->origin += count;
}

static bool is_open(const world *w, uint64_t part) {
    const uint64_t first = first_of(w);
    return part >= first && part - first < w->window && part < count_of(w) && state_of(w, part) == TODO;
}

static uint64_t next_of(const world *w) {
    const uint64_t first = first_of(w);
    for (uint32_t i = 0; i < w->window; i++) {
        if (is_open(w, first + i)) return first + i;
    }
    return BP_PART_NONE;
}

static uint64_t length_of(const world *w, uint64_t part) {
    if (part >= count_of(w)) return 0;
    const uint64_t begin = part * w->part_size;
    return size_of(w) - begin < w->part_size ? size_of(w) - begin : w->part_size;
}

static uint64_t done_bytes_of(const world *w) {
    uint64_t bytes = w->origin == count_of(w) ? size_of(w) : w->origin * w->part_size;
    for (uint64_t i = 0; i < SPAN; i++) {
        if (w->parts[i] == DONE) bytes += length_of(w, w->origin + i);
    }
    return bytes;
}

/* Parts up to the last one of which anything is known. */
static uint64_t used_of(const world *w) {
    uint64_t used = w->origin;
    for (uint64_t i = 0; i < SPAN; i++) {
        if (w->parts[i] != TODO) used = w->origin + i + 1;
    }
    return used;
}

/* ---- the plan agrees with it ---- */

static uint64_t bits_in(const world *w, part_state state) {
    const uint64_t first = first_of(w);
    uint64_t bits = 0;
    for (uint32_t i = 0; i < BITS && first <= UINT64_MAX - i; i++) {
        bits |= (uint64_t)(state_of(w, first + i) == state) << i;
    }
    return bits;
}

static bool words_agree(world *w) {
    const bpi_plan *plan = &w->plan;
    HOLDS(w, plan->size == w->size);
    HOLDS(w, plan->first == first_of(w));
    HOLDS(w, plan->first <= count_of(w));
    HOLDS(w, plan->under_way == bits_in(w, UNDER_WAY));
    HOLDS(w, plan->held == bits_in(w, HELD));
    HOLDS(w, plan->done == bits_in(w, DONE));
    HOLDS(w, (plan->done & 1) == 0);
    HOLDS(w, w->window == BITS || (plan->under_way | plan->held) >> w->window == 0);
    return true;
}

static bool part_agrees(world *w, uint64_t part) {
    HOLDS(w, bpi_plan_length(&w->plan, part) == length_of(w, part));
    HOLDS(w, bpi_plan_is_held(&w->plan, part) == (state_of(w, part) == HELD));
    return true;
}

static bool agrees(world *w) {
    const bpi_plan *plan = &w->plan;
    const uint64_t count = count_of(w), first = first_of(w);
    if (!words_agree(w)) return false;
    HOLDS(w, bpi_plan_count(plan) == (w->size == BP_SIZE_UNKNOWN ? UINT64_MAX : count));
    HOLDS(w, bpi_plan_next(plan) == next_of(w));
    HOLDS(w, bpi_plan_under_way(plan) == (uint32_t)__builtin_popcountll(plan->under_way));
    HOLDS(w, bpi_plan_is_done(plan) == (w->size != BP_SIZE_UNKNOWN && first == count));
    HOLDS(w, bpi_plan_done_bytes(plan) == done_bytes_of(w));
    return part_agrees(w, 0) && part_agrees(w, first) && part_agrees(w, first - 1) && part_agrees(w, first + BITS) &&
           part_agrees(w, count - 1) && part_agrees(w, count) && part_agrees(w, UINT64_MAX);
}

/* ---- what is done to both ---- */

typedef bool transition_fn(bpi_plan *plan, uint64_t part);

static const struct {
    transition_fn *move;
    part_state from, to;
} transitions[OP_KINDS] = {
    [OP_BEGIN] = {bpi_plan_begin, TODO, UNDER_WAY},   [OP_FINISH] = {bpi_plan_finish, UNDER_WAY, DONE},
    [OP_UNDO] = {bpi_plan_undo, UNDER_WAY, TODO},     [OP_HOLD] = {bpi_plan_hold, UNDER_WAY, HELD},
    [OP_UNHOLD] = {bpi_plan_unhold, HELD, TODO},      [OP_DELIVER] = {bpi_plan_deliver, HELD, DONE},
};

/* Whether both answered the same; who refused is as he was before. */
static bool answered(world *w, op_kind kind, bool is_taken, bool expected, const bpi_plan *before) {
    HOLDS(w, is_taken == expected);
    HOLDS(w, is_taken || memcmp(&w->plan, before, sizeof *before) == 0);
    ++*(is_taken ? &w->taken[kind] : &w->refused[kind]);
    return true;
}

static bool move(world *w, op_kind kind, uint64_t part) {
    const bpi_plan before = w->plan;
    bool expected = state_of(w, part) == transitions[kind].from;
    if (kind == OP_BEGIN) expected = is_open(w, part);
    if (kind == OP_DELIVER) expected &= part == first_of(w);
    if (expected) set_state(w, part, transitions[kind].to);
    return answered(w, kind, transitions[kind].move(&w->plan, part), expected, &before);
}

static bool begin_next(world *w) {
    const uint64_t part = bpi_plan_next(&w->plan);
    HOLDS(w, part == next_of(w));
    return part == BP_PART_NONE ? move(w, OP_BEGIN, part) : move(w, OP_BEGIN, part) && state_of(w, part) == UNDER_WAY;
}

static bool lose(world *w) {
    bpi_plan_lost(&w->plan);
    for (uint64_t i = 0; i < SPAN; i++) {
        if (w->parts[i] == UNDER_WAY) w->parts[i] = TODO;
    }
    return true;
}

static bool end_at(world *w, uint64_t size) {
    const bpi_plan before = w->plan;
    const bool is_known = w->size != BP_SIZE_UNKNOWN;
    const bool expected =
        is_known ? size == w->size : size != BP_SIZE_UNKNOWN && used_of(w) <= count_for(w, size);
    if (expected) w->size = size;
    return answered(w, OP_END, bpi_plan_end(&w->plan, size), expected, &before);
}

static bool restore(world *w, uint64_t first, uint64_t have) {
    const bpi_plan before = w->plan;
    bool expected = first <= count_of(w);
    for (uint32_t i = 0; i < BITS; i++) {
        if ((have >> i & 1) != 0 && expected && i >= count_of(w) - first) expected = false;
    }
    if (expected) {
        w->origin = first;
        memset(w->parts, TODO, sizeof w->parts);
        for (uint32_t i = 0; i < BITS; i++) set_state(w, first + i, (have >> i & 1) != 0 ? DONE : TODO);
    }
    return answered(w, OP_RESTORE, bpi_plan_restore(&w->plan, first, have), expected, &before);
}

/* ---- from any state on, an object can be brought to its end ---- */

static bool do_first(world *w) {
    const uint64_t first = first_of(w);
    if (state_of(w, first) == HELD) return move(w, OP_DELIVER, first);
    return begin_next(w) && move(w, OP_FINISH, first);
}

static uint64_t least_size(const world *w) {
    const uint64_t used = used_of(w);
    return used == count_for(w, LARGEST) ? LARGEST : used * w->part_size;
}

static bool drain(world *w) {
    const bool is_true = used_of(w) <= count_for(w, w->true_size);
    if (w->size == BP_SIZE_UNKNOWN && !end_at(w, is_true ? w->true_size : least_size(w))) return false;
    if (count_of(w) - first_of(w) > DRAIN_MAX) return true;
    if (!lose(w)) return false;
    while (first_of(w) < count_of(w)) {
        const uint64_t before = first_of(w);
        if (!do_first(w)) return false;
        HOLDS(w, first_of(w) > before);
        if (!agrees(w)) return false;
        forget_done(w);
    }
    HOLDS(w, bpi_plan_is_done(&w->plan));
    HOLDS(w, bpi_plan_done_bytes(&w->plan) == w->size);
    w->objects++;
    return true;
}

/* ---- operations ---- */

#define PICK(table, number) (table)[(number) % (sizeof(table) / sizeof *(table))]

static uint64_t some_count(uint32_t window, uint64_t number) {
    const uint64_t counts[] = {0, 1, 2, 3, window - 1, window, window + 1, 2 * window, number / 16 % 300};
    return PICK(counts, number);
}

/* Objects of all sizes, also such that their last parts are the last ones there can be. */
static bool renew(world *w, const plan_op *op) {
    static const uint32_t windows[] = {1, 2, 3, 4, 8, 63, 64}, part_sizes[] = {1, 3, 4096, 1 << 24, UINT32_MAX};
    const uint64_t how = op->how, value = op->value;
    w->window = how % 3 == 0 ? 1 + (uint32_t)(how / 3 % 64) : PICK(windows, how / 3);
    w->part_size = PICK(part_sizes, how >> 12);
    const uint64_t count = some_count(w->window, how >> 20), tail = 1 + value % w->part_size;
    const bool is_far = (how >> 16) % 4 == 0;
    w->true_size = is_far ? LARGEST - value % 3 : count == 0 ? 0 : (count - 1) * w->part_size + tail;
    w->size = (how >> 18) % 2 == 0 ? BP_SIZE_UNKNOWN : w->true_size;
    w->origin = 0;
    memset(w->parts, TODO, sizeof w->parts);
    bpi_plan_init(&w->plan, w->size, (uint32_t)w->part_size, w->window);
    return !is_far || restore(w, count_for(w, w->true_size) - count, 0);
}

/* Number `number` of the parts in this state, if any. */
static uint64_t one_in(const world *w, part_state state, uint64_t number) {
    uint64_t bits = bits_in(w, state);
    const uint64_t count = (uint64_t)__builtin_popcountll(bits);
    if (count == 0) return first_of(w);
    for (uint64_t i = number % count; i > 0; i--) bits &= bits - 1;
    return first_of(w) + (uint32_t)__builtin_ctzll(bits);
}

/* Mostly a part for which it can be done; else one around the window's ends, or any number. */
static uint64_t some_part(const world *w, const plan_op *op) {
    switch (op->how % 8) {
    case 0: return first_of(w) - 3 + op->value % (w->window + 8);
    case 1: return op->value % 2 == 0 ? op->value : op->value >> 32;
    case 2: return count_of(w) - 2 + op->value % 4;
    default: return op->kind == OP_DELIVER ? first_of(w) : one_in(w, transitions[op->kind].from, op->value);
    }
}

static uint64_t some_size(const world *w, const plan_op *op) {
    switch (op->how % 8) {
    case 0: return w->true_size - 2 + op->value % 4;
    case 1: return (used_of(w) - 2) * w->part_size + op->value % (3 * w->part_size);
    case 2: return op->value;
    case 3: return BP_SIZE_UNKNOWN;
    default: return w->true_size;
    }
}

static bool some_restore(world *w, const plan_op *op) {
    const uint64_t first = first_of(w), done = bits_in(w, DONE);
    switch (op->how % 5) {
    case 0: return restore(w, first, done);
    case 1: return restore(w, first, done ^ (op->value & op->value >> 7 & op->value >> 19));
    case 2: return restore(w, first - 2 + op->how / 5 % 6, op->value >> op->how / 64 % 64);
    case 3: return restore(w, first, UINT64_MAX << op->value % 2); /* the window moves by 64 at once, now or later */
    default: return restore(w, op->value, op->how);
    }
}

static bool step(world *w, const plan_op *op) {
    switch (op->kind) {
    case OP_NEW: return drain(w) && renew(w, op);
    case OP_NEXT: return begin_next(w);
    case OP_LOST: return lose(w);
    case OP_RESTORE: return some_restore(w, op);
    case OP_END: return end_at(w, some_size(w, op));
    default: return move(w, op->kind, some_part(w, op));
    }
}

/* The number of the operation that failed; count: all of them held, and the end did. */
static size_t run(world *w, const plan_op *ops, size_t count, bool *holds) {
    *w = (world){0};
    *holds = renew(w, &(plan_op){.kind = OP_NEW});
    for (size_t i = 0; i < count; i++) {
        *holds = *holds && step(w, &ops[i]) && agrees(w);
        if (!*holds) return i;
        forget_done(w);
    }
    *holds = *holds && drain(w);
    return count;
}

/* ---- the test ---- */

static bool fails(const void *items, size_t count, void *user) {
    bool holds = false;
    (void)run(user, items, count, &holds);
    return !holds;
}

static void print(const plan_op *ops, size_t count) {
    for (size_t i = 0; i < count; i++) {
        fprintf(stderr, "    {%s, %lluu, %lluu},\n", op_names[ops[i].kind], (unsigned long long)ops[i].how,
                (unsigned long long)ops[i].value);
    }
}

static op_kind random_kind(uint64_t *state) {
    uint32_t total = 0, kind = 0;
    for (uint32_t i = 0; i < OP_KINDS; i++) total += op_weights[i];
    for (uint32_t left = bpt_random(state) % total; left >= op_weights[kind]; kind++) left -= op_weights[kind];
    return (op_kind)kind;
}

static uint64_t random_word(uint64_t *state) { return (uint64_t)bpt_random(state) << 32 | bpt_random(state); }

static plan_op *random_ops(uint64_t seed, size_t count) {
    plan_op *ops = malloc(count * sizeof *ops);
    ck_assert_ptr_nonnull(ops);
    for (size_t i = 0; i < count; i++) {
        const op_kind kind = random_kind(&seed);
        const uint64_t how = random_word(&seed);
        ops[i] = (plan_op){kind, how, random_word(&seed)};
    }
    return ops;
}

static size_t step_count(void) {
    const char *asked = getenv("BPT_PLAN_STEPS");
    return asked == NULL ? bpt_scaled(STEPS) : strtoull(asked, NULL, 10);
}

/* Nothing of it was tried in vain: enough of each was taken, and enough refused. */
static void check_met(const world *w, size_t steps) {
    ck_assert_uint_ge(w->objects, steps / 1000);
    for (op_kind kind = OP_BEGIN; kind < OP_KINDS; kind++) {
        if (kind == OP_LOST) continue;
        ck_assert_msg(w->taken[kind] >= steps / 5000, "%s taken", op_names[kind]);
        ck_assert_msg(w->refused[kind] >= steps / 5000, "%s refused", op_names[kind]);
    }
}

START_TEST(random_operations_agree_with_a_plain_model) {
    const uint64_t seed = bpt_seed(0x9A27 + (uint64_t)_i);
    size_t count = step_count();
    plan_op *ops = random_ops(seed, count);
    world *w = malloc(sizeof *w);
    bool holds = false;
    ck_assert_ptr_nonnull(w);
    const size_t at = run(w, ops, count, &holds);
    if (!holds) {
        fprintf(stderr, "SEED=%llu fails at step %zu: %s\n", (unsigned long long)seed, at, w->what);
        count = bpt_shrink(ops, sizeof *ops, at < count ? at + 1 : count, fails, w, 200 * STEPS);
        (void)run(w, ops, count, &holds);
        print(ops, count);
        ck_abort_msg("SEED=%llu: %s", (unsigned long long)seed, w->what);
    }
    check_met(w, count);
    free(w);
    free(ops);
}
END_TEST

BPT_SUITE(transfer_plan_property) {
    BPT_TIMEOUT(300);
    BPT_LOOP_TEST(random_operations_agree_with_a_plain_model, 0, 3);
}
