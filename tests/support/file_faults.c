#define _GNU_SOURCE
#include "tests/support/file_faults.h"

#include <errno.h>
#include <features.h>

#if defined(__linux__) && defined(__GLIBC__)

#include <dlfcn.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>

/* Atomics, as any thread calls. The fault itself changes only while nothing is armed. */
static bool is_armed;
static bpt_file_fault armed;
static uint64_t until_fault, call_count;
static const char *hit;

bool bpt_file_faults_are_possible(void) { return true; }

void bpt_file_faults_arm(const bpt_file_fault *fault, uint64_t before) {
    armed = *fault;
    until_fault = before;
    call_count = 0;
    hit = NULL;
    __atomic_store_n(&is_armed, true, __ATOMIC_RELEASE);
}

const char *bpt_file_faults_disarm(void) {
    __atomic_store_n(&is_armed, false, __ATOMIC_RELEASE);
    return __atomic_load_n(&hit, __ATOMIC_ACQUIRE);
}

static bool is_chosen(const char *name) {
    if (!__atomic_load_n(&is_armed, __ATOMIC_ACQUIRE)) return false;
    if (armed.only != NULL && strcmp(armed.only, name) != 0) return false;
    if (__atomic_fetch_add(&call_count, 1, __ATOMIC_RELAXED) != until_fault) return false;
    __atomic_store_n(&hit, name, __ATOMIC_RELEASE);
    if (armed.is_deadly) (void)raise(SIGKILL);
    return true;
}

static bool fails(const char *name) {
    if (!is_chosen(name) || armed.error == 0) return false;
    errno = armed.error;
    return true;
}

/* The same for a call that moves bytes; *count: how many it may move. */
static bool fails_to_move(const char *name, size_t *count) {
    if (!is_chosen(name)) return false;
    if (armed.at_most != 0 && armed.at_most < *count) *count = armed.at_most;
    errno = armed.error;
    return armed.error != 0;
}

/* Under names of their own, and the C library's only as symbols. What is hidden would replace the calls of this program
 * alone. */
#pragma GCC visibility push(default)

#define CALL(result, name, ...)                                                                                        \
    result bpt_file_##name(__VA_ARGS__) __asm__(#name);                                                                \
    result bpt_file_##name(__VA_ARGS__)

/* The next definition of the symbol. Looking it up twice, from two threads, gives the same. */
#define NEXT(name)                                                                                                     \
    union {                                                                                                            \
        void *symbol;                                                                                                  \
        __typeof__(bpt_file_##name) *call;                                                                             \
    } next;                                                                                                            \
    static void *found;                                                                                                \
    next.symbol = __atomic_load_n(&found, __ATOMIC_RELAXED);                                                           \
    if (next.symbol == NULL) next.symbol = dlsym(RTLD_NEXT, #name);                                                    \
    __atomic_store_n(&found, next.symbol, __ATOMIC_RELAXED)

#define HAND_ON(name, ...)                                                                                             \
    NEXT(name);                                                                                                        \
    return fails(#name) ? -1 : next.call(__VA_ARGS__)

#define HAND_ON_BYTES(name, count, ...)                                                                                \
    NEXT(name);                                                                                                        \
    return fails_to_move(#name, &(count)) ? -1 : next.call(__VA_ARGS__)

CALL(ssize_t, pread64, int fd, void *to, size_t count, int64_t at) { HAND_ON_BYTES(pread64, count, fd, to, count, at); }
CALL(ssize_t, pwrite64, int fd, const void *from, size_t count, int64_t at) {
    HAND_ON_BYTES(pwrite64, count, fd, from, count, at);
}
CALL(int, openat64, int at, const char *path, int flags, unsigned mode) { HAND_ON(openat64, at, path, flags, mode); }
CALL(int, fstat64, int fd, void *out) { HAND_ON(fstat64, fd, out); }
CALL(int, fstatat64, int at, const char *path, void *out, int flags) { HAND_ON(fstatat64, at, path, out, flags); }
CALL(int, ftruncate64, int fd, int64_t size) { HAND_ON(ftruncate64, fd, size); }
CALL(int, fdatasync, int fd) { HAND_ON(fdatasync, fd); }
CALL(int, fsync, int fd) { HAND_ON(fsync, fd); }
CALL(int, renameat, int from, const char *old, int to, const char *fresh) { HAND_ON(renameat, from, old, to, fresh); }
CALL(int, unlinkat, int at, const char *path, int flags) { HAND_ON(unlinkat, at, path, flags); }
CALL(int, mkdirat, int at, const char *path, unsigned mode) { HAND_ON(mkdirat, at, path, mode); }
CALL(int, fcntl64, int fd, int what, void *argument) { HAND_ON(fcntl64, fd, what, argument); }
CALL(int, futimens, int fd, const void *times) { HAND_ON(futimens, fd, times); }
CALL(int, fsetxattr, int fd, const char *name, const void *value, size_t size, int flags) {
    HAND_ON(fsetxattr, fd, name, value, size, flags);
}
CALL(ssize_t, fgetxattr, int fd, const char *name, void *value, size_t size) {
    HAND_ON(fgetxattr, fd, name, value, size);
}
CALL(void *, fdopendir, int fd) {
    NEXT(fdopendir);
    return fails("fdopendir") ? NULL : next.call(fd);
}
CALL(void *, readdir64, void *entries) {
    NEXT(readdir64);
    return fails("readdir64") ? NULL : next.call(entries);
}

#pragma GCC visibility pop

#else

bool bpt_file_faults_are_possible(void) { return false; }
void bpt_file_faults_arm(const bpt_file_fault *fault, uint64_t before) { (void)fault, (void)before; }
const char *bpt_file_faults_disarm(void) { return NULL; }

#endif
