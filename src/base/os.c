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

static void *system_resize(void *old, size_t size) { return realloc(old, size); }

static void system_free(void *memory) { free(memory); }

static void *system_map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void system_unmap(void *memory, size_t size) { (void)munmap(memory, size); }

#if defined(__linux__)
static int membarrier(int command) { return (int)syscall(SYS_membarrier, command, 0, 0); }

/* membarrier(2): registering again is harmless, so a process that has not registered yet does so here. */
static bool system_barrier(void) {
    if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0) return true;
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0 &&
           membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0;
}
#else
static bool system_barrier(void) { return false; }
#endif

const bpi_os_table bpi_os_system = {
    .alloc = system_alloc,
    .resize = system_resize,
    .free = system_free,
    .map = system_map,
    .unmap = system_unmap,
    .barrier = system_barrier,
};

bpi_os_table bpi_os = {
    .alloc = system_alloc,
    .resize = system_resize,
    .free = system_free,
    .map = system_map,
    .unmap = system_unmap,
    .barrier = system_barrier,
};

size_t bpi_os_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }
