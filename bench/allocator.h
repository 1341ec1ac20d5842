/* allocator.h: the general allocators that rows of `is_peer` are measured with.
 *
 * Each has processes of its own, into which it is preloaded (LD_PRELOAD), so that a call of malloc goes where it would
 * go in a program that uses it. BENCH_MALLOC=name=path.so,name=path.so adds others. */
#ifndef BUFPOOL_BENCH_ALLOCATOR_H
#define BUFPOOL_BENCH_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

enum { BENCH_ALLOCATORS_MAX = 12 };

typedef struct bench_allocator {
    const char *name;
    const char *library; /* as LD_PRELOAD names it; "" is the C library's own */
    bool is_absent;
} bench_allocator;

/* The C library's allocator, the ones that Debian packages and those of BENCH_MALLOC; asks program, which answers
 * `--probe` by bench_malloc_is_replaced, which of them are there. Returns how many. */
size_t bench_allocators(const char *program, bench_allocator out[BENCH_ALLOCATORS_MAX]);

/* Whether this process's malloc is not the C library's. */
bool bench_malloc_is_replaced(void);

#endif
