/* Written by bufpoolc from transfer.yaml, do not edit: codecs of schema bpi_transfer. */
#include "bpi_transfer_messages.h"

#include "bufpool/detail/print.h"

#include <assert.h>
#include <string.h>

#if BP_ABI != 6 || BPI_TRANSFER_CONTRACT_HASH != 0xd916531c8bea0278u
#error "generated files of different contracts or library versions are mixed: run bufpoolc again and recompile"
#endif

/* A rule is broken: says where. */
BPI_UNUSED BPI_COLD static bp_err broken(const char *name, const char **field) {
    if (field != NULL) *field = name;
    return BP_ERR_RULE;
}

/* ---- PutOpen */

static_assert(BPI_TRANSFER_PUT_OPEN_MAX <= BPI_TRANSFER_PUT_OPEN_CLASS, "PutOpen fits its size class");
static_assert(BPI_TRANSFER_PUT_OPEN_MAX == BPI_ALIGNED(38, 1) + BPI_TRANSFER_PUT_OPEN_NAME_CAP * 1,
              "PutOpen is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err put_open_measure_(const bpi_transfer_put_open *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_PUT_OPEN_BLOCK;
    *out = 0;
    const uint32_t name_count = in->name_length;
    if (BP_UNLIKELY(name_count > BPI_TRANSFER_PUT_OPEN_NAME_CAP)) return BP_ERR_BOUND;
    size += name_count;
    *out = size;
    return BP_OK;
}

static inline void put_open_store_block_(uint8_t *at, const bpi_transfer_put_open *in) {
    bpi_store_u16(at + 16, BPI_TRANSFER_PUT_OPEN_BLOCK);
    bpi_store_u64(at + 0, in->size);
    bpi_store_u32(at + 8, in->transfer);
    bpi_store_u32(at + 12, in->part_size);
    bpi_store_u16(at + 18, in->parts_in_flight);
    bpi_store_u16(at + 20, in->name_length);
    memcpy(at + 22, in->token, 16);
}

static inline void put_open_store_tail_(uint8_t *out, const bpi_transfer_put_open *in) {
    uint32_t end = BPI_TRANSFER_PUT_OPEN_BLOCK;
    {
        const uint32_t count = in->name_length;
        bpi_copy(out + end, (const uint8_t *)in->name, count);
    }
}

bp_err bpi_transfer_put_open_size(const bpi_transfer_put_open *message, uint32_t *out) {
    return put_open_measure_(message, out);
}

bp_err bpi_transfer_put_open_encode(const bpi_transfer_put_open *restrict message, uint8_t *restrict out,
                                    size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = put_open_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    put_open_store_block_(out, message);
    put_open_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err bpi_transfer_put_open_open_(const uint8_t *value, size_t length, bpi_transfer_put_open_view *view,
                                                 bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_PUT_OPEN_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_PUT_OPEN_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 16);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < BPI_TRANSFER_PUT_OPEN_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->name_count = bpi_load_u16(value + 20);
    if (BP_UNLIKELY(view->name_count > BPI_TRANSFER_PUT_OPEN_NAME_CAP)) return BP_ERR_BOUND;
    const uint64_t name_bytes = view->name_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, name_bytes, &end, &view->name_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= BPI_TRANSFER_PUT_OPEN_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err put_open_view_(const uint8_t *value, size_t length, bpi_transfer_put_open_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_put_open_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err bpi_transfer_put_open_view_init(const uint8_t *value, size_t length, bpi_transfer_put_open_view *out) {
    return put_open_view_(value, length, out);
}

static inline void put_open_load_all_(const bpi_transfer_put_open_view *restrict view,
                                      bpi_transfer_put_open *restrict out) {
    out->transfer = bpi_transfer_put_open_get_transfer(view);
    out->part_size = bpi_transfer_put_open_get_part_size(view);
    out->parts_in_flight = bpi_transfer_put_open_get_parts_in_flight(view);
    out->size = bpi_transfer_put_open_get_size(view);
    memcpy(out->token, view->value + 22, 16);
    {
        const bp_text bytes = bpi_transfer_put_open_get_name(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, BPI_TRANSFER_PUT_OPEN_NAME_CAP);
        bpi_copy((uint8_t *)out->name, (const uint8_t *)bytes.data, used);
        out->name[used] = '\0';
        out->name_length = (uint16_t)used;
    }
}

void bpi_transfer_put_open_load(const bpi_transfer_put_open_view *view, bpi_transfer_put_open *out) {
    put_open_load_all_(view, out);
}

bp_err bpi_transfer_put_open_decode(const uint8_t *value, size_t length, bpi_transfer_put_open *out) {
    bpi_transfer_put_open_view view;
    const bp_err err = put_open_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    put_open_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err put_open_rules_(const bpi_transfer_put_open_view *view, const char **field) {
    {
        const uint32_t value = bpi_transfer_put_open_get_transfer(view);
        if (value == 0) return broken("transfer", field);
    }
    {
        const uint32_t value = bpi_transfer_put_open_get_part_size(view);
        if (value < 4096u) return broken("part_size", field);
        if (value > 16777216u) return broken("part_size", field);
    }
    {
        const uint16_t value = bpi_transfer_put_open_get_parts_in_flight(view);
        if (value < 1u) return broken("parts_in_flight", field);
        if (value > 64u) return broken("parts_in_flight", field);
    }
    {
        const bp_text text = bpi_transfer_put_open_get_name(view);
        if (text.length == 0) return broken("name", field);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("name", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_put_open_validate(const bpi_transfer_put_open_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return put_open_rules_(view, field);
}

bp_err bpi_transfer_put_open_decode_valid(const uint8_t *value, size_t length, bpi_transfer_put_open *out,
                                          const char **field) {
    bpi_transfer_put_open_view view;
    bp_err err = bpi_transfer_put_open_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = put_open_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    put_open_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_put_open_print(const bpi_transfer_put_open_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_put_open_get_transfer(view));
    bpi_print_name(printer, "part_size");
    bpi_print_unsigned(printer, bpi_transfer_put_open_get_part_size(view));
    bpi_print_name(printer, "parts_in_flight");
    bpi_print_unsigned(printer, bpi_transfer_put_open_get_parts_in_flight(view));
    bpi_print_name(printer, "size");
    bpi_print_unsigned(printer, bpi_transfer_put_open_get_size(view));
    bpi_print_name(printer, "token");
    bpi_print_bytes(printer, bpi_transfer_put_open_get_token(view));
    bpi_print_name(printer, "name");
    bpi_print_text(printer, bpi_transfer_put_open_get_name(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- PutOpened */

static_assert(BPI_TRANSFER_PUT_OPENED_MAX <= BPI_TRANSFER_PUT_OPENED_CLASS, "PutOpened fits its size class");
static_assert(BPI_TRANSFER_PUT_OPENED_MAX == 47,
              "PutOpened is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err put_opened_measure_(const bpi_transfer_put_opened *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_PUT_OPENED_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void put_opened_store_block_(uint8_t *at, const bpi_transfer_put_opened *in) {
    bpi_store_u64(at + 0, in->first);
    bpi_store_u64(at + 8, in->have);
    bpi_store_u64(at + 16, in->version);
    bpi_store_u32(at + 24, in->transfer);
    bpi_store_u16(at + 28, in->parts_in_flight);
    bpi_store_bool(at + 30, in->is_committed);
    memcpy(at + 31, in->token, 16);
}

bp_err bpi_transfer_put_opened_size(const bpi_transfer_put_opened *message, uint32_t *out) {
    return put_opened_measure_(message, out);
}

bp_err bpi_transfer_put_opened_encode(const bpi_transfer_put_opened *message, uint8_t *out,
                                      size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = put_opened_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    put_opened_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void put_opened_load_all_(const bpi_transfer_put_opened_view *restrict view,
                                        bpi_transfer_put_opened *restrict out) {
    out->transfer = bpi_transfer_put_opened_get_transfer(view);
    out->parts_in_flight = bpi_transfer_put_opened_get_parts_in_flight(view);
    out->is_committed = bpi_transfer_put_opened_get_is_committed(view);
    out->first = bpi_transfer_put_opened_get_first(view);
    out->have = bpi_transfer_put_opened_get_have(view);
    out->version = bpi_transfer_put_opened_get_version(view);
    memcpy(out->token, view->value + 31, 16);
}

void bpi_transfer_put_opened_load(const bpi_transfer_put_opened_view *view, bpi_transfer_put_opened *out) {
    put_opened_load_all_(view, out);
}

bp_err bpi_transfer_put_opened_decode(const uint8_t *value, size_t length, bpi_transfer_put_opened *out) {
    bpi_transfer_put_opened_view view;
    const bp_err err = bpi_transfer_put_opened_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    put_opened_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err put_opened_rules_(const bpi_transfer_put_opened_view *view, const char **field) {
    {
        const uint16_t value = bpi_transfer_put_opened_get_parts_in_flight(view);
        if (value < 1u) return broken("parts_in_flight", field);
        if (value > 64u) return broken("parts_in_flight", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_put_opened_validate(const bpi_transfer_put_opened_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return put_opened_rules_(view, field);
}

bp_err bpi_transfer_put_opened_decode_valid(const uint8_t *value, size_t length, bpi_transfer_put_opened *out,
                                            const char **field) {
    bpi_transfer_put_opened_view view;
    bp_err err = bpi_transfer_put_opened_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = put_opened_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    put_opened_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_put_opened_print(const bpi_transfer_put_opened_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_put_opened_get_transfer(view));
    bpi_print_name(printer, "parts_in_flight");
    bpi_print_unsigned(printer, bpi_transfer_put_opened_get_parts_in_flight(view));
    bpi_print_name(printer, "is_committed");
    bpi_print_bool(printer, bpi_transfer_put_opened_get_is_committed(view));
    bpi_print_name(printer, "first");
    bpi_print_unsigned(printer, bpi_transfer_put_opened_get_first(view));
    bpi_print_name(printer, "have");
    bpi_print_unsigned(printer, bpi_transfer_put_opened_get_have(view));
    bpi_print_name(printer, "version");
    bpi_print_unsigned(printer, bpi_transfer_put_opened_get_version(view));
    bpi_print_name(printer, "token");
    bpi_print_bytes(printer, bpi_transfer_put_opened_get_token(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- PartDone */

static_assert(BPI_TRANSFER_PART_DONE_MAX <= BPI_TRANSFER_PART_DONE_CLASS, "PartDone fits its size class");
static_assert(BPI_TRANSFER_PART_DONE_MAX == 12,
              "PartDone is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err part_done_measure_(const bpi_transfer_part_done *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_PART_DONE_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void part_done_store_block_(uint8_t *at, const bpi_transfer_part_done *in) {
    bpi_store_u64(at + 0, in->part);
    bpi_store_u32(at + 8, in->transfer);
}

bp_err bpi_transfer_part_done_size(const bpi_transfer_part_done *message, uint32_t *out) {
    return part_done_measure_(message, out);
}

bp_err bpi_transfer_part_done_encode(const bpi_transfer_part_done *message, uint8_t *out,
                                     size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = part_done_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    part_done_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void part_done_load_all_(const bpi_transfer_part_done_view *restrict view,
                                       bpi_transfer_part_done *restrict out) {
    out->transfer = bpi_transfer_part_done_get_transfer(view);
    out->part = bpi_transfer_part_done_get_part(view);
}

void bpi_transfer_part_done_load(const bpi_transfer_part_done_view *view, bpi_transfer_part_done *out) {
    part_done_load_all_(view, out);
}

bp_err bpi_transfer_part_done_decode(const uint8_t *value, size_t length, bpi_transfer_part_done *out) {
    bpi_transfer_part_done_view view;
    const bp_err err = bpi_transfer_part_done_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    part_done_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_part_done_validate(const bpi_transfer_part_done_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_part_done_decode_valid(const uint8_t *value, size_t length, bpi_transfer_part_done *out,
                                           const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_part_done_decode(value, length, out);
}

int bpi_transfer_part_done_print(const bpi_transfer_part_done_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_part_done_get_transfer(view));
    bpi_print_name(printer, "part");
    bpi_print_unsigned(printer, bpi_transfer_part_done_get_part(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- PutCommit */

static_assert(BPI_TRANSFER_PUT_COMMIT_MAX <= BPI_TRANSFER_PUT_COMMIT_CLASS, "PutCommit fits its size class");
static_assert(BPI_TRANSFER_PUT_COMMIT_MAX == 16,
              "PutCommit is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err put_commit_measure_(const bpi_transfer_put_commit *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_PUT_COMMIT_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void put_commit_store_block_(uint8_t *at, const bpi_transfer_put_commit *in) {
    bpi_store_u64(at + 0, in->size);
    bpi_store_u32(at + 8, in->transfer);
    bpi_store_u32(at + 12, in->crc);
}

bp_err bpi_transfer_put_commit_size(const bpi_transfer_put_commit *message, uint32_t *out) {
    return put_commit_measure_(message, out);
}

bp_err bpi_transfer_put_commit_encode(const bpi_transfer_put_commit *message, uint8_t *out,
                                      size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = put_commit_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    put_commit_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void put_commit_load_all_(const bpi_transfer_put_commit_view *restrict view,
                                        bpi_transfer_put_commit *restrict out) {
    out->transfer = bpi_transfer_put_commit_get_transfer(view);
    out->crc = bpi_transfer_put_commit_get_crc(view);
    out->size = bpi_transfer_put_commit_get_size(view);
}

void bpi_transfer_put_commit_load(const bpi_transfer_put_commit_view *view, bpi_transfer_put_commit *out) {
    put_commit_load_all_(view, out);
}

bp_err bpi_transfer_put_commit_decode(const uint8_t *value, size_t length, bpi_transfer_put_commit *out) {
    bpi_transfer_put_commit_view view;
    const bp_err err = bpi_transfer_put_commit_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    put_commit_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_put_commit_validate(const bpi_transfer_put_commit_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_put_commit_decode_valid(const uint8_t *value, size_t length, bpi_transfer_put_commit *out,
                                            const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_put_commit_decode(value, length, out);
}

int bpi_transfer_put_commit_print(const bpi_transfer_put_commit_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_put_commit_get_transfer(view));
    bpi_print_name(printer, "crc");
    bpi_print_unsigned(printer, bpi_transfer_put_commit_get_crc(view));
    bpi_print_name(printer, "size");
    bpi_print_unsigned(printer, bpi_transfer_put_commit_get_size(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- Committed */

static_assert(BPI_TRANSFER_COMMITTED_MAX <= BPI_TRANSFER_COMMITTED_CLASS, "Committed fits its size class");
static_assert(BPI_TRANSFER_COMMITTED_MAX == 12,
              "Committed is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err committed_measure_(const bpi_transfer_committed *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_COMMITTED_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void committed_store_block_(uint8_t *at, const bpi_transfer_committed *in) {
    bpi_store_u64(at + 0, in->version);
    bpi_store_u32(at + 8, in->transfer);
}

bp_err bpi_transfer_committed_size(const bpi_transfer_committed *message, uint32_t *out) {
    return committed_measure_(message, out);
}

bp_err bpi_transfer_committed_encode(const bpi_transfer_committed *message, uint8_t *out,
                                     size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = committed_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    committed_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void committed_load_all_(const bpi_transfer_committed_view *restrict view,
                                       bpi_transfer_committed *restrict out) {
    out->transfer = bpi_transfer_committed_get_transfer(view);
    out->version = bpi_transfer_committed_get_version(view);
}

void bpi_transfer_committed_load(const bpi_transfer_committed_view *view, bpi_transfer_committed *out) {
    committed_load_all_(view, out);
}

bp_err bpi_transfer_committed_decode(const uint8_t *value, size_t length, bpi_transfer_committed *out) {
    bpi_transfer_committed_view view;
    const bp_err err = bpi_transfer_committed_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    committed_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_committed_validate(const bpi_transfer_committed_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_committed_decode_valid(const uint8_t *value, size_t length, bpi_transfer_committed *out,
                                           const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_committed_decode(value, length, out);
}

int bpi_transfer_committed_print(const bpi_transfer_committed_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_committed_get_transfer(view));
    bpi_print_name(printer, "version");
    bpi_print_unsigned(printer, bpi_transfer_committed_get_version(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- GetOpen */

static_assert(BPI_TRANSFER_GET_OPEN_MAX <= BPI_TRANSFER_GET_OPEN_CLASS, "GetOpen fits its size class");
static_assert(BPI_TRANSFER_GET_OPEN_MAX == BPI_ALIGNED(38, 1) + BPI_TRANSFER_GET_OPEN_NAME_CAP * 1,
              "GetOpen is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err get_open_measure_(const bpi_transfer_get_open *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_GET_OPEN_BLOCK;
    *out = 0;
    const uint32_t name_count = in->name_length;
    if (BP_UNLIKELY(name_count > BPI_TRANSFER_GET_OPEN_NAME_CAP)) return BP_ERR_BOUND;
    size += name_count;
    *out = size;
    return BP_OK;
}

static inline void get_open_store_block_(uint8_t *at, const bpi_transfer_get_open *in) {
    bpi_store_u16(at + 32, BPI_TRANSFER_GET_OPEN_BLOCK);
    bpi_store_u64(at + 0, in->offset);
    bpi_store_u64(at + 8, in->length);
    bpi_store_u64(at + 16, in->version);
    bpi_store_u32(at + 24, in->transfer);
    bpi_store_u32(at + 28, in->part_size);
    bpi_store_u16(at + 34, in->parts_in_flight);
    bpi_store_u16(at + 36, in->name_length);
}

static inline void get_open_store_tail_(uint8_t *out, const bpi_transfer_get_open *in) {
    uint32_t end = BPI_TRANSFER_GET_OPEN_BLOCK;
    {
        const uint32_t count = in->name_length;
        bpi_copy(out + end, (const uint8_t *)in->name, count);
    }
}

bp_err bpi_transfer_get_open_size(const bpi_transfer_get_open *message, uint32_t *out) {
    return get_open_measure_(message, out);
}

bp_err bpi_transfer_get_open_encode(const bpi_transfer_get_open *restrict message, uint8_t *restrict out,
                                    size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = get_open_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    get_open_store_block_(out, message);
    get_open_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err bpi_transfer_get_open_open_(const uint8_t *value, size_t length, bpi_transfer_get_open_view *view,
                                                 bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_GET_OPEN_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_GET_OPEN_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 32);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < BPI_TRANSFER_GET_OPEN_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->name_count = bpi_load_u16(value + 36);
    if (BP_UNLIKELY(view->name_count > BPI_TRANSFER_GET_OPEN_NAME_CAP)) return BP_ERR_BOUND;
    const uint64_t name_bytes = view->name_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, name_bytes, &end, &view->name_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= BPI_TRANSFER_GET_OPEN_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err get_open_view_(const uint8_t *value, size_t length, bpi_transfer_get_open_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_get_open_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err bpi_transfer_get_open_view_init(const uint8_t *value, size_t length, bpi_transfer_get_open_view *out) {
    return get_open_view_(value, length, out);
}

static inline void get_open_load_all_(const bpi_transfer_get_open_view *restrict view,
                                      bpi_transfer_get_open *restrict out) {
    out->transfer = bpi_transfer_get_open_get_transfer(view);
    out->part_size = bpi_transfer_get_open_get_part_size(view);
    out->parts_in_flight = bpi_transfer_get_open_get_parts_in_flight(view);
    out->offset = bpi_transfer_get_open_get_offset(view);
    out->length = bpi_transfer_get_open_get_length(view);
    out->version = bpi_transfer_get_open_get_version(view);
    {
        const bp_text bytes = bpi_transfer_get_open_get_name(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, BPI_TRANSFER_GET_OPEN_NAME_CAP);
        bpi_copy((uint8_t *)out->name, (const uint8_t *)bytes.data, used);
        out->name[used] = '\0';
        out->name_length = (uint16_t)used;
    }
}

void bpi_transfer_get_open_load(const bpi_transfer_get_open_view *view, bpi_transfer_get_open *out) {
    get_open_load_all_(view, out);
}

bp_err bpi_transfer_get_open_decode(const uint8_t *value, size_t length, bpi_transfer_get_open *out) {
    bpi_transfer_get_open_view view;
    const bp_err err = get_open_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    get_open_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err get_open_rules_(const bpi_transfer_get_open_view *view, const char **field) {
    {
        const uint32_t value = bpi_transfer_get_open_get_transfer(view);
        if (value == 0) return broken("transfer", field);
    }
    {
        const uint32_t value = bpi_transfer_get_open_get_part_size(view);
        if (value < 4096u) return broken("part_size", field);
        if (value > 16777216u) return broken("part_size", field);
    }
    {
        const uint16_t value = bpi_transfer_get_open_get_parts_in_flight(view);
        if (value < 1u) return broken("parts_in_flight", field);
        if (value > 64u) return broken("parts_in_flight", field);
    }
    {
        const bp_text text = bpi_transfer_get_open_get_name(view);
        if (text.length == 0) return broken("name", field);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("name", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_get_open_validate(const bpi_transfer_get_open_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return get_open_rules_(view, field);
}

bp_err bpi_transfer_get_open_decode_valid(const uint8_t *value, size_t length, bpi_transfer_get_open *out,
                                          const char **field) {
    bpi_transfer_get_open_view view;
    bp_err err = bpi_transfer_get_open_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = get_open_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    get_open_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_get_open_print(const bpi_transfer_get_open_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_get_open_get_transfer(view));
    bpi_print_name(printer, "part_size");
    bpi_print_unsigned(printer, bpi_transfer_get_open_get_part_size(view));
    bpi_print_name(printer, "parts_in_flight");
    bpi_print_unsigned(printer, bpi_transfer_get_open_get_parts_in_flight(view));
    bpi_print_name(printer, "offset");
    bpi_print_unsigned(printer, bpi_transfer_get_open_get_offset(view));
    bpi_print_name(printer, "length");
    bpi_print_unsigned(printer, bpi_transfer_get_open_get_length(view));
    bpi_print_name(printer, "version");
    bpi_print_unsigned(printer, bpi_transfer_get_open_get_version(view));
    bpi_print_name(printer, "name");
    bpi_print_text(printer, bpi_transfer_get_open_get_name(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- GetOpened */

static_assert(BPI_TRANSFER_GET_OPENED_MAX <= BPI_TRANSFER_GET_OPENED_CLASS, "GetOpened fits its size class");
static_assert(BPI_TRANSFER_GET_OPENED_MAX == 27,
              "GetOpened is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err get_opened_measure_(const bpi_transfer_get_opened *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_GET_OPENED_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void get_opened_store_block_(uint8_t *at, const bpi_transfer_get_opened *in) {
    bpi_store_u64(at + 0, in->size);
    bpi_store_u64(at + 8, in->version);
    bpi_store_u32(at + 16, in->transfer);
    bpi_store_u32(at + 20, in->crc);
    bpi_store_u16(at + 24, in->parts_in_flight);
    bpi_store_bool(at + 26, in->has_crc);
}

bp_err bpi_transfer_get_opened_size(const bpi_transfer_get_opened *message, uint32_t *out) {
    return get_opened_measure_(message, out);
}

bp_err bpi_transfer_get_opened_encode(const bpi_transfer_get_opened *message, uint8_t *out,
                                      size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = get_opened_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    get_opened_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void get_opened_load_all_(const bpi_transfer_get_opened_view *restrict view,
                                        bpi_transfer_get_opened *restrict out) {
    out->transfer = bpi_transfer_get_opened_get_transfer(view);
    out->parts_in_flight = bpi_transfer_get_opened_get_parts_in_flight(view);
    out->has_crc = bpi_transfer_get_opened_get_has_crc(view);
    out->crc = bpi_transfer_get_opened_get_crc(view);
    out->size = bpi_transfer_get_opened_get_size(view);
    out->version = bpi_transfer_get_opened_get_version(view);
}

void bpi_transfer_get_opened_load(const bpi_transfer_get_opened_view *view, bpi_transfer_get_opened *out) {
    get_opened_load_all_(view, out);
}

bp_err bpi_transfer_get_opened_decode(const uint8_t *value, size_t length, bpi_transfer_get_opened *out) {
    bpi_transfer_get_opened_view view;
    const bp_err err = bpi_transfer_get_opened_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    get_opened_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err get_opened_rules_(const bpi_transfer_get_opened_view *view, const char **field) {
    {
        const uint16_t value = bpi_transfer_get_opened_get_parts_in_flight(view);
        if (value < 1u) return broken("parts_in_flight", field);
        if (value > 64u) return broken("parts_in_flight", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_get_opened_validate(const bpi_transfer_get_opened_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return get_opened_rules_(view, field);
}

bp_err bpi_transfer_get_opened_decode_valid(const uint8_t *value, size_t length, bpi_transfer_get_opened *out,
                                            const char **field) {
    bpi_transfer_get_opened_view view;
    bp_err err = bpi_transfer_get_opened_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = get_opened_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    get_opened_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_get_opened_print(const bpi_transfer_get_opened_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_get_opened_get_transfer(view));
    bpi_print_name(printer, "parts_in_flight");
    bpi_print_unsigned(printer, bpi_transfer_get_opened_get_parts_in_flight(view));
    bpi_print_name(printer, "has_crc");
    bpi_print_bool(printer, bpi_transfer_get_opened_get_has_crc(view));
    bpi_print_name(printer, "crc");
    bpi_print_unsigned(printer, bpi_transfer_get_opened_get_crc(view));
    bpi_print_name(printer, "size");
    bpi_print_unsigned(printer, bpi_transfer_get_opened_get_size(view));
    bpi_print_name(printer, "version");
    bpi_print_unsigned(printer, bpi_transfer_get_opened_get_version(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- PartWant */

static_assert(BPI_TRANSFER_PART_WANT_MAX <= BPI_TRANSFER_PART_WANT_CLASS, "PartWant fits its size class");
static_assert(BPI_TRANSFER_PART_WANT_MAX == 12,
              "PartWant is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err part_want_measure_(const bpi_transfer_part_want *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_PART_WANT_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void part_want_store_block_(uint8_t *at, const bpi_transfer_part_want *in) {
    bpi_store_u64(at + 0, in->part);
    bpi_store_u32(at + 8, in->transfer);
}

bp_err bpi_transfer_part_want_size(const bpi_transfer_part_want *message, uint32_t *out) {
    return part_want_measure_(message, out);
}

bp_err bpi_transfer_part_want_encode(const bpi_transfer_part_want *message, uint8_t *out,
                                     size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = part_want_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    part_want_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void part_want_load_all_(const bpi_transfer_part_want_view *restrict view,
                                       bpi_transfer_part_want *restrict out) {
    out->transfer = bpi_transfer_part_want_get_transfer(view);
    out->part = bpi_transfer_part_want_get_part(view);
}

void bpi_transfer_part_want_load(const bpi_transfer_part_want_view *view, bpi_transfer_part_want *out) {
    part_want_load_all_(view, out);
}

bp_err bpi_transfer_part_want_decode(const uint8_t *value, size_t length, bpi_transfer_part_want *out) {
    bpi_transfer_part_want_view view;
    const bp_err err = bpi_transfer_part_want_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    part_want_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_part_want_validate(const bpi_transfer_part_want_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_part_want_decode_valid(const uint8_t *value, size_t length, bpi_transfer_part_want *out,
                                           const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_part_want_decode(value, length, out);
}

int bpi_transfer_part_want_print(const bpi_transfer_part_want_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_part_want_get_transfer(view));
    bpi_print_name(printer, "part");
    bpi_print_unsigned(printer, bpi_transfer_part_want_get_part(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- List */

static_assert(BPI_TRANSFER_LIST_MAX <= BPI_TRANSFER_LIST_CLASS, "List fits its size class");
static_assert(BPI_TRANSFER_LIST_MAX == BPI_ALIGNED(BPI_ALIGNED(10, 1) + BPI_TRANSFER_LIST_PREFIX_CAP * 1, 1) + BPI_TRANSFER_LIST_AFTER_CAP * 1,
              "List is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err list_measure_(const bpi_transfer_list *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_LIST_BLOCK;
    *out = 0;
    const uint32_t prefix_count = in->prefix_length;
    if (BP_UNLIKELY(prefix_count > BPI_TRANSFER_LIST_PREFIX_CAP)) return BP_ERR_BOUND;
    size += prefix_count;
    const uint32_t after_count = in->after_length;
    if (BP_UNLIKELY(after_count > BPI_TRANSFER_LIST_AFTER_CAP)) return BP_ERR_BOUND;
    size += after_count;
    *out = size;
    return BP_OK;
}

static inline void list_store_block_(uint8_t *at, const bpi_transfer_list *in) {
    bpi_store_u16(at + 4, BPI_TRANSFER_LIST_BLOCK);
    bpi_store_u32(at + 0, in->transfer);
    bpi_store_u16(at + 6, in->prefix_length);
    bpi_store_u16(at + 8, in->after_length);
}

static inline void list_store_tail_(uint8_t *out, const bpi_transfer_list *in) {
    uint32_t end = BPI_TRANSFER_LIST_BLOCK;
    {
        const uint32_t count = in->prefix_length;
        bpi_copy(out + end, (const uint8_t *)in->prefix, count);
        end += count;
    }
    {
        const uint32_t count = in->after_length;
        bpi_copy(out + end, (const uint8_t *)in->after, count);
    }
}

bp_err bpi_transfer_list_size(const bpi_transfer_list *message, uint32_t *out) {
    return list_measure_(message, out);
}

bp_err bpi_transfer_list_encode(const bpi_transfer_list *restrict message, uint8_t *restrict out,
                                size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = list_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    list_store_block_(out, message);
    list_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err bpi_transfer_list_open_(const uint8_t *value, size_t length, bpi_transfer_list_view *view,
                                             bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_LIST_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_LIST_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 4);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < BPI_TRANSFER_LIST_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->prefix_count = bpi_load_u16(value + 6);
    if (BP_UNLIKELY(view->prefix_count > BPI_TRANSFER_LIST_PREFIX_CAP)) return BP_ERR_BOUND;
    const uint64_t prefix_bytes = view->prefix_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, prefix_bytes, &end, &view->prefix_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    view->after_count = bpi_load_u16(value + 8);
    if (BP_UNLIKELY(view->after_count > BPI_TRANSFER_LIST_AFTER_CAP)) return BP_ERR_BOUND;
    const uint64_t after_bytes = view->after_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, after_bytes, &end, &view->after_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= BPI_TRANSFER_LIST_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err list_view_(const uint8_t *value, size_t length, bpi_transfer_list_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_list_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err bpi_transfer_list_view_init(const uint8_t *value, size_t length, bpi_transfer_list_view *out) {
    return list_view_(value, length, out);
}

static inline void list_load_all_(const bpi_transfer_list_view *restrict view,
                                  bpi_transfer_list *restrict out) {
    out->transfer = bpi_transfer_list_get_transfer(view);
    {
        const bp_text bytes = bpi_transfer_list_get_prefix(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, BPI_TRANSFER_LIST_PREFIX_CAP);
        bpi_copy((uint8_t *)out->prefix, (const uint8_t *)bytes.data, used);
        out->prefix[used] = '\0';
        out->prefix_length = (uint16_t)used;
    }
    {
        const bp_text bytes = bpi_transfer_list_get_after(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, BPI_TRANSFER_LIST_AFTER_CAP);
        bpi_copy((uint8_t *)out->after, (const uint8_t *)bytes.data, used);
        out->after[used] = '\0';
        out->after_length = (uint16_t)used;
    }
}

void bpi_transfer_list_load(const bpi_transfer_list_view *view, bpi_transfer_list *out) {
    list_load_all_(view, out);
}

bp_err bpi_transfer_list_decode(const uint8_t *value, size_t length, bpi_transfer_list *out) {
    bpi_transfer_list_view view;
    const bp_err err = list_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    list_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err list_rules_(const bpi_transfer_list_view *view, const char **field) {
    {
        const uint32_t value = bpi_transfer_list_get_transfer(view);
        if (value == 0) return broken("transfer", field);
    }
    {
        const bp_text text = bpi_transfer_list_get_prefix(view);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("prefix", field);
    }
    {
        const bp_text text = bpi_transfer_list_get_after(view);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("after", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_list_validate(const bpi_transfer_list_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return list_rules_(view, field);
}

bp_err bpi_transfer_list_decode_valid(const uint8_t *value, size_t length, bpi_transfer_list *out,
                                      const char **field) {
    bpi_transfer_list_view view;
    bp_err err = bpi_transfer_list_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = list_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    list_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_list_print(const bpi_transfer_list_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_list_get_transfer(view));
    bpi_print_name(printer, "prefix");
    bpi_print_text(printer, bpi_transfer_list_get_prefix(view));
    bpi_print_name(printer, "after");
    bpi_print_text(printer, bpi_transfer_list_get_after(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- Listed */

static_assert(BPI_TRANSFER_LISTED_MAX <= BPI_TRANSFER_LISTED_CLASS, "Listed fits its size class");
static_assert(BPI_TRANSFER_LISTED_MAX == BPI_ALIGNED(24, 1) + BPI_TRANSFER_LISTED_NAME_CAP * 1,
              "Listed is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err listed_measure_(const bpi_transfer_listed *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_LISTED_BLOCK;
    *out = 0;
    const uint32_t name_count = in->name_length;
    if (BP_UNLIKELY(name_count > BPI_TRANSFER_LISTED_NAME_CAP)) return BP_ERR_BOUND;
    size += name_count;
    *out = size;
    return BP_OK;
}

static inline void listed_store_block_(uint8_t *at, const bpi_transfer_listed *in) {
    bpi_store_u16(at + 20, BPI_TRANSFER_LISTED_BLOCK);
    bpi_store_u64(at + 0, in->size);
    bpi_store_u64(at + 8, in->version);
    bpi_store_u32(at + 16, in->transfer);
    bpi_store_u16(at + 22, in->name_length);
}

static inline void listed_store_tail_(uint8_t *out, const bpi_transfer_listed *in) {
    uint32_t end = BPI_TRANSFER_LISTED_BLOCK;
    {
        const uint32_t count = in->name_length;
        bpi_copy(out + end, (const uint8_t *)in->name, count);
    }
}

bp_err bpi_transfer_listed_size(const bpi_transfer_listed *message, uint32_t *out) {
    return listed_measure_(message, out);
}

bp_err bpi_transfer_listed_encode(const bpi_transfer_listed *restrict message, uint8_t *restrict out,
                                  size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = listed_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    listed_store_block_(out, message);
    listed_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err bpi_transfer_listed_open_(const uint8_t *value, size_t length, bpi_transfer_listed_view *view,
                                               bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_LISTED_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_LISTED_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 20);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < BPI_TRANSFER_LISTED_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->name_count = bpi_load_u16(value + 22);
    if (BP_UNLIKELY(view->name_count > BPI_TRANSFER_LISTED_NAME_CAP)) return BP_ERR_BOUND;
    const uint64_t name_bytes = view->name_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, name_bytes, &end, &view->name_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= BPI_TRANSFER_LISTED_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err listed_view_(const uint8_t *value, size_t length, bpi_transfer_listed_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_listed_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err bpi_transfer_listed_view_init(const uint8_t *value, size_t length, bpi_transfer_listed_view *out) {
    return listed_view_(value, length, out);
}

static inline void listed_load_all_(const bpi_transfer_listed_view *restrict view,
                                    bpi_transfer_listed *restrict out) {
    out->transfer = bpi_transfer_listed_get_transfer(view);
    out->size = bpi_transfer_listed_get_size(view);
    out->version = bpi_transfer_listed_get_version(view);
    {
        const bp_text bytes = bpi_transfer_listed_get_name(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, BPI_TRANSFER_LISTED_NAME_CAP);
        bpi_copy((uint8_t *)out->name, (const uint8_t *)bytes.data, used);
        out->name[used] = '\0';
        out->name_length = (uint16_t)used;
    }
}

void bpi_transfer_listed_load(const bpi_transfer_listed_view *view, bpi_transfer_listed *out) {
    listed_load_all_(view, out);
}

bp_err bpi_transfer_listed_decode(const uint8_t *value, size_t length, bpi_transfer_listed *out) {
    bpi_transfer_listed_view view;
    const bp_err err = listed_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    listed_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err listed_rules_(const bpi_transfer_listed_view *view, const char **field) {
    {
        const bp_text text = bpi_transfer_listed_get_name(view);
        if (text.length == 0) return broken("name", field);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("name", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_listed_validate(const bpi_transfer_listed_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return listed_rules_(view, field);
}

bp_err bpi_transfer_listed_decode_valid(const uint8_t *value, size_t length, bpi_transfer_listed *out,
                                        const char **field) {
    bpi_transfer_listed_view view;
    bp_err err = bpi_transfer_listed_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = listed_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    listed_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_listed_print(const bpi_transfer_listed_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_listed_get_transfer(view));
    bpi_print_name(printer, "size");
    bpi_print_unsigned(printer, bpi_transfer_listed_get_size(view));
    bpi_print_name(printer, "version");
    bpi_print_unsigned(printer, bpi_transfer_listed_get_version(view));
    bpi_print_name(printer, "name");
    bpi_print_text(printer, bpi_transfer_listed_get_name(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- ListEnd */

static_assert(BPI_TRANSFER_LIST_END_MAX <= BPI_TRANSFER_LIST_END_CLASS, "ListEnd fits its size class");
static_assert(BPI_TRANSFER_LIST_END_MAX == 5,
              "ListEnd is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err list_end_measure_(const bpi_transfer_list_end *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_LIST_END_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void list_end_store_block_(uint8_t *at, const bpi_transfer_list_end *in) {
    bpi_store_u32(at + 0, in->transfer);
    bpi_store_bool(at + 4, in->has_more);
}

bp_err bpi_transfer_list_end_size(const bpi_transfer_list_end *message, uint32_t *out) {
    return list_end_measure_(message, out);
}

bp_err bpi_transfer_list_end_encode(const bpi_transfer_list_end *message, uint8_t *out,
                                    size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = list_end_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    list_end_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void list_end_load_all_(const bpi_transfer_list_end_view *restrict view,
                                      bpi_transfer_list_end *restrict out) {
    out->transfer = bpi_transfer_list_end_get_transfer(view);
    out->has_more = bpi_transfer_list_end_get_has_more(view);
}

void bpi_transfer_list_end_load(const bpi_transfer_list_end_view *view, bpi_transfer_list_end *out) {
    list_end_load_all_(view, out);
}

bp_err bpi_transfer_list_end_decode(const uint8_t *value, size_t length, bpi_transfer_list_end *out) {
    bpi_transfer_list_end_view view;
    const bp_err err = bpi_transfer_list_end_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    list_end_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_list_end_validate(const bpi_transfer_list_end_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_list_end_decode_valid(const uint8_t *value, size_t length, bpi_transfer_list_end *out,
                                          const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_list_end_decode(value, length, out);
}

int bpi_transfer_list_end_print(const bpi_transfer_list_end_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_list_end_get_transfer(view));
    bpi_print_name(printer, "has_more");
    bpi_print_bool(printer, bpi_transfer_list_end_get_has_more(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- Part */

static_assert(BPI_TRANSFER_PART_MAX <= BPI_TRANSFER_PART_CLASS, "Part fits its size class");
static_assert(BPI_TRANSFER_PART_MAX == BPI_ALIGNED(22, 1) + BPI_TRANSFER_PART_DATA_CAP * 1,
              "Part is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err part_measure_(const bpi_transfer_part *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_PART_BLOCK;
    *out = 0;
    const uint32_t data_count = in->data_length;
    if (BP_UNLIKELY(data_count > BPI_TRANSFER_PART_DATA_CAP)) return BP_ERR_BOUND;
    size += data_count;
    *out = size;
    return BP_OK;
}

static inline void part_store_block_(uint8_t *at, const bpi_transfer_part *in) {
    bpi_store_u16(at + 20, BPI_TRANSFER_PART_BLOCK);
    bpi_store_u64(at + 0, in->part);
    bpi_store_u32(at + 8, in->transfer);
    bpi_store_u32(at + 12, in->crc);
    bpi_store_u32(at + 16, in->data_length);
}

bp_err bpi_transfer_part_size(const bpi_transfer_part *message, uint32_t *out) {
    return part_measure_(message, out);
}

bp_err bpi_transfer_part_encode(const bpi_transfer_part *restrict message, uint8_t *restrict out,
                                size_t capacity, uint32_t *restrict length) {
    const uint32_t count = message->data_length;
    uint32_t size;
    bp_err err = part_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && count != 0 && message->data == NULL)) err = BP_ERR_ARGUMENT;
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    part_store_block_(out, message);
    bpi_copy(out + (size - count), message->data, count);
    *length = size;
    return BP_OK;
}

bp_err bpi_transfer_part_place(const bpi_transfer_part *restrict message, uint8_t *restrict out, size_t capacity,
                               uint32_t *restrict length, uint8_t **restrict data) {
    const uint32_t count = message->data_length;
    uint32_t size;
    bp_err err = part_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    *data = NULL;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    part_store_block_(out, message);
    *length = size;
    *data = out + (size - count);
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err bpi_transfer_part_open_(const uint8_t *value, size_t length, bpi_transfer_part_view *view,
                                             bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_PART_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_PART_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 20);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < BPI_TRANSFER_PART_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->data_count = bpi_load_u32(value + 16);
    if (BP_UNLIKELY(view->data_count > BPI_TRANSFER_PART_DATA_CAP)) return BP_ERR_BOUND;
    const uint64_t data_bytes = view->data_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, data_bytes, &end, &view->data_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= BPI_TRANSFER_PART_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err part_view_(const uint8_t *value, size_t length, bpi_transfer_part_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_part_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err bpi_transfer_part_view_init(const uint8_t *value, size_t length, bpi_transfer_part_view *out) {
    return part_view_(value, length, out);
}

static inline void part_load_all_(const bpi_transfer_part_view *restrict view,
                                  bpi_transfer_part *restrict out) {
    out->transfer = bpi_transfer_part_get_transfer(view);
    out->part = bpi_transfer_part_get_part(view);
    out->crc = bpi_transfer_part_get_crc(view);
    {
        const bp_bytes bytes = bpi_transfer_part_get_data(view);
        out->data = bytes.data;
        out->data_length = (uint32_t)bytes.length;
    }
}

void bpi_transfer_part_load(const bpi_transfer_part_view *view, bpi_transfer_part *out) {
    part_load_all_(view, out);
}

bp_err bpi_transfer_part_decode(const uint8_t *value, size_t length, bpi_transfer_part *out) {
    bpi_transfer_part_view view;
    const bp_err err = part_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    part_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_part_validate(const bpi_transfer_part_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_part_decode_valid(const uint8_t *value, size_t length, bpi_transfer_part *out,
                                      const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_part_decode(value, length, out);
}

int bpi_transfer_part_print(const bpi_transfer_part_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_part_get_transfer(view));
    bpi_print_name(printer, "part");
    bpi_print_unsigned(printer, bpi_transfer_part_get_part(view));
    bpi_print_name(printer, "crc");
    bpi_print_unsigned(printer, bpi_transfer_part_get_crc(view));
    bpi_print_name(printer, "data");
    bpi_print_bytes(printer, bpi_transfer_part_get_data(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- Failed */

static_assert(BPI_TRANSFER_FAILED_MAX <= BPI_TRANSFER_FAILED_CLASS, "Failed fits its size class");
static_assert(BPI_TRANSFER_FAILED_MAX == BPI_ALIGNED(18, 1) + BPI_TRANSFER_FAILED_TEXT_CAP * 1,
              "Failed is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err failed_measure_(const bpi_transfer_failed *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_FAILED_BLOCK;
    *out = 0;
    const uint32_t text_count = in->text_length;
    if (BP_UNLIKELY(text_count > BPI_TRANSFER_FAILED_TEXT_CAP)) return BP_ERR_BOUND;
    size += text_count;
    *out = size;
    return BP_OK;
}

static inline void failed_store_block_(uint8_t *at, const bpi_transfer_failed *in) {
    bpi_store_u16(at + 12, BPI_TRANSFER_FAILED_BLOCK);
    bpi_store_u64(at + 0, in->part);
    bpi_store_u32(at + 8, in->transfer);
    bpi_store_u16(at + 14, in->error);
    bpi_store_u16(at + 16, in->text_length);
}

static inline void failed_store_tail_(uint8_t *out, const bpi_transfer_failed *in) {
    uint32_t end = BPI_TRANSFER_FAILED_BLOCK;
    {
        const uint32_t count = in->text_length;
        bpi_copy(out + end, (const uint8_t *)in->text, count);
    }
}

bp_err bpi_transfer_failed_size(const bpi_transfer_failed *message, uint32_t *out) {
    return failed_measure_(message, out);
}

bp_err bpi_transfer_failed_encode(const bpi_transfer_failed *restrict message, uint8_t *restrict out,
                                  size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = failed_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    failed_store_block_(out, message);
    failed_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err bpi_transfer_failed_open_(const uint8_t *value, size_t length, bpi_transfer_failed_view *view,
                                               bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_FAILED_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_FAILED_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 12);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < BPI_TRANSFER_FAILED_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->text_count = bpi_load_u16(value + 16);
    if (BP_UNLIKELY(view->text_count > BPI_TRANSFER_FAILED_TEXT_CAP)) return BP_ERR_BOUND;
    const uint64_t text_bytes = view->text_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, text_bytes, &end, &view->text_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= BPI_TRANSFER_FAILED_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err failed_view_(const uint8_t *value, size_t length, bpi_transfer_failed_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_failed_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err bpi_transfer_failed_view_init(const uint8_t *value, size_t length, bpi_transfer_failed_view *out) {
    return failed_view_(value, length, out);
}

static inline void failed_load_all_(const bpi_transfer_failed_view *restrict view,
                                    bpi_transfer_failed *restrict out) {
    out->transfer = bpi_transfer_failed_get_transfer(view);
    out->error = bpi_transfer_failed_get_error(view);
    out->part = bpi_transfer_failed_get_part(view);
    {
        const bp_text bytes = bpi_transfer_failed_get_text(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, BPI_TRANSFER_FAILED_TEXT_CAP);
        bpi_copy((uint8_t *)out->text, (const uint8_t *)bytes.data, used);
        out->text[used] = '\0';
        out->text_length = (uint16_t)used;
    }
}

void bpi_transfer_failed_load(const bpi_transfer_failed_view *view, bpi_transfer_failed *out) {
    failed_load_all_(view, out);
}

bp_err bpi_transfer_failed_decode(const uint8_t *value, size_t length, bpi_transfer_failed *out) {
    bpi_transfer_failed_view view;
    const bp_err err = failed_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    failed_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err failed_rules_(const bpi_transfer_failed_view *view, const char **field) {
    {
        const uint16_t value = bpi_transfer_failed_get_error(view);
        if (value < 16u) return broken("error", field);
    }
    {
        const bp_text text = bpi_transfer_failed_get_text(view);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("text", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_failed_validate(const bpi_transfer_failed_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return failed_rules_(view, field);
}

bp_err bpi_transfer_failed_decode_valid(const uint8_t *value, size_t length, bpi_transfer_failed *out,
                                        const char **field) {
    bpi_transfer_failed_view view;
    bp_err err = bpi_transfer_failed_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = failed_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    failed_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_failed_print(const bpi_transfer_failed_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_failed_get_transfer(view));
    bpi_print_name(printer, "error");
    bpi_print_unsigned(printer, bpi_transfer_failed_get_error(view));
    bpi_print_name(printer, "part");
    bpi_print_unsigned(printer, bpi_transfer_failed_get_part(view));
    bpi_print_name(printer, "text");
    bpi_print_text(printer, bpi_transfer_failed_get_text(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- End */

static_assert(BPI_TRANSFER_END_MAX <= BPI_TRANSFER_END_CLASS, "End fits its size class");
static_assert(BPI_TRANSFER_END_MAX == 5,
              "End is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err end_measure_(const bpi_transfer_end *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_END_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void end_store_block_(uint8_t *at, const bpi_transfer_end *in) {
    bpi_store_u32(at + 0, in->transfer);
    bpi_store_bool(at + 4, in->is_discarded);
}

bp_err bpi_transfer_end_size(const bpi_transfer_end *message, uint32_t *out) {
    return end_measure_(message, out);
}

bp_err bpi_transfer_end_encode(const bpi_transfer_end *message, uint8_t *out,
                               size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = end_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    end_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void end_load_all_(const bpi_transfer_end_view *restrict view,
                                 bpi_transfer_end *restrict out) {
    out->transfer = bpi_transfer_end_get_transfer(view);
    out->is_discarded = bpi_transfer_end_get_is_discarded(view);
}

void bpi_transfer_end_load(const bpi_transfer_end_view *view, bpi_transfer_end *out) {
    end_load_all_(view, out);
}

bp_err bpi_transfer_end_decode(const uint8_t *value, size_t length, bpi_transfer_end *out) {
    bpi_transfer_end_view view;
    const bp_err err = bpi_transfer_end_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    end_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_end_validate(const bpi_transfer_end_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_end_decode_valid(const uint8_t *value, size_t length, bpi_transfer_end *out,
                                     const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_end_decode(value, length, out);
}

int bpi_transfer_end_print(const bpi_transfer_end_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "transfer");
    bpi_print_unsigned(printer, bpi_transfer_end_get_transfer(view));
    bpi_print_name(printer, "is_discarded");
    bpi_print_bool(printer, bpi_transfer_end_get_is_discarded(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- LogPut */

static_assert(BPI_TRANSFER_LOG_PUT_MAX <= BPI_TRANSFER_LOG_PUT_CLASS, "LogPut fits its size class");
static_assert(BPI_TRANSFER_LOG_PUT_MAX == BPI_ALIGNED(52, 1) + BPI_TRANSFER_LOG_PUT_NAME_CAP * 1,
              "LogPut is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err log_put_measure_(const bpi_transfer_log_put *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_LOG_PUT_BLOCK;
    *out = 0;
    const uint32_t name_count = in->name_length;
    if (BP_UNLIKELY(name_count > BPI_TRANSFER_LOG_PUT_NAME_CAP)) return BP_ERR_BOUND;
    size += name_count;
    *out = size;
    return BP_OK;
}

static inline void log_put_store_block_(uint8_t *at, const bpi_transfer_log_put *in) {
    bpi_store_u16(at + 16, BPI_TRANSFER_LOG_PUT_BLOCK);
    bpi_store_u64(at + 0, in->size);
    bpi_store_u32(at + 8, in->part_size);
    bpi_store_u32(at + 12, in->check);
    bpi_store_u16(at + 18, in->name_length);
    memcpy(at + 20, in->token, 16);
    memcpy(at + 36, in->boot, 16);
}

static inline void log_put_store_tail_(uint8_t *out, const bpi_transfer_log_put *in) {
    uint32_t end = BPI_TRANSFER_LOG_PUT_BLOCK;
    {
        const uint32_t count = in->name_length;
        bpi_copy(out + end, (const uint8_t *)in->name, count);
    }
}

bp_err bpi_transfer_log_put_size(const bpi_transfer_log_put *message, uint32_t *out) {
    return log_put_measure_(message, out);
}

bp_err bpi_transfer_log_put_encode(const bpi_transfer_log_put *restrict message, uint8_t *restrict out,
                                   size_t capacity, uint32_t *restrict length) {
    uint32_t size;
    bp_err err = log_put_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    log_put_store_block_(out, message);
    log_put_store_tail_(out, message);
    *length = size;
    return BP_OK;
}

/* Finds the block and the tails; checks everything but the elements of vectors. */
static inline bp_err bpi_transfer_log_put_open_(const uint8_t *value, size_t length, bpi_transfer_log_put_view *view,
                                                bpi_flaws *flaws) {
    if (BP_UNLIKELY(length < BPI_TRANSFER_LOG_PUT_ACCEPT_MIN)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(length > BPI_TRANSFER_LOG_PUT_ACCEPT_MAX)) return BP_ERR_BOUND;
    const uint32_t block_length = bpi_load_u16(value + 16);
    if (BP_UNLIKELY(block_length > length)) return BP_ERR_TRUNCATED;
    if (BP_UNLIKELY(block_length < BPI_TRANSFER_LOG_PUT_BLOCK)) return BP_ERR_MALFORMED;
    view->value = value;
    view->block_length = block_length;
    uint32_t end = block_length;
    view->name_count = bpi_load_u16(value + 18);
    if (BP_UNLIKELY(view->name_count > BPI_TRANSFER_LOG_PUT_NAME_CAP)) return BP_ERR_BOUND;
    const uint64_t name_bytes = view->name_count;
    if (!bpi_tail_find(value, (uint32_t)length, 1, name_bytes, &end, &view->name_at, flaws)) {
        return BP_ERR_TRUNCATED;
    }
    if (BP_UNLIKELY(end != length && block_length <= BPI_TRANSFER_LOG_PUT_BLOCK)) return BP_ERR_MALFORMED;
    return BP_OK;
}

/* Makes a view; expanded where a message is decoded, so that the view need not lie in memory. */
BPI_INLINE bp_err log_put_view_(const uint8_t *value, size_t length, bpi_transfer_log_put_view *out) {
    bpi_flaws flaws = {0, 0};
    bp_err err = bpi_transfer_log_put_open_(value, length, out, &flaws);
    if (BP_LIKELY(err == BP_OK)) err = bpi_flaws_err(&flaws);
    if (BP_UNLIKELY(err != BP_OK)) memset(out, 0, sizeof *out);
    return err;
}

bp_err bpi_transfer_log_put_view_init(const uint8_t *value, size_t length, bpi_transfer_log_put_view *out) {
    return log_put_view_(value, length, out);
}

static inline void log_put_load_all_(const bpi_transfer_log_put_view *restrict view,
                                     bpi_transfer_log_put *restrict out) {
    out->part_size = bpi_transfer_log_put_get_part_size(view);
    out->check = bpi_transfer_log_put_get_check(view);
    out->size = bpi_transfer_log_put_get_size(view);
    memcpy(out->token, view->value + 20, 16);
    memcpy(out->boot, view->value + 36, 16);
    {
        const bp_text bytes = bpi_transfer_log_put_get_name(view);
        const uint32_t used = bpi_clamped((uint32_t)bytes.length, BPI_TRANSFER_LOG_PUT_NAME_CAP);
        bpi_copy((uint8_t *)out->name, (const uint8_t *)bytes.data, used);
        out->name[used] = '\0';
        out->name_length = (uint16_t)used;
    }
}

void bpi_transfer_log_put_load(const bpi_transfer_log_put_view *view, bpi_transfer_log_put *out) {
    log_put_load_all_(view, out);
}

bp_err bpi_transfer_log_put_decode(const uint8_t *value, size_t length, bpi_transfer_log_put *out) {
    bpi_transfer_log_put_view view;
    const bp_err err = log_put_view_(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    log_put_load_all_(&view, out);
    return BP_OK;
}

/* Names the first field that breaks a rule. */
static inline bp_err log_put_rules_(const bpi_transfer_log_put_view *view, const char **field) {
    {
        const bp_text text = bpi_transfer_log_put_get_name(view);
        if (!bpi_utf8_is_valid((const uint8_t *)text.data, text.length)) return broken("name", field);
    }
    return BP_OK;
}

bp_err bpi_transfer_log_put_validate(const bpi_transfer_log_put_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    return log_put_rules_(view, field);
}

bp_err bpi_transfer_log_put_decode_valid(const uint8_t *value, size_t length, bpi_transfer_log_put *out,
                                         const char **field) {
    bpi_transfer_log_put_view view;
    bp_err err = bpi_transfer_log_put_view_init(value, length, &view);
    if (field != NULL) *field = NULL;
    if (BP_LIKELY(err == BP_OK)) err = log_put_rules_(&view, field);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    log_put_load_all_(&view, out);
    return BP_OK;
}

int bpi_transfer_log_put_print(const bpi_transfer_log_put_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "part_size");
    bpi_print_unsigned(printer, bpi_transfer_log_put_get_part_size(view));
    bpi_print_name(printer, "check");
    bpi_print_unsigned(printer, bpi_transfer_log_put_get_check(view));
    bpi_print_name(printer, "size");
    bpi_print_unsigned(printer, bpi_transfer_log_put_get_size(view));
    bpi_print_name(printer, "token");
    bpi_print_bytes(printer, bpi_transfer_log_put_get_token(view));
    bpi_print_name(printer, "boot");
    bpi_print_bytes(printer, bpi_transfer_log_put_get_boot(view));
    bpi_print_name(printer, "name");
    bpi_print_text(printer, bpi_transfer_log_put_get_name(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- LogPart */

static_assert(BPI_TRANSFER_LOG_PART_MAX <= BPI_TRANSFER_LOG_PART_CLASS, "LogPart fits its size class");
static_assert(BPI_TRANSFER_LOG_PART_MAX == 20,
              "LogPart is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err log_part_measure_(const bpi_transfer_log_part *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_LOG_PART_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void log_part_store_block_(uint8_t *at, const bpi_transfer_log_part *in) {
    bpi_store_u64(at + 0, in->part);
    bpi_store_u32(at + 8, in->length);
    bpi_store_u32(at + 12, in->crc);
    bpi_store_u32(at + 16, in->check);
}

bp_err bpi_transfer_log_part_size(const bpi_transfer_log_part *message, uint32_t *out) {
    return log_part_measure_(message, out);
}

bp_err bpi_transfer_log_part_encode(const bpi_transfer_log_part *message, uint8_t *out,
                                    size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = log_part_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    log_part_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void log_part_load_all_(const bpi_transfer_log_part_view *restrict view,
                                      bpi_transfer_log_part *restrict out) {
    out->part = bpi_transfer_log_part_get_part(view);
    out->length = bpi_transfer_log_part_get_length(view);
    out->crc = bpi_transfer_log_part_get_crc(view);
    out->check = bpi_transfer_log_part_get_check(view);
}

void bpi_transfer_log_part_load(const bpi_transfer_log_part_view *view, bpi_transfer_log_part *out) {
    log_part_load_all_(view, out);
}

bp_err bpi_transfer_log_part_decode(const uint8_t *value, size_t length, bpi_transfer_log_part *out) {
    bpi_transfer_log_part_view view;
    const bp_err err = bpi_transfer_log_part_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    log_part_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_log_part_validate(const bpi_transfer_log_part_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_log_part_decode_valid(const uint8_t *value, size_t length, bpi_transfer_log_part *out,
                                          const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_log_part_decode(value, length, out);
}

int bpi_transfer_log_part_print(const bpi_transfer_log_part_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "part");
    bpi_print_unsigned(printer, bpi_transfer_log_part_get_part(view));
    bpi_print_name(printer, "length");
    bpi_print_unsigned(printer, bpi_transfer_log_part_get_length(view));
    bpi_print_name(printer, "crc");
    bpi_print_unsigned(printer, bpi_transfer_log_part_get_crc(view));
    bpi_print_name(printer, "check");
    bpi_print_unsigned(printer, bpi_transfer_log_part_get_check(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}

/* ---- LogCommit */

static_assert(BPI_TRANSFER_LOG_COMMIT_MAX <= BPI_TRANSFER_LOG_COMMIT_CLASS, "LogCommit fits its size class");
static_assert(BPI_TRANSFER_LOG_COMMIT_MAX == 24,
              "LogCommit is as large as its constants say when it is full");

/* What the message takes, and whether it can be encoded. */
static inline bp_err log_commit_measure_(const bpi_transfer_log_commit *in, uint32_t *out) {
    uint32_t size = BPI_TRANSFER_LOG_COMMIT_BLOCK;
    *out = 0;
    (void)in;
    *out = size;
    return BP_OK;
}

static inline void log_commit_store_block_(uint8_t *at, const bpi_transfer_log_commit *in) {
    bpi_store_u64(at + 0, in->size);
    bpi_store_u64(at + 8, in->file);
    bpi_store_u32(at + 16, in->crc);
    bpi_store_u32(at + 20, in->check);
}

bp_err bpi_transfer_log_commit_size(const bpi_transfer_log_commit *message, uint32_t *out) {
    return log_commit_measure_(message, out);
}

bp_err bpi_transfer_log_commit_encode(const bpi_transfer_log_commit *message, uint8_t *out,
                                      size_t capacity, uint32_t *length) {
    uint32_t size;
    bp_err err = log_commit_measure_(message, &size);
    if (BP_UNLIKELY(err == BP_OK && size > capacity)) err = BP_ERR_SPACE;
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, length, sizeof *length);
    log_commit_store_block_(out, message);
    *length = size;
    return BP_OK;
}

static inline void log_commit_load_all_(const bpi_transfer_log_commit_view *restrict view,
                                        bpi_transfer_log_commit *restrict out) {
    out->crc = bpi_transfer_log_commit_get_crc(view);
    out->check = bpi_transfer_log_commit_get_check(view);
    out->size = bpi_transfer_log_commit_get_size(view);
    out->file = bpi_transfer_log_commit_get_file(view);
}

void bpi_transfer_log_commit_load(const bpi_transfer_log_commit_view *view, bpi_transfer_log_commit *out) {
    log_commit_load_all_(view, out);
}

bp_err bpi_transfer_log_commit_decode(const uint8_t *value, size_t length, bpi_transfer_log_commit *out) {
    bpi_transfer_log_commit_view view;
    const bp_err err = bpi_transfer_log_commit_view_init(value, length, &view);
    if (BP_UNLIKELY(err != BP_OK)) return bpi_refuse(err, out, sizeof *out);
    log_commit_load_all_(&view, out);
    return BP_OK;
}

bp_err bpi_transfer_log_commit_validate(const bpi_transfer_log_commit_view *view, const char **field) {
    if (field != NULL) *field = NULL;
    (void)view;
    return BP_OK;
}

bp_err bpi_transfer_log_commit_decode_valid(const uint8_t *value, size_t length, bpi_transfer_log_commit *out,
                                            const char **field) {
    if (field != NULL) *field = NULL;
    return bpi_transfer_log_commit_decode(value, length, out);
}

int bpi_transfer_log_commit_print(const bpi_transfer_log_commit_view *view, char *out, size_t size) {
    bpi_printer state = {out, size, 0, '\0'};
    bpi_printer *const printer = &state;
    (void)view;
    bpi_print_raw(printer, "{");
    bpi_print_name(printer, "crc");
    bpi_print_unsigned(printer, bpi_transfer_log_commit_get_crc(view));
    bpi_print_name(printer, "check");
    bpi_print_unsigned(printer, bpi_transfer_log_commit_get_check(view));
    bpi_print_name(printer, "size");
    bpi_print_unsigned(printer, bpi_transfer_log_commit_get_size(view));
    bpi_print_name(printer, "file");
    bpi_print_unsigned(printer, bpi_transfer_log_commit_get_file(view));
    bpi_print_raw(printer, "}");
    return bpi_print_end(printer);
}
