#include "pool/pool_internal.h"

/* Who waits, and for how long: the states of docs/decisions/0006-the-whole-pool.md. A reservation is in one of two
 * lists, both under the queue's lock: waiters, or ready, where it rests until somebody tells its owner. */

/* Those who can_block stand in a second row as well: what they may be forced takes nothing from who is before them. */
static void row_append(bpi_list *row, bp_reservation *one) {
    one->detail.forcible_next = NULL;
    one->detail.forcible_prev = row->tail;
    *(row->tail == NULL ? &row->head : &row->tail->detail.forcible_next) = one;
    row->tail = one;
}

static void row_remove(bpi_list *row, bp_reservation *one) {
    bp_reservation *next = one->detail.forcible_next, *prev = one->detail.forcible_prev;
    *(prev == NULL ? &row->head : &prev->detail.forcible_next) = next;
    *(next == NULL ? &row->tail : &next->detail.forcible_prev) = prev;
}

static void list_append(bpi_list *list, bp_reservation *one) {
    one->detail.next = NULL;
    one->detail.prev = list->tail;
    *(list->tail == NULL ? &list->head : &list->tail->detail.next) = one;
    list->tail = one;
}

static void list_remove(bpi_list *list, bp_reservation *one) {
    bp_reservation *next = one->detail.next, *prev = one->detail.prev;
    *(prev == NULL ? &list->head : &prev->detail.next) = next;
    *(next == NULL ? &list->tail : &next->detail.prev) = prev;
}

void bpi_queue_init(bpi_queue *queue, bp_pool *pool, bpi_grant_fn *grant, bpi_grant_fn *force, bpi_press_fn *press) {
    bpi_lock_init(&queue->lock);
    queue->pool = pool;
    queue->grant = grant;
    queue->force = force;
    queue->press = press;
}

void bpi_queue_fini(bpi_queue *queue) { bpi_lock_fini(&queue->lock); }

/* Read before a lock is taken: the clock is the user's. */
static uint64_t now_of(const bpi_queue *queue) { return queue->now_ms == NULL ? 0 : queue->now_ms(queue->now_user); }

/* Written under the queue's lock. In one order with what is charged to the budget. */
static void set_waiting(bpi_queue *queue, uint64_t count) {
    BPI_STORE_SEQ_CST(&queue->waiting, count);
}

/* ---- from state to state, under the lock ---- */

static void append(bpi_queue *queue, bp_reservation *one, uint64_t now) {
    one->err = BP_PENDING;
    one->detail.queue = queue;
    one->detail.since_ms = now;
    one->detail.is_ready = false;
    list_append(&queue->waiters, one);
    if (one->can_block) row_append(&queue->forcible, one);
    set_waiting(queue, queue->waiting + 1);
    bpi_pool_add_lives(queue->pool, 1);
    queue->waits++;
}

static void wait_no_more(bpi_queue *queue, bp_reservation *one) {
    list_remove(&queue->waiters, one);
    if (one->can_block) row_remove(&queue->forcible, one);
    set_waiting(queue, queue->waiting - 1);
}

static uint64_t since(const bp_reservation *one, uint64_t now) {
    return now > one->detail.since_ms ? now - one->detail.since_ms : 0;
}

static void make_ready(bpi_queue *queue, bp_reservation *one, bp_err err, bp_buf *buf, uint64_t now) {
    const uint64_t waited = since(one, now);
    wait_no_more(queue, one);
    one->err = err;
    one->buf = buf;
    one->detail.is_ready = true;
    list_append(&queue->ready, one);
    queue->ready_count++;
    if (waited > queue->longest_ms) queue->longest_ms = waited;
}

/* Without memory for it nobody fails who may still get some in his turn. */
static void serve_forcible(bpi_queue *queue, uint64_t now) {
    while (queue->forcible.head != NULL && queue->force != NULL) {
        bp_buf *buf = NULL;
        if (queue->force(queue->pool, queue->forcible.head->size, &buf) != BP_OK) return;
        make_ready(queue, queue->forcible.head, BP_OK, buf, now);
    }
}

static void serve_in_turn(bpi_queue *queue, uint64_t now) {
    while (queue->waiters.head != NULL) {
        bp_buf *buf = NULL;
        const bp_err err = queue->grant(queue->pool, queue->waiters.head->size, &buf);
        if (err == BP_ERR_LIMIT) return;
        make_ready(queue, queue->waiters.head, err, buf, now);
    }
}

/* Only the heads are ever tried, so that what a release costs does not depend on how many wait. Who leaves by force may
 * have been the first of all, and the next one may want less. */
static void serve(bpi_queue *queue, uint64_t now) {
    const bp_reservation *head = NULL;
    while (queue->waiters.head != head) {
        serve_in_turn(queue, now);
        head = queue->waiters.head;
        serve_forcible(queue, now);
    }
}

/* From here on nothing of the queue's reads it. */
static void forget_ready(bpi_queue *queue, bp_reservation *one) {
    list_remove(&queue->ready, one);
    one->detail.queue = NULL;
    queue->ready_count--;
}

/* ---- delivering ---- */

/* Nothing reads the reservation once the lock is left: its owner may free it when it is told. */
static void deliver_one(bpi_queue *queue) {
    bp_reservation *one = queue->ready.head;
    bp_reservation_fn *on_done = one->on_done;
    forget_ready(queue, one);
    ++*(one->err == BP_OK ? &queue->granted : &queue->failed);
    bpi_pool_drop_lives(queue->pool, 1); /* not the last: there is the deliverer's */
    bpi_lock_leave(&queue->lock);
    bp_thread_forbid_wait(true);
    on_done(one);
    bp_thread_forbid_wait(false);
    bpi_lock_enter(&queue->lock);
}

/* Leaves the lock, after telling everybody who is ready, unless somebody is at it already: that one goes on with what
 * was added, in the order of the grants, and no callback runs inside another. */
static void leave_delivering(bpi_queue *queue) {
    bp_pool *pool = queue->pool;
    uint64_t lives = 0;
    if (!queue->is_delivering && queue->ready.head != NULL) {
        queue->is_delivering = true;
        lives = 1;
        bpi_pool_add_lives(pool, lives);
        while (queue->ready.head != NULL) deliver_one(queue);
        queue->is_delivering = false;
    }
    bpi_lock_leave(&queue->lock);
    bpi_pool_drop_lives(pool, lives);
}

/* ---- what the pools call, without any lock ---- */

/* Takes the queue's lock, and the registry before it for the first who waits where the pool needs that. */
static bool enter_to_append(bpi_queue *queue) {
    for (;;) {
        const bool with_registry = queue->press != NULL && BPI_LOAD(&queue->waiting) == 0;
        if (with_registry) bpi_lock_enter(&bpi_registry);
        bpi_lock_enter(&queue->lock);
        if (with_registry || queue->press == NULL || queue->waiting != 0) return with_registry;
        bpi_lock_leave(&queue->lock); /* the others were served meanwhile */
    }
}

/* Whoever is not the first stands behind somebody who got nothing, among those who can_block too; but what may be
 * forced can have come free a moment ago, and then it is this call that has the others told. */
static bp_err append_and_serve(bpi_queue *queue, bp_reservation *one, uint64_t now) {
    const bool is_first = queue->waiting == 0;
    if (queue->is_closed) return BP_ERR_CLOSED;
    append(queue, one, now);
    if (is_first && queue->press != NULL) queue->press(queue->pool);
    if (is_first) {
        serve(queue, now);
    } else {
        serve_forcible(queue, now);
    }
    if (!one->detail.is_ready) return BP_PENDING;
    forget_ready(queue, one);
    queue->waits--;
    bpi_pool_drop_lives(queue->pool, 1); /* not the last: the caller has a reference */
    return one->err;
}

bp_err bpi_queue_wait(bpi_queue *queue, bp_reservation *one) {
    const uint64_t now = now_of(queue);
    const bool has_registry = enter_to_append(queue);
    const bp_err err = append_and_serve(queue, one, now);
    if (has_registry) bpi_lock_leave(&bpi_registry);
    leave_delivering(queue);
    return err;
}

/* Who stood behind a cancelled head may want less. */
static void drop_waiter(bpi_queue *queue, bp_reservation *one, uint64_t now) {
    const bool was_head = queue->waiters.head == one || queue->forcible.head == one;
    wait_no_more(queue, one);
    one->detail.queue = NULL;
    if (was_head) serve(queue, now);
}

bool bpi_queue_cancel(bpi_queue *queue, bp_reservation *one) {
    const uint64_t now = now_of(queue);
    bp_buf *buf = NULL;
    bpi_lock_enter(&queue->lock);
    if (one->detail.queue != queue) {
        bpi_lock_leave(&queue->lock);
        return false;
    }
    if (one->detail.is_ready) {
        forget_ready(queue, one);
        buf = one->buf;
        one->buf = NULL;
    } else {
        drop_waiter(queue, one, now);
    }
    queue->cancelled++;
    leave_delivering(queue);
    bp_buf_release(buf);
    bpi_pool_drop_lives(queue->pool, 1);
    return true;
}

void bpi_queue_serve(bpi_queue *queue) {
    const uint64_t now = now_of(queue);
    bpi_lock_enter(&queue->lock);
    serve(queue, now);
    leave_delivering(queue);
}

void bpi_queue_close(bpi_queue *queue) {
    const uint64_t now = now_of(queue);
    bpi_lock_enter(&queue->lock);
    queue->is_closed = true;
    while (queue->waiters.head != NULL) make_ready(queue, queue->waiters.head, BP_ERR_CLOSED, NULL, now);
    leave_delivering(queue);
}

uint64_t bpi_queue_stats(bpi_queue *queue, bp_pool_stats *out) {
    const uint64_t now = now_of(queue);
    bpi_lock_enter(&queue->lock);
    const bp_reservation *oldest = queue->waiters.head;
    out->waiting = queue->waiting;
    out->waits = queue->waits;
    out->waits_granted = queue->granted;
    out->waits_failed = queue->failed;
    out->waits_cancelled = queue->cancelled;
    out->oldest_wait_ms = oldest == NULL ? 0 : since(oldest, now);
    out->longest_wait_ms = queue->longest_ms;
    const uint64_t lives = queue->waiting + queue->ready_count + queue->is_delivering;
    bpi_lock_leave(&queue->lock);
    return lives;
}

/* ---- check ---- */

static bool list_is_valid(const bpi_queue *queue, const bpi_list *list, bool is_ready, uint64_t count) {
    const bp_reservation *last = NULL;
    for (const bp_reservation *one = list->head; one != NULL; last = one, one = one->detail.next) {
        if (one->detail.queue != queue || one->detail.is_ready != is_ready) return false;
        if (one->detail.prev != last || count-- == 0) return false;
    }
    return list->tail == last && count == 0;
}

static bool counts_add_up(const bpi_queue *queue) {
    const uint64_t ended = queue->granted + queue->failed + queue->cancelled;
    if (queue->is_closed && queue->waiting != 0) return false;
    return queue->waits == queue->waiting + queue->ready_count + ended;
}

static bool row_is_valid(const bpi_queue *queue) {
    const bp_reservation *expected = queue->forcible.head;
    for (const bp_reservation *one = queue->waiters.head; one != NULL; one = one->detail.next) {
        if (!one->can_block) continue;
        if (one != expected) return false;
        expected = one->detail.forcible_next;
    }
    return expected == NULL;
}

bool bpi_queue_is_valid(bpi_queue *queue) {
    bpi_lock_enter(&queue->lock);
    const bool is_valid = counts_add_up(queue) && list_is_valid(queue, &queue->waiters, false, queue->waiting) &&
                          list_is_valid(queue, &queue->ready, true, queue->ready_count) && row_is_valid(queue);
    bpi_lock_leave(&queue->lock);
    return is_valid;
}
