#define _GNU_SOURCE
#include "block_pool.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

/* A buffer, and what the pool itself must know of it: the library hands out and takes back the bp_buf. */
typedef struct block {
    bp_buf buf;
    uint8_t *data;
    struct block *next_free;
} block;

typedef struct block_pool {
    bp_pool head; /* first, so that a bp_pool is a block_pool */
    pthread_mutex_t lock;
    uint8_t *region;
    size_t region_bytes;
    uint32_t block_size, block_count;
    block *free;                           /* newest first: its bytes are likely in the cache */
    uint64_t acquires, in_use, high_water; /* under the lock, like the list */
    block blocks[];
} block_pool;

static block_pool *block_pool_of(bp_pool *pool) { return (block_pool *)(void *)pool; }

static block *take_block(block_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    block *taken = pool->free;
    if (taken != NULL) {
        pool->free = taken->next_free;
        pool->acquires++;
        if (++pool->in_use > pool->high_water) pool->high_water = pool->in_use;
    }
    pthread_mutex_unlock(&pool->lock);
    return taken;
}

/* The library has set *out to NULL, and never asks for 0 bytes or once the pool is closed. */
static bp_err blocks_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    if (size > block_pool_of(pool)->block_size) return BP_ERR_ARGUMENT;
    block *taken = take_block(block_pool_of(pool));
    if (taken == NULL) return BP_ERR_LIMIT;
    bp_buf_init(&taken->buf, pool, taken->data, (uint32_t)size);
    *out = &taken->buf;
    return BP_OK;
}

static void blocks_release(bp_pool *pool, bp_buf *buf) {
    block_pool *of = block_pool_of(pool);
    block *given = (block *)(void *)buf;
    pthread_mutex_lock(&of->lock);
    given->next_free = of->free;
    of->free = given;
    of->in_use--;
    pthread_mutex_unlock(&of->lock);
}

/* Nobody has a reference or a buffer any more. */
static void blocks_free(bp_pool *pool) {
    block_pool *of = block_pool_of(pool);
    pthread_mutex_destroy(&of->lock);
    munmap(of->region, of->region_bytes);
    free(of);
}

static uint64_t blocks_stride(const bp_pool *pool, uint64_t size) {
    const block_pool *of = (const block_pool *)(const void *)pool;
    return size <= of->block_size ? of->block_size : 0;
}

static bp_err blocks_class_stats(bp_pool *pool, uint32_t class_ix, bp_class_stats *out) {
    block_pool *of = block_pool_of(pool);
    if (class_ix != 0) return BP_ERR_ARGUMENT;
    pthread_mutex_lock(&of->lock);
    out->size = of->block_size;
    out->acquires = out->slow = of->acquires;
    out->releases = of->acquires - of->in_use;
    out->in_use = of->in_use;
    out->high_water = of->high_water;
    out->idle = of->block_count - of->in_use;
    pthread_mutex_unlock(&of->lock);
    out->committed_bytes = of->region_bytes;
    out->slack_bytes = of->region_bytes - (uint64_t)of->block_count * of->block_size;
    return BP_OK;
}

static void blocks_stats(bp_pool *pool, bp_pool_stats *out) {
    out->name = "blocks";
    out->class_count = 1;
    out->memory_limit = out->committed_bytes = out->committed_peak_bytes = block_pool_of(pool)->region_bytes;
    (void)blocks_class_stats(pool, 0, &out->total);
    out->total.size = 0;
}

/* What is left out has defaults that fit: there is nothing to trim, and the library refuses acquires after close. */
static const bp_pool_table blocks_table = {
    .table_bytes = sizeof(bp_pool_table),
    .acquire = blocks_acquire,
    .release = blocks_release,
    .free = blocks_free,
    .stride = blocks_stride,
    .stats = blocks_stats,
    .class_stats = blocks_class_stats,
};

static bool map_region(block_pool *pool) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
    pool->region = mmap(NULL, pool->region_bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
    return pool->region != MAP_FAILED;
}

static bp_err block_pool_new(uint32_t block_size, uint32_t block_count, bp_pool **out) {
    block_pool *pool = calloc(1, sizeof *pool + block_count * sizeof(block));
    if (pool == NULL) return BP_ERR_NO_MEMORY;
    pool->block_size = block_size;
    pool->block_count = block_count;
    pool->region_bytes = (size_t)block_size * block_count;
    bp_err err = bp_pool_init(&pool->head, &blocks_table);
    if (err == BP_OK && !map_region(pool)) err = BP_ERR_NO_MEMORY;
    if (err != BP_OK) {
        free(pool);
        return err;
    }
    pthread_mutex_init(&pool->lock, NULL);
    for (uint32_t ix = block_count; ix-- > 0;) {
        pool->blocks[ix] = (block){.data = pool->region + (size_t)ix * block_size, .next_free = pool->free};
        pool->free = &pool->blocks[ix];
    }
    *out = &pool->head;
    return BP_OK;
}

bp_err block_pool_factory(const bp_pool_config *config, void *user, bp_pool **out) {
    (void)user;
    *out = NULL;
    if (config->classes == NULL || config->class_count == 0) return BP_ERR_ARGUMENT;
    const uint32_t block_size = config->classes[config->class_count - 1].size; /* a multiple of 16, as every class */
    if (block_size == 0 || block_size % 16 != 0) return BP_ERR_ARGUMENT;
    const uint64_t block_count = config->memory_limit / block_size;
    if (block_count == 0 || block_count > UINT32_MAX) return BP_ERR_ARGUMENT;
    return block_pool_new(block_size, (uint32_t)block_count, out);
}
