/* tests/fuzz/fuzz_schema.h: the schema of the frame reader's fuzzer, small lengths of every sort. */
#ifndef BUFPOOL_TESTS_FUZZ_SCHEMA_H
#define BUFPOOL_TESTS_FUZZ_SCHEMA_H

#include "bufpool/frame.h"

#include <string.h>

enum { FUZZ_POOL_LIMIT = 65536, FUZZ_UNKNOWN_MAX = 300 };

typedef struct fuzz_kind {
    uint16_t first, last;
    uint32_t min, max;
    bool is_skipped;
} fuzz_kind;

static const fuzz_kind fuzz_kinds[] = {
    {1, 1, 0, 0, false},       {2, 2, 4, 60, false},  {3, 3, 1, 255, false},
    {4, 4, 256, 20000, false}, {5, 15, 0, 300, true}, {16, 31, 0, 300, false},
};

static inline const fuzz_kind *fuzz_kind_of(uint16_t type) {
    for (size_t i = 0; i < sizeof fuzz_kinds / sizeof fuzz_kinds[0]; i++) {
        if (type >= fuzz_kinds[i].first && type <= fuzz_kinds[i].last) return &fuzz_kinds[i];
    }
    return NULL;
}

static const bp_type_info fuzz_types[] = {
    {.name = "Empty", .type = 1, .accept_min = 0, .accept_max = 0},
    {.name = "Small", .type = 2, .accept_min = 4, .accept_max = 60},
    {.name = "Medium", .type = 3, .accept_min = 1, .accept_max = 255},
    {.name = "Large", .type = 4, .accept_min = 256, .accept_max = 20000},
};

static const bp_type_range fuzz_ranges[] = {
    {.first = 1, .last = 15, .unknown = BP_UNKNOWN_SKIP},
    {.first = 16, .last = 31, .unknown = BP_UNKNOWN_DELIVER},
};

static const bp_schema fuzz_schema = {
    .abi = BP_ABI, .name = "fuzz", .types = fuzz_types, .type_count = 4, .ranges = fuzz_ranges, .range_count = 2};

#endif
