/* tests/support/alloc_count.h: counts what a process asks of malloc, by interposition, and makes one call fail.
 *
 * Linking alloc_count.c into a program replaces malloc, calloc, realloc, the aligned forms and free for the whole
 * process, libuv and libc included; each call is counted and handed on to glibc's own. Under sanitizers, which bring an
 * allocator of their own, under Valgrind and with another libc nothing is counted. */
#ifndef BUFPOOL_TESTS_ALLOC_COUNT_H
#define BUFPOOL_TESTS_ALLOC_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether allocations are counted in this build. */
bool bpt_alloc_is_counted(void);

/* Calls of malloc, calloc, realloc and the aligned forms since the process started, all threads. */
uint64_t bpt_alloc_count(void);

/* Called from now on for every such call, on its thread, with what it asks for and where it returns to; NULL: nobody.
 * It must not allocate. */
typedef void bpt_alloc_call(size_t size, void *caller);
void bpt_alloc_tell(bpt_alloc_call *tell);

/* From here on, in a process of one thread: the call after `count` more fails, and only that one; with a negative count
 * none does. Where nothing is counted, nothing fails. */
void bpt_alloc_watch(long count);

typedef struct bpt_alloc_seen {
    bool has_failed; /* so many calls there were */
    int64_t held;    /* pieces that were taken and not given back */
} bpt_alloc_seen;

/* Ends the watch. */
bpt_alloc_seen bpt_alloc_unwatch(void);

#endif
