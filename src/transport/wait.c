#define _GNU_SOURCE
/* Connections that wait for memory: for a reservation, or for their end's budget of cut frames. They do not read
 * meanwhile, so that the peer is told by its own full socket. */
#include "frame/frame_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"

#include <poll.h>
#include <sys/ioctl.h>

/* ---- what waits is made of ---- */

static void append(bpi_wait_list *list, bpi_wait *wait) {
    wait->previous = list->last;
    *(list->last == NULL ? &list->first : &list->last->next) = wait;
    list->last = wait;
    list->count++;
}

static void unlink_wait(bpi_wait_list *list, bpi_wait *wait) {
    *(wait->previous == NULL ? &list->first : &wait->previous->next) = wait->next;
    *(wait->next == NULL ? &list->last : &wait->next->previous) = wait->previous;
    wait->next = wait->previous = NULL;
    list->count--;
}

static bpi_wait *make_wait(bp_conn *conn, bpi_wait_for what) {
    bpi_loop *loop = conn->end->loop;
    bpi_wait *wait = loop->spare_waits;
    if (wait == NULL) {
        wait = bpi_os.alloc(sizeof *wait);
        if (wait == NULL) return NULL;
    } else {
        loop->spare_waits = wait->next;
        loop->spare_wait_count--;
    }
    *wait = (bpi_wait){.conn = conn, .what = what};
    return wait;
}

static void free_wait(bpi_loop *loop, bpi_wait *wait) {
    if (loop->spare_wait_count >= BPI_SPARE_WAITS) {
        bpi_os.free(wait);
        return;
    }
    wait->next = loop->spare_waits;
    loop->spare_waits = wait;
    loop->spare_wait_count++;
}

void bpi_wait_free_spares(bpi_loop *loop) {
    for (bpi_wait *wait = loop->spare_waits, *next; wait != NULL; wait = next) {
        next = wait->next;
        bpi_os.free(wait);
    }
    loop->spare_waits = NULL;
}

/* ---- landing chunks ---- */

uint8_t *bpi_landing_chunk(bpi_loop *loop) {
    bpi_landing *landing = &loop->landing;
    if (BP_UNLIKELY(landing->memory == NULL)) {
        landing->memory = bpi_os.alloc_raw(BPI_LANDING_COUNT * (size_t)BPI_LANDING_SIZE);
        if (landing->memory == NULL) return NULL;
        for (; landing->free_count < BPI_LANDING_COUNT; landing->free_count++) {
            landing->free[landing->free_count] = landing->memory + landing->free_count * (size_t)BPI_LANDING_SIZE;
        }
    }
    return BP_UNLIKELY(landing->free_count < BPI_LANDING_COUNT) ? NULL : landing->free[landing->free_count - 1];
}

/* What is still to be taken stays where it is: in the chunk, which is kept, or in the socket, where that has it too. */
static void keep_unread(bpi_wait *wait) {
    bpi_landing *landing = &wait->conn->end->loop->landing;
    bp_reader *reader = &wait->conn->reader;
    const bool has_frame = wait->is_again && wait->frame.buf == NULL && wait->frame.length != 0;
    if (landing->is_peeked) {
        wait->is_unread = has_frame;
        landing->unread_size = bpi_reader_put_back(reader, has_frame ? &wait->frame : NULL);
    } else if (reader->at != reader->end || has_frame) {
        wait->chunk = landing->free[--landing->free_count];
    }
}

static void give_chunk_back(bpi_wait *wait) {
    bpi_landing *landing = &wait->conn->end->loop->landing;
    if (wait->chunk != NULL) landing->free[landing->free_count++] = wait->chunk;
    wait->chunk = NULL;
}

/* ---- the budget ---- */

/* Whoever is over waits in turn: while anybody does, the readers find no room themselves, as the budget's limit is then
 * 0 and it is never unused (OVER_MARK). */
enum { OVER_MARK = 1 };

static void begin_over(bpi_end *end) {
    if (end->over_count++ != 0) return;
    end->budget.limit = 0;
    end->budget.used += OVER_MARK;
}

static void end_over(bpi_end *end) {
    if (--end->over_count != 0) return;
    end->budget.limit = end->partial_limit;
    end->budget.used -= OVER_MARK;
}

static void charge(bpi_wait *wait, uint64_t bytes) {
    wait->charged = bytes;
    wait->conn->end->budget.used += bytes;
}

static void uncharge(bpi_wait *wait) {
    wait->conn->end->budget.used -= wait->charged;
    wait->charged = 0;
}

/* For one that is over. */
static bool fits_budget(const bpi_end *end, uint64_t bytes) {
    const uint64_t used = end->budget.used - OVER_MARK;
    return used == 0 || used + bytes <= end->partial_limit;
}

/* ---- beginning to wait ---- */

static bp_err begin(bp_conn *conn, bpi_wait *wait) {
    conn->wait = wait;
    conn->wait_count++;
    bpi_conn_update_reading(conn);
    bpi_deadline_watch(conn->end->loop);
    return conn->state == BPI_CONN_CLOSING ? BP_ERR_CLOSED : BP_PENDING;
}

static void on_letter(bpi_letter *letter);

/* Any thread: the rest is the loop's. */
static void on_memory(bp_reservation *wish) {
    bpi_wait *wait = wish->user;
    bpi_mailbox_put(&wait->conn->end->loop->mailbox, &wait->letter);
}

/* Whose buffers others may need to get on with: what it holds it gives back only when it has this one. */
static bool holds_buffers(const bpi_wait *wait) { return wait->frame.buf != NULL || wait->conn->writer.count != 0; }

/* Asks for `size` bytes. BP_OK: *out has them; BP_PENDING: the wait is lent to its connection. */
static bp_err reserve(bpi_wait *wait, uint64_t size, uint64_t charged, bp_buf **out) {
    bp_conn *conn = wait->conn;
    bpi_loop *loop = conn->end->loop;
    wait->letter.open = on_letter;
    wait->wish = (bp_reservation){.size = size, .owner = conn->end, .on_done = on_memory, .user = wait};
    wait->wish.can_block = holds_buffers(wait);
    const bp_err err = bp_pool_reserve(conn->end->pool, &wait->wish);
    if (err == BP_PENDING) {
        keep_unread(wait);
        charge(wait, charged);
        bpi_mailbox_expect(&loop->mailbox);
        return begin(conn, wait);
    }
    *out = wait->wish.buf;
    free_wait(loop, wait);
    return err == BP_ERR_ARGUMENT ? BP_ERR_LIMIT : err;
}

static bp_err wait_in(bpi_wait_list *list, bp_conn *conn, bpi_wait_for what) {
    bpi_wait *wait = make_wait(conn, what);
    if (wait == NULL) return BP_ERR_NO_MEMORY;
    if (what == BPI_FOR_BUDGET) {
        keep_unread(wait);
        begin_over(conn->end);
    }
    append(list, wait);
    return begin(conn, wait);
}

bp_err bpi_wait_for_cut(bp_conn *conn) {
    bp_reader *reader = &conn->reader;
    const uint32_t wanted = bp_reader_wants(reader);
    bp_buf *buf = NULL;
    if (bp_reader_is_over_budget(reader)) return wait_in(&conn->end->loop->over, conn, BPI_FOR_BUDGET);
    if (wanted == 0) return BP_ERR_LIMIT;
    bpi_wait *wait = make_wait(conn, BPI_FOR_MEMORY);
    if (wait == NULL) return BP_ERR_NO_MEMORY;
    const bp_err err = reserve(wait, wanted, wanted, &buf);
    return err == BP_OK ? bp_reader_give_take(reader, &buf) : err;
}

bp_err bpi_wait_for_needs(bp_conn *conn, const bp_frame *frame) {
    bpi_needs *needs = &conn->end->loop->needs;
    bp_buf *buf = NULL;
    bpi_wait *wait = make_wait(conn, BPI_FOR_MEMORY);
    if (wait == NULL) return BP_ERR_NO_MEMORY;
    wait->is_again = true;
    wait->is_shared = needs->count > 1;
    wait->frame = *frame;
    const bp_err err = reserve(wait, bpi_needs_size(needs), frame->buf == NULL ? 0 : frame->length, &buf);
    if (err == BP_OK) bpi_needs_give(needs, buf, needs->count > 1);
    return err;
}

/* ---- going on ---- */

/* The connection is itself again; the chunk that it kept is the one that is read into next, and can be kept again. */
static void leave(bpi_wait *wait) {
    bp_conn *conn = wait->conn;
    bpi_loop *loop = conn->end->loop;
    conn->wait = NULL;
    if (wait->what == BPI_FOR_BUDGET) {
        unlink_wait(&loop->over, wait);
        end_over(conn->end);
    }
    uncharge(wait);
    give_chunk_back(wait);
    free_wait(loop, wait);
}

/* Takes the cut frame up, with the buffer that was reserved for it or one that the pool has now. The budget was asked
 * already. No frame becomes whole by that, so no handler runs. */
static void take_cut(bp_conn *conn, bp_buf **granted) {
    bp_frame frame;
    if (*granted != NULL && bp_reader_give_take(&conn->reader, granted) != BP_OK) bp_buf_release_take(granted);
    bp_reader_budget *budget = &conn->end->budget;
    const uint64_t limit = budget->limit;
    budget->limit = UINT64_MAX;
    bpi_conn_take_frames(conn, &frame, false);
    budget->limit = limit;
}

/* Has the handler run again, with what was reserved for it. */
static void handle_again(const bpi_wait *was, bp_buf *granted) {
    bp_frame frame = was->frame;
    bpi_needs *needs = &was->conn->end->loop->needs;
    bpi_needs_give(needs, granted, was->is_shared);
    if (was->is_unread)
        bpi_conn_read_peeked(was->conn, true);
    else
        bpi_conn_take_frames(was->conn, &frame, true);
    bpi_needs_end(needs);
}

static void go_on(bpi_wait *wait, bp_buf *granted) {
    bp_conn *conn = wait->conn;
    const bpi_wait was = *wait;
    leave(wait);
    if (was.is_again)
        handle_again(&was, granted);
    else
        take_cut(conn, &granted);
    bpi_conn_update_reading(conn);
}

/* Nobody waits for the grant any more. */
static void discard(bpi_wait *wait, bp_buf *granted) {
    bp_conn *conn = wait->conn;
    const bool is_due = wait->is_handle_closed;
    bp_buf_release(granted);
    conn->wait = NULL;
    free_wait(conn->end->loop, wait);
    if (is_due) bpi_conn_on_handle_closed(&conn->handle.any);
}

static void give_up(bpi_wait *wait, bp_err why) {
    bp_conn *conn = wait->conn;
    bp_reader_drop(&conn->reader);
    leave(wait);
    bp_conn_close(conn, why);
}

/* The class that the reservation waited for may be gone (BP_ERR_ARGUMENT): then it is tried anew. */
static void on_letter(bpi_letter *letter) {
    bpi_wait *wait = (bpi_wait *)letter;
    const bp_err err = wait->wish.err;
    bpi_mailbox_unexpect(&wait->conn->end->loop->mailbox);
    if (wait->what == BPI_FOR_LETTER)
        discard(wait, wait->wish.buf);
    else if (err == BP_OK || err == BP_ERR_ARGUMENT)
        go_on(wait, wait->wish.buf);
    else
        give_up(wait, err);
}

/* In turn within each end; an end whose first one has to stay is passed over. */
void bpi_wait_turn(bpi_loop *loop) {
    uint32_t stay_count = 0;
    loop->over_walk++;
    for (bpi_wait *wait = loop->over.first, *next; wait != NULL && stay_count < loop->over.count;
         wait = next) {
        bpi_end *end = wait->conn->end;
        next = wait->next;
        if (end->over_walk == loop->over_walk) continue;
        if (fits_budget(end, bp_reader_wants(&wait->conn->reader))) {
            go_on(wait, NULL);
        } else {
            end->over_walk = loop->over_walk;
            stay_count += end->over_count;
        }
    }
}

/* ---- the end of waiting ---- */

void bpi_wait_end(bp_conn *conn) {
    bpi_wait *wait = conn->wait;
    if (!bpi_conn_is_waiting(conn)) return;
    bp_reader_drop(&conn->reader);
    if (wait->what == BPI_FOR_MEMORY) {
        if (!bp_pool_cancel(conn->end->pool, &wait->wish)) {
            uncharge(wait);
            give_chunk_back(wait);
            wait->what = BPI_FOR_LETTER;
            return;
        }
        bpi_mailbox_unexpect(&conn->end->loop->mailbox);
    }
    leave(wait);
}

bool bpi_wait_outlasts_handle(bp_conn *conn) {
    if (conn->wait == NULL) return false;
    conn->wait->is_handle_closed = true;
    return true;
}

static bool has_unread(int fd) {
    int count = 0;
    return ioctl(fd, FIONREAD, &count) == 0 && count != 0;
}

/* What the socket failed with. */
static bp_err failure_of(int fd) {
    int number = 0;
    socklen_t length = sizeof number;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &length) != 0 || number == 0) return BP_ERR_RESET;
    return bpi_err_from_errno(number);
}

/* A peer that has closed both ways is gone once everything is read; what was read whole is still handed on. */
void bpi_wait_check_peer(bp_conn *conn) {
    uv_os_fd_t fd;
    if (uv_fileno(&conn->handle.any, &fd) != 0) return;
    struct pollfd at = {.fd = fd};
    if (poll(&at, 1, 0) <= 0) return;
    if ((at.revents & POLLERR) != 0) {
        bp_conn_close(conn, failure_of(fd));
    } else if ((at.revents & POLLHUP) != 0 && !has_unread(fd)) {
        if (conn->wait == NULL || !conn->wait->is_again) bpi_conn_read_ended(conn, UV_EOF);
    }
}
