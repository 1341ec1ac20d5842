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
static bpt_alloc_call *on_call;

/* Of a watch, which one thread sees. */
static bool is_watching;
static long until_failure;
static bpt_alloc_seen seen;

/* Counts a call; false: it is the one that fails. */
static bool take_one(size_t size, void *caller) {
    bpt_alloc_call *const tell = __atomic_load_n(&on_call, __ATOMIC_RELAXED);
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    if (tell != NULL) tell(size, caller);
    if (!is_watching || until_failure-- != 0) return true;
    seen.has_failed = true;
    errno = ENOMEM;
    return false;
}

static void *hold(void *memory) {
    if (is_watching && memory != NULL) seen.held++;
    return memory;
}

uint64_t bpt_alloc_count(void) { return __atomic_load_n(&calls, __ATOMIC_RELAXED); }

void bpt_alloc_tell(bpt_alloc_call *tell) { __atomic_store_n(&on_call, tell, __ATOMIC_RELAXED); }

/* Found by trying, through a pointer that cannot be seen through: Valgrind puts an allocator of its own in the place of
 * the one below, which the compiler would otherwise make part of this function. */
bool bpt_alloc_is_counted(void) {
    void *(*volatile allocate)(size_t) = malloc;
    const uint64_t before = bpt_alloc_count();
    free(allocate(1));
    return bpt_alloc_count() != before;
}

/* What is hidden would replace the calls of this program alone, and not those of the libraries that it is linked to. */
#pragma GCC visibility push(default)

/* glibc exports its allocator under these names for exactly this use. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

extern void __libc_free(void *old);

void bpt_alloc_watch(long count) {
    seen = (bpt_alloc_seen){0};
    until_failure = count;
    is_watching = true;
}

bpt_alloc_seen bpt_alloc_unwatch(void) {
    is_watching = false;
    return seen;
}

#define TAKE_ONE(size) take_one(size, __builtin_return_address(0))

void *malloc(size_t size) { return TAKE_ONE(size) ? hold(__libc_malloc(size)) : NULL; }

void *calloc(size_t count, size_t size) { return TAKE_ONE(count * size) ? hold(__libc_calloc(count, size)) : NULL; }

/* Of size 0 glibc frees what was there. */
void *realloc(void *old, size_t size) {
    if (!TAKE_ONE(size)) return NULL;
    if (is_watching && old != NULL && size == 0) seen.held--;
    void *memory = __libc_realloc(old, size);
    return old == NULL ? hold(memory) : memory;
}

void free(void *old) {
    if (is_watching && old != NULL) seen.held--;
    __libc_free(old);
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size) { return TAKE_ONE(size) ? hold(__libc_memalign(alignment, size)) : NULL; }

void *aligned_alloc(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size) {
    return TAKE_ONE(size) ? hold(__libc_memalign(alignment, size)) : NULL;
}

int posix_memalign(void **out, size_t alignment, size_t size);
int posix_memalign(void **out, size_t alignment, size_t size) {
    void *memory = TAKE_ONE(size) ? hold(__libc_memalign(alignment, size)) : NULL;
    if (memory == NULL) return ENOMEM;
    *out = memory;
    return 0;
}

#pragma GCC visibility pop

#else

bool bpt_alloc_is_counted(void) { return false; }

uint64_t bpt_alloc_count(void) { return 0; }

void bpt_alloc_tell(bpt_alloc_call *tell) { (void)tell; }

void bpt_alloc_watch(long count) { (void)count; }

bpt_alloc_seen bpt_alloc_unwatch(void) { return (bpt_alloc_seen){0}; }

#endif
