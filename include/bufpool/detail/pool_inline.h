/* bufpool/detail/pool_inline.h: the parts of the pool that are compiled into its users: layout and inline paths.
 *
 * Not for users; its layout is ABI (BP_ABI). The proof of the hand-over between a thread and one that recalls its
 * magazines is in docs/decisions/0002-pool-shapes.md.
 *
 *   entry   one thread's magazine of one class, 64 bytes: an array of free buffers, used as a stack
 *   block   one thread's entries; every (pool, class) has the same offset in the block of every thread
 *   head    of a page of descriptors: what all of its buffers have in common
 *   map     which class serves which size, as the inline path sees it; a change of the classes makes a new one
 *   closed  an entry that refuses every pop and push: an all-zero entry is closed, and so is a recalled one */
#ifndef BUFPOOL_DETAIL_POOL_INLINE_H
#define BUFPOOL_DETAIL_POOL_INLINE_H

#include "bufpool/detail/atomic.h"
#include "bufpool/pool.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__SANITIZE_THREAD__)
#define BPI_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define BPI_HAS_TSAN 1
#endif
#endif

/* bp_buf.state: the references, and what makes a buffer special; 1 is a pooled buffer with one owner. */
#define BPI_BUF_REFS 0x00FFFFFFu      /* 0 while the buffer is free */
#define BPI_BUF_REFS_MAX 0x007FFFFFu  /* more are not counted: the buffer is stuck, see bpi_buf_retain_slow */
#define BPI_BUF_COUNTED 0x01000000u   /* not from a slab: keeps its pool alive by itself, and goes back by the table */
#define BPI_BUF_WATCHED 0x02000000u   /* its bytes are poisoned while free, so nothing of it happens inline */
#define BPI_BUF_SENSITIVE 0x04000000u /* its bytes are wiped when the last reference goes */
#define BPI_BUF_FORCED 0x08000000u    /* an exact allocation that is charged outside of the limit */
#define BPI_BUF_HARDENED 0x10000000u  /* of a hardened pool: nothing of it happens inline */

struct bp_buf {
    uint8_t *data;
    uint32_t state;
    uint32_t capacity; /* bytes asked for */
    uint16_t unused;   /* 0, so that handing out makes a whole word 0 in one store */
    uint16_t type;     /* type and length are adjacent: on little-endian machines bytes 18..23 are the frame header */
    uint32_t length;
    bp_pool *pool;
};

enum { BPI_DESC_PAGE = 4096 }; /* bytes and alignment of a page of descriptors from a slab */

/* What such a page begins with. The class's entry is here and not in each descriptor, so that a release knows its entry
 * before the descriptor has come from a cache further away. It lies in the third word, see bpi_entry for why. */
typedef struct bpi_desc_head {
    struct bpi_slab *slab;
    uint64_t mark;     /* tells such a page from other memory, see bpi_buf_is_genuine */
    uint32_t first_ix; /* of the first descriptor in its slab; before 0 where that begins further on, modulo 2^32 */
    uint16_t entry;    /* offset of the class in every thread's block; 0 is an entry that stays closed */
    uint16_t reserved[5];
} bpi_desc_head;

/* Begins with its buffer, so that the library finds the one from the other. */
struct bp_wrap {
    bp_buf buf;
    bp_wrap_fn *on_release;
    void *user;
};

/* What the inline path knows of one class. */
typedef struct bpi_inline_class {
    uint32_t stride; /* 0: there is no such class, or it is not served inline */
    uint16_t entry;
    uint16_t reserved;
} bpi_inline_class;

enum {
    BPI_SMALL_MAX = 4096, /* the class of sizes up to here is found by a constant shift, */
    BPI_SMALL_SHIFT = 4   /* in units that divide every stride */
};

/* A pool's classes. Never changed once a pool points at it, and kept as long as the pool, so that whoever read the
 * pointer may go on with what it says. Whatever is not served inline has entry 0, which refuses it: in that of closed,
 * watched and users' own pools there is nothing else. The entries of larger sizes lie behind it. */
typedef struct bpi_class_map {
    uint16_t small_entries[BPI_SMALL_MAX >> BPI_SMALL_SHIFT]; /* by (size - 1) >> BPI_SMALL_SHIFT */
    uint64_t inline_size_max;                                 /* largest size served inline */
    uint32_t inline_shift;
    uint32_t reserved;
    bpi_inline_class inline_classes[BP_CLASS_MAX]; /* by class index */
} bpi_class_map;

struct bp_pool {
    const bp_pool_table *table;
    uint32_t is_closed;
    uint32_t references; /* bp_pool_retain */
    const bpi_class_map *map; /* atomic; where an entry has no field that inline paths store to, see there */
    uint64_t lives; /* what keeps the pool's memory: 1 for all references, 1 per buffer that is COUNTED, 1 per buffer
                       that was out when a size-class pool was closed */
};

struct bpi_class;
struct bpi_slots;

/* top, lo and hi are addresses of slots. Only the owner writes top; others write lo and hi only to close the entry.
 * The rest belongs to whoever holds the class's lock or the registry's lock.
 *
 * The order is for processors on which a load waits for an older store whose address is the same modulo 4096. What
 * holders store to is, more than anything else, the first word of a line of 64 bytes, or the last one: nothing that the
 * inline paths use lies there. Neither do they store to the third word: in a pool that one is the map. */
typedef struct bpi_entry {
    struct bpi_slots *slots;
    intptr_t top;   /* one above the newest free buffer */
    intptr_t lo;    /* a pop may not leave top below; the first slot, or INTPTR_MAX when recalled */
    intptr_t hi;    /* a push needs top below; one above the last slot, or 0 when recalled */
    bp_buf *newest; /* the owner's copy of the slot below top: a pop knows its buffer before it knows top */
    uint64_t acquires;
    intptr_t seal_top;       /* top as the recaller saw it, when it took the stock; 0: nobody took it */
    struct bpi_class *owner; /* NULL: never opened */
} bpi_entry;

/* The calling thread's block; at first one that all threads share and whose entries are all closed. */
BP_API extern __thread char *bpi_thread_block __attribute__((tls_model("initial-exec")));

/* What is not done inline. claimed: the entry in which a pop was begun that found it closed or empty. */
BP_NODISCARD BP_API bp_err bpi_acquire_slow(bp_pool *pool, uint64_t size, bpi_entry *claimed, bp_buf **out)
    __attribute__((cold, noinline));

/* Gives back a reference that is not the only one of an unwatched buffer from a slab, or whose entry is full. */
BP_API void bpi_release_slow(bp_buf *buf) __attribute__((cold, noinline));

/* buf was pushed into an entry that was recalled at the same time. It may already be somebody else's. */
BP_API void bpi_release_recalled(bpi_entry *entry, bp_buf *buf) __attribute__((cold, noinline));
BP_API void bpi_buf_length_misused(const bp_buf *buf) __attribute__((cold, noinline));

/* Another reference to a buffer that is hardened, or free (misuse), or has as many as there may be: then the count is
 * set to the middle of what lies above, where no thread that counts up or down at the same time gets it out of, and
 * the buffer is never free again (misuse). */
BP_API void bpi_buf_retain_slow(bp_buf *buf) __attribute__((cold, noinline));

/* ---- one thread's magazine -------------------------------------------------------------------------------------- */

/* Stores top so that whoever closes the entry and then passes the process-wide barrier either sees it, or is seen by
 * the load of lo or hi that follows. */
static inline void bpi_entry_set_top(bpi_entry *entry, intptr_t top) {
#ifdef BPI_HAS_TSAN
    (void)BPI_EXCHANGE(&entry->top, top, __ATOMIC_SEQ_CST); /* it does not know of membarrier(2) */
#else
    BPI_STORE_RELEASE(&entry->top, top);
    BPI_SIGNAL_FENCE();
#endif
}

#ifdef BPI_HAS_TSAN
#define BPI_LIMIT(from) BPI_LOAD_SEQ_CST(from)
#else
#define BPI_LIMIT(from) BPI_LOAD(from)
#endif

static inline bpi_entry *bpi_entry_at(uint32_t offset) {
    void *entry = bpi_thread_block + offset;
    __asm__("" : "+r"(entry)); /* one register: indexed addressing in every access costs twice as much with clang */
    return (bpi_entry *)entry;
}

/* Pops a buffer; false: the entry is empty or closed, and top stands where a buffer was claimed. Closed entries may so
 * have a top below 0: a pop compares signed (lo is 0 there), a push unsigned (hi is 0). The owner's own fields are read
 * before the store, behind which the compiler may not move them forward. */
static inline bool bpi_entry_pop(bpi_entry *entry, bp_buf **out) {
    const intptr_t top = BPI_LOAD(&entry->top) - (intptr_t)sizeof(bp_buf *);
    bp_buf *buf = entry->newest;
    const uint64_t acquires = BPI_LOAD(&entry->acquires) + 1;
    bpi_entry_set_top(entry, top);
    if (BP_UNLIKELY(top < BPI_LIMIT(&entry->lo))) return false;
    BPI_STORE(&entry->acquires, acquires);
    entry->newest = ((bp_buf **)top)[-1];
    *out = buf;
    return true;
}

typedef enum bpi_push { BPI_PUSHED, BPI_PUSH_FULL, BPI_PUSH_RECALLED } bpi_push;

/* Pushes a buffer, whose state becomes free_state. FULL: nothing happened. RECALLED: the recaller may have taken it. */
static inline bpi_push bpi_entry_push(bpi_entry *entry, bp_buf *buf, uint32_t free_state) {
    const intptr_t top = BPI_LOAD(&entry->top);
    if (BP_UNLIKELY((uintptr_t)top >= (uintptr_t)BPI_LIMIT(&entry->hi))) return BPI_PUSH_FULL;
    BPI_STORE(&buf->state, free_state);
    *(bp_buf **)top = buf;
    entry->newest = buf;
    bpi_entry_set_top(entry, top + (intptr_t)sizeof(bp_buf *));
    return BP_LIKELY((uintptr_t)top < (uintptr_t)BPI_LIMIT(&entry->hi)) ? BPI_PUSHED : BPI_PUSH_RECALLED;
}

/* ---- buffers ---------------------------------------------------------------------------------------------------- */

/* The state comes first, as it is what a release asks for first. */
static inline void bpi_buf_hand_out(bp_buf *buf, uint32_t size, uint32_t state) {
    BPI_STORE(&buf->state, state);
    BPI_SIGNAL_FENCE();
    buf->capacity = size;
    buf->unused = 0;
    buf->type = 0;
    buf->length = 0;
}

/* The caller's variable is written here and not by the slow call, so that it can live in a register: a buffer that goes
 * through memory between acquire and release costs them a store and a load that waits for it. */
__attribute__((always_inline)) static inline bp_err bpi_acquire_otherwise(bp_pool *pool, uint64_t size,
                                                                          bpi_entry *claimed, bp_buf **out) {
    bp_buf *buf;
    const bp_err err = bpi_acquire_slow(pool, size, claimed, &buf);
    *out = buf;
    return err;
}

static inline bp_err bpi_acquire_from(bp_pool *pool, uint64_t size, uint32_t offset, bp_buf **out) {
    bpi_entry *entry = bpi_entry_at(offset);
    bp_buf *buf;
    if (BP_UNLIKELY(!bpi_entry_pop(entry, &buf))) return bpi_acquire_otherwise(pool, size, entry, out);
    bpi_buf_hand_out(buf, (uint32_t)size, 1);
    *out = buf;
    return BP_OK;
}

/* By (size - 1) >> inline_shift. */
static inline const uint16_t *bpi_map_entries(const bpi_class_map *map) {
    return (const uint16_t *)(const void *)(map + 1);
}

/* The entry of a size's class. Small sizes have a table of their own: a shift by a variable, with what it needs, is a
 * tenth of acquire and release together. */
static inline uint32_t bpi_map_entry(const bpi_class_map *map, uint64_t size) {
    if (BP_LIKELY(size - 1 < BPI_SMALL_MAX)) return map->small_entries[(size - 1) >> BPI_SMALL_SHIFT];
    return size - 1 < map->inline_size_max ? bpi_map_entries(map)[(size - 1) >> map->inline_shift] : 0;
}

static inline bp_err bp_pool_acquire(bp_pool *pool, uint64_t size, bp_buf **out) {
    return bpi_acquire_from(pool, size, bpi_map_entry(BPI_LOAD_ACQUIRE(&pool->map), size), out);
}

static inline bp_err bp_pool_acquire_class(bp_pool *pool, uint32_t class_ix, uint32_t size, bp_buf **out) {
    const bpi_class_map *map = BPI_LOAD_ACQUIRE(&pool->map);
    const bpi_inline_class *known = &map->inline_classes[class_ix % BP_CLASS_MAX];
    const uint32_t offset = BP_LIKELY(size - 1 < known->stride) ? known->entry : bpi_map_entry(map, size);
    return bpi_acquire_from(pool, size, offset, out);
}

/* The head of the page in which the descriptor of a buffer from a slab lies. */
static inline const bpi_desc_head *bpi_buf_head(const bp_buf *buf) {
    return (const bpi_desc_head *)((uintptr_t)buf & ~(uintptr_t)(BPI_DESC_PAGE - 1));
}

static inline void bp_buf_release(bp_buf *buf) {
    if (BP_UNLIKELY(buf == NULL)) return;
    if (BP_LIKELY(BPI_LOAD_ACQUIRE(&buf->state) == 1)) {
        bpi_entry *entry = bpi_entry_at(bpi_buf_head(buf)->entry);
        const bpi_push outcome = bpi_entry_push(entry, buf, 0);
        if (BP_LIKELY(outcome == BPI_PUSHED)) return;
        if (outcome == BPI_PUSH_RECALLED) {
            bpi_release_recalled(entry, buf);
            return;
        }
    }
    bpi_release_slow(buf);
}

static inline void bp_buf_release_take(bp_buf **buf) {
    bp_buf *taken = *buf;
    *buf = NULL;
    bp_buf_release(taken);
}

static inline bp_buf *bp_buf_retain(bp_buf *buf) {
    const uint32_t state = BPI_LOAD_ACQUIRE(&buf->state), references = state & (BPI_BUF_REFS | BPI_BUF_HARDENED);
    if (references == 1) { /* the caller's is the only one, so nobody else writes */
        BPI_STORE(&buf->state, state + 1);
    } else if (BP_LIKELY(references - 1 < BPI_BUF_REFS_MAX - 1)) {
        (void)BPI_FETCH_ADD(&buf->state, 1, __ATOMIC_RELAXED);
    } else {
        bpi_buf_retain_slow(buf);
    }
    return buf;
}

static inline uint8_t *bp_buf_data(const bp_buf *buf) { return buf->data; }
static inline uint32_t bp_buf_length(const bp_buf *buf) { return buf->length; }
static inline uint32_t bp_buf_capacity(const bp_buf *buf) { return buf->capacity; }
static inline uint16_t bp_buf_type(const bp_buf *buf) { return buf->type; }
static inline bp_pool *bp_buf_pool(const bp_buf *buf) { return buf->pool; }
static inline void bp_buf_set_type(bp_buf *buf, uint16_t type) { buf->type = type; }

static inline bool bp_buf_is_sensitive(const bp_buf *buf) { return (BPI_LOAD(&buf->state) & BPI_BUF_SENSITIVE) != 0; }

static inline void bp_buf_set_length(bp_buf *buf, uint32_t length) {
    if (BP_UNLIKELY(length > buf->capacity)) {
        bpi_buf_length_misused(buf);
        return;
    }
    buf->length = length;
}

#ifdef __cplusplus
}
static_assert(sizeof(bp_buf) == 32 && sizeof(bpi_desc_head) == 32, "layout is ABI");
static_assert(sizeof(bpi_entry) == 64 && sizeof(bp_pool) == 32, "layout is ABI");
#else
_Static_assert(sizeof(bp_buf) == 32 && sizeof(bpi_desc_head) == 32, "layout is ABI");
_Static_assert(sizeof(bpi_entry) == 64 && sizeof(bp_pool) == 32, "layout is ABI");
#endif
#endif
