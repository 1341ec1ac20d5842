#include "tests/support/os_pieces.h"
#include "base/os.h"

#include <stddef.h>

static long held; /* atomic */

static void *taken(void *memory) {
    if (memory != NULL) __atomic_fetch_add(&held, 1, __ATOMIC_RELAXED);
    return memory;
}

static void *count_alloc(size_t size) { return taken(bpi_os_system.alloc(size)); }

static void *count_alloc_raw(size_t size) { return taken(bpi_os_system.alloc_raw(size)); }

static void *count_resize(void *old, size_t size) {
    void *memory = bpi_os_system.resize(old, size);
    return old == NULL ? taken(memory) : memory;
}

static void count_free(void *memory) {
    if (memory != NULL) __atomic_fetch_sub(&held, 1, __ATOMIC_RELAXED);
    bpi_os_system.free(memory);
}

void bpt_os_pieces_begin(void) {
    held = 0;
    bpi_os.alloc = count_alloc;
    bpi_os.alloc_raw = count_alloc_raw;
    bpi_os.resize = count_resize;
    bpi_os.free = count_free;
}

long bpt_os_pieces_end(void) {
    bpi_os = bpi_os_system;
    return __atomic_load_n(&held, __ATOMIC_RELAXED);
}
