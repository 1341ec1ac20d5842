/* call_count.h: how many system calls that read, write or wait this process has made, by interposition: linking
 * call_count.c puts counting wrappers in the place of the C library's functions, for shared libraries too. Not seen is
 * what the C library does inside itself (futex) and what a library does past it. */
#ifndef BUFPOOL_BENCH_CALL_COUNT_H
#define BUFPOOL_BENCH_CALL_COUNT_H

#include <stdint.h>

/* Calls since the process started, all threads. */
uint64_t bench_call_count(void);

#endif
