/* tests/support/pool_ops_model.h: inside pool_ops*.c: the plain model of a pool, and the threads that take turns.
 *
 *   held     what a slot holds: a buffer, and everything that its holder must find unchanged
 *   orphan   a buffer whose pool was released while it was out
 *   turn     the one thread that does operations now; it hands on when the next operation is another thread's */
#ifndef BUFPOOL_TESTS_POOL_OPS_MODEL_H
#define BUFPOOL_TESTS_POOL_OPS_MODEL_H

#include "bufpool/pool.h"
#include "tests/support/pool_ops.h"

#include <pthread.h>
#include <semaphore.h>

/* Numbers of those that have no class: exact allocations, those that were granted outside of the limit, and bytes of
 * the model's own. */
enum { OPS_CLASSES = 5, OPS_EXACT = OPS_CLASSES, OPS_FORCED, OPS_WRAPPED, OPS_TALLIES };
enum { OPS_OWN_BYTES = 100 };
extern const bp_class bpt_ops_classes[OPS_CLASSES];

typedef struct held {
    bp_buf *buf;
    uint32_t size, length, references, of; /* of: number of the class, or one of those above */
    uint16_t type;
    uint8_t mark, thread; /* in the first and the last byte; that acquired it */
    bool is_sensitive, was_shared, is_orphan;
    bp_reservation wish; /* while is_waiting, in the pool's queue */
    bool is_waiting;
    uint64_t since_ms; /* while is_waiting */
    bp_wrap wrap; /* while of is OPS_WRAPPED */
    bool is_wrapped;
    uint8_t own[OPS_OWN_BYTES];
} held;

typedef struct tally {
    uint64_t acquires, in_use, bytes, wiped; /* bytes: asked for by those in use */
} tally;

typedef struct ops_run {
    const bpt_op *ops;
    size_t count, at;
    bpt_defect defect;
    bpt_ops_outcome *outcome;
    bp_pool *pool;
    bool is_closed, is_hardened;
    uint64_t limit, exact_size_limit, forced_limit, trimmed;
    uint32_t served; /* a bit per class */
    tally tallies[OPS_TALLIES];
    held *waiters[BPT_OP_SLOTS]; /* in the order in which they must be granted */
    uint32_t waiter_count;
    uint64_t waits, cancelled;
    uint64_t orphan_count, misuse_count;
    held slots[BPT_OP_SLOTS];
    sem_t turns[BPT_OP_THREADS], ready;
    pthread_t threads[BPT_OP_THREADS]; /* [0] is the caller's and not used */
    bool is_leaving[BPT_OP_THREADS];
    uint32_t crew_count; /* threads besides the caller's */
} ops_run;

/* Returns false from the calling function, and says where and why the run failed. */
#define HOLDS(run, condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) return bpt_ops_fail(run, #condition);                                                        \
    } while (0)
bool bpt_ops_fail(ops_run *run, const char *what);

/* ---- pool_ops_model.c ---- */
bool bpt_ops_new_pool(ops_run *run, uint32_t which);
/* Does the operation, and holds what it answers against the model. */
bool bpt_ops_step(ops_run *run, const bpt_op *op);
/* Every equation between the pool, the model and the system. */
bool bpt_ops_agree(ops_run *run);
/* Gives everything back, and finds nothing left. */
bool bpt_ops_end(ops_run *run);

/* ---- pool_ops_system.c: counts what the library has of the system ---- */
/* From now on, but for what the calling thread's block takes. */
void bpt_ops_count_system(void);
uint64_t bpt_ops_mapped(void); /* bytes */
uint64_t bpt_ops_blocks(void); /* allocations and mappings */

/* ---- pool_ops.c: the crew ---- */
/* Ends the thread, which has no turn, and begins another in its place. */
bool bpt_ops_replace_thread(ops_run *run, uint32_t thread);

#endif
