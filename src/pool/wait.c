#include "pool/pool_internal.h"

/* How many callers of this thread forbid it to wait. */
static __thread uint32_t forbid_count;

void bp_thread_forbid_wait(bool is_forbidden) {
    if (is_forbidden) {
        forbid_count++;
    } else if (forbid_count != 0) {
        forbid_count--;
    }
}

bool bp_thread_may_wait(void) { return forbid_count == 0; }

static void on_done(bp_reservation *reservation) { bpi_event_set(reservation->user); }

/* Too late to cancel: on_done runs, or is about to, and the event must outlive it. */
static bool is_timed_out(bp_pool *pool, bp_reservation *reservation, bpi_event *event, uint32_t timeout_ms) {
    if (bpi_event_wait(event, timeout_ms)) return false;
    if (bp_pool_cancel(pool, reservation)) return true;
    (void)bpi_event_wait(event, UINT32_MAX);
    return false;
}

bp_err bp_pool_acquire_wait(bp_pool *pool, uint64_t size, uint32_t timeout_ms, bp_buf **out) {
    bpi_event event;
    bp_reservation reservation = {.size = size, .on_done = on_done, .user = &event};
    *out = NULL;
    if (forbid_count != 0) return BP_ERR_WOULD_BLOCK;
    bpi_event_init(&event);
    bp_err err = bp_pool_reserve(pool, &reservation);
    if (err == BP_PENDING) {
        err = is_timed_out(pool, &reservation, &event, timeout_ms) ? BP_ERR_TIMEOUT : reservation.err;
    }
    bpi_event_fini(&event);
    *out = err == BP_OK ? reservation.buf : NULL;
    return err;
}
