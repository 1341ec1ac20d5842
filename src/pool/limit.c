#include "pool/pool_internal.h"

uint64_t bp_container_memory(void) { return bpi_os.container_memory(); }

bp_err bpi_limit_of(const bp_pool_config *config, uint64_t *out) {
    *out = config->memory_limit;
    if (config->container_percent > 100) return BP_ERR_ARGUMENT;
    if (config->container_percent == 0) return BP_OK;
    const uint64_t memory = bp_container_memory(), percent = config->container_percent;
    const uint64_t share = memory / 100 * percent + memory % 100 * percent / 100;
    if (memory != 0 && (*out == 0 || share < *out)) *out = share == 0 ? 1 : share; /* 0 would be no limit */
    return BP_OK;
}

void bpi_budget_init(bpi_budget *budget, uint64_t limit, uint64_t forced_limit) {
    budget->accounts[BPI_COMMITTED].limit = limit == 0 ? UINT64_MAX : limit;
    budget->accounts[BPI_FORCED].limit = forced_limit;
}

static void raise_to(uint64_t *peak, uint64_t value) {
    uint64_t seen = BPI_LOAD(peak);
    while (seen < value && !BPI_CAS_WEAK(peak, &seen, value, __ATOMIC_RELAXED)) {
    }
}

/* In one order with the count of those who wait: a thread that gives bytes back and then sees nobody waiting gave them
 * back before the one who waits asks here (docs/decisions/0006-the-whole-pool.md, "who serves"). */
bool bpi_budget_charge(bpi_budget *budget, bpi_purse which, uint64_t bytes) {
    bpi_account *account = &budget->accounts[which];
    uint64_t used;
    do {
        used = BPI_LOAD_SEQ_CST(&account->used);
        if (bytes > account->limit - used) return false;
    } while (!BPI_CAS_WEAK(&account->used, &used, used + bytes, __ATOMIC_SEQ_CST));
    raise_to(&account->peak, used + bytes);
    return true;
}

void bpi_budget_uncharge(bpi_budget *budget, bpi_purse which, uint64_t bytes) {
    (void)BPI_FETCH_SUB(&budget->accounts[which].used, bytes, __ATOMIC_SEQ_CST);
}

void bpi_budget_count_trimmed(bpi_budget *budget, uint64_t bytes) {
    (void)BPI_FETCH_ADD(&budget->trimmed, bytes, __ATOMIC_RELAXED);
}

bool bpi_budget_has_room(const bpi_budget *budget) {
    const bpi_account *committed = &budget->accounts[BPI_COMMITTED];
    return committed->limit - BPI_LOAD(&committed->used) >= committed->limit / 8;
}

void bpi_budget_stats(const bpi_budget *budget, bp_pool_stats *out) {
    const bpi_account *committed = &budget->accounts[BPI_COMMITTED], *forced = &budget->accounts[BPI_FORCED];
    out->memory_limit = committed->limit == UINT64_MAX ? 0 : committed->limit;
    out->committed_bytes = BPI_LOAD(&committed->used);
    out->committed_peak_bytes = BPI_LOAD(&committed->peak);
    out->trimmed_bytes = BPI_LOAD(&budget->trimmed);
    out->exact_in_use = BPI_LOAD(&budget->exact_in_use);
    out->exact_bytes = BPI_LOAD(&budget->exact_bytes);
    out->exact_acquires = BPI_LOAD(&budget->exact_acquires);
    out->forced_limit = forced->limit;
    out->forced_in_use = BPI_LOAD(&budget->forced_in_use);
    out->forced_bytes = BPI_LOAD(&forced->used);
    out->forced_peak_bytes = BPI_LOAD(&forced->peak);
    out->forced_grants = BPI_LOAD(&budget->forced_grants);
}

static bool account_is_valid(const bpi_account *account) {
    return account->used <= account->peak && account->peak <= account->limit;
}

bool bpi_budget_is_valid(const bpi_budget *budget) {
    return account_is_valid(&budget->accounts[BPI_COMMITTED]) && account_is_valid(&budget->accounts[BPI_FORCED]);
}
