/* tests/support/alloc_window.h: a stretch of a test in which nothing may be allocated, and who did it all the same. */
#ifndef BUFPOOL_TESTS_ALLOC_WINDOW_H
#define BUFPOOL_TESTS_ALLOC_WINDOW_H

#include "tests/support/alloc_count.h"

/* One window at a time; it may be closed on another thread than it was opened on. What counts is in alloc_count.h. */
void bpt_alloc_window_open(void);

/* Allocations of all threads since then. */
uint64_t bpt_alloc_window_close(void);

/* Of the window that was closed last, on a thread that knows that the allocating ones are done: the first allocation
 * and its callers in one line, "4192 bytes: inner < outer < outermost". Empty, where there was none. */
const char *bpt_alloc_window_first(void);

#endif
