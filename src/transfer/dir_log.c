#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Logs of puts: frames of the room's contract, each of which counts only behind the one that it was written behind. */
#include "transfer/dir_store.h"

#include "base/crc32c.h"
#include "bufpool/detail/bytes.h"

enum { VALUE_MAX = BPI_TRANSFER_LOG_PUT_ACCEPT_MAX, FRAME_MAX = BP_FRAME_HEADER_SIZE + VALUE_MAX };
_Static_assert(BPI_TRANSFER_LOG_PART_ACCEPT_MAX <= VALUE_MAX && BPI_TRANSFER_LOG_COMMIT_ACCEPT_MAX <= VALUE_MAX,
               "LogPut is the longest record");
_Static_assert((int)FRAME_MAX <= (int)BPI_DIR_LOG_PIECE, "a record is in one piece");

/* ---- records ---- */

static bp_err encode(const bpi_dir_record *record, uint8_t *out, uint32_t *length) {
    switch (record->type) {
    case BPI_TRANSFER_LOG_PUT_TYPE: return bpi_transfer_log_put_encode(&record->put, out, VALUE_MAX, length);
    case BPI_TRANSFER_LOG_PART_TYPE: return bpi_transfer_log_part_encode(&record->part, out, VALUE_MAX, length);
    case BPI_TRANSFER_LOG_COMMIT_TYPE: return bpi_transfer_log_commit_encode(&record->commit, out, VALUE_MAX, length);
    default: return BP_ERR_ARGUMENT;
    }
}

static bp_err decode(const uint8_t *value, uint32_t length, bpi_dir_record *out) {
    switch (out->type) {
    case BPI_TRANSFER_LOG_PUT_TYPE: return bpi_transfer_log_put_decode(value, length, &out->put);
    case BPI_TRANSFER_LOG_PART_TYPE: return bpi_transfer_log_part_decode(value, length, &out->part);
    case BPI_TRANSFER_LOG_COMMIT_TYPE: return bpi_transfer_log_commit_decode(value, length, &out->commit);
    default: return BP_ERR_FRAME_TYPE;
    }
}

/* Of a record that encode or decode took. */
static uint32_t *check_of(bpi_dir_record *record) {
    switch (record->type) {
    case BPI_TRANSFER_LOG_PUT_TYPE: return &record->put.check;
    case BPI_TRANSFER_LOG_PART_TYPE: return &record->part.check;
    default: return &record->commit.check;
    }
}

/* Encodes the record with the check that it has behind chain, which it keeps. */
static bp_err seal(bpi_dir_record *record, uint32_t chain, uint8_t *out, uint32_t *length) {
    *check_of(record) = 0;
    const bp_err err = encode(record, out, length);
    if (err != BP_OK) return err;
    *check_of(record) = bpi_crc32c(chain, out, *length);
    return encode(record, out, length);
}

/* ---- writing ---- */

bp_err bpi_dir_log_add(bpi_dir_log *log, int fd, const bpi_dir_record *record) {
    uint8_t frame[FRAME_MAX];
    uint32_t length = 0;
    bpi_dir_record sealed = *record;
    bp_err err = seal(&sealed, log->chain, frame + BP_FRAME_HEADER_SIZE, &length);
    if (err != BP_OK) return err;
    bpi_store_u16(frame, sealed.type);
    bpi_store_u32(frame + 2, length);
    err = bpi_dir_write(fd, frame, BP_FRAME_HEADER_SIZE + length, log->at);
    if (err != BP_OK) return err;
    log->at += BP_FRAME_HEADER_SIZE + length;
    log->chain = *check_of(&sealed);
    return BP_OK;
}

/* ---- reading ---- */

void bpi_dir_log_reader_init(bpi_dir_log_reader *reader, int fd) {
    reader->fd = fd;
    reader->log = (bpi_dir_log){0};
    reader->used = reader->count = 0;
}

/* Has at least count bytes in the piece, unless the file ends before. */
static bp_err fill(bpi_dir_log_reader *reader, uint32_t count) {
    size_t got;
    if (reader->count - reader->used >= count) return BP_OK;
    const bp_err err = bpi_dir_read(reader->fd, reader->piece, sizeof reader->piece, reader->log.at, &got);
    if (err != BP_OK) return err;
    reader->used = 0;
    reader->count = (uint32_t)got;
    return got >= count ? BP_OK : BP_ERR_END;
}

/* Whether the value is what would have been written behind the record before. */
static bool is_sealed(const bpi_dir_record *record, uint32_t chain, const uint8_t *value, uint32_t length) {
    uint8_t due[VALUE_MAX];
    uint32_t due_length = 0;
    bpi_dir_record copy = *record;
    return seal(&copy, chain, due, &due_length) == BP_OK && due_length == length && memcmp(due, value, length) == 0;
}

bp_err bpi_dir_log_next(bpi_dir_log_reader *reader, bpi_dir_record *out) {
    bp_err err = fill(reader, BP_FRAME_HEADER_SIZE);
    if (err != BP_OK) return err;
    const uint8_t *head = reader->piece + reader->used;
    const uint32_t length = bpi_load_u32(head + 2);
    out->type = bpi_load_u16(head);
    if (length > VALUE_MAX) return BP_ERR_END;
    err = fill(reader, BP_FRAME_HEADER_SIZE + length);
    if (err != BP_OK) return err;
    const uint8_t *value = reader->piece + reader->used + BP_FRAME_HEADER_SIZE;
    if (decode(value, length, out) != BP_OK || !is_sealed(out, reader->log.chain, value, length)) return BP_ERR_END;
    reader->used += BP_FRAME_HEADER_SIZE + length;
    reader->log.at += BP_FRAME_HEADER_SIZE + length;
    reader->log.chain = *check_of(out);
    return BP_OK;
}
