#define _GNU_SOURCE
#include "tests/support/heap_meter.h"

#include "base/os.h"

#include <check.h>
#include <malloc.h>
#include <stdlib.h>
#include <uv.h>

enum { HEADER = sizeof(size_t) /* of glibc's, and hardly less of any other's */ };

static uint64_t held;

static void *count_in(void *memory) {
    if (memory != NULL) (void)__atomic_fetch_add(&held, malloc_usable_size(memory) + HEADER, __ATOMIC_RELAXED);
    return memory;
}

static uint64_t size_of(void *memory) { return memory == NULL ? 0 : malloc_usable_size(memory) + HEADER; }

static void count_out(uint64_t bytes) { (void)__atomic_fetch_sub(&held, bytes, __ATOMIC_RELAXED); }

static void *metered_alloc(size_t size) { return count_in(bpi_os_system.alloc(size)); }

static void *metered_malloc(size_t size) { return count_in(malloc(size)); }

static void *metered_calloc(size_t count, size_t size) { return count_in(calloc(count, size)); }

static void *metered_realloc(void *old, size_t size) {
    const uint64_t before = size_of(old);
    void *memory = realloc(old, size);
    if (memory == NULL) return NULL;
    count_out(before);
    return count_in(memory);
}

static void metered_free(void *memory) {
    count_out(size_of(memory));
    free(memory);
}

void bpt_heap_meter(void) {
    bpi_os.alloc = metered_alloc;
    bpi_os.alloc_raw = metered_malloc;
    bpi_os.resize = metered_realloc;
    bpi_os.free = metered_free;
    ck_assert_int_eq(uv_replace_allocator(metered_malloc, metered_realloc, metered_calloc, metered_free), 0);
}

uint64_t bpt_heap_meter_bytes(void) { return __atomic_load_n(&held, __ATOMIC_RELAXED); }
