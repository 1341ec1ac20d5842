#include "tests/sched/internal.h"

#include <sys/mman.h>

/* ---- memory: a stretch from which blocks are given once per schedule and become untouchable when given back ---- */

enum { PAGE = 4096, ARENA_BYTES = 64 * 1024 * 1024 };

static char *arena;
static size_t arena_used;
static uint64_t live_blocks;
static bool is_live[ARENA_BYTES / PAGE]; /* by the page in which a block begins */

static size_t pages_of(size_t size) { return (size + PAGE - 1) / PAGE * PAGE; }

/* Whole pages, zeroed, and one more that stays untouched. */
static char *take_pages(size_t size) {
    const size_t bytes = pages_of(size);
    if (arena_used + bytes + PAGE > ARENA_BYTES) bpt_wrong("the arena is full");
    char *memory = arena + arena_used;
    is_live[arena_used / PAGE] = true;
    arena_used += bytes + PAGE;
    live_blocks++;
    return memory;
}

static void give_pages(char *memory, size_t size) {
    const size_t ix = (size_t)(memory - arena) / PAGE;
    if (memory < arena || ix >= ARENA_BYTES / PAGE || !is_live[ix])
        bpt_wrong("%p was given back twice", (void *)memory);
    if (bpt_current_thread() >= 0) bpt_memory_fence(bpt_current_thread()); /* its own stores were before */
    is_live[ix] = false;
    live_blocks--;
    if (mprotect(memory, pages_of(size), PROT_NONE) != 0) abort();
}

/* The page before a block says how large it is. */
static void *arena_alloc(size_t size) {
    char *memory = take_pages(PAGE + size);
    memcpy(memory, &size, sizeof size);
    return memory + PAGE;
}

static void arena_free(void *memory) {
    size_t size = 0;
    if (memory == NULL) return;
    memcpy(&size, (char *)memory - PAGE, sizeof size);
    give_pages((char *)memory - PAGE, PAGE + size);
}

static void *arena_map(size_t size) { return take_pages(size); }

static void arena_unmap(void *memory, size_t size) { give_pages(memory, size); }

uint64_t bpt_live_blocks(void) { return live_blocks; }

static void make_arena(void) {
    arena = mmap(NULL, ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED) abort();
}

static void reset_arena(void) {
    if (arena == NULL) make_arena();
    if (arena_used == 0) return;
    if (mprotect(arena, arena_used, PROT_READ | PROT_WRITE) != 0) abort();
    memset(arena, 0, arena_used); /* cheaper than the page faults after madvise(2) */
    memset(is_live, 0, arena_used / PAGE * sizeof is_live[0]);
    arena_used = 0;
    live_blocks = 0;
}

/* ---- the process-wide barrier ---- */

static bpt_barrier barrier_kind;

void bpt_barrier_set(bpt_barrier barrier) { barrier_kind = barrier; }

static bool arena_barrier(void) {
    bpt_point(NULL, true);
    if (barrier_kind == BPT_BARRIER_WORKS) {
        for (int i = 0; i < BPT_THREAD_MAX; i++) bpt_memory_fence(i);
    }
    bpt_trace("barrier%s", barrier_kind == BPT_BARRIER_WORKS ? "" : " that does nothing");
    return barrier_kind != BPT_BARRIER_MISSING;
}

/* ---- locks ---- */

int bpt_mutex_init(bpt_mutex *mutex) {
    mutex->holder = 0;
    return 0;
}

int bpt_mutex_fini(bpt_mutex *mutex) {
    if (mutex->holder != 0) bpt_wrong("a mutex ends that is taken");
    return 0;
}

static int self(void) { return bpt_current_thread() + 2; /* the scenario's beginning and end are 1 */ }

int bpt_mutex_enter(bpt_mutex *mutex) {
    bpt_point_until_free(mutex);
    if (bpt_current_thread() >= 0) bpt_memory_lock_taken(bpt_current_thread());
    mutex->holder = self();
    bpt_trace("takes mutex %p", (void *)mutex);
    return 0;
}

int bpt_mutex_leave(bpt_mutex *mutex) {
    bpt_point(mutex, true);
    if (mutex->holder != self()) bpt_wrong("a mutex is left by a thread that does not hold it");
    if (bpt_current_thread() >= 0) bpt_memory_fence(bpt_current_thread());
    mutex->holder = 0;
    bpt_trace("leaves mutex %p", (void *)mutex);
    return 0;
}

int bpt_condition_wait(bpt_condition *condition, bpt_mutex *mutex, bool is_timed) {
    (void)bpt_mutex_leave(mutex);
    const bool is_signalled = bpt_wait_for(condition, is_timed);
    (void)bpt_mutex_enter(mutex);
    bpt_trace("waited: %s", is_signalled ? "signalled" : "it is time");
    return is_signalled ? 0 : ETIMEDOUT;
}

int bpt_condition_signal(bpt_condition *condition) {
    bpt_point(condition, true);
    condition->wakes++;
    return 0;
}

/* ---- ends of threads ---- */

static void (*exit_call)(void *);
static const void *exit_arguments[BPT_THREAD_MAX];

int bpt_exit_call_set(void (*call)(void *)) {
    exit_call = call;
    return 0;
}

int bpt_exit_argument_set(const void *argument) {
    if (bpt_current_thread() < 0) bpt_wrong("begin and end have no thread that could end");
    exit_arguments[bpt_current_thread()] = argument;
    return 0;
}

void bpt_thread_end(int thread) {
    const void *argument = exit_arguments[thread];
    exit_arguments[thread] = NULL;
    if (argument != NULL) exit_call((void *)(uintptr_t)argument);
}

/* ---- misuse ---- */

static void report_misuse(bp_misuse what, const void *object, void *user) {
    (void)user;
    bpt_wrong("misuse %d of %p", (int)what, object);
}

void bpt_system_reset(void) {
    reset_arena();
    barrier_kind = BPT_BARRIER_WORKS;
    memset(exit_arguments, 0, sizeof exit_arguments);
    bpi_os.alloc = arena_alloc;
    bpi_os.alloc_raw = arena_alloc;
    bpi_os.free = arena_free;
    bpi_os.map = arena_map;
    bpi_os.unmap = arena_unmap;
    bpi_os.barrier = arena_barrier;
    bp_misuse_set(report_misuse, NULL);
}
