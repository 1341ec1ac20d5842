#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* The directory of what is unfinished: a tidy store leaves none of it, whoever else begins or dies meanwhile. */
#include "tests/support/file_faults.h"
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void start_tidy(bpt_store *of) {
    char path[BPT_STORE_PATH];
    bpt_store_directory(path);
    bpt_store_join_tidy(of, path);
}

static bpt_put begin(bpt_store *of, const char *name) {
    bpt_put put = bpt_put_of(name, 3 * BPT_PART, 7);
    bpt_ok(bpt_put_open(of, &put));
    bpt_ok(bpt_put_part(of, &put, 1));
    return put;
}

START_TEST(what_is_committed_leaves_nothing) {
    bpt_store of;
    start_tidy(&of);
    bpt_err(bpt_get_whole(&of, "object", 1, 1), BP_ERR_NOT_FOUND);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    for (int i = 0; i < 3; i++) {
        bpt_put put = begin(&of, "object");
        ck_assert_int_eq(bpt_work_count(&of), 3);
        bpt_ok(bpt_put_rest(&of, &put));
        ck_assert_int_eq(bpt_work_count(&of), 1); /* at once: a token that is done is nobody's */
        bpt_put_close(&of, &put);
        ck_assert_int_eq(bpt_work_count(&of), -1);
        bpt_err(bpt_put_open(&of, &put), BP_ERR_NOT_FOUND);
        ck_assert_int_eq(bpt_work_count(&of), -1);
    }
    bpt_ok(bpt_get_whole(&of, "object", 3 * BPT_PART, 7));
    bpt_store_end(&of);
}
END_TEST

START_TEST(what_is_thrown_away_leaves_nothing) {
    bpt_store of;
    start_tidy(&of);
    bpt_put open = begin(&of, "object"), closed = begin(&of, "other");
    bpt_put_close(&of, &closed);
    bpt_ok(bpt_put_abort(&of, &open));
    bpi_dir_store_discard(of.store, &closed.token);
    ck_assert_int_eq(bpt_work_count(&of), 1);
    bpt_put_close(&of, &open);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    bpi_dir_store_discard(of.store, &closed.token);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    ck_assert(!bpt_store_has(&of, "object") && !bpt_store_has(&of, "other"));
    bpt_store_end(&of);
}
END_TEST

START_TEST(what_is_held_is_not_thrown_away) {
    bpt_store of, other;
    start_tidy(&of);
    bpt_store_join_tidy(&other, of.path);
    bpt_put put = begin(&of, "object");
    bpi_dir_store_discard(of.store, &put.token);
    bpi_dir_store_discard(other.store, &put.token);
    bpt_store_leave(&other);
    ck_assert_int_eq(bpt_work_count(&of), 3);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    bpt_store_end(&of);
}
END_TEST

START_TEST(what_is_unfinished_leaves_its_two_files) {
    bpt_store of;
    start_tidy(&of);
    bpt_put put = begin(&of, "object"), done = begin(&of, "done");
    bpt_ok(bpt_put_rest(&of, &done));
    bpt_put_close(&of, &done);
    bpt_put_close(&of, &put);
    ck_assert_int_eq(bpt_work_count(&of), 3); /* and the file of locks */
    ck_assert_int_eq(access(bpt_work_path(&of, &put.token, ".part"), F_OK), 0);
    ck_assert_int_eq(access(bpt_work_path(&of, &put.token, ".log"), F_OK), 0);
    bpt_ok(bpt_put_open(&of, &put));
    ck_assert(bpt_put_has(&put, 1));
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    bpt_store_end(&of);
}
END_TEST

/* Whatever it is, it is not ours. */
START_TEST(what_others_put_there_stays) {
    bpt_store of;
    start_tidy(&of);
    bpt_put put = begin(&of, "object");
    const int fd = open(bpt_store_path(&of, ".bufpool/mine"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    ck_assert_int_eq(bpt_work_count(&of), 2);
    bpt_store_end(&of);
}
END_TEST

/* A server's store in the same directory has its work open, and its answers there. */
START_TEST(a_store_that_is_not_tidy_keeps_its_own) {
    static const bp_dir_store_options fast = {.is_fast = true};
    bpt_store of, server;
    start_tidy(&of);
    bpt_store_join(&server, of.path, &fast);
    bpt_put put = begin(&server, "theirs");
    bpt_ok(bpt_put_rest(&server, &put));
    bpt_put_close(&server, &put);
    bpt_put_whole(&of, "ours", BPT_PART, 1);
    ck_assert_int_eq(bpt_work_count(&of), 2);
    bpt_ok(bpt_put_open(&server, &put));
    ck_assert(put.is_committed);
    bpt_put_close(&server, &put);
    bpi_dir_store_discard(of.store, &put.token);
    ck_assert_int_eq(bpt_work_count(&of), 1); /* whoever has it open finds it there */
    bpt_put_whole(&server, "more", BPT_PART, 1);
    bpt_store_leave(&server);
    bpt_store_end(&of);
}
END_TEST

/* ---- processes; this one has no threads when it forks ---- */

static pid_t start_child(void (*run)(const char *path), const char *path) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child != 0) return child;
    run(path);
    _exit(0);
}

static int status_of(pid_t child) {
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void put_object(const char *path) {
    bpt_store of;
    bpt_store_join_tidy(&of, path);
    bpt_put_whole(&of, "object", BPT_PART, 1);
    bpt_store_leave(&of);
}

static void leave_unfinished(const char *path) {
    bpt_store of;
    bpt_store_join_tidy(&of, path);
    bpt_put put = begin(&of, "unfinished");
    bpt_put_close(&of, &put);
    bpt_store_leave(&of);
}

enum { NOBODY = 65534 };

static void read_as_nobody(const char *path) {
    bpt_store of;
    bpt_put put = bpt_put_of("mine", 1, 1);
    if (geteuid() == 0) ck_assert(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    bpt_store_join_tidy(&of, path);
    bpt_ok(bpt_get_whole(&of, "object", BPT_PART, 1));
    bpt_err(bpt_put_open(&of, &put), BP_ERR_PERMISSION);
    bpt_store_leave(&of);
}

/* _i: whether somebody else's work is there. */
START_TEST(who_reads_makes_nothing_and_needs_no_permission) {
    bpt_store of;
    bpt_store_directory(of.path);
    ck_assert_int_eq(status_of(start_child(put_object, of.path)), 0);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    if (_i != 0) ck_assert_int_eq(status_of(start_child(leave_unfinished, of.path)), 0);
    ck_assert_int_eq(chmod(of.path, 0555), 0);
    ck_assert_int_eq(status_of(start_child(read_as_nobody, of.path)), 0);
    ck_assert_int_eq(bpt_work_count(&of), _i == 0 ? -1 : 3);
    ck_assert_int_eq(chmod(of.path, 0700), 0);
    bpt_remove_tree(of.path);
}
END_TEST

enum { PROCESSES = 4, ROUNDS = 300 };

/* Begins and ends at moments of its own, so that the last of it is now gone, now not. */
static void begin_and_end(const char *path) {
    bpt_store of;
    bpt_store_join_tidy(&of, path);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "object-%ld", (long)getpid());
        bpt_put put = bpt_put_of(name, i % 3 * BPT_PART, i);
        bpt_must(bpt_put_open(&of, &put) == BP_OK);
        if (i % 5 == 4) {
            bpt_put_close(&of, &put); /* what is unfinished stays, also when another one ends */
            bpt_must(bpt_put_open(&of, &put) == BP_OK);
        }
        bpt_must(bpt_put_rest(&of, &put) == BP_OK);
        bpt_put_close(&of, &put);
        bpt_must(bpt_get_whole(&of, name, put.size, i) == BP_OK);
    }
    bpt_store_leave(&of);
}

START_TEST(one_begins_while_another_one_ends) {
    bpt_store of;
    pid_t children[PROCESSES];
    bpt_store_directory(of.path);
    for (int i = 0; i < PROCESSES; i++) children[i] = start_child(begin_and_end, of.path);
    for (int i = 0; i < PROCESSES; i++) ck_assert_int_eq(status_of(children[i]), 0);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    bpt_remove_tree(of.path);
}
END_TEST

static pthread_barrier_t *all; /* of those that end, and of the process that looks */

static void end_together(const char *path) {
    bpt_store of;
    bpt_store_join_tidy(&of, path);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "object-%ld", (long)getpid());
        bpt_put put = bpt_put_of(name, 0, i);
        bpt_must(bpt_put_open(&of, &put) == BP_OK);
        bpt_must(bpt_put_rest(&of, &put) == BP_OK);
        (void)pthread_barrier_wait(all);
        bpt_put_close(&of, &put);
        (void)pthread_barrier_wait(all);
        (void)pthread_barrier_wait(all); /* it was looked at */
    }
    bpt_store_leave(&of);
}

START_TEST(of_those_that_end_together_the_last_removes_it) {
    bpt_store of;
    pid_t children[PROCESSES];
    pthread_barrierattr_t shared;
    bpt_store_directory(of.path);
    all = mmap(NULL, sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(all, MAP_FAILED);
    ck_assert_int_eq(pthread_barrierattr_init(&shared), 0);
    ck_assert_int_eq(pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED), 0);
    ck_assert_int_eq(pthread_barrier_init(all, &shared, PROCESSES + 1), 0);
    for (int i = 0; i < PROCESSES; i++) children[i] = start_child(end_together, of.path);
    for (int i = 0; i < ROUNDS; i++) {
        (void)pthread_barrier_wait(all);
        (void)pthread_barrier_wait(all);
        bpt_must(bpt_work_count(&of) == -1);
        (void)pthread_barrier_wait(all);
    }
    for (int i = 0; i < PROCESSES; i++) ck_assert_int_eq(status_of(children[i]), 0);
    (void)pthread_barrierattr_destroy(&shared);
    ck_assert_int_eq(munmap(all, sizeof *all), 0);
    bpt_remove_tree(of.path);
}
END_TEST

static void die_over_it(const char *path) {
    bpt_store of;
    bpt_store_join_tidy(&of, path);
    (void)begin(&of, "unfinished");
    (void)kill(getpid(), SIGKILL);
}

/* Older than anything that is kept. */
static void make_old(const bpt_store *of) {
    static const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    DIR *names = opendir(bpt_store_path(of, ".bufpool"));
    ck_assert_ptr_nonnull(names);
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        if (entry->d_name[0] != '.') ck_assert_int_eq(utimensat(dirfd(names), entry->d_name, times, 0), 0);
    }
    (void)closedir(names);
}

/* Its lock ends with it; what it put stays to be gone on with, until it is old. */
START_TEST(what_a_killed_process_left_is_tidied_by_the_next) {
    bpt_store of;
    char path[BPT_STORE_PATH];
    bpt_store_directory(path);
    const int status = status_of(start_child(die_over_it, path));
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    bpt_store_join_tidy(&of, path);
    bpt_put_whole(&of, "object", 1, 1);
    ck_assert_int_eq(bpt_work_count(&of), 3);
    bpt_store_leave(&of);
    bpt_store_join_tidy(&of, path);
    make_old(&of);
    bpt_put_whole(&of, "object", 1, 1);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    bpt_store_end(&of);
}
END_TEST

/* Killed at the worst moment, it leaves the directory alone, or a file of locks. */
START_TEST(what_is_empty_already_is_removed) {
    bpt_store of;
    start_tidy(&of);
    ck_assert_int_eq(mkdir(bpt_store_path(&of, ".bufpool"), 0700), 0);
    bpt_put_whole(&of, "object", 1, 1);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    bpt_store_end(&of);
}
END_TEST

/* _i: another process removes it between mkdir and open; between open and the file of locks. */
START_TEST(what_is_removed_while_it_is_opened_is_made_anew) {
    static const bpt_file_fault gone = {.error = ENOENT, .only = "openat64"};
    enum { OPENS_OF_THE_NAME = 1 };
    bpt_store of;
    if (!bpt_file_faults_are_possible()) return;
    start_tidy(&of);
    bpt_put put = bpt_put_of("object", 1, 1);
    bpt_file_faults_arm(&gone, (uint64_t)(OPENS_OF_THE_NAME + _i));
    const bp_err err = bpt_put_open(&of, &put);
    ck_assert_ptr_nonnull(bpt_file_faults_disarm());
    bpt_ok(err);
    bpt_ok(bpt_put_rest(&of, &put));
    bpt_put_close(&of, &put);
    ck_assert_int_eq(bpt_work_count(&of), -1);
    bpt_store_end(&of);
}
END_TEST

BPT_SUITE(transfer_dir_work) {
    BPT_TEST(what_is_committed_leaves_nothing);
    BPT_TEST(what_is_thrown_away_leaves_nothing);
    BPT_TEST(what_is_held_is_not_thrown_away);
    BPT_TEST(what_is_unfinished_leaves_its_two_files);
    BPT_TEST(what_others_put_there_stays);
    BPT_TEST(a_store_that_is_not_tidy_keeps_its_own);
    BPT_LOOP_TEST(who_reads_makes_nothing_and_needs_no_permission, 0, 2);
    BPT_TEST(one_begins_while_another_one_ends);
    BPT_TEST(what_a_killed_process_left_is_tidied_by_the_next);
    BPT_TEST(what_is_empty_already_is_removed);
    BPT_TEST(of_those_that_end_together_the_last_removes_it);
    BPT_LOOP_TEST(what_is_removed_while_it_is_opened_is_made_anew, 0, 2);
}
