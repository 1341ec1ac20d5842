#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Puts: parts are written to a file of their own, and told of in a log behind it; the object appears at once. */
#include "transfer/dir_store.h"

#include "base/crc32c.h"
#include "bufpool/detail/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* ---- parts and sums ---- */

bool bpi_dir_put_end(bpi_plan *plan, uint64_t part, uint32_t length) {
    if (length == 0 || length > plan->part_size || part > UINT64_MAX / plan->part_size - 1) return false;
    if (plan->size != BP_SIZE_UNKNOWN) return length == bpi_plan_length(plan, part);
    return length == plan->part_size || bpi_plan_end(plan, part * plan->part_size + length);
}

/* Parts are done in any order, their sums joined in theirs. */
void bpi_dir_put_count(bpi_dir_put *put, uint64_t part, uint32_t crc) {
    uint64_t next = put->plan.first;
    put->crcs[part % BPI_DIR_WINDOW] = crc;
    if (!bpi_plan_finish(&put->plan, part)) return;
    for (; next < put->plan.first; next++) {
        put->crc = bpi_crc32c_combine(put->crc, put->crcs[next % BPI_DIR_WINDOW], bpi_plan_length(&put->plan, next));
    }
}

/* ---- opening ---- */

static const bp_token no_token;

static bool is_none(const bp_token *token) { return memcmp(token, &no_token, sizeof no_token) == 0; }

static bp_err create(const bpi_dir *dir, const bp_token *token, bpi_dir_kind kind, int *fd) {
    char name[BPI_DIR_FILE];
    struct stat file;
    bpi_dir_file(token, kind, name);
    return bpi_dir_open(dir->work, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, fd, &file);
}

static bp_err write_first(const bpi_dir *dir, bpi_dir_put *put, int log) {
    bpi_dir_record record = {.type = BPI_TRANSFER_LOG_PUT_TYPE,
                             .put = {.part_size = put->plan.part_size, .size = put->size}};
    memcpy(record.put.token, put->token.bytes, sizeof record.put.token);
    memcpy(record.put.boot, dir->boot, sizeof record.put.boot);
    record.put.name_length = (uint16_t)strlen(put->name);
    memcpy(record.put.name, put->name, record.put.name_length);
    return bpi_dir_log_add(&put->log, log, &record);
}

/* What is there already is another put's, and stays. */
static bp_err begin_files(const bpi_dir *dir, bpi_dir_put *put) {
    int part = -1, log = -1;
    bp_err err = create(dir, &put->token, BPI_DIR_PART, &part);
    if (err != BP_OK) return err;
    err = create(dir, &put->token, BPI_DIR_LOG, &log);
    if (err == BP_OK) err = write_first(dir, put, log);
    if (err != BP_OK) bpi_dir_forget(dir, &put->token);
    bpi_dir_close(&part);
    bpi_dir_close(&log);
    return err;
}

static bp_err begin(bpi_dir *dir, bpi_dir_put *put, bp_store_call *call) {
    if (!bpi_os.secret(put->token.bytes, sizeof put->token.bytes) || is_none(&put->token)) return BP_ERR_SYSTEM;
    bp_err err = bpi_dir_take_hold(dir, &put->hold, &put->token);
    if (err != BP_OK) return err;
    bpi_plan_init(&put->plan, call->size, call->part_size, BPI_DIR_WINDOW);
    err = begin_files(dir, put);
    if (err != BP_OK) bpi_dir_free_hold(dir, &put->hold);
    else call->token = put->token;
    return err;
}

/* What was committed has its version as long as the name is its. */
static uint64_t version_of(const bpi_dir *dir, const char *name, uint64_t inode) {
    struct stat file;
    int fd;
    if (bpi_dir_open_object(dir, name, &fd, &file) != BP_OK) return 0;
    bpi_dir_close(&fd);
    return (uint64_t)file.st_ino == inode ? bpi_dir_version(&file) : 0;
}

static bp_err go_on(bpi_dir *dir, bpi_dir_put *put, bp_store_call *call) {
    uint64_t inode = 0;
    put->token = call->token;
    bp_err err = bpi_dir_take_hold(dir, &put->hold, &put->token);
    if (err != BP_OK) return err;
    err = bpi_dir_resume(dir, put, call, &call->is_committed, &inode);
    if (err != BP_OK) bpi_dir_free_hold(dir, &put->hold);
    if (err == BP_OK && call->is_committed) {
        put->is_done = true;
        call->version = version_of(dir, put->name, inode);
    }
    return err;
}

/* Better known now than at the commit; what comes into the way until then is found there. */
static bp_err look_at_name(const bpi_dir *dir, const char *name) {
    bpi_dir_place place;
    struct stat file;
    if (!bpi_dir_is_name(name)) return BP_ERR_NAME;
    bp_err err = bpi_dir_find(dir, name, &place);
    if (err == BP_OK && fstatat(place.at, place.leaf, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(file.st_mode)) {
        err = BP_ERR_NAME;
    }
    bpi_dir_leave(&place);
    return err == BP_ERR_NOT_FOUND ? BP_OK : err;
}

static bp_err open_put(bpi_dir *dir, bpi_dir_put *put, bp_store_call *call) {
    const bool is_new = is_none(&call->token);
    put->object.is_put = true;
    put->size = call->size;
    memcpy(put->name, call->name, strlen(call->name) + 1);
    bp_err err = bpi_dir_enter_work(dir, is_new);
    if (err != BP_OK) return err;
    bpi_dir_sweep(dir);
    err = is_new ? begin(dir, put, call) : go_on(dir, put, call);
    if (err != BP_OK) bpi_dir_leave_work(dir);
    return err;
}

static bp_err put_open_job(bp_store *store, bp_store_call *call) {
    bpi_dir *dir = bpi_dir_of(store);
    call->object = NULL;
    call->is_committed = false;
    call->version = 0;
    if (call->part_size == 0) return BP_ERR_PART_SIZE;
    bp_err err = look_at_name(dir, call->name);
    if (err != BP_OK) return err;
    bpi_dir_put *put = bpi_os.alloc(sizeof *put);
    if (put == NULL) return BP_ERR_NO_MEMORY;
    err = open_put(dir, put, call);
    if (err != BP_OK) {
        bpi_os.free(put);
        return err;
    }
    bpi_line_init(&put->line);
    call->object = put;
    call->first = put->plan.first;
    call->have = put->plan.done;
    return BP_OK;
}

/* ---- parts ---- */

/* BP_PENDING: it is to be written. */
static bp_err begin_part(bpi_dir_put *put, const bp_store_call *call) {
    bpi_plan *plan = &put->plan;
    bpi_plan ended = *plan;
    if (put->is_done || call->offset != call->part * plan->part_size) return BP_ERR_ARGUMENT;
    if (!bpi_dir_put_end(&ended, call->part, call->length)) return BP_ERR_PART;
    if (call->part < plan->first) return BP_OK;
    if (call->part - plan->first < BPI_DIR_WINDOW && (plan->done >> (call->part - plan->first) & 1) != 0) return BP_OK;
    return bpi_plan_begin(plan, call->part) ? BP_PENDING : BP_ERR_PART;
}

static bp_err write_bytes(const bpi_dir *dir, const bpi_dir_put *put, const bp_store_call *call) {
    char name[BPI_DIR_FILE];
    struct stat file;
    int fd;
    bpi_dir_file(&put->token, BPI_DIR_PART, name);
    bp_err err = bpi_dir_open(dir->work, name, O_WRONLY | O_NOFOLLOW, &fd, &file);
    if (err == BP_OK) err = bpi_dir_write(fd, call->data, call->length, call->offset);
    bpi_dir_close(&fd);
    return err;
}

static bp_err add_record(const bpi_dir *dir, bpi_dir_put *put, const bpi_dir_record *record) {
    char name[BPI_DIR_FILE];
    struct stat file;
    int fd;
    bpi_dir_file(&put->token, BPI_DIR_LOG, name);
    bp_err err = bpi_dir_open(dir->work, name, O_WRONLY | O_NOFOLLOW, &fd, &file);
    if (err == BP_OK) err = bpi_dir_log_add(&put->log, fd, record);
    bpi_dir_close(&fd);
    return err;
}

/* The part's bytes are in the file: the log says so, and then it is done. */
static bp_err finish_part(const bpi_dir *dir, bpi_dir_put *put, const bp_store_call *call) {
    const bpi_dir_record record = {.type = BPI_TRANSFER_LOG_PART_TYPE,
                                   .part = {.part = call->part, .length = call->length, .crc = call->crc}};
    bpi_plan ended = put->plan;
    if (!bpi_dir_put_end(&ended, call->part, call->length)) return BP_ERR_PART;
    const bp_err err = add_record(dir, put, &record);
    if (err != BP_OK) return err;
    put->plan = ended;
    bpi_dir_put_count(put, call->part, call->crc);
    return BP_OK;
}

static void undo_part(bpi_dir_put *put, uint64_t part) {
    const bool was_under_way = bpi_plan_undo(&put->plan, part);
    BPI_ASSERT(was_under_way);
    (void)was_under_way;
}

static bp_err write_job(bp_store *store, bp_store_call *call) {
    const bpi_dir *dir = bpi_dir_of(store);
    bpi_dir_put *put = call->object;
    if (bpi_crc32c(0, call->data, call->length) != call->crc) return BP_ERR_CHECKSUM;
    bp_err err = begin_part(put, call);
    if (err != BP_PENDING) return err;
    err = write_bytes(dir, put, call);
    if (err == BP_OK) err = finish_part(dir, put, call);
    if (err != BP_OK) undo_part(put, call->part);
    return err;
}

/* ---- commit ---- */

/* Everything that can be wrong with the file before it has its name. A part that was taken back may have left it too
 * long; too short it is by somebody else's doing. */
static bp_err prepare(const bpi_dir *dir, bpi_dir_put *put, int fd, const struct stat *file) {
    const uint64_t size = put->plan.size, there = (uint64_t)file->st_size;
    if (there < size) return BP_ERR_PART_MISSING;
    if (there > size && ftruncate(fd, (off_t)size) != 0) return bpi_dir_err(errno);
    bpi_dir_keep_crc(fd, put->crc);
    if (!dir->is_fast) {
        const bp_err err = bpi_dir_sync(fd);
        if (err != BP_OK) return err;
    }
    if (put->has_commit) return BP_OK;
    const bpi_dir_record record = {
        .type = BPI_TRANSFER_LOG_COMMIT_TYPE,
        .commit = {.crc = put->crc, .size = size, .file = (uint64_t)file->st_ino}};
    const bp_err err = add_record(dir, put, &record);
    put->has_commit = err == BP_OK;
    return err;
}

static bp_err give_name(const bpi_dir *dir, bpi_dir_put *put, const char *part) {
    bpi_dir_place place;
    bp_err err = bpi_dir_make(dir, put->name, &place);
    if (err == BP_OK && renameat(dir->work, part, place.at, place.leaf) != 0) err = bpi_dir_err(errno);
    if (err == BP_OK) put->is_done = true;
    if (err == BP_OK && !dir->is_fast) err = bpi_dir_sync_directory(place.at);
    bpi_dir_leave(&place);
    return err;
}

static bp_err commit_file(const bpi_dir *dir, bpi_dir_put *put, bp_store_call *call) {
    char part[BPI_DIR_FILE];
    struct stat file;
    int fd;
    bpi_dir_file(&put->token, BPI_DIR_PART, part);
    bp_err err = bpi_dir_open(dir->work, part, O_RDWR | O_NOFOLLOW, &fd, &file);
    if (err == BP_OK) err = prepare(dir, put, fd, &file);
    if (err == BP_OK) err = give_name(dir, put, part);
    if (err == BP_OK && fstat(fd, &file) != 0) err = bpi_dir_err(errno);
    if (err == BP_OK) call->version = bpi_dir_version(&file);
    bpi_dir_close(&fd);
    return err;
}

static bp_err commit_job(bp_store *store, bp_store_call *call) {
    bpi_dir_put *put = call->object;
    if (put->is_done) return BP_ERR_ARGUMENT;
    if (!bpi_plan_end(&put->plan, call->size) || !bpi_plan_is_done(&put->plan)) return BP_ERR_PART_MISSING;
    if (put->crc != call->crc) return BP_ERR_CHECKSUM;
    bpi_dir *dir = bpi_dir_of(store);
    const bp_err err = commit_file(dir, put, call);
    if (err == BP_OK && dir->is_tidy) bpi_dir_forget(dir, &put->token);
    return err;
}

static bp_err abort_job(bp_store *store, bp_store_call *call) {
    bpi_dir_put *put = call->object;
    if (put->is_done) return BP_ERR_ARGUMENT;
    bpi_dir_forget(bpi_dir_of(store), &put->token);
    put->is_done = true;
    return BP_OK;
}

void bpi_dir_put_open(bp_store *store, bp_store_call *call) { bpi_call_work(store, call, put_open_job); }

/* Those who write to one file wait for each other, in the kernel: in a line they do so without a thread for each. */
void bpi_dir_put_write(bp_store *store, bp_store_call *call) {
    bpi_line_work(&((bpi_dir_put *)call->object)->line, store, call, write_job);
}

void bpi_dir_put_commit(bp_store *store, bp_store_call *call) { bpi_call_work(store, call, commit_job); }
void bpi_dir_put_abort(bp_store *store, bp_store_call *call) { bpi_call_work(store, call, abort_job); }
