/* nanopb: generated structs of fixed size, a table-driven encoder and decoder (https://jpa.kapsi.fi/nanopb). */
#include "codec_data.h"

#ifdef BENCH_HAS_NANOPB
#include "bench.h"
#include "codec.pb.h"

#include <pb_decode.h>
#include <pb_encode.h>

typedef struct encoded {
    uint8_t value[CODEC_ROOM];
    size_t length;
} encoded;

static peer_Small smalls[CODEC_SET];
static peer_Medium mediums[CODEC_SET];
static peer_Large larges[CODEC_SET];
static encoded small_bytes[CODEC_SET], medium_bytes[CODEC_SET], large_bytes[CODEC_SET];

#define DEFINE_ENCODE(name, Name)                                                                                     \
    static uint32_t encode_##name(unsigned ix, uint8_t *out) {                                                        \
        pb_ostream_t stream = pb_ostream_from_buffer(out, CODEC_ROOM);                                                \
        return pb_encode(&stream, peer_##Name##_fields, &name##s[ix]) ? (uint32_t)stream.bytes_written : 0;           \
    }
DEFINE_ENCODE(small, Small)
DEFINE_ENCODE(medium, Medium)
DEFINE_ENCODE(large, Large)

#define DEFINE_DECODE(name, Name)                                                                                     \
    static peer_##Name *decoded_##name(unsigned ix) {                                                                 \
        static peer_##Name out;                                                                                       \
        pb_istream_t stream = pb_istream_from_buffer(name##_bytes[ix].value, name##_bytes[ix].length);                \
        if (!pb_decode(&stream, peer_##Name##_fields, &out)) bench_fail("nanopb cannot decode");                      \
        bench_touch(&out);                                                                                            \
        return &out;                                                                                                  \
    }
DEFINE_DECODE(small, Small)
DEFINE_DECODE(medium, Medium)
DEFINE_DECODE(large, Large)

static uint64_t decode_small(unsigned ix) {
    const peer_Small *const m = decoded_small(ix);
    return codec_sum20(m->token) + m->block + m->pool + m->decimals + codec_sum_text(m->symbol, strlen(m->symbol));
}

static uint64_t decode_medium(unsigned ix) {
    const peer_Medium *const m = decoded_medium(ix);
    return codec_sum20(m->pool) + m->fee + codec_sum32(m->amount_in) + codec_sum32(m->amount_out) +
           codec_sum32(m->price) + codec_sum32(m->liquidity) + m->block + m->time + m->sequence + (uint64_t)m->tick;
}

static uint64_t decode_large(unsigned ix) {
    const peer_Large *const m = decoded_large(ix);
    uint64_t sum = m->sequence + codec_sum_text(m->instrument, strlen(m->instrument));
    for (unsigned i = 0; i < m->levels_count; i++) {
        sum += m->levels[i].price + m->levels[i].quantity + m->levels[i].orders;
    }
    return sum;
}

static void fill_small(peer_Small *to, const codec_small *from) {
    memcpy(to->token, from->token, sizeof to->token);
    to->block = from->block, to->pool = from->pool, to->decimals = from->decimals;
    memcpy(to->symbol, from->symbol, from->symbol_length);
}

static void fill_medium(peer_Medium *to, const codec_medium *from) {
    memcpy(to->pool, from->pool, sizeof to->pool);
    memcpy(to->amount_in, &from->amount_in, 32);
    memcpy(to->amount_out, &from->amount_out, 32);
    memcpy(to->price, &from->price, 32);
    memcpy(to->liquidity, &from->liquidity, 32);
    to->fee = from->fee, to->block = from->block, to->time = from->time;
    to->sequence = from->sequence, to->tick = from->tick;
}

static void fill_large(peer_Large *to, const codec_large *from) {
    to->sequence = from->sequence;
    to->levels_count = from->levels_count;
    for (unsigned i = 0; i < from->levels_count; i++) {
        to->levels[i] = (peer_Level){from->levels[i].price, from->levels[i].quantity, from->levels[i].orders};
    }
    memcpy(to->instrument, from->instrument, from->instrument_length);
}

static void prepare(void) {
    for (unsigned ix = 0; ix < CODEC_SET; ix++) {
        fill_small(&smalls[ix], &codec_smalls[ix]);
        fill_medium(&mediums[ix], &codec_mediums[ix]);
        fill_large(&larges[ix], &codec_larges[ix]);
        small_bytes[ix].length = encode_small(ix, small_bytes[ix].value);
        medium_bytes[ix].length = encode_medium(ix, medium_bytes[ix].value);
        large_bytes[ix].length = encode_large(ix, large_bytes[ix].value);
    }
}

const codec_peer codec_nanopb = {prepare,      encode_small, encode_medium, encode_large,
                                 decode_small, decode_medium, decode_large};
#else
const codec_peer codec_nanopb = {.prepare = NULL};
#endif
