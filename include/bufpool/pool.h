/* bufpool/pool.h: buffers, and the pools that they come from.
 *
 * A buffer (bp_buf) is a 32-byte descriptor out of line: it points at its bytes and knows its pool, frame type, length
 * and capacity. A pool (bp_pool) is an interface; the library ships two: the size-class pool (bp_pool_new), made for
 * the sizes that a contract names, and the heap pool (bp_heap_pool_new), where every buffer comes from malloc.
 *
 *     bp_buf *buf = NULL;
 *     bp_err err = bp_pool_acquire(pool, 200, &buf);
 *     if (err != BP_OK) return err;
 *     memcpy(bp_buf_data(buf), bytes, 200);
 *     ...
 *     bp_buf_release(buf);
 *
 * Glossary
 *   size class   a stride; a request is served from the smallest class that holds it
 *   slab         one mapping that holds the buffers of one class, and their descriptors
 *   magazine     a thread's own stock of free buffers of one class; no lock is needed to use it
 *   depot        the stock that the threads share, under the class's lock
 *   committed    bytes that the pool holds from the system: slabs, descriptors, exact allocations
 *   exact        a buffer larger than the largest class: allocated for itself, counted, never retained
 *   reservation  a request for a buffer that may wait for memory: first come, first served
 *   forced       a buffer granted outside of the limit to a reservation that can block its owner
 *
 * Threads: every function may be called from any thread, and a buffer may be released on another thread than it was
 * acquired on. A buffer's bytes and length belong to whoever holds it; shared holders must not write. Forking without
 * exec while a pool exists is not supported. */
#ifndef BUFPOOL_POOL_H
#define BUFPOOL_POOL_H

#include "bufpool/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bp_pool bp_pool;
typedef struct bp_buf bp_buf;
typedef struct bp_wrap bp_wrap;

/* One size class of a pool. */
typedef struct bp_class {
    uint32_t size;       /* stride in bytes: a multiple of 16, at least 16 */
    uint32_t idle_bytes; /* what automatic trim leaves resting, never less than two buffers */
} bp_class;

/* Milliseconds since any fixed moment, never falling. Called by any thread, and often: no locks and no calls of this
 * library in it. */
typedef uint64_t bp_now_fn(void *user);

/* How to make a size-class pool. The generated X_pool_config holds the classes of a contract; everything is copied. */
typedef struct bp_pool_config {
    const char *name;          /* for statistics; NULL is "pool" */
    const bp_class *classes;   /* strictly ascending by size */
    uint32_t class_count;      /* 1 .. BP_CLASS_MAX */
    uint64_t memory_limit;     /* bytes committed at most; at least four times the largest class; 0 is no limit */
    uint32_t container_percent; /* bounds the limit by so many percent of bp_container_memory(), where that is known;
                                   0 .. 100, 0 does not ask */
    uint64_t rest_bytes;       /* what may rest with a thread, and a quarter of it in a class's depot; 0 is 256 KiB */
    uint64_t exact_size_limit; /* largest exact allocation; 0 is bounded by memory_limit alone */
    uint64_t forced_limit;     /* bytes granted outside of memory_limit at most (can_block); 0 is nothing */
    bp_now_fn *now_ms;         /* tells how long reservations wait and memory rests; NULL is no clock */
    void *now_user;            /* what now_ms is called with */
    uint64_t idle_ms;          /* what rested that long, beyond idle_bytes of its class, goes back to the system as
                                  calls come by that take a lock, after twice that at the latest; 0: never. Needs
                                  now_ms */
    bool is_hardened;          /* tells of what holders do wrong (docs/BUFFER_POOL.md); slow, and takes much memory */
} bp_pool_config;

enum { BP_CLASS_MAX = 64 };

/* ---- pools ------------------------------------------------------------------------------------------------------ */

/* Makes a size-class pool that has committed nothing yet. The caller owns one reference.
 * BP_ERR_ARGUMENT: a class is missing, misaligned or out of order, or the limit is under four times the largest or
 * under what the smallest slab takes, two pages; container_percent is above 100; BP_ERR_NO_MEMORY. */
BP_NODISCARD BP_API bp_err bp_pool_new(const bp_pool_config *config, bp_pool **out);

/* Makes a pool whose every buffer comes from malloc and goes back to it: the unpooled fallback and the honest
 * baseline. memory_limit in bytes, 0 is no limit. BP_ERR_NO_MEMORY. */
BP_NODISCARD BP_API bp_err bp_heap_pool_new(uint64_t memory_limit, bp_pool **out);

/* Makes a pool, with one reference, as config says; user is what the factory was registered with. Who makes pools
 * through a factory can be given any kind of pool. A factory takes of config what concerns its pool, copies what it
 * keeps, and sets *out to NULL when it fails: BP_ERR_ARGUMENT: the pool cannot be made so; BP_ERR_NO_MEMORY. */
typedef bp_err bp_pool_factory(const bp_pool_config *config, void *user, bp_pool **out);

/* The factories of the library's pools: as bp_pool_new; as bp_heap_pool_new with config's limits and clock. Both
 * ignore user. */
BP_NODISCARD BP_API bp_err bp_pool_factory_sized(const bp_pool_config *config, void *user, bp_pool **out);
BP_NODISCARD BP_API bp_err bp_pool_factory_heap(const bp_pool_config *config, void *user, bp_pool **out);

/* The bytes that the container we run in may use: the least memory.max of our control group (version 2) and of those
 * above it; 0: no limit is known. Reads a few files. */
BP_API uint64_t bp_container_memory(void);

/* Another reference to the pool; returns pool. */
BP_API bp_pool *bp_pool_retain(bp_pool *pool);

/* Gives one reference back and sets *pool to NULL; NULL is allowed. The last one closes the pool. Buffers still out
 * keep its memory alive; the last of them frees it. */
BP_API void bp_pool_release_take(bp_pool **pool);

/* Closes the pool for good: from now on acquire and reserve return BP_ERR_CLOSED, and all who wait are told the same;
 * buffers that are out stay valid and may be released. Closing twice does nothing. */
BP_API void bp_pool_close(bp_pool *pool);

/* Gives memory that holds no buffer in use back to the system. keep_idle true leaves idle_bytes of every class, false
 * leaves nothing, whichever threads it rests with. Returns the bytes given back. */
BP_API uint64_t bp_pool_trim(bp_pool *pool, bool keep_idle);

/* The bytes that a request of size would be given (its class's stride, or size itself when exact), or 0 when the pool
 * never gives that many. */
BP_API uint64_t bp_pool_stride(const bp_pool *pool, uint64_t size);

/* Has the pool serve one more size class from now on: a size that it did not have, or one that was removed, which then
 * goes on with its counts. The class gets the next index, or keeps the one it had.
 * BP_ERR_ARGUMENT: the size is misaligned, or there already, or more than a quarter of the memory limit, or the pool
 * has known BP_CLASS_MAX sizes in its life, or its classes cannot change; BP_ERR_NO_MEMORY; BP_ERR_CLOSED. */
BP_NODISCARD BP_API bp_err bp_pool_class_add(bp_pool *pool, const bp_class *added);

/* Has the pool serve a size class no more: its requests get the next larger one, and what rests of it goes back to the
 * system, in whichever thread it rests. Its buffers that are out stay valid, and their memory follows when they are
 * released. It keeps its index and its counts. Adding and removing classes costs microseconds, and a few KiB for every
 * set of classes that the pool did not have before, until the pool ends.
 * BP_ERR_ARGUMENT: there is no class of that size, or the pool's classes cannot change; BP_ERR_NO_MEMORY;
 * BP_ERR_CLOSED. */
BP_NODISCARD BP_API bp_err bp_pool_class_remove(bp_pool *pool, uint32_t size);

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

/* Takes a buffer of size bytes (capacity size, length 0, type 0, contents undefined); the caller is its only owner.
 * BP_ERR_ARGUMENT: size is 0 or more than the pool can ever give; BP_ERR_LIMIT: the memory limit is reached, or
 * somebody waits for memory (bp_pool_reserve); BP_ERR_NO_MEMORY; BP_ERR_CLOSED. */
BP_NODISCARD static inline bp_err bp_pool_acquire(bp_pool *pool, uint64_t size, bp_buf **out);

/* The same, faster: class_ix is the index in the pool's table of a class that is known to hold size, as generated code
 * knows it. A wrong index (another schema's pool) is safe: the class is then looked up. */
BP_NODISCARD static inline bp_err bp_pool_acquire_class(bp_pool *pool, uint32_t class_ix, uint32_t size, bp_buf **out);

/* Gives one reference back; NULL is allowed. The last one returns the buffer to its pool, and its bytes must not be
 * touched any more. Releasing a pooled buffer that is already free is misuse and reported, until it is handed out again
 * or its memory is given back to the system. */
static inline void bp_buf_release(bp_buf *buf);

/* The same, and sets *buf to NULL. */
static inline void bp_buf_release_take(bp_buf **buf);

/* Another reference to the buffer; returns buf. Its bytes are shared from now on and must not be written. A buffer that
 * is free gets none: that is misuse, and reported as for release. */
static inline bp_buf *bp_buf_retain(bp_buf *buf);

/* The buffer's bytes: capacity of them may be used. Aligned to 16. */
static inline uint8_t *bp_buf_data(const bp_buf *buf);

/* How many bytes hold contents; how many may; the frame type they are of, 0 when none. */
static inline uint32_t bp_buf_length(const bp_buf *buf);
static inline uint32_t bp_buf_capacity(const bp_buf *buf);
static inline uint16_t bp_buf_type(const bp_buf *buf);

/* Says how many bytes hold contents and of which frame type they are. A length above the capacity is misuse and
 * changes nothing. */
static inline void bp_buf_set_length(bp_buf *buf, uint32_t length);
static inline void bp_buf_set_type(bp_buf *buf, uint16_t type);

/* Has the buffer's bytes, capacity of them, wiped when its last reference goes, before anybody else can have them; the
 * compiler cannot leave that out. Holds until then and cannot be taken back. Readers and generated X_pack functions do
 * this for messages whose contract has a `sensitivity`. */
BP_API void bp_buf_set_sensitive(bp_buf *buf);

/* Whether bp_buf_set_sensitive was called since the buffer was acquired. */
static inline bool bp_buf_is_sensitive(const bp_buf *buf);

/* The pool the buffer belongs to; valid while the buffer is held. */
static inline bp_pool *bp_buf_pool(const bp_buf *buf);

/* The last reference to a wrapped buffer is gone: its bytes and *wrap are their owner's again, and may be freed or
 * wrapped anew here. On the thread of that last release, with no lock held. */
typedef void bp_wrap_fn(bp_wrap *wrap, uint8_t *data, void *user);

/* Makes length bytes at data, which belong to somebody else, a buffer with one reference: capacity and length are
 * length, the type is 0. Nothing is allocated: *wrap is the caller's memory and holds the buffer, so both it and the
 * bytes must stay where they are until on_release is called; NULL: they stay for ever. Takes any alignment; data may be
 * NULL when length is 0. The buffer's pool is one that all wrapped buffers share, lives as long as the process and
 * gives no buffers. Whoever marks such a buffer as sensitive has the owner's bytes wiped before on_release. */
BP_API bp_buf *bp_buf_wrap(bp_wrap *wrap, uint8_t *data, uint32_t length, bp_wrap_fn *on_release, void *user);

/* Moves what *buf holds to a buffer of the pool `to`, so that a holder who has to wait, or to keep little for long,
 * gives the large, the wrapped or the other pool's buffer back: *buf becomes the new buffer, with the same contents,
 * length, type and mark as sensitive, and its length (at least 1) as capacity; the caller's reference to the old one is
 * given back. The pool's limit bounds what is kept so. An error of acquire changes nothing. */
BP_NODISCARD BP_API bp_err bp_buf_copy_out(bp_buf **buf, bp_pool *to);

/* acquire, release and retain as plain functions, for languages and programs that cannot inline. */
BP_NODISCARD BP_API bp_err bp_pool_acquire_plain(bp_pool *pool, uint64_t size, bp_buf **out);
BP_API void bp_buf_release_plain(bp_buf *buf);
BP_API bp_buf *bp_buf_retain_plain(bp_buf *buf);

/* Declares a buffer that is released at the end of its scope:  BP_AUTO_BUF(buf);  It starts as NULL. */
#define BP_AUTO_BUF(name) __attribute__((cleanup(bp_buf_release_take))) bp_buf *name = NULL

/* ---- reservations: waiting for memory ---------------------------------------------------------------------------- */

/* While anybody waits, nobody overtakes: every acquire is refused with BP_ERR_LIMIT, and what threads keep for
 * themselves goes back. Only an acquire that is under way already may still succeed, one per thread. Who waits for a
 * buffer that the limit allows is granted it at the latest when all buffers handed out before have come back.
 *
 *     bp_reservation *wish = &request->wish;         // in the caller's own struct: a pool only links it
 *     *wish = (bp_reservation){.size = 8 << 20, .on_done = on_memory, .user = request};
 *     switch (bp_pool_reserve(pool, wish)) {
 *     case BP_OK: start(request, wish->buf); break;  // there is memory
 *     case BP_PENDING: break;                        // on_memory(wish) will be called once, unless it is cancelled
 *     default: give_up(request);
 *     }
 *
 * A granted reservation is its buffer: nobody touched its pages yet, bp_buf_data is the same address however often it
 * is asked for, and what is not needed after all is given back by bp_buf_release. */
typedef struct bp_reservation bp_reservation;

/* Called once when a reservation that waited has its buffer (err is BP_OK, and buf is the caller's) or gets none
 * (BP_ERR_CLOSED; BP_ERR_NO_MEMORY; BP_ERR_ARGUMENT: the class that held it was removed; buf is NULL). Nothing reads
 * the reservation any more: it may be freed or used again here. On any thread that calls into the pool (a release,
 * cancel, reserve, trim, close ...), with no lock held, one at a time for each pool and in the order of the grants. It
 * should only notify: a pool's next callbacks wait for it. It may call everything but bp_pool_acquire_wait. */
typedef void bp_reservation_fn(bp_reservation *reservation);

/* A request for a buffer: zero but for what is `in`. From BP_PENDING on until it is over, it stays where it is and only
 * the pool writes it. */
struct bp_reservation {
    uint64_t size;              /* in: bytes */
    void *owner;                /* in: on whose behalf, for pools that tell their users apart; these here do not */
    bool can_block;             /* in: whoever holds other buffers may be stuck until this one is granted: the pool may
                                   force it, outside of its limit (forced_limit) */
    bp_reservation_fn *on_done; /* in: not NULL */
    void *user;                 /* in: the caller's */
    bp_err err;                 /* out */
    bp_buf *buf;                /* out: NULL unless err is BP_OK */
    struct {
        bp_reservation *next, *prev;
        bp_reservation *forcible_next, *forcible_prev; /* of those that can_block */
        void *queue;                                   /* where it waits; NULL: nowhere */
        uint64_t since_ms;
        bool is_ready;
    } detail; /* the pool's */
};

/* Asks for a buffer of reservation->size bytes as bp_pool_acquire does, and waits for memory where that is refused.
 * BP_OK: reservation->buf is the caller's, and on_done is not called. BP_PENDING: it waits; on_done is called once,
 * unless it is cancelled; the pool stays alive for as long. BP_ERR_ARGUMENT: on_done is missing, it waits already, or
 * size is 0 or more than the pool can ever give; BP_ERR_NO_MEMORY; BP_ERR_CLOSED: nothing happened. A pool of one's own
 * that cannot wait answers as its acquire does. Takes as long however many wait. */
BP_NODISCARD BP_API bp_err bp_pool_reserve(bp_pool *pool, bp_reservation *reservation);

/* Takes a reservation back. True: on_done will never run, and the reservation is the caller's again; a buffer that it
 * had got already went back. False: it is over (on_done ran, runs or is about to), or never waited. Takes as long
 * however many wait. May be called while the reservation is valid, also on other threads and in callbacks. */
BP_API bool bp_pool_cancel(bp_pool *pool, bp_reservation *reservation);

/* Acquires a buffer and waits for memory in its turn, for timeout_ms at the most; UINT32_MAX is for ever.
 * BP_ERR_TIMEOUT; BP_ERR_WOULD_BLOCK: this thread may not wait, whether it would have to or not (bp_thread_forbid_wait,
 * or inside an on_done); the errors of bp_pool_reserve. */
BP_NODISCARD BP_API bp_err bp_pool_acquire_wait(bp_pool *pool, uint64_t size, uint32_t timeout_ms, bp_buf **out);

/* Says whether the calling thread must never wait, as one that runs an event loop: bp_pool_acquire_wait is refused.
 * Calls nest: each true needs its false. The transports do this for the loops that they run. */
BP_API void bp_thread_forbid_wait(bool is_forbidden);

/* Whether the calling thread may wait. */
BP_API bool bp_thread_may_wait(void);

/* ---- statistics ------------------------------------------------------------------------------------------------- */

/* The counts of one class, or of all; stats.def says what each means. */
typedef struct bp_class_stats {
    uint32_t size; /* the class's stride; 0 in a total */
#define BP_CLASS_STAT(name, unit, kind, merge, text) uint64_t name;
#include "bufpool/stats.def"
} bp_class_stats;

/* The state of a pool; stats.def says what each count means. */
typedef struct bp_pool_stats {
    const char *name;     /* the pool's; valid while the pool is */
    uint32_t class_count; /* at most BP_CLASS_MAX; 0 for the heap pool */
#define BP_POOL_STAT(name, unit, kind, text) uint64_t name;
#include "bufpool/stats.def"
    bp_class_stats total; /* all classes together; exact allocations are not in it */
} bp_pool_stats;

/* Reads the pool's state. */
BP_API void bp_pool_stats_read(bp_pool *pool, bp_pool_stats *out);

/* Reads one class's counts. BP_ERR_ARGUMENT: class_ix is not below class_count. */
BP_NODISCARD BP_API bp_err bp_pool_class_stats_read(bp_pool *pool, uint32_t class_ix, bp_class_stats *out);

/* Writes the pool's state as a table for people: a line for each count of the pool and one for each class, with its hit
 * rate. Like snprintf: at most size bytes of out are written, a NUL included (out may be NULL when size is 0), and what
 * is returned is how many bytes the whole text takes without it. Counts may grow between two calls, the text too. */
BP_API size_t bp_pool_stats_text(bp_pool *pool, char *out, size_t size);

/* The same for Prometheus (text exposition format 0.0.4), all pools in one: each metric may stand there once.
 * The label `pool` is the pool's name; of pools with the same name the second is name#2. The label `class` is the
 * class's stride. Each number is read by itself: sums over different ones may be off by what happened meanwhile. */
BP_API size_t bp_pool_stats_prometheus(bp_pool *const *pools, size_t pool_count, char *out, size_t size);

/* ---- making a pool of one's own (experimental until 1.0) -------------------------------------------------------- */

/* A pool is whatever fills this table and begins with a bp_pool (bp_pool_init). Slots marked * are mandatory; the
 * others may be NULL. All slots may be called from any thread at the same time. */
typedef struct bp_pool_table {
    uint32_t table_bytes; /* * sizeof(bp_pool_table): tells which slots the implementer knew */

    /* * A buffer of size bytes (never 0), made with bp_buf_init, as bp_pool_acquire promises it. */
    bp_err (*acquire)(bp_pool *pool, uint64_t size, bp_buf **out);

    /* * The last reference to buf is gone: take it back. */
    void (*release)(bp_pool *pool, bp_buf *buf);

    /* * The last reference to the pool and the last of its buffers are gone: free it. */
    void (*free)(bp_pool *pool);

    /* Refuse further acquires. NULL: bp_pool_acquire does so itself once the pool is closed. */
    void (*close)(bp_pool *pool);

    /* As bp_pool_trim. NULL: gives nothing back. */
    uint64_t (*trim)(bp_pool *pool, bool keep_idle);

    /* As bp_pool_stride. NULL: every size that a capacity can say is given exactly. */
    uint64_t (*stride)(const bp_pool *pool, uint64_t size);

    /* As bp_pool_stats_read and bp_pool_class_stats_read. NULL: all zero, no classes. */
    void (*stats)(bp_pool *pool, bp_pool_stats *out);
    bp_err (*class_stats)(bp_pool *pool, uint32_t class_ix, bp_class_stats *out);

    /* As bp_pool_reserve, of a size that is not 0, and bp_pool_cancel; one needs the other. NULL: reserve answers as
     * acquire does and never waits, cancel is false. */
    bp_err (*reserve)(bp_pool *pool, bp_reservation *reservation);
    bool (*cancel)(bp_pool *pool, bp_reservation *reservation);

    /* As bp_pool_class_add and bp_pool_class_remove. NULL: BP_ERR_ARGUMENT. */
    bp_err (*class_add)(bp_pool *pool, const bp_class *added);
    bp_err (*class_remove)(bp_pool *pool, uint32_t size);
} bp_pool_table;

/* Makes *pool, the beginning of the implementer's own struct, a pool of this table, with one reference. The table must
 * outlive the pool. BP_ERR_ARGUMENT: a mandatory slot is missing. */
BP_NODISCARD BP_API bp_err bp_pool_init(bp_pool *pool, const bp_pool_table *table);

/* Makes *buf a buffer of capacity bytes at data, with one reference, which keeps the pool alive until its release slot
 * has returned. Call it once for every buffer that an acquire slot gives. */
BP_API void bp_buf_init(bp_buf *buf, bp_pool *pool, uint8_t *data, uint32_t capacity);

#ifdef __cplusplus
}
#endif

#include "bufpool/detail/pool_inline.h"

#endif
