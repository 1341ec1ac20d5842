/* bench.h: how a benchmark row is declared and run.
 *
 * A row is a function that does some work and returns one figure: nanoseconds or milliseconds per operation, or
 * operations per second. Rows of a group are run interleaved, round after round, in several processes one after the
 * other; a row's figure is the median over all, its spread the 10th and 90th percentile, and its ratio to its reference
 * the median of the ratios of the same round. A row that cannot be measured here returns BENCH_ABSENT and is shown as
 * absent. A group with peers (rows of `is_peer`, which call malloc) is run once per allocator (allocator.h), so that a
 * peer's ratio too is taken within one process. */
#ifndef BUFPOOL_BENCH_H
#define BUFPOOL_BENCH_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_ABSENT NAN

typedef struct bench_row {
    const char *group;     /* rows of one group run interleaved in one process */
    const char *name;      /* unique in the group */
    const char *unit;      /* "ns", "M/s", "ms", "B" or "KiB" */
    const char *reference; /* the row of the group that the ratio is taken to; NULL for the reference itself */
    double (*run)(const struct bench_row *row);
    uint32_t size;  /* bytes per operation, for the row's own use */
    int variant;    /* for the row's own use */
    bool is_peer;   /* measured with each allocator; the ratio is then the reference's gain: peer / reference */
} bench_row;

/* The rows of one file; each file defines one table and bench/main.c lists them. */
typedef struct bench_table {
    const bench_row *rows;
    size_t count;
    bool is_long; /* not in a quick run, unless --only names it */
} bench_table;

/* This program's tables; ends with NULL. The pool's rows are a program of their own, whose malloc nobody counts. */
extern const bench_table *const bench_tables[];

/* True for `--quick`: rows do about a quarter of the work. */
extern bool bench_is_quick;

/* Nanoseconds of a monotonic clock. */
uint64_t bench_now_ns(void);

/* Nanoseconds of processor time that the calling thread had: what other processes take does not count. */
uint64_t bench_cpu_ns(void);

/* Binds the calling thread to one processor, modulo those there are. */
void bench_pin(unsigned processor);

/* Lets the calling thread, and those that it makes, run on every processor again: for rows with many threads. */
void bench_unpin(void);

/* Ends the process with a message: a benchmark that lost a message must not print a figure. */
_Noreturn void bench_fail(const char *what);

/* Keeps the compiler from seeing what happens to p. */
static inline void bench_touch(void *p) { __asm__ volatile("" : : "r"(p) : "memory"); }

#endif
