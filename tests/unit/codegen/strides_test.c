#include "codegen/strides.h"
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NEEDS = 9, SIZES = 300, LEVELS = 12 };

static uint64_t next(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Whole weights, so that every sum is exact. */
static void fill(cg_need *needs, size_t count, uint32_t most, uint64_t *seed) {
    for (size_t i = 0; i < count; i++) {
        needs[i] = (cg_need){(uint32_t)(next(seed) % most), (double)(1 + next(seed) % 20)};
    }
}

/* The least waste of all ascending choices of multiples of the step up to `top`, tried one by one. */
static double brute(const cg_need *needs, size_t count, uint32_t top, size_t level) {
    uint32_t chosen[4];
    double least = INFINITY;
    ck_assert_uint_le(level, 3);
    chosen[level - 1] = top;
    for (uint32_t a = 16; level == 1 || a <= top - 16; a += 16) {
        for (uint32_t b = a + 16; level < 3 || b <= top - 16; b += 16) {
            if (level > 1) chosen[0] = a;
            if (level > 2) chosen[1] = b;
            const double waste = cg_strides_waste(needs, count, chosen, level);
            if (waste < least) least = waste;
            if (level < 3) break;
        }
        if (level < 2) break;
    }
    return least;
}

START_TEST(no_choice_of_strides_wastes_less) {
    uint64_t seed = (uint64_t)_i + 1;
    cg_need needs[NEEDS];
    cg_arena *arena = cg_arena_new();
    for (int round = 0; round < 100; round++) {
        const size_t count = 1 + next(&seed) % NEEDS;
        fill(needs, count, 400, &seed);
        const cg_strides found = cg_strides_find(arena, needs, count, 3);
        for (size_t level = 1; level <= found.level_count; level++) {
            uint32_t strides[3];
            cg_strides_read(&found, level, strides);
            const double waste = cg_strides_waste(needs, count, strides, level);
            ck_assert(waste == found.waste[level - 1]);
            ck_assert(waste == brute(needs, count, strides[level - 1], level));
        }
    }
    cg_arena_free_take(&arena);
}
END_TEST

/* The recurrence of strides.h word for word, in O(levels n^2). */
static void plain(const cg_strides *found, const double *weight, double least[LEVELS][SIZES + 1]) {
    for (size_t level = 0; level < LEVELS; level++) {
        for (size_t b = level + 1; b <= found->size_count; b++) {
            least[level][b] = INFINITY;
            for (size_t a = level; a < b && (level != 0 || a == 0); a++) {
                const double rest = level == 0 ? 0 : least[level - 1][a];
                const double waste = rest + found->sizes[b - 1] * (weight[b] - weight[a]);
                if (waste < least[level][b]) least[level][b] = waste;
            }
        }
    }
}

START_TEST(divide_and_conquer_finds_what_the_plain_programme_finds) {
    static cg_need needs[SIZES];
    static double least[LEVELS][SIZES + 1];
    uint64_t seed = (uint64_t)_i + 99;
    cg_arena *arena = cg_arena_new();
    for (int round = 0; round < 10; round++) {
        double weight[SIZES + 1] = {0}, used = 0;
        const size_t count = LEVELS + next(&seed) % (SIZES - LEVELS);
        fill(needs, count, 100000, &seed);
        const cg_strides found = cg_strides_find(arena, needs, count, LEVELS);
        for (size_t i = 0; i < count; i++) {
            size_t ix = 0;
            while (found.sizes[ix] < needs[i].bytes) ix++;
            for (size_t b = ix + 1; b <= found.size_count; b++) weight[b] += needs[i].weight;
            used += needs[i].weight * needs[i].bytes;
        }
        plain(&found, weight, least);
        for (size_t level = 0; level < found.level_count; level++) {
            uint32_t strides[LEVELS];
            ck_assert(found.waste[level] == least[level][found.size_count] - used);
            cg_strides_read(&found, level + 1, strides);
            for (size_t i = 1; i <= level; i++) ck_assert_uint_gt(strides[i], strides[i - 1]);
            ck_assert(cg_strides_waste(needs, count, strides, level + 1) == found.waste[level]);
            if (level != 0) ck_assert(found.waste[level] < found.waste[level - 1]);
        }
    }
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(sizes_are_rounded_up_and_counted_once) {
    static const cg_need needs[] = {{0, 1}, {16, 1}, {17, 2}, {32, 1}, {33, 5}};
    cg_arena *arena = cg_arena_new();
    const cg_strides found = cg_strides_find(arena, needs, 5, 64);
    uint32_t strides[3];
    ck_assert_uint_eq(found.level_count, 3);
    cg_strides_read(&found, 3, strides);
    ck_assert(strides[0] == 16 && strides[1] == 32 && strides[2] == 48);
    ck_assert(found.waste[2] == 16 + 2 * 15 + 5 * 15);
    cg_strides_read(&found, 1, strides);
    ck_assert_uint_eq(strides[0], 48);
    cg_arena_free_take(&arena);
}
END_TEST

/* A need that is wanted often gets a stride of its own. */
START_TEST(weights_decide) {
    static const cg_need often_small[] = {{64, 1000}, {512, 1}, {1024, 1}},
                         often_large[] = {{64, 1}, {512, 1000}, {1024, 1}};
    cg_arena *arena = cg_arena_new();
    uint32_t strides[2];
    cg_strides found = cg_strides_find(arena, often_small, 3, 2);
    cg_strides_read(&found, 2, strides);
    ck_assert_uint_eq(strides[0], 64);
    found = cg_strides_find(arena, often_large, 3, 2);
    cg_strides_read(&found, 2, strides);
    ck_assert_uint_eq(strides[0], 512);
    cg_arena_free_take(&arena);
}
END_TEST

/* In O(levels n^2) this would be more than a billion steps. */
START_TEST(thousands_of_sizes_are_no_burden) {
    enum { MANY = 5000, MOST = 64 };
    static cg_need needs[MANY];
    uint32_t strides[MOST];
    uint64_t seed = 3;
    cg_arena *arena = cg_arena_new();
    for (uint32_t i = 0; i < MANY; i++) needs[i] = (cg_need){16 * (i + 1), (double)(1 + next(&seed) % 20)};
    const cg_strides found = cg_strides_find(arena, needs, MANY, MOST);
    ck_assert_uint_eq(found.size_count, MANY);
    ck_assert_uint_eq(found.level_count, MOST);
    for (size_t level = 1; level <= MOST; level++) {
        cg_strides_read(&found, level, strides);
        ck_assert(cg_strides_waste(needs, MANY, strides, level) == found.waste[level - 1]);
    }
    cg_arena_free_take(&arena);
}
END_TEST

START_TEST(powers_are_the_smallest_that_hold_a_need) {
    const cg_need needs[] = {{0, 1}, {128, 1}, {129, 1}, {64, 1}, {UINT32_C(1) << 30, 1}, {200, 1}};
    uint32_t powers[CG_POWERS_MAX];
    ck_assert_uint_eq(cg_strides_powers(needs, 6, 64, powers), 4);
    ck_assert_uint_eq(powers[0], 64);
    ck_assert_uint_eq(powers[1], 128);
    ck_assert_uint_eq(powers[2], 256);
    ck_assert_uint_eq(powers[3], UINT32_C(1) << 30);
    ck_assert_uint_eq(cg_strides_powers(needs, 6, UINT32_C(1) << 30, powers), 1);
    ck_assert_uint_eq(cg_strides_powers(needs, 0, 64, powers), 0);
}
END_TEST

BPT_SUITE(codegen_strides) {
    BPT_LOOP_TEST(no_choice_of_strides_wastes_less, 0, 4);
    BPT_LOOP_TEST(divide_and_conquer_finds_what_the_plain_programme_finds, 0, 4);
    BPT_TEST(sizes_are_rounded_up_and_counted_once);
    BPT_TEST(weights_decide);
    BPT_TEST(thousands_of_sizes_are_no_burden);
    BPT_TEST(powers_are_the_smallest_that_hold_a_need);
}
