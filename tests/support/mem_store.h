/* tests/support/mem_store.h: a store that keeps its objects in memory, made of what bufpool/transfer.h says alone: the
 * example of a store of one's own, and one that answers when, where and how a test wants. */
#ifndef BUFPOOL_TESTS_MEM_STORE_H
#define BUFPOOL_TESTS_MEM_STORE_H

#include "bufpool/transfer.h"

/* When calls are done and answered. */
typedef enum bpt_mem_way {
    BPT_MEM_INSIDE,   /* inside the function */
    BPT_MEM_THREADED, /* on two threads of its own, in any order */
    BPT_MEM_HELD,     /* when bpt_mem_let_go says so */
    BPT_MEM_WAYS
} bpt_mem_way;

typedef enum bpt_mem_fn {
    BPT_MEM_PUT_OPEN,
    BPT_MEM_WRITE,
    BPT_MEM_COMMIT,
    BPT_MEM_ABORT,
    BPT_MEM_GET_OPEN,
    BPT_MEM_READ,
    BPT_MEM_CLOSE,
    BPT_MEM_LIST,
    BPT_MEM_FNS
} bpt_mem_fn;

/* An empty store; with does_crc it compares and makes sums itself. bp_store_release_take ends it. */
bp_store *bpt_mem_store(bpt_mem_way way, bool does_crc);

/* Changes the way; not to or from BPT_MEM_THREADED. What is held stays so. */
void bpt_mem_set_way(bp_store *store, bpt_mem_way way);

/* Answers up to count of the calls that are held, each picked by the seed. Returns how many. */
unsigned bpt_mem_let_go(bp_store *store, unsigned count, uint64_t *seed);
unsigned bpt_mem_held(bp_store *store);

/* The call of this kind after `before` more is answered with err, and nothing is done. One at a time; BP_OK: none. */
void bpt_mem_fail(bp_store *store, bpt_mem_fn fn, unsigned before, bp_err err);

/* Calls so far; objects that are open. */
unsigned bpt_mem_calls(bp_store *store, bpt_mem_fn fn);
unsigned bpt_mem_open(bp_store *store);

/* Puts an object there, or another version of it; size bytes of which byte i is as bpt_object_byte says. */
void bpt_mem_add(bp_store *store, const char *name, uint64_t size, uint64_t seed);

/* Whether it is there, with just these bytes. */
bool bpt_mem_has(bp_store *store, const char *name, uint64_t size, uint64_t seed);
bool bpt_mem_is_there(bp_store *store, const char *name);

/* Unfinished puts that a token finds. */
unsigned bpt_mem_puts(bp_store *store);

/* Bytes of objects: every byte depends on seed and place. */
void bpt_object_fill(uint8_t *out, uint64_t offset, size_t length, uint64_t seed);
bool bpt_object_is(const uint8_t *bytes, uint64_t offset, size_t length, uint64_t seed);
uint32_t bpt_object_sum(uint64_t size, uint64_t seed);

#endif
