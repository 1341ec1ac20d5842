#include "tests/support/mutate.h"

#include "tests/sampler/sample.h"

#include <string.h>

/* A place that matters: counts, lengths and bitmaps are in the block. */
static size_t some_place(size_t length, uint32_t block_size, uint64_t *seed) {
    const size_t most = block_size != 0 && block_size < length && sample_next(seed) % 4 != 0 ? block_size : length;
    return (size_t)(sample_next(seed) % most);
}

static void change_byte(uint8_t *at, uint64_t *seed) {
    static const uint8_t telling[] = {0, 1, 2, 4, 8, 0x7F, 0x80, 0xFF};
    const uint64_t random = sample_next(seed);
    switch (random % 4) {
    case 0: *at = (uint8_t)(*at ^ 1u << (random >> 8) % 8); break;
    case 1: *at = telling[(random >> 8) % sizeof telling]; break;
    case 2: *at = (uint8_t)(*at + ((random & 256) != 0 ? 1 : -1)); break;
    default: *at = (uint8_t)(random >> 8); break;
    }
}

/* A u16 that is a small step away: another block_len, another count. */
static void step(uint8_t *at, uint64_t *seed) {
    const uint64_t random = sample_next(seed);
    const uint32_t by = (uint32_t)(random >> 8) % 32;
    const uint32_t value = at[0] + 256u * at[1] + ((random & 1) != 0 ? by : 0 - by);
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static size_t resize(uint8_t *bytes, size_t length, size_t room, uint64_t *seed) {
    const uint64_t random = sample_next(seed);
    const size_t by = (size_t)(random >> 8) % (random % 2 == 0 ? 16 : length + 16);
    if ((random & 2) == 0) return by < length ? length - by : 0;
    const size_t added = by < room - length ? by : room - length;
    for (size_t i = 0; i < added; i++) bytes[length + i] = (random & 4) == 0 ? 0 : (uint8_t)sample_next(seed);
    return length + added;
}

size_t bpt_mutate(uint8_t *bytes, size_t length, size_t room, uint32_t block_size, uint64_t *seed) {
    const uint64_t changes = sample_next(seed) % 4;
    for (uint64_t i = 0; i < changes && length > 1; i++) {
        const size_t place = some_place(length - 1, block_size, seed);
        if (sample_next(seed) % 4 == 0)
            step(bytes + place, seed);
        else
            change_byte(bytes + place + sample_next(seed) % 2, seed);
    }
    if (sample_next(seed) % 4 == 0) return resize(bytes, length, room, seed);
    return length;
}
