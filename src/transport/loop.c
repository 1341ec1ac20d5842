#define _GNU_SOURCE
#include "transport/send_internal.h"
#include "transport/wait_internal.h"

#include "base/os.h"

#include <unistd.h>

/* Being active is all that it is for. */
static void on_idle(uv_idle_t *handle) { (void)handle; }

static void flush_dirty(bpi_loop *loop) {
    bpi_begun_drop(loop);
    bpi_send_turn(loop);
    bp_conn *list = loop->dirty;
    loop->dirty = NULL;
    while (list != NULL) {
        bp_conn *conn = list;
        list = conn->dirty_next;
        conn->is_dirty = false;
        if (conn->state == BPI_CONN_OPEN || conn->state == BPI_CONN_FINISHING) bpi_conn_flush(conn);
    }
    bpi_wait_turn(loop);
    if (loop->dirty != NULL)
        uv_idle_start(&loop->idle, on_idle);
    else
        uv_idle_stop(&loop->idle);
}

static void on_prepare(uv_prepare_t *handle) {
    bpi_loop *loop = handle->data;
    loop->turn++;
    flush_dirty(loop);
}

static void on_check(uv_check_t *handle) { flush_dirty(handle->data); }

void bpi_loop_mark_dirty(bpi_loop *loop, bp_conn *conn) {
    if (conn->is_dirty) return;
    conn->is_dirty = true;
    conn->dirty_next = loop->dirty;
    loop->dirty = conn;
}

void bpi_loop_forget(bpi_loop *loop, bp_conn *conn) {
    bp_conn **at = &loop->dirty;
    if (!conn->is_dirty) return;
    while (*at != conn) at = &(*at)->dirty_next;
    *at = conn->dirty_next;
    conn->is_dirty = false;
}

static void find(uv_handle_t *handle, void *out) {
    bpi_loop **found = out;
    if (handle->type != UV_PREPARE || uv_is_closing(handle)) return;
    if (((uv_prepare_t *)handle)->prepare_cb == on_prepare) *found = handle->data;
}

static int start_handles(bpi_loop *loop) {
    const int status = bpi_mailbox_start(&loop->mailbox, loop->uv);
    if (status != 0) return status;
    /* None of these can fail (libuv 1.44: they only link the handle). */
    uv_prepare_init(loop->uv, &loop->prepare);
    uv_check_init(loop->uv, &loop->check);
    uv_idle_init(loop->uv, &loop->idle);
    uv_timer_init(loop->uv, &loop->timer);
    loop->prepare.data = loop->check.data = loop->idle.data = loop->mailbox.async.data = loop;
    loop->timer.data = loop;
    uv_prepare_start(&loop->prepare, on_prepare);
    uv_check_start(&loop->check, on_check);
    uv_unref((uv_handle_t *)&loop->prepare);
    uv_unref((uv_handle_t *)&loop->check);
    loop->handle_count = 5;
    return 0;
}

/* One that libuv (1.44) could not make keeps its epoll descriptor. */
static int init_own(uv_loop_t *own) {
    const int status = uv_loop_init(own);
    if (status != 0 && own->backend_fd > 0) close(own->backend_fd);
    return status;
}

static bp_err make(uv_loop_t *lent, bpi_loop **out) {
    bpi_loop *loop = bpi_os.alloc(sizeof *loop);
    if (loop == NULL) return BP_ERR_NO_MEMORY;
    loop->is_own = lent == NULL;
    loop->uv = lent == NULL ? &loop->own : lent;
    int status = loop->is_own ? init_own(&loop->own) : 0;
    if (status != 0) goto fail;
    status = start_handles(loop);
    if (status == 0) {
        *out = loop;
        return BP_OK;
    }
    if (loop->is_own) (void)uv_loop_close(&loop->own); /* nothing is open in it */
fail:
    bpi_os.free(loop);
    return bpi_err_from_uv(status);
}

bp_err bpi_loop_acquire(uv_loop_t *lent, bpi_loop **out) {
    *out = NULL;
    if (lent != NULL) uv_walk(lent, find, out);
    const bp_err err = *out == NULL ? make(lent, out) : BP_OK;
    if (err == BP_OK) (*out)->end_count++;
    return err;
}

static void destroy(bpi_loop *loop) {
    bpi_mailbox_fini(&loop->mailbox);
    bpi_spares_free(&loop->writes);
    bpi_spares_free(&loop->waits);
    bpi_os.free(loop->landing.memory);
    bpi_os.free(loop->stage.data);
    bpi_os.free(loop);
}

static void on_handle_closed(uv_handle_t *handle) {
    bpi_loop *loop = handle->data;
    loop->handle_count--;
    if (loop->handle_count == 0 && !loop->is_own) destroy(loop);
}

static void close_handle(uv_handle_t *handle, void *unused) {
    (void)unused;
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

/* What a program added to our loop and did not close is closed here: the loop's memory is about to go. */
static void destroy_own(bpi_loop *loop) {
    bp_thread_forbid_wait(true);
    while (uv_loop_close(&loop->own) == UV_EBUSY) {
        uv_run(&loop->own, UV_RUN_NOWAIT);
        if (loop->handle_count == 0) uv_walk(&loop->own, close_handle, NULL);
    }
    bp_thread_forbid_wait(false);
    destroy(loop);
}

void bpi_loop_release(bpi_loop *loop) {
    if (--loop->end_count != 0) return;
    uv_close((uv_handle_t *)&loop->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&loop->check, on_handle_closed);
    uv_close((uv_handle_t *)&loop->idle, on_handle_closed);
    uv_close((uv_handle_t *)&loop->mailbox.async, on_handle_closed);
    uv_close((uv_handle_t *)&loop->timer, on_handle_closed);
    if (loop->is_own) destroy_own(loop);
}
