#define _GNU_SOURCE
#include "base/os.h"
#include "base/container.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
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

static bool system_protect(void *memory, size_t size) { return mprotect(memory, size, PROT_NONE) == 0; }

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

/* The kernel's; where it has none yet, the clock is better than nothing. */
static uint64_t system_random(void) {
    uint64_t number;
    struct timespec now;
    if (getrandom(&number, sizeof number, GRND_NONBLOCK) == (ssize_t)sizeof number) return number;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u;
}

/* getrandom(2): up to 256 bytes come whole, once the kernel has any. */
static bool system_secret(void *out, size_t size) { return getrandom(out, size, 0) == (ssize_t)size; }

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 digits in groups, with dashes between them. */
static bool parse_id(const char *text, uint8_t out[16]) {
    uint32_t count = 0;
    for (; *text != '\0' && *text != '\n'; text++) {
        const int digit = digit_of(*text);
        if (*text == '-') continue;
        if (digit < 0 || count == 32) return false;
        out[count / 2] = (uint8_t)(out[count / 2] << 4 | digit);
        count++;
    }
    return count == 32;
}

static bool system_boot_id(uint8_t out[16]) {
    char text[64] = "";
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t length = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return length > 0 && parse_id(text, out);
}

static uint64_t system_container_memory(void) { return bpi_container_read("/proc/self/cgroup", "/sys/fs/cgroup"); }

const bpi_os_table bpi_os_system = {
    .alloc = system_alloc,
    .alloc_raw = system_alloc_raw,
    .resize = system_resize,
    .free = system_free,
    .map = system_map,
    .unmap = system_unmap,
    .protect = system_protect,
    .barrier = system_barrier,
    .container_memory = system_container_memory,
    .random = system_random,
    .secret = system_secret,
    .boot_id = system_boot_id,
};

bpi_os_table bpi_os = {
    .alloc = system_alloc,
    .alloc_raw = system_alloc_raw,
    .resize = system_resize,
    .free = system_free,
    .map = system_map,
    .unmap = system_unmap,
    .protect = system_protect,
    .barrier = system_barrier,
    .container_memory = system_container_memory,
    .random = system_random,
    .secret = system_secret,
    .boot_id = system_boot_id,
};

size_t bpi_os_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* The hand-over of a magazine holds a lock for about a microsecond, and falling asleep and being woken takes ten: two
 * threads that pass buffers to each other would spend most of their time with that. */
enum { TRIES_BEFORE_SLEEP = 100 };

static inline void pause_a_little(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void bpi_lock_wait(bpi_lock *lock) {
    for (int tries = 0; tries < TRIES_BEFORE_SLEEP; tries++) {
        pause_a_little();
        if (pthread_mutex_trylock(&lock->mutex) == 0) return;
    }
    (void)pthread_mutex_lock(&lock->mutex);
}

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

/* ---- waiting ---- */

/* The clock is one that nobody sets. */
void bpi_event_init(bpi_event *event) {
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&event->mutex, NULL);
    (void)pthread_cond_init(&event->is_changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    event->is_set = false;
}

void bpi_event_fini(bpi_event *event) {
    (void)pthread_cond_destroy(&event->is_changed);
    (void)pthread_mutex_destroy(&event->mutex);
}

/* Signalled with the lock held: who waits cannot have left before this thread is through with the condition. */
void bpi_event_set(bpi_event *event) {
    (void)pthread_mutex_lock(&event->mutex);
    event->is_set = true;
    (void)pthread_cond_signal(&event->is_changed);
    (void)pthread_mutex_unlock(&event->mutex);
}

static struct timespec after(uint32_t timeout_ms) {
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(timeout_ms / 1000);
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

bool bpi_event_wait(bpi_event *event, uint32_t timeout_ms) {
    const struct timespec end = after(timeout_ms);
    int status = 0;
    (void)pthread_mutex_lock(&event->mutex);
    while (!event->is_set && status == 0) {
        if (timeout_ms == UINT32_MAX) {
            status = pthread_cond_wait(&event->is_changed, &event->mutex);
        } else {
            status = pthread_cond_timedwait(&event->is_changed, &event->mutex, &end);
        }
    }
    const bool is_set = event->is_set;
    (void)pthread_mutex_unlock(&event->mutex);
    return is_set;
}

/* ---- several threads ---- */

typedef struct worker {
    pthread_t thread;
    void (*call)(void *argument, uint32_t ix);
    void *argument;
    uint32_t ix;
} worker;

static void *run_worker(void *memory) {
    worker *of = memory;
    of->call(of->argument, of->ix);
    return NULL;
}

bool bpi_os_run_threads(uint32_t count, void (*call)(void *argument, uint32_t ix), void *argument) {
    worker *workers = bpi_os.alloc(count * sizeof *workers);
    uint32_t started = 0;
    for (; workers != NULL && started < count; started++) {
        workers[started] = (worker){.call = call, .argument = argument, .ix = started};
        if (pthread_create(&workers[started].thread, NULL, run_worker, &workers[started]) != 0) break;
    }
    for (uint32_t i = 0; i < started; i++) (void)pthread_join(workers[i].thread, NULL);
    bpi_os.free(workers);
    return started == count;
}

static void *run_thread(void *memory) {
    const bpi_os_thread *thread = memory;
    thread->call(thread->argument);
    return NULL;
}

bool bpi_os_thread_start(bpi_os_thread *thread, void (*call)(void *argument), void *argument) {
    thread->call = call;
    thread->argument = argument;
    return pthread_create(&thread->thread, NULL, run_thread, thread) == 0;
}

void bpi_os_thread_join(bpi_os_thread *thread) { (void)pthread_join(thread->thread, NULL); }
