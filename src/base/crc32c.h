/* base/crc32c.h: CRC-32C (Castagnoli), the check sum of iSCSI (RFC 3720, 12.1): of bytes, and of two runs joined.
 *
 * A sum is what stands on the wire: that of no bytes is 0, and what follows some bytes is summed by passing their sum.
 * Every function may be called from any thread. */
#ifndef BUFPOOL_BASE_CRC32C_H
#define BUFPOOL_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The sum of some bytes whose sum is crc (0: none), followed by size bytes at data (NULL is allowed with 0). */
uint32_t bpi_crc32c(uint32_t crc, const void *data, size_t size);

/* The sum of some bytes whose sum is first, followed by second_size bytes whose sum is second. No byte is needed. */
uint32_t bpi_crc32c_combine(uint32_t first, uint32_t second, uint64_t second_size);

/* ---- how it is done: one way per kind of processor ---- */

typedef struct bpi_crc32c_way {
    const char *name;
    bool (*is_here)(void); /* this processor can */
    uint32_t (*update)(uint32_t state, const uint8_t *at, size_t size); /* state: the complement of a sum */
} bpi_crc32c_way;

/* The ix-th way that this processor can go, the fastest first; NULL: there are not so many. At least one is there. */
const bpi_crc32c_way *bpi_crc32c_way_at(size_t ix);

/* With instructions for it (crc32c_lanes.c); where the compiler's target has none, they are never here. */
extern const bpi_crc32c_way bpi_crc32c_lanes, bpi_crc32c_words;

#endif
