#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* The directory of what is unfinished: made with the first put, and removed with the last one where it is to be tidy.
 *
 * Whoever has it open has a read lock on one byte of `lock`; who removes it, a write lock. So nobody begins while it is
 * being removed, and who waited for that finds that the file which he has locked is no longer there. */
#include "transfer/dir_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Locks of the open file, where there are such: another store of this process has others, and nothing that this one
 * closes gives them back. Without them nothing is removed: the process would take another store's lock for its own. */
#ifdef F_OFD_SETLK
enum { SET_LOCK = F_OFD_SETLK, AWAIT_LOCK = F_OFD_SETLKW, CAN_TIDY = true };
#else
enum { SET_LOCK = F_SETLK, AWAIT_LOCK = F_SETLKW, CAN_TIDY = false };
#endif

#define GATE INT64_MAX /* the byte: behind all tokens' */

static bp_err set_lock(const bpi_dir *dir, int how, short type, uint64_t at) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1};
    while (fcntl(dir->locks, how, &lock) != 0) {
        if (errno == EINTR) continue;
        return errno == EAGAIN || errno == EACCES ? BP_ERR_BUSY : bpi_dir_err(errno);
    }
    return BP_OK;
}

bp_err bpi_dir_lock_byte(const bpi_dir *dir, uint64_t at) { return set_lock(dir, SET_LOCK, F_WRLCK, at); }

void bpi_dir_unlock_byte(const bpi_dir *dir, uint64_t at) { (void)!set_lock(dir, SET_LOCK, F_UNLCK, at); }

/* ---- opening ---- */

static void close_work(bpi_dir *dir) {
    bpi_dir_close(&dir->locks);
    bpi_dir_close(&dir->work);
}

/* BP_MORE: somebody removes it, so that it is to be opened anew. */
static bp_err open_once(bpi_dir *dir, bool is_made) {
    struct stat file;
    if (is_made && mkdirat(dir->root, ".bufpool", 0700) != 0 && errno != EEXIST) return bpi_dir_err(errno);
    dir->work = openat(dir->root, ".bufpool", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir->work < 0) return errno == ENOENT && is_made ? BP_MORE : bpi_dir_err(errno);
    dir->locks = openat(dir->work, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (dir->locks < 0) return errno == ENOENT ? BP_MORE : bpi_dir_err(errno);
    const bp_err err = set_lock(dir, AWAIT_LOCK, F_RDLCK, GATE);
    if (err != BP_OK) return err;
    if (fstat(dir->locks, &file) != 0) return bpi_dir_err(errno);
    return file.st_nlink == 0 ? BP_MORE : BP_OK;
}

enum { TRIES = 1000 /* each is another one's removal; a file system that has its own ideas is not tried for ever */ };

static bp_err open_work(bpi_dir *dir, bool is_made) {
    bp_err err = BP_MORE;
    for (int i = 0; err == BP_MORE && i < TRIES; i++) {
        err = open_once(dir, is_made);
        if (err != BP_OK) close_work(dir);
    }
    return err == BP_MORE ? BP_ERR_BUSY : err;
}

bp_err bpi_dir_enter_work(bpi_dir *dir, bool is_made) {
    bpi_lock_enter(&dir->lock);
    const bp_err err = dir->work >= 0 ? BP_OK : open_work(dir, is_made);
    if (err == BP_OK) dir->work_users++;
    bpi_lock_leave(&dir->lock);
    return err;
}

/* ---- removing ---- */

DIR *bpi_dir_open_names(const bpi_dir *dir) {
    int fd = openat(dir->work, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (names == NULL) bpi_dir_close(&fd);
    return names;
}

static bool is_furniture(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lock") == 0;
}

static bool has_nothing(const bpi_dir *dir) {
    DIR *names = bpi_dir_open_names(dir);
    if (names == NULL) return false;
    errno = 0;
    const struct dirent *entry = readdir(names);
    while (entry != NULL && is_furniture(entry->d_name)) entry = readdir(names);
    const bool has = entry == NULL && errno == 0;
    (void)closedir(names);
    return has;
}

/* The own lock goes first: of several who leave at the same moment, the last one finds no other. */
static void tidy(bpi_dir *dir) {
    struct stat file;
    bpi_dir_unlock_byte(dir, GATE);
    if (!CAN_TIDY || bpi_dir_lock_byte(dir, GATE) != BP_OK) return;
    const bool is_there = fstat(dir->locks, &file) == 0 && file.st_nlink != 0;
    if (is_there && has_nothing(dir) && unlinkat(dir->work, "lock", 0) == 0) {
        (void)unlinkat(dir->root, ".bufpool", AT_REMOVEDIR);
    }
    bpi_dir_unlock_byte(dir, GATE);
}

void bpi_dir_leave_work(bpi_dir *dir) {
    bpi_lock_enter(&dir->lock);
    if (--dir->work_users == 0 && dir->is_tidy) {
        tidy(dir);
        close_work(dir);
    }
    bpi_lock_leave(&dir->lock);
}
