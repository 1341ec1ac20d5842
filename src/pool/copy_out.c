#include "pool/pool_internal.h"

#include <string.h>

/* Marked before a byte of a secret is in it. */
static void copy_contents(bp_buf *to, const bp_buf *from, uint32_t length) {
    if (bp_buf_is_sensitive(from)) bp_buf_set_sensitive(to);
    if (length != 0) memcpy(bp_buf_data(to), bp_buf_data(from), length);
    bp_buf_set_length(to, length);
    bp_buf_set_type(to, bp_buf_type(from));
}

bp_err bp_buf_copy_out(bp_buf **buf, bp_pool *to) {
    const uint32_t length = bp_buf_length(*buf);
    bp_buf *copy = NULL;
    const bp_err err = bp_pool_acquire(to, length == 0 ? 1 : length, &copy);
    if (err != BP_OK) return err;
    copy_contents(copy, *buf, length);
    bp_buf_release(*buf);
    *buf = copy;
    return BP_OK;
}
