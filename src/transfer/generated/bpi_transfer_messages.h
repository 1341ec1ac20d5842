/* Written by bufpoolc from transfer.yaml, do not edit: messages of schema bpi_transfer.
 *
 * Owned structs (bpi_transfer_X) hold a message's values; encode and decode convert between them and the wire. Views
 * (bpi_transfer_X_view) read the wire in place and are valid as long as its bytes are. A value may lie at any alignment.
 * Members of views and names that end in an underscore are private. Any thread may call any function. Each message X has:
 *
 *   X_size       Bytes that X_encode will write. BP_ERR_BOUND: a count is above its capacity; BP_ERR_MALFORMED: an enum
 *                has no such value; BP_ERR_ARGUMENT: a pointer is NULL and its count is not zero (but for the
 *                one that X_place leaves out: X_encode alone looks at that).
 *   X_encode     Writes the message into capacity bytes at out; *length is what it took. The three do not overlap. Errors
 *                of X_size; BP_ERR_SPACE: capacity is too small. On error *length is 0.
 *   X_place      Where a value ends with a field of bytes, X_encode without these: for whoever reads them straight to
 *                their place. The field's length tells how many they are, what it points at is not looked at, and
 *                *data is where in out they belong. Once they are there, the *length bytes at out are those of X_encode.
 *                Errors of X_encode; nothing is written then, *length is 0 and *data NULL.
 *   X_decode     Reads a value into *out. Rules are not checked; elements behind a count stay as they were; pointers
 *                point into value. BP_ERR_TRUNCATED, BP_ERR_MALFORMED, BP_ERR_BOUND: *out is then zero.
 *   X_decode_valid   The same, and checks the rules as X_validate does: BP_ERR_RULE, *out is zero and *field names the field.
 *   X_view_init  Makes a view; accepts and refuses the same bytes as X_decode.
 *   X_load       Copies what a view shows into *out, as X_decode would, and has nothing left to check.
 *   X_validate   Checks the rules. BP_ERR_RULE: *field, unless field is NULL, names the first field that breaks one.
 *   X_print      Writes JSON, always NUL-terminated when size is not 0; returns the bytes that the whole text takes.
 *   X_get_f      The value of field f; its default or zero while X_has_f is false.
 *   X_f_count, X_f_at   Elements of field f; index < count is the caller's duty. */
#ifndef BPI_TRANSFER_MESSAGES_H
#define BPI_TRANSFER_MESSAGES_H

#include "bpi_transfer_sizes.h"

#include "bufpool/base.h"
#include "bufpool/detail/bytes.h"

#if BP_ABI != 6 || BPI_TRANSFER_CONTRACT_HASH != 0xd916531c8bea0278u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Client: an object is to be written. Answered by PutOpened or Failed. */
typedef struct bpi_transfer_put_open {
    uint32_t transfer;
    /* unit: bytes */
    uint32_t part_size;
    /* That the client would like */
    uint16_t parts_in_flight;
    /* 2^64-1: known at the end; unit: bytes */
    uint64_t size;
    /* Of the put that is to go on; zeros: a new one */
    uint8_t token[16];
    char name[BPI_TRANSFER_PUT_OPEN_NAME_CAP + 1];
    uint16_t name_length;
} bpi_transfer_put_open;
#ifdef __cplusplus
#define BPI_TRANSFER_PUT_OPEN_INIT {}
#else
#define BPI_TRANSFER_PUT_OPEN_INIT {0}
#endif

/* PutOpen, read where it lies. */
typedef struct bpi_transfer_put_open_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t name_at, name_count;
} bpi_transfer_put_open_view;

BP_NODISCARD bp_err bpi_transfer_put_open_size(const bpi_transfer_put_open *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_put_open_encode(const bpi_transfer_put_open *message, uint8_t *out, size_t capacity,
                                                 uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_put_open_decode(const uint8_t *value, size_t length, bpi_transfer_put_open *out);
BP_NODISCARD bp_err bpi_transfer_put_open_decode_valid(const uint8_t *value, size_t length, bpi_transfer_put_open *out,
                                                       const char **field);
void bpi_transfer_put_open_load(const bpi_transfer_put_open_view *view, bpi_transfer_put_open *out);
BP_NODISCARD bp_err bpi_transfer_put_open_view_init(const uint8_t *value, size_t length, bpi_transfer_put_open_view *out);
BP_NODISCARD bp_err bpi_transfer_put_open_validate(const bpi_transfer_put_open_view *view, const char **field);
int bpi_transfer_put_open_print(const bpi_transfer_put_open_view *view, char *out, size_t size);

static inline uint32_t bpi_transfer_put_open_get_transfer(const bpi_transfer_put_open_view *view) {
    return bpi_load_u32(view->value + 8);
}

/* unit: bytes */
static inline uint32_t bpi_transfer_put_open_get_part_size(const bpi_transfer_put_open_view *view) {
    return bpi_load_u32(view->value + 12);
}

/* That the client would like */
static inline uint16_t bpi_transfer_put_open_get_parts_in_flight(const bpi_transfer_put_open_view *view) {
    return bpi_load_u16(view->value + 18);
}

/* 2^64-1: known at the end; unit: bytes */
static inline uint64_t bpi_transfer_put_open_get_size(const bpi_transfer_put_open_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Of the put that is to go on; zeros: a new one */
static inline bp_bytes bpi_transfer_put_open_get_token(const bpi_transfer_put_open_view *view) {
    return bpi_bytes(view->value + 22, 16);
}

static inline bp_text bpi_transfer_put_open_get_name(const bpi_transfer_put_open_view *view) {
    return bpi_text((const char *)view->value + view->name_at, view->name_count);
}

/* Server: parts are taken. Those below first are here, and first + i where bit i of have is set. */
typedef struct bpi_transfer_put_opened {
    uint32_t transfer;
    /* That the server takes at once */
    uint16_t parts_in_flight;
    /* An earlier life has committed it, as version: nothing is left to do */
    bool is_committed;
    uint64_t first;
    uint64_t have;
    uint64_t version;
    /* By which this put is found again */
    uint8_t token[16];
} bpi_transfer_put_opened;
#ifdef __cplusplus
#define BPI_TRANSFER_PUT_OPENED_INIT {}
#else
#define BPI_TRANSFER_PUT_OPENED_INIT {0}
#endif

/* PutOpened, read where it lies. */
typedef struct bpi_transfer_put_opened_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_put_opened_view;

BP_NODISCARD bp_err bpi_transfer_put_opened_size(const bpi_transfer_put_opened *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_put_opened_encode(const bpi_transfer_put_opened *message, uint8_t *out, size_t capacity,
                                                   uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_put_opened_decode(const uint8_t *value, size_t length, bpi_transfer_put_opened *out);
BP_NODISCARD bp_err bpi_transfer_put_opened_decode_valid(const uint8_t *value, size_t length, bpi_transfer_put_opened *out,
                                                         const char **field);
void bpi_transfer_put_opened_load(const bpi_transfer_put_opened_view *view, bpi_transfer_put_opened *out);
BP_NODISCARD static inline bp_err bpi_transfer_put_opened_view_init(const uint8_t *value, size_t length, bpi_transfer_put_opened_view *out);
BP_NODISCARD bp_err bpi_transfer_put_opened_validate(const bpi_transfer_put_opened_view *view, const char **field);
int bpi_transfer_put_opened_print(const bpi_transfer_put_opened_view *view, char *out, size_t size);

/* Whether the block's bytes are well-formed. */
static inline void bpi_transfer_put_opened_check_block_(const bpi_transfer_put_opened_view *view, bpi_flaws *flaws) {
    flaws->malformed |= bpi_load_u8(view->value + 30) >> 1;
}

/* Checks length and block. */
static inline bp_err bpi_transfer_put_opened_open_(const uint8_t *value, size_t length, bpi_transfer_put_opened_view *view,
                                                   bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_PUT_OPENED_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_PUT_OPENED_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    bpi_transfer_put_opened_check_block_(view, flaws);
    return BP_OK;
}

static inline bp_err bpi_transfer_put_opened_view_init(const uint8_t *value, size_t length, bpi_transfer_put_opened_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_put_opened_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_put_opened_get_transfer(const bpi_transfer_put_opened_view *view) {
    return bpi_load_u32(view->value + 24);
}

/* That the server takes at once */
static inline uint16_t bpi_transfer_put_opened_get_parts_in_flight(const bpi_transfer_put_opened_view *view) {
    return bpi_load_u16(view->value + 28);
}

/* An earlier life has committed it, as version: nothing is left to do */
static inline bool bpi_transfer_put_opened_get_is_committed(const bpi_transfer_put_opened_view *view) {
    return bpi_load_bool(view->value + 30);
}

static inline uint64_t bpi_transfer_put_opened_get_first(const bpi_transfer_put_opened_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline uint64_t bpi_transfer_put_opened_get_have(const bpi_transfer_put_opened_view *view) {
    return bpi_load_u64(view->value + 8);
}

static inline uint64_t bpi_transfer_put_opened_get_version(const bpi_transfer_put_opened_view *view) {
    return bpi_load_u64(view->value + 16);
}

/* By which this put is found again */
static inline bp_bytes bpi_transfer_put_opened_get_token(const bpi_transfer_put_opened_view *view) {
    return bpi_bytes(view->value + 31, 16);
}

/* Server: the part is written. */
typedef struct bpi_transfer_part_done {
    uint32_t transfer;
    uint64_t part;
} bpi_transfer_part_done;
#ifdef __cplusplus
#define BPI_TRANSFER_PART_DONE_INIT {}
#else
#define BPI_TRANSFER_PART_DONE_INIT {0}
#endif

/* PartDone, read where it lies. */
typedef struct bpi_transfer_part_done_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_part_done_view;

BP_NODISCARD bp_err bpi_transfer_part_done_size(const bpi_transfer_part_done *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_part_done_encode(const bpi_transfer_part_done *message, uint8_t *out, size_t capacity,
                                                  uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_part_done_decode(const uint8_t *value, size_t length, bpi_transfer_part_done *out);
BP_NODISCARD bp_err bpi_transfer_part_done_decode_valid(const uint8_t *value, size_t length, bpi_transfer_part_done *out,
                                                        const char **field);
void bpi_transfer_part_done_load(const bpi_transfer_part_done_view *view, bpi_transfer_part_done *out);
BP_NODISCARD static inline bp_err bpi_transfer_part_done_view_init(const uint8_t *value, size_t length, bpi_transfer_part_done_view *out);
BP_NODISCARD bp_err bpi_transfer_part_done_validate(const bpi_transfer_part_done_view *view, const char **field);
int bpi_transfer_part_done_print(const bpi_transfer_part_done_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err bpi_transfer_part_done_open_(const uint8_t *value, size_t length, bpi_transfer_part_done_view *view,
                                                  bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_PART_DONE_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_PART_DONE_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err bpi_transfer_part_done_view_init(const uint8_t *value, size_t length, bpi_transfer_part_done_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_part_done_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_part_done_get_transfer(const bpi_transfer_part_done_view *view) {
    return bpi_load_u32(view->value + 8);
}

static inline uint64_t bpi_transfer_part_done_get_part(const bpi_transfer_part_done_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Client: all parts are done; the object is to be seen. Answered by Committed or Failed. */
typedef struct bpi_transfer_put_commit {
    uint32_t transfer;
    /* CRC32C of the whole object */
    uint32_t crc;
    /* unit: bytes */
    uint64_t size;
} bpi_transfer_put_commit;
#ifdef __cplusplus
#define BPI_TRANSFER_PUT_COMMIT_INIT {}
#else
#define BPI_TRANSFER_PUT_COMMIT_INIT {0}
#endif

/* PutCommit, read where it lies. */
typedef struct bpi_transfer_put_commit_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_put_commit_view;

BP_NODISCARD bp_err bpi_transfer_put_commit_size(const bpi_transfer_put_commit *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_put_commit_encode(const bpi_transfer_put_commit *message, uint8_t *out, size_t capacity,
                                                   uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_put_commit_decode(const uint8_t *value, size_t length, bpi_transfer_put_commit *out);
BP_NODISCARD bp_err bpi_transfer_put_commit_decode_valid(const uint8_t *value, size_t length, bpi_transfer_put_commit *out,
                                                         const char **field);
void bpi_transfer_put_commit_load(const bpi_transfer_put_commit_view *view, bpi_transfer_put_commit *out);
BP_NODISCARD static inline bp_err bpi_transfer_put_commit_view_init(const uint8_t *value, size_t length, bpi_transfer_put_commit_view *out);
BP_NODISCARD bp_err bpi_transfer_put_commit_validate(const bpi_transfer_put_commit_view *view, const char **field);
int bpi_transfer_put_commit_print(const bpi_transfer_put_commit_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err bpi_transfer_put_commit_open_(const uint8_t *value, size_t length, bpi_transfer_put_commit_view *view,
                                                   bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_PUT_COMMIT_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_PUT_COMMIT_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err bpi_transfer_put_commit_view_init(const uint8_t *value, size_t length, bpi_transfer_put_commit_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_put_commit_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_put_commit_get_transfer(const bpi_transfer_put_commit_view *view) {
    return bpi_load_u32(view->value + 8);
}

/* CRC32C of the whole object */
static inline uint32_t bpi_transfer_put_commit_get_crc(const bpi_transfer_put_commit_view *view) {
    return bpi_load_u32(view->value + 12);
}

/* unit: bytes */
static inline uint64_t bpi_transfer_put_commit_get_size(const bpi_transfer_put_commit_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Server: the object is there. */
typedef struct bpi_transfer_committed {
    uint32_t transfer;
    uint64_t version;
} bpi_transfer_committed;
#ifdef __cplusplus
#define BPI_TRANSFER_COMMITTED_INIT {}
#else
#define BPI_TRANSFER_COMMITTED_INIT {0}
#endif

/* Committed, read where it lies. */
typedef struct bpi_transfer_committed_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_committed_view;

BP_NODISCARD bp_err bpi_transfer_committed_size(const bpi_transfer_committed *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_committed_encode(const bpi_transfer_committed *message, uint8_t *out, size_t capacity,
                                                  uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_committed_decode(const uint8_t *value, size_t length, bpi_transfer_committed *out);
BP_NODISCARD bp_err bpi_transfer_committed_decode_valid(const uint8_t *value, size_t length, bpi_transfer_committed *out,
                                                        const char **field);
void bpi_transfer_committed_load(const bpi_transfer_committed_view *view, bpi_transfer_committed *out);
BP_NODISCARD static inline bp_err bpi_transfer_committed_view_init(const uint8_t *value, size_t length, bpi_transfer_committed_view *out);
BP_NODISCARD bp_err bpi_transfer_committed_validate(const bpi_transfer_committed_view *view, const char **field);
int bpi_transfer_committed_print(const bpi_transfer_committed_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err bpi_transfer_committed_open_(const uint8_t *value, size_t length, bpi_transfer_committed_view *view,
                                                  bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_COMMITTED_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_COMMITTED_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err bpi_transfer_committed_view_init(const uint8_t *value, size_t length, bpi_transfer_committed_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_committed_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_committed_get_transfer(const bpi_transfer_committed_view *view) {
    return bpi_load_u32(view->value + 8);
}

static inline uint64_t bpi_transfer_committed_get_version(const bpi_transfer_committed_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Client: an object, or a range of it, is to be read. Answered by GetOpened or Failed. */
typedef struct bpi_transfer_get_open {
    uint32_t transfer;
    /* unit: bytes */
    uint32_t part_size;
    uint16_t parts_in_flight;
    /* unit: bytes */
    uint64_t offset;
    /* 0: to the end; unit: bytes */
    uint64_t length;
    /* No other will do; 0: any */
    uint64_t version;
    char name[BPI_TRANSFER_GET_OPEN_NAME_CAP + 1];
    uint16_t name_length;
} bpi_transfer_get_open;
#ifdef __cplusplus
#define BPI_TRANSFER_GET_OPEN_INIT {}
#else
#define BPI_TRANSFER_GET_OPEN_INIT {0}
#endif

/* GetOpen, read where it lies. */
typedef struct bpi_transfer_get_open_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t name_at, name_count;
} bpi_transfer_get_open_view;

BP_NODISCARD bp_err bpi_transfer_get_open_size(const bpi_transfer_get_open *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_get_open_encode(const bpi_transfer_get_open *message, uint8_t *out, size_t capacity,
                                                 uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_get_open_decode(const uint8_t *value, size_t length, bpi_transfer_get_open *out);
BP_NODISCARD bp_err bpi_transfer_get_open_decode_valid(const uint8_t *value, size_t length, bpi_transfer_get_open *out,
                                                       const char **field);
void bpi_transfer_get_open_load(const bpi_transfer_get_open_view *view, bpi_transfer_get_open *out);
BP_NODISCARD bp_err bpi_transfer_get_open_view_init(const uint8_t *value, size_t length, bpi_transfer_get_open_view *out);
BP_NODISCARD bp_err bpi_transfer_get_open_validate(const bpi_transfer_get_open_view *view, const char **field);
int bpi_transfer_get_open_print(const bpi_transfer_get_open_view *view, char *out, size_t size);

static inline uint32_t bpi_transfer_get_open_get_transfer(const bpi_transfer_get_open_view *view) {
    return bpi_load_u32(view->value + 24);
}

/* unit: bytes */
static inline uint32_t bpi_transfer_get_open_get_part_size(const bpi_transfer_get_open_view *view) {
    return bpi_load_u32(view->value + 28);
}

static inline uint16_t bpi_transfer_get_open_get_parts_in_flight(const bpi_transfer_get_open_view *view) {
    return bpi_load_u16(view->value + 34);
}

/* unit: bytes */
static inline uint64_t bpi_transfer_get_open_get_offset(const bpi_transfer_get_open_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* 0: to the end; unit: bytes */
static inline uint64_t bpi_transfer_get_open_get_length(const bpi_transfer_get_open_view *view) {
    return bpi_load_u64(view->value + 8);
}

/* No other will do; 0: any */
static inline uint64_t bpi_transfer_get_open_get_version(const bpi_transfer_get_open_view *view) {
    return bpi_load_u64(view->value + 16);
}

static inline bp_text bpi_transfer_get_open_get_name(const bpi_transfer_get_open_view *view) {
    return bpi_text((const char *)view->value + view->name_at, view->name_count);
}

/* Server: parts may be asked for. */
typedef struct bpi_transfer_get_opened {
    uint32_t transfer;
    /* That may be asked for at once */
    uint16_t parts_in_flight;
    bool has_crc;
    /* CRC32C of the whole object, where it is known */
    uint32_t crc;
    /* Of the whole object; unit: bytes */
    uint64_t size;
    uint64_t version;
} bpi_transfer_get_opened;
#ifdef __cplusplus
#define BPI_TRANSFER_GET_OPENED_INIT {}
#else
#define BPI_TRANSFER_GET_OPENED_INIT {0}
#endif

/* GetOpened, read where it lies. */
typedef struct bpi_transfer_get_opened_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_get_opened_view;

BP_NODISCARD bp_err bpi_transfer_get_opened_size(const bpi_transfer_get_opened *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_get_opened_encode(const bpi_transfer_get_opened *message, uint8_t *out, size_t capacity,
                                                   uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_get_opened_decode(const uint8_t *value, size_t length, bpi_transfer_get_opened *out);
BP_NODISCARD bp_err bpi_transfer_get_opened_decode_valid(const uint8_t *value, size_t length, bpi_transfer_get_opened *out,
                                                         const char **field);
void bpi_transfer_get_opened_load(const bpi_transfer_get_opened_view *view, bpi_transfer_get_opened *out);
BP_NODISCARD static inline bp_err bpi_transfer_get_opened_view_init(const uint8_t *value, size_t length, bpi_transfer_get_opened_view *out);
BP_NODISCARD bp_err bpi_transfer_get_opened_validate(const bpi_transfer_get_opened_view *view, const char **field);
int bpi_transfer_get_opened_print(const bpi_transfer_get_opened_view *view, char *out, size_t size);

/* Whether the block's bytes are well-formed. */
static inline void bpi_transfer_get_opened_check_block_(const bpi_transfer_get_opened_view *view, bpi_flaws *flaws) {
    flaws->malformed |= bpi_load_u8(view->value + 26) >> 1;
}

/* Checks length and block. */
static inline bp_err bpi_transfer_get_opened_open_(const uint8_t *value, size_t length, bpi_transfer_get_opened_view *view,
                                                   bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_GET_OPENED_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_GET_OPENED_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    bpi_transfer_get_opened_check_block_(view, flaws);
    return BP_OK;
}

static inline bp_err bpi_transfer_get_opened_view_init(const uint8_t *value, size_t length, bpi_transfer_get_opened_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_get_opened_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_get_opened_get_transfer(const bpi_transfer_get_opened_view *view) {
    return bpi_load_u32(view->value + 16);
}

/* That may be asked for at once */
static inline uint16_t bpi_transfer_get_opened_get_parts_in_flight(const bpi_transfer_get_opened_view *view) {
    return bpi_load_u16(view->value + 24);
}

static inline bool bpi_transfer_get_opened_get_has_crc(const bpi_transfer_get_opened_view *view) {
    return bpi_load_bool(view->value + 26);
}

/* CRC32C of the whole object, where it is known */
static inline uint32_t bpi_transfer_get_opened_get_crc(const bpi_transfer_get_opened_view *view) {
    return bpi_load_u32(view->value + 20);
}

/* Of the whole object; unit: bytes */
static inline uint64_t bpi_transfer_get_opened_get_size(const bpi_transfer_get_opened_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline uint64_t bpi_transfer_get_opened_get_version(const bpi_transfer_get_opened_view *view) {
    return bpi_load_u64(view->value + 8);
}

/* Client: the server may send this part; there is memory and room for it. */
typedef struct bpi_transfer_part_want {
    uint32_t transfer;
    uint64_t part;
} bpi_transfer_part_want;
#ifdef __cplusplus
#define BPI_TRANSFER_PART_WANT_INIT {}
#else
#define BPI_TRANSFER_PART_WANT_INIT {0}
#endif

/* PartWant, read where it lies. */
typedef struct bpi_transfer_part_want_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_part_want_view;

BP_NODISCARD bp_err bpi_transfer_part_want_size(const bpi_transfer_part_want *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_part_want_encode(const bpi_transfer_part_want *message, uint8_t *out, size_t capacity,
                                                  uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_part_want_decode(const uint8_t *value, size_t length, bpi_transfer_part_want *out);
BP_NODISCARD bp_err bpi_transfer_part_want_decode_valid(const uint8_t *value, size_t length, bpi_transfer_part_want *out,
                                                        const char **field);
void bpi_transfer_part_want_load(const bpi_transfer_part_want_view *view, bpi_transfer_part_want *out);
BP_NODISCARD static inline bp_err bpi_transfer_part_want_view_init(const uint8_t *value, size_t length, bpi_transfer_part_want_view *out);
BP_NODISCARD bp_err bpi_transfer_part_want_validate(const bpi_transfer_part_want_view *view, const char **field);
int bpi_transfer_part_want_print(const bpi_transfer_part_want_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err bpi_transfer_part_want_open_(const uint8_t *value, size_t length, bpi_transfer_part_want_view *view,
                                                  bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_PART_WANT_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_PART_WANT_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err bpi_transfer_part_want_view_init(const uint8_t *value, size_t length, bpi_transfer_part_want_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_part_want_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_part_want_get_transfer(const bpi_transfer_part_want_view *view) {
    return bpi_load_u32(view->value + 8);
}

static inline uint64_t bpi_transfer_part_want_get_part(const bpi_transfer_part_want_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Client: which objects are there? Answered by up to 64 Listed and a ListEnd, or Failed. */
typedef struct bpi_transfer_list {
    uint32_t transfer;
    /* How they begin */
    char prefix[BPI_TRANSFER_LIST_PREFIX_CAP + 1];
    uint16_t prefix_length;
    /* Only those behind this one, by their bytes */
    char after[BPI_TRANSFER_LIST_AFTER_CAP + 1];
    uint16_t after_length;
} bpi_transfer_list;
#ifdef __cplusplus
#define BPI_TRANSFER_LIST_INIT {}
#else
#define BPI_TRANSFER_LIST_INIT {0}
#endif

/* List, read where it lies. */
typedef struct bpi_transfer_list_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t prefix_at, prefix_count;
    uint32_t after_at, after_count;
} bpi_transfer_list_view;

BP_NODISCARD bp_err bpi_transfer_list_size(const bpi_transfer_list *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_list_encode(const bpi_transfer_list *message, uint8_t *out, size_t capacity,
                                             uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_list_decode(const uint8_t *value, size_t length, bpi_transfer_list *out);
BP_NODISCARD bp_err bpi_transfer_list_decode_valid(const uint8_t *value, size_t length, bpi_transfer_list *out,
                                                   const char **field);
void bpi_transfer_list_load(const bpi_transfer_list_view *view, bpi_transfer_list *out);
BP_NODISCARD bp_err bpi_transfer_list_view_init(const uint8_t *value, size_t length, bpi_transfer_list_view *out);
BP_NODISCARD bp_err bpi_transfer_list_validate(const bpi_transfer_list_view *view, const char **field);
int bpi_transfer_list_print(const bpi_transfer_list_view *view, char *out, size_t size);

static inline uint32_t bpi_transfer_list_get_transfer(const bpi_transfer_list_view *view) {
    return bpi_load_u32(view->value + 0);
}

/* How they begin */
static inline bp_text bpi_transfer_list_get_prefix(const bpi_transfer_list_view *view) {
    return bpi_text((const char *)view->value + view->prefix_at, view->prefix_count);
}

/* Only those behind this one, by their bytes */
static inline bp_text bpi_transfer_list_get_after(const bpi_transfer_list_view *view) {
    return bpi_text((const char *)view->value + view->after_at, view->after_count);
}

/* Server: one of them. */
typedef struct bpi_transfer_listed {
    uint32_t transfer;
    /* unit: bytes */
    uint64_t size;
    uint64_t version;
    char name[BPI_TRANSFER_LISTED_NAME_CAP + 1];
    uint16_t name_length;
} bpi_transfer_listed;
#ifdef __cplusplus
#define BPI_TRANSFER_LISTED_INIT {}
#else
#define BPI_TRANSFER_LISTED_INIT {0}
#endif

/* Listed, read where it lies. */
typedef struct bpi_transfer_listed_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t name_at, name_count;
} bpi_transfer_listed_view;

BP_NODISCARD bp_err bpi_transfer_listed_size(const bpi_transfer_listed *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_listed_encode(const bpi_transfer_listed *message, uint8_t *out, size_t capacity,
                                               uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_listed_decode(const uint8_t *value, size_t length, bpi_transfer_listed *out);
BP_NODISCARD bp_err bpi_transfer_listed_decode_valid(const uint8_t *value, size_t length, bpi_transfer_listed *out,
                                                     const char **field);
void bpi_transfer_listed_load(const bpi_transfer_listed_view *view, bpi_transfer_listed *out);
BP_NODISCARD bp_err bpi_transfer_listed_view_init(const uint8_t *value, size_t length, bpi_transfer_listed_view *out);
BP_NODISCARD bp_err bpi_transfer_listed_validate(const bpi_transfer_listed_view *view, const char **field);
int bpi_transfer_listed_print(const bpi_transfer_listed_view *view, char *out, size_t size);

static inline uint32_t bpi_transfer_listed_get_transfer(const bpi_transfer_listed_view *view) {
    return bpi_load_u32(view->value + 16);
}

/* unit: bytes */
static inline uint64_t bpi_transfer_listed_get_size(const bpi_transfer_listed_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline uint64_t bpi_transfer_listed_get_version(const bpi_transfer_listed_view *view) {
    return bpi_load_u64(view->value + 8);
}

static inline bp_text bpi_transfer_listed_get_name(const bpi_transfer_listed_view *view) {
    return bpi_text((const char *)view->value + view->name_at, view->name_count);
}

/* Server: that were all, or as many as it tells of at once. */
typedef struct bpi_transfer_list_end {
    uint32_t transfer;
    bool has_more;
} bpi_transfer_list_end;
#ifdef __cplusplus
#define BPI_TRANSFER_LIST_END_INIT {}
#else
#define BPI_TRANSFER_LIST_END_INIT {0}
#endif

/* ListEnd, read where it lies. */
typedef struct bpi_transfer_list_end_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_list_end_view;

BP_NODISCARD bp_err bpi_transfer_list_end_size(const bpi_transfer_list_end *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_list_end_encode(const bpi_transfer_list_end *message, uint8_t *out, size_t capacity,
                                                 uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_list_end_decode(const uint8_t *value, size_t length, bpi_transfer_list_end *out);
BP_NODISCARD bp_err bpi_transfer_list_end_decode_valid(const uint8_t *value, size_t length, bpi_transfer_list_end *out,
                                                       const char **field);
void bpi_transfer_list_end_load(const bpi_transfer_list_end_view *view, bpi_transfer_list_end *out);
BP_NODISCARD static inline bp_err bpi_transfer_list_end_view_init(const uint8_t *value, size_t length, bpi_transfer_list_end_view *out);
BP_NODISCARD bp_err bpi_transfer_list_end_validate(const bpi_transfer_list_end_view *view, const char **field);
int bpi_transfer_list_end_print(const bpi_transfer_list_end_view *view, char *out, size_t size);

/* Whether the block's bytes are well-formed. */
static inline void bpi_transfer_list_end_check_block_(const bpi_transfer_list_end_view *view, bpi_flaws *flaws) {
    flaws->malformed |= bpi_load_u8(view->value + 4) >> 1;
}

/* Checks length and block. */
static inline bp_err bpi_transfer_list_end_open_(const uint8_t *value, size_t length, bpi_transfer_list_end_view *view,
                                                 bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_LIST_END_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_LIST_END_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    bpi_transfer_list_end_check_block_(view, flaws);
    return BP_OK;
}

static inline bp_err bpi_transfer_list_end_view_init(const uint8_t *value, size_t length, bpi_transfer_list_end_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_list_end_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_list_end_get_transfer(const bpi_transfer_list_end_view *view) {
    return bpi_load_u32(view->value + 0);
}

static inline bool bpi_transfer_list_end_get_has_more(const bpi_transfer_list_end_view *view) {
    return bpi_load_bool(view->value + 4);
}

/* Either end: a part of an object. */
typedef struct bpi_transfer_part {
    uint32_t transfer;
    uint64_t part;
    /* CRC32C of data */
    uint32_t crc;
    const uint8_t *data; /* the caller's memory on encode, the decoded value's on decode */
    uint32_t data_length;
} bpi_transfer_part;
#ifdef __cplusplus
#define BPI_TRANSFER_PART_INIT {}
#else
#define BPI_TRANSFER_PART_INIT {0}
#endif

/* Part, read where it lies. */
typedef struct bpi_transfer_part_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t data_at, data_count;
} bpi_transfer_part_view;

BP_NODISCARD bp_err bpi_transfer_part_size(const bpi_transfer_part *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_part_encode(const bpi_transfer_part *message, uint8_t *out, size_t capacity,
                                             uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_part_place(const bpi_transfer_part *message, uint8_t *out, size_t capacity,
                                            uint32_t *length, uint8_t **data); /* of data */
BP_NODISCARD bp_err bpi_transfer_part_decode(const uint8_t *value, size_t length, bpi_transfer_part *out);
BP_NODISCARD bp_err bpi_transfer_part_decode_valid(const uint8_t *value, size_t length, bpi_transfer_part *out,
                                                   const char **field);
void bpi_transfer_part_load(const bpi_transfer_part_view *view, bpi_transfer_part *out);
BP_NODISCARD bp_err bpi_transfer_part_view_init(const uint8_t *value, size_t length, bpi_transfer_part_view *out);
BP_NODISCARD bp_err bpi_transfer_part_validate(const bpi_transfer_part_view *view, const char **field);
int bpi_transfer_part_print(const bpi_transfer_part_view *view, char *out, size_t size);

static inline uint32_t bpi_transfer_part_get_transfer(const bpi_transfer_part_view *view) {
    return bpi_load_u32(view->value + 8);
}

static inline uint64_t bpi_transfer_part_get_part(const bpi_transfer_part_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* CRC32C of data */
static inline uint32_t bpi_transfer_part_get_crc(const bpi_transfer_part_view *view) {
    return bpi_load_u32(view->value + 12);
}

static inline bp_bytes bpi_transfer_part_get_data(const bpi_transfer_part_view *view) {
    return bpi_bytes(view->value + view->data_at, view->data_count);
}

/* Server: the transfer is over, and nothing else. */
typedef struct bpi_transfer_failed {
    uint32_t transfer;
    /* A bp_err */
    uint16_t error;
    /* 2^64-1: none */
    uint64_t part;
    /* For people */
    char text[BPI_TRANSFER_FAILED_TEXT_CAP + 1];
    uint16_t text_length;
} bpi_transfer_failed;
#ifdef __cplusplus
#define BPI_TRANSFER_FAILED_INIT {}
#else
#define BPI_TRANSFER_FAILED_INIT {0}
#endif

/* Failed, read where it lies. */
typedef struct bpi_transfer_failed_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t text_at, text_count;
} bpi_transfer_failed_view;

BP_NODISCARD bp_err bpi_transfer_failed_size(const bpi_transfer_failed *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_failed_encode(const bpi_transfer_failed *message, uint8_t *out, size_t capacity,
                                               uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_failed_decode(const uint8_t *value, size_t length, bpi_transfer_failed *out);
BP_NODISCARD bp_err bpi_transfer_failed_decode_valid(const uint8_t *value, size_t length, bpi_transfer_failed *out,
                                                     const char **field);
void bpi_transfer_failed_load(const bpi_transfer_failed_view *view, bpi_transfer_failed *out);
BP_NODISCARD bp_err bpi_transfer_failed_view_init(const uint8_t *value, size_t length, bpi_transfer_failed_view *out);
BP_NODISCARD bp_err bpi_transfer_failed_validate(const bpi_transfer_failed_view *view, const char **field);
int bpi_transfer_failed_print(const bpi_transfer_failed_view *view, char *out, size_t size);

static inline uint32_t bpi_transfer_failed_get_transfer(const bpi_transfer_failed_view *view) {
    return bpi_load_u32(view->value + 8);
}

/* A bp_err */
static inline uint16_t bpi_transfer_failed_get_error(const bpi_transfer_failed_view *view) {
    return bpi_load_u16(view->value + 14);
}

/* 2^64-1: none */
static inline uint64_t bpi_transfer_failed_get_part(const bpi_transfer_failed_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* For people */
static inline bp_text bpi_transfer_failed_get_text(const bpi_transfer_failed_view *view) {
    return bpi_text((const char *)view->value + view->text_at, view->text_count);
}

/* Client: it wants nothing more of the transfer. */
typedef struct bpi_transfer_end {
    uint32_t transfer;
    /* What was put of it is not to be gone on with */
    bool is_discarded;
} bpi_transfer_end;
#ifdef __cplusplus
#define BPI_TRANSFER_END_INIT {}
#else
#define BPI_TRANSFER_END_INIT {0}
#endif

/* End, read where it lies. */
typedef struct bpi_transfer_end_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_end_view;

BP_NODISCARD bp_err bpi_transfer_end_size(const bpi_transfer_end *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_end_encode(const bpi_transfer_end *message, uint8_t *out, size_t capacity,
                                            uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_end_decode(const uint8_t *value, size_t length, bpi_transfer_end *out);
BP_NODISCARD bp_err bpi_transfer_end_decode_valid(const uint8_t *value, size_t length, bpi_transfer_end *out,
                                                  const char **field);
void bpi_transfer_end_load(const bpi_transfer_end_view *view, bpi_transfer_end *out);
BP_NODISCARD static inline bp_err bpi_transfer_end_view_init(const uint8_t *value, size_t length, bpi_transfer_end_view *out);
BP_NODISCARD bp_err bpi_transfer_end_validate(const bpi_transfer_end_view *view, const char **field);
int bpi_transfer_end_print(const bpi_transfer_end_view *view, char *out, size_t size);

/* Whether the block's bytes are well-formed. */
static inline void bpi_transfer_end_check_block_(const bpi_transfer_end_view *view, bpi_flaws *flaws) {
    flaws->malformed |= bpi_load_u8(view->value + 4) >> 1;
}

/* Checks length and block. */
static inline bp_err bpi_transfer_end_open_(const uint8_t *value, size_t length, bpi_transfer_end_view *view,
                                            bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_END_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_END_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    bpi_transfer_end_check_block_(view, flaws);
    return BP_OK;
}

static inline bp_err bpi_transfer_end_view_init(const uint8_t *value, size_t length, bpi_transfer_end_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_end_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_end_get_transfer(const bpi_transfer_end_view *view) {
    return bpi_load_u32(view->value + 0);
}

/* What was put of it is not to be gone on with */
static inline bool bpi_transfer_end_get_is_discarded(const bpi_transfer_end_view *view) {
    return bpi_load_bool(view->value + 4);
}

/* What is being put. Everything behind it is about its parts. */
typedef struct bpi_transfer_log_put {
    uint32_t part_size;
    /* CRC32C of the check before it and this record, in which it is 0 then */
    uint32_t check;
    uint64_t size;
    uint8_t token[16];
    /* Of the system; after another one what is in the file is looked at */
    uint8_t boot[16];
    char name[BPI_TRANSFER_LOG_PUT_NAME_CAP + 1];
    uint16_t name_length;
} bpi_transfer_log_put;
#ifdef __cplusplus
#define BPI_TRANSFER_LOG_PUT_INIT {}
#else
#define BPI_TRANSFER_LOG_PUT_INIT {0}
#endif

/* LogPut, read where it lies. */
typedef struct bpi_transfer_log_put_view {
    const uint8_t *value;
    uint32_t block_length;
    uint32_t name_at, name_count;
} bpi_transfer_log_put_view;

BP_NODISCARD bp_err bpi_transfer_log_put_size(const bpi_transfer_log_put *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_log_put_encode(const bpi_transfer_log_put *message, uint8_t *out, size_t capacity,
                                                uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_log_put_decode(const uint8_t *value, size_t length, bpi_transfer_log_put *out);
BP_NODISCARD bp_err bpi_transfer_log_put_decode_valid(const uint8_t *value, size_t length, bpi_transfer_log_put *out,
                                                      const char **field);
void bpi_transfer_log_put_load(const bpi_transfer_log_put_view *view, bpi_transfer_log_put *out);
BP_NODISCARD bp_err bpi_transfer_log_put_view_init(const uint8_t *value, size_t length, bpi_transfer_log_put_view *out);
BP_NODISCARD bp_err bpi_transfer_log_put_validate(const bpi_transfer_log_put_view *view, const char **field);
int bpi_transfer_log_put_print(const bpi_transfer_log_put_view *view, char *out, size_t size);

static inline uint32_t bpi_transfer_log_put_get_part_size(const bpi_transfer_log_put_view *view) {
    return bpi_load_u32(view->value + 8);
}

/* CRC32C of the check before it and this record, in which it is 0 then */
static inline uint32_t bpi_transfer_log_put_get_check(const bpi_transfer_log_put_view *view) {
    return bpi_load_u32(view->value + 12);
}

static inline uint64_t bpi_transfer_log_put_get_size(const bpi_transfer_log_put_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline bp_bytes bpi_transfer_log_put_get_token(const bpi_transfer_log_put_view *view) {
    return bpi_bytes(view->value + 20, 16);
}

/* Of the system; after another one what is in the file is looked at */
static inline bp_bytes bpi_transfer_log_put_get_boot(const bpi_transfer_log_put_view *view) {
    return bpi_bytes(view->value + 36, 16);
}

static inline bp_text bpi_transfer_log_put_get_name(const bpi_transfer_log_put_view *view) {
    return bpi_text((const char *)view->value + view->name_at, view->name_count);
}

/* The part is in the file. */
typedef struct bpi_transfer_log_part {
    uint64_t part;
    uint32_t length;
    uint32_t crc;
    uint32_t check;
} bpi_transfer_log_part;
#ifdef __cplusplus
#define BPI_TRANSFER_LOG_PART_INIT {}
#else
#define BPI_TRANSFER_LOG_PART_INIT {0}
#endif

/* LogPart, read where it lies. */
typedef struct bpi_transfer_log_part_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_log_part_view;

BP_NODISCARD bp_err bpi_transfer_log_part_size(const bpi_transfer_log_part *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_log_part_encode(const bpi_transfer_log_part *message, uint8_t *out, size_t capacity,
                                                 uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_log_part_decode(const uint8_t *value, size_t length, bpi_transfer_log_part *out);
BP_NODISCARD bp_err bpi_transfer_log_part_decode_valid(const uint8_t *value, size_t length, bpi_transfer_log_part *out,
                                                       const char **field);
void bpi_transfer_log_part_load(const bpi_transfer_log_part_view *view, bpi_transfer_log_part *out);
BP_NODISCARD static inline bp_err bpi_transfer_log_part_view_init(const uint8_t *value, size_t length, bpi_transfer_log_part_view *out);
BP_NODISCARD bp_err bpi_transfer_log_part_validate(const bpi_transfer_log_part_view *view, const char **field);
int bpi_transfer_log_part_print(const bpi_transfer_log_part_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err bpi_transfer_log_part_open_(const uint8_t *value, size_t length, bpi_transfer_log_part_view *view,
                                                 bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_LOG_PART_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_LOG_PART_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err bpi_transfer_log_part_view_init(const uint8_t *value, size_t length, bpi_transfer_log_part_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_log_part_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint64_t bpi_transfer_log_part_get_part(const bpi_transfer_log_part_view *view) {
    return bpi_load_u64(view->value + 0);
}

static inline uint32_t bpi_transfer_log_part_get_length(const bpi_transfer_log_part_view *view) {
    return bpi_load_u32(view->value + 8);
}

static inline uint32_t bpi_transfer_log_part_get_crc(const bpi_transfer_log_part_view *view) {
    return bpi_load_u32(view->value + 12);
}

static inline uint32_t bpi_transfer_log_part_get_check(const bpi_transfer_log_part_view *view) {
    return bpi_load_u32(view->value + 16);
}

/* It is whole, and about to be renamed. */
typedef struct bpi_transfer_log_commit {
    uint32_t crc;
    uint32_t check;
    uint64_t size;
    /* Its inode: what has it under the name is this object */
    uint64_t file;
} bpi_transfer_log_commit;
#ifdef __cplusplus
#define BPI_TRANSFER_LOG_COMMIT_INIT {}
#else
#define BPI_TRANSFER_LOG_COMMIT_INIT {0}
#endif

/* LogCommit, read where it lies. */
typedef struct bpi_transfer_log_commit_view {
    const uint8_t *value;
    uint32_t block_length;
} bpi_transfer_log_commit_view;

BP_NODISCARD bp_err bpi_transfer_log_commit_size(const bpi_transfer_log_commit *message, uint32_t *out);
BP_NODISCARD bp_err bpi_transfer_log_commit_encode(const bpi_transfer_log_commit *message, uint8_t *out, size_t capacity,
                                                   uint32_t *length);
BP_NODISCARD bp_err bpi_transfer_log_commit_decode(const uint8_t *value, size_t length, bpi_transfer_log_commit *out);
BP_NODISCARD bp_err bpi_transfer_log_commit_decode_valid(const uint8_t *value, size_t length, bpi_transfer_log_commit *out,
                                                         const char **field);
void bpi_transfer_log_commit_load(const bpi_transfer_log_commit_view *view, bpi_transfer_log_commit *out);
BP_NODISCARD static inline bp_err bpi_transfer_log_commit_view_init(const uint8_t *value, size_t length, bpi_transfer_log_commit_view *out);
BP_NODISCARD bp_err bpi_transfer_log_commit_validate(const bpi_transfer_log_commit_view *view, const char **field);
int bpi_transfer_log_commit_print(const bpi_transfer_log_commit_view *view, char *out, size_t size);

/* Checks length and block. */
static inline bp_err bpi_transfer_log_commit_open_(const uint8_t *value, size_t length, bpi_transfer_log_commit_view *view,
                                                   bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_LOG_COMMIT_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_LOG_COMMIT_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = (uint32_t)length;
    view->value = value;
    view->block_length = block_length;
    (void)flaws;
    return BP_OK;
}

static inline bp_err bpi_transfer_log_commit_view_init(const uint8_t *value, size_t length, bpi_transfer_log_commit_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_log_commit_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

static inline uint32_t bpi_transfer_log_commit_get_crc(const bpi_transfer_log_commit_view *view) {
    return bpi_load_u32(view->value + 16);
}

static inline uint32_t bpi_transfer_log_commit_get_check(const bpi_transfer_log_commit_view *view) {
    return bpi_load_u32(view->value + 20);
}

static inline uint64_t bpi_transfer_log_commit_get_size(const bpi_transfer_log_commit_view *view) {
    return bpi_load_u64(view->value + 0);
}

/* Its inode: what has it under the name is this object */
static inline uint64_t bpi_transfer_log_commit_get_file(const bpi_transfer_log_commit_view *view) {
    return bpi_load_u64(view->value + 8);
}

#ifdef __cplusplus
}
#endif
#endif
