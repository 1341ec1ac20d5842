/* tests/support/mutate.h: bytes as no writer writes them, but close to what one does. */
#ifndef BUFPOOL_TESTS_MUTATE_H
#define BUFPOOL_TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Changes some of length bytes, cuts them, or makes them longer, up to room; more often in the first block_size bytes
 * than behind. Returns the new length. */
size_t bpt_mutate(uint8_t *bytes, size_t length, size_t room, uint32_t block_size, uint64_t *seed);

#endif
