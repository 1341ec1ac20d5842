/* tests/support/pool_support.h: pools, threads and a failing system, for the tests of the pool and of what uses it. */
#ifndef BUFPOOL_TESTS_POOL_SUPPORT_H
#define BUFPOOL_TESTS_POOL_SUPPORT_H

#include "bufpool/pool.h"

/* The classes of bpt_pool_new: 64, 128, 1024, 4096 (with magazines) and 262144 (one buffer per slab). */
enum { BPT_CLASS_COUNT = 5, BPT_LARGEST_CLASS = 262144 };
extern const bp_class bpt_classes[BPT_CLASS_COUNT];

/* A size-class pool; limit in bytes, 0 is none. Fails the test when it cannot be made. */
bp_pool *bpt_pool_new(uint64_t limit);

/* Releases *pool and fails the test unless nothing of it is committed or in use. */
void bpt_pool_end_take(bp_pool **pool);

bp_buf *bpt_acquire(bp_pool *pool, uint64_t size);
bp_class_stats bpt_class_stats(bp_pool *pool, uint32_t class_ix);
bp_pool_stats bpt_stats(bp_pool *pool);

/* Runs call(argument) on a thread of its own and waits for its end. */
void bpt_on_thread(void *(*call)(void *), void *argument);

/* A small generator of pseudo-random numbers. */
uint32_t bpt_random(uint64_t *state);

/* The seed of a randomized test: SEED in the environment, else the one given. Printed when the test fails. */
uint64_t bpt_seed(uint64_t otherwise);

/* ---- a system that runs out of memory ---- */

/* From now on the system counts what it gives, but for the calling thread's block; no pool may exist. */
void bpt_os_watch(void);
/* The call number `call` of alloc, alloc_raw, map and protect together, counted from 0 and from now, fails, and with it
 * all later ones if asked for; UINT64_MAX: none. */
void bpt_os_fail(uint64_t call, bool with_all_later);
/* Calls since bpt_os_fail or bpt_os_watch; blocks that were given and not taken back. */
uint64_t bpt_os_calls(void);
int64_t bpt_os_live(void);
/* Whether there is a process-wide barrier. */
void bpt_os_set_barrier(bool is_there);

#endif
