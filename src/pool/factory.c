#include "pool/pool_internal.h"

bp_err bp_pool_factory_sized(const bp_pool_config *config, void *user, bp_pool **out) {
    (void)user;
    return bp_pool_new(config, out);
}

bp_err bp_pool_factory_heap(const bp_pool_config *config, void *user, bp_pool **out) {
    (void)user;
    uint64_t limit = 0;
    const bp_err err = bpi_limit_of(config, &limit);
    *out = NULL;
    return err == BP_OK ? bpi_heap_pool_new(config, limit, out) : err;
}
