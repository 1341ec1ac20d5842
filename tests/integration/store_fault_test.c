#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* Every call on files of a whole life of an object fails once, in each way, or is the last one of its process: what is
 * told is true, nothing half is seen, nothing is lost of the process's, and the same thing done again succeeds. */
#include "tests/support/descriptors.h"
#include "tests/support/file_faults.h"
#include "tests/support/store_rig.h"
#include "transfer/dir_store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 3 * BPT_PART + 100, OLD_SIZE = BPT_PART + 1, NEW_SEED = 2, OLD_SEED = 1 };

/* ---- a life of an object, in steps; each may be repeated ---- */

typedef struct life {
    bpt_store of;
    bpt_put put;
    uint32_t told; /* by the list */
    bool has_begun_commit, is_told;
} life;

static bp_err open_step(life *in) {
    if (in->put.object != NULL) bpt_put_close(&in->of, &in->put);
    return bpt_put_open(&in->of, &in->put);
}

static bp_err part_0(life *in) { return bpt_put_part(&in->of, &in->put, 0); }
static bp_err part_1(life *in) { return bpt_put_part(&in->of, &in->put, 1); }
static bp_err part_2(life *in) { return bpt_put_part(&in->of, &in->put, 2); }
static bp_err part_3(life *in) { return bpt_put_part(&in->of, &in->put, 3); }

/* Only close follows a commit, whatever it answered: the next one begins with opening. */
static bp_err commit_step(life *in) {
    if (in->has_begun_commit) {
        const bp_err err = open_step(in);
        if (err != BP_OK || in->put.is_committed) return err;
    }
    in->has_begun_commit = true;
    const bp_err err = bpt_put_commit(&in->of, &in->put);
    if (err == BP_OK) in->is_told = true;
    return err;
}

static bp_err close_step(life *in) { return bpt_put_close(&in->of, &in->put), BP_OK; }
static bp_err get_step(life *in) { return bpt_get_whole(&in->of, "a/b", SIZE, NEW_SEED); }

static bp_err count_told(bpi_call *call, const bp_object_info *object) {
    (void)call;
    return strcmp(object->name, "a/b") == 0 ? BP_OK : BP_ERR_ARGUMENT;
}

static bp_err list_step(life *in) {
    bpi_call call = {.tell = count_told, .store = {.name = "", .after = "", .count_max = 9}};
    const bp_err err = bpt_store_call(&in->of, &call, in->of.store->table->list);
    in->told = call.told_count;
    return err;
}

/* What is resumed is opened twice: its log is read. */
static bp_err (*const steps[])(life *in) = {open_step, part_2,      part_0,     open_step, part_1,
                                            part_3,    commit_step, close_step, get_step,  list_step};
enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

static bool pretend_no_boot(uint8_t out[16]) {
    memset(out, 0, 16);
    return false;
}

static bool is_tidy; /* the stores of the lives that begin */

/* is_replaced: there is an old object under the name; is_distrusted: parts are read when a put is gone on with. */
static void begin(life *in, bool is_replaced, bool is_distrusted) {
    *in = (life){0};
    if (is_distrusted) bpi_os.boot_id = pretend_no_boot;
    bpt_store_start(&in->of, NULL);
    if (is_replaced) bpt_put_whole(&in->of, "a/b", OLD_SIZE, OLD_SEED);
    bpi_dir_of(in->of.store)->is_tidy = is_tidy;
    in->put = bpt_put_of("a/b", SIZE, NEW_SEED);
}

/* Under the name is what was there, or what is committed. */
static void check_name(life *in, bool is_replaced) {
    const bp_err new_err = bpt_get_whole(&in->of, "a/b", SIZE, NEW_SEED);
    if (in->is_told) bpt_ok(new_err);
    if (new_err == BP_OK) ck_assert(in->has_begun_commit);
    else if (is_replaced) bpt_ok(bpt_get_whole(&in->of, "a/b", OLD_SIZE, OLD_SEED));
    else bpt_err(new_err, BP_ERR_NOT_FOUND);
}

/* ---- one call fails ---- */

typedef struct fault_row {
    bpt_file_fault fault;
    bp_err err; /* what is told, unless nothing is; BP_OK: nothing is ever wrong */
} fault_row;

static const fault_row fault_rows[] = {
    {{.error = EIO}, BP_ERR_SYSTEM},           {{.error = ENOSPC}, BP_ERR_DISK_FULL},
    {{.error = EDQUOT}, BP_ERR_DISK_FULL},     {{.error = EMFILE}, BP_ERR_SYSTEM},
    {{.error = EACCES}, BP_ERR_PERMISSION},    {{.error = ENOMEM}, BP_ERR_NO_MEMORY},
    {{.error = EINTR, .only = "pwrite64"}, BP_OK}, {{.error = EINTR, .only = "pread64"}, BP_OK},
    {{.at_most = 1, .only = "pwrite64"}, BP_OK},   {{.at_most = 1, .only = "pread64"}, BP_OK},
};
enum { FAULT_COUNT = sizeof fault_rows / sizeof fault_rows[0] };

/* A file that is not seen, or may not be, has no object for whoever lists; a lock that is refused so is somebody's. */
static bool is_expected(const fault_row *row, bp_err err, const char *call) {
    if (err == row->err) return true;
    return row->fault.error == EACCES && err == BP_ERR_BUSY && strcmp(call, "fcntl64") == 0;
}

/* Runs the life with the n-th call failing; false: there are not so many. */
static bool run_with_fault(const fault_row *row, uint64_t before, bool is_replaced, bool is_distrusted) {
    life in;
    unsigned failures = 0;
    begin(&in, is_replaced, is_distrusted);
    bpt_file_faults_arm(&row->fault, before);
    const char *hit = NULL;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        bp_err err = steps[i](&in);
        if (err == BP_OK) continue;
        hit = bpt_file_faults_disarm();
        ck_assert_msg(hit != NULL && failures++ == 0, "step %zu: %s", i, bp_err_name(err));
        ck_assert_msg(is_expected(row, err, hit), "call %lu, %s, step %zu: %s", (unsigned long)before, hit, i, bp_err_name(err));
        check_name(&in, is_replaced);
        err = steps[i](&in);
        ck_assert_msg(err == BP_OK, "call %lu, %s, step %zu again: %s", (unsigned long)before, hit, i, bp_err_name(err));
    }
    if (failures == 0) hit = bpt_file_faults_disarm();
    check_name(&in, is_replaced);
    bpt_ok(get_step(&in));
    bpt_store_end(&in.of);
    bpi_os = bpi_os_system;
    return hit != NULL;
}

/* Behind a first life, in which libuv has opened what it keeps. */
static int first_descriptors(void) {
    life in;
    begin(&in, true, false);
    bpt_store_end(&in.of);
    return bpt_descriptor_count();
}

START_TEST(each_call_fails_once_and_the_same_again_succeeds) {
    const fault_row *row = &fault_rows[_i];
    if (!bpt_file_faults_are_possible()) return;
    const int descriptors = first_descriptors();
    for (int kind = 0; kind < 3; kind++) {
        is_tidy = kind == 2;
        uint64_t before = 0;
        while (run_with_fault(row, before, kind == 0, kind == 1)) before++;
        ck_assert_uint_gt(before, row->fault.only == NULL ? 60 : 5);
        ck_assert_int_eq(bpt_descriptor_count(), descriptors);
    }
}
END_TEST

/* ---- memory ---- */

static long until_none; /* allocations that succeed before one fails */

static void *alloc_or_none(size_t size) { return until_none-- == 0 ? NULL : bpi_os_system.alloc(size); }
static void *alloc_raw_or_none(size_t size) { return until_none-- == 0 ? NULL : bpi_os_system.alloc_raw(size); }

/* True: there were so many allocations. */
static bool run_without_memory(long before, bool is_distrusted) {
    life in;
    begin(&in, true, is_distrusted);
    until_none = before;
    bpi_os.alloc = alloc_or_none;
    bpi_os.alloc_raw = alloc_raw_or_none;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        const bp_err err = steps[i](&in);
        if (err == BP_OK) continue;
        ck_assert_int_lt(until_none, 0);
        bpt_err(err, BP_ERR_NO_MEMORY);
        check_name(&in, true);
        bpt_ok(steps[i](&in));
    }
    bpi_os = bpi_os_system;
    bpt_ok(get_step(&in));
    bpt_store_end(&in.of);
    return until_none < 0;
}

START_TEST(each_allocation_fails_once_and_the_same_again_succeeds) {
    long before = 0;
    while (run_without_memory(before, _i != 0)) before++;
    ck_assert_int_gt(before, 4);
}
END_TEST

START_TEST(without_memory_there_is_no_store) {
    bp_store *store = (bp_store *)&store;
    until_none = 0;
    bpi_os.alloc = alloc_or_none;
    bpt_err(bp_dir_store_new("/tmp", NULL, &store), BP_ERR_NO_MEMORY);
    ck_assert_ptr_null(store);
    bpi_os = bpi_os_system;
}
END_TEST

static bool no_secret(void *out, size_t size) { return (void)out, (void)size, false; }

START_TEST(without_secrets_there_is_no_token) {
    life in;
    begin(&in, false, false);
    bpi_os.secret = no_secret;
    bpt_err(open_step(&in), BP_ERR_SYSTEM);
    bpi_os = bpi_os_system;
    bpt_ok(open_step(&in));
    bpt_put_close(&in.of, &in.put);
    bpt_store_end(&in.of);
}
END_TEST

/* ---- a disk that is full for a while ---- */

static void set_limit(rlim_t bytes) {
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The part that is the first one without room is written up to the limit. */
START_TEST(a_put_goes_on_when_there_is_room_again) {
    life in;
    begin(&in, true, false);
    (void)signal(SIGXFSZ, SIG_IGN);
    bpt_ok(open_step(&in));
    set_limit(BPT_PART + 1000);
    bpt_ok(part_0(&in));
    bpt_err(part_1(&in), BP_ERR_DISK_FULL);
    bpt_err(part_3(&in), BP_ERR_DISK_FULL);
    bpt_err(bpt_put_commit(&in.of, &in.put), BP_ERR_PART_MISSING);
    set_limit(RLIM_INFINITY);
    check_name(&in, true);
    bpt_ok(open_step(&in));
    ck_assert_uint_eq(in.put.first, 1);
    ck_assert_uint_eq(in.put.have, 0);
    bpt_ok(bpt_put_rest(&in.of, &in.put));
    bpt_put_close(&in.of, &in.put);
    bpt_ok(get_step(&in));
    bpt_store_end(&in.of);
}
END_TEST

/* ---- a put that is thrown away, but not all of it ---- */

START_TEST(what_is_half_thrown_away_is_unknown_and_not_committed) {
    static const bpt_file_fault fault = {.error = EIO, .only = "unlinkat"};
    if (!bpt_file_faults_are_possible()) return;
    for (uint64_t before = 0; before < 2; before++) {
        life in;
        begin(&in, false, false);
        bpt_ok(open_step(&in));
        ck_assert_int_eq(mkdir(bpt_store_path(&in.of, "a"), 0700), 0);
        ck_assert_int_eq(mkdir(bpt_store_path(&in.of, "a/b"), 0700), 0);
        bpt_err(bpt_put_rest(&in.of, &in.put), BP_ERR_NAME); /* its log has a LogCommit */
        ck_assert_int_eq(rmdir(bpt_store_path(&in.of, "a/b")), 0);
        bpt_ok(open_step(&in));
        bpt_file_faults_arm(&fault, before);
        bpt_ok(bpt_put_abort(&in.of, &in.put));
        ck_assert_ptr_nonnull(bpt_file_faults_disarm());
        bpt_put_close(&in.of, &in.put);
        const bp_err err = bpt_put_open(&in.of, &in.put);
        ck_assert(err == BP_ERR_NOT_FOUND || (err == BP_OK && before == 0 && !in.put.is_committed));
        if (err == BP_OK) bpt_put_close(&in.of, &in.put);
        bpt_store_end(&in.of);
    }
}
END_TEST

/* ---- one call is the last one ---- */

/* What the process that dies was told, where its death leaves it. */
typedef struct testament {
    char path[BPT_STORE_PATH];
    bp_token token;
    bool has_token, has_begun_commit, is_told;
    bool is_there[4]; /* parts */
} testament;

static testament *shared;

static _Noreturn void live_until(uint64_t before) {
    static const bpt_file_fault death = {.is_deadly = true};
    life in = {.put = bpt_put_of("a/b", SIZE, NEW_SEED)};
    if (shared->has_token) in.put.token = shared->token;
    bpt_file_faults_arm(&death, before);
    bpt_store_join(&in.of, shared->path, NULL);
    bpt_ok(open_step(&in));
    shared->token = in.put.token;
    shared->has_token = true;
    for (uint64_t i = 0; i < 4; i++) {
        const uint64_t part = 3 - i;
        bpt_ok(bpt_put_part(&in.of, &in.put, part));
        shared->is_there[part] = true;
    }
    shared->has_begun_commit = true;
    bpt_ok(bpt_put_commit(&in.of, &in.put));
    shared->is_told = true;
    bpt_put_close(&in.of, &in.put);
    _exit(0);
}

/* The next process: what the dead one was told is true, and all of it can be finished. */
static _Noreturn void inherit(void) {
    life in = {.put = bpt_put_of("a/b", SIZE, NEW_SEED), .has_begun_commit = shared->has_begun_commit};
    in.is_told = shared->is_told;
    if (shared->has_token) in.put.token = shared->token;
    bpi_os.boot_id = pretend_no_boot; /* so that what it claims is read, too */
    bpt_store_join(&in.of, shared->path, NULL);
    check_name(&in, true);
    bpt_ok(open_step(&in));
    if (in.is_told) ck_assert(in.put.is_committed);
    for (uint64_t part = 0; !in.put.is_committed && part < 4; part++) {
        if (shared->is_there[part]) ck_assert(bpt_put_has(&in.put, part));
    }
    if (!in.put.is_committed) bpt_ok(bpt_put_rest(&in.of, &in.put));
    bpt_put_close(&in.of, &in.put);
    bpt_ok(get_step(&in));
    bpt_store_leave(&in.of);
    _exit(0);
}

/* A file that nobody put is an object, too. */
static void write_old(void) {
    uint8_t data[OLD_SIZE];
    char path[BPT_STORE_PATH + 8];
    (void)snprintf(path, sizeof path, "%s/a", shared->path);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/a/b", shared->path);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    bpt_fill(data, sizeof data, OLD_SEED, 0);
    ck_assert_uint_eq(fwrite(data, 1, sizeof data, file), sizeof data);
    ck_assert_int_eq(fclose(file), 0);
}

static int status_of(pid_t child) {
    int status;
    ck_assert_int_ge(child, 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

/* Each in a process of its own, so that this one has no threads when it forks. True: it died. */
static bool die_and_inherit(uint64_t before) {
    memset(shared, 0, sizeof *shared);
    bpt_store_directory(shared->path);
    write_old();
    pid_t child = fork();
    if (child == 0) live_until(before);
    const int status = status_of(child);
    ck_assert(status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL));
    child = fork();
    if (child == 0) inherit();
    ck_assert_msg(status_of(child) == 0, "killed before call %lu", (unsigned long)before);
    bpt_remove_tree(shared->path);
    return status != 0;
}

START_TEST(each_call_is_the_last_one_of_its_process) {
    const uint64_t step = bpt_scaled(4) == 4 ? 1 : 3;
    uint64_t before = 0;
    if (!bpt_file_faults_are_possible()) return;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    while (die_and_inherit(before)) before += step;
    ck_assert_uint_gt(before, 40);
}
END_TEST

BPT_SUITE(integration_store_fault) {
    BPT_TIMEOUT(120);
    BPT_LOOP_TEST(each_allocation_fails_once_and_the_same_again_succeeds, 0, 2);
    BPT_TEST(without_memory_there_is_no_store);
    BPT_TEST(without_secrets_there_is_no_token);
    BPT_TEST(a_put_goes_on_when_there_is_room_again);
    BPT_TEST(what_is_half_thrown_away_is_unknown_and_not_committed);
    BPT_TEST(each_call_is_the_last_one_of_its_process);
    BPT_LOOP_TEST(each_call_fails_once_and_the_same_again_succeeds, 0, FAULT_COUNT);
}
