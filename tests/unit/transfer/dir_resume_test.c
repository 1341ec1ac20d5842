#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Puts that are gone on with: by whom, where, and what is believed of them. */
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include <fcntl.h>
#include <unistd.h>

static const bp_dir_store_options fast = {.is_fast = true};

/* Another store in the directory: that of the next process. */
static void next_life(bpt_store *of) {
    char path[BPT_STORE_PATH];
    memcpy(path, of->path, sizeof path);
    bpt_store_leave(of);
    bpt_store_join(of, path, &fast);
}

/* A put of which parts [0, count) are there, and no store any more. */
static bpt_put begin(bpt_store *of, uint64_t size, uint64_t count) {
    bpt_put put = bpt_put_of("object", size, 4);
    bpt_store_start(of, &fast);
    bpt_ok(bpt_put_open(of, &put));
    for (uint64_t part = 0; part < count; part++) bpt_ok(bpt_put_part(of, &put, part));
    bpt_put_close(of, &put);
    return put;
}

static void finish(bpt_store *of, bpt_put *put) {
    bpt_ok(bpt_put_rest(of, put));
    bpt_put_close(of, put);
    bpt_ok(bpt_get_whole(of, put->name, put->bytes, put->seed));
    bpt_store_end(of);
}

START_TEST(what_was_written_is_there_in_the_next_life) {
    bpt_store of;
    bpt_put put = begin(&of, 10 * BPT_PART + 1, 0);
    static const uint64_t parts[] = {3, 0, 1, 10, 7, 2, 9};
    uint64_t due = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        next_life(&of);
        bpt_ok(bpt_put_open(&of, &put));
        for (uint64_t part = 0; part < 11; part++) bpt_must(bpt_put_has(&put, part) == (due >> part & 1));
        bpt_ok(bpt_put_part(&of, &put, parts[i]));
        due |= UINT64_C(1) << parts[i];
        bpt_put_close(&of, &put);
    }
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_uint_eq(put.first, 4);
    finish(&of, &put);
}
END_TEST

START_TEST(a_put_is_gone_on_with_as_what_it_was_begun) {
    bpt_store of;
    const bpt_put begun = begin(&of, 3 * BPT_PART, 1);
    bpt_put other = begun;
    other.name = "objecu";
    bpt_err(bpt_put_open(&of, &other), BP_ERR_CHANGED);
    other = begun;
    other.size++;
    bpt_err(bpt_put_open(&of, &other), BP_ERR_CHANGED);
    other.size = BP_SIZE_UNKNOWN;
    bpt_err(bpt_put_open(&of, &other), BP_ERR_CHANGED);
    other = begun;
    other.part_size *= 2;
    bpt_err(bpt_put_open(&of, &other), BP_ERR_CHANGED);
    for (size_t i = 0; i < sizeof other.token.bytes; i++) {
        other = begun;
        other.token.bytes[i] ^= 1;
        bpt_err(bpt_put_open(&of, &other), BP_ERR_NOT_FOUND);
    }
    other = begun;
    bpt_ok(bpt_put_open(&of, &other)); /* none of these is at it */
    finish(&of, &other);
}
END_TEST

START_TEST(one_at_a_time_goes_on_with_a_put) {
    bpt_store of, second;
    bpt_put put = begin(&of, 3 * BPT_PART, 1), same = put;
    bpt_store_join(&second, of.path, &fast);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_err(bpt_put_open(&of, &same), BP_ERR_BUSY);
    bpt_err(bpt_put_open(&second, &same), BP_ERR_BUSY);
    bpt_put_close(&of, &put);
    bpt_ok(bpt_put_open(&second, &same));
    bpt_err(bpt_put_open(&of, &put), BP_ERR_BUSY);
    bpt_put_close(&second, &same);
    bpt_store_leave(&second);
    bpt_ok(bpt_put_open(&of, &put));
    finish(&of, &put);
}
END_TEST

START_TEST(a_committed_put_says_so) {
    bpt_store of;
    bpt_put put = begin(&of, 3 * BPT_PART, 3);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_commit(&of, &put));
    const uint64_t version = put.version;
    bpt_put_close(&of, &put);
    next_life(&of);
    for (int round = 0; round < 2; round++) {
        bpt_ok(bpt_put_open(&of, &put));
        ck_assert(put.is_committed);
        ck_assert_uint_eq(put.version, version);
        bpt_err(bpt_put_part(&of, &put, 1), BP_ERR_ARGUMENT);
        bpt_put_close(&of, &put);
    }
    bpt_put_whole(&of, "object", 5, 5);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert(put.is_committed);
    ck_assert_uint_eq(put.version, 0); /* another object has the name */
    bpt_put_close(&of, &put);
    bpt_ok(bpt_get_whole(&of, "object", 5, 5));
    bpt_store_end(&of);
}
END_TEST

/* ---- logs and part files that were touched ---- */

static uint64_t size_of(const char *path) {
    struct stat file;
    ck_assert_int_eq(stat(path, &file), 0);
    return (uint64_t)file.st_size;
}

/* Cut at each byte behind its first record. */
START_TEST(a_log_that_was_torn_has_what_is_before) {
    bpt_store of;
    bpt_put put = begin(&of, 6 * BPT_PART, 0);
    const uint64_t first = size_of(bpt_work_path(&of, &put.token, ".log"));
    bpt_ok(bpt_put_open(&of, &put));
    for (uint64_t part = 0; part < 5; part++) bpt_ok(bpt_put_part(&of, &put, part));
    bpt_put_close(&of, &put);
    const uint64_t whole = size_of(bpt_work_path(&of, &put.token, ".log")), record = (whole - first) / 5;
    for (uint64_t length = whole; length >= first; length--) {
        ck_assert_int_eq(truncate(bpt_work_path(&of, &put.token, ".log"), (off_t)length), 0);
        bpt_ok(bpt_put_open(&of, &put));
        bpt_must(put.first == (length - first) / record && put.have == 0);
        bpt_put_close(&of, &put);
    }
    ck_assert_int_eq(truncate(bpt_work_path(&of, &put.token, ".log"), (off_t)first - 1), 0);
    bpt_put unknown = put;
    bpt_err(bpt_put_open(&of, &unknown), BP_ERR_NOT_FOUND);
    bpt_store_end(&of);
}
END_TEST

START_TEST(without_its_part_file_a_put_is_unknown) {
    bpt_store of;
    bpt_put put = begin(&of, 3 * BPT_PART, 2);
    ck_assert_int_eq(unlink(bpt_work_path(&of, &put.token, ".part")), 0);
    bpt_err(bpt_put_open(&of, &put), BP_ERR_NOT_FOUND);
    bpt_store_end(&of);
}
END_TEST

static void spoil(const bpt_store *of, const bpt_put *put, uint64_t part) {
    const int fd = open(bpt_work_path(of, &put->token, ".part"), O_WRONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, "spoilt", 6, (off_t)(part * BPT_PART + 1000)), 6);
    (void)close(fd);
}

static uint8_t boot; /* of the system that this one pretends to be; 0: it does not know */

static bool pretend(uint8_t out[16]) {
    memset(out, boot, 16);
    return boot != 0;
}

static void boot_anew(bpt_store *of, uint8_t number) {
    boot = number;
    bpi_os.boot_id = pretend;
    next_life(of);
}

START_TEST(after_another_boot_only_what_can_be_read_is_believed) {
    bpt_store of;
    bpt_put put = begin(&of, 100 * BPT_PART, 50);
    spoil(&of, &put, 49);
    spoil(&of, &put, 20);
    boot_anew(&of, 1);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_uint_eq(put.first, 20);
    for (uint64_t part = 0; part < 100; part++) bpt_must(bpt_put_has(&put, part) == (part < 49 && part != 20));
    bpt_ok(bpt_put_part(&of, &put, 20));
    bpt_put_close(&of, &put);
    next_life(&of); /* of the same boot: the log was written anew, and is believed */
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_uint_eq(put.first, 49);
    ck_assert_int_ne(access(bpt_work_path(&of, &put.token, ".new"), F_OK), 0);
    finish(&of, &put);
    bpi_os = bpi_os_system;
}
END_TEST

START_TEST(a_system_that_does_not_know_its_boot_reads_every_time) {
    bpt_store of;
    bpt_put put = begin(&of, 10 * BPT_PART, 10);
    boot_anew(&of, 0);
    for (uint64_t part = 9; part > 4; part--) {
        spoil(&of, &put, part);
        bpt_ok(bpt_put_open(&of, &put));
        ck_assert_uint_eq(put.first, part);
        bpt_put_close(&of, &put);
    }
    bpt_ok(bpt_put_open(&of, &put));
    finish(&of, &put);
    bpi_os = bpi_os_system;
}
END_TEST

/* A part file that is too short for its log is looked at, whatever boot it is of. */
START_TEST(what_is_behind_the_end_of_the_part_file_is_not_believed) {
    bpt_store of;
    bpt_put put = begin(&of, 10 * BPT_PART, 10);
    ck_assert_int_eq(truncate(bpt_work_path(&of, &put.token, ".part"), 6 * BPT_PART + 5), 0);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_uint_eq(put.first, 6);
    ck_assert_uint_eq(put.have, 0);
    finish(&of, &put);
}
END_TEST

/* The log says that it is whole, and the name was not given: it is committed once more. */
START_TEST(a_put_that_died_before_its_name_was_given_is_committed_again) {
    bpt_store of;
    bpt_put put = begin(&of, 3 * BPT_PART, 3);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_int_eq(mkdir(bpt_store_path(&of, "object"), 0700), 0);
    bpt_err(bpt_put_commit(&of, &put), BP_ERR_NAME); /* behind LogCommit */
    bpt_put_close(&of, &put);
    ck_assert_int_eq(rmdir(bpt_store_path(&of, "object")), 0);
    if (_i != 0) boot_anew(&of, 1);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert(!put.is_committed);
    ck_assert_uint_eq(put.first, 3);
    finish(&of, &put);
    bpi_os = bpi_os_system;
}
END_TEST

BPT_SUITE(transfer_dir_resume) {
    BPT_TEST(what_was_written_is_there_in_the_next_life);
    BPT_TEST(a_put_is_gone_on_with_as_what_it_was_begun);
    BPT_TEST(one_at_a_time_goes_on_with_a_put);
    BPT_TEST(a_committed_put_says_so);
    BPT_TEST(a_log_that_was_torn_has_what_is_before);
    BPT_TEST(without_its_part_file_a_put_is_unknown);
    BPT_TEST(after_another_boot_only_what_can_be_read_is_believed);
    BPT_TEST(a_system_that_does_not_know_its_boot_reads_every_time);
    BPT_TEST(what_is_behind_the_end_of_the_part_file_is_not_believed);
    BPT_LOOP_TEST(a_put_that_died_before_its_name_was_given_is_committed_again, 0, 2);
}
