#include "pool/pool_internal.h"

/* The descriptor and the bytes behind it. */
static uint64_t exact_bytes(uint64_t size) { return sizeof(bp_buf) + size; }

uint64_t bpi_exact_stride(const bpi_budget *budget, uint64_t size) {
    return size <= UINT32_MAX && exact_bytes(size) <= budget->accounts[BPI_COMMITTED].limit ? size : 0;
}

/* Charged before it is allocated: the limit holds at any time. */
static bp_err new_charged(bpi_budget *budget, bpi_purse purse, bp_pool *pool, uint64_t size, bp_buf **out) {
    const uint64_t bytes = exact_bytes(size);
    if (!bpi_budget_charge(budget, purse, bytes)) return BP_ERR_LIMIT;
    bp_buf *buf = bpi_os.alloc_raw((size_t)bytes);
    if (buf == NULL) {
        bpi_budget_uncharge(budget, purse, bytes);
        return BP_ERR_NO_MEMORY;
    }
    bp_buf_init(buf, pool, (uint8_t *)(buf + 1), (uint32_t)size);
    *out = buf;
    return BP_OK;
}

bp_err bpi_exact_new(bpi_budget *budget, bp_pool *pool, uint64_t size, bp_buf **out) {
    *out = NULL;
    if (bpi_exact_stride(budget, size) == 0) return BP_ERR_ARGUMENT;
    const bp_err err = new_charged(budget, BPI_COMMITTED, pool, size, out);
    if (err == BP_OK) (void)BPI_FETCH_ADD(&budget->exact_acquires, 1, __ATOMIC_RELAXED);
    return err;
}

bp_err bpi_exact_force(bpi_budget *budget, bp_pool *pool, uint64_t size, bp_buf **out) {
    *out = NULL;
    const bp_err err = new_charged(budget, BPI_FORCED, pool, size, out);
    if (err != BP_OK) return err;
    BPI_STORE(&(*out)->state, BPI_BUF_FORCED | BPI_LOAD(&(*out)->state));
    (void)BPI_FETCH_ADD(&budget->forced_in_use, 1, __ATOMIC_RELAXED);
    (void)BPI_FETCH_ADD(&budget->forced_grants, 1, __ATOMIC_RELAXED);
    return BP_OK;
}

uint64_t bpi_exact_free(bpi_budget *budget, bp_buf *buf) {
    const uint64_t bytes = exact_bytes(buf->capacity);
    const bool is_forced = (BPI_LOAD(&buf->state) & BPI_BUF_FORCED) != 0;
    bpi_os.free(buf);
    bpi_budget_uncharge(budget, is_forced ? BPI_FORCED : BPI_COMMITTED, bytes);
    if (is_forced) (void)BPI_FETCH_SUB(&budget->forced_in_use, 1, __ATOMIC_RELAXED);
    return is_forced ? 0 : bytes;
}
