/* Which part comes next: all of it is arithmetic on three words of bits, in which bit i is part first + i. */
#include "transfer/plan.h"

enum { BITS = 64 };

/* While nobody knows how large the object is, it may be the largest there can be: what is worked on has its place in
 * that one, and no sum of bytes overflows. */
static uint64_t size_at_most(const bpi_plan *plan) {
    return plan->size == BP_SIZE_UNKNOWN ? BP_SIZE_UNKNOWN - 1 : plan->size;
}

static uint64_t parts_of(const bpi_plan *plan, uint64_t size) {
    return size / plan->part_size + (size % plan->part_size != 0);
}

static uint64_t count_at_most(const bpi_plan *plan) { return parts_of(plan, size_at_most(plan)); }

static uint32_t width_of(uint64_t bits) { return bits == 0 ? 0 : BITS - (uint32_t)__builtin_clzll(bits); }

static uint64_t low_bits(uint64_t count) { return count >= BITS ? UINT64_MAX : (UINT64_C(1) << count) - 1; }

/* The part's bit; 0 where it has none. */
static uint64_t bit_of(const bpi_plan *plan, uint64_t part) {
    return part < plan->first || part - plan->first >= BITS ? 0 : UINT64_C(1) << (part - plan->first);
}

static uint64_t todo_bits(const bpi_plan *plan) {
    const uint64_t left = count_at_most(plan) - plan->first;
    const uint64_t open = low_bits(left < plan->window ? left : plan->window);
    return open & ~(plan->under_way | plan->held | plan->done);
}

/* The window moves on to the first part that is not done. Where all 64 are, none is anything else, so that what a shift
 * by 64 % 64 leaves of the other words is 0. */
static void advance(bpi_plan *plan) {
    const uint32_t count = plan->done == UINT64_MAX ? BITS : (uint32_t)__builtin_ctzll(~plan->done);
    plan->first += count;
    plan->done = count == BITS ? 0 : plan->done >> count;
    plan->under_way >>= count % BITS;
    plan->held >>= count % BITS;
}

static bool move(const bpi_plan *plan, uint64_t part, uint64_t *from, uint64_t *to) {
    const uint64_t bit = bit_of(plan, part);
    if ((*from & bit) == 0) return false;
    *from ^= bit;
    *to |= bit;
    return true;
}

/* ---- how large it is ---- */

void bpi_plan_init(bpi_plan *plan, uint64_t size, uint32_t part_size, uint32_t window) {
    *plan = (bpi_plan){.size = size, .part_size = part_size, .window = window};
}

uint64_t bpi_plan_count(const bpi_plan *plan) {
    return plan->size == BP_SIZE_UNKNOWN ? UINT64_MAX : parts_of(plan, plan->size);
}

uint32_t bpi_plan_length(const bpi_plan *plan, uint64_t part) {
    if (part >= count_at_most(plan)) return 0;
    const uint64_t left = size_at_most(plan) - part * plan->part_size;
    return left < plan->part_size ? (uint32_t)left : plan->part_size;
}

bool bpi_plan_restore(bpi_plan *plan, uint64_t first, uint64_t have) {
    const uint64_t count = count_at_most(plan);
    if (first > count || width_of(have) > count - first) return false;
    plan->first = first;
    plan->under_way = plan->held = 0;
    plan->done = have;
    advance(plan);
    return true;
}

bool bpi_plan_end(bpi_plan *plan, uint64_t size) {
    if (size == BP_SIZE_UNKNOWN) return false;
    if (plan->size != BP_SIZE_UNKNOWN) return plan->size == size;
    if (plan->first + width_of(plan->under_way | plan->held | plan->done) > parts_of(plan, size)) return false;
    plan->size = size;
    return true;
}

/* ---- what happens to parts ---- */

uint64_t bpi_plan_next(const bpi_plan *plan) {
    const uint64_t todo = todo_bits(plan);
    return todo == 0 ? BP_PART_NONE : plan->first + (uint32_t)__builtin_ctzll(todo);
}

bool bpi_plan_begin(bpi_plan *plan, uint64_t part) {
    uint64_t todo = todo_bits(plan);
    return move(plan, part, &todo, &plan->under_way);
}

bool bpi_plan_finish(bpi_plan *plan, uint64_t part) {
    if (!move(plan, part, &plan->under_way, &plan->done)) return false;
    advance(plan);
    return true;
}

bool bpi_plan_undo(bpi_plan *plan, uint64_t part) {
    uint64_t todo = 0;
    return move(plan, part, &plan->under_way, &todo);
}

bool bpi_plan_hold(bpi_plan *plan, uint64_t part) { return move(plan, part, &plan->under_way, &plan->held); }

bool bpi_plan_unhold(bpi_plan *plan, uint64_t part) {
    uint64_t todo = 0;
    return move(plan, part, &plan->held, &todo);
}

bool bpi_plan_deliver(bpi_plan *plan, uint64_t part) {
    if (part != plan->first || !move(plan, part, &plan->held, &plan->done)) return false;
    advance(plan);
    return true;
}

void bpi_plan_lost(bpi_plan *plan) { plan->under_way = 0; }

/* ---- what is known ---- */

uint32_t bpi_plan_under_way(const bpi_plan *plan) { return (uint32_t)__builtin_popcountll(plan->under_way); }

bool bpi_plan_is_held(const bpi_plan *plan, uint64_t part) { return (plan->held & bit_of(plan, part)) != 0; }

bool bpi_plan_is_done(const bpi_plan *plan) { return plan->first == bpi_plan_count(plan); }

static bool is_part_done(const bpi_plan *plan, uint64_t part) {
    return part < plan->first || (plan->done & bit_of(plan, part)) != 0;
}

/* All parts count as whole; what the last one lacks is taken off again, so that the sum may overflow in between. */
uint64_t bpi_plan_done_bytes(const bpi_plan *plan) {
    const uint64_t count = count_at_most(plan);
    const uint64_t whole = (plan->first + (uint32_t)__builtin_popcountll(plan->done)) * plan->part_size;
    if (count == 0 || !is_part_done(plan, count - 1)) return whole;
    return whole - (plan->part_size - bpi_plan_length(plan, count - 1));
}
