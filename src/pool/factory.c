#include "bufpool/pool.h"

bp_err bp_pool_factory_sized(const bp_pool_config *config, void *user, bp_pool **out) {
    (void)user;
    return bp_pool_new(config, out);
}

bp_err bp_pool_factory_heap(const bp_pool_config *config, void *user, bp_pool **out) {
    (void)user;
    return bp_heap_pool_new(config->memory_limit, out);
}
