/* libmpack: MessagePack by tokens, fields as arrays (https://github.com/libmpack/libmpack). */
#include "codec_data.h"

#ifdef BENCH_HAS_MPACK
#include "bench.h"

#include <mpack.h>

typedef struct encoded {
    uint8_t value[CODEC_ROOM];
    size_t length;
} encoded;

static encoded small_bytes[CODEC_SET], medium_bytes[CODEC_SET], large_bytes[CODEC_SET];

/* ---- writing ---- */

typedef struct writer {
    mpack_tokbuf_t state;
    char *at;
    size_t left;
} writer;

static writer writer_of(uint8_t *out) {
    writer w = {.at = (char *)out, .left = CODEC_ROOM};
    mpack_tokbuf_init(&w.state);
    return w;
}

static void put(writer *w, mpack_token_t token) {
    if (mpack_write(&w->state, &w->at, &w->left, &token) != MPACK_OK) bench_fail("libmpack cannot encode");
}

static void put_bytes(writer *w, const void *data, size_t length) {
    put(w, mpack_pack_bin((mpack_uint32_t)length));
    put(w, mpack_pack_chunk(data, (mpack_uint32_t)length));
}

static void put_text(writer *w, const char *text, size_t length) {
    put(w, mpack_pack_str((mpack_uint32_t)length));
    put(w, mpack_pack_chunk(text, (mpack_uint32_t)length));
}

static uint32_t written(const writer *w) { return CODEC_ROOM - (uint32_t)w->left; }

static uint32_t encode_small(unsigned ix, uint8_t *out) {
    const codec_small *const m = &codec_smalls[ix];
    writer w = writer_of(out);
    put(&w, mpack_pack_array(5));
    put_bytes(&w, m->token, 20);
    put(&w, mpack_pack_uint(m->block));
    put(&w, mpack_pack_uint(m->pool));
    put(&w, mpack_pack_uint(m->decimals));
    put_text(&w, m->symbol, m->symbol_length);
    return written(&w);
}

static uint32_t encode_medium(unsigned ix, uint8_t *out) {
    const codec_medium *const m = &codec_mediums[ix];
    writer w = writer_of(out);
    put(&w, mpack_pack_array(10));
    put_bytes(&w, m->pool, 20);
    put(&w, mpack_pack_uint(m->fee));
    put_bytes(&w, &m->amount_in, 32);
    put_bytes(&w, &m->amount_out, 32);
    put_bytes(&w, &m->price, 32);
    put_bytes(&w, &m->liquidity, 32);
    put(&w, mpack_pack_uint(m->block));
    put(&w, mpack_pack_uint(m->time));
    put(&w, mpack_pack_uint(m->sequence));
    put(&w, mpack_pack_sint(m->tick));
    return written(&w);
}

static uint32_t encode_large(unsigned ix, uint8_t *out) {
    const codec_large *const m = &codec_larges[ix];
    writer w = writer_of(out);
    put(&w, mpack_pack_array(3));
    put(&w, mpack_pack_uint(m->sequence));
    put(&w, mpack_pack_array(m->levels_count));
    for (unsigned i = 0; i < m->levels_count; i++) {
        put(&w, mpack_pack_array(3));
        put(&w, mpack_pack_uint(m->levels[i].price));
        put(&w, mpack_pack_uint(m->levels[i].quantity));
        put(&w, mpack_pack_uint(m->levels[i].orders));
    }
    put_text(&w, m->instrument, m->instrument_length);
    return written(&w);
}

/* ---- reading ---- */

typedef struct reader {
    mpack_tokbuf_t state;
    const char *at;
    size_t left;
} reader;

static reader reader_of(const encoded *from) {
    reader r = {.at = (const char *)from->value, .left = from->length};
    mpack_tokbuf_init(&r.state);
    return r;
}

static mpack_token_t get(reader *r) {
    mpack_token_t token;
    if (mpack_read(&r->state, &r->at, &r->left, &token) != MPACK_OK) bench_fail("libmpack cannot decode");
    return token;
}

static uint64_t get_uint(reader *r) { return mpack_unpack_uint(get(r)); }

/* A positive number is read back as unsigned, however it was packed. */
static int64_t get_sint(reader *r) {
    const mpack_token_t token = get(r);
    return token.type == MPACK_TOKEN_UINT ? (int64_t)mpack_unpack_uint(token) : (int64_t)mpack_unpack_sint(token);
}

/* The bytes after a str or bin token, where they lie. */
static mpack_token_t get_chunk(reader *r) {
    const mpack_token_t head = get(r);
    mpack_token_t chunk = get(r);
    if (chunk.length != head.length) bench_fail("libmpack gave part of a text");
    return chunk;
}

static uint64_t decode_small(unsigned ix) {
    struct {
        uint8_t token[20];
        uint64_t block, pool, decimals;
        char symbol[33];
        uint32_t symbol_length;
    } m;
    reader r = reader_of(&small_bytes[ix]);
    if (get(&r).length != 5) bench_fail("libmpack lost an array");
    memcpy(m.token, get_chunk(&r).data.chunk_ptr, 20);
    m.block = get_uint(&r);
    m.pool = get_uint(&r);
    m.decimals = get_uint(&r);
    const mpack_token_t symbol = get_chunk(&r);
    m.symbol_length = symbol.length <= 32 ? symbol.length : 32;
    memcpy(m.symbol, symbol.data.chunk_ptr, m.symbol_length);
    bench_touch(&m);
    return codec_sum20(m.token) + m.block + m.pool + m.decimals + codec_sum_text(m.symbol, m.symbol_length);
}

static uint64_t decode_medium(unsigned ix) {
    struct {
        uint8_t pool[20], wide[4][32];
        uint64_t fee, block, time, sequence;
        int64_t tick;
    } m;
    uint64_t sum = 0;
    reader r = reader_of(&medium_bytes[ix]);
    if (get(&r).length != 10) bench_fail("libmpack lost an array");
    memcpy(m.pool, get_chunk(&r).data.chunk_ptr, 20);
    m.fee = get_uint(&r);
    for (int i = 0; i < 4; i++) memcpy(m.wide[i], get_chunk(&r).data.chunk_ptr, 32);
    m.block = get_uint(&r);
    m.time = get_uint(&r);
    m.sequence = get_uint(&r);
    m.tick = get_sint(&r);
    bench_touch(&m);
    for (int i = 0; i < 4; i++) sum += codec_sum32(m.wide[i]);
    return sum + codec_sum20(m.pool) + m.fee + m.block + m.time + m.sequence + (uint64_t)m.tick;
}

static uint64_t decode_large(unsigned ix) {
    static codec_large m;
    reader r = reader_of(&large_bytes[ix]);
    uint64_t sum = 0;
    if (get(&r).length != 3) bench_fail("libmpack lost an array");
    m.sequence = get_uint(&r);
    const uint32_t count = get(&r).length;
    m.levels_count = (uint16_t)(count <= CODEC_LARGE_LEVELS_CAP ? count : CODEC_LARGE_LEVELS_CAP);
    for (unsigned i = 0; i < m.levels_count; i++) {
        (void)get(&r);
        m.levels[i].price = get_uint(&r);
        m.levels[i].quantity = get_uint(&r);
        m.levels[i].orders = (uint32_t)get_uint(&r);
    }
    const mpack_token_t instrument = get_chunk(&r);
    m.instrument_length = (uint16_t)(instrument.length <= 64 ? instrument.length : 64);
    memcpy(m.instrument, instrument.data.chunk_ptr, m.instrument_length);
    bench_touch(&m);
    for (unsigned i = 0; i < m.levels_count; i++) {
        sum += m.levels[i].price + m.levels[i].quantity + m.levels[i].orders;
    }
    return sum + m.sequence + codec_sum_text(m.instrument, m.instrument_length);
}

static void prepare(void) {
    for (unsigned ix = 0; ix < CODEC_SET; ix++) {
        small_bytes[ix].length = encode_small(ix, small_bytes[ix].value);
        medium_bytes[ix].length = encode_medium(ix, medium_bytes[ix].value);
        large_bytes[ix].length = encode_large(ix, large_bytes[ix].value);
    }
}

const codec_peer codec_mpack = {prepare,      encode_small,  encode_medium, encode_large,
                                decode_small, decode_medium, decode_large};
#else
const codec_peer codec_mpack = {.prepare = NULL};
#endif
