#include <stdio.h>
#include "market.h"
static bp_err on_book(bp_conn *conn, const market_order_book_view *book, void *user) {
    market_book_ack ack = MARKET_BOOK_ACK_INIT;
    (void)user;
    ack.sequence = market_order_book_get_sequence(book);
    return market_send_book_ack(conn, &ack);              /* encoded into a pooled buffer, queued */
}
int main(void) {
    const market_handlers on = {.order_book = on_book};
    bp_server *server = NULL;
    bp_server_config config = market_server_config(&on, NULL);
    bp_err err = bp_server_new(&config, "tcp://0.0.0.0:7000", &server);
    if (err == BP_OK) err = bp_server_run(server);
    if (err != BP_OK) fprintf(stderr, "%s\n", bp_err_text(err));
    bp_server_free_take(&server);
    return err != BP_OK;
}
