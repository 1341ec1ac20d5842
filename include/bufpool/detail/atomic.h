/* bufpool/detail/atomic.h: every atomic operation of the pool. Not for users.
 *
 * The inline paths and src/pool name no compiler builtin: they use these macros, one operation each, so that a test
 * build can put its own in their place (tests/sched/seam.h does: each becomes a point where a deterministic scheduler
 * may switch threads, on a modelled memory). LOAD and STORE alone are relaxed; read-modify-writes name their order. */
#ifndef BUFPOOL_DETAIL_ATOMIC_H
#define BUFPOOL_DETAIL_ATOMIC_H

#ifndef BPI_ATOMIC_SEAM

#define BPI_LOAD(from) __atomic_load_n(from, __ATOMIC_RELAXED)
#define BPI_LOAD_ACQUIRE(from) __atomic_load_n(from, __ATOMIC_ACQUIRE)
#define BPI_LOAD_SEQ_CST(from) __atomic_load_n(from, __ATOMIC_SEQ_CST)
#define BPI_STORE(to, value) __atomic_store_n(to, value, __ATOMIC_RELAXED)
#define BPI_STORE_RELEASE(to, value) __atomic_store_n(to, value, __ATOMIC_RELEASE)
#define BPI_STORE_SEQ_CST(to, value) __atomic_store_n(to, value, __ATOMIC_SEQ_CST)

/* These return what was there before, and SUB_FETCH what is there afterwards. */
#define BPI_EXCHANGE(to, value, order) __atomic_exchange_n(to, value, order)
#define BPI_FETCH_ADD(to, value, order) __atomic_fetch_add(to, value, order)
#define BPI_FETCH_SUB(to, value, order) __atomic_fetch_sub(to, value, order)
#define BPI_SUB_FETCH(to, value, order) __atomic_sub_fetch(to, value, order)
#define BPI_FETCH_OR(to, value, order) __atomic_fetch_or(to, value, order)

/* Replaces *expected by value and is true, or reads *expected anew and is false, which may happen without reason. */
#define BPI_CAS_WEAK(to, expected, value, order)                                                                       \
    __atomic_compare_exchange_n(to, expected, value, true, order, __ATOMIC_RELAXED)

/* The compiler moves nothing across. */
#define BPI_SIGNAL_FENCE() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#endif

/* Adds one to a counter that only this thread writes. */
#define BPI_COUNT(counter) BPI_STORE(&(counter), BPI_LOAD(&(counter)) + 1)

#endif
