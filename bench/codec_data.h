/* codec_data.h: the values that the codec rows encode and decode, and how another codec joins in.
 *
 * A row's figure is nanoseconds per message over the whole set, round and round: branches learn no single length. What
 * was decoded is read, every field, into a sum that must be the same for every codec. */
#ifndef BUFPOOL_CODEC_DATA_H
#define BUFPOOL_CODEC_DATA_H

#include "codec_messages.h"

enum {
    CODEC_SET = 64,
    CODEC_LARGE_SET = 8, /* as many as stay in a first-level cache with what they are decoded into */
    CODEC_ROOM = 8192
};

/* What rows read and write begins with a page, so that no row is slower for where the linker put its data: a load is
 * held up by a store before it when the last twelve bits of their addresses are the same. */
#define CODEC_ALIGNED _Alignas(4096)

extern codec_small codec_smalls[CODEC_SET];
extern codec_medium codec_mediums[CODEC_SET];
extern codec_large codec_larges[CODEC_SET];

/* Sums of a message's fields: of bytes and texts by words of 64 bits and what is left by bytes. */
static inline uint64_t codec_sum20(const uint8_t *at) {
    return bpi_load_u64(at) + bpi_load_u64(at + 8) + bpi_load_u32(at + 16);
}
static inline uint64_t codec_sum32(const uint8_t *at) {
    return bpi_load_u64(at) + bpi_load_u64(at + 8) + bpi_load_u64(at + 16) + bpi_load_u64(at + 24);
}
static inline uint64_t codec_sum_text(const char *text, size_t length) {
    const uint8_t *const at = (const uint8_t *)text;
    uint64_t sum = length;
    size_t i = 0;
    for (; i + 8 <= length; i += 8) sum += bpi_load_u64(at + i);
    for (; i < length; i++) sum += at[i];
    return sum;
}

/* Another codec. Each function is for the message of that index in the set; NULL functions: it is absent here. */
typedef struct codec_peer {
    void (*prepare)(void); /* makes its own structs and its own encoded values, once */
    uint32_t (*encode_small)(unsigned ix, uint8_t *out), (*encode_medium)(unsigned ix, uint8_t *out),
        (*encode_large)(unsigned ix, uint8_t *out);
    uint64_t (*decode_small)(unsigned ix), (*decode_medium)(unsigned ix), (*decode_large)(unsigned ix);
} codec_peer;

extern const codec_peer codec_nanopb, codec_protobuf_c, codec_mpack;

#endif
