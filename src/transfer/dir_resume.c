#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* What work has of a put that somebody goes on with. After another boot of the system, or where the part file is not
 * what the log says, every part is read, and the log written anew with those that are there: what a power cut left is
 * any mixture of what was written. */
#include "transfer/dir_store.h"

#include "base/crc32c.h"
#include "bufpool/detail/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A put while it is found again. */
typedef struct finding {
    const bpi_dir *dir;
    bpi_dir_put *put;
    const bp_store_call *call;
    int part, log; /* part: -1 where there is none */
    uint64_t part_bytes;
    bpi_dir_record first;  /* the log's LogPut */
    bpi_dir_record commit; /* and its LogCommit, where it has_commit */
    bpi_dir_log_reader reader;
} finding;

/* ---- one record ---- */

/* Whether the part may be where the record says; then it is done. What nobody can have written is passed over. */
static bool count_part(bpi_dir_put *put, const bpi_transfer_log_part *record) {
    bpi_plan ended = put->plan;
    if (!bpi_dir_put_end(&ended, record->part, record->length) || !bpi_plan_begin(&ended, record->part)) return false;
    put->plan = ended;
    bpi_dir_put_count(put, record->part, record->crc);
    return true;
}

static bool is_part_inside(const finding *of, const bpi_transfer_log_part *record) {
    const uint32_t part_size = of->put->plan.part_size;
    const uint64_t offset = record->part * part_size;
    return record->part <= of->part_bytes / part_size && offset <= of->part_bytes && record->length <= of->part_bytes - offset;
}

/* ---- what the log says ---- */

static bp_err read_first(finding *of) {
    const bp_err err = bpi_dir_log_next(&of->reader, &of->first);
    if (err != BP_OK && err != BP_ERR_END) return err;
    const bpi_transfer_log_put *put = &of->first.put;
    if (err != BP_OK || of->first.type != BPI_TRANSFER_LOG_PUT_TYPE || put->part_size == 0) return BP_ERR_NOT_FOUND;
    if (memcmp(put->token, of->call->token.bytes, sizeof put->token) != 0) return BP_ERR_NOT_FOUND;
    if (put->size != of->call->size || put->part_size != of->call->part_size) return BP_ERR_CHANGED;
    return strcmp(put->name, of->call->name) == 0 ? BP_OK : BP_ERR_CHANGED;
}

static void begin_plan(finding *of) {
    bpi_dir_put *put = of->put;
    bpi_plan_init(&put->plan, of->first.put.size, of->first.put.part_size, BPI_DIR_WINDOW);
    put->crc = 0;
    put->has_commit = false;
}

/* *is_whole: the part file is long enough for what the log says. */
static bp_err replay(finding *of, bool *is_whole) {
    bpi_dir_record record;
    bp_err err;
    begin_plan(of);
    *is_whole = true;
    while ((err = bpi_dir_log_next(&of->reader, &record)) == BP_OK) {
        if (record.type == BPI_TRANSFER_LOG_PART_TYPE && count_part(of->put, &record.part)) {
            *is_whole = *is_whole && is_part_inside(of, &record.part);
        }
        if (record.type == BPI_TRANSFER_LOG_COMMIT_TYPE) {
            of->put->has_commit = true;
            of->commit = record;
        }
    }
    of->put->log = of->reader.log;
    return err == BP_ERR_END ? BP_OK : err;
}

/* ---- what the part file says ---- */

enum { LOOK_BYTES = 64 * 1024 };

static bp_err sum_part(const finding *of, const bpi_transfer_log_part *record, uint8_t *room, uint32_t *crc) {
    uint64_t offset = record->part * of->put->plan.part_size;
    *crc = 0;
    for (uint32_t left = record->length; left != 0;) {
        size_t got;
        const size_t count = left < LOOK_BYTES ? left : LOOK_BYTES;
        const bp_err err = bpi_dir_read(of->part, room, count, offset, &got);
        if (err != BP_OK) return err;
        if (got != count) break;
        *crc = bpi_crc32c(*crc, room, count);
        offset += count;
        left -= (uint32_t)count;
    }
    return BP_OK;
}

/* Copies a record to the new log if its part is there. */
static bp_err look_at(finding *of, const bpi_dir_record *record, int fd, uint8_t *room) {
    uint32_t crc;
    if (record->type != BPI_TRANSFER_LOG_PART_TYPE || !is_part_inside(of, &record->part)) return BP_OK;
    const bp_err err = sum_part(of, &record->part, room, &crc);
    if (err != BP_OK) return err;
    if (crc != record->part.crc || !count_part(of->put, &record->part)) return BP_OK;
    return bpi_dir_log_add(&of->put->log, fd, record);
}

static bp_err write_anew(finding *of, int fd, uint8_t *room) {
    bpi_dir_record record;
    begin_plan(of);
    memcpy(of->first.put.boot, of->dir->boot, sizeof of->dir->boot);
    of->put->log = (bpi_dir_log){0};
    bp_err err = bpi_dir_log_add(&of->put->log, fd, &of->first);
    bpi_dir_log_reader_init(&of->reader, of->log);
    if (err == BP_OK) err = bpi_dir_log_next(&of->reader, &record); /* the old LogPut */
    while (err == BP_OK && (err = bpi_dir_log_next(&of->reader, &record)) == BP_OK) err = look_at(of, &record, fd, room);
    if (err == BP_ERR_END) err = bpi_dir_sync(of->part);
    return err == BP_OK ? bpi_dir_sync(fd) : err;
}

/* The old log stays until the new one is whole. What is looked at now, another cut shall not take. */
static bp_err verify(finding *of) {
    char fresh[BPI_DIR_FILE], old[BPI_DIR_FILE];
    struct stat file;
    int fd = -1;
    bpi_dir_file(&of->call->token, BPI_DIR_NEW, fresh);
    bpi_dir_file(&of->call->token, BPI_DIR_LOG, old);
    uint8_t *room = bpi_os.alloc_raw(LOOK_BYTES);
    bp_err err = room == NULL ? BP_ERR_NO_MEMORY : BP_OK;
    if (err == BP_OK) err = bpi_dir_open(of->dir->work, fresh, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, &fd, &file);
    if (err == BP_OK) err = write_anew(of, fd, room);
    if (err == BP_OK && renameat(of->dir->work, fresh, of->dir->work, old) != 0) err = bpi_dir_err(errno);
    if (err != BP_OK && fd >= 0) (void)unlinkat(of->dir->work, fresh, 0);
    bpi_dir_close(&fd);
    bpi_os.free(room);
    return err;
}

/* ---- all of it ---- */

static bool is_of_this_boot(const finding *of) {
    return of->dir->has_boot && memcmp(of->first.put.boot, of->dir->boot, sizeof of->dir->boot) == 0;
}

static bp_err find(finding *of, bool *is_committed) {
    bool is_whole;
    bpi_dir_log_reader_init(&of->reader, of->log);
    bp_err err = read_first(of);
    if (err == BP_OK) err = replay(of, &is_whole);
    if (err != BP_OK) return err;
    *is_committed = of->part < 0 && of->put->has_commit;
    if (*is_committed) return BP_OK;
    if (of->part < 0) return BP_ERR_NOT_FOUND;
    (void)futimens(of->log, NULL); /* somebody goes on with it */
    return is_of_this_boot(of) && is_whole ? BP_OK : verify(of);
}

static bp_err open_files(finding *of) {
    char name[BPI_DIR_FILE];
    struct stat file;
    bpi_dir_file(&of->call->token, BPI_DIR_LOG, name);
    bp_err err = bpi_dir_open(of->dir->work, name, O_RDWR | O_NOFOLLOW, &of->log, &file);
    if (err != BP_OK) return err;
    bpi_dir_file(&of->call->token, BPI_DIR_PART, name);
    err = bpi_dir_open(of->dir->work, name, O_RDWR | O_NOFOLLOW, &of->part, &file);
    if (err == BP_OK) of->part_bytes = (uint64_t)file.st_size;
    return err == BP_ERR_NOT_FOUND ? BP_OK : err;
}

bp_err bpi_dir_resume(const bpi_dir *dir, bpi_dir_put *put, const bp_store_call *call, bool *is_committed,
                      uint64_t *file) {
    finding of = {.dir = dir, .put = put, .call = call, .part = -1, .log = -1};
    *is_committed = false;
    bp_err err = open_files(&of);
    if (err == BP_OK) err = find(&of, is_committed);
    if (err == BP_OK && *is_committed) *file = of.commit.commit.file;
    bpi_dir_close(&of.part);
    bpi_dir_close(&of.log);
    return err;
}
