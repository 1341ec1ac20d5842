#include "pool/pool_internal.h"

/* The descriptor and the bytes behind it. */
static uint64_t exact_bytes(uint64_t size) { return sizeof(bp_buf) + size; }

uint64_t bpi_exact_stride(const bpi_budget *budget, uint64_t size) {
    return size <= UINT32_MAX && exact_bytes(size) <= budget->limit ? size : 0;
}

bp_err bpi_exact_new(bpi_budget *budget, bp_pool *pool, uint64_t size, bp_buf **out) {
    *out = NULL;
    if (bpi_exact_stride(budget, size) == 0) return BP_ERR_ARGUMENT;
    const uint64_t bytes = exact_bytes(size);
    if (!bpi_budget_charge(budget, bytes)) return BP_ERR_LIMIT;
    bp_buf *buf = bpi_os.alloc_raw((size_t)bytes);
    if (buf == NULL) {
        bpi_budget_uncharge(budget, bytes);
        return BP_ERR_NO_MEMORY;
    }
    bp_buf_init(buf, pool, (uint8_t *)(buf + 1), (uint32_t)size);
    (void)BPI_FETCH_ADD(&budget->exact_acquires, 1, __ATOMIC_RELAXED);
    *out = buf;
    return BP_OK;
}

uint64_t bpi_exact_free(bpi_budget *budget, bp_buf *buf) {
    const uint64_t bytes = exact_bytes(buf->capacity);
    bpi_os.free(buf);
    bpi_budget_uncharge(budget, bytes);
    return bytes;
}
