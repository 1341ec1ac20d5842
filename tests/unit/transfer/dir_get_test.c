#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Gets of the directory store: every byte is of the version that was opened. */
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include "base/crc32c.h"

#include <fcntl.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const bp_dir_store_options fast = {.is_fast = true};

enum { SIZE = 3 * BPT_PART + 9 };

/* A get of "object", which is there. */
typedef struct get {
    bpt_store of;
    bp_store_call open;
    uint8_t data[BPT_PART];
    uint32_t crc;
} get;

static bp_err open_get(get *by, uint64_t version) {
    bpi_call call = {.store = {.name = "object", .version = version}};
    const bp_err err = bpt_store_call(&by->of, &call, by->of.store->table->get_open);
    by->open = call.store;
    return err;
}

static bp_err read_at(get *by, uint64_t offset, uint32_t length) {
    bpi_call call = {.store = {.object = by->open.object, .offset = offset, .data = by->data, .length = length}};
    const bp_err err = bpt_store_call(&by->of, &call, by->of.store->table->read);
    by->crc = call.store.crc;
    return err;
}

static void close_get(get *by) {
    bpi_call call = {.store = {.object = by->open.object}};
    bpt_ok(bpt_store_call(&by->of, &call, by->of.store->table->close));
}

static void start(get *by) {
    bpt_store_start(&by->of, &fast);
    bpt_put_whole(&by->of, "object", SIZE, 1);
    bpt_ok(open_get(by, 0));
    ck_assert_uint_eq(by->open.size, SIZE);
    ck_assert_uint_ne(by->open.version, 0);
}

static void end(get *by) {
    close_get(by);
    bpt_store_end(&by->of);
}

START_TEST(any_range_can_be_read) {
    static const uint64_t offsets[] = {0, 1, BPT_PART, SIZE - 100, SIZE};
    uint8_t due[BPT_PART];
    get by;
    start(&by);
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        const uint64_t left = SIZE - offsets[i];
        const uint32_t length = left < BPT_PART ? (uint32_t)left : BPT_PART;
        bpt_ok(read_at(&by, offsets[i], length));
        bpt_fill(due, length, 1, offsets[i]);
        ck_assert_mem_eq(by.data, due, length);
        ck_assert_uint_eq(by.crc, bpi_crc32c(0, due, length));
    }
    end(&by);
}
END_TEST

START_TEST(what_is_not_in_the_object_is_not_read) {
    get by;
    start(&by);
    bpt_err(read_at(&by, SIZE, 1), BP_ERR_RANGE);
    bpt_err(read_at(&by, SIZE - 1, 2), BP_ERR_RANGE);
    bpt_err(read_at(&by, UINT64_MAX, 2), BP_ERR_RANGE);
    end(&by);
}
END_TEST

/* ---- other versions ---- */

static const char *object_path(const get *by) { return bpt_store_path(&by->of, "object"); }

static void replace(get *by) { bpt_put_whole(&by->of, "object", SIZE, 2); }
static void replace_by_the_same(get *by) { bpt_put_whole(&by->of, "object", SIZE, 1); }
static void take_away(get *by) { ck_assert_int_eq(unlink(object_path(by)), 0); }
static void cut(get *by) { ck_assert_int_eq(truncate(object_path(by), SIZE - 1), 0); }
static void cut_and_grow(get *by) {
    struct stat file;
    ck_assert_int_eq(stat(object_path(by), &file), 0);
    cut(by);
    ck_assert_int_eq(truncate(object_path(by), SIZE), 0);
    bpt_file_changed(object_path(by), &file);
}

/* In place, and with the time of the last change as it was: only the system's own time tells. */
static void forge(get *by) {
    struct stat file;
    const int fd = open(object_path(by), O_WRONLY);
    ck_assert_int_eq(fstat(fd, &file), 0);
    const struct timespec times[2] = {file.st_atim, file.st_mtim};
    do { /* until its clock has moved on */
        struct stat now;
        ck_assert_int_eq(pwrite(fd, "forged", 6, 0), 6);
        ck_assert_int_eq(futimens(fd, times), 0);
        ck_assert_int_eq(fstat(fd, &now), 0);
        if (now.st_ctim.tv_nsec != file.st_ctim.tv_nsec || now.st_ctim.tv_sec != file.st_ctim.tv_sec) break;
    } while (true);
    (void)close(fd);
}

static void (*const changes[])(get *by) = {replace, replace_by_the_same, take_away, cut, cut_and_grow, forge};
enum { CHANGE_COUNT = sizeof changes / sizeof changes[0] };

START_TEST(a_get_does_not_go_on_in_another_version) {
    get by;
    start(&by);
    const uint64_t version = by.open.version;
    bpt_ok(read_at(&by, 0, BPT_PART));
    changes[_i](&by);
    bpt_err(read_at(&by, BPT_PART, BPT_PART), BP_ERR_CHANGED);
    close_get(&by);
    bpt_err(open_get(&by, version), changes[_i] == take_away ? BP_ERR_NOT_FOUND : BP_ERR_CHANGED);
    ck_assert_ptr_null(by.open.object);
    bpt_store_end(&by.of);
}
END_TEST

START_TEST(a_version_stays_as_long_as_the_bytes_do) {
    get by;
    start(&by);
    const uint64_t version = by.open.version;
    for (int round = 0; round < 3; round++) {
        bpt_ok(read_at(&by, 0, BPT_PART));
        close_get(&by);
        bpt_ok(open_get(&by, version));
        ck_assert_uint_eq(by.open.version, version);
    }
    end(&by);
}
END_TEST

START_TEST(what_a_commit_says_is_the_version_that_is_got) {
    get by;
    start(&by);
    bpt_put put = bpt_put_of("object", SIZE, 3);
    bpt_ok(bpt_put_open(&by.of, &put));
    bpt_ok(bpt_put_rest(&by.of, &put));
    bpt_put_close(&by.of, &put);
    close_get(&by);
    bpt_ok(open_get(&by, put.version));
    end(&by);
}
END_TEST

/* ---- the sum beside the file ---- */

static bool has_attributes(const get *by) {
    return setxattr(object_path(by), "user.bufpool-test", "x", 1, 0) == 0 &&
           removexattr(object_path(by), "user.bufpool-test") == 0;
}

START_TEST(a_sum_is_known_until_the_file_is_changed) {
    get by;
    start(&by);
    if (has_attributes(&by)) {
        close_get(&by);
        bpt_ok(open_get(&by, 0));
        ck_assert(by.open.has_crc);
        ck_assert_uint_eq(by.open.crc, bpt_object_crc(1, SIZE));
    }
    close_get(&by);
    cut_and_grow(&by);
    bpt_ok(open_get(&by, 0));
    ck_assert(!by.open.has_crc);
    close_get(&by);
    (void)setxattr(object_path(&by), "user.bufpool", "short", 5, 0);
    bpt_ok(open_get(&by, 0));
    ck_assert(!by.open.has_crc);
    end(&by);
}
END_TEST

/* A file that nobody put is an object like any other. */
START_TEST(a_file_of_somebody_else_is_an_object) {
    get by;
    start(&by);
    const int fd = open(bpt_store_path(&by.of, "theirs"), O_WRONLY | O_CREAT, 0600);
    uint8_t data[100];
    bpt_fill(data, sizeof data, 7, 0);
    ck_assert_int_eq(pwrite(fd, data, sizeof data, 0), 100);
    (void)close(fd);
    bpt_ok(bpt_get_whole(&by.of, "theirs", 100, 7));
    bpt_err(bpt_get_whole(&by.of, "nobodys", 0, 7), BP_ERR_NOT_FOUND);
    end(&by);
}
END_TEST

BPT_SUITE(transfer_dir_get) {
    BPT_TEST(any_range_can_be_read);
    BPT_TEST(what_is_not_in_the_object_is_not_read);
    BPT_LOOP_TEST(a_get_does_not_go_on_in_another_version, 0, CHANGE_COUNT);
    BPT_TEST(a_version_stays_as_long_as_the_bytes_do);
    BPT_TEST(what_a_commit_says_is_the_version_that_is_got);
    BPT_TEST(a_sum_is_known_until_the_file_is_changed);
    BPT_TEST(a_file_of_somebody_else_is_an_object);
}
