/* CRC-32C by instructions. One takes eight bytes and can begin with every cycle, but its result takes three: so a long
 * run is cut into three lanes of one length, which are summed beside each other and joined by three multiplications.
 *
 * V. Gopal et al., "Fast CRC Computation for iSCSI Polynomial Using CRC32 Instruction", Intel 2011. Here the state
 * before a block is joined at its end like a lane, so that no block waits for the one before it. */
#include "base/crc32c.h"
#include "base/crc32c_cpu.h"
#include "bufpool/detail/bytes.h"

#if CPU_KNOWS_CRC32C

/* Lanes are multiples of LANE_STEP bytes. Below LANES_FROM bytes, joining takes longer than one lane. */
enum { LANE_STEP = 32, LANE_STEPS_MAX = 43, LANES = 3, LANES_FROM = 160 };
_Static_assert(LANES_FROM >= LANES * LANE_STEP, "a block has at least a step");

/* [n - 1]: factors for what is before three, two and one lanes of n steps. A state times such a factor is, once
 * crc_of_word has reduced it, the state after as many zero bytes. For d bits that is x^(d - 33) modulo the polynomial:
 * crc_of_word itself multiplies by x^32, and the product of two reflected factors is that of their product times x. */
static const uint32_t skip_lanes[LANE_STEPS_MAX][LANES] = {
    {0x0715CE53, 0x9E4ADDF8, 0xBA4FC28E}, {0xAB7AFF2A, 0x0D3B6092, 0x9E4ADDF8}, {0xB6DD949B, 0xAB7AFF2A, 0x0715CE53},
    {0xD270F1A2, 0xB9E02B86, 0x0D3B6092}, {0xB3E32C28, 0xBAC2FD7B, 0x878A92A7}, {0x271D9844, 0xD270F1A2, 0xAB7AFF2A},
    {0xCEC3662E, 0x1B03397F, 0x83348832}, {0xD7A4825C, 0xDD7E3B0C, 0xB9E02B86}, {0x98D8D9CB, 0x271D9844, 0xB6DD949B},
    {0x3771E98F, 0x6B749FB2, 0xBAC2FD7B}, {0x6F345E45, 0xE6FC4E6A, 0xCE7F39F4}, {0x86D8E4D2, 0xD7A4825C, 0xD270F1A2},
    {0xCA6EF3AC, 0x26F6A60A, 0x2B3CAC5D}, {0xC9C8B782, 0x68BCE87A, 0x1B03397F}, {0x2342001E, 0x3771E98F, 0xB3E32C28},
    {0x9EF68D35, 0x170076FA, 0xDD7E3B0C}, {0x02EE03B2, 0xFF0DBA97, 0x10746F3C}, {0x00BCF5F6, 0x86D8E4D2, 0x271D9844},
    {0xDED288F8, 0xB3AF077A, 0x93A5F730}, {0xF48642E9, 0xDD66CBBB, 0x6B749FB2}, {0x45CDDF4E, 0xC9C8B782, 0xCEC3662E},
    {0x021AC5EF, 0xD813B325, 0xE6FC4E6A}, {0xE0CDCF86, 0x6D9A4957, 0xB0CD4768}, {0xBEDC6BA1, 0x9EF68D35, 0xD7A4825C},
    {0xD6C3A807, 0x2664FD8B, 0x0167D312}, {0x4BE7FD90, 0x363BD6B3, 0x26F6A60A}, {0xB3A6DA94, 0x00BCF5F6, 0x98D8D9CB},
    {0x889774E1, 0xAA7C7AD5, 0x68BCE87A}, {0xBD0BB25F, 0x6D390DEC, 0x6956FC3B}, {0x465A4EEE, 0xF48642E9, 0x3771E98F},
    {0xA52F58EC, 0x9A5EDE41, 0x2178513A}, {0x359674F7, 0xA51B6135, 0x170076FA}, {0x1C2CCE0A, 0x021AC5EF, 0x6F345E45},
    {0x95FFD7DC, 0xCBBE4EE1, 0xFF0DBA97}, {0xAEB3E622, 0xDEFBA41C, 0xF872E54C}, {0x7F47463D, 0xBEDC6BA1, 0x86D8E4D2},
    {0x5E9F28EB, 0xB1630F04, 0x5BB8F1BC}, {0x4CE8BFE5, 0x63D097E9, 0xB3AF077A}, {0xF22FD3E2, 0x4BE7FD90, 0xCA6EF3AC},
    {0x23D5E7E5, 0x22C3799F, 0xDD66CBBB}, {0xE9415BCE, 0x50BFAADE, 0xE9E28EB4}, {0x24E6FE8F, 0x889774E1, 0xC9C8B782},
    {0xD07737EA, 0x33BC58B3, 0x93E106A4},
};

/* The state after three lanes of so many steps. */
static uint64_t crc_of_block(uint64_t state, const uint8_t *at, size_t steps) {
    const size_t lane = steps * LANE_STEP;
    uint64_t first = 0, second = 0, third = 0;
    for (const uint8_t *const end = at + lane; at != end; at += LANE_STEP) {
#pragma GCC unroll 4
        for (size_t i = 0; i < LANE_STEP; i += 8) {
            first = crc_of_word(first, bpi_load_u64(at + i));
            second = crc_of_word(second, bpi_load_u64(at + lane + i));
            third = crc_of_word(third, bpi_load_u64(at + 2 * lane + i));
        }
    }
    const uint32_t *const skip = skip_lanes[steps - 1];
    const uint64_t skipped = multiply((uint32_t)state, skip[0]) ^ multiply((uint32_t)first, skip[1]) ^
                             multiply((uint32_t)second, skip[2]);
    return crc_of_word(0, skipped) ^ third;
}

static inline uint32_t crc_of_rest(uint64_t state, const uint8_t *at, size_t size) {
    for (; size >= 8; at += 8, size -= 8) state = crc_of_word(state, bpi_load_u64(at));
    for (; size != 0; at++, size--) state = crc_of_byte(state, *at);
    return (uint32_t)state;
}

static uint32_t update_by_words(uint32_t state, const uint8_t *at, size_t size) { return crc_of_rest(state, at, size); }

static uint32_t update_by_lanes(uint32_t begin, const uint8_t *at, size_t size) {
    uint64_t state = begin;
    if (size < LANES_FROM) return crc_of_rest(state, at, size);
    do {
        const size_t steps = size / (LANES * LANE_STEP), taken = steps < LANE_STEPS_MAX ? steps : LANE_STEPS_MAX;
        state = crc_of_block(state, at, taken);
        at += taken * LANES * LANE_STEP;
        size -= taken * LANES * LANE_STEP;
    } while (size >= LANES_FROM);
    return crc_of_rest(state, at, size);
}

static bool lanes_are_here(void) { return cpu_has_crc32c() && cpu_has_multiply(); }
static bool words_are_here(void) { return cpu_has_crc32c(); }

#else

static bool lanes_are_here(void) { return false; }
static bool words_are_here(void) { return false; }
#define update_by_lanes NULL
#define update_by_words NULL

#endif

const bpi_crc32c_way bpi_crc32c_lanes = {"three lanes", lanes_are_here, update_by_lanes};
const bpi_crc32c_way bpi_crc32c_words = {"words", words_are_here, update_by_words};
