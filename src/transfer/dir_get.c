#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Gets: the file is opened for each part, and is the one that was opened first as long as its version is. */
#include "transfer/dir_store.h"

#include "base/crc32c.h"
#include "bufpool/detail/bytes.h"

#include <errno.h>
#include <fcntl.h>

typedef struct dir_get {
    bpi_dir_object object; /* first: a get is an object */
    uint64_t size, version;
    char name[BP_OBJECT_NAME_MAX + 1];
} dir_get;

static bp_err get_open_job(bp_store *store, bp_store_call *call) {
    struct stat file;
    int fd;
    call->object = NULL;
    const bp_err err = bpi_dir_open_object(bpi_dir_of(store), call->name, &fd, &file);
    if (err != BP_OK) return err;
    call->has_crc = bpi_dir_find_crc(fd, &file, &call->crc);
    bpi_dir_close(&fd);
    const uint64_t version = bpi_dir_version(&file);
    if (call->version != 0 && call->version != version) return BP_ERR_CHANGED;
    dir_get *get = bpi_os.alloc(sizeof *get);
    if (get == NULL) return BP_ERR_NO_MEMORY;
    get->size = call->size = (uint64_t)file.st_size;
    get->version = call->version = version;
    memcpy(get->name, call->name, strlen(call->name) + 1);
    call->object = get;
    return BP_OK;
}

static bp_err read_whole(int fd, const dir_get *get, const bp_store_call *call) {
    struct stat file;
    size_t got;
    const bp_err err = bpi_dir_read(fd, call->data, call->length, call->offset, &got);
    if (err != BP_OK) return err;
    if (fstat(fd, &file) != 0) return bpi_dir_err(errno);
    return got == call->length && bpi_dir_version(&file) == get->version ? BP_OK : BP_ERR_CHANGED;
}

static bp_err read_job(bp_store *store, bp_store_call *call) {
    const dir_get *get = call->object;
    struct stat file;
    int fd;
    if (call->offset > get->size || call->length > get->size - call->offset) return BP_ERR_RANGE;
    bp_err err = bpi_dir_open_object(bpi_dir_of(store), get->name, &fd, &file);
    if (err != BP_OK) return err == BP_ERR_NOT_FOUND ? BP_ERR_CHANGED : err;
    err = bpi_dir_version(&file) == get->version ? read_whole(fd, get, call) : BP_ERR_CHANGED;
    bpi_dir_close(&fd);
    if (err == BP_OK) call->crc = bpi_crc32c(0, call->data, call->length);
    return err;
}

void bpi_dir_get_open(bp_store *store, bp_store_call *call) { bpi_call_work(store, call, get_open_job); }
void bpi_dir_get_read(bp_store *store, bp_store_call *call) { bpi_call_work(store, call, read_job); }
