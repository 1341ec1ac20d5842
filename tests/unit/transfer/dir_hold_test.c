#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* What is unfinished: who holds it, across processes, and when it is swept away. */
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const bp_dir_store_options fast = {.is_fast = true}, short_lived = {.is_fast = true, .keep_ms = 3600 * 1000};

START_TEST(names_of_files_are_tokens) {
    static const bp_token token = {{0, 1, 0x9a, 0xff, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xf0}};
    static const char *const none[] = {"", "lock", "00019aff0405060708090a0b0c0d0ef", "00019aff0405060708090a0b0c0d0ef0",
                                       "00019aff0405060708090a0b0c0d0ef0.par", "00019aff0405060708090a0b0c0d0ef0.parts",
                                       "00019AFF0405060708090A0B0C0D0EF0.part", "0.part"};
    char name[BPI_DIR_FILE];
    bp_token found;
    bpi_dir_kind kind;
    bpi_dir_file(&token, BPI_DIR_PART, name);
    ck_assert_str_eq(name, "00019aff0405060708090a0b0c0d0ef0.part");
    for (int i = BPI_DIR_PART; i <= BPI_DIR_NEW; i++) {
        bpi_dir_file(&token, (bpi_dir_kind)i, name);
        ck_assert(bpi_dir_file_parse(name, &found, &kind));
        ck_assert_mem_eq(&found, &token, sizeof token);
        ck_assert_int_eq((int)kind, i);
    }
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) ck_assert(!bpi_dir_file_parse(none[i], &found, &kind));
}
END_TEST

/* ---- two processes ---- */

static int go[2], gone[2]; /* pipes: the child has opened the put; it may close it */

static void hold_until_told(const char *path, bpt_put put) {
    bpt_store of;
    char byte;
    bpt_store_join(&of, path, &fast);
    if (bpt_put_open(&of, &put) != BP_OK || write(gone[1], "x", 1) != 1) _exit(1);
    if (read(go[0], &byte, 1) != 1) _exit(2);
    bpt_put_close(&of, &put);
    if (write(gone[1], "x", 1) != 1) _exit(3);
    (void)read(go[0], &byte, 1);
    _exit(0);
}

/* Another process has the put; then it closes it, or is killed. */
START_TEST(a_put_is_one_processs_at_a_time) {
    char path[BPT_STORE_PATH], byte;
    bpt_store of;
    bpt_put put = bpt_put_of("object", 10, 1);
    bpt_store_directory(path);
    ck_assert_int_eq(pipe(go) | pipe(gone), 0);
    const pid_t first = fork();
    if (first == 0) { /* begins the put, so that this process had no threads when it forked */
        bpt_store_join(&of, path, &fast);
        bpt_ok(bpt_put_open(&of, &put));
        ck_assert_int_eq(write(gone[1], &put.token, sizeof put.token), sizeof put.token);
        _exit(0);
    }
    ck_assert_int_eq(read(gone[0], &put.token, sizeof put.token), sizeof put.token);
    ck_assert_int_eq(waitpid(first, NULL, 0), first);
    const pid_t other = fork();
    if (other == 0) hold_until_told(path, put);
    ck_assert_int_eq(read(gone[0], &byte, 1), 1);
    bpt_store_join(&of, path, &fast);
    bpt_err(bpt_put_open(&of, &put), BP_ERR_BUSY);
    if (_i == 0) {
        ck_assert_int_eq(write(go[1], "x", 1), 1);
        ck_assert_int_eq(read(gone[0], &byte, 1), 1);
    } else {
        ck_assert_int_eq(kill(other, SIGKILL), 0);
        ck_assert_int_eq(waitpid(other, NULL, 0), other);
    }
    bpt_ok(bpt_put_open(&of, &put));
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    bpt_store_end(&of);
    if (_i == 0) ck_assert_int_eq(write(go[1], "x", 1), 1);
    if (_i == 0) ck_assert_int_eq(waitpid(other, NULL, 0), other);
}
END_TEST

/* ---- sweeping ---- */

static void age(const bpt_store *of, const bpt_put *put, const char *ending, time_t seconds) {
    struct timespec now;
    ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
    const struct timespec times[2] = {{.tv_sec = now.tv_sec - seconds}, {.tv_sec = now.tv_sec - seconds}};
    ck_assert_int_eq(utimensat(AT_FDCWD, bpt_work_path(of, &put->token, ending), times, 0), 0);
}

static bool is_in_work(const bpt_store *of, const bpt_put *put, const char *ending) {
    return access(bpt_work_path(of, &put->token, ending), F_OK) == 0;
}

static bpt_put begin(bpt_store *of) {
    bpt_put put = bpt_put_of("object", 2 * BPT_PART, 1);
    bpt_ok(bpt_put_open(of, &put));
    bpt_ok(bpt_put_part(of, &put, 0));
    return put;
}

/* Makes a store in the directory, and ends it: it sweeps. */
static void sweep(const bpt_store *of) {
    bpt_store by;
    bpt_store_join(&by, of->path, &short_lived);
    bpt_store_leave(&by);
}

START_TEST(what_nobody_went_on_with_is_swept_and_nothing_else) {
    enum { HOUR = 3600 };
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put old = begin(&of), fresh = begin(&of), open = begin(&of), committed = begin(&of), orphan = begin(&of);
    bpt_ok(bpt_put_rest(&of, &committed));
    bpt_put *const closed[] = {&old, &fresh, &committed, &orphan};
    for (size_t i = 0; i < 4; i++) bpt_put_close(&of, closed[i]);
    ck_assert_int_eq(unlink(bpt_work_path(&of, &orphan.token, ".log")), 0);
    age(&of, &old, ".part", HOUR + 60);
    age(&of, &old, ".log", HOUR + 60);
    age(&of, &fresh, ".part", HOUR + 60);
    age(&of, &fresh, ".log", HOUR - 60); /* it was gone on with */
    age(&of, &open, ".part", HOUR + 60);
    age(&of, &open, ".log", HOUR + 60);
    age(&of, &committed, ".log", HOUR + 60);
    age(&of, &orphan, ".part", HOUR + 60);
    sweep(&of);
    ck_assert(!is_in_work(&of, &old, ".part") && !is_in_work(&of, &old, ".log"));
    ck_assert(is_in_work(&of, &fresh, ".part") && is_in_work(&of, &fresh, ".log"));
    ck_assert(is_in_work(&of, &open, ".part") && is_in_work(&of, &open, ".log"));
    ck_assert(!is_in_work(&of, &committed, ".log"));
    ck_assert(!is_in_work(&of, &orphan, ".part"));
    bpt_ok(bpt_get_whole(&of, "object", 2 * BPT_PART, 1));
    bpt_ok(bpt_put_rest(&of, &open));
    bpt_put_close(&of, &open);
    bpt_ok(bpt_put_open(&of, &fresh));
    bpt_put_close(&of, &fresh);
    bpt_err(bpt_put_open(&of, &old), BP_ERR_NOT_FOUND);
    bpt_store_end(&of);
}
END_TEST

/* Whoever goes on with a put keeps it, even without a new part. */
START_TEST(going_on_makes_young) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_put put = begin(&of);
    bpt_put_close(&of, &put);
    age(&of, &put, ".part", 7200);
    age(&of, &put, ".log", 7200);
    bpt_ok(bpt_put_open(&of, &put));
    bpt_put_close(&of, &put);
    sweep(&of);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert_uint_eq(put.first, 1);
    bpt_put_close(&of, &put);
    bpt_store_end(&of);
}
END_TEST

/* A store that only reads leaves nothing behind. */
START_TEST(work_is_made_with_the_first_put) {
    bpt_store of;
    bpt_store_start(&of, &fast);
    bpt_err(bpt_get_whole(&of, "object", 1, 1), BP_ERR_NOT_FOUND);
    bpt_put unknown = bpt_put_of("object", 1, 1);
    unknown.token.bytes[3] = 1;
    bpt_err(bpt_put_open(&of, &unknown), BP_ERR_NOT_FOUND);
    ck_assert(!bpt_store_has(&of, ".bufpool"));
    bpt_put_whole(&of, "object", 1, 1);
    ck_assert(bpt_store_has(&of, ".bufpool"));
    bpt_store_end(&of);
}
END_TEST

BPT_SUITE(transfer_dir_hold) {
    BPT_TEST(names_of_files_are_tokens);
    BPT_LOOP_TEST(a_put_is_one_processs_at_a_time, 0, 2);
    BPT_TEST(what_nobody_went_on_with_is_swept_and_nothing_else);
    BPT_TEST(going_on_makes_young);
    BPT_TEST(work_is_made_with_the_first_put);
}
