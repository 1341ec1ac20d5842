/* book-client [COUNT [ADDRESS]]: sends books to examples/book_server and waits until each of them is acknowledged. */
#include <stdio.h>
#include <stdlib.h>
#include "market.h"

typedef struct feed { unsigned long wanted, sent, acknowledged; } feed;

/* As many as the queue takes; when it is half empty again, on_drain goes on. */
static void send_books(bp_conn *conn, void *user) {
    feed *f = user;
    market_order_book book = MARKET_ORDER_BOOK_INIT;
    book.instrument_id = 1;
    while (f->sent < f->wanted) {
        book.sequence = f->sent + 1;
        const bp_err err = market_send_order_book(conn, &book);
        if (err == BP_ERR_QUEUE_FULL) return;
        if (err != BP_OK) {
            bp_conn_close(conn, err);
            return;
        }
        f->sent++;
    }
}
static bp_err on_ack(bp_conn *conn, const market_book_ack_view *ack, void *user) {
    feed *f = user;
    if (market_book_ack_get_sequence(ack) != ++f->acknowledged) return BP_ERR_LOST;
    if (f->acknowledged == f->wanted) bp_conn_finish(conn);
    return BP_OK;
}
int main(int argc, char **argv) {
    feed f = {.wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000};
    const market_handlers on = {.book_ack = on_ack};
    bp_client *client = NULL;
    bp_client_config config = market_client_config(&on, &f);
    config.conn.on_open = config.conn.on_drain = send_books;
    bp_err err = bp_client_new(&config, argc > 2 ? argv[2] : "tcp://127.0.0.1:7000", &client);
    if (err == BP_OK) err = bp_client_run(client);
    if (err != BP_OK) fprintf(stderr, "%s\n", bp_err_text(err));
    bp_client_free_take(&client);
    printf("%lu books acknowledged\n", f.acknowledged);
    return err != BP_OK || f.acknowledged != f.wanted;
}
