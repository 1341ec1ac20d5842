/* tests/support/alloc_count.h: counts what a process asks of malloc, by interposition.
 *
 * Linking alloc_count.c into a program replaces malloc, calloc, realloc and the aligned forms for the whole process,
 * libuv and libc included; each call is counted and handed on to glibc's own. Under sanitizers, which bring an
 * allocator of their own, under Valgrind and with another libc nothing is counted. */
#ifndef BUFPOOL_TESTS_ALLOC_COUNT_H
#define BUFPOOL_TESTS_ALLOC_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Whether allocations are counted in this build. */
bool bpt_alloc_is_counted(void);

/* Calls of malloc, calloc, realloc and the aligned forms since the process started, all threads. */
uint64_t bpt_alloc_count(void);

#endif
