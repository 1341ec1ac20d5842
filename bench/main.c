/* bufpool-bench, bufpool-bench-pool: measure every row beside its reference and print a table and JSON lines.
 *
 *     bufpool-bench [--quick] [--only GROUP] [--json FILE]   GROUP: what the groups' names begin with
 *     bufpool-bench --child GROUP ROUNDS [--quick]           one process's measurements, as lines "row figure"
 *     bufpool-bench --probe                                  whether another malloc is preloaded, as exit status */
#define _GNU_SOURCE
#include "bench.h"
#include "allocator.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROWS_MAX = 64, SAMPLES_MAX = 512, GROUPS_MAX = 32 };

bool bench_is_quick;

/* The figures of one row, one per round of the group, NAN where there is none. */
typedef struct samples {
    const bench_row *row;
    double value[SAMPLES_MAX];
} samples;

/* A group's rows under all allocators. The first all of them; a peer's figures are told apart by the allocator. */
typedef struct measured {
    const bench_allocator *allocators;
    size_t allocator_count; /* 1 in a group without peers */
    size_t row_count;
    samples rows[ROWS_MAX];
    uint8_t allocator_ix[SAMPLES_MAX]; /* of each round */
    size_t round_count;
} measured;

typedef struct options {
    const char *program, *only, *json, *child;
    bool is_probe;
    unsigned rounds, processes;
} options;

static uint64_t read_clock(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_now_ns(void) { return read_clock(CLOCK_MONOTONIC); }

uint64_t bench_cpu_ns(void) { return read_clock(CLOCK_THREAD_CPUTIME_ID); }

void bench_pin(unsigned processor) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    const int count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    CPU_ZERO(&one);
    CPU_SET((size_t)((int)processor % count), &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

void bench_unpin(void) {
    cpu_set_t all;
    CPU_ZERO(&all);
    for (long i = sysconf(_SC_NPROCESSORS_ONLN); i > 0; i--) CPU_SET((size_t)(i - 1), &all);
    (void)sched_setaffinity(0, sizeof all, &all);
}

void bench_fail(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static size_t rows_of(const char *group, const bench_row *out[ROWS_MAX]) {
    size_t count = 0;
    for (const bench_table *const *table = bench_tables; *table != NULL; table++) {
        for (size_t i = 0; i < (*table)->count; i++) {
            const bench_row *row = &(*table)->rows[i];
            if (strcmp(row->group, group) != 0) continue;
            if (count == ROWS_MAX) bench_fail("a group has too many rows");
            out[count++] = row;
        }
    }
    return count;
}

/* ---- one process ---- */

static int run_child(const char *group, unsigned rounds) {
    const bench_row *rows[ROWS_MAX];
    const size_t count = rows_of(group, rows);
    bench_pin(0);
    for (size_t i = 0; i < count; i++) (void)rows[i]->run(rows[i]); /* warm up */
    for (unsigned round = 0; round < rounds; round++) {
        for (size_t i = 0; i < count; i++) {
            printf("%u %zu %.9g\n", round, i, rows[i]->run(rows[i]));
            fflush(stdout);
        }
    }
    return 0;
}

/* ---- all processes ---- */

/* Runs one process of a group under an allocator and adds what it measured. */
static void collect(const options *o, const char *group, size_t allocator_ix, measured *m) {
    char command[1024];
    unsigned round = 0;
    size_t ix = 0;
    double value = 0;
    if (m->round_count + o->rounds > SAMPLES_MAX) bench_fail("too many rounds");
    snprintf(command, sizeof command, "LD_PRELOAD='%s' '%s' --child '%s' %u%s", m->allocators[allocator_ix].library,
             o->program, group, o->rounds, bench_is_quick ? " --quick" : "");
    for (unsigned i = 0; i < o->rounds; i++) {
        m->allocator_ix[m->round_count + i] = (uint8_t)allocator_ix;
        for (size_t row = 0; row < m->row_count; row++) m->rows[row].value[m->round_count + i] = NAN;
    }
    FILE *child = popen(command, "r");
    if (child == NULL) bench_fail("cannot start a process");
    while (fscanf(child, "%u %zu %lf", &round, &ix, &value) == 3) {
        if (ix < m->row_count && round < o->rounds) m->rows[ix].value[m->round_count + round] = value;
    }
    if (pclose(child) != 0) bench_fail("a measuring process failed");
    m->round_count += o->rounds;
}

static int by_value(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* What one line of the report is about: a row, and for a peer the rounds of one allocator. */
typedef struct line {
    const measured *of;
    const samples *row, *reference; /* reference: NULL without */
    size_t allocator_ix;
} line;

/* The q-quantile of a line's figures, or of their ratios to the reference in the same round; NAN when there is none. */
static double quantile(const line *l, bool is_ratio, double q) {
    double sorted[SAMPLES_MAX];
    size_t have = 0;
    if (is_ratio && l->reference == NULL) return NAN;
    for (size_t i = 0; i < l->of->round_count; i++) {
        const double value = l->row->value[i] / (is_ratio ? l->reference->value[i] : 1);
        const bool is_mine = !l->row->row->is_peer || l->of->allocator_ix[i] == l->allocator_ix;
        if (is_mine && !isnan(value)) sorted[have++] = value;
    }
    if (have == 0) return NAN;
    qsort(sorted, have, sizeof sorted[0], by_value);
    return sorted[(size_t)((double)(have - 1) * q + 0.5)];
}

static const samples *find(const measured *m, const char *name) {
    for (size_t i = 0; name != NULL && i < m->row_count; i++) {
        if (strcmp(m->rows[i].row->name, name) == 0) return &m->rows[i];
    }
    return NULL;
}

static void print_number(FILE *json, const char *key, double value) {
    if (isnan(value)) {
        fprintf(json, ",\"%s\":null", key);
    } else {
        fprintf(json, ",\"%s\":%.6g", key, value);
    }
}

static void write_json(const line *l, const char *name, FILE *json) {
    const bench_row *row = l->row->row;
    fprintf(json, "{\"group\":\"%s\",\"row\":\"%s\",\"unit\":\"%s\"", row->group, name, row->unit);
    print_number(json, "median", quantile(l, false, 0.5));
    print_number(json, "p10", quantile(l, false, 0.1));
    print_number(json, "p90", quantile(l, false, 0.9));
    if (l->reference != NULL) fprintf(json, ",\"reference\":\"%s\"", row->reference);
    print_number(json, "ratio", quantile(l, true, 0.5));
    print_number(json, "ratio_p10", quantile(l, true, 0.1));
    print_number(json, "ratio_p90", quantile(l, true, 0.9));
    fprintf(json, ",\"rounds\":%zu}\n", l->of->round_count / l->of->allocator_count);
}

static void report_line(const line *l, FILE *json) {
    const bench_row *row = l->row->row;
    const double median = quantile(l, false, 0.5), ratio = quantile(l, true, 0.5);
    char name[96];
    snprintf(name, sizeof name, "%s%s%s", row->name, row->is_peer ? ", " : "",
             row->is_peer ? l->of->allocators[l->allocator_ix].name : "");
    if (isnan(median)) {
        printf("  %-44s    absent\n", name);
    } else {
        printf("  %-44s %9.2f %-4s (%.2f .. %.2f)", name, median, row->unit, quantile(l, false, 0.1),
               quantile(l, false, 0.9));
        if (!isnan(ratio)) printf("  %6.2f x %s", ratio, row->reference);
        printf("\n");
    }
    if (json != NULL) write_json(l, name, json);
}

/* A peer has a line per allocator, and one that says which of them comes nearest to the reference. */
static void report_row(const measured *m, const samples *row, FILE *json) {
    line best = {0};
    for (size_t i = 0; i < (row->row->is_peer ? m->allocator_count : 1); i++) {
        const line l = {m, row, find(m, row->row->reference), i};
        report_line(&l, json);
        const double ratio = quantile(&l, true, 0.5);
        if (!isnan(ratio) && (best.of == NULL || ratio < quantile(&best, true, 0.5))) best = l;
    }
    if (!row->row->is_peer || best.of == NULL) return;
    printf("  %-44s %34.2f x %s\n", "  the best of them", quantile(&best, true, 0.5), row->row->reference);
}

static void run_group(const options *o, const char *group, const bench_allocator *allocators, size_t allocator_count,
                      FILE *json) {
    static measured m;
    const bench_row *rows[ROWS_MAX];
    m = (measured){.allocators = allocators, .allocator_count = 1, .row_count = rows_of(group, rows)};
    for (size_t i = 0; i < m.row_count; i++) {
        m.rows[i].row = rows[i];
        if (rows[i]->is_peer) m.allocator_count = allocator_count;
    }
    for (unsigned p = 0; p < o->processes; p++) {
        for (size_t a = 0; a < m.allocator_count; a++) {
            if (!allocators[a].is_absent) collect(o, group, a, &m);
        }
    }
    printf("%s\n", group);
    for (size_t i = 0; i < m.row_count; i++) report_row(&m, &m.rows[i], json);
    fflush(stdout);
}

static size_t list_groups(const char *only, const char *out[GROUPS_MAX]) {
    size_t count = 0;
    for (const bench_table *const *table = bench_tables; *table != NULL; table++) {
        for (size_t i = 0; i < (*table)->count; i++) {
            const char *group = (*table)->rows[i].group;
            if ((*table)->is_long && bench_is_quick && only == NULL) continue;
            if (count == 0 || strcmp(out[count - 1], group) != 0) out[count++] = group;
        }
    }
    return count;
}

static bool parse(int argc, char **argv, options *o) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) bench_is_quick = true;
        else if (strcmp(argv[i], "--probe") == 0) o->is_probe = true;
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) o->only = argv[++i];
        else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) o->json = argv[++i];
        else if (strcmp(argv[i], "--child") == 0 && i + 2 < argc) {
            o->child = argv[++i];
            o->rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        } else return false;
    }
    return true;
}

int main(int argc, char **argv) {
    options o = {.program = argv[0], .rounds = 7, .processes = 5};
    const char *groups[GROUPS_MAX];
    bench_allocator allocators[BENCH_ALLOCATORS_MAX];
    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: %s [--quick] [--only GROUP] [--json FILE]\n", argv[0]);
        return 2;
    }
    if (o.is_probe) return bench_malloc_is_replaced() ? 0 : 1;
    if (o.child != NULL) return run_child(o.child, o.rounds);
    if (bench_is_quick) o.rounds = 5, o.processes = 3;
    FILE *json = o.json == NULL ? NULL : fopen(o.json, "w");
    if (o.json != NULL && json == NULL) bench_fail("cannot write the JSON file");
    printf("median (10th .. 90th percentile) of %u rounds in each of %u processes, rows interleaved; "
           "ratio taken in the same round\n", o.rounds, o.processes);
    const size_t allocator_count = bench_allocators(o.program, allocators);
    const size_t count = list_groups(o.only, groups);
    for (size_t i = 0; i < count; i++) {
        if (o.only != NULL && strncmp(o.only, groups[i], strlen(o.only)) != 0) continue;
        run_group(&o, groups[i], allocators, allocator_count, json);
    }
    if (json != NULL) fclose(json);
    return 0;
}
