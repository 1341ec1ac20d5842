#define _GNU_SOURCE
#include "base/os.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#endif

static void *system_alloc(size_t size) { return calloc(1, size); }

static void *system_alloc_raw(size_t size) { return malloc(size); }

static void *system_resize(void *old, size_t size) { return realloc(old, size); }

static void system_free(void *memory) { free(memory); }

static void *system_map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void system_unmap(void *memory, size_t size) { (void)munmap(memory, size); }

#if defined(__linux__)
static int membarrier(int command) { return (int)syscall(SYS_membarrier, command, 0, 0); }

/* membarrier(2): registering again is harmless, so a process that has not registered yet does so here. The global
 * command is slower and needs neither registration nor memory. */
static bool system_barrier(void) {
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return true;
    if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
        membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) {
        return true;
    }
    return membarrier(MEMBARRIER_CMD_SHARED) == 0;
}
#else
static bool system_barrier(void) { return false; }
#endif

const bpi_os_table bpi_os_system = {
    .alloc = system_alloc,
    .alloc_raw = system_alloc_raw,
    .resize = system_resize,
    .free = system_free,
    .map = system_map,
    .unmap = system_unmap,
    .barrier = system_barrier,
};

bpi_os_table bpi_os = {
    .alloc = system_alloc,
    .alloc_raw = system_alloc_raw,
    .resize = system_resize,
    .free = system_free,
    .map = system_map,
    .unmap = system_unmap,
    .barrier = system_barrier,
};

size_t bpi_os_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static pthread_key_t exit_key;
static bool has_exit_key;
static void (*exit_call)(void *argument);

static void make_exit_key(void) { has_exit_key = pthread_key_create(&exit_key, exit_call) == 0; }

bool bpi_os_at_thread_exit(void (*call)(void *argument), void *argument) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static bpi_lock lock = BPI_LOCK_INIT;
    bpi_lock_enter(&lock);
    exit_call = call;
    (void)pthread_once(&once, make_exit_key);
    bpi_lock_leave(&lock);
    return has_exit_key && pthread_setspecific(exit_key, argument) == 0;
}
