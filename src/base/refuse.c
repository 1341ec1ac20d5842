#include "bufpool/detail/bytes.h"

bp_err bpi_refuse(bp_err err, void *out, size_t size) {
    memset(out, 0, size);
    return err;
}
