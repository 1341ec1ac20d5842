/* Several threads.
 *
 * mix, N threads: the mix on each thread; processors' time per operation, so that flat means that threads cost each
 * other nothing. handed over: one thread takes and fills buffers, another on another processor reads and gives them
 * back, through a ring; the consumer learns of every message, or of every 256th. The limit is the ring's own memory,
 * without a pool. */
#define _GNU_SOURCE
#include "variants.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

/* ---- mix ---- */

enum { THREADS_MAX = 8 };

typedef struct mix_thread {
    pthread_t thread;
    pthread_barrier_t *begin;
    unsigned ix;
    double (*run)(mix_slots *);
    double per_ns; /* operations per nanosecond of wall time */
    mix_slots slots;
} mix_thread;

static double mix_list(mix_slots *slots) { return mix_run(LIST, NULL, 4080, slots); }
static double mix_pool(mix_slots *slots) { return mix_run(INLINE, variant_pool(INLINE), 4080, slots); }
static double mix_mutex(mix_slots *slots) { return mix_run(MUTEX, NULL, 4080, slots); }
static double mix_malloc(mix_slots *slots) { return mix_run(MALLOC, NULL, 4080, slots); }

static void *mix_main(void *user) {
    mix_thread *t = user;
    bench_pin(t->ix);
    pthread_barrier_wait(t->begin);
    const uint64_t start = bench_now_ns();
    (void)t->run(&t->slots);
    t->per_ns = (double)t->slots.count / (double)(bench_now_ns() - start);
    return NULL;
}

/* A thread that waits for a lock has no processor time: that the others have it meanwhile shows in the wall time. */
static double run_mix(const bench_row *row) {
    static double (*const runs[])(mix_slots *) = {
        [LIST] = mix_list, [INLINE] = mix_pool, [MUTEX] = mix_mutex, [MALLOC] = mix_malloc};
    static mix_thread threads[THREADS_MAX];
    pthread_barrier_t begin;
    double per_ns = 0;
    const unsigned count = row->size, processors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    pthread_barrier_init(&begin, NULL, count);
    for (unsigned i = 0; i < count; i++) {
        threads[i].ix = i;
        threads[i].begin = &begin;
        threads[i].run = runs[row->variant];
        if (pthread_create(&threads[i].thread, NULL, mix_main, &threads[i]) != 0) bench_fail("no thread");
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i].thread, NULL);
        per_ns += threads[i].per_ns;
    }
    pthread_barrier_destroy(&begin);
    return (count < processors ? count : processors) / per_ns;
}

/* ---- from one thread to another ---- */

enum { RING = 1024, RING_PLAIN = -1, EVERY = 1, BATCH = 256, WHOLE = 0x10000 /* in a row's variant: all bytes */ };

typedef struct ring {
    _Alignas(128) _Atomic uint64_t head; /* messages published */
    _Alignas(128) _Atomic uint64_t tail; /* messages given back */
    _Alignas(128) void *slot[RING];
    _Atomic bool is_ended;
    uint32_t size, batch;
    bool is_whole;
} ring;

typedef struct handover {
    ring ring;
    pthread_t thread;
    void *(*consume)(void *);
    uint64_t sum;
} handover;

/* Waits until more than least were counted; false: the other side has ended. */
static bool wait_above(ring *r, _Atomic uint64_t *counter, uint64_t least, uint64_t *out) {
    for (unsigned spins = 0;; spins++) {
        const bool is_ended = atomic_load_explicit(&r->is_ended, memory_order_acquire);
        *out = atomic_load_explicit(counter, memory_order_acquire);
        if (*out > least) return true;
        if (is_ended) return false;
        __builtin_ia32_pause();
        if (spins % 4096 == 4095) sched_yield();
    }
}

ALWAYS_INLINE uint64_t read_message(const ring *r, const uint8_t *data) {
    uint64_t first, last;
    memcpy(&first, data, 8);
    memcpy(&last, data + r->size - 8, 8);
    for (uint32_t at = 64; r->is_whole && at < r->size; at += 64) first += data[at];
    return first ^ last;
}

ALWAYS_INLINE void write_message(const ring *r, uint8_t *data, uint64_t number) {
    if (r->is_whole) memset(data, (int)number, r->size);
    memcpy(data, &number, 8);
    memcpy(data + r->size - 8, &number, 8);
}

ALWAYS_INLINE void *consume(int variant, handover *h) {
    ring *r = &h->ring;
    const uint32_t class_ix = class_of(r->size);
    uint64_t done = 0, ready;
    bench_pin(1);
    while (wait_above(r, &r->head, done, &ready)) {
        for (; done < ready; done++) {
            void *p = r->slot[done % RING];
            h->sum += read_message(r, variant == RING_PLAIN ? p : data_of(variant, p));
            if (variant != RING_PLAIN) put(variant, class_ix, p);
            if ((done + 1) % r->batch == 0) atomic_store_explicit(&r->tail, done + 1, memory_order_release);
        }
    }
    return NULL;
}

/* Whole batches until the time is over; returns nanoseconds per message. */
ALWAYS_INLINE double produce(int variant, handover *h) {
    ring *r = &h->ring;
    bp_pool *pool = variant == RING_PLAIN ? NULL : variant_pool(variant);
    const uint32_t class_ix = class_of(r->size);
    uint64_t sent = 0, tail = 0, now = bench_now_ns();
    const uint64_t start = now;
    for (; now - start < row_ns(); now = bench_now_ns()) {
        for (unsigned k = 0; k < RING; k++) {
            while (sent - tail >= RING) (void)wait_above(r, &r->tail, tail, &tail);
            void *p = variant == RING_PLAIN ? r->slot[sent % RING] : get(variant, pool, class_ix, r->size);
            write_message(r, variant == RING_PLAIN ? p : data_of(variant, p), sent);
            r->slot[sent++ % RING] = p;
            if (sent % r->batch == 0) atomic_store_explicit(&r->head, sent, memory_order_release);
        }
    }
    while (tail < sent) (void)wait_above(r, &r->tail, tail, &tail);
    now = bench_now_ns();
    atomic_store_explicit(&r->is_ended, true, memory_order_release);
    return (double)(now - start) / (double)sent;
}

static void *consume_plain(void *h) { return consume(RING_PLAIN, h); }
static void *consume_pool(void *h) { return consume(INLINE, h); }
static void *consume_mutex(void *h) { return consume(MUTEX, h); }
static void *consume_malloc(void *h) { return consume(MALLOC, h); }

static double produce_any(int variant, handover *h) {
    switch (variant) {
    case RING_PLAIN: return produce(RING_PLAIN, h);
    case INLINE: return produce(INLINE, h);
    case MUTEX: return produce(MUTEX, h);
    default: return produce(MALLOC, h);
    }
}

static double hand_over(const bench_row *row, int variant, uint32_t batch) {
    static handover h;
    static uint8_t *memory;
    if (memory == NULL) memory = aligned_alloc(4096, (size_t)RING * 4096);
    if (memory == NULL) bench_fail("no memory");
    memset(&h, 0, sizeof h);
    h.ring.size = row->size;
    h.ring.batch = batch;
    h.ring.is_whole = (row->variant & WHOLE) != 0;
    h.consume = variant == RING_PLAIN ? consume_plain
                : variant == INLINE   ? consume_pool
                : variant == MUTEX    ? consume_mutex
                                      : consume_malloc;
    for (size_t i = 0; i < RING; i++) h.ring.slot[i] = memory + i * row->size;
    if (pthread_create(&h.thread, NULL, h.consume, &h) != 0) bench_fail("no thread");
    const double ns = produce_any(variant, &h);
    pthread_join(h.thread, NULL);
    return ns;
}

static double run_batch(const bench_row *row) { return hand_over(row, (int16_t)(row->variant & 0xFFFF), BATCH); }
static double run_every(const bench_row *row) { return hand_over(row, (int16_t)(row->variant & 0xFFFF), EVERY); }

#define MIX_OF(label, threads)                                                                                        \
    {"pool threads", label ": unchecked list", "ns", NULL, run_mix, threads, LIST, false},                            \
    {"pool threads", label ": bufpool", "ns", label ": unchecked list", run_mix, threads, INLINE, false},             \
    {"pool threads", label ": mutexes", "ns", label ": bufpool", run_mix, threads, MUTEX, false},                     \
    {"pool threads", label ": malloc", "ns", label ": bufpool", run_mix, threads, MALLOC, true}

#define OVER_OF(label, function, bytes, touched)                                                                      \
    {"pool handed over", label ": no pool", "ns", NULL, function, bytes, (RING_PLAIN & 0xFFFF) | touched, false},     \
    {"pool handed over", label ": bufpool", "ns", label ": no pool", function, bytes, INLINE | touched, false},       \
    {"pool handed over", label ": mutexes", "ns", label ": bufpool", function, bytes, MUTEX | touched, false},        \
    {"pool handed over", label ": malloc", "ns", label ": bufpool", function, bytes, MALLOC | touched, true}

static const bench_row rows[] = {
    MIX_OF("mix, 1 thread", 1),
    MIX_OF("mix, 2 threads", 2),
    MIX_OF("mix, 4 threads", 4),
    MIX_OF("mix, 8 threads", 8),
    OVER_OF("256 at once, 128", run_batch, 128, 0),
    OVER_OF("256 at once, 1024", run_batch, 1024, 0),
    OVER_OF("256 at once, 4096", run_batch, 4096, 0),
    OVER_OF("256 at once, 4096, all bytes", run_batch, 4096, WHOLE),
    OVER_OF("one by one, 128", run_every, 128, 0),
    OVER_OF("one by one, 1024", run_every, 1024, 0),
    OVER_OF("one by one, 4096", run_every, 4096, 0),
    OVER_OF("one by one, 4096, all bytes", run_every, 4096, WHOLE),
};

const bench_table bench_threads_rows = {.rows = rows, .count = sizeof rows / sizeof rows[0]};
