/* bufpool-bench: measures every row beside its reference and prints a table and JSON lines.
 *
 *     bufpool-bench [--quick] [--only GROUP] [--json FILE]
 *     bufpool-bench --child GROUP ROUNDS [--quick]      one process's measurements, as lines "row figure" */
#define _GNU_SOURCE
#include "bench.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROWS_MAX = 64, SAMPLES_MAX = 256, GROUPS_MAX = 16 };

bool bench_is_quick;

static const bench_table *const tables[] = {&bench_pool_rows, &bench_codec_rows, &bench_generator_rows, &bench_unix_rows, &bench_tcp_rows};
enum { TABLE_COUNT = sizeof tables / sizeof tables[0] };

/* The figures of one row, one per round, NAN where there is none. */
typedef struct samples {
    const bench_row *row;
    double value[SAMPLES_MAX];
    size_t count;
} samples;

typedef struct options {
    const char *program, *only, *json, *child;
    unsigned rounds, processes;
} options;

uint64_t bench_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void bench_pin(unsigned processor) {
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    const int count = (int)sysconf(_SC_NPROCESSORS_ONLN);
    CPU_ZERO(&one);
    CPU_SET((size_t)((int)processor % count), &one);
    (void)sched_setaffinity(0, sizeof one, &one);
}

void bench_fail(const char *what) {
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static size_t rows_of(const char *group, const bench_row *out[ROWS_MAX]) {
    size_t count = 0;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const bench_row *row = &tables[t]->rows[i];
            if (strcmp(row->group, group) == 0 && count < ROWS_MAX) out[count++] = row;
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
            printf("%zu %.9g\n", i, rows[i]->run(rows[i]));
            fflush(stdout);
        }
    }
    return 0;
}

/* ---- all processes ---- */

static int by_value(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* The q-quantile of the figures that are there; NAN when there is none. */
static double quantile(const double *value, size_t count, double q) {
    double sorted[SAMPLES_MAX];
    size_t have = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isnan(value[i])) sorted[have++] = value[i];
    }
    if (have == 0) return NAN;
    qsort(sorted, have, sizeof sorted[0], by_value);
    return sorted[(size_t)((double)(have - 1) * q + 0.5)];
}

static const samples *find(const samples *all, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(all[i].row->name, name) == 0) return &all[i];
    }
    return NULL;
}

/* Median of the ratios to the reference, round by round; NAN without a reference. */
static double ratio_of(const samples *s, const samples *reference, double q) {
    double ratio[SAMPLES_MAX];
    if (reference == NULL) return NAN;
    for (size_t i = 0; i < s->count; i++) ratio[i] = s->value[i] / reference->value[i];
    return quantile(ratio, s->count, q);
}

static void print_number(FILE *json, const char *key, double value) {
    if (isnan(value)) {
        fprintf(json, ",\"%s\":null", key);
    } else {
        fprintf(json, ",\"%s\":%.6g", key, value);
    }
}

static void report_row(const samples *s, const samples *reference, FILE *json) {
    const double median = quantile(s->value, s->count, 0.5);
    const double low = quantile(s->value, s->count, 0.1), high = quantile(s->value, s->count, 0.9);
    const double ratio = ratio_of(s, reference, 0.5);
    if (isnan(median)) {
        printf("  %-44s      absent\n", s->row->name);
    } else if (isnan(ratio)) {
        printf("  %-44s %9.2f %-4s (%.2f .. %.2f)\n", s->row->name, median, s->row->unit, low, high);
    } else {
        printf("  %-44s %9.2f %-4s (%.2f .. %.2f)  %6.2f x %s\n", s->row->name, median, s->row->unit, low, high, ratio,
               s->row->reference);
    }
    if (json == NULL) return;
    fprintf(json, "{\"group\":\"%s\",\"row\":\"%s\",\"unit\":\"%s\"", s->row->group, s->row->name, s->row->unit);
    print_number(json, "median", median);
    print_number(json, "p10", low);
    print_number(json, "p90", high);
    if (reference != NULL) fprintf(json, ",\"reference\":\"%s\"", s->row->reference);
    print_number(json, "ratio", ratio);
    print_number(json, "ratio_p10", ratio_of(s, reference, 0.1));
    print_number(json, "ratio_p90", ratio_of(s, reference, 0.9));
    fprintf(json, ",\"samples\":%zu}\n", s->count);
}

/* Runs one process of a group and adds what it measured. */
static void collect(const options *o, const char *group, samples *all, size_t count) {
    char command[512];
    size_t ix = 0;
    double value = 0;
    snprintf(command, sizeof command, "'%s' --child '%s' %u%s", o->program, group, o->rounds,
             bench_is_quick ? " --quick" : "");
    FILE *child = popen(command, "r");
    if (child == NULL) bench_fail("cannot start a process");
    while (fscanf(child, "%zu %lf", &ix, &value) == 2) {
        if (ix < count && all[ix].count < SAMPLES_MAX) all[ix].value[all[ix].count++] = value;
    }
    if (pclose(child) != 0) bench_fail("a measuring process failed");
}

static void run_group(const options *o, const char *group, FILE *json) {
    static samples all[ROWS_MAX];
    const bench_row *rows[ROWS_MAX];
    const size_t count = rows_of(group, rows);
    memset(all, 0, sizeof all);
    for (size_t i = 0; i < count; i++) all[i].row = rows[i];
    for (unsigned p = 0; p < o->processes; p++) collect(o, group, all, count);
    printf("%s\n", group);
    for (size_t i = 0; i < count; i++) {
        const char *reference = rows[i]->reference;
        report_row(&all[i], reference == NULL ? NULL : find(all, count, reference), json);
    }
    fflush(stdout);
}

static size_t list_groups(const char *out[GROUPS_MAX]) {
    size_t count = 0;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        for (size_t i = 0; i < tables[t]->count; i++) {
            const char *group = tables[t]->rows[i].group;
            if (count == 0 || strcmp(out[count - 1], group) != 0) out[count++] = group;
        }
    }
    return count;
}

static bool parse(int argc, char **argv, options *o) {
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) bench_is_quick = true;
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
    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: %s [--quick] [--only GROUP] [--json FILE]\n", argv[0]);
        return 2;
    }
    if (o.child != NULL) return run_child(o.child, o.rounds);
    if (bench_is_quick) o.rounds = 5, o.processes = 3;
    FILE *json = o.json == NULL ? NULL : fopen(o.json, "w");
    if (o.json != NULL && json == NULL) bench_fail("cannot write the JSON file");
    printf("median (10th .. 90th percentile) of %u rounds in each of %u processes, rows interleaved; "
           "ratio taken in the same round\n", o.rounds, o.processes);
    const size_t count = list_groups(groups);
    for (size_t i = 0; i < count; i++) {
        if (o.only == NULL || strcmp(o.only, groups[i]) == 0) run_group(&o, groups[i], json);
    }
    if (json != NULL) fclose(json);
    return 0;
}
