#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Files of the directory store: what their errors mean, whole reads and writes, and versions. */
#include "tests/support/suite.h"
#include "transfer/dir_store.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

START_TEST(errors_have_a_meaning) {
    static const struct {
        int number;
        bp_err err;
    } rows[] = {
        {ENOSPC, BP_ERR_DISK_FULL},  {EDQUOT, BP_ERR_DISK_FULL},   {EFBIG, BP_ERR_DISK_FULL},
        {EACCES, BP_ERR_PERMISSION}, {EPERM, BP_ERR_PERMISSION},   {EROFS, BP_ERR_PERMISSION},
        {ENOENT, BP_ERR_NOT_FOUND},  {ENOTDIR, BP_ERR_NOT_FOUND},  {ELOOP, BP_ERR_NOT_FOUND},
        {ENAMETOOLONG, BP_ERR_NAME}, {EISDIR, BP_ERR_NAME},        {EXDEV, BP_ERR_NAME},
        {ENOMEM, BP_ERR_NO_MEMORY},  {EIO, BP_ERR_SYSTEM},         {EMFILE, BP_ERR_SYSTEM},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) bpt_err(bpi_dir_err(rows[i].number), rows[i].err);
}
END_TEST

static int new_file(void) {
    char path[] = "/tmp/bufpool-file-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    return fd;
}

START_TEST(a_read_tells_how_much_there_was) {
    char data[16] = "";
    size_t got = 99;
    int fd = new_file();
    bpt_ok(bpi_dir_write(fd, "hello", 5, 3));
    bpt_ok(bpi_dir_read(fd, data, 5, 3, &got));
    ck_assert_uint_eq(got, 5);
    ck_assert_str_eq(data, "hello");
    bpt_ok(bpi_dir_read(fd, data, sizeof data, 6, &got));
    ck_assert_uint_eq(got, 2);
    bpt_ok(bpi_dir_read(fd, data, sizeof data, 100, &got));
    ck_assert_uint_eq(got, 0);
    bpt_err(bpi_dir_write(fd, "x", 1, UINT64_MAX), BP_ERR_SYSTEM); /* no file is so long */
    bpi_dir_close(&fd);
    ck_assert_int_eq(fd, -1);
    bpi_dir_close(&fd);
    bpt_err(bpi_dir_read(fd, data, 1, 0, &got), BP_ERR_SYSTEM);
}
END_TEST

/* Every field of a file that is in its version changes it. */
START_TEST(versions_are_of_all_that_tells_files_apart) {
    struct stat file = {.st_dev = 1, .st_ino = 2, .st_size = 3, .st_mtim = {4, 5}, .st_ctim = {6, 7}}, other;
    const uint64_t version = bpi_dir_version(&file);
    ck_assert_uint_eq(bpi_dir_version(&file), version);
#define CHANGES(field)                                                                                                 \
    other = file;                                                                                                      \
    other.field++;                                                                                                     \
    ck_assert_uint_ne(bpi_dir_version(&other), version)
    CHANGES(st_dev);
    CHANGES(st_ino);
    CHANGES(st_size);
    CHANGES(st_mtim.tv_sec);
    CHANGES(st_mtim.tv_nsec);
    CHANGES(st_ctim.tv_sec);
    CHANGES(st_ctim.tv_nsec);
#undef CHANGES
    other = file;
    other.st_mode = 0755;
    ck_assert_uint_eq(bpi_dir_version(&other), version);
}
END_TEST

BPT_SUITE(transfer_dir_file) {
    BPT_TEST(errors_have_a_meaning);
    BPT_TEST(a_read_tells_how_much_there_was);
    BPT_TEST(versions_are_of_all_that_tells_files_apart);
}
