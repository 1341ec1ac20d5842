#define _GNU_SOURCE
/* Letters to the thread of a loop, put from any thread. */
#include "transport/transport_internal.h"

static bpi_letter *take_all(bpi_mailbox *mailbox) {
    bpi_lock_enter(&mailbox->lock);
    bpi_letter *first = mailbox->first;
    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    bpi_lock_leave(&mailbox->lock);
    return first;
}

/* Letters that are put meanwhile wait for the next turn: who answers every letter with one keeps nobody else waiting.
 * An opened letter is its owner's again, so the next one is read before. */
static void on_mail(uv_async_t *async) {
    for (bpi_letter *letter = take_all((bpi_mailbox *)async), *next; letter != NULL; letter = next) {
        next = letter->next;
        letter->open(letter);
    }
}

int bpi_mailbox_start(bpi_mailbox *mailbox, uv_loop_t *uv) {
    const int status = uv_async_init(uv, &mailbox->async, on_mail);
    if (status != 0) return status;
    bpi_lock_init(&mailbox->lock);
    mailbox->last = &mailbox->first;
    uv_unref((uv_handle_t *)&mailbox->async);
    return 0;
}

void bpi_mailbox_fini(bpi_mailbox *mailbox) { bpi_lock_fini(&mailbox->lock); }

/* The loop is woken with the lock held: once its thread has the lock, nobody touches the handle for a letter that it
 * finds, and the handle may be closed. */
void bpi_mailbox_put(bpi_mailbox *mailbox, bpi_letter *letter) {
    letter->next = NULL;
    bpi_lock_enter(&mailbox->lock);
    *mailbox->last = letter;
    mailbox->last = &letter->next;
    (void)uv_async_send(&mailbox->async);
    bpi_lock_leave(&mailbox->lock);
}

void bpi_mailbox_expect(bpi_mailbox *mailbox) {
    if (mailbox->expected_count++ == 0) uv_ref((uv_handle_t *)&mailbox->async);
}

void bpi_mailbox_unexpect(bpi_mailbox *mailbox) {
    if (--mailbox->expected_count == 0) uv_unref((uv_handle_t *)&mailbox->async);
}
