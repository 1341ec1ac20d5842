#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Logs: what was written comes back, and nothing that was not written whole, behind what stands before it. */
#include "tests/support/suite.h"
#include "transfer/dir_store.h"

#include <stdio.h>
#include <unistd.h>

enum { RECORDS = 6, LOG_MAX = 1024 };

static bpi_dir_record record_of(uint32_t number) {
    bpi_dir_record record = {.type = BPI_TRANSFER_LOG_PART_TYPE,
                             .part = {.part = number, .length = 4096 + number, .crc = 0xABCD0000u + number}};
    if (number == 0) {
        record = (bpi_dir_record){.type = BPI_TRANSFER_LOG_PUT_TYPE,
                                  .put = {.part_size = 4096, .size = 77, .name = "a/name", .name_length = 6}};
    }
    if (number == RECORDS - 1) {
        record = (bpi_dir_record){.type = BPI_TRANSFER_LOG_COMMIT_TYPE, .commit = {.crc = 5, .size = 6, .file = 7}};
    }
    return record;
}

/* What tells the records of these tests apart. */
static uint64_t mark_of(const bpi_dir_record *record) {
    switch (record->type) {
    case BPI_TRANSFER_LOG_PUT_TYPE: return record->put.size ^ record->put.name_length;
    case BPI_TRANSFER_LOG_PART_TYPE: return record->part.part << 32 ^ record->part.length ^ record->part.crc;
    default: return record->commit.crc ^ record->commit.size << 8 ^ record->commit.file << 16;
    }
}

static int new_file(void) {
    char path[] = "/tmp/bufpool-log-XXXXXX";
    const int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    return fd;
}

/* Writes all records; ends[i] is where the i-th one ends. */
static bpi_dir_log write_all(int fd, uint64_t ends[RECORDS]) {
    bpi_dir_log log = {0};
    for (uint32_t i = 0; i < RECORDS; i++) {
        const bpi_dir_record record = record_of(i);
        bpt_ok(bpi_dir_log_add(&log, fd, &record));
        ends[i] = log.at;
    }
    return log;
}

/* Reads to the end: how many records there are, all of which must be the first ones of record_of. */
static uint32_t read_all(int fd, bpi_dir_log *end) {
    bpi_dir_log_reader reader;
    bpi_dir_record record;
    uint32_t count = 0;
    bp_err err;
    bpi_dir_log_reader_init(&reader, fd);
    for (; (err = bpi_dir_log_next(&reader, &record)) == BP_OK; count++) {
        const bpi_dir_record due = record_of(count);
        bpt_must(record.type == due.type && mark_of(&record) == mark_of(&due));
    }
    bpt_must(err == BP_ERR_END);
    bpt_must(bpi_dir_log_next(&reader, &record) == BP_ERR_END);
    *end = reader.log;
    return count;
}

static uint32_t whole_below(const uint64_t ends[RECORDS], uint64_t length) {
    uint32_t count = 0;
    while (count < RECORDS && ends[count] <= length) count++;
    return count;
}

START_TEST(what_was_written_comes_back) {
    uint64_t ends[RECORDS];
    bpi_dir_log end;
    const int fd = new_file();
    const bpi_dir_log log = write_all(fd, ends);
    ck_assert_uint_eq(read_all(fd, &end), RECORDS);
    ck_assert_uint_eq(end.at, log.at);
    ck_assert_uint_eq(end.chain, log.chain);
    (void)close(fd);
}
END_TEST

/* Cut at each byte; then the log goes on where it ends, over what is torn. */
START_TEST(a_torn_record_is_not_there_and_the_next_one_takes_its_place) {
    uint64_t ends[RECORDS];
    uint8_t bytes[LOG_MAX];
    bpi_dir_log end;
    const int fd = new_file();
    const bpi_dir_log log = write_all(fd, ends);
    bpt_must(pread(fd, bytes, sizeof bytes, 0) == (ssize_t)log.at);
    for (uint64_t length = 0; length <= log.at; length++) {
        bpt_must(ftruncate(fd, 0) == 0 && pwrite(fd, bytes, length, 0) == (ssize_t)length);
        uint32_t count = read_all(fd, &end);
        bpt_must(count == whole_below(ends, length));
        bpt_must(end.at == (count == 0 ? 0 : ends[count - 1]));
        for (; count < RECORDS; count++) {
            const bpi_dir_record record = record_of(count);
            bpt_must(bpi_dir_log_add(&end, fd, &record) == BP_OK);
        }
        bpt_must(read_all(fd, &end) == RECORDS);
    }
    ck_assert_uint_eq(end.at, log.at);
    (void)close(fd);
}
END_TEST

START_TEST(no_record_is_believed_from_a_wrong_byte_on) {
    uint64_t ends[RECORDS];
    bpi_dir_log end;
    const int fd = new_file();
    const bpi_dir_log log = write_all(fd, ends);
    for (uint64_t at = 0; at < log.at; at++) {
        for (int bit = 0; bit < 8; bit++) {
            uint8_t byte;
            bpt_must(pread(fd, &byte, 1, (off_t)at) == 1);
            const uint8_t wrong = (uint8_t)(byte ^ 1 << bit);
            bpt_must(pwrite(fd, &wrong, 1, (off_t)at) == 1);
            bpt_must(read_all(fd, &end) == whole_below(ends, at));
            bpt_must(pwrite(fd, &byte, 1, (off_t)at) == 1);
        }
    }
    ck_assert_uint_eq(read_all(fd, &end), RECORDS);
    (void)close(fd);
}
END_TEST

/* As after a write that failed, but had come through: the record that takes its place is as long, and what lies behind
 * it was written behind another one. */
START_TEST(a_record_counts_only_behind_the_one_that_it_was_written_behind) {
    uint64_t ends[RECORDS];
    bpi_dir_log_reader reader;
    bpi_dir_record record = record_of(2);
    const int fd = new_file();
    (void)write_all(fd, ends);
    bpi_dir_log_reader_init(&reader, fd);
    for (int i = 0; i < 2; i++) bpt_ok(bpi_dir_log_next(&reader, &record));
    bpi_dir_log log = reader.log;
    record = record_of(2);
    record.part.crc++;
    bpt_ok(bpi_dir_log_add(&log, fd, &record));
    ck_assert_uint_eq(log.at, ends[2]);
    bpi_dir_log_reader_init(&reader, fd);
    for (int i = 0; i < 3; i++) bpt_ok(bpi_dir_log_next(&reader, &record));
    ck_assert_uint_eq(record.part.crc, record_of(2).part.crc + 1);
    bpt_err(bpi_dir_log_next(&reader, &record), BP_ERR_END);
    (void)close(fd);
}
END_TEST

/* Longer than the piece in which it is read. */
START_TEST(a_long_log_is_read_in_pieces) {
    enum { MANY = 2000 };
    bpi_dir_log_reader reader;
    bpi_dir_log log = {0};
    const int fd = new_file();
    for (uint32_t i = 0; i < MANY; i++) {
        const bpi_dir_record record = record_of(1 + i % 4);
        bpt_must(bpi_dir_log_add(&log, fd, &record) == BP_OK);
    }
    bpi_dir_record record;
    bpi_dir_log_reader_init(&reader, fd);
    for (uint32_t i = 0; i < MANY; i++) {
        bpt_must(bpi_dir_log_next(&reader, &record) == BP_OK && record.part.part == 1 + i % 4);
    }
    bpt_err(bpi_dir_log_next(&reader, &record), BP_ERR_END);
    ck_assert_uint_eq(reader.log.at, log.at);
    (void)close(fd);
}
END_TEST

START_TEST(other_frames_end_a_log) {
    static const uint8_t frames[][8] = {{0}, {0x98, 3, 255, 255, 255, 255}, {0x98, 3, 0, 0, 0, 0}, {1, 0, 2, 0, 0, 0, 1, 2}};
    bpi_dir_log end;
    const int fd = new_file();
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        ck_assert_int_eq(pwrite(fd, frames[i], 8, 0), 8);
        ck_assert_uint_eq(read_all(fd, &end), 0);
        ck_assert_uint_eq(end.at, 0);
    }
    (void)close(fd);
}
END_TEST

START_TEST(a_log_that_cannot_be_read_or_written_has_not_ended) {
    bpi_dir_log_reader reader;
    bpi_dir_record record = record_of(1);
    bpi_dir_log log = {.at = 10, .chain = 20};
    bpi_dir_log_reader_init(&reader, -1);
    bpt_err(bpi_dir_log_next(&reader, &record), BP_ERR_SYSTEM);
    record = record_of(1);
    bpt_err(bpi_dir_log_add(&log, -1, &record), BP_ERR_SYSTEM);
    record.type = 1;
    bpt_err(bpi_dir_log_add(&log, -1, &record), BP_ERR_ARGUMENT);
    ck_assert_uint_eq(log.at, 10);
    ck_assert_uint_eq(log.chain, 20);
}
END_TEST

BPT_SUITE(transfer_dir_log) {
    BPT_TEST(what_was_written_comes_back);
    BPT_TEST(a_torn_record_is_not_there_and_the_next_one_takes_its_place);
    BPT_TEST(no_record_is_believed_from_a_wrong_byte_on);
    BPT_TEST(a_record_counts_only_behind_the_one_that_it_was_written_behind);
    BPT_TEST(a_long_log_is_read_in_pieces);
    BPT_TEST(other_frames_end_a_log);
    BPT_TEST(a_log_that_cannot_be_read_or_written_has_not_ended);
}
