/* Codec rows: what bufpoolc wrote for contracts/codec.yaml beside the same by hand (the limit, codec_hand.c) and beside
 * codecs of other projects, where they are installed.
 *
 * decode: into an owned struct, then every field is read.  read: every field where it lies, after one check.
 * grown: a message of the same fields whose last ones came with a later version. */
#include "bench.h"
#include "codec_data.h"
#include "codec_hand.h"
#include "tests/support/alloc_count.h"

CODEC_ALIGNED codec_small codec_smalls[CODEC_SET];
CODEC_ALIGNED codec_medium codec_mediums[CODEC_SET];
CODEC_ALIGNED codec_large codec_larges[CODEC_SET];

/* The same values as every codec writes them. */
typedef struct encoded {
    const uint8_t *value[CODEC_SET];
    uint32_t length[CODEC_SET];
} encoded;

static encoded small_bytes, small_hand_bytes, small_canonical_bytes, small_grown_bytes, medium_bytes, medium_hand_bytes,
    medium_grown_bytes, large_bytes, large_hand_bytes, large_grown_bytes;
static CODEC_ALIGNED codec_small_grown small_growns[CODEC_SET];
static CODEC_ALIGNED codec_medium_grown medium_growns[CODEC_SET];
static CODEC_ALIGNED codec_large_grown large_growns[CODEC_SET];

/* ---- values ------------------------------------------------------------------------------------------------------ */

static uint64_t random_state = 88172645463325252u;

static uint64_t next(void) { /* xorshift64, G. Marsaglia 2003 */
    random_state ^= random_state << 13, random_state ^= random_state >> 7, random_state ^= random_state << 17;
    return random_state;
}

static void fill_bytes(uint8_t *at, size_t count) {
    for (size_t i = 0; i < count; i++) at[i] = (uint8_t)(next() | 1);
}

static uint32_t next_below(uint32_t limit) { return (uint32_t)(next() % limit); }

static uint8_t fill_text(char *at, uint32_t least, uint32_t most) {
    const uint32_t length = least + next_below(most - least + 1);
    for (uint32_t i = 0; i < length; i++) at[i] = (char)('A' + next() % 26);
    return (uint8_t)length;
}

static void fill(unsigned ix) {
    codec_small *const small = &codec_smalls[ix];
    codec_medium *const medium = &codec_mediums[ix];
    codec_large *const large = &codec_larges[ix];
    fill_bytes(small->token, 20);
    small->block = 1 + next_below(20000000);
    small->pool = (uint16_t)next_below(4096);
    small->decimals = (uint8_t)next_below(19);
    small->symbol_length = fill_text(small->symbol, 3, 32);
    fill_bytes(medium->pool, 20);
    medium->fee = (uint16_t)next_below(10000);
    fill_bytes((uint8_t *)&medium->amount_in, 32);
    fill_bytes((uint8_t *)&medium->amount_out, 32);
    fill_bytes((uint8_t *)&medium->price, 32);
    fill_bytes((uint8_t *)&medium->liquidity, 32);
    medium->block = 1 + next_below(20000000);
    medium->time = next() >> 2;
    medium->sequence = 1 + next_below(1000000);
    medium->tick = (int32_t)next_below(1000000) - 500000;
    large->sequence = 1 + next_below(1000000);
    large->levels_count = CODEC_LARGE_LEVELS_CAP;
    for (int i = 0; i < CODEC_LARGE_LEVELS_CAP; i++) {
        large->levels[i] = (codec_level){next() % 10000000000, next_below(1000000), next_below(300)};
    }
    large->instrument_length = fill_text(large->instrument, 12, 64);
}

static void grow(unsigned ix) {
    const codec_small *const s = &codec_smalls[ix];
    const codec_medium *const m = &codec_mediums[ix];
    codec_small_grown *const sg = &small_growns[ix];
    codec_medium_grown *const mg = &medium_growns[ix];
    sg->block = s->block, sg->pool = s->pool, sg->decimals = s->decimals, sg->symbol_length = s->symbol_length;
    memcpy(sg->token, s->token, sizeof sg->token);
    memcpy(sg->symbol, s->symbol, sizeof sg->symbol);
    mg->fee = m->fee, mg->amount_in = m->amount_in, mg->amount_out = m->amount_out, mg->price = m->price;
    mg->liquidity = m->liquidity, mg->block = m->block, mg->time = m->time, mg->sequence = m->sequence;
    mg->tick = m->tick;
    memcpy(mg->pool, m->pool, sizeof mg->pool);
    large_growns[ix].sequence = codec_larges[ix].sequence;
    large_growns[ix].levels_count = codec_larges[ix].levels_count;
    large_growns[ix].instrument_length = codec_larges[ix].instrument_length;
    memcpy(large_growns[ix].levels, codec_larges[ix].levels, sizeof codec_larges[ix].levels);
    memcpy(large_growns[ix].instrument, codec_larges[ix].instrument, sizeof codec_larges[ix].instrument);
}

/* Values lie one after the other, from cache line to cache line, as in a pool's slab. */
static CODEC_ALIGNED uint8_t values[(4 * 64 + 3 * 256) * CODEC_SET + 3 * 2048 * CODEC_LARGE_SET + 10 * 4096];
static uint8_t *values_end = values;

#define ENCODE_SET(bytes, encode, messages, set, good)                                                                \
    for (unsigned ix = 0; ix < set; ix++) {                                                                           \
        (bytes).value[ix] = values_end;                                                                               \
        if (encode(&messages[ix], values_end, 2048, &(bytes).length[ix]) != good) bench_fail("cannot encode");        \
        values_end += ((bytes).length[ix] + 63) / 64 * 64;                                                            \
    }                                                                                                                 \
    values_end = values + (size_t)(values_end - values + 4095) / 4096 * 4096

static void prepare(void) {
    static bool is_done;
    if (is_done) return;
    is_done = true;
    for (unsigned ix = 0; ix < CODEC_SET; ix++) fill(ix), grow(ix);
    ENCODE_SET(small_bytes, codec_small_encode, codec_smalls, CODEC_SET, BP_OK);
    ENCODE_SET(small_hand_bytes, hand_small_encode, codec_smalls, CODEC_SET, true);
    ENCODE_SET(small_canonical_bytes, hand_small_encode_canonical, codec_smalls, CODEC_SET, true);
    ENCODE_SET(small_grown_bytes, codec_small_grown_encode, small_growns, CODEC_SET, BP_OK);
    ENCODE_SET(medium_bytes, codec_medium_encode, codec_mediums, CODEC_SET, BP_OK);
    ENCODE_SET(medium_hand_bytes, hand_medium_encode, codec_mediums, CODEC_SET, true);
    ENCODE_SET(medium_grown_bytes, codec_medium_grown_encode, medium_growns, CODEC_SET, BP_OK);
    ENCODE_SET(large_bytes, codec_large_encode, codec_larges, CODEC_LARGE_SET, BP_OK);
    ENCODE_SET(large_hand_bytes, hand_large_encode, codec_larges, CODEC_LARGE_SET, true);
    ENCODE_SET(large_grown_bytes, codec_large_grown_encode, large_growns, CODEC_LARGE_SET, BP_OK);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

#define SUM_SMALL(m)                                                                                                  \
    (codec_sum20((m)->token) + (m)->block + (m)->pool + (m)->decimals + codec_sum_text((m)->symbol, (m)->symbol_length))
#define SUM_WIDE(value) codec_sum32((const uint8_t *)&(value))
#define SUM_MEDIUM(m)                                                                                                 \
    (codec_sum20((m)->pool) + (m)->fee + SUM_WIDE((m)->amount_in) + SUM_WIDE((m)->amount_out) +                       \
     SUM_WIDE((m)->price) + SUM_WIDE((m)->liquidity) + (m)->block + (m)->time + (m)->sequence + (uint64_t)(m)->tick)

#define DEFINE_SUM_LARGE(name, type)                                                                                  \
    static inline uint64_t name(const type *m) {                                                                      \
        uint64_t sum = m->sequence + codec_sum_text(m->instrument, m->instrument_length);                             \
        for (uint32_t i = 0; i < m->levels_count; i++) {                                                              \
            sum += m->levels[i].price + m->levels[i].quantity + m->levels[i].orders;                                  \
        }                                                                                                             \
        return sum;                                                                                                   \
    }
DEFINE_SUM_LARGE(sum_large, codec_large)
DEFINE_SUM_LARGE(sum_large_grown, codec_large_grown)
#undef DEFINE_SUM_LARGE

static unsigned set_of(char message) { return message == 'l' ? CODEC_LARGE_SET : CODEC_SET; }

/* What every decoder must come to. */
static uint64_t expected(char message) {
    uint64_t sum = 0;
    for (unsigned ix = 0; ix < set_of(message); ix++) {
        if (message == 's') sum += SUM_SMALL(&codec_smalls[ix]);
        if (message == 'm') sum += SUM_MEDIUM(&codec_mediums[ix]);
        if (message == 'l') sum += sum_large(&codec_larges[ix]);
    }
    return sum;
}

/* ---- loops ------------------------------------------------------------------------------------------------------- */

static uint32_t rounds_of(char message) {
    const uint32_t rounds = message == 'l' ? 6000 : 12000;
    return bench_is_quick ? rounds / 4 : rounds;
}

/* A row's function: statement is done for every message ix of the set; sum is what it read. */
#define DEFINE_LOOP(name, message, statement)                                                                         \
    static double name(const bench_row *row) {                                                                        \
        (void)row;                                                                                                    \
        prepare();                                                                                                    \
        const uint32_t rounds = rounds_of(message);                                                                   \
        const uint64_t want = expected(message), allocations = bpt_alloc_count();                                     \
        const uint64_t start = bench_now_ns();                                                                        \
        for (uint32_t round = 0; round < rounds; round++) {                                                           \
            uint64_t sum = 0;                                                                                         \
            for (unsigned ix = 0; ix < set_of(message); ix++) statement;                                              \
            if (sum != 0 && sum != want) bench_fail(#name ": not what was encoded");                                  \
        }                                                                                                             \
        const uint64_t end = bench_now_ns();                                                                          \
        if (bpt_alloc_count() != allocations) bench_fail(#name ": allocated");                                        \
        return (double)(end - start) / ((double)rounds * set_of(message));                                            \
    }

static CODEC_ALIGNED uint8_t room[CODEC_ROOM];

#define ENCODING(encode, messages, good)                                                                              \
    {                                                                                                                 \
        uint32_t length;                                                                                              \
        if (encode(&messages[ix], room, sizeof room, &length) != good) bench_fail("cannot encode");                   \
        bench_touch(room);                                                                                            \
        (void)sum;                                                                                                    \
    }
DEFINE_LOOP(encode_small, 's', ENCODING(codec_small_encode, codec_smalls, BP_OK))
DEFINE_LOOP(encode_medium, 'm', ENCODING(codec_medium_encode, codec_mediums, BP_OK))
DEFINE_LOOP(encode_large, 'l', ENCODING(codec_large_encode, codec_larges, BP_OK))
DEFINE_LOOP(encode_small_grown, 's', ENCODING(codec_small_grown_encode, small_growns, BP_OK))
DEFINE_LOOP(encode_medium_grown, 'm', ENCODING(codec_medium_grown_encode, medium_growns, BP_OK))
DEFINE_LOOP(encode_large_grown, 'l', ENCODING(codec_large_grown_encode, large_growns, BP_OK))
DEFINE_LOOP(encode_small_hand, 's', ENCODING(hand_small_encode, codec_smalls, true))
DEFINE_LOOP(encode_medium_hand, 'm', ENCODING(hand_medium_encode, codec_mediums, true))
DEFINE_LOOP(encode_large_hand, 'l', ENCODING(hand_large_encode, codec_larges, true))

#define DECODING(type, bytes, decode, good, sum_of)                                                                   \
    {                                                                                                                 \
        static CODEC_ALIGNED type out;                                                                                \
        if (decode((bytes).value[ix], (bytes).length[ix], &out) != good) bench_fail("cannot decode");                 \
        bench_touch(&out);                                                                                            \
        sum += sum_of(&out);                                                                                          \
    }
DEFINE_LOOP(decode_small, 's', DECODING(codec_small, small_bytes, codec_small_decode, BP_OK, SUM_SMALL))
DEFINE_LOOP(decode_medium, 'm', DECODING(codec_medium, medium_bytes, codec_medium_decode, BP_OK, SUM_MEDIUM))
DEFINE_LOOP(decode_large, 'l', DECODING(codec_large, large_bytes, codec_large_decode, BP_OK, sum_large))
DEFINE_LOOP(decode_small_grown, 's',
            DECODING(codec_small_grown, small_grown_bytes, codec_small_grown_decode, BP_OK, SUM_SMALL))
DEFINE_LOOP(decode_medium_grown, 'm',
            DECODING(codec_medium_grown, medium_grown_bytes, codec_medium_grown_decode, BP_OK, SUM_MEDIUM))
DEFINE_LOOP(decode_large_grown, 'l',
            DECODING(codec_large_grown, large_grown_bytes, codec_large_grown_decode, BP_OK, sum_large_grown))
DEFINE_LOOP(decode_small_hand, 's', DECODING(codec_small, small_hand_bytes, hand_small_decode, true, SUM_SMALL))
DEFINE_LOOP(decode_medium_hand, 'm', DECODING(codec_medium, medium_hand_bytes, hand_medium_decode, true, SUM_MEDIUM))
DEFINE_LOOP(decode_large_hand, 'l', DECODING(codec_large, large_hand_bytes, hand_large_decode, true, sum_large))

/* With bufpool's promise about bytes that have no meaning. */
DEFINE_LOOP(encode_small_hand_canonical, 's', ENCODING(hand_small_encode_canonical, codec_smalls, true))
DEFINE_LOOP(decode_small_hand_canonical, 's',
            DECODING(codec_small, small_canonical_bytes, hand_small_decode_canonical, true, SUM_SMALL))
DEFINE_LOOP(decode_large_hand_canonical, 'l',
            DECODING(codec_large, large_hand_bytes, hand_large_decode_canonical, true, sum_large))

/* Every rule of the contract, then an owned struct: at once, and in the three steps that a handler's frame takes. */
#define DEFINE_VALID(name)                                                                                            \
    static inline bp_err decode_valid_##name(const uint8_t *value, size_t length, codec_##name *out) {                \
        return codec_##name##_decode_valid(value, length, out, NULL);                                                 \
    }
DEFINE_VALID(small)
DEFINE_VALID(medium)
DEFINE_VALID(large)
#undef DEFINE_VALID
DEFINE_LOOP(valid_small, 's', DECODING(codec_small, small_bytes, decode_valid_small, BP_OK, SUM_SMALL))
DEFINE_LOOP(valid_medium, 'm', DECODING(codec_medium, medium_bytes, decode_valid_medium, BP_OK, SUM_MEDIUM))
DEFINE_LOOP(valid_large, 'l', DECODING(codec_large, large_bytes, decode_valid_large, BP_OK, sum_large))
#define CHECKING(name, bytes, sum_of)                                                                                 \
    {                                                                                                                 \
        static CODEC_ALIGNED codec_##name out;                                                                        \
        codec_##name##_view view;                                                                                     \
        if (codec_##name##_view_init((bytes).value[ix], (bytes).length[ix], &view) != BP_OK ||                        \
            codec_##name##_validate(&view, NULL) != BP_OK) {                                                          \
            bench_fail("cannot decode");                                                                              \
        }                                                                                                             \
        codec_##name##_load(&view, &out);                                                                             \
        bench_touch(&out);                                                                                            \
        sum += sum_of(&out);                                                                                          \
    }
DEFINE_LOOP(check_small, 's', CHECKING(small, small_bytes, SUM_SMALL))
DEFINE_LOOP(check_medium, 'm', CHECKING(medium, medium_bytes, SUM_MEDIUM))
DEFINE_LOOP(check_large, 'l', CHECKING(large, large_bytes, sum_large))

#define READ_SMALL(name, bytes)                                                                                       \
    {                                                                                                                 \
        codec_##name##_view view;                                                                                     \
        if (codec_##name##_view_init((bytes).value[ix], (bytes).length[ix], &view) != BP_OK) bench_fail("no view");   \
        const bp_text symbol = codec_##name##_get_symbol(&view);                                                      \
        sum += codec_sum20(codec_##name##_get_token(&view).data) + codec_##name##_get_block(&view) +                  \
               codec_##name##_get_pool(&view) + codec_##name##_get_decimals(&view) +                                  \
               codec_sum_text(symbol.data, symbol.length);                                                            \
    }
DEFINE_LOOP(read_small, 's', READ_SMALL(small, small_bytes))
DEFINE_LOOP(read_small_grown, 's', READ_SMALL(small_grown, small_grown_bytes))

static inline uint64_t sum_u256(bp_u256 value) {
    return value.limb[0] + value.limb[1] + value.limb[2] + value.limb[3];
}
#define READ_MEDIUM(name, bytes)                                                                                      \
    {                                                                                                                 \
        codec_##name##_view view;                                                                                     \
        if (codec_##name##_view_init((bytes).value[ix], (bytes).length[ix], &view) != BP_OK) bench_fail("no view");   \
        sum += codec_sum20(codec_##name##_get_pool(&view).data) + codec_##name##_get_fee(&view) +                     \
               sum_u256(codec_##name##_get_amount_in(&view)) + sum_u256(codec_##name##_get_amount_out(&view)) +       \
               sum_u256(codec_##name##_get_price(&view)) + sum_u256(codec_##name##_get_liquidity(&view)) +            \
               codec_##name##_get_block(&view) + codec_##name##_get_time(&view) +                                     \
               codec_##name##_get_sequence(&view) + (uint64_t)codec_##name##_get_tick(&view);                         \
    }
DEFINE_LOOP(read_medium, 'm', READ_MEDIUM(medium, medium_bytes))
DEFINE_LOOP(read_medium_grown, 'm', READ_MEDIUM(medium_grown, medium_grown_bytes))

#define READ_LARGE(name, bytes)                                                                                       \
    {                                                                                                                 \
        codec_##name##_view view;                                                                                     \
        if (codec_##name##_view_init((bytes).value[ix], (bytes).length[ix], &view) != BP_OK) bench_fail("no view");   \
        const bp_text instrument = codec_##name##_get_instrument(&view);                                              \
        sum += codec_##name##_get_sequence(&view) + codec_sum_text(instrument.data, instrument.length);               \
        for (uint32_t i = 0; i < codec_##name##_levels_count(&view); i++) {                                           \
            const codec_level level = codec_##name##_levels_at(&view, i);                                             \
            sum += level.price + level.quantity + level.orders;                                                       \
        }                                                                                                             \
    }
DEFINE_LOOP(read_large, 'l', READ_LARGE(large, large_bytes))
DEFINE_LOOP(read_large_grown, 'l', READ_LARGE(large_grown, large_grown_bytes))

/* By hand: the check, then loads from constant places. */
static inline uint64_t sum_small_in_place(const uint8_t *at) {
    return codec_sum20(at) + bpi_load_u32(at + 20) + bpi_load_u16(at + 24) + at[26] +
           codec_sum_text((const char *)at + 28, at[27]);
}
DEFINE_LOOP(read_small_hand, 's', {
    const uint8_t *const at = small_hand_bytes.value[ix];
    if (!hand_small_is_whole(at, small_hand_bytes.length[ix])) bench_fail("not whole");
    sum += sum_small_in_place(at);
})
DEFINE_LOOP(read_medium_hand, 'm', {
    const uint8_t *const at = medium_hand_bytes.value[ix];
    if (!hand_medium_is_whole(medium_hand_bytes.length[ix])) bench_fail("not whole");
    sum += codec_sum32(at) + codec_sum32(at + 32) + codec_sum32(at + 64) + codec_sum32(at + 96) +
           bpi_load_u64(at + 128) + bpi_load_u64(at + 136) + bpi_load_u64(at + 144) +
           (uint64_t)bpi_load_i32(at + 152) + bpi_load_u16(at + 156) + codec_sum20(at + 158);
})
static inline uint64_t sum_large_in_place(const uint8_t *at) {
    const uint8_t *const end = at + HAND_LARGE_FIXED + bpi_load_u16(at + 8) * HAND_LEVEL_SIZE;
    uint64_t sum = bpi_load_u64(at) + codec_sum_text((const char *)end, bpi_load_u16(at + 10));
    for (at += HAND_LARGE_FIXED; at != end; at += HAND_LEVEL_SIZE) {
        sum += bpi_load_u64(at) + bpi_load_u64(at + 8) + bpi_load_u32(at + 16);
    }
    return sum;
}
DEFINE_LOOP(read_large_hand, 'l', {
    const uint8_t *const at = large_hand_bytes.value[ix];
    if (!hand_large_is_whole(at, large_hand_bytes.length[ix])) bench_fail("not whole");
    sum += sum_large_in_place(at);
})
/* With a view's promise: the value is refused before any of it is read. */
DEFINE_LOOP(read_small_hand_canonical, 's', {
    const uint8_t *const at = small_canonical_bytes.value[ix];
    if (!hand_small_is_whole(at, small_canonical_bytes.length[ix])) bench_fail("not whole");
    if (!hand_small_is_canonical(at)) bench_fail("not canonical");
    sum += sum_small_in_place(at);
})
DEFINE_LOOP(read_large_hand_canonical, 'l', {
    const uint8_t *const at = large_hand_bytes.value[ix];
    if (!hand_large_is_whole(at, large_hand_bytes.length[ix])) bench_fail("not whole");
    if (!hand_large_is_canonical(at)) bench_fail("not canonical");
    sum += sum_large_in_place(at);
})

/* ---- other codecs ------------------------------------------------------------------------------------------------ */

static const codec_peer *const peers[] = {&codec_nanopb, &codec_protobuf_c, &codec_mpack};
enum { PEER_COUNT = sizeof peers / sizeof peers[0] };

/* The peer of a row, ready; NULL when it is absent. */
static const codec_peer *peer_of(const bench_row *row) {
    static bool is_ready[PEER_COUNT];
    const codec_peer *const peer = peers[row->variant];
    if (peer->prepare == NULL) return NULL;
    prepare();
    if (!is_ready[row->variant]) peer->prepare();
    is_ready[row->variant] = true;
    return peer;
}

#define DEFINE_PEER(name, message)                                                                                    \
    static double peer_encode_##name(const bench_row *row) {                                                          \
        const codec_peer *const peer = peer_of(row);                                                                  \
        const uint32_t rounds = rounds_of(message) / 4;                                                               \
        if (peer == NULL) return BENCH_ABSENT;                                                                        \
        const uint64_t start = bench_now_ns();                                                                        \
        for (uint32_t round = 0; round < rounds; round++) {                                                           \
            for (unsigned ix = 0; ix < set_of(message); ix++) {                                                       \
                if (peer->encode_##name(ix, room) == 0) bench_fail("a peer cannot encode");                           \
                bench_touch(room);                                                                                    \
            }                                                                                                         \
        }                                                                                                             \
        return (double)(bench_now_ns() - start) / ((double)rounds * set_of(message));                                 \
    }                                                                                                                 \
    static double peer_decode_##name(const bench_row *row) {                                                          \
        const codec_peer *const peer = peer_of(row);                                                                  \
        const uint32_t rounds = rounds_of(message) / 4;                                                               \
        if (peer == NULL) return BENCH_ABSENT;                                                                        \
        const uint64_t want = expected(message), start = bench_now_ns();                                              \
        for (uint32_t round = 0; round < rounds; round++) {                                                           \
            uint64_t sum = 0;                                                                                         \
            for (unsigned ix = 0; ix < set_of(message); ix++) sum += peer->decode_##name(ix);                         \
            if (sum != want) bench_fail("a peer decodes something else");                                             \
        }                                                                                                             \
        return (double)(bench_now_ns() - start) / ((double)rounds * set_of(message));                                 \
    }
DEFINE_PEER(small, 's')
DEFINE_PEER(medium, 'm')
DEFINE_PEER(large, 'l')

/* ---- rows -------------------------------------------------------------------------------------------------------- */

#define ROW(group, name, reference, function) {"codec " group, name, "ns", reference, function, 0, 0, false}
#define ROWS(group, name)                                                                                             \
    ROW(group, "encode: by hand", NULL, encode_##name##_hand),                                                        \
        ROW(group, "encode: bufpool", "encode: by hand", encode_##name),                                              \
        ROW(group, "encode: bufpool, grown", "encode: bufpool", encode_##name##_grown),                               \
        ROW(group, "decode: by hand", NULL, decode_##name##_hand),                                                    \
        ROW(group, "decode: bufpool", "decode: by hand", decode_##name),                                              \
        ROW(group, "decode: bufpool, every rule", "decode: by hand", valid_##name),                                   \
        ROW(group, "decode: bufpool, view, rules, load", "decode: by hand", check_##name),                            \
        ROW(group, "decode: bufpool, grown", "decode: bufpool", decode_##name##_grown),                               \
        ROW(group, "read: by hand", NULL, read_##name##_hand),                                                        \
        ROW(group, "read: bufpool", "read: by hand", read_##name),                                                    \
        ROW(group, "read: bufpool, grown", "read: bufpool", read_##name##_grown)
#define PEER_ROWS(group, name, peer, ix)                                                                              \
    {"codec " group, "encode: " peer, "ns", "encode: bufpool", peer_encode_##name, 0, ix, false},                     \
        {"codec " group, "decode: " peer, "ns", "decode: bufpool", peer_decode_##name, 0, ix, false}
#define ALL_ROWS(group, name)                                                                                         \
    ROWS(group, name), PEER_ROWS(group, name, "nanopb", 0), PEER_ROWS(group, name, "protobuf-c", 1),                  \
        PEER_ROWS(group, name, "libmpack", 2)

static const bench_row rows[] = {
    ALL_ROWS("small", small),
    ROW("small", "encode: by hand, same promise", "encode: by hand", encode_small_hand_canonical),
    ROW("small", "encode: bufpool, again", "encode: by hand, same promise", encode_small),
    ROW("small", "decode: by hand, same promise", "decode: by hand", decode_small_hand_canonical),
    ROW("small", "decode: bufpool, again", "decode: by hand, same promise", decode_small),
    ROW("small", "read: by hand, same promise", "read: by hand", read_small_hand_canonical),
    ROW("small", "read: bufpool, again", "read: by hand, same promise", read_small),
    ALL_ROWS("medium", medium),
    ALL_ROWS("large", large),
    ROW("large", "decode: by hand, same promise", "decode: by hand", decode_large_hand_canonical),
    ROW("large", "decode: bufpool, again", "decode: by hand, same promise", decode_large),
    ROW("large", "read: by hand, same promise", "read: by hand", read_large_hand_canonical),
    ROW("large", "read: bufpool, again", "read: by hand, same promise", read_large),
};

const bench_table bench_codec_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
