#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
/* A process that puts objects is killed at any point: what it was told is there, nothing half is seen, and the next one
 * goes on. The test's own process has no threads: workers and judges are forked from it. SEED=n repeats a run's choices,
 * though not the kernel's. */
#include "tests/support/store_rig.h"

#include "base/crc32c.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PARTS = 90, SIZE = PARTS * BPT_PART - 77, AT_ONCE = 6, KILLS = 100 };

/* What the worker was told, where its death leaves it. One object is put after the other, all under one name. */
typedef struct record {
    char path[BPT_STORE_PATH];
    bool is_fast, has_token, has_begun_commit, is_committed, is_over; /* is_over: the judge saw that it is committed */
    bp_token token;
    uint64_t version;
    uint32_t seed;      /* of the object that is being put; the one before is seed - 1, of seed 0 there is none */
    uint32_t claims;    /* atomic */
    uint8_t is_claimed[PARTS];
    uint64_t random; /* of the test's process */
} record;

static record *shared;

static uint64_t next_random(uint64_t *random, uint64_t below) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (*random >> 33) % below;
}

static void join(bpt_store *of) {
    const bp_dir_store_options options = {.is_fast = shared->is_fast};
    bpt_store_join(of, shared->path, &options);
}

static bpt_put current_put(void) {
    bpt_put put = bpt_put_of("some/object", SIZE, shared->seed);
    if (shared->has_token) put.token = shared->token;
    return put;
}

/* ---- the worker ---- */

typedef struct slot {
    bpi_call call;
    bpt_store *of;
    bpt_put *put;
    uint8_t data[BPT_PART];
} slot;

static slot slots[AT_ONCE];
static uint8_t is_taken[PARTS], is_done[PARTS];
static uint32_t busy_count;
static uint64_t choices;

/* One of the first parts that nobody has taken, and that may be written now; PARTS: there is none. */
static uint64_t take_part(void) {
    uint64_t open[8], count = 0, first = 0;
    while (first < PARTS && is_done[first]) first++;
    for (uint64_t part = first; part < PARTS && part < first + 64 && count < 8; part++) {
        if (!is_taken[part]) open[count++] = part;
    }
    if (count == 0) return PARTS;
    const uint64_t part = open[next_random(&choices, count)];
    is_taken[part] = 1;
    return part;
}

static void work(slot *one) {
    const uint64_t part = one->call.is_under_way ? PARTS : take_part(), offset = part * BPT_PART;
    if (part == PARTS) return;
    const uint32_t length = part == PARTS - 1 ? SIZE % BPT_PART : BPT_PART;
    bpt_fill(one->data, length, shared->seed, offset);
    one->call.store = (bp_store_call){.object = one->put->object, .part = part, .offset = offset, .data = one->data,
                                      .length = length, .crc = bpi_crc32c(0, one->data, length)};
    busy_count++;
    bpi_call_begin(&one->call, one->of->store, one->of->store->table->write, one->of->loop);
}

static void claim(bpi_call *call, bp_err err) {
    if (err != BP_OK) _exit(20);
    shared->is_claimed[call->store.part] = is_done[call->store.part] = 1;
    (void)__atomic_add_fetch(&shared->claims, 1, __ATOMIC_RELEASE);
    busy_count--;
    for (int i = 0; i < AT_ONCE; i++) work(&slots[i]);
}

static _Noreturn void run_worker(void) {
    bpt_store of;
    choices = shared->random;
    join(&of);
    bpt_put put = current_put();
    if (bpt_put_open(&of, &put) != BP_OK) _exit(21);
    shared->token = put.token;
    __atomic_store_n(&shared->has_token, true, __ATOMIC_RELEASE);
    for (uint64_t part = 0; part < PARTS; part++) is_taken[part] = is_done[part] = bpt_put_has(&put, part);
    for (int i = 0; i < AT_ONCE; i++) {
        slots[i] = (slot){.of = &of, .put = &put, .call = {.on_answer = claim}};
    }
    for (int i = 0; i < AT_ONCE; i++) work(&slots[i]);
    while (busy_count != 0) (void)uv_run(&of.uv, UV_RUN_ONCE);
    __atomic_store_n(&shared->has_begun_commit, true, __ATOMIC_RELEASE);
    if (bpt_put_commit(&of, &put) != BP_OK) _exit(22);
    shared->version = put.version;
    __atomic_store_n(&shared->is_committed, true, __ATOMIC_RELEASE);
    bpt_put_close(&of, &put);
    bpt_store_leave(&of);
    _exit(0);
}

/* ---- the judge ---- */

static bool is_old_there(bpt_store *of) {
    if (shared->seed == 0) return bpt_get_whole(of, "some/object", SIZE, 0) == BP_ERR_NOT_FOUND;
    return bpt_get_whole(of, "some/object", SIZE, shared->seed - 1) == BP_OK;
}

static bool is_new_there(bpt_store *of) { return bpt_get_whole(of, "some/object", SIZE, shared->seed) == BP_OK; }

static void judge_part(int fd, uint64_t part) {
    uint8_t found[BPT_PART], due[BPT_PART];
    const size_t length = part == PARTS - 1 ? SIZE % BPT_PART : BPT_PART;
    bpt_fill(due, length, shared->seed, part * BPT_PART);
    ck_assert_int_eq(pread(fd, found, length, (off_t)(part * BPT_PART)), (ssize_t)length);
    ck_assert_mem_eq(found, due, length);
}

static void judge_parts(bpt_store *of, const bpt_put *put) {
    const int fd = open(bpt_work_path(of, &put->token, ".part"), O_RDONLY);
    ck_assert_int_ge(fd, 0);
    for (uint64_t part = 0; part < PARTS; part++) {
        if (shared->is_claimed[part]) ck_assert(bpt_put_has(put, part));
        if (bpt_put_has(put, part)) judge_part(fd, part);
    }
    (void)close(fd);
}

static _Noreturn void run_judge(void) {
    bpt_store of;
    join(&of);
    const bool is_new = is_new_there(&of);
    ck_assert(is_new || is_old_there(&of));
    if (is_new) ck_assert(shared->has_begun_commit);
    if (shared->is_committed) ck_assert(is_new);
    bpt_put put = current_put();
    if (shared->has_token) {
        bpt_ok(bpt_put_open(&of, &put)); /* and so nobody holds it any more */
        ck_assert_int_eq(put.is_committed, is_new);
        if (shared->is_committed) ck_assert_uint_eq(put.version, shared->version);
        if (!put.is_committed) judge_parts(&of, &put);
        bpt_put_close(&of, &put);
        shared->is_over = put.is_committed;
    }
    bpt_store_leave(&of);
    _exit(0);
}

/* ---- the test's process ---- */

static pid_t start(void (*run)(void)) {
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) run();
    return child;
}

static void nap(long microseconds) {
    const struct timespec time = {.tv_nsec = microseconds * 1000};
    (void)nanosleep(&time, NULL);
}

/* Lets it work until a random number of parts is claimed, and a little longer; true: it was killed. Parts that its last
 * life had written, and not been told of, nobody claims: it may be through before. */
static bool kill_somewhere(pid_t worker) {
    const uint64_t target = shared->claims + next_random(&shared->random, PARTS + 1 - shared->claims);
    int status;
    while (__atomic_load_n(&shared->claims, __ATOMIC_ACQUIRE) < target) {
        if (waitpid(worker, &status, WNOHANG) == worker) {
            ck_assert_int_eq(status, 0);
            return false;
        }
        nap(50);
    }
    nap((long)next_random(&shared->random, 400));
    ck_assert_int_eq(kill(worker, SIGKILL), 0);
    ck_assert_int_eq(waitpid(worker, &status, 0), worker);
    if (!WIFSIGNALED(status)) ck_assert_int_eq(status, 0);
    return WIFSIGNALED(status);
}

static void judge(void) {
    int status;
    const pid_t child = start(run_judge);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void next_object(void) {
    shared->seed++;
    shared->claims = 0;
    shared->has_token = shared->has_begun_commit = shared->is_committed = shared->is_over = false;
    memset(shared->is_claimed, 0, sizeof shared->is_claimed);
}

static void set_up(bool is_fast) {
    const char *seed = getenv("SEED");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    bpt_store_directory(shared->path);
    shared->is_fast = is_fast;
    shared->random = seed == NULL ? (uint64_t)time(NULL) : strtoull(seed, NULL, 10);
    fprintf(stderr, "SEED=%llu\n", (unsigned long long)shared->random);
}

START_TEST(what_a_killed_process_was_told_is_there) {
    const unsigned long kills = bpt_scaled(_i == 0 ? KILLS : KILLS / 4) + 2;
    set_up(_i == 0);
    for (unsigned long killed = 0; killed < kills;) {
        killed += kill_somewhere(start(run_worker));
        judge();
        if (shared->is_over) next_object();
    }
    int status;
    const pid_t last = start(run_worker); /* and this one ends well */
    ck_assert_int_eq(waitpid(last, &status, 0), last);
    ck_assert_int_eq(status, 0);
    judge();
    ck_assert(shared->is_committed);
    bpt_remove_tree(shared->path);
}
END_TEST

BPT_SUITE(integration_store_kill) {
    BPT_TIMEOUT(120);
    BPT_LOOP_TEST(what_a_killed_process_was_told_is_there, 0, 2);
}
