/* base/os.h: the one seam between the library and the system: memory, locks, waiting, the process-wide barrier.
 *
 * No other file of the library calls malloc, mmap, a lock or a condition. Another POSIX system needs another os.c only.
 * Tests make calls fail by replacing bpi_os. */
#ifndef BUFPOOL_BASE_OS_H
#define BUFPOOL_BASE_OS_H

#include "bufpool/base.h"

#include <pthread.h>

/* What the library asks of the system. Every function may be called from any thread. */
typedef struct bpi_os_table {
    void *(*alloc)(size_t size);              /* size bytes, zeroed, aligned to 16; NULL when there are none */
    void *(*alloc_raw)(size_t size);          /* the same with undefined contents */
    void *(*resize)(void *old, size_t size);  /* like realloc: NULL changes nothing; new bytes are undefined */
    void (*free)(void *memory);               /* NULL is allowed */
    void *(*map)(size_t size);                /* whole pages, zeroed, lazily backed; NULL when there are none */
    void (*unmap)(void *memory, size_t size); /* what map gave, or whole pages of it */
    bool (*protect)(void *memory, size_t size); /* nobody may touch these pages of a mapping; false: not possible */
    bool (*barrier)(void); /* every thread of the process passed a full memory barrier; false: none */
    uint64_t (*container_memory)(void); /* bytes that the container may use; 0: no limit is known */
    uint64_t (*random)(void); /* any number, each as likely; not for secrets */
    bool (*secret)(void *out, size_t size); /* up to 256 bytes that nobody can guess; false: the system has none */
    bool (*boot_id)(uint8_t out[16]); /* bytes that are others after the system was started anew; false: not known */
} bpi_os_table;

/* The table in use: the system's, unless a test replaced it. Replace it only while no pool exists. */
extern bpi_os_table bpi_os;

/* The system's own table. */
extern const bpi_os_table bpi_os_system;

/* Bytes of a page. */
size_t bpi_os_page_size(void);

/* Has call called with argument when the calling thread ends; again replaces the argument, and NULL takes it back. All
 * callers name the same function. False: the system has no room for it, and nothing changed. */
bool bpi_os_at_thread_exit(void (*call)(void *argument), void *argument);

/* Runs call(argument, ix) for each ix below count, each on a thread of its own, all at once, and returns when the last
 * of them has ended. False: the system had no room for all threads, and only some of the calls were made. */
bool bpi_os_run_threads(uint32_t count, void (*call)(void *argument, uint32_t ix), void *argument);

/* A lock that one thread holds at a time; not recursive. */
typedef struct bpi_lock {
    pthread_mutex_t mutex;
} bpi_lock;
#define BPI_LOCK_INIT                                                                                                  \
    { PTHREAD_MUTEX_INITIALIZER }

/* Enters a lock that was found taken: tries for a little longer than anybody holds one, then sleeps. */
void bpi_lock_wait(bpi_lock *lock);

static inline void bpi_lock_init(bpi_lock *lock) { (void)pthread_mutex_init(&lock->mutex, NULL); }
static inline void bpi_lock_fini(bpi_lock *lock) { (void)pthread_mutex_destroy(&lock->mutex); }
static inline void bpi_lock_enter(bpi_lock *lock) {
    if (pthread_mutex_trylock(&lock->mutex) != 0) bpi_lock_wait(lock);
}
static inline void bpi_lock_leave(bpi_lock *lock) { (void)pthread_mutex_unlock(&lock->mutex); }

/* What one thread waits for and another one sets, once. */
typedef struct bpi_event {
    pthread_mutex_t mutex;
    pthread_cond_t is_changed;
    bool is_set;
} bpi_event;

void bpi_event_init(bpi_event *event);
void bpi_event_fini(bpi_event *event);
/* The waiting thread may end the event as soon as it has seen it set: nothing touches it afterwards. */
void bpi_event_set(bpi_event *event);
/* Waits until the event is set, for timeout_ms at the most; UINT32_MAX: for ever. Returns whether it is set. */
bool bpi_event_wait(bpi_event *event, uint32_t timeout_ms);

/* A thread that somebody else ends by joining it; false: the system has no room for it. */
typedef struct bpi_os_thread {
    pthread_t thread;
    void (*call)(void *argument);
    void *argument;
} bpi_os_thread;
bool bpi_os_thread_start(bpi_os_thread *thread, void (*call)(void *argument), void *argument);
void bpi_os_thread_join(bpi_os_thread *thread);

/* Reports a misuse to the process's callback. */
void bpi_misuse(bp_misuse what, const void *object);
/* From now on the default callback prints and aborts in every build. */
void bpi_misuse_be_strict(void);

#endif
