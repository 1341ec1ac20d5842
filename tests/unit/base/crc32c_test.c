#define _GNU_SOURCE
#include "base/crc32c.h"
#include "base/os.h"
#include "tests/support/suite.h"

#include <string.h>
#include <sys/mman.h>
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

/* What begins in the middle of a run has had some sum before. */
#define SOME_SUM 0x9E3779B9u

enum { LONG = 3 * 4128 + 200, HUGE_RUN = 1 << 20 };

static uint32_t sum_by(const bpi_crc32c_way *way, uint32_t crc, const uint8_t *at, size_t size) {
    return ~way->update(~crc, at, size);
}

/* The definition: bit by bit, division by the polynomial (RFC 3720, 12.1). */
static uint32_t sum_by_definition(uint32_t crc, const uint8_t *at, size_t size) {
    uint32_t state = ~crc;
    for (size_t i = 0; i < size; i++) {
        state ^= at[i];
        for (int bit = 0; bit < 8; bit++) state = state >> 1 ^ (state & 1 ? 0x82F63B78u : 0);
    }
    return ~state;
}

static uint64_t next_random(uint64_t *seed) { /* splitmix64 */
    uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static void fill(uint8_t *at, size_t size) {
    uint64_t seed = size;
    for (size_t i = 0; i < size; i++) at[i] = (uint8_t)next_random(&seed);
}

/* ---- each way that this machine can go; _i is its place ---- */

/* RFC 3720, B.4, and what catalogues of check sums call "check". */
START_TEST(known_answers) {
    static const uint8_t read_command[48] = {0x01, 0xC0,        [16] = 0x14, [22] = 0x04,
                                             [27] = 0x14, [31] = 0x18, 0x28, [40] = 0x02};
    const bpi_crc32c_way *const way = bpi_crc32c_way_at((size_t)_i);
    uint8_t zeros[32], ones[32], rising[32], falling[32];
    memset(zeros, 0, sizeof zeros);
    memset(ones, 0xFF, sizeof ones);
    for (uint8_t i = 0; i < 32; i++) rising[i] = i, falling[i] = (uint8_t)(31 - i);
    ck_assert_uint_eq(sum_by(way, 0, zeros, 32), 0x8A9136AA);
    ck_assert_uint_eq(sum_by(way, 0, ones, 32), 0x62A8AB43);
    ck_assert_uint_eq(sum_by(way, 0, rising, 32), 0x46DD794E);
    ck_assert_uint_eq(sum_by(way, 0, falling, 32), 0x113FDB5C);
    ck_assert_uint_eq(sum_by(way, 0, read_command, sizeof read_command), 0xD9963A56);
    ck_assert_uint_eq(sum_by(way, 0, (const uint8_t *)"123456789", 9), 0xE3069283);
}
END_TEST

START_TEST(short_runs_of_every_alignment_and_length) {
    enum { ALIGNMENTS = 16, LENGTH_MAX = 300 };
    const bpi_crc32c_way *const way = bpi_crc32c_way_at((size_t)_i);
    _Alignas(16) uint8_t bytes[ALIGNMENTS + LENGTH_MAX];
    fill(bytes, sizeof bytes);
    for (size_t first = 0; first < ALIGNMENTS; first++) {
        uint32_t from_none = 0, from_some = SOME_SUM;
        for (size_t length = 0; length <= LENGTH_MAX; length++) {
            bpt_must(sum_by(way, 0, bytes + first, length) == from_none);
            bpt_must(sum_by(way, SOME_SUM, bytes + first, length) == from_some);
            from_none = sum_by_definition(from_none, bytes + first + length, 1);
            from_some = sum_by_definition(from_some, bytes + first + length, 1);
        }
    }
}
END_TEST

/* Every number of steps in a lane, and what is left beside whole blocks. */
START_TEST(long_runs_of_every_length) {
    const bpi_crc32c_way *const way = bpi_crc32c_way_at((size_t)_i);
    static uint8_t bytes[1 + LONG];
    fill(bytes, sizeof bytes);
    uint32_t expected = SOME_SUM;
    for (size_t length = 0; length <= LONG; length++) {
        bpt_must(sum_by(way, SOME_SUM, bytes + 1, length) == expected);
        if (length < LONG) expected = sum_by_definition(expected, bytes + 1 + length, 1);
    }
}
END_TEST

START_TEST(parts_one_after_the_other_are_the_whole) {
    const bpi_crc32c_way *const way = bpi_crc32c_way_at((size_t)_i);
    static uint8_t bytes[HUGE_RUN];
    uint64_t seed = 1;
    fill(bytes, sizeof bytes);
    const uint32_t whole = sum_by_definition(0, bytes, sizeof bytes);
    ck_assert_uint_eq(sum_by(way, 0, bytes, sizeof bytes), whole);
    for (uint32_t most = 16; most <= HUGE_RUN; most *= 16) {
        uint32_t sum = 0;
        for (size_t done = 0, part; done < sizeof bytes; done += part) {
            part = (size_t)(next_random(&seed) % most);
            if (part > sizeof bytes - done) part = sizeof bytes - done;
            sum = sum_by(way, sum, bytes + done, part);
        }
        ck_assert_uint_eq(sum, whole);
    }
}
END_TEST

/* Bytes that begin where a page begins and end where one ends: reading past either side is a fault. */
START_TEST(nothing_is_read_beside_the_bytes) {
    const bpi_crc32c_way *const way = bpi_crc32c_way_at((size_t)_i);
    const size_t page = bpi_os_page_size(), room = (LONG + page - 1) / page * page;
    uint8_t *const pages = mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(pages, MAP_FAILED);
    uint8_t *const begin = pages + page, *const end = begin + room;
    ck_assert_int_eq(mprotect(begin, room, PROT_READ | PROT_WRITE), 0);
    fill(begin, room);
    for (size_t length = 0; length <= LONG; length += length < 300 ? 1 : 61) {
        bpt_must(sum_by(way, 0, begin, length) == bpi_crc32c(0, begin, length));
        bpt_must(sum_by(way, 0, end - length, length) == bpi_crc32c(0, end - length, length));
    }
    munmap(pages, room + 2 * page);
}
END_TEST

/* ---- which way is gone ---- */

/* What the processor says of itself: instructions for CRC-32C, and for products of polynomials. */
static void ask_processor(bool *has_crc32c, bool *has_multiply) {
    *has_crc32c = *has_multiply = false;
#if defined(__x86_64__)
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    ck_assert(__get_cpuid(1, &eax, &ebx, &ecx, &edx));
    *has_crc32c = (ecx & bit_SSE4_2) != 0;
    *has_multiply = (ecx & bit_PCLMUL) != 0;
#elif defined(__aarch64__)
    *has_crc32c = (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
    *has_multiply = (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0;
#endif
}

START_TEST(the_fastest_way_is_first_and_tables_are_everywhere) {
    bool has_crc32c, has_multiply;
    size_t count = 0;
    ask_processor(&has_crc32c, &has_multiply);
    if (has_crc32c && has_multiply) ck_assert_str_eq(bpi_crc32c_way_at(count++)->name, "three lanes");
    if (has_crc32c) ck_assert_str_eq(bpi_crc32c_way_at(count++)->name, "words");
    ck_assert_str_eq(bpi_crc32c_way_at(count++)->name, "tables");
    ck_assert_ptr_null(bpi_crc32c_way_at(count));
    ck_assert_ptr_null(bpi_crc32c_way_at(count + 1));
}
END_TEST

START_TEST(no_bytes_change_nothing) {
    ck_assert_uint_eq(bpi_crc32c(0, NULL, 0), 0);
    ck_assert_uint_eq(bpi_crc32c(SOME_SUM, NULL, 0), SOME_SUM);
    ck_assert_uint_eq(bpi_crc32c(SOME_SUM, "", 0), SOME_SUM);
}
END_TEST

static uint32_t found_by_thread[4];
static void sum_on_thread(void *argument, uint32_t ix) {
    (void)argument;
    found_by_thread[ix] = bpi_crc32c(0, "123456789", 9);
}

/* Nobody has asked before in this process: all find out which way to go. */
START_TEST(threads_that_ask_first_all_at_once) {
    ck_assert(bpi_os_run_threads(4, sum_on_thread, NULL));
    for (int i = 0; i < 4; i++) ck_assert_uint_eq(found_by_thread[i], 0xE3069283);
}
END_TEST

/* ---- joined runs ---- */

START_TEST(sums_of_two_runs_make_the_sum_of_both) {
    static uint8_t bytes[LONG];
    uint64_t seed = 2;
    fill(bytes, sizeof bytes);
    for (int i = 0; i < 2000; i++) {
        const size_t whole = (size_t)(next_random(&seed) % LONG), cut = (size_t)(next_random(&seed) % (whole + 1));
        const uint32_t first = bpi_crc32c(0, bytes, cut), second = bpi_crc32c(0, bytes + cut, whole - cut);
        bpt_must(bpi_crc32c_combine(first, second, whole - cut) == bpi_crc32c(0, bytes, whole));
    }
    ck_assert_uint_eq(bpi_crc32c_combine(SOME_SUM, 0, 0), SOME_SUM);
    ck_assert_uint_eq(bpi_crc32c_combine(0, SOME_SUM, UINT64_MAX), SOME_SUM);
}
END_TEST

/* How zero bytes change a state, as a matrix over GF(2): column i is what becomes of bit i. */
typedef struct matrix {
    uint32_t column[32];
} matrix;

static uint32_t matrix_apply(const matrix *m, uint32_t state) {
    uint32_t sum = 0;
    for (int i = 0; i < 32; i++) sum ^= state >> i & 1 ? m->column[i] : 0;
    return sum;
}

/* The sum of some bytes whose sum is crc, and so many zero bytes: by squaring, with nothing of what is tested. */
static uint32_t sum_with_zeros(uint32_t crc, uint64_t zeros) {
    matrix power, squared;
    uint32_t state = ~crc;
    for (int i = 0; i < 32; i++) power.column[i] = ~sum_by_definition(~(UINT32_C(1) << i), (const uint8_t *)"", 1);
    for (; zeros != 0; zeros >>= 1) {
        if (zeros & 1) state = matrix_apply(&power, state);
        for (int i = 0; i < 32; i++) squared.column[i] = matrix_apply(&power, power.column[i]);
        power = squared;
    }
    return ~state;
}

static void zeros_are_joined(uint64_t zeros) {
    const uint32_t sum_of_zeros = sum_with_zeros(0, zeros);
    bpt_must(bpi_crc32c_combine(SOME_SUM, sum_of_zeros, zeros) == sum_with_zeros(SOME_SUM, zeros));
}

START_TEST(runs_longer_than_any_memory_are_joined) {
    static const uint8_t zeros[1000];
    uint64_t seed = 3;
    ck_assert_uint_eq(sum_with_zeros(SOME_SUM, sizeof zeros), bpi_crc32c(SOME_SUM, zeros, sizeof zeros));
    for (int bit = 0; bit < 64; bit++) {
        zeros_are_joined(UINT64_C(1) << bit);
        zeros_are_joined((UINT64_C(1) << bit) - 1);
        zeros_are_joined(next_random(&seed) >> bit);
    }
    zeros_are_joined(UINT64_MAX);
}
END_TEST

BPT_SUITE(base_crc32c) {
    int ways = 0;
    while (bpi_crc32c_way_at((size_t)ways) != NULL) ways++;
    BPT_LOOP_TEST(known_answers, 0, ways);
    BPT_LOOP_TEST(short_runs_of_every_alignment_and_length, 0, ways);
    BPT_LOOP_TEST(long_runs_of_every_length, 0, ways);
    BPT_LOOP_TEST(parts_one_after_the_other_are_the_whole, 0, ways);
    BPT_LOOP_TEST(nothing_is_read_beside_the_bytes, 0, ways);
    BPT_TEST(the_fastest_way_is_first_and_tables_are_everywhere);
    BPT_TEST(no_bytes_change_nothing);
    BPT_TEST(threads_that_ask_first_all_at_once);
    BPT_TEST(sums_of_two_runs_make_the_sum_of_both);
    BPT_TEST(runs_longer_than_any_memory_are_joined);
}
