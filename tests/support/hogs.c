#include "tests/support/hogs.h"

#include "tests/support/suite.h"

void bpt_hogs_fill(bpt_hogs *hogs, bp_pool *pool) {
    for (uint32_t size = 1u << 18; size != 0; size /= 2) {
        while (hogs->count < BPT_HOGS_MAX && bp_pool_acquire(pool, size, &hogs->bufs[hogs->count]) == BP_OK) {
            hogs->count++;
        }
    }
    ck_assert_uint_lt(hogs->count, BPT_HOGS_MAX);
}

void bpt_hogs_free(bpt_hogs *hogs) {
    while (hogs->count != 0) bp_buf_release(hogs->bufs[--hogs->count]);
}
