#include "tests/support/pool_ops.h"
#include "tests/support/pool_support.h"

static const uint32_t weights[] = {
#define BPT_OP(name, weight, text) weight,
#include "tests/support/pool_ops.def"
#undef BPT_OP
};

/* What changes from phase to phase: whether buffers become more or fewer, and how large they are. */
typedef struct phase {
    uint32_t more; /* in percent of its weight, how often an acquire; releases the other way round */
    uint32_t sizes, slots;
    uint32_t left;
} phase;

static phase next_phase(uint64_t *state) {
    static const uint32_t more[] = {40, 100, 100, 180}, slots[] = {4, 40, BPT_OP_SLOTS, BPT_OP_SLOTS};
    phase next;
    next.more = more[bpt_random(state) % 4];
    next.slots = slots[bpt_random(state) % 4];
    next.sizes = bpt_random(state) % 5;
    next.left = 50 + bpt_random(state) % 2000;
    return next;
}

static uint32_t weight_of(const phase *now, uint32_t kind) {
    if (kind <= BPT_OP_ACQUIRE_PLAIN) return weights[kind] * now->more / 100;
    if (kind <= BPT_OP_RELEASE_PLAIN) return weights[kind] * (200 - now->more) / 100;
    return weights[kind];
}

static uint8_t random_kind(const phase *now, uint64_t *state) {
    uint32_t total = 0, kind = 0;
    for (uint32_t i = 0; i < BPT_OP_KINDS; i++) total += weight_of(now, i);
    uint32_t at = bpt_random(state) % total;
    while (at >= weight_of(now, kind)) at -= weight_of(now, kind++);
    return (uint8_t)kind;
}

static uint32_t any_size(uint64_t *state) {
    const uint32_t kind = bpt_random(state) % 1000;
    if (kind < 900) return 1 + bpt_random(state) % 4096;
    if (kind < 940) return bpt_classes[bpt_random(state) % BPT_CLASS_COUNT].size;
    if (kind < 980) return 1 + bpt_classes[bpt_random(state) % BPT_CLASS_COUNT].size;
    return bpt_random(state) % BPT_OP_SIZE_MAX;
}

static uint32_t random_size(const phase *now, uint64_t *state) {
    switch (now->sizes) {
    case 0: return 1 + bpt_random(state) % 128;
    case 1: return 1000 + bpt_random(state) % 100;
    case 2: return bpt_random(state) % 50 == 0 ? 1 + bpt_random(state) % BPT_OP_SIZE_MAX : 64;
    default: return any_size(state);
    }
}

void bpt_ops_random(uint64_t seed, bpt_op *ops, size_t count) {
    uint64_t state = seed == 0 ? 1 : seed;
    phase now = {0};
    uint8_t thread = 0;
    for (size_t i = 0; i < count; i++) {
        if (now.left-- == 0) now = next_phase(&state);
        if (bpt_random(&state) % 16 == 0) thread = (uint8_t)(bpt_random(&state) % BPT_OP_THREADS);
        ops[i].kind = random_kind(&now, &state);
        ops[i].thread = thread;
        ops[i].slot = (uint8_t)(bpt_random(&state) % now.slots);
        ops[i].class_ix = (uint8_t)(bpt_random(&state) % 8);
        ops[i].value = random_size(&now, &state);
    }
}
