#include "bufpool/detail/bytes.h"

/* Four at a time, in two sums, so that few wait for another. More sums make gcc 12 gather them into vectors, which is
 * slower. */
#define DEFINE_STRIDED(bits)                                                                                          \
    uint64_t bpi_strided_u##bits(const uint8_t *at, size_t stride, uint32_t count) {                                  \
        uint##bits##_t even = 0, odd = 0;                                                                             \
        for (; count >= 4; count -= 4, at += 4 * stride) {                                                            \
            even |= bpi_load_u##bits(at), odd |= bpi_load_u##bits(at + stride);                                       \
            even |= bpi_load_u##bits(at + 2 * stride), odd |= bpi_load_u##bits(at + 3 * stride);                      \
        }                                                                                                             \
        for (; count != 0; count--, at += stride) even |= bpi_load_u##bits(at);                                       \
        return (uint64_t)even | odd;                                                                                  \
    }
DEFINE_STRIDED(8)
DEFINE_STRIDED(16)
DEFINE_STRIDED(32)
DEFINE_STRIDED(64)
