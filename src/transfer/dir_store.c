#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* A store in a directory: how it is made, and its table. */
#include "transfer/dir_store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { KEEP_MS_DEFAULT = 24 * 3600 * 1000 };

static bp_err close_job(bp_store *store, bp_store_call *call) {
    bpi_dir_object *object = call->object;
    if (object->is_put) {
        bpi_dir_put *put = call->object;
        bpi_dir_free_hold(bpi_dir_of(store), &put->hold);
        bpi_dir_leave_work(bpi_dir_of(store));
        bpi_line_fini(&put->line);
    }
    bpi_os.free(object);
    return BP_OK;
}

void bpi_dir_close_object(bp_store *store, bp_store_call *call) {
    const bpi_dir_object *object = call->object;
    bpi_dir_put *put = call->object;
    if (object->is_put)
        bpi_line_end(&put->line, store, call, close_job);
    else
        bpi_call_work(store, call, close_job);
}

static void free_dir(bp_store *store) {
    bpi_dir *dir = bpi_dir_of(store);
    bpi_dir_close(&dir->locks);
    bpi_dir_close(&dir->work);
    bpi_dir_close(&dir->root);
    bpi_lock_fini(&dir->lock);
    bpi_os.free(dir);
}

static const bp_store_table table = {
    .table_bytes = sizeof(bp_store_table),
    .does_crc = true,
    .put_open = bpi_dir_put_open,
    .write = bpi_dir_put_write,
    .commit = bpi_dir_put_commit,
    .abort = bpi_dir_put_abort,
    .get_open = bpi_dir_get_open,
    .read = bpi_dir_get_read,
    .close = bpi_dir_close_object,
    .list = bpi_dir_list,
    .free = free_dir,
};

static bp_err init(bpi_dir *dir, const bp_dir_store_options *options) {
    const bp_dir_store_options none = {0};
    if (options == NULL) options = &none;
    bpi_lock_init(&dir->lock);
    dir->work = dir->locks = -1;
    dir->is_followed = options->is_followed;
    dir->is_fast = options->is_fast;
    dir->keep_ms = options->keep_ms == 0 ? KEEP_MS_DEFAULT : options->keep_ms;
    dir->has_boot = bpi_os.boot_id(dir->boot);
    return bp_store_init(&dir->store, &table);
}

static bp_err make(const char *path, const bp_dir_store_options *options, bpi_dir **out) {
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return bpi_dir_err(errno);
    bpi_dir *dir = bpi_os.alloc(sizeof *dir);
    if (dir == NULL) {
        bpi_dir_close(&root);
        return BP_ERR_NO_MEMORY;
    }
    dir->root = root;
    const bp_err err = init(dir, options);
    if (err != BP_OK) free_dir(&dir->store);
    else *out = dir;
    return err;
}

bp_err bp_dir_store_new(const char *path, const bp_dir_store_options *options, bp_store **out) {
    bpi_dir *dir = NULL;
    *out = NULL;
    const bp_err err = make(path, options, &dir);
    if (err != BP_OK) return err;
    if (bpi_dir_enter_work(dir, false) == BP_OK) {
        bpi_dir_sweep(dir);
        bpi_dir_leave_work(dir);
    }
    *out = &dir->store;
    return BP_OK;
}

bp_err bpi_dir_store_new_tidy(const char *path, const bp_dir_store_options *options, bp_store **out) {
    bpi_dir *dir = NULL;
    *out = NULL;
    const bp_err err = make(path, options, &dir);
    if (err != BP_OK) return err;
    dir->is_tidy = true;
    *out = &dir->store;
    return BP_OK;
}

void bpi_dir_store_discard(bp_store *store, const bp_token *token) {
    bpi_dir *dir = bpi_dir_of(store);
    bpi_dir_hold hold;
    if (bpi_dir_enter_work(dir, false) != BP_OK) return;
    if (bpi_dir_take_hold(dir, &hold, token) == BP_OK) {
        bpi_dir_forget(dir, token);
        bpi_dir_free_hold(dir, &hold);
    }
    bpi_dir_leave_work(dir);
}
