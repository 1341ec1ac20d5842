#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Files of the directory store: whole reads and writes, versions, and the sum beside a file. */
#include "transfer/dir_store.h"

#include "bufpool/detail/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/xattr.h>
#endif

static const struct {
    int number;
    bp_err err;
} table[] = {
    {ENOMEM, BP_ERR_NO_MEMORY},   {ENOSPC, BP_ERR_DISK_FULL},   {EDQUOT, BP_ERR_DISK_FULL},
    {EFBIG, BP_ERR_DISK_FULL},    {EACCES, BP_ERR_PERMISSION},  {EPERM, BP_ERR_PERMISSION},
    {EROFS, BP_ERR_PERMISSION},   {ENOENT, BP_ERR_NOT_FOUND},   {ENOTDIR, BP_ERR_NOT_FOUND},
    {ELOOP, BP_ERR_NOT_FOUND},    {ENXIO, BP_ERR_NOT_FOUND}, /* a pipe or a device that nobody serves */
    {ENAMETOOLONG, BP_ERR_NAME},  {EISDIR, BP_ERR_NAME},        {EXDEV, BP_ERR_NAME},
};

bp_err bpi_dir_err(int number) {
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (table[i].number == number) return table[i].err;
    }
    return BP_ERR_SYSTEM;
}

/* ---- bytes ---- */

bp_err bpi_dir_write(int fd, const void *data, size_t length, uint64_t offset) {
    const uint8_t *from = data;
    while (length != 0) {
        const ssize_t count = pwrite(fd, from, length, (off_t)offset);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return bpi_dir_err(errno);
        if (count == 0) return BP_ERR_SYSTEM; /* of a file there is no such answer */
        from += count;
        length -= (size_t)count;
        offset += (uint64_t)count;
    }
    return BP_OK;
}

bp_err bpi_dir_read(int fd, void *data, size_t length, uint64_t offset, size_t *got) {
    *got = 0;
    while (*got < length) {
        const ssize_t count = pread(fd, (uint8_t *)data + *got, length - *got, (off_t)(offset + *got));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return bpi_dir_err(errno);
        if (count == 0) break;
        *got += (size_t)count;
    }
    return BP_OK;
}

/* ---- descriptors ---- */

void bpi_dir_close(int *fd) {
    if (*fd >= 0) (void)close(*fd);
    *fd = -1;
}

/* O_NONBLOCK: whoever opens a pipe would wait for its other end. */
bp_err bpi_dir_open(int at, const char *name, int flags, int *fd, struct stat *file) {
    bp_err err = BP_OK;
    *fd = openat(at, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    if (*fd < 0) return bpi_dir_err(errno);
    if (fstat(*fd, file) != 0) err = bpi_dir_err(errno);
    else if (!S_ISREG(file->st_mode)) err = BP_ERR_NOT_FOUND;
    if (err != BP_OK) bpi_dir_close(fd);
    return err;
}

bp_err bpi_dir_sync(int fd) {
    while (fdatasync(fd) != 0) {
        if (errno != EINTR) return bpi_dir_err(errno);
    }
    return BP_OK;
}

/* The descriptor of a place may be good for paths only. */
bp_err bpi_dir_sync_directory(int at) {
    int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return bpi_dir_err(errno);
    const bp_err err = fsync(fd) == 0 ? BP_OK : bpi_dir_err(errno);
    bpi_dir_close(&fd);
    return err;
}

/* ---- what is known of a file ---- */

static uint64_t nanoseconds(const struct timespec *time) {
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

/* The finalizer of splitmix64: every bit of the number moves every bit of the result. */
static uint64_t mix(uint64_t sum, uint64_t number) {
    sum = (sum ^ number) + 0x9E3779B97F4A7C15u;
    sum = (sum ^ sum >> 30) * 0xBF58476D1CE4E5B9u;
    sum = (sum ^ sum >> 27) * 0x94D049BB133111EBu;
    return sum ^ sum >> 31;
}

/* The time of change is one that no program can set. */
uint64_t bpi_dir_version(const struct stat *file) {
    uint64_t version = mix(0, (uint64_t)file->st_dev);
    version = mix(version, (uint64_t)file->st_ino);
    version = mix(version, (uint64_t)file->st_size);
    version = mix(version, nanoseconds(&file->st_mtim));
    version = mix(version, nanoseconds(&file->st_ctim));
    return version == 0 ? 1 : version;
}

/* ---- the sum beside a file: u32 crc, u64 size, u64 time of the last change in nanoseconds, little-endian ---- */

#if defined(__linux__)
enum { NOTE_SIZE = 20 };

static void note_of(const struct stat *file, uint32_t crc, uint8_t out[NOTE_SIZE]) {
    bpi_store_u32(out, crc);
    bpi_store_u64(out + 4, (uint64_t)file->st_size);
    bpi_store_u64(out + 12, nanoseconds(&file->st_mtim));
}

/* Without one nothing is wrong: a get is checked part by part. */
void bpi_dir_keep_crc(int fd, uint32_t crc) {
    struct stat file;
    uint8_t note[NOTE_SIZE];
    if (fstat(fd, &file) != 0) return;
    note_of(&file, crc, note);
    (void)fsetxattr(fd, "user.bufpool", note, sizeof note, 0);
}

bool bpi_dir_find_crc(int fd, const struct stat *file, uint32_t *crc) {
    uint8_t found[NOTE_SIZE], due[NOTE_SIZE];
    if (fgetxattr(fd, "user.bufpool", found, sizeof found) != (ssize_t)sizeof found) return false;
    *crc = bpi_load_u32(found);
    note_of(file, *crc, due);
    return memcmp(found, due, sizeof due) == 0;
}
#else
void bpi_dir_keep_crc(int fd, uint32_t crc) { (void)fd, (void)crc; }
bool bpi_dir_find_crc(int fd, const struct stat *file, uint32_t *crc) { return (void)fd, (void)file, (void)crc, false; }
#endif
