/* Check sum rows: bpi_crc32c beside the processor's instruction and nothing else (words by turns into three sums, never
 * joined: the limit of what is made of it), the tables that other processors use, and Intel's library, which multiplies
 * 64 bytes at a time where AVX-512 can. Each sum begins with the one before. */
#include "base/crc32c.h"
#include "base/crc32c_cpu.h"
#include "bench.h"
#include "bufpool/detail/bytes.h"

#include <string.h>

#ifdef BENCH_HAS_ISAL
#include <isa-l/crc.h>
#endif

enum { LIMIT, OURS, TABLES, ISAL, RUN_MAX = 1 << 20 };

static _Alignas(4096) uint8_t bytes[RUN_MAX];

#if CPU_KNOWS_CRC32C
/* Sizes are multiples of 8. */
static uint32_t instructions_alone(uint32_t sum, size_t size) {
    uint64_t first = sum, second = 0, third = 0;
    const uint8_t *at = bytes, *const end = bytes + size, *const last = end - size % 96;
    while (at != last) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++, at += 24) {
            first = crc_of_word(first, bpi_load_u64(at));
            second = crc_of_word(second, bpi_load_u64(at + 8));
            third = crc_of_word(third, bpi_load_u64(at + 16));
        }
    }
    for (; at != end; at += 8) first = crc_of_word(first, bpi_load_u64(at));
    return (uint32_t)(first ^ second ^ third);
}
static bool is_limit_here(void) { return cpu_has_crc32c(); }
#else
static uint32_t instructions_alone(uint32_t sum, size_t size) { return (void)size, sum; }
static bool is_limit_here(void) { return false; }
#endif

#ifdef BENCH_HAS_ISAL
static uint32_t by_isal(uint32_t sum, size_t size) { return crc32_iscsi(bytes, (int)size, sum); }
#else
static uint32_t by_isal(uint32_t sum, size_t size) { return (void)size, sum; }
#endif

static const bpi_crc32c_way *tables(void) {
    size_t count = 0;
    while (bpi_crc32c_way_at(count) != NULL) count++;
    return bpi_crc32c_way_at(count - 1);
}

static bool is_here(int variant) {
#ifndef BENCH_HAS_ISAL
    if (variant == ISAL) return false;
#endif
    return variant != LIMIT || is_limit_here();
}

static double run(const bench_row *row) {
    const bpi_crc32c_way *const way = tables();
    const unsigned times = 1 + (bench_is_quick ? 1u << 24 : 1u << 26) / row->size;
    uint32_t sum = 0;
    if (!is_here(row->variant)) return BENCH_ABSENT;
    for (size_t i = 0; i < RUN_MAX; i++) bytes[i] = (uint8_t)(i * 167);
    const uint64_t start = bench_cpu_ns();
    for (unsigned i = 0; i < times; i++) {
        switch (row->variant) {
        case LIMIT: sum = instructions_alone(sum, row->size); break;
        case OURS: sum = bpi_crc32c(sum, bytes, row->size); break;
        case TABLES: sum = way->update(sum, bytes, row->size); break;
        default: sum = by_isal(sum, row->size); break;
        }
        bench_touch(&sum);
    }
    return (double)(bench_cpu_ns() - start) / times;
}

#define ROWS(name, size)                                                                                               \
    {"crc32c", name ": the instruction alone", "ns", NULL, run, size, LIMIT, false},                                   \
        {"crc32c", name ": bufpool", "ns", name ": the instruction alone", run, size, OURS, false},                    \
        {"crc32c", name ": tables", "ns", name ": the instruction alone", run, size, TABLES, false},                   \
        {"crc32c", name ": libisal", "ns", name ": the instruction alone", run, size, ISAL, false}

static const bench_row rows[] = {ROWS("64 B", 64), ROWS("4 KiB", 4096), ROWS("1 MiB", RUN_MAX)};

const bench_table bench_crc32c_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
