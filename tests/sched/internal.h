/* tests/sched/internal.h: the parts of the scheduler.
 *
 *   explore.c   which schedules there are: answers every decision
 *   threads.c   virtual threads, and who may go on
 *   memory.c    stores that are not visible yet, and places that threads share
 *   system.c    what the room asks of the system: memory that cannot be touched once given back, locks, the barrier */
#ifndef BUFPOOL_TESTS_SCHED_INTERNAL_H
#define BUFPOOL_TESTS_SCHED_INTERNAL_H

#include "tests/sched/sched.h"

/* One way to go on; the first one of a decision is what happens unless the schedule says otherwise. */
typedef struct bpt_option {
    char
        action; /* 'c': goes on; 't': thread is next; 'h': its store is held back; 'f': one held back becomes visible */
    uint8_t thread, preemptions, holds;
} bpt_option;
enum { BPT_OPTION_MAX = 1 + 2 * BPT_THREAD_MAX };

/* ---- explore.c ---- */
bpt_option bpt_decide(const bpt_option *options, uint32_t count);
/* A decision with one way only. */
void bpt_count_step(void);
void bpt_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool bpt_is_tracing(void);

/* ---- threads.c ---- */
/* Runs the bodies to their end: everything but begin and end. */
void bpt_threads_run(const bpt_scenario *scenario);
void bpt_threads_reset(void);
/* Inside the window: decisions are taken. */
bool bpt_is_open(void);
/* Before an operation at address; NULL is a place that everybody shares. */
void bpt_point(const void *address, bool is_write);
/* The calling thread goes on once the mutex is free, which it is on return. */
void bpt_point_until_free(const bpt_mutex *mutex);
/* The calling thread goes on once the condition is signalled (true), or when it is time. */
bool bpt_wait_for(const bpt_condition *condition, bool is_timed);

/* ---- memory.c ---- */
void bpt_memory_reset(bpt_memory memory, const char *weakened);
bool bpt_memory_is_waiting(int thread, const void *address);
/* The oldest store that was held back becomes visible, and what waited behind it. */
void bpt_memory_release_one(int thread);
void bpt_memory_fence(int thread);
/* An operation that orders what comes before it: a lock taken is one only on TSO. */
void bpt_memory_lock_taken(int thread);

void bpt_places_forget(void);
/* Has thread use the place. */
void bpt_place_use(const void *address, int thread, bool is_write);
bool bpt_place_is_shared(const void *address);
/* Whether a place became shared since it was last accepted that some are. */
bool bpt_places_changed(void);
void bpt_places_accept(void);

/* ---- system.c ---- */
void bpt_system_reset(void);
/* Runs what the calling thread left to be done at its end. */
void bpt_thread_end(int thread);

#endif
