/* base/crc32c_cpu.h: the instructions of crc32c_lanes.c, for each processor that has them.
 *
 * They are written in assembly, so that no file needs flags of its own: the compiler may not use them elsewhere, and
 * clang before 16 offers those of ARM to whole files only. Who calls has asked cpu_has_... before. */
#ifndef BUFPOOL_BASE_CRC32C_CPU_H
#define BUFPOOL_BASE_CRC32C_CPU_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
#define CPU_KNOWS_CRC32C 1
#include <emmintrin.h>

static inline bool cpu_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }
static inline bool cpu_has_multiply(void) { return __builtin_cpu_supports("pclmul") != 0; }

/* The state after eight bytes, of which the first is the lowest of word. Only 32 bits of a state are ever set. */
static inline uint64_t crc_of_word(uint64_t state, uint64_t word) {
    __asm__("crc32q %1, %0" : "+r"(state) : "r"(word));
    return state;
}

/* The state after one byte. */
static inline uint64_t crc_of_byte(uint64_t state, uint8_t byte) {
    __asm__("crc32b %1, %0" : "+r"(state) : "r"(byte));
    return state;
}

/* The product of two polynomials over GF(2), not reduced. */
static inline uint64_t multiply(uint32_t a, uint32_t b) {
    __m128i product = _mm_cvtsi32_si128((int)a);
    __asm__("pclmulqdq $0, %1, %0" : "+x"(product) : "x"(_mm_cvtsi32_si128((int)b)));
    return (uint64_t)_mm_cvtsi128_si64(product);
}

#elif defined(__aarch64__) && (defined(__linux__) || defined(__ARM_FEATURE_CRC32))
#define CPU_KNOWS_CRC32C 1
#include <arm_neon.h>

#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
static inline bool cpu_has_crc32c(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
static inline bool cpu_has_multiply(void) { return (getauxval(AT_HWCAP) & HWCAP_PMULL) != 0; }
#else
static inline bool cpu_has_crc32c(void) { return true; }
#if defined(__ARM_FEATURE_AES) || defined(__ARM_FEATURE_CRYPTO)
static inline bool cpu_has_multiply(void) { return true; }
#else
static inline bool cpu_has_multiply(void) { return false; }
#endif
#endif

static inline uint64_t crc_of_word(uint64_t state, uint64_t word) {
    __asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %1" : "+r"(state) : "r"(word));
    return state;
}

static inline uint64_t crc_of_byte(uint64_t state, uint8_t byte) {
    __asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(state) : "r"(byte));
    return state;
}

static inline uint64_t multiply(uint32_t a, uint32_t b) {
    const uint64x1_t left = vdup_n_u64(a), right = vdup_n_u64(b);
    uint64x2_t product;
    __asm__(".arch_extension aes\n\tpmull %0.1q, %1.1d, %2.1d" : "=w"(product) : "w"(left), "w"(right));
    return vgetq_lane_u64(product, 0);
}

#else
#define CPU_KNOWS_CRC32C 0
#endif

#endif
