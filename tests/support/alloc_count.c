#include "tests/support/alloc_count.h"

#include <errno.h>
#include <features.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#endif

#if defined(__GLIBC__) && !defined(UNDER_SANITIZER)

static uint64_t calls;

static void count_one(void) { __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED); }

uint64_t bpt_alloc_count(void) { return __atomic_load_n(&calls, __ATOMIC_RELAXED); }

/* Found by trying, through a pointer that cannot be seen through: Valgrind puts an allocator of its own in the place of
 * the one below, which the compiler would otherwise make part of this function. */
bool bpt_alloc_is_counted(void) {
    void *(*volatile allocate)(size_t) = malloc;
    const uint64_t before = bpt_alloc_count();
    free(allocate(1));
    return bpt_alloc_count() != before;
}

/* glibc exports its allocator under these names for exactly this use. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size) {
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    count_one();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size);
int posix_memalign(void **out, size_t alignment, size_t size) {
    count_one();
    void *memory = __libc_memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *out = memory;
    return 0;
}

#else

bool bpt_alloc_is_counted(void) { return false; }

uint64_t bpt_alloc_count(void) { return 0; }

#endif
