#include "bench.h"

extern const bench_table bench_codec_rows;
extern const bench_table bench_crc32c_rows;
extern const bench_table bench_generator_rows;
extern const bench_table bench_tcp_rows;
extern const bench_table bench_unix_rows;
extern const bench_table bench_tcp_trip_rows;
extern const bench_table bench_unix_trip_rows;
extern const bench_table bench_transfer_curves;
extern const bench_table bench_transfer_rows;

const bench_table *const bench_tables[] = {&bench_codec_rows,     &bench_crc32c_rows,   &bench_generator_rows,
                                           &bench_unix_rows,      &bench_tcp_rows,      &bench_unix_trip_rows,
                                           &bench_tcp_trip_rows,  &bench_transfer_rows, &bench_transfer_curves,
                                           NULL};
