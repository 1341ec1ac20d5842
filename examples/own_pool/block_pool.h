/* A pool of one's own: blocks of one size in one region, which is mapped when the pool is made. From then on it asks
 * the system for nothing, so that acquire never waits for a page table or runs out of memory: for programs that must
 * know at the start that they have what they need. */
#ifndef BLOCK_POOL_H
#define BLOCK_POOL_H

#include <bufpool/pool.h>

/* Blocks as large as config's largest class, as many as its memory_limit holds; both are needed. BP_ERR_ARGUMENT;
 * BP_ERR_NO_MEMORY. A bp_pool_factory; user is not used. */
bp_err block_pool_factory(const bp_pool_config *config, void *user, bp_pool **out);

#endif
