#include "tests/support/os_meter.h"
#include "pool/pool_internal.h"

#include <check.h>

/* Stands before every allocation, so that free knows what it takes back. */
typedef struct prefix {
    uint64_t bytes;
    uint64_t *meter;
} prefix;

static uint64_t held, peak, bookkeeping;

static void add(uint64_t *meter, uint64_t bytes) {
    const uint64_t now = __atomic_add_fetch(meter, bytes, __ATOMIC_SEQ_CST);
    uint64_t seen = __atomic_load_n(&peak, __ATOMIC_SEQ_CST);
    if (meter != &held) return;
    while (seen < now && !__atomic_compare_exchange_n(&peak, &seen, now, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    }
}

static void take(uint64_t *meter, uint64_t bytes) { (void)__atomic_fetch_sub(meter, bytes, __ATOMIC_SEQ_CST); }

static void *with_prefix(prefix *at, size_t size, uint64_t *meter) {
    if (at == NULL) return NULL;
    *at = (prefix){.bytes = size, .meter = meter};
    add(meter, size);
    return at + 1;
}

static void *metered_alloc(size_t size) {
    return with_prefix(bpi_os_system.alloc(size + sizeof(prefix)), size, &bookkeeping);
}

static void *metered_alloc_raw(size_t size) {
    return with_prefix(bpi_os_system.alloc_raw(size + sizeof(prefix)), size, &held);
}

static void metered_free(void *memory) {
    if (memory == NULL) return;
    prefix *at = (prefix *)memory - 1;
    take(at->meter, at->bytes);
    bpi_os_system.free(at);
}

static void *metered_map(size_t size) {
    void *memory = bpi_os_system.map(size);
    if (memory != NULL) add(&held, size);
    return memory;
}

static void metered_unmap(void *memory, size_t size) {
    bpi_os_system.unmap(memory, size);
    take(&held, size);
}

void bpt_os_meter(void) {
    ck_assert_ptr_nonnull(bpi_own_entry(sizeof(bpi_entry)));
    bpi_os.alloc = metered_alloc;
    bpi_os.alloc_raw = metered_alloc_raw;
    bpi_os.free = metered_free;
    bpi_os.map = metered_map;
    bpi_os.unmap = metered_unmap;
}

void bpt_os_meter_thread(void) {
    ck_assert_ptr_nonnull(bpi_own_entry(sizeof(bpi_entry)));
    take(&held, BPI_BLOCK_BYTES);
}

uint64_t bpt_os_meter_bytes(void) { return __atomic_load_n(&held, __ATOMIC_SEQ_CST); }
uint64_t bpt_os_meter_peak(void) { return __atomic_load_n(&peak, __ATOMIC_SEQ_CST); }
uint64_t bpt_os_meter_bookkeeping(void) { return __atomic_load_n(&bookkeeping, __ATOMIC_SEQ_CST); }
