#include "bench.h"

extern const bench_table bench_single_rows;
extern const bench_table bench_threads_rows;
extern const bench_table bench_growth_rows;
extern const bench_table bench_waiting_rows;
extern const bench_table bench_memory_rows;
extern const bench_table bench_frame_rows;

const bench_table *const bench_tables[] = {&bench_single_rows, &bench_threads_rows, &bench_growth_rows,
                                           &bench_waiting_rows, &bench_memory_rows, &bench_frame_rows, NULL};
