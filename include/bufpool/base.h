/* bufpool/base.h: what every room and every generated file shares: errors, version, wide integers, bytes.
 *
 * Nothing here allocates, blocks or keeps state, but the misuse callback. Every function may be called from any
 * thread. */
#ifndef BUFPOOL_BASE_H
#define BUFPOOL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BP_VERSION_MAJOR 0
#define BP_VERSION_MINOR 1
#define BP_VERSION_PATCH 0
#define BP_VERSION "0.1.0"

/* Layout of everything that generated code and inline functions touch. Generated files refuse to compile against
 * another one. */
#define BP_ABI 6

#if defined(__GNUC__) || defined(__clang__)
#define BP_NODISCARD __attribute__((warn_unused_result))
#define BP_LIKELY(x) __builtin_expect(!!(x), 1)
#define BP_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define BP_API __attribute__((visibility("default")))
#else
#error "bufpool needs gcc or clang"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The outcome of a call. A function that fails has changed nothing and its out parameters are NULL or zero. */
typedef enum bp_err {
#define BP_ERROR(name, number, text) name = (number),
#include "bufpool/errors.def"
#undef BP_ERROR
} bp_err;

/* The outcome in words ("the peer closed the connection"), as a static string; never NULL. */
BP_API const char *bp_err_text(bp_err err);

/* The outcome's identifier ("BP_ERR_END"), as a static string; never NULL. */
BP_API const char *bp_err_name(bp_err err);

/* The version of the linked library, as BP_VERSION; the ABI of the linked library, as BP_ABI. */
BP_API const char *bp_version(void);
BP_API uint32_t bp_abi(void);

/* Unsigned 128- and 256-bit integers: 64-bit limbs, least significant first, in memory and on the wire. */
typedef struct bp_u128 {
    uint64_t limb[2];
} bp_u128;
typedef struct bp_u256 {
    uint64_t limb[4];
} bp_u256;

/* Bytes that belong to somebody else; data may be NULL when length is 0. */
typedef struct bp_bytes {
    const uint8_t *data;
    size_t length;
} bp_bytes;

/* Text that belongs to somebody else: UTF-8 once validated, not NUL-terminated. */
typedef struct bp_text {
    const char *data;
    size_t length;
} bp_text;

/* What misuse was detected. Misuse is a bug in the caller, so it is reported to one callback and never returned. */
typedef enum bp_misuse {
    BP_MISUSE_DOUBLE_RELEASE = 1, /* a buffer was released that is already free */
    BP_MISUSE_CAPACITY = 3,       /* a length beyond the buffer's capacity */
    BP_MISUSE_RETAIN_FREE = 5,    /* a reference was taken to a buffer that is free */
    BP_MISUSE_WRITE_FREE = 6,     /* hardened pools: bytes of a free buffer were written */
    BP_MISUSE_OVERRUN = 7,        /* hardened pools: bytes outside of what was asked for were written */
    BP_MISUSE_REFERENCES = 8,     /* more references to one buffer than can be counted: it is never free again */
    BP_MISUSE_FOREIGN = 9         /* hardened pools: no buffer of any pool, or its descriptor was written */
} bp_misuse;

/* Called with what was misused and the object it was done to (which may be freed memory: print the address, do not
 * read it). Any thread, possibly with locks of the library held: it must not call into the library. */
typedef void bp_misuse_fn(bp_misuse what, const void *object, void *user);

/* Sets the process's misuse callback; NULL restores the default: print and abort in debug builds, and in processes that
 * ever made a hardened pool; else count and ignore. Call it before other threads use the library. */
BP_API void bp_misuse_set(bp_misuse_fn *callback, void *user);

/* How many misuses were detected since the process started. */
BP_API uint64_t bp_misuse_count(void);

#ifdef __cplusplus
}
#endif
#endif
