#include "pool/pool_internal.h"

void bpi_budget_init(bpi_budget *budget, uint64_t limit) { budget->limit = limit == 0 ? UINT64_MAX : limit; }

static void raise_to(uint64_t *peak, uint64_t value) {
    uint64_t seen = BPI_LOAD(peak);
    while (seen < value && !BPI_CAS_WEAK(peak, &seen, value, __ATOMIC_RELAXED)) {
    }
}

bool bpi_budget_charge(bpi_budget *budget, uint64_t bytes) {
    uint64_t committed = BPI_LOAD(&budget->committed);
    do {
        if (bytes > budget->limit - committed) return false;
    } while (!BPI_CAS_WEAK(&budget->committed, &committed, committed + bytes, __ATOMIC_RELAXED));
    raise_to(&budget->peak, committed + bytes);
    return true;
}

void bpi_budget_uncharge(bpi_budget *budget, uint64_t bytes) {
    (void)BPI_FETCH_SUB(&budget->committed, bytes, __ATOMIC_RELAXED);
}

void bpi_budget_count_trimmed(bpi_budget *budget, uint64_t bytes) {
    (void)BPI_FETCH_ADD(&budget->trimmed, bytes, __ATOMIC_RELAXED);
}

bool bpi_budget_has_room(const bpi_budget *budget) {
    return budget->limit - BPI_LOAD(&budget->committed) >= budget->limit / 8;
}

void bpi_budget_stats(const bpi_budget *budget, bp_pool_stats *out) {
    out->memory_limit = budget->limit == UINT64_MAX ? 0 : budget->limit;
    out->committed_bytes = BPI_LOAD(&budget->committed);
    out->committed_peak_bytes = BPI_LOAD(&budget->peak);
    out->trimmed_bytes = BPI_LOAD(&budget->trimmed);
    out->exact_in_use = BPI_LOAD(&budget->exact_in_use);
    out->exact_bytes = BPI_LOAD(&budget->exact_bytes);
    out->exact_acquires = BPI_LOAD(&budget->exact_acquires);
}
