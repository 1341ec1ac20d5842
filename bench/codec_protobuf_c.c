/* protobuf-c: structs of pointers, a table-driven packer and unpacker that allocates
 * (https://github.com/protobuf-c). */
#include "codec_data.h"

#ifdef BENCH_HAS_PROTOBUF_C
#include "bench.h"
#include "codec.pb-c.h"

typedef struct encoded {
    uint8_t value[CODEC_ROOM];
    size_t length;
} encoded;

static Peer__Small smalls[CODEC_SET];
static Peer__Medium mediums[CODEC_SET];
static Peer__Large larges[CODEC_SET];
static Peer__Level levels[CODEC_SET][CODEC_LARGE_LEVELS_CAP];
static Peer__Level *level_pointers[CODEC_SET][CODEC_LARGE_LEVELS_CAP];
static encoded small_bytes[CODEC_SET], medium_bytes[CODEC_SET], large_bytes[CODEC_SET];

static uint32_t encode_small(unsigned ix, uint8_t *out) { return (uint32_t)peer__small__pack(&smalls[ix], out); }
static uint32_t encode_medium(unsigned ix, uint8_t *out) { return (uint32_t)peer__medium__pack(&mediums[ix], out); }
static uint32_t encode_large(unsigned ix, uint8_t *out) { return (uint32_t)peer__large__pack(&larges[ix], out); }

static uint64_t decode_small(unsigned ix) {
    Peer__Small *const m = peer__small__unpack(NULL, small_bytes[ix].length, small_bytes[ix].value);
    if (m == NULL) bench_fail("protobuf-c cannot decode");
    const uint64_t sum = codec_sum20(m->token.data) + m->block + m->pool + m->decimals +
                         codec_sum_text(m->symbol, strlen(m->symbol));
    peer__small__free_unpacked(m, NULL);
    return sum;
}

static uint64_t decode_medium(unsigned ix) {
    Peer__Medium *const m = peer__medium__unpack(NULL, medium_bytes[ix].length, medium_bytes[ix].value);
    if (m == NULL) bench_fail("protobuf-c cannot decode");
    const uint64_t sum = codec_sum20(m->pool.data) + m->fee + codec_sum32(m->amount_in.data) +
                         codec_sum32(m->amount_out.data) + codec_sum32(m->price.data) +
                         codec_sum32(m->liquidity.data) + m->block + m->time + m->sequence + (uint64_t)m->tick;
    peer__medium__free_unpacked(m, NULL);
    return sum;
}

static uint64_t decode_large(unsigned ix) {
    Peer__Large *const m = peer__large__unpack(NULL, large_bytes[ix].length, large_bytes[ix].value);
    if (m == NULL) bench_fail("protobuf-c cannot decode");
    uint64_t sum = m->sequence + codec_sum_text(m->instrument, strlen(m->instrument));
    for (size_t i = 0; i < m->n_levels; i++) {
        sum += m->levels[i]->price + m->levels[i]->quantity + m->levels[i]->orders;
    }
    peer__large__free_unpacked(m, NULL);
    return sum;
}

static ProtobufCBinaryData bytes_of(const void *data, size_t length) {
    return (ProtobufCBinaryData){length, (uint8_t *)(uintptr_t)data};
}

static void fill_small(Peer__Small *to, const codec_small *from) {
    peer__small__init(to);
    to->token = bytes_of(from->token, 20);
    to->block = from->block, to->pool = from->pool, to->decimals = from->decimals;
    to->symbol = (char *)(uintptr_t)from->symbol;
}

static void fill_medium(Peer__Medium *to, const codec_medium *from) {
    peer__medium__init(to);
    to->pool = bytes_of(from->pool, 20);
    to->amount_in = bytes_of(&from->amount_in, 32);
    to->amount_out = bytes_of(&from->amount_out, 32);
    to->price = bytes_of(&from->price, 32);
    to->liquidity = bytes_of(&from->liquidity, 32);
    to->fee = from->fee, to->block = from->block, to->time = from->time;
    to->sequence = from->sequence, to->tick = from->tick;
}

static void fill_large(unsigned ix, const codec_large *from) {
    Peer__Large *const to = &larges[ix];
    peer__large__init(to);
    to->sequence = from->sequence;
    to->instrument = (char *)(uintptr_t)from->instrument;
    to->n_levels = from->levels_count;
    to->levels = level_pointers[ix];
    for (unsigned i = 0; i < from->levels_count; i++) {
        Peer__Level *const level = &levels[ix][i];
        peer__level__init(level);
        level->price = from->levels[i].price;
        level->quantity = from->levels[i].quantity;
        level->orders = from->levels[i].orders;
        level_pointers[ix][i] = level;
    }
}

static void prepare(void) {
    for (unsigned ix = 0; ix < CODEC_SET; ix++) {
        fill_small(&smalls[ix], &codec_smalls[ix]);
        fill_medium(&mediums[ix], &codec_mediums[ix]);
        fill_large(ix, &codec_larges[ix]);
        small_bytes[ix].length = encode_small(ix, small_bytes[ix].value);
        medium_bytes[ix].length = encode_medium(ix, medium_bytes[ix].value);
        large_bytes[ix].length = encode_large(ix, large_bytes[ix].value);
    }
}

const codec_peer codec_protobuf_c = {prepare,      encode_small, encode_medium, encode_large,
                                     decode_small, decode_medium, decode_large};
#else
const codec_peer codec_protobuf_c = {.prepare = NULL};
#endif
