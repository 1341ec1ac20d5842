#include "pool/pool_internal.h"
#include "tests/support/pool_ops_model.h"

static uint64_t mapped, blocks;

static void *given(void *memory) {
    if (memory != NULL) (void)__atomic_fetch_add(&blocks, 1, __ATOMIC_RELAXED);
    return memory;
}

static void *counted_alloc(size_t size) { return given(bpi_os_system.alloc(size)); }

static void *counted_alloc_raw(size_t size) { return given(bpi_os_system.alloc_raw(size)); }

static void *counted_map(size_t size) {
    void *memory = given(bpi_os_system.map(size));
    if (memory != NULL) (void)__atomic_fetch_add(&mapped, size, __ATOMIC_RELAXED);
    return memory;
}

static void counted_free(void *memory) {
    if (memory != NULL) (void)__atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
    bpi_os_system.free(memory);
}

static void counted_unmap(void *memory, size_t size) {
    (void)__atomic_fetch_sub(&blocks, 1, __ATOMIC_RELAXED);
    (void)__atomic_fetch_sub(&mapped, size, __ATOMIC_RELAXED);
    bpi_os_system.unmap(memory, size);
}

void bpt_ops_count_system(void) {
    (void)bpi_own_entry(sizeof(bpi_entry));
    mapped = blocks = 0;
    bpi_os.alloc = counted_alloc;
    bpi_os.alloc_raw = counted_alloc_raw;
    bpi_os.map = counted_map;
    bpi_os.free = counted_free;
    bpi_os.unmap = counted_unmap;
}

uint64_t bpt_ops_mapped(void) { return __atomic_load_n(&mapped, __ATOMIC_RELAXED); }

uint64_t bpt_ops_blocks(void) { return __atomic_load_n(&blocks, __ATOMIC_RELAXED); }
