#include "pool/pool_internal.h"
#include "base/poison.h"

bpi_lock bpi_registry = BPI_LOCK_INIT;

/* Every thread's first block, and its last: all entries are closed for ever, so that the inline path needs no test for
 * a thread without a block. Threads may store to an entry's top at the same time; nobody uses what is there. */
static _Alignas(64) char empty_block[BPI_BLOCK_BYTES];

__thread char *bpi_thread_block __attribute__((tls_model("initial-exec"))) = empty_block;

/* The thread's block was taken down: it gets no other one, so that nothing is left behind. */
static __thread bool is_ended;

/* One bit per entry offset in use; entry 0 belongs to classes that got none. */
static uint64_t used_offsets[BPI_BLOCK_ENTRIES / 64] = {1};

uint16_t bpi_offset_take(void) {
    for (uint32_t word = 0; word < BPI_BLOCK_ENTRIES / 64; word++) {
        if (used_offsets[word] == UINT64_MAX) continue;
        const uint32_t bit = (uint32_t)__builtin_ctzll(~used_offsets[word]);
        used_offsets[word] |= UINT64_C(1) << bit;
        return (uint16_t)((word * 64 + bit) * sizeof(bpi_entry));
    }
    return 0;
}

void bpi_offset_give(uint16_t offset) {
    const uint32_t ix = offset / (uint32_t)sizeof(bpi_entry);
    if (ix != 0) used_offsets[ix / 64] &= ~(UINT64_C(1) << ix % 64);
}

/* One entry at a time: leaving the class may free the pool, which takes the registry. */
static void end_entry(bpi_entry *entry) {
    if (BPI_LOAD_ACQUIRE(&entry->owner) == NULL) return;
    bpi_lock_enter(&bpi_registry);
    bpi_class *of = BPI_LOAD(&entry->owner);
    if (of != NULL) {
        bpi_lock_enter(&of->lock);
        bpi_entry_detach(entry);
    }
    bpi_lock_leave(&bpi_registry);
    if (of != NULL) bpi_class_leave(of);
}

static void end_thread(void *block) {
    bpi_entry *entries = block;
    is_ended = true;
    bpi_thread_block = empty_block; /* what callbacks of those who waited do here opens none of these any more */
    for (uint32_t i = 0; i < BPI_BLOCK_ENTRIES; i++) end_entry(&entries[i]);
    BPI_ROOT_REMOVE(block, BPI_BLOCK_BYTES);
    bpi_os.unmap(block, BPI_BLOCK_BYTES);
}

static bool start_thread(void) {
    if (is_ended) return false;
    void *block = bpi_os.map(BPI_BLOCK_BYTES);
    if (block == NULL) return false;
    if (!bpi_os_at_thread_exit(end_thread, block)) {
        bpi_os.unmap(block, BPI_BLOCK_BYTES);
        return false;
    }
    BPI_ROOT_ADD(block, BPI_BLOCK_BYTES);
    bpi_thread_block = block;
    return true;
}

bpi_entry *bpi_own_entry(uint32_t offset) {
    if (offset == 0 || (bpi_thread_block == empty_block && !start_thread())) return NULL;
    return bpi_entry_at(offset);
}
