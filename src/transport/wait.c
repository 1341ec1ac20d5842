#define _GNU_SOURCE
/* Connections that wait for memory: for a reservation, or for their end's budget of cut frames. They do not read
 * meanwhile, so that the peer is told by its own full socket. */
#include "frame/frame_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"

#include <poll.h>
#include <sys/ioctl.h>

/* ---- what waits is made of ---- */

void bpi_wait_append(bpi_wait_list *list, bpi_wait *wait) {
    wait->previous = list->last;
    *(list->last == NULL ? &list->first : &list->last->next) = wait;
    list->last = wait;
    list->count++;
}

void bpi_wait_unlink(bpi_wait_list *list, bpi_wait *wait) {
    *(wait->previous == NULL ? &list->first : &wait->previous->next) = wait->next;
    *(wait->next == NULL ? &list->last : &wait->next->previous) = wait->previous;
    wait->next = wait->previous = NULL;
    list->count--;
}

/* Where it is to be, once the connection waits, is there then as well. */
static bpi_wait *make_wait(bp_conn *conn, bpi_wait_for what) {
    bpi_loop *loop = conn->end->loop;
    if (bpi_conn_aside(conn) == NULL) return NULL;
    bpi_wait *wait = bpi_spares_take(&loop->waits, sizeof *wait);
    if (wait != NULL) *wait = (bpi_wait){.conn = conn, .what = what};
    return wait;
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

/* ---- beginning to wait ---- */

static bp_err begin(bp_conn *conn, bpi_wait *wait) {
    conn->aside->wait = wait;
    conn->aside->counts.waits++;
    bpi_conn_update_reading(conn);
    bpi_deadline_watch(conn->end->loop);
    return conn->state == BPI_CONN_CLOSING ? BP_ERR_CLOSED : BP_PENDING;
}

static void on_letter(bpi_letter *letter);
static void on_admitted(bpi_letter *letter);

/* Any thread: the rest is the loop's. */
static void on_memory(bp_reservation *wish) {
    bpi_wait *wait = wish->user;
    bpi_mailbox_put(&wait->conn->end->loop->mailbox, &wait->letter);
}

/* Whose buffers others may need to get on with: what it holds it gives back only when it has this one. */
static bool holds_buffers(const bpi_wait *wait) {
    return wait->frame.buf != NULL || bpi_writer_count(&wait->conn->writer) != 0;
}

/* Asks for `size` bytes. BP_OK: *out has them; BP_PENDING: the wait is lent to its connection. */
static bp_err reserve(bpi_wait *wait, uint64_t size, bp_buf **out) {
    bp_conn *conn = wait->conn;
    bpi_loop *loop = conn->end->loop;
    wait->letter.open = on_letter;
    wait->wish = (bp_reservation){.size = size, .owner = conn->end, .on_done = on_memory, .user = wait};
    wait->wish.can_block = holds_buffers(wait);
    const bp_err err = bp_pool_reserve(conn->end->pool, &wait->wish);
    if (err == BP_PENDING) {
        keep_unread(wait);
        bpi_mailbox_expect(&loop->mailbox);
        return begin(conn, wait);
    }
    *out = wait->wish.buf;
    bpi_spares_give(&loop->waits, wait);
    return err == BP_ERR_ARGUMENT ? BP_ERR_LIMIT : err;
}

/* BP_OK: the budget has room for the cut frame now. */
static bp_err wait_for_budget(bp_conn *conn) {
    bpi_loop *loop = conn->end->loop;
    bpi_wait *wait = make_wait(conn, BPI_FOR_BUDGET);
    if (wait == NULL) return BP_ERR_NO_MEMORY;
    wait->letter.open = on_admitted;
    wait->charged = bpi_reader_cost(&conn->reader);
    if (bpi_share_charge(conn->end->share, wait)) {
        bpi_reader_charged(&conn->reader, wait->charged);
        bpi_spares_give(&loop->waits, wait);
        return BP_OK;
    }
    keep_unread(wait);
    loop->over_count++;
    bpi_mailbox_expect(&loop->mailbox);
    return begin(conn, wait);
}

bp_err bpi_wait_for_cut(bp_conn *conn) {
    bp_reader *reader = &conn->reader;
    const uint32_t wanted = bp_reader_wants(reader);
    bp_buf *buf = NULL;
    if (bpi_reader_cost(reader) != 0) return wait_for_budget(conn);
    if (wanted == 0) return BP_ERR_LIMIT;
    bpi_wait *wait = make_wait(conn, BPI_FOR_MEMORY);
    if (wait == NULL) return BP_ERR_NO_MEMORY;
    const bp_err err = reserve(wait, wanted, &buf);
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
    const bp_err err = reserve(wait, bpi_needs_size(needs), &buf);
    if (err == BP_OK) bpi_needs_give(needs, buf, needs->count > 1);
    return err;
}

/* ---- going on ---- */

/* The connection is itself again; the chunk that it kept is the one that is read into next, and can be kept again. */
static void leave(bpi_wait *wait) {
    bp_conn *conn = wait->conn;
    bpi_loop *loop = conn->end->loop;
    conn->aside->wait = NULL;
    give_chunk_back(wait);
    bpi_spares_give(&loop->waits, wait);
}

/* Takes the cut frame up, with the buffer that was reserved for it or one that the pool has now. The budget was asked
 * already. No frame becomes whole by that, so no handler runs. */
static void take_cut(bp_conn *conn, bp_buf **granted) {
    bp_frame frame;
    if (*granted != NULL && bp_reader_give_take(&conn->reader, granted) != BP_OK) bp_buf_release_take(granted);
    bpi_conn_take_frames(conn, &frame, false);
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
    if (was.what == BPI_FOR_BUDGET) bpi_reader_charged(&conn->reader, was.charged);
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
    conn->aside->wait = NULL;
    bpi_spares_give(&conn->end->loop->waits, wait);
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

static void on_admitted(bpi_letter *letter) {
    bpi_wait *wait = (bpi_wait *)letter;
    bpi_loop *loop = wait->conn->end->loop;
    bpi_mailbox_unexpect(&loop->mailbox);
    loop->over_count--;
    if (wait->what == BPI_FOR_LETTER)
        discard(wait, NULL);
    else
        go_on(wait, NULL);
}

void bpi_wait_turn(bpi_loop *loop) {
    bpi_end *shared = loop->shared;
    if (shared != NULL && bpi_share_is_over(shared->share)) bpi_share_admit(shared->share);
    if (loop->over_count == 0) return;
    for (bpi_end *end = loop->ends; end != NULL; end = end->loop_next) {
        if (end != shared && bpi_share_is_over(end->share)) bpi_share_admit(end->share);
    }
}

/* ---- the end of waiting ---- */

/* Asks for nothing any more. True: it was told before, and the letter is under way. */
static bool is_told(bpi_wait *wait) {
    const bpi_end *end = wait->conn->end;
    if (wait->what == BPI_FOR_MEMORY) return !bp_pool_cancel(end->pool, &wait->wish);
    if (bpi_share_leave(end->share, wait)) return false;
    bpi_share_uncharge(end->share, wait->charged);
    return true;
}

void bpi_wait_end(bp_conn *conn) {
    bpi_wait *wait = bpi_conn_wait(conn);
    if (!bpi_conn_is_waiting(conn)) return;
    bp_reader_drop(&conn->reader);
    if (is_told(wait)) {
        give_chunk_back(wait);
        wait->what = BPI_FOR_LETTER;
        return;
    }
    bpi_mailbox_unexpect(&conn->end->loop->mailbox);
    conn->end->loop->over_count -= wait->what == BPI_FOR_BUDGET;
    leave(wait);
}

bool bpi_wait_outlasts_handle(bp_conn *conn) {
    bpi_wait *wait = bpi_conn_wait(conn);
    if (wait == NULL) return false;
    wait->is_handle_closed = true;
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
        const bpi_wait *wait = bpi_conn_wait(conn);
        if (wait == NULL || !wait->is_again) bpi_conn_read_ended(conn, UV_EOF);
    }
}
