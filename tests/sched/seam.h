/* tests/sched/seam.h: included before everything else where the pool room is compiled for the scheduler.
 *
 * The room's sources are compiled as they are. Each of their atomic operations becomes a call that may switch to
 * another virtual thread, on a modelled memory; mutexes and thread-locals become those of virtual threads. */
#ifndef BUFPOOL_TESTS_SCHED_SEAM_H
#define BUFPOOL_TESTS_SCHED_SEAM_H

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

/* ---- thread-locals: one section, which is exchanged when the scheduler switches ---- */
#define __thread __attribute__((section("bpt_thread_locals")))
#define tls_model(model)

/* ---- atomics ---- */
#pragma GCC diagnostic ignored "-Wshadow" /* one operation's value may be another operation */
#define BPI_ATOMIC_SEAM

/* One operation in the source. key names it, and its doubles, wherever they stand. */
typedef struct bpt_site {
    const char *file, *key;
    int line, order;
} bpt_site;

void bpt_load(const bpt_site *site, const void *from, void *out, uint32_t size);
void bpt_store(const bpt_site *site, void *to, const void *value, uint32_t size);
/* What comes before a read-modify-write, which then happens in memory itself. */
void bpt_modify(const bpt_site *site, void *of);

#define BPT_SITE(what, at, order) static const bpt_site site_ = {__FILE__, what " " #at, __LINE__, order}

#define BPT_LOAD(what, from, order)                                                                                    \
    __extension__({                                                                                                    \
        BPT_SITE(what, from, order);                                                                                   \
        __typeof__(__atomic_load_n(from, __ATOMIC_RELAXED)) seen_;                                                     \
        bpt_load(&site_, from, &seen_, sizeof seen_);                                                                  \
        seen_;                                                                                                         \
    })
#define BPT_STORE(what, to, value, order)                                                                              \
    __extension__({                                                                                                    \
        BPT_SITE(what, to, order);                                                                                     \
        __typeof__(*(to)) value_ = (value);                                                                            \
        bpt_store(&site_, to, &value_, sizeof value_);                                                                 \
    })
#define BPT_MODIFY(what, of, order, operation)                                                                         \
    __extension__({                                                                                                    \
        BPT_SITE(what, of, order);                                                                                     \
        bpt_modify(&site_, of);                                                                                        \
        operation;                                                                                                     \
    })

#define BPI_LOAD(from) BPT_LOAD("LOAD", from, __ATOMIC_RELAXED)
#define BPI_LOAD_ACQUIRE(from) BPT_LOAD("LOAD_ACQUIRE", from, __ATOMIC_ACQUIRE)
#define BPI_LOAD_SEQ_CST(from) BPT_LOAD("LOAD_SEQ_CST", from, __ATOMIC_SEQ_CST)
#define BPI_STORE(to, value) BPT_STORE("STORE", to, value, __ATOMIC_RELAXED)
#define BPI_STORE_RELEASE(to, value) BPT_STORE("STORE_RELEASE", to, value, __ATOMIC_RELEASE)
#define BPI_STORE_SEQ_CST(to, value) BPT_STORE("STORE_SEQ_CST", to, value, __ATOMIC_SEQ_CST)
#define BPI_EXCHANGE(to, value, order) BPT_MODIFY("EXCHANGE", to, order, __atomic_exchange_n(to, value, order))
#define BPI_FETCH_ADD(to, value, order) BPT_MODIFY("FETCH_ADD", to, order, __atomic_fetch_add(to, value, order))
#define BPI_FETCH_SUB(to, value, order) BPT_MODIFY("FETCH_SUB", to, order, __atomic_fetch_sub(to, value, order))
#define BPI_SUB_FETCH(to, value, order) BPT_MODIFY("SUB_FETCH", to, order, __atomic_sub_fetch(to, value, order))
#define BPI_FETCH_OR(to, value, order) BPT_MODIFY("FETCH_OR", to, order, __atomic_fetch_or(to, value, order))
#define BPI_CAS_WEAK(to, expected, value, order)                                                                       \
    BPT_MODIFY("CAS", to, order,                                                                                       \
               __atomic_compare_exchange_n(to, expected, value, false, order, __ATOMIC_RELAXED))
#define BPI_SIGNAL_FENCE() ((void)0) /* every operation here is a call, which the compiler moves nothing across */

/* ---- locks, and what ends with a thread ---- */
typedef struct bpt_mutex {
    int holder; /* 0: free; else the virtual thread and one */
} bpt_mutex;

int bpt_mutex_init(bpt_mutex *mutex);
int bpt_mutex_fini(bpt_mutex *mutex);
int bpt_mutex_enter(bpt_mutex *mutex);
int bpt_mutex_leave(bpt_mutex *mutex);
/* Somebody may wait for it; a timed wait may end at any time. */
typedef struct bpt_condition {
    int wakes;
} bpt_condition;

int bpt_condition_wait(bpt_condition *condition, bpt_mutex *mutex, bool is_timed);
int bpt_condition_signal(bpt_condition *condition);

int bpt_exit_call_set(void (*call)(void *));
int bpt_exit_argument_set(const void *argument);

#define pthread_mutex_t bpt_mutex
#undef PTHREAD_MUTEX_INITIALIZER
#define PTHREAD_MUTEX_INITIALIZER                                                                                      \
    { 0 }
#define pthread_mutex_init(mutex, attributes) bpt_mutex_init(mutex)
#define pthread_mutex_destroy(mutex) bpt_mutex_fini(mutex)
#define pthread_mutex_lock(mutex) bpt_mutex_enter(mutex)
#define pthread_mutex_trylock(mutex) bpt_mutex_enter(mutex) /* waits instead of asking again and again */
#define pthread_mutex_unlock(mutex) bpt_mutex_leave(mutex)
#define pthread_cond_t bpt_condition
#define pthread_cond_init(condition, attributes) ((void)(attributes), (condition)->wakes = 0)
#define pthread_cond_destroy(condition) ((void)(condition))
#define pthread_cond_wait(condition, mutex) bpt_condition_wait(condition, mutex, false)
#define pthread_cond_timedwait(condition, mutex, end) ((void)(end), bpt_condition_wait(condition, mutex, true))
#define pthread_cond_signal(condition) bpt_condition_signal(condition)
#define pthread_key_create(key, call) ((void)(key), bpt_exit_call_set(call))
#define pthread_setspecific(key, argument) ((void)(key), bpt_exit_argument_set(argument))

#endif
