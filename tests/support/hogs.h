/* tests/support/hogs.h: whoever holds all the memory of a pool, so that others have to wait. */
#ifndef BUFPOOL_TESTS_HOGS_H
#define BUFPOOL_TESTS_HOGS_H

#include "bufpool/pool.h"

#include <stddef.h>

enum { BPT_HOGS_MAX = 8192 };

typedef struct bpt_hogs {
    bp_buf *bufs[BPT_HOGS_MAX];
    size_t count;
} bpt_hogs;

/* Takes everything that the pool still gives, in buffers of at most 256 KiB. */
void bpt_hogs_fill(bpt_hogs *hogs, bp_pool *pool);
/* Gives all of it back. */
void bpt_hogs_free(bpt_hogs *hogs);

#endif
