/* What a pool asks of the system: nothing before it is used, and nothing at all once its threads are warm. System calls
 * are counted by the kernel: after the warm-up each thread installs a filter under which every one of them but the end
 * of the process is fatal. */
#define _GNU_SOURCE
#include "pool/pool_internal.h"
#include "base/poison.h"
#include "tests/support/os_meter.h"
#include "tests/support/pool_support.h"
#include "tests/support/suite.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(BPI_HAS_TSAN) && !defined(BPI_HAS_ASAN) /* whose runtimes ask the system for memory of their own */
#define HAS_QUIET_RUNTIME 1
#endif

enum { OPERATIONS = 1000000, LIVE = 48, SWING = 1500, EXIT_DONE = 7, EXIT_NO_FILTER = 8 };

#ifdef HAS_QUIET_RUNTIME

/* ---- a thread without the system ---- */

static bool forbid_system_calls(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#endif

/* Random takes and returns of every class with a magazine: never more than LIVE of them at once. */
static void churn(bp_pool *pool, uint64_t seed, int operations) {
    bp_buf *live[LIVE] = {NULL};
    for (int i = 0; i < operations; i++) {
        bp_buf **slot = &live[bpt_random(&seed) % LIVE];
        bp_buf_release_take(slot);
        if (bp_pool_acquire(pool, 1 + bpt_random(&seed) % 4096, slot) != BP_OK) _exit(1);
        bp_buf_data(*slot)[0] = 1;
    }
    for (int i = 0; i < LIVE; i++) bp_buf_release(live[i]);
}

#ifdef HAS_QUIET_RUNTIME

/* More than a magazine holds, so that depot and magazine exchange all the time. */
static void swing(bp_pool *pool, int rounds) {
    static bp_buf *live[SWING];
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < SWING; i++) {
            if (bp_pool_acquire(pool, 128, &live[i]) != BP_OK) _exit(1);
        }
        for (int i = 0; i < SWING; i++) bp_buf_release(live[i]);
    }
}

typedef struct steady {
    bp_pool *pool;
    atomic_int warm;
    atomic_bool is_done;
} steady;

/* Does not return before the process ends: the end of a thread is a system call. */
static void *run_steadily(void *user) {
    steady *s = user;
    churn(s->pool, 1, OPERATIONS / 10);
    atomic_fetch_add(&s->warm, 1);
    while (atomic_load(&s->warm) < 2) {
    }
    if (!forbid_system_calls()) _exit(EXIT_NO_FILTER);
    churn(s->pool, 2, OPERATIONS);
    atomic_store(&s->is_done, true);
    for (;;) __asm__ volatile("");
}

/* has_fault: one system call among the operations, to prove that it would be seen. */
static _Noreturn void be_steady(bool has_fault) {
    pthread_t other;
    steady s = {.pool = bpt_pool_new(0)};
    if (pthread_create(&other, NULL, run_steadily, &s) != 0) _exit(1);
    churn(s.pool, 3, OPERATIONS / 10);
    swing(s.pool, 20);
    atomic_fetch_add(&s.warm, 1);
    while (atomic_load(&s.warm) < 2) {
    }
    if (!forbid_system_calls()) _exit(EXIT_NO_FILTER);
    churn(s.pool, 4, OPERATIONS);
    swing(s.pool, 200);
    if (has_fault) (void)syscall(SYS_getppid);
    while (!atomic_load(&s.is_done)) {
    }
    _exit(EXIT_DONE);
}

static int status_of_child(bool has_fault) {
    int status = 0;
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) be_steady(has_fault);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(warm_threads_make_no_system_call) {
    const int status = status_of_child(false);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_DONE);
}
END_TEST

START_TEST(a_system_call_would_have_been_seen) {
    const int status = status_of_child(true);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSYS);
}
END_TEST

#endif

START_TEST(a_pool_holds_nothing_before_it_is_used) {
    bpt_os_meter();
    bp_pool *pool = bpt_pool_new(0);
    ck_assert_uint_eq(bpt_os_meter_bytes(), 0);
    ck_assert_uint_eq(bpt_stats(pool).committed_bytes, 0);
    bp_pool_release_take(&pool);
}
END_TEST

START_TEST(a_hit_allocates_nothing) {
    bpt_os_watch();
    bp_pool *pool = bpt_pool_new(0);
    for (uint32_t i = 0; i < BPT_CLASS_COUNT - 1; i++) bp_buf_release(bpt_acquire(pool, bpt_classes[i].size));
    const uint64_t misses = bpt_stats(pool).total.misses;
    bpt_os_fail(UINT64_MAX, false);
    churn(pool, 5, OPERATIONS / 10);
    ck_assert_uint_eq(bpt_os_calls(), bpt_stats(pool).total.misses - misses);
    bpt_os_fail(UINT64_MAX, false);
    churn(pool, 5, OPERATIONS / 10);
    ck_assert_uint_eq(bpt_os_calls(), 0);
    bp_pool_release_take(&pool);
}
END_TEST

BPT_SUITE(integration_steady) {
    BPT_TIMEOUT(60);
#ifdef HAS_QUIET_RUNTIME
    BPT_TEST(warm_threads_make_no_system_call);
    BPT_TEST(a_system_call_would_have_been_seen);
#endif
    BPT_TEST(a_pool_holds_nothing_before_it_is_used);
    BPT_TEST(a_hit_allocates_nothing);
}
