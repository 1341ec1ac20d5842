/* Memory, by the resident set of a process of its own per row, without the pages of files: code that runs for the first
 * time is read in, sixteen pages at a time, and that is nobody's memory.
 *
 * per live message: 100,000 messages of a contract with ten value sizes, all bytes written; the pool with a class for
 * each size, as `classes: auto` gives it, the general allocators with value + 32 bytes, since a program needs a header
 * as well. left: what a process keeps of 64 MiB of such messages after they were all given back, and after a trim. */
#define _GNU_SOURCE
#include "variants.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIVE_COUNT = 100000, HEADER = 32 };
enum { PER_MESSAGE, LEFT, LEFT_TRIMMED };

/* What the messages of a contract take, as multiples of 16. */
static const uint32_t value_sizes[] = {32, 48, 80, 112, 144, 208, 336, 592, 1168, 1632};
enum { VALUE_SIZE_COUNT = sizeof value_sizes / sizeof value_sizes[0] };

typedef struct measure {
    double per_message, left, left_trimmed;
} measure;

static uint64_t resident_bytes(void) {
    unsigned long total = 0, resident = 0, of_files = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%lu %lu %lu", &total, &resident, &of_files) != 3) {
        bench_fail("no /proc/self/statm");
    }
    fclose(statm);
    return (uint64_t)(resident - of_files) * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What the pool gave back to malloc, its threads' slots, malloc is made to give back as well. */
static void trim(bp_pool *pool) {
    (void)bp_pool_trim(pool, false);
    (void)malloc_trim(0);
}

static bp_pool *new_pool(void) {
    bp_class classes[VALUE_SIZE_COUNT];
    bp_pool *pool = NULL;
    for (uint32_t i = 0; i < VALUE_SIZE_COUNT; i++) classes[i] = (bp_class){value_sizes[i], 0};
    const bp_pool_config config = {.classes = classes, .class_count = VALUE_SIZE_COUNT, .memory_limit = 1u << 30};
    if (bp_pool_new(&config, &pool) != BP_OK) bench_fail("no pool");
    return pool;
}

/* Takes all messages and gives them back, in the child. The array of them is resident before. */
ALWAYS_INLINE measure measure_in(int variant, void **held) {
    bp_pool *pool = variant == INLINE ? new_pool() : NULL;
    memset(held, 1, LIVE_COUNT * sizeof *held);
    const uint64_t before = resident_bytes();
    for (uint32_t i = 0; i < LIVE_COUNT; i++) {
        const uint32_t size = value_sizes[i % VALUE_SIZE_COUNT] + (variant == MALLOC ? HEADER : 0);
        held[i] = get(variant, pool, 0, size);
        memset(data_of(variant, held[i]), 1, size);
    }
    const uint64_t full = resident_bytes();
    for (uint32_t i = 0; i < LIVE_COUNT; i++) put(variant, 0, held[i]);
    const uint64_t left = resident_bytes();
    if (variant == INLINE) trim(pool);
    const uint64_t trimmed = resident_bytes();
    return (measure){(double)(full - before) / LIVE_COUNT, left > before ? (double)(left - before) / 1024 : 0,
                     trimmed > before ? (double)(trimmed - before) / 1024 : 0};
}

static double run(const bench_row *row) {
    static void *held[LIVE_COUNT];
    int ends[2];
    measure found;
    if (pipe(ends) != 0) bench_fail("no pipe");
    const pid_t child = fork();
    if (child == 0) {
        found = row->variant == INLINE ? measure_in(INLINE, held) : measure_in(MALLOC, held);
        _exit(write(ends[1], &found, sizeof found) == (ssize_t)sizeof found ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || read(ends[0], &found, sizeof found) != (ssize_t)sizeof found) bench_fail("no measure");
    (void)waitpid(child, &status, 0);
    close(ends[0]);
    close(ends[1]);
    if (row->size == PER_MESSAGE) return found.per_message;
    return row->size == LEFT ? found.left : found.left_trimmed;
}

#define MEMORY_OF(label, what, unit)                                                                                  \
    {"pool memory", label ": bufpool", unit, NULL, run, what, INLINE, false},                                         \
    {"pool memory", label ": malloc", unit, label ": bufpool", run, what, MALLOC, true}

static const bench_row rows[] = {
    MEMORY_OF("per live message", PER_MESSAGE, "B"),
    MEMORY_OF("left without asking", LEFT, "KiB"),
    {"pool memory", "left after a full trim: bufpool", "KiB", NULL, run, LEFT_TRIMMED, INLINE, false},
};

const bench_table bench_memory_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
