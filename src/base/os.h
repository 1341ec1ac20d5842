/* base/os.h: the one seam between the library and the system: memory, locks, the process-wide barrier.
 *
 * No other file of the library calls malloc, mmap or a lock. Another POSIX system needs another os.c only. Tests make
 * calls fail by replacing bpi_os. */
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
    bool (*barrier)(void); /* every thread of the process passed a full memory barrier; false: none */
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

/* A lock that one thread holds at a time; not recursive. */
typedef struct bpi_lock {
    pthread_mutex_t mutex;
} bpi_lock;
#define BPI_LOCK_INIT                                                                                                  \
    { PTHREAD_MUTEX_INITIALIZER }

static inline void bpi_lock_init(bpi_lock *lock) { (void)pthread_mutex_init(&lock->mutex, NULL); }
static inline void bpi_lock_fini(bpi_lock *lock) { (void)pthread_mutex_destroy(&lock->mutex); }
static inline void bpi_lock_enter(bpi_lock *lock) { (void)pthread_mutex_lock(&lock->mutex); }
static inline void bpi_lock_leave(bpi_lock *lock) { (void)pthread_mutex_unlock(&lock->mutex); }

/* Reports a misuse to the process's callback. */
void bpi_misuse(bp_misuse what, const void *object);

#endif
