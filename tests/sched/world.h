/* tests/sched/world.h: what the scenarios are made of: one pool, buffers that know who holds them. */
#ifndef BUFPOOL_TESTS_SCHED_WORLD_H
#define BUFPOOL_TESTS_SCHED_WORLD_H

#include "tests/sched/sched.h"

#include <check.h>

/* One class of 1,024 bytes: 16 buffers in a slab. */
enum { BPT_SIZE = 1000, BPT_STRIDE = 1024, BPT_PER_SLAB = 16, BPT_REST_MAX = 128 };

extern bp_pool *bpt_pool;

/* A pool with this limit (0: none) in bpt_pool; or as config says, with that one class unless it names others. */
void bpt_pool_make(uint64_t limit);
void bpt_pool_make_as(bp_pool_config config);

/* A buffer that nobody else has at the same time; NULL when the pool answers err. */
bp_buf *bpt_take_or(bp_err err);
bp_buf *bpt_take(void);
void bpt_give(bp_buf **buf);

void bpt_give_all(bp_buf *bufs[BPT_REST_MAX]);

/* The calling thread has a magazine with buffers in it. */
void bpt_warm(void);
/* The calling thread has an empty or a full magazine, and these buffers besides: at least one, NULL behind the last. */
void bpt_empty(bp_buf *rest[BPT_REST_MAX]);
void bpt_fill(bp_buf *rest[BPT_REST_MAX]);

/* Nothing is in use, everything can be given back, every equation holds. */
void bpt_pool_quiet(void);
/* The same, and then the pool ends and leaves nothing behind. */
void bpt_pool_over(void);

/* All schedules within the bounds that fit the number of threads, on all memories, and random ones beyond: nothing goes
 * wrong, and there are as many as the scenario says. BPT_SCHED=full in the environment widens the bounds. */
void bpt_all_right(const bpt_scenario *scenario);
/* The same on one memory. */
void bpt_right_on(bpt_memory memory, const bpt_scenario *scenario, uint64_t least);
/* Something goes wrong on this memory. */
void bpt_wrong_on(bpt_memory memory, const bpt_scenario *scenario);

#endif
