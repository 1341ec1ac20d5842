/* CRC-32C for any processor, and sums of joined runs. Polynomials are reflected: the highest bit is that of x^0. */
#include "base/crc32c.h"
#include "bufpool/detail/atomic.h"
#include "bufpool/detail/bytes.h"

/* x^32 + x^28 + x^27 + x^26 + x^25 + x^23 + x^22 + x^20 + x^19 + x^18 + x^14 + x^13 + x^11 + x^10 + x^9 + x^8 + x^6 + 1
 * (RFC 3720, 12.1). */
#define POLYNOMIAL 0x82F63B78u
#define ONE 0x80000000u

/* ---- eight bytes at once by tables: M. Kounavis and F. Berry, "A Systematic Approach to Building High Performance
 * Software-Based CRC Generators", 2005 ---- */

/* What a byte becomes is the sum of what its bits become (b0: the lowest one), so eight numbers make a table. */
#define ENTRY(byte, b7, b6, b5, b4, b3, b2, b1, b0)                                                                    \
    (((byte) & 128 ? b7 : 0) ^ ((byte) & 64 ? b6 : 0) ^ ((byte) & 32 ? b5 : 0) ^ ((byte) & 16 ? b4 : 0) ^              \
     ((byte) & 8 ? b3 : 0) ^ ((byte) & 4 ? b2 : 0) ^ ((byte) & 2 ? b1 : 0) ^ ((byte) & 1 ? b0 : 0))
#define ENTRIES4(at, ...)                                                                                              \
    ENTRY(at, __VA_ARGS__), ENTRY((at) + 1, __VA_ARGS__), ENTRY((at) + 2, __VA_ARGS__), ENTRY((at) + 3, __VA_ARGS__)
#define ENTRIES16(at, ...)                                                                                             \
    ENTRIES4(at, __VA_ARGS__), ENTRIES4((at) + 4, __VA_ARGS__), ENTRIES4((at) + 8, __VA_ARGS__),                       \
        ENTRIES4((at) + 12, __VA_ARGS__)
#define ENTRIES64(at, ...)                                                                                             \
    ENTRIES16(at, __VA_ARGS__), ENTRIES16((at) + 16, __VA_ARGS__), ENTRIES16((at) + 32, __VA_ARGS__),                  \
        ENTRIES16((at) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                                     \
    {ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__), ENTRIES64(128, __VA_ARGS__), ENTRIES64(192, __VA_ARGS__)}

/* after[n][b]: what byte b contributes to the state after it and n more bytes. The numbers are x^32, x^33, … x^95. */
static const uint32_t after[8][256] = {
    TABLE(0x82F63B78, 0x417B1DBC, 0x20BD8EDE, 0x105EC76F, 0x8AD958CF, 0xC79A971F, 0xE13B70F7, 0xF26B8303),
    TABLE(0xFBC3FAF9, 0xFF17C604, 0x7F8BE302, 0x3FC5F181, 0x9D14C3B8, 0x4E8A61DC, 0x274530EE, 0x13A29877),
    TABLE(0x8B277743, 0xC76580D9, 0xE144FB14, 0x70A27D8A, 0x38513EC5, 0x9EDEA41A, 0x4F6F520D, 0xA541927E),
    TABLE(0x52A0C93F, 0xABA65FE7, 0xD725148B, 0xE964B13D, 0xF64463E6, 0x7B2231F3, 0xBF672381, 0xDD45AAB8),
    TABLE(0x6EA2D55C, 0x37516AAE, 0x1BA8B557, 0x8F2261D3, 0xC5670B91, 0xE045BEB0, 0x7022DF58, 0x38116FAC),
    TABLE(0x1C08B7D6, 0x0E045BEB, 0x85F4168D, 0xC00C303E, 0x6006181F, 0xB2F53777, 0xDB8CA0C3, 0xEF306B19),
    TABLE(0xF56E0EF4, 0x7AB7077A, 0x3D5B83BD, 0x9C5BFAA6, 0x4E2DFD53, 0xA5E0C5D1, 0xD0065990, 0x68032CC8),
    TABLE(0x34019664, 0x1A00CB32, 0x0D006599, 0x847609B4, 0x423B04DA, 0x211D826D, 0x9278FA4E, 0x493C7D27),
};

static uint32_t update_by_tables(uint32_t state, const uint8_t *at, size_t size) {
    for (; size >= 8; at += 8, size -= 8) {
        const uint32_t low = bpi_load_u32(at) ^ state, high = bpi_load_u32(at + 4);
        state = after[7][low & 0xFF] ^ after[6][low >> 8 & 0xFF] ^ after[5][low >> 16 & 0xFF] ^ after[4][low >> 24] ^
                after[3][high & 0xFF] ^ after[2][high >> 8 & 0xFF] ^ after[1][high >> 16 & 0xFF] ^ after[0][high >> 24];
    }
    for (; size != 0; at++, size--) state = state >> 8 ^ after[0][(state ^ *at) & 0xFF];
    return state;
}

static bool tables_are_here(void) { return true; }

/* ---- which way ---- */

static const bpi_crc32c_way by_tables = {"tables", tables_are_here, update_by_tables};
static const bpi_crc32c_way *const ways[] = {&bpi_crc32c_lanes, &bpi_crc32c_words, &by_tables};

const bpi_crc32c_way *bpi_crc32c_way_at(size_t ix) {
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (ways[i]->is_here() && ix-- == 0) return ways[i];
    }
    return NULL;
}

static const bpi_crc32c_way *best; /* NULL until somebody asked; whoever asks finds the same constant */

BPI_COLD static const bpi_crc32c_way *find_best(void) {
    const bpi_crc32c_way *const way = bpi_crc32c_way_at(0);
    BPI_STORE(&best, way);
    return way;
}

uint32_t bpi_crc32c(uint32_t crc, const void *data, size_t size) {
    const bpi_crc32c_way *const known = BPI_LOAD(&best), *const way = BP_LIKELY(known != NULL) ? known : find_best();
    return ~way->update(~crc, data, size);
}

/* ---- joined runs ---- */

/* a * b modulo the polynomial. */
static uint32_t product(uint32_t a, uint32_t b) {
    uint32_t sum = 0;
    for (uint32_t bit = ONE; bit != 0; bit >>= 1) {
        if (a & bit) sum ^= b;
        b = b >> 1 ^ (b & 1 ? POLYNOMIAL : 0);
    }
    return sum;
}

/* x^(2^n). The polynomial is x + 1 times a primitive one of degree 31, so x^(2^31) is x again. */
enum { SQUARES = 31 };
static const uint32_t square[SQUARES] = {
    0x40000000, 0x20000000, 0x08000000, 0x00800000, 0x00008000, 0x82F63B78, 0x6EA2D55C, 0x18B8EA18,
    0x510AC59A, 0xB82BE955, 0xB8FDB1E7, 0x88E56F72, 0x74C360A4, 0xE4172B16, 0x0D65762A, 0x35D73A62,
    0x28461564, 0xBF455269, 0xE2EA32DC, 0xFE7740E6, 0xF946610B, 0x3C204F8F, 0x538586E3, 0x59726915,
    0x734D5309, 0xBC1AC763, 0x7D0722CC, 0xD289CABE, 0xE94CA9BC, 0x05B74F3F, 0xA51E1F42,
};

/* x^(8 * bytes) modulo the polynomial. */
static uint32_t skip(uint64_t bytes) {
    uint32_t power = ONE;
    for (uint32_t n = 3; bytes != 0; bytes >>= 1, n++) {
        if (bytes & 1) power = product(square[n % SQUARES], power);
    }
    return power;
}

uint32_t bpi_crc32c_combine(uint32_t first, uint32_t second, uint64_t second_size) {
    return product(first, skip(second_size)) ^ second;
}
