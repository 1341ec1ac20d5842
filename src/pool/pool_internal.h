/* pool/pool_internal.h: the cast of the pool room. What is inline for users is in bufpool/detail/pool_inline.h.
 *
 * Glossary (with that of bufpool/pool.h)
 *   budget     what a pool may hold from the system and holds; the one place that charges and undoes
 *   slab       one mapping: [buffers, up to a page end][descriptor pages][struct bpi_slab and its free bitmap]
 *   depot      the free buffers of a class that lie in its slabs: the queue of slabs with a free bit
 *   out        buffers out of the depot: handed out, or in some thread's magazine
 *   entry      one thread's magazine of one class; open, sealed (recalled: its stock was taken) or never opened
 *   settle     what the owner of a sealed entry does first in its next slow call: finds out whether the operation that
 *              it was in the middle of still counts
 *   quarantine where released buffers of a hardened pool rest before they come to the depot
 *   registry   one lock for what threads and pools know of each other: entry offsets, seals, ends of threads and pools
 *   tight      the limit was reached: no entry opens until an eighth of it is free again
 *   queue      those who wait for memory, first come, first served; ready: served, and not told yet
 *   press      what the first one who waits does: take back whatever nobody uses
 *   wanted     the class of the head of the queue: all others give back every slab that becomes free
 *   forced     granted outside of the limit, within a limit of its own
 *
 * Invariants; bpi_pool_is_valid checks them while no other thread is inside a call
 *   committed == sum of the classes' slab_bytes + exact_bytes          committed <= peak <= limit
 *   forced <= its peak <= its limit           waits == waiting + ready + granted + failed + cancelled
 *   waiting > 0: there is nothing free for the head of the queue, and no memory to be given back that would do
 *   per class: buf_count == depot_count + out                          high_water >= out
 *              depot_count == sum of free_count of the slabs in the queue == bits set in them
 *              in_use == out - sum of the entries' stock - quarantine.count
 *                          acquires - in_use == releases
 *              idle == buf_count - in_use                              misses <= slow <= acquires
 *              aged_count <= depot_count
 *              removed: no magazine is open, and no slab is wholly free
 *   map:       a class stands in it exactly when it is not removed
 *   per entry: open: lo == the first slot <= top <= hi, seal_top == 0      sealed: lo == INTPTR_MAX, hi == 0
 *              open and top above lo: newest == the slot below top
 *
 * Locks, in this order: registry, queue, one class at a time, exit seam. Fields say whose lock they need. Callbacks run
 * without any. */
#ifndef BUFPOOL_POOL_INTERNAL_H
#define BUFPOOL_POOL_INTERNAL_H

#include "bufpool/pool.h"
#include "base/os.h"

enum {
    BPI_DESC_PER_PAGE = 127,  /* 4096 / 32, but for the page's head */
    BPI_BLOCK_ENTRIES = 1024, /* entries per thread: what a 16-bit offset reaches; entry 0 stays closed */
    BPI_BLOCK_BYTES = BPI_BLOCK_ENTRIES * (int)sizeof(bpi_entry),
    BPI_MAGAZINE_STRIDE_MAX = 256 * 1024 - 1, /* larger strides have slabs of one buffer and no magazine */
    BPI_COLOURED_MIN = 1024,  /* strides from here on are spaced by an odd number of cache lines */
    BPI_CACHE_LINE = 64,
    BPI_SLAB_FIRST_BYTES = 16 * 1024,         /* data of a class's first slab; later ones grow with the class */
    BPI_SLAB_LAST_BYTES = 256 * 1024,
    BPI_REST_BYTES = 256 * 1024, /* what a depot keeps where the configuration does not say */
    BPI_DEPTH_MIN = 24, /* buffers that fill an empty magazine, */
    BPI_DEPTH_MAX = 128,
    BPI_DEPTH_BYTES = 1536 * 1024, /* and their bytes at most */
    BPI_LOOK_TURNS = 32, /* how often all that a class has could come and go between two looks for surplus, */
    BPI_LOOK_MOVES = 32  /* and the least number of buffers moved meanwhile */
};

/* What an entry's stock lies in. */
typedef struct bpi_slots {
    bpi_entry *next; /* the class's next entry, of another thread */
    bp_buf *below;   /* what the pop that empties the magazine reads as its newest; means nothing */
    bp_buf *slot[];
} bpi_slots;

typedef struct bpi_slab bpi_slab;
typedef struct bpi_class bpi_class;

/* Out of which a buffer's bytes are paid. */
typedef enum bpi_purse { BPI_COMMITTED, BPI_FORCED, BPI_PURSE_COUNT } bpi_purse;

/* used <= peak <= limit. Atomic, but for limit, which is constant; UINT64_MAX: none. */
typedef struct bpi_account {
    uint64_t limit, used, peak;
} bpi_account;

/* What a pool may hold and holds. Its members are atomic. */
typedef struct bpi_budget {
    bpi_account accounts[BPI_PURSE_COUNT];
    uint64_t trimmed;
    uint64_t exact_acquires, forced_grants;
    uint64_t exact_in_use, exact_bytes; /* of a size-class pool; a heap pool has these numbers anyhow */
    uint64_t forced_in_use;
} bpi_budget;

/* Asks the pool for a buffer for the head of its queue, with the queue's lock held. BP_ERR_LIMIT: not now. */
typedef bp_err bpi_grant_fn(bp_pool *pool, uint64_t size, bp_buf **out);
/* With the registry and the queue held. */
typedef void bpi_press_fn(bp_pool *pool);

typedef struct bpi_list {
    bp_reservation *head, *tail;
} bpi_list;

/* Constant: pool, grant, press (NULL: nothing of the pool rests), now_ms, now_user. waiting is written under the lock
 * and read by anybody. All else needs the lock. */
typedef struct bpi_queue {
    bpi_lock lock;
    bp_pool *pool;
    bpi_grant_fn *grant;
    bpi_grant_fn *force; /* the same outside of the limit; NULL: never */
    bpi_press_fn *press;
    bp_now_fn *now_ms;
    void *now_user;
    uint64_t waiting;
    bpi_list waiters, ready; /* ready: in the order of the grants */
    bpi_list forcible;       /* of the waiters those who can_block, by links of their own */
    uint64_t ready_count;
    bool is_delivering, is_closed;
    uint64_t waits, granted, failed, cancelled;
    uint64_t longest_ms;
} bpi_queue;

typedef struct bpi_desc_page {
    bpi_desc_head head;
    bp_buf bufs[BPI_DESC_PER_PAGE];
} bpi_desc_page;

/* Needs the class's lock. */
struct bpi_slab {
    bpi_class *owner;
    bpi_slab *next, *prev; /* in the class's queue while free_count > 0 */
    uint8_t *data;         /* where the mapping begins */
    bpi_desc_page *pages;
    uint64_t mapped_bytes;
    uint32_t buf_count, free_count;
    uint32_t carved_count; /* descriptors below are written; those above were never handed out */
    uint32_t data_offset;  /* from data to the first buffer */
    uint32_t spacing;      /* from one buffer to the next */
    uint32_t first_desc;   /* number of the first buffer's descriptor in its page */
    uint64_t free_bits[];
};

typedef struct bpi_sized bpi_sized;

/* A class map with what the library alone reads. Constant once published, but for next, which needs the registry. The
 * inline part is the last member, as its entries lie behind it. */
typedef struct bpi_sized_map {
    struct bpi_sized_map *next; /* another map that the pool has or had */
    uint64_t served;            /* bit n: the class of index n serves */
    uint32_t class_count;
    bpi_class *by_size[BP_CLASS_MAX]; /* the classes that serve, ascending */
    bpi_class_map inline_map;
} bpi_sized_map;

/* Buffers of a hardened pool that came back, in a ring, the oldest first. */
typedef struct bpi_quarantine {
    bp_buf **slots;
    uint32_t size, first, count;
} bpi_quarantine;

/* One size class, which the pool keeps until its own end. Constant: pool, stride, cell, lead, spacing, entry, depth,
 * rest_bytes. Atomic: wiped. All else needs the lock. */
struct bpi_class {
    bpi_lock lock;
    bpi_sized *pool;
    uint32_t stride;
    uint32_t depth; /* buffers that fill an empty magazine, which holds four times as many; 0: no magazines */
    uint32_t idle_bytes;
    uint16_t entry;
    bool is_closed;  /* with its pool */
    bool is_removed; /* serves nobody until it is added again */
    bool has_freed;  /* since the lock was taken something came free that the head of the queue may want */
    size_t spacing;    /* bytes from one buffer of a slab to the next, but for the smallest slabs */
    size_t cell, lead; /* bytes of them that are the buffer's, and those of these that come before its data */
    bpi_quarantine quarantine;
    uint64_t rest_bytes;
    uint64_t keep_count;  /* free buffers in the depot beyond which a slab that becomes wholly free goes back at once */
    uint64_t given_count; /* buffers that went back so and were not needed again yet: what is, will be kept */
    bpi_slab *head, *tail; /* slabs with a free buffer; taking goes on at cursor_word in head */
    uint32_t cursor_word;
    uint32_t colour;     /* where in the caches the next slab begins: buffers so far */
    uint64_t moves;      /* buffers that came or went since the last look */
    uint64_t low_count;  /* the least depot_count since then */
    uint64_t aged_count; /* the least depot_count since the last look at the clock */
    uint64_t buf_count, depot_count, out, high_water;
    uint64_t slab_bytes, free_slab_count;
    uint64_t slow, misses;
    uint64_t wiped;
    uint64_t acquires; /* those that no open entry counts */
    uint64_t late; /* buffers that came back after close and whose share in the pool's lives is still to be given up */
    bpi_entry *entries;
};

/* The size-class pool. Constant: has_magazines, is_watched, is_hardened, rest_bytes, exact_size_limit, idle_ms,
 * name. */
struct bpi_sized {
    bp_pool head;
    bpi_budget budget;
    bpi_queue queue;
    bpi_class *wanted; /* atomic; written with the queue's lock held; NULL: the head's buffer is an exact one */
    uint32_t is_tight; /* atomic */
    bool is_watched, is_hardened, has_magazines;
    uint32_t class_count; /* atomic; classes known in the pool's life, those below never change */
    uint64_t rest_bytes, exact_size_limit;
    uint64_t idle_ms; /* 0: nothing goes by its age */
    uint64_t aged_ms; /* atomic; when that was looked at last */
    char *name;
    bpi_sized_map *map;  /* atomic; head.map is its inline part, or the empty map where nothing is served inline */
    bpi_sized_map *maps; /* all that there ever were; needs the registry */
    bpi_class *classes[BP_CLASS_MAX]; /* by index */
};

/* ---- pool.c: references and dispatch ---- */
void bpi_pool_add_lives(bp_pool *pool, uint64_t count);
/* Frees the pool when nothing keeps it any more. */
void bpi_pool_drop_lives(bp_pool *pool, uint64_t count);

/* ---- class_map.c ---- */
extern const bpi_class_map bpi_empty_map;
/* The map of these classes, made unless the pool had it before; NULL when there is no memory. Registry held. */
bpi_sized_map *bpi_map_get(bpi_sized *pool, uint64_t served);
/* The smallest class that holds size, or NULL. */
bpi_class *bpi_map_find(const bpi_sized_map *map, uint64_t size);
/* Has everybody use the map from now on. Registry held, and the pool open. */
void bpi_map_publish(bpi_sized *pool, bpi_sized_map *map);
void bpi_maps_free(bpi_sized *pool);

/* ---- class.c: a class's life ---- */
/* Makes a class of the pool; registry held. BP_ERR_ARGUMENT: the pool cannot serve that size; BP_ERR_NO_MEMORY. */
bp_err bpi_class_new(bpi_sized *pool, const bp_class *config, bpi_class **out);
/* Has these classes serve, and no others; registry held. BP_ERR_NO_MEMORY. */
bp_err bpi_classes_serve(bpi_sized *pool, uint64_t served);
/* Frees a class that has nothing out. Registry held. */
void bpi_class_free(bpi_class *of);
bp_err bpi_sized_class_add(bp_pool *pool, const bp_class *config);
bp_err bpi_sized_class_remove(bp_pool *pool, uint32_t size);

/* ---- limit.c ---- */
/* What the configuration allows in bytes: its memory_limit and its part of the container; 0 is no limit.
 * BP_ERR_ARGUMENT: more than all of the container. */
bp_err bpi_limit_of(const bp_pool_config *config, uint64_t *out);
/* limit 0 is none; forced_limit 0 is nothing. */
void bpi_budget_init(bpi_budget *budget, uint64_t limit, uint64_t forced_limit);
/* Adds bytes to what is used of an account unless that would exceed its limit. */
bool bpi_budget_charge(bpi_budget *budget, bpi_purse which, uint64_t bytes);
/* Whoever calls this has those who wait served: by bpi_queue_poke, or by of->has_freed with a class's lock held. (A
 * charge that is undone under the lock under which nobody waited needs it not: who comes next visits the class.) */
void bpi_budget_uncharge(bpi_budget *budget, bpi_purse which, uint64_t bytes);
void bpi_budget_count_trimmed(bpi_budget *budget, uint64_t bytes);
/* Whether at least an eighth of the limit is free. */
bool bpi_budget_has_room(const bpi_budget *budget);
void bpi_budget_stats(const bpi_budget *budget, bp_pool_stats *out);

/* ---- exact.c: buffers of their own allocation; release them with the pool's table ---- */
/* size, or 0 when it can never be given. */
uint64_t bpi_exact_stride(const bpi_budget *budget, uint64_t size);
/* Charges and counts the acquire; what is in use is the caller's to count. Free returns the bytes that were charged to
 * the limit: none for a forced buffer. */
bp_err bpi_exact_new(bpi_budget *budget, bp_pool *pool, uint64_t size, bp_buf **out);
uint64_t bpi_exact_free(bpi_budget *budget, bp_buf *buf);
/* The same outside of the limit, of a size that the pool can give. */
bp_err bpi_exact_force(bpi_budget *budget, bp_pool *pool, uint64_t size, bp_buf **out);

/* ---- queue.c: those who wait for memory; the caller keeps the pool alive and holds no lock ---- */
void bpi_queue_init(bpi_queue *queue, bp_pool *pool, bpi_grant_fn *grant, bpi_grant_fn *force, bpi_press_fn *press);
void bpi_queue_fini(bpi_queue *queue);
/* Whether plain acquires are refused, and whoever makes memory free has to serve. */
static inline bool bpi_queue_is_waiting(const bpi_queue *queue) {
    return BPI_LOAD_SEQ_CST(&queue->waiting) != 0;
}
/* BP_PENDING: it waits. BP_OK, or an error of the grant's: it never waited. BP_ERR_CLOSED. */
bp_err bpi_queue_wait(bpi_queue *queue, bp_reservation *one);
bool bpi_queue_cancel(bpi_queue *queue, bp_reservation *one);
/* Grants what can be granted now, and tells whoever was granted something. */
void bpi_queue_serve(bpi_queue *queue);
/* The same, if anybody waits: for whoever made memory free. */
static inline void bpi_queue_poke(bpi_queue *queue) {
    if (bpi_queue_is_waiting(queue)) bpi_queue_serve(queue);
}
/* Ends everybody who waits; from now on nobody can. */
void bpi_queue_close(bpi_queue *queue);
/* Returns how many of the pool's lives are the queue's. */
uint64_t bpi_queue_stats(bpi_queue *queue, bp_pool_stats *out);
bool bpi_queue_is_valid(bpi_queue *queue);

/* ---- slab.c: the depot of one class, under its lock ---- */
bpi_slab *bpi_buf_slab(const bp_buf *buf);
/* Bytes of a slab of one buffer: less than that serves nothing of the class. */
uint64_t bpi_slab_least_bytes(const bpi_class *of);
/* Takes up to count free buffers, in address order from the cursor on; returns how many. */
uint32_t bpi_depot_take(bpi_class *of, bp_buf **out, uint32_t count);
void bpi_depot_put(bpi_class *of, bp_buf *const *bufs, size_t count);
/* The same for buffers that were released: what the depot should not keep goes back to the system. */
void bpi_depot_put_back(bpi_class *of, bp_buf *const *bufs, size_t count);
/* Adds a slab, smaller where the limit leaves no room for a large one. BP_ERR_LIMIT, BP_ERR_NO_MEMORY. */
bp_err bpi_depot_grow(bpi_class *of);
/* Gives wholly free slabs back while more than keep_bytes lie in the depot; returns the bytes. */
uint64_t bpi_depot_shrink(bpi_class *of, uint64_t keep_bytes);
/* Called once per operation: gives back what the depot did not need for a while. */
void bpi_depot_look(bpi_class *of);
/* Gives back what lay in the depot ever since aged_count was set, but for idle_bytes. */
void bpi_depot_age(bpi_class *of);
bool bpi_depot_is_valid(bpi_class *of);
/* Whether buf, of which its page can be read, is a descriptor of a slab and as the slab made it. */
bool bpi_buf_is_genuine(const bp_buf *buf);

/* ---- hardened.c: what pools do more that are ---- */
/* Lays out the class's cells and makes its quarantine; false: there is no memory. */
bool bpi_hardened_init(bpi_class *of);
/* Makes the last page of every cell untouchable; false: the system cannot. */
bool bpi_hardened_guard(const bpi_class *of, uint8_t *memory, uint32_t buf_count);
/* Whether buf is a descriptor as some pool made it; reports one that is not. */
bool bpi_hardened_is_genuine(const bp_buf *buf);
/* Gives up one reference. True: it was the last, and nobody else holds the buffer. */
bool bpi_hardened_drop(bp_buf *buf);
/* Reports a free buffer that was written. */
void bpi_hardened_inspect(const bpi_class *of, const bp_buf *buf);
/* Prepares the cell of a buffer that is about to be handed out; poisons all of it. */
void bpi_hardened_hand_out(const bpi_class *of, bp_buf *buf, uint32_t size);
/* Puts a buffer whose last reference went into quarantine; no lock held. */
void bpi_hardened_rest(bpi_class *of, bp_buf *buf);
/* Puts what is in quarantine into the depot, and serves nobody. */
void bpi_quarantine_end(bpi_class *of);
bool bpi_quarantine_is_valid(const bpi_quarantine *quarantine);

/* ---- magazine.c: the out-of-line life of an entry; the class's lock held ---- */
/* Ends the operation in which the owner was when its entry was sealed; claimed: a pop found the entry closed or empty.
 * Returns the buffer that the pop got before the seal, or NULL. Afterwards the entry is open or empty. */
bp_buf *bpi_entry_settle(bpi_entry *entry, bool is_claimed);
/* Opens the entry if its class may have magazines now. */
bool bpi_entry_open(bpi_entry *entry, bpi_class *of);
/* Fills an empty open entry, and empties the older half of a full one. */
void bpi_entry_refill(bpi_entry *entry);
void bpi_entry_flush(bpi_entry *entry);
/* Buffers that rest in the entry; any thread. */
uint64_t bpi_entry_stock(const bpi_entry *entry);
/* Takes the stock of every entry of the pool, whichever thread owns it. Registry held and no class's lock, by a caller
 * who keeps the pool alive. */
void bpi_seal(bpi_sized *pool);
/* The same for one of its classes. */
void bpi_seal_class(bpi_class *of);
/* Takes the entry out of its class and empties it; registry and class lock held. Owner: the calling thread, or a thread
 * that is not inside a call on this pool. */
void bpi_entry_detach(bpi_entry *entry);

/* ---- thread.c: blocks and offsets ---- */
extern bpi_lock bpi_registry;
/* The calling thread's entry at offset, in a block of its own; NULL when it has and gets none. */
bpi_entry *bpi_own_entry(uint32_t offset);
/* An entry's offset that no other class has, or 0 when there is none left; registry held, as for giving it back. */
uint16_t bpi_offset_take(void);
void bpi_offset_give(uint16_t offset);

/* ---- size_class.c ---- */
extern const bp_pool_table bpi_sized_table;
bpi_class *bpi_class_of_size(const bpi_sized *pool, uint64_t size);
/* Leaves the class's lock, gives up what closed buffers kept alive, and serves those who wait if anything came free:
 * the pool may be gone afterwards. Neither registry nor queue is held. */
void bpi_class_leave(bpi_class *of);
/* The same for callers who hold one of these, or more classes to go: they serve afterwards, when they hold nothing. */
void bpi_class_leave_unserved(bpi_class *of);
bp_err bpi_sized_acquire(bpi_sized *pool, uint64_t size, bpi_entry *claimed, bp_buf **out);
void bpi_sized_release(bp_buf *buf);
/* The same for those who wait, with the queue's lock held: from a class, or as an exact allocation. */
bp_err bpi_class_grant(bpi_class *of, uint32_t size, bp_buf **out);
bp_err bpi_sized_grant_exact(bpi_sized *pool, uint64_t size, bp_buf **out);
/* Counts that a buffer from a slab, which its last holder still has, was wiped. */
void bpi_sized_count_wiped(const bp_buf *buf);

/* ---- age.c ---- */
/* Gives back what nobody used for idle_ms, if it is time. No lock held, by a caller who keeps the pool alive. */
void bpi_age_look(bpi_sized *pool);

/* ---- trim.c: what concerns all classes ---- */
/* Takes back every buffer that nobody holds and gives wholly free slabs to the system; returns the bytes. */
uint64_t bpi_sized_recall(bpi_sized *pool);
/* The same with the registry held, by a caller who keeps the pool alive, and serves afterwards. */
uint64_t bpi_sized_recall_registered(bpi_sized *pool);
uint64_t bpi_sized_trim(bp_pool *pool, bool keep_idle);
void bpi_sized_close(bp_pool *pool);

/* ---- reserve.c: what the size-class pool does for its queue ---- */
bp_err bpi_sized_reserve(bp_pool *pool, bp_reservation *reservation);
bool bpi_sized_cancel(bp_pool *pool, bp_reservation *reservation);
/* A buffer for the head of the queue; with the queue's lock held. */
bp_err bpi_sized_grant(bp_pool *pool, uint64_t size, bp_buf **out);
/* The same outside of the limit. */
bp_err bpi_sized_force(bp_pool *pool, uint64_t size, bp_buf **out);
/* What the first one who waits does; registry and queue held. */
void bpi_sized_press(bp_pool *pool);

/* ---- stats.c ---- */
void bpi_sized_stats(bp_pool *pool, bp_pool_stats *out);
bp_err bpi_sized_class_stats(bp_pool *pool, uint32_t class_ix, bp_class_stats *out);
/* Whether every invariant above holds; true for users' own pools. Only while no other thread is inside a call. */
bool bpi_pool_is_valid(bp_pool *pool);
/* The same without a look at every free bit and descriptor: cheap enough for every step of a test. */
bool bpi_pool_adds_up(bp_pool *pool);
bool bpi_budget_is_valid(const bpi_budget *budget);

/* ---- heap_pool.c ---- */
extern const bp_pool_table bpi_heap_table;
/* With config's forced_limit and clock, and the limit that it comes to (bpi_limit_of). */
bp_err bpi_heap_pool_new(const bp_pool_config *config, uint64_t limit, bp_pool **out);
bool bpi_heap_is_valid(bp_pool *pool);

/* Differences of counts that are read one after another while others change them. */
static inline uint64_t bpi_less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

/* Slots of a magazine: a burst up to three quarters of them settles without the depot, wherever its stock began. */
static inline uint32_t bpi_slot_count(const bpi_class *of) { return 4 * of->depth; }

/* What automatic trim leaves of a class: idle_bytes, and never less than two buffers. */
static inline uint64_t bpi_class_idle_bytes(const bpi_class *of) {
    const uint64_t two = UINT64_C(2) * of->stride;
    return of->idle_bytes < two ? two : of->idle_bytes;
}

/* Buffers that its depot keeps in any case: idle_bytes, or a quarter of rest_bytes. */
static inline uint64_t bpi_class_rest_count(const bpi_class *of) {
    const uint64_t idle = bpi_class_idle_bytes(of), quarter = of->rest_bytes / 4;
    return (idle < quarter ? quarter : idle) / of->stride;
}

/* What is set in the state of every buffer of the pool's slabs. */
static inline uint32_t bpi_buf_flags(const bpi_sized *pool) {
    return (pool->is_watched ? BPI_BUF_WATCHED : 0) | (pool->is_hardened ? BPI_BUF_HARDENED : 0);
}

static inline bpi_sized *bpi_sized_of(bp_pool *pool) { return (bpi_sized *)(void *)pool; }

/* How many of pool->classes there are; with the registry held it stays so. */
static inline uint32_t bpi_class_count(const bpi_sized *pool) { return BPI_LOAD_ACQUIRE(&pool->class_count); }

#endif
